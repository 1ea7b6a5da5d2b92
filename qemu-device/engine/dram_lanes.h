/* SPDX-License-Identifier: MIT */
/*
 * Lanes: one clock per bank, `n` banks, a multiple of 16. Included by each
 * instance of the scheduler, with DRAM_AVX2, with that and DRAM_AVX512, or with
 * neither defined.
 */
#ifndef PPIM_ENGINE_DRAM_LANES_H
#define PPIM_ENGINE_DRAM_LANES_H

#include <string.h>

#include "dram_int.h"

static ALWAYS_INLINE int32_t max_i32(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static ALWAYS_INLINE void lane_raise(uint16_t *t, int32_t at_least)
{
	*t = (uint16_t)max_i32(*t, at_least);
}

#define UNROLL _Pragma("GCC unroll 4")

#if defined(DRAM_AVX512)
#include <immintrin.h>

/* Of sixteen lanes the lower half of a vector alone is used. */
typedef __m512i lanes_v;

#define LANES_OF_V 32

static ALWAYS_INLINE __m256i lanes_low(lanes_v v)
{
	return _mm512_castsi512_si256(v);
}

static ALWAYS_INLINE lanes_v lanes_wide(__m256i v)
{
	return _mm512_castsi256_si512(v);
}

static ALWAYS_INLINE lanes_v lanes_get(const uint16_t *t, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_load_si256(
				 (const __m256i *)(const void *)t)) :
			 _mm512_load_si512(t);
}

static ALWAYS_INLINE void lanes_put(uint16_t *t, lanes_v v, uint32_t n)
{
	if (n == 16)
		_mm256_store_si256((__m256i *)(void *)t, lanes_low(v));
	else
		_mm512_store_si512(t, v);
}

static ALWAYS_INLINE lanes_v lanes_all(__m128i at, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_broadcastw_epi16(at)) :
			 _mm512_broadcastw_epi16(at);
}

static ALWAYS_INLINE lanes_v lanes_one(const uint16_t *at, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_set1_epi16((short)*at)) :
			 _mm512_set1_epi16((short)*at);
}

static ALWAYS_INLINE lanes_v lanes_late(void)
{
	return _mm512_set1_epi16(-1);
}

static ALWAYS_INLINE lanes_v lanes_and(lanes_v a, lanes_v b, uint32_t n)
{
	(void)n;
	return _mm512_and_si512(a, b);
}

static ALWAYS_INLINE lanes_v lanes_max(lanes_v a, lanes_v b, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_max_epu16(lanes_low(a),
						     lanes_low(b))) :
			 _mm512_max_epu16(a, b);
}

static ALWAYS_INLINE lanes_v lanes_min(lanes_v a, lanes_v b, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_min_epu16(lanes_low(a),
						     lanes_low(b))) :
			 _mm512_min_epu16(a, b);
}

/* The less of both for the banks, a for all others. */
static ALWAYS_INLINE lanes_v lanes_min_of(lanes_v a, lanes_v b, uint64_t banks,
					  uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_mask_min_epu16(
				 lanes_low(a), (__mmask16)banks, lanes_low(a),
				 lanes_low(b))) :
			 _mm512_mask_min_epu16(a, (__mmask32)banks, a, b);
}

static ALWAYS_INLINE uint64_t lanes_upto(lanes_v v, lanes_v at, uint32_t n)
{
	return n == 16 ? _mm256_cmple_epu16_mask(lanes_low(v), lanes_low(at)) :
			 _mm512_cmple_epu16_mask(v, at);
}

static ALWAYS_INLINE lanes_v lanes_add(lanes_v a, lanes_v b, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_add_epi16(lanes_low(a),
						     lanes_low(b))) :
			 _mm512_add_epi16(a, b);
}

/* The four over and over. */
static ALWAYS_INLINE lanes_v lanes_four(const uint16_t *four, uint32_t n)
{
	__m128i v = _mm_loadl_epi64((const __m128i *)(const void *)four);

	return n == 16 ? lanes_wide(_mm256_broadcastq_epi64(v)) :
			 _mm512_broadcastq_epi64(v);
}

/* In each lane that of the four which `near` says. */
static ALWAYS_INLINE lanes_v lanes_pick(lanes_v four, lanes_v near, uint32_t n)
{
	return n == 16 ? lanes_wide(_mm256_shuffle_epi8(lanes_low(four),
							lanes_low(near))) :
			 _mm512_shuffle_epi8(four, near);
}

/* In the lowest lane of the result the least. */
static ALWAYS_INLINE __m128i lanes_least(lanes_v v, uint32_t n)
{
	__m128i m = _mm_min_epu16(_mm512_castsi512_si128(v),
				  _mm256_extracti128_si256(lanes_low(v), 1));

	if (n > 16)
		m = _mm_min_epu16(
			m, _mm_min_epu16(_mm512_extracti32x4_epi32(v, 2),
					 _mm512_extracti32x4_epi32(v, 3)));
	return _mm_minpos_epu16(m);
}

#elif defined(DRAM_AVX2)
#include <immintrin.h>

typedef __m256i lanes_v;

#define LANES_OF_V 16

static ALWAYS_INLINE lanes_v lanes_get(const uint16_t *t, uint32_t n)
{
	(void)n;
	return _mm256_load_si256((const __m256i *)(const void *)t);
}

static ALWAYS_INLINE void lanes_put(uint16_t *t, lanes_v v, uint32_t n)
{
	(void)n;
	_mm256_store_si256((__m256i *)(void *)t, v);
}

static ALWAYS_INLINE lanes_v lanes_all(__m128i at, uint32_t n)
{
	(void)n;
	return _mm256_broadcastw_epi16(at);
}

static ALWAYS_INLINE lanes_v lanes_one(const uint16_t *at, uint32_t n)
{
	(void)n;
	return _mm256_set1_epi16((short)*at);
}

static ALWAYS_INLINE lanes_v lanes_late(void)
{
	return _mm256_set1_epi16(-1);
}

static ALWAYS_INLINE lanes_v lanes_and(lanes_v a, lanes_v b, uint32_t n)
{
	(void)n;
	return _mm256_and_si256(a, b);
}

static ALWAYS_INLINE lanes_v lanes_max(lanes_v a, lanes_v b, uint32_t n)
{
	(void)n;
	return _mm256_max_epu16(a, b);
}

static ALWAYS_INLINE lanes_v lanes_min(lanes_v a, lanes_v b, uint32_t n)
{
	(void)n;
	return _mm256_min_epu16(a, b);
}

/* The less of both for the banks, a for all others. */
static ALWAYS_INLINE lanes_v lanes_min_of(lanes_v a, lanes_v b, uint64_t banks,
					  uint32_t n)
{
	__m256i bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
					1024, 2048, 4096, 8192, 16384,
					-32768);
	__m256i all = lanes_all(_mm_cvtsi32_si128((int)banks), n);
	__m256i others = _mm256_cmpeq_epi16(_mm256_and_si256(all, bit),
					    _mm256_setzero_si256());

	return _mm256_min_epu16(a, _mm256_or_si256(b, others));
}

static ALWAYS_INLINE uint64_t lanes_upto(lanes_v v, lanes_v at, uint32_t n)
{
	__m256i is = _mm256_cmpeq_epi16(_mm256_min_epu16(v, at), v);
	__m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(is),
					_mm256_extracti128_si256(is, 1));

	(void)n;
	return (uint32_t)_mm_movemask_epi8(bytes);
}

static ALWAYS_INLINE lanes_v lanes_add(lanes_v a, lanes_v b, uint32_t n)
{
	(void)n;
	return _mm256_add_epi16(a, b);
}

/* The four over and over. */
static ALWAYS_INLINE lanes_v lanes_four(const uint16_t *four, uint32_t n)
{
	(void)n;
	return _mm256_broadcastq_epi64(
		_mm_loadl_epi64((const __m128i *)(const void *)four));
}

/* In each lane that of the four which `near` says. */
static ALWAYS_INLINE lanes_v lanes_pick(lanes_v four, lanes_v near, uint32_t n)
{
	(void)n;
	return _mm256_shuffle_epi8(four, near);
}

/* In the lowest lane of the result the least. */
static ALWAYS_INLINE __m128i lanes_least(lanes_v v, uint32_t n)
{
	(void)n;
	return _mm_minpos_epu16(_mm_min_epu16(_mm256_castsi256_si128(v),
					      _mm256_extracti128_si256(v, 1)));
}

#endif

#if defined(DRAM_AVX2)

/*
 * Lanes while the scheduler works: in registers. next: when the bank can issue
 * anything that it waits for, as of the last live_update(); at: the present, in
 * each lane.
 */
struct dram_live {
	lanes_v v[DRAM_WAITED][DRAM_MAX_BANKS / LANES_OF_V];
	lanes_v next[DRAM_MAX_BANKS / LANES_OF_V];
	lanes_v at;
	uint64_t wait[DRAM_WAITED];
};

/* To be called after a change of what banks wait for, and when. */
static ALWAYS_INLINE void live_update(struct dram_live *l, uint32_t n)
{
	uint32_t i, k;

	UNROLL
	for (i = 0; i < n; i += LANES_OF_V) {
		l->next[i / LANES_OF_V] = lanes_late();
		UNROLL
		for (k = 0; k < DRAM_WAITED; k++)
			l->next[i / LANES_OF_V] =
				lanes_min_of(l->next[i / LANES_OF_V],
					     l->v[k][i / LANES_OF_V],
					     l->wait[k] >> i, n);
	}
}

static ALWAYS_INLINE void live_set_now(struct dram_live *l, uint32_t now,
				       uint32_t n)
{
	l->at = lanes_all(_mm_cvtsi32_si128((int)now), n);
}

static ALWAYS_INLINE void live_load(struct dram_live *l,
				    const struct dram_channel *ch, uint32_t n)
{
	uint32_t i, k;

	UNROLL
	for (k = 0; k < DRAM_WAITED; k++) {
		l->wait[k] = ch->wait[k];
		UNROLL
		for (i = 0; i < n; i += LANES_OF_V)
			l->v[k][i / LANES_OF_V] =
				lanes_get(ch->lane.cmd[k] + i, n);
	}
}

static ALWAYS_INLINE void live_store(const struct dram_live *l,
				     struct dram_channel *ch, uint32_t n)
{
	uint32_t i, k;

	UNROLL
	for (k = 0; k < DRAM_WAITED; k++) {
		ch->wait[k] = l->wait[k];
		UNROLL
		for (i = 0; i < n; i += LANES_OF_V)
			lanes_put(ch->lane.cmd[k] + i, l->v[k][i / LANES_OF_V],
				  n);
	}
}

/* The command `from` of the bank, now, has all wait with the command `to`; those
 * of its rank until *rank at least, if that is given. */
static ALWAYS_INLINE void live_delay(const struct dram_config *cfg,
				     struct dram_live *l, uint32_t b,
				     uint32_t from, uint32_t to,
				     const uint16_t *rank, uint32_t n)
{
	static const uint16_t ranks[4] = { 0xffff, 0xffff, 0xffff, 0 };
	lanes_v by = lanes_add(lanes_four(cfg->delay[from][to], n), l->at, n);
	uint32_t i;

	if (rank)
		by = lanes_max(
			by,
			lanes_and(lanes_one(rank, n), lanes_four(ranks, n), n),
			n);
	UNROLL
	for (i = 0; i < n; i += LANES_OF_V)
		l->v[to][i / LANES_OF_V] = lanes_max(
			l->v[to][i / LANES_OF_V],
			lanes_pick(by, lanes_get(cfg->near[b] + i, n), n), n);
}

/* The banks that could issue something now, as of live_update(). */
static ALWAYS_INLINE uint64_t live_due(const struct dram_live *l, uint32_t n)
{
	uint64_t banks = 0;
	uint32_t i;

	UNROLL
	for (i = 0; i < n; i += LANES_OF_V)
		banks |= lanes_upto(l->next[i / LANES_OF_V], l->at, n) << i;
	return banks;
}

/* Those that wait for the command, and could issue it. */
static ALWAYS_INLINE uint64_t live_ready(const struct dram_live *l,
					 uint32_t cmd, uint32_t n)
{
	uint64_t banks = 0;
	uint32_t i;

	UNROLL
	for (i = 0; i < n; i += LANES_OF_V)
		banks |= lanes_upto(l->v[cmd][i / LANES_OF_V], l->at, n) << i;
	return banks & l->wait[cmd];
}

/* Goes to the next clock after `now` at which a bank could issue something, or
 * to the very next; DRAM_LATE: there is none. As of live_update(). */
static ALWAYS_INLINE uint32_t live_next(struct dram_live *l, uint32_t now,
					bool very_next, uint32_t n)
{
	lanes_v least = l->next[0];
	__m128i at;
	uint32_t i;

	UNROLL
	for (i = LANES_OF_V; i < n; i += LANES_OF_V)
		least = lanes_min(least, l->next[i / LANES_OF_V], n);
	/* Foreseen, it does not wait for the least. */
	at = very_next ? _mm_setzero_si128() :
			 _mm_and_si128(lanes_least(least, n),
				       _mm_cvtsi32_si128(UINT16_MAX));
	at = _mm_max_epu16(at, _mm_cvtsi32_si128((int)now + 1));
	l->at = lanes_all(at, n);
	return (uint32_t)_mm_cvtsi128_si32(at);
}

#else

/* Lanes while the scheduler works: where they are. What the functions do is
 * said above. */
struct dram_live {
	struct dram_lanes *lane;
	uint32_t at;
	uint64_t wait[DRAM_WAITED];
};

static ALWAYS_INLINE void live_update(struct dram_live *l, uint32_t n)
{
	(void)l;
	(void)n;
}

static ALWAYS_INLINE void live_set_now(struct dram_live *l, uint32_t now,
				       uint32_t n)
{
	(void)n;
	l->at = now;
}

static ALWAYS_INLINE void live_load(struct dram_live *l,
				    struct dram_channel *ch, uint32_t n)
{
	(void)n;
	l->lane = &ch->lane;
	memcpy(l->wait, ch->wait, sizeof(l->wait));
}

static ALWAYS_INLINE void live_store(const struct dram_live *l,
				     struct dram_channel *ch, uint32_t n)
{
	(void)n;
	memcpy(ch->wait, l->wait, sizeof(l->wait));
}

static ALWAYS_INLINE void live_delay(const struct dram_config *cfg,
				     struct dram_live *l, uint32_t b,
				     uint32_t from, uint32_t to,
				     const uint16_t *rank, uint32_t n)
{
	const uint16_t *near = cfg->near[b];
	uint32_t i, at, t;

	for (i = 0; i < n && near[i] != DRAM_NO_BANK; i++) {
		at = (near[i] & 0xff) / 2;
		t = l->at + cfg->delay[from][to][at];
		if (rank && at != DRAM_OTHER_RANK && t < *rank)
			t = *rank;
		if (l->lane->cmd[to][i] < t)
			l->lane->cmd[to][i] = (uint16_t)t;
	}
}

static ALWAYS_INLINE uint64_t live_ready(const struct dram_live *l,
					 uint32_t cmd, uint32_t n)
{
	uint64_t banks, ready = 0;

	(void)n;
	for (banks = l->wait[cmd]; banks; banks &= banks - 1)
		if (l->lane->cmd[cmd][dram_first(banks)] <= l->at)
			ready |= banks & -banks;
	return ready;
}

static ALWAYS_INLINE uint64_t live_due(const struct dram_live *l, uint32_t n)
{
	uint64_t due = 0;
	uint32_t k;

	for (k = 0; k < DRAM_WAITED; k++)
		due |= live_ready(l, k, n);
	return due;
}

static ALWAYS_INLINE uint32_t live_next(struct dram_live *l, uint32_t now,
					bool very_next, uint32_t n)
{
	uint64_t banks, least = very_next ? 0 : DRAM_LATE;
	uint32_t k;

	(void)n;
	for (k = 0; k < DRAM_WAITED; k++)
		for (banks = l->wait[k]; banks; banks &= banks - 1)
			least = dram_min(least,
					 l->lane->cmd[k][dram_first(banks)]);
	l->at = (uint32_t)dram_max(least, now + 1);
	return l->at;
}

#endif

#endif
