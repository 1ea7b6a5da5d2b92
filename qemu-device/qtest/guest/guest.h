/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The random guest: a program of its own on the bare machine, which does to
 * the device what no driver does. It runs in QEMU's process, under TCG, so an
 * operation costs a memory access and not a message to another process.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "layout.h"
#include "ppim_hw.h"
#include <linux/ppim_shape.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What outlives a system reset. */
struct guest_state {
	uint64_t magic;
	uint64_t seed;
	uint64_t random;	/* the generator's */
	uint64_t operations, limit;
	uint64_t iommu;		/* the device is behind a remapping unit */
	uint64_t sessions, verified;
	uint64_t resets[6];	/* by enum guest_reset */
	uint64_t kinds[8];	/* by enum guest_kind */
	uint64_t completions;
	uint64_t digest;	/* of all that the device said */
	uint64_t statuses[PPIM_ST_COUNT];
	uint64_t fatals[5];	/* by enum ppim_hw_error */
	uint64_t told;		/* operations when progress was last said */
};
#define STATE ((struct guest_state *)GUEST_STATE)

enum guest_reset {
	BY_CTRL, BY_FLR, BY_BUS, BY_SYSTEM, BY_FATAL, BY_MESSAGE,
};
enum guest_kind {
	KIND_READ, KIND_WRITE, KIND_CONFIG, KIND_WINDOW, KIND_COMMAND,
	KIND_ADMIN, KIND_DOORBELL, KIND_WAIT,
};

/* machine.c */
static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
uint64_t mmio_read(uint64_t addr, uint32_t bytes);
void mmio_write(uint64_t addr, uint64_t value, uint32_t bytes);
void say(const char *text);
void say_number(const char *text, uint64_t value);
void say_hex(const char *text, uint64_t value);
void fail(const char *why) __attribute__((noreturn));
void finish(void) __attribute__((noreturn));
void traps_init(void);
uint64_t option_number(const char *name, uint64_t otherwise);
void ecam_enable(void);
uint64_t config_addr(uint32_t bus, uint32_t devfn, uint32_t offset);
#define DEVICE_BUS	1
#define CAP_POWER	0x01
#define CAP_EXPRESS	0x10
#define CAP_MSIX	0x11
uint64_t cap_find(uint8_t id);
void pci_map(void);
void system_reset(void) __attribute__((noreturn));

/* random.c */
uint64_t random_next(void);
uint64_t random_below(uint64_t n);
bool random_once_in(uint64_t n);
uint64_t random_value(void);
uint64_t random_address(void);
/* Folds what the device said into STATE->digest. */
void digest(const void *words, uint32_t bytes);

/* iommu.c: nothing without opt/ppim/iommu */
void iommu_start(void);
void iommu_shuffle(uint32_t pages);
void iommu_restore(void);

/* device.c: the part of a well-behaved driver */
struct ring {
	uint16_t qid;
	bool live;
	uint32_t entries, tail, head, phase;
	uint32_t generation;	/* of what was pushed last */
	uint64_t sq, cq;
};
#define RINGS 5			/* the admin queue and four more */
extern struct ring rings[RINGS];
/* As the device said when it was started: later another window may lie over its
 * registers. */
extern uint64_t slice_bytes;

uint32_t reg_read(uint32_t reg);
void reg_write(uint32_t reg, uint32_t value);
bool device_start(void);
void device_reset(enum guest_reset how);
bool ring_has_room(const struct ring *r);
void ring_push(struct ring *r, struct ppim_hw_sqe *sqe);
void ring_doorbell(const struct ring *r);
/* Takes completions; returns how many. */
uint32_t ring_reap(struct ring *r);
/* Waits for one completion on a device that has to answer. */
struct ppim_hw_cqe ring_wait(struct ring *r);

/* answer.c: clean batches */
void answer_verify(void);
struct good {
	struct ppim_hw_table table;
	struct ppim_hw_extent extent[PPIM_MAX_SUBTABLES][4];
	struct ppim_hw_job job;
};
/* One of the tables that are known to be good, as a job with contexts; places
 * in guest memory are the caller's. */
#define GOOD_TABLES 7
#define VERIFIED_TABLES 5	/* the first, in fp32 */
void good_describe(uint32_t i, struct good *g);
uint32_t good_rows(uint32_t i);
/* Addresses in the windows: among the tables' rows, and an entry of a row map
 * that they have. */
uint64_t good_random_place(void);
uint64_t good_random_map_entry(void);

/* chaos.c: one random operation */
void chaos_session_begin(void);
void chaos_step(void);

#endif
