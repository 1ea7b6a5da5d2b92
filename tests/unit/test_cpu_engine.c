// SPDX-License-Identifier: MIT
/*
 * The CPU path and the device's engine were written apart from the same words:
 * on tables placed by a plan, split tiers and copies included, they must give
 * the same bits. The plan's places are the engine's, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plan.h"
#include "ppim.h"
#include "ppim-engine/engine.h"

#define BAGS 16
#define POOLING 25
#define INDICES (BAGS * POOLING)

static const struct ppim_plan_geometry geo = {
	.slices = 8,
	.channels = 2,
	.slice_bytes = 1 << 20,
	.dimm_bytes = 8 << 20,
	.sram_bytes = 4096,
	.align = 64,
	.hbm_row_bytes = 2048,
	.hot_ppm = 800000,
	.max_extents = 64,
};

struct rig {
	struct ppim_shape shape;
	struct ppim_plan *plan;
	struct ppim_memory mem;
	uint8_t *hbm, *dimm;
	void *data[PPIM_MAX_SUBTABLES];
	struct ppim_extent extents[PPIM_MAX_SUBTABLES][64];
	struct ppim_table_desc desc;
	int64_t indices[INDICES], offsets[BAGS];
	float weights[INDICES];
};

static uint64_t rng(uint64_t *s)
{
	*s = *s * 6364136223846793005 + 1442695040888963407;
	return *s >> 20;
}

static void rig_input(struct rig *g, uint64_t seed)
{
	uint64_t r;
	int i;

	for (i = 0; i < INDICES; i++) {
		/* half of the lookups go to a sixteenth of the rows */
		r = rng(&seed) % g->shape.rows;
		g->indices[i] = (int64_t)(i & 1 ? r : r / 16);
		g->weights[i] = (float)(int)(rng(&seed) % 2000 - 1000) / 333;
	}
	for (i = 0; i < BAGS; i++)
		g->offsets[i] = i * POOLING;
}

static void rig_plan(struct rig *g)
{
	struct ppim_plan_table t = { .name = "t", .shape = g->shape };
	struct ppim_plan_profile *p;
	struct ppim_plan_error err;

	assert_int_equal(ppim_plan_profile_create(&g->shape, &p), 0);
	assert_int_equal(ppim_plan_profile_add(p, g->indices, INDICES / 2,
					       NULL), 0);
	t.profile = p;
	if (ppim_plan_create(&geo, &t, 1, NULL, NULL, &g->plan, &err))
		fail_msg("%s", err.msg);
	ppim_plan_profile_free(p);
}

/* Puts a row where the plan says, in each copy. */
static void row_put(struct rig *g, const struct ppim_plan_sub *s, uint64_t row,
		    const void *data)
{
	struct ppim_plan_loc loc;
	uint32_t copy = 0;

	while (!ppim_plan_locate(s, row, copy, &loc)) {
		if (loc.tier == PPIM_TIER_HBM)
			memcpy(g->hbm + loc.slice * geo.slice_bytes + loc.offset,
			       data, s->row_bytes);
		else
			memcpy(g->dimm + loc.offset, data, s->row_bytes);
		if (!(s->flags & PPIM_SUBF_DUPLICATED))
			break;
		copy++;
	}
}

static void sub_fill(struct rig *g, uint32_t k, uint64_t *seed)
{
	const struct ppim_plan_sub *s = ppim_plan_sub(g->plan, 0, k);
	uint64_t elems = ppim_shape_elems(&g->shape, k), row, e;
	float *v = malloc(elems * sizeof(*v));

	g->data[k] = malloc(s->rows * s->row_bytes);
	for (row = 0; row < s->rows; row++) {
		char *at = (char *)g->data[k] + row * s->row_bytes;

		for (e = 0; e < elems; e++)
			v[e] = (float)(int)(rng(seed) % 20001 - 10000) / 7919;
		ppim_row_encode(g->shape.dtype, v, elems, at);
		row_put(g, s, row, at);
	}
	free(v);
}

static void sub_describe(struct rig *g, uint32_t k)
{
	const struct ppim_plan_sub *s = ppim_plan_sub(g->plan, 0, k);
	uint32_t i;

	for (i = 0; i < s->n_extents; i++)
		g->extents[k][i] = (struct ppim_extent){
			.tier = (uint8_t)s->extents[i].tier,
			.slice = (uint16_t)s->extents[i].slice,
			.offset = s->extents[i].offset,
			.rows = s->extents[i].rows,
		};
	g->desc.sub[k] = (struct ppim_placed){
		.rows = s->rows,
		.row_bytes = s->row_bytes,
		.row_stride = s->row_stride,
		.flags = s->flags,
		.n_extents = s->n_extents,
		.extents = g->extents[k],
		.map = s->map,
		.map_bits = s->map_bits,
	};
}

static void rig_make(struct rig *g, const struct ppim_shape *shape,
		     uint64_t seed)
{
	uint32_t k;

	memset(g, 0, sizeof(*g));
	g->shape = *shape;
	g->desc.shape = *shape;
	rig_input(g, seed);
	rig_plan(g);
	g->hbm = calloc(geo.slices, geo.slice_bytes);
	g->dimm = calloc(1, geo.dimm_bytes);
	g->mem = (struct ppim_memory){
		.hbm = g->hbm,
		.hbm_bytes = geo.slices * geo.slice_bytes,
		.slice_bytes = geo.slice_bytes,
		.dimm = g->dimm,
		.dimm_bytes = geo.dimm_bytes,
	};
	for (k = 0; k < ppim_shape_subtables(shape); k++) {
		sub_fill(g, k, &seed);
		sub_describe(g, k);
	}
}

static void rig_free(struct rig *g)
{
	uint32_t k;

	ppim_plan_free(g->plan);
	free(g->hbm);
	free(g->dimm);
	for (k = 0; k < PPIM_MAX_SUBTABLES; k++)
		free(g->data[k]);
}

static void same_bits(struct rig *g, uint8_t mode, bool weights, bool padding)
{
	struct ppim_job job = {
		.table = &g->desc,
		.n_indices = INDICES,
		.n_bags = BAGS,
		.mode = mode,
		.has_padding = padding,
		.padding_index = padding ? g->indices[3] : 0,
		.indices = g->indices,
		.offsets = g->offsets,
		.weights = weights ? g->weights : NULL,
	};
	struct ppim_rows rows = { .base = { g->data[0], g->data[1],
					    g->data[2] } };
	struct ppim_bags bags = {
		.indices = g->indices,
		.offsets = g->offsets,
		.weights = job.weights,
		.n_indices = INDICES,
		.n_bags = BAGS,
		.index_bytes = 8,
		.mode = mode,
		.flags = padding ? PPIM_BAGS_PADDING : 0,
		.padding_index = job.padding_index,
	};
	size_t n = (size_t)BAGS * g->shape.dim;
	float *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
	struct ppim_fault fault;

	bags.output = b;
	assert_int_equal(ppim_gnr_compute(&g->mem, &job, 0, BAGS, a, &fault), 0);
	assert_int_equal(ppim_cpu_gnr(&g->shape, &rows, &bags, 2, NULL), 0);
	assert_memory_equal(a, b, n * sizeof(*a));
	free(a);
	free(b);
}

static void check_shape(const struct ppim_shape *shape)
{
	struct ppim_shape s = *shape;
	struct rig *g = malloc(sizeof(*g));
	uint8_t mode;

	for (s.dtype = 0; s.dtype <= PPIM_DTYPE_BF16; s.dtype++) {
		rig_make(g, &s, 11 + s.dtype);
		for (mode = 0; mode <= PPIM_MODE_MAX; mode++) {
			same_bits(g, mode, false, false);
			same_bits(g, mode, false, true);
		}
		same_bits(g, PPIM_MODE_SUM, true, true);
		rig_free(g);
	}
	free(g);
}

static void dense_tables_give_the_same_bits(void **state)
{
	struct ppim_shape s = { .rows = 3000, .dim = 45 };

	(void)state;
	check_shape(&s);
}

static void qr_tables_give_the_same_bits(void **state)
{
	struct ppim_shape s = { .rows = 9001, .dim = 44, .collisions = 4,
				.algo = PPIM_ALGO_QR };

	(void)state;
	for (s.combine = 0; s.combine <= PPIM_COMBINE_CONCAT; s.combine++)
		for (s.qr_order = 0; s.qr_order <= PPIM_QR_POOLED; s.qr_order++)
			check_shape(&s);
}

static void tt_tables_give_the_same_bits(void **state)
{
	static const struct ppim_shape s[] = {
		{ .rows = 7000, .dim = 32, .algo = PPIM_ALGO_TT,
		  .tt_p = { 20, 20, 20 }, .tt_q = { 2, 4, 4 },
		  .tt_r = { 16, 16 } },
		{ .rows = 700, .dim = 128, .algo = PPIM_ALGO_TT,
		  .tt_p = { 9, 9, 9 }, .tt_q = { 4, 4, 8 },
		  .tt_r = { 32, 32 } },
		{ .rows = 59, .dim = 105, .algo = PPIM_ALGO_TT,
		  .tt_p = { 3, 4, 5 }, .tt_q = { 5, 3, 7 },
		  .tt_r = { 3, 9 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++)
		check_shape(&s[i]);
}

/* A plan that left nothing in the DIMM would test less than it says. */
static void the_rig_splits_its_tables(void **state)
{
	struct ppim_shape s = { .rows = 9001, .dim = 44, .collisions = 4,
				.algo = PPIM_ALGO_QR };
	struct rig *g = malloc(sizeof(*g));

	(void)state;
	rig_make(g, &s, 1);
	assert_int_equal(g->desc.sub[0].flags, PPIM_SUBF_MAPPED);
	assert_true(g->desc.sub[1].flags & PPIM_SUBF_DUPLICATED);
	rig_free(g);
	free(g);
}

/* What is planned on the CPU path is planned so on a device of default make. */
static void the_cpu_path_has_a_default_devices_geometry(void **state)
{
	struct ppim_engine_config config = { .hbm_bytes = 4ull << 30,
					     .dimm_bytes = 32ull << 30 };
	struct ppim_plan_geometry cpu;
	struct ppim_engine *engine;
	struct ppim_geometry device;
	struct ppim_spec hbm, dimm;
	struct ppim_diag diag;
	struct ppim_dev *dev;

	(void)state;
	assert_int_equal(ppim_spec_find("HBM2_4Gb_x128", &hbm, &diag), 0);
	assert_int_equal(ppim_spec_find("DDR4_8Gb_x8_3200", &dimm, &diag), 0);
	config.hbm = &hbm;
	config.dimm = &dimm;
	ppim_params_default(&config.params);
	assert_int_equal(ppim_engine_create(&config, &engine, &diag), 0);
	ppim_engine_geometry(engine, &device);
	assert_int_equal(ppim_open(PPIM_DEV_CPU, &dev), 0);
	assert_int_equal(ppim_plan_geometry_get(dev, &cpu), 0);
	assert_int_equal(cpu.channels, device.channels);
	assert_int_equal(cpu.slices, device.slices);
	assert_int_equal(cpu.slice_bytes, device.slice_bytes);
	assert_int_equal(cpu.dimm_bytes, config.dimm_bytes);
	assert_int_equal(cpu.hbm_row_bytes, device.row_bytes);
	assert_int_equal(cpu.sram_bytes, device.sram_bytes);
	assert_int_equal(cpu.hot_ppm, device.hot_ppm);
	ppim_close(dev);
	ppim_engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_path_has_a_default_devices_geometry),
		cmocka_unit_test(the_rig_splits_its_tables),
		cmocka_unit_test(dense_tables_give_the_same_bits),
		cmocka_unit_test(qr_tables_give_the_same_bits),
		cmocka_unit_test(tt_tables_give_the_same_bits),
	};

	return cmocka_run_group_tests_name("cpu-engine", tests, NULL, NULL);
}
