// SPDX-License-Identifier: MIT
/*
 * space (after SPACE, Kal et al., 2021): PIM on the base die only, HBM beside
 * DIMM. Every row of a lookup crosses its channel's bus to the base die; R (G1,
 * G3) comes from its home, copies are not used. A cold row comes from the DIMM
 * over the host and meets its R on the base die. SPACE's sums of hot pairs,
 * which need a profile of pairs, are not modelled.
 */
#include "arch.h"

static void space_lookup(struct pim_gather *g, const struct pim_lookup *l)
{
	struct ppim_row_loc loc;
	uint32_t k;

	for (k = 0; k < g->n_sub; k++) {
		pim_gather_home(g, k, l->row[k], &loc);
		pim_gather_read(g, k, &loc, PPIM_PIM_TO_BASE, PPIM_PIM_NO_BAG,
				k == g->main ? g->product_mac + g->row_mac : 0);
	}
}

static void space_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	struct pim_lookup l;
	uint32_t b, i;

	for (b = first; b < end; b++)
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++)
			if (pim_gather_lookup(g, g->job->indices[i], &l))
				space_lookup(g, &l);
}

const struct pim_preset pim_preset_space = {
	.arch = PPIM_ARCH_SPACE,
	.level = PPIM_PIM_TO_BASE,
	.link_io = true,
	.gather = space_gather,
};
