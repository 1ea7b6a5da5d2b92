/* SPDX-License-Identifier: MIT */
/*
 * The main job: what ppim-bench runs in a guest and what ppim-sim gnr runs
 * without one. Options, input, profile, plan and batches are made here, once,
 * so that the same options give the same figures in both.
 */
#ifndef PPIM_JOB_H
#define PPIM_JOB_H

#include <argp.h>
#include "plan.h"
#include "workload.h"

struct job_config {
	const char *tables;
	const char *criteo;
	struct wl_shape_config shape;
	uint32_t batch;		/* bags of each table in one batch */
	uint32_t pooling;
	uint32_t lookups;	/* of each table in one batch; 0: batch * pooling */
	uint64_t samples;	/* batches */
	uint64_t distinct;	/* of these; the others repeat them; 0: all */
	uint64_t profile;	/* samples; 0: by rule, see job_profile_samples() */
	uint64_t seed;
	double zipf;
	enum wl_expand expand;
	uint32_t algos;		/* bit per enum ppim_algo */
	uint32_t hot_ppm;	/* 0: the memory's ratio of bandwidths */
	bool no_duplicate, no_prefetch;
	uint32_t n_archs;
	uint8_t archs[PPIM_ARCH_COUNT];
	bool json;
	bool annotations;	/* of every batch, with json */
};

/* Options for struct job_config, as a child of a tool's own parser. The input
 * is set to its defaults when parsing begins. */
extern const struct argp job_argp;

/*
 * For measurements of speed: batches of 1024 lookups of every table on preset
 * proactive, `distinct` of which differ. What was given on the command line
 * stays. To be called when parsing ends (ARGP_KEY_END).
 */
void job_config_perf(struct job_config *cfg, uint32_t distinct);

struct job {
	struct job_config cfg;
	struct wl_tables tables;
	struct wl_source *source;
	uint32_t n_bags;	/* of each table in one batch */
	uint32_t n_indices;
	uint64_t n_batches;	/* that differ */
};

int job_open(const struct job_config *cfg, struct job *job,
	     struct wl_diag *diag);
void job_close(struct job *job);

/* Samples that the placement's profile is taken from: the first ones of the
 * input, the samples that run among them. */
uint64_t job_profile_samples(const struct job *job);

/* One batch's indices; the offsets are the same for all. */
struct job_batch {
	int64_t *indices;	/* [table][n_indices] */
	int64_t *offsets;	/* n_bags */
};

int job_batch_alloc(const struct job *job, struct job_batch *b);
void job_batch_free(struct job_batch *b);
/* n_indices of table t in batch k. */
void job_table_fill(const struct job *job, uint64_t k, uint32_t t,
		    int64_t *indices);
void job_batch_fill(const struct job *job, uint64_t k, struct job_batch *b);
static inline int64_t *job_batch_indices(const struct job *job,
					 const struct job_batch *b, uint32_t t)
{
	return b->indices + (size_t)t * job->n_indices;
}

/* Which rows of a table's subtables the batches refer to, and how often. */
struct job_touched {
	struct wl_counts *sub[PPIM_MAX_SUBTABLES];
};

int job_touched_read(const struct job *job, const struct ppim_shape *shape,
		     uint32_t t, struct job_touched *out);
void job_touched_free(struct job_touched *touched);

/* The tables of one algorithm, with what the planner wants to know. */
struct job_algo {
	enum ppim_algo algo;
	uint32_t n;
	struct ppim_plan_table *table;
	struct ppim_plan_options options;
	char (*name)[16];
};

int job_algo_open(const struct job *job, enum ppim_algo algo,
		  struct job_algo *out, struct wl_diag *diag);
void job_algo_close(struct job_algo *a);

const char *job_algo_name(enum ppim_algo algo);		/* "qr", "tt" */
const char *job_arch_name(uint32_t arch);
const char *job_bound_name(uint32_t bound);

#endif
