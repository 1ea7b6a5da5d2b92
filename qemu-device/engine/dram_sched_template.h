/* SPDX-License-Identifier: MIT */
/*
 * One clock of one controller, after DRAMsim3's (src/controller.cc and
 * command_queue.cc): a refresh that is due goes first; else banks are served
 * in turn, and within a bank's queue the first command that is ready; then one
 * transaction moves from the transaction queue into its bank's queue.
 *
 * Included by each instance of the scheduler, which defines DRAM_SCHED, the
 * name of its table, and which vectors it has (dram_lanes.h).
 *
 * Functions that take a number of lanes, at least that of the channel's banks,
 * are compiled for each that a caller names.
 */
#include <stddef.h>
#include <string.h>

#include "dram_queue.h"

struct pick {
	uint32_t bank;
	uint32_t cmd;
	uint32_t at; /* of a column command: the how manieth of its queue */
};

static NOINLINE void channel_tell(struct ppim_dram *m, struct dram_channel *ch,
				  uint32_t cmd, uint32_t b, uint64_t addr,
				  uint32_t now)
{
	const struct dram_config *cfg = &m->cfg;
	struct ppim_dram_event ev = { .cycle = ch->base + now, .cmd = cmd };

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
					  uint32_t cmd, uint32_t b,
					  uint64_t addr, uint32_t now)
{
	if (__builtin_expect(m->observe != NULL, 0))
		channel_tell(m, ch, cmd, b, addr, now);
}

/* ---- what a command does to the state ----------------------------------- */

/* Notes an activation in the window of four. */
static ALWAYS_INLINE void window4_act(uint16_t until[4], uint32_t now,
				      int32_t span)
{
	until[3] = until[2];
	until[2] = until[1];
	until[1] = until[0];
	until[0] = (uint16_t)(now + (uint32_t)span);
}

/* The same in that of 32; returns the earliest clock of the next. */
static uint16_t window32_act(struct dram_window32 *w, uint32_t now,
			     int32_t span)
{
	w->until[w->at] = (int32_t)now + span;
	w->at = (w->at + 1) % 32;
	return (uint16_t)w->until[w->at];
}

static ALWAYS_INLINE void channel_activate(struct ppim_dram *m,
					   struct dram_channel *ch,
					   struct dram_live *l, uint32_t b,
					   uint32_t now, uint32_t lanes)
{
	const struct dram_config *cfg = &m->cfg;
	struct dram_banks *bk = &ch->bank;
	uint32_t r = cfg->rank_of[b], hit = bk->hit[b], wr = bk->wr[b];
	uint64_t bit = 1ull << b;
	uint16_t aw32;

	/* The fourth last, this one counted, binds the next. */
	live_delay(cfg, l, b, PPIM_CMD_ACT, PPIM_CMD_ACT,
		   &ch->rank.faw[r][2], lanes);
	window4_act(ch->rank.faw[r], now, cfg->d.faw);
	if (__builtin_expect(cfg->d.aw32 != 0, 0)) {
		aw32 = window32_act(&ch->rank.aw32[r], now, cfg->d.aw32);
		live_delay(cfg, l, b, PPIM_CMD_ACT, PPIM_CMD_ACT, &aw32,
			   lanes);
	}
	live_delay(cfg, l, b, PPIM_CMD_ACT, PPIM_CMD_PRE, NULL, lanes);
	live_delay(cfg, l, b, PPIM_CMD_ACT, PPIM_CMD_RD, NULL, lanes);
	live_delay(cfg, l, b, PPIM_CMD_ACT, PPIM_CMD_WR, NULL, lanes);
	bk->hits[b] = 0;
	/* A row that closes itself waits for tRAS before it does. */
	if (__builtin_expect(cfg->closed_page, 0))
		ch->lane.ref[b] = (uint16_t)(now + (uint32_t)cfg->d.act_pre +
					     (uint32_t)cfg->d.pre_act);
	if (!(ch->open & cfg->rank_mask[r]))
		ch->rank.open_since[r] = ch->base + now;
	ch->open |= bit;
	/* Its oldest command is for the row: nothing to precharge. */
	l->wait[PPIM_CMD_ACT] &= ~bit;
	l->wait[PPIM_CMD_RD] |= bit & dram_mask((hit & ~wr) != 0);
	l->wait[PPIM_CMD_WR] |= bit & dram_mask((hit & wr) != 0);
	ch->n.cmds[PPIM_CMD_ACT]++;
	channel_observe(m, ch, PPIM_CMD_ACT, b, 0, now);
}

/* Finds out, too, what is for the row that will be opened next: that is not to
 * be waited for when it is. */
static ALWAYS_INLINE void bank_close(const struct dram_config *cfg,
				     struct dram_channel *ch,
				     struct dram_live *l, uint32_t b,
				     uint32_t now)
{
	struct dram_banks *bk = &ch->bank;
	uint32_t row = bk->rows[b][bk->order[b][0]], n = bk->n[b];
	uint32_t r = cfg->rank_of[b];
	uint64_t bit = 1ull << b;

	bk->row[b] = n ? row : DRAM_NO_ROW;
	bk->hit[b] = (uint16_t)(rows_equal(bk->rows[b], bk->order[b], row,
					   cfg->queue <= 8) &
				((1u << n) - 1));
	ch->open &= ~bit;
	if (!(ch->open & cfg->rank_mask[r]))
		ch->n.active_clocks += ch->base + now -
				       ch->rank.open_since[r];
	l->wait[PPIM_CMD_ACT] |= ch->queued & bit;
	l->wait[PPIM_CMD_PRE] &= ~bit;
	l->wait[PPIM_CMD_RD] &= ~bit;
	l->wait[PPIM_CMD_WR] &= ~bit;
}

static ALWAYS_INLINE void channel_precharge(struct ppim_dram *m,
					    struct dram_channel *ch,
					    struct dram_live *l, uint32_t b,
					    uint32_t now, uint32_t lanes)
{
	const struct dram_config *cfg = &m->cfg;

	live_delay(cfg, l, b, PPIM_CMD_PRE, PPIM_CMD_ACT, NULL, lanes);
	if (__builtin_expect(cfg->d.pre_pre != 0, 0))
		live_delay(cfg, l, b, PPIM_CMD_PRE, PPIM_CMD_PRE, NULL, lanes);
	ch->lane.ref[b] = (uint16_t)(now + (uint32_t)cfg->d.pre_act);
	bank_close(cfg, ch, l, b, now);
	ch->n.cmds[PPIM_CMD_PRE]++;
	channel_observe(m, ch, PPIM_CMD_PRE, b, 0, now);
}

/* The burst answers the read and those that joined it. */
static ALWAYS_INLINE void channel_read_done(const struct dram_config *cfg,
					    struct dram_channel *ch,
					    uint64_t joined, uint32_t now)
{
	uint64_t n = 1 + joined;

	ch->last_read = ch->base + now + (uint64_t)cfg->d.read_done;
	ch->read_latency += n * ch->last_read;
	ch->reads_pending -= n;
}

static ALWAYS_INLINE void bank_auto_precharge(const struct dram_config *cfg,
					      struct dram_channel *ch,
					      struct dram_live *l,
					      const struct pick *p,
					      uint32_t now, uint32_t lanes)
{
	int32_t delay = p->cmd == PPIM_CMD_RD ? cfg->d.rda_ref :
						cfg->d.wra_ref;

	live_delay(cfg, l, p->bank, p->cmd, PPIM_CMD_ACT, NULL, lanes);
	lane_raise(&ch->lane.ref[p->bank], (int32_t)now + delay);
	bank_close(cfg, ch, l, p->bank, now);
}

static ALWAYS_INLINE void channel_column(struct ppim_dram *m,
					 struct dram_channel *ch,
					 struct dram_live *l,
					 const struct pick *p, uint32_t now,
					 uint32_t lanes)
{
	const struct dram_config *cfg = &m->cfg;
	struct dram_banks *bk = &ch->bank;
	uint32_t b = p->bank, slot = bk->order[b][p->at], hits = bk->hits[b];
	uint64_t addr = bk->addr[b][slot];

	live_delay(cfg, l, b, p->cmd, PPIM_CMD_PRE, NULL, lanes);
	live_delay(cfg, l, b, p->cmd, PPIM_CMD_RD, NULL, lanes);
	live_delay(cfg, l, b, p->cmd, PPIM_CMD_WR, NULL, lanes);
	if (p->cmd == PPIM_CMD_RD)
		channel_read_done(cfg, ch, bk->joined[b][slot], now);
	ch->n.cmds[p->cmd]++;
	ch->n.row_hits += hits != 0;
	bank_take(cfg, ch, l->wait, b, p->at, hits + (hits != UINT8_MAX));
	dram_filter_del(ch, addr);
	if (__builtin_expect(cfg->closed_page, 0))
		bank_auto_precharge(cfg, ch, l, p, now, lanes);
	channel_observe(m, ch, p->cmd, b, addr, now);
}

static ALWAYS_INLINE void channel_issue(struct ppim_dram *m,
					struct dram_channel *ch,
					struct dram_live *l,
					const struct pick *p, uint32_t now,
					uint32_t lanes)
{
	if (p->cmd == PPIM_CMD_ACT)
		channel_activate(m, ch, l, p->bank, now, lanes);
	else if (p->cmd == PPIM_CMD_PRE)
		channel_precharge(m, ch, l, p->bank, now, lanes);
	else
		channel_column(m, ch, l, p, now, lanes);
}

/* ---- refresh ------------------------------------------------------------ */

static void channel_refresh_due(const struct dram_config *cfg,
				struct dram_channel *ch, uint64_t c)
{
	if (c == ch->refresh_next) {
		ch->refresh_due += cfg->refresh_burst;
		ch->refresh_next += cfg->refresh_interval;
	}
	ch->refreshing = ch->refresh_due ? dram_refresh_mask(cfg, ch) : 0;
}

static void channel_refresh_done(struct ppim_dram *m, struct dram_channel *ch,
				 uint32_t now)
{
	const struct dram_config *cfg = &m->cfg;
	uint32_t cmd = cfg->refresh_banks ? PPIM_CMD_REFB : PPIM_CMD_REF;
	int32_t t = (int32_t)now +
		    (cfg->refresh_banks ? cfg->d.refb_act : cfg->d.ref_act);
	uint64_t banks = ch->refreshing, rest;

	for (rest = banks; rest; rest &= rest - 1) {
		lane_raise(&ch->lane.cmd[PPIM_CMD_ACT][dram_first(rest)], t);
		lane_raise(&ch->lane.ref[dram_first(rest)], t);
	}
	ch->refreshing = 0;
	ch->refresh_due--;
	ch->refresh_unit = (ch->refresh_unit + 1) % cfg->refresh_units;
	ch->n.cmds[cmd]++;
	channel_observe(m, ch, cmd, dram_first(banks), 0, now);
}

/* Closes the first bank that may be closed, or refreshes when all are. */
static bool channel_refresh(struct ppim_dram *m, struct dram_channel *ch,
			    uint32_t now, uint32_t lanes)
{
	struct dram_live l;
	uint64_t rest;
	uint32_t b;
	bool all = true;

	for (rest = ch->refreshing; rest; rest &= rest - 1) {
		b = dram_first(rest);
		if (!(ch->open >> b & 1)) {
			all &= ch->lane.ref[b] <= now;
			continue;
		}
		all = false;
		if (ch->lane.cmd[PPIM_CMD_PRE][b] <= now) {
			live_load(&l, ch, lanes);
			live_set_now(&l, now, lanes);
			channel_precharge(m, ch, &l, b, now, lanes);
			live_store(&l, ch, lanes);
			return true;
		}
	}
	all &= ch->refreshing != 0;
	if (all)
		channel_refresh_done(m, ch, now);
	return all;
}

/* Earliest clock after `now` at which channel_refresh() could do something. */
static uint32_t refresh_next(const struct dram_channel *ch, uint32_t now)
{
	uint64_t open = ch->refreshing & ch->open, rest;
	uint64_t t = open ? DRAM_LATE : 0;

	for (rest = open ? open : ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);

		t = open ? dram_min(t, ch->lane.cmd[PPIM_CMD_PRE][b]) :
			   dram_max(t, ch->lane.ref[b]);
	}
	return (uint32_t)dram_max(t, now + 1);
}

/* ---- the base of all lanes ---------------------------------------------- */

static void lanes_age(uint16_t *t, size_t n, uint64_t by)
{
	size_t i;

	for (i = 0; i < n; i++)
		t[i] = t[i] > by ? (uint16_t)(t[i] - by) : 0;
}

static void window_age(int32_t *t, size_t n, uint64_t by)
{
	size_t i;

	for (i = 0; i < n; i++)
		t[i] = (uint64_t)t[i] > by ? (int32_t)((uint64_t)t[i] - by) : 0;
}

/* Moves base to clock c. */
static NOINLINE void channel_rebase(const struct dram_config *cfg,
				    struct dram_channel *ch, uint64_t c)
{
	uint64_t by = c - ch->base;
	uint32_t i;

	lanes_age(ch->lane.cmd[0], DRAM_WAITED * DRAM_MAX_BANKS, by);
	lanes_age(ch->lane.ref, DRAM_MAX_BANKS, by);
	for (i = 0; i < cfg->ranks; i++) {
		lanes_age(ch->rank.faw[i], 4, by);
		window_age(ch->rank.aw32[i].until, 32, by);
	}
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
	const uint8_t *order = bk->order[p->bank];
	struct ppim_loc w, r;
	uint32_t i;

	ppim_addr_decode(&cfg->map, bk->addr[p->bank][order[p->at]], &w);
	for (i = 0; i < p->at; i++) {
		if (bk->wr[p->bank] >> i & 1)
			continue;
		ppim_addr_decode(&cfg->map, bk->addr[p->bank][order[i]], &r);
		if (r.f[PPIM_CO] == w.f[PPIM_CO] &&
		    r.f[PPIM_RO] == w.f[PPIM_RO])
			return true;
	}
	return false;
}

/* The first entry of an open bank that is ready; false if that is only writes
 * which wait for reads. */
static ALWAYS_INLINE bool bank_column(const struct dram_config *cfg,
				      const struct dram_channel *ch,
				      const struct dram_live *l,
				      struct pick *p, uint32_t lanes)
{
	uint32_t b = p->bank, hit = ch->bank.hit[b], wr = ch->bank.wr[b];
	uint32_t older = (hit & -hit) - 1;

	p->at = dram_first(hit);
	p->cmd = PPIM_CMD_RD + (wr >> p->at & 1);
	/* Of the row's entries none writes; or none reads, and no read waits
	 * before them: the first. */
	if (__builtin_expect(!(dram_mask((hit & wr) != 0) & ~wr &
			       (hit | older)), 1))
		return true;
	if (!(live_ready(l, PPIM_CMD_RD, lanes) >> b & 1))
		hit &= wr;
	if (!(live_ready(l, PPIM_CMD_WR, lanes) >> b & 1))
		hit &= ~wr;
	for (; hit; hit &= hit - 1) {
		p->at = dram_first(hit);
		p->cmd = PPIM_CMD_RD;
		if (!(wr >> p->at & 1))
			return true;
		p->cmd = PPIM_CMD_WR;
		if (!(~wr & ((1u << p->at) - 1)) ||
		    !bank_after_read(cfg, ch, p))
			return true;
	}
	return false;
}

static ALWAYS_INLINE bool bank_pick(const struct dram_config *cfg,
				    const struct dram_channel *ch,
				    const struct dram_live *l, struct pick *p,
				    uint32_t lanes)
{
	uint32_t b = p->bank;

	if (!(ch->open >> b & 1)) {
		p->cmd = PPIM_CMD_ACT;
		return true;
	}
	/* Its oldest command wants the precharge, so that it goes first. */
	if (l->wait[PPIM_CMD_PRE] >> b & 1 &&
	    (!ch->bank.hit[b] ||
	     live_ready(l, PPIM_CMD_PRE, lanes) >> b & 1)) {
		p->cmd = PPIM_CMD_PRE;
		return true;
	}
	return bank_column(cfg, ch, l, p, lanes);
}

/* The next command in turn; false if there is none at this clock. A bank that
 * was looked at in vain has a write that waits for a read of its address. As of
 * live_update(). */
static ALWAYS_INLINE bool channel_pick(const struct dram_config *cfg,
				       struct dram_channel *ch,
				       const struct dram_live *l,
				       struct pick *p, uint32_t lanes)
{
	uint64_t due = live_due(l, lanes), after;

	for (; due; due &= ~(1ull << p->bank)) {
		after = due & -2ull << ch->turn;
		p->bank = dram_first(after ? after : due);
		if (__builtin_expect(bank_pick(cfg, ch, l, p, lanes), 1)) {
			ch->turn = p->bank;
			return true;
		}
	}
	return false;
}

/* ---- from transaction to command queue ---------------------------------- */

static bool trans_has_read(const struct dram_trans *q, uint64_t addr)
{
	const struct dram_node *node;
	uint32_t i;

	for (i = 0; i < q->n; i++) {
		node = &q->node[q->slot[i]];
		if (node->addr == addr && !node->write)
			return true;
	}
	return false;
}

static bool bank_has_read(const struct dram_banks *bk, uint32_t b,
			  uint64_t addr)
{
	uint32_t i;

	for (i = 0; i < bk->n[b]; i++)
		if (!(bk->wr[b] >> i & 1) &&
		    bk->addr[b][bk->order[b][i]] == addr)
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
	if (trans_has_read(&ch->rd, node->addr)) {
		ch->reads_first = !ch->queued;
		ch->reads_first_addr = node->addr;
		return true;
	}
	node->after_read = bank_has_read(&ch->bank, bank, node->addr);
	return node->after_read;
}

static ALWAYS_INLINE bool channel_move_write(const struct dram_config *cfg,
					     struct dram_channel *ch,
					     struct dram_live *l)
{
	uint64_t banks = ch->wr.waiting & ch->room;
	struct dram_node *node;
	uint32_t i, b;

	if (!banks)
		return false;
	i = trans_first(cfg, &ch->wr, banks);
	b = ch->wr.bank[i];
	node = &ch->wr.node[ch->wr.slot[i]];
	if (node->after_read && write_waits(ch, b, node)) {
		ch->draining = 0;
		return false;
	}
	ch->draining--;
	return bank_push(cfg, ch, l->wait, b, trans_take(cfg, &ch->wr, i));
}

static ALWAYS_INLINE bool channel_move_read(const struct dram_config *cfg,
					    struct dram_channel *ch,
					    struct dram_live *l)
{
	uint64_t banks = ch->rd.waiting & ch->room;
	const struct dram_node *node;
	uint32_t i, b;

	if (!banks)
		return false;
	i = trans_first(cfg, &ch->rd, banks);
	b = ch->rd.bank[i];
	node = trans_take(cfg, &ch->rd, i);
	if (ch->reads_first && node->addr == ch->reads_first_addr)
		ch->reads_first = 0;
	return bank_push(cfg, ch, l->wait, b, node);
}

/* Moves a transaction if one can; true if its bank waits for something else
 * then. */
static ALWAYS_INLINE bool channel_move(const struct dram_config *cfg,
				       struct dram_channel *ch,
				       struct dram_live *l)
{
	if (!ch->draining && dram_drain_due(cfg, ch))
		ch->draining = ch->wr.n;
	return ch->draining ? channel_move_write(cfg, ch, l) :
			      channel_move_read(cfg, ch, l);
}

/* Could the next clock move a transaction? */
static ALWAYS_INLINE bool channel_moves(const struct dram_config *cfg,
					const struct dram_channel *ch)
{
	if (ch->draining)
		return ch->wr.waiting & ch->room;
	return (ch->rd.waiting & ch->room) | dram_drain_due(cfg, ch);
}

/* ---- a clock -------------------------------------------------------------- */

static ALWAYS_INLINE bool is_column(uint32_t cmd)
{
	return cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR;
}

/* The second command of a clock: a column command beside a row command. Returns
 * whether it was a column command. */
static ALWAYS_INLINE bool channel_second(struct ppim_dram *m,
					 struct dram_channel *ch,
					 struct dram_live *l, uint32_t first,
					 uint32_t now, uint32_t lanes)
{
	struct pick p;

	if (!channel_pick(&m->cfg, ch, l, &p, lanes) ||
	    is_column(p.cmd) == is_column(first))
		return false;
	channel_issue(m, ch, l, &p, now, lanes);
	live_update(l, lanes);
	ch->n.dual_cmds++;
	return is_column(p.cmd);
}

/*
 * A clock of commands and moves alone. Returns the next; as of live_update(),
 * before and after. Only a column command, a move and an admission change what
 * can move: *moves says whether a transaction could, as far as the clock before
 * knew.
 */
static ALWAYS_INLINE uint32_t clock_once(struct ppim_dram *m,
					 struct dram_channel *ch,
					 struct dram_live *l, uint32_t now,
					 bool *moves, uint32_t lanes, bool dual)
{
	const struct dram_config *cfg = &m->cfg;
	struct pick p;

	if (channel_pick(cfg, ch, l, &p, lanes)) {
		channel_issue(m, ch, l, &p, now, lanes);
		*moves |= is_column(p.cmd);
		if (dual) {
			live_update(l, lanes);
			*moves |= channel_second(m, ch, l, p.cmd, now, lanes);
		}
	}
	if (*moves) {
		if (channel_move(cfg, ch, l) && dual)
			live_update(l, lanes);
		*moves = channel_moves(cfg, ch);
	}
	if (!dual)
		live_update(l, lanes);
	return live_next(l, now, *moves, lanes);
}

/* What banks wait for that are kept for a refresh does not count; it is left in
 * *kept. */
static void live_keep(struct dram_live *l, uint64_t banks,
		      uint64_t kept[DRAM_WAITED])
{
	uint32_t k;

	for (k = 0; k < DRAM_WAITED; k++) {
		kept[k] = l->wait[k] & banks;
		l->wait[k] &= ~banks;
	}
}

static void live_release(struct dram_live *l,
			 const uint64_t kept[DRAM_WAITED])
{
	uint32_t k;

	for (k = 0; k < DRAM_WAITED; k++)
		l->wait[k] |= kept[k];
}

/* A clock while a refresh waits or falls due, or base is to move. */
static NOINLINE void clock_rare(struct ppim_dram *m, struct dram_channel *ch,
				uint32_t lanes)
{
	const struct dram_config *cfg = &m->cfg;
	struct pick p = { .cmd = PPIM_CMD_REF };
	uint64_t c = ch->t_next, kept[DRAM_WAITED];
	struct dram_live l;
	uint32_t now, next;
	bool issued;

	if (c - ch->base >= DRAM_BASE_AGE)
		channel_rebase(cfg, ch, c);
	now = (uint32_t)(c - ch->base);
	channel_refresh_due(cfg, ch, c);
	issued = channel_refresh(m, ch, now, lanes);
	live_load(&l, ch, lanes);
	live_keep(&l, ch->refreshing, kept);
	live_set_now(&l, now, lanes);
	live_update(&l, lanes);
	if (!issued && channel_pick(cfg, ch, &l, &p, lanes)) {
		channel_issue(m, ch, &l, &p, now, lanes);
		issued = true;
	}
	if (issued && cfg->dual) {
		live_update(&l, lanes);
		channel_second(m, ch, &l, p.cmd, now, lanes);
	}
	live_release(&l, kept);
	channel_move(cfg, ch, &l);
	live_keep(&l, ch->refreshing, kept);
	live_update(&l, lanes);
	next = live_next(&l, now, channel_moves(cfg, ch), lanes);
	live_release(&l, kept);
	live_store(&l, ch, lanes);
	if (ch->refresh_due && ch->refreshing)
		next = (uint32_t)dram_min(next, refresh_next(ch, now));
	else if (ch->refresh_due)
		next = now + 1;
	ch->t_rare = dram_min(ch->refresh_next, ch->base + DRAM_BASE_AGE);
	ch->t_next = dram_min(ch->base + next, ch->t_rare);
	if (ch->refresh_due)
		ch->t_rare = 0;
}

/* The clocks from t_next on, until `last` at most, while *n transactions, those
 * of a queue, leave no room there; the last of them. */
static ALWAYS_INLINE uint64_t channel_loop(struct ppim_dram *m,
					   struct dram_channel *ch,
					   uint64_t last, const uint32_t *n,
					   uint32_t lanes,
					   bool dual)
{
	uint32_t now = (uint32_t)(ch->t_next - ch->base), next = now;
	uint32_t end = (uint32_t)(dram_min(last, ch->t_rare - 1) - ch->base);
	struct dram_live l;
	bool moves = true;

	live_load(&l, ch, lanes);
	live_set_now(&l, now, lanes);
	live_update(&l, lanes);
	do {
		now = next;
		next = clock_once(m, ch, &l, now, &moves, lanes, dual);
	} while (next <= end && *n == m->cfg.trans);
	live_store(&l, ch, lanes);
	ch->t_next = dram_min(ch->base + next, ch->t_rare);
	return ch->base + now;
}

static ALWAYS_INLINE uint64_t channel_clocks(struct ppim_dram *m,
					     struct dram_channel *ch,
					     uint64_t last, const uint32_t *n,
					     uint32_t lanes, bool dual)
{
	uint64_t c = 0;

	while (ch->t_next <= last && *n == m->cfg.trans) {
		if (__builtin_expect(ch->t_next < ch->t_rare, 1)) {
			c = channel_loop(m, ch, last, n, lanes, dual);
		} else {
			c = ch->t_next;
			clock_rare(m, ch, lanes);
		}
	}
	return c;
}

typedef uint64_t clocks_fn(struct ppim_dram *m, struct dram_channel *ch,
			   uint64_t last, const uint32_t *n);

/* Functions of their own, for each number of lanes and of commands a clock: the
 * less there is in one, the more the compiler keeps in registers. */
#define SCHED_CLOCKS(lanes, dual)                                            \
	static NOINLINE uint64_t clocks_##lanes##_##dual(                    \
		struct ppim_dram *m, struct dram_channel *ch, uint64_t last, \
		const uint32_t *n)                                           \
	{                                                                    \
		return channel_clocks(m, ch, last, n, lanes, dual);          \
	}

SCHED_CLOCKS(16, 0)
SCHED_CLOCKS(16, 1)
SCHED_CLOCKS(32, 0)
SCHED_CLOCKS(32, 1)
SCHED_CLOCKS(64, 0)
SCHED_CLOCKS(64, 1)

static inline uint64_t sched_clocks(struct ppim_dram *m,
				    struct dram_channel *ch, uint64_t last,
				    const uint32_t *n)
{
	static clocks_fn *const clocks[][2] = {
		[DRAM_SHAPE_16] = { clocks_16_0, clocks_16_1 },
		[DRAM_SHAPE_32] = { clocks_32_0, clocks_32_1 },
		[DRAM_SHAPE_64] = { clocks_64_0, clocks_64_1 },
	};

	return clocks[m->cfg.shape][m->cfg.dual](m, ch, last, n);
}

static void sched_run(struct ppim_dram *m, struct dram_channel *ch,
		      uint64_t until)
{
	sched_clocks(m, ch, until, &m->cfg.trans);
}

#include "dram_front_template.h"

const struct dram_sched DRAM_SCHED = {
	.name = DRAM_SCHED_NAME,
	.usable = sched_usable,
	.run = sched_run,
	.submit = front_submit,
};
