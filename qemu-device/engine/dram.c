// SPDX-License-Identifier: MIT
/* The memory: what it is made of, and what comes of it. */
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

static int32_t dram_longest_delay(const struct ppim_spec *spec)
{
	int32_t delay[sizeof(struct dram_delays) / sizeof(int32_t)], most = 0;
	size_t i;

	dram_delays_init(spec, (struct dram_delays *)delay);
	for (i = 0; i < sizeof(delay) / sizeof(delay[0]); i++)
		most = max_i32(most, delay[i]);
	return most;
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
				   "more than 16 entries");
	if (spec->trans_queue_size > DRAM_MAX_NODES)
		return dram_refuse(diag, spec, "trans_queue_size",
				   "more than 256 entries");
	if (dram_longest_delay(spec) > DRAM_MAX_DELAY)
		return dram_refuse(diag, spec, "timing",
				   "two commands lie more than 16000 clocks apart");
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
		cfg->skip_gap = DRAM_BASE_AGE;
		return;
	}
	cfg->skip_gap = 4 * cfg->refresh_interval * cfg->refresh_units;
}

/* Rank, bank group and bank in one look-up if no other field lies between. */
static void config_bank_of(struct dram_config *cfg)
{
	static const enum ppim_field fields[] = { PPIM_RA, PPIM_BG, PPIM_BA };
	const struct ppim_addrmap *map = &cfg->map;
	uint32_t lo = 64, hi = 0, bits = 0, i;

	for (i = 0; i < 3; i++) {
		uint32_t pos = map->pos[fields[i]];
		uint32_t width = map->width[fields[i]];

		bits += width;
		if (width && pos < lo)
			lo = pos;
		if (width && pos + width > hi)
			hi = pos + width;
	}
	if (!bits || hi - lo != bits)
		return;
	cfg->bank_pos = lo;
	cfg->bank_bits = (1u << bits) - 1;
	for (i = 0; i <= cfg->bank_bits; i++)
		cfg->bank_of[i] = (uint8_t)bank_of_burst(map, (uint64_t)i << lo);
}

static uint64_t bits_from(uint32_t first, uint32_t n)
{
	return (n == 64 ? ~0ull : (1ull << n) - 1) << first;
}

static enum dram_shape config_shape(const struct dram_config *cfg)
{
	if (cfg->bank_count <= 16)
		return DRAM_SHAPE_16;
	return cfg->bank_count <= 32 ? DRAM_SHAPE_32 : DRAM_SHAPE_64;
}

/* From one command to the next: of the same bank, group, rank, another rank. */
static void delay_set(struct dram_config *cfg, enum ppim_dram_cmd from,
		      enum ppim_dram_cmd to, int32_t bank, int32_t group,
		      int32_t rank, int32_t other)
{
	uint16_t *d = cfg->delay[from][to];

	d[DRAM_OTHER_RANK] = (uint16_t)other;
	d[DRAM_SAME_RANK] = (uint16_t)rank;
	d[DRAM_SAME_GROUP] = (uint16_t)max_i32(rank, group);
	d[DRAM_SAME_BANK] = (uint16_t)max_i32(d[DRAM_SAME_GROUP], bank);
}

static void config_delays(struct dram_config *cfg)
{
	const struct dram_delays *d = &cfg->d;
	const enum ppim_dram_cmd act = PPIM_CMD_ACT, pre = PPIM_CMD_PRE;
	const enum ppim_dram_cmd rd = PPIM_CMD_RD, wr = PPIM_CMD_WR;

	delay_set(cfg, act, act, d->act_act, d->act_act_l, d->act_act_s, 0);
	delay_set(cfg, act, pre, d->act_pre, 0, 0, 0);
	delay_set(cfg, act, rd, d->act_rd, 0, 0, 0);
	delay_set(cfg, act, wr, d->act_wr, 0, 0, 0);
	delay_set(cfg, pre, act, d->pre_act, 0, 0, 0);
	delay_set(cfg, pre, pre, 0, 0, d->pre_pre, 0);
	delay_set(cfg, rd, pre, d->rd_pre, 0, 0, 0);
	delay_set(cfg, rd, rd, 0, d->rd_rd_l, d->rd_rd_s, d->rd_rd_o);
	delay_set(cfg, rd, wr, 0, 0, d->rd_wr, d->rd_wr_o);
	delay_set(cfg, wr, pre, d->wr_pre, 0, 0, 0);
	delay_set(cfg, wr, rd, 0, d->wr_rd_l, d->wr_rd_s, d->wr_rd_o);
	delay_set(cfg, wr, wr, 0, d->wr_wr_l, d->wr_wr_s, d->wr_wr_o);
	if (!cfg->closed_page)
		return;
	delay_set(cfg, rd, act, d->rda_act, 0, 0, 0);
	delay_set(cfg, wr, act, d->wra_act, 0, 0, 0);
}

static enum dram_near banks_near(const struct dram_config *cfg, uint32_t a,
				 uint32_t b)
{
	if (a == b)
		return DRAM_SAME_BANK;
	if (a / cfg->group_banks == b / cfg->group_banks)
		return DRAM_SAME_GROUP;
	return a / cfg->banks == b / cfg->banks ? DRAM_SAME_RANK :
						  DRAM_OTHER_RANK;
}

static void config_near(struct dram_config *cfg)
{
	uint32_t a, b;

	for (a = 0; a < DRAM_MAX_BANKS; a++)
		for (b = 0; b < DRAM_MAX_BANKS; b++)
			cfg->near[a][b] = DRAM_NO_BANK;
	for (a = 0; a < cfg->bank_count; a++)
		for (b = 0; b < cfg->bank_count; b++)
			cfg->near[a][b] = (uint16_t)(0x100 +
				0x202 * banks_near(cfg, a, b));
}

/* Out of its place a slot goes to the end of the queue's slots. */
static void config_take(struct dram_config *cfg)
{
	uint32_t at, i;

	for (at = 0; at <= DRAM_MAX_QUEUE; at++)
		for (i = 0; i < DRAM_MAX_QUEUE; i++)
			cfg->take[at][i] =
				(uint8_t)(i + (i >= at && i < cfg->queue));
	for (at = 0; at < cfg->queue; at++)
		cfg->take[at][cfg->queue - 1] = (uint8_t)at;
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
	for (i = 0; i < cfg->ranks; i++)
		cfg->rank_mask[i] = bits_from(i * cfg->banks, cfg->banks);
	for (i = 0; i < cfg->bank_count; i++)
		cfg->rank_of[i] = (uint8_t)(i / cfg->banks);
	cfg->drain_min = (uint32_t)dram_min(cfg->trans, DRAM_WRITE_LOW + 1);
	cfg->shape = config_shape(cfg);
	config_delays(cfg);
	config_near(cfg);
	config_take(cfg);
	config_refresh(spec, cfg);
	config_bank_of(cfg);
	cfg->row_pos = cfg->map.shift + cfg->map.pos[PPIM_RO];
	cfg->row_bits = (1u << cfg->map.width[PPIM_RO]) - 1;
}

static void trans_init(struct dram_trans *q)
{
	uint32_t i;

	memset(q->bank, DRAM_NO_ENTRY, sizeof(q->bank));
	for (i = 0; i < DRAM_MAX_NODES; i++)
		q->slot[i] = (uint8_t)i;
}

static void channel_init(const struct dram_config *cfg,
			 struct dram_channel *ch)
{
	uint32_t b, i;

	ch->refresh_next = cfg->refresh_interval;
	ch->t_rare = dram_min(ch->refresh_next, DRAM_BASE_AGE);
	ch->t_next = ch->t_rare;
	ch->room = bits_from(0, cfg->bank_count);
	trans_init(&ch->rd);
	trans_init(&ch->wr);
	for (b = 0; b < cfg->bank_count; b++) {
		ch->bank.row[b] = DRAM_NO_ROW;
		for (i = 0; i < DRAM_MAX_QUEUE; i++)
			ch->bank.order[b][i] = (uint8_t)i;
	}
}

/* Zeroed, and aligned as lanes are. */
static void *dram_alloc(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	return p ? memset(p, 0, bytes) : NULL;
}

const struct dram_sched *const dram_scheds[DRAM_SCHEDS] = {
#ifdef __x86_64__
	&dram_sched_avx512,
	&dram_sched_avx2,
#endif
	&dram_sched_plain,
};

static const struct dram_sched *dram_sched_best(void)
{
	const struct dram_sched *const *s = dram_scheds;

	while (!(*s)->usable())
		s++;
	return *s;
}

int ppim_dram_create(const struct ppim_spec *spec, uint32_t inject,
		     struct ppim_dram **out, struct ppim_diag *diag)
{
	struct ppim_dram *m;
	uint32_t i;
	int err = dram_supports(spec, diag);

	if (err)
		return err;
	m = dram_alloc(sizeof(*m) + spec->channels * sizeof(m->ch[0]));
	if (!m) {
		if (diag)
			snprintf(diag->msg, sizeof(diag->msg),
				 "%s: no memory for %u channels", spec->name,
				 spec->channels);
		return -ENOMEM;
	}
	m->spec = *spec;
	m->inject = inject ? inject : UINT32_MAX;
	m->sched = dram_sched_best();
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

/* ---- time that passes without work ---------------------------------------- */

static bool channel_idle(const struct dram_config *cfg,
			 const struct dram_channel *ch)
{
	return !ch->queued && !ch->rd.n && !ch->draining &&
	       !dram_drain_due(cfg, ch);
}

/*
 * Goes to the last clock up to `until` from which on all is as if the refreshes
 * before had been issued one by one: whole rounds of them, each at the clock at
 * which it is due, as all rows are closed.
 */
static bool channel_skip(const struct dram_config *cfg, struct dram_channel *ch,
			 uint64_t until)
{
	uint64_t round = cfg->refresh_interval * cfg->refresh_units, rounds;
	enum ppim_dram_cmd cmd = cfg->refresh_banks ? PPIM_CMD_REFB :
						      PPIM_CMD_REF;

	if (!channel_idle(cfg, ch))
		return false;
	if (cfg->refresh_interval == DRAM_NEVER) {
		ch->t_next = until;
		return true;
	}
	if (ch->open || ch->refresh_due || ch->refresh_next > until)
		return false;
	rounds = (until - ch->refresh_next) / round;
	ch->refresh_next += rounds * round;
	ch->n.cmds[cmd] += rounds * cfg->refresh_units * cfg->refresh_burst;
	ch->t_next = ch->refresh_next;
	return true;
}

/* Two rounds of refreshes are made before and one after what is skipped. */
void dram_run_long(struct ppim_dram *m, struct dram_channel *ch, uint64_t until)
{
	uint64_t gap = m->cfg.skip_gap;

	if (m->observe)
		return;
	while (ch->t_next <= until && until - ch->t_next > gap) {
		m->sched->run(m, ch, ch->t_next + gap / 2);
		if (ch->t_next <= until - gap / 4 &&
		    channel_skip(&m->cfg, ch, until - gap / 4))
			break;
	}
}

static void channel_run(struct ppim_dram *m, struct dram_channel *ch,
			uint64_t until)
{
	if (until - ch->t_next > m->cfg.skip_gap)
		dram_run_long(m, ch, until);
	if (ch->t_next <= until)
		m->sched->run(m, ch, until);
}

void ppim_dram_submit(struct ppim_dram *m, const struct ppim_dram_req *reqs,
		      size_t n)
{
	m->sched->submit(m, reqs, n);
}

static uint64_t channel_end(const struct dram_channel *ch)
{
	return dram_max(ch->last_read, ch->last_write);
}

uint64_t ppim_dram_drain(struct ppim_dram *m)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < m->cfg.channels; i++) {
		struct dram_channel *ch = &m->ch[i];

		while (ch->reads_pending)
			m->sched->run(m, ch, ch->t_next);
		end = dram_max(end, channel_end(ch));
	}
	if (end > m->now) {
		m->now = end;
		m->injected = 0;
	}
	for (i = 0; i < m->cfg.channels; i++)
		if (m->ch[i].t_next <= m->now)
			channel_run(m, &m->ch[i], m->now);
	return end;
}

/* ---- results ------------------------------------------------------------ */

static uint64_t channel_active(const struct dram_config *cfg,
			       const struct dram_channel *ch, uint64_t now)
{
	uint64_t sum = ch->n.active_clocks;
	uint32_t r;

	for (r = 0; r < cfg->ranks; r++)
		if (ch->open & cfg->rank_mask[r] &&
		    now > ch->rank.open_since[r])
			sum += now - ch->rank.open_since[r];
	return sum;
}

void ppim_dram_stats(const struct ppim_dram *m, struct ppim_dram_stats *out)
{
	uint32_t i, k;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < m->cfg.channels; i++) {
		const struct dram_channel *ch = &m->ch[i];

		out->reads += ch->reads - ch->reads_pending;
		out->writes += ch->n.writes;
		out->end = dram_max(out->end, channel_end(ch));
		out->read_latency += ch->read_latency;
		out->row_hits += ch->n.row_hits;
		out->joined_reads += ch->n.joined_reads;
		out->forwarded_reads += ch->n.forwarded_reads;
		out->merged_writes += ch->n.merged_writes;
		out->dual_cmds += ch->n.dual_cmds;
		for (k = 0; k < PPIM_CMD_COUNT; k++)
			out->cmds[k] += ch->n.cmds[k];
		out->active_clocks += channel_active(&m->cfg, ch, m->now);
	}
	out->rank_clocks = m->now * m->cfg.channels * m->cfg.ranks;
}

void ppim_dram_observe(struct ppim_dram *m, ppim_dram_observe_fn *fn, void *arg)
{
	m->observe = fn;
	m->observe_arg = arg;
}
