/* SPDX-License-Identifier: MIT */
/* ppim-bench: the main job on a device. */
#ifndef PPIM_BENCH_H
#define PPIM_BENCH_H

#include <ppim.h>
#include "job.h"
#include "report.h"

enum bench_submit { BENCH_SUBMIT_AUTO, BENCH_SUBMIT_URING, BENCH_SUBMIT_IOCTL };

struct bench_config {
	struct job_config job;
	const char *device;
	enum bench_submit submit;
	uint32_t depth;		/* batches in flight */
	uint32_t queue;		/* queue pair */
	bool cpu_only;
	bool fill_all;
	bool verify, verify_given;
	bool corrupt;
	bool wall;
	bool perf;
};

struct bench {
	struct bench_config cfg;
	struct job job;
	struct ppim_dev *dev;
	struct ppim_info info;
};

/* One algorithm's tables on the device. */
struct bench_algo {
	struct bench *bench;
	struct job_algo job;
	struct ppim_tbl **tbl;
	struct ppim_plan *plan;
	struct job_placement placement;
	struct verify *verify;	/* NULL: not wanted */
};

/* tables.c: all of these end the program on an error */
void bench_algo_open(struct bench *b, enum ppim_algo algo,
		     struct bench_algo *a);
void bench_algo_close(struct bench_algo *a);
void bench_upload(struct bench_algo *a);
/* Negative control: flips the sign of one element that batch 0 uses. */
void bench_corrupt(struct bench_algo *a);

/* verify.c: answers against the CPU path, bit for bit, and against fp64 */
struct verify *verify_open(const struct bench_algo *a);
void verify_close(struct verify *v);
/* `out`: [table][bag][dim] of batch k. Ends the program on a mismatch. Returns
 * the largest relative error. */
double verify_batch(struct verify *v, uint64_t k, uint32_t arch,
		    const float *out);

/* run.c */
struct bench_rate {
	uint64_t lookups;
	double seconds;		/* of the host's clock */
};
void bench_run(struct bench_algo *a, uint32_t arch, struct job_result *result,
	       struct bench_rate *rate);

static inline size_t bench_out_floats(const struct bench_algo *a)
{
	return (size_t)a->job.n * a->bench->job.n_bags *
	       a->job.table[0].shape.dim;
}

#endif
