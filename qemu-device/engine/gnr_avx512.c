/* SPDX-License-Identifier: MIT */
/* Kernels for AVX-512F (with AVX2, FMA and F16C for what is left over). */

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include "gnr_kernels.h"

#define GNR_FN __attribute__((target("avx512f,avx2,fma,f16c")))
#define GNR_NAME gnr_kernels_avx512
#define GNR_TEXT "avx512"
#define GNR_NARROW
#define GNR_W 16
#define vec __m512
#define v_load(p) _mm512_loadu_ps(p)
#define v_store(p, v) _mm512_storeu_ps(p, v)
#define v_set1(x) _mm512_set1_ps(x)
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_max(a, b) _mm512_max_ps(a, b)

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("fma") && gnr_has_f16c();
}

GNR_FN static void from_fp16(float *out, const uint16_t *in, size_t n)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16)
		_mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256(
						  (const void *)(in + i))));
	for (; i < n; i++)
		out[i] = _cvtsh_ss(in[i]);
}

#include "gnr_template.h"

#endif
