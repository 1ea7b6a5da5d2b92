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
#include "job.h"
#include "ppim-engine/engine.h"
#include "ppim-engine/replay.h"
#include "report.h"

/* As the device says in its registers ALIGN and MAX_EXTENTS. */
#define DEVICE_ALIGN	   64
#define DEVICE_MAX_EXTENTS 4096

#define PARAMS_MAX 64

struct sim_config {
	struct job_config job;
	const char *spec, *dimm_spec;
	uint64_t hbm_bytes, dimm_bytes;
	const char *replay;
	uint32_t n_params;
	char *param[PARAMS_MAX];
};

enum {
	KEY_SPEC = 0x3000,
	KEY_DIMM_SPEC,
	KEY_HBM,
	KEY_DIMM,
	KEY_PARAM,
	KEY_REPLAY,
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
	{ 0 },
};

static void param_add(struct sim_config *c, char *text)
{
	if (!strchr(text, '='))
		cli_die(CLI_USAGE, "--param: expected KEY=VALUE, got '%s'",
			text);
	if (c->n_params == PARAMS_MAX)
		cli_die(CLI_USAGE, "--param: more than %u", PARAMS_MAX);
	c->param[c->n_params++] = text;
}

/* The dump names its memory and its work: what contradicts it is refused. */
static void replay_check(const struct sim_config *c)
{
	if (c->replay && (c->spec || c->dimm_spec || c->hbm_bytes ||
			  c->dimm_bytes || c->n_params))
		cli_die(CLI_USAGE,
			"--replay: the dump says which memory it is: no --spec, --dimm-spec, --hbm, --dimm or --param");
}

static error_t sim_key(int key, char *arg, struct argp_state *state)
{
	struct sim_config *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->job;
		return cli_key(key, arg, state);
	case ARGP_KEY_END:
		replay_check(c);
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

/* ---- the memory ---- */

struct sim {
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config config;
	struct ppim_engine *engine;
	struct ppim_geometry geo;
};

static void spec_find(const char *name, struct ppim_spec *spec)
{
	struct ppim_diag diag;

	if (ppim_spec_find(name, spec, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
}

static void param_set(struct ppim_params *params, char *text)
{
	char *value = strchr(text, '=');
	struct ppim_diag diag;
	int ret;

	*value = '\0';
	ret = ppim_params_set(params, text, value + 1, &diag);
	*value = '=';
	if (ret)
		cli_die(CLI_USAGE, "--param %s: %s", text, diag.msg);
}

static void params_make(struct sim_config *c, struct sim *s)
{
	struct ppim_diag diag;
	uint32_t i;

	ppim_params_default(&s->config.params);
	if (ppim_params_apply(&s->config.params, &s->hbm, &diag) ||
	    ppim_params_apply(&s->config.params, &s->dimm, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	for (i = 0; i < c->n_params; i++)
		param_set(&s->config.params, c->param[i]);
}

/* A DIMM specification of one channel stands for each of dimm_channels. */
static uint64_t dimm_default_bytes(const struct sim *s)
{
	if (s->dimm.channels > 1)
		return s->dimm.bytes;
	return s->dimm.bytes * s->config.params.dimm_channels;
}

static void engine_make(struct sim *s)
{
	struct ppim_diag diag;

	if (ppim_engine_create(&s->config, &s->engine, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	ppim_engine_geometry(s->engine, &s->geo);
}

static void sim_open(struct sim_config *c, struct sim *s)
{
	memset(s, 0, sizeof(*s));
	spec_find(c->spec ? c->spec : "HBM2_4Gb_x128", &s->hbm);
	spec_find(c->dimm_spec ? c->dimm_spec : "DDR4_8Gb_x8_3200", &s->dimm);
	params_make(c, s);
	s->config.hbm = &s->hbm;
	s->config.dimm = &s->dimm;
	s->config.hbm_bytes = c->hbm_bytes ? c->hbm_bytes : s->hbm.bytes;
	s->config.dimm_bytes =
		c->dimm_bytes ? c->dimm_bytes : dimm_default_bytes(s);
	engine_make(s);
}

static void archs_check(const struct sim_config *c, const struct sim *s)
{
	uint32_t i, arch;

	for (i = 0; i < c->job.n_archs; i++) {
		arch = c->job.archs[i];
		if (arch == PPIM_ARCH_DEFAULT)
			cli_die(CLI_USAGE,
				"--arch: 'default' is a device's, name a preset");
		if (!(s->geo.archs & 1u << arch))
			cli_die(CLI_FAILED,
				"--arch: the model has no preset %s",
				job_arch_name(arch));
	}
}

/* ---- tables as the model sees them ---- */

struct sim_algo {
	struct job_algo job;
	struct ppim_plan *plan;
	struct ppim_table_desc *table;
	struct ppim_extent **extents; /* [table][subtable] */
	struct job_placement placement;
};

static void *checked(void *ptr)
{
	if (!ptr)
		cli_die(CLI_FAILED, "no memory");
	return ptr;
}

static struct ppim_extent *extents_copy(const struct ppim_plan_sub *sub)
{
	struct ppim_extent *out = checked(calloc(sub->n_extents, sizeof(*out)));
	uint32_t i;

	for (i = 0; i < sub->n_extents; i++)
		out[i] = (struct ppim_extent){
			.tier = sub->extents[i].tier,
			.slice = sub->extents[i].slice,
			.offset = sub->extents[i].offset,
			.rows = sub->extents[i].rows,
		};
	return out;
}

static void table_place(struct sim_algo *a, uint32_t t, uint64_t id)
{
	struct ppim_table_desc *desc = &a->table[t];
	uint32_t s;

	desc->id = id;
	desc->epoch = 1;
	desc->shape = a->job.table[t].shape;
	for (s = 0; s < ppim_shape_subtables(&desc->shape); s++) {
		const struct ppim_plan_sub *sub = ppim_plan_sub(a->plan, t, s);
		struct ppim_extent **x =
			&a->extents[t * PPIM_MAX_SUBTABLES + s];

		*x = extents_copy(sub);
		desc->sub[s] = (struct ppim_placed){
			.rows = sub->rows,
			.row_bytes = sub->row_bytes,
			.row_stride = sub->row_stride,
			.flags = sub->flags,
			.n_extents = sub->n_extents,
			.extents = *x,
			.map = sub->map,
			.map_bits = sub->map_bits,
		};
	}
}

static void algo_plan(const struct sim *s, struct sim_algo *a)
{
	struct ppim_plan_geometry geo = {
		.slices = s->geo.slices,
		.channels = s->geo.channels,
		.slice_bytes = s->geo.slice_bytes,
		.dimm_bytes = s->config.dimm_bytes,
		.sram_bytes = s->geo.sram_bytes,
		.align = DEVICE_ALIGN,
		.hbm_row_bytes = s->geo.row_bytes,
		.hot_ppm = s->geo.hot_ppm,
		.max_extents = DEVICE_MAX_EXTENTS,
	};
	struct ppim_plan_error err = { "" };
	int ret;

	ret = ppim_plan_create(&geo, a->job.table, a->job.n, &a->job.options,
			       NULL, &a->plan, &err);
	if (ret)
		cli_die(CLI_FAILED, "placement: %s",
			*err.msg ? err.msg : strerror(-ret));
}

/* Ids go on from one algorithm's tables to the next, as a device gives them. */
static void algo_open(const struct job *job, const struct sim *s,
		      enum ppim_algo algo, uint64_t first_id,
		      struct sim_algo *a)
{
	struct wl_diag diag;
	uint32_t t;
	int ret;

	memset(a, 0, sizeof(*a));
	ret = job_algo_open(job, algo, &a->job, &diag);
	if (ret)
		cli_die(ret == -EINVAL ? CLI_USAGE : CLI_FAILED, "%s",
			diag.msg);
	algo_plan(s, a);
	a->table = checked(calloc(a->job.n, sizeof(*a->table)));
	a->extents = checked(calloc((size_t)a->job.n * PPIM_MAX_SUBTABLES,
				    sizeof(struct ppim_extent *)));
	for (t = 0; t < a->job.n; t++)
		table_place(a, t, first_id + t);
	if (job_placement_read(job, &a->job, a->plan, &a->placement))
		cli_die(CLI_FAILED, "no memory for a batch of %u indices",
			job->n_indices);
}

static void algo_close(struct sim_algo *a)
{
	uint32_t i;

	for (i = 0; i < a->job.n * PPIM_MAX_SUBTABLES; i++)
		free(a->extents[i]);
	free(a->extents);
	free(a->table);
	ppim_plan_free(a->plan);
	job_algo_close(&a->job);
}

/* ---- batches ---- */

static const char *sub_name(const struct ppim_batch *batch,
			    const struct ppim_fault *f, uint64_t sub)
{
	static const char *const names[][PPIM_MAX_SUBTABLES] = {
		[PPIM_ALGO_DENSE] = { "W", "?", "?" },
		[PPIM_ALGO_QR] = { "Q", "R", "?" },
		[PPIM_ALGO_TT] = { "G1", "G2", "G3" },
	};
	uint8_t algo = batch->jobs[f->job].table->shape.algo;

	if (algo > PPIM_ALGO_TT || sub >= PPIM_MAX_SUBTABLES)
		return "?";
	return names[algo][sub];
}

static void fault_what(const struct ppim_batch *batch,
		       const struct ppim_fault *f, char *buf, size_t bytes)
{
	unsigned long long detail = f->detail;

	if (f->status == PPIM_ST_NO_COPY)
		snprintf(
			buf, bytes,
			"the preset needs a copy of %s in every bank group, the placement has none",
			sub_name(batch, f, detail));
	else if (f->status == PPIM_ST_NO_HINT)
		snprintf(
			buf, bytes,
			"the preset needs a prefetch hint for %s, the placement has none",
			sub_name(batch, f, detail));
	else if (f->status == PPIM_ST_BAD_INDEX)
		snprintf(buf, bytes, "bag %u: index %lld is outside the table",
			 f->bag, (long long)detail);
	else if (f->status == PPIM_ST_BAD_OFFSETS)
		snprintf(buf, bytes, "bag %u: its offset runs backwards",
			 f->bag);
	else if (f->status == PPIM_ST_BAD_PLACEMENT)
		snprintf(
			buf, bytes,
			"subtable %s, extent %llu: no valid place for its rows",
			sub_name(batch, f, detail >> 32), detail & UINT32_MAX);
	else
		snprintf(buf, bytes, "refused with status %u, detail %llu",
			 f->status, detail);
}

static void fault_text(const struct ppim_batch *batch,
		       const struct job_algo *names, const struct ppim_fault *f,
		       char *buf, size_t bytes)
{
	char what[192];

	fault_what(batch, f, what, sizeof(what));
	if (names)
		snprintf(buf, bytes, "table %s: %s", names->table[f->job].name,
			 what);
	else
		snprintf(buf, bytes, "table %u: %s", f->job, what);
}

static void batch_charge(const struct sim *s, const struct ppim_batch *batch,
			 uint64_t arrival_ps, const struct job_algo *names,
			 struct job_result *result)
{
	struct ppim_annotation note;
	struct ppim_fault fault = { 0 };
	char why[256];

	if (ppim_engine_check(s->engine, batch, &fault)) {
		fault_text(batch, names, &fault, why, sizeof(why));
		cli_die(CLI_FAILED, "%s, batch %llu: %s",
			job_arch_name(batch->arch),
			(unsigned long long)result->batches, why);
	}
	if (ppim_engine_charge(s->engine, batch, arrival_ps, &note))
		cli_die(CLI_FAILED, "no memory to charge a batch");
	if (job_result_add(result, &note))
		cli_die(CLI_FAILED, "no memory for annotations");
}

static void progress_show(const struct job *job, const struct job_result *r)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s on %s: %llu of %llu batches ",
		job_algo_name(r->algo), job_arch_name(r->arch),
		(unsigned long long)r->batches,
		(unsigned long long)job->cfg.samples);
	if (r->batches == job->cfg.samples)
		fputs("\r\033[K", stderr);
}

static void arch_run(const struct job *job, const struct sim *s,
		     const struct sim_algo *a, uint32_t arch,
		     struct job_result *result)
{
	struct ppim_job *jobs = checked(calloc(a->job.n, sizeof(*jobs)));
	struct ppim_batch batch = { .arch = arch,
				    .n_jobs = a->job.n,
				    .jobs = jobs };
	struct job_batch input;
	uint64_t k;
	uint32_t t;

	job_result_init(result, a->job.algo, arch, job->cfg.annotations);
	if (job_batch_alloc(job, &input))
		cli_die(CLI_FAILED, "no memory for a batch");
	for (t = 0; t < a->job.n; t++)
		jobs[t] = (struct ppim_job){
			.table = &a->table[t],
			.n_indices = job->n_indices,
			.n_bags = job->n_bags,
			.mode = PPIM_MODE_SUM,
			.indices = job_batch_indices(job, &input, t),
			.offsets = input.offsets,
		};
	for (k = 0; k < job->cfg.samples; k++) {
		job_batch_fill(job, k, &input);
		batch_charge(s, &batch, ppim_engine_now_ps(s->engine), &a->job,
			     result);
		progress_show(job, result);
	}
	job_batch_free(&input);
	free(jobs);
}

/* ---- reports ---- */

static void results_print(const struct job_result *r, uint32_t n, bool json,
			  json_t *all)
{
	json_t *part;

	if (!json) {
		report_results(stdout, r, n);
		return;
	}
	part = report_json_results(r, n);
	json_array_extend(all, part);
	json_decref(part);
}

static void algo_run(const struct job *job, const struct sim *s,
		     enum ppim_algo algo, uint64_t *id, json_t *all)
{
	struct job_result result[PPIM_ARCH_COUNT];
	struct sim_algo a;
	uint32_t i;

	algo_open(job, s, algo, *id, &a);
	*id += a.job.n;
	for (i = 0; i < job->cfg.n_archs; i++)
		arch_run(job, s, &a, job->cfg.archs[i], &result[i]);
	if (!job->cfg.json)
		report_algo(stdout, job, &a.job, &a.placement);
	results_print(result, job->cfg.n_archs, job->cfg.json, all);
	for (i = 0; i < job->cfg.n_archs; i++)
		job_result_free(&result[i]);
	algo_close(&a);
}

static void run(struct sim_config *c, json_t *all)
{
	struct wl_diag diag;
	struct job job;
	struct sim s;
	uint64_t id = 1;
	uint32_t algo;
	int ret;

	sim_open(c, &s);
	archs_check(c, &s);
	ret = job_open(&c->job, &job, &diag);
	if (ret)
		cli_die(ret == -ENOMEM ? CLI_FAILED : CLI_USAGE, "%s",
			diag.msg);
	if (!c->job.json) {
		report_input(stdout, &job);
		printf("memory     %s and %s\n", s.hbm.name, s.dimm.name);
	}
	for (algo = PPIM_ALGO_QR; algo <= PPIM_ALGO_TT; algo++)
		if (c->job.algos & 1u << algo)
			algo_run(&job, &s, algo, &id, all);
	job_close(&job);
	ppim_engine_free(s.engine);
}

/* ---- replay ---- */

/* Results by (algorithm, preset), in order of appearance. */
struct replay_results {
	struct job_result r[(PPIM_ALGO_TT + 1) * PPIM_ARCH_COUNT];
	uint32_t n;
};

static struct job_result *replay_result(struct replay_results *all,
					const struct ppim_batch *batch,
					bool annotations)
{
	enum ppim_algo algo = batch->jobs[0].table->shape.algo;
	uint32_t i;

	for (i = 0; i < all->n; i++)
		if (all->r[i].algo == algo && all->r[i].arch == batch->arch)
			return &all->r[i];
	job_result_init(&all->r[all->n], algo, batch->arch, annotations);
	return &all->r[all->n++];
}

static bool batch_is_named(const struct ppim_batch *batch)
{
	return batch->n_jobs && batch->arch < PPIM_ARCH_COUNT &&
	       batch->jobs[0].table->shape.algo <= PPIM_ALGO_TT;
}

static void replay_batches(struct ppim_replay *replay, const struct sim *s,
			   const struct sim_config *c,
			   struct replay_results *all)
{
	struct ppim_batch batch;
	struct ppim_diag diag;
	uint64_t arrival_ps;
	int ret;

	while ((ret = ppim_replay_next(replay, &batch, &arrival_ps, &diag)) >
	       0) {
		if (!batch_is_named(&batch))
			cli_die(CLI_USAGE,
				"%s: a batch without a table, preset or algorithm",
				c->replay);
		batch_charge(s, &batch, arrival_ps, NULL,
			     replay_result(all, &batch, c->job.annotations));
	}
	if (ret < 0)
		cli_die(CLI_USAGE, "%s", diag.msg);
}

/* One table of presets, one array, per algorithm. */
static void replay_report(struct replay_results *all, bool json, json_t *out)
{
	struct job_result part[PPIM_ARCH_COUNT];
	uint32_t algo, i, n;

	for (algo = PPIM_ALGO_DENSE; algo <= PPIM_ALGO_TT; algo++) {
		n = 0;
		for (i = 0; i < all->n; i++)
			if (all->r[i].algo == algo)
				part[n++] = all->r[i];
		if (!n)
			continue;
		if (!json)
			printf("%s, %llu batches of the first preset\n",
			       job_algo_name(algo),
			       (unsigned long long)part[0].batches);
		results_print(part, n, json, out);
	}
}

static void replay_run(const struct sim_config *c, json_t *out)
{
	struct replay_results all = { 0 };
	struct ppim_replay *replay;
	struct ppim_diag diag;
	struct sim s = { 0 };
	uint32_t i;

	if (ppim_replay_open(c->replay, &replay, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	s.config = *ppim_replay_config(replay);
	engine_make(&s);
	if (ppim_replay_start(replay, s.engine, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	replay_batches(replay, &s, c, &all);
	replay_report(&all, c->job.json, out);
	for (i = 0; i < all.n; i++)
		job_result_free(&all.r[i]);
	ppim_engine_free(s.engine);
	ppim_replay_close(replay);
}

int sim_gnr_main(int argc, char **argv);

int sim_gnr_main(int argc, char **argv)
{
	struct sim_config c = { 0 };
	json_t *all = json_array();

	cli_parse(&argp, argc, argv, &c);
	if (c.replay)
		replay_run(&c, all);
	else
		run(&c, all);
	if (c.job.json) {
		json_dumpf(all, stdout,
			   JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_decref(all);
	if (fflush(stdout) || ferror(stdout))
		cli_die(CLI_FAILED, "standard output: %s", strerror(errno));
	return 0;
}
