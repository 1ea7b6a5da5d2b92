/* SPDX-License-Identifier: MIT */
/*
 * The vector kernels behind ppim_gnr_compute(), one table of them per
 * instruction set. All of them do the same operations in the same order on
 * every output element, so their results are equal bit by bit: vectors only
 * run over elements, never over the terms of a sum.
 */
#ifndef PPIM_GNR_KERNELS_H
#define PPIM_GNR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* What becomes of an entry's one or two rows before it is reduced. */
enum gnr_term {
	GNR_TERM_A,	/* a */
	GNR_TERM_MULT,	/* a * b */
	GNR_TERM_ADD,	/* a + b */
	GNR_TERMS
};

enum gnr_reduce {
	GNR_SUM,	/* acc + t */
	GNR_WSUM,	/* fma(w, t, acc) */
	GNR_MAX,	/* t > acc ? t : acc */
	GNR_REDUCES
};

/* Reduces n entries of `width` elements into acc, in order. */
typedef void (*gnr_reduce_fn)(float *acc, size_t width, size_t n,
			      const float *const *a, const float *const *b,
			      const float *w);

struct gnr_kernels {
	const char *name;
	bool (*usable)(void);
	gnr_reduce_fn reduce[GNR_TERMS][GNR_REDUCES];
	/* c[m][n] = a[m][k] . b[k][n], each element an fma chain over k
	 * ascending from +0; row major, without gaps. */
	void (*gemm)(size_t m, size_t k, size_t n, const float *a,
		     const float *b, float *c);
	void (*from_fp16)(float *out, const uint16_t *in, size_t n);
};

extern const struct gnr_kernels gnr_kernels_scalar;
#if defined(__x86_64__)
/* __builtin_cpu_supports() of some compilers does not know this one. */
static inline bool gnr_has_f16c(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

extern const struct gnr_kernels gnr_kernels_avx2;
extern const struct gnr_kernels gnr_kernels_avx512;
#endif

#endif
