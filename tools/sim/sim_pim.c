// SPDX-License-Identifier: MIT
/*
 * ppim-sim pim: commands for the PIM units, as text, on the engine's executor.
 * A trace that a device or ppim-sim gnr wrote runs to the same cycles; one that
 * was written by hand says what a sequence of commands costs.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include "cli.h"
#include "ppim-engine/pim.h"
#include "sim_energy.h"
#include "sim_pim.h"

enum {
	KEY_SPEC = 0x4000,
	KEY_DIMM_SPEC,
	KEY_HBM,
	KEY_DIMM,
	KEY_PARAM,
	KEY_ARCH,
	KEY_MAP,
	KEY_JSON,
	KEY_BATCHES,
	KEY_PARAMS,
};

#define PARAMS_MAX     64
#define LINE_BYTES     1024
#define PROGRESS_LINES (1u << 20)

struct pim_config {
	const char *spec, *dimm_spec, *arch, *map, *trace;
	uint64_t hbm_bytes, dimm_bytes;
	bool json, batches, list;
	uint32_t n_params;
	char *param[PARAMS_MAX];
};

static const struct argp_option options[] = {
	{ "spec", KEY_SPEC, "NAME|FILE", 0,
	  "HBM specification (default HBM2_4Gb_x128)", 0 },
	{ "dimm-spec", KEY_DIMM_SPEC, "NAME|FILE", 0,
	  "DIMM specification (default DDR4_8Gb_x8_3200)", 0 },
	{ "hbm", KEY_HBM, "SIZE", 0,
	  "bytes of the HBM, e.g. 4G (default: the specification's)", 0 },
	{ "dimm", KEY_DIMM, "SIZE", 0,
	  "bytes of the DIMM (default: the specification's)", 0 },
	{ "arch", KEY_ARCH, "PRESET", 0,
	  "architecture preset whose units run the commands (default proactive)",
	  0 },
	{ "param", KEY_PARAM, "KEY=VALUE", 0,
	  "one parameter of PIM units, buses, links, caches or host; may be repeated",
	  0 },
	{ "params", KEY_PARAMS, NULL, 0,
	  "list all parameters with value, unit, range and source, and exit",
	  0 },
	{ "map", KEY_MAP, "MAP", 0,
	  "HBM addresses are interleaved by this map, e.g. rarobacobgch (default: bank group by bank group)",
	  0 },
	{ "batches", KEY_BATCHES, NULL, 0,
	  "one line or element for each batch ('@ ns queue') as well", 0 },
	{ "json", KEY_JSON, NULL, 0, "one JSON object instead of a table", 0 },
	{ 0 },
};

static void param_add(struct pim_config *c, char *text)
{
	if (!strchr(text, '='))
		cli_die(CLI_USAGE, "--param: expected KEY=VALUE, got '%s'",
			text);
	if (c->n_params == PARAMS_MAX)
		cli_die(CLI_USAGE, "--param: more than %u", PARAMS_MAX);
	c->param[c->n_params++] = text;
}

static error_t pim_key(int key, char *arg, struct argp_state *state)
{
	struct pim_config *c = state->input;

	switch (key) {
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
	case KEY_ARCH:
		c->arch = arg;
		return 0;
	case KEY_MAP:
		c->map = arg;
		return 0;
	case KEY_PARAM:
		param_add(c, arg);
		return 0;
	case KEY_PARAMS:
		c->list = true;
		return 0;
	case KEY_BATCHES:
		c->batches = true;
		return 0;
	case KEY_JSON:
		c->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (c->trace)
			cli_die(CLI_USAGE, "one file of commands, not two: %s",
				arg);
		c->trace = arg;
		return 0;
	case ARGP_KEY_END:
		if (!c->trace && !c->list)
			cli_die(CLI_USAGE,
				"expected a file of commands, - is standard input");
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = pim_key,
	.args_doc = "COMMANDS",
	.doc = "Runs PIM commands on the memory and PIM model: lines 'HBM|DIMM CMD byte-address bursts' with CMD one of RD, PR, TR, DR; a blank line ends a phase; '@ ns queue [preset]' begins a batch that arrives then."
	       "\vExit status: 0; 1 the work failed; 2 a wrong option or input.",
};

/* ---- model -------------------------------------------------------------- */

struct pim_sim {
	struct pim_config *c;
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config config;
	struct ppim_engine *engine;
	struct ppim_geometry geo;
	uint32_t arch;

	/* the trace */
	const char *name;
	uint64_t line;
	bool open; /* a batch has begun */
	bool in_phase; /* and has commands since the last blank line */
	uint32_t queue;

	/* results */
	struct ppim_annotation sum;
	struct sim_energy energy;
	uint64_t n_batches, n_commands, n_phases;
	uint64_t bound[PPIM_BOUND_COUNT]; /* cycles of batches that it bound */
	double seconds;
	json_t *list;
};

static void sim_spec(const char *name, struct ppim_spec *spec)
{
	struct ppim_diag diag;

	if (ppim_spec_find(name, spec, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
}

static void sim_params(struct pim_sim *s)
{
	struct ppim_params *p = &s->config.params;
	struct ppim_diag diag;
	char *value;
	uint32_t i;

	ppim_params_default(p);
	if (ppim_params_apply(p, &s->hbm, &diag) ||
	    ppim_params_apply(p, &s->dimm, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	for (i = 0; i < s->c->n_params; i++) {
		value = strchr(s->c->param[i], '=');
		*value++ = '\0';
		if (ppim_params_set(p, s->c->param[i], value, &diag))
			cli_die(CLI_USAGE, "--param: %s", diag.msg);
	}
}

static void sim_arch(struct pim_sim *s)
{
	const char *name = s->c->arch ? s->c->arch : "proactive";
	int arch = ppim_engine_arch_find(name);

	if (arch <= 0)
		cli_die(CLI_USAGE, "--arch: no preset is called '%s'", name);
	if (!(s->geo.archs & 1u << arch))
		cli_die(CLI_FAILED, "--arch: the model has no preset %s", name);
	s->arch = (uint32_t)arch;
}

/* A map's fields are as wide as the specification's memory is large. */
static void sim_map(struct pim_sim *s)
{
	struct ppim_diag diag;

	if (!s->c->map)
		return;
	if (s->config.hbm_bytes != s->hbm.bytes)
		cli_die(CLI_USAGE,
			"--map: maps the %" PRIu64
			" bytes of %s, no --hbm of another size",
			s->hbm.bytes, s->hbm.name);
	if (ppim_spec_set_map(&s->hbm, s->c->map, &diag))
		cli_die(CLI_USAGE, "--map: %s", diag.msg);
}

static void sim_open(struct pim_sim *s, struct pim_config *c)
{
	struct ppim_diag diag;
	uint64_t modules;

	s->c = c;
	sim_spec(c->spec ? c->spec : "HBM2_4Gb_x128", &s->hbm);
	sim_spec(c->dimm_spec ? c->dimm_spec : "DDR4_8Gb_x8_3200", &s->dimm);
	sim_params(s);
	modules = s->dimm.channels > 1 ? 1 : s->config.params.dimm_channels;
	s->config.hbm = &s->hbm;
	s->config.dimm = &s->dimm;
	s->config.hbm_bytes = c->hbm_bytes ? c->hbm_bytes : s->hbm.bytes;
	s->config.dimm_bytes =
		c->dimm_bytes ? c->dimm_bytes : s->dimm.bytes * modules;
	if (ppim_engine_create(&s->config, &s->engine, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	ppim_engine_geometry(s->engine, &s->geo);
	sim_arch(s);
	sim_map(s);
	if (c->batches && c->json)
		s->list = json_array();
}

/* ---- trace -------------------------------------------------------------- */

static void sim_bad_line(const struct pim_sim *s, const char *why)
{
	cli_die(CLI_USAGE, "%s:%" PRIu64 ": %s", s->name, s->line, why);
}

/* An interleaved address to the place that it means: {slice, offset}. */
static uint64_t sim_unmap(const struct pim_sim *s, uint64_t addr)
{
	struct ppim_loc loc;
	uint64_t slice, offset;

	if (addr >= s->hbm.bytes)
		return addr; /* the engine refuses it by name */
	ppim_addr_decode(&s->hbm.map, addr, &loc);
	slice = ((uint64_t)loc.f[PPIM_CH] * s->hbm.ranks + loc.f[PPIM_RA]) *
			s->hbm.bankgroups +
		loc.f[PPIM_BG];
	offset = ((uint64_t)loc.f[PPIM_RO] * s->hbm.banks_per_group +
		  loc.f[PPIM_BA]) *
			 s->hbm.row_bytes +
		 (uint64_t)loc.f[PPIM_CO] * s->hbm.burst_bytes;
	return slice * s->geo.slice_bytes + offset;
}

static void sum_times(struct pim_sim *s, const struct ppim_annotation *a)
{
	if (!s->n_batches || a->start_ps < s->sum.start_ps)
		s->sum.start_ps = a->start_ps;
	if (a->end_ps > s->sum.end_ps)
		s->sum.end_ps = a->end_ps;
	s->bound[a->bound_by] += a->cycles;
}

static void sum_counts(struct ppim_annotation *sum,
		       const struct ppim_annotation *a)
{
	sum->reads_hbm += a->reads_hbm;
	sum->reads_dimm += a->reads_dimm;
	sum->activations_hbm += a->activations_hbm;
	sum->activations_dimm += a->activations_dimm;
	sum->row_hits_hbm += a->row_hits_hbm;
	sum->row_hits_dimm += a->row_hits_dimm;
	sum->prefetches += a->prefetches;
	sum->moves += a->moves;
	sum->transfers += a->transfers;
	sum->link_bytes += a->link_bytes;
	sum->macs += a->macs;
	sum->commands += a->commands;
	sum->energy_pj += a->energy_pj;
}

static void json_count(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

/* What commands do; lookups and caches are the planners'. */
static void json_counts(json_t *o, const struct ppim_annotation *a)
{
	json_count(o, "start_ps", a->start_ps);
	json_count(o, "end_ps", a->end_ps);
	json_count(o, "reads_hbm", a->reads_hbm);
	json_count(o, "reads_dimm", a->reads_dimm);
	json_count(o, "activations_hbm", a->activations_hbm);
	json_count(o, "activations_dimm", a->activations_dimm);
	json_count(o, "row_hits_hbm", a->row_hits_hbm);
	json_count(o, "row_hits_dimm", a->row_hits_dimm);
	json_count(o, "prefetches", a->prefetches);
	json_count(o, "moves", a->moves);
	json_count(o, "transfers", a->transfers);
	json_count(o, "link_bytes", a->link_bytes);
	json_count(o, "macs", a->macs);
	json_count(o, "energy_pj", a->energy_pj);
}

static json_t *sim_json_batch(const struct pim_sim *s,
			      const struct ppim_annotation *a)
{
	json_t *o = json_object();

	json_count(o, "queue", s->queue);
	json_object_set_new(o, "arch",
			    json_string(ppim_engine_arch_name(a->arch)));
	json_count(o, "busy_ps", a->busy_ps);
	json_count(o, "cycles", a->cycles);
	json_counts(o, a);
	if (!sim_energy_known(&s->config))
		json_object_set_new(o, "energy_pj", json_null());
	json_count(o, "commands", a->commands);
	json_object_set_new(o, "bound_by",
			    json_string(ppim_engine_bound_name(a->bound_by)));
	return o;
}

static void sim_show_batch(const struct pim_sim *s,
			   const struct ppim_annotation *a)
{
	if (s->list)
		json_array_append_new(s->list, sim_json_batch(s, a));
	else if (s->c->batches)
		printf("batch %" PRIu64
		       ": queue %u, %s, %.3f to %.3f ns, %llu cycles, bound by %s\n",
		       s->n_batches, s->queue, ppim_engine_arch_name(a->arch),
		       (double)a->start_ps / 1e3, (double)a->end_ps / 1e3,
		       (unsigned long long)a->cycles,
		       ppim_engine_bound_name(a->bound_by));
}

static void sim_end_phase(struct pim_sim *s)
{
	if (!s->in_phase)
		return;
	ppim_pim_phase(s->engine);
	s->in_phase = false;
	s->n_phases++;
}

static void sim_end_batch(struct pim_sim *s)
{
	struct ppim_annotation a;

	if (!s->open)
		return;
	sim_end_phase(s);
	ppim_pim_end(s->engine, &a);
	if (a.end_ps > INT64_MAX)
		sim_bad_line(s, "expected batches that end before 2^63 ps");
	s->open = false;
	sum_times(s, &a);
	sum_counts(&s->sum, &a);
	sim_energy_add(&s->energy, s->engine);
	s->n_batches++;
	sim_show_batch(s, &a);
}

static void sim_begin_batch(struct pim_sim *s, uint32_t arch,
			    uint64_t arrival_ps, uint32_t queue)
{
	struct ppim_diag diag;

	sim_end_batch(s);
	if (ppim_pim_begin(s->engine, arch ? arch : s->arch, arrival_ps, queue,
			   &diag))
		sim_bad_line(s, diag.msg);
	s->queue = queue;
	s->open = true;
}

static void sim_command(struct pim_sim *s, struct ppim_pim_cmd *cmd)
{
	struct ppim_diag diag;

	if (!s->open)
		sim_begin_batch(s, 0, 0, 0);
	if (s->c->map && cmd->device == PPIM_PIM_HBM)
		cmd->addr = sim_unmap(s, cmd->addr);
	if (s->c->map && cmd->op == PPIM_PIM_DR &&
	    cmd->dst_device == PPIM_PIM_HBM)
		cmd->dst = sim_unmap(s, cmd->dst);
	if (ppim_pim_command(s->engine, cmd, &diag))
		sim_bad_line(s, diag.msg);
	s->in_phase = true;
	s->n_commands++;
}

static void sim_line(struct pim_sim *s, const char *text)
{
	struct ppim_pim_line line;
	struct ppim_diag diag;

	if (ppim_pim_parse(text, &line, &diag))
		sim_bad_line(s, diag.msg);
	if (line.kind == PPIM_PIM_LINE_COMMAND)
		sim_command(s, &line.cmd);
	else if (line.kind == PPIM_PIM_LINE_BATCH)
		sim_begin_batch(s, line.arch, line.arrival_ps, line.queue);
	else if (line.kind == PPIM_PIM_LINE_PHASE)
		sim_end_phase(s);
}

static void sim_check_file(const struct pim_sim *s, gzFile file)
{
	int err = Z_OK;

	gzerror(file, &err);
	if (err == Z_BUF_ERROR)
		sim_bad_line(s, "expected a whole file, this one is cut off");
	if (err != Z_OK && err != Z_STREAM_END)
		sim_bad_line(s, "expected a whole file, this one is damaged");
}

static void sim_read(struct pim_sim *s, gzFile file)
{
	char text[LINE_BYTES];
	z_off_t at = 0;
	size_t len;

	for (; gzgets(file, text, sizeof(text)); at = gztell(file)) {
		s->line++;
		len = strlen(text);
		if ((z_off_t)len != gztell(file) - at)
			sim_bad_line(s, "expected text, found a NUL");
		if (len == sizeof(text) - 1 && text[len - 1] != '\n')
			sim_bad_line(s, "expected a shorter line");
		if (!len || text[len - 1] != '\n')
			sim_check_file(s, file);
		sim_line(s, text);
		if (!(s->line % PROGRESS_LINES))
			cli_progress("%" PRIu64 " lines", s->line);
	}
	s->line++;
	sim_check_file(s, file);
	cli_progress(NULL);
}

static void sim_run(struct pim_sim *s)
{
	bool standard = !strcmp(s->c->trace, "-");
	struct timespec t0, t1;
	gzFile file;

	s->name = standard ? "standard input" : s->c->trace;
	errno = 0;
	file = standard ? gzdopen(dup(STDIN_FILENO), "rb")
			: gzopen(s->c->trace, "rb");
	if (!file)
		cli_die(CLI_USAGE, "%s: %s", s->name,
			strerror(errno ? errno : ENOMEM));
	gzbuffer(file, 1 << 16);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	sim_read(s, file);
	sim_end_batch(s);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	s->seconds = (double)(t1.tv_sec - t0.tv_sec) +
		     (double)(t1.tv_nsec - t0.tv_nsec) * 1e-9;
	gzclose(file);
}

/* ---- report ------------------------------------------------------------- */

static uint64_t sim_cycles(const struct pim_sim *s)
{
	unsigned __int128 fs = s->sum.end_ps - s->sum.start_ps;

	fs *= 1000;
	return (uint64_t)((fs + s->hbm.t.tck_fs - 1) / s->hbm.t.tck_fs);
}

static double sim_ns(const struct pim_sim *s)
{
	return (double)(s->sum.end_ps - s->sum.start_ps) / 1e3;
}

static const char *sim_bound(const struct pim_sim *s)
{
	uint32_t b, most = 0;

	for (b = 1; b < PPIM_BOUND_COUNT; b++)
		if (s->bound[b] > s->bound[most])
			most = b;
	return ppim_engine_bound_name(most);
}

static double sim_rate(const struct pim_sim *s, uint64_t n)
{
	return s->seconds > 0 ? (double)n / s->seconds : 0;
}

static void sim_print(const struct pim_sim *s)
{
	const struct ppim_annotation *a = &s->sum;
	const struct {
		const char *name;
		uint64_t v;
	} rows[] = {
		{ "commands", s->n_commands },
		{ "phases", s->n_phases },
		{ "batches", s->n_batches },
		{ "cycles", sim_cycles(s) },
		{ "reads HBM", a->reads_hbm },
		{ "reads DIMM", a->reads_dimm },
		{ "activations HBM", a->activations_hbm },
		{ "activations DIMM", a->activations_dimm },
		{ "row hits HBM", a->row_hits_hbm },
		{ "row hits DIMM", a->row_hits_dimm },
		{ "prefetches", a->prefetches },
		{ "moves", a->moves },
		{ "transfers", a->transfers },
		{ "link bytes", a->link_bytes },
		{ "MACs", a->macs },
		{ "energy pJ", a->energy_pj },
	};
	size_t i, n = sizeof(rows) / sizeof(rows[0]);

	printf("%-18s %s\n%-18s %s\n", "specification", s->hbm.name, "preset",
	       ppim_engine_arch_name(s->arch));
	n -= !sim_energy_known(&s->config);
	for (i = 0; i < n; i++)
		printf("%-18s %" PRIu64 "\n", rows[i].name, rows[i].v);
	sim_energy_print_parts(&s->energy);
	printf("%-18s %.3f\n%-18s %s\n", "ns", sim_ns(s), "bound by",
	       sim_bound(s));
	printf("%-18s %.0f\n%-18s %.0f\n", "commands/s",
	       sim_rate(s, s->n_commands), "requests/s",
	       sim_rate(s, a->reads_hbm + a->reads_dimm));
	sim_energy_print_missing(s->engine);
}

static void sim_print_json(struct pim_sim *s)
{
	const struct ppim_annotation *a = &s->sum;
	json_t *o = json_object();

	json_object_set_new(o, "spec", json_string(s->hbm.name));
	json_object_set_new(o, "arch",
			    json_string(ppim_engine_arch_name(s->arch)));
	json_count(o, "commands", s->n_commands);
	json_count(o, "phases", s->n_phases);
	json_count(o, "batches", s->n_batches);
	json_count(o, "cycles", sim_cycles(s));
	json_object_set_new(o, "ns", json_real(sim_ns(s)));
	json_count(o, "reads", a->reads_hbm + a->reads_dimm);
	json_count(o, "activations", a->activations_hbm + a->activations_dimm);
	json_counts(o, a);
	sim_energy_json(o, &s->energy, &s->config, s->engine);
	json_count(o, "dram_commands", a->commands);
	json_object_set_new(o, "bound_by", json_string(sim_bound(s)));
	json_object_set_new(o, "commands_per_s",
			    json_real(sim_rate(s, s->n_commands)));
	json_object_set_new(
		o, "req_per_s",
		json_real(sim_rate(s, a->reads_hbm + a->reads_dimm)));
	if (s->list)
		json_object_set_new(o, "annotations", s->list);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

static void sim_list_params(const struct pim_sim *s)
{
	const struct ppim_param_info *p;
	size_t i;

	for (i = 0; (p = ppim_params_info(i)); i++)
		printf("%-18s %" PRIu64 "%s%s (%" PRIu64 " to %" PRIu64
		       ", %s): %s\n",
		       p->name, ppim_params_get(&s->config.params, i),
		       *p->unit ? " " : "", p->unit, p->min, p->max, p->source,
		       p->text);
}

int sim_pim_main(int argc, char **argv)
{
	struct pim_config c = { 0 };
	struct pim_sim s = { 0 };

	cli_parse(&argp, argc, argv, &c);
	sim_open(&s, &c);
	if (c.list) {
		sim_list_params(&s);
	} else {
		sim_run(&s);
		if (c.json)
			sim_print_json(&s);
		else
			sim_print(&s);
	}
	ppim_engine_free(s.engine);
	return 0;
}
