/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The user contract: /dev/ppim (first device), /dev/ppim1 ...
 *
 * Every argument structure begins with its size, as the caller knows it:
 * bytes that the kernel does not know must be zero, bytes that the caller does
 * not know are taken as zero (copy_struct_from_user). Flags and reserved fields
 * must be zero where no bit is named. Pointers are in __u64. Structures are the
 * same for 32 and 64 bit callers.
 *
 * Errors, for every ioctl and io_uring command:
 *   -EINVAL      a field has a value that can never be right
 *   -E2BIG       bytes that this kernel does not know are not zero, or a count
 *                is above the limit that PPIM_IOC_INFO reports
 *   -EOPNOTSUPP  legal, but this device or driver does not have it (see caps)
 *   -EFAULT      a pointer that cannot be read or written
 *   -ENOENT      no such handle in this open file
 *   -EBUSY       the object is in use by work in flight, or already placed
 *   -ENOSPC      no room in the tier or the bank group
 *   -ENOMEM      no host memory, or RLIMIT_MEMLOCK reached
 *   -EPERM       needs CAP_SYS_ADMIN
 *   -ERANGE      an index is outside the table, a bag's offset is not in order
 *   -ENODATA     the preset needs a copy or a hint that the placement lacks
 *   -EAGAIN      queue full and PPIM_GNR_NONBLOCK was given
 *   -ETIMEDOUT   the time given to PPIM_IOC_WAIT is over; work goes on
 *   -ECANCELED   aborted or lost in a reset
 *   -EIO         the device failed (struct ppim_ioc_result says how)
 *   -ENODEV      the device is gone
 */
#ifndef _UAPI_LINUX_PPIM_H
#define _UAPI_LINUX_PPIM_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/ppim_defs.h>

#define PPIM_IOC_MAGIC 0xB9

/* Driver capabilities, next to the device's (ppim_hw.h) in struct ppim_ioc_info. */
#define PPIM_DRVCAP_URING	(1ull << 0)	/* io_uring commands */
#define PPIM_DRVCAP_MEM		(1ull << 1)	/* PPIM_IOC_MEM_REGISTER */

/**
 * struct ppim_ioc_info - what the device and the driver can do (PPIM_IOC_INFO)
 * @size: sizeof(struct ppim_ioc_info)
 * @flags: zero
 * @caps: out: device capabilities (PPIM_CAP_* of ppim_hw.h)
 * @driver_caps: out: PPIM_DRVCAP_*
 * @hbm_bytes: out: HBM tier
 * @dimm_bytes: out: DIMM tier
 * @hbm_free: out: bytes not allocated
 * @dimm_free: out: bytes not allocated
 * @slice_bytes: out: one bank group's part of the HBM
 * @slices: out: bank groups
 * @channels: out: channels; slices / channels bank groups in each
 * @sram_bytes: out: SRAM of one bg-PIM
 * @align: out: alignment of extents and row strides
 * @hbm_row_bytes: out: one DRAM row of one bank
 * @max_tables: out: tables in one batch
 * @max_indices: out: indices in one batch
 * @max_extents: out: extents of one subtable
 * @queues: out: I/O queue pairs in use
 * @queue_entries: out: entries of each
 * @archs: out: presets served, bit per enum ppim_arch
 * @arch_default: out: what PPIM_ARCH_DEFAULT means
 * @algos: out: bit per enum ppim_algo
 * @dtypes: out: bit per enum ppim_dtype
 * @combines: out: bit per enum ppim_combine
 * @modes: out: bit per enum ppim_mode
 * @numa_node: out: node of the device, -1 if unknown
 * @timebase: out: PPIM_TIMEBASE_* of ppim_hw.h
 * @hot_ppm: out: share of accesses for the HBM by the ratio of bandwidths
 * @reserved: zero
 */
struct ppim_ioc_info {
	__u32 size;
	__u32 flags;
	__u64 caps;
	__u64 driver_caps;
	__u64 hbm_bytes;
	__u64 dimm_bytes;
	__u64 hbm_free;
	__u64 dimm_free;
	__u64 slice_bytes;
	__u32 slices;
	__u32 channels;
	__u32 sram_bytes;
	__u32 align;
	__u32 hbm_row_bytes;
	__u32 max_tables;
	__u32 max_indices;
	__u32 max_extents;
	__u32 queues;
	__u32 queue_entries;
	__u32 archs;
	__u32 arch_default;
	__u32 algos;
	__u32 dtypes;
	__u32 combines;
	__u32 modes;
	__s32 numa_node;
	__u32 timebase;
	__u32 hot_ppm;
	__u32 reserved[7];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_info) == 168, "ioc info");

/**
 * struct ppim_ioc_table_create - describe a table (PPIM_IOC_TABLE_CREATE)
 * @size: sizeof(struct ppim_ioc_table_create)
 * @flags: zero
 * @algo: enum ppim_algo
 * @dtype: enum ppim_dtype
 * @combine: enum ppim_combine (QR)
 * @qr_order: enum ppim_qr_order (QR)
 * @rows: N; indices are 0 .. N - 1
 * @dim: D, elements of an output vector
 * @collisions: QR: c; Q has ceil(N / c) rows, R has c rows
 * @tt_p: TT: p1 p2 p3, product >= N
 * @tt_q: TT: q1 q2 q3, product == D
 * @tt_r: TT: R1 R2
 * @handle: out: of this open file
 * @id: out: unique on the device; names the table in logs and listings
 * @name: zero-terminated, for listings and messages; may be empty
 * @reserved: zero
 */
struct ppim_ioc_table_create {
	__u32 size;
	__u32 flags;
	__u8 algo;
	__u8 dtype;
	__u8 combine;
	__u8 qr_order;
	__u32 dim;
	__u64 rows;
	__u32 collisions;
	__u32 tt_p[3];
	__u32 tt_q[3];
	__u32 tt_r[2];
	__u32 handle;
	__u64 id;
	char name[32];
	__u32 reserved[4];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_table_create) == 120, "ioc table create");

/* PPIM_IOC_TABLE_DESTROY */
struct ppim_ioc_handle {
	__u32 size;
	__u32 handle;
};

/**
 * struct ppim_ioc_extent - one contiguous run of rows in one place
 * @tier: enum ppim_tier
 * @slice: bank group (HBM)
 * @rows: rows that it holds
 * @offset: in, with PPIM_PLACE_FIXED, else out: byte offset in slice or tier.
 *	Without FIXED the kernel takes the lowest offset that fits, in the
 *	order in which the extents are given.
 */
struct ppim_ioc_extent {
	__u32 tier;
	__u32 slice;
	__u64 rows;
	__u64 offset;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_extent) == 24, "ioc extent");

/**
 * struct ppim_ioc_place - give a subtable its places (PPIM_IOC_PLACE,
 *	PPIM_IOC_DUPLICATE)
 * @size: sizeof(struct ppim_ioc_place)
 * @flags: PPIM_PLACE_*
 * @table: handle
 * @subtable: enum ppim_subtable
 * @n_extents: entries of @extents
 * @row_stride: bytes between rows, a multiple of align; 0: the least
 * @extents: pointer to struct ppim_ioc_extent[n_extents]
 * @map: PLACE only: pointer to __u32[rows of the subtable], or 0. Row i is row
 *	(map[i] & mask) of extent (map[i] >> map_bits). Without it row i is row
 *	i / n_extents of extent i % n_extents.
 * @map_bits: 1 to 31, with @map
 * @map_tier: tier that holds the map: PPIM_TIER_DIMM or PPIM_TIER_HBM
 * @map_slice: HBM only
 * @reserved: zero
 *
 * PLACE stripes or maps the rows over the extents; a subtable is placed once.
 * DUPLICATE makes every extent a copy that holds all rows (each extent's @rows
 * must be the subtable's). On an unplaced subtable it is its placement; on one
 * that has copies it adds more, filled from the first copy.
 * All or nothing: on an error no memory is taken.
 */
struct ppim_ioc_place {
	__u32 size;
	__u32 flags;
	__u32 table;
	__u32 subtable;
	__u32 n_extents;
	__u32 row_stride;
	__u64 extents;
	__u64 map;
	__u32 map_bits;
	__u32 map_tier;
	__u32 map_slice;
	__u32 reserved[3];
};

#define PPIM_PLACE_FIXED	(1u << 0)
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_place) == 64, "ioc place");

/**
 * struct ppim_ioc_prefetch - hint (PPIM_IOC_PREFETCH)
 * @size: sizeof(struct ppim_ioc_prefetch)
 * @flags: zero
 * @table: handle
 * @subtable: enum ppim_subtable; must be duplicated
 * @enable: 1 gives the hint, 0 takes it back
 * @reserved: zero
 */
struct ppim_ioc_prefetch {
	__u32 size;
	__u32 flags;
	__u32 table;
	__u32 subtable;
	__u32 enable;
	__u32 reserved;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_prefetch) == 24, "ioc prefetch");

/**
 * struct ppim_ioc_copy - rows to or from a subtable (PPIM_IOC_UPLOAD,
 *	PPIM_IOC_DOWNLOAD)
 * @size: sizeof(struct ppim_ioc_copy)
 * @flags: zero
 * @table: handle
 * @subtable: enum ppim_subtable
 * @first_row: first row, when @rows is 0
 * @n_rows: rows to copy
 * @data: user pointer: n_rows rows of row_bytes, back to back
 * @rows: user pointer to __u64[n_rows] row numbers, or 0
 * @copy: DOWNLOAD: which extent of a duplicated subtable to read; UPLOAD: 0
 *	(writes every copy), or PPIM_COPY_ONE | extent, for tests
 * @reserved: zero
 */
struct ppim_ioc_copy {
	__u32 size;
	__u32 flags;
	__u32 table;
	__u32 subtable;
	__u64 first_row;
	__u64 n_rows;
	__u64 data;
	__u64 rows;
	__u32 copy;
	__u32 reserved;
};

#define PPIM_COPY_ONE	(1u << 31)
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_copy) == 56, "ioc copy");

/**
 * struct ppim_ioc_mem - register memory for repeated use (PPIM_IOC_MEM_REGISTER)
 * @size: sizeof(struct ppim_ioc_mem)
 * @flags: PPIM_MEM_WRITE if the device may write it
 * @addr: user address, page aligned
 * @bytes: length
 * @handle: out; destroy with PPIM_IOC_MEM_UNREGISTER (struct ppim_ioc_handle)
 * @reserved: zero
 */
struct ppim_ioc_mem {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 bytes;
	__u32 handle;
	__u32 reserved;
};

#define PPIM_MEM_WRITE	(1u << 0)
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_mem) == 32, "ioc mem");

/* A buffer: of a registration (mem != 0: addr is an offset in it), or plain user
 * memory that is pinned while the batch is in flight. addr is 4-byte aligned.
 */
struct ppim_ioc_buf {
	__u64 addr;
	__u64 bytes;
	__u32 mem;
	__u32 reserved;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_buf) == 24, "ioc buf");

/**
 * struct ppim_ioc_job - one table's share of a batch
 * @table: handle
 * @n_indices: indices in all
 * @n_bags: bags; bag b is indices[offsets[b]] to before indices[offsets[b + 1]],
 *	the last one goes to the end
 * @mode: enum ppim_mode
 * @index_bytes: 4 or 8: width of indices and offsets, signed
 * @flags: PPIM_JOB_*
 * @reserved0: zero
 * @padding_index: with PPIM_JOB_PADDING: counts as absent
 * @reserved1: zero
 * @indices: n_indices numbers
 * @offsets: n_bags numbers, the first 0, never decreasing
 * @weights: n_indices fp32, with PPIM_JOB_WEIGHTS (SUM only)
 * @output: n_bags * dim fp32
 */
struct ppim_ioc_job {
	__u32 table;
	__u32 n_indices;
	__u32 n_bags;
	__u8 mode;
	__u8 index_bytes;
	__u8 flags;
	__u8 reserved0;
	__s64 padding_index;
	__u64 reserved1;
	struct ppim_ioc_buf indices;
	struct ppim_ioc_buf offsets;
	struct ppim_ioc_buf weights;
	struct ppim_ioc_buf output;
};

#define PPIM_JOB_WEIGHTS	(1u << 0)
#define PPIM_JOB_PADDING	(1u << 1)
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_job) == 32 + 4 * 24, "ioc job");

/**
 * struct ppim_ioc_result - how a batch ended
 * @ticket: of the batch
 * @status: enum ppim_status
 * @error: 0 or a positive errno
 * @job: job that failed (position in the batch)
 * @bag: bag that failed
 * @detail: by status, see enum ppim_status
 * @annotation: what it cost
 */
struct ppim_ioc_result {
	__u64 ticket;
	__u32 status;
	__u32 error;
	__u32 job;
	__u32 bag;
	__u64 detail;
	struct ppim_annotation annotation;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_result) == 288, "ioc result");

/**
 * struct ppim_ioc_gnr - submit a batch (PPIM_IOC_GNR, PPIM_URING_GNR)
 * @size: sizeof(struct ppim_ioc_gnr)
 * @flags: PPIM_GNR_*
 * @jobs: pointer to struct ppim_ioc_job[n_jobs]
 * @n_jobs: tables in the batch
 * @arch: enum ppim_arch
 * @queue: I/O queue pair, 0 .. queues - 1, or PPIM_QUEUE_ANY
 * @reserved: zero
 * @result: pointer to struct ppim_ioc_result: written with PPIM_GNR_WAIT and by
 *	the io_uring command; 0 if not wanted
 * @ticket: out: names the batch to PPIM_IOC_WAIT
 *
 * The ioctl returns when the batch is queued, or, with PPIM_GNR_WAIT, when it
 * has ended: 0, or -errno as in the table above (the result says where).
 * The io_uring command (IORING_OP_URING_CMD, cmd_op PPIM_URING_GNR, sqe->cmd
 * holds struct ppim_uring_cmd) completes when the batch has ended, with the
 * same value in cqe->res.
 */
struct ppim_ioc_gnr {
	__u32 size;
	__u32 flags;
	__u64 jobs;
	__u32 n_jobs;
	__u32 arch;
	__u32 queue;
	__u32 reserved;
	__u64 result;
	__u64 ticket;
};

#define PPIM_GNR_WAIT		(1u << 0)
#define PPIM_GNR_NONBLOCK	(1u << 1)
#define PPIM_QUEUE_ANY		0xffffffffu
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_gnr) == 48, "ioc gnr");

/* What sqe->cmd holds (16 bytes fit every ring): the ioctl's argument. */
struct ppim_uring_cmd {
	__u64 gnr;		/* pointer to struct ppim_ioc_gnr */
	__u64 reserved;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_uring_cmd) == 16, "uring cmd");

/**
 * struct ppim_ioc_wait - take a batch's result (PPIM_IOC_WAIT)
 * @size: sizeof(struct ppim_ioc_wait)
 * @flags: zero
 * @ticket: of the batch; 0: any batch of this open file that has ended
 * @timeout_ns: -1: no limit; 0: look only
 * @result: out
 *
 * A result is taken once. -ENOENT: no such batch, or its result was taken.
 * The file is readable (poll) while a result waits.
 */
struct ppim_ioc_wait {
	__u32 size;
	__u32 flags;
	__u64 ticket;
	__s64 timeout_ns;
	struct ppim_ioc_result result;
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_wait) == 24 + 288, "ioc wait");

/**
 * struct ppim_ioc_table_info - one table of the device (PPIM_IOC_TABLE_INFO)
 * @size: sizeof(struct ppim_ioc_table_info)
 * @flags: PPIM_TABLE_INFO_NEXT: the table with the lowest id above @id; without
 *	it the table whose handle is @handle. A caller with CAP_SYS_ADMIN sees
 *	the tables of all open files, others their own. -ENOENT: none.
 * @id: in/out
 * @handle: in/out: 0 if the table is another open file's
 * @pid: out: thread group that created it
 * @create: out: as it was created
 * @sub: out: per subtable: rows, row_bytes, row_stride, extents, flags
 *	(PPIM_SUBF_*), bytes taken in each tier
 */
struct ppim_ioc_table_info {
	__u32 size;
	__u32 flags;
	__u64 id;
	__u32 handle;
	__s32 pid;
	struct ppim_ioc_table_create create;
	struct {
		__u64 rows;
		__u32 row_bytes;
		__u32 row_stride;
		__u32 n_extents;
		__u32 flags;
		__u64 hbm_bytes;
		__u64 dimm_bytes;
	} sub[PPIM_MAX_SUBTABLES];
};

#define PPIM_TABLE_INFO_NEXT	(1u << 0)
PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_table_info) == 24 + 120 + 3 * 40, "ioc table info");

/**
 * struct ppim_ioc_stats - counters since the device was enabled (PPIM_IOC_STATS)
 * All but @size and @flags are out; the first 21 are the device's
 * (struct ppim_hw_stats), the others the driver's.
 */
struct ppim_ioc_stats {
	__u32 size;
	__u32 flags;
	__u64 submitted;
	__u64 completed;
	__u64 errors;
	__u64 aborted;
	__u64 lookups;
	__u64 bags;
	__u64 reads_hbm;
	__u64 reads_dimm;
	__u64 activations_hbm;
	__u64 activations_dimm;
	__u64 sram_hits;
	__u64 sram_misses;
	__u64 moves;
	__u64 transfers;
	__u64 energy_pj;
	__u64 busy_ps;
	__u64 late_count;
	__u64 late_sum_ns;
	__u64 late_max_ns;
	__u64 injected;
	__u64 corrected;
	__u64 resets;
	__u64 stray_completions;
	__u64 timeouts;
	__u64 pinned_bytes;
	__u64 reserved[6];
};

PPIM_STATIC_ASSERT(sizeof(struct ppim_ioc_stats) == 256, "ioc stats");

/* PPIM_IOC_RESET: CAP_SYS_ADMIN. Work in flight ends with -ECANCELED; tables
 * and their contents stay.
 */
struct ppim_ioc_reset {
	__u32 size;
	__u32 flags;
};

#define PPIM_IOC_INFO		_IOWR(PPIM_IOC_MAGIC, 0x00, struct ppim_ioc_info)
#define PPIM_IOC_TABLE_CREATE	_IOWR(PPIM_IOC_MAGIC, 0x01, struct ppim_ioc_table_create)
#define PPIM_IOC_TABLE_DESTROY	_IOW(PPIM_IOC_MAGIC, 0x02, struct ppim_ioc_handle)
#define PPIM_IOC_PLACE		_IOWR(PPIM_IOC_MAGIC, 0x03, struct ppim_ioc_place)
#define PPIM_IOC_DUPLICATE	_IOWR(PPIM_IOC_MAGIC, 0x04, struct ppim_ioc_place)
#define PPIM_IOC_PREFETCH	_IOW(PPIM_IOC_MAGIC, 0x05, struct ppim_ioc_prefetch)
#define PPIM_IOC_UPLOAD		_IOW(PPIM_IOC_MAGIC, 0x06, struct ppim_ioc_copy)
#define PPIM_IOC_DOWNLOAD	_IOW(PPIM_IOC_MAGIC, 0x07, struct ppim_ioc_copy)
#define PPIM_IOC_GNR		_IOWR(PPIM_IOC_MAGIC, 0x08, struct ppim_ioc_gnr)
#define PPIM_IOC_WAIT		_IOWR(PPIM_IOC_MAGIC, 0x09, struct ppim_ioc_wait)
#define PPIM_IOC_TABLE_INFO	_IOWR(PPIM_IOC_MAGIC, 0x0a, struct ppim_ioc_table_info)
#define PPIM_IOC_STATS		_IOWR(PPIM_IOC_MAGIC, 0x0b, struct ppim_ioc_stats)
#define PPIM_IOC_RESET		_IOW(PPIM_IOC_MAGIC, 0x0c, struct ppim_ioc_reset)
#define PPIM_IOC_MEM_REGISTER	_IOWR(PPIM_IOC_MAGIC, 0x0d, struct ppim_ioc_mem)
#define PPIM_IOC_MEM_UNREGISTER	_IOW(PPIM_IOC_MAGIC, 0x0e, struct ppim_ioc_handle)

/* cmd_op of the io_uring command */
#define PPIM_URING_GNR		_IOWR(PPIM_IOC_MAGIC, 0x80, struct ppim_uring_cmd)

#endif
