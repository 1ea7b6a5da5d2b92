// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract that every argument structure keeps: its size first, unknown
 * bytes zero, flags and reserved fields checked, bad pointers refused.
 */
#include <stddef.h>

#include "ppim_test.h"
#include "kselftest_harness.h"

#define BIG 4096

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	uint8_t *big;		/* an argument with room behind it */
	void *readonly;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	self->big = mmap(NULL, 2 * BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->big);
	/* Nothing behind the first page: what is read too far faults. */
	ASSERT_EQ(0, mprotect(self->big + BIG, BIG, PROT_NONE));
	self->readonly = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->readonly);
}

FIXTURE_TEARDOWN(dev)
{
	munmap(self->big, 2 * BIG);
	munmap(self->readonly, BIG);
	close(self->fd);
}

/* One ioctl whose argument, as given, ends with `expect`. */
struct size_case {
	const char *name;
	unsigned long cmd;
	uint32_t size;
	const void *arg;
	int expect;
	int out;		/* the kernel writes it */
};

static int with_size(struct _test_data_dev *self, const struct size_case *c, uint32_t size)
{
	memset(self->big, 0, BIG);
	memcpy(self->big, c->arg, c->size);
	memcpy(self->big, &size, sizeof(size));
	return t_call(self->fd, c->cmd, self->big);
}

static int with_tail(struct _test_data_dev *self, const struct size_case *c, uint32_t at)
{
	uint32_t size = c->size + 64;

	memset(self->big, 0, BIG);
	memcpy(self->big, c->arg, c->size);
	memcpy(self->big, &size, sizeof(size));
	self->big[c->size + at] = 1;
	return t_call(self->fd, c->cmd, self->big);
}

/* Arguments that pass the checks of size, flags and reserved fields, and end
 * where their handle is looked for, or well. */
#define CASE(_cmd, _type, _expect, _out, ...)					\
	{ #_cmd, _cmd, sizeof(struct _type),					\
	  &(struct _type){ .size = sizeof(struct _type), ##__VA_ARGS__ }, _expect, _out }

static const struct size_case cases[] = {
	CASE(PPIM_IOC_INFO, ppim_ioc_info, 0, 1),
	CASE(PPIM_IOC_TABLE_CREATE, ppim_ioc_table_create, 0, 1, .rows = 8, .dim = 4),
	CASE(PPIM_IOC_TABLE_DESTROY, ppim_ioc_handle, -ENOENT, 0, .handle = 77),
	CASE(PPIM_IOC_PLACE, ppim_ioc_place, -ENOENT, 1, .table = 77, .n_extents = 1),
	CASE(PPIM_IOC_DUPLICATE, ppim_ioc_place, -ENOENT, 1, .table = 77, .n_extents = 1),
	CASE(PPIM_IOC_PREFETCH, ppim_ioc_prefetch, -ENOENT, 0, .table = 77),
	CASE(PPIM_IOC_UPLOAD, ppim_ioc_copy, -ENOENT, 0, .table = 77),
	CASE(PPIM_IOC_DOWNLOAD, ppim_ioc_copy, -ENOENT, 0, .table = 77),
	CASE(PPIM_IOC_GNR, ppim_ioc_gnr, -EFAULT, 1, .n_jobs = 1, .queue = PPIM_QUEUE_ANY),
	CASE(PPIM_IOC_WAIT, ppim_ioc_wait, -ENOENT, 1, .ticket = 77),
	CASE(PPIM_IOC_TABLE_INFO, ppim_ioc_table_info, -ENOENT, 1, .handle = 77),
	CASE(PPIM_IOC_STATS, ppim_ioc_stats, 0, 1),
	CASE(PPIM_IOC_MEM_REGISTER, ppim_ioc_mem, -EFAULT, 1, .addr = 4096, .bytes = 4096),
	CASE(PPIM_IOC_MEM_UNREGISTER, ppim_ioc_handle, -ENOENT, 0, .handle = 77),
	CASE(PPIM_IOC_RESET, ppim_ioc_reset, 0, 0),
};

#define FOR_EACH_CASE(c) for (c = cases; c < cases + ARRAY_LEN(cases); c++)

TEST_F(dev, every_call_is_covered)
{
	/* The numbers are dense: the table has one case for each. */
	EXPECT_EQ(_IOC_NR(PPIM_IOC_MEM_UNREGISTER) + 1, ARRAY_LEN(cases));
}

TEST_F(dev, exact_size_is_taken)
{
	const struct size_case *c;

	FOR_EACH_CASE(c)
		EXPECT_EQ(c->expect, with_size(self, c, c->size)) TH_LOG("%s", c->name);
}

TEST_F(dev, short_sizes_are_refused)
{
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		EXPECT_EQ(-EINVAL, with_size(self, c, 0)) TH_LOG("%s", c->name);
		EXPECT_EQ(-EINVAL, with_size(self, c, 4)) TH_LOG("%s", c->name);
		EXPECT_EQ(-EINVAL, with_size(self, c, c->size - 1)) TH_LOG("%s", c->name);
		EXPECT_EQ(-EINVAL, with_size(self, c, c->size - 4)) TH_LOG("%s", c->name);
	}
}

TEST_F(dev, longer_with_zero_tail_is_taken)
{
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		EXPECT_EQ(c->expect, with_size(self, c, c->size + 8)) TH_LOG("%s", c->name);
		EXPECT_EQ(c->expect, with_size(self, c, BIG)) TH_LOG("%s", c->name);
	}
}

TEST_F(dev, longer_with_nonzero_tail_is_refused)
{
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		EXPECT_EQ(-E2BIG, with_tail(self, c, 0)) TH_LOG("%s", c->name);
		EXPECT_EQ(-E2BIG, with_tail(self, c, 63)) TH_LOG("%s", c->name);
	}
}

TEST_F(dev, absurd_sizes_are_refused)
{
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		EXPECT_EQ(-E2BIG, with_size(self, c, BIG + 8)) TH_LOG("%s", c->name);
		EXPECT_EQ(-E2BIG, with_size(self, c, UINT32_MAX)) TH_LOG("%s", c->name);
	}
}

/* The size field counts, not the one in the call's number. */
TEST_F(dev, size_in_the_number_is_ignored)
{
	const struct size_case *c;
	unsigned long cmd;

	FOR_EACH_CASE(c) {
		struct size_case longer = *c;

		cmd = _IOC(_IOC_DIR(c->cmd), PPIM_IOC_MAGIC, _IOC_NR(c->cmd), c->size + 128);
		longer.cmd = cmd;
		EXPECT_EQ(c->expect, with_size(self, &longer, c->size)) TH_LOG("%s", c->name);
	}
}

TEST_F(dev, tail_end_beyond_memory_faults)
{
	const struct size_case *c;
	uint32_t size;

	FOR_EACH_CASE(c) {
		uint8_t *at = self->big + BIG - c->size;

		size = c->size + 8;
		memcpy(at, c->arg, c->size);
		memcpy(at, &size, sizeof(size));
		EXPECT_EQ(-EFAULT, t_call(self->fd, c->cmd, at)) TH_LOG("%s", c->name);
	}
}

TEST_F(dev, bad_pointers_fault)
{
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		EXPECT_EQ(-EFAULT, t_call(self->fd, c->cmd, NULL)) TH_LOG("%s", c->name);
		EXPECT_EQ(-EFAULT, t_call(self->fd, c->cmd, (void *)-4096)) TH_LOG("%s", c->name);
		EXPECT_EQ(-EFAULT, t_call(self->fd, c->cmd, (void *)0xdead000)) TH_LOG("%s", c->name);
	}
}

/* What cannot be written back is refused before anything is done. */
TEST_F(dev, read_only_argument_changes_nothing)
{
	struct ppim_ioc_table_info next = { .size = sizeof(next), .flags = PPIM_TABLE_INFO_NEXT };
	const struct size_case *c;

	FOR_EACH_CASE(c) {
		if (!c->out)
			continue;
		ASSERT_EQ(0, mprotect(self->readonly, BIG, PROT_READ | PROT_WRITE));
		memcpy(self->readonly, c->arg, c->size);
		ASSERT_EQ(0, mprotect(self->readonly, BIG, PROT_READ));
		EXPECT_EQ(-EFAULT, t_call(self->fd, c->cmd, self->readonly)) TH_LOG("%s", c->name);
	}
	EXPECT_EQ(-ENOENT, t_call(self->fd, PPIM_IOC_TABLE_INFO, &next));
}

TEST_F(dev, unknown_numbers_are_refused)
{
	uint32_t arg[64] = { sizeof(arg) };
	unsigned int nr;

	for (nr = ARRAY_LEN(cases); nr < 256; nr++)
		EXPECT_EQ(-ENOTTY, t_call(self->fd, _IOWR(PPIM_IOC_MAGIC, nr, uint32_t), arg));
	EXPECT_EQ(-ENOTTY, t_call(self->fd, _IOWR('x', 0, uint32_t), arg));
}

/* --- flags and reserved fields, by macro over every field -------------------- */

static int with_bit(struct _test_data_dev *self, const struct size_case *c, size_t byte, int bit)
{
	memset(self->big, 0, BIG);
	memcpy(self->big, c->arg, c->size);
	self->big[byte] |= 1u << bit;
	return t_call(self->fd, c->cmd, self->big);
}

static const struct size_case *case_of(unsigned long cmd)
{
	const struct size_case *c;

	FOR_EACH_CASE(c)
		if (c->cmd == cmd)
			return c;
	return NULL;
}

/* Every bit of a field but those in `known` is refused. */
#define EXPECT_FIELD_CHECKED(_cmd, _type, _field, _known) do {				\
	size_t _at = offsetof(struct _type, _field), _byte;				\
	size_t _n = sizeof(((struct _type *)0)->_field);				\
	const struct size_case *_c = case_of(_cmd);					\
	int _bit;									\
											\
	for (_byte = 0; _byte < _n; _byte++)						\
		for (_bit = 0; _bit < 8; _bit++) {					\
			if (_byte < 8 && ((unsigned long long)(_known) >>		\
					  (_byte * 8 + _bit) & 1))			\
				continue;						\
			EXPECT_EQ(-EINVAL, with_bit(self, _c, _at + _byte, _bit))	\
				TH_LOG(#_cmd " " #_field " byte %zu bit %d", _byte, _bit); \
		}									\
} while (0)

TEST_F(dev, unknown_flags_are_refused)
{
	EXPECT_FIELD_CHECKED(PPIM_IOC_INFO, ppim_ioc_info, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_TABLE_CREATE, ppim_ioc_table_create, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_PLACE, ppim_ioc_place, flags, PPIM_PLACE_FIXED);
	EXPECT_FIELD_CHECKED(PPIM_IOC_DUPLICATE, ppim_ioc_place, flags, PPIM_PLACE_FIXED);
	EXPECT_FIELD_CHECKED(PPIM_IOC_PREFETCH, ppim_ioc_prefetch, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_UPLOAD, ppim_ioc_copy, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_DOWNLOAD, ppim_ioc_copy, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_GNR, ppim_ioc_gnr, flags, PPIM_GNR_WAIT | PPIM_GNR_NONBLOCK);
	EXPECT_FIELD_CHECKED(PPIM_IOC_WAIT, ppim_ioc_wait, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_TABLE_INFO, ppim_ioc_table_info, flags, PPIM_TABLE_INFO_NEXT);
	EXPECT_FIELD_CHECKED(PPIM_IOC_STATS, ppim_ioc_stats, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_RESET, ppim_ioc_reset, flags, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_MEM_REGISTER, ppim_ioc_mem, flags, PPIM_MEM_WRITE);
}

TEST_F(dev, reserved_fields_are_checked)
{
	EXPECT_FIELD_CHECKED(PPIM_IOC_INFO, ppim_ioc_info, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_TABLE_CREATE, ppim_ioc_table_create, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_PLACE, ppim_ioc_place, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_DUPLICATE, ppim_ioc_place, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_PREFETCH, ppim_ioc_prefetch, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_UPLOAD, ppim_ioc_copy, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_DOWNLOAD, ppim_ioc_copy, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_GNR, ppim_ioc_gnr, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_STATS, ppim_ioc_stats, reserved, 0);
	EXPECT_FIELD_CHECKED(PPIM_IOC_MEM_REGISTER, ppim_ioc_mem, reserved, 0);
}

/* --- a batch's own structures ------------------------------------------------- */

FIXTURE(batch) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
};

FIXTURE_SETUP(batch)
{
	struct ppim_shape s = t_dense(64, 16);

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &s, 1));
	t_batch_init(&self->b, &self->t, 2, 4, 1);
}

FIXTURE_TEARDOWN(batch)
{
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

/* Runs a changed copy of the good job and expects it refused. */
#define EXPECT_JOB(_expect, _change) do {					\
	struct ppim_ioc_job j = self->b.job;					\
	int _ret;								\
										\
	_change;								\
	_ret = t_run(self->fd, &j, 1, PPIM_ARCH_BGPIM, &self->r);		\
	EXPECT_EQ(_expect, _ret) TH_LOG(#_change);				\
	EXPECT_EQ(-(_expect), (int)self->r.error) TH_LOG(#_change);		\
} while (0)

TEST_F(batch, good_job_runs)
{
	EXPECT_JOB(0, (void)0);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(batch, illegal_job_fields_are_refused)
{
	EXPECT_JOB(-EINVAL, j.n_bags = 0);
	EXPECT_JOB(-EINVAL, j.mode = PPIM_MODE_MAX + 1);
	EXPECT_JOB(-EINVAL, j.index_bytes = 0);
	EXPECT_JOB(-EINVAL, j.index_bytes = 2);
	EXPECT_JOB(-EINVAL, j.index_bytes = 16);
	EXPECT_JOB(-EINVAL, j.flags = 4);
	EXPECT_JOB(-EINVAL, j.flags = 0x80);
	EXPECT_JOB(-EINVAL, j.reserved0 = 1);
	EXPECT_JOB(-EINVAL, j.reserved1 = 1);
	EXPECT_JOB(-EINVAL, j.reserved1 = 1ull << 63);
	EXPECT_JOB(-EINVAL, j.padding_index = 1);
	EXPECT_JOB(-EINVAL, j.weights.addr = 4);
	EXPECT_JOB(-EINVAL, j.weights.bytes = 4);
	EXPECT_JOB(-EINVAL, j.weights.mem = 1);
}

TEST_F(batch, weights_go_with_sum_only)
{
	EXPECT_JOB(-EINVAL, (j.mode = PPIM_MODE_MEAN, j.flags = PPIM_JOB_WEIGHTS,
			     j.weights = t_buf(self->b.weights, 32)));
	EXPECT_JOB(-EINVAL, (j.mode = PPIM_MODE_MAX, j.flags = PPIM_JOB_WEIGHTS,
			     j.weights = t_buf(self->b.weights, 32)));
}

TEST_F(batch, illegal_buffers_are_refused)
{
	EXPECT_JOB(-EINVAL, j.indices.reserved = 1);
	EXPECT_JOB(-EINVAL, j.offsets.reserved = 1);
	EXPECT_JOB(-EINVAL, j.output.reserved = 1);
	EXPECT_JOB(-EINVAL, j.indices.addr += 1);
	EXPECT_JOB(-EINVAL, j.output.addr += 2);
	EXPECT_JOB(-EINVAL, j.indices.bytes -= 1);
	EXPECT_JOB(-EINVAL, j.offsets.bytes = 0);
	EXPECT_JOB(-EINVAL, j.output.bytes -= 4);
	EXPECT_JOB(-ENOENT, j.indices.mem = 99);
	EXPECT_JOB(-ENOENT, j.output.mem = 99);
}

TEST_F(batch, bad_user_memory_faults)
{
	EXPECT_JOB(-EFAULT, j.indices.addr = 0);
	EXPECT_JOB(-EFAULT, j.offsets.addr = 0xdead000);
	EXPECT_JOB(-EFAULT, j.output.addr = 0x1000);
	EXPECT_JOB(-EFAULT, j.indices.addr = -4096);
	EXPECT_JOB(-EFAULT, j.indices.addr = -4);
	EXPECT_JOB(-EFAULT, j.output.addr = 1ull << 63);
}

TEST_F(batch, read_only_output_faults)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_JOB(-EFAULT, j.output.addr = t_ptr(p));
	munmap(p, 4096);
}

TEST_F(batch, counts_above_the_limits_are_refused)
{
	EXPECT_JOB(-E2BIG, j.n_indices = self->info.max_indices + 1);
	EXPECT_JOB(-E2BIG, j.n_indices = UINT32_MAX);
	EXPECT_JOB(-E2BIG, j.n_bags = UINT32_MAX);
}

TEST_F(batch, bad_table_handles_are_refused)
{
	EXPECT_JOB(-ENOENT, j.table = 0);
	EXPECT_JOB(-ENOENT, j.table = 4711);
	EXPECT_JOB(-ENOENT, j.table = UINT32_MAX);
}

TEST_F(batch, refusal_names_the_job)
{
	struct ppim_ioc_job jobs[3] = { self->b.job, self->b.job, self->b.job };

	jobs[2].mode = 200;
	EXPECT_EQ(-EINVAL, t_run(self->fd, jobs, 3, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(2, self->r.job);
	EXPECT_EQ(PPIM_ST_BAD_FIELD, self->r.status);
	EXPECT_EQ(EINVAL, self->r.error);
}

#define EXPECT_GNR(_expect, _change) do {					\
	struct ppim_ioc_gnr g = t_gnr(&self->b.job, 1, &self->r);		\
										\
	g.flags = PPIM_GNR_WAIT;						\
	_change;								\
	EXPECT_EQ(_expect, t_call(self->fd, PPIM_IOC_GNR, &g)) TH_LOG(#_change); \
} while (0)

TEST_F(batch, illegal_batch_fields_are_refused)
{
	uint32_t arch;

	EXPECT_GNR(-EINVAL, g.n_jobs = 0);
	EXPECT_GNR(-E2BIG, g.n_jobs = self->info.max_tables + 1);
	EXPECT_GNR(-E2BIG, g.n_jobs = UINT32_MAX);
	EXPECT_GNR(-EINVAL, g.queue = self->info.queues);
	EXPECT_GNR(-EINVAL, g.arch = PPIM_ARCH_COUNT);
	EXPECT_GNR(-EINVAL, g.arch = UINT32_MAX);
	EXPECT_GNR(-EFAULT, g.jobs = 0);
	EXPECT_GNR(-EFAULT, g.jobs = 1ull << 62);
	for (arch = 1; arch < PPIM_ARCH_COUNT; arch++)
		if (!(self->info.archs & (1u << arch)))
			EXPECT_GNR(-EOPNOTSUPP, g.arch = arch);
}

TEST_F(batch, every_queue_is_served)
{
	uint32_t q;

	for (q = 0; q < self->info.queues; q++)
		EXPECT_GNR(0, g.queue = q);
}

TEST_F(batch, result_pointer_faults_are_told)
{
	EXPECT_GNR(-EFAULT, g.result = 0x1000);
	EXPECT_GNR(0, g.result = 0);
}

TEST_HARNESS_MAIN
