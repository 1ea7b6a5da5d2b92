// SPDX-License-Identifier: GPL-2.0-only
/* Queue pairs as a driver runs them, and waiting for the device. */

#include "qemu/osdep.h"
#include "ppim-qtest.h"

#define QUIET_US	(50 * 1000)	/* long enough for work that is done */
#define STEP_NS		(1000 * 1000)

void ppim_ring_init(struct ppim_dev *d, struct ppim_ring *r, uint16_t qid,
		    uint32_t entries)
{
	*r = (struct ppim_ring){
		.qid = qid,
		.entries = entries,
		.sq = ppim_alloc(d, entries * sizeof(struct ppim_hw_sqe)),
		.cq = ppim_alloc(d, entries * sizeof(struct ppim_hw_cqe)),
		.phase = 1,
		.cid = 100 * qid,
		.generation = 1,
	};
}

uint16_t ppim_ring_create(struct ppim_dev *d, struct ppim_ring *r)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_CREATE_QUEUE,
		.create.sq = cpu_to_le64(r->sq),
		.create.cq = cpu_to_le64(r->cq),
		.create.entries = cpu_to_le32(r->entries),
		.create.qid = cpu_to_le16(r->qid),
		.create.vector = cpu_to_le16(r->vector),
	});

	return ppim_cqe_status(&cqe);
}

uint16_t ppim_push(struct ppim_dev *d, struct ppim_ring *r,
		   struct ppim_hw_sqe *sqe)
{
	sqe->cid = cpu_to_le16(r->cid++);
	sqe->generation = cpu_to_le32(r->generation++);
	ppim_put(d, r->sq + r->tail * sizeof(*sqe), sqe, sizeof(*sqe));
	r->tail = (r->tail + 1) % r->entries;
	return le16_to_cpu(sqe->cid);
}

void ppim_ring_doorbell(struct ppim_dev *d, struct ppim_ring *r)
{
	ppim_writel(d, PPIM_DB_SQ_TAIL(r->qid), r->tail);
}

bool ppim_peek(struct ppim_dev *d, struct ppim_ring *r, struct ppim_hw_cqe *cqe)
{
	ppim_get(d, r->cq + r->head * sizeof(*cqe), cqe, sizeof(*cqe));
	if (le32_to_cpu(cqe->phase) != r->phase)
		return false;
	r->head = (r->head + 1) % r->entries;
	r->phase ^= !r->head;
	return true;
}

void ppim_ack(struct ppim_dev *d, struct ppim_ring *r)
{
	ppim_writel(d, PPIM_DB_CQ_HEAD(r->qid), r->head);
}

bool ppim_poll(struct ppim_dev *d, struct ppim_ring *r, struct ppim_hw_cqe *cqe)
{
	if (!ppim_peek(d, r, cqe))
		return false;
	ppim_ack(d, r);
	return true;
}

void ppim_step(struct ppim_dev *d, int64_t ns)
{
	if (ns > 0)
		qtest_clock_step(d->qts, ns);
}

/* A batch ends when the guest's clock has come to its end and a worker has the
 * answer, whichever is later: so both clocks have to go on. */
bool ppim_wait(struct ppim_dev *d, struct ppim_ring *r, struct ppim_hw_cqe *cqe)
{
	int64_t end = g_get_monotonic_time() + PPIM_TEST_WAIT_US;

	do {
		if (ppim_poll(d, r, cqe))
			return true;
		ppim_step(d, STEP_NS);
		g_usleep(100);
	} while (g_get_monotonic_time() < end);
	memset(cqe, 0xff, sizeof(*cqe));
	g_test_message("queue %u: no completion", r->qid);
	g_test_fail();
	return false;
}

bool ppim_stays_quiet(struct ppim_dev *d, struct ppim_ring *r)
{
	int64_t end = g_get_monotonic_time() + QUIET_US;
	struct ppim_hw_cqe cqe;

	do {
		if (ppim_peek(d, r, &cqe))
			return false;
		g_usleep(1000);
	} while (g_get_monotonic_time() < end);
	return true;
}

struct ppim_hw_cqe ppim_run(struct ppim_dev *d, struct ppim_ring *r,
			    struct ppim_hw_sqe sqe)
{
	struct ppim_hw_cqe cqe;

	ppim_push(d, r, &sqe);
	ppim_ring_doorbell(d, r);
	if (ppim_wait(d, r, &cqe)) {
		g_assert_cmpuint(cqe.cid, ==, sqe.cid);
		g_assert_cmpuint(cqe.generation, ==, sqe.generation);
		g_assert_cmpuint(le16_to_cpu(cqe.qid), ==, r->qid);
		g_assert_cmpuint(le16_to_cpu(cqe.sq_head), ==, r->tail);
	}
	return cqe;
}

struct ppim_hw_cqe ppim_admin(struct ppim_dev *d, struct ppim_hw_sqe sqe)
{
	return ppim_run(d, &d->admin, sqe);
}

struct ppim_hw_stats ppim_stats(struct ppim_dev *d)
{
	uint64_t addr = ppim_alloc(d, sizeof(struct ppim_hw_stats));
	struct ppim_hw_stats stats;
	struct ppim_hw_cqe cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_STATS,
		.stats.addr = cpu_to_le64(addr),
		.stats.bytes = cpu_to_le32(sizeof(stats)),
	});

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_get(d, addr, &stats, sizeof(stats));
	return stats;
}

uint16_t ppim_cqe_status(const struct ppim_hw_cqe *cqe)
{
	return le16_to_cpu(cqe->status);
}

void ppim_assert_cqe(const struct ppim_hw_cqe *cqe, uint16_t status,
		     uint64_t detail)
{
	g_assert_cmpuint(ppim_cqe_status(cqe), ==, status);
	if (detail != PPIM_ANY)
		g_assert_cmphex(le64_to_cpu(cqe->detail), ==, detail);
}
