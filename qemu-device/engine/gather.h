/* SPDX-License-Identifier: MIT */
/* One table's share of a batch while a preset turns it into commands. */
#ifndef PPIM_GATHER_H
#define PPIM_GATHER_H

#include "cache.h"
#include "engine_int.h"
#include "pim_exec.h"
#include "sram.h"

/* Which small numbers a table's lookups have referred to: stamp[i] == gen. */
struct pim_seen {
	uint32_t *stamp;
	uint64_t size;
	uint32_t gen;
};

/* The same for pairs (i1, i2) of TT: an open hash table. */
struct pim_pairs {
	uint64_t *key;
	uint32_t *stamp;
	uint64_t size; /* a power of two */
	uint32_t gen;
};

/* TT lookups that share a G2 slice form a list. */
struct pim_grouped {
	uint32_t i1, i3;
	uint32_t bag;
	uint32_t next;
};

/* Room that planning a batch needs, kept between batches. */
struct pim_scratch {
	struct pim_seen seen[PPIM_MAX_SUBTABLES];
	struct pim_pairs pairs;
	struct pim_seen in_group; /* G1 rows of the group at hand */
	struct pim_seen in_heads; /* G2 rows that have a group */
	uint32_t *heads, *tails; /* by G2 row */
	uint64_t heads_size;
	uint32_t *order; /* G2 rows by first use */
	struct pim_grouped *grouped;
	uint64_t grouped_size;
	uint32_t *copy[PPIM_MAX_SUBTABLES]; /* slice -> extent, PIM_NIL: none */
	uint32_t *home[PPIM_MAX_SUBTABLES]; /* copies in order of homes */
	uint64_t home_size;
	uint32_t *node_bag; /* unit -> bag that last used it */
};

/* Caches and SRAM: state that presets keep between batches. */
struct pim_stores {
	struct pim_sram sram;
	struct pim_sram base_sram;
	struct pim_cache llc;
	struct pim_cache *rank; /* HBM channels, then DIMM ranks */
	uint32_t n_rank;
	struct pim_cache hot; /* trim */
	uint64_t batches;
};

/* One lookup: an index taken apart. */
struct pim_lookup {
	uint64_t row[PPIM_MAX_SUBTABLES];
	uint32_t bag; /* as commands name it */
};

struct pim_preset;

struct pim_gather {
	const struct pim_preset *preset;
	struct pim_exec *x;
	struct pim_scratch *scratch;
	struct pim_stores *stores;
	struct ppim_annotation *note;
	ppim_trace_fn trace;
	void *trace_opaque;

	const struct ppim_job *job;
	const struct ppim_table_desc *table;
	uint8_t algo;
	uint32_t n_sub;
	uint32_t main; /* subtable that decides where a lookup runs */
	struct engine_div by_c, by_p23, by_p3; /* index -> rows */
	uint64_t p23, p3;
	struct engine_div stripe[PPIM_MAX_SUBTABLES];
	uint32_t bursts[PPIM_MAX_SUBTABLES]; /* of a row, in HBM bursts */
	uint32_t dimm_bursts[PPIM_MAX_SUBTABLES];
	uint32_t n_home[PPIM_MAX_SUBTABLES];
	uint64_t row_mac; /* MACs of a lookup's last step: QR all, TT G3 */
	uint64_t product_mac; /* TT: G1 x G2 */
	uint32_t sum_bursts; /* of a bag's partial sum */
	uint64_t held, base_held; /* rows of the prefetched subtable in SRAM */
	uint64_t main_offset; /* of the lookup at hand, in its slice */
	uint64_t host_adds; /* recnmp: sums of partial sums */
	uint32_t turn; /* copies are read in turn where any will do */
};

int pim_stores_init(struct pim_stores *s, const struct pim_exec *x);
void pim_stores_free(struct pim_stores *s);
void pim_stores_reset(struct pim_stores *s);
void pim_stores_walk(struct pim_stores *s, struct pim_io *io);

void pim_scratch_free(struct pim_scratch *s);
/* Makes room for every job of a batch: 0 or -ENOMEM. */
int pim_scratch_reserve(struct pim_scratch *s, const struct pim_exec *x,
			const struct ppim_batch *batch);

/* Prepares job `job`: shapes, places, counters of locality. */
void pim_gather_begin(struct pim_gather *g, const struct ppim_job *job);
/* Bags that one phase may hold. */
uint32_t pim_gather_bags(const struct pim_gather *g);
/* Takes index apart and counts it. False: it does not count (padding, or the
 * job is cancelled). */
bool pim_gather_lookup(struct pim_gather *g, int64_t index,
		       struct pim_lookup *l);

/* Row of a subtable that is not duplicated, or the home of one that is. */
void pim_gather_home(struct pim_gather *g, uint32_t sub, uint64_t row,
		     struct ppim_row_loc *loc);
/* Row of the copy in bank group `slice`, else of its home. */
void pim_gather_copy(struct pim_gather *g, uint32_t sub, uint64_t row,
		     uint32_t slice, struct ppim_row_loc *loc);
/* Row of any copy, taken in turn. */
void pim_gather_any(struct pim_gather *g, uint32_t sub, uint64_t row,
		    struct ppim_row_loc *loc);

/* Device and address of a place. */
void pim_gather_at(const struct pim_gather *g, const struct ppim_row_loc *loc,
		   struct ppim_pim_cmd *cmd);
/* Bursts of a row of subtable `sub` in that tier. */
static inline uint32_t pim_gather_bursts(const struct pim_gather *g,
					 uint32_t sub,
					 const struct ppim_row_loc *loc)
{
	return loc->tier == PPIM_TIER_HBM ? g->bursts[sub]
					  : g->dimm_bursts[sub];
}

void pim_gather_emit(struct pim_gather *g, const struct ppim_pim_cmd *cmd);
/* Reads a row of subtable `sub`. */
void pim_gather_read(struct pim_gather *g, uint32_t sub,
		     const struct ppim_row_loc *loc, uint8_t to, uint32_t bag,
		     uint64_t mac);
/* The bag's partial sums leave the units. */
void pim_gather_transfer(struct pim_gather *g, uint32_t bag);

/*
 * A subtable entry's name for caches: where the subtable is, and the row. Ids
 * and epochs of tables grow with all that a driver ever did, and figures must
 * not depend on that.
 */
static inline uint64_t pim_gather_key(const struct pim_gather *g, uint32_t sub,
				      uint64_t row)
{
	const struct ppim_extent *x = &g->table->sub[sub].extents[0];
	uint64_t place = (uint64_t)x->tier << 63 | (uint64_t)x->slice << 40;

	return pim_cache_mix((place + x->offset) * 0x9e3779b97f4a7c15ull + row);
}

static inline bool pim_seen_test_set(struct pim_seen *s, uint64_t i)
{
	bool seen = s->stamp[i] == s->gen;

	s->stamp[i] = s->gen;
	return seen;
}

/* Forgets everything. */
static inline void pim_seen_next(struct pim_seen *s)
{
	if (++s->gen)
		return;
	memset(s->stamp, 0, s->size * sizeof(*s->stamp));
	s->gen = 1;
}

#endif
