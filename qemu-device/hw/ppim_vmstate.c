// SPDX-License-Identifier: GPL-2.0-only
/*
 * What travels in a snapshot or a migration: everything but the tiers, which
 * travel as the memory backends that they are.
 *
 * The machine stands still and the workers are idle (ppim_time.c), so every
 * command in flight has its answer, and travels as that: outputs, where they
 * go, annotation, end. Neither guest memory nor an engine is needed to finish
 * it. The stream is input like any other: counts are checked before they are
 * used, and what cannot be is refused.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate.h"
#include "ppim.h"

/* The shared headers' __u64 is another type than QEMU's, of the same size. */
#define WORD(field, type) {						\
	.name = #field,							\
	.size = sizeof(uint64_t) + QEMU_BUILD_BUG_ON_ZERO(		\
			sizeof_field(type, field) != sizeof(uint64_t)),	\
	.info = &vmstate_info_uint64,					\
	.flags = VMS_SINGLE,						\
	.offset = offsetof(type, field),				\
}

/* ---- commands ------------------------------------------------------------ */

static bool buf_is_sane(void *opaque, int version)
{
	struct ppim_buf *buf = opaque;

	return buf->n_segs >= 0 && buf->n_segs <= PPIM_SG_MAX &&
	       buf->bytes <= MAX(PPIM_OUTPUT_MAX, PPIM_COPY_MAX);
}

static const VMStateDescription vmstate_seg = {
	.name = "ppim/seg",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		VMSTATE_UINT64(addr, struct ppim_seg),
		VMSTATE_UINT64(bytes, struct ppim_seg),
		VMSTATE_END_OF_LIST()
	},
};

static const VMStateDescription vmstate_buf = {
	.name = "ppim/buf",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		VMSTATE_UINT64(bytes, struct ppim_buf),
		VMSTATE_INT32(n_segs, struct ppim_buf),
		VMSTATE_VALIDATE("size", buf_is_sane),
		VMSTATE_STRUCT_VARRAY_ALLOC(segs, struct ppim_buf, n_segs, 1,
					    vmstate_seg, struct ppim_seg),
		VMSTATE_END_OF_LIST()
	},
};

/* The output is as long as the segments together. */
static int own_pre_load(void *opaque)
{
	memset(opaque, 0, sizeof(struct ppim_cmd_job));
	return 0;
}

static int own_pre_save(void *opaque)
{
	struct ppim_cmd_job *own = opaque;

	own->output_bytes = own->out.bytes;
	return 0;
}

static bool own_is_whole(void *opaque, int version)
{
	struct ppim_cmd_job *own = opaque;
	uint64_t sum = 0;
	int32_t i;

	for (i = 0; i < own->out.n_segs; i++)
		if (uadd64_overflow(sum, own->out.segs[i].bytes, &sum))
			return false;
	return sum == own->out.bytes && own->output_bytes == sum;
}

static const VMStateDescription vmstate_own = {
	.name = "ppim/output",
	.version_id = 1,
	.minimum_version_id = 1,
	.pre_load = own_pre_load,
	.pre_save = own_pre_save,
	.fields = (const VMStateField[]) {
		VMSTATE_STRUCT(out, struct ppim_cmd_job, 1, vmstate_buf,
			       struct ppim_buf),
		VMSTATE_UINT32(output_bytes, struct ppim_cmd_job),
		VMSTATE_VALIDATE("bytes", own_is_whole),
		VMSTATE_VBUFFER_ALLOC_UINT32(output, struct ppim_cmd_job, 1,
					     NULL, output_bytes),
		VMSTATE_END_OF_LIST()
	},
};

static const VMStateDescription vmstate_fault = {
	.name = "ppim/fault",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		VMSTATE_UINT32(status, struct ppim_fault),
		VMSTATE_UINT32(job, struct ppim_fault),
		VMSTATE_UINT32(bag, struct ppim_fault),
		VMSTATE_UINT64(detail, struct ppim_fault),
		VMSTATE_END_OF_LIST()
	},
};

#define NOTE(field) WORD(field, struct ppim_annotation)

static const VMStateDescription vmstate_note = {
	.name = "ppim/annotation",
	.version_id = 2,
	.minimum_version_id = 2,
	.fields = (const VMStateField[]) {
		NOTE(start_ps), NOTE(end_ps), NOTE(busy_ps), NOTE(cycles),
		NOTE(lookups), NOTE(reads_hbm), NOTE(reads_dimm),
		NOTE(activations_hbm), NOTE(activations_dimm),
		NOTE(row_hits_hbm), NOTE(row_hits_dimm), NOTE(sram_hits),
		NOTE(sram_misses), NOTE(prefetches), NOTE(moves),
		NOTE(transfers), NOTE(cache_hits), NOTE(cache_misses),
		NOTE(link_bytes), NOTE(macs), NOTE(commands),
		NOTE(entry_refs), NOTE(entry_reuses), NOTE(energy_pj),
		NOTE(activate_pj), NOTE(read_pj), NOTE(write_pj),
		NOTE(refresh_pj), NOTE(standby_pj),
		VMSTATE_UINT32(arch, struct ppim_annotation),
		VMSTATE_UINT32(bound_by, struct ppim_annotation),
		VMSTATE_END_OF_LIST()
	},
};

static int cmd_pre_load(void *opaque)
{
	memset(opaque, 0, sizeof(struct ppim_cmd));
	return 0;
}

/* A command that hangs has no answer, and gets none. */
static int cmd_pre_save(void *opaque)
{
	struct ppim_cmd *cmd = opaque;

	cmd->saved_own = cmd->hung ? 0 : cmd->n_own;
	return 0;
}

static bool cmd_is_sane(void *opaque, int version)
{
	struct ppim_cmd *cmd = opaque;

	return cmd->kind <= PPIM_CMD_CLEAR && cmd->qid <= PPIM_QUEUES_MAX &&
	       cmd->fault.status < PPIM_ST_COUNT && cmd->saved_own >= 0 &&
	       cmd->saved_own <= PPIM_TABLES_MAX;
}

static int cmd_post_load(void *opaque, int version)
{
	struct ppim_cmd *cmd = opaque;
	int32_t i;

	cmd->n_own = cmd->saved_own;
	cmd->done = true;
	for (i = 0; i < cmd->n_own; i++)
		cmd->bytes += cmd->own[i].out.bytes;
	if (cmd->out_job < 0 || cmd->out_job > cmd->n_own ||
	    (cmd->out_job < cmd->n_own &&
	     cmd->out_bytes > cmd->own[cmd->out_job].out.bytes))
		return -EINVAL;
	return 0;
}

static const VMStateDescription vmstate_cmd = {
	.name = "ppim/command",
	.version_id = 1,
	.minimum_version_id = 1,
	.pre_load = cmd_pre_load,
	.pre_save = cmd_pre_save,
	.post_load = cmd_post_load,
	.fields = (const VMStateField[]) {
		VMSTATE_UINT32(kind, struct ppim_cmd),
		VMSTATE_UINT16(qid, struct ppim_cmd),
		VMSTATE_UINT16(cid, struct ppim_cmd),
		VMSTATE_UINT32(generation, struct ppim_cmd),
		VMSTATE_UINT64(annotation_addr, struct ppim_cmd),
		VMSTATE_UINT64(bags, struct ppim_cmd),
		VMSTATE_UINT32(corrected, struct ppim_cmd),
		VMSTATE_STRUCT(fault, struct ppim_cmd, 1, vmstate_fault,
			       struct ppim_fault),
		VMSTATE_STRUCT(note, struct ppim_cmd, 1, vmstate_note,
			       struct ppim_annotation),
		VMSTATE_UINT64(arrival_ps, struct ppim_cmd),
		VMSTATE_UINT64(admit_ps, struct ppim_cmd),
		VMSTATE_UINT64(least_ps, struct ppim_cmd),
		VMSTATE_UINT64(end_ps, struct ppim_cmd),
		VMSTATE_UINT64(done_ps, struct ppim_cmd),
		VMSTATE_INT32(out_job, struct ppim_cmd),
		VMSTATE_UINT64(out_bytes, struct ppim_cmd),
		VMSTATE_BOOL(timed, struct ppim_cmd),
		VMSTATE_BOOL(hung, struct ppim_cmd),
		VMSTATE_BOOL(lost, struct ppim_cmd),
		VMSTATE_BOOL(doubled, struct ppim_cmd),
		VMSTATE_INT32(saved_own, struct ppim_cmd),
		VMSTATE_VALIDATE("fields", cmd_is_sane),
		VMSTATE_STRUCT_VARRAY_ALLOC(own, struct ppim_cmd, saved_own, 1,
					    vmstate_own, struct ppim_cmd_job),
		VMSTATE_END_OF_LIST()
	},
};

/* ---- queues -------------------------------------------------------------- */

static const VMStateDescription vmstate_queue = {
	.name = "ppim/queue",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		VMSTATE_BOOL(live, struct ppim_queue),
		VMSTATE_UINT16(vector, struct ppim_queue),
		VMSTATE_UINT32(entries, struct ppim_queue),
		VMSTATE_UINT64(sq, struct ppim_queue),
		VMSTATE_UINT64(cq, struct ppim_queue),
		VMSTATE_UINT32(sq_head, struct ppim_queue),
		VMSTATE_UINT32(sq_tail, struct ppim_queue),
		VMSTATE_UINT32(cq_head, struct ppim_queue),
		VMSTATE_UINT32(cq_tail, struct ppim_queue),
		VMSTATE_BOOL(phase, struct ppim_queue),
		VMSTATE_UINT64(submitted, struct ppim_queue),
		VMSTATE_UINT64(completed, struct ppim_queue),
		VMSTATE_UINT64(errors, struct ppim_queue),
		VMSTATE_UINT64(lookups, struct ppim_queue),
		VMSTATE_UINT64(busy_ps, struct ppim_queue),
		VMSTATE_QTAILQ_V(waiting, struct ppim_queue, 1, vmstate_cmd,
				 struct ppim_cmd, link),
		VMSTATE_END_OF_LIST()
	},
};

static bool queue_is_sane(const PPIMState *s, uint16_t qid)
{
	const struct ppim_queue *q = &s->queue[qid];

	if (!q->live)
		return QTAILQ_EMPTY(&q->waiting);
	return s->queue[0].live && qid <= s->n_queues &&
	       q->vector <= s->n_queues &&
	       q->entries >= 2 && q->entries <= s->max_entries &&
	       is_power_of_2(q->entries) && q->sq_head < q->entries &&
	       q->sq_tail < q->entries && q->cq_head < q->entries &&
	       q->cq_tail < q->entries;
}

/* ---- injected faults ----------------------------------------------------- */

static const VMStateDescription vmstate_poison = {
	.name = "ppim/poison",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		VMSTATE_UINT64(offset, struct ppim_poison),
		VMSTATE_UINT32(count, struct ppim_poison),
		VMSTATE_UINT16(slice, struct ppim_poison),
		VMSTATE_UINT8(tier, struct ppim_poison),
		VMSTATE_BOOL(correctable, struct ppim_poison),
		VMSTATE_END_OF_LIST()
	},
};

static bool poison_is_sane(const PPIMState *s)
{
	const struct ppim_poison *p = s->poison.at;
	uint32_t i;

	if (s->poison.n > PPIM_POISON_MAX)
		return false;
	for (i = 0; i < s->poison.n; i++, p++)
		if (p->tier == PPIM_TIER_DIMM ?
		    p->slice || p->offset >= s->mem.dimm_bytes :
		    p->tier != PPIM_TIER_HBM || p->slice >= s->geo.slices ||
		    p->offset >= s->mem.slice_bytes)
			return false;
	return true;
}

/* ---- the device ---------------------------------------------------------- */

static const VMStateDescription vmstate_stats = {
	.name = "ppim/statistics",
	.version_id = 1,
	.minimum_version_id = 1,
	.fields = (const VMStateField[]) {
		WORD(submitted, struct ppim_hw_stats),
		WORD(completed, struct ppim_hw_stats),
		WORD(errors, struct ppim_hw_stats),
		WORD(aborted, struct ppim_hw_stats),
		WORD(lookups, struct ppim_hw_stats),
		WORD(bags, struct ppim_hw_stats),
		WORD(reads_hbm, struct ppim_hw_stats),
		WORD(reads_dimm, struct ppim_hw_stats),
		WORD(activations_hbm, struct ppim_hw_stats),
		WORD(activations_dimm, struct ppim_hw_stats),
		WORD(sram_hits, struct ppim_hw_stats),
		WORD(sram_misses, struct ppim_hw_stats),
		WORD(moves, struct ppim_hw_stats),
		WORD(transfers, struct ppim_hw_stats),
		WORD(energy_pj, struct ppim_hw_stats),
		WORD(busy_ps, struct ppim_hw_stats),
		WORD(late_count, struct ppim_hw_stats),
		WORD(late_sum_ns, struct ppim_hw_stats),
		WORD(late_max_ns, struct ppim_hw_stats),
		WORD(injected, struct ppim_hw_stats),
		WORD(corrected, struct ppim_hw_stats),
		VMSTATE_END_OF_LIST()
	},
};

static void travel_free(PPIMState *s)
{
	g_free(s->slice_lookups);
	s->slice_lookups = NULL;
	g_free(s->engine_blob);
	s->engine_blob = NULL;
	s->engine_bytes = 0;
}

static int ppim_pre_save(void *opaque)
{
	PPIMState *s = opaque;
	struct ppim_engine *engine;

	ppim_time_finish(s);
	engine = ppim_pool_engine(s->pool);
	s->poison = *ppim_pool_poison(s->pool);
	travel_free(s);
	s->engine_bytes = ppim_engine_save(engine, NULL, 0);
	s->engine_blob = g_malloc(s->engine_bytes);
	ppim_engine_save(engine, s->engine_blob, s->engine_bytes);
	s->n_slice_lookups = s->geo.slices + 1;
	s->slice_lookups = g_new(uint64_t, s->n_slice_lookups);
	ppim_pool_lookups(s->pool, s->slice_lookups);
	return 0;
}

static int ppim_post_save(void *opaque)
{
	travel_free(opaque);
	return 0;
}

/* The target is a fresh device, or (loadvm) one that was in use. Of a stream
 * that is refused before its end nobody tells us: what it has left is undone
 * before the machine runs again, or by a reset. */
static int ppim_pre_load(void *opaque)
{
	PPIMState *s = opaque;

	ppim_reset(s);
	ppim_pool_wait_idle(s->pool);
	travel_free(s);
	s->half_loaded = true;
	return 0;
}

/* A state's size follows from the configuration alone, so it is known before
 * memory is asked for. The engine checks the rest. */
static bool engine_fits(void *opaque, int version)
{
	PPIMState *s = opaque;
	size_t want = ppim_engine_save(ppim_pool_engine(s->pool), NULL, 0);

	if (s->engine_bytes == want)
		return true;
	error_report("ppim: property 'params', 'sram', 'hbm-spec', 'dimm-spec' "
		     "or a tier's size differs: the model's state has %u "
		     "bytes, here %zu", s->engine_bytes, want);
	return false;
}

static bool slices_fit(void *opaque, int version)
{
	PPIMState *s = opaque;

	return s->n_slice_lookups == s->geo.slices + 1;
}

/* What ctrl_write() and ppim_fatal() can have left. */
static bool registers_are_sane(const PPIMState *s)
{
	const struct ppim_queue *admin = &s->queue[0];

	if (s->ctrl != PPIM_CTRL_ENABLE)
		return !s->ctrl && !s->status && !s->error && !admin->live;
	if (s->error == PPIM_HWERR_AQ_CONFIG)
		return s->status == PPIM_STS_FATAL && !admin->live;
	if (s->status != (s->error ? PPIM_STS_READY | PPIM_STS_FATAL :
				     PPIM_STS_READY))
		return false;
	return s->error <= PPIM_HWERR_LINK && admin->live &&
	       admin->entries == s->aq_entries && admin->sq == s->asq &&
	       admin->cq == s->acq;
}

static bool queues_are_sane(PPIMState *s)
{
	struct ppim_cmd *cmd;
	uint16_t qid;

	for (qid = 0; qid <= PPIM_QUEUES_MAX; qid++)
		if (!queue_is_sane(s, qid))
			return false;
	QTAILQ_FOREACH(cmd, &s->inflight, link)
		if (cmd->qid > s->n_queues || !s->queue[cmd->qid].live)
			return false;
	return true;
}

static int ppim_post_load(void *opaque, int version)
{
	PPIMState *s = opaque;
	struct ppim_diag diag = { "registers, queues or faults are not those "
				  "of a device" };
	uint16_t qid;

	if (!registers_are_sane(s) || !queues_are_sane(s) ||
	    !poison_is_sane(s) ||
	    ppim_engine_load(ppim_pool_engine(s->pool), s->engine_blob,
			     s->engine_bytes, &diag)) {
		error_report("ppim: %s", diag.msg);
		ppim_reset(s);
		travel_free(s);
		return -EINVAL;
	}
	s->half_loaded = false;
	ppim_pool_lookups_set(s->pool, s->slice_lookups);
	travel_free(s);
	*ppim_pool_poison(s->pool) = s->poison;
	for (qid = 0; qid <= s->n_queues; qid++)
		if (s->queue[qid].live)
			msix_vector_use(PCI_DEVICE(s), s->queue[qid].vector);
	ppim_time_resume(s);
	return 0;
}

const VMStateDescription ppim_vmstate = {
	.name = "ppim",
	.version_id = 2,
	.minimum_version_id = 2,
	.pre_save = ppim_pre_save,
	.post_save = ppim_post_save,
	.pre_load = ppim_pre_load,
	.post_load = ppim_post_load,
	.fields = (const VMStateField[]) {
		/* before anything that follows from them is looked at */
		VMSTATE_UINT32_EQUAL(n_queues, PPIMState,
				     "property 'queues' differs"),
		VMSTATE_UINT32_EQUAL(timebase, PPIMState,
				     "property 'timing' or 'timebase' differs"),
		VMSTATE_UINT32_EQUAL(charges, PPIMState,
				     "property 'charge-copies' differs"),
		VMSTATE_UINT32_EQUAL(arch_default, PPIMState,
				     "property 'arch' differs"),
		VMSTATE_UINT32_EQUAL(max_entries, PPIMState,
				     "property 'queue-entries' differs"),
		VMSTATE_PCI_DEVICE(parent_obj, PPIMState),
		VMSTATE_MSIX(parent_obj, PPIMState),
		VMSTATE_STRUCT(parent_obj.exp.aer_log, PPIMState, 1,
			       vmstate_pcie_aer_log, PCIEAERLog),
		VMSTATE_UINT32(ctrl, PPIMState),
		VMSTATE_UINT32(status, PPIMState),
		VMSTATE_UINT32(error, PPIMState),
		VMSTATE_UINT32(aq_entries, PPIMState),
		VMSTATE_UINT64(asq, PPIMState),
		VMSTATE_UINT64(acq, PPIMState),
		VMSTATE_STRUCT_ARRAY(queue, PPIMState, PPIM_QUEUES_MAX + 1, 1,
				     vmstate_queue, struct ppim_queue),
		VMSTATE_STRUCT(stats, PPIMState, 1, vmstate_stats,
			       struct ppim_hw_stats),
		VMSTATE_UINT64(doorbells.sq, PPIMState),
		VMSTATE_UINT64(doorbells.cq, PPIMState),
		VMSTATE_UINT32(pending.hang, PPIMState),
		VMSTATE_UINT32(pending.drop, PPIMState),
		VMSTATE_UINT32(pending.doubled, PPIMState),
		VMSTATE_UINT32(poison.n, PPIMState),
		VMSTATE_STRUCT_ARRAY(poison.at, PPIMState, PPIM_POISON_MAX, 1,
				     vmstate_poison, struct ppim_poison),
		VMSTATE_BOOL(stalled, PPIMState),
		VMSTATE_UINT64(zero_ps, PPIMState),
		VMSTATE_UINT64(chain_ps, PPIMState),
		VMSTATE_UINT64(now_ps, PPIMState),
		VMSTATE_QTAILQ_V(inflight, PPIMState, 1, vmstate_cmd,
				 struct ppim_cmd, link),
		VMSTATE_UINT32(engine_bytes, PPIMState),
		VMSTATE_VALIDATE("engine", engine_fits),
		VMSTATE_VBUFFER_ALLOC_UINT32(engine_blob, PPIMState, 1, NULL,
					     engine_bytes),
		VMSTATE_UINT32(n_slice_lookups, PPIMState),
		VMSTATE_VALIDATE("slices", slices_fit),
		VMSTATE_VARRAY_UINT32_ALLOC(slice_lookups, PPIMState,
					    n_slice_lookups, 1,
					    vmstate_info_uint64, uint64_t),
		VMSTATE_END_OF_LIST()
	},
};
