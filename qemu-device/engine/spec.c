// SPDX-License-Identifier: MIT
/*
 * From the values that a file states to a specification: defaults, checks,
 * derived geometry. Defaults and the meaning of "column" are DRAMsim3's
 * (src/configuration.cc), so that its files mean here what they mean there;
 * each default in force is listed as a note.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dram_timing.h"
#include "spec_builtin.h"
#include "spec_parse.h"

struct builder {
	const char *source;
	struct spec_raw raw;
	struct ppim_spec *spec;
	struct ppim_diag *diag;
};

#define FAIL(b, key, ...) \
	spec_fail((b)->diag, -EINVAL, (b)->source, key, __VA_ARGS__)

static bool is_pow2(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* The value, or the default with a note that it was taken. */
static uint32_t value_or(struct builder *b, uint32_t value, const char *key,
			 uint32_t fallback)
{
	if (value != RAW_ABSENT)
		return value;
	spec_note(b->spec, PPIM_NOTE_DEFAULTED, key, "%u", fallback);
	return fallback;
}

static bool raw_is_hbm(const struct builder *b)
{
	return ppim_spec_is_hbm(b->spec);
}

/* What no file leaves out, and what would make nonsense when guessed. */
static int build_required(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	const struct {
		const char *key;
		bool absent;
	} required[] = {
		{ "protocol", r->protocol == RAW_ABSENT },
		{ "bankgroups", r->bankgroups == RAW_ABSENT },
		{ "banks_per_group", r->banks_per_group == RAW_ABSENT },
		{ "rows", r->rows == RAW_ABSENT },
		{ "columns", r->columns == RAW_ABSENT },
		{ "device_width", r->device_width == RAW_ABSENT },
		{ "BL", r->bl == RAW_ABSENT && r->protocol != PPIM_HMC },
		{ "tCK", !r->tck_fs },
		{ "CL", r->cl == RAW_ABSENT },
		{ "CWL", r->cwl == RAW_ABSENT },
		{ "tRP", r->trp == RAW_ABSENT },
		{ "tRAS", r->tras == RAW_ABSENT },
		{ "tFAW", r->tfaw == RAW_ABSENT },
		{ "tWR", r->twr == RAW_ABSENT },
		{ "channel_size", r->channel_mb == RAW_ABSENT },
		{ "channels", r->channels == RAW_ABSENT },
		{ "bus_width", r->bus_width == RAW_ABSENT },
		{ "address_mapping", !r->map[0] },
	};
	size_t i;

	for (i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (required[i].absent)
			return FAIL(b, required[i].key, "is missing");
	return 0;
}

static int build_pow2(struct builder *b)
{
	const struct ppim_spec *s = b->spec;
	const struct {
		const char *key;
		uint32_t value;
	} geometry[] = {
		{ "channels", s->channels },
		{ "pseudo_channels", s->pseudo_channels },
		{ "bankgroups", s->bankgroups },
		{ "banks_per_group", s->banks_per_group },
		{ "rows", s->rows },
		{ "columns", s->columns },
		{ "device_width", s->device_width },
		{ "bus_width", s->bus_width },
		{ "BL", s->bl },
	};
	size_t i;

	for (i = 0; i < sizeof(geometry) / sizeof(geometry[0]); i++)
		if (!is_pow2(geometry[i].value))
			return FAIL(b, geometry[i].key,
				    "%u is not a power of two",
				    geometry[i].value);
	return 0;
}

/*
 * A "column" of a file is device_width bits in DDR, device_width x BL bits in
 * GDDR and device_width x 2 bits in HBM. Ours is always device_width bits.
 */
static uint32_t build_columns(const struct builder *b)
{
	if (ppim_spec_is_gddr(b->spec))
		return b->raw.columns * b->spec->bl;
	return raw_is_hbm(b) ? b->raw.columns * 2 : b->raw.columns;
}

static int build_banks(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_spec *s = b->spec;

	s->bankgroups = r->bankgroups;
	s->banks_per_group = r->banks_per_group;
	if (!r->bankgroup_enable) {
		s->banks_per_group *= s->bankgroups;
		s->bankgroups = 1;
	}
	s->banks = s->bankgroups * s->banks_per_group;
	if (s->banks > 64)
		return FAIL(b, "banks_per_group", "%u banks, at most 64",
			    s->banks);
	return 0;
}

static int build_geometry(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_spec *s = b->spec;
	int err = build_banks(b);
	uint64_t row_bytes;

	if (err)
		return err;
	s->pseudo_channels = r->pseudo_channels == RAW_ABSENT ?
				     1 :
				     r->pseudo_channels;
	s->channels = r->channels * s->pseudo_channels;
	s->rows = r->rows;
	s->device_width = r->device_width;
	s->bus_width = r->bus_width;
	s->bl = r->bl;
	/* HMC: each 32 B of a block are one burst of 8 beats. */
	if (s->protocol == PPIM_HMC)
		s->bl = value_or(b, r->hmc_block, "block_size", 64) * 8 /
			s->device_width;
	s->columns = build_columns(b);
	err = build_pow2(b);
	if (err)
		return err;
	if (s->bus_width < s->device_width)
		return FAIL(b, "bus_width", "%u is less than device_width %u",
			    s->bus_width, s->device_width);
	if (s->columns < s->bl)
		return FAIL(b, "columns", "a row of %u is shorter than BL %u",
			    s->columns, s->bl);
	s->devices_per_rank = s->bus_width / s->device_width;
	s->burst_bytes = s->bus_width / 8 * s->bl;
	s->bursts_per_row = s->columns / s->bl;
	row_bytes = (uint64_t)s->bursts_per_row * s->burst_bytes;
	if (row_bytes > UINT32_MAX)
		return FAIL(b, "columns",
			    "a row of %llu MB, less than 4096 MB are expected",
			    (unsigned long long)row_bytes >> 20);
	s->row_bytes = (uint32_t)row_bytes;
	s->bank_bytes = row_bytes * s->rows;
	s->bankgroup_bytes = s->bank_bytes * s->banks_per_group;
	return 0;
}

/* Ranks follow from channel_size, as in DRAMsim3. */
static int build_ranks(struct builder *b)
{
	struct ppim_spec *s = b->spec;
	uint64_t rank = s->bank_bytes * s->banks;
	uint64_t channel = (uint64_t)b->raw.channel_mb << 20;

	if (rank > channel) {
		spec_note(s, PPIM_NOTE_ADJUSTED, "channel_size",
			  "%llu KB, one rank", (unsigned long long)rank >> 10);
		channel = rank;
	}
	s->ranks = (uint32_t)(channel / rank);
	if (!is_pow2(s->ranks) || channel % rank)
		return FAIL(b, "channel_size",
			    "%u MB is not a power of two of ranks of %llu MB",
			    b->raw.channel_mb,
			    (unsigned long long)(rank >> 20));
	s->channel_bytes = channel;
	if (__builtin_mul_overflow(channel, s->channels, &s->bytes))
		return FAIL(b, "channels",
			    "%u of %llu MB are more bytes than 64 bits address",
			    s->channels, (unsigned long long)(channel >> 20));
	return 0;
}

/* Beats per clock when no data rate is stated. */
static uint32_t beats_per_clock(enum ppim_protocol protocol)
{
	switch (protocol) {
	case PPIM_GDDR5:
		return 4;
	case PPIM_GDDR5X:
		return 8;
	case PPIM_GDDR6:
		return 16;
	default:
		return 2;
	}
}

/*
 * Clocks of a burst. With a data rate (MT/s): beats per clock rounded to the
 * nearest whole number, as clocks are stated rounded (0.416 ns for 2400 MHz),
 * but no further off than 2 %.
 */
static int build_burst(struct builder *b)
{
	struct ppim_spec *s = b->spec;
	uint32_t beats = beats_per_clock(s->protocol);
	double exact;

	if (b->raw.data_rate != RAW_ABSENT) {
		exact = b->raw.data_rate * (double)s->t.tck_fs * 1e-9;
		beats = (uint32_t)(exact + 0.5);
		if (!beats || exact / beats > 1.02 || exact / beats < 0.98)
			return FAIL(b, "data_rate",
				    "%u MT/s is %.3f beats per clock, a whole number is expected",
				    b->raw.data_rate, exact);
	}
	if (s->bl % beats)
		return FAIL(b, "BL",
			    "%u beats are no whole number of clocks at %u beats per clock",
			    s->bl, beats);
	s->t.burst = s->bl / beats;
	return 0;
}

static void build_activate(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_timing *t = &b->spec->t;
	bool split = raw_is_hbm(b) || ppim_spec_is_gddr(b->spec);

	t->trp = r->trp;
	t->tras = r->tras;
	t->trc = r->trc == RAW_ABSENT ? r->tras + r->trp : r->trc;
	if (split) {
		t->trcd_rd = value_or(b, r->trcd_rd, "tRCDRD", 24);
		t->trcd_wr = value_or(b, r->trcd_wr, "tRCDWR", 20);
	} else {
		t->trcd_rd = value_or(b, r->trcd, "tRCD", 10);
		t->trcd_wr = t->trcd_rd;
		if (r->trcd_rd != RAW_ABSENT)
			spec_note(b->spec, PPIM_NOTE_IGNORED, "tRCDRD",
				  "%s has one tRCD",
				  ppim_protocol_name(b->spec->protocol));
	}
	t->trrd_l = value_or(b, r->trrd_l, "tRRD_L", 4);
	t->trrd_s = value_or(b, r->trrd_s, "tRRD_S", 4);
	t->tfaw = r->tfaw;
	t->t32aw = ppim_spec_is_gddr(b->spec) ?
			   value_or(b, r->t32aw, "t32AW", 330) :
			   0;
}

/* The data bus is free of the read's burst before the write's comes. */
static uint32_t read_to_write(const struct ppim_timing *t)
{
	uint32_t read_end = t->cl + t->burst + t->trtrs;

	return read_end > t->cwl ? read_end - t->cwl : 1;
}

static void build_column(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_timing *t = &b->spec->t;
	enum ppim_protocol p = b->spec->protocol;
	bool tppd = ppim_spec_is_gddr(b->spec) || p == PPIM_LPDDR4 ||
		    p == PPIM_DDR5 || p == PPIM_HBM3;

	t->al = r->al == RAW_ABSENT ? 0 : r->al;
	t->cl = r->cl;
	t->cwl = r->cwl;
	t->tccd_l = value_or(b, r->tccd_l, "tCCD_L", 6);
	t->tccd_s = value_or(b, r->tccd_s, "tCCD_S", 4);
	t->tccd_l_wr = r->tccd_l_wr == RAW_ABSENT ? t->tccd_l : r->tccd_l_wr;
	t->trtrs = value_or(b, r->trtrs, "tRTRS", 2);
	t->trtw = r->trtw == RAW_ABSENT ? read_to_write(t) : r->trtw;
	t->trtp = value_or(b, r->trtp, "tRTP", 5);
	t->twtr_l = value_or(b, r->twtr_l, "tWTR_L", 5);
	t->twtr_s = value_or(b, r->twtr_s, "tWTR_S", 5);
	t->twr = r->twr;
	t->tppd = tppd ? value_or(b, r->tppd, "tPPD", 0) : 0;
}

static void build_refresh(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_timing *t = &b->spec->t;
	bool by_bank = b->spec->refresh == PPIM_REFRESH_BANK_STAGGERED;

	t->trfc = value_or(b, r->trfc, "tRFC", 74);
	t->trefi = value_or(b, r->trefi, "tREFI", 7800);
	t->trfcb = r->trfcb == RAW_ABSENT && !by_bank ?
			   20 :
			   value_or(b, r->trfcb, "tRFCb", 20);
	t->trefib = r->trefib == RAW_ABSENT && !by_bank ?
			    1950 :
			    value_or(b, r->trefib, "tREFIb", 1950);
}

static int check_pair(struct builder *b, const char *key, uint32_t large,
		      const char *other, uint32_t small)
{
	if (large >= small || b->spec->bankgroups == 1)
		return 0;
	return FAIL(b, key, "%u is less than %s %u", large, other, small);
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Clocks at most from a refresh's due time until it is issued: `banks` that are
 * open have to be closed, one after the other. */
static uint64_t refresh_wait(const struct dram_delays *d, uint64_t banks)
{
	uint64_t close = max_u64(d->act_pre, max_u64(d->rd_pre, d->wr_pre));

	return close + (banks - 1) * max_u64(d->pre_pre, 1) + d->pre_act;
}

/*
 * After that, clocks at most until a bank that was refreshed has a row open and
 * a burst of it under way: the activation waits for the refresh, and for
 * windows that began before it; the burst may find the command bus taken by
 * the other banks' activations.
 */
static uint64_t refresh_work(const struct dram_delays *d, uint64_t trfc,
			     uint64_t banks)
{
	uint64_t act = max_u64(trfc, max_u64(d->faw, d->aw32));

	act = max_u64(act, max_u64(d->act_act, d->act_act_l));
	return act + max_u64(d->act_rd, d->act_wr) + banks;
}

/* A bank that finds no time for a burst between two refreshes is never served.
 * And refreshes must not pile up. */
static int check_refresh(struct builder *b)
{
	const struct ppim_spec *s = b->spec;
	const struct ppim_timing *t = &s->t;
	bool by_bank = s->refresh == PPIM_REFRESH_BANK_STAGGERED;
	bool together = s->refresh == PPIM_REFRESH_RANK_SIMULTANEOUS;
	uint64_t banks = (uint64_t)s->ranks * s->banks;
	uint64_t turns = by_bank ? banks : together ? 1 : s->ranks;
	uint64_t every = by_bank ? t->trefib : t->trefi / turns;
	uint64_t wait, need;
	struct dram_delays d;

	if (s->refresh == PPIM_REFRESH_NONE)
		return 0;
	dram_delays_init(s, &d);
	wait = refresh_wait(&d, by_bank ? 1 : s->banks) *
	       (together ? s->ranks : 1);
	need = max_u64(wait * turns,
		       wait + refresh_work(&d, by_bank ? t->trfcb : t->trfc,
					   banks));
	if (every * turns > need)
		return 0;
	return FAIL(b, by_bank ? "tREFIb" : "tREFI",
		    "%u leaves no time for work beside refreshes, more than %llu is expected",
		    by_bank ? t->trefib : t->trefi,
		    (unsigned long long)(need / (by_bank ? turns : 1)));
}

/* Relations without which the constraints contradict each other. */
static int check_timing(struct builder *b)
{
	const struct ppim_timing *t = &b->spec->t;
	uint32_t ranks = b->spec->ranks;
	int err = check_pair(b, "tCCD_L", t->tccd_l, "tCCD_S", t->tccd_s);

	if (!err)
		err = check_pair(b, "tCCD_L_WR", t->tccd_l_wr, "tCCD_S",
				 t->tccd_s);
	if (!err)
		err = check_pair(b, "tRRD_L", t->trrd_l, "tRRD_S", t->trrd_s);
	if (!err)
		err = check_pair(b, "tWTR_L", t->twtr_l, "tWTR_S", t->twtr_s);
	if (err)
		return err;
	if (t->trc < t->tras)
		return FAIL(b, "tRC", "%u is less than tRAS %u", t->trc,
			    t->tras);
	if (t->trc < t->trcd_rd || t->trc < t->trcd_wr)
		return FAIL(b, "tRC", "%u is less than tRCD", t->trc);
	if (t->al >= t->trcd_rd || t->al >= t->trcd_wr)
		return FAIL(b, "AL", "%u is not less than tRCD", t->al);
	if (b->spec->refresh == PPIM_REFRESH_RANK_STAGGERED &&
	    t->trefi < ranks)
		return FAIL(b, "tREFI", "%u is less than the %u ranks",
			    t->trefi, ranks);
	if (b->spec->refresh == PPIM_REFRESH_BANK_STAGGERED &&
	    t->trefib <= t->trfcb)
		return FAIL(b, "tREFIb", "%u is not more than tRFCb %u",
			    t->trefib, t->trfcb);
	return check_refresh(b);
}

static int build_timing(struct builder *b)
{
	int err;

	b->spec->t.tck_fs = b->raw.tck_fs;
	err = build_burst(b);
	if (err)
		return err;
	build_activate(b);
	build_column(b);
	build_refresh(b);
	return check_timing(b);
}

/* Nothing is made up: a current that is absent stays absent. */
static void build_power(struct builder *b)
{
	struct ppim_power *p = &b->spec->power;
	const struct spec_raw *r = &b->raw;
	uint32_t i;

	p->vdd = r->vdd;
	p->vpp = r->vpp;
	p->vdd_present = r->vdd > 0;
	p->present = r->idd_present;
	for (i = 0; i < PPIM_IDD_COUNT; i++)
		p->idd_ma[i] = p->present & 1u << i ? r->idd_ma[i] : 0;
}

static int build_controller(struct builder *b)
{
	const struct spec_raw *r = &b->raw;
	struct ppim_spec *s = b->spec;

	s->page = r->page == RAW_ABSENT ? PPIM_OPEN_PAGE : r->page;
	s->queues = r->queues == RAW_ABSENT ? PPIM_QUEUE_PER_BANK : r->queues;
	s->refresh = r->refresh == RAW_ABSENT ? PPIM_REFRESH_RANK_STAGGERED :
						r->refresh;
	s->cmd_queue_size =
		value_or(b, r->cmd_queue_size, "cmd_queue_size", 16);
	s->trans_queue_size =
		value_or(b, r->trans_queue_size, "trans_queue_size", 32);
	s->unified_queue = r->unified_queue == 1;
	s->dual_cmd = raw_is_hbm(b) && r->dual_cmd;
	if (r->self_refresh == 1)
		return spec_fail(b->diag, -EOPNOTSUPP, b->source,
				 "enable_self_refresh",
				 "self refresh of idle ranks is not modelled");
	return 0;
}

static void build_name(struct ppim_spec *s, const char *source)
{
	const char *slash = strrchr(source, '/');
	const char *name = slash ? slash + 1 : source;
	size_t n = strlen(name);

	if (n > 4 && !strcmp(name + n - 4, ".ini"))
		n -= 4;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)n, name);
}

int ppim_spec_load_buf(const char *name, const char *text, size_t len,
		       struct ppim_spec *out, struct ppim_diag *diag)
{
	struct builder b = { .source = name, .spec = out, .diag = diag };
	int err;

	memset(out, 0, sizeof(*out));
	build_name(out, name);
	err = spec_ini_parse(name, text, len, &b.raw, out, diag);
	if (!err)
		err = build_required(&b);
	if (err)
		return err;
	out->protocol = b.raw.protocol;
	err = build_controller(&b);
	if (!err)
		err = build_geometry(&b);
	if (!err)
		err = build_ranks(&b);
	if (!err)
		err = build_timing(&b);
	if (err)
		return err;
	build_power(&b);
	return spec_map_parse(name, b.raw.map, out, diag);
}

static int file_fail(const char *path, int err, struct ppim_diag *diag)
{
	return spec_fail(diag, -err, path, NULL, "%s", strerror(err));
}

#define SPEC_FILE_MAX (1u << 20)

int ppim_spec_load(const char *path, struct ppim_spec *out,
		   struct ppim_diag *diag)
{
	char *text;
	size_t len;
	FILE *f = fopen(path, "r");
	int err;

	if (!f)
		return file_fail(path, errno, diag);
	text = malloc(SPEC_FILE_MAX);
	if (!text) {
		fclose(f);
		return file_fail(path, ENOMEM, diag);
	}
	errno = 0;
	len = fread(text, 1, SPEC_FILE_MAX, f);
	if (ferror(f))
		err = file_fail(path, errno ? errno : EIO, diag);
	else if (len == SPEC_FILE_MAX)
		err = file_fail(path, EFBIG, diag);
	else
		err = ppim_spec_load_buf(path, text, len, out, diag);
	fclose(f);
	free(text);
	return err;
}

const char *ppim_spec_builtin(const char *name)
{
	size_t i;

	for (i = 0; spec_builtins[i].name; i++)
		if (!strcmp(spec_builtins[i].name, name))
			return spec_builtins[i].text;
	return NULL;
}

const char *ppim_spec_builtin_name(size_t i)
{
	return i < spec_builtin_count ? spec_builtins[i].name : NULL;
}

int ppim_spec_find(const char *name_or_path, struct ppim_spec *out,
		   struct ppim_diag *diag)
{
	const char *text = ppim_spec_builtin(name_or_path);
	int err;

	if (text)
		return ppim_spec_load_buf(name_or_path, text, strlen(text), out,
					  diag);
	err = ppim_spec_load(name_or_path, out, diag);
	if (err == -ENOENT)
		spec_fail(diag, err, name_or_path, NULL,
			  "no shipped specification has this name, and no file");
	return err;
}

const struct ppim_ext *ppim_spec_pim(const struct ppim_spec *spec,
				     const char *key)
{
	uint32_t i;

	for (i = 0; i < spec->n_pim; i++)
		if (!strcmp(spec->pim[i].key, key))
			return &spec->pim[i];
	return NULL;
}
