// SPDX-License-Identifier: GPL-2.0-only
/*
 * Visits: the device at work under the big lock, for a doorbell, its timer, its
 * bottom half, or a machine that stops. All that it does with guest memory and
 * with commands it does in visits, and they do not nest.
 *
 * What it does may come back to it before the visit is over. Messages, and what
 * a remapping unit writes when an access of ours faults, go to an address that
 * the guest chose: our doorbells, our reset in configuration space, the power
 * of our slot, or another device, whose model may run bottom halves before it
 * returns. So while a visit lasts
 *   - registers and doorbells are closed, by QEMU's guard against reentrant
 *     I/O;
 *   - a reset or a failure is at once what ppim_running() says, and from then
 *     on the visit touches no guest memory (ppim_dma.c); but commands are not
 *     freed under its feet, nor the rest of an unplugged device: what would do
 *     that, or begin another visit, is done late, when this one has ended.
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "system/cpu-timers.h"
#include "system/runstate.h"
#include "ppim.h"

/* In this order. */
static void (*const late_runs[PPIM_LATE_COUNT])(PPIMState *s) = {
	[PPIM_LATE_VISIT] = ppim_time_visit_soon,
	[PPIM_LATE_DISCARD] = ppim_time_discard_all,
	[PPIM_LATE_RESET] = ppim_time_reset,
	[PPIM_LATE_FINISH] = ppim_time_finish,
	[PPIM_LATE_EXIT] = ppim_time_exit,
};

/* Now, or when the visit that lasts has ended. */
void ppim_late(PPIMState *s, enum ppim_late what)
{
	if (s->visit.lasts)
		s->visit.late |= 1u << what;
	else
		late_runs[what](s);
}

void ppim_visit_begin(PPIMState *s)
{
	bool *guard = &DEVICE(s)->mem_reentrancy_guard.engaged_in_io;

	object_ref(OBJECT(s));
	s->visit.lasts = true;
	s->visit.guarded = *guard;
	*guard = true;
	s->visit.bytes = 0;
	s->visit.begin_ns = get_clock();
}

/* Has it moved enough? Then the rest is for the next one. */
bool ppim_visit_over(const PPIMState *s)
{
	return !icount_enabled() && s->visit.bytes >= PPIM_VISIT_BYTES;
}

/* How long the main loop or a vCPU was kept; a machine that stops waits for
 * all that is in flight. */
static void visit_count(struct ppim_visit *v)
{
	if (!runstate_is_running())
		return;
	v->max_bytes = MAX(v->max_bytes, v->bytes);
	v->max_ns = MAX(v->max_ns, get_clock() - v->begin_ns);
}

/* The object may be gone on return. */
void ppim_visit_end(PPIMState *s)
{
	uint32_t late = s->visit.late, i;

	visit_count(&s->visit);
	s->visit.late = 0;
	s->visit.lasts = false;
	DEVICE(s)->mem_reentrancy_guard.engaged_in_io = s->visit.guarded;
	for (i = 0; i < PPIM_LATE_COUNT; i++)
		if (late >> i & 1)
			late_runs[i](s);
	object_unref(OBJECT(s));
}
