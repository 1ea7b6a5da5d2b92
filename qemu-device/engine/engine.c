// SPDX-License-Identifier: MIT
/* The engine's life: configuration, geometry, saved state. */
#include <errno.h>
#include <stdlib.h>
#include "engine_state.h"

/* ---- geometry ----------------------------------------------------------- */

/* A DDR data rate in MT/s: specifications round tCK to a few digits, the
 * rates themselves are multiples of 800/3. */
static double engine_ddr_rate(uint64_t tck_fs)
{
	double step = 800.0 / 3, steps = 2e9 / (double)tck_fs / step;

	return (double)(uint64_t)(steps + 0.5) * step;
}

static uint32_t engine_dimm_channels(const struct ppim_spec *dimm,
				     const struct ppim_params *params)
{
	return dimm->channels > 1 ? dimm->channels
				  : (uint32_t)params->dimm_channels;
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
	      ((double)pim_max(h->t.tccd_l, h->t.burst) * (double)h->t.tck_fs);
	dimm = engine_ddr_rate(d->t.tck_fs) * 1e-3 * (d->bus_width / 8) *
	       engine_dimm_channels(d, &e->params);
	return (uint32_t)(1e6 * hbm / (hbm + dimm));
}

static int engine_set_geometry(struct ppim_engine *e, uint64_t hbm_bytes,
			       struct ppim_diag *diag)
{
	const struct ppim_spec *h = &e->hbm;
	uint64_t slices = (uint64_t)h->channels * h->ranks * h->bankgroups;
	uint64_t least;

	if (!slices || slices > UINT16_MAX || slices & (slices - 1))
		return engine_fail(diag, -EINVAL,
				   "%s: %llu bank groups are not a power of "
				   "two below 65536",
				   h->name, (unsigned long long)slices);
	least = slices * h->banks_per_group * h->row_bytes;
	if (hbm_bytes < least || hbm_bytes & (hbm_bytes - 1))
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
	e->geo.archs = pim_preset_mask();
	e->geo.hot_ppm = engine_hot_ppm(e);
	return 0;
}

/* Between two refreshes every bank must get a row opened and read, or time
 * would pass without work. */
static int engine_check_refresh(const struct ppim_spec *s,
				struct ppim_diag *diag)
{
	const struct ppim_timing *t = &s->t;
	bool by_bank = s->refresh == PPIM_REFRESH_BANK_STAGGERED;
	uint64_t banks =
		by_bank ? (uint64_t)s->bankgroups * s->banks_per_group : 1;
	uint64_t every = (by_bank ? t->trefib : t->trefi) * banks;
	uint64_t need = (by_bank ? t->trfcb : t->trfc) + t->trc + t->trcd_rd +
			4ull * t->tfaw;

	if (s->refresh == PPIM_REFRESH_NONE || every > need)
		return 0;
	return engine_fail(diag, -EINVAL,
			   "%s: %s: a bank is refreshed every %llu clocks, "
			   "which has to be more than %llu",
			   s->name, by_bank ? "tREFIb" : "tREFI",
			   (unsigned long long)every, (unsigned long long)need);
}

/* ---- fingerprints ------------------------------------------------------- */

static uint64_t hash_add(uint64_t h, uint64_t v)
{
	return pim_cache_mix(h * 0x9e3779b97f4a7c15ull + v);
}

/* Of what the PIM model reads of a specification: the fields that a dump has,
 * too (replay_spec.c). */
uint64_t engine_spec_hash(const struct ppim_spec *s)
{
	const struct ppim_timing *t = &s->t;
	const uint64_t words[] = {
		s->channels,   s->ranks,
		s->bankgroups, s->banks_per_group,
		s->row_bytes,  s->burst_bytes,
		s->bus_width,  s->devices_per_rank,
		s->refresh,    t->tck_fs,
		t->burst,      t->cl,
		t->trcd_rd,    t->trp,
		t->tras,       t->trc,
		t->tccd_s,     t->tccd_l,
		t->trrd_s,     t->trrd_l,
		t->tfaw,       t->trtp,
		t->trfc,       t->trefi,
		t->trfcb,      t->trefib,
		t->cwl,	       t->twr,
	};
	uint64_t h = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		h = hash_add(h, words[i]);
	for (i = 0; i < PPIM_FIELD_COUNT; i++)
		h = hash_add(h, (uint64_t)s->map.pos[i] << 8 | s->map.width[i]);
	for (i = 0; i < PPIM_IDD_COUNT; i++)
		h = hash_add(h, (uint64_t)(s->power.idd_ma[i] * 1e6));
	h = hash_add(h, (uint64_t)s->power.present << 1 | s->power.vdd_present);
	return hash_add(h, (uint64_t)(s->power.vdd * 1e6));
}

static uint64_t engine_hash(const struct ppim_engine *e, uint64_t hbm_bytes)
{
	uint64_t h = engine_spec_hash(&e->hbm);
	size_t i;

	h = hash_add(h, hbm_bytes);
	h = hash_add(h, e->dimm_bytes);
	if (e->dimm_bytes)
		h = hash_add(h, engine_spec_hash(&e->dimm));
	for (i = 0; ppim_params_info(i); i++)
		h = hash_add(h, ppim_params_get(&e->params, i));
	return h;
}

/* ---- life --------------------------------------------------------------- */

static int engine_init(struct ppim_engine *e,
		       const struct ppim_engine_config *config,
		       struct ppim_diag *diag)
{
	int err;

	e->hbm = *config->hbm;
	if (config->dimm_bytes)
		e->dimm = *config->dimm;
	e->params = config->params;
	e->dimm_bytes = config->dimm_bytes;
	err = engine_set_geometry(e, config->hbm_bytes, diag);
	if (!err)
		err = engine_check_refresh(&e->hbm, diag);
	if (!err && e->dimm_bytes)
		err = engine_check_refresh(&e->dimm, diag);
	if (err)
		return err;
	e->fingerprint = engine_hash(e, config->hbm_bytes);
	err = pim_exec_init(&e->x, config,
			    engine_dimm_channels(&e->dimm, &e->params), diag);
	if (err)
		return err;
	if (pim_stores_init(&e->stores, &e->x))
		return engine_fail(diag, -ENOMEM,
				   "no memory for the caches' tags");
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
	err = engine_init(e, config, diag);
	if (err) {
		ppim_engine_free(e);
		return err;
	}
	*engine = e;
	return 0;
}

void ppim_engine_free(struct ppim_engine *engine)
{
	if (!engine)
		return;
	pim_scratch_free(&engine->scratch);
	pim_stores_free(&engine->stores);
	pim_exec_free(&engine->x);
	free(engine);
}

void ppim_engine_geometry(const struct ppim_engine *engine,
			  struct ppim_geometry *out)
{
	*out = engine->geo;
}

void ppim_engine_energy(const struct ppim_engine *engine,
			uint64_t pj[PPIM_PART_COUNT])
{
	memcpy(pj, engine->x.part_pj, sizeof(engine->x.part_pj));
}

uint32_t ppim_engine_energy_missing(const struct ppim_engine *engine)
{
	const struct pim_energy *e = &engine->x.energy;

	return e->hbm.missing | e->dimm.missing << PPIM_PART_DIMM_ACTIVATE;
}

uint64_t ppim_engine_now_ps(const struct ppim_engine *engine)
{
	return pim_exec_ps(&engine->x, engine->x.now);
}

void ppim_engine_reset(struct ppim_engine *engine)
{
	pim_exec_reset(&engine->x, &engine->hbm, &engine->dimm);
	pim_stores_reset(&engine->stores);
}

void ppim_engine_trace(struct ppim_engine *engine, ppim_trace_fn fn,
		       void *opaque)
{
	engine->trace = fn;
	engine->trace_opaque = opaque;
}

/* ---- saved state -------------------------------------------------------- */

#define ENGINE_STATE_MAGIC   0x31656e69676e6570ull
#define ENGINE_STATE_VERSION 1ull

static void engine_walk(struct ppim_engine *e, struct pim_io *io)
{
	uint64_t magic = ENGINE_STATE_MAGIC, version = ENGINE_STATE_VERSION;
	uint64_t fingerprint = e->fingerprint;

	pim_io_u64(io, &magic, UINT64_MAX);
	pim_io_u64(io, &version, UINT64_MAX);
	pim_io_u64(io, &fingerprint, UINT64_MAX);
	pim_exec_walk(&e->x, io);
	pim_stores_walk(&e->stores, io);
}

/* Walking does not change what it saves. */
size_t ppim_engine_save(const struct ppim_engine *engine, void *buf,
			size_t bytes)
{
	struct pim_io io = { .mode = PIM_IO_SAVE, .out = buf, .bytes = bytes };

	engine_walk((struct ppim_engine *)(uintptr_t)engine, &io);
	return io.pos;
}

static int engine_check_head(const struct ppim_engine *e, const void *buf,
			     size_t bytes, struct ppim_diag *diag)
{
	struct pim_io io = { .mode = PIM_IO_CHECK, .in = buf, .bytes = bytes };
	uint64_t magic = pim_io_next(&io, UINT64_MAX);
	uint64_t version = pim_io_next(&io, UINT64_MAX);
	uint64_t fingerprint = pim_io_next(&io, UINT64_MAX);

	if (io.bad || magic != ENGINE_STATE_MAGIC)
		return engine_fail(diag, -EINVAL,
				   "state: not a state of this engine");
	if (version != ENGINE_STATE_VERSION)
		return engine_fail(diag, -EINVAL,
				   "state: version %llu, expected %llu",
				   (unsigned long long)version,
				   (unsigned long long)ENGINE_STATE_VERSION);
	if (fingerprint != e->fingerprint)
		return engine_fail(diag, -EINVAL,
				   "state: of an engine with other "
				   "specifications, sizes or parameters");
	return 0;
}

int ppim_engine_load(struct ppim_engine *engine, const void *buf, size_t bytes,
		     struct ppim_diag *diag)
{
	struct pim_io io = { .mode = PIM_IO_CHECK, .in = buf, .bytes = bytes };
	int err;

	err = engine_check_head(engine, buf, bytes, diag);
	if (err)
		return err;
	engine_walk(engine, &io);
	if (io.bad || io.pos != bytes)
		return engine_fail(
			diag, -EINVAL, "state: %s at byte %zu of %zu",
			io.bad ? "impossible value before or" : "ends", io.pos,
			bytes);
	io.mode = PIM_IO_LOAD;
	io.pos = 0;
	engine_walk(engine, &io);
	return 0;
}
