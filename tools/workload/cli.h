/* SPDX-License-Identifier: MIT */
/*
 * What the tools' command lines share: argp with one-line errors, and strict
 * numbers. Exit codes of all tools: 0 done; 1 the work failed (no device, a
 * mismatch, an error of the device); 2 the command line or an input is wrong.
 */
#ifndef PPIM_CLI_H
#define PPIM_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#define CLI_FAILED 1
#define CLI_USAGE 2

/* A line on stderr that the next one replaces, if stderr is a terminal (here or,
 * by PPIM_TERMINAL, at the other end of ppim-vm); at most ten a second are shown. NULL takes the last one away. */
void cli_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "NAME: MESSAGE" on stderr, and the end; what stands in stdout's buffer is
 * dropped. */
void cli_die(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/*
 * argp_parse() with errors of one line: argp's second line ("Try --help") is
 * left out. Does not return if the command line is wrong. Gives stdout a large
 * buffer, so that a report is printed whole or not at all.
 */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);
/* The same, arguments and options in their order: for commands with options of
 * their own. */
void cli_parse_in_order(const struct argp *argp, int argc, char **argv,
			void *input);

/* To be called by the root parser for ARGP_KEY_INIT and ARGP_KEY_ARG. */
error_t cli_key(int key, char *arg, struct argp_state *state);

/* Value of an option, or exit 2 with option, range and text. */
uint64_t cli_u64(const char *option, const char *text, uint64_t min,
		 uint64_t max);
double cli_double(const char *option, const char *text, double min, double max);
/* Bytes, with an optional K, M, G or T (powers of 1024). */
uint64_t cli_size(const char *option, const char *text);

#endif
