// SPDX-License-Identifier: MIT
/*
 * One clock of one controller, after DRAMsim3's (src/controller.cc and
 * command_queue.cc): a refresh that is due goes first; else banks are served
 * in turn, and within a bank's queue the first command that is ready; then one
 * transaction moves from the transaction queue into its bank's queue.
 */
#include "dram_queue.h"

struct pick {
	uint32_t bank;
	uint32_t at; /* position in the bank's queue, of a column command */
	enum ppim_dram_cmd cmd;
};

/* Banks by what they could issue as far as their ranks go. */
struct ready {
	uint64_t act, rd, wr, pre;
};

static void channel_observe(struct ppim_dram *m, struct dram_channel *ch,
			    enum ppim_dram_cmd cmd, uint32_t b, uint64_t addr,
			    uint32_t row, uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;
	struct ppim_dram_event ev = { .cycle = c, .cmd = cmd };

	if (cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR)
		ppim_addr_decode(&cfg->map, addr, &ev.loc);
	ev.loc.f[PPIM_CH] = (uint32_t)(ch - m->ch);
	ev.loc.f[PPIM_RA] = b / cfg->banks;
	ev.loc.f[PPIM_BG] = b % cfg->banks / cfg->group_banks;
	ev.loc.f[PPIM_BA] = b % cfg->group_banks;
	ev.loc.f[PPIM_RO] = row == DRAM_NO_ROW ? 0 : row;
	m->observe(m->observe_arg, &ev);
}

#define OBSERVE(m, ch, cmd, b, addr, row, c)                                 \
	do {                                                                 \
		if (__builtin_expect((m)->observe != NULL, 0))               \
			channel_observe(m, ch, cmd, b, addr, row, c);        \
	} while (0)

/* ---- what a command does to the state ----------------------------------- */

static void channel_activate(struct ppim_dram *m, struct dram_channel *ch,
			     uint32_t b, uint64_t c)
{
	const struct dram_delays *d = &m->cfg.d;
	struct dram_bank *bk = &ch->bank[b];
	struct dram_rank *rk = &ch->rank[bk->rank];
	uint64_t bit = 1ull << b;

	bk->row = bk->queue[0].row;
	bk->hit = bank_hits(bk);
	bk->hits = 0;
	bk->t_act = c + d->act_act;
	bk->t_rd = c + d->act_rd;
	bk->t_wr = c + d->act_wr;
	bk->t_pre = dram_max(bk->t_pre, c + d->act_pre);
	ch->open |= bit;
	ch->act_ripe &= ~bit;
	mask_put(&ch->hit_rd, bit, bk->hit & ~bk->wr);
	mask_put(&ch->hit_wr, bit, bk->hit & bk->wr);
	timeline_add(&ch->col, c + m->cfg.act_col, b);

	rk->t_act = dram_max(c + d->act_act_s,
			     dram_window4_act(&rk->faw, c, d->faw));
	if (d->aw32) {
		rk->aw32_until[rk->aw32_at] = c + d->aw32;
		rk->aw32_at = (rk->aw32_at + 1) % 32;
		rk->t_act = dram_max(rk->t_act, rk->aw32_until[rk->aw32_at]);
	}
	rk->act_group = bk->group;
	ch->group[bk->group].t_act = c + d->act_act_l;
	if (!rk->open++)
		rk->open_since = c;
	ch->st.cmds[PPIM_CMD_ACT]++;
	OBSERVE(m, ch, PPIM_CMD_ACT, b, 0, bk->row, c);
}

/* The row is closed; the bank may activate again at t_act. */
static void bank_close(struct dram_channel *ch, uint32_t b, uint64_t t_act,
		       uint64_t t_ref, uint64_t c)
{
	struct dram_bank *bk = &ch->bank[b];
	struct dram_rank *rk = &ch->rank[bk->rank];
	uint64_t off = ~(1ull << b);

	bk->row = DRAM_NO_ROW;
	bk->hit = 0;
	bk->t_act = dram_max(bk->t_act, t_act);
	bk->t_ref = dram_max(bk->t_ref, t_ref);
	ch->open &= off;
	ch->col_ripe &= off;
	ch->hit_rd &= off;
	ch->hit_wr &= off;
	ch->want_pre &= off;
	ch->pre_ripe &= off;
	timeline_add(&ch->act, bk->t_act, b);
	if (!--rk->open)
		ch->st.active_clocks += c - rk->open_since;
}

static void channel_precharge(struct ppim_dram *m, struct dram_channel *ch,
			      uint32_t b, uint64_t c)
{
	const struct dram_delays *d = &m->cfg.d;
	uint64_t t = c + d->pre_act;

	ch->rank[ch->bank[b].rank].t_pre = c + d->pre_pre;
	bank_close(ch, b, t, t, c);
	ch->st.cmds[PPIM_CMD_PRE]++;
	OBSERVE(m, ch, PPIM_CMD_PRE, b, 0, 0, c);
}

static void raise(uint64_t *t, uint64_t at_least)
{
	*t = dram_max(*t, at_least);
}

/* Other ranks' column commands find the data bus taken. */
static void ranks_column(const struct dram_config *cfg, struct dram_channel *ch,
			 uint32_t rank, uint64_t rd, uint64_t wr)
{
	uint32_t r;

	for (r = 0; r < cfg->ranks; r++) {
		if (r == rank)
			continue;
		raise(&ch->rank[r].t_rd, rd);
		raise(&ch->rank[r].t_wr, wr);
	}
}

static void channel_read(struct ppim_dram *m, struct dram_channel *ch,
			 struct dram_bank *bk, const struct dram_entry *e,
			 uint64_t c)
{
	const struct dram_delays *d = &m->cfg.d;
	struct dram_rank *rk = &ch->rank[bk->rank];
	struct dram_group *g = &ch->group[bk->group];
	uint64_t done = c + d->read_done, n = 1 + (uint64_t)e->joined;

	rk->t_rd = c + d->rd_rd_s;
	g->t_rd = c + d->rd_rd_l;
	raise(&rk->t_wr, c + d->rd_wr);
	raise(&bk->t_pre, c + d->rd_pre);
	if (m->cfg.ranks > 1)
		ranks_column(&m->cfg, ch, bk->rank, c + d->rd_rd_o,
			     c + d->rd_wr_o);
	ch->st.cmds[PPIM_CMD_RD]++;
	ch->st.reads += n;
	ch->st.read_latency += n * done;
	ch->st.end = dram_max(ch->st.end, done);
	ch->reads_pending -= n;
}

static void channel_write(struct ppim_dram *m, struct dram_channel *ch,
			  struct dram_bank *bk, uint64_t c)
{
	const struct dram_delays *d = &m->cfg.d;
	struct dram_rank *rk = &ch->rank[bk->rank];
	struct dram_group *g = &ch->group[bk->group];

	rk->t_wr = c + d->wr_wr_s;
	g->t_wr = c + d->wr_wr_l;
	raise(&rk->t_rd, c + d->wr_rd_s);
	raise(&g->t_rd, c + d->wr_rd_l);
	raise(&bk->t_pre, c + d->wr_pre);
	if (m->cfg.ranks > 1)
		ranks_column(&m->cfg, ch, bk->rank, c + d->wr_rd_o,
			     c + d->wr_wr_o);
	ch->st.cmds[PPIM_CMD_WR]++;
}

static void channel_column(struct ppim_dram *m, struct dram_channel *ch,
			   const struct pick *p, uint64_t c)
{
	const struct dram_delays *d = &m->cfg.d;
	struct dram_bank *bk = &ch->bank[p->bank];
	struct dram_entry e = bk->queue[p->at];
	bool write = p->cmd == PPIM_CMD_WR;

	if (write)
		channel_write(m, ch, bk, c);
	else
		channel_read(m, ch, bk, &e, c);
	ch->rank[bk->rank].col_group = bk->group;
	ch->st.row_hits += bk->hits != 0;
	bk->hits += bk->hits != UINT8_MAX;
	dram_filter_del(ch, e.addr);
	bank_remove(ch, p->bank, p->at);
	if (m->cfg.closed_page)
		bank_close(ch, p->bank, c + (write ? d->wra_act : d->rda_act),
			   c + (write ? d->wra_ref : d->rda_ref), c);
	else
		bank_review(ch, p->bank, c);
	OBSERVE(m, ch, p->cmd, p->bank, e.addr, e.row, c);
}

static void channel_issue(struct ppim_dram *m, struct dram_channel *ch,
			  const struct pick *p, uint64_t c)
{
	if (p->cmd == PPIM_CMD_ACT)
		channel_activate(m, ch, p->bank, c);
	else if (p->cmd == PPIM_CMD_PRE)
		channel_precharge(m, ch, p->bank, c);
	else
		channel_column(m, ch, p, c);
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
	if (c == ch->t_refresh) {
		ch->refresh_due += cfg->refresh_burst;
		ch->t_refresh += cfg->refresh_interval;
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
		ch->bank[b].t_act = c + cfg->d.refb_act;
		ch->bank[b].t_ref = ch->bank[b].t_act;
		ch->act_ripe &= ~mask;
		timeline_add(&ch->act, ch->bank[b].t_act, b);
	} else {
		raise(&ch->rank[ch->bank[b].rank].t_act, c + cfg->d.ref_act);
		for (rest = mask; rest; rest &= rest - 1)
			ch->bank[dram_first(rest)].t_ref = c + cfg->d.ref_act;
	}
	ch->refreshing = 0;
	ch->refresh_due--;
	ch->refresh_unit = (ch->refresh_unit + 1) % cfg->refresh_units;
	ch->st.cmds[cmd]++;
	OBSERVE(m, ch, cmd, b, 0, 0, c);
}

/* Closes the first bank that may be closed, or refreshes when all are. */
static bool channel_refresh(struct ppim_dram *m, struct dram_channel *ch,
			    uint64_t c)
{
	uint64_t rest;
	bool all = true;

	for (rest = ch->refreshing; rest; rest &= rest - 1) {
		uint32_t b = dram_first(rest);
		const struct dram_bank *bk = &ch->bank[b];

		if (!(ch->open >> b & 1)) {
			all &= bk->t_ref <= c;
			continue;
		}
		all = false;
		if (bk->t_pre <= c && ch->rank[bk->rank].t_pre <= c) {
			channel_precharge(m, ch, b, c);
			return true;
		}
	}
	if (all)
		channel_refresh_done(m, ch, c);
	return all;
}

/* Earliest clock at which channel_refresh() could do something. */
static uint64_t refresh_next(const struct dram_channel *ch)
{
	uint64_t open = ch->refreshing & ch->open, rest, t;

	t = open ? DRAM_NEVER : 0;
	for (rest = open ? open : ch->refreshing; rest; rest &= rest - 1) {
		const struct dram_bank *bk = &ch->bank[dram_first(rest)];

		t = open ? dram_min(t, dram_max(bk->t_pre,
						ch->rank[bk->rank].t_pre)) :
			   dram_max(t, bk->t_ref);
	}
	return t;
}

/* ---- what may issue ----------------------------------------------------- */

/* Banks whose own time has come. */
static void channel_ripen(struct dram_channel *ch, uint64_t c)
{
	uint32_t b;

	while (ch->act.next <= c) {
		b = timeline_pop(&ch->act);
		/* Void if the bank was refreshed since. */
		if (ch->bank[b].t_act <= c)
			ch->act_ripe |= 1ull << b;
	}
	while (ch->col.next <= c)
		ch->col_ripe |= 1ull << timeline_pop(&ch->col) & ch->open;
	while (ch->pre.next <= c) {
		b = timeline_pop(&ch->pre);
		ch->pre_timed &= ~(1ull << b);
		if (ch->want_pre >> b & 1)
			bank_review(ch, b, c);
	}
}

static inline struct ready channel_ready(const struct dram_config *cfg,
					 const struct dram_channel *ch,
					 uint64_t c)
{
	uint64_t free = ~ch->refreshing;
	struct ready r = {
		.act = ch->act_ripe & ch->queued & free,
		.rd = ch->col_ripe & ch->hit_rd & free,
		.wr = ch->col_ripe & ch->hit_wr & free,
		.pre = ch->pre_ripe & free,
	};
	uint32_t i;

	for (i = 0; i < cfg->ranks; i++) {
		const struct dram_rank *rk = &ch->rank[i];
		uint64_t others = ~cfg->rank_mask[i];

		r.act &= c >= rk->t_act ? ~0ull : others;
		r.rd &= c >= rk->t_rd ? ~0ull : others;
		r.wr &= c >= rk->t_wr ? ~0ull : others;
		r.pre &= c >= rk->t_pre ? ~0ull : others;
	}
	return r;
}

/* A write waits for an earlier read of the same burst in its queue. */
static bool bank_after_read(const struct dram_config *cfg,
			    const struct dram_bank *bk, uint32_t at)
{
	struct ppim_loc w, r;
	uint32_t reads = bk->hit & ~bk->wr & ((1u << at) - 1);

	if (!reads)
		return false;
	ppim_addr_decode(&cfg->map, bk->queue[at].addr, &w);
	for (; reads; reads &= reads - 1) {
		ppim_addr_decode(&cfg->map,
				 bk->queue[dram_first(reads)].addr, &r);
		if (r.f[PPIM_CO] == w.f[PPIM_CO])
			return true;
	}
	return false;
}

/* The first ready row hit of an open bank. */
static bool bank_column(const struct dram_config *cfg,
			const struct dram_channel *ch, const struct ready *r,
			struct pick *p, uint64_t c)
{
	const struct dram_bank *bk = &ch->bank[p->bank];
	const struct dram_group *g = &ch->group[bk->group];
	uint64_t bit = 1ull << p->bank;
	uint32_t hits = 0;

	if (r->rd & bit && c >= g->t_rd && c >= bk->t_rd)
		hits = bk->hit & ~bk->wr;
	if (r->wr & bit && c >= g->t_wr && c >= bk->t_wr)
		hits |= bk->hit & bk->wr;
	for (; hits; hits &= hits - 1) {
		p->at = dram_first(hits);
		p->cmd = PPIM_CMD_RD;
		if (!(bk->wr >> p->at & 1))
			return true;
		p->cmd = PPIM_CMD_WR;
		if (!bank_after_read(cfg, bk, p->at))
			return true;
	}
	return false;
}

static inline bool bank_pick(const struct dram_config *cfg,
			     const struct dram_channel *ch,
			     const struct ready *r, struct pick *p, uint64_t c)
{
	uint64_t bit = 1ull << p->bank;

	if (r->act & bit) {
		p->cmd = PPIM_CMD_ACT;
		return c >= ch->group[ch->bank[p->bank].group].t_act;
	}
	if (r->pre & bit) {
		p->cmd = PPIM_CMD_PRE;
		return true;
	}
	return bank_column(cfg, ch, r, p, c);
}

/* The next command in turn; false if there is none at this clock. */
static inline bool channel_pick(const struct dram_config *cfg,
				struct dram_channel *ch, struct pick *p,
				uint64_t c)
{
	struct ready r = channel_ready(cfg, ch, c);
	uint64_t any = r.act | r.rd | r.wr | r.pre;

	while (any) {
		uint64_t after = any & -2ull << ch->turn;

		p->bank = dram_first(after ? after : any);
		if (bank_pick(cfg, ch, &r, p, c)) {
			ch->turn = p->bank;
			return true;
		}
		any &= ~(1ull << p->bank);
	}
	return false;
}

static bool is_column(enum ppim_dram_cmd cmd)
{
	return cmd == PPIM_CMD_RD || cmd == PPIM_CMD_WR;
}

static void channel_command(struct ppim_dram *m, struct dram_channel *ch,
			    uint64_t c)
{
	struct pick p = { .cmd = PPIM_CMD_REF }, second;

	if (!ch->refreshing || !channel_refresh(m, ch, c)) {
		if (!channel_pick(&m->cfg, ch, &p, c))
			return;
		channel_issue(m, ch, &p, c);
	}
	if (!m->cfg.dual || !channel_pick(&m->cfg, ch, &second, c))
		return;
	/* A row and a column command, in either order. */
	if (is_column(second.cmd) == is_column(p.cmd))
		return;
	channel_issue(m, ch, &second, c);
	ch->st.dual_cmds++;
}

/* ---- from transaction to command queue ---------------------------------- */

static bool channel_drain_due(const struct dram_config *cfg,
			      const struct dram_channel *ch)
{
	return ch->wr.n > 0 && !ch->reads_first &&
	       (ch->wr.n >= cfg->trans ||
		(ch->wr.n > DRAM_WRITE_LOW && !ch->queued));
}

static bool trans_has_read(const struct dram_trans *q, uint32_t bank,
			   uint64_t addr)
{
	uint16_t i;

	if (!(q->waiting >> bank & 1))
		return false;
	for (i = q->head[bank]; i != DRAM_NO_NODE; i = q->node[i].next)
		if (q->node[i].e.addr == addr && !q->node[i].e.write)
			return true;
	return false;
}

static bool bank_has_read(const struct dram_bank *bk, uint64_t addr)
{
	uint32_t i;

	for (i = 0; i < bk->n; i++)
		if (bk->queue[i].addr == addr && !bk->queue[i].write)
			return true;
	return false;
}

/*
 * A write may not pass an earlier read of its address: draining stops. If that
 * read has yet to leave the read queue, reads go first until it has; without
 * that (as in DRAMsim3) a full write queue would wait for it for ever.
 */
static bool write_waits(struct dram_channel *ch, uint32_t bank)
{
	struct dram_node *node = &ch->wr.node[ch->wr.head[bank]];

	if (!node->after_read)
		return false;
	if (trans_has_read(&ch->rd, bank, node->e.addr)) {
		ch->reads_first = 1;
		ch->reads_first_addr = node->e.addr;
		return true;
	}
	node->after_read = bank_has_read(&ch->bank[bank], node->e.addr);
	return node->after_read;
}

static void channel_move_write(const struct dram_config *cfg,
			       struct dram_channel *ch, uint64_t c)
{
	uint64_t banks = ch->wr.waiting & ch->room;
	uint32_t b;

	if (!banks)
		return;
	b = trans_oldest(&ch->wr, banks);
	if (write_waits(ch, b)) {
		ch->draining = 0;
		return;
	}
	ch->draining--;
	bank_push(ch, b, &trans_pop(&ch->wr, b)->e, cfg->queue, c);
}

static void channel_move_read(const struct dram_config *cfg,
			      struct dram_channel *ch, uint64_t c)
{
	uint64_t banks = ch->rd.waiting & ch->room;
	const struct dram_node *node;
	uint32_t b;

	if (!banks)
		return;
	b = trans_oldest(&ch->rd, banks);
	node = trans_pop(&ch->rd, b);
	if (ch->reads_first && node->e.addr == ch->reads_first_addr)
		ch->reads_first = 0;
	bank_push(ch, b, &node->e, cfg->queue, c);
}

static void channel_move(const struct dram_config *cfg,
			 struct dram_channel *ch, uint64_t c)
{
	if (!ch->draining && channel_drain_due(cfg, ch))
		ch->draining = ch->wr.n;
	if (ch->draining)
		channel_move_write(cfg, ch, c);
	else
		channel_move_read(cfg, ch, c);
}

/* Could the next clock move a transaction? */
static bool channel_moves(const struct dram_config *cfg,
			  const struct dram_channel *ch)
{
	if (ch->draining)
		return ch->wr.waiting & ch->room;
	return ch->rd.waiting & ch->room || channel_drain_due(cfg, ch);
}

/* ---- when ---------------------------------------------------------------- */

/*
 * Earliest clock after c at which a command could issue: never too late, and
 * too early only where a bank group binds more than its rank.
 */
static uint64_t channel_next_cmd(const struct dram_config *cfg,
				 const struct dram_channel *ch, uint64_t c)
{
	uint64_t free = ~ch->refreshing;
	uint64_t act = ch->act_ripe & ch->queued & free;
	uint64_t rd = ch->col_ripe & ch->hit_rd & free;
	uint64_t wr = ch->col_ripe & ch->hit_wr & free;
	uint64_t t = ch->pre.next, t_act = DRAM_NEVER, t_col = DRAM_NEVER, g;
	uint32_t i;

	if (ch->pre_ripe & free || (ch->refresh_due && !ch->refreshing))
		return c + 1;
	for (i = 0; i < cfg->ranks; i++) {
		const struct dram_rank *rk = &ch->rank[i];
		uint64_t mask = cfg->rank_mask[i];
		uint64_t acted = ~cfg->group_mask[rk->act_group];
		uint64_t coled = ~cfg->group_mask[rk->col_group];

		t_act = dram_min(t_act, rk->t_act);
		t_col = dram_min(t_col, dram_min(rk->t_rd, rk->t_wr));
		if (act & mask) {
			g = act & mask & acted ?
				    0 : ch->group[rk->act_group].t_act;
			t = dram_min(t, dram_max(g, rk->t_act));
		}
		if (rd & mask) {
			g = rd & mask & coled ?
				    0 : ch->group[rk->col_group].t_rd;
			t = dram_min(t, dram_max(g, rk->t_rd));
		}
		if (wr & mask) {
			g = wr & mask & coled ?
				    0 : ch->group[rk->col_group].t_wr;
			t = dram_min(t, dram_max(g, rk->t_wr));
		}
	}
	t = dram_min(t, dram_max(ch->act.next, t_act));
	t = dram_min(t, dram_max(ch->col.next, t_col));
	if (ch->refreshing)
		t = dram_min(t, refresh_next(ch));
	return dram_max(t, c + 1);
}

void dram_channel_clock(struct ppim_dram *m, struct dram_channel *ch,
			uint64_t c)
{
	const struct dram_config *cfg = &m->cfg;

	if (c == ch->t_refresh || ch->refresh_due)
		channel_refresh_due(cfg, ch, c);
	if (c >= ch->t_cmd || ch->refreshing) {
		channel_ripen(ch, c);
		channel_command(m, ch, c);
	}
	channel_move(cfg, ch, c);
	ch->t_cmd = channel_next_cmd(cfg, ch, c);
	ch->t_next = channel_moves(cfg, ch) ? c + 1 : ch->t_cmd;
	ch->t_next = dram_min(ch->t_next, ch->t_refresh);
}
