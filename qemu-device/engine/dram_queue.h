/* SPDX-License-Identifier: MIT */
/* Earliest clocks of banks, and the small operations on queues. */
#ifndef PPIM_ENGINE_DRAM_QUEUE_H
#define PPIM_ENGINE_DRAM_QUEUE_H

#include "dram_int.h"

/* ---- earliest clocks ---------------------------------------------------- */

/* As far as bank and bank group go; the rank's limit comes on top. */

static ALWAYS_INLINE uint64_t bank_t_act(const struct dram_config *cfg,
					 const struct dram_channel *ch,
					 uint32_t b)
{
	return dram_max(ch->bank.t_act[b], ch->group.t_act[cfg->group_of[b]]);
}

static ALWAYS_INLINE uint64_t bank_t_rd(const struct dram_config *cfg,
					const struct dram_channel *ch,
					uint32_t b)
{
	return dram_max(ch->bank.acted[b] + cfg->d.act_rd,
			ch->group.t_rd[cfg->group_of[b]]);
}

static ALWAYS_INLINE uint64_t bank_t_wr(const struct dram_config *cfg,
					const struct dram_channel *ch,
					uint32_t b)
{
	return dram_max(ch->bank.acted[b] + cfg->d.act_wr,
			ch->group.t_wr[cfg->group_of[b]]);
}

static ALWAYS_INLINE void lower(uint64_t *t, uint64_t at_most)
{
	*t = dram_min(*t, at_most);
}

static ALWAYS_INLINE void raise(uint64_t *t, uint64_t at_least)
{
	*t = dram_max(*t, at_least);
}

/* A bank came to wait for a command of the class. */

static ALWAYS_INLINE void bank_await_act(const struct dram_config *cfg,
					 struct dram_channel *ch, uint32_t b)
{
	lower(&ch->t_act, dram_max(bank_t_act(cfg, ch, b),
				   ch->rank.t_act[cfg->rank_of[b]]));
}

static ALWAYS_INLINE void bank_await_rd(const struct dram_config *cfg,
					struct dram_channel *ch, uint32_t b)
{
	lower(&ch->t_rd, dram_max(bank_t_rd(cfg, ch, b),
				  ch->rank.t_rd[cfg->rank_of[b]]));
}

static ALWAYS_INLINE void bank_await_wr(const struct dram_config *cfg,
					struct dram_channel *ch, uint32_t b)
{
	lower(&ch->t_wr, dram_max(bank_t_wr(cfg, ch, b),
				  ch->rank.t_wr[cfg->rank_of[b]]));
}

static ALWAYS_INLINE void bank_await_pre(const struct dram_config *cfg,
					 struct dram_channel *ch, uint32_t b)
{
	lower(&ch->t_pre, dram_max(ch->bank.t_pre[b],
				   ch->rank.t_pre[cfg->rank_of[b]]));
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

static ALWAYS_INLINE void mask_put(uint64_t *mask, uint64_t bit, bool on)
{
	*mask = (*mask & ~bit) | (on ? bit : 0);
}

/*
 * After a change of an open bank's queue or of its row hits: what it waits
 * for. Its row is to be closed when the oldest command is not for it and none
 * that is waits, or enough of them were served.
 */
static ALWAYS_INLINE void bank_review(const struct dram_config *cfg,
				      struct dram_channel *ch, uint32_t b)
{
	const struct dram_banks *bk = &ch->bank;
	uint32_t hit = bk->hit[b], wr = bk->wr[b];
	uint64_t bit = 1ull << b;
	bool want;

	want = bk->n[b] && !(hit >> (bk->order[b] & 15) & 1) &&
	       (!hit || bk->hits[b] >= DRAM_ROW_HIT_LIMIT);
	mask_put(&ch->hit_rd, bit, hit & ~wr);
	mask_put(&ch->hit_wr, bit, hit & wr);
	mask_put(&ch->want_pre, bit, want);
	if (want)
		bank_await_pre(cfg, ch, b);
}

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
	if (node->write)
		bk->wr[b] |= (uint16_t)mask;
	if (!(ch->open & bit)) {
		bank_await_act(cfg, ch, b);
		return;
	}
	if (node->row == bk->row[b]) {
		bk->hit[b] |= (uint16_t)mask;
		if (node->write)
			bank_await_wr(cfg, ch, b);
		else
			bank_await_rd(cfg, ch, b);
	}
	bank_review(cfg, ch, b);
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
