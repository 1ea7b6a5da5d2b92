// SPDX-License-Identifier: GPL-2.0-only
/* Upload and download: every kind of placement gives back what was put in. */
#include "ppim_test.h"
#include "kselftest_harness.h"

#define ROWS 5000u
#define DIM 24u		/* 96 bytes: the stride is not the row */

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	uint32_t t;
	float *data, *got;
};

FIXTURE_VARIANT(dev) {
	int copies, map, dimm;
};

FIXTURE_VARIANT_ADD(dev, striped) {};
FIXTURE_VARIANT_ADD(dev, copies) { .copies = 1 };
FIXTURE_VARIANT_ADD(dev, mapped) { .map = 1 };
FIXTURE_VARIANT_ADD(dev, dimm) { .dimm = 1 };

/* Even rows in the HBM, odd ones in the DIMM, both backwards. */
static int place_mapped(int fd, uint32_t t)
{
	struct ppim_ioc_extent e[2] = {
		{ .slice = 1, .rows = ROWS / 2 }, { .tier = PPIM_TIER_DIMM, .rows = ROWS / 2 },
	};
	uint32_t *map = malloc(ROWS * sizeof(*map)), i;
	struct ppim_ioc_place p = { .size = sizeof(p), .table = t, .n_extents = 2,
				    .extents = t_ptr(e), .map = t_ptr(map), .map_bits = 20,
				    .map_tier = PPIM_TIER_HBM, .map_slice = 2 };
	int ret;

	for (i = 0; i < ROWS; i++)
		map[i] = (i & 1) << 20 | (ROWS / 2 - 1 - i / 2);
	ret = t_call(fd, PPIM_IOC_PLACE, &p);
	free(map);
	return ret;
}

static int place(int fd, const struct ppim_ioc_info *info, uint32_t t,
		 const struct _fixture_variant_dev *v)
{
	struct ppim_ioc_extent e = { .tier = PPIM_TIER_DIMM, .rows = ROWS };

	if (v->map)
		return place_mapped(fd, t);
	if (v->dimm)
		return t_place_one(fd, t, 0, &e, 0);
	return t_place_slices(fd, info, t, 0, ROWS, v->copies);
}

FIXTURE_SETUP(dev)
{
	struct ppim_ioc_table_create c;
	struct ppim_shape s = t_dense(ROWS, DIM);
	uint32_t i;

	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_create(self->fd, &s, "copy", &c));
	self->t = c.handle;
	ASSERT_EQ(0, place(self->fd, &self->info, self->t, variant));
	self->data = malloc(ROWS * DIM * sizeof(float));
	self->got = malloc(ROWS * DIM * sizeof(float));
	for (i = 0; i < ROWS * DIM; i++)
		self->data[i] = t_value(3, 0, i);
}

FIXTURE_TEARDOWN(dev)
{
	free(self->data);
	free(self->got);
	close(self->fd);
}

#define ROW_BYTES (DIM * sizeof(float))

TEST_F(dev, all_rows_come_back)
{
	ASSERT_EQ(0, t_upload(self->fd, self->t, 0, 0, ROWS, self->data));
	memset(self->got, 0xa5, ROWS * ROW_BYTES);
	ASSERT_EQ(0, t_download(self->fd, self->t, 0, 0, ROWS, self->got));
	EXPECT_EQ(0, memcmp(self->data, self->got, ROWS * ROW_BYTES));
}

TEST_F(dev, part_leaves_the_rest)
{
	float zero[DIM] = { 0 };
	uint32_t i;

	ASSERT_EQ(0, t_upload(self->fd, self->t, 0, 1001, 777, self->data + 1001 * DIM));
	ASSERT_EQ(0, t_download(self->fd, self->t, 0, 0, ROWS, self->got));
	for (i = 0; i < ROWS; i++)
		ASSERT_EQ(0, memcmp(self->got + i * DIM,
				    i >= 1001 && i < 1778 ? self->data + i * DIM : zero,
				    ROW_BYTES)) TH_LOG("row %u", i);
}

TEST_F(dev, listed_rows)
{
	uint64_t *rows = malloc(ROWS * sizeof(*rows));
	uint32_t i;

	/* A permutation: 2999 and 5000 share no factor. */
	for (i = 0; i < ROWS; i++)
		rows[i] = i * 2999ull % ROWS;
	ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 0, ROWS, self->data, rows, 0));
	ASSERT_EQ(0, t_download(self->fd, self->t, 0, 0, ROWS, self->got));
	for (i = 0; i < ROWS; i++)
		ASSERT_EQ(0, memcmp(self->got + rows[i] * DIM, self->data + i * DIM, ROW_BYTES));
	memset(self->got, 0, ROWS * ROW_BYTES);
	ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 0, ROWS, self->got, rows, 0));
	EXPECT_EQ(0, memcmp(self->data, self->got, ROWS * ROW_BYTES));
	free(rows);
}

TEST_F(dev, rows_outside_are_refused)
{
	uint64_t rows[2] = { 0, ROWS };

	EXPECT_EQ(-ERANGE, t_upload(self->fd, self->t, 0, 0, ROWS + 1, self->data));
	EXPECT_EQ(-ERANGE, t_upload(self->fd, self->t, 0, ROWS, 1, self->data));
	EXPECT_EQ(-ERANGE, t_upload(self->fd, self->t, 0, UINT64_MAX, 2, self->data));
	EXPECT_EQ(-ERANGE, t_download(self->fd, self->t, 0, 1, ROWS, self->got));
	EXPECT_EQ(-ERANGE, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 0, 2, self->data, rows, 0));
	rows[1] = UINT64_MAX;
	EXPECT_EQ(-ERANGE, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 0, 2, self->got, rows, 0));
	EXPECT_EQ(-E2BIG, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 0, UINT64_MAX, self->data,
				 rows, 0));
	EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 1, 1, self->data, rows, 0));
	EXPECT_EQ(-EINVAL, t_upload(self->fd, self->t, 1, 0, 1, self->data));
}

TEST_F(dev, bad_memory_faults)
{
	EXPECT_EQ(-EFAULT, t_upload(self->fd, self->t, 0, 0, 1, (void *)0x1000));
	EXPECT_EQ(-EFAULT, t_download(self->fd, self->t, 0, 0, 1, (void *)0x1000));
	EXPECT_EQ(-EFAULT, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 0, 1, self->data,
				  (void *)0x1000, 0));
	EXPECT_EQ(-EFAULT, t_upload(self->fd, self->t, 0, 0, 1, (void *)-4096));
}

TEST_F(dev, nothing_is_nothing)
{
	EXPECT_EQ(0, t_upload(self->fd, self->t, 0, 0, 0, NULL));
	EXPECT_EQ(0, t_upload(self->fd, self->t, 0, ROWS, 0, NULL));
}

TEST_F(dev, copies_are_addressed_one_by_one)
{
	uint32_t last = self->info.slices - 1;
	float other[DIM], got[DIM];
	uint32_t i;

	if (!variant->copies) {
		EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 0, 1, got, NULL, 1));
		EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 0, 1, got, NULL,
					  PPIM_COPY_ONE | 1));
		return;
	}
	for (i = 0; i < DIM; i++)
		other[i] = -7;
	ASSERT_EQ(0, t_upload(self->fd, self->t, 0, 9, 1, self->data));
	ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 9, 1, other, NULL,
			    PPIM_COPY_ONE | last));
	ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 9, 1, got, NULL, 0));
	EXPECT_EQ(0, memcmp(got, self->data, sizeof(got)));
	ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 9, 1, got, NULL, last));
	EXPECT_EQ(0, memcmp(got, other, sizeof(got)));
	EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_DOWNLOAD, self->t, 0, 9, 1, got, NULL, last + 1));
	EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 9, 1, got, NULL, 1));
	EXPECT_EQ(-EINVAL, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t, 0, 9, 1, got, NULL,
				  PPIM_COPY_ONE | (last + 1)));
}

TEST(unplaced_has_no_contents)
{
	struct ppim_ioc_table_create c;
	struct ppim_shape s = t_dense(4, 4);
	float row[4] = { 0 };
	int fd = open(PPIM_T_DEV, O_RDWR);

	ASSERT_EQ(0, t_create(fd, &s, "unplaced", &c));
	EXPECT_EQ(-ENODATA, t_upload(fd, c.handle, 0, 0, 1, row));
	EXPECT_EQ(-ENODATA, t_download(fd, c.handle, 0, 0, 1, row));
	close(fd);
}

/* Rows longer than the driver's own buffer. */
TEST(long_rows)
{
	struct ppim_shape s = { .rows = 8, .dim = 256, .algo = PPIM_ALGO_TT, .tt_p = { 2, 2, 2 },
				.tt_q = { 4, 8, 8 }, .tt_r = { 128, 128 } };
	struct ppim_ioc_info info;
	struct t_table t;
	int fd = open(PPIM_T_DEV, O_RDWR);
	float *got;

	ASSERT_EQ(0, t_info(fd, &info));
	ASSERT_EQ(0, t_table_setup(fd, &info, &t, &s, 4));
	ASSERT_EQ(128 * 8 * 128, t.elems[1]);
	got = calloc(t.rows[1] * t.elems[1], sizeof(float));
	ASSERT_EQ(0, t_download(fd, t.handle, PPIM_SUB_G2, 0, t.rows[1], got));
	EXPECT_EQ(0, memcmp(got, t.data[1], t.rows[1] * t.elems[1] * sizeof(float)));
	free(got);
	t_table_free(&t);
	close(fd);
}

TEST_HARNESS_MAIN
