// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: what a command costs and answers, outside the big lock.
 *
 * Commands pass a gate one after another, in order of admission: there a batch
 * is checked and charged and a copy is made, so that times and contents depend
 * on the order of commands and on nothing else. The gathering itself is split
 * into units that any worker takes. A copy waits until all gathering admitted
 * before it has ended. So neither the number of workers nor their speed
 * changes a result.
 *
 * What a reset drops is cancelled: who works at it lets go soon, so that the
 * gate comes to the reset and to what is submitted after it.
 *
 * Workers touch commands' private memory, the backends' bytes and the engine.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "exec/memory.h"
#include "ppim.h"

/* Lookups that a worker takes at once: some 100 us of work, far above what
 * taking them costs. */
#define GRAIN_MIN 512

typedef QSIMPLEQ_HEAD(, ppim_cmd) cmd_queue;

struct ppim_worker {
	struct ppim_pool *pool;
	QemuThread thread;
	struct ppim_memory mem;	/* with counters of its own */
};

struct ppim_pool {
	struct ppim_pool_config config;
	struct ppim_worker *workers;
	uint32_t slices;
	QEMUBH *bh;		/* tells the main loop; NULL under icount */

	QemuMutex lock;
	QemuCond work;		/* there may be something to take */
	QemuCond done;		/* a command is done, or the pool is idle */
	bool stop;
	uint32_t alive;		/* threads */
	bool gate_busy;		/* a worker is in the gate */
	struct ppim_cmd *writing;	/* a tier, in the gate */
	cmd_queue gate;		/* order of admission */
	cmd_queue shared;	/* batches that have units left to take */
	cmd_queue used;		/* to be freed */
	uint32_t gathering;	/* batches with unfinished units */
	uint32_t busy;		/* commands not done yet; of them */
	QLIST_HEAD(, ppim_cmd) drops;	/* nobody waits for these, */
	uint32_t dropped;	/* which are so many */
	uint64_t dropped_bytes;
	/* the gate's, without the lock */
	struct ppim_poison_set poison;
	struct ppim_dump *dump;
};

/* ---- endings (lock held) ------------------------------------------------- */

/* What a large command holds takes milliseconds to give back: neither lock is
 * kept for so long. */
static void cmd_used(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QSIMPLEQ_INSERT_TAIL(&pool->used, cmd, order);
	qemu_cond_broadcast(&pool->work);
}

static void dropped_add(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QLIST_INSERT_HEAD(&pool->drops, cmd, drop);
	pool->dropped++;
	pool->dropped_bytes += cmd->bytes;
}

static void dropped_remove(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QLIST_REMOVE(cmd, drop);
	pool->dropped--;
	pool->dropped_bytes -= cmd->bytes;
}

static void cmd_done(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	pool->busy--;
	cmd->done = true;
	if (cmd->dropped)
		dropped_remove(pool, cmd);
	if (cmd->orphan)
		cmd_used(pool, cmd);
	if (pool->bh)
		qemu_bh_schedule(pool->bh);
	qemu_cond_broadcast(&pool->done);
}

static void cmd_maybe_done(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	if (cmd->charged && !cmd->units_left)
		cmd_done(pool, cmd);
}

/* ---- the gate ------------------------------------------------------------ */

static int64_t *widen(void *raw, uint64_t n, uint8_t bytes)
{
	int64_t *out;
	uint64_t i;

	if (bytes == 8) {
		for (i = 0; HOST_BIG_ENDIAN && i < n; i++)
			bswap64s((uint64_t *)raw + i);
		return raw;
	}
	out = g_try_new(int64_t, MAX(n, 1));
	for (i = 0; out && i < n; i++)
		out[i] = (int32_t)ldl_le_p((uint32_t *)raw + i);
	if (out)
		g_free(raw);
	return out;
}

static int job_widen(struct ppim_cmd *cmd, uint32_t i)
{
	struct ppim_cmd_job *own = &cmd->own[i];
	struct ppim_job *job = &cmd->jobs[i];
	int64_t *wide;

	wide = widen(own->indices, job->n_indices, own->index_bytes);
	if (!wide)
		return ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, 0);
	own->indices = wide;
	job->indices = wide;
	wide = widen(own->offsets, job->n_bags, own->index_bytes);
	if (!wide)
		return ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, 0);
	own->offsets = wide;
	job->offsets = wide;
	return 0;
}

static uint32_t bag_end(const struct ppim_job *job, uint32_t bag)
{
	return bag + 1 < job->n_bags ? (uint32_t)job->offsets[bag + 1] :
				       job->n_indices;
}

/* Bags from `first` on until there are `grain` lookups, in *u. */
static void unit_cut(const struct ppim_job *job, uint32_t first, uint32_t grain,
		     struct ppim_unit *u)
{
	uint32_t begin = (uint32_t)job->offsets[first], bag = first;

	do
		u->lookups = bag_end(job, bag++) - begin;
	while (bag < job->n_bags && u->lookups < grain);
	u->first_bag = first;
	u->n_bags = bag - first;
}

/* Twice: to count the units, then to write them. */
static uint32_t units_cut(struct ppim_cmd *cmd, struct ppim_unit *units)
{
	struct ppim_unit u = { 0 };
	uint32_t n = 0, first;

	for (u.job = 0; u.job < cmd->batch.n_jobs; u.job++)
		for (first = 0; first < cmd->jobs[u.job].n_bags;
		     first += u.n_bags, n++) {
			unit_cut(&cmd->jobs[u.job], first, cmd->grain, &u);
			if (units)
				units[n] = u;
		}
	return n;
}

static int units_make(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	uint64_t lookups = 0;
	uint32_t i, n;

	for (i = 0; i < cmd->batch.n_jobs; i++)
		lookups += cmd->jobs[i].n_indices;
	cmd->grain = MAX(lookups / (4 * pool->config.threads), GRAIN_MIN);
	n = units_cut(cmd, NULL);
	cmd->units = g_try_new(struct ppim_unit, n);
	if (!cmd->units)
		return ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, n);
	units_cut(cmd, cmd->units);
	cmd->n_units = cmd->units_left = n;
	return 0;
}

static int batch_prepare(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	uint32_t i;

	for (i = 0; i < cmd->batch.n_jobs; i++)
		if (job_widen(cmd, i))
			return -1;
	if (ppim_engine_check(pool->config.engine, &cmd->batch, &cmd->fault))
		return -1;
	if (ppim_poison_gather(&pool->poison, &pool->config.mem, cmd))
		return -1;
	return units_make(pool, cmd);
}

static void batch_share(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	qemu_mutex_lock(&pool->lock);
	pool->gathering++;
	QSIMPLEQ_INSERT_TAIL(&pool->shared, cmd, shared);
	qemu_cond_broadcast(&pool->work);
	qemu_mutex_unlock(&pool->lock);
}

/* On the device's timeline a batch arrives when all work before it has ended;
 * on the guest's, when the doorbell was rung. */
static int batch_charge(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	struct ppim_engine *engine = pool->config.engine;

	if (!pool->config.guest_time)
		cmd->arrival_ps = ppim_engine_now_ps(engine);
	ppim_dump_batch(pool->dump, &cmd->batch, cmd->arrival_ps);
	return ppim_engine_charge(engine, &cmd->batch, cmd->arrival_ps,
				  &cmd->note);
}

static void gate_batch(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	int err = 0;

	if (!qatomic_read(&cmd->skip) && !batch_prepare(pool, cmd)) {
		batch_share(pool, cmd);
		err = batch_charge(pool, cmd);
		ppim_dump_flush(pool->dump);
	}
	qemu_mutex_lock(&pool->lock);
	if (err && !cmd->fault.status)
		ppim_cmd_fail(cmd, PPIM_ST_INTERNAL, 0);
	cmd->charged = true;
	cmd_maybe_done(pool, cmd);
	qemu_mutex_unlock(&pool->lock);
}

static void copy_charge(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	struct ppim_engine *engine = pool->config.engine;

	if (!pool->config.guest_time)
		cmd->arrival_ps = ppim_engine_now_ps(engine);
	ppim_dump_copy(pool->dump, cmd);
	ppim_engine_copy(engine, cmd->copy_tier, cmd->copy_offset,
			 cmd->copy_bytes, cmd->kind == PPIM_CMD_WRITE,
			 cmd->arrival_ps, cmd->qid, &cmd->note);
	ppim_dump_flush(pool->dump);
}

static void gate_copy(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	const struct ppim_memory *mem = &pool->config.mem;
	bool dimm = cmd->copy_tier == PPIM_TIER_DIMM;
	uint8_t *tier = (uint8_t *)(dimm ? mem->dimm : mem->hbm);
	MemoryRegion *mr = dimm ? pool->config.dimm : pool->config.hbm;

	if (pool->config.charge_copies)
		copy_charge(pool, cmd);
	if (cmd->kind == PPIM_CMD_READ) {
		if (!ppim_poison_read(&pool->poison, mem, cmd))
			memcpy(cmd->own[0].output, tier + cmd->copy_offset,
			       cmd->copy_bytes);
		return;
	}
	memcpy(tier + cmd->copy_offset, cmd->data, cmd->copy_bytes);
	memory_region_set_dirty(mr, cmd->copy_offset, cmd->copy_bytes);
	ppim_poison_heal(&pool->poison, mem, cmd);
}

/* In parts no larger than a copy: a reset waits for one. */
static void gate_clear(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	const struct ppim_memory *mem = &pool->config.mem;
	bool dimm = cmd->copy_tier == PPIM_TIER_DIMM;
	uint64_t at = cmd->copy_offset, end = at + cmd->copy_bytes, next;

	for (; at < end && !qatomic_read(&cmd->skip); at = next) {
		next = MIN(QEMU_ALIGN_DOWN(at, PPIM_COPY_MAX) + PPIM_COPY_MAX,
			   end);
		ppim_tier_clear(dimm ? pool->config.dimm : pool->config.hbm,
				(uint8_t *)(dimm ? mem->dimm : mem->hbm),
				at, next - at);
	}
	ppim_poison_heal(&pool->poison, mem, cmd);
}

static void gate_reset(struct ppim_pool *pool)
{
	uint32_t i;

	ppim_engine_reset(pool->config.engine);
	ppim_dump_reset(pool->dump);
	pool->poison.n = 0;
	/* nothing is gathered now (gate_next) */
	for (i = 0; i < pool->config.threads; i++)
		memset(pool->workers[i].mem.slice_lookups, 0,
		       (pool->slices + 1) * sizeof(uint64_t));
}

static void gate_run(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	if (cmd->kind == PPIM_CMD_GNR) {
		gate_batch(pool, cmd);
		return;
	}
	if (cmd->kind == PPIM_CMD_RESET)
		gate_reset(pool);
	else if (cmd->kind == PPIM_CMD_POISON)
		ppim_poison_add(&pool->poison, &cmd->poison);
	else if (cmd->kind == PPIM_CMD_DUMP)
		ppim_dump_set(pool->dump, &cmd->dump);
	else if (qatomic_read(&cmd->skip))
		; /* nobody wants it any more */
	else if (cmd->kind == PPIM_CMD_CLEAR)
		gate_clear(pool, cmd);
	else
		gate_copy(pool, cmd);
	qemu_mutex_lock(&pool->lock);
	pool->writing = NULL;
	cmd_done(pool, cmd);
	qemu_mutex_unlock(&pool->lock);
}

/* Lock held. A copy changes or reads rows as a whole, so the gathering that
 * was admitted before it must be over; a skipped one waits for nothing. */
static struct ppim_cmd *gate_next(struct ppim_pool *pool)
{
	struct ppim_cmd *cmd = QSIMPLEQ_FIRST(&pool->gate);

	if (!cmd || pool->gate_busy)
		return NULL;
	if (cmd->kind != PPIM_CMD_GNR && pool->gathering && !cmd->skip)
		return NULL;
	QSIMPLEQ_REMOVE_HEAD(&pool->gate, order);
	if (cmd->kind == PPIM_CMD_WRITE || cmd->kind == PPIM_CMD_CLEAR)
		pool->writing = cmd;
	return cmd;
}

/* ---- gathering ----------------------------------------------------------- */

/* Lock held: takes units worth a grain from the oldest batch. */
static struct ppim_cmd *units_take(struct ppim_pool *pool, uint32_t *from,
				   uint32_t *to)
{
	struct ppim_cmd *cmd = QSIMPLEQ_FIRST(&pool->shared);
	uint32_t lookups = 0;

	if (!cmd)
		return NULL;
	*from = cmd->next_unit;
	while (cmd->next_unit < cmd->n_units && lookups < cmd->grain)
		lookups += cmd->units[cmd->next_unit++].lookups;
	*to = cmd->next_unit;
	if (cmd->next_unit == cmd->n_units)
		QSIMPLEQ_REMOVE_HEAD(&pool->shared, shared);
	return cmd;
}

static int unit_compute(const struct ppim_worker *w, struct ppim_cmd *cmd,
			const struct ppim_unit *u, struct ppim_fault *fault)
{
	const struct ppim_job *job = &cmd->jobs[u->job];
	float *out = (float *)cmd->own[u->job].output +
		     (size_t)u->first_bag * job->table->shape.dim;
	uint32_t i, n = u->n_bags * job->table->shape.dim;

	if (ppim_gnr_compute(&w->mem, job, u->first_bag, u->n_bags,
			     out, fault)) {
		fault->job = u->job;
		return -1;
	}
	for (i = 0; HOST_BIG_ENDIAN && i < n; i++)
		bswap32s((uint32_t *)out + i);
	return 0;
}

/* Of several faults the first in the batch's order stands. */
static void fault_keep(struct ppim_cmd *cmd, const struct ppim_fault *f)
{
	const struct ppim_fault *old = &cmd->fault;

	if (old->status && (old->job < f->job ||
			    (old->job == f->job && old->bag <= f->bag)))
		return;
	cmd->fault = *f;
}

static void units_run(const struct ppim_worker *w, struct ppim_cmd *cmd,
		      uint32_t from, uint32_t to)
{
	struct ppim_pool *pool = w->pool;
	struct ppim_fault fault = { 0 };
	uint32_t i;

	for (i = from; i < to && !qatomic_read(&cmd->skip); i++)
		if (unit_compute(w, cmd, &cmd->units[i], &fault))
			break;
	qemu_mutex_lock(&pool->lock);
	if (fault.status)
		fault_keep(cmd, &fault);
	cmd->units_left -= to - from;
	if (!cmd->units_left) {
		pool->gathering--;
		qemu_cond_broadcast(&pool->work);
		cmd_maybe_done(pool, cmd);
	}
	qemu_mutex_unlock(&pool->lock);
}

/* ---- threads ------------------------------------------------------------- */

/* Lock held, and held again on return. What is used goes first, or it would
 * pile up; then the gate: what it lets through is work for the others. */
static bool work_one(const struct ppim_worker *w)
{
	struct ppim_pool *pool = w->pool;
	struct ppim_cmd *cmd;
	uint32_t from, to;

	cmd = QSIMPLEQ_FIRST(&pool->used);
	if (cmd) {
		QSIMPLEQ_REMOVE_HEAD(&pool->used, order);
		qemu_mutex_unlock(&pool->lock);
		ppim_cmd_free(cmd);
		qemu_mutex_lock(&pool->lock);
		return true;
	}
	cmd = gate_next(pool);
	if (cmd) {
		pool->gate_busy = true;
		qemu_mutex_unlock(&pool->lock);
		gate_run(pool, cmd);
		qemu_mutex_lock(&pool->lock);
		pool->gate_busy = false;
		qemu_cond_broadcast(&pool->work);
		return true;
	}
	cmd = units_take(pool, &from, &to);
	if (!cmd)
		return false;
	qemu_mutex_unlock(&pool->lock);
	units_run(w, cmd, from, to);
	qemu_mutex_lock(&pool->lock);
	return true;
}

/* Main loop; every thread has left its loop. */
static void pool_reap(void *opaque)
{
	struct ppim_pool *pool = opaque;
	struct ppim_cmd *cmd, *next;
	uint32_t i;

	for (i = 0; i < pool->config.threads; i++) {
		qemu_thread_join(&pool->workers[i].thread);
		g_free(pool->workers[i].mem.slice_lookups);
	}
	QSIMPLEQ_FOREACH_SAFE(cmd, &pool->gate, order, next)
		ppim_cmd_free(cmd);
	QSIMPLEQ_FOREACH_SAFE(cmd, &pool->shared, shared, next)
		ppim_cmd_free(cmd);
	QSIMPLEQ_FOREACH_SAFE(cmd, &pool->used, order, next)
		ppim_cmd_free(cmd);
	ppim_dump_free(pool->dump);
	ppim_engine_free(pool->config.engine);
	memory_region_unref(pool->config.hbm);
	if (pool->config.dimm)
		memory_region_unref(pool->config.dimm);
	qemu_cond_destroy(&pool->done);
	qemu_cond_destroy(&pool->work);
	qemu_mutex_destroy(&pool->lock);
	g_free(pool->workers);
	g_free(pool);
}

static void *worker(void *opaque)
{
	struct ppim_worker *w = opaque;
	struct ppim_pool *pool = w->pool;
	bool last;

	rcu_register_thread();
	qemu_mutex_lock(&pool->lock);
	while (!pool->stop)
		if (!work_one(w))
			qemu_cond_wait(&pool->work, &pool->lock);
	last = !--pool->alive;
	qemu_mutex_unlock(&pool->lock);
	if (last)
		aio_bh_schedule_oneshot(qemu_get_aio_context(), pool_reap,
					pool);
	rcu_unregister_thread();
	return NULL;
}

static void worker_start(struct ppim_pool *pool, struct ppim_worker *w)
{
	w->pool = pool;
	w->mem = pool->config.mem;
	w->mem.slice_lookups = g_new0(uint64_t, pool->slices + 1);
	qemu_thread_create(&w->thread, "ppim-worker", worker, w,
			   QEMU_THREAD_JOINABLE);
}

struct ppim_pool *ppim_pool_new(const struct ppim_pool_config *config)
{
	struct ppim_pool *pool = g_new0(struct ppim_pool, 1);
	uint32_t i;

	pool->config = *config;
	pool->bh = config->bh;
	pool->slices = config->mem.hbm_bytes / config->mem.slice_bytes;
	pool->dump = ppim_dump_new(config->engine, config->settings);
	memory_region_ref(config->hbm);
	if (config->dimm)
		memory_region_ref(config->dimm);
	qemu_mutex_init(&pool->lock);
	qemu_cond_init(&pool->work);
	qemu_cond_init(&pool->done);
	QSIMPLEQ_INIT(&pool->gate);
	QSIMPLEQ_INIT(&pool->shared);
	QSIMPLEQ_INIT(&pool->used);
	QLIST_INIT(&pool->drops);
	pool->alive = config->threads;
	pool->workers = g_new0(struct ppim_worker, config->threads);
	for (i = 0; i < config->threads; i++)
		worker_start(pool, &pool->workers[i]);
	return pool;
}

/*
 * The device is going and has dropped every command. What a worker has in its
 * hands it finishes; the main loop does not wait for it, and the pool, which
 * holds on to the tiers' memory, is freed afterwards.
 */
void ppim_pool_retire(struct ppim_pool *pool)
{
	QEMU_LOCK_GUARD(&pool->lock);
	pool->bh = NULL;
	pool->stop = true;
	qemu_cond_broadcast(&pool->work);
}

struct ppim_poison_set *ppim_pool_poison(struct ppim_pool *pool)
{
	return &pool->poison;
}

struct ppim_engine *ppim_pool_engine(struct ppim_pool *pool)
{
	return pool->config.engine;
}

/* ---- the big lock's side ------------------------------------------------- */

void ppim_pool_submit(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QEMU_LOCK_GUARD(&pool->lock);
	pool->busy++;
	if (cmd->dropped)
		dropped_add(pool, cmd);
	QSIMPLEQ_INSERT_TAIL(&pool->gate, cmd, order);
	qemu_cond_broadcast(&pool->work);
}

bool ppim_pool_is_done(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QEMU_LOCK_GUARD(&pool->lock);
	return cmd->done;
}

void ppim_pool_wait(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	QEMU_LOCK_GUARD(&pool->lock);
	while (!cmd->done)
		qemu_cond_wait(&pool->done, &pool->lock);
}

void ppim_pool_wait_idle(struct ppim_pool *pool)
{
	QEMU_LOCK_GUARD(&pool->lock);
	while (pool->busy)
		qemu_cond_wait(&pool->done, &pool->lock);
}

/* Lookups by bank group, the DIMM's last: slices + 1 counters, as far as the
 * workers have come. */
void ppim_pool_lookups(struct ppim_pool *pool, uint64_t *sum)
{
	uint32_t i, k;

	memset(sum, 0, (pool->slices + 1) * sizeof(*sum));
	for (i = 0; i < pool->config.threads; i++)
		for (k = 0; k <= pool->slices; k++)
			sum[k] += qatomic_read__nocheck(
				&pool->workers[i].mem.slice_lookups[k]);
}

/* After loading, with an idle pool. */
void ppim_pool_lookups_set(struct ppim_pool *pool, const uint64_t *sum)
{
	memcpy(pool->workers[0].mem.slice_lookups, sum,
	       (pool->slices + 1) * sizeof(*sum));
}

/* Nobody wants the command any more: it is freed now, or when the workers are
 * through. `skip` spares them the work; its time is then not charged either. */
void ppim_pool_drop(struct ppim_pool *pool, struct ppim_cmd *cmd, bool skip)
{
	QEMU_LOCK_GUARD(&pool->lock);
	if (cmd->done) {
		cmd_used(pool, cmd);
		return;
	}
	qatomic_set(&cmd->skip, skip);
	cmd->orphan = cmd->dropped = true;
	dropped_add(pool, cmd);
	qemu_cond_broadcast(&pool->work);
}

/* Of a command that the workers do not have (any more). */
void ppim_pool_free(struct ppim_pool *pool, struct ppim_cmd *cmd)
{
	if (cmd->bytes < PPIM_PIECE_BYTES) {
		ppim_cmd_free(cmd);
		return;
	}
	QEMU_LOCK_GUARD(&pool->lock);
	cmd_used(pool, cmd);
}

/* A reset is to come, after which nobody asks what they have cost. One that is
 * writing a tier has ended on return: what the guest puts there from now on
 * stays. */
void ppim_pool_skip_dropped(struct ppim_pool *pool)
{
	struct ppim_cmd *cmd;

	QEMU_LOCK_GUARD(&pool->lock);
	QLIST_FOREACH(cmd, &pool->drops, drop)
		qatomic_set(&cmd->skip, true);
	qemu_cond_broadcast(&pool->work);
	if (pool->writing)
		qatomic_set(&pool->writing->skip, true);
	while (pool->writing)
		qemu_cond_wait(&pool->done, &pool->lock);
}

/* How many commands nobody waits for, and workers still hold. */
uint32_t ppim_pool_dropped(struct ppim_pool *pool, uint64_t *bytes)
{
	QEMU_LOCK_GUARD(&pool->lock);
	*bytes = pool->dropped_bytes;
	return pool->dropped;
}
