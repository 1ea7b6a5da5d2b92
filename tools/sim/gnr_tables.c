// SPDX-License-Identifier: MIT
/* Tables as the engine sees them, where the planner put them. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "sim_gnr.h"

/* As the device says in its registers ALIGN and MAX_EXTENTS. */
#define DEVICE_ALIGN	   64
#define DEVICE_MAX_EXTENTS 4096

static void *checked(void *ptr)
{
	if (!ptr)
		cli_die(CLI_FAILED, "no memory");
	return ptr;
}

static struct ppim_extent *extents_copy(const struct ppim_plan_sub *sub)
{
	struct ppim_extent *out = checked(calloc(sub->n_extents, sizeof(*out)));
	uint32_t i;

	for (i = 0; i < sub->n_extents; i++)
		out[i] = (struct ppim_extent){
			.tier = sub->extents[i].tier,
			.slice = sub->extents[i].slice,
			.offset = sub->extents[i].offset,
			.rows = sub->extents[i].rows,
		};
	return out;
}

static void table_place(struct gnr_algo *a, uint32_t t, uint64_t id)
{
	struct ppim_table_desc *desc = &a->table[t];
	uint32_t s;

	desc->id = id;
	desc->epoch = 1;
	desc->shape = a->job.table[t].shape;
	for (s = 0; s < ppim_shape_subtables(&desc->shape); s++) {
		const struct ppim_plan_sub *sub = ppim_plan_sub(a->plan, t, s);
		struct ppim_extent **x =
			&a->extents[t * PPIM_MAX_SUBTABLES + s];

		*x = extents_copy(sub);
		desc->sub[s] = (struct ppim_placed){
			.rows = sub->rows,
			.row_bytes = sub->row_bytes,
			.row_stride = sub->row_stride,
			.flags = sub->flags,
			.n_extents = sub->n_extents,
			.extents = *x,
			.map = sub->map,
			.map_bits = sub->map_bits,
		};
	}
}

static void algo_plan(const struct gnr_model *m, struct gnr_algo *a)
{
	struct ppim_plan_geometry geo = {
		.slices = m->geo.slices,
		.channels = m->geo.channels,
		.slice_bytes = m->geo.slice_bytes,
		.dimm_bytes = m->config.dimm_bytes,
		.sram_bytes = m->geo.sram_bytes,
		.align = DEVICE_ALIGN,
		.hbm_row_bytes = m->geo.row_bytes,
		.hot_ppm = m->geo.hot_ppm,
		.max_extents = DEVICE_MAX_EXTENTS,
	};
	struct ppim_plan_error err = { "" };
	int ret;

	ret = ppim_plan_create(&geo, a->job.table, a->job.n, &a->job.options,
			       NULL, &a->plan, &err);
	if (ret)
		cli_die(CLI_FAILED, "placement: %s",
			*err.msg ? err.msg : strerror(-ret));
}

/* Ids go on from one algorithm's tables to the next, as a device gives them. */
void gnr_algo_open(const struct job *job, const struct gnr_model *m,
		   enum ppim_algo algo, uint64_t first_id, struct gnr_algo *a)
{
	struct wl_diag diag;
	uint32_t t;
	int ret;

	memset(a, 0, sizeof(*a));
	ret = job_algo_open(job, algo, &a->job, &diag);
	if (ret)
		cli_die(ret == -EINVAL ? CLI_USAGE : CLI_FAILED, "%s",
			diag.msg);
	algo_plan(m, a);
	a->input = job;
	a->table = checked(calloc(a->job.n, sizeof(*a->table)));
	a->extents = checked(calloc((size_t)a->job.n * PPIM_MAX_SUBTABLES,
				    sizeof(struct ppim_extent *)));
	for (t = 0; t < a->job.n; t++)
		table_place(a, t, first_id + t);
	if (job_placement_read(job, &a->job, a->plan, &a->placement))
		cli_die(CLI_FAILED, "no memory for a batch of %u indices",
			job->n_indices);
}

void gnr_algo_close(struct gnr_algo *a)
{
	uint32_t i;

	for (i = 0; i < a->job.n * PPIM_MAX_SUBTABLES; i++)
		free(a->extents[i]);
	free(a->extents);
	free(a->table);
	ppim_plan_free(a->plan);
	job_algo_close(&a->job);
}

void gnr_batch_open(const struct gnr_algo *a, uint32_t arch,
		    struct gnr_batch *b)
{
	const struct job *job = a->input;
	uint32_t t;

	b->jobs = checked(calloc(a->job.n, sizeof(*b->jobs)));
	b->batch = (struct ppim_batch){ .arch = arch,
					.n_jobs = a->job.n,
					.jobs = b->jobs };
	if (job_batch_alloc(job, &b->input))
		cli_die(CLI_FAILED, "no memory for a batch");
	for (t = 0; t < a->job.n; t++)
		b->jobs[t] = (struct ppim_job){
			.table = &a->table[t],
			.n_indices = job->n_indices,
			.n_bags = job->n_bags,
			.mode = PPIM_MODE_SUM,
			.indices = job_batch_indices(job, &b->input, t),
			.offsets = b->input.offsets,
		};
}

void gnr_batch_close(struct gnr_batch *b)
{
	job_batch_free(&b->input);
	free(b->jobs);
}
