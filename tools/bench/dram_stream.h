/* SPDX-License-Identifier: MIT */
/*
 * The request streams of the DRAM model's benchmark and of its comparison
 * with a reference simulator. A stream is its name, its seed and the memory it
 * is for: whoever generates it gets the same requests.
 */
#ifndef PPIM_TOOLS_DRAM_STREAM_H
#define PPIM_TOOLS_DRAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "ppim-engine/dram.h"

enum dram_stream_kind {
	DRAM_STREAM_RANDOM64, /* one burst anywhere */
	DRAM_STREAM_SEQUENTIAL, /* burst after burst */
	DRAM_STREAM_VEC128, /* 128 B at a random multiple of 128 B */
	DRAM_STREAM_VEC512, /* 512 B at a random multiple of 512 B */
	DRAM_STREAM_ZIPF, /* 128 B rows of a table, Zipf with exponent 1 */
	DRAM_STREAM_BENCHMARK, /* the kinds before are the benchmark's */
	DRAM_STREAM_STRIDE = DRAM_STREAM_BENCHMARK, /* bursts 4352 B apart */
	DRAM_STREAM_CONFLICT, /* rows of one bank in turn */
	DRAM_STREAM_HOT, /* 1024 bursts, so that requests meet */
	DRAM_STREAM_PACED, /* random vectors of 256 B, with gaps between */
	DRAM_STREAM_SMALL, /* 1 MB, so that writes wait for reads */
	DRAM_STREAM_COUNT
};

struct dram_stream {
	enum dram_stream_kind kind;
	bool writes; /* a third of the vectors, else none */
	struct ppim_addrmap map;
	uint32_t burst_bytes;
	uint64_t mem_bytes; /* a power of two */
	uint64_t rng;
	uint64_t cycle;
	uint64_t vectors; /* begun */
	uint64_t base; /* of the vector in progress */
	uint32_t left; /* bytes of it still to come */
	uint32_t vec; /* bytes of a vector */
	bool write; /* the vector in progress */
};

const char *dram_stream_name(enum dram_stream_kind kind);
/* DRAM_STREAM_COUNT if none has the name. */
enum dram_stream_kind dram_stream_find(const char *name);

void dram_stream_init(struct dram_stream *s, enum dram_stream_kind kind,
		      bool writes, uint64_t seed, const struct ppim_spec *spec);

void dram_stream_next(struct dram_stream *s, struct ppim_dram_req *req);

#endif
