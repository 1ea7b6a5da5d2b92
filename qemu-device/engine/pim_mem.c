// SPDX-License-Identifier: MIT
/* One memory's constants, address maps, refresh and state. */
#include <errno.h>
#include <stdlib.h>
#include "pim_mem.h"

/* Clocks to ticks; a tick divides the clock. */
static uint64_t mem_ticks(const struct pim_mem *m, uint64_t clocks)
{
	return clocks * m->t.tck;
}

static void mem_set_timing(struct pim_mem *m, const struct ppim_spec *spec,
			   uint64_t unit_fs)
{
	const struct ppim_timing *t = &spec->t;

	m->t.tck = t->tck_fs / unit_fs;
	m->t.trcd = mem_ticks(m, t->trcd_rd);
	m->t.trp = mem_ticks(m, t->trp);
	m->t.tras = mem_ticks(m, t->tras);
	m->t.trc = mem_ticks(m, t->trc);
	m->t.rd_pre = mem_ticks(m, t->trtp);
	m->t.wr_pre = mem_ticks(m, (uint64_t)t->cwl + t->burst + t->twr);
	m->t.cl = mem_ticks(m, t->cl);
	m->t.burst = mem_ticks(m, t->burst);
	m->t.tccd = mem_ticks(m, pim_max(t->tccd_l, t->burst));
	m->t.bus = mem_ticks(m, pim_max(t->tccd_s, t->burst));
	m->t.trrd_s = mem_ticks(m, t->trrd_s);
	m->t.trrd_l = mem_ticks(m, t->trrd_l);
	m->t.tfaw = mem_ticks(m, t->tfaw);
	m->t.by_bank = spec->refresh == PPIM_REFRESH_BANK_STAGGERED;
	m->t.trfc = mem_ticks(m, m->t.by_bank ? t->trfcb : t->trfc);
	m->t.trefi = mem_ticks(m, m->t.by_bank ? t->trefib : t->trefi);
}

static uint32_t mem_log2(uint64_t v)
{
	uint32_t bits = 0;

	while (1ull << bits < v)
		bits++;
	return bits;
}

/* The specification's map with our numbers of channels and rows: field by
 * field from the least significant one on. */
static void mem_set_map(struct pim_mem *m, const struct ppim_spec *spec)
{
	const uint32_t count[PPIM_FIELD_COUNT] = {
		[PPIM_CH] = m->channels,
		[PPIM_RA] = m->ranks,
		[PPIM_BG] = m->bankgroups,
		[PPIM_BA] = m->banks,
		[PPIM_RO] = m->rows,
		[PPIM_CO] = m->row_bytes / m->burst_bytes,
	};
	bool done[PPIM_FIELD_COUNT] = { false };
	int order, f, low = PPIM_CH;
	uint8_t pos = 0;

	for (order = 0; order < PPIM_FIELD_COUNT; order++) {
		low = -1;
		for (f = 0; f < PPIM_FIELD_COUNT; f++)
			if (!done[f] &&
			    (low < 0 || spec->map.pos[f] < spec->map.pos[low] ||
			     (spec->map.pos[f] == spec->map.pos[low] &&
			      spec->map.width[f] < spec->map.width[low])))
				low = f;
		done[low] = true;
		m->map.pos[low] = pos;
		m->map.width[low] = (uint8_t)mem_log2(count[low]);
		pos = (uint8_t)(pos + m->map.width[low]);
	}
	m->map.shift = (uint8_t)m->burst_shift;
	m->map.run = m->map.pos[PPIM_CO] ? 1 : count[PPIM_CO];
}

static int mem_alloc(struct pim_mem *m)
{
	m->bank = calloc((size_t)m->n_slices * m->banks, sizeof(*m->bank));
	m->slice = calloc(m->n_slices, sizeof(*m->slice));
	m->rank = calloc(m->n_ranks, sizeof(*m->rank));
	m->chan = calloc(m->channels, sizeof(*m->chan));
	m->starts = calloc((size_t)m->n_slices * m->window, sizeof(uint64_t));
	m->macs = calloc((size_t)m->n_slices * m->operands, sizeof(uint64_t));
	if (!m->bank || !m->slice || !m->rank || !m->chan || !m->starts ||
	    !m->macs)
		return -ENOMEM;
	return 0;
}

static int mem_set_geometry(struct pim_mem *m, const struct ppim_spec *spec,
			    uint64_t bytes, struct ppim_diag *diag)
{
	uint64_t banks, rows;

	m->ranks = spec->ranks;
	m->bankgroups = spec->bankgroups;
	m->banks = spec->banks_per_group;
	m->n_ranks = m->channels * m->ranks;
	m->n_slices = m->n_ranks * m->bankgroups;
	m->burst_bytes = spec->burst_bytes;
	m->row_bytes = spec->row_bytes;
	m->burst_shift = mem_log2(m->burst_bytes);
	m->row_shift = mem_log2(m->row_bytes);
	m->bank_shift = mem_log2(m->banks);
	banks = (uint64_t)m->n_slices * m->banks;
	rows = (bytes + banks * m->row_bytes - 1) / (banks * m->row_bytes);
	if (1u << m->burst_shift != m->burst_bytes ||
	    1u << m->row_shift != m->row_bytes ||
	    1u << m->bank_shift != m->banks ||
	    1u << mem_log2(m->channels) != m->channels)
		return engine_fail(diag, -EINVAL,
				   "%s: channels %u, banks %u, row %u B, burst "
				   "%u B: each has to be a power of two",
				   spec->name, m->channels, m->banks,
				   m->row_bytes, m->burst_bytes);
	if (m->row_bytes < m->burst_bytes)
		return engine_fail(diag, -EINVAL,
				   "%s: a row of %u B is less than a burst of "
				   "%u B",
				   spec->name, m->row_bytes, m->burst_bytes);
	if (rows >= PIM_ROW_NONE)
		return engine_fail(diag, -EINVAL,
				   "%s: %llu bytes are more rows than a bank "
				   "can have",
				   spec->name, (unsigned long long)bytes);
	m->rows = rows ? (uint32_t)rows : 1;
	m->slice_bytes = bytes / m->n_slices;
	return 0;
}

int pim_mem_init(struct pim_mem *m, const struct ppim_spec *spec,
		 uint32_t channels, uint64_t bytes, uint64_t unit_fs,
		 uint32_t window, uint32_t operands, struct ppim_diag *diag)
{
	int err;

	memset(m, 0, sizeof(*m));
	m->channels = channels;
	m->window = window;
	m->operands = operands;
	err = mem_set_geometry(m, spec, bytes, diag);
	if (err)
		return err;
	mem_set_timing(m, spec, unit_fs);
	mem_set_map(m, spec);
	if (mem_alloc(m)) {
		pim_mem_free(m);
		return engine_fail(diag, -ENOMEM,
				   "no memory for the banks of "
				   "%s",
				   spec->name);
	}
	pim_mem_reset(m, spec);
	return 0;
}

void pim_mem_free(struct pim_mem *m)
{
	free(m->bank);
	free(m->slice);
	free(m->rank);
	free(m->chan);
	free(m->starts);
	free(m->macs);
	memset(m, 0, sizeof(*m));
}

/* First refresh of rank r of its channel: ranks take turns when staggered. */
static uint64_t mem_first_refresh(const struct pim_mem *m,
				  const struct ppim_spec *spec, uint32_t r)
{
	if (spec->refresh == PPIM_REFRESH_NONE || !m->t.trefi)
		return PIM_NEVER;
	if (spec->refresh != PPIM_REFRESH_RANK_STAGGERED)
		return m->t.trefi;
	return mem_ticks(m, (uint64_t)spec->t.trefi * (r + 1) / m->ranks);
}

void pim_mem_empty(struct pim_mem *m)
{
	uint32_t s, q;

	for (s = 0; s < m->n_slices; s++)
		for (q = 0; q < PIM_QUEUES; q++)
			m->slice[s].head[q] = m->slice[s].tail[q] = PIM_NIL;
}

void pim_mem_reset(struct pim_mem *m, const struct ppim_spec *spec)
{
	size_t banks = (size_t)m->n_slices * m->banks;
	uint32_t r, s;
	size_t b;

	memset(m->bank, 0, banks * sizeof(*m->bank));
	memset(m->slice, 0, m->n_slices * sizeof(*m->slice));
	memset(m->rank, 0, m->n_ranks * sizeof(*m->rank));
	memset(m->chan, 0, m->channels * sizeof(*m->chan));
	memset(m->starts, 0,
	       (size_t)m->n_slices * m->window * sizeof(uint64_t));
	memset(m->macs, 0,
	       (size_t)m->n_slices * m->operands * sizeof(uint64_t));
	for (s = 0; s < m->n_slices; s++) {
		m->slice[s].rank = s / m->bankgroups;
		m->slice[s].chan = s / (m->ranks * m->bankgroups);
	}
	for (b = 0; b < banks; b++)
		m->bank[b].row = PIM_ROW_NONE;
	for (r = 0; r < m->n_ranks; r++)
		m->rank[r].ref_due = mem_first_refresh(m, spec, r % m->ranks);
	pim_mem_empty(m);
	memset(&m->stats, 0, sizeof(m->stats));
}

void pim_mem_phase(struct pim_mem *m)
{
	size_t banks = (size_t)m->n_slices * m->banks;
	uint32_t i;
	size_t b;

	for (b = 0; b < banks; b++)
		m->bank[b].acts = 0;
	for (i = 0; i < m->n_slices; i++)
		m->slice[i].col_busy = m->slice[i].mac_busy = 0;
	for (i = 0; i < m->n_ranks; i++)
		m->rank[i].acts = m->rank[i].bus_busy = 0;
	for (i = 0; i < m->channels; i++) {
		struct pim_chan *c = &m->chan[i];

		c->bus_busy = c->phy_busy = c->mac_busy = 0;
		c->row_busy = c->col_cmd_busy = 0;
	}
}

static uint64_t mem_most_acts(const struct pim_mem *m)
{
	size_t banks = (size_t)m->n_slices * m->banks, b;
	uint64_t most = 0;
	uint32_t i, acts = 0;

	for (b = 0; b < banks; b++)
		acts = m->bank[b].acts > acts ? m->bank[b].acts : acts;
	for (i = 0; i < m->n_ranks; i++)
		most = pim_max(most, m->rank[i].acts);
	return pim_max(acts * m->t.trc, most * m->t.tfaw / 4);
}

void pim_mem_busiest(const struct pim_mem *m, struct pim_busy *busy)
{
	uint32_t i;

	memset(busy, 0, sizeof(*busy));
	busy->acts = mem_most_acts(m);
	for (i = 0; i < m->n_slices; i++) {
		busy->cols = pim_max(busy->cols, m->slice[i].col_busy);
		busy->macs = pim_max(busy->macs, m->slice[i].mac_busy);
	}
	for (i = 0; i < m->n_ranks; i++)
		busy->bus = pim_max(busy->bus, m->rank[i].bus_busy);
	for (i = 0; i < m->channels; i++) {
		const struct pim_chan *c = &m->chan[i];

		busy->bus = pim_max(busy->bus, c->bus_busy);
		busy->bus = pim_max(busy->bus, c->phy_busy);
		busy->macs = pim_max(busy->macs, c->mac_busy);
		busy->cmds = pim_max(busy->cmds, c->row_busy);
		busy->cmds = pim_max(busy->cmds, c->col_cmd_busy);
	}
}

void pim_mem_decode(const struct pim_mem *m, uint64_t addr, struct pim_where *w)
{
	const struct pim_map *map = &m->map;
	uint64_t bits = addr >> map->shift;
	uint32_t f[PPIM_FIELD_COUNT];
	int i;

	for (i = 0; i < PPIM_FIELD_COUNT; i++)
		f[i] = (uint32_t)(bits >> map->pos[i]) &
		       (uint32_t)((1ull << map->width[i]) - 1);
	w->slice = (f[PPIM_CH] * m->ranks + f[PPIM_RA]) * m->bankgroups +
		   f[PPIM_BG];
	w->bank = f[PPIM_BA];
	w->row = f[PPIM_RO];
	w->bursts = map->run > 1 ? map->run - f[PPIM_CO] : 1;
}

/* ---- refresh ------------------------------------------------------------ */

/* One bank is precharged and refreshed, not before `due`. */
static uint64_t mem_refresh_bank(struct pim_mem *m, struct pim_bank *b,
				 uint64_t due)
{
	b->act_ready = pim_max(due, b->act_ready) + m->t.trfc;
	b->row = PIM_ROW_NONE;
	return b->act_ready;
}

static struct pim_bank *mem_rank_bank(struct pim_mem *m, uint32_t rank,
				      uint32_t i)
{
	return &m->bank[(size_t)rank * m->bankgroups * m->banks + i];
}

/* All banks start together, when the last of them is precharged. */
static void mem_refresh_rank(struct pim_mem *m, uint32_t rank, uint64_t due)
{
	uint32_t n = m->bankgroups * m->banks, i;
	uint64_t start = due;

	for (i = 0; i < n; i++)
		start = pim_max(start, mem_rank_bank(m, rank, i)->act_ready);
	for (i = 0; i < n; i++)
		mem_refresh_bank(m, mem_rank_bank(m, rank, i), start);
}

void pim_mem_refresh(struct pim_mem *m, uint32_t rank, uint64_t now)
{
	uint32_t banks = m->bankgroups * m->banks;
	uint32_t turn = m->t.by_bank ? banks : 1;
	struct pim_rank *r = &m->rank[rank];
	uint64_t due, skip;

	/* of a long idle time only the last turn leaves a trace */
	due = (now - r->ref_due) / m->t.trefi + 1;
	skip = due > turn ? (due - turn) : 0;
	r->ref_due += skip * m->t.trefi;
	if (m->t.by_bank)
		r->ref_bank = (uint32_t)((r->ref_bank + skip) % banks);
	for (; r->ref_due <= now; r->ref_due += m->t.trefi) {
		if (!m->t.by_bank) {
			mem_refresh_rank(m, rank, r->ref_due);
			continue;
		}
		mem_refresh_bank(m, mem_rank_bank(m, rank, r->ref_bank),
				 r->ref_due);
		r->ref_bank = (r->ref_bank + 1) % banks;
	}
}

/* Multiples of `every` from `phase` on, up to t. */
static uint64_t mem_due_until(uint64_t phase, uint64_t every, uint64_t t)
{
	return t < phase ? 0 : (t - phase) / every + 1;
}

uint64_t pim_mem_refreshes(const struct pim_mem *m, uint64_t from, uint64_t to)
{
	uint64_t every = m->t.trefi, phase, n = 0;
	uint32_t i;

	for (i = 0; i < m->n_ranks; i++) {
		if (m->rank[i].ref_due == PIM_NEVER)
			continue;
		phase = m->rank[i].ref_due % every;
		n += mem_due_until(phase, every, to) -
		     mem_due_until(phase, every, from);
	}
	return n;
}

/* ---- state -------------------------------------------------------------- */

static void mem_walk_slice(struct pim_mem *m, struct pim_io *io, uint32_t s)
{
	struct pim_slice *slice = &m->slice[s];
	uint32_t i;

	pim_io_time(io, &slice->col_free);
	pim_io_time(io, &slice->mac_free);
	pim_io_time(io, &slice->act_next);
	pim_io_time(io, &slice->drained[0]);
	pim_io_time(io, &slice->drained[1]);
	pim_io_time(io, &slice->drained[2]);
	pim_io_u32(io, &slice->starts_pos, m->window - 1);
	pim_io_u32(io, &slice->macs_pos, m->operands - 1);
	for (i = 0; i < m->window; i++)
		pim_io_time(io, &m->starts[(size_t)s * m->window + i]);
	for (i = 0; i < m->operands; i++)
		pim_io_time(io, &m->macs[(size_t)s * m->operands + i]);
}

static void mem_walk_bank(struct pim_mem *m, struct pim_io *io,
			  struct pim_bank *b)
{
	/* 0: closed, else row + 1 */
	uint32_t row = b->row == PIM_ROW_NONE ? 0 : b->row + 1;

	pim_io_time(io, &b->act_ready);
	pim_io_time(io, &b->col_ready);
	pim_io_u32(io, &row, m->rows);
	if (io->mode == PIM_IO_LOAD)
		b->row = row ? row - 1 : PIM_ROW_NONE;
}

static void mem_walk_rank(struct pim_mem *m, struct pim_io *io,
			  struct pim_rank *r)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(r->faw); i++)
		pim_io_time(io, &r->faw[i]);
	pim_io_time(io, &r->last_act);
	pim_io_time(io, &r->act_next);
	pim_io_time(io, &r->bus_free);
	if (r->ref_due != PIM_NEVER)
		pim_io_time(io, &r->ref_due);
	pim_io_u32(io, &r->faw_pos, ARRAY_SIZE(r->faw) - 1);
	pim_io_u32(io, &r->ref_bank, m->bankgroups * m->banks - 1);
}

void pim_mem_walk(struct pim_mem *m, struct pim_io *io)
{
	size_t banks = (size_t)m->n_slices * m->banks, b;
	uint32_t i;

	for (b = 0; b < banks; b++)
		mem_walk_bank(m, io, &m->bank[b]);
	for (i = 0; i < m->n_slices; i++)
		mem_walk_slice(m, io, i);
	for (i = 0; i < m->n_ranks; i++)
		mem_walk_rank(m, io, &m->rank[i]);
	for (i = 0; i < m->channels; i++) {
		pim_io_time(io, &m->chan[i].bus_free);
		pim_io_time(io, &m->chan[i].phy_free);
		pim_io_time(io, &m->chan[i].row_cmd);
		pim_io_time(io, &m->chan[i].col_cmd);
		pim_io_time(io, &m->chan[i].mac_free);
	}
}
