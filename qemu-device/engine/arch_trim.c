// SPDX-License-Identifier: MIT
/*
 * trim (after TRiM, Park et al., 2021): units at the bank groups, and replicas
 * of hot rows in every bank group. TRiM profiles which rows are hot; here a
 * table of the most recently used rows, of the replicas' size, stands for the
 * profile, and making a replica is free. It takes rows of any subtable, so R
 * (G1, G3) is replicated as far as it is hot.
 *
 * A lookup whose Q row (G2 slice) has a replica runs on any bank group, in
 * turn, which evens the load; others run where that row is. The operand is read
 * from its replica, or moved by the host as in bgpim. Cold rows go to the base
 * die as in bgpim.
 */
#include "arch.h"

static bool trim_hot(struct pim_gather *g, uint32_t sub, uint64_t row)
{
	uint64_t key = pim_gather_key(g, sub, row);
	uint32_t lines = (g->table->sub[sub].row_bytes + 63) / 64, i;
	bool hit = true;

	for (i = 0; i < lines; i++)
		hit &= pim_cache_access(&g->stores->hot,
					pim_cache_mix(key + i));
	g->note->cache_hits += hit;
	g->note->cache_misses += !hit;
	return hit;
}

/* Replicas are kept below the rows at the slice's end that moves use; a row's
 * replica is at a place of its name's choice. */
static void trim_replica(struct pim_gather *g, uint32_t sub, uint64_t row,
			 uint32_t slice, struct ppim_row_loc *loc)
{
	const struct pim_mem *m = &g->x->hbm;
	uint64_t room = g->x->params.trim_hot_bytes, size, end;

	size = (g->table->sub[sub].row_bytes + 63ull) / 64 * 64;
	end = m->slice_bytes - ((uint64_t)m->banks << m->row_shift);
	room = room < end ? room : end;
	loc->tier = PPIM_TIER_HBM;
	loc->slice = (uint16_t)slice;
	loc->extent = 0;
	loc->offset = end;
	if (room < size)
		return;
	loc->offset -=
		size + pim_gather_key(g, sub, row) % (room / size) * size;
}

static void trim_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
			 uint32_t slice)
{
	struct ppim_row_loc loc;

	if (!trim_hot(g, sub, row)) {
		pim_move_operand(g, sub, row, slice, PPIM_PIM_NO_BAG, 0);
		return;
	}
	trim_replica(g, sub, row, slice, &loc);
	pim_gather_read(g, sub, &loc, PPIM_PIM_TO_BG, PPIM_PIM_NO_BAG, 0);
}

static void trim_lookup(struct pim_gather *g, const struct pim_lookup *l)
{
	uint64_t mac = g->product_mac + g->row_mac;
	struct ppim_row_loc loc;
	uint32_t k, slice;
	bool hot = trim_hot(g, g->main, l->row[g->main]);

	pim_gather_home(g, g->main, l->row[g->main], &loc);
	if (!hot && loc.tier != PPIM_TIER_HBM) {
		pim_bg_cold(g, l, &loc);
		return;
	}
	slice = loc.slice;
	if (hot) {
		slice = g->turn++ % g->x->hbm.n_slices;
		trim_replica(g, g->main, l->row[g->main], slice, &loc);
	}
	g->main_offset = loc.offset;
	for (k = 0; k < g->n_sub; k++)
		if (k != g->main)
			trim_operand(g, k, l->row[k], slice);
	pim_gather_read(g, g->main, &loc, PPIM_PIM_TO_BG, l->bag, mac);
}

static void trim_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	struct pim_lookup l;
	uint32_t b, i;

	for (b = first; b < end; b++) {
		l.bag = b - first;
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++)
			if (pim_gather_lookup(g, g->job->indices[i], &l))
				trim_lookup(g, &l);
		pim_gather_transfer(g, l.bag);
	}
}

const struct pim_preset pim_preset_trim = {
	.arch = PPIM_ARCH_TRIM,
	.level = PPIM_PIM_TO_BG,
	.link_io = true,
	.gather = trim_gather,
	.operand = pim_move_operand,
};
