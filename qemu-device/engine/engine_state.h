/* SPDX-License-Identifier: MIT */
/* The engine's own structure. */
#ifndef PPIM_ENGINE_STATE_H
#define PPIM_ENGINE_STATE_H

#include "engine_int.h"

struct ppim_engine {
	struct ppim_spec hbm;
	struct ppim_spec dimm;
	struct ppim_params params;
	struct ppim_geometry geo;
	uint64_t dimm_bytes;
	uint64_t now_ps;
	ppim_trace_fn trace;
	void *trace_opaque;
};

#endif
