// SPDX-License-Identifier: MIT
/*
 * The DRAM model against arithmetic, for every specification that is shipped:
 * latency, cadences, bandwidth, refresh, energy. And what does not depend on
 * the specification: requests that meet, idle time, instances of the
 * scheduler.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dram_fixture.h"
#include "dram_int.h"

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint64_t at(const struct ppim_spec *s, uint32_t bg, uint32_t ba,
		   uint32_t ro, uint32_t co)
{
	const struct ppim_loc loc = { { [PPIM_BG] = bg, [PPIM_BA] = ba,
					[PPIM_RO] = ro, [PPIM_CO] = co } };

	return ppim_addr_encode(&s->map, &loc);
}

static void submit(struct ppim_dram *m, uint64_t addr, bool write,
		   uint64_t cycle)
{
	struct ppim_dram_req req = { .addr = addr,
				     .cycle = cycle & INT64_MAX,
				     .write = write };

	ppim_dram_submit(m, &req, 1);
}

/* ---- theory --------------------------------------------------------------- */

/* Address of the i-th read of a pattern. */
typedef uint64_t pattern(const struct ppim_spec *s, uint32_t i);

/* Clocks until n reads of the pattern are done. */
static uint64_t clocks(const struct ppim_spec *s, pattern *p, uint32_t n)
{
	struct ppim_dram *m = fx_dram(s, 0);
	uint64_t end;
	uint32_t i;

	for (i = 0; i < n; i++)
		submit(m, p(s, i), false, 0);
	end = ppim_dram_drain(m);
	ppim_dram_free(m);
	return end;
}

#define FOR_EACH_SHIPPED(spec) \
	for (uint32_t i_ = 0; fx_shipped(i_, spec); i_++)

/* What does not begin or end counts: n more reads take so much longer. */
static uint64_t cadence(struct ppim_spec *s, pattern *p, uint32_t from,
			uint32_t n)
{
	s->refresh = PPIM_REFRESH_NONE;
	return clocks(s, p, from + n) - clocks(s, p, from);
}

static uint64_t of_one_row(const struct ppim_spec *s, uint32_t i)
{
	return at(s, 0, 0, 5, i);
}

/* A clock to come from the transaction queue, then the constraints. */
static void unloaded_read_latency_is_trcd_cl_and_burst(void **state)
{
	struct ppim_dram_stats st;
	struct ppim_spec s;
	struct ppim_dram *m;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		m = fx_dram(&s, 0);
		submit(m, of_one_row(&s, 0), false, 100);
		assert_int_equal(ppim_dram_drain(m),
				 100 + 2 + s.t.trcd_rd + s.t.cl + s.t.burst);
		ppim_dram_stats(m, &st);
		assert_int_equal(st.read_latency,
				 1 + s.t.trcd_rd + s.t.cl + s.t.burst);
		ppim_dram_free(m);
	}
}

/* Bank groups in turn, rows open: the data bus is never idle. */
static uint64_t of_all_groups(const struct ppim_spec *s, uint32_t i)
{
	return at(s, i % s->bankgroups, 0, 5, i / s->bankgroups);
}

static void streaming_reads_reach_the_peak(void **state)
{
	struct ppim_spec s;
	uint32_t n;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		n = s.bankgroups * s.bursts_per_row / 2;
		assert_int_equal(cadence(&s, of_all_groups, n, n),
				 n * greater(s.t.burst, s.t.tccd_s));
	}
}

static void row_hits_of_a_bank_are_tccd_l_apart(void **state)
{
	struct ppim_spec s;

	(void)state;
	FOR_EACH_SHIPPED(&s)
		assert_int_equal(cadence(&s, of_one_row, 8, 8),
				 8 * greater(s.t.burst, s.t.tccd_l));
}

static uint64_t of_rows_of_a_bank(const struct ppim_spec *s, uint32_t i)
{
	return at(s, 0, 0, i, 0);
}

static void row_conflicts_of_a_bank_are_a_row_cycle_apart(void **state)
{
	struct ppim_spec s;
	uint32_t open;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		open = greater(s.t.tras, s.t.trcd_rd + s.t.trtp);
		assert_int_equal(cadence(&s, of_rows_of_a_bank, 20, 50),
				 50 * greater(s.t.trc, open + s.t.trp));
	}
}

/* All banks in turn, a new row each time, bank groups alternating. */
static uint64_t of_rows_of_all_banks(const struct ppim_spec *s, uint32_t i)
{
	uint32_t n = i / s->bankgroups;

	return at(s, i % s->bankgroups, n % s->banks_per_group,
		  n / s->banks_per_group, 0);
}

struct activations {
	uint64_t at[400];
	uint32_t n;
};

static void activation_event(void *arg, const struct ppim_dram_event *ev)
{
	struct activations *a = arg;

	if (ev->cmd == PPIM_CMD_ACT && a->n < 400)
		a->at[a->n++] = ev->cycle;
}

static void random_reads_are_bound_by_the_activation_window(void **state)
{
	struct activations a;
	struct ppim_dram *m;
	struct ppim_spec s;
	uint32_t i;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		s.refresh = PPIM_REFRESH_NONE;
		a.n = 0;
		m = fx_dram(&s, 0);
		ppim_dram_observe(m, activation_event, &a);
		for (i = 0; i < 400; i++)
			submit(m, of_rows_of_all_banks(&s, i), false, 0);
		ppim_dram_drain(m);
		assert_int_equal(a.n, 400);
		assert_int_equal(a.at[320] - a.at[80],
				 60 * greater(s.t.tfaw, 4 * s.t.trrd_s));
		ppim_dram_free(m);
	}
}

/* ---- refresh -------------------------------------------------------------- */

struct around {
	const struct ppim_spec *s;
	uint64_t last[PPIM_CMD_COUNT]; /* of channel and rank 0 */
	uint64_t read_before, read_after, refresh;
	uint32_t refreshes;
};

static void around_refresh(void *arg, const struct ppim_dram_event *ev)
{
	struct around *a = arg;

	if (ev->loc.f[PPIM_CH] || ev->loc.f[PPIM_RA])
		return;
	if (ev->cmd == PPIM_CMD_REF && !a->refreshes++) {
		a->refresh = ev->cycle;
		a->read_before = a->last[PPIM_CMD_RD];
		assert_int_equal(ev->cycle, a->last[PPIM_CMD_PRE] + a->s->t.trp);
	}
	if (ev->cmd == PPIM_CMD_RD && a->refreshes && !a->read_after)
		a->read_after = ev->cycle;
	a->last[ev->cmd] = ev->cycle;
}

/*
 * Row hits without end. When a refresh is due the row is closed as soon as tRTP
 * allows, after tRP it is refreshed, and tRFC and tRCD later reads go on.
 */
static void a_refresh_takes_what_the_formula_says(void **state)
{
	struct around a;
	struct ppim_dram *m;
	struct ppim_spec s;
	uint64_t due, pre;
	uint32_t i;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		memset(&a, 0, sizeof(a));
		a.s = &s;
		m = fx_dram(&s, 1);
		ppim_dram_observe(m, around_refresh, &a);
		for (i = 0; i < 20000 && !a.read_after; i++)
			submit(m, of_one_row(&s, i % 8), false, 0);
		ppim_dram_drain(m);
		due = s.t.trefi / s.ranks;
		pre = a.read_before + s.t.trtp;
		pre = pre > due ? pre : due;
		assert_int_equal(a.refresh, pre + s.t.trp);
		assert_int_equal(a.read_after,
				 a.refresh + s.t.trfc + s.t.trcd_rd);
		ppim_dram_free(m);
	}
}

static uint64_t of_groups_and_rows(const struct ppim_spec *s, uint32_t i)
{
	uint32_t n = i / s->bankgroups;

	return at(s, i % s->bankgroups, n / s->bursts_per_row % 2,
		  n / s->bursts_per_row / 2, n % s->bursts_per_row);
}

/* Streaming over ten tREFI: what refreshes take is their share of the time. */
static void refreshes_cost_their_share_of_the_bandwidth(void **state)
{
	struct ppim_spec s, without;
	double lost, want;
	uint64_t with, free;
	uint32_t n;

	(void)state;
	FOR_EACH_SHIPPED(&s) {
		without = s;
		without.refresh = PPIM_REFRESH_NONE;
		n = 10 * s.t.trefi / greater(s.t.burst, s.t.tccd_s);
		free = clocks(&without, of_groups_and_rows, n);
		with = clocks(&s, of_groups_and_rows, n);
		lost = (double)(with - free) / (double)with;
		want = (double)(s.t.trfc + s.t.trp + s.t.trcd_rd) /
		       (double)s.t.trefi;
		if (fabs(lost - want) > 0.15 * want)
			fail_msg("%s: %.4f of the time is lost, %.4f expected",
				 s.name, lost, want);
	}
}

/* ---- requests that meet --------------------------------------------------- */

struct meeting {
	struct ppim_spec s;
	struct ppim_dram *m;
	struct ppim_dram_stats st;
	enum ppim_dram_cmd column[8];
	uint32_t n;
};

static void meeting_event(void *arg, const struct ppim_dram_event *ev)
{
	struct meeting *t = arg;

	if ((ev->cmd == PPIM_CMD_RD || ev->cmd == PPIM_CMD_WR) && t->n < 8)
		t->column[t->n++] = ev->cmd;
}

static void meeting_begin(struct meeting *t)
{
	memset(t, 0, sizeof(*t));
	fx_spec("HBM2_4Gb_x128", &t->s);
	t->m = fx_dram(&t->s, 0);
	ppim_dram_observe(t->m, meeting_event, t);
}

static void meeting_end(struct meeting *t)
{
	/* A read far away lets what waits in the memory happen. */
	submit(t->m, t->s.bytes / 2, false, 100000);
	ppim_dram_drain(t->m);
	ppim_dram_stats(t->m, &t->st);
	ppim_dram_free(t->m);
}

static void reads_of_one_address_share_a_burst(void **state)
{
	struct meeting t;

	(void)state;
	meeting_begin(&t);
	submit(t.m, 0x400, false, 0);
	submit(t.m, 0x400, false, 0);
	submit(t.m, 0x400, false, 9);
	assert_int_equal(ppim_dram_drain(t.m), 2 + 14 + 14 + 2);
	meeting_end(&t);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.st.joined_reads, 2);
	assert_int_equal(t.st.reads, 4);
	assert_int_equal(t.st.read_latency, 31 + 31 + 22 + 31);
}

static void a_read_of_a_waiting_write_is_answered_in_a_clock(void **state)
{
	struct meeting t;

	(void)state;
	meeting_begin(&t);
	submit(t.m, 0x400, true, 0);
	submit(t.m, 0x400, false, 5);
	assert_int_equal(ppim_dram_drain(t.m), 5 + 2);
	meeting_end(&t);
	assert_int_equal(t.st.forwarded_reads, 1);
	assert_int_equal(t.st.read_latency, 1 + 31);
}

static void writes_of_one_address_merge(void **state)
{
	struct meeting t;
	uint32_t i;

	(void)state;
	meeting_begin(&t);
	for (i = 0; i < 5; i++)
		submit(t.m, 0x400, true, i);
	for (i = 0; i < 8; i++) /* nine wait, and are written */
		submit(t.m, 0x100000 + (uint64_t)i * 0x20000, true, i);
	meeting_end(&t);
	assert_int_equal(t.st.merged_writes, 4);
	assert_int_equal(t.st.writes, 13);
	assert_int_equal(t.st.cmds[PPIM_CMD_WR], 9);
}

/* The write has priority, but the read came before it. */
static void a_write_does_not_pass_an_earlier_read(void **state)
{
	struct meeting t;
	uint32_t i;

	(void)state;
	meeting_begin(&t);
	submit(t.m, 0x400, false, 0);
	for (i = 0; i < 32; i++) /* a full queue drains at once */
		submit(t.m, 0x400 + (uint64_t)i * 8192 * 16, true, 0);
	meeting_end(&t);
	assert_int_equal(t.column[0], PPIM_CMD_RD);
	assert_int_equal(t.st.cmds[PPIM_CMD_WR], 32);
}

/* Rows that wait are served after four hits, not starved. */
static void a_row_that_waits_is_opened_after_four_hits(void **state)
{
	struct ppim_dram_stats st;
	struct ppim_spec s;
	struct ppim_dram *m;
	uint32_t i;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s);
	s.refresh = PPIM_REFRESH_NONE;
	s.t.tras = s.t.trcd_rd; /* so that nothing else holds the row open */
	s.t.trtp = 1;
	m = fx_dram(&s, 0);
	for (i = 0; i < 64; i++)
		submit(m, at(&s, 0, 0, i % 2, i / 2), false, 0);
	ppim_dram_drain(m);
	ppim_dram_stats(m, &st);
	assert_in_range(st.cmds[PPIM_CMD_ACT], 64 / 4, 64 / 4 + 1);
	ppim_dram_free(m);
}

/* ---- energy --------------------------------------------------------------- */

static void close_to(double got, double want)
{
	if (fabs(got - want) > 1e-9 * fabs(want))
		fail_msg("got %.6f, expected %.6f", got, want);
}

/* V x mA x ns is pJ; by hand from the data sheets' figures. */
static void energies_are_volts_by_milliamperes_by_nanoseconds(void **state)
{
	struct ppim_energy_model e;
	struct ppim_spec s;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s);
	ppim_energy_model(&s, &e);
	close_to(e.act_pj, 1.2 * (65 * 48 - 55 * 34 - 40 * 14));
	close_to(e.read_pj, 1.2 * (390 - 55) * 2);
	close_to(e.write_pj, 1.2 * (500 - 55) * 2);
	close_to(e.refresh_pj, 1.2 * (250 - 55) * 260);
	close_to(e.active_pj, 1.2 * 55);
	close_to(e.idle_pj, 1.2 * 40);
	assert_int_equal(e.missing, 1u << PPIM_ENERGY_REFRESH_BANK);

	/* eight devices, a clock of 0.63 ns */
	fx_spec("DDR4_8Gb_x8_3200", &s);
	ppim_energy_model(&s, &e);
	close_to(e.act_pj, 8 * 0.63 * 1.2 * (57 * 74 - 52 * 52 - 37 * 22));
	close_to(e.read_pj, 8 * 0.63 * 1.2 * (168 - 52) * 4);
	close_to(e.refresh_pj, 8 * 0.63 * 1.2 * (250 - 52) * 560);
	close_to(e.idle_pj, 8 * 0.63 * 1.2 * 37);
}

static void energy_is_the_sum_of_what_was_done(void **state)
{
	struct ppim_energy_model e;
	struct ppim_dram_stats st;
	struct ppim_energy sum;
	struct ppim_spec s;
	struct ppim_dram *m;
	uint32_t i;

	(void)state;
	fx_spec("DDR4_8Gb_x8_3200", &s);
	m = fx_dram(&s, 0);
	for (i = 0; i < 500; i++)
		submit(m, (uint64_t)i * 12288, i % 3 == 0, i * 40);
	ppim_dram_drain(m);
	ppim_dram_stats(m, &st);
	ppim_energy_model(&s, &e);
	ppim_dram_energy(&s, &st, &sum);
	assert_int_equal(sum.missing, 0);
	assert_int_equal(st.rank_clocks, 2 * st.end);
	assert_true(st.active_clocks > 0 && st.active_clocks < st.rank_clocks);
	close_to(sum.total_pj,
		 (double)st.cmds[PPIM_CMD_ACT] * e.act_pj +
			 (double)st.cmds[PPIM_CMD_RD] * e.read_pj +
			 (double)st.cmds[PPIM_CMD_WR] * e.write_pj +
			 (double)st.cmds[PPIM_CMD_REF] * e.refresh_pj +
			 (double)st.active_clocks * e.active_pj +
			 (double)(st.rank_clocks - st.active_clocks) *
				 e.idle_pj);
	ppim_dram_free(m);
}

/* Rank clocks with an open row, from the commands. */
struct standby {
	const struct ppim_spec *s;
	uint64_t since[64], active;
	uint32_t open[64];
};

static void standby_event(void *arg, const struct ppim_dram_event *ev)
{
	struct standby *t = arg;
	uint32_t r = ev->loc.f[PPIM_CH] * t->s->ranks + ev->loc.f[PPIM_RA];

	if (ev->cmd == PPIM_CMD_ACT && !t->open[r]++)
		t->since[r] = ev->cycle;
	if (ev->cmd == PPIM_CMD_PRE && !--t->open[r])
		t->active += ev->cycle - t->since[r];
}

static void clocks_with_an_open_row_are_counted(void **state)
{
	struct standby t = { 0 };
	struct ppim_dram_stats st;
	struct ppim_spec s;
	struct ppim_dram *m;
	uint32_t i, r;

	(void)state;
	fx_spec("DDR4_8Gb_x8_3200", &s);
	t.s = &s;
	m = fx_dram(&s, 0);
	ppim_dram_observe(m, standby_event, &t);
	for (i = 0; i < 3000; i++)
		submit(m, dram_fx_hash(i) % s.bytes & ~63ull, i % 3 == 0, 0);
	ppim_dram_drain(m);
	ppim_dram_stats(m, &st);
	for (r = 0; r < s.ranks; r++)
		if (t.open[r])
			t.active += st.end - t.since[r];
	assert_int_equal(st.active_clocks, t.active);
	ppim_dram_free(m);
}

static void a_current_that_is_missing_leaves_its_class_out_by_name(void **state)
{
	const uint32_t counts = 7;
	struct ppim_dram_stats st = { .rank_clocks = 100, .active_clocks = 60 };
	struct ppim_energy e;
	struct ppim_spec s;
	uint32_t i;

	(void)state;
	for (i = 0; i < PPIM_CMD_COUNT; i++)
		st.cmds[i] = counts;
	fx_spec("HBM2_4Gb_x128", &s);
	ppim_dram_energy(&s, &st, &e);
	assert_int_equal(e.missing, 1u << PPIM_ENERGY_REFRESH_BANK);
	assert_string_equal(ppim_energy_class_name(PPIM_ENERGY_REFRESH_BANK),
			    "refresh_bank");
	assert_string_equal(ppim_energy_class_needs(PPIM_ENERGY_REFRESH_BANK),
			    "VDD IDD5PB IDD3N");
	s.power.present &= ~(1u << PPIM_IDD4R);
	ppim_dram_energy(&s, &st, &e);
	assert_int_equal(e.missing, 1u << PPIM_ENERGY_REFRESH_BANK |
					    1u << PPIM_ENERGY_READ);
	assert_true(e.pj[PPIM_ENERGY_READ] == 0);
	/* what was not used is not missed */
	st.cmds[PPIM_CMD_RD] = st.cmds[PPIM_CMD_REFB] = 0;
	ppim_dram_energy(&s, &st, &e);
	assert_int_equal(e.missing, 0);
	/* never below nothing */
	s.power.idd_ma[PPIM_IDD5AB] = 1;
	ppim_dram_energy(&s, &st, &e);
	assert_true(e.pj[PPIM_ENERGY_REFRESH] == 0);
	s.power.vdd_present = false;
	ppim_dram_energy(&s, &st, &e);
	assert_true(e.total_pj == 0 && e.missing);
}

/* ---- ways to the same result ---------------------------------------------- */

static void assert_same(struct ppim_dram *a, struct ppim_dram *b)
{
	size_t bytes = ppim_dram_state_size(a);
	char *x = malloc(bytes), *y = malloc(bytes);

	assert_non_null(x);
	assert_non_null(y);
	ppim_dram_save(a, x);
	ppim_dram_save(b, y);
	assert_memory_equal(x, y, bytes);
	free(x);
	free(y);
}

static void run_both(struct ppim_dram *a, struct ppim_dram *b,
		     const struct ppim_spec *s, const struct fx_mix *mix)
{
	struct fx_random r = fx_random(mix, s);
	struct ppim_dram_req req;
	uint32_t i;

	for (i = 0; i < 4000; i++) {
		fx_next(&r, &req);
		ppim_dram_submit(a, &req, 1);
		ppim_dram_submit(b, &req, 1);
	}
	assert_int_equal(ppim_dram_drain(a), ppim_dram_drain(b));
	assert_same(a, b);
	ppim_dram_free(a);
	ppim_dram_free(b);
}

static void run_both_instances(const struct dram_sched *sched,
			       const struct ppim_spec *s, uint32_t inject,
			       const struct fx_mix *mix)
{
	struct ppim_dram *a = fx_dram(s, inject), *b = fx_dram(s, inject);

	a->sched = &dram_sched_plain;
	b->sched = sched;
	run_both(a, b, s, mix);
}

static void run_instance(const struct dram_sched *sched)
{
	struct ppim_spec s;
	uint32_t i, k;

	for (k = 0; k < fx_mixes_n; k++) {
		for (i = 0; fx_shipped(i, &s); i++)
			run_both_instances(sched, &s, (i + k) % 3,
					   &fx_mixes[k]);
		for (i = 0; fx_variant(i, &s); i++)
			run_both_instances(sched, &s, (i + k) % 3,
					   &fx_mixes[k]);
	}
}

static void the_scheduler_without_vectors_does_the_same(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < DRAM_SCHEDS; i++)
		if (dram_scheds[i]->usable())
			run_instance(dram_scheds[i]);
}

/* The scheduler for a channel of many banks, with those for fewer. */
static void every_shape_does_the_same(void **state)
{
	struct ppim_dram *a, *b;
	struct ppim_spec s;
	uint32_t i, k;

	(void)state;
	for (k = 0; k < fx_mixes_n; k++)
		for (i = 0; fx_shipped(i, &s); i++) {
			a = fx_dram(&s, 0);
			b = fx_dram(&s, 0);
			assert_int_not_equal(a->cfg.shape, DRAM_SHAPE_64);
			a->cfg.shape = DRAM_SHAPE_64;
			run_both(a, b, &s, &fx_mixes[k]);
		}
}

static void look_on(void *arg, const struct ppim_dram_event *ev)
{
	(void)ev;
	++*(uint64_t *)arg;
}

/* Time without work is skipped unless somebody looks on. */
static void time_that_is_skipped_counts_as_if_it_was_not(void **state)
{
	const struct fx_mix lazy = { "lazy", 0, 3, 30, 2000, 4000000 };
	struct ppim_dram_stats st;
	struct ppim_dram *a, *b;
	uint64_t seen, sum;
	struct ppim_spec s;
	uint32_t i, k;

	(void)state;
	for (i = 0; fx_shipped(i, &s) || fx_variant(i - 6, &s); i++) {
		struct fx_random r = fx_random(&lazy, &s);
		struct ppim_dram_req req;

		seen = sum = 0;
		a = fx_dram(&s, 1);
		b = fx_dram(&s, 1);
		ppim_dram_observe(b, look_on, &seen);
		for (k = 0; k < 300; k++) {
			fx_next(&r, &req);
			ppim_dram_submit(a, &req, 1);
			ppim_dram_submit(b, &req, 1);
		}
		assert_int_equal(ppim_dram_drain(a), ppim_dram_drain(b));
		ppim_dram_stats(b, &st);
		for (k = 0; k < PPIM_CMD_COUNT; k++)
			sum += st.cmds[k];
		assert_int_equal(seen, sum);
		/* bases differ, nothing else does */
		ppim_dram_stats(a, &st);
		for (k = 0; k < PPIM_CMD_COUNT; k++)
			sum -= st.cmds[k];
		assert_int_equal(sum, 0);
		ppim_dram_free(a);
		ppim_dram_free(b);
	}
	assert_int_equal(i, 20);
}

static void a_request_may_come_at_the_end_of_all_days(void **state)
{
	struct ppim_spec s;
	struct ppim_dram *m;
	uint32_t i;

	(void)state;
	for (i = 0; fx_shipped(i, &s) || fx_variant(i - 6, &s); i++) {
		m = fx_dram(&s, 0);
		submit(m, 0, false, 3);
		submit(m, 0x10000, true, 3);
		submit(m, 0x1000, false, 1ull << 60);
		assert_in_range(ppim_dram_drain(m) - (1ull << 60), 20, 2000);
		ppim_dram_free(m);
	}
}

static void a_request_of_the_past_is_due_at_once(void **state)
{
	struct ppim_spec s;
	struct ppim_dram *m;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &s);
	m = fx_dram(&s, 0);
	assert_int_equal(ppim_dram_drain(m), 0);
	submit(m, 0, false, 1000);
	submit(m, 0x40, false, 10);
	assert_in_range(ppim_dram_drain(m), 1032, 1040);
	ppim_dram_free(m);
}

/* ---- what is not modelled ------------------------------------------------- */

static void refused(const struct ppim_spec *s, const char *why)
{
	struct ppim_dram *m = NULL;
	struct ppim_diag diag = { "" };

	assert_int_equal(ppim_dram_create(s, 0, &m, &diag), -EOPNOTSUPP);
	assert_int_equal(ppim_dram_create(s, 0, &m, NULL), -EOPNOTSUPP);
	assert_null(m);
	if (!strstr(diag.msg, why) || !strstr(diag.msg, "HBM2_4Gb_x128"))
		fail_msg("'%s' does not say '%s'", diag.msg, why);
}

static void what_is_not_modelled_is_refused_by_name(void **state)
{
	struct ppim_spec spec, s;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &spec);
	s = spec;
	s.queues = PPIM_QUEUE_PER_RANK;
	refused(&s, "queue_structure");
	s = spec;
	s.ranks = 8;
	refused(&s, "64 banks");
	s = spec;
	s.cmd_queue_size = 17;
	refused(&s, "cmd_queue_size");
	s = spec;
	s.trans_queue_size = 257;
	refused(&s, "trans_queue_size");
	s = spec;
	s.t.trfc = 16001;
	refused(&s, "16000 clocks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unloaded_read_latency_is_trcd_cl_and_burst),
		cmocka_unit_test(streaming_reads_reach_the_peak),
		cmocka_unit_test(row_hits_of_a_bank_are_tccd_l_apart),
		cmocka_unit_test(row_conflicts_of_a_bank_are_a_row_cycle_apart),
		cmocka_unit_test(
			random_reads_are_bound_by_the_activation_window),
		cmocka_unit_test(a_refresh_takes_what_the_formula_says),
		cmocka_unit_test(refreshes_cost_their_share_of_the_bandwidth),
		cmocka_unit_test(reads_of_one_address_share_a_burst),
		cmocka_unit_test(
			a_read_of_a_waiting_write_is_answered_in_a_clock),
		cmocka_unit_test(writes_of_one_address_merge),
		cmocka_unit_test(a_write_does_not_pass_an_earlier_read),
		cmocka_unit_test(a_row_that_waits_is_opened_after_four_hits),
		cmocka_unit_test(
			energies_are_volts_by_milliamperes_by_nanoseconds),
		cmocka_unit_test(energy_is_the_sum_of_what_was_done),
		cmocka_unit_test(clocks_with_an_open_row_are_counted),
		cmocka_unit_test(
			a_current_that_is_missing_leaves_its_class_out_by_name),
		cmocka_unit_test(the_scheduler_without_vectors_does_the_same),
		cmocka_unit_test(every_shape_does_the_same),
		cmocka_unit_test(time_that_is_skipped_counts_as_if_it_was_not),
		cmocka_unit_test(a_request_may_come_at_the_end_of_all_days),
		cmocka_unit_test(a_request_of_the_past_is_due_at_once),
		cmocka_unit_test(what_is_not_modelled_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
