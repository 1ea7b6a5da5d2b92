// SPDX-License-Identifier: MIT
/* Embedding bags as the uapi describes them. */
#include <errno.h>
#include <string.h>
#include "ppim_int.h"

const char *bags_fault(const struct ppim_bags *b)
{
	static const uint8_t zero[sizeof(b->reserved)];

	if (b->index_bytes != 4 && b->index_bytes != 8)
		return "index_bytes is neither 4 nor 8";
	if (b->flags & ~(PPIM_BAGS_PADDING | PPIM_BAGS_LAST_OFFSET))
		return "flags has a bit without a meaning";
	if (memcmp(b->reserved, zero, sizeof(zero)))
		return "reserved is not zero";
	if (b->mode > PPIM_MODE_MAX)
		return "mode is neither sum, mean nor max";
	if (b->weights && b->mode != PPIM_MODE_SUM)
		return "weights go with the sum only";
	if (b->n_indices && !b->indices)
		return "indices is NULL";
	if (b->n_bags && !b->offsets)
		return "offsets is NULL";
	if (b->n_bags && !b->output)
		return "output is NULL";
	return NULL;
}

const char *gnr_fault(const struct ppim_gnr *g)
{
	if (!g->bags || !g->n_tables)
		return "it has no tables";
	if (g->arch >= PPIM_ARCH_COUNT)
		return "arch is no preset";
	return g->reserved ? "reserved is not zero" : NULL;
}

/* include_last_offset: the driver does not see that number. */
static bool bags_last_right(const struct ppim_bags *b)
{
	return !(b->flags & PPIM_BAGS_LAST_OFFSET) || !b->n_bags ||
	       bags_offset(b, b->n_bags) == b->n_indices;
}

static void job_fill(struct ppim_dev *dev, const struct ppim_bags *b,
		     struct ppim_ioc_job *j)
{
	uint64_t width = b->index_bytes;

	memset(j, 0, sizeof(*j));
	j->table = b->table->handle;
	j->n_indices = b->n_indices;
	j->n_bags = b->n_bags;
	j->mode = b->mode;
	j->index_bytes = b->index_bytes;
	if (b->flags & PPIM_BAGS_PADDING) {
		j->flags |= PPIM_JOB_PADDING;
		j->padding_index = b->padding_index;
	}
	buf_name(dev, b->indices, b->n_indices * width, &j->indices);
	buf_name(dev, b->offsets, b->n_bags * width, &j->offsets);
	if (b->weights) {
		j->flags |= PPIM_JOB_WEIGHTS;
		buf_name(dev, b->weights, b->n_indices * 4ull, &j->weights);
	}
	buf_name(dev, b->output,
		 (uint64_t)b->n_bags * b->table->shape.dim * 4, &j->output);
}

int bags_jobs(struct ppim_dev *dev, const struct ppim_gnr *gnr,
	      struct ppim_ioc_job *jobs, struct ppim_ioc_result *result)
{
	const struct ppim_bags *b;
	uint32_t i;

	if (result)
		memset(result, 0, sizeof(*result));
	for (i = 0; i < gnr->n_tables; i++) {
		b = &gnr->bags[i];
		if (result)
			result->job = i;
		if (!b->table || b->table->dev != dev ||
		    bags_fault(b))
			return result_fail(result, PPIM_ST_BAD_FIELD, EINVAL, 0,
					   0);
		if (!bags_last_right(b))
			return result_fail(result, PPIM_ST_BAD_OFFSETS, ERANGE,
					   b->n_bags, b->n_bags);
		job_fill(dev, b, &jobs[i]);
	}
	if (result)
		result->job = 0;
	return 0;
}
