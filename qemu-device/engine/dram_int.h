/* SPDX-License-Identifier: MIT */
/*
 * State of the memory model. Everything below struct dram_channel is flat:
 * no pointer, so that saving is copying; dram_state.c checks what it loads
 * against the same invariants that are stated here.
 *
 * A channel is one controller. Its banks are numbered rank x banks + bank
 * group x banks per group + bank, and a set of banks is a 64-bit mask.
 *
 * What constraints say is kept in lanes: for each kind of command one clock per
 * bank, the earliest at which the bank may take it, all constraints together.
 * Beside them `wait` says which banks wait for one: the least lane of those is
 * the next clock worth looking at. Lanes are counted from `base`, in 16 bits,
 * so that one vector instruction looks at many banks. Base follows the present;
 * what lies before it binds no more.
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
#define DRAM_NODES_V 32 /* as many are looked at by one vector instruction */
#define DRAM_NO_ENTRY 0x80 /* instead of its bank */
#define DRAM_NO_BANK 0x8080
#define DRAM_FILTER_LOG2 12
#define DRAM_LATE UINT16_MAX /* later than any lane */
#define DRAM_BASE_AGE 16384 /* base moves when the present is later */
#define DRAM_MAX_DELAY 16000 /* of a lane beyond the present; below LATE */
#define DRAM_WAITED 4 /* commands that banks wait for, ACT to WR */

/* More writes than this drain when the command queues are empty; DRAMsim3's
 * constant, as is the limit of row hits. */
#define DRAM_WRITE_LOW 8
#define DRAM_ROW_HIT_LIMIT 4

/* A transaction that has no room in its bank's command queue yet. */
struct dram_node {
	uint64_t addr;
	uint16_t joined; /* further reads that its burst answers */
	uint8_t write;
	uint8_t after_read; /* a read of the address waited when it came */
	uint8_t pad[4];
};

/* One transaction queue, by age: of each entry its bank, and the node that it is
 * in; behind the n-th there are DRAM_NO_ENTRY and the free nodes. */
struct dram_trans {
	uint8_t bank[DRAM_MAX_NODES] __attribute__((aligned(64)));
	uint8_t slot[DRAM_MAX_NODES];
	struct dram_node node[DRAM_MAX_NODES];
	uint64_t waiting; /* banks with an entry */
	uint16_t of_bank[DRAM_MAX_BANKS]; /* entries */
	uint32_t n;
};

/* Counted as it happens; struct ppim_dram_stats says what they are. */
struct dram_counts {
	uint64_t cmds[PPIM_CMD_COUNT];
	uint64_t writes, row_hits, joined_reads, forwarded_reads;
	uint64_t merged_writes, dual_cmds, active_clocks;
};

/*
 * Banks and their command queues. An entry stays in its slot; `order` says
 * which slots are in use, oldest first, and behind them the free ones. Sets of
 * entries are 16-bit masks by age: bit 0 is the oldest.
 */
struct dram_banks {
	uint8_t order[DRAM_MAX_BANKS][DRAM_MAX_QUEUE]
		__attribute__((aligned(64)));
	uint32_t row[DRAM_MAX_BANKS]; /* the open one, or that of the oldest
				       * entry; DRAM_NO_ROW: neither */
	uint16_t hit[DRAM_MAX_BANKS]; /* entries of that row */
	uint16_t wr[DRAM_MAX_BANKS]; /* entries that write */
	uint8_t n[DRAM_MAX_BANKS]; /* entries */
	uint8_t hits[DRAM_MAX_BANKS]; /* column commands since activation,
				       * saturating */
	uint32_t rows[DRAM_MAX_BANKS][DRAM_MAX_QUEUE]
		__attribute__((aligned(64)));
	uint64_t addr[DRAM_MAX_BANKS][DRAM_MAX_QUEUE];
	uint16_t joined[DRAM_MAX_BANKS][DRAM_MAX_QUEUE];
};

/* Until when each of the last 32 activations binds that which is 32 behind it;
 * the next takes the place `at`. */
struct dram_window32 {
	int32_t until[32];
	uint32_t at;
};

struct dram_ranks {
	/* Until when each of the last four activations binds that which is
	 * four behind it, the last first. */
	uint16_t faw[DRAM_MAX_BANKS][4];
	struct dram_window32 aw32[DRAM_MAX_BANKS]; /* GDDR */
	uint64_t open_since[DRAM_MAX_BANKS]; /* clock, if a row is open */
};

/* By bank: the earliest clock of each command, as far as constraints go. */
struct dram_lanes {
	uint16_t cmd[DRAM_WAITED][DRAM_MAX_BANKS] __attribute__((aligned(64)));
	uint16_t ref[DRAM_MAX_BANKS];
};

struct dram_channel {
	/* clocks below t_next are done */
	uint64_t t_next; /* next clock at which anything may happen */
	uint64_t t_rare; /* earliest clock that is more than commands: while
			  * a refresh waits all of them, else the next refresh
			  * or base's age */
	uint64_t base;

	/* sets of banks */
	uint64_t open; /* with an open row */
	uint64_t queued; /* with entries in the command queue */
	uint64_t room; /* whose command queue has room */
	uint64_t refreshing; /* kept for the refresh that waits */
	uint64_t wait[DRAM_WAITED]; /* that wait for the command */

	uint32_t turn; /* bank that issued last */
	uint32_t draining; /* writes to drain before reads go on */
	uint32_t reads_first; /* a write waits for a read that has to move */
	uint32_t refresh_due; /* refreshes that wait */
	uint32_t refresh_unit; /* what the first of them is for */
	uint32_t pad;
	uint64_t refresh_next; /* clock at which the next one falls due */
	uint64_t reads_first_addr;

	uint64_t reads; /* admitted */
	uint64_t last_read; /* clock at which it was done */
	uint64_t reads_pending; /* admitted, not done */
	uint64_t last_write; /* clock at which it was done */
	uint64_t read_latency;
	struct dram_counts n;

	struct dram_lanes lane;
	struct dram_ranks rank;
	struct dram_banks bank;
	struct dram_trans rd, wr;
	/* Per hash of an address: pending requests; 255 sticks. */
	uint8_t filter[1 << DRAM_FILTER_LOG2];
};

/* Banks of a channel, at most, for which the scheduler is compiled. */
enum dram_shape {
	DRAM_SHAPE_16,
	DRAM_SHAPE_32,
	DRAM_SHAPE_64
};

/* How near a bank is to that of a command: of those that hold, the first. */
enum dram_near {
	DRAM_SAME_BANK,
	DRAM_SAME_GROUP,
	DRAM_SAME_RANK,
	DRAM_OTHER_RANK,
	DRAM_NEARS
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
	/* Clocks from a command to one of a bank that is so near; 0: any. */
	uint16_t delay[DRAM_WAITED][DRAM_WAITED][DRAM_NEARS]
		__attribute__((aligned(64)));
	/* By bank of a command, for each bank the place of its delay in a row
	 * of `delay`, as two bytes' places, 2 near and 2 near + 1, so that a
	 * row is looked up by shuffling bytes; DRAM_NO_BANK: there is none. */
	uint16_t near[DRAM_MAX_BANKS][DRAM_MAX_BANKS]
		__attribute__((aligned(64)));
	/* Orders of slots: how to take out the at-th; 16: nothing. */
	uint8_t take[DRAM_MAX_QUEUE + 1][DRAM_MAX_QUEUE]
		__attribute__((aligned(16)));
	uint8_t rank_of[DRAM_MAX_BANKS]; /* by bank of the channel */
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
	/* Row of an address: addr >> row_pos & row_bits. */
	uint32_t row_pos, row_bits;
	uint8_t bank_of[DRAM_MAX_BANKS];
};

/*
 * The controllers and the front end, compiled for several instruction sets; all
 * do the same.
 * run: does all that happens up to the clock, which t_next is not beyond.
 * submit: admits the requests, in order.
 */
struct dram_sched {
	const char *name;
	bool (*usable)(void);
	void (*run)(struct ppim_dram *m, struct dram_channel *ch,
		    uint64_t until);
	void (*submit)(struct ppim_dram *m, const struct ppim_dram_req *reqs,
		       size_t n);
};

extern const struct dram_sched dram_sched_plain;
extern const struct dram_sched dram_sched_avx2;
extern const struct dram_sched dram_sched_avx512;

/* All instances, the fastest first; the last is usable anywhere. */
#ifdef __x86_64__
#define DRAM_SCHEDS 3
#else
#define DRAM_SCHEDS 1
#endif
extern const struct dram_sched *const dram_scheds[DRAM_SCHEDS];

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

/* Runs a channel nearly up to the clock, far ahead, as far as there is nothing
 * but refreshes. */
void dram_run_long(struct ppim_dram *m, struct dram_channel *ch,
		   uint64_t until);

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

static ALWAYS_INLINE uint32_t dram_row(const struct dram_config *cfg,
				       uint64_t addr)
{
	return (uint32_t)(addr >> cfg->row_pos) & cfg->row_bits;
}

/* All bits or none. The compiler is not to know which values there are, so that
 * it does not make branches of what is done with them. */
static ALWAYS_INLINE uint64_t dram_mask(bool is)
{
	uint64_t mask = -(uint64_t)is;

	__asm__("" : "+r"(mask));
	return mask;
}

static ALWAYS_INLINE uint64_t dram_select(uint64_t mask, uint64_t a, uint64_t b)
{
	return b ^ ((a ^ b) & mask);
}

static ALWAYS_INLINE uint32_t map_field(const struct ppim_addrmap *map,
					uint64_t burst, enum ppim_field f)
{
	return (uint32_t)(burst >> map->pos[f]) & ((1u << map->width[f]) - 1);
}

static inline uint32_t bank_of_burst(const struct ppim_addrmap *map,
				     uint64_t burst)
{
	uint32_t ba = map->width[PPIM_BA], bg = map->width[PPIM_BG];

	return map_field(map, burst, PPIM_BA) |
	       map_field(map, burst, PPIM_BG) << ba |
	       map_field(map, burst, PPIM_RA) << (ba + bg);
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
