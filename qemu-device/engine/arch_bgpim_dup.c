// SPDX-License-Identifier: MIT
/*
 * bgpim+dup: as bgpim, but every bank group reads R (G1, G3) from its own copy.
 * No operand is moved. For a cold row the bd-PIM reads a copy, in turn from all
 * bank groups, over the channels' buses.
 */
#include "arch.h"

void pim_copy_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint32_t slice, uint32_t bag, uint64_t mac)
{
	struct ppim_row_loc loc;

	pim_gather_copy(g, sub, row, slice, &loc);
	pim_gather_read(g, sub, &loc, PPIM_PIM_TO_BG, bag, mac);
}

const struct pim_preset pim_preset_bgpim_dup = {
	.arch = PPIM_ARCH_BGPIM_DUP,
	.level = PPIM_PIM_TO_BG,
	.link_io = true,
	.gather = pim_bg_gather,
	.operand = pim_copy_operand,
};
