// SPDX-License-Identifier: MIT
/* x86-64 with AVX2, FMA and F16C. */
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include "cpu_kernels.h"
#include "ppim_int.h"

#define ISA __attribute__((target("avx2,fma,f16c")))
#define NAME cpu_kernels_avx2
#define TEXT "avx2"
#define W 8
typedef __m256 vec;
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, x) _mm256_storeu_ps(p, x)
#define FILL(x) _mm256_set1_ps(x)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
/* MAXPS gives the second operand unless the first is greater */
#define MAX(a, b) _mm256_max_ps(a, b)

static bool usable(void)
{
	unsigned int a, b, c, d;

	/* compilers differ on whether __builtin_cpu_supports() knows F16C */
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}

ISA static void from_fp16(const void *in, size_t n, float *out)
{
	const uint16_t *h = in;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8)
		_mm256_storeu_ps(out + i,
				 _mm256_cvtph_ps(_mm_loadu_si128(
					 (const __m128i *)(h + i))));
	ppim_row_decode(PPIM_DTYPE_FP16, h + i, n - i, out + i);
}

/* Four columns: G3 of the usual shapes is no wider. */
ISA static void product_narrow(const float *a, const float *b, float *c,
			       size_t m, size_t k, size_t n)
{
	__m128 s[4], x;
	size_t i, r, j, rows;

	for (r = 0; r < m; r += rows) {
		rows = m - r < 4 ? m - r : 4;
		for (j = 0; j < rows; j++)
			s[j] = _mm_setzero_ps();
		for (i = 0; i < k; i++) {
			x = _mm_loadu_ps(b + i * n);
			for (j = 0; j < rows; j++)
				s[j] = _mm_fmadd_ps(
					_mm_set1_ps(a[(r + j) * k + i]), x,
					s[j]);
		}
		for (j = 0; j < rows; j++)
			_mm_storeu_ps(c + (r + j) * n, s[j]);
	}
}
#define NARROW

#include "cpu_body.h"
#endif
