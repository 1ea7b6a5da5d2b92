/* SPDX-License-Identifier: MIT */
/* ppim-sim gnr: what its files share. Errors end the program. */
#ifndef PPIM_SIM_GNR_H
#define PPIM_SIM_GNR_H

#include "job.h"
#include "ppim-engine/engine.h"
#include "report.h"
#include "sim_energy.h"

#define GNR_PARAMS_MAX 64
#define GNR_THREADS_MAX 256

struct gnr_config {
	struct job_config job;
	const char *spec, *dimm_spec;
	uint64_t hbm_bytes, dimm_bytes;
	const char *replay;
	const char *replay_dump, *trace_dump;
	bool perf;
	uint32_t threads;
	uint32_t n_params;
	char *param[GNR_PARAMS_MAX];
};

/* gnr_model.c: the memory */
struct gnr_model {
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config config;
	struct ppim_engine *engine;
	struct ppim_geometry geo;
	struct gnr_dump *dump;
};

void gnr_model_open(struct gnr_config *c, struct gnr_model *m);
/* From m->config alone. */
void gnr_model_start(struct gnr_model *m);
void gnr_model_close(struct gnr_model *m);

/* A preset's results: what ppim-bench has of them, and what it has not. */
struct gnr_result {
	struct job_result job;
	struct sim_energy energy;
	double seconds; /* --perf: that it took */
};

/* Checks a batch, charges it and adds its annotation. `names` may be NULL. */
void gnr_charge(const struct gnr_model *m, const struct ppim_batch *batch,
		uint64_t arrival_ps, const struct job_algo *names,
		struct gnr_result *result);

/* gnr_dump.c: what a device would dump of the same work; paths may be NULL */
void gnr_dump_open(const struct gnr_config *c, struct gnr_model *m);
void gnr_dump_batch(const struct gnr_model *m, const struct ppim_batch *batch,
		    uint64_t arrival_ps);
void gnr_dump_close(struct gnr_model *m);

/* gnr_tables.c: one algorithm's tables, as the engine sees them */
struct gnr_algo {
	const struct job *input;
	struct job_algo job;
	struct ppim_plan *plan;
	struct ppim_table_desc *table;
	struct ppim_extent **extents; /* [table][subtable] */
	struct job_placement placement;
};

void gnr_algo_open(const struct job *job, const struct gnr_model *m,
		   enum ppim_algo algo, uint64_t first_id, struct gnr_algo *a);
void gnr_algo_close(struct gnr_algo *a);

/* A batch with its input. */
struct gnr_batch {
	struct ppim_batch batch;
	struct ppim_job *jobs;
	struct job_batch input;
};

void gnr_batch_open(const struct gnr_algo *a, uint32_t arch,
		    struct gnr_batch *b);
void gnr_batch_close(struct gnr_batch *b);

/* gnr_replay.c */
void gnr_replay(const struct gnr_config *c, json_t *out);

/* gnr_perf.c: computes and charges all batches */
void gnr_perf(const struct gnr_model *m, const struct gnr_algo *a,
	      uint32_t threads, struct gnr_result *result);

/* sim_gnr.c: text, or elements for the array; PPIM_ARCH_COUNT at most */
void gnr_results_print(const struct gnr_model *m, const struct gnr_result *r,
		       uint32_t n, bool json, json_t *all);

#endif
