// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time and order of completions. The engine says how long a command takes; no
 * timing rule is here. This file maps the device's timeline onto the guest's
 * virtual clock and lets nothing be seen before its time.
 *
 * A command is admitted at the doorbell, timed when its charge is known, and
 * completed by a timer on the virtual clock at its end. Commands are timed in
 * order of admission and completed in order of their ends, so the order that
 * a guest sees does not depend on the workers.
 *
 *   timebase=device  the timeline advances by admitted work only: a command
 *                    begins where the one before it ended, and at its doorbell
 *                    at the earliest
 *   timebase=guest   the timeline is the virtual clock
 *   timing=off       a command ends when it was admitted
 *
 * Without icount the workers' bottom half asks for timing. Under icount nothing
 * may depend on when a worker is ready: each command has a lower bound of its
 * end; when the clock reaches that, the timer waits for the workers (virtual
 * time stands still meanwhile) and learns the exact end.
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "system/cpu-timers.h"
#include "system/runstate.h"
#include "ppim.h"
#include "trace.h"

#define PS_PER_NS 1000

uint64_t ppim_time_clock_ps(void)
{
	return (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) * PS_PER_NS;
}

/* PPIM_REG_NOW_PS: of what a guest may know. */
uint64_t ppim_time_now_ps(PPIMState *s)
{
	if (s->timebase == PPIM_TIMEBASE_GUEST)
		return ppim_running(s) ? ppim_time_clock_ps() - s->zero_ps : 0;
	return s->now_ps;
}

static bool timeline_is_guest(const PPIMState *s)
{
	return s->timebase == PPIM_TIMEBASE_GUEST;
}

/* ---- ends ---------------------------------------------------------------- */

static uint64_t cmd_end_ps(PPIMState *s, const struct ppim_cmd *cmd)
{
	if (s->timebase == PPIM_TIMEBASE_OFF || cmd->fault.status ||
	    !cmd->note.end_ps)
		return cmd->admit_ps;
	if (timeline_is_guest(s))
		return s->zero_ps + cmd->note.end_ps;
	s->chain_ps = MAX(s->chain_ps, cmd->admit_ps) + cmd->note.end_ps -
		      cmd->arrival_ps;
	return s->chain_ps;
}

static void cmd_time(PPIMState *s, struct ppim_cmd *cmd, uint64_t clock_ps)
{
	cmd->end_ps = MAX(cmd_end_ps(s, cmd), cmd->admit_ps);
	cmd->done_ps = clock_ps;
	cmd->timed = true;
}

static bool cmd_is_timed(const PPIMState *s, const struct ppim_cmd *cmd)
{
	if (cmd->kind == PPIM_CMD_CLEAR)
		return false;
	return cmd->kind == PPIM_CMD_GNR || s->charge_copies;
}

/*
 * A time before which the command, the first that is not timed, cannot end.
 * All that was admitted before it has its end, so under icount this depends on
 * the commands alone, however fast the workers are.
 */
static uint64_t cmd_bound_ps(const PPIMState *s, const struct ppim_cmd *cmd)
{
	if (cmd_is_timed(s, cmd) && s->timebase == PPIM_TIMEBASE_DEVICE)
		return MAX(s->chain_ps, cmd->admit_ps) + cmd->least_ps;
	return cmd->admit_ps + cmd->least_ps;
}

/* Times what can be timed now. */
static void settle(PPIMState *s, uint64_t clock_ps)
{
	struct ppim_cmd *cmd;

	QTAILQ_FOREACH(cmd, &s->inflight, link) {
		if (cmd->timed || cmd->hung)
			continue;
		if (icount_enabled()) {
			if (cmd_bound_ps(s, cmd) > clock_ps)
				return;
			ppim_pool_wait(s->pool, cmd);
		} else if (!ppim_pool_is_done(s->pool, cmd)) {
			return;
		}
		cmd_time(s, cmd, clock_ps);
	}
}

/* The timed command that ends first; of equals the one admitted first. */
static struct ppim_cmd *first_end(PPIMState *s)
{
	struct ppim_cmd *cmd, *first = NULL;

	QTAILQ_FOREACH(cmd, &s->inflight, link)
		if (cmd->timed && (!first || cmd->end_ps < first->end_ps))
			first = cmd;
	return first;
}

/* ---- the timer ----------------------------------------------------------- */

static uint64_t to_ns(uint64_t ps)
{
	return DIV_ROUND_UP(ps, PS_PER_NS);
}

/* What is due goes to another round of the main loop: a timer that is armed for
 * now runs again before its list lets go. A stopped machine's memory does not
 * change: there the timer waits with the clock. */
static bool visits_by_bh(const PPIMState *s)
{
	return s->bh && runstate_is_running();
}

/* The next moment at which there is something to do. */
static void timer_arm(PPIMState *s)
{
	struct ppim_cmd *cmd = first_end(s);
	uint64_t next = cmd ? to_ns(cmd->end_ps) : UINT64_MAX;

	if (!ppim_running(s)) {
		timer_del(s->timer);
		return;
	}
	if (icount_enabled())
		QTAILQ_FOREACH(cmd, &s->inflight, link)
			if (!cmd->timed && !cmd->hung) {
				next = MIN(next, to_ns(cmd_bound_ps(s, cmd)));
				break;
			}
	if (s->stalled && (ppim_queue_visit_waits(s) || ppim_queue_room(s)))
		next = 0;
	if (next == UINT64_MAX)
		timer_del(s->timer);
	else if (next <= to_ns(ppim_time_clock_ps()) && visits_by_bh(s))
		qemu_bh_schedule(s->bh);
	else
		timer_mod(s->timer, MIN(next, INT64_MAX));
}

static void late_count(PPIMState *s, const struct ppim_cmd *cmd)
{
	uint64_t late;

	if (cmd->done_ps <= cmd->end_ps || icount_enabled() ||
	    s->timebase == PPIM_TIMEBASE_OFF || !cmd->note.end_ps)
		return;
	late = (cmd->done_ps - cmd->end_ps) / PS_PER_NS;
	s->stats.late_count++;
	s->stats.late_sum_ns += late;
	s->stats.late_max_ns = MAX(s->stats.late_max_ns, late);
}

static void inflight_remove(PPIMState *s, struct ppim_cmd *cmd)
{
	QTAILQ_REMOVE(&s->inflight, cmd, link);
	s->n_inflight--;
	s->inflight_bytes -= cmd->bytes;
}

/* One command whose time has come; false if there is none, or if this visit
 * has written enough and the rest is for the next. */
static bool complete_one(PPIMState *s, uint64_t clock_ps)
{
	struct ppim_cmd *cmd = first_end(s);

	if (!cmd || cmd->end_ps > clock_ps)
		return false;
	if (ppim_visit_over(s))
		return false;
	if (!ppim_queue_output(s, cmd))
		return true;
	if (!ppim_running(s))
		return false;
	inflight_remove(s, cmd);
	late_count(s, cmd);
	s->now_ps = MAX(s->now_ps, cmd->note.end_ps);
	ppim_queue_complete(s, cmd);
	return true;
}

static void visit(PPIMState *s, bool completes)
{
	uint64_t clock_ps = ppim_time_clock_ps();

	if (s->visit.lasts) {
		ppim_late(s, PPIM_LATE_VISIT);
		return;
	}
	ppim_visit_begin(s);
	do
		settle(s, clock_ps);
	while (completes && complete_one(s, clock_ps));
	if (completes)
		ppim_queue_run(s);
	timer_arm(s);
	ppim_visit_end(s);
}

static void timer_run(void *opaque)
{
	visit(opaque, true);
}

/* A worker has finished something, or a visit left something undone. */
static void bh_run(void *opaque)
{
	visit(opaque, visits_by_bh(opaque));
}

void ppim_time_visit_soon(PPIMState *s)
{
	if (s->bh)
		qemu_bh_schedule(s->bh);
	else
		timer_arm(s);
}

/* ---- admission ----------------------------------------------------------- */

/* The engine's bound depends on no state, so it may be asked while a worker
 * charges. */
static uint64_t cmd_least_ps(PPIMState *s, const struct ppim_cmd *cmd)
{
	if (cmd->kind != PPIM_CMD_GNR || s->timebase == PPIM_TIMEBASE_OFF)
		return 0;
	return ppim_engine_bound_ps(ppim_pool_engine(s->pool), &cmd->batch, 0);
}

void ppim_time_admit(PPIMState *s, struct ppim_cmd *cmd)
{
	cmd->admit_ps = ppim_time_clock_ps();
	cmd->arrival_ps = cmd->admit_ps - s->zero_ps;
	cmd->least_ps = cmd_least_ps(s, cmd);
	QTAILQ_INSERT_TAIL(&s->inflight, cmd, link);
	s->n_inflight++;
	s->inflight_bytes += cmd->bytes;
	if (cmd->kind == PPIM_CMD_GNR && s->pending.hang) {
		s->pending.hang--;
		cmd->hung = true;
		trace_ppim_fault(cmd->qid, cmd->cid, "hang");
		return;
	}
	ppim_pool_submit(s->pool, cmd);
}

void ppim_time_kick(PPIMState *s)
{
	timer_arm(s);
}

/* ---- ends before their time ---------------------------------------------- */

/* A hung command was never given to the workers. */
static void cmd_drop(PPIMState *s, struct ppim_cmd *cmd, bool skip)
{
	inflight_remove(s, cmd);
	if (cmd->hung)
		ppim_pool_free(s->pool, cmd);
	else
		ppim_pool_drop(s->pool, cmd, skip);
}

/* In virtual time nothing may depend on when the workers let go of it. */
static void drops_end(PPIMState *s)
{
	if (icount_enabled())
		ppim_pool_wait_idle(s->pool);
}

static bool cmd_is(const struct ppim_cmd *cmd, uint16_t qid, uint16_t cid,
		   uint32_t generation)
{
	return cmd && cmd->qid == qid && cmd->cid == cid &&
	       cmd->generation == generation;
}

static struct ppim_cmd *inflight_find(PPIMState *s, uint16_t qid, uint16_t cid,
				      uint32_t generation)
{
	struct ppim_cmd *cmd;

	QTAILQ_FOREACH(cmd, &s->inflight, link)
		if (cmd_is(cmd, qid, cid, generation))
			return cmd;
	return NULL;
}

/* The answer knows nothing of the command: neither how far it has come nor what
 * was to become of its own completion. The work of one in flight is still
 * charged: what is admitted costs its time. */
bool ppim_time_abort(PPIMState *s, uint16_t qid, uint16_t cid,
		     uint32_t generation)
{
	struct ppim_cmd *answer, *cmd;

	cmd = inflight_find(s, qid, cid, generation);
	if (cmd) {
		cmd_drop(s, cmd, false);
		drops_end(s);
	} else if (cmd_is(s->loading.cmd, qid, cid, generation)) {
		ppim_pool_free(s->pool, ppim_load_drop(s, qid));
	} else {
		return false;
	}
	answer = ppim_cmd_new(PPIM_CMD_NOP, qid, NULL);
	answer->cid = cid;
	answer->generation = generation;
	ppim_cmd_fail(answer, PPIM_ST_ABORTED, 0);
	ppim_queue_complete(s, answer);
	return true;
}

/* Drops a queue's commands, loaded or not (qid 0: all queues'). */
void ppim_time_discard(PPIMState *s, uint16_t qid, bool skip)
{
	struct ppim_cmd *cmd = ppim_load_drop(s, qid), *next;

	if (cmd)
		ppim_pool_free(s->pool, cmd);
	QTAILQ_FOREACH_SAFE(cmd, &s->inflight, link, next)
		if (!qid || cmd->qid == qid)
			cmd_drop(s, cmd, skip);
	drops_end(s);
}

/* Nothing is written on behalf of any of them any more, and none is charged. */
void ppim_time_discard_all(PPIMState *s)
{
	ppim_time_discard(s, 0, true);
	ppim_pool_skip_dropped(s->pool);
}

/* Back to the state after power-on, whatever was in flight. The workers put
 * the engine back when they come to it; nobody waits for them. */
void ppim_time_reset(PPIMState *s)
{
	struct ppim_cmd *cmd;

	ppim_time_discard_all(s);
	/* what a refused stream left in flight was never counted */
	s->n_inflight = 0;
	s->inflight_bytes = 0;
	timer_del(s->timer);
	s->stalled = false;
	s->chain_ps = s->now_ps = s->zero_ps = 0;
	cmd = ppim_cmd_new(PPIM_CMD_RESET, 0, NULL);
	cmd->orphan = true;
	ppim_pool_submit(s->pool, cmd);
}

void ppim_time_start(PPIMState *s)
{
	s->zero_ps = ppim_time_clock_ps();
}

/* After loading: what was in flight goes on. */
void ppim_time_resume(PPIMState *s)
{
	struct ppim_cmd *cmd;

	s->n_inflight = 0;
	s->inflight_bytes = 0;
	QTAILQ_FOREACH(cmd, &s->inflight, link) {
		s->n_inflight++;
		s->inflight_bytes += cmd->bytes;
	}
	timer_arm(s);
}

/* A stopped machine's memory must not change: copies into the tiers are over
 * before migration looks at them for the last time. */
void ppim_time_finish(PPIMState *s)
{
	ppim_visit_begin(s);
	ppim_load_finish(s);
	ppim_pool_wait_idle(s->pool);
	ppim_visit_end(s);
}

static void state_changed(void *opaque, bool running, RunState state)
{
	PPIMState *s = opaque;

	if (running) {
		if (s->half_loaded)
			ppim_reset(s);
		timer_arm(s);
		return;
	}
	ppim_late(s, PPIM_LATE_FINISH);
}

void ppim_time_init(PPIMState *s)
{
	QTAILQ_INIT(&s->inflight);
	s->vmstate = qemu_add_vm_change_state_handler(state_changed, s);
	s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, timer_run, s);
	if (!icount_enabled())
		s->bh = qemu_bh_new(bh_run, s);
}

/* Of a device that was reset: its workers and what calls it. */
void ppim_time_exit(PPIMState *s)
{
	ppim_pool_retire(s->pool);
	s->pool = NULL;
	qemu_del_vm_change_state_handler(s->vmstate);
	timer_free(s->timer);
	s->timer = NULL;
	if (s->bh)
		qemu_bh_delete(s->bh);
	s->bh = NULL;
}
