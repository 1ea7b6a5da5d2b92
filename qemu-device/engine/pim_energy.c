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
}
