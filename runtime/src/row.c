// SPDX-License-Identifier: MIT
/*
 * Rows of every dtype to fp32 and back. Decoding is exact for FP32, FP16 and
 * BF16; INT8 is scale * (q - zero), where each of the two operations rounds
 * once. Encoding rounds to nearest, ties to even.
 */
#include <math.h>
#include <string.h>
#include "ppim_int.h"

/* NaNs become quiet and keep their payload, as VCVTPH2PS has it. */
static float from_fp16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h >> 15) << 31;
	uint32_t exp = h >> 10 & 31, man = h & 1023;
	uint32_t bits;
	float f;

	if (!exp) {
		f = ldexpf((float)man, -24);
		return sign ? -f : f;
	}
	bits = exp < 31 ? (exp + 127 - 15) << 23 | man << 13 :
	       man ? 0x7fc00000 | man << 13 : 0x7f800000;
	bits |= sign;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

static uint16_t to_fp16(float f)
{
	uint32_t bits, sign, man, half, rest, shift;
	int exp;

	memcpy(&bits, &f, sizeof(bits));
	sign = bits >> 16 & 0x8000;
	exp = (int)(bits >> 23 & 255) - 127;
	man = bits & 0x7fffff;
	if (exp == 128)
		return (uint16_t)(sign | 0x7c00 |
				  (man ? 0x200 | man >> 13 : 0));
	if (exp > 15)
		return (uint16_t)(sign | 0x7c00);
	if (exp < -25)
		return (uint16_t)sign;
	/* subnormal results take their leading one into the mantissa */
	shift = exp < -14 ? (uint32_t)(-1 - exp) : 13;
	if (exp < -14) {
		man |= 0x800000;
		half = man >> shift;
	} else {
		half = (uint32_t)(exp + 15) << 10 | man >> 13;
	}
	rest = man & ((1u << shift) - 1);
	half += rest > 1u << (shift - 1) ||
		(rest == 1u << (shift - 1) && half & 1);
	return (uint16_t)(sign | half);
}

static float from_bf16(uint16_t h)
{
	uint32_t bits = (uint32_t)h << 16;
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static uint16_t to_bf16(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(bits >> 16 | 0x40);
	bits += 0x7fff + (bits >> 16 & 1);
	return (uint16_t)(bits >> 16);
}

static void decode_int8(const int8_t *q, uint64_t n, float *out)
{
	uint64_t end = (n + 3) & ~3ull, i;
	float scale, zero;

	memcpy(&scale, q + end, sizeof(scale));
	memcpy(&zero, q + end + 4, sizeof(zero));
	for (i = 0; i < n; i++)
		out[i] = scale * ((float)q[i] - zero);
}

void ppim_row_decode(uint8_t dtype, const void *row, uint64_t n, float *out)
{
	const uint8_t *p = row;
	uint16_t h;
	uint64_t i;

	switch (dtype) {
	case PPIM_DTYPE_FP32:
		memcpy(out, row, n * 4);
		return;
	case PPIM_DTYPE_INT8:
		decode_int8(row, n, out);
		return;
	default:
		for (i = 0; i < n; i++) {
			memcpy(&h, p + 2 * i, sizeof(h));
			out[i] = dtype == PPIM_DTYPE_FP16 ? from_fp16(h) :
							    from_bf16(h);
		}
	}
}

/* The range is stretched to hold 0, so that the zero point is a whole number
 * of -128 .. 127 and 0 comes back as 0. */
static void encode_int8(const float *in, uint64_t n, int8_t *q)
{
	uint64_t end = (n + 3) & ~3ull, i;
	float lo = 0, hi = 0, scale, zero, x;

	for (i = 0; i < n; i++) {
		lo = in[i] < lo ? in[i] : lo;
		hi = in[i] > hi ? in[i] : hi;
	}
	scale = hi / 255 - lo / 255;
	if (!(scale > 0))
		scale = 1;
	zero = rintf(-128 - lo / scale);
	memset(q + n, 0, end - n);
	for (i = 0; i < n; i++) {
		x = rintf(in[i] / scale + zero);
		q[i] = (int8_t)(x > -128 ? (x < 127 ? x : 127) : -128);
	}
	memcpy(q + end, &scale, sizeof(scale));
	memcpy(q + end + 4, &zero, sizeof(zero));
}

void ppim_row_encode(uint8_t dtype, const float *in, uint64_t n, void *row)
{
	uint8_t *p = row;
	uint16_t h;
	uint64_t i;

	switch (dtype) {
	case PPIM_DTYPE_FP32:
		memcpy(row, in, n * 4);
		return;
	case PPIM_DTYPE_INT8:
		encode_int8(in, n, row);
		return;
	default:
		for (i = 0; i < n; i++) {
			h = dtype == PPIM_DTYPE_FP16 ? to_fp16(in[i]) :
						       to_bf16(in[i]);
			memcpy(p + 2 * i, &h, sizeof(h));
		}
	}
}
