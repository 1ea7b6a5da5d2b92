// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"

#define STDOUT_BYTES (1u << 20)

#define PROGRESS_NS  100000000
/* back to the first column, and the rest of the line away */
#define LINE_CLEAR   "\r\033[K"

static const char *cli_name = "ppim";
static bool progress_shown;

/* In a guest stderr is a pipe, which may end in a terminal outside: PPIM_TERMINAL
 * names it then. */
static bool stderr_shows(void)
{
	const char *path = getenv("PPIM_TERMINAL");
	struct stat a, b;

	if (isatty(STDERR_FILENO))
		return true;
	return path && !stat(path, &a) && !fstat(STDERR_FILENO, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool progress_due(void)
{
	static struct timespec last;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (progress_shown && (now.tv_sec - last.tv_sec) * 1000000000ll +
		    now.tv_nsec - last.tv_nsec < PROGRESS_NS)
		return false;
	last = now;
	return true;
}

static void progress_clear(void)
{
	if (progress_shown)
		fputs(LINE_CLEAR, stderr);
	progress_shown = false;
}

void cli_progress(const char *fmt, ...)
{
	va_list ap;

	if (!fmt)
		progress_clear();
	if (!fmt || !stderr_shows() || !progress_due())
		return;
	fputs(LINE_CLEAR, stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	progress_shown = true;
}

void cli_die(int code, const char *fmt, ...)
{
	va_list ap;

	__fpurge(stdout);
	progress_clear();
	fprintf(stderr, "%s: ", cli_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(code);
}

error_t cli_key(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT) {
		/* getopt has printed its line; without a stream argp adds none
		 * of its own and hands the error back instead of exiting */
		state->err_stream = NULL;
		return 0;
	}
	if (key == ARGP_KEY_ARG)
		cli_die(CLI_USAGE, "unexpected argument '%s'", arg);
	return ARGP_ERR_UNKNOWN;
}

static void parse(const struct argp *argp, int argc, char **argv,
		  unsigned int flags, void *input)
{
	const char *slash = strrchr(argv[0], '/');

	cli_name = slash ? slash + 1 : argv[0];
	/* held back until the end, so that an error leaves no half report */
	setvbuf(stdout, NULL, _IOFBF, STDOUT_BYTES);
	if (argp_parse(argp, argc, argv, flags, NULL, input))
		exit(CLI_USAGE);
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	parse(argp, argc, argv, 0, input);
}

void cli_parse_in_order(const struct argp *argp, int argc, char **argv,
			void *input)
{
	parse(argp, argc, argv, ARGP_IN_ORDER, input);
}

uint64_t cli_u64(const char *option, const char *text, uint64_t min,
		 uint64_t max)
{
	uint64_t v = 0;
	char *end = NULL;

	errno = 0;
	if (isdigit((unsigned char)*text))
		v = strtoull(text, &end, 0);
	if (!end || *end || errno || v < min || v > max)
		cli_die(CLI_USAGE,
			"--%s: expected a whole number from %llu to %llu, got '%s'",
			option, (unsigned long long)min,
			(unsigned long long)max, text);
	return v;
}

double cli_double(const char *option, const char *text, double min, double max)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v) || v < min || v > max)
		cli_die(CLI_USAGE,
			"--%s: expected a number from %g to %g, got '%s'",
			option, min, max, text);
	return v;
}

static int size_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (!*suffix)
		return 0;
	at = strchr(letters, toupper((unsigned char)*suffix));
	if (!at || suffix[1])
		return -1;
	return 10 * (int)(at - letters + 1);
}

uint64_t cli_size(const char *option, const char *text)
{
	uint64_t v = 0;
	char *end = NULL;
	int shift = -1;

	errno = 0;
	if (isdigit((unsigned char)*text))
		v = strtoull(text, &end, 10);
	if (end && !errno)
		shift = size_shift(end);
	if (shift < 0 || !v || v > UINT64_MAX >> shift)
		cli_die(CLI_USAGE,
			"--%s: expected bytes, with K, M, G or T if wanted, got '%s'",
			option, text);
	return v << shift;
}
