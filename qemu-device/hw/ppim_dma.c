// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: the only file that reads or writes it. All under the big lock.
 *
 * A device may reach memory, and nothing else: neither registers (a write to
 * them could come back to us) nor a window of a PCI function, our own
 * included. MemTxAttrs.memory refuses the first; RAM behind a BAR it lets
 * pass, so that is looked up before.
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/rcu.h"
#include "exec/memory.h"
#include "ppim.h"
#include "trace.h"

#define SG_PAGE 4096	/* a list is read up to such a boundary at a time */

static const MemTxAttrs dma_attrs = { .memory = 1 };

static bool region_is_memory(MemoryRegion *mr)
{
	if (!memory_region_is_ram(mr))
		return false;
	for (; mr; mr = mr->container) {
		Object *owner = memory_region_owner(mr);

		if (owner && object_dynamic_cast(owner, TYPE_PCI_DEVICE))
			return false;
	}
	return true;
}

/* Is all of it memory? Otherwise *bad is the first address that is not. A fault
 * on the way may have reset the device, which then reaches nothing. Each region
 * and each page of a remapping unit that is looked up counts for the visit. */
static bool dma_allowed(PPIMState *s, uint64_t addr, uint64_t bytes,
			bool is_write, uint64_t *bad)
{
	AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
	hwaddr xlat, len;
	MemoryRegion *mr;

	RCU_READ_LOCK_GUARD();
	*bad = addr;
	for (; bytes && ppim_running(s); addr += len, bytes -= len) {
		len = bytes;
		s->visit.bytes += PPIM_ACCESS_BYTES;
		mr = address_space_translate(as, addr, &xlat, &len, is_write,
					     dma_attrs);
		*bad = addr;
		if (!len || !region_is_memory(mr))
			return false;
		if (is_write && (mr->readonly || mr->rom_device))
			return false;
		if (addr + len < addr && bytes != len)
			return false;
	}
	return ppim_running(s);
}

static int dma_rw(PPIMState *s, uint64_t addr, void *buf, uint64_t bytes,
		  DMADirection dir, uint64_t *bad)
{
	bool to_guest = dir == DMA_DIRECTION_FROM_DEVICE;

	if (!dma_allowed(s, addr, bytes, to_guest, bad))
		goto refused;
	*bad = addr;
	/* beyond what finding the address has counted */
	s->visit.bytes += bytes - MIN(bytes, PPIM_ACCESS_BYTES);
	if (pci_dma_rw(PCI_DEVICE(s), addr, buf, bytes, dir, dma_attrs))
		goto refused;
	return 0;

refused:
	trace_ppim_dma_error(*bad, bytes, to_guest);
	PPIM_GUEST_ERR("no memory at bus address 0x%" PRIx64 " (%s)", *bad,
		       to_guest ? "write" : "read");
	return -1;
}

int ppim_dma_read(PPIMState *s, uint64_t addr, void *buf, uint64_t bytes,
		  uint64_t *bad)
{
	return dma_rw(s, addr, buf, bytes, DMA_DIRECTION_TO_DEVICE, bad);
}

int ppim_dma_write(PPIMState *s, uint64_t addr, const void *buf,
		   uint64_t bytes)
{
	uint64_t bad;

	return dma_rw(s, addr, (void *)buf, bytes, DMA_DIRECTION_FROM_DEVICE,
		      &bad);
}

/* Against the limit of what a command reads. */
static int fetch_count(struct ppim_cmd *cmd, uint64_t bytes)
{
	if (bytes > PPIM_FETCH_MAX - cmd->fetched)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_FETCH_MAX);
	cmd->fetched += bytes;
	return 0;
}

static int coroutine_fn cmd_read(PPIMState *s, struct ppim_cmd *cmd,
				 uint64_t addr, uint8_t *buf, uint64_t bytes)
{
	uint64_t bad, n;

	for (; bytes; addr += n, buf += n, bytes -= n) {
		n = MIN(bytes, PPIM_PIECE_BYTES);
		if (ppim_load_read(s, addr, buf, n, &bad))
			return ppim_cmd_fail(cmd, PPIM_ST_BAD_ADDRESS, bad);
	}
	return 0;
}

/* As ppim_dma_read(), on a command's behalf and against its limit. */
int coroutine_fn ppim_cmd_fetch(PPIMState *s, struct ppim_cmd *cmd,
				uint64_t addr, void *buf, uint64_t bytes)
{
	if (fetch_count(cmd, MAX(bytes, PPIM_ACCESS_BYTES)))
		return -1;
	return cmd_read(s, cmd, addr, buf, bytes);
}

/* ---- buffers ------------------------------------------------------------- */

static int buf_append(struct ppim_cmd *cmd, struct ppim_buf *buf,
		      uint64_t addr, uint64_t bytes)
{
	if (buf->n_segs == buf->max_segs)
		return ppim_cmd_bad_field(cmd, PPIM_IN_SG, 0);
	if (fetch_count(cmd, PPIM_ACCESS_BYTES))
		return -1;
	buf->segs[buf->n_segs++] = (struct ppim_seg){ addr, bytes };
	return 0;
}

#define sg_bad(cmd, field) \
	ppim_cmd_bad_field(cmd, PPIM_IN_SG, offsetof(struct ppim_hw_sg, field))

static int sg_check(struct ppim_cmd *cmd, const struct ppim_hw_sg *sg)
{
	uint32_t flags = le32_to_cpu(sg->flags), bytes = le32_to_cpu(sg->bytes);

	if (flags & ~PPIM_SG_CHAIN)
		return sg_bad(cmd, flags);
	if (!bytes || (flags && bytes % sizeof(*sg)))
		return sg_bad(cmd, bytes);
	if (flags && le64_to_cpu(sg->addr) % sizeof(*sg))
		return sg_bad(cmd, addr);
	return 0;
}

/*
 * Walks the list, an array at a time. How long the first array is only its
 * CHAIN entry says, so entries are read up to page boundaries. Every entry
 * counts, so that a list that chains to itself ends too.
 */
static int coroutine_fn sg_walk(PPIMState *s, struct ppim_cmd *cmd,
				uint64_t addr, uint32_t n_sg,
				struct ppim_buf *buf)
{
	struct ppim_hw_sg page[SG_PAGE / sizeof(struct ppim_hw_sg)];
	uint64_t room = UINT64_MAX;	/* entries left in this array */
	uint32_t n, i;

	while (n_sg) {
		n = (SG_PAGE - addr % SG_PAGE) / sizeof(page[0]);
		n = MIN(MIN(n, n_sg), room);
		if (!n)		/* array over, entries left, and no chain */
			return ppim_cmd_bad_field(cmd, PPIM_IN_SG, 0);
		if (ppim_cmd_fetch(s, cmd, addr, page, n * sizeof(page[0])))
			return -1;
		addr += n * sizeof(page[0]);
		room -= n;
		for (i = 0; i < n; i++) {
			n_sg--;
			if (sg_check(cmd, &page[i]))
				return -1;
			if (page[i].flags) {
				if (!n_sg)
					return sg_bad(cmd, flags);
				addr = le64_to_cpu(page[i].addr);
				room = le32_to_cpu(page[i].bytes) /
				       sizeof(page[0]);
				break;
			}
			if (buf_append(cmd, buf, le64_to_cpu(page[i].addr),
				       le32_to_cpu(page[i].bytes)))
				return -1;
		}
	}
	return 0;
}

static bool buf_is_whole(const struct ppim_buf *buf)
{
	uint64_t sum = 0;
	int32_t i;

	/* at most PPIM_SG_MAX entries of 32 bits: no overflow */
	for (i = 0; i < buf->n_segs; i++)
		sum += buf->segs[i].bytes;
	return sum == buf->bytes;
}

/*
 * Resolves a buffer descriptor that stands at offset `field` (enum ppim_hw_where
 * in its high half). buf->bytes says how long it has to be.
 */
int coroutine_fn ppim_buf_load(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_hw_buf *hw, uint64_t field,
			       struct ppim_buf *buf)
{
	uint32_t n_sg = le32_to_cpu(hw->n_sg);
	enum ppim_hw_where where = field >> 32;
	uint32_t at = (uint32_t)field;

	if (hw->reserved)
		return ppim_cmd_bad_field(cmd, where, at + 20);
	if (le64_to_cpu(hw->bytes) != buf->bytes)
		return ppim_cmd_bad_field(cmd, where, at + 8);
	if (!buf->bytes)
		return 0;
	if (n_sg > PPIM_SG_MAX)
		return ppim_cmd_fail(cmd, PPIM_ST_TOO_LARGE, PPIM_SG_MAX);
	if (n_sg && le64_to_cpu(hw->addr) % sizeof(struct ppim_hw_sg))
		return ppim_cmd_bad_field(cmd, where, at);
	buf->max_segs = MAX((int32_t)n_sg, 1);
	buf->segs = ppim_cmd_alloc(cmd, buf->max_segs, sizeof(*buf->segs));
	if (!buf->segs)
		return -1;
	if (!n_sg)
		return buf_append(cmd, buf, le64_to_cpu(hw->addr), buf->bytes);
	if (sg_walk(s, cmd, le64_to_cpu(hw->addr), n_sg, buf))
		return -1;
	if (!buf_is_whole(buf))
		return ppim_cmd_bad_field(cmd, where, at + 8);
	return 0;
}

void ppim_buf_free(struct ppim_buf *buf)
{
	g_free(buf->segs);
	buf->segs = NULL;
	buf->n_segs = 0;
}

int coroutine_fn ppim_buf_read(PPIMState *s, struct ppim_cmd *cmd,
			       const struct ppim_buf *buf, void *data)
{
	uint8_t *p = data;
	uint64_t n;
	int32_t i;

	for (i = 0; i < buf->n_segs; i++) {
		n = buf->segs[i].bytes;
		/* buf_append() has counted the segment itself */
		if (n > PPIM_ACCESS_BYTES &&
		    fetch_count(cmd, n - PPIM_ACCESS_BYTES))
			return -1;
		if (cmd_read(s, cmd, buf->segs[i].addr, p, n))
			return -1;
		p += n;
	}
	return 0;
}

/* A piece of the buffer: writes it, or asks whether it could be (data NULL). */
static int piece_write(PPIMState *s, uint64_t addr, const uint8_t *data,
		       uint64_t bytes, uint64_t *bad)
{
	if (data)
		return dma_rw(s, addr, (void *)data, bytes,
			      DMA_DIRECTION_FROM_DEVICE, bad);
	return dma_allowed(s, addr, bytes, true, bad) ? 0 : -1;
}

/* Writes the buffer out of data, or asks whether it could be written (data
 * NULL), from byte *done on and as far as the visit allows; *done says how far
 * that was. */
int ppim_buf_write(PPIMState *s, const struct ppim_buf *buf,
		   const uint8_t *data, uint64_t *done, uint64_t *bad)
{
	uint64_t begin = 0, skip, n;
	int32_t i;

	for (i = 0; i < buf->n_segs; begin += buf->segs[i++].bytes) {
		const struct ppim_seg *seg = &buf->segs[i];

		while (*done < begin + seg->bytes) {
			if (ppim_visit_over(s))
				return 0;
			skip = *done - begin;
			n = MIN(seg->bytes - skip, PPIM_PIECE_BYTES);
			if (piece_write(s, seg->addr + skip,
					data ? data + *done : NULL, n, bad))
				return -1;
			*done += n;
		}
	}
	return 0;
}
