/* SPDX-License-Identifier: MIT */
/* Shared by the planner's files; not installed. */
#ifndef PPIM_PLAN_INT_H
#define PPIM_PLAN_INT_H

#include <stdbool.h>
#include "plan.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct plan_count {
	uint64_t row;
	uint64_t count;
};

/* Why a main subtable's rows are where they are. The first that applies to
 * the rows as a whole; plan_explain.c turns it into words. */
enum plan_reason {
	PLAN_BY_PROFILE,	/* the hottest rows until the share is served */
	PLAN_NO_PROFILE,	/* all in the HBM */
	PLAN_FORCED,		/* the table's tier was given */
	PLAN_HBM_FULL,		/* the coldest spilled */
	PLAN_DIMM_FULL,		/* more in the HBM than wanted */
};

/* Why a shared subtable has no copies. */
enum plan_copies {
	PLAN_COPIES,
	PLAN_COPIES_OFF,	/* told so */
	PLAN_COPIES_LARGE,	/* one would take too much of a bank group */
	PLAN_COPIES_ROOM,	/* all copies together would */
	PLAN_COPIES_EXTENTS,	/* the device takes fewer extents */
};

enum plan_hint {
	PLAN_HINT,
	PLAN_HINT_NEVER,	/* this subtable is not what is prefetched */
	PLAN_HINT_OFF,
	PLAN_HINT_NO_COPIES,
	PLAN_HINT_SRAM,		/* not one row fits */
};

/* One subtable in the plan: the result, and what led to it. */
struct plan_sub {
	struct ppim_plan_sub pub;	/* extents and map are owned */
	enum plan_copies copies;
	enum plan_hint hint;
};

/*
 * One table. A main subtable's rows have one order, hottest first: seen rows by
 * count, then rows that were not seen by number. The first hbm_rows of it live
 * in the HBM.
 */
struct plan_table {
	char name[64];
	struct ppim_shape shape;
	uint8_t tier;
	uint8_t duplicate;
	uint8_t prefetch;
	uint32_t hot_ppm;
	uint32_t n_sub;
	uint32_t main;
	struct plan_sub sub[PPIM_MAX_SUBTABLES];

	struct plan_count *by_row;	/* seen rows */
	struct plan_count *by_heat;
	size_t n_seen;
	uint64_t accesses;
	uint64_t hbm_rows;
	uint64_t wanted;	/* hbm_rows before capacity had its say */
	enum plan_reason reason;
};

struct ppim_plan {
	struct ppim_plan_geometry geo;
	uint32_t n;
	struct plan_table *table;
	struct ppim_plan_alloc *alloc;
	uint32_t stripe;	/* bank groups that a main subtable may use */
	uint64_t hbm_hole;	/* largest gap that every bank group has */
	uint64_t hbm_fixed;	/* of it, taken by shared subtables */
	uint64_t dimm_hole;
	uint32_t next_slice;	/* where the next subtable's stripes begin */
	struct ppim_plan_summary sum;
};

/* Fills err (may be NULL) and returns ret. */
int plan_fail(struct ppim_plan_error *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "users.Q" */
static inline const char *plan_sub_letter(const struct ppim_shape *shape,
					  uint32_t sub)
{
	return ppim_plan_sub_name(shape->algo, sub);
}

static inline uint32_t plan_main_sub(const struct ppim_shape *shape)
{
	return shape->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : PPIM_SUB_Q;
}

static inline uint64_t plan_align(const struct ppim_plan *p, uint64_t bytes)
{
	return (bytes + p->geo.align - 1) & ~(uint64_t)(p->geo.align - 1);
}

/* Bytes that `rows` rows take in the fullest of n bank groups. */
static inline uint64_t plan_stripe_bytes(uint64_t rows, uint32_t n,
					 uint32_t stride)
{
	return (rows / n + (rows % n != 0)) * stride;
}

/* profile.c: the counts, merged, in row order; *out is the caller's. */
int plan_profile_sorted(const struct ppim_plan_profile *profile,
			struct plan_count **out, size_t *n);
uint64_t plan_profile_rows(const struct ppim_plan_profile *profile);

/* alloc.c */
int plan_alloc_clone(const struct ppim_plan_alloc *from,
		     const struct ppim_plan_geometry *geo,
		     struct ppim_plan_alloc **to);
uint64_t plan_alloc_hole(const struct ppim_plan_alloc *alloc, uint32_t tier,
			 uint32_t slice);

/* select.c: how many rows of each main subtable go to the HBM. */
int plan_select(struct ppim_plan *p, struct ppim_plan_error *err);

/* place.c: extents, offsets and maps. */
int plan_place(struct ppim_plan *p, struct ppim_plan_error *err);

#endif
