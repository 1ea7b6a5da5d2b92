// SPDX-License-Identifier: MIT
/*
 * Functional gather-and-reduction: finds the rows, and gives them to the
 * kernels of the processor's instruction set (gnr_kernels.h).
 *
 * Lookups run in blocks: while one block is reduced, the rows of the next are
 * located and prefetched, so that memory works in parallel. Everything that
 * leads to an address is read once and checked here, at use: row maps and rows
 * may be written by a guest at any time.
 */

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine_int.h"
#include "gnr_kernels.h"

#define BLOCK 16		/* lookups located ahead of their use, or as */
#define WIDE_BYTES (4u << 20)	/* many as widen to so much and */
#define BLOCK_MACS (1u << 24)	/* take so many MACs, but at least one */
#define LINE 64			/* bytes that one prefetch brings */
#define PREFETCH_MAX 4096	/* of a row; more would only displace itself */

/* A job in work: what does not change from lookup to lookup. */
struct gnr {
	const struct ppim_memory *mem;
	const struct ppim_job *job;
	const struct ppim_shape *shape;
	const struct ppim_placed *sub;
	const struct gnr_kernels *kernels;
	struct ppim_fault *fault;
	uint32_t n_sub;
	uint32_t anchor;	/* subtable whose place decides the bank group */
	uint64_t tt_l0, tt_l1;	/* p2 * p3, p3 */
	uint32_t *copy[PPIM_MAX_SUBTABLES];	/* slice -> extent, or NULL */
	uint32_t slices;

	uint32_t block;		/* lookups of a block, at most BLOCK */
	/* fp32 view of rows of other types, a block's rows per subtable */
	float *wide[PPIM_MAX_SUBTABLES];
	size_t elems[PPIM_MAX_SUBTABLES];

	float *pair;		/* TT: G1[i1] . G2[i2] of the rows below */
	const uint8_t *pair_g1, *pair_g2;
	float *row;		/* TT: a block's rebuilt rows */
	float *pooled;		/* QR POOLED: second accumulator of each bag */
	void *scratch;
};

/* Lookups on their way: rows per subtable, and what they are reduced with. */
struct block {
	uint32_t n;
	uint32_t bag[BLOCK];
	float weight[BLOCK];
	const uint8_t *row[PPIM_MAX_SUBTABLES][BLOCK];
};

/* Position in the job's indices. */
struct cursor {
	uint32_t bag, last_bag;
	uint64_t pos, bag_end;
};

static const struct gnr_kernels *const all_kernels[] = {
#if defined(__x86_64__)
	&gnr_kernels_avx512,
	&gnr_kernels_avx2,
#endif
	&gnr_kernels_scalar,
};

#define N_KERNELS (sizeof(all_kernels) / sizeof(all_kernels[0]))

static const struct gnr_kernels *chosen;

/* Every caller finds the same answer, so a race to store it is harmless. */
static const struct gnr_kernels *kernels_get(void)
{
	const struct gnr_kernels *k = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
	size_t i;

	for (i = 0; !k; i++)
		if (all_kernels[i]->usable())
			k = all_kernels[i];
	__atomic_store_n(&chosen, k, __ATOMIC_RELEASE);
	return k;
}

const char *ppim_gnr_isa(void)
{
	return kernels_get()->name;
}

int ppim_gnr_force(const char *isa)
{
	size_t i;

	for (i = 0; i < N_KERNELS; i++) {
		if (strcmp(all_kernels[i]->name, isa))
			continue;
		if (!all_kernels[i]->usable())
			return -EOPNOTSUPP;
		__atomic_store_n(&chosen, all_kernels[i], __ATOMIC_RELEASE);
		return 0;
	}
	return -EINVAL;
}

static int fault_set(const struct gnr *g, uint32_t status, uint32_t bag,
		     uint64_t detail)
{
	g->fault->status = status;
	g->fault->job = 0;
	g->fault->bag = bag;
	g->fault->detail = detail;
	return -1;
}

/* ---- places -------------------------------------------------------------- */

static const uint8_t *extent_base(const struct gnr *g,
				  const struct ppim_extent *e, uint64_t *room)
{
	const struct ppim_memory *m = g->mem;

	if (e->tier == PPIM_TIER_DIMM) {
		*room = m->dimm_bytes;
		return m->dimm;
	}
	*room = e->tier == PPIM_TIER_HBM && e->slice < g->slices ?
			m->slice_bytes : 0;
	return m->hbm + e->slice * m->slice_bytes;
}

/* The row's bytes, or NULL when the extent does not hold it. */
static inline const uint8_t *extent_row(const struct gnr *g,
					const struct ppim_placed *p,
					uint32_t extent, uint64_t row)
{
	const struct ppim_extent *e;
	const uint8_t *base;
	uint64_t room, first;

	if (extent >= p->n_extents)
		return NULL;
	e = &p->extents[extent];
	if (row >= e->rows)
		return NULL;
	base = extent_base(g, e, &room);
	/* rows < 2^40 and stride < 2^32: the product needs 72 bits at worst */
	if (__builtin_mul_overflow(row, (uint64_t)p->row_stride, &first) ||
	    __builtin_add_overflow(first, e->offset, &first) ||
	    first > room || room - first < p->row_bytes)
		return NULL;
	return base + first;
}

static inline uint64_t divide(uint64_t a, uint64_t b)
{
	return (a | b) >> 32 ? a / b : (uint32_t)a / (uint32_t)b;
}

/* Where row `row` is. For copies: the one in bank group `slice`, where the
 * lookup's anchor is, else the first. */
static inline const uint8_t *row_find(const struct gnr *g, uint32_t s,
				      uint64_t row, uint32_t slice,
				      uint32_t *extent)
{
	const struct ppim_placed *p = &g->sub[s];
	uint64_t inner;
	uint32_t v;

	if (row >= p->rows || !p->n_extents)
		return NULL;
	if (p->flags & PPIM_SUBF_DUPLICATED) {
		*extent = g->copy[s] && slice < g->slices ?
				g->copy[s][slice] : 0;
		return extent_row(g, p, *extent, row);
	}
	if (p->flags & PPIM_SUBF_MAPPED) {
		if (!p->map)
			return NULL;
		v = le32toh(__atomic_load_n(&p->map[row], __ATOMIC_RELAXED));
		*extent = v >> p->map_bits;
		return extent_row(g, p, *extent,
				  v & ((1u << p->map_bits) - 1));
	}
	inner = divide(row, p->n_extents);
	*extent = (uint32_t)(row - inner * p->n_extents);
	return extent_row(g, p, *extent, inner);
}

static void row_prefetch(const uint8_t *row, uint32_t bytes)
{
	uint32_t i;

	if (bytes > PREFETCH_MAX)
		bytes = PREFETCH_MAX;
	for (i = 0; i < bytes; i += LINE)
		__builtin_prefetch(row + i);
}

/* Rows of the subtables that index `i` needs. */
static inline void index_split(const struct gnr *g, uint64_t i, uint64_t *rows)
{
	uint64_t rest;

	switch (g->shape->algo) {
	case PPIM_ALGO_QR:
		rows[PPIM_SUB_Q] = divide(i, g->shape->collisions);
		rows[PPIM_SUB_R] = i - rows[PPIM_SUB_Q] * g->shape->collisions;
		return;
	case PPIM_ALGO_TT:
		rows[PPIM_SUB_G1] = divide(i, g->tt_l0);
		rest = i - rows[PPIM_SUB_G1] * g->tt_l0;
		rows[PPIM_SUB_G2] = divide(rest, g->tt_l1);
		rows[PPIM_SUB_G3] = rest - rows[PPIM_SUB_G2] * g->tt_l1;
		return;
	default:
		rows[PPIM_SUB_W] = i;
	}
}

/* Locates one lookup's rows as entry `n` of the block. */
static int lookup_locate(struct gnr *g, struct block *b, uint32_t n,
			 uint64_t index)
{
	const struct ppim_placed *anchor = &g->sub[g->anchor];
	uint64_t rows[PPIM_MAX_SUBTABLES];
	uint32_t slice, extent = 0, s;
	const uint8_t *row;

	if (index >= g->shape->rows)
		return fault_set(g, PPIM_ST_BAD_INDEX, b->bag[n], index);
	index_split(g, index, rows);
	row = row_find(g, g->anchor, rows[g->anchor], UINT32_MAX, &extent);
	if (!row)
		return fault_set(g, PPIM_ST_BAD_PLACEMENT, b->bag[n],
				 (uint64_t)g->anchor << 32 | extent);
	b->row[g->anchor][n] = row;
	row_prefetch(row, anchor->row_bytes);
	slice = anchor->extents[extent].tier == PPIM_TIER_HBM ?
			anchor->extents[extent].slice : UINT32_MAX;
	if (g->mem->slice_lookups)
		g->mem->slice_lookups[slice < g->slices ? slice : g->slices]++;
	for (s = 0; s < g->n_sub; s++) {
		if (s == g->anchor)
			continue;
		row = row_find(g, s, rows[s], slice, &extent);
		if (!row)
			return fault_set(g, PPIM_ST_BAD_PLACEMENT, b->bag[n],
					 (uint64_t)s << 32 | extent);
		b->row[s][n] = row;
		row_prefetch(row, g->sub[s].row_bytes);
	}
	return 0;
}

/* ---- blocks -------------------------------------------------------------- */

static uint64_t bag_end(const struct ppim_job *job, uint32_t bag)
{
	return bag + 1 < job->n_bags ? (uint64_t)job->offsets[bag + 1] :
				       job->n_indices;
}

static void cursor_init(struct cursor *c, const struct ppim_job *job,
			uint32_t first_bag, uint32_t n_bags)
{
	c->bag = first_bag;
	c->last_bag = first_bag + n_bags - 1;
	c->pos = (uint64_t)job->offsets[first_bag];
	c->bag_end = bag_end(job, first_bag);
}

/* Moves on to the bag that holds the next index; false at the end. */
static bool cursor_settle(struct cursor *c, const struct ppim_job *job)
{
	while (c->pos >= c->bag_end) {
		if (c->bag == c->last_bag)
			return false;
		c->bag_end = bag_end(job, ++c->bag);
	}
	return true;
}

static bool job_skips(const struct ppim_job *job, int64_t index)
{
	return job->has_padding && index == job->padding_index;
}

static int block_fill(struct gnr *g, struct cursor *c, struct block *b)
{
	const struct ppim_job *job = g->job;
	uint64_t pos;

	b->n = 0;
	while (b->n < g->block && cursor_settle(c, job)) {
		pos = c->pos++;
		if (job_skips(job, job->indices[pos]))
			continue;
		b->bag[b->n] = c->bag;
		b->weight[b->n] = job->weights ? job->weights[pos] : 1;
		if (lookup_locate(g, b, b->n, (uint64_t)job->indices[pos]))
			return -1;
		b->n++;
	}
	return 0;
}

static void row_widen(const struct gnr *g, const uint8_t *in, float *out,
		      size_t n)
{
	uint16_t half;
	uint32_t bits;
	size_t i;

	if (g->shape->dtype == PPIM_DTYPE_FP16) {
		g->kernels->from_fp16(out, (const uint16_t *)in, n);
		return;
	}
	for (i = 0; i < n; i++) {
		memcpy(&half, in + 2 * i, sizeof(half));
		bits = (uint32_t)half << 16;
		memcpy(out + i, &bits, sizeof(bits));
	}
}

/* The rows as fp32: in place, or converted. */
static void block_rows(const struct gnr *g, const struct block *b, uint32_t s,
		       const float **rows)
{
	uint32_t i;
	float *out;

	if (g->shape->dtype == PPIM_DTYPE_FP32) {
		for (i = 0; i < b->n; i++)
			rows[i] = (const float *)b->row[s][i];
		return;
	}
	for (i = 0; i < b->n; i++) {
		out = g->wide[s] + i * g->elems[s];
		row_widen(g, b->row[s][i], out, g->elems[s]);
		rows[i] = out;
	}
}

/* MAX starts from a bag's first row, not from a number that no row has. */
static void reduce_first(enum gnr_term term, float *acc, size_t width,
			 const float *a, const float *b)
{
	size_t e;

	for (e = 0; e < width; e++) {
		if (term == GNR_TERM_MULT)
			acc[e] = a[e] * b[e];
		else if (term == GNR_TERM_ADD)
			acc[e] = a[e] + b[e];
		else
			acc[e] = a[e];
	}
}

/* One stream of rows (or of pairs of rows) into one accumulator per bag. */
struct stream {
	enum gnr_term term;
	size_t width;		/* elements reduced */
	size_t pitch;		/* elements from one bag's accumulator to the next */
	float *acc;		/* of the call's first bag */
	uint32_t fresh;		/* first bag that got no row yet (MAX) */
};

static void stream_run(const struct gnr *g, struct stream *s, uint32_t bag,
		       uint32_t n, const float *const *a, const float *const *b,
		       const float *w)
{
	enum gnr_reduce red = g->job->mode == PPIM_MODE_MAX ? GNR_MAX :
			      g->job->weights ? GNR_WSUM : GNR_SUM;
	float *acc = s->acc + bag * s->pitch;

	if (red == GNR_MAX && bag >= s->fresh) {
		reduce_first(s->term, acc, s->width, *a, b ? *b : NULL);
		s->fresh = bag + 1;
		a++, b = b ? b + 1 : NULL, n--;
	}
	g->kernels->reduce[s->term][red](acc, s->width, n, a, b, w);
}

/* Gives each run of lookups of one bag to the kernel. */
static void stream_block(const struct gnr *g, struct stream *s,
			 const struct block *blk, uint32_t first_bag,
			 const float *const *a, const float *const *b)
{
	uint32_t i = 0, n;

	while (i < blk->n) {
		for (n = 1; i + n < blk->n; n++)
			if (blk->bag[i + n] != blk->bag[i])
				break;
		stream_run(g, s, blk->bag[i] - first_bag, n, a + i,
			   b ? b + i : NULL, blk->weight + i);
		i += n;
	}
}

/* TT: rebuilds the block's rows. The first product is kept while the pair of
 * core rows stays the same: it is the same product. */
static void block_rebuild(struct gnr *g, const struct block *b,
			  const float **rows)
{
	const float *core[PPIM_MAX_SUBTABLES][BLOCK];
	const struct ppim_shape *t = g->shape;
	float *out;
	uint32_t i;

	for (i = 0; i < PPIM_MAX_SUBTABLES; i++)
		block_rows(g, b, i, core[i]);
	for (i = 0; i < b->n; i++) {
		if (b->row[PPIM_SUB_G1][i] != g->pair_g1 ||
		    b->row[PPIM_SUB_G2][i] != g->pair_g2) {
			g->kernels->gemm(t->tt_q[0], t->tt_r[0],
					 (size_t)t->tt_q[1] * t->tt_r[1],
					 core[PPIM_SUB_G1][i],
					 core[PPIM_SUB_G2][i], g->pair);
			g->pair_g1 = b->row[PPIM_SUB_G1][i];
			g->pair_g2 = b->row[PPIM_SUB_G2][i];
		}
		out = g->row + (size_t)i * t->dim;
		g->kernels->gemm((size_t)t->tt_q[0] * t->tt_q[1], t->tt_r[1],
				 t->tt_q[2], g->pair, core[PPIM_SUB_G3][i],
				 out);
		rows[i] = out;
	}
}

/* ---- jobs ---------------------------------------------------------------- */

static bool job_two_streams(const struct ppim_shape *t)
{
	return t->algo == PPIM_ALGO_QR && (t->qr_order == PPIM_QR_POOLED ||
					   t->combine == PPIM_COMBINE_CONCAT);
}

/* The streams of a job: one, or Q's and R's by themselves. */
static uint32_t streams_init(const struct gnr *g, struct stream *s, float *out)
{
	const struct ppim_shape *t = g->shape;

	s[0] = (struct stream){ .term = GNR_TERM_A, .width = t->dim,
				.pitch = t->dim, .acc = out };
	if (t->algo != PPIM_ALGO_QR)
		return 1;
	if (!job_two_streams(t)) {
		s[0].term = t->combine == PPIM_COMBINE_ADD ? GNR_TERM_ADD :
							     GNR_TERM_MULT;
		return 1;
	}
	s[1] = s[0];
	if (t->combine == PPIM_COMBINE_CONCAT) {
		s[0].width = s[1].width = t->dim / 2;
		s[1].acc = out + t->dim / 2;
	} else {
		s[1].acc = g->pooled;
	}
	return 2;
}

static void block_reduce(struct gnr *g, const struct block *b,
			 uint32_t first_bag, struct stream *s, uint32_t n)
{
	const float *a[BLOCK], *r[BLOCK];

	if (g->shape->algo == PPIM_ALGO_TT)
		block_rebuild(g, b, a);
	else
		block_rows(g, b, 0, a);
	if (g->n_sub != 2) {
		stream_block(g, &s[0], b, first_bag, a, NULL);
		return;
	}
	block_rows(g, b, PPIM_SUB_R, r);
	if (n == 1) {
		stream_block(g, &s[0], b, first_bag, a, r);
		return;
	}
	stream_block(g, &s[0], b, first_bag, a, NULL);
	stream_block(g, &s[1], b, first_bag, r, NULL);
}

static int blocks_run(struct gnr *g, uint32_t first_bag, uint32_t n_bags,
		      struct stream *s, uint32_t n)
{
	struct block blocks[2];
	struct cursor c;
	uint32_t now = 0;

	cursor_init(&c, g->job, first_bag, n_bags);
	if (block_fill(g, &c, &blocks[now]))
		return -1;
	while (blocks[now].n) {
		if (engine_cancelled(g->job))
			return -ECANCELED;
		if (block_fill(g, &c, &blocks[!now]))
			return -1;
		block_reduce(g, &blocks[now], first_bag, s, n);
		now = !now;
	}
	return 0;
}

static uint32_t bag_count(const struct ppim_job *job, uint32_t bag)
{
	uint64_t i, end = bag_end(job, bag);
	uint32_t n = 0;

	for (i = (uint64_t)job->offsets[bag]; i < end; i++)
		n += !job_skips(job, job->indices[i]);
	return n;
}

static void mean_divide(const struct gnr *g, const struct stream *s,
			uint32_t first_bag, uint32_t n_bags)
{
	uint32_t b, count;
	size_t e;

	for (b = 0; b < n_bags; b++) {
		count = bag_count(g->job, first_bag + b);
		for (e = 0; count && e < s->width; e++)
			s->acc[b * s->pitch + e] /= (float)count;
	}
}

static void pooled_combine(const struct gnr *g, uint32_t n_bags, float *out)
{
	size_t e, n = (size_t)n_bags * g->shape->dim;

	for (e = 0; e < n; e++)
		out[e] = g->shape->combine == PPIM_COMBINE_ADD ?
				 out[e] + g->pooled[e] :
				 out[e] * g->pooled[e];
}

static int job_run(struct gnr *g, uint32_t first_bag, uint32_t n_bags,
		   float *out)
{
	struct stream s[2];
	uint32_t i, n = streams_init(g, s, out);
	int ret;

	memset(out, 0, (size_t)n_bags * g->shape->dim * sizeof(*out));
	ret = blocks_run(g, first_bag, n_bags, s, n);
	if (ret)
		return ret;
	for (i = 0; i < n && g->job->mode == PPIM_MODE_MEAN; i++)
		mean_divide(g, &s[i], first_bag, n_bags);
	if (g->pooled)
		pooled_combine(g, n_bags, out);
	return 0;
}

/* ---- set-up -------------------------------------------------------------- */

/* The lowest copy of each bank group; copy 0 where there is none. */
static void copies_index(const struct gnr *g, uint32_t s)
{
	const struct ppim_placed *p = &g->sub[s];
	uint32_t i;

	for (i = p->n_extents; i-- > 0;)
		if (p->extents[i].tier == PPIM_TIER_HBM &&
		    p->extents[i].slice < g->slices)
			g->copy[s][p->extents[i].slice] = i;
}

static bool wants_copies(const struct gnr *g, uint32_t s)
{
	return s != g->anchor && g->sub[s].n_extents > 1 &&
	       (g->sub[s].flags & PPIM_SUBF_DUPLICATED);
}

/* Hands out the parts of one allocation; with base NULL it only adds up. */
static void *carve(void *base, size_t *at, size_t count, size_t size)
{
	void *p = base ? (char *)base + *at : NULL;

	*at += (count * size + LINE - 1) & ~(size_t)(LINE - 1);
	return p;
}

/* Every factor has a bound (ppim_shape.h; n_bags by its output's size), so no
 * product here overflows. */
static size_t scratch_layout(struct gnr *g, uint32_t n_bags, void *base)
{
	const struct ppim_shape *t = g->shape;
	bool convert = t->dtype != PPIM_DTYPE_FP32;
	size_t at = 0;
	uint32_t s;

	for (s = 0; s < g->n_sub; s++) {
		if (wants_copies(g, s))
			g->copy[s] = carve(base, &at, g->slices,
					   sizeof(*g->copy[s]));
		if (convert)
			g->wide[s] = carve(base, &at, g->block * g->elems[s],
					   sizeof(float));
	}
	if (t->algo == PPIM_ALGO_TT) {
		g->pair = carve(base, &at, (size_t)t->tt_q[0] * t->tt_q[1] *
					   t->tt_r[1], sizeof(float));
		g->row = carve(base, &at, (size_t)g->block * t->dim,
			       sizeof(float));
	}
	if (job_two_streams(t) && t->combine != PPIM_COMBINE_CONCAT)
		g->pooled = carve(base, &at, (size_t)n_bags * t->dim,
				  sizeof(float));
	return at;
}

static int scratch_alloc(struct gnr *g, uint32_t n_bags)
{
	size_t bytes = scratch_layout(g, n_bags, NULL);
	uint32_t s;

	if (!bytes)
		return 0;
	g->scratch = calloc(1, bytes);
	if (!g->scratch)
		return fault_set(g, PPIM_ST_INTERNAL, 0, bytes);
	scratch_layout(g, n_bags, g->scratch);
	for (s = 0; s < g->n_sub; s++)
		if (g->copy[s])
			copies_index(g, s);
	return 0;
}

/* Of TT's two products, for one lookup. */
static uint64_t lookup_macs(const struct ppim_shape *t)
{
	return (uint64_t)t->tt_q[0] * t->tt_q[1] * t->tt_r[1] *
	       (t->tt_r[0] + t->tt_q[2]);
}

/* A row of a TT core may be millions of elements: each worker widens a block of
 * them, and looks for a cancellation when it is through with one. */
static uint32_t block_size(const struct gnr *g)
{
	uint64_t bytes = 0, macs, n = BLOCK;
	uint32_t s;

	for (s = 0; s < g->n_sub; s++)
		bytes += g->elems[s] * sizeof(float);
	if (g->shape->dtype != PPIM_DTYPE_FP32 && n > WIDE_BYTES / bytes)
		n = WIDE_BYTES / bytes;
	if (g->shape->algo == PPIM_ALGO_TT) {
		macs = lookup_macs(g->shape);
		n = n > BLOCK_MACS / macs ? BLOCK_MACS / macs : n;
	}
	return n ? (uint32_t)n : 1;
}

static int gnr_init(struct gnr *g, const struct ppim_memory *mem,
		    const struct ppim_job *job, uint32_t n_bags,
		    struct ppim_fault *fault)
{
	const struct ppim_shape *t = &job->table->shape;
	uint32_t s;

	*g = (struct gnr){
		.mem = mem, .job = job, .shape = t, .sub = job->table->sub,
		.kernels = kernels_get(), .fault = fault,
		.n_sub = ppim_shape_subtables(t),
		.anchor = t->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : PPIM_SUB_Q,
		.tt_l0 = (uint64_t)t->tt_p[1] * t->tt_p[2],
		.tt_l1 = t->tt_p[2],
		.slices = (uint32_t)(mem->hbm_bytes / mem->slice_bytes),
	};
	if (t->dtype > PPIM_DTYPE_BF16)
		return fault_set(g, PPIM_ST_UNSUPPORTED, 0, t->dtype);
	for (s = 0; s < g->n_sub; s++)
		g->elems[s] = ppim_shape_elems(t, s);
	g->block = block_size(g);
	return scratch_alloc(g, n_bags);
}

int ppim_gnr_compute(const struct ppim_memory *mem, const struct ppim_job *job,
		     uint32_t first_bag, uint32_t n_bags, float *out,
		     struct ppim_fault *fault)
{
	struct gnr g;
	int ret;

	if (!n_bags)
		return 0;
	ret = gnr_init(&g, mem, job, n_bags, fault);
	if (!ret)
		ret = job_run(&g, first_bag, n_bags, out);
	free(g.scratch);
	return ret;
}

int ppim_gnr_visit(const struct ppim_memory *mem, const struct ppim_job *job,
		   ppim_gnr_visit_fn fn, void *opaque, struct ppim_fault *fault)
{
	struct block b = { .n = 0 };
	struct cursor c;
	struct gnr g;
	uint32_t i, s;
	int ret;

	if (!job->n_bags)
		return 0;
	ret = gnr_init(&g, mem, job, 0, fault);
	cursor_init(&c, job, 0, job->n_bags);
	while (!ret) {
		ret = block_fill(&g, &c, &b);
		if (ret || !b.n)
			break;
		for (i = 0; i < b.n; i++)
			for (s = 0; s < g.n_sub; s++)
				fn(opaque, b.bag[i], s, b.row[s][i]);
	}
	free(g.scratch);
	return ret;
}
