// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an I/O queue's entry to a command that is ready for the workers.
 *
 * What a command's entry points to may be tens of megabytes in thousands of
 * pieces, more than one visit of the main loop may copy. So loading runs in a
 * coroutine, which yields for each access; when the visit is over, the access
 * is made in the next. One command is loaded at a time and those behind it
 * wait, so the order of admission is that of the entries taken.
 *
 * The access itself is made outside: what it may set off (ppim_visit.c) would
 * take our coroutine for one of the block layer's.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "ppim.h"
#include "trace.h"

/* 0: for the workers; 1: done; -1: refused, with the fault. */
static int coroutine_fn io_load(PPIMState *s, struct ppim_cmd *cmd,
				const struct ppim_hw_sqe *sqe)
{
	if (sqe->flags)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SQE,
					  offsetof(struct ppim_hw_sqe, flags));
	switch (sqe->opcode) {
	case PPIM_OP_GNR:
		return ppim_gnr_load(s, cmd, sqe);
	case PPIM_OP_WRITE:
	case PPIM_OP_READ:
		return ppim_copy_load(s, cmd, sqe);
	case PPIM_OP_NOP:
		return ppim_cmd_tail_zero(cmd, sqe, offsetof(struct ppim_hw_sqe,
							     words)) ? -1 : 1;
	default:
		return ppim_cmd_fail(cmd, PPIM_ST_BAD_OPCODE, sqe->opcode);
	}
}

static enum ppim_cmd_kind io_kind(uint8_t opcode)
{
	switch (opcode) {
	case PPIM_OP_GNR:
		return PPIM_CMD_GNR;
	case PPIM_OP_WRITE:
		return PPIM_CMD_WRITE;
	case PPIM_OP_READ:
		return PPIM_CMD_READ;
	default:
		return PPIM_CMD_NOP;
	}
}

static void coroutine_fn load_run(void *opaque)
{
	PPIMState *s = opaque;
	struct ppim_loading *load = &s->loading;

	load->verdict = io_load(s, load->cmd, &load->sqe);
	load->co = NULL;
}

/* Loading has ended: the command goes where its verdict sends it. */
static void load_end(PPIMState *s)
{
	struct ppim_cmd *cmd = s->loading.cmd;

	s->loading.cmd = NULL;
	if (s->loading.verdict)
		ppim_queue_complete(s, cmd);
	else
		ppim_time_admit(s, cmd);
}

/* Takes an entry of an I/O queue. */
void ppim_load_begin(PPIMState *s, uint16_t qid, const struct ppim_hw_sqe *sqe)
{
	struct ppim_cmd *cmd = ppim_cmd_new(io_kind(sqe->opcode), qid, sqe);

	s->stats.submitted++;
	s->queue[qid].submitted++;
	if (cmd->kind == PPIM_CMD_GNR)
		ppim_inject_mark(s, cmd);
	s->loading = (struct ppim_loading){
		.co = qemu_coroutine_create(load_run, s),
		.cmd = cmd, .sqe = *sqe,
	};
	qemu_coroutine_enter(s->loading.co);
	ppim_load_continue(s);
}

/* Goes on, as far as the visit allows. */
void ppim_load_continue(PPIMState *s)
{
	struct ppim_loading *load = &s->loading;

	while (load->co && (load->at_once || !ppim_visit_over(s))) {
		load->ret = ppim_dma_read(s, load->addr, load->buf,
					  load->bytes, &load->bad);
		qemu_coroutine_enter(load->co);
	}
	if (!load->co)
		load_end(s);
}

/* Reads guest memory for the command: 0, or -1 with *bad, the address that
 * could not be read. */
int coroutine_fn ppim_load_read(PPIMState *s, uint64_t addr, void *buf,
				uint64_t bytes, uint64_t *bad)
{
	s->loading.addr = addr;
	s->loading.buf = buf;
	s->loading.bytes = bytes;
	qemu_coroutine_yield();
	*bad = s->loading.bad;
	return s->loading.ret;
}

/* Does not wait for another visit. */
void ppim_load_finish(PPIMState *s)
{
	if (!s->loading.cmd)
		return;
	s->loading.at_once = true;
	ppim_load_continue(s);
}

/* The command that is being loaded, of this queue (qid 0: of any), is given
 * up: its access fails. It is the caller's to free. */
struct ppim_cmd *ppim_load_drop(PPIMState *s, uint16_t qid)
{
	struct ppim_cmd *cmd = s->loading.cmd;

	if (!cmd || (qid && cmd->qid != qid))
		return NULL;
	s->loading.ret = -1;
	qemu_coroutine_enter(s->loading.co);
	s->loading.cmd = NULL;
	return cmd;
}
