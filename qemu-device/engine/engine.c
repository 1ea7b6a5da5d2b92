// SPDX-License-Identifier: MIT
/* The engine's life: geometry, charging, state. */
#include <errno.h>
#include <stdlib.h>
#include "engine_int.h"
#include "engine_state.h"

/* A DDR data rate in MT/s: specifications round tCK to a few digits, the
 * rates themselves are multiples of 800/3. */
static double engine_ddr_rate(uint64_t tck_fs)
{
	double step = 800.0 / 3, steps = 2e9 / (double)tck_fs / step;

	return (double)(uint64_t)(steps + 0.5) * step;
}

static uint32_t engine_max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t engine_dimm_channels(const struct ppim_spec *dimm,
				     const struct ppim_params *params)
{
	return dimm->channels > 1 ? dimm->channels :
				    (uint32_t)params->dimm_channels;
}

/* Share of accesses that keeps bank groups and DIMM channels busy alike. */
static uint32_t engine_hot_ppm(const struct ppim_engine *e)
{
	const struct ppim_spec *h = &e->hbm, *d = &e->dimm;
	double hbm, dimm;

	if (e->params.hot_ppm)
		return (uint32_t)e->params.hot_ppm;
	if (!e->dimm_bytes)
		return 1000000;
	hbm = 1e6 * e->geo.slices * h->burst_bytes /
	      (engine_max(h->t.tccd_l, h->t.burst) * (double)h->t.tck_fs);
	dimm = engine_ddr_rate(d->t.tck_fs) * 1e-9 * (d->bus_width / 8) *
	       engine_dimm_channels(d, &e->params);
	return (uint32_t)(1e6 * hbm / (hbm + dimm));
}

static int engine_set_geometry(struct ppim_engine *e, uint64_t hbm_bytes,
			       struct ppim_diag *diag)
{
	const struct ppim_spec *h = &e->hbm;
	uint64_t slices = (uint64_t)h->channels * h->ranks * h->bankgroups;
	uint64_t least;

	if (!slices || slices > UINT16_MAX)
		return engine_fail(diag, -EINVAL,
				   "%s: %llu bank groups: from 1 to 65535",
				   h->name, (unsigned long long)slices);
	least = slices * h->banks_per_group * h->row_bytes;
	if (hbm_bytes < least || hbm_bytes & (hbm_bytes - 1) ||
	    hbm_bytes % least)
		return engine_fail(diag, -EINVAL,
				   "hbm_bytes: %llu is not a power of two of "
				   "at least %llu (one row per bank of %s)",
				   (unsigned long long)hbm_bytes,
				   (unsigned long long)least, h->name);
	e->geo.channels = h->channels;
	e->geo.slices = (uint32_t)slices;
	e->geo.slice_bytes = hbm_bytes / slices;
	e->geo.row_bytes = h->row_bytes;
	e->geo.sram_bytes = (uint32_t)e->params.sram_bytes;
	e->geo.archs = ENGINE_ARCHS;
	e->geo.hot_ppm = engine_hot_ppm(e);
	return 0;
}

int ppim_engine_create(const struct ppim_engine_config *config,
		       struct ppim_engine **engine, struct ppim_diag *diag)
{
	struct ppim_engine *e;
	int err;

	err = ppim_params_check(&config->params, diag);
	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return engine_fail(diag, -ENOMEM, "no memory for the engine");
	e->hbm = *config->hbm;
	e->dimm = *config->dimm;
	e->params = config->params;
	e->dimm_bytes = config->dimm_bytes;
	err = engine_set_geometry(e, config->hbm_bytes, diag);
	if (err) {
		free(e);
		return err;
	}
	*engine = e;
	return 0;
}

void ppim_engine_free(struct ppim_engine *engine)
{
	free(engine);
}

void ppim_engine_geometry(const struct ppim_engine *engine,
			  struct ppim_geometry *out)
{
	*out = engine->geo;
}

uint64_t ppim_engine_now_ps(const struct ppim_engine *engine)
{
	return engine->now_ps;
}

void ppim_engine_reset(struct ppim_engine *engine)
{
	engine->now_ps = 0;
}

void ppim_engine_trace(struct ppim_engine *engine, ppim_trace_fn fn,
		       void *opaque)
{
	engine->trace = fn;
	engine->trace_opaque = opaque;
}

uint64_t ppim_engine_bound_ps(const struct ppim_engine *engine,
			      const struct ppim_batch *batch,
			      uint64_t arrival_ps)
{
	(void)engine;
	(void)batch;
	return arrival_ps;
}

int ppim_engine_charge(struct ppim_engine *e, const struct ppim_batch *batch,
		       uint64_t arrival_ps, struct ppim_annotation *out)
{
	const struct ppim_timing *t = &e->hbm.t;
	uint32_t j, i, b;

	memset(out, 0, sizeof(*out));
	for (j = 0; j < batch->n_jobs; j++) {
		const struct ppim_job *job = &batch->jobs[j];

		for (b = 0; b < job->n_bags; b++)
			out->transfers += job->table->shape.dim * 4 /
					  e->hbm.burst_bytes;
		for (i = 0; i < job->n_indices; i++)
			out->lookups += engine_is_lookup(job, job->indices[i]);
		out->reads_hbm += (uint64_t)job->n_indices *
				  job->table->sub[0].row_bytes /
				  e->hbm.burst_bytes;
	}
	/* the activation window of every rank, evenly loaded */
	out->activations_hbm = out->lookups;
	out->cycles = out->lookups * t->tfaw / 4 / e->hbm.channels +
		      t->trcd_rd + t->cl + t->burst;
	out->start_ps = arrival_ps > e->now_ps ? arrival_ps : e->now_ps;
	out->busy_ps = out->cycles * t->tck_fs / 1000;
	out->end_ps = out->start_ps + out->busy_ps;
	out->commands = out->lookups * 2;
	out->arch = batch->arch;
	out->bound_by = PPIM_BOUND_ACTIVATION;
	e->now_ps = out->end_ps;
	return 0;
}

/* ---- state -------------------------------------------------------------- */

#define ENGINE_STATE_MAGIC 0x7473706du
#define ENGINE_STATE_VERSION 0u

struct engine_blob {
	uint32_t magic;
	uint32_t version;
	uint64_t now_ps;
};

size_t ppim_engine_save(const struct ppim_engine *engine, void *buf,
			size_t bytes)
{
	struct engine_blob blob = { ENGINE_STATE_MAGIC, ENGINE_STATE_VERSION,
				    engine->now_ps };

	if (buf && bytes >= sizeof(blob))
		memcpy(buf, &blob, sizeof(blob));
	return sizeof(blob);
}

int ppim_engine_load(struct ppim_engine *engine, const void *buf,
		     size_t bytes, struct ppim_diag *diag)
{
	struct engine_blob blob;

	if (bytes != sizeof(blob))
		return engine_fail(diag, -EINVAL, "state: %zu bytes, not %zu",
				   bytes, sizeof(blob));
	memcpy(&blob, buf, sizeof(blob));
	if (blob.magic != ENGINE_STATE_MAGIC ||
	    blob.version != ENGINE_STATE_VERSION)
		return engine_fail(diag, -EINVAL, "state: not of this engine");
	engine->now_ps = blob.now_ps;
	return 0;
}
