/* SPDX-License-Identifier: MIT */
/*
 * The small operations on lanes and queues. Included by each instance of the
 * scheduler, after dram_lanes.h.
 */
#ifndef PPIM_ENGINE_DRAM_QUEUE_H
#define PPIM_ENGINE_DRAM_QUEUE_H

#include <string.h>

#include "dram_lanes.h"

/* ---- what a bank waits for ---------------------------------------------- */

static ALWAYS_INLINE void wait_set(uint64_t *banks, uint32_t b, uint32_t is)
{
	*banks = (*banks & ~(1ull << b)) | (uint64_t)is << b;
}

/* Is the open row to be closed: the oldest command is not for it, and none that
 * is waits, or enough of them were served? */
static ALWAYS_INLINE uint32_t row_is_done(uint32_t n, uint32_t hit,
					  uint32_t hits)
{
	return (n != 0) & ~hit & ((hit == 0) | (hits >= DRAM_ROW_HIT_LIMIT));
}

/* ---- refresh ------------------------------------------------------------ */

/* Banks of the refresh that waits longest. The order of banks is JEDEC's:
 * bank groups first, then banks in them, then ranks. */
static inline uint64_t dram_refresh_mask(const struct dram_config *cfg,
					 const struct dram_channel *ch)
{
	uint32_t unit = ch->refresh_unit, groups = cfg->groups;

	if (!cfg->refresh_banks)
		return cfg->rank_mask[unit];
	return 1ull << (unit / cfg->banks * cfg->banks +
			unit % groups * cfg->group_banks +
			unit % cfg->banks / groups);
}

/* ---- transaction queues ------------------------------------------------- */

#ifdef DRAM_AVX2
static ALWAYS_INLINE __m256i bytes_get(const uint8_t *p)
{
	return _mm256_load_si256((const __m256i *)(const void *)p);
}

static ALWAYS_INLINE void bytes_put(uint8_t *p, __m256i v)
{
	_mm256_store_si256((__m256i *)(void *)p, v);
}

static ALWAYS_INLINE __m256i bytes_all(uint32_t byte)
{
	return _mm256_broadcastb_epi8(_mm_cvtsi32_si128((int)byte));
}

/* Each byte's place. */
static ALWAYS_INLINE __m256i bytes_place(void)
{
	return _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
				14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
				26, 27, 28, 29, 30, 31);
}

/* Those of 32 entries whose bank is in the set; none of DRAM_NO_ENTRY is. */
static ALWAYS_INLINE uint32_t banks_among(__m256i bank, uint64_t banks)
{
	const __m256i bits = _mm256_set1_epi64x((int64_t)0x8040201008040201);
	__m256i set = _mm256_broadcastq_epi64(
		_mm_cvtsi64_si128((int64_t)banks));
	__m256i eighth = _mm256_and_si256(_mm256_srli_epi16(bank, 3),
					  _mm256_set1_epi8(7));
	__m256i bit = _mm256_shuffle_epi8(bits, bank);
	__m256i of = _mm256_shuffle_epi8(set, eighth);

#ifdef DRAM_AVX512
	return _mm256_test_epi8_mask(of, bit);
#else
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
		_mm256_and_si256(of, bit), _mm256_setzero_si256()));
#endif
}

/* Takes out the at-th; the others move up, and `last` comes behind them. */
static ALWAYS_INLINE void bytes_take(uint8_t *p, uint32_t at, __m256i last)
{
	__m256i v = bytes_get(p);
	__m256i high = _mm256_permute2x128_si256(v, last, 0x21);
	__m256i up = _mm256_alignr_epi8(high, v, 1);
#ifdef DRAM_AVX512
	v = _mm256_mask_mov_epi8(up, (1u << at) - 1, v);
#else
	v = _mm256_blendv_epi8(
		up, v, _mm256_cmpgt_epi8(bytes_all(at), bytes_place()));
#endif
	bytes_put(p, v);
}

/* A wide read of what a narrow write has just left would wait until that is in
 * the cache: the write is as wide. */
static ALWAYS_INLINE void bytes_set(uint8_t *p, uint32_t at, uint32_t byte)
{
	__m256i v = bytes_get(p);

#ifdef DRAM_AVX512
	v = _mm256_mask_set1_epi8(v, 1u << at, (char)byte);
#else
	v = _mm256_blendv_epi8(v, bytes_all(byte),
			       _mm256_cmpeq_epi8(bytes_all(at),
						 bytes_place()));
#endif
	bytes_put(p, v);
}
#endif

/* Entries and free nodes together. */
static ALWAYS_INLINE uint32_t trans_end(const struct dram_config *cfg)
{
	return cfg->trans <= DRAM_NODES_V ? DRAM_NODES_V : cfg->trans;
}

/* The oldest entry whose bank is in the set; there is one. */
static ALWAYS_INLINE uint32_t trans_first(const struct dram_config *cfg,
					  const struct dram_trans *q,
					  uint64_t banks)
{
	uint32_t i = 0;

#ifdef DRAM_AVX2
	if (__builtin_expect(cfg->trans <= DRAM_NODES_V, 1))
		return dram_first(banks_among(bytes_get(q->bank), banks));
#endif
	(void)cfg;
	while (!(banks >> q->bank[i] & 1))
		i++;
	return i;
}

/* A node for a transaction of the bank, the youngest. */
static ALWAYS_INLINE struct dram_node *trans_push(const struct dram_config *cfg,
						  struct dram_trans *q,
						  uint32_t bank)
{
	uint32_t n = q->n++;

	q->of_bank[bank]++;
	q->waiting |= 1ull << bank;
#ifdef DRAM_AVX2
	if (__builtin_expect(cfg->trans <= DRAM_NODES_V, 1)) {
		bytes_set(q->bank, n, bank);
		return &q->node[q->slot[n]];
	}
#endif
	(void)cfg;
	q->bank[n] = (uint8_t)bank;
	return &q->node[q->slot[n]];
}

/* Takes out the at-th entry; its node is valid until the next push. */
static ALWAYS_INLINE struct dram_node *trans_take(const struct dram_config *cfg,
						  struct dram_trans *q,
						  uint32_t at)
{
	uint32_t end = trans_end(cfg), bank = q->bank[at];
	uint8_t slot = q->slot[at];

	q->n--;
	q->waiting &= ~((uint64_t)!--q->of_bank[bank] << bank);
#ifdef DRAM_AVX2
	if (__builtin_expect(cfg->trans <= DRAM_NODES_V, 1)) {
		bytes_take(q->bank, at, _mm256_set1_epi8((char)DRAM_NO_ENTRY));
		bytes_take(q->slot, at, bytes_all(slot));
		return &q->node[slot];
	}
#endif
	memmove(q->bank + at, q->bank + at + 1, end - at - 1);
	memmove(q->slot + at, q->slot + at + 1, end - at - 1);
	q->bank[end - 1] = DRAM_NO_ENTRY;
	q->slot[end - 1] = slot;
	return &q->node[slot];
}

/* Are writes to drain, before reads go on? */
static ALWAYS_INLINE bool dram_drain_due(const struct dram_config *cfg,
					 const struct dram_channel *ch)
{
	return ch->wr.n >= cfg->drain_min && !ch->reads_first &&
	       (ch->wr.n >= cfg->trans || !ch->queued);
}

/* ---- command queues ----------------------------------------------------- */

/* Puts a transaction into its bank's queue; true if that changes what the bank
 * waits for. */
static ALWAYS_INLINE bool bank_push(const struct dram_config *cfg,
				    struct dram_channel *ch,
				    uint64_t wait[DRAM_WAITED], uint32_t b,
				    const struct dram_node *node)
{
	struct dram_banks *bk = &ch->bank;
	uint32_t n = bk->n[b], slot = bk->order[b][n];
	uint32_t row = dram_row(cfg, node->addr);
	uint32_t open = ch->open >> b & 1, write = node->write, hit, fits;

	bk->rows[b][slot] = row;
	bk->addr[b][slot] = node->addr;
	bk->joined[b][slot] = node->joined;
	bk->wr[b] |= (uint16_t)(write << n);
	bk->n[b] = (uint8_t)(n + 1);
	ch->room &= ~((uint64_t)(n + 1 == cfg->queue) << b);
	/* Behind others, and not for the row that is open or will be next. */
	if (n && row != bk->row[b])
		return false;
	if (!(open | n))
		bk->row[b] = row;
	fits = row == bk->row[b];
	hit = bk->hit[b] | fits << n;
	bk->hit[b] = (uint16_t)hit;
	ch->queued |= 1ull << b;
	wait[PPIM_CMD_ACT] |= (uint64_t)(open ^ 1) << b;
	wait[PPIM_CMD_RD] |= (uint64_t)(open & fits & ~write) << b;
	wait[PPIM_CMD_WR] |= (uint64_t)(open & fits & write) << b;
	wait_set(&wait[PPIM_CMD_PRE], b,
		 open & row_is_done(n + 1, hit, bk->hits[b]));
	return true;
}

/* A set of entries without the at-th, those behind it moved up. */
static ALWAYS_INLINE uint32_t entries_take(uint32_t set, uint32_t at)
{
#ifdef DRAM_AVX2
	return _pext_u32(set, ~(1u << at));
#else
	uint32_t older = (1u << at) - 1;

	return (set & older) | (set >> 1 & ~older);
#endif
}

#ifdef DRAM_AVX2
static ALWAYS_INLINE __m128i vector_16(const void *p)
{
	return _mm_load_si128((const __m128i *)p);
}

/* Takes the at-th slot out of the order: it goes behind all others. */
static ALWAYS_INLINE void order_take(const struct dram_config *cfg,
				     uint8_t *order, uint32_t at)
{
	_mm_store_si128((__m128i *)(void *)order,
			_mm_shuffle_epi8(vector_16(order),
					 vector_16(cfg->take[at])));
}

/* The entries, by age, whose row it is; beyond the queue's length anything. */
static ALWAYS_INLINE uint32_t rows_equal(const uint32_t *rows,
					 const uint8_t *order, uint32_t row,
					 bool short_queue)
{
	__m128i r = _mm_set1_epi32((int)row), lo, hi = _mm_setzero_si128();

	lo = _mm_packs_epi32(_mm_cmpeq_epi32(vector_16(rows), r),
			     _mm_cmpeq_epi32(vector_16(rows + 4), r));
	if (!short_queue)
		hi = _mm_packs_epi32(
			_mm_cmpeq_epi32(vector_16(rows + 8), r),
			_mm_cmpeq_epi32(vector_16(rows + 12), r));
	return (uint32_t)_mm_movemask_epi8(_mm_shuffle_epi8(
		_mm_packs_epi16(lo, hi), vector_16(order)));
}
#else
static ALWAYS_INLINE void order_take(const struct dram_config *cfg,
				     uint8_t *order, uint32_t at)
{
	uint8_t was[DRAM_MAX_QUEUE];
	uint32_t i;

	memcpy(was, order, sizeof(was));
	for (i = 0; i < DRAM_MAX_QUEUE; i++)
		order[i] = was[cfg->take[at][i]];
}

static ALWAYS_INLINE uint32_t rows_equal(const uint32_t *rows,
					 const uint8_t *order, uint32_t row,
					 bool short_queue)
{
	uint32_t i, equal = 0;

	for (i = 0; i < (short_queue ? 8 : DRAM_MAX_QUEUE); i++)
		equal |= (uint32_t)(rows[order[i]] == row) << i;
	return equal;
}
#endif

/* Takes the at-th entry, a hit, out of the queue of an open bank of which so
 * many were served; its slot goes behind all others. */
static ALWAYS_INLINE void bank_take(const struct dram_config *cfg,
				    struct dram_channel *ch,
				    uint64_t wait[DRAM_WAITED], uint32_t b,
				    uint32_t at, uint32_t hits)
{
	struct dram_banks *bk = &ch->bank;
	uint32_t hit = entries_take(bk->hit[b], at), n = bk->n[b] - 1u;
	uint32_t wr = entries_take(bk->wr[b], at);

	order_take(cfg, bk->order[b], at);
	bk->hit[b] = (uint16_t)hit;
	bk->wr[b] = (uint16_t)wr;
	ch->room |= 1ull << b;
	ch->queued &= ~((uint64_t)!n << b);
	wait[PPIM_CMD_RD] &= ~((uint64_t)!(hit & ~wr) << b);
	wait[PPIM_CMD_WR] &= ~((uint64_t)!(hit & wr) << b);
	wait_set(&wait[PPIM_CMD_PRE], b, row_is_done(n, hit, hits));
	bk->n[b] = (uint8_t)n;
	bk->hits[b] = (uint8_t)hits;
}

#endif
