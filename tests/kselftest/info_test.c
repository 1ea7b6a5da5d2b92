// SPDX-License-Identifier: GPL-2.0-only
/* What the device says about itself, by ioctl and by sysfs. */
#include "ppim_test.h"
#include "kselftest_harness.h"

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
	close(self->fd);
}

TEST_F(dev, geometry_is_consistent)
{
	const struct ppim_ioc_info *i = &self->info;

	EXPECT_EQ(i->hbm_bytes, i->slice_bytes * i->slices);
	EXPECT_EQ(0, i->slices % i->channels);
	EXPECT_EQ(0, i->align & (i->align - 1));
	EXPECT_LE(i->hbm_free, i->hbm_bytes);
	EXPECT_LE(i->dimm_free, i->dimm_bytes);
	EXPECT_GT(i->sram_bytes, 0);
	EXPECT_GT(i->hbm_row_bytes, 0);
}

TEST_F(dev, limits_are_usable)
{
	const struct ppim_ioc_info *i = &self->info;

	EXPECT_GE(i->max_tables, 26);
	EXPECT_GE(i->max_indices, 26 * 1024);
	EXPECT_GE(i->max_extents, i->slices);
	EXPECT_GE(i->queues, 1);
	EXPECT_GE(i->queue_entries, 2);
}

TEST_F(dev, algorithms_and_presets)
{
	const struct ppim_ioc_info *i = &self->info;

	EXPECT_EQ(7, i->algos & 7);
	EXPECT_TRUE(i->dtypes & (1u << PPIM_DTYPE_FP32));
	EXPECT_TRUE(i->modes & (1u << PPIM_MODE_SUM));
	EXPECT_EQ(0, i->archs & (1u << PPIM_ARCH_DEFAULT));
	EXPECT_TRUE(i->archs & (1u << i->arch_default));
	EXPECT_TRUE(i->driver_caps & PPIM_DRVCAP_MEM);
	EXPECT_TRUE(i->driver_caps & PPIM_DRVCAP_URING);
}

TEST_F(dev, free_is_all_when_nothing_is_placed)
{
	EXPECT_EQ(self->info.hbm_bytes, self->info.hbm_free);
	EXPECT_EQ(self->info.dimm_bytes, self->info.dimm_free);
}

TEST_F(dev, sysfs_says_the_same)
{
	const struct ppim_ioc_info *i = &self->info;

	EXPECT_EQ((long long)i->hbm_bytes, t_read_number(PPIM_T_CLASS "hbm_bytes"));
	EXPECT_EQ((long long)i->hbm_free, t_read_number(PPIM_T_CLASS "hbm_free"));
	EXPECT_EQ((long long)i->dimm_bytes, t_read_number(PPIM_T_CLASS "dimm_bytes"));
	EXPECT_EQ((long long)i->slices, t_read_number(PPIM_T_CLASS "slices"));
	EXPECT_EQ((long long)i->channels, t_read_number(PPIM_T_CLASS "channels"));
	EXPECT_EQ((long long)i->caps, t_read_number(PPIM_T_CLASS "caps"));
	EXPECT_EQ((long long)i->archs, t_read_number(PPIM_T_CLASS "archs"));
	EXPECT_EQ((long long)i->queues, t_read_number(PPIM_T_CLASS "queues"));
}

TEST_F(dev, state_is_live)
{
	char state[16];

	ASSERT_EQ(0, t_read_file(PPIM_T_CLASS "state", state, sizeof(state)));
	EXPECT_STREQ("live\n", state);
}

TEST_F(dev, sysfs_files_are_those_documented)
{
	static const char * const names[] = {
		"version", "state", "caps", "hbm_bytes", "hbm_free", "dimm_bytes", "dimm_free",
		"slices", "slice_bytes", "channels", "sram_bytes", "archs", "arch_default",
		"timebase", "queues", "resets", "timeouts", "stray_completions", "pinned_bytes",
	};
	char path[128], text[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), PPIM_T_CLASS "%s", names[i]);
		EXPECT_EQ(0, t_read_file(path, text, sizeof(text))) TH_LOG("%s", path);
	}
}

TEST_F(dev, second_device_is_its_own)
{
	struct ppim_ioc_table_create c;
	struct ppim_shape s = t_dense(64, 16);
	struct ppim_ioc_info other;
	int fd = open(PPIM_T_DEV "1", O_RDWR);

	if (fd < 0)
		SKIP(return, "no second device (ppim-vm --devices 2)");
	ASSERT_EQ(0, t_create(self->fd, &s, "first", &c));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, c.handle, 0, s.rows, 0));
	ASSERT_EQ(0, t_info(fd, &other));
	EXPECT_EQ(other.hbm_bytes, other.hbm_free);
	EXPECT_EQ(-ENOENT, t_destroy(fd, c.handle));
	close(fd);
}

TEST_F(dev, statistics_count_batches)
{
	struct ppim_ioc_stats before = { .size = sizeof(before) }, after = before;
	struct ppim_shape s = t_dense(256, 16);
	struct ppim_ioc_result r;
	struct t_table t;
	struct t_batch b;

	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &t, &s, 1));
	t_batch_init(&b, &t, 4, 8, 1);
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_STATS, &before));
	ASSERT_EQ(0, t_run(self->fd, &b.job, 1, PPIM_ARCH_BGPIM, &r));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_STATS, &after));
	EXPECT_EQ(before.submitted + 1, after.submitted);
	EXPECT_EQ(before.completed + 1, after.completed);
	EXPECT_EQ(before.lookups + 32, after.lookups);
	EXPECT_EQ(before.bags + 4, after.bags);
	EXPECT_EQ(before.errors, after.errors);
	EXPECT_EQ(before.reads_hbm + r.annotation.reads_hbm, after.reads_hbm);
	EXPECT_EQ(before.energy_pj + r.annotation.energy_pj, after.energy_pj);
	t_batch_free(&b);
	t_table_free(&t);
}

TEST_HARNESS_MAIN
