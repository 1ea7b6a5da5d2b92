/* SPDX-License-Identifier: MIT */
/* Energy of the PIM model in reports: by part, and what is not known of it. */
#ifndef PPIM_SIM_ENERGY_H
#define PPIM_SIM_ENERGY_H

#include <jansson.h>
#include "ppim-engine/engine.h"

/* A sum over batches. */
struct sim_energy {
	uint64_t pj[PPIM_PART_COUNT];
};

/* Adds the engine's last batch. */
void sim_energy_add(struct sim_energy *sum, const struct ppim_engine *engine);

/* Without a supply voltage nothing of a memory's energy is known, so that a sum
 * with it would mean nothing. */
bool sim_energy_known(const struct ppim_engine_config *config);

/* "energy" by part, "energy_missing" with the names of parts that are left out;
 * "energy_pj" becomes null if it is not known. */
void sim_energy_json(json_t *o, const struct sim_energy *sum,
		     const struct ppim_engine_config *config,
		     const struct ppim_engine *engine);
/* A line on stdout for each part that is more than nothing. */
void sim_energy_print_parts(const struct sim_energy *sum);
/* One line on stdout with the parts that are left out, if there are any. */
void sim_energy_print_missing(const struct ppim_engine *engine);

#endif
