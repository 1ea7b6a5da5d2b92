// SPDX-License-Identifier: MIT
/*
 * How often rows are read: an array of (row, count) whose front is sorted and
 * merged; new entries go to the end, and are merged in when the array is full.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan_int.h"

struct ppim_plan_profile {
	struct ppim_shape shape;
	uint64_t rows; /* of the main subtable */
	uint64_t accesses;
	struct plan_count *v;
	size_t n, cap;
};

#define PROFILE_FIRST 1024

int ppim_plan_profile_create(const struct ppim_shape *shape,
			     struct ppim_plan_profile **profile)
{
	struct ppim_plan_profile *p;

	if (!ppim_shape_valid(shape))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->v = malloc(PROFILE_FIRST * sizeof(*p->v));
	if (!p->v) {
		free(p);
		return -ENOMEM;
	}
	p->cap = PROFILE_FIRST;
	p->shape = *shape;
	p->rows = ppim_shape_rows(shape, plan_main_sub(shape));
	*profile = p;
	return 0;
}

void ppim_plan_profile_free(struct ppim_plan_profile *profile)
{
	if (!profile)
		return;
	free(profile->v);
	free(profile);
}

static int count_by_row(const void *a, const void *b)
{
	const struct plan_count *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Sorts and merges; returns how many are left. */
static size_t counts_merge(struct plan_count *v, size_t n)
{
	size_t i, k = 0;

	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), count_by_row);
	for (i = 1; i < n; i++) {
		if (v[i].row == v[k].row)
			v[k].count = add_saturating(v[k].count, v[i].count);
		else
			v[++k] = v[i];
	}
	return k + 1;
}

/* Room for `more` entries. The array doubles when merging left it more than
 * half full, so that the cost of a merge is spread over as many additions. */
static int profile_reserve(struct ppim_plan_profile *p, size_t more)
{
	struct plan_count *v;
	size_t cap = p->cap;

	if (p->cap - p->n >= more)
		return 0;
	p->n = counts_merge(p->v, p->n);
	while (cap / 2 < p->n || cap - p->n < more) {
		if (cap > SIZE_MAX / sizeof(*v) / 2)
			return -ENOMEM;
		cap *= 2;
	}
	if (cap == p->cap)
		return 0;
	v = realloc(p->v, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	p->v = v;
	p->cap = cap;
	return 0;
}

int ppim_plan_profile_add_row(struct ppim_plan_profile *p, uint64_t row,
			      uint64_t count)
{
	int ret;

	if (row >= p->rows)
		return -ERANGE;
	ret = profile_reserve(p, 1);
	if (ret || !count)
		return ret;
	p->v[p->n++] = (struct plan_count){ row, count };
	p->accesses = add_saturating(p->accesses, count);
	return 0;
}

static uint64_t profile_row_of(const struct ppim_shape *s, uint64_t index)
{
	uint64_t p3 = s->tt_p[2];

	switch (s->algo) {
	case PPIM_ALGO_QR:
		return index / s->collisions;
	case PPIM_ALGO_TT:
		return index / p3 % s->tt_p[1];
	default:
		return index;
	}
}

static bool profile_in_range(const struct ppim_plan_profile *p,
			     const int64_t *indices, size_t n,
			     const int64_t *skip)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((uint64_t)indices[i] >= p->shape.rows &&
		    !(skip && indices[i] == *skip))
			return false;
	return true;
}

int ppim_plan_profile_add(struct ppim_plan_profile *p, const int64_t *indices,
			  size_t n, const int64_t *skip)
{
	size_t i;
	int ret;

	if (!profile_in_range(p, indices, n, skip))
		return -ERANGE;
	ret = profile_reserve(p, n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		if (skip && indices[i] == *skip)
			continue;
		p->v[p->n].row = profile_row_of(&p->shape, (uint64_t)indices[i]);
		p->v[p->n++].count = 1;
		p->accesses = add_saturating(p->accesses, 1);
	}
	return 0;
}

uint64_t ppim_plan_profile_accesses(const struct ppim_plan_profile *p)
{
	return p->accesses;
}

uint64_t plan_profile_rows(const struct ppim_plan_profile *p)
{
	return p->rows;
}

int plan_profile_sorted(const struct ppim_plan_profile *p,
			struct plan_count **out, size_t *n)
{
	struct plan_count *v;

	v = malloc((p->n ? p->n : 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	memcpy(v, p->v, p->n * sizeof(*v));
	*n = counts_merge(v, p->n);
	*out = v;
	return 0;
}
