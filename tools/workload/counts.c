// SPDX-License-Identifier: MIT
/* How often each row is used: an open-addressed table that can be listed in
 * row order. Memory grows with the rows that are used, not with the table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "workload.h"
#include "hash.h"

struct wl_counts {
	struct wl_count *slot; /* count 0: free */
	size_t slots; /* a power of two, or 0 */
	size_t used;
	struct wl_count *sorted; /* NULL: to be made again */
};

struct wl_counts *wl_counts_new(void)
{
	return calloc(1, sizeof(struct wl_counts));
}

void wl_counts_free(struct wl_counts *c)
{
	if (!c)
		return;
	free(c->slot);
	free(c->sorted);
	free(c);
}

static struct wl_count *counts_find(const struct wl_counts *c, uint64_t row)
{
	size_t i = wl_mix(row) & (c->slots - 1);

	while (c->slot[i].count && c->slot[i].row != row)
		i = (i + 1) & (c->slots - 1);
	return &c->slot[i];
}

static int counts_grow(struct wl_counts *c)
{
	struct wl_counts old = *c;
	size_t i;

	c->slots = old.slots ? old.slots * 2 : 256;
	c->slot = calloc(c->slots, sizeof(*c->slot));
	if (!c->slot) {
		c->slot = old.slot;
		c->slots = old.slots;
		return -ENOMEM;
	}
	for (i = 0; i < old.slots; i++)
		if (old.slot[i].count)
			*counts_find(c, old.slot[i].row) = old.slot[i];
	free(old.slot);
	return 0;
}

int wl_counts_add(struct wl_counts *c, uint64_t row, uint64_t times)
{
	struct wl_count *slot;

	if (!times)
		return 0;
	if (c->used * 2 >= c->slots && counts_grow(c))
		return -ENOMEM;
	free(c->sorted);
	c->sorted = NULL;
	slot = counts_find(c, row);
	c->used += !slot->count;
	slot->row = row;
	slot->count += times;
	return 0;
}

uint64_t wl_counts_get(const struct wl_counts *c, uint64_t row)
{
	return c->slots ? counts_find(c, row)->count : 0;
}

size_t wl_counts_size(const struct wl_counts *c)
{
	return c->used;
}

static int by_row(const void *a, const void *b)
{
	uint64_t x = ((const struct wl_count *)a)->row;
	uint64_t y = ((const struct wl_count *)b)->row;

	return (x > y) - (x < y);
}

const struct wl_count *wl_counts_sorted(struct wl_counts *c)
{
	size_t i, n = 0;

	if (c->sorted)
		return c->sorted;
	c->sorted = malloc((c->used + 1) * sizeof(*c->sorted));
	if (!c->sorted)
		return NULL;
	for (i = 0; i < c->slots; i++)
		if (c->slot[i].count)
			c->sorted[n++] = c->slot[i];
	qsort(c->sorted, n, sizeof(*c->sorted), by_row);
	return c->sorted;
}
