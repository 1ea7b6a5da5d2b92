// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches, one path for ioctl and io_uring:
 *   alloc    a job with room for its tables
 *   prepare  the caller's description is copied once, checked, and what it
 *            names is found and held; user pages are pinned
 *   slot     a command id (ppim_queue.c)
 *   start    inside the gate: mappings, descriptors, doorbell
 *   end      from the completion, or from a cancel when the device is stopped
 * A job that never started is dropped; one that started is ended exactly once.
 */
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ppim_drv.h"
#include "ppim_trace.h"

static const u8 ppim_status_errnos[PPIM_ST_COUNT] = {
	[PPIM_ST_OK] = 0,
	[PPIM_ST_BAD_OPCODE] = EIO,
	[PPIM_ST_BAD_FIELD] = EINVAL,
	[PPIM_ST_BAD_ADDRESS] = EIO,
	[PPIM_ST_BAD_INDEX] = ERANGE,
	[PPIM_ST_BAD_OFFSETS] = ERANGE,
	[PPIM_ST_BAD_PLACEMENT] = EIO,
	[PPIM_ST_NO_COPY] = ENODATA,
	[PPIM_ST_NO_HINT] = ENODATA,
	[PPIM_ST_UNSUPPORTED] = EOPNOTSUPP,
	[PPIM_ST_ABORTED] = ECANCELED,
	[PPIM_ST_RESET] = ECANCELED,
	[PPIM_ST_MEDIA_ERROR] = EIO,
	[PPIM_ST_INTERNAL] = EIO,
	[PPIM_ST_BAD_QUEUE] = EIO,
	[PPIM_ST_TOO_LARGE] = E2BIG,
};

int ppim_status_errno(u32 status)
{
	return status < PPIM_ST_COUNT ? ppim_status_errnos[status] : EIO;
}

/* The status that tells a caller of a batch which the driver refuses. */
static u32 ppim_errno_status(int error)
{
	switch (error) {
	case -EINVAL:
	case -ENOENT:
		return PPIM_ST_BAD_FIELD;
	case -E2BIG:
		return PPIM_ST_TOO_LARGE;
	case -EOPNOTSUPP:
		return PPIM_ST_UNSUPPORTED;
	case -EFAULT:
		return PPIM_ST_BAD_ADDRESS;
	case -ENODATA:
		return PPIM_ST_BAD_PLACEMENT;
	case -ECANCELED:
	case -EINTR:
		return PPIM_ST_ABORTED;
	default:
		return PPIM_ST_INTERNAL;
	}
}

static int ppim_arch_check(const struct ppim_limits *l, u32 *arch)
{
	if (*arch >= PPIM_ARCH_COUNT)
		return -EINVAL;
	if (*arch == PPIM_ARCH_DEFAULT)
		*arch = l->arch_default;
	return l->archs & BIT(*arch) ? 0 : -EOPNOTSUPP;
}

static int ppim_gnr_check(struct ppim_device *pd, const struct ppim_ioc_gnr *gnr, u32 *arch)
{
	if (gnr->flags & ~(PPIM_GNR_WAIT | PPIM_GNR_NONBLOCK) || gnr->reserved)
		return -EINVAL;
	if (gnr->queue != PPIM_QUEUE_ANY && gnr->queue >= pd->n_queues)
		return -EINVAL;
	if (!gnr->n_jobs)
		return -EINVAL;
	if (gnr->n_jobs > pd->limits.max_tables)
		return -E2BIG;
	*arch = gnr->arch;
	return ppim_arch_check(&pd->limits, arch);
}

struct ppim_job *ppim_job_alloc(struct ppim_file *file, const struct ppim_ioc_gnr *gnr,
				enum ppim_job_kind kind)
{
	struct ppim_job *job;
	u32 arch;
	int ret;

	ret = ppim_gnr_check(file->pd, gnr, &arch);
	if (ret)
		return ERR_PTR(ret);
	job = kvzalloc(struct_size(job, items, gnr->n_jobs), GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&job->node);
	INIT_LIST_HEAD(&job->chunks);
	init_completion(&job->done);
	refcount_set(&job->refs, 1);
	job->pd = file->pd;
	job->file = file;
	job->kind = kind;
	job->arch = arch;
	job->n_jobs = gnr->n_jobs;
	job->result_ptr = gnr->result;
	job->result.ticket = atomic64_inc_return(&file->last_ticket);
	return job;
}

void ppim_job_put(struct ppim_job *job)
{
	if (refcount_dec_and_test(&job->refs))
		kvfree(job);
}

static int ppim_job_check_flags(const struct ppim_limits *l, const struct ppim_ioc_job *j)
{
	static const struct ppim_ioc_buf none;
	bool weights = j->flags & PPIM_JOB_WEIGHTS;

	if (j->flags & ~(PPIM_JOB_WEIGHTS | PPIM_JOB_PADDING) || j->reserved0 || j->reserved1)
		return -EINVAL;
	if (weights && j->mode != PPIM_MODE_SUM)
		return -EINVAL;
	if (!weights && memcmp(&j->weights, &none, sizeof(none)))
		return -EINVAL;
	if (!(j->flags & PPIM_JOB_PADDING) && j->padding_index)
		return -EINVAL;
	if (weights && !(l->caps & PPIM_CAP_WEIGHTS))
		return -EOPNOTSUPP;
	if (j->flags & PPIM_JOB_PADDING && !(l->caps & PPIM_CAP_PADDING))
		return -EOPNOTSUPP;
	return 0;
}

static int ppim_job_check(struct ppim_job *job, const struct ppim_ioc_job *j)
{
	const struct ppim_limits *l = &job->pd->limits;

	if (j->mode > PPIM_MODE_MAX || (j->index_bytes != 4 && j->index_bytes != 8))
		return -EINVAL;
	if (!(l->modes & BIT(j->mode)))
		return -EOPNOTSUPP;
	/* An index without a bag would be nobody's. */
	if (!j->n_bags)
		return -EINVAL;
	job->lookups += j->n_indices;
	job->bags += j->n_bags;
	if (job->lookups > l->max_indices || job->bags > l->max_indices) {
		job->result.detail = l->max_indices;
		return -E2BIG;
	}
	return ppim_job_check_flags(l, j);
}

static int ppim_buf_hold_mem(struct ppim_job *job, struct ppim_buf *b,
			     const struct ppim_ioc_buf *u, bool write)
{
	struct ppim_mem *m = ppim_mem_use(job->file, u->mem);
	u64 end;

	if (IS_ERR(m))
		return PTR_ERR(m);
	b->mem = m;
	b->offset = u->addr;
	if (write && !m->pin.write)
		return -EINVAL;
	if (check_add_overflow(u->addr, b->bytes, &end) || end > m->bytes)
		return -EINVAL;
	return 0;
}

/* Finds what a buffer names; plain memory is counted here and pinned later. */
static int ppim_buf_hold(struct ppim_job *job, struct ppim_buf *b, const struct ppim_ioc_buf *u,
			 u64 need, bool write, u64 *pages)
{
	u64 end;

	if (u->reserved || !IS_ALIGNED(u->addr, 4) || u->bytes < need)
		return -EINVAL;
	b->bytes = need;
	b->pin.write = write;
	if (!need)
		return 0;
	if (u->mem)
		return ppim_buf_hold_mem(job, b, u, write);
	if (check_add_overflow(u->addr, need, &end))
		return -EFAULT;
	*pages += ppim_pin_count(u->addr, need);
	return 0;
}

static int ppim_item_hold(struct ppim_job *job, struct ppim_item *it,
			  const struct ppim_ioc_job *j, u64 *pages)
{
	u64 weights = j->flags & PPIM_JOB_WEIGHTS ? (u64)j->n_indices * sizeof(u32) : 0;
	u64 output = (u64)j->n_bags * it->table->shape.dim * sizeof(u32);
	int ret;

	job->output += output;
	if (job->output > job->pd->limits.max_output) {
		job->result.detail = job->pd->limits.max_output;
		return -E2BIG;
	}
	ret = ppim_buf_hold(job, &it->buf[PPIM_BUF_INDICES], &j->indices,
			    (u64)j->n_indices * j->index_bytes, false, pages);
	if (!ret)
		ret = ppim_buf_hold(job, &it->buf[PPIM_BUF_OFFSETS], &j->offsets,
				    (u64)j->n_bags * j->index_bytes, false, pages);
	if (!ret)
		ret = ppim_buf_hold(job, &it->buf[PPIM_BUF_WEIGHTS], &j->weights,
				    weights, false, pages);
	if (!ret)
		ret = ppim_buf_hold(job, &it->buf[PPIM_BUF_OUTPUT], &j->output,
				    output, true, pages);
	return ret;
}

static bool ppim_table_placed(const struct ppim_table *t)
{
	u32 k;

	for (k = 0; k < t->n_subs; k++)
		if (!t->sub[k].extents)
			return false;
	return true;
}

static int ppim_item_prepare(struct ppim_job *job, u32 i, u64 *pages)
{
	const struct ppim_ioc_job *j = &job->jobs[i];
	struct ppim_item *it = &job->items[i];
	struct ppim_table *t;
	int ret;

	ret = ppim_job_check(job, j);
	if (ret)
		return ret;
	t = ppim_table_use(job->file, j->table);
	if (IS_ERR(t))
		return PTR_ERR(t);
	it->table = t;
	if (!ppim_table_placed(t))
		return -ENODATA;
	return ppim_item_hold(job, it, j, pages);
}

/* One allocation for the page and bus address arrays of all plain buffers. */
static int ppim_job_alloc_pages(struct ppim_job *job, u64 pages)
{
	size_t one = sizeof(*job->pages) + sizeof(*job->dma);

	if (!pages)
		return 0;
	if (pages > U32_MAX)
		return -ENOMEM;
	job->pages = kvmalloc_array(pages, one, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!job->pages)
		return -ENOMEM;
	job->dma = (dma_addr_t *)(job->pages + pages);
	return 0;
}

static int ppim_item_pin(struct ppim_job *job, u32 i, u32 *used)
{
	const struct ppim_ioc_job *j = &job->jobs[i];
	const struct ppim_ioc_buf *user[PPIM_BUFS] = {
		&j->indices, &j->offsets, &j->weights, &j->output
	};
	struct ppim_buf *b;
	int k, ret;

	for (k = 0; k < PPIM_BUFS; k++) {
		b = &job->items[i].buf[k];
		if (b->mem || !b->bytes)
			continue;
		b->pin.pages = job->pages + *used;
		b->pin.dma = job->dma + *used;
		*used += ppim_pin_count(user[k]->addr, b->bytes);
		ret = ppim_pin_pages(job->pd, &b->pin, user[k]->addr, b->bytes, 0);
		if (ret)
			return ret;
	}
	return 0;
}

static int ppim_job_prepare_all(struct ppim_job *job, u64 user_jobs, u32 *i)
{
	u32 used = 0;
	u64 pages = 0;
	int ret = 0;

	job->jobs = kvmalloc_array(job->n_jobs, sizeof(*job->jobs), GFP_KERNEL_ACCOUNT);
	if (!job->jobs)
		return -ENOMEM;
	if (copy_from_user(job->jobs, u64_to_user_ptr(user_jobs),
			   job->n_jobs * sizeof(*job->jobs)))
		return -EFAULT;
	for (*i = 0; *i < job->n_jobs; ++*i) {
		ret = ppim_item_prepare(job, *i, &pages);
		if (ret)
			return ret;
	}
	*i = 0;
	ret = ppim_job_alloc_pages(job, pages);
	if (ret || !pages)
		return ret;
	for (*i = 0; *i < job->n_jobs; ++*i) {
		ret = ppim_item_pin(job, *i, &used);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ppim_job_prepare - copy, check and hold everything that a batch names
 * @job: fresh from ppim_job_alloc(); on an error its result says which table's
 *	share it was
 * @user_jobs: the caller's struct ppim_ioc_job[]
 */
int ppim_job_prepare(struct ppim_job *job, u64 user_jobs)
{
	u32 i = 0;
	int ret;

	ret = ppim_job_prepare_all(job, user_jobs, &i);
	if (ret) {
		job->result.status = ppim_errno_status(ret);
		job->result.error = -ret;
		job->result.job = i;
	}
	return ret;
}

static void ppim_buf_unload(struct ppim_job *job, struct ppim_buf *b)
{
	if (b->mem) {
		ppim_use_put(&b->mem->users);
		b->mem = NULL;
		return;
	}
	ppim_pin_unmap(job->pd, &b->pin);
	ppim_pin_release(job->pd, &b->pin);
}

/* Lets go of everything but the result; may be called again. The device has
 * the job no more, or never had it.
 */
static void ppim_job_unload(struct ppim_job *job)
{
	u32 i;
	int k;

	for (i = 0; i < job->n_jobs; i++) {
		for (k = 0; k < PPIM_BUFS; k++)
			ppim_buf_unload(job, &job->items[i].buf[k]);
		if (job->items[i].table)
			ppim_use_put(&job->items[i].table->users);
		job->items[i].table = NULL;
	}
	if (job->big_jobs)
		dma_free_coherent(&job->pd->pdev->dev, job->n_jobs * sizeof(*job->big_jobs),
				  job->big_jobs, job->big_dma);
	job->big_jobs = NULL;
	ppim_sg_free(job->pd, &job->chunks);
	kvfree(job->pages);
	job->pages = NULL;
	kvfree(job->jobs);
	job->jobs = NULL;
}

/* A job that never started. */
void ppim_job_drop(struct ppim_job *job)
{
	if (job->queue)
		ppim_queue_slot_put(job);
	ppim_job_unload(job);
	ppim_job_put(job);
}

static int ppim_buf_describe(struct ppim_job *job, struct ppim_sg_writer *w, struct ppim_buf *b,
			     struct ppim_hw_buf *out)
{
	int ret;

	if (b->mem) {
		ppim_pin_sync(job->pd, &b->mem->pin, b->offset, b->bytes, false);
		return ppim_sg_write(w, &b->mem->pin, b->offset, b->bytes, out);
	}
	ret = ppim_pin_map(job->pd, &b->pin);
	if (ret)
		return ret;
	return ppim_sg_write(w, &b->pin, 0, b->bytes, out);
}

static int ppim_item_describe(struct ppim_job *job, u32 i, struct ppim_sg_writer *w,
			      struct ppim_hw_job *hw)
{
	const struct ppim_ioc_job *j = &job->jobs[i];
	struct ppim_item *it = &job->items[i];
	struct ppim_hw_buf buf[PPIM_BUFS];
	int k, ret;

	for (k = 0; k < PPIM_BUFS; k++) {
		ret = ppim_buf_describe(job, w, &it->buf[k], &buf[k]);
		if (ret)
			return ret;
	}
	*hw = (struct ppim_hw_job) {
		.table = cpu_to_le64(it->table->hw_dma),
		.n_indices = cpu_to_le32(j->n_indices),
		.n_bags = cpu_to_le32(j->n_bags),
		.mode = j->mode,
		.index_bytes = j->index_bytes,
		.flags = (j->flags & PPIM_JOB_WEIGHTS ? PPIM_JOBF_WEIGHTS : 0) |
			 (j->flags & PPIM_JOB_PADDING ? PPIM_JOBF_PADDING : 0),
		.padding_index = cpu_to_le64(j->padding_index),
		.indices = buf[PPIM_BUF_INDICES],
		.offsets = buf[PPIM_BUF_OFFSETS],
		.weights = buf[PPIM_BUF_WEIGHTS],
		.output = buf[PPIM_BUF_OUTPUT],
	};
	return 0;
}

/* Where the hw jobs go: the slot, or, for many tables, memory of their own. */
static struct ppim_hw_job *ppim_job_array(struct ppim_job *job, struct ppim_slot *slot,
					  dma_addr_t *dma)
{
	if (job->n_jobs <= PPIM_SLOT_JOBS) {
		*dma = slot->desc_dma;
		return slot->desc;
	}
	job->big_jobs = dma_alloc_coherent(&job->pd->pdev->dev,
					   job->n_jobs * sizeof(*job->big_jobs),
					   &job->big_dma, GFP_KERNEL);
	*dma = job->big_dma;
	return job->big_jobs;
}

/* Gate */
static int ppim_job_describe(struct ppim_job *job, struct ppim_hw_sqe *sqe)
{
	struct ppim_slot *slot = &job->queue->slots[job->slot];
	struct ppim_sg_writer w = {
		.pd = job->pd,
		.chunks = &job->chunks,
		.entries = slot->desc + PPIM_SLOT_SG,
		.dma = slot->desc_dma + PPIM_SLOT_SG,
		.capacity = PPIM_SLOT_SG_ENTRIES,
	};
	struct ppim_hw_job *hw;
	dma_addr_t hw_dma;
	u32 i;
	int ret;

	hw = ppim_job_array(job, slot, &hw_dma);
	if (!hw)
		return -ENOMEM;
	for (i = 0; i < job->n_jobs; i++) {
		ret = ppim_item_describe(job, i, &w, &hw[i]);
		if (ret) {
			job->result.job = i;
			return ret;
		}
	}
	sqe->opcode = PPIM_OP_GNR;
	sqe->gnr.jobs = cpu_to_le64(hw_dma);
	sqe->gnr.n_jobs = cpu_to_le32(job->n_jobs);
	sqe->gnr.arch = job->arch;
	sqe->gnr.annotation = cpu_to_le64(slot->desc_dma + PPIM_SLOT_ANNOTATION);
	return 0;
}

/* Makes it known to its file: from here on the file's close waits for it. */
static int ppim_job_list(struct ppim_job *job)
{
	struct ppim_file *file = job->file;
	int ret = 0;

	if (job->kind == PPIM_JOB_ASYNC) {
		ret = xa_insert(&file->tickets, job->result.ticket, job, GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
	}
	spin_lock(&file->lock);
	if (job->kind == PPIM_JOB_ASYNC && file->n_results >= PPIM_FILE_MAX_RESULTS) {
		ret = -EBUSY;
	} else {
		file->n_results += job->kind == PPIM_JOB_ASYNC;
		list_add_tail(&job->node, &file->inflight);
	}
	spin_unlock(&file->lock);
	if (ret)
		xa_erase(&file->tickets, job->result.ticket);
	return ret;
}

static int ppim_job_start_live(struct ppim_job *job)
{
	struct ppim_hw_sqe sqe = { };
	int ret;

	ret = ppim_job_describe(job, &sqe);
	if (!ret)
		ret = ppim_job_list(job);
	if (ret) {
		/* Outside the gate the mappings could outlive the device. */
		ppim_job_unload(job);
		return ret;
	}
	refcount_inc(&job->refs);
	trace_ppim_submit(job->pd, job->queue->qid, job->slot, job->result.ticket, job->arch,
			  job->n_jobs, job->lookups);
	ppim_queue_push(job, &sqe);
	return 0;
}

/**
 * ppim_job_start - hand a prepared job with a slot to the device
 * @job: on success it may have ended when this returns; the caller keeps its
 *	own reference
 * @nonblock: fail with -EAGAIN rather than wait for the end of a reset
 */
int ppim_job_start(struct ppim_job *job, bool nonblock)
{
	int ret;

	ret = ppim_gate_enter_live(job->pd, nonblock);
	if (ret)
		goto fail;
	ret = ppim_job_start_live(job);
	ppim_gate_exit(job->pd);
	if (!ret)
		return 0;
fail:
	job->result.status = ppim_errno_status(ret);
	job->result.error = -ret;
	return ret;
}

static void ppim_job_conclude(struct ppim_job *job)
{
	u32 status = le16_to_cpu(job->cqe.status);

	job->result.status = status;
	job->result.error = ppim_status_errno(status);
	job->result.job = le32_to_cpu(job->cqe.table);
	job->result.bag = le32_to_cpu(job->cqe.bag);
	job->result.detail = le64_to_cpu(job->cqe.detail);
	if (status == PPIM_ST_RESET && READ_ONCE(job->pd->dead))
		job->result.error = ENODEV;
	if (job->result.error == EIO)
		trace_ppim_fault(job->pd, job->queue->qid, job->slot, "status");
}

static void ppim_job_sync_outputs(struct ppim_job *job)
{
	struct ppim_buf *b;
	u32 i;

	for (i = 0; i < job->n_jobs; i++) {
		b = &job->items[i].buf[PPIM_BUF_OUTPUT];
		if (b->mem)
			ppim_pin_sync(job->pd, &b->mem->pin, b->offset, b->bytes, true);
	}
}

/* Leaves the file's list of flights; who waits for it is woken. The file can
 * be freed as soon as its lock is let go.
 */
static enum ppim_job_kind ppim_job_land(struct ppim_job *job)
{
	struct ppim_file *file = job->file;
	enum ppim_job_kind kind;

	spin_lock(&file->lock);
	kind = job->kind;
	job->ended = true;
	list_del_init(&job->node);
	if (kind == PPIM_JOB_ASYNC)
		list_add_tail(&job->node, &file->done);
	wake_up_all(&file->wait);
	spin_unlock(&file->lock);
	return kind;
}

/* The one that took the job from its slot ends it. May sleep. */
void ppim_job_end(struct ppim_job *job)
{
	enum ppim_job_kind kind;

	ppim_job_sync_outputs(job);
	ppim_job_conclude(job);
	ppim_job_unload(job);
	trace_ppim_complete(job->pd, job->result.ticket, job->result.status,
			    job->result.annotation.busy_ps);
	kind = ppim_job_land(job);
	if (kind == PPIM_JOB_SYNC)
		complete(&job->done);
	else if (kind == PPIM_JOB_URING)
		ppim_uring_complete(job);
	ppim_job_put(job);
}

int ppim_job_put_result(const struct ppim_job *job)
{
	if (!job->result_ptr)
		return 0;
	return copy_to_user(u64_to_user_ptr(job->result_ptr), &job->result,
			    sizeof(job->result)) ? -EFAULT : 0;
}

/* Killed while waiting: nobody wants the result, the sooner it ends the better. */
static int ppim_job_orphan(struct ppim_job *job)
{
	spin_lock(&job->file->lock);
	if (!job->ended)
		job->kind = PPIM_JOB_ORPHAN;
	spin_unlock(&job->file->lock);
	ppim_queue_abort(job);
	return -EINTR;
}

static int ppim_job_await(struct ppim_job *job)
{
	int ret;

	if (wait_for_completion_killable(&job->done))
		ret = ppim_job_orphan(job);
	else if (ppim_job_put_result(job))
		ret = -EFAULT;
	else
		ret = -(int)job->result.error;
	ppim_job_put(job);
	return ret;
}

int ppim_job_gnr(struct ppim_file *file, void *arg)
{
	struct ppim_ioc_gnr *gnr = arg;
	bool nonblock = gnr->flags & PPIM_GNR_NONBLOCK;
	bool wait = gnr->flags & PPIM_GNR_WAIT;
	struct ppim_job *job;
	int ret;

	job = ppim_job_alloc(file, gnr, wait ? PPIM_JOB_SYNC : PPIM_JOB_ASYNC);
	if (IS_ERR(job))
		return PTR_ERR(job);
	gnr->ticket = job->result.ticket;
	ret = ppim_job_prepare(job, gnr->jobs);
	if (!ret)
		ret = ppim_queue_slot_get(file->pd, job, gnr->queue, nonblock);
	if (!ret)
		ret = ppim_job_start(job, nonblock);
	if (!ret)
		return wait ? ppim_job_await(job) : 0;
	if (job->result.error && ppim_job_put_result(job))
		ret = -EFAULT;
	ppim_job_drop(job);
	return ret;
}

/* Takes an ended job out of its file: 0, -ETIMEDOUT (not yet) or -ENOENT. */
static int ppim_job_take(struct ppim_file *file, u64 ticket, struct ppim_job **out)
{
	struct ppim_job *job;
	int ret = 0;

	spin_lock(&file->lock);
	if (ticket)
		job = xa_load(&file->tickets, ticket);
	else
		job = list_first_entry_or_null(&file->done, struct ppim_job, node);
	if (!job)
		ret = ticket || !file->n_results ? -ENOENT : -ETIMEDOUT;
	else if (!job->ended)
		ret = -ETIMEDOUT;
	if (!ret) {
		list_del_init(&job->node);
		xa_erase(&file->tickets, job->result.ticket);
		file->n_results--;
	}
	spin_unlock(&file->lock);
	*out = job;
	return ret;
}

static bool ppim_job_taken(struct ppim_file *file, const struct ppim_ioc_wait *w,
			   struct ppim_job **out, int *ret)
{
	*ret = ppim_job_take(file, w->ticket, out);
	return *ret != -ETIMEDOUT;
}

int ppim_job_wait(struct ppim_file *file, void *arg)
{
	struct ppim_ioc_wait *w = arg;
	struct ppim_job *job;
	long left;
	int ret;

	if (w->flags || w->timeout_ns < -1)
		return -EINVAL;
	ret = ppim_job_take(file, w->ticket, &job);
	if (ret == -ETIMEDOUT && w->timeout_ns) {
		left = MAX_SCHEDULE_TIMEOUT;
		if (w->timeout_ns > 0)
			left = nsecs_to_jiffies(w->timeout_ns) + 1;
		left = wait_event_killable_timeout(file->wait, ppim_job_taken(file, w, &job, &ret),
						   left);
		if (left < 0)
			return -EINTR;
	}
	if (ret)
		return ret;
	w->result = job->result;
	ppim_job_put(job);
	return 0;
}

/* Last close: no call is under way any more. Every job ends, by its
 * completion, by the abort, or by the reset that the watchdog falls back on.
 */
void ppim_job_close_all(struct ppim_file *file)
{
	struct ppim_job *job;
	unsigned long ticket;

	spin_lock(&file->lock);
	list_for_each_entry(job, &file->inflight, node)
		ppim_queue_abort(job);
	spin_unlock(&file->lock);
	wait_event(file->wait, list_empty_careful(&file->inflight));
	/* The last one to land has let go of the file after this. */
	spin_lock(&file->lock);
	spin_unlock(&file->lock);
	xa_for_each(&file->tickets, ticket, job) {
		xa_erase(&file->tickets, ticket);
		ppim_job_put(job);
	}
	xa_destroy(&file->tickets);
}
