// SPDX-License-Identifier: MIT
/*
 * The ini reader. A small one of our own: messages need line numbers, which
 * Debian's libinih is built without, and the same source is compiled into
 * QEMU, which should need no further library for it.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spec_parse.h"

enum key_type {
	KEY_U32,
	KEY_BOOL,
	KEY_ENUM,
	KEY_CLOCK, /* nanoseconds, kept in femtoseconds */
	KEY_VOLT,
	KEY_CURRENT, /* at: index of the current */
	KEY_TEXT,
	KEY_IGNORED,
};

struct key {
	const char *section;
	const char *name;
	enum key_type type;
	uint32_t min, max; /* KEY_U32 */
	size_t at; /* offset in struct spec_raw */
	const char *const *words; /* KEY_ENUM: words; KEY_IGNORED: [0] is why */
};

static const char *const protocols[] = {
	[PPIM_DDR3] = "DDR3",     [PPIM_DDR4] = "DDR4",
	[PPIM_DDR5] = "DDR5",     [PPIM_GDDR5] = "GDDR5",
	[PPIM_GDDR5X] = "GDDR5X", [PPIM_GDDR6] = "GDDR6",
	[PPIM_LPDDR] = "LPDDR",   [PPIM_LPDDR3] = "LPDDR3",
	[PPIM_LPDDR4] = "LPDDR4", [PPIM_HBM] = "HBM",
	[PPIM_HBM2] = "HBM2",     [PPIM_HBM3] = "HBM3",
	[PPIM_HMC] = "HMC",       NULL
};

static const char *const pages[] = {
	[PPIM_OPEN_PAGE] = "OPEN_PAGE",
	[PPIM_CLOSE_PAGE] = "CLOSE_PAGE",
	NULL
};

static const char *const refreshes[] = {
	[PPIM_REFRESH_RANK_STAGGERED] = "RANK_LEVEL_STAGGERED",
	[PPIM_REFRESH_RANK_SIMULTANEOUS] = "RANK_LEVEL_SIMULTANEOUS",
	[PPIM_REFRESH_BANK_STAGGERED] = "BANK_LEVEL_STAGGERED",
	[PPIM_REFRESH_NONE] = "NONE",
	NULL
};

static const char *const queue_structures[] = {
	[PPIM_QUEUE_PER_BANK] = "PER_BANK",
	[PPIM_QUEUE_PER_RANK] = "PER_RANK",
	NULL
};

static const char *const booleans[] = { "false", "true", "no",	"yes", "off",
					"on",	 "0",	 "1",	NULL };

static const char *const why_output[] = { "says what a simulator prints" };
static const char *const why_trtp[] = { "one tRTP is modelled: key tRTP" };
static const char *const why_trefi[] = { "the key is tREFI" };
static const char *const why_fgr[] = { "1x refresh is modelled: tRFC" };
static const char *const why_preamble[] = { "part of CL and CWL" };
static const char *const why_down[] = { "power-down is not modelled" };
static const char *const why_current[] = { "no energy is derived from it" };
static const char *const why_policy[] = { "the controller has no such rule" };
static const char *const why_wbuf[] = { "write queue: trans_queue_size" };
static const char *const why_dies[] = { "ranks say what matters in time" };
static const char *const why_hmc[] = { "packet links are not modelled" };

#define BIG 1000000u
#define RAW(f) offsetof(struct spec_raw, f)
#define U32(s, n, f, lo, hi) { s, n, KEY_U32, lo, hi, RAW(f), NULL }
#define BOOLEAN(s, n, f) { s, n, KEY_BOOL, 0, 0, RAW(f), booleans }
#define ENUM(s, n, f, w) { s, n, KEY_ENUM, 0, 0, RAW(f), w }
#define VOLT(n, f) { "power", n, KEY_VOLT, 0, 0, RAW(f), NULL }
#define CURRENT(n, i) { "power", n, KEY_CURRENT, 0, 0, i, NULL }
#define IGNORED(s, n, why) { s, n, KEY_IGNORED, 0, 0, 0, why }

#define STRUCTURE "dram_structure"
#define TIMING(n, f) U32("timing", n, f, 0, BIG)
#define TIMING1(n, f) U32("timing", n, f, 1, BIG)

static const struct key keys[] = {
	ENUM(STRUCTURE, "protocol", protocol, protocols),
	U32(STRUCTURE, "bankgroups", bankgroups, 1, 64),
	U32(STRUCTURE, "banks_per_group", banks_per_group, 1, 64),
	BOOLEAN(STRUCTURE, "bankgroup_enable", bankgroup_enable),
	U32(STRUCTURE, "rows", rows, 1, 1u << 24),
	U32(STRUCTURE, "columns", columns, 1, 1u << 20),
	U32(STRUCTURE, "device_width", device_width, 1, 1024),
	U32(STRUCTURE, "BL", bl, 1, 256),
	BOOLEAN(STRUCTURE, "hbm_dual_cmd", dual_cmd),
	U32(STRUCTURE, "pseudo_channels", pseudo_channels, 1, 4),
	IGNORED(STRUCTURE, "num_dies", why_dies),

	{ "timing", "tCK", KEY_CLOCK, 0, 0, RAW(tck_fs), NULL },
	U32("timing", "data_rate", data_rate, 1, BIG),
	TIMING("AL", al),
	TIMING1("CL", cl),
	TIMING1("CWL", cwl),
	TIMING("tCCD_L", tccd_l),
	TIMING("tCCD_S", tccd_s),
	TIMING("tCCD_L_WR", tccd_l_wr),
	TIMING1("tRTW", trtw),
	TIMING("tRTRS", trtrs),
	TIMING("tRTP", trtp),
	TIMING("tWTR_L", twtr_l),
	TIMING("tWTR_S", twtr_s),
	TIMING("tWR", twr),
	TIMING1("tRP", trp),
	TIMING("tRRD_L", trrd_l),
	TIMING("tRRD_S", trrd_s),
	TIMING1("tRAS", tras),
	TIMING1("tRCD", trcd),
	TIMING1("tRCDRD", trcd_rd),
	TIMING1("tRCDWR", trcd_wr),
	TIMING1("tRC", trc),
	TIMING1("tRFC", trfc),
	TIMING1("tRFCb", trfcb),
	TIMING1("tREFI", trefi),
	TIMING1("tREFIb", trefib),
	TIMING("tFAW", tfaw),
	TIMING("t32AW", t32aw),
	TIMING("tPPD", tppd),
	IGNORED("timing", "tCKE", why_down),
	IGNORED("timing", "tCKESR", why_down),
	IGNORED("timing", "tCKSRE", why_down),
	IGNORED("timing", "tXS", why_down),
	IGNORED("timing", "tXP", why_down),
	IGNORED("timing", "tRPRE", why_preamble),
	IGNORED("timing", "tWPRE", why_preamble),
	IGNORED("timing", "tRFC2", why_fgr),
	IGNORED("timing", "tRFC4", why_fgr),
	IGNORED("timing", "tWR2", why_fgr),
	IGNORED("timing", "tRTP_L", why_trtp),
	IGNORED("timing", "tRTP_S", why_trtp),
	IGNORED("timing", "REFI", why_trefi),

	VOLT("VDD", vdd),
	VOLT("VPP", vpp),
	CURRENT("IDD0", PPIM_IDD0),
	CURRENT("IDD2P", PPIM_IDD2P),
	CURRENT("IDD2N", PPIM_IDD2N),
	CURRENT("IDD3P", PPIM_IDD3P),
	CURRENT("IDD3N", PPIM_IDD3N),
	CURRENT("IDD4W", PPIM_IDD4W),
	CURRENT("IDD4R", PPIM_IDD4R),
	CURRENT("IDD5AB", PPIM_IDD5AB),
	CURRENT("IDD5PB", PPIM_IDD5PB),
	CURRENT("IDD6x", PPIM_IDD6X),
	CURRENT("IPP0", PPIM_IPP0),
	IGNORED("power", NULL, why_current),

	U32("system", "channel_size", channel_mb, 1, 1u << 24),
	U32("system", "channels", channels, 1, 64),
	U32("system", "bus_width", bus_width, 8, 4096),
	{ "system", "address_mapping", KEY_TEXT, 0, 0, RAW(map), NULL },
	ENUM("system", "queue_structure", queues, queue_structures),
	ENUM("system", "refresh_policy", refresh, refreshes),
	ENUM("system", "row_buf_policy", page, pages),
	U32("system", "cmd_queue_size", cmd_queue_size, 1, 1024),
	U32("system", "trans_queue_size", trans_queue_size, 1, 1024),
	BOOLEAN("system", "unified_queue", unified_queue),
	BOOLEAN("system", "enable_self_refresh", self_refresh),
	IGNORED("system", "sref_threshold", why_down),
	IGNORED("system", "write_buf_size", why_wbuf),
	IGNORED("system", "aggressive_precharging_enabled", why_policy),

	U32("hmc", "block_size", hmc_block, 16, 256),
	IGNORED("hmc", NULL, why_hmc),
	IGNORED("other", NULL, why_output),
	IGNORED("thermal", NULL, why_output),
};

struct parser {
	const char *source;
	struct spec_raw *raw;
	struct ppim_spec *spec;
	struct ppim_diag *diag;
	char section[32];
	uint32_t line;
	bool seen[sizeof(keys) / sizeof(keys[0])];
};

int spec_fail(struct ppim_diag *diag, int err, const char *source,
	      const char *key, const char *fmt, ...)
{
	char reason[160];
	va_list ap;

	if (!diag)
		return err;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	/* The file's end says more than its beginning when it is long. */
	if (strlen(source) > 60)
		source += strlen(source) - 60;
	snprintf(diag->msg, sizeof(diag->msg), "%s: %s%s%.*s", source,
		 key ? key : "", key ? ": " : "", (int)sizeof(reason) - 1,
		 reason);
	return err;
}

void spec_note(struct ppim_spec *spec, enum ppim_note_kind kind,
	       const char *key, const char *fmt, ...)
{
	struct ppim_note *note;
	va_list ap;

	if (spec->n_notes == PPIM_SPEC_NOTES)
		return;
	note = &spec->notes[spec->n_notes++];
	note->kind = kind;
	snprintf(note->key, sizeof(note->key), "%.23s", key);
	va_start(ap, fmt);
	vsnprintf(note->text, sizeof(note->text), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 3, 4)))
static int parser_fail(const struct parser *p, const char *key,
		       const char *fmt, ...)
{
	char where[96], reason[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "line %u: %.63s", p->line, key);
	return spec_fail(p->diag, -EINVAL, p->source, where, "%s", reason);
}

/* What may follow a number: nothing, or a remark as in "0.666 (1/1.5)". */
static bool is_remark(const char *s)
{
	s += strspn(s, " \t");
	return !*s || *s == '(';
}

static int parser_u32(struct parser *p, const struct key *key,
		      const char *value)
{
	uint32_t *out = (uint32_t *)((char *)p->raw + key->at);
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (end == value || !is_remark(end) || *value == '-' || errno || n < key->min ||
	    n > key->max)
		return parser_fail(p, key->name,
				   "'%.40s': a whole number from %u to %u is expected",
				   value, key->min, key->max);
	*out = (uint32_t)n;
	return 0;
}

static int parser_word(struct parser *p, const struct key *key,
		       const char *value)
{
	uint32_t *out = (uint32_t *)((char *)p->raw + key->at);
	char list[120] = "";
	uint32_t i;

	for (i = 0; key->words[i]; i++) {
		if (!strcasecmp(value, key->words[i])) {
			*out = key->type == KEY_BOOL ? i & 1 : i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s%s", i ? ", " : "", key->words[i]);
	}
;
	return spec_fail(p->diag, -EINVAL, p->source, key->name,
			 "line %u: '%.24s' is none of %s", p->line, value,
			 list);
}

static int parser_real(struct parser *p, const struct key *key,
		       const char *value, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(value, &end);
	if (end == value || !is_remark(end) || errno || !isfinite(*out) || *out < 0 ||
	    *out > 1e6)
		return parser_fail(p, key->name,
				   "'%.40s': a number that is not negative is expected",
				   value);
	return 0;
}

/* Femtoseconds, so that times add up without rounding. */
static int parser_clock(struct parser *p, const struct key *key,
			const char *value)
{
	double ns;
	int err = parser_real(p, key, value, &ns);

	if (err)
		return err;
	if (ns < 1e-3 || ns > 1e3)
		return parser_fail(p, key->name,
				   "'%.40s': a clock from 0.001 to 1000 ns is expected",
				   value);
	p->raw->tck_fs = (uint64_t)(ns * 1e6 + 0.5);
	return 0;
}

static int parser_text(struct parser *p, const struct key *key,
		       const char *value)
{
	char *out = (char *)p->raw + key->at;

	if (strlen(value) >= sizeof(p->raw->map))
		return parser_fail(p, key->name, "'%.24s...' is too long",
				   value);
	strcpy(out, value);
	return 0;
}

static int parser_value(struct parser *p, const struct key *key,
			const char *name, const char *value)
{
	int err;

	switch (key->type) {
	case KEY_U32:
		return parser_u32(p, key, value);
	case KEY_BOOL:
	case KEY_ENUM:
		return parser_word(p, key, value);
	case KEY_CLOCK:
		return parser_clock(p, key, value);
	case KEY_VOLT:
		return parser_real(p, key, value,
				   (double *)((char *)p->raw + key->at));
	case KEY_CURRENT:
		err = parser_real(p, key, value, &p->raw->idd_ma[key->at]);
		p->raw->idd_present |= 1u << key->at;
		return err;
	case KEY_TEXT:
		return parser_text(p, key, value);
	case KEY_IGNORED:
		spec_note(p->spec, PPIM_NOTE_IGNORED, name, "%s",
			  key->words[0]);
		return 0;
	}
	return -EINVAL;
}

static int parser_pim(struct parser *p, const char *name, const char *value)
{
	struct ppim_spec *spec = p->spec;
	struct ppim_ext *ext;

	if (ppim_spec_pim(spec, name))
		return parser_fail(p, name, "is given twice");
	if (spec->n_pim == PPIM_SPEC_EXT)
		return parser_fail(p, name, "too many keys in [pim]");
	ext = &spec->pim[spec->n_pim++];
	if (strlen(name) >= sizeof(ext->key) ||
	    strlen(value) >= sizeof(ext->value))
		return parser_fail(p, name, "'%.60s' is too long", value);
	strcpy(ext->key, name);
	strcpy(ext->value, value);
	ext->line = p->line;
	return 0;
}

static int parser_key(struct parser *p, const char *name, const char *value)
{
	size_t i;

	if (!p->section[0])
		return parser_fail(p, name, "stands before any [section]");
	if (!strcmp(p->section, "pim"))
		return parser_pim(p, name, value);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, p->section))
			continue;
		/* A key without name stands for the rest of its section. */
		if (!keys[i].name)
			return parser_value(p, &keys[i], name, value);
		if (strcasecmp(keys[i].name, name))
			continue;
		if (p->seen[i])
			return parser_fail(p, name, "is given twice");
		p->seen[i] = true;
		return parser_value(p, &keys[i], name, value);
	}
	spec_note(p->spec, PPIM_NOTE_IGNORED, name, "unknown in [%s]",
		  p->section);
	return 0;
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return s;
}

static int parser_section(struct parser *p, char *s)
{
	char *end = strchr(s, ']');

	if (!end || end[1] || end == s + 1)
		return parser_fail(p, s, "'[section]' is expected");
	*end = '\0';
	s = trim(s + 1);
	if (strlen(s) >= sizeof(p->section))
		return parser_fail(p, s, "section name is too long");
	strcpy(p->section, s);
	return 0;
}

static int parser_line(struct parser *p, char *line)
{
	char *eq, *name, *value;

	line[strcspn(line, ";#")] = '\0';
	line = trim(line);
	if (!*line)
		return 0;
	if (*line == '[')
		return parser_section(p, line);
	eq = line + strcspn(line, "=:"); /* either, as inih has it */
	if (!*eq)
		return parser_fail(p, line, "'key = value' is expected");
	*eq = '\0';
	name = trim(line);
	value = trim(eq + 1);
	if (!*name)
		return parser_fail(p, "=", "'key = value' is expected");
	if (!*value) {
		spec_note(p->spec, PPIM_NOTE_IGNORED, name, "has no value");
		return 0;
	}
	return parser_key(p, name, value);
}

int spec_ini_parse(const char *source, const char *text, size_t len,
		   struct spec_raw *raw, struct ppim_spec *spec,
		   struct ppim_diag *diag)
{
	struct parser p = {
		.source = source, .raw = raw, .spec = spec, .diag = diag
	};
	const char *end = text + len;
	char line[512];
	int err;

	memset(raw, 0xff, sizeof(*raw));
	raw->tck_fs = 0;
	raw->vdd = raw->vpp = 0;
	raw->idd_present = 0;
	raw->map[0] = '\0';
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);

		p.line++;
		if (memchr(text, '\0', n))
			return parser_fail(&p, "text", "holds a NUL byte");
		/* Only a comment may be as long as that. */
		if (n >= sizeof(line) && *text != ';' && *text != '#')
			return parser_fail(&p, "text", "line too long");
		if (n >= sizeof(line))
			n = 0;
		memcpy(line, text, n);
		line[n] = '\0';
		err = parser_line(&p, line);
		if (err)
			return err;
		text = nl ? nl + 1 : end;
	}
	return 0;
}

const char *ppim_protocol_name(enum ppim_protocol protocol)
{
	return protocols[protocol];
}
