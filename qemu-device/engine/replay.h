/* SPDX-License-Identifier: MIT */
/* What writer and reader of a dump agree on. */
#ifndef PPIM_REPLAY_INT_H
#define PPIM_REPLAY_INT_H

#include "engine_int.h"
#include "ppim-engine/pim.h"
#include "ppim-engine/replay.h"

#define REPLAY_MAGIC   "ppim-replay"
#define REPLAY_VERSION 1
#define REPLAY_LINE    2048
#define REPLAY_WORDS   32 /* words of a list in one line */

/* replay_spec.c: "NAME VALUE" of the i-th field; false past the last. */
bool replay_spec_format(const struct ppim_spec *spec, size_t i, char *buf,
			size_t bytes);
/* Sets a field: 0, -ENOENT (no such field) or -EINVAL. */
int replay_spec_parse(struct ppim_spec *spec, const char *name,
		      const char *value);
/* Has every field a value in its range? */
bool replay_spec_whole(const struct ppim_spec *spec);

#endif
