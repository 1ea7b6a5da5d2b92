/* SPDX-License-Identifier: MIT */
/*
 * Body of a set of kernels. The including file defines, for its instruction
 * set: GNR_FN (attributes of every function), GNR_W (elements of a vector),
 * vec, v_load v_store v_set1 v_add v_mul v_fma v_max, and GNR_NAME.
 * Elements beyond the last whole vector go one by one through the same
 * operations (fmaf is one instruction where GNR_FN has FMA).
 *
 * No include guard: it is included once by each of gnr_*.c.
 */

#define GNR_TILE 4	/* vectors of one row kept in registers */

#define T_A(a, b)	((void)(b), (a))
#define T_MULT(a, b)	v_mul(a, b)
#define T_ADD(a, b)	v_add(a, b)
#define R_SUM(w, t, acc)	((void)(w), v_add(acc, t))
#define R_WSUM(w, t, acc)	v_fma(w, t, acc)
#define R_MAX(w, t, acc)	((void)(w), v_max(t, acc))

#define S_A(a, b)	((void)(b), (a))
#define S_MULT(a, b)	((a) * (b))
#define S_ADD(a, b)	((a) + (b))
#define Q_SUM(w, t, acc)	((acc) + (t))
#define Q_WSUM(w, t, acc)	fmaf(w, t, acc)
#define Q_MAX(w, t, acc)	((t) > (acc) ? (t) : (acc))

/* Does the term read b, the reduction w? */
#define USES_B_A	0
#define USES_B_MULT	1
#define USES_B_ADD	1
#define USES_W_SUM	0
#define USES_W_WSUM	1
#define USES_W_MAX	0

/*
 * Three nested widths: tiles of GNR_TILE vectors, single vectors, elements.
 * The accumulators of a tile stay in registers over all n entries.
 */
#define DEFINE_REDUCE(term, red)					\
GNR_FN static void							\
reduce_##term##_##red(float *acc, size_t width, size_t n,		\
		      const float *const *a, const float *const *b,	\
		      const float *w)					\
{									\
	size_t e = 0, i;						\
									\
	for (; e + GNR_TILE * GNR_W <= width; e += GNR_TILE * GNR_W) {	\
		vec s0 = v_load(acc + e), s1 = v_load(acc + e + GNR_W);	\
		vec s2 = v_load(acc + e + 2 * GNR_W);			\
		vec s3 = v_load(acc + e + 3 * GNR_W);			\
									\
		for (i = 0; i < n; i++) {				\
			const float *pa = a[i] + e;			\
			const float *pb = USES_B_##term ? b[i] + e : pa;\
			vec wi = v_set1(USES_W_##red ? w[i] : 0);	\
									\
			s0 = R_##red(wi, T_##term(v_load(pa),		\
				v_load(pb)), s0);			\
			s1 = R_##red(wi, T_##term(v_load(pa + GNR_W),	\
				v_load(pb + GNR_W)), s1);		\
			s2 = R_##red(wi, T_##term(v_load(pa + 2 * GNR_W),\
				v_load(pb + 2 * GNR_W)), s2);		\
			s3 = R_##red(wi, T_##term(v_load(pa + 3 * GNR_W),\
				v_load(pb + 3 * GNR_W)), s3);		\
		}							\
		v_store(acc + e, s0);					\
		v_store(acc + e + GNR_W, s1);				\
		v_store(acc + e + 2 * GNR_W, s2);			\
		v_store(acc + e + 3 * GNR_W, s3);			\
	}								\
	for (; e + GNR_W <= width; e += GNR_W) {			\
		vec s0 = v_load(acc + e);				\
									\
		for (i = 0; i < n; i++) {				\
			const float *pa = a[i] + e;			\
			const float *pb = USES_B_##term ? b[i] + e : pa;\
			vec wi = v_set1(USES_W_##red ? w[i] : 0);	\
									\
			s0 = R_##red(wi, T_##term(v_load(pa),		\
				v_load(pb)), s0);			\
		}							\
		v_store(acc + e, s0);					\
	}								\
	for (; e < width; e++) {					\
		float s = acc[e];					\
									\
		for (i = 0; i < n; i++) {				\
			float pb = USES_B_##term ? b[i][e] : 0;		\
			float t = S_##term(a[i][e], pb);		\
									\
			s = Q_##red(USES_W_##red ? w[i] : 0, t, s);	\
		}							\
		acc[e] = s;						\
	}								\
}

DEFINE_REDUCE(A, SUM)
DEFINE_REDUCE(A, WSUM)
DEFINE_REDUCE(A, MAX)
DEFINE_REDUCE(MULT, SUM)
DEFINE_REDUCE(MULT, WSUM)
DEFINE_REDUCE(MULT, MAX)
DEFINE_REDUCE(ADD, SUM)
DEFINE_REDUCE(ADD, WSUM)
DEFINE_REDUCE(ADD, MAX)

/* One row of c, four vectors at a time: the shape of G1 . G2, whose rows are
 * q2 * R2 long. */
GNR_FN static size_t gemm_row_wide(size_t k, size_t n, const float *a,
				   const float *b, float *c)
{
	size_t e = 0, i;

	for (; e + GNR_TILE * GNR_W <= n; e += GNR_TILE * GNR_W) {
		vec s0 = v_set1(0), s1 = s0, s2 = s0, s3 = s0;

		for (i = 0; i < k; i++) {
			const float *p = b + i * n + e;
			vec x = v_set1(a[i]);

			s0 = v_fma(x, v_load(p), s0);
			s1 = v_fma(x, v_load(p + GNR_W), s1);
			s2 = v_fma(x, v_load(p + 2 * GNR_W), s2);
			s3 = v_fma(x, v_load(p + 3 * GNR_W), s3);
		}
		v_store(c + e, s0);
		v_store(c + e + GNR_W, s1);
		v_store(c + e + 2 * GNR_W, s2);
		v_store(c + e + 3 * GNR_W, s3);
	}
	return e;
}

/* One vector of four rows of c: enough chains at once to hide the latency. */
GNR_FN static void gemm_four_rows(size_t k, size_t n, const float *a,
				  const float *b, float *c)
{
	vec s0 = v_set1(0), s1 = s0, s2 = s0, s3 = s0;
	size_t i;

	for (i = 0; i < k; i++) {
		vec x = v_load(b + i * n);

		s0 = v_fma(v_set1(a[i]), x, s0);
		s1 = v_fma(v_set1(a[k + i]), x, s1);
		s2 = v_fma(v_set1(a[2 * k + i]), x, s2);
		s3 = v_fma(v_set1(a[3 * k + i]), x, s3);
	}
	v_store(c, s0);
	v_store(c + n, s1);
	v_store(c + 2 * n, s2);
	v_store(c + 3 * n, s3);
}

GNR_FN static void gemm_one_vec(size_t k, size_t n, const float *a,
				const float *b, float *c)
{
	vec s = v_set1(0);
	size_t i;

	for (i = 0; i < k; i++)
		s = v_fma(v_set1(a[i]), v_load(b + i * n), s);
	v_store(c, s);
}

GNR_FN static void gemm_one(size_t k, size_t n, const float *a, const float *b,
			    float *c)
{
	float s = 0;
	size_t i;

	for (i = 0; i < k; i++)
		s = fmaf(a[i], b[i * n], s);
	*c = s;
}

#ifdef GNR_NARROW
/* Four elements of four rows: the shape of P . G3 with q3 = 4. */
GNR_FN static void gemm_narrow_four_rows(size_t k, size_t n, const float *a,
					 const float *b, float *c)
{
	__m128 s0 = _mm_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
	size_t i;

	for (i = 0; i < k; i++) {
		__m128 x = _mm_loadu_ps(b + i * n);

		s0 = _mm_fmadd_ps(_mm_set1_ps(a[i]), x, s0);
		s1 = _mm_fmadd_ps(_mm_set1_ps(a[k + i]), x, s1);
		s2 = _mm_fmadd_ps(_mm_set1_ps(a[2 * k + i]), x, s2);
		s3 = _mm_fmadd_ps(_mm_set1_ps(a[3 * k + i]), x, s3);
	}
	_mm_storeu_ps(c, s0);
	_mm_storeu_ps(c + n, s1);
	_mm_storeu_ps(c + 2 * n, s2);
	_mm_storeu_ps(c + 3 * n, s3);
}
#endif

/* What is left of m rows right of column `from`. */
GNR_FN static void gemm_rest(size_t m, size_t k, size_t n, size_t from,
			     const float *a, const float *b, float *c)
{
	size_t e = from, r;

	for (; e + GNR_W <= n; e += GNR_W) {
		for (r = 0; r + 4 <= m; r += 4)
			gemm_four_rows(k, n, a + r * k, b + e, c + r * n + e);
		for (; r < m; r++)
			gemm_one_vec(k, n, a + r * k, b + e, c + r * n + e);
	}
#ifdef GNR_NARROW
	for (; e + 4 <= n && m >= 4; e += 4) {
		for (r = 0; r + 4 <= m; r += 4)
			gemm_narrow_four_rows(k, n, a + r * k, b + e,
					      c + r * n + e);
		for (; r < m; r++)
			for (size_t j = e; j < e + 4; j++)
				gemm_one(k, n, a + r * k, b + j, c + r * n + j);
	}
#endif
	for (; e < n; e++)
		for (r = 0; r < m; r++)
			gemm_one(k, n, a + r * k, b + e, c + r * n + e);
}

GNR_FN static void gemm(size_t m, size_t k, size_t n, const float *a,
			const float *b, float *c)
{
	size_t e = 0, r;

	for (r = 0; r < m; r++)
		e = gemm_row_wide(k, n, a + r * k, b, c + r * n);
	if (e < n)
		gemm_rest(m, k, n, e, a, b, c);
}

const struct gnr_kernels GNR_NAME = {
	.name = GNR_TEXT,
	.usable = usable,
	.reduce = {
		[GNR_TERM_A] = { reduce_A_SUM, reduce_A_WSUM, reduce_A_MAX },
		[GNR_TERM_MULT] = { reduce_MULT_SUM, reduce_MULT_WSUM,
				    reduce_MULT_MAX },
		[GNR_TERM_ADD] = { reduce_ADD_SUM, reduce_ADD_WSUM,
				   reduce_ADD_MAX },
	},
	.gemm = gemm,
	.from_fp16 = from_fp16,
};
