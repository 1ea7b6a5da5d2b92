// SPDX-License-Identifier: MIT
/* Shapes of a table's subtables for a vector size. */
#include <errno.h>
#include <string.h>
#include "workload.h"

/* Column factors of TT-Rec per vector size. */
static const struct {
	uint32_t dim;
	uint32_t q[3];
} tt_columns[] = {
	{ 16, { 2, 2, 4 } },
	{ 32, { 2, 4, 4 } },
	{ 64, { 4, 4, 4 } },
	{ 128, { 4, 4, 8 } },
};

uint32_t wl_cuberoot(uint64_t n)
{
	uint64_t p = 0;
	int bit;

	/* PPIM_MAX_ROWS is 2^40: the root needs 14 bits, and a cube 42 */
	for (bit = 13; bit >= 0; bit--) {
		uint64_t t = p | 1ull << bit;

		if (t * t * t < n)
			p = t;
	}
	return p + 1;
}

static int shape_tt(const struct wl_shape_config *cfg, struct ppim_shape *s,
		    struct wl_diag *diag)
{
	size_t k;

	if (!cfg->rank || cfg->rank > PPIM_MAX_TT_R)
		return wl_fail(diag, -EINVAL, "TT rank %u is not from 1 to %u",
			       cfg->rank, PPIM_MAX_TT_R);
	for (k = 0; k < sizeof(tt_columns) / sizeof(*tt_columns); k++)
		if (tt_columns[k].dim == s->dim)
			break;
	if (k == sizeof(tt_columns) / sizeof(*tt_columns))
		return wl_fail(
			diag, -EINVAL,
			"TT has column factors for vectors of 64, 128, 256 and 512 bytes, not of %u",
			cfg->vec_bytes);
	memcpy(s->tt_q, tt_columns[k].q, sizeof(s->tt_q));
	for (k = 0; k < 3; k++)
		s->tt_p[k] = wl_cuberoot(s->rows);
	s->tt_r[0] = cfg->rank;
	s->tt_r[1] = cfg->rank;
	return 0;
}

static int shape_qr(const struct wl_shape_config *cfg, struct ppim_shape *s,
		    struct wl_diag *diag)
{
	if (!cfg->collisions || cfg->collisions > PPIM_MAX_COLLISIONS)
		return wl_fail(diag, -EINVAL,
			       "%u collisions are not from 1 to %u",
			       cfg->collisions, PPIM_MAX_COLLISIONS);
	if (cfg->combine == PPIM_COMBINE_CONCAT && s->dim % 2)
		return wl_fail(
			diag, -EINVAL,
			"concat halves a vector between Q and R: %u bytes are an odd number of elements",
			cfg->vec_bytes);
	s->collisions = cfg->collisions;
	s->combine = cfg->combine;
	return 0;
}

int wl_shape_make(enum ppim_algo algo, uint64_t rows,
		  const struct wl_shape_config *cfg, struct ppim_shape *out,
		  struct wl_diag *diag)
{
	int ret = 0;

	memset(out, 0, sizeof(*out));
	if (!cfg->vec_bytes || cfg->vec_bytes % 4 ||
	    cfg->vec_bytes / 4 > PPIM_MAX_DIM)
		return wl_fail(
			diag, -EINVAL,
			"a vector of %u bytes is not 1 to %u fp32 elements of 4 bytes",
			cfg->vec_bytes, PPIM_MAX_DIM);
	out->algo = algo;
	out->dtype = PPIM_DTYPE_FP32;
	out->rows = rows;
	out->dim = cfg->vec_bytes / 4;
	if (algo == PPIM_ALGO_TT)
		ret = shape_tt(cfg, out, diag);
	else if (algo == PPIM_ALGO_QR)
		ret = shape_qr(cfg, out, diag);
	if (!ret && !ppim_shape_valid(out))
		return wl_fail(
			diag, -EINVAL,
			"impossible geometry: %llu rows of %u bytes (c %u, rank %u)",
			(unsigned long long)rows, cfg->vec_bytes,
			cfg->collisions, cfg->rank);
	return ret;
}

void wl_split(const struct ppim_shape *shape, uint64_t index,
	      uint64_t row[PPIM_MAX_SUBTABLES])
{
	uint64_t l0;

	if (shape->algo == PPIM_ALGO_QR) {
		row[PPIM_SUB_Q] = index / shape->collisions;
		row[PPIM_SUB_R] = index % shape->collisions;
	} else if (shape->algo == PPIM_ALGO_TT) {
		l0 = (uint64_t)shape->tt_p[1] * shape->tt_p[2];
		row[PPIM_SUB_G1] = index / l0;
		row[PPIM_SUB_G2] = index % l0 / shape->tt_p[2];
		row[PPIM_SUB_G3] = index % shape->tt_p[2];
	} else {
		row[PPIM_SUB_W] = index;
	}
}
