// SPDX-License-Identifier: MIT
/* Specifications: what is shipped, what is read, what is refused, and where
 * addresses lie. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "dram_fixture.h"

/* A file as DRAMsim3 writes them; the tests change lines of it. */
static const char *const lines[] = {
	"; a comment",
	"[dram_structure]",
	"protocol = DDR4",
	"bankgroups = 4",
	"banks_per_group = 4",
	"rows = 65536",
	"columns = 1024",
	"device_width = 8",
	"BL = 8",
	"[timing]",
	"tCK = 0.63",
	"AL = 0",
	"CL = 22",
	"CWL = 16",
	"tRCD = 22",
	"tRP = 22",
	"tRAS = 52",
	"tRFC = 560",
	"tREFI = 12480",
	"tRRD_S = 4",
	"tRRD_L = 8",
	"tWTR_S = 4",
	"tWTR_L = 12",
	"tFAW = 34",
	"tWR = 24",
	"tRTP = 12",
	"tCCD_S = 4",
	"tCCD_L = 8",
	"tRTRS = 1",
	"[power]",
	"VDD = 1.2",
	"IDD0 = 57",
	"[system]",
	"channel_size = 16384",
	"channels = 2",
	"bus_width = 64",
	"address_mapping = rochrababgco",
	"queue_structure = PER_BANK",
	"row_buf_policy = OPEN_PAGE",
	"cmd_queue_size = 8",
	"trans_queue_size = 32",
	"unified_queue = False",
	"[other]",
	"epoch_period = 1000",
};

struct text {
	char buf[8192];
	size_t len;
};

static void text_add(struct text *t, const char *line)
{
	t->len += (size_t)snprintf(t->buf + t->len, sizeof(t->buf) - t->len,
				   "%s\n", line);
}

/* The file with the line of `key` replaced; NULL takes it out. A key that is
 * not there is added to its section. */
static void text_with(struct text *t, const char *section, const char *key,
		      const char *line)
{
	char head[64], here[64] = "";
	size_t i, n = strlen(key);
	bool done = false;

	t->len = 0;
	snprintf(head, sizeof(head), "[%s]", section);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i][0] == '[')
			snprintf(here, sizeof(here), "%s", lines[i]);
		if (!strcmp(here, head) && !strncmp(lines[i], key, n) &&
		    lines[i][n] == ' ') {
			if (line)
				text_add(t, line);
			done = true;
			continue;
		}
		text_add(t, lines[i]);
	}
	if (done || !line)
		return;
	text_add(t, head);
	text_add(t, line);
}

/* Gives a key that is there another value. */
static void text_set(struct text *t, const char *key, const char *value)
{
	struct text old = *t;
	char start[64], *at, *end;

	snprintf(start, sizeof(start), "\n%s = ", key);
	at = strstr(old.buf, start);
	assert_non_null(at);
	at += strlen(start);
	end = strchr(at, '\n');
	t->len = (size_t)snprintf(t->buf, sizeof(t->buf), "%.*s%s%s",
				  (int)(at - old.buf), old.buf, value, end);
}

static int load(const struct text *t, struct ppim_spec *s,
		struct ppim_diag *diag)
{
	return ppim_spec_load_buf("a/b.ini", t->buf, t->len, s, diag);
}

static void load_ok(struct ppim_spec *s, const char *section, const char *key,
		    const char *line)
{
	struct ppim_diag diag = { "" };
	struct text t;

	text_with(&t, section, key, line);
	if (load(&t, s, &diag))
		fail_msg("%s: %s", line ? line : key, diag.msg);
}

static const struct ppim_note *note_of(const struct ppim_spec *s,
				       const char *key)
{
	uint32_t i;

	for (i = 0; i < s->n_notes; i++)
		if (!strcmp(s->notes[i].key, key))
			return &s->notes[i];
	return NULL;
}

/* ---- what is shipped ------------------------------------------------------ */

static void every_shipped_specification_loads_and_works(void **state)
{
	struct ppim_dram *m;
	struct ppim_spec s;
	uint32_t n;

	(void)state;
	for (n = 0; fx_shipped(n, &s); n++) {
		assert_string_equal(s.name, ppim_spec_builtin_name(n));
		assert_non_null(ppim_spec_builtin(s.name));
		m = fx_dram(&s, 0);
		ppim_dram_free(m);
	}
	assert_int_equal(n, 6);
	assert_null(ppim_spec_builtin("DDR9"));
}

/* Peak bandwidth, capacity, row: what a data sheet's first page says. */
static void shipped_specifications_are_what_their_names_say(void **state)
{
	static const struct {
		const char *name;
		uint64_t bytes;
		uint32_t channels, ranks, banks, row_bytes, burst_bytes;
		double gb_per_s;
	} want[] = {
		{ "HBM2_4Gb_x128", 4ull << 30, 8, 1, 16, 2048, 64, 256 },
		{ "HBM2_samsung", 4ull << 30, 16, 1, 16, 1024, 32, 256 },
		{ "HBM3_6400", 8ull << 30, 32, 1, 16, 1024, 32, 819.2 },
		{ "DDR4_8Gb_x8_3200", 16ull << 30, 1, 2, 16, 8192, 64, 25.4 },
		{ "DDR4_8Gb_x8_3200_2ch", 32ull << 30, 2, 2, 16, 8192, 64,
		  50.8 },
		{ "DDR5_4800", 16ull << 30, 2, 1, 32, 4096, 64, 38.46 },
	};
	struct ppim_spec s;
	double gb;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		fx_spec(want[i].name, &s);
		assert_int_equal(s.bytes, want[i].bytes);
		assert_int_equal(s.channels, want[i].channels);
		assert_int_equal(s.ranks, want[i].ranks);
		assert_int_equal(s.banks, want[i].banks);
		assert_int_equal(s.row_bytes, want[i].row_bytes);
		assert_int_equal(s.burst_bytes, want[i].burst_bytes);
		gb = s.channels * s.burst_bytes / ppim_spec_ns(&s, s.t.burst);
		assert_true(gb > want[i].gb_per_s * 0.999 &&
			    gb < want[i].gb_per_s * 1.001);
		assert_int_equal(s.bytes, (uint64_t)s.channels * s.ranks *
						  s.banks * s.rows *
						  s.row_bytes);
	}
}

/* JEDEC states times in ns, of which 0.3 % are lost in rounding. */
static uint32_t jedec(const struct ppim_spec *s, uint32_t least, double ns)
{
	uint32_t clocks = (uint32_t)ceil(ns * 0.997e6 / (double)s->t.tck_fs);

	return clocks > least ? clocks : least;
}

/* JESD79-5, 4800 MT/s, x8: pages of 1 KB, whole bursts are written. */
static void ddr5_is_jedecs(void **state)
{
	struct ppim_spec s;

	(void)state;
	fx_spec("DDR5_4800", &s);
	assert_int_equal(s.t.tras, jedec(&s, 0, 32));
	assert_int_equal(s.t.trrd_s, 8);
	assert_int_equal(s.t.trrd_l, jedec(&s, 8, 5));
	assert_int_equal(s.t.tfaw, jedec(&s, 32, 13.333));
	assert_int_equal(s.t.tccd_s, 8);
	assert_int_equal(s.t.tccd_l, jedec(&s, 8, 5));
	assert_int_equal(s.t.tccd_l_wr, jedec(&s, 16, 10)); /* tCCD_L_WR2 */
	assert_int_equal(s.t.twtr_s, jedec(&s, 4, 2.5));
	assert_int_equal(s.t.twtr_l, jedec(&s, 16, 10));
	assert_int_equal(s.t.trtp, jedec(&s, 12, 7.5));
	assert_int_equal(s.t.twr, jedec(&s, 0, 30));
	assert_int_equal(s.t.tppd, 2);
}

static void tppd_holds_where_jedec_has_it(void **state)
{
	static const struct {
		const char *protocol;
		uint32_t tppd;
	} want[] = {
		{ "DDR4", 0 },	 { "DDR5", 3 }, { "GDDR5", 3 },
		{ "HBM2", 0 },	 { "LPDDR4", 3 },
	};
	struct ppim_spec s;
	char line[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		snprintf(line, sizeof(line),
			 "protocol = %s\n[timing]\ntPPD = 3\n[dram_structure]",
			 want[i].protocol);
		load_ok(&s, "dram_structure", "protocol", line);
		assert_int_equal(s.t.tppd, want[i].tppd);
	}
	fx_spec("HBM3_6400", &s);
	assert_int_equal(s.t.tppd, 2);
}

/* The figures that DRAMsim3's own file gives. */
static void hbm2_is_dramsim3s(void **state)
{
	struct ppim_spec s;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s);
	assert_int_equal(s.t.tck_fs, 1000000);
	assert_int_equal(s.t.burst, 2);
	assert_int_equal(s.t.trtp, 5); /* tRTP_L and tRTP_S have no effect */
	assert_int_equal(note_of(&s, "tRTP_L")->kind, PPIM_NOTE_IGNORED);
	assert_int_equal(note_of(&s, "tRTP")->kind, PPIM_NOTE_DEFAULTED);
	assert_int_equal(s.t.trtrs, 2);
	assert_int_equal(note_of(&s, "tRTRS")->kind, PPIM_NOTE_DEFAULTED);
	assert_int_equal(s.t.trc, 48);
	assert_true(s.dual_cmd);
	assert_int_equal(s.refresh, PPIM_REFRESH_RANK_STAGGERED);
}

/* ---- what is read --------------------------------------------------------- */

static void a_file_in_dramsim3s_syntax_loads(void **state)
{
	struct ppim_spec s;

	(void)state;
	load_ok(&s, "system", "none", NULL);
	assert_string_equal(s.name, "b");
	assert_int_equal(s.protocol, PPIM_DDR4);
	assert_int_equal(s.channels, 2);
	assert_int_equal(s.ranks, 2);
	assert_int_equal(s.t.tck_fs, 630000);
	assert_int_equal(s.t.burst, 4);
	assert_int_equal(s.t.trtw, 22 + 4 + 1 - 16);
	assert_int_equal(s.cmd_queue_size, 8);
	assert_false(s.dual_cmd);
	assert_int_equal(note_of(&s, "epoch_period")->kind, PPIM_NOTE_IGNORED);
	assert_true(s.power.present == 1u << PPIM_IDD0);
}

static void keys_are_read_as_inih_reads_them(void **state)
{
	struct ppim_spec s;

	(void)state;
	load_ok(&s, "timing", "tFAW", "  TFAW\t: 40 ; a remark");
	assert_int_equal(s.t.tfaw, 40);
	load_ok(&s, "timing", "tCK", "tCK = 0.666 (1/1.5)\r");
	assert_int_equal(s.t.tck_fs, 666000);
	load_ok(&s, "system", "unified_queue", "unified_queue = TRUE");
	assert_true(s.unified_queue);
	load_ok(&s, "timing", "tXYZ", "tXYZ = 3");
	assert_int_equal(note_of(&s, "tXYZ")->kind, PPIM_NOTE_IGNORED);
	load_ok(&s, "timing", "tCKE", "tCKE =");
	assert_int_equal(note_of(&s, "tCKE")->kind, PPIM_NOTE_IGNORED);
}

static void a_key_that_is_absent_gets_dramsim3s_default_and_a_note(void **state)
{
	static const struct {
		const char *key;
		size_t at;
		uint32_t value;
	} keys[] = {
		{ "tRTP", offsetof(struct ppim_spec, t.trtp), 5 },
		{ "tRTRS", offsetof(struct ppim_spec, t.trtrs), 2 },
		{ "tWTR_S", offsetof(struct ppim_spec, t.twtr_s), 5 },
		{ "tRFC", offsetof(struct ppim_spec, t.trfc), 74 },
		{ "tREFI", offsetof(struct ppim_spec, t.trefi), 7800 },
		{ "tRCD", offsetof(struct ppim_spec, t.trcd_rd), 10 },
		{ "tRRD_S", offsetof(struct ppim_spec, t.trrd_s), 4 },
	};
	struct ppim_spec s;
	uint32_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		load_ok(&s, "timing", keys[i].key, NULL);
		memcpy(&value, (char *)&s + keys[i].at, sizeof(value));
		assert_int_equal(value, keys[i].value);
		assert_int_equal(note_of(&s, keys[i].key)->kind,
				 PPIM_NOTE_DEFAULTED);
	}
}

static void extension_keys_take_effect(void **state)
{
	struct ppim_spec s;

	(void)state;
	load_ok(&s, "timing", "tRC", "tRC = 90");
	assert_int_equal(s.t.trc, 90);
	load_ok(&s, "timing", "data_rate", "data_rate = 6349");
	assert_int_equal(s.t.burst, 2); /* four beats a clock */
	load_ok(&s, "timing", "tRTW", "tRTW = 17");
	assert_int_equal(s.t.trtw, 17);
	load_ok(&s, "timing", "tCCD_L_WR", "tCCD_L_WR = 40");
	assert_int_equal(s.t.tccd_l_wr, 40);
	load_ok(&s, "dram_structure", "pseudo_channels", "pseudo_channels = 2");
	assert_int_equal(s.channels, 4);
	load_ok(&s, "system", "refresh_policy", "refresh_policy = NONE");
	assert_int_equal(s.refresh, PPIM_REFRESH_NONE);
}

static void the_pim_section_is_kept_for_others(void **state)
{
	const struct ppim_ext *e;
	struct ppim_spec s;

	(void)state;
	load_ok(&s, "pim", "sram_bytes", "sram_bytes = 40K");
	e = ppim_spec_pim(&s, "sram_bytes");
	assert_non_null(e);
	assert_string_equal(e->value, "40K");
	assert_int_equal(e->line, sizeof(lines) / sizeof(lines[0]) + 2);
	assert_null(ppim_spec_pim(&s, "sram"));
}

/* ---- what is refused ------------------------------------------------------ */

struct refusal {
	const char *section, *key, *line;
	const char *why; /* in the message */
	int err;
};

static const struct refusal refusals[] = {
	/* impossible values */
	{ "timing", "tCK", "tCK = 0", "tCK: '0'", -EINVAL },
	{ "timing", "tCK", "tCK = -1", "tCK", -EINVAL },
	{ "timing", "tCK", "tCK = nan", "tCK", -EINVAL },
	{ "timing", "tCK", "tCK = fast", "tCK", -EINVAL },
	{ "timing", "tCK", NULL, "tCK: is missing", -EINVAL },
	{ "timing", "CL", "CL = 0", "CL", -EINVAL },
	{ "timing", "CL", "CL = -3", "CL", -EINVAL },
	{ "timing", "CL", "CL = 22x", "CL", -EINVAL },
	{ "timing", "CL", "CL = 99999999999", "CL", -EINVAL },
	{ "timing", "CL", NULL, "CL: is missing", -EINVAL },
	{ "timing", "tRP", "tRP = 0", "tRP", -EINVAL },
	{ "timing", "tRC", "tRC = 40", "tRC: 40 is less than tRAS 52",
	  -EINVAL },
	{ "timing", "tCCD_L", "tCCD_L = 2", "tCCD_L: 2 is less than tCCD_S 4",
	  -EINVAL },
	{ "timing", "tRRD_L", "tRRD_L = 2", "tRRD_L", -EINVAL },
	{ "timing", "tWTR_L", "tWTR_L = 2", "tWTR_L", -EINVAL },
	{ "timing", "AL", "AL = 22", "AL: 22 is not less than tRCD", -EINVAL },
	{ "timing", "tREFI", "tREFI = 500", "tREFI", -EINVAL },
	/* tRAS, 15 more rows, tRP; tRFC, tRCD; 31 commands of others and one */
	{ "timing", "tREFI", "tREFI = 703",
	  "tREFI: 703 leaves no time for work beside refreshes, more than 703",
	  -EINVAL },
	{ "timing", "tREFI",
	  "tREFI = 792\n[system]\nrefresh_policy = RANK_LEVEL_SIMULTANEOUS\n"
	  "[timing]",
	  "tREFI: 792 leaves no time for work beside refreshes, more than 792",
	  -EINVAL },
	/* tRAS and tRP of each bank; a refresh as such may be short */
	{ "timing", "tREFIb",
	  "tRFCb = 60\ntREFIb = 74\n[system]\n"
	  "refresh_policy = BANK_LEVEL_STAGGERED",
	  "tREFIb: 74 leaves no time for work beside refreshes, more than 74",
	  -EINVAL },
	{ "timing", "tREFIb",
	  "tRFCb = 60\ntREFIb = 60\n[system]\n"
	  "refresh_policy = BANK_LEVEL_STAGGERED",
	  "tREFIb: 60 is not more than tRFCb 60", -EINVAL },
	{ "timing", "data_rate", "data_rate = 4000", "data_rate", -EINVAL },
	/* geometry */
	{ "dram_structure", "rows", "rows = 65535",
	  "rows: 65535 is not a power of two", -EINVAL },
	{ "dram_structure", "rows", "rows = 0", "rows", -EINVAL },
	{ "dram_structure", "columns", "columns = 1000", "columns", -EINVAL },
	{ "dram_structure", "columns", "columns = 4", "shorter than BL",
	  -EINVAL },
	{ "dram_structure", "bankgroups", "bankgroups = 3", "bankgroups",
	  -EINVAL },
	{ "dram_structure", "banks_per_group", "banks_per_group = 64",
	  "at most 64", -EINVAL },
	{ "dram_structure", "BL", "BL = 6", "BL", -EINVAL },
	{ "dram_structure", "BL", "BL = 1", "BL", -EINVAL },
	{ "dram_structure", "device_width", "device_width = 128",
	  "bus_width: 64 is less than device_width 128", -EINVAL },
	{ "dram_structure", "protocol", "protocol = SDRAM", "protocol",
	  -EINVAL },
	{ "dram_structure", "protocol", NULL, "protocol: is missing", -EINVAL },
	{ "system", "channels", "channels = 3", "channels", -EINVAL },
	{ "system", "channels", "channels = 0", "channels", -EINVAL },
	{ "system", "channel_size", "channel_size = 24576", "channel_size",
	  -EINVAL },
	/* maps */
	{ "system", "address_mapping", "address_mapping = rochrababg",
	  "misses field 'co'", -EINVAL },
	{ "system", "address_mapping", "address_mapping = rochrababgcoco",
	  "has field 'co' twice", -EINVAL },
	{ "system", "address_mapping", "address_mapping = rochrababgxx",
	  "'xx' is none of", -EINVAL },
	{ "system", "address_mapping", "address_mapping = rochrababgc",
	  "two letters", -EINVAL },
	{ "system", "address_mapping", NULL, "address_mapping: is missing",
	  -EINVAL },
	/* words */
	{ "system", "row_buf_policy", "row_buf_policy = AJAR",
	  "row_buf_policy", -EINVAL },
	{ "system", "refresh_policy", "refresh_policy = SOMETIMES",
	  "refresh_policy", -EINVAL },
	{ "system", "unified_queue", "unified_queue = maybe", "unified_queue",
	  -EINVAL },
	{ "system", "cmd_queue_size", "cmd_queue_size = 0", "cmd_queue_size",
	  -EINVAL },
	{ "power", "VDD", "VDD = -1.2", "VDD", -EINVAL },
	{ "power", "IDD0", "IDD0 = much", "IDD0", -EINVAL },
	/* text */
	{ "system", "channels", "channels = 2\nchannels = 2",
	  "channels: is given twice", -EINVAL },
	{ "system", "channels", "channels", "'key = value' is expected",
	  -EINVAL },
	{ "system", "channels", "= 2", "'key = value' is expected", -EINVAL },
	{ "system", "channels", "[system", "'[section]' is expected",
	  -EINVAL },
	{ "pim", "x", "x = 1\nx = 2", "x: is given twice", -EINVAL },
	/* legal, but not modelled */
	{ "system", "enable_self_refresh", "enable_self_refresh = true",
	  "enable_self_refresh: self refresh", -EOPNOTSUPP },
};

static void what_cannot_be_is_refused_with_file_key_and_reason(void **state)
{
	struct ppim_diag diag;
	struct ppim_spec s;
	struct text t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		int err;

		diag.msg[0] = '\0';
		text_with(&t, r->section, r->key, r->line);
		err = load(&t, &s, &diag);
		if (err != r->err || strncmp(diag.msg, "a/b.ini: ", 9) ||
		    !strstr(diag.msg, r->why))
			fail_msg("%s: %d, '%s'; '%s' is expected",
				 r->line ? r->line : r->key, err, diag.msg,
				 r->why);
		assert_int_equal(load(&t, &s, NULL), r->err);
	}
}

/* Each value is possible, their product is not. */
static void a_geometry_beyond_its_numbers_is_refused(void **state)
{
	struct ppim_diag diag = { "" };
	struct ppim_spec s;
	struct text t;

	(void)state;
	text_with(&t, "system", "none", NULL);
	text_set(&t, "protocol", "GDDR5");
	text_set(&t, "columns", "1048576");
	text_set(&t, "BL", "64");
	text_set(&t, "bus_width", "4096");
	assert_int_equal(load(&t, &s, &diag), -EINVAL);
	assert_string_equal(diag.msg, "a/b.ini: columns: a row of 32768 MB, "
				      "less than 4096 MB are expected");
	/* 2^59 bytes a channel, 2^64 in all */
	text_set(&t, "protocol", "DDR4");
	text_set(&t, "device_width", "4");
	text_set(&t, "bankgroups", "8");
	text_set(&t, "banks_per_group", "8");
	text_set(&t, "rows", "16777216");
	text_set(&t, "channels", "32");
	assert_int_equal(load(&t, &s, &diag), -EINVAL);
	assert_string_equal(diag.msg,
			    "a/b.ini: channels: 32 of 549755813888 MB are "
			    "more bytes than 64 bits address");
	text_set(&t, "channels", "16");
	assert_int_equal(load(&t, &s, &diag), 0);
	assert_true(s.bytes == 1ull << 63);
}

/* ---- refresh -------------------------------------------------------------- */

/* The file with the least value of `key` that is not refused. */
static void load_least(struct text *t, const char *key, struct ppim_spec *s)
{
	uint32_t value = 0;
	char text[16];

	do {
		snprintf(text, sizeof(text), "%u", ++value);
		text_set(t, key, text);
	} while (load(t, s, NULL));
}

static uint64_t served(const struct ppim_spec *s, uint32_t mix)
{
	struct fx_random r = fx_random(&fx_mixes[mix], s);
	struct ppim_dram *m = fx_dram(s, 0);
	struct ppim_dram_stats stats;
	struct ppim_dram_req req;
	uint32_t i;

	for (i = 0; i < 2000; i++) {
		fx_next(&r, &req);
		ppim_dram_submit(m, &req, 1);
	}
	ppim_dram_drain(m);
	ppim_dram_stats(m, &stats);
	ppim_dram_free(m);
	return stats.reads + stats.writes;
}

/* Refreshes as often as a file may have them leave time for all requests,
 * whatever meets. */
static void between_refreshes_there_is_time_for_work(void **state)
{
	static const struct {
		const char *policy, *key;
	} of[] = {
		{ "RANK_LEVEL_STAGGERED", "tREFI" },
		{ "RANK_LEVEL_SIMULTANEOUS", "tREFI" },
		{ "BANK_LEVEL_STAGGERED", "tREFIb" },
	};
	static const char *const pages[] = { "OPEN_PAGE", "CLOSE_PAGE" };
	struct ppim_spec s;
	struct text t;
	uint32_t i, page, mix;

	(void)state;
	for (i = 0; i < sizeof(of) / sizeof(of[0]) * 2; i++) {
		page = i & 1;
		text_with(&t, "system", "none", NULL);
		text_set(&t, "row_buf_policy", pages[page]);
		/* keys that the file does not have, behind others */
		text_set(&t, "tRTRS", "1\ntRFCb = 60\ntREFIb = 9999");
		text_set(&t, "cmd_queue_size", "8\nrefresh_policy = NONE");
		text_set(&t, "refresh_policy", of[i / 2].policy);
		load_least(&t, of[i / 2].key, &s);
		for (mix = 0; mix < fx_mixes_n; mix++)
			assert_int_equal(served(&s, mix), 2000);
	}
}

static void a_malformed_value_is_refused_with_its_line(void **state)
{
	struct ppim_diag diag = { "" };
	struct ppim_spec s;
	struct text t;

	(void)state;
	text_with(&t, "timing", "CL", "CL = 22x");
	assert_int_equal(load(&t, &s, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "line 13: CL"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	char path[] = "/tmp/ppim-spec-XXXXXX";
	struct ppim_diag diag;
	struct ppim_spec s;
	struct text t;
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(ppim_spec_load("/no/such.ini", &s, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "/no/such.ini: No such file"));
	assert_int_equal(ppim_spec_find("HBM9", &s, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "HBM9: no shipped specification"));
	assert_int_equal(ppim_spec_load("/tmp", &s, &diag), -EISDIR);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	text_with(&t, "system", "none", NULL);
	fwrite(t.buf, 1, t.len, f);
	fclose(f);
	assert_int_equal(ppim_spec_find(path, &s, &diag), 0);
	assert_int_equal(s.ranks, 2);
	unlink(path);
}

/* Whatever stands in a file: read or refused. */
static void damaged_files_are_survived(void **state)
{
	struct ppim_diag diag;
	struct ppim_dram *m;
	struct ppim_spec s;
	struct text t;
	uint64_t i, k, loaded = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		text_with(&t, "system", "none", NULL);
		for (k = 0; k <= i % 3; k++)
			t.buf[dram_fx_hash(4 * i + k) % t.len] =
				(char)dram_fx_hash(~(4 * i + k));
		if (load(&t, &s, &diag)) {
			assert_non_null(strstr(diag.msg, "a/b.ini: "));
			continue;
		}
		loaded++;
		if (i % 64 || s.channels > 16)
			continue;
		if (!ppim_dram_create(&s, 0, &m, &diag))
			ppim_dram_free(m);
	}
	assert_true(loaded > 1000);
}

/* ---- address maps --------------------------------------------------------- */

static void a_map_places_its_last_field_lowest(void **state)
{
	struct ppim_loc loc;
	struct ppim_spec s;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s); /* rorabgbachco */
	ppim_addr_decode(&s.map, 64, &loc);
	assert_int_equal(loc.f[PPIM_CO], 1);
	ppim_addr_decode(&s.map, 2048, &loc);
	assert_int_equal(loc.f[PPIM_CH], 1);
	ppim_addr_decode(&s.map, 2048 * 8, &loc);
	assert_int_equal(loc.f[PPIM_BA], 1);
	ppim_addr_decode(&s.map, 2048 * 8 * 4, &loc);
	assert_int_equal(loc.f[PPIM_BG], 1);
	ppim_addr_decode(&s.map, 2048 * 8 * 16, &loc);
	assert_int_equal(loc.f[PPIM_RO], 1);
	/* bytes of a burst are one place, beyond the memory it begins anew */
	ppim_addr_decode(&s.map, s.bytes + 64 + 63, &loc);
	assert_int_equal(loc.f[PPIM_CO], 1);
	assert_int_equal(loc.f[PPIM_RO], 0);
}

/* Every map is one to one: what is decoded encodes to the same burst. */
static void every_map_is_one_to_one(void **state)
{
	static const char *const maps[] = {
		"rorabgbachco", "rarobacobgch", "chbgrarobaco", "rochrababgco",
		"chrarobabgco", "corobabgrach", "babgcochraro",
	};
	struct ppim_diag diag;
	struct ppim_loc loc;
	struct ppim_spec s;
	uint64_t addr, k;
	uint32_t i, n;

	(void)state;
	for (n = 0; fx_shipped(n, &s); n++)
		for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
			assert_int_equal(ppim_spec_set_map(&s, maps[i], &diag),
					 0);
			assert_string_equal(s.map.text, maps[i]);
			for (k = 0; k < 500; k++) {
				addr = dram_fx_hash(k) % s.bytes &
				       ~(uint64_t)(s.burst_bytes - 1);
				ppim_addr_decode(&s.map, addr, &loc);
				assert_true(loc.f[PPIM_CH] < s.channels);
				assert_true(loc.f[PPIM_RA] < s.ranks);
				assert_true(loc.f[PPIM_BG] < s.bankgroups);
				assert_true(loc.f[PPIM_BA] < s.banks_per_group);
				assert_true(loc.f[PPIM_RO] < s.rows);
				assert_true(loc.f[PPIM_CO] < s.bursts_per_row);
				assert_true(ppim_addr_encode(&s.map, &loc) ==
					    addr);
			}
		}
}

static void a_map_that_is_refused_changes_nothing(void **state)
{
	struct ppim_spec s, before;
	struct ppim_diag diag;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s);
	before = s;
	assert_int_equal(ppim_spec_set_map(&s, "rorabgbach", &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "misses field 'co'"));
	assert_int_equal(ppim_spec_set_map(&s, "", &diag), -EINVAL);
	assert_int_equal(ppim_spec_set_map(&s, "rorabgbachcoro", NULL),
			 -EINVAL);
	assert_memory_equal(&s, &before, sizeof(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shipped_specification_loads_and_works),
		cmocka_unit_test(
			shipped_specifications_are_what_their_names_say),
		cmocka_unit_test(ddr5_is_jedecs),
		cmocka_unit_test(tppd_holds_where_jedec_has_it),
		cmocka_unit_test(hbm2_is_dramsim3s),
		cmocka_unit_test(a_file_in_dramsim3s_syntax_loads),
		cmocka_unit_test(keys_are_read_as_inih_reads_them),
		cmocka_unit_test(
			a_key_that_is_absent_gets_dramsim3s_default_and_a_note),
		cmocka_unit_test(extension_keys_take_effect),
		cmocka_unit_test(the_pim_section_is_kept_for_others),
		cmocka_unit_test(
			what_cannot_be_is_refused_with_file_key_and_reason),
		cmocka_unit_test(a_geometry_beyond_its_numbers_is_refused),
		cmocka_unit_test(between_refreshes_there_is_time_for_work),
		cmocka_unit_test(a_malformed_value_is_refused_with_its_line),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(damaged_files_are_survived),
		cmocka_unit_test(a_map_places_its_last_field_lowest),
		cmocka_unit_test(every_map_is_one_to_one),
		cmocka_unit_test(a_map_that_is_refused_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
