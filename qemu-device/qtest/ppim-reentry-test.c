// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device does comes back to it while it is at it: its messages, and
 * those of a remapping unit that it makes fault, write to its own doorbells,
 * reset it, switch the power of its slot off, or stop the machine.
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qemu/module.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

#define ENTRIES		32
/* The port's registers switch the slot, not ACPI's. */
#define NATIVE_HOTPLUG \
	"-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
#define AMD_IOMMU	"-device amd-iommu "
#define PANIC		"-device pvpanic-pci,bus=pcie.0,addr=5.0 " \
			"-action panic=pause "
#define PANIC_REGS	0xe8000000u
#define SLOT_OFF	(PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF)

static struct ppim_dev *dev_new(const char *args)
{
	struct ppim_dev *d = ppim_dev_spawn(args, "timing=off");

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	return d;
}

/* ---- where it comes back ------------------------------------------------- */

enum target { RESET, UNPLUG, STOP, TARGETS };

static const char *const target_names[] = { "reset", "unplug", "stop" };

static uint32_t express(QPCIDevice *pci, uint32_t reg)
{
	return qpci_find_capability(pci, PCI_CAP_ID_EXP, 0) + reg;
}

/* A device that stops the machine when 1 is written to it. */
static uint32_t panic_map(struct ppim_dev *d)
{
	QPCIDevice pci = { .bus = d->bus, .devfn = QPCI_DEVFN(5, 0) };

	qpci_config_writel(&pci, PCI_BASE_ADDRESS_0, PANIC_REGS);
	qpci_config_writew(&pci, PCI_COMMAND, PCI_COMMAND_MEMORY);
	return PANIC_REGS;
}

static uint32_t target_addr(struct ppim_dev *d, enum target t)
{
	if (t == STOP)
		return panic_map(d);
	if (t == RESET)
		return ppim_config_addr(d, &d->pci,
					express(&d->pci, PCI_EXP_DEVCTL));
	return ppim_config_addr(d, &d->port, express(&d->port, PCI_EXP_SLTCTL));
}

static uint16_t target_data(enum target t)
{
	return t == STOP ? 1 : t == RESET ? PCI_EXP_DEVCTL_BCR_FLR : SLOT_OFF;
}

static void device_add(struct ppim_dev *d)
{
	qpci_config_writew(&d->port, express(&d->port, PCI_EXP_SLTCTL),
			   PCI_EXP_SLTCTL_PWR_IND_ON);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'device_add',"
		" 'arguments': { 'driver': 'ppim', 'id': 'ppim0',"
		" 'bus': 'rp0', 'hbm-memdev': 'hbm0',"
		" 'dimm-memdev': 'dimm0' } }");
	d->used_slice = d->used_dimm = 0;
}

/* BARs and all are gone with it. It comes when a worker has the answer. */
static bool was_reset(struct ppim_dev *d)
{
	int64_t end = g_get_monotonic_time() + PPIM_TEST_WAIT_US;

	while (qpci_config_readw(&d->pci, PCI_COMMAND) & PCI_COMMAND_MASTER) {
		if (g_get_monotonic_time() > end)
			return false;
		g_usleep(100);
	}
	return true;
}

/* What came back has happened, and a driver begins anew. */
static void target_check(struct ppim_dev *d, enum target t)
{
	if (t == UNPLUG) {
		qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
		g_assert_cmphex(qpci_config_readw(&d->pci, PCI_VENDOR_ID), ==,
				0xffff);
		device_add(d);
	} else if (t == STOP) {
		qtest_qmp_eventwait(d->qts, "STOP");
		ppim_dev_flr(d);
		qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	} else {
		g_assert_true(was_reset(d));
		ppim_dev_map(d);
		g_assert_cmphex(ppim_status(d), ==, 0);
		g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==,
				 PPIM_HWERR_NONE);
		g_assert_cmpint(ppim_counter(d, "in-flight"), ==, 0);
	}
	ppim_dev_restart(d);
	ppim_assert_works(d);
}

/* ---- what the device does ------------------------------------------------ */

static struct ppim_hw_sqe read_to(uint64_t addr)
{
	return (struct ppim_hw_sqe){
		.opcode = PPIM_OP_READ,
		.copy.data.addr = cpu_to_le64(addr),
		.copy.data.bytes = cpu_to_le64(64),
		.copy.tier = PPIM_TIER_DIMM,
	};
}

/* Several, so that there are more when the first one comes back. */
static void push_and_ring(struct ppim_dev *d, struct ppim_hw_sqe sqe)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		ppim_push(d, &d->io, &sqe);
	ppim_ring_doorbell(d, &d->io);
}

/* In the bottom half, when the answer is written. */
static void fault_in_output(struct ppim_dev *d)
{
	push_and_ring(d, read_to(PPIM_TEST_REMAPPED));
}

/* In the doorbell, by the coroutine that reads a command's inputs. */
static void fault_in_jobs(struct ppim_dev *d)
{
	push_and_ring(d, (struct ppim_hw_sqe){
		.opcode = PPIM_OP_GNR,
		.gnr.jobs = cpu_to_le64(PPIM_TEST_REMAPPED),
		.gnr.n_jobs = cpu_to_le32(1),
	});
}

static void fault_in_queue(struct ppim_dev *d, uint64_t sq, uint64_t cq)
{
	struct ppim_ring r;

	ppim_ring_init(d, &r, 2, ENTRIES);
	r.sq = sq ?: r.sq;
	r.cq = cq ?: r.cq;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	ppim_writel(d, PPIM_DB_SQ_TAIL(2), 4);
}

static void fault_in_sq(struct ppim_dev *d)
{
	fault_in_queue(d, PPIM_TEST_REMAPPED, 0);
}

static void fault_in_cq(struct ppim_dev *d)
{
	fault_in_queue(d, 0, PPIM_TEST_REMAPPED);
}

static void message(struct ppim_dev *d)
{
	push_and_ring(d, read_to(ppim_alloc(d, 64)));
}

static const struct {
	const char *name;
	void (*act)(struct ppim_dev *d);
	bool faults;
} acts[] = {
	{ "fault-in-output", fault_in_output, true },
	{ "fault-in-jobs", fault_in_jobs, true },
	{ "fault-in-sq", fault_in_sq, true },
	{ "fault-in-cq", fault_in_cq, true },
	{ "message", message, false },
};

struct reentry {
	uint32_t act;
	enum target target;
};

static void test_reentry(struct ppim_dev *plain, const void *arg)
{
	const struct reentry *r = arg;
	bool faults = acts[r->act].faults;
	struct ppim_dev *d = dev_new(faults ? NATIVE_HOTPLUG PANIC AMD_IOMMU :
				     NATIVE_HOTPLUG PANIC);
	uint32_t addr = target_addr(d, r->target);
	uint16_t data = target_data(r->target);

	if (faults)
		ppim_iommu_start_faults(d, addr, data);
	else
		ppim_messages_to(d, addr, data);
	acts[r->act].act(d);
	ppim_step(d, PPIM_TEST_SECOND);
	target_check(d, r->target);
	ppim_dev_quit(d);
}

/* ---- doorbells ----------------------------------------------------------- */

#define INDICES		(3 * MiB / 8)	/* most of what a visit reads */
#define VISIT_BYTES	(4 * MiB)	/* PPIM_VISIT_BYTES, */
#define PIECE_BYTES	(1 * MiB)	/* and what may come on top */

/* Refused when all of it is read. */
static struct ppim_hw_sqe refused_late(struct ppim_dev *d)
{
	struct ppim_shape shape = ppim_shape_dense(50, 16);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 12,
						   PPIM_LAYOUT_ONE,
						   PPIM_LAYOUT_ONE);
	struct ppim_hw_job hw = {
		.table = cpu_to_le64(t->addr), .index_bytes = 8,
		.n_indices = cpu_to_le32(INDICES), .n_bags = cpu_to_le32(1),
		.indices.addr = cpu_to_le64(ppim_alloc(d, INDICES * 8)),
		.indices.bytes = cpu_to_le64(INDICES * 8),
		.offsets.addr = cpu_to_le64(ppim_alloc(d, 8)),
		.offsets.bytes = cpu_to_le64(8),
		.output.reserved = cpu_to_le32(1),
	};
	uint64_t jobs = ppim_alloc(d, sizeof(hw));

	ppim_put(d, jobs, &hw, sizeof(hw));
	ppim_table_free(t);
	return (struct ppim_hw_sqe){
		.opcode = PPIM_OP_GNR,
		.gnr.jobs = cpu_to_le64(jobs),
		.gnr.n_jobs = cpu_to_le32(1),
		.gnr.arch = PPIM_ARCH_BGPIM,
	};
}

/* No message begins another visit in the midst of one. */
static void test_doorbell(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = dev_new("");
	struct ppim_hw_sqe sqe = refused_late(d);
	struct ppim_hw_cqe cqe;
	int64_t rung;
	uint32_t i;

	ppim_messages_to(d, PPIM_TEST_REGS + PPIM_DB_SQ_TAIL(3), 0);
	rung = ppim_counter(d, "sq-doorbells");
	for (i = 0; i < d->io.entries - 1; i++)
		ppim_push(d, &d->io, &sqe);
	ppim_ring_doorbell(d, &d->io);
	for (i = 0; i < d->io.entries - 1; i++) {
		g_assert_true(ppim_wait(d, &d->io, &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_FIELD, PPIM_ANY);
	}
	g_assert_cmpint(ppim_counter(d, "sq-doorbells"), ==, rung + 1);
	g_test_message("a visit was at most %" PRId64 " KiB, %" PRId64 " us",
		       ppim_counter(d, "main-loop-max-bytes") / KiB,
		       ppim_counter(d, "main-loop-max-ns") / 1000);
	g_assert_cmpint(ppim_counter(d, "main-loop-max-bytes"), <=,
			VISIT_BYTES + PIECE_BYTES);
	ppim_dev_quit(d);
}

static void register_tests(void)
{
	static struct reentry cases[TARGETS * ARRAY_SIZE(acts)];
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		g_autofree char *path = NULL;

		cases[i] = (struct reentry){ i / TARGETS, i % TARGETS };
		path = g_strdup_printf("reentry/%s/%s",
				       target_names[i % TARGETS],
				       acts[i / TARGETS].name);
		ppim_add_test(path, test_reentry, &cases[i]);
	}
	ppim_add_test("reentry/doorbell", test_doorbell, NULL);
}

libqos_init(register_tests);
