// SPDX-License-Identifier: GPL-2.0-only
/*
 * The answer as section 9 of the specification has it, written for reading:
 * row by row, in the order of the indices, one operation after the other. It
 * shares nothing with the device's own code.
 */

#include "qemu/osdep.h"
#include <math.h>
#include "ppim-qtest.h"

/* An element of a row as fp32. Widening a bfloat16 appends zeros; a half is
 * (1 + m / 1024) * 2^(e - 15), and all of the tests' halves are normal. */
static float element(const struct ppim_test_table *t, uint32_t k, uint64_t row,
		     uint64_t e)
{
	const uint8_t *p = t->sub[k].bytes + row * t->sub[k].row_bytes;
	uint16_t half = ((const uint16_t *)p)[e];
	uint32_t bits = (uint32_t)half << 16;
	float f;

	switch (t->shape.dtype) {
	case PPIM_DTYPE_FP16:
		f = ldexpf(1 + (half & 0x3ff) / 1024.0f,
			   (half >> 10 & 31) - 15);
		return half & 0x8000 ? -f : f;
	case PPIM_DTYPE_BF16:
		memcpy(&f, &bits, sizeof(f));
		return f;
	default:
		return ((const float *)p)[e];
	}
}

/* Element (a, b, c) of G1[i1] . G2[i2] . G3[i3]. */
static float tt_element(const struct ppim_test_table *t, uint64_t i, uint32_t a,
			uint32_t b, uint32_t c)
{
	const struct ppim_shape *s = &t->shape;
	uint64_t p23 = (uint64_t)s->tt_p[1] * s->tt_p[2];
	uint64_t i1 = i / p23, i2 = i % p23 / s->tt_p[2], i3 = i % s->tt_p[2];
	uint32_t r1 = s->tt_r[0], r2 = s->tt_r[1], x, y;
	float pair, sum = 0;

	for (y = 0; y < r2; y++) {
		pair = 0;
		for (x = 0; x < r1; x++)
			pair = fmaf(element(t, PPIM_SUB_G1, i1, a * r1 + x),
				    element(t, PPIM_SUB_G2, i2,
					    (x * s->tt_q[1] + b) * r2 + y),
				    pair);
		sum = fmaf(pair, element(t, PPIM_SUB_G3, i3,
					 y * s->tt_q[2] + c), sum);
	}
	return sum;
}

static float qr_combine(const struct ppim_shape *s, float q, float r)
{
	return s->combine == PPIM_COMBINE_ADD ? q + r : q * r;
}

static float qr_element(const struct ppim_test_table *t, uint64_t i, uint32_t e)
{
	const struct ppim_shape *s = &t->shape;
	uint64_t q = i / s->collisions, r = i % s->collisions;

	if (s->combine == PPIM_COMBINE_CONCAT)
		return e < s->dim / 2 ?
			       element(t, PPIM_SUB_Q, q, e) :
			       element(t, PPIM_SUB_R, r, e - s->dim / 2);
	return qr_combine(s, element(t, PPIM_SUB_Q, q, e),
			  element(t, PPIM_SUB_R, r, e));
}

/* Element e of the row that index i stands for. */
static float row_element(const struct ppim_test_table *t, uint64_t i,
			 uint32_t e)
{
	const uint32_t *q = t->shape.tt_q;

	switch (t->shape.algo) {
	case PPIM_ALGO_TT:
		return tt_element(t, i, e / (q[1] * q[2]), e / q[2] % q[1],
				  e % q[2]);
	case PPIM_ALGO_QR:
		return qr_element(t, i, e);
	default:
		return element(t, PPIM_SUB_W, i, e);
	}
}

static float pooled_q(const struct ppim_test_table *t, uint64_t i, uint32_t e)
{
	return element(t, PPIM_SUB_Q, i / t->shape.collisions, e);
}

static float pooled_r(const struct ppim_test_table *t, uint64_t i, uint32_t e)
{
	return element(t, PPIM_SUB_R, i % t->shape.collisions, e);
}

typedef float (*row_fn)(const struct ppim_test_table *t, uint64_t i,
			uint32_t e);

/* Reduces element e of a bag's rows. */
static float bag_reduce(const struct ppim_test_job *job, uint32_t bag,
			uint32_t e, row_fn row)
{
	int64_t pos = job->offsets[bag];
	int64_t end = bag + 1 < job->n_bags ? job->offsets[bag + 1] :
					      job->n_indices;
	float acc = 0, t;
	uint32_t n = 0;

	for (; pos < end; pos++) {
		if ((job->flags & PPIM_JOBF_PADDING) &&
		    job->indices[pos] == job->padding)
			continue;
		t = row(job->table, job->indices[pos], e);
		if (job->mode == PPIM_MODE_MAX)
			acc = !n || t > acc ? t : acc;
		else if (job->flags & PPIM_JOBF_WEIGHTS)
			acc = fmaf(job->weights[pos], t, acc);
		else
			acc = acc + t;
		n++;
	}
	return job->mode == PPIM_MODE_MEAN && n ? acc / (float)n : acc;
}

void ppim_reference(const struct ppim_test_job *job, float *out)
{
	const struct ppim_shape *s = &job->table->shape;
	bool pooled = s->algo == PPIM_ALGO_QR &&
		      s->qr_order == PPIM_QR_POOLED &&
		      s->combine != PPIM_COMBINE_CONCAT;
	uint32_t bag, e;

	for (bag = 0; bag < job->n_bags; bag++)
		for (e = 0; e < s->dim; e++)
			*out++ = pooled ?
				qr_combine(s, bag_reduce(job, bag, e, pooled_q),
					   bag_reduce(job, bag, e, pooled_r)) :
				bag_reduce(job, bag, e, row_element);
}
