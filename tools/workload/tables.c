// SPDX-License-Identifier: MIT
/* Cardinalities of the tables. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workload.h"

/* Criteo Kaggle display advertising challenge: distinct values of its 26
 * categorical columns, 33,762,577 in all. */
static const uint64_t kaggle[] = {
	1460,  583,  10131227, 2202608, 305, 24,     12517,   633,    3,
	93145, 5683, 8351593,  3194,	27,  14992,  5461306, 10,     5652,
	2173,  4,    7046547,  18,	15,  286181, 105,     142572,
};

/* Criteo Terabyte click logs, hashed to at most ten million each. */
static const uint64_t terabyte[] = {
	9980333, 36084,	  17217,   7378,    20134,  3,	   7112, 1442, 61,
	9758201, 1333352, 313829,  10,	    2208,   11156, 122,	 4,    970,
	14,	 9994222, 7267859, 9946608, 415421, 12420, 101,	 36,
};

int wl_fail(struct wl_diag *diag, int err, const char *fmt, ...)
{
	va_list ap;

	if (!diag)
		return err;
	va_start(ap, fmt);
	vsnprintf(diag->msg, sizeof(diag->msg), fmt, ap);
	va_end(ap);
	return err;
}

static void tables_set(struct wl_tables *out, const char *label,
		       const uint64_t *rows, uint32_t n)
{
	snprintf(out->label, sizeof(out->label), "%s", label);
	memcpy(out->rows, rows, n * sizeof(*rows));
	out->n = n;
}

/* Returns the line's first character that is no blank, its end trimmed. */
static char *line_trim(char *line)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return line;
}

static int cardinality_parse(const char *text, uint64_t *rows)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*rows = strtoull(text, &end, 10);
	if (*end || errno || !*rows || *rows > PPIM_MAX_ROWS)
		return -EINVAL;
	return 0;
}

/* A line of `len` bytes, its newline among them. */
static int tables_line(char *line, size_t len, struct wl_tables *out,
		       struct wl_diag *diag)
{
	bool whole = strlen(line) == len;
	char *text = line_trim(line);

	if (whole && !*text)
		return 0;
	if (out->n == WL_MAX_TABLES)
		return wl_fail(diag, -EINVAL, "more than %u tables",
			       WL_MAX_TABLES);
	if (!whole || cardinality_parse(text, &out->rows[out->n]))
		return wl_fail(
			diag, -EINVAL,
			"expected one cardinality from 1 to %llu, got '%.40s'%s",
			PPIM_MAX_ROWS, text, whole ? "" : " and a NUL");
	out->n++;
	return 0;
}

static int tables_read(FILE *f, const char *path, struct wl_tables *out,
		       struct wl_diag *diag)
{
	unsigned int line_no = 0;
	struct wl_diag why;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int ret = 0;

	out->n = 0;
	while (!ret && (len = getline(&line, &room, f)) >= 0) {
		line_no++;
		ret = tables_line(line, (size_t)len, out, &why);
	}
	free(line);
	if (ret)
		return wl_fail(diag, ret, "%s:%u: %s", path, line_no, why.msg);
	if (ferror(f))
		return wl_fail(diag, -EIO, "%s: %s", path, strerror(errno));
	if (!out->n)
		return wl_fail(diag, -EINVAL, "%s: no cardinality in it", path);
	return 0;
}

static int tables_read_file(const char *path, struct wl_tables *out,
			    struct wl_diag *diag)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdin : fopen(path, "r");
	const char *base;
	int ret;

	if (standard)
		path = "standard input";
	base = strrchr(path, '/');
	if (!f)
		return wl_fail(
			diag, -errno,
			"%s: %s (tables are kaggle, terabyte, or a file of cardinalities)",
			path, strerror(errno));
	ret = tables_read(f, path, out, diag);
	if (!standard)
		fclose(f);
	snprintf(out->label, sizeof(out->label), "%s", base ? base + 1 : path);
	return ret;
}

int wl_tables_load(const char *name, struct wl_tables *out,
		   struct wl_diag *diag)
{
	if (!strcmp(name, "kaggle"))
		tables_set(out, name, kaggle, sizeof(kaggle) / sizeof(*kaggle));
	else if (!strcmp(name, "terabyte"))
		tables_set(out, name, terabyte,
			   sizeof(terabyte) / sizeof(*terabyte));
	else
		return tables_read_file(name, out, diag);
	return 0;
}

void wl_table_name(uint32_t table, char *buf, size_t bytes)
{
	snprintf(buf, bytes, "C%u", table + 1);
}
