// SPDX-License-Identifier: MIT
/* A batch becomes phases, a phase becomes commands. */
#include <errno.h>
#include "engine_state.h"

/* ---- trace -------------------------------------------------------------- */

/* "@ ns queue preset"; picoseconds stand behind the point. */
static void charge_trace_batch(const struct ppim_engine *e, uint32_t arch,
			       uint64_t arrival_ps, uint32_t queue)
{
	char line[96];

	if (!e->trace)
		return;
	snprintf(line, sizeof(line), "@ %llu.%03llu %u %s",
		 (unsigned long long)(arrival_ps / 1000),
		 (unsigned long long)(arrival_ps % 1000), queue,
		 ppim_engine_arch_name(arch));
	e->trace(e->trace_opaque, line);
}

/* ---- phases ------------------------------------------------------------- */

static void charge_link(struct pim_gather *g, uint8_t op, uint64_t bytes)
{
	const struct ppim_pim_cmd cmd = { .device = PPIM_PIM_LINK,
					  .op = op,
					  .n = bytes,
					  .bag = PPIM_PIM_NO_BAG };

	if (g->x->params.link != PPIM_LINK_NONE && g->preset->link_io && bytes)
		pim_gather_emit(g, &cmd);
}

/* Bags [first, end) of the job at hand: raw indices and offsets go down the
 * link, 8 bytes each, weights 4; results come up as fp32. */
static void charge_phase(struct pim_gather *g, uint32_t first, uint32_t end,
			 bool new_table)
{
	uint64_t n = engine_bag_end(g->job, end - 1) -
		     (uint64_t)g->job->offsets[first];
	uint64_t bags = end - first;

	charge_link(g, PPIM_PIM_DN,
		    8 * (n + bags) + (g->job->weights ? 4 * n : 0));
	if (new_table && g->preset->table)
		g->preset->table(g);
	g->preset->gather(g, first, end);
	charge_link(g, PPIM_PIM_UP, 4 * bags * g->table->shape.dim);
	pim_exec_phase_end(g->x);
	if (g->trace)
		g->trace(g->trace_opaque, "");
}

static void charge_job(struct pim_gather *g, const struct ppim_job *job)
{
	uint32_t first, end, room;
	bool new_table = true;

	if (!job->n_indices)
		return;
	pim_gather_begin(g, job);
	room = pim_gather_bags(g);
	for (first = 0; first < job->n_bags && !engine_cancelled(job);
	     first = end) {
		end = job->n_bags - first > room ? first + room : job->n_bags;
		if ((uint32_t)job->offsets[first] ==
		    engine_bag_end(job, end - 1))
			continue;
		charge_phase(g, first, end, new_table);
		new_table = false;
	}
}

static bool charge_cancelled(const struct ppim_batch *batch)
{
	uint32_t j;

	for (j = 0; j < batch->n_jobs; j++)
		if (engine_cancelled(&batch->jobs[j]))
			return true;
	return false;
}

int ppim_engine_charge(struct ppim_engine *e, const struct ppim_batch *batch,
		       uint64_t arrival_ps, struct ppim_annotation *out)
{
	struct pim_gather g = {
		.preset = pim_preset_find(batch->arch),
		.x = &e->x,
		.scratch = &e->scratch,
		.stores = &e->stores,
		.note = out,
		.trace = e->trace,
		.trace_opaque = e->trace_opaque,
	};
	uint32_t j;

	if (pim_scratch_reserve(&e->scratch, &e->x, batch))
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	out->arch = batch->arch;
	e->stores.batches++;
	if (g.preset->table)
		for (j = 0; j < batch->n_jobs; j++)
			pim_sram_touch(&e->stores.sram,
				       batch->jobs[j].table->id,
				       e->stores.batches);
	charge_trace_batch(e, batch->arch, arrival_ps, batch->queue);
	pim_exec_begin(&e->x, g.preset->level, arrival_ps);
	for (j = 0; j < batch->n_jobs; j++)
		charge_job(&g, &batch->jobs[j]);
	pim_exec_end(&e->x, out);
	return charge_cancelled(batch) ? -ECANCELED : 0;
}

void ppim_engine_copy(struct ppim_engine *e, uint8_t tier, uint64_t addr,
		      uint64_t bytes, int write, uint64_t arrival_ps,
		      uint32_t queue, struct ppim_annotation *out)
{
	bool hbm = tier == PPIM_TIER_HBM;
	uint64_t burst = hbm ? e->x.hbm.burst_bytes : e->x.dimm.burst_bytes;
	struct pim_gather g = { .x = &e->x,
				.trace = e->trace,
				.trace_opaque = e->trace_opaque };
	struct ppim_pim_cmd cmd = {
		.device = hbm ? PPIM_PIM_HBM : PPIM_PIM_DIMM,
		.op = write ? PPIM_PIM_CW : PPIM_PIM_CR,
		.bag = PPIM_PIM_NO_BAG,
	};

	memset(out, 0, sizeof(*out));
	out->arch = PPIM_ARCH_CPU;
	charge_trace_batch(e, PPIM_ARCH_CPU, arrival_ps, queue);
	pim_exec_begin(&e->x, PPIM_PIM_TO_HOST, arrival_ps);
	if (bytes) {
		cmd.addr = addr / burst * burst;
		cmd.n = (addr + bytes - cmd.addr + burst - 1) / burst;
		pim_gather_emit(&g, &cmd);
	}
	pim_exec_end(&e->x, out);
	if (e->trace)
		e->trace(e->trace_opaque, "");
}

/* ---- lower bound -------------------------------------------------------- */

/* Bursts of the rows that each lookup of a job reads by itself, whatever the
 * SRAM holds and however lookups are grouped. */
static uint64_t bound_bytes(const struct ppim_job *job)
{
	const struct ppim_table_desc *t = job->table;

	if (job->has_padding)
		return 0;
	return (uint64_t)job->n_indices *
	       t->sub[t->shape.algo == PPIM_ALGO_TT ? PPIM_SUB_G3 : PPIM_SUB_Q]
		       .row_bytes;
}

/*
 * Presets whose units have no cache read these bytes from the banks, at most
 * at the rate of all bank groups and DIMM channels together. Caches may make
 * the others arbitrarily short. Independent of the engine's state: whether
 * earlier batches have been charged already must not show.
 */
uint64_t ppim_engine_bound_ps(const struct ppim_engine *e,
			      const struct ppim_batch *batch,
			      uint64_t arrival_ps)
{
	const uint32_t bound = 1u << PPIM_ARCH_BGPIM | ENGINE_ARCHS_COPY;
	const struct pim_mem *h = &e->x.hbm, *d = &e->x.dimm;
	unsigned __int128 ps;
	uint64_t bytes = 0, rate;
	uint32_t j;

	/* asked before the batch is checked */
	if (batch->arch >= PPIM_ARCH_COUNT || !(1u << batch->arch & bound))
		return arrival_ps;
	for (j = 0; j < batch->n_jobs; j++)
		bytes += bound_bytes(&batch->jobs[j]);
	/* bytes per 2^20 ticks, rounded up */
	rate = (((uint64_t)h->n_slices * h->burst_bytes << 20) / h->t.tccd) + 1;
	if (e->x.has_dimm)
		rate += (((uint64_t)d->channels * d->burst_bytes << 20) /
			 d->t.bus) +
			1;
	ps = ((unsigned __int128)bytes << 20) / rate * e->x.unit_fs / 1000;
	return arrival_ps + (uint64_t)ps;
}
