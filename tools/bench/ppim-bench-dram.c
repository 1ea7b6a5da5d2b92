// SPDX-License-Identifier: MIT
/*
 * Speed of the DRAM model on one core: requests/s and commands/s per stream, by
 * the processor's time, with the ratio to a baseline that an earlier run left.
 * It also writes its streams as traces, for ppim-sim and other simulators.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"
#include "dram_stream.h"
#include "ppim-engine/dram.h"

enum {
	KEY_SPEC = 0x4000,
	KEY_REQUESTS,
	KEY_REPEAT,
	KEY_INJECT,
	KEY_SAVE,
	KEY_TRACE,
	KEY_MIX,
	KEY_SEED,
};

#define BATCH 4096
#define SPECS 8
#define CASES 256
#define NAME  96

struct options {
	const char *spec[SPECS];
	uint32_t n_specs;
	uint64_t requests, seed;
	uint32_t repeat, inject;
	bool save, mix;
	const char *trace;
};

/* A stream on a memory, and what was measured or once was. */
struct result {
	char name[NAME];
	double req_per_s;
	double cmd_per_s;
};

struct results {
	uint32_t n;
	struct result r[CASES];
};

static const struct argp_option options[] = {
	{ "spec", KEY_SPEC, "NAME|FILE", 0,
	  "memory to measure; may be repeated (default HBM2_4Gb_x128 and DDR4_8Gb_x8_3200)",
	  0 },
	{ "requests", KEY_REQUESTS, "N", 0,
	  "requests of a stream (default 500000)", 0 },
	{ "repeat", KEY_REPEAT, "N", 0,
	  "runs of a stream, the fastest of which counts (default 5)", 0 },
	{ "inject", KEY_INJECT, "N", 0,
	  "requests admitted per memory clock at most; 0, the default: as many as find room",
	  0 },
	{ "save", KEY_SAVE, NULL, 0, "makes this run the baseline", 0 },
	{ "trace", KEY_TRACE, "STREAM", 0,
	  "writes the stream as a trace to standard output instead", 0 },
	{ "mix", KEY_MIX, NULL, 0,
	  "with --trace: two reads to one write instead of reads alone", 0 },
	{ "seed", KEY_SEED, "N", 0, "of the streams (default 1)", 0 },
	{ 0 },
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_SPEC:
		if (o->n_specs == SPECS)
			cli_die(CLI_USAGE, "at most %d --spec", SPECS);
		o->spec[o->n_specs++] = arg;
		return 0;
	case KEY_REQUESTS:
		o->requests = cli_u64("requests", arg, 1, 1ull << 40);
		return 0;
	case KEY_REPEAT:
		o->repeat = (uint32_t)cli_u64("repeat", arg, 1, 1000);
		return 0;
	case KEY_INJECT:
		o->inject = (uint32_t)cli_u64("inject", arg, 0, UINT32_MAX - 1);
		return 0;
	case KEY_SAVE:
		o->save = true;
		return 0;
	case KEY_TRACE:
		o->trace = arg;
		return 0;
	case KEY_MIX:
		o->mix = true;
		return 0;
	case KEY_SEED:
		o->seed = cli_u64("seed", arg, 1, UINT32_MAX);
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = option,
	.doc = "Speed of the DRAM model on one core, per stream of requests.",
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void load_spec(const char *name, struct ppim_spec *spec)
{
	struct ppim_diag diag;

	if (ppim_spec_find(name, spec, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
}

/* ---- traces ------------------------------------------------------------- */

static void write_trace(const struct options *o)
{
	enum dram_stream_kind kind = dram_stream_find(o->trace);
	struct ppim_dram_req req;
	struct dram_stream s;
	struct ppim_spec spec;
	uint64_t i;

	if (kind == DRAM_STREAM_COUNT)
		cli_die(CLI_USAGE, "--trace: no stream is called '%s'",
			o->trace);
	load_spec(o->spec[0], &spec);
	dram_stream_init(&s, kind, o->mix, o->seed, &spec);
	for (i = 0; i < o->requests; i++) {
		dram_stream_next(&s, &req);
		printf("0x%" PRIx64 " %s %" PRIu64 "\n", req.addr,
		       req.write ? "WRITE" : "READ", (uint64_t)req.cycle);
	}
}

/* ---- the baseline --------------------------------------------------------- */

/* Below the build folder, beside this program's own folder. */
static void baseline_path(char *path, size_t size)
{
	const char *build = getenv("PPIM_BUILD");
	char exe[4096], *slash;
	ssize_t n;

	if (build) {
		snprintf(path, size, "%s/bench/ppim-bench-dram", build);
		return;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		cli_die(CLI_FAILED, "no place for a baseline");
	*slash = '\0';
	snprintf(path, size, "%s/../bench/ppim-bench-dram", exe);
}

static void baseline_read(const char *path, struct results *old)
{
	FILE *f = fopen(path, "r");

	old->n = 0;
	if (!f)
		return;
	while (old->n < CASES) {
		struct result *r = &old->r[old->n];

		if (fscanf(f, "%95s %lf", r->name, &r->req_per_s) != 2)
			break;
		old->n++;
	}
	fclose(f);
}

static double baseline_of(const struct results *old, const char *name)
{
	uint32_t i;

	for (i = 0; i < old->n; i++)
		if (!strcmp(old->r[i].name, name))
			return old->r[i].req_per_s;
	return 0;
}

static void make_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = strndup(path, (size_t)(slash - path));

	if (!folder || (mkdir(folder, 0777) && errno != EEXIST))
		cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
	free(folder);
}

static void baseline_write(const char *path, const struct results *now)
{
	uint32_t i;
	FILE *f;

	make_folder_of(path);
	f = fopen(path, "w");
	if (!f)
		cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
	for (i = 0; i < now->n; i++)
		fprintf(f, "%s %.0f\n", now->r[i].name, now->r[i].req_per_s);
	if (fclose(f))
		cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
	printf("saved as baseline: %s\n", path);
}

/* ---- measuring ------------------------------------------------------------ */

struct run {
	const struct options *o;
	const struct ppim_spec *spec;
	enum dram_stream_kind kind;
	bool writes;
};

static struct ppim_dram_req batch[BATCH];

static uint64_t commands_of(const struct ppim_dram *dram)
{
	struct ppim_dram_stats st;
	uint64_t sum = 0;
	uint32_t i;

	ppim_dram_stats(dram, &st);
	for (i = 0; i < PPIM_CMD_COUNT; i++)
		sum += st.cmds[i];
	return sum;
}

/* One run; the stream's own making is not counted. */
static void run_once(const struct run *run, struct result *best)
{
	uint64_t left = run->o->requests, i, n, commands;
	struct ppim_dram *dram;
	struct ppim_diag diag;
	struct dram_stream s;
	double seconds = 0;

	if (ppim_dram_create(run->spec, run->o->inject, &dram, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	dram_stream_init(&s, run->kind, run->writes, run->o->seed, run->spec);
	for (; left; left -= n) {
		n = left < BATCH ? left : BATCH;
		for (i = 0; i < n; i++)
			dram_stream_next(&s, &batch[i]);
		seconds -= seconds_now();
		ppim_dram_submit(dram, batch, n);
		seconds += seconds_now();
	}
	seconds -= seconds_now();
	ppim_dram_drain(dram);
	seconds += seconds_now();
	commands = commands_of(dram);
	ppim_dram_free(dram);
	if ((double)run->o->requests / seconds <= best->req_per_s)
		return;
	best->req_per_s = (double)run->o->requests / seconds;
	best->cmd_per_s = (double)commands / seconds;
}

static void print_ratio(double now, double then)
{
	if (then > 0)
		printf("%9.2fx\n", now / then);
	else
		printf("%10s\n", "-");
}

static void measure(const struct run *run, const struct results *old,
		    struct results *now)
{
	struct result *r = &now->r[now->n];
	uint32_t i;

	if (now->n == CASES)
		return;
	now->n++;
	snprintf(r->name, sizeof(r->name), "%s:%s:%s:%u", run->spec->name,
		 dram_stream_name(run->kind), run->writes ? "mix" : "reads",
		 run->o->inject);
	for (i = 0; i < run->o->repeat; i++)
		run_once(run, r);
	printf("%-18s %-11s %-6s %13.0f %13.0f", run->spec->name,
	       dram_stream_name(run->kind), run->writes ? "mix" : "reads",
	       r->req_per_s, r->cmd_per_s);
	print_ratio(r->req_per_s, baseline_of(old, r->name));
	fflush(stdout);
}

static void measure_spec(const struct options *o, const char *name,
			 const struct results *old, struct results *now)
{
	struct ppim_spec spec;
	struct run run = { .o = o, .spec = &spec };

	load_spec(name, &spec);
	for (run.kind = 0; run.kind < DRAM_STREAM_BENCHMARK; run.kind++) {
		run.writes = false;
		measure(&run, old, now);
		run.writes = true;
		measure(&run, old, now);
	}
}

static void print_means(const struct results *old, const struct results *now)
{
	double log_rate = 0, log_ratio = 0, least = INFINITY, then;
	uint32_t i, both = 0;

	for (i = 0; i < now->n; i++) {
		then = baseline_of(old, now->r[i].name);
		log_rate += log(now->r[i].req_per_s);
		least = fmin(least, now->r[i].req_per_s);
		if (then > 0) {
			log_ratio += log(now->r[i].req_per_s / then);
			both++;
		}
	}
	printf("%-37s %13.0f", "geometric mean", exp(log_rate / now->n));
	printf("%14s", "");
	print_ratio(both ? exp(log_ratio / both) : 0, both ? 1 : 0);
	printf("%-37s %13.0f\n", "least", least);
}

static void bench(const struct options *o)
{
	static struct results old, now;
	char path[8192];
	uint32_t i;

	baseline_path(path, sizeof(path));
	baseline_read(path, &old);
	printf("DRAM model, one core, %" PRIu64 " requests, inject %u\n",
	       o->requests, o->inject);
	printf("%-18s %-11s %-6s %13s %13s %10s\n", "memory", "stream", "",
	       "requests/s", "commands/s", "baseline");
	for (i = 0; i < o->n_specs; i++)
		measure_spec(o, o->spec[i], &old, &now);
	print_means(&old, &now);
	if (o->save || !old.n)
		baseline_write(path, &now);
}

int main(int argc, char **argv)
{
	struct options o = { .requests = 500000, .repeat = 5, .seed = 1 };

	cli_parse(&argp, argc, argv, &o);
	if (!o.n_specs) {
		o.spec[o.n_specs++] = "HBM2_4Gb_x128";
		o.spec[o.n_specs++] = "DDR4_8Gb_x8_3200";
	}
	if (o.trace)
		write_trace(&o);
	else
		bench(&o);
	if (fflush(stdout) || ferror(stdout))
		cli_die(CLI_FAILED, "standard output: %s", strerror(errno));
	return 0;
}
