/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The shapes of a table's subtables, from its parameters. Driver, device,
 * planner and runtime must agree on them to the byte, so the arithmetic stands
 * here once, as inline functions without any dependency.
 */
#ifndef _UAPI_LINUX_PPIM_SHAPE_H
#define _UAPI_LINUX_PPIM_SHAPE_H

#include <linux/types.h>
#include <linux/ppim_defs.h>

/* Bounds of the parameters; products below cannot overflow 64 bits. */
#define PPIM_MAX_ROWS		(1ull << 40)
#define PPIM_MAX_DIM		4096u
#define PPIM_MAX_COLLISIONS	(1u << 20)
#define PPIM_MAX_TT_P		(1u << 20)
#define PPIM_MAX_TT_R		1024u
#define PPIM_MAX_ROW_BYTES	(16u << 20)

/**
 * struct ppim_shape - what fixes the shapes
 * @rows: N
 * @dim: D
 * @collisions: QR: c
 * @tt_p: TT: p1 p2 p3
 * @tt_q: TT: q1 q2 q3
 * @tt_r: TT: R1 R2
 * @algo: enum ppim_algo
 * @dtype: enum ppim_dtype
 * @combine: enum ppim_combine
 * @qr_order: enum ppim_qr_order
 */
struct ppim_shape {
	__u64 rows;
	__u32 dim;
	__u32 collisions;
	__u32 tt_p[3];
	__u32 tt_q[3];
	__u32 tt_r[2];
	__u8 algo;
	__u8 dtype;
	__u8 combine;
	__u8 qr_order;
};

static inline __u32 ppim_shape_subtables(const struct ppim_shape *s)
{
	return s->algo == PPIM_ALGO_TT ? 3 : s->algo == PPIM_ALGO_QR ? 2 : 1;
}

/* Bytes of n elements of a row; INT8 rows end in fp32 scale and zero point. */
static inline __u64 ppim_shape_bytes(__u8 dtype, __u64 n)
{
	switch (dtype) {
	case PPIM_DTYPE_FP32:
		return n * 4;
	case PPIM_DTYPE_FP16:
	case PPIM_DTYPE_BF16:
		return n * 2;
	default:
		return ((n + 3) & ~3ull) + 8;
	}
}

/* Elements of one row of a subtable. */
static inline __u64 ppim_shape_elems(const struct ppim_shape *s, __u32 sub)
{
	if (s->algo == PPIM_ALGO_QR)
		return s->combine == PPIM_COMBINE_CONCAT ? s->dim / 2 : s->dim;
	if (s->algo != PPIM_ALGO_TT)
		return s->dim;
	if (sub == PPIM_SUB_G1)
		return (__u64)s->tt_q[0] * s->tt_r[0];
	if (sub == PPIM_SUB_G2)
		return (__u64)s->tt_r[0] * s->tt_q[1] * s->tt_r[1];
	return (__u64)s->tt_r[1] * s->tt_q[2];
}

/* Rows of a subtable. (No 64-bit division operator: the kernel's 32-bit builds
 * lack it; c is small, so the caller's N is at most 2^40.)
 */
static inline __u64 ppim_shape_rows(const struct ppim_shape *s, __u32 sub)
{
	if (s->algo == PPIM_ALGO_TT)
		return s->tt_p[sub];
	if (s->algo != PPIM_ALGO_QR)
		return s->rows;
	if (sub == PPIM_SUB_R)
		return s->collisions;
	return (s->rows + s->collisions - 1) / s->collisions;
}

static inline __u64 ppim_shape_row_bytes(const struct ppim_shape *s, __u32 sub)
{
	return ppim_shape_bytes(s->dtype, ppim_shape_elems(s, sub));
}

static inline int ppim_shape_tt_valid(const struct ppim_shape *s)
{
	__u64 p = 1, q = 1;
	int k;

	for (k = 0; k < 3; k++) {
		if (!s->tt_p[k] || s->tt_p[k] > PPIM_MAX_TT_P)
			return 0;
		if (!s->tt_q[k] || s->tt_q[k] > PPIM_MAX_DIM)
			return 0;
		p *= s->tt_p[k];
		q *= s->tt_q[k];
		if (q > PPIM_MAX_DIM)
			return 0;
	}
	for (k = 0; k < 2; k++)
		if (!s->tt_r[k] || s->tt_r[k] > PPIM_MAX_TT_R)
			return 0;
	return p >= s->rows && q == s->dim;
}

/* Nonzero if every parameter is legal. What the algorithm does not use must be
 * zero, so that it can be given a meaning later.
 */
static inline int ppim_shape_valid(const struct ppim_shape *s)
{
	__u32 k, unused = 0;

	if (!s->rows || s->rows > PPIM_MAX_ROWS)
		return 0;
	if (!s->dim || s->dim > PPIM_MAX_DIM)
		return 0;
	if (s->algo > PPIM_ALGO_TT || s->dtype > PPIM_DTYPE_INT8)
		return 0;
	if (s->algo != PPIM_ALGO_TT)
		for (k = 0; k < 3; k++)
			unused |= s->tt_p[k] | s->tt_q[k] |
				  (k < 2 ? s->tt_r[k] : 0);
	if (s->algo != PPIM_ALGO_QR)
		unused |= s->collisions | s->combine | s->qr_order;
	if (unused)
		return 0;
	if (s->algo == PPIM_ALGO_TT && !ppim_shape_tt_valid(s))
		return 0;
	if (s->algo == PPIM_ALGO_QR) {
		if (!s->collisions || s->collisions > PPIM_MAX_COLLISIONS)
			return 0;
		if (s->combine > PPIM_COMBINE_CONCAT ||
		    s->qr_order > PPIM_QR_POOLED)
			return 0;
		if (s->combine == PPIM_COMBINE_CONCAT && (s->dim & 1))
			return 0;
	}
	for (k = 0; k < ppim_shape_subtables(s); k++)
		if (ppim_shape_row_bytes(s, k) > PPIM_MAX_ROW_BYTES)
			return 0;
	return 1;
}

#endif
