/* SPDX-License-Identifier: MIT */
/*
 * The front end, which feeds the controllers. Each clock those work first, then
 * it admits what is due, in order, until a request finds its controller's queue
 * full. A controller is only advanced when the front end needs to know whether
 * it has room: what the others do meanwhile cannot change that.
 *
 * Included by dram_sched_template.h.
 */

/* A request on its way in. */
struct arrival {
	uint64_t addr;
	uint32_t bank;
	bool write;
};

static inline void arrival_decode(const struct dram_config *cfg, uint64_t burst,
			   struct arrival *a)
{
	if (cfg->bank_bits)
		a->bank = cfg->bank_of[burst >> cfg->bank_pos & cfg->bank_bits];
	else
		a->bank = bank_of_burst(&cfg->map, burst);
}

/* A request for the address that waits in the bank's command queue: its count
 * of joined reads. */
static uint16_t *bank_find(struct dram_banks *bk, const struct arrival *a,
			   bool write)
{
	uint32_t b = a->bank, wr = bk->wr[b], i;
	uint32_t entries = (write ? wr : ~wr) & ((1u << bk->n[b]) - 1);

	for (; entries; entries &= entries - 1) {
		i = bk->order[b][dram_first(entries)];
		if (bk->addr[b][i] == a->addr)
			return &bk->joined[b][i];
	}
	return NULL;
}

static uint16_t *trans_find(struct dram_trans *q, const struct arrival *a,
			    bool write)
{
	struct dram_node *node;
	uint32_t i;

	for (i = 0; i < q->n; i++) {
		node = &q->node[q->slot[i]];
		if (node->addr == a->addr && node->write == write)
			return &node->joined;
	}
	return NULL;
}

/* A request for the address that has not been issued. */
static uint16_t *channel_find(const struct dram_config *cfg,
			      struct dram_channel *ch, const struct arrival *a,
			      bool write)
{
	struct dram_trans *q = write && !cfg->unified ? &ch->wr : &ch->rd;
	uint16_t *joined = bank_find(&ch->bank, a, write);

	return joined ? joined : trans_find(q, a, write);
}

static inline void channel_push(const struct dram_config *cfg,
				struct dram_channel *ch, struct dram_trans *q,
				const struct arrival *a, bool after_read)
{
	struct dram_node *node = trans_push(cfg, q, a->bank);

	node->addr = a->addr;
	node->joined = 0;
	node->write = a->write;
	node->after_read = after_read;
	dram_filter_add(ch, a->addr);
}

/* The address is, perhaps, that of a request that waits: true if the read is
 * answered by that one, or the write replaces it. */
static NOINLINE bool channel_admit_same(const struct dram_config *cfg,
					struct dram_channel *ch,
					const struct arrival *a, uint64_t now)
{
	uint16_t *joined;

	if (channel_find(cfg, ch, a, true)) {
		ch->last_write = now + 2;
		if (a->write) {
			ch->n.writes++;
			ch->n.merged_writes++;
			return true;
		}
		ch->reads++;
		ch->n.forwarded_reads++;
		ch->read_latency++;
		return true;
	}
	if (a->write)
		return false;
	joined = channel_find(cfg, ch, a, false);
	if (!joined || *joined == UINT16_MAX)
		return false;
	++*joined;
	ch->reads++;
	ch->reads_pending++;
	ch->read_latency -= now + 1;
	ch->n.joined_reads++;
	return true;
}

/* Where requests of the kind wait. */
static inline struct dram_trans *channel_queue(const struct dram_config *cfg,
					       struct dram_channel *ch,
					       bool write)
{
	uint64_t wr = dram_mask(write & !cfg->unified);

	return (struct dram_trans *)dram_select(wr, (uintptr_t)&ch->wr,
						(uintptr_t)&ch->rd);
}

/* A write is done when it is accepted: in the next clock. Reads and writes come
 * in no order that could be foreseen: there is no branch between them. */
static inline void channel_admit(const struct dram_config *cfg,
				 struct dram_channel *ch, struct dram_trans *q,
				 const struct arrival *a, uint64_t now)
{
	uint64_t write = dram_mask(a->write);
	bool maybe = *dram_filter(ch, a->addr);

	if (__builtin_expect(maybe, 0) && channel_admit_same(cfg, ch, a, now))
		return;
	ch->n.writes -= write;
	ch->last_write = dram_select(write, now + 2, ch->last_write);
	ch->reads += 1 + write;
	ch->reads_pending += 1 + write;
	ch->read_latency -= (now + 1) & ~write;
	channel_push(cfg, ch, q, a,
		     maybe && a->write && channel_find(cfg, ch, a, false));
}

/* A transaction that may move, or writes that are to drain, have the channel
 * work in the next clock. */
static inline void channel_wake(const struct dram_config *cfg,
				struct dram_channel *ch, uint32_t bank,
				uint64_t now)
{
	uint64_t wake = dram_mask((ch->room >> bank & 1) |
				  dram_drain_due(cfg, ch));

	ch->t_next = dram_min(ch->t_next, (now + 1) | ~wake);
}

static ALWAYS_INLINE void front_admit(struct ppim_dram *m,
				      const struct ppim_dram_req *req)
{
	const struct dram_config *cfg = &m->cfg;
	struct arrival a = { .addr = req->addr, .write = req->write };
	uint64_t burst = req->addr >> cfg->map.shift;
	struct dram_channel *ch = &m->ch[map_field(&cfg->map, burst, PPIM_CH)];
	struct dram_trans *q = channel_queue(cfg, ch, a.write);

	if (req->cycle > m->now || m->injected == m->inject) {
		m->now = dram_max(req->cycle, m->now + 1);
		m->injected = 0;
	}
	if (ch->t_next <= m->now) {
		if (__builtin_expect(m->now - ch->t_next > cfg->skip_gap, 0))
			dram_run_long(m, ch, m->now);
		sched_run(m, ch, m->now);
	}
	if (q->n == cfg->trans) {
		m->now = sched_clocks(m, ch, DRAM_NEVER, &q->n);
		m->injected = 0;
	}
	m->injected++;
	arrival_decode(cfg, burst, &a);
	channel_admit(cfg, ch, q, &a, m->now);
	channel_wake(cfg, ch, a.bank, m->now);
}

static void front_submit(struct ppim_dram *m, const struct ppim_dram_req *reqs,
			 size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		front_admit(m, &reqs[i]);
}
