/* SPDX-License-Identifier: MIT */
/*
 * Architecture presets: small planners that turn one phase of a batch (some
 * bags of one table) into commands. A preset is one file that defines one
 * struct pim_preset, and one line in arch_table.c. What presets share stands
 * in gather.c.
 */
#ifndef PPIM_ARCH_H
#define PPIM_ARCH_H

#include "gather.h"

struct pim_preset {
	uint32_t arch; /* enum ppim_arch */
	uint8_t level; /* enum ppim_pim_unit that combines rows */
	bool link_io; /* indices and results cross the host link */
	/* before a table's first phase; may be NULL */
	void (*table)(struct pim_gather *g);
	/* all commands of bags [first, end) */
	void (*gather)(struct pim_gather *g, uint32_t first, uint32_t end);
	/* bg-level presets: brings an operand to bank group `slice`; with
	 * `mac`, if it is combined as it arrives, into `bag`'s partial sum */
	void (*operand)(struct pim_gather *g, uint32_t sub, uint64_t row,
			uint32_t slice, uint32_t bag, uint64_t mac);
	/* bg-level presets: does the bd-PIM hold this row already? */
	bool (*base_holds)(struct pim_gather *g, uint32_t sub, uint64_t row);
};

/* The preset, NULL if it is not built. */
const struct pim_preset *pim_preset_find(uint32_t arch);
/* Bit per enum ppim_arch. */
uint32_t pim_preset_mask(void);

/* Pieces that several presets use. */
void pim_bg_gather(struct pim_gather *g, uint32_t first, uint32_t end);
void pim_bg_cold(struct pim_gather *g, const struct pim_lookup *l,
		 const struct ppim_row_loc *main);
/* What the bd-PIM needs for a row that comes from the DIMM. */
void pim_base_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint64_t mac);
void pim_move_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint32_t slice, uint32_t bag, uint64_t mac);
void pim_copy_operand(struct pim_gather *g, uint32_t sub, uint64_t row,
		      uint32_t slice, uint32_t bag, uint64_t mac);
/* TT lookups grouped by their G2 slice (gather_tt.c). */
void pim_tt_gather(struct pim_gather *g, uint32_t first, uint32_t end);

#endif
