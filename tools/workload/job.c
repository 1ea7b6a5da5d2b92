// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "job.h"

/* Fewer samples than this say little about which rows are hot. */
#define PROFILE_SAMPLES_MIN 256
/* Indices of one table in one batch: offsets and counts are 32 bits wide. */
#define BATCH_INDICES_MAX (1u << 24)

static uint64_t samples_run(const struct job *job)
{
	return job->n_batches * job->n_bags;
}

uint64_t job_profile_samples(const struct job *job)
{
	uint64_t n = job->cfg.profile;

	if (!n)
		n = samples_run(job) > PROFILE_SAMPLES_MIN
			    ? samples_run(job)
			    : PROFILE_SAMPLES_MIN;
	return n < wl_source_samples(job->source)
		       ? n
		       : wl_source_samples(job->source);
}

static int job_size_check(struct job *job, struct wl_diag *diag)
{
	uint64_t n = (uint64_t)job->cfg.batch * job->cfg.pooling;

	if (job->cfg.lookups)
		n = job->cfg.lookups;
	if (n > BATCH_INDICES_MAX)
		return wl_fail(
			diag, -EINVAL,
			"%llu indices of a table in one batch are more than %u",
			(unsigned long long)n, BATCH_INDICES_MAX);
	job->n_indices = n;
	job->n_bags = (n + job->cfg.pooling - 1) / job->cfg.pooling;
	job->n_batches = job->cfg.samples;
	if (job->cfg.distinct && job->cfg.distinct < job->n_batches)
		job->n_batches = job->cfg.distinct;
	return 0;
}

static int job_source_open(struct job *job, struct wl_diag *diag)
{
	const struct job_config *c = &job->cfg;
	uint64_t run = samples_run(job), want = c->profile;
	struct wl_source_config cfg = {
		.tables = &job->tables,
		.seed = c->seed,
		.zipf = c->zipf,
		.expand = c->expand,
		.pooling = c->pooling,
		.criteo = c->criteo,
		.needed = run,
	};

	if (!want)
		want = PROFILE_SAMPLES_MIN;
	cfg.samples = want > run ? want : run;
	return wl_source_open(&cfg, &job->source, diag);
}

int job_open(const struct job_config *cfg, struct job *job,
	     struct wl_diag *diag)
{
	int ret;

	memset(job, 0, sizeof(*job));
	job->cfg = *cfg;
	ret = job_size_check(job, diag);
	if (!ret)
		ret = wl_tables_load(cfg->tables, &job->tables, diag);
	if (!ret)
		ret = job_source_open(job, diag);
	return ret;
}

void job_close(struct job *job)
{
	wl_source_close(job->source);
	job->source = NULL;
}

int job_batch_alloc(const struct job *job, struct job_batch *b)
{
	uint32_t i;

	b->indices = calloc((size_t)job->tables.n * job->n_indices,
			    sizeof(*b->indices));
	b->offsets = calloc(job->n_bags, sizeof(*b->offsets));
	if (!b->indices || !b->offsets) {
		job_batch_free(b);
		return -ENOMEM;
	}
	for (i = 0; i < job->n_bags; i++)
		b->offsets[i] = (int64_t)i * job->cfg.pooling;
	return 0;
}

void job_batch_free(struct job_batch *b)
{
	free(b->indices);
	free(b->offsets);
	memset(b, 0, sizeof(*b));
}

void job_table_fill(const struct job *job, uint64_t k, uint32_t t,
		    int64_t *indices)
{
	uint32_t bag, at, n;

	for (bag = 0; bag < job->n_bags; bag++) {
		at = bag * job->cfg.pooling;
		n = job->n_indices - at;
		if (n > job->cfg.pooling)
			n = job->cfg.pooling;
		wl_bag_fill(job->source, k * job->n_bags + bag, t, n,
			    indices + at);
	}
}

void job_batch_fill(const struct job *job, uint64_t k, struct job_batch *b)
{
	uint32_t t;

	for (t = 0; t < job->tables.n; t++)
		job_table_fill(job, k, t, job_batch_indices(job, b, t));
}

static int touched_add(const struct ppim_shape *shape, int64_t index,
		       struct job_touched *out)
{
	uint64_t row[PPIM_MAX_SUBTABLES];
	uint32_t s;
	int ret = 0;

	wl_split(shape, (uint64_t)index, row);
	for (s = 0; !ret && s < ppim_shape_subtables(shape); s++)
		ret = wl_counts_add(out->sub[s], row[s], 1);
	return ret;
}

static int touched_fill(const struct job *job, const struct ppim_shape *shape,
			uint32_t t, struct job_touched *out)
{
	int64_t *index = calloc(job->n_indices, sizeof(*index));
	int ret = index ? 0 : -ENOMEM;
	uint64_t k;
	uint32_t i;

	for (k = 0; !ret && k < job->n_batches; k++) {
		job_table_fill(job, k, t, index);
		for (i = 0; !ret && i < job->n_indices; i++)
			ret = touched_add(shape, index[i], out);
	}
	free(index);
	return ret;
}

int job_touched_read(const struct job *job, const struct ppim_shape *shape,
		     uint32_t t, struct job_touched *out)
{
	uint32_t s;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	for (s = 0; s < ppim_shape_subtables(shape); s++) {
		out->sub[s] = wl_counts_new();
		if (!out->sub[s])
			ret = -ENOMEM;
	}
	if (!ret)
		ret = touched_fill(job, shape, t, out);
	if (ret)
		job_touched_free(out);
	return ret;
}

void job_touched_free(struct job_touched *touched)
{
	uint32_t s;

	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		wl_counts_free(touched->sub[s]);
	memset(touched, 0, sizeof(*touched));
}

/* Whole bags, whatever the lookups of a batch. */
static int profile_fill(const struct job *job, uint32_t t,
			struct ppim_plan_profile *profile)
{
	uint64_t n = job_profile_samples(job), s;
	int64_t *bag = calloc(job->cfg.pooling, sizeof(*bag));
	int ret = bag ? 0 : -ENOMEM;

	for (s = 0; !ret && s < n; s++) {
		wl_bag_fill(job->source, s, t, job->cfg.pooling, bag);
		ret = ppim_plan_profile_add(profile, bag, job->cfg.pooling,
					    NULL);
	}
	free(bag);
	return ret;
}

static int algo_table_open(const struct job *job, struct job_algo *a,
			   uint32_t t, struct wl_diag *diag)
{
	struct ppim_plan_table *pt = &a->table[t];
	struct ppim_plan_profile *profile;
	int ret;

	ret = wl_shape_make(a->algo, job->tables.rows[t], &job->cfg.shape,
			    &pt->shape, diag);
	if (ret)
		return ret;
	wl_table_name(t, a->name[t], sizeof(a->name[t]));
	pt->name = a->name[t];
	ret = ppim_plan_profile_create(&pt->shape, &profile);
	if (ret)
		return wl_fail(diag, ret, "table %s: %s", pt->name,
			       strerror(-ret));
	pt->profile = profile;
	ret = profile_fill(job, t, profile);
	if (ret)
		return wl_fail(diag, ret, "table %s: profile: %s", pt->name,
			       strerror(-ret));
	return 0;
}

int job_algo_open(const struct job *job, enum ppim_algo algo,
		  struct job_algo *out, struct wl_diag *diag)
{
	uint32_t t;
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->algo = algo;
	out->n = job->tables.n;
	out->table = calloc(out->n, sizeof(*out->table));
	out->name = calloc(out->n, sizeof(*out->name));
	out->options.hot_ppm = job->cfg.hot_ppm;
	if (job->cfg.no_duplicate)
		out->options.duplicate = PPIM_PLAN_NO;
	if (job->cfg.no_prefetch || job->cfg.no_duplicate)
		out->options.prefetch = PPIM_PLAN_NO;
	if (!out->table || !out->name)
		ret = wl_fail(diag, -ENOMEM, "no memory for %u tables", out->n);
	for (t = 0; !ret && t < out->n; t++)
		ret = algo_table_open(job, out, t, diag);
	if (ret)
		job_algo_close(out);
	return ret;
}

void job_algo_close(struct job_algo *a)
{
	uint32_t t;

	for (t = 0; a->table && t < a->n; t++)
		ppim_plan_profile_free((void *)a->table[t].profile);
	free(a->table);
	free(a->name);
	memset(a, 0, sizeof(*a));
}

const char *job_algo_name(enum ppim_algo algo)
{
	return algo == PPIM_ALGO_TT   ? "tt"
	       : algo == PPIM_ALGO_QR ? "qr"
				      : "dense";
}

const char *job_arch_name(uint32_t arch)
{
#define NAME(value, text) [value] = text,
	static const char *const names[] = { PPIM_ARCH_NAMES(NAME) };
#undef NAME
	return arch < PPIM_ARCH_COUNT ? names[arch] : "?";
}

const char *job_bound_name(uint32_t bound)
{
#define NAME(value, text) [value] = text,
	static const char *const names[] = { PPIM_BOUND_NAMES(NAME) };
#undef NAME
	return bound < PPIM_BOUND_COUNT ? names[bound] : "?";
}
