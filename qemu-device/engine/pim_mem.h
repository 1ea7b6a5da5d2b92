/* SPDX-License-Identifier: MIT */
/*
 * One memory (an HBM stack, the DIMMs) as the PIM executor sees it: constants
 * in ticks, and the times at which its banks, bank groups, ranks and channels
 * are free. A *slice* is one bank group of one rank; slices are numbered
 * (channel * ranks + rank) * bankgroups + bank group.
 *
 * A tick is the greatest common divisor of 1 ps and both memories' clocks, so
 * every clock edge is a whole number of ticks.
 */
#ifndef PPIM_PIM_MEM_H
#define PPIM_PIM_MEM_H

#include <stdbool.h>
#include "engine_int.h"
#include "pim_io.h"

#define PIM_NEVER    UINT64_MAX
#define PIM_ROW_NONE UINT32_MAX
#define PIM_NIL	     UINT32_MAX

/* Constraints in ticks. */
struct pim_timing {
	uint64_t tck;
	uint64_t trcd, trp, tras, trc, cl, burst;
	uint64_t rd_pre, wr_pre; /* column command to precharge */
	uint64_t tccd; /* bursts of one bank group: max(tCCD_L, burst) */
	uint64_t bus; /* bursts on the channel's bus: max(tCCD_S, burst) */
	uint64_t trrd_s, trrd_l, tfaw;
	uint64_t trfc, trefi; /* per rank, or per bank if by_bank */
	bool by_bank;
};

/* Fields of an address, from bit `shift` of the address on. */
struct pim_map {
	uint8_t pos[PPIM_FIELD_COUNT];
	uint8_t width[PPIM_FIELD_COUNT];
	uint8_t shift;
	uint32_t run; /* bursts that differ in the column alone */
};

struct pim_bank {
	uint64_t act_ready; /* precharged and past tRC: may open a row */
	uint64_t col_ready; /* tRCD after the last activation */
	uint32_t row; /* open row or PIM_ROW_NONE */
	uint32_t acts; /* in this phase */
};

/* Operations wait in the order of their commands; what the host reads for a
 * move does not wait for PIM units. */
enum pim_queue { PIM_QUEUE_UNIT, PIM_QUEUE_HOST, PIM_QUEUES };

struct pim_slice {
	/* constants: division is slow */
	uint32_t rank, chan;
	/* state */
	uint64_t col_free;
	uint64_t mac_free;
	uint64_t act_next; /* tRRD_L after the last activation */
	uint64_t drained[3]; /* last TR: so far, up to the last phase, before */
	uint32_t starts_pos;
	uint32_t macs_pos;
	/* this run */
	uint64_t key; /* when its next operation could have its data */
	uint64_t act; /* when that could have its row opened */
	uint64_t ready; /* no gather of this phase before */
	uint32_t head[PIM_QUEUES], tail[PIM_QUEUES]; /* operations */
	uint32_t pick, before; /* the next one, and the one that it follows */
	uint32_t passed; /* operations that went before the head */
	uint8_t queue; /* that the next one is in */
	/* this phase */
	uint64_t col_busy;
	uint64_t mac_busy;
};

struct pim_rank {
	uint64_t
		faw[4]; /* tFAW after the last ones; faw[faw_pos]: the oldest */
	uint64_t last_act;
	uint64_t act_next; /* tRRD_S after it */
	uint64_t bus_free; /* a unit at the rank reads over this */
	uint64_t ref_due;
	uint32_t faw_pos;
	uint32_t ref_bank; /* next bank, if by bank */
	uint64_t acts; /* in this phase */
	uint64_t bus_busy;
};

struct pim_chan {
	uint64_t bus_free; /* banks to base die; a DIMM's data bus */
	uint64_t phy_free; /* base die to host */
	uint64_t row_cmd, col_cmd; /* row and column command bus */
	uint64_t mac_free; /* rank-level unit */
	/* this run */
	uint64_t key;
	uint32_t n_drains;
	/* this phase */
	uint64_t bus_busy;
	uint64_t phy_busy;
	uint64_t row_busy, col_cmd_busy;
	uint64_t mac_busy;
};

struct pim_mem_stats {
	uint64_t reads, writes; /* bursts */
	uint64_t acts, row_hits;
};

struct pim_mem {
	struct pim_timing t;
	struct pim_map map; /* the host's view */
	uint32_t channels, ranks; /* ranks of a channel */
	uint32_t bankgroups, banks; /* banks of a bank group */
	uint32_t n_slices, n_ranks;
	uint32_t burst_bytes, row_bytes;
	uint32_t burst_shift, row_shift, bank_shift;
	uint64_t slice_bytes;
	uint32_t rows; /* of a bank */
	uint32_t window; /* commands that a bank group looks ahead */
	uint32_t operands;

	struct pim_bank *bank; /* slice * banks + bank */
	struct pim_slice *slice;
	struct pim_rank *rank;
	struct pim_chan *chan;
	uint64_t *starts; /* slice * window: column starts */
	uint64_t *macs; /* slice * operands: ends of MAC work */
	struct pim_mem_stats stats; /* of this batch */
};

/* `channels` and `bytes` replace the specification's. `unit_fs` is the tick. */
int pim_mem_init(struct pim_mem *m, const struct ppim_spec *spec,
		 uint32_t channels, uint64_t bytes, uint64_t unit_fs,
		 uint32_t window, uint32_t operands, struct ppim_diag *diag);
void pim_mem_free(struct pim_mem *m);

/* Banks closed, every time zero, refresh at its first due time. */
void pim_mem_reset(struct pim_mem *m, const struct ppim_spec *spec);

/* No operations wait. */
void pim_mem_empty(struct pim_mem *m);

/* What the busiest of each kind did since pim_mem_phase(), in ticks. */
struct pim_busy {
	uint64_t acts; /* a rank's activation window, a bank's tRC */
	uint64_t cols; /* a bank group's columns */
	uint64_t bus; /* a channel's or a rank's bus */
	uint64_t macs;
	uint64_t cmds;
};

void pim_mem_phase(struct pim_mem *m);
void pim_mem_busiest(const struct pim_mem *m, struct pim_busy *busy);

/* Saves, loads, shifts: see pim_io.h. */
void pim_mem_walk(struct pim_mem *m, struct pim_io *io);

/*
 * The refreshes of a rank that fall due up to `now`, before a command at
 * `now`. Rows are closed; commands in flight end first.
 */
void pim_mem_refresh(struct pim_mem *m, uint32_t rank, uint64_t now);

/* Refreshes of all ranks that fall due after `from`, up to `to`. */
uint64_t pim_mem_refreshes(const struct pim_mem *m, uint64_t from, uint64_t to);

/* Where a host address is, and how many bursts follow in that row. */
struct pim_where {
	uint32_t slice;
	uint32_t bank;
	uint32_t row;
	uint32_t bursts;
};

void pim_mem_decode(const struct pim_mem *m, uint64_t addr,
		    struct pim_where *w);

/* The same of a bank-group-linear place: bank = (offset / row bytes) % banks,
 * row = the rest. */
static inline void pim_mem_linear(const struct pim_mem *m, uint32_t slice,
				  uint64_t offset, struct pim_where *w)
{
	uint32_t in = (uint32_t)offset & (m->row_bytes - 1);

	w->slice = slice;
	w->bank = (uint32_t)(offset >> m->row_shift) & (m->banks - 1);
	w->row = (uint32_t)(offset >> (m->row_shift + m->bank_shift));
	w->bursts = (m->row_bytes - in) >> m->burst_shift;
}

static inline uint64_t pim_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint32_t pim_mem_rank(const struct pim_mem *m, uint32_t slice)
{
	return m->slice[slice].rank;
}

static inline uint32_t pim_mem_channel(const struct pim_mem *m, uint32_t slice)
{
	return m->slice[slice].chan;
}

#endif
