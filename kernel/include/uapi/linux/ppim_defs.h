/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * Values that mean the same in hardware, driver, model and user space: they
 * are defined here and nowhere else. ppim_hw.h (device and driver) and ppim.h
 * (driver and user space) both include this file; so do the timing engine,
 * the placement planner and the runtime.
 */
#ifndef _UAPI_LINUX_PPIM_DEFS_H
#define _UAPI_LINUX_PPIM_DEFS_H

#include <linux/types.h>

/* C11 and the kernel both know this spelling; C++ has its own. */
#ifdef __cplusplus
#define PPIM_STATIC_ASSERT(cond, msg) static_assert(cond, msg)
#else
#define PPIM_STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)
#endif

/* How a row is rebuilt from subtables. Bit (1 << value) in "algos" masks. */
enum ppim_algo {
	PPIM_ALGO_DENSE = 0,	/* one subtable, W[i] */
	PPIM_ALGO_QR = 1,	/* combine(Q[i / c], R[i % c]) */
	PPIM_ALGO_TT = 2,	/* G1[i1] . G2[i2] . G3[i3] */
};

/* Element type of a subtable's rows; outputs are always fp32. */
enum ppim_dtype {
	PPIM_DTYPE_FP32 = 0,
	PPIM_DTYPE_FP16 = 1,
	PPIM_DTYPE_BF16 = 2,
	PPIM_DTYPE_INT8 = 3,	/* row-wise, fp32 scale and zero point last */
};

/* QR only: how a quotient row and a remainder row become one row. */
enum ppim_combine {
	PPIM_COMBINE_MULT = 0,
	PPIM_COMBINE_ADD = 1,
	PPIM_COMBINE_CONCAT = 2,	/* Q and R are D/2 wide each */
};

/*
 * QR only. PER_INDEX combines each index' two rows and then reduces, which is
 * what PIM units do. POOLED reduces Q rows and R rows by themselves and then
 * combines the two sums, as DLRM's QREmbeddingBag does: for MULT and more than
 * one index in a bag the two differ.
 */
enum ppim_qr_order {
	PPIM_QR_PER_INDEX = 0,
	PPIM_QR_POOLED = 1,
};

/* How the rows of a bag are reduced. */
enum ppim_mode {
	PPIM_MODE_SUM = 0,
	PPIM_MODE_MEAN = 1,	/* sum / number of indices counted; 0 if none */
	PPIM_MODE_MAX = 2,	/* takes no weights */
};

/* Which memory an extent lives in. */
enum ppim_tier {
	PPIM_TIER_HBM = 0,	/* {slice, offset}: a slice is a bank group */
	PPIM_TIER_DIMM = 1,
	PPIM_TIER_CXL = 2,	/* sibling CXL memory */
	PPIM_TIER_HOST = 3,	/* pinned host pages */
};

/* Names of the subtables, by position. */
enum ppim_subtable {
	PPIM_SUB_W = 0,		/* dense */
	PPIM_SUB_Q = 0,
	PPIM_SUB_R = 1,
	PPIM_SUB_G1 = 0,
	PPIM_SUB_G2 = 1,
	PPIM_SUB_G3 = 2,
};

#define PPIM_MAX_SUBTABLES 3

/* What a subtable's placement says. */
#define PPIM_SUBF_DUPLICATED	(1u << 0)	/* every extent holds all rows */
#define PPIM_SUBF_MAPPED	(1u << 1)	/* a row map names the place */
#define PPIM_SUBF_PREFETCH	(1u << 2)	/* hint: hold it in SRAM */
#define PPIM_SUBF_ALL		0x7u

/*
 * Architecture presets, one numbering everywhere. Bit (1 << value) in "archs"
 * masks. DEFAULT takes the device's default.
 */
enum ppim_arch {
	PPIM_ARCH_DEFAULT = 0,
	PPIM_ARCH_CPU = 1,
	PPIM_ARCH_RECNMP = 2,
	PPIM_ARCH_SPACE = 3,
	PPIM_ARCH_TRIM = 4,
	PPIM_ARCH_BGPIM = 5,
	PPIM_ARCH_BGPIM_DUP = 6,
	PPIM_ARCH_PROACTIVE = 7,
	PPIM_ARCH_PROACTIVE_ALL = 8,
	PPIM_ARCH_PROACTIVE_PLUS = 9,	/* reserved: refused until it exists */
	PPIM_ARCH_COUNT
};

/* X-macro: the names that users type and read. */
#define PPIM_ARCH_NAMES(X)			\
	X(PPIM_ARCH_DEFAULT, "default")		\
	X(PPIM_ARCH_CPU, "cpu")			\
	X(PPIM_ARCH_RECNMP, "recnmp")		\
	X(PPIM_ARCH_SPACE, "space")		\
	X(PPIM_ARCH_TRIM, "trim")		\
	X(PPIM_ARCH_BGPIM, "bgpim")		\
	X(PPIM_ARCH_BGPIM_DUP, "bgpim+dup")	\
	X(PPIM_ARCH_PROACTIVE, "proactive")	\
	X(PPIM_ARCH_PROACTIVE_ALL, "proactive-all") \
	X(PPIM_ARCH_PROACTIVE_PLUS, "proactive+")

/* Which resource a batch waited for most. */
enum ppim_bound {
	PPIM_BOUND_NONE = 0,
	PPIM_BOUND_ACTIVATION = 1,	/* tFAW, tRRD, tRC: the activation window */
	PPIM_BOUND_BG_BUS = 2,		/* a bank group's column cadence */
	PPIM_BOUND_INTERNAL_BUS = 3,	/* transfers, moves, prefetch broadcasts */
	PPIM_BOUND_DIMM = 4,
	PPIM_BOUND_MAC = 5,
	PPIM_BOUND_LINK = 6,		/* host link */
	PPIM_BOUND_CMD = 7,		/* command/address bandwidth */
	PPIM_BOUND_HOST = 8,		/* host's cache bandwidth or FLOP/s */
	PPIM_BOUND_COUNT
};

#define PPIM_BOUND_NAMES(X)				\
	X(PPIM_BOUND_NONE, "none")			\
	X(PPIM_BOUND_ACTIVATION, "activation")		\
	X(PPIM_BOUND_BG_BUS, "bank-group-bus")		\
	X(PPIM_BOUND_INTERNAL_BUS, "internal-bus")	\
	X(PPIM_BOUND_DIMM, "dimm")			\
	X(PPIM_BOUND_MAC, "mac")			\
	X(PPIM_BOUND_LINK, "link")			\
	X(PPIM_BOUND_CMD, "command")			\
	X(PPIM_BOUND_HOST, "host")

/*
 * Completion status of a command. The driver turns it into an errno (table in
 * ppim.h); "detail" words are said per status.
 */
enum ppim_status {
	PPIM_ST_OK = 0,
	PPIM_ST_BAD_OPCODE = 1,
	PPIM_ST_BAD_FIELD = 2,		/* detail: byte offset of the field */
	PPIM_ST_BAD_ADDRESS = 3,	/* DMA failed; detail: the address */
	PPIM_ST_BAD_INDEX = 4,		/* table, bag; detail: the index */
	PPIM_ST_BAD_OFFSETS = 5,	/* table; detail: bag that runs backwards */
	PPIM_ST_BAD_PLACEMENT = 6,	/* table; detail: subtable << 32 | extent */
	PPIM_ST_NO_COPY = 7,		/* preset needs copies; detail: subtable */
	PPIM_ST_NO_HINT = 8,		/* preset needs a hint; detail: subtable */
	PPIM_ST_UNSUPPORTED = 9,	/* legal but not built; detail: offset */
	PPIM_ST_ABORTED = 10,
	PPIM_ST_RESET = 11,
	PPIM_ST_MEDIA_ERROR = 12,	/* uncorrectable; detail: the location */
	PPIM_ST_INTERNAL = 13,
	PPIM_ST_BAD_QUEUE = 14,
	PPIM_ST_TOO_LARGE = 15,		/* above a limit; detail: the limit */
	PPIM_ST_COUNT
};

/**
 * struct ppim_annotation - what a batch cost, on every completion
 * @start_ps: device timeline when the batch's first command may issue
 * @end_ps: device timeline when its last output is complete
 * @busy_ps: @end_ps minus the time it waited for batches before it
 * @cycles: HBM clocks in @busy_ps, rounded up
 * @lookups: indices gathered (padding index not counted)
 * @reads_hbm: bursts read from HBM banks for the gather, moves' source reads
 *	and prefetch fills included
 * @reads_dimm: bursts read from the DIMM
 * @activations_hbm: row activations in the HBM
 * @activations_dimm: row activations in the DIMM
 * @row_hits_hbm: column accesses that found their row open
 * @row_hits_dimm: the same in the DIMM
 * @sram_hits: subtable entries that a lookup found in a bg-PIM's SRAM
 * @sram_misses: subtable entries that SRAM should have held but did not
 * @prefetches: bursts read to fill SRAM
 * @moves: bursts of operands carried from one memory node to another
 * @transfers: bursts of partial sums over the internal bus
 * @cache_hits: hits of the preset's cache (cpu, recnmp, trim)
 * @cache_misses: misses of it
 * @link_bytes: bytes over the host link, both directions
 * @macs: multiply-accumulates done
 * @commands: DRAM and PIM commands issued
 * @entry_refs: references to subtable entries that could be reused
 * @entry_reuses: of these, the ones that an earlier lookup of the same
 *	(batch, table) GnR had referred to: intra-GnR locality is the quotient
 * @energy_pj: dynamic and background energy of HBM, DIMM, SRAM, MACs, buses
 * @activate_pj: of it, activations and their precharges, HBM and DIMM
 * @read_pj: of it, their bursts that were read
 * @write_pj: of it, their bursts that were written
 * @refresh_pj: of it, their refreshes
 * @standby_pj: of it, their background
 * @arch: preset that ran (enum ppim_arch, never DEFAULT)
 * @bound_by: enum ppim_bound
 * @reserved: zero
 */
struct ppim_annotation {
	__u64 start_ps;
	__u64 end_ps;
	__u64 busy_ps;
	__u64 cycles;
	__u64 lookups;
	__u64 reads_hbm;
	__u64 reads_dimm;
	__u64 activations_hbm;
	__u64 activations_dimm;
	__u64 row_hits_hbm;
	__u64 row_hits_dimm;
	__u64 sram_hits;
	__u64 sram_misses;
	__u64 prefetches;
	__u64 moves;
	__u64 transfers;
	__u64 cache_hits;
	__u64 cache_misses;
	__u64 link_bytes;
	__u64 macs;
	__u64 commands;
	__u64 entry_refs;
	__u64 entry_reuses;
	__u64 energy_pj;
	__u32 arch;
	__u32 bound_by;
	__u64 activate_pj;
	__u64 read_pj;
	__u64 write_pj;
	__u64 refresh_pj;
	__u64 standby_pj;
	__u64 reserved[2];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_annotation) == 256, "annotation size");

#endif
