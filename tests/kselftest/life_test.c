// SPDX-License-Identifier: GPL-2.0-only
/* Processes that come, go and die: nobody loses or sees what is another's. */
#include <pthread.h>
#include <signal.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

#define NOBODY 65534

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(dev)
{
	struct ppim_ioc_info now;

	ASSERT_EQ(0, t_info(self->fd, &now));
	EXPECT_EQ(self->info.hbm_free, now.hbm_free);
	EXPECT_EQ(self->info.dimm_free, now.dimm_free);
	EXPECT_EQ(0, t_read_number(PPIM_T_CLASS "pinned_bytes"));
	close(self->fd);
}

/* A process with a file of its own that keeps batches in flight for ever. */
static void busy_process(const struct ppim_ioc_info *info, int ready)
{
	struct ppim_shape s = t_qr(20000, 32, 4);
	int fd = open(PPIM_T_DEV, O_RDWR);
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;
	uint64_t ticket;
	int i;

	if (fd < 0 || t_table_setup(fd, info, &t, &s, getpid()))
		_exit(1);
	t_batch_init(&b, &t, 16, 80, 1);
	if (write(ready, "x", 1) != 1)
		_exit(2);
	for (i = 0;; i++) {
		if (t_submit(fd, &b.job, 1, &ticket))
			_exit(3);
		if (i >= 8 && t_wait(fd, 0, -1, &r))
			_exit(4);
	}
}

static pid_t start_busy(const struct ppim_ioc_info *info)
{
	int ready[2];
	char c;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid)
		busy_process(info, ready[1]);
	if (read(ready[0], &c, 1) != 1)
		return -1;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

TEST_F(dev, kill_with_work_in_flight_gives_all_back)
{
	struct ppim_ioc_info now;
	int round, status;
	pid_t pid;

	for (round = 0; round < 10; round++) {
		pid = start_busy(&self->info);
		ASSERT_GT(pid, 0);
		usleep(1000 * (round * 7 % 30));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) TH_LOG("exit status %d", WEXITSTATUS(status));
		/* At once: what the process had is gone when it is gone. */
		ASSERT_EQ(0, t_info(self->fd, &now));
		EXPECT_EQ(self->info.hbm_free, now.hbm_free);
		EXPECT_EQ(self->info.dimm_free, now.dimm_free);
	}
}

TEST_F(dev, killed_neighbour_disturbs_nobody)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	int fd = open(PPIM_T_DEV, O_RDWR), i, status;
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;
	pid_t pid;

	ASSERT_EQ(0, t_table_setup(fd, &self->info, &t, &s, 71));
	t_batch_init(&b, &t, 4, 32, 72);
	pid = start_busy(&self->info);
	ASSERT_GT(pid, 0);
	for (i = 0; i < 40; i++) {
		if (i == 20)
			kill(pid, SIGKILL);
		memset(b.out, 0, 512);
		ASSERT_EQ(0, t_run(fd, &b.job, 1, PPIM_ARCH_BGPIM, &r));
		ASSERT_EQ(0, t_batch_wrong(&b));
	}
	waitpid(pid, &status, 0);
	t_batch_free(&b);
	t_table_free(&t);
	close(fd);
}

TEST_F(dev, close_with_hung_work_ends)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	int fd = open(PPIM_T_DEV, O_RDWR), i;
	struct t_table t;
	struct t_batch b;
	uint64_t ticket;
	double start;

	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT))
		SKIP(return, "the device has no fault injection or no abort");
	ASSERT_EQ(0, t_table_setup(fd, &self->info, &t, &s, 73));
	t_batch_init(&b, &t, 4, 32, 74);
	ASSERT_EQ(0, t_inject("hang 5"));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, t_submit(fd, &b.job, 1, &ticket));
	start = t_seconds();
	close(fd);
	EXPECT_LT(t_seconds() - start, 5);
	t_batch_free(&b);
	t_table_free(&t);
}

TEST_F(dev, handles_are_of_one_file)
{
	struct ppim_ioc_table_create c;
	struct ppim_ioc_table_info i = { .size = sizeof(i) };
	struct ppim_shape s = t_dense(16, 16);
	int a = open(PPIM_T_DEV, O_RDWR), b = open(PPIM_T_DEV, O_RDWR);
	struct ppim_ioc_extent e = { .rows = 16 };
	struct ppim_ioc_result r;
	struct ppim_ioc_job j = { .table = 1, .n_bags = 1, .index_bytes = 8 };
	float row[16];

	ASSERT_EQ(0, t_create(a, &s, "mine", &c));
	i.handle = c.handle;
	j.table = c.handle;
	EXPECT_EQ(-ENOENT, t_destroy(b, c.handle));
	EXPECT_EQ(-ENOENT, t_place_one(b, c.handle, 0, &e, 0));
	EXPECT_EQ(-ENOENT, t_prefetch(b, c.handle, 0, 1));
	EXPECT_EQ(-ENOENT, t_upload(b, c.handle, 0, 0, 1, row));
	EXPECT_EQ(-ENOENT, t_download(b, c.handle, 0, 0, 1, row));
	EXPECT_EQ(-ENOENT, t_call(b, PPIM_IOC_TABLE_INFO, &i));
	EXPECT_EQ(-ENOENT, t_run(b, &j, 1, PPIM_ARCH_BGPIM, &r));
	EXPECT_EQ(0, t_destroy(a, c.handle));
	close(a);
	close(b);
}

/* --- what others have --------------------------------------------------------------- */

struct seen {
	int uid;
	uint64_t id;	/* of a table of the parent's file */
};

static int lister(void *arg)
{
	struct seen *s = arg;
	struct ppim_ioc_table_info i = { .size = sizeof(i), .flags = PPIM_TABLE_INFO_NEXT };
	int fd = open(PPIM_T_DEV, O_RDWR), found = 0;

	if (fd < 0)
		return 100;
	if (setuid(s->uid))
		return 101;
	while (!t_call(fd, PPIM_IOC_TABLE_INFO, &i))
		found |= i.id == s->id && !i.handle && i.pid == getppid();
	return found;
}

TEST_F(dev, listing_of_others_is_privileged)
{
	int fd = open(PPIM_T_DEV, O_RDWR);
	struct ppim_ioc_table_create c;
	struct ppim_shape shape = t_dense(16, 16);
	struct seen s = { .uid = 0 };

	ASSERT_EQ(0, t_create(fd, &shape, "theirs", &c));
	s.id = c.id;
	EXPECT_EQ(1, t_child(lister, &s));
	s.uid = NOBODY;
	EXPECT_EQ(0, t_child(lister, &s));
	close(fd);
}

static int resetter(void *arg)
{
	struct ppim_ioc_reset r = { .size = sizeof(r) };
	int fd = open(PPIM_T_DEV, O_RDWR);

	if (setuid(NOBODY))
		return 101;
	return -t_call(fd, PPIM_IOC_RESET, &r);
}

TEST_F(dev, reset_is_privileged)
{
	EXPECT_EQ(EPERM, t_child(resetter, NULL));
}

/* --- one file, many threads ---------------------------------------------------------- */

struct shared {
	int fd;
	const struct ppim_ioc_info *info;
	struct t_table t;
	int wrong;
};

static void *run_many(void *arg)
{
	struct shared *s = arg;
	struct ppim_ioc_result r;
	struct t_batch b;
	int i;

	t_batch_init(&b, &s->t, 4, 32, 76);
	for (i = 0; i < 50; i++)
		if (t_run(s->fd, &b.job, 1, PPIM_ARCH_BGPIM, &r) || t_batch_wrong(&b))
			__atomic_add_fetch(&s->wrong, 1, __ATOMIC_RELAXED);
	t_batch_free(&b);
	return NULL;
}

TEST_F(dev, threads_share_a_file)
{
	struct ppim_shape shape = t_qr(4000, 32, 4);
	struct shared s = { .info = &self->info };
	pthread_t th[6];
	int i;

	s.fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_EQ(0, t_table_setup(s.fd, &self->info, &s.t, &shape, 75));
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, pthread_create(&th[i], NULL, run_many, &s));
	for (i = 0; i < 6; i++)
		pthread_join(th[i], NULL);
	EXPECT_EQ(0, s.wrong);
	t_table_free(&s.t);
	close(s.fd);
}

/* Every call on tables that come and go under it: no crash, no leak. */
static void *churn(void *arg)
{
	struct shared *s = arg;
	struct ppim_shape shape = t_dense(512, 16);
	struct ppim_ioc_table_create c;
	struct ppim_ioc_result r;
	float row[16];
	uint32_t i;

	for (i = 0; i < 150; i++) {
		int64_t idx = 3, off = 0;
		struct ppim_ioc_job j = { .n_indices = 1, .n_bags = 1, .index_bytes = 8,
					  .indices = t_buf(&idx, 8), .offsets = t_buf(&off, 8),
					  .output = t_buf(row, sizeof(row)) };

		if (t_create(s->fd, &shape, "churn", &c))
			__atomic_add_fetch(&s->wrong, 1, __ATOMIC_RELAXED);
		/* Another thread may be at any of these handles. */
		j.table = 1 + t_hash(i) % 16;
		t_place_slices(s->fd, s->info, j.table, 0, 512, i & 1);
		t_prefetch(s->fd, j.table, 0, 1);
		t_upload(s->fd, j.table, 0, 0, 1, row);
		t_run(s->fd, &j, 1, PPIM_ARCH_BGPIM, &r);
		t_destroy(s->fd, 1 + t_hash(i + 77) % 16);
		t_destroy(s->fd, c.handle);
	}
	return NULL;
}

TEST_F(dev, tables_come_and_go_under_use)
{
	struct shared s = { .info = &self->info };
	pthread_t th[4];
	int i;

	s.fd = open(PPIM_T_DEV, O_RDWR);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&th[i], NULL, churn, &s));
	for (i = 0; i < 4; i++)
		pthread_join(th[i], NULL);
	EXPECT_EQ(0, s.wrong);
	close(s.fd);
}

TEST_HARNESS_MAIN
