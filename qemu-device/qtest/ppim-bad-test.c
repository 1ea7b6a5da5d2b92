// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad descriptors, one field at a time: a batch that is good is sent with one
 * field changed. The device says which, writes no output, and goes on.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

/* What the batch is that gets spoilt. */
enum base {
	QR,			/* Q striped over five extents, R copied */
	TT,
	DENSE,
	MAPPED,			/* dense, by a row map in the DIMM */
	WEIGHTS,		/* QR with weights */
	SCATTERED,		/* QR, every buffer by arrays of 3 + 1 entries */
};

/* Which structure the field is in. */
enum target { SQE, JOB, TABLE, EXT_Q, EXT_R, SG_INDICES };

struct bad {
	const char *name;
	enum base base;
	enum target in;
	uint32_t offset, bytes;
	uint32_t reg;		/* `value` counts from this register's */
	bool add;		/* `value` counts from the field's */
	uint64_t value;
	uint16_t status;
	uint64_t detail;
	uint32_t detail_reg;	/* detail is this register's value */
};

#define S(field) offsetof(struct ppim_hw_sqe, field), \
	sizeof(((struct ppim_hw_sqe *)0)->field)
#define J(field) offsetof(struct ppim_hw_job, field), \
	sizeof(((struct ppim_hw_job *)0)->field)
#define T(field) offsetof(struct ppim_hw_table, field), \
	sizeof(((struct ppim_hw_table *)0)->field)
/* Extent 2 of the array, scatter entry i. */
#define E(field) 2 * sizeof(struct ppim_hw_extent) + \
	offsetof(struct ppim_hw_extent, field), \
	sizeof(((struct ppim_hw_extent *)0)->field)
#define G(i, field) (i) * sizeof(struct ppim_hw_sg) + \
	offsetof(struct ppim_hw_sg, field), \
	sizeof(((struct ppim_hw_sg *)0)->field)
#define CHAIN 3			/* entry 3 of each array is the chain */

#define AT_SQE(f)	((uint64_t)PPIM_IN_SQE << 32 | \
			 offsetof(struct ppim_hw_sqe, f))
#define AT_JOB(f)	((uint64_t)PPIM_IN_JOB << 32 | \
			 offsetof(struct ppim_hw_job, f))
#define AT_TABLE(f)	((uint64_t)PPIM_IN_TABLE << 32 | \
			 offsetof(struct ppim_hw_table, f))
#define AT_EXT(f)	((uint64_t)PPIM_IN_EXTENT << 32 | \
			 (2 * sizeof(struct ppim_hw_extent) + \
			  offsetof(struct ppim_hw_extent, f)))
#define AT_SG(f)	((uint64_t)PPIM_IN_SG << 32 | \
			 offsetof(struct ppim_hw_sg, f))
#define AT_PLACE(sub, extent) ((uint64_t)(sub) << 32 | (extent))

#define FIELD(at)	.status = PPIM_ST_BAD_FIELD, .detail = (at)
#define UNBUILT(at)	.status = PPIM_ST_UNSUPPORTED, .detail = (at)
#define PLACE(sub, ext)	.status = PPIM_ST_BAD_PLACEMENT, \
			.detail = AT_PLACE(sub, ext)
#define LIMIT(r)	.status = PPIM_ST_TOO_LARGE, .detail_reg = (r)
#define ABOVE(r)	.reg = (r), .value = 1
#define PLUS(v)		.add = true, .value = (uint64_t)(v)

static const struct bad bad_sqe[] = {
	{ "flags", QR, SQE, S(flags), .value = 1, FIELD(AT_SQE(flags)) },
	{ "reserved-0", QR, SQE, S(gnr.reserved[0]), .value = 1,
	  FIELD(AT_SQE(gnr.reserved[0])) },
	{ "reserved-1", QR, SQE, S(gnr.reserved[1]), .value = 1,
	  FIELD(AT_SQE(gnr.reserved[1])) },
	{ "reserved-2", QR, SQE, S(gnr.reserved[2]), .value = 0x80,
	  FIELD(AT_SQE(gnr.reserved[2])) },
	{ "unused-3", QR, SQE, S(words[3]), .value = 1,
	  FIELD(AT_SQE(words[3])) },
	{ "unused-6", QR, SQE, S(words[6]), .value = 1,
	  FIELD(AT_SQE(words[6])) },
	{ "no-jobs", QR, SQE, S(gnr.n_jobs), .value = 0,
	  FIELD(AT_SQE(gnr.n_jobs)) },
	{ "too-many-jobs", QR, SQE, S(gnr.n_jobs), ABOVE(PPIM_REG_MAX_TABLES),
	  LIMIT(PPIM_REG_MAX_TABLES) },
	{ "most-jobs", QR, SQE, S(gnr.n_jobs), .value = ~0u,
	  LIMIT(PPIM_REG_MAX_TABLES) },
	{ "arch-unknown", QR, SQE, S(gnr.arch), .value = PPIM_ARCH_COUNT,
	  FIELD(AT_SQE(gnr.arch)) },
	{ "arch-255", QR, SQE, S(gnr.arch), .value = 255,
	  FIELD(AT_SQE(gnr.arch)) },
	{ "arch-not-built", QR, SQE, S(gnr.arch),
	  .value = PPIM_ARCH_PROACTIVE_PLUS, UNBUILT(AT_SQE(gnr.arch)) },
};

static const struct bad bad_job[] = {
	{ "no-bags", QR, JOB, J(n_bags), .value = 0, FIELD(AT_JOB(n_bags)) },
	{ "too-many-bags", QR, JOB, J(n_bags), ABOVE(PPIM_REG_MAX_INDICES),
	  LIMIT(PPIM_REG_MAX_INDICES) },
	{ "most-bags", QR, JOB, J(n_bags), .value = ~0u,
	  LIMIT(PPIM_REG_MAX_INDICES) },
	{ "too-many-indices", QR, JOB, J(n_indices),
	  ABOVE(PPIM_REG_MAX_INDICES), LIMIT(PPIM_REG_MAX_INDICES) },
	{ "most-indices", QR, JOB, J(n_indices), .value = ~0u,
	  LIMIT(PPIM_REG_MAX_INDICES) },
	{ "one-index-more", QR, JOB, J(n_indices), PLUS(1),
	  FIELD(AT_JOB(indices.bytes)) },
	{ "one-bag-more", QR, JOB, J(n_bags), PLUS(1),
	  FIELD(AT_JOB(offsets.bytes)) },
	{ "mode", QR, JOB, J(mode), .value = 3, FIELD(AT_JOB(mode)) },
	{ "mode-255", QR, JOB, J(mode), .value = 255, FIELD(AT_JOB(mode)) },
	{ "index-bytes-0", QR, JOB, J(index_bytes), .value = 0,
	  FIELD(AT_JOB(index_bytes)) },
	{ "index-bytes-2", QR, JOB, J(index_bytes), .value = 2,
	  FIELD(AT_JOB(index_bytes)) },
	{ "index-bytes-16", QR, JOB, J(index_bytes), .value = 16,
	  FIELD(AT_JOB(index_bytes)) },
	{ "index-bytes-other", QR, JOB, J(index_bytes), .value = 4,
	  FIELD(AT_JOB(indices.bytes)) },
	{ "flags", QR, JOB, J(flags), .value = 4, FIELD(AT_JOB(flags)) },
	{ "flags-128", QR, JOB, J(flags), .value = 128, FIELD(AT_JOB(flags)) },
	{ "weights-with-mean", WEIGHTS, JOB, J(mode), .value = PPIM_MODE_MEAN,
	  FIELD(AT_JOB(flags)) },
	{ "weights-with-max", WEIGHTS, JOB, J(mode), .value = PPIM_MODE_MAX,
	  FIELD(AT_JOB(flags)) },
	{ "weights-without-flag", WEIGHTS, JOB, J(flags), .value = 0,
	  FIELD(AT_JOB(weights)) },
	{ "flag-without-weights", QR, JOB, J(flags),
	  .value = PPIM_JOBF_WEIGHTS, FIELD(AT_JOB(weights.bytes)) },
	{ "reserved0", QR, JOB, J(reserved0), .value = 1,
	  FIELD(AT_JOB(reserved0)) },
	{ "reserved1", QR, JOB, J(reserved1), .value = 1u << 31,
	  FIELD(AT_JOB(reserved1)) },
	{ "indices-short", QR, JOB, J(indices.bytes), PLUS(-8),
	  FIELD(AT_JOB(indices.bytes)) },
	{ "indices-long", QR, JOB, J(indices.bytes), PLUS(1ull << 32),
	  FIELD(AT_JOB(indices.bytes)) },
	{ "indices-reserved", QR, JOB, J(indices.reserved), .value = 1,
	  FIELD(AT_JOB(indices.reserved)) },
	{ "indices-too-many-sg", QR, JOB, J(indices.n_sg),
	  ABOVE(PPIM_REG_MAX_SG), LIMIT(PPIM_REG_MAX_SG) },
	{ "offsets-short", QR, JOB, J(offsets.bytes), PLUS(-1),
	  FIELD(AT_JOB(offsets.bytes)) },
	{ "offsets-reserved", QR, JOB, J(offsets.reserved), .value = 1,
	  FIELD(AT_JOB(offsets.reserved)) },
	{ "offsets-too-many-sg", QR, JOB, J(offsets.n_sg), .value = ~0u,
	  LIMIT(PPIM_REG_MAX_SG) },
	{ "weights-short", WEIGHTS, JOB, J(weights.bytes), PLUS(-4),
	  FIELD(AT_JOB(weights.bytes)) },
	{ "weights-reserved", WEIGHTS, JOB, J(weights.reserved), .value = 1,
	  FIELD(AT_JOB(weights.reserved)) },
	{ "output-short", QR, JOB, J(output.bytes), PLUS(-4),
	  FIELD(AT_JOB(output.bytes)) },
	{ "output-long", QR, JOB, J(output.bytes), PLUS(4),
	  FIELD(AT_JOB(output.bytes)) },
	{ "output-reserved", QR, JOB, J(output.reserved), .value = 1,
	  FIELD(AT_JOB(output.reserved)) },
	{ "output-too-many-sg", QR, JOB, J(output.n_sg),
	  ABOVE(PPIM_REG_MAX_SG), LIMIT(PPIM_REG_MAX_SG) },
};

static const struct bad bad_sg[] = {
	{ "list-unaligned", SCATTERED, JOB, J(indices.addr), PLUS(8),
	  FIELD(AT_JOB(indices.addr)) },
	{ "list-short", SCATTERED, JOB, J(indices.n_sg), .value = 2,
	  FIELD(AT_JOB(indices.bytes)) },
	{ "list-ends-in-chain", SCATTERED, JOB, J(indices.n_sg), .value = 4,
	  FIELD(PPIM_ANY) },
	{ "list-long", SCATTERED, JOB, J(indices.n_sg), PLUS(1),
	  FIELD(PPIM_ANY) },
	{ "entry-empty", SCATTERED, SG_INDICES, G(0, bytes), .value = 0,
	  FIELD(AT_SG(bytes)) },
	{ "entry-long", SCATTERED, SG_INDICES, G(1, bytes), PLUS(1),
	  FIELD(AT_JOB(indices.bytes)) },
	{ "entry-4g", SCATTERED, SG_INDICES, G(1, bytes), .value = ~0u,
	  FIELD(AT_JOB(indices.bytes)) },
	{ "entry-flags", SCATTERED, SG_INDICES, G(0, flags), .value = 2,
	  FIELD(AT_SG(flags)) },
	{ "chain-flags", SCATTERED, SG_INDICES, G(CHAIN, flags),
	  .value = 0x80000001, FIELD(AT_SG(flags)) },
	{ "chain-empty", SCATTERED, SG_INDICES, G(CHAIN, bytes), .value = 0,
	  FIELD(AT_SG(bytes)) },
	{ "chain-odd", SCATTERED, SG_INDICES, G(CHAIN, bytes), .value = 40,
	  FIELD(AT_SG(bytes)) },
	{ "chain-unaligned", SCATTERED, SG_INDICES, G(CHAIN, addr), PLUS(4),
	  FIELD(AT_SG(addr)) },
	{ "chain-array-short", SCATTERED, SG_INDICES, G(CHAIN, bytes),
	  .value = 16, FIELD(PPIM_ANY) },
	{ "chain-is-data", SCATTERED, SG_INDICES, G(CHAIN, flags), .value = 0,
	  FIELD(PPIM_ANY) },
};

static const struct bad bad_table[] = {
	{ "algo", QR, TABLE, T(algo), .value = 3, FIELD(AT_TABLE(algo)) },
	{ "algo-255", QR, TABLE, T(algo), .value = 255,
	  FIELD(AT_TABLE(algo)) },
	{ "dtype", QR, TABLE, T(dtype), .value = 4, FIELD(AT_TABLE(dtype)) },
	{ "dtype-not-built", QR, TABLE, T(dtype), .value = PPIM_DTYPE_INT8,
	  UNBUILT(AT_TABLE(dtype)) },
	{ "dtype-other", QR, TABLE, T(dtype), .value = PPIM_DTYPE_FP16,
	  FIELD(AT_TABLE(sub[0].row_bytes)) },
	{ "combine", QR, TABLE, T(combine), .value = 3,
	  FIELD(AT_TABLE(combine)) },
	{ "combine-other", QR, TABLE, T(combine),
	  .value = PPIM_COMBINE_CONCAT, FIELD(AT_TABLE(sub[0].row_bytes)) },
	{ "qr-order", QR, TABLE, T(qr_order), .value = 2,
	  FIELD(AT_TABLE(qr_order)) },
	{ "rows-0", QR, TABLE, T(rows), .value = 0, FIELD(AT_TABLE(rows)) },
	{ "rows-above", QR, TABLE, T(rows), .value = PPIM_MAX_ROWS + 1,
	  FIELD(AT_TABLE(rows)) },
	{ "rows-most", QR, TABLE, T(rows), .value = ~0ull,
	  FIELD(AT_TABLE(rows)) },
	{ "rows-other", QR, TABLE, T(rows), PLUS(1000),
	  FIELD(AT_TABLE(sub[0].rows)) },
	{ "dim-0", QR, TABLE, T(dim), .value = 0, FIELD(AT_TABLE(dim)) },
	{ "dim-above", QR, TABLE, T(dim), .value = PPIM_MAX_DIM + 1,
	  FIELD(AT_TABLE(dim)) },
	{ "dim-other", QR, TABLE, T(dim), PLUS(1),
	  FIELD(AT_TABLE(sub[0].row_bytes)) },
	{ "collisions-0", QR, TABLE, T(collisions), .value = 0,
	  FIELD(AT_TABLE(rows)) },
	{ "collisions-above", QR, TABLE, T(collisions),
	  .value = PPIM_MAX_COLLISIONS + 1, FIELD(AT_TABLE(rows)) },
	{ "collisions-other", QR, TABLE, T(collisions), .value = 5,
	  FIELD(AT_TABLE(sub[0].rows)) },
	{ "qr-with-p", QR, TABLE, T(tt_p[2]), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "qr-with-q", QR, TABLE, T(tt_q[0]), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "qr-with-r", QR, TABLE, T(tt_r[1]), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "dense-with-c", DENSE, TABLE, T(collisions), .value = 4,
	  FIELD(AT_TABLE(rows)) },
	{ "dense-with-combine", DENSE, TABLE, T(combine), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "dense-with-order", DENSE, TABLE, T(qr_order), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-with-c", TT, TABLE, T(collisions), .value = 4,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-p-0", TT, TABLE, T(tt_p[1]), .value = 0,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-p-small", TT, TABLE, T(tt_p[2]), .value = 1,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-p-above", TT, TABLE, T(tt_p[0]), .value = PPIM_MAX_TT_P + 1,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-p-other", TT, TABLE, T(tt_p[0]), PLUS(1),
	  FIELD(AT_TABLE(sub[0].rows)) },
	{ "tt-q-other", TT, TABLE, T(tt_q[0]), PLUS(1),
	  FIELD(AT_TABLE(rows)) },
	{ "tt-q-most", TT, TABLE, T(tt_q[1]), .value = ~0u,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-r-0", TT, TABLE, T(tt_r[0]), .value = 0,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-r-above", TT, TABLE, T(tt_r[1]), .value = PPIM_MAX_TT_R + 1,
	  FIELD(AT_TABLE(rows)) },
	{ "tt-r-other", TT, TABLE, T(tt_r[0]), PLUS(1),
	  FIELD(AT_TABLE(sub[0].row_bytes)) },
	{ "subtables-0", QR, TABLE, T(n_subtables), .value = 0,
	  FIELD(AT_TABLE(n_subtables)) },
	{ "subtables-1", QR, TABLE, T(n_subtables), .value = 1,
	  FIELD(AT_TABLE(n_subtables)) },
	{ "subtables-3", QR, TABLE, T(n_subtables), .value = 3,
	  FIELD(AT_TABLE(n_subtables)) },
	{ "reserved-0", QR, TABLE, T(reserved[0]), .value = 1,
	  FIELD(AT_TABLE(reserved[0])) },
	{ "reserved-2", QR, TABLE, T(reserved[2]), .value = 1,
	  FIELD(AT_TABLE(reserved[2])) },
	{ "unused-subtable", QR, TABLE, T(sub[2].rows), .value = 1,
	  FIELD(AT_TABLE(sub[2])) },
};

static const struct bad bad_sub[] = {
	{ "rows-less", QR, TABLE, T(sub[0].rows), PLUS(-1),
	  FIELD(AT_TABLE(sub[0].rows)) },
	{ "rows-more", QR, TABLE, T(sub[1].rows), PLUS(1),
	  FIELD(AT_TABLE(sub[1].rows)) },
	{ "row-bytes", QR, TABLE, T(sub[0].row_bytes), PLUS(4),
	  FIELD(AT_TABLE(sub[0].row_bytes)) },
	{ "row-bytes-0", QR, TABLE, T(sub[1].row_bytes), .value = 0,
	  FIELD(AT_TABLE(sub[1].row_bytes)) },
	{ "stride-0", QR, TABLE, T(sub[0].row_stride), .value = 0,
	  FIELD(AT_TABLE(sub[0].row_stride)) },
	{ "stride-unaligned", QR, TABLE, T(sub[0].row_stride), PLUS(4),
	  FIELD(AT_TABLE(sub[0].row_stride)) },
	{ "stride-huge", QR, TABLE, T(sub[0].row_stride), .value = 0xffffff00,
	  PLACE(0, 0) },
	{ "flags", QR, TABLE, T(sub[0].flags), .value = 8,
	  FIELD(AT_TABLE(sub[0].flags)) },
	{ "flags-both", QR, TABLE, T(sub[1].flags),
	  .value = PPIM_SUBF_DUPLICATED | PPIM_SUBF_MAPPED,
	  FIELD(AT_TABLE(sub[1].flags)) },
	{ "no-extents", QR, TABLE, T(sub[1].n_extents), .value = 0,
	  FIELD(AT_TABLE(sub[1].n_extents)) },
	{ "too-many-extents", QR, TABLE, T(sub[0].n_extents),
	  ABOVE(PPIM_REG_MAX_EXTENTS), LIMIT(PPIM_REG_MAX_EXTENTS) },
	{ "most-extents", QR, TABLE, T(sub[0].n_extents), .value = ~0u,
	  LIMIT(PPIM_REG_MAX_EXTENTS) },
	{ "fewer-extents", QR, TABLE, T(sub[0].n_extents), .value = 2,
	  PLACE(0, 0) },
	{ "reserved0", QR, TABLE, T(sub[0].reserved0), .value = 1,
	  FIELD(AT_TABLE(sub[0].reserved0)) },
	{ "reserved1-0", QR, TABLE, T(sub[0].reserved1[0]), .value = 1,
	  FIELD(AT_TABLE(sub[0].reserved1[0])) },
	{ "reserved1-1", QR, TABLE, T(sub[1].reserved1[1]), .value = 1,
	  FIELD(AT_TABLE(sub[1].reserved1[1])) },
	{ "map-tier-without-map", QR, TABLE, T(sub[0].map_tier), .value = 1,
	  FIELD(PPIM_ANY) },
	{ "map-bits-without-map", QR, TABLE, T(sub[0].map_bits), .value = 1,
	  FIELD(PPIM_ANY) },
	{ "map-slice-without-map", QR, TABLE, T(sub[0].map_slice), .value = 1,
	  FIELD(PPIM_ANY) },
	{ "map-offset-without-map", QR, TABLE, T(sub[0].map_offset),
	  .value = 64, FIELD(PPIM_ANY) },
	{ "map-bits-0", MAPPED, TABLE, T(sub[0].map_bits), .value = 0,
	  FIELD(AT_TABLE(sub[0].map_bits)) },
	{ "map-bits-32", MAPPED, TABLE, T(sub[0].map_bits), .value = 32,
	  FIELD(AT_TABLE(sub[0].map_bits)) },
	{ "map-tier", MAPPED, TABLE, T(sub[0].map_tier), .value = 4,
	  FIELD(AT_TABLE(sub[0].map_tier)) },
	{ "map-tier-not-built", MAPPED, TABLE, T(sub[0].map_tier),
	  .value = PPIM_TIER_CXL, UNBUILT(AT_TABLE(sub[0].map_tier)) },
	{ "map-slice-of-dimm", MAPPED, TABLE, T(sub[0].map_slice), .value = 1,
	  FIELD(AT_TABLE(sub[0].map_slice)) },
	{ "map-unaligned", MAPPED, TABLE, T(sub[0].map_offset), PLUS(2),
	  FIELD(AT_TABLE(sub[0].map_offset)) },
	{ "map-at-end", MAPPED, TABLE, T(sub[0].map_offset),
	  .reg = PPIM_REG_DIMM_BYTES, .value = -4ull, PLACE(0, 0xffffffff) },
	{ "map-beyond", MAPPED, TABLE, T(sub[0].map_offset), .value = -4ull,
	  PLACE(0, 0xffffffff) },
};

static const struct bad bad_extent[] = {
	{ "tier", QR, EXT_Q, E(tier), .value = 4, FIELD(AT_EXT(tier)) },
	{ "tier-255", QR, EXT_Q, E(tier), .value = 255, FIELD(AT_EXT(tier)) },
	{ "tier-cxl", QR, EXT_Q, E(tier), .value = PPIM_TIER_CXL,
	  UNBUILT(AT_EXT(tier)) },
	{ "tier-host", QR, EXT_R, E(tier), .value = PPIM_TIER_HOST,
	  UNBUILT(AT_EXT(tier)) },
	{ "reserved0", QR, EXT_Q, E(reserved0), .value = 1,
	  FIELD(AT_EXT(reserved0)) },
	{ "reserved1", QR, EXT_Q, E(reserved1), .value = 1,
	  FIELD(AT_EXT(reserved1)) },
	{ "reserved2", QR, EXT_R, E(reserved2), .value = 1,
	  FIELD(AT_EXT(reserved2)) },
	{ "slice", QR, EXT_Q, E(slice), .reg = PPIM_REG_SLICES, PLACE(0, 2) },
	{ "slice-most", QR, EXT_R, E(slice), .value = 0xffff, PLACE(1, 2) },
	{ "offset-unaligned", QR, EXT_Q, E(offset), PLUS(4),
	  FIELD(AT_EXT(offset)) },
	{ "offset-at-end", QR, EXT_Q, E(offset), .reg = PPIM_REG_SLICE_BYTES,
	  PLACE(0, 2) },
	{ "offset-wraps", QR, EXT_Q, E(offset), .value = -64ull, PLACE(0, 2) },
	{ "dimm-with-slice", QR, EXT_Q, E(tier), .value = PPIM_TIER_DIMM,
	  FIELD(AT_EXT(slice)) },
	{ "rows-0", QR, EXT_Q, E(rows), .value = 0, FIELD(AT_EXT(rows)) },
	{ "rows-lacking", QR, EXT_Q, E(rows), PLUS(-1), PLACE(0, 2) },
	{ "rows-lacking-in-a-copy", QR, EXT_R, E(rows), PLUS(-1),
	  PLACE(1, 2) },
	{ "rows-too-many", QR, EXT_Q, E(rows), .value = 1 << 20,
	  PLACE(0, 2) },
	{ "rows-overflow", QR, EXT_Q, E(rows), .value = 1ull << 58,
	  PLACE(0, 2) },
	{ "rows-most", QR, EXT_R, E(rows), .value = ~0ull, PLACE(1, 2) },
};

/* ---- running ------------------------------------------------------------ */

static struct ppim_test_table *base_table(struct ppim_dev *d, enum base base)
{
	static const uint32_t p[] = { 5, 5, 5 }, q[] = { 2, 2, 4 };
	static const uint32_t r[] = { 4, 4 };
	struct ppim_shape shape;

	switch (base) {
	case TT:
		shape = ppim_shape_tt(100, p, q, r);
		break;
	case DENSE:
	case MAPPED:
		shape = ppim_shape_dense(100, 16);
		break;
	default:
		shape = ppim_shape_qr(100, 16, 4, PPIM_COMBINE_MULT,
				      PPIM_QR_PER_INDEX);
	}
	return ppim_table_new(d, &shape, 12, base == MAPPED ?
			      PPIM_LAYOUT_MAPPED : PPIM_LAYOUT_STRIPED,
			      PPIM_LAYOUT_COPIES);
}

static void job_init(struct ppim_test_job *job, struct ppim_test_table *t,
		     enum base base)
{
	ppim_job_random(job, t, 6, base == SCATTERED ? 40 : 10, 13);
	job->scattered = base == SCATTERED;
	if (base == WEIGHTS)
		job->flags = PPIM_JOBF_WEIGHTS;
}

static void value_spoil(struct ppim_dev *d, void *structure,
			const struct bad *bad)
{
	uint8_t *field = (uint8_t *)structure + bad->offset;
	uint64_t value = bad->value, old = 0;

	if (bad->reg == PPIM_REG_DIMM_BYTES || bad->reg == PPIM_REG_SLICE_BYTES)
		value += ppim_readq(d, bad->reg);
	else if (bad->reg)
		value += ppim_readl(d, bad->reg);
	memcpy(&old, field, bad->bytes);
	if (bad->add)
		value += le64_to_cpu(old);
	value = cpu_to_le64(value);
	memcpy(field, &value, bad->bytes);
}

/* An entry of the list that the indices are read from, in guest memory. */
static void sg_spoil(struct ppim_dev *d, const struct ppim_test_batch *b,
		     const struct bad *bad)
{
	uint64_t addr = le64_to_cpu(b->hw[0].indices.addr);
	struct ppim_hw_sg array[CHAIN + 1];

	ppim_get(d, addr, array, sizeof(array));
	g_assert_cmpuint(le32_to_cpu(array[CHAIN].flags), ==, PPIM_SG_CHAIN);
	value_spoil(d, array, bad);
	ppim_put(d, addr, array, sizeof(array));
}

static void batch_spoil(struct ppim_dev *d, struct ppim_test_batch *b,
			const struct bad *bad)
{
	struct ppim_test_table *t = b->job[0].table;

	switch (bad->in) {
	case SQE:
		return value_spoil(d, &b->sqe, bad);
	case JOB:
		value_spoil(d, &b->hw[0], bad);
		return ppim_batch_send(d, b);
	case TABLE:
		value_spoil(d, &t->hw, bad);
		return ppim_put(d, t->addr, &t->hw, sizeof(t->hw));
	case EXT_Q:
		value_spoil(d, t->sub[PPIM_SUB_Q].extents, bad);
		return ppim_table_send(d, t);
	case EXT_R:
		value_spoil(d, t->sub[PPIM_SUB_R].extents, bad);
		return ppim_table_send(d, t);
	case SG_INDICES:
		return sg_spoil(d, b, bad);
	}
}

/* The base is good: what is refused is refused for the one field. */
static void test_field(struct ppim_dev *d, const void *arg)
{
	const struct bad *bad = arg;
	struct ppim_test_table *t = base_table(d, bad->base);
	struct ppim_test_batch *good, *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;

	job_init(&job, t, bad->base);
	good = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_batch_check(d, good);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	batch_spoil(d, b, bad);
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, bad->status, bad->detail_reg ?
			ppim_readl(d, bad->detail_reg) : bad->detail);
	g_assert_cmpuint(le32_to_cpu(cqe.table), ==, 0);
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_assert_alive(d);
	ppim_batch_free(b);
	ppim_batch_free(good);
	ppim_job_free(&job);
	ppim_table_free(t);
	ppim_assert_works(d);
}

/* ---- contents ----------------------------------------------------------- */

struct bad_content {
	const char *name;
	uint32_t position;	/* of indices, or of offsets */
	int64_t value;
	uint8_t index_bytes;
	uint16_t status;
	uint32_t bag;
	uint64_t detail;
};

/* Bags of 3 indices: position 7 is in bag 2. N is 100. */
static const struct bad_content bad_indices[] = {
	{ "n", 7, 100, 8, PPIM_ST_BAD_INDEX, 2, 100 },
	{ "n-narrow", 7, 100, 4, PPIM_ST_BAD_INDEX, 2, 100 },
	{ "negative", 0, -1, 8, PPIM_ST_BAD_INDEX, 0, -1ull },
	{ "negative-narrow", 17, -2, 4, PPIM_ST_BAD_INDEX, 5, -2ull },
	{ "least", 3, INT64_MIN, 8, PPIM_ST_BAD_INDEX, 1, 1ull << 63 },
	{ "most", 17, INT64_MAX, 8, PPIM_ST_BAD_INDEX, 5, INT64_MAX },
	{ "4g", 9, 1ll << 32, 8, PPIM_ST_BAD_INDEX, 3, 1ll << 32 },
};

static const struct bad_content bad_offsets[] = {
	{ "first", 0, 1, 8, PPIM_ST_BAD_OFFSETS, 0, 0 },
	{ "first-negative", 0, -1, 4, PPIM_ST_BAD_OFFSETS, 0, 0 },
	{ "backwards", 3, 5, 8, PPIM_ST_BAD_OFFSETS, 3, 3 },
	{ "negative", 2, -1, 8, PPIM_ST_BAD_OFFSETS, 2, 2 },
	{ "negative-narrow", 5, INT32_MIN, 4, PPIM_ST_BAD_OFFSETS, 5, 5 },
	{ "beyond", 5, 19, 8, PPIM_ST_BAD_OFFSETS, 5, 5 },
	{ "4g", 4, (1ll << 32) + 12, 8, PPIM_ST_BAD_OFFSETS, 4, 4 },
};

/* Job 0 is good, job 1 has the bad one: neither is answered. */
static void content_run(struct ppim_dev *d, const struct bad_content *bad,
			bool in_offsets)
{
	struct ppim_test_table *t = base_table(d, QR);
	struct ppim_test_job job[2];
	struct ppim_test_batch *b;
	struct ppim_hw_cqe cqe;
	uint32_t i, k;

	for (k = 0; k < 2; k++) {
		ppim_job_random(&job[k], t, 6, 3, 14);
		job[k].index_bytes = bad->index_bytes;
		job[k].n_indices = 18;
		for (i = 0; i < 18; i++)
			job[k].indices[i] = 5 * i;
		for (i = 0; i < 6; i++)
			job[k].offsets[i] = 3 * i;
	}
	if (in_offsets)
		job[1].offsets[bad->position] = bad->value;
	else
		job[1].indices[bad->position] = bad->value;
	b = ppim_batch_new(d, job, 2, PPIM_ARCH_BGPIM);
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, bad->status, bad->detail);
	g_assert_cmpuint(le32_to_cpu(cqe.table), ==, 1);
	g_assert_cmpuint(le32_to_cpu(cqe.bag), ==, bad->bag);
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	for (k = 0; k < 2; k++)
		ppim_job_free(&job[k]);
	ppim_table_free(t);
	ppim_assert_works(d);
}

static void test_index(struct ppim_dev *d, const void *arg)
{
	content_run(d, arg, false);
}

static void test_offsets(struct ppim_dev *d, const void *arg)
{
	content_run(d, arg, true);
}

/* The row map is device memory: what is wrong in it shows when it is used. */
static void map_run(struct ppim_dev *d, uint32_t word, uint64_t detail)
{
	struct ppim_test_table *t = base_table(d, MAPPED);
	uint64_t map = PPIM_TEST_DIMM + le64_to_cpu(t->hw.sub[0].map_offset);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;
	uint32_t i;

	ppim_job_random(&job, t, 4, 3, 15);
	job.n_indices = 12;
	for (i = 0; i < 12; i++)
		job.indices[i] = i;
	for (i = 0; i < 4; i++)
		job.offsets[i] = 3 * i;
	qtest_writel(d->qts, map + 4 * 50, word);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_batch_check(d, b);		/* row 50 is not used */
	ppim_batch_free(b);
	job.indices[7] = 50;
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_PLACEMENT, detail);
	g_assert_cmpuint(le32_to_cpu(cqe.bag), ==, 2);
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
	ppim_assert_works(d);
}

static void test_map_extent(struct ppim_dev *d, const void *arg)
{
	map_run(d, 3u << 20, AT_PLACE(0, 3));
	map_run(d, ~0u, AT_PLACE(0, 0xfff));
}

static void test_map_row(struct ppim_dev *d, const void *arg)
{
	map_run(d, 1u << 20 | 100, AT_PLACE(0, 1));
}

/* ---- copies ------------------------------------------------------------- */

#define C(field) offsetof(struct ppim_hw_sqe, copy.field), \
	sizeof(((struct ppim_hw_sqe *)0)->copy.field)
#define AT_COPY(f)	AT_SQE(copy.f)

static const struct bad bad_copy[] = {
	{ "flags", QR, SQE, S(flags), .value = 1, FIELD(AT_SQE(flags)) },
	{ "bytes-0", QR, SQE, C(data.bytes), .value = 0,
	  FIELD(AT_COPY(data.bytes)) },
	{ "bytes-too-many", QR, SQE, C(data.bytes), ABOVE(PPIM_REG_MAX_COPY),
	  LIMIT(PPIM_REG_MAX_COPY) },
	{ "bytes-most", QR, SQE, C(data.bytes), .value = ~0ull,
	  LIMIT(PPIM_REG_MAX_COPY) },
	{ "data-reserved", QR, SQE, C(data.reserved), .value = 1,
	  FIELD(AT_COPY(data.reserved)) },
	{ "data-sg", QR, SQE, C(data.n_sg), ABOVE(PPIM_REG_MAX_SG),
	  LIMIT(PPIM_REG_MAX_SG) },
	{ "tier", QR, SQE, C(tier), .value = 4, FIELD(AT_COPY(tier)) },
	{ "tier-cxl", QR, SQE, C(tier), .value = PPIM_TIER_CXL,
	  UNBUILT(AT_COPY(tier)) },
	{ "slice", QR, SQE, C(slice), .reg = PPIM_REG_SLICES, PLACE(0, 0) },
	{ "dimm-with-slice", QR, SQE, C(tier), .value = PPIM_TIER_DIMM,
	  FIELD(AT_COPY(slice)) },
	{ "reserved0", QR, SQE, C(reserved0), .value = 1,
	  FIELD(AT_COPY(reserved0)) },
	{ "reserved1", QR, SQE, C(reserved1), .value = 1,
	  FIELD(AT_COPY(reserved1)) },
	{ "offset-at-end", QR, SQE, C(offset), .reg = PPIM_REG_SLICE_BYTES,
	  .value = -999ull, PLACE(0, 0) },
	{ "offset-wraps", QR, SQE, C(offset), .value = -1ull, PLACE(0, 0) },
	{ "unused", QR, SQE, S(words[6]), .value = 1, FIELD(AT_SQE(words[6])) },
};

static void copy_bad(struct ppim_dev *d, const struct bad *bad, uint8_t opcode)
{
	const uint64_t tier = PPIM_TEST_HBM + d->slice_bytes + 64;
	uint64_t addr = guest_alloc(d->alloc, 4096);
	struct ppim_hw_sqe sqe = {
		.opcode = opcode,
		.copy.data.addr = cpu_to_le64(addr),
		.copy.data.bytes = cpu_to_le64(1000),
		.copy.slice = cpu_to_le16(1),
		.copy.offset = cpu_to_le64(64),
	};
	struct ppim_hw_cqe cqe;

	ppim_fill(d, addr, 4096);
	qtest_memset(d->qts, tier, 0x11, 1000);
	value_spoil(d, &sqe, bad);
	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, bad->status, bad->detail_reg ?
			ppim_readl(d, bad->detail_reg) : bad->detail);
	g_assert_true(ppim_untouched(d, addr, 4096));
	g_assert_cmphex(qtest_readq(d->qts, tier), ==, 0x1111111111111111);
	ppim_assert_alive(d);
}

static void test_copy(struct ppim_dev *d, const void *arg)
{
	copy_bad(d, arg, PPIM_OP_WRITE);
	copy_bad(d, arg, PPIM_OP_READ);
	ppim_assert_works(d);
}

/* ---- registration ------------------------------------------------------- */

static void rows_register(const char *group, const struct bad *rows, size_t n,
			  ppim_test_fn fn)
{
	size_t i;

	for (i = 0; i < n; i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", group,
							rows[i].name);

		ppim_add_test(path, fn, &rows[i]);
	}
}

static void contents_register(const char *group,
			      const struct bad_content *rows, size_t n,
			      ppim_test_fn fn)
{
	size_t i;

	for (i = 0; i < n; i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", group,
							rows[i].name);

		ppim_add_test(path, fn, &rows[i]);
	}
}

static void register_tests(void)
{
	rows_register("bad-entry", bad_sqe, ARRAY_SIZE(bad_sqe), test_field);
	rows_register("bad-job", bad_job, ARRAY_SIZE(bad_job), test_field);
	rows_register("bad-sg", bad_sg, ARRAY_SIZE(bad_sg), test_field);
	rows_register("bad-table", bad_table, ARRAY_SIZE(bad_table),
		      test_field);
	rows_register("bad-subtable", bad_sub, ARRAY_SIZE(bad_sub),
		      test_field);
	rows_register("bad-extent", bad_extent, ARRAY_SIZE(bad_extent),
		      test_field);
	rows_register("bad-copy", bad_copy, ARRAY_SIZE(bad_copy), test_copy);
	contents_register("bad-index", bad_indices, ARRAY_SIZE(bad_indices),
			  test_index);
	contents_register("bad-offsets", bad_offsets, ARRAY_SIZE(bad_offsets),
			  test_offsets);
	ppim_add_test("bad-map/extent", test_map_extent, NULL);
	ppim_add_test("bad-map/row", test_map_row, NULL);
}

libqos_init(register_tests);
