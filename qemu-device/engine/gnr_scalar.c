/* SPDX-License-Identifier: MIT */
/* Kernels in plain C: any processor, and the reference for the others. */

#include <math.h>
#include <string.h>
#include "gnr_kernels.h"

#define GNR_FN
#define GNR_NAME gnr_kernels_scalar
#define GNR_TEXT "scalar"
#define GNR_W 1
#define vec float
#define v_load(p) (*(p))
#define v_store(p, v) (*(p) = (v))
#define v_set1(x) (x)
#define v_add(a, b) ((a) + (b))
#define v_mul(a, b) ((a) * (b))
#define v_fma(a, b, c) fmaf(a, b, c)
/* The second operand unless the first is greater, as MAXPS has it. */
#define v_max(a, b) ((a) > (b) ? (a) : (b))

static bool usable(void)
{
	return true;
}

/* IEEE 754 binary16, exact; NaNs become quiet and keep their payload. */
static float fp16_value(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exponent = (h >> 10) & 31, mantissa = h & 0x3ff, bits;
	float f;

	if (exponent == 31) {
		bits = sign | 0x7f800000 | mantissa << 13;
		if (mantissa)
			bits |= 0x00400000;
	} else if (exponent) {
		bits = sign | (exponent + 112) << 23 | mantissa << 13;
	} else {
		f = (float)mantissa * 0x1p-24f;
		return sign ? -f : f;
	}
	memcpy(&f, &bits, sizeof(f));
	return f;
}

static void from_fp16(float *out, const uint16_t *in, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = fp16_value(in[i]);
}

#include "gnr_template.h"
