// SPDX-License-Identifier: MIT
/* ppimctl: looks at a ppim memory, resets it, explains placements. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ppim.h>
#include "cli.h"
#include "device.h"
#include "job.h"
#include "plan.h"

enum {
	KEY_DEVICE = 0x4000,
	KEY_JSON,
	KEY_TABLE,
	KEY_ROW,
};

struct ctl {
	const char *device;
	bool json;
	char *command;
	int argc; /* the command's own words */
	char **argv;
	struct ppim_dev *dev;
};

/* ---- device ---- */

static void json_print(json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

/* ---- info ---- */

static const char *algo_name(uint32_t v)
{
	static const char *const names[] = { "dense", "qr", "tt" };

	return v < 3 ? names[v] : "?";
}

static const char *dtype_name(uint32_t v)
{
	static const char *const names[] = { "fp32", "fp16", "bf16", "int8" };

	return v < 4 ? names[v] : "?";
}

static const char *combine_name(uint32_t v)
{
	static const char *const names[] = { "mult", "add", "concat" };

	return v < 3 ? names[v] : "?";
}

static const char *mode_name(uint32_t v)
{
	static const char *const names[] = { "sum", "mean", "max" };

	return v < 3 ? names[v] : "?";
}

static const char *timebase_name(uint32_t v)
{
	static const char *const names[] = { "device", "guest", "off" };

	return v < 3 ? names[v] : "?";
}

static json_t *json_mask(uint32_t mask, const char *(*name)(uint32_t))
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < 32; i++)
		if (mask & 1u << i)
			json_array_append_new(array, json_string(name(i)));
	return array;
}

static json_t *json_u64(uint64_t v)
{
	return json_integer((json_int_t)v);
}

/* Numbers of struct ppim_ioc_info by name, for both outputs. */
static const struct info_number {
	const char *key;
	const char *label;
	size_t offset;
	size_t bytes;
	bool size; /* a number of bytes, for people */
} info_numbers[] = {
#define NUMBER(field, label, is_size)                                          \
	{                                                                      \
#field, label, offsetof(struct ppim_ioc_info, field),          \
			sizeof(((struct ppim_ioc_info *)0)->field), is_size    \
	}
	NUMBER(hbm_bytes, "HBM", true),
	NUMBER(hbm_free, "HBM free", true),
	NUMBER(dimm_bytes, "DIMM", true),
	NUMBER(dimm_free, "DIMM free", true),
	NUMBER(channels, "HBM channels", false),
	NUMBER(slices, "bank groups", false),
	NUMBER(slice_bytes, "bank group's HBM", true),
	NUMBER(hbm_row_bytes, "row of a bank", true),
	NUMBER(sram_bytes, "SRAM of a bg-PIM", true),
	NUMBER(align, "alignment", true),
	NUMBER(hot_ppm, "accesses for the HBM, ppm", false),
	NUMBER(queues, "queue pairs", false),
	NUMBER(queue_entries, "entries of a queue", false),
	NUMBER(max_tables, "tables of a batch", false),
	NUMBER(max_indices, "indices of a batch", false),
	NUMBER(max_extents, "extents of a subtable", false),
#undef NUMBER
};

static uint64_t info_number(const struct ppim_ioc_info *info,
			    const struct info_number *n)
{
	const char *at = (const char *)info + n->offset;
	uint64_t wide;
	uint32_t narrow;

	if (n->bytes == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LABEL	 "%-28s"

static void size_print(uint64_t v)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned int i = 0;

	while (i < 4 && v >= 1024 && !(v & 1023)) {
		v >>= 10;
		i++;
	}
	printf("%llu %s\n", (unsigned long long)v, unit[i]);
}

static void mask_print(const char *label, uint32_t mask,
		       const char *(*name)(uint32_t))
{
	uint32_t i;

	printf(LABEL, label);
	for (i = 0; i < 32; i++)
		if (mask & 1u << i)
			printf("%s%s", mask & ((1u << i) - 1) ? " " : "",
			       name(i));
	putchar('\n');
}

static void info_print(const struct ppim_info *info)
{
	const struct ppim_ioc_info *d = &info->dev;
	char list[256];
	uint64_t v;
	size_t i;

	for (i = 0; i < COUNT(info_numbers); i++) {
		v = info_number(d, &info_numbers[i]);
		printf(LABEL, info_numbers[i].label);
		if (info_numbers[i].size)
			size_print(v);
		else
			printf("%llu\n", (unsigned long long)v);
	}
	printf(LABEL "%s\n", "presets",
	       device_archs(d->archs, list, sizeof(list)));
	printf(LABEL "%s\n", "default preset", job_arch_name(d->arch_default));
	mask_print("algorithms", d->algos, algo_name);
	mask_print("element types", d->dtypes, dtype_name);
	mask_print("QR combines", d->combines, combine_name);
	mask_print("modes", d->modes, mode_name);
	printf(LABEL "%d\n", "NUMA node", d->numa_node);
	printf(LABEL "%s\n", "timebase", timebase_name(d->timebase));
	printf(LABEL "%#llx, driver %#llx\n", "capabilities",
	       (unsigned long long)d->caps, (unsigned long long)d->driver_caps);
	printf(LABEL "%s%s\n", "io_uring", info->uring ? "yes" : "no: ",
	       info->uring ? "" : info->uring_reason);
	printf(LABEL "%s, %u threads\n", "CPU path", info->isa, info->threads);
	printf(LABEL "%s\n", "libppim", ppim_version());
}

static json_t *info_json(const struct ppim_info *info)
{
	const struct ppim_ioc_info *d = &info->dev;
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < COUNT(info_numbers); i++)
		json_object_set_new(o, info_numbers[i].key,
				    json_u64(info_number(d, &info_numbers[i])));
	json_object_set_new(o, "archs", json_mask(d->archs, job_arch_name));
	json_object_set_new(o, "arch_default",
			    json_string(job_arch_name(d->arch_default)));
	json_object_set_new(o, "algos", json_mask(d->algos, algo_name));
	json_object_set_new(o, "dtypes", json_mask(d->dtypes, dtype_name));
	json_object_set_new(o, "combines",
			    json_mask(d->combines, combine_name));
	json_object_set_new(o, "modes", json_mask(d->modes, mode_name));
	json_object_set_new(o, "numa_node", json_integer(d->numa_node));
	json_object_set_new(o, "timebase",
			    json_string(timebase_name(d->timebase)));
	json_object_set_new(o, "caps", json_u64(d->caps));
	json_object_set_new(o, "driver_caps", json_u64(d->driver_caps));
	json_object_set_new(o, "uring", json_boolean(info->uring));
	json_object_set_new(o, "isa", json_string(info->isa));
	json_object_set_new(o, "threads", json_u64(info->threads));
	json_object_set_new(o, "libppim", json_string(ppim_version()));
	return o;
}

static void ctl_info(struct ctl *c)
{
	struct ppim_info info;
	int ret;

	c->dev = device_open(c->device);
	ret = ppim_info(c->dev, &info);
	if (ret)
		cli_die(CLI_FAILED, "info: %s", strerror(-ret));
	if (c->json)
		json_print(info_json(&info));
	else
		info_print(&info);
}

/* ---- tables ---- */

static void sub_print(const struct ppim_ioc_table_info *t, uint32_t s)
{
	uint32_t flags = t->sub[s].flags;

	printf("    %-3s %llu rows of %u B", ppim_plan_sub_name(t->create.algo, s),
	       (unsigned long long)t->sub[s].rows, t->sub[s].row_bytes);
	if (!t->sub[s].n_extents) {
		puts(", not placed");
		return;
	}
	printf(": HBM %llu B, DIMM %llu B, %u %s%s%s\n",
	       (unsigned long long)t->sub[s].hbm_bytes,
	       (unsigned long long)t->sub[s].dimm_bytes, t->sub[s].n_extents,
	       flags & PPIM_SUBF_DUPLICATED ? "copies" : "extents",
	       flags & PPIM_SUBF_MAPPED ? ", split by a row map" : "",
	       flags & PPIM_SUBF_PREFETCH ? ", prefetched" : "");
}

static void table_print(const struct ppim_ioc_table_info *t)
{
	uint32_t s;

	printf("%llu  %s  process %d, %s %s, %llu rows of %u elements\n",
	       (unsigned long long)t->id,
	       *t->create.name ? t->create.name : "-", t->pid,
	       algo_name(t->create.algo), dtype_name(t->create.dtype),
	       (unsigned long long)t->create.rows, t->create.dim);
	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		if (t->sub[s].rows)
			sub_print(t, s);
}

static json_t *sub_json(const struct ppim_ioc_table_info *t, uint32_t s)
{
	uint32_t flags = t->sub[s].flags;
	json_t *o = json_object();

	json_object_set_new(o, "name",
			    json_string(ppim_plan_sub_name(t->create.algo, s)));
	json_object_set_new(o, "rows", json_u64(t->sub[s].rows));
	json_object_set_new(o, "row_bytes", json_u64(t->sub[s].row_bytes));
	json_object_set_new(o, "row_stride", json_u64(t->sub[s].row_stride));
	json_object_set_new(o, "extents", json_u64(t->sub[s].n_extents));
	json_object_set_new(o, "hbm_bytes", json_u64(t->sub[s].hbm_bytes));
	json_object_set_new(o, "dimm_bytes", json_u64(t->sub[s].dimm_bytes));
	json_object_set_new(o, "duplicated",
			    json_boolean(flags & PPIM_SUBF_DUPLICATED));
	json_object_set_new(o, "mapped",
			    json_boolean(flags & PPIM_SUBF_MAPPED));
	json_object_set_new(o, "prefetch",
			    json_boolean(flags & PPIM_SUBF_PREFETCH));
	return o;
}

static json_t *table_json(const struct ppim_ioc_table_info *t)
{
	json_t *o = json_object(), *subs = json_array();
	uint32_t s;

	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		if (t->sub[s].rows)
			json_array_append_new(subs, sub_json(t, s));
	json_object_set_new(o, "id", json_u64(t->id));
	json_object_set_new(o, "name", json_string(t->create.name));
	json_object_set_new(o, "pid", json_integer(t->pid));
	json_object_set_new(o, "algo", json_string(algo_name(t->create.algo)));
	json_object_set_new(o, "dtype",
			    json_string(dtype_name(t->create.dtype)));
	json_object_set_new(o, "rows", json_u64(t->create.rows));
	json_object_set_new(o, "dim", json_u64(t->create.dim));
	json_object_set_new(o, "subtables", subs);
	return o;
}

static void ctl_tables(struct ctl *c)
{
	struct ppim_ioc_table_info t;
	json_t *array = json_array();
	uint64_t id = 0;
	int ret;

	c->dev = device_open(c->device);
	while (!(ret = ppim_table_next(c->dev, id, &t))) {
		id = t.id;
		if (c->json)
			json_array_append_new(array, table_json(&t));
		else
			table_print(&t);
	}
	if (ret != -ENOENT)
		cli_die(CLI_FAILED, "tables: %s", strerror(-ret));
	if (c->json)
		json_print(json_incref(array));
	else if (!id)
		puts("no tables");
	json_decref(array);
}

/* ---- stats, reset ---- */

static const struct {
	const char *key;
	size_t offset;
} stats_fields[] = {
#define FIELD(field)                                                           \
	{                                                                      \
#field, offsetof(struct ppim_ioc_stats, field)                 \
	}
	FIELD(submitted),
	FIELD(completed),
	FIELD(errors),
	FIELD(aborted),
	FIELD(lookups),
	FIELD(bags),
	FIELD(reads_hbm),
	FIELD(reads_dimm),
	FIELD(activations_hbm),
	FIELD(activations_dimm),
	FIELD(sram_hits),
	FIELD(sram_misses),
	FIELD(moves),
	FIELD(transfers),
	FIELD(energy_pj),
	FIELD(busy_ps),
	FIELD(late_count),
	FIELD(late_sum_ns),
	FIELD(late_max_ns),
	FIELD(injected),
	FIELD(corrected),
	FIELD(resets),
	FIELD(stray_completions),
	FIELD(timeouts),
	FIELD(pinned_bytes),
#undef FIELD
};

static void ctl_stats(struct ctl *c)
{
	struct ppim_ioc_stats stats;
	json_t *o = json_object();
	uint64_t v;
	size_t i;
	int ret;

	c->dev = device_open(c->device);
	ret = ppim_stats(c->dev, &stats);
	if (ret)
		cli_die(CLI_FAILED, "stats: %s", strerror(-ret));
	for (i = 0; i < COUNT(stats_fields); i++) {
		memcpy(&v, (const char *)&stats + stats_fields[i].offset,
		       sizeof(v));
		if (c->json)
			json_object_set_new(o, stats_fields[i].key,
					    json_u64(v));
		else
			printf("%-20s%20llu\n", stats_fields[i].key,
			       (unsigned long long)v);
	}
	if (c->json)
		json_print(json_incref(o));
	json_decref(o);
}

static void ctl_reset(struct ctl *c)
{
	int ret;

	c->dev = device_open(c->device);
	ret = ppim_reset(c->dev);
	if (ret == -EPERM)
		cli_die(CLI_FAILED, "reset: needs CAP_SYS_ADMIN");
	if (ret)
		cli_die(CLI_FAILED, "reset: %s", strerror(-ret));
}

/* ---- explain ---- */

struct explain {
	struct ctl *ctl;
	struct job_config job;
	char *table;
	uint64_t row;
};

static const struct argp_option explain_options[] = {
	{ NULL, 0, NULL, 0, "What to explain:", 6 },
	{ "device", KEY_DEVICE, "PATH", 0, "(default /dev/ppim)", 6 },
	{ "table", KEY_TABLE, "NAME", 0, "C1, C2, ... (default C1)", 6 },
	{ "row", KEY_ROW, "N", 0, "row of the table (default 0)", 6 },
	{ 0 },
};

static error_t explain_key(int key, char *arg, struct argp_state *state)
{
	struct explain *e = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->job;
		return cli_key(key, arg, state);
	case KEY_DEVICE:
		e->ctl->device = arg;
		return 0;
	case KEY_TABLE:
		e->table = arg;
		return 0;
	case KEY_ROW:
		e->row = cli_u64("row", arg, 0, PPIM_MAX_ROWS - 1);
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp_child explain_children[] = {
	{ &job_argp, 0, NULL, 0 },
	{ 0 },
};

static const struct argp explain_argp = {
	.options = explain_options,
	.parser = explain_key,
	.children = explain_children,
	.doc = "Plans as ppim-bench does with the same options on this device, and says why a row of a table is where it is.",
};

static uint32_t explain_table(const struct explain *e, const struct job *job)
{
	char name[16];
	uint32_t t;

	for (t = 0; t < job->tables.n; t++) {
		wl_table_name(t, name, sizeof(name));
		if (!strcmp(name, e->table))
			break;
	}
	if (t == job->tables.n)
		cli_die(CLI_USAGE, "--table: expected C1 to C%u, got '%s'",
			job->tables.n, e->table);
	if (e->row >= job->tables.rows[t])
		cli_die(CLI_USAGE, "--row: table %s has rows 0 to %llu",
			e->table, (unsigned long long)job->tables.rows[t] - 1);
	return t;
}

static void explain_row(const struct ppim_plan *plan,
			const struct ppim_shape *shape, uint32_t t,
			uint64_t index, json_t *array)
{
	uint64_t row[PPIM_MAX_SUBTABLES];
	char text[512];
	uint32_t s;

	wl_split(shape, index, row);
	for (s = 0; s < ppim_shape_subtables(shape); s++) {
		if (ppim_plan_explain(plan, t, s, row[s], text, sizeof(text)) <
		    0)
			cli_die(CLI_FAILED, "row %llu has no place",
				(unsigned long long)row[s]);
		if (array)
			json_array_append_new(
				array,
				json_pack("{s:s,s:s,s:I,s:s}", "algo",
					  job_algo_name(shape->algo),
					  "subtable",
					  ppim_plan_sub_name(shape->algo, s),
					  "row", (json_int_t)row[s], "why",
					  text));
		else
			puts(text);
	}
}

static void explain_algo(struct ctl *c, const struct explain *e,
			 const struct job *job, uint32_t algo, json_t *array)
{
	struct ppim_plan_error err = { "" };
	struct ppim_plan_geometry geo;
	uint32_t t = explain_table(e, job);
	struct ppim_plan *plan;
	struct job_algo a;
	struct wl_diag diag;
	int ret;

	ret = ppim_plan_geometry_get(c->dev, &geo);
	if (ret)
		cli_die(CLI_FAILED, "info: %s", strerror(-ret));
	ret = job_algo_open(job, algo, &a, &diag);
	if (ret)
		cli_die(ret == -EINVAL ? CLI_USAGE : CLI_FAILED, "%s",
			diag.msg);
	ret = ppim_plan_create(&geo, a.table, a.n, &a.options, NULL, &plan,
			       &err);
	if (ret)
		cli_die(CLI_FAILED, "placement: %s",
			*err.msg ? err.msg : strerror(-ret));
	explain_row(plan, &a.table[t].shape, t, e->row, array);
	ppim_plan_free(plan);
	job_algo_close(&a);
}

static void ctl_explain(struct ctl *c)
{
	struct explain e = { .ctl = c, .table = "C1" };
	json_t *array = NULL;
	struct wl_diag diag;
	struct job job;
	uint32_t algo;
	int ret;

	c->argv[0] = "ppimctl explain";
	cli_parse(&explain_argp, c->argc, c->argv, &e);
	ret = job_open(&e.job, &job, &diag);
	if (ret)
		cli_die(ret == -ENOMEM ? CLI_FAILED : CLI_USAGE, "%s",
			diag.msg);
	if (c->json || e.job.json)
		array = json_array();
	c->dev = device_open(c->device);
	for (algo = PPIM_ALGO_QR; algo <= PPIM_ALGO_TT; algo++)
		if (e.job.algos & 1u << algo)
			explain_algo(c, &e, &job, algo, array);
	if (array)
		json_print(array);
	job_close(&job);
}

/* ---- command line ---- */

static const struct argp_option options[] = {
	{ "device", KEY_DEVICE, "PATH", 0, "(default /dev/ppim)", 0 },
	{ "json", KEY_JSON, NULL, 0, "JSON instead of text", 0 },
	{ 0 },
};

static const struct {
	const char *name;
	void (*run)(struct ctl *c);
	bool words; /* takes options of its own */
} commands[] = {
	{ "info", ctl_info, false },	  { "tables", ctl_tables, false },
	{ "stats", ctl_stats, false },	  { "reset", ctl_reset, false },
	{ "explain", ctl_explain, true },
};

/* What follows a command that takes options is the command's. */
static void command_take(struct ctl *c, char *arg, struct argp_state *state)
{
	size_t i;

	if (c->command)
		cli_die(CLI_USAGE, "unexpected argument '%s'", arg);
	c->command = arg;
	for (i = 0; i < COUNT(commands); i++)
		if (!strcmp(arg, commands[i].name) && commands[i].words) {
			c->argc = state->argc - state->next + 1;
			c->argv = state->argv + state->next - 1;
			state->next = state->argc;
		}
}

static error_t ctl_key(int key, char *arg, struct argp_state *state)
{
	struct ctl *c = state->input;

	switch (key) {
	case KEY_DEVICE:
		c->device = arg;
		return 0;
	case KEY_JSON:
		c->json = true;
		return 0;
	case ARGP_KEY_ARG:
		command_take(c, arg, state);
		return 0;
	default:
		return cli_key(key, arg, state);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = ctl_key,
	.args_doc = "info|tables|stats|reset\nexplain [OPTION...]",
	.doc = "Looks at a ppim memory and resets it."
	       "\vinfo     what the device and the driver can do\n"
	       "tables   the tables on it; root sees those of all processes\n"
	       "stats    counters since the device was enabled\n"
	       "reset    ends work in flight, keeps tables; needs CAP_SYS_ADMIN\n"
	       "explain  why a row is where the planner puts it (explain --help)\n\n"
	       "Exit status: 0; 1 no device, or an error of it; 2 a wrong option.",
};

int main(int argc, char **argv)
{
	struct ctl c = { 0 };
	size_t i;

	cli_parse_in_order(&argp, argc, argv, &c);
	if (!c.command)
		cli_die(CLI_USAGE,
			"expected a command: info, tables, stats, reset or explain");
	for (i = 0; i < COUNT(commands); i++)
		if (!strcmp(c.command, commands[i].name))
			break;
	if (i == COUNT(commands))
		cli_die(CLI_USAGE,
			"'%s' is no command: expected info, tables, stats, reset or explain",
			c.command);
	commands[i].run(&c);
	ppim_close(c.dev);
	if (fflush(stdout) || ferror(stdout))
		cli_die(CLI_FAILED, "standard output: %s", strerror(errno));
	return 0;
}
