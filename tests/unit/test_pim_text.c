// SPDX-License-Identifier: MIT
/* Trace lines: what is read, what is refused, what comes back. */
#include "pim_fixture.h"

static void four_columns_stand_alone(void **state)
{
	struct ppim_pim_line l;

	(void)state;
	assert_int_equal(ppim_pim_parse("HBM RD 0x1000 2", &l, NULL), 0);
	assert_int_equal(l.kind, PPIM_PIM_LINE_COMMAND);
	assert_int_equal(l.cmd.op, PPIM_PIM_RD);
	assert_int_equal(l.cmd.addr, 0x1000);
	assert_int_equal(l.cmd.n, 2);
	assert_int_equal(l.cmd.bag, 0);
	assert_true(l.cmd.mac == PPIM_PIM_MAC_DEFAULT);
	assert_int_equal(ppim_pim_parse("  DIMM\tRD 64 1\r", &l, NULL), 0);
	assert_int_equal(l.cmd.device, PPIM_PIM_DIMM);
	assert_int_equal(ppim_pim_parse("HBM DR 4096 2 # moved", &l, NULL), 0);
	assert_int_equal(l.cmd.dst_device, PPIM_PIM_DST_SELF);
	assert_int_equal(l.cmd.bag, PPIM_PIM_NO_BAG);
}

static void blank_lines_comments_and_arrivals(void **state)
{
	struct ppim_pim_line l;

	(void)state;
	assert_int_equal(ppim_pim_parse("", &l, NULL), 0);
	assert_int_equal(l.kind, PPIM_PIM_LINE_PHASE);
	assert_int_equal(ppim_pim_parse(" \t", &l, NULL), 0);
	assert_int_equal(l.kind, PPIM_PIM_LINE_PHASE);
	assert_int_equal(ppim_pim_parse("# x", &l, NULL), 0);
	assert_int_equal(l.kind, PPIM_PIM_LINE_COMMENT);
	assert_int_equal(ppim_pim_parse("@ 12.345 3", &l, NULL), 0);
	assert_int_equal(l.kind, PPIM_PIM_LINE_BATCH);
	assert_int_equal(l.arrival_ps, 12345);
	assert_int_equal(l.queue, 3);
	assert_int_equal(l.arch, PPIM_ARCH_DEFAULT);
	assert_int_equal(ppim_pim_parse("@ 7 0 bgpim+dup", &l, NULL), 0);
	assert_int_equal(l.arrival_ps, 7000);
	assert_int_equal(l.arch, PPIM_ARCH_BGPIM_DUP);
}

static void malformed_lines_are_refused_with_what_was_expected(void **state)
{
	static const char *const bad[] = {
		"HBM",
		"HBM RD",
		"HBM RD 0",
		"HBM XX 0 1",
		"ROM RD 0 1",
		"HBM RD zero 1",
		"HBM RD 0 one",
		"HBM RD -1 1",
		"HBM RD 0 -1",
		"HBM RD 0 1x",
		"HBM RD 99999999999999999999 1",
		"hbm rd 0 1",
		"DIMM PR 0 1",
		"HOST RD 0 1",
		"HBM LD 0 1",
		"LINK TR 0 1",
		"HBM RD 0 1 bag=70000",
		"HBM RD 0 1 bag=",
		"HBM RD 0 1 mac=x",
		"HBM RD 0 1 self",
		"HBM PR 0 1 cached",
		"HBM TR 0 1 bag=none",
		"HBM RD 0 1 to=moon",
		"HBM RD 0 1 dst=0",
		"HBM TR 0 1 to=bg",
		"HBM PR 0 1 bag=1",
		"HBM CR 0 1 bag=1",
		"HOST CR 0 1",
		"HBM RD 0 1 colour=red",
		"@",
		"@ 1",
		"@ x 1",
		"@ 1 x",
		"@ 1.2345 1",
		"@ 9223372036854775.808 1",
		"@ 18446744073709551.999 1",
		"@ 1 1 nosuch",
		"@ 1 1 cpu 1",
		"HBM RD 0 1 2 3 4 5 6 7 8 9 10",
		"HBM RD 0x10000000000000000 1",
	};
	struct ppim_pim_line l;
	struct ppim_diag diag;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag.msg[0] = '\0';
		if (ppim_pim_parse(bad[i], &l, &diag) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(diag.msg, "expected"));
		assert_null(strchr(diag.msg, '\n'));
	}
}

static void a_line_of_any_length_is_survived(void **state)
{
	char text[4000];
	struct ppim_pim_line l;

	(void)state;
	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ppim_pim_parse(text, &l, NULL), -EINVAL);
	memset(text, ' ', sizeof(text) - 1);
	assert_int_equal(ppim_pim_parse(text, &l, NULL), -EINVAL);
}

static void what_is_written_reads_back(void **state)
{
	static const char *const lines[] = {
		"HBM RD 0x80 2",
		"HBM RD 0x80 2 bag=3",
		"HBM RD 0x80 2 bag=none mac=0",
		"HBM RD 0x80 2 to=base mac=77",
		"HBM RD 0x80 2 to=rank bag=9 mac=1 cached",
		"DIMM RD 0x40 1",
		"HBM PR 0x1000 8",
		"HBM PR 0x1000 8 self",
		"HBM TR 0x0 2",
		"HBM TR 0x0 2 bag=5",
		"HBM DR 0x200 4",
		"HBM DR 0x200 4 to=bg dst=hbm:0x8000000",
		"HBM DR 0x200 4 to=bg bag=0 mac=12 dst=hbm:0x8000000",
		"DIMM DR 0x200 4 to=rank dst=dimm:0x40",
		"HBM CR 0x40 100",
		"DIMM CW 0x40 100",
		"HOST LD 0x0 100",
		"HOST OP 0x0 100",
		"LINK DN 0x0 100",
		"LINK UP 0x0 100",
	};
	struct ppim_pim_line l;
	struct ppim_diag diag;
	char text[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (ppim_pim_parse(lines[i], &l, &diag))
			fail_msg("%s: %s", lines[i], diag.msg);
		assert_int_equal(ppim_pim_format(&l.cmd, text, sizeof(text)),
				 strlen(lines[i]));
		assert_string_equal(text, lines[i]);
		assert_int_equal(ppim_pim_format(&l.cmd, NULL, 0),
				 strlen(lines[i]));
	}
}

/* ---- what an engine refuses --------------------------------------------- */

static void commands_outside_the_memory_or_the_preset_are_refused(void **state)
{
	static const struct {
		uint32_t arch;
		const char *line;
	} bad[] = {
		{ PPIM_ARCH_BGPIM, "HBM RD 0x100000000 1" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0xffffffc0 2" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0xffffffffffffffff 1" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0 0" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0 18446744073709551615" },
		{ PPIM_ARCH_BGPIM, "DIMM RD 0x800000000 1" },
		{ PPIM_ARCH_BGPIM, "DIMM RD 0 1 to=bg" },
		{ PPIM_ARCH_BGPIM, "HBM PR 0 8" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0 1 to=rank" },
		{ PPIM_ARCH_BGPIM, "HBM RD 0 1 cached" },
		{ PPIM_ARCH_BGPIM, "HBM DR 0 1 dst=0x100000000" },
		{ PPIM_ARCH_BGPIM, "HBM DR 0 1 dst=dimm:0" },
		{ PPIM_ARCH_BGPIM, "HBM TR 0 70000" },
		{ PPIM_ARCH_BGPIM, "HOST OP 0 0x1000000000000" },
		{ PPIM_ARCH_BGPIM, "HOST LD 0 9223372036854775807" },
		{ PPIM_ARCH_BGPIM, "LINK DN 0 18446744073709551615" },
		{ PPIM_ARCH_BGPIM, "LINK UP 0 0x1000000000000" },
		{ PPIM_ARCH_PROACTIVE, "HBM PR 0x7ffffc0 2" },
		{ PPIM_ARCH_CPU, "HBM RD 0 1 to=bg" },
		{ PPIM_ARCH_CPU, "HBM DR 0 1" },
		{ PPIM_ARCH_SPACE, "HBM DR 0 1" },
		{ PPIM_ARCH_RECNMP, "HBM RD 0 1 to=base" },
	};
	struct ppim_pim_line l;
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct ppim_diag diag;
	struct fx_setup s;
	size_t i;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ppim_pim_parse(bad[i].line, &l, NULL), 0);
		assert_int_equal(ppim_pim_begin(e, bad[i].arch, 0, 0, NULL), 0);
		diag.msg[0] = '\0';
		if (ppim_pim_command(e, &l.cmd, &diag) != -EINVAL)
			fail_msg("taken: %s", bad[i].line);
		assert_true(diag.msg[0]);
		ppim_pim_end(e, &a);
		assert_int_equal(a.cycles, 0);
	}
	assert_int_equal(
		ppim_pim_begin(e, PPIM_ARCH_PROACTIVE_PLUS, 0, 0, &diag),
		-EINVAL);
	ppim_engine_free(e);
}

/* Each command may be long, but times have to hold all of a batch: it goes on
 * until they would not, and lasts what was taken. */
static void work_beyond_what_times_tell_is_refused(void **state)
{
	static const struct {
		const char *line;
		uint64_t ps; /* of one */
	} work[] = {
		{ "HOST OP 0 0x800000000000", (1ull << 47) * 1000 },
		{ "LINK DN 0 0x1000000000", (1ull << 36) * 1000000 },
		{ "LINK UP 0 0x1000000000", (1ull << 36) * 1000000 },
	};
	struct ppim_annotation a;
	struct ppim_pim_line l;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i, n;

	(void)state;
	fx_setup_init(&s);
	fx_param(&s, "link", "pcie");
	fx_param(&s, "link_ns", "0");
	fx_param(&s, "link_mbps", "1");
	fx_param(&s, "cpu_gflops", "1");
	for (i = 0; i < sizeof(work) / sizeof(work[0]); i++) {
		e = fx_engine(&s);
		assert_int_equal(ppim_pim_parse(work[i].line, &l, NULL), 0);
		assert_int_equal(ppim_pim_begin(e, PPIM_ARCH_BGPIM, 0, 0, NULL),
				 0);
		for (n = 0; !ppim_pim_command(e, &l.cmd, NULL); n++)
			assert_in_range(n, 0, 100);
		ppim_pim_end(e, &a);
		assert_true(n > 1);
		assert_true(a.busy_ps == n * work[i].ps);
		ppim_engine_free(e);
	}
}

static void a_device_without_dimm_refuses_dimm_commands(void **state)
{
	struct ppim_pim_line l;
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	s.config.dimm_bytes = 0;
	e = fx_engine(&s);
	assert_int_equal(ppim_pim_parse("DIMM RD 0 1", &l, NULL), 0);
	assert_int_equal(ppim_pim_begin(e, PPIM_ARCH_BGPIM, 0, 0, NULL), 0);
	assert_int_equal(ppim_pim_command(e, &l.cmd, NULL), -EINVAL);
	ppim_pim_end(e, &a);
	ppim_engine_free(e);
}

/* More bags than the executor has room for at a time, and more operations. */
static void long_phases_run_in_bounded_memory(void **state)
{
	struct ppim_pim_cmd rd = { .op = PPIM_PIM_RD, .n = 1, .mac = 16 };
	struct ppim_pim_cmd tr = { .op = PPIM_PIM_TR, .n = 1 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i, refused = 0;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	assert_int_equal(ppim_pim_begin(e, PPIM_ARCH_BGPIM, 0, 0, NULL), 0);
	for (i = 0; i < 200000; i++) {
		rd.addr = (uint64_t)i * 4096 % (4ull << 30);
		rd.bag = tr.bag = i % 65536;
		assert_int_equal(ppim_pim_command(e, &rd, NULL), 0);
		assert_int_equal(ppim_pim_command(e, &tr, NULL), 0);
	}
	ppim_pim_end(e, &a);
	assert_int_equal(a.reads_hbm, 200000);
	assert_int_equal(a.transfers, 200000);

	assert_int_equal(ppim_pim_begin(e, PPIM_ARCH_BGPIM, 0, 0, NULL), 0);
	for (i = 0; i < 65536; i++) {
		rd.bag = i;
		refused += ppim_pim_command(e, &rd, NULL) != 0;
	}
	assert_true(refused > 0);
	ppim_pim_end(e, &a);
	assert_int_equal(a.reads_hbm + refused, 65536);
	ppim_engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_columns_stand_alone),
		cmocka_unit_test(blank_lines_comments_and_arrivals),
		cmocka_unit_test(
			malformed_lines_are_refused_with_what_was_expected),
		cmocka_unit_test(a_line_of_any_length_is_survived),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(
			commands_outside_the_memory_or_the_preset_are_refused),
		cmocka_unit_test(work_beyond_what_times_tell_is_refused),
		cmocka_unit_test(a_device_without_dimm_refuses_dimm_commands),
		cmocka_unit_test(long_phases_run_in_bounded_memory),
	};

	return cmocka_run_group_tests_name("pim_text", tests, NULL, NULL);
}
