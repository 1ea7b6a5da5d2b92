// SPDX-License-Identifier: MIT
/*
 * How many rows of each main subtable live in the HBM. First what each table
 * wants (its profile's hottest rows, or all), then what there is room for: the
 * coldest leave a full HBM, and only a full DIMM sends rows back.
 *
 * Room is counted in the fullest bank group and against the largest gap that
 * every bank group has; what fits by that count fits wherever the stripes
 * begin, and whatever gaps there are beside it.
 */
#include <errno.h>
#include <stdlib.h>
#include "plan_int.h"

static uint64_t main_rows(const struct plan_table *t)
{
	return t->sub[t->main].pub.rows;
}

static uint32_t main_stride(const struct plan_table *t)
{
	return t->sub[t->main].pub.row_stride;
}

static bool is_profiled(const struct plan_table *t)
{
	return t->accesses && t->tier == PPIM_PLAN_TIER_AUTO;
}

static bool is_unprofiled(const struct plan_table *t)
{
	return !t->accesses && t->tier == PPIM_PLAN_TIER_AUTO;
}

/* Rows until hot_ppm of the accesses are served. */
static uint64_t hot_cut(const struct plan_table *t)
{
	unsigned __int128 want = (unsigned __int128)t->accesses * t->hot_ppm;
	unsigned __int128 served = 0;
	size_t i;

	for (i = 0; i < t->n_seen && served * 1000000 < want; i++)
		served += t->by_heat[i].count;
	return i;
}

static void table_want(struct plan_table *t)
{
	if (t->tier != PPIM_PLAN_TIER_AUTO) {
		t->reason = PLAN_FORCED;
		t->wanted = t->tier == PPIM_PLAN_TIER_HBM ? main_rows(t) : 0;
	} else if (t->accesses) {
		t->reason = PLAN_BY_PROFILE;
		t->wanted = hot_cut(t);
	} else {
		t->reason = PLAN_NO_PROFILE;
		t->wanted = main_rows(t);
	}
	t->hbm_rows = t->wanted;
}

static uint64_t hbm_table_bytes(const struct ppim_plan *p,
				const struct plan_table *t)
{
	return plan_stripe_bytes(t->hbm_rows, p->stripe, main_stride(t));
}

static uint64_t hbm_used(const struct ppim_plan *p)
{
	uint64_t used = p->hbm_fixed;
	uint32_t i;

	for (i = 0; i < p->n; i++)
		used += hbm_table_bytes(p, &p->table[i]);
	return used;
}

/* Rows of t that the HBM can hold beside all other tables' rows. */
static uint64_t hbm_fit(const struct ppim_plan *p, const struct plan_table *t)
{
	uint64_t others = hbm_used(p) - hbm_table_bytes(p, t);

	if (others >= p->hbm_hole)
		return 0;
	return (p->hbm_hole - others) / main_stride(t) * p->stripe;
}

static uint64_t dimm_table_bytes(const struct ppim_plan *p,
				 const struct plan_table *t)
{
	uint64_t cold = main_rows(t) - t->hbm_rows;

	return cold * main_stride(t) +
	       (cold && t->hbm_rows ? plan_align(p, main_rows(t) * 4) : 0);
}

static uint64_t dimm_used(const struct ppim_plan *p)
{
	uint64_t used = 0;
	uint32_t i;

	for (i = 0; i < p->n; i++)
		used += dimm_table_bytes(p, &p->table[i]);
	return used;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- the HBM is full ------------------------------------------------------ */

struct by_size {
	uint64_t rows;
	uint32_t table;
};

static int larger_first(const void *a, const void *b)
{
	const struct by_size *x = a, *y = b;

	if (x->rows != y->rows)
		return x->rows < y->rows ? 1 : -1;
	return (x->table < y->table) - (x->table > y->table);
}

static struct by_size *tables_by_size(const struct ppim_plan *p)
{
	struct by_size *v = malloc(p->n * sizeof(*v));
	uint32_t i;

	if (!v)
		return NULL;
	for (i = 0; i < p->n; i++)
		v[i] = (struct by_size){ main_rows(&p->table[i]), i };
	qsort(v, p->n, sizeof(*v), larger_first);
	return v;
}

/* Tables without a profile are asked equally often, so a row of a larger one
 * is colder. */
static void spill_unprofiled(struct ppim_plan *p, const struct by_size *order)
{
	struct plan_table *t;
	uint32_t i;

	for (i = 0; i < p->n && hbm_used(p) > p->hbm_hole; i++) {
		t = &p->table[order[i].table];
		if (!is_unprofiled(t))
			continue;
		t->hbm_rows = min_u64(t->hbm_rows, hbm_fit(p, t));
		if (t->hbm_rows < t->wanted)
			t->reason = PLAN_HBM_FULL;
	}
}

/* Wanted rows that were read more than `count` times. */
static uint64_t hotter_than(const struct plan_table *t, uint64_t count)
{
	size_t lo = 0, hi = t->wanted, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (t->by_heat[mid].count > count)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool threshold_fits(struct ppim_plan *p, uint64_t count)
{
	struct plan_table *t;
	uint32_t i;

	for (i = 0; i < p->n; i++) {
		t = &p->table[i];
		if (is_profiled(t))
			t->hbm_rows = hotter_than(t, count);
	}
	return hbm_used(p) <= p->hbm_hole;
}

/* All rows above the least count that fits stay, and of the rows that have
 * just this count as many as fit. */
static void spill_profiled(struct ppim_plan *p)
{
	uint64_t lo = 0, hi = UINT64_MAX, mid, ties;
	struct plan_table *t;
	uint32_t i;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (threshold_fits(p, mid))
			hi = mid;
		else
			lo = mid + 1;
	}
	threshold_fits(p, lo);
	for (i = 0; i < p->n; i++) {
		t = &p->table[i];
		if (!is_profiled(t))
			continue;
		ties = lo ? hotter_than(t, lo - 1) : t->wanted;
		if (ties > t->hbm_rows && hbm_fit(p, t) > t->hbm_rows)
			t->hbm_rows = min_u64(ties, hbm_fit(p, t));
		if (t->hbm_rows < t->wanted)
			t->reason = PLAN_HBM_FULL;
	}
}

static int hbm_relieve(struct ppim_plan *p, const struct by_size *order,
		       struct ppim_plan_error *err)
{
	if (hbm_used(p) > p->hbm_hole)
		spill_unprofiled(p, order);
	if (hbm_used(p) > p->hbm_hole)
		spill_profiled(p);
	if (hbm_used(p) <= p->hbm_hole)
		return 0;
	return plan_fail(err, -ENOSPC,
			 "what must be in the HBM needs %llu bytes of each bank group, %llu are free",
			 (unsigned long long)hbm_used(p),
			 (unsigned long long)p->hbm_hole);
}

/* ---- the DIMM is full ------------------------------------------------------ */

/* Brings rows of t back until the DIMM's rest fits or the HBM is full. The
 * second round is for the row map, which comes with the first row. */
static void table_return(struct ppim_plan *p, struct plan_table *t)
{
	uint64_t over, rows, used;
	int round;

	for (round = 0; round < 2; round++) {
		used = dimm_used(p);
		if (used <= p->dimm_hole)
			return;
		over = used - p->dimm_hole;
		rows = over / main_stride(t) + (over % main_stride(t) != 0);
		rows = min_u64(rows, main_rows(t) - t->hbm_rows) + t->hbm_rows;
		rows = min_u64(rows, hbm_fit(p, t));
		if (rows <= t->hbm_rows)
			return;
		t->hbm_rows = rows;
		t->reason = PLAN_DIMM_FULL;
	}
}

static int dimm_relieve(struct ppim_plan *p, const struct by_size *order,
			struct ppim_plan_error *err)
{
	uint32_t i = p->n;

	while (i-- > 0 && dimm_used(p) > p->dimm_hole)
		if (p->table[order[i].table].tier == PPIM_PLAN_TIER_AUTO)
			table_return(p, &p->table[order[i].table]);
	if (dimm_used(p) <= p->dimm_hole)
		return 0;
	return plan_fail(err, -ENOSPC,
			 "the tables do not fit: %llu of %llu bytes of each bank group are taken, and the rest needs %llu bytes of the DIMM, %llu are free",
			 (unsigned long long)hbm_used(p),
			 (unsigned long long)p->hbm_hole,
			 (unsigned long long)dimm_used(p),
			 (unsigned long long)p->dimm_hole);
}

int plan_select(struct ppim_plan *p, struct ppim_plan_error *err)
{
	struct by_size *order;
	uint32_t i;
	int ret;

	for (i = 0; i < p->n; i++)
		table_want(&p->table[i]);
	order = tables_by_size(p);
	if (!order)
		return plan_fail(err, -ENOMEM, "no memory for the plan");
	ret = hbm_relieve(p, order, err);
	if (!ret)
		ret = dimm_relieve(p, order, err);
	free(order);
	return ret;
}
