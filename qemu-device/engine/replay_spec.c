// SPDX-License-Identifier: MIT
/*
 * A specification in a dump: every field that the PIM engine reads, by name, so
 * that a dump says by itself on which memory it was made. The fields are input
 * like the rest of a dump: each has a range, the engine checks how they go
 * together.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "replay.h"

struct spec_word {
	const char *name;
	size_t at;
	size_t bytes; /* 0: a double */
	uint64_t min, max;
};

#define AT(f)	offsetof(struct ppim_spec, f)
#define SIZE(f) sizeof(((struct ppim_spec *)0)->f)
#define WORD(f, min, max)                                                      \
	{                                                                      \
#f, AT(f), SIZE(f), min, max                                   \
	}
#define CLOCKS(name)                                                           \
	{                                                                      \
#name, AT(t.name), SIZE(t.name), 0, 1u << 24                   \
	}
#define FIELD(name, i)                                                         \
	{ "pos_" name, AT(map.pos[i]), 1, 0, 63 },                             \
	{                                                                      \
		"width_" name, AT(map.width[i]), 1, 0, 63                      \
	}
#define REAL(name, f)                                                          \
	{                                                                      \
		name, AT(f), 0, 0, 1000000                                     \
	}

static const struct spec_word words[] = {
	WORD(channels, 1, 1u << 16),
	WORD(ranks, 1, 1u << 16),
	WORD(bankgroups, 1, 256),
	WORD(banks_per_group, 1, 256),
	WORD(row_bytes, 1, 1u << 24),
	WORD(burst_bytes, 1, 1u << 16),
	WORD(bus_width, 1, 1u << 16),
	WORD(devices_per_rank, 1, 1u << 16),
	WORD(refresh, 0, PPIM_REFRESH_NONE),
	{ "tck_fs", AT(t.tck_fs), SIZE(t.tck_fs), 1, 1000000000 },
	{ "burst", AT(t.burst), SIZE(t.burst), 1, 1u << 24 },
	CLOCKS(cl),
	CLOCKS(trcd_rd),
	CLOCKS(trp),
	CLOCKS(tras),
	CLOCKS(trc),
	CLOCKS(tccd_s),
	CLOCKS(tccd_l),
	CLOCKS(trrd_s),
	CLOCKS(trrd_l),
	CLOCKS(tfaw),
	CLOCKS(trtp),
	CLOCKS(cwl),
	CLOCKS(twr),
	CLOCKS(trfc),
	CLOCKS(trefi),
	CLOCKS(trfcb),
	CLOCKS(trefib),
	FIELD("ch", PPIM_CH),
	FIELD("ra", PPIM_RA),
	FIELD("bg", PPIM_BG),
	FIELD("ba", PPIM_BA),
	FIELD("ro", PPIM_RO),
	FIELD("co", PPIM_CO),
	{ "vdd_present", AT(power.vdd_present), SIZE(power.vdd_present), 0, 1 },
	{ "idd_present", AT(power.present), SIZE(power.present), 0,
	  (1u << PPIM_IDD_COUNT) - 1 },
	REAL("vdd", power.vdd),
	REAL("idd0", power.idd_ma[PPIM_IDD0]),
	REAL("idd2p", power.idd_ma[PPIM_IDD2P]),
	REAL("idd2n", power.idd_ma[PPIM_IDD2N]),
	REAL("idd3p", power.idd_ma[PPIM_IDD3P]),
	REAL("idd3n", power.idd_ma[PPIM_IDD3N]),
	REAL("idd4w", power.idd_ma[PPIM_IDD4W]),
	REAL("idd4r", power.idd_ma[PPIM_IDD4R]),
	REAL("idd5ab", power.idd_ma[PPIM_IDD5AB]),
	REAL("idd5pb", power.idd_ma[PPIM_IDD5PB]),
	REAL("idd6x", power.idd_ma[PPIM_IDD6X]),
	REAL("ipp0", power.idd_ma[PPIM_IPP0]),
};

static uint64_t word_get(const struct spec_word *w,
			 const struct ppim_spec *spec)
{
	const char *from = (const char *)spec + w->at;
	uint32_t u32;
	uint64_t u64;

	if (w->bytes == sizeof(uint8_t))
		return *(const uint8_t *)from;
	if (w->bytes == sizeof(u32)) {
		memcpy(&u32, from, sizeof(u32));
		return u32;
	}
	memcpy(&u64, from, sizeof(u64));
	return u64;
}

static void word_set(const struct spec_word *w, struct ppim_spec *spec,
		     uint64_t v)
{
	char *to = (char *)spec + w->at;
	uint32_t u32 = (uint32_t)v;

	if (w->bytes == sizeof(uint8_t))
		*(uint8_t *)to = (uint8_t)v;
	else if (w->bytes == sizeof(u32))
		memcpy(to, &u32, sizeof(u32));
	else
		memcpy(to, &v, sizeof(v));
}

/* Digits enough to give the same double back. */
static void word_format(const struct spec_word *w, const struct ppim_spec *spec,
			char *buf, size_t bytes)
{
	double real;

	if (w->bytes) {
		snprintf(buf, bytes, "%s %llu", w->name,
			 (unsigned long long)word_get(w, spec));
		return;
	}
	memcpy(&real, (const char *)spec + w->at, sizeof(real));
	snprintf(buf, bytes, "%s %.17g", w->name, real);
}

static int word_parse_real(const struct spec_word *w, struct ppim_spec *spec,
			   const char *value)
{
	double real;
	char *end;

	real = strtod(value, &end);
	if (*end || !isfinite(real) || real < (double)w->min ||
	    real > (double)w->max)
		return -EINVAL;
	memcpy((char *)spec + w->at, &real, sizeof(real));
	return 0;
}

static int word_parse(const struct spec_word *w, struct ppim_spec *spec,
		      const char *value)
{
	uint64_t v;
	char *end;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	if (!w->bytes)
		return word_parse_real(w, spec, value);
	errno = 0;
	v = strtoull(value, &end, 10);
	if (errno || *end || v < w->min || v > w->max)
		return -EINVAL;
	word_set(w, spec, v);
	return 0;
}

bool replay_spec_format(const struct ppim_spec *spec, size_t i, char *buf,
			size_t bytes)
{
	if (i >= ARRAY_SIZE(words))
		return false;
	word_format(&words[i], spec, buf, bytes);
	return true;
}

int replay_spec_parse(struct ppim_spec *spec, const char *name,
		      const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].name, name))
			return word_parse(&words[i], spec, value);
	return -ENOENT;
}

bool replay_spec_whole(const struct ppim_spec *spec)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!words[i].bytes)
			continue;
		v = word_get(&words[i], spec);
		if (v < words[i].min || v > words[i].max)
			return false;
	}
	return true;
}
