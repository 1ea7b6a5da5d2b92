// SPDX-License-Identifier: MIT
/* The presets that are built: one line each. */
#include "arch.h"

extern const struct pim_preset pim_preset_cpu, pim_preset_recnmp,
	pim_preset_space, pim_preset_trim, pim_preset_bgpim,
	pim_preset_bgpim_dup, pim_preset_proactive, pim_preset_proactive_all;

static const struct pim_preset *const presets[] = {
	&pim_preset_cpu,       &pim_preset_recnmp,	  &pim_preset_space,
	&pim_preset_trim,      &pim_preset_bgpim,	  &pim_preset_bgpim_dup,
	&pim_preset_proactive, &pim_preset_proactive_all,
};

const struct pim_preset *pim_preset_find(uint32_t arch)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		if (presets[i]->arch == arch)
			return presets[i];
	return NULL;
}

uint32_t pim_preset_mask(void)
{
	uint32_t mask = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		mask |= 1u << presets[i]->arch;
	return mask;
}
