// SPDX-License-Identifier: MIT
/* The memory and PIM model that ppim-sim gnr charges. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "sim_gnr.h"

static void spec_find(const char *name, struct ppim_spec *spec)
{
	struct ppim_diag diag;

	if (ppim_spec_find(name, spec, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
}

static void param_set(struct ppim_params *params, char *text)
{
	char *value = strchr(text, '=');
	struct ppim_diag diag;
	int ret;

	*value = '\0';
	ret = ppim_params_set(params, text, value + 1, &diag);
	*value = '=';
	if (ret)
		cli_die(CLI_USAGE, "--param %s: %s", text, diag.msg);
}

static void params_make(struct gnr_config *c, struct gnr_model *m)
{
	struct ppim_diag diag;
	uint32_t i;

	ppim_params_default(&m->config.params);
	if (ppim_params_apply(&m->config.params, &m->hbm, &diag) ||
	    ppim_params_apply(&m->config.params, &m->dimm, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	for (i = 0; i < c->n_params; i++)
		param_set(&m->config.params, c->param[i]);
}

/* A DIMM specification of one channel stands for each of dimm_channels. */
static uint64_t dimm_default_bytes(const struct gnr_model *m)
{
	if (m->dimm.channels > 1)
		return m->dimm.bytes;
	return m->dimm.bytes * m->config.params.dimm_channels;
}

void gnr_model_start(struct gnr_model *m)
{
	struct ppim_diag diag;

	if (ppim_engine_create(&m->config, &m->engine, &diag))
		cli_die(CLI_USAGE, "%s", diag.msg);
	ppim_engine_geometry(m->engine, &m->geo);
}

void gnr_model_open(struct gnr_config *c, struct gnr_model *m)
{
	memset(m, 0, sizeof(*m));
	spec_find(c->spec ? c->spec : "HBM2_4Gb_x128", &m->hbm);
	spec_find(c->dimm_spec ? c->dimm_spec : "DDR4_8Gb_x8_3200", &m->dimm);
	params_make(c, m);
	m->config.hbm = &m->hbm;
	m->config.dimm = &m->dimm;
	m->config.hbm_bytes = c->hbm_bytes ? c->hbm_bytes : m->hbm.bytes;
	m->config.dimm_bytes =
		c->dimm_bytes ? c->dimm_bytes : dimm_default_bytes(m);
	gnr_model_start(m);
}

void gnr_model_close(struct gnr_model *m)
{
	ppim_engine_free(m->engine);
}

/* ---- batches ---- */

static const char *sub_name(const struct ppim_batch *batch,
			    const struct ppim_fault *f, uint64_t sub)
{
	static const char *const names[][PPIM_MAX_SUBTABLES] = {
		[PPIM_ALGO_DENSE] = { "W", "?", "?" },
		[PPIM_ALGO_QR] = { "Q", "R", "?" },
		[PPIM_ALGO_TT] = { "G1", "G2", "G3" },
	};
	uint8_t algo = batch->jobs[f->job].table->shape.algo;

	if (algo > PPIM_ALGO_TT || sub >= PPIM_MAX_SUBTABLES)
		return "?";
	return names[algo][sub];
}

static void fault_what(const struct ppim_batch *batch,
		       const struct ppim_fault *f, char *buf, size_t bytes)
{
	unsigned long long detail = f->detail;

	if (f->status == PPIM_ST_NO_COPY)
		snprintf(
			buf, bytes,
			"the preset needs a copy of %s in every bank group, the placement has none",
			sub_name(batch, f, detail));
	else if (f->status == PPIM_ST_NO_HINT)
		snprintf(
			buf, bytes,
			"the preset needs a prefetch hint for %s, the placement has none",
			sub_name(batch, f, detail));
	else if (f->status == PPIM_ST_BAD_INDEX)
		snprintf(buf, bytes, "bag %u: index %lld is outside the table",
			 f->bag, (long long)detail);
	else if (f->status == PPIM_ST_BAD_OFFSETS)
		snprintf(buf, bytes, "bag %u: its offset runs backwards",
			 f->bag);
	else if (f->status == PPIM_ST_BAD_PLACEMENT)
		snprintf(
			buf, bytes,
			"subtable %s, extent %llu: no valid place for its rows",
			sub_name(batch, f, detail >> 32), detail & UINT32_MAX);
	else
		snprintf(buf, bytes, "refused with status %u, detail %llu",
			 f->status, detail);
}

static void fault_text(const struct ppim_batch *batch,
		       const struct job_algo *names, const struct ppim_fault *f,
		       char *buf, size_t bytes)
{
	char what[192];

	fault_what(batch, f, what, sizeof(what));
	if (names)
		snprintf(buf, bytes, "table %s: %s", names->table[f->job].name,
			 what);
	else
		snprintf(buf, bytes, "table %u: %s", f->job, what);
}

void gnr_charge(const struct gnr_model *m, const struct ppim_batch *batch,
		uint64_t arrival_ps, const struct job_algo *names,
		struct gnr_result *result)
{
	struct ppim_annotation note;
	struct ppim_fault fault = { 0 };
	char why[256];

	if (ppim_engine_check(m->engine, batch, &fault)) {
		fault_text(batch, names, &fault, why, sizeof(why));
		cli_die(CLI_FAILED, "%s, batch %llu: %s",
			job_arch_name(batch->arch),
			(unsigned long long)result->job.batches, why);
	}
	gnr_dump_batch(m, batch, arrival_ps);
	if (ppim_engine_charge(m->engine, batch, arrival_ps, &note))
		cli_die(CLI_FAILED, "no memory to charge a batch");
	if (job_result_add(&result->job, &note))
		cli_die(CLI_FAILED, "no memory for annotations");
	sim_energy_add(&result->energy, m->engine);
}
