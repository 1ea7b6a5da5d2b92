/* SPDX-License-Identifier: MIT */
/*
 * The inner loops of the CPU path, one set per instruction set. Vectors run
 * over the elements of a row, never over the terms of a sum, and every
 * operation that rounds is the same one in each set: all sets give the same
 * bits.
 */
#ifndef PPIM_CPU_KERNELS_H
#define PPIM_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one lookup adds: a row, or two rows combined. */
enum cpu_term { CPU_ROW, CPU_MULT, CPU_ADD, CPU_TERMS };

/* How it is added to what is there. */
enum cpu_fold {
	CPU_SUM, /* acc + t */
	CPU_FMA, /* fma(weight, t, acc) */
	CPU_MAX, /* t > acc ? t : acc */
	CPU_FOLDS
};

struct cpu_kernels {
	const char *name;
	bool (*usable)(void);
	/* n lookups, in order, into acc[width] */
	void (*fold[CPU_TERMS][CPU_FOLDS])(float *acc, size_t width,
					   const float *const *a,
					   const float *const *b,
					   const float *weight, size_t n);
	/* c[m][n] = a[m][k] . b[k][n]: fma over k ascending, from +0 */
	void (*product)(const float *a, const float *b, float *c, size_t m,
			size_t k, size_t n);
	void (*from_fp16)(const void *in, size_t n, float *out);
};

extern const struct cpu_kernels cpu_kernels_scalar;
#ifdef __x86_64__
extern const struct cpu_kernels cpu_kernels_avx2;
#endif

#endif
