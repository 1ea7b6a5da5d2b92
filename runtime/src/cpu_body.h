/* SPDX-License-Identifier: MIT */
/*
 * Loops of a kernel set; included once by each cpu_SET.c, which defines ISA
 * (attributes of every function), NAME, W (elements of a vec), vec, and the
 * operations LOAD STORE FILL ADD MUL FMA MAX on it; NARROW says that it has a
 * product_narrow() for four columns. Columns that fill no vec go through the
 * same operations one by one.
 */
#include <math.h>

#define INLINE ISA static inline __attribute__((always_inline))

INLINE vec vec_term(enum cpu_term term, const float *a, const float *b)
{
	if (term == CPU_MULT)
		return MUL(LOAD(a), LOAD(b));
	if (term == CPU_ADD)
		return ADD(LOAD(a), LOAD(b));
	return LOAD(a);
}

INLINE vec vec_fold(enum cpu_fold fold, vec acc, vec t, vec w)
{
	if (fold == CPU_MAX)
		return MAX(t, acc);
	return fold == CPU_FMA ? FMA(w, t, acc) : ADD(acc, t);
}

INLINE float one_fold(enum cpu_term term, enum cpu_fold fold, float acc,
		      const float *a, const float *b, float w)
{
	float t = term == CPU_MULT ? *a * *b :
		  term == CPU_ADD  ? *a + *b : *a;

	if (fold == CPU_MAX)
		return t > acc ? t : acc;
	return fold == CPU_FMA ? fmaf(w, t, acc) : acc + t;
}

/* Columns [e, e + count * W) of acc, held in registers over all lookups. */
INLINE void fold_columns(enum cpu_term term, enum cpu_fold fold, size_t count,
			 float *acc, size_t e, const float *const *a,
			 const float *const *b, const float *weight, size_t n)
{
	vec s[4], w = FILL(0);
	size_t i, v;

	for (v = 0; v < count; v++)
		s[v] = LOAD(acc + e + v * W);
	for (i = 0; i < n; i++) {
		const float *pb = term == CPU_ROW ? NULL : b[i] + e;

		if (fold == CPU_FMA)
			w = FILL(weight[i]);
		for (v = 0; v < count; v++)
			s[v] = vec_fold(fold, s[v],
					vec_term(term, a[i] + e + v * W,
						 pb ? pb + v * W : NULL), w);
	}
	for (v = 0; v < count; v++)
		STORE(acc + e + v * W, s[v]);
}

INLINE void fold_all(enum cpu_term term, enum cpu_fold fold, float *acc,
		     size_t width, const float *const *a,
		     const float *const *b, const float *weight, size_t n)
{
	size_t e = 0, i;

	for (; e + 4 * W <= width; e += 4 * W)
		fold_columns(term, fold, 4, acc, e, a, b, weight, n);
	for (; e + W <= width; e += W)
		fold_columns(term, fold, 1, acc, e, a, b, weight, n);
	for (; e < width; e++)
		for (i = 0; i < n; i++)
			acc[e] = one_fold(term, fold, acc[e], a[i] + e,
					  term == CPU_ROW ? NULL : b[i] + e,
					  fold == CPU_FMA ? weight[i] : 0);
}

#define FOLD(term, fold)						\
ISA static void fold_##term##_##fold(float *acc, size_t width,		\
				     const float *const *a,		\
				     const float *const *b,		\
				     const float *weight, size_t n)	\
{									\
	fold_all(term, fold, acc, width, a, b, weight, n);		\
}
FOLD(CPU_ROW, CPU_SUM)
FOLD(CPU_ROW, CPU_FMA)
FOLD(CPU_ROW, CPU_MAX)
FOLD(CPU_MULT, CPU_SUM)
FOLD(CPU_MULT, CPU_FMA)
FOLD(CPU_MULT, CPU_MAX)
FOLD(CPU_ADD, CPU_SUM)
FOLD(CPU_ADD, CPU_FMA)
FOLD(CPU_ADD, CPU_MAX)
#undef FOLD

/* A block of c: `rows` rows (1 or 4) of `count` vecs. Four chains at least run
 * side by side wherever the shape gives that many. */
INLINE void product_block(size_t rows, size_t count, const float *a,
			  const float *b, float *c, size_t k, size_t n)
{
	vec s[4][4];
	size_t i, r, v;

	for (r = 0; r < rows; r++)
		for (v = 0; v < count; v++)
			s[r][v] = FILL(0);
	for (i = 0; i < k; i++)
		for (v = 0; v < count; v++) {
			vec x = LOAD(b + i * n + v * W);

			for (r = 0; r < rows; r++)
				s[r][v] = FMA(FILL(a[r * k + i]), x, s[r][v]);
		}
	for (r = 0; r < rows; r++)
		for (v = 0; v < count; v++)
			STORE(c + r * n + v * W, s[r][v]);
}

ISA static void product_column(const float *a, const float *b, float *c,
			       size_t m, size_t k, size_t n)
{
	size_t i, r;
	float s;

	for (r = 0; r < m; r++) {
		for (s = 0, i = 0; i < k; i++)
			s = fmaf(a[r * k + i], b[i * n], s);
		c[r * n] = s;
	}
}

ISA static void product(const float *a, const float *b, float *c, size_t m,
			size_t k, size_t n)
{
	size_t e = 0, r;

	for (; e + 4 * W <= n; e += 4 * W)
		for (r = 0; r < m; r++)
			product_block(1, 4, a + r * k, b + e, c + r * n + e, k,
				      n);
	for (; e + W <= n; e += W) {
		for (r = 0; r + 4 <= m; r += 4)
			product_block(4, 1, a + r * k, b + e, c + r * n + e, k,
				      n);
		for (; r < m; r++)
			product_block(1, 1, a + r * k, b + e, c + r * n + e, k,
				      n);
	}
#ifdef NARROW
	for (; e + 4 <= n; e += 4)
		product_narrow(a, b + e, c + e, m, k, n);
#endif
	for (; e < n; e++)
		product_column(a, b + e, c + e, m, k, n);
}

const struct cpu_kernels NAME = {
	.name = TEXT,
	.usable = usable,
	.fold = {
		[CPU_ROW] = { fold_CPU_ROW_CPU_SUM, fold_CPU_ROW_CPU_FMA,
			      fold_CPU_ROW_CPU_MAX },
		[CPU_MULT] = { fold_CPU_MULT_CPU_SUM, fold_CPU_MULT_CPU_FMA,
			       fold_CPU_MULT_CPU_MAX },
		[CPU_ADD] = { fold_CPU_ADD_CPU_SUM, fold_CPU_ADD_CPU_FMA,
			      fold_CPU_ADD_CPU_MAX },
	},
	.product = product,
	.from_fp16 = from_fp16,
};
