// SPDX-License-Identifier: GPL-2.0-only
/* Injected faults, counted and repeatable: section 6 of the specification. */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

#define AT(field)	((uint64_t)PPIM_IN_SQE << 32 | \
			 offsetof(struct ppim_hw_sqe, inject.field))

static struct ppim_hw_sqe inject_sqe(uint32_t what, uint32_t count,
				     uint8_t tier, uint16_t slice,
				     uint64_t offset)
{
	return (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_INJECT,
		.inject.what = cpu_to_le32(what),
		.inject.count = cpu_to_le32(count),
		.inject.tier = tier,
		.inject.slice = cpu_to_le16(slice),
		.inject.offset = cpu_to_le64(offset),
	};
}

static void inject(struct ppim_dev *d, uint32_t what, uint32_t count)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, inject_sqe(what, count, 0, 0,
							  0));

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
}

/* ---- a batch over three rows -------------------------------------------- */

/* Bags {0, 1}, {2, 3}, {4, 5} of a table in one extent. */
struct small {
	struct ppim_test_table *table;
	struct ppim_test_job job;
	struct ppim_test_batch *batch;
};

static struct small small_new(struct ppim_dev *d)
{
	struct ppim_shape shape = ppim_shape_dense(40, 20);
	struct small s;
	uint32_t i;

	s.table = ppim_table_new(d, &shape, 3, PPIM_LAYOUT_ONE,
				 PPIM_LAYOUT_ONE);
	ppim_job_random(&s.job, s.table, 3, 2, 1);
	s.job.n_indices = 6;
	for (i = 0; i < 6; i++)
		s.job.indices[i] = i;
	for (i = 0; i < 3; i++)
		s.job.offsets[i] = 2 * i;
	s.batch = ppim_batch_new(d, &s.job, 1, PPIM_ARCH_BGPIM);
	return s;
}

static void small_free(struct small *s)
{
	ppim_batch_free(s->batch);
	ppim_job_free(&s->job);
	ppim_table_free(s->table);
}

/* Plants a memory error in byte 5 of a row; returns its place as a detail. */
static uint64_t row_poison(struct ppim_dev *d, const struct small *s,
			   uint32_t what, uint64_t row, uint32_t count)
{
	const struct ppim_hw_extent *e = s->table->sub[0].extents;
	uint64_t offset = le64_to_cpu(e->offset) + row * s->table->sub[0].stride
			  + 5;
	uint16_t slice = le16_to_cpu(e->slice);
	struct ppim_hw_cqe cqe;

	cqe = ppim_admin(d, inject_sqe(what, count, e->tier, slice, offset));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	return (uint64_t)e->tier << 56 | (uint64_t)slice << 40 | offset;
}

static void small_check(struct ppim_dev *d, const struct small *s)
{
	struct ppim_hw_cqe cqe = ppim_run(d, &d->io, s->batch->sqe);

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_verify(d, s->batch);
}

static void test_correctable(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	uint32_t i;

	row_poison(d, &s, PPIM_INJECT_CORRECTABLE, 3, 2);
	row_poison(d, &s, PPIM_INJECT_CORRECTABLE, 30, 1);	/* not read */
	for (i = 0; i < 4; i++) {
		small_check(d, &s);
		g_assert_cmpuint(ppim_stats(d).corrected, ==, MIN(i + 1, 2));
	}
	g_assert_cmpuint(ppim_stats(d).injected, ==, 3);
	g_assert_cmpuint(ppim_stats(d).errors, ==, 0);
	small_free(&s);
}

static void test_uncorrectable(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	uint64_t place = row_poison(d, &s, PPIM_INJECT_UNCORRECTABLE, 3, 2);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		cqe = ppim_run(d, &d->io, s.batch->sqe);
		ppim_assert_cqe(&cqe, PPIM_ST_MEDIA_ERROR, place);
		g_assert_cmpuint(le32_to_cpu(cqe.table), ==, 0);
		g_assert_cmpuint(le32_to_cpu(cqe.bag), ==, 1);
		g_assert_true(ppim_batch_untouched(d, s.batch));
	}
	small_check(d, &s);
	g_assert_cmpuint(ppim_stats(d).errors, ==, 2);
	small_free(&s);
	ppim_assert_works(d);
}

static void test_unread_row(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);

	row_poison(d, &s, PPIM_INJECT_UNCORRECTABLE, 6, 1);
	small_check(d, &s);
	small_free(&s);
}

static struct ppim_hw_cqe row_copy(struct ppim_dev *d, const struct small *s,
				   uint8_t opcode, uint64_t row, uint64_t buf)
{
	const struct ppim_hw_extent *e = s->table->sub[0].extents;
	uint32_t stride = s->table->sub[0].stride;

	return ppim_run(d, &d->io, (struct ppim_hw_sqe){
		.opcode = opcode,
		.copy.data.addr = cpu_to_le64(buf),
		.copy.data.bytes = cpu_to_le64(stride),
		.copy.tier = e->tier,
		.copy.slice = e->slice,
		.copy.offset = cpu_to_le64(le64_to_cpu(e->offset) +
					   row * stride),
	});
}

/* Reading meets the error; new contents are good contents. */
static void test_copies(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	uint64_t place = row_poison(d, &s, PPIM_INJECT_UNCORRECTABLE, 3, 9);
	uint64_t buf = guest_alloc(d->alloc, 4096);
	struct ppim_hw_cqe cqe;

	ppim_fill(d, buf, 4096);
	cqe = row_copy(d, &s, PPIM_OP_READ, 3, buf);
	ppim_assert_cqe(&cqe, PPIM_ST_MEDIA_ERROR, place);
	g_assert_true(ppim_untouched(d, buf, 4096));
	cqe = row_copy(d, &s, PPIM_OP_READ, 4, buf);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_put(d, buf, s.table->sub[0].bytes + 3 * 80, 80);
	cqe = row_copy(d, &s, PPIM_OP_WRITE, 3, buf);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	small_check(d, &s);
	small_free(&s);
}

/* ---- commands ----------------------------------------------------------- */

static void test_hang(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	struct ppim_hw_cqe cqe;

	inject(d, PPIM_INJECT_HANG, 1);
	ppim_push(d, &d->io, &s.batch->sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_step(d, 1000 * PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, s.batch));
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT,
		.abort.qid = cpu_to_le16(1),
		.abort.cid = s.batch->sqe.cid,
		.abort.generation = s.batch->sqe.generation,
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 1);
	g_assert_true(ppim_poll(d, &d->io, &cqe));
	ppim_assert_cqe(&cqe, PPIM_ST_ABORTED, 0);
	small_check(d, &s);
	small_free(&s);
}

/* What hangs holds up nothing else. */
static void test_hang_of_one(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	struct ppim_hw_cqe cqe;

	inject(d, PPIM_INJECT_HANG, 1);
	ppim_push(d, &d->io, &s.batch->sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	small_free(&s);
	s = small_new(d);
	ppim_push(d, &d->io, &s.batch->sqe);
	ppim_ring_doorbell(d, &d->io);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	g_assert_cmpuint(cqe.cid, ==, s.batch->sqe.cid);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_verify(d, s.batch);
	small_free(&s);
}

static void test_drop(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	struct ppim_hw_cqe cqe;

	inject(d, PPIM_INJECT_DROP, 1);
	ppim_push(d, &d->io, &s.batch->sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	ppim_push(d, &d->io, &s.batch->sqe);
	ppim_ring_doorbell(d, &d->io);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	g_assert_cmpuint(cqe.cid, ==, s.batch->sqe.cid);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_verify(d, s.batch);
	small_free(&s);
}

static void test_double(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	struct ppim_hw_cqe first, second;

	inject(d, PPIM_INJECT_DOUBLE, 1);
	first = ppim_run(d, &d->io, s.batch->sqe);
	ppim_assert_cqe(&first, PPIM_ST_OK, 0);
	g_assert_true(ppim_wait(d, &d->io, &second));
	g_assert_cmpuint(first.cid, ==, second.cid);
	g_assert_cmpuint(first.generation, ==, second.generation);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	small_check(d, &s);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	small_free(&s);
}

static void test_link(struct ppim_dev *d, const void *arg)
{
	inject(d, PPIM_INJECT_LINK, 1);
	ppim_assert_fatal(d, PPIM_HWERR_LINK);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

/* Faults come in the order in which they were asked for, as often. */
static void test_counts(struct ppim_dev *d, const void *arg)
{
	struct small s = small_new(d);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	inject(d, PPIM_INJECT_DOUBLE, 3);
	for (i = 0; i < 3; i++) {
		ppim_run(d, &d->io, s.batch->sqe);
		g_assert_true(ppim_wait(d, &d->io, &cqe));
	}
	small_check(d, &s);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_cmpuint(ppim_stats(d).injected, ==, 3);
	small_free(&s);
}

/* ---- refused ------------------------------------------------------------ */

struct bad {
	const char *name;
	struct ppim_hw_sqe sqe;
	uint16_t status;
	uint64_t detail;
};

#define INJECT(...)	{ .opcode = PPIM_ADM_INJECT, .inject = { __VA_ARGS__ } }
#define OK_PLACE	.what = PPIM_INJECT_UNCORRECTABLE, .count = 1

static const struct bad bad[] = {
	{ "what-0", INJECT(.what = 0, .count = 1), PPIM_ST_BAD_FIELD,
	  AT(what) },
	{ "what-7", INJECT(.what = 7, .count = 1), PPIM_ST_BAD_FIELD,
	  AT(what) },
	{ "count-0", INJECT(.what = PPIM_INJECT_HANG), PPIM_ST_BAD_FIELD,
	  AT(count) },
	{ "two-links", INJECT(.what = PPIM_INJECT_LINK, .count = 2),
	  PPIM_ST_BAD_FIELD, AT(count) },
	{ "tier", INJECT(OK_PLACE, .tier = 4), PPIM_ST_BAD_FIELD, AT(tier) },
	{ "tier-not-built", INJECT(OK_PLACE, .tier = PPIM_TIER_HOST),
	  PPIM_ST_UNSUPPORTED, AT(tier) },
	{ "slice", INJECT(OK_PLACE, .slice = 32), PPIM_ST_BAD_PLACEMENT, 0 },
	{ "dimm-with-slice", INJECT(OK_PLACE, .tier = PPIM_TIER_DIMM,
				    .slice = 1), PPIM_ST_BAD_FIELD,
	  AT(slice) },
	{ "offset", INJECT(OK_PLACE, .offset = 2 << 20), PPIM_ST_BAD_PLACEMENT,
	  0 },
	{ "offset-most", INJECT(OK_PLACE, .offset = ~0ull),
	  PPIM_ST_BAD_PLACEMENT, 0 },
	{ "reserved0", INJECT(OK_PLACE, .reserved0 = 1), PPIM_ST_BAD_FIELD,
	  AT(reserved0) },
	{ "reserved1", INJECT(OK_PLACE, .reserved1 = 1), PPIM_ST_BAD_FIELD,
	  AT(reserved1) },
	{ "hang-with-tier", INJECT(.what = PPIM_INJECT_HANG, .count = 1,
				   .tier = 1), PPIM_ST_BAD_FIELD, AT(tier) },
	{ "drop-with-slice", INJECT(.what = PPIM_INJECT_DROP, .count = 1,
				    .slice = 1), PPIM_ST_BAD_FIELD,
	  AT(slice) },
	{ "link-with-offset", INJECT(.what = PPIM_INJECT_LINK, .count = 1,
				     .offset = 8), PPIM_ST_BAD_FIELD,
	  AT(offset) },
};

static void test_refused(struct ppim_dev *d, const void *arg)
{
	const struct bad *b = arg;
	struct ppim_hw_cqe cqe = ppim_admin(d, b->sqe);

	ppim_assert_cqe(&cqe, b->status, b->detail);
	g_assert_cmpuint(ppim_stats(d).injected, ==, 0);
	ppim_assert_alive(d);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		g_autofree char *path = g_strdup_printf("fault-refused/%s",
							bad[i].name);

		ppim_add_test(path, test_refused, &bad[i]);
	}
	ppim_add_test("fault/correctable", test_correctable, NULL);
	ppim_add_test("fault/uncorrectable", test_uncorrectable, NULL);
	ppim_add_test("fault/unread-row", test_unread_row, NULL);
	ppim_add_test("fault/copies", test_copies, NULL);
	ppim_add_test("fault/hang", test_hang, NULL);
	ppim_add_test("fault/hang-of-one", test_hang_of_one, NULL);
	ppim_add_test("fault/drop", test_drop, NULL);
	ppim_add_test("fault/double", test_double, NULL);
	ppim_add_test("fault/link", test_link, NULL);
	ppim_add_test("fault/counts", test_counts, NULL);
}

libqos_init(register_tests);
