/* SPDX-License-Identifier: MIT */
/*
 * The DRAM model's energies in femtojoules per event, so that sums are integers
 * and the same everywhere. A class whose currents the specification lacks is
 * left out.
 */
#ifndef PPIM_PIM_ENERGY_H
#define PPIM_PIM_ENERGY_H

#include "ppim-engine/engine.h"

struct pim_mem_energy {
	uint64_t act_fj; /* one activation with its precharge */
	uint64_t read_fj; /* one burst from the array */
	uint64_t write_fj;
	uint64_t refresh_fj; /* one refresh */
	uint64_t active_uw; /* background of all ranks, rows open */
	uint64_t idle_uw; /* background, all banks precharged */
	uint32_t missing; /* parts left out, 1u << PPIM_PART_HBM_* */
};

struct pim_energy {
	struct pim_mem_energy hbm, dimm;
};

void pim_energy_init(struct pim_mem_energy *e, const struct ppim_spec *spec,
		     uint32_t ranks);

#endif
