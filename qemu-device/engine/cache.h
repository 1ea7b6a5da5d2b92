/* SPDX-License-Identifier: MIT */
/* Set-associative tags with least-recently-used replacement. */
#ifndef PPIM_CACHE_H
#define PPIM_CACHE_H

#include <stdbool.h>
#include "pim_io.h"

struct pim_cache {
	uint64_t *tags; /* set * ways, most recent first; 0: empty */
	uint32_t set_bits;
	uint32_t ways;
	bool used; /* since reset */
};

/* `lines` is rounded down to ways x a power of two; 0 lines never hit. */
int pim_cache_init(struct pim_cache *c, uint64_t lines, uint32_t ways);
void pim_cache_free(struct pim_cache *c);
void pim_cache_reset(struct pim_cache *c);
void pim_cache_walk(struct pim_cache *c, struct pim_io *io);

/* Has it room for anything? */
static inline bool pim_cache_holds(const struct pim_cache *c)
{
	return c->tags != NULL;
}

/* Was `key` there? It is the most recent of its set now. */
bool pim_cache_access(struct pim_cache *c, uint64_t key);

/* A key of what a place or a row is, never 0. */
static inline uint64_t pim_cache_mix(uint64_t v)
{
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93ull;
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93ull;
	v ^= v >> 32;
	return v | 1ull << 63;
}

#endif
