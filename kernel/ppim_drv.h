/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's own structures and what its files offer each other.
 *
 * Locks, outermost first:
 *   ppim_device.reset_mutex   one start or stop of the device at a time
 *   ppim_table.lock           uploads and downloads of one table
 *   ppim_device.admin_mutex   one admin command at a time
 *   ppim_device.gate          read: the device may be touched; write: its
 *                             state changes. Never held over user memory.
 *   ppim_device.list_mutex    lists of files, tables and registrations
 *   ppim_device.tier_mutex    the tier allocators
 *   ppim_file.lock            jobs of one open file (spinlock)
 *   ppim_queue.lock           rings and slots (spinlock)
 */
#ifndef PPIM_DRV_H
#define PPIM_DRV_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/ppim.h>
#include <linux/ppim_shape.h>
#include "include/ppim_hw.h"

#define PPIM_NAME		"ppim"

/* Memory of one slot: descriptors of the usual batch without any allocation.
 * A batch of 26 tables in user memory takes about 250 scatter entries.
 */
#define PPIM_SLOT_BYTES		16384u
#define PPIM_SLOT_JOBS		32u
#define PPIM_SLOT_ANNOTATION	(PPIM_SLOT_JOBS * sizeof(struct ppim_hw_job))
#define PPIM_SLOT_SG		(PPIM_SLOT_ANNOTATION + \
				 sizeof(struct ppim_annotation))
#define PPIM_SLOT_SG_ENTRIES	((PPIM_SLOT_BYTES - PPIM_SLOT_SG) / \
				 sizeof(struct ppim_hw_sg))
#define PPIM_SG_CHUNK_BYTES	4096u
#define PPIM_SG_CHUNK_ENTRIES	(PPIM_SG_CHUNK_BYTES / sizeof(struct ppim_hw_sg))

/* Objects of one open file; results that nobody took. */
#define PPIM_FILE_MAX_TABLES	65536u
#define PPIM_FILE_MAX_MEMS	65536u
#define PPIM_FILE_MAX_RESULTS	4096u

/* What the device has, read once at probe. */
struct ppim_limits {
	u64 caps;
	u64 hbm_bytes;
	u64 dimm_bytes;
	u64 slice_bytes;
	u32 version;
	u32 slices;
	u32 channels;
	u32 sram_bytes;
	u32 align;
	u32 hbm_row_bytes;
	u32 max_queues;
	u32 max_entries;
	u32 max_tables;
	u32 max_indices;
	u32 max_extents;
	u32 max_sg;
	u32 max_output;
	u32 archs;
	u32 arch_default;
	u32 algos;
	u32 dtypes;
	u32 combines;
	u32 modes;
	u32 timebase;
	u32 hot_ppm;
};

enum ppim_state {
	PPIM_QUIESCED,		/* being reset, suspended or recovered */
	PPIM_LIVE,
	PPIM_BROKEN,		/* could not be started again */
};

/* A part of a slice or of the DIMM: allocated, or a hole. */
struct ppim_block {
	struct list_head node;		/* of all blocks, by offset */
	struct list_head hole;		/* of the holes, by offset */
	u64 offset;
	u64 bytes;
	bool used;
};

/* What one allocator deals out: a slice, or the DIMM. tier_mutex. */
struct ppim_space {
	struct list_head blocks;
	struct list_head holes;
	u64 bytes;
	u64 free;
};

struct ppim_slot {
	struct ppim_job *job;		/* in flight; NULL: not */
	u32 generation;
	bool abort_sent;
	unsigned long submitted;	/* jiffies */
	unsigned long deadline;
	void *desc;
	dma_addr_t desc_dma;
};

struct ppim_queue {
	struct ppim_device *pd;
	spinlock_t lock;		/* all below */
	u16 qid;
	u16 vector;
	u32 entries;
	struct ppim_hw_sqe *sq;
	struct ppim_hw_cqe *cq;
	dma_addr_t sq_dma;
	dma_addr_t cq_dma;
	u32 sq_tail;
	u32 cq_head;
	u32 phase;
	u32 n_slots;
	u32 n_free;
	u16 *free;			/* stack of slots not in use */
	struct ppim_slot *slots;
	u32 generation;			/* of the last command */
	wait_queue_head_t slot_wait;
	char irq_name[24];
	bool irq_taken;
};

/* A command of the admin queue: one at a time, under admin_mutex. */
struct ppim_admin {
	struct completion done;
	struct ppim_hw_cqe cqe;
	u32 generation;			/* queue 0's lock */
	bool waiting;			/* queue 0's lock */
};

struct ppim_counters {
	atomic64_t resets;
	atomic64_t stray_completions;
	atomic64_t timeouts;
	atomic64_t pinned_pages;
};

struct ppim_device {
	struct device dev;		/* lifetime: probe's reference, files */
	struct cdev cdev;
	struct pci_dev *pdev;
	int minor;
	int numa_node;
	void __iomem *regs;
	void *window[2];		/* by tier; NULL: no window */
	struct ppim_limits limits;

	struct rw_semaphore gate;
	enum ppim_state state;		/* gate */
	bool dead;			/* gate; never taken back */
	wait_queue_head_t state_wait;
	struct mutex reset_mutex;	/* start, stop */

	struct ppim_queue *queues;	/* [0] is the admin queue */
	u32 n_queues;			/* I/O queues */
	bool one_vector;
	struct mutex admin_mutex;	/* one admin command at a time */
	struct ppim_admin admin;
	struct ppim_hw_stats *stats;
	dma_addr_t stats_dma;
	struct dma_pool *sg_pool;
	struct delayed_work watchdog;
	bool reset_demanded;

	struct mutex tier_mutex;	/* the allocators */
	struct ppim_space *spaces;	/* slices, then the DIMM */
	u32 n_spaces;
	u64 hbm_used;
	u64 dimm_used;

	struct mutex list_mutex;	/* the lists below */
	struct list_head files;
	struct list_head mems;
	struct xarray tables;		/* by id */
	u64 last_table_id;

	struct ppim_counters counters;
	struct dentry *debugfs;
};

struct ppim_file {
	struct ppim_device *pd;
	struct list_head node;		/* ppim_device.files */
	struct xarray tables;		/* by handle */
	struct xarray mems;		/* by handle */
	struct xarray tickets;		/* asynchronous jobs by ticket */
	spinlock_t lock;
	struct list_head inflight;	/* jobs */
	struct list_head done;		/* asynchronous jobs that ended */
	u32 n_results;			/* asynchronous jobs not taken yet */
	wait_queue_head_t wait;		/* inflight or done changed */
	atomic64_t last_ticket;
};

/*
 * Use of a table or a registration. Counted while work or a copy uses it;
 * PLACE, DUPLICATE, DESTROY and UNREGISTER freeze it, which succeeds only when
 * nobody uses it. An object is found and its use taken under its xarray's
 * lock; it is frozen and erased under the same lock: so the use count alone
 * keeps it alive.
 */
#define PPIM_FROZEN	(-1)

static inline bool ppim_use_get(atomic_t *users)
{
	return atomic_inc_unless_negative(users);
}

static inline void ppim_use_put(atomic_t *users)
{
	atomic_dec(users);
}

static inline bool ppim_use_freeze(atomic_t *users)
{
	return atomic_cmpxchg(users, 0, PPIM_FROZEN) == 0;
}

static inline void ppim_use_thaw(atomic_t *users)
{
	atomic_set_release(users, 0);
}

struct ppim_extent {
	struct ppim_block *block;
	u64 offset;
	u64 rows;
	u32 tier;
	u32 slice;
};

struct ppim_sub {
	u64 rows;
	u32 row_bytes;
	u32 row_stride;			/* 0: not placed */
	u32 flags;
	u32 n_extents;
	struct ppim_extent *extents;
	struct ppim_hw_extent *hw;	/* what the device reads */
	dma_addr_t hw_dma;
	struct ppim_extent map;		/* the row map's place, one "row" */
	u32 map_bits;
};

struct ppim_table {
	struct ppim_file *file;
	u32 handle;
	u64 id;
	struct pid *pid;
	atomic_t users;
	struct mutex lock;		/* uploads, downloads, hints */
	struct ppim_ioc_table_create create;
	struct ppim_shape shape;
	u32 n_subs;
	struct ppim_sub sub[PPIM_MAX_SUBTABLES];
	struct ppim_hw_table *hw;	/* what the device reads */
	dma_addr_t hw_dma;
	bool mapped;			/* gate, list_mutex */
};

/* Pinned user pages, and, once mapped, their bus addresses. */
struct ppim_pin {
	struct mm_struct *mm;		/* whose limit they count against */
	struct page **pages;
	dma_addr_t *dma;
	u32 n_pages;
	u32 n_mapped;
	u32 first;			/* offset in the first page */
	bool write;
	bool sync;			/* the CPU and the device need syncs */
};

struct ppim_mem {
	struct list_head node;		/* ppim_device.mems */
	struct ppim_pin pin;
	u64 bytes;
	atomic_t users;
};

enum ppim_job_buf {
	PPIM_BUF_INDICES,
	PPIM_BUF_OFFSETS,
	PPIM_BUF_WEIGHTS,
	PPIM_BUF_OUTPUT,
	PPIM_BUFS
};

/* A buffer of a batch: part of a registration, or pages of its own. */
struct ppim_buf {
	struct ppim_mem *mem;
	struct ppim_pin pin;
	u64 offset;			/* in the registration */
	u64 bytes;
};

struct ppim_item {
	struct ppim_table *table;
	struct ppim_buf buf[PPIM_BUFS];
};

enum ppim_job_kind {
	PPIM_JOB_SYNC,			/* somebody waits in the ioctl */
	PPIM_JOB_ASYNC,			/* PPIM_IOC_WAIT takes the result */
	PPIM_JOB_URING,
	PPIM_JOB_ORPHAN,		/* nobody wants the result */
};

struct ppim_sg_chunk {
	struct list_head node;
	struct ppim_hw_sg *entries;
	dma_addr_t dma;
};

/* A batch. One reference is the flight's, one its owner's: the ioctl that
 * waits, the ticket, or the io_uring command.
 */
struct ppim_job {
	struct list_head node;		/* file->inflight or file->done */
	struct list_head ended_node;	/* local lists */
	struct ppim_device *pd;
	struct ppim_file *file;
	enum ppim_job_kind kind;	/* file->lock */
	bool ended;			/* file->lock */
	bool abort;			/* queue->lock: to be ended early */
	refcount_t refs;
	struct ppim_queue *queue;	/* with a slot; else NULL */
	u16 slot;
	u32 arch;
	u32 n_jobs;
	u64 lookups;
	u64 bags;
	u64 output;			/* bytes */
	struct ppim_ioc_job *jobs;
	struct page **pages;		/* of all plain buffers, */
	dma_addr_t *dma;		/* in one allocation */
	struct ppim_hw_job *big_jobs;	/* more than PPIM_SLOT_JOBS */
	dma_addr_t big_dma;
	struct list_head chunks;	/* ppim_sg_chunk */
	struct completion done;
	struct io_uring_cmd *ioucmd;
	u64 result_ptr;			/* user's struct ppim_ioc_result, or 0 */
	struct ppim_hw_cqe cqe;
	struct ppim_ioc_result result;
	struct ppim_item items[];
};

/* ppim_drv.c */
int ppim_gate_enter(struct ppim_device *pd);
int ppim_gate_enter_live(struct ppim_device *pd, bool nonblock);
void ppim_gate_exit(struct ppim_device *pd);
int ppim_device_reset(struct ppim_device *pd, const char *why);
extern unsigned int ppim_timeout_ms;

/* ppim_file.c */
extern const struct file_operations ppim_fops;
void ppim_file_wake_all(struct ppim_device *pd);

/* ppim_queue.c */
int ppim_queues_create(struct ppim_device *pd, u32 max);
void ppim_queues_destroy(struct ppim_device *pd);
void ppim_queues_free(struct ppim_device *pd);
int ppim_queues_start(struct ppim_device *pd);
void ppim_queues_wake(struct ppim_device *pd);
void ppim_queues_rewind(struct ppim_device *pd);
void ppim_queues_cancel(struct ppim_device *pd, enum ppim_status status);
void ppim_queues_drain(struct ppim_device *pd, unsigned int ms);
int ppim_queue_slot_get(struct ppim_device *pd, struct ppim_job *job, u32 queue, bool nonblock);
void ppim_queue_slot_put(struct ppim_job *job);
void ppim_queue_push(struct ppim_job *job, struct ppim_hw_sqe *sqe);
void ppim_queue_abort(struct ppim_job *job);
int ppim_admin_do(struct ppim_device *pd, struct ppim_hw_sqe *sqe, u64 *detail, bool starting);
int ppim_admin_stats(struct ppim_device *pd, struct ppim_hw_stats *stats);
void ppim_admin_cancel(struct ppim_device *pd);
void ppim_watchdog(struct work_struct *work);
void ppim_watchdog_demand_reset(struct ppim_device *pd);

/* ppim_tier.c */
int ppim_tier_init(struct ppim_device *pd);
void ppim_tier_fini(struct ppim_device *pd);
int ppim_tier_check(struct ppim_device *pd, u32 tier, u32 slice);
int ppim_tier_alloc(struct ppim_device *pd, struct ppim_extent *e, u64 bytes, bool fixed);
void ppim_tier_free(struct ppim_device *pd, struct ppim_extent *e);
void *ppim_tier_at(struct ppim_device *pd, const struct ppim_extent *e, u64 offset);
void ppim_tier_free_bytes(struct ppim_device *pd, u64 *hbm, u64 *dimm);

/* ppim_table.c */
int ppim_table_create(struct ppim_file *file, void *arg);
int ppim_table_destroy(struct ppim_file *file, void *arg);
int ppim_table_prefetch(struct ppim_file *file, void *arg);
int ppim_table_info(struct ppim_file *file, void *arg);
struct ppim_table *ppim_table_use(struct ppim_file *file, u32 handle);
struct ppim_table *ppim_table_freeze(struct ppim_file *file, u32 handle);
void ppim_table_changed(struct ppim_table *t);
void ppim_table_describe(const struct ppim_table *t, struct ppim_ioc_table_info *info);
void ppim_table_close_all(struct ppim_file *file);
void ppim_table_unmap_all(struct ppim_device *pd);

/* ppim_place.c */
int ppim_place(struct ppim_file *file, void *arg);
int ppim_duplicate(struct ppim_file *file, void *arg);
void ppim_sub_release(struct ppim_device *pd, struct ppim_sub *s);

/* ppim_copy.c */
int ppim_copy_upload(struct ppim_file *file, void *arg);
int ppim_copy_download(struct ppim_file *file, void *arg);
int ppim_copy_map(struct ppim_device *pd, const struct ppim_sub *s, u64 user);
int ppim_copy_extent(struct ppim_device *pd, const struct ppim_extent *to,
		     const struct ppim_extent *from, u64 bytes);
int ppim_copy_clear(struct ppim_device *pd, const struct ppim_extent *e, u64 bytes);

/* ppim_mem.c */
u64 ppim_pin_count(u64 addr, u64 bytes);
int ppim_pin_pages(struct ppim_device *pd, struct ppim_pin *pin, u64 addr, u64 bytes,
		   unsigned int gup_flags);
void ppim_pin_release(struct ppim_device *pd, struct ppim_pin *pin);
int ppim_pin_map(struct ppim_device *pd, struct ppim_pin *pin);
void ppim_pin_unmap(struct ppim_device *pd, struct ppim_pin *pin);
void ppim_pin_sync(struct ppim_device *pd, const struct ppim_pin *pin, u64 offset, u64 bytes,
		   bool for_cpu);
int ppim_mem_register(struct ppim_file *file, void *arg);
int ppim_mem_unregister(struct ppim_file *file, void *arg);
struct ppim_mem *ppim_mem_use(struct ppim_file *file, u32 handle);
void ppim_mem_close_all(struct ppim_file *file);
void ppim_mem_unmap_all(struct ppim_device *pd);

/* Writes scatter entries of one batch: into an array, then into chunks. */
struct ppim_sg_writer {
	struct ppim_device *pd;
	struct list_head *chunks;
	struct ppim_hw_sg *entries;
	dma_addr_t dma;
	u32 capacity;
	u32 used;
};

int ppim_sg_write(struct ppim_sg_writer *w, const struct ppim_pin *pin, u64 offset, u64 bytes,
		  struct ppim_hw_buf *out);
void ppim_sg_free(struct ppim_device *pd, struct list_head *chunks);

/* ppim_job.c */
struct ppim_job *ppim_job_alloc(struct ppim_file *file, const struct ppim_ioc_gnr *gnr,
				enum ppim_job_kind kind);
int ppim_job_prepare(struct ppim_job *job, u64 user_jobs);
int ppim_job_start(struct ppim_job *job, bool nonblock);
void ppim_job_drop(struct ppim_job *job);
void ppim_job_put(struct ppim_job *job);
void ppim_job_end(struct ppim_job *job);
int ppim_job_put_result(const struct ppim_job *job);
int ppim_job_gnr(struct ppim_file *file, void *arg);
int ppim_job_wait(struct ppim_file *file, void *arg);
void ppim_job_close_all(struct ppim_file *file);
int ppim_status_errno(u32 status);

/* ppim_ioctl.c */
long ppim_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
int ppim_ioctl_copy_in(void *to, size_t bytes, u64 user, u32 *user_bytes);

/* ppim_uring.c */
int ppim_uring_cmd(struct io_uring_cmd *ioucmd, unsigned int issue_flags);
void ppim_uring_complete(struct ppim_job *job);

/* ppim_sysfs.c, ppim_debugfs.c, ppim_dump.c */
extern const struct attribute_group **ppim_sysfs_groups;
void ppim_debugfs_init(void);
void ppim_debugfs_exit(void);
void ppim_debugfs_add(struct ppim_device *pd);
void ppim_debugfs_remove(struct ppim_device *pd);
void ppim_dump(struct ppim_device *pd, const char *why);

#endif
