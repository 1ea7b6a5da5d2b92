// SPDX-License-Identifier: GPL-2.0-only
/* Registered memory, and the limits on what a process may pin. */
#include <sys/resource.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

#define MEM_BYTES (1u << 20)
#define NOBODY 65534

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	uint8_t *mem;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	self->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
}

FIXTURE_TEARDOWN(dev)
{
	close(self->fd);
	munmap(self->mem, MEM_BYTES);
	EXPECT_EQ(0, t_read_number(PPIM_T_CLASS "pinned_bytes"));
}

static int reg(int fd, const void *addr, uint64_t bytes, uint32_t flags, uint32_t *handle)
{
	struct ppim_ioc_mem m = { .size = sizeof(m), .flags = flags, .addr = t_ptr(addr),
				  .bytes = bytes };
	int ret = t_call(fd, PPIM_IOC_MEM_REGISTER, &m);

	*handle = m.handle;
	return ret;
}

static int unreg(int fd, uint32_t handle)
{
	struct ppim_ioc_handle h = { .size = sizeof(h), .handle = handle };

	return t_call(fd, PPIM_IOC_MEM_UNREGISTER, &h);
}

TEST_F(dev, registration_is_counted_and_given_back)
{
	long long before = t_read_number(PPIM_T_CLASS "pinned_bytes");
	uint32_t h;

	ASSERT_EQ(0, reg(self->fd, self->mem, MEM_BYTES, PPIM_MEM_WRITE, &h));
	EXPECT_NE(0, h);
	EXPECT_EQ(before + MEM_BYTES, t_read_number(PPIM_T_CLASS "pinned_bytes"));
	EXPECT_EQ(0, unreg(self->fd, h));
	EXPECT_EQ(before, t_read_number(PPIM_T_CLASS "pinned_bytes"));
	EXPECT_EQ(-ENOENT, unreg(self->fd, h));
}

TEST_F(dev, impossible_registrations_are_refused)
{
	uint32_t h;

	EXPECT_EQ(-EINVAL, reg(self->fd, self->mem + 4, 4096, 0, &h));
	EXPECT_EQ(-EINVAL, reg(self->fd, self->mem, 0, 0, &h));
	EXPECT_EQ(-EINVAL, reg(self->fd, self->mem, UINT64_MAX, 0, &h));
	EXPECT_EQ(-EFAULT, reg(self->fd, NULL, 4096, 0, &h));
	EXPECT_EQ(-EFAULT, reg(self->fd, self->mem, MEM_BYTES + (1u << 30), 0, &h));
	EXPECT_EQ(-ENOMEM, reg(self->fd, self->mem, 1ull << 46, 0, &h));
	EXPECT_EQ(-ENOMEM, reg(self->fd, self->mem, 1ull << 62, 0, &h));
}

TEST_F(dev, read_only_memory_is_not_for_writing)
{
	void *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t h;

	EXPECT_EQ(-EFAULT, reg(self->fd, ro, 4096, PPIM_MEM_WRITE, &h));
	EXPECT_EQ(0, reg(self->fd, ro, 4096, 0, &h));
	munmap(ro, 4096);
}

/* --- batches in registered memory ------------------------------------------------ */

FIXTURE(batch) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
	uint8_t *mem;
	uint32_t h;
};

FIXTURE_SETUP(batch)
{
	struct ppim_shape s = t_qr(4000, 32, 4);

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &s, 61));
	t_batch_init(&self->b, &self->t, 100, 80, 62);
	self->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, reg(self->fd, self->mem, MEM_BYTES, PPIM_MEM_WRITE, &self->h));
}

FIXTURE_TEARDOWN(batch)
{
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
	munmap(self->mem, MEM_BYTES);
}

/* All four buffers into the registration, one after the other. */
static void use_mem(struct t_batch *b, uint8_t *mem, uint32_t h)
{
	struct ppim_ioc_buf *bufs[] = { &b->job.indices, &b->job.offsets, &b->job.weights,
					&b->job.output };
	uint64_t at = 4;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bufs); i++) {
		if (!bufs[i]->bytes)
			continue;
		memcpy(mem + at, (void *)(uintptr_t)bufs[i]->addr, bufs[i]->bytes);
		bufs[i]->addr = at;
		bufs[i]->mem = h;
		at += bufs[i]->bytes + 12;
	}
}

TEST_F(batch, runs_in_registered_memory)
{
	t_batch_weigh(&self->b);
	use_mem(&self->b, self->mem, self->h);
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r));
	memcpy(self->b.out, self->mem + self->b.job.output.addr, self->b.job.output.bytes);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(batch, parts_outside_the_registration_are_refused)
{
	struct ppim_ioc_job good;
	uint64_t n = self->b.job.output.bytes;

	use_mem(&self->b, self->mem, self->h);
	good = self->b.job;
	self->b.job.output.addr = MEM_BYTES - n;
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.job.output.addr = MEM_BYTES - n + 4;
	EXPECT_EQ(-EINVAL, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.job.output.addr = -n;
	EXPECT_EQ(-EINVAL, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.job.output.addr = -4;
	EXPECT_EQ(-EINVAL, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.job = good;
	self->b.job.indices.addr = MEM_BYTES;
	EXPECT_EQ(-EINVAL, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
}

TEST_F(batch, outputs_need_a_writable_registration)
{
	uint32_t h;

	ASSERT_EQ(0, reg(self->fd, self->mem, MEM_BYTES, 0, &h));
	use_mem(&self->b, self->mem, h);
	EXPECT_EQ(-EINVAL, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.job.output.mem = self->h;
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
}

TEST_F(batch, registration_in_use_stays)
{
	uint64_t ticket;

	if (!(self->info.caps & PPIM_T_CAP_INJECT) || !(self->info.caps & PPIM_T_CAP_ABORT))
		SKIP(return, "the device has no fault injection or no abort");
	use_mem(&self->b, self->mem, self->h);
	ASSERT_EQ(0, t_inject("hang 1"));
	ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
	EXPECT_EQ(-EBUSY, unreg(self->fd, self->h));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_RESET,
			    &(struct ppim_ioc_reset){ .size = sizeof(struct ppim_ioc_reset) }));
	EXPECT_EQ(0, unreg(self->fd, self->h));
	EXPECT_EQ(-ENOENT, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
}

TEST_F(batch, another_files_registration_is_unknown)
{
	int other = open(PPIM_T_DEV, O_RDWR);

	EXPECT_EQ(-ENOENT, unreg(other, self->h));
	close(other);
	EXPECT_EQ(0, unreg(self->fd, self->h));
}

TEST_F(batch, plain_memory_is_unpinned_at_the_end)
{
	long long before = t_read_number(PPIM_T_CLASS "pinned_bytes");

	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(before, t_read_number(PPIM_T_CLASS "pinned_bytes"));
}

/* Written through the registration while the pages were swapped for others by
 * a fork: the parent must see what the device wrote.
 */
TEST_F(batch, fork_does_not_part_the_device_from_its_memory)
{
	int status;
	pid_t pid;

	use_mem(&self->b, self->mem, self->h);
	pid = fork();
	if (!pid) {
		usleep(200000);
		_exit(0);
	}
	self->mem[0] = 1;
	memset(self->mem + self->b.job.output.addr, 0, self->b.job.output.bytes);
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	memcpy(self->b.out, self->mem + self->b.job.output.addr, self->b.job.output.bytes);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	waitpid(pid, &status, 0);
}

/* --- RLIMIT_MEMLOCK ---------------------------------------------------------------- */

struct limited {
	struct _test_data_batch *self;
	int (*fn)(struct limited *l);
};

static int as_nobody(void *arg)
{
	struct limited *l = arg;
	struct rlimit r = { 65536, 65536 };

	if (setrlimit(RLIMIT_MEMLOCK, &r) || setgid(NOBODY) || setuid(NOBODY))
		return 100;
	return l->fn(l);
}

static int register_beyond(struct limited *l)
{
	uint32_t h, g;

	if (reg(l->self->fd, l->self->mem, 65536 + 4096, 0, &h) != -ENOMEM)
		return 1;
	if (reg(l->self->fd, l->self->mem, 65536, 0, &h))
		return 2;
	if (reg(l->self->fd, l->self->mem, 4096, 0, &g) != -ENOMEM)
		return 3;
	if (unreg(l->self->fd, h))
		return 4;
	return reg(l->self->fd, l->self->mem, 65536, 0, &h) ? 5 : 0;
}

TEST_F(batch, registrations_count_against_the_limit)
{
	struct limited l = { self, register_beyond };

	EXPECT_EQ(0, t_child(as_nobody, &l));
}

/* 8000 indices of 8 bytes and 100 vectors are more than 64 KiB. */
static int batch_beyond(struct limited *l)
{
	struct ppim_ioc_job j = l->self->b.job;
	struct ppim_ioc_result r;

	if (t_run(l->self->fd, &j, 1, PPIM_ARCH_BGPIM, &r) != -ENOMEM)
		return 1;
	j.n_indices = 800;
	j.n_bags = 10;
	return t_run(l->self->fd, &j, 1, PPIM_ARCH_BGPIM, &r) ? 2 : 0;
}

TEST_F(batch, batches_in_flight_count_against_the_limit)
{
	struct limited l = { self, batch_beyond };

	EXPECT_EQ(0, t_child(as_nobody, &l));
}

TEST_HARNESS_MAIN
