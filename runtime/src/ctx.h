/* SPDX-License-Identifier: MIT */
/*
 * Submission contexts. What is the same for all is in ctx.c: requests, the list
 * of completions, waiting. How a batch gets to its device and back is a
 * struct ctx_ops: io_uring, ioctls with tickets, or a thread of this process.
 */
#ifndef PPIM_CTX_H
#define PPIM_CTX_H

#include <liburing.h>
#include "ppim_int.h"

/* A batch in flight. What the driver reads or writes lives here, so that the
 * caller's structures may go when ppim_submit() returns. */
struct request {
	struct request *next; /* in a list of the context */
	struct ppim_ioc_gnr gnr;
	struct ppim_ioc_result result;
	struct ppim_ioc_job *jobs;
	uint32_t jobs_cap;
	uint32_t held; /* tables (host) */
	uint64_t user_data;
	int res;
};

struct list {
	struct request *head, **tail;
};

struct ctx_ops {
	int (*init)(struct ppim_ctx *c);
	void (*exit)(struct ppim_ctx *c);
	/* Hands a request over, c->lock held. more: it may wait for flush. An
	 * error means that it was not taken. */
	int (*start)(struct ppim_ctx *c, struct request *r, bool more);
	int (*flush)(struct ppim_ctx *c);
	/*
	 * Waits for completions of started requests, at most timeout_ns (< 0:
	 * no limit), and finishes them by ctx_finish(). One thread at a time,
	 * without c->lock. NULL: they are finished without being asked for.
	 */
	int (*reap)(struct ppim_ctx *c, int64_t timeout_ns);
};

struct ppim_ctx {
	struct ppim_dev *dev;
	const struct ctx_ops *ops;
	uint32_t entries;
	struct request *requests;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed; /* done grew, or the reaper left */
	struct list free, done;
	uint32_t n_started; /* started and not finished */
	uint32_t n_done;
	bool reaping;

	struct io_uring ring; /* uring */
	struct list queue; /* ioctl: started; host: waiting for the thread */
	pthread_t thread; /* host */
	pthread_cond_t work;
	bool stop;
};

extern const struct ctx_ops ctx_uring, ctx_ioctl, ctx_host;

void list_init(struct list *l);
void list_add(struct list *l, struct request *r);
struct request *list_take(struct list *l);
void list_remove(struct list *l, struct request *r);

/* c->lock held. The result is in r->result; res as the uapi has it. */
void ctx_finish(struct ppim_ctx *c, struct request *r, int res);

/* CLOCK_MONOTONIC */
int64_t ctx_now_ns(void);

#endif
