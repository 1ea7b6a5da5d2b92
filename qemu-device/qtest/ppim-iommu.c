// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA remapping of -device intel-iommu, as far as tests need it: RAM is mapped
 * one to one, and behind it lie pages that a test maps as it likes.
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "ppim-qtest.h"

#define UNIT		0xfed90000ull
#define UNIT_COMMAND	0x18
#define UNIT_STATUS	0x1c
#define UNIT_ROOT	0x20
#define UNIT_CONTEXT	0x28
#define UNIT_IOTLB	0xf8
#define TRANSLATE	(1u << 31)
#define ROOT_SET	(1u << 30)
#define FLUSH_CONTEXTS	(1ull << 63 | 1ull << 61)
#define FLUSH_PAGES	(1ull << 63 | 1ull << 60)

#define PAGE		4096ull
#define READ_WRITE	(PPIM_IOMMU_READ | PPIM_IOMMU_WRITE)
#define LARGE		(1u << 7)
#define WIDTH_39	1	/* three levels */
#define DOMAIN		(1u << 8)

static uint64_t table_new(struct ppim_dev *d)
{
	return ROUND_UP(ppim_alloc(d, 2 * PAGE), PAGE);
}

static void entry_set(struct ppim_dev *d, uint64_t table, uint32_t i,
		      uint64_t value)
{
	qtest_writeq(d->qts, table + i * sizeof(value), value);
}

static void flush(struct ppim_dev *d)
{
	qtest_writeq(d->qts, UNIT + UNIT_CONTEXT, FLUSH_CONTEXTS);
	qtest_writeq(d->qts, UNIT + UNIT_IOTLB, FLUSH_PAGES);
}

/* Three levels: 1 GiB by 2 MiB pages, and of the second GiB one table. */
static uint64_t tables_new(struct ppim_dev *d)
{
	uint64_t root = table_new(d), contexts = table_new(d);
	uint64_t level3 = table_new(d), ram = table_new(d);
	uint64_t more = table_new(d);
	uint32_t i;

	d->iommu_pages = table_new(d);
	for (i = 0; i < PPIM_TEST_RAM_MB / 2; i++)
		entry_set(d, ram, i, i * 2ull * MiB | READ_WRITE | LARGE);
	entry_set(d, more, 0, d->iommu_pages | READ_WRITE);
	entry_set(d, level3, 0, ram | READ_WRITE);
	entry_set(d, level3, PPIM_TEST_REMAPPED / GiB, more | READ_WRITE);
	entry_set(d, contexts, 0, level3 | 1);
	entry_set(d, contexts, 1, DOMAIN | WIDTH_39);
	entry_set(d, root, 2 * 1, contexts | 1);	/* bus 1 */
	return root;
}

void ppim_iommu_start(struct ppim_dev *d)
{
	qtest_writeq(d->qts, UNIT + UNIT_ROOT, tables_new(d));
	qtest_writel(d->qts, UNIT + UNIT_COMMAND, ROOT_SET);
	flush(d);
	qtest_writel(d->qts, UNIT + UNIT_COMMAND, TRANSLATE);
	g_assert_cmphex(qtest_readl(d->qts, UNIT + UNIT_STATUS) & TRANSLATE, ==,
			TRANSLATE);
}

uint64_t ppim_iommu_map(struct ppim_dev *d, uint32_t page, uint64_t to,
			uint32_t access)
{
	entry_set(d, d->iommu_pages, page, to | access);
	flush(d);
	return PPIM_TEST_REMAPPED + page * PAGE;
}
