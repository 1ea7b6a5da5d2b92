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

/* Unused tags are one word. */
void pim_cache_walk(struct pim_cache *c, struct pim_io *io)
{
	uint32_t used = c->used;
	size_t n = (size_t)c->ways << c->set_bits, i;

	if (io->mode == PIM_IO_SHIFT)
		return;
	if (io->mode == PIM_IO_CHECK)
		used = (uint32_t)pim_io_next(io, c->tags ? 1 : 0);
	else
		pim_io_u32(io, &used, 1);
	if (io->mode == PIM_IO_LOAD) {
		pim_cache_reset(c);
		c->used = used;
	}
	for (i = 0; used && i < n; i++)
		pim_io_u64(io, &c->tags[i], UINT64_MAX);
}
