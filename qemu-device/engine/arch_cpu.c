// SPDX-License-Identifier: MIT
/*
 * cpu: no PIM. The host's cores gather through a last-level cache; misses go to
 * the HBM (interleaved host addresses, the specification's map) or the DIMM,
 * over channel bus and interface. A host would not lay its tables out bank
 * group by bank group: of each bank group it takes the first DRAM row's bytes,
 * then the second's, so what lies at the same offset of all of them is together
 * in its address space and spread over channels and banks. What the cores can
 * do is bound by cache bandwidth, by misses that may be out together, and by
 * FLOP/s. A cold row meets its R in the host.
 */
#include "arch.h"

/* Lines that missed one after the other are one read. */
static void cpu_miss(struct pim_gather *g, struct ppim_pim_cmd *cmd,
		     uint64_t first, uint64_t end)
{
	uint64_t burst = cmd->device == PPIM_PIM_HBM ? g->x->hbm.burst_bytes
						     : g->x->dimm.burst_bytes;

	if (first == end)
		return;
	cmd->addr = first / burst * burst;
	cmd->n = (end - cmd->addr + burst - 1) / burst;
	pim_gather_emit(g, cmd);
}

/* `bytes` that are together in the host's address space. */
static void cpu_lines(struct pim_gather *g, uint8_t device, uint64_t addr,
		      uint64_t bytes)
{
	struct ppim_pim_cmd cmd = { .device = device,
				    .op = PPIM_PIM_RD,
				    .to = PPIM_PIM_TO_HOST,
				    .bag = PPIM_PIM_NO_BAG };
	uint64_t line = g->x->params.llc_line, end = addr + bytes, at, missed;

	missed = at = addr / line * line;
	for (; at < end; at += line) {
		if (!pim_cache_access(
			    &g->stores->llc,
			    pim_cache_mix(at | (uint64_t)device << 62))) {
			g->note->cache_misses++;
			continue;
		}
		g->note->cache_hits++;
		cpu_miss(g, &cmd, missed, at);
		missed = at + line;
	}
	cpu_miss(g, &cmd, missed, at);
}

static void cpu_row(struct pim_gather *g, uint32_t sub,
		    const struct ppim_row_loc *loc)
{
	const struct pim_mem *m = &g->x->hbm;
	uint64_t left = g->table->sub[sub].row_bytes, offset = loc->offset, in,
		 part;

	if (loc->tier != PPIM_TIER_HBM) {
		cpu_lines(g, PPIM_PIM_DIMM, offset, left);
		return;
	}
	for (; left; left -= part, offset += part) {
		in = offset & (m->row_bytes - 1);
		part = left < m->row_bytes - in ? left : m->row_bytes - in;
		cpu_lines(g, PPIM_PIM_HBM,
			  (((offset >> m->row_shift) * m->n_slices + loc->slice)
			   << m->row_shift) +
				  in,
			  part);
	}
}

static void cpu_host(struct pim_gather *g, uint8_t op, uint64_t n)
{
	struct ppim_pim_cmd cmd = { .device = PPIM_PIM_HOST,
				    .op = op,
				    .n = n,
				    .bag = PPIM_PIM_NO_BAG };

	if (n)
		pim_gather_emit(g, &cmd);
}

static void cpu_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	uint64_t hits = g->note->cache_hits, lookups = g->note->lookups;
	struct ppim_row_loc loc;
	struct pim_lookup l;
	uint32_t b, i, k;

	for (b = first; b < end; b++)
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++) {
			if (!pim_gather_lookup(g, g->job->indices[i], &l))
				continue;
			for (k = 0; k < g->n_sub; k++) {
				pim_gather_home(g, k, l.row[k], &loc);
				cpu_row(g, k, &loc);
			}
		}
	cpu_host(g, PPIM_PIM_LD, g->note->cache_hits - hits);
	cpu_host(g, PPIM_PIM_OP,
		 2 * (g->note->lookups - lookups) *
			 (g->product_mac + g->row_mac));
}

const struct pim_preset pim_preset_cpu = {
	.arch = PPIM_ARCH_CPU,
	.level = PPIM_PIM_TO_HOST,
	.gather = cpu_gather,
};
