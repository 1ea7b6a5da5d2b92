// SPDX-License-Identifier: MIT
#include "sram.h"

void pim_sram_reset(struct pim_sram *s)
{
	s->n = 0;
	memset(s->entry, 0, sizeof(s->entry));
}

static struct pim_sram_entry *sram_find(struct pim_sram *s, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (s->entry[i].id == id)
			return &s->entry[i];
	return NULL;
}

static uint64_t sram_free(const struct pim_sram *s)
{
	uint64_t used = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		used += s->entry[i].rows * s->entry[i].row_bytes;
	return used < s->bytes ? s->bytes - used : 0;
}

/* Order is kept: it decides nothing but what a saved state looks like. */
static void sram_drop(struct pim_sram *s, uint32_t i)
{
	s->n--;
	memmove(&s->entry[i], &s->entry[i + 1],
		(s->n - i) * sizeof(s->entry[0]));
}

static uint64_t sram_fit(const struct pim_sram_want *want, uint64_t room)
{
	uint64_t rows = want->row_bytes ? room / want->row_bytes : 0;

	return rows < want->rows ? rows : want->rows;
}

static uint64_t sram_add(struct pim_sram *s, const struct pim_sram_want *want,
			 bool *fill)
{
	uint64_t rows = sram_fit(want, sram_free(s));

	*fill = rows && s->n < PIM_SRAM_TABLES;
	if (!*fill)
		return 0;
	s->entry[s->n++] = (struct pim_sram_entry){
		.id = want->id,
		.epoch = want->epoch,
		.rows = rows,
		.row_bytes = want->row_bytes,
		.used = want->batch,
	};
	return rows;
}

static bool sram_same(const struct pim_sram_entry *e,
		      const struct pim_sram_want *want)
{
	return e->epoch == want->epoch && e->row_bytes == want->row_bytes &&
	       e->rows <= want->rows;
}

uint64_t pim_sram_take(struct pim_sram *s, const struct pim_sram_want *want,
		       bool *fill)
{
	struct pim_sram_entry *e = sram_find(s, want->id);

	*fill = false;
	if (s->n == 1 && e && sram_same(e, want) &&
	    e->rows == sram_fit(want, s->bytes)) {
		e->used = want->batch;
		return e->rows;
	}
	s->n = 0;
	return sram_add(s, want, fill);
}

void pim_sram_touch(struct pim_sram *s, uint64_t id, uint64_t batch)
{
	struct pim_sram_entry *e = sram_find(s, id);

	if (e)
		e->used = batch;
}

/* Drops tables of earlier batches until `bytes` are free or none is left. */
static void sram_make_room(struct pim_sram *s, uint64_t bytes, uint64_t batch)
{
	uint32_t i, oldest;

	while (sram_free(s) < bytes || s->n == PIM_SRAM_TABLES) {
		oldest = s->n;
		for (i = 0; i < s->n; i++)
			if (s->entry[i].used != batch &&
			    (oldest == s->n ||
			     s->entry[i].used < s->entry[oldest].used))
				oldest = i;
		if (oldest == s->n)
			return;
		sram_drop(s, oldest);
	}
}

uint64_t pim_sram_share(struct pim_sram *s, const struct pim_sram_want *want,
			bool *fill)
{
	struct pim_sram_entry *e = sram_find(s, want->id);

	*fill = false;
	if (e && sram_same(e, want)) {
		e->used = want->batch;
		return e->rows;
	}
	if (e)
		sram_drop(s, (uint32_t)(e - s->entry));
	sram_make_room(s, sram_fit(want, s->bytes) * want->row_bytes,
		       want->batch);
	return sram_add(s, want, fill);
}

static void sram_walk_entry(struct pim_sram_entry *e, struct pim_io *io)
{
	pim_io_u64(io, &e->id, UINT64_MAX);
	pim_io_u64(io, &e->epoch, UINT64_MAX);
	pim_io_u64(io, &e->rows, 1ull << 31);
	pim_io_u64(io, &e->row_bytes, 1ull << 31);
	pim_io_u64(io, &e->used, UINT64_MAX);
}

/* All entries, used or not: a state's size depends on the configuration alone.
 */
void pim_sram_walk(struct pim_sram *s, struct pim_io *io)
{
	uint32_t i;

	if (io->mode == PIM_IO_SHIFT)
		return;
	pim_io_u32(io, &s->n, PIM_SRAM_TABLES);
	for (i = 0; i < PIM_SRAM_TABLES; i++)
		sram_walk_entry(&s->entry[i], io);
}
