/* SPDX-License-Identifier: MIT */
/*
 * Lanes: one clock per bank, `n` banks, a multiple of 16. Included by each
 * instance of the scheduler, with DRAM_AVX2 defined or not.
 */
#ifndef PPIM_ENGINE_DRAM_LANES_H
#define PPIM_ENGINE_DRAM_LANES_H

#include "dram_int.h"

static ALWAYS_INLINE int32_t min_i32(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static ALWAYS_INLINE int32_t max_i32(int32_t a, int32_t b)
{
	int32_t max = a > b ? a : b;

#ifdef DRAM_AVX2
	/* In an integer register: GCC would rather compute single clocks in
	 * vector registers, and move them back and forth. */
	__asm__("" : "+r"(max));
#endif
	return max;
}

static ALWAYS_INLINE void limit_raise(int32_t *t, int32_t at_least)
{
	*t = max_i32(*t, at_least);
}

static ALWAYS_INLINE void lane_raise(uint16_t *t, int32_t at_least)
{
	*t = (uint16_t)max_i32(*t, at_least);
}

#ifdef DRAM_AVX2
#include <immintrin.h>

#define UNROLL _Pragma("GCC unroll 4")

/*
 * Lanes are read and written sixteen at a time: a wide read of what a narrow
 * write has just left would wait until that is in the cache.
 */
static ALWAYS_INLINE __m256i lanes_get(const uint16_t *t)
{
	return _mm256_load_si256((const __m256i *)(const void *)t);
}

static ALWAYS_INLINE void lanes_put(uint16_t *t, __m256i v)
{
	_mm256_store_si256((__m256i *)(void *)t, v);
}

static ALWAYS_INLINE __m256i lanes_all(int32_t at)
{
	return _mm256_broadcastw_epi16(_mm_cvtsi32_si128(at));
}

static ALWAYS_INLINE void lane_set(uint16_t *t, uint32_t b, int32_t at)
{
	static const uint16_t at_15[32] = { [15] = 0xffff };
	__m256i is = _mm256_loadu_si256(
		(const __m256i *)(const void *)(at_15 + 15 - b % 16));

	t += b & ~15u;
	lanes_put(t, _mm256_blendv_epi8(lanes_get(t), lanes_all(at), is));
}

/* Raises n lanes from `first` on: those whose `of` is `one`, and the others. */
static ALWAYS_INLINE void lanes_raise(uint16_t *t, const uint16_t *of,
				      uint32_t one, int32_t raise_one,
				      int32_t raise_others, uint32_t first,
				      uint32_t n)
{
	__m256i ones = lanes_all((int32_t)one);
	__m256i r1 = lanes_all(raise_one), r0 = lanes_all(raise_others);
	uint32_t i;

	UNROLL
	for (i = first; i < first + n; i += 16) {
		__m256i is = _mm256_cmpeq_epi16(lanes_get(of + i), ones);

		lanes_put(t + i, _mm256_max_epu16(lanes_get(t + i),
						  _mm256_blendv_epi8(r0, r1,
								     is)));
	}
}

static ALWAYS_INLINE void lanes_raise_all(uint16_t *t, int32_t at_least,
					  uint32_t first, uint32_t n)
{
	__m256i r = lanes_all(at_least);
	uint32_t i;

	UNROLL
	for (i = first; i < first + n; i += 16)
		lanes_put(t + i, _mm256_max_epu16(lanes_get(t + i), r));
}

/* Sixteen banks from i on: when each could issue whatever it waits for. */
static ALWAYS_INLINE __m256i lanes_next(const struct dram_lanes *l, bool writes,
					uint32_t i)
{
	__m256i v = _mm256_min_epu16(lanes_get(l->act + i),
				     lanes_get(l->pre + i));

	v = _mm256_min_epu16(v, lanes_get(l->rd + i));
	return writes ? _mm256_min_epu16(v, lanes_get(l->wr + i)) : v;
}

static ALWAYS_INLINE uint64_t lanes_upto(__m256i v, __m256i t, uint32_t i)
{
	__m256i is = _mm256_cmpeq_epi16(_mm256_min_epu16(v, t), v);
	__m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(is),
					_mm256_extracti128_si256(is, 1));

	return (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << i;
}

/* The banks that could issue something at clock `now`. */
static ALWAYS_INLINE uint64_t lanes_due(const struct dram_lanes *l, bool writes,
					int32_t now, uint32_t n)
{
	__m256i t = lanes_all(now);
	uint64_t due = 0;
	uint32_t i;

	UNROLL
	for (i = 0; i < n; i += 16)
		due |= lanes_upto(lanes_next(l, writes, i), t, i);
	return due;
}

/* The earliest clock, `from` or later, at which a bank could issue something;
 * *due: those that could then. */
static ALWAYS_INLINE int32_t lanes_least(const struct dram_lanes *l, bool writes,
					 int32_t from, uint32_t n, uint64_t *due)
{
	__m256i v[DRAM_MAX_BANKS / 16], least, t;
	__m128i m;
	uint32_t i;

	n = n < DRAM_MAX_BANKS ? n : DRAM_MAX_BANKS; /* for the compiler */
	least = v[0] = lanes_next(l, writes, 0);
	UNROLL
	for (i = 16; i < n; i += 16) {
		v[i / 16] = lanes_next(l, writes, i);
		least = _mm256_min_epu16(least, v[i / 16]);
	}
	m = _mm_minpos_epu16(_mm_min_epu16(_mm256_castsi256_si128(least),
					   _mm256_extracti128_si256(least, 1)));
	m = _mm_max_epu16(m, _mm_cvtsi32_si128(from));
	t = _mm256_broadcastw_epi16(m);
	*due = 0;
	UNROLL
	for (i = 0; i < n; i += 16)
		*due |= lanes_upto(v[i / 16], t, i);
	return (uint16_t)_mm_cvtsi128_si32(m);
}

#else

static ALWAYS_INLINE void lane_set(uint16_t *t, uint32_t b, int32_t at)
{
	t[b] = (uint16_t)at;
}

static ALWAYS_INLINE void lanes_raise(uint16_t *t, const uint16_t *of,
				      uint32_t one, int32_t raise_one,
				      int32_t raise_others, uint32_t first,
				      uint32_t n)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		lane_raise(&t[i], of[i] == one ? raise_one : raise_others);
}

static ALWAYS_INLINE void lanes_raise_all(uint16_t *t, int32_t at_least,
					  uint32_t first, uint32_t n)
{
	uint32_t i;

	for (i = first; i < first + n; i++)
		lane_raise(&t[i], at_least);
}

static ALWAYS_INLINE int32_t lanes_next(const struct dram_lanes *l, bool writes,
					uint32_t i)
{
	int32_t t = min_i32(l->act[i], min_i32(l->pre[i], l->rd[i]));

	return writes ? min_i32(t, l->wr[i]) : t;
}

static ALWAYS_INLINE uint64_t lanes_due(const struct dram_lanes *l, bool writes,
					int32_t now, uint32_t n)
{
	uint64_t due = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		due |= (uint64_t)(lanes_next(l, writes, i) <= now) << i;
	return due;
}

static ALWAYS_INLINE int32_t lanes_least(const struct dram_lanes *l, bool writes,
					 int32_t from, uint32_t n, uint64_t *due)
{
	int32_t least = DRAM_LATE;
	uint32_t i;

	for (i = 0; i < n; i++)
		least = min_i32(least, lanes_next(l, writes, i));
	least = max_i32(least, from);
	*due = lanes_due(l, writes, least, n);
	return least;
}

#endif

#endif
