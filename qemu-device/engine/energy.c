// SPDX-License-Identifier: MIT
/*
 * Energy by the IDD method: V x mA x ns is pJ. Currents are a device's, so
 * that every figure is times the devices of a rank. A command is charged what
 * it draws above standby, standby by the clock.
 *
 * DRAMsim3 (src/configuration.cc) multiplies by clocks instead of nanoseconds
 * (right at tCK = 1 ns only) and takes 5 mA for an absent IDD5PB, below
 * standby. Here a class whose currents were not stated is left out by name.
 */
#include <string.h>

#include "ppim-engine/dram.h"

#define I(i) (1u << PPIM_##i)

static const struct {
	const char *name;
	uint32_t currents;
	const char *needs;
} classes[PPIM_ENERGY_CLASSES] = {
	[PPIM_ENERGY_ACT] = { "activate", I(IDD0) | I(IDD2N) | I(IDD3N),
			      "VDD IDD0 IDD2N IDD3N" },
	[PPIM_ENERGY_READ] = { "read", I(IDD4R) | I(IDD3N),
			       "VDD IDD4R IDD3N" },
	[PPIM_ENERGY_WRITE] = { "write", I(IDD4W) | I(IDD3N),
				"VDD IDD4W IDD3N" },
	[PPIM_ENERGY_REFRESH] = { "refresh", I(IDD5AB) | I(IDD3N),
				  "VDD IDD5AB IDD3N" },
	[PPIM_ENERGY_REFRESH_BANK] = { "refresh_bank", I(IDD5PB) | I(IDD3N),
				       "VDD IDD5PB IDD3N" },
	[PPIM_ENERGY_ACTIVE] = { "active_standby", I(IDD3N), "VDD IDD3N" },
	[PPIM_ENERGY_IDLE] = { "precharge_standby", I(IDD2N), "VDD IDD2N" },
};

const char *ppim_energy_class_name(enum ppim_energy_class c)
{
	return classes[c].name;
}

const char *ppim_energy_class_needs(enum ppim_energy_class c)
{
	return classes[c].needs;
}

static uint32_t energy_missing(const struct ppim_power *p)
{
	uint32_t c, missing = 0;

	for (c = 0; c < PPIM_ENERGY_CLASSES; c++)
		if (!p->vdd_present ||
		    (p->present & classes[c].currents) != classes[c].currents)
			missing |= 1u << c;
	return missing;
}

/* Never negative: a current below standby's says that the file does not mean
 * what the method takes it for. */
static double above(double charge, double standby)
{
	return charge > standby ? charge - standby : 0;
}

void ppim_energy_model(const struct ppim_spec *spec,
		       struct ppim_energy_model *e)
{
	const struct ppim_timing *t = &spec->t;
	const double *i = spec->power.idd_ma;
	double v = spec->power.vdd * spec->devices_per_rank;
	double ns = (double)t->tck_fs * 1e-6;

	e->act_pj = v * ns *
		    above(i[PPIM_IDD0] * t->trc,
			  i[PPIM_IDD3N] * t->tras +
				  i[PPIM_IDD2N] * (t->trc - t->tras));
	e->read_pj = v * ns * t->burst * above(i[PPIM_IDD4R], i[PPIM_IDD3N]);
	e->write_pj = v * ns * t->burst * above(i[PPIM_IDD4W], i[PPIM_IDD3N]);
	e->refresh_pj = v * ns * t->trfc * above(i[PPIM_IDD5AB], i[PPIM_IDD3N]);
	e->refresh_bank_pj =
		v * ns * t->trfcb * above(i[PPIM_IDD5PB], i[PPIM_IDD3N]);
	e->active_pj = v * ns * i[PPIM_IDD3N];
	e->idle_pj = v * ns * i[PPIM_IDD2N];
	e->missing = energy_missing(&spec->power);
}

void ppim_dram_energy(const struct ppim_spec *spec,
		      const struct ppim_dram_stats *st,
		      struct ppim_energy *out)
{
	struct ppim_energy_model e;
	const uint64_t idle = st->rank_clocks - st->active_clocks;
	uint32_t c;

	ppim_energy_model(spec, &e);
	const struct {
		double pj;
		uint64_t n;
	} use[PPIM_ENERGY_CLASSES] = {
		[PPIM_ENERGY_ACT] = { e.act_pj, st->cmds[PPIM_CMD_ACT] },
		[PPIM_ENERGY_READ] = { e.read_pj, st->cmds[PPIM_CMD_RD] },
		[PPIM_ENERGY_WRITE] = { e.write_pj, st->cmds[PPIM_CMD_WR] },
		[PPIM_ENERGY_REFRESH] = { e.refresh_pj,
					  st->cmds[PPIM_CMD_REF] },
		[PPIM_ENERGY_REFRESH_BANK] = { e.refresh_bank_pj,
					       st->cmds[PPIM_CMD_REFB] },
		[PPIM_ENERGY_ACTIVE] = { e.active_pj, st->active_clocks },
		[PPIM_ENERGY_IDLE] = { e.idle_pj, idle },
	};

	memset(out, 0, sizeof(*out));
	for (c = 0; c < PPIM_ENERGY_CLASSES; c++) {
		if (!use[c].n)
			continue;
		if (e.missing >> c & 1) {
			out->missing |= 1u << c;
			continue;
		}
		out->pj[c] = use[c].pj * (double)use[c].n;
		out->total_pj += out->pj[c];
	}
}
