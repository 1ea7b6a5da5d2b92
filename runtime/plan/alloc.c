// SPDX-License-Identifier: MIT
/*
 * Lowest offset that fits, as the driver allocates: per bank group and for the
 * DIMM a list of what is taken, in order of offsets. Sizes are rounded up to
 * the alignment, the areas' own down, so every gap begins and ends aligned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan_int.h"

struct range {
	uint64_t start, end;
};

struct area {
	struct range *taken;
	size_t n, cap;
	uint64_t bytes;
	uint64_t used;
};

struct ppim_plan_alloc {
	uint32_t slices;
	uint64_t align;
	struct area area[]; /* slices of them, then the DIMM */
};

int ppim_plan_alloc_create(const struct ppim_plan_geometry *geo,
			   struct ppim_plan_alloc **alloc)
{
	struct ppim_plan_alloc *a;
	uint32_t i;

	if (!geo->slices || !geo->align || geo->align & (geo->align - 1))
		return -EINVAL;
	a = calloc(1, sizeof(*a) + ((size_t)geo->slices + 1) * sizeof(*a->area));
	if (!a)
		return -ENOMEM;
	a->slices = geo->slices;
	a->align = geo->align;
	for (i = 0; i < a->slices; i++)
		a->area[i].bytes = geo->slice_bytes & ~(a->align - 1);
	a->area[a->slices].bytes = geo->dimm_bytes & ~(a->align - 1);
	*alloc = a;
	return 0;
}

void ppim_plan_alloc_free(struct ppim_plan_alloc *a)
{
	uint32_t i;

	if (!a)
		return;
	for (i = 0; i <= a->slices; i++)
		free(a->area[i].taken);
	free(a);
}

static int area_clone(const struct area *from, struct area *to)
{
	*to = *from;
	to->cap = from->n;
	to->taken = NULL;
	if (!from->n)
		return 0;
	to->taken = malloc(from->n * sizeof(*to->taken));
	if (!to->taken)
		return -ENOMEM;
	memcpy(to->taken, from->taken, from->n * sizeof(*to->taken));
	return 0;
}

int plan_alloc_clone(const struct ppim_plan_alloc *from,
		     const struct ppim_plan_geometry *geo,
		     struct ppim_plan_alloc **to)
{
	uint32_t i;
	int ret;

	ret = ppim_plan_alloc_create(geo, to);
	if (ret || !from)
		return ret;
	if (from->slices != geo->slices || from->align != geo->align)
		ret = -EINVAL;
	for (i = 0; !ret && i <= from->slices; i++)
		ret = from->area[i].bytes == (*to)->area[i].bytes ?
			      area_clone(&from->area[i], &(*to)->area[i]) :
			      -EINVAL;
	if (ret) {
		ppim_plan_alloc_free(*to);
		*to = NULL;
	}
	return ret;
}

static int area_index(const struct ppim_plan_alloc *a, uint32_t tier,
		      uint32_t slice, uint32_t *i)
{
	if (tier == PPIM_TIER_DIMM)
		*i = a->slices;
	else if (tier == PPIM_TIER_HBM && slice < a->slices)
		*i = slice;
	else
		return -EINVAL;
	return 0;
}

/* The gap before taken[i] (i == n: behind the last). */
static uint64_t gap(const struct area *r, size_t i, uint64_t *start)
{
	uint64_t end = i < r->n ? r->taken[i].start : r->bytes;

	*start = i ? r->taken[i - 1].end : 0;
	return end - *start;
}

/* 0 if no area is that large. */
static uint64_t size_round(const struct ppim_plan_alloc *a, uint64_t bytes)
{
	return bytes > UINT64_MAX - a->align ?
		       0 : (bytes + a->align - 1) & ~(a->align - 1);
}

static int area_insert(struct area *r, size_t i, uint64_t start, uint64_t bytes)
{
	size_t cap = r->cap ? r->cap * 2 : 16;
	struct range *v;

	if (r->n == r->cap) {
		v = realloc(r->taken, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		r->taken = v;
		r->cap = cap;
	}
	memmove(r->taken + i + 1, r->taken + i,
		(r->n - i) * sizeof(*r->taken));
	r->taken[i] = (struct range){ start, start + bytes };
	r->n++;
	r->used += bytes;
	return 0;
}

int ppim_plan_alloc_take(struct ppim_plan_alloc *a, uint32_t tier,
			 uint32_t slice, uint64_t bytes, uint64_t *offset)
{
	uint64_t start;
	struct area *r;
	uint32_t k;
	size_t i;
	int ret;

	if (area_index(a, tier, slice, &k) || !bytes)
		return -EINVAL;
	bytes = size_round(a, bytes);
	if (!bytes)
		return -ENOSPC;
	r = &a->area[k];
	for (i = 0; i <= r->n; i++) {
		if (gap(r, i, &start) < bytes)
			continue;
		ret = area_insert(r, i, start, bytes);
		if (!ret)
			*offset = start;
		return ret;
	}
	return -ENOSPC;
}

int ppim_plan_alloc_give(struct ppim_plan_alloc *a, uint32_t tier,
			 uint32_t slice, uint64_t offset, uint64_t bytes)
{
	struct area *r;
	uint32_t k;
	size_t i;

	if (area_index(a, tier, slice, &k))
		return -EINVAL;
	r = &a->area[k];
	for (i = 0; i < r->n; i++)
		if (r->taken[i].start == offset)
			break;
	bytes = size_round(a, bytes);
	if (i == r->n || r->taken[i].end - offset != bytes)
		return -EINVAL;
	memmove(r->taken + i, r->taken + i + 1,
		(r->n - i - 1) * sizeof(*r->taken));
	r->n--;
	r->used -= bytes;
	return 0;
}

uint64_t ppim_plan_alloc_room(const struct ppim_plan_alloc *a, uint32_t tier,
			      uint32_t slice)
{
	uint32_t k;

	if (area_index(a, tier, slice, &k))
		return 0;
	return a->area[k].bytes - a->area[k].used;
}

uint64_t plan_alloc_hole(const struct ppim_plan_alloc *a, uint32_t tier,
			 uint32_t slice)
{
	uint64_t start, size, best = 0;
	uint32_t k;
	size_t i;

	if (area_index(a, tier, slice, &k))
		return 0;
	for (i = 0; i <= a->area[k].n; i++) {
		size = gap(&a->area[k], i, &start);
		if (size > best)
			best = size;
	}
	return best;
}
