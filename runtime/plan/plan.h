/* SPDX-License-Identifier: MIT */
/*
 * The placement planner: which rows of which subtable live in which tier and
 * bank group, what is duplicated, what is prefetched, and why. Plain C without
 * a system call but memory, no global state. libppim applies a plan to a
 * device; ppim-sim feeds the same plan to the model: same input, same plan,
 * byte for byte, on every machine.
 *
 * The rules:
 *  - The *main* subtable (W, Q, G2) is striped over all bank groups. With a
 *    profile, the hottest rows go to the HBM until it serves hot_ppm of the
 *    table's accesses, the others to the DIMM; rows that the profile has not
 *    seen are cold. Without a profile all rows go to the HBM. What the HBM
 *    cannot hold spills, coldest first, to the DIMM.
 *  - The *shared* subtables (R; G1 and G3) are duplicated into every bank
 *    group, unless a copy would take more than an eighth of one; then, or if
 *    told so, they are striped over the HBM like a main subtable.
 *  - R and G1 get the prefetch hint if they are duplicated and the SRAM of a
 *    bg-PIM can hold at least one row.
 *  - A row map exists only where a subtable is split between the tiers.
 *  - Equal counts are ordered by table, then by row number.
 *
 * A plan names offsets as well: those that a fresh device gives when the
 * subtables are placed in order (table by table, subtable by subtable), for
 * each its extents in order and then its map: the lowest aligned offset that
 * fits.
 */
#ifndef PPIM_PLAN_H
#define PPIM_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <linux/ppim_defs.h>
#include <linux/ppim_shape.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PPIM_PLAN_API __attribute__((visibility("default")))

/* Why a call failed: one line without newline. */
struct ppim_plan_error {
	char msg[256];
};

/* ---- profile: how often each row of a main subtable is read ------------- */

struct ppim_plan_profile;

/* For a table of this shape. 0, -EINVAL (shape) or -ENOMEM. */
PPIM_PLAN_API int ppim_plan_profile_create(const struct ppim_shape *shape,
					   struct ppim_plan_profile **profile);
PPIM_PLAN_API void ppim_plan_profile_free(struct ppim_plan_profile *profile);

/*
 * Adds what one lookup of each index reads. An index equal to *skip (NULL: no
 * such index) is passed over, as the padding index is. -ERANGE, and nothing
 * added, if an index is outside the table.
 */
PPIM_PLAN_API int ppim_plan_profile_add(struct ppim_plan_profile *profile,
					const int64_t *indices, size_t n,
					const int64_t *skip);

/* Adds `count` reads of row `row` of the main subtable. */
PPIM_PLAN_API int ppim_plan_profile_add_row(struct ppim_plan_profile *profile,
					    uint64_t row, uint64_t count);

/* Sum of all counts. */
PPIM_PLAN_API uint64_t
ppim_plan_profile_accesses(const struct ppim_plan_profile *profile);

/* ---- input -------------------------------------------------------------- */

/* What struct ppim_ioc_info or struct ppim_geometry say of the device. */
struct ppim_plan_geometry {
	uint32_t slices; /* bank groups of all channels */
	uint32_t channels; /* slice s is in channel s / (slices / channels) */
	uint64_t slice_bytes;
	uint64_t dimm_bytes; /* 0: no DIMM */
	uint32_t sram_bytes; /* of one bg-PIM */
	uint32_t align; /* of offsets and row strides, a power of two */
	uint32_t hbm_row_bytes; /* one DRAM row of one bank */
	uint32_t hot_ppm; /* share of accesses for the HBM, parts per million */
	uint32_t max_extents; /* of one subtable */
};

/* A decision that is taken by rule, or taken out of the planner's hands. */
enum ppim_plan_choice {
	PPIM_PLAN_AUTO = 0,
	PPIM_PLAN_NO = 1,
	PPIM_PLAN_YES = 2, /* an error if it cannot be done */
};

/* Where a table's main subtable goes. */
enum ppim_plan_tier {
	PPIM_PLAN_TIER_AUTO = 0,
	PPIM_PLAN_TIER_HBM = 1, /* all rows; an error if they do not fit */
	PPIM_PLAN_TIER_DIMM = 2,
};

struct ppim_plan_table {
	const char *name; /* for messages; NULL: "table N" */
	struct ppim_shape shape;
	const struct ppim_plan_profile *profile; /* NULL: none */
	uint8_t tier; /* enum ppim_plan_tier */
	uint8_t duplicate; /* enum ppim_plan_choice; AUTO: the options' */
	uint8_t prefetch; /* enum ppim_plan_choice; AUTO: the options' */
	uint32_t hot_ppm; /* 0: the options' */
};

struct ppim_plan_options {
	uint32_t hot_ppm; /* 0: the geometry's; at most 1000000 */
	uint8_t duplicate; /* enum ppim_plan_choice */
	uint8_t prefetch; /* enum ppim_plan_choice */
};

/* The bandwidth-proportional share: 1e6 * hbm / (hbm + dimm), rounded down.
 * 952380 for 4 x 256 GB/s beside 51.2 GB/s. */
PPIM_PLAN_API uint32_t ppim_plan_hot_ppm(double hbm_bandwidth,
					 double dimm_bandwidth);

/* ---- allocation as the driver does it ----------------------------------- */

struct ppim_plan_alloc;

PPIM_PLAN_API int ppim_plan_alloc_create(const struct ppim_plan_geometry *geo,
					 struct ppim_plan_alloc **alloc);
PPIM_PLAN_API void ppim_plan_alloc_free(struct ppim_plan_alloc *alloc);

/* Takes the lowest aligned offset of a slice (HBM) or of the DIMM at which
 * `bytes` fit. 0, -EINVAL, -ENOSPC or -ENOMEM. */
PPIM_PLAN_API int ppim_plan_alloc_take(struct ppim_plan_alloc *alloc,
				       uint32_t tier, uint32_t slice,
				       uint64_t bytes, uint64_t *offset);

/* Gives back what take() gave: -EINVAL if it did not. */
PPIM_PLAN_API int ppim_plan_alloc_give(struct ppim_plan_alloc *alloc,
				       uint32_t tier, uint32_t slice,
				       uint64_t offset, uint64_t bytes);

/* Bytes not taken; the slice is ignored for the DIMM. */
PPIM_PLAN_API uint64_t ppim_plan_alloc_room(const struct ppim_plan_alloc *alloc,
					    uint32_t tier, uint32_t slice);

/* ---- plan --------------------------------------------------------------- */

struct ppim_plan;

/* The same fields and order as struct ppim_ioc_extent. */
struct ppim_plan_extent {
	uint32_t tier; /* enum ppim_tier */
	uint32_t slice; /* HBM: bank group */
	uint64_t rows;
	uint64_t offset; /* bytes into slice or tier, on a fresh device */
};

/* One subtable's placement; all pointers live as long as the plan. */
struct ppim_plan_sub {
	uint64_t rows;
	uint32_t row_bytes;
	uint32_t row_stride;
	uint32_t flags; /* PPIM_SUBF_* */
	uint32_t n_extents;
	const struct ppim_plan_extent *extents;
	const uint32_t *map; /* `rows` entries, or NULL; as in ppim.h */
	uint32_t map_bits;
	uint32_t map_tier;
	uint32_t map_slice;
	uint64_t map_offset;
	uint64_t map_bytes; /* 0 without a map */
	uint64_t hbm_rows; /* rows that live in the HBM */
	uint64_t hbm_bytes; /* taken, copies included, maps excluded */
	uint64_t dimm_bytes;
	uint64_t accesses; /* by the profile; 0 without one */
	uint64_t accesses_hbm; /* of these, served by the HBM */
};

/*
 * Makes a plan. `start` says what is taken already and is not changed (NULL:
 * the device is fresh). Tables and options are copied, profiles are not needed
 * afterwards. Returns 0, -EINVAL, -ENOSPC (does not fit), -E2BIG (needs more
 * extents or map bits than there are) or -ENOMEM, with *err filled (err may be
 * NULL) and *plan untouched.
 */
PPIM_PLAN_API int ppim_plan_create(const struct ppim_plan_geometry *geo,
				   const struct ppim_plan_table *tables,
				   uint32_t n_tables,
				   const struct ppim_plan_options *options,
				   const struct ppim_plan_alloc *start,
				   struct ppim_plan **plan,
				   struct ppim_plan_error *err);
PPIM_PLAN_API void ppim_plan_free(struct ppim_plan *plan);

PPIM_PLAN_API uint32_t ppim_plan_tables(const struct ppim_plan *plan);

/* NULL if there is no such table or subtable. */
PPIM_PLAN_API const struct ppim_plan_sub *
ppim_plan_sub(const struct ppim_plan *plan, uint32_t table, uint32_t sub);

/* "W"; "Q", "R"; "G1", "G2", "G3". NULL if the algorithm has no such subtable. */
PPIM_PLAN_API const char *ppim_plan_sub_name(uint32_t algo, uint32_t sub);

/* Where one row is: for a duplicated subtable, in extent `copy`. */
struct ppim_plan_loc {
	uint32_t extent;
	uint32_t tier;
	uint32_t slice;
	uint64_t offset;
};

/* 0, or -ERANGE if there is no such row or copy. */
PPIM_PLAN_API int ppim_plan_locate(const struct ppim_plan_sub *sub,
				   uint64_t row, uint32_t copy,
				   struct ppim_plan_loc *loc);

/*
 * Why is this row where it is? One line, at most n bytes with the terminator.
 * Returns its full length like snprintf, or -ERANGE if there is no such row.
 */
PPIM_PLAN_API int ppim_plan_explain(const struct ppim_plan *plan,
				    uint32_t table, uint32_t sub, uint64_t row,
				    char *buf, size_t n);

/* The same for a subtable as a whole: tiers, copies, hint and the reasons. */
PPIM_PLAN_API int ppim_plan_explain_sub(const struct ppim_plan *plan,
					uint32_t table, uint32_t sub,
					char *buf, size_t n);

/* Totals over all tables. */
struct ppim_plan_summary {
	uint64_t hbm_bytes; /* taken, copies and maps included */
	uint64_t dimm_bytes;
	uint64_t accesses;
	uint64_t accesses_hbm;
	uint32_t duplicated; /* subtables */
	uint32_t prefetched;
	uint32_t mapped;
};
PPIM_PLAN_API void ppim_plan_summary(const struct ppim_plan *plan,
				     struct ppim_plan_summary *out);

#ifdef __cplusplus
}
#endif

#endif
