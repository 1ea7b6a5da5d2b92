// SPDX-License-Identifier: MIT
/*
 * TT lookups of a phase, grouped by the G2 slice that they share: the slice is
 * read once for the group, and the products G1 . G2 of all the G1 rows that the
 * group needs are formed on the way, each pair once. product_bytes bounds how
 * many; more pairs take another pass over the slice. Then G3 is fetched for
 * each lookup and the row added to its bag. Groups go in the order of their
 * first lookup. The bd-PIM does the same with slices that come from the DIMM.
 */
#include "arch.h"

/* Adds a lookup to the group of its G2 slice; returns the groups so far. */
static uint32_t group_add(struct pim_scratch *s, const struct pim_lookup *l,
			  uint32_t at, uint32_t groups)
{
	uint64_t i2 = l->row[PPIM_SUB_G2];

	s->grouped[at] = (struct pim_grouped){
		.i1 = (uint32_t)l->row[PPIM_SUB_G1],
		.i3 = (uint32_t)l->row[PPIM_SUB_G3],
		.bag = l->bag,
		.next = PIM_NIL,
	};
	if (pim_seen_test_set(&s->in_heads, i2)) {
		s->grouped[s->tails[i2]].next = at;
	} else {
		s->heads[i2] = at;
		s->order[groups++] = (uint32_t)i2;
	}
	s->tails[i2] = at;
	return groups;
}

/* An operand for the bg-PIM of a bank group or, NO_SLICE, for the bd-PIM. */
#define NO_SLICE UINT32_MAX

static void group_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
			  uint32_t slice, uint32_t bag, uint64_t mac)
{
	if (slice == NO_SLICE)
		pim_base_operand(g, sub, row, mac);
	else
		g->preset->operand(g, sub, row, slice, bag, mac);
}

/* Fetches each G1 row that the group needs, once; returns how many. */
static uint32_t group_products(struct pim_gather *g, uint32_t head,
			       uint32_t slice)
{
	struct pim_scratch *s = g->scratch;
	uint32_t at, products = 0;

	pim_seen_next(&s->in_group);
	for (at = head; at != PIM_NIL; at = s->grouped[at].next) {
		if (pim_seen_test_set(&s->in_group, s->grouped[at].i1))
			continue;
		products++;
		group_operand(g, PPIM_SUB_G1, s->grouped[at].i1, slice,
			      PPIM_PIM_NO_BAG, 0);
	}
	return products;
}

static void group_lookups(struct pim_gather *g, uint32_t head, uint32_t slice)
{
	const struct pim_grouped *l;
	uint32_t at;

	for (at = head; at != PIM_NIL; at = l->next) {
		l = &g->scratch->grouped[at];
		group_operand(g, PPIM_SUB_G3, l->i3, slice, l->bag, g->row_mac);
	}
}

static void group_read(struct pim_gather *g, uint32_t i2, uint32_t head)
{
	const struct ppim_shape *shape = &g->table->shape;
	uint64_t product =
		4ull * shape->tt_q[0] * shape->tt_q[1] * shape->tt_r[1];
	uint32_t room, products, now, slice = NO_SLICE;
	uint8_t to = PPIM_PIM_TO_BASE;
	struct ppim_row_loc loc;

	pim_gather_home(g, PPIM_SUB_G2, i2, &loc);
	if (loc.tier == PPIM_TIER_HBM) {
		g->main_offset = loc.offset;
		slice = loc.slice;
		to = PPIM_PIM_TO_BG;
	}
	room = (uint32_t)(g->x->params.product_bytes / product);
	room = room ? room : 1;
	products = group_products(g, head, slice);
	for (; products; products -= now) {
		now = products < room ? products : room;
		pim_gather_read(g, PPIM_SUB_G2, &loc, to, PPIM_PIM_NO_BAG,
				now * g->product_mac);
	}
	group_lookups(g, head, slice);
}

static uint32_t group_phase(struct pim_gather *g, uint32_t first, uint32_t end)
{
	uint32_t b, i, at = 0, groups = 0;
	struct pim_lookup l;

	pim_seen_next(&g->scratch->in_heads);
	for (b = first; b < end; b++) {
		l.bag = b - first;
		for (i = (uint32_t)g->job->offsets[b];
		     i < engine_bag_end(g->job, b); i++) {
			if (pim_gather_lookup(g, g->job->indices[i], &l))
				groups =
					group_add(g->scratch, &l, at++, groups);
		}
	}
	return groups;
}

void pim_tt_gather(struct pim_gather *g, uint32_t first, uint32_t end)
{
	const struct pim_scratch *s = g->scratch;
	uint32_t groups = group_phase(g, first, end), i;

	for (i = 0; i < groups; i++)
		group_read(g, s->order[i], s->heads[s->order[i]]);
	for (i = first; i < end; i++)
		pim_gather_transfer(g, i - first);
}
