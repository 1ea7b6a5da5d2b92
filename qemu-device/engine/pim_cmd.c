// SPDX-License-Identifier: MIT
/* The executor's commands and phases: what they ask of whom. */
#include <errno.h>
#include <stdlib.h>
#include "pim_exec.h"

#define FS_PER_NS 1000000ull
/* Operations that wait at most; then they run before the next is taken. */
#define EXEC_OPS (1u << 16)
/* Bursts of one move: a longer operand goes in pieces. */
#define EXEC_MOVE_BURSTS 1024u
/* Partial sums of a phase that take reads at the same time, and the room that
 * their shares may take. */
#define EXEC_SLOTS     1024u
#define EXEC_MIN_SLOTS 16u
#define EXEC_ACC_BYTES (8u << 20)

/* ---- life --------------------------------------------------------------- */

static uint64_t exec_gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static void exec_set_mac(struct pim_mac *mac, uint64_t units, uint64_t mhz,
			 const struct pim_exec *x)
{
	uint64_t cycle_fs = 1000 * FS_PER_NS / mhz;
	uint64_t tck_fs = x->hbm.t.tck * x->unit_fs;

	mac->units = engine_div_by(units);
	mac->cycle_q32 =
		(uint64_t)((((unsigned __int128)cycle_fs << 32) + tck_fs - 1) /
			   tck_fs);
	mac->tck = x->hbm.t.tck;
	mac->memo_mac = 0;
	mac->memo_ticks = 0;
}

/* Parameters in nanoseconds to ticks, on a clock edge of the HBM. */
static uint64_t exec_ns(const struct pim_exec *x, uint64_t ns)
{
	return pim_align(&x->hbm_tck, ns * FS_PER_NS / x->unit_fs);
}

static void exec_set_constants(struct pim_exec *x,
			       const struct ppim_engine_config *config)
{
	const struct ppim_params *p = &x->params;
	const struct pim_timing *t = &x->hbm.t;
	uint64_t latency, pins;

	x->hbm_tck = engine_div_by(t->tck);
	x->dimm_tck = engine_div_by(x->has_dimm ? x->dimm.t.tck : 1);
	x->slice_shift = (uint32_t)__builtin_ctzll(x->hbm.slice_bytes);
	exec_set_mac(&x->bg_mac, p->bg_macs, p->bg_mhz, x);
	exec_set_mac(&x->rank_mac, p->rank_macs, p->bg_mhz, x);
	exec_set_mac(&x->bd_mac, p->bd_macs, p->bd_mhz, x);
	pins = p->cmd_pin_bits + (p->cmd_dq ? 2 * config->hbm->bus_width : 0);
	x->hit_bytes = engine_div_by(p->recnmp_hit_bytes);
	x->cmd_clocks = (p->cmd_bits + pins - 1) / pins;
	x->move_ticks = exec_ns(x, p->move_ns);
	x->link_ticks = exec_ns(x, p->link_ns);
	x->mem_ticks = exec_ns(x, p->cpu_mem_ns);
	x->llc_ticks = exec_ns(x, p->llc_ns);
	/* a miss as one core sees it, shared by all that are out together */
	latency = p->cpu_mem_ns * FS_PER_NS +
		  (t->trcd + t->cl + t->bus) * x->unit_fs;
	if (p->link != PPIM_LINK_NONE)
		latency += 2 * p->link_ns * FS_PER_NS;
	x->miss_fs = latency / (p->cpu_cores * p->cpu_misses);
	x->line_fs = p->llc_line * 1000 * FS_PER_NS / p->llc_mbps;
	x->flop_as = 1000 * FS_PER_NS / p->cpu_gflops;
	x->link_as = p->link_mbps ? 1000 * 1000 * FS_PER_NS / p->link_mbps : 0;
	pim_energy_init(&x->energy.hbm, config->hbm, x->hbm.n_ranks);
	if (x->has_dimm)
		pim_energy_init(&x->energy.dimm, config->dimm, x->dimm.n_ranks);
}

static int exec_alloc(struct pim_exec *x)
{
	uint32_t channels = x->hbm.channels + x->dimm.channels, per;

	x->nodes = x->hbm.n_slices + x->hbm.channels + x->dimm.n_ranks;
	x->words = (x->nodes + 63) / 64;
	x->max_ops = EXEC_OPS;
	x->max_slots = EXEC_ACC_BYTES / (x->nodes * sizeof(struct pim_acc));
	if (x->max_slots > EXEC_SLOTS)
		x->max_slots = EXEC_SLOTS;
	if (x->max_slots < EXEC_MIN_SLOTS)
		x->max_slots = EXEC_MIN_SLOTS;
	/* drains of a channel: each of its units' share of each partial sum */
	per = x->hbm.ranks * x->hbm.bankgroups + 1;
	if (per < x->dimm.ranks)
		per = x->dimm.ranks;
	x->max_drains = per * x->max_slots;
	x->ops = malloc(x->max_ops * sizeof(*x->ops));
	x->deps = malloc(x->max_ops * sizeof(*x->deps));
	x->slots = calloc(x->max_slots, sizeof(*x->slots));
	x->acc = calloc((size_t)x->max_slots * x->nodes, sizeof(*x->acc));
	x->holders = calloc((size_t)x->max_slots * x->words, sizeof(uint64_t));
	x->labels = calloc(PPIM_PIM_MAX_BAG + 1, sizeof(*x->labels));
	x->drains =
		calloc((size_t)channels * x->max_drains, sizeof(*x->drains));
	if (!x->ops || !x->deps || !x->slots || !x->acc || !x->holders ||
	    !x->labels || !x->drains)
		return -ENOMEM;
	return 0;
}

int pim_exec_init(struct pim_exec *x, const struct ppim_engine_config *config,
		  uint32_t dimm_channels, struct ppim_diag *diag)
{
	const struct ppim_params *p = &config->params;
	int err;

	memset(x, 0, sizeof(*x));
	x->params = *p;
	x->has_dimm = config->dimm_bytes != 0;
	x->hbm_bytes = config->hbm_bytes;
	x->dimm_bytes = config->dimm_bytes;
	x->unit_fs = exec_gcd(1000, config->hbm->t.tck_fs);
	if (x->has_dimm)
		x->unit_fs = exec_gcd(x->unit_fs, config->dimm->t.tck_fs);
	err = pim_mem_init(&x->hbm, config->hbm, config->hbm->channels,
			   config->hbm_bytes, x->unit_fs, (uint32_t)p->bg_queue,
			   (uint32_t)p->bg_operands, diag);
	if (!err && x->has_dimm)
		err = pim_mem_init(&x->dimm, config->dimm, dimm_channels,
				   config->dimm_bytes, x->unit_fs,
				   (uint32_t)p->bg_queue,
				   (uint32_t)p->bg_operands, diag);
	if (err) {
		pim_exec_free(x);
		return err;
	}
	exec_set_constants(x, config);
	if (exec_alloc(x)) {
		pim_exec_free(x);
		return engine_fail(diag, -ENOMEM, "no memory for the executor");
	}
	return 0;
}

void pim_exec_free(struct pim_exec *x)
{
	pim_mem_free(&x->hbm);
	if (x->has_dimm)
		pim_mem_free(&x->dimm);
	free(x->ops);
	free(x->deps);
	free(x->slots);
	free(x->acc);
	free(x->holders);
	free(x->labels);
	free(x->drains);
	memset(x, 0, sizeof(*x));
}

void pim_exec_reset(struct pim_exec *x, const struct ppim_spec *hbm,
		    const struct ppim_spec *dimm)
{
	pim_mem_reset(&x->hbm, hbm);
	if (x->has_dimm)
		pim_mem_reset(&x->dimm, dimm);
	x->base_ps = 0;
	x->now = 0;
	x->phase_end[0] = x->phase_end[1] = 0;
	x->link_up = x->link_dn = 0;
}

void pim_exec_walk(struct pim_exec *x, struct pim_io *io)
{
	pim_io_u64(io, &x->base_ps, INT64_MAX);
	pim_io_time(io, &x->now);
	pim_io_time(io, &x->phase_end[0]);
	pim_io_time(io, &x->phase_end[1]);
	pim_io_time(io, &x->link_up);
	pim_io_time(io, &x->link_dn);
	pim_mem_walk(&x->hbm, io);
	if (x->has_dimm)
		pim_mem_walk(&x->dimm, io);
}

uint64_t pim_exec_ps(const struct pim_exec *x, uint64_t ticks)
{
	return x->base_ps +
	       (uint64_t)(((unsigned __int128)ticks * x->unit_fs + 999) / 1000);
}

/* ---- batches ------------------------------------------------------------ */

/* A time of the device's line in ticks from base_ps on, however far ahead. */
static unsigned __int128 exec_from_ps(const struct pim_exec *x, uint64_t ps)
{
	unsigned __int128 fs;

	if (ps <= x->base_ps)
		return 0;
	fs = (unsigned __int128)(ps - x->base_ps) * 1000;
	return (fs + x->unit_fs - 1) / x->unit_fs;
}

/*
 * Ticks are counted from base_ps on. When they grow large base_ps moves up to
 * the present, in whole clocks of both memories, so that sums never overflow.
 * What lies before it becomes the present, which is all that is left of it.
 */
static void exec_rebase(struct pim_exec *x, unsigned __int128 present)
{
	struct pim_io io = { .mode = PIM_IO_SHIFT };
	uint64_t step = x->hbm_tck.d * x->dimm_tck.d * 1000;

	present = present / step * step;
	io.shift = present > UINT64_MAX ? UINT64_MAX : (uint64_t)present;
	pim_exec_walk(x, &io);
	x->base_ps += (uint64_t)(present / 1000 * x->unit_fs);
}

static uint64_t exec_arrival(struct pim_exec *x, uint64_t ps)
{
	unsigned __int128 t = exec_from_ps(x, ps);

	if (x->now > t)
		t = x->now;
	if (t > PIM_TIME_MAX / 4)
		exec_rebase(x, t);
	return pim_align(&x->hbm_tck, (uint64_t)exec_from_ps(x, ps));
}

static void exec_set_ready(struct pim_exec *x, struct pim_mem *m,
			   const struct engine_div *tck)
{
	uint64_t gather = pim_align(tck, x->gather);
	uint32_t s;

	for (s = 0; s < m->n_slices; s++) {
		struct pim_slice *sl = &m->slice[s];

		sl->ready = gather;
		if (x->params.phase_overlap == 1)
			sl->ready = pim_max(gather, sl->drained[1]);
		else if (x->params.phase_overlap == 2)
			sl->ready = pim_max(gather, sl->drained[2]);
	}
}

/* No command of the phase before `floor`, no gather before what the overlap
 * of phases allows. */
static void exec_set_floor(struct pim_exec *x, uint64_t floor)
{
	x->floor = floor;
	x->gather = x->params.phase_overlap ? floor
					    : pim_max(floor, x->phase_end[0]);
	exec_set_ready(x, &x->hbm, &x->hbm_tck);
	if (x->has_dimm)
		exec_set_ready(x, &x->dimm, &x->dimm_tck);
}

static void exec_age_drains(struct pim_mem *m)
{
	uint32_t s;

	for (s = 0; s < m->n_slices; s++) {
		m->slice[s].drained[2] = m->slice[s].drained[1];
		m->slice[s].drained[1] = m->slice[s].drained[0];
	}
}

static void exec_phase_begin(struct pim_exec *x)
{
	exec_age_drains(&x->hbm);
	if (x->has_dimm)
		exec_age_drains(&x->dimm);
	exec_set_floor(x, x->arrival);
	x->end = 0;
	x->base = (struct pim_fluid){ .first = PIM_NEVER };
	x->host_lines = x->host_flops = x->host_missed = 0;
	x->host_bytes = x->copy_bytes = 0;
	x->up_bytes = 0;
	x->phase_used = false;
}

void pim_exec_begin(struct pim_exec *x, uint8_t level, uint64_t arrival_ps)
{
	x->level = level;
	x->arrival = exec_arrival(x, arrival_ps);
	x->first = PIM_NEVER;
	x->batch_end = 0;
	memset(x->busy, 0, sizeof(x->busy));
	x->transfers = x->moved = x->link_bytes = x->commands = 0;
	x->fills = x->macs = x->base_adds = 0;
	x->bus_bytes = x->io_bytes = x->dimm_io_bytes = 0;
	x->sram_bytes = x->llc_bytes = 0;
	memset(&x->hbm.stats, 0, sizeof(x->hbm.stats));
	memset(&x->dimm.stats, 0, sizeof(x->dimm.stats));
	exec_phase_begin(x);
}

/* ---- partial sums ------------------------------------------------------- */

/* Drops the partial sums that have left; those that still take reads move to
 * the front. */
static void exec_compact(struct pim_exec *x)
{
	uint32_t i, n = 0;

	for (i = 0; i < x->n_slots; i++) {
		if (x->slots[i].bursts)
			continue;
		if (i != n) {
			x->slots[n] = x->slots[i];
			memcpy(&x->acc[(size_t)n * x->nodes],
			       &x->acc[(size_t)i * x->nodes],
			       x->nodes * sizeof(*x->acc));
			memcpy(&x->holders[(size_t)n * x->words],
			       &x->holders[(size_t)i * x->words],
			       x->words * sizeof(uint64_t));
		}
		x->labels[x->slots[n].bag] = (uint16_t)(n + 1);
		n++;
	}
	x->n_slots = n;
}

bool pim_exec_bag_fits(struct pim_exec *x, uint32_t bag)
{
	if (bag == PPIM_PIM_NO_BAG || x->labels[bag] ||
	    x->n_slots < x->max_slots)
		return true;
	pim_exec_run(x);
	exec_compact(x);
	return x->n_slots < x->max_slots;
}

static uint16_t exec_slot(struct pim_exec *x, uint32_t bag)
{
	uint32_t slot;

	if (bag == PPIM_PIM_NO_BAG)
		return PIM_NO_SLOT;
	if (x->labels[bag])
		return (uint16_t)(x->labels[bag] - 1);
	if (!pim_exec_bag_fits(x, bag))
		return PIM_NO_SLOT;
	slot = x->n_slots++;
	x->labels[bag] = (uint16_t)(slot + 1);
	x->slots[slot] = (struct pim_slot){ .bag = bag };
	memset(&x->holders[(size_t)slot * x->words], 0,
	       x->words * sizeof(uint64_t));
	return (uint16_t)slot;
}

static void exec_hold(struct pim_exec *x, uint16_t slot, uint32_t node)
{
	struct pim_acc *acc = &x->acc[(size_t)slot * x->nodes + node];
	uint64_t *word = &x->holders[(size_t)slot * x->words + node / 64];

	if (!(*word & 1ull << node % 64)) {
		*word |= 1ull << node % 64;
		*acc = (struct pim_acc){ 0 };
	}
	acc->pending++;
}

static void exec_transfer(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	struct pim_slot *slot;
	uint32_t node, w, at;
	uint64_t bits;

	if (!x->labels[cmd->bag])
		return;
	at = x->labels[cmd->bag] - 1u;
	slot = &x->slots[at];
	slot->bursts = (uint32_t)cmd->n;
	x->labels[cmd->bag] = 0;
	for (w = 0; w < x->words; w++) {
		bits = x->holders[(size_t)at * x->words + w];
		for (; bits; bits &= bits - 1) {
			const struct pim_acc *acc;

			node = w * 64 + (uint32_t)__builtin_ctzll(bits);
			acc = &x->acc[(size_t)at * x->nodes + node];
			if (!acc->pending)
				pim_exec_drain(x, node, acc->ready,
					       slot->bursts);
		}
	}
}

/* ---- operations --------------------------------------------------------- */

static void exec_push(struct pim_exec *x, struct pim_mem *m, uint32_t s,
		      const struct pim_op *op)
{
	uint8_t queue =
		op->kind == PIM_K_SOURCE ? PIM_QUEUE_HOST : PIM_QUEUE_UNIT;
	struct pim_slice *sl = &m->slice[s];
	uint32_t at;

	if (x->n_ops == x->max_ops)
		pim_exec_run(x);
	at = x->n_ops++;
	x->ops[at] = *op;
	x->ops[at].next = PIM_NIL;
	if (sl->tail[queue] == PIM_NIL)
		sl->head[queue] = at;
	else
		x->ops[sl->tail[queue]].next = at;
	sl->tail[queue] = at;
}

/* Unit that holds the partial sum which a read adds to; PIM_NIL: none. */
static uint32_t exec_node_of(const struct pim_exec *x, const struct pim_mem *m,
			     const struct pim_op *op, uint32_t s)
{
	if (op->kind == PIM_K_READ || op->kind == PIM_K_SINK)
		return s;
	if (op->kind != PIM_K_FAR || op->to != PPIM_PIM_TO_RANK)
		return PIM_NIL;
	if (m == &x->hbm)
		return x->hbm.n_slices + pim_mem_channel(m, s);
	return x->hbm.n_slices + x->hbm.channels + pim_mem_rank(m, s);
}

/* Where byte `addr` of a memory is. The host's cores see interleaved addresses,
 * PIM units, moves and copies see {slice, offset}. */
static void exec_where(const struct pim_exec *x, const struct pim_mem *m,
		       bool interleaved, uint64_t addr, struct pim_where *w)
{
	if (m == &x->hbm && !interleaved)
		pim_mem_linear(m, (uint32_t)(addr >> x->slice_shift),
			       addr & (m->slice_bytes - 1), w);
	else
		pim_mem_decode(m, addr, w);
}

/* A run of bursts as one operation per row. op->mac is the whole run's. */
static uint32_t exec_push_run(struct pim_exec *x, struct pim_mem *m,
			      uint64_t addr, uint64_t n, struct pim_op *op,
			      uint32_t bag)
{
	uint64_t left = n, mac = op->mac, given = 0, upto;
	bool interleaved =
		op->to == PPIM_PIM_TO_HOST && !(op->flags & PIM_F_COPY);
	struct pim_where w;
	uint32_t ops = 0, node;

	addr &= ~(uint64_t)(m->burst_bytes - 1);
	for (; left; left -= op->n, ops++) {
		exec_where(x, m, interleaved, addr, &w);
		op->row = w.row;
		op->bank = (uint8_t)w.bank;
		op->n = left < w.bursts ? (uint32_t)left : w.bursts;
		upto = left == op->n ? mac
				     : (uint64_t)((unsigned __int128)mac *
						  (n - left + op->n) / n);
		op->mac = upto - given;
		given = upto;
		node = exec_node_of(x, m, op, w.slice);
		op->slot = PIM_NO_SLOT;
		if (node != PIM_NIL)
			op->slot = exec_slot(x, bag);
		if (op->slot != PIM_NO_SLOT)
			exec_hold(x, op->slot, node);
		exec_push(x, m, w.slice, op);
		addr += (uint64_t)op->n << m->burst_shift;
	}
	return ops;
}

/* ---- commands ----------------------------------------------------------- */

uint8_t pim_exec_unit(const struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	if (cmd->to != PPIM_PIM_TO_DEFAULT)
		return cmd->to;
	if (cmd->device == PPIM_PIM_DIMM && x->level == PPIM_PIM_TO_BG)
		return PPIM_PIM_TO_BASE;
	return x->level;
}

/* A unit works on a row that its cache has, as fast as MACs and cache allow. */
static void exec_cmd_cached(struct pim_exec *x, struct pim_mem *m,
			    const struct ppim_pim_cmd *cmd)
{
	struct pim_op op = { .kind = PIM_K_FAR, .to = PPIM_PIM_TO_RANK };
	uint64_t work = pim_mac_ticks(&x->rank_mac, cmd->mac), lines;
	uint16_t slot = exec_slot(x, cmd->bag);
	struct pim_where w;
	struct pim_chan *c;
	struct pim_acc *acc;
	uint32_t node;

	lines = engine_divide(&x->hit_bytes,
			      cmd->n * m->burst_bytes + x->hit_bytes.d - 1);
	work = pim_max(work, lines * x->hbm.t.tck);
	exec_where(x, m, false, cmd->addr, &w);
	c = &m->chan[pim_mem_channel(m, w.slice)];
	c->mac_free = pim_max(c->mac_free, m->slice[w.slice].ready) + work;
	c->mac_busy += work;
	x->end = pim_max(x->end, c->mac_free);
	x->macs += cmd->mac;
	x->commands++;
	if (slot == PIM_NO_SLOT)
		return;
	node = exec_node_of(x, m, &op, w.slice);
	exec_hold(x, slot, node);
	acc = &x->acc[(size_t)slot * x->nodes + node];
	acc->pending--;
	acc->ready = pim_max(acc->ready, c->mac_free);
}

static void exec_cmd_read(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	struct pim_mem *m = cmd->device == PPIM_PIM_HBM ? &x->hbm : &x->dimm;
	struct pim_op op = { .dep = PIM_NIL, .mac = cmd->mac };

	op.to = pim_exec_unit(x, cmd);
	op.kind = op.to == PPIM_PIM_TO_BG ? PIM_K_READ : PIM_K_FAR;
	if (cmd->mac == PPIM_PIM_MAC_DEFAULT)
		op.mac = op.to == PPIM_PIM_TO_HOST
				 ? 0
				 : cmd->n * m->burst_bytes / 4;
	if (cmd->cached)
		exec_cmd_cached(x, m, cmd);
	else
		exec_push_run(x, m, cmd->addr, cmd->n, &op, cmd->bag);
}

/* Places are {slice, offset}, as the host's copies name them. */
static void exec_cmd_copy(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	struct pim_mem *m = cmd->device == PPIM_PIM_HBM ? &x->hbm : &x->dimm;
	struct pim_op op = { .dep = PIM_NIL,
			     .kind = PIM_K_FAR,
			     .to = PPIM_PIM_TO_HOST,
			     .flags = PIM_F_COPY };

	if (cmd->op == PPIM_PIM_CW)
		op.flags |= PIM_F_WRITE;
	exec_push_run(x, m, cmd->addr, cmd->n, &op, PPIM_PIM_NO_BAG);
}

static void exec_cmd_fill(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	uint64_t offset = cmd->addr & (x->hbm.slice_bytes - 1);
	struct pim_op op = { .dep = PIM_NIL,
			     .kind = PIM_K_FILL,
			     .to = PPIM_PIM_TO_BG };
	uint32_t s, first = 0, last = x->hbm.n_slices - 1;
	uint32_t groups = x->hbm.ranks * x->hbm.bankgroups;

	if (cmd->self)
		first = last = (uint32_t)(cmd->addr >> x->slice_shift);
	for (s = first; s <= last; s++) {
		op.flags = s == first || !(s % groups) ? 0 : PIM_F_HEARS;
		exec_push_run(x, &x->hbm,
			      ((uint64_t)s << x->slice_shift) + offset, cmd->n,
			      &op, PPIM_PIM_NO_BAG);
	}
}

/* One piece of a move: sources, then the sink that waits for them. */
static void exec_move(struct pim_exec *x, struct pim_mem *from, uint64_t addr,
		      struct pim_mem *to, uint64_t dst, uint32_t n,
		      struct pim_op *sink, uint32_t bag)
{
	struct pim_op op = { .kind = PIM_K_SOURCE, .to = PPIM_PIM_TO_BG };
	uint64_t bytes = (uint64_t)n * from->burst_bytes;
	struct pim_where w;
	struct pim_dep *dep;

	/* a piece is never split by a run in between */
	if (x->n_ops + 2 * (n + 1) > x->max_ops)
		pim_exec_run(x);
	x->moves = true;
	exec_where(x, to, false, dst, &w);
	dep = &x->deps[x->n_deps];
	*dep = (struct pim_dep){ .slice = w.slice, .mem = to };
	op.dep = sink->dep = x->n_deps++;
	dep->pending = exec_push_run(x, from, addr, n, &op, PPIM_PIM_NO_BAG);
	n = (uint32_t)((bytes + to->burst_bytes - 1) >> to->burst_shift);
	if (!(sink->flags & PIM_F_NO_BANK)) {
		exec_push_run(x, to, dst, n, sink, bag);
		return;
	}
	sink->n = n;
	sink->slot = PIM_NO_SLOT;
	exec_push(x, to, w.slice, sink);
}

static void exec_cmd_move(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	struct pim_mem *from = cmd->device == PPIM_PIM_HBM ? &x->hbm : &x->dimm;
	struct pim_mem *to =
		cmd->dst_device == PPIM_PIM_HBM ? &x->hbm : &x->dimm;
	struct pim_op sink = { .kind = PIM_K_SINK, .to = PPIM_PIM_TO_BG };
	uint64_t addr = cmd->addr, dst = cmd->dst, left = cmd->n;
	uint32_t n;

	if (cmd->dst_device == PPIM_PIM_DST_SELF) {
		to = from;
		dst = addr;
	}
	if (pim_exec_unit(x, cmd) == PPIM_PIM_TO_RANK || to == &x->dimm)
		sink.flags = PIM_F_NO_BANK;
	else if (!x->params.move_row)
		sink.flags = PIM_F_NO_ROW;
	for (; left; left -= n) {
		n = left < EXEC_MOVE_BURSTS ? (uint32_t)left : EXEC_MOVE_BURSTS;
		/* the last piece completes the operand */
		sink.mac = n == left ? cmd->mac : 0;
		exec_move(x, from, addr, to, dst, n, &sink, cmd->bag);
		addr += (uint64_t)n << from->burst_shift;
		dst += (uint64_t)n << from->burst_shift;
	}
}

/* Time of `bytes` on the link, in ticks. */
static uint64_t exec_link_ticks(const struct pim_exec *x, uint64_t bytes)
{
	return (uint64_t)(((unsigned __int128)bytes * x->link_as +
			   x->unit_fs * 1000 - 1) /
			  (x->unit_fs * 1000));
}

static void exec_cmd_down(struct pim_exec *x, uint64_t bytes)
{
	uint64_t busy = exec_link_ticks(x, bytes);

	x->link_dn = pim_max(x->link_dn, x->arrival) + busy;
	x->link_bytes += bytes;
	x->busy[PPIM_BOUND_LINK] += busy;
	if (x->arrival < x->first)
		x->first = x->arrival;
	exec_set_floor(x, pim_align(&x->hbm_tck, x->link_dn + x->link_ticks));
	x->end = pim_max(x->end, x->floor);
}

bool pim_exec_work_fits(const struct pim_exec *x,
			const struct ppim_pim_cmd *cmd)
{
	unsigned __int128 n = cmd->n, as;

	switch (cmd->op) {
	case PPIM_PIM_LD:
		n += x->host_lines;
		as = n * x->line_fs * 1000;
		break;
	case PPIM_PIM_OP:
		n += x->host_flops;
		as = n * x->flop_as;
		break;
	case PPIM_PIM_UP:
		n += x->up_bytes;
		as = n * x->link_as;
		break;
	default:
		as = n * x->link_as;
		break;
	}
	return n >> 60 == 0 && as / (x->unit_fs * 1000) + x->now + x->link_dn <
				       PIM_TIME_MAX / 2;
}

void pim_exec_command(struct pim_exec *x, const struct ppim_pim_cmd *cmd)
{
	x->phase_used = true;
	switch (cmd->op) {
	case PPIM_PIM_RD:
		exec_cmd_read(x, cmd);
		break;
	case PPIM_PIM_PR:
		exec_cmd_fill(x, cmd);
		break;
	case PPIM_PIM_TR:
		exec_transfer(x, cmd);
		break;
	case PPIM_PIM_DR:
		exec_cmd_move(x, cmd);
		break;
	case PPIM_PIM_CR:
	case PPIM_PIM_CW:
		exec_cmd_copy(x, cmd);
		break;
	case PPIM_PIM_LD:
		x->host_lines += cmd->n;
		break;
	case PPIM_PIM_OP:
		x->host_flops += cmd->n;
		break;
	case PPIM_PIM_DN:
		exec_cmd_down(x, cmd->n);
		break;
	default:
		x->up_bytes += cmd->n;
		break;
	}
}

/* ---- end of a phase ----------------------------------------------------- */

static uint64_t exec_fs(const struct pim_exec *x, uint64_t n, uint64_t each_fs)
{
	return (uint64_t)((unsigned __int128)n * each_fs / x->unit_fs);
}

/* The host works on what it reads while it reads: the slowest of its parts
 * decides. Lines that missed pass the cache as well. */
static void exec_end_host(struct pim_exec *x)
{
	uint64_t missed = x->host_missed / x->params.llc_line, lines, busy;

	if (!x->host_lines && !x->host_flops && !x->host_missed)
		return;
	x->llc_bytes += (x->host_lines + missed) * x->params.llc_line;
	lines = exec_fs(x, x->host_lines + missed, x->line_fs);
	busy = pim_max(lines, exec_fs(x, missed, x->miss_fs));
	busy = pim_max(busy, (uint64_t)((unsigned __int128)x->host_flops *
					x->flop_as / (x->unit_fs * 1000)));
	x->busy[PPIM_BOUND_HOST] += busy;
	if (x->host_missed)
		x->end += x->mem_ticks;
	else if (x->host_lines)
		busy += x->llc_ticks;
	x->end = pim_max(x->end, x->gather + busy);
	if (x->gather < x->first)
		x->first = x->gather;
}

/* What crossed the link: copies and reads all along, results at last. */
static void exec_end_link(struct pim_exec *x)
{
	uint64_t busy = exec_link_ticks(x, x->host_bytes), down;

	if (x->params.link == PPIM_LINK_NONE)
		return;
	if (x->copy_bytes) {
		down = exec_link_ticks(x, x->copy_bytes);
		x->link_dn = pim_max(x->link_dn, x->gather) + down;
		x->end = pim_max(x->end, x->link_dn) + x->link_ticks;
		x->link_bytes += x->copy_bytes;
		x->busy[PPIM_BOUND_LINK] += down;
	}
	if (x->host_bytes) {
		x->link_up = pim_max(x->link_up, x->gather) + busy;
		x->end = pim_max(x->end, x->link_up) + 2 * x->link_ticks;
		x->link_bytes += x->host_bytes;
		x->busy[PPIM_BOUND_LINK] += busy;
	}
	if (!x->up_bytes)
		return;
	busy = exec_link_ticks(x, x->up_bytes);
	x->link_up = pim_max(x->link_up, x->end) + busy;
	x->end = x->link_up + x->link_ticks;
	x->link_bytes += x->up_bytes;
	x->busy[PPIM_BOUND_LINK] += busy;
}

/* Returns what the bd-PIM's MACs were busy. */
static uint64_t exec_end_base(struct pim_exec *x)
{
	uint64_t work, last;

	if (x->base.first == PIM_NEVER)
		return 0;
	last = pim_mac_ticks(&x->bd_mac, x->base.last_macs);
	work = pim_mac_ticks(&x->bd_mac, x->base.macs);
	x->end = pim_max(x->end, x->base.last + last);
	x->end = pim_max(x->end, x->base.first + work);
	return work;
}

/* What comes from the DIMM crosses the HBM's interface between what moves and
 * the host do there, but not faster than all of it passes. */
static void exec_end_interface(struct pim_exec *x)
{
	uint64_t busy = 0;
	uint32_t ch;

	for (ch = 0; ch < x->hbm.channels; ch++)
		busy = pim_max(busy, x->hbm.chan[ch].phy_busy);
	if (busy)
		x->end = pim_max(x->end, x->gather + busy);
}

/* The busiest of each kind, phase by phase: the one that the phase was waiting
 * for at most. */
static void exec_end_busy(struct pim_exec *x, uint64_t base)
{
	struct pim_busy b;
	uint64_t macs;

	pim_mem_busiest(&x->hbm, &b);
	x->busy[PPIM_BOUND_ACTIVATION] += b.acts;
	x->busy[PPIM_BOUND_BG_BUS] += b.cols;
	x->busy[PPIM_BOUND_INTERNAL_BUS] += b.bus;
	x->busy[PPIM_BOUND_CMD] += b.cmds;
	macs = pim_max(b.macs, base);
	pim_mem_phase(&x->hbm);
	if (x->has_dimm) {
		pim_mem_busiest(&x->dimm, &b);
		x->busy[PPIM_BOUND_DIMM] +=
			pim_max(pim_max(b.acts, b.cols), b.bus);
		macs = pim_max(macs, b.macs);
		pim_mem_phase(&x->dimm);
	}
	x->busy[PPIM_BOUND_MAC] += macs;
}

static void exec_forget_slots(struct pim_exec *x)
{
	uint32_t i;

	for (i = 0; i < x->n_slots; i++)
		x->labels[x->slots[i].bag] = 0;
	x->n_slots = 0;
}

void pim_exec_phase_end(struct pim_exec *x)
{
	uint64_t base;

	if (!x->phase_used)
		return;
	pim_exec_run(x);
	base = exec_end_base(x);
	exec_end_interface(x);
	exec_end_host(x);
	exec_end_link(x);
	exec_end_busy(x, base);
	exec_forget_slots(x);
	x->end = pim_align(&x->hbm_tck, x->end);
	x->phase_end[1] = x->phase_end[0];
	x->phase_end[0] = pim_max(x->phase_end[0], x->end);
	x->batch_end = pim_max(x->batch_end, x->end);
	x->now = pim_max(x->now, x->end);
	exec_phase_begin(x);
}

/* ---- end of a batch ----------------------------------------------------- */

/* What runs in the background of a batch: its time, refreshes that fall due
 * meanwhile. */
struct exec_span {
	uint64_t first, end; /* ticks */
	uint64_t ns;
};

static uint64_t exec_pj(uint64_t n, uint64_t each_fj)
{
	return (uint64_t)(((unsigned __int128)n * each_fj + 500) / 1000);
}

/* Background power in uW times ns is fJ as well. */
static void exec_mem_energy(const struct pim_mem *m,
			    const struct pim_mem_energy *e,
			    const struct exec_span *span, bool used,
			    uint64_t *pj)
{
	uint64_t refreshes = pim_mem_refreshes(m, span->first, span->end);
	const struct pim_mem_stats *s = &m->stats;

	pj[PPIM_PART_HBM_ACTIVATE] = exec_pj(s->acts, e->act_fj);
	pj[PPIM_PART_HBM_READ] = exec_pj(s->reads, e->read_fj);
	pj[PPIM_PART_HBM_WRITE] = exec_pj(s->writes, e->write_fj);
	pj[PPIM_PART_HBM_REFRESH] = exec_pj(refreshes, e->refresh_fj);
	pj[PPIM_PART_HBM_STANDBY] =
		exec_pj(span->ns, used ? e->active_uw : e->idle_uw);
}

/* What JEDEC's currents say, of both memories. */
static void exec_energy_classes(const struct pim_exec *x,
				struct ppim_annotation *out)
{
	const uint64_t *pj = x->part_pj;

	out->activate_pj = pj[PPIM_PART_HBM_ACTIVATE] +
			   pj[PPIM_PART_DIMM_ACTIVATE];
	out->read_pj = pj[PPIM_PART_HBM_READ] + pj[PPIM_PART_DIMM_READ];
	out->write_pj = pj[PPIM_PART_HBM_WRITE] + pj[PPIM_PART_DIMM_WRITE];
	out->refresh_pj = pj[PPIM_PART_HBM_REFRESH] +
			  pj[PPIM_PART_DIMM_REFRESH];
	out->standby_pj = pj[PPIM_PART_HBM_STANDBY] +
			  pj[PPIM_PART_DIMM_STANDBY];
}

/* Fills the parts; returns their sum. */
static uint64_t exec_energy(struct pim_exec *x, const struct exec_span *span)
{
	const struct ppim_params *p = &x->params;
	uint64_t *pj = x->part_pj, sum = 0;
	uint32_t i;

	memset(pj, 0, sizeof(x->part_pj));
	exec_mem_energy(&x->hbm, &x->energy.hbm, span, true, pj);
	if (x->has_dimm)
		exec_mem_energy(&x->dimm, &x->energy.dimm, span,
				x->dimm.stats.reads != 0,
				pj + PPIM_PART_DIMM_ACTIVATE);
	pj[PPIM_PART_MAC] = exec_pj(x->macs + x->base_adds, p->mac_fj);
	pj[PPIM_PART_SRAM] = exec_pj(
		x->fills * x->hbm.burst_bytes + x->sram_bytes, p->sram_fj_byte);
	pj[PPIM_PART_LLC] = exec_pj(x->llc_bytes, p->llc_fj_byte);
	pj[PPIM_PART_BUS] = exec_pj(x->bus_bytes, p->bus_fj_byte);
	pj[PPIM_PART_INTERFACE] = exec_pj(x->io_bytes, p->io_fj_byte);
	pj[PPIM_PART_DIMM_INTERFACE] =
		exec_pj(x->dimm_io_bytes, p->dimm_io_fj_byte);
	pj[PPIM_PART_LINK] = exec_pj(x->link_bytes, p->link_fj_byte);
	for (i = 0; i < PPIM_PART_COUNT; i++)
		sum += pj[i];
	return sum;
}

static uint32_t exec_bound(const struct pim_exec *x)
{
	uint32_t b, most = PPIM_BOUND_NONE;

	for (b = 1; b < PPIM_BOUND_COUNT; b++)
		if (x->busy[b] > x->busy[most])
			most = b;
	return most;
}

void pim_exec_end(struct pim_exec *x, struct ppim_annotation *out)
{
	uint64_t tck_fs = x->hbm.t.tck * x->unit_fs, first;
	struct exec_span span;

	pim_exec_phase_end(x);
	first = x->first == PIM_NEVER ? x->arrival : x->first;
	if (x->batch_end < first)
		x->batch_end = first;
	out->start_ps = pim_exec_ps(x, first);
	out->end_ps = pim_exec_ps(x, x->batch_end);
	out->busy_ps = out->end_ps - out->start_ps;
	out->cycles = (uint64_t)(((unsigned __int128)(x->batch_end - first) *
					  x->unit_fs +
				  tck_fs - 1) /
				 tck_fs);
	out->reads_hbm = x->hbm.stats.reads;
	out->reads_dimm = x->dimm.stats.reads;
	out->activations_hbm = x->hbm.stats.acts;
	out->activations_dimm = x->dimm.stats.acts;
	out->row_hits_hbm = x->hbm.stats.row_hits;
	out->row_hits_dimm = x->dimm.stats.row_hits;
	out->prefetches = x->fills;
	out->moves = x->moved;
	out->transfers = x->transfers;
	out->link_bytes = x->link_bytes;
	out->macs = x->macs;
	out->commands = x->commands;
	span = (struct exec_span){ .first = first,
				   .end = x->batch_end,
				   .ns = (out->busy_ps + 999) / 1000 };
	out->energy_pj = exec_energy(x, &span);
	exec_energy_classes(x, out);
	out->bound_by = exec_bound(x);
}
