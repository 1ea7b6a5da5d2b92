// SPDX-License-Identifier: GPL-2.0-only
/*
 * BAR 0: registers and doorbells. Accesses come in aligned words of 4 bytes;
 * the memory core splits wider ones.
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "ppim.h"
#include "trace.h"

#define QUEUE_ALIGN 64

/* Enumerations of which every value up to the last is built. */
#define MASK_TO(last)	((2u << (last)) - 1)

static uint64_t reg_value(PPIMState *s, hwaddr reg)
{
	switch (reg) {
	case PPIM_REG_MAGIC:
		return PPIM_MAGIC |
		       (uint64_t)(PPIM_VERSION_MAJOR << 16 |
				  PPIM_VERSION_MINOR) << 32;
	case PPIM_REG_CAP:
		return s->cap;
	case PPIM_REG_CTRL:
		return s->ctrl | (uint64_t)s->status << 32;
	case PPIM_REG_ERROR:
		return s->error | (uint64_t)s->aq_entries << 32;
	case PPIM_REG_ASQ:
		return s->asq;
	case PPIM_REG_ACQ:
		return s->acq;
	case PPIM_REG_MAX_QUEUES:
		return s->n_queues | (uint64_t)s->max_entries << 32;
	case PPIM_REG_MAX_TABLES:
		return PPIM_TABLES_MAX | (uint64_t)PPIM_INDICES_MAX << 32;
	case PPIM_REG_MAX_EXTENTS:
		return PPIM_EXTENTS_MAX | (uint64_t)PPIM_SG_MAX << 32;
	case PPIM_REG_ARCHS:
		return s->geo.archs | (uint64_t)s->arch_default << 32;
	case PPIM_REG_ALGOS:
		return MASK_TO(PPIM_ALGO_TT) |
		       (uint64_t)MASK_TO(PPIM_DTYPE_BF16) << 32;
	case PPIM_REG_COMBINES:
		return MASK_TO(PPIM_COMBINE_CONCAT) |
		       (uint64_t)MASK_TO(PPIM_MODE_MAX) << 32;
	case PPIM_REG_HBM_BYTES:
		return s->mem.hbm_bytes;
	case PPIM_REG_DIMM_BYTES:
		return s->mem.dimm_bytes;
	case PPIM_REG_SLICE_BYTES:
		return s->mem.slice_bytes;
	case PPIM_REG_SLICES:
		return s->geo.slices | (uint64_t)s->geo.channels << 32;
	case PPIM_REG_SRAM_BYTES:
		return s->geo.sram_bytes | (uint64_t)PPIM_ALIGN << 32;
	case PPIM_REG_HBM_ROW_BYTES:
		return s->geo.row_bytes | (uint64_t)s->timebase << 32;
	case PPIM_REG_NOW_PS:
		return ppim_time_now_ps(s);
	case PPIM_REG_HOT_PPM:
		return s->geo.hot_ppm | (uint64_t)PPIM_OUTPUT_MAX << 32;
	case PPIM_REG_MAX_COPY:
		return PPIM_COPY_MAX | (uint64_t)PPIM_FETCH_MAX << 32;
	default:
		return 0;
	}
}

static uint64_t regs_read(void *opaque, hwaddr addr, unsigned int size)
{
	PPIMState *s = opaque;
	uint32_t value = 0;

	if (addr < PPIM_REG_END)
		value = reg_value(s, addr & ~7ull) >> (addr & 4) * 8;
	trace_ppim_mmio_read(addr, value);
	return value;
}

static bool queue_base_valid(uint64_t addr)
{
	return addr && addr % QUEUE_ALIGN == 0;
}

static void device_enable(PPIMState *s)
{
	s->ctrl = PPIM_CTRL_ENABLE;
	if (!queue_base_valid(s->asq) || !queue_base_valid(s->acq) ||
	    s->aq_entries < 2 || s->aq_entries > s->max_entries ||
	    !is_power_of_2(s->aq_entries)) {
		PPIM_GUEST_ERR("enabled with an admin queue of %u entries at 0x%"
			       PRIx64 ", 0x%" PRIx64, s->aq_entries, s->asq,
			       s->acq);
		ppim_fatal(s, PPIM_HWERR_AQ_CONFIG);
		return;
	}
	memset(&s->stats, 0, sizeof(s->stats));
	ppim_queue_start(s, 0, s->asq, s->acq, s->aq_entries, 0);
	ppim_time_start(s);
	s->status = PPIM_STS_READY;
	trace_ppim_enable(s->asq, s->acq, s->aq_entries);
}

static void ctrl_write(PPIMState *s, uint32_t value)
{
	bool enable = value & PPIM_CTRL_ENABLE;

	if (value & ~PPIM_CTRL_ALL)
		PPIM_GUEST_ERR("reserved bits 0x%x written to CTRL", value);
	if (enable && !s->ctrl)
		device_enable(s);
	else if (!enable && s->ctrl)
		ppim_reset(s);
}

static void half_write(uint64_t *reg, hwaddr addr, uint32_t value)
{
	*reg = deposit64(*reg, (addr & 4) * 8, 32, value);
}

static void config_write(PPIMState *s, hwaddr addr, uint32_t value)
{
	if (s->ctrl) {
		PPIM_GUEST_ERR("register 0x%x written while enabled",
			       (unsigned int)addr);
		return;
	}
	switch (addr) {
	case PPIM_REG_AQ_ENTRIES:
		s->aq_entries = value;
		break;
	case PPIM_REG_ASQ:
	case PPIM_REG_ASQ + 4:
		half_write(&s->asq, addr, value);
		break;
	default:
		half_write(&s->acq, addr, value);
	}
}

static void reg_write(PPIMState *s, hwaddr addr, uint32_t value)
{
	switch (addr) {
	case PPIM_REG_CTRL:
		ctrl_write(s, value);
		break;
	case PPIM_REG_AQ_ENTRIES:
	case PPIM_REG_ASQ ... PPIM_REG_ASQ + 4:
	case PPIM_REG_ACQ ... PPIM_REG_ACQ + 4:
		config_write(s, addr, value);
		break;
	default:
		PPIM_GUEST_ERR("write to register 0x%x, which is read-only",
			       (unsigned int)addr);
	}
}

static void doorbell_write(PPIMState *s, hwaddr addr, uint32_t value)
{
	uint32_t qid = (addr - PPIM_DB_BASE) / 8;

	if (qid > s->n_queues) {
		PPIM_GUEST_ERR("doorbell of queue %u of %u", qid,
			       s->n_queues);
		return;
	}
	ppim_visit_begin(s);
	if (addr & 4) {
		s->doorbells.cq += !!qid;
		ppim_queue_cq_head(s, qid, value);
	} else {
		s->doorbells.sq += !!qid;
		ppim_queue_sq_tail(s, qid, value);
	}
	ppim_visit_end(s);
}

static void regs_write(void *opaque, hwaddr addr, uint64_t value,
		       unsigned int size)
{
	PPIMState *s = opaque;

	trace_ppim_mmio_write(addr, value);
	if (addr >= PPIM_DB_BASE)
		doorbell_write(s, addr, value);
	else
		reg_write(s, addr, value);
}

const MemoryRegionOps ppim_regs_ops = {
	.read = regs_read,
	.write = regs_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 8 },
	.impl = { .min_access_size = 4, .max_access_size = 4 },
};
