// SPDX-License-Identifier: GPL-2.0-only
/* Tables: shapes, rows, places, and the contexts that tell the device. */

#include "qemu/osdep.h"
#include "ppim-qtest.h"

#define STRIPES		4	/* bank groups, and the DIMM */
#define MAP_EXTENTS	3
#define MAP_BITS	20

/* ---- shapes ------------------------------------------------------------- */

struct ppim_shape ppim_shape_dense(uint64_t rows, uint32_t dim)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim,
				    .algo = PPIM_ALGO_DENSE };
}

struct ppim_shape ppim_shape_qr(uint64_t rows, uint32_t dim, uint32_t c,
				enum ppim_combine combine,
				enum ppim_qr_order order)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim, .collisions = c,
				    .algo = PPIM_ALGO_QR, .combine = combine,
				    .qr_order = order };
}

struct ppim_shape ppim_shape_tt(uint64_t rows, const uint32_t p[3],
				const uint32_t q[3], const uint32_t r[2])
{
	struct ppim_shape s = { .rows = rows, .dim = q[0] * q[1] * q[2],
				.algo = PPIM_ALGO_TT };

	memcpy(s.tt_p, p, sizeof(s.tt_p));
	memcpy(s.tt_q, q, sizeof(s.tt_q));
	memcpy(s.tt_r, r, sizeof(s.tt_r));
	return s;
}

/* ---- values ------------------------------------------------------------- */

/* SplitMix64 of a counter. */
uint64_t ppim_random(uint64_t seed, uint64_t n)
{
	uint64_t z = (seed << 32 ^ n) * 0x9e3779b97f4a7c15ull + seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* All mantissa bits in use, so that every rounding shows. */
static float float_random(uint64_t seed, uint64_t n)
{
	return (float)(int32_t)ppim_random(seed, n) * 0x1p-31f;
}

/* A finite half or bfloat16 around 1. */
static uint16_t half_random(uint8_t dtype, uint64_t seed, uint64_t n)
{
	uint64_t x = ppim_random(seed, n);

	if (dtype == PPIM_DTYPE_FP16)
		return (x & 0x83ff) | (12 + (x >> 16) % 5) << 10;
	return (x & 0x807f) | (124 + (x >> 16) % 5) << 7;
}

static void row_random(const struct ppim_shape *s, uint32_t k, uint64_t row,
		       uint64_t seed, uint8_t *out)
{
	uint64_t n = ppim_shape_elems(s, k), e;

	for (e = 0; e < n; e++) {
		if (s->dtype == PPIM_DTYPE_FP32)
			((float *)out)[e] = float_random(seed + k, row * n + e);
		else
			((uint16_t *)out)[e] = half_random(s->dtype, seed + k,
							   row * n + e);
	}
}

/* ---- places ------------------------------------------------------------- */

static uint64_t tier_addr(struct ppim_dev *d, uint8_t tier, uint16_t slice,
			  uint64_t offset)
{
	if (tier == PPIM_TIER_DIMM)
		return PPIM_TEST_DIMM + offset;
	return PPIM_TEST_HBM + slice * d->slice_bytes + offset;
}

/* The same bytes of every slice are taken: simple, and there is room. */
static uint64_t space_take(struct ppim_dev *d, uint8_t tier, uint64_t bytes)
{
	bool dimm = tier == PPIM_TIER_DIMM;
	uint64_t *used = dimm ? &d->used_dimm : &d->used_slice;
	uint64_t at = *used;

	*used += ROUND_UP(bytes, ppim_readl(d, PPIM_REG_ALIGN));
	g_assert_cmpuint(*used, <=, dimm ? d->dimm_bytes : d->slice_bytes);
	return at;
}

static void extent_set(struct ppim_dev *d, struct ppim_test_sub *sub,
		       uint32_t i, uint8_t tier, uint32_t slice, uint64_t rows)
{
	sub->extents[i] = (struct ppim_hw_extent){
		.tier = tier,
		.slice = cpu_to_le16(tier == PPIM_TIER_HBM ? slice % d->slices :
							     0),
		.offset = cpu_to_le64(space_take(d, tier, rows * sub->stride)),
		.rows = cpu_to_le64(rows),
	};
}

static void row_store(struct ppim_dev *d, const struct ppim_test_sub *sub,
		      uint32_t extent, uint64_t inner, uint64_t row)
{
	const struct ppim_hw_extent *e = &sub->extents[extent];

	ppim_put(d, tier_addr(d, e->tier, le16_to_cpu(e->slice),
			      le64_to_cpu(e->offset) + inner * sub->stride),
		 sub->bytes + row * sub->row_bytes, sub->row_bytes);
}

static void place_one(struct ppim_dev *d, struct ppim_test_sub *sub,
		      uint8_t tier, uint32_t slice)
{
	uint64_t row;

	sub->extents = g_new0(struct ppim_hw_extent, 1);
	sub->hw.n_extents = cpu_to_le32(1);
	extent_set(d, sub, 0, tier, slice, sub->rows);
	for (row = 0; row < sub->rows; row++)
		row_store(d, sub, 0, row, row);
}

static void place_striped(struct ppim_dev *d, struct ppim_test_sub *sub,
			  uint32_t slice)
{
	const uint32_t n = STRIPES + 1;
	uint64_t row;
	uint32_t i;

	sub->extents = g_new0(struct ppim_hw_extent, n);
	sub->hw.n_extents = cpu_to_le32(n);
	for (i = 0; i < n; i++)
		extent_set(d, sub, i, i < STRIPES ? PPIM_TIER_HBM :
						    PPIM_TIER_DIMM,
			   slice + 7 * i, DIV_ROUND_UP(sub->rows, n));
	for (row = 0; row < sub->rows; row++)
		row_store(d, sub, row % n, row / n, row);
}

/* Rows in an order of their own, over three extents; the map in the DIMM. */
static void place_mapped(struct ppim_dev *d, struct ppim_test_sub *sub,
			 uint32_t slice, uint64_t seed)
{
	g_autofree uint32_t *map = g_new(uint32_t, sub->rows);
	uint64_t used[MAP_EXTENTS] = { 0 }, row;
	uint64_t at = space_take(d, PPIM_TIER_DIMM, sub->rows * 4);
	uint32_t i;

	sub->extents = g_new0(struct ppim_hw_extent, MAP_EXTENTS);
	sub->hw.n_extents = cpu_to_le32(MAP_EXTENTS);
	for (i = 0; i < MAP_EXTENTS; i++)
		extent_set(d, sub, i, i ? PPIM_TIER_HBM : PPIM_TIER_DIMM,
			   slice + i, sub->rows);
	for (row = 0; row < sub->rows; row++) {
		i = ppim_random(seed, row) % MAP_EXTENTS;
		row_store(d, sub, i, used[i], row);
		map[row] = cpu_to_le32(i << MAP_BITS | used[i]++);
	}
	ppim_put(d, tier_addr(d, PPIM_TIER_DIMM, 0, at), map, sub->rows * 4);
	sub->hw.flags |= cpu_to_le32(PPIM_SUBF_MAPPED);
	sub->hw.map_tier = PPIM_TIER_DIMM;
	sub->hw.map_bits = MAP_BITS;
	sub->hw.map_offset = cpu_to_le64(at);
}

static void place_copies(struct ppim_dev *d, struct ppim_test_sub *sub)
{
	uint64_t at = space_take(d, PPIM_TIER_HBM, sub->rows * sub->stride);
	uint64_t row;
	uint32_t i;

	sub->extents = g_new0(struct ppim_hw_extent, d->slices);
	sub->hw.n_extents = cpu_to_le32(d->slices);
	sub->hw.flags |= cpu_to_le32(PPIM_SUBF_DUPLICATED | PPIM_SUBF_PREFETCH);
	for (i = 0; i < d->slices; i++) {
		sub->extents[i].slice = cpu_to_le16(i);
		sub->extents[i].offset = cpu_to_le64(at);
		sub->extents[i].rows = cpu_to_le64(sub->rows);
		for (row = 0; row < sub->rows; row++)
			row_store(d, sub, i, row, row);
	}
}

static void sub_place(struct ppim_dev *d, struct ppim_test_sub *sub,
		      enum ppim_layout layout, uint64_t seed)
{
	uint32_t slice = ppim_random(seed, 0) % d->slices;

	switch (layout) {
	case PPIM_LAYOUT_ONE:
		return place_one(d, sub, PPIM_TIER_HBM, slice);
	case PPIM_LAYOUT_DIMM:
		return place_one(d, sub, PPIM_TIER_DIMM, 0);
	case PPIM_LAYOUT_STRIPED:
		return place_striped(d, sub, slice);
	case PPIM_LAYOUT_MAPPED:
		return place_mapped(d, sub, slice, seed);
	case PPIM_LAYOUT_COPIES:
		return place_copies(d, sub);
	}
}

uint64_t ppim_table_row_addr(struct ppim_dev *d,
			     const struct ppim_test_table *t, uint32_t k,
			     uint64_t row)
{
	const struct ppim_test_sub *sub = &t->sub[k];
	const struct ppim_hw_extent *e = sub->extents;

	g_assert_cmpuint(le32_to_cpu(sub->hw.flags) & PPIM_SUBF_MAPPED, ==, 0);
	if (!(le32_to_cpu(sub->hw.flags) & PPIM_SUBF_DUPLICATED)) {
		e += row % le32_to_cpu(sub->hw.n_extents);
		row /= le32_to_cpu(sub->hw.n_extents);
	}
	return tier_addr(d, e->tier, le16_to_cpu(e->slice),
			 le64_to_cpu(e->offset) + row * sub->stride);
}

/* ---- tables ------------------------------------------------------------- */

static void sub_new(struct ppim_dev *d, struct ppim_test_table *t, uint32_t k,
		    uint64_t seed, enum ppim_layout layout)
{
	struct ppim_test_sub *sub = &t->sub[k];
	uint64_t row;

	sub->rows = ppim_shape_rows(&t->shape, k);
	sub->row_bytes = ppim_shape_row_bytes(&t->shape, k);
	sub->stride = ROUND_UP(sub->row_bytes, ppim_readl(d, PPIM_REG_ALIGN));
	sub->bytes = g_malloc(sub->rows * sub->row_bytes);
	for (row = 0; row < sub->rows; row++)
		row_random(&t->shape, k, row, seed,
			   sub->bytes + row * sub->row_bytes);
	sub->hw.rows = cpu_to_le64(sub->rows);
	sub->hw.row_bytes = cpu_to_le32(sub->row_bytes);
	sub->hw.row_stride = cpu_to_le32(sub->stride);
	sub_place(d, sub, layout, seed + k);
}

static void context_fill(struct ppim_test_table *t)
{
	const struct ppim_shape *s = &t->shape;
	int i;

	t->hw.algo = s->algo;
	t->hw.dtype = s->dtype;
	t->hw.combine = s->combine;
	t->hw.qr_order = s->qr_order;
	t->hw.rows = cpu_to_le64(s->rows);
	t->hw.dim = cpu_to_le32(s->dim);
	t->hw.collisions = cpu_to_le32(s->collisions);
	for (i = 0; i < 3; i++) {
		t->hw.tt_p[i] = cpu_to_le32(s->tt_p[i]);
		t->hw.tt_q[i] = cpu_to_le32(s->tt_q[i]);
	}
	for (i = 0; i < 2; i++)
		t->hw.tt_r[i] = cpu_to_le32(s->tt_r[i]);
	t->hw.n_subtables = cpu_to_le32(t->n_sub);
}

struct ppim_test_table *ppim_table_new(struct ppim_dev *d,
				       const struct ppim_shape *shape,
				       uint64_t seed, enum ppim_layout main,
				       enum ppim_layout shared)
{
	struct ppim_test_table *t = g_new0(struct ppim_test_table, 1);
	uint32_t anchor = shape->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : 0, k;

	g_assert_true(ppim_shape_valid(shape));
	t->shape = *shape;
	t->n_sub = ppim_shape_subtables(shape);
	t->hw.id = cpu_to_le64(++d->table_ids);
	t->hw.epoch = cpu_to_le32(1);
	context_fill(t);
	for (k = 0; k < t->n_sub; k++)
		sub_new(d, t, k, seed, k == anchor ? main : shared);
	ppim_table_send(d, t);
	return t;
}

void ppim_table_send(struct ppim_dev *d, struct ppim_test_table *t)
{
	struct ppim_test_sub *sub;
	size_t bytes;
	uint32_t k;

	for (k = 0; k < t->n_sub; k++) {
		sub = &t->sub[k];
		bytes = le32_to_cpu(sub->hw.n_extents) * sizeof(*sub->extents);
		if (!sub->extents_addr)
			sub->extents_addr = ppim_alloc(d, bytes);
		ppim_put(d, sub->extents_addr, sub->extents, bytes);
		sub->hw.extents = cpu_to_le64(sub->extents_addr);
		t->hw.sub[k] = sub->hw;
	}
	if (!t->addr)
		t->addr = ppim_alloc(d, sizeof(t->hw));
	ppim_put(d, t->addr, &t->hw, sizeof(t->hw));
}

void ppim_table_free(struct ppim_test_table *t)
{
	uint32_t k;

	for (k = 0; k < t->n_sub; k++) {
		g_free(t->sub[k].bytes);
		g_free(t->sub[k].extents);
	}
	g_free(t);
}
