// SPDX-License-Identifier: MIT
/* Table values from a hash of (seed, table, subtable, row, column). */
#include "workload.h"
#include "hash.h"

static uint64_t row_key(uint64_t seed, uint32_t table, uint32_t sub,
			uint64_t row)
{
	uint64_t key = wl_key(seed, WL_DOMAIN_VALUE, table);

	return wl_absorb(wl_absorb(key, sub), row);
}

/* Every step is exact in fp32: 23 bits of magnitude, one of sign. */
static float value_qr(uint32_t bits)
{
	float v = 0.5f + (float)(bits >> 9) * 0x1p-23f;

	return bits & 1 ? -v : v;
}

static float value_tt(uint32_t bits)
{
	return (float)((int32_t)bits >> 8) * 0x1p-23f;
}

static float value_make(const struct ppim_shape *shape, uint32_t sub,
			uint32_t bits)
{
	if (shape->algo != PPIM_ALGO_TT)
		return value_qr(bits);
	if (sub == PPIM_SUB_G2)
		return value_tt(bits) / (float)shape->tt_r[0];
	return value_tt(bits);
}

/* One output of the stream serves two columns. */
static uint32_t column_bits(uint64_t key, uint64_t col)
{
	uint64_t bits = wl_stream(key, col / 2);

	return col & 1 ? bits >> 32 : (uint32_t)bits;
}

void wl_row_fill(uint64_t seed, uint32_t table, uint32_t sub,
		 const struct ppim_shape *shape, uint64_t row, float *out)
{
	uint64_t n = ppim_shape_elems(shape, sub), col;
	uint64_t key = row_key(seed, table, sub, row);

	for (col = 0; col + 1 < n; col += 2) {
		uint64_t bits = wl_stream(key, col / 2);

		out[col] = value_make(shape, sub, (uint32_t)bits);
		out[col + 1] = value_make(shape, sub, bits >> 32);
	}
	if (col < n)
		out[col] = value_make(shape, sub, column_bits(key, col));
}

float wl_value(uint64_t seed, uint32_t table, uint32_t sub,
	       const struct ppim_shape *shape, uint64_t row, uint32_t col)
{
	uint64_t key = row_key(seed, table, sub, row);

	return value_make(shape, sub, column_bits(key, col));
}
