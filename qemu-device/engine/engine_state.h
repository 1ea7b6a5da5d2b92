/* SPDX-License-Identifier: MIT */
/* The engine's own structure. */
#ifndef PPIM_ENGINE_STATE_H
#define PPIM_ENGINE_STATE_H

#include "arch.h"

struct ppim_engine {
	struct ppim_spec hbm;
	struct ppim_spec dimm;
	struct ppim_params params;
	struct ppim_geometry geo;
	uint64_t dimm_bytes;
	uint64_t fingerprint; /* of the configuration */
	struct pim_exec x;
	struct pim_stores stores;
	struct pim_scratch scratch;
	const struct pim_preset *running; /* between pim_begin and pim_end */
	ppim_trace_fn trace;
	void *trace_opaque;
};

/* What timing depends on: equal for specifications that behave the same. */
uint64_t engine_spec_hash(const struct ppim_spec *spec);

#endif
