// SPDX-License-Identifier: MIT
/* Batches on the CPU path: a thread of the context runs them in order. */
#include <errno.h>
#include "ctx.h"

static void request_run(struct ppim_ctx *c, struct request *r)
{
	int ret;

	pthread_mutex_unlock(&c->lock);
	ret = dev_call(c->dev, PPIM_IOC_GNR, &r->gnr);
	host_release(c->dev->host, r->jobs, r->held);
	pthread_mutex_lock(&c->lock);
	ctx_finish(c, r, ret);
}

static void *host_thread(void *arg)
{
	struct ppim_ctx *c = arg;
	struct request *r;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		r = list_take(&c->queue);
		if (r)
			request_run(c, r);
		else if (c->stop)
			break;
		else
			pthread_cond_wait(&c->work, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static int host_init(struct ppim_ctx *c)
{
	return -pthread_create(&c->thread, NULL, host_thread, c);
}

static void host_exit(struct ppim_ctx *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
}

static int host_start(struct ppim_ctx *c, struct request *r, bool more)
{
	(void)more;
	r->gnr.flags = PPIM_GNR_WAIT;
	r->held = host_hold(c->dev->host, r->jobs, r->gnr.n_jobs);
	list_add(&c->queue, r);
	pthread_cond_signal(&c->work);
	return 0;
}

const struct ctx_ops ctx_host = {
	.init = host_init,
	.exit = host_exit,
	.start = host_start,
};
