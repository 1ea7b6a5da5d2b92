// SPDX-License-Identifier: MIT
/*
 * Batches by io_uring. Submission is under the context's lock; the one reaper
 * alone touches the completion ring.
 */
#include <errno.h>
#include <string.h>
#include "ctx.h"

#define SECOND_NS 1000000000ll

static int uring_init(struct ppim_ctx *c)
{
	return io_uring_queue_init(c->entries, &c->ring, 0);
}

static void uring_exit(struct ppim_ctx *c)
{
	io_uring_queue_exit(&c->ring);
}

static int uring_flush(struct ppim_ctx *c)
{
	int ret = 0;

	while (!ret && io_uring_sq_ready(&c->ring)) {
		ret = io_uring_submit(&c->ring);
		ret = ret < 0 && ret != -EINTR ? ret : 0;
	}
	return ret;
}

static void uring_prepare(struct ppim_ctx *c, struct io_uring_sqe *sqe,
			  struct request *r)
{
	struct ppim_uring_cmd cmd = { .gnr = (uintptr_t)&r->gnr };

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, c->dev->fd, NULL, 0, 0);
	sqe->cmd_op = PPIM_URING_GNR;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	io_uring_sqe_set_data(sqe, r);
}

/* There is an entry for each request, so there always is one here. An error of
 * the submission leaves the entry in the ring: the next flush tries again. */
static int uring_start(struct ppim_ctx *c, struct request *r, bool more)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	if (!sqe)
		return -EAGAIN;
	uring_prepare(c, sqe, r);
	if (!more)
		uring_flush(c);
	return 0;
}

static void uring_drain(struct ppim_ctx *c)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	pthread_mutex_lock(&c->lock);
	io_uring_for_each_cqe(&c->ring, head, cqe) {
		ctx_finish(c, io_uring_cqe_get_data(cqe), cqe->res);
		n++;
	}
	io_uring_cq_advance(&c->ring, n);
	pthread_mutex_unlock(&c->lock);
}

static int uring_reap(struct ppim_ctx *c, int64_t timeout_ns)
{
	struct __kernel_timespec ts = { timeout_ns / SECOND_NS,
					timeout_ns % SECOND_NS };
	struct io_uring_cqe *cqe;
	int ret;

	if (timeout_ns < 0)
		ret = io_uring_wait_cqe(&c->ring, &cqe);
	else if (timeout_ns)
		ret = io_uring_wait_cqe_timeout(&c->ring, &cqe, &ts);
	else
		ret = io_uring_peek_cqe(&c->ring, &cqe);
	if (!ret)
		uring_drain(c);
	return ret == -ETIME || ret == -EAGAIN ? -ETIMEDOUT : ret;
}

const struct ctx_ops ctx_uring = {
	.init = uring_init,
	.exit = uring_exit,
	.start = uring_start,
	.flush = uring_flush,
	.reap = uring_reap,
};
