// SPDX-License-Identifier: MIT
/*
 * The memory: its controllers and the front end that feeds them.
 *
 * Each clock the controllers work first, then the front end admits what is due,
 * in order, until a request finds its controller's queue full. A controller is
 * only advanced when the front end needs to know whether it has room: what the
 * others do meanwhile cannot change that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dram_queue.h"

static int dram_refuse(struct ppim_diag *diag, const struct ppim_spec *spec,
		       const char *key, const char *reason)
{
	if (diag)
		snprintf(diag->msg, sizeof(diag->msg), "%s: %s: %s",
			 spec->name, key, reason);
	return -EOPNOTSUPP;
}

static int dram_supports(const struct ppim_spec *spec, struct ppim_diag *diag)
{
	if (spec->queues != PPIM_QUEUE_PER_BANK)
		return dram_refuse(diag, spec, "queue_structure",
				   "PER_RANK is not modelled, PER_BANK is");
	if (spec->ranks * spec->banks > DRAM_MAX_BANKS)
		return dram_refuse(diag, spec, "channel_size",
				   "more than 64 banks in a channel");
	if (spec->cmd_queue_size > DRAM_MAX_QUEUE)
		return dram_refuse(diag, spec, "cmd_queue_size",
				   "more than 32 entries");
	if (spec->trans_queue_size > DRAM_MAX_NODES)
		return dram_refuse(diag, spec, "trans_queue_size",
				   "more than 256 entries");
	return 0;
}

static void config_refresh(const struct ppim_spec *spec,
			   struct dram_config *cfg)
{
	cfg->refresh_units = spec->ranks;
	cfg->refresh_burst = 1;
	switch (spec->refresh) {
	case PPIM_REFRESH_RANK_STAGGERED:
		cfg->refresh_interval = spec->t.trefi / spec->ranks;
		break;
	case PPIM_REFRESH_RANK_SIMULTANEOUS:
		cfg->refresh_interval = spec->t.trefi;
		cfg->refresh_burst = spec->ranks;
		break;
	case PPIM_REFRESH_BANK_STAGGERED:
		cfg->refresh_interval = spec->t.trefib;
		cfg->refresh_units = cfg->bank_count;
		cfg->refresh_banks = true;
		break;
	case PPIM_REFRESH_NONE:
		cfg->refresh_interval = DRAM_NEVER;
		break;
	}
}

static uint64_t bits_from(uint32_t first, uint32_t n)
{
	return (n == 64 ? ~0ull : (1ull << n) - 1) << first;
}

static void config_init(const struct ppim_spec *spec, struct dram_config *cfg)
{
	uint32_t i;

	dram_delays_init(spec, &cfg->d);
	cfg->map = spec->map;
	cfg->channels = spec->channels;
	cfg->ranks = spec->ranks;
	cfg->groups = spec->bankgroups;
	cfg->banks = spec->banks;
	cfg->group_banks = spec->banks_per_group;
	cfg->bank_count = spec->ranks * spec->banks;
	cfg->queue = spec->cmd_queue_size;
	cfg->trans = spec->trans_queue_size;
	cfg->dual = spec->dual_cmd;
	cfg->closed_page = spec->page == PPIM_CLOSE_PAGE;
	cfg->unified = spec->unified_queue;
	cfg->act_col = dram_min(cfg->d.act_rd, cfg->d.act_wr);
	for (i = 0; i < cfg->ranks; i++)
		cfg->rank_mask[i] = bits_from(i * cfg->banks, cfg->banks);
	for (i = 0; i < cfg->ranks * cfg->groups; i++)
		cfg->group_mask[i] =
			bits_from(i * cfg->group_banks, cfg->group_banks);
	config_refresh(spec, cfg);
}

static void trans_init(struct dram_trans *q, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		q->node[i].next = i + 1 < size ? (uint16_t)(i + 1) :
						 DRAM_NO_NODE;
}

static void channel_init(const struct dram_config *cfg,
			 struct dram_channel *ch)
{
	uint32_t i;

	ch->t_refresh = cfg->refresh_interval;
	ch->t_next = ch->t_cmd = ch->t_refresh;
	ch->room = bits_from(0, cfg->bank_count);
	ch->act_ripe = ch->room;
	ch->act.next = ch->col.next = ch->pre.next = DRAM_NEVER;
	trans_init(&ch->rd, cfg->trans);
	trans_init(&ch->wr, cfg->trans);
	for (i = 0; i < cfg->bank_count; i++) {
		ch->bank[i].row = DRAM_NO_ROW;
		ch->bank[i].group = (uint8_t)(i / cfg->group_banks);
		ch->bank[i].rank = (uint8_t)(i / cfg->banks);
	}
}

int ppim_dram_create(const struct ppim_spec *spec, uint32_t inject,
		     struct ppim_dram **out, struct ppim_diag *diag)
{
	struct ppim_dram *m;
	uint32_t i;
	int err = dram_supports(spec, diag);

	if (err)
		return err;
	m = calloc(1, sizeof(*m) + spec->channels * sizeof(m->ch[0]));
	if (!m) {
		if (diag)
			snprintf(diag->msg, sizeof(diag->msg),
				 "%s: no memory for %u channels", spec->name,
				 spec->channels);
		return -ENOMEM;
	}
	m->spec = *spec;
	m->inject = inject ? inject : UINT32_MAX;
	config_init(spec, &m->cfg);
	for (i = 0; i < m->cfg.channels; i++)
		channel_init(&m->cfg, &m->ch[i]);
	*out = m;
	return 0;
}

void ppim_dram_free(struct ppim_dram *m)
{
	free(m);
}

/* ---- admission ---------------------------------------------------------- */

/* A request on its way in. */
struct arrival {
	uint64_t addr;
	uint32_t bank;
	uint32_t row;
	bool write;
};

static uint32_t map_field(const struct ppim_addrmap *map, uint64_t burst,
			  enum ppim_field f)
{
	return (uint32_t)(burst >> map->pos[f]) & ((1u << map->width[f]) - 1);
}

static void arrival_decode(const struct dram_config *cfg, uint64_t burst,
			   struct arrival *a)
{
	const struct ppim_addrmap *map = &cfg->map;

	a->bank = map_field(map, burst, PPIM_BA) +
		  (map_field(map, burst, PPIM_BG) << map->width[PPIM_BA]) +
		  (map_field(map, burst, PPIM_RA)
		   << (map->width[PPIM_BA] + map->width[PPIM_BG]));
	a->row = map_field(map, burst, PPIM_RO);
}

static struct dram_entry *bank_find(struct dram_bank *bk,
				    const struct arrival *a, bool write)
{
	uint32_t i;

	for (i = 0; i < bk->n; i++)
		if (bk->queue[i].addr == a->addr &&
		    bk->queue[i].write == write)
			return &bk->queue[i];
	return NULL;
}

static struct dram_entry *trans_find(struct dram_trans *q,
				     const struct arrival *a, bool write)
{
	uint16_t i;

	if (!(q->waiting >> a->bank & 1))
		return NULL;
	for (i = q->head[a->bank]; i != DRAM_NO_NODE; i = q->node[i].next)
		if (q->node[i].e.addr == a->addr &&
		    q->node[i].e.write == write)
			return &q->node[i].e;
	return NULL;
}

/* A request for the address that has not been issued. */
static struct dram_entry *channel_find(const struct dram_config *cfg,
				       struct dram_channel *ch,
				       const struct arrival *a, bool write)
{
	struct dram_trans *q = write && !cfg->unified ? &ch->wr : &ch->rd;
	struct dram_entry *e = bank_find(&ch->bank[a->bank], a, write);

	return e ? e : trans_find(q, a, write);
}

static void channel_push(const struct dram_config *cfg,
			 struct dram_channel *ch, const struct arrival *a,
			 bool after_read)
{
	bool own = a->write && !cfg->unified;
	struct dram_trans *q = own ? &ch->wr : &ch->rd;
	struct dram_node *node = trans_push(q, a->bank);

	node->after_read = after_read;
	node->e = (struct dram_entry){
		.addr = a->addr, .row = a->row, .write = a->write
	};
	dram_filter_add(ch, a->addr);
}

/* A request that no command needs to be issued for is done in two clocks. */
static void channel_done_at_once(struct dram_channel *ch, uint64_t now)
{
	ch->st.end = dram_max(ch->st.end, now + 2);
}

static void channel_admit_write(const struct dram_config *cfg,
				struct dram_channel *ch,
				const struct arrival *a, uint64_t now)
{
	bool maybe = *dram_filter(ch, a->addr);

	ch->st.writes++;
	channel_done_at_once(ch, now);
	if (maybe && channel_find(cfg, ch, a, true)) {
		ch->st.merged_writes++;
		return;
	}
	channel_push(cfg, ch, a, maybe && channel_find(cfg, ch, a, false));
}

static void channel_admit_read(const struct dram_config *cfg,
			       struct dram_channel *ch,
			       const struct arrival *a, uint64_t now)
{
	struct dram_entry *e = NULL;

	if (*dram_filter(ch, a->addr)) {
		if (channel_find(cfg, ch, a, true)) {
			ch->st.reads++;
			ch->st.forwarded_reads++;
			ch->st.read_latency++;
			channel_done_at_once(ch, now);
			return;
		}
		e = channel_find(cfg, ch, a, false);
	}
	ch->reads_pending++;
	ch->st.read_latency -= now + 1;
	if (e && e->joined < UINT16_MAX) {
		e->joined++;
		ch->st.joined_reads++;
		return;
	}
	channel_push(cfg, ch, a, false);
}

/* An admission may give the channel something to do in the next clock. */
static void channel_wake(struct dram_channel *ch, uint64_t now)
{
	ch->t_next = dram_min(ch->t_next, now + 1);
}

static void channel_run(struct ppim_dram *m, struct dram_channel *ch,
			uint64_t until)
{
	while (ch->t_next <= until)
		dram_channel_clock(m, ch, ch->t_next);
}

/* Waits for a free entry in q; the front end's clock moves on. */
static void dram_wait_room(struct ppim_dram *m, struct dram_channel *ch,
			   const struct dram_trans *q)
{
	do {
		m->now = ch->t_next;
		dram_channel_clock(m, ch, m->now);
	} while (q->n == m->cfg.trans);
	m->injected = 0;
}

static void dram_admit(struct ppim_dram *m, const struct ppim_dram_req *req)
{
	const struct dram_config *cfg = &m->cfg;
	struct arrival a = { .addr = req->addr, .write = req->write };
	uint64_t burst = req->addr >> cfg->map.shift;
	struct dram_channel *ch = &m->ch[map_field(&cfg->map, burst, PPIM_CH)];
	const struct dram_trans *q =
		a.write && !cfg->unified ? &ch->wr : &ch->rd;

	if (req->cycle > m->now || m->injected == m->inject) {
		m->now = dram_max(req->cycle, m->now + 1);
		m->injected = 0;
	}
	channel_run(m, ch, m->now);
	if (q->n == cfg->trans)
		dram_wait_room(m, ch, q);
	m->injected++;
	arrival_decode(cfg, burst, &a);
	if (a.write)
		channel_admit_write(cfg, ch, &a, m->now);
	else
		channel_admit_read(cfg, ch, &a, m->now);
	channel_wake(ch, m->now);
}

void ppim_dram_submit(struct ppim_dram *m, const struct ppim_dram_req *reqs,
		      size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		dram_admit(m, &reqs[i]);
}

uint64_t ppim_dram_drain(struct ppim_dram *m)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < m->cfg.channels; i++) {
		struct dram_channel *ch = &m->ch[i];

		while (ch->reads_pending)
			dram_channel_clock(m, ch, ch->t_next);
		end = dram_max(end, ch->st.end);
	}
	if (end > m->now) {
		m->now = end;
		m->injected = 0;
	}
	for (i = 0; i < m->cfg.channels; i++)
		channel_run(m, &m->ch[i], m->now);
	return end;
}

/* ---- results ------------------------------------------------------------ */

static uint64_t channel_active(const struct dram_config *cfg,
			       const struct dram_channel *ch, uint64_t now)
{
	uint64_t sum = ch->st.active_clocks;
	uint32_t r;

	for (r = 0; r < cfg->ranks; r++)
		if (ch->rank[r].open && now > ch->rank[r].open_since)
			sum += now - ch->rank[r].open_since;
	return sum;
}

void ppim_dram_stats(const struct ppim_dram *m, struct ppim_dram_stats *out)
{
	uint32_t i, k;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < m->cfg.channels; i++) {
		const struct ppim_dram_stats *st = &m->ch[i].st;

		out->reads += st->reads;
		out->writes += st->writes;
		out->end = dram_max(out->end, st->end);
		out->read_latency += st->read_latency;
		out->row_hits += st->row_hits;
		out->joined_reads += st->joined_reads;
		out->forwarded_reads += st->forwarded_reads;
		out->merged_writes += st->merged_writes;
		out->dual_cmds += st->dual_cmds;
		for (k = 0; k < PPIM_CMD_COUNT; k++)
			out->cmds[k] += st->cmds[k];
		out->active_clocks += channel_active(&m->cfg, &m->ch[i],
						     m->now);
	}
	out->rank_clocks = m->now * m->cfg.channels * m->cfg.ranks;
}

void ppim_dram_observe(struct ppim_dram *m, ppim_dram_observe_fn *fn, void *arg)
{
	m->observe = fn;
	m->observe_arg = arg;
}
