// SPDX-License-Identifier: MIT
/*
 * What must hold before a batch is charged or computed. Everything that is
 * looked at here may come from a hostile guest: no sum overflows, and the work
 * is linear in indices, bags and extents.
 */
#include "engine_int.h"
#include "engine_state.h"

struct check {
	const struct ppim_engine *engine;
	const struct ppim_batch *batch;
	struct ppim_fault *fault;
	uint32_t job;
};

static int check_fail(const struct check *c, uint32_t status, uint32_t bag,
		      uint64_t detail)
{
	if (c->fault)
		*c->fault = (struct ppim_fault){ .status = status,
						 .job = c->job,
						 .bag = bag,
						 .detail = detail };
	return -1;
}

static int check_place_fail(const struct check *c, uint32_t sub,
			    uint32_t extent)
{
	return check_fail(c, PPIM_ST_BAD_PLACEMENT, 0,
			  (uint64_t)sub << 32 | extent);
}

int ppim_row_locate(const struct ppim_placed *p, uint64_t row, uint32_t copy,
		    struct ppim_row_loc *loc)
{
	struct engine_div stripe = engine_div_by(p->n_extents);

	return engine_locate(p, &stripe, row, copy, loc);
}

/* Rows that extent e must hold for row_locate() to find every row. A mapped
 * extent may hold any number: the map's entries are checked at use. */
static uint64_t check_rows_needed(const struct ppim_placed *p, uint32_t e)
{
	if (p->flags & PPIM_SUBF_MAPPED)
		return 0;
	if (p->flags & PPIM_SUBF_DUPLICATED)
		return p->rows;
	return e < p->rows ? (p->rows - e - 1) / p->n_extents + 1 : 0;
}

static int check_extent(const struct check *c, const struct ppim_placed *p,
			uint32_t sub, uint32_t e)
{
	const struct ppim_extent *x = &p->extents[e];
	uint64_t bytes, size;

	if (x->tier != PPIM_TIER_HBM && x->tier != PPIM_TIER_DIMM)
		return x->tier <= PPIM_TIER_HOST
			       ? check_fail(c, PPIM_ST_UNSUPPORTED, 0,
					    (uint64_t)sub << 32 | e)
			       : check_place_fail(c, sub, e);
	if (x->tier == PPIM_TIER_HBM && x->slice >= c->engine->geo.slices)
		return check_place_fail(c, sub, e);
	size = x->tier == PPIM_TIER_HBM ? c->engine->geo.slice_bytes
					: c->engine->dimm_bytes;
	if (x->rows < check_rows_needed(p, e) ||
	    __builtin_mul_overflow(x->rows, (uint64_t)p->row_stride, &bytes))
		return check_place_fail(c, sub, e);
	if (x->offset % ENGINE_ALIGN || bytes > size ||
	    x->offset > size - bytes)
		return check_place_fail(c, sub, e);
	return 0;
}

static int check_sub(const struct check *c, const struct ppim_table_desc *t,
		     uint32_t sub)
{
	const struct ppim_placed *p = &t->sub[sub];
	uint32_t e;

	if (p->rows != ppim_shape_rows(&t->shape, sub) ||
	    p->row_bytes != ppim_shape_row_bytes(&t->shape, sub))
		return check_place_fail(c, sub, 0);
	if (p->row_stride < p->row_bytes || p->row_stride % ENGINE_ALIGN)
		return check_place_fail(c, sub, 0);
	if (p->flags & ~PPIM_SUBF_ALL || !p->n_extents ||
	    p->n_extents > ENGINE_MAX_EXTENTS || !p->extents)
		return check_place_fail(c, sub, 0);
	if (p->flags & PPIM_SUBF_MAPPED &&
	    (p->flags & PPIM_SUBF_DUPLICATED || !p->map || !p->map_bits ||
	     p->map_bits > 31))
		return check_place_fail(c, sub, 0);
	for (e = 0; e < p->n_extents; e++)
		if (check_extent(c, p, sub, e))
			return -1;
	return 0;
}

/* ---- what the preset needs ---------------------------------------------- */

struct check_set {
	uint64_t words[(UINT16_MAX + 1) / 64];
};

static void check_set_extents(struct check_set *set, uint32_t slices,
			      const struct ppim_placed *p)
{
	uint32_t e;

	memset(set, 0, (slices + 63) / 64 * sizeof(uint64_t));
	for (e = 0; e < p->n_extents; e++)
		if (p->extents[e].tier == PPIM_TIER_HBM && p->extents[e].rows)
			set->words[p->extents[e].slice / 64] |=
				1ull << p->extents[e].slice % 64;
}

/* A copy of `shared` in every bank group that holds rows of the main
 * subtable, and at least one in the HBM for the base die. */
static int check_copies(const struct check *c, const struct ppim_table_desc *t,
			uint32_t main, uint32_t shared)
{
	const struct ppim_placed *p = &t->sub[shared];
	uint32_t slices = c->engine->geo.slices;
	struct check_set need, have;
	uint64_t any = 0;
	uint32_t w;

	if (!(p->flags & PPIM_SUBF_DUPLICATED))
		return check_fail(c, PPIM_ST_NO_COPY, 0, shared);
	check_set_extents(&need, slices, &t->sub[main]);
	check_set_extents(&have, slices, p);
	for (w = 0; w < (slices + 63) / 64; w++) {
		any |= have.words[w];
		if (need.words[w] & ~have.words[w])
			return check_fail(c, PPIM_ST_NO_COPY, 0, shared);
	}
	return any ? 0 : check_fail(c, PPIM_ST_NO_COPY, 0, shared);
}

static int check_preset(const struct check *c, const struct ppim_table_desc *t)
{
	uint32_t arch = 1u << c->batch->arch;
	int tt = t->shape.algo == PPIM_ALGO_TT;
	uint32_t hinted = tt ? PPIM_SUB_G1 : PPIM_SUB_R;
	uint32_t main = tt ? PPIM_SUB_G2 : PPIM_SUB_Q;

	if (t->shape.algo == PPIM_ALGO_DENSE)
		return 0;
	if (arch & ENGINE_ARCHS_COPY) {
		if (check_copies(c, t, main, hinted))
			return -1;
		if (tt && check_copies(c, t, main, PPIM_SUB_G3))
			return -1;
	}
	if (arch & ENGINE_ARCHS_HINT &&
	    !(t->sub[hinted].flags & PPIM_SUBF_PREFETCH))
		return check_fail(c, PPIM_ST_NO_HINT, 0, hinted);
	return 0;
}

static int check_table(const struct check *c, const struct ppim_table_desc *t)
{
	uint32_t sub;

	if (!ppim_shape_valid(&t->shape))
		return check_fail(c, PPIM_ST_BAD_FIELD, 0, 0);
	for (sub = 0; sub < ppim_shape_subtables(&t->shape); sub++)
		if (check_sub(c, t, sub))
			return -1;
	return check_preset(c, t);
}

/* ---- indices ------------------------------------------------------------ */

static int check_offsets(const struct check *c, const struct ppim_job *job)
{
	int64_t last = 0;
	uint32_t b;

	if (!job->n_bags)
		return job->n_indices ? check_fail(c, PPIM_ST_BAD_OFFSETS, 0, 0)
				      : 0;
	if (job->offsets[0])
		return check_fail(c, PPIM_ST_BAD_OFFSETS, 0, 0);
	for (b = 1; b < job->n_bags; b++) {
		if (job->offsets[b] < last || job->offsets[b] > job->n_indices)
			return check_fail(c, PPIM_ST_BAD_OFFSETS, b, b);
		last = job->offsets[b];
	}
	return 0;
}

/* Bag of position i, for a message. */
static uint32_t check_bag_of(const struct ppim_job *job, uint32_t i)
{
	uint32_t b = 0;

	while (b + 1 < job->n_bags && job->offsets[b + 1] <= i)
		b++;
	return b;
}

static int check_indices(const struct check *c, const struct ppim_job *job)
{
	uint64_t rows = job->table->shape.rows;
	uint32_t i;

	for (i = 0; i < job->n_indices; i++)
		if ((uint64_t)job->indices[i] >= rows &&
		    engine_is_lookup(job, job->indices[i]))
			return check_fail(c, PPIM_ST_BAD_INDEX,
					  check_bag_of(job, i),
					  (uint64_t)job->indices[i]);
	return 0;
}

/* Map entries of the rows that are used. The map is large and its entries are
 * far apart, so they are fetched ahead. */
static int check_map(const struct check *c, const struct ppim_job *job,
		     uint32_t sub)
{
	const struct ppim_table_desc *t = job->table;
	const struct ppim_placed *p = &t->sub[sub];
	const struct engine_div unused = { .d = 1 }; /* it is mapped */
	struct ppim_row_loc loc;
	uint64_t rows[16];
	uint32_t i, k, n;

	for (i = 0; i < job->n_indices; i += n) {
		n = job->n_indices - i;
		n = n > ARRAY_SIZE(rows) ? ARRAY_SIZE(rows) : n;
		for (k = 0; k < n; k++) {
			rows[k] = 0;
			if (!engine_is_lookup(job, job->indices[i + k]))
				continue;
			rows[k] = engine_row_of(&t->shape, sub,
						(uint64_t)job->indices[i + k]);
			__builtin_prefetch(&p->map[rows[k]]);
		}
		for (k = 0; k < n; k++)
			if (engine_is_lookup(job, job->indices[i + k]) &&
			    engine_locate(p, &unused, rows[k], 0, &loc))
				return check_fail(c, PPIM_ST_BAD_PLACEMENT,
						  check_bag_of(job, i + k),
						  (uint64_t)sub << 32 |
							  loc.extent);
	}
	return 0;
}

static int check_job(const struct check *c, const struct ppim_job *job)
{
	uint32_t sub;

	if (check_table(c, job->table))
		return -1;
	if (job->mode > PPIM_MODE_MAX ||
	    (job->weights && job->mode != PPIM_MODE_SUM))
		return check_fail(c, PPIM_ST_BAD_FIELD, 0, 0);
	if (check_offsets(c, job) || check_indices(c, job))
		return -1;
	for (sub = 0; sub < ppim_shape_subtables(&job->table->shape); sub++)
		if (job->table->sub[sub].flags & PPIM_SUBF_MAPPED &&
		    check_map(c, job, sub))
			return -1;
	return 0;
}

int ppim_engine_check(const struct ppim_engine *engine,
		      const struct ppim_batch *batch, struct ppim_fault *fault)
{
	struct check c = { .engine = engine, .batch = batch, .fault = fault };

	if (batch->arch >= PPIM_ARCH_COUNT ||
	    !(engine->geo.archs & 1u << batch->arch))
		return check_fail(&c, PPIM_ST_UNSUPPORTED, 0, batch->arch);
	for (c.job = 0; c.job < batch->n_jobs; c.job++)
		if (check_job(&c, &batch->jobs[c.job]))
			return -1;
	return 0;
}
