// SPDX-License-Identifier: GPL-2.0-only
/*
 * ppim: a PCI Express function with a ProactivePIM memory behind it, an HBM
 * stack with processing in memory and DIMMs. Specification: docs/spec.md of
 * the project; the same registers are in ppim_hw.h for the driver.
 *
 *   -object memory-backend-ram,id=hbm,size=4G
 *   -object memory-backend-ram,id=dimm,size=16G
 *   -device ppim,hbm-memdev=hbm,dimm-memdev=dimm
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "ppim.h"
#include "trace.h"

#define PM_OFFSET	0x60
#define PCIE_OFFSET	0x80
#define AER_OFFSET	PCI_CONFIG_SPACE_SIZE

/* ---- reset and failure --------------------------------------------------- */

/* Whatever the device was doing: queues, work, time and faults are gone, the
 * tiers' contents stay. Waits for no work but a copy that is being made. */
void ppim_reset(PPIMState *s)
{
	uint16_t qid;

	trace_ppim_reset();
	for (qid = 0; qid <= PPIM_QUEUES_MAX; qid++)
		ppim_queue_stop(s, qid);
	s->half_loaded = false;
	s->ctrl = s->status = s->error = 0;
	memset(&s->stats, 0, sizeof(s->stats));
	memset(&s->doorbells, 0, sizeof(s->doorbells));
	memset(&s->pending, 0, sizeof(s->pending));
	ppim_late(s, PPIM_LATE_RESET);
}

/* From here on neither guest memory nor a tier is written, and nothing is
 * signalled. When the device was reset by what failed, there is nothing left to
 * fail. */
void ppim_fatal(PPIMState *s, enum ppim_hw_error error)
{
	if (!s->ctrl)
		return;
	trace_ppim_fatal(error);
	PPIM_GUEST_ERR("failed with error %d: only a reset helps", error);
	s->status |= PPIM_STS_FATAL;
	s->error = error;
	ppim_late(s, PPIM_LATE_DISCARD);
}

static void ppim_reset_hold(Object *obj, ResetType type)
{
	PPIMState *s = PPIM(obj);

	ppim_reset(s);
	s->asq = s->acq = s->aq_entries = 0;
}

/* ---- realize ------------------------------------------------------------- */

/* A window is a region of our own around the backend's, so that DMA can tell
 * the backend from the guest's memory (ppim_dma.c). */
static bool window_init(PPIMState *s, HostMemoryBackend *memdev,
			MemoryRegion *bar, const char *property, int index,
			Error **errp)
{
	const uint8_t type = PCI_BASE_ADDRESS_MEM_TYPE_64 |
			     PCI_BASE_ADDRESS_MEM_PREFETCH;
	MemoryRegion *mr = host_memory_backend_get_memory(memdev);
	const char *why = host_memory_backend_is_mapped(memdev) ? "in use" :
			  memory_region_is_rom(mr) ? "read-only" : NULL;

	if (why) {
		error_setg(errp, "property '%s': memory backend '%s' is %s",
			   property,
			   object_get_canonical_path_component(OBJECT(memdev)),
			   why);
		return false;
	}
	memory_region_init(bar, OBJECT(s), property,
			   pow2ceil(memory_region_size(mr)));
	memory_region_add_subregion(bar, 0, mr);
	host_memory_backend_set_mapped(memdev, true);
	vmstate_register_ram(mr, DEVICE(s));
	pci_register_bar(PCI_DEVICE(s), index, type, bar);
	return true;
}

static void window_exit(PPIMState *s, HostMemoryBackend *memdev,
			MemoryRegion *bar)
{
	MemoryRegion *mr = host_memory_backend_get_memory(memdev);

	vmstate_unregister_ram(mr, DEVICE(s));
	memory_region_del_subregion(bar, mr);
	host_memory_backend_set_mapped(memdev, false);
}

static bool windows_init(PPIMState *s, Error **errp)
{
	if (!window_init(s, s->hbm_memdev, &s->hbm_bar, "hbm-memdev",
			 PPIM_BAR_HBM, errp))
		return false;
	if (!s->dimm_memdev)
		return true;
	if (window_init(s, s->dimm_memdev, &s->dimm_bar, "dimm-memdev",
			PPIM_BAR_DIMM, errp))
		return true;
	window_exit(s, s->hbm_memdev, &s->hbm_bar);
	return false;
}

static void windows_exit(PPIMState *s)
{
	window_exit(s, s->hbm_memdev, &s->hbm_bar);
	if (s->dimm_memdev)
		window_exit(s, s->dimm_memdev, &s->dimm_bar);
}

static bool caps_init(PPIMState *s, Error **errp)
{
	PCIDevice *pci = PCI_DEVICE(s);

	if (pci_pm_init(pci, PM_OFFSET, errp) < 0)
		return false;
	pci_set_word(pci->config + PM_OFFSET + PCI_PM_PMC,
		     PCI_PM_CAP_VER_1_2);
	pci_set_word(pci->config + PM_OFFSET + PCI_PM_CTRL,
		     PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(pci->wmask + PM_OFFSET + PCI_PM_CTRL,
		     PCI_PM_CTRL_STATE_MASK);
	if (pcie_endpoint_cap_init(pci, PCIE_OFFSET) < 0) {
		error_setg(errp, "no room for the PCI Express capability");
		return false;
	}
	pcie_cap_deverr_init(pci);
	pcie_cap_flr_init(pci);
	return !pci_bus_is_express(pci_get_bus(pci)) ||
	       pcie_aer_init(pci, PCI_ERR_VER, AER_OFFSET, PCI_ERR_SIZEOF,
			     errp) >= 0;
}

static void memory_init(PPIMState *s)
{
	MemoryRegion *hbm = host_memory_backend_get_memory(s->hbm_memdev);
	MemoryRegion *dimm = NULL;

	s->mem = (struct ppim_memory){
		.hbm = memory_region_get_ram_ptr(hbm),
		.hbm_bytes = memory_region_size(hbm),
		.slice_bytes = s->geo.slice_bytes,
	};
	if (s->dimm_memdev) {
		dimm = host_memory_backend_get_memory(s->dimm_memdev);
		s->mem.dimm = memory_region_get_ram_ptr(dimm);
		s->mem.dimm_bytes = memory_region_size(dimm);
	}
}

static void pool_init(PPIMState *s, struct ppim_engine *engine,
		      struct ppim_config *settings)
{
	struct ppim_pool_config config = {
		.engine = engine, .settings = settings, .mem = s->mem,
		.hbm = host_memory_backend_get_memory(s->hbm_memdev),
		.threads = s->n_threads ?: MIN(g_get_num_processors(),
					       PPIM_THREADS_MAX),
		.guest_time = s->timebase == PPIM_TIMEBASE_GUEST,
		.charge_copies = s->charge_copies,
		.bh = s->bh,
	};

	if (s->dimm_memdev)
		config.dimm = host_memory_backend_get_memory(s->dimm_memdev);
	s->pool = ppim_pool_new(&config);
}

static bool engine_init(PPIMState *s, struct ppim_config *c,
			struct ppim_engine **engine, Error **errp)
{
	if (!ppim_config_load(s, c, errp))
		return false;
	*engine = ppim_config_engine(c, errp);
	if (!*engine)
		return false;
	ppim_engine_geometry(*engine, &s->geo);
	if (s->geo.archs & (1u << s->arch_default))
		return true;
	error_setg(errp, "property 'arch': preset '%s' is not served by this "
		   "device", s->arch_name);
	ppim_engine_free(*engine);
	return false;
}

static bool settings_init(PPIMState *s, Error **errp)
{
	if (!ppim_config_check(s, errp) ||
	    !ppim_config_arch(s->arch_name, &s->arch_default, errp))
		return false;
	s->timebase = !s->timing ? PPIM_TIMEBASE_OFF :
		      strcmp(s->timebase_name, "guest") ?
		      PPIM_TIMEBASE_DEVICE : PPIM_TIMEBASE_GUEST;
	s->charges = s->charge_copies;
	s->cap = PPIM_CAP_GNR | PPIM_CAP_COPY | PPIM_CAP_ROW_MAP |
		 PPIM_CAP_WEIGHTS | PPIM_CAP_PADDING | PPIM_CAP_ABORT |
		 PPIM_CAP_INJECT | PPIM_CAP_QR_POOLED | PPIM_CAP_CLEAR;
	if (s->dimm_memdev)
		s->cap |= PPIM_CAP_DIMM_WINDOW;
	return true;
}

static bool pci_init(PPIMState *s, Error **errp)
{
	PCIDevice *pci = PCI_DEVICE(s);

	pci_config_set_prog_interface(pci->config, 0);
	memory_region_init_io(&s->regs, OBJECT(s), &ppim_regs_ops, s,
			      "ppim-regs", PPIM_REGS_BYTES);
	pci_register_bar(pci, PPIM_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY,
			 &s->regs);
	if (msix_init_exclusive_bar(pci, s->n_queues + 1, PPIM_BAR_MSIX, errp))
		return false;
	return caps_init(s, errp);
}

static void ppim_exit(PCIDevice *pci)
{
	PPIMState *s = PPIM(pci);

	ppim_reset(s);
	ppim_late(s, PPIM_LATE_EXIT);
	windows_exit(s);
	msix_uninit_exclusive_bar(pci);
	if (pci->exp.aer_cap)
		pcie_aer_exit(pci);
	pcie_cap_exit(pci);
}

static void ppim_realize(PCIDevice *pci, Error **errp)
{
	g_autofree struct ppim_config *c = g_new0(struct ppim_config, 1);
	PPIMState *s = PPIM(pci);
	struct ppim_engine *engine;

	if (!settings_init(s, errp) || !engine_init(s, c, &engine, errp))
		return;
	if (!windows_init(s, errp))
		goto free_engine;
	if (!pci_init(s, errp))
		goto unmap;
	memory_init(s);
	ppim_queue_init(s);
	ppim_time_init(s);
	pool_init(s, engine, g_steal_pointer(&c));
	if (!ppim_qom_realize(s, errp))
		ppim_exit(pci);
	return;

unmap:
	windows_exit(s);
free_engine:
	ppim_engine_free(engine);
}

static void ppim_config_write(PCIDevice *pci, uint32_t addr, uint32_t value,
			      int len)
{
	pci_default_write_config(pci, addr, value, len);
	pcie_cap_flr_write_config(pci, addr, value, len);
	if (pci->exp.aer_cap)
		pcie_aer_write_config(pci, addr, value, len);
}

/* ---- class --------------------------------------------------------------- */

static const Property ppim_properties[] = {
	DEFINE_PROP_LINK("hbm-memdev", PPIMState, hbm_memdev,
			 TYPE_MEMORY_BACKEND, HostMemoryBackend *),
	DEFINE_PROP_LINK("dimm-memdev", PPIMState, dimm_memdev,
			 TYPE_MEMORY_BACKEND, HostMemoryBackend *),
	DEFINE_PROP_STRING("hbm-spec", PPIMState, hbm_spec),
	DEFINE_PROP_STRING("dimm-spec", PPIMState, dimm_spec),
	DEFINE_PROP_STRING("params", PPIMState, params_text),
	DEFINE_PROP_STRING("arch", PPIMState, arch_name),
	DEFINE_PROP_STRING("timebase", PPIMState, timebase_name),
	DEFINE_PROP_BOOL("timing", PPIMState, timing, true),
	DEFINE_PROP_BOOL("charge-copies", PPIMState, charge_copies, true),
	DEFINE_PROP_SIZE("sram", PPIMState, sram, PPIM_SRAM_DEFAULT),
	DEFINE_PROP_UINT32("queues", PPIMState, n_queues, 8),
	DEFINE_PROP_UINT32("queue-entries", PPIMState, max_entries, 1024),
	DEFINE_PROP_UINT32("threads", PPIMState, n_threads, 0),
};

static void ppim_instance_init(Object *obj)
{
	PPIMState *s = PPIM(obj);

	s->hbm_spec = g_strdup("HBM2_4Gb_x128");
	s->dimm_spec = g_strdup("DDR4_8Gb_x8_3200");
	s->arch_name = g_strdup("proactive");
	s->timebase_name = g_strdup("device");
}

static const struct {
	const char *name, *text;
} property_texts[] = {
	{ "hbm-memdev", "memory backend of the HBM tier; a power of two" },
	{ "dimm-memdev", "memory backend of the DIMM tier" },
	{ "hbm-spec", "HBM specification: shipped name or path of an ini file" },
	{ "dimm-spec", "DIMM specification, likewise" },
	{ "params", "NAME=VALUE:... of the model; hbm.KEY or dimm.KEY changes "
		    "a specification" },
	{ "arch", "preset of batches that name none" },
	{ "timebase", "timeline of the memory: device or guest" },
	{ "timing", "completions appear at their simulated time" },
	{ "charge-copies", "copies by DMA take simulated time" },
	{ "sram", "SRAM of one bg-PIM, up to 64M; by default as in params" },
	{ "queues", "I/O queue pairs, 1 to 128" },
	{ "queue-entries", "most entries of a queue, a power of two, 2 to "
			   "32768" },
	{ "threads", "workers, up to 64; 0: one for each processor of the "
		     "host" },
};

static void ppim_instance_finalize(Object *obj)
{
	PPIMState *s = PPIM(obj);
	int kind;

	for (kind = 0; kind < PPIM_DUMPS; kind++)
		g_free(s->dump_path[kind]);
}

static void ppim_class_init(ObjectClass *oc, void *data)
{
	ResettableClass *rc = RESETTABLE_CLASS(oc);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
	DeviceClass *dc = DEVICE_CLASS(oc);
	size_t i;

	pc->realize = ppim_realize;
	pc->exit = ppim_exit;
	pc->config_write = ppim_config_write;
	pc->vendor_id = PPIM_PCI_VENDOR;
	pc->device_id = PPIM_PCI_DEVICE;
	pc->revision = PPIM_PCI_REVISION;
	pc->class_id = PPIM_PCI_CLASS;
	rc->phases.hold = ppim_reset_hold;
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
	dc->vmsd = &ppim_vmstate;
	dc->desc = "ProactivePIM memory: HBM with processing in memory, DIMM";
	device_class_set_props(dc, ppim_properties);
	for (i = 0; i < ARRAY_SIZE(property_texts); i++)
		object_class_property_set_description(oc,
						      property_texts[i].name,
						      property_texts[i].text);
	ppim_qom_init(oc);
}

static const TypeInfo ppim_info = {
	.name = TYPE_PPIM,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(PPIMState),
	.instance_init = ppim_instance_init,
	.instance_finalize = ppim_instance_finalize,
	.class_init = ppim_class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

static void ppim_register_types(void)
{
	type_register_static(&ppim_info);
}

type_init(ppim_register_types)
