// SPDX-License-Identifier: MIT
/* What presets share: rows of an index, places of a row, commands. */
#include <errno.h>
#include <stdlib.h>
#include "arch.h"

/* ---- stores ------------------------------------------------------------- */

#define CACHE_LINE 64u

int pim_stores_init(struct pim_stores *s, const struct pim_exec *x)
{
	const struct ppim_params *p = &x->params;
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->sram.bytes = p->sram_bytes;
	s->base_sram.bytes = p->bd_sram_bytes;
	s->n_rank = x->hbm.channels + x->dimm.n_ranks;
	s->rank = calloc(s->n_rank, sizeof(*s->rank));
	if (!s->rank ||
	    pim_cache_init(&s->llc, p->llc_bytes / p->llc_line,
			   (uint32_t)p->llc_ways) ||
	    pim_cache_init(&s->hot, p->trim_hot_bytes / CACHE_LINE,
			   (uint32_t)p->trim_ways))
		return -ENOMEM;
	for (i = 0; i < s->n_rank; i++)
		if (pim_cache_init(&s->rank[i],
				   p->recnmp_cache_bytes / CACHE_LINE,
				   (uint32_t)p->recnmp_ways))
			return -ENOMEM;
	return 0;
}

void pim_stores_free(struct pim_stores *s)
{
	uint32_t i;

	for (i = 0; s->rank && i < s->n_rank; i++)
		pim_cache_free(&s->rank[i]);
	free(s->rank);
	pim_cache_free(&s->llc);
	pim_cache_free(&s->hot);
	memset(s, 0, sizeof(*s));
}

void pim_stores_reset(struct pim_stores *s)
{
	uint32_t i;

	pim_sram_reset(&s->sram);
	pim_sram_reset(&s->base_sram);
	pim_cache_reset(&s->llc);
	pim_cache_reset(&s->hot);
	for (i = 0; i < s->n_rank; i++)
		pim_cache_reset(&s->rank[i]);
	s->batches = 0;
}

void pim_stores_walk(struct pim_stores *s, struct pim_io *io)
{
	uint32_t i;

	pim_sram_walk(&s->sram, io);
	pim_sram_walk(&s->base_sram, io);
	pim_cache_walk(&s->llc, io);
	pim_cache_walk(&s->hot, io);
	for (i = 0; i < s->n_rank; i++)
		pim_cache_walk(&s->rank[i], io);
	pim_io_u64(io, &s->batches, UINT64_MAX - 1);
}

/* ---- scratch ------------------------------------------------------------ */

void pim_scratch_free(struct pim_scratch *s)
{
	uint32_t k;

	for (k = 0; k < PPIM_MAX_SUBTABLES; k++) {
		free(s->seen[k].stamp);
		free(s->copy[k]);
		free(s->home[k]);
	}
	free(s->pairs.key);
	free(s->pairs.stamp);
	free(s->in_group.stamp);
	free(s->in_heads.stamp);
	free(s->heads);
	free(s->tails);
	free(s->order);
	free(s->grouped);
	free(s->node_bag);
	memset(s, 0, sizeof(*s));
}

/* A larger array of zeros; the old one's contents need not be kept. */
static void *scratch_new(void *old, uint64_t n, size_t each)
{
	free(old);
	return n > SIZE_MAX / 2 / each ? NULL : calloc(n, each);
}

static int scratch_seen(struct pim_seen *s, uint64_t n)
{
	if (n <= s->size)
		return 0;
	s->size = 0;
	s->gen = 0;
	s->stamp = scratch_new(s->stamp, n, sizeof(*s->stamp));
	if (!s->stamp)
		return -ENOMEM;
	s->size = n;
	return 0;
}

static int scratch_pairs(struct pim_pairs *s, uint64_t lookups)
{
	uint64_t size = 64;

	while (size < 2 * lookups)
		size *= 2;
	if (size <= s->size)
		return 0;
	s->size = 0;
	s->gen = 0;
	s->key = scratch_new(s->key, size, sizeof(*s->key));
	s->stamp = scratch_new(s->stamp, size, sizeof(*s->stamp));
	if (!s->key || !s->stamp)
		return -ENOMEM;
	s->size = size;
	return 0;
}

static int scratch_heads(struct pim_scratch *s, uint64_t p2)
{
	if (p2 <= s->heads_size)
		return 0;
	s->heads_size = 0;
	s->heads = scratch_new(s->heads, p2, sizeof(*s->heads));
	s->tails = scratch_new(s->tails, p2, sizeof(*s->tails));
	s->order = scratch_new(s->order, p2, sizeof(*s->order));
	if (!s->heads || !s->tails || !s->order)
		return -ENOMEM;
	s->heads_size = p2;
	return 0;
}

static int scratch_groups(struct pim_scratch *s, uint64_t p1, uint64_t p2,
			  uint64_t lookups)
{
	if (scratch_seen(&s->in_group, p1) || scratch_seen(&s->in_heads, p2) ||
	    scratch_heads(s, p2))
		return -ENOMEM;
	if (lookups <= s->grouped_size)
		return 0;
	s->grouped_size = 0;
	s->grouped = scratch_new(s->grouped, lookups, sizeof(*s->grouped));
	if (!s->grouped)
		return -ENOMEM;
	s->grouped_size = lookups;
	return 0;
}

static int scratch_copies(struct pim_scratch *s, const struct pim_exec *x,
			  uint64_t extents)
{
	uint32_t k;

	if (extents <= s->home_size)
		return 0;
	s->home_size = 0;
	s->node_bag = scratch_new(s->node_bag, x->nodes, sizeof(*s->node_bag));
	if (!s->node_bag)
		return -ENOMEM;
	for (k = 0; k < PPIM_MAX_SUBTABLES; k++) {
		s->copy[k] = scratch_new(s->copy[k], x->hbm.n_slices,
					 sizeof(*s->copy[k]));
		s->home[k] =
			scratch_new(s->home[k], extents, sizeof(*s->home[k]));
		if (!s->copy[k] || !s->home[k])
			return -ENOMEM;
	}
	s->home_size = extents;
	return 0;
}

static int scratch_job(struct pim_scratch *s, const struct pim_exec *x,
		       const struct ppim_job *job)
{
	const struct ppim_shape *shape = &job->table->shape;
	uint32_t k, n_sub = ppim_shape_subtables(shape);
	uint64_t extents = 1;

	for (k = 0; k < n_sub; k++)
		if (job->table->sub[k].n_extents > extents)
			extents = job->table->sub[k].n_extents;
	if (scratch_copies(s, x, extents))
		return -ENOMEM;
	if (shape->algo == PPIM_ALGO_QR)
		return scratch_seen(&s->seen[PPIM_SUB_R], shape->collisions);
	if (shape->algo != PPIM_ALGO_TT)
		return 0;
	if (scratch_seen(&s->seen[PPIM_SUB_G1], shape->tt_p[0]) ||
	    scratch_seen(&s->seen[PPIM_SUB_G3], shape->tt_p[2]) ||
	    scratch_pairs(&s->pairs, job->n_indices))
		return -ENOMEM;
	return scratch_groups(s, shape->tt_p[0], shape->tt_p[1],
			      job->n_indices);
}

int pim_scratch_reserve(struct pim_scratch *s, const struct pim_exec *x,
			const struct ppim_batch *batch)
{
	uint32_t j;

	for (j = 0; j < batch->n_jobs; j++)
		if (scratch_job(s, x, &batch->jobs[j]))
			return -ENOMEM;
	return 0;
}

/* ---- one job ------------------------------------------------------------ */

static void gather_set_rows(struct pim_gather *g)
{
	const struct ppim_shape *s = &g->table->shape;

	g->by_c = engine_div_by(s->algo == PPIM_ALGO_QR ? s->collisions : 1);
	if (s->algo != PPIM_ALGO_TT)
		return;
	g->p3 = s->tt_p[2];
	g->p23 = g->p3 * s->tt_p[1];
	g->by_p3 = engine_div_by(g->p3);
	g->by_p23 = engine_div_by(g->p23);
}

/* MACs: a row's element is multiplied and added in one; a sum of two rows, a
 * weight and a pooled second sum take one more each. */
static void gather_set_macs(struct pim_gather *g)
{
	const struct ppim_shape *s = &g->table->shape;
	const uint64_t q[3] = { s->tt_q[0], s->tt_q[1], s->tt_q[2] };
	uint64_t each = 1 + (g->job->weights != NULL);

	if (s->algo == PPIM_ALGO_TT) {
		g->product_mac = q[0] * s->tt_r[0] * q[1] * s->tt_r[1];
		g->row_mac = q[0] * q[1] * s->tt_r[1] * q[2] + s->dim * each;
		return;
	}
	if (s->algo == PPIM_ALGO_QR && s->combine == PPIM_COMBINE_ADD)
		each++;
	if (s->algo == PPIM_ALGO_QR && s->qr_order == PPIM_QR_POOLED)
		each++;
	g->row_mac = s->dim * each;
}

static void gather_set_bursts(struct pim_gather *g)
{
	const struct ppim_shape *s = &g->table->shape;
	uint32_t b = g->x->hbm.burst_bytes, k;
	uint32_t d = g->x->has_dimm ? g->x->dimm.burst_bytes : b;
	uint64_t sum = s->dim * sizeof(float);

	for (k = 0; k < g->n_sub; k++) {
		g->bursts[k] = (g->table->sub[k].row_bytes + b - 1) / b;
		g->dimm_bursts[k] = (g->table->sub[k].row_bytes + d - 1) / d;
		g->stripe[k] = engine_div_by(g->table->sub[k].n_extents);
	}
	/* the sum of Q rows and that of R rows leave side by side */
	if (s->algo == PPIM_ALGO_QR && s->qr_order == PPIM_QR_POOLED &&
	    s->combine != PPIM_COMBINE_CONCAT)
		sum *= 2;
	g->sum_bursts = (uint32_t)((sum + b - 1) / b);
}

/*
 * Homes: row r of a duplicated subtable is taken from copy r % n where a preset
 * does not use copies, with the copies in the order channel by channel of each
 * bank group, so that neighbouring rows come from different channels as the
 * authors' address map has it.
 */
static void gather_set_homes(struct pim_gather *g, uint32_t k)
{
	const struct ppim_placed *p = &g->table->sub[k];
	uint32_t *copy = g->scratch->copy[k], *home = g->scratch->home[k];
	uint32_t groups = g->x->hbm.ranks * g->x->hbm.bankgroups;
	uint32_t e, bg, ch;

	for (e = 0; e < g->x->hbm.n_slices; e++)
		copy[e] = PIM_NIL;
	g->n_home[k] = 0;
	if (!(p->flags & PPIM_SUBF_DUPLICATED))
		return;
	for (e = 0; e < p->n_extents; e++)
		if (p->extents[e].tier == PPIM_TIER_HBM &&
		    copy[p->extents[e].slice] == PIM_NIL)
			copy[p->extents[e].slice] = e;
	for (bg = 0; bg < groups; bg++)
		for (ch = 0; ch < g->x->hbm.channels; ch++)
			if (copy[ch * groups + bg] != PIM_NIL)
				home[g->n_home[k]++] = copy[ch * groups + bg];
}

static void gather_forget(struct pim_gather *g)
{
	struct pim_scratch *s = g->scratch;

	if (g->algo == PPIM_ALGO_QR)
		pim_seen_next(&s->seen[PPIM_SUB_R]);
	if (g->algo != PPIM_ALGO_TT)
		return;
	pim_seen_next(&s->seen[PPIM_SUB_G1]);
	pim_seen_next(&s->seen[PPIM_SUB_G3]);
	if (++s->pairs.gen)
		return;
	memset(s->pairs.stamp, 0, s->pairs.size * sizeof(*s->pairs.stamp));
	s->pairs.gen = 1;
}

void pim_gather_begin(struct pim_gather *g, const struct ppim_job *job)
{
	uint32_t k;

	g->job = job;
	g->table = job->table;
	g->algo = job->table->shape.algo;
	g->n_sub = ppim_shape_subtables(&g->table->shape);
	g->main = g->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : PPIM_SUB_Q;
	g->held = g->base_held = 0;
	gather_set_rows(g);
	gather_set_macs(g);
	gather_set_bursts(g);
	for (k = 0; k < g->n_sub; k++)
		gather_set_homes(g, k);
	gather_forget(g);
}

uint32_t pim_gather_bags(const struct pim_gather *g)
{
	uint64_t bags = g->x->params.acc_bytes /
			((uint64_t)g->sum_bursts * g->x->hbm.burst_bytes);

	bags = bags < g->x->max_slots ? bags : g->x->max_slots;
	return bags ? (uint32_t)bags : 1;
}

/* ---- intra-GnR locality ------------------------------------------------- */

static bool pairs_test_set(struct pim_pairs *s, uint64_t key)
{
	uint64_t at = pim_cache_mix(key) & (s->size - 1);

	while (s->stamp[at] == s->gen) {
		if (s->key[at] == key)
			return true;
		at = (at + 1) & (s->size - 1);
	}
	s->stamp[at] = s->gen;
	s->key[at] = key;
	return false;
}

static void gather_count_tt(struct pim_gather *g, const struct pim_lookup *l)
{
	struct pim_scratch *s = g->scratch;

	g->note->entry_refs += 3;
	g->note->entry_reuses +=
		pim_seen_test_set(&s->seen[PPIM_SUB_G1], l->row[PPIM_SUB_G1]);
	g->note->entry_reuses +=
		pim_seen_test_set(&s->seen[PPIM_SUB_G3], l->row[PPIM_SUB_G3]);
	g->note->entry_reuses += pairs_test_set(
		&s->pairs, l->row[PPIM_SUB_G1] << 32 | l->row[PPIM_SUB_G2]);
}

bool pim_gather_lookup(struct pim_gather *g, int64_t index,
		       struct pim_lookup *l)
{
	uint64_t i = (uint64_t)index, rest;

	if (!engine_is_lookup(g->job, index) || engine_cancelled(g->job))
		return false;
	g->note->lookups++;
	if (g->algo == PPIM_ALGO_QR) {
		l->row[PPIM_SUB_Q] = engine_divide(&g->by_c, i);
		l->row[PPIM_SUB_R] = i - l->row[PPIM_SUB_Q] * g->by_c.d;
		g->note->entry_refs++;
		g->note->entry_reuses += pim_seen_test_set(
			&g->scratch->seen[PPIM_SUB_R], l->row[PPIM_SUB_R]);
	} else if (g->algo == PPIM_ALGO_TT) {
		l->row[PPIM_SUB_G1] = engine_divide(&g->by_p23, i);
		rest = i - l->row[PPIM_SUB_G1] * g->p23;
		l->row[PPIM_SUB_G2] = engine_divide(&g->by_p3, rest);
		l->row[PPIM_SUB_G3] = rest - l->row[PPIM_SUB_G2] * g->p3;
		gather_count_tt(g, l);
	} else {
		l->row[PPIM_SUB_W] = i;
	}
	return true;
}

/* ---- places ------------------------------------------------------------- */

/* A guest may change a row map after it was checked: then the row counts as
 * the first one, whose place is valid. */
static void gather_locate(struct pim_gather *g, uint32_t sub, uint64_t row,
			  uint32_t copy, struct ppim_row_loc *loc)
{
	const struct ppim_placed *p = &g->table->sub[sub];

	if (!engine_locate(p, &g->stripe[sub], row, copy, loc))
		return;
	loc->extent = 0;
	loc->tier = p->extents[0].tier;
	loc->slice = p->extents[0].slice;
	loc->offset = p->extents[0].offset;
}

static uint32_t gather_home_copy(const struct pim_gather *g, uint32_t sub,
				 uint64_t i)
{
	uint32_t n = g->n_home[sub];

	return n ? g->scratch->home[sub][i < n ? i : i % n] : 0;
}

void pim_gather_home(struct pim_gather *g, uint32_t sub, uint64_t row,
		     struct ppim_row_loc *loc)
{
	gather_locate(g, sub, row, gather_home_copy(g, sub, row), loc);
}

void pim_gather_copy(struct pim_gather *g, uint32_t sub, uint64_t row,
		     uint32_t slice, struct ppim_row_loc *loc)
{
	uint32_t copy = g->scratch->copy[sub][slice];

	if (copy == PIM_NIL)
		copy = gather_home_copy(g, sub, row);
	gather_locate(g, sub, row, copy, loc);
}

void pim_gather_any(struct pim_gather *g, uint32_t sub, uint64_t row,
		    struct ppim_row_loc *loc)
{
	gather_locate(g, sub, row, gather_home_copy(g, sub, g->turn++), loc);
}

/* ---- commands ----------------------------------------------------------- */

static void gather_trace(struct pim_gather *g, const struct ppim_pim_cmd *cmd)
{
	char line[160];

	ppim_pim_format(cmd, line, sizeof(line));
	g->trace(g->trace_opaque, line);
}

/* One lookup may be many commands: of a cancelled job no more are charged. */
void pim_gather_emit(struct pim_gather *g, const struct ppim_pim_cmd *cmd)
{
	if (g->job && engine_cancelled(g->job))
		return;
	if (g->trace)
		gather_trace(g, cmd);
	pim_exec_command(g->x, cmd);
}

void pim_gather_at(const struct pim_gather *g, const struct ppim_row_loc *loc,
		   struct ppim_pim_cmd *cmd)
{
	cmd->device = PPIM_PIM_DIMM;
	cmd->addr = loc->offset;
	if (loc->tier != PPIM_TIER_HBM)
		return;
	cmd->device = PPIM_PIM_HBM;
	cmd->addr += (uint64_t)loc->slice << g->x->slice_shift;
}

void pim_gather_read(struct pim_gather *g, uint32_t sub,
		     const struct ppim_row_loc *loc, uint8_t to, uint32_t bag,
		     uint64_t mac)
{
	struct ppim_pim_cmd cmd = {
		.op = PPIM_PIM_RD,
		.n = pim_gather_bursts(g, sub, loc),
		.to = to,
		.bag = bag,
		.mac = mac,
	};

	pim_gather_at(g, loc, &cmd);
	pim_gather_emit(g, &cmd);
}

void pim_gather_transfer(struct pim_gather *g, uint32_t bag)
{
	const struct ppim_pim_cmd cmd = {
		.device = PPIM_PIM_HBM,
		.op = PPIM_PIM_TR,
		.n = g->sum_bursts,
		.bag = bag,
	};

	pim_gather_emit(g, &cmd);
}
