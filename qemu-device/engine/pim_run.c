// SPDX-License-Identifier: MIT
/* Commands from outside: what planners are trusted with is checked here. */
#include <errno.h>
#include "engine_state.h"

int ppim_pim_begin(struct ppim_engine *e, uint32_t arch, uint64_t arrival_ps,
		   uint32_t queue, struct ppim_diag *diag)
{
	(void)queue; /* queues share everything; the order is the trace's */
	e->running = pim_preset_find(arch);
	if (!e->running)
		return engine_fail(diag, -EINVAL, "preset %s is not built",
				   ppim_engine_arch_name(arch));
	pim_exec_begin(&e->x, e->running->level, arrival_ps);
	return 0;
}

static uint64_t run_bytes(const struct ppim_engine *e, uint8_t device)
{
	return device == PPIM_PIM_HBM ? e->x.hbm_bytes : e->x.dimm_bytes;
}

static int run_check_range(const struct ppim_engine *e, uint8_t device,
			   uint64_t addr, uint64_t n, struct ppim_diag *diag)
{
	const struct pim_mem *m =
		device == PPIM_PIM_HBM ? &e->x.hbm : &e->x.dimm;
	uint64_t bytes = run_bytes(e, device), len;

	if (!bytes)
		return engine_fail(diag, -EINVAL, "there is no DIMM");
	if (__builtin_mul_overflow(n, (uint64_t)m->burst_bytes, &len) ||
	    len > bytes || addr > bytes - len)
		return engine_fail(diag, -EINVAL,
				   "0x%llx with %llu bursts of %u B: expected "
				   "an address inside the %s's 0x%llx bytes",
				   (unsigned long long)addr,
				   (unsigned long long)n, m->burst_bytes,
				   device == PPIM_PIM_HBM ? "HBM" : "DIMM",
				   (unsigned long long)bytes);
	return 0;
}

/* Units that a preset of this level has. */
static bool run_has_unit(uint8_t level, const struct ppim_pim_cmd *cmd,
			 uint8_t unit)
{
	bool hbm = cmd->device == PPIM_PIM_HBM;

	if (cmd->op == PPIM_PIM_DR)
		return (unit == PPIM_PIM_TO_BG || unit == PPIM_PIM_TO_RANK) &&
		       unit == level;
	if (level == PPIM_PIM_TO_BG)
		return unit == PPIM_PIM_TO_BASE ||
		       (hbm && unit == PPIM_PIM_TO_BG);
	return unit == level;
}

static int run_check_unit(const struct ppim_engine *e,
			  const struct ppim_pim_cmd *cmd,
			  struct ppim_diag *diag)
{
	static const char *const units[PPIM_PIM_UNITS] = { "default", "bg",
							   "rank", "base",
							   "host" };
	uint8_t level = e->running->level;
	uint8_t unit = cmd->op == PPIM_PIM_DR && !cmd->to
			       ? level
			       : pim_exec_unit(&e->x, cmd);

	if (run_has_unit(level, cmd, unit))
		return 0;
	return engine_fail(diag, -EINVAL, "preset %s has no unit '%s' for %s",
			   ppim_engine_arch_name(e->running->arch), units[unit],
			   cmd->op == PPIM_PIM_DR ? "DR" : "RD");
}

static int run_check_fill(const struct ppim_engine *e,
			  const struct ppim_pim_cmd *cmd,
			  struct ppim_diag *diag)
{
	uint64_t in = cmd->addr & (e->geo.slice_bytes - 1);

	if (!(1u << e->running->arch & ENGINE_ARCHS_HINT))
		return engine_fail(diag, -EINVAL,
				   "preset %s has no SRAM to "
				   "prefetch into",
				   ppim_engine_arch_name(e->running->arch));
	if (cmd->n * e->x.hbm.burst_bytes > e->geo.slice_bytes - in)
		return engine_fail(diag, -EINVAL,
				   "PR of %llu bursts runs over its bank group",
				   (unsigned long long)cmd->n);
	return 0;
}

/* A register's or a row's worth: n bursts of the source at the destination. */
static int run_check_move(const struct ppim_engine *e,
			  const struct ppim_pim_cmd *cmd,
			  struct ppim_diag *diag)
{
	uint8_t to = cmd->dst_device;

	if (to == PPIM_PIM_DST_SELF)
		return 0;
	if (to == PPIM_PIM_DIMM && e->running->level != PPIM_PIM_TO_RANK)
		return engine_fail(diag, -EINVAL,
				   "preset %s has no unit in the DIMM",
				   ppim_engine_arch_name(e->running->arch));
	return run_check_range(e, to, cmd->dst, cmd->n, diag);
}

/* Work of the host or the link is a number alone: times have to hold it. */
static int run_check_work(const struct ppim_engine *e,
			  const struct ppim_pim_cmd *cmd,
			  struct ppim_diag *diag)
{
	if (cmd->n < 1ull << 48 && pim_exec_work_fits(&e->x, cmd))
		return 0;
	return engine_fail(diag, -EINVAL,
			   "%llu: expected less than 2^48, and less than what "
			   "a batch has time for",
			   (unsigned long long)cmd->n);
}

static int run_check(struct ppim_engine *e, const struct ppim_pim_cmd *cmd,
		     struct ppim_diag *diag)
{
	int err;

	if (!cmd->n)
		return engine_fail(diag, -EINVAL,
				   "expected at least one burst");
	if (cmd->op == PPIM_PIM_TR && cmd->n > UINT16_MAX)
		return engine_fail(diag, -EINVAL,
				   "TR: expected at most %u bursts",
				   UINT16_MAX);
	if (cmd->op > PPIM_PIM_CW)
		return run_check_work(e, cmd, diag);
	if (cmd->op == PPIM_PIM_TR)
		return 0;
	err = run_check_range(e, cmd->device, cmd->addr, cmd->n, diag);
	if (err)
		return err;
	if (cmd->op >= PPIM_PIM_CR)
		return 0;
	if (cmd->op == PPIM_PIM_PR)
		return run_check_fill(e, cmd, diag);
	if (!pim_exec_bag_fits(&e->x, cmd->bag))
		return engine_fail(diag, -EINVAL,
				   "expected TR for some bag: %u bags of the "
				   "phase wait for it",
				   e->x.max_slots);
	err = run_check_unit(e, cmd, diag);
	if (!err && cmd->cached &&
	    pim_exec_unit(&e->x, cmd) != PPIM_PIM_TO_RANK)
		return engine_fail(diag, -EINVAL,
				   "preset %s has no cache at "
				   "its units",
				   ppim_engine_arch_name(e->running->arch));
	if (err || cmd->op != PPIM_PIM_DR)
		return err;
	return run_check_move(e, cmd, diag);
}

int ppim_pim_command(struct ppim_engine *e, const struct ppim_pim_cmd *cmd,
		     struct ppim_diag *diag)
{
	int err = run_check(e, cmd, diag);

	if (!err)
		pim_exec_command(&e->x, cmd);
	return err;
}

void ppim_pim_phase(struct ppim_engine *e)
{
	pim_exec_phase_end(&e->x);
}

void ppim_pim_end(struct ppim_engine *e, struct ppim_annotation *out)
{
	memset(out, 0, sizeof(*out));
	pim_exec_end(&e->x, out);
	out->arch = e->running->arch;
	e->running = NULL;
}
