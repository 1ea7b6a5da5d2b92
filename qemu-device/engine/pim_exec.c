// SPDX-License-Identifier: MIT
/* The executor's event loop: which operation goes next, and when. */
#include "pim_exec.h"

/* ---- partial sums ------------------------------------------------------- */

static struct pim_mem *exec_node_mem(struct pim_exec *x, uint32_t node)
{
	return node < x->hbm.n_slices + x->hbm.channels ? &x->hbm : &x->dimm;
}

/* Channel whose bus a unit's partial sums leave over. */
static uint32_t exec_node_channel(const struct pim_exec *x, uint32_t node)
{
	if (node < x->hbm.n_slices)
		return pim_mem_channel(&x->hbm, node);
	node -= x->hbm.n_slices;
	if (node < x->hbm.channels)
		return node;
	return (node - x->hbm.channels) / x->dimm.ranks;
}

static bool drain_before(const struct pim_drain *a, const struct pim_drain *b)
{
	return a->ready != b->ready ? a->ready < b->ready : a->node < b->node;
}

static struct pim_drain *exec_drains(struct pim_exec *x, struct pim_mem *m,
				     uint32_t ch)
{
	uint32_t first = m == &x->hbm ? 0 : x->hbm.channels;

	return &x->drains[(size_t)(first + ch) * x->max_drains];
}

void pim_exec_drain(struct pim_exec *x, uint32_t node, uint64_t ready,
		    uint32_t bursts)
{
	struct pim_mem *m = exec_node_mem(x, node);
	uint32_t ch = exec_node_channel(x, node);
	struct pim_drain *heap = exec_drains(x, m, ch);
	struct pim_drain d = { ready, node, bursts };
	uint32_t i = m->chan[ch].n_drains++, up;

	for (; i; i = up) {
		up = (i - 1) / 2;
		if (!drain_before(&d, &heap[up]))
			break;
		heap[i] = heap[up];
	}
	heap[i] = d;
}

static struct pim_drain drain_pop(struct pim_drain *heap, uint32_t n)
{
	struct pim_drain top = heap[0], last = heap[n - 1];
	uint32_t i = 0, kid;

	for (; (kid = 2 * i + 1) < n - 1; i = kid) {
		if (kid + 1 < n - 1 && drain_before(&heap[kid + 1], &heap[kid]))
			kid++;
		if (!drain_before(&heap[kid], &last))
			break;
		heap[i] = heap[kid];
	}
	heap[i] = last;
	return top;
}

/* Units that share the bank groups of a slice's drain: its own, or all of the
 * channel or rank that the unit serves. */
static void exec_set_drained(struct pim_exec *x, struct pim_mem *m,
			     uint32_t node, uint64_t t)
{
	uint32_t first, n, i;

	if (node < x->hbm.n_slices) {
		m->slice[node].drained[0] =
			pim_max(m->slice[node].drained[0], t);
		return;
	}
	node -= x->hbm.n_slices;
	n = m == &x->hbm ? m->ranks * m->bankgroups : m->bankgroups;
	first = (m == &x->hbm ? node : node - x->hbm.channels) * n;
	for (i = first; i < first + n; i++)
		m->slice[i].drained[0] = pim_max(m->slice[i].drained[0], t);
}

/* The greatest partial sum of a channel that is ready takes the bus. */
static void exec_commit_drain(struct pim_exec *x, struct pim_mem *m,
			      uint32_t ch)
{
	struct pim_chan *c = &m->chan[ch];
	struct pim_drain d = drain_pop(exec_drains(x, m, ch), c->n_drains--);
	bool phy = m == &x->hbm && d.node >= x->hbm.n_slices;
	uint64_t *free = phy ? &c->phy_free : &c->bus_free;
	uint64_t busy = d.bursts * m->t.bus, end;

	end = pim_max(*free, d.ready) + busy;
	*free = end;
	if (phy)
		c->phy_busy += busy;
	else
		c->bus_busy += busy;
	x->transfers += d.bursts;
	x->commands++;
	if (m == &x->dimm)
		x->dimm_io_bytes += (uint64_t)d.bursts * m->burst_bytes;
	else if (phy)
		x->io_bytes += (uint64_t)d.bursts * m->burst_bytes;
	else
		x->bus_bytes += (uint64_t)d.bursts * m->burst_bytes;
	exec_set_drained(x, m, d.node, end);
	x->end = pim_max(x->end, end);
	if (x->level == PPIM_PIM_TO_BG) {
		uint64_t adds = (uint64_t)d.bursts * m->burst_bytes / 4;

		x->base_adds += adds;
		pim_fluid_add(&x->base, end, adds);
	}
}

/* A read for a partial sum is done in unit `node`. */
static void exec_acc_done(struct pim_exec *x, const struct pim_op *op,
			  uint32_t node, uint64_t done)
{
	struct pim_acc *acc;

	x->end = pim_max(x->end, done);
	if (op->slot == PIM_NO_SLOT)
		return;
	acc = &x->acc[(size_t)op->slot * x->nodes + node];
	acc->ready = pim_max(acc->ready, done);
	if (!--acc->pending && x->slots[op->slot].bursts)
		pim_exec_drain(x, node, acc->ready, x->slots[op->slot].bursts);
}

/* ---- units -------------------------------------------------------------- */

uint64_t pim_mac_ticks(struct pim_mac *mac, uint64_t macs)
{
	uint64_t cycles, clocks;

	if (macs == mac->memo_mac)
		return mac->memo_ticks;
	cycles = engine_divide(&mac->units, macs + mac->units.d - 1);
	clocks = (uint64_t)(((unsigned __int128)cycles * mac->cycle_q32 +
			     UINT32_MAX) >>
			    32);
	mac->memo_mac = macs;
	mac->memo_ticks = clocks * mac->tck;
	return mac->memo_ticks;
}

/* ---- when a slice's next operation could have its data ------------------ */

/* Row hits that go before an older operation of the slice, as in the reference
 * controller. */
#define EXEC_MAX_PASSED 4u

static const struct pim_bank *exec_bank(const struct pim_mem *m, uint32_t s,
					const struct pim_op *op)
{
	return &m->bank[(size_t)s * m->banks + op->bank];
}

static bool exec_hits(const struct pim_mem *m, uint32_t s,
		      const struct pim_op *op)
{
	return exec_bank(m, s, op)->row == op->row ||
	       op->flags & (PIM_F_NO_ROW | PIM_F_NO_BANK);
}

/* What a read without a partial sum of its own brings is needed by those that
 * follow: nothing goes before it. */
static bool exec_is_operand(const struct pim_op *op)
{
	return op->slot == PIM_NO_SLOT && op->kind != PIM_K_FAR &&
	       op->kind != PIM_K_SOURCE;
}

/* When the operation could have its data; *act: when its row could be opened,
 * if it is not open. */
static uint64_t exec_key_of(const struct pim_exec *x, const struct pim_mem *m,
			    uint32_t s, const struct pim_op *op, uint64_t *act)
{
	const struct pim_slice *sl = &m->slice[s];
	const struct pim_bank *b = exec_bank(m, s, op);
	uint64_t t = op->kind == PIM_K_FILL ? x->floor : sl->ready;

	if (op->kind == PIM_K_SINK) {
		if (x->deps[op->dep].pending)
			return PIM_NEVER;
		t = pim_max(t, x->deps[op->dep].time);
	}
	if (op->flags & (PIM_F_NO_ROW | PIM_F_NO_BANK))
		return pim_max(t, sl->col_free);
	if (b->row == op->row)
		return pim_max(pim_max(t, b->col_ready), sl->col_free);
	t = pim_max(t, sl->act_next);
	t = pim_max(t, m->starts[(size_t)s * m->window + sl->starts_pos]);
	*act = pim_max(t, b->act_ready);
	return pim_max(*act + m->t.trcd, sl->col_free);
}

static void exec_pick(struct pim_slice *sl, uint8_t queue, uint32_t at,
		      uint32_t before, uint64_t key)
{
	sl->queue = queue;
	sl->pick = at;
	sl->before = before;
	sl->key = key;
}

/* A row hit within the window that may go before the head, which misses. */
static void exec_look_ahead(struct pim_exec *x, struct pim_mem *m, uint32_t s)
{
	struct pim_slice *sl = &m->slice[s];
	uint32_t before = sl->pick, at = x->ops[before].next, n;
	const struct pim_op *op;
	uint64_t key, act;

	for (n = 1; at != PIM_NIL && n < m->window; n++) {
		op = &x->ops[at];
		if (exec_hits(m, s, op)) {
			key = exec_key_of(x, m, s, op, &act);
			if (key < sl->key)
				exec_pick(sl, PIM_QUEUE_UNIT, at, before, key);
			return;
		}
		if (exec_is_operand(op))
			return;
		before = at;
		at = op->next;
	}
}

static void exec_set_key(struct pim_exec *x, struct pim_mem *m, uint32_t s)
{
	struct pim_slice *sl = &m->slice[s];
	uint32_t head = sl->head[PIM_QUEUE_UNIT];
	const struct pim_op *op;
	uint64_t key, act = 0;

	sl->key = PIM_NEVER;
	if (head != PIM_NIL) {
		op = &x->ops[head];
		exec_pick(sl, PIM_QUEUE_UNIT, head, PIM_NIL,
			  exec_key_of(x, m, s, op, &sl->act));
		if (sl->passed < EXEC_MAX_PASSED && !exec_hits(m, s, op) &&
		    !exec_is_operand(op))
			exec_look_ahead(x, m, s);
	}
	head = sl->head[PIM_QUEUE_HOST];
	if (head == PIM_NIL)
		return;
	key = exec_key_of(x, m, s, &x->ops[head], &act);
	if (key >= sl->key)
		return;
	exec_pick(sl, PIM_QUEUE_HOST, head, PIM_NIL, key);
	sl->act = act;
}

/* Takes the picked operation out of its queue. */
static void exec_pop(struct pim_exec *x, struct pim_slice *sl)
{
	uint32_t next = x->ops[sl->pick].next;

	if (sl->before != PIM_NIL) {
		x->ops[sl->before].next = next;
		sl->passed++;
		return;
	}
	sl->head[sl->queue] = next;
	if (sl->queue == PIM_QUEUE_UNIT)
		sl->passed = 0;
}

static void exec_set_rank_keys(struct pim_exec *x, struct pim_mem *m,
			       uint32_t rank)
{
	uint32_t s;

	for (s = rank * m->bankgroups; s < (rank + 1) * m->bankgroups; s++)
		exec_set_key(x, m, s);
}

static void exec_set_channel_key(struct pim_exec *x, struct pim_mem *m,
				 uint32_t ch)
{
	uint32_t n = m->ranks * m->bankgroups, s;
	struct pim_chan *c = &m->chan[ch];
	uint64_t key = PIM_NEVER;

	for (s = ch * n; s < (ch + 1) * n; s++)
		key = m->slice[s].key < key ? m->slice[s].key : key;
	if (c->n_drains && exec_drains(x, m, ch)->ready < key)
		key = exec_drains(x, m, ch)->ready;
	c->key = key;
}

/* ---- columns ------------------------------------------------------------ */

static bool exec_writes(const struct pim_op *op)
{
	return op->kind == PIM_K_SINK || op->flags & PIM_F_WRITE;
}

/* The bank group's column path is taken by op's bursts from t on. */
static void exec_take_columns(struct pim_mem *m, uint32_t s,
			      const struct pim_op *op, uint64_t t)
{
	struct pim_slice *sl = &m->slice[s];
	struct pim_bank *b;
	uint64_t close;

	sl->col_free = t + op->n * m->t.tccd;
	sl->col_busy += op->n * m->t.tccd;
	m->starts[(size_t)s * m->window + sl->starts_pos] = t;
	if (++sl->starts_pos == m->window)
		sl->starts_pos = 0;
	if (op->flags & PIM_F_NO_ROW)
		return;
	b = &m->bank[(size_t)s * m->banks + op->bank];
	close = sl->col_free - m->t.tccd + m->t.trp +
		(exec_writes(op) ? m->t.wr_pre : m->t.rd_pre);
	b->act_ready = pim_max(b->act_ready, close);
}

/* A bus takes n bursts that come every tccd from `data` on; returns when the
 * last one is over. */
static uint64_t exec_take_bus(const struct pim_mem *m, uint64_t *free,
			      uint64_t *busy, uint64_t data, uint32_t n)
{
	uint64_t work = n * m->t.bus;

	*free = pim_max(*free, data) + work;
	*busy += work;
	return pim_max(*free - m->t.bus, data + (n - 1) * m->t.tccd) +
	       m->t.burst;
}

/* The bg-PIM's MACs work on what arrives from `data` on and is there whole at
 * `whole`. */
static void exec_combine(struct pim_exec *x, struct pim_mem *m, uint32_t s,
			 const struct pim_op *op, uint64_t data, uint64_t whole)
{
	struct pim_slice *sl = &m->slice[s];
	uint64_t work = pim_mac_ticks(&x->bg_mac, op->mac);
	uint64_t done = pim_max(sl->mac_free, data) + work;

	done = pim_max(done, whole);
	sl->mac_free = done;
	sl->mac_busy += work;
	m->macs[(size_t)s * m->operands + sl->macs_pos] = done;
	if (++sl->macs_pos == m->operands)
		sl->macs_pos = 0;
	exec_acc_done(x, op, s, done);
}

static void exec_read(struct pim_exec *x, struct pim_mem *m, uint32_t s,
		      const struct pim_op *op, uint64_t t)
{
	struct pim_slice *sl = &m->slice[s];
	uint64_t room = m->macs[(size_t)s * m->operands + sl->macs_pos];

	/* the operand buffer that this read fills has to be free */
	if (room > t + m->t.cl)
		t = room - m->t.cl;
	exec_take_columns(m, s, op, t);
	exec_combine(x, m, s, op, t + m->t.cl,
		     sl->col_free - m->t.tccd + m->t.cl + m->t.burst);
}

static void exec_fill(struct pim_exec *x, struct pim_mem *m, uint32_t s,
		      const struct pim_op *op, uint64_t t)
{
	exec_take_columns(m, s, op, t);
	x->fills += op->n;
	x->end = pim_max(x->end, m->slice[s].col_free - m->t.tccd + m->t.cl +
					 m->t.burst);
}

/* Data reach the base die: from the DIMM over an HBM channel's interface. */
static void exec_to_base(struct pim_exec *x, struct pim_mem *m, uint32_t ch,
			 const struct pim_op *op, uint64_t end)
{
	uint64_t bytes = (uint64_t)op->n * m->burst_bytes, busy;
	struct pim_chan *c;

	if (m == &x->dimm) {
		c = &x->hbm.chan[ch % x->hbm.channels];
		busy = (bytes + x->hbm.burst_bytes - 1) / x->hbm.burst_bytes *
		       x->hbm.t.bus;
		c->phy_busy += busy;
		x->io_bytes += bytes;
		end = pim_align(&x->hbm_tck, end) + busy;
	}
	pim_fluid_add(&x->base, end, op->mac);
	x->end = pim_max(x->end, end);
}

static void exec_to_rank(struct pim_exec *x, struct pim_mem *m, uint32_t ch,
			 uint32_t s, const struct pim_op *op, uint64_t data,
			 uint64_t end)
{
	struct pim_chan *c = &m->chan[ch];
	uint32_t node = x->hbm.n_slices + ch;
	uint64_t work = pim_mac_ticks(&x->rank_mac, op->mac), done;

	if (m == &x->dimm)
		node = x->hbm.n_slices + x->hbm.channels + pim_mem_rank(m, s);
	done = pim_max(c->mac_free, data) + work;
	done = pim_max(done, end);
	c->mac_free = done;
	c->mac_busy += work;
	exec_acc_done(x, op, node, done);
}

/* Everything that crosses a channel's bus, at the earliest time at which the
 * buses take it. Returns the column command's time. */
static uint64_t exec_far_time(struct pim_exec *x, const struct pim_mem *m,
			      uint32_t ch, uint32_t rank,
			      const struct pim_op *op, uint64_t t)
{
	const struct pim_chan *c = &m->chan[ch];
	uint64_t bus = c->bus_free;

	if (op->to == PPIM_PIM_TO_RANK && m == &x->dimm)
		bus = m->rank[rank].bus_free;
	else if (op->to == PPIM_PIM_TO_HOST && m == &x->hbm)
		bus = pim_max(bus, c->phy_free);
	return bus > t + m->t.cl ? bus - m->t.cl : t;
}

static void exec_far(struct pim_exec *x, struct pim_mem *m, uint32_t s,
		     const struct pim_op *op, uint64_t t)
{
	uint32_t ch = pim_mem_channel(m, s), rank = pim_mem_rank(m, s);
	uint64_t bytes = (uint64_t)op->n * m->burst_bytes, data, end;
	struct pim_chan *c = &m->chan[ch];

	t = exec_far_time(x, m, ch, rank, op, t);
	exec_take_columns(m, s, op, t);
	data = t + m->t.cl;
	if (op->to == PPIM_PIM_TO_RANK && m == &x->dimm) {
		end = exec_take_bus(m, &m->rank[rank].bus_free,
				    &m->rank[rank].bus_busy, data, op->n);
	} else {
		end = exec_take_bus(m, &c->bus_free, &c->bus_busy, data, op->n);
		x->bus_bytes += m == &x->hbm ? bytes : 0;
		x->dimm_io_bytes += m == &x->dimm ? bytes : 0;
	}
	if (op->to == PPIM_PIM_TO_RANK) {
		exec_to_rank(x, m, ch, s, op, data, end);
		return;
	}
	if (op->to == PPIM_PIM_TO_BASE) {
		exec_to_base(x, m, ch, op, end);
		return;
	}
	if (m == &x->hbm) {
		exec_take_bus(m, &c->phy_free, &c->phy_busy, data, op->n);
		x->io_bytes += bytes;
	}
	x->host_missed += op->flags & PIM_F_COPY ? 0 : bytes;
	x->host_bytes += op->flags & PIM_F_WRITE ? 0 : bytes;
	x->copy_bytes += op->flags & PIM_F_WRITE ? bytes : 0;
	x->end = pim_max(x->end, end);
}

/* The host has an operand and sends it on, over the link twice if there is
 * one. */
static uint64_t exec_host_pass(struct pim_exec *x, uint64_t t, uint64_t bytes)
{
	uint64_t busy;

	t += x->move_ticks;
	if (x->params.link == PPIM_LINK_NONE)
		return t;
	busy = (uint64_t)((unsigned __int128)bytes * x->link_as /
			  (x->unit_fs * 1000));
	x->link_up = pim_max(x->link_up, t) + busy;
	x->link_dn = pim_max(x->link_dn, x->link_up + x->link_ticks) + busy;
	x->link_bytes += 2 * bytes;
	x->busy[PPIM_BOUND_LINK] += busy;
	return x->link_dn + x->link_ticks;
}

static void exec_wake(struct pim_exec *x, const struct pim_dep *dep)
{
	exec_set_key(x, dep->mem, dep->slice);
	exec_set_channel_key(x, dep->mem,
			     pim_mem_channel(dep->mem, dep->slice));
}

static void exec_source(struct pim_exec *x, struct pim_mem *m, uint32_t s,
			const struct pim_op *op, uint64_t t)
{
	uint32_t ch = pim_mem_channel(m, s);
	struct pim_dep *dep = &x->deps[op->dep];
	uint64_t bytes = (uint64_t)op->n * m->burst_bytes, end;
	struct pim_chan *c = &m->chan[ch];

	t = exec_far_time(x, m, ch, pim_mem_rank(m, s), op, t);
	exec_take_columns(m, s, op, t);
	end = exec_take_bus(m, &c->bus_free, &c->bus_busy, t + m->t.cl, op->n);
	if (m == &x->hbm) {
		exec_take_bus(m, &c->phy_free, &c->phy_busy, t + m->t.cl,
			      op->n);
		x->bus_bytes += bytes;
		x->io_bytes += bytes;
	} else {
		x->dimm_io_bytes += bytes;
	}
	x->moved += op->n;
	x->end = pim_max(x->end, end);
	dep->time = pim_max(dep->time, exec_host_pass(x, end, bytes));
	if (--dep->pending)
		return;
	dep->time = pim_align(dep->mem == &x->hbm ? &x->hbm_tck : &x->dimm_tck,
			      dep->time);
	exec_wake(x, dep);
}

static void exec_sink(struct pim_exec *x, struct pim_mem *m, uint32_t s,
		      const struct pim_op *op, uint64_t t)
{
	uint32_t ch = pim_mem_channel(m, s);
	uint64_t bytes = (uint64_t)op->n * m->burst_bytes, end;
	struct pim_chan *c = &m->chan[ch];

	t = pim_max(t, m == &x->hbm ? pim_max(c->phy_free, c->bus_free)
				    : c->bus_free);
	if (m == &x->hbm) {
		exec_take_bus(m, &c->phy_free, &c->phy_busy, t, op->n);
		x->io_bytes += bytes;
	}
	if (m == &x->dimm || !(op->flags & PIM_F_NO_BANK)) {
		exec_take_bus(m, &c->bus_free, &c->bus_busy, t, op->n);
		x->bus_bytes += m == &x->hbm ? bytes : 0;
		x->dimm_io_bytes += m == &x->dimm ? bytes : 0;
	}
	end = t + op->n * m->t.bus;
	if (op->flags & PIM_F_NO_BANK) {
		c->mac_free = pim_max(c->mac_free, end);
	} else {
		exec_take_columns(m, s, op, t);
		end = m->slice[s].col_free;
		exec_combine(x, m, s, op, t, end);
	}
	x->end = pim_max(x->end, end);
}

/* ---- commits ------------------------------------------------------------ */

/* A refresh falls due before t: it goes first. */
static bool exec_refreshed(struct pim_exec *x, struct pim_mem *m, uint32_t rank,
			   uint64_t t)
{
	if (t < m->rank[rank].ref_due)
		return false;
	pim_mem_refresh(m, rank, t);
	exec_set_rank_keys(x, m, rank);
	return true;
}

/* The channel's command bus is taken for some clocks, from the phase's start
 * on; returns when a command may be there whole. */
static uint64_t exec_take_commands(struct pim_exec *x, struct pim_mem *m,
				   uint64_t *bus, uint64_t *busy,
				   uint64_t clocks)
{
	*bus = pim_max(*bus, x->floor) + clocks * m->t.tck;
	*busy += clocks * m->t.tck;
	return *bus;
}

/* PIM reads are instructions where those are compressed; what the host does by
 * itself is not. */
static bool exec_is_instruction(const struct pim_exec *x,
				const struct pim_op *op)
{
	return x->params.cmd_compressed && op->kind < PIM_K_SOURCE &&
	       op->to != PPIM_PIM_TO_HOST;
}

/* PRE and ACT by themselves, where they are not part of an instruction. A
 * broadcast is sent once to the bank groups of a channel. */
static uint64_t exec_row_commands(struct pim_exec *x, struct pim_mem *m,
				  struct pim_chan *c, const struct pim_op *op,
				  uint64_t t)
{
	if (m != &x->hbm || op->flags & PIM_F_HEARS ||
	    exec_is_instruction(x, op))
		return t;
	return pim_max(t,
		       exec_take_commands(x, m, &c->row_cmd, &c->row_busy, 2) -
			       m->t.tck);
}

/* One instruction for the whole read, which is there in its last clock, or a
 * command for each burst: then the first is there n - 1 clocks before the
 * last. */
static uint64_t exec_col_commands(struct pim_exec *x, struct pim_mem *m,
				  struct pim_chan *c, const struct pim_op *op,
				  uint64_t t)
{
	uint64_t n = op->n, clocks = n;

	if (m != &x->hbm || op->flags & PIM_F_HEARS)
		return t;
	if (exec_is_instruction(x, op)) {
		n = 1;
		clocks = x->cmd_clocks;
	}
	return pim_max(t, exec_take_commands(x, m, &c->col_cmd,
					     &c->col_cmd_busy, clocks) -
				  n * m->t.tck);
}

/* Opens the row at a time that the activation window allows. False: a refresh
 * went first. */
static bool exec_open(struct pim_exec *x, struct pim_mem *m, struct pim_chan *c,
		      uint32_t s, const struct pim_op *op, uint64_t *col)
{
	struct pim_bank *b = &m->bank[(size_t)s * m->banks + op->bank];
	uint32_t rank = pim_mem_rank(m, s);
	struct pim_rank *r = &m->rank[rank];
	struct pim_slice *sl = &m->slice[s];
	uint64_t t = pim_max(sl->act, r->faw[r->faw_pos]);

	/* activations of a rank go in order of commits */
	t = pim_max(t, r->last_act);
	/* bank groups of a rank see each other's tRRD_S only where the channel
	 * is one stream of commands */
	if (op->kind >= PIM_K_FAR)
		t = pim_max(t, r->act_next);
	if (exec_refreshed(x, m, rank, t))
		return false;
	t = exec_row_commands(x, m, c, op, t);
	r->faw[r->faw_pos] = t + m->t.tfaw;
	r->faw_pos = (r->faw_pos + 1) % ARRAY_SIZE(r->faw);
	r->last_act = t;
	r->act_next = t + m->t.trrd_s;
	r->acts++;
	sl->act_next = t + m->t.trrd_l;
	b->row = op->row;
	b->acts++;
	b->col_ready = t + m->t.trcd;
	b->act_ready = t + pim_max(m->t.trc, m->t.tras + m->t.trp);
	m->stats.acts++;
	x->commands += 2;
	if (t < x->first)
		x->first = t;
	*col = pim_max(b->col_ready, sl->col_free);
	return true;
}

static void exec_columns(struct pim_exec *x, struct pim_mem *m, uint32_t s,
			 const struct pim_op *op, uint64_t t)
{
	switch (op->kind) {
	case PIM_K_READ:
		exec_read(x, m, s, op, t);
		break;
	case PIM_K_FILL:
		exec_fill(x, m, s, op, t);
		break;
	case PIM_K_FAR:
		exec_far(x, m, s, op, t);
		break;
	case PIM_K_SOURCE:
		exec_source(x, m, s, op, t);
		break;
	default:
		exec_sink(x, m, s, op, t);
		break;
	}
}

static void exec_count(struct pim_exec *x, struct pim_mem *m,
		       const struct pim_op *op, bool opened)
{
	if (op->flags & PIM_F_NO_BANK)
		return;
	x->commands += op->n;
	x->macs += op->mac;
	if (exec_writes(op))
		m->stats.writes += op->n;
	else
		m->stats.reads += op->n;
	if (!(op->flags & PIM_F_NO_ROW))
		m->stats.row_hits += op->n - opened;
}

/* The next step of slice s: an activation, a train of columns, or both. */
static void exec_commit(struct pim_exec *x, struct pim_mem *m, uint32_t s)
{
	struct pim_slice *sl = &m->slice[s];
	uint32_t rank = pim_mem_rank(m, s);
	struct pim_op *op = &x->ops[sl->pick];
	struct pim_chan *c = &m->chan[pim_mem_channel(m, s)];
	bool opened = false;
	uint64_t t = sl->key;

	if (!exec_hits(m, s, op)) {
		if (!exec_open(x, m, c, s, op, &t))
			return;
		opened = true;
		if (op->kind >= PIM_K_FAR) {
			op->flags |= PIM_F_OPENED;
			exec_set_key(x, m, s);
			return;
		}
	} else if (exec_refreshed(x, m, rank, t)) {
		return;
	}
	opened |= (op->flags & PIM_F_OPENED) != 0;
	t = exec_col_commands(x, m, c, op, t);
	if (t < x->first)
		x->first = t;
	exec_count(x, m, op, opened);
	exec_columns(x, m, s, op, t);
	exec_pop(x, sl);
	exec_set_key(x, m, s);
}

/* One step of the channel; false: there is none. */
static bool exec_step(struct pim_exec *x, struct pim_mem *m, uint32_t ch)
{
	uint32_t n = m->ranks * m->bankgroups, first = ch * n, best = first, s;
	struct pim_chan *c = &m->chan[ch];

	for (s = first + 1; s < first + n; s++)
		if (m->slice[s].key < m->slice[best].key)
			best = s;
	if (c->n_drains && exec_drains(x, m, ch)->ready <= m->slice[best].key)
		exec_commit_drain(x, m, ch);
	else if (m->slice[best].key != PIM_NEVER)
		exec_commit(x, m, best);
	else
		return false;
	return true;
}

static void exec_run_channels(struct pim_exec *x, struct pim_mem *m)
{
	uint32_t ch;

	for (ch = 0; ch < m->channels; ch++)
		while (exec_step(x, m, ch))
			;
}

/* All channels of both memories in order of time. */
static void exec_run_together(struct pim_exec *x)
{
	struct pim_mem *m, *best_mem = NULL;
	uint32_t ch, best = 0, k;
	uint64_t key;

	for (;;) {
		key = PIM_NEVER;
		for (k = 0; k < 1u + x->has_dimm; k++) {
			m = k ? &x->dimm : &x->hbm;
			for (ch = 0; ch < m->channels; ch++) {
				if (m->chan[ch].key >= key)
					continue;
				key = m->chan[ch].key;
				best_mem = m;
				best = ch;
			}
		}
		if (key == PIM_NEVER)
			return;
		exec_step(x, best_mem, best);
		exec_set_channel_key(x, best_mem, best);
	}
}

static void exec_set_keys(struct pim_exec *x, struct pim_mem *m)
{
	uint32_t i;

	for (i = 0; i < m->n_slices; i++)
		exec_set_key(x, m, i);
}

static void exec_set_channel_keys(struct pim_exec *x, struct pim_mem *m)
{
	uint32_t i;

	for (i = 0; i < m->channels; i++)
		exec_set_channel_key(x, m, i);
}

void pim_exec_run(struct pim_exec *x)
{
	exec_set_keys(x, &x->hbm);
	if (x->has_dimm)
		exec_set_keys(x, &x->dimm);
	if (x->moves) {
		exec_set_channel_keys(x, &x->hbm);
		if (x->has_dimm)
			exec_set_channel_keys(x, &x->dimm);
		exec_run_together(x);
	} else {
		exec_run_channels(x, &x->hbm);
		if (x->has_dimm)
			exec_run_channels(x, &x->dimm);
	}
	pim_mem_empty(&x->hbm);
	if (x->has_dimm)
		pim_mem_empty(&x->dimm);
	x->n_ops = 0;
	x->n_deps = 0;
	x->moves = false;
}
