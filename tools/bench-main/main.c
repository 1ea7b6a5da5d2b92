// SPDX-License-Identifier: MIT
/*
 * ppim-bench: places the tables of a recommendation model on a ppim memory,
 * runs gather-and-reductions on the architectures to compare, checks every
 * vector against the CPU, and says what each cost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "cli.h"
#include "device.h"

enum {
	KEY_DEVICE = 0x2000,
	KEY_CPU_ONLY,
	KEY_FILL,
	KEY_VERIFY,
	KEY_NO_VERIFY,
	KEY_CORRUPT,
	KEY_DEPTH,
	KEY_QUEUE,
	KEY_URING,
	KEY_IOCTL,
	KEY_WALL,
	KEY_PERF,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Device and run:", 5 },
	{ "device", KEY_DEVICE, "PATH", 0, "(default /dev/ppim)", 5 },
	{ "cpu-only", KEY_CPU_ONLY, NULL, 0,
	  "no device: libppim's CPU path computes, without simulated times",
	  5 },
	{ "fill", KEY_FILL, "WHAT", 0,
	  "rows to upload: touched (those that the bags name) or all (default touched)",
	  5 },
	{ "verify", KEY_VERIFY, NULL, 0,
	  "compare every vector with the CPU (default, but not with --perf)",
	  5 },
	{ "no-verify", KEY_NO_VERIFY, NULL, 0, "do not", 5 },
	{ "corrupt", KEY_CORRUPT, NULL, 0,
	  "negative control: one element of one row in use is uploaded wrong",
	  5 },
	{ "queue-depth", KEY_DEPTH, "N", 0, "batches in flight (default 16)",
	  5 },
	{ "queue", KEY_QUEUE, "N", 0, "queue pair that they go to (default 0)",
	  5 },
	{ "uring", KEY_URING, NULL, 0,
	  "submit by io_uring, or fail (default: where it can be used)", 5 },
	{ "ioctl", KEY_IOCTL, NULL, 0, "submit by ioctl, one batch at a time",
	  5 },
	{ "wall", KEY_WALL, NULL, 0,
	  "also print lookups per second by the clock on the wall", 5 },
	{ "perf", KEY_PERF, NULL, 0,
	  "speed of the whole stack: batches of 1024 lookups per table on preset proactive, not verified, with --wall; --samples is 64 by default",
	  5 },
	{ 0 },
};

static void fill_parse(struct bench_config *c, const char *text)
{
	c->fill_all = !strcmp(text, "all");
	if (!c->fill_all && strcmp(text, "touched"))
		cli_die(CLI_USAGE, "--fill: expected touched or all, got '%s'",
			text);
}

static void submit_parse(struct bench_config *c, enum bench_submit submit)
{
	if (c->submit != BENCH_SUBMIT_AUTO && c->submit != submit)
		cli_die(CLI_USAGE, "--uring and --ioctl exclude each other");
	c->submit = submit;
}

static void verify_parse(struct bench_config *c, bool verify)
{
	c->verify = verify;
	c->verify_given = true;
}

#define PERF_LOOKUPS  1024
#define PERF_SAMPLES  64
#define DEPTH_DEFAULT 16

static void perf_defaults(struct bench_config *c)
{
	job_config_perf(&c->job, c->depth);
	c->wall = true;
	if (!c->verify_given)
		c->verify = false;
	if (c->verify)
		cli_die(CLI_USAGE, "--perf measures speed: --verify cannot be");
}

static void cpu_defaults(struct bench_config *c)
{
	if (c->device)
		cli_die(CLI_USAGE, "--cpu-only takes no --device");
	if (c->job.n_archs &&
	    (c->job.n_archs > 1 || c->job.archs[0] != PPIM_ARCH_CPU))
		cli_die(CLI_USAGE, "--cpu-only has no --arch but cpu");
	c->device = PPIM_DEV_CPU;
	c->job.archs[0] = PPIM_ARCH_CPU;
	c->job.n_archs = 1;
}

/* Before the job's own defaults are filled in. */
static void config_check(struct bench_config *c)
{
	if (!c->depth)
		c->depth = DEPTH_DEFAULT;
	if (c->cpu_only)
		cpu_defaults(c);
	if (c->perf)
		perf_defaults(c);
	if (c->corrupt && !c->verify)
		cli_die(CLI_USAGE, "--corrupt without --verify shows nothing");
}

static error_t bench_key(int key, char *arg, struct argp_state *state)
{
	struct bench_config *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->job;
		return cli_key(key, arg, state);
	case ARGP_KEY_END:
		config_check(c);
		return 0;
	case KEY_DEVICE:
		c->device = arg;
		return 0;
	case KEY_CPU_ONLY:
		c->cpu_only = true;
		return 0;
	case KEY_FILL:
		fill_parse(c, arg);
		return 0;
	case KEY_VERIFY:
	case KEY_NO_VERIFY:
		verify_parse(c, key == KEY_VERIFY);
		return 0;
	case KEY_CORRUPT:
		c->corrupt = true;
		return 0;
	case KEY_DEPTH:
		c->depth = cli_u64("queue-depth", arg, 1, 4096);
		return 0;
	case KEY_QUEUE:
		c->queue = cli_u64("queue", arg, 0, UINT32_MAX - 1);
		return 0;
	case KEY_URING:
		submit_parse(c, BENCH_SUBMIT_URING);
		return 0;
	case KEY_IOCTL:
		submit_parse(c, BENCH_SUBMIT_IOCTL);
		return 0;
	case KEY_WALL:
		c->wall = true;
		return 0;
	case KEY_PERF:
		c->perf = true;
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp_child children[] = { { &job_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = bench_key,
	.children = children,
	.doc = "Runs embedding-layer gather-and-reductions (GnR) on a ppim memory, checks every vector, and compares architectures."
	       "\vExit status: 0 all vectors are right; 1 a mismatch, no device, or an error of it; 2 a wrong option or input.",
};

/* ---- the run ---- */

static void bench_device_open(struct bench *b)
{
	int ret;

	b->dev = device_open(b->cfg.device);
	ret = ppim_info(b->dev, &b->info);
	if (ret)
		cli_die(CLI_FAILED, "info: %s", strerror(-ret));
}

static void archs_check(const struct bench *b)
{
	const struct job_config *c = &b->cfg.job;
	uint32_t have = b->info.dev.archs, i;
	char list[256];

	for (i = 0; i < c->n_archs; i++)
		if (c->archs[i] != PPIM_ARCH_DEFAULT &&
		    !(have & 1u << c->archs[i]))
			cli_die(CLI_FAILED,
				"--arch: the device has no preset %s, it has %s",
				job_arch_name(c->archs[i]),
				device_archs(have, list, sizeof(list)));
}

/* What the device cannot take is said before anything is placed. */
static void device_check(const struct bench *b)
{
	const struct ppim_ioc_info *dev = &b->info.dev;
	uint64_t indices = (uint64_t)b->job.tables.n * b->job.n_indices;

	if (b->cfg.submit == BENCH_SUBMIT_URING && !b->info.uring)
		cli_die(CLI_FAILED, "--uring: %s", b->info.uring_reason);
	if (b->cfg.queue && b->cfg.queue >= dev->queues)
		cli_die(CLI_USAGE, "--queue: the device has %u queue pairs",
			dev->queues);
	if (b->job.tables.n > dev->max_tables)
		cli_die(CLI_USAGE,
			"%u tables: the device takes %u in one batch",
			b->job.tables.n, dev->max_tables);
	if (indices > dev->max_indices)
		cli_die(CLI_USAGE,
			"%llu indices: the device takes %u in one batch",
			(unsigned long long)indices, dev->max_indices);
	archs_check(b);
}

struct output {
	json_t *placements;
	json_t *results;
	json_t *rates;
};

static void rates_print(const struct bench_algo *a,
			const struct bench_rate *rate, struct output *out)
{
	const struct job_config *c = &a->bench->cfg.job;
	uint32_t i;

	for (i = 0; i < c->n_archs; i++) {
		double per_s = (double)rate[i].lookups / rate[i].seconds;

		if (c->json)
			json_array_append_new(
				out->rates,
				json_pack("{s:s,s:s,s:I,s:f,s:f}", "algo",
					  job_algo_name(a->job.algo), "arch",
					  job_arch_name(c->archs[i]), "lookups",
					  (json_int_t)rate[i].lookups,
					  "seconds", rate[i].seconds,
					  "lookups_per_s", per_s));
		else
			printf("  wall clock, %s: %.0f lookups/s (%llu in %.3f s)\n",
			       job_arch_name(c->archs[i]), per_s,
			       (unsigned long long)rate[i].lookups,
			       rate[i].seconds);
	}
}

static void algo_report(const struct bench_algo *a,
			const struct job_result *result,
			const struct bench_rate *rate, struct output *out)
{
	const struct bench *b = a->bench;
	uint32_t n = b->cfg.job.n_archs;
	json_t *results;

	if (b->cfg.job.json) {
		results = report_json_results(result, n);
		json_array_extend(out->results, results);
		json_decref(results);
		json_array_append_new(
			out->placements,
			report_json_placement(&a->job, &a->placement));
	} else {
		report_algo(stdout, &b->job, &a->job, &a->placement);
		report_results(stdout, result, n);
	}
	if (b->cfg.wall)
		rates_print(a, rate, out);
}

static void algo_run(struct bench *b, enum ppim_algo algo, struct output *out)
{
	struct job_result result[PPIM_ARCH_COUNT];
	struct bench_rate rate[PPIM_ARCH_COUNT];
	struct bench_algo a;
	uint32_t i;

	bench_algo_open(b, algo, &a);
	bench_upload(&a);
	if (b->cfg.corrupt)
		bench_corrupt(&a);
	for (i = 0; i < b->cfg.job.n_archs; i++)
		bench_run(&a, b->cfg.job.archs[i], &result[i], &rate[i]);
	algo_report(&a, result, rate, out);
	for (i = 0; i < b->cfg.job.n_archs; i++)
		job_result_free(&result[i]);
	bench_algo_close(&a);
}

static void run_describe(const struct bench *b)
{
	report_input(stdout, &b->job);
	printf("values     splitmix64 of seed, table, subtable, row, column\n");
	printf("           uploaded: %s\n",
	       b->cfg.fill_all ? "all rows" : "the rows that the bags name");
	printf("checked    %s\n",
	       b->cfg.verify
		       ? "every vector: bit for bit against the CPU path, within 1e-5 of fp64"
		       : "nothing (--no-verify)");
}

static void json_finish(const struct bench *b, struct output *out)
{
	json_t *o = json_object();

	json_object_set_new(o, "input", report_json_input(&b->job));
	json_object_set_new(o, "verified", json_boolean(b->cfg.verify));
	json_object_set_new(o, "fill",
			    json_string(b->cfg.fill_all ? "all" : "touched"));
	json_object_set(o, "placements", out->placements);
	json_object_set(o, "results", out->results);
	if (b->cfg.wall)
		json_object_set(o, "wall", out->rates);
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(o);
}

int main(int argc, char **argv)
{
	struct bench b = { .cfg.verify = true };
	struct output out = { json_array(), json_array(), json_array() };
	struct wl_diag diag;
	uint32_t algo;
	int ret;

	cli_parse(&argp, argc, argv, &b.cfg);
	ret = job_open(&b.cfg.job, &b.job, &diag);
	if (ret)
		cli_die(ret == -ENOMEM ? CLI_FAILED : CLI_USAGE, "%s",
			diag.msg);
	bench_device_open(&b);
	device_check(&b);
	if (!b.cfg.job.json)
		run_describe(&b);
	for (algo = PPIM_ALGO_QR; algo <= PPIM_ALGO_TT; algo++)
		if (b.cfg.job.algos & 1u << algo)
			algo_run(&b, algo, &out);
	if (b.cfg.job.json)
		json_finish(&b, &out);
	json_decref(out.placements);
	json_decref(out.results);
	json_decref(out.rates);
	job_close(&b.job);
	ppim_close(b.dev);
	if (fflush(stdout) || ferror(stdout))
		cli_die(CLI_FAILED, "standard output: %s", strerror(errno));
	return 0;
}
