/* SPDX-License-Identifier: MIT */
/*
 * Command-level model of one memory behind its controllers: requests go in in
 * order, cycles and counts come out. Event-driven: a clock in which nothing
 * can happen costs nothing. qemu-device/docs/engine-dram.md describes the
 * rules.
 *
 * One instance is used by one thread at a time; instances share nothing.
 */
#ifndef PPIM_ENGINE_DRAM_H
#define PPIM_ENGINE_DRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ppim-engine/spec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ppim_dram;

struct ppim_dram_req {
	uint64_t addr;
	uint64_t cycle : 63; /* not before this clock */
	uint64_t write : 1;
};

enum ppim_dram_cmd {
	PPIM_CMD_ACT,
	PPIM_CMD_PRE,
	PPIM_CMD_RD, /* with auto-precharge under the closed-page policy */
	PPIM_CMD_WR,
	PPIM_CMD_REF, /* all banks of a rank */
	PPIM_CMD_REFB, /* one bank */
	PPIM_CMD_COUNT
};

/* A command as it is issued; fields that do not apply are 0. */
struct ppim_dram_event {
	uint64_t cycle;
	enum ppim_dram_cmd cmd;
	struct ppim_loc loc;
};

typedef void ppim_dram_observe_fn(void *arg, const struct ppim_dram_event *ev);

/* Sums over all channels since creation. */
struct ppim_dram_stats {
	uint64_t reads, writes; /* requests done */
	uint64_t end; /* clock at which the last of them was done */
	uint64_t read_latency; /* sum over reads, from admission, in clocks */
	uint64_t row_hits; /* column commands after the first of a row */
	uint64_t joined_reads; /* answered by another read's burst */
	uint64_t forwarded_reads; /* answered by a write that waits */
	uint64_t merged_writes; /* replaced a write that waits */
	uint64_t cmds[PPIM_CMD_COUNT];
	uint64_t dual_cmds; /* clocks with a row and a column command */
	uint64_t active_clocks; /* rank clocks with an open row */
	uint64_t rank_clocks; /* all rank clocks */
};

/* Energy by the IDD method, in pJ; see energy.c. */
struct ppim_energy_model {
	double act_pj; /* activation and precharge, above standby */
	double read_pj, write_pj; /* one burst, above standby */
	double refresh_pj, refresh_bank_pj; /* above standby */
	double active_pj, idle_pj; /* one rank for one clock */
	uint32_t missing; /* classes of enum ppim_energy_class left out */
};

enum ppim_energy_class {
	PPIM_ENERGY_ACT,
	PPIM_ENERGY_READ,
	PPIM_ENERGY_WRITE,
	PPIM_ENERGY_REFRESH,
	PPIM_ENERGY_REFRESH_BANK,
	PPIM_ENERGY_ACTIVE, /* standby with a row open */
	PPIM_ENERGY_IDLE, /* standby with all rows closed */
	PPIM_ENERGY_CLASSES
};

struct ppim_energy {
	double pj[PPIM_ENERGY_CLASSES];
	double total_pj; /* of the classes that are not missing */
	uint32_t missing; /* 1u << class: used, but its currents are absent */
};

void ppim_energy_model(const struct ppim_spec *spec,
		       struct ppim_energy_model *out);
void ppim_dram_energy(const struct ppim_spec *spec,
		      const struct ppim_dram_stats *stats,
		      struct ppim_energy *out);
const char *ppim_energy_class_name(enum ppim_energy_class c);
/* The currents that a class needs, as text: "VDD IDD0 IDD2N IDD3N". */
const char *ppim_energy_class_needs(enum ppim_energy_class c);

/*
 * inject: requests admitted per clock at most; 0: as many as find room.
 * Returns 0 or a negative errno: -EOPNOTSUPP for what the specification may
 * say but the model does not do, named in *diag; -ENOMEM.
 */
int ppim_dram_create(const struct ppim_spec *spec, uint32_t inject,
		     struct ppim_dram **out, struct ppim_diag *diag);
void ppim_dram_free(struct ppim_dram *dram);

/*
 * Admits the requests in order, advancing the memory as far as that takes.
 * Their cycles are taken as they come: one that lies before the present is
 * due at once.
 */
void ppim_dram_submit(struct ppim_dram *dram, const struct ppim_dram_req *reqs,
		      size_t n);

/*
 * Runs until every request submitted so far is done, and returns the clock at
 * which the last one was; 0 if there was none. More may be submitted after.
 */
uint64_t ppim_dram_drain(struct ppim_dram *dram);

void ppim_dram_stats(const struct ppim_dram *dram, struct ppim_dram_stats *out);

/* Calls fn at each command from now on; NULL ends it. Within a channel in
 * order, across channels not. */
void ppim_dram_observe(struct ppim_dram *dram, ppim_dram_observe_fn *fn,
		       void *arg);

/*
 * The whole state in one block without pointers, of a size that depends on
 * the specification only. A memory created with the same specification and
 * loaded from it continues as the saved one would.
 */
size_t ppim_dram_state_size(const struct ppim_dram *dram);
void ppim_dram_save(const struct ppim_dram *dram, void *buf);
/* -EINVAL: not a state, of another version or specification, or damaged; the
 * memory is as before. */
int ppim_dram_load(struct ppim_dram *dram, const void *buf, size_t len,
		   struct ppim_diag *diag);

#ifdef __cplusplus
}
#endif

#endif
