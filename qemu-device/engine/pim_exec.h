/* SPDX-License-Identifier: MIT */
/*
 * The executor: takes commands phase by phase and says when each is done.
 *
 * Commands become operations (one per DRAM row that they touch) in a queue
 * per slice. Within a slice they keep their order; a row is opened up to
 * `window` operations ahead. Slices of a channel compete by time: the one
 * whose next operation could have its data first goes first. A commit is
 * final. Channels have nothing in common but moved operands, so they run one
 * after the other; with moves, all run together in order of time.
 */
#ifndef PPIM_PIM_EXEC_H
#define PPIM_PIM_EXEC_H

#include "pim_energy.h"
#include "pim_mem.h"
#include "ppim-engine/pim.h"

enum pim_kind {
	PIM_K_READ, /* to the bg-PIM */
	PIM_K_FILL, /* to the SRAM */
	/* those that follow cross the channel's bus: activation and column
	 * are two events, so that the bus is granted in order of time */
	PIM_K_FAR, /* to a unit beyond the bank group, or to the host */
	PIM_K_SOURCE, /* a move's source */
	PIM_K_SINK, /* a move's destination */
};

#define PIM_F_NO_ROW  1u /* destination is a register, not a row */
#define PIM_F_NO_BANK 2u /* destination is no bank group at all */
#define PIM_F_OPENED  8u /* its row was opened for it */
#define PIM_F_HEARS   4u /* hears a command that was sent to another one */
#define PIM_F_COPY    16u /* by the host's DMA, not by its cores */
#define PIM_F_WRITE   32u

struct pim_op {
	uint64_t mac;
	uint32_t next;
	uint32_t row;
	uint32_t n; /* bursts */
	uint32_t dep; /* SOURCE: resolves it; SINK: waits for it */
	uint16_t slot; /* partial sum, or PIM_NO_SLOT */
	uint8_t bank;
	uint8_t kind;
	uint8_t flags;
	uint8_t to; /* FAR: enum ppim_pim_unit */
};

#define PIM_NO_SLOT UINT16_MAX

/* A moved operand on its way. */
struct pim_dep {
	uint64_t time; /* when its destination may begin */
	uint32_t pending; /* source operations to come */
	uint32_t slice; /* of the destination */
	struct pim_mem *mem;
};

/* One unit's share of one partial sum. */
struct pim_acc {
	uint64_t ready;
	uint32_t pending; /* reads to come */
};

/* A partial sum of a bag in this phase. */
struct pim_slot {
	uint32_t bag;
	uint32_t bursts; /* of the TR; 0: it still takes reads */
};

/* A partial sum that is ready to leave its unit. */
struct pim_drain {
	uint64_t ready;
	uint32_t node;
	uint32_t bursts;
};

/* Work whose order does not matter: it ends with the last arrival plus the
 * last items' own time, and not before all of it could have been done. */
struct pim_fluid {
	uint64_t first, last; /* arrivals */
	uint64_t last_macs;
	uint64_t macs;
};

struct pim_mac {
	struct engine_div units;
	uint64_t cycle_q32; /* a MAC cycle in clocks of the HBM, 32.32 */
	uint64_t tck;
	uint64_t memo_mac, memo_ticks;
};

struct pim_exec {
	struct pim_mem hbm, dimm;
	bool has_dimm;
	uint64_t unit_fs;
	struct ppim_params params;
	struct engine_div hbm_tck, dimm_tck, hit_bytes;
	uint32_t slice_shift; /* of an HBM address */
	uint64_t hbm_bytes, dimm_bytes;

	/* state */
	uint64_t base_ps; /* of tick 0 */
	uint64_t now; /* end of all work */
	uint64_t phase_end[2]; /* of the last phase and the one before */
	uint64_t link_up, link_dn; /* link free */

	/* constants */
	struct pim_energy energy;
	struct pim_mac bg_mac, rank_mac, bd_mac;
	uint64_t cmd_clocks; /* of an instruction */
	uint64_t move_ticks, link_ticks, mem_ticks, llc_ticks;
	uint64_t miss_fs; /* host: one miss, shared by all that may be out */
	uint64_t line_fs; /* host: one line from the cache */
	uint64_t flop_as; /* host: one operation, attoseconds */
	uint64_t link_as; /* link: one byte, attoseconds */

	/* run */
	uint8_t level; /* enum ppim_pim_unit of the preset */
	struct pim_op *ops;
	uint32_t n_ops, max_ops;
	struct pim_dep *deps;
	uint32_t n_deps;
	bool moves;
	struct pim_slot *slots;
	uint32_t n_slots, max_slots;
	struct pim_acc *acc; /* slot * nodes + node */
	uint64_t *holders; /* slot * words */
	uint32_t nodes, words;
	uint16_t *labels; /* bag -> slot + 1 that takes reads, 0: none */
	struct pim_drain *drains; /* channel * max_drains: a heap each */
	uint32_t max_drains;

	/* phase */
	uint64_t floor; /* nothing earlier */
	uint64_t gather; /* no gather earlier */
	uint64_t end;
	struct pim_fluid base; /* bd-PIM */
	uint64_t host_lines, host_flops;
	uint64_t host_missed; /* bytes that its cores read from the memories */
	uint64_t host_bytes; /* that the host read from the memories */
	uint64_t copy_bytes; /* that its DMA wrote */
	uint64_t up_bytes;
	bool phase_used;

	/* batch */
	uint64_t arrival;
	uint64_t first; /* first command */
	uint64_t busy[PPIM_BOUND_COUNT];
	uint64_t batch_end;
	uint64_t transfers, moved, link_bytes, commands, fills, macs, base_adds;
	uint64_t bus_bytes, io_bytes, dimm_io_bytes;
	uint64_t sram_bytes; /* beside fills */
	uint64_t llc_bytes;
	uint64_t part_pj[PPIM_PART_COUNT]; /* of the last batch */
};

int pim_exec_init(struct pim_exec *x, const struct ppim_engine_config *config,
		  uint32_t dimm_channels, struct ppim_diag *diag);
void pim_exec_free(struct pim_exec *x);
void pim_exec_reset(struct pim_exec *x, const struct ppim_spec *hbm,
		    const struct ppim_spec *dimm);
void pim_exec_walk(struct pim_exec *x, struct pim_io *io);

/* `level` is the unit that reads go to unless they say otherwise. Commands
 * between begin and end belong to phases; the first one begins by itself. */
void pim_exec_begin(struct pim_exec *x, uint8_t level, uint64_t arrival_ps);
void pim_exec_command(struct pim_exec *x, const struct ppim_pim_cmd *cmd);
void pim_exec_phase_end(struct pim_exec *x);
/* Times and what the commands did; the planner's own counts are added by it. */
void pim_exec_end(struct pim_exec *x, struct ppim_annotation *out);

/* Has the executor room for a partial sum of this bag? Only a phase that leaves
 * very many bags open has not. */
bool pim_exec_bag_fits(struct pim_exec *x, uint32_t bag);
/* Does a command of the host or the link leave the phase's sums, and the time
 * at which it ends, within what times can tell? */
bool pim_exec_work_fits(const struct pim_exec *x,
			const struct ppim_pim_cmd *cmd);
/* The unit that a command's data go to. */
uint8_t pim_exec_unit(const struct pim_exec *x, const struct ppim_pim_cmd *cmd);
/* Runs all operations that are queued. */
void pim_exec_run(struct pim_exec *x);
/* Hands a partial sum of a unit to its channel's bus. */
void pim_exec_drain(struct pim_exec *x, uint32_t node, uint64_t ready,
		    uint32_t bursts);

uint64_t pim_exec_ps(const struct pim_exec *x, uint64_t ticks);
uint64_t pim_mac_ticks(struct pim_mac *mac, uint64_t macs);

static inline uint64_t pim_align(const struct engine_div *tck, uint64_t t)
{
	return engine_divide(tck, t + tck->d - 1) * tck->d;
}

static inline void pim_fluid_add(struct pim_fluid *f, uint64_t arrival,
				 uint64_t macs)
{
	if (arrival < f->first)
		f->first = arrival;
	if (arrival > f->last)
		f->last_macs = 0;
	if (arrival >= f->last) {
		f->last = arrival;
		f->last_macs += macs;
	}
	f->macs += macs;
}

#endif
