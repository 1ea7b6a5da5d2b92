// SPDX-License-Identifier: MIT
/* The CPU path: right against fp64, the same bits whatever vector path, number
 * of threads and source of rows, and the same bits as the device's engine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ppim.h"

#define BAGS 7
#define INDICES 61

static uint64_t rng(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static float uniform(uint64_t *s)
{
	return (float)(int32_t)rng(s) * 0x1p-31f;
}

/* A table in memory with random contents. */
struct model {
	struct ppim_shape shape;
	struct ppim_rows rows;
	void *data[PPIM_MAX_SUBTABLES];
};

static void model_make(struct model *m, const struct ppim_shape *shape,
		       uint64_t seed)
{
	uint64_t r, rows, bytes, elems, e;
	uint32_t s;
	float *tmp;

	memset(m, 0, sizeof(*m));
	m->shape = *shape;
	assert_true(ppim_shape_valid(shape));
	for (s = 0; s < ppim_shape_subtables(shape); s++) {
		rows = ppim_shape_rows(shape, s);
		bytes = ppim_shape_row_bytes(shape, s);
		elems = ppim_shape_elems(shape, s);
		m->data[s] = malloc(rows * bytes);
		m->rows.base[s] = m->data[s];
		tmp = malloc(elems * sizeof(*tmp));
		for (r = 0; r < rows; r++) {
			for (e = 0; e < elems; e++)
				tmp[e] = uniform(&seed);
			ppim_row_encode(shape->dtype, tmp, elems,
					(char *)m->data[s] + r * bytes);
		}
		free(tmp);
	}
}

static void model_free(struct model *m)
{
	uint32_t s;

	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		free(m->data[s]);
}

/* Bags of uneven lengths, empty ones among them. */
struct input {
	int64_t i8[INDICES], o8[BAGS + 1];
	int32_t i4[INDICES], o4[BAGS + 1];
	float weights[INDICES];
	struct ppim_bags bags;
};

static void input_make(struct input *in, const struct ppim_shape *shape,
		       uint64_t seed, uint8_t mode, bool weights, bool narrow)
{
	static const int64_t ends[BAGS + 1] = { 0, 0, 3, 20, 20, 60, 61, 61 };
	int i;

	for (i = 0; i < INDICES; i++) {
		in->i8[i] = (int64_t)(rng(&seed) % shape->rows);
		in->i4[i] = (int32_t)in->i8[i];
		in->weights[i] = uniform(&seed) * 2;
	}
	for (i = 0; i <= BAGS; i++)
		in->o4[i] = (int32_t)(in->o8[i] = ends[i]);
	in->bags = (struct ppim_bags){
		.indices = narrow ? (void *)in->i4 : (void *)in->i8,
		.offsets = narrow ? (void *)in->o4 : (void *)in->o8,
		.weights = weights ? in->weights : NULL,
		.n_indices = INDICES,
		.n_bags = BAGS,
		.index_bytes = narrow ? 4 : 8,
		.mode = mode,
		.flags = PPIM_BAGS_LAST_OFFSET,
	};
}

/* ---- shapes ---- */

static const struct ppim_shape shapes[] = {
	{ .rows = 500, .dim = 32 },
	{ .rows = 77, .dim = 13 },
	{ .rows = 9, .dim = 1 },
	{ .rows = 1000, .dim = 32, .algo = PPIM_ALGO_QR, .collisions = 4 },
	{ .rows = 1001, .dim = 45, .algo = PPIM_ALGO_QR, .collisions = 7 },
	{ .rows = 300, .dim = 64, .algo = PPIM_ALGO_QR, .collisions = 16,
	  .combine = PPIM_COMBINE_ADD },
	{ .rows = 300, .dim = 44, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .combine = PPIM_COMBINE_CONCAT },
	{ .rows = 300, .dim = 32, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .qr_order = PPIM_QR_POOLED },
	{ .rows = 300, .dim = 10, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .combine = PPIM_COMBINE_ADD, .qr_order = PPIM_QR_POOLED },
	{ .rows = 300, .dim = 16, .algo = PPIM_ALGO_QR, .collisions = 300,
	  .combine = PPIM_COMBINE_CONCAT, .qr_order = PPIM_QR_POOLED },
	{ .rows = 1000, .dim = 32, .algo = PPIM_ALGO_TT,
	  .tt_p = { 10, 10, 10 }, .tt_q = { 2, 4, 4 }, .tt_r = { 16, 16 } },
	{ .rows = 55, .dim = 128, .algo = PPIM_ALGO_TT, .tt_p = { 3, 4, 5 },
	  .tt_q = { 4, 4, 8 }, .tt_r = { 32, 16 } },
	{ .rows = 59, .dim = 105, .algo = PPIM_ALGO_TT, .tt_p = { 3, 4, 5 },
	  .tt_q = { 5, 3, 7 }, .tt_r = { 3, 9 } },
	{ .rows = 8, .dim = 1, .algo = PPIM_ALGO_TT, .tt_p = { 2, 2, 2 },
	  .tt_q = { 1, 1, 1 }, .tt_r = { 1, 1 } },
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* What can vary beside the shape; calls check(), counts cases. */
struct variant {
	struct model model;
	struct input in;
	uint8_t mode;
};

static unsigned int for_each_variant(void (*check)(struct variant *v),
				     uint8_t last_dtype)
{
	struct variant v;
	struct ppim_shape shape;
	unsigned int n = 0, k;
	uint8_t dtype, mode, w;

	for (k = 0; k < N_SHAPES; k++) {
		for (dtype = 0; dtype <= last_dtype; dtype++) {
			shape = shapes[k];
			shape.dtype = dtype;
			model_make(&v.model, &shape, k * 7 + dtype);
			for (mode = 0; mode <= PPIM_MODE_MAX; mode++) {
				for (w = 0; w <= (mode == PPIM_MODE_SUM); w++) {
					v.mode = mode;
					input_make(&v.in, &shape, n, mode, w,
						   n & 1);
					if (n % 3 == 0) {
						v.in.bags.flags |=
							PPIM_BAGS_PADDING;
						v.in.bags.padding_index =
							v.in.i8[30];
					}
					check(&v);
					n++;
				}
			}
			model_free(&v.model);
		}
	}
	return n;
}

static float *run(struct variant *v, const struct ppim_rows *rows,
		  unsigned int threads, const char *isa)
{
	size_t n = (size_t)BAGS * v->model.shape.dim;
	float *out = malloc(n * sizeof(*out));

	memset(out, 0xab, n * sizeof(*out));
	v->in.bags.output = out;
	assert_int_equal(ppim_cpu_gnr_isa(&v->model.shape, rows, &v->in.bags,
					  threads, isa, NULL), 0);
	return out;
}

/* ---- fp64 ---- */

static void near_fp64(struct variant *v)
{
	size_t n = (size_t)BAGS * v->model.shape.dim, i;
	double *ref = malloc(n * sizeof(*ref)), *mag = malloc(n * sizeof(*mag));
	float *out = run(v, &v->model.rows, 1, NULL);

	assert_int_equal(ppim_ref_gnr(&v->model.shape, &v->model.rows,
				      &v->in.bags, ref, mag, NULL), 0);
	for (i = 0; i < n; i++) {
		if (!(fabs(out[i] - ref[i]) <= 1e-5 * mag[i]))
			fail_msg("element %zu: %.9g, expected %.9g +- %.3g", i,
				 out[i], ref[i], 1e-5 * mag[i]);
	}
	/* the first and the last bag are empty */
	for (i = 0; i < v->model.shape.dim; i++)
		assert_true(out[i] == 0 && out[n - 1 - i] == 0);
	free(out);
	free(ref);
	free(mag);
}

static void answers_are_those_of_fp64(void **state)
{
	(void)state;
	assert_int_equal(for_each_variant(near_fp64, PPIM_DTYPE_INT8), 224);
}

/* ---- same bits ---- */

struct source {
	const struct ppim_shape *shape;
	const struct ppim_rows *rows;
};

static int source_read(void *opaque, uint32_t sub, uint64_t row, void *dst)
{
	struct source *s = opaque;
	uint64_t bytes = ppim_shape_row_bytes(s->shape, sub);

	memcpy(dst, (const char *)s->rows->base[sub] + row * bytes, bytes);
	return 0;
}

static void same_bits(struct variant *v)
{
	size_t bytes = (size_t)BAGS * v->model.shape.dim * sizeof(float);
	struct source src = { &v->model.shape, &v->model.rows };
	struct ppim_rows callback = { .read = source_read, .opaque = &src };
	float *want = run(v, &v->model.rows, 1, "scalar"), *got;
	struct ppim_info info;
	struct ppim_dev *dev;

	assert_int_equal(ppim_open(PPIM_DEV_CPU, &dev), 0);
	assert_int_equal(ppim_info(dev, &info), 0);
	ppim_close(dev);
	got = run(v, &v->model.rows, 1, info.isa);
	assert_memory_equal(want, got, bytes);
	free(got);
	got = run(v, &v->model.rows, 5, NULL);
	assert_memory_equal(want, got, bytes);
	free(got);
	got = run(v, &callback, 2, NULL);
	assert_memory_equal(want, got, bytes);
	free(got);
	free(want);
}

static void vectors_threads_and_callbacks_give_the_same_bits(void **state)
{
	(void)state;
	assert_int_equal(for_each_variant(same_bits, PPIM_DTYPE_INT8), 224);
}

/* Enough work that threads are in fact started. */
static void many_bags_on_many_threads_give_the_same_bits(void **state)
{
	enum { N = 3000, P = 20 };
	struct model m;
	int32_t *idx = malloc(N * P * 4), *off = malloc(N * 4), i;
	float *one = malloc(N * 32 * 4), *many = malloc(N * 32 * 4);
	struct ppim_bags b = { .indices = idx, .offsets = off,
			       .n_indices = N * P, .n_bags = N,
			       .index_bytes = 4, .output = one };
	struct ppim_ioc_result r;
	uint64_t seed = 5;

	(void)state;
	model_make(&m, &shapes[3], 1);
	for (i = 0; i < N * P; i++)
		idx[i] = (int32_t)(rng(&seed) % m.shape.rows);
	for (i = 0; i < N; i++)
		off[i] = i * P;
	assert_int_equal(ppim_cpu_gnr(&m.shape, &m.rows, &b, 1, &r), 0);
	assert_int_equal(r.annotation.lookups, N * P);
	assert_int_equal(r.annotation.arch, PPIM_ARCH_CPU);
	b.output = many;
	assert_int_equal(ppim_cpu_gnr(&m.shape, &m.rows, &b, 8, NULL), 0);
	assert_memory_equal(one, many, N * 32 * 4);
	free(idx);
	free(off);
	free(one);
	free(many);
	model_free(&m);
}

/* ---- by hand ---- */

static void compute(const struct ppim_shape *s, const float *q, const float *r,
		    const float *g3, const int64_t *idx, uint32_t n,
		    const float *w, uint8_t mode, float *out)
{
	struct ppim_rows rows = { .base = { q, r, g3 } };
	int64_t zero = 0;
	struct ppim_bags b = { .indices = idx, .offsets = &zero, .weights = w,
			       .output = out, .n_indices = n, .n_bags = 1,
			       .index_bytes = 8, .mode = mode };

	assert_int_equal(ppim_cpu_gnr(s, &rows, &b, 1, NULL), 0);
}

static void qr_orders_differ_as_they_should(void **state)
{
	static const float q[] = { 2, 3, 5, 7 }, r[] = { 1, 10, 100, 1000 };
	static const int64_t idx[] = { 0, 3 }; /* Q0 R0, Q1 R1 */
	struct ppim_shape s = { .rows = 4, .dim = 2, .algo = PPIM_ALGO_QR,
				.collisions = 2 };
	float out[2];

	(void)state;
	compute(&s, q, r, NULL, idx, 2, NULL, PPIM_MODE_SUM, out);
	assert_true(out[0] == 2 * 1 + 5 * 100 && out[1] == 3 * 10 + 7 * 1000);
	s.qr_order = PPIM_QR_POOLED;
	compute(&s, q, r, NULL, idx, 2, NULL, PPIM_MODE_SUM, out);
	assert_true(out[0] == 7 * 101 && out[1] == 10 * 1010);
	compute(&s, q, r, NULL, idx, 2, NULL, PPIM_MODE_MEAN, out);
	assert_true(out[0] == 3.5 * 50.5 && out[1] == 5 * 505);
	s.qr_order = PPIM_QR_PER_INDEX;
	s.combine = PPIM_COMBINE_ADD;
	compute(&s, q, r, NULL, idx, 2, NULL, PPIM_MODE_MAX, out);
	assert_true(out[0] == 105 && out[1] == 1007);
	s.combine = PPIM_COMBINE_CONCAT;
	compute(&s, q, r, NULL, idx, 2, NULL, PPIM_MODE_SUM, out);
	assert_true(out[0] == 2 + 3 && out[1] == 1 + 10);
}

static void the_first_core_has_the_most_significant_digit(void **state)
{
	/* rank 1, q 1: row i is the product of three numbers */
	static const float g1[] = { 2, 3 }, g2[] = { 5, 7, 11 };
	static const float g3[] = { 13, 17, 19, 23 };
	struct ppim_shape s = { .rows = 24, .dim = 1, .algo = PPIM_ALGO_TT,
				.tt_p = { 2, 3, 4 }, .tt_q = { 1, 1, 1 },
				.tt_r = { 1, 1 } };
	int64_t i;
	float out;

	(void)state;
	for (i = 0; i < 24; i++) {
		compute(&s, g1, g2, g3, &i, 1, NULL, PPIM_MODE_SUM, &out);
		assert_true(out == g1[i / 12] * g2[i / 4 % 3] * g3[i % 4]);
	}
}

static void weights_and_padding_count_as_pytorch_has_them(void **state)
{
	static const float w[] = { 1, 10, 100 }, sw[] = { 0.5, 2, -1 };
	static const int64_t idx[] = { 0, 1, 2 };
	struct ppim_shape s = { .rows = 3, .dim = 1 };
	struct ppim_rows rows = { .base = { w } };
	int64_t zero = 0;
	float out;
	struct ppim_bags b = { .indices = idx, .offsets = &zero,
			       .output = &out, .n_indices = 3, .n_bags = 1,
			       .index_bytes = 8, .mode = PPIM_MODE_MEAN,
			       .flags = PPIM_BAGS_PADDING,
			       .padding_index = 2 };

	(void)state;
	compute(&s, w, NULL, NULL, idx, 3, sw, PPIM_MODE_SUM, &out);
	assert_true(out == 0.5 + 20 - 100);
	assert_int_equal(ppim_cpu_gnr(&s, &rows, &b, 1, NULL), 0);
	assert_true(out == 5.5);
	/* a padding index outside the table is skipped all the same */
	s.rows = 2;
	assert_int_equal(ppim_cpu_gnr(&s, &rows, &b, 1, NULL), 0);
	assert_true(out == 5.5);
}

static void max_keeps_signs_and_orders_nans_like_the_device(void **state)
{
	static const int64_t two[] = { 0, 1 };
	struct ppim_shape s = { .rows = 2, .dim = 1 };
	float w[2], out;

	(void)state;
	w[0] = -0.0f;
	w[1] = -5;
	compute(&s, w, NULL, NULL, two, 2, NULL, PPIM_MODE_MAX, &out);
	assert_true(out == 0 && signbit(out));
	w[0] = -INFINITY;
	w[1] = -3e38f;
	compute(&s, w, NULL, NULL, two, 2, NULL, PPIM_MODE_MAX, &out);
	assert_true(out == -3e38f);
	w[0] = NAN;
	compute(&s, w, NULL, NULL, two, 2, NULL, PPIM_MODE_MAX, &out);
	assert_true(isnan(out));
	w[0] = 1;
	w[1] = NAN;
	compute(&s, w, NULL, NULL, two, 2, NULL, PPIM_MODE_MAX, &out);
	assert_true(out == 1);
}

/* ---- errors ---- */

static void refused(struct input *in, const struct ppim_shape *shape, int want,
		    uint32_t status, uint32_t bag, uint64_t detail)
{
	struct ppim_rows rows = { .base = { in, in, in } };
	struct ppim_ioc_result r;
	float out[BAGS * 32], copy[BAGS * 32];
	double d[BAGS * 32], mag[BAGS * 32];

	memset(out, 0x5a, sizeof(out));
	memcpy(copy, out, sizeof(out));
	in->bags.output = out;
	assert_int_equal(ppim_cpu_gnr(shape, &rows, &in->bags, 2, &r), want);
	assert_int_equal(r.error, -want);
	assert_int_equal(r.status, status);
	assert_int_equal(r.bag, bag);
	assert_int_equal(r.detail, detail);
	assert_memory_equal(out, copy, sizeof(out));
	assert_int_equal(ppim_ref_gnr(shape, &rows, &in->bags, d, mag, NULL),
			 want);
}

static void bad_input_is_refused_before_any_output(void **state)
{
	const struct ppim_shape *s = &shapes[3];
	struct ppim_shape bad = *s;
	struct input in;

	(void)state;
	input_make(&in, s, 1, 0, false, false);
	in.i8[40] = 1000;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_INDEX, 4, 1000);
	in.i8[40] = -1;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_INDEX, 4, UINT64_MAX);
	input_make(&in, s, 1, 0, false, true);
	in.i4[0] = -7;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_INDEX, 1, (uint64_t)-7);
	input_make(&in, s, 1, 0, false, false);
	in.o8[3] = 2;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_OFFSETS, 3, 3);
	in.o8[3] = 62;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_OFFSETS, 3, 3);
	in.o8[3] = -1;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_OFFSETS, 3, 3);
	input_make(&in, s, 1, 0, false, false);
	in.o8[0] = 1;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_OFFSETS, 0, 0);
	in.o8[0] = 0;
	in.o8[BAGS] = 60;
	refused(&in, s, -ERANGE, PPIM_ST_BAD_OFFSETS, BAGS, BAGS);
	input_make(&in, s, 1, 3, false, false);
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	input_make(&in, s, 1, PPIM_MODE_MEAN, true, false);
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	input_make(&in, s, 1, 0, false, false);
	in.bags.index_bytes = 2;
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	in.bags.index_bytes = 8;
	in.bags.reserved[2] = 1;
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	input_make(&in, s, 1, 0, false, false);
	in.bags.flags |= 4;
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	in.bags.flags = 0;
	in.bags.indices = NULL;
	refused(&in, s, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
	input_make(&in, s, 1, 0, false, false);
	bad.collisions = 0;
	refused(&in, &bad, -EINVAL, PPIM_ST_BAD_FIELD, 0, 0);
}

static int fails_at_row_5(void *opaque, uint32_t sub, uint64_t row, void *dst)
{
	(void)opaque;
	memset(dst, 0, 128);
	return sub == 0 && row == 5 ? -EIO : 0;
}

static void a_callbacks_error_comes_back(void **state)
{
	struct ppim_rows rows = { .read = fails_at_row_5 }, none = { 0 };
	const struct ppim_shape *s = &shapes[0];
	float out[BAGS * 32];
	double d[BAGS * 32], mag[BAGS * 32];
	struct ppim_ioc_result r;
	struct input in;

	(void)state;
	input_make(&in, s, 1, 0, false, false);
	in.bags.output = out;
	in.i8[33] = 5;
	assert_int_equal(ppim_cpu_gnr(s, &rows, &in.bags, 3, &r), -EIO);
	assert_int_equal(r.error, EIO);
	assert_int_equal(ppim_ref_gnr(s, &rows, &in.bags, d, mag, &r), -EIO);
	assert_int_equal(ppim_cpu_gnr(s, &none, &in.bags, 3, &r), -EINVAL);
	assert_int_equal(ppim_ref_gnr(s, &none, &in.bags, d, mag, &r), -EINVAL);
	assert_int_equal(ppim_cpu_gnr_isa(s, &rows, &in.bags, 1, "mmx", &r),
			 -ENOENT);
}

static void no_bags_is_an_empty_answer(void **state)
{
	struct ppim_rows rows = { .read = fails_at_row_5 };
	struct ppim_bags b = { .index_bytes = 8 };

	(void)state;
	assert_int_equal(ppim_cpu_gnr(&shapes[0], &rows, &b, 0, NULL), 0);
}

/* ---- rows ---- */

static void every_fp16_value_is_decoded_exactly(void **state)
{
	uint16_t h;
	uint32_t i;
	float got;
	_Float16 want;

	(void)state;
	for (i = 0; i <= UINT16_MAX; i++) {
		h = (uint16_t)i;
		memcpy(&want, &h, sizeof(want));
		ppim_row_decode(PPIM_DTYPE_FP16, &h, 1, &got);
		if (isnan(got)) {
			assert_true((h & 0x7c00) == 0x7c00 && h & 0x3ff);
			continue;
		}
		assert_true(got == (float)want);
		assert_int_equal(!!signbit(got), h >> 15);
	}
}

static void fp16_is_rounded_to_nearest_even(void **state)
{
	uint64_t seed = 3, i;
	uint32_t bits;
	_Float16 want;
	uint16_t got, w;
	float f;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		bits = (uint32_t)rng(&seed);
		if (i & 1) /* exponents where halves live, ties among them */
			bits = (bits & 0x807ff000) | (100 + bits % 48) << 23;
		memcpy(&f, &bits, sizeof(f));
		if (isnan(f))
			continue;
		want = (_Float16)f;
		memcpy(&w, &want, sizeof(w));
		ppim_row_encode(PPIM_DTYPE_FP16, &f, 1, &got);
		if (got != w)
			fail_msg("%a: %#x, expected %#x", f, got, w);
	}
}

static void bf16_is_the_upper_half_rounded(void **state)
{
	static const struct {
		float in;
		uint16_t out;
	} v[] = {
		{ 1, 0x3f80 },		{ -2, 0xc000 },
		{ 0x1.01p0f, 0x3f80 }, /* tie to even */
		{ 0x1.03p0f, 0x3f82 }, { 0x1.010002p0f, 0x3f81 },
		{ INFINITY, 0x7f80 },  { 0x1.fffffep127f, 0x7f80 },
	};
	uint16_t got;
	float back;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ppim_row_encode(PPIM_DTYPE_BF16, &v[i].in, 1, &got);
		assert_int_equal(got, v[i].out);
	}
	back = NAN;
	ppim_row_encode(PPIM_DTYPE_BF16, &back, 1, &got);
	ppim_row_decode(PPIM_DTYPE_BF16, &got, 1, &back);
	assert_true(isnan(back));
}

static void int8_rows_are_within_half_a_step_and_keep_zero(void **state)
{
	float in[31], out[31], lo = 0, hi = 0;
	uint8_t row[32 + 8];
	uint64_t seed = 1;
	int i, k;

	(void)state;
	assert_int_equal(ppim_shape_bytes(PPIM_DTYPE_INT8, 31), sizeof(row));
	for (k = 0; k < 100; k++) {
		for (i = 0; i < 31; i++) {
			in[i] = i ? uniform(&seed) * (float)(k + 1) + (float)k : 0;
			lo = in[i] < lo ? in[i] : lo;
			hi = in[i] > hi ? in[i] : hi;
		}
		ppim_row_encode(PPIM_DTYPE_INT8, in, 31, row);
		ppim_row_decode(PPIM_DTYPE_INT8, row, 31, out);
		assert_true(out[0] == 0);
		for (i = 0; i < 31; i++)
			assert_true(fabsf(in[i] - out[i]) <=
				    (hi - lo) / 255 * 1.01f);
	}
	memset(in, 0, sizeof(in));
	ppim_row_encode(PPIM_DTYPE_INT8, in, 31, row);
	ppim_row_decode(PPIM_DTYPE_INT8, row, 31, out);
	assert_memory_equal(in, out, sizeof(in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_fp64),
		cmocka_unit_test(vectors_threads_and_callbacks_give_the_same_bits),
		cmocka_unit_test(many_bags_on_many_threads_give_the_same_bits),
		cmocka_unit_test(qr_orders_differ_as_they_should),
		cmocka_unit_test(the_first_core_has_the_most_significant_digit),
		cmocka_unit_test(weights_and_padding_count_as_pytorch_has_them),
		cmocka_unit_test(max_keeps_signs_and_orders_nans_like_the_device),
		cmocka_unit_test(bad_input_is_refused_before_any_output),
		cmocka_unit_test(a_callbacks_error_comes_back),
		cmocka_unit_test(no_bags_is_an_empty_answer),
		cmocka_unit_test(every_fp16_value_is_decoded_exactly),
		cmocka_unit_test(fp16_is_rounded_to_nearest_even),
		cmocka_unit_test(bf16_is_the_upper_half_rounded),
		cmocka_unit_test(int8_rows_are_within_half_a_step_and_keep_zero),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
