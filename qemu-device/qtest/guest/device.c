// SPDX-License-Identifier: GPL-2.0-only
/* What a well-behaved driver does: start, rings, completions, resets. */

#include "guest.h"

#define ADMIN_ENTRIES	16
#define WAIT_CYCLES	(120ull * 1000 * 1000 * 1000)	/* far beyond any answer */

struct ring rings[RINGS];
uint64_t slice_bytes;

uint32_t reg_read(uint32_t reg)
{
	return (uint32_t)mmio_read(GUEST_REGS + reg, 4);
}

void reg_write(uint32_t reg, uint32_t value)
{
	mmio_write(GUEST_REGS + reg, value, 4);
}

/* Rings lie one behind the other in the clean memory, two pages each. */
static void ring_init(uint16_t qid, uint32_t entries)
{
	struct ring *r = &rings[qid];

	*r = (struct ring){
		.qid = qid, .entries = entries, .phase = 1,
		.sq = GUEST_CLEAN + qid * 0x4000ull,
		.cq = GUEST_CLEAN + qid * 0x4000ull + 0x2000,
	};
	memset((void *)r->sq, 0, 0x4000);
}

bool ring_has_room(const struct ring *r)
{
	return r->live && (r->tail + 1) % r->entries != r->head;
}

void ring_push(struct ring *r, struct ppim_hw_sqe *sqe)
{
	static uint32_t generation;

	sqe->cid = (uint16_t)r->tail;
	sqe->generation = r->generation = ++generation;
	memcpy((void *)(r->sq + r->tail * sizeof(*sqe)), sqe, sizeof(*sqe));
	r->tail = (r->tail + 1) % r->entries;
}

void ring_doorbell(const struct ring *r)
{
	reg_write(PPIM_DB_SQ_TAIL(r->qid), r->tail);
}

/* What the device wrote, looked at: it has to make sense, whatever we did. */
static void cqe_check(const struct ring *r, const struct ppim_hw_cqe *cqe)
{
	if (cqe->qid != r->qid)
		fail("a completion of another queue");
	if (cqe->status >= PPIM_ST_COUNT || cqe->status == PPIM_ST_RESET)
		fail("a completion with a status that there is not");
	if (cqe->sq_head >= r->entries)
		fail("a completion with an sq_head beyond the queue");
	digest(cqe, sizeof(*cqe));
	STATE->completions++;
	STATE->statuses[cqe->status]++;
}

static bool ring_take(struct ring *r, struct ppim_hw_cqe *cqe)
{
	volatile struct ppim_hw_cqe *at =
		(void *)(r->cq + r->head * sizeof(*cqe));

	if (at->phase != r->phase)
		return false;
	__asm__ volatile("" : : : "memory");
	memcpy(cqe, (const void *)at, sizeof(*cqe));
	cqe_check(r, cqe);
	r->head = (r->head + 1) % r->entries;
	if (!r->head)
		r->phase ^= 1;
	return true;
}

uint32_t ring_reap(struct ring *r)
{
	struct ppim_hw_cqe cqe;
	uint32_t n = 0;

	while (r->live && ring_take(r, &cqe))
		n++;
	if (n)
		reg_write(PPIM_DB_CQ_HEAD(r->qid), r->head);
	return n;
}

struct ppim_hw_cqe ring_wait(struct ring *r)
{
	uint64_t begin = rdtsc();
	struct ppim_hw_cqe cqe;

	while (!ring_take(r, &cqe)) {
		__asm__ volatile("pause");
		if (rdtsc() - begin > WAIT_CYCLES)
			fail("no completion");
		if (reg_read(PPIM_REG_STATUS) & PPIM_STS_FATAL)
			fail("fatal without a cause");
	}
	reg_write(PPIM_DB_CQ_HEAD(r->qid), r->head);
	return cqe;
}

static void queue_create(uint16_t qid, uint32_t entries)
{
	struct ppim_hw_sqe sqe = { .opcode = PPIM_ADM_CREATE_QUEUE };

	ring_init(qid, entries);
	sqe.create.sq = rings[qid].sq;
	sqe.create.cq = rings[qid].cq;
	sqe.create.entries = entries;
	sqe.create.qid = qid;
	ring_push(&rings[0], &sqe);
	ring_doorbell(&rings[0]);
	if (ring_wait(&rings[0]).status != PPIM_ST_OK)
		fail("a queue could not be created");
	rings[qid].live = true;
}

/* Starts a device that was reset; false if it could not be reached. */
bool device_start(void)
{
	uint16_t qid;

	if (reg_read(PPIM_REG_MAGIC) != PPIM_MAGIC)
		return false;
	ring_init(0, ADMIN_ENTRIES);
	for (qid = 1; qid < RINGS; qid++)
		rings[qid].live = false;
	reg_write(PPIM_REG_AQ_ENTRIES, ADMIN_ENTRIES);
	mmio_write(GUEST_REGS + PPIM_REG_ASQ, rings[0].sq, 8);
	mmio_write(GUEST_REGS + PPIM_REG_ACQ, rings[0].cq, 8);
	reg_write(PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
	if (reg_read(PPIM_REG_STATUS) != PPIM_STS_READY)
		fail("the device did not start");
	slice_bytes = mmio_read(GUEST_REGS + PPIM_REG_SLICE_BYTES, 8);
	rings[0].live = true;
	for (qid = 1; qid < RINGS; qid++)
		queue_create(qid, 4u << (qid % 4));
	return true;
}

static void flr(void)
{
	uint64_t express = cap_find(CAP_EXPRESS);

	if (!express)
		fail("no PCI Express capability");
	mmio_write(express + 8, 0x8000, 2);
}

/* Whatever the device does, it does not take as many reads of ours. */
#define MESSAGE_READS 1000

static bool was_reset(void)
{
	return !mmio_read(config_addr(DEVICE_BUS, 0, 4), 2);
}

/* The next message of the device is its own reset. In the state that it is in
 * there may come none; then it is reset as by others. */
static void message_reset(void)
{
	uint64_t control = cap_find(CAP_EXPRESS) + 8, i;
	struct ppim_hw_sqe sqe = { 0 };

	for (i = 0; i < RINGS; i++) {
		mmio_write(GUEST_MSIX + 16 * i, control, 4);
		mmio_write(GUEST_MSIX + 16 * i + 4, 0, 4);
		mmio_write(GUEST_MSIX + 16 * i + 8, 0x8000, 4);
		mmio_write(GUEST_MSIX + 16 * i + 12, 0, 4);
	}
	mmio_write(cap_find(CAP_MSIX) + 2, 1 << 15, 2);
	if (rings[0].live && ring_has_room(&rings[0])) {
		ring_push(&rings[0], &sqe);
		ring_doorbell(&rings[0]);
	}
	for (i = 0; i < MESSAGE_READS; i++)
		if (was_reset())
			return;
	STATE->resets[BY_MESSAGE]--;
	STATE->resets[BY_FLR]++;
	flr();
}

static void bus_reset(void)
{
	mmio_write(config_addr(0, 4 << 3, 0x3e), 0x40, 2);
	mmio_write(config_addr(0, 4 << 3, 0x3e), 0, 2);
}

/* Leaves the device mapped and disabled; a system reset does not return. */
void device_reset(enum guest_reset how)
{
	STATE->resets[how]++;
	pci_map();
	switch (how) {
	case BY_CTRL:
	case BY_FATAL:
		reg_write(PPIM_REG_CTRL, 0);
		break;
	case BY_FLR:
		flr();
		break;
	case BY_MESSAGE:
		message_reset();
		break;
	case BY_BUS:
		bus_reset();
		break;
	case BY_SYSTEM:
		system_reset();
	}
	pci_map();
	reg_write(PPIM_REG_CTRL, 0);
	if (reg_read(PPIM_REG_STATUS))
		fail("a reset left a status");
}
