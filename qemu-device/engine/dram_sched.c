// SPDX-License-Identifier: MIT
/*
 * One clock of one controller, after DRAMsim3's (src/controller.cc and
 * command_queue.cc): a refresh that is due goes first; else banks are served
 * in turn, and within a bank's queue the first command that is ready; then one
 * transaction moves from the transaction queue into its bank's queue.
 *
 * Functions with a parameter `ranks` or `rare` are compiled for each value that
 * a caller names: one or two ranks without rarities, and all the rest.
 */
#include <stddef.h>

#include "dram_queue.h"

struct pick {
	uint32_t bank;
	uint32_t slot, at; /* of a column command: where, and the how manieth */
	enum ppim_dram_cmd cmd;
};

static NOINLINE void channel_observe(struct ppim_dram *m,
				     struct dram_channel *ch,
				     enum ppim_dram_cmd cmd, uint32_t b,
				     uint64_t addr, uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	struct ppim_dram_event ev = { .cycle = c, .cmd = cmd };

	if (!m->observe)
		return;
	if (cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR)
		ppim_addr_decode(&cfg->map, addr, &ev.loc);
	ev.loc.f[PPIM_CH] = (uint32_t)(ch - m->ch);
	ev.loc.f[PPIM_RA] = b / cfg->banks;
	ev.loc.f[PPIM_BG] = b % cfg->banks / cfg->group_banks;
	ev.loc.f[PPIM_BA] = b % cfg->group_banks;
	if (cmd == PPIM_CMD_ACT)
		ev.loc.f[PPIM_RO] = ch->bank.row[b];
	m->observe(m->observe_arg, &ev);
}

/* ---- when ---------------------------------------------------------------- */

/*
 * The least of t_bank(bank) over the set, rank by rank; the search in a rank
 * ends with the first bank that nothing but the rank itself holds back.
 */
#define LEAST(cfg, ch, ranks, set, t_bank, t_rank)                           \
	({                                                                   \
		uint64_t set_ = (set), least_ = DRAM_NEVER;                  \
		for (uint32_t r_ = 0; r_ < (ranks); r_++) {                  \
			uint64_t floor_ = (ch)->rank.t_rank[r_];             \
			uint64_t best_ = DRAM_NEVER, in_ = set_;             \
			if ((ranks) > 1)                                     \
				in_ &= (cfg)->rank_mask[r_];                 \
			for (; in_; in_ &= in_ - 1) {                        \
				lower(&best_,                                \
				      t_bank(cfg, ch, dram_first(in_)));     \
				if (best_ <= floor_)                         \
					break;                               \
			}                                                    \
			lower(&least_, dram_max(best_, floor_));             \
		}                                                            \
		least_;                                                      \
	})

static ALWAYS_INLINE uint64_t waits_act(const struct dram_channel *ch)
{
	return ch->queued & ~(ch->open | ch->refreshing);
}

static ALWAYS_INLINE void channel_look_act(const struct dram_config *cfg,
					   struct dram_channel *ch,
					   uint32_t ranks)
{
	ch->t_act = LEAST(cfg, ch, ranks, waits_act(ch), bank_t_act, t_act);
}

static ALWAYS_INLINE void channel_look_column(const struct dram_config *cfg,
					      struct dram_channel *ch,
					      uint32_t ranks)
{
	uint64_t rd = ch->hit_rd & ~ch->refreshing;
	uint64_t wr = ch->hit_wr & ~ch->refreshing;

	ch->t_rd = rd ? LEAST(cfg, ch, ranks, rd, bank_t_rd, t_rd) :
			DRAM_NEVER;
	ch->t_wr = wr ? LEAST(cfg, ch, ranks, wr, bank_t_wr, t_wr) :
			DRAM_NEVER;
}

static ALWAYS_INLINE void channel_look_pre(const struct dram_config *cfg,
					   struct dram_channel *ch)
{
	uint64_t set = ch->want_pre & ~ch->refreshing;

	ch->t_pre = DRAM_NEVER;
	for (; set; set &= set - 1)
		bank_await_pre(cfg, ch, dram_first(set));
}

static ALWAYS_INLINE uint64_t channel_t_cmd(const struct dram_channel *ch)
{
	return dram_min(dram_min(ch->t_act, ch->t_pre),
			dram_min(ch->t_rd, ch->t_wr));
}

static void channel_look(const struct dram_config *cfg,
			 struct dram_channel *ch)
{
	channel_look_act(cfg, ch, cfg->ranks);
	channel_look_column(cfg, ch, cfg->ranks);
	channel_look_pre(cfg, ch);
}

/* ---- what a command does to the state ----------------------------------- */

static ALWAYS_INLINE void channel_activate(struct ppim_dram *m,
					   struct dram_channel *ch, uint32_t b,
					   uint64_t c, uint32_t ranks,
					   bool rare)
{
	const struct dram_config *cfg = &m->cfg;
	const struct dram_delays *d = &cfg->d;
	struct dram_banks *bk = &ch->bank;
	uint32_t r = ranks == 1 ? 0 : cfg->rank_of[b];
	uint32_t row = bk->rows[b][bk->order[b] & 15], hit, wr = bk->wr[b];
	uint64_t bit = 1ull << b;

	hit = rows_equal(bk->rows[b], row, cfg->queue) & bk->used[b];
	bk->row[b] = row;
	bk->hit[b] = (uint16_t)hit;
	bk->hits[b] = 0;
	bk->t_act[b] = c + d->act_act;
	bk->acted[b] = c;
	bk->t_pre[b] = c + d->act_pre;

	ch->rank.t_act[r] =
		dram_max(c + d->act_act_s,
			 dram_window4_act(&ch->rank.faw[r], c, d->faw));
	if (rare && d->aw32)
		raise(&ch->rank.t_act[r],
		      dram_window32_act(&ch->rank.aw32[r], c, d->aw32));
	ch->group.t_act[cfg->group_of[b]] = c + d->act_act_l;
	if (!(ch->open & (ranks == 1 ? ~0ull : cfg->rank_mask[r])))
		ch->rank.open_since[r] = c;
	ch->open |= bit;
	ch->n.cmds[PPIM_CMD_ACT]++;
	if (rare)
		channel_observe(m, ch, PPIM_CMD_ACT, b, 0, c);

	if (hit & ~wr) {
		ch->hit_rd |= bit;
		bank_await_rd(cfg, ch, b);
	}
	if (hit & wr) {
		ch->hit_wr |= bit;
		bank_await_wr(cfg, ch, b);
	}
	channel_look_act(cfg, ch, ranks);
}

/* The row is closed; the bank may activate again at t_act. */
static ALWAYS_INLINE void bank_close(const struct dram_config *cfg,
				     struct dram_channel *ch, uint32_t b,
				     uint64_t t_act, uint64_t t_ref,
				     uint64_t c, uint32_t ranks)
{
	uint32_t r = ranks == 1 ? 0 : cfg->rank_of[b];
	uint64_t bit = 1ull << b;

	ch->bank.row[b] = DRAM_NO_ROW;
	ch->bank.hit[b] = 0;
	raise(&ch->bank.t_act[b], t_act);
	raise(&ch->bank.t_ref[b], t_ref);
	ch->open &= ~bit;
	ch->hit_rd &= ~bit;
	ch->hit_wr &= ~bit;
	ch->want_pre &= ~bit;
	if (ch->queued & bit)
		bank_await_act(cfg, ch, b);
	if (!(ch->open & (ranks == 1 ? ~0ull : cfg->rank_mask[r])))
		ch->n.active_clocks += c - ch->rank.open_since[r];
}

static ALWAYS_INLINE void channel_precharge(struct ppim_dram *m,
					    struct dram_channel *ch, uint32_t b,
					    uint64_t c, uint32_t ranks,
					    bool rare)
{
	const struct dram_config *cfg = &m->cfg;
	uint64_t t = c + cfg->d.pre_act;

	bank_close(cfg, ch, b, t, t, c, ranks);
	ch->n.cmds[PPIM_CMD_PRE]++;
	if (rare) {
		ch->rank.t_pre[cfg->rank_of[b]] = c + cfg->d.pre_pre;
		channel_observe(m, ch, PPIM_CMD_PRE, b, 0, c);
	}
	channel_look_pre(cfg, ch);
}

/* Other ranks' column commands find the data bus taken. */
static ALWAYS_INLINE void ranks_column(struct dram_channel *ch, uint32_t rank,
				       uint64_t rd, uint64_t wr,
				       uint32_t ranks)
{
	uint32_t r;

	for (r = 0; r < ranks; r++) {
		if (r == rank)
			continue;
		raise(&ch->rank.t_rd[r], rd);
		raise(&ch->rank.t_wr[r], wr);
	}
}

static ALWAYS_INLINE void channel_read(const struct dram_config *cfg,
				       struct dram_channel *ch,
				       const struct pick *p, uint64_t c,
				       uint32_t ranks)
{
	const struct dram_delays *d = &cfg->d;
	uint32_t b = p->bank, r = ranks == 1 ? 0 : cfg->rank_of[b];
	uint64_t n = 1 + (uint64_t)ch->bank.joined[b][p->slot];

	ch->rank.t_rd[r] = c + d->rd_rd_s;
	ch->group.t_rd[cfg->group_of[b]] = c + d->rd_rd_l;
	raise(&ch->rank.t_wr[r], c + d->rd_wr);
	raise(&ch->bank.t_pre[b], c + d->rd_pre);
	ranks_column(ch, r, c + d->rd_rd_o, c + d->rd_wr_o, ranks);
	ch->last_read = c + d->read_done;
	ch->read_latency += n * ch->last_read;
	ch->reads_pending -= n;
	ch->n.cmds[PPIM_CMD_RD]++;
}

static ALWAYS_INLINE void channel_write(const struct dram_config *cfg,
					struct dram_channel *ch, uint32_t b,
					uint64_t c, uint32_t ranks)
{
	const struct dram_delays *d = &cfg->d;
	uint32_t r = ranks == 1 ? 0 : cfg->rank_of[b], g = cfg->group_of[b];

	ch->rank.t_wr[r] = c + d->wr_wr_s;
	ch->group.t_wr[g] = c + d->wr_wr_l;
	raise(&ch->rank.t_rd[r], c + d->wr_rd_s);
	raise(&ch->group.t_rd[g], c + d->wr_rd_l);
	raise(&ch->bank.t_pre[b], c + d->wr_pre);
	ranks_column(ch, r, c + d->wr_rd_o, c + d->wr_wr_o, ranks);
	ch->n.cmds[PPIM_CMD_WR]++;
}

static NOINLINE void bank_auto_precharge(const struct dram_config *cfg,
					 struct dram_channel *ch,
					 const struct pick *p, uint64_t c)
{
	const struct dram_delays *d = &cfg->d;

	if (p->cmd == PPIM_CMD_WR)
		bank_close(cfg, ch, p->bank, c + d->wra_act, c + d->wra_ref, c,
			   cfg->ranks);
	else
		bank_close(cfg, ch, p->bank, c + d->rda_act, c + d->rda_ref, c,
			   cfg->ranks);
}

static ALWAYS_INLINE void channel_column(struct ppim_dram *m,
					 struct dram_channel *ch,
					 const struct pick *p, uint64_t c,
					 uint32_t ranks, bool rare)
{
	const struct dram_config *cfg = &m->cfg;
	struct dram_banks *bk = &ch->bank;
	uint32_t b = p->bank, hits = bk->hits[b];
	uint64_t addr = bk->addr[b][p->slot];

	if (p->cmd == PPIM_CMD_WR)
		channel_write(cfg, ch, b, c, ranks);
	else
		channel_read(cfg, ch, p, c, ranks);
	ch->n.row_hits += hits != 0;
	bk->hits[b] = (uint8_t)(hits + (hits != UINT8_MAX));
	dram_filter_del(ch, addr);
	bank_remove(cfg, ch, b, p->slot, p->at);
	if (rare)
		channel_observe(m, ch, p->cmd, b, addr, c);
	if (rare && cfg->closed_page)
		bank_auto_precharge(cfg, ch, p, c);
	else
		bank_review(cfg, ch, b);
	channel_look_column(cfg, ch, ranks);
}

static ALWAYS_INLINE void channel_issue(struct ppim_dram *m,
					struct dram_channel *ch,
					const struct pick *p, uint64_t c,
					uint32_t ranks, bool rare)
{
	if (p->cmd == PPIM_CMD_ACT)
		channel_activate(m, ch, p->bank, c, ranks, rare);
	else if (p->cmd == PPIM_CMD_PRE)
		channel_precharge(m, ch, p->bank, c, ranks, rare);
	else
		channel_column(m, ch, p, c, ranks, rare);
}

/* ---- refresh ------------------------------------------------------------ */

/* Banks of the refresh that waits longest. The order of banks is JEDEC's:
 * bank groups first, then banks in them, then ranks. */
static uint64_t refresh_mask(const struct dram_config *cfg,
			     const struct dram_channel *ch)
{
	uint32_t unit = ch->refresh_unit, groups = cfg->groups;

	if (!cfg->refresh_banks)
		return cfg->rank_mask[unit];
	return 1ull << (unit / cfg->banks * cfg->banks +
			unit % groups * cfg->group_banks +
			unit % cfg->banks / groups);
}

static void channel_refresh_due(const struct dram_config *cfg,
				struct dram_channel *ch, uint64_t c)
{
	if (c == ch->refresh_next) {
		ch->refresh_due += cfg->refresh_burst;
		ch->refresh_next += cfg->refresh_interval;
	}
	ch->refreshing = ch->refresh_due ? refresh_mask(cfg, ch) : 0;
}

static void channel_refresh_done(struct ppim_dram *m, struct dram_channel *ch,
				 uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	uint64_t mask = ch->refreshing, rest;
	uint32_t b = dram_first(mask);
	enum ppim_dram_cmd cmd = PPIM_CMD_REF;

	if (cfg->refresh_banks) {
		cmd = PPIM_CMD_REFB;
		ch->bank.t_act[b] = c + cfg->d.refb_act;
		ch->bank.t_ref[b] = c + cfg->d.refb_act;
	} else {
		raise(&ch->rank.t_act[cfg->rank_of[b]], c + cfg->d.ref_act);
		for (rest = mask; rest; rest &= rest - 1)
			ch->bank.t_ref[dram_first(rest)] = c + cfg->d.ref_act;
	}
	ch->refreshing = 0;
	ch->refresh_due--;
	ch->refresh_unit = (ch->refresh_unit + 1) % cfg->refresh_units;
	ch->n.cmds[cmd]++;
	channel_observe(m, ch, cmd, b, 0, c);
}

static uint64_t bank_t_pre(const struct dram_config *cfg,
			   const struct dram_channel *ch, uint32_t b)
{
	return dram_max(ch->bank.t_pre[b], ch->rank.t_pre[cfg->rank_of[b]]);
}

/* Closes the first bank that may be closed, or refreshes when all are. */
static bool channel_refresh(struct ppim_dram *m, struct dram_channel *ch,
			    uint64_t c)
{
	uint64_t rest;
	bool all = true;

	for (rest = ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);

		if (!(ch->open >> b & 1)) {
			all &= ch->bank.t_ref[b] <= c;
			continue;
		}
		all = false;
		if (bank_t_pre(&m->cfg, ch, b) <= c) {
			channel_precharge(m, ch, b, c, m->cfg.ranks, true);
			return true;
		}
	}
	if (all && ch->refreshing)
		channel_refresh_done(m, ch, c);
	return all;
}

/* Earliest clock at which channel_refresh() could do something. */
static uint64_t refresh_next(const struct dram_config *cfg,
			     const struct dram_channel *ch)
{
	uint64_t open = ch->refreshing & ch->open, rest, t;

	t = open ? DRAM_NEVER : 0;
	for (rest = open ? open : ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);

		t = open ? dram_min(t, bank_t_pre(cfg, ch, b)) :
			   dram_max(t, ch->bank.t_ref[b]);
	}
	return t;
}

/* ---- what may issue ----------------------------------------------------- */

/* Banks that wait for a command of a class that is due. */
struct due {
	uint64_t act, rd, wr, pre;
};

/* Does the write, the at-th of its queue, wait for an older read of the same
 * burst there? */
static NOINLINE bool bank_after_read(const struct dram_config *cfg,
				     const struct dram_channel *ch,
				     const struct pick *p)
{
	const struct dram_banks *bk = &ch->bank;
	uint64_t order = bk->order[p->bank];
	struct ppim_loc w, r;
	uint32_t at, slot;

	ppim_addr_decode(&cfg->map, bk->addr[p->bank][p->slot], &w);
	for (at = 0; at < p->at; at++, order >>= 4) {
		slot = order & 15;
		if (bk->wr[p->bank] >> slot & 1)
			continue;
		ppim_addr_decode(&cfg->map, bk->addr[p->bank][slot], &r);
		if (r.f[PPIM_CO] == w.f[PPIM_CO] &&
		    r.f[PPIM_RO] == w.f[PPIM_RO])
			return true;
	}
	return false;
}

/* The first ready row hit of an open bank. */
static ALWAYS_INLINE bool bank_column(const struct dram_config *cfg,
				      const struct dram_channel *ch,
				      const struct due *due, struct pick *p,
				      uint64_t c, uint32_t ranks)
{
	const struct dram_banks *bk = &ch->bank;
	uint32_t b = p->bank, r = ranks == 1 ? 0 : cfg->rank_of[b];
	uint32_t hits = 0, wr = bk->wr[b];

	if (due->rd >> b & 1 && ch->rank.t_rd[r] <= c &&
	    bank_t_rd(cfg, ch, b) <= c)
		hits = bk->hit[b] & ~wr;
	if (due->wr >> b & 1 && ch->rank.t_wr[r] <= c &&
	    bank_t_wr(cfg, ch, b) <= c)
		hits |= bk->hit[b] & wr;
	for (; hits; hits &= ~(1u << p->slot)) {
		p->slot = bank_oldest(ch, b, hits, &p->at);
		p->cmd = PPIM_CMD_RD;
		if (!(wr >> p->slot & 1))
			return true;
		p->cmd = PPIM_CMD_WR;
		if (!p->at || wr == bk->used[b] ||
		    !bank_after_read(cfg, ch, p))
			return true;
	}
	return false;
}

static ALWAYS_INLINE bool bank_pick(const struct dram_config *cfg,
				    const struct dram_channel *ch,
				    const struct due *due, struct pick *p,
				    uint64_t c, uint32_t ranks, bool rare)
{
	uint32_t b = p->bank, r = ranks == 1 ? 0 : cfg->rank_of[b];

	if (due->act >> b & 1) {
		p->cmd = PPIM_CMD_ACT;
		return bank_t_act(cfg, ch, b) <= c && ch->rank.t_act[r] <= c;
	}
	/* Its oldest command wants the precharge, so that it goes first. */
	if (due->pre >> b & 1 && ch->bank.t_pre[b] <= c &&
	    (!rare || ch->rank.t_pre[r] <= c)) {
		p->cmd = PPIM_CMD_PRE;
		return true;
	}
	return bank_column(cfg, ch, due, p, c, ranks);
}

/* The banks of a set whose ranks are past their limit. */
#define PAST(cfg, ch, ranks, set, t_rank, c)                                 \
	({                                                                   \
		uint64_t past_ = (set);                                      \
		if ((ranks) > 1)                                             \
			for (uint32_t r_ = 0; r_ < (ranks); r_++)            \
				past_ &= (ch)->rank.t_rank[r_] <= (c) ?      \
						 ~0ull :                     \
						 ~(cfg)->rank_mask[r_];      \
		past_;                                                       \
	})

static ALWAYS_INLINE struct due channel_due(const struct dram_config *cfg,
					    const struct dram_channel *ch,
					    uint64_t c, uint32_t ranks)
{
	uint64_t free = ~ch->refreshing;
	struct due due = { 0 };

	if (ch->t_act <= c)
		due.act = PAST(cfg, ch, ranks, waits_act(ch), t_act, c);
	if (ch->t_rd <= c)
		due.rd = PAST(cfg, ch, ranks, ch->hit_rd & free, t_rd, c);
	if (ch->t_wr <= c)
		due.wr = PAST(cfg, ch, ranks, ch->hit_wr & free, t_wr, c);
	if (ch->t_pre <= c)
		due.pre = ch->want_pre & free;
	return due;
}

/*
 * Serves banks in turn: runs `body` for each of the set, which names the bank
 * *p, until it is true; then the turn is that bank's.
 */
#define IN_TURN(ch, set, p, ready)                                           \
	({                                                                   \
		uint64_t any_ = (set);                                       \
		bool found_ = false;                                         \
		while (any_) {                                               \
			uint64_t after_ = any_ & -2ull << (ch)->turn;        \
			(p)->bank = dram_first(after_ ? after_ : any_);      \
			if (ready) {                                         \
				(ch)->turn = (p)->bank;                      \
				found_ = true;                               \
				break;                                       \
			}                                                    \
			any_ &= ~(1ull << (p)->bank);                        \
		}                                                            \
		found_;                                                      \
	})

/* The next command in turn; false if there is none at this clock. */
static ALWAYS_INLINE bool channel_pick(const struct dram_config *cfg,
				       struct dram_channel *ch, struct pick *p,
				       uint64_t c, uint32_t ranks, bool rare)
{
	struct due due = channel_due(cfg, ch, c, ranks);

	return IN_TURN(ch, due.act | due.rd | due.wr | due.pre, p,
		       bank_pick(cfg, ch, &due, p, c, ranks, rare));
}

/* ---- from transaction to command queue ---------------------------------- */

static bool trans_has_read(const struct dram_trans *q, uint32_t bank,
			   uint64_t addr)
{
	uint16_t i;

	if (!(q->waiting >> bank & 1))
		return false;
	for (i = q->head[bank]; i != DRAM_NO_NODE; i = q->node[i].next)
		if (q->node[i].addr == addr && !q->node[i].write)
			return true;
	return false;
}

static bool bank_has_read(const struct dram_banks *bk, uint32_t b,
			  uint64_t addr)
{
	uint32_t reads;

	for (reads = bk->used[b] & ~bk->wr[b]; reads; reads &= reads - 1)
		if (bk->addr[b][dram_first(reads)] == addr)
			return true;
	return false;
}

/*
 * A write may not pass an earlier read of its address: draining stops. If that
 * read has yet to leave the read queue, reads go first until it has; without
 * that (as in DRAMsim3) a full write queue would wait for it for ever.
 */
static NOINLINE bool write_waits(struct dram_channel *ch, uint32_t bank,
				 struct dram_node *node)
{
	if (trans_has_read(&ch->rd, bank, node->addr)) {
		ch->reads_first = 1;
		ch->reads_first_addr = node->addr;
		return true;
	}
	node->after_read = bank_has_read(&ch->bank, bank, node->addr);
	return node->after_read;
}

static ALWAYS_INLINE void channel_move_write(const struct dram_config *cfg,
					     struct dram_channel *ch)
{
	uint64_t banks = ch->wr.waiting & ch->room;
	struct dram_node *node;
	uint32_t b;

	if (!banks)
		return;
	b = trans_oldest(&ch->wr, banks);
	node = &ch->wr.node[ch->wr.head[b]];
	if (node->after_read && write_waits(ch, b, node)) {
		ch->draining = 0;
		return;
	}
	ch->draining--;
	bank_push(cfg, ch, b, trans_pop(&ch->wr, b));
}

static ALWAYS_INLINE void channel_move_read(const struct dram_config *cfg,
					    struct dram_channel *ch)
{
	uint64_t banks = ch->rd.waiting & ch->room;
	const struct dram_node *node;
	uint32_t b;

	if (!banks)
		return;
	b = trans_oldest(&ch->rd, banks);
	node = trans_pop(&ch->rd, b);
	if (ch->reads_first && node->addr == ch->reads_first_addr)
		ch->reads_first = 0;
	bank_push(cfg, ch, b, node);
}

static ALWAYS_INLINE void channel_move(const struct dram_config *cfg,
				       struct dram_channel *ch)
{
	if (!ch->draining && dram_drain_due(cfg, ch))
		ch->draining = ch->wr.n;
	if (ch->draining)
		channel_move_write(cfg, ch);
	else
		channel_move_read(cfg, ch);
}

/* Could the next clock move a transaction? */
static ALWAYS_INLINE bool channel_moves(const struct dram_config *cfg,
					const struct dram_channel *ch)
{
	if (ch->draining)
		return ch->wr.waiting & ch->room;
	return ch->rd.waiting & ch->room || dram_drain_due(cfg, ch);
}

/* ---- a clock -------------------------------------------------------------- */

static bool is_column(enum ppim_dram_cmd cmd)
{
	return cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR;
}

/* The second command of a clock: a column command beside a row command. */
static NOINLINE void channel_second(struct ppim_dram *m,
				    struct dram_channel *ch,
				    enum ppim_dram_cmd first, uint64_t c)
{
	uint32_t ranks = m->cfg.ranks;
	struct pick p;

	if (!channel_pick(&m->cfg, ch, &p, c, ranks, true)) {
		channel_look(&m->cfg, ch);
		return;
	}
	if (is_column(p.cmd) == is_column(first))
		return;
	channel_issue(m, ch, &p, c, ranks, true);
	ch->n.dual_cmds++;
}

static ALWAYS_INLINE void channel_set_next(const struct dram_config *cfg,
					   struct dram_channel *ch,
					   uint64_t t_cmd, uint64_t c)
{
	uint64_t t = dram_max(t_cmd, c + 1);

	t = channel_moves(cfg, ch) ? c + 1 : t;
	ch->t_next = dram_min(t, ch->refresh_next);
}

/* A clock while a refresh waits or falls due. */
static NOINLINE void clock_refresh(struct ppim_dram *m,
				   struct dram_channel *ch, uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	struct pick p = { .cmd = PPIM_CMD_REF };
	uint64_t t;
	bool issued;

	channel_refresh_due(cfg, ch, c);
	issued = channel_refresh(m, ch, c);
	if (!issued && channel_pick(cfg, ch, &p, c, cfg->ranks, true)) {
		channel_issue(m, ch, &p, c, cfg->ranks, true);
		issued = true;
	}
	if (issued && cfg->dual)
		channel_second(m, ch, p.cmd, c);
	channel_move(cfg, ch);
	channel_look(cfg, ch);
	t = channel_t_cmd(ch);
	if (ch->refresh_due)
		t = ch->refreshing ? dram_min(t, refresh_next(cfg, ch)) : c + 1;
	channel_set_next(cfg, ch, t, c);
	ch->t_refresh = ch->refresh_due ? 0 : ch->refresh_next;
}

/* A command of any class; several are due. */
static NOINLINE void clock_mixed(struct ppim_dram *m, struct dram_channel *ch,
				 uint64_t c)
{
	uint32_t ranks = m->cfg.ranks;
	struct pick p;

	if (channel_pick(&m->cfg, ch, &p, c, ranks, true))
		channel_issue(m, ch, &p, c, ranks, true);
	else
		channel_look(&m->cfg, ch);
	if (m->cfg.dual && channel_t_cmd(ch) <= c)
		channel_second(m, ch, p.cmd, c);
}

static ALWAYS_INLINE void clock_act(struct ppim_dram *m,
				    struct dram_channel *ch, uint64_t c,
				    uint32_t ranks)
{
	const struct dram_config *cfg = &m->cfg;
	uint64_t set = PAST(cfg, ch, ranks, waits_act(ch), t_act, c);
	struct pick p;

	if (IN_TURN(ch, set, &p, bank_t_act(cfg, ch, p.bank) <= c))
		channel_activate(m, ch, p.bank, c, ranks, false);
	else
		channel_look_act(cfg, ch, ranks);
}

static ALWAYS_INLINE void clock_pre(struct ppim_dram *m,
				    struct dram_channel *ch, uint64_t c,
				    uint32_t ranks)
{
	uint64_t set = ch->want_pre & ~ch->refreshing;
	struct pick p;

	if (IN_TURN(ch, set, &p, ch->bank.t_pre[p.bank] <= c))
		channel_precharge(m, ch, p.bank, c, ranks, false);
	else
		channel_look_pre(&m->cfg, ch);
}

static ALWAYS_INLINE void clock_column(struct ppim_dram *m,
				       struct dram_channel *ch, uint64_t c,
				       uint32_t ranks)
{
	const struct dram_config *cfg = &m->cfg;
	struct due due = channel_due(cfg, ch, c, ranks);
	struct pick p;

	if (IN_TURN(ch, due.rd | due.wr, &p,
		    bank_column(cfg, ch, &due, &p, c, ranks)))
		channel_column(m, ch, &p, c, ranks, false);
	else
		channel_look_column(cfg, ch, ranks);
}

/* A clock in which some class of command is due: mostly it is one. */
static ALWAYS_INLINE void clock_command(struct ppim_dram *m,
					struct dram_channel *ch, uint64_t c,
					uint32_t ranks)
{
	bool act = ch->t_act <= c, pre = ch->t_pre <= c;
	bool col = dram_min(ch->t_rd, ch->t_wr) <= c;
	enum ppim_dram_cmd cmd = PPIM_CMD_ACT;

	if (act + pre + col != 1) {
		clock_mixed(m, ch, c);
		return;
	}
	if (act) {
		clock_act(m, ch, c, ranks);
	} else if (pre) {
		clock_pre(m, ch, c, ranks);
	} else {
		clock_column(m, ch, c, ranks);
		cmd = PPIM_CMD_RD;
	}
	if (m->cfg.dual && channel_t_cmd(ch) <= c)
		channel_second(m, ch, cmd, c);
}

static ALWAYS_INLINE void clock_once(struct ppim_dram *m,
				     struct dram_channel *ch, uint64_t c,
				     uint32_t ranks, bool rare)
{
	if (c >= ch->t_refresh) {
		clock_refresh(m, ch, c);
		return;
	}
	if (channel_t_cmd(ch) <= c) {
		if (rare)
			clock_mixed(m, ch, c);
		else
			clock_command(m, ch, c, ranks);
	}
	channel_move(&m->cfg, ch);
	channel_set_next(&m->cfg, ch, channel_t_cmd(ch), c);
}

/* Until clock `until` is done. */
static ALWAYS_INLINE void channel_loop(struct ppim_dram *m,
				       struct dram_channel *ch, uint64_t until,
				       uint32_t ranks, bool rare)
{
	do {
		clock_once(m, ch, ch->t_next, ranks, rare);
	} while (ch->t_next <= until);
}

/* Until the queue has room. */
static ALWAYS_INLINE uint64_t channel_loop_room(struct ppim_dram *m,
						struct dram_channel *ch,
						const struct dram_trans *q,
						uint32_t ranks, bool rare)
{
	uint64_t c;

	do {
		c = ch->t_next;
		clock_once(m, ch, c, ranks, rare);
	} while (q->n == m->cfg.trans);
	return c;
}

void dram_channel_run(struct ppim_dram *m, struct dram_channel *ch,
		      uint64_t until)
{
	if (m->cfg.rare || m->observe || m->cfg.ranks > 2)
		channel_loop(m, ch, until, m->cfg.ranks, true);
	else if (m->cfg.ranks == 1)
		channel_loop(m, ch, until, 1, false);
	else
		channel_loop(m, ch, until, 2, false);
}

uint64_t dram_channel_run_room(struct ppim_dram *m, struct dram_channel *ch,
			       const struct dram_trans *q)
{
	if (m->cfg.rare || m->observe || m->cfg.ranks > 2)
		return channel_loop_room(m, ch, q, m->cfg.ranks, true);
	if (m->cfg.ranks == 1)
		return channel_loop_room(m, ch, q, 1, false);
	return channel_loop_room(m, ch, q, 2, false);
}
