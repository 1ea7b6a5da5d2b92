// SPDX-License-Identifier: GPL-2.0-only
/* Batches: every answer equals the reference to the bit, every error says where. */
#include "ppim_test.h"
#include "kselftest_harness.h"

FIXTURE(algo) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
};

FIXTURE_VARIANT(algo) {
	struct ppim_shape shape;
};

FIXTURE_VARIANT_ADD(algo, dense) { .shape = { .rows = 3000, .dim = 32 } };
FIXTURE_VARIANT_ADD(algo, dense_odd) { .shape = { .rows = 77, .dim = 13 } };
FIXTURE_VARIANT_ADD(algo, qr_mult) {
	.shape = { .rows = 10007, .dim = 32, .algo = PPIM_ALGO_QR, .collisions = 4 } };
FIXTURE_VARIANT_ADD(algo, qr_add) {
	.shape = { .rows = 10007, .dim = 32, .algo = PPIM_ALGO_QR, .collisions = 8,
		   .combine = PPIM_COMBINE_ADD } };
FIXTURE_VARIANT_ADD(algo, qr_concat) {
	.shape = { .rows = 10007, .dim = 32, .algo = PPIM_ALGO_QR, .collisions = 16,
		   .combine = PPIM_COMBINE_CONCAT } };
FIXTURE_VARIANT_ADD(algo, tt_rank_8) {
	.shape = { .rows = 8000, .dim = 32, .algo = PPIM_ALGO_TT, .tt_p = { 20, 20, 20 },
		   .tt_q = { 2, 4, 4 }, .tt_r = { 8, 8 } } };
FIXTURE_VARIANT_ADD(algo, tt_rank_16) {
	.shape = { .rows = 2000, .dim = 32, .algo = PPIM_ALGO_TT, .tt_p = { 10, 15, 20 },
		   .tt_q = { 2, 4, 4 }, .tt_r = { 16, 16 } } };

FIXTURE_SETUP(algo)
{
	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
	ASSERT_EQ(0, t_table_setup(self->fd, &self->info, &self->t, &variant->shape, 11));
	t_batch_init(&self->b, &self->t, 5, 20, 12);
}

FIXTURE_TEARDOWN(algo)
{
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

TEST_F(algo, every_preset_gives_the_same_answer)
{
	uint32_t arch;

	for (arch = 1; arch < PPIM_ARCH_COUNT; arch++) {

		if (!(self->info.archs & (1u << arch)))
			continue;
		memset(self->b.out, 0xa5, 64);
		ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, arch, &self->r)) TH_LOG("arch %u", arch);
		EXPECT_EQ(0, t_batch_wrong(&self->b)) TH_LOG("arch %u", arch);
		EXPECT_EQ(arch, self->r.annotation.arch);
		EXPECT_EQ(100, self->r.annotation.lookups);
		EXPECT_GT(self->r.annotation.busy_ps, 0);
		EXPECT_LE(self->r.annotation.start_ps, self->r.annotation.end_ps);
	}
}

TEST_F(algo, default_preset_is_the_one_reported)
{
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_DEFAULT, &self->r));
	EXPECT_EQ(self->info.arch_default, self->r.annotation.arch);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, mean)
{
	self->b.job.mode = PPIM_MODE_MEAN;
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, max)
{
	if (!(self->info.modes & (1u << PPIM_MODE_MAX)))
		SKIP(return, "the device has no maximum");
	self->b.job.mode = PPIM_MODE_MAX;
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, weights)
{
	if (!(self->info.caps & PPIM_T_CAP_WEIGHTS))
		SKIP(return, "the device has no weights");
	t_batch_weigh(&self->b);
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, padding_counts_as_absent)
{
	if (!(self->info.caps & PPIM_T_CAP_PADDING))
		SKIP(return, "the device has no padding index");
	self->b.idx[0] = self->b.idx[21] = self->b.idx[99] = 5;
	self->b.job.flags |= PPIM_JOB_PADDING;
	self->b.job.padding_index = 5;
	self->b.job.mode = PPIM_MODE_MEAN;
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_GE(97, self->r.annotation.lookups);
}

TEST_F(algo, empty_bags_are_zero)
{
	/* Bags: 0, 30, 0, 70, 0 */
	int64_t off[5] = { 0, 0, 30, 30, 100 };

	memcpy(self->b.off, off, sizeof(off));
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	self->b.job.n_indices = self->b.n = 0;
	memset(self->b.off, 0, sizeof(off));
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, narrow_indices)
{
	int32_t idx[100], off[5];
	int i;

	for (i = 0; i < 100; i++)
		idx[i] = self->b.idx[i];
	for (i = 0; i < 5; i++)
		off[i] = self->b.off[i];
	self->b.job.index_bytes = 4;
	self->b.job.indices = t_buf(idx, sizeof(idx));
	self->b.job.offsets = t_buf(off, sizeof(off));
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(algo, contents_can_change)
{
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	ASSERT_EQ(0, t_batch_wrong(&self->b));
	t_contents(&self->t, 99);
	ASSERT_EQ(0, t_upload_all(self->fd, &self->t));
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

/* The reference itself is no rubber stamp. */
TEST_F(algo, corrupted_row_is_noticed)
{
	float *row = malloc(self->t.elems[0] * sizeof(float));
	uint64_t i;

	/* Every row of the first subtable is off by one unit somewhere. */
	for (i = 0; i < self->t.rows[0]; i++) {
		memcpy(row, self->t.data[0] + i * self->t.elems[0], self->t.elems[0] * sizeof(float));
		row[0] += 1;
		ASSERT_EQ(0, t_copy(self->fd, PPIM_IOC_UPLOAD, self->t.handle, 0, i, 1, row, NULL, 0));
	}
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_NE(0, t_batch_wrong(&self->b));
	free(row);
}

/* --- errors ------------------------------------------------------------------ */

TEST_F(algo, bad_index_names_job_and_bag)
{
	struct ppim_ioc_job jobs[3] = { self->b.job, self->b.job, self->b.job };
	struct t_batch bad;

	t_batch_init(&bad, &self->t, 5, 20, 13);
	bad.idx[67] = self->t.shape.rows;
	jobs[1] = bad.job;
	EXPECT_EQ(-ERANGE, t_run(self->fd, jobs, 3, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(PPIM_ST_BAD_INDEX, self->r.status);
	EXPECT_EQ(ERANGE, self->r.error);
	EXPECT_EQ(1, self->r.job);
	EXPECT_EQ(3, self->r.bag);
	EXPECT_EQ(self->t.shape.rows, self->r.detail);
	bad.idx[67] = -1;
	EXPECT_EQ(-ERANGE, t_run(self->fd, jobs, 3, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(UINT64_MAX, self->r.detail);
	t_batch_free(&bad);
}

TEST_F(algo, failed_batch_writes_no_output)
{
	size_t i, n = (size_t)self->b.bags * self->t.shape.dim * sizeof(float);
	uint8_t *out = (uint8_t *)self->b.out;

	self->b.idx[99] = INT64_MAX;
	EXPECT_EQ(-ERANGE, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	for (i = 0; i < n; i++)
		ASSERT_EQ(0xa5, out[i]);
}

TEST_F(algo, bad_offsets_name_the_bag)
{
	self->b.off[2] = 10;
	EXPECT_EQ(-ERANGE, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(PPIM_ST_BAD_OFFSETS, self->r.status);
	EXPECT_EQ(2, self->r.bag);
	self->b.off[2] = 101;
	EXPECT_EQ(-ERANGE, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	self->b.off[2] = 40;
	self->b.off[0] = 1;
	EXPECT_EQ(-ERANGE, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, self->r.bag);
}

TEST_F(algo, busy_table_is_not_destroyed)
{
	uint64_t ticket;
	int tries, busy = 0, ret;

	/* The first batch that is still in flight when we try is enough. */
	for (tries = 0; tries < 200 && !busy; tries++) {
		ASSERT_EQ(0, t_submit(self->fd, &self->b.job, 1, &ticket));
		ret = t_place_slices(self->fd, &self->info, self->t.handle, 0, self->t.rows[0], 0);
		EXPECT_EQ(-EBUSY, ret);
		if (t_wait(self->fd, ticket, 0, &self->r) == -ETIMEDOUT) {
			busy = 1;
			ASSERT_EQ(0, t_wait(self->fd, ticket, -1, &self->r));
		}
	}
	EXPECT_EQ(0, t_destroy(self->fd, self->t.handle));
	EXPECT_EQ(-ENOENT, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
}

/* --- placements ---------------------------------------------------------------- */

FIXTURE(dev) {
	int fd;
	struct ppim_ioc_info info;
	struct t_table t;
	struct t_batch b;
	struct ppim_ioc_result r;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(PPIM_T_DEV, O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, t_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(dev)
{
	t_batch_free(&self->b);
	t_table_free(&self->t);
	close(self->fd);
}

static int setup_unplaced(int fd, struct t_table *t, struct t_batch *b)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	struct ppim_ioc_table_create c;
	int ret;

	t_table_init(t, &s, 21);
	ret = t_create(fd, &s, "places", &c);
	t->handle = c.handle;
	t_batch_init(b, t, 4, 32, 22);
	return ret;
}

TEST_F(dev, unplaced_table_is_refused)
{
	ASSERT_EQ(0, setup_unplaced(self->fd, &self->t, &self->b));
	EXPECT_EQ(-ENODATA, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, self->t.handle, 0, 1000, 0));
	EXPECT_EQ(-ENODATA, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, self->r.job);
}

TEST_F(dev, preset_without_its_copies_is_refused)
{
	struct ppim_ioc_extent e = { .slice = 0, .rows = 4 };

	ASSERT_EQ(0, setup_unplaced(self->fd, &self->t, &self->b));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, self->t.handle, PPIM_SUB_Q, 1000, 0));
	ASSERT_EQ(0, t_place_one(self->fd, self->t.handle, PPIM_SUB_R, &e, 0));
	ASSERT_EQ(0, t_upload_all(self->fd, &self->t));
	EXPECT_EQ(-ENODATA, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM_DUP, &self->r));
	EXPECT_EQ(PPIM_ST_NO_COPY, self->r.status);
	EXPECT_EQ(PPIM_SUB_R, self->r.detail);
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_GT(self->r.annotation.moves, 0);
}

TEST_F(dev, preset_without_its_hint_is_refused)
{
	ASSERT_EQ(0, setup_unplaced(self->fd, &self->t, &self->b));
	ASSERT_EQ(0, t_place_all(self->fd, &self->info, &self->t));
	ASSERT_EQ(0, t_upload_all(self->fd, &self->t));
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM_DUP, &self->r));
	EXPECT_EQ(0, self->r.annotation.moves);
	EXPECT_EQ(-ENODATA, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r));
	EXPECT_EQ(PPIM_ST_NO_HINT, self->r.status);
	ASSERT_EQ(0, t_prefetch(self->fd, self->t.handle, PPIM_SUB_R, 1));
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_GT(self->r.annotation.sram_hits, 0);
	ASSERT_EQ(0, t_prefetch(self->fd, self->t.handle, PPIM_SUB_R, 0));
	EXPECT_EQ(-ENODATA, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r));
}

/* Hot rows in the HBM, the others in the DIMM, by a map. */
TEST_F(dev, mapped_rows_are_read_from_both_tiers)
{
	uint32_t n = self->info.slices, i, map[1000];
	struct ppim_ioc_extent *e = calloc(n + 1, sizeof(*e));
	struct ppim_ioc_place p = { .size = sizeof(p), .n_extents = n + 1, .extents = t_ptr(e),
				    .map = t_ptr(map), .map_bits = 16,
				    .map_tier = PPIM_TIER_DIMM };

	if (!(self->info.caps & PPIM_T_CAP_ROW_MAP))
		SKIP(return, "the device has no row maps");
	ASSERT_EQ(0, setup_unplaced(self->fd, &self->t, &self->b));
	for (i = 0; i < n; i++)
		e[i] = (struct ppim_ioc_extent){ .slice = i, .rows = 500 / n + 1 };
	e[n] = (struct ppim_ioc_extent){ .tier = PPIM_TIER_DIMM, .rows = 500 };
	for (i = 0; i < 1000; i++)
		map[i] = i & 1 ? n << 16 | i / 2 : (i / 2 % n) << 16 | (i / 2 / n);
	p.table = self->t.handle;
	ASSERT_EQ(0, t_call(self->fd, PPIM_IOC_PLACE, &p));
	ASSERT_EQ(0, t_place_slices(self->fd, &self->info, self->t.handle, PPIM_SUB_R, 4, 1));
	ASSERT_EQ(0, t_prefetch(self->fd, self->t.handle, PPIM_SUB_R, 1));
	ASSERT_EQ(0, t_upload_all(self->fd, &self->t));
	EXPECT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_PROACTIVE, &self->r));
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	EXPECT_GT(self->r.annotation.reads_hbm, 0);
	EXPECT_GT(self->r.annotation.reads_dimm, 0);
	free(e);
}

/* --- shapes of batches ------------------------------------------------------------ */

static int setup_simple(int fd, const struct ppim_ioc_info *info, struct t_table *t,
			struct t_batch *b, uint32_t bags, uint32_t pooling)
{
	struct ppim_shape s = t_qr(4000, 32, 4);
	int ret = t_table_setup(fd, info, t, &s, 31);

	t_batch_init(b, t, bags, pooling, 32);
	return ret;
}

TEST_F(dev, as_many_tables_as_the_device_takes)
{
	uint32_t n = self->info.max_tables, i, dim = 32;
	struct ppim_ioc_job *jobs;
	float *out;

	if (n > 256)
		n = 256;
	jobs = calloc(n, sizeof(*jobs));
	out = malloc(n * 4 * dim * sizeof(*out));
	ASSERT_EQ(0, setup_simple(self->fd, &self->info, &self->t, &self->b, 4, 8));
	memset(out, 0xa5, n * 4 * dim * sizeof(*out));
	for (i = 0; i < n; i++) {
		jobs[i] = self->b.job;
		jobs[i].output = t_buf(out + (size_t)i * 4 * dim, 4 * dim * sizeof(*out));
	}
	ASSERT_EQ(0, t_run(self->fd, jobs, n, PPIM_ARCH_BGPIM, &self->r));
	for (i = 0; i < n; i++) {
		memcpy(self->b.out, out + (size_t)i * 4 * dim, 4 * dim * sizeof(*out));
		ASSERT_EQ(0, t_batch_wrong(&self->b)) TH_LOG("job %u", i);
	}
	free(jobs);
	free(out);
}

/* Scatter lists longer than a slot's own memory, with chains. */
TEST_F(dev, large_batch_in_scattered_pages)
{
	uint32_t pooling = 512, bags = 1500;
	uint64_t n = (uint64_t)pooling * bags;

	if (n > self->info.max_indices) {
		bags = self->info.max_indices / pooling;
		n = (uint64_t)pooling * bags;
	}
	ASSERT_EQ(0, setup_simple(self->fd, &self->info, &self->t, &self->b, bags, pooling));
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	EXPECT_EQ(n, self->r.annotation.lookups);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
}

TEST_F(dev, buffers_at_every_alignment)
{
	uint8_t *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t at;

	ASSERT_EQ(0, setup_simple(self->fd, &self->info, &self->t, &self->b, 4, 8));
	/* Over the end of a page, by every 4 bytes. */
	for (at = 4096 - 264; at < 4096 + 8; at += 4) {
		memcpy(page + at, self->b.idx, 32 * 8);
		self->b.job.indices = t_buf(page + at, 32 * 8);
		ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
		ASSERT_EQ(0, t_batch_wrong(&self->b)) TH_LOG("at %u", at);
	}
	munmap(page, 3 * 4096);
}

TEST_F(dev, neighbours_of_the_output_are_untouched)
{
	size_t bytes = 4 * 32 * sizeof(float), i;
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, setup_simple(self->fd, &self->info, &self->t, &self->b, 4, 8));
	memset(page, 0x5a, 4096);
	self->b.job.output = t_buf(page + 1000, bytes);
	ASSERT_EQ(0, t_run(self->fd, &self->b.job, 1, PPIM_ARCH_BGPIM, &self->r));
	memcpy(self->b.out, page + 1000, bytes);
	EXPECT_EQ(0, t_batch_wrong(&self->b));
	for (i = 0; i < 4096; i++)
		if (i < 1000 || i >= 1000 + bytes)
			ASSERT_EQ(0x5a, page[i]);
	munmap(page, 4096);
}

TEST_HARNESS_MAIN
