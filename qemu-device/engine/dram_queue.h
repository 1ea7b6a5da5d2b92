/* SPDX-License-Identifier: MIT */
/*
 * The small operations on lanes and queues. Included by each instance of the
 * scheduler, after dram_lanes.h.
 */
#ifndef PPIM_ENGINE_DRAM_QUEUE_H
#define PPIM_ENGINE_DRAM_QUEUE_H

#include "dram_lanes.h"

/* ---- lanes ---------------------------------------------------------------- */

/* Of a bank that waits for a command of the class: all limits together. */

static ALWAYS_INLINE int32_t bank_next_act(const struct dram_config *cfg,
					   const struct dram_channel *ch,
					   uint32_t b)
{
	return max_i32(max_i32(ch->bank.t_act[b],
			       ch->group.t_act[cfg->group_of[b]]),
		       ch->rank.t_act[cfg->rank_of[b]]);
}

static ALWAYS_INLINE int32_t bank_next_rd(const struct dram_config *cfg,
					  const struct dram_channel *ch,
					  uint32_t b)
{
	return max_i32(max_i32(ch->bank.t_rd[b],
			       ch->group.t_rd[cfg->group_of[b]]),
		       ch->rank.t_rd[cfg->rank_of[b]]);
}

static ALWAYS_INLINE int32_t bank_next_wr(const struct dram_config *cfg,
					  const struct dram_channel *ch,
					  uint32_t b)
{
	return max_i32(max_i32(ch->bank.t_wr[b],
			       ch->group.t_wr[cfg->group_of[b]]),
		       ch->rank.t_wr[cfg->rank_of[b]]);
}

static ALWAYS_INLINE int32_t bank_next_pre(const struct dram_config *cfg,
					   const struct dram_channel *ch,
					   uint32_t b)
{
	return max_i32(ch->bank.t_pre[b], ch->rank.t_pre[cfg->rank_of[b]]);
}

/*
 * Is the open row to be closed: the oldest command is not for it, and none that
 * is waits, or enough of them were served?
 */
static ALWAYS_INLINE bool bank_wants_pre(const struct dram_banks *bk,
					 uint32_t b)
{
	uint32_t hit = bk->hit[b];

	return bk->n[b] && !(hit >> (bk->order[b] & 15) & 1) &&
	       (!hit || bk->hits[b] >= DRAM_ROW_HIT_LIMIT);
}

/* The lanes of an open bank, after a change of its queue or its row hits. */
static ALWAYS_INLINE void bank_lanes_open(const struct dram_config *cfg,
					  struct dram_channel *ch, uint32_t b)
{
	uint32_t hit = ch->bank.hit[b], wr = ch->bank.wr[b];
	int32_t rd = bank_next_rd(cfg, ch, b), pre = bank_next_pre(cfg, ch, b);

	lane_set(ch->lane.rd, b, hit & ~wr ? rd : DRAM_LATE);
	lane_set(ch->lane.pre, b,
		 bank_wants_pre(&ch->bank, b) ? pre : DRAM_LATE);
	if (ch->writes)
		lane_set(ch->lane.wr, b,
			 hit & wr ? bank_next_wr(cfg, ch, b) : DRAM_LATE);
}

static ALWAYS_INLINE void bank_lanes_off(struct dram_channel *ch, uint32_t b)
{
	lane_set(ch->lane.rd, b, DRAM_LATE);
	lane_set(ch->lane.pre, b, DRAM_LATE);
	if (ch->writes)
		lane_set(ch->lane.wr, b, DRAM_LATE);
}

/* The same for any bank, whatever its lanes were. */
static inline void bank_lanes(const struct dram_config *cfg,
			      struct dram_channel *ch, uint32_t b)
{
	bool open = ch->open >> b & 1, queued = ch->queued >> b & 1;

	lane_set(ch->lane.act, b, DRAM_LATE);
	bank_lanes_off(ch, b);
	if (ch->refreshing >> b & 1)
		return;
	if (open)
		bank_lanes_open(cfg, ch, b);
	else if (queued)
		lane_set(ch->lane.act, b, bank_next_act(cfg, ch, b));
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

static ALWAYS_INLINE struct dram_node *trans_push(struct dram_trans *q,
						  uint32_t bank)
{
	uint16_t i = q->free;
	struct dram_node *node = &q->node[i];

	q->free = node->next;
	if (q->waiting >> bank & 1)
		q->node[q->tail[bank]].next = i;
	else
		q->head[bank] = i;
	q->tail[bank] = i;
	q->waiting |= 1ull << bank;
	q->n++;
	node->seq = q->seq++;
	node->next = DRAM_NO_NODE;
	return node;
}

/* Takes the oldest of the bank; its content is valid until the next push. */
static ALWAYS_INLINE struct dram_node *trans_pop(struct dram_trans *q,
						 uint32_t bank)
{
	uint16_t i = q->head[bank];
	struct dram_node *node = &q->node[i];

	q->head[bank] = node->next;
	if (node->next == DRAM_NO_NODE)
		q->waiting &= ~(1ull << bank);
	node->next = q->free;
	q->free = i;
	q->n--;
	return node;
}

/* The bank out of `banks`, all waiting, whose first transaction is oldest. */
static ALWAYS_INLINE uint32_t trans_oldest(const struct dram_trans *q,
					   uint64_t banks)
{
	uint32_t best = dram_first(banks), seq;

	banks &= banks - 1;
	if (!banks)
		return best;
	for (seq = q->node[q->head[best]].seq; banks; banks &= banks - 1) {
		uint32_t b = dram_first(banks);
		uint32_t s = q->node[q->head[b]].seq;

		if ((int32_t)(s - seq) < 0) {
			best = b;
			seq = s;
		}
	}
	return best;
}

/* Are writes to drain, before reads go on? */
static ALWAYS_INLINE bool dram_drain_due(const struct dram_config *cfg,
					 const struct dram_channel *ch)
{
	return ch->wr.n >= cfg->drain_min && !ch->reads_first &&
	       (ch->wr.n >= cfg->trans || !ch->queued);
}

/* ---- command queues ----------------------------------------------------- */

static ALWAYS_INLINE void bank_push(const struct dram_config *cfg,
				    struct dram_channel *ch, uint32_t b,
				    const struct dram_node *node)
{
	struct dram_banks *bk = &ch->bank;
	uint64_t bit = 1ull << b;
	uint32_t n = bk->n[b], slot = bk->order[b] >> 4 * n & 15;
	uint32_t mask = 1u << slot;

	bk->n[b] = (uint8_t)++n;
	bk->rows[b][slot] = node->row;
	bk->addr[b][slot] = node->addr;
	bk->joined[b][slot] = node->joined;
	bk->used[b] |= (uint16_t)mask;
	ch->queued |= bit;
	if (n == cfg->queue)
		ch->room &= ~bit;
	if (node->write) {
		bk->wr[b] |= (uint16_t)mask;
		ch->writes++;
	}
	if (!(ch->open & bit)) {
		if (!(ch->refreshing & bit))
			lane_set(ch->lane.act, b, bank_next_act(cfg, ch, b));
		return;
	}
	if (node->row == bk->row[b])
		bk->hit[b] |= (uint16_t)mask;
	if (!(ch->refreshing & bit))
		bank_lanes_open(cfg, ch, b);
}

/* Frees the slot, which is the at-th oldest: it goes behind all others. */
static ALWAYS_INLINE void bank_remove(const struct dram_config *cfg,
				      struct dram_channel *ch, uint32_t b,
				      uint32_t slot, uint32_t at)
{
	struct dram_banks *bk = &ch->bank;
	uint64_t bit = 1ull << b, order = bk->order[b];
	uint64_t older = (1ull << 4 * at) - 1;
	uint16_t keep = (uint16_t)~(1u << slot);

	bk->order[b] = (order & older) | (order >> 4 & ~older) |
		       (uint64_t)slot << 4 * (cfg->queue - 1);
	bk->used[b] &= keep;
	bk->hit[b] &= keep;
	bk->wr[b] &= keep;
	ch->room |= bit;
	if (!--bk->n[b])
		ch->queued &= ~bit;
}

/* The oldest of the slots; *at: the how manieth of the queue. */
static ALWAYS_INLINE uint32_t bank_oldest(const struct dram_channel *ch,
					  uint32_t b, uint32_t slots,
					  uint32_t *at)
{
	uint64_t order = ch->bank.order[b];

	for (*at = 0; !(slots >> (order & 15) & 1); order >>= 4)
		++*at;
	return order & 15;
}

#ifdef __SSE2__
#include <emmintrin.h>

static ALWAYS_INLINE uint32_t rows_equal(const uint32_t *rows, uint32_t row,
					 uint32_t n)
{
	const __m128i *v = (const __m128i *)rows;
	__m128i r = _mm_set1_epi32((int)row), lo, hi;

	lo = _mm_packs_epi32(_mm_cmpeq_epi32(v[0], r),
			     _mm_cmpeq_epi32(v[1], r));
	if (n <= 8)
		return (uint32_t)_mm_movemask_epi8(
			_mm_packs_epi16(lo, _mm_setzero_si128()));
	hi = _mm_packs_epi32(_mm_cmpeq_epi32(v[2], r),
			     _mm_cmpeq_epi32(v[3], r));
	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(lo, hi));
}
#else
static ALWAYS_INLINE uint32_t rows_equal(const uint32_t *rows, uint32_t row,
					 uint32_t n)
{
	uint32_t i, equal = 0;

	for (i = 0; i < n; i++)
		equal |= (uint32_t)(rows[i] == row) << i;
	return equal;
}
#endif

#endif
