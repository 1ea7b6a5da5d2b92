/* SPDX-License-Identifier: MIT */
/*
 * State of the memory model. Everything below struct dram_channel is flat:
 * no pointer, so that saving is copying; dram_state.c checks what it loads
 * against the same invariants that are stated here.
 *
 * A channel is one controller. Its banks are numbered rank x banks + bank
 * group x banks per group + bank, and a set of banks is a 64-bit mask. For each
 * class of command (activation, read, write, precharge) the channel keeps the
 * set of banks that wait for it and the earliest clock at which one of them
 * could issue it: never too late, and too early only until it is next looked
 * at. The least of the four is the next clock worth looking at.
 *
 * What a bank, a bank group and a rank hold is kept in one array per property:
 * the scheduler touches few properties of many banks, and the model is bound
 * by the number of instructions.
 */
#ifndef PPIM_ENGINE_DRAM_INT_H
#define PPIM_ENGINE_DRAM_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "dram_timing.h"
#include "ppim-engine/dram.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

#define DRAM_MAX_BANKS 64 /* of a channel: bits of a mask */
#define DRAM_MAX_QUEUE 16 /* entries of a bank's command queue */
#define DRAM_MAX_NODES 256 /* entries of a transaction queue */
#define DRAM_NEVER UINT64_MAX
#define DRAM_NO_ROW UINT32_MAX
#define DRAM_NO_NODE UINT16_MAX
#define DRAM_FILTER_LOG2 10

/* More writes than this drain when the command queues are empty; DRAMsim3's
 * constant, as is the limit of row hits. */
#define DRAM_WRITE_LOW 8
#define DRAM_ROW_HIT_LIMIT 4

/* A transaction that has no room in its bank's command queue yet. */
struct dram_node {
	uint64_t addr;
	uint32_t row;
	uint32_t seq; /* age */
	uint16_t next;
	uint16_t joined; /* further reads that its burst answers */
	uint8_t write;
	uint8_t after_read; /* a read of the address waited when it came */
	uint8_t pad[2];
};

/* One transaction queue: per bank in order, between banks by age. */
struct dram_trans {
	uint64_t waiting; /* banks with a transaction here */
	uint32_t n;
	uint32_t seq;
	uint16_t free; /* head of the list of free nodes */
	uint16_t head[DRAM_MAX_BANKS], tail[DRAM_MAX_BANKS];
	struct dram_node node[DRAM_MAX_NODES];
};

/* Counted as it happens; struct ppim_dram_stats says what they are. */
struct dram_counts {
	uint64_t cmds[PPIM_CMD_COUNT];
	uint64_t writes, row_hits, joined_reads, forwarded_reads;
	uint64_t merged_writes, dual_cmds, active_clocks;
};

/*
 * Banks and their command queues. An entry stays in its slot; `order` says
 * which slots are in use, oldest first, four bits each, and behind them the
 * free ones. Sets of slots are 16-bit masks.
 */
struct dram_banks {
	uint64_t t_act[DRAM_MAX_BANKS]; /* of the bank alone, as are all here */
	uint64_t acted[DRAM_MAX_BANKS]; /* clock of the last activation */
	uint64_t t_pre[DRAM_MAX_BANKS];
	uint64_t t_ref[DRAM_MAX_BANKS];
	uint64_t order[DRAM_MAX_BANKS];
	uint32_t row[DRAM_MAX_BANKS]; /* DRAM_NO_ROW: closed */
	uint16_t used[DRAM_MAX_BANKS]; /* slots in use */
	uint16_t hit[DRAM_MAX_BANKS]; /* slots of the open row */
	uint16_t wr[DRAM_MAX_BANKS]; /* slots that write */
	uint8_t n[DRAM_MAX_BANKS]; /* slots in use */
	uint8_t hits[DRAM_MAX_BANKS]; /* column commands since activation,
				       * saturating */
	uint32_t rows[DRAM_MAX_BANKS][DRAM_MAX_QUEUE]
		__attribute__((aligned(16)));
	uint64_t addr[DRAM_MAX_BANKS][DRAM_MAX_QUEUE];
	uint16_t joined[DRAM_MAX_BANKS][DRAM_MAX_QUEUE];
};

struct dram_groups {
	uint64_t t_act[DRAM_MAX_BANKS];
	uint64_t t_rd[DRAM_MAX_BANKS];
	uint64_t t_wr[DRAM_MAX_BANKS];
};

struct dram_ranks {
	uint64_t t_act[DRAM_MAX_BANKS];
	uint64_t t_rd[DRAM_MAX_BANKS];
	uint64_t t_wr[DRAM_MAX_BANKS];
	uint64_t t_pre[DRAM_MAX_BANKS];
	struct dram_window4 faw[DRAM_MAX_BANKS];
	struct dram_window32 aw32[DRAM_MAX_BANKS]; /* GDDR */
	uint64_t open_since[DRAM_MAX_BANKS]; /* clock, if a row is open */
};

struct dram_channel {
	/* clocks below t_next are done */
	uint64_t t_next; /* next clock at which anything may happen */
	uint64_t t_refresh; /* next refresh falls due, or a clock in the past
			     * while one waits */
	/* earliest clock of a command of each class; see above */
	uint64_t t_act, t_rd, t_wr, t_pre;

	/* sets of banks */
	uint64_t open; /* with an open row */
	uint64_t queued; /* with entries in the command queue */
	uint64_t room; /* whose command queue has room */
	uint64_t hit_rd, hit_wr; /* open, with reads (writes) of the row */
	uint64_t want_pre; /* open, and the row is to be closed */
	uint64_t refreshing; /* kept for the refresh that waits */

	uint32_t turn; /* bank that issued last */
	uint32_t draining; /* writes to drain before reads go on */
	uint32_t reads_first; /* a write waits for a read that has to move */
	uint32_t refresh_due; /* refreshes that wait */
	uint32_t refresh_unit; /* what the first of them is for */
	uint32_t pad;
	uint64_t refresh_next; /* clock at which the next one falls due */
	uint64_t reads_first_addr;

	uint64_t reads, reads_pending; /* admitted, not done */
	uint64_t last_read, last_write; /* clocks at which they were done */
	uint64_t read_latency;
	struct dram_counts n;

	struct dram_ranks rank;
	struct dram_groups group;
	struct dram_banks bank;
	struct dram_trans rd, wr;
	/* Per hash of an address: pending requests; 255 sticks. */
	uint8_t filter[1 << DRAM_FILTER_LOG2];
};

/* What does not change while a memory lives. */
struct dram_config {
	struct dram_delays d;
	struct ppim_addrmap map;
	uint32_t channels, ranks, groups, banks; /* groups, banks: of a rank */
	uint32_t group_banks;
	uint32_t bank_count; /* of a channel */
	uint32_t queue, trans; /* queue sizes */
	uint32_t drain_min; /* fewer writes never start to drain */
	uint8_t rank_of[DRAM_MAX_BANKS]; /* by bank of the channel */
	uint8_t group_of[DRAM_MAX_BANKS]; /* counted over all ranks */
	uint64_t rank_mask[DRAM_MAX_BANKS];
	uint64_t refresh_interval;
	uint32_t refresh_burst; /* units that fall due together */
	uint32_t refresh_units;
	bool refresh_banks;
	bool dual, closed_page, unified;
	bool rare; /* something that the fast paths leave out */
	/* Bank of an address: bank_of[burst >> bank_pos & bank_bits] if its
	 * fields are next to each other, else bank_bits is 0. */
	uint32_t bank_pos, bank_bits;
	uint8_t bank_of[DRAM_MAX_BANKS];
};

struct ppim_dram {
	struct dram_config cfg;
	struct ppim_spec spec;
	uint32_t inject;
	uint32_t injected; /* in clock `now` */
	uint64_t now; /* clock of the front end */
	ppim_dram_observe_fn *observe;
	void *observe_arg;
	struct dram_channel ch[];
};

/* Does all that happens up to the clock, which t_next is not beyond. */
void dram_channel_run(struct ppim_dram *m, struct dram_channel *ch,
		      uint64_t until);

/* Runs until the queue has room; returns the clock at which it has. */
uint64_t dram_channel_run_room(struct ppim_dram *m, struct dram_channel *ch,
			       const struct dram_trans *q);

static ALWAYS_INLINE uint32_t dram_first(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask);
}

static ALWAYS_INLINE uint64_t dram_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static ALWAYS_INLINE uint64_t dram_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static ALWAYS_INLINE uint8_t *dram_filter(struct dram_channel *ch,
					  uint64_t addr)
{
	uint64_t h = addr * 0x9e3779b97f4a7c15ull;

	return &ch->filter[h >> (64 - DRAM_FILTER_LOG2)];
}

static ALWAYS_INLINE void dram_filter_add(struct dram_channel *ch,
					  uint64_t addr)
{
	uint8_t *f = dram_filter(ch, addr);

	*f += *f != UINT8_MAX;
}

static ALWAYS_INLINE void dram_filter_del(struct dram_channel *ch,
					  uint64_t addr)
{
	uint8_t *f = dram_filter(ch, addr);

	*f -= *f != UINT8_MAX;
}

#endif
