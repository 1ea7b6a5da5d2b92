// SPDX-License-Identifier: MIT
/* The planner: every row has one place, places fit and do not overlap, the hot
 * share is reached, and the same input gives the same plan. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "plan.h"
#include "workload.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* An HBM2 stack of 4 GiB beside 32 GiB of DIMM. */
static const struct ppim_plan_geometry stack = {
	.slices = 32,
	.channels = 8,
	.slice_bytes = 128 * MIB,
	.dimm_bytes = 32 * GIB,
	.sram_bytes = 40960,
	.align = 64,
	.hbm_row_bytes = 2048,
	.hot_ppm = 952380,
	.max_extents = 256,
};

static struct ppim_shape qr(uint64_t rows, uint32_t dim, uint32_t c)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim, .collisions = c,
				    .algo = PPIM_ALGO_QR };
}

static struct ppim_shape tt(uint64_t rows, uint32_t p, uint32_t rank)
{
	return (struct ppim_shape){ .rows = rows, .dim = 32,
				    .tt_p = { p, p, p },
				    .tt_q = { 2, 4, 4 },
				    .tt_r = { rank, rank },
				    .algo = PPIM_ALGO_TT };
}

static struct ppim_shape dense(uint64_t rows, uint32_t dim)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim };
}

static struct ppim_plan *plan_of(const struct ppim_plan_geometry *geo,
				 const struct ppim_plan_table *t, uint32_t n,
				 const struct ppim_plan_options *o)
{
	struct ppim_plan_error err = { "" };
	struct ppim_plan *p = NULL;

	if (ppim_plan_create(geo, t, n, o, NULL, &p, &err))
		fail_msg("%s", err.msg);
	return p;
}

/* The planner must refuse this input, with a message that has `word` in it. */
static void refuses(const struct ppim_plan_geometry *geo,
		    const struct ppim_plan_table *t, uint32_t n,
		    const struct ppim_plan_options *o, int want,
		    const char *word)
{
	struct ppim_plan_error err = { "" };
	struct ppim_plan *p = NULL;

	assert_int_equal(ppim_plan_create(geo, t, n, o, NULL, &p, &err), want);
	assert_null(p);
	if (!strstr(err.msg, word))
		fail_msg("\"%s\" is not in \"%s\"", word, err.msg);
}

/* Row r is read heat(r) times: few rows get nearly all. */
static uint64_t heat(uint64_t row, uint64_t rows)
{
	uint64_t rank = wl_permute(rows, 99, row);

	return rank < rows / 2 ? 1000000 / (rank + 1) : 0;
}

static struct ppim_plan_profile *skewed(const struct ppim_shape *shape)
{
	uint32_t main = shape->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : 0;
	uint64_t rows = ppim_shape_rows(shape, main), i;
	struct ppim_plan_profile *p;

	assert_int_equal(ppim_plan_profile_create(shape, &p), 0);
	for (i = 0; i < rows; i++)
		assert_int_equal(
			ppim_plan_profile_add_row(p, i, heat(i, rows)), 0);
	return p;
}

/* ---- invariants ------------------------------------------------------------ */

struct span {
	uint32_t tier, slice;
	uint64_t start, end;
};

static int span_order(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->tier != y->tier)
		return x->tier < y->tier ? -1 : 1;
	if (x->slice != y->slice)
		return x->slice < y->slice ? -1 : 1;
	return (x->start > y->start) - (x->start < y->start);
}

static size_t spans_of(const struct ppim_plan_sub *s, struct span *v)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < s->n_extents; i++)
		v[n++] = (struct span){ s->extents[i].tier,
					s->extents[i].slice,
					s->extents[i].offset,
					s->extents[i].offset +
						s->extents[i].rows *
							s->row_stride };
	if (s->map)
		v[n++] = (struct span){ s->map_tier, s->map_slice,
					s->map_offset,
					s->map_offset + s->map_bytes };
	return n;
}

static void spans_check(const struct ppim_plan_geometry *geo, struct span *v,
			size_t n)
{
	size_t i;

	qsort(v, n, sizeof(*v), span_order);
	for (i = 0; i < n; i++) {
		assert_int_equal(v[i].start % geo->align, 0);
		assert_true(v[i].start < v[i].end);
		assert_true(v[i].end <= (v[i].tier == PPIM_TIER_HBM ?
						 geo->slice_bytes :
						 geo->dimm_bytes));
		if (i && v[i].tier == v[i - 1].tier &&
		    v[i].slice == v[i - 1].slice)
			assert_true(v[i].start >= v[i - 1].end);
	}
}

/* No two extents or maps share a byte, and all lie inside their tier. */
static void nothing_overlaps(const struct ppim_plan_geometry *geo,
			     const struct ppim_plan *p)
{
	const struct ppim_plan_sub *s;
	size_t n = 0, cap = 0;
	struct span *v = NULL;
	uint32_t t, k;

	for (t = 0; t < ppim_plan_tables(p); t++) {
		for (k = 0; (s = ppim_plan_sub(p, t, k)); k++) {
			cap = n + s->n_extents + 1;
			v = realloc(v, cap * sizeof(*v));
			n += spans_of(s, v + n);
		}
	}
	spans_check(geo, v, n);
	free(v);
}

/* Each row of a subtable is in exactly one place of an extent, or in each copy;
 * no place holds two rows. */
static void rows_have_one_place(const struct ppim_plan_sub *s)
{
	uint64_t *first = calloc(s->n_extents + 1, sizeof(*first));
	struct ppim_plan_loc loc;
	uint64_t row, place, hbm = 0;
	uint8_t *seen;
	uint32_t i;

	for (i = 0; i < s->n_extents; i++)
		first[i + 1] = first[i] + s->extents[i].rows;
	if (!(s->flags & PPIM_SUBF_DUPLICATED))
		assert_int_equal(first[s->n_extents], s->rows);
	seen = calloc(1, first[s->n_extents]);
	for (row = 0; row < s->rows; row++) {
		assert_int_equal(ppim_plan_locate(s, row, 0, &loc), 0);
		assert_true(loc.extent < s->n_extents);
		place = (loc.offset - s->extents[loc.extent].offset) /
			s->row_stride;
		assert_true(place < s->extents[loc.extent].rows);
		assert_false(seen[first[loc.extent] + place]++);
		hbm += loc.tier == PPIM_TIER_HBM;
	}
	assert_int_equal(hbm, s->hbm_rows);
	assert_int_equal(ppim_plan_locate(s, s->rows, 0, &loc), -ERANGE);
	free(seen);
	free(first);
}

static void plan_is_sound(const struct ppim_plan_geometry *geo,
			  const struct ppim_plan *p)
{
	const struct ppim_plan_sub *s;
	uint32_t t, k;

	nothing_overlaps(geo, p);
	for (t = 0; t < ppim_plan_tables(p); t++)
		for (k = 0; (s = ppim_plan_sub(p, t, k)); k++)
			rows_have_one_place(s);
}

/* ---- rules ------------------------------------------------------------------ */

static void bandwidths_give_the_known_shares(void **state)
{
	(void)state;
	assert_int_equal(ppim_plan_hot_ppm(4 * 256, 51.2), 952380);
	assert_int_equal(ppim_plan_hot_ppm(256, 51.2), 833333);
	assert_int_equal(ppim_plan_hot_ppm(256, 0), 1000000);
}

static void without_a_profile_all_is_in_the_hbm(void **state)
{
	struct ppim_plan_table t = { .name = "users",
				     .shape = qr(100003, 32, 4) };
	const struct ppim_plan_sub *q, *r;
	struct ppim_plan *p;

	(void)state;
	p = plan_of(&stack, &t, 1, NULL);
	q = ppim_plan_sub(p, 0, PPIM_SUB_Q);
	r = ppim_plan_sub(p, 0, PPIM_SUB_R);
	assert_int_equal(q->rows, 25001);
	assert_int_equal(q->hbm_rows, q->rows);
	assert_int_equal(q->n_extents, 32);
	assert_int_equal(q->flags, 0);
	assert_null(q->map);
	assert_int_equal(r->flags, PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH);
	assert_int_equal(r->n_extents, 32);
	assert_null(ppim_plan_sub(p, 0, 2));
	assert_null(ppim_plan_sub(p, 1, 0));
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
}

/* Reads that the hottest n rows serve, by brute force. */
static int count_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static void hottest_rows_serve_just_the_share(void **state)
{
	struct ppim_plan_table t = { .name = "users", .shape = qr(40000, 32, 4) };
	struct ppim_plan_profile *prof = skewed(&t.shape);
	uint64_t counts[10000], sum = 0, before = 0, all, i;
	const struct ppim_plan_sub *q;
	struct ppim_plan *p;

	(void)state;
	t.profile = prof;
	p = plan_of(&stack, &t, 1, NULL);
	q = ppim_plan_sub(p, 0, PPIM_SUB_Q);
	for (i = 0; i < 10000; i++)
		counts[i] = heat(i, 10000);
	qsort(counts, 10000, sizeof(*counts), count_order);
	for (i = 0; i < q->hbm_rows; i++) {
		before = sum;
		sum += counts[i];
	}
	all = ppim_plan_profile_accesses(prof);
	assert_int_equal(q->accesses, all);
	assert_int_equal(q->accesses_hbm, sum);
	assert_true(sum * 1000000 >= all * 952380);
	assert_true(before * 1000000 < all * 952380);
	assert_true(q->hbm_rows && q->hbm_rows < q->rows);
	assert_int_equal(q->flags, PPIM_SUBF_MAPPED);
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

/* Whatever is in the HBM was read at least as often as what is in the DIMM;
 * the rows that were never read are in the DIMM. */
static void no_row_in_the_dimm_is_hotter_than_one_in_the_hbm(void **state)
{
	struct ppim_plan_table t = { .name = "items", .shape = dense(5000, 16) };
	struct ppim_plan_profile *prof = skewed(&t.shape);
	uint64_t least = UINT64_MAX, most = 0, row, h;
	struct ppim_plan_loc loc;
	struct ppim_plan *p;

	(void)state;
	t.profile = prof;
	p = plan_of(&stack, &t, 1, NULL);
	for (row = 0; row < 5000; row++) {
		h = heat(row, 5000);
		ppim_plan_locate(ppim_plan_sub(p, 0, 0), row, 0, &loc);
		if (loc.tier == PPIM_TIER_HBM && h < least)
			least = h;
		if (loc.tier == PPIM_TIER_DIMM && h > most)
			most = h;
		if (!h)
			assert_int_equal(loc.tier, PPIM_TIER_DIMM);
	}
	assert_true(least >= most);
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

static void equal_counts_are_ordered_by_row_number(void **state)
{
	struct ppim_plan_table t = { .name = "flat", .shape = dense(1000, 16) };
	struct ppim_plan_options half = { .hot_ppm = 500000 };
	struct ppim_plan_profile *prof;
	struct ppim_plan_loc loc;
	struct ppim_plan *p;
	uint64_t row;

	(void)state;
	assert_int_equal(ppim_plan_profile_create(&t.shape, &prof), 0);
	for (row = 1000; row-- > 0;)
		ppim_plan_profile_add_row(prof, row, 7);
	t.profile = prof;
	p = plan_of(&stack, &t, 1, &half);
	for (row = 0; row < 1000; row++) {
		ppim_plan_locate(ppim_plan_sub(p, 0, 0), row, 0, &loc);
		assert_int_equal(loc.tier, row < 500 ? PPIM_TIER_HBM :
						       PPIM_TIER_DIMM);
	}
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

static void tt_duplicates_g1_and_g3_and_hints_g1(void **state)
{
	struct ppim_plan_table t = { .name = "users", .shape = tt(8000, 20, 16) };
	struct ppim_plan *p;

	(void)state;
	p = plan_of(&stack, &t, 1, NULL);
	assert_int_equal(ppim_plan_sub(p, 0, PPIM_SUB_G1)->flags,
			 PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH);
	assert_int_equal(ppim_plan_sub(p, 0, PPIM_SUB_G2)->flags, 0);
	assert_int_equal(ppim_plan_sub(p, 0, PPIM_SUB_G2)->n_extents, 20);
	assert_int_equal(ppim_plan_sub(p, 0, PPIM_SUB_G3)->flags,
			 PPIM_SUBF_DUPLICATED);
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
}

static void small_tables_do_not_meet_in_one_bank_group(void **state)
{
	struct ppim_plan_table t[4];
	uint32_t used[32] = { 0 }, i, k;
	const struct ppim_plan_sub *s;
	struct ppim_plan *p;

	(void)state;
	for (i = 0; i < 4; i++)
		t[i] = (struct ppim_plan_table){ .shape = qr(32, 32, 4) };
	p = plan_of(&stack, t, 4, NULL);
	for (i = 0; i < 4; i++) {
		s = ppim_plan_sub(p, i, PPIM_SUB_Q);
		for (k = 0; k < s->n_extents; k++)
			assert_int_equal(used[s->extents[k].slice]++, 0);
	}
	ppim_plan_free(p);
}

/* ---- overrides ---------------------------------------------------------------- */

static void told_not_to_it_makes_no_copies(void **state)
{
	struct ppim_plan_options o = { .duplicate = PPIM_PLAN_NO };
	struct ppim_plan_table t = { .shape = tt(8000, 20, 16) };
	struct ppim_plan *p = plan_of(&stack, &t, 1, &o);
	uint32_t k;

	(void)state;
	for (k = 0; k < 3; k++)
		assert_int_equal(ppim_plan_sub(p, 0, k)->flags, 0);
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
}

static void a_tables_own_choice_beats_the_options(void **state)
{
	struct ppim_plan_options o = { .prefetch = PPIM_PLAN_NO };
	struct ppim_plan_table t[2] = {
		{ .shape = qr(8000, 32, 4) },
		{ .shape = qr(8000, 32, 4), .prefetch = PPIM_PLAN_YES },
	};
	struct ppim_plan *p = plan_of(&stack, t, 2, &o);

	(void)state;
	assert_false(ppim_plan_sub(p, 0, 1)->flags & PPIM_SUBF_PREFETCH);
	assert_true(ppim_plan_sub(p, 1, 1)->flags & PPIM_SUBF_PREFETCH);
	ppim_plan_free(p);
}

static void a_given_tier_is_obeyed(void **state)
{
	struct ppim_plan_table t[2] = {
		{ .shape = qr(8000, 32, 4), .tier = PPIM_PLAN_TIER_DIMM },
		{ .shape = qr(8000, 32, 4), .tier = PPIM_PLAN_TIER_HBM },
	};
	struct ppim_plan_profile *prof = skewed(&t[1].shape);
	struct ppim_plan *p;

	(void)state;
	t[1].profile = prof;
	p = plan_of(&stack, t, 2, NULL);
	assert_int_equal(ppim_plan_sub(p, 0, 0)->hbm_rows, 0);
	assert_int_equal(ppim_plan_sub(p, 0, 0)->n_extents, 1);
	assert_int_equal(ppim_plan_sub(p, 1, 0)->hbm_rows, 2000);
	assert_int_equal(ppim_plan_sub(p, 1, 0)->accesses,
			 ppim_plan_sub(p, 1, 0)->accesses_hbm);
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

static void a_large_shared_subtable_gets_no_copies(void **state)
{
	/* R of 2^18 rows of 128 B is 32 MiB: a quarter of a bank group. */
	struct ppim_plan_table t = { .name = "wide",
				     .shape = qr(1 << 20, 32, 1 << 18) };
	struct ppim_plan *p = plan_of(&stack, &t, 1, NULL);
	char line[256];

	(void)state;
	assert_int_equal(ppim_plan_sub(p, 0, PPIM_SUB_R)->flags, 0);
	assert_true(ppim_plan_explain_sub(p, 0, PPIM_SUB_R, line,
					  sizeof(line)) > 0);
	assert_non_null(strstr(line, "more than an eighth"));
	plan_is_sound(&stack, p);
	ppim_plan_free(p);
}

/* ---- capacity ------------------------------------------------------------------ */

/* Kaggle at 512 B and c = 4: Q has 4.02 GiB, the stack 4 GiB. */
static void what_the_hbm_cannot_hold_spills(void **state)
{
	struct ppim_plan_summary sum;
	struct ppim_plan_table *t;
	struct wl_tables kaggle;
	struct ppim_plan *p;
	uint64_t cold = 0;
	uint32_t i;

	(void)state;
	assert_int_equal(wl_tables_load("kaggle", &kaggle, NULL), 0);
	t = calloc(kaggle.n, sizeof(*t));
	for (i = 0; i < kaggle.n; i++)
		t[i].shape = qr(kaggle.rows[i], 128, 4);
	p = plan_of(&stack, t, kaggle.n, NULL);
	ppim_plan_summary(p, &sum);
	for (i = 0; i < kaggle.n; i++) {
		const struct ppim_plan_sub *q = ppim_plan_sub(p, i, 0);

		cold += q->rows - q->hbm_rows;
		/* only the largest table has to give way */
		if (q->hbm_rows < q->rows)
			assert_int_equal(kaggle.rows[i], 10131227);
	}
	assert_true(cold > 0);
	assert_true(sum.hbm_bytes <= 4 * GIB);
	assert_true(sum.hbm_bytes > 4 * GIB - 16 * MIB);
	nothing_overlaps(&stack, p);
	rows_have_one_place(ppim_plan_sub(p, 2, 0));
	ppim_plan_free(p);
	free(t);
}

static void a_full_hbm_spills_its_coldest_rows(void **state)
{
	struct ppim_plan_geometry small = stack;
	struct ppim_plan_table t[2] = { { .shape = dense(10000, 32) },
					{ .shape = dense(20000, 32) } };
	struct ppim_plan_options all = { .hot_ppm = 1000000 };
	struct ppim_plan_profile *prof[2];
	uint64_t least = UINT64_MAX, most = 0, row, h;
	struct ppim_plan_loc loc;
	struct ppim_plan *p;
	uint32_t i;

	(void)state;
	small.slice_bytes = 2048 * 8; /* 128 rows in each of 32 */
	for (i = 0; i < 2; i++)
		t[i].profile = prof[i] = skewed(&t[i].shape);
	p = plan_of(&small, t, 2, &all);
	plan_is_sound(&small, p);
	for (i = 0; i < 2; i++) {
		for (row = 0; row < t[i].shape.rows; row++) {
			h = heat(row, t[i].shape.rows);
			ppim_plan_locate(ppim_plan_sub(p, i, 0), row, 0, &loc);
			if (loc.tier == PPIM_TIER_HBM && h < least)
				least = h;
			if (loc.tier == PPIM_TIER_DIMM && h > most)
				most = h;
		}
	}
	assert_true(least >= most);
	/* nearly full: one round of stripes of each table may be lost */
	assert_true(ppim_plan_sub(p, 0, 0)->hbm_rows +
			    ppim_plan_sub(p, 1, 0)->hbm_rows >
		    32 * 128 - 64);
	for (i = 0; i < 2; i++)
		ppim_plan_profile_free(prof[i]);
	ppim_plan_free(p);
}

static void a_full_dimm_sends_rows_back(void **state)
{
	struct ppim_plan_geometry small = stack;
	struct ppim_plan_table t = { .name = "items", .shape = dense(10000, 32) };
	struct ppim_plan_profile *prof = skewed(&t.shape);
	const struct ppim_plan_sub *w;
	struct ppim_plan *p;
	char line[256];

	(void)state;
	t.profile = prof;
	small.dimm_bytes = 128 * 1024;
	p = plan_of(&small, &t, 1, NULL);
	w = ppim_plan_sub(p, 0, 0);
	assert_true(w->dimm_bytes + w->map_bytes <= small.dimm_bytes);
	assert_true(w->dimm_bytes + w->map_bytes > small.dimm_bytes - 256);
	plan_is_sound(&small, p);
	ppim_plan_explain_sub(p, 0, 0, line, sizeof(line));
	assert_non_null(strstr(line, "DIMM is full"));
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

static void without_a_dimm_all_is_in_the_hbm(void **state)
{
	struct ppim_plan_geometry none = stack;
	struct ppim_plan_table t = { .shape = dense(10000, 32) };
	struct ppim_plan_profile *prof = skewed(&t.shape);
	struct ppim_plan *p;

	(void)state;
	t.profile = prof;
	none.dimm_bytes = 0;
	p = plan_of(&none, &t, 1, NULL);
	assert_int_equal(ppim_plan_sub(p, 0, 0)->hbm_rows, 10000);
	plan_is_sound(&none, p);
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

static void what_fits_nowhere_is_refused(void **state)
{
	struct ppim_plan_geometry small = stack;
	struct ppim_plan_table t = { .name = "huge",
				     .shape = dense(1 << 20, 32) };

	(void)state;
	small.slice_bytes = MIB;
	small.dimm_bytes = MIB;
	refuses(&small, &t, 1, NULL, -ENOSPC, "do not fit");
	t.tier = PPIM_PLAN_TIER_HBM;
	refuses(&small, &t, 1, NULL, -ENOSPC, "bank group");
}

/* What others have taken is left alone, gaps and all. */
static void a_used_device_is_respected(void **state)
{
	struct ppim_plan_table t = { .shape = qr(40000, 32, 4) };
	struct ppim_plan_geometry small = stack;
	struct ppim_plan_alloc *a;
	struct ppim_plan *p;
	uint64_t off, first;
	uint32_t s, i;

	(void)state;
	small.slice_bytes = MIB / 4;
	assert_int_equal(ppim_plan_alloc_create(&small, &a), 0);
	for (s = 0; s < 32; s++) {
		ppim_plan_alloc_take(a, PPIM_TIER_HBM, s, 4096, &first);
		ppim_plan_alloc_take(a, PPIM_TIER_HBM, s, 4096, &off);
		ppim_plan_alloc_give(a, PPIM_TIER_HBM, s, first, 4096);
	}
	assert_int_equal(ppim_plan_create(&small, &t, 1, NULL, a, &p, NULL), 0);
	for (i = 0; i < 32; i++) {
		/* Q does not fit in front, R does */
		assert_int_equal(ppim_plan_sub(p, 0, 0)->extents[i].offset, 8192);
		assert_int_equal(ppim_plan_sub(p, 0, 1)->extents[i].offset, 0);
	}
	assert_int_equal(ppim_plan_alloc_room(a, PPIM_TIER_HBM, 3),
			 MIB / 4 - 4096);
	plan_is_sound(&small, p);
	ppim_plan_free(p);
	ppim_plan_alloc_free(a);
}

/* Few extents: stripes are fewer, and a DIMM part still has its own. */
static void extents_stay_below_the_devices_limit(void **state)
{
	struct ppim_plan_geometry few = stack;
	struct ppim_plan_table t = { .name = "users", .shape = qr(40000, 32, 4) };
	struct ppim_plan_profile *prof = skewed(&t.shape);
	struct ppim_plan *p;

	(void)state;
	t.profile = prof;
	few.max_extents = 8;
	p = plan_of(&few, &t, 1, NULL);
	assert_int_equal(ppim_plan_sub(p, 0, 0)->n_extents, 8);
	assert_int_equal(ppim_plan_sub(p, 0, 0)->extents[7].tier,
			 PPIM_TIER_DIMM);
	assert_int_equal(ppim_plan_sub(p, 0, 1)->flags, 0);
	plan_is_sound(&few, p);
	ppim_plan_free(p);
	t.duplicate = PPIM_PLAN_YES;
	refuses(&few, &t, 1, NULL, -E2BIG, "32 bank groups");
	few.max_extents = 1;
	t.duplicate = PPIM_PLAN_NO;
	refuses(&few, &t, 1, NULL, -E2BIG, "at most 1 extents");
	ppim_plan_profile_free(prof);
}

/* ---- determinism, speed ---------------------------------------------------------- */

static void same(const struct ppim_plan *a, const struct ppim_plan *b)
{
	const struct ppim_plan_sub *x, *y;
	uint32_t t, k;

	assert_int_equal(ppim_plan_tables(a), ppim_plan_tables(b));
	for (t = 0; t < ppim_plan_tables(a); t++) {
		for (k = 0; (x = ppim_plan_sub(a, t, k)); k++) {
			y = ppim_plan_sub(b, t, k);
			assert_int_equal(x->n_extents, y->n_extents);
			assert_memory_equal(x->extents, y->extents,
					    x->n_extents * sizeof(*x->extents));
			assert_int_equal(x->map_bits, y->map_bits);
			assert_int_equal(x->map_offset, y->map_offset);
			if (x->map)
				assert_memory_equal(x->map, y->map,
						    x->map_bytes);
		}
	}
}

/* The order in which a profile was collected does not matter. */
static void the_same_input_gives_the_same_plan(void **state)
{
	struct ppim_plan_table t = { .shape = qr(40000, 32, 4) };
	struct ppim_plan_profile *up, *down;
	struct ppim_plan *a, *b, *c;
	uint64_t row;

	(void)state;
	up = skewed(&t.shape);
	assert_int_equal(ppim_plan_profile_create(&t.shape, &down), 0);
	for (row = 10000; row-- > 0;) {
		ppim_plan_profile_add_row(down, row, heat(row, 10000) / 2);
		ppim_plan_profile_add_row(down, row, heat(row, 10000) -
						     heat(row, 10000) / 2);
	}
	t.profile = up;
	a = plan_of(&stack, &t, 1, NULL);
	b = plan_of(&stack, &t, 1, NULL);
	t.profile = down;
	c = plan_of(&stack, &t, 1, NULL);
	same(a, b);
	same(a, c);
	ppim_plan_free(a);
	ppim_plan_free(b);
	ppim_plan_free(c);
	ppim_plan_profile_free(up);
	ppim_plan_profile_free(down);
}

static void eight_million_rows_are_planned_in_seconds(void **state)
{
	struct ppim_plan_table *t;
	struct wl_tables kaggle;
	struct ppim_plan *p;
	struct timespec a, b;
	uint64_t i, k;

	(void)state;
	assert_int_equal(wl_tables_load("kaggle", &kaggle, NULL), 0);
	t = calloc(kaggle.n, sizeof(*t));
	for (i = 0; i < kaggle.n; i++) {
		struct ppim_plan_profile *prof;

		t[i].shape = qr(kaggle.rows[i], 32, 4);
		ppim_plan_profile_create(&t[i].shape, &prof);
		for (k = 0; k < 40000; k++) {
			int64_t index = (int64_t)(wl_permute(kaggle.rows[i], i,
						k * k % kaggle.rows[i]));

			ppim_plan_profile_add(prof, &index, 1, NULL);
		}
		t[i].profile = prof;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	p = plan_of(&stack, t, kaggle.n, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	nothing_overlaps(&stack, p);
	/* 0.2 s on one core; the rest is for a busy machine and sanitizers */
	assert_true(b.tv_sec - a.tv_sec < 10);
	for (i = 0; i < kaggle.n; i++)
		ppim_plan_profile_free((void *)t[i].profile);
	ppim_plan_free(p);
	free(t);
}

/* ---- explain ------------------------------------------------------------------------ */

static void says(const struct ppim_plan *p, uint32_t sub, uint64_t row,
		 const char *want)
{
	char line[512];

	assert_true(ppim_plan_explain(p, 0, sub, row, line, sizeof(line)) > 0);
	assert_string_equal(line, want);
}

static void a_row_can_say_why_it_is_there(void **state)
{
	struct ppim_plan_table t = { .name = "users", .shape = qr(16, 32, 4) };
	struct ppim_plan_options o = { .hot_ppm = 900000 };
	struct ppim_plan_profile *prof;
	struct ppim_plan *p;
	char tiny[8];
	int n;

	(void)state;
	assert_int_equal(ppim_plan_profile_create(&t.shape, &prof), 0);
	ppim_plan_profile_add_row(prof, 2, 95);
	ppim_plan_profile_add_row(prof, 1, 5);
	t.profile = prof;
	p = plan_of(&stack, &t, 1, &o);
	says(p, PPIM_SUB_Q, 2,
	     "users.Q row 2 is in the HBM, bank group 0 at 0: read 95 times of 100, place 1 of 2; the HBM holds the hottest 1 of 4 rows, which serve 95.00 % of the reads (90.00 % wanted)");
	says(p, PPIM_SUB_Q, 1,
	     "users.Q row 1 is in the DIMM at 0: read 5 times of 100, place 2 of 2; the HBM holds the hottest 1 of 4 rows, which serve 95.00 % of the reads (90.00 % wanted)");
	says(p, PPIM_SUB_Q, 3,
	     "users.Q row 3 is in the DIMM at 256: not read in the profile (100 reads); the HBM holds the hottest 1 of 4 rows, which serve 95.00 % of the reads (90.00 % wanted)");
	says(p, PPIM_SUB_R, 3,
	     "users.R row 3 is in the HBM: a copy in each of 32 bank groups: shared by many lookups, 512 bytes each");
	assert_int_equal(ppim_plan_explain(p, 0, 0, 4, tiny, 8), -ERANGE);
	assert_int_equal(ppim_plan_explain(p, 1, 0, 0, tiny, 8), -ERANGE);
	n = ppim_plan_explain(p, 0, 0, 2, tiny, sizeof(tiny));
	assert_true(n > 100);
	assert_string_equal(tiny, "users.Q");
	ppim_plan_free(p);
	ppim_plan_profile_free(prof);
}

/* ---- profile, allocator, bad input ----------------------------------------------------- */

static void a_profile_counts_the_rows_that_lookups_read(void **state)
{
	static const int64_t idx[] = { 0, 1, 5, 399, 7, 7 };
	static const int64_t bad[] = { 0, 400 }, minus[] = { 0, -1 };
	static const int64_t skip = 7;
	struct ppim_plan_profile *prof;
	struct ppim_shape shape = qr(400, 32, 4);

	(void)state;
	assert_int_equal(ppim_plan_profile_create(&shape, &prof), 0);
	assert_int_equal(ppim_plan_profile_add(prof, idx, 6, &skip), 0);
	assert_int_equal(ppim_plan_profile_accesses(prof), 4);
	assert_int_equal(ppim_plan_profile_add(prof, bad, 2, NULL), -ERANGE);
	assert_int_equal(ppim_plan_profile_add(prof, minus, 2, NULL), -ERANGE);
	assert_int_equal(ppim_plan_profile_add_row(prof, 100, 1), -ERANGE);
	assert_int_equal(ppim_plan_profile_accesses(prof), 4);
	ppim_plan_profile_free(prof);
	shape.dim = 0;
	assert_int_equal(ppim_plan_profile_create(&shape, &prof), -EINVAL);
}

static void the_lowest_offset_that_fits_is_taken(void **state)
{
	struct ppim_plan_geometry g = stack;
	struct ppim_plan_alloc *a;
	uint64_t at;

	(void)state;
	g.slice_bytes = 1024;
	g.dimm_bytes = 0;
	assert_int_equal(ppim_plan_alloc_create(&g, &a), 0);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 100, &at), 0);
	assert_int_equal(at, 0);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 64, &at), 0);
	assert_int_equal(at, 128);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 832, &at), 0);
	assert_int_equal(at, 192);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 1, &at), -ENOSPC);
	assert_int_equal(ppim_plan_alloc_give(a, 0, 1, 128, 128), -EINVAL);
	assert_int_equal(ppim_plan_alloc_give(a, 0, 1, 128, 64), 0);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 65, &at), -ENOSPC);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 1, 3, &at), 0);
	assert_int_equal(at, 128);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 2, 1024, &at), 0);
	assert_int_equal(at, 0);
	assert_int_equal(ppim_plan_alloc_take(a, 1, 0, 64, &at), -ENOSPC);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 32, 64, &at), -EINVAL);
	assert_int_equal(ppim_plan_alloc_take(a, 2, 0, 64, &at), -EINVAL);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 0, 0, &at), -EINVAL);
	assert_int_equal(ppim_plan_alloc_take(a, 0, 0, UINT64_MAX, &at),
			 -ENOSPC);
	assert_int_equal(ppim_plan_alloc_room(a, 0, 1), 0);
	ppim_plan_alloc_free(a);
}

static void bad_input_is_named(void **state)
{
	struct ppim_plan_table t = { .name = "users", .shape = qr(400, 32, 4) };
	struct ppim_plan_options o = { .hot_ppm = 1000001 };
	struct ppim_plan_geometry g = stack;
	struct ppim_plan_profile *prof;
	struct ppim_shape other = qr(4000, 32, 4);

	(void)state;
	refuses(&stack, &t, 1, &o, -EINVAL, "1000001 ppm");
	o = (struct ppim_plan_options){ .duplicate = 3 };
	refuses(&stack, &t, 1, &o, -EINVAL, "duplicate 3");
	g.slices = 0;
	refuses(&g, &t, 1, NULL, -EINVAL, "0 bank groups");
	g = stack;
	g.align = 48;
	refuses(&g, &t, 1, NULL, -EINVAL, "alignment 48");
	assert_int_equal(ppim_plan_profile_create(&other, &prof), 0);
	t.profile = prof;
	refuses(&stack, &t, 1, NULL, -EINVAL, "users: its profile is one of 1000 rows");
	t.profile = NULL;
	t.prefetch = PPIM_PLAN_YES;
	t.duplicate = PPIM_PLAN_NO;
	refuses(&stack, &t, 1, NULL, -EINVAL, "users.R: prefetch without copies");
	t.shape.dim = 0;
	refuses(&stack, &t, 1, NULL, -EINVAL, "users");
	ppim_plan_profile_free(prof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bandwidths_give_the_known_shares),
		cmocka_unit_test(without_a_profile_all_is_in_the_hbm),
		cmocka_unit_test(hottest_rows_serve_just_the_share),
		cmocka_unit_test(no_row_in_the_dimm_is_hotter_than_one_in_the_hbm),
		cmocka_unit_test(equal_counts_are_ordered_by_row_number),
		cmocka_unit_test(tt_duplicates_g1_and_g3_and_hints_g1),
		cmocka_unit_test(small_tables_do_not_meet_in_one_bank_group),
		cmocka_unit_test(told_not_to_it_makes_no_copies),
		cmocka_unit_test(a_tables_own_choice_beats_the_options),
		cmocka_unit_test(a_given_tier_is_obeyed),
		cmocka_unit_test(a_large_shared_subtable_gets_no_copies),
		cmocka_unit_test(what_the_hbm_cannot_hold_spills),
		cmocka_unit_test(a_full_hbm_spills_its_coldest_rows),
		cmocka_unit_test(a_full_dimm_sends_rows_back),
		cmocka_unit_test(without_a_dimm_all_is_in_the_hbm),
		cmocka_unit_test(what_fits_nowhere_is_refused),
		cmocka_unit_test(a_used_device_is_respected),
		cmocka_unit_test(extents_stay_below_the_devices_limit),
		cmocka_unit_test(the_same_input_gives_the_same_plan),
		cmocka_unit_test(eight_million_rows_are_planned_in_seconds),
		cmocka_unit_test(a_row_can_say_why_it_is_there),
		cmocka_unit_test(a_profile_counts_the_rows_that_lookups_read),
		cmocka_unit_test(the_lowest_offset_that_fits_is_taken),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
