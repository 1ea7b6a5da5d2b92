// SPDX-License-Identifier: GPL-2.0-only
/* PCI identity, BARs and registers: sections 1 to 3 of the specification. */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

static const struct {
	const char *name;
	uint32_t offset, bytes;
} read_only[] = {
	{ "magic", PPIM_REG_MAGIC, 4 },
	{ "version", PPIM_REG_VERSION, 4 },
	{ "cap", PPIM_REG_CAP, 8 },
	{ "status", PPIM_REG_STATUS, 4 },
	{ "error", PPIM_REG_ERROR, 4 },
	{ "max-queues", PPIM_REG_MAX_QUEUES, 4 },
	{ "max-entries", PPIM_REG_MAX_ENTRIES, 4 },
	{ "max-tables", PPIM_REG_MAX_TABLES, 4 },
	{ "max-indices", PPIM_REG_MAX_INDICES, 4 },
	{ "max-extents", PPIM_REG_MAX_EXTENTS, 4 },
	{ "max-sg", PPIM_REG_MAX_SG, 4 },
	{ "archs", PPIM_REG_ARCHS, 4 },
	{ "arch-default", PPIM_REG_ARCH_DEFAULT, 4 },
	{ "algos", PPIM_REG_ALGOS, 4 },
	{ "dtypes", PPIM_REG_DTYPES, 4 },
	{ "combines", PPIM_REG_COMBINES, 4 },
	{ "modes", PPIM_REG_MODES, 4 },
	{ "hbm-bytes", PPIM_REG_HBM_BYTES, 8 },
	{ "dimm-bytes", PPIM_REG_DIMM_BYTES, 8 },
	{ "slice-bytes", PPIM_REG_SLICE_BYTES, 8 },
	{ "slices", PPIM_REG_SLICES, 4 },
	{ "channels", PPIM_REG_CHANNELS, 4 },
	{ "sram-bytes", PPIM_REG_SRAM_BYTES, 4 },
	{ "align", PPIM_REG_ALIGN, 4 },
	{ "hbm-row-bytes", PPIM_REG_HBM_ROW_BYTES, 4 },
	{ "timebase", PPIM_REG_TIMEBASE, 4 },
	{ "now-ps", PPIM_REG_NOW_PS, 8 },
	{ "hot-ppm", PPIM_REG_HOT_PPM, 4 },
	{ "max-output", PPIM_REG_MAX_OUTPUT, 4 },
	{ "max-copy", PPIM_REG_MAX_COPY, 4 },
	{ "max-input", PPIM_REG_MAX_INPUT, 4 },
};

/* Registers that software writes, with what fits into them. */
static const struct {
	uint32_t offset, bytes;
} read_write[] = {
	{ PPIM_REG_AQ_ENTRIES, 4 },
	{ PPIM_REG_ASQ, 8 },
	{ PPIM_REG_ACQ, 8 },
};

static void test_identity(struct ppim_dev *d, const void *arg)
{
	g_assert_cmphex(qpci_config_readw(&d->pci, PCI_VENDOR_ID), ==,
			PPIM_PCI_VENDOR);
	g_assert_cmphex(qpci_config_readw(&d->pci, PCI_DEVICE_ID), ==,
			PPIM_PCI_DEVICE);
	g_assert_cmphex(qpci_config_readb(&d->pci, PCI_REVISION_ID), ==,
			PPIM_PCI_REVISION);
	g_assert_cmphex(qpci_config_readw(&d->pci, PCI_CLASS_DEVICE), ==,
			PPIM_PCI_CLASS);
	g_assert_cmphex(qpci_config_readb(&d->pci, PCI_INTERRUPT_PIN), ==, 0);
}

static uint64_t bar_mask(struct ppim_dev *d, int bar, bool wide)
{
	int reg = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t mask;

	qpci_config_writel(&d->pci, reg, ~0u);
	mask = qpci_config_readl(&d->pci, reg);
	if (!wide)
		return mask | ~0ull << 32;
	qpci_config_writel(&d->pci, reg + 4, ~0u);
	return mask | (uint64_t)qpci_config_readl(&d->pci, reg + 4) << 32;
}

static void bar_assert(struct ppim_dev *d, int bar, uint64_t bytes,
		       uint32_t type)
{
	bool wide = type & PCI_BASE_ADDRESS_MEM_TYPE_64;
	uint64_t mask = bar_mask(d, bar, wide);

	g_assert_cmphex(mask & 0xf, ==, type);
	g_assert_cmphex(-(mask & ~0xfull), ==, bytes);
}

static void test_bars(struct ppim_dev *d, const void *arg)
{
	const uint32_t window = PCI_BASE_ADDRESS_MEM_TYPE_64 |
				PCI_BASE_ADDRESS_MEM_PREFETCH;

	qpci_config_writew(&d->pci, PCI_COMMAND, 0);
	bar_assert(d, PPIM_BAR_REGS, PPIM_REGS_BYTES, 0);
	bar_assert(d, PPIM_BAR_HBM, d->hbm_bytes, window);
	bar_assert(d, PPIM_BAR_DIMM, d->dimm_bytes, window);
	g_assert_cmphex(bar_mask(d, PPIM_BAR_MSIX, false) & 0xf, ==, 0);
	ppim_dev_map(d);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_MAGIC), ==, PPIM_MAGIC);
}

static void test_msix_vectors(struct ppim_dev *d, const void *arg)
{
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);
	uint32_t table = qpci_config_readl(&d->pci, cap + PCI_MSIX_TABLE);
	uint32_t pba = qpci_config_readl(&d->pci, cap + PCI_MSIX_PBA);

	g_assert_cmpuint(qpci_msix_table_size(&d->pci), ==,
			 ppim_readl(d, PPIM_REG_MAX_QUEUES) + 1);
	g_assert_cmpuint(table & PCI_MSIX_TABLE_BIR, ==, PPIM_BAR_MSIX);
	g_assert_cmpuint(pba & PCI_MSIX_PBA_BIR, ==, PPIM_BAR_MSIX);
}

static void test_windows_are_memory(struct ppim_dev *d, const void *arg)
{
	uint8_t odd[13], got[13];

	memset(odd, 0x3c, sizeof(odd));
	ppim_put(d, PPIM_TEST_HBM + d->hbm_bytes - 13, odd, sizeof(odd));
	ppim_put(d, PPIM_TEST_DIMM + 3, odd, sizeof(odd));
	ppim_get(d, PPIM_TEST_HBM + d->hbm_bytes - 13, got, sizeof(got));
	g_assert_cmpmem(got, sizeof(got), odd, sizeof(odd));
	ppim_get(d, PPIM_TEST_DIMM + 3, got, sizeof(got));
	g_assert_cmpmem(got, sizeof(got), odd, sizeof(odd));
}

static void test_values(struct ppim_dev *d, const void *arg)
{
	uint32_t per_channel, align = ppim_readl(d, PPIM_REG_ALIGN);

	g_assert_cmphex(ppim_readl(d, PPIM_REG_MAGIC), ==, PPIM_MAGIC);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_VERSION), ==,
			PPIM_VERSION_MAJOR << 16 | PPIM_VERSION_MINOR);
	g_assert_cmpuint(d->hbm_bytes, ==, PPIM_TEST_TIER_MB << 20);
	g_assert_cmpuint(d->dimm_bytes, ==, PPIM_TEST_TIER_MB << 20);
	g_assert_cmpuint(d->slice_bytes * d->slices, ==, d->hbm_bytes);
	per_channel = d->slices / ppim_readl(d, PPIM_REG_CHANNELS);
	g_assert_cmpuint(per_channel * ppim_readl(d, PPIM_REG_CHANNELS), ==,
			 d->slices);
	g_assert_cmpuint(align, >=, 4);
	g_assert_cmpuint(align & (align - 1), ==, 0);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_HOT_PPM), <=, 1000000);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_HOT_PPM), >, 500000);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_MAX_TABLES), >=, 26);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_MAX_INDICES), >=, 26 * 1024);
}

/* HBM2_4Gb_x128: 8 channels of 4 bank groups, rows of 2 KB, 40 KB of SRAM. */
static void test_default_geometry(struct ppim_dev *d, const void *arg)
{
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_CHANNELS), ==, 8);
	g_assert_cmpuint(d->slices, ==, 32);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_HBM_ROW_BYTES), ==, 2048);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_SRAM_BYTES), ==, 40960);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ARCH_DEFAULT), ==,
			 PPIM_ARCH_PROACTIVE);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_TIMEBASE), ==,
			 PPIM_TIMEBASE_DEVICE);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_HOT_PPM) / 1000, ==, 952);
}

/* Capability bits and masks say the same as each other. */
static void test_capabilities(struct ppim_dev *d, const void *arg)
{
	const uint64_t built = PPIM_CAP_GNR | PPIM_CAP_DIMM_WINDOW |
			       PPIM_CAP_COPY | PPIM_CAP_ROW_MAP |
			       PPIM_CAP_WEIGHTS | PPIM_CAP_PADDING |
			       PPIM_CAP_ABORT | PPIM_CAP_INJECT |
			       PPIM_CAP_QR_POOLED | PPIM_CAP_CLEAR;
	uint32_t archs = ppim_readl(d, PPIM_REG_ARCHS);

	g_assert_cmphex(ppim_readq(d, PPIM_REG_CAP), ==, built);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_ALGOS), ==, 0x7);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_COMBINES), ==, 0x7);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_MODES), ==, 0x7);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_DTYPES), ==,
			1 << PPIM_DTYPE_FP32 | 1 << PPIM_DTYPE_FP16 |
			1 << PPIM_DTYPE_BF16);
	g_assert_cmphex(archs & (1 << PPIM_ARCH_DEFAULT), ==, 0);
	g_assert_cmphex(archs & (1 << PPIM_ARCH_PROACTIVE_PLUS), ==, 0);
	g_assert_cmphex(archs >> PPIM_ARCH_COUNT, ==, 0);
	g_assert_cmphex(archs & (1 << PPIM_ARCH_BGPIM), !=, 0);
	g_assert_cmphex(archs >> ppim_readl(d, PPIM_REG_ARCH_DEFAULT) & 1, ==,
			1);
}

static uint64_t reg_read(struct ppim_dev *d, uint32_t offset, uint32_t bytes)
{
	return bytes == 8 ? ppim_readq(d, offset) : ppim_readl(d, offset);
}

static void test_read_only(struct ppim_dev *d, const void *arg)
{
	uint64_t before;
	uint32_t i, o, n;

	for (i = 0; i < ARRAY_SIZE(read_only); i++) {
		o = read_only[i].offset, n = read_only[i].bytes;
		before = reg_read(d, o, n);
		ppim_writel(d, o, ~(uint32_t)before);
		if (n == 8)
			ppim_writel(d, o + 4, ~(uint32_t)(before >> 32));
		g_assert_cmphex(reg_read(d, o, n), ==, before);
		ppim_writeq(d, o & ~7u, 0x5555555555555555);
		g_assert_cmphex(reg_read(d, o, n), ==, before);
	}
	ppim_assert_alive(d);
	ppim_assert_works(d);
}

static void test_halves(struct ppim_dev *d, const void *arg)
{
	const uint64_t value = 0x0123456789abcdc0;
	uint32_t i, o;

	for (i = 0; i < ARRAY_SIZE(read_only); i++) {
		o = read_only[i].offset;
		if (read_only[i].bytes == 8)
			g_assert_cmphex(ppim_readq(d, o), ==,
					ppim_readl(d, o) |
					(uint64_t)ppim_readl(d, o + 4) << 32);
	}
	ppim_dev_disable(d);
	ppim_writel(d, PPIM_REG_ASQ + 4, value >> 32);
	ppim_writel(d, PPIM_REG_ASQ, (uint32_t)value);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_ASQ), ==, value);
	ppim_writeq(d, PPIM_REG_ACQ, value);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_ACQ), ==, (uint32_t)value);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_ACQ + 4), ==, value >> 32);
}

/* One access of 8 bytes to two registers of 4. */
static void test_pairs(struct ppim_dev *d, const void *arg)
{
	ppim_dev_disable(d);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_MAGIC), ==,
			PPIM_MAGIC | (uint64_t)ppim_readl(d, PPIM_REG_VERSION)
					     << 32);
	ppim_writeq(d, PPIM_REG_ERROR, 64ull << 32 | 3);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_AQ_ENTRIES), ==, 64);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==, 0);
	ppim_writeq(d, PPIM_REG_AQ_ENTRIES, 128ull << 32 | 32);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_AQ_ENTRIES), ==, 32);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ASQ), ==, 128);
}

static void test_narrow_access(struct ppim_dev *d, const void *arg)
{
	const uint64_t base = PPIM_TEST_REGS;

	ppim_dev_disable(d);
	ppim_writel(d, PPIM_REG_AQ_ENTRIES, 0x11223344);
	qtest_writeb(d->qts, base + PPIM_REG_AQ_ENTRIES, 0xff);
	qtest_writew(d->qts, base + PPIM_REG_AQ_ENTRIES + 2, 0xffff);
	qtest_writel(d->qts, base + PPIM_REG_AQ_ENTRIES - 2, ~0u);
	qtest_writeq(d->qts, base + PPIM_REG_AQ_ENTRIES + 2, ~0ull);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_AQ_ENTRIES), ==, 0x11223344);
	g_assert_cmphex(qtest_readb(d->qts, base), ==, 0);
	g_assert_cmphex(qtest_readw(d->qts, base + 2), ==, 0);
	g_assert_cmphex(qtest_readl(d->qts, base + 1), ==, 0);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_MAGIC), ==, PPIM_MAGIC);
}

static void test_reserved_offsets(struct ppim_dev *d, const void *arg)
{
	uint32_t o;

	for (o = PPIM_REG_MAX_INPUT + 4; o < PPIM_DB_BASE; o += 4) {
		ppim_writel(d, o, ~0u);
		g_assert_cmphex(ppim_readl(d, o), ==, 0);
	}
	for (o = PPIM_DB_BASE; o < PPIM_REGS_BYTES; o += 4)
		g_assert_cmphex(ppim_readl(d, o), ==, 0);
	ppim_assert_works(d);
}

static void test_ctrl_bits(struct ppim_dev *d, const void *arg)
{
	ppim_writel(d, PPIM_REG_CTRL, ~0u);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_CTRL), ==, PPIM_CTRL_ALL);
	ppim_assert_works(d);
	ppim_writel(d, PPIM_REG_CTRL, ~PPIM_CTRL_ALL);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_CTRL), ==, 0);
	g_assert_cmphex(ppim_status(d), ==, 0);
}

static void test_locked_while_enabled(struct ppim_dev *d, const void *arg)
{
	uint64_t before;
	uint32_t i, o, n;

	for (i = 0; i < ARRAY_SIZE(read_write); i++) {
		o = read_write[i].offset, n = read_write[i].bytes;
		before = reg_read(d, o, n);
		g_assert_cmphex(before, !=, 0);
		ppim_writel(d, o, ~0u);
		g_assert_cmphex(reg_read(d, o, n), ==, before);
	}
	ppim_assert_works(d);
}

static void test_power_on_values(struct ppim_dev *d, const void *arg)
{
	qtest_system_reset(d->qts);
	ppim_dev_map(d);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_CTRL), ==, 0);
	g_assert_cmphex(ppim_status(d), ==, 0);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_ERROR), ==, 0);
	g_assert_cmphex(ppim_readl(d, PPIM_REG_AQ_ENTRIES), ==, 0);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_ASQ), ==, 0);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_ACQ), ==, 0);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_NOW_PS), ==, 0);
	g_assert_cmpuint(d->slices, ==, ppim_readl(d, PPIM_REG_SLICES));
}

static void register_tests(void)
{
	ppim_add_test("pci/identity", test_identity, NULL);
	ppim_add_test("pci/bars", test_bars, NULL);
	ppim_add_variant_test("pci/msix-vectors", test_msix_vectors, NULL);
	ppim_add_test("pci/windows-are-memory", test_windows_are_memory, NULL);
	ppim_add_variant_test("registers/values", test_values, NULL);
	ppim_add_test("registers/default-geometry", test_default_geometry,
		      NULL);
	ppim_add_variant_test("registers/capabilities", test_capabilities,
			      NULL);
	ppim_add_variant_test("registers/read-only", test_read_only, NULL);
	ppim_add_test("registers/halves", test_halves, NULL);
	ppim_add_test("registers/pairs", test_pairs, NULL);
	ppim_add_test("registers/narrow-access", test_narrow_access, NULL);
	ppim_add_test("registers/reserved-offsets", test_reserved_offsets,
		      NULL);
	ppim_add_test("registers/ctrl-bits", test_ctrl_bits, NULL);
	ppim_add_test("registers/locked-while-enabled",
		      test_locked_while_enabled, NULL);
	ppim_add_variant_test("registers/power-on-values",
			      test_power_on_values, NULL);
}

libqos_init(register_tests);
