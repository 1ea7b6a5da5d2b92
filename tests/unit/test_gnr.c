// SPDX-License-Identifier: MIT
/*
 * Functional GnR against a plain loop that was written from the definition in
 * engine.h alone: every algorithm, order, mode, type and placement, on every
 * instruction set that this processor has, bit by bit.
 */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ppim-engine/engine.h"

#define SLICES 4
#define SLICE_BYTES (2u << 20)
#define DIMM_BYTES (4u << 20)
#define ALIGN 64u
#define MAX_EXTENTS 8

struct world {
	uint8_t *hbm, *dimm;
	struct ppim_memory mem;
	uint64_t hbm_used[SLICES], dimm_used;
	struct ppim_extent extents[PPIM_MAX_SUBTABLES][MAX_EXTENTS];
	uint32_t *map;
	struct ppim_table_desc table;
	float *values[PPIM_MAX_SUBTABLES];	/* the subtables, in fp32 */
};

static uint64_t seed;

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

/* Small sums of powers of two would hide rounding; these do not. */
static float rnd_float(void)
{
	return (float)((int32_t)rnd() % 20001 - 10000) / 7001.0f;
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->hbm = calloc(SLICES, SLICE_BYTES);
	w->dimm = calloc(1, DIMM_BYTES);
	assert_non_null(w->hbm);
	assert_non_null(w->dimm);
	w->mem = (struct ppim_memory){
		.hbm = w->hbm, .hbm_bytes = (uint64_t)SLICES * SLICE_BYTES,
		.slice_bytes = SLICE_BYTES,
		.dimm = w->dimm, .dimm_bytes = DIMM_BYTES,
	};
}

static void world_free(struct world *w)
{
	uint32_t s;

	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		free(w->values[s]);
	free(w->hbm);
	free(w->dimm);
}

/* ---- placing ------------------------------------------------------------- */

static struct ppim_extent extent_take(struct world *w, uint8_t tier,
				      uint16_t slice, uint64_t bytes,
				      uint64_t rows)
{
	uint64_t *used = tier == PPIM_TIER_DIMM ? &w->dimm_used :
						  &w->hbm_used[slice];
	struct ppim_extent e = { .tier = tier, .slice = slice,
				 .offset = *used, .rows = rows };

	*used += bytes;
	assert_true(*used <= (tier == PPIM_TIER_DIMM ? DIMM_BYTES :
						       SLICE_BYTES));
	return e;
}

enum place { STRIPED, COPIES, MAPPED };

static void sub_place(struct world *w, uint32_t s, enum place how)
{
	struct ppim_placed *p = &w->table.sub[s];
	uint64_t rows = p->rows, each, i;
	uint32_t n = how == MAPPED ? 3 : SLICES;

	p->extents = w->extents[s];
	p->n_extents = n;
	p->flags = how == COPIES ? PPIM_SUBF_DUPLICATED :
		   how == MAPPED ? PPIM_SUBF_MAPPED : 0;
	each = how == STRIPED ? (rows + n - 1) / n : rows;
	for (i = 0; i < n; i++)
		w->extents[s][i] = extent_take(w, i == 2 && how == MAPPED ?
					       PPIM_TIER_DIMM : PPIM_TIER_HBM,
					       (uint16_t)i,
					       each * p->row_stride, each);
	if (how != MAPPED)
		return;
	p->map_bits = 20;
	p->map = (uint32_t *)(w->dimm + w->dimm_used);
	w->map = (uint32_t *)(w->dimm + w->dimm_used);
	w->dimm_used += (rows * 4 + ALIGN - 1) / ALIGN * ALIGN;
	for (i = 0; i < rows; i++)
		w->map[i] = (uint32_t)(i % 3) << 20 | (uint32_t)(rows - 1 - i);
}

static uint8_t *extent_at(struct world *w, const struct ppim_placed *p,
			  uint32_t extent, uint64_t row)
{
	const struct ppim_extent *e = &p->extents[extent];
	uint8_t *base = e->tier == PPIM_TIER_DIMM ? w->dimm :
			w->hbm + (size_t)e->slice * SLICE_BYTES;

	return base + e->offset + row * p->row_stride;
}

static uint16_t to_half(float f)
{
	_Float16 h = (_Float16)f;
	uint16_t bits;

	memcpy(&bits, &h, sizeof(bits));
	return bits;
}

static float row_store(uint8_t dtype, uint8_t *row, uint64_t e, float f)
{
	uint16_t half;
	uint32_t bits;
	_Float16 h;

	if (dtype == PPIM_DTYPE_FP32) {
		memcpy(row + 4 * e, &f, 4);
		return f;
	}
	memcpy(&bits, &f, 4);
	half = dtype == PPIM_DTYPE_FP16 ? to_half(f) : (uint16_t)(bits >> 16);
	memcpy(row + 2 * e, &half, 2);
	if (dtype == PPIM_DTYPE_FP16) {
		memcpy(&h, &half, 2);
		return (float)h;
	}
	bits = (uint32_t)half << 16;
	memcpy(&f, &bits, 4);
	return f;
}

static void sub_fill(struct world *w, uint32_t s)
{
	struct ppim_placed *p = &w->table.sub[s];
	uint64_t n = ppim_shape_elems(&w->table.shape, s), row, e;
	uint32_t x, first, last;
	uint64_t at;
	float f, kept = 0;

	w->values[s] = malloc(p->rows * n * sizeof(float));
	assert_non_null(w->values[s]);
	for (row = 0; row < p->rows; row++) {
		first = p->flags ? 0 : (uint32_t)(row % p->n_extents);
		last = first;
		at = p->flags ? row : row / p->n_extents;
		if (p->flags & PPIM_SUBF_DUPLICATED)
			last = p->n_extents - 1;
		if (p->flags & PPIM_SUBF_MAPPED) {
			first = last = p->map[row] >> 20;
			at = p->map[row] & 0xfffff;
		}
		for (e = 0; e < n; e++) {
			f = rnd_float();
			for (x = first; x <= last; x++)
				kept = row_store(w->table.shape.dtype,
						 extent_at(w, p, x, at), e, f);
			w->values[s][row * n + e] = kept;
		}
	}
}

static void table_build(struct world *w, const struct ppim_shape *shape,
			const enum place *how)
{
	uint32_t s;

	w->table.id = 1;
	w->table.shape = *shape;
	assert_true(ppim_shape_valid(shape));
	for (s = 0; s < ppim_shape_subtables(shape); s++) {
		struct ppim_placed *p = &w->table.sub[s];

		p->rows = ppim_shape_rows(shape, s);
		p->row_bytes = (uint32_t)ppim_shape_row_bytes(shape, s);
		p->row_stride = (p->row_bytes + ALIGN - 1) / ALIGN * ALIGN;
		sub_place(w, s, how[s]);
		sub_fill(w, s);
	}
}

/* ---- the oracle ---------------------------------------------------------- */

static const float *oracle_row(const struct world *w, uint32_t s, uint64_t row)
{
	return w->values[s] + row * ppim_shape_elems(&w->table.shape, s);
}

static float oracle_tt(const struct world *w, uint64_t i, uint32_t e)
{
	const struct ppim_shape *t = &w->table.shape;
	uint64_t l0 = (uint64_t)t->tt_p[1] * t->tt_p[2], l1 = t->tt_p[2];
	const float *g1 = oracle_row(w, 0, i / l0);
	const float *g2 = oracle_row(w, 1, i % l0 / l1);
	const float *g3 = oracle_row(w, 2, i % l1);
	uint32_t d = e % t->tt_q[2], b = e / t->tt_q[2] % t->tt_q[1];
	uint32_t a = e / t->tt_q[2] / t->tt_q[1], r1, r2;
	uint32_t r2n = t->tt_r[1], width = t->tt_q[1] * r2n;
	float p, sum = 0;

	for (r2 = 0; r2 < r2n; r2++) {
		p = 0;
		for (r1 = 0; r1 < t->tt_r[0]; r1++)
			p = fmaf(g1[a * t->tt_r[0] + r1],
				 g2[(size_t)r1 * width + b * r2n + r2], p);
		sum = fmaf(p, g3[r2 * t->tt_q[2] + d], sum);
	}
	return sum;
}

static float oracle_combine(const struct ppim_shape *t, float q, float r)
{
	return t->combine == PPIM_COMBINE_ADD ? q + r : q * r;
}

/* Element e of lookup i; `part` 0: the row, 1: Q's part, 2: R's part. */
static float oracle_term(const struct world *w, uint64_t i, uint32_t e,
			 int part)
{
	const struct ppim_shape *t = &w->table.shape;
	uint32_t half = t->dim / 2;

	if (t->algo == PPIM_ALGO_DENSE)
		return oracle_row(w, 0, i)[e];
	if (t->algo == PPIM_ALGO_TT)
		return oracle_tt(w, i, e);
	if (t->combine == PPIM_COMBINE_CONCAT)
		return e < half ? oracle_row(w, 0, i / t->collisions)[e] :
				  oracle_row(w, 1, i % t->collisions)[e - half];
	if (part == 1)
		return oracle_row(w, 0, i / t->collisions)[e];
	if (part == 2)
		return oracle_row(w, 1, i % t->collisions)[e];
	return oracle_combine(t, oracle_term(w, i, e, 1),
			      oracle_term(w, i, e, 2));
}

static float oracle_reduce(const struct world *w, const struct ppim_job *job,
			   uint32_t bag, uint32_t e, int part)
{
	uint64_t i = (uint64_t)job->offsets[bag], end;
	uint32_t n = 0;
	float acc = 0, t;

	end = bag + 1 < job->n_bags ? (uint64_t)job->offsets[bag + 1] :
				      job->n_indices;
	for (; i < end; i++) {
		if (job->has_padding && job->indices[i] == job->padding_index)
			continue;
		t = oracle_term(w, (uint64_t)job->indices[i], e, part);
		if (job->mode == PPIM_MODE_MAX)
			acc = !n || t > acc ? t : acc;
		else
			acc = job->weights ? fmaf(job->weights[i], t, acc) :
					     acc + t;
		n++;
	}
	return job->mode == PPIM_MODE_MEAN && n ? acc / (float)n : acc;
}

static float oracle(const struct world *w, const struct ppim_job *job,
		    uint32_t bag, uint32_t e)
{
	const struct ppim_shape *t = &w->table.shape;

	if (t->algo != PPIM_ALGO_QR || t->qr_order == PPIM_QR_PER_INDEX ||
	    t->combine == PPIM_COMBINE_CONCAT)
		return oracle_reduce(w, job, bag, e, 0);
	return oracle_combine(t, oracle_reduce(w, job, bag, e, 1),
			      oracle_reduce(w, job, bag, e, 2));
}

/* ---- jobs ---------------------------------------------------------------- */

struct bags {
	struct ppim_job job;
	int64_t indices[600], offsets[40];
	float weights[600];
};

/* Bags of 0 to 40 indices, with empty ones at both ends and runs of the same
 * index, which TT's kept product has to survive. */
static void bags_fill(struct bags *b, const struct ppim_table_desc *table,
		      uint8_t mode, bool weights, bool padding)
{
	struct ppim_job *j = &b->job;
	uint32_t i;

	memset(b, 0, sizeof(*b));
	*j = (struct ppim_job){ .table = table, .mode = mode, .n_bags = 20,
				.has_padding = padding, .padding_index = 3,
				.indices = b->indices, .offsets = b->offsets,
				.weights = weights ? b->weights : NULL };
	for (i = 1; i < j->n_bags - 1; i++)
		b->offsets[i + 1] = b->offsets[i] + (i == 5 ? 0 : rnd() % 30);
	j->n_indices = (uint32_t)b->offsets[j->n_bags - 1];
	for (i = 0; i < j->n_indices; i++) {
		b->indices[i] = rnd() % 3 || !i ?
				(int64_t)(rnd() % table->shape.rows) :
				b->indices[i - 1];
		if (padding && rnd() % 4 == 0)
			b->indices[i] = 3;
		b->weights[i] = rnd_float();
	}
}

static void job_check(const struct world *w, const struct ppim_job *job)
{
	uint32_t dim = w->table.shape.dim, b, e;
	struct ppim_fault fault;
	float *out, want;

	out = malloc((size_t)job->n_bags * dim * sizeof(*out));
	assert_non_null(out);
	/* in two calls, as two workers would */
	assert_int_equal(ppim_gnr_compute(&w->mem, job, 0, 7, out, &fault), 0);
	assert_int_equal(ppim_gnr_compute(&w->mem, job, 7, job->n_bags - 7,
					  out + 7 * dim, &fault), 0);
	for (b = 0; b < job->n_bags; b++)
		for (e = 0; e < dim; e++) {
			want = oracle(w, job, b, e);
			if (memcmp(&want, &out[(size_t)b * dim + e], 4))
				fail_msg("%s: algo %u combine %u order %u dtype %u mode %u dim %u: bag %u element %u is %a, not %a",
					 ppim_gnr_isa(), w->table.shape.algo,
					 w->table.shape.combine,
					 w->table.shape.qr_order,
					 w->table.shape.dtype, job->mode, dim,
					 b, e, out[(size_t)b * dim + e], want);
		}
	free(out);
}

static const char *const isas[] = { "scalar", "avx2", "avx512" };

static void table_check(const struct ppim_shape *shape, const enum place *how)
{
	struct world w;
	struct bags b;
	size_t isa;
	int v;

	world_init(&w);
	table_build(&w, shape, how);
	for (isa = 0; isa < 3; isa++) {
		if (ppim_gnr_force(isas[isa])) {
			print_message("  no %s on this processor\n", isas[isa]);
			continue;
		}
		for (v = 0; v < 8; v++) {
			/* weights go with SUM alone */
			bags_fill(&b, &w.table, (uint8_t)(v >> 1) % 3, v >= 6,
				  v & 1);
			job_check(&w, &b.job);
		}
	}
	world_free(&w);
}

static void each_dtype(struct ppim_shape shape, const enum place *how)
{
	for (shape.dtype = PPIM_DTYPE_FP32; shape.dtype <= PPIM_DTYPE_BF16;
	     shape.dtype++)
		table_check(&shape, how);
}

/* Widths that are whole tiles, whole vectors, and neither. */
static const uint32_t dims[] = { 128, 32, 16, 8, 6, 100, 2 };

static void dense_is_exact(void **state)
{
	const enum place ways[][1] = { { STRIPED }, { MAPPED }, { COPIES } };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(dims) / sizeof(*dims); i++)
		for (k = 0; k < 3; k++)
			each_dtype((struct ppim_shape){ .rows = 1003,
				   .dim = dims[i], .algo = PPIM_ALGO_DENSE },
				   ways[k]);
}

static void qr_check(uint8_t combine, uint8_t order)
{
	const enum place ways[][2] = { { STRIPED, COPIES }, { MAPPED, COPIES },
				       { STRIPED, STRIPED } };
	size_t i, k;

	for (i = 0; i < sizeof(dims) / sizeof(*dims); i++)
		for (k = 0; k < 3; k++)
			each_dtype((struct ppim_shape){ .rows = 2001,
				   .dim = dims[i], .collisions = 4,
				   .algo = PPIM_ALGO_QR, .combine = combine,
				   .qr_order = order }, ways[k]);
}

static void qr_per_index_is_exact(void **state)
{
	(void)state;
	qr_check(PPIM_COMBINE_MULT, PPIM_QR_PER_INDEX);
	qr_check(PPIM_COMBINE_ADD, PPIM_QR_PER_INDEX);
	qr_check(PPIM_COMBINE_CONCAT, PPIM_QR_PER_INDEX);
}

static void qr_pooled_is_exact(void **state)
{
	(void)state;
	qr_check(PPIM_COMBINE_MULT, PPIM_QR_POOLED);
	qr_check(PPIM_COMBINE_ADD, PPIM_QR_POOLED);
	qr_check(PPIM_COMBINE_CONCAT, PPIM_QR_POOLED);
}

static void tt_is_exact(void **state)
{
	const enum place ways[][3] = { { COPIES, STRIPED, COPIES },
				       { STRIPED, STRIPED, STRIPED },
				       { COPIES, MAPPED, COPIES } };
	const uint32_t q[][3] = { { 2, 2, 4 }, { 2, 4, 4 }, { 4, 4, 8 },
				  { 1, 3, 5 }, { 3, 1, 1 }, { 2, 3, 16 } };
	const uint32_t r[][2] = { { 16, 16 }, { 32, 32 }, { 5, 7 }, { 1, 1 },
				  { 16, 8 }, { 3, 17 } };
	size_t i, k;

	(void)state;
	for (i = 0; i < 6; i++)
		for (k = 0; k < 3; k++)
			each_dtype((struct ppim_shape){ .rows = 700,
				   .dim = q[i][0] * q[i][1] * q[i][2],
				   .algo = PPIM_ALGO_TT, .tt_p = { 9, 8, 10 },
				   .tt_q = { q[i][0], q[i][1], q[i][2] },
				   .tt_r = { r[i][0], r[i][1] } }, ways[k]);
}

/* ---- rows that are widened ----------------------------------------------- */

static size_t largest_calloc;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* The linker gives it the engine's calls (Makefile). */
void *__wrap_calloc(size_t n, size_t size)
{
	if (n * size > largest_calloc)
		largest_calloc = n * size;
	return __real_calloc(n, size);
}

static struct ppim_shape wide_shape(uint32_t r1, uint32_t q2, uint32_t r2)
{
	return (struct ppim_shape){ .rows = 32, .dim = q2,
				    .algo = PPIM_ALGO_TT,
				    .dtype = PPIM_DTYPE_FP16,
				    .tt_p = { 2, 4, 4 }, .tt_q = { 1, q2, 1 },
				    .tt_r = { r1, r2 } };
}

/* So large that a block has 16 lookups, some, and one. */
static void widened_rows_are_exact(void **state)
{
	const enum place how[3] = { STRIPED, STRIPED, STRIPED };
	const uint32_t r[][2] = { { 64, 100 }, { 250, 80 }, { 1000, 81 } };
	struct ppim_shape shape;
	struct world w;
	struct bags b;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		shape = wide_shape(r[i / 2][0], 8, r[i / 2][1]);
		shape.dtype = i & 1 ? PPIM_DTYPE_BF16 : PPIM_DTYPE_FP16;
		world_init(&w);
		table_build(&w, &shape, how);
		bags_fill(&b, &w.table, PPIM_MODE_SUM, true, true);
		b.job.n_bags = 8;
		b.job.n_indices = (uint32_t)b.offsets[8];
		job_check(&w, &b.job);
		world_free(&w);
	}
}

/* The largest rows there are, of 16 MiB: what is taken for the call does not
 * grow with a block's lookups. */
static void memory_for_widened_rows_is_bounded(void **state)
{
	struct ppim_shape shape = wide_shape(1024, 8, 1024);
	struct ppim_extent extents[PPIM_MAX_SUBTABLES];
	struct ppim_table_desc table = { .id = 1, .shape = shape };
	struct ppim_memory mem = { .slice_bytes = 128 << 20,
				   .hbm_bytes = 128 << 20 };
	const int64_t indices[20] = { 0 }, offset = 0;
	struct ppim_job job = { .table = &table, .n_indices = 20, .n_bags = 1,
				.indices = indices, .offsets = &offset };
	struct ppim_fault fault;
	size_t bytes = 64 << 10;	/* all but rows */
	float out[8];
	uint8_t *hbm;
	uint32_t s;

	(void)state;
	hbm = calloc(1, mem.hbm_bytes);
	assert_non_null(hbm);
	mem.hbm = hbm;
	for (s = 0; s < PPIM_MAX_SUBTABLES; s++) {
		struct ppim_placed *p = &table.sub[s];

		p->rows = ppim_shape_rows(&shape, s);
		p->row_bytes = (uint32_t)ppim_shape_row_bytes(&shape, s);
		p->row_stride = p->row_bytes;
		p->n_extents = 1;
		p->extents = &extents[s];
		extents[s] = (struct ppim_extent){ .offset = s * (64 << 10),
						   .rows = p->rows };
		bytes += 4 * ppim_shape_elems(&shape, s);
	}
	assert_int_equal(table.sub[PPIM_SUB_G2].row_bytes, PPIM_MAX_ROW_BYTES);
	largest_calloc = 0;
	assert_int_equal(ppim_gnr_compute(&mem, &job, 0, 1, out, &fault), 0);
	assert_in_range(largest_calloc, 1, bytes);
	free(hbm);
}

/* ---- what it must refuse, and which copy it reads ------------------------ */

static void small_world(struct world *w, struct bags *b, enum place how)
{
	const enum place ways[2] = { how, COPIES };

	world_init(w);
	table_build(w, &(struct ppim_shape){ .rows = 400, .dim = 16,
		    .collisions = 4, .algo = PPIM_ALGO_QR }, ways);
	bags_fill(b, &w->table, PPIM_MODE_SUM, false, false);
}

static int run_all(const struct world *w, const struct bags *b, float *out,
		   struct ppim_fault *fault)
{
	return ppim_gnr_compute(&w->mem, &b->job, 0, b->job.n_bags, out, fault);
}

static void copy_is_the_one_beside_q(void **state)
{
	struct ppim_fault fault;
	float out[20 * 16], *copy;
	struct world w;
	struct bags b;

	(void)state;
	small_world(&w, &b, STRIPED);
	b.job.n_bags = b.job.n_indices = 1;
	b.indices[0] = 4 * 2;	/* Q row 2 is in bank group 2, R row 0 */
	copy = (float *)extent_at(&w, &w.table.sub[PPIM_SUB_R], 1, 0);
	copy[0] += 1;
	assert_int_equal(run_all(&w, &b, out, &fault), 0);
	assert_true(out[0] == oracle(&w, &b.job, 0, 0));
	copy = (float *)extent_at(&w, &w.table.sub[PPIM_SUB_R], 2, 0);
	copy[0] += 1;
	assert_int_equal(run_all(&w, &b, out, &fault), 0);
	assert_true(out[0] != oracle(&w, &b.job, 0, 0));
	world_free(&w);
}

static void wild_row_map_is_a_fault(void **state)
{
	static const uint32_t wild[] = { 0xffffffff, 3u << 20, 100, 1u << 31 };
	struct ppim_fault fault;
	float out[20 * 16];
	struct world w;
	struct bags b;
	size_t i;

	(void)state;
	small_world(&w, &b, MAPPED);
	for (i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		w.map[b.indices[17] / 4] = wild[i];
		assert_int_equal(run_all(&w, &b, out, &fault), -1);
		assert_int_equal(fault.status, PPIM_ST_BAD_PLACEMENT);
		assert_int_equal(fault.detail >> 32, PPIM_SUB_Q);
	}
	world_free(&w);
}

static void extent_beyond_its_tier_is_a_fault(void **state)
{
	static const uint64_t offsets[] = { SLICE_BYTES, SLICE_BYTES - 64,
					    UINT64_MAX - 63, 1ull << 63 };
	struct ppim_fault fault;
	float out[20 * 16];
	struct world w;
	struct bags b;
	size_t i;

	(void)state;
	small_world(&w, &b, STRIPED);
	for (i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		w.extents[PPIM_SUB_Q][1].offset = offsets[i];
		assert_int_equal(run_all(&w, &b, out, &fault), -1);
		assert_int_equal(fault.status, PPIM_ST_BAD_PLACEMENT);
	}
	w.extents[PPIM_SUB_Q][1].offset = 0;
	w.extents[PPIM_SUB_Q][1].slice = SLICES;
	assert_int_equal(run_all(&w, &b, out, &fault), -1);
	w.extents[PPIM_SUB_Q][1].slice = 1;
	w.extents[PPIM_SUB_Q][1].tier = PPIM_TIER_CXL;
	assert_int_equal(run_all(&w, &b, out, &fault), -1);
	world_free(&w);
}

static void index_out_of_range_is_a_fault(void **state)
{
	static const int64_t wild[] = { 400, -1, INT64_MIN, INT64_MAX };
	struct ppim_fault fault;
	float out[20 * 16];
	struct world w;
	struct bags b;
	size_t i;

	(void)state;
	small_world(&w, &b, STRIPED);
	for (i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		b.indices[17] = wild[i];
		assert_int_equal(run_all(&w, &b, out, &fault), -1);
		assert_int_equal(fault.status, PPIM_ST_BAD_INDEX);
		assert_int_equal(fault.detail, (uint64_t)wild[i]);
	}
	world_free(&w);
}

/* Lookups that were located of a job that was cancelled before. */
static uint64_t cancelled_lookups(struct world *w, struct bags *b)
{
	uint64_t lookups[SLICES + 1] = { 0 }, sum = 0;
	struct ppim_fault fault = { 0 };
	const bool cancel = true;
	float out[20 * 32];
	uint32_t i;

	w->mem.slice_lookups = lookups;
	b->job.cancel = &cancel;
	assert_int_equal(run_all(w, b, out, &fault), -ECANCELED);
	assert_int_equal(fault.status, PPIM_ST_OK);
	w->mem.slice_lookups = NULL;
	for (i = 0; i <= SLICES; i++)
		sum += lookups[i];
	return sum;
}

/* Not more than the block at hand; one lookup of large cores is one. */
static void a_cancelled_job_ends_soon(void **state)
{
	const enum place how[3] = { STRIPED, STRIPED, STRIPED };
	struct ppim_shape large = wide_shape(1000, 1, 600);
	const bool cancel = false;
	struct world w;
	struct bags b;

	(void)state;
	small_world(&w, &b, STRIPED);
	assert_in_range(cancelled_lookups(&w, &b), 1, 16);
	b.job.cancel = &cancel;
	job_check(&w, &b.job);
	world_free(&w);
	large.tt_q[0] = large.dim = 32;
	world_init(&w);
	table_build(&w, &large, how);
	bags_fill(&b, &w.table, PPIM_MODE_SUM, false, false);
	assert_int_equal(cancelled_lookups(&w, &b), 1);
	world_free(&w);
}

static void unknown_isa_is_refused(void **state)
{
	(void)state;
	assert_true(ppim_gnr_force("sse9") < 0);
	assert_int_equal(ppim_gnr_force("scalar"), 0);
	assert_string_equal(ppim_gnr_isa(), "scalar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_is_exact),
		cmocka_unit_test(qr_per_index_is_exact),
		cmocka_unit_test(qr_pooled_is_exact),
		cmocka_unit_test(tt_is_exact),
		cmocka_unit_test(widened_rows_are_exact),
		cmocka_unit_test(memory_for_widened_rows_is_bounded),
		cmocka_unit_test(copy_is_the_one_beside_q),
		cmocka_unit_test(wild_row_map_is_a_fault),
		cmocka_unit_test(extent_beyond_its_tier_is_a_fault),
		cmocka_unit_test(index_out_of_range_is_a_fault),
		cmocka_unit_test(a_cancelled_job_ends_soon),
		cmocka_unit_test(unknown_isa_is_refused),
	};

	seed = 1;
	return cmocka_run_group_tests_name("gnr", tests, NULL, NULL);
}
