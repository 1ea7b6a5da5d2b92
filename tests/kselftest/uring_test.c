// SPDX-License-Identifier: GPL-2.0-only
/* Batches by io_uring commands: the same answers and the same errors. */
#include <liburing.h>
#include <pthread.h>
#include <signal.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

#define DEPTH 128

FIXTURE(ring) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
	struct io_uring ring;
};

FIXTURE_VARIANT(ring) {
	unsigned int flags;
	int async;
};

FIXTURE_VARIANT_ADD(ring, plain) {};
FIXTURE_VARIANT_ADD(ring, deferred) {
	.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
FIXTURE_VARIANT_ADD(ring, sqpoll) { .flags = IORING_SETUP_SQPOLL };
FIXTURE_VARIANT_ADD(ring, by_workers) { .async = 1 };

FIXTURE_SETUP(ring)
{
	struct ppim_shape s = t_qr(4000, 32, 4);

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &s, 41));
	t_batch_init(&self->b, &self->t, 4, 32, 42);
	ASSERT_EQ(0, io_uring_queue_init(DEPTH, &self->ring, variant->flags));
}

FIXTURE_TEARDOWN(ring)
{
	io_uring_queue_exit(&self->ring);
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

static struct io_uring_sqe *queue_gnr(struct io_uring *ring, int fd, struct ppim_ioc_gnr *g,
				      uint64_t data, int async)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct ppim_uring_cmd cmd = { .gnr = t_ptr(g) };

	if (!sqe)
		return NULL;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = PPIM_URING_GNR;
	sqe->user_data = data;
	if (async)
		sqe->flags |= IOSQE_ASYNC;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	return sqe;
}

static int complete_one(struct io_uring *ring, uint64_t *data)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_wait_cqe(ring, &cqe);

	if (ret)
		return ret;
	ret = cqe->res;
	if (data)
		*data = cqe->user_data;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

static int run_gnr(struct io_uring *ring, int fd, struct ppim_ioc_gnr *g, int async)
{
	int ret;

	queue_gnr(ring, fd, g, 1, async);
	ret = io_uring_submit(ring);
	return ret < 0 ? ret : complete_one(ring, NULL);
}

TEST_F(ring, same_answer_as_the_ioctl)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);

	memset(&self->r, 0xa5, sizeof(self->r));
	ASSERT_EQ(0, run_gnr(&self->ring, self->fd, &g, variant->async));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_EQ(PPIM_ST_OK, self->r.status);
	EXPECT_EQ(0, self->r.error);
	EXPECT_EQ(128, self->r.annotation.lookups);
}

TEST_F(ring, same_errors_as_the_ioctl)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);
	struct ppim_ioc_gnr bad;

	self->b.idx[40] = -5;
	EXPECT_EQ(-ERANGE, run_gnr(&self->ring, self->fd, &g, variant->async));
	EXPECT_EQ(PPIM_ST_BAD_INDEX, self->r.status);
	EXPECT_EQ(1, self->r.bag);
	self->b.idx[40] = 0;
	bad = g;
	bad.size = 8;
	EXPECT_EQ(-EINVAL, run_gnr(&self->ring, self->fd, &bad, variant->async));
	bad = g;
	bad.flags = 1u << 9;
	EXPECT_EQ(-EINVAL, run_gnr(&self->ring, self->fd, &bad, variant->async));
	bad = g;
	bad.flags = PPIM_GNR_WAIT;
	EXPECT_EQ(-EINVAL, run_gnr(&self->ring, self->fd, &bad, variant->async));
	bad = g;
	bad.n_jobs = UINT32_MAX;
	EXPECT_EQ(-E2BIG, run_gnr(&self->ring, self->fd, &bad, variant->async));
	bad = g;
	bad.jobs = 0x1000;
	EXPECT_EQ(-EFAULT, run_gnr(&self->ring, self->fd, &bad, variant->async));
	bad = g;
	bad.result = 0x1000;
	EXPECT_EQ(-EFAULT, run_gnr(&self->ring, self->fd, &bad, variant->async));
	EXPECT_EQ(-EFAULT, run_gnr(&self->ring, self->fd, (void *)0x1000, variant->async));
	EXPECT_EQ(0, run_gnr(&self->ring, self->fd, &g, variant->async));
}

TEST_F(ring, unknown_commands_are_refused)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);
	struct io_uring_sqe *sqe = queue_gnr(&self->ring, self->fd, &g, 1, variant->async);

	sqe->cmd_op = PPIM_IOC_GNR;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(-ENOTTY, complete_one(&self->ring, NULL));
	sqe = queue_gnr(&self->ring, self->fd, &g, 1, variant->async);
	sqe->cmd[8] = 1;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(-EINVAL, complete_one(&self->ring, NULL));
}

/* More than the queues have slots: what does not fit waits its turn. */
TEST_F(ring, many_in_flight)
{
	struct ppim_ioc_gnr g[DEPTH];
	struct ppim_ioc_result r[DEPTH];
	struct t_batch b[DEPTH];
	uint8_t seen[DEPTH] = { 0 };
	uint64_t data;
	uint32_t i;

	for (i = 0; i < DEPTH; i++) {
		t_batch_init(&b[i], &self->t, 4, 16, 1000 + i);
		g[i] = t_gnr(&b[i].job, 1, &r[i]);
		ASSERT_NE(NULL, queue_gnr(&self->ring, self->fd, &g[i], i, variant->async));
	}
	ASSERT_EQ(DEPTH, io_uring_submit(&self->ring));
	for (i = 0; i < DEPTH; i++) {
		ASSERT_EQ(0, complete_one(&self->ring, &data));
		ASSERT_LT(data, DEPTH);
		seen[data]++;
	}
	for (i = 0; i < DEPTH; i++) {
		EXPECT_EQ(1, seen[i]);
		EXPECT_EQ(0, t_batch_wrong(&b[i])) TH_LOG("batch %u", i);
		t_batch_free(&b[i]);
	}
}

/* The ring goes while commands are in flight; the driver gives all back. */
TEST_F(ring, closed_ring_cancels)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, NULL);
	struct io_uring ring;
	int round, i;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, io_uring_queue_init(64, &ring, variant->flags));
		for (i = 0; i < 64; i++)
			ASSERT_NE(NULL, queue_gnr(&ring, self->fd, &g, i, variant->async));
		ASSERT_EQ(64, io_uring_submit(&ring));
		io_uring_queue_exit(&ring);
	}
	/* The table is free once the last command is done. */
	for (i = 0; i < 500 && t_destroy(self->fd, self->t.handle) == -EBUSY; i++)
		usleep(10000);
	EXPECT_LT(i, 500);
}

static int exit_with_ring(void *arg)
{
	struct _test_data_ring *self = arg;
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);
	struct io_uring ring;
	int i;

	if (io_uring_queue_init(64, &ring, 0))
		return 1;
	for (i = 0; i < 64; i++)
		queue_gnr(&ring, self->fd, &g, i, 0);
	return io_uring_submit(&ring) == 64 ? 0 : 2;
}

TEST_F(ring, exiting_process_cancels)
{
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, t_child(exit_with_ring, self));
	for (i = 0; i < 500 && t_destroy(self->fd, self->t.handle) == -EBUSY; i++)
		usleep(10000);
	EXPECT_LT(i, 500);
}

/* A hung batch is ended by cancelling its command, not by the timeout. */
TEST_F(ring, hung_command_can_be_cancelled)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);
	struct io_uring ring;
	double start = t_seconds();
	int i;

	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT))
		SKIP(return, "the device has no fault injection or no abort");
	ASSERT_EQ(0, t_inject("hang 1"));
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, variant->flags));
	ASSERT_NE(NULL, queue_gnr(&ring, self->fd, &g, 1, variant->async));
	ASSERT_EQ(1, io_uring_submit(&ring));
	usleep(100000);
	io_uring_queue_exit(&ring);
	for (i = 0; i < 1000 && t_destroy(self->fd, self->t.handle) == -EBUSY; i++)
		usleep(10000);
	EXPECT_LT(i, 1000);
	EXPECT_LT(t_seconds() - start, 10);
}

TEST_F(ring, nonblocking_batches_are_told_when_full)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, NULL);
	uint32_t i, n = 0, again = 0;

	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT))
		SKIP(return, "the device has no fault injection or no abort");
	ASSERT_EQ(0, t_inject("hang 1000"));
	g.queue = 0;
	g.flags = PPIM_GNR_NONBLOCK;
	for (i = 0; i < self->info.queue_entries + 4; i++) {
		ASSERT_NE(NULL, queue_gnr(&self->ring, self->fd, &g, i, variant->async));
		n++;
	}
	ASSERT_EQ(n, io_uring_submit(&self->ring));
	/* Entries - 1 slots: five commands at least find none. */
	while (again < 5) {
		ASSERT_EQ(-EAGAIN, complete_one(&self->ring, NULL));
		again++;
	}
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_RESET,
			    &(struct ppim_ioc_reset){ .size = sizeof(struct ppim_ioc_reset) }));
	for (i = 0; i < n - again; i++)
		EXPECT_EQ(-ECANCELED, complete_one(&self->ring, NULL));
}

TEST_HARNESS_MAIN
