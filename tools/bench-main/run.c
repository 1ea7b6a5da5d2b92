// SPDX-License-Identifier: MIT
/*
 * Batches in flight. All go to one queue pair, so the device admits them in the
 * order of their numbers and the annotations do not depend on the depth.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench.h"
#include "cli.h"

/* Completions taken at once. */
#define REAP 16

/* What one batch in flight owns. */
struct slot {
	struct job_batch batch;
	struct ppim_bags *bags;
	struct ppim_gnr gnr;
	float *out;
	uint64_t k;
};

struct run {
	struct bench_algo *a;
	uint32_t arch;
	uint32_t depth;
	struct slot *slot;
	uint32_t *free_slot;
	uint32_t n_free;
	struct ppim_ctx *ctx;
	struct job_result *result;
	uint64_t done;
};

static double clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ---- slots ---- */

static void *buf_alloc(struct run *r, size_t bytes)
{
	void *ptr;
	int ret = ppim_buf_alloc(r->a->bench->dev, bytes, &ptr);

	if (ret == -ENOMEM)
		cli_die(CLI_FAILED,
			"buffer of %zu bytes: no memory, or more than may be locked (ulimit -l)",
			bytes);
	if (ret)
		cli_die(CLI_FAILED, "buffer of %zu bytes: %s", bytes,
			strerror(-ret));
	return ptr;
}

static void slot_bags(struct run *r, struct slot *s)
{
	const struct job *job = &r->a->bench->job;
	uint32_t dim = r->a->job.table[0].shape.dim, t;

	for (t = 0; t < r->a->job.n; t++)
		s->bags[t] = (struct ppim_bags){
			.table = r->a->tbl[t],
			.indices = job_batch_indices(job, &s->batch, t),
			.offsets = s->batch.offsets,
			.output = s->out + (size_t)t * job->n_bags * dim,
			.n_indices = job->n_indices,
			.n_bags = job->n_bags,
			.index_bytes = sizeof(int64_t),
			.mode = PPIM_MODE_SUM,
		};
	s->gnr = (struct ppim_gnr){
		.bags = s->bags,
		.n_tables = r->a->job.n,
		.arch = r->arch,
		/* 0 leaves the choice to libppim */
		.queue = r->a->bench->cfg.queue + 1,
	};
}

static void slot_open(struct run *r, struct slot *s)
{
	const struct job *job = &r->a->bench->job;
	size_t indices = (size_t)job->tables.n * job->n_indices;
	uint32_t i;

	s->batch.indices = buf_alloc(r, indices * sizeof(int64_t));
	s->batch.offsets = buf_alloc(r, job->n_bags * sizeof(int64_t));
	for (i = 0; i < job->n_bags; i++)
		s->batch.offsets[i] = (int64_t)i * job->cfg.pooling;
	s->out = buf_alloc(r, bench_out_floats(r->a) * sizeof(float));
	s->bags = calloc(r->a->job.n, sizeof(*s->bags));
	if (!s->bags)
		cli_die(CLI_FAILED, "no memory for a batch");
	slot_bags(r, s);
}

static void slot_close(struct run *r, struct slot *s)
{
	ppim_buf_free(r->a->bench->dev, s->batch.indices);
	ppim_buf_free(r->a->bench->dev, s->batch.offsets);
	ppim_buf_free(r->a->bench->dev, s->out);
	free(s->bags);
}

static uint32_t run_depth(const struct bench *b)
{
	uint64_t depth = b->cfg.depth;

	if (depth > b->job.cfg.samples)
		depth = b->job.cfg.samples;
	return (uint32_t)depth;
}

static void run_open(struct run *r)
{
	struct bench *b = r->a->bench;
	uint32_t i;
	int ret;

	r->depth = run_depth(b);
	r->slot = calloc(r->depth, sizeof(*r->slot));
	r->free_slot = calloc(r->depth, sizeof(*r->free_slot));
	if (!r->slot || !r->free_slot)
		cli_die(CLI_FAILED, "no memory for %u batches in flight",
			r->depth);
	for (i = 0; i < r->depth; i++) {
		slot_open(r, &r->slot[i]);
		r->free_slot[r->n_free++] = i;
	}
	if (b->cfg.submit == BENCH_SUBMIT_IOCTL)
		return;
	ret = ppim_ctx_create(b->dev, r->depth, &r->ctx);
	if (ret)
		cli_die(CLI_FAILED, "submission context of %u batches: %s",
			r->depth, strerror(-ret));
}

static void run_close(struct run *r)
{
	uint32_t i;

	if (r->ctx)
		ppim_ctx_free(r->ctx);
	for (i = 0; i < r->depth; i++)
		slot_close(r, &r->slot[i]);
	free(r->slot);
	free(r->free_slot);
}

/* ---- batches ---- */

static void progress_show(const struct run *r)
{
	cli_progress("%s on %s: %llu of %llu batches",
		     job_algo_name(r->a->job.algo), job_arch_name(r->arch),
		     (unsigned long long)r->done,
		     (unsigned long long)r->a->bench->job.cfg.samples);
}

static void batch_die(const struct slot *s, int err,
		      const struct ppim_ioc_result *result)
{
	char why[256];

	if (result && result->status)
		ppim_strerror_result(&s->gnr, result, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "%s", strerror(-err));
	cli_die(CLI_FAILED, "%s, batch %llu: %s", job_arch_name(s->gnr.arch),
		(unsigned long long)s->k, why);
}

static void batch_end(struct run *r, uint32_t i, int res,
		      const struct ppim_ioc_result *result)
{
	struct slot *s = &r->slot[i];
	double err;

	if (res)
		batch_die(s, res, result);
	if (job_result_add(r->result, &result->annotation))
		cli_die(CLI_FAILED, "no memory for annotations");
	if (r->a->verify) {
		err = verify_batch(r->a->verify, s->k, r->arch, s->out);
		if (err > r->result->max_rel_err)
			r->result->max_rel_err = err;
		r->result->vectors +=
			(uint64_t)r->a->job.n * r->a->bench->job.n_bags;
	}
	r->free_slot[r->n_free++] = i;
	r->done++;
	progress_show(r);
}

/* A slot keeps its indices between rounds of a measurement of speed. */
static struct slot *slot_take(struct run *r, uint64_t k, uint32_t *i)
{
	struct slot *s;

	*i = r->free_slot[--r->n_free];
	s = &r->slot[*i];
	s->k = k;
	if (!r->a->bench->cfg.perf)
		job_batch_fill(&r->a->bench->job, k, &s->batch);
	return s;
}

static void completions_take(struct run *r)
{
	struct ppim_completion c[REAP];
	int n, i;

	n = ppim_wait(r->ctx, c, REAP, -1);
	if (n < 0)
		cli_die(CLI_FAILED, "waiting for a batch: %s", strerror(-n));
	for (i = 0; i < n; i++)
		batch_end(r, (uint32_t)c[i].user_data, c[i].res, &c[i].result);
}

static void batch_submit(struct run *r, uint64_t k)
{
	struct slot *s;
	uint32_t i;
	int ret;

	while (!r->n_free)
		completions_take(r);
	s = slot_take(r, k, &i);
	while ((ret = ppim_submit_more(r->ctx, &s->gnr, i)) == -EAGAIN)
		completions_take(r);
	if (ret)
		batch_die(s, ret, NULL);
}

static void batch_sync(struct run *r, uint64_t k)
{
	struct ppim_ioc_result result = { 0 };
	struct slot *s;
	uint32_t i;
	int ret;

	s = slot_take(r, k, &i);
	ret = ppim_gnr(r->a->bench->dev, &s->gnr, &result);
	batch_end(r, i, ret, &result);
}

static void run_batches(struct run *r)
{
	uint64_t n = r->a->bench->job.cfg.samples, k;

	for (k = 0; k < n; k++) {
		if (r->ctx)
			batch_submit(r, k);
		else
			batch_sync(r, k);
	}
	while (r->done < n)
		completions_take(r);
}

void bench_run(struct bench_algo *a, uint32_t arch, struct job_result *result,
	       struct bench_rate *rate)
{
	struct run r = { .a = a, .arch = arch, .result = result };
	double start;
	uint32_t i;

	job_result_init(result, a->job.algo, arch,
			a->bench->cfg.job.annotations);
	run_open(&r);
	for (i = 0; a->bench->cfg.perf && i < r.depth; i++)
		job_batch_fill(&a->bench->job, i, &r.slot[i].batch);
	progress_show(&r);
	start = clock_seconds();
	run_batches(&r);
	rate->seconds = clock_seconds() - start;
	cli_progress(NULL);
	rate->lookups = result->sum.lookups;
	run_close(&r);
}
