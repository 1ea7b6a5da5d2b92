/* SPDX-License-Identifier: MIT */
/*
 * One clock of one controller, after DRAMsim3's (src/controller.cc and
 * command_queue.cc): a refresh that is due goes first; else banks are served
 * in turn, and within a bank's queue the first command that is ready; then one
 * transaction moves from the transaction queue into its bank's queue.
 *
 * Included by each instance of the scheduler, which defines DRAM_SCHED, the
 * name of its table, and DRAM_AVX2 or not.
 *
 * Functions that take a `shape` are compiled for each that a caller names: the
 * usual numbers of banks and ranks without rarities, and all the rest.
 */
#include <stddef.h>

#include "dram_queue.h"

struct shape {
	uint32_t lanes; /* banks of the channel at most; a multiple of 16 */
	uint32_t ranks; /* 0: any number */
	bool rare; /* closed pages, GDDR's and LPDDR4's constraints */
};

struct pick {
	uint32_t bank;
	uint32_t slot, at; /* of a column command: where, and the how manieth */
	enum ppim_dram_cmd cmd;
};

static NOINLINE void channel_tell(struct ppim_dram *m, struct dram_channel *ch,
				  enum ppim_dram_cmd cmd, uint32_t b,
				  uint64_t addr, uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	struct ppim_dram_event ev = { .cycle = c, .cmd = cmd };

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

static ALWAYS_INLINE void channel_observe(struct ppim_dram *m,
					  struct dram_channel *ch,
					  enum ppim_dram_cmd cmd, uint32_t b,
					  uint64_t addr, uint64_t c)
{
	if (__builtin_expect(m->observe != NULL, 0))
		channel_tell(m, ch, cmd, b, addr, c);
}

static ALWAYS_INLINE uint32_t rank_of(const struct dram_config *cfg, uint32_t b,
				      struct shape s)
{
	return s.ranks == 1 ? 0 : cfg->rank_of[b];
}

static ALWAYS_INLINE uint64_t rank_mask(const struct dram_config *cfg,
					uint32_t r, struct shape s)
{
	return s.ranks == 1 ? ~0ull : cfg->rank_mask[r];
}

/* Raises the lanes of a rank, those of one of its bank groups differently.
 * Lanes without bank stay at DRAM_LATE all the same. */
static ALWAYS_INLINE void rank_raise(const struct dram_config *cfg, uint16_t *t,
				     uint32_t r, int32_t others, uint32_t g,
				     int32_t group, struct shape s)
{
	uint32_t n = s.ranks ? s.lanes / s.ranks : cfg->banks, i;

	if (s.ranks) {
		lanes_raise(t, cfg->lane_group, g, group, others, r * n, n);
		return;
	}
	for (i = r * n; i < (r + 1) * n; i++)
		lane_raise(&t[i], cfg->group_of[i] == g ? group : others);
}

static ALWAYS_INLINE void rank_raise_all(const struct dram_config *cfg,
					 uint16_t *t, uint32_t r,
					 int32_t at_least, struct shape s)
{
	uint32_t n = s.ranks ? s.lanes / s.ranks : cfg->banks, i;

	if (s.ranks) {
		lanes_raise_all(t, at_least, r * n, n);
		return;
	}
	for (i = r * n; i < (r + 1) * n; i++)
		lane_raise(&t[i], at_least);
}

/* When and where the next command can be, after clock c. */
static ALWAYS_INLINE void channel_set_cmd(struct dram_channel *ch, uint64_t c,
					  struct shape s)
{
	int32_t t;

	if (ch->writes)
		t = lanes_least(&ch->lane, true, (int32_t)(c + 1 - ch->base),
				s.lanes, &ch->due);
	else
		t = lanes_least(&ch->lane, false, (int32_t)(c + 1 - ch->base),
				s.lanes, &ch->due);
	ch->t_cmd = t == DRAM_LATE ? DRAM_NEVER : ch->base + (uint32_t)t;
	ch->due = t == DRAM_LATE ? 0 : ch->due;
}

/* ---- what a command does to the state ----------------------------------- */

/* `now` is clock c counted from base, here and below. */
static ALWAYS_INLINE int32_t channel_now(const struct dram_channel *ch,
					 uint64_t c)
{
	return (int32_t)(c - ch->base);
}

static ALWAYS_INLINE void activate_limits(const struct dram_config *cfg,
					  struct dram_channel *ch, uint32_t b,
					  int32_t now, struct shape s)
{
	const struct dram_delays *d = &cfg->d;
	uint32_t r = rank_of(cfg, b, s), g = cfg->group_of[b];
	int32_t t = dram_window4_act(&ch->rank.faw[r], now, d->faw);

	t = max_i32(t, now + d->act_act_s);
	if (s.rare && d->aw32)
		limit_raise(&t, dram_window32_act(&ch->rank.aw32[r], now,
						 d->aw32));
	ch->rank.t_act[r] = t;
	ch->group.t_act[g] = now + d->act_act_l;
	rank_raise(cfg, ch->lane.act, r, t, g, max_i32(t, now + d->act_act_l),
		   s);
	ch->bank.t_act[b] = now + d->act_act;
	ch->bank.t_rd[b] = now + d->act_rd;
	ch->bank.t_wr[b] = now + d->act_wr;
	ch->bank.t_pre[b] = now + d->act_pre;
}

static ALWAYS_INLINE void channel_activate(struct ppim_dram *m,
					   struct dram_channel *ch, uint32_t b,
					   uint64_t c, struct shape s)
{
	const struct dram_config *cfg = &m->cfg;
	struct dram_banks *bk = &ch->bank;
	uint32_t r = rank_of(cfg, b, s);
	uint32_t row = bk->rows[b][bk->order[b] & 15], hit, wr = bk->wr[b];

	hit = rows_equal(bk->rows[b], row, cfg->queue) & bk->used[b];
	bk->row[b] = row;
	bk->hit[b] = (uint16_t)hit;
	bk->hits[b] = 0;
	activate_limits(cfg, ch, b, channel_now(ch, c), s);
	if (!(ch->open & rank_mask(cfg, r, s)))
		ch->rank.open_since[r] = c;
	ch->open |= 1ull << b;
	ch->n.cmds[PPIM_CMD_ACT]++;
	channel_observe(m, ch, PPIM_CMD_ACT, b, 0, c);

	/* Its oldest command is for the row: nothing to precharge. */
	lane_set(ch->lane.act, b, DRAM_LATE);
	if (hit & ~wr)
		lane_set(ch->lane.rd, b, bank_next_rd(cfg, ch, b));
	if (hit & wr)
		lane_set(ch->lane.wr, b, bank_next_wr(cfg, ch, b));
}

/* The row is closed; the bank may activate again at t_act. */
static ALWAYS_INLINE void bank_close(const struct dram_config *cfg,
				     struct dram_channel *ch, uint32_t b,
				     int32_t t_act, int32_t t_ref, uint64_t c,
				     struct shape s)
{
	uint32_t r = rank_of(cfg, b, s);
	uint64_t bit = 1ull << b;

	ch->bank.row[b] = DRAM_NO_ROW;
	ch->bank.hit[b] = 0;
	limit_raise(&ch->bank.t_act[b], t_act);
	limit_raise(&ch->bank.t_ref[b], t_ref);
	ch->open &= ~bit;
	if (!(ch->open & rank_mask(cfg, r, s)))
		ch->n.active_clocks += c - ch->rank.open_since[r];
	bank_lanes_off(ch, b);
	if (ch->queued & ~ch->refreshing & bit)
		lane_set(ch->lane.act, b, bank_next_act(cfg, ch, b));
}

static ALWAYS_INLINE void channel_precharge(struct ppim_dram *m,
					    struct dram_channel *ch, uint32_t b,
					    uint64_t c, struct shape s)
{
	const struct dram_config *cfg = &m->cfg;
	int32_t now = channel_now(ch, c), t = now + cfg->d.pre_act;
	uint32_t r = rank_of(cfg, b, s);

	bank_close(cfg, ch, b, t, t, c, s);
	ch->n.cmds[PPIM_CMD_PRE]++;
	if (s.rare && cfg->d.pre_pre) {
		ch->rank.t_pre[r] = now + cfg->d.pre_pre;
		rank_raise_all(cfg, ch->lane.pre, r, ch->rank.t_pre[r], s);
	}
	channel_observe(m, ch, PPIM_CMD_PRE, b, 0, c);
}

/* Other ranks' column commands find the data bus taken. */
static ALWAYS_INLINE void ranks_column(const struct dram_config *cfg,
				       struct dram_channel *ch, uint32_t rank,
				       int32_t rd, int32_t wr, struct shape s)
{
	uint32_t r, ranks = s.ranks ? s.ranks : cfg->ranks;

	for (r = 0; r < ranks; r++) {
		if (r == rank)
			continue;
		limit_raise(&ch->rank.t_rd[r], rd);
		limit_raise(&ch->rank.t_wr[r], wr);
		rank_raise_all(cfg, ch->lane.rd, r, rd, s);
		if (ch->writes)
			rank_raise_all(cfg, ch->lane.wr, r, wr, s);
	}
}

static ALWAYS_INLINE void read_limits(const struct dram_config *cfg,
				      struct dram_channel *ch, uint32_t b,
				      int32_t now, struct shape s)
{
	const struct dram_delays *d = &cfg->d;
	uint32_t r = rank_of(cfg, b, s), g = cfg->group_of[b];

	ch->rank.t_rd[r] = now + d->rd_rd_s;
	ch->group.t_rd[g] = now + d->rd_rd_l;
	limit_raise(&ch->rank.t_wr[r], now + d->rd_wr);
	limit_raise(&ch->bank.t_pre[b], now + d->rd_pre);
	rank_raise(cfg, ch->lane.rd, r, now + d->rd_rd_s, g, now + d->rd_rd_l,
		   s);
	if (ch->writes)
		rank_raise_all(cfg, ch->lane.wr, r, now + d->rd_wr, s);
	ranks_column(cfg, ch, r, now + d->rd_rd_o, now + d->rd_wr_o, s);
}

static ALWAYS_INLINE void write_limits(const struct dram_config *cfg,
				       struct dram_channel *ch, uint32_t b,
				       int32_t now, struct shape s)
{
	const struct dram_delays *d = &cfg->d;
	uint32_t r = rank_of(cfg, b, s), g = cfg->group_of[b];

	ch->rank.t_wr[r] = now + d->wr_wr_s;
	ch->group.t_wr[g] = now + d->wr_wr_l;
	limit_raise(&ch->rank.t_rd[r], now + d->wr_rd_s);
	limit_raise(&ch->group.t_rd[g], now + d->wr_rd_l);
	limit_raise(&ch->bank.t_pre[b], now + d->wr_pre);
	rank_raise(cfg, ch->lane.wr, r, now + d->wr_wr_s, g, now + d->wr_wr_l,
		   s);
	rank_raise(cfg, ch->lane.rd, r, now + d->wr_rd_s, g, now + d->wr_rd_l,
		   s);
	ranks_column(cfg, ch, r, now + d->wr_rd_o, now + d->wr_wr_o, s);
}

/* The burst answers the read and those that joined it. */
static ALWAYS_INLINE void channel_read_done(const struct dram_config *cfg,
					    struct dram_channel *ch,
					    const struct pick *p, uint64_t c)
{
	uint64_t n = 1 + (uint64_t)ch->bank.joined[p->bank][p->slot];

	ch->last_read = c + (uint64_t)cfg->d.read_done;
	ch->read_latency += n * ch->last_read;
	ch->reads_pending -= n;
}

static NOINLINE void bank_auto_precharge(const struct dram_config *cfg,
					 struct dram_channel *ch,
					 const struct pick *p, uint64_t c,
					 struct shape s)
{
	const struct dram_delays *d = &cfg->d;
	int32_t now = channel_now(ch, c);

	if (p->cmd == PPIM_CMD_WR)
		bank_close(cfg, ch, p->bank, now + d->wra_act,
			   now + d->wra_ref, c, s);
	else
		bank_close(cfg, ch, p->bank, now + d->rda_act,
			   now + d->rda_ref, c, s);
}

static ALWAYS_INLINE void channel_column(struct ppim_dram *m,
					 struct dram_channel *ch,
					 const struct pick *p, uint64_t c,
					 struct shape s)
{
	const struct dram_config *cfg = &m->cfg;
	struct dram_banks *bk = &ch->bank;
	uint32_t b = p->bank, hits = bk->hits[b];
	uint64_t addr = bk->addr[b][p->slot];

	if (p->cmd == PPIM_CMD_WR) {
		write_limits(cfg, ch, b, channel_now(ch, c), s);
	} else {
		read_limits(cfg, ch, b, channel_now(ch, c), s);
		channel_read_done(cfg, ch, p, c);
	}
	ch->n.cmds[p->cmd]++;
	ch->n.row_hits += hits != 0;
	bk->hits[b] = (uint8_t)(hits + (hits != UINT8_MAX));
	dram_filter_del(ch, addr);
	bank_remove(cfg, ch, b, p->slot, p->at);
	channel_observe(m, ch, p->cmd, b, addr, c);
	if (s.rare && cfg->closed_page)
		bank_auto_precharge(cfg, ch, p, c, s);
	else
		bank_lanes_open(cfg, ch, b);
	ch->writes -= p->cmd == PPIM_CMD_WR;
}

static ALWAYS_INLINE void channel_issue(struct ppim_dram *m,
					struct dram_channel *ch,
					const struct pick *p, uint64_t c,
					struct shape s)
{
	if (p->cmd == PPIM_CMD_ACT)
		channel_activate(m, ch, p->bank, c, s);
	else if (p->cmd == PPIM_CMD_PRE)
		channel_precharge(m, ch, p->bank, c, s);
	else
		channel_column(m, ch, p, c, s);
}

/* ---- refresh ------------------------------------------------------------ */

/* The banks are kept for the refresh, or no longer. */
static void channel_set_refreshing(const struct dram_config *cfg,
				   struct dram_channel *ch, uint64_t banks)
{
	uint64_t changed = ch->refreshing ^ banks;

	ch->refreshing = banks;
	for (; changed; changed &= changed - 1)
		bank_lanes(cfg, ch, dram_first(changed));
}

static void channel_refresh_due(const struct dram_config *cfg,
				struct dram_channel *ch, uint64_t c)
{
	if (c == ch->refresh_next) {
		ch->refresh_due += cfg->refresh_burst;
		ch->refresh_next += cfg->refresh_interval;
	}
	channel_set_refreshing(cfg, ch,
			       ch->refresh_due ? dram_refresh_mask(cfg, ch) : 0);
}

static void channel_refresh_done(struct ppim_dram *m, struct dram_channel *ch,
				 uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	enum ppim_dram_cmd cmd = cfg->refresh_banks ? PPIM_CMD_REFB :
						      PPIM_CMD_REF;
	int32_t t = channel_now(ch, c) +
		    (cfg->refresh_banks ? cfg->d.refb_act : cfg->d.ref_act);
	uint64_t banks = ch->refreshing, rest;
	uint32_t b = dram_first(banks);

	for (rest = banks; rest; rest &= rest - 1) {
		limit_raise(&ch->bank.t_act[dram_first(rest)], t);
		limit_raise(&ch->bank.t_ref[dram_first(rest)], t);
	}
	channel_set_refreshing(cfg, ch, 0);
	ch->refresh_due--;
	ch->refresh_unit = (ch->refresh_unit + 1) % cfg->refresh_units;
	ch->n.cmds[cmd]++;
	channel_observe(m, ch, cmd, b, 0, c);
}

/* Closes the first bank that may be closed, or refreshes when all are. */
static bool channel_refresh(struct ppim_dram *m, struct dram_channel *ch,
			    uint64_t c, struct shape s)
{
	int32_t now = channel_now(ch, c);
	uint64_t rest;
	bool all = true;

	for (rest = ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);

		if (!(ch->open >> b & 1)) {
			all &= ch->bank.t_ref[b] <= now;
			continue;
		}
		all = false;
		if (bank_next_pre(&m->cfg, ch, b) <= now) {
			channel_precharge(m, ch, b, c, s);
			return true;
		}
	}
	all &= ch->refreshing != 0;
	if (all)
		channel_refresh_done(m, ch, c);
	return all;
}

/* Earliest clock at which channel_refresh() could do something. */
static uint64_t refresh_next(const struct dram_config *cfg,
			     const struct dram_channel *ch)
{
	uint64_t open = ch->refreshing & ch->open, rest;
	int32_t t = open ? INT32_MAX : 0;

	for (rest = open ? open : ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);

		t = open ? min_i32(t, bank_next_pre(cfg, ch, b)) :
			   max_i32(t, ch->bank.t_ref[b]);
	}
	return ch->base + (uint32_t)t;
}

/* ---- the base of all limits ----------------------------------------------- */

static void limits_age(int32_t *t, size_t n, uint64_t by)
{
	size_t i;

	for (i = 0; i < n; i++)
		t[i] = (uint64_t)t[i] > by ? (int32_t)((uint64_t)t[i] - by) : 0;
}

static void lanes_age(uint16_t *t, size_t n, uint64_t by)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (t[i] != DRAM_LATE)
			t[i] = t[i] > by ? (uint16_t)(t[i] - by) : 0;
}

static void ranks_age(const struct dram_config *cfg, struct dram_ranks *rank,
		      uint64_t by)
{
	uint32_t i;

	limits_age(rank->t_act, cfg->ranks, by);
	limits_age(rank->t_rd, cfg->ranks, by);
	limits_age(rank->t_wr, cfg->ranks, by);
	limits_age(rank->t_pre, cfg->ranks, by);
	for (i = 0; i < cfg->ranks; i++) {
		limits_age(rank->faw[i].until, 4, by);
		limits_age(rank->aw32[i].until, 32, by);
	}
}

/* Moves base to clock c. */
static NOINLINE void channel_rebase(const struct dram_config *cfg,
				    struct dram_channel *ch, uint64_t c)
{
	uint32_t banks = cfg->bank_count, groups = cfg->ranks * cfg->groups;
	uint64_t by = c - ch->base;

	lanes_age(ch->lane.act, banks, by);
	lanes_age(ch->lane.pre, banks, by);
	lanes_age(ch->lane.rd, banks, by);
	lanes_age(ch->lane.wr, banks, by);
	limits_age(ch->bank.t_act, banks, by);
	limits_age(ch->bank.t_rd, banks, by);
	limits_age(ch->bank.t_wr, banks, by);
	limits_age(ch->bank.t_pre, banks, by);
	limits_age(ch->bank.t_ref, banks, by);
	limits_age(ch->group.t_act, groups, by);
	limits_age(ch->group.t_rd, groups, by);
	limits_age(ch->group.t_wr, groups, by);
	ranks_age(cfg, &ch->rank, by);
	ch->base = c;
}

/* ---- what may issue ----------------------------------------------------- */

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
				      struct pick *p, int32_t now)
{
	const struct dram_banks *bk = &ch->bank;
	uint32_t b = p->bank, hits = 0, wr = bk->wr[b];

	if (ch->lane.rd[b] <= now)
		hits = bk->hit[b] & ~wr;
	if (ch->lane.wr[b] <= now)
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
				    struct pick *p, int32_t now)
{
	if (ch->lane.act[p->bank] <= now) {
		p->cmd = PPIM_CMD_ACT;
		return true;
	}
	/* Its oldest command wants the precharge, so that it goes first. */
	if (ch->lane.pre[p->bank] <= now) {
		p->cmd = PPIM_CMD_PRE;
		return true;
	}
	return bank_column(cfg, ch, p, now);
}

/* The next command in turn; false if there is none at this clock. A bank that
 * was looked at in vain has a write that waits for a read of its address. */
static ALWAYS_INLINE bool channel_pick(const struct dram_config *cfg,
				       struct dram_channel *ch, struct pick *p,
				       uint64_t due, int32_t now)
{
	uint64_t after;

	for (; due; due &= ~(1ull << p->bank)) {
		after = due & -2ull << ch->turn;
		p->bank = dram_first(after ? after : due);
		if (__builtin_expect(bank_pick(cfg, ch, p, now), 1)) {
			ch->turn = p->bank;
			return true;
		}
	}
	return false;
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
 * read has yet to leave the read queue, and no command is left whose issue could
 * let an older write move, reads go first until it has; without that (as in
 * DRAMsim3) writes would be to drain, and wait for it, for ever.
 */
static NOINLINE bool write_waits(struct dram_channel *ch, uint32_t bank,
				 struct dram_node *node)
{
	if (trans_has_read(&ch->rd, bank, node->addr)) {
		ch->reads_first = !ch->queued;
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

static ALWAYS_INLINE bool is_column(enum ppim_dram_cmd cmd)
{
	return cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR;
}

/* The second command of a clock: a column command beside a row command. */
static ALWAYS_INLINE void channel_second(struct ppim_dram *m,
					 struct dram_channel *ch,
					 enum ppim_dram_cmd first, uint64_t c,
					 struct shape s)
{
	int32_t now = channel_now(ch, c);
	uint64_t due = lanes_due(&ch->lane, ch->writes, now, s.lanes);
	struct pick p;

	if (!channel_pick(&m->cfg, ch, &p, due, now) ||
	    is_column(p.cmd) == is_column(first))
		return;
	channel_issue(m, ch, &p, c, s);
	ch->n.dual_cmds++;
}

static ALWAYS_INLINE void channel_commands(struct ppim_dram *m,
					   struct dram_channel *ch, uint64_t c,
					   struct shape s)
{
	struct pick p;

	if (!channel_pick(&m->cfg, ch, &p, ch->due, channel_now(ch, c)))
		return;
	channel_issue(m, ch, &p, c, s);
	if (m->cfg.dual)
		channel_second(m, ch, p.cmd, c, s);
}

static ALWAYS_INLINE void channel_set_next(const struct dram_config *cfg,
					   struct dram_channel *ch,
					   uint64_t t_cmd, uint64_t c)
{
	uint64_t t = dram_max(t_cmd, c + 1);

	t = channel_moves(cfg, ch) ? c + 1 : t;
	ch->t_next = dram_min(t, ch->t_rare);
}

static void channel_set_rare(struct dram_channel *ch)
{
	ch->t_rare = dram_min(ch->refresh_next, ch->base + DRAM_BASE_AGE);
}

/* A clock while a refresh waits or falls due, or base is to move. */
static NOINLINE void clock_rare(struct ppim_dram *m, struct dram_channel *ch,
				uint64_t c, struct shape s)
{
	const struct dram_config *cfg = &m->cfg;
	struct pick p = { .cmd = PPIM_CMD_REF };
	int32_t now;
	uint64_t t;
	bool issued;

	if (c - ch->base >= DRAM_BASE_AGE)
		channel_rebase(cfg, ch, c);
	channel_refresh_due(cfg, ch, c);
	issued = channel_refresh(m, ch, c, s);
	now = channel_now(ch, c);
	if (!issued && channel_pick(cfg, ch, &p,
				    lanes_due(&ch->lane, ch->writes, now, s.lanes), now)) {
		channel_issue(m, ch, &p, c, s);
		issued = true;
	}
	if (issued && cfg->dual)
		channel_second(m, ch, p.cmd, c, s);
	channel_move(cfg, ch);
	channel_set_cmd(ch, c, s);
	channel_set_rare(ch);
	t = ch->t_cmd;
	if (ch->refresh_due)
		t = ch->refreshing ? dram_min(t, refresh_next(cfg, ch)) : c + 1;
	channel_set_next(cfg, ch, t, c);
	if (ch->refresh_due)
		ch->t_rare = 0;
}

static ALWAYS_INLINE void clock_once(struct ppim_dram *m,
				     struct dram_channel *ch, uint64_t c,
				     struct shape s)
{
	if (c >= ch->t_rare) {
		clock_rare(m, ch, c, s);
		return;
	}
	if (ch->t_cmd <= c)
		channel_commands(m, ch, c, s);
	channel_move(&m->cfg, ch);
	channel_set_cmd(ch, c, s);
	channel_set_next(&m->cfg, ch, ch->t_cmd, c);
}

/* Until clock `until` is done. */
static ALWAYS_INLINE void channel_loop(struct ppim_dram *m,
				       struct dram_channel *ch, uint64_t until,
				       struct shape s)
{
	do {
		clock_once(m, ch, ch->t_next, s);
	} while (ch->t_next <= until);
}

/* Until the queue has room. */
static ALWAYS_INLINE uint64_t channel_loop_room(struct ppim_dram *m,
						struct dram_channel *ch,
						const struct dram_trans *q,
						struct shape s)
{
	uint64_t c;

	do {
		c = ch->t_next;
		clock_once(m, ch, c, s);
	} while (q->n == m->cfg.trans);
	return c;
}

static const struct shape shape_16x1 = { .lanes = 16, .ranks = 1 };
static const struct shape shape_16x2 = { .lanes = 32, .ranks = 2 };
static const struct shape shape_32x1 = { .lanes = 32, .ranks = 1 };
static const struct shape shape_any = { .lanes = DRAM_MAX_BANKS, .rare = true };

static void sched_run(struct ppim_dram *m, struct dram_channel *ch,
		      uint64_t until)
{
	switch (m->cfg.shape) {
	case DRAM_SHAPE_16X1:
		channel_loop(m, ch, until, shape_16x1);
		break;
	case DRAM_SHAPE_16X2:
		channel_loop(m, ch, until, shape_16x2);
		break;
	case DRAM_SHAPE_32X1:
		channel_loop(m, ch, until, shape_32x1);
		break;
	case DRAM_SHAPE_ANY:
		channel_loop(m, ch, until, shape_any);
		break;
	}
}

static uint64_t sched_run_room(struct ppim_dram *m, struct dram_channel *ch,
			       const struct dram_trans *q)
{
	switch (m->cfg.shape) {
	case DRAM_SHAPE_16X1:
		return channel_loop_room(m, ch, q, shape_16x1);
	case DRAM_SHAPE_16X2:
		return channel_loop_room(m, ch, q, shape_16x2);
	case DRAM_SHAPE_32X1:
		return channel_loop_room(m, ch, q, shape_32x1);
	case DRAM_SHAPE_ANY:
		break;
	}
	return channel_loop_room(m, ch, q, shape_any);
}

const struct dram_sched DRAM_SCHED = {
	.name = DRAM_SCHED_NAME,
	.usable = sched_usable,
	.run = sched_run,
	.run_room = sched_run_room,
};
