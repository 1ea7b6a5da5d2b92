// SPDX-License-Identifier: MIT
/* A plan's decisions in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "plan_int.h"

#define LLU(x) ((unsigned long long)(x))

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* Appends like snprintf: *len counts what there would be with enough room. */
static void append(char *buf, size_t n, int *len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void append(char *buf, size_t n, int *len, const char *fmt, ...)
{
	size_t at = (size_t)*len < n ? (size_t)*len : n;
	va_list ap;

	va_start(ap, fmt);
	*len += vsnprintf(n ? buf + at : NULL, n - at, fmt, ap);
	va_end(ap);
}

static int row_order(const void *key, const void *entry)
{
	const uint64_t *row = key;
	const struct plan_count *c = entry;

	return (*row > c->row) - (*row < c->row);
}

static uint64_t row_count(const struct plan_table *t, uint64_t row)
{
	const struct plan_count *c = NULL;

	if (t->n_seen)
		c = bsearch(&row, t->by_row, t->n_seen, sizeof(*t->by_row),
			    row_order);
	return c ? c->count : 0;
}

/* Position in the order from hot to cold, of a row that was seen. */
static uint64_t row_rank(const struct plan_table *t, uint64_t row,
			 uint64_t count)
{
	size_t lo = 0, hi = t->n_seen, mid;
	const struct plan_count *c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = &t->by_heat[mid];
		if (c->count > count || (c->count == count && c->row < row))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void explain_heat(const struct plan_table *t, uint64_t row, char *buf,
			 size_t n, int *len)
{
	uint64_t count = row_count(t, row);

	if (!count) {
		append(buf, n, len, "not read in the profile (%llu reads)",
		       LLU(t->accesses));
		return;
	}
	append(buf, n, len, "read %llu times of %llu, place %llu of %llu",
	       LLU(count), LLU(t->accesses),
	       LLU(row_rank(t, row, count) + 1), LLU(t->n_seen));
}

static void explain_share(const struct plan_table *t, char *buf, size_t n,
			  int *len)
{
	const struct ppim_plan_sub *s = &t->sub[t->main].pub;

	append(buf, n, len,
	       "the HBM holds the hottest %llu of %llu rows, which serve %.2f %% of the reads",
	       LLU(s->hbm_rows), LLU(s->rows),
	       percent(s->accesses_hbm, s->accesses));
}

static void explain_reason(const struct plan_table *t, char *buf, size_t n,
			   int *len)
{
	const struct ppim_plan_sub *s = &t->sub[t->main].pub;

	switch (t->reason) {
	case PLAN_FORCED:
		append(buf, n, len, "the table's tier was given");
		break;
	case PLAN_NO_PROFILE:
		append(buf, n, len, "there is no profile and the HBM has room");
		break;
	case PLAN_BY_PROFILE:
		explain_share(t, buf, n, len);
		append(buf, n, len, " (%.2f %% wanted)", t->hot_ppm / 1e4);
		break;
	case PLAN_HBM_FULL:
		append(buf, n, len,
		       "the HBM is full: it holds %llu of the %llu rows meant for it",
		       LLU(s->hbm_rows), LLU(t->wanted));
		break;
	case PLAN_DIMM_FULL:
		append(buf, n, len,
		       "the DIMM is full: the HBM holds %llu rows, %llu were meant for it",
		       LLU(s->hbm_rows), LLU(t->wanted));
		break;
	}
}

static void explain_copies(const struct ppim_plan *p, const struct plan_sub *s,
			   char *buf, size_t n, int *len)
{
	unsigned long long bytes = LLU(s->pub.rows * s->pub.row_stride);

	switch (s->copies) {
	case PLAN_COPIES:
		append(buf, n, len,
		       "a copy in each of %u bank groups: shared by many lookups, %llu bytes each",
		       p->geo.slices, bytes);
		break;
	case PLAN_COPIES_OFF:
		append(buf, n, len, "no copies: told so");
		break;
	case PLAN_COPIES_LARGE:
		append(buf, n, len,
		       "no copies: one takes %llu bytes, more than an eighth of a bank group",
		       bytes);
		break;
	case PLAN_COPIES_ROOM:
		append(buf, n, len,
		       "no copies: with %llu bytes more, copies would fill half of each bank group",
		       bytes);
		break;
	case PLAN_COPIES_EXTENTS:
		append(buf, n, len,
		       "no copies: %u bank groups, but at most %u extents",
		       p->geo.slices, p->geo.max_extents);
		break;
	}
}

static void explain_hint(const struct ppim_plan *p, const struct plan_sub *s,
			 char *buf, size_t n, int *len)
{
	uint64_t held = p->geo.sram_bytes / s->pub.row_bytes;

	if (held > s->pub.rows)
		held = s->pub.rows;
	switch (s->hint) {
	case PLAN_HINT:
		append(buf, n, len,
		       "; prefetched: the SRAM has room for %llu of %llu rows",
		       LLU(held), LLU(s->pub.rows));
		break;
	case PLAN_HINT_NEVER:
		break;
	case PLAN_HINT_OFF:
		append(buf, n, len, "; not prefetched: told so");
		break;
	case PLAN_HINT_NO_COPIES:
		append(buf, n, len, "; not prefetched: it has no copies");
		break;
	case PLAN_HINT_SRAM:
		append(buf, n, len,
		       "; not prefetched: a row has %u bytes, the SRAM %u",
		       s->pub.row_bytes, p->geo.sram_bytes);
		break;
	}
}

static void explain_place(const struct plan_table *t, uint32_t sub,
			  uint64_t row, char *buf, size_t n, int *len)
{
	struct ppim_plan_loc loc = { 0 };

	ppim_plan_locate(&t->sub[sub].pub, row, 0, &loc);
	if (loc.tier == PPIM_TIER_DIMM)
		append(buf, n, len, "in the DIMM at %llu: ", LLU(loc.offset));
	else
		append(buf, n, len, "in the HBM, bank group %u at %llu: ",
		       loc.slice, LLU(loc.offset));
}

int ppim_plan_explain(const struct ppim_plan *p, uint32_t table, uint32_t sub,
		      uint64_t row, char *buf, size_t n)
{
	const struct ppim_plan_sub *s = ppim_plan_sub(p, table, sub);
	const struct plan_table *t;
	int len = 0;

	if (!s || row >= s->rows)
		return -ERANGE;
	t = &p->table[table];
	append(buf, n, &len, "%s.%s row %llu is ", t->name,
	       plan_sub_letter(&t->shape, sub), LLU(row));
	if (s->flags & PPIM_SUBF_DUPLICATED) {
		append(buf, n, &len, "in the HBM: ");
		explain_copies(p, &t->sub[sub], buf, n, &len);
		return len;
	}
	explain_place(t, sub, row, buf, n, &len);
	if (sub != t->main) {
		explain_copies(p, &t->sub[sub], buf, n, &len);
		return len;
	}
	if (t->accesses) {
		explain_heat(t, row, buf, n, &len);
		append(buf, n, &len, "; ");
	}
	explain_reason(t, buf, n, &len);
	return len;
}

int ppim_plan_explain_sub(const struct ppim_plan *p, uint32_t table,
			  uint32_t sub, char *buf, size_t n)
{
	const struct ppim_plan_sub *s = ppim_plan_sub(p, table, sub);
	const struct plan_table *t;
	int len = 0;

	if (!s)
		return -ERANGE;
	t = &p->table[table];
	append(buf, n, &len,
	       "%s.%s: %llu rows of %u bytes, %llu in the HBM, %llu in the DIMM: ",
	       t->name, plan_sub_letter(&t->shape, sub), LLU(s->rows),
	       s->row_bytes, LLU(s->hbm_rows), LLU(s->rows - s->hbm_rows));
	if (sub == t->main) {
		explain_reason(t, buf, n, &len);
		return len;
	}
	explain_copies(p, &t->sub[sub], buf, n, &len);
	explain_hint(p, &t->sub[sub], buf, n, &len);
	return len;
}
