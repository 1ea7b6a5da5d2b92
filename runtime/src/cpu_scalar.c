// SPDX-License-Identifier: MIT
/* Any processor: one element at a time, fused by fmaf(). */
#include "cpu_kernels.h"
#include "ppim_int.h"

#define ISA
#define NAME cpu_kernels_scalar
#define TEXT "scalar"
#define W 1
typedef float vec;
#define LOAD(p) (*(p))
#define STORE(p, x) (*(p) = (x))
#define FILL(x) ((vec)(x))
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define FMA(a, b, c) fmaf(a, b, c)
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static bool usable(void)
{
	return true;
}

static void from_fp16(const void *in, size_t n, float *out)
{
	ppim_row_decode(PPIM_DTYPE_FP16, in, n, out);
}

#include "cpu_body.h"
