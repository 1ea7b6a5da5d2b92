/* SPDX-License-Identifier: MIT */
/*
 * libppim: embedding tables on a ppim memory, and the same answers on a CPU.
 *
 * Every function that can fail returns 0 or a positive count, or -errno with
 * the meanings that <linux/ppim.h> lists. No global state: what belongs
 * together hangs off a struct ppim_dev. All functions may be called from any
 * thread at any time, except that an object must not be in use when it is
 * freed. No function writes to a terminal, changes signals, or ends the
 * process.
 *
 * Ten lines of use:
 *
 *	struct ppim_shape shape = { .rows = 1000, .dim = 32,
 *		.algo = PPIM_ALGO_QR, .collisions = 4 };
 *	ppim_open(NULL, &dev);
 *	ppim_table_create(dev, &shape, "users", &users);
 *	ppim_place_auto(dev, &users, 1, NULL, NULL, NULL, NULL);
 *	ppim_upload(users, PPIM_SUB_Q, 0, 250, q_rows);
 *	ppim_upload(users, PPIM_SUB_R, 0, 4, r_rows);
 *	struct ppim_bags bags = { .table = users, .indices = idx,
 *		.n_indices = n, .offsets = off, .n_bags = b,
 *		.index_bytes = 8, .output = out };
 *	struct ppim_gnr gnr = { .bags = &bags, .n_tables = 1 };
 *	ppim_gnr(dev, &gnr, &result);
 */
#ifndef PPIM_H
#define PPIM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/ppim.h>
#include <linux/ppim_defs.h>
#include <linux/ppim_shape.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PPIM_API __attribute__((visibility("default")))

struct ppim_dev;	/* an open device, or the CPU path */
struct ppim_tbl;	/* a table on it */
struct ppim_ctx;	/* a submission context: a ring of batches in flight */

/* of <ppim/plan.h>; libppim exports that interface too */
struct ppim_plan;
struct ppim_plan_profile;
struct ppim_plan_options;
struct ppim_plan_geometry;
struct ppim_plan_error;

PPIM_API const char *ppim_version(void);

/* ---- device -------------------------------------------------------------- */

/* As a path: no device. Tables live in host memory, the CPU computes. */
#define PPIM_DEV_CPU "cpu:"
#define PPIM_DEV_DEFAULT "/dev/ppim"

/* path NULL: PPIM_DEV_DEFAULT. -ENOENT: no such device; -ENODEV, -ENOTTY: the
 * file is not a ppim device. */
PPIM_API int ppim_open(const char *path, struct ppim_dev **dev);

/* Frees what is left of tables and buffers too. Contexts must be freed before.
 */
PPIM_API void ppim_close(struct ppim_dev *dev);

/**
 * struct ppim_info - what a device can do, and how libppim drives it
 * @dev: as PPIM_IOC_INFO says; for the CPU path sizes are those of a device of
 *	default geometry, archs has PPIM_ARCH_CPU alone
 * @is_cpu: 1: the CPU path
 * @uring: 1: contexts submit by io_uring
 * @uring_reason: why not, a short text; "" if @uring
 * @isa: vector path of the CPU: "scalar", "avx2"
 * @threads: threads that the CPU path uses when told 0
 */
struct ppim_info {
	struct ppim_ioc_info dev;
	int is_cpu;
	int uring;
	char uring_reason[64];
	char isa[16];
	unsigned int threads;
};
PPIM_API int ppim_info(struct ppim_dev *dev, struct ppim_info *info);
PPIM_API int ppim_stats(struct ppim_dev *dev, struct ppim_ioc_stats *stats);
/* CAP_SYS_ADMIN. Work in flight ends with -ECANCELED, tables stay. */
PPIM_API int ppim_reset(struct ppim_dev *dev);
/* File descriptor of the device, -1 for the CPU path. */
PPIM_API int ppim_fd(const struct ppim_dev *dev);

/* ---- tables --------------------------------------------------------------- */

/* name: for listings and messages, cut at 31 characters; NULL: none. */
PPIM_API int ppim_table_create(struct ppim_dev *dev,
			       const struct ppim_shape *shape,
			       const char *name, struct ppim_tbl **tbl);
/* -EBUSY: in use by work in flight (then the table still exists). */
PPIM_API int ppim_table_destroy(struct ppim_tbl *tbl);

PPIM_API const struct ppim_shape *ppim_table_shape(const struct ppim_tbl *tbl);
PPIM_API const char *ppim_table_name(const struct ppim_tbl *tbl);
PPIM_API int ppim_table_info(struct ppim_tbl *tbl,
			     struct ppim_ioc_table_info *info);
/* The table of lowest id above `after`: -ENOENT past the last. */
PPIM_API int ppim_table_next(struct ppim_dev *dev, uint64_t after,
			     struct ppim_ioc_table_info *info);

/* ---- placement ------------------------------------------------------------ */

/* What the planner wants to know of the device. */
PPIM_API int ppim_plan_geometry_get(struct ppim_dev *dev,
				    struct ppim_plan_geometry *geo);

/*
 * Plans and places: all subtables of n tables, in order. profiles (NULL, or n
 * entries that may be NULL) say how often rows are read. *plan (NULL: not
 * wanted) is the caller's to explain and to free. On an error tables placed so
 * far stay placed; err (may be NULL) says which one failed and why.
 */
PPIM_API int ppim_place_auto(struct ppim_dev *dev, struct ppim_tbl *const *tbls,
			     uint32_t n,
			     const struct ppim_plan_profile *const *profiles,
			     const struct ppim_plan_options *options,
			     struct ppim_plan **plan,
			     struct ppim_plan_error *err);

/* Applies a plan, whose table i is tbls[i]. */
PPIM_API int ppim_place_plan(struct ppim_dev *dev, struct ppim_tbl *const *tbls,
			     uint32_t n, const struct ppim_plan *plan,
			     struct ppim_plan_error *err);

/* The planner's overrides by hand; see struct ppim_ioc_place, of which size and
 * table are filled in. Offsets are given back in the extents. */
PPIM_API int ppim_place(struct ppim_tbl *tbl, struct ppim_ioc_place *place);
PPIM_API int ppim_duplicate(struct ppim_tbl *tbl, struct ppim_ioc_place *place);
PPIM_API int ppim_prefetch(struct ppim_tbl *tbl, uint32_t sub, int enable);

/* ---- contents ------------------------------------------------------------- */

/* n rows of ppim_shape_row_bytes() each, back to back, from row `first` on. */
PPIM_API int ppim_upload(struct ppim_tbl *tbl, uint32_t sub, uint64_t first,
			 uint64_t n, const void *data);
PPIM_API int ppim_upload_rows(struct ppim_tbl *tbl, uint32_t sub,
			      const uint64_t *rows, uint64_t n,
			      const void *data);
/* copy: which extent of a duplicated subtable is read, else 0. */
PPIM_API int ppim_download(struct ppim_tbl *tbl, uint32_t sub, uint64_t first,
			   uint64_t n, void *data, uint32_t copy);
PPIM_API int ppim_download_rows(struct ppim_tbl *tbl, uint32_t sub,
				const uint64_t *rows, uint64_t n, void *data,
				uint32_t copy);
/* Writes rows of one copy alone, so that copies differ: for tests. */
PPIM_API int ppim_upload_copy(struct ppim_tbl *tbl, uint32_t sub,
			      uint64_t first, uint64_t n, const void *data,
			      uint32_t copy);

/* ---- staging buffers ------------------------------------------------------ */

/*
 * Page-aligned zeroed memory on the device's NUMA node, pinned and registered:
 * batches whose arrays lie in it are not pinned one by one. On a device that
 * cannot register memory, and on the CPU path, it is plain memory.
 */
PPIM_API int ppim_buf_alloc(struct ppim_dev *dev, size_t bytes, void **ptr);
/* -EINVAL: not from ppim_buf_alloc(); -EBUSY: work in flight uses it. */
PPIM_API int ppim_buf_free(struct ppim_dev *dev, void *ptr);

/* ---- gather-and-reduction ------------------------------------------------- */

/**
 * struct ppim_bags - one table's share of a batch, as torch.nn.EmbeddingBag
 * @table: ignored by ppim_cpu_gnr() and ppim_ref_gnr()
 * @indices: n_indices numbers of index_bytes
 * @offsets: where each bag starts, same width; the first is 0. The last bag
 *	ends at n_indices
 * @weights: per-sample weights (mode SUM), or NULL
 * @output: n_bags * dim
 * @n_indices: indices in all
 * @n_bags: bags; a bag may be empty, its output is 0
 * @padding_index: with PPIM_BAGS_PADDING: counts as absent
 * @index_bytes: 4 or 8, signed
 * @mode: enum ppim_mode
 * @flags: PPIM_BAGS_*
 * @reserved: zero
 */
struct ppim_bags {
	struct ppim_tbl *table;
	const void *indices;
	const void *offsets;
	const float *weights;
	float *output;
	uint32_t n_indices;
	uint32_t n_bags;
	int64_t padding_index;
	uint8_t index_bytes;
	uint8_t mode;
	uint8_t flags;
	uint8_t reserved[5];
};
#define PPIM_BAGS_PADDING	(1u << 0)
/* offsets has n_bags + 1 entries, the last of which must be n_indices
 * (include_last_offset=True) */
#define PPIM_BAGS_LAST_OFFSET	(1u << 1)

/**
 * struct ppim_gnr - a batch
 * @bags: one entry per table; the array is copied
 * @n_tables: entries of @bags
 * @arch: enum ppim_arch
 * @queue: I/O queue pair, or 0 for any; queue q is given as q + 1
 * @reserved: zero
 */
struct ppim_gnr {
	const struct ppim_bags *bags;
	uint32_t n_tables;
	uint32_t arch;
	uint32_t queue;
	uint32_t reserved;
};

/* Runs a batch and waits for it. result (may be NULL) is filled on success and
 * on a failure that the device or the CPU path reports. */
PPIM_API int ppim_gnr(struct ppim_dev *dev, const struct ppim_gnr *gnr,
		      struct ppim_ioc_result *result);

/* How a batch of a context ended. */
struct ppim_completion {
	uint64_t user_data;
	int res;		/* 0 or -errno */
	uint32_t reserved;
	struct ppim_ioc_result result;
};

/*
 * entries: batches that may be in flight at once (1 to 4096). Where io_uring
 * cannot be used the context works by ioctl; ppim_info() says so.
 */
PPIM_API int ppim_ctx_create(struct ppim_dev *dev, uint32_t entries,
			     struct ppim_ctx **ctx);
/* Waits for what is in flight; completions not taken are dropped. */
PPIM_API void ppim_ctx_free(struct ppim_ctx *ctx);

/*
 * Starts a batch and returns. The arrays that the bags name must stay until it
 * has completed. -EAGAIN: `entries` batches are in flight, or the device's
 * queue is full; take completions first. Errors that libppim finds by itself
 * (a zero table, a bad width) are returned here and nothing was started.
 */
PPIM_API int ppim_submit(struct ppim_ctx *ctx, const struct ppim_gnr *gnr,
			 uint64_t user_data);
/* The same, but may be held back until the next ppim_submit(), ppim_flush(),
 * ppim_poll() or ppim_wait(): many batches then cost one system call. */
PPIM_API int ppim_submit_more(struct ppim_ctx *ctx, const struct ppim_gnr *gnr,
			      uint64_t user_data);
PPIM_API int ppim_flush(struct ppim_ctx *ctx);

/* Takes up to max (at least 1) completions that are there: how many, or -errno.
 */
PPIM_API int ppim_poll(struct ppim_ctx *ctx, struct ppim_completion *out,
		       uint32_t max);
/*
 * Waits until at least one is there. timeout_ns < 0: no limit. -ETIMEDOUT: the
 * time is over; -ENOENT: nothing is in flight.
 */
PPIM_API int ppim_wait(struct ppim_ctx *ctx, struct ppim_completion *out,
		       uint32_t max, int64_t timeout_ns);
/* Batches started whose completion was not taken. */
PPIM_API uint32_t ppim_inflight(struct ppim_ctx *ctx);

/*
 * One line that says how a batch ended: "table users bag 3: index 1234 is
 * outside 0..999". At most n bytes with the terminator; returns the full length
 * like snprintf. gnr is the batch as it was submitted.
 */
PPIM_API int ppim_strerror_result(const struct ppim_gnr *gnr,
				  const struct ppim_ioc_result *result,
				  char *buf, size_t n);

/* ---- CPU path -------------------------------------------------------------- */

/*
 * Where the rows of subtables are: row i of subtable s at base[s] + i *
 * stride[s] (stride 0: ppim_shape_row_bytes()), or, where base[s] is NULL, by
 * the callback, which must be thread-safe, fills row_bytes at dst, and returns
 * 0 or -errno.
 */
struct ppim_rows {
	const void *base[PPIM_MAX_SUBTABLES];
	uint64_t stride[PPIM_MAX_SUBTABLES];
	int (*read)(void *opaque, uint32_t sub, uint64_t row, void *dst);
	void *opaque;
};

/*
 * Computes one table's bags on `threads` threads (0: one per CPU of this
 * process) into bags->output. Bit for bit what the device answers, whatever the
 * number of threads and the vector width. result (may be NULL) says where an
 * error was found; on an error no output was written (an error of the callback
 * excepted).
 */
PPIM_API int ppim_cpu_gnr(const struct ppim_shape *shape,
			  const struct ppim_rows *rows,
			  const struct ppim_bags *bags, unsigned int threads,
			  struct ppim_ioc_result *result);

/*
 * The same sum in fp64 from scratch, in plain loops: out and magnitude hold
 * n_bags * dim doubles; magnitude is the sum of the magnitudes of the terms, so
 * that a right answer x has |x - out| <= 1e-5 * magnitude.
 */
PPIM_API int ppim_ref_gnr(const struct ppim_shape *shape,
			  const struct ppim_rows *rows,
			  const struct ppim_bags *bags, double *out,
			  double *magnitude, struct ppim_ioc_result *result);

/* A vector path by name ("scalar", "avx2") for one call, for tests: -ENOENT:
 * not of this processor. */
PPIM_API int ppim_cpu_gnr_isa(const struct ppim_shape *shape,
			      const struct ppim_rows *rows,
			      const struct ppim_bags *bags,
			      unsigned int threads, const char *isa,
			      struct ppim_ioc_result *result);

/* ---- rows and numbers ------------------------------------------------------ */

/* n elements of a row as fp32, and fp32 as a row (INT8: scale and zero point
 * are chosen from the row's range, so that 0 is exact). */
PPIM_API void ppim_row_decode(uint8_t dtype, const void *row, uint64_t n,
			      float *out);
PPIM_API void ppim_row_encode(uint8_t dtype, const float *in, uint64_t n,
			      void *row);

/* Names as users type them: "proactive"; NULL, -EINVAL: no such name. */
PPIM_API const char *ppim_arch_name(uint32_t arch);
PPIM_API int ppim_arch_parse(const char *name, uint32_t *arch);
PPIM_API const char *ppim_bound_name(uint32_t bound);

#ifdef __cplusplus
}
#endif

#endif
