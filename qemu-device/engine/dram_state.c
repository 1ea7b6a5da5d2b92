// SPDX-License-Identifier: MIT
/*
 * The whole state of a memory in one block: a head, then the channels as they
 * are, which hold no pointer. It is for the same build: the head says how large
 * the channels are, and its magic is of the processor's byte order.
 *
 * What is loaded is checked before it is taken: a checksum for accidents, and
 * every invariant without which the scheduler would leave an array, wait for
 * ever or go back in time. What follows from other parts of the state is
 * derived from those and compared.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dram_queue.h"

#define STATE_MAGIC   0x316d617264676570ull
#define STATE_VERSION 4

struct state_head {
	uint64_t magic;
	uint32_t version;
	uint32_t channels;
	uint64_t channel_bytes;
	uint64_t config; /* hash of what the memory is */
	uint64_t now;
	uint32_t inject, injected;
	uint64_t sum; /* hash of all else */
};

/* No lane is later, counted from base. */
#define LATEST (DRAM_BASE_AGE + DRAM_MAX_DELAY)

static uint64_t hash_words(uint64_t h, const void *from, size_t bytes)
{
	const uint8_t *p = from;
	uint64_t word;

	for (; bytes; bytes -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

static uint64_t state_config(const struct dram_config *cfg)
{
	const uint64_t words[] = {
		cfg->channels,	    cfg->ranks,
		cfg->groups,	    cfg->group_banks,
		cfg->queue,	    cfg->trans,
		cfg->dual,	    cfg->closed_page,
		cfg->unified,	    cfg->refresh_interval,
		cfg->refresh_burst, cfg->refresh_units,
		cfg->refresh_banks, cfg->map.shift,
	};
	uint64_t h = hash_words(STATE_MAGIC, words, sizeof(words)), f[2];
	const int32_t *d = (const int32_t *)&cfg->d;
	size_t i;

	for (i = 0; i < sizeof(cfg->d) / sizeof(*d); i++) {
		f[0] = (uint64_t)d[i];
		h = hash_words(h, f, sizeof(f[0]));
	}
	for (i = 0; i < PPIM_FIELD_COUNT; i++) {
		f[0] = cfg->map.pos[i];
		f[1] = cfg->map.width[i];
		h = hash_words(h, f, sizeof(f));
	}
	return h;
}

static uint64_t state_sum(struct state_head head,
			  const struct dram_channel *channels)
{
	head.sum = 0;
	return hash_words(hash_words(STATE_MAGIC, &head, sizeof(head)),
			  channels, head.channels * sizeof(*channels));
}

static struct state_head state_head(const struct ppim_dram *m)
{
	struct state_head head = {
		.magic = STATE_MAGIC,
		.version = STATE_VERSION,
		.channels = m->cfg.channels,
		.channel_bytes = sizeof(m->ch[0]),
		.config = state_config(&m->cfg),
		.now = m->now,
		.inject = m->inject,
		.injected = m->injected,
	};

	head.sum = state_sum(head, m->ch);
	return head;
}

size_t ppim_dram_state_size(const struct ppim_dram *m)
{
	return sizeof(struct state_head) + m->cfg.channels * sizeof(m->ch[0]);
}

void ppim_dram_save(const struct ppim_dram *m, void *buf)
{
	struct state_head head = state_head(m);

	memcpy(buf, &head, sizeof(head));
	memcpy((char *)buf + sizeof(head), m->ch,
	       m->cfg.channels * sizeof(m->ch[0]));
}

/* ---- what is checked ------------------------------------------------------ */

/* All return what is wrong, NULL if nothing is. */

static bool lanes_are_sound(const uint16_t *t, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (t[i] > LATEST)
			return false;
	return true;
}

static bool window_is_sound(const int32_t *t, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (t[i] < 0 || t[i] > LATEST)
			return false;
	return true;
}

static const char *check_limits(const struct dram_channel *ch)
{
	const struct dram_ranks *rank = &ch->rank;
	uint32_t i;

	if (!lanes_are_sound(ch->lane.cmd[0], DRAM_WAITED * DRAM_MAX_BANKS) ||
	    !lanes_are_sound(ch->lane.ref, DRAM_MAX_BANKS))
		return "a limit lies too far ahead";
	for (i = 0; i < DRAM_MAX_BANKS; i++)
		if (!lanes_are_sound(rank->faw[i], 4) ||
		    !window_is_sound(rank->aw32[i].until, 32) ||
		    rank->aw32[i].at >= 32)
			return "an activation window is damaged";
	return NULL;
}

static const char *check_clocks(const struct dram_config *cfg,
				const struct dram_channel *ch, uint64_t now)
{
	uint32_t r;

	if (ch->base > now)
		return "the base of its limits lies ahead";
	if (ch->t_next < ch->base || ch->t_next > ch->base + DRAM_BASE_AGE ||
	    ch->t_next > ch->refresh_next)
		return "its next clock is none that can be next";
	if (ch->t_rare != (ch->refresh_due ?
				   0 :
				   dram_min(ch->refresh_next,
					    ch->base + DRAM_BASE_AGE)))
		return "its next refresh is not the next";
	if (ch->last_read > ch->base + LATEST ||
	    ch->last_write > now + 2)
		return "a request was done that was not issued";
	for (r = 0; r < cfg->ranks; r++)
		if (ch->rank.open_since[r] > ch->t_next)
			return "a row was opened in the future";
	return NULL;
}

static const char *check_refresh(const struct dram_config *cfg,
				 const struct dram_channel *ch)
{
	uint64_t done = ch->n.cmds[cfg->refresh_banks ? PPIM_CMD_REFB :
							PPIM_CMD_REF];

	if (cfg->refresh_interval == DRAM_NEVER)
		return ch->refresh_next != DRAM_NEVER || ch->refresh_due ||
				       ch->refresh_unit || ch->refreshing ?
			       "there are refreshes where there are none" :
			       NULL;
	if (ch->refresh_next % cfg->refresh_interval || !ch->refresh_next ||
	    ch->refresh_next <= ch->base ||
	    ch->refresh_next >= ch->t_next + cfg->refresh_interval)
		return "its next refresh is at no time for one";
	if (done + ch->refresh_due !=
	    (ch->refresh_next / cfg->refresh_interval - 1) * cfg->refresh_burst)
		return "its refreshes do not add up";
	if (ch->refresh_unit != done % cfg->refresh_units)
		return "its refreshes are out of order";
	if (ch->refreshing && (!ch->refresh_due ||
			       ch->refreshing != dram_refresh_mask(cfg, ch)))
		return "banks are kept for a refresh that does not wait";
	return NULL;
}

/* Does the address lie in this row of this bank? */
static bool lies_in(const struct dram_config *cfg, uint64_t addr, uint32_t chan,
		    uint32_t bank, uint32_t row)
{
	struct ppim_loc loc;

	ppim_addr_decode(&cfg->map, addr, &loc);
	return loc.f[PPIM_CH] == chan && loc.f[PPIM_RO] == row &&
	       loc.f[PPIM_RA] * cfg->banks +
			       loc.f[PPIM_BG] * cfg->group_banks +
			       loc.f[PPIM_BA] ==
		       bank;
}

/* The order names each slot once; those beyond the queue keep their place. */
static bool order_is_sound(const struct dram_config *cfg, const uint8_t *order)
{
	uint32_t i, seen = 0;

	for (i = 0; i < DRAM_MAX_QUEUE; i++) {
		if (order[i] >= DRAM_MAX_QUEUE || seen >> order[i] & 1 ||
		    (i >= cfg->queue && order[i] != i))
			return false;
		seen |= 1u << order[i];
	}
	return true;
}

static const char *check_row(const struct dram_config *cfg,
			     const struct dram_channel *ch, uint32_t b)
{
	const struct dram_banks *bk = &ch->bank;
	uint32_t oldest = bk->rows[b][bk->order[b][0]];

	if (ch->open >> b & 1)
		return bk->row[b] >> cfg->map.width[PPIM_RO] ?
			       "a row is open that does not exist" :
			       NULL;
	return bk->row[b] != (bk->n[b] ? oldest : DRAM_NO_ROW) ?
		       "the next row is not that of the oldest command" :
		       NULL;
}

static const char *check_bank(const struct dram_config *cfg,
			      const struct dram_channel *ch, uint32_t chan,
			      uint32_t b)
{
	const struct dram_banks *bk = &ch->bank;
	uint32_t i;

	if (bk->n[b] > cfg->queue || bk->wr[b] >> bk->n[b] ||
	    !order_is_sound(cfg, bk->order[b]))
		return "a command queue is damaged";
	for (i = 0; i < bk->n[b]; i++) {
		uint32_t slot = bk->order[b][i];

		if (!lies_in(cfg, bk->addr[b][slot], chan, b,
			     bk->rows[b][slot]))
			return "a command waits at the wrong bank";
	}
	return check_row(cfg, ch, b);
}

static const char *check_entry(const struct dram_config *cfg,
			       const struct dram_trans *q, uint32_t chan,
			       uint32_t i)
{
	const struct dram_node *node = &q->node[q->slot[i]];

	if (!lies_in(cfg, node->addr, chan, q->bank[i],
		     dram_row(cfg, node->addr)))
		return "a transaction waits at the wrong bank";
	return node->write > 1 || node->after_read > 1 ?
		       "a transaction is neither read nor write" :
		       NULL;
}

/* Each node is named once: those that are beyond the queue keep their place. */
static bool slots_are_sound(const struct dram_config *cfg,
			    const struct dram_trans *q)
{
	uint32_t end = trans_end(cfg), i;
	uint64_t seen[DRAM_MAX_NODES / 64] = { 0 };

	for (i = 0; i < DRAM_MAX_NODES; i++) {
		if (seen[q->slot[i] / 64] >> q->slot[i] % 64 & 1 ||
		    (i >= end && q->slot[i] != i))
			return false;
		seen[q->slot[i] / 64] |= 1ull << q->slot[i] % 64;
	}
	return true;
}

static const char *check_trans(const struct dram_config *cfg,
			       const struct dram_trans *q, uint32_t chan)
{
	const char *why = NULL;
	uint32_t i;

	if (q->n > cfg->trans)
		return "a transaction queue has another length";
	if (!slots_are_sound(cfg, q))
		return "a transaction queue is damaged";
	for (i = 0; i < q->n && !why; i++)
		why = check_entry(cfg, q, chan, i);
	for (; i < DRAM_MAX_NODES && !why; i++)
		if (q->bank[i] != DRAM_NO_ENTRY)
			why = "a transaction queue has another length";
	return why;
}

static uint32_t trans_writes(const struct dram_trans *q)
{
	uint32_t n = 0, i;

	for (i = 0; i < q->n; i++)
		n += q->node[q->slot[i]].write;
	return n;
}

/* Reads and writes are in their queues; what is waited for is there. */
static const char *check_kinds(const struct dram_config *cfg,
			       const struct dram_channel *ch)
{
	const struct dram_node *node;
	bool found = !ch->reads_first;
	uint32_t i;

	if (cfg->unified ? ch->wr.n : trans_writes(&ch->rd))
		return "a write waits among the reads";
	if (!cfg->unified && trans_writes(&ch->wr) != ch->wr.n)
		return "a read waits among the writes";
	if (ch->draining > ch->wr.n || ch->reads_first > 1)
		return "more writes are to drain than there are";
	for (i = 0; i < ch->rd.n; i++) {
		node = &ch->rd.node[ch->rd.slot[i]];
		found |= node->addr == ch->reads_first_addr && !node->write;
	}
	return found ? NULL : "a write waits for a read that is not there";
}

/* ---- what is derived ------------------------------------------------------ */

static void derive_trans(struct dram_channel *ch, struct dram_trans *q)
{
	const struct dram_node *node;
	uint32_t i;

	q->waiting = 0;
	memset(q->of_bank, 0, sizeof(q->of_bank));
	for (i = 0; i < q->n; i++) {
		q->waiting |= 1ull << q->bank[i];
		q->of_bank[q->bank[i]]++;
		node = &q->node[q->slot[i]];
		dram_filter_add(ch, node->addr);
		if (!node->write)
			ch->reads_pending += 1u + node->joined;
	}
}

/* What a bank waits for. */
static void derive_wait(struct dram_channel *ch, uint32_t b)
{
	uint32_t hit = ch->bank.hit[b], wr = ch->bank.wr[b], n = ch->bank.n[b];
	uint32_t open = ch->open >> b & 1;

	wait_set(&ch->wait[PPIM_CMD_ACT], b, !open && n);
	wait_set(&ch->wait[PPIM_CMD_PRE], b,
		 open & row_is_done(n, hit, ch->bank.hits[b]));
	wait_set(&ch->wait[PPIM_CMD_RD], b, open && hit & ~wr);
	wait_set(&ch->wait[PPIM_CMD_WR], b, open && hit & wr);
}

static void derive_bank(const struct dram_config *cfg, struct dram_channel *ch,
			uint32_t b)
{
	struct dram_banks *bk = &ch->bank;
	uint64_t bit = 1ull << b;
	uint32_t i;

	ch->queued |= bk->n[b] ? bit : 0;
	ch->room |= bk->n[b] < cfg->queue ? bit : 0;
	bk->hit[b] = 0;
	for (i = 0; i < bk->n[b]; i++) {
		uint32_t slot = bk->order[b][i];

		dram_filter_add(ch, bk->addr[b][slot]);
		bk->hit[b] |= (uint16_t)((bk->rows[b][slot] == bk->row[b])
					 << i);
		if (!(bk->wr[b] >> i & 1))
			ch->reads_pending += 1u + bk->joined[b][slot];
	}
	derive_wait(ch, b);
}

/* Everything that follows from the rest of *ch. */
static void derive(const struct dram_config *cfg, struct dram_channel *ch)
{
	uint32_t b;

	ch->queued = ch->room = 0;
	ch->reads_pending = 0;
	memset(ch->wait, 0, sizeof(ch->wait));
	memset(ch->filter, 0, sizeof(ch->filter));
	derive_trans(ch, &ch->rd);
	derive_trans(ch, &ch->wr);
	for (b = 0; b < cfg->bank_count; b++)
		derive_bank(cfg, ch, b);
}

/* A count in the filter that reached its end stays there. */
static bool filter_is_sound(const struct dram_channel *ch,
			    const struct dram_channel *want)
{
	size_t i;

	for (i = 0; i < sizeof(ch->filter); i++)
		if (ch->filter[i] != want->filter[i] &&
		    ch->filter[i] != UINT8_MAX)
			return false;
	return true;
}

static const char *check_next_command(const struct dram_channel *ch,
				      uint64_t now)
{
	uint64_t least = DRAM_NEVER, banks;
	uint32_t k;

	for (k = 0; k < DRAM_WAITED; k++)
		for (banks = ch->wait[k] & ~ch->refreshing; banks;
		     banks &= banks - 1)
			least = dram_min(least,
					 ch->base + ch->lane.cmd[k][dram_first(
							    banks)]);
	return ch->t_next > dram_max(least, now + 1) ?
		       "its next clock comes after its next command" :
		       NULL;
}

static bool trans_differ(const struct dram_trans *a, const struct dram_trans *b)
{
	return a->waiting != b->waiting ||
	       memcmp(a->of_bank, b->of_bank, sizeof(a->of_bank));
}

static const char *check_derived(const struct dram_config *cfg,
				 const struct dram_channel *ch,
				 struct dram_channel *want, uint64_t now)
{
	memcpy(want, ch, sizeof(*want));
	derive(cfg, want);
	if ((cfg->bank_count < 64 && ch->open >> cfg->bank_count) ||
	    ch->queued != want->queued || ch->room != want->room)
		return "its sets of banks are damaged";
	if (trans_differ(&ch->rd, &want->rd) ||
	    trans_differ(&ch->wr, &want->wr))
		return "banks have other transactions than they count";
	if (ch->reads_pending != want->reads_pending ||
	    ch->reads < ch->reads_pending)
		return "its reads do not add up";
	if (memcmp(ch->bank.hit, want->bank.hit, sizeof(ch->bank.hit)))
		return "row hits are none";
	if (memcmp(ch->wait, want->wait, sizeof(ch->wait)))
		return "banks do not wait for what they need";
	if (!filter_is_sound(ch, want))
		return "its filter of addresses is damaged";
	return check_next_command(ch, now);
}

static const char *check_channel(const struct dram_config *cfg,
				 const struct dram_channel *ch, uint32_t chan,
				 uint64_t now, struct dram_channel *scratch)
{
	const char *why = check_limits(ch);
	uint32_t b;

	if (!why)
		why = check_clocks(cfg, ch, now);
	if (!why)
		why = check_refresh(cfg, ch);
	for (b = 0; b < cfg->bank_count && !why; b++)
		why = check_bank(cfg, ch, chan, b);
	if (!why)
		why = check_trans(cfg, &ch->rd, chan);
	if (!why)
		why = check_trans(cfg, &ch->wr, chan);
	if (!why)
		why = check_kinds(cfg, ch);
	if (!why && ch->turn >= cfg->bank_count)
		why = "the turn is at a bank that does not exist";
	return why ? why : check_derived(cfg, ch, scratch, now);
}

/* ---- loading -------------------------------------------------------------- */

static int state_fail(struct ppim_diag *diag, int err, const char *why)
{
	if (diag)
		snprintf(diag->msg, sizeof(diag->msg), "state: %s", why);
	return err;
}

static const char *check_head(const struct ppim_dram *m, const void *buf,
			      size_t len)
{
	struct state_head head;

	if (len < sizeof(head))
		return "too short for one";
	memcpy(&head, buf, sizeof(head));
	if (head.magic != STATE_MAGIC)
		return "not of a memory";
	if (head.version != STATE_VERSION ||
	    head.channel_bytes != sizeof(m->ch[0]))
		return "of another version";
	if (head.config != state_config(&m->cfg) ||
	    head.channels != m->cfg.channels)
		return "of another specification";
	if (head.inject != m->inject)
		return "of a memory that admits another number per clock";
	if (len != ppim_dram_state_size(m))
		return "cut off, or longer than one";
	if (head.injected > head.inject || head.now > INT64_MAX)
		return "its front end is damaged";
	return NULL;
}

static int state_take(struct ppim_dram *m, const struct state_head *head,
		      struct dram_channel *ch, struct ppim_diag *diag)
{
	struct dram_channel *scratch = &ch[head->channels];
	char why[160];
	const char *what;
	uint32_t i;

	if (head->sum != state_sum(*head, ch))
		return state_fail(diag, -EINVAL, "its checksum is wrong");
	for (i = 0; i < head->channels; i++) {
		what = check_channel(&m->cfg, &ch[i], i, head->now, scratch);
		if (!what)
			continue;
		snprintf(why, sizeof(why), "channel %u: %s", i, what);
		return state_fail(diag, -EINVAL, why);
	}
	memcpy(m->ch, ch, head->channels * sizeof(*ch));
	m->now = head->now;
	m->injected = head->injected;
	return 0;
}

int ppim_dram_load(struct ppim_dram *m, const void *buf, size_t len,
		   struct ppim_diag *diag)
{
	const char *why = check_head(m, buf, len);
	struct dram_channel *ch;
	struct state_head head;
	int err;

	if (why)
		return state_fail(diag, -EINVAL, why);
	memcpy(&head, buf, sizeof(head));
	/* one more, to derive in */
	ch = aligned_alloc(64, (head.channels + 1) * sizeof(*ch));
	if (!ch)
		return state_fail(diag, -ENOMEM, "no memory to check it in");
	memcpy(ch, (const char *)buf + sizeof(head),
	       head.channels * sizeof(*ch));
	err = state_take(m, &head, ch, diag);
	free(ch);
	return err;
}

/* For tests of the checks behind the checksum. */
void dram_state_seal(const struct ppim_dram *m, void *buf)
{
	struct dram_channel *ch =
		aligned_alloc(64, m->cfg.channels * sizeof(*ch));
	struct state_head head;

	memcpy(&head, buf, sizeof(head));
	memcpy(ch, (char *)buf + sizeof(head), m->cfg.channels * sizeof(*ch));
	head.sum = state_sum(head, ch);
	memcpy(buf, &head, sizeof(head));
	free(ch);
}
