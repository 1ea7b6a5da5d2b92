// SPDX-License-Identifier: MIT
/*
 * Reader of Criteo's raw format: tab separated, no header, a label, 13 integers
 * and 26 categories of 8 hexadecimal digits; any field may be empty. Strict:
 * the first thing that is wrong is named by file, line and field.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "workload.h"

#define FIELDS (1 + WL_CRITEO_INTEGERS + WL_CRITEO_CATEGORIES)
/* A line of 40 full fields has about 500 bytes. */
#define LINE_BYTES 4096

struct wl_criteo {
	gzFile gz;
	uint64_t line_no;
	const char *path; /* the caller's */
	char line[LINE_BYTES];
};

int wl_criteo_open(const char *path, struct wl_criteo **out,
		   struct wl_diag *diag)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : dup(STDIN_FILENO);
	struct wl_criteo *tsv;

	if (fd < 0)
		return wl_fail(diag, -errno, "%s: %s", path, strerror(errno));
	tsv = calloc(1, sizeof(*tsv));
	if (tsv)
		tsv->gz = gzdopen(fd, "rb");
	if (!tsv || !tsv->gz) {
		close(fd);
		free(tsv);
		return wl_fail(diag, -ENOMEM, "%s: no memory to read it", path);
	}
	gzbuffer(tsv->gz, 1 << 16);
	tsv->path = path;
	*out = tsv;
	return 0;
}

void wl_criteo_close(struct wl_criteo *tsv)
{
	if (!tsv)
		return;
	gzclose(tsv->gz);
	free(tsv);
}

static int line_fail(const struct wl_criteo *tsv, struct wl_diag *diag,
		     const char *what)
{
	return wl_fail(diag, -EINVAL, "%s:%llu: %s", tsv->path,
		       (unsigned long long)tsv->line_no, what);
}

static int read_fail(const struct wl_criteo *tsv, struct wl_diag *diag)
{
	int err;
	const char *why = gzerror(tsv->gz, &err);

	if (err == Z_ERRNO)
		return wl_fail(diag, -errno, "%s: %s", tsv->path,
			       strerror(errno));
	return wl_fail(diag, -EINVAL, "%s: after line %llu: gzip: %s",
		       tsv->path, (unsigned long long)tsv->line_no, why);
}

/* A file that ends in a line may be a gzip'd one that was cut. */
static bool read_broken(const struct wl_criteo *tsv)
{
	int err;

	gzerror(tsv->gz, &err);
	return err != Z_OK && err != Z_STREAM_END;
}

/* Reads a line without its end: 1, 0 at the end of the file. `whole` says
 * whether a line end was there. */
static int line_read(struct wl_criteo *tsv, bool *whole, struct wl_diag *diag)
{
	size_t len;
	int err;

	tsv->line[LINE_BYTES - 2] = '\0';
	if (!gzgets(tsv->gz, tsv->line, LINE_BYTES)) {
		gzerror(tsv->gz, &err);
		return err == Z_OK ? 0 : read_fail(tsv, diag);
	}
	tsv->line_no++;
	len = strlen(tsv->line);
	if (tsv->line[LINE_BYTES - 2] && tsv->line[LINE_BYTES - 2] != '\n')
		return line_fail(tsv, diag, "line longer than 4094 bytes");
	*whole = len && tsv->line[len - 1] == '\n';
	if (*whole)
		tsv->line[--len] = '\0';
	else if (read_broken(tsv))
		return read_fail(tsv, diag);
	if (len && tsv->line[len - 1] == '\r')
		tsv->line[len - 1] = '\0';
	return 1;
}

static bool label_valid(const char *field)
{
	return !*field || ((*field == '0' || *field == '1') && !field[1]);
}

static bool integer_valid(const char *field)
{
	if (!*field)
		return true;
	field += *field == '-';
	if (!*field)
		return false;
	return !field[strspn(field, "0123456789")];
}

static bool category_parse(const char *field, uint64_t *category)
{
	if (!*field) {
		*category = WL_CRITEO_EMPTY;
		return true;
	}
	if (strlen(field) != 8 ||
	    field[strspn(field, "0123456789abcdefABCDEF")])
		return false;
	*category = strtoul(field, NULL, 16);
	return true;
}

static int field_fail(const struct wl_criteo *tsv, unsigned int field,
		      const char *expected, const char *text,
		      struct wl_diag *diag)
{
	return wl_fail(diag, -EINVAL,
		       "%s:%llu: field %u: expected %s, got '%.40s'", tsv->path,
		       (unsigned long long)tsv->line_no, field + 1, expected,
		       text);
}

static int field_parse(const struct wl_criteo *tsv, unsigned int field,
		       const char *text, uint64_t *category,
		       struct wl_diag *diag)
{
	if (!field) {
		if (!label_valid(text))
			return field_fail(tsv, field, "a label 0 or 1", text,
					  diag);
	} else if (field <= WL_CRITEO_INTEGERS) {
		if (!integer_valid(text))
			return field_fail(tsv, field, "an integer or nothing",
					  text, diag);
	} else if (!category_parse(text,
				   &category[field - 1 - WL_CRITEO_INTEGERS])) {
		return field_fail(tsv, field, "8 hexadecimal digits or nothing",
				  text, diag);
	}
	return 0;
}

static unsigned int line_split(char *line, char *field[FIELDS])
{
	unsigned int n = 0;
	char *text;

	while ((text = strsep(&line, "\t"))) {
		if (n < FIELDS)
			field[n] = text;
		n++;
	}
	return n;
}

static int line_parse(struct wl_criteo *tsv, bool whole, uint64_t *category,
		      struct wl_diag *diag)
{
	char *field[FIELDS];
	unsigned int n, i;
	int ret;

	n = line_split(tsv->line, field);
	if (n != FIELDS)
		return wl_fail(
			diag, -EINVAL,
			"%s:%llu: expected %u fields separated by tabs, got %u%s",
			tsv->path, (unsigned long long)tsv->line_no, FIELDS, n,
			whole ? "" : " (truncated file?)");
	for (i = 0; i < n; i++) {
		ret = field_parse(tsv, i, field[i], category, diag);
		if (ret)
			return ret;
	}
	/* eight digits are complete; nothing may have been more */
	if (!whole && !*field[FIELDS - 1])
		return line_fail(
			tsv, diag,
			"truncated: no line end after an empty last field");
	return 1;
}

int wl_criteo_next(struct wl_criteo *tsv,
		   uint64_t category[WL_CRITEO_CATEGORIES],
		   struct wl_diag *diag)
{
	bool whole = true;
	int ret;

	ret = line_read(tsv, &whole, diag);
	if (ret <= 0)
		return ret;
	return line_parse(tsv, whole, category, diag);
}
