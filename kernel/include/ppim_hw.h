/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The hardware contract: what a ppim PCI function shows to a driver.
 * Shared, word for word, by the device model (qemu-device/hw) and the driver
 * (kernel/); described in qemu-device/docs/spec.md. Everything in memory is
 * little endian. Reserved fields are written as zero and checked to be zero.
 */
#ifndef PPIM_HW_H
#define PPIM_HW_H

#include <linux/types.h>
#include <linux/ppim_defs.h>

/* PCI identity: Red Hat's vendor id with an id from QEMU's experimental set. */
#define PPIM_PCI_VENDOR		0x1b36
#define PPIM_PCI_DEVICE		0x11f0
#define PPIM_PCI_REVISION	0x01
#define PPIM_PCI_CLASS		0x0580	/* memory controller, other */

/* BARs */
#define PPIM_BAR_REGS		0	/* registers and doorbells, 32 bit */
#define PPIM_BAR_MSIX		1	/* MSI-X table and pending bits */
#define PPIM_BAR_HBM		2	/* HBM window, 64 bit prefetchable */
#define PPIM_BAR_DIMM		4	/* DIMM window; absent if CAP says so */

/* Registers of BAR 0. All are 4 or 8 bytes wide; 8-byte registers may be
 * accessed as two aligned 4-byte halves.
 */
#define PPIM_REG_MAGIC		0x000	/* RO 4: PPIM_MAGIC */
#define PPIM_REG_VERSION	0x004	/* RO 4: major << 16 | minor */
#define PPIM_REG_CAP		0x008	/* RO 8: PPIM_CAP_* */
#define PPIM_REG_CTRL		0x010	/* RW 4: PPIM_CTRL_* */
#define PPIM_REG_STATUS		0x014	/* RO 4: PPIM_STS_* */
#define PPIM_REG_ERROR		0x018	/* RO 4: enum ppim_hw_error */
#define PPIM_REG_AQ_ENTRIES	0x01c	/* RW 4: entries of admin SQ and CQ */
#define PPIM_REG_ASQ		0x020	/* RW 8: bus address of admin SQ */
#define PPIM_REG_ACQ		0x028	/* RW 8: bus address of admin CQ */
#define PPIM_REG_MAX_QUEUES	0x030	/* RO 4: I/O queue pairs */
#define PPIM_REG_MAX_ENTRIES	0x034	/* RO 4: entries of one queue */
#define PPIM_REG_MAX_TABLES	0x038	/* RO 4: tables in one batch */
#define PPIM_REG_MAX_INDICES	0x03c	/* RO 4: indices in one batch */
#define PPIM_REG_MAX_EXTENTS	0x040	/* RO 4: extents of one subtable */
#define PPIM_REG_MAX_SG		0x044	/* RO 4: scatter entries of a buffer */
#define PPIM_REG_ARCHS		0x048	/* RO 4: presets served, bit per arch */
#define PPIM_REG_ARCH_DEFAULT	0x04c	/* RO 4 */
#define PPIM_REG_ALGOS		0x050	/* RO 4: bit per enum ppim_algo */
#define PPIM_REG_DTYPES		0x054	/* RO 4 */
#define PPIM_REG_COMBINES	0x058	/* RO 4 */
#define PPIM_REG_MODES		0x05c	/* RO 4 */
#define PPIM_REG_HBM_BYTES	0x060	/* RO 8 */
#define PPIM_REG_DIMM_BYTES	0x068	/* RO 8 */
#define PPIM_REG_SLICE_BYTES	0x070	/* RO 8: one bank group */
#define PPIM_REG_SLICES		0x078	/* RO 4: slice s is at s * SLICE_BYTES */
#define PPIM_REG_CHANNELS	0x07c	/* RO 4: slices / channels per channel */
#define PPIM_REG_SRAM_BYTES	0x080	/* RO 4: SRAM of one bg-PIM */
#define PPIM_REG_ALIGN		0x084	/* RO 4: alignment of extents, strides */
#define PPIM_REG_HBM_ROW_BYTES	0x088	/* RO 4: one DRAM row of one bank */
#define PPIM_REG_TIMEBASE	0x08c	/* RO 4: PPIM_TIMEBASE_* */
#define PPIM_REG_NOW_PS		0x090	/* RO 8: the device's timeline */
#define PPIM_REG_HOT_PPM	0x098	/* RO 4: share of accesses that HBM should
					 * serve by the ratio of bandwidths,
					 * parts per million
					 */
#define PPIM_REG_MAX_OUTPUT	0x09c	/* RO 4: bytes that a batch writes */
#define PPIM_REG_MAX_COPY	0x0a0	/* RO 4: bytes of a WRITE or READ */
#define PPIM_REG_MAX_INPUT	0x0a4	/* RO 4: bytes of guest memory that a
					 * command reads, all parts together
					 */
#define PPIM_REG_END		0x100

/* Doorbells: queue pair q (0 is the admin queue). Write the new index. */
#define PPIM_DB_BASE		0x1000
#define PPIM_DB_SQ_TAIL(q)	(PPIM_DB_BASE + (q) * 8)
#define PPIM_DB_CQ_HEAD(q)	(PPIM_DB_BASE + (q) * 8 + 4)
#define PPIM_REGS_BYTES		0x2000

#define PPIM_MAGIC		0x4d495050	/* "PPIM" */
#define PPIM_VERSION_MAJOR	1
#define PPIM_VERSION_MINOR	0

#define PPIM_CAP_GNR		(1ull << 0)
#define PPIM_CAP_DIMM_WINDOW	(1ull << 1)
#define PPIM_CAP_COPY		(1ull << 2)	/* PPIM_OP_WRITE, PPIM_OP_READ */
#define PPIM_CAP_ROW_MAP	(1ull << 3)
#define PPIM_CAP_WEIGHTS	(1ull << 4)
#define PPIM_CAP_PADDING	(1ull << 5)
#define PPIM_CAP_ABORT		(1ull << 6)
#define PPIM_CAP_INJECT		(1ull << 7)
#define PPIM_CAP_QR_POOLED	(1ull << 8)
#define PPIM_CAP_TIER_CXL	(1ull << 9)
#define PPIM_CAP_TIER_HOST	(1ull << 10)
#define PPIM_CAP_SHADOW_DB	(1ull << 11)
#define PPIM_CAP_CLEAR		(1ull << 12)	/* PPIM_ADM_CLEAR */

#define PPIM_CTRL_ENABLE	(1u << 0)	/* 0 -> 1 starts, 1 -> 0 resets */
#define PPIM_CTRL_ALL		0x1u

#define PPIM_STS_READY		(1u << 0)
#define PPIM_STS_FATAL		(1u << 1)	/* until reset; see ERROR */

enum ppim_hw_error {
	PPIM_HWERR_NONE = 0,
	PPIM_HWERR_AQ_CONFIG = 1,	/* admin queue base or size */
	PPIM_HWERR_QUEUE_DMA = 2,	/* a queue's memory cannot be reached */
	PPIM_HWERR_DOORBELL = 3,	/* index beyond the queue */
	PPIM_HWERR_LINK = 4,		/* link loss, injected */
};

#define PPIM_TIMEBASE_DEVICE	0
#define PPIM_TIMEBASE_GUEST	1
#define PPIM_TIMEBASE_OFF	2

/* Opcodes of the admin queue. */
#define PPIM_ADM_CREATE_QUEUE	0x01
#define PPIM_ADM_DELETE_QUEUE	0x02
#define PPIM_ADM_ABORT		0x03
#define PPIM_ADM_STATS		0x04
#define PPIM_ADM_INJECT		0x05
#define PPIM_ADM_CLEAR		0x06	/* zeroes, by a range of `copy` */
/* Opcodes of an I/O queue. */
#define PPIM_OP_NOP		0x80
#define PPIM_OP_GNR		0x81
#define PPIM_OP_WRITE		0x82	/* guest memory to a tier */
#define PPIM_OP_READ		0x83	/* a tier to guest memory */

/* A buffer in guest memory: contiguous, or a list of scatter entries. */
struct ppim_hw_buf {
	__le64 addr;	/* the data, or the first ppim_hw_sg if n_sg != 0 */
	__le64 bytes;	/* of data */
	__le32 n_sg;	/* entries in all; 0: addr is the data itself */
	__le32 reserved;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_buf) == 24, "hw buf");

/* A CHAIN entry's addr is the next array of bytes / 16 entries; it ends the
 * array that it stands in, and counts in n_sg.
 */
struct ppim_hw_sg {
	__le64 addr;
	__le32 bytes;
	__le32 flags;
};

#define PPIM_SG_CHAIN		(1u << 0)
PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_sg) == 16, "hw sg");

/* Place of an extent: rows are row_stride apart from offset on. */
struct ppim_hw_extent {
	__u8 tier;		/* enum ppim_tier */
	__u8 reserved0;
	__le16 slice;		/* HBM only */
	__le32 reserved1;
	__le64 offset;		/* in the slice, or in the DIMM */
	__le64 rows;
	__le64 reserved2;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_extent) == 32, "hw extent");

/*
 * Where row i of a subtable is:
 *   DUPLICATED  row i of any extent (each holds all rows)
 *   MAPPED      v = map[i] (le32): row v & mask of extent v >> map_bits,
 *               mask = (1 << map_bits) - 1
 *   else        row i / n_extents of extent i % n_extents (striped)
 * The map is device memory; its entries are checked at use.
 */
struct ppim_hw_subtable {
	__le64 rows;
	__le32 row_bytes;	/* bytes of data in a row */
	__le32 row_stride;	/* multiple of REG_ALIGN, >= row_bytes */
	__le32 flags;		/* PPIM_SUBF_* */
	__le32 n_extents;
	__le64 extents;		/* bus address of ppim_hw_extent[n_extents] */
	__u8 map_tier;
	__u8 map_bits;		/* 1 to 31 */
	__le16 map_slice;
	__le32 reserved0;
	__le64 map_offset;
	__le64 reserved1[2];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_subtable) == 64, "hw subtable");

/* A table context, in driver-owned memory. The device reads it when it takes
 * a batch and keeps nothing of it afterwards.
 */
struct ppim_hw_table {
	__le64 id;		/* unique as long as the device is enabled */
	__le32 epoch;		/* grows with every change of contents or place */
	__u8 algo;
	__u8 dtype;
	__u8 combine;
	__u8 qr_order;
	__le64 rows;		/* N: indices are 0 .. N - 1 */
	__le32 dim;		/* D: elements of an output vector */
	__le32 collisions;	/* QR: c */
	__le32 tt_p[3];
	__le32 tt_q[3];
	__le32 tt_r[2];		/* R1, R2 */
	__le32 n_subtables;
	__le32 reserved[3];
	struct ppim_hw_subtable sub[PPIM_MAX_SUBTABLES];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_table) == 80 + 3 * 64, "hw table");

/* One table's share of a batch. */
struct ppim_hw_job {
	__le64 table;		/* bus address of ppim_hw_table */
	__le32 n_indices;
	__le32 n_bags;
	__u8 mode;		/* enum ppim_mode */
	__u8 index_bytes;	/* 4 or 8, signed */
	__u8 flags;		/* PPIM_JOBF_* */
	__u8 reserved0;
	__le32 reserved1;
	__le64 padding_index;	/* with PPIM_JOBF_PADDING */
	struct ppim_hw_buf indices;	/* n_indices of index_bytes */
	struct ppim_hw_buf offsets;	/* n_bags of index_bytes; first is 0 */
	struct ppim_hw_buf weights;	/* n_indices of fp32, if PPIM_JOBF_WEIGHTS */
	struct ppim_hw_buf output;	/* n_bags * dim of fp32 */
};

#define PPIM_JOBF_WEIGHTS	(1u << 0)
#define PPIM_JOBF_PADDING	(1u << 1)
#define PPIM_JOBF_ALL		0x3u
PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_job) == 32 + 4 * 24, "hw job");

struct ppim_hw_sqe {
	__u8 opcode;
	__u8 flags;		/* zero */
	__le16 cid;		/* driver's; comes back in the completion */
	__le32 generation;	/* driver's; grows each time the cid is reused */
	union {
		struct {
			__le64 jobs;		/* bus address of ppim_hw_job[] */
			__le32 n_jobs;
			__u8 arch;		/* enum ppim_arch */
			__u8 reserved[3];
			__le64 annotation;	/* bus address, or 0 */
		} gnr;
		struct {
			struct ppim_hw_buf data;
			__u8 tier;
			__u8 reserved0;
			__le16 slice;
			__le32 reserved1;
			__le64 offset;
		} copy;
		struct {
			__le64 sq;
			__le64 cq;
			__le32 entries;		/* of both, a power of two */
			__le16 qid;		/* 1 .. MAX_QUEUES */
			__le16 vector;		/* MSI-X */
		} create;
		struct {
			__le16 qid;
		} del;
		struct {
			__le16 qid;
			__le16 cid;
			__le32 generation;
		} abort;
		struct {
			__le64 addr;		/* struct ppim_hw_stats */
			__le32 bytes;
		} stats;
		struct {
			__le32 what;		/* enum ppim_hw_inject */
			__le32 count;
			__u8 tier;
			__u8 reserved0;
			__le16 slice;
			__le32 reserved1;
			__le64 offset;
		} inject;
		__le64 words[7];
	};
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_sqe) == 64, "hw sqe");

/* Which structure the offset in a detail counts in (PPIM_ST_BAD_FIELD,
 * PPIM_ST_UNSUPPORTED): detail is one of these << 32 | the offset.
 */
enum ppim_hw_where {
	PPIM_IN_SQE = 0,
	PPIM_IN_JOB = 1,
	PPIM_IN_TABLE = 2,
	PPIM_IN_EXTENT = 3,	/* from the start of the extent array */
	PPIM_IN_SG = 4,		/* from the start of the scatter entry */
};

enum ppim_hw_inject {
	PPIM_INJECT_CORRECTABLE = 1,
	PPIM_INJECT_UNCORRECTABLE = 2,
	PPIM_INJECT_HANG = 3,		/* the next count batches never end */
	PPIM_INJECT_DROP = 4,		/* their completions are lost */
	PPIM_INJECT_DOUBLE = 5,		/* their completions come twice */
	PPIM_INJECT_LINK = 6,
};

struct ppim_hw_cqe {
	__le16 cid;
	__le16 qid;
	__le32 generation;
	__le16 status;		/* enum ppim_status */
	__le16 sq_head;
	__le32 phase;		/* bit 0: the phase, written last */
	__le32 table;		/* job that failed */
	__le32 bag;		/* bag that failed */
	__le64 detail;		/* by status, see enum ppim_status */
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_cqe) == 32, "hw cqe");

/* PPIM_ADM_STATS: since the device was enabled. */
struct ppim_hw_stats {
	__le64 submitted;
	__le64 completed;
	__le64 errors;
	__le64 aborted;
	__le64 lookups;
	__le64 bags;
	__le64 reads_hbm;
	__le64 reads_dimm;
	__le64 activations_hbm;
	__le64 activations_dimm;
	__le64 sram_hits;
	__le64 sram_misses;
	__le64 moves;
	__le64 transfers;
	__le64 energy_pj;
	__le64 busy_ps;
	__le64 late_count;	/* completions later in real than simulated time */
	__le64 late_sum_ns;
	__le64 late_max_ns;
	__le64 injected;
	__le64 corrected;
	__le64 reserved[11];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_hw_stats) == 256, "hw stats");

#endif
