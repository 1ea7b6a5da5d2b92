// SPDX-License-Identifier: MIT
#include "dram_timing.h"

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* a - b, but at least one clock: two commands never share a bus slot. */
static uint32_t minus(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 1;
}

static void delays_column(const struct ppim_timing *t, uint32_t rl,
			  uint32_t wl, struct dram_delays *d)
{
	d->rd_rd_s = max_u32(t->burst, t->tccd_s);
	d->rd_rd_l = max_u32(t->burst, t->tccd_l);
	d->rd_rd_o = t->burst + t->trtrs;
	d->wr_wr_s = max_u32(t->burst, t->tccd_s);
	d->wr_wr_l = max_u32(t->burst, t->tccd_l_wr);
	d->wr_wr_o = t->burst;
	d->rd_wr = t->trtw;
	d->rd_wr_o = minus(rl + t->burst + t->trtrs, wl);
	d->wr_rd_s = wl + t->burst + t->twtr_s;
	d->wr_rd_l = wl + t->burst + t->twtr_l;
	d->wr_rd_o = minus(wl + t->burst + t->trtrs, rl);
	d->read_done = rl + t->burst;
}

static void delays_row(const struct ppim_timing *t, uint32_t wl,
		       struct dram_delays *d)
{
	d->rd_pre = t->al + t->trtp;
	d->wr_pre = wl + t->burst + t->twr;
	/* DRAMsim3 adds the burst to a read's auto-precharge. */
	d->rda_act = t->al + t->burst + t->trtp + t->trp;
	d->wra_act = d->wr_pre + t->trp;
	d->rda_ref = d->rd_pre + t->trp;
	d->wra_ref = d->wra_act;
	d->act_pre = t->tras;
	d->act_act = t->trc;
	d->act_act_s = t->trrd_s;
	d->act_act_l = t->trrd_l;
	d->pre_act = t->trp;
	d->pre_pre = t->tppd;
	d->ref_act = t->trfc;
	d->refb_act = t->trfcb;
	d->faw = t->tfaw;
	d->aw32 = t->t32aw;
}

/* Without bank groups the short distances are all there is. */
static void delays_one_group(struct dram_delays *d)
{
	d->rd_rd_l = d->rd_rd_s;
	d->wr_wr_l = d->wr_wr_s;
	d->wr_rd_l = d->wr_rd_s;
	d->act_act_l = d->act_act_s;
}

void dram_delays_init(const struct ppim_spec *spec, struct dram_delays *d)
{
	const struct ppim_timing *t = &spec->t;
	uint32_t rl = t->al + t->cl, wl = t->al + t->cwl;

	delays_column(t, rl, wl, d);
	delays_row(t, wl, d);
	d->act_rd = t->trcd_rd - t->al;
	d->act_wr = t->trcd_wr - t->al;
	/* GDDR and HBM have no additive latency in their tRCD (DRAMsim3). */
	if (ppim_spec_is_gddr(spec) || ppim_spec_is_hbm(spec)) {
		d->act_rd = t->trcd_rd;
		d->act_wr = t->trcd_wr;
	}
	if (spec->bankgroups == 1)
		delays_one_group(d);
}
