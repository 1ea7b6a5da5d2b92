/* SPDX-License-Identifier: MIT */
/* Queues and timelines of a channel: the small operations. */
#ifndef PPIM_ENGINE_DRAM_QUEUE_H
#define PPIM_ENGINE_DRAM_QUEUE_H

#include <string.h>

#include "dram_int.h"

/* ---- timelines ---------------------------------------------------------- */

static inline void timeline_add(struct dram_timeline *tl, uint64_t clock,
				uint32_t bank)
{
	uint64_t ev = clock << 6 | bank;
	uint32_t at = tl->tail;

	tl->tail = (tl->tail + 1) % DRAM_TIMELINE;
	/* Delays are constants, so that this is in order nearly always. */
	while (at != tl->head) {
		uint32_t before = (at - 1) % DRAM_TIMELINE;

		if (tl->ev[before] <= ev)
			break;
		tl->ev[at] = tl->ev[before];
		at = before;
	}
	tl->ev[at] = ev;
	tl->next = tl->ev[tl->head] >> 6;
}

static inline uint32_t timeline_pop(struct dram_timeline *tl)
{
	uint32_t bank = tl->ev[tl->head] & 63;

	tl->head = (tl->head + 1) % DRAM_TIMELINE;
	tl->next = tl->head == tl->tail ? DRAM_NEVER : tl->ev[tl->head] >> 6;
	return bank;
}

/* ---- transaction queues ------------------------------------------------- */

static inline struct dram_node *trans_push(struct dram_trans *q, uint32_t bank)
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
	node->bank = (uint8_t)bank;
	return node;
}

/* Takes the oldest of the bank; its content is valid until the next push. */
static inline struct dram_node *trans_pop(struct dram_trans *q, uint32_t bank)
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
static inline uint32_t trans_oldest(const struct dram_trans *q, uint64_t banks)
{
	uint32_t best = dram_first(banks);
	uint32_t seq = q->node[q->head[best]].seq;

	for (banks &= banks - 1; banks; banks &= banks - 1) {
		uint32_t b = dram_first(banks);
		uint32_t s = q->node[q->head[b]].seq;

		if ((int32_t)(s - seq) < 0) {
			best = b;
			seq = s;
		}
	}
	return best;
}

/* ---- command queues ----------------------------------------------------- */

static inline void mask_put(uint64_t *mask, uint64_t bit, bool on)
{
	*mask = (*mask & ~bit) | (on ? bit : 0);
}

/* The bank's row is to be closed: nothing can go on in it in order, and no
 * row hit waits or enough of them were served. */
static inline bool bank_wants_pre(const struct dram_bank *bk)
{
	return bk->n && !(bk->hit & 1) &&
	       (!bk->hit || bk->hits >= DRAM_ROW_HIT_LIMIT);
}

/* After a change of the queue or of t_pre of an open bank, at clock c. */
static inline void bank_review(struct dram_channel *ch, uint32_t b, uint64_t c)
{
	const struct dram_bank *bk = &ch->bank[b];
	uint64_t bit = 1ull << b;

	mask_put(&ch->hit_rd, bit, bk->hit & ~bk->wr);
	mask_put(&ch->hit_wr, bit, bk->hit & bk->wr);
	if (!bank_wants_pre(bk)) {
		ch->want_pre &= ~bit;
		ch->pre_ripe &= ~bit;
		return;
	}
	ch->want_pre |= bit;
	mask_put(&ch->pre_ripe, bit, bk->t_pre <= c);
	if (bk->t_pre > c && !(ch->pre_timed & bit)) {
		timeline_add(&ch->pre, bk->t_pre, b);
		ch->pre_timed |= bit;
	}
}

static inline void bank_push(struct dram_channel *ch, uint32_t b,
			     const struct dram_entry *e, uint32_t queue_size,
			     uint64_t c)
{
	struct dram_bank *bk = &ch->bank[b];
	uint64_t bit = 1ull << b;
	uint32_t at = bk->n++;

	bk->queue[at] = *e;
	bk->wr |= (uint32_t)e->write << at;
	bk->hit |= (uint32_t)(e->row == bk->row) << at;
	ch->queued |= bit;
	if (bk->n == queue_size)
		ch->room &= ~bit;
	if (ch->open & bit)
		bank_review(ch, b, c);
}

/* Positions after `at` move up by one. */
static inline uint32_t mask_remove(uint32_t mask, uint32_t at)
{
	uint32_t low = (1u << at) - 1;

	return (mask & low) | (mask >> 1 & ~low);
}

static inline void bank_remove(struct dram_channel *ch, uint32_t b, uint32_t at)
{
	struct dram_bank *bk = &ch->bank[b];
	uint64_t bit = 1ull << b;
	uint32_t i;

	bk->n--;
	for (i = at; i < bk->n; i++)
		bk->queue[i] = bk->queue[i + 1];
	bk->hit = mask_remove(bk->hit, at);
	bk->wr = mask_remove(bk->wr, at);
	ch->room |= bit;
	if (!bk->n)
		ch->queued &= ~bit;
}

/* Positions whose row is open, after it was. */
static inline uint32_t bank_hits(const struct dram_bank *bk)
{
	uint32_t i, hit = 0;

	for (i = 0; i < bk->n; i++)
		hit |= (uint32_t)(bk->queue[i].row == bk->row) << i;
	return hit;
}

#endif
