// SPDX-License-Identifier: MIT
/*
 * The parser is written by hand: it has to keep up with a simulator that takes
 * a request in some tens of nanoseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "trace.h"

#define TRACE_BYTES (1u << 20)
#define TRACE_LINE_MAX 4096 /* longer ones are not trace lines */
#define TRACE_BEYOND   16 /* what a parser may look at behind the end */
#define TRACE_EXPECTED "expected '0xADDR READ|WRITE CYCLE'"

struct trace {
	gzFile file;
	const char *name;
	uint64_t line; /* lines read */
	bool eof;
	char *at, *end; /* text still to parse */
	char text[TRACE_LINE_MAX + TRACE_BYTES + TRACE_BEYOND];
};

struct trace *trace_open(const char *path)
{
	bool standard = !strcmp(path, "-");
	struct trace *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	errno = 0;
	t->file = standard ? gzdopen(dup(STDIN_FILENO), "rb") :
			     gzopen(path, "rb");
	if (!t->file) {
		free(t);
		errno = errno ? errno : ENOMEM;
		return NULL;
	}
	gzbuffer(t->file, TRACE_BYTES);
	t->name = standard ? "standard input" : path;
	t->line = 0;
	t->eof = false;
	t->at = t->end = t->text;
	*t->end = '\n';
	return t;
}

void trace_close(struct trace *t)
{
	gzclose(t->file);
	free(t);
}

static int trace_fail(const struct trace *t, char *why, size_t size,
		      const char *what)
{
	snprintf(why, size, "%s:%" PRIu64 ": %s", t->name, t->line, what);
	return -1;
}

/* The line that starts at `at`, as far as it makes sense to show it. */
static int trace_bad_line(const struct trace *t, const char *at, char *why,
			  size_t size)
{
	char what[160];
	int n = (int)strcspn(at, "\r\n");
	int i;

	n = n > 60 ? 60 : n;
	snprintf(what, sizeof(what), TRACE_EXPECTED ", got '%.*s'", n, at);
	for (i = 0; what[i]; i++)
		if (what[i] < ' ' || what[i] > '~')
			what[i] = '?';
	return trace_fail(t, why, size, what);
}

/* Gets more text behind what is left. A last line without newline gets one. */
static int trace_fill(struct trace *t, char *why, size_t size)
{
	size_t left = (size_t)(t->end - t->at);
	int n, err;

	if (left > TRACE_LINE_MAX) {
		t->line++;
		return trace_bad_line(t, t->at, why, size);
	}
	memmove(t->text, t->at, left);
	t->at = t->text;
	t->end = t->text + left;
	n = gzread(t->file, t->end, TRACE_BYTES - 1);
	gzerror(t->file, &err);
	/* What came before the damage is told to the parser first. */
	if (n < 0 || (n == 0 && err != Z_OK && err != Z_STREAM_END)) {
		t->line++;
		return trace_fail(t, why, size,
				  "expected a whole file, this one is damaged or cut off");
	}
	t->end += n;
	t->eof = n == 0;
	if (t->eof && left)
		*t->end++ = '\n';
	*t->end = '\n'; /* a parser that runs on stops here */
	return 0;
}

static inline const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* A digit's value and one; 0: no digit. */
static const uint8_t hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static inline const char *parse_hex(const char *s, uint64_t *v)
{
	const char *first;
	unsigned int d;

	if (s[0] == '0' && (s[1] | 0x20) == 'x')
		s += 2;
	first = s;
	for (*v = 0; (d = hex_digits[(unsigned char)*s]); s++)
		*v = *v << 4 | (d - 1);
	return s == first || s - first > 16 ? NULL : s;
}

static inline const char *parse_decimal(const char *s, uint64_t *v)
{
	const char *first = s;
	unsigned int d;

	for (*v = 0; (d = (unsigned char)*s - '0') < 10; s++)
		*v = *v * 10 + d;
	return s == first || s - first > 18 ? NULL : s;
}

/* DRAMsim3 takes these names in capitals and in small letters. */
static inline const char *parse_kind(const char *s, struct ppim_dram_req *req)
{
	if (!memcmp(s, "READ", 4) || !memcmp(s, "read", 4)) {
		req->write = 0;
		return s + 4;
	}
	if (!memcmp(s, "WRITE", 5) || !memcmp(s, "write", 5)) {
		req->write = 1;
		return s + 5;
	}
	return NULL;
}

/* The text goes on for at least a word behind each field: *end is a newline
 * that stops every field, and the buffer is longer than that. */
static inline const char *parse_line(const char *s, struct ppim_dram_req *req)
{
	uint64_t addr, cycle;

	s = parse_hex(s, &addr);
	if (!s || (*s != ' ' && *s != '\t'))
		return NULL;
	s = parse_kind(skip_blanks(s), req);
	if (!s || (*s != ' ' && *s != '\t'))
		return NULL;
	s = parse_decimal(skip_blanks(s), &cycle);
	if (!s)
		return NULL;
	req->addr = addr;
	req->cycle = cycle & INT64_MAX;
	s = skip_blanks(s);
	s += *s == '\r';
	return *s == '\n' ? s : NULL;
}

/* A line that is empty, malformed, or not all there yet. Returns 0 or -1. */
static int trace_odd_line(struct trace *t, char *why, size_t size)
{
	size_t left = (size_t)(t->end - t->at);
	const char *nl = memchr(t->at, '\n', left);

	if (!nl)
		return trace_fill(t, why, size);
	t->line++;
	if (strspn(t->at, " \t\r") < (size_t)(nl - t->at))
		return trace_bad_line(t, t->at, why, size);
	t->at += nl - t->at + 1;
	return 0;
}

int64_t trace_read(struct trace *t, struct ppim_dram_req *reqs, size_t n,
		   char *why, size_t why_size)
{
	const char *end;
	size_t i = 0;

	while (i < n && !(t->eof && t->at == t->end)) {
		end = parse_line(skip_blanks(t->at), &reqs[i]);
		if (end && end < t->end) {
			t->at += end - t->at + 1;
			t->line++;
			i++;
		} else if (trace_odd_line(t, why, why_size)) {
			return -1;
		}
	}
	return (int64_t)i;
}
