/* SPDX-License-Identifier: MIT */
/* What tests of the DRAM model share. */
#ifndef PPIM_TEST_DRAM_FIXTURE_H
#define PPIM_TEST_DRAM_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ppim-engine/dram.h"

/* A specification by name; the test fails if there is none. */
void fx_spec(const char *name, struct ppim_spec *spec);
/* The i-th that is shipped; false past the last. */
bool fx_shipped(uint32_t i, struct ppim_spec *spec);
/* The i-th of specifications that differ in a policy from a shipped one. */
bool fx_variant(uint32_t i, struct ppim_spec *spec);

struct ppim_dram *fx_dram(const struct ppim_spec *spec, uint32_t inject);

/* A counter-based hash, splitmix64's. */
uint64_t dram_fx_hash(uint64_t n);

/* A random stream: where, how many writes, how fast. */
struct fx_mix {
	const char *name;
	uint64_t span_bursts; /* addresses lie within so many bursts; 0: all */
	uint32_t vector; /* bursts that follow each other */
	uint32_t writes; /* of 100 vectors */
	uint32_t gap; /* clocks between vectors, at most */
	uint32_t pause; /* one vector in 64 comes as much later */
};

extern const struct fx_mix fx_mixes[];
extern const uint32_t fx_mixes_n;

struct fx_random {
	const struct fx_mix *mix;
	uint64_t bytes, burst_bytes;
	uint64_t n, cycle, base;
	uint32_t left;
	bool write;
};

struct fx_random fx_random(const struct fx_mix *mix,
			   const struct ppim_spec *spec);
void fx_next(struct fx_random *r, struct ppim_dram_req *req);

#endif
