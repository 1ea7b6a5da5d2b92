// SPDX-License-Identifier: MIT
/*
 * The CPU path. The arithmetic is the device's, to the bit: lookups of a bag in
 * index order, every output element by itself;
 *   QR   MULT q * r, ADD q + r, CONCAT q then r;
 *   TT   P = G1 . G2 and row = P . G3, each element a chain of fused
 *        multiply-adds over the rank, ascending, from +0;
 *   SUM  from +0, acc + t, or fma(weight, t, acc);
 *   MEAN the sum divided by the number of lookups counted;
 *   MAX  from the first row, t > acc ? t : acc; an empty bag is 0;
 *   POOLED reduces Q rows and R rows by themselves and combines at the end.
 *
 * Threads take runs of whole bags; a bag is one thread's alone.
 */
#define _GNU_SOURCE /* sched_getaffinity() */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "cpu_kernels.h"
#include "ppim_int.h"

#define BLOCK 16	/* lookups whose rows are found before they are used */
#define AHEAD 16	/* lookups that rows are fetched ahead of */
#define LINE 64
#define FETCH_MAX 1024	/* bytes of a row: the hardware follows from there */
#define PAIRS 16	/* products G1 . G2 kept: a pair often comes again */
#define NO_PAIR UINT64_MAX
#define THREADS_MAX 256
/* Multiply-adds that are worth a thread's start. */
#define THREAD_WORK 200000

static const struct cpu_kernels *const all_kernels[] = {
#ifdef __x86_64__
	&cpu_kernels_avx2,
#endif
	&cpu_kernels_scalar,
};

/* By name, or the best of this processor. */
static const struct cpu_kernels *kernels_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_kernels); i++)
		if (all_kernels[i]->usable() &&
		    (!name || !strcmp(name, all_kernels[i]->name)))
			return all_kernels[i];
	return NULL;
}

const char *cpu_isa(void)
{
	return kernels_find(NULL)->name;
}

unsigned int cpu_threads(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

/* Rows of the subtables that an index refers to. */
static void index_split(const struct ppim_shape *s, uint64_t index,
			uint64_t rows[PPIM_MAX_SUBTABLES])
{
	uint64_t p3 = s->tt_p[2], p2p3 = s->tt_p[1] * p3;

	if (s->algo == PPIM_ALGO_QR) {
		rows[PPIM_SUB_Q] = index / s->collisions;
		rows[PPIM_SUB_R] = index % s->collisions;
	} else if (s->algo == PPIM_ALGO_TT) {
		rows[PPIM_SUB_G1] = index / p2p3;
		rows[PPIM_SUB_G2] = index % p2p3 / p3;
		rows[PPIM_SUB_G3] = index % p3;
	} else {
		rows[PPIM_SUB_W] = index;
	}
}

/* ---- checks ------------------------------------------------------------------- */

static int check_offsets(const struct ppim_bags *b,
			 struct ppim_ioc_result *result)
{
	uint64_t last = 0, at;
	uint32_t i, n = b->n_bags;

	if (!n)
		return b->n_indices ? result_fail(result, PPIM_ST_BAD_OFFSETS,
						  ERANGE, 0, 0) : 0;
	for (i = 0; i < n; i++) {
		at = bags_offset(b, i);
		if (at < last || at > b->n_indices || (!i && at))
			return result_fail(result, PPIM_ST_BAD_OFFSETS, ERANGE,
					   i, i);
		last = at;
	}
	if (b->flags & PPIM_BAGS_LAST_OFFSET &&
	    bags_offset(b, n) != b->n_indices)
		return result_fail(result, PPIM_ST_BAD_OFFSETS, ERANGE, n, n);
	return 0;
}

int cpu_check(const struct ppim_shape *shape, const struct ppim_bags *b,
	      struct ppim_ioc_result *result)
{
	uint32_t bag;
	uint64_t i;
	int64_t index;
	int ret;

	if (!ppim_shape_valid(shape) || bags_fault(b))
		return result_fail(result, PPIM_ST_BAD_FIELD, EINVAL, 0, 0);
	ret = check_offsets(b, result);
	if (ret)
		return ret;
	for (bag = 0; bag < b->n_bags; bag++) {
		for (i = bags_offset(b, bag); i < bags_end(b, bag); i++) {
			index = bags_index(b, i);
			if ((uint64_t)index >= shape->rows &&
			    !bags_skips(b, index))
				return result_fail(result, PPIM_ST_BAD_INDEX,
						   ERANGE, bag,
						   (uint64_t)index);
		}
	}
	return 0;
}

/* ---- work ----------------------------------------------------------------------- */

/* One call: the same for all threads. */
struct run {
	const struct ppim_shape *shape;
	const struct ppim_rows *rows;
	const struct ppim_bags *bags;
	const struct cpu_kernels *k;
	uint32_t n_sub;
	size_t elems[PPIM_MAX_SUBTABLES];
	uint64_t row_bytes[PPIM_MAX_SUBTABLES];
	uint64_t stride[PPIM_MAX_SUBTABLES];
	bool in_place[PPIM_MAX_SUBTABLES]; /* rows are fp32 as they lie */
	enum cpu_term term;
	enum cpu_fold fold;
	bool two; /* Q and R have accumulators of their own */
	uint32_t chunk; /* bags taken at once */
	atomic_uint_fast64_t next; /* bag that nobody has taken */
	atomic_uint_fast64_t lookups;
	atomic_int ret;
};

/* One thread's own. */
struct worker {
	struct run *run;
	pthread_t thread;
	float *wide[PPIM_MAX_SUBTABLES]; /* BLOCK decoded rows */
	uint8_t *raw; /* a row as the callback gives it */
	float *pair; /* TT: PAIRS products */
	uint64_t pair_key[PAIRS];
	float *built; /* TT: BLOCK rebuilt rows */
	float *pooled; /* R's sum, where Q and R are combined at the end */
	void *memory;
};

/* A block of lookups of one bag. */
struct block {
	size_t n;
	float weight[BLOCK];
	uint64_t pair[BLOCK];
	const float *row[PPIM_MAX_SUBTABLES][BLOCK];
};

static const uint8_t *row_at(const struct run *r, uint32_t sub, uint64_t row)
{
	return (const uint8_t *)r->rows->base[sub] + row * r->stride[sub];
}

static void row_decode(const struct run *r, uint32_t sub, const void *from,
		       float *to)
{
	if (r->shape->dtype == PPIM_DTYPE_FP16)
		r->k->from_fp16(from, r->elems[sub], to);
	else
		ppim_row_decode(r->shape->dtype, from, r->elems[sub], to);
}

/* Makes entry `slot` of a block's row: NULL if the callback failed. */
static const float *row_get(struct worker *w, uint32_t sub, uint64_t row,
			    size_t slot)
{
	struct run *r = w->run;
	float *to;
	int ret;

	if (r->in_place[sub])
		return (const float *)row_at(r, sub, row);
	to = w->wide[sub] + slot * r->elems[sub];
	if (r->rows->base[sub]) {
		row_decode(r, sub, row_at(r, sub, row), to);
		return to;
	}
	ret = r->rows->read(r->rows->opaque, sub, row, w->raw);
	if (ret) {
		atomic_store(&r->ret, ret);
		return NULL;
	}
	row_decode(r, sub, w->raw, to);
	return to;
}

static void rows_fetch(const struct run *r, int64_t index)
{
	uint64_t rows[PPIM_MAX_SUBTABLES], bytes, b;
	uint32_t s;

	if (bags_skips(r->bags, index))
		return;
	index_split(r->shape, (uint64_t)index, rows);
	for (s = 0; s < r->n_sub; s++) {
		if (!r->rows->base[s])
			continue;
		bytes = r->row_bytes[s] < FETCH_MAX ? r->row_bytes[s] :
						      FETCH_MAX;
		for (b = 0; b < bytes; b += LINE)
			__builtin_prefetch(row_at(r, s, rows[s]) + b);
	}
}

static int block_add(struct worker *w, struct block *b, uint64_t pos,
		     int64_t index)
{
	const struct run *r = w->run;
	uint64_t rows[PPIM_MAX_SUBTABLES];
	uint32_t s;

	index_split(r->shape, (uint64_t)index, rows);
	b->weight[b->n] = r->bags->weights ? r->bags->weights[pos] : 0;
	for (s = 0; s < r->n_sub; s++) {
		b->row[s][b->n] = row_get(w, s, rows[s], b->n);
		if (!b->row[s][b->n])
			return -1;
	}
	if (r->shape->algo == PPIM_ALGO_TT)
		b->pair[b->n] = rows[PPIM_SUB_G1] * r->shape->tt_p[1] +
				rows[PPIM_SUB_G2];
	b->n++;
	return 0;
}

/* The next lookups of a bag, up to BLOCK of them. */
static int block_fill(struct worker *w, struct block *b, uint64_t *pos,
		      uint64_t end)
{
	const struct ppim_bags *bags = w->run->bags;
	int64_t index;

	for (b->n = 0; *pos < end && b->n < BLOCK; ++*pos) {
		if (*pos + AHEAD < bags->n_indices)
			rows_fetch(w->run, bags_index(bags, *pos + AHEAD));
		index = bags_index(bags, *pos);
		if (!bags_skips(bags, index) && block_add(w, b, *pos, index))
			return -1;
	}
	return 0;
}

/* G1 . G2 of a lookup: kept from before, or made. */
static const float *pair_get(struct worker *w, const struct block *b, size_t i)
{
	const struct ppim_shape *s = w->run->shape;
	size_t n = (size_t)s->tt_q[1] * s->tt_r[1], slot = b->pair[i] % PAIRS;
	float *p = w->pair + slot * s->tt_q[0] * n;

	if (w->pair_key[slot] == b->pair[i])
		return p;
	w->run->k->product(b->row[PPIM_SUB_G1][i], b->row[PPIM_SUB_G2][i], p,
			   s->tt_q[0], s->tt_r[0], n);
	w->pair_key[slot] = b->pair[i];
	return p;
}

static void block_rebuild(struct worker *w, struct block *b)
{
	const struct ppim_shape *s = w->run->shape;
	float *to;
	size_t i;

	for (i = 0; i < b->n; i++) {
		to = w->built + i * s->dim;
		w->run->k->product(pair_get(w, b, i), b->row[PPIM_SUB_G3][i],
				   to, (size_t)s->tt_q[0] * s->tt_q[1],
				   s->tt_r[1], s->tt_q[2]);
		b->row[0][i] = to;
	}
}

/* MAX begins with the first row itself, not with a number below all others. */
static void first_set(enum cpu_term term, float *acc, size_t width,
		      const float *a, const float *b)
{
	size_t e;

	for (e = 0; e < width; e++)
		acc[e] = term == CPU_MULT ? a[e] * b[e] :
			 term == CPU_ADD  ? a[e] + b[e] : a[e];
}

static void stream_fold(const struct run *r, float *acc, size_t width,
			const float *const *a, const float *const *b,
			const struct block *blk, bool first)
{
	enum cpu_term term = b ? r->term : CPU_ROW;
	size_t skip = first && r->fold == CPU_MAX;

	if (skip)
		first_set(term, acc, width, a[0], b ? b[0] : NULL);
	r->k->fold[term][r->fold](acc, width, a + skip, b ? b + skip : NULL,
				  blk->weight + skip, blk->n - skip);
}

/* Where R's part of a bag is summed: behind Q's part, or beside it. */
static float *second_acc(const struct worker *w, float *acc)
{
	return w->pooled ? w->pooled : acc + w->run->elems[PPIM_SUB_Q];
}

static void block_fold(struct worker *w, struct block *b, float *acc,
		       bool first)
{
	const struct run *r = w->run;

	if (r->shape->algo == PPIM_ALGO_TT)
		block_rebuild(w, b);
	if (r->two) {
		stream_fold(r, acc, r->elems[PPIM_SUB_Q], b->row[PPIM_SUB_Q],
			    NULL, b, first);
		stream_fold(r, second_acc(w, acc), r->elems[PPIM_SUB_R],
			    b->row[PPIM_SUB_R], NULL, b, first);
		return;
	}
	stream_fold(r, acc, r->shape->dim, b->row[0],
		    r->n_sub == 2 ? b->row[PPIM_SUB_R] : NULL, b, first);
}

static void bag_finish(struct worker *w, float *acc, uint64_t count)
{
	const struct run *r = w->run;
	uint32_t e, dim = r->shape->dim;

	if (r->bags->mode == PPIM_MODE_MEAN && count) {
		for (e = 0; e < dim; e++)
			acc[e] /= (float)count;
		for (e = 0; w->pooled && e < dim; e++)
			w->pooled[e] /= (float)count;
	}
	for (e = 0; w->pooled && e < dim; e++)
		acc[e] = r->shape->combine == PPIM_COMBINE_ADD ?
				 acc[e] + w->pooled[e] :
				 acc[e] * w->pooled[e];
}

static int bag_run(struct worker *w, uint32_t bag, uint64_t *lookups)
{
	const struct run *r = w->run;
	float *acc = r->bags->output + (size_t)bag * r->shape->dim;
	uint64_t pos = bags_offset(r->bags, bag), end = bags_end(r->bags, bag);
	uint64_t count = 0;
	struct block b;

	memset(acc, 0, r->shape->dim * sizeof(*acc));
	if (w->pooled)
		memset(w->pooled, 0, r->shape->dim * sizeof(*acc));
	while (pos < end) {
		if (block_fill(w, &b, &pos, end))
			return -1;
		if (b.n)
			block_fold(w, &b, acc, !count);
		count += b.n;
	}
	bag_finish(w, acc, count);
	*lookups += count;
	return 0;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct run *r = w->run;
	uint64_t bag, end, lookups = 0;

	while (!atomic_load(&r->ret)) {
		bag = atomic_fetch_add(&r->next, r->chunk);
		if (bag >= r->bags->n_bags)
			break;
		end = bag + r->chunk < r->bags->n_bags ? bag + r->chunk :
							 r->bags->n_bags;
		for (; bag < end; bag++)
			if (bag_run(w, (uint32_t)bag, &lookups))
				break;
	}
	atomic_fetch_add(&r->lookups, lookups);
	return NULL;
}

/* ---- set-up ------------------------------------------------------------------------ */

/* Parts of one allocation; with base NULL it only adds up. The shapes' bounds
 * (ppim_shape.h) keep every product far below an overflow. */
static void *carve(void *base, size_t *at, size_t bytes)
{
	void *p = base ? (char *)base + *at : NULL;

	*at += (bytes + LINE - 1) & ~(size_t)(LINE - 1);
	return p;
}

static size_t worker_layout(struct worker *w, void *base)
{
	const struct run *r = w->run;
	const struct ppim_shape *s = r->shape;
	size_t at = 0, raw = 0, f = sizeof(float);
	uint32_t k;

	for (k = 0; k < r->n_sub; k++) {
		if (r->in_place[k])
			continue;
		w->wide[k] = carve(base, &at, BLOCK * r->elems[k] * f);
		if (!r->rows->base[k] && r->row_bytes[k] > raw)
			raw = r->row_bytes[k];
	}
	if (raw)
		w->raw = carve(base, &at, raw);
	if (s->algo == PPIM_ALGO_TT) {
		w->pair = carve(base, &at, (size_t)PAIRS * s->tt_q[0] *
						   s->tt_q[1] * s->tt_r[1] * f);
		w->built = carve(base, &at, (size_t)BLOCK * s->dim * f);
	}
	if (r->two && s->combine != PPIM_COMBINE_CONCAT)
		w->pooled = carve(base, &at, s->dim * f);
	return at;
}

static int worker_init(struct worker *w, struct run *r)
{
	size_t bytes, i;

	memset(w, 0, sizeof(*w));
	w->run = r;
	for (i = 0; i < PAIRS; i++)
		w->pair_key[i] = NO_PAIR;
	bytes = worker_layout(w, NULL);
	if (!bytes)
		return 0;
	w->memory = aligned_alloc(LINE, bytes);
	if (!w->memory)
		return -ENOMEM;
	worker_layout(w, w->memory);
	return 0;
}

/* Can rows be used as they lie in memory? */
static bool rows_in_place(const struct run *r, uint32_t sub)
{
	return r->shape->dtype == PPIM_DTYPE_FP32 && r->rows->base[sub] &&
	       !((uintptr_t)r->rows->base[sub] % sizeof(float)) &&
	       !(r->stride[sub] % sizeof(float));
}

static int run_init(struct run *r)
{
	const struct ppim_shape *s = r->shape;
	uint32_t k;

	r->n_sub = ppim_shape_subtables(s);
	for (k = 0; k < r->n_sub; k++) {
		if (!r->rows->base[k] && !r->rows->read)
			return -EINVAL;
		r->elems[k] = ppim_shape_elems(s, k);
		r->row_bytes[k] = ppim_shape_row_bytes(s, k);
		r->stride[k] = r->rows->stride[k] ? r->rows->stride[k] :
						    r->row_bytes[k];
		r->in_place[k] = rows_in_place(r, k);
	}
	r->two = s->algo == PPIM_ALGO_QR && (s->qr_order == PPIM_QR_POOLED ||
					     s->combine == PPIM_COMBINE_CONCAT);
	r->term = s->algo != PPIM_ALGO_QR || r->two ? CPU_ROW :
		  s->combine == PPIM_COMBINE_ADD ? CPU_ADD : CPU_MULT;
	r->fold = r->bags->mode == PPIM_MODE_MAX ? CPU_MAX :
		  r->bags->weights ? CPU_FMA : CPU_SUM;
	return 0;
}

/* Multiply-adds of one lookup. */
static uint64_t lookup_work(const struct ppim_shape *s)
{
	if (s->algo != PPIM_ALGO_TT)
		return s->dim;
	return (uint64_t)s->tt_q[0] * s->tt_q[1] * s->tt_r[1] *
	       (s->tt_r[0] + s->tt_q[2]);
}

static unsigned int run_threads(const struct run *r, unsigned int threads)
{
	uint64_t worth = 1 + r->bags->n_indices * lookup_work(r->shape) /
				     THREAD_WORK;

	if (!threads)
		threads = cpu_threads();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > worth)
		threads = (unsigned int)worth;
	if (threads > r->bags->n_bags)
		threads = r->bags->n_bags;
	return threads ? threads : 1;
}

/* The caller's thread is worker 0. A thread that cannot be started is done
 * without: the others take its bags. */
static void run_all(struct worker *w, unsigned int n)
{
	unsigned int i, started;

	for (started = 1; started < n; started++)
		if (pthread_create(&w[started].thread, NULL, worker_run,
				   &w[started]))
			break;
	worker_run(&w[0]);
	for (i = 1; i < started; i++)
		pthread_join(w[i].thread, NULL);
}

int cpu_compute(const struct ppim_shape *shape, const struct ppim_rows *rows,
		const struct ppim_bags *bags, unsigned int threads,
		const char *isa, uint64_t *lookups)
{
	struct run r = { .shape = shape, .rows = rows, .bags = bags,
			 .k = kernels_find(isa) };
	struct worker *w;
	unsigned int i, n;
	int ret;

	if (!r.k)
		return -ENOENT;
	ret = run_init(&r);
	if (ret)
		return ret;
	n = run_threads(&r, threads);
	r.chunk = bags->n_bags / (n * 8) + 1;
	w = calloc(n, sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (i = 0; !ret && i < n; i++)
		ret = worker_init(&w[i], &r);
	if (!ret) {
		run_all(w, n);
		ret = atomic_load(&r.ret);
	}
	for (i = 0; i < n; i++)
		free(w[i].memory);
	free(w);
	*lookups += atomic_load(&r.lookups);
	return ret;
}

/* ---- interface -------------------------------------------------------------------- */

int ppim_cpu_gnr_isa(const struct ppim_shape *shape,
		     const struct ppim_rows *rows,
		     const struct ppim_bags *bags, unsigned int threads,
		     const char *isa, struct ppim_ioc_result *result)
{
	struct ppim_ioc_result own;
	uint64_t lookups = 0;
	int ret;

	if (!result)
		result = &own;
	memset(result, 0, sizeof(*result));
	ret = cpu_check(shape, bags, result);
	if (ret)
		return ret;
	ret = cpu_compute(shape, rows, bags, threads, isa, &lookups);
	if (ret)
		return result_fail(result, PPIM_ST_INTERNAL, -ret, 0, 0);
	result->annotation.lookups = lookups;
	result->annotation.arch = PPIM_ARCH_CPU;
	return 0;
}

int ppim_cpu_gnr(const struct ppim_shape *shape, const struct ppim_rows *rows,
		 const struct ppim_bags *bags, unsigned int threads,
		 struct ppim_ioc_result *result)
{
	return ppim_cpu_gnr_isa(shape, rows, bags, threads, NULL, result);
}
