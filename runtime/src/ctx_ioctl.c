// SPDX-License-Identifier: MIT
/*
 * Batches by ioctl and ticket, where io_uring is not to be had. Each context
 * waits for tickets of its own: results of other contexts, which share the open
 * file, are not touched.
 */
#include <errno.h>
#include "ctx.h"

/* While the oldest batch is waited for, a younger one may end before it; that
 * often the others are looked at. */
#define LOOK_NS 10000000ll

static int ioctl_init(struct ppim_ctx *c)
{
	(void)c;
	return 0;
}

static void ioctl_exit(struct ppim_ctx *c)
{
	(void)c;
}

/* Errors but a full queue end the request, as they do by io_uring. */
static int ioctl_start(struct ppim_ctx *c, struct request *r, bool more)
{
	int ret;

	(void)more;
	r->gnr.flags = PPIM_GNR_NONBLOCK;
	ret = dev_call(c->dev, PPIM_IOC_GNR, &r->gnr);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		ctx_finish(c, r, ret);
	else
		list_add(&c->queue, r);
	return 0;
}

/* 0, -ETIMEDOUT, or an error that ends the request. */
static int ticket_wait(struct ppim_ctx *c, struct request *r,
		       int64_t timeout_ns)
{
	struct ppim_ioc_wait w = { .size = sizeof(w),
				   .ticket = r->gnr.ticket,
				   .timeout_ns = timeout_ns };
	int ret = dev_call(c->dev, PPIM_IOC_WAIT, &w);

	if (ret == -ETIMEDOUT || ret == -EINTR)
		return -ETIMEDOUT;
	if (!ret)
		r->result = w.result;
	pthread_mutex_lock(&c->lock);
	list_remove(&c->queue, r);
	ctx_finish(c, r, ret ? ret : -(int)r->result.error);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* Only the reaper takes requests out, and new ones come at the end: the list
 * can be walked with the lock held for the steps alone. */
static struct request *queue_next(struct ppim_ctx *c, struct request *r)
{
	pthread_mutex_lock(&c->lock);
	r = r ? r->next : c->queue.head;
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* Takes what has ended: how many. */
static int queue_sweep(struct ppim_ctx *c)
{
	struct request *r, *next;
	int n = 0;

	for (r = queue_next(c, NULL); r; r = next) {
		next = queue_next(c, r);
		n += !ticket_wait(c, r, 0);
	}
	return n;
}

static int ioctl_reap(struct ppim_ctx *c, int64_t timeout_ns)
{
	int64_t slice = timeout_ns < 0 || timeout_ns > LOOK_NS ? LOOK_NS :
								 timeout_ns;
	struct request *oldest;

	if (queue_sweep(c) || !timeout_ns)
		return 0;
	oldest = queue_next(c, NULL);
	return oldest ? ticket_wait(c, oldest, slice) : 0;
}

const struct ctx_ops ctx_ioctl = {
	.init = ioctl_init,
	.exit = ioctl_exit,
	.start = ioctl_start,
	.reap = ioctl_reap,
};
