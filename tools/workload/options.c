// SPDX-License-Identifier: MIT
/* Options of the main job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "job.h"

enum {
	KEY_TABLES = 0x1000,
	KEY_CRITEO,
	KEY_VEC,
	KEY_BATCH,
	KEY_POOLING,
	KEY_SAMPLES,
	KEY_PROFILE,
	KEY_COLLISIONS,
	KEY_COMBINE,
	KEY_RANK,
	KEY_ALGO,
	KEY_ARCH,
	KEY_SEED,
	KEY_ZIPF,
	KEY_MULTI_HOT,
	KEY_HOT_SHARE,
	KEY_NO_DUP,
	KEY_NO_PREFETCH,
	KEY_JSON,
	KEY_ANNOTATIONS,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Input:", 1 },
	{ "tables", KEY_TABLES, "NAME|FILE", 0,
	  "kaggle, terabyte, or a file with one cardinality a line, - is standard input (default kaggle)",
	  1 },
	{ "criteo", KEY_CRITEO, "FILE", 0,
	  "first index of each bag from a Criteo TSV file, plain or gzip'd, instead of the generator",
	  1 },
	{ "seed", KEY_SEED, "N", 0, "of indices and table values (default 1)",
	  1 },
	{ "zipf", KEY_ZIPF, "S", 0,
	  "exponent of the generator's first index (default 1.05)", 1 },
	{ "multi-hot", KEY_MULTI_HOT, "LAW", 0,
	  "the other indices of a bag: pareto (Pareto(0.25)) or uniform (default pareto)",
	  1 },
	{ "batch", KEY_BATCH, "N", 0,
	  "bags of a table in one batch (default 4)", 1 },
	{ "pooling", KEY_POOLING, "N", 0, "indices of a bag (default 80)", 1 },
	{ "samples", KEY_SAMPLES, "N", 0, "batches per table (default 1)", 1 },
	{ NULL, 0, NULL, 0, "Tables:", 2 },
	{ "algo", KEY_ALGO, "A", 0, "qr, tt or both (default both)", 2 },
	{ "vec", KEY_VEC, "BYTES", 0, "of an fp32 vector (default 128)", 2 },
	{ "collisions", KEY_COLLISIONS, "N", 0, "QR: c (default 4)", 2 },
	{ "combine", KEY_COMBINE, "HOW", 0,
	  "QR: mult, add or concat (default mult)", 2 },
	{ "rank", KEY_RANK, "N", 0, "TT: R1 and R2 (default 16)", 2 },
	{ NULL, 0, NULL, 0, "Architecture and placement:", 3 },
	{ "arch", KEY_ARCH, "A[,B...]", 0,
	  "presets to compare (default bgpim,bgpim+dup,proactive)", 3 },
	{ "hot-share", KEY_HOT_SHARE, "PERCENT", 0,
	  "of the accesses that the HBM is to serve (default: by the ratio of bandwidths)",
	  3 },
	{ "profile", KEY_PROFILE, "N", 0,
	  "samples that say which rows are hot (default: those that run, at least 256)",
	  3 },
	{ "no-dup", KEY_NO_DUP, NULL, 0,
	  "no copies of R, G1 and G3 in the bank groups", 3 },
	{ "no-prefetch", KEY_NO_PREFETCH, NULL, 0,
	  "no prefetch hint for R and G1", 3 },
	{ NULL, 0, NULL, 0, "Output:", 4 },
	{ "json", KEY_JSON, NULL, 0, "JSON instead of tables", 4 },
	{ "annotations", KEY_ANNOTATIONS, NULL, 0,
	  "with --json: the annotation of every batch", 4 },
	{ 0 },
};

static void config_default(struct job_config *c)
{
	*c = (struct job_config){
		.tables = "kaggle",
		.shape = { .vec_bytes = 128,
			   .collisions = 4,
			   .rank = 16,
			   .combine = PPIM_COMBINE_MULT },
		.batch = 4,
		.pooling = 80,
		.seed = 1,
		.zipf = 1.05,
		.expand = WL_EXPAND_PARETO,
		.algos = 1u << PPIM_ALGO_QR | 1u << PPIM_ALGO_TT,
	};
}

#define PERF_LOOKUPS 1024
#define PERF_SAMPLES 64

void job_config_perf(struct job_config *cfg, uint32_t distinct)
{
	cfg->lookups = PERF_LOOKUPS;
	cfg->distinct = distinct;
	if (!cfg->samples)
		cfg->samples = PERF_SAMPLES;
	if (!cfg->n_archs)
		cfg->archs[cfg->n_archs++] = PPIM_ARCH_PROACTIVE;
}

/* What the tool that owns the options may have set in the meantime stays. */
static void config_finish(struct job_config *c)
{
	static const uint8_t archs[] = { PPIM_ARCH_BGPIM, PPIM_ARCH_BGPIM_DUP,
					 PPIM_ARCH_PROACTIVE };

	if (c->annotations && !c->json)
		cli_die(CLI_USAGE, "--annotations needs --json");
	if (!c->samples)
		c->samples = 1;
	if (c->n_archs)
		return;
	memcpy(c->archs, archs, sizeof(archs));
	c->n_archs = sizeof(archs);
}

/* Position of a word in a list of words, or exit with the list. */
static unsigned int word_find(const char *option, const char *text,
			      const char *const *words)
{
	char list[256] = "";
	unsigned int i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(text, words[i]))
			return i;
		if (i)
			strcat(list, ", ");
		strcat(list, words[i]);
	}
	cli_die(CLI_USAGE, "--%s: expected one of %s, got '%s'", option, list,
		text);
}

static void algo_parse(struct job_config *c, const char *text)
{
	static const char *const words[] = { "qr", "tt", "both", NULL };
	static const uint32_t mask[] = {
		1u << PPIM_ALGO_QR,
		1u << PPIM_ALGO_TT,
		1u << PPIM_ALGO_QR | 1u << PPIM_ALGO_TT,
	};

	c->algos = mask[word_find("algo", text, words)];
}

static void combine_parse(struct job_config *c, const char *text)
{
	static const char *const words[] = { "mult", "add", "concat", NULL };

	c->shape.combine = word_find("combine", text, words);
}

static void expand_parse(struct job_config *c, const char *text)
{
	static const char *const words[] = { "pareto", "uniform", NULL };

	c->expand = word_find("multi-hot", text, words);
}

static void arch_add(struct job_config *c, const char *name)
{
#define NAME(value, text) [value] = text,
	static const char *const words[PPIM_ARCH_COUNT + 1] = { PPIM_ARCH_NAMES(
		NAME) };
#undef NAME
	unsigned int arch = word_find("arch", name, words), i;

	for (i = 0; i < c->n_archs; i++)
		if (c->archs[i] == arch)
			cli_die(CLI_USAGE, "--arch: %s is named twice", name);
	c->archs[c->n_archs++] = arch;
}

static void arch_parse(struct job_config *c, const char *text)
{
	char *list = strdup(text), *rest = list, *name;

	if (!list)
		cli_die(CLI_FAILED, "no memory");
	c->n_archs = 0;
	while ((name = strsep(&rest, ",")))
		arch_add(c, name);
	free(list);
}

static void hot_share_parse(struct job_config *c, const char *text)
{
	double percent = cli_double("hot-share", text, 0.0001, 100);

	c->hot_ppm = (uint32_t)(percent * 10000 + 0.5);
}

static error_t shape_key(int key, char *arg, struct job_config *c)
{
	switch (key) {
	case KEY_ALGO:
		algo_parse(c, arg);
		return 0;
	case KEY_VEC:
		c->shape.vec_bytes = cli_u64("vec", arg, 4, PPIM_MAX_DIM * 4);
		return 0;
	case KEY_COLLISIONS:
		c->shape.collisions =
			cli_u64("collisions", arg, 1, PPIM_MAX_COLLISIONS);
		return 0;
	case KEY_COMBINE:
		combine_parse(c, arg);
		return 0;
	case KEY_RANK:
		c->shape.rank = cli_u64("rank", arg, 1, PPIM_MAX_TT_R);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t placement_key(int key, char *arg, struct job_config *c)
{
	switch (key) {
	case KEY_ARCH:
		arch_parse(c, arg);
		return 0;
	case KEY_HOT_SHARE:
		hot_share_parse(c, arg);
		return 0;
	case KEY_PROFILE:
		c->profile = cli_u64("profile", arg, 1, 1ull << 32);
		return 0;
	case KEY_NO_DUP:
		c->no_duplicate = true;
		return 0;
	case KEY_NO_PREFETCH:
		c->no_prefetch = true;
		return 0;
	case KEY_JSON:
		c->json = true;
		return 0;
	case KEY_ANNOTATIONS:
		c->annotations = true;
		return 0;
	default:
		return shape_key(key, arg, c);
	}
}

static error_t input_key(int key, char *arg, struct argp_state *state)
{
	struct job_config *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		config_default(c);
		return 0;
	case ARGP_KEY_FINI:
		config_finish(c);
		return 0;
	case KEY_TABLES:
		c->tables = arg;
		return 0;
	case KEY_CRITEO:
		c->criteo = arg;
		return 0;
	case KEY_SEED:
		c->seed = cli_u64("seed", arg, 0, UINT64_MAX);
		return 0;
	case KEY_ZIPF:
		c->zipf = cli_double("zipf", arg, 0, WL_ZIPF_MAX_EXPONENT);
		return 0;
	case KEY_MULTI_HOT:
		expand_parse(c, arg);
		return 0;
	case KEY_BATCH:
		c->batch = cli_u64("batch", arg, 1, 1 << 20);
		return 0;
	case KEY_POOLING:
		c->pooling = cli_u64("pooling", arg, 1, 1 << 20);
		return 0;
	case KEY_SAMPLES:
		c->samples = cli_u64("samples", arg, 1, 1ull << 32);
		return 0;
	default:
		return placement_key(key, arg, c);
	}
}

const struct argp job_argp = { .options = options, .parser = input_key };
