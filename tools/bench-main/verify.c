// SPDX-License-Identifier: MIT
/*
 * Answers against libppim's CPU path, which must agree bit for bit, and the
 * CPU path against plain fp64 sums. Reference rows come from the hash, not from
 * what was uploaded, so a wrong upload is found too.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "cli.h"

/* |x - ref| <= 1e-5 * sum of the terms' magnitudes */
#define MAX_RELATIVE_ERROR 1e-5
/* Expected vectors are kept from one preset to the next up to this size, and
 * computed again beyond it. */
#define STORE_BYTES (256ull << 20)

struct verify {
	const struct bench_algo *a;
	size_t out_floats;
	uint64_t stored; /* batches with room in `store` */
	float *store;
	float *scratch; /* one batch */
	double *error; /* per batch, negative: not known yet */
	double *ref, *magnitude; /* one table */
	struct job_batch batch;
};

struct row_reader {
	const struct bench_algo *a;
	uint32_t table;
};

static int row_read(void *opaque, uint32_t sub, uint64_t row, void *dst)
{
	const struct row_reader *r = opaque;

	wl_row_fill(r->a->bench->cfg.job.seed, r->table, sub,
		    &r->a->job.table[r->table].shape, row, dst);
	return 0;
}

struct verify *verify_open(const struct bench_algo *a)
{
	const struct job *job = &a->bench->job;
	struct verify *v = calloc(1, sizeof(*v));
	size_t floats = bench_out_floats(a);
	uint64_t k;

	if (!v)
		cli_die(CLI_FAILED, "no memory to verify");
	v->a = a;
	v->out_floats = floats;
	v->stored = STORE_BYTES / (floats * sizeof(float));
	if (v->stored > job->cfg.samples)
		v->stored = job->cfg.samples;
	v->store = calloc(v->stored + 1, floats * sizeof(float));
	v->error = calloc(job->cfg.samples, sizeof(*v->error));
	v->ref = calloc(floats, sizeof(*v->ref));
	v->magnitude = calloc(floats, sizeof(*v->magnitude));
	if (!v->store || !v->error || !v->ref || !v->magnitude ||
	    job_batch_alloc(job, &v->batch))
		cli_die(CLI_FAILED,
			"no memory to verify %llu batches (--no-verify, or fewer --samples)",
			(unsigned long long)job->cfg.samples);
	v->scratch = v->store + v->stored * floats;
	for (k = 0; k < job->cfg.samples; k++)
		v->error[k] = -1;
	return v;
}

void verify_close(struct verify *v)
{
	if (!v)
		return;
	free(v->store);
	free(v->error);
	free(v->ref);
	free(v->magnitude);
	job_batch_free(&v->batch);
	free(v);
}

static struct ppim_bags table_bags(const struct verify *v, uint32_t t,
				   float *out)
{
	const struct job *job = &v->a->bench->job;

	return (struct ppim_bags){
		.indices = job_batch_indices(job, &v->batch, t),
		.offsets = v->batch.offsets,
		.output = out,
		.n_indices = job->n_indices,
		.n_bags = job->n_bags,
		.index_bytes = sizeof(int64_t),
		.mode = PPIM_MODE_SUM,
	};
}

static size_t table_floats(const struct verify *v)
{
	return v->out_floats / v->a->job.n;
}

/* Largest error of a table's fp32 reference against fp64. */
static double error_of_table(const struct verify *v, const float *out)
{
	double worst = 0, e;
	size_t i;

	for (i = 0; i < table_floats(v); i++) {
		e = fabs((double)out[i] - v->ref[i]);
		if (v->magnitude[i] > 0)
			e /= v->magnitude[i];
		if (!(e <= worst))
			worst = e;
	}
	return worst;
}

static void reference_die(const struct verify *v, uint32_t t, int err)
{
	cli_die(CLI_FAILED, "table %s: reference: %s", v->a->job.table[t].name,
		strerror(-err));
}

/* Fills `out` with batch k's answers on the CPU. */
static void reference_fill(struct verify *v, uint64_t k, float *out)
{
	const struct job_algo *j = &v->a->job;
	struct row_reader reader = { .a = v->a };
	struct ppim_rows rows = { .read = row_read, .opaque = &reader };
	double worst = v->error[k], e;
	bool known = worst >= 0;
	uint32_t t;
	int ret;

	job_batch_fill(&v->a->bench->job, k, &v->batch);
	for (t = 0; t < j->n; t++) {
		float *part = out + t * table_floats(v);
		struct ppim_bags bags = table_bags(v, t, part);

		reader.table = t;
		ret = ppim_cpu_gnr(&j->table[t].shape, &rows, &bags, 0, NULL);
		if (!ret && !known)
			ret = ppim_ref_gnr(&j->table[t].shape, &rows, &bags,
					   v->ref, v->magnitude, NULL);
		if (ret)
			reference_die(v, t, ret);
		e = known ? worst : error_of_table(v, part);
		if (!(e <= worst))
			worst = e;
	}
	v->error[k] = worst;
}

static const float *reference_get(struct verify *v, uint64_t k)
{
	float *out = k < v->stored ? v->store + k * v->out_floats : v->scratch;

	if (k >= v->stored || v->error[k] < 0)
		reference_fill(v, k, out);
	return out;
}

static void mismatch_die(const struct verify *v, uint64_t k, uint32_t arch,
			 const float *out, const float *ref)
{
	const struct job *job = &v->a->bench->job;
	uint32_t dim = v->a->job.table[0].shape.dim;
	size_t vectors = v->out_floats / dim, wrong = 0, first = 0, i, e;

	for (i = vectors; i-- > 0;) {
		if (!memcmp(out + i * dim, ref + i * dim, dim * sizeof(*out)))
			continue;
		wrong++;
		first = i;
	}
	for (e = first * dim; !memcmp(&out[e], &ref[e], sizeof(*out));)
		e++;
	cli_die(CLI_FAILED,
		"mismatch: %s on %s, batch %llu: table %s, bag %zu: element %zu is %.9g, expected %.9g (%zu of %zu vectors differ)",
		job_algo_name(v->a->job.algo), job_arch_name(arch),
		(unsigned long long)k,
		v->a->job.table[first / job->n_bags].name, first % job->n_bags,
		e % dim, out[e], ref[e], wrong, vectors);
}

double verify_batch(struct verify *v, uint64_t k, uint32_t arch,
		    const float *out)
{
	const float *ref = reference_get(v, k);

	if (memcmp(out, ref, v->out_floats * sizeof(*out)))
		mismatch_die(v, k, arch, out, ref);
	if (!(v->error[k] <= MAX_RELATIVE_ERROR))
		cli_die(CLI_FAILED,
			"%s, batch %llu: relative error %.3g against fp64 is above %g",
			job_algo_name(v->a->job.algo), (unsigned long long)k,
			v->error[k], MAX_RELATIVE_ERROR);
	return v->error[k];
}
