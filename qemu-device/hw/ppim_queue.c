// SPDX-License-Identifier: GPL-2.0-only
/* Submission and completion queues in guest memory. Queue 0 is the admin's. */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "hw/pci/msix.h"
#include "ppim.h"
#include "trace.h"

/* Lists are heads even of queues that do not live: loading fills them. */
void ppim_queue_init(PPIMState *s)
{
	uint16_t qid;

	for (qid = 0; qid <= PPIM_QUEUES_MAX; qid++)
		QTAILQ_INIT(&s->queue[qid].waiting);
}

void ppim_queue_start(PPIMState *s, uint16_t qid, uint64_t sq, uint64_t cq,
		      uint32_t entries, uint16_t vector)
{
	struct ppim_queue *q = &s->queue[qid];

	*q = (struct ppim_queue){
		.live = true, .vector = vector, .entries = entries,
		.sq = sq, .cq = cq, .phase = true,
	};
	QTAILQ_INIT(&q->waiting);
	msix_vector_use(PCI_DEVICE(s), vector);
}

/* Its commands in flight have been dropped, or will be (ppim_visit.c). A stream
 * that was refused may have left completions of a queue that does not live, and
 * a vector that is none. */
void ppim_queue_stop(PPIMState *s, uint16_t qid)
{
	struct ppim_queue *q = &s->queue[qid];
	struct ppim_cmd *cmd, *next;

	QTAILQ_FOREACH_SAFE(cmd, &q->waiting, link, next) {
		QTAILQ_REMOVE(&q->waiting, cmd, link);
		ppim_cmd_free(cmd);
	}
	if (q->live && !s->half_loaded)
		msix_vector_unuse(PCI_DEVICE(s), q->vector);
	q->live = false;
}

/* ---- completions --------------------------------------------------------- */

static bool cq_full(const struct ppim_queue *q)
{
	return (q->cq_tail + 1) % q->entries == q->cq_head;
}

static void cqe_fill(const struct ppim_queue *q, const struct ppim_cmd *cmd,
		     struct ppim_hw_cqe *cqe)
{
	*cqe = (struct ppim_hw_cqe){
		.cid = cpu_to_le16(cmd->cid),
		.qid = cpu_to_le16(cmd->qid),
		.generation = cpu_to_le32(cmd->generation),
		.status = cpu_to_le16(cmd->fault.status),
		.sq_head = cpu_to_le16(q->sq_head),
		.phase = cpu_to_le32(!q->phase),
		.table = cpu_to_le32(cmd->fault.job),
		.bag = cpu_to_le32(cmd->fault.bag),
		.detail = cpu_to_le64(cmd->fault.detail),
	};
}

/* The phase goes last: a guest that polls it sees a whole entry. */
static int cqe_write(PPIMState *s, struct ppim_queue *q,
		     const struct ppim_cmd *cmd)
{
	uint64_t addr = q->cq + q->cq_tail * sizeof(struct ppim_hw_cqe);
	struct ppim_hw_cqe cqe;
	uint32_t phase = cpu_to_le32(q->phase);

	cqe_fill(q, cmd, &cqe);
	if (ppim_dma_write(s, addr, &cqe, sizeof(cqe)))
		return -1;
	smp_wmb();
	return ppim_dma_write(s, addr + offsetof(struct ppim_hw_cqe, phase),
			      &phase, sizeof(phase));
}

static void cq_post(PPIMState *s, struct ppim_queue *q, struct ppim_cmd *cmd)
{
	if (cqe_write(s, q, cmd)) {
		ppim_fatal(s, PPIM_HWERR_QUEUE_DMA);
		return;
	}
	trace_ppim_complete(cmd->qid, cmd->cid, cmd->generation,
			    cmd->fault.status, cmd->note.start_ps,
			    cmd->note.end_ps);
	q->cq_tail = (q->cq_tail + 1) % q->entries;
	if (!q->cq_tail)
		q->phase = !q->phase;
	msix_notify(PCI_DEVICE(s), q->vector);
}

/* Takes the command. With the CQ full it waits for the guest to make room. */
static void cq_add(PPIMState *s, struct ppim_cmd *cmd)
{
	struct ppim_queue *q = &s->queue[cmd->qid];
	struct ppim_cmd *echo;

	if (!ppim_running(s) || !q->live) {
		ppim_pool_free(s->pool, cmd);
		return;
	}
	if (cq_full(q) || !QTAILQ_EMPTY(&q->waiting)) {
		echo = ppim_cmd_echo(cmd);
		QTAILQ_INSERT_TAIL(&q->waiting, echo, link);
		ppim_pool_free(s->pool, cmd);
		return;
	}
	cq_post(s, q, cmd);
	ppim_pool_free(s->pool, cmd);
}

void ppim_queue_complete(PPIMState *s, struct ppim_cmd *cmd)
{
	if (!ppim_running(s)) {
		ppim_pool_free(s->pool, cmd);
		return;
	}
	ppim_stats_count(s, cmd);
	if (cmd->fault.status)
		trace_ppim_error(cmd->qid, cmd->cid, cmd->fault.status,
				 cmd->fault.job, cmd->fault.bag,
				 cmd->fault.detail);
	if (cmd->lost) {
		trace_ppim_fault(cmd->qid, cmd->cid, "drop");
		ppim_pool_free(s->pool, cmd);
		return;
	}
	if (cmd->doubled) {
		trace_ppim_fault(cmd->qid, cmd->cid, "double");
		cq_add(s, ppim_cmd_echo(cmd));
	}
	cq_add(s, cmd);
}

/* ---- outputs ------------------------------------------------------------- */

/* The next part of output *job, from byte *done on: writes it, or asks whether
 * it could be written (data NULL); false if it cannot. */
static bool output_part(PPIMState *s, struct ppim_cmd *cmd, int32_t *job,
			const uint8_t *data, uint64_t *done, uint64_t *bad)
{
	const struct ppim_buf *out = &cmd->own[*job].out;

	if (ppim_buf_write(s, out, data, done, bad)) {
		cmd->fault.job = *job;
		return false;
	}
	if (*done == out->bytes) {
		(*job)++;
		*done = 0;
	}
	return true;
}

static bool annotation_write(PPIMState *s, const struct ppim_cmd *cmd,
			     uint64_t *bad)
{
	struct ppim_annotation note;

	if (!cmd->annotation_addr)
		return true;
	ppim_cmd_note_le(cmd, &note);
	*bad = cmd->annotation_addr;
	return !ppim_dma_write(s, cmd->annotation_addr, &note, sizeof(note));
}

/*
 * Writes what the command has to say, a part at each call; true when all is
 * written, or when something cannot be. Before the first byte it is asked
 * whether all could be.
 */
bool ppim_queue_output(PPIMState *s, struct ppim_cmd *cmd)
{
	uint64_t bad;

	if (cmd->fault.status)
		return true;
	if (cmd->check_job < cmd->n_own) {
		if (!output_part(s, cmd, &cmd->check_job, NULL,
				 &cmd->check_bytes, &bad))
			goto refused;
		return false;
	}
	if (cmd->out_job < cmd->n_own) {
		if (!output_part(s, cmd, &cmd->out_job,
				 cmd->own[cmd->out_job].output,
				 &cmd->out_bytes, &bad))
			goto refused;
		return false;
	}
	if (annotation_write(s, cmd, &bad))
		return true;
refused:
	ppim_cmd_fail(cmd, PPIM_ST_BAD_ADDRESS, bad);
	return true;
}

/* ---- submissions --------------------------------------------------------- */

/* What was dropped counts until the workers let go of it, so a guest that
 * submits and aborts in turn makes us hold no more than one that waits. */
bool ppim_queue_room(PPIMState *s)
{
	uint64_t bytes;
	uint32_t n = ppim_pool_dropped(s->pool, &bytes);

	return s->n_inflight + n < PPIM_INFLIGHT_MAX &&
	       s->inflight_bytes + bytes < PPIM_INFLIGHT_BYTES;
}

static bool admission_open(PPIMState *s)
{
	return ppim_running(s) && !s->loading.cmd && !ppim_visit_over(s) &&
	       ppim_queue_room(s);
}

static void sq_take(PPIMState *s, uint16_t qid)
{
	struct ppim_queue *q = &s->queue[qid];
	struct ppim_hw_sqe sqe;
	uint64_t bad;

	if (ppim_dma_read(s, q->sq + q->sq_head * sizeof(sqe), &sqe,
			  sizeof(sqe), &bad)) {
		ppim_fatal(s, PPIM_HWERR_QUEUE_DMA);
		return;
	}
	q->sq_head = (q->sq_head + 1) % q->entries;
	if (qid)
		ppim_load_begin(s, qid, &sqe);
	else
		ppim_admin_run(s, &sqe);
}

/* A queue whose completions wait for room takes no more commands, so what a
 * guest can make us hold is bounded. */
static bool sq_idle(const struct ppim_queue *q)
{
	return !q->live || q->sq_head == q->sq_tail ||
	       !QTAILQ_EMPTY(&q->waiting);
}

/* Something that needs no room was left for another visit: the admin queue, or
 * the rest of a command. */
bool ppim_queue_visit_waits(const PPIMState *s)
{
	return s->stalled && (s->loading.cmd || !sq_idle(&s->queue[0]));
}

/*
 * Takes entries of all queues, one of each in turn, until there are none or
 * admission closes; then the timer comes back. What is in flight holds up the
 * admin queue never: an abort must get through.
 */
void ppim_queue_run(PPIMState *s)
{
	bool more = true;
	uint16_t qid;

	s->stalled = false;
	while (!sq_idle(&s->queue[0]) && ppim_running(s)) {
		if (ppim_visit_over(s)) {
			s->stalled = true;
			return;
		}
		sq_take(s, 0);
	}
	if (!ppim_running(s))
		return;
	if (s->loading.cmd)
		ppim_load_continue(s);
	while (more) {
		more = false;
		for (qid = 1; qid <= s->n_queues; qid++) {
			if (sq_idle(&s->queue[qid]))
				continue;
			if (!admission_open(s)) {
				s->stalled = ppim_running(s);
				return;
			}
			sq_take(s, qid);
			more = true;
		}
	}
	s->stalled = s->loading.cmd;
}

/* ---- doorbells ----------------------------------------------------------- */

static struct ppim_queue *doorbell_queue(PPIMState *s, uint16_t qid,
					 uint32_t index)
{
	struct ppim_queue *q = &s->queue[qid];

	if (!ppim_running(s))
		return NULL;
	if (!q->live) {
		PPIM_GUEST_ERR("doorbell of queue %u, which does not exist",
			       qid);
		return NULL;
	}
	if (index < q->entries)
		return q;
	PPIM_GUEST_ERR("doorbell of queue %u: index %u of %u", qid, index,
		       q->entries);
	ppim_fatal(s, PPIM_HWERR_DOORBELL);
	return NULL;
}

/* While entries of an earlier doorbell wait for admission, it is the timer's
 * turn; but never the admin queue's to wait. */
static void queues_visit(PPIMState *s, uint16_t qid)
{
	if (!s->stalled || !qid)
		ppim_queue_run(s);
	ppim_time_kick(s);
}

void ppim_queue_sq_tail(PPIMState *s, uint16_t qid, uint32_t tail)
{
	struct ppim_queue *q = doorbell_queue(s, qid, tail);

	if (!q)
		return;
	q->sq_tail = tail;
	queues_visit(s, qid);
}

void ppim_queue_cq_head(PPIMState *s, uint16_t qid, uint32_t head)
{
	struct ppim_queue *q = doorbell_queue(s, qid, head);
	struct ppim_cmd *cmd;

	if (!q)
		return;
	q->cq_head = head;
	while (ppim_running(s) && !cq_full(q) && !QTAILQ_EMPTY(&q->waiting)) {
		cmd = QTAILQ_FIRST(&q->waiting);
		QTAILQ_REMOVE(&q->waiting, cmd, link);
		cq_post(s, q, cmd);
		ppim_cmd_free(cmd);
	}
	queues_visit(s, qid);
}
