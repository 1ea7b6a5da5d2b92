/* SPDX-License-Identifier: MIT */
/*
 * What the bg-PIMs' SRAM holds. All bank groups hold the same, so it is kept
 * once. Entries are the first rows of a table's prefetched subtable; nothing
 * is replaced row by row:
 *
 *  - proactive: the SRAM belongs to one table. Taking another table drops it,
 * and so does coming back after proactive-all. What does not fit is not held:
 * rows from floor(size / row) on are read from the bank group's copy and count
 * as misses.
 *  - proactive-all: tables are held side by side in the order in which they
 *    are first used. When there is no room, tables that the running batch does
 *    not use are dropped, the longest unused first; a table that still does
 *    not fit is held as far as it goes.
 *
 * A table whose epoch has changed is filled again.
 */
#ifndef PPIM_SRAM_H
#define PPIM_SRAM_H

#include "pim_io.h"

#define PIM_SRAM_TABLES 256u

struct pim_sram_entry {
	uint64_t id;
	uint64_t epoch;
	uint64_t rows; /* held, from row 0 on */
	uint64_t row_bytes;
	uint64_t used; /* batch that used it last */
};

struct pim_sram {
	uint64_t bytes;
	uint32_t n;
	struct pim_sram_entry entry[PIM_SRAM_TABLES];
};

struct pim_sram_want {
	uint64_t id;
	uint64_t epoch;
	uint64_t rows;
	uint64_t row_bytes;
	uint64_t batch;
};

void pim_sram_reset(struct pim_sram *s);
void pim_sram_walk(struct pim_sram *s, struct pim_io *io);

/* Rows that are held from now on; *fill: they have to be read first. */
uint64_t pim_sram_take(struct pim_sram *s, const struct pim_sram_want *want,
		       bool *fill);
uint64_t pim_sram_share(struct pim_sram *s, const struct pim_sram_want *want,
			bool *fill);
/* The running batch uses the table, if it is held. */
void pim_sram_touch(struct pim_sram *s, uint64_t id, uint64_t batch);

#endif
