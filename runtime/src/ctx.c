// SPDX-License-Identifier: MIT
/* Batches: submission, completion, and the synchronous call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctx.h"

#define ENTRIES_MAX 4096u
#define SECOND_NS 1000000000ll
/* Tables of a batch whose descriptions go on the stack. */
#define JOBS_SMALL 32

void list_init(struct list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

void list_add(struct list *l, struct request *r)
{
	r->next = NULL;
	*l->tail = r;
	l->tail = &r->next;
}

struct request *list_take(struct list *l)
{
	struct request *r = l->head;

	if (!r)
		return NULL;
	l->head = r->next;
	if (!l->head)
		l->tail = &l->head;
	return r;
}

void list_remove(struct list *l, struct request *r)
{
	struct request **at;

	for (at = &l->head; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	if (l->tail == &r->next)
		l->tail = at;
}

int64_t ctx_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* ---- a context's life -------------------------------------------------------- */

static const struct ctx_ops *ctx_choose(const struct ppim_dev *dev)
{
	if (dev->host)
		return &ctx_host;
	return dev->uring ? &ctx_uring : &ctx_ioctl;
}

static void ctx_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static void ctx_release(struct ppim_ctx *c)
{
	uint32_t i;

	for (i = 0; i < c->entries; i++)
		free(c->requests[i].jobs);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->requests);
	free(c);
}

static struct ppim_ctx *ctx_new(struct ppim_dev *dev, uint32_t entries)
{
	struct ppim_ctx *c = calloc(1, sizeof(*c));
	uint32_t i;

	if (!c)
		return NULL;
	c->requests = calloc(entries, sizeof(*c->requests));
	if (!c->requests) {
		free(c);
		return NULL;
	}
	c->dev = dev;
	c->ops = ctx_choose(dev);
	c->entries = entries;
	pthread_mutex_init(&c->lock, NULL);
	ctx_cond_init(&c->changed);
	ctx_cond_init(&c->work);
	list_init(&c->free);
	list_init(&c->done);
	list_init(&c->queue);
	for (i = 0; i < entries; i++)
		list_add(&c->free, &c->requests[i]);
	return c;
}

int ppim_ctx_create(struct ppim_dev *dev, uint32_t entries,
		    struct ppim_ctx **ctx)
{
	struct ppim_ctx *c;
	int ret;

	if (!entries || entries > ENTRIES_MAX)
		return -EINVAL;
	c = ctx_new(dev, entries);
	if (!c)
		return -ENOMEM;
	ret = c->ops->init(c);
	if (ret)
		ctx_release(c);
	else
		*ctx = c;
	return ret;
}

void ppim_ctx_free(struct ppim_ctx *c)
{
	struct ppim_completion drop[16];
	int ret;

	if (!c)
		return;
	do {
		ret = ppim_wait(c, drop, ARRAY_SIZE(drop), -1);
	} while (ret > 0);
	c->ops->exit(c);
	ctx_release(c);
}

/* ---- submission ------------------------------------------------------------------ */

static void gnr_fill(struct ppim_ioc_gnr *to, const struct ppim_gnr *g,
		     const struct ppim_ioc_job *jobs,
		     const struct ppim_ioc_result *result, uint32_t flags)
{
	*to = (struct ppim_ioc_gnr){
		.size = sizeof(*to),
		.flags = flags,
		.jobs = (uintptr_t)jobs,
		.n_jobs = g->n_tables,
		.arch = g->arch,
		.queue = g->queue ? g->queue - 1 : PPIM_QUEUE_ANY,
		.result = (uintptr_t)result,
	};
}

static int request_fill(struct ppim_ctx *c, struct request *r,
			const struct ppim_gnr *g, uint64_t user_data)
{
	struct ppim_ioc_job *jobs;

	if (g->n_tables > r->jobs_cap) {
		jobs = realloc(r->jobs, g->n_tables * sizeof(*jobs));
		if (!jobs)
			return -ENOMEM;
		r->jobs = jobs;
		r->jobs_cap = g->n_tables;
	}
	memset(&r->result, 0, sizeof(r->result));
	r->user_data = user_data;
	gnr_fill(&r->gnr, g, r->jobs, &r->result, 0);
	return bags_jobs(c->dev, g, r->jobs, NULL);
}

static int ctx_submit(struct ppim_ctx *c, const struct ppim_gnr *g,
		      uint64_t user_data, bool more)
{
	struct request *r;
	int ret;

	if (gnr_fault(g))
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	r = list_take(&c->free);
	ret = r ? request_fill(c, r, g, user_data) : -EAGAIN;
	if (!ret) {
		c->n_started++;
		ret = c->ops->start(c, r, more);
		c->n_started -= !!ret;
	}
	if (ret && r)
		list_add(&c->free, r);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

int ppim_submit(struct ppim_ctx *c, const struct ppim_gnr *gnr,
		uint64_t user_data)
{
	return ctx_submit(c, gnr, user_data, false);
}

int ppim_submit_more(struct ppim_ctx *c, const struct ppim_gnr *gnr,
		     uint64_t user_data)
{
	return ctx_submit(c, gnr, user_data, true);
}

static int ctx_flush(struct ppim_ctx *c)
{
	return c->ops->flush ? c->ops->flush(c) : 0;
}

int ppim_flush(struct ppim_ctx *c)
{
	int ret;

	pthread_mutex_lock(&c->lock);
	ret = ctx_flush(c);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/* ---- completion --------------------------------------------------------------------- */

void ctx_finish(struct ppim_ctx *c, struct request *r, int res)
{
	r->res = res;
	/* refused before there was a result */
	if (res && !r->result.error)
		r->result.error = (uint32_t)-res;
	c->n_started--;
	c->n_done++;
	list_add(&c->done, r);
	pthread_cond_broadcast(&c->changed);
}

static int done_take(struct ppim_ctx *c, struct ppim_completion *out,
		     uint32_t max)
{
	struct request *r;
	uint32_t n;

	for (n = 0; n < max; n++) {
		r = list_take(&c->done);
		if (!r)
			break;
		out[n] = (struct ppim_completion){ .user_data = r->user_data,
						   .res = r->res,
						   .result = r->result };
		list_add(&c->free, r);
		c->n_done--;
	}
	return (int)n;
}

/* One thread asks the device, the others wait to be told. */
static int ctx_reap(struct ppim_ctx *c, int64_t timeout_ns)
{
	int ret;

	c->reaping = true;
	pthread_mutex_unlock(&c->lock);
	ret = c->ops->reap(c, timeout_ns);
	pthread_mutex_lock(&c->lock);
	c->reaping = false;
	pthread_cond_broadcast(&c->changed);
	return ret == -ETIMEDOUT || ret == -EINTR ? 0 : ret;
}

static void ctx_sleep(struct ppim_ctx *c, int64_t deadline)
{
	struct timespec t = { deadline / SECOND_NS, deadline % SECOND_NS };

	if (deadline < 0)
		pthread_cond_wait(&c->changed, &c->lock);
	else
		pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

int ppim_poll(struct ppim_ctx *c, struct ppim_completion *out, uint32_t max)
{
	int ret;

	if (!max)
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	ret = ctx_flush(c);
	if (!ret && !c->done.head && c->n_started && c->ops->reap &&
	    !c->reaping)
		ret = ctx_reap(c, 0);
	if (!ret || c->done.head)
		ret = done_take(c, out, max);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/* c->lock held: 0 when something is done. */
static int ctx_await(struct ppim_ctx *c, int64_t deadline)
{
	int64_t left = -1;
	int ret = ctx_flush(c);

	while (!ret && !c->done.head) {
		if (!c->n_started)
			return -ENOENT;
		if (deadline >= 0) {
			left = deadline - ctx_now_ns();
			if (left <= 0)
				return -ETIMEDOUT;
		}
		if (c->ops->reap && !c->reaping)
			ret = ctx_reap(c, left);
		else
			ctx_sleep(c, deadline);
	}
	return c->done.head ? 0 : ret;
}

int ppim_wait(struct ppim_ctx *c, struct ppim_completion *out, uint32_t max,
	      int64_t timeout_ns)
{
	int64_t now = ctx_now_ns(), deadline = -1;
	int ret;

	if (!max)
		return -EINVAL;
	if (timeout_ns >= 0)
		deadline = timeout_ns > INT64_MAX - now ? INT64_MAX :
							  now + timeout_ns;
	pthread_mutex_lock(&c->lock);
	ret = ctx_await(c, deadline);
	if (!ret)
		ret = done_take(c, out, max);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

uint32_t ppim_inflight(struct ppim_ctx *c)
{
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	n = c->n_started + c->n_done;
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* ---- synchronous ----------------------------------------------------------------------- */

static int gnr_run(struct ppim_dev *dev, const struct ppim_gnr *gnr,
		   struct ppim_ioc_job *jobs, struct ppim_ioc_result *result)
{
	struct ppim_ioc_gnr arg;
	int ret;

	ret = bags_jobs(dev, gnr, jobs, result);
	if (ret)
		return ret;
	gnr_fill(&arg, gnr, jobs, result, PPIM_GNR_WAIT);
	ret = dev_call(dev, PPIM_IOC_GNR, &arg);
	if (ret && !result->error)
		result->error = (uint32_t)-ret;
	return ret;
}

int ppim_gnr(struct ppim_dev *dev, const struct ppim_gnr *gnr,
	     struct ppim_ioc_result *result)
{
	struct ppim_ioc_job small[JOBS_SMALL], *jobs = small;
	struct ppim_ioc_result own;
	int ret;

	if (!result)
		result = &own;
	memset(result, 0, sizeof(*result));
	if (gnr_fault(gnr))
		return result_fail(result, PPIM_ST_BAD_FIELD, EINVAL, 0, 0);
	if (gnr->n_tables > JOBS_SMALL)
		jobs = malloc(gnr->n_tables * sizeof(*jobs));
	if (!jobs)
		return result_fail(result, PPIM_ST_INTERNAL, ENOMEM, 0, 0);
	ret = gnr_run(dev, gnr, jobs, result);
	if (jobs != small)
		free(jobs);
	return ret;
}
