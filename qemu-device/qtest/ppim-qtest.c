// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' driver: finds the device behind its root port, starts it, resets
 * it; and its nodes in the graph of QEMU's test framework.
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qemu/module.h"
#include "qobject/qdict.h"
#include "hw/pci/pci_regs.h"
#include "libqos/malloc-pc.h"
#include "libqos/pci-pc.h"
#include "ppim-qtest.h"

#define PORT_DEVFN	QPCI_DEVFN(4, 0)
#define DEVICE_DEVFN	0x100	/* bus 1, device 0, function 0 */
#define WINDOW_BYTES	(1ull * MiB)
#define PREF_LIMIT	0xfffffffffull
#define ADMIN_ENTRIES	16
#define IO_ENTRIES	32
#define FILL		0xa5

/* ---- registers ---------------------------------------------------------- */

uint32_t ppim_readl(struct ppim_dev *d, uint32_t reg)
{
	return qtest_readl(d->qts, PPIM_TEST_REGS + reg);
}

uint64_t ppim_readq(struct ppim_dev *d, uint32_t reg)
{
	return qtest_readq(d->qts, PPIM_TEST_REGS + reg);
}

void ppim_writel(struct ppim_dev *d, uint32_t reg, uint32_t value)
{
	qtest_writel(d->qts, PPIM_TEST_REGS + reg, value);
}

void ppim_writeq(struct ppim_dev *d, uint32_t reg, uint64_t value)
{
	qtest_writeq(d->qts, PPIM_TEST_REGS + reg, value);
}

uint32_t ppim_status(struct ppim_dev *d)
{
	return ppim_readl(d, PPIM_REG_STATUS);
}

void ppim_assert_fatal(struct ppim_dev *d, uint32_t reason)
{
	g_assert_cmphex(ppim_status(d) & PPIM_STS_FATAL, ==, PPIM_STS_FATAL);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==, reason);
}

void ppim_assert_alive(struct ppim_dev *d)
{
	g_assert_cmphex(ppim_status(d), ==, PPIM_STS_READY);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==, PPIM_HWERR_NONE);
}

/* ---- guest memory ------------------------------------------------------- */

/* Both ends of the protocol search what they have of a line for its end
 * whenever another KiB arrives: long lines take the square of their length. */
#define LINE_BYTES 4096

void ppim_put(struct ppim_dev *d, uint64_t addr, const void *buf, size_t n)
{
	size_t i;

	for (i = 0; i < n; i += LINE_BYTES)
		qtest_bufwrite(d->qts, addr + i, (const uint8_t *)buf + i,
			       MIN(n - i, LINE_BYTES));
}

void ppim_get(struct ppim_dev *d, uint64_t addr, void *buf, size_t n)
{
	size_t i;

	for (i = 0; i < n; i += LINE_BYTES)
		qtest_bufread(d->qts, addr + i, (uint8_t *)buf + i,
			      MIN(n - i, LINE_BYTES));
}

uint64_t ppim_alloc(struct ppim_dev *d, size_t bytes)
{
	uint64_t addr = guest_alloc(d->alloc, bytes);

	qtest_memset(d->qts, addr, 0, bytes);
	return addr;
}

void ppim_fill(struct ppim_dev *d, uint64_t addr, size_t n)
{
	qtest_memset(d->qts, addr, FILL, n);
}

bool ppim_untouched(struct ppim_dev *d, uint64_t addr, size_t n)
{
	g_autofree uint8_t *buf = g_malloc(n);
	size_t i;

	ppim_get(d, addr, buf, n);
	for (i = 0; i < n; i++)
		if (buf[i] != FILL)
			return false;
	return true;
}

/* ---- PCI ---------------------------------------------------------------- */

static void bar_write(QPCIDevice *pci, int bar, uint64_t addr, bool wide)
{
	int reg = PCI_BASE_ADDRESS_0 + 4 * bar;

	qpci_config_writel(pci, reg, (uint32_t)addr);
	if (wide)
		qpci_config_writel(pci, reg + 4, addr >> 32);
}

void ppim_port_map(struct ppim_dev *d)
{
	QPCIDevice *port = &d->port;

	qpci_config_writeb(port, PCI_PRIMARY_BUS, 0);
	qpci_config_writeb(port, PCI_SECONDARY_BUS, DEVICE_DEVFN >> 8);
	qpci_config_writeb(port, PCI_SUBORDINATE_BUS, DEVICE_DEVFN >> 8);
	qpci_config_writew(port, PCI_MEMORY_BASE, PPIM_TEST_REGS >> 16);
	qpci_config_writew(port, PCI_MEMORY_LIMIT,
			   (PPIM_TEST_REGS + WINDOW_BYTES - 1) >> 16);
	qpci_config_writew(port, PCI_PREF_MEMORY_BASE,
			   (PPIM_TEST_HBM >> 16 & 0xfff0) | 1);
	qpci_config_writel(port, PCI_PREF_BASE_UPPER32, PPIM_TEST_HBM >> 32);
	qpci_config_writew(port, PCI_PREF_MEMORY_LIMIT,
			   (PREF_LIMIT >> 16 & 0xfff0) | 1);
	qpci_config_writel(port, PCI_PREF_LIMIT_UPPER32, PREF_LIMIT >> 32);
	qpci_config_writew(port, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void ppim_dev_map(struct ppim_dev *d)
{
	ppim_port_map(d);
	bar_write(&d->pci, PPIM_BAR_REGS, PPIM_TEST_REGS, false);
	bar_write(&d->pci, PPIM_BAR_MSIX, PPIM_TEST_MSIX, false);
	bar_write(&d->pci, PPIM_BAR_HBM, PPIM_TEST_HBM, true);
	bar_write(&d->pci, PPIM_BAR_DIMM, PPIM_TEST_DIMM, true);
	qpci_config_writew(&d->pci, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

int64_t ppim_counter(struct ppim_dev *d, const char *name)
{
	QDict *resp = qtest_qmp(d->qts, "{ 'execute': 'qom-get', 'arguments': {"
				" 'path': '/machine/peripheral/ppim0',"
				" 'property': 'stats' } }");
	int64_t value = qdict_get_int(qdict_get_qdict(resp, "return"), name);

	qobject_unref(resp);
	return value;
}

/* The host bridge's window onto configuration space, where QEMU has it. */
#define BRIDGE_ECAM	0x60
#define ECAM		0xb0000000u
#define ECAM_ON		1u

uint32_t ppim_config_addr(struct ppim_dev *d, const QPCIDevice *pci,
			  uint32_t reg)
{
	QPCIDevice bridge = { .bus = d->bus };

	qpci_config_writel(&bridge, BRIDGE_ECAM, ECAM | ECAM_ON);
	return ECAM + ((uint32_t)pci->devfn << 12) + reg;
}

static void entries_write(struct ppim_dev *d, uint32_t addr, uint32_t data)
{
	uint64_t entry = PPIM_TEST_MSIX;
	int i;

	for (i = 0; i < qpci_msix_table_size(&d->pci); i++) {
		qtest_writel(d->qts, entry + PCI_MSIX_ENTRY_LOWER_ADDR, addr);
		qtest_writel(d->qts, entry + PCI_MSIX_ENTRY_UPPER_ADDR, 0);
		qtest_writel(d->qts, entry + PCI_MSIX_ENTRY_DATA, data);
		qtest_writel(d->qts, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
		entry += PCI_MSIX_ENTRY_SIZE;
	}
}

/* What is pending from the start goes elsewhere. */
void ppim_messages_to(struct ppim_dev *d, uint32_t addr, uint32_t data)
{
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);

	entries_write(d, ppim_alloc(d, sizeof(data)), data);
	qpci_config_writew(&d->pci, cap + PCI_MSIX_FLAGS,
			   PCI_MSIX_FLAGS_ENABLE);
	entries_write(d, addr, data);
}

/* ---- the device's life -------------------------------------------------- */

void ppim_dev_enable(struct ppim_dev *d)
{
	ppim_ring_init(d, &d->admin, 0,
		       MIN(ADMIN_ENTRIES,
			   ppim_readl(d, PPIM_REG_MAX_ENTRIES)));
	ppim_writel(d, PPIM_REG_AQ_ENTRIES, d->admin.entries);
	ppim_writeq(d, PPIM_REG_ASQ, d->admin.sq);
	ppim_writeq(d, PPIM_REG_ACQ, d->admin.cq);
	ppim_writel(d, PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
}

void ppim_dev_disable(struct ppim_dev *d)
{
	ppim_writel(d, PPIM_REG_CTRL, 0);
}

/* The capability's bit 15 of Device Control starts it. */
void ppim_dev_flr(struct ppim_dev *d)
{
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_EXP, 0);
	uint16_t ctl;

	g_assert_cmpuint(cap, !=, 0);
	g_assert_cmphex(qpci_config_readl(&d->pci, cap + PCI_EXP_DEVCAP) &
			PCI_EXP_DEVCAP_FLR, ==, PCI_EXP_DEVCAP_FLR);
	ctl = qpci_config_readw(&d->pci, cap + PCI_EXP_DEVCTL);
	qpci_config_writew(&d->pci, cap + PCI_EXP_DEVCTL,
			   ctl | PCI_EXP_DEVCTL_BCR_FLR);
}

void ppim_dev_start(struct ppim_dev *d)
{
	ppim_dev_enable(d);
	ppim_assert_alive(d);
	ppim_ring_init(d, &d->io, 1,
		       MIN(IO_ENTRIES, ppim_readl(d, PPIM_REG_MAX_ENTRIES)));
	g_assert_cmpuint(ppim_ring_create(d, &d->io), ==, PPIM_ST_OK);
}

void ppim_dev_restart(struct ppim_dev *d)
{
	ppim_dev_map(d);
	ppim_dev_start(d);
}

static void geometry_read(struct ppim_dev *d)
{
	d->hbm_bytes = ppim_readq(d, PPIM_REG_HBM_BYTES);
	d->dimm_bytes = ppim_readq(d, PPIM_REG_DIMM_BYTES);
	d->slice_bytes = ppim_readq(d, PPIM_REG_SLICE_BYTES);
	d->slices = ppim_readl(d, PPIM_REG_SLICES);
}

void ppim_dev_init(struct ppim_dev *d, QPCIBus *bus, QGuestAllocator *alloc)
{
	d->qts = bus->qts;
	d->alloc = alloc;
	d->bus = bus;
	d->port = (QPCIDevice){ .bus = d->bus, .devfn = PORT_DEVFN };
	d->pci = (QPCIDevice){ .bus = d->bus, .devfn = DEVICE_DEVFN };
	ppim_dev_map(d);
	g_assert_cmphex(qpci_config_readl(&d->pci, PCI_VENDOR_ID), ==,
			PPIM_PCI_DEVICE << 16 | PPIM_PCI_VENDOR);
	geometry_read(d);
}

/* The folder with QEMU's firmware: a QEMU that is not installed has none of
 * its own. */
char *ppim_machine_args(void)
{
	const char *firmware = g_getenv("PPIM_QTEST_FIRMWARE");

	return g_strdup_printf("graphics=off -nodefaults -m %dM %s%s ",
			       PPIM_TEST_RAM_MB, firmware ? "-L " : "",
			       firmware ? firmware : "");
}

QTestState *ppim_qemu_start(const char *args, const char *device)
{
	g_autofree char *machine = ppim_machine_args();

	return qtest_initf("-M q35,%s %s " PPIM_TEST_TIERS
			   "-device pcie-root-port," PPIM_TEST_PORT
			   " -device ppim," PPIM_TEST_DEVICE "%s%s",
			   machine, args, *device ? "," : "", device);
}

struct ppim_dev *ppim_dev_spawn(const char *args, const char *device)
{
	struct ppim_dev *d = g_new0(struct ppim_dev, 1);
	QGuestAllocator *alloc = g_new0(QGuestAllocator, 1);
	QTestState *qts = ppim_qemu_start(args, device);

	pc_alloc_init(alloc, qts, ALLOC_NO_FLAGS);
	ppim_dev_init(d, qpci_new_pc(qts, alloc), alloc);
	return d;
}

void ppim_dev_move(struct ppim_dev *d, QTestState *qts)
{
	qpci_free_pc(d->bus);
	qtest_quit(d->qts);
	d->qts = qts;
	d->bus = qpci_new_pc(qts, d->alloc);
	d->port.bus = d->pci.bus = d->bus;
}

void ppim_migration_wait(QTestState *qts)
{
	bool over = false;
	QDict *resp;

	while (!over) {
		resp = qtest_qmp(qts, "{ 'execute': 'query-migrate' }");
		over = !strcmp(qdict_get_str(qdict_get_qdict(resp, "return"),
					     "status"), "completed");
		qobject_unref(resp);
		g_usleep(1000);
	}
}

void ppim_dev_quit(struct ppim_dev *d)
{
	qpci_free_pc(d->bus);
	alloc_destroy(d->alloc);
	g_free(d->alloc);
	qtest_quit(d->qts);
	g_free(d);
}

/* ---- graph -------------------------------------------------------------- */

/* Variants by property: what must hold for the device holds for each. */
static const struct {
	const char *node, *props;
} variants[] = {
	{ "ppim-guest-time", "timebase=guest" },
	{ "ppim-untimed", "timing=off" },
	{ "ppim-one-thread", "threads=1" },
	{ "ppim-least-queues", "queues=1,queue-entries=2" },
	{ "ppim-bgpim", "arch=bgpim" },
	{ "ppim-no-sram", "sram=0" },
};

struct q35 {
	QOSGraphObject obj, host;
	QPCIBusPC bus;
	QGuestAllocator alloc;
};

struct port {
	QOSGraphObject obj;
	QPCIBus *bus;
};

static void *q35_get_driver(void *obj, const char *interface)
{
	struct q35 *m = obj;

	g_assert_cmpstr(interface, ==, "memory");
	return &m->alloc;
}

static void *host_get_driver(void *obj, const char *interface)
{
	struct q35 *m = container_of(obj, struct q35, host);

	g_assert_cmpstr(interface, ==, "q35-bus");
	return &m->bus.bus;
}

static QOSGraphObject *q35_get_device(void *obj, const char *device)
{
	struct q35 *m = obj;

	g_assert_cmpstr(device, ==, "q35-pcihost");
	return &m->host;
}

static void q35_destructor(QOSGraphObject *obj)
{
	alloc_destroy(&container_of(obj, struct q35, obj)->alloc);
}

static void *q35_create(QTestState *qts)
{
	struct q35 *m = g_new0(struct q35, 1);

	m->obj.get_driver = q35_get_driver;
	m->obj.get_device = q35_get_device;
	m->obj.destructor = q35_destructor;
	m->host.get_driver = host_get_driver;
	pc_alloc_init(&m->alloc, qts, ALLOC_NO_FLAGS);
	qpci_init_pc(&m->bus, qts, &m->alloc);
	return &m->obj;
}

static void *port_get_driver(void *obj, const char *interface)
{
	struct port *p = obj;

	g_assert_cmpstr(interface, ==, "pcie-slot");
	return p->bus;
}

static void *port_create(void *bus, QGuestAllocator *alloc, void *addr)
{
	struct port *p = g_new0(struct port, 1);

	p->obj.get_driver = port_get_driver;
	p->bus = bus;
	return &p->obj;
}

static void *dev_get_driver(void *obj, const char *interface)
{
	g_assert_true(g_str_has_prefix(interface, "ppim-"));
	return obj;
}

static void *dev_create(void *bus, QGuestAllocator *alloc, void *addr)
{
	struct ppim_dev *d = g_new0(struct ppim_dev, 1);

	ppim_dev_init(d, bus, alloc);
	d->obj.get_driver = dev_get_driver;
	ppim_dev_start(d);
	return &d->obj;
}

/* A test with what it needs to be called. */
struct entry {
	ppim_test_fn fn;
	const void *arg;
};

static void entry_run(void *obj, void *data, QGuestAllocator *alloc)
{
	const struct entry *e = data;

	/* A failed test is reported, and the others still run. */
	g_test_set_nonfatal_assertions();
	e->fn(obj, e->arg);
}

static void variants_produce(const char *interface)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variants); i++)
		qos_node_produces(variants[i].node, interface);
}

/*
 * "GROUP/NAME" becomes a test of the group's own interface: the walk through
 * the graph keeps the tests of one node on a stack of 128 elements.
 */
static void entry_add(const char *path, bool each, ppim_test_fn fn,
		      const void *arg)
{
	static GHashTable *groups;
	const char *name = strchr(path, '/') + 1;
	g_autofree char *group = g_strndup(path, name - 1 - path);
	char *interface = g_strconcat(each ? "ppim-each-" : "ppim-", group,
				      NULL);
	struct entry *e = g_new(struct entry, 1);
	QOSGraphTestOptions opts = { .arg = e };

	if (!groups)
		groups = g_hash_table_new(g_str_hash, g_str_equal);
	if (g_hash_table_add(groups, interface)) {
		qos_node_produces("ppim", interface);
		if (each)
			variants_produce(interface);
	}
	*e = (struct entry){ fn, arg };
	qos_add_test(name, interface, entry_run, &opts);
}

void ppim_add_test(const char *path, ppim_test_fn fn, const void *arg)
{
	entry_add(path, false, fn, arg);
}

void ppim_add_variant_test(const char *path, ppim_test_fn fn, const void *arg)
{
	entry_add(path, true, fn, arg);
}

static void variant_register(const char *node, const char *props)
{
	g_autofree char *device =
		g_strdup_printf(PPIM_TEST_DEVICE "%s%s", *props ? "," : "",
				props);
	QOSGraphEdgeOptions opts = {
		.before_cmd_line = PPIM_TEST_TIERS,
		.extra_device_opts = device,
	};

	if (strcmp(node, "ppim"))
		qos_node_create_driver_named(node, "ppim", dev_create);
	else
		qos_node_create_driver(node, dev_create);
	qos_node_consumes(node, "pcie-slot", &opts);
}

static void nodes_register(void)
{
	g_autofree char *machine = ppim_machine_args();
	QOSGraphEdgeOptions port = { .extra_device_opts = PPIM_TEST_PORT };
	size_t i;

	qos_node_create_machine_args("x86_64/q35", q35_create, machine);
	qos_node_create_driver("q35-pcihost", NULL);
	qos_node_contains("x86_64/q35", "q35-pcihost", NULL);
	qos_node_produces("q35-pcihost", "q35-bus");
	qos_node_create_driver("pcie-root-port", port_create);
	qos_node_consumes("pcie-root-port", "q35-bus", &port);
	qos_node_produces("pcie-root-port", "pcie-slot");
	variant_register("ppim", "");
	for (i = 0; i < ARRAY_SIZE(variants); i++)
		variant_register(variants[i].node, variants[i].props);
}

libqos_init(nodes_register);
