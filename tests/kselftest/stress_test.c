// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: processes that create, place, upload, run and destroy at
 * random, some of them killed, while the device is reset under them. Every
 * answer that is given is right, and in the end nothing is left.
 */
#include <signal.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

#define PROCESSES 6
#define SECONDS 6

struct worker {
	int fd;
	struct ppim_ioc_info info;
	uint64_t seed, step;
	struct t_table tables[4];
	int alive[4];
};

static uint32_t draw(struct worker *w, uint32_t n)
{
	return t_hash(w->seed << 32 | w->step++) % n;
}

static void drop(struct worker *w, uint32_t i)
{
	if (!w->alive[i])
		return;
	t_destroy(w->fd, w->tables[i].handle);
	t_table_free(&w->tables[i]);
	w->alive[i] = 0;
}

/* What a reset or a neighbour may cause is no failure of ours. */
static int excused(int ret)
{
	return ret == -ECANCELED || ret == -ENOSPC || ret == -EBUSY;
}

static int renew(struct worker *w, uint32_t i)
{
	struct ppim_shape shapes[] = { t_dense(500 + draw(w, 3000), 16),
				       t_qr(2000 + draw(w, 9000), 32, 4), t_tt(8 + draw(w, 8), 8) };
	int ret;

	drop(w, i);
	w->alive[i] = 1;
	ret = t_table_setup(w->fd, &w->info, &w->tables[i], &shapes[draw(w, 3)], w->seed + i);
	if (ret)
		drop(w, i);
	return ret && !excused(ret) ? 10 : 0;
}

static int run(struct worker *w, uint32_t i)
{
	struct ppim_ioc_result r;
	struct t_batch b;
	int ret, bad = 0;

	if (!w->alive[i])
		return 0;
	t_batch_init(&b, &w->tables[i], 1 + draw(w, 8), 1 + draw(w, 60), draw(w, 1000));
	if (draw(w, 4) == 0)
		b.idx[draw(w, b.n)] = -1;
	ret = t_run(w->fd, &b.job, 1, PPIM_ARCH_BGPIM, &r);
	if (!ret)
		bad = t_batch_wrong(&b) ? 20 : 0;
	else if (ret != -ERANGE && !excused(ret))
		bad = 21;
	t_batch_free(&b);
	return bad;
}

static int run_async(struct worker *w, uint32_t i)
{
	struct ppim_ioc_result r;
	struct t_batch b;
	uint64_t ticket;
	int ret, k, n = 0, bad = 0;

	if (!w->alive[i])
		return 0;
	t_batch_init(&b, &w->tables[i], 4, 20, draw(w, 1000));
	for (k = 0; k < 10; k++) {
		ret = t_submit(w->fd, &b.job, 1, &ticket);
		if (!ret)
			n++;
		else if (!excused(ret))
			bad = 30;
	}
	while (n--) {
		ret = t_wait(w->fd, 0, -1, &r);
		if (ret || (r.error && !excused(-(int)r.error)))
			bad = 31;
	}
	t_batch_free(&b);
	return bad;
}

static int copy(struct worker *w, uint32_t i)
{
	struct t_table *t = &w->tables[i];
	uint32_t sub;
	float *got;
	int ret, bad = 0;

	if (!w->alive[i])
		return 0;
	sub = draw(w, t->n_subs);
	got = malloc(t->rows[sub] * t->elems[sub] * sizeof(float));
	ret = t_download(w->fd, t->handle, sub, 0, t->rows[sub], got);
	if (ret)
		bad = 40;
	else if (memcmp(got, t->data[sub], t->rows[sub] * t->elems[sub] * sizeof(float)))
		bad = 41;
	free(got);
	return bad;
}

static int walk(struct worker *w)
{
	struct ppim_ioc_table_info i = { .size = sizeof(i), .flags = PPIM_TABLE_INFO_NEXT };
	struct ppim_ioc_stats s = { .size = sizeof(s) };
	int ret;

	while (!(ret = t_call(w->fd, PPIM_IOC_TABLE_INFO, &i)))
		;
	if (ret != -ENOENT)
		return 50;
	ret = t_call(w->fd, PPIM_IOC_STATS, &s);
	return ret && !excused(ret) ? 51 : 0;
}

static int worker(uint64_t seed)
{
	struct worker w = { .fd = open(PPIM_T_DEV, O_RDWR), .seed = seed };
	double end = t_seconds() + SECONDS;
	int bad = 0;

	if (w.fd < 0 || t_info(w.fd, &w.info))
		return 1;
	while (!bad && t_seconds() < end) {
		uint32_t i = draw(&w, 4);

		switch (draw(&w, 10)) {
		case 0:
		case 1:
			bad = renew(&w, i);
			break;
		case 2:
			drop(&w, i);
			break;
		case 3:
			bad = copy(&w, i);
			break;
		case 4:
			bad = walk(&w);
			break;
		case 5:
			bad = run_async(&w, i);
			break;
		default:
			bad = run(&w, i);
		}
	}
	return bad;
}

TEST(random_processes_and_resets)
{
	struct ppim_ioc_reset reset = { .size = sizeof(reset) };
	int fd = open(PPIM_T_DEV, O_RDWR), status, i, killed = 0;
	struct ppim_ioc_info before, after;
	double end = t_seconds() + SECONDS;
	pid_t pid[PROCESSES];
	uint64_t seed = 1;

	ASSERT_EQ(0, t_info(fd, &before));
	for (i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(worker(seed + i));
	}
	/* The last two are killed and replaced again and again. */
	for (seed = 100; t_seconds() < end; seed++) {
		usleep(150000);
		EXPECT_EQ(0, t_call(fd, PPIM_IOC_RESET, &reset));
		i = PROCESSES - 1 - seed % 2;
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status)) TH_LOG("status %x", status);
		killed++;
		pid[i] = fork();
		if (!pid[i])
			_exit(worker(seed));
	}
	for (i = 0; i < PROCESSES; i++) {
		if (i >= PROCESSES - 2)
			kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		if (i < PROCESSES - 2)
			EXPECT_EQ(0, status) TH_LOG("worker %d: %d", i, WEXITSTATUS(status));
	}
	EXPECT_GT(killed, 5);
	ASSERT_EQ(0, t_info(fd, &after));
	EXPECT_EQ(before.hbm_free, after.hbm_free);
	EXPECT_EQ(before.dimm_free, after.dimm_free);
	EXPECT_EQ(0, t_read_number(PPIM_T_CLASS "pinned_bytes"));
	close(fd);
}

TEST_HARNESS_MAIN
