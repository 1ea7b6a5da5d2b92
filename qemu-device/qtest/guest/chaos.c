// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations: registers, configuration space, windows, and commands
 * that are good but for a few fields. Each is one draw from the generator's
 * sequence, which does not depend on what the device does.
 */

#include "guest.h"

#define SLOT_BYTES	0x10000		/* what one command points into */
#define SLOTS		192
#define LARGE		(GUEST_ARENA + SLOTS * SLOT_BYTES)
#define LARGE_INDICES	0x20000		/* zeros: valid for every table */
#define JOBS_MOST	4

/* A command's memory, in a slot of the arena. */
struct slot {
	struct ppim_hw_job job[JOBS_MOST];
	struct good good[JOBS_MOST];
	struct ppim_hw_sg sg[16];
	uint8_t annotation[256];
	int64_t index[JOBS_MOST][512], offset[JOBS_MOST][64];
	float weight[JOBS_MOST][512];
	uint8_t output[0x4000];
};

_Static_assert(sizeof(struct slot) <= SLOT_BYTES, "a slot is too small");
_Static_assert(LARGE + LARGE_INDICES * 8 <= GUEST_ARENA + GUEST_ARENA_BYTES,
	       "the arena is too small");

static struct slot *slot_pick(void)
{
	return (void *)(GUEST_ARENA + random_below(SLOTS) * SLOT_BYTES);
}

/* ---- registers and configuration space ----------------------------------- */

static uint32_t access_bytes(void)
{
	return random_below(4) ? 4u << random_below(2) : 1u << random_below(2);
}

static uint32_t register_offset(void)
{
	switch (random_below(8)) {
	case 0:
		return (uint32_t)random_below(PPIM_REGS_BYTES - 8);
	case 1:
		return PPIM_DB_BASE + (uint32_t)random_below(64) * 4;
	default:
		return (uint32_t)random_below(0x30) * 4;
	}
}

static void chaos_read(void)
{
	uint64_t value = mmio_read(GUEST_REGS + register_offset(),
				   access_bytes());

	digest(&value, sizeof(value));
}

/* A write to CTRL ends the session, so it is rare. */
static void chaos_write(void)
{
	uint32_t o = register_offset();

	if (o / 4 == PPIM_REG_CTRL / 4 && !random_once_in(20))
		o = PPIM_REG_STATUS;
	if (o >= PPIM_DB_BASE && !random_once_in(10))
		o = PPIM_REG_ASQ;
	mmio_write(GUEST_REGS + o, random_value(), access_bytes());
}

static void chaos_config(void)
{
	bool port = random_once_in(8);
	uint32_t bytes = 1u << random_below(3);
	uint32_t offset = (uint32_t)random_below(port ? 0x40 :
						 random_below(4) ? 0x100 :
								   0x1000);
	uint64_t addr = config_addr(!port, port ? 4 << 3 : 0,
				    offset & ~(bytes - 1));

	if (random_below(3)) {
		mmio_read(addr, bytes);
		return;
	}
	mmio_write(addr, random_value(), bytes);
	if (random_once_in(2))
		pci_map();
}

/* MSI messages are writes of the device's: to the interrupt controller only
 * with a fixed vector, which the processor ignores, and not to configuration
 * space, where they would move the machine under our feet. */
static void message_write(void)
{
	uint64_t entry = GUEST_MSIX + 16 * random_below(RINGS);
	uint64_t addr = random_once_in(3) ? 0xfee00000 : random_address();

	if (addr >> 28 == GUEST_ECAM >> 28)
		addr = GUEST_REGS + PPIM_DB_BASE;
	mmio_write(entry, addr & ~3ull, 4);
	mmio_write(entry + 4, random_once_in(16) ? random_next() : 0, 4);
	mmio_write(entry + 8, 0x40 + random_below(0x40), 4);
	mmio_write(entry + 12, random_below(2), 4);
	if (random_once_in(4) && cap_find(CAP_MSIX))
		mmio_write(cap_find(CAP_MSIX) + 2, random_below(4) << 14, 2);
}

static void chaos_window(void)
{
	uint64_t base = random_once_in(2) ? GUEST_HBM : GUEST_DIMM;
	uint64_t addr = random_once_in(2) ? good_random_place() :
					    base + random_below((64 << 20) - 8);
	uint32_t bytes = 1u << random_below(4);

	if (random_once_in(4))
		iommu_shuffle(1 + (uint32_t)random_below(8));
	if (random_once_in(6))
		message_write();
	else if (random_once_in(6))
		mmio_read(GUEST_MSIX + random_below(0x1000 - 8), bytes);
	else if (random_once_in(2))
		mmio_read(addr, bytes);
	else if (random_once_in(4))
		mmio_write(good_random_map_entry(), random_value(), 4);
	else
		mmio_write(addr, random_value(), bytes);
}

/* ---- commands ------------------------------------------------------------ */

/* One word of a structure becomes something else. */
static void spoil(void *structure, uint32_t size)
{
	uint32_t bytes = 1u << random_below(4);
	uint8_t *at = (uint8_t *)structure + random_below(size / bytes) * bytes;
	uint64_t v = 0;

	memcpy(&v, at, bytes);
	switch (random_below(4)) {
	case 0:
		v ^= 1ull << random_below(8 * bytes);
		break;
	case 1:
		v += random_below(5) - 2;
		break;
	default:
		v = random_value();
	}
	memcpy(at, &v, bytes);
}

/* A pointer into the program's own memory would be our end, not the device's:
 * bits that lead there are cleared. */
static void pointer_tame(void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	if (v >= 0x10000000 && v < GUEST_RAM - 0x1000)
		v &= 0x03ffffff;
	memcpy(p, &v, sizeof(v));
}

static void slot_tame(struct slot *s)
{
	uint32_t i;

	for (i = 0; i < JOBS_MOST; i++)
		pointer_tame(&s->job[i].output.addr);
	for (i = 0; i < ARRAY_SIZE(s->sg); i++)
		pointer_tame(&s->sg[i].addr);
}

static void slot_spoil(struct slot *s, struct ppim_hw_sqe *sqe, uint32_t n)
{
	uint32_t k = (uint32_t)random_below(n ? n : 1);
	uint32_t sub = (uint32_t)random_below(PPIM_MAX_SUBTABLES);

	switch (random_below(8)) {
	case 0:
		return spoil(sqe->words, sizeof(sqe->words));
	case 1:
	case 2:
		return spoil(&s->job[k], sizeof(s->job[k]));
	case 3:
	case 4:
		return spoil(&s->good[k].table, sizeof(s->good[k].table));
	case 5:
		return spoil(s->good[k].extent[sub],
			     sizeof(s->good[k].extent[sub]));
	case 6:
		return spoil(s->index[k], 256);
	default:
		return spoil(random_once_in(2) ? (void *)s->offset[k] :
						 (void *)s->sg, 128);
	}
}

static void buffer_set(struct ppim_hw_buf *b, const void *at, uint64_t bytes)
{
	b->addr = (uint64_t)at;
	b->bytes = bytes;
}

/* The indices of job 0 in pieces, by arrays of four entries. */
static void indices_scatter(struct slot *s)
{
	struct ppim_hw_buf *b = &s->job[0].indices;
	uint64_t at = b->addr, left = b->bytes, n;
	uint32_t i;

	for (i = 0; left && i < ARRAY_SIZE(s->sg); i++) {
		if (i % 4 == 3) {
			s->sg[i] = (struct ppim_hw_sg){
				(uint64_t)&s->sg[i + 1], 64, PPIM_SG_CHAIN };
			continue;
		}
		n = i + 2 >= ARRAY_SIZE(s->sg) ? left :
						 1 + random_below(left);
		s->sg[i] = (struct ppim_hw_sg){ at, (uint32_t)n, 0 };
		at += n;
		left -= n;
	}
	b->addr = (uint64_t)s->sg;
	b->n_sg = i;
}

/* Indices and offsets of four bytes, in the same place. */
static void job_narrow(struct slot *s, uint32_t k, uint32_t n, uint32_t bags)
{
	int32_t *index = (int32_t *)s->index[k];
	int32_t *offset = (int32_t *)s->offset[k];
	struct ppim_hw_job *job = &s->job[k];
	uint32_t i;

	for (i = 0; i < n; i++)
		index[i] = (int32_t)s->index[k][i];
	for (i = 0; i < bags; i++)
		offset[i] = (int32_t)s->offset[k][i];
	job->index_bytes = 4;
	job->indices.bytes = 4ull * n;
	job->offsets.bytes = 4ull * bags;
}

static void job_fill(struct slot *s, uint32_t k, uint32_t n, uint32_t bags)
{
	uint32_t t = (uint32_t)random_below(GOOD_TABLES), i;
	struct ppim_hw_job *job;

	good_describe(t, &s->good[k]);
	s->good[k].table.epoch = (uint32_t)random_below(3);
	for (i = 0; i < s->good[k].table.n_subtables; i++)
		s->good[k].table.sub[i].extents =
			(uint64_t)s->good[k].extent[i];
	for (i = 0; i < n; i++) {
		s->index[k][i] = (int64_t)random_below(good_rows(t));
		s->weight[k][i] = (float)i;
	}
	if (random_once_in(8))
		s->good[k].table.sub[random_below(3)].flags &=
			~PPIM_SUBF_PREFETCH;
	for (i = 0; i < bags; i++)
		s->offset[k][i] = i ? (int64_t)(s->offset[k][i - 1] +
				random_below(n - (uint64_t)s->offset[k][i - 1]
					     + 1)) : 0;
	job = &s->job[k];
	*job = s->good[k].job;
	job->table = (uint64_t)&s->good[k].table;
	job->n_indices = n;
	job->n_bags = bags;
	job->mode = (uint8_t)random_below(3);
	buffer_set(&job->indices, s->index[k], 8ull * n);
	buffer_set(&job->offsets, s->offset[k], 8ull * bags);
	buffer_set(&job->output, s->output + k * 0x1000,
		   4ull * bags * s->good[k].table.dim);
	if (job->mode == PPIM_MODE_SUM && random_once_in(3)) {
		job->flags = PPIM_JOBF_WEIGHTS;
		buffer_set(&job->weights, s->weight[k], 4ull * n);
	}
	if (random_once_in(4)) {
		job->flags |= PPIM_JOBF_PADDING;
		job->padding_index = random_below(good_rows(t));
	}
	if (random_once_in(4))
		job_narrow(s, k, n, bags);
}

/* A batch that keeps the workers busy for a while. */
static void job_enlarge(struct ppim_hw_job *job)
{
	uint32_t n = 1 + (uint32_t)random_below(LARGE_INDICES);

	if (job->flags || job->index_bytes != 8)
		return;
	job->n_indices = n;
	buffer_set(&job->indices, (void *)LARGE, 8ull * n);
}

static void gnr_build(struct slot *s, struct ppim_hw_sqe *sqe)
{
	uint32_t n = 1 + (uint32_t)random_below(JOBS_MOST), k;

	memset(s->sg, 0, sizeof(s->sg));
	for (k = 0; k < n; k++)
		job_fill(s, k, (uint32_t)random_below(64),
			 1 + (uint32_t)random_below(16));
	if (random_once_in(4) && s->job[0].n_indices)
		indices_scatter(s);
	else if (random_once_in(256))
		job_enlarge(&s->job[0]);
	sqe->opcode = PPIM_OP_GNR;
	sqe->gnr.jobs = (uint64_t)s->job;
	sqe->gnr.n_jobs = n;
	sqe->gnr.arch = (uint8_t)random_below(PPIM_ARCH_COUNT);
	sqe->gnr.annotation = random_once_in(4) ? 0 : (uint64_t)s->annotation;
	for (k = (uint32_t)random_below(4); k; k--)
		slot_spoil(s, sqe, n);
	slot_tame(s);
	pointer_tame(&sqe->gnr.annotation);
}

static void copy_build(struct slot *s, struct ppim_hw_sqe *sqe)
{
	sqe->opcode = random_once_in(2) ? PPIM_OP_WRITE : PPIM_OP_READ;
	buffer_set(&sqe->copy.data, s->output, 1 + random_below(0x1000));
	sqe->copy.tier = (uint8_t)random_below(2);
	sqe->copy.slice = sqe->copy.tier ? 0 : (uint16_t)random_below(32);
	sqe->copy.offset = random_below(2 << 20);
	if (random_once_in(3))
		spoil(sqe->words, sizeof(sqe->words));
	pointer_tame(&sqe->copy.data.addr);
}

static void chaos_command(void)
{
	struct ring *r = &rings[1 + random_below(RINGS - 1)];
	struct ppim_hw_sqe sqe = { .opcode = PPIM_OP_NOP };
	struct slot *s = slot_pick();

	switch (random_below(8)) {
	case 0:
		copy_build(s, &sqe);
		break;
	case 1:
		if (random_once_in(4))
			sqe.opcode = (uint8_t)random_next();
		break;
	default:
		gnr_build(s, &sqe);
	}
	if (random_once_in(100))
		sqe.flags = (uint8_t)random_next();
	if (!ring_has_room(r)) {
		ring_reap(r);
		return;
	}
	ring_push(r, &sqe);
	if (random_below(4))
		ring_doorbell(r);
}

/* Half the time what was submitted last, which may be in flight. */
static void abort_fill(struct ppim_hw_sqe *sqe)
{
	const struct ring *r = &rings[random_below(RINGS)];
	bool last = random_once_in(2);

	sqe->abort.qid = r->qid;
	sqe->abort.cid = (uint16_t)(last ? (r->tail - 1) % r->entries :
					   random_below(32));
	sqe->abort.generation = last ? r->generation :
				       (uint32_t)random_next();
}

/* Memory errors often where tables are. */
static void inject_fill(struct ppim_hw_sqe *sqe)
{
	struct good g;
	uint32_t sub;

	sqe->inject.what = random_once_in(50) ? PPIM_INJECT_LINK :
						1 + (uint32_t)random_below(5);
	sqe->inject.count = sqe->inject.what == PPIM_INJECT_LINK ?
				    1 : 1 + (uint32_t)random_below(3);
	if (sqe->inject.what > PPIM_INJECT_UNCORRECTABLE)
		return;
	good_describe((uint32_t)random_below(GOOD_TABLES), &g);
	sub = (uint32_t)random_below(g.table.n_subtables);
	sqe->inject.tier = g.extent[sub][0].tier;
	sqe->inject.slice = g.extent[sub][0].slice;
	sqe->inject.offset = g.extent[sub][0].offset + random_below(0x1000);
	if (random_once_in(4))
		sqe->inject.offset = random_below(1 << 21);
}

static void admin_fill(struct ppim_hw_sqe *sqe)
{
	switch (sqe->opcode) {
	case PPIM_ADM_CREATE_QUEUE:
		sqe->create.sq = (uint64_t)slot_pick();
		sqe->create.cq = (uint64_t)slot_pick();
		sqe->create.entries = 1u << random_below(8);
		sqe->create.qid = (uint16_t)random_below(10);
		sqe->create.vector = (uint16_t)random_below(10);
		break;
	case PPIM_ADM_DELETE_QUEUE:
		sqe->del.qid = (uint16_t)(RINGS + random_below(5));
		break;
	case PPIM_ADM_ABORT:
		abort_fill(sqe);
		break;
	case PPIM_ADM_STATS:
		sqe->stats.addr = (uint64_t)slot_pick();
		sqe->stats.bytes = 256;
		break;
	case PPIM_ADM_CLEAR:
		sqe->copy.data.bytes = 1 + random_below(1 << 20);
		sqe->copy.tier = (uint8_t)random_below(2);
		sqe->copy.slice = sqe->copy.tier ? 0 :
						   (uint16_t)random_below(32);
		sqe->copy.offset = random_below(1 << 20);
		break;
	default:
		inject_fill(sqe);
	}
}

static void chaos_admin(void)
{
	struct ring *r = &rings[0];
	struct ppim_hw_sqe sqe = {
		.opcode = (uint8_t)(1 + random_below(6)),
	};

	if (!ring_has_room(r)) {
		ring_reap(r);
		return;
	}
	admin_fill(&sqe);
	if (random_once_in(3))
		spoil(sqe.words, sizeof(sqe.words));
	if (random_once_in(50))
		sqe.opcode = (uint8_t)random_next();
	if (sqe.opcode == PPIM_ADM_CREATE_QUEUE)
		pointer_tame(&sqe.create.cq);
	if (sqe.opcode == PPIM_ADM_STATS)
		pointer_tame(&sqe.stats.addr);
	ring_push(r, &sqe);
	ring_doorbell(r);
}

/* Doorbells that the driver's side does not stand behind. */
static void chaos_doorbell(void)
{
	const struct ring *r = &rings[random_below(RINGS)];
	uint32_t v = random_once_in(200) ? (uint32_t)random_value() :
					   (uint32_t)random_below(r->entries);

	if (!r->live)
		return;
	reg_write(random_below(8) ? PPIM_DB_CQ_HEAD(r->qid) :
				    PPIM_DB_SQ_TAIL(r->qid), v);
}

static void chaos_wait(void)
{
	uint32_t n = (uint32_t)random_below(1u << random_below(12)), i;

	for (i = 0; i < n; i++)
		__asm__ volatile("pause");
	for (i = 0; i < RINGS; i++)
		if (rings[i].live)
			ring_reap(&rings[i]);
}

/* ---- one operation ------------------------------------------------------- */

static const struct {
	void (*run)(void);
	enum guest_kind kind;
	uint32_t weight;
} kinds[] = {
	{ chaos_read, KIND_READ, 20 },
	{ chaos_write, KIND_WRITE, 12 },
	{ chaos_config, KIND_CONFIG, 10 },
	{ chaos_window, KIND_WINDOW, 10 },
	{ chaos_command, KIND_COMMAND, 32 },
	{ chaos_admin, KIND_ADMIN, 5 },
	{ chaos_doorbell, KIND_DOORBELL, 3 },
	{ chaos_wait, KIND_WAIT, 8 },
};

void chaos_step(void)
{
	uint64_t draw = random_below(100);
	uint32_t i;

	for (i = 0; draw >= kinds[i].weight; i++)
		draw -= kinds[i].weight;
	STATE->operations++;
	STATE->kinds[kinds[i].kind]++;
	kinds[i].run();
}

void chaos_session_begin(void)
{
	memset((void *)LARGE, 0, LARGE_INDICES * 8);
	iommu_restore();
	iommu_shuffle((uint32_t)random_below(200));
}
