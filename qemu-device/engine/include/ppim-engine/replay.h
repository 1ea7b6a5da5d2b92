/* SPDX-License-Identifier: MIT */
/*
 * A dump of resolved placements, raw batches and copies, in the order in which
 * a device charged them: what `ppim-sim gnr --replay` needs to say the same
 * annotations. Text, one record per line, versioned, self-contained. The
 * format is described in qemu-device/docs/engine-pim.md.
 */
#ifndef PPIM_ENGINE_REPLAY_H
#define PPIM_ENGINE_REPLAY_H

#include "ppim-engine/engine.h"

/* A copy by the host's DMA, as ppim_engine_copy() takes it. */
struct ppim_replay_copy {
	uint8_t tier;
	uint8_t write;
	uint32_t queue;
	uint64_t addr, bytes;
};

/* ---- writing ------------------------------------------------------------ */

struct ppim_replay_writer;

/*
 * Starts a dump of what `engine` charges from now on; its state goes into the
 * dump, so a dump may start at any time. `config` is what the engine was
 * created with. `fn` gets one line at a time, without newline, during the
 * calls below only. Returns 0 or -ENOMEM.
 */
PPIM_ENGINE_API int
ppim_replay_writer_create(const struct ppim_engine_config *config,
			  const struct ppim_engine *engine, ppim_trace_fn fn,
			  void *opaque, struct ppim_replay_writer **writer);

/* One batch, before or after it is charged with the same arrival_ps, in the
 * order of the charges. Returns 0 or -ENOMEM (nothing was written). */
PPIM_ENGINE_API int ppim_replay_write(struct ppim_replay_writer *writer,
				      const struct ppim_batch *batch,
				      uint64_t arrival_ps);

/* The same of a copy that is charged. */
PPIM_ENGINE_API void
ppim_replay_write_copy(struct ppim_replay_writer *writer,
		       const struct ppim_replay_copy *copy,
		       uint64_t arrival_ps);

PPIM_ENGINE_API void ppim_replay_writer_free(struct ppim_replay_writer *w);

/* ---- reading ------------------------------------------------------------ */

struct ppim_replay;

/*
 * Opens a dump ("-" is standard input, gzip is read as it is) and reads its
 * head. Returns 0, or -errno with "file:line: what was expected" in *diag.
 */
PPIM_ENGINE_API int ppim_replay_open(const char *path,
				     struct ppim_replay **replay,
				     struct ppim_diag *diag);
PPIM_ENGINE_API void ppim_replay_close(struct ppim_replay *replay);

/* What the engine has to be created with; lives until close. */
PPIM_ENGINE_API const struct ppim_engine_config *
ppim_replay_config(const struct ppim_replay *replay);

/* Gives an engine of that configuration the state at the dump's start. */
PPIM_ENGINE_API int ppim_replay_start(struct ppim_replay *replay,
				      struct ppim_engine *engine,
				      struct ppim_diag *diag);

enum ppim_replay_kind { PPIM_REPLAY_BATCH, PPIM_REPLAY_COPY };

struct ppim_replay_record {
	enum ppim_replay_kind kind;
	uint64_t arrival_ps;
	struct ppim_batch batch;
	struct ppim_replay_copy copy;
};

/*
 * What was charged next: a batch, to be checked (a dump is input like any
 * other), or a copy, whose range is inside its tier. It lives until the next
 * call. Returns 1, 0 at the end, or -errno with a message.
 */
PPIM_ENGINE_API int ppim_replay_next(struct ppim_replay *replay,
				     struct ppim_replay_record *record,
				     struct ppim_diag *diag);

#endif
