// SPDX-License-Identifier: MIT
/*
 * Turns the numbers of rows into extents, offsets and row maps, in the order
 * in which the driver will be asked for them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan_int.h"

#define MAP_UNSET UINT32_MAX

static int no_memory(struct ppim_plan_error *err)
{
	return plan_fail(err, -ENOMEM, "no memory for the plan");
}

static struct ppim_plan_extent *extents_new(struct ppim_plan_sub *s, uint32_t n)
{
	struct ppim_plan_extent *e = calloc(n, sizeof(*e));

	s->extents = e;
	s->n_extents = e ? n : 0;
	return e;
}

/* Stripes begin in another bank group for each subtable, so that tables of few
 * rows, and the hottest rows of all, do not meet in the first. */
static uint32_t stripe_start(struct ppim_plan *p, uint64_t rows)
{
	uint32_t start = p->next_slice;
	uint64_t step = rows % p->geo.slices;

	p->next_slice = (start + (step ? step : 1)) % p->geo.slices;
	return start;
}

static void stripe_fill(struct ppim_plan *p, struct ppim_plan_extent *e,
			uint32_t n, uint64_t rows)
{
	uint32_t start = stripe_start(p, rows), i;

	for (i = 0; i < n; i++) {
		e[i].tier = PPIM_TIER_HBM;
		e[i].slice = (start + i) % p->geo.slices;
		e[i].rows = (rows - i - 1) / n + 1;
	}
}

static int extents_alloc(struct ppim_plan *p, struct ppim_plan_sub *s)
{
	struct ppim_plan_extent *e = (struct ppim_plan_extent *)s->extents;
	uint64_t bytes;
	uint32_t i;
	int ret;

	for (i = 0; i < s->n_extents; i++) {
		bytes = e[i].rows * s->row_stride;
		ret = ppim_plan_alloc_take(p->alloc, e[i].tier, e[i].slice,
					   bytes, &e[i].offset);
		if (ret)
			return ret;
		if (e[i].tier == PPIM_TIER_HBM)
			s->hbm_bytes += bytes;
		else
			s->dimm_bytes += bytes;
	}
	if (!s->map)
		return 0;
	s->map_bytes = s->rows * sizeof(*s->map);
	return ppim_plan_alloc_take(p->alloc, s->map_tier, s->map_slice,
				    s->map_bytes, &s->map_offset);
}

/* ---- in one tier ----------------------------------------------------------- */

static int place_copies(struct ppim_plan *p, struct ppim_plan_sub *s)
{
	struct ppim_plan_extent *e = extents_new(s, p->geo.slices);
	uint32_t i;

	if (!e)
		return -ENOMEM;
	for (i = 0; i < s->n_extents; i++)
		e[i] = (struct ppim_plan_extent){ .tier = PPIM_TIER_HBM,
						  .slice = i,
						  .rows = s->rows };
	s->hbm_rows = s->rows;
	return 0;
}

static int place_stripes(struct ppim_plan *p, struct ppim_plan_sub *s)
{
	uint32_t n = s->rows < p->stripe ? (uint32_t)s->rows : p->stripe;
	struct ppim_plan_extent *e = extents_new(s, n);

	if (!e)
		return -ENOMEM;
	stripe_fill(p, e, n, s->rows);
	s->hbm_rows = s->rows;
	return 0;
}

static int place_dimm(struct ppim_plan_sub *s)
{
	struct ppim_plan_extent *e = extents_new(s, 1);

	if (!e)
		return -ENOMEM;
	e->tier = PPIM_TIER_DIMM;
	e->rows = s->rows;
	return 0;
}

/* ---- split between the tiers ------------------------------------------------ */

struct split {
	uint32_t n_hbm, n_dimm;
	uint32_t bits;
	uint64_t hot, cold;
};

/* The most bits for rows that leave enough for extents. The value MAP_UNSET is
 * kept free. */
static int split_shape(const struct ppim_plan *p, struct split *s)
{
	uint64_t dimm, n;

	s->n_hbm = s->hot < p->stripe ? (uint32_t)s->hot : p->stripe;
	for (s->bits = 31; s->bits; s->bits--) {
		dimm = ((s->cold - 1) >> s->bits) + 1;
		n = s->n_hbm + dimm;
		if ((s->hot - 1) / s->n_hbm >> s->bits)
			return -E2BIG;
		if (n > p->geo.max_extents || n >= 1ull << (32 - s->bits))
			continue;
		s->n_dimm = (uint32_t)dimm;
		return 0;
	}
	return -E2BIG;
}

/* Entry of the row that is at `heat` in the order from hot to cold. */
static uint32_t split_entry(const struct split *s, uint64_t heat)
{
	uint64_t extent, row;

	if (heat < s->hot) {
		extent = heat % s->n_hbm;
		row = heat / s->n_hbm;
	} else {
		heat -= s->hot;
		extent = s->n_hbm + (heat >> s->bits);
		row = heat & ((1ull << s->bits) - 1);
	}
	return (uint32_t)(extent << s->bits | row);
}

static uint32_t *split_map(const struct plan_table *t, const struct split *s,
			   uint64_t rows)
{
	uint32_t *map = malloc(rows * sizeof(*map));
	uint64_t heat, row;

	if (!map)
		return NULL;
	memset(map, 0xff, rows * sizeof(*map));
	for (heat = 0; heat < t->n_seen; heat++)
		map[t->by_heat[heat].row] = split_entry(s, heat);
	for (row = 0; row < rows; row++)
		if (map[row] == MAP_UNSET)
			map[row] = split_entry(s, heat++);
	return map;
}

static void split_extents(struct ppim_plan *p, struct ppim_plan_extent *e,
			  const struct split *s)
{
	uint64_t left = s->cold, most = 1ull << s->bits;
	uint32_t i;

	stripe_fill(p, e, s->n_hbm, s->hot);
	for (i = s->n_hbm; i < s->n_hbm + s->n_dimm; i++) {
		e[i].tier = PPIM_TIER_DIMM;
		e[i].rows = left < most ? left : most;
		left -= e[i].rows;
	}
}

static int place_split(struct ppim_plan *p, const struct plan_table *t,
		       struct ppim_plan_sub *s, struct ppim_plan_error *err)
{
	struct split split = { .hot = t->hbm_rows,
			       .cold = s->rows - t->hbm_rows };
	struct ppim_plan_extent *e;

	if (split_shape(p, &split))
		return plan_fail(err, -E2BIG,
				 "%s.%s: %llu rows cannot be split between the tiers by a row map of 32-bit entries with at most %u extents",
				 t->name, plan_sub_letter(&t->shape, t->main),
				 (unsigned long long)s->rows,
				 p->geo.max_extents);
	e = extents_new(s, split.n_hbm + split.n_dimm);
	s->map = split_map(t, &split, s->rows);
	if (!e || !s->map)
		return no_memory(err);
	split_extents(p, e, &split);
	s->flags |= PPIM_SUBF_MAPPED;
	s->map_bits = split.bits;
	s->map_tier = PPIM_TIER_DIMM;
	s->hbm_rows = split.hot;
	return 0;
}

/* ---- all of it --------------------------------------------------------------- */

static int place_main(struct ppim_plan *p, const struct plan_table *t,
		      struct ppim_plan_sub *s, struct ppim_plan_error *err)
{
	int ret;

	if (t->hbm_rows && t->hbm_rows < s->rows)
		return place_split(p, t, s, err);
	ret = t->hbm_rows ? place_stripes(p, s) : place_dimm(s);
	return ret ? no_memory(err) : 0;
}

static int place_sub(struct ppim_plan *p, struct plan_table *t, uint32_t k,
		     struct ppim_plan_error *err)
{
	struct ppim_plan_sub *s = &t->sub[k].pub;
	int ret;

	if (k == t->main)
		ret = place_main(p, t, s, err);
	else if (s->flags & PPIM_SUBF_DUPLICATED)
		ret = place_copies(p, s) ? no_memory(err) : 0;
	else
		ret = place_stripes(p, s) ? no_memory(err) : 0;
	if (ret)
		return ret;
	ret = extents_alloc(p, s);
	if (!ret)
		return 0;
	return plan_fail(err, ret, "%s.%s: no room for its %llu rows of %u bytes",
			 t->name, plan_sub_letter(&t->shape, k),
			 (unsigned long long)s->rows, s->row_stride);
}

static void count_accesses(struct plan_table *t)
{
	struct ppim_plan_sub *s = &t->sub[t->main].pub;
	uint64_t i;

	s->accesses = t->accesses;
	for (i = 0; i < t->n_seen && i < s->hbm_rows; i++)
		s->accesses_hbm += t->by_heat[i].count;
}

static void sum_add(struct ppim_plan_summary *sum,
		    const struct ppim_plan_sub *s)
{
	sum->hbm_bytes += s->hbm_bytes;
	sum->dimm_bytes += s->dimm_bytes + s->map_bytes;
	sum->accesses += s->accesses;
	sum->accesses_hbm += s->accesses_hbm;
	sum->duplicated += !!(s->flags & PPIM_SUBF_DUPLICATED);
	sum->prefetched += !!(s->flags & PPIM_SUBF_PREFETCH);
	sum->mapped += !!(s->flags & PPIM_SUBF_MAPPED);
}

int plan_place(struct ppim_plan *p, struct ppim_plan_error *err)
{
	uint32_t i, k;
	int ret;

	for (i = 0; i < p->n; i++) {
		for (k = 0; k < p->table[i].n_sub; k++) {
			ret = place_sub(p, &p->table[i], k, err);
			if (ret)
				return ret;
		}
		count_accesses(&p->table[i]);
		for (k = 0; k < p->table[i].n_sub; k++)
			sum_add(&p->sum, &p->table[i].sub[k].pub);
	}
	return 0;
}
