/* SPDX-License-Identifier: MIT */
/* Shared by libppim's files; not installed. */
#ifndef PPIM_INT_H
#define PPIM_INT_H

#include <pthread.h>
#include <stdbool.h>
#include "ppim.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct host;
struct buf;

/*
 * An open device. Everything that a device does goes through `call`, which
 * takes the uapi's request numbers and structures: the kernel's ioctl, or the
 * same interface over host memory (host.c). What is above it knows no
 * difference.
 */
struct ppim_dev {
	int (*call)(struct ppim_dev *dev, unsigned long request, void *arg);
	int fd; /* -1: host */
	struct host *host; /* NULL: kernel */
	bool uring;
	char uring_reason[64];
	uint64_t driver_caps;
	int numa_node;

	pthread_mutex_t lock; /* tables */
	struct ppim_tbl *tables;
	pthread_rwlock_t buf_lock; /* bufs */
	struct buf *bufs;
};

struct ppim_tbl {
	struct ppim_dev *dev;
	struct ppim_tbl *next, **prev; /* dev->tables */
	struct ppim_shape shape;
	uint32_t handle;
	uint64_t id;
	char name[32];
};

/* dev.c */
static inline int dev_call(struct ppim_dev *dev, unsigned long request,
			   void *arg)
{
	return dev->call(dev, request, arg);
}

/* host.c: the CPU path as a device. */
int host_open(struct ppim_dev *dev);
void host_close(struct host *host);
/* Keeps the tables of a batch that waits for its turn: how many of them, up to
 * the first that does not exist. */
uint32_t host_hold(struct host *host, const struct ppim_ioc_job *jobs,
		   uint32_t n);
void host_release(struct host *host, const struct ppim_ioc_job *jobs,
		  uint32_t n);

/* buf.c */
void bufs_free(struct ppim_dev *dev);
/* Names [ptr, ptr + bytes) to the driver: part of a registration, or plain. */
void buf_name(struct ppim_dev *dev, const void *ptr, uint64_t bytes,
	      struct ppim_ioc_buf *out);

/* bags.c */
/* What can never be right, found before anything is read, in words: NULL if
 * there is nothing. */
const char *bags_fault(const struct ppim_bags *b);
const char *gnr_fault(const struct ppim_gnr *g);
/* The batch as the uapi wants it; jobs has room for gnr->n_tables. On an error
 * result (may be NULL) says where. */
int bags_jobs(struct ppim_dev *dev, const struct ppim_gnr *gnr,
	      struct ppim_ioc_job *jobs, struct ppim_ioc_result *result);
/* The array's number i, by its width. */
static inline int64_t bags_number(const void *v, uint8_t bytes, uint64_t i)
{
	return bytes == 8 ? ((const int64_t *)v)[i] : ((const int32_t *)v)[i];
}
static inline int64_t bags_index(const struct ppim_bags *b, uint64_t i)
{
	return bags_number(b->indices, b->index_bytes, i);
}
static inline uint64_t bags_offset(const struct ppim_bags *b, uint64_t bag)
{
	return (uint64_t)bags_number(b->offsets, b->index_bytes, bag);
}
static inline uint64_t bags_end(const struct ppim_bags *b, uint32_t bag)
{
	return bag + 1 < b->n_bags ? bags_offset(b, bag + 1) : b->n_indices;
}
static inline bool bags_skips(const struct ppim_bags *b, int64_t index)
{
	return b->flags & PPIM_BAGS_PADDING && index == b->padding_index;
}

/* result.c */
int result_fail(struct ppim_ioc_result *r, uint32_t status, int error,
		uint32_t bag, uint64_t detail);

/* cpu.c */
/* Everything that can be wrong with bags of a table of this shape, found before
 * any output is written: 0, or -errno and *result. */
int cpu_check(const struct ppim_shape *shape, const struct ppim_bags *bags,
	      struct ppim_ioc_result *result);
/* Computes checked bags; adds to *lookups. */
int cpu_compute(const struct ppim_shape *shape, const struct ppim_rows *rows,
		const struct ppim_bags *bags, unsigned int threads,
		const char *isa, uint64_t *lookups);
const char *cpu_isa(void);
unsigned int cpu_threads(void);

#endif
