/* SPDX-License-Identifier: MIT */
/*
 * State of the memory model. Everything below struct dram_channel is flat:
 * no pointer, so that saving is copying; dram_state.c checks what it loads
 * against the same invariants that are stated here.
 *
 * A channel is one controller. Its banks are numbered rank x banks + bank
 * group x banks per group + bank, and a set of banks is a 64-bit mask. The
 * scheduler asks "which banks could issue what at clock c" of masks, and "when
 * is the next clock at which anything could happen" of a few times:
 *
 *  - A bank's own timing (tRCD, tRP, tRC, tRAS, tRTP, tWR) turns into an event
 *    in one of three timelines; when its clock has come the bank's bit moves
 *    into the mask of ripe banks.
 *  - What a rank or bank group imposes (tRRD, tFAW, tCCD, tWTR, tRTW, tRFC) is
 *    one time per rank and per bank group, compared when a command is picked.
 */
#ifndef PPIM_ENGINE_DRAM_INT_H
#define PPIM_ENGINE_DRAM_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "dram_timing.h"
#include "ppim-engine/dram.h"

#define DRAM_MAX_BANKS 64 /* of a channel: bits of a mask */
#define DRAM_MAX_QUEUE 32 /* entries of a bank's command queue */
#define DRAM_NEVER UINT64_MAX
#define DRAM_NO_ROW UINT32_MAX
#define DRAM_NO_NODE UINT16_MAX
#define DRAM_FILTER_LOG2 11

/* Transactions beyond this many in the write queue drain when the command
 * queues are empty; DRAMsim3's constant, as is the limit of row hits. */
#define DRAM_WRITE_LOW 8
#define DRAM_ROW_HIT_LIMIT 4

/* A command that waits in a bank's queue. */
struct dram_entry {
	uint64_t addr;
	uint32_t row;
	uint16_t joined; /* further reads that the burst answers */
	uint8_t write;
	uint8_t pad;
};

struct dram_bank {
	uint64_t t_act; /* earliest activation, as far as the bank goes */
	uint64_t t_rd, t_wr; /* since the activation */
	uint64_t t_pre;
	uint64_t t_ref;
	uint32_t row; /* DRAM_NO_ROW: closed */
	uint32_t hit; /* positions in queue of the open row */
	uint32_t wr; /* positions in queue that write */
	uint8_t n; /* entries in queue */
	uint8_t hits; /* column commands since activation, saturating */
	uint8_t group; /* bank group, counted over all ranks */
	uint8_t rank;
	/* One more than used, so that removal may copy a fixed amount. */
	struct dram_entry queue[DRAM_MAX_QUEUE + 1];
};

struct dram_group {
	uint64_t t_act, t_rd, t_wr;
};

struct dram_rank {
	uint64_t t_act, t_rd, t_wr, t_pre;
	struct dram_window4 faw;
	uint64_t aw32_until[32]; /* GDDR */
	uint32_t aw32_at;
	uint32_t open; /* banks with an open row */
	uint64_t open_since; /* clock, if open */
	uint8_t act_group, col_group; /* last used */
	uint8_t pad[6];
};

/* A transaction that has no room in its bank's command queue yet. */
struct dram_node {
	struct dram_entry e;
	uint32_t seq; /* age */
	uint16_t next;
	uint8_t bank;
	uint8_t after_read; /* a read of the burst was pending when it came */
};

#define DRAM_MAX_NODES 256

/* One transaction queue: per bank in order, between banks by age. */
struct dram_trans {
	uint64_t waiting; /* banks with a transaction here */
	uint32_t n;
	uint32_t seq;
	uint16_t free; /* head of the list of free nodes */
	uint16_t head[DRAM_MAX_BANKS], tail[DRAM_MAX_BANKS];
	struct dram_node node[DRAM_MAX_NODES];
};

/*
 * Events in order of time: clock << 6 | bank. A bank has one event at most in
 * each, and one that a refresh of the bank has made void.
 */
#define DRAM_TIMELINE 128
struct dram_timeline {
	uint64_t next; /* clock of ev[head], or DRAM_NEVER */
	uint8_t head, tail;
	uint8_t pad[6];
	uint64_t ev[DRAM_TIMELINE];
};

struct dram_channel {
	/* clocks below t_next are done */
	uint64_t t_next; /* next clock at which anything may happen */
	uint64_t t_cmd; /* next clock at which a command may issue */
	uint64_t t_refresh; /* next refresh falls due */

	/* sets of banks */
	uint64_t open; /* with an open row */
	uint64_t queued; /* with entries in the command queue */
	uint64_t room; /* whose command queue has room */
	uint64_t act_ripe; /* closed, t_act has come */
	uint64_t col_ripe; /* open, tRCD has passed */
	uint64_t hit_rd, hit_wr; /* open, with reads (writes) of the row */
	uint64_t want_pre; /* open, and the row is to be closed */
	uint64_t pre_ripe; /* in want_pre, t_pre has come */
	uint64_t pre_timed; /* with an event in `pre` */
	uint64_t refreshing; /* kept for the refresh that waits */

	uint32_t turn; /* bank that issued last */
	uint32_t refresh_due; /* refreshes that wait */
	uint32_t refresh_unit; /* what the first of them is for */
	uint32_t draining; /* writes to drain before reads go on */
	uint32_t reads_first; /* a write waits for a read that has to move */
	uint64_t reads_first_addr;

	uint64_t reads_pending; /* admitted, not done */
	struct ppim_dram_stats st;

	struct dram_timeline act, col, pre;
	struct dram_group group[DRAM_MAX_BANKS];
	struct dram_rank rank[DRAM_MAX_BANKS];
	struct dram_trans rd, wr;
	/* Per hash of an address: pending requests; 255 sticks. */
	uint8_t filter[1 << DRAM_FILTER_LOG2];
	struct dram_bank bank[DRAM_MAX_BANKS];
};

/* What does not change while a memory lives. */
struct dram_config {
	struct dram_delays d;
	struct ppim_addrmap map;
	uint32_t channels, ranks, groups, banks; /* groups, banks: of a rank */
	uint32_t group_banks;
	uint32_t bank_count; /* of a channel */
	uint32_t queue, trans; /* queue sizes */
	uint64_t rank_mask[DRAM_MAX_BANKS];
	uint64_t group_mask[DRAM_MAX_BANKS]; /* by group over all ranks */
	uint64_t refresh_interval;
	uint32_t refresh_burst; /* units that fall due together */
	uint32_t refresh_units;
	bool refresh_banks;
	bool dual, closed_page, unified;
	uint64_t act_col; /* least clocks from activation to a column command */
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

/* Clock c of the channel: at most one command (two, if dual), at most one
 * transaction moved. Sets t_next. */
void dram_channel_clock(struct ppim_dram *m, struct dram_channel *ch,
			uint64_t c);

static inline uint32_t dram_first(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask);
}

static inline uint64_t dram_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t dram_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint8_t *dram_filter(struct dram_channel *ch, uint64_t addr)
{
	uint64_t h = (addr ^ addr >> 32) * 0x9e3779b97f4a7c15ull;

	return &ch->filter[h >> (64 - DRAM_FILTER_LOG2)];
}

static inline void dram_filter_add(struct dram_channel *ch, uint64_t addr)
{
	uint8_t *f = dram_filter(ch, addr);

	*f += *f != UINT8_MAX;
}

static inline void dram_filter_del(struct dram_channel *ch, uint64_t addr)
{
	uint8_t *f = dram_filter(ch, addr);

	*f -= *f != UINT8_MAX;
}

#endif
