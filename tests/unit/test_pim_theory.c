// SPDX-License-Identifier: MIT
/*
 * The executor against arithmetic: what each rule of the command vocabulary
 * costs, from the specification's numbers. Clocks of HBM2_4Gb_x128: tRCD 14,
 * tRP 14, tRAS 34, CL 14, burst 2, tCCD_L 2, tRRD_L 6, tFAW 30, tRTP 5.
 */
#include "pim_fixture.h"

#define BG    ((uint64_t)128 << 20) /* bytes of a bank group */
#define ROW   2048u
#define BANKS 4u

static void no_refresh(struct fx_setup *s)
{
	fx_setup_init(s);
	s->hbm.refresh = PPIM_REFRESH_NONE;
	s->dimm.refresh = PPIM_REFRESH_NONE;
}

/* Address of row `row` of bank `bank` of bank group `bg` of channel 0. */
static unsigned long long at(uint32_t bg, uint32_t bank, uint32_t row)
{
	return bg * BG + ((uint64_t)row * BANKS + bank) * ROW;
}

/* ---- reads -------------------------------------------------------------- */

static void unloaded_read_is_trcd_cl_and_burst(void **state)
{
	struct fx_setup s;
	const struct ppim_timing *t = &s.hbm.t;

	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM RD 0x0 1"),
			 t->trcd_rd + t->cl + t->burst);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM RD 0x0 32"),
			 t->trcd_rd + 31 * t->tccd_l + t->cl + t->burst);
}

static void open_row_needs_no_activation(void **state)
{
	struct fx_setup s;
	struct ppim_engine *e;
	struct ppim_annotation a;

	(void)state;
	no_refresh(&s);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "HBM RD 0x0 4\nHBM RD 0x400 4", &a);
	assert_int_equal(a.activations_hbm, 1);
	assert_int_equal(a.row_hits_hbm, 7);
	assert_int_equal(a.reads_hbm, 8);
	assert_int_equal(a.cycles, 14 + 7 * 2 + 14 + 2);
	ppim_engine_free(e);
}

static void rows_of_one_bank_are_trc_apart(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 100; i++)
		fx_text_add(&t, "HBM RD 0x%llx 1\n", at(0, 0, i));
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 99 * s.hbm.t.trc + 14 + 14 + 2);
	fx_text_free(&t);
}

static void a_long_train_holds_its_bank_open(void **state)
{
	struct fx_setup s;

	/* second activation: last read of the first + tRTP + tRP */
	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM RD 0x0 32\nHBM RD 0x2000 1"),
			 14 + 31 * 2 + 5 + 14 + 14 + 14 + 2);
}

static void activations_of_a_bank_group_are_trrd_l_apart(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM RD 0x0 1\nHBM RD 0x800 1\n"
				   "HBM RD 0x1000 1"),
			 2 * s.hbm.t.trrd_l + 14 + 14 + 2);
}

static void bank_groups_do_not_bind_each_other(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM RD 0x0 32\nHBM RD 0x8000000 32\n"
				   "HBM RD 0x10000000 32\n"
				   "HBM RD 0x18000000 32"),
			 fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM RD 0x0 32"));
}

/* n reads of new rows, spread over bank groups and banks. */
static void random_rows(struct fx_text *t, uint32_t n, uint32_t bursts)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		fx_text_add(t, "HBM RD 0x%llx %u\n",
			    at(i % 4, i / 4 % BANKS, 1 + i / 16), bursts);
}

static void four_rows_per_tfaw_and_rank(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	random_rows(&t, 4000, 2);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 999 * s.hbm.t.tfaw + 14 + 2 + 14 + 2);
	s.hbm.t.tfaw = 40;
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 999 * 40 + 14 + 2 + 14 + 2);
	fx_text_free(&t);
}

static void long_rows_are_bound_by_the_bank_groups_columns(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	random_rows(&t, 400, 32);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.cycles, 14 + 100 * 32 * 2 - 2 + 14 + 2);
	assert_int_equal(a.bound_by, PPIM_BOUND_BG_BUS);
	ppim_engine_free(e);

	s.hbm.t.tccd_l = 4;
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 14 + 100 * 32 * 4 - 4 + 14 + 2);
	fx_text_free(&t);
}

static void row_hits_pass_a_miss_at_most_four_times(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	/* row 0 and row 1 of one bank by turns: in order, 40 activations; four
	 * passed and what hits then, at most eight by one activation */
	(void)state;
	no_refresh(&s);
	for (i = 0; i < 40; i++)
		fx_text_add(&t, "HBM RD 0x%llx 1\n", at(0, 0, i % 2));
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_in_range(a.activations_hbm, 5, 10);
	assert_int_equal(a.activations_hbm + a.row_hits_hbm, 40);
	ppim_engine_free(e);
	fx_text_free(&t);
}

static void macs_bound_heavy_reads(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 100; i++)
		fx_text_add(&t, "HBM RD 0x%llx 1 mac=6400\n",
			    at(0, i % 4, i / 4));
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.cycles, 14 + 14 + 100 * 6400 / 64);
	assert_int_equal(a.bound_by, PPIM_BOUND_MAC);
	assert_int_equal(a.macs, 640000);
	ppim_engine_free(e);
	fx_param(&s, "bg_macs", "128");
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 14 + 14 + 100 * 6400 / 128);
	fx_text_free(&t);
}

static void refresh_takes_trfc_of_every_trefi(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint64_t without, with;

	(void)state;
	no_refresh(&s);
	random_rows(&t, 40000, 2);
	without = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	fx_setup_init(&s);
	with = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	/* useful time is tREFI - tRFC of each tREFI, but for the rows that
	 * are closed and the window that fills anew: below one tFAW + tRC */
	assert_in_range(with, without * 3900 / (3900 - 260),
			without * 3900 / (3900 - 260 - 78) + 1);
	fx_text_free(&t);
}

static void an_instruction_takes_its_share_of_the_command_bus(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "cmd_dq", "0");
	fx_param(&s, "cmd_bits", "280"); /* 10 clocks on 28 bits */
	for (i = 0; i < 400; i++)
		fx_text_add(&t, "HBM RD 0x%llx 1\n", at(i % 4, 0, 0));
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.bound_by, PPIM_BOUND_CMD);
	assert_in_range(a.cycles, 400 * 10 - 20, 400 * 10 + 40);
	ppim_engine_free(e);
	/* without compression one clock for each burst */
	fx_param(&s, "cmd_compressed", "0");
	assert_in_range(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf), 400, 400 + 60);
	fx_text_free(&t);
}

/* ---- partial sums ------------------------------------------------------- */

/* k bank groups of channel 0 hold a partial sum. */
static uint64_t transfer_cycles(const struct fx_setup *s, uint32_t k,
				uint32_t n)
{
	struct fx_text t = { 0 };
	uint64_t cycles;
	uint32_t i;

	for (i = 0; i < k; i++)
		fx_text_add(&t, "HBM RD 0x%llx 2\n", at(i, 0, 0));
	fx_text_add(&t, "HBM TR 0x0 %u\n", n);
	cycles = fx_cycles(s, PPIM_ARCH_BGPIM, t.buf);
	fx_text_free(&t);
	return cycles;
}

static void tr_takes_the_bus_for_each_bank_group_that_holds_a_sum(void **state)
{
	struct fx_setup s;
	uint64_t one;
	uint32_t k;

	(void)state;
	no_refresh(&s);
	/* read, transfer, and one clock in which the base die adds */
	one = 14 + 2 + 14 + 2 + 2 * 2 + 1;
	for (k = 1; k <= 4; k++)
		assert_int_equal(transfer_cycles(&s, k, 2),
				 one + (k - 1) * 2 * 2);
	assert_int_equal(transfer_cycles(&s, 4, 8),
			 14 + 2 + 14 + 2 + 4 * 8 * 2 + 1);
	/* tCCD_S above the burst's length decides */
	s.hbm.t.tccd_s = 3;
	assert_int_equal(transfer_cycles(&s, 4, 2),
			 14 + 2 + 14 + 2 + 4 * 2 * 3 + 1);
}

static void tr_of_a_bag_that_nobody_holds_is_free(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM RD 0x0 1\nHBM TR 0x0 64 bag=7"),
			 14 + 14 + 2);
}

static void channels_drain_side_by_side(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint32_t ch;

	(void)state;
	no_refresh(&s);
	for (ch = 0; ch < 8; ch++)
		fx_text_add(&t, "HBM RD 0x%llx 2\n",
			    (unsigned long long)(ch * 4 * BG));
	fx_text_add(&t, "HBM TR 0x0 2\n");
	/* eight sums reach the base die at once: 256 adds, a clock */
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			 14 + 2 + 14 + 2 + 4 + 1);
	fx_text_free(&t);
}

static void a_bags_drain_overlaps_the_next_bags_reads(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint64_t reads;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 100; i++)
		fx_text_add(&t, "HBM RD 0x%llx 32 bag=1\n",
			    at(0, i % 4, i / 4));
	reads = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	fx_text_free(&t);
	fx_text_add(&t, "HBM RD 0x%llx 2 bag=0\nHBM TR 0x0 64\n", at(1, 0, 0));
	for (i = 0; i < 100; i++)
		fx_text_add(&t, "HBM RD 0x%llx 32 bag=1\n",
			    at(0, i % 4, i / 4));
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf), reads);
	fx_text_free(&t);
}

/* ---- moves -------------------------------------------------------------- */

static void a_move_is_a_read_and_n_bursts_at_the_destination(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	/* source: tRCD + CL + n bursts; destination: its row, n bursts */
	assert_int_equal(
		fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM DR 0x0 2 dst=0x8000000"),
		14 + 14 + 2 * 2 + 14 + 2 * 2);
	/* where the row is open, or none is needed: no second tRCD */
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM DR 0x0 2"),
			 14 + 14 + 2 * 2 + 2 * 2);
	fx_param(&s, "move_row", "0");
	assert_int_equal(
		fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM DR 0x0 2 dst=0x8000000"),
		14 + 14 + 2 * 2 + 2 * 2);
	fx_param(&s, "move_ns", "100");
	assert_int_equal(
		fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM DR 0x0 2 dst=0x8000000"),
		14 + 14 + 2 * 2 + 100 + 2 * 2);
}

/* A row that was written is closed CWL + burst + tWR after the last burst's
 * command, one that was read tRTP after it. */
static void a_row_that_was_written_recovers(void **state)
{
	const uint32_t recovery = 4 + 2 + 16 + 14, read = 14 + 14 + 2;
	struct fx_setup s;

	/* source: tRCD, CL, 8 bursts; destination: tRCD, 8 bursts; the next
	 * row of that bank */
	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM DR 0x0 8 dst=0x8000000\n"
				   "HBM RD 0x8002000 1"),
			 14 + 14 + 8 * 2 + 14 + 7 * 2 + recovery + read);
	/* by DMA: tRCD, 16 bursts */
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM CW 0x0 16\nHBM RD 0x2000 1"),
			 14 + 15 * 2 + recovery + read);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM CR 0x0 16\nHBM RD 0x2000 1"),
			 14 + 15 * 2 + 5 + 14 + read);
	s.hbm.t.twr = 40;
	s.hbm.t.cwl = 10;
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM,
				   "HBM CW 0x0 16\nHBM RD 0x2000 1"),
			 14 + 15 * 2 + 10 + 2 + 40 + 14 + read);
}

static void moves_share_the_channels_bus(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	/* all from bank group 0 to bank groups 1..3 of the same channel: each
	 * burst crosses that bus twice */
	(void)state;
	no_refresh(&s);
	for (i = 0; i < 300; i++)
		fx_text_add(&t, "HBM DR 0x0 4 dst=0x%llx\n",
			    at(1 + i % 3, 0, 0));
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.moves, 1200);
	assert_int_equal(a.bound_by, PPIM_BOUND_INTERNAL_BUS);
	assert_in_range(a.cycles, 2400 * 2, 2400 * 2 + 100);
	ppim_engine_free(e);
	fx_text_free(&t);
}

/* ---- prefetch ----------------------------------------------------------- */

static void a_prefetch_is_read_by_all_bank_groups_at_once(void **state)
{
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_PROACTIVE, "HBM PR 0x0 8", &a);
	assert_int_equal(a.cycles, 14 + 7 * 2 + 14 + 2);
	assert_int_equal(a.prefetches, 32 * 8);
	assert_int_equal(a.activations_hbm, 32);
	ppim_engine_free(e);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_PROACTIVE, "HBM PR 0x0 8 self", &a);
	assert_int_equal(a.prefetches, 8);
	ppim_engine_free(e);
}

static void a_prefetch_hides_behind_the_drain_before_it(void **state)
{
	static const char gather[] = "HBM RD 0x0 2\nHBM RD 0x8000000 2\n"
				     "HBM TR 0x0 64\n";
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint64_t without;

	(void)state;
	no_refresh(&s);
	fx_text_add(&t, "%s\n%s", gather, gather);
	without = fx_cycles(&s, PPIM_ARCH_PROACTIVE, t.buf);
	fx_text_free(&t);
	/* 16 bursts of a row that is open in no bank group: 30 + 32 clocks,
	 * the drain takes 2 * 64 * 2 */
	fx_text_add(&t, "%s\nHBM PR 0x1000 16\n%s", gather, gather);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_PROACTIVE, t.buf), without);
	fx_text_free(&t);
}

/* ---- phases ------------------------------------------------------------- */

static void a_phase_waits_for_the_one_before_unless_told_otherwise(void **state)
{
	static const char lines[] = "HBM RD 0x0 2\nHBM TR 0x0 64\n\n"
				    "HBM RD 0x20000000 2\nHBM TR 0x0 64";
	struct fx_setup s;
	uint64_t one = 14 + 2 + 14 + 2 + 128, add;

	(void)state;
	no_refresh(&s);
	add = 64 * 16 / 256; /* the base die */
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, lines),
			 2 * (one + add));
	/* another bank group of another channel: its own drain only */
	fx_param(&s, "phase_overlap", "1");
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, lines), one + add);
}

static void two_sets_of_sums_let_a_bank_group_go_on(void **state)
{
	static const char lines[] = "HBM RD 0x0 2\nHBM TR 0x0 64\n\n"
				    "HBM RD 0x80 2\nHBM TR 0x0 64";
	struct fx_setup s;
	uint64_t one, two;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "phase_overlap", "1");
	one = fx_cycles(&s, PPIM_ARCH_BGPIM, lines);
	fx_param(&s, "phase_overlap", "2");
	two = fx_cycles(&s, PPIM_ARCH_BGPIM, lines);
	/* the second read hides behind the first drain: CL + its bursts */
	assert_int_equal(one - two, 2 + 14 + 2);
}

static void a_batch_begins_when_it_arrives(void **state)
{
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "@ 1000.5 0\nHBM RD 0x0 1", &a);
	assert_int_equal(a.start_ps, 1001000); /* the next clock edge */
	assert_int_equal(a.end_ps, 1031000);
	/* earlier than the work before: it waits */
	fx_run(e, PPIM_ARCH_BGPIM, "@ 0 1\nHBM RD 0x8000000 1", &a);
	assert_int_equal(a.start_ps, 1031000);
	assert_int_equal(a.cycles, 30);
	ppim_engine_free(e);
}

/* ---- DIMM, base die, link ----------------------------------------------- */

static void a_cold_row_crosses_dimm_bus_and_interface(void **state)
{
	const uint64_t ps = (22 + 22 + 8 + 4) * 630; /* tCCD_L apart */
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "DIMM RD 0x0 2", &a);
	assert_int_equal(a.reads_dimm, 2);
	assert_int_equal(a.activations_dimm, 1);
	/* to the next HBM clock, two bursts to the base die, one for its MACs
	 */
	assert_int_equal(a.cycles, (ps + 999) / 1000 + 4 + 1);
	ppim_engine_free(e);
}

/* More DIMM channels than the HBM's interface has room for: 16 MB, two clocks
 * for each 64 B on eight channels. */
static void cold_rows_are_no_faster_than_the_interface(void **state)
{
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "dimm_channels", "64");
	fx_param(&s, "bd_macs", "65536");
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "DIMM RD 0x0 262144", &a);
	assert_int_equal(a.cycles, 262144 / 8 * 2);
	assert_int_equal(a.bound_by, PPIM_BOUND_INTERNAL_BUS);
	ppim_engine_free(e);
	/* a unit at the DIMM's ranks has them without it */
	assert_in_range(fx_cycles(&s, PPIM_ARCH_RECNMP, "DIMM RD 0x0 262144"),
			1, 262144 / 8);
}

static void dimm_streams_at_its_bus_rate(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	/* whole rows of all banks of channel 0, 128 bursts each */
	(void)state;
	no_refresh(&s);
	fx_param(&s, "dimm_channels", "1");
	for (i = 0; i < 256; i++)
		fx_text_add(&t, "DIMM RD 0x%llx 128\n", i * 8192ull);
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.bound_by, PPIM_BOUND_DIMM);
	/* 256 * 128 bursts of 4 clocks; bank groups by turns */
	assert_in_range(a.busy_ps, 256ull * 128 * 4 * 630,
			256ull * 128 * 4 * 630 * 101 / 100);
	ppim_engine_free(e);
	fx_text_free(&t);
}

static void hbm_and_dimm_work_at_the_same_time(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint64_t hbm, dimm;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	random_rows(&t, 400, 2);
	hbm = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	fx_text_free(&t);
	for (i = 0; i < 100; i++)
		fx_text_add(&t, "DIMM RD 0x%llx 2\n", i * 65536ull);
	dimm = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	random_rows(&t, 400, 2);
	assert_in_range(fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf),
			hbm > dimm ? hbm : dimm,
			(hbm > dimm ? hbm : dimm) + 40);
	fx_text_free(&t);
}

static void the_base_die_reads_over_the_channels_bus(void **state)
{
	struct fx_text t = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 400; i++)
		fx_text_add(&t, "HBM RD 0x%llx 8 mac=0\n", at(i % 4, 0, 0));
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_SPACE, t.buf, &a);
	assert_int_equal(a.bound_by, PPIM_BOUND_INTERNAL_BUS);
	assert_in_range(a.cycles, 400 * 8 * 2, 400 * 8 * 2 + 40);
	ppim_engine_free(e);
	fx_text_free(&t);
}

static void a_link_costs_its_latency_and_bandwidth(void **state)
{
	static const char lines[] = "LINK DN 0 6400\nHBM RD 0x0 1\n"
				    "LINK UP 0 6400";
	struct fx_setup s;
	struct ppim_engine *e;
	struct ppim_annotation a;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "link", "cxl");
	fx_param(&s, "link_ns", "100");
	fx_param(&s, "link_mbps", "64000"); /* 100 ns for 6400 bytes */
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, lines, &a);
	assert_int_equal(a.cycles, 100 + 100 + 30 + 100 + 100);
	assert_int_equal(a.link_bytes, 12800);
	assert_int_equal(a.bound_by, PPIM_BOUND_LINK);
	/* a moved operand goes up and down */
	fx_run(e, PPIM_ARCH_BGPIM, "HBM DR 0x8000000 1 dst=0x10000000", &a);
	assert_int_equal(a.link_bytes, 128);
	assert_int_equal(a.cycles, 14 + 14 + 2 + 1 + 100 + 1 + 100 + 14 + 2);
	ppim_engine_free(e);
}

static void the_host_is_bound_by_cache_misses_and_arithmetic(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "llc_mbps", "64000"); /* a line per ns */
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_CPU, "HOST LD 0 10000"),
			 10000 + 20);
	fx_param(&s, "cpu_gflops", "100");
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_CPU, "HOST OP 0 1000000"),
			 10000);
}

/* ---- every specification, and bounds ------------------------------------ */

/* Address of row `row` of bank `bank` of bank group `slice`. */
static unsigned long long spec_at(const struct fx_setup *s, uint32_t slice,
				  uint32_t bank, uint32_t row)
{
	const struct ppim_spec *h = &s->hbm;
	uint64_t slices = (uint64_t)h->channels * h->ranks * h->bankgroups;

	return slice * (s->config.hbm_bytes / slices) +
	       ((uint64_t)row * h->banks_per_group + bank) * h->row_bytes;
}

static bool spec_next(struct fx_setup *s, size_t *i)
{
	const char *name;

	for (no_refresh(s); (name = ppim_spec_builtin_name(*i)); ++*i) {
		if (!strstr(name, "HBM"))
			continue;
		assert_int_equal(ppim_spec_find(name, &s->hbm, NULL), 0);
		s->hbm.refresh = PPIM_REFRESH_NONE;
		s->config.hbm_bytes = s->hbm.bytes;
		++*i;
		return true;
	}
	return false;
}

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c)
{
	a = a > b ? a : b;
	return a > c ? a : c;
}

/* One burst of a new row each, round all bank groups and banks of a rank: one
 * activation each, four in a window, tRRD_L within a bank group and tRC within
 * a bank where those are slower. */
static void every_hbm_reads_at_its_own_rates(void **state)
{
	struct fx_text t = { 0 };
	const struct ppim_timing *k;
	struct fx_setup s;
	uint64_t round, got, slow;
	uint32_t r, bg, ba;
	size_t i = 0;

	(void)state;
	while (spec_next(&s, &i)) {
		k = &s.hbm.t;
		assert_int_equal(
			fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM RD 0x0 1\n"),
			k->trcd_rd + k->cl + k->burst);
		slow = k->tccd_l > k->burst ? k->tccd_l : k->burst;
		assert_int_equal(
			fx_cycles(&s, PPIM_ARCH_BGPIM, "HBM RD 0x0 16\n"),
			k->trcd_rd + 15 * slow + k->cl + k->burst);
		for (r = 0; r < 100; r++)
			for (ba = 0; ba < s.hbm.banks_per_group; ba++)
				for (bg = 0; bg < s.hbm.bankgroups; bg++)
					fx_text_add(&t, "HBM RD %llu 1\n",
						    spec_at(&s, bg, ba, r));
		round = max3((uint64_t)k->tfaw * s.hbm.bankgroups *
				     s.hbm.banks_per_group / 4,
			     (uint64_t)k->trrd_l * s.hbm.banks_per_group,
			     k->trc);
		got = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
		/* but for the first and the last round */
		assert_in_range(got, 99 * round, 101 * round + 2 * k->trc);
		fx_text_free(&t);
	}
	assert_true(i >= 3);
}

static void channels_do_not_bind_each_other(void **state)
{
	struct fx_text one = { 0 }, all = { 0 };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i, ch;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 400; i++) {
		fx_text_add(&one, "HBM RD 0x%llx 2\n",
			    at(i % 4, i / 4 % BANKS, i / 16));
		for (ch = 0; ch < 8; ch++)
			fx_text_add(&all, "HBM RD 0x%llx 2\n",
				    at(4 * ch + i % 4, i / 4 % BANKS, i / 16));
	}
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, all.buf, &a);
	assert_int_equal(a.cycles, fx_cycles(&s, PPIM_ARCH_BGPIM, one.buf));
	assert_int_equal(a.bound_by, PPIM_BOUND_ACTIVATION);
	assert_int_equal(a.activations_hbm, 3200);
	ppim_engine_free(e);
	fx_text_free(&one);
	fx_text_free(&all);
}

/* Random reads of one rank: no faster than the rank's windows, any bank
 * group's columns and any bank's row cycle allow, and hardly slower than the
 * slowest of these. */
static void random_reads_come_near_their_bound(void **state)
{
	uint64_t cols[4], acts[16], bound, h;
	struct ppim_annotation a;
	struct fx_text t = { 0 };
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t seed, i, bg, ba, n;

	(void)state;
	no_refresh(&s);
	for (seed = 0; seed < 12; seed++) {
		memset(cols, 0, sizeof(cols));
		memset(acts, 0, sizeof(acts));
		for (i = 0; i < 3000; i++) {
			h = fx_hash((uint64_t)seed << 32 | i);
			bg = h & 3;
			ba = h >> 2 & 3;
			n = 1u << (h >> 4 & 7) % (1 + seed % 6);
			cols[bg] += n * 2;
			acts[bg * 4 + ba]++;
			/* a row of its own each */
			fx_text_add(&t, "HBM RD 0x%llx %u mac=0\n",
				    at(bg, ba, i), n);
		}
		bound = 3000 * 30 / 4;
		for (i = 0; i < 16; i++)
			bound = max3(bound, cols[i / 4], acts[i] * 48);
		e = fx_engine(&s);
		fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
		assert_int_equal(a.activations_hbm, 3000);
		assert_in_range(a.cycles, bound - 30, bound * 13 / 10);
		ppim_engine_free(e);
		fx_text_free(&t);
	}
}

/* Bags that random bank groups hold: the bus of each channel takes n bursts for
 * each of them and nothing else. */
static void drains_are_counted_by_holder_and_channel(void **state)
{
	uint64_t bus[8] = { 0 }, most = 0, all = 0, h;
	struct ppim_annotation a;
	struct fx_text t = { 0 };
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t bag, slice;

	(void)state;
	no_refresh(&s);
	for (bag = 0; bag < 100; bag++) {
		h = fx_hash(bag) & fx_hash(bag + 1000);
		for (slice = 0; slice < 32; slice++)
			if (h >> slice & 1) {
				/* one row stays open: reads are short */
				fx_text_add(&t, "HBM RD 0x%llx 1 bag=%u\n",
					    at(slice, 0, 0), bag);
				bus[slice / 4] += 16;
			}
		fx_text_add(&t, "HBM TR 0x0 16 bag=%u\n", bag);
	}
	for (slice = 0; slice < 8; slice++) {
		most = bus[slice] > most ? bus[slice] : most;
		all += bus[slice];
	}
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &a);
	assert_int_equal(a.transfers, all);
	assert_int_equal(a.bound_by, PPIM_BOUND_INTERNAL_BUS);
	/* two clocks a burst; the first read before, the base die's adds after
	 */
	assert_in_range(a.cycles, most * 2 + 30, most * 2 + 100);
	ppim_engine_free(e);
	fx_text_free(&t);
}

/* Two rows in each of the four bank groups of a channel: the fifth activation
 * waits for the window, prefetches too. */
static void the_activation_window_binds_prefetches(void **state)
{
	struct fx_setup s;

	(void)state;
	no_refresh(&s);
	s.hbm.t.tfaw = 200;
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_PROACTIVE,
				   "HBM PR 0x0 32\nHBM PR 0x800 32"),
			 200 + 14 + 31 * 2 + 14 + 2);
}

static void what_the_host_reads_is_one_stream_of_activations(void **state)
{
	static const char reads[] = "HBM RD 0x0 1 mac=0\n"
				    "HBM RD 0x8000000 1 mac=0\n"
				    "HBM RD 0x10000000 1 mac=0";
	struct fx_setup s;

	/* tRRD_S apart; for units in the bank groups they are not */
	(void)state;
	no_refresh(&s);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_SPACE, reads),
			 2 * 4 + 14 + 14 + 2);
	assert_int_equal(fx_cycles(&s, PPIM_ARCH_BGPIM, reads), 14 + 14 + 2);
}

/* A broadcast is sent once to the bank groups of a channel, in either form; a
 * prefetch by itself each is sent 32 times. */
static void a_broadcast_is_sent_once(void **state)
{
	struct fx_text once = { 0 }, each = { 0 };
	struct ppim_annotation a, b;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i, k;

	(void)state;
	no_refresh(&s);
	fx_param(&s, "cmd_dq", "0");
	fx_param(&s, "cmd_bits", "560"); /* 20 clocks */
	for (i = 0; i < 100; i++) {
		fx_text_add(&once, "HBM PR 0x%x 1\n", i * 64 % ROW);
		for (k = 0; k < 32; k++)
			fx_text_add(&each, "HBM PR 0x%llx 1 self\n",
				    at(k, 0, 0) + i * 64 % ROW);
	}
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_PROACTIVE, once.buf, &a);
	ppim_engine_reset(e);
	fx_run(e, PPIM_ARCH_PROACTIVE, each.buf, &b);
	assert_int_equal(a.bound_by, PPIM_BOUND_CMD);
	assert_in_range(a.cycles, 100 * 20, 100 * 20 + 40);
	assert_in_range(b.cycles, 400 * 20, 400 * 20 + 40);
	assert_int_equal(a.prefetches, b.prefetches);
	ppim_engine_free(e);
	fx_param(&s, "cmd_compressed", "0");
	assert_in_range(fx_cycles(&s, PPIM_ARCH_PROACTIVE, once.buf), 200, 260);
	assert_in_range(fx_cycles(&s, PPIM_ARCH_PROACTIVE, each.buf), 400, 460);
	fx_text_free(&once);
	fx_text_free(&each);
}

/* Each bank is away for tRFCb of every banks x tREFIb; the others go on. */
static void per_bank_refresh_takes_its_bank_alone(void **state)
{
	struct fx_text t = { 0 };
	struct fx_setup s;
	uint64_t without, with;
	uint32_t i;

	(void)state;
	no_refresh(&s);
	for (i = 0; i < 4000; i++)
		fx_text_add(&t, "HBM RD 0x%llx 1\n", at(0, 0, i));
	without = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	s.hbm.refresh = PPIM_REFRESH_BANK_STAGGERED;
	s.hbm.t.trefib = 128;
	s.hbm.t.trfcb = 160;
	with = fx_cycles(&s, PPIM_ARCH_BGPIM, t.buf);
	/* at most a row cycle is lost with each */
	assert_in_range(with, without * 2048 / (2048 - 160),
			without * 2048 / (2048 - 160 - 48) + 48);
	fx_text_free(&t);
}

/* ---- energy ------------------------------------------------------------- */

static void energy_is_what_the_currents_say(void **state)
{
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	double pj;

	(void)state;
	no_refresh(&s);
	s.config.dimm_bytes = 0;
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "HBM RD 0x0 4 mac=64", &a);
	pj = 1.2 * (65 * 48 - 55 * 34 - 40 * 14); /* one activation */
	pj += 4 * 1.2 * (390 - 55) * 2; /* four bursts of two clocks */
	pj += 64 * 4.6; /* MACs */
	pj += 8 * 1.2 * 55 * a.cycles; /* eight channels stand by */
	assert_in_range(a.energy_pj, pj - 1, pj + 1);
	ppim_engine_free(e);
}

#define PART(name) (1u << PPIM_PART_##name)

/* pJ of a part of what lines do on an engine of its own, without refresh. */
static uint64_t part_of(uint32_t arch, const char *lines, uint32_t part)
{
	uint64_t pj[PPIM_PART_COUNT];
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	no_refresh(&s);
	fx_param(&s, "link", "pcie");
	e = fx_engine(&s);
	fx_run(e, arch, lines, &a);
	ppim_engine_energy(e, pj);
	ppim_engine_free(e);
	return pj[part];
}

/* Bursts are 64 B, of two clocks of 1 ns in the HBM, four of 0.63 ns in each of
 * the DIMM's eight devices; parameters are the defaults. */
static void every_part_of_energy_is_what_was_done(void **state)
{
	static const struct {
		uint32_t part, arch;
		const char *lines;
		double pj;
	} of[] = {
		{ PPIM_PART_HBM_ACTIVATE, PPIM_ARCH_BGPIM,
		  "HBM RD 0x0 1\nHBM RD 0x800 1",
		  2 * 1.2 * (65 * 48 - 55 * 34 - 40 * 14) },
		{ PPIM_PART_HBM_READ, PPIM_ARCH_BGPIM,
		  "HBM RD 0x0 4\nHBM CR 0x800 3", 7 * 1.2 * (390 - 55) * 2 },
		{ PPIM_PART_HBM_WRITE, PPIM_ARCH_BGPIM,
		  "HBM CW 0x0 5\nHBM DR 0x800 2 dst=0x8000000",
		  7 * 1.2 * (500 - 55) * 2 },
		/* as long as a read takes, all eight ranks */
		{ PPIM_PART_HBM_STANDBY, PPIM_ARCH_BGPIM, "HBM RD 0x0 1",
		  8 * 1.2 * 55 * 30 },
		{ PPIM_PART_DIMM_ACTIVATE, PPIM_ARCH_BGPIM, "DIMM RD 0x0 1",
		  8 * 0.63 * 1.2 * (57 * 74 - 52 * 52 - 37 * 22) },
		{ PPIM_PART_DIMM_READ, PPIM_ARCH_BGPIM, "DIMM RD 0x0 3",
		  3 * 8 * 0.63 * 1.2 * (168 - 52) * 4 },
		{ PPIM_PART_DIMM_WRITE, PPIM_ARCH_BGPIM, "DIMM CW 0x0 3",
		  3 * 8 * 0.63 * 1.2 * (150 - 52) * 4 },
		/* two channels of two ranks; not read: rows are closed */
		{ PPIM_PART_DIMM_STANDBY, PPIM_ARCH_BGPIM, "HBM RD 0x0 1",
		  4 * 8 * 1.2 * 37 * 30 },
		{ PPIM_PART_DIMM_STANDBY, PPIM_ARCH_BGPIM,
		  "HBM RD 0x0 32\nDIMM RD 0x0 1", 4 * 8 * 1.2 * 52 * 92 },
		/* 16 of a burst, and the base die's sum of a TR */
		{ PPIM_PART_MAC, PPIM_ARCH_BGPIM,
		  "HBM RD 0x0 4\nHBM RD 0x800 1 mac=7\nHBM TR 0x0 2",
		  (64 + 7 + 32) * 4.6 },
		/* all bank groups fill theirs */
		{ PPIM_PART_SRAM, PPIM_ARCH_PROACTIVE, "HBM PR 0x0 8",
		  32 * 8 * 64 * 1.25 },
		{ PPIM_PART_SRAM, PPIM_ARCH_PROACTIVE, "HBM PR 0x0 8 self",
		  8 * 64 * 1.25 },
		/* lines that were found, and those that were not pass it too */
		{ PPIM_PART_LLC, PPIM_ARCH_CPU, "HOST LD 0 100",
		  100 * 64 * 12.5 },
		{ PPIM_PART_LLC, PPIM_ARCH_CPU, "HBM RD 0x0 4\nHOST LD 0 100",
		  104 * 64 * 12.5 },
		{ PPIM_PART_BUS, PPIM_ARCH_BGPIM, "HBM RD 0x0 4", 0 },
		{ PPIM_PART_BUS, PPIM_ARCH_SPACE, "HBM RD 0x0 4", 4 * 64 * 8 },
		{ PPIM_PART_BUS, PPIM_ARCH_BGPIM, "HBM RD 0x0 4\nHBM TR 0x0 2",
		  2 * 64 * 8 },
		{ PPIM_PART_BUS, PPIM_ARCH_BGPIM, "HBM CW 0x0 4", 4 * 64 * 8 },
		/* out and in again */
		{ PPIM_PART_BUS, PPIM_ARCH_BGPIM, "HBM DR 0x0 4 dst=0x8000000",
		  8 * 64 * 8 },
		{ PPIM_PART_INTERFACE, PPIM_ARCH_BGPIM,
		  "HBM DR 0x0 4 dst=0x8000000", 8 * 64 * 6.4 },
		{ PPIM_PART_INTERFACE, PPIM_ARCH_SPACE, "HBM RD 0x0 4", 0 },
		{ PPIM_PART_INTERFACE, PPIM_ARCH_BGPIM, "DIMM RD 0x0 4",
		  4 * 64 * 6.4 },
		{ PPIM_PART_INTERFACE, PPIM_ARCH_CPU, "HBM RD 0x0 4",
		  4 * 64 * 6.4 },
		{ PPIM_PART_INTERFACE, PPIM_ARCH_RECNMP,
		  "HBM RD 0x0 4\nHBM TR 0x0 2", 2 * 64 * 6.4 },
		{ PPIM_PART_DIMM_INTERFACE, PPIM_ARCH_BGPIM, "DIMM RD 0x0 4",
		  4 * 64 * 80 },
		{ PPIM_PART_DIMM_INTERFACE, PPIM_ARCH_RECNMP, "DIMM RD 0x0 4",
		  0 },
		{ PPIM_PART_DIMM_INTERFACE, PPIM_ARCH_RECNMP,
		  "DIMM RD 0x0 4\nDIMM TR 0x0 2", 2 * 64 * 80 },
		{ PPIM_PART_LINK, PPIM_ARCH_BGPIM,
		  "LINK DN 0 1000\nHBM RD 0x0 1\nLINK UP 0 500", 1500 * 40 },
		/* a move's bytes go up and down */
		{ PPIM_PART_LINK, PPIM_ARCH_BGPIM, "HBM DR 0x0 4 dst=0x8000000",
		  2 * 4 * 64 * 40 },
	};
	uint64_t pj;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		pj = part_of(of[i].arch, of[i].lines, of[i].part);
		if (pj + 1 < of[i].pj || pj > of[i].pj + 1)
			fail_msg("%s of '%s': %llu pJ, %.1f expected",
				 ppim_engine_part_name(of[i].part), of[i].lines,
				 (unsigned long long)pj, of[i].pj);
	}
}

static void refreshes_are_charged_by_memory(void **state)
{
	uint64_t pj[PPIM_PART_COUNT];
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	fx_param(&s, "cpu_gflops", "1");
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_CPU, "HOST OP 0 10000", &a);
	assert_int_equal(a.busy_ps, 10000000);
	ppim_engine_energy(e, pj);
	/* in 10 us two of each of eight ranks; of four ranks, two are
	 * refreshed at 3931 and two at 7862 ns, all of them once */
	assert_in_range(pj[PPIM_PART_HBM_REFRESH],
			16 * 1.2 * (250 - 55) * 260 - 1,
			16 * 1.2 * (250 - 55) * 260 + 1);
	assert_in_range(pj[PPIM_PART_DIMM_REFRESH],
			4 * 8 * 0.63 * 1.2 * (250 - 52) * 560 - 1,
			4 * 8 * 0.63 * 1.2 * (250 - 52) * 560 + 1);
	ppim_engine_free(e);
}

/* HBM and DIMM together. */
static void check_classes(const struct ppim_annotation *a,
			  const uint64_t pj[PPIM_PART_COUNT])
{
	const uint64_t *dimm = pj + PPIM_PART_DIMM_ACTIVATE;

	assert_int_equal(a->activate_pj, pj[PPIM_PART_HBM_ACTIVATE] + dimm[0]);
	assert_int_equal(a->read_pj, pj[PPIM_PART_HBM_READ] + dimm[1]);
	assert_int_equal(a->write_pj, pj[PPIM_PART_HBM_WRITE] + dimm[2]);
	assert_int_equal(a->refresh_pj, pj[PPIM_PART_HBM_REFRESH] + dimm[3]);
	assert_int_equal(a->standby_pj, pj[PPIM_PART_HBM_STANDBY] + dimm[4]);
}

/* What the model would charge and the specification has no current for. */
static void a_part_without_its_currents_is_left_out_and_named(void **state)
{
	static const struct {
		uint32_t current; /* that is missing */
		enum ppim_refresh_policy refresh;
		uint32_t parts; /* of the HBM */
	} of[] = {
		{ PPIM_IDD5PB, PPIM_REFRESH_RANK_STAGGERED, 0 },
		{ PPIM_IDD5PB, PPIM_REFRESH_BANK_STAGGERED, PART(HBM_REFRESH) },
		{ PPIM_IDD5AB, PPIM_REFRESH_RANK_STAGGERED, PART(HBM_REFRESH) },
		{ PPIM_IDD5AB, PPIM_REFRESH_NONE, 0 },
		{ PPIM_IDD0, PPIM_REFRESH_NONE, PART(HBM_ACTIVATE) },
		{ PPIM_IDD4R, PPIM_REFRESH_NONE, PART(HBM_READ) },
		{ PPIM_IDD4W, PPIM_REFRESH_NONE, PART(HBM_WRITE) },
		{ PPIM_IDD2N, PPIM_REFRESH_NONE,
		  PART(HBM_ACTIVATE) | PART(HBM_STANDBY) },
	};
	uint64_t pj[PPIM_PART_COUNT], sum;
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t dimm, i, k;

	(void)state;
	for (i = 0; i < 2 * sizeof(of) / sizeof(of[0]); i++) {
		struct ppim_spec *spec;

		dimm = i & 1;
		no_refresh(&s);
		spec = dimm ? &s.dimm : &s.hbm;
		spec->refresh = of[i / 2].refresh;
		spec->power.present &= ~(1u << of[i / 2].current);
		e = fx_engine(&s);
		assert_int_equal(
			ppim_engine_energy_missing(e),
			of[i / 2].parts
				<< (dimm ? PPIM_PART_DIMM_ACTIVATE : 0));
		fx_run(e, PPIM_ARCH_BGPIM,
		       "HBM RD 0x0 4\nHBM CW 0x4000 1\nDIMM RD 0x0 4\n"
		       "DIMM CW 0x40000 1",
		       &a);
		ppim_engine_energy(e, pj);
		for (k = 0, sum = 0; k < PPIM_PART_COUNT; k++) {
			if (ppim_engine_energy_missing(e) >> k & 1)
				assert_int_equal(pj[k], 0);
			sum += pj[k];
		}
		assert_int_equal(a.energy_pj, sum);
		check_classes(&a, pj);
		ppim_engine_free(e);
	}
}

/* Idle time before a batch is not its own, nor are refreshes that fall due
 * then; those of all eight ranks that do while it runs are. */
static void refreshes_of_idle_time_are_charged_to_nobody(void **state)
{
	const double refresh = 1.2 * (250 - 55) * 260;
	struct ppim_annotation a, b;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	s.config.dimm_bytes = 0;
	e = fx_engine(&s);
	fx_run(e, PPIM_ARCH_BGPIM, "HBM RD 0x0 1", &a);
	fx_run(e, PPIM_ARCH_BGPIM, "@ 5000 0\nHBM RD 0x8000 1", &b);
	assert_int_equal(b.energy_pj, a.energy_pj);
	fx_run(e, PPIM_ARCH_BGPIM, "@ 1000000000 0\nHBM RD 0x0 1", &b);
	assert_int_equal(b.energy_pj, a.energy_pj);
	/* the 256411th is due at 1.0000029 s, when the row is open */
	fx_run(e, PPIM_ARCH_BGPIM, "@ 1000002880 0\nHBM RD 0x4000 1", &b);
	assert_int_equal(b.cycles, a.cycles);
	assert_in_range(b.energy_pj, a.energy_pj + 8 * refresh - 1,
			a.energy_pj + 8 * refresh + 1);
	ppim_engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unloaded_read_is_trcd_cl_and_burst),
		cmocka_unit_test(open_row_needs_no_activation),
		cmocka_unit_test(rows_of_one_bank_are_trc_apart),
		cmocka_unit_test(a_long_train_holds_its_bank_open),
		cmocka_unit_test(activations_of_a_bank_group_are_trrd_l_apart),
		cmocka_unit_test(bank_groups_do_not_bind_each_other),
		cmocka_unit_test(four_rows_per_tfaw_and_rank),
		cmocka_unit_test(
			long_rows_are_bound_by_the_bank_groups_columns),
		cmocka_unit_test(row_hits_pass_a_miss_at_most_four_times),
		cmocka_unit_test(macs_bound_heavy_reads),
		cmocka_unit_test(refresh_takes_trfc_of_every_trefi),
		cmocka_unit_test(
			an_instruction_takes_its_share_of_the_command_bus),
		cmocka_unit_test(
			tr_takes_the_bus_for_each_bank_group_that_holds_a_sum),
		cmocka_unit_test(tr_of_a_bag_that_nobody_holds_is_free),
		cmocka_unit_test(channels_drain_side_by_side),
		cmocka_unit_test(a_bags_drain_overlaps_the_next_bags_reads),
		cmocka_unit_test(
			a_move_is_a_read_and_n_bursts_at_the_destination),
		cmocka_unit_test(a_row_that_was_written_recovers),
		cmocka_unit_test(moves_share_the_channels_bus),
		cmocka_unit_test(a_prefetch_is_read_by_all_bank_groups_at_once),
		cmocka_unit_test(a_prefetch_hides_behind_the_drain_before_it),
		cmocka_unit_test(
			a_phase_waits_for_the_one_before_unless_told_otherwise),
		cmocka_unit_test(two_sets_of_sums_let_a_bank_group_go_on),
		cmocka_unit_test(a_batch_begins_when_it_arrives),
		cmocka_unit_test(a_cold_row_crosses_dimm_bus_and_interface),
		cmocka_unit_test(cold_rows_are_no_faster_than_the_interface),
		cmocka_unit_test(dimm_streams_at_its_bus_rate),
		cmocka_unit_test(hbm_and_dimm_work_at_the_same_time),
		cmocka_unit_test(the_base_die_reads_over_the_channels_bus),
		cmocka_unit_test(a_link_costs_its_latency_and_bandwidth),
		cmocka_unit_test(
			the_host_is_bound_by_cache_misses_and_arithmetic),
		cmocka_unit_test(every_hbm_reads_at_its_own_rates),
		cmocka_unit_test(channels_do_not_bind_each_other),
		cmocka_unit_test(random_reads_come_near_their_bound),
		cmocka_unit_test(drains_are_counted_by_holder_and_channel),
		cmocka_unit_test(the_activation_window_binds_prefetches),
		cmocka_unit_test(
			what_the_host_reads_is_one_stream_of_activations),
		cmocka_unit_test(a_broadcast_is_sent_once),
		cmocka_unit_test(per_bank_refresh_takes_its_bank_alone),
		cmocka_unit_test(energy_is_what_the_currents_say),
		cmocka_unit_test(every_part_of_energy_is_what_was_done),
		cmocka_unit_test(refreshes_are_charged_by_memory),
		cmocka_unit_test(
			a_part_without_its_currents_is_left_out_and_named),
		cmocka_unit_test(refreshes_of_idle_time_are_charged_to_nobody),
	};

	return cmocka_run_group_tests_name("pim_theory", tests, NULL, NULL);
}
