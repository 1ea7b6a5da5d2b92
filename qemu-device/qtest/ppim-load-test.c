// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands so large that the main loop takes them in several visits: how much
 * of them one visit moves, and what happens to a half-loaded one.
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qemu/module.h"
#include "qobject/qdict.h"
#include "ppim-qtest.h"

#define VISIT_BYTES	(4u * MiB)	/* PPIM_VISIT_BYTES, */
#define PIECE_BYTES	(1u * MiB)	/* and what may come on top */
#define PIECES		16384		/* the most that a buffer may have */
#define INDICES		(1u << 20)	/* the most of a batch */
#define COPY_BYTES	(16u * MiB)	/* the most of a copy */
#define DIM		16
#define ROWS		50
#define BLOCK		64	/* bags whose sums are read at a time, of 16 */

/* The most that a visit of the device read and wrote, since it was made. */
static uint64_t visit_most(struct ppim_dev *d, const char *what)
{
	uint64_t bytes = ppim_counter(d, "main-loop-max-bytes");

	g_test_message("%s: a visit was at most %" PRIu64 " KiB, %" PRId64
		       " us", what, bytes / KiB,
		       ppim_counter(d, "main-loop-max-ns") / 1000);
	return bytes;
}

static uint64_t put_bytes(struct ppim_dev *d, const void *data, size_t n)
{
	uint64_t addr = ppim_alloc(d, n);

	ppim_put(d, addr, data, n);
	return addr;
}

/* The largest batch: as many bags as indices, all weights, 64 MiB of sums. */
static void largest_job(struct ppim_dev *d, struct ppim_test_table *t,
			struct ppim_hw_job *hw)
{
	g_autofree uint64_t *indices = g_new(uint64_t, INDICES);
	g_autofree uint64_t *offsets = g_new(uint64_t, INDICES);
	g_autofree uint32_t *weights = g_new(uint32_t, INDICES);
	uint32_t i;

	for (i = 0; i < INDICES; i++) {
		indices[i] = cpu_to_le64(i * 7ull % ROWS);
		offsets[i] = cpu_to_le64(i);
		weights[i] = cpu_to_le32(0x40000000);	/* 2.0f */
	}
	*hw = (struct ppim_hw_job){
		.table = cpu_to_le64(t->addr), .index_bytes = 8,
		.flags = PPIM_JOBF_WEIGHTS,
		.n_indices = cpu_to_le32(INDICES),
		.n_bags = cpu_to_le32(INDICES),
		.indices.addr = cpu_to_le64(put_bytes(d, indices, INDICES * 8)),
		.indices.bytes = cpu_to_le64(INDICES * 8),
		.offsets.addr = cpu_to_le64(put_bytes(d, offsets, INDICES * 8)),
		.offsets.bytes = cpu_to_le64(INDICES * 8),
		.weights.addr = cpu_to_le64(put_bytes(d, weights, INDICES * 4)),
		.weights.bytes = cpu_to_le64(INDICES * 4),
		.output.addr = cpu_to_le64(ppim_alloc(d, INDICES * DIM * 4)),
		.output.bytes = cpu_to_le64(INDICES * DIM * 4),
	};
}

/* A command's inputs and outputs are moved in as many visits as they take. */
static void test_batch_visits(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "timing=off");
	struct ppim_shape shape = ppim_shape_dense(ROWS, DIM);
	struct ppim_test_table *t;
	const float *rows;
	float sums[BLOCK * DIM];
	struct ppim_hw_cqe cqe;
	struct ppim_hw_job hw;
	uint32_t i, k;

	ppim_dev_start(d);
	t = ppim_table_new(d, &shape, 12, PPIM_LAYOUT_STRIPED, PPIM_LAYOUT_ONE);
	rows = (const float *)t->sub[0].bytes;
	largest_job(d, t, &hw);
	cqe = ppim_run(d, &d->io, (struct ppim_hw_sqe){
		.opcode = PPIM_OP_GNR,
		.gnr.jobs = cpu_to_le64(put_bytes(d, &hw, sizeof(hw))),
		.gnr.n_jobs = cpu_to_le32(1),
		.gnr.arch = PPIM_ARCH_BGPIM,
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	for (i = 0; i < INDICES; i += i % BLOCK == BLOCK - 1 ?
				      15 * BLOCK + 1 : 1) {
		if (i % BLOCK == 0)
			ppim_get(d, le64_to_cpu(hw.output.addr) + i * DIM * 4,
				 sums, sizeof(sums));
		for (k = 0; k < DIM; k++)
			g_assert_true(sums[i % BLOCK * DIM + k] ==
				      2 * rows[i * 7ull % ROWS * DIM + k]);
	}
	g_assert_cmpuint(visit_most(d, "largest batch"), <=,
			 VISIT_BYTES + PIECE_BYTES);
	ppim_table_free(t);
	ppim_dev_quit(d);
}

/* A buffer of 16 MiB in as many pieces as there can be, last piece first. */
static struct ppim_hw_buf pieces_make(struct ppim_dev *d, uint64_t data)
{
	g_autofree struct ppim_hw_sg *sg = g_new0(struct ppim_hw_sg, PIECES);
	uint32_t i, n = COPY_BYTES / PIECES;

	for (i = 0; i < PIECES; i++) {
		sg[i].addr = cpu_to_le64(data + (PIECES - 1 - i) * n);
		sg[i].bytes = cpu_to_le32(n);
	}
	return (struct ppim_hw_buf){
		.addr = cpu_to_le64(put_bytes(d, sg, PIECES * sizeof(*sg))),
		.bytes = cpu_to_le64(COPY_BYTES),
		.n_sg = cpu_to_le32(PIECES),
	};
}

static void copy_in_pieces(struct ppim_dev *d, uint8_t opcode, uint64_t data)
{
	struct ppim_hw_sqe sqe = { .opcode = opcode };
	struct ppim_hw_cqe cqe;

	sqe.copy.tier = PPIM_TIER_DIMM;
	sqe.copy.data = pieces_make(d, data);
	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
}

static void test_copy_visits(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "timing=off");
	g_autofree uint64_t *out = g_new(uint64_t, COPY_BYTES / 8);
	g_autofree uint64_t *back = g_new(uint64_t, COPY_BYTES / 8);
	uint64_t from, to;
	uint32_t i;

	ppim_dev_start(d);
	from = ppim_alloc(d, COPY_BYTES);
	to = ppim_alloc(d, COPY_BYTES);
	for (i = 0; i < COPY_BYTES / 8; i++)
		out[i] = ppim_random(5, i);
	ppim_put(d, from, out, COPY_BYTES);
	copy_in_pieces(d, PPIM_OP_WRITE, from);
	g_assert_cmpuint(visit_most(d, "WRITE in 16384 pieces"), <=,
			 VISIT_BYTES + PIECE_BYTES);
	copy_in_pieces(d, PPIM_OP_READ, to);
	g_assert_cmpuint(visit_most(d, "READ in 16384 pieces"), <=,
			 VISIT_BYTES + PIECE_BYTES);
	ppim_get(d, to, back, COPY_BYTES);
	g_assert_cmpint(memcmp(out, back, COPY_BYTES), ==, 0);
	ppim_dev_quit(d);
}

/* ---- translations -------------------------------------------------------- */

#define PAGE_BYTES	4096u

/* All pages but the last one. */
static void pages_map(struct ppim_dev *d)
{
	uint64_t page = ROUND_UP(ppim_alloc(d, 2 * PAGE_BYTES), PAGE_BYTES);
	uint32_t i;

	ppim_iommu_start(d);
	for (i = 0; i < PPIM_TEST_PAGES - 1; i++)
		ppim_iommu_map(d, i, page, PPIM_IOMMU_READ | PPIM_IOMMU_WRITE);
}

/* Into the last so many bytes of the pages. */
static struct ppim_hw_sqe pages_read(uint64_t bytes)
{
	uint64_t end = PPIM_TEST_REMAPPED + PPIM_TEST_PAGES * PAGE_BYTES;

	return (struct ppim_hw_sqe){
		.opcode = PPIM_OP_READ,
		.copy.tier = PPIM_TIER_DIMM,
		.copy.data.addr = cpu_to_le64(end - bytes),
		.copy.data.bytes = cpu_to_le64(bytes),
	};
}

/* What looking for an address costs counts, also when none is found, and a
 * visit ends in the midst of a segment. */
static void test_check_visits(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("-device intel-iommu",
					    "timing=off");
	struct ppim_hw_sqe few = pages_read(COPY_BYTES - 1 * MiB);
	struct ppim_hw_sqe all = pages_read(COPY_BYTES);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	ppim_dev_start(d);
	pages_map(d);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	for (i = 0; i < 4; i++)
		ppim_push(d, &d->io, i % 2 ? &all : &few);
	ppim_ring_doorbell(d, &d->io);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	for (i = 0; i < 4; i++) {
		g_assert_true(ppim_wait(d, &d->io, &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_TEST_REMAPPED +
				COPY_BYTES - PAGE_BYTES);
	}
	g_assert_cmpuint(visit_most(d, "READ into 4096 pages"), >=,
			 VISIT_BYTES);
	g_assert_cmpuint(visit_most(d, "READ into 4096 pages"), <=,
			 VISIT_BYTES + PIECE_BYTES);
	ppim_dev_quit(d);
}

/* ---- half-loaded --------------------------------------------------------- */

/* A batch whose indices and weights are more than one visit reads. */
struct large {
	struct ppim_test_table *table;
	struct ppim_test_job job[PPIM_TEST_JOBS];
	struct ppim_test_batch *batch;
};

/* A stopped machine does what the doorbell itself does, and no more. */
static void large_half_load(struct ppim_dev *d, struct large *l)
{
	struct ppim_shape shape = ppim_shape_dense(ROWS, DIM);
	uint64_t bytes = 0;
	uint32_t i;

	l->table = ppim_table_new(d, &shape, 12, PPIM_LAYOUT_STRIPED,
				  PPIM_LAYOUT_ONE);
	for (i = 0; i < PPIM_TEST_JOBS; i++) {
		ppim_job_random(&l->job[i], l->table, 8, 30000, 40 + i);
		l->job[i].flags = PPIM_JOBF_WEIGHTS;
		bytes += l->job[i].n_indices * 12ull;
	}
	g_assert_cmpuint(bytes, >, VISIT_BYTES + PIECE_BYTES);
	l->batch = ppim_batch_new(d, l->job, PPIM_TEST_JOBS, PPIM_ARCH_BGPIM);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	ppim_push(d, &d->io, &l->batch->sqe);
	ppim_ring_doorbell(d, &d->io);
}

static void machine_go_on(struct ppim_dev *d)
{
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
}

static void large_free(struct large *l)
{
	uint32_t i;

	ppim_batch_free(l->batch);
	for (i = 0; i < PPIM_TEST_JOBS; i++)
		ppim_job_free(&l->job[i]);
	ppim_table_free(l->table);
}

static void large_verify(struct ppim_dev *d, struct large *l)
{
	struct ppim_hw_cqe cqe;

	g_assert_true(ppim_wait(d, &d->io, &cqe));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_ack(d, &d->io);
	ppim_batch_verify(d, l->batch);
}

static void test_half_goes_on(struct ppim_dev *d, const void *arg)
{
	struct large l;

	large_half_load(d, &l);
	machine_go_on(d);
	large_verify(d, &l);
	large_free(&l);
}

/* Answered as one in flight is: it is about no job, and comes once, whatever
 * was to become of the batch's own completion. */
static void test_half_abort(struct ppim_dev *d, const void *arg)
{
	uint32_t fault = GPOINTER_TO_UINT(arg);
	struct ppim_hw_cqe cqe;
	struct large l;

	if (fault)
		ppim_admin(d, (struct ppim_hw_sqe){
			.opcode = PPIM_ADM_INJECT,
			.inject.what = cpu_to_le32(fault),
			.inject.count = cpu_to_le32(1),
		});
	large_half_load(d, &l);
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT,
		.abort.qid = cpu_to_le16(d->io.qid),
		.abort.cid = l.batch->sqe.cid,
		.abort.generation = l.batch->sqe.generation,
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 1);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	ppim_assert_cqe(&cqe, PPIM_ST_ABORTED, 0);
	g_assert_cmpuint(cqe.table, ==, 0);
	g_assert_cmpuint(cqe.bag, ==, 0);
	ppim_ack(d, &d->io);
	machine_go_on(d);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, l.batch));
	large_free(&l);
	ppim_assert_works(d);
}

static void test_half_delete(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe;
	struct large l;

	large_half_load(d, &l);
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_DELETE_QUEUE,
		.del.qid = cpu_to_le16(d->io.qid),
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	machine_go_on(d);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, l.batch));
	large_free(&l);
	ppim_ring_init(d, &d->io, 1, d->io.entries);
	g_assert_cmpuint(ppim_ring_create(d, &d->io), ==, PPIM_ST_OK);
	ppim_assert_works(d);
}

static void test_half_reset(struct ppim_dev *d, const void *arg)
{
	struct large l;

	large_half_load(d, &l);
	ppim_dev_disable(d);
	machine_go_on(d);
	ppim_dev_start(d);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, l.batch));
	large_free(&l);
	ppim_assert_works(d);
}

/* What travels is a whole command. */
static void test_half_migrate(struct ppim_dev *plain, const void *arg)
{
	g_autofree char *path = g_strdup_printf("%s/ppim-half-%d.sock",
						g_get_tmp_dir(), getpid());
	g_autofree char *uri = g_strdup_printf("unix:%s", path);
	g_autofree char *args = g_strdup_printf("-incoming %s", uri);
	struct ppim_dev *d = ppim_dev_spawn("", "timing=off");
	QTestState *to = ppim_qemu_start(args, "timing=off");
	struct large l;

	ppim_dev_start(d);
	large_half_load(d, &l);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'migrate',"
				 " 'arguments': { 'uri': %s } }", uri);
	ppim_migration_wait(d->qts);
	ppim_dev_move(d, to);
	machine_go_on(d);
	large_verify(d, &l);
	large_free(&l);
	ppim_dev_quit(d);
	g_unlink(path);
}

static void register_tests(void)
{
	ppim_add_test("load/batch-visits", test_batch_visits, NULL);
	ppim_add_test("load/copy-visits", test_copy_visits, NULL);
	ppim_add_test("load/check-visits", test_check_visits, NULL);
	ppim_add_test("load/half-goes-on", test_half_goes_on, NULL);
	ppim_add_test("load/half-abort", test_half_abort, NULL);
	ppim_add_test("load/half-abort-dropped", test_half_abort,
		      GUINT_TO_POINTER(PPIM_INJECT_DROP));
	ppim_add_test("load/half-abort-doubled", test_half_abort,
		      GUINT_TO_POINTER(PPIM_INJECT_DOUBLE));
	ppim_add_test("load/half-delete", test_half_delete, NULL);
	ppim_add_test("load/half-reset", test_half_reset, NULL);
	ppim_add_test("load/half-migrate", test_half_migrate, NULL);
}

libqos_init(register_tests);
