// SPDX-License-Identifier: MIT
/*
 * The reference: what a batch means, in fp64 and the plainest loops there are.
 * It shares no arithmetic with the CPU path; beside each sum it adds up the
 * magnitudes of the terms, which is what an error may be measured against.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ppim_int.h"

struct ref {
	const struct ppim_shape *shape;
	const struct ppim_rows *rows;
	const struct ppim_bags *bags;
	uint32_t n_sub;
	float *row[PPIM_MAX_SUBTABLES];
	uint8_t *raw;
	/* one lookup's value and magnitude; POOLED: Q's and R's */
	double *value[2], *mag[2];
	double *acc2, *acc2_mag; /* POOLED: R's part of a bag */
	double *pair, *pair_mag; /* TT: G1 . G2 */
	void *memory;
};

static int row_read(struct ref *r, uint32_t sub, uint64_t row)
{
	uint64_t bytes = ppim_shape_row_bytes(r->shape, sub);
	uint64_t stride = r->rows->stride[sub] ? r->rows->stride[sub] : bytes;
	const void *from = r->raw;
	int ret;

	if (r->rows->base[sub]) {
		from = (const char *)r->rows->base[sub] + row * stride;
	} else {
		ret = r->rows->read(r->rows->opaque, sub, row, r->raw);
		if (ret)
			return ret;
	}
	ppim_row_decode(r->shape->dtype, from, ppim_shape_elems(r->shape, sub),
			r->row[sub]);
	return 0;
}

/* G1 . G2, [q1][q2 * R2] */
static void tt_pair(const struct ref *r)
{
	const struct ppim_shape *s = r->shape;
	uint32_t n = s->tt_q[1] * s->tt_r[1], a, c, i;
	double sum, mag, term;

	for (a = 0; a < s->tt_q[0]; a++) {
		for (c = 0; c < n; c++) {
			sum = mag = 0;
			for (i = 0; i < s->tt_r[0]; i++) {
				term = (double)r->row[0][a * s->tt_r[0] + i] *
				       r->row[1][i * n + c];
				sum += term;
				mag += fabs(term);
			}
			r->pair[a * n + c] = sum;
			r->pair_mag[a * n + c] = mag;
		}
	}
}

/* One element of (G1 . G2) . G3 */
static void tt_element(const struct ref *r, uint32_t e)
{
	const struct ppim_shape *s = r->shape;
	uint32_t d = e % s->tt_q[2], ab = e / s->tt_q[2], j;
	double sum = 0, mag = 0, g3;

	for (j = 0; j < s->tt_r[1]; j++) {
		g3 = r->row[2][j * s->tt_q[2] + d];
		sum += r->pair[ab * s->tt_r[1] + j] * g3;
		mag += r->pair_mag[ab * s->tt_r[1] + j] * fabs(g3);
	}
	r->value[0][e] = sum;
	r->mag[0][e] = mag;
}

static void qr_element(const struct ref *r, uint32_t e)
{
	const struct ppim_shape *s = r->shape;
	uint32_t half = s->dim / 2;
	double q, k;

	if (s->combine == PPIM_COMBINE_CONCAT) {
		r->value[0][e] = e < half ? r->row[0][e] : r->row[1][e - half];
		r->mag[0][e] = fabs(r->value[0][e]);
		return;
	}
	q = r->row[0][e];
	k = r->row[1][e];
	if (s->qr_order == PPIM_QR_POOLED) {
		r->value[0][e] = q;
		r->value[1][e] = k;
		r->mag[0][e] = fabs(q);
		r->mag[1][e] = fabs(k);
	} else if (s->combine == PPIM_COMBINE_ADD) {
		r->value[0][e] = q + k;
		r->mag[0][e] = fabs(q) + fabs(k);
	} else {
		r->value[0][e] = q * k;
		r->mag[0][e] = fabs(q * k);
	}
}

/* The subtables' rows, by counting through the index' digits. */
static int rows_read(struct ref *r, uint64_t index)
{
	const struct ppim_shape *s = r->shape;
	uint32_t k = r->n_sub;
	uint64_t base;
	int ret = 0;

	while (!ret && k-- > 0) {
		base = ppim_shape_rows(s, k);
		ret = row_read(r, k, k ? index % base : index);
		index /= base;
	}
	return ret;
}

static int lookup(struct ref *r, uint64_t index)
{
	int ret = rows_read(r, index);
	uint32_t e;

	if (ret)
		return ret;
	if (r->shape->algo == PPIM_ALGO_TT)
		tt_pair(r);
	for (e = 0; e < r->shape->dim; e++) {
		if (r->shape->algo == PPIM_ALGO_QR) {
			qr_element(r, e);
		} else if (r->shape->algo == PPIM_ALGO_TT) {
			tt_element(r, e);
		} else {
			r->value[0][e] = r->row[0][e];
			r->mag[0][e] = fabs(r->row[0][e]);
		}
	}
	return 0;
}

static void fold(const struct ref *r, const double *value, const double *mag,
		 double weight, bool first, double *acc, double *acc_mag)
{
	uint32_t e;

	for (e = 0; e < r->shape->dim; e++) {
		if (r->bags->mode == PPIM_MODE_MAX) {
			if (first || value[e] > acc[e])
				acc[e] = value[e];
			if (mag[e] > acc_mag[e])
				acc_mag[e] = mag[e];
			continue;
		}
		acc[e] += weight * value[e];
		acc_mag[e] += fabs(weight) * mag[e];
	}
}

static bool is_pooled(const struct ppim_shape *s)
{
	return s->algo == PPIM_ALGO_QR && s->qr_order == PPIM_QR_POOLED &&
	       s->combine != PPIM_COMBINE_CONCAT;
}

static void finish(const struct ref *r, uint64_t count, double *acc,
		   double *mag)
{
	const struct ppim_shape *s = r->shape;
	double n = r->bags->mode == PPIM_MODE_MEAN && count ? (double)count : 1;
	uint32_t e;

	for (e = 0; e < s->dim; e++) {
		acc[e] /= n;
		mag[e] /= n;
		if (!is_pooled(s))
			continue;
		if (s->combine == PPIM_COMBINE_ADD) {
			acc[e] += r->acc2[e] / n;
			mag[e] += r->acc2_mag[e] / n;
		} else {
			acc[e] *= r->acc2[e] / n;
			mag[e] *= r->acc2_mag[e] / n;
		}
	}
}

static int bag(struct ref *r, uint32_t i, double *acc, double *mag)
{
	size_t bytes = r->shape->dim * sizeof(*acc);
	uint64_t pos, count = 0;
	double weight;
	int64_t index;
	int ret;

	memset(acc, 0, bytes);
	memset(mag, 0, bytes);
	memset(r->acc2, 0, bytes);
	memset(r->acc2_mag, 0, bytes);
	for (pos = bags_offset(r->bags, i); pos < bags_end(r->bags, i); pos++) {
		index = bags_index(r->bags, pos);
		if (bags_skips(r->bags, index))
			continue;
		ret = lookup(r, (uint64_t)index);
		if (ret)
			return ret;
		weight = r->bags->weights ? r->bags->weights[pos] : 1;
		fold(r, r->value[0], r->mag[0], weight, !count, acc, mag);
		if (is_pooled(r->shape))
			fold(r, r->value[1], r->mag[1], weight, !count, r->acc2,
			     r->acc2_mag);
		count++;
	}
	finish(r, count, acc, mag);
	return 0;
}

static int ref_alloc(struct ref *r)
{
	const struct ppim_shape *t = r->shape;
	size_t pair = (size_t)t->tt_q[0] * t->tt_q[1] * t->tt_r[1];
	uint64_t raw = 0, bytes;
	double *d;
	uint32_t s, i;

	for (s = 0; s < r->n_sub; s++) {
		bytes = ppim_shape_row_bytes(t, s);
		raw = bytes > raw ? bytes : raw;
		r->row[s] = calloc(ppim_shape_elems(t, s), sizeof(float));
		if (!r->row[s])
			return -ENOMEM;
	}
	r->raw = malloc(raw);
	r->memory = d = calloc(6 * t->dim + 2 * pair, sizeof(*d));
	if (!r->raw || !d)
		return -ENOMEM;
	double **const parts[] = { &r->value[0], &r->value[1], &r->mag[0],
				   &r->mag[1], &r->acc2, &r->acc2_mag };

	for (i = 0; i < ARRAY_SIZE(parts); i++, d += t->dim)
		*parts[i] = d;
	r->pair = d;
	r->pair_mag = d + pair;
	return 0;
}

static void ref_free(struct ref *r)
{
	uint32_t s;

	for (s = 0; s < r->n_sub; s++)
		free(r->row[s]);
	free(r->raw);
	free(r->memory);
}

int ppim_ref_gnr(const struct ppim_shape *shape, const struct ppim_rows *rows,
		 const struct ppim_bags *bags, double *out, double *magnitude,
		 struct ppim_ioc_result *result)
{
	struct ref r = { .shape = shape, .rows = rows, .bags = bags };
	struct ppim_ioc_result own;
	uint32_t i, s;
	int ret;

	if (!result)
		result = &own;
	memset(result, 0, sizeof(*result));
	ret = cpu_check(shape, bags, result);
	if (ret)
		return ret;
	r.n_sub = ppim_shape_subtables(shape);
	for (s = 0; s < r.n_sub; s++)
		if (!rows->base[s] && !rows->read)
			return result_fail(result, PPIM_ST_BAD_FIELD, EINVAL, 0,
					   0);
	ret = ref_alloc(&r);
	for (i = 0; !ret && i < bags->n_bags; i++)
		ret = bag(&r, i, out + (size_t)i * shape->dim,
			  magnitude + (size_t)i * shape->dim);
	ref_free(&r);
	return ret ? result_fail(result, PPIM_ST_INTERNAL, -ret, 0, 0) : 0;
}
