// SPDX-License-Identifier: MIT
/* Placement: by plan, or by hand. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan.h"
#include "ppim_int.h"

/* A plan's extents go to the driver as they are. */
_Static_assert(sizeof(struct ppim_plan_extent) ==
	       sizeof(struct ppim_ioc_extent), "extents");
_Static_assert(offsetof(struct ppim_plan_extent, offset) ==
	       offsetof(struct ppim_ioc_extent, offset), "extents");

static int place_fail(struct ppim_plan_error *err, int ret, const char *fmt,
		      ...) __attribute__((format(printf, 3, 4)));

static int place_fail(struct ppim_plan_error *err, int ret, const char *fmt,
		      ...)
{
	va_list ap;

	if (!err)
		return ret;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return ret;
}

int ppim_place(struct ppim_tbl *t, struct ppim_ioc_place *place)
{
	place->size = sizeof(*place);
	place->table = t->handle;
	return dev_call(t->dev, PPIM_IOC_PLACE, place);
}

int ppim_duplicate(struct ppim_tbl *t, struct ppim_ioc_place *place)
{
	place->size = sizeof(*place);
	place->table = t->handle;
	return dev_call(t->dev, PPIM_IOC_DUPLICATE, place);
}

int ppim_prefetch(struct ppim_tbl *t, uint32_t sub, int enable)
{
	struct ppim_ioc_prefetch p = {
		.size = sizeof(p),
		.table = t->handle,
		.subtable = sub,
		.enable = !!enable,
	};

	return dev_call(t->dev, PPIM_IOC_PREFETCH, &p);
}

static void geometry_of(const struct ppim_ioc_info *i,
			struct ppim_plan_geometry *geo)
{
	*geo = (struct ppim_plan_geometry){
		.slices = i->slices,
		.channels = i->channels,
		.slice_bytes = i->slice_bytes,
		.dimm_bytes = i->dimm_bytes,
		.sram_bytes = i->sram_bytes,
		.align = i->align,
		.hbm_row_bytes = i->hbm_row_bytes,
		.hot_ppm = i->hot_ppm,
		.max_extents = i->max_extents,
	};
}

int ppim_plan_geometry_get(struct ppim_dev *dev, struct ppim_plan_geometry *geo)
{
	struct ppim_info info;
	int ret = ppim_info(dev, &info);

	if (!ret)
		geometry_of(&info.dev, geo);
	return ret;
}

/* ---- by plan -------------------------------------------------------------- */

static int sub_apply(struct ppim_tbl *t, uint32_t k,
		     const struct ppim_plan_sub *s)
{
	size_t bytes = s->n_extents * sizeof(struct ppim_ioc_extent);
	struct ppim_ioc_extent *extents = malloc(bytes);
	struct ppim_ioc_place place = {
		.subtable = k,
		.n_extents = s->n_extents,
		.row_stride = s->row_stride,
		.extents = (uintptr_t)extents,
	};
	int ret;

	if (!extents)
		return -ENOMEM;
	memcpy(extents, s->extents, bytes);
	if (s->map) {
		place.map = (uintptr_t)s->map;
		place.map_bits = s->map_bits;
		place.map_tier = s->map_tier;
		place.map_slice = s->map_slice;
	}
	ret = s->flags & PPIM_SUBF_DUPLICATED ? ppim_duplicate(t, &place) :
						ppim_place(t, &place);
	free(extents);
	if (!ret && s->flags & PPIM_SUBF_PREFETCH)
		ret = ppim_prefetch(t, k, 1);
	return ret;
}

static int table_apply(struct ppim_tbl *t, const struct ppim_plan *plan,
		       uint32_t i, struct ppim_plan_error *err)
{
	uint32_t k, n = ppim_shape_subtables(&t->shape);
	const struct ppim_plan_sub *s;
	int ret;

	for (k = 0; k < n; k++) {
		s = ppim_plan_sub(plan, i, k);
		if (!s || s->rows != ppim_shape_rows(&t->shape, k) ||
		    s->row_bytes != ppim_shape_row_bytes(&t->shape, k))
			return place_fail(err, -EINVAL,
					  "table %u (%s) is not the plan's",
					  i, t->name);
		ret = sub_apply(t, k, s);
		if (ret)
			return place_fail(err, ret,
					  "table %u (%s): %s cannot be placed: %s",
					  i, t->name,
					  ppim_plan_sub_name(t->shape.algo, k),
					  strerror(-ret));
	}
	return 0;
}

int ppim_place_plan(struct ppim_dev *dev, struct ppim_tbl *const *tbls,
		    uint32_t n, const struct ppim_plan *plan,
		    struct ppim_plan_error *err)
{
	uint32_t i;
	int ret;

	if (ppim_plan_tables(plan) != n)
		return place_fail(err, -EINVAL,
				  "the plan has %u tables, expected %u",
				  ppim_plan_tables(plan), n);
	for (i = 0; i < n; i++) {
		if (tbls[i]->dev != dev)
			return place_fail(err, -EINVAL,
					  "table %u (%s) is another device's",
					  i, tbls[i]->name);
		ret = table_apply(tbls[i], plan, i, err);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- automatic -------------------------------------------------------------- */

/*
 * The driver says how much of a tier is free, not where: what is taken is
 * assumed to be spread evenly over the bank groups, as plans spread it. If it
 * is not, placing ends in -ENOSPC, never in a wrong place.
 */
static int alloc_used(const struct ppim_plan_geometry *geo,
		      const struct ppim_ioc_info *info,
		      struct ppim_plan_alloc *alloc)
{
	uint64_t hbm = info->hbm_bytes - info->hbm_free;
	uint64_t dimm = info->dimm_bytes - info->dimm_free, at;
	uint32_t s;
	int ret = 0;

	hbm = (hbm + geo->slices - 1) / geo->slices;
	for (s = 0; !ret && hbm && s < geo->slices; s++)
		ret = ppim_plan_alloc_take(alloc, PPIM_TIER_HBM, s, hbm, &at);
	if (!ret && dimm)
		ret = ppim_plan_alloc_take(alloc, PPIM_TIER_DIMM, 0, dimm, &at);
	return ret;
}

static struct ppim_plan_table *
plan_tables(struct ppim_tbl *const *tbls, uint32_t n,
	    const struct ppim_plan_profile *const *profiles)
{
	struct ppim_plan_table *t = calloc(n ? n : 1, sizeof(*t));
	uint32_t i;

	for (i = 0; t && i < n; i++) {
		t[i].name = tbls[i]->name[0] ? tbls[i]->name : NULL;
		t[i].shape = tbls[i]->shape;
		t[i].profile = profiles ? profiles[i] : NULL;
	}
	return t;
}

static int plan_make(struct ppim_dev *dev, const struct ppim_plan_table *tables,
		     uint32_t n, const struct ppim_plan_options *options,
		     struct ppim_plan **plan, struct ppim_plan_error *err)
{
	struct ppim_plan_alloc *alloc = NULL;
	struct ppim_plan_geometry geo;
	struct ppim_info info;
	int ret;

	ret = ppim_info(dev, &info);
	if (ret)
		return place_fail(err, ret, "device information: %s",
				  strerror(-ret));
	geometry_of(&info.dev, &geo);
	ret = ppim_plan_alloc_create(&geo, &alloc);
	if (!ret)
		ret = alloc_used(&geo, &info.dev, alloc);
	if (ret)
		place_fail(err, ret, "what is taken of the device: %s",
			   strerror(-ret));
	else
		ret = ppim_plan_create(&geo, tables, n, options, alloc, plan,
				       err);
	ppim_plan_alloc_free(alloc);
	return ret;
}

int ppim_place_auto(struct ppim_dev *dev, struct ppim_tbl *const *tbls,
		    uint32_t n, const struct ppim_plan_profile *const *profiles,
		    const struct ppim_plan_options *options,
		    struct ppim_plan **plan, struct ppim_plan_error *err)
{
	struct ppim_plan_table *tables = plan_tables(tbls, n, profiles);
	struct ppim_plan *p = NULL;
	int ret;

	if (!tables)
		return place_fail(err, -ENOMEM, "no memory for the plan");
	ret = plan_make(dev, tables, n, options, &p, err);
	free(tables);
	if (ret)
		return ret;
	ret = ppim_place_plan(dev, tbls, n, p, err);
	if (plan && !ret)
		*plan = p;
	else
		ppim_plan_free(p);
	return ret;
}
