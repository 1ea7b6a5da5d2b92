// SPDX-License-Identifier: GPL-2.0-only
/* Asynchronous batches: tickets, waiting, poll. */
#include <poll.h>
#include <signal.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
};

FIXTURE_SETUP(dev)
{
	struct ppim_shape s = t_qr(4000, 32, 4);

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &s, 51));
	t_batch_init(&self->b, &self->t, 4, 32, 52);
}

FIXTURE_TEARDOWN(dev)
{
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

TEST_F(dev, ticket_is_waited_for_once)
{
	uint64_t ticket;

	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	ASSERT_EQ(0, t_wait(self->fd, ticket, -1, &self->r));
	EXPECT_EQ(ticket, self->r.ticket);
	EXPECT_EQ(0, self->r.error);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_EQ(-ENOENT, t_wait(self->fd, ticket, -1, &self->r));
	EXPECT_EQ(-ENOENT, t_wait(self->fd, ticket, 0, &self->r));
}

TEST_F(dev, failed_batch_is_taken_with_its_error)
{
	uint64_t ticket;

	self->b.idx[0] = 1ll << 40;
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	ASSERT_EQ(0, t_wait(self->fd, ticket, -1, &self->r));
	EXPECT_EQ(ERANGE, self->r.error);
	EXPECT_EQ(PPIM_ST_BAD_INDEX, self->r.status);
}

TEST_F(dev, any_takes_each_once)
{
	uint64_t tickets[20], sum = 0, got = 0;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &tickets[i]));
		sum += tickets[i];
	}
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, t_wait(self->fd, 0, -1, &self->r));
		got += self->r.ticket;
	}
	EXPECT_EQ(sum, got);
	EXPECT_EQ(-ENOENT, t_wait(self->fd, 0, -1, &self->r));
}

TEST_F(dev, nothing_to_wait_for)
{
	EXPECT_EQ(-ENOENT, t_wait(self->fd, 0, -1, &self->r));
	EXPECT_EQ(-ENOENT, t_wait(self->fd, 0, 0, &self->r));
	EXPECT_EQ(-ENOENT, t_wait(self->fd, 12345, -1, &self->r));
	EXPECT_EQ(-ENOENT, t_wait(self->fd, UINT64_MAX, -1, &self->r));
	EXPECT_EQ(-EINVAL, t_wait(self->fd, 0, -2, &self->r));
}

TEST_F(dev, poll_tells_when_a_result_waits)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	uint64_t ticket;

	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	EXPECT_EQ(1, poll(&p, 1, 10000));
	EXPECT_EQ(POLLIN, p.revents & (POLLIN | POLLERR | POLLHUP));
	EXPECT_EQ(0, t_wait(self->fd, ticket, 0, &self->r));
	EXPECT_EQ(0, poll(&p, 1, 0));
}

TEST_F(dev, another_files_ticket_is_unknown)
{
	int other = open(PPIM_T_DEV, O_RDWR);
	uint64_t ticket;

	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	EXPECT_EQ(-ENOENT, t_wait(other, ticket, -1, &self->r));
	EXPECT_EQ(-ENOENT, t_wait(other, 0, -1, &self->r));
	EXPECT_EQ(0, t_wait(self->fd, ticket, -1, &self->r));
	close(other);
}

#define NEED_INJECT()								\
	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT)) \
		SKIP(return, "the device has no fault injection or no abort")

TEST_F(dev, timeout_leaves_the_work_going)
{
	uint64_t ticket;
	double start;

	NEED_INJECT();
	ASSERT_EQ(0, t_inject("hang 1"));
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	EXPECT_EQ(-ETIMEDOUT, t_wait(self->fd, ticket, 0, &self->r));
	start = t_seconds();
	EXPECT_EQ(-ETIMEDOUT, t_wait(self->fd, ticket, 200000000, &self->r));
	EXPECT_GE(t_seconds() - start, 0.19);
	EXPECT_EQ(-ETIMEDOUT, t_wait(self->fd, 0, 1, &self->r));
	EXPECT_EQ(-EBUSY, t_destroy(self->fd, self->t.handle));
}

static void on_alarm(int sig)
{
}

static int sleeper(void *arg)
{
	struct _test_data_dev *self = arg;
	struct ppim_ioc_result r;

	return -t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &r);
}

/* Waiting is killable: a batch that hangs does not hold its process. */
TEST_F(dev, waiter_can_be_killed)
{
	double start = t_seconds();
	int status, i;
	pid_t pid;

	NEED_INJECT();
	ASSERT_EQ(0, t_inject("hang 1"));
	pid = fork();
	if (!pid)
		_exit(sleeper(self));
	usleep(300000);
	ASSERT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(t_seconds() - start, 5);
	/* The orphan is aborted; then nothing holds the table. */
	for (i = 0; i < 500 && t_destroy(self->fd, self->t.handle) == -EBUSY; i++)
		usleep(10000);
	EXPECT_LT(i, 500);
}

/* A handled signal neither ends nor breaks the wait. */
TEST_F(dev, handled_signals_are_waited_through)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t ticket;
	int i;

	sigaction(SIGALRM, &sa, NULL);
	for (i = 0; i < 20; i++) {
		ualarm(500, 0);
		ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
		ASSERT_EQ(0, t_wait(self->fd, ticket, -1, &self->r));
		EXPECT_EQ(0, self->r.error);
	}
}

TEST_F(dev, full_queue_is_told_to_who_will_not_wait)
{
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, NULL);
	struct ppim_ioc_reset reset = { .size = sizeof(reset) };
	uint32_t i;

	NEED_INJECT();
	ASSERT_EQ(0, t_inject("hang 1000"));
	g.queue = 0;
	g.flags = PPIM_GNR_NONBLOCK;
	for (i = 0; i < self->info.queue_entries - 1; i++)
		ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_GNR, &g));
	EXPECT_EQ(-EAGAIN, t_call(self->fd, PPIM_IOC_GNR, &g));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_RESET, &reset));
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_GNR, &g));
}

TEST_F(dev, results_nobody_takes_are_bounded)
{
	uint64_t ticket;
	int i, ret = 0;

	for (i = 0; !ret && i < 5000; i++)
		ret = t_submit(self->fd, &self->b.job, 1, &ticket);
	EXPECT_EQ(-EBUSY, ret);
	EXPECT_EQ(4097, i);
	ASSERT_EQ(0, t_wait(self->fd, 0, -1, &self->r));
	EXPECT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
}

TEST_HARNESS_MAIN
