/* SPDX-License-Identifier: MIT */
/*
 * What several timing models share: the distances between commands that a
 * specification implies.
 */
#ifndef PPIM_ENGINE_DRAM_TIMING_H
#define PPIM_ENGINE_DRAM_TIMING_H

#include "ppim-engine/spec.h"

/*
 * Least clocks from one command to another. _s: another bank group of the
 * rank, _l: the same bank group, _o: another rank; none: the same bank, or
 * all of the rank. The formulas are DRAMsim3's (src/timing.cc), so that equal
 * files give equal cycles; deviations are named.
 */
struct dram_delays {
	int32_t rd_rd_s, rd_rd_l, rd_rd_o;
	int32_t wr_wr_s, wr_wr_l, wr_wr_o;
	int32_t rd_wr, rd_wr_o;
	int32_t wr_rd_s, wr_rd_l, wr_rd_o;
	int32_t rd_pre, wr_pre;
	int32_t rda_act, wra_act; /* with auto-precharge */
	int32_t rda_ref, wra_ref;
	int32_t act_rd, act_wr, act_pre, act_act;
	int32_t act_act_s, act_act_l;
	int32_t pre_act, pre_pre;
	int32_t ref_act, refb_act;
	int32_t faw, aw32; /* four, thirty-two activations; 0: no limit */
	int32_t read_done; /* read command to the burst's last beat */
};

void dram_delays_init(const struct ppim_spec *spec, struct dram_delays *d);

#endif
