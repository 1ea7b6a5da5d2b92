// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA remapping, as far as tests need it. Of -device intel-iommu: RAM is mapped
 * one to one, and behind it lie pages that a test maps as it likes. Of -device
 * amd-iommu: the same RAM, and faults behind it, each with a message.
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
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
#define ENTRIES		512u	/* of a table */
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

/* One behind the other. */
static uint64_t tables_of_pages_new(struct ppim_dev *d)
{
	uint32_t n = PPIM_TEST_PAGES / ENTRIES;

	return ROUND_UP(ppim_alloc(d, (n + 1) * PAGE), PAGE);
}

/* Three levels: 1 GiB by 2 MiB pages, and of the second GiB some tables. */
static uint64_t tables_new(struct ppim_dev *d)
{
	uint64_t root = table_new(d), contexts = table_new(d);
	uint64_t level3 = table_new(d), ram = table_new(d);
	uint64_t more = table_new(d);
	uint32_t i;

	d->iommu_pages = tables_of_pages_new(d);
	for (i = 0; i < PPIM_TEST_RAM_MB / 2; i++)
		entry_set(d, ram, i, i * 2ull * MiB | READ_WRITE | LARGE);
	for (i = 0; i < PPIM_TEST_PAGES / ENTRIES; i++)
		entry_set(d, more, i, (d->iommu_pages + i * PAGE) | READ_WRITE);
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

/* ---- AMD ----------------------------------------------------------------- */

#define AMD_UNIT	0xfed80000ull
#define AMD_DEVICES	0x00
#define AMD_EVENTS	0x10
#define AMD_CONTROL	0x18
#define AMD_ENABLE	(1u << 0 | 1u << 2)	/* remapping, events */
#define AMD_EVENTS_256	(8ull << 56)
#define AMD_ID		0x14191022u

#define AMD_VALID	3ull			/* and translated */
#define AMD_PRESENT	1ull
#define AMD_LEVEL(n)	((uint64_t)(n) << 9)
#define AMD_READ_WRITE	(3ull << 61)

/* 1 GiB as one page, and a second one that may be neither read nor written.
 * The first entry is the device's: the bus behind the root port had no number
 * yet when QEMU asked for it. */
static uint64_t amd_tables_new(struct ppim_dev *d)
{
	uint64_t devices = table_new(d), level3 = table_new(d);

	entry_set(d, level3, 0, AMD_PRESENT | AMD_READ_WRITE);
	entry_set(d, level3, PPIM_TEST_REMAPPED / GiB,
		  table_new(d) | AMD_PRESENT | AMD_LEVEL(2));
	entry_set(d, devices, 0,
		  level3 | AMD_VALID | AMD_LEVEL(3) | AMD_READ_WRITE);
	return devices;
}

static QPCIDevice amd_function(struct ppim_dev *d)
{
	QPCIDevice pci = { .bus = d->bus };

	while (qpci_config_readl(&pci, PCI_VENDOR_ID) != AMD_ID) {
		pci.devfn++;
		g_assert_cmpint(pci.devfn, <, QPCI_DEVFN(32, 0));
	}
	return pci;
}

static void amd_message(struct ppim_dev *d, uint32_t addr, uint16_t data)
{
	QPCIDevice pci = amd_function(d);
	uint8_t cap = qpci_find_capability(&pci, PCI_CAP_ID_MSI, 0);

	qpci_config_writel(&pci, cap + PCI_MSI_ADDRESS_LO, addr);
	qpci_config_writew(&pci, cap + PCI_MSI_DATA_64, data);
	qpci_config_writew(&pci, cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
}

static bool amd_reports(struct ppim_dev *d)
{
	uint64_t word = ppim_alloc(d, 4);
	struct ppim_hw_cqe cqe;

	amd_message(d, word, 1);
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_STATS,
		.stats.addr = cpu_to_le64(PPIM_TEST_REMAPPED),
		.stats.bytes = cpu_to_le32(8),
	});
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_ADDRESS, PPIM_TEST_REMAPPED);
	return qtest_readl(d->qts, word);
}

void ppim_iommu_start_faults(struct ppim_dev *d, uint32_t addr, uint16_t data)
{
	qtest_writeq(d->qts, AMD_UNIT + AMD_DEVICES, amd_tables_new(d));
	qtest_writeq(d->qts, AMD_UNIT + AMD_EVENTS,
		     table_new(d) | AMD_EVENTS_256);
	qtest_writeq(d->qts, AMD_UNIT + AMD_CONTROL, AMD_ENABLE);
	g_assert_true(amd_reports(d));
	amd_message(d, addr, data);
}
