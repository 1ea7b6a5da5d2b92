// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include "cache.h"

int pim_cache_init(struct pim_cache *c, uint64_t lines, uint32_t ways)
{
	memset(c, 0, sizeof(*c));
	if (lines < ways)
		return 0;
	c->ways = ways;
	while ((uint64_t)ways << (c->set_bits + 1) <= lines)
		c->set_bits++;
	c->tags = calloc((size_t)ways << c->set_bits, sizeof(*c->tags));
	return c->tags ? 0 : -ENOMEM;
}

void pim_cache_free(struct pim_cache *c)
{
	free(c->tags);
	memset(c, 0, sizeof(*c));
}

void pim_cache_reset(struct pim_cache *c)
{
	if (c->used)
		memset(c->tags, 0,
		       ((size_t)c->ways << c->set_bits) * sizeof(*c->tags));
	c->used = false;
}

bool pim_cache_access(struct pim_cache *c, uint64_t key)
{
	uint64_t *set, next, last;
	uint32_t w;

	if (!c->tags)
		return false;
	c->used = true;
	set = &c->tags[(size_t)(key & ((1ull << c->set_bits) - 1)) * c->ways];
	if (set[0] == key)
		return true;
	last = set[0];
	set[0] = key;
	for (w = 1; w < c->ways; w++) {
		next = set[w];
		set[w] = last;
		if (next == key)
			return true;
		last = next;
	}
	return false;
}

/* All tags, used or not: a state's size depends on the configuration alone. */
void pim_cache_walk(struct pim_cache *c, struct pim_io *io)
{
	size_t n = c->tags ? (size_t)c->ways << c->set_bits : 0, i;

	if (io->mode == PIM_IO_SHIFT)
		return;
	if (io->mode == PIM_IO_LOAD)
		c->used = true;
	for (i = 0; i < n; i++)
		pim_io_u64(io, &c->tags[i], UINT64_MAX);
}
