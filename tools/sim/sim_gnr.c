// SPDX-License-Identifier: MIT
/*
 * ppim-sim gnr: gather-and-reductions on the model, without a guest. Input,
 * profile, plan and report are ppim-bench's own (tools/workload); the engine is
 * the device's own. So the same options give a guest's figures, and a dump that
 * a device wrote gives that device's annotations.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "sim_gnr.h"

enum {
	KEY_SPEC = 0x3000,
	KEY_DIMM_SPEC,
	KEY_HBM,
	KEY_DIMM,
	KEY_PARAM,
	KEY_REPLAY,
	KEY_REPLAY_DUMP,
	KEY_TRACE_DUMP,
	KEY_PERF,
	KEY_THREADS,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Memory:", 5 },
	{ "spec", KEY_SPEC, "NAME|FILE", 0,
	  "HBM specification (default HBM2_4Gb_x128)", 5 },
	{ "dimm-spec", KEY_DIMM_SPEC, "NAME|FILE", 0,
	  "DIMM specification (default DDR4_8Gb_x8_3200)", 5 },
	{ "hbm", KEY_HBM, "SIZE", 0,
	  "bytes of the HBM, e.g. 4G (default: the specification's)", 5 },
	{ "dimm", KEY_DIMM, "SIZE", 0,
	  "bytes of the DIMM (default: the specification's)", 5 },
	{ "param", KEY_PARAM, "KEY=VALUE", 0,
	  "one parameter of PIM units, buses, links, caches or host; may be repeated",
	  5 },
	{ "replay", KEY_REPLAY, "FILE", 0,
	  "placements and batches that a device has dumped, instead of all input and table options; - is standard input",
	  5 },
	{ "replay-dump", KEY_REPLAY_DUMP, "FILE", 0,
	  "placements and batches go to FILE, as a device dumps them, for --replay",
	  5 },
	{ "trace-dump", KEY_TRACE_DUMP, "FILE", 0,
	  "DRAM and PIM commands go to FILE, as a device dumps them, for ppim-sim pim",
	  5 },
	{ NULL, 0, NULL, 0, "Speed:", 6 },
	{ "perf", KEY_PERF, NULL, 0,
	  "speed of the engine alone: the batches of ppim-bench --perf, computed and charged; --samples is 64 by default",
	  6 },
	{ "threads", KEY_THREADS, "N", 0,
	  "with --perf: threads that compute (default: one per CPU)", 6 },
	{ 0 },
};

static void param_add(struct gnr_config *c, char *text)
{
	if (!strchr(text, '='))
		cli_die(CLI_USAGE, "--param: expected KEY=VALUE, got '%s'",
			text);
	if (c->n_params == GNR_PARAMS_MAX)
		cli_die(CLI_USAGE, "--param: more than %u", GNR_PARAMS_MAX);
	c->param[c->n_params++] = text;
}

/* As many as ppim-bench has in flight by default. */
#define PERF_DISTINCT 16

static void perf_check(struct gnr_config *c)
{
	if (!c->perf && c->threads)
		cli_die(CLI_USAGE, "--threads is for --perf");
	if (!c->perf)
		return;
	if (c->replay)
		cli_die(CLI_USAGE,
			"--perf has batches of its own: no --replay");
	if (!c->threads)
		c->threads = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (c->threads > GNR_THREADS_MAX)
		c->threads = GNR_THREADS_MAX;
	job_config_perf(&c->job, PERF_DISTINCT);
}

/* The dump names its memory and its work: what contradicts it is refused. */
static void replay_check(const struct gnr_config *c)
{
	if (!c->replay)
		return;
	if (c->spec || c->dimm_spec || c->hbm_bytes || c->dimm_bytes ||
	    c->n_params)
		cli_die(CLI_USAGE,
			"--replay: the dump says which memory it is: no --spec, --dimm-spec, --hbm, --dimm or --param");
	if (c->replay_dump || c->trace_dump)
		cli_die(CLI_USAGE, "--replay is not dumped again");
}

static error_t sim_key(int key, char *arg, struct argp_state *state)
{
	struct gnr_config *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->job;
		return cli_key(key, arg, state);
	case ARGP_KEY_END:
		replay_check(c);
		perf_check(c);
		return 0;
	case KEY_SPEC:
		c->spec = arg;
		return 0;
	case KEY_DIMM_SPEC:
		c->dimm_spec = arg;
		return 0;
	case KEY_HBM:
		c->hbm_bytes = cli_size("hbm", arg);
		return 0;
	case KEY_DIMM:
		c->dimm_bytes = cli_size("dimm", arg);
		return 0;
	case KEY_PARAM:
		param_add(c, arg);
		return 0;
	case KEY_REPLAY:
		c->replay = arg;
		return 0;
	case KEY_REPLAY_DUMP:
		c->replay_dump = arg;
		return 0;
	case KEY_TRACE_DUMP:
		c->trace_dump = arg;
		return 0;
	case KEY_PERF:
		c->perf = true;
		return 0;
	case KEY_THREADS:
		c->threads = cli_u64("threads", arg, 1, GNR_THREADS_MAX);
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp_child children[] = { { &job_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = sim_key,
	.children = children,
	.doc = "Charges embedding-layer gather-and-reductions (GnR) on the memory and PIM model and compares architectures: ppim-bench without a guest, planned and placed in the same way."
	       "\vExit status: 0; 1 the work failed; 2 a wrong option or input.",
};

/* ---- the run ---- */

static void archs_check(const struct gnr_config *c, const struct gnr_model *m)
{
	uint32_t i, arch;

	for (i = 0; i < c->job.n_archs; i++) {
		arch = c->job.archs[i];
		if (arch == PPIM_ARCH_DEFAULT)
			cli_die(CLI_USAGE,
				"--arch: 'default' is a device's, name a preset");
		if (!(m->geo.archs & 1u << arch))
			cli_die(CLI_FAILED,
				"--arch: the model has no preset %s",
				job_arch_name(arch));
	}
}

static void arch_run(const struct job *job, const struct gnr_model *m,
		     const struct gnr_algo *a, struct gnr_result *result)
{
	struct gnr_batch b;
	uint64_t k;

	gnr_batch_open(a, result->job.arch, &b);
	for (k = 0; k < job->cfg.samples; k++) {
		job_batch_fill(job, k, &b.input);
		gnr_charge(m, &b.batch, ppim_engine_now_ps(m->engine), &a->job,
			   result);
		cli_progress("%s on %s: %llu of %llu batches",
			     job_algo_name(a->job.algo),
			     job_arch_name(result->job.arch),
			     (unsigned long long)result->job.batches,
			     (unsigned long long)job->cfg.samples);
	}
	cli_progress(NULL);
	gnr_batch_close(&b);
}

static double per_second(const struct gnr_result *r)
{
	return (double)r->job.sum.lookups / r->seconds;
}

static void results_text(const struct gnr_model *m, const struct gnr_result *r,
			 const struct job_result *jobs, uint32_t n)
{
	uint32_t i;

	report_results(stdout, jobs, n);
	sim_energy_print_missing(m->engine);
	for (i = 0; i < n; i++)
		if (r[i].seconds > 0)
			printf("  engine alone, %s: %.0f lookups/s (%llu in %.3f s)\n",
			       job_arch_name(jobs[i].arch), per_second(&r[i]),
			       (unsigned long long)jobs[i].sum.lookups,
			       r[i].seconds);
}

/* What ppim-bench cannot say of a preset. */
static void result_json(const struct gnr_model *m, const struct gnr_result *r,
			json_t *o)
{
	static const char *const energies[] = {
		"energy_pj", "activate_pj", "read_pj",
		"write_pj",  "refresh_pj",  "standby_pj",
	};
	json_t *notes = json_object_get(o, "annotations"), *note;
	size_t i, k;

	sim_energy_json(o, &r->energy, &m->config, m->engine);
	if (!sim_energy_known(&m->config))
		json_array_foreach(notes, i, note)
			for (k = 0; k < sizeof(energies) / sizeof(energies[0]);
			     k++)
				json_object_set_new(note, energies[k],
						    json_null());
	if (r->seconds > 0) {
		json_object_set_new(o, "seconds", json_real(r->seconds));
		json_object_set_new(o, "lookups_per_s",
				    json_real(per_second(r)));
	}
}

void gnr_results_print(const struct gnr_model *m, const struct gnr_result *r,
		       uint32_t n, bool json, json_t *all)
{
	struct job_result jobs[PPIM_ARCH_COUNT] = { 0 };
	json_t *part;
	uint32_t i;

	for (i = 0; i < n; i++)
		jobs[i] = r[i].job;
	if (!json) {
		results_text(m, r, jobs, n);
		return;
	}
	part = report_json_results(jobs, n);
	for (i = 0; i < n; i++)
		result_json(m, &r[i], json_array_get(part, i));
	json_array_extend(all, part);
	json_decref(part);
}

static void archs_run(const struct gnr_config *c, const struct gnr_model *m,
		      const struct gnr_algo *a, struct gnr_result *result)
{
	uint32_t i;

	for (i = 0; i < c->job.n_archs; i++) {
		job_result_init(&result[i].job, a->job.algo, c->job.archs[i],
				c->job.annotations);
		if (c->perf)
			gnr_perf(m, a, c->threads, &result[i]);
		else
			arch_run(a->input, m, a, &result[i]);
	}
}

static void algo_run(const struct gnr_config *c, const struct job *job,
		     const struct gnr_model *m, enum ppim_algo algo,
		     uint64_t *id, json_t *all)
{
	struct gnr_result result[PPIM_ARCH_COUNT] = { 0 };
	struct gnr_algo a;
	uint32_t i;

	gnr_algo_open(job, m, algo, *id, &a);
	*id += a.job.n;
	archs_run(c, m, &a, result);
	if (!job->cfg.json)
		report_algo(stdout, job, &a.job, &a.placement);
	gnr_results_print(m, result, c->job.n_archs, c->job.json, all);
	for (i = 0; i < c->job.n_archs; i++)
		job_result_free(&result[i].job);
	gnr_algo_close(&a);
}

static void run(struct gnr_config *c, json_t *all)
{
	struct wl_diag diag;
	struct job job;
	struct gnr_model m;
	uint64_t id = 1;
	uint32_t algo;
	int ret;

	gnr_model_open(c, &m);
	archs_check(c, &m);
	gnr_dump_open(c, &m);
	ret = job_open(&c->job, &job, &diag);
	if (ret)
		cli_die(ret == -ENOMEM ? CLI_FAILED : CLI_USAGE, "%s",
			diag.msg);
	if (!c->job.json) {
		report_input(stdout, &job);
		printf("memory     %s and %s\n", m.hbm.name, m.dimm.name);
	}
	for (algo = PPIM_ALGO_QR; algo <= PPIM_ALGO_TT; algo++)
		if (c->job.algos & 1u << algo)
			algo_run(c, &job, &m, algo, &id, all);
	job_close(&job);
	gnr_dump_close(&m);
	gnr_model_close(&m);
}

int sim_gnr_main(int argc, char **argv);

int sim_gnr_main(int argc, char **argv)
{
	struct gnr_config c = { 0 };
	json_t *all = json_array();

	cli_parse(&argp, argc, argv, &c);
	if (c.replay)
		gnr_replay(&c, all);
	else
		run(&c, all);
	if (c.job.json) {
		json_dumpf(all, stdout,
			   JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_decref(all);
	return 0;
}
