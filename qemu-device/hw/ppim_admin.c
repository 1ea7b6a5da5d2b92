// SPDX-License-Identifier: GPL-2.0-only
/* Commands of the admin queue: executed in order and, but for CLEAR, at once. */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "ppim.h"
#include "trace.h"

#define SQE_AT(field)	offsetof(struct ppim_hw_sqe, field)
#define QUEUE_ALIGN	64

static int admin_create(PPIMState *s, struct ppim_cmd *cmd,
			const struct ppim_hw_sqe *sqe)
{
	uint64_t sq = le64_to_cpu(sqe->create.sq);
	uint64_t cq = le64_to_cpu(sqe->create.cq);
	uint32_t entries = le32_to_cpu(sqe->create.entries);
	uint16_t qid = le16_to_cpu(sqe->create.qid);
	uint16_t vector = le16_to_cpu(sqe->create.vector);

	if (!sq || sq % QUEUE_ALIGN)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(create.sq));
	if (!cq || cq % QUEUE_ALIGN)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(create.cq));
	if (entries > s->max_entries)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, s->max_entries);
	if (entries < 2 || !is_power_of_2(entries))
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(create.entries));
	if (vector > s->n_queues)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(create.vector));
	if (!qid || qid > s->n_queues || s->queue[qid].live)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_QUEUE, qid);
	trace_ppim_queue_create(qid, sq, cq, entries, vector);
	ppim_queue_start(s, qid, sq, cq, entries, vector);
	return 0;
}

/* What is in flight on it is lost without a completion. */
static int admin_delete(PPIMState *s, struct ppim_cmd *cmd,
			const struct ppim_hw_sqe *sqe)
{
	uint16_t qid = le16_to_cpu(sqe->del.qid);

	if (!qid || qid > s->n_queues || !s->queue[qid].live)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_QUEUE, qid);
	trace_ppim_queue_delete(qid);
	ppim_time_discard(s, qid, false);
	ppim_queue_stop(s, qid);
	return 0;
}

/* detail: how many commands were aborted, 0 or 1. */
static int admin_abort(PPIMState *s, struct ppim_cmd *cmd,
		       const struct ppim_hw_sqe *sqe)
{
	uint16_t qid = le16_to_cpu(sqe->abort.qid);

	if (!qid || qid > s->n_queues || !s->queue[qid].live)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_QUEUE, qid);
	cmd->fault.detail = ppim_time_abort(s, qid, le16_to_cpu(sqe->abort.cid),
					    le32_to_cpu(sqe->abort.generation));
	return 0;
}

static int admin_stats(PPIMState *s, struct ppim_cmd *cmd,
		       const struct ppim_hw_sqe *sqe)
{
	uint64_t addr = le64_to_cpu(sqe->stats.addr);
	uint32_t bytes = le32_to_cpu(sqe->stats.bytes);
	struct ppim_hw_stats stats;

	if (!bytes || bytes > sizeof(stats) || bytes % sizeof(uint64_t))
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(stats.bytes));
	ppim_stats_read(s, &stats);
	if (ppim_dma_write(s, addr, &stats, bytes))
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_ADDRESS, addr);
	return 0;
}

/* The workers' to do. Unlike I/O commands these are not held up while many are
 * in flight, so they are refused. */
static int admin_clear(PPIMState *s, struct ppim_cmd *cmd,
		       const struct ppim_hw_sqe *sqe)
{
	const uint32_t most = PPIM_INFLIGHT_MAX + PPIM_CLEARS_MAX;

	if (s->n_inflight >= most)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, most);
	cmd->kind = PPIM_CMD_CLEAR;
	if (ppim_clear_load(s, cmd, sqe))
		return -1;
	ppim_time_admit(s, cmd);
	return 1;
}

struct admin_op {
	/* 0: done; 1: completes later; -1: refused, with the fault */
	int (*run)(PPIMState *s, struct ppim_cmd *cmd,
		   const struct ppim_hw_sqe *sqe);
	size_t used;		/* bytes of the entry that it reads */
};

#define OP_USES(last) \
	(SQE_AT(last) + sizeof(((struct ppim_hw_sqe *)0)->last))

static const struct admin_op admin_ops[] = {
	[PPIM_ADM_CREATE_QUEUE] = { admin_create, OP_USES(create.vector) },
	[PPIM_ADM_DELETE_QUEUE] = { admin_delete, OP_USES(del.qid) },
	[PPIM_ADM_ABORT] = { admin_abort, OP_USES(abort.generation) },
	[PPIM_ADM_STATS] = { admin_stats, OP_USES(stats.bytes) },
	[PPIM_ADM_INJECT] = { ppim_inject_run, OP_USES(inject.offset) },
	[PPIM_ADM_CLEAR] = { admin_clear, OP_USES(copy) },
};

static int admin_dispatch(PPIMState *s, struct ppim_cmd *cmd,
			  const struct ppim_hw_sqe *sqe)
{
	const struct admin_op *op;

	if (sqe->opcode >= ARRAY_SIZE(admin_ops) ||
	    !admin_ops[sqe->opcode].run)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_OPCODE, sqe->opcode);
	op = &admin_ops[sqe->opcode];
	if (sqe->flags)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(flags));
	if (ppim_cmd_tail_zero(cmd, sqe, op->used))
		return -1;
	return op->run(s, cmd, sqe);
}

void ppim_admin_run(PPIMState *s, const struct ppim_hw_sqe *sqe)
{
	struct ppim_cmd *cmd = ppim_cmd_new(PPIM_CMD_NOP, 0, sqe);

	trace_ppim_admin(cmd->cid, sqe->opcode);
	if (admin_dispatch(s, cmd, sqe) <= 0)
		ppim_queue_complete(s, cmd);
	ppim_inject_late(s);
}
