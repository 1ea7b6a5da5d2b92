// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties: what cannot be is refused when the device is realized, with a
 * line that names the property and what it may be; and the device is plugged
 * and unplugged while the machine runs. Each test has a QEMU of its own.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include <glib/gstdio.h>
#include "qobject/qdict.h"
#include "hw/pci/pci_regs.h"
#include "libqos/malloc-pc.h"
#include "libqos/pci-pc.h"
#include "ppim-qtest.h"

#define MACHINE \
	PPIM_TEST_TIERS \
	"-object memory-backend-ram,id=odd,size=48M " \
	"-object memory-backend-ram,id=tiny,size=64K " \
	"-object memory-backend-ram,id=big,size=64M " \
	"-device pcie-root-port," PPIM_TEST_PORT

static QTestState *machine_start(void)
{
	g_autofree char *args = ppim_machine_args();

	return qtest_initf("-M q35,%s " MACHINE, args);
}

/* device_add with "name=value,..." as strings, as a command line has them. */
static QDict *device_add(QTestState *qts, const char *props)
{
	g_auto(GStrv) words = g_strsplit(props, ",", -1);
	QDict *args = qdict_new();
	int i;

	qdict_put_str(args, "driver", "ppim");
	qdict_put_str(args, "id", "ppim0");
	qdict_put_str(args, "bus", "rp0");
	for (i = 0; words[i]; i++) {
		char *value = strchr(words[i], '=');

		*value++ = '\0';
		if (g_ascii_isdigit(*value) && !strchr(value, ':'))
			qdict_put_int(args, words[i],
				      g_ascii_strtoull(value, NULL, 0));
		else if (!strcmp(value, "on") || !strcmp(value, "off"))
			qdict_put_bool(args, words[i], !strcmp(value, "on"));
		else
			qdict_put_str(args, words[i], value);
	}
	return qtest_qmp(qts, "{ 'execute': 'device_add', 'arguments': %p }",
			 args);
}

struct refusal {
	const char *name;
	const char *props;
	const char *says[3];	/* what the message has in it */
};

#define TIERS "hbm-memdev=hbm0,dimm-memdev=dimm0"

static const struct refusal refusals[] = {
	{ "no-hbm", "dimm-memdev=dimm0", { "hbm-memdev" } },
	{ "hbm-unknown", "hbm-memdev=nobody", { "nobody" } },
	{ "hbm-odd", "hbm-memdev=odd", { "hbm", "power of two" } },
	{ "hbm-tiny", "hbm-memdev=tiny", { "hbm", "65536" } },
	{ "same-backend", "hbm-memdev=hbm0,dimm-memdev=hbm0",
	  { "dimm-memdev", "hbm0" } },
	{ "queues-0", TIERS ",queues=0", { "queues", "1", "128" } },
	{ "queues-129", TIERS ",queues=129", { "queues", "1", "128" } },
	{ "entries-1", TIERS ",queue-entries=1", { "queue-entries", "2" } },
	{ "entries-48", TIERS ",queue-entries=48",
	  { "queue-entries", "48", "power of two" } },
	{ "entries-65536", TIERS ",queue-entries=65536",
	  { "queue-entries", "32768" } },
	{ "threads", TIERS ",threads=100000", { "threads", "100000" } },
	{ "arch-unknown", TIERS ",arch=fastest", { "arch", "fastest" } },
	{ "arch-reserved", TIERS ",arch=proactive+", { "arch", "proactive+" } },
	{ "arch-default", TIERS ",arch=default", { "arch", "default" } },
	{ "timebase", TIERS ",timebase=wall", { "timebase", "wall" } },
	{ "hbm-spec", TIERS ",hbm-spec=no-such-memory",
	  { "hbm-spec", "no-such-memory" } },
	{ "dimm-spec", TIERS ",dimm-spec=/no/such/file.ini",
	  { "dimm-spec", "/no/such/file.ini" } },
	{ "sram", TIERS ",sram=1000000000000", { "sram", "1000000000000" } },
	{ "params-unknown", TIERS ",params=speed=9", { "params", "speed" } },
	{ "params-range", TIERS ",params=bg_macs=0", { "params", "bg_macs" } },
	{ "params-malformed", TIERS ",params=bg_macs:",
	  { "params", "bg_macs" } },
	{ "params-state", TIERS ",params=llc_bytes=4G",
	  { "params", "llc_bytes", "268435456" } },
	{ "params-hbm", TIERS ",params=hbm.tRCD=none", { "hbm-spec", "tRCD" } },
};

static const struct refusal read_only[] = {
	{ "hbm-read-only", "hbm-memdev=rom,dimm-memdev=dimm0",
	  { "hbm-memdev", "rom", "read-only" } },
	{ "dimm-read-only", "hbm-memdev=hbm0,dimm-memdev=rom",
	  { "dimm-memdev", "rom", "read-only" } },
};

static const char *error_text(const QDict *response)
{
	return qdict_get_str(qdict_get_qdict(response, "error"), "desc");
}

static void refusal_check(QTestState *qts, const struct refusal *r)
{
	QDict *response = device_add(qts, r->props);
	const char *text;
	int i;

	g_assert_true(qdict_haskey(response, "error"));
	if (qdict_haskey(response, "error")) {
		text = error_text(response);
		g_test_message("%s", text);
		g_assert_null(strchr(text, '\n'));
		for (i = 0; i < 3 && r->says[i]; i++)
			g_assert_nonnull(strstr(text, r->says[i]));
	}
	qobject_unref(response);
	/* what was refused has left nothing behind */
	response = device_add(qts, TIERS);
	g_assert_true(qdict_haskey(response, "return"));
	qobject_unref(response);
}

static void test_refused(const void *arg)
{
	QTestState *qts = machine_start();

	g_test_set_nonfatal_assertions();
	refusal_check(qts, arg);
	qtest_quit(qts);
}

/* Workers would write what cannot be written. */
static void test_read_only(const void *arg)
{
	g_autofree char *args = ppim_machine_args(), *path = NULL;
	int fd = g_file_open_tmp("ppim-rom-XXXXXX", &path, NULL);
	QTestState *qts;

	g_test_set_nonfatal_assertions();
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(ftruncate(fd, 64 << 20), ==, 0);
	close(fd);
	qts = qtest_initf("-M q35,%s " MACHINE " -object memory-backend-file,"
			  "id=rom,size=64M,readonly=on,mem-path=%s", args,
			  path);
	/* QEMU has it open: whatever fails from here on, it is gone */
	g_unlink(path);
	refusal_check(qts, arg);
	qtest_quit(qts);
}

/* ---- accepted ----------------------------------------------------------- */

struct accepted {
	const char *name;
	const char *props;
	uint32_t reg, value;
};

static const struct accepted accepted[] = {
	{ "queues-1", "queues=1", PPIM_REG_MAX_QUEUES, 1 },
	{ "queues-128", "queues=128", PPIM_REG_MAX_QUEUES, 128 },
	{ "entries-2", "queue-entries=2", PPIM_REG_MAX_ENTRIES, 2 },
	{ "entries-32768", "queue-entries=32768", PPIM_REG_MAX_ENTRIES, 32768 },
	{ "sram", "sram=8192", PPIM_REG_SRAM_BYTES, 8192 },
	{ "sram-as-param", "params=sram_bytes=16K", PPIM_REG_SRAM_BYTES,
	  16384 },
	{ "arch-cpu", "arch=cpu", PPIM_REG_ARCH_DEFAULT, PPIM_ARCH_CPU },
	{ "arch-bgpim-dup", "arch=bgpim+dup", PPIM_REG_ARCH_DEFAULT,
	  PPIM_ARCH_BGPIM_DUP },
	{ "timing-off", "timing=off", PPIM_REG_TIMEBASE, PPIM_TIMEBASE_OFF },
	{ "timebase-guest", "timebase=guest", PPIM_REG_TIMEBASE,
	  PPIM_TIMEBASE_GUEST },
	{ "hbm3", "hbm-spec=HBM3_6400", PPIM_REG_VERSION, 0x00010000 },
	{ "ddr5", "dimm-spec=DDR5_4800", PPIM_REG_VERSION, 0x00010000 },
};

static void test_accepted(const void *arg)
{
	const struct accepted *a = arg;
	struct ppim_dev *d = ppim_dev_spawn("", a->props);

	g_test_set_nonfatal_assertions();
	g_assert_cmpuint(ppim_readl(d, a->reg), ==, a->value);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

static struct ppim_hw_cqe dimm_write(struct ppim_dev *d)
{
	return ppim_run(d, &d->io, (struct ppim_hw_sqe){
		.opcode = PPIM_OP_WRITE,
		.copy.data.addr = cpu_to_le64(ppim_alloc(d, 64)),
		.copy.data.bytes = cpu_to_le64(64),
		.copy.tier = PPIM_TIER_DIMM,
	});
}

/* A device without a DIMM: a capability and a BAR less. */
static void test_no_dimm(void)
{
	g_autofree char *args = ppim_machine_args();
	QGuestAllocator alloc;
	struct ppim_dev d = { 0 };
	struct ppim_hw_cqe cqe;
	QTestState *qts;

	g_test_set_nonfatal_assertions();
	qts = qtest_initf("-M q35,%s " MACHINE " -device ppim,id=ppim0,bus=rp0,"
			  "hbm-memdev=hbm0", args);
	pc_alloc_init(&alloc, qts, ALLOC_NO_FLAGS);
	ppim_dev_init(&d, qpci_new_pc(qts, &alloc), &alloc);
	g_assert_cmpuint(d.dimm_bytes, ==, 0);
	g_assert_cmphex(ppim_readq(&d, PPIM_REG_CAP) & PPIM_CAP_DIMM_WINDOW,
			==, 0);
	g_assert_cmphex(qpci_config_readl(&d.pci, PCI_BASE_ADDRESS_0 +
						  4 * PPIM_BAR_DIMM), ==, 0);
	g_assert_cmpuint(ppim_readl(&d, PPIM_REG_HOT_PPM), ==, 1000000);
	ppim_dev_start(&d);
	cqe = dimm_write(&d);
	ppim_assert_cqe(&cqe, PPIM_ST_BAD_PLACEMENT, 0);
	qpci_free_pc(d.bus);
	alloc_destroy(&alloc);
	qtest_quit(qts);
}

/* ---- hot-plug ----------------------------------------------------------- */

/* ACPI hot-plug of q35: select the bus, eject the slot. */
#define ACPI_PCIHP	0x0cc0
#define PCIHP_EJECT	0x08
#define PCIHP_SELECT	0x10

static void device_eject(struct ppim_dev *d)
{
	uint32_t bus;

	qtest_qmp_device_del_send(d->qts, "ppim0");
	for (bus = 0; bus < 4; bus++) {
		qtest_outl(d->qts, ACPI_PCIHP + PCIHP_SELECT, bus);
		qtest_outl(d->qts, ACPI_PCIHP + PCIHP_EJECT, 1);
	}
	qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
}

/* Gone in the middle of its work, and another one in its place. */
static void test_unplug(const void *arg)
{
	uint32_t batches = GPOINTER_TO_UINT(arg), i;
	struct ppim_dev *d = ppim_dev_spawn("", "threads=2");
	struct ppim_shape shape = ppim_shape_dense(300, 256);
	struct ppim_test_table *t;
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	QDict *response;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	t = ppim_table_new(d, &shape, 71, PPIM_LAYOUT_STRIPED,
			   PPIM_LAYOUT_ONE);
	ppim_job_random(&job, t, 4, 20000, 72);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	for (i = 0; i < batches; i++)
		ppim_push(d, &d->io, &b->sqe);
	ppim_ring_doorbell(d, &d->io);
	device_eject(d);
	g_assert_cmphex(qpci_config_readw(&d->pci, PCI_VENDOR_ID), ==, 0xffff);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
	response = device_add(d->qts, TIERS);
	g_assert_true(qdict_haskey(response, "return"));
	qobject_unref(response);
	d->used_slice = d->used_dimm = 0;
	ppim_dev_restart(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

static void register_tests(void)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		g_autofree char *path =
			g_strdup_printf("ppim/refused/%s", refusals[i].name);

		qtest_add_data_func(path, &refusals[i], test_refused);
	}
	for (i = 0; i < ARRAY_SIZE(read_only); i++) {
		g_autofree char *path =
			g_strdup_printf("ppim/refused/%s", read_only[i].name);

		qtest_add_data_func(path, &read_only[i], test_read_only);
	}
	for (i = 0; i < ARRAY_SIZE(accepted); i++) {
		g_autofree char *path =
			g_strdup_printf("ppim/accepted/%s", accepted[i].name);

		qtest_add_data_func(path, &accepted[i], test_accepted);
	}
	qtest_add_func("ppim/accepted/no-dimm", test_no_dimm);
	qtest_add_data_func("ppim/unplug/idle", GUINT_TO_POINTER(0),
			    test_unplug);
	qtest_add_data_func("ppim/unplug/working", GUINT_TO_POINTER(12),
			    test_unplug);
}

libqos_init(register_tests);
