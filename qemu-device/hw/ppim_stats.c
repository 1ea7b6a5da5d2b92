// SPDX-License-Identifier: GPL-2.0-only
/* Counters, since the device was enabled. */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "ppim.h"

static void count_note(struct ppim_hw_stats *st,
		       const struct ppim_annotation *a)
{
	st->lookups += a->lookups;
	st->reads_hbm += a->reads_hbm;
	st->reads_dimm += a->reads_dimm;
	st->activations_hbm += a->activations_hbm;
	st->activations_dimm += a->activations_dimm;
	st->sram_hits += a->sram_hits;
	st->sram_misses += a->sram_misses;
	st->moves += a->moves;
	st->transfers += a->transfers;
	st->energy_pj += a->energy_pj;
	st->busy_ps += a->busy_ps;
}

/* I/O commands alone: an admin command is no work of the device. */
void ppim_stats_count(PPIMState *s, const struct ppim_cmd *cmd)
{
	struct ppim_queue *q = &s->queue[cmd->qid];

	if (!cmd->qid)
		return;
	s->stats.completed++;
	q->completed++;
	q->errors += cmd->fault.status && cmd->fault.status != PPIM_ST_ABORTED;
	s->stats.corrected += cmd->corrected;
	if (cmd->fault.status == PPIM_ST_ABORTED)
		s->stats.aborted++;
	else if (cmd->fault.status)
		s->stats.errors++;
	if (cmd->fault.status || cmd->kind != PPIM_CMD_GNR)
		return;
	q->lookups += cmd->note.lookups;
	q->busy_ps += cmd->note.busy_ps;
	s->stats.bags += cmd->bags;
	count_note(&s->stats, &cmd->note);
}

/* As PPIM_ADM_STATS has it: little endian. */
void ppim_stats_read(PPIMState *s, struct ppim_hw_stats *out)
{
	const uint64_t *from = (const uint64_t *)&s->stats;
	uint64_t *to = (uint64_t *)out;
	size_t i;

	for (i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] = cpu_to_le64(from[i]);
}
