// SPDX-License-Identifier: MIT
/* Batches and copies that a device has dumped, charged again. */
#include <stdio.h>
#include "cli.h"
#include "ppim-engine/replay.h"
#include "sim_gnr.h"

/* Results by (algorithm, preset), in order of appearance. */
struct replay_results {
	struct gnr_result r[(PPIM_ALGO_TT + 1) * PPIM_ARCH_COUNT];
	uint32_t n;
};

static struct gnr_result *replay_result(struct replay_results *all,
					const struct ppim_batch *batch,
					bool annotations)
{
	enum ppim_algo algo = batch->jobs[0].table->shape.algo;
	uint32_t i;

	for (i = 0; i < all->n; i++)
		if (all->r[i].job.algo == algo &&
		    all->r[i].job.arch == batch->arch)
			return &all->r[i];
	job_result_init(&all->r[all->n].job, algo, batch->arch, annotations);
	return &all->r[all->n++];
}

static bool batch_is_named(const struct ppim_batch *batch)
{
	return batch->n_jobs && batch->arch < PPIM_ARCH_COUNT &&
	       batch->jobs[0].table->shape.algo <= PPIM_ALGO_TT;
}

static void replay_batch(const struct ppim_replay_record *r,
			 const struct gnr_model *m, const struct gnr_config *c,
			 struct replay_results *all)
{
	if (!batch_is_named(&r->batch))
		cli_die(CLI_USAGE,
			"%s: a batch without a table, preset or algorithm",
			c->replay);
	gnr_charge(m, &r->batch, r->arrival_ps, NULL,
		   replay_result(all, &r->batch, c->job.annotations));
}

/* It takes its time from the batches; what it costs is no result here. */
static void replay_copy(const struct ppim_replay_record *r,
			const struct gnr_model *m)
{
	const struct ppim_replay_copy *copy = &r->copy;
	struct ppim_annotation note;

	ppim_engine_copy(m->engine, copy->tier, copy->addr, copy->bytes,
			 copy->write, r->arrival_ps, copy->queue, &note);
}

static void replay_records(struct ppim_replay *replay,
			   const struct gnr_model *m,
			   const struct gnr_config *c,
			   struct replay_results *all)
{
	struct ppim_replay_record r;
	struct ppim_diag diag;
	uint64_t n = 0;
	int ret;

	while ((ret = ppim_replay_next(replay, &r, &diag)) > 0) {
		if (r.kind == PPIM_REPLAY_COPY)
			replay_copy(&r, m);
		else
			replay_batch(&r, m, c, all);
		cli_progress("%llu batches and copies",
			     (unsigned long long)++n);
	}
	cli_progress(NULL);
	if (ret < 0)
		cli_die(CLI_USAGE, "%s", diag.msg);
}

/* One table of presets, one array, per algorithm. */
static void replay_report(const struct gnr_model *m, struct replay_results *all,
			  bool json, json_t *out)
{
	struct gnr_result part[PPIM_ARCH_COUNT];
	uint32_t algo, i, n;

	for (algo = PPIM_ALGO_DENSE; algo <= PPIM_ALGO_TT; algo++) {
		n = 0;
		for (i = 0; i < all->n; i++)
			if (all->r[i].job.algo == algo)
				part[n++] = all->r[i];
		if (!n)
			continue;
		if (!json)
			printf("%s, %llu batches of the first preset\n",
			       job_algo_name(algo),
			       (unsigned long long)part[0].job.batches);
		gnr_results_print(m, part, n, json, out);
	}
}

void gnr_replay(const struct gnr_config *c, json_t *out)
{
	struct replay_results all = { 0 };
	struct ppim_replay *replay;
	struct ppim_diag diag;
	struct gnr_model m = { 0 };
	uint32_t i;

	if (ppim_replay_open(c->replay, &replay, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	m.config = *ppim_replay_config(replay);
	gnr_model_start(&m);
	if (ppim_replay_start(replay, m.engine, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	replay_records(replay, &m, c, &all);
	replay_report(&m, &all, c->job.json, out);
	for (i = 0; i < all.n; i++)
		job_result_free(&all.r[i].job);
	gnr_model_close(&m);
	ppim_replay_close(replay);
}
