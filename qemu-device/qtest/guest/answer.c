// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables that are known to be good, and whether the device answers for them:
 * rows are written, contexts built, a batch of all of them sent, and every
 * element compared with plain C, to the bit.
 */

#include "guest.h"

#define STRIDE		128		/* holds every row below */
#define PLACE		0x100000	/* offset in each slice, and in the DIMM */
#define SUB_SPACE	0x4000		/* of a subtable of a table */
#define MAP_BITS	16
#define BAGS		3
#define POOL		7
#define MEMORY		(GUEST_CLEAN + 0x40000)	/* behind the rings */

/* How a subtable lies. */
enum lie { STRIPED, COPIES, MAPPED };

struct good_sub {
	enum lie lie;
	uint8_t tier[2];
	uint16_t slice[2];
	uint32_t n;			/* extents */
};

static const struct {
	struct ppim_shape shape;
	struct good_sub sub[PPIM_MAX_SUBTABLES];
} good[GOOD_TABLES] = {
	{ { .rows = 64, .dim = 16 },
	  { { STRIPED, { PPIM_TIER_HBM, PPIM_TIER_DIMM }, { 1, 0 }, 2 } } },
	{ { .rows = 100, .dim = 16, .collisions = 4, .algo = PPIM_ALGO_QR },
	  { { STRIPED, { 0, 0 }, { 2, 3 }, 2 },
	    { COPIES, { 0, 0 }, { 2, 3 }, 2 } } },
	{ { .rows = 60, .dim = 16, .algo = PPIM_ALGO_TT, .tt_p = { 4, 4, 4 },
	    .tt_q = { 2, 2, 4 }, .tt_r = { 4, 4 } },
	  { { COPIES, { 0, 0 }, { 4, 5 }, 2 }, { STRIPED, { 0, 0 }, { 4, 5 }, 2 },
	    { COPIES, { 0, 0 }, { 4, 5 }, 2 } } },
	{ { .rows = 64, .dim = 16 },
	  { { MAPPED, { PPIM_TIER_DIMM, PPIM_TIER_HBM }, { 0, 6 }, 2 } } },
	{ { .rows = 50, .dim = 32, .collisions = 5, .algo = PPIM_ALGO_QR,
	    .combine = PPIM_COMBINE_CONCAT },
	  { { STRIPED, { PPIM_TIER_HBM }, { 7 }, 1 },
	    { STRIPED, { PPIM_TIER_DIMM }, { 0 }, 1 } } },
	{ { .rows = 64, .dim = 32, .dtype = PPIM_DTYPE_FP16 },
	  { { STRIPED, { PPIM_TIER_HBM, PPIM_TIER_DIMM }, { 1, 0 }, 2 } } },
	{ { .rows = 90, .dim = 32, .collisions = 3, .algo = PPIM_ALGO_QR,
	    .dtype = PPIM_DTYPE_BF16, .qr_order = PPIM_QR_POOLED },
	  { { STRIPED, { 0, 0 }, { 2, 3 }, 2 },
	    { COPIES, { 0, 0 }, { 2, 3 }, 2 } } },
};

/* Element of a row: all mantissa bits in use. */
static float value(uint32_t t, uint32_t s, uint64_t row, uint32_t e)
{
	uint64_t z = (t * 4 + s) * 0x1000003ull + row * 0x10001 + e;

	z = (z ^ z >> 13) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (float)(int32_t)(z >> 16) * 0x1p-31f;
}

uint32_t good_rows(uint32_t i)
{
	return (uint32_t)good[i].shape.rows;
}

/* ---- places -------------------------------------------------------------- */

/* Byte in the slice or the tier where extent k of a subtable begins. */
static uint64_t extent_offset(uint32_t t, uint32_t s)
{
	return PLACE + (t * PPIM_MAX_SUBTABLES + s) * SUB_SPACE;
}

static uint64_t map_offset(uint32_t t)
{
	return extent_offset(t, PPIM_MAX_SUBTABLES - 1);
}

static uint64_t window(uint8_t tier, uint16_t slice, uint64_t offset)
{
	if (tier == PPIM_TIER_DIMM)
		return GUEST_DIMM + offset;
	return GUEST_HBM + offset + slice * slice_bytes;
}

uint64_t good_random_place(void)
{
	uint64_t at = random_below(GOOD_TABLES * PPIM_MAX_SUBTABLES * SUB_SPACE);
	uint8_t tier = random_once_in(2) ? PPIM_TIER_HBM : PPIM_TIER_DIMM;

	return window(tier, (uint16_t)random_below(8), PLACE + at);
}

uint64_t good_random_map_entry(void)
{
	uint32_t t;

	do
		t = (uint32_t)random_below(GOOD_TABLES);
	while (good[t].sub[0].lie != MAPPED);
	return window(PPIM_TIER_DIMM, 0, map_offset(t)) +
	       4 * random_below(good_rows(t));
}

static uint64_t row_addr(uint32_t t, uint32_t s, uint32_t k, uint64_t inner)
{
	const struct good_sub *sub = &good[t].sub[s];

	return window(sub->tier[k], sub->slice[k],
		      extent_offset(t, s) + inner * STRIDE);
}

static void row_write(uint32_t t, uint32_t s, uint32_t k, uint64_t inner,
		      uint64_t row)
{
	uint64_t at = row_addr(t, s, k, inner);
	uint32_t n = (uint32_t)ppim_shape_elems(&good[t].shape, s), e;
	float v;

	for (e = 0; e < n; e++) {
		v = value(t, s, row, e);
		memcpy((void *)(at + 4 * e), &v, 4);
	}
}

static void map_write(uint32_t t, uint64_t rows)
{
	uint64_t at = window(PPIM_TIER_DIMM, 0, map_offset(t)), row;

	for (row = 0; row < rows; row++)
		mmio_write(at + 4 * row, (row & 1) << MAP_BITS | (rows - row),
			   4);
}

static void sub_write(uint32_t t, uint32_t s)
{
	const struct good_sub *sub = &good[t].sub[s];
	uint64_t rows = ppim_shape_rows(&good[t].shape, s), row;

	for (row = 0; row < rows; row++) {
		if (sub->lie == COPIES) {
			row_write(t, s, 0, row, row);
			row_write(t, s, 1, row, row);
		} else if (sub->lie == MAPPED) {
			row_write(t, s, row & 1, rows - row, row);
		} else {
			row_write(t, s, (uint32_t)(row % sub->n),
				  row / sub->n, row);
		}
	}
	if (sub->lie == MAPPED)
		map_write(t, rows);
}

/* ---- contexts ------------------------------------------------------------ */

static void sub_describe(uint32_t t, uint32_t s, struct good *g)
{
	const struct good_sub *sub = &good[t].sub[s];
	struct ppim_hw_subtable *hw = &g->table.sub[s];
	uint32_t k;

	hw->rows = ppim_shape_rows(&good[t].shape, s);
	hw->row_bytes = (uint32_t)ppim_shape_row_bytes(&good[t].shape, s);
	hw->row_stride = STRIDE;
	hw->n_extents = sub->n;
	if (sub->lie == COPIES)
		hw->flags = PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH;
	if (sub->lie == MAPPED) {
		hw->flags = PPIM_SUBF_MAPPED;
		hw->map_tier = PPIM_TIER_DIMM;
		hw->map_bits = MAP_BITS;
		hw->map_offset = map_offset(t);
	}
	for (k = 0; k < sub->n; k++)
		g->extent[s][k] = (struct ppim_hw_extent){
			.tier = sub->tier[k], .slice = sub->slice[k],
			.offset = extent_offset(t, s),
			.rows = hw->rows + (sub->lie == MAPPED),
		};
}

void good_describe(uint32_t t, struct good *g)
{
	const struct ppim_shape *s = &good[t].shape;
	uint32_t k;

	memset(g, 0, sizeof(*g));
	g->table.id = t + 1;
	g->table.epoch = 1;
	g->table.algo = s->algo;
	g->table.combine = s->combine;
	g->table.dtype = s->dtype;
	g->table.qr_order = s->qr_order;
	g->table.rows = s->rows;
	g->table.dim = s->dim;
	g->table.collisions = s->collisions;
	memcpy(g->table.tt_p, s->tt_p, sizeof(s->tt_p));
	memcpy(g->table.tt_q, s->tt_q, sizeof(s->tt_q));
	memcpy(g->table.tt_r, s->tt_r, sizeof(s->tt_r));
	g->table.n_subtables = ppim_shape_subtables(s);
	for (k = 0; k < g->table.n_subtables; k++)
		sub_describe(t, k, g);
	g->job.index_bytes = 8;
}

/* ---- answers ------------------------------------------------------------- */

static float tt_value(uint32_t t, uint64_t i, uint32_t e)
{
	const struct ppim_shape *s = &good[t].shape;
	uint32_t a = e / 8, b = e / 4 % 2, c = e % 4, x, y;
	float pair, sum = 0;

	for (y = 0; y < s->tt_r[1]; y++) {
		pair = 0;
		for (x = 0; x < s->tt_r[0]; x++)
			pair = __builtin_fmaf(value(t, 0, i / 16, a * 4 + x),
					      value(t, 1, i / 4 % 4,
						    (x * 2 + b) * 4 + y),
					      pair);
		sum = __builtin_fmaf(pair, value(t, 2, i % 4, y * 4 + c), sum);
	}
	return sum;
}

static float row_value(uint32_t t, uint64_t i, uint32_t e)
{
	const struct ppim_shape *s = &good[t].shape;
	uint64_t c = s->collisions;

	if (s->algo == PPIM_ALGO_TT)
		return tt_value(t, i, e);
	if (s->algo != PPIM_ALGO_QR)
		return value(t, 0, i, e);
	if (s->combine == PPIM_COMBINE_CONCAT)
		return e < s->dim / 2 ? value(t, 0, i / c, e) :
					value(t, 1, i % c, e - s->dim / 2);
	return value(t, 0, i / c, e) * value(t, 1, i % c, e);
}

/* What the batch's memory looks like, for one table. */
struct clean {
	struct good g;
	int64_t index[BAGS * POOL], offset[BAGS];
	float out[BAGS * 32];
};

static void clean_build(uint32_t t, struct clean *c)
{
	struct ppim_hw_job *job = &c->g.job;
	uint32_t i, k, dim = good[t].shape.dim;

	good_describe(t, &c->g);
	for (i = 0; i < BAGS * POOL; i++)
		c->index[i] = (int64_t)random_below(good[t].shape.rows);
	for (i = 0; i < BAGS; i++)
		c->offset[i] = i * POOL;
	memset(c->out, 0xff, sizeof(c->out));
	for (k = 0; k < c->g.table.n_subtables; k++) {
		c->g.table.sub[k].extents = (uint64_t)c->g.extent[k];
		sub_write(t, k);
	}
	job->table = (uint64_t)&c->g.table;
	job->n_indices = BAGS * POOL;
	job->n_bags = BAGS;
	job->indices = (struct ppim_hw_buf){ (uint64_t)c->index,
					     sizeof(c->index), 0, 0 };
	job->offsets = (struct ppim_hw_buf){ (uint64_t)c->offset,
					     sizeof(c->offset), 0, 0 };
	job->output = (struct ppim_hw_buf){ (uint64_t)c->out, BAGS * dim * 4ull,
					    0, 0 };
}

static void clean_compare(uint32_t t, const struct clean *c)
{
	uint32_t bag, e, i, dim = good[t].shape.dim;
	float want;

	for (bag = 0; bag < BAGS; bag++)
		for (e = 0; e < dim; e++) {
			want = 0;
			for (i = 0; i < POOL; i++)
				want += row_value(t, (uint64_t)c->index[bag * POOL + i],
						  e);
			if (memcmp(&want, &c->out[bag * dim + e], 4))
				fail("a wrong answer");
		}
}

/* The device was just started. */
void answer_verify(void)
{
	struct clean *c = (void *)MEMORY;
	struct ppim_hw_job *jobs = (void *)(MEMORY + 0x20000);
	struct ppim_hw_sqe sqe = { .opcode = PPIM_OP_GNR };
	struct ppim_hw_cqe cqe;
	uint32_t t;

	for (t = 0; t < VERIFIED_TABLES; t++) {
		clean_build(t, &c[t]);
		jobs[t] = c[t].g.job;
	}
	sqe.gnr.jobs = (uint64_t)jobs;
	sqe.gnr.n_jobs = VERIFIED_TABLES;
	sqe.gnr.arch = PPIM_ARCH_BGPIM;
	ring_push(&rings[1], &sqe);
	ring_doorbell(&rings[1]);
	cqe = ring_wait(&rings[1]);
	if (cqe.status != PPIM_ST_OK)
		fail("a clean batch was refused");
	for (t = 0; t < VERIFIED_TABLES; t++)
		clean_compare(t, &c[t]);
	STATE->verified++;
}
