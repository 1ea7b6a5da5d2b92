// SPDX-License-Identifier: GPL-2.0-only
/* Admin commands: section 6 of the specification. */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

#define AT(field)	offsetof(struct ppim_hw_sqe, field)
#define IN_SQE(field)	((uint64_t)PPIM_IN_SQE << 32 | AT(field))

/* A good CREATE of queue 2; queue 1 is there. */
static struct ppim_hw_sqe create_good(struct ppim_dev *d)
{
	return (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_CREATE_QUEUE,
		.create.sq = cpu_to_le64(ppim_alloc(d, 4096)),
		.create.cq = cpu_to_le64(ppim_alloc(d, 4096)),
		.create.entries = cpu_to_le32(16),
		.create.qid = cpu_to_le16(2),
		.create.vector = cpu_to_le16(2),
	};
}

/* One field of an entry, and what the device has to say. `value` is added to
 * the register `reg`, if there is one. */
struct bad_field {
	const char *name;
	uint32_t offset, bytes;
	uint32_t reg;
	uint64_t value;
	uint16_t status;
	uint64_t detail;
};

#define F(field) AT(field), sizeof(((struct ppim_hw_sqe *)0)->field)

static const struct bad_field bad_create[] = {
	{ "sq-unaligned", F(create.sq), 0, 0x100008, PPIM_ST_BAD_FIELD,
	  IN_SQE(create.sq) },
	{ "sq-zero", F(create.sq), 0, 0, PPIM_ST_BAD_FIELD, IN_SQE(create.sq) },
	{ "cq-unaligned", F(create.cq), 0, 0x100020, PPIM_ST_BAD_FIELD,
	  IN_SQE(create.cq) },
	{ "cq-zero", F(create.cq), 0, 0, PPIM_ST_BAD_FIELD, IN_SQE(create.cq) },
	{ "entries-0", F(create.entries), 0, 0, PPIM_ST_BAD_FIELD,
	  IN_SQE(create.entries) },
	{ "entries-1", F(create.entries), 0, 1, PPIM_ST_BAD_FIELD,
	  IN_SQE(create.entries) },
	{ "entries-3", F(create.entries), 0, 3, PPIM_ST_BAD_FIELD,
	  IN_SQE(create.entries) },
	{ "entries-too-many", F(create.entries), PPIM_REG_MAX_ENTRIES, 1,
	  PPIM_ST_TOO_LARGE, PPIM_ANY },
	{ "entries-huge", F(create.entries), 0, 0x80000000, PPIM_ST_TOO_LARGE,
	  PPIM_ANY },
	{ "qid-0", F(create.qid), 0, 0, PPIM_ST_BAD_QUEUE, 0 },
	{ "qid-in-use", F(create.qid), 0, 1, PPIM_ST_BAD_QUEUE, 1 },
	{ "qid-too-large", F(create.qid), PPIM_REG_MAX_QUEUES, 1,
	  PPIM_ST_BAD_QUEUE, PPIM_ANY },
	{ "qid-huge", F(create.qid), 0, 0xffff, PPIM_ST_BAD_QUEUE, 0xffff },
	{ "vector", F(create.vector), PPIM_REG_MAX_QUEUES, 1,
	  PPIM_ST_BAD_FIELD, IN_SQE(create.vector) },
	{ "flags", F(flags), 0, 1, PPIM_ST_BAD_FIELD, IN_SQE(flags) },
	{ "tail", F(words[6]), 0, 1, PPIM_ST_BAD_FIELD, IN_SQE(words[6]) },
};

static void field_spoil(struct ppim_dev *d, struct ppim_hw_sqe *sqe,
			const struct bad_field *f)
{
	uint64_t value = f->value + (f->reg ? ppim_readl(d, f->reg) : 0);

	memcpy((uint8_t *)sqe + f->offset, &value, f->bytes);
}

static void test_create_bad(struct ppim_dev *d, const void *arg)
{
	const struct bad_field *f = arg;
	struct ppim_hw_sqe sqe = create_good(d);
	struct ppim_hw_cqe cqe;

	field_spoil(d, &sqe, f);
	cqe = ppim_admin(d, sqe);
	ppim_assert_cqe(&cqe, f->status, f->detail);
	ppim_assert_alive(d);
	cqe = ppim_admin(d, create_good(d));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_assert_works(d);
}

static void test_create_too_many_says_limit(struct ppim_dev *d, const void *arg)
{
	uint32_t most = ppim_readl(d, PPIM_REG_MAX_ENTRIES);
	struct ppim_hw_sqe sqe = create_good(d);
	struct ppim_hw_cqe cqe;

	sqe.create.entries = cpu_to_le32(2 * most);
	cqe = ppim_admin(d, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_TOO_LARGE, most);
}

static void test_create_all(struct ppim_dev *d, const void *arg)
{
	uint32_t most = ppim_readl(d, PPIM_REG_MAX_QUEUES), qid;
	struct ppim_ring ring[PPIM_REGS_BYTES / 16];
	struct ppim_hw_cqe cqe;

	for (qid = 2; qid <= most; qid++) {
		ppim_ring_init(d, &ring[qid], qid, 2);
		ring[qid].vector = qid;
		g_assert_cmpuint(ppim_ring_create(d, &ring[qid]), ==,
				 PPIM_ST_OK);
	}
	for (qid = 2; qid <= most; qid++) {
		cqe = ppim_run(d, &ring[qid],
			       (struct ppim_hw_sqe){ .opcode = PPIM_OP_NOP });
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	}
	ppim_assert_works(d);
}

static struct ppim_hw_cqe queue_delete(struct ppim_dev *d, uint16_t qid)
{
	return ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_DELETE_QUEUE,
		.del.qid = cpu_to_le16(qid),
	});
}

static void test_delete(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe = queue_delete(d, 1);
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	cqe = queue_delete(d, 1);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_QUEUE, 1);
	ppim_push(d, &d->io, &nop);
	ppim_ring_doorbell(d, &d->io);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	ppim_assert_alive(d);
	ppim_ring_init(d, &d->io, 1, 2);
	g_assert_cmpuint(ppim_ring_create(d, &d->io), ==, PPIM_ST_OK);
	ppim_assert_works(d);
}

static void test_delete_bad(struct ppim_dev *d, const void *arg)
{
	uint16_t most = ppim_readl(d, PPIM_REG_MAX_QUEUES);
	const uint16_t qids[] = { 0, 2, most + 1, 0xffff };
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(qids); i++) {
		cqe = queue_delete(d, qids[i]);
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_QUEUE, qids[i]);
	}
	ppim_assert_works(d);
}

/* The driver frees the buffers as soon as the queue is gone. */
static void test_delete_drops_work(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(1000, 32);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 5,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_ONE);
	struct ppim_test_job job;
	struct ppim_test_batch *b;
	struct ppim_hw_cqe cqe;

	ppim_job_random(&job, t, 16, 20, 6);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_push(d, &d->io, &b->sqe);
	ppim_ring_doorbell(d, &d->io);
	cqe = queue_delete(d, 1);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
	ppim_ring_init(d, &d->io, 1, 16);
	g_assert_cmpuint(ppim_ring_create(d, &d->io), ==, PPIM_ST_OK);
	ppim_assert_works(d);
}

static void test_bad_opcode(struct ppim_dev *d, const void *arg)
{
	const uint8_t opcodes[] = { 0, 7, 0x7f, PPIM_OP_NOP, PPIM_OP_GNR,
				    PPIM_OP_WRITE, PPIM_OP_READ, 0xff };
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		cqe = ppim_admin(d, (struct ppim_hw_sqe){
					    .opcode = opcodes[i] });
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_OPCODE, opcodes[i]);
	}
	ppim_assert_works(d);
}

/* ---- statistics --------------------------------------------------------- */

static struct ppim_hw_cqe stats_run(struct ppim_dev *d, uint64_t addr,
				    uint32_t bytes)
{
	return ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_STATS,
		.stats.addr = cpu_to_le64(addr),
		.stats.bytes = cpu_to_le32(bytes),
	});
}

static void test_stats_count(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_stats s = ppim_stats(d);

	g_assert_cmpuint(s.submitted, ==, 0);
	g_assert_cmpuint(s.completed, ==, 0);
	ppim_assert_works(d);
	ppim_run(d, &d->io, (struct ppim_hw_sqe){ .opcode = 0x42 });
	s = ppim_stats(d);
	g_assert_cmpuint(s.submitted, ==, 2);
	g_assert_cmpuint(s.completed, ==, 2);
	g_assert_cmpuint(s.errors, ==, 1);
	g_assert_cmpuint(s.aborted, ==, 0);
	g_assert_cmpuint(s.lookups, >, 0);
	g_assert_cmpuint(s.bags, ==, 4);
	g_assert_cmpuint(s.busy_ps, >, 0);
	g_assert_cmpuint(s.injected, ==, 0);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	s = ppim_stats(d);
	g_assert_cmpuint(s.submitted, ==, 0);
	g_assert_cmpuint(s.lookups, ==, 0);
	g_assert_cmpuint(s.busy_ps, ==, 0);
}

static void test_stats_bytes(struct ppim_dev *d, const void *arg)
{
	const uint32_t bad[] = { 0, 4, 7, 9, 257, 264, 0xfffffff8 };
	uint64_t addr = ppim_alloc(d, 4096);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	ppim_fill(d, addr, 4096);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cqe = stats_run(d, addr, bad[i]);
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_FIELD, IN_SQE(stats.bytes));
	}
	g_assert_true(ppim_untouched(d, addr, 4096));
	cqe = stats_run(d, addr, 16);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	g_assert_false(ppim_untouched(d, addr, 16));
	g_assert_true(ppim_untouched(d, addr + 16, 4096 - 16));
}

static void test_stats_bad_address(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe = stats_run(d, PPIM_TEST_UNMAPPED, 256);

	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_TEST_UNMAPPED);
	cqe = stats_run(d, PPIM_TEST_REGS, 256);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_TEST_REGS);
	ppim_assert_works(d);
}

/* ---- abort -------------------------------------------------------------- */

static struct ppim_hw_sqe abort_sqe(uint16_t qid, uint16_t cid, uint32_t gen)
{
	return (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT,
		.abort.qid = cpu_to_le16(qid),
		.abort.cid = cpu_to_le16(cid),
		.abort.generation = cpu_to_le32(gen),
	};
}

static void test_abort_nothing(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, abort_sqe(1, 1, 1));

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	cqe = ppim_admin(d, abort_sqe(2, 1, 1));
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_QUEUE, 2);
	cqe = ppim_admin(d, abort_sqe(0, 1, 1));
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_QUEUE, 0);
	ppim_assert_works(d);
}

static void test_abort_in_flight(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(1000, 32);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 5,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_ONE);
	struct ppim_hw_cqe cqe, own;
	struct ppim_test_job job;
	struct ppim_test_batch *b;
	uint32_t generation;

	ppim_job_random(&job, t, 16, 20, 6);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_push(d, &d->io, &b->sqe);
	generation = le32_to_cpu(b->sqe.generation);
	ppim_ring_doorbell(d, &d->io);
	cqe = ppim_admin(d, abort_sqe(1, le16_to_cpu(b->sqe.cid),
				      generation + 1));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	cqe = ppim_admin(d, abort_sqe(1, le16_to_cpu(b->sqe.cid), generation));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 1);
	g_assert_true(ppim_poll(d, &d->io, &own));
	ppim_assert_cqe(&own, PPIM_ST_ABORTED, 0);
	g_assert_cmpuint(own.cid, ==, b->sqe.cid);
	g_assert_cmpuint(own.generation, ==, b->sqe.generation);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, b));
	g_assert_cmpuint(ppim_stats(d).aborted, ==, 1);
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
	ppim_assert_works(d);
}

/* ---- the admin queue itself --------------------------------------------- */

struct bad_config {
	const char *name;
	uint32_t reg, bytes;
	uint64_t value;
};

static const struct bad_config bad_configs[] = {
	{ "entries-0", PPIM_REG_AQ_ENTRIES, 4, 0 },
	{ "entries-1", PPIM_REG_AQ_ENTRIES, 4, 1 },
	{ "entries-6", PPIM_REG_AQ_ENTRIES, 4, 6 },
	{ "entries-huge", PPIM_REG_AQ_ENTRIES, 4, 0x80000000 },
	{ "asq-unaligned", PPIM_REG_ASQ, 8, 0x100004 },
	{ "asq-zero", PPIM_REG_ASQ, 8, 0 },
	{ "acq-unaligned", PPIM_REG_ACQ, 8, 0x100020 },
	{ "acq-zero", PPIM_REG_ACQ, 8, 0 },
};

static void test_bad_config(struct ppim_dev *d, const void *arg)
{
	const struct bad_config *c = arg;

	ppim_dev_disable(d);
	if (c->bytes == 4)
		ppim_writel(d, c->reg, (uint32_t)c->value);
	else
		ppim_writeq(d, c->reg, c->value);
	ppim_writel(d, PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
	ppim_assert_fatal(d, PPIM_HWERR_AQ_CONFIG);
	g_assert_cmphex(ppim_status(d) & PPIM_STS_READY, ==, 0);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_CTRL), ==, PPIM_CTRL_ENABLE);
	ppim_dev_disable(d);
	g_assert_cmphex(ppim_status(d), ==, 0);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==, PPIM_HWERR_NONE);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

static void test_unreachable(struct ppim_dev *d, const void *arg)
{
	ppim_dev_disable(d);
	ppim_writeq(d, PPIM_REG_ASQ, PPIM_TEST_UNMAPPED);
	ppim_writel(d, PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
	ppim_assert_alive(d);
	ppim_writel(d, PPIM_DB_SQ_TAIL(0), 1);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	g_autofree char *name = NULL;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bad_create); i++) {
		g_free(name);
		name = g_strdup_printf("admin/create-bad/%s",
				       bad_create[i].name);
		ppim_add_test(name, test_create_bad, &bad_create[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bad_configs); i++) {
		g_free(name);
		name = g_strdup_printf("admin/config-bad/%s",
				       bad_configs[i].name);
		ppim_add_test(name, test_bad_config, &bad_configs[i]);
	}
	ppim_add_test("admin/create-too-many-says-limit",
		      test_create_too_many_says_limit, NULL);
	ppim_add_variant_test("admin/create-all", test_create_all, NULL);
	ppim_add_variant_test("admin/delete", test_delete, NULL);
	ppim_add_test("admin/delete-bad", test_delete_bad, NULL);
	ppim_add_test("admin/delete-drops-work", test_delete_drops_work, NULL);
	ppim_add_test("admin/bad-opcode", test_bad_opcode, NULL);
	ppim_add_variant_test("admin/stats-count", test_stats_count, NULL);
	ppim_add_test("admin/stats-bytes", test_stats_bytes, NULL);
	ppim_add_test("admin/stats-bad-address", test_stats_bad_address, NULL);
	ppim_add_test("admin/abort-nothing", test_abort_nothing, NULL);
	ppim_add_test("admin/abort-in-flight", test_abort_in_flight, NULL);
	ppim_add_test("admin/unreachable-is-fatal", test_unreachable, NULL);
}

libqos_init(register_tests);
