// SPDX-License-Identifier: MIT
#include "pim_energy.h"
#include "ppim-engine/dram.h"

static uint64_t energy_fj(const struct ppim_energy_model *m,
			  enum ppim_energy_class class, double pj)
{
	return m->missing & 1u << class ? 0 : (uint64_t)(pj * 1e3 + 0.5);
}

/* pJ in one clock of one rank to uW of all ranks. */
static uint64_t energy_uw(const struct ppim_energy_model *m,
			  enum ppim_energy_class class, double pj,
			  const struct ppim_spec *spec, uint32_t ranks)
{
	double ns = (double)spec->t.tck_fs * 1e-6;

	return energy_fj(m, class, pj / ns * ranks);
}

/* The parts that need a class; standby is charged in either state. */
static uint32_t energy_missing(const struct ppim_energy_model *m,
			       const struct ppim_spec *spec)
{
	static const struct {
		uint8_t class, part;
	} needs[] = {
		{ PPIM_ENERGY_ACT, PPIM_PART_HBM_ACTIVATE },
		{ PPIM_ENERGY_READ, PPIM_PART_HBM_READ },
		{ PPIM_ENERGY_WRITE, PPIM_PART_HBM_WRITE },
		{ PPIM_ENERGY_REFRESH, PPIM_PART_HBM_REFRESH },
		{ PPIM_ENERGY_REFRESH_BANK, PPIM_PART_HBM_REFRESH },
		{ PPIM_ENERGY_ACTIVE, PPIM_PART_HBM_STANDBY },
		{ PPIM_ENERGY_IDLE, PPIM_PART_HBM_STANDBY },
	};
	bool by_bank = spec->refresh == PPIM_REFRESH_BANK_STAGGERED;
	uint32_t missing = m->missing, parts = 0;
	size_t i;

	if (by_bank || spec->refresh == PPIM_REFRESH_NONE)
		missing &= ~(1u << PPIM_ENERGY_REFRESH);
	if (!by_bank)
		missing &= ~(1u << PPIM_ENERGY_REFRESH_BANK);
	for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (missing >> needs[i].class & 1)
			parts |= 1u << needs[i].part;
	return parts;
}

void pim_energy_init(struct pim_mem_energy *e, const struct ppim_spec *spec,
		     uint32_t ranks)
{
	struct ppim_energy_model m;

	ppim_energy_model(spec, &m);
	e->act_fj = energy_fj(&m, PPIM_ENERGY_ACT, m.act_pj);
	e->read_fj = energy_fj(&m, PPIM_ENERGY_READ, m.read_pj);
	e->write_fj = energy_fj(&m, PPIM_ENERGY_WRITE, m.write_pj);
	e->refresh_fj =
		spec->refresh == PPIM_REFRESH_BANK_STAGGERED
			? energy_fj(&m, PPIM_ENERGY_REFRESH_BANK,
				    m.refresh_bank_pj)
			: energy_fj(&m, PPIM_ENERGY_REFRESH, m.refresh_pj);
	e->active_uw =
		energy_uw(&m, PPIM_ENERGY_ACTIVE, m.active_pj, spec, ranks);
	e->idle_uw = energy_uw(&m, PPIM_ENERGY_IDLE, m.idle_pj, spec, ranks);
	e->missing = energy_missing(&m, spec);
	if (e->missing >> PPIM_PART_HBM_STANDBY & 1)
		e->active_uw = e->idle_uw = 0;
}
