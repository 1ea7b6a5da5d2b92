// SPDX-License-Identifier: MIT
/* ppim-sim: the memory and PIM model without a guest. One command per file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "sim_dram.h"
#include "sim_pim.h"

int sim_gnr_main(int argc, char **argv);

static const struct {
	const char *name;
	char *title; /* argv[0] of the command */
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "dram", "ppim-sim dram", sim_dram_main,
	  "a trace of reads and writes on a memory" },
	{ "pim", "ppim-sim pim", sim_pim_main,
	  "commands for the PIM units, as text" },
	{ "gnr", "ppim-sim gnr", sim_gnr_main,
	  "gather-and-reductions on architecture presets" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	size_t i;

	fprintf(f, "Usage: ppim-sim COMMAND [OPTION...] [FILE]\n\n");
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-6s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\nppim-sim COMMAND --help lists a command's options.\n");
}

/* A report that could not be written whole is no success. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout))
		cli_die(CLI_FAILED, "standard output: %s", strerror(errno));
	return status;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		fprintf(stderr,
			"ppim-sim: expected a command: dram, pim or gnr (--help)\n");
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?")) {
		usage(stdout);
		return finish(0);
	}
	for (i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		argv[1] = commands[i].title;
		return finish(commands[i].main(argc - 1, argv + 1));
	}
	fprintf(stderr,
		"ppim-sim: unknown command '%s', expected dram, pim or gnr\n",
		argv[1]);
	return CLI_USAGE;
}
