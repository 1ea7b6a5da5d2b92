// SPDX-License-Identifier: MIT
/* The main job: its batches, profile and plan, and what its report says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "job.h"
#include "report.h"

static struct job_config config(void)
{
	return (struct job_config){
		.tables = "kaggle",
		.shape = { .vec_bytes = 128, .collisions = 4, .rank = 16 },
		.batch = 4,
		.pooling = 80,
		.samples = 2,
		.seed = 1,
		.zipf = 1.05,
		.algos = 1u << PPIM_ALGO_QR,
		.n_archs = 1,
		.archs = { PPIM_ARCH_PROACTIVE },
	};
}

static void job_make(const struct job_config *cfg, struct job *job)
{
	struct wl_diag diag;

	if (job_open(cfg, job, &diag))
		fail_msg("%s", diag.msg);
}

/* The device of the launcher's defaults: 4 GiB HBM2, 32 GiB DDR4. */
static const struct ppim_plan_geometry geometry = {
	.slices = 32,
	.channels = 8,
	.slice_bytes = 128ull << 20,
	.dimm_bytes = 32ull << 30,
	.sram_bytes = 40960,
	.align = 64,
	.hbm_row_bytes = 2048,
	.hot_ppm = 952380,
	.max_extents = 4096,
};

static void plan_make(const struct job *job, enum ppim_algo algo,
		      struct job_algo *a, struct ppim_plan **plan)
{
	struct ppim_plan_error err;
	struct wl_diag diag;

	if (job_algo_open(job, algo, a, &diag))
		fail_msg("%s", diag.msg);
	if (ppim_plan_create(&geometry, a->table, a->n, &a->options, NULL,
			     plan, &err))
		fail_msg("%s", err.msg);
}

static void a_batch_holds_the_bags_of_its_samples(void **state)
{
	struct job_config cfg = config();
	struct job_batch b;
	int64_t bag[80];
	struct job job;
	uint32_t t, i;

	(void)state;
	job_make(&cfg, &job);
	assert_int_equal(job_batch_alloc(&job, &b), 0);
	job_batch_fill(&job, 1, &b);
	for (t = 0; t < job.tables.n; t++) {
		for (i = 0; i < 4; i++) {
			assert_int_equal(b.offsets[i], 80 * i);
			wl_bag_fill(job.source, 4 + i, t, 80, bag);
			assert_memory_equal(job_batch_indices(&job, &b, t) +
						    80 * i,
					    bag, sizeof(bag));
		}
	}
	job_batch_free(&b);
	job_close(&job);
}

static void lookups_may_end_in_the_middle_of_a_bag(void **state)
{
	struct job_config cfg = config();
	struct job job;

	(void)state;
	cfg.lookups = 1024;
	job_make(&cfg, &job);
	assert_int_equal(job.n_indices, 1024);
	assert_int_equal(job.n_bags, 13);
	job_close(&job);
}

static void a_batch_beyond_the_limit_is_refused(void **state)
{
	struct job_config cfg = config();
	struct wl_diag diag;
	struct job job;

	(void)state;
	cfg.batch = 1 << 20;
	assert_int_equal(job_open(&cfg, &job, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "83886080 indices"));
	job_close(&job);
}

static void the_profile_covers_what_runs_and_256_samples_at_least(void **state)
{
	struct job_config cfg = config();
	struct job job;

	(void)state;
	job_make(&cfg, &job);
	assert_int_equal(job_profile_samples(&job), 256);
	job_close(&job);
	cfg.samples = 100;
	job_make(&cfg, &job);
	assert_int_equal(job_profile_samples(&job), 400);
	job_close(&job);
	cfg.profile = 10;
	job_make(&cfg, &job);
	assert_int_equal(job_profile_samples(&job), 10);
	job_close(&job);
}

static void the_hbm_serves_the_share_that_was_asked_for(void **state)
{
	struct job_config cfg = config();
	struct job_placement p;
	struct ppim_plan *plan;
	struct job_algo a;
	struct job job;
	double share;

	(void)state;
	job_make(&cfg, &job);
	plan_make(&job, PPIM_ALGO_QR, &a, &plan);
	assert_int_equal(job_placement_read(&job, &a, plan, &p), 0);
	share = (double)p.plan.accesses_hbm / p.plan.accesses;
	assert_int_equal(p.plan.accesses, 26 * 256 * 80);
	assert_true(share >= 0.95238 && share < 0.98);
	assert_int_equal(p.run_accesses, 26 * 8 * 80);
	share = (double)p.run_accesses_hbm / p.run_accesses;
	assert_true(share > 0.94 && share < 0.99);
	ppim_plan_free(plan);
	job_algo_close(&a);
	job_close(&job);
}

static void q_of_512_byte_vectors_spills_out_of_the_hbm(void **state)
{
	struct job_config cfg = config();
	const struct ppim_plan_sub *sub;
	uint64_t q = 0, cold = 0;
	struct ppim_plan *plan;
	struct job_algo a;
	struct job job;
	uint32_t t;

	(void)state;
	cfg.shape.vec_bytes = 512;
	cfg.hot_ppm = 1000000;
	job_make(&cfg, &job);
	plan_make(&job, PPIM_ALGO_QR, &a, &plan);
	for (t = 0; t < a.n; t++) {
		sub = ppim_plan_sub(plan, t, PPIM_SUB_Q);
		q += sub->rows * sub->row_bytes;
		cold += sub->dimm_bytes;
		assert_true(sub->hbm_bytes + sub->dimm_bytes >=
			    sub->rows * sub->row_bytes);
	}
	assert_true(q > 4ull << 30);
	assert_true(cold > 0);
	ppim_plan_free(plan);
	job_algo_close(&a);
	job_close(&job);
}

static void without_copies_nothing_is_duplicated_or_prefetched(void **state)
{
	struct job_config cfg = config();
	struct ppim_plan_summary sum;
	struct ppim_plan *plan;
	struct job_algo a;
	struct job job;

	(void)state;
	cfg.no_duplicate = true;
	job_make(&cfg, &job);
	plan_make(&job, PPIM_ALGO_TT, &a, &plan);
	ppim_plan_summary(plan, &sum);
	assert_int_equal(sum.duplicated, 0);
	assert_int_equal(sum.prefetched, 0);
	ppim_plan_free(plan);
	job_algo_close(&a);
	job_close(&job);
}

/* ---- results ---- */

static struct job_result result(uint32_t arch, uint64_t busy_ps)
{
	struct ppim_annotation note = {
		.busy_ps = busy_ps,
		.cycles = busy_ps / 1000,
		.lookups = 100,
		.reads_hbm = 7,
		.reads_dimm = 3,
		.entry_refs = 8,
		.entry_reuses = 6,
		.bound_by = PPIM_BOUND_DIMM,
	};
	struct job_result r;

	job_result_init(&r, PPIM_ALGO_QR, arch, true);
	assert_int_equal(job_result_add(&r, &note), 0);
	note.busy_ps *= 2;
	note.bound_by = PPIM_BOUND_ACTIVATION;
	assert_int_equal(job_result_add(&r, &note), 0);
	return r;
}

static void results_add_up_over_batches(void **state)
{
	struct job_result r = result(PPIM_ARCH_BGPIM, 50000);

	(void)state;
	assert_int_equal(r.batches, 2);
	assert_int_equal(r.sum.lookups, 200);
	assert_true(job_result_ns_per_lookup(&r) == 0.75);
	/* the batch that took longer */
	assert_int_equal(job_result_bound(&r), PPIM_BOUND_ACTIVATION);
	assert_int_equal(r.note[0].busy_ps, 50000);
	assert_int_equal(r.note[1].busy_ps, 100000);
	job_result_free(&r);
}

static void json_has_the_documented_keys_and_speedups(void **state)
{
	static const char *const keys[] = {
		"arch", "cycles", "ns_per_lookup", "speedup_vs", "activations",
		"reads", "sram_hits", "sram_misses", "moves", "bound_by",
		"energy_pj", "intra_gnr_reuse", "annotations",
	};
	struct job_result r[2] = { result(PPIM_ARCH_BGPIM, 90000),
				   result(PPIM_ARCH_PROACTIVE, 30000) };
	json_t *array = report_json_results(r, 2), *o, *vs;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(array), 2);
	o = json_array_get(array, 1);
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_non_null(json_object_get(o, keys[i]));
	assert_string_equal(json_string_value(json_object_get(o, "arch")),
			    "proactive");
	assert_int_equal(json_integer_value(json_object_get(o, "reads")), 20);
	vs = json_object_get(o, "speedup_vs");
	assert_true(json_number_value(json_object_get(vs, "bgpim")) == 3.0);
	assert_true(json_number_value(json_object_get(vs, "proactive")) == 1.0);
	assert_true(json_number_value(json_object_get(o, "intra_gnr_reuse")) ==
		    0.75);
	json_decref(array);
	job_result_free(&r[0]);
	job_result_free(&r[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_holds_the_bags_of_its_samples),
		cmocka_unit_test(lookups_may_end_in_the_middle_of_a_bag),
		cmocka_unit_test(a_batch_beyond_the_limit_is_refused),
		cmocka_unit_test(
			the_profile_covers_what_runs_and_256_samples_at_least),
		cmocka_unit_test(the_hbm_serves_the_share_that_was_asked_for),
		cmocka_unit_test(q_of_512_byte_vectors_spills_out_of_the_hbm),
		cmocka_unit_test(
			without_copies_nothing_is_duplicated_or_prefetched),
		cmocka_unit_test(results_add_up_over_batches),
		cmocka_unit_test(json_has_the_documented_keys_and_speedups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
