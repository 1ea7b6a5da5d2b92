// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injected memory errors: places in the tiers that cannot be read, or only by
 * correction. Looked at in the workers' gate alone, so that which command
 * meets an error depends on the order of commands and on nothing else.
 */

#include "qemu/osdep.h"
#include "ppim.h"

struct visit {
	struct ppim_poison_set *set;
	const struct ppim_memory *mem;
	struct ppim_cmd *cmd;
	uint32_t job;
};

static uint64_t poison_at(const struct ppim_memory *mem,
			  const struct ppim_poison *p)
{
	return p->offset + p->slice * mem->slice_bytes;
}

static const uint8_t *poison_byte(const struct ppim_memory *mem,
				  const struct ppim_poison *p)
{
	return (p->tier == PPIM_TIER_DIMM ? mem->dimm : mem->hbm) +
	       poison_at(mem, p);
}

/* A location as completions name it. */
static uint64_t poison_detail(const struct ppim_poison *p)
{
	return (uint64_t)p->tier << 56 | (uint64_t)p->slice << 40 | p->offset;
}

/* A command reads the place: what it meets there it meets once. */
static void poison_hit(struct ppim_poison *p, struct ppim_cmd *cmd,
		       uint32_t job, uint32_t bag)
{
	if (p->met)
		return;
	p->met = true;
	if (p->correctable) {
		cmd->corrected++;
	} else if (!cmd->fault.status) {
		ppim_cmd_fail(cmd, PPIM_ST_MEDIA_ERROR, poison_detail(p));
		cmd->fault.job = job;
		cmd->fault.bag = bag;
	}
}

/* The command has seen all that it reads. */
static void poison_settle(struct ppim_poison_set *set)
{
	uint32_t i, n = 0;

	for (i = 0; i < set->n; i++) {
		if (set->at[i].met && !--set->at[i].count)
			continue;
		set->at[i].met = false;
		set->at[n++] = set->at[i];
	}
	set->n = n;
}

static void visit_row(void *opaque, uint32_t bag, uint32_t sub,
		      const uint8_t *row)
{
	struct visit *v = opaque;
	uint32_t bytes = v->cmd->jobs[v->job].table->sub[sub].row_bytes;
	uint32_t i;

	for (i = 0; i < v->set->n; i++) {
		const uint8_t *byte = poison_byte(v->mem, &v->set->at[i]);

		if (byte >= row && byte < row + bytes)
			poison_hit(&v->set->at[i], v->cmd, v->job, bag);
	}
}

/* Before a batch gathers: 0, or -1 with the media error that it met. */
int ppim_poison_gather(struct ppim_poison_set *set,
		       const struct ppim_memory *mem, struct ppim_cmd *cmd)
{
	struct visit v = { .set = set, .mem = mem, .cmd = cmd };

	struct ppim_fault fault;

	for (; set->n && v.job < cmd->batch.n_jobs; v.job++)
		if (ppim_gnr_visit(mem, &cmd->jobs[v.job], visit_row, &v,
				   &fault)) {
			cmd->fault = fault;
			cmd->fault.job = v.job;
			break;
		}
	poison_settle(set);
	return cmd->fault.status ? -1 : 0;
}

static bool poison_in_copy(const struct ppim_memory *mem,
			   const struct ppim_poison *p,
			   const struct ppim_cmd *cmd)
{
	uint64_t at = poison_at(mem, p);

	return p->tier == cmd->copy_tier && at >= cmd->copy_offset &&
	       at - cmd->copy_offset < cmd->copy_bytes;
}

/* Before a tier is read for the guest. */
int ppim_poison_read(struct ppim_poison_set *set,
		     const struct ppim_memory *mem, struct ppim_cmd *cmd)
{
	uint32_t i;

	for (i = 0; i < set->n; i++)
		if (poison_in_copy(mem, &set->at[i], cmd))
			poison_hit(&set->at[i], cmd, 0, 0);
	poison_settle(set);
	return cmd->fault.status ? -1 : 0;
}

/* New contents are good contents. */
void ppim_poison_heal(struct ppim_poison_set *set,
		      const struct ppim_memory *mem, const struct ppim_cmd *cmd)
{
	uint32_t i, n = 0;

	for (i = 0; i < set->n; i++)
		if (!poison_in_copy(mem, &set->at[i], cmd))
			set->at[n++] = set->at[i];
	set->n = n;
}

/* Without room the oldest gives way to what was asked for last. */
void ppim_poison_add(struct ppim_poison_set *set, const struct ppim_poison *p)
{
	if (set->n == PPIM_POISON_MAX) {
		memmove(set->at, set->at + 1,
			(PPIM_POISON_MAX - 1) * sizeof(set->at[0]));
		set->n--;
	}
	set->at[set->n++] = *p;
}
