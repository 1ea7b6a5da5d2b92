// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on demand, counted, not drawn: the same commands meet the same
 * faults. By PPIM_ADM_INJECT from the guest, by the "inject" property from
 * outside (ppim_qom.c).
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pcie_aer.h"
#include "system/cpu-timers.h"
#include "ppim.h"
#include "trace.h"

#define INJECT_AT(field) offsetof(struct ppim_hw_sqe, inject.field)

/* Goes through the workers' gate: it holds for what is admitted after it. */
static void inject_memory(PPIMState *s, const struct ppim_inject *in)
{
	struct ppim_cmd *cmd = ppim_cmd_new(PPIM_CMD_POISON, 0, NULL);

	cmd->orphan = cmd->dropped = true;
	cmd->poison = (struct ppim_poison){
		.tier = in->tier, .slice = in->slice, .offset = in->offset,
		.count = in->count,
		.correctable = in->what == PPIM_INJECT_CORRECTABLE,
	};
	ppim_pool_submit(s->pool, cmd);
	if (icount_enabled())
		ppim_pool_wait_idle(s->pool);
}

/* The device is gone for its driver until it is reset; a root port hears of it
 * where there is one with AER. */
static void inject_link(PPIMState *s)
{
	PCIDevice *pci = PCI_DEVICE(s);
	PCIEAERErr err = {
		.status = PCI_ERR_UNC_DLP,
		.source_id = pci_requester_id(pci),
	};

	ppim_fatal(s, PPIM_HWERR_LINK);
	if (pci->exp.aer_cap)
		pcie_aer_inject_error(pci, &err);
}

/* The command that asked for it has completed. */
void ppim_inject_late(PPIMState *s)
{
	if (!s->pending.link)
		return;
	s->pending.link = false;
	inject_link(s);
}

static int bad(struct ppim_cmd *cmd, size_t field)
{
	return ppim_cmd_bad_field(cmd, PPIM_IN_SQE, field);
}

static int place_check(PPIMState *s, struct ppim_cmd *cmd,
		       const struct ppim_inject *in)
{
	bool dimm = in->tier == PPIM_TIER_DIMM;

	if (in->tier > PPIM_TIER_HOST)
		return bad(cmd, INJECT_AT(tier));
	if (in->tier > PPIM_TIER_DIMM)
		return ppim_cmd_unsupported(cmd, PPIM_IN_SQE, INJECT_AT(tier));
	if (dimm && in->slice)
		return bad(cmd, INJECT_AT(slice));
	if (in->slice >= s->geo.slices ||
	    in->offset >= (dimm ? s->mem.dimm_bytes : s->mem.slice_bytes))
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_PLACEMENT, 0);
	return 0;
}

int ppim_inject_check(PPIMState *s, struct ppim_cmd *cmd,
		      const struct ppim_inject *in)
{
	if (in->what < PPIM_INJECT_CORRECTABLE || in->what > PPIM_INJECT_LINK)
		return bad(cmd, INJECT_AT(what));
	if (!in->count || (in->what == PPIM_INJECT_LINK && in->count != 1))
		return bad(cmd, INJECT_AT(count));
	if (in->what <= PPIM_INJECT_UNCORRECTABLE)
		return place_check(s, cmd, in);
	if (in->tier)
		return bad(cmd, INJECT_AT(tier));
	if (in->slice)
		return bad(cmd, INJECT_AT(slice));
	return in->offset ? bad(cmd, INJECT_AT(offset)) : 0;
}

void ppim_inject_do(PPIMState *s, const struct ppim_inject *in)
{
	trace_ppim_inject(in->what, in->count, in->tier, in->slice,
			  in->offset);
	s->stats.injected += in->count;
	switch (in->what) {
	case PPIM_INJECT_HANG:
		s->pending.hang += in->count;
		break;
	case PPIM_INJECT_DROP:
		s->pending.drop += in->count;
		break;
	case PPIM_INJECT_DOUBLE:
		s->pending.doubled += in->count;
		break;
	case PPIM_INJECT_LINK:
		s->pending.link = true;
		break;
	default:
		inject_memory(s, in);
	}
}

/* A batch, as it is taken from its queue: what becomes of its completion. */
void ppim_inject_mark(PPIMState *s, struct ppim_cmd *cmd)
{
	if (s->pending.drop) {
		s->pending.drop--;
		cmd->lost = true;
	} else if (s->pending.doubled) {
		s->pending.doubled--;
		cmd->doubled = true;
	}
}

int ppim_inject_run(PPIMState *s, struct ppim_cmd *cmd,
		    const struct ppim_hw_sqe *sqe)
{
	struct ppim_inject in = {
		.what = le32_to_cpu(sqe->inject.what),
		.count = le32_to_cpu(sqe->inject.count),
		.tier = sqe->inject.tier,
		.slice = le16_to_cpu(sqe->inject.slice),
		.offset = le64_to_cpu(sqe->inject.offset),
	};
	uint64_t bytes;

	if (sqe->inject.reserved0)
		return bad(cmd, INJECT_AT(reserved0));
	if (sqe->inject.reserved1)
		return bad(cmd, INJECT_AT(reserved1));
	if (ppim_inject_check(s, cmd, &in))
		return -1;
	/* those that wait for the workers' gate are as many as commands */
	if (ppim_pool_dropped(s->pool, &bytes) >= PPIM_INFLIGHT_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_INFLIGHT_MAX);
	ppim_inject_do(s, &in);
	return 0;
}
