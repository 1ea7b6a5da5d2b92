// SPDX-License-Identifier: MIT
/*
 * ppim-sim dram: a trace of reads and writes on a memory and its reference
 * controller.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli.h"
#include "ppim-engine/dram.h"
#include "sim_dram.h"
#include "trace.h"

enum {
	KEY_SPEC = 0x4000,
	KEY_MAP,
	KEY_INJECT,
	KEY_JSON,
	KEY_LIST,
};

#define BATCH 4096
#define PROGRESS_BATCHES 256

struct dram_options {
	const char *spec, *map, *trace;
	uint32_t inject;
	bool json, list;
};

/* A run and what came of it. */
struct dram_run {
	const struct dram_options *o;
	struct ppim_spec spec;
	struct ppim_dram *dram;
	uint64_t requests;
	uint64_t beyond; /* addresses past the memory's end */
	double seconds; /* of simulation */
	struct ppim_dram_stats stats;
	struct ppim_energy energy;
};

static const struct argp_option options[] = {
	{ "spec", KEY_SPEC, "NAME|FILE", 0,
	  "the memory: a shipped specification or an ini file in DRAMsim3's syntax",
	  0 },
	{ "map", KEY_MAP, "MAP", 0,
	  "address map instead of the specification's, e.g. rorabgbachco", 0 },
	{ "inject", KEY_INJECT, "N", 0,
	  "requests admitted per memory clock at most; 0: as many as find room (default 1)",
	  0 },
	{ "json", KEY_JSON, NULL, 0, "one JSON object instead of a table", 0 },
	{ "list", KEY_LIST, NULL, 0, "list the shipped specifications, and exit",
	  0 },
	{ 0 },
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct dram_options *o = state->input;

	switch (key) {
	case KEY_SPEC:
		o->spec = arg;
		return 0;
	case KEY_MAP:
		o->map = arg;
		return 0;
	case KEY_INJECT:
		o->inject = (uint32_t)cli_u64("inject", arg, 0, UINT32_MAX - 1);
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->trace)
			return cli_key(key, arg, state);
		o->trace = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->list)
			return 0;
		if (!o->spec)
			cli_die(CLI_USAGE, "expected --spec NAME|FILE");
		if (!o->trace)
			cli_die(CLI_USAGE, "expected a trace (- is standard input)");
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = option,
	.args_doc = "TRACE",
	.doc = "Runs a trace of lines '0xADDR READ|WRITE CYCLE', plain or gzip'd; - is standard input.",
};

/* Of this thread: what else the machine does is not the model's speed. */
static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void list_specs(void)
{
	const char *name;
	size_t i;

	for (i = 0; (name = ppim_spec_builtin_name(i)); i++)
		puts(name);
}

static void run_open(struct dram_run *r)
{
	struct ppim_diag diag;

	if (ppim_spec_find(r->o->spec, &r->spec, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	if (r->o->map && ppim_spec_set_map(&r->spec, r->o->map, &diag))
		cli_die(CLI_USAGE, "--map: %s", diag.msg);
	if (ppim_dram_create(&r->spec, r->o->inject, &r->dram, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
}

static double run_rate(const struct dram_run *r)
{
	return r->seconds > 0 ? (double)r->requests / r->seconds : 0;
}

static void run_batch(struct dram_run *r, const struct ppim_dram_req *reqs,
		      size_t n)
{
	double start = seconds_now();
	size_t i;

	ppim_dram_submit(r->dram, reqs, n);
	r->seconds += seconds_now() - start;
	for (i = 0; i < n; i++)
		r->beyond += reqs[i].addr >= r->spec.bytes;
	r->requests += n;
}

static void run_trace(struct dram_run *r)
{
	static struct ppim_dram_req reqs[BATCH];
	struct trace *trace = trace_open(r->o->trace);
	uint64_t batches = 0;
	char why[512];
	double start;
	int64_t n;

	if (!trace)
		cli_die(CLI_USAGE, "%s: %s", r->o->trace, strerror(errno));
	while ((n = trace_read(trace, reqs, BATCH, why, sizeof(why))) > 0) {
		run_batch(r, reqs, (size_t)n);
		if (!(++batches % PROGRESS_BATCHES))
			cli_progress("%" PRIu64 " requests, %.1f million/s",
				     r->requests, run_rate(r) * 1e-6);
	}
	cli_progress(NULL);
	trace_close(trace);
	if (n < 0)
		cli_die(CLI_USAGE, "%s", why);
	start = seconds_now();
	ppim_dram_drain(r->dram);
	r->seconds += seconds_now() - start;
	ppim_dram_stats(r->dram, &r->stats);
	ppim_dram_energy(&r->spec, &r->stats, &r->energy);
}

/* ---- report ------------------------------------------------------------- */

static const char *const cmd_names[PPIM_CMD_COUNT] = {
	[PPIM_CMD_ACT] = "activate", [PPIM_CMD_PRE] = "precharge",
	[PPIM_CMD_RD] = "read",      [PPIM_CMD_WR] = "write",
	[PPIM_CMD_REF] = "refresh",  [PPIM_CMD_REFB] = "refresh_bank",
};

static const char *const note_kinds[] = {
	[PPIM_NOTE_IGNORED] = "ignored",
	[PPIM_NOTE_DEFAULTED] = "default",
	[PPIM_NOTE_ADJUSTED] = "adjusted",
};

static double run_latency(const struct dram_run *r)
{
	return r->stats.reads ? (double)r->stats.read_latency /
					(double)r->stats.reads :
				0;
}

static double run_bandwidth(const struct dram_run *r)
{
	double ns = ppim_spec_ns(&r->spec, r->stats.end);

	return ns > 0 ? (double)r->requests * r->spec.burst_bytes / ns : 0;
}

/* Nothing of the energy is known when a class that was used misses its
 * currents for lack of a voltage. */
static bool run_has_energy(const struct dram_run *r)
{
	return r->spec.power.vdd_present;
}

static void print_count(const char *name, uint64_t v)
{
	printf("%-22s %" PRIu64 "\n", name, v);
}

static void print_energy(const struct dram_run *r)
{
	const struct ppim_energy *e = &r->energy;
	uint32_t c;

	if (run_has_energy(r))
		printf("%-22s %.0f\n", "energy pJ", e->total_pj);
	for (c = 0; c < PPIM_ENERGY_CLASSES; c++) {
		if (e->missing >> c & 1)
			printf("  %-20s not known: the specification misses one of %s\n",
			       ppim_energy_class_name(c),
			       ppim_energy_class_needs(c));
		else if (e->pj[c] > 0)
			printf("  %-20s %.0f\n", ppim_energy_class_name(c),
			       e->pj[c]);
	}
}

static void print_notes(const struct dram_run *r)
{
	uint32_t i;

	for (i = 0; i < r->spec.n_notes; i++) {
		const struct ppim_note *n = &r->spec.notes[i];

		printf("%-8s %-14s %s\n", note_kinds[n->kind], n->key, n->text);
	}
}

static void print_run(const struct dram_run *r)
{
	const struct ppim_dram_stats *st = &r->stats;
	uint32_t i;

	printf("%-22s %s\n", "specification", r->spec.name);
	print_count("requests", r->requests);
	print_count("  reads", st->reads);
	print_count("  writes", st->writes);
	if (r->beyond)
		print_count("beyond the memory", r->beyond);
	print_count("cycles", st->end);
	printf("%-22s %.3f\n", "ns", ppim_spec_ns(&r->spec, st->end));
	printf("%-22s %.3f\n", "GB/s", run_bandwidth(r));
	printf("%-22s %.3f\n", "read latency, cycles", run_latency(r));
	print_count("row hits", st->row_hits);
	print_count("joined reads", st->joined_reads);
	print_count("forwarded reads", st->forwarded_reads);
	print_count("merged writes", st->merged_writes);
	printf("commands\n");
	for (i = 0; i < PPIM_CMD_COUNT; i++)
		printf("  %-20s %" PRIu64 "\n", cmd_names[i], st->cmds[i]);
	print_energy(r);
	printf("%-22s %.0f\n", "requests/s", run_rate(r));
	print_notes(r);
}

static void put_count(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void put_real(json_t *o, const char *key, double v)
{
	json_object_set_new(o, key, json_real(v));
}

static void put_energy(json_t *o, const struct dram_run *r)
{
	json_t *classes = json_object(), *missing = json_object();
	uint32_t c;

	for (c = 0; c < PPIM_ENERGY_CLASSES; c++) {
		const char *name = ppim_energy_class_name(c);

		if (r->energy.missing >> c & 1)
			json_object_set_new(
				missing, name,
				json_string(ppim_energy_class_needs(c)));
		else
			put_real(classes, name, r->energy.pj[c]);
	}
	json_object_set_new(o, "energy_pj",
			    run_has_energy(r) ?
				    json_real(r->energy.total_pj) :
				    json_null());
	json_object_set_new(o, "energy", classes);
	json_object_set_new(o, "energy_missing", missing);
}

static void put_notes(json_t *o, const struct dram_run *r)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < r->spec.n_notes; i++) {
		const struct ppim_note *n = &r->spec.notes[i];
		json_t *note = json_object();

		json_object_set_new(note, "kind",
				    json_string(note_kinds[n->kind]));
		json_object_set_new(note, "key", json_string(n->key));
		json_object_set_new(note, "text", json_string(n->text));
		json_array_append_new(list, note);
	}
	json_object_set_new(o, "notes", list);
}

static void print_run_json(const struct dram_run *r)
{
	const struct ppim_dram_stats *st = &r->stats;
	json_t *o = json_object(), *cmds = json_object();
	uint32_t i;

	json_object_set_new(o, "spec", json_string(r->spec.name));
	json_object_set_new(o, "map", json_string(r->spec.map.text));
	put_count(o, "inject", r->o->inject);
	put_count(o, "requests", r->requests);
	put_count(o, "reads", st->reads);
	put_count(o, "writes", st->writes);
	put_count(o, "beyond_memory", r->beyond);
	put_count(o, "cycles", st->end);
	put_real(o, "ns", ppim_spec_ns(&r->spec, st->end));
	put_real(o, "gb_per_s", run_bandwidth(r));
	put_real(o, "read_latency", run_latency(r));
	put_count(o, "row_hits", st->row_hits);
	put_count(o, "activations", st->cmds[PPIM_CMD_ACT]);
	put_count(o, "joined_reads", st->joined_reads);
	put_count(o, "forwarded_reads", st->forwarded_reads);
	put_count(o, "merged_writes", st->merged_writes);
	for (i = 0; i < PPIM_CMD_COUNT; i++)
		put_count(cmds, cmd_names[i], st->cmds[i]);
	json_object_set_new(o, "commands", cmds);
	put_count(o, "dual_commands", st->dual_cmds);
	put_energy(o, r);
	put_real(o, "req_per_s", run_rate(r));
	put_notes(o, r);
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(o);
}

int sim_dram_main(int argc, char **argv)
{
	struct dram_options o = { .inject = 1 };
	struct dram_run r = { .o = &o };

	cli_parse(&argp, argc, argv, &o);
	if (o.list) {
		list_specs();
	} else {
		run_open(&r);
		run_trace(&r);
		if (o.json)
			print_run_json(&r);
		else
			print_run(&r);
		ppim_dram_free(r.dram);
	}
	return 0;
}
