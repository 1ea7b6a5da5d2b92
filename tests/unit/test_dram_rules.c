// SPDX-License-Identifier: MIT
/*
 * The DRAM model's commands against the constraints of its specification: each
 * one alone, at the earliest legal clock, and all of them over random streams,
 * by a checker that shares nothing with the model but the specification.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dram_fixture.h"

/* ---- a log of commands ---------------------------------------------------- */

struct log {
	struct ppim_dram_event *ev;
	size_t n, room;
};

static void log_event(void *arg, const struct ppim_dram_event *ev)
{
	struct log *l = arg;

	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		l->ev = realloc(l->ev, l->room * sizeof(*l->ev));
		assert_non_null(l->ev);
	}
	l->ev[l->n++] = *ev;
}

/* ---- one constraint at a time --------------------------------------------- */

struct rule {
	struct ppim_spec spec;
	struct ppim_dram *m;
	struct log log;
};

/* One transaction at a time moves, so that writes go as they come. */
static void rule_begin(struct rule *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	fx_spec(name, &r->spec);
	r->spec.refresh = PPIM_REFRESH_NONE;
	r->spec.trans_queue_size = 1;
	r->spec.dual_cmd = false;
}

static void rule_request(struct rule *r, bool write, uint32_t ra, uint32_t bg,
			 uint32_t ba, uint32_t ro, uint32_t co)
{
	struct ppim_loc loc = { { [PPIM_RA] = ra, [PPIM_BG] = bg,
				  [PPIM_BA] = ba, [PPIM_RO] = ro,
				  [PPIM_CO] = co } };
	struct ppim_dram_req req = { .addr = ppim_addr_encode(&r->spec.map,
							      &loc),
				     .write = write };

	if (!r->m) {
		r->m = fx_dram(&r->spec, 0);
		ppim_dram_observe(r->m, log_event, &r->log);
	}
	ppim_dram_submit(r->m, &req, 1);
}

#define READ(r, ...)  rule_request(r, false, __VA_ARGS__)
#define WRITE(r, ...) rule_request(r, true, __VA_ARGS__)

/* The number, among its kind, of the last command before the first refresh. */
static uint32_t rule_last_before(const struct rule *r, enum ppim_dram_cmd cmd,
				 enum ppim_dram_cmd refresh)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < r->log.n && r->log.ev[i].cmd != refresh; i++)
		n += r->log.ev[i].cmd == cmd;
	assert_true(n && i < r->log.n);
	return n - 1;
}

/* The n-th command of its kind. */
static uint64_t rule_when(const struct rule *r, enum ppim_dram_cmd cmd,
			  uint32_t n)
{
	size_t i;

	for (i = 0; i < r->log.n; i++)
		if (r->log.ev[i].cmd == cmd && !n--)
			return r->log.ev[i].cycle;
	fail_msg("a command was not issued");
	return 0;
}

static void rule_end(struct rule *r)
{
	ppim_dram_free(r->m);
	free(r->log.ev);
}

/* Makes the model work off what was submitted; writes are done on admission,
 * so that a read far away drives time. */
static void rule_run(struct rule *r)
{
	struct ppim_dram_req late = { .addr = 0, .cycle = 40000 };

	ppim_dram_submit(r->m, &late, 1);
	ppim_dram_drain(r->m);
}

#define APART(r, a, na, b, nb, clocks)                               \
	do {                                                         \
		rule_run(r);                                         \
		assert_int_equal(rule_when(r, PPIM_CMD_##b, nb) -    \
					 rule_when(r, PPIM_CMD_##a, na), \
				 clocks);                            \
		rule_end(r);                                         \
	} while (0)

/* Every constraint on both kinds of memory, with values that bind. */
#define ON_BOTH(r, name)                                                  \
	for (const char *name = "HBM2_4Gb_x128"; name;                    \
	     name = *name == 'H' ? "DDR4_8Gb_x8_3200" : NULL)             \
		for (struct rule *once_ = (rule_begin(r, name), r); once_; \
		     once_ = NULL)

static void activations_of_a_bank_are_trc_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trc = 150;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 0, 2, 0);
		APART(&r, ACT, 0, ACT, 1, 150);
	}
}

static void activations_of_other_bank_groups_are_trrd_s_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trrd_s = 41;
		r.spec.t.trrd_l = 90;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 1, 0, 1, 0);
		APART(&r, ACT, 0, ACT, 1, 41);
	}
}

static void activations_of_a_bank_group_are_trrd_l_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trrd_l = 63;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 1, 1, 0);
		APART(&r, ACT, 0, ACT, 1, 63);
	}
}

static void the_fifth_activation_waits_for_tfaw(void **state)
{
	struct rule r;
	uint32_t i;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tfaw = 307;
		for (i = 0; i < 5; i++)
			READ(&r, 0, i % 4, i / 4, 1, 0);
		APART(&r, ACT, 0, ACT, 4, 307);
	}
}

static void the_33rd_activation_waits_for_t32aw(void **state)
{
	struct rule r;
	uint32_t i;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.t32aw = 2500;
		for (i = 0; i < 33; i++)
			READ(&r, 0, i % 4, i / 4 % 4, i, 0);
		APART(&r, ACT, 0, ACT, 32, 2500);
	}
}

static void another_rank_does_not_wait_for_an_activation(void **state)
{
	struct rule r;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.trrd_s = r.spec.t.trrd_l = r.spec.t.tfaw = 50;
	READ(&r, 0, 0, 0, 1, 0);
	READ(&r, 1, 0, 0, 1, 0);
	APART(&r, ACT, 0, ACT, 1, 1); /* the command bus alone */
}

static void a_read_follows_its_activation_by_trcd(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trcd_rd = 77;
		r.spec.t.trcd_wr = 55;
		READ(&r, 0, 0, 0, 1, 0);
		APART(&r, ACT, 0, RD, 0, 77);
	}
}

static void a_write_follows_its_activation_by_trcd(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trcd_rd = 77;
		r.spec.t.trcd_wr = 55;
		WRITE(&r, 0, 0, 0, 1, 0);
		APART(&r, ACT, 0, WR, 0, 55);
	}
}

static void additive_latency_moves_the_command_not_the_data(void **state)
{
	struct rule r;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.al = 9;
	READ(&r, 0, 0, 0, 1, 0);
	assert_int_equal(ppim_dram_drain(r.m),
			 2 + r.spec.t.trcd_rd + r.spec.t.cl + r.spec.t.burst);
	APART(&r, ACT, 0, RD, 0, r.spec.t.trcd_rd - 9);
}

static void additive_latency_delays_what_follows_a_write(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.al = 9;
	WRITE(&r, 0, 0, 0, 1, 0);
	APART(&r, ACT, 0, WR, 0, t->trcd_wr - 9);

	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.al = 9;
	WRITE(&r, 0, 0, 0, 1, 0);
	WRITE(&r, 0, 0, 0, 2, 0);
	APART(&r, WR, 0, PRE, 0, 9 + t->cwl + t->burst + t->twr);

	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.al = 9;
	r.spec.t.twtr_l = 70;
	WRITE(&r, 0, 0, 0, 1, 0);
	READ(&r, 0, 0, 1, 1, 0);
	APART(&r, WR, 0, RD, 0, 9 + t->cwl + t->burst + 70);

	/* both wait as long: between ranks it cancels out */
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.al = 9;
	r.spec.t.trtrs = 37;
	WRITE(&r, 0, 0, 0, 1, 0);
	READ(&r, 1, 0, 0, 1, 0);
	APART(&r, WR, 0, RD, 0, t->cwl + t->burst + 37 - t->cl);
}

static void a_row_stays_open_for_tras(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tras = 210;
		r.spec.t.trc = 260;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 0, 2, 0);
		APART(&r, ACT, 0, PRE, 0, 210);
	}
}

static void an_activation_follows_a_precharge_by_trp(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trp = 99;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 0, 2, 0);
		APART(&r, PRE, 0, ACT, 1, 99);
	}
}

static void reads_of_other_bank_groups_are_tccd_s_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tccd_s = 70;
		r.spec.t.tccd_l = 120;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 1, 0, 1, 0);
		APART(&r, RD, 0, RD, 1, 70);
	}
}

static void reads_of_a_bank_group_are_tccd_l_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tccd_l = 120;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 1, 1, 0);
		APART(&r, RD, 0, RD, 1, 120);
	}
}

static void a_burst_holds_the_bus_when_tccd_is_less(void **state)
{
	struct rule r;
	uint32_t i;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tccd_s = r.spec.t.tccd_l = 1;
		r.spec.t.burst = 16;
		for (i = 0; i < 2; i++)
			READ(&r, 0, 0, 0, 1, i);
		APART(&r, RD, 0, RD, 1, 16);
	}
}

static void writes_of_other_bank_groups_are_tccd_s_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tccd_s = 70;
		r.spec.t.tccd_l_wr = 120;
		WRITE(&r, 0, 0, 0, 1, 0);
		WRITE(&r, 0, 1, 0, 1, 0);
		APART(&r, WR, 0, WR, 1, 70);
	}
}

static void writes_of_a_bank_group_are_tccd_l_wr_apart(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tccd_l_wr = 131;
		WRITE(&r, 0, 0, 0, 1, 0);
		WRITE(&r, 0, 0, 1, 1, 0);
		APART(&r, WR, 0, WR, 1, 131);
	}
}

static void a_precharge_follows_a_read_by_trtp(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trtp = 83;
		READ(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 0, 2, 0);
		APART(&r, RD, 0, PRE, 0, 83);
	}
}

static void a_precharge_follows_a_writes_data_by_twr(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.twr = 61;
		WRITE(&r, 0, 0, 0, 1, 0);
		WRITE(&r, 0, 0, 0, 2, 0);
		APART(&r, WR, 0, PRE, 0,
		      r.spec.t.cwl + r.spec.t.burst + 61);
	}
}

static void a_read_follows_a_writes_data_by_twtr_s(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.twtr_s = 90;
		r.spec.t.twtr_l = 170;
		WRITE(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 1, 0, 1, 0);
		APART(&r, WR, 0, RD, 0, r.spec.t.cwl + r.spec.t.burst + 90);
	}
}

static void a_read_of_the_bank_group_follows_by_twtr_l(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.twtr_l = 170;
		WRITE(&r, 0, 0, 0, 1, 0);
		READ(&r, 0, 0, 1, 1, 0);
		APART(&r, WR, 0, RD, 0, r.spec.t.cwl + r.spec.t.burst + 170);
	}
}

static void a_write_follows_a_read_by_trtw(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trtw = 88;
		r.spec.unified_queue = true; /* the read goes first */
		READ(&r, 0, 0, 0, 1, 0);
		WRITE(&r, 0, 1, 0, 1, 0);
		APART(&r, RD, 0, WR, 0, 88);
	}
}

static void reads_of_other_ranks_are_a_burst_and_trtrs_apart(void **state)
{
	struct rule r;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.trtrs = 37;
	READ(&r, 0, 0, 0, 1, 0);
	READ(&r, 1, 0, 0, 1, 0);
	APART(&r, RD, 0, RD, 1, r.spec.t.burst + 37);
}

static void writes_of_other_ranks_are_a_burst_apart(void **state)
{
	struct rule r;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.burst = 24;
	WRITE(&r, 0, 0, 0, 1, 0);
	WRITE(&r, 1, 0, 0, 1, 0);
	APART(&r, WR, 0, WR, 1, 24);
}

static void a_write_of_another_rank_waits_for_the_bus(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.trtrs = 37;
	r.spec.unified_queue = true; /* the read goes first */
	READ(&r, 0, 0, 0, 1, 0);
	WRITE(&r, 1, 0, 0, 1, 0);
	APART(&r, RD, 0, WR, 0, t->cl + t->burst + 37 - t->cwl);
}

static void a_read_of_another_rank_waits_for_the_bus(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;

	(void)state;
	rule_begin(&r, "DDR4_8Gb_x8_3200");
	r.spec.t.trtrs = 37;
	WRITE(&r, 0, 0, 0, 1, 0);
	READ(&r, 1, 0, 0, 1, 0);
	APART(&r, WR, 0, RD, 0, t->cwl + t->burst + 37 - t->cl);
}

static void precharges_are_tppd_apart(void **state)
{
	struct rule r;
	uint32_t i;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.tppd = 44;
		for (i = 0; i < 4; i++)
			READ(&r, 0, i % 2, 0, i / 2, 0);
		APART(&r, PRE, 0, PRE, 1, 44);
	}
}

/* Requests of one row without end, around the first refresh. */
static void rule_refresh_of(struct rule *r, enum ppim_refresh_policy policy,
			    bool write)
{
	uint32_t i;

	r->spec.refresh = policy;
	r->spec.t.trefi = 1000;
	r->spec.t.trefib = 300;
	r->spec.t.trfcb = 160;
	for (i = 0; i < 2000; i++)
		rule_request(r, write, 0, 0, 0, 1, i % 16);
}

static void rule_refresh(struct rule *r, enum ppim_refresh_policy policy)
{
	rule_refresh_of(r, policy, false);
}

static void an_activation_follows_a_refresh_by_trfc(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trfc = 222;
		rule_refresh(&r, PPIM_REFRESH_RANK_STAGGERED);
		APART(&r, REF, 0, ACT, 1, 222);
	}
}

static void a_refresh_follows_a_precharge_by_trp(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.t.trfc = 222;
		r.spec.t.trp = 29;
		rule_refresh(&r, PPIM_REFRESH_RANK_STAGGERED);
		APART(&r, PRE, 0, REF, 0, 29);
	}
}

static void a_banks_refresh_follows_its_precharge_by_trp(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name)
	{
		r.spec.t.trp = 29;
		rule_refresh(&r, PPIM_REFRESH_BANK_STAGGERED);
		APART(&r, PRE, 0, REFB, 0, 29);
	}
}

/* ---- rows that close themselves -------------------------------------------
 */

static void rule_closed(struct rule *r, uint32_t al)
{
	r->spec.page = PPIM_CLOSE_PAGE;
	r->spec.t.al = al;
}

/* JEDEC's tRTP + tRP, and DRAMsim3's burst. */
static void a_closed_rows_activation_follows_a_read(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;
	uint32_t al;

	(void)state;
	for (al = 0; al < 10; al += 9)
		ON_BOTH(&r, name)
		{
			rule_closed(&r, al);
			r.spec.t.trtp = 83;
			READ(&r, 0, 0, 0, 1, 0);
			READ(&r, 0, 0, 0, 2, 0);
			APART(&r, RD, 0, ACT, 1, al + t->burst + 83 + t->trp);
		}
}

static void a_closed_rows_activation_follows_a_write(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;
	uint32_t al;

	(void)state;
	for (al = 0; al < 10; al += 9)
		ON_BOTH(&r, name)
		{
			rule_closed(&r, al);
			r.spec.t.twr = 61;
			WRITE(&r, 0, 0, 0, 1, 0);
			WRITE(&r, 0, 0, 0, 2, 0);
			APART(&r, WR, 0, ACT, 1,
			      al + t->cwl + t->burst + 61 + t->trp);
		}
}

/* Refreshes that fall due while rows still close. */
static void a_closed_rows_refresh_follows_a_read(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;
	uint32_t al, last;

	(void)state;
	for (al = 0; al < 10; al += 9)
		ON_BOTH(&r, name)
		{
			rule_closed(&r, al);
			r.spec.t.trtp = 400;
			rule_refresh(&r, PPIM_REFRESH_RANK_STAGGERED);
			last = rule_last_before(&r, PPIM_CMD_RD, PPIM_CMD_REF);
			APART(&r, RD, last, REF, 0, al + 400 + t->trp);
		}
	ON_BOTH(&r, name)
	{
		rule_closed(&r, 0);
		r.spec.t.trtp = 400;
		rule_refresh(&r, PPIM_REFRESH_BANK_STAGGERED);
		last = rule_last_before(&r, PPIM_CMD_RD, PPIM_CMD_REFB);
		APART(&r, RD, last, REFB, 0, 400 + t->trp);
	}
}

static void a_closed_rows_refresh_follows_a_write(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;
	uint32_t al, last;

	(void)state;
	for (al = 0; al < 10; al += 9)
		ON_BOTH(&r, name)
		{
			rule_closed(&r, al);
			r.spec.t.twr = 400;
			rule_refresh_of(&r, PPIM_REFRESH_RANK_STAGGERED, true);
			last = rule_last_before(&r, PPIM_CMD_WR, PPIM_CMD_REF);
			APART(&r, WR, last, REF, 0,
			      al + t->cwl + t->burst + 400 + t->trp);
		}
}

static void a_closed_rows_refresh_waits_until_it_was_open_for_tras(void **state)
{
	struct rule r;
	const struct ppim_timing *t = &r.spec.t;
	uint32_t last;

	(void)state;
	ON_BOTH(&r, name)
	{
		rule_closed(&r, 0);
		r.spec.t.tras = 700;
		r.spec.t.trc = 700 + t->trp;
		rule_refresh(&r, PPIM_REFRESH_RANK_STAGGERED);
		last = rule_last_before(&r, PPIM_CMD_ACT, PPIM_CMD_REF);
		APART(&r, ACT, last, REF, 0, 700 + t->trp);
	}
}

static void ranks_are_refreshed_every_trefi_in_turn(void **state)
{
	struct ppim_dram_req late = { .cycle = 20100 };
	struct rule r;
	uint32_t i, ranks;
	size_t n = 0;

	(void)state;
	ON_BOTH(&r, name) {
		r.spec.refresh = PPIM_REFRESH_RANK_STAGGERED;
		r.spec.t.trefi = 1000;
		ranks = r.spec.ranks;
		r.m = fx_dram(&r.spec, 0);
		ppim_dram_observe(r.m, log_event, &r.log);
		ppim_dram_submit(r.m, &late, 1);
		for (i = n = 0; i < r.log.n; i++) {
			const struct ppim_dram_event *ev = &r.log.ev[i];

			if (ev->loc.f[PPIM_CH])
				continue;
			n++;
			assert_int_equal(ev->cmd, PPIM_CMD_REF);
			assert_int_equal(ev->cycle, n * 1000 / ranks);
			assert_int_equal(ev->loc.f[PPIM_RA], (n - 1) % ranks);
		}
		assert_int_equal(n, 20 * ranks);
		rule_end(&r);
	}
}

static void a_bank_follows_its_refresh_by_trfcb(void **state)
{
	struct rule r;

	(void)state;
	ON_BOTH(&r, name) {
		rule_refresh(&r, PPIM_REFRESH_BANK_STAGGERED);
		APART(&r, REFB, 0, ACT, 1, 160);
	}
}

/* ---- all constraints over random streams ---------------------------------- */

#define HISTORY 700 /* commands looked back at */

struct check {
	const struct ppim_spec *spec;
	const struct ppim_dram_event *ev; /* of one channel */
	size_t n;
	uint32_t row[64];
};

static uint32_t bank_of(const struct check *c, const struct ppim_loc *l)
{
	return l->f[PPIM_RA] * c->spec->banks +
	       l->f[PPIM_BG] * c->spec->banks_per_group + l->f[PPIM_BA];
}

/* How near two commands are: 0 the same bank, 1 bank group, 2 rank, 3 neither. */
static int nearness(const struct ppim_loc *a, const struct ppim_loc *b)
{
	if (a->f[PPIM_RA] != b->f[PPIM_RA])
		return 3;
	if (a->f[PPIM_BG] != b->f[PPIM_BG])
		return 2;
	return a->f[PPIM_BA] != b->f[PPIM_BA];
}

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Least clocks between two column commands. */
static uint32_t column_rule(const struct ppim_timing *t, bool w0, bool w1,
			    int near, bool one_group)
{
	bool l = near < 2 && !one_group;
	uint32_t wl = t->al + t->cwl, rl = t->al + t->cl;

	if (near == 3 && w0 == w1)
		return t->burst + (w0 ? 0 : t->trtrs);
	if (near == 3)
		return w0 ? (wl + t->burst + t->trtrs > rl ?
				     wl + t->burst + t->trtrs - rl :
				     1) :
			    rl + t->burst + t->trtrs - wl;
	if (w0 && w1)
		return greater(t->burst, l ? t->tccd_l_wr : t->tccd_s);
	if (!w0 && !w1)
		return greater(t->burst, l ? t->tccd_l : t->tccd_s);
	return w0 ? wl + t->burst + (l ? t->twtr_l : t->twtr_s) : t->trtw;
}

static bool is_column(const struct ppim_dram_event *e)
{
	return e->cmd == PPIM_CMD_RD || e->cmd == PPIM_CMD_WR;
}

static bool is_refresh(const struct ppim_dram_event *e)
{
	return e->cmd == PPIM_CMD_REF || e->cmd == PPIM_CMD_REFB;
}

/* Does command b follow a in a bank that both are for? */
static bool shares_bank(const struct ppim_dram_event *a,
			const struct ppim_dram_event *b)
{
	int near = nearness(&a->loc, &b->loc);

	if (a->cmd == PPIM_CMD_REF || b->cmd == PPIM_CMD_REF)
		return near < 3;
	return !near;
}

/* Least clocks from a to b, if both are for a bank. */
static uint32_t bank_rule(const struct check *c,
			  const struct ppim_dram_event *a,
			  const struct ppim_dram_event *b)
{
	const struct ppim_timing *t = &c->spec->t;
	bool act = b->cmd == PPIM_CMD_ACT, split;

	split = ppim_spec_is_hbm(c->spec) || ppim_spec_is_gddr(c->spec);
	switch (a->cmd) {
	case PPIM_CMD_ACT:
		if (act)
			return t->trc;
		if (b->cmd == PPIM_CMD_PRE)
			return t->tras;
		return (b->cmd == PPIM_CMD_WR ? t->trcd_wr : t->trcd_rd) -
		       (split ? 0 : t->al);
	case PPIM_CMD_PRE:
		return t->trp;
	case PPIM_CMD_RD:
		if (b->cmd == PPIM_CMD_PRE)
			return t->al + t->trtp;
		return act || is_refresh(b) ? t->al + t->trtp + t->trp : 0;
	case PPIM_CMD_WR:
		if (b->cmd == PPIM_CMD_PRE)
			return t->al + t->cwl + t->burst + t->twr;
		return act || is_refresh(b) ?
			       t->al + t->cwl + t->burst + t->twr + t->trp :
			       0;
	case PPIM_CMD_REF:
		return t->trfc;
	default:
		return t->trfcb;
	}
}

static void check_pair(const struct check *c, const struct ppim_dram_event *a,
		       const struct ppim_dram_event *b)
{
	const struct ppim_timing *t = &c->spec->t;
	int near = nearness(&a->loc, &b->loc);
	uint32_t least = 0;

	if (is_column(a) && is_column(b))
		least = column_rule(t, a->cmd == PPIM_CMD_WR,
				    b->cmd == PPIM_CMD_WR, near,
				    c->spec->bankgroups == 1);
	if (a->cmd == PPIM_CMD_ACT && b->cmd == PPIM_CMD_ACT && near < 3)
		least = near == 2 || c->spec->bankgroups == 1 ? t->trrd_s :
								t->trrd_l;
	if (a->cmd == PPIM_CMD_PRE && b->cmd == PPIM_CMD_PRE && near < 3)
		least = t->tppd;
	if (shares_bank(a, b))
		least = greater(least, bank_rule(c, a, b));
	if (b->cycle - a->cycle < least)
		fail_msg("%s: command %d at %llu, %d at %llu: %u clocks are the least",
			 c->spec->name, a->cmd, (unsigned long long)a->cycle,
			 b->cmd, (unsigned long long)b->cycle, least);
}

/* The n-th last activation of the rank before i is `window` clocks ago. */
static void check_window(const struct check *c, size_t i, uint32_t n,
			 uint32_t window)
{
	const struct ppim_dram_event *e = &c->ev[i];
	size_t k = i;

	while (n && k--)
		n -= c->ev[k].cmd == PPIM_CMD_ACT &&
		     nearness(&c->ev[k].loc, &e->loc) < 3;
	if (!n && e->cycle - c->ev[k].cycle < window)
		fail_msg("%s: activation at %llu breaks a window of %u",
			 c->spec->name, (unsigned long long)e->cycle, window);
}

/* What a command does to rows, and whether it may. */
static void check_rows(struct check *c, const struct ppim_dram_event *e)
{
	uint32_t b = bank_of(c, &e->loc), i;

	switch (e->cmd) {
	case PPIM_CMD_ACT:
		assert_int_equal(c->row[b], UINT32_MAX);
		c->row[b] = e->loc.f[PPIM_RO];
		break;
	case PPIM_CMD_PRE:
		assert_int_not_equal(c->row[b], UINT32_MAX);
		c->row[b] = UINT32_MAX;
		break;
	case PPIM_CMD_REF:
		for (i = 0; i < c->spec->banks; i++)
			assert_int_equal(c->row[b / c->spec->banks *
						c->spec->banks + i],
					 UINT32_MAX);
		break;
	case PPIM_CMD_REFB:
		assert_int_equal(c->row[b], UINT32_MAX);
		break;
	default:
		assert_int_equal(c->row[b], e->loc.f[PPIM_RO]);
		if (c->spec->page == PPIM_CLOSE_PAGE)
			c->row[b] = UINT32_MAX;
	}
}

/* One command a clock; with two buses one for rows and one for columns. */
static void check_bus(const struct check *c, size_t i)
{
	const struct ppim_dram_event *e = &c->ev[i];

	if (!i)
		return;
	assert_true(e->cycle >= e[-1].cycle);
	if (e->cycle > e[-1].cycle)
		return;
	assert_true(c->spec->dual_cmd);
	assert_int_not_equal(is_column(e), is_column(&e[-1]));
	assert_true(i < 2 || e[-2].cycle < e->cycle);
}

static void check_channel(struct check *c)
{
	size_t i, k;

	memset(c->row, 0xff, sizeof(c->row));
	for (i = 0; i < c->n; i++) {
		check_bus(c, i);
		check_rows(c, &c->ev[i]);
		for (k = i > HISTORY ? i - HISTORY : 0; k < i; k++)
			check_pair(c, &c->ev[k], &c->ev[i]);
		if (c->ev[i].cmd != PPIM_CMD_ACT)
			continue;
		check_window(c, i, 4, c->spec->t.tfaw);
		check_window(c, i, 32, c->spec->t.t32aw);
	}
}

/* Not more refreshes are missing than may wait, nor are there too many. */
static void check_refreshes(const struct check *c)
{
	const struct ppim_timing *t = &c->spec->t;
	uint64_t n = 0, due, end = c->n ? c->ev[c->n - 1].cycle : 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		n += is_refresh(&c->ev[i]);
	switch (c->spec->refresh) {
	case PPIM_REFRESH_BANK_STAGGERED:
		due = end / t->trefib;
		break;
	case PPIM_REFRESH_NONE:
		due = 0;
		break;
	case PPIM_REFRESH_RANK_SIMULTANEOUS:
		due = end / t->trefi * c->spec->ranks;
		break;
	default:
		due = end / (t->trefi / c->spec->ranks);
	}
	assert_in_range(n, due > 4 ? due - 4 : 0, due);
}

static void check_stream(const struct ppim_spec *spec, uint32_t inject,
			 const struct fx_mix *mix)
{
	struct ppim_dram *m = fx_dram(spec, inject);
	struct fx_random r = fx_random(mix, spec);
	struct ppim_dram_req req;
	struct log log = { 0 }, one = { 0 };
	struct check c = { .spec = spec };
	uint32_t ch;
	size_t i;

	ppim_dram_observe(m, log_event, &log);
	for (i = 0; i < 2500; i++) {
		fx_next(&r, &req);
		ppim_dram_submit(m, &req, 1);
	}
	ppim_dram_drain(m);
	for (ch = 0; ch < spec->channels; ch++) {
		for (i = one.n = 0; i < log.n; i++)
			if (log.ev[i].loc.f[PPIM_CH] == ch)
				log_event(&one, &log.ev[i]);
		c.ev = one.ev;
		c.n = one.n;
		check_channel(&c);
		check_refreshes(&c);
	}
	free(log.ev);
	free(one.ev);
	ppim_dram_free(m);
}

static void random_streams_break_no_constraint(void **state)
{
	struct ppim_spec spec;
	uint32_t i, k;

	(void)state;
	for (i = 0; fx_shipped(i, &spec); i++)
		for (k = 0; k < fx_mixes_n; k++)
			check_stream(&spec, (i + k) % 2, &fx_mixes[k]);
	for (i = 0; fx_variant(i, &spec); i++)
		for (k = 0; k < fx_mixes_n; k++)
			check_stream(&spec, 0, &fx_mixes[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(activations_of_a_bank_are_trc_apart),
		cmocka_unit_test(
			activations_of_other_bank_groups_are_trrd_s_apart),
		cmocka_unit_test(activations_of_a_bank_group_are_trrd_l_apart),
		cmocka_unit_test(the_fifth_activation_waits_for_tfaw),
		cmocka_unit_test(the_33rd_activation_waits_for_t32aw),
		cmocka_unit_test(another_rank_does_not_wait_for_an_activation),
		cmocka_unit_test(a_read_follows_its_activation_by_trcd),
		cmocka_unit_test(a_write_follows_its_activation_by_trcd),
		cmocka_unit_test(
			additive_latency_moves_the_command_not_the_data),
		cmocka_unit_test(additive_latency_delays_what_follows_a_write),
		cmocka_unit_test(a_row_stays_open_for_tras),
		cmocka_unit_test(an_activation_follows_a_precharge_by_trp),
		cmocka_unit_test(reads_of_other_bank_groups_are_tccd_s_apart),
		cmocka_unit_test(reads_of_a_bank_group_are_tccd_l_apart),
		cmocka_unit_test(a_burst_holds_the_bus_when_tccd_is_less),
		cmocka_unit_test(writes_of_other_bank_groups_are_tccd_s_apart),
		cmocka_unit_test(writes_of_a_bank_group_are_tccd_l_wr_apart),
		cmocka_unit_test(a_precharge_follows_a_read_by_trtp),
		cmocka_unit_test(a_precharge_follows_a_writes_data_by_twr),
		cmocka_unit_test(a_read_follows_a_writes_data_by_twtr_s),
		cmocka_unit_test(a_read_of_the_bank_group_follows_by_twtr_l),
		cmocka_unit_test(a_write_follows_a_read_by_trtw),
		cmocka_unit_test(
			reads_of_other_ranks_are_a_burst_and_trtrs_apart),
		cmocka_unit_test(writes_of_other_ranks_are_a_burst_apart),
		cmocka_unit_test(a_write_of_another_rank_waits_for_the_bus),
		cmocka_unit_test(a_read_of_another_rank_waits_for_the_bus),
		cmocka_unit_test(precharges_are_tppd_apart),
		cmocka_unit_test(an_activation_follows_a_refresh_by_trfc),
		cmocka_unit_test(a_refresh_follows_a_precharge_by_trp),
		cmocka_unit_test(a_banks_refresh_follows_its_precharge_by_trp),
		cmocka_unit_test(a_closed_rows_activation_follows_a_read),
		cmocka_unit_test(a_closed_rows_activation_follows_a_write),
		cmocka_unit_test(a_closed_rows_refresh_follows_a_read),
		cmocka_unit_test(a_closed_rows_refresh_follows_a_write),
		cmocka_unit_test(
			a_closed_rows_refresh_waits_until_it_was_open_for_tras),
		cmocka_unit_test(ranks_are_refreshed_every_trefi_in_turn),
		cmocka_unit_test(a_bank_follows_its_refresh_by_trfcb),
		cmocka_unit_test(random_streams_break_no_constraint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
