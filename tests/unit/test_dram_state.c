// SPDX-License-Identifier: MIT
/* The DRAM model's saved state: a run goes on as if nothing had been, and what
 * is no state is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dram_fixture.h"
#include "dram_int.h"

/* ---- a run that is saved, loaded and continued -------------------------- */

static void *saved(const struct ppim_dram *m, size_t *bytes)
{
	void *buf;

	*bytes = ppim_dram_state_size(m);
	buf = malloc(*bytes);
	assert_non_null(buf);
	ppim_dram_save(m, buf);
	return buf;
}

static struct ppim_dram *loaded(const struct ppim_spec *spec, uint32_t inject,
				const void *buf, size_t bytes)
{
	struct ppim_dram *m = fx_dram(spec, inject);
	struct ppim_diag diag = { "" };

	if (ppim_dram_load(m, buf, bytes, &diag))
		fail_msg("%s: %s", spec->name, diag.msg);
	return m;
}

static void assert_same_state(const struct ppim_dram *a,
			      const struct ppim_dram *b)
{
	struct ppim_dram_stats sa, sb;
	size_t n;
	void *x = saved(a, &n), *y = saved(b, &n);

	assert_memory_equal(x, y, n);
	ppim_dram_stats(a, &sa);
	ppim_dram_stats(b, &sb);
	assert_memory_equal(&sa, &sb, sizeof(sa));
	free(x);
	free(y);
}

/* Saves and loads every few requests, sometimes after a drain. */
static void run_with_breaks(const struct ppim_spec *spec, uint32_t inject,
			    const struct fx_mix *mix)
{
	struct ppim_dram *a = fx_dram(spec, inject);
	struct ppim_dram *b = fx_dram(spec, inject);
	struct ppim_dram_req reqs[97];
	struct fx_random r = fx_random(mix, spec);
	uint32_t i, k;
	size_t bytes;
	void *buf;

	for (i = 0; i < 60; i++) {
		for (k = 0; k < 97; k++)
			fx_next(&r, &reqs[k]);
		ppim_dram_submit(a, reqs, 97);
		ppim_dram_submit(b, reqs, 97);
		if (i % 8 == 7)
			assert_int_equal(ppim_dram_drain(a),
					 ppim_dram_drain(b));
		buf = saved(b, &bytes);
		ppim_dram_free(b);
		b = loaded(spec, inject, buf, bytes);
		free(buf);
		assert_same_state(a, b);
	}
	assert_int_equal(ppim_dram_drain(a), ppim_dram_drain(b));
	assert_same_state(a, b);
	ppim_dram_free(a);
	ppim_dram_free(b);
}

static void a_run_that_was_saved_and_loaded_goes_on_the_same(void **state)
{
	struct ppim_spec spec;
	uint32_t i, k;

	(void)state;
	for (i = 0; fx_shipped(i, &spec); i++)
		for (k = 0; k < fx_mixes_n; k++)
			run_with_breaks(&spec, k % 3, &fx_mixes[k]);
}

static void so_does_one_of_any_policy(void **state)
{
	struct ppim_spec spec;
	uint32_t i, k;

	(void)state;
	for (i = 0; fx_variant(i, &spec); i++)
		for (k = 0; k < fx_mixes_n; k++)
			run_with_breaks(&spec, (k + i) % 2, &fx_mixes[k]);
}

static void a_states_size_depends_on_the_specification_alone(void **state)
{
	struct ppim_dram_req reqs[1000];
	struct ppim_spec spec;
	struct fx_random r;
	struct ppim_dram *m;
	size_t fresh;
	uint32_t i;

	(void)state;
	fx_spec("HBM2_4Gb_x128", &spec);
	m = fx_dram(&spec, 0);
	fresh = ppim_dram_state_size(m);
	r = fx_random(&fx_mixes[0], &spec);
	for (i = 0; i < 1000; i++)
		fx_next(&r, &reqs[i]);
	ppim_dram_submit(m, reqs, 1000);
	assert_int_equal(ppim_dram_state_size(m), fresh);
	ppim_dram_free(m);
}

/* ---- what is refused ------------------------------------------------------ */

struct busy {
	struct ppim_spec spec;
	struct ppim_dram *m;
	uint8_t *buf;
	size_t bytes;
};

static void busy_make(struct busy *b, const char *name, uint32_t inject)
{
	struct ppim_dram_req req;
	struct fx_random r;
	uint32_t i;

	fx_spec(name, &b->spec);
	b->m = fx_dram(&b->spec, inject);
	r = fx_random(&fx_mixes[1], &b->spec);
	for (i = 0; i < 3000; i++) {
		fx_next(&r, &req);
		ppim_dram_submit(b->m, &req, 1);
	}
	b->buf = saved(b->m, &b->bytes);
}

static void busy_free(struct busy *b)
{
	ppim_dram_free(b->m);
	free(b->buf);
}

static void refused(struct busy *b, struct ppim_dram *m, size_t bytes,
		    const char *why)
{
	struct ppim_diag diag = { "" };
	size_t n;
	void *before = saved(m, &n), *after;

	assert_int_equal(ppim_dram_load(m, b->buf, bytes, &diag), -EINVAL);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' does not say '%s'", diag.msg, why);
	after = saved(m, &n);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void what_is_no_state_of_this_memory_is_refused(void **state)
{
	struct ppim_dram *other;
	struct ppim_spec spec;
	struct busy b;

	(void)state;
	busy_make(&b, "DDR4_8Gb_x8_3200", 0);
	refused(&b, b.m, 0, "too short");
	refused(&b, b.m, 7, "too short");
	refused(&b, b.m, b.bytes - 1, "cut off");
	refused(&b, b.m, b.bytes + 1, "longer");
	other = fx_dram(&b.spec, 1);
	refused(&b, other, b.bytes, "another number per clock");
	ppim_dram_free(other);
	spec = b.spec;
	spec.t.tfaw++;
	other = fx_dram(&spec, 0);
	refused(&b, other, b.bytes, "another specification");
	ppim_dram_free(other);
	b.buf[8]++;
	refused(&b, b.m, b.bytes, "version");
	b.buf[0]++;
	refused(&b, b.m, b.bytes, "not of a memory");
	busy_free(&b);
}

static void a_byte_that_changed_is_refused(void **state)
{
	struct busy b;
	uint64_t i;

	(void)state;
	busy_make(&b, "DDR4_8Gb_x8_3200", 0);
	for (i = 0; i < 400; i++) {
		size_t at = dram_fx_hash(i) % b.bytes;
		uint8_t by = (uint8_t)(1 + dram_fx_hash(~i) % 255);

		b.buf[at] ^= by;
		refused(&b, b.m, b.bytes, "state: ");
		b.buf[at] ^= by;
	}
	assert_int_equal(ppim_dram_load(b.m, b.buf, b.bytes, NULL), 0);
	busy_free(&b);
}

/* A value of a channel set to what it cannot be, with the checksum right. */
#define IMPOSSIBLE(b, field, value, why)                                   \
	do {                                                               \
		size_t at_ = (b)->bytes - sizeof(struct dram_channel) +    \
			     offsetof(struct dram_channel, field);         \
		__typeof__(((struct dram_channel *)0)->field) keep_, set_; \
		memcpy(&keep_, (b)->buf + at_, sizeof(keep_));             \
		set_ = (__typeof__(set_))(value);                          \
		memcpy((b)->buf + at_, &set_, sizeof(set_));               \
		dram_state_seal((b)->m, (b)->buf);                         \
		refused(b, (b)->m, (b)->bytes, why);                       \
		memcpy((b)->buf + at_, &keep_, sizeof(keep_));             \
		dram_state_seal((b)->m, (b)->buf);                         \
	} while (0)

static void impossible_states_are_refused(void **state)
{
	const struct dram_channel *ch;
	struct busy b;
	uint32_t k;

	(void)state;
	busy_make(&b, "DDR4_8Gb_x8_3200", 0);
	ch = &b.m->ch[0];
	IMPOSSIBLE(&b, t_next, ch->base - 1, "next clock");
	IMPOSSIBLE(&b, t_next, ch->refresh_next + 1, "next clock");
	IMPOSSIBLE(&b, base, 1ull << 62, "base");
	IMPOSSIBLE(&b, t_rare, 0, "next refresh");
	IMPOSSIBLE(&b, refresh_next, ch->refresh_next + 1, "next refresh");
	IMPOSSIBLE(&b, refresh_unit, 1 - ch->refresh_unit, "out of order");
	IMPOSSIBLE(&b, refreshing, 1, "kept for a refresh");
	IMPOSSIBLE(&b, open, ch->open | 1ull << 32, "sets of banks");
	IMPOSSIBLE(&b, open, ch->open ^ 1, "do not wait");
	IMPOSSIBLE(&b, queued, ch->queued ^ 1, "sets of banks");
	IMPOSSIBLE(&b, room, ch->room ^ 1, "sets of banks");
	IMPOSSIBLE(&b, turn, 32, "turn");
	IMPOSSIBLE(&b, draining, ch->wr.n + 1, "drain");
	IMPOSSIBLE(&b, reads_first, 1, "read that is not there");
	IMPOSSIBLE(&b, reads_pending, ch->reads_pending + 1, "add up");
	for (k = 0; k < DRAM_WAITED; k++) {
		IMPOSSIBLE(&b, wait[k], ch->wait[k] ^ 1, "do not wait");
		IMPOSSIBLE(&b, lane.cmd[k][3], DRAM_LATE, "limit");
	}
	IMPOSSIBLE(&b, lane.ref[3], DRAM_LATE, "limit");
	IMPOSSIBLE(&b, rank.faw[1][3], DRAM_LATE, "window");
	IMPOSSIBLE(&b, rank.aw32[1].at, 32, "window");
	IMPOSSIBLE(&b, bank.n[0], 9, "command queue");
	IMPOSSIBLE(&b, bank.order[0][0], ch->bank.order[0][1], "command queue");
	IMPOSSIBLE(&b, bank.order[0][0], DRAM_MAX_QUEUE, "command queue");
	IMPOSSIBLE(&b, bank.wr[0], 0xff00, "command queue");
	IMPOSSIBLE(&b, bank.row[0], 65536, "row");
	IMPOSSIBLE(&b, bank.hit[0], ch->bank.hit[0] ^ 1, "row hits");
	IMPOSSIBLE(&b, bank.rows[0][ch->bank.order[0][0]], 70000, "wrong bank");
	IMPOSSIBLE(&b, rd.n, 33, "length");
	IMPOSSIBLE(&b, rd.n, ch->rd.n - 1, "length");
	IMPOSSIBLE(&b, rd.waiting, ch->rd.waiting ^ 1, "than they count");
	IMPOSSIBLE(&b, rd.of_bank[0], ch->rd.of_bank[0] + 1,
		   "than they count");
	IMPOSSIBLE(&b, rd.slot[0], ch->rd.slot[1], "transaction queue");
	IMPOSSIBLE(&b, rd.slot[31], 32, "transaction queue");
	IMPOSSIBLE(&b, rd.bank[0], ch->rd.bank[0] ^ 1, "wrong bank");
	IMPOSSIBLE(&b, rd.bank[0], 32, "wrong bank");
	IMPOSSIBLE(&b, rd.node[ch->rd.slot[0]].write, 1, "among the reads");
	IMPOSSIBLE(&b, rd.node[ch->rd.slot[0]].write, 2, "neither read");
	IMPOSSIBLE(&b, rd.node[ch->rd.slot[0]].addr, ~0ull, "wrong bank");
	IMPOSSIBLE(&b, filter[5], ch->filter[5] + 1, "filter");
	IMPOSSIBLE(&b, last_read, DRAM_NEVER, "not issued");
	busy_free(&b);
}

/* Whatever a state says: refused, or taken and lived with. */
static void hostile_states_are_survived(void **state)
{
	struct ppim_dram_req req = { 0 };
	struct ppim_diag diag;
	uint64_t i, word, keep, taken = 0;
	struct ppim_dram *m;
	struct busy b;
	size_t at;

	(void)state;
	busy_make(&b, "HBM2_samsung", 0);
	for (i = 0; i < 6000; i++) {
		at = 56 + dram_fx_hash(i) % ((b.bytes - 56) / 8) * 8;
		memcpy(&keep, b.buf + at, 8);
		word = i & 1 ? dram_fx_hash(~i) >> (i % 64) :
			       keep ^ 1ull << (dram_fx_hash(~i) % 64);
		memcpy(b.buf + at, &word, 8);
		if (i % 8 == 0)
			dram_state_seal(b.m, b.buf);
		diag.msg[0] = '\0';
		m = fx_dram(&b.spec, 0);
		if (i % 8 == 0 && !ppim_dram_load(m, b.buf, b.bytes, &diag)) {
			taken++;
			req.addr = dram_fx_hash(i) << 5;
			ppim_dram_submit(m, &req, 1);
			ppim_dram_drain(m);
		}
		ppim_dram_free(m);
		memcpy(b.buf + at, &keep, 8);
	}
	assert_true(taken > 0);
	busy_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_run_that_was_saved_and_loaded_goes_on_the_same),
		cmocka_unit_test(so_does_one_of_any_policy),
		cmocka_unit_test(
			a_states_size_depends_on_the_specification_alone),
		cmocka_unit_test(what_is_no_state_of_this_memory_is_refused),
		cmocka_unit_test(a_byte_that_changed_is_refused),
		cmocka_unit_test(impossible_states_are_refused),
		cmocka_unit_test(hostile_states_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
