// SPDX-License-Identifier: MIT
/*
 * recnmp (after RecNMP, Ke et al., 2020): a unit with a cache at each rank: of
 * the HBM one per channel, behind the channel's bus, of the DIMM one per rank
 * in the module's buffer. A lookup runs at the rank that has its Q row (G2
 * slice). R (G1, G3) is taken from that rank's cache; else from the rank
 * itself, if it is R's home; else the host moves it there and the cache keeps
 * it. Partial sums go to the host, which adds them up. So a cold row meets its
 * R in the DIMM's buffer. The cache is by 64 B lines, LRU; a row hits if all
 * its lines do.
 */
#include "arch.h"

/* Unit of a place, as the rank caches are numbered. */
static uint32_t recnmp_unit(const struct pim_gather *g,
			    const struct ppim_row_loc *loc)
{
	struct pim_where w;

	if (loc->tier == PPIM_TIER_HBM)
		return pim_mem_channel(&g->x->hbm, loc->slice);
	pim_mem_decode(&g->x->dimm, loc->offset, &w);
	return g->x->hbm.channels + pim_mem_rank(&g->x->dimm, w.slice);
}

static bool recnmp_cached(struct pim_gather *g, uint32_t unit, uint32_t sub,
			  uint64_t row)
{
	uint64_t key = pim_gather_key(g, sub, row);
	uint32_t lines = (g->table->sub[sub].row_bytes + 63) / 64, i;
	bool hit = true;

	for (i = 0; i < lines; i++)
		hit &= pim_cache_access(&g->stores->rank[unit],
					pim_cache_mix(key + i));
	g->note->cache_hits += hit;
	g->note->cache_misses += !hit;
	/* read, or filled from what the banks or the host bring */
	if (pim_cache_holds(&g->stores->rank[unit]))
		g->x->sram_bytes += g->table->sub[sub].row_bytes;
	return hit;
}

/* A row from the unit's cache, or from a bank behind the unit. */
static void recnmp_read(struct pim_gather *g, uint32_t sub,
			const struct ppim_row_loc *loc, bool cached,
			uint32_t bag, uint64_t mac)
{
	struct ppim_pim_cmd cmd = { .op = PPIM_PIM_RD,
				    .to = PPIM_PIM_TO_RANK,
				    .bag = bag,
				    .mac = mac,
				    .cached = cached };

	cmd.n = pim_gather_bursts(g, sub, loc);
	pim_gather_at(g, loc, &cmd);
	pim_gather_emit(g, &cmd);
}

static void recnmp_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
			   uint32_t unit, const struct ppim_row_loc *main)
{
	bool cached = recnmp_cached(g, unit, sub, row);
	struct ppim_pim_cmd cmd = { .op = PPIM_PIM_DR,
				    .to = PPIM_PIM_TO_RANK,
				    .bag = PPIM_PIM_NO_BAG };
	struct ppim_row_loc loc;

	pim_gather_home(g, sub, row, &loc);
	if (cached || recnmp_unit(g, &loc) == unit) {
		recnmp_read(g, sub, cached ? main : &loc, cached,
			    PPIM_PIM_NO_BAG, 0);
		return;
	}
	cmd.n = pim_gather_bursts(g, sub, &loc);
	pim_gather_at(g, main, &cmd);
	cmd.dst_device = cmd.device;
	cmd.dst = cmd.addr;
	pim_gather_at(g, &loc, &cmd);
	pim_gather_emit(g, &cmd);
}

/* The host adds up one partial sum for each unit that has one of the bag. */
static void recnmp_count_unit(struct pim_gather *g, uint32_t unit, uint32_t bag)
{
	if (g->scratch->node_bag[unit] == bag + 1)
		return;
	g->scratch->node_bag[unit] = bag + 1;
	g->host_adds += g->table->shape.dim;
}

static void recnmp_lookup(struct pim_gather *g, const struct pim_lookup *l)
{
	struct ppim_row_loc loc;
	uint32_t unit, k;

	pim_gather_home(g, g->main, l->row[g->main], &loc);
	unit = recnmp_unit(g, &loc);
	for (k = 0; k < g->n_sub; k++)
		if (k != g->main)
			recnmp_operand(g, k, l->row[k], unit, &loc);
	recnmp_read(g, g->main, &loc,
		    recnmp_cached(g, unit, g->main, l->row[g->main]), l->bag,
		    g->product_mac + g->row_mac);
	recnmp_count_unit(g, unit, l->bag);
}

static void recnmp_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	struct ppim_pim_cmd adds = { .device = PPIM_PIM_HOST,
				     .op = PPIM_PIM_OP,
				     .bag = PPIM_PIM_NO_BAG };
	struct pim_lookup l;
	uint32_t b, i;

	g->host_adds = 0;
	memset(g->scratch->node_bag, 0,
	       g->stores->n_rank * sizeof(*g->scratch->node_bag));
	for (b = first; b < end; b++) {
		l.bag = b - first;
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++)
			if (pim_gather_lookup(g, g->job->indices[i], &l))
				recnmp_lookup(g, &l);
		pim_gather_transfer(g, l.bag);
	}
	adds.n = g->host_adds;
	if (adds.n)
		pim_gather_emit(g, &adds);
}

const struct pim_preset pim_preset_recnmp = {
	.arch = PPIM_ARCH_RECNMP,
	.level = PPIM_PIM_TO_RANK,
	.link_io = true,
	.gather = recnmp_gather,
};
