/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the device's tests share: a driver of its own that sits behind a root
 * port of q35 as the real one does, tables whose bytes the test keeps beside
 * the device's, batches that can be spoilt before they are sent, and the
 * answer by plain C.
 *
 * Test functions get a struct ppim_dev that is probed and enabled, with I/O
 * queue 1 created; every wait has an end, in real time.
 */
#ifndef PPIM_QTEST_H
#define PPIM_QTEST_H

#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/libqos-malloc.h"
#include "libqos/pci.h"
#include "libqos/qgraph.h"
#include "ppim_hw.h"
#include <linux/ppim_shape.h>

/* Tiers small enough that a test starts at once: 256 rows in each bank of the
 * built-in HBM, and as much DIMM. */
#define PPIM_TEST_TIER_MB	64
#define PPIM_TEST_TIERS \
	"-object memory-backend-ram,id=hbm0,size=64M,share=on " \
	"-object memory-backend-ram,id=dimm0,size=64M,share=on "
#define PPIM_TEST_PORT "id=rp0,bus=pcie.0,addr=4.0,chassis=1,slot=1"
#define PPIM_TEST_DEVICE \
	"id=ppim0,bus=rp0,hbm-memdev=hbm0,dimm-memdev=dimm0"
/* Everything after "-M q35,": tests make their own QEMU with it, too. */
char *ppim_machine_args(void);

/* Where the test's firmware puts things; RAM ends far below. */
#define PPIM_TEST_RAM_MB	256
#define PPIM_TEST_REGS		0xe0000000ull
#define PPIM_TEST_MSIX		0xe0010000ull
#define PPIM_TEST_HBM		0x800000000ull
#define PPIM_TEST_DIMM		0xc00000000ull
#define PPIM_TEST_UNMAPPED	0x4000000000ull	/* nothing answers here */

#define PPIM_TEST_WAIT_US	(20 * G_USEC_PER_SEC)
#define PPIM_TEST_SECOND	1000000000ll	/* of the guest, in ns */

/* A queue pair as the driver keeps it. */
struct ppim_ring {
	uint16_t qid;
	uint16_t vector;
	uint32_t entries;
	uint64_t sq, cq;
	uint32_t tail, head;
	uint32_t phase;
	uint16_t cid;		/* next */
	uint32_t generation;	/* next */
};

struct ppim_dev {
	QOSGraphObject obj;
	QTestState *qts;
	QGuestAllocator *alloc;
	QPCIBus *bus;
	QPCIDevice port, pci;
	uint64_t hbm_bytes, dimm_bytes, slice_bytes;
	uint32_t slices;
	uint64_t table_ids;	/* given so far */
	uint64_t used_slice;	/* bytes taken of each slice */
	uint64_t used_dimm;
	uint64_t iommu_pages;	/* table of the pages at PPIM_TEST_REMAPPED */
	struct ppim_ring admin, io;
};

/* ---- device ------------------------------------------------------------- */

void ppim_dev_init(struct ppim_dev *d, QPCIBus *bus, QGuestAllocator *alloc);
/* A QEMU of the test's own: `device` are further properties, or "". */
QTestState *ppim_qemu_start(const char *args, const char *device);
/* The guest goes on in another QEMU; the one where it was is ended. */
void ppim_dev_move(struct ppim_dev *d, QTestState *qts);
/* Until all has been sent. */
void ppim_migration_wait(QTestState *qts);
struct ppim_dev *ppim_dev_spawn(const char *args, const char *device);
void ppim_dev_quit(struct ppim_dev *d);

/* Configures the root port; the port and the function; again after a reset. */
void ppim_port_map(struct ppim_dev *d);
void ppim_dev_map(struct ppim_dev *d);
void ppim_dev_enable(struct ppim_dev *d);
void ppim_dev_disable(struct ppim_dev *d);
void ppim_dev_flr(struct ppim_dev *d);
/* Enables it and creates queue 1: after any reset that kept the BARs. */
void ppim_dev_start(struct ppim_dev *d);
/* All of it once more after a reset that did not. */
void ppim_dev_restart(struct ppim_dev *d);

/* Of QEMU's counters. */
int64_t ppim_counter(struct ppim_dev *d, const char *name);
/* Where a register of a function's configuration space is in memory. */
uint32_t ppim_config_addr(struct ppim_dev *d, const QPCIDevice *pci,
			  uint32_t reg);
/* Entries of the MSI-X table are all this one, and MSI-X is on. */
void ppim_messages_to(struct ppim_dev *d, uint32_t addr, uint32_t data);

uint32_t ppim_readl(struct ppim_dev *d, uint32_t reg);
uint64_t ppim_readq(struct ppim_dev *d, uint32_t reg);
void ppim_writel(struct ppim_dev *d, uint32_t reg, uint32_t value);
void ppim_writeq(struct ppim_dev *d, uint32_t reg, uint64_t value);
uint32_t ppim_status(struct ppim_dev *d);
/* FATAL with this reason? */
void ppim_assert_fatal(struct ppim_dev *d, uint32_t reason);
void ppim_assert_alive(struct ppim_dev *d);

uint64_t ppim_alloc(struct ppim_dev *d, size_t bytes);	/* zeroed */
void ppim_put(struct ppim_dev *d, uint64_t addr, const void *buf, size_t n);
void ppim_get(struct ppim_dev *d, uint64_t addr, void *buf, size_t n);
/* Guest memory filled with a pattern, and whether it still is. */
void ppim_fill(struct ppim_dev *d, uint64_t addr, size_t n);
bool ppim_untouched(struct ppim_dev *d, uint64_t addr, size_t n);

/* ---- queues ------------------------------------------------------------- */

void ppim_ring_init(struct ppim_dev *d, struct ppim_ring *r, uint16_t qid,
		    uint32_t entries);
/* Creates the queue pair on the device; returns the admin status. */
uint16_t ppim_ring_create(struct ppim_dev *d, struct ppim_ring *r);
/* Puts one entry into the ring; cid and generation are filled in. */
uint16_t ppim_push(struct ppim_dev *d, struct ppim_ring *r,
		   struct ppim_hw_sqe *sqe);
void ppim_ring_doorbell(struct ppim_dev *d, struct ppim_ring *r);
/* Takes a completion if there is one; the head doorbell is ppim_ack()'s. */
bool ppim_peek(struct ppim_dev *d, struct ppim_ring *r,
	       struct ppim_hw_cqe *cqe);
bool ppim_poll(struct ppim_dev *d, struct ppim_ring *r,
	       struct ppim_hw_cqe *cqe);
void ppim_ack(struct ppim_dev *d, struct ppim_ring *r);
/* Waits, stepping the clock; fails the test when nothing comes. */
bool ppim_wait(struct ppim_dev *d, struct ppim_ring *r,
	       struct ppim_hw_cqe *cqe);
/* Nothing comes, however long the guest waits (the clock is not stepped). */
bool ppim_stays_quiet(struct ppim_dev *d, struct ppim_ring *r);
void ppim_step(struct ppim_dev *d, int64_t ns);

/* push, doorbell, wait, ack */
struct ppim_hw_cqe ppim_run(struct ppim_dev *d, struct ppim_ring *r,
			    struct ppim_hw_sqe sqe);
struct ppim_hw_cqe ppim_admin(struct ppim_dev *d, struct ppim_hw_sqe sqe);
struct ppim_hw_stats ppim_stats(struct ppim_dev *d);

uint16_t ppim_cqe_status(const struct ppim_hw_cqe *cqe);
void ppim_assert_cqe(const struct ppim_hw_cqe *cqe, uint16_t status,
		     uint64_t detail);
#define PPIM_ANY (~0ull)	/* a detail that is not looked at */

/* ---- DMA remapping (ppim-iommu.c) ---------------------------------------- */

#define PPIM_TEST_REMAPPED	0x40000000ull
#define PPIM_TEST_PAGES		4096u	/* there, as tests want them */
#define PPIM_IOMMU_READ		1u
#define PPIM_IOMMU_WRITE	2u

/* A QEMU with -device intel-iommu: from now on the device's addresses are
 * translated, RAM's to themselves. */
void ppim_iommu_start(struct ppim_dev *d);
/* Lets the device find `to` at one of the pages (access 0: nothing); returns
 * the address that it has for the device. */
uint64_t ppim_iommu_map(struct ppim_dev *d, uint32_t page, uint64_t to,
			uint32_t access);
/* A QEMU with -device amd-iommu: the same RAM, and accesses at
 * PPIM_TEST_REMAPPED fault, each of which writes `data` to `addr`. */
void ppim_iommu_start_faults(struct ppim_dev *d, uint32_t addr, uint16_t data);

/* ---- tables ------------------------------------------------------------- */

enum ppim_layout {
	PPIM_LAYOUT_ONE,	/* one extent in the HBM */
	PPIM_LAYOUT_DIMM,	/* one extent in the DIMM */
	PPIM_LAYOUT_STRIPED,	/* over several bank groups and the DIMM */
	PPIM_LAYOUT_MAPPED,	/* by a row map, HBM and DIMM */
	PPIM_LAYOUT_COPIES,	/* a copy in every bank group */
};

struct ppim_test_sub {
	uint64_t rows;
	uint32_t row_bytes, stride;
	uint8_t *bytes;		/* rows * row_bytes: what the device has */
	struct ppim_hw_subtable hw;
	struct ppim_hw_extent *extents;
	uint64_t extents_addr;
};

/* A table; hw and the extents may be spoilt before ppim_table_send(). */
struct ppim_test_table {
	struct ppim_shape shape;
	struct ppim_test_sub sub[PPIM_MAX_SUBTABLES];
	uint32_t n_sub;
	struct ppim_hw_table hw;
	uint64_t addr;
};

/* Rows from `seed`, placed as `main` (W, Q, G2) and `shared` (R, G1, G3) say,
 * written through the windows, contexts sent. */
struct ppim_test_table *ppim_table_new(struct ppim_dev *d,
				       const struct ppim_shape *shape,
				       uint64_t seed, enum ppim_layout main,
				       enum ppim_layout shared);
void ppim_table_send(struct ppim_dev *d, struct ppim_test_table *t);
void ppim_table_free(struct ppim_test_table *t);
/* Where the device has row `row` of subtable `k` (its first copy). */
uint64_t ppim_table_row_addr(struct ppim_dev *d,
			     const struct ppim_test_table *t, uint32_t k,
			     uint64_t row);

struct ppim_shape ppim_shape_dense(uint64_t rows, uint32_t dim);
struct ppim_shape ppim_shape_qr(uint64_t rows, uint32_t dim, uint32_t c,
				enum ppim_combine combine,
				enum ppim_qr_order order);
struct ppim_shape ppim_shape_tt(uint64_t rows, const uint32_t p[3],
				const uint32_t q[3], const uint32_t r[2]);

/* ---- batches ------------------------------------------------------------ */

#define PPIM_TEST_JOBS 4

struct ppim_test_job {
	struct ppim_test_table *table;
	uint32_t n_indices, n_bags;
	uint8_t mode, index_bytes, flags;
	int64_t padding;
	int64_t *indices, *offsets;
	float *weights;
	bool scattered;		/* buffers by chained scatter lists */
};

/* A batch on its way: what was sent, and where; hw is spoilt before
 * ppim_batch_send(). */
struct ppim_test_batch {
	uint32_t n_jobs;
	struct ppim_test_job job[PPIM_TEST_JOBS];
	struct ppim_hw_job hw[PPIM_TEST_JOBS];
	struct ppim_hw_sqe sqe;
	uint64_t jobs_addr, annotation_addr;
	GArray *output_segs[PPIM_TEST_JOBS];	/* struct ppim_hw_sg */
};

/* A job with bags of up to `pooling` random indices, some bags empty. */
void ppim_job_random(struct ppim_test_job *job, struct ppim_test_table *table,
		     uint32_t n_bags, uint32_t pooling, uint64_t seed);
void ppim_job_free(struct ppim_test_job *job);
struct ppim_test_batch *ppim_batch_new(struct ppim_dev *d,
				       const struct ppim_test_job *jobs,
				       uint32_t n_jobs, enum ppim_arch arch);
void ppim_batch_send(struct ppim_dev *d, struct ppim_test_batch *b);
void ppim_batch_free(struct ppim_test_batch *b);
/* Are the outputs those of plain C, to the bit? */
bool ppim_batch_matches(struct ppim_dev *d, const struct ppim_test_batch *b);
void ppim_batch_verify(struct ppim_dev *d, const struct ppim_test_batch *b);
bool ppim_batch_untouched(struct ppim_dev *d, const struct ppim_test_batch *b);
struct ppim_annotation ppim_batch_annotation(struct ppim_dev *d,
					     const struct ppim_test_batch *b);
/* Sends, runs on queue 1, expects OK, verifies. */
struct ppim_annotation ppim_batch_check(struct ppim_dev *d,
					struct ppim_test_batch *b);
/* One small QR batch from nothing to the verified answer: does the device
 * work (again)? */
void ppim_assert_works(struct ppim_dev *d);

/* ---- reference (ppim-reference.c) ---------------------------------------- */

void ppim_reference(const struct ppim_test_job *job, float *out);

/* A counter-based generator: the n-th number of a seed. */
uint64_t ppim_random(uint64_t seed, uint64_t n);

/* ---- registration -------------------------------------------------------- */

typedef void (*ppim_test_fn)(struct ppim_dev *d, const void *arg);
/* "GROUP/NAME" under the plain device, or under every variant of it. */
void ppim_add_test(const char *path, ppim_test_fn fn, const void *arg);
void ppim_add_variant_test(const char *path, ppim_test_fn fn, const void *arg);

#endif
