// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queue pairs: the admin queue (0) and the I/O queues, their slots, interrupts
 * and the watchdog that ends what the device does not.
 *
 * A slot is a command id with preallocated descriptor memory. It belongs to a
 * job from slot_get on; slot->job is set only while the device has the command,
 * and whoever clears it under the queue's lock (completion, cancel) is the one
 * that ends the job. Slots are one fewer than ring entries, so neither ring
 * can overflow.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include "ppim_drv.h"
#include "ppim_trace.h"

#define PPIM_ADMIN_ENTRIES	8u
#define PPIM_ADMIN_MS		10000	/* that an admin command may take */
#define PPIM_ABORT_MS		1000	/* from an abort to a reset */
#define PPIM_WATCHDOG_MS	500
#define PPIM_MIN_ENTRIES	2u

static unsigned int ppim_queue_entries = 32;
module_param_named(queue_entries, ppim_queue_entries, uint, 0444);
MODULE_PARM_DESC(queue_entries, "entries of an I/O queue, a power of two (default 32)");

static bool ppim_one_vector;
module_param_named(one_vector, ppim_one_vector, bool, 0444);
MODULE_PARM_DESC(one_vector, "use a single interrupt vector, as where there are no more (default off)");

static bool ppim_cqe_take(struct ppim_queue *q, struct ppim_hw_cqe *cqe)
{
	const struct ppim_hw_cqe *c = &q->cq[q->cq_head];

	if ((le32_to_cpu(READ_ONCE(c->phase)) & 1) != q->phase)
		return false;
	/* The phase is written last: the rest is read after it. */
	dma_rmb();
	*cqe = *c;
	if (++q->cq_head == q->entries) {
		q->cq_head = 0;
		q->phase ^= 1;
	}
	return true;
}

static void ppim_stray(struct ppim_queue *q, const struct ppim_hw_cqe *cqe)
{
	atomic64_inc(&q->pd->counters.stray_completions);
	dev_warn_ratelimited(&q->pd->pdev->dev,
			     "queue %u: stray completion, cid %u generation %u\n",
			     q->qid, le16_to_cpu(cqe->cid), le32_to_cpu(cqe->generation));
}

/* Queue 0's lock. */
static void ppim_admin_complete(struct ppim_queue *q, const struct ppim_hw_cqe *cqe)
{
	struct ppim_admin *a = &q->pd->admin;

	if (!a->waiting || a->generation != le32_to_cpu(cqe->generation)) {
		ppim_stray(q, cqe);
		return;
	}
	a->cqe = *cqe;
	a->waiting = false;
	complete(&a->done);
}

static void ppim_slot_free(struct ppim_queue *q, u16 slot)
{
	lockdep_assert_held(&q->lock);
	q->free[q->n_free++] = slot;
	wake_up(&q->slot_wait);
}

/* The job that a completion ends, taken from its slot; NULL: a stray one. */
static struct ppim_job *ppim_slot_complete(struct ppim_queue *q, const struct ppim_hw_cqe *cqe)
{
	u16 cid = le16_to_cpu(cqe->cid);
	struct ppim_slot *slot = &q->slots[cid];
	struct ppim_job *job;

	if (cid >= q->n_slots || !slot->job ||
	    slot->generation != le32_to_cpu(cqe->generation)) {
		ppim_stray(q, cqe);
		return NULL;
	}
	job = slot->job;
	slot->job = NULL;
	job->cqe = *cqe;
	if (le16_to_cpu(cqe->status) == PPIM_ST_OK)
		memcpy(&job->result.annotation, slot->desc + PPIM_SLOT_ANNOTATION,
		       sizeof(job->result.annotation));
	ppim_slot_free(q, cid);
	return job;
}

static bool ppim_queue_reap(struct ppim_queue *q)
{
	struct ppim_job *job, *next;
	struct ppim_hw_cqe cqe;
	LIST_HEAD(ended);
	bool any = false;

	spin_lock(&q->lock);
	while (ppim_cqe_take(q, &cqe)) {
		any = true;
		if (!q->qid) {
			ppim_admin_complete(q, &cqe);
			continue;
		}
		job = ppim_slot_complete(q, &cqe);
		if (job)
			list_add_tail(&job->ended_node, &ended);
	}
	if (any)
		writel(q->cq_head, q->pd->regs + PPIM_DB_CQ_HEAD(q->qid));
	spin_unlock(&q->lock);
	list_for_each_entry_safe(job, next, &ended, ended_node)
		ppim_job_end(job);
	return any;
}

/* Ending a job unpins pages, which may sleep: so it is done in a thread. */
static irqreturn_t ppim_queue_irq(int irq, void *data)
{
	struct ppim_queue *q = data;
	struct ppim_device *pd = q->pd;
	bool any = ppim_queue_reap(q);
	u32 i;

	for (i = 1; pd->one_vector && i <= pd->n_queues; i++)
		any |= ppim_queue_reap(&pd->queues[i]);
	return any ? IRQ_HANDLED : IRQ_NONE;
}

static int ppim_slots_alloc(struct ppim_queue *q)
{
	struct device *dev = &q->pd->pdev->dev;
	u32 i;

	q->n_slots = q->entries - 1;
	q->slots = kcalloc(q->n_slots, sizeof(*q->slots), GFP_KERNEL);
	q->free = kcalloc(q->n_slots, sizeof(*q->free), GFP_KERNEL);
	if (!q->slots || !q->free)
		return -ENOMEM;
	for (i = 0; i < q->n_slots; i++) {
		q->slots[i].desc = dma_alloc_coherent(dev, PPIM_SLOT_BYTES,
						      &q->slots[i].desc_dma, GFP_KERNEL);
		if (!q->slots[i].desc)
			return -ENOMEM;
		q->free[i] = q->n_slots - 1 - i;
	}
	q->n_free = q->n_slots;
	return 0;
}

static int ppim_rings_alloc(struct ppim_queue *q)
{
	struct device *dev = &q->pd->pdev->dev;

	q->sq = dma_alloc_coherent(dev, q->entries * sizeof(*q->sq), &q->sq_dma, GFP_KERNEL);
	q->cq = dma_alloc_coherent(dev, q->entries * sizeof(*q->cq), &q->cq_dma, GFP_KERNEL);
	return q->sq && q->cq ? 0 : -ENOMEM;
}

static int ppim_queue_request_irq(struct ppim_queue *q)
{
	struct ppim_device *pd = q->pd;
	int irq = pci_irq_vector(pd->pdev, q->vector);
	int ret;

	if (q->qid && pd->one_vector)
		return 0;
	snprintf(q->irq_name, sizeof(q->irq_name), "%s-q%u", dev_name(&pd->dev), q->qid);
	ret = request_threaded_irq(irq, NULL, ppim_queue_irq, IRQF_ONESHOT, q->irq_name, q);
	if (ret)
		return ret;
	q->irq_taken = true;
	/* A hint: spread the queues over the CPUs as submitters are. */
	if (q->qid)
		irq_set_affinity_and_hint(irq, cpumask_of((q->qid - 1) % nr_cpu_ids));
	return 0;
}

static void ppim_queue_init(struct ppim_device *pd, struct ppim_queue *q, u32 qid)
{
	u32 entries = qid ? ppim_queue_entries : PPIM_ADMIN_ENTRIES;

	q->pd = pd;
	q->qid = qid;
	q->vector = pd->one_vector ? 0 : qid;
	entries = clamp(entries, PPIM_MIN_ENTRIES, min(pd->limits.max_entries, 4096u));
	q->entries = rounddown_pow_of_two(entries);
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->slot_wait);
}

static int ppim_queue_setup(struct ppim_queue *q)
{
	int ret = ppim_rings_alloc(q);

	if (!ret && q->qid)
		ret = ppim_slots_alloc(q);
	if (!ret)
		ret = ppim_queue_request_irq(q);
	return ret;
}

/* One vector for the admin queue and one for each I/O queue, or one for all. */
static int ppim_vectors_alloc(struct ppim_device *pd, u32 max)
{
	u32 want = clamp(min(pd->limits.max_queues, num_online_cpus()), 1u, max ?: 1u);
	int n;

	n = pci_alloc_irq_vectors(pd->pdev, 1, ppim_one_vector ? 1 : want + 1, PCI_IRQ_MSIX);
	if (n < 0)
		return dev_err_probe(&pd->pdev->dev, n, "no MSI-X vector\n");
	pd->one_vector = n < 2;
	pd->n_queues = pd->one_vector ? want : n - 1;
	if (pd->one_vector)
		dev_info(&pd->pdev->dev, "one interrupt vector for all queues\n");
	return 0;
}

int ppim_queues_create(struct ppim_device *pd, u32 max)
{
	struct device *dev = &pd->pdev->dev;
	int ret;
	u32 i;

	ret = ppim_vectors_alloc(pd, max);
	if (ret)
		return ret;
	pd->queues = kcalloc(pd->n_queues + 1, sizeof(*pd->queues), GFP_KERNEL);
	pd->stats = dma_alloc_coherent(dev, sizeof(*pd->stats), &pd->stats_dma, GFP_KERNEL);
	pd->sg_pool = dma_pool_create("ppim-sg", dev, PPIM_SG_CHUNK_BYTES, PPIM_SG_CHUNK_BYTES, 0);
	ret = pd->queues && pd->stats && pd->sg_pool ? 0 : -ENOMEM;
	for (i = 0; pd->queues && i <= pd->n_queues; i++)
		ppim_queue_init(pd, &pd->queues[i], i);
	for (i = 0; !ret && i <= pd->n_queues; i++)
		ret = ppim_queue_setup(&pd->queues[i]);
	if (ret)
		ppim_queues_destroy(pd);
	return ret;
}

static void ppim_queue_free_irq(struct ppim_queue *q)
{
	int irq = pci_irq_vector(q->pd->pdev, q->vector);

	if (!q->irq_taken)
		return;
	irq_set_affinity_and_hint(irq, NULL);
	free_irq(irq, q);
	q->irq_taken = false;
}

static void ppim_queue_free_dma(struct ppim_queue *q)
{
	struct device *dev = &q->pd->pdev->dev;
	u32 i;

	for (i = 0; q->slots && i < q->n_slots && q->slots[i].desc; i++)
		dma_free_coherent(dev, PPIM_SLOT_BYTES, q->slots[i].desc, q->slots[i].desc_dma);
	if (q->sq)
		dma_free_coherent(dev, q->entries * sizeof(*q->sq), q->sq, q->sq_dma);
	if (q->cq)
		dma_free_coherent(dev, q->entries * sizeof(*q->cq), q->cq, q->cq_dma);
}

/* The device is stopped. Slots stay until ppim_queues_free: a submitter may
 * still be waiting for one.
 */
void ppim_queues_destroy(struct ppim_device *pd)
{
	u32 i;

	for (i = 0; pd->queues && i <= pd->n_queues; i++)
		ppim_queue_free_irq(&pd->queues[i]);
	for (i = 0; pd->queues && i <= pd->n_queues; i++)
		ppim_queue_free_dma(&pd->queues[i]);
	pci_free_irq_vectors(pd->pdev);
	dma_pool_destroy(pd->sg_pool);
	if (pd->stats)
		dma_free_coherent(&pd->pdev->dev, sizeof(*pd->stats), pd->stats, pd->stats_dma);
}

void ppim_queues_free(struct ppim_device *pd)
{
	u32 i;

	for (i = 0; pd->queues && i <= pd->n_queues; i++) {
		kfree(pd->queues[i].slots);
		kfree(pd->queues[i].free);
	}
	kfree(pd->queues);
}

void ppim_queues_wake(struct ppim_device *pd)
{
	u32 i;

	for (i = 1; i <= pd->n_queues; i++)
		wake_up_all(&pd->queues[i].slot_wait);
}

/* Rings as the device expects them when it is enabled. */
void ppim_queues_rewind(struct ppim_device *pd)
{
	struct ppim_queue *q;
	u32 i;

	for (i = 0; i <= pd->n_queues; i++) {
		q = &pd->queues[i];
		spin_lock(&q->lock);
		memset(q->cq, 0, q->entries * sizeof(*q->cq));
		q->sq_tail = 0;
		q->cq_head = 0;
		q->phase = 1;
		spin_unlock(&q->lock);
	}
}

int ppim_queues_start(struct ppim_device *pd)
{
	struct ppim_queue *q;
	int ret = 0;
	u32 i;

	for (i = 1; !ret && i <= pd->n_queues; i++) {
		struct ppim_hw_sqe sqe = { .opcode = PPIM_ADM_CREATE_QUEUE };

		q = &pd->queues[i];
		sqe.create.sq = cpu_to_le64(q->sq_dma);
		sqe.create.cq = cpu_to_le64(q->cq_dma);
		sqe.create.entries = cpu_to_le32(q->entries);
		sqe.create.qid = cpu_to_le16(q->qid);
		sqe.create.vector = cpu_to_le16(q->vector);
		ret = ppim_admin_do(pd, &sqe, NULL, true);
		if (ret)
			dev_err(&pd->pdev->dev, "cannot create queue %u: %pe\n", i, ERR_PTR(ret));
	}
	return ret;
}

/* q->lock, gate */
static void ppim_queue_ring(struct ppim_queue *q, struct ppim_hw_sqe *sqe, u16 cid)
{
	sqe->cid = cpu_to_le16(cid);
	sqe->generation = cpu_to_le32(q->generation);
	memcpy(&q->sq[q->sq_tail], sqe, sizeof(*sqe));
	q->sq_tail = (q->sq_tail + 1) & (q->entries - 1);
	/* writel orders the entry before the doorbell. */
	writel(q->sq_tail, q->pd->regs + PPIM_DB_SQ_TAIL(q->qid));
}

static void ppim_admin_push(struct ppim_device *pd, struct ppim_hw_sqe *sqe)
{
	struct ppim_queue *q = &pd->queues[0];

	reinit_completion(&pd->admin.done);
	spin_lock(&q->lock);
	pd->admin.generation = ++q->generation;
	pd->admin.waiting = true;
	ppim_queue_ring(q, sqe, 0);
	spin_unlock(&q->lock);
}

/* The answer to the pushed command; -ETIMEDOUT when none came. */
static int ppim_admin_answer(struct ppim_device *pd, u64 *detail)
{
	struct ppim_queue *q = &pd->queues[0];
	int ret = -ETIMEDOUT;

	spin_lock(&q->lock);
	if (!pd->admin.waiting)
		ret = -ppim_status_errno(le16_to_cpu(pd->admin.cqe.status));
	if (detail)
		*detail = le64_to_cpu(pd->admin.cqe.detail);
	pd->admin.waiting = false;
	spin_unlock(&q->lock);
	return ret;
}

/**
 * ppim_admin_do - one admin command, start to end
 * @pd: device
 * @sqe: the command; cid and generation are filled in
 * @detail: out, when the command was answered: the completion's; may be NULL
 * @starting: the caller is starting the device (reset_mutex)
 *
 * Return: 0, -EAGAIN while the device is quiesced, -ECANCELED when it was
 * stopped meanwhile, -ETIMEDOUT (a reset is under way then), or what the
 * command's status says.
 */
int ppim_admin_do(struct ppim_device *pd, struct ppim_hw_sqe *sqe, u64 *detail, bool starting)
{
	int ret;

	mutex_lock(&pd->admin_mutex);
	ret = starting ? 0 : ppim_gate_enter_live(pd, true);
	if (ret)
		goto out;
	ppim_admin_push(pd, sqe);
	if (!starting)
		ppim_gate_exit(pd);
	wait_for_completion_timeout(&pd->admin.done, msecs_to_jiffies(PPIM_ADMIN_MS));
	ret = ppim_admin_answer(pd, detail);
	if (ret == -ETIMEDOUT)
		dev_err(&pd->pdev->dev, "admin command %#x was not answered\n", sqe->opcode);
out:
	mutex_unlock(&pd->admin_mutex);
	if (ret == -ETIMEDOUT && !starting)
		ppim_watchdog_demand_reset(pd);
	return ret;
}

/* The device is disabled: what waits for its answer waits in vain. */
void ppim_admin_cancel(struct ppim_device *pd)
{
	struct ppim_queue *q = &pd->queues[0];

	spin_lock(&q->lock);
	if (pd->admin.waiting) {
		pd->admin.cqe = (struct ppim_hw_cqe){ .status = cpu_to_le16(PPIM_ST_RESET) };
		pd->admin.waiting = false;
		complete(&pd->admin.done);
	}
	spin_unlock(&q->lock);
}

int ppim_admin_stats(struct ppim_device *pd, struct ppim_hw_stats *stats)
{
	struct ppim_hw_sqe sqe;
	int ret;

	do {
		ret = ppim_gate_enter_live(pd, false);
		if (ret)
			return ret;
		memset(&sqe, 0, sizeof(sqe));
		sqe.opcode = PPIM_ADM_STATS;
		sqe.stats.addr = cpu_to_le64(pd->stats_dma);
		sqe.stats.bytes = cpu_to_le32(sizeof(*pd->stats));
		ppim_gate_exit(pd);
		ret = ppim_admin_do(pd, &sqe, NULL, false);
	} while (ret == -EAGAIN || ret == -ECANCELED);
	if (ret)
		return ret == -ETIMEDOUT ? -EIO : ret;
	/* The memory stays as long as the gate can be entered. */
	ret = ppim_gate_enter(pd);
	if (ret)
		return ret;
	memcpy(stats, pd->stats, sizeof(*stats));
	ppim_gate_exit(pd);
	return 0;
}

static bool ppim_slot_try(struct ppim_queue *q, struct ppim_job *job)
{
	bool got;

	spin_lock(&q->lock);
	got = q->n_free;
	if (got) {
		job->slot = q->free[--q->n_free];
		job->queue = q;
	}
	spin_unlock(&q->lock);
	return got;
}

/* Any queue: this CPU's if it has room, else the next that has. */
int ppim_queue_slot_get(struct ppim_device *pd, struct ppim_job *job, u32 queue, bool nonblock)
{
	u32 first = queue == PPIM_QUEUE_ANY ? raw_smp_processor_id() % pd->n_queues : queue;
	u32 tries = queue == PPIM_QUEUE_ANY ? pd->n_queues : 1;
	struct ppim_queue *q;
	u32 i;

	for (i = 0; i < tries; i++)
		if (ppim_slot_try(&pd->queues[1 + (first + i) % pd->n_queues], job))
			return 0;
	if (nonblock)
		return -EAGAIN;
	q = &pd->queues[1 + first];
	if (wait_event_killable(q->slot_wait, READ_ONCE(pd->dead) || ppim_slot_try(q, job)))
		return -EINTR;
	return job->queue ? 0 : -ENODEV;
}

void ppim_queue_slot_put(struct ppim_job *job)
{
	struct ppim_queue *q = job->queue;

	spin_lock(&q->lock);
	ppim_slot_free(q, job->slot);
	spin_unlock(&q->lock);
}

static unsigned long ppim_deadline(void)
{
	return jiffies + msecs_to_jiffies(READ_ONCE(ppim_timeout_ms));
}

/* Hands the job to the device; from here on it may end at any time. Gate. */
void ppim_queue_push(struct ppim_job *job, struct ppim_hw_sqe *sqe)
{
	struct ppim_queue *q = job->queue;
	struct ppim_slot *slot = &q->slots[job->slot];

	spin_lock(&q->lock);
	slot->generation = ++q->generation;
	slot->job = job;
	slot->abort_sent = false;
	slot->submitted = jiffies;
	slot->deadline = job->abort ? jiffies : ppim_deadline();
	ppim_queue_ring(q, sqe, job->slot);
	queue_delayed_work(system_long_wq, &q->pd->watchdog,
			   job->abort ? 0 : msecs_to_jiffies(PPIM_WATCHDOG_MS));
	spin_unlock(&q->lock);
}

/* Ends a job early, if the device can; it ends by its completion as usual. */
void ppim_queue_abort(struct ppim_job *job)
{
	struct ppim_queue *q = job->queue;
	struct ppim_slot *slot = &q->slots[job->slot];
	bool can = q->pd->limits.caps & PPIM_CAP_ABORT;

	spin_lock(&q->lock);
	if (!job->abort && can) {
		job->abort = true;
		if (slot->job == job) {
			slot->deadline = jiffies;
			mod_delayed_work(system_long_wq, &q->pd->watchdog, 0);
		}
	}
	spin_unlock(&q->lock);
}

/* The job of a slot that still has this generation, taken from it. */
static struct ppim_job *ppim_slot_take(struct ppim_queue *q, u16 i, u32 generation)
{
	struct ppim_job *job = NULL;

	spin_lock(&q->lock);
	if (q->slots[i].generation == generation) {
		job = q->slots[i].job;
		q->slots[i].job = NULL;
	}
	if (job)
		ppim_slot_free(q, i);
	spin_unlock(&q->lock);
	return job;
}

/* The device is disabled and cannot write any more. */
void ppim_queues_cancel(struct ppim_device *pd, enum ppim_status status)
{
	struct ppim_queue *q;
	struct ppim_job *job;
	u32 i, k;

	for (i = 1; i <= pd->n_queues; i++) {
		q = &pd->queues[i];
		/* What had completed before has completed. */
		ppim_queue_reap(q);
		for (k = 0; k < q->n_slots; k++) {
			job = ppim_slot_take(q, k, q->slots[k].generation);
			if (!job)
				continue;
			job->cqe = (struct ppim_hw_cqe){ .status = cpu_to_le16(status) };
			ppim_job_end(job);
		}
	}
}

static bool ppim_queue_idle(struct ppim_queue *q)
{
	bool idle = true;
	u32 i;

	spin_lock(&q->lock);
	for (i = 0; i < q->n_slots; i++)
		idle &= !q->slots[i].job;
	spin_unlock(&q->lock);
	return idle;
}

/* Gives work in flight the time to end; nothing new is pushed meanwhile. */
void ppim_queues_drain(struct ppim_device *pd, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	u32 i;

	for (i = 1; i <= pd->n_queues; i++)
		while (!ppim_queue_idle(&pd->queues[i]) && time_before(jiffies, end))
			usleep_range(200, 1000);
}

/* The device does not have it any more, yet no completion is there: it was
 * lost. Nothing is written for it now, so it can end without a reset.
 */
static void ppim_slot_lost(struct ppim_queue *q, u16 cid, u32 generation)
{
	struct ppim_job *job;

	ppim_queue_reap(q);
	job = ppim_slot_take(q, cid, generation);
	if (!job)
		return;
	trace_ppim_fault(q->pd, q->qid, cid, "lost");
	dev_warn(&q->pd->pdev->dev, "queue %u: the completion of command %u was lost\n",
		 q->qid, cid);
	job->cqe = (struct ppim_hw_cqe){ .status = cpu_to_le16(PPIM_ST_INTERNAL) };
	ppim_job_end(job);
}

static void ppim_slot_abort(struct ppim_queue *q, u16 cid, u32 generation)
{
	struct ppim_hw_sqe sqe = { .opcode = PPIM_ADM_ABORT };
	u64 ended = 0;

	sqe.abort.qid = cpu_to_le16(q->qid);
	sqe.abort.cid = cpu_to_le16(cid);
	sqe.abort.generation = cpu_to_le32(generation);
	/* The answer comes after the completion of what was aborted. */
	if (!ppim_admin_do(q->pd, &sqe, &ended, false) && !ended)
		ppim_slot_lost(q, cid, generation);
}

enum ppim_overdue { PPIM_NOT_FLYING, PPIM_IN_TIME, PPIM_TO_ABORT, PPIM_TO_RESET };

/* What is to be done about a slot; TO_ABORT is said once. */
static enum ppim_overdue ppim_slot_judge(struct ppim_queue *q, u16 i, u32 *generation,
					 bool *timed_out)
{
	struct ppim_slot *slot = &q->slots[i];
	enum ppim_overdue what = PPIM_TO_RESET;

	*timed_out = false;
	spin_lock(&q->lock);
	if (!slot->job) {
		what = PPIM_NOT_FLYING;
	} else if (time_before(jiffies, slot->deadline)) {
		what = PPIM_IN_TIME;
	} else if (!slot->abort_sent) {
		*timed_out = !slot->job->abort;
		*generation = slot->generation;
		if (q->pd->limits.caps & PPIM_CAP_ABORT)
			what = PPIM_TO_ABORT;
		slot->abort_sent = true;
		slot->deadline = jiffies + msecs_to_jiffies(PPIM_ABORT_MS);
	}
	spin_unlock(&q->lock);
	return what;
}

static void ppim_timed_out(struct ppim_queue *q, u16 cid)
{
	atomic64_inc(&q->pd->counters.timeouts);
	trace_ppim_fault(q->pd, q->qid, cid, "timeout");
	dev_warn(&q->pd->pdev->dev, "queue %u: command %u did not end in %u ms\n",
		 q->qid, cid, READ_ONCE(ppim_timeout_ms));
}

/* Returns whether work is in flight; sets *reset if only a reset can end it. */
static bool ppim_queue_watch(struct ppim_queue *q, bool *reset)
{
	enum ppim_overdue what;
	bool busy = false, timed_out;
	u32 i, generation;

	for (i = 0; i < q->n_slots; i++) {
		what = ppim_slot_judge(q, i, &generation, &timed_out);
		busy |= what != PPIM_NOT_FLYING;
		if (timed_out)
			ppim_timed_out(q, i);
		if (what == PPIM_TO_ABORT)
			ppim_slot_abort(q, i, generation);
		*reset |= what == PPIM_TO_RESET;
	}
	return busy;
}

static bool ppim_device_fatal(struct ppim_device *pd)
{
	u32 status = 0;

	if (ppim_gate_enter_live(pd, true))
		return false;
	status = readl(pd->regs + PPIM_REG_STATUS);
	if (status & PPIM_STS_FATAL)
		dev_err(&pd->pdev->dev, "fatal: status %#x, error %u\n", status,
			readl(pd->regs + PPIM_REG_ERROR));
	ppim_gate_exit(pd);
	return status & PPIM_STS_FATAL;
}

void ppim_watchdog_demand_reset(struct ppim_device *pd)
{
	if (ppim_gate_enter(pd))
		return;
	WRITE_ONCE(pd->reset_demanded, true);
	mod_delayed_work(system_long_wq, &pd->watchdog, 0);
	ppim_gate_exit(pd);
}

void ppim_watchdog(struct work_struct *work)
{
	struct ppim_device *pd = container_of(to_delayed_work(work), struct ppim_device, watchdog);
	bool reset = xchg(&pd->reset_demanded, false);
	bool busy = false;
	u32 i;

	/* A lost interrupt is not the device's failure. */
	for (i = 0; i <= pd->n_queues && !ppim_gate_enter_live(pd, true); i++) {
		ppim_queue_reap(&pd->queues[i]);
		ppim_gate_exit(pd);
	}
	reset |= ppim_device_fatal(pd);
	for (i = 1; !reset && i <= pd->n_queues; i++)
		busy |= ppim_queue_watch(&pd->queues[i], &reset);
	if (reset) {
		ppim_dump(pd, "the device failed");
		ppim_device_reset(pd, "the device failed");
	}
	if (busy)
		queue_delayed_work(system_long_wq, &pd->watchdog,
				   msecs_to_jiffies(PPIM_WATCHDOG_MS));
}
