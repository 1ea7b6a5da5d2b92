// SPDX-License-Identifier: GPL-2.0-only
/*
 * PPIM_OP_WRITE and PPIM_OP_READ: between guest memory and a tier.
 * PPIM_ADM_CLEAR: a range of a tier becomes zero.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "exec/memory.h"
#include "migration/misc.h"
#include "ppim.h"
#include "trace.h"

#define SQE_AT(field)	offsetof(struct ppim_hw_sqe, field)

static int place_load(PPIMState *s, struct ppim_cmd *cmd,
		      const struct ppim_hw_sqe *sqe)
{
	uint64_t offset = le64_to_cpu(sqe->copy.offset), size, bytes;
	uint16_t slice = le16_to_cpu(sqe->copy.slice);
	bool dimm = sqe->copy.tier == PPIM_TIER_DIMM;

	if (sqe->copy.reserved0)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.reserved0));
	if (sqe->copy.reserved1)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.reserved1));
	if (sqe->copy.tier > PPIM_TIER_HOST)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(copy.tier));
	if (sqe->copy.tier > PPIM_TIER_DIMM)
		return ppim_cmd_unsupported(cmd, PPIM_IN_SQE,
					    SQE_AT(copy.tier));
	if (dimm && slice)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, SQE_AT(copy.slice));
	if (slice >= s->geo.slices)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_PLACEMENT, 0);
	size = dimm ? s->mem.dimm_bytes : s->mem.slice_bytes;
	bytes = cmd->copy_bytes;
	if (bytes > size || offset > size - bytes)
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_PLACEMENT, 0);
	cmd->copy_tier = sqe->copy.tier;
	cmd->copy_offset = offset + slice * s->mem.slice_bytes;
	return 0;
}

/* READ: where the bytes go, and room for them until then. */
static int coroutine_fn read_load(PPIMState *s, struct ppim_cmd *cmd,
				  const struct ppim_hw_buf *data)
{
	cmd->own = ppim_cmd_alloc(cmd, 1, sizeof(*cmd->own));
	if (!cmd->own)
		return -1;
	cmd->n_own = 1;
	cmd->own->out.bytes = cmd->copy_bytes;
	if (ppim_buf_load(s, cmd, data, SQE_AT(copy.data), &cmd->own->out))
		return -1;
	cmd->own->output = ppim_cmd_room(cmd, cmd->copy_bytes);
	return cmd->own->output ? 0 : -1;
}

static int coroutine_fn write_load(PPIMState *s, struct ppim_cmd *cmd,
				   const struct ppim_hw_buf *data)
{
	struct ppim_buf buf = { .bytes = cmd->copy_bytes };
	int ret = ppim_buf_load(s, cmd, data, SQE_AT(copy.data), &buf);

	if (!ret) {
		cmd->data = ppim_cmd_room(cmd, cmd->copy_bytes);
		ret = cmd->data ? ppim_buf_read(s, cmd, &buf, cmd->data) : -1;
	}
	ppim_buf_free(&buf);
	return ret;
}

int coroutine_fn ppim_copy_load(PPIMState *s, struct ppim_cmd *cmd,
				const struct ppim_hw_sqe *sqe)
{
	cmd->copy_bytes = le64_to_cpu(sqe->copy.data.bytes);
	if (!cmd->copy_bytes)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.data.bytes));
	if (cmd->copy_bytes > PPIM_COPY_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_COPY_MAX);
	if (ppim_cmd_tail_zero(cmd, sqe, SQE_AT(copy) + sizeof(sqe->copy)))
		return -1;
	if (place_load(s, cmd, sqe))
		return -1;
	trace_ppim_copy(cmd->qid, cmd->cid, cmd->kind == PPIM_CMD_WRITE,
			cmd->copy_tier, cmd->copy_offset, cmd->copy_bytes);
	if (cmd->kind == PPIM_CMD_READ)
		return read_load(s, cmd, &sqe->copy.data);
	return write_load(s, cmd, &sqe->copy.data);
}

int ppim_clear_load(PPIMState *s, struct ppim_cmd *cmd,
		    const struct ppim_hw_sqe *sqe)
{
	const struct ppim_hw_buf *data = &sqe->copy.data;

	cmd->copy_bytes = le64_to_cpu(data->bytes);
	if (data->addr)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.data.addr));
	if (data->n_sg)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.data.n_sg));
	if (data->reserved)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.data.reserved));
	if (!cmd->copy_bytes)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  SQE_AT(copy.data.bytes));
	if (place_load(s, cmd, sqe))
		return -1;
	trace_ppim_clear(cmd->cid, cmd->copy_tier, cmd->copy_offset,
			 cmd->copy_bytes);
	return 0;
}

/* Whether pages that are given back to the host read as zero afterwards, and
 * nobody (a device that has them pinned, a snapshot) relies on them. */
static bool pages_can_go(RAMBlock *rb)
{
	return !ram_block_discard_is_disabled() &&
	       !migration_in_incoming_postcopy() &&
	       !migration_in_bg_snapshot() &&
	       (qemu_ram_get_fd(rb) < 0 || qemu_ram_is_shared(rb));
}

/*
 * Zeroes a range of a tier, on a worker. Whole pages go back to the host:
 * gigabytes of a table that was placed and is not filled cost neither time nor
 * memory.
 */
void ppim_tier_clear(MemoryRegion *mr, uint8_t *tier, uint64_t offset,
		     uint64_t bytes)
{
	RAMBlock *rb = mr->ram_block;
	uint64_t page = qemu_ram_pagesize(rb), end = offset + bytes;
	uint64_t first = QEMU_ALIGN_UP(offset, page);
	uint64_t last = QEMU_ALIGN_DOWN(end, page);

	if (first < last && pages_can_go(rb) &&
	    !ram_block_discard_range(rb, first, last - first)) {
		memset(tier + offset, 0, first - offset);
		memset(tier + last, 0, end - last);
	} else {
		memset(tier + offset, 0, bytes);
	}
	memory_region_set_dirty(mr, offset, bytes);
}
