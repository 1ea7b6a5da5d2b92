// SPDX-License-Identifier: MIT
/* libppim without a device: tables, placement, contents, batches, contexts and
 * threads on the CPU path, whose calls have the driver's rules. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "plan.h"
#include "ppim.h"

#define ROWS 1000
#define DIM 16
#define COLLISIONS 4
#define Q_ROWS (ROWS / COLLISIONS)

static const struct ppim_shape qr = { .rows = ROWS, .dim = DIM,
				      .algo = PPIM_ALGO_QR,
				      .collisions = COLLISIONS };

static int open_cpu(void **state)
{
	return ppim_open(PPIM_DEV_CPU, (struct ppim_dev **)state);
}

static int close_cpu(void **state)
{
	ppim_close(*state);
	return 0;
}

static float q_value(uint64_t row, uint32_t e)
{
	return (float)(row % 97) + (float)e / 16;
}

static float r_value(uint64_t row, uint32_t e)
{
	return (float)row - (float)e / 8;
}

/* A placed table with known contents. */
static struct ppim_tbl *table_new(struct ppim_dev *dev, const char *name)
{
	float q[Q_ROWS * DIM], r[COLLISIONS * DIM];
	struct ppim_tbl *t;
	uint32_t i, e;

	for (i = 0; i < Q_ROWS; i++)
		for (e = 0; e < DIM; e++)
			q[i * DIM + e] = q_value(i, e);
	for (i = 0; i < COLLISIONS; i++)
		for (e = 0; e < DIM; e++)
			r[i * DIM + e] = r_value(i, e);
	assert_int_equal(ppim_table_create(dev, &qr, name, &t), 0);
	assert_int_equal(ppim_place_auto(dev, &t, 1, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(ppim_upload(t, PPIM_SUB_Q, 0, Q_ROWS, q), 0);
	assert_int_equal(ppim_upload(t, PPIM_SUB_R, 0, COLLISIONS, r), 0);
	return t;
}

/* Two bags: {3, 4} and {999}. */
struct small {
	int32_t idx[3], off[2];
	float out[2 * DIM];
	struct ppim_bags bags;
	struct ppim_gnr gnr;
};

static void small_make(struct small *s, struct ppim_tbl *t)
{
	*s = (struct small){ .idx = { 3, 4, 999 }, .off = { 0, 2 } };
	s->bags = (struct ppim_bags){ .table = t, .indices = s->idx,
				      .offsets = s->off, .output = s->out,
				      .n_indices = 3, .n_bags = 2,
				      .index_bytes = 4 };
	s->gnr = (struct ppim_gnr){ .bags = &s->bags, .n_tables = 1 };
}

static float value(uint64_t i, uint32_t e)
{
	return q_value(i / COLLISIONS, e) * r_value(i % COLLISIONS, e);
}

static void small_check(const struct small *s)
{
	uint32_t e;

	for (e = 0; e < DIM; e++) {
		assert_true(s->out[e] == value(3, e) + value(4, e));
		assert_true(s->out[DIM + e] == value(999, e));
	}
}

/* ---- device ---- */

static void a_missing_device_is_enoent(void **state)
{
	struct ppim_dev *dev = NULL;

	(void)state;
	assert_int_equal(ppim_open("/nonexistent/ppim", &dev), -ENOENT);
	assert_int_equal(ppim_open("/dev/null", &dev), -ENOTTY);
	assert_null(dev);
	ppim_close(NULL);
}

static void the_cpu_path_says_what_it_is(void **state)
{
	struct ppim_info info;

	assert_int_equal(ppim_info(*state, &info), 0);
	assert_true(info.is_cpu);
	assert_false(info.uring);
	assert_string_equal(info.uring_reason, "no device");
	assert_true(info.threads >= 1);
	assert_int_equal(info.dev.archs, 1 << PPIM_ARCH_CPU);
	assert_int_equal(info.dev.hbm_free, info.dev.hbm_bytes);
	assert_int_equal(ppim_fd(*state), -1);
	assert_true(strlen(ppim_version()) >= 5);
}

/* ---- tables ---- */

static void tables_are_listed_in_order_of_their_ids(void **state)
{
	struct ppim_tbl *a, *b, *c;
	struct ppim_ioc_table_info info;
	uint64_t id;

	assert_int_equal(ppim_table_create(*state, &qr, "a", &a), 0);
	assert_int_equal(ppim_table_create(*state, &qr, NULL, &b), 0);
	assert_int_equal(ppim_table_create(*state, &qr,
		"a name that is longer than the thirty-one characters there are",
		&c), 0);
	assert_int_equal(strlen(ppim_table_name(c)), 31);
	assert_int_equal(ppim_table_next(*state, 0, &info), 0);
	assert_string_equal(info.create.name, "a");
	id = info.id;
	assert_int_equal(ppim_table_destroy(b), 0);
	assert_int_equal(ppim_table_next(*state, id, &info), 0);
	assert_string_equal(info.create.name, ppim_table_name(c));
	assert_int_equal(ppim_table_next(*state, info.id, &info), -ENOENT);
	assert_int_equal(ppim_table_info(a, &info), 0);
	assert_int_equal(info.id, id);
	assert_int_equal(info.sub[0].rows, Q_ROWS);
	assert_int_equal(info.sub[0].n_extents, 0);
	assert_memory_equal(ppim_table_shape(a), &qr, sizeof(qr));
}

static void an_impossible_shape_is_refused(void **state)
{
	struct ppim_shape bad = qr;
	struct ppim_tbl *t = NULL;

	bad.tt_p[1] = 3;
	assert_int_equal(ppim_table_create(*state, &bad, NULL, &t), -EINVAL);
	bad = qr;
	bad.dim = 0;
	assert_int_equal(ppim_table_create(*state, &bad, NULL, &t), -EINVAL);
	assert_int_equal(ppim_table_create(*state, &qr, "new\nline", &t),
			 -EINVAL);
	assert_null(t);
}

/* ---- placement ---- */

static void destroying_a_table_gives_its_room_back(void **state)
{
	struct ppim_ioc_table_info info;
	struct ppim_info before, placed, after;
	struct ppim_tbl *t;

	ppim_info(*state, &before);
	t = table_new(*state, "t");
	ppim_info(*state, &placed);
	assert_int_equal(ppim_table_info(t, &info), 0);
	assert_int_equal(info.sub[0].hbm_bytes, Q_ROWS * 64);
	assert_int_equal(info.sub[1].hbm_bytes, 32 * COLLISIONS * 64);
	assert_int_equal(info.sub[1].flags,
			 PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH);
	assert_int_equal(before.dev.hbm_free - placed.dev.hbm_free,
			 info.sub[0].hbm_bytes + info.sub[1].hbm_bytes);
	assert_int_equal(ppim_table_destroy(t), 0);
	ppim_info(*state, &after);
	assert_int_equal(after.dev.hbm_free, before.dev.hbm_free);
}

static void a_profile_splits_a_table_between_the_tiers(void **state)
{
	const struct ppim_plan_profile *profiles[1];
	struct ppim_plan_profile *p;
	struct ppim_ioc_table_info info;
	struct ppim_plan *plan;
	struct ppim_plan_error err;
	struct ppim_tbl *t;
	char line[256];

	assert_int_equal(ppim_plan_profile_create(&qr, &p), 0);
	ppim_plan_profile_add_row(p, 7, 960);
	ppim_plan_profile_add_row(p, 8, 40);
	profiles[0] = p;
	assert_int_equal(ppim_table_create(*state, &qr, "users", &t), 0);
	assert_int_equal(ppim_place_auto(*state, &t, 1, profiles, NULL, &plan,
					 &err), 0);
	ppim_plan_profile_free(p);
	assert_int_equal(ppim_table_info(t, &info), 0);
	assert_int_equal(info.sub[0].flags, PPIM_SUBF_MAPPED);
	assert_int_equal(info.sub[0].hbm_bytes, 64);
	/* rows and the row map */
	assert_int_equal(info.sub[0].dimm_bytes, 249 * 64 + 250 * 4);
	assert_true(ppim_plan_explain(plan, 0, 0, 8, line, sizeof(line)) > 0);
	assert_non_null(strstr(line, "users.Q row 8 is in the DIMM"));
	ppim_plan_free(plan);
	/* placed once */
	assert_int_equal(ppim_place_auto(*state, &t, 1, NULL, NULL, NULL, &err),
			 -EBUSY);
	assert_non_null(strstr(err.msg, "users"));
}

static int place_one(struct ppim_tbl *t, uint32_t sub, uint32_t tier,
		     uint32_t slice, uint64_t rows, uint32_t stride)
{
	struct ppim_ioc_extent e = { .tier = tier, .slice = slice,
				     .rows = rows };
	struct ppim_ioc_place p = { .subtable = sub, .n_extents = 1,
				    .row_stride = stride,
				    .extents = (uintptr_t)&e };

	return ppim_place(t, &p);
}

static void placement_by_hand_is_checked(void **state)
{
	struct ppim_ioc_extent e[2] = { { .slice = 0, .rows = COLLISIONS },
					{ .slice = 5, .rows = COLLISIONS } };
	struct ppim_ioc_place dup = { .subtable = 1, .n_extents = 2,
				      .extents = (uintptr_t)e };
	struct ppim_tbl *t;

	assert_int_equal(ppim_table_create(*state, &qr, "t", &t), 0);
	assert_int_equal(place_one(t, 2, 0, 0, Q_ROWS, 0), -EINVAL);
	assert_int_equal(place_one(t, 0, 0, 99, Q_ROWS, 0), -EINVAL);
	assert_int_equal(place_one(t, 0, 2, 0, Q_ROWS, 0), -EOPNOTSUPP);
	assert_int_equal(place_one(t, 0, 4, 0, Q_ROWS, 0), -EINVAL);
	assert_int_equal(place_one(t, 0, 0, 0, Q_ROWS - 1, 0), -EINVAL);
	assert_int_equal(place_one(t, 0, 0, 0, Q_ROWS, 32), -EINVAL);
	assert_int_equal(place_one(t, 0, 0, 0, Q_ROWS, 96), -EINVAL);
	assert_int_equal(place_one(t, 0, 0, 0, 3 << 20, 0), -ENOSPC);
	assert_int_equal(place_one(t, 0, 0, 0, Q_ROWS, 128), 0);
	assert_int_equal(place_one(t, 0, 0, 0, Q_ROWS, 128), -EBUSY);
	assert_int_equal(ppim_prefetch(t, 1, 1), -ENODATA);
	assert_int_equal(ppim_duplicate(t, &dup), 0);
	/* one more copy in each of the two */
	assert_int_equal(ppim_duplicate(t, &dup), 0);
	/* behind Q, the first copy, and nothing else */
	assert_int_equal(e[0].offset, Q_ROWS * 128 + COLLISIONS * 64);
	assert_int_equal(e[1].offset, COLLISIONS * 64);
	assert_int_equal(ppim_prefetch(t, 1, 1), 0);
	assert_int_equal(ppim_prefetch(t, 5, 1), -EINVAL);
}

static void a_row_map_is_checked_to_the_last_entry(void **state)
{
	struct ppim_ioc_extent e[2] = { { .slice = 0, .rows = 10 },
					{ .tier = PPIM_TIER_DIMM,
					  .rows = Q_ROWS } };
	struct ppim_ioc_place p = { .n_extents = 2, .extents = (uintptr_t)e,
				    .map_bits = 20, .map_tier = 1 };
	uint32_t map[Q_ROWS], i;
	struct ppim_tbl *t;

	for (i = 0; i < Q_ROWS; i++)
		map[i] = 1u << 20 | i;
	p.map = (uintptr_t)map;
	assert_int_equal(ppim_table_create(*state, &qr, "t", &t), 0);
	map[Q_ROWS - 1] = 2u << 20;
	assert_int_equal(ppim_place(t, &p), -ERANGE);
	map[Q_ROWS - 1] = 10;
	assert_int_equal(ppim_place(t, &p), -ERANGE);
	map[Q_ROWS - 1] = 9;
	p.map_bits = 32;
	assert_int_equal(ppim_place(t, &p), -EINVAL);
	p.map_bits = 20;
	assert_int_equal(ppim_place(t, &p), 0);
}

/* ---- contents ---- */

static void rows_come_back_as_they_were_written(void **state)
{
	static const uint64_t rows[] = { 249, 0, 17 }, bad[] = { 0, 250 };
	struct ppim_tbl *t = table_new(*state, "t");
	float in[3 * DIM], out[3 * DIM];
	uint32_t i;

	for (i = 0; i < 3 * DIM; i++)
		in[i] = (float)i;
	assert_int_equal(ppim_upload_rows(t, 0, rows, 3, in), 0);
	assert_int_equal(ppim_download_rows(t, 0, rows, 3, out, 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(ppim_download(t, 0, 17, 1, out, 0), 0);
	assert_memory_equal(in + 2 * DIM, out, DIM * 4);
	assert_int_equal(ppim_download(t, 0, 18, 1, out, 0), 0);
	assert_true(out[0] == q_value(18, 0));
	/* any copy of R, but of Q there is one */
	assert_int_equal(ppim_download(t, 1, 2, 1, out, 31), 0);
	assert_true(out[1] == r_value(2, 1));
	assert_int_equal(ppim_download(t, 1, 2, 1, out, 32), -EINVAL);
	assert_int_equal(ppim_download(t, 0, 2, 1, out, 1), -EINVAL);
	assert_int_equal(ppim_download(t, 0, 249, 2, out, 0), -ERANGE);
	assert_int_equal(ppim_download(t, 0, UINT64_MAX, 2, out, 0), -ERANGE);
	assert_int_equal(ppim_upload_rows(t, 0, bad, 2, in), -ERANGE);
	assert_int_equal(ppim_upload_rows(t, 0, NULL, 2, in), -EINVAL);
	assert_int_equal(ppim_upload(t, 2, 0, 1, in), -EINVAL);
	assert_int_equal(ppim_upload(t, 0, 0, 0, NULL), 0);
}

static void an_unplaced_table_has_no_contents(void **state)
{
	struct ppim_ioc_result r;
	struct ppim_tbl *t;
	struct small s;
	float row[DIM];
	char line[128];

	assert_int_equal(ppim_table_create(*state, &qr, "new", &t), 0);
	assert_int_equal(ppim_upload(t, 0, 0, 1, row), -ENODATA);
	small_make(&s, t);
	assert_int_equal(ppim_gnr(*state, &s.gnr, &r), -ENODATA);
	ppim_strerror_result(&s.gnr, &r, line, sizeof(line));
	assert_string_equal(line, "table new: a subtable is not placed");
}

/* ---- batches ---- */

static void a_batch_is_computed(void **state)
{
	struct ppim_tbl *t = table_new(*state, "t");
	struct ppim_ioc_stats stats;
	struct ppim_ioc_result r;
	struct small s;

	small_make(&s, t);
	assert_int_equal(ppim_gnr(*state, &s.gnr, &r), 0);
	small_check(&s);
	assert_int_equal(r.annotation.lookups, 3);
	assert_int_equal(r.annotation.arch, PPIM_ARCH_CPU);
	assert_int_equal(ppim_gnr(*state, &s.gnr, NULL), 0);
	assert_int_equal(ppim_stats(*state, &stats), 0);
	assert_int_equal(stats.completed, 2);
	assert_int_equal(stats.lookups, 6);
	assert_int_equal(stats.bags, 4);
	assert_int_equal(ppim_reset(*state), 0);
	assert_int_equal(ppim_stats(*state, &stats), 0);
	assert_int_equal(stats.completed, 0);
	assert_int_equal(stats.resets, 1);
}

static void many_tables_go_in_one_batch(void **state)
{
	enum { N = 40 };
	struct small s[N];
	struct ppim_bags bags[N];
	struct ppim_gnr g = { .bags = bags, .n_tables = N };
	int i;

	for (i = 0; i < N; i++) {
		small_make(&s[i], table_new(*state, "t"));
		bags[i] = s[i].bags;
	}
	assert_int_equal(ppim_gnr(*state, &g, NULL), 0);
	for (i = 0; i < N; i++)
		small_check(&s[i]);
}

static void says(void *dev, struct small *s, int want, const char *line)
{
	struct ppim_ioc_result r;
	char buf[256];

	assert_int_equal(ppim_gnr(dev, &s->gnr, &r), want);
	assert_true(ppim_strerror_result(&s->gnr, &r, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, line);
}

static void an_error_says_where_and_what(void **state)
{
	struct ppim_tbl *t = table_new(*state, "users");
	struct ppim_tbl *noname = table_new(*state, NULL);
	char tiny[8];
	struct ppim_ioc_result r = { .status = PPIM_ST_OK };
	struct small s;

	small_make(&s, t);
	s.idx[1] = 1000;
	says(*state, &s, -ERANGE,
	     "table users bag 0: index 1000 is outside 0..999");
	s.idx[1] = -1;
	says(*state, &s, -ERANGE,
	     "table users bag 0: index -1 is outside 0..999");
	s.idx[1] = 0;
	s.off[1] = 4;
	says(*state, &s, -ERANGE,
	     "table users: the offset of bag 1 is below that of the bag before it, or above the number of indices");
	s.off[0] = 1;
	says(*state, &s, -ERANGE, "table users: the offset of bag 0 is not 0");
	small_make(&s, noname);
	s.idx[2] = 5000;
	says(*state, &s, -ERANGE,
	     "table 0 of the batch bag 1: index 5000 is outside 0..999");
	small_make(&s, t);
	s.gnr.arch = PPIM_ARCH_PROACTIVE;
	says(*state, &s, -EOPNOTSUPP,
	     "preset proactive is not one of the device's");
	s.gnr.arch = PPIM_ARCH_COUNT;
	says(*state, &s, -EINVAL, "the batch: arch is no preset");
	s.gnr.arch = 0;
	s.gnr.n_tables = 0;
	says(*state, &s, -EINVAL, "the batch: it has no tables");
	s.gnr.n_tables = 1;
	s.bags.table = NULL;
	says(*state, &s, -EINVAL, "table 0 of the batch: table is NULL");
	assert_int_equal(ppim_strerror_result(NULL, &r, tiny, sizeof(tiny)), 2);
	assert_string_equal(tiny, "ok");
	r.status = PPIM_ST_RESET;
	assert_true(ppim_strerror_result(NULL, &r, tiny, sizeof(tiny)) > 20);
	assert_string_equal(tiny, "the bat");
}

static void a_wrong_field_is_named(void **state)
{
	struct ppim_tbl *t = table_new(*state, "users");
	struct small s;

#define wrong(field, value, line)                                  \
	do {                                                       \
		small_make(&s, t);                                 \
		s.bags.field = value;                              \
		says(*state, &s, -EINVAL, "table users: " line);   \
	} while (0)
	wrong(index_bytes, 2, "index_bytes is neither 4 nor 8");
	wrong(mode, 3, "mode is neither sum, mean nor max");
	wrong(flags, 4, "flags has a bit without a meaning");
	wrong(reserved[4], 1, "reserved is not zero");
	wrong(indices, NULL, "indices is NULL");
	wrong(offsets, NULL, "offsets is NULL");
	wrong(output, NULL, "output is NULL");
	wrong(n_bags, 0, "there are no bags");
#undef wrong
	small_make(&s, t);
	s.bags.weights = s.out;
	s.bags.mode = PPIM_MODE_MEAN;
	says(*state, &s, -EINVAL, "table users: weights go with the sum only");
}

/* What only a device can answer, worded for a user. */
static void device_errors_have_words(void **state)
{
	static const struct {
		uint32_t status;
		int error;
		uint64_t detail;
		const char *line;
	} v[] = {
		{ PPIM_ST_NO_COPY, ENODATA, 1,
		  "table users: preset proactive needs a copy of R in every bank group that it uses" },
		{ PPIM_ST_NO_HINT, ENODATA, 1,
		  "table users: preset proactive needs the prefetch hint for R" },
		{ PPIM_ST_BAD_PLACEMENT, EIO, 3,
		  "table users: a row of Q is not where extent 3 of its placement says" },
		{ PPIM_ST_TOO_LARGE, E2BIG, 4096,
		  "table users: the batch is above the limit of 4096" },
		{ PPIM_ST_MEDIA_ERROR, EIO, 3ull << 40 | 128,
		  "uncorrectable memory error in the HBM, bank group 3 at 128" },
		{ PPIM_ST_MEDIA_ERROR, EIO, 1ull << 56 | 64,
		  "uncorrectable memory error in the DIMM at 64" },
		{ PPIM_ST_ABORTED, ECANCELED, 0, "the batch was aborted" },
		{ PPIM_ST_OK, ENODEV, 0, "No such device" },
	};
	struct ppim_tbl *t = table_new(*state, "users");
	struct ppim_ioc_result r;
	struct small s;
	char line[256];
	size_t i;

	small_make(&s, t);
	s.gnr.arch = PPIM_ARCH_PROACTIVE;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		r = (struct ppim_ioc_result){ .status = v[i].status,
					      .error = (uint32_t)v[i].error,
					      .detail = v[i].detail };
		ppim_strerror_result(&s.gnr, &r, line, sizeof(line));
		assert_string_equal(line, v[i].line);
	}
}

static void a_table_of_another_device_is_refused(void **state)
{
	struct ppim_dev *other;
	struct ppim_ctx *ctx;
	struct small s;

	assert_int_equal(ppim_open(PPIM_DEV_CPU, &other), 0);
	small_make(&s, table_new(other, "t"));
	assert_int_equal(ppim_gnr(*state, &s.gnr, NULL), -EINVAL);
	assert_int_equal(ppim_ctx_create(*state, 4, &ctx), 0);
	assert_int_equal(ppim_submit(ctx, &s.gnr, 0), -EINVAL);
	assert_int_equal(ppim_inflight(ctx), 0);
	ppim_ctx_free(ctx);
	ppim_close(other);
}

/* ---- contexts ---- */

static void submitted_batches_complete_with_their_user_data(void **state)
{
	enum { N = 64 };
	struct ppim_completion c[N];
	struct small s[N];
	struct ppim_ctx *ctx;
	struct ppim_tbl *t = table_new(*state, "t");
	bool seen[N] = { false };
	int i, n, got = 0;

	assert_int_equal(ppim_ctx_create(*state, N, &ctx), 0);
	for (i = 0; i < N; i++) {
		small_make(&s[i], t);
		assert_int_equal((i & 1 ? ppim_submit : ppim_submit_more)(
				ctx, &s[i].gnr, (uint64_t)i), 0);
		/* the description is copied */
		s[i].gnr.bags = NULL;
		memset(&s[i].bags, 0xff, sizeof(s[i].bags));
	}
	assert_int_equal(ppim_flush(ctx), 0);
	while (got < N) {
		n = ppim_wait(ctx, c, N, -1);
		assert_true(n > 0);
		for (i = 0; i < n; i++) {
			assert_int_equal(c[i].res, 0);
			assert_false(seen[c[i].user_data]);
			seen[c[i].user_data] = true;
			small_check(&s[c[i].user_data]);
		}
		got += n;
	}
	assert_int_equal(ppim_wait(ctx, c, 1, -1), -ENOENT);
	assert_int_equal(ppim_poll(ctx, c, 1), 0);
	/* nothing can be taken into no room: no endless loops */
	assert_int_equal(ppim_wait(ctx, c, 0, -1), -EINVAL);
	assert_int_equal(ppim_poll(ctx, c, 0), -EINVAL);
	ppim_ctx_free(ctx);
}

static void a_full_context_says_again(void **state)
{
	struct ppim_completion c;
	struct ppim_ctx *ctx;
	struct small s[3];
	int i;

	assert_int_equal(ppim_ctx_create(*state, 2, &ctx), 0);
	for (i = 0; i < 3; i++)
		small_make(&s[i], table_new(*state, "t"));
	assert_int_equal(ppim_submit(ctx, &s[0].gnr, 0), 0);
	assert_int_equal(ppim_submit(ctx, &s[1].gnr, 1), 0);
	/* completed or not: what was not taken counts */
	assert_int_equal(ppim_submit(ctx, &s[2].gnr, 2), -EAGAIN);
	assert_int_equal(ppim_inflight(ctx), 2);
	assert_int_equal(ppim_wait(ctx, &c, 1, 10000000000), 1);
	assert_int_equal(c.user_data, 0);
	assert_int_equal(ppim_submit(ctx, &s[2].gnr, 2), 0);
	assert_int_equal(ppim_wait(ctx, &c, 1, -1), 1);
	assert_int_equal(c.user_data, 1);
	ppim_ctx_free(ctx); /* with one left to take */
	assert_int_equal(ppim_ctx_create(*state, 0, &ctx), -EINVAL);
	assert_int_equal(ppim_ctx_create(*state, 4097, &ctx), -EINVAL);
}

static void a_failed_batch_harms_no_other(void **state)
{
	struct ppim_completion c[3];
	struct ppim_tbl *t = table_new(*state, "t");
	struct ppim_ctx *ctx;
	struct small s[3];
	char line[128];
	int i, n = 0;

	assert_int_equal(ppim_ctx_create(*state, 4, &ctx), 0);
	for (i = 0; i < 3; i++)
		small_make(&s[i], t);
	s[1].idx[2] = 1 << 20;
	for (i = 0; i < 3; i++)
		assert_int_equal(ppim_submit(ctx, &s[i].gnr, (uint64_t)i), 0);
	while (n < 3)
		n += ppim_wait(ctx, c + n, (uint32_t)(3 - n), -1);
	assert_int_equal(c[0].res, 0);
	assert_int_equal(c[1].res, -ERANGE);
	assert_int_equal(c[2].res, 0);
	small_check(&s[0]);
	small_check(&s[2]);
	assert_int_equal(c[1].result.error, ERANGE);
	ppim_strerror_result(&s[1].gnr, &c[1].result, line, sizeof(line));
	assert_string_equal(line,
			    "table t bag 1: index 1048576 is outside 0..999");
	ppim_ctx_free(ctx);
}

/* A batch that takes a while: many lookups on one thread's bag. */
struct large {
	int32_t *idx;
	int32_t off;
	float out[DIM];
	struct ppim_bags bags;
	struct ppim_gnr gnr;
};

static void large_make(struct large *l, struct ppim_tbl *t, uint32_t n)
{
	*l = (struct large){ .idx = calloc(n, sizeof(*l->idx)) };
	l->bags = (struct ppim_bags){ .table = t, .indices = l->idx,
				      .offsets = &l->off, .output = l->out,
				      .n_indices = n, .n_bags = 1,
				      .index_bytes = 4 };
	l->gnr = (struct ppim_gnr){ .bags = &l->bags, .n_tables = 1 };
}

static void waiting_ends_at_its_time(void **state)
{
	struct ppim_tbl *t = table_new(*state, "t");
	struct ppim_completion c;
	struct ppim_ctx *ctx;
	struct large l;

	large_make(&l, t, 20000000);
	assert_int_equal(ppim_ctx_create(*state, 1, &ctx), 0);
	assert_int_equal(ppim_submit(ctx, &l.gnr, 9), 0);
	assert_int_equal(ppim_poll(ctx, &c, 1), 0);
	assert_int_equal(ppim_wait(ctx, &c, 1, 1000000), -ETIMEDOUT);
	/* in use: it cannot be destroyed, nor placed */
	assert_int_equal(ppim_table_destroy(t), -EBUSY);
	assert_int_equal(ppim_wait(ctx, &c, 1, -1), 1);
	assert_int_equal(c.user_data, 9);
	assert_int_equal(ppim_table_destroy(t), 0);
	ppim_ctx_free(ctx);
	free(l.idx);
}

/* ---- buffers ---- */

static void staging_buffers_are_zero_and_page_aligned(void **state)
{
	struct small *s;
	struct ppim_tbl *t = table_new(*state, "t");
	void *p;
	size_t i;

	assert_int_equal(ppim_buf_alloc(*state, sizeof(*s), &p), 0);
	assert_int_equal((uintptr_t)p % (size_t)sysconf(_SC_PAGESIZE), 0);
	for (i = 0; i < sizeof(*s); i++)
		assert_int_equal(((char *)p)[i], 0);
	s = p;
	small_make(s, t);
	assert_int_equal(ppim_gnr(*state, &s->gnr, NULL), 0);
	small_check(s);
	assert_int_equal(ppim_buf_free(*state, (char *)p + 8), -EINVAL);
	assert_int_equal(ppim_buf_free(*state, p), 0);
	assert_int_equal(ppim_buf_free(*state, p), -EINVAL);
	assert_int_equal(ppim_buf_free(*state, NULL), 0);
	assert_int_equal(ppim_buf_alloc(*state, 0, &p), -EINVAL);
	assert_int_equal(ppim_buf_alloc(*state, SIZE_MAX, &p), -EINVAL);
}

/* ---- threads ---- */

struct crowd {
	struct ppim_dev *dev;
	struct ppim_ctx *ctx;	/* shared by all */
	struct ppim_tbl *shared;
	int ret;
};

#define check(cond) do { if (!(cond)) return __LINE__; } while (0)

static int values_right(const struct small *s)
{
	uint32_t e;

	for (e = 0; e < DIM; e++)
		if (s->out[e] != value(3, e) + value(4, e))
			return 0;
	return 1;
}

/* Takes completions until its own have come, by whomever they were taken. */
static int crowd_collect(struct ppim_ctx *ctx, atomic_int *ended, int n)
{
	struct ppim_completion c;
	int k, ret;

	for (k = 0; k < n; k++) {
		while (!atomic_load(&ended[k])) {
			ret = ppim_wait(ctx, &c, 1, 1000000);
			if (ret == -ETIMEDOUT || ret == -ENOENT)
				continue;
			check(ret == 1 && !c.res);
			atomic_store((atomic_int *)(uintptr_t)c.user_data, 1);
		}
	}
	return 0;
}

/* Tables of its own, batches on a shared one, a context in common. */
static int crowd_member(struct crowd *c)
{
	struct small sync, async[4];
	atomic_int ended[4];
	struct ppim_tbl *own;
	float row[DIM], back[DIM];
	void *buf;
	int i, k, ret;

	for (i = 0; i < 50; i++) {
		check(!ppim_table_create(c->dev, &qr, "own", &own));
		check(!ppim_place_auto(c->dev, &own, 1, NULL, NULL, NULL, NULL));
		for (k = 0; k < DIM; k++)
			row[k] = (float)(i + k);
		check(!ppim_upload(own, 0, 5, 1, row));
		check(!ppim_download(own, 0, 5, 1, back, 0));
		check(!memcmp(row, back, sizeof(row)));
		check(!ppim_buf_alloc(c->dev, 100, &buf));
		small_make(&sync, c->shared);
		check(!ppim_gnr(c->dev, &sync.gnr, NULL) && values_right(&sync));
		for (k = 0; k < 4; k++) {
			atomic_init(&ended[k], 0);
			small_make(&async[k], c->shared);
			check(!ppim_submit(c->ctx, &async[k].gnr,
					   (uintptr_t)&ended[k]));
		}
		ret = crowd_collect(c->ctx, ended, 4);
		if (ret)
			return ret;
		for (k = 0; k < 4; k++)
			check(values_right(&async[k]));
		check(!ppim_buf_free(c->dev, buf));
		check(!ppim_table_destroy(own));
	}
	return 0;
}

static void *crowd_run(void *arg)
{
	struct crowd *c = arg;

	c->ret = crowd_member(c);
	return NULL;
}

static void threads_share_a_device_and_a_context(void **state)
{
	enum { N = 6 };
	pthread_t thread[N];
	struct crowd crowd[N];
	struct ppim_ctx *ctx;
	struct ppim_info before, after;
	struct ppim_tbl *t;
	int i;

	t = table_new(*state, "shared");
	ppim_info(*state, &before);
	assert_int_equal(ppim_ctx_create(*state, 4 * N, &ctx), 0);
	for (i = 0; i < N; i++) {
		crowd[i] = (struct crowd){ *state, ctx, t, -1 };
		assert_int_equal(pthread_create(&thread[i], NULL, crowd_run,
						&crowd[i]), 0);
	}
	for (i = 0; i < N; i++) {
		pthread_join(thread[i], NULL);
		if (crowd[i].ret)
			fail_msg("thread %d failed at line %d", i, crowd[i].ret);
	}
	assert_int_equal(ppim_inflight(ctx), 0);
	ppim_ctx_free(ctx);
	ppim_info(*state, &after);
	assert_int_equal(after.dev.hbm_free, before.dev.hbm_free);
}

/* ---- names ---- */

static void names_go_there_and_back(void **state)
{
	uint32_t i, back;

	(void)state;
	for (i = 0; i < PPIM_ARCH_COUNT; i++) {
		assert_non_null(ppim_arch_name(i));
		assert_int_equal(ppim_arch_parse(ppim_arch_name(i), &back), 0);
		assert_int_equal(back, i);
	}
	assert_null(ppim_arch_name(PPIM_ARCH_COUNT));
	assert_int_equal(ppim_arch_parse("Proactive", &back), -EINVAL);
	assert_string_equal(ppim_bound_name(PPIM_BOUND_ACTIVATION),
			    "activation");
	assert_null(ppim_bound_name(PPIM_BOUND_COUNT));
}

int main(void)
{
#define on_cpu(f) cmocka_unit_test_setup_teardown(f, open_cpu, close_cpu)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_device_is_enoent),
		on_cpu(the_cpu_path_says_what_it_is),
		on_cpu(tables_are_listed_in_order_of_their_ids),
		on_cpu(an_impossible_shape_is_refused),
		on_cpu(destroying_a_table_gives_its_room_back),
		on_cpu(a_profile_splits_a_table_between_the_tiers),
		on_cpu(placement_by_hand_is_checked),
		on_cpu(a_row_map_is_checked_to_the_last_entry),
		on_cpu(rows_come_back_as_they_were_written),
		on_cpu(an_unplaced_table_has_no_contents),
		on_cpu(a_batch_is_computed),
		on_cpu(many_tables_go_in_one_batch),
		on_cpu(an_error_says_where_and_what),
		on_cpu(a_wrong_field_is_named),
		on_cpu(device_errors_have_words),
		on_cpu(a_table_of_another_device_is_refused),
		on_cpu(submitted_batches_complete_with_their_user_data),
		on_cpu(a_full_context_says_again),
		on_cpu(a_failed_batch_harms_no_other),
		on_cpu(waiting_ends_at_its_time),
		on_cpu(staging_buffers_are_zero_and_page_aligned),
		on_cpu(threads_share_a_device_and_a_context),
		cmocka_unit_test(names_go_there_and_back),
	};

	return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
