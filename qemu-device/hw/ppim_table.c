// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table contexts: read from driver-owned memory for every batch that names
 * them, checked field by field, and forgotten with the batch.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "ppim.h"
#include "trace.h"

#define TABLE_AT(field)	offsetof(struct ppim_hw_table, field)
#define SUB_AT(k, field) \
	(TABLE_AT(sub) + (k) * sizeof(struct ppim_hw_subtable) + \
	 offsetof(struct ppim_hw_subtable, field))
#define EXT_AT(i, field) \
	((uint64_t)(i) * sizeof(struct ppim_hw_extent) + \
	 offsetof(struct ppim_hw_extent, field))
#define NO_EXTENT 0xffffffffu

static int bad_place(struct ppim_cmd *cmd, uint32_t sub, uint32_t extent)
{
	return ppim_cmd_fail(cmd, PPIM_ST_BAD_PLACEMENT,
			     (uint64_t)sub << 32 | extent);
}

static int bad_table(struct ppim_cmd *cmd, uint64_t offset)
{
	return ppim_cmd_bad_field(cmd, PPIM_IN_TABLE, offset);
}

static int bad_extent(struct ppim_cmd *cmd, uint64_t offset)
{
	return ppim_cmd_bad_field(cmd, PPIM_IN_EXTENT, offset);
}

static void shape_from(struct ppim_shape *t, const struct ppim_hw_table *hw)
{
	int k;

	*t = (struct ppim_shape){
		.rows = le64_to_cpu(hw->rows),
		.dim = le32_to_cpu(hw->dim),
		.collisions = le32_to_cpu(hw->collisions),
		.algo = hw->algo, .dtype = hw->dtype,
		.combine = hw->combine, .qr_order = hw->qr_order,
	};
	for (k = 0; k < 3; k++) {
		t->tt_p[k] = le32_to_cpu(hw->tt_p[k]);
		t->tt_q[k] = le32_to_cpu(hw->tt_q[k]);
	}
	for (k = 0; k < 2; k++)
		t->tt_r[k] = le32_to_cpu(hw->tt_r[k]);
}

static int shape_check(struct ppim_cmd *cmd, const struct ppim_shape *t)
{
	if (t->algo > PPIM_ALGO_TT)
		return bad_table(cmd, TABLE_AT(algo));
	if (t->dtype > PPIM_DTYPE_INT8)
		return bad_table(cmd, TABLE_AT(dtype));
	if (t->combine > PPIM_COMBINE_CONCAT)
		return bad_table(cmd, TABLE_AT(combine));
	if (t->qr_order > PPIM_QR_POOLED)
		return bad_table(cmd, TABLE_AT(qr_order));
	if (!t->dim || t->dim > PPIM_MAX_DIM)
		return bad_table(cmd, TABLE_AT(dim));
	if (!ppim_shape_valid(t))
		return bad_table(cmd, TABLE_AT(rows));
	if (t->dtype == PPIM_DTYPE_INT8)
		return ppim_cmd_unsupported(cmd, PPIM_IN_TABLE,
					    TABLE_AT(dtype));
	return 0;
}

static int table_rest_check(struct ppim_cmd *cmd,
			    const struct ppim_hw_table *hw, uint32_t n_sub)
{
	static const struct ppim_hw_subtable none;
	uint32_t k;

	if (le32_to_cpu(hw->n_subtables) != n_sub)
		return bad_table(cmd, TABLE_AT(n_subtables));
	for (k = 0; k < ARRAY_SIZE(hw->reserved); k++)
		if (hw->reserved[k])
			return bad_table(cmd, TABLE_AT(reserved) + 4 * k);
	for (k = n_sub; k < PPIM_MAX_SUBTABLES; k++)
		if (memcmp(&hw->sub[k], &none, sizeof(none)))
			return bad_table(cmd, SUB_AT(k, rows));
	return 0;
}

/* Where a tier's bytes are for a {tier, slice}; NULL if there is no such. */
static const uint8_t *tier_base(PPIMState *s, uint8_t tier, uint16_t slice,
				uint64_t *bytes)
{
	if (tier == PPIM_TIER_DIMM) {
		*bytes = s->mem.dimm_bytes;
		return slice ? NULL : s->mem.dimm;
	}
	*bytes = s->mem.slice_bytes;
	if (tier != PPIM_TIER_HBM || slice >= s->geo.slices)
		return NULL;
	return s->mem.hbm + slice * s->mem.slice_bytes;
}

static int map_absent(struct ppim_cmd *cmd, uint32_t k,
		      const struct ppim_hw_subtable *hw)
{
	if (hw->map_tier)
		return bad_table(cmd, SUB_AT(k, map_tier));
	if (hw->map_bits)
		return bad_table(cmd, SUB_AT(k, map_bits));
	if (hw->map_slice)
		return bad_table(cmd, SUB_AT(k, map_slice));
	return hw->map_offset ? bad_table(cmd, SUB_AT(k, map_offset)) : 0;
}

static int coroutine_fn map_load(PPIMState *s, struct ppim_cmd *cmd, uint32_t k,
				 const struct ppim_hw_subtable *hw,
				 struct ppim_placed *p)
{
	uint64_t offset = le64_to_cpu(hw->map_offset), bytes;
	uint16_t slice = le16_to_cpu(hw->map_slice);
	const uint8_t *base;

	if (!(p->flags & PPIM_SUBF_MAPPED))
		return map_absent(cmd, k, hw);
	if (hw->map_bits < 1 || hw->map_bits > 31)
		return bad_table(cmd, SUB_AT(k, map_bits));
	if (hw->map_tier > PPIM_TIER_HOST)
		return bad_table(cmd, SUB_AT(k, map_tier));
	if (hw->map_tier > PPIM_TIER_DIMM)
		return ppim_cmd_unsupported(cmd, PPIM_IN_TABLE,
					    SUB_AT(k, map_tier));
	if (slice && hw->map_tier == PPIM_TIER_DIMM)
		return bad_table(cmd, SUB_AT(k, map_slice));
	if (offset % sizeof(uint32_t))
		return bad_table(cmd, SUB_AT(k, map_offset));
	base = tier_base(s, hw->map_tier, slice, &bytes);
	/* rows <= 2^40: no overflow */
	if (!base || p->rows * sizeof(uint32_t) > bytes ||
	    offset > bytes - p->rows * sizeof(uint32_t))
		return bad_place(cmd, k, NO_EXTENT);
	p->map = (const uint32_t *)(base + offset);
	p->map_bits = hw->map_bits;
	return 0;
}

static int extent_load(PPIMState *s, struct ppim_cmd *cmd, uint32_t k,
		       uint32_t i, const struct ppim_hw_extent *hw,
		       struct ppim_extent *e)
{
	const struct ppim_placed *p = &cmd->own[cmd->fault.job].table.sub[k];
	uint64_t size, bytes;

	*e = (struct ppim_extent){
		.tier = hw->tier, .slice = le16_to_cpu(hw->slice),
		.offset = le64_to_cpu(hw->offset),
		.rows = le64_to_cpu(hw->rows),
	};
	if (hw->tier > PPIM_TIER_HOST)
		return bad_extent(cmd, EXT_AT(i, tier));
	if (hw->tier > PPIM_TIER_DIMM)
		return ppim_cmd_unsupported(cmd, PPIM_IN_EXTENT,
					    EXT_AT(i, tier));
	if (hw->reserved0)
		return bad_extent(cmd, EXT_AT(i, reserved0));
	if (e->slice && e->tier == PPIM_TIER_DIMM)
		return bad_extent(cmd, EXT_AT(i, slice));
	if (hw->reserved1)
		return bad_extent(cmd, EXT_AT(i, reserved1));
	if (e->offset % PPIM_ALIGN)
		return bad_extent(cmd, EXT_AT(i, offset));
	if (!e->rows)
		return bad_extent(cmd, EXT_AT(i, rows));
	if (hw->reserved2)
		return bad_extent(cmd, EXT_AT(i, reserved2));
	if (!tier_base(s, e->tier, e->slice, &size) ||
	    e->rows > PPIM_MAX_ROWS ||
	    umul64_overflow(e->rows, p->row_stride, &bytes) ||
	    bytes > size || e->offset > size - bytes)
		return bad_place(cmd, k, i);
	return 0;
}

static int coroutine_fn extents_load(PPIMState *s, struct ppim_cmd *cmd,
				     uint32_t k, uint64_t addr)
{
	struct ppim_cmd_job *own = &cmd->own[cmd->fault.job];
	uint32_t i, n = own->table.sub[k].n_extents;
	g_autofree struct ppim_hw_extent *hw = g_new(struct ppim_hw_extent, n);

	own->extents[k] = ppim_cmd_alloc(cmd, n, sizeof(*own->extents[k]));
	if (!own->extents[k])
		return -1;
	if (ppim_cmd_fetch(s, cmd, addr, hw, n * sizeof(*hw)))
		return -1;
	for (i = 0; i < n; i++)
		if (extent_load(s, cmd, k, i, &hw[i], &own->extents[k][i]))
			return -1;
	own->table.sub[k].extents = own->extents[k];
	return 0;
}

static int sub_fields(struct ppim_cmd *cmd, uint32_t k,
		      const struct ppim_hw_subtable *hw,
		      const struct ppim_shape *t, const struct ppim_placed *p)
{
	const uint32_t both = PPIM_SUBF_DUPLICATED | PPIM_SUBF_MAPPED;
	uint32_t i;

	if (p->rows != ppim_shape_rows(t, k))
		return bad_table(cmd, SUB_AT(k, rows));
	if (p->row_bytes != ppim_shape_row_bytes(t, k))
		return bad_table(cmd, SUB_AT(k, row_bytes));
	if (p->row_stride < p->row_bytes || p->row_stride % PPIM_ALIGN)
		return bad_table(cmd, SUB_AT(k, row_stride));
	if ((p->flags & ~PPIM_SUBF_ALL) || (p->flags & both) == both)
		return bad_table(cmd, SUB_AT(k, flags));
	if (!p->n_extents)
		return bad_table(cmd, SUB_AT(k, n_extents));
	if (p->n_extents > PPIM_EXTENTS_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_EXTENTS_MAX);
	if (hw->reserved0)
		return bad_table(cmd, SUB_AT(k, reserved0));
	for (i = 0; i < ARRAY_SIZE(hw->reserved1); i++)
		if (hw->reserved1[i])
			return bad_table(cmd, SUB_AT(k, reserved1) + 8 * i);
	return 0;
}

static void sub_trace(const struct ppim_table_desc *t, uint32_t k)
{
	const struct ppim_placed *p = &t->sub[k];

	if (p->flags & PPIM_SUBF_DUPLICATED)
		trace_ppim_duplicate(t->id, k, p->n_extents, p->rows);
	else
		trace_ppim_place(t->id, k, p->n_extents, p->rows, p->flags);
	if (p->flags & PPIM_SUBF_PREFETCH)
		trace_ppim_prefetch(t->id, k);
}

static int coroutine_fn sub_load(PPIMState *s, struct ppim_cmd *cmd, uint32_t k,
				 const struct ppim_hw_subtable *hw)
{
	struct ppim_table_desc *t = &cmd->own[cmd->fault.job].table;
	struct ppim_placed *p = &t->sub[k];

	*p = (struct ppim_placed){
		.rows = le64_to_cpu(hw->rows),
		.row_bytes = le32_to_cpu(hw->row_bytes),
		.row_stride = le32_to_cpu(hw->row_stride),
		.flags = le32_to_cpu(hw->flags),
		.n_extents = le32_to_cpu(hw->n_extents),
	};
	if (sub_fields(cmd, k, hw, &t->shape, p))
		return -1;
	if (map_load(s, cmd, k, hw, p))
		return -1;
	if (extents_load(s, cmd, k, le64_to_cpu(hw->extents)))
		return -1;
	sub_trace(t, k);
	return 0;
}

int coroutine_fn ppim_table_load(PPIMState *s, struct ppim_cmd *cmd,
				 uint32_t job, uint64_t addr)
{
	struct ppim_table_desc *t = &cmd->own[job].table;
	struct ppim_hw_table hw;
	uint32_t k, n;

	if (ppim_cmd_fetch(s, cmd, addr, &hw, sizeof(hw)))
		return -1;
	t->id = le64_to_cpu(hw.id);
	t->epoch = le32_to_cpu(hw.epoch);
	shape_from(&t->shape, &hw);
	if (shape_check(cmd, &t->shape))
		return -1;
	n = ppim_shape_subtables(&t->shape);
	if (table_rest_check(cmd, &hw, n))
		return -1;
	for (k = 0; k < n; k++)
		if (sub_load(s, cmd, k, &hw.sub[k]))
			return -1;
	return 0;
}
