// SPDX-License-Identifier: MIT
/* The workload: cardinalities, shapes, values, draws and the Criteo reader. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "workload.h"

/* ---- helpers ---- */

static char scratch[64];

static const char *scratch_write(const char *text, size_t len)
{
	FILE *f;
	int fd;

	snprintf(scratch, sizeof(scratch), "/tmp/ppim-workload-XXXXXX");
	fd = mkstemp(scratch);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return scratch;
}

static void tables_from(const char *text, struct wl_tables *t)
{
	struct wl_diag diag;

	assert_int_equal(wl_tables_load(scratch_write(text, strlen(text)), t,
					&diag), 0);
	unlink(scratch);
}

static struct wl_source *source_open(const struct wl_tables *tables,
				     uint64_t seed, enum wl_expand expand)
{
	struct wl_source_config cfg = {
		.tables = tables, .seed = seed, .zipf = 1.05,
		.expand = expand, .pooling = 80,
	};
	struct wl_source *src;

	assert_int_equal(wl_source_open(&cfg, &src, NULL), 0);
	return src;
}

/* ---- tables ---- */

static void kaggle_has_26_tables_of_33762577_rows(void **state)
{
	struct wl_tables t;
	uint64_t sum = 0;
	uint32_t i;

	(void)state;
	assert_int_equal(wl_tables_load("kaggle", &t, NULL), 0);
	for (i = 0; i < t.n; i++)
		sum += t.rows[i];
	assert_int_equal(t.n, 26);
	assert_int_equal(sum, 33762577);
}

static void terabyte_has_26_tables_of_at_most_ten_million(void **state)
{
	struct wl_tables t;
	uint32_t i;

	(void)state;
	assert_int_equal(wl_tables_load("terabyte", &t, NULL), 0);
	assert_int_equal(t.n, 26);
	assert_int_equal(t.rows[19], 9994222);
	for (i = 0; i < t.n; i++)
		assert_in_range(t.rows[i], 3, 10000000);
}

static void a_file_of_cardinalities_is_read(void **state)
{
	struct wl_tables t;

	(void)state;
	tables_from("# mine\n\n  7\r\n1099511627776 # largest\n5", &t);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.rows[0], 7);
	assert_int_equal(t.rows[1], 1ull << 40);
	assert_int_equal(t.rows[2], 5);
}

static void a_bad_cardinality_is_named_by_file_and_line(void **state)
{
	static const char *const bad[] = {
		"5\n0\n", "5\n-3\n", "5\nx\n", "5\n7 8\n", "5\n1099511627777\n",
		"5\n99999999999999999999999\n",
	};
	struct wl_tables t;
	struct wl_diag diag;
	char where[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		scratch_write(bad[i], strlen(bad[i]));
		assert_int_equal(wl_tables_load(scratch, &t, &diag), -EINVAL);
		unlink(scratch);
		snprintf(where, sizeof(where), "%s:2: ", scratch);
		assert_ptr_equal(strstr(diag.msg, where), diag.msg);
	}
	assert_int_equal(wl_tables_load("/nonexistent", &t, &diag), -ENOENT);
	assert_int_equal(wl_tables_load("/", &t, &diag), -EIO);
	scratch_write("# none\n", 7);
	assert_int_equal(wl_tables_load(scratch, &t, &diag), -EINVAL);
	unlink(scratch);
}

/* ---- shapes ---- */

static void cuberoot_is_the_least_that_covers(void **state)
{
	uint64_t n, p;

	(void)state;
	for (p = 1; p <= 10321; p += 7) {
		assert_int_equal(wl_cuberoot(p * p * p), p);
		assert_int_equal(wl_cuberoot(p * p * p + 1), p + 1);
	}
	for (n = 1; n < 2000; n++) {
		p = wl_cuberoot(n);
		assert_true(p * p * p >= n && (p - 1) * (p - 1) * (p - 1) < n);
	}
	assert_int_equal(wl_cuberoot(10131227), 217);
	assert_int_equal(wl_cuberoot(PPIM_MAX_ROWS), 10322);
}

static void shapes_of_both_algorithms(void **state)
{
	struct wl_shape_config cfg = { .vec_bytes = 128, .collisions = 4,
				       .rank = 16 };
	struct ppim_shape s;

	(void)state;
	assert_int_equal(wl_shape_make(PPIM_ALGO_QR, 10131227, &cfg, &s, NULL), 0);
	assert_int_equal(ppim_shape_rows(&s, PPIM_SUB_Q), 2532807);
	assert_int_equal(ppim_shape_rows(&s, PPIM_SUB_R), 4);
	assert_int_equal(ppim_shape_row_bytes(&s, PPIM_SUB_R), 128);
	/* fewer rows than collisions: one quotient */
	assert_int_equal(wl_shape_make(PPIM_ALGO_QR, 3, &cfg, &s, NULL), 0);
	assert_int_equal(ppim_shape_rows(&s, PPIM_SUB_Q), 1);

	assert_int_equal(wl_shape_make(PPIM_ALGO_TT, 10131227, &cfg, &s, NULL), 0);
	assert_int_equal(s.tt_p[0], 217);
	assert_int_equal(ppim_shape_row_bytes(&s, PPIM_SUB_G1), 128);
	assert_int_equal(ppim_shape_row_bytes(&s, PPIM_SUB_G2), 4096);
	assert_int_equal(ppim_shape_row_bytes(&s, PPIM_SUB_G3), 256);
	assert_int_equal(wl_shape_make(PPIM_ALGO_TT, 1, &cfg, &s, NULL), 0);
}

static void impossible_geometry_is_refused_with_a_reason(void **state)
{
	static const struct {
		enum ppim_algo algo;
		struct wl_shape_config cfg;
		const char *why;
	} bad[] = {
		{ PPIM_ALGO_QR, { 0, 4, 16, 0 }, "vector of 0 bytes" },
		{ PPIM_ALGO_QR, { 130, 4, 16, 0 }, "vector of 130 bytes" },
		{ PPIM_ALGO_QR, { 32768, 4, 16, 0 }, "vector of 32768 bytes" },
		{ PPIM_ALGO_QR, { 128, 0, 16, 0 }, "0 collisions" },
		{ PPIM_ALGO_QR, { 128, 2000000, 16, 0 }, "2000000 collisions" },
		{ PPIM_ALGO_QR, { 4, 4, 16, PPIM_COMBINE_CONCAT },
		  "concat halves a vector between Q and R" },
		{ PPIM_ALGO_TT, { 128, 4, 0, 0 }, "rank 0" },
		{ PPIM_ALGO_TT, { 128, 4, 2000, 0 }, "rank 2000" },
		{ PPIM_ALGO_TT, { 96, 4, 16, 0 }, "column factors" },
	};
	struct ppim_shape s;
	struct wl_diag diag;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(wl_shape_make(bad[i].algo, 1000, &bad[i].cfg,
					       &s, &diag), -EINVAL);
		assert_non_null(strstr(diag.msg, bad[i].why));
	}
}

static void digits_rebuild_the_index(void **state)
{
	struct wl_shape_config cfg = { .vec_bytes = 64, .collisions = 7,
				       .rank = 4 };
	uint64_t row[PPIM_MAX_SUBTABLES], i;
	struct ppim_shape qr, tt;

	(void)state;
	wl_shape_make(PPIM_ALGO_QR, 5000, &cfg, &qr, NULL);
	wl_shape_make(PPIM_ALGO_TT, 5000, &cfg, &tt, NULL);
	for (i = 0; i < 5000; i++) {
		wl_split(&qr, i, row);
		assert_int_equal(row[0] * 7 + row[1], i);
		wl_split(&tt, i, row);
		assert_int_equal((row[0] * tt.tt_p[1] + row[1]) * tt.tt_p[2] +
					 row[2], i);
		assert_true(row[0] < tt.tt_p[0] && row[1] < tt.tt_p[1]);
	}
}

/* ---- values ---- */

static void values_are_what_the_hash_says_wherever_they_are_asked(void **state)
{
	struct wl_shape_config cfg = { .vec_bytes = 128, .collisions = 4,
				       .rank = 16 };
	struct ppim_shape s;
	float row[1024];
	uint32_t col, n;

	(void)state;
	wl_shape_make(PPIM_ALGO_TT, 100000, &cfg, &s, NULL);
	wl_row_fill(9, 3, PPIM_SUB_G2, &s, 17, row);
	n = ppim_shape_elems(&s, PPIM_SUB_G2);
	for (col = 0; col < n; col++) {
		assert_true(row[col] == wl_value(9, 3, PPIM_SUB_G2, &s, 17, col));
		assert_true(row[col] >= -1.0f / 16 && row[col] < 1.0f / 16);
	}
	assert_true(wl_value(9, 3, 1, &s, 17, 0) != wl_value(8, 3, 1, &s, 17, 0));
	assert_true(wl_value(9, 3, 1, &s, 17, 0) != wl_value(9, 4, 1, &s, 17, 0));
	assert_true(wl_value(9, 3, 1, &s, 17, 0) != wl_value(9, 3, 1, &s, 18, 0));
}

static void qr_values_are_near_one_with_both_signs(void **state)
{
	struct wl_shape_config cfg = { .vec_bytes = 128, .collisions = 4 };
	unsigned int negative = 0, i, col;
	double sum = 0;
	struct ppim_shape s;

	(void)state;
	wl_shape_make(PPIM_ALGO_QR, 100000, &cfg, &s, NULL);
	for (i = 0; i < 1000; i++) {
		for (col = 0; col < 32; col++) {
			float v = wl_value(1, 0, 0, &s, i, col);

			assert_true(fabsf(v) >= 0.5f && fabsf(v) < 1.5f);
			negative += v < 0;
			sum += fabsf(v);
		}
	}
	/* 32000 draws: five standard deviations */
	assert_in_range(negative, 16000 - 450, 16000 + 450);
	assert_true(fabs(sum / 32000 - 1) < 5 * 0.2887 / sqrt(32000));
}

/* These figures are the definition: a change breaks every published result. */
static void values_and_draws_never_change(void **state)
{
	struct wl_shape_config cfg = { .vec_bytes = 128, .collisions = 4 };
	struct wl_tables t;
	struct ppim_shape s;
	struct wl_source *src;

	(void)state;
	wl_tables_load("kaggle", &t, NULL);
	wl_shape_make(PPIM_ALGO_QR, t.rows[2], &cfg, &s, NULL);
	assert_true(wl_value(1, 2, 0, &s, 12345, 6) == 0x1.3979f6p+0f);
	src = source_open(&t, 1, WL_EXPAND_PARETO);
	assert_int_equal(wl_source_first(src, 5, 2), 3864551);
	assert_int_equal(wl_bag_index(src, 2, 77, 3), 4);
	wl_source_close(src);
	src = source_open(&t, 1, WL_EXPAND_UNIFORM);
	assert_int_equal(wl_bag_index(src, 2, 77, 3), 6700483);
	wl_source_close(src);
}

/* ---- draws ---- */

static void log_and_exp_agree_with_libm(void **state)
{
	double x;

	(void)state;
	for (x = 1e-9; x < 1e15; x *= 1.37)
		assert_true(fabs(wl_log(x) - log(x)) <=
			    4e-16 * fmax(fabs(log(x)), 1));
	for (x = -600; x < 600; x += 0.377)
		assert_true(fabs(wl_exp(x) / exp(x) - 1) < 1e-13);
	assert_true(wl_exp(0) == 1 && wl_log(1) == 0);
}

/* Counts of the first ranks and of the tail against the exact law. */
static void zipf_check(uint64_t n, double s)
{
	enum { DRAWS = 200000, RANKS = 20 };
	uint64_t count[RANKS + 1] = { 0 }, i, rank;
	double total = 0, rest = 1, chi = 0, p;
	unsigned int bins = 0;
	struct wl_zipf z;

	for (i = 1; i <= n; i++)
		total += pow(i, -s);
	wl_zipf_init(&z, n, s);
	for (i = 0; i < DRAWS; i++) {
		rank = wl_zipf_rank(&z, i * 0x1234567);
		assert_true(rank < n);
		count[rank < RANKS ? rank : RANKS]++;
	}
	for (i = 0; i <= RANKS; i++) {
		p = i < RANKS ? (i < n ? pow(i + 1, -s) / total : 0) : rest;
		rest -= p;
		if (p * DRAWS < 5)
			continue;
		chi += pow(count[i] - p * DRAWS, 2) / (p * DRAWS);
		bins++;
	}
	/* mean bins - 1, standard deviation sqrt(2 (bins - 1)) */
	assert_true(chi < bins + 5 * sqrt(2.0 * bins));
}

static void zipf_draws_follow_the_law(void **state)
{
	(void)state;
	zipf_check(1000000, 1.05);
	zipf_check(100000, 1.0);
	zipf_check(5000, 0.6);
	zipf_check(3, 1.05);
	zipf_check(1, 1.05);
	zipf_check(64, 0);
	zipf_check(1000, 2.5);
}

static void permute_is_one_to_one(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 16, 17, 1460, 12517 };
	uint64_t i, j, n;
	char *seen;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		n = sizes[i];
		seen = calloc(n, 1);
		assert_non_null(seen);
		for (j = 0; j < n; j++) {
			uint64_t to = wl_permute(n, 42, j);

			assert_true(to < n && !seen[to]);
			seen[to] = 1;
		}
		free(seen);
	}
}

/* P(row < 16) = 1 - 17^-0.25 = 0.5075; P(beyond int32) = 2^-7.75 = 0.00465 */
static void pareto_bags_have_the_published_skew(void **state)
{
	unsigned int first16 = 0, beyond = 0, n = 0;
	struct wl_source *src;
	struct wl_tables t;
	uint64_t first;
	uint32_t pos;

	(void)state;
	tables_from("2000000011\n", &t);
	src = source_open(&t, 7, WL_EXPAND_PARETO);
	for (first = 0; first < 2000; first++) {
		for (pos = 1; pos < 80; pos++, n++) {
			uint64_t row = wl_bag_index(src, 0, first, pos);

			first16 += row < 16;
			beyond += row == 2 * 2000000011ull - (1ull << 31);
		}
	}
	assert_true(fabs(first16 / (double)n - 0.5075) < 0.007);
	assert_true(fabs(beyond / (double)n - 0.00465) < 0.0009);
	wl_source_close(src);
}

static void a_first_index_has_one_fixed_bag(void **state)
{
	int64_t one[80], two[80];
	struct wl_source *src, *other;
	struct wl_tables t;
	uint64_t s, same = UINT64_MAX;

	(void)state;
	tables_from("10\n50\n", &t);
	src = source_open(&t, 3, WL_EXPAND_UNIFORM);
	other = source_open(&t, 4, WL_EXPAND_UNIFORM);
	for (s = 1; s < 1000 && same == UINT64_MAX; s++)
		if (wl_source_first(src, s, 1) == wl_source_first(src, 0, 1))
			same = s;
	assert_true(same != UINT64_MAX);
	wl_bag_fill(src, 0, 1, 80, one);
	wl_bag_fill(src, same, 1, 80, two);
	assert_memory_equal(one, two, sizeof(one));
	assert_int_equal(one[0], wl_source_first(src, 0, 1));
	assert_int_not_equal(wl_bag_index(src, 1, 5, 9) * 50 +
				     wl_bag_index(src, 1, 5, 10),
			     wl_bag_index(other, 1, 5, 9) * 50 +
				     wl_bag_index(other, 1, 5, 10));
	wl_source_close(src);
	wl_source_close(other);
}

/* ---- Criteo ---- */

#define INTS "1\t-2\t\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13"
#define CATS25                                                            \
	"68fd1e64\t80e26c9b\tfb936136\t7b4723c4\t25c83c98\t7e0ccccf\t"    \
	"de7995b8\t1f89b562\ta73ee510\ta8cd5504\tb2cb9c98\t37c9c164\t"    \
	"2824a5f6\t1adce6ef\t8ba8b39a\t891b62e7\te5ba7672\tf54016b9\t"    \
	"21ddcdc9\tb1252a9d\t07b5194c\t\t3a171ecb\tc5c50484\te8b83407"
#define GOOD "0\t" INTS "\t" CATS25 "\t9727dd16"

static int criteo_read_all(const char *path, uint64_t *last,
			   struct wl_diag *diag)
{
	uint64_t category[WL_CRITEO_CATEGORIES];
	struct wl_criteo *tsv;
	int ret, n = 0;

	assert_int_equal(wl_criteo_open(path, &tsv, diag), 0);
	while ((ret = wl_criteo_next(tsv, category, diag)) > 0) {
		memcpy(last, category, sizeof(category));
		n++;
	}
	wl_criteo_close(tsv);
	return ret ? ret : n;
}

static int criteo_read_text(const char *text, uint64_t *last,
			    struct wl_diag *diag)
{
	int ret;

	scratch_write(text, strlen(text));
	ret = criteo_read_all(scratch, last, diag);
	unlink(scratch);
	return ret;
}

static void criteo_lines_are_read(void **state)
{
	uint64_t c[WL_CRITEO_CATEGORIES];
	struct wl_diag diag;

	(void)state;
	assert_int_equal(criteo_read_text(GOOD "\n" GOOD "\r\n" GOOD, c, &diag),
			 3);
	assert_int_equal(c[0], 0x68fd1e64);
	assert_int_equal(c[21], WL_CRITEO_EMPTY);
	assert_int_equal(c[25], 0x9727dd16);
	assert_int_equal(criteo_read_text("\t" INTS "\t" CATS25 "\t\n", c, &diag),
			 1);
	assert_int_equal(c[25], WL_CRITEO_EMPTY);
	assert_int_equal(criteo_read_text("", c, &diag), 0);
}

static void criteo_gzip_is_read_and_a_cut_one_refused(void **state)
{
	uint64_t c[WL_CRITEO_CATEGORIES];
	struct wl_diag diag;
	gzFile gz;
	int i;

	(void)state;
	scratch_write("", 0);
	gz = gzopen(scratch, "wb");
	for (i = 0; i < 2000; i++)
		gzprintf(gz, "%s\n", GOOD);
	gzclose(gz);
	assert_int_equal(criteo_read_all(scratch, c, &diag), 2000);
	assert_int_equal(truncate(scratch, 600), 0);
	assert_int_equal(criteo_read_all(scratch, c, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, scratch));
	unlink(scratch);
}

static void criteo_bad_lines_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ GOOD "\n0\t" INTS "\t" CATS25 "\n", ":2: expected 40 fields" },
		{ GOOD "\n" GOOD "\t\n", ":2: expected 40 fields" },
		{ GOOD "\n\n", ":2: expected 40 fields" },
		{ GOOD "\n0\t" INTS "\t68fd", ":2: expected 40 fields" },
		{ GOOD "\n0\t" INTS "\t" CATS25 "\t", ":2: truncated" },
		{ GOOD "\n0\t" INTS "\t" CATS25 "\t9727dd1\n", ":2: field 40" },
		{ GOOD "\n0\t" INTS "\t" CATS25 "\t9727dd1g\n", ":2: field 40" },
		{ GOOD "\n0\t" INTS "\t" CATS25 "\t9727dd161\n", ":2: field 40" },
		{ "2\t" INTS "\t" CATS25 "\t\n", ":1: field 1" },
		{ "0\tx" INTS "\t" CATS25 "\t\n", ":1: field 2" },
		{ "0\t-" "\t\t\t\t\t\t\t\t\t\t\t\t\t" CATS25 "\t\n", ":1: field 2" },
		{ "0\t1.5" "\t\t\t\t\t\t\t\t\t\t\t\t\t" CATS25 "\t\n", ":1: field 2" },
	};
	uint64_t c[WL_CRITEO_CATEGORIES];
	struct wl_diag diag;
	char where[128];
	char *longer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(criteo_read_text(bad[i].text, c, &diag),
				 -EINVAL);
		snprintf(where, sizeof(where), "%s%s", scratch, bad[i].why);
		assert_ptr_equal(strstr(diag.msg, where), diag.msg);
	}
	longer = calloc(1, 10001);
	assert_non_null(longer);
	memset(longer, '\t', 10000);
	assert_int_equal(criteo_read_text(longer, c, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, ":1: line longer"));
	free(longer);
}

static void criteo_categories_become_first_indices(void **state)
{
	struct wl_source_config cfg = { .seed = 1, .zipf = 1, .pooling = 4,
					.samples = 100, .needed = 3 };
	struct wl_source *src;
	struct wl_tables t;
	struct wl_diag diag;
	uint32_t i;

	(void)state;
	wl_tables_load("kaggle", &t, NULL);
	cfg.tables = &t;
	cfg.criteo = scratch_write(GOOD "\n" GOOD "\n" GOOD "\n",
				   3 * strlen(GOOD "\n"));
	assert_int_equal(wl_source_open(&cfg, &src, &diag), 0);
	assert_int_equal(wl_source_samples(src), 3);
	for (i = 0; i < t.n; i++) {
		assert_true(wl_source_first(src, 0, i) < t.rows[i]);
		assert_int_equal(wl_source_first(src, 0, i),
				 wl_source_first(src, 2, i));
	}
	wl_source_close(src);
	cfg.needed = 4;
	assert_int_equal(wl_source_open(&cfg, &src, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "3 samples, the run needs 4"));
	unlink(scratch);
	assert_int_equal(wl_source_open(&cfg, &src, &diag), -ENOENT);
}

/* ---- counts ---- */

static void counts_add_up_and_list_in_row_order(void **state)
{
	struct wl_counts *c = wl_counts_new();
	const struct wl_count *list;
	uint64_t i, sum = 0;

	(void)state;
	assert_non_null(c);
	assert_int_equal(wl_counts_get(c, 5), 0);
	for (i = 0; i < 10000; i++)
		assert_int_equal(wl_counts_add(c, i * i % 4999, 2), 0);
	list = wl_counts_sorted(c);
	for (i = 0; i < wl_counts_size(c); i++) {
		assert_true(!i || list[i - 1].row < list[i].row);
		assert_int_equal(wl_counts_get(c, list[i].row), list[i].count);
		sum += list[i].count;
	}
	assert_int_equal(sum, 20000);
	assert_int_equal(wl_counts_size(c), 2500);
	wl_counts_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kaggle_has_26_tables_of_33762577_rows),
		cmocka_unit_test(terabyte_has_26_tables_of_at_most_ten_million),
		cmocka_unit_test(a_file_of_cardinalities_is_read),
		cmocka_unit_test(a_bad_cardinality_is_named_by_file_and_line),
		cmocka_unit_test(cuberoot_is_the_least_that_covers),
		cmocka_unit_test(shapes_of_both_algorithms),
		cmocka_unit_test(impossible_geometry_is_refused_with_a_reason),
		cmocka_unit_test(digits_rebuild_the_index),
		cmocka_unit_test(values_are_what_the_hash_says_wherever_they_are_asked),
		cmocka_unit_test(qr_values_are_near_one_with_both_signs),
		cmocka_unit_test(values_and_draws_never_change),
		cmocka_unit_test(log_and_exp_agree_with_libm),
		cmocka_unit_test(zipf_draws_follow_the_law),
		cmocka_unit_test(permute_is_one_to_one),
		cmocka_unit_test(pareto_bags_have_the_published_skew),
		cmocka_unit_test(a_first_index_has_one_fixed_bag),
		cmocka_unit_test(criteo_lines_are_read),
		cmocka_unit_test(criteo_gzip_is_read_and_a_cut_one_refused),
		cmocka_unit_test(criteo_bad_lines_are_named),
		cmocka_unit_test(criteo_categories_become_first_indices),
		cmocka_unit_test(counts_add_up_and_list_in_row_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
