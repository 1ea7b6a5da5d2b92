// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device behind a DMA remapping unit (-device intel-iommu): everything is
 * mapped one to one but for pages of the arena, which are missing, read-only,
 * write-only, elsewhere, or lead to the device's own windows. What a batch
 * points to may then fault at any byte.
 */

#include "guest.h"

#define UNIT		0xfed90000ull
#define UNIT_COMMAND	0x18
#define UNIT_STATUS	0x1c
#define UNIT_ROOT	0x20
#define UNIT_IOTLB	0xf8
#define TRANSLATE	(1u << 31)
#define ROOT_SET	(1u << 30)
#define FLUSH_ALL	(1ull << 63 | 1ull << 60)
#define FLUSH_CONTEXTS	(1ull << 63 | 1ull << 61)
#define UNIT_CONTEXT	0x28

#define PAGE		0x1000ull
#define LARGE_PAGE	0x200000ull
#define READ		1
#define WRITE		2
#define LARGE		(1 << 7)
#define WIDTH_39	1		/* three levels */
#define DOMAIN		(1 << 8)

/* Tables, a page each but the last two. */
#define ROOT		(GUEST_IOMMU)
#define CONTEXTS	(GUEST_IOMMU + PAGE)
#define LEVEL3		(GUEST_IOMMU + 2 * PAGE)
#define LEVEL2		(GUEST_IOMMU + 3 * PAGE)	/* 4 GiB: 4 pages */
#define LEVEL1		(GUEST_IOMMU + 7 * PAGE)	/* the arena's pages */
#define ARENA_PAGES	(GUEST_ARENA_BYTES / PAGE)

static void entry_set(uint64_t table, uint64_t i, uint64_t value)
{
	((volatile uint64_t *)table)[i] = value;
}

static void pages_restore(void)
{
	uint64_t i;

	for (i = 0; i < ARENA_PAGES; i++)
		entry_set(LEVEL1, i, (GUEST_ARENA + i * PAGE) | READ | WRITE);
}

static void tables_build(void)
{
	uint64_t first = GUEST_ARENA / LARGE_PAGE, i;

	memset((void *)ROOT, 0, 3 * PAGE);
	entry_set(ROOT, 2 * 1, CONTEXTS | 1);		/* bus 1 */
	entry_set(CONTEXTS, 0, LEVEL3 | 1);		/* device 0 */
	entry_set(CONTEXTS, 1, DOMAIN | WIDTH_39);
	for (i = 0; i < 4; i++)
		entry_set(LEVEL3, i, (LEVEL2 + i * PAGE) | READ | WRITE);
	for (i = 0; i < 4 * 512; i++)
		entry_set(LEVEL2, i, i * LARGE_PAGE | READ | WRITE | LARGE);
	for (i = 0; i < GUEST_ARENA_BYTES / LARGE_PAGE; i++)
		entry_set(LEVEL2, first + i,
			  (LEVEL1 + i * PAGE) | READ | WRITE);
	pages_restore();
}

static void flush(void)
{
	mmio_write(UNIT + UNIT_CONTEXT, FLUSH_CONTEXTS, 8);
	mmio_write(UNIT + UNIT_IOTLB, FLUSH_ALL, 8);
}

/* After every start of the machine. */
void iommu_start(void)
{
	if (!STATE->iommu)
		return;
	tables_build();
	mmio_write(UNIT + UNIT_ROOT, ROOT, 8);
	mmio_write(UNIT + UNIT_COMMAND, ROOT_SET, 4);
	flush();
	mmio_write(UNIT + UNIT_COMMAND, TRANSLATE, 4);
	if (!(mmio_read(UNIT + UNIT_STATUS, 4) & TRANSLATE))
		fail("no DMA remapping");
}

static uint64_t page_random(uint64_t i)
{
	static const uint64_t elsewhere[] = {
		GUEST_REGS, GUEST_REGS + PPIM_DB_BASE, GUEST_MSIX, GUEST_HBM,
		GUEST_DIMM, GUEST_ROM, GUEST_RAM - PAGE, GUEST_RAM,
		0x80000000, 0xfec00000,
	};
	uint64_t same = GUEST_ARENA + i * PAGE;

	switch (random_below(6)) {
	case 0:
		return 0;
	case 1:
		return same | READ;
	case 2:
		return same | WRITE;
	case 3:
		return (GUEST_ARENA + random_below(ARENA_PAGES) * PAGE) |
		       READ | WRITE;
	case 4:
		return same | READ | WRITE;
	default:
		return elsewhere[random_below(ARRAY_SIZE(elsewhere))] | READ |
		       WRITE;
	}
}

/* Changes pages; not always does the unit hear of it. */
void iommu_shuffle(uint32_t pages)
{
	uint64_t i;

	if (!STATE->iommu)
		return;
	for (; pages; pages--) {
		i = random_below(ARENA_PAGES);
		entry_set(LEVEL1, i, page_random(i));
	}
	if (random_below(8))
		flush();
}

void iommu_restore(void)
{
	if (!STATE->iommu)
		return;
	pages_restore();
	flush();
}
