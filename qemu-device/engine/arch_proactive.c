// SPDX-License-Identifier: MIT
/*
 * proactive: as bgpim+dup, and R (G1) is prefetched into the SRAM of every
 * bg-PIM before the table is gathered. One broadcast makes each bank group read
 * its own copy; it begins in a bank group as soon as that has read its last row
 * of the table before, so it runs while partial sums drain. The gather reads no
 * R (G1) row that the SRAM holds; sram.h says what is held when not all fits.
 *
 * TT lookups of a phase are grouped by their G2 slice (gather_tt.c): the slice
 * is read once, each product G1 . G2 formed once. G3 is read from the local
 * copy for each lookup.
 *
 * The bd-PIM holds R (G1) too where a phase has cold rows: it takes them from a
 * copy, once, over a channel's bus. G3 of a cold row is read from a copy.
 */
#include "arch.h"

static uint32_t sram_sub(const struct pim_gather *g)
{
	return g->algo == PPIM_ALGO_TT ? PPIM_SUB_G1 : PPIM_SUB_R;
}

static void sram_want(const struct pim_gather *g, struct pim_sram_want *want)
{
	const struct ppim_placed *p = &g->table->sub[sram_sub(g)];

	want->id = g->table->id;
	want->epoch = g->table->epoch;
	want->rows = p->rows;
	want->row_bytes = p->row_bytes;
	want->batch = g->stores->batches;
}

/* Bursts of the first `rows` rows of a copy. */
static uint64_t sram_fill_bursts(const struct pim_gather *g, uint64_t rows)
{
	const struct ppim_placed *p = &g->table->sub[sram_sub(g)];
	uint64_t bytes = (rows - 1) * p->row_stride + p->row_bytes;

	return (bytes + g->x->hbm.burst_bytes - 1) >> g->x->hbm.burst_shift;
}

static void sram_fill_slice(struct pim_gather *g, uint32_t slice, bool self,
			    uint64_t n)
{
	const struct ppim_placed *p = &g->table->sub[sram_sub(g)];
	uint32_t copy = g->scratch->copy[sram_sub(g)][slice];
	struct ppim_pim_cmd cmd = { .device = PPIM_PIM_HBM,
				    .op = PPIM_PIM_PR,
				    .n = n,
				    .bag = PPIM_PIM_NO_BAG,
				    .self = self };

	if (copy == PIM_NIL)
		return;
	cmd.addr = ((uint64_t)slice << g->x->slice_shift) +
		   p->extents[copy].offset;
	pim_gather_emit(g, &cmd);
}

/* One broadcast, if the copies are at the same place of every bank group; else
 * a command for each. */
static void sram_fill(struct pim_gather *g, uint64_t rows)
{
	const struct ppim_placed *p = &g->table->sub[sram_sub(g)];
	const uint32_t *copy = g->scratch->copy[sram_sub(g)];
	uint64_t n = sram_fill_bursts(g, rows);
	uint32_t s, slices = g->x->hbm.n_slices;

	for (s = 0; s < slices; s++)
		if (copy[s] == PIM_NIL ||
		    p->extents[copy[s]].offset != p->extents[copy[0]].offset)
			break;
	if (s == slices) {
		sram_fill_slice(g, 0, false, n);
		return;
	}
	for (s = 0; s < slices; s++)
		sram_fill_slice(g, s, true, n);
}

/* Does any lookup of the job come from the DIMM? */
static bool sram_any_cold(const struct pim_gather *g)
{
	const struct ppim_placed *p = &g->table->sub[g->main];
	uint32_t e;

	for (e = 0; e < p->n_extents; e++)
		if (p->extents[e].tier != PPIM_TIER_HBM && p->extents[e].rows)
			return true;
	return false;
}

static void sram_fill_base(struct pim_gather *g, uint64_t rows)
{
	struct ppim_pim_cmd cmd = { .op = PPIM_PIM_RD,
				    .to = PPIM_PIM_TO_BASE,
				    .bag = PPIM_PIM_NO_BAG };
	struct ppim_row_loc loc;

	pim_gather_any(g, sram_sub(g), 0, &loc);
	pim_gather_at(g, &loc, &cmd);
	cmd.n = sram_fill_bursts(g, rows);
	g->x->sram_bytes += cmd.n * g->x->hbm.burst_bytes;
	pim_gather_emit(g, &cmd);
}

static void sram_table(struct pim_gather *g, bool share)
{
	struct pim_stores *s = g->stores;
	struct pim_sram_want want;
	bool fill;

	if (g->algo == PPIM_ALGO_DENSE)
		return;
	sram_want(g, &want);
	g->held = share ? pim_sram_share(&s->sram, &want, &fill)
			: pim_sram_take(&s->sram, &want, &fill);
	if (fill)
		sram_fill(g, g->held);
	if (!sram_any_cold(g))
		return;
	g->base_held = share ? pim_sram_share(&s->base_sram, &want, &fill)
			     : pim_sram_take(&s->base_sram, &want, &fill);
	if (fill)
		sram_fill_base(g, g->base_held);
}

static void proactive_table(struct pim_gather *g)
{
	sram_table(g, false);
}

static void proactive_all_table(struct pim_gather *g)
{
	sram_table(g, true);
}

static bool sram_base_holds(struct pim_gather *g, uint32_t sub, uint64_t row)
{
	return sub == sram_sub(g) && row < g->base_held;
}

static void sram_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
			 uint32_t slice, uint32_t bag, uint64_t mac)
{
	if (sub == sram_sub(g)) {
		if (row < g->held) {
			g->note->sram_hits++;
			g->x->sram_bytes += g->table->sub[sub].row_bytes;
			return;
		}
		g->note->sram_misses++;
	}
	pim_copy_operand(g, sub, row, slice, bag, mac);
}

const struct pim_preset pim_preset_proactive = {
	.arch = PPIM_ARCH_PROACTIVE,
	.level = PPIM_PIM_TO_BG,
	.link_io = true,
	.table = proactive_table,
	.gather = pim_bg_gather,
	.operand = sram_operand,
	.base_holds = sram_base_holds,
};

/* proactive-all: the SRAM holds the tables side by side and is filled again
 * only when a table's epoch changes. */
const struct pim_preset pim_preset_proactive_all = {
	.arch = PPIM_ARCH_PROACTIVE_ALL,
	.level = PPIM_PIM_TO_BG,
	.link_io = true,
	.table = proactive_all_table,
	.gather = pim_bg_gather,
	.operand = sram_operand,
	.base_holds = sram_base_holds,
};
