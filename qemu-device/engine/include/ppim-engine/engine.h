/* SPDX-License-Identifier: MIT */
/*
 * The memory and PIM model: what a batch of gather-and-reductions costs, and
 * what it answers. Plain C: no QEMU header, no system call but memory, no
 * global state; one engine per device, used by one thread at a time.
 *
 * Timing and answers are separate calls over the same resolved batch: timing
 * needs places, answers need the bytes. Neither looks at guest memory.
 */
#ifndef PPIM_ENGINE_ENGINE_H
#define PPIM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ppim_defs.h>
#include <linux/ppim_shape.h>
#include "ppim-engine/spec.h"

#define PPIM_ENGINE_API __attribute__((visibility("default")))

struct ppim_engine;

/* One contiguous run of rows (struct ppim_hw_extent in host order). */
struct ppim_extent {
	uint8_t tier;		/* enum ppim_tier */
	uint16_t slice;		/* HBM: bank group */
	uint64_t offset;	/* bytes into slice or tier */
	uint64_t rows;
};

/*
 * A subtable's placement. Row i is found by ppim_row_locate():
 * DUPLICATED, MAPPED or striped as ppim_hw.h says. `map` may be shared with a
 * guest that writes it at any time, so an entry is read once per use.
 */
struct ppim_placed {
	uint64_t rows;
	uint32_t row_bytes;
	uint32_t row_stride;
	uint32_t flags;		/* PPIM_SUBF_* */
	uint32_t n_extents;
	const struct ppim_extent *extents;
	const uint32_t *map;	/* little endian, `rows` entries, or NULL */
	uint32_t map_bits;
};

/* A table as a batch saw it. */
struct ppim_table_desc {
	uint64_t id;		/* caches and SRAM are tagged with id and epoch */
	uint32_t epoch;
	struct ppim_shape shape;
	struct ppim_placed sub[PPIM_MAX_SUBTABLES];
};

/* One table's share of a batch. All arrays are private to the engine's caller
 * and do not change while a call runs. */
struct ppim_job {
	const struct ppim_table_desc *table;
	uint32_t n_indices;
	uint32_t n_bags;
	uint8_t mode;		/* enum ppim_mode */
	uint8_t has_padding;
	int64_t padding_index;
	const int64_t *indices;
	const int64_t *offsets;	/* n_bags, first is 0 */
	const float *weights;	/* or NULL */
	/* or NULL: set by any thread, atomically, when nobody wants the result
	 * any more. ppim_engine_charge() looks at it at each command,
	 * ppim_gnr_compute() every 16 lookups, of TT every 2^24 MACs or one
	 * lookup; then they return -ECANCELED. */
	const bool *cancel;
};

struct ppim_batch {
	uint32_t arch;		/* enum ppim_arch, not DEFAULT */
	uint32_t n_jobs;
	uint32_t queue;
	const struct ppim_job *jobs;
};

/* Where and why a batch was refused: goes into a completion as it is. */
struct ppim_fault {
	uint32_t status;	/* enum ppim_status */
	uint32_t job;
	uint32_t bag;
	uint64_t detail;
};

/* Where one row is. */
struct ppim_row_loc {
	uint8_t tier;
	uint16_t slice;
	uint32_t extent;
	uint64_t offset;
};

/*
 * Finds row `row` of `p`. For a DUPLICATED subtable `copy` names the extent.
 * Returns 0, or -1 if the row map's entry names no row of no extent.
 */
PPIM_ENGINE_API int ppim_row_locate(const struct ppim_placed *p, uint64_t row,
				    uint32_t copy, struct ppim_row_loc *loc);

/* PIM, host and link parameters; ppim_params_default() says each source. */
#include "ppim-engine/params.h"

struct ppim_engine_config {
	const struct ppim_spec *hbm;	/* copied */
	const struct ppim_spec *dimm;	/* copied */
	uint64_t hbm_bytes;		/* rows are scaled to it */
	uint64_t dimm_bytes;
	struct ppim_params params;
};

/* Returns 0 and an engine that the caller frees, or -errno with a one-line
 * message that names the parameter and its range. */
PPIM_ENGINE_API int ppim_engine_create(const struct ppim_engine_config *config,
				       struct ppim_engine **engine,
				       struct ppim_diag *diag);
PPIM_ENGINE_API void ppim_engine_free(struct ppim_engine *engine);

struct ppim_geometry {
	uint32_t channels;
	uint32_t slices;		/* bank groups of all channels */
	uint64_t slice_bytes;
	uint32_t row_bytes;		/* of one bank */
	uint32_t sram_bytes;
	uint32_t archs;			/* bit per enum ppim_arch */
	uint32_t hot_ppm;		/* bandwidth-proportional share of the HBM */
};
PPIM_ENGINE_API void ppim_engine_geometry(const struct ppim_engine *engine,
					  struct ppim_geometry *out);

/*
 * Checks everything that does not need the bytes: indices in range, offsets in
 * order, extents inside the tiers, row maps of the rows that are used, and what
 * the preset needs of the placement. Returns 0 or -1 with `fault`. No state
 * changes.
 */
PPIM_ENGINE_API int ppim_engine_check(const struct ppim_engine *engine,
				      const struct ppim_batch *batch,
				      struct ppim_fault *fault);

/*
 * Charges a checked batch that arrives at arrival_ps: its commands are
 * scheduled against the state that earlier batches left. Never revised.
 * Returns 0 or -ENOMEM (state unchanged); or, when a job was cancelled,
 * -ECANCELED with `out` undefined: of the batch some part was charged, which
 * makes a state like any other, but none to go on with: ppim_engine_reset().
 */
PPIM_ENGINE_API int ppim_engine_charge(struct ppim_engine *engine,
				       const struct ppim_batch *batch,
				       uint64_t arrival_ps,
				       struct ppim_annotation *out);

/*
 * Charges a copy by the host's DMA between host memory and a tier: its bursts
 * take banks, channel bus, interface and link like any others. `addr` is an
 * offset into the tier, in the HBM slice * slice_bytes + offset; the range has
 * to be inside. A trace has it as CR or CW.
 */
PPIM_ENGINE_API void ppim_engine_copy(struct ppim_engine *engine, uint8_t tier,
				      uint64_t addr, uint64_t bytes, int write,
				      uint64_t arrival_ps, uint32_t queue,
				      struct ppim_annotation *out);

/* A time that is never later than the end that ppim_engine_charge() would say
 * for the batch; cheap (no per-lookup work) and deterministic. */
PPIM_ENGINE_API uint64_t ppim_engine_bound_ps(const struct ppim_engine *engine,
					      const struct ppim_batch *batch,
					      uint64_t arrival_ps);

/* What an annotation's energy is made of. */
enum ppim_engine_part {
	PPIM_PART_HBM_ACTIVATE,
	PPIM_PART_HBM_READ,
	PPIM_PART_HBM_WRITE,
	PPIM_PART_HBM_REFRESH,
	PPIM_PART_HBM_STANDBY,
	PPIM_PART_DIMM_ACTIVATE,
	PPIM_PART_DIMM_READ,
	PPIM_PART_DIMM_WRITE,
	PPIM_PART_DIMM_REFRESH,
	PPIM_PART_DIMM_STANDBY,
	PPIM_PART_MAC,
	PPIM_PART_SRAM,		/* of PIM units, and their caches */
	PPIM_PART_LLC,
	PPIM_PART_BUS,		/* banks to base die */
	PPIM_PART_INTERFACE,	/* base die to host */
	PPIM_PART_DIMM_INTERFACE,
	PPIM_PART_LINK,
	PPIM_PART_COUNT
};

/* pJ of the last batch or copy, by part: their sum is its energy_pj. */
PPIM_ENGINE_API void ppim_engine_energy(const struct ppim_engine *engine,
					uint64_t pj[PPIM_PART_COUNT]);
/* Parts that are left out of energies, 1u << part: their specification lacks a
 * current or the supply voltage. */
PPIM_ENGINE_API uint32_t
ppim_engine_energy_missing(const struct ppim_engine *engine);
/* "hbm_read" */
PPIM_ENGINE_API const char *ppim_engine_part_name(uint32_t part);

/* End of the work that was charged so far. */
PPIM_ENGINE_API uint64_t ppim_engine_now_ps(const struct ppim_engine *engine);

/* As after create: banks closed, SRAM and caches empty, counters zero. */
PPIM_ENGINE_API void ppim_engine_reset(struct ppim_engine *engine);

/* Whole state, flat and versioned. save: bytes needed; writes at most `bytes`.
 * load: 0, or -EINVAL with a message and the state unchanged. */
PPIM_ENGINE_API size_t ppim_engine_save(const struct ppim_engine *engine,
					void *buf, size_t bytes);
PPIM_ENGINE_API int ppim_engine_load(struct ppim_engine *engine,
				     const void *buf, size_t bytes,
				     struct ppim_diag *diag);

/*
 * Commands of a charged batch as text lines that `ppim-sim pim` replays to the
 * same cycles: "HBM|DIMM CMD byte-address bursts", a blank line between phases.
 * NULL switches it off. The callback gets one line at a time, without newline.
 */
typedef void (*ppim_trace_fn)(void *opaque, const char *line);
PPIM_ENGINE_API void ppim_engine_trace(struct ppim_engine *engine,
				       ppim_trace_fn fn, void *opaque);

/* ---- answers (gnr.c) ---------------------------------------------------- */

/* The tiers' bytes, as the functional side reads them. A guest may write them
 * at the same time; a torn row gives a torn answer and nothing worse. */
struct ppim_memory {
	const uint8_t *hbm;	/* slice s is at s * slice_bytes */
	uint64_t hbm_bytes;
	uint64_t slice_bytes;
	const uint8_t *dimm;
	uint64_t dimm_bytes;
	/* if not NULL: counts lookups by the bank group of their main operand
	 * (Q row, G2 slice, dense row); the last of slices + 1 is the DIMM */
	uint64_t *slice_lookups;
};

/*
 * Computes bags [first_bag, first_bag + n_bags) of one job into out
 * (n_bags * dim fp32). Canonical arithmetic, whatever the preset, the number of
 * threads and the vector width:
 *   within a bag in index order; every output element by itself;
 *   QR  MULT t = q * r, ADD t = q + r (rounded to fp32), CONCAT t = q ++ r;
 *   TT  P[a][s] = fma chain over r1 ascending from +0 of G1[i1][a][r1] *
 *       G2[i2][r1][s], then row = fma chain over r2 ascending of
 *       P[a][b][r2] * G3[i3][r2][d]; element (a, b, d) of q1 x q2 x q3;
 *   SUM acc = acc + t, or fma(w, t, acc) with weights, from +0;
 *   MEAN acc / (float)count; MAX acc = t > acc ? t : acc from the bag's first
 *   t on; 0 for empty bags.
 *   POOLED: Q rows and R rows reduced (mode, weights) by themselves, the two
 *   results combined at the end.
 * Of a duplicated subtable the copy in the bank group of the lookup's Q row (TT:
 * G2 slice) is read, where there is none the first.
 * The batch has passed ppim_engine_check(); row maps are checked again at use.
 * What it takes of memory does not depend on the number of lookups: a copy of
 * rows that are not fp32, one lookup's or up to 4 MiB; for TT the product of
 * two core rows and 16 rebuilt rows; for POOLED as much as out has.
 * Returns 0; -1 with fault; or -ECANCELED, with `out` undefined and no fault.
 */
PPIM_ENGINE_API int ppim_gnr_compute(const struct ppim_memory *mem,
				     const struct ppim_job *job,
				     uint32_t first_bag, uint32_t n_bags,
				     float *out, struct ppim_fault *fault);

/* Calls fn for every row that ppim_gnr_compute() would read for the whole job,
 * in its order. Same result. */
typedef void (*ppim_gnr_visit_fn)(void *opaque, uint32_t bag, uint32_t subtable,
				  const uint8_t *row);
PPIM_ENGINE_API int ppim_gnr_visit(const struct ppim_memory *mem,
				   const struct ppim_job *job,
				   ppim_gnr_visit_fn fn, void *opaque,
				   struct ppim_fault *fault);

/* Name of the vector path that ppim_gnr_compute() chose on this processor;
 * ppim_gnr_force() picks one by name for tests ("scalar", "avx2", "avx512"). */
PPIM_ENGINE_API const char *ppim_gnr_isa(void);
PPIM_ENGINE_API int ppim_gnr_force(const char *isa);

#endif
