// SPDX-License-Identifier: GPL-2.0-only
/* Tables, their places, copies and hints. */
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
	struct ppim_ioc_info after;
	int fd = open(PPIM_T_DEV, O_RDWR);

	/* Whatever a test did: closing the file gives everything back. */
	close(self->fd);
	ASSERT_EQ(0, t_info(fd, &after));
	EXPECT_EQ(self->info.hbm_free, after.hbm_free);
	EXPECT_EQ(self->info.dimm_free, after.dimm_free);
	close(fd);
}

static int create(int fd, struct ppim_shape s, uint32_t *handle)
{
	struct ppim_ioc_table_create c;
	int ret = t_create(fd, &s, "table", &c);

	*handle = c.handle;
	return ret;
}

#define EXPECT_CREATE(_expect, ...) do {				\
	struct ppim_shape _s = { __VA_ARGS__ };				\
	uint32_t _h;							\
									\
	EXPECT_EQ(_expect, create(self->fd, _s, &_h)) TH_LOG(#__VA_ARGS__); \
} while (0)

TEST_F(dev, impossible_shapes_are_refused)
{
	EXPECT_CREATE(-EINVAL, .dim = 4);
	EXPECT_CREATE(-EINVAL, .rows = 4);
	EXPECT_CREATE(-EINVAL, .rows = PPIM_MAX_ROWS + 1, .dim = 4);
	EXPECT_CREATE(-EINVAL, .rows = UINT64_MAX, .dim = 4);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = PPIM_MAX_DIM + 1);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = UINT32_MAX);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = 3);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .dtype = 4);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .collisions = 4);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .combine = 1);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .qr_order = 1);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .tt_r = { 0, 1 });
}

TEST_F(dev, impossible_qr_is_refused)
{
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = PPIM_ALGO_QR);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = PPIM_ALGO_QR,
		      .collisions = PPIM_MAX_COLLISIONS + 1);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = PPIM_ALGO_QR, .collisions = 2,
		      .combine = 3);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 5, .algo = PPIM_ALGO_QR, .collisions = 2,
		      .combine = PPIM_COMBINE_CONCAT);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = PPIM_ALGO_QR, .collisions = 2,
		      .qr_order = 2);
	EXPECT_CREATE(-EINVAL, .rows = 4, .dim = 4, .algo = PPIM_ALGO_QR, .collisions = 2,
		      .tt_p = { 1, 0, 0 });
}

#define TT(...) .dim = 32, .algo = PPIM_ALGO_TT, .tt_q = { 2, 4, 4 }, __VA_ARGS__

TEST_F(dev, impossible_tt_is_refused)
{
	EXPECT_CREATE(0, .rows = 64, TT(.tt_p = { 4, 4, 4 }, .tt_r = { 8, 8 }));
	EXPECT_CREATE(-EINVAL, .rows = 65, TT(.tt_p = { 4, 4, 4 }, .tt_r = { 8, 8 }));
	EXPECT_CREATE(-EINVAL, .rows = 64, TT(.tt_p = { 4, 4, 0 }, .tt_r = { 8, 8 }));
	EXPECT_CREATE(-EINVAL, .rows = 64, TT(.tt_p = { 4, 4, 4 }, .tt_r = { 8, 0 }));
	EXPECT_CREATE(-EINVAL, .rows = 64, TT(.tt_p = { 4, 4, 4 }, .tt_r = { 8, PPIM_MAX_TT_R + 1 }));
	EXPECT_CREATE(-EINVAL, .rows = 64, TT(.tt_p = { PPIM_MAX_TT_P + 1, 4, 4 }, .tt_r = { 8, 8 }));
	EXPECT_CREATE(-EINVAL, .rows = 64, TT(.tt_p = { 4, 4, 4 }, .tt_r = { 8, 8 }, .collisions = 1));
	EXPECT_CREATE(-EINVAL, .rows = 64, .dim = 33, .algo = PPIM_ALGO_TT, .tt_q = { 2, 4, 4 },
		      .tt_p = { 4, 4, 4 }, .tt_r = { 8, 8 });
	/* Products that would wrap 32 bits. */
	EXPECT_CREATE(-EINVAL, .rows = 64, .dim = 32, .algo = PPIM_ALGO_TT,
		      .tt_q = { 65536, 65536, 32 }, .tt_p = { 4, 4, 4 }, .tt_r = { 8, 8 });
}

TEST_F(dev, element_types_without_capability_are_refused)
{
	uint32_t dtype;

	for (dtype = 0; dtype <= PPIM_DTYPE_INT8; dtype++)
		EXPECT_CREATE(self->info.dtypes & (1u << dtype) ? 0 : -EOPNOTSUPP,
			      .rows = 4, .dim = 4, .dtype = dtype);
}

TEST_F(dev, names_are_checked)
{
	struct ppim_ioc_table_create c = { .size = sizeof(c), .rows = 4, .dim = 4 };

	strcpy(c.name, "with space and_1");
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_TABLE_CREATE, &c));
	strcpy(c.name, "line\nbreak");
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_TABLE_CREATE, &c));
	strcpy(c.name, "\033[31m");
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_TABLE_CREATE, &c));
	memset(c.name, 'x', sizeof(c.name));
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_TABLE_CREATE, &c));
	c.name[sizeof(c.name) - 1] = 0;
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_TABLE_CREATE, &c));
}

TEST_F(dev, handles_and_ids_are_distinct)
{
	struct ppim_ioc_table_create a, b, c;
	struct ppim_shape s = t_dense(4, 4);

	ASSERT_EQ(0, t_create(self->fd, &s, "a", &a));
	ASSERT_EQ(0, t_create(self->fd, &s, "b", &b));
	EXPECT_NE(0, a.handle);
	EXPECT_NE(a.handle, b.handle);
	EXPECT_LT(a.id, b.id);
	EXPECT_EQ(0, t_destroy(self->fd, a.handle));
	EXPECT_EQ(-ENOENT, t_destroy(self->fd, a.handle));
	ASSERT_EQ(0, t_create(self->fd, &s, "c", &c));
	EXPECT_LT(b.id, c.id);
}

/* --- placement ------------------------------------------------------------ */

TEST_F(dev, first_fit_takes_the_lowest_offset)
{
	struct ppim_ioc_extent e = { .slice = 1, .rows = 10 };
	struct ppim_shape s = t_dense(10, 16);
	uint64_t first[3], stride = self->info.align > 64 ? self->info.align : 64;
	uint32_t t[4];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, create(self->fd, s, &t[i]));
		ASSERT_EQ(0, t_place_one(self->fd, t[i], 0, &e, 0));
		first[i] = e.offset;
		EXPECT_EQ(stride * 10 * i, e.offset);
	}
	/* A hole in the middle is used again. */
	ASSERT_EQ(0, t_destroy(self->fd, t[1]));
	ASSERT_EQ(0, create(self->fd, s, &t[3]));
	ASSERT_EQ(0, t_place_one(self->fd, t[3], 0, &e, 0));
	EXPECT_EQ(first[1], e.offset);
}

TEST_F(dev, extents_are_placed_in_their_order)
{
	struct ppim_ioc_extent e[3] = {
		{ .slice = 0, .rows = 4 }, { .slice = 0, .rows = 4 }, { .slice = 0, .rows = 4 },
	};
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 3, .extents = t_ptr(e) };
	struct ppim_shape s = t_dense(12, 16);

	ASSERT_EQ(0, create(self->fd, s, &p.table));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
	EXPECT_LT(e[0].offset, e[1].offset);
	EXPECT_LT(e[1].offset, e[2].offset);
}

TEST_F(dev, fixed_places_are_exact)
{
	uint64_t at = self->info.align * 1000ull;
	struct ppim_ioc_extent e = { .slice = 2, .rows = 4, .offset = at };
	struct ppim_shape s = t_dense(4, 16);
	uint32_t t;

	ASSERT_EQ(0, create(self->fd, s, &t));
	ASSERT_EQ(0, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	EXPECT_EQ(at, e.offset);
	/* Taken, overlapping from either side. */
	ASSERT_EQ(0, create(self->fd, s, &t));
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	e.offset = at - self->info.align;
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	e.offset = at + self->info.align;
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	/* Misaligned, or nowhere. */
	e.offset = at + 4;
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	e.offset = self->info.slice_bytes;
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	e.offset = -(uint64_t)self->info.align;
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
	e.offset = self->info.slice_bytes - self->info.align;
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, t, 0, &e, PPIM_PLACE_FIXED));
}

TEST_F(dev, places_that_do_not_exist_are_refused)
{
	struct ppim_ioc_extent e = { .rows = 4 };
	struct ppim_shape s = t_dense(4, 16);
	uint32_t t;

	ASSERT_EQ(0, create(self->fd, s, &t));
	e.slice = self->info.slices;
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, 0));
	e = (struct ppim_ioc_extent){ .tier = PPIM_TIER_DIMM, .slice = 1, .rows = 4 };
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, 0));
	e = (struct ppim_ioc_extent){ .tier = PPIM_TIER_CXL, .rows = 4 };
	EXPECT_EQ(-EOPNOTSUPP, t_place_one(self->fd, t, 0, &e, 0));
	e = (struct ppim_ioc_extent){ .tier = PPIM_TIER_HOST, .rows = 4 };
	EXPECT_EQ(-EOPNOTSUPP, t_place_one(self->fd, t, 0, &e, 0));
	e = (struct ppim_ioc_extent){ .tier = PPIM_TIER_HOST + 1, .rows = 4 };
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 0, &e, 0));
	e = (struct ppim_ioc_extent){ .rows = 4 };
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, 1, &e, 0));
	EXPECT_EQ(-EINVAL, t_place_one(self->fd, t, UINT32_MAX, &e, 0));
}

TEST_F(dev, extents_must_hold_their_rows)
{
	struct ppim_ioc_extent e[2] = { { .slice = 0, .rows = 5 }, { .slice = 1, .rows = 5 } };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 2, .extents = t_ptr(e) };
	struct ppim_shape s = t_dense(11, 16);

	ASSERT_EQ(0, create(self->fd, s, &p.table));
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	e[0].rows = 6;
	e[1].rows = 4;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	e[1].rows = 0;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	e[1].rows = 5;
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
	EXPECT_EQ(-EBUSY, t_call(self->fd, PPIM_IOC_PLACE, &p));
}

TEST_F(dev, counts_and_pointers_of_extents_are_checked)
{
	struct ppim_ioc_extent e = { .rows = 4 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };
	struct ppim_shape s = t_dense(4, 16);

	ASSERT_EQ(0, create(self->fd, s, &p.table));
	p.n_extents = 0;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.n_extents = self->info.max_extents + 1;
	EXPECT_EQ(-E2BIG, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.n_extents = UINT32_MAX;
	EXPECT_EQ(-E2BIG, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.n_extents = 1;
	p.extents = 0x1000;
	EXPECT_EQ(-EFAULT, t_call(self->fd, PPIM_IOC_PLACE, &p));
}

TEST_F(dev, strides_are_checked)
{
	struct ppim_ioc_extent e = { .rows = 4 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };
	struct ppim_shape s = t_dense(4, 1024);
	uint32_t align = self->info.align;

	ASSERT_EQ(0, create(self->fd, s, &p.table));
	p.row_stride = 4096 - align;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.row_stride = 4096 + 1;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.row_stride = -align;
	e.rows = 1ull << 40;
	EXPECT_EQ(-ENOSPC, t_call(self->fd, PPIM_IOC_PLACE, &p));
	e.rows = UINT64_MAX;
	EXPECT_EQ(-ENOSPC, t_call(self->fd, PPIM_IOC_PLACE, &p));
	e.rows = 4;
	p.row_stride = 4096 + align;
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
}

TEST_F(dev, too_much_is_no_space)
{
	struct ppim_ioc_extent e = { .slice = 0 };
	struct ppim_shape s;
	uint32_t t;

	s = t_dense(self->info.slice_bytes / 64 + 1, 16);
	e.rows = s.rows;
	ASSERT_EQ(0, create(self->fd, s, &t));
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, t, 0, &e, 0));
	e.tier = PPIM_TIER_DIMM;
	EXPECT_EQ(0, t_place_one(self->fd, t, 0, &e, 0));
}

TEST_F(dev, all_or_nothing)
{
	uint32_t n = self->info.slices, i, t;
	struct ppim_ioc_extent *e = calloc(n, sizeof(*e));
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = n, .extents = t_ptr(e) };
	struct ppim_ioc_info now;
	struct ppim_shape s = t_dense(n * 100ull, 16);
	struct ppim_ioc_extent all = { .slice = n - 1, .rows = self->info.slice_bytes / 64 };

	/* The last slice is full: the others must come back. */
	ASSERT_EQ(0, create(self->fd, t_dense(all.rows, 16), &t));
	ASSERT_EQ(0, t_place_one(self->fd, t, 0, &all, 0));
	for (i = 0; i < n; i++)
		e[i] = (struct ppim_ioc_extent){ .slice = i, .rows = 100 };
	ASSERT_EQ(0, create(self->fd, s, &p.table));
	EXPECT_EQ(-ENOSPC, t_call(self->fd, PPIM_IOC_PLACE, &p));
	ASSERT_EQ(0, t_info(self->fd, &now));
	EXPECT_EQ(self->info.hbm_free - self->info.slice_bytes, now.hbm_free);
	/* And the subtable can still be placed. */
	ASSERT_EQ(0, t_destroy(self->fd, t));
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
	free(e);
}

TEST_F(dev, exactly_full_and_free_again)
{
	uint64_t rows = self->info.slice_bytes / 64;
	struct ppim_ioc_extent e = { .slice = 3, .rows = rows };
	struct ppim_ioc_info now;
	uint32_t t, u;

	ASSERT_EQ(0, create(self->fd, t_dense(rows, 16), &t));
	ASSERT_EQ(0, t_place_one(self->fd, t, 0, &e, 0));
	ASSERT_EQ(0, t_info(self->fd, &now));
	EXPECT_EQ(self->info.hbm_free - self->info.slice_bytes, now.hbm_free);
	ASSERT_EQ(0, create(self->fd, t_dense(1, 16), &u));
	e.rows = 1;
	EXPECT_EQ(-ENOSPC, t_place_one(self->fd, u, 0, &e, 0));
	ASSERT_EQ(0, t_destroy(self->fd, t));
	EXPECT_EQ(0, t_place_one(self->fd, u, 0, &e, 0));
	EXPECT_EQ(0, e.offset);
}

/* What another table left there is not to be read. */
TEST_F(dev, placed_memory_is_clear)
{
	static uint32_t secret[1024], got[1024];
	struct ppim_ioc_extent e = { .slice = 5, .rows = 64 };
	uint32_t t, i, sum = 0;

	memset(secret, 0xaa, sizeof(secret));
	ASSERT_EQ(0, create(self->fd, t_dense(64, 16), &t));
	ASSERT_EQ(0, t_place_one(self->fd, t, 0, &e, 0));
	ASSERT_EQ(0, t_upload(self->fd, t, 0, 0, 64, secret));
	ASSERT_EQ(0, t_destroy(self->fd, t));
	ASSERT_EQ(0, create(self->fd, t_dense(64, 16), &t));
	ASSERT_EQ(0, t_place_one(self->fd, t, 0, &e, 0));
	ASSERT_EQ(0, t_download(self->fd, t, 0, 0, 64, got));
	for (i = 0; i < ARRAY_LEN(got); i++)
		sum |= got[i];
	EXPECT_EQ(0, sum);
}

/* --- maps, copies, hints ---------------------------------------------------- */

TEST_F(dev, row_maps_are_checked)
{
	struct ppim_ioc_extent e[2] = { { .rows = 4 }, { .tier = PPIM_TIER_DIMM, .rows = 4 } };
	uint32_t map[8] = { 0, 1, 2, 3, 1 << 4, 1 << 4 | 1, 1 << 4 | 2, 1 << 4 | 3 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 2, .extents = t_ptr(e),
				    .map = t_ptr(map), .map_bits = 4,
				    .map_tier = PPIM_TIER_DIMM };

	if (!(self->info.caps & PPIM_T_CAP_ROW_MAP))
		SKIP(return, "the device has no row maps");
	ASSERT_EQ(0, create(self->fd, t_dense(8, 16), &p.table));
	map[5] = 2 << 4;
	EXPECT_EQ(-ERANGE, t_call(self->fd, PPIM_IOC_PLACE, &p));
	map[5] = 1 << 4 | 4;
	EXPECT_EQ(-ERANGE, t_call(self->fd, PPIM_IOC_PLACE, &p));
	map[5] = UINT32_MAX;
	EXPECT_EQ(-ERANGE, t_call(self->fd, PPIM_IOC_PLACE, &p));
	map[5] = 1 << 4 | 1;
	p.map_bits = 0;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map_bits = 32;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map_bits = 4;
	p.map_tier = PPIM_TIER_HOST + 1;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map_tier = PPIM_TIER_HBM;
	p.map_slice = self->info.slices;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map_slice = 0;
	p.map = 0x1000;
	EXPECT_EQ(-EFAULT, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map = t_ptr(map);
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
}

TEST_F(dev, map_fields_without_map_are_refused)
{
	struct ppim_ioc_extent e = { .rows = 4 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };

	ASSERT_EQ(0, create(self->fd, t_dense(4, 16), &p.table));
	p.map_bits = 1;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
	p.map_bits = 0;
	p.map_tier = 1;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_PLACE, &p));
}

TEST_F(dev, copies_hold_all_rows)
{
	struct ppim_ioc_extent e = { .slice = 1, .rows = 7 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };

	ASSERT_EQ(0, create(self->fd, t_dense(8, 16), &p.table));
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
	e.rows = 9;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
	e.rows = 8;
	EXPECT_EQ(0, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
}

TEST_F(dev, more_copies_are_filled_from_the_first)
{
	struct ppim_ioc_extent e = { .slice = 1, .rows = 8 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };
	float data[8 * 16], got[8 * 16];
	uint32_t i;

	for (i = 0; i < ARRAY_LEN(data); i++)
		data[i] = t_value(5, 0, i);
	ASSERT_EQ(0, create(self->fd, t_dense(8, 16), &p.table));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
	ASSERT_EQ(0, t_upload(self->fd, p.table, 0, 0, 8, data));
	for (i = 2; i < 5; i++) {
		e.slice = i;
		ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
		memset(got, 0, sizeof(got));
		ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_DOWNLOAD, p.table, 0, 0, 8, got, NULL, i - 1));
		EXPECT_EQ(0, memcmp(data, got, sizeof(data)));
	}
	p.row_stride = self->info.align * 16;
	EXPECT_EQ(-EINVAL, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
}

TEST_F(dev, striped_rows_cannot_become_copies)
{
	struct ppim_ioc_extent e = { .slice = 1, .rows = 8 };
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = 1, .extents = t_ptr(&e) };

	ASSERT_EQ(0, create(self->fd, t_dense(8, 16), &p.table));
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
	EXPECT_EQ(-EBUSY, t_call(self->fd, PPIM_IOC_DUPLICATE, &p));
}

TEST_F(dev, hints_need_copies)
{
	uint32_t t;

	ASSERT_EQ(0, create(self->fd, t_qr(64, 16, 4), &t));
	EXPECT_EQ(-ENODATA, t_prefetch(self->fd, t, PPIM_SUB_R, 1));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, t, PPIM_SUB_Q, 16, 0));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, t, PPIM_SUB_R, 4, 1));
	EXPECT_EQ(-ENODATA, t_prefetch(self->fd, t, PPIM_SUB_Q, 1));
	EXPECT_EQ(0, t_prefetch(self->fd, t, PPIM_SUB_R, 1));
	EXPECT_EQ(0, t_prefetch(self->fd, t, PPIM_SUB_R, 0));
	EXPECT_EQ(-EINVAL, t_prefetch(self->fd, t, PPIM_SUB_R, 2));
	EXPECT_EQ(-EINVAL, t_prefetch(self->fd, t, 2, 1));
}

/* --- listings --------------------------------------------------------------- */

TEST_F(dev, info_says_what_was_placed)
{
	struct ppim_ioc_table_info i = { .size = sizeof(i) };
	struct ppim_ioc_table_create c;
	struct ppim_shape s = t_qr(1000, 32, 4);
	uint64_t per_slice = (250 + self->info.slices - 1) / self->info.slices;

	ASSERT_EQ(0, t_create(self->fd, &s, "listed", &c));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, c.handle, PPIM_SUB_Q, 250, 0));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, c.handle, PPIM_SUB_R, 4, 1));
	ASSERT_EQ(0, t_prefetch(self->fd, c.handle, PPIM_SUB_R, 1));
	i.handle = c.handle;
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_TABLE_INFO, &i));
	EXPECT_EQ(c.id, i.id);
	EXPECT_EQ(getpid(), i.pid);
	EXPECT_STREQ("listed", i.create.name);
	EXPECT_EQ(1000, i.create.rows);
	EXPECT_EQ(250, i.sub[0].rows);
	EXPECT_EQ(128, i.sub[0].row_bytes);
	EXPECT_EQ(self->info.slices, i.sub[0].n_extents);
	EXPECT_EQ(0, i.sub[0].flags);
	EXPECT_EQ(per_slice * i.sub[0].row_stride * self->info.slices, i.sub[0].hbm_bytes);
	EXPECT_EQ(4, i.sub[1].rows);
	EXPECT_EQ(PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH, i.sub[1].flags);
	EXPECT_EQ(0, i.sub[1].dimm_bytes);
	EXPECT_EQ(0, i.sub[2].rows);
}

TEST_F(dev, next_walks_by_id)
{
	struct ppim_ioc_table_info i = { .size = sizeof(i), .flags = PPIM_TABLE_INFO_NEXT };
	struct ppim_ioc_table_create c[3];
	struct ppim_shape s = t_dense(4, 4);
	int k;

	for (k = 0; k < 3; k++)
		ASSERT_EQ(0, t_create(self->fd, &s, "walk", &c[k]));
	for (k = 0; k < 3; k++) {
		ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_TABLE_INFO, &i));
		EXPECT_EQ(c[k].id, i.id);
		EXPECT_EQ(c[k].handle, i.handle);
	}
	EXPECT_EQ(-ENOENT, t_call(self->fd, PPIM_IOC_TABLE_INFO, &i));
	i.id = UINT64_MAX;
	EXPECT_EQ(-ENOENT, t_call(self->fd, PPIM_IOC_TABLE_INFO, &i));
}

TEST_HARNESS_MAIN
