// SPDX-License-Identifier: MIT
#include "pim_energy.h"

/* Current of one device in mA above another state's, 0 if not stated. */
static double energy_over(const struct ppim_power *p, enum ppim_idd i,
			  enum ppim_idd base)
{
	uint32_t need = 1u << i | 1u << base;
	double ma = p->idd_ma[i] - p->idd_ma[base];

	return (p->present & need) == need && ma > 0 ? ma : 0;
}

/* mA x V x ns is pJ; here mA x V x fs for all devices of a rank, in fJ. */
static uint64_t energy_fj(const struct ppim_spec *spec, double ma,
			  double clocks)
{
	double ns = clocks * (double)spec->t.tck_fs * 1e-6;

	return (uint64_t)(ma * spec->power.vdd * ns * 1e3 *
				  spec->devices_per_rank + 0.5);
}

/* IDD0 is the mean over tRC of a row that is open for tRAS: what it takes
 * beyond the standby currents of the two parts is the activation's. */
static double energy_act_ma_clocks(const struct ppim_spec *spec)
{
	const struct ppim_power *p = &spec->power;
	const uint32_t need = 1u << PPIM_IDD0 | 1u << PPIM_IDD3N |
			      1u << PPIM_IDD2N;
	double open = spec->t.tras, closed = (double)spec->t.trc - open, ma;

	if ((p->present & need) != need)
		return 0;
	ma = p->idd_ma[PPIM_IDD0] * spec->t.trc -
	     p->idd_ma[PPIM_IDD3N] * open - p->idd_ma[PPIM_IDD2N] * closed;
	if (p->present & 1u << PPIM_IPP0 && p->vdd > 0)
		ma += p->idd_ma[PPIM_IPP0] * spec->t.trc * p->vpp / p->vdd;
	return ma > 0 ? ma : 0;
}

static uint64_t energy_background_uw(const struct ppim_spec *spec,
				     enum ppim_idd i, uint32_t ranks)
{
	if (!(spec->power.present & 1u << i))
		return 0;
	return (uint64_t)(spec->power.idd_ma[i] * spec->power.vdd * 1e3 *
				  spec->devices_per_rank * ranks + 0.5);
}

void pim_energy_init(struct pim_mem_energy *e, const struct ppim_spec *spec,
		     uint32_t ranks)
{
	const struct ppim_power *p = &spec->power;
	bool by_bank = spec->refresh == PPIM_REFRESH_BANK_STAGGERED;

	e->act_fj = energy_fj(spec, energy_act_ma_clocks(spec), 1);
	e->read_fj = energy_fj(spec, energy_over(p, PPIM_IDD4R, PPIM_IDD3N),
			       spec->t.burst);
	e->write_fj = energy_fj(spec, energy_over(p, PPIM_IDD4W, PPIM_IDD3N),
				spec->t.burst);
	e->refresh_fj = by_bank ?
		energy_fj(spec, energy_over(p, PPIM_IDD5PB, PPIM_IDD3N),
			  spec->t.trfcb) :
		energy_fj(spec, energy_over(p, PPIM_IDD5AB, PPIM_IDD3N),
			  spec->t.trfc);
	e->active_uw = energy_background_uw(spec, PPIM_IDD3N, ranks);
	e->idle_uw = energy_background_uw(spec, PPIM_IDD2N, ranks);
}
