/* SPDX-License-Identifier: MIT */
/*
 * State of the memory model. Everything below struct dram_channel is flat:
 * no pointer, so that saving is copying; dram_state.c checks what it loads
 * against the same invariants that are stated here.
 *
 * A channel is one controller. Its banks are numbered rank x banks + bank
 * group x banks per group + bank, and a set of banks is a 64-bit mask.
 *
 * Two kinds of clocks are kept. Limits are what constraints say: the earliest
 * clock of a command as far as the bank, its bank group, its rank go. Lanes say
 * when each bank could issue what it waits for, all limits together, and
 * DRAM_LATE if it does not wait: the least of all lanes is the next clock worth
 * looking at. Both are counted from `base`, lanes in 16 bits, so that one vector
 * instruction looks at many banks. Base follows the present; what lies before
 * it binds no more and is 0.
 *
 * What a bank, a bank group and a rank hold is kept in one array per property.
 */
#ifndef PPIM_ENGINE_DRAM_INT_H
#define PPIM_ENGINE_DRAM_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "dram_timing.h"
#include "ppim-engine/dram.h"

/* With a sanitizer's checks in every copy the compiler would take minutes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DRAM_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DRAM_SANITIZED
#endif
#endif

#ifdef DRAM_SANITIZED
#define ALWAYS_INLINE inline
#else
#define ALWAYS_INLINE inline __attribute__((always_inline))
#endif
#define NOINLINE __attribute__((noinline))

#define DRAM_MAX_BANKS 64 /* of a channel: bits of a mask */
#define DRAM_MAX_QUEUE 16 /* entries of a bank's command queue */
#define DRAM_MAX_NODES 256 /* entries of a transaction queue */
#define DRAM_NEVER UINT64_MAX
#define DRAM_NO_ROW UINT32_MAX
#define DRAM_NO_NODE UINT16_MAX
#define DRAM_FILTER_LOG2 10
#define DRAM_LATE UINT16_MAX /* in a lane: does not wait */
#define DRAM_BASE_AGE 16384 /* base moves when the present is later */
#define DRAM_MAX_DELAY 16000 /* of a limit beyond the present; below LATE */

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
	int32_t t_act[DRAM_MAX_BANKS]; /* limits of the bank alone */
	int32_t t_rd[DRAM_MAX_BANKS];
	int32_t t_wr[DRAM_MAX_BANKS];
	int32_t t_pre[DRAM_MAX_BANKS];
	int32_t t_ref[DRAM_MAX_BANKS];
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
	int32_t t_act[DRAM_MAX_BANKS];
	int32_t t_rd[DRAM_MAX_BANKS];
	int32_t t_wr[DRAM_MAX_BANKS];
};

struct dram_ranks {
	int32_t t_act[DRAM_MAX_BANKS];
	int32_t t_rd[DRAM_MAX_BANKS];
	int32_t t_wr[DRAM_MAX_BANKS];
	int32_t t_pre[DRAM_MAX_BANKS];
	struct dram_window4 faw[DRAM_MAX_BANKS];
	struct dram_window32 aw32[DRAM_MAX_BANKS]; /* GDDR */
	uint64_t open_since[DRAM_MAX_BANKS]; /* clock, if a row is open */
};

/* By bank: when it could issue what it waits for. */
struct dram_lanes {
	uint16_t act[DRAM_MAX_BANKS];
	uint16_t pre[DRAM_MAX_BANKS];
	uint16_t rd[DRAM_MAX_BANKS];
	uint16_t wr[DRAM_MAX_BANKS];
};

struct dram_channel {
	/* clocks below t_next are done */
	uint64_t t_next; /* next clock at which anything may happen */
	uint64_t t_cmd; /* earliest clock of any command, by the lanes */
	uint64_t t_rare; /* earliest clock that is more than commands: while
			  * a refresh waits all of them, else the next refresh
			  * or base's age */
	uint64_t base;

	/* sets of banks */
	uint64_t open; /* with an open row */
	uint64_t queued; /* with entries in the command queue */
	uint64_t room; /* whose command queue has room */
	uint64_t refreshing; /* kept for the refresh that waits */
	uint64_t due; /* with a command for clock t_cmd */
	uint32_t writes; /* in command queues; 0: all of lane.wr is late */

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

	struct dram_lanes lane __attribute__((aligned(64)));
	struct dram_ranks rank;
	struct dram_groups group;
	struct dram_banks bank;
	struct dram_trans rd, wr;
	/* Per hash of an address: pending requests; 255 sticks. */
	uint8_t filter[1 << DRAM_FILTER_LOG2];
};

/* Banks of a rank and ranks, of which the scheduler has instances; any: others,
 * and whatever is rare. */
enum dram_shape {
	DRAM_SHAPE_16X1,
	DRAM_SHAPE_16X2,
	DRAM_SHAPE_32X1,
	DRAM_SHAPE_ANY
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
	uint16_t lane_group[DRAM_MAX_BANKS] __attribute__((aligned(64)));
	uint64_t rank_mask[DRAM_MAX_BANKS];
	uint64_t refresh_interval;
	uint32_t refresh_burst; /* units that fall due together */
	uint32_t refresh_units;
	uint64_t skip_gap; /* longer times without work are not walked through */
	bool refresh_banks;
	bool dual, closed_page, unified;
	enum dram_shape shape;
	/* Bank of an address: bank_of[burst >> bank_pos & bank_bits] if its
	 * fields are next to each other, else bank_bits is 0. */
	uint32_t bank_pos, bank_bits;
	uint8_t bank_of[DRAM_MAX_BANKS];
};

/*
 * The scheduler, compiled for several instruction sets; all do the same.
 * run: does all that happens up to the clock, which t_next is not beyond.
 * run_room: runs until the queue has room; returns the clock at which it has.
 */
struct dram_sched {
	const char *name;
	bool (*usable)(void);
	void (*run)(struct ppim_dram *m, struct dram_channel *ch,
		    uint64_t until);
	uint64_t (*run_room)(struct ppim_dram *m, struct dram_channel *ch,
			     const struct dram_trans *q);
};

extern const struct dram_sched dram_sched_plain;
#ifdef __x86_64__
extern const struct dram_sched dram_sched_avx2;
#endif

struct ppim_dram {
	struct dram_config cfg;
	const struct dram_sched *sched;
	struct ppim_spec spec;
	uint32_t inject;
	uint32_t injected; /* in clock `now` */
	uint64_t now; /* clock of the front end */
	ppim_dram_observe_fn *observe;
	void *observe_arg;
	struct dram_channel ch[];
};

/* Gives a state that a test has changed its checksum. */
void dram_state_seal(const struct ppim_dram *m, void *buf);

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
