/* SPDX-License-Identifier: MIT */
/*
 * The command vocabulary of the PIM model: what presets turn a batch into,
 * what traces hold, what the executor runs. One command is one event, however
 * many bursts it has.
 *
 * A trace line is "DEVICE CMD address bursts [key=value ...]"; a blank line
 * ends a phase; "@ ns queue [preset]" before a phase starts a batch that
 * arrives then; "#" starts a comment. The first four columns stand alone;
 * what the keys add is written by ppim_engine_trace() and documented in
 * qemu-device/docs/engine-pim.md.
 */
#ifndef PPIM_ENGINE_PIM_H
#define PPIM_ENGINE_PIM_H

#include "ppim-engine/engine.h"

enum ppim_pim_device {
	PPIM_PIM_HBM,
	PPIM_PIM_DIMM,
	PPIM_PIM_HOST, /* extension: work of the host's cores */
	PPIM_PIM_LINK, /* extension: the host link */
	PPIM_PIM_DEVICES
};

enum ppim_pim_op {
	PPIM_PIM_RD, /* read n bursts and combine them where `to` says */
	PPIM_PIM_PR, /* fill SRAM: each bank group reads its own copy */
	PPIM_PIM_TR, /* partial sums of a bag leave their units */
	PPIM_PIM_DR, /* move an operand by way of the host */
	PPIM_PIM_CR, /* extension: the host's DMA reads n bursts */
	PPIM_PIM_CW, /* extension: it writes them */
	PPIM_PIM_LD, /* HOST: n cache lines found in the cache */
	PPIM_PIM_OP, /* HOST: n floating-point operations */
	PPIM_PIM_DN, /* LINK: n bytes to the device, before the phase */
	PPIM_PIM_UP, /* LINK: n bytes to the host, after the phase */
	PPIM_PIM_OPS
};

/* Which unit a read's data goes to. */
enum ppim_pim_unit {
	PPIM_PIM_TO_DEFAULT, /* the preset's own level */
	PPIM_PIM_TO_BG, /* bg-PIM of the bank group */
	PPIM_PIM_TO_RANK, /* unit of the rank (HBM: of the channel) */
	PPIM_PIM_TO_BASE, /* bd-PIM */
	PPIM_PIM_TO_HOST,
	PPIM_PIM_UNITS
};

#define PPIM_PIM_NO_BAG	     UINT32_MAX
#define PPIM_PIM_MAX_BAG     65535u
#define PPIM_PIM_MAC_DEFAULT UINT64_MAX

/* dst: the operand stays where it came from */
#define PPIM_PIM_DST_SELF 0xff

struct ppim_pim_cmd {
	uint64_t addr;
	uint64_t n; /* bursts, lines, operations or bytes */
	uint64_t dst; /* DR: where to */
	uint64_t mac; /* RD: multiply-accumulates, default one per 4 bytes;
		       * DR: default none */
	uint32_t bag; /* RD, TR, DR: whose partial sum */
	uint8_t device; /* enum ppim_pim_device */
	uint8_t op; /* enum ppim_pim_op */
	uint8_t to; /* enum ppim_pim_unit */
	uint8_t dst_device; /* DR: HBM, DIMM or PPIM_PIM_DST_SELF */
	uint8_t self; /* PR: the bank group at addr alone */
	uint8_t cached; /* RD: the rank's unit has it in its cache */
};

/* ---- text --------------------------------------------------------------- */

enum ppim_pim_line_kind {
	PPIM_PIM_LINE_COMMENT,
	PPIM_PIM_LINE_PHASE,
	PPIM_PIM_LINE_BATCH,
	PPIM_PIM_LINE_COMMAND,
};

struct ppim_pim_line {
	uint8_t kind; /* enum ppim_pim_line_kind */
	uint8_t arch; /* BATCH: enum ppim_arch, DEFAULT if not said */
	uint32_t queue; /* BATCH */
	uint64_t arrival_ps; /* BATCH */
	struct ppim_pim_cmd cmd; /* COMMAND */
};

/* 0, or -EINVAL with what was expected. The line has no newline. */
PPIM_ENGINE_API int ppim_pim_parse(const char *text, struct ppim_pim_line *out,
				   struct ppim_diag *diag);

/* The command as a line; returns its length like snprintf. */
PPIM_ENGINE_API int ppim_pim_format(const struct ppim_pim_cmd *cmd, char *buf,
				    size_t bytes);

PPIM_ENGINE_API const char *ppim_engine_arch_name(uint32_t arch);
/* enum ppim_arch by name, -1 if there is none. */
PPIM_ENGINE_API int ppim_engine_arch_find(const char *name);
PPIM_ENGINE_API const char *ppim_engine_bound_name(uint32_t bound);

/* ---- running commands --------------------------------------------------- */

/* A batch of commands: begin, then commands and phase ends, then end. The
 * engine is not charged or saved meanwhile. */
PPIM_ENGINE_API int ppim_pim_begin(struct ppim_engine *engine, uint32_t arch,
				   uint64_t arrival_ps, uint32_t queue,
				   struct ppim_diag *diag);
/* 0, or -EINVAL: address outside the memory, unit that the preset lacks. */
PPIM_ENGINE_API int ppim_pim_command(struct ppim_engine *engine,
				     const struct ppim_pim_cmd *cmd,
				     struct ppim_diag *diag);
PPIM_ENGINE_API void ppim_pim_phase(struct ppim_engine *engine);
PPIM_ENGINE_API void ppim_pim_end(struct ppim_engine *engine,
				  struct ppim_annotation *out);

#endif
