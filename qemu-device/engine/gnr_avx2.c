/* SPDX-License-Identifier: MIT */
/* Kernels for AVX2 with FMA and F16C. */

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include "gnr_kernels.h"

#define GNR_FN __attribute__((target("avx2,fma,f16c")))
#define GNR_NAME gnr_kernels_avx2
#define GNR_TEXT "avx2"
#define GNR_NARROW
#define GNR_W 8
#define vec __m256
#define v_load(p) _mm256_loadu_ps(p)
#define v_store(p, v) _mm256_storeu_ps(p, v)
#define v_set1(x) _mm256_set1_ps(x)
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_max(a, b) _mm256_max_ps(a, b)

static bool usable(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("fma") && gnr_has_f16c();
}

GNR_FN static void from_fp16(float *out, const uint16_t *in, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(
						  (const void *)(in + i))));
	for (; i < n; i++)
		out[i] = _cvtsh_ss(in[i]);
}

#include "gnr_template.h"

#endif
