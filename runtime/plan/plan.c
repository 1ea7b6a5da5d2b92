// SPDX-License-Identifier: MIT
/* Input checks, the shared subtables' decisions, and the plan as an object. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan_int.h"

/* A copy may take an eighth of a bank group, all copies together half of it:
 * beyond that the copies push out more hot rows than they save moves. */
#define COPY_SHARE 8
#define COPIES_SHARE 2

/* Rows times stride stay below 2^64 with any shape. */
#define MAX_ALIGN 65536

int plan_fail(struct ppim_plan_error *err, int ret, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return ret;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return ret;
}

const char *ppim_plan_sub_name(uint32_t algo, uint32_t sub)
{
	static const char *const names[][PPIM_MAX_SUBTABLES] = {
		[PPIM_ALGO_DENSE] = { "W" },
		[PPIM_ALGO_QR] = { "Q", "R" },
		[PPIM_ALGO_TT] = { "G1", "G2", "G3" },
	};

	if (algo > PPIM_ALGO_TT || sub >= PPIM_MAX_SUBTABLES)
		return NULL;
	return names[algo][sub];
}

uint32_t ppim_plan_hot_ppm(double hbm_bandwidth, double dimm_bandwidth)
{
	if (!(hbm_bandwidth > 0) || !(dimm_bandwidth > 0))
		return 1000000;
	return (uint32_t)(1e6 * hbm_bandwidth /
			  (hbm_bandwidth + dimm_bandwidth));
}

/* ---- input ------------------------------------------------------------------- */

static int geometry_check(const struct ppim_plan_geometry *g,
			  struct ppim_plan_error *err)
{
	if (!g->slices || g->slices > UINT16_MAX)
		return plan_fail(err, -EINVAL,
				 "geometry: %u bank groups, expected 1 to %u",
				 g->slices, UINT16_MAX);
	if (!g->align || g->align & (g->align - 1) || g->align > MAX_ALIGN)
		return plan_fail(err, -EINVAL,
				 "geometry: alignment %u, expected a power of two up to %u",
				 g->align, MAX_ALIGN);
	if (!g->max_extents)
		return plan_fail(err, -EINVAL,
				 "geometry: a subtable has no extents");
	if (g->hot_ppm > 1000000)
		return plan_fail(err, -EINVAL,
				 "geometry: hot share %u ppm, expected at most 1000000",
				 g->hot_ppm);
	return 0;
}

static int options_check(const struct ppim_plan_options *o,
			 struct ppim_plan_error *err)
{
	if (o->hot_ppm > 1000000)
		return plan_fail(err, -EINVAL,
				 "options: hot share %u ppm, expected at most 1000000",
				 o->hot_ppm);
	if (o->duplicate > PPIM_PLAN_YES || o->prefetch > PPIM_PLAN_YES)
		return plan_fail(err, -EINVAL,
				 "options: duplicate %u, prefetch %u, expected auto, no or yes",
				 o->duplicate, o->prefetch);
	return 0;
}

static int table_check(const struct plan_table *t,
		       const struct ppim_plan_table *in,
		       struct ppim_plan_error *err)
{
	if (!ppim_shape_valid(&in->shape))
		return plan_fail(err, -EINVAL,
				 "%s: its parameters describe no table",
				 t->name);
	if (in->tier > PPIM_PLAN_TIER_DIMM || in->duplicate > PPIM_PLAN_YES ||
	    in->prefetch > PPIM_PLAN_YES || in->hot_ppm > 1000000)
		return plan_fail(err, -EINVAL,
				 "%s: tier %u, duplicate %u, prefetch %u or hot share %u ppm is out of range",
				 t->name, in->tier, in->duplicate, in->prefetch,
				 in->hot_ppm);
	if (in->profile &&
	    plan_profile_rows(in->profile) !=
		    ppim_shape_rows(&in->shape, plan_main_sub(&in->shape)))
		return plan_fail(err, -EINVAL,
				 "%s: its profile is one of %llu rows",
				 t->name,
				 (unsigned long long)
					 plan_profile_rows(in->profile));
	return 0;
}

static uint8_t choice(uint8_t own, uint8_t general)
{
	return own != PPIM_PLAN_AUTO ? own : general;
}

static int heat_order(const void *a, const void *b)
{
	const struct plan_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

static int table_profile(struct plan_table *t,
			 const struct ppim_plan_profile *profile)
{
	int ret = plan_profile_sorted(profile, &t->by_row, &t->n_seen);

	if (ret)
		return ret;
	t->by_heat = malloc((t->n_seen ? t->n_seen : 1) * sizeof(*t->by_heat));
	if (!t->by_heat)
		return -ENOMEM;
	memcpy(t->by_heat, t->by_row, t->n_seen * sizeof(*t->by_heat));
	qsort(t->by_heat, t->n_seen, sizeof(*t->by_heat), heat_order);
	t->accesses = ppim_plan_profile_accesses(profile);
	return 0;
}

static int table_init(struct ppim_plan *p, uint32_t i,
		      const struct ppim_plan_table *in,
		      const struct ppim_plan_options *o,
		      struct ppim_plan_error *err)
{
	struct plan_table *t = &p->table[i];
	uint32_t k;
	int ret;

	if (in->name)
		snprintf(t->name, sizeof(t->name), "%s", in->name);
	else
		snprintf(t->name, sizeof(t->name), "table %u", i);
	ret = table_check(t, in, err);
	if (ret)
		return ret;
	t->shape = in->shape;
	t->tier = in->tier;
	t->duplicate = choice(in->duplicate, o->duplicate);
	t->prefetch = choice(in->prefetch, o->prefetch);
	t->hot_ppm = in->hot_ppm ? in->hot_ppm :
		     o->hot_ppm ? o->hot_ppm : p->geo.hot_ppm;
	t->n_sub = ppim_shape_subtables(&t->shape);
	t->main = plan_main_sub(&t->shape);
	for (k = 0; k < t->n_sub; k++) {
		struct ppim_plan_sub *s = &t->sub[k].pub;

		s->rows = ppim_shape_rows(&t->shape, k);
		s->row_bytes = (uint32_t)ppim_shape_row_bytes(&t->shape, k);
		s->row_stride = (uint32_t)plan_align(p, s->row_bytes);
	}
	if (in->profile && table_profile(t, in->profile))
		return plan_fail(err, -ENOMEM, "no memory for the profile");
	return 0;
}

/* ---- shared subtables ---------------------------------------------------------- */

/* May R, G1 or G3 be copied into every bank group? */
static enum plan_copies copies_decide(const struct ppim_plan *p,
				      const struct plan_table *t,
				      const struct ppim_plan_sub *s)
{
	uint64_t bytes = s->rows * s->row_stride;

	if (t->duplicate == PPIM_PLAN_NO)
		return PLAN_COPIES_OFF;
	if (p->geo.slices > p->geo.max_extents)
		return PLAN_COPIES_EXTENTS;
	if (t->duplicate == PPIM_PLAN_YES)
		return PLAN_COPIES;
	if (bytes > p->geo.slice_bytes / COPY_SHARE)
		return PLAN_COPIES_LARGE;
	if (p->hbm_fixed + bytes > p->hbm_hole / COPIES_SHARE)
		return PLAN_COPIES_ROOM;
	return PLAN_COPIES;
}

/* What does not fit as a whole is worth the hint all the same: the SRAM holds
 * as many rows as it has room for, and the others come from the copy. */
static enum plan_hint hint_decide(const struct ppim_plan *p,
				  const struct plan_table *t, uint32_t k)
{
	if (k != (t->shape.algo == PPIM_ALGO_TT ? PPIM_SUB_G1 : PPIM_SUB_R))
		return PLAN_HINT_NEVER;
	if (t->prefetch == PPIM_PLAN_NO)
		return PLAN_HINT_OFF;
	if (!(t->sub[k].pub.flags & PPIM_SUBF_DUPLICATED))
		return PLAN_HINT_NO_COPIES;
	if (t->prefetch == PPIM_PLAN_AUTO &&
	    t->sub[k].pub.row_bytes > p->geo.sram_bytes)
		return PLAN_HINT_SRAM;
	return PLAN_HINT;
}

static int shared_decide(struct ppim_plan *p, struct plan_table *t, uint32_t k,
			 struct ppim_plan_error *err)
{
	struct plan_sub *s = &t->sub[k];

	s->copies = copies_decide(p, t, &s->pub);
	if (s->copies == PLAN_COPIES_EXTENTS && t->duplicate == PPIM_PLAN_YES)
		return plan_fail(err, -E2BIG,
				 "%s.%s: copies in %u bank groups, but a subtable has at most %u extents",
				 t->name, plan_sub_letter(&t->shape, k),
				 p->geo.slices, p->geo.max_extents);
	if (s->copies == PLAN_COPIES)
		s->pub.flags |= PPIM_SUBF_DUPLICATED;
	s->hint = hint_decide(p, t, k);
	if (s->hint == PLAN_HINT_NO_COPIES && t->prefetch == PPIM_PLAN_YES)
		return plan_fail(err, -EINVAL,
				 "%s.%s: prefetch without copies: it must be duplicated",
				 t->name, plan_sub_letter(&t->shape, k));
	if (s->hint == PLAN_HINT)
		s->pub.flags |= PPIM_SUBF_PREFETCH;
	p->hbm_fixed += s->copies == PLAN_COPIES ?
				s->pub.rows * s->pub.row_stride :
				plan_stripe_bytes(s->pub.rows, p->stripe,
						  s->pub.row_stride);
	return 0;
}

static int shared_decide_all(struct ppim_plan *p, struct ppim_plan_error *err)
{
	struct plan_table *t;
	uint32_t i, k;
	int ret;

	for (i = 0; i < p->n; i++) {
		t = &p->table[i];
		for (k = 0; k < t->n_sub; k++) {
			if (k == t->main)
				continue;
			ret = shared_decide(p, t, k, err);
			if (ret)
				return ret;
		}
		t->sub[t->main].copies = PLAN_COPIES_OFF;
		t->sub[t->main].hint = PLAN_HINT_NEVER;
	}
	return 0;
}

/* ---- plan -------------------------------------------------------------------- */

static void capacity_init(struct ppim_plan *p)
{
	uint64_t hole;
	uint32_t s;

	/* a split subtable needs an extent in the DIMM as well */
	p->stripe = p->geo.max_extents;
	if (p->geo.dimm_bytes && p->stripe > 1)
		p->stripe--;
	if (p->stripe > p->geo.slices)
		p->stripe = p->geo.slices;
	p->hbm_hole = UINT64_MAX;
	for (s = 0; s < p->geo.slices; s++) {
		hole = plan_alloc_hole(p->alloc, PPIM_TIER_HBM, s);
		if (hole < p->hbm_hole)
			p->hbm_hole = hole;
	}
	p->dimm_hole = plan_alloc_hole(p->alloc, PPIM_TIER_DIMM, 0);
}

static int plan_build(struct ppim_plan *p, const struct ppim_plan_table *tables,
		      const struct ppim_plan_options *o,
		      const struct ppim_plan_alloc *start,
		      struct ppim_plan_error *err)
{
	uint32_t i;
	int ret;

	ret = plan_alloc_clone(start, &p->geo, &p->alloc);
	if (ret)
		return plan_fail(err, ret, ret == -EINVAL ?
				 "what is taken is of another geometry" :
				 "no memory for the plan");
	capacity_init(p);
	for (i = 0; i < p->n; i++) {
		ret = table_init(p, i, &tables[i], o, err);
		if (ret)
			return ret;
	}
	ret = shared_decide_all(p, err);
	if (!ret)
		ret = plan_select(p, err);
	if (!ret)
		ret = plan_place(p, err);
	return ret;
}

int ppim_plan_create(const struct ppim_plan_geometry *geo,
		     const struct ppim_plan_table *tables, uint32_t n_tables,
		     const struct ppim_plan_options *options,
		     const struct ppim_plan_alloc *start,
		     struct ppim_plan **plan, struct ppim_plan_error *err)
{
	struct ppim_plan_options none = { 0 };
	struct ppim_plan *p;
	int ret;

	if (!options)
		options = &none;
	ret = geometry_check(geo, err);
	if (!ret)
		ret = options_check(options, err);
	if (ret)
		return ret;
	p = calloc(1, sizeof(*p));
	if (!p)
		return plan_fail(err, -ENOMEM, "no memory for the plan");
	p->geo = *geo;
	p->table = calloc(n_tables ? n_tables : 1, sizeof(*p->table));
	p->n = p->table ? n_tables : 0;
	ret = p->table ? plan_build(p, tables, options, start, err) :
			 plan_fail(err, -ENOMEM, "no memory for the plan");
	if (ret)
		ppim_plan_free(p);
	else
		*plan = p;
	return ret;
}

static void table_free(struct plan_table *t)
{
	uint32_t k;

	for (k = 0; k < PPIM_MAX_SUBTABLES; k++) {
		free((void *)t->sub[k].pub.extents);
		free((void *)t->sub[k].pub.map);
	}
	free(t->by_row);
	free(t->by_heat);
}

void ppim_plan_free(struct ppim_plan *p)
{
	uint32_t i;

	if (!p)
		return;
	for (i = 0; i < p->n; i++)
		table_free(&p->table[i]);
	free(p->table);
	ppim_plan_alloc_free(p->alloc);
	free(p);
}

uint32_t ppim_plan_tables(const struct ppim_plan *p)
{
	return p->n;
}

const struct ppim_plan_sub *ppim_plan_sub(const struct ppim_plan *p,
					  uint32_t table, uint32_t sub)
{
	if (table >= p->n || sub >= p->table[table].n_sub)
		return NULL;
	return &p->table[table].sub[sub].pub;
}

void ppim_plan_summary(const struct ppim_plan *p, struct ppim_plan_summary *out)
{
	*out = p->sum;
}

int ppim_plan_locate(const struct ppim_plan_sub *s, uint64_t row, uint32_t copy,
		     struct ppim_plan_loc *loc)
{
	uint64_t inner = row;

	if (row >= s->rows)
		return -ERANGE;
	if (s->flags & PPIM_SUBF_DUPLICATED) {
		if (copy >= s->n_extents)
			return -ERANGE;
		loc->extent = copy;
	} else if (s->map) {
		loc->extent = s->map[row] >> s->map_bits;
		inner = s->map[row] & ((1u << s->map_bits) - 1);
	} else {
		loc->extent = (uint32_t)(row % s->n_extents);
		inner = row / s->n_extents;
	}
	loc->tier = s->extents[loc->extent].tier;
	loc->slice = s->extents[loc->extent].slice;
	loc->offset = s->extents[loc->extent].offset + inner * s->row_stride;
	return 0;
}
