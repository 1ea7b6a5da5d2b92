// SPDX-License-Identifier: MIT
/*
 * Zipf ranks out of IEEE basic operations alone, which are exact on every
 * machine (the tree is compiled with -ffp-contract=off). The logarithm and the
 * exponential are good to a few units in the last place, which is far more than
 * a random number needs; that they are the same everywhere is what counts.
 */
#include <string.h>
#include "workload.h"
#include "hash.h"

#define LN2    0x1.62e42fefa39efp-1
#define LN2_HI 0x1.62e42feep-1 /* low 29 bits zero: k * LN2_HI is exact */
#define LN2_LO 0x1.a39ef35793c76p-33
#define SQRT2  0x1.6a09e667f3bcdp+0

/* 1 + z2/3 + z2^2/5 + ...: atanh(z) / z for z2 = z * z <= 0.03 */
static double atanh_series(double z2)
{
	double sum = 0;
	int k;

	for (k = 12; k >= 0; k--)
		sum = sum * z2 + 1.0 / (2 * k + 1);
	return sum;
}

/* 1 + x/2 + x^2/6 + ...: (e^x - 1) / x for |x| <= 0.35 */
static double expm1_series(double x)
{
	double sum = 1;
	int k;

	for (k = 16; k >= 2; k--)
		sum = 1 + x * sum / k;
	return sum;
}

double wl_log(double x)
{
	uint64_t bits;
	double m, z;
	int e;

	memcpy(&bits, &x, sizeof(bits));
	e = (int)(bits >> 52 & 0x7ff) - 1023;
	bits = (bits & ((1ull << 52) - 1)) | 1023ull << 52;
	memcpy(&m, &bits, sizeof(m));
	if (m > SQRT2) {
		m /= 2;
		e++;
	}
	z = (m - 1) / (m + 1);
	return e * LN2_HI + (2 * z * atanh_series(z * z) + e * LN2_LO);
}

double wl_exp(double x)
{
	uint64_t bits;
	double scale, r;
	int k;

	if (x < -700)
		return 0;
	if (x > 700)
		x = 700;
	k = (int)(x / LN2 + (x < 0 ? -0.5 : 0.5));
	r = (x - k * LN2_HI) - k * LN2_LO;
	bits = (uint64_t)(k + 1023) << 52;
	memcpy(&scale, &bits, sizeof(scale));
	return (1 + r * expm1_series(r)) * scale;
}

/* (e^x - 1) / x */
static double expm1_ratio(double x)
{
	if (x > -0.35 && x < 0.35)
		return expm1_series(x);
	return (wl_exp(x) - 1) / x;
}

/* log(1 + x) / x */
static double log1p_ratio(double x)
{
	double z = x / (2 + x);

	if (z > -0.17 && z < 0.17)
		return 2 / (2 + x) * atanh_series(z * z);
	return wl_log(1 + x) / x;
}

/* Integral of x^-s, and its inverse. */
static double h_integral(double x, double s)
{
	double l = wl_log(x);

	return expm1_ratio((1 - s) * l) * l;
}

static double h_inverse(double y, double s)
{
	double t = y * (1 - s);

	/* rounding may carry it beyond the pole */
	if (t < -1 + 0x1p-52)
		t = -1 + 0x1p-52;
	return wl_exp(log1p_ratio(t) * y);
}

static double h_value(double x, double s)
{
	return wl_exp(-s * wl_log(x));
}

void wl_zipf_init(struct wl_zipf *z, uint64_t n, double s)
{
	z->n = n;
	z->s = s;
	z->h_lo = h_integral(1.5, s) - 1;
	z->h_hi = h_integral((double)n + 0.5, s);
	z->squeeze = 2 - h_inverse(h_integral(2.5, s) - h_value(2, s), s);
}

static uint64_t clamp_rank(double x, uint64_t n)
{
	if (x < 1)
		return 1;
	if (x >= (double)n)
		return n;
	return (uint64_t)(x + 0.5);
}

uint64_t wl_zipf_rank(const struct wl_zipf *z, uint64_t key)
{
	uint64_t attempt;

	for (attempt = 0;; attempt++) {
		double unit = wl_unit(wl_stream(key, attempt));
		double u = z->h_hi + unit * (z->h_lo - z->h_hi);
		double x = h_inverse(u, z->s);
		uint64_t k = clamp_rank(x, z->n);

		if ((double)k - x <= z->squeeze ||
		    u >= h_integral((double)k + 0.5, z->s) -
				    h_value((double)k, z->s))
			return k - 1;
	}
}

/* One pass of a four-round Feistel network over 2 * half bits. */
static uint64_t feistel(uint64_t x, unsigned int half, uint64_t key)
{
	uint64_t mask = (1ull << half) - 1, left = x >> half, right = x & mask;
	int round;

	for (round = 0; round < 4; round++) {
		uint64_t t = left ^ (wl_absorb(key + round, right) & mask);

		left = right;
		right = t;
	}
	return left << half | right;
}

uint64_t wl_permute(uint64_t n, uint64_t key, uint64_t i)
{
	unsigned int half = 1;

	while (n > 1ull << 2 * half)
		half++;
	/* cycle walking: the power of four above n is at most 4 n */
	do {
		i = feistel(i, half, key);
	} while (i >= n);
	return i;
}
