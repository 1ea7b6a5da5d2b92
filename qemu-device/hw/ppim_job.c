// SPDX-License-Identifier: GPL-2.0-only
/*
 * PPIM_OP_GNR: copies a batch out of guest memory and checks what can be
 * checked without looking at every index (the engine does that, on a worker).
 * Every count is bounded before it is multiplied; every structure is copied
 * once and only the copy is looked at.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "ppim.h"
#include "trace.h"

#define SQE_AT(field)	offsetof(struct ppim_hw_sqe, field)
#define JOB_AT(field)	offsetof(struct ppim_hw_job, field)
#define BUF_IN_JOB(field) ((uint64_t)PPIM_IN_JOB << 32 | JOB_AT(field))

static bool archs_has(const PPIMState *s, uint32_t arch)
{
	return s->geo.archs & (1u << arch);
}

static int sqe_check(PPIMState *s, struct ppim_cmd *cmd,
		     const struct ppim_hw_sqe *sqe)
{
	uint32_t n = le32_to_cpu(sqe->gnr.n_jobs);
	uint32_t i, arch = sqe->gnr.arch;

	for (i = 0; i < sizeof(sqe->gnr.reserved); i++)
		if (sqe->gnr.reserved[i])
			return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
						  SQE_AT(gnr.reserved) + i);
	if (ppim_cmd_tail_zero(cmd, sqe, SQE_AT(gnr) + sizeof(sqe->gnr)))
		return -1;
	if (!n)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(gnr.n_jobs));
	if (n > PPIM_TABLES_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_TABLES_MAX);
	if (arch >= PPIM_ARCH_COUNT)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(gnr.arch));
	if (arch != PPIM_ARCH_DEFAULT && !archs_has(s, arch))
		return ppim_cmd_unsupported(cmd, PPIM_IN_SQE,
					    SQE_AT(gnr.arch));
	return 0;
}

/* What the batch has taken so far of its limits. */
struct totals {
	uint64_t indices, bags, output;
};

static int job_counts(struct ppim_cmd *cmd, const struct ppim_hw_job *hw,
		      struct totals *sum)
{
	sum->indices += le32_to_cpu(hw->n_indices);
	sum->bags += le32_to_cpu(hw->n_bags);
	if (!hw->n_bags)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(n_bags));
	if (sum->indices > PPIM_INDICES_MAX || sum->bags > PPIM_INDICES_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_INDICES_MAX);
	return 0;
}

static int job_fields(struct ppim_cmd *cmd, const struct ppim_hw_job *hw)
{
	static const struct ppim_hw_buf none;

	if (hw->mode > PPIM_MODE_MAX)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(mode));
	if (hw->index_bytes != 4 && hw->index_bytes != 8)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB,
					  JOB_AT(index_bytes));
	if (hw->flags & ~PPIM_JOBF_ALL)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(flags));
	if ((hw->flags & PPIM_JOBF_WEIGHTS) && hw->mode != PPIM_MODE_SUM)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(flags));
	if (hw->reserved0)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(reserved0));
	if (hw->reserved1)
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(reserved1));
	if (!(hw->flags & PPIM_JOBF_WEIGHTS) &&
	    memcmp(&hw->weights, &none, sizeof(none)))
		return ppim_cmd_bad_field(cmd, PPIM_IN_JOB, JOB_AT(weights));
	return 0;
}

/* Reads a whole input buffer into fresh memory; NULL with the fault. */
static void *coroutine_fn input_load(PPIMState *s, struct ppim_cmd *cmd,
				     const struct ppim_hw_buf *hw,
				     uint64_t field, uint64_t bytes)
{
	struct ppim_buf buf = { .bytes = bytes };
	void *data = NULL;

	if (!ppim_buf_load(s, cmd, hw, field, &buf))
		data = ppim_cmd_room(cmd, MAX(bytes, 1));
	if (data && ppim_buf_read(s, cmd, &buf, data)) {
		g_free(data);
		data = NULL;
	}
	ppim_buf_free(&buf);
	return data;
}

static int coroutine_fn job_inputs(PPIMState *s, struct ppim_cmd *cmd,
				   const struct ppim_hw_job *hw,
				   struct ppim_cmd_job *own)
{
	uint64_t n = le32_to_cpu(hw->n_indices), bags = le32_to_cpu(hw->n_bags);
	uint64_t i;

	own->index_bytes = hw->index_bytes;
	own->indices = input_load(s, cmd, &hw->indices, BUF_IN_JOB(indices),
				  n * hw->index_bytes);
	if (!own->indices)
		return -1;
	own->offsets = input_load(s, cmd, &hw->offsets, BUF_IN_JOB(offsets),
				  bags * hw->index_bytes);
	if (!own->offsets)
		return -1;
	if (!(hw->flags & PPIM_JOBF_WEIGHTS))
		return 0;
	own->weights = input_load(s, cmd, &hw->weights, BUF_IN_JOB(weights),
				  n * sizeof(float));
	if (!own->weights)
		return -1;
	for (i = 0; HOST_BIG_ENDIAN && i < n; i++)
		bswap32s((uint32_t *)&own->weights[i]);
	return 0;
}

static int coroutine_fn job_output(PPIMState *s, struct ppim_cmd *cmd,
				   const struct ppim_hw_job *hw,
				   struct ppim_cmd_job *own, struct totals *sum)
{
	own->out.bytes = (uint64_t)le32_to_cpu(hw->n_bags) *
			 own->table.shape.dim * sizeof(float);
	sum->output += own->out.bytes;
	if (sum->output > PPIM_OUTPUT_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_OUTPUT_MAX);
	if (ppim_buf_load(s, cmd, &hw->output, BUF_IN_JOB(output), &own->out))
		return -1;
	own->output = ppim_cmd_room(cmd, own->out.bytes);
	return own->output ? 0 : -1;
}

static int coroutine_fn job_load(PPIMState *s, struct ppim_cmd *cmd, uint32_t i,
				 const struct ppim_hw_job *hw,
				 struct totals *sum)
{
	struct ppim_cmd_job *own = &cmd->own[i];

	cmd->fault.job = i;
	if (job_counts(cmd, hw, sum) || job_fields(cmd, hw))
		return -1;
	if (ppim_table_load(s, cmd, i, le64_to_cpu(hw->table)))
		return -1;
	if (job_inputs(s, cmd, hw, own) || job_output(s, cmd, hw, own, sum))
		return -1;
	cmd->jobs[i] = (struct ppim_job){
		.table = &own->table,
		.n_indices = le32_to_cpu(hw->n_indices),
		.n_bags = le32_to_cpu(hw->n_bags),
		.mode = hw->mode,
		.has_padding = !!(hw->flags & PPIM_JOBF_PADDING),
		.padding_index = (int64_t)le64_to_cpu(hw->padding_index),
		.weights = own->weights,
		.cancel = &cmd->skip,
	};
	return 0;
}

static int coroutine_fn jobs_load(PPIMState *s, struct ppim_cmd *cmd,
				  const struct ppim_hw_job *hw)
{
	struct totals sum = { 0 };
	uint32_t i;

	for (i = 0; i < cmd->batch.n_jobs; i++)
		if (job_load(s, cmd, i, &hw[i], &sum))
			return -1;
	cmd->fault.job = 0;
	cmd->bags = sum.bags;
	trace_ppim_submit(cmd->qid, cmd->cid, cmd->generation,
			  cmd->batch.arch, cmd->batch.n_jobs, sum.indices,
			  sum.bags);
	return 0;
}

int coroutine_fn ppim_gnr_load(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_hw_sqe *sqe)
{
	g_autofree struct ppim_hw_job *hw = NULL;
	uint32_t n;

	if (sqe_check(s, cmd, sqe))
		return -1;
	n = le32_to_cpu(sqe->gnr.n_jobs);
	cmd->annotation_addr = le64_to_cpu(sqe->gnr.annotation);
	cmd->own = ppim_cmd_alloc(cmd, n, sizeof(*cmd->own));
	cmd->jobs = ppim_cmd_alloc(cmd, n, sizeof(*cmd->jobs));
	hw = g_new(struct ppim_hw_job, n);
	if (!cmd->own || !cmd->jobs)
		return -1;
	cmd->n_own = n;
	cmd->batch = (struct ppim_batch){
		.arch = sqe->gnr.arch ?: s->arch_default,
		.n_jobs = n, .queue = cmd->qid, .jobs = cmd->jobs,
	};
	if (ppim_cmd_fetch(s, cmd, le64_to_cpu(sqe->gnr.jobs), hw,
			   n * sizeof(*hw)))
		return -1;
	return jobs_load(s, cmd, hw);
}
