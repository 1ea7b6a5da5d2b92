// SPDX-License-Identifier: MIT
#include <stdio.h>
#include "sim_energy.h"

void sim_energy_add(struct sim_energy *sum, const struct ppim_engine *engine)
{
	uint64_t pj[PPIM_PART_COUNT];
	uint32_t i;

	ppim_engine_energy(engine, pj);
	for (i = 0; i < PPIM_PART_COUNT; i++)
		sum->pj[i] += pj[i];
}

bool sim_energy_known(const struct ppim_engine_config *config)
{
	return config->hbm->power.vdd_present &&
	       (!config->dimm_bytes || config->dimm->power.vdd_present);
}

void sim_energy_json(json_t *o, const struct sim_energy *sum,
		     const struct ppim_engine_config *config,
		     const struct ppim_engine *engine)
{
	uint32_t missing = ppim_engine_energy_missing(engine), i;
	json_t *parts = json_object(), *names = json_array();

	for (i = 0; i < PPIM_PART_COUNT; i++) {
		const char *name = ppim_engine_part_name(i);

		if (missing >> i & 1)
			json_array_append_new(names, json_string(name));
		else
			json_object_set_new(
				parts, name,
				json_integer((json_int_t)sum->pj[i]));
	}
	if (!sim_energy_known(config))
		json_object_set_new(o, "energy_pj", json_null());
	json_object_set_new(o, "energy", parts);
	json_object_set_new(o, "energy_missing", names);
}

void sim_energy_print_parts(const struct sim_energy *sum)
{
	uint32_t i;

	for (i = 0; i < PPIM_PART_COUNT; i++)
		if (sum->pj[i])
			printf("  %-16s %llu\n", ppim_engine_part_name(i),
			       (unsigned long long)sum->pj[i]);
}

void sim_energy_print_missing(const struct ppim_engine *engine)
{
	uint32_t missing = ppim_engine_energy_missing(engine), i;

	if (!missing)
		return;
	printf("energy leaves out, as a specification lacks currents:");
	for (i = 0; i < PPIM_PART_COUNT; i++)
		if (missing >> i & 1)
			printf(" %s", ppim_engine_part_name(i));
	putchar('\n');
}
