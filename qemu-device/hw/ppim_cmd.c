// SPDX-License-Identifier: GPL-2.0-only
/* A command's memory, all of it bounded and accounted, and its verdict. */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "ppim.h"

struct ppim_cmd *ppim_cmd_new(enum ppim_cmd_kind kind, uint16_t qid,
			      const struct ppim_hw_sqe *sqe)
{
	struct ppim_cmd *cmd = g_new0(struct ppim_cmd, 1);

	cmd->kind = kind;
	cmd->qid = qid;
	if (sqe) {
		cmd->cid = le16_to_cpu(sqe->cid);
		cmd->generation = le32_to_cpu(sqe->generation);
	}
	return cmd;
}

static void cmd_job_free(struct ppim_cmd_job *own)
{
	int i;

	for (i = 0; i < PPIM_MAX_SUBTABLES; i++)
		g_free(own->extents[i]);
	g_free(own->indices);
	g_free(own->offsets);
	g_free(own->weights);
	g_free(own->output);
	ppim_buf_free(&own->out);
}

void ppim_cmd_free(struct ppim_cmd *cmd)
{
	int32_t i;

	for (i = 0; i < cmd->n_own; i++)
		cmd_job_free(&cmd->own[i]);
	g_free(cmd->own);
	g_free(cmd->jobs);
	g_free(cmd->units);
	g_free(cmd->data);
	g_free(cmd);
}

/* Zeroed memory of a size that a guest chose: it may fail, QEMU may not. */
void *ppim_cmd_alloc(struct ppim_cmd *cmd, uint64_t count, uint64_t size)
{
	void *p = g_try_malloc0_n(count, size);

	if (!p) {
		ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, count * size);
		return NULL;
	}
	cmd->bytes += count * size;
	return p;
}

/* The same for bytes that are all written before anyone looks at them. */
void *ppim_cmd_room(struct ppim_cmd *cmd, uint64_t bytes)
{
	void *p = g_try_malloc(bytes);

	if (!p) {
		ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, bytes);
		return NULL;
	}
	cmd->bytes += bytes;
	return p;
}

int ppim_cmd_fail(struct ppim_cmd *cmd, enum ppim_status status,
		  uint64_t detail)
{
	cmd->fault.status = status;
	cmd->fault.detail = detail;
	return -1;
}

int ppim_cmd_bad_field(struct ppim_cmd *cmd, enum ppim_hw_where where,
		       uint64_t offset)
{
	return ppim_cmd_fail(cmd, PPIM_ST_BAD_FIELD,
			     (uint64_t)where << 32 | offset);
}

int ppim_cmd_unsupported(struct ppim_cmd *cmd, enum ppim_hw_where where,
			 uint64_t offset)
{
	return ppim_cmd_fail(cmd, PPIM_ST_UNSUPPORTED,
			     (uint64_t)where << 32 | offset);
}

/* What an opcode does not use of an entry is zero; otherwise the word that is
 * not, or its part from `from` on, is the bad field. */
int ppim_cmd_tail_zero(struct ppim_cmd *cmd, const struct ppim_hw_sqe *sqe,
		       size_t from)
{
	const uint8_t *bytes = (const uint8_t *)sqe;
	size_t i;

	for (i = from; i < sizeof(*sqe); i++)
		if (bytes[i])
			return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
						  MAX(from, i & ~7ul));
	return 0;
}

/* What a completion says, without what it took to get there. */
struct ppim_cmd *ppim_cmd_echo(const struct ppim_cmd *cmd)
{
	struct ppim_cmd *echo = ppim_cmd_new(PPIM_CMD_NOP, cmd->qid, NULL);

	echo->cid = cmd->cid;
	echo->generation = cmd->generation;
	echo->fault = cmd->fault;
	echo->note = cmd->note;
	return echo;
}

void ppim_cmd_note_le(const struct ppim_cmd *cmd, struct ppim_annotation *out)
{
	const uint64_t *from = (const uint64_t *)&cmd->note;
	uint64_t *to = (uint64_t *)out;
	size_t i;

	for (i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] = cpu_to_le64(from[i]);
	/* the two fields that are not 64 bits wide */
	out->arch = cpu_to_le32(cmd->note.arch);
	out->bound_by = cpu_to_le32(cmd->note.bound_by);
}
