// SPDX-License-Identifier: MIT
/*
 * bgpim: a unit at each bank group, nothing duplicated. A lookup runs where its
 * Q row (G2 slice) is; R (G1, G3) comes from its home, and if that is another
 * bank group the host carries it: read there, written here. Copies that the
 * placement may have are ignored, the home is one of them (gather.c).
 *
 * The operand lands in the last row of the bank next to the one that the
 * lookup reads: the two accesses do not close each other's row.
 *
 * A cold row comes from the DIMM to the base die, where the
 * bd-PIM combines it with operands that it reads from their homes over the
 * channels' buses.
 */
#include "arch.h"

static uint64_t bgpim_staging(const struct pim_gather *g, uint32_t slice,
			      uint64_t main_offset)
{
	const struct pim_mem *m = &g->x->hbm;
	uint64_t bank = (main_offset >> m->row_shift) + 1;
	uint64_t last = m->slice_bytes - ((uint64_t)m->banks << m->row_shift);

	return ((uint64_t)slice << g->x->slice_shift) + last +
	       ((bank & (m->banks - 1)) << m->row_shift);
}

void pim_move_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint32_t slice, uint32_t bag, uint64_t mac)
{
	struct ppim_pim_cmd cmd = { .op = PPIM_PIM_DR,
				    .bag = bag,
				    .mac = mac,
				    .dst_device = PPIM_PIM_HBM };
	struct ppim_row_loc loc;

	pim_gather_home(g, sub, row, &loc);
	if (loc.tier == PPIM_TIER_HBM && loc.slice == slice) {
		pim_gather_read(g, sub, &loc, PPIM_PIM_TO_BG, bag, mac);
		return;
	}
	cmd.to = PPIM_PIM_TO_BG;
	cmd.dst = bgpim_staging(g, slice, g->main_offset);
	cmd.n = pim_gather_bursts(g, sub, &loc);
	pim_gather_at(g, &loc, &cmd);
	pim_gather_emit(g, &cmd);
}

void pim_base_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint64_t mac)
{
	struct ppim_row_loc loc;

	if (g->preset->base_holds && g->preset->base_holds(g, sub, row)) {
		g->x->sram_bytes += g->table->sub[sub].row_bytes;
		return;
	}
	if (g->preset->operand == pim_move_operand)
		pim_gather_home(g, sub, row, &loc);
	else
		pim_gather_any(g, sub, row, &loc);
	pim_gather_read(g, sub, &loc, PPIM_PIM_TO_BASE, PPIM_PIM_NO_BAG, mac);
}

void pim_bg_cold(struct pim_gather *g, const struct pim_lookup *l,
		 const struct ppim_row_loc *main)
{
	uint32_t k;

	for (k = 0; k < g->n_sub; k++)
		if (k != g->main)
			pim_base_operand(g, k, l->row[k], 0);
	pim_gather_read(g, g->main, main, PPIM_PIM_TO_BASE, PPIM_PIM_NO_BAG,
			g->product_mac + g->row_mac);
}

/* Operands first, then the row that they are combined with. */
static void bg_lookup(struct pim_gather *g, const struct pim_lookup *l)
{
	struct ppim_row_loc loc;
	uint32_t k;

	pim_gather_home(g, g->main, l->row[g->main], &loc);
	if (loc.tier != PPIM_TIER_HBM) {
		pim_bg_cold(g, l, &loc);
		return;
	}
	g->main_offset = loc.offset;
	for (k = 0; k < g->n_sub; k++)
		if (k != g->main)
			g->preset->operand(g, k, l->row[k], loc.slice,
					   PPIM_PIM_NO_BAG, 0);
	pim_gather_read(g, g->main, &loc, PPIM_PIM_TO_BG, l->bag,
			g->product_mac + g->row_mac);
}

void pim_bg_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	const int64_t *indices = g->job->indices;
	struct pim_lookup l;
	uint32_t b, i;

	if (g->algo == PPIM_ALGO_TT &&
	    g->x->params.tt_group > (g->preset->table ? 0u : 1u)) {
		pim_tt_gather(g, first, end);
		return;
	}
	for (b = first; b < end; b++) {
		l.bag = b - first;
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++)
			if (pim_gather_lookup(g, indices[i], &l))
				bg_lookup(g, &l);
		pim_gather_transfer(g, l.bag);
	}
}

const struct pim_preset pim_preset_bgpim = {
	.arch = PPIM_ARCH_BGPIM,
	.level = PPIM_PIM_TO_BG,
	.link_io = true,
	.gather = pim_bg_gather,
	.operand = pim_move_operand,
};
