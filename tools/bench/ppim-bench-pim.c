// SPDX-License-Identifier: MIT
/*
 * Speed of the PIM timing engine on one core: lookups/s of ppim_engine_check()
 * and ppim_engine_charge(), per preset, on batches of Criteo Kaggle's tables,
 * planned as the runtime plans. Beside it what the batches cost in simulated
 * time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "plan.h"
#include "ppim-engine/pim.h"
#include "workload.h"

#define TABLES	 26
#define DISTINCT 8 /* batches that take turns */
#define SECONDS	 0.4 /* measured per preset */

struct bench {
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config config;
	struct ppim_geometry geo;
	struct wl_tables wl;
	struct wl_source *src;
	struct ppim_plan *plan;
	struct ppim_table_desc table[TABLES];
	struct ppim_extent *extents[TABLES][PPIM_MAX_SUBTABLES];
	uint32_t bags, pooling;
	int64_t *offsets;
	struct ppim_job job[DISTINCT][TABLES];
};

static void die(const char *why)
{
	fprintf(stderr, "ppim-bench-pim: %s\n", why);
	exit(1);
}

static void *alloc(size_t n, size_t each)
{
	void *p = calloc(n, each);

	if (!p)
		die("no memory");
	return p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- tables and batches ------------------------------------------------- */

static void bench_open(struct bench *b)
{
	struct ppim_engine *e;
	struct ppim_diag diag;

	if (ppim_spec_find("HBM2_4Gb_x128", &b->hbm, &diag) ||
	    ppim_spec_find("DDR4_8Gb_x8_3200", &b->dimm, &diag))
		die(diag.msg);
	b->config.hbm = &b->hbm;
	b->config.dimm = &b->dimm;
	b->config.hbm_bytes = b->hbm.bytes;
	b->config.dimm_bytes = 2 * b->dimm.bytes;
	ppim_params_default(&b->config.params);
	if (ppim_engine_create(&b->config, &e, &diag))
		die(diag.msg);
	ppim_engine_geometry(e, &b->geo);
	ppim_engine_free(e);
}

static void bench_shapes(struct bench *b, enum ppim_algo algo)
{
	const struct wl_shape_config cfg = { .vec_bytes = 128,
					     .collisions = 4,
					     .rank = 16 };
	struct wl_diag diag;
	uint32_t t;

	if (wl_tables_load("kaggle", &b->wl, &diag))
		die(diag.msg);
	for (t = 0; t < TABLES; t++) {
		b->table[t].id = t + 1;
		if (wl_shape_make(algo, b->wl.rows[t], &cfg, &b->table[t].shape,
				  &diag))
			die(diag.msg);
	}
}

static void bench_plan(struct bench *b)
{
	const struct ppim_plan_geometry geo = {
		.slices = b->geo.slices,
		.channels = b->geo.channels,
		.slice_bytes = b->geo.slice_bytes,
		.dimm_bytes = b->config.dimm_bytes,
		.sram_bytes = b->geo.sram_bytes,
		.align = 64,
		.hbm_row_bytes = b->geo.row_bytes,
		.hot_ppm = b->geo.hot_ppm,
		.max_extents = 4096,
	};
	struct ppim_plan_table table[TABLES] = { 0 };
	struct ppim_plan_error err;
	uint32_t t;

	for (t = 0; t < TABLES; t++)
		table[t].shape = b->table[t].shape;
	if (ppim_plan_create(&geo, table, TABLES, NULL, NULL, &b->plan, &err))
		die(err.msg);
}

static void bench_place(struct bench *b, uint32_t t, uint32_t k)
{
	const struct ppim_plan_sub *from = ppim_plan_sub(b->plan, t, k);
	struct ppim_placed *p = &b->table[t].sub[k];
	struct ppim_extent *x = alloc(from->n_extents, sizeof(*x));
	uint32_t i;

	p->rows = from->rows;
	p->row_bytes = from->row_bytes;
	p->row_stride = from->row_stride;
	p->flags = from->flags;
	p->n_extents = from->n_extents;
	p->map = from->map;
	p->map_bits = from->map_bits;
	for (i = 0; i < from->n_extents; i++)
		x[i] = (struct ppim_extent){
			.tier = (uint8_t)from->extents[i].tier,
			.slice = (uint16_t)from->extents[i].slice,
			.offset = from->extents[i].offset,
			.rows = from->extents[i].rows,
		};
	b->extents[t][k] = x;
	p->extents = x;
}

static void bench_batches(struct bench *b)
{
	const struct wl_source_config cfg = { .tables = &b->wl,
					      .seed = 1,
					      .zipf = 1.05,
					      .expand = WL_EXPAND_PARETO,
					      .pooling = b->pooling };
	uint32_t n = b->bags * b->pooling, d, t, i;
	struct wl_diag diag;
	int64_t *indices;

	if (wl_source_open(&cfg, &b->src, &diag))
		die(diag.msg);
	b->offsets = alloc(b->bags, sizeof(*b->offsets));
	for (i = 0; i < b->bags; i++)
		b->offsets[i] = (int64_t)i * b->pooling;
	for (d = 0; d < DISTINCT; d++)
		for (t = 0; t < TABLES; t++) {
			indices = alloc(n, sizeof(*indices));
			for (i = 0; i < b->bags; i++)
				wl_bag_fill(b->src, d * b->bags + i, t,
					    b->pooling,
					    indices + i * b->pooling);
			b->job[d][t] = (struct ppim_job){
				.table = &b->table[t],
				.n_indices = n,
				.n_bags = b->bags,
				.indices = indices,
				.offsets = b->offsets,
			};
		}
	wl_source_close(b->src);
}

static void bench_make(struct bench *b, enum ppim_algo algo, uint32_t bags,
		       uint32_t pooling)
{
	uint32_t t, k;

	memset(b, 0, sizeof(*b));
	b->bags = bags;
	b->pooling = pooling;
	bench_open(b);
	bench_shapes(b, algo);
	bench_plan(b);
	for (t = 0; t < TABLES; t++)
		for (k = 0; k < ppim_shape_subtables(&b->table[t].shape); k++)
			bench_place(b, t, k);
	bench_batches(b);
}

static void bench_free(struct bench *b)
{
	uint32_t d, t, k;

	for (d = 0; d < DISTINCT; d++)
		for (t = 0; t < TABLES; t++)
			free((void *)(uintptr_t)b->job[d][t].indices);
	for (t = 0; t < TABLES; t++)
		for (k = 0; k < PPIM_MAX_SUBTABLES; k++)
			free(b->extents[t][k]);
	free(b->offsets);
	ppim_plan_free(b->plan);
}

/* ---- measuring ---------------------------------------------------------- */

struct result {
	uint64_t lookups;
	uint64_t commands;
	uint64_t bound[PPIM_BOUND_COUNT];
	double ns_per_lookup;
	double seconds;
};

static void bench_arch(const struct bench *b, uint32_t arch, struct result *r)
{
	struct ppim_batch batch = { .arch = arch, .n_jobs = TABLES };
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct ppim_fault f;
	struct ppim_diag diag;
	double start;
	uint32_t d;

	memset(r, 0, sizeof(*r));
	if (ppim_engine_create(&b->config, &e, &diag))
		die(diag.msg);
	start = now();
	do {
		for (d = 0; d < DISTINCT; d++) {
			batch.jobs = b->job[d];
			if (ppim_engine_check(e, &batch, &f) ||
			    ppim_engine_charge(e, &batch, 0, &a))
				die("a batch was refused");
			r->lookups += a.lookups;
			r->commands += a.commands;
			r->bound[a.bound_by] += a.cycles;
		}
		r->seconds = now() - start;
	} while (r->seconds < SECONDS);
	r->ns_per_lookup =
		(double)ppim_engine_now_ps(e) / 1e3 / (double)r->lookups;
	ppim_engine_free(e);
}

static const char *result_bound(const struct result *r)
{
	uint32_t i, most = 0;

	for (i = 1; i < PPIM_BOUND_COUNT; i++)
		if (r->bound[i] > r->bound[most])
			most = i;
	return ppim_engine_bound_name(most);
}

static void bench_algo(enum ppim_algo algo, const char *name, uint32_t bags,
		       uint32_t pooling)
{
	struct result r[PPIM_ARCH_COUNT];
	struct bench b;
	uint32_t arch;

	bench_make(&b, algo, bags, pooling);
	printf("%s, 26 tables, %u bags of %u\n", name, bags, pooling);
	printf("  %-14s %12s %14s %12s %9s  %s\n", "preset", "lookups/s",
	       "commands/s", "ns/lookup", "speedup", "bound by");
	for (arch = PPIM_ARCH_CPU; arch <= PPIM_ARCH_PROACTIVE_ALL; arch++)
		bench_arch(&b, arch, &r[arch]);
	for (arch = PPIM_ARCH_CPU; arch <= PPIM_ARCH_PROACTIVE_ALL; arch++)
		printf("  %-14s %12.0f %14.0f %12.3f %8.2fx  %s\n",
		       ppim_engine_arch_name(arch),
		       (double)r[arch].lookups / r[arch].seconds,
		       (double)r[arch].commands / r[arch].seconds,
		       r[arch].ns_per_lookup,
		       r[PPIM_ARCH_BGPIM].ns_per_lookup / r[arch].ns_per_lookup,
		       result_bound(&r[arch]));
	bench_free(&b);
}

int main(void)
{
	puts("PIM timing engine, one core; speedup over bgpim in simulated time");
	bench_algo(PPIM_ALGO_QR, "QR, c 4, 128 B", 4, 80);
	bench_algo(PPIM_ALGO_QR, "QR, c 4, 128 B", 12, 80);
	bench_algo(PPIM_ALGO_TT, "TT, rank 16, 128 B", 4, 80);
	bench_algo(PPIM_ALGO_TT, "TT, rank 16, 128 B", 12, 80);
	return 0;
}
