/* SPDX-License-Identifier: MIT */
/*
 * What a run says: the same tables and the same JSON from a guest and from the
 * model without one. A report holds durations, counts and options; no date, no
 * host name and no figure of the host's clock, so equal runs print equal bytes.
 */
#ifndef PPIM_REPORT_H
#define PPIM_REPORT_H

#include <jansson.h>
#include <stdio.h>
#include "job.h"

/* One algorithm on one preset, over all batches. */
struct job_result {
	enum ppim_algo algo;
	uint32_t arch;
	uint64_t batches;
	struct ppim_annotation sum;	/* counters and times are sums */
	uint64_t bound_ps[PPIM_BOUND_COUNT];
	uint64_t vectors;	/* outputs compared with the reference; 0: none */
	double max_rel_err;	/* against fp64, of the sum of magnitudes */
	bool keep;		/* every batch's annotation */
	struct ppim_annotation *note;
};

void job_result_init(struct job_result *r, enum ppim_algo algo, uint32_t arch,
		     bool keep);
void job_result_free(struct job_result *r);
/* 0 or -ENOMEM */
int job_result_add(struct job_result *r, const struct ppim_annotation *a);
uint32_t job_result_bound(const struct job_result *r);
double job_result_ns_per_lookup(const struct job_result *r);

/* Where the plan put the tables of one algorithm. */
struct job_placement {
	struct ppim_plan_summary plan;
	uint64_t run_accesses;		/* main rows that the batches read */
	uint64_t run_accesses_hbm;	/* of these, in the HBM */
};

int job_placement_read(const struct job *job, const struct job_algo *a,
		       const struct ppim_plan *plan, struct job_placement *out);

void report_input(FILE *f, const struct job *job);
void report_algo(FILE *f, const struct job *job, const struct job_algo *a,
		 const struct job_placement *p);
/* A column per preset, in blocks of what fits side by side. */
void report_results(FILE *f, const struct job_result *r, uint32_t n);

json_t *report_json_input(const struct job *job);
json_t *report_json_placement(const struct job_algo *a,
			      const struct job_placement *p);
/* An array with an element per preset, "speedup_vs" among themselves. */
json_t *report_json_results(const struct job_result *r, uint32_t n);

#endif
