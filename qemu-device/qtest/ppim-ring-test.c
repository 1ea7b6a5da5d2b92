// SPDX-License-Identifier: GPL-2.0-only
/* Queue pairs: section 5 of the specification. */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

static const struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };

static struct ppim_ring ring_new(struct ppim_dev *d, uint16_t qid,
				 uint32_t entries)
{
	struct ppim_ring r;

	ppim_ring_init(d, &r, qid, entries);
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	return r;
}

/* Several times around both rings: ppim_run() checks cid, generation, sq_head,
 * ppim_peek() the phase. */
static void test_wrap(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < 5 * d->io.entries + 1; i++) {
		cqe = ppim_run(d, &d->io, nop);
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	}
	for (i = 0; i < 3 * d->admin.entries; i++) {
		cqe = ppim_admin(d, (struct ppim_hw_sqe){ 0 });
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_OPCODE, 0);
	}
	ppim_assert_works(d);
}

static void test_phase_bits(struct ppim_dev *d, const void *arg)
{
	struct ppim_ring r = ring_new(d, 2, 4);
	struct ppim_hw_cqe cqe;
	uint32_t i, phase;

	for (i = 0; i < 12; i++) {
		ppim_run(d, &r, nop);
		ppim_get(d, r.cq + i % 4 * sizeof(cqe), &cqe, sizeof(cqe));
		phase = 1 ^ (i / 4 & 1);
		g_assert_cmphex(le32_to_cpu(cqe.phase), ==, phase);
		/* the entry after it is still the last round's */
		ppim_get(d, r.cq + (i + 1) % 4 * sizeof(cqe), &cqe,
			 sizeof(cqe));
		g_assert_cmphex(le32_to_cpu(cqe.phase), ==,
				1 ^ ((i + 1) / 4 & 1) ^ 1);
	}
}

/* All but one entry at once, across the end of the ring. */
static void test_full_ring(struct ppim_dev *d, const void *arg)
{
	struct ppim_ring r = ring_new(d, 2, 8);
	struct ppim_hw_sqe sqe = nop;
	struct ppim_hw_cqe cqe;
	uint32_t round, i;

	for (round = 0; round < 9; round++) {
		for (i = 0; i < r.entries - 1; i++)
			ppim_push(d, &r, &sqe);
		ppim_ring_doorbell(d, &r);
		for (i = 0; i < r.entries - 1; i++) {
			g_assert_true(ppim_wait(d, &r, &cqe));
			g_assert_cmpuint(le16_to_cpu(cqe.cid), ==,
					 200 + 7 * round + i);
		}
	}
	g_assert_true(ppim_stays_quiet(d, &r));
	ppim_assert_works(d);
}

/* The driver reads its completions late: they wait, none is lost. */
static void test_cq_full(struct ppim_dev *d, const void *arg)
{
	struct ppim_ring r = ring_new(d, 2, 4);
	struct ppim_hw_sqe sqe = nop;
	struct ppim_hw_cqe cqe;
	uint32_t i, taken = 0;

	for (i = 0; i < 3; i++)
		ppim_push(d, &r, &sqe);
	ppim_ring_doorbell(d, &r);
	for (i = 0; i < 3; i++)
		g_assert_true(ppim_peek(d, &r, &cqe));
	/* not acknowledged: the CQ is full now, the SQ empty */
	for (i = 0; i < 3; i++)
		ppim_push(d, &r, &sqe);
	ppim_ring_doorbell(d, &r);
	g_assert_true(ppim_stays_quiet(d, &r));
	ppim_ack(d, &r);
	while (taken < 3 && ppim_wait(d, &r, &cqe))
		g_assert_cmpuint(le16_to_cpu(cqe.cid), ==, 203 + taken++);
	g_assert_true(ppim_stays_quiet(d, &r));
	ppim_assert_works(d);
}

/* Room by room: each acknowledged entry lets one completion through. */
static void test_cq_trickle(struct ppim_dev *d, const void *arg)
{
	struct ppim_ring r = ring_new(d, 2, 2);
	struct ppim_hw_sqe sqe = nop;
	struct ppim_hw_cqe cqe;
	uint32_t i;

	ppim_push(d, &r, &sqe);
	ppim_ring_doorbell(d, &r);
	for (i = 0; i < 8; i++) {
		g_assert_true(ppim_peek(d, &r, &cqe));
		g_assert_cmpuint(le16_to_cpu(cqe.cid), ==, 200 + i);
		ppim_push(d, &r, &sqe);
		ppim_ring_doorbell(d, &r);
		g_assert_true(ppim_stays_quiet(d, &r));
		ppim_ack(d, &r);
	}
}

static void test_several_queues(struct ppim_dev *d, const void *arg)
{
	uint32_t n = MIN(ppim_readl(d, PPIM_REG_MAX_QUEUES), 8), q, i;
	struct ppim_ring ring[9];
	struct ppim_hw_sqe sqe = nop;
	struct ppim_hw_cqe cqe;

	for (q = 2; q <= n; q++)
		ring[q] = ring_new(d, q, 4 << (q % 3));
	for (i = 0; i < 40; i++) {
		for (q = 2; q <= n; q++) {
			ppim_push(d, &ring[q], &sqe);
			ppim_ring_doorbell(d, &ring[q]);
		}
		for (q = n; q >= 2; q--) {
			g_assert_true(ppim_wait(d, &ring[q], &cqe));
			g_assert_cmpuint(le16_to_cpu(cqe.qid), ==, q);
			g_assert_cmpuint(le16_to_cpu(cqe.cid), ==, 100 * q + i);
		}
	}
	ppim_assert_works(d);
}

/* One batch in each of several queues at the same time. */
static void test_batches_in_several_queues(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_qr(500, 32, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 21,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_COPIES);
	struct ppim_test_batch *b[4];
	struct ppim_test_job job[4];
	struct ppim_ring ring[4];
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		ring[i] = ring_new(d, i + 2, 4);
		ppim_job_random(&job[i], t, 6, 20, 30 + i);
		b[i] = ppim_batch_new(d, &job[i], 1, PPIM_ARCH_PROACTIVE);
		ppim_push(d, &ring[i], &b[i]->sqe);
	}
	for (i = 0; i < 4; i++)
		ppim_ring_doorbell(d, &ring[i]);
	for (i = 0; i < 4; i++) {
		g_assert_true(ppim_wait(d, &ring[i], &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
		ppim_batch_verify(d, b[i]);
		ppim_batch_free(b[i]);
		ppim_job_free(&job[i]);
	}
	ppim_table_free(t);
}

static void doorbell_is_fatal(struct ppim_dev *d, uint32_t doorbell,
			      uint32_t value)
{
	struct ppim_hw_cqe cqe;

	ppim_writel(d, doorbell, value);
	ppim_assert_fatal(d, PPIM_HWERR_DOORBELL);
	/* dead until reset: nothing is fetched any more */
	ppim_writel(d, PPIM_DB_SQ_TAIL(0), (d->admin.tail + 1) %
						   d->admin.entries);
	g_assert_true(ppim_stays_quiet(d, &d->admin));
	ppim_dev_disable(d);
	g_assert_cmphex(ppim_status(d), ==, 0);
	ppim_dev_start(d);
	cqe = ppim_run(d, &d->io, nop);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
}

static void test_doorbell_beyond(struct ppim_dev *d, const void *arg)
{
	doorbell_is_fatal(d, PPIM_DB_SQ_TAIL(1), d->io.entries);
	doorbell_is_fatal(d, PPIM_DB_CQ_HEAD(1), d->io.entries);
	doorbell_is_fatal(d, PPIM_DB_SQ_TAIL(0), ~0u);
	doorbell_is_fatal(d, PPIM_DB_CQ_HEAD(0), d->admin.entries);
	doorbell_is_fatal(d, PPIM_DB_SQ_TAIL(1), 0x10000);
	ppim_assert_works(d);
}

static void test_doorbell_nobody(struct ppim_dev *d, const void *arg)
{
	uint32_t o;

	for (o = PPIM_DB_SQ_TAIL(2); o < PPIM_REGS_BYTES; o += 4)
		ppim_writel(d, o, 1);
	ppim_assert_alive(d);
	ppim_dev_disable(d);
	ppim_writel(d, PPIM_DB_SQ_TAIL(0), 1);
	ppim_writel(d, PPIM_DB_CQ_HEAD(1), ~0u);
	g_assert_cmphex(ppim_status(d), ==, 0);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

static void test_doorbell_again(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_sqe sqe = nop;
	struct ppim_hw_cqe cqe;

	ppim_push(d, &d->io, &sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_ring_doorbell(d, &d->io);
	ppim_ring_doorbell(d, &d->io);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	g_assert_true(ppim_stays_quiet(d, &d->io));
}

static void test_sq_unreachable(struct ppim_dev *d, const void *arg)
{
	struct ppim_ring r;

	ppim_ring_init(d, &r, 2, 4);
	r.sq = PPIM_TEST_UNMAPPED;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	ppim_writel(d, PPIM_DB_SQ_TAIL(2), 1);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
}

/* A queue in the device's own registers must not ring its own doorbells. */
static void test_cq_unreachable(struct ppim_dev *d, const void *arg)
{
	const uint64_t where[] = { PPIM_TEST_UNMAPPED,
				   PPIM_TEST_REGS + PPIM_DB_BASE,
				   PPIM_TEST_HBM };
	struct ppim_hw_sqe sqe = nop;
	struct ppim_ring r;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		ppim_ring_init(d, &r, 2, 4);
		r.cq = where[i];
		g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
		ppim_push(d, &r, &sqe);
		ppim_ring_doorbell(d, &r);
		ppim_step(d, PPIM_TEST_SECOND);
		ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
		ppim_dev_disable(d);
		ppim_dev_start(d);
	}
	ppim_assert_works(d);
}

static void test_bad_opcode(struct ppim_dev *d, const void *arg)
{
	const uint8_t opcodes[] = { 0, PPIM_ADM_CREATE_QUEUE, PPIM_ADM_STATS,
				    PPIM_ADM_INJECT, PPIM_ADM_CLEAR, 0x7f,
				    0x84, 0xff };
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		cqe = ppim_run(d, &d->io, (struct ppim_hw_sqe){
						  .opcode = opcodes[i] });
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_OPCODE, opcodes[i]);
	}
	ppim_assert_works(d);
}

static void test_nop_unused(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_cqe cqe;
	struct ppim_hw_sqe sqe;
	uint64_t detail;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sqe.words); i++) {
		sqe = nop;
		sqe.words[i] = cpu_to_le64(1);
		cqe = ppim_run(d, &d->io, sqe);
		detail = offsetof(struct ppim_hw_sqe, words[i]);
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_FIELD, detail);
	}
	sqe = nop;
	sqe.flags = 0x80;
	cqe = ppim_run(d, &d->io, sqe);
	detail = offsetof(struct ppim_hw_sqe, flags);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_FIELD, detail);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	ppim_add_variant_test("queue/wrap", test_wrap, NULL);
	ppim_add_test("queue/phase-bits", test_phase_bits, NULL);
	ppim_add_test("queue/full-ring", test_full_ring, NULL);
	ppim_add_test("queue/cq-full", test_cq_full, NULL);
	ppim_add_test("queue/cq-trickle", test_cq_trickle, NULL);
	ppim_add_test("queue/several", test_several_queues, NULL);
	ppim_add_test("queue/batches-in-several",
		      test_batches_in_several_queues, NULL);
	ppim_add_test("queue/doorbell-beyond-is-fatal", test_doorbell_beyond,
		      NULL);
	ppim_add_test("queue/doorbell-of-nobody", test_doorbell_nobody, NULL);
	ppim_add_test("queue/doorbell-again", test_doorbell_again, NULL);
	ppim_add_test("queue/sq-unreachable-is-fatal", test_sq_unreachable,
		      NULL);
	ppim_add_test("queue/cq-unreachable-is-fatal", test_cq_unreachable,
		      NULL);
	ppim_add_test("queue/bad-opcode", test_bad_opcode, NULL);
	ppim_add_test("queue/nop-unused", test_nop_unused, NULL);
}

libqos_init(register_tests);
