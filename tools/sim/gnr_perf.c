// SPDX-License-Identifier: MIT
/*
 * How fast the engine alone is: the batches that ppim-bench --perf sends
 * through driver and device, computed on worker threads and charged on one
 * more, as the device does it. What a guest lacks of this is the stack's
 * overhead.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "cli.h"
#include "sim_gnr.h"

struct perf {
	const struct gnr_model *model;
	const struct gnr_algo *a;
	struct ppim_memory mem;
	struct gnr_batch *batch; /* [n_batches] */
	uint64_t next; /* batch to compute, under `lock` */
	pthread_mutex_t lock;
	struct gnr_result *result;
};

/* ---- the tiers ---- */

/* Reserves nothing: what the batches touch is a small part. */
static uint8_t *tier_map(uint64_t bytes)
{
	void *p = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		cli_die(CLI_FAILED, "no room for a tier of %llu bytes: %s",
			(unsigned long long)bytes, strerror(errno));
	return p;
}

static void memory_open(const struct gnr_model *m, struct ppim_memory *mem)
{
	*mem = (struct ppim_memory){
		.hbm = tier_map(m->config.hbm_bytes),
		.hbm_bytes = m->config.hbm_bytes,
		.slice_bytes = m->geo.slice_bytes,
		.dimm = tier_map(m->config.dimm_bytes),
		.dimm_bytes = m->config.dimm_bytes,
	};
}

static void memory_close(struct ppim_memory *mem)
{
	munmap((void *)mem->hbm, mem->hbm_bytes);
	munmap((void *)mem->dimm, mem->dimm_bytes ? mem->dimm_bytes : 1);
}

static void row_write(const struct ppim_memory *mem,
		      const struct ppim_row_loc *loc, const float *row,
		      uint32_t bytes)
{
	const uint8_t *at = loc->tier == PPIM_TIER_DIMM
				    ? mem->dimm + loc->offset
				    : mem->hbm + loc->slice * mem->slice_bytes +
					      loc->offset;

	memcpy((uint8_t *)at, row, bytes);
}

static void rows_write(const struct perf *p, uint32_t t, uint32_t sub,
		       struct wl_counts *touched)
{
	const struct ppim_table_desc *desc = &p->a->table[t];
	const struct ppim_placed *placed = &desc->sub[sub];
	const struct wl_count *list = wl_counts_sorted(touched);
	uint32_t copies =
		placed->flags & PPIM_SUBF_DUPLICATED ? placed->n_extents : 1;
	float *row = malloc(placed->row_bytes);
	struct ppim_row_loc loc;
	uint32_t c;
	size_t i;

	if (!list || !row)
		cli_die(CLI_FAILED, "no memory for a list of rows");
	for (i = 0; i < wl_counts_size(touched); i++) {
		wl_row_fill(p->a->input->cfg.seed, t, sub, &desc->shape,
			    list[i].row, row);
		for (c = 0; c < copies; c++) {
			ppim_row_locate(placed, list[i].row, c, &loc);
			row_write(&p->mem, &loc, row, placed->row_bytes);
		}
	}
	free(row);
}

static void tables_write(const struct perf *p)
{
	struct job_touched touched;
	uint32_t t, s;

	for (t = 0; t < p->a->job.n; t++) {
		if (job_touched_read(p->a->input, &p->a->table[t].shape, t,
				     &touched))
			cli_die(CLI_FAILED, "no memory for the rows in use");
		for (s = 0; s < ppim_shape_subtables(&p->a->table[t].shape);
		     s++)
			rows_write(p, t, s, touched.sub[s]);
		job_touched_free(&touched);
	}
}

/* ---- work ---- */

static bool batch_take(struct perf *p, uint64_t *k)
{
	pthread_mutex_lock(&p->lock);
	*k = p->next;
	p->next += *k < p->a->input->cfg.samples;
	pthread_mutex_unlock(&p->lock);
	return *k < p->a->input->cfg.samples;
}

static void batch_compute(const struct perf *p, const struct gnr_batch *b,
			  float *out)
{
	struct ppim_fault fault;
	uint32_t t;

	for (t = 0; t < b->batch.n_jobs; t++) {
		const struct ppim_job *j = &b->jobs[t];

		if (ppim_gnr_compute(&p->mem, j, 0, j->n_bags, out, &fault))
			cli_die(CLI_FAILED, "table %u: status %u", t,
				fault.status);
		out += (size_t)j->n_bags * j->table->shape.dim;
	}
}

static void *worker_run(void *opaque)
{
	struct perf *p = opaque;
	const struct job *job = p->a->input;
	float *out = calloc((size_t)p->a->job.n * job->n_bags,
			    p->a->table[0].shape.dim * sizeof(*out));
	uint64_t k;

	if (!out)
		cli_die(CLI_FAILED, "no memory for output vectors");
	while (batch_take(p, &k))
		batch_compute(p, &p->batch[k % job->n_batches], out);
	free(out);
	return NULL;
}

static void batches_charge(struct perf *p)
{
	const struct job *job = p->a->input;
	uint64_t k;

	for (k = 0; k < job->cfg.samples; k++)
		gnr_charge(p->model, &p->batch[k % job->n_batches].batch,
			   ppim_engine_now_ps(p->model->engine), &p->a->job,
			   p->result);
}

static double clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double work_time(struct perf *p, uint32_t threads)
{
	pthread_t thread[GNR_THREADS_MAX];
	double start = clock_seconds();
	uint32_t i;
	int ret;

	for (i = 0; i < threads; i++) {
		ret = pthread_create(&thread[i], NULL, worker_run, p);
		if (ret)
			cli_die(CLI_FAILED, "thread: %s", strerror(ret));
	}
	batches_charge(p);
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return clock_seconds() - start;
}

void gnr_perf(const struct gnr_model *m, const struct gnr_algo *a,
	      uint32_t threads, struct gnr_result *result)
{
	struct perf p = { .model = m,
			  .a = a,
			  .result = result,
			  .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t k;

	p.batch = calloc(a->input->n_batches, sizeof(*p.batch));
	if (!p.batch)
		cli_die(CLI_FAILED, "no memory for batches");
	memory_open(m, &p.mem);
	tables_write(&p);
	for (k = 0; k < a->input->n_batches; k++) {
		gnr_batch_open(a, result->job.arch, &p.batch[k]);
		job_batch_fill(a->input, k, &p.batch[k].input);
	}
	result->seconds = work_time(&p, threads);
	for (k = 0; k < a->input->n_batches; k++)
		gnr_batch_close(&p.batch[k]);
	free(p.batch);
	memory_close(&p.mem);
}
