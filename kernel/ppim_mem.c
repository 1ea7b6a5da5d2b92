// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory: pinning (counted against RLIMIT_MEMLOCK, as the uapi promises,
 * for registrations and for batches in flight alike), mapping for the device,
 * registrations, scatter lists.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ppim_drv.h"

#define PPIM_PIN_BATCH		1024	/* pages between looks for a signal */
#define PPIM_SG_MAX_BYTES	SZ_1G

u64 ppim_pin_count(u64 addr, u64 bytes)
{
	return (offset_in_page(addr) + bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static int ppim_pin_account(struct ppim_device *pd, struct mm_struct *mm, u32 n)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(n, &mm->pinned_vm) > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(n, &mm->pinned_vm);
		return -ENOMEM;
	}
	atomic64_add(n, &pd->counters.pinned_pages);
	return 0;
}

static void ppim_pin_unaccount(struct ppim_device *pd, struct mm_struct *mm, u32 n)
{
	atomic64_sub(n, &mm->pinned_vm);
	atomic64_sub(n, &pd->counters.pinned_pages);
}

static int ppim_pin_fill(struct ppim_pin *pin, u64 start, u32 n, unsigned int gup_flags)
{
	int got;

	while (pin->n_pages < n) {
		if (fatal_signal_pending(current))
			return -EINTR;
		got = pin_user_pages_fast(start + ((u64)pin->n_pages << PAGE_SHIFT),
					  min_t(u32, n - pin->n_pages, PPIM_PIN_BATCH),
					  gup_flags, pin->pages + pin->n_pages);
		if (got <= 0)
			return got ?: -EFAULT;
		pin->n_pages += got;
		cond_resched();
	}
	return 0;
}

/**
 * ppim_pin_pages - pin user memory of the current process
 * @pd: device
 * @pin: @pages has room for ppim_pin_count() entries; @write is set
 * @addr: user address
 * @bytes: not zero; the count of pages fits 32 bits
 * @gup_flags: FOLL_LONGTERM for a registration
 */
int ppim_pin_pages(struct ppim_device *pd, struct ppim_pin *pin, u64 addr, u64 bytes,
		   unsigned int gup_flags)
{
	u32 n = ppim_pin_count(addr, bytes);
	int ret;

	if (!access_ok(u64_to_user_ptr(addr), bytes))
		return -EFAULT;
	ret = ppim_pin_account(pd, current->mm, n);
	if (ret)
		return ret;
	pin->mm = current->mm;
	pin->first = offset_in_page(addr);
	ret = ppim_pin_fill(pin, addr & PAGE_MASK, n, gup_flags | (pin->write ? FOLL_WRITE : 0));
	if (!ret) {
		mmgrab(pin->mm);
		return 0;
	}
	unpin_user_pages(pin->pages, pin->n_pages);
	ppim_pin_unaccount(pd, pin->mm, n);
	pin->mm = NULL;
	pin->n_pages = 0;
	return ret;
}

/* May sleep: pages that the device wrote are marked dirty. */
void ppim_pin_release(struct ppim_device *pd, struct ppim_pin *pin)
{
	if (!pin->mm)
		return;
	unpin_user_pages_dirty_lock(pin->pages, pin->n_pages, pin->write);
	ppim_pin_unaccount(pd, pin->mm, pin->n_pages);
	mmdrop(pin->mm);
	pin->mm = NULL;
	pin->n_pages = 0;
}

/* Whole pages are mapped, so memory beside the buffer must come back as it was. */
static enum dma_data_direction ppim_pin_direction(const struct ppim_pin *pin)
{
	return pin->write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/* Gate */
int ppim_pin_map(struct ppim_device *pd, struct ppim_pin *pin)
{
	struct device *dev = &pd->pdev->dev;
	dma_addr_t dma;

	while (pin->n_mapped < pin->n_pages) {
		dma = dma_map_page(dev, pin->pages[pin->n_mapped], 0, PAGE_SIZE,
				   ppim_pin_direction(pin));
		if (dma_mapping_error(dev, dma)) {
			ppim_pin_unmap(pd, pin);
			return -ENOMEM;
		}
		pin->sync |= dma_need_sync(dev, dma);
		pin->dma[pin->n_mapped++] = dma;
	}
	return 0;
}

void ppim_pin_unmap(struct ppim_device *pd, struct ppim_pin *pin)
{
	while (pin->n_mapped)
		dma_unmap_page(&pd->pdev->dev, pin->dma[--pin->n_mapped], PAGE_SIZE,
			       ppim_pin_direction(pin));
}

/* A registration's mapping outlives the batch: what the batch uses of it is
 * handed to the device before, and back to the CPU after.
 */
void ppim_pin_sync(struct ppim_device *pd, const struct ppim_pin *pin, u64 offset, u64 bytes,
		   bool for_cpu)
{
	struct device *dev = &pd->pdev->dev;
	u64 pos = pin->first + offset, end = pos + bytes, n;

	for (; pin->sync && pos < end; pos += n) {
		dma_addr_t dma = pin->dma[pos >> PAGE_SHIFT];

		n = min_t(u64, end - pos, PAGE_SIZE - offset_in_page(pos));
		if (for_cpu)
			dma_sync_single_range_for_cpu(dev, dma, offset_in_page(pos), n,
						      ppim_pin_direction(pin));
		else
			dma_sync_single_range_for_device(dev, dma, offset_in_page(pos), n,
							 ppim_pin_direction(pin));
	}
}

struct ppim_mem *ppim_mem_use(struct ppim_file *file, u32 handle)
{
	struct ppim_mem *m;

	xa_lock(&file->mems);
	m = xa_load(&file->mems, handle);
	if (!m)
		m = ERR_PTR(-ENOENT);
	else if (!ppim_use_get(&m->users))
		m = ERR_PTR(-EBUSY);
	xa_unlock(&file->mems);
	return m;
}

static int ppim_mem_alloc_pages(struct ppim_mem *m, u64 n)
{
	if (n > U32_MAX)
		return -ENOMEM;
	m->pin.pages = kvmalloc_array(n, sizeof(*m->pin.pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	m->pin.dma = kvmalloc_array(n, sizeof(*m->pin.dma), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	return m->pin.pages && m->pin.dma ? 0 : -ENOMEM;
}

static int ppim_mem_map(struct ppim_device *pd, struct ppim_mem *m)
{
	int ret;

	ret = ppim_gate_enter(pd);
	if (ret)
		return ret;
	mutex_lock(&pd->list_mutex);
	ret = ppim_pin_map(pd, &m->pin);
	if (!ret)
		list_add_tail(&m->node, &pd->mems);
	mutex_unlock(&pd->list_mutex);
	ppim_gate_exit(pd);
	return ret;
}

static void ppim_mem_free(struct ppim_device *pd, struct ppim_mem *m)
{
	mutex_lock(&pd->list_mutex);
	list_del(&m->node);
	ppim_pin_unmap(pd, &m->pin);
	mutex_unlock(&pd->list_mutex);
	ppim_pin_release(pd, &m->pin);
	kvfree(m->pin.pages);
	kvfree(m->pin.dma);
	kfree(m);
}

/* The device goes: its mappings go with it, the pages stay pinned for their
 * owner until the file is closed.
 */
void ppim_mem_unmap_all(struct ppim_device *pd)
{
	struct ppim_mem *m;

	mutex_lock(&pd->list_mutex);
	list_for_each_entry(m, &pd->mems, node)
		ppim_pin_unmap(pd, &m->pin);
	mutex_unlock(&pd->list_mutex);
}

static int ppim_mem_check(const struct ppim_ioc_mem *a)
{
	u64 end;

	if (a->flags & ~PPIM_MEM_WRITE || a->reserved)
		return -EINVAL;
	if (!a->bytes || offset_in_page(a->addr))
		return -EINVAL;
	return check_add_overflow(a->addr, a->bytes, &end) ? -EINVAL : 0;
}

static int ppim_mem_pin(struct ppim_device *pd, struct ppim_mem *m, const struct ppim_ioc_mem *a)
{
	int ret;

	m->bytes = a->bytes;
	m->pin.write = a->flags & PPIM_MEM_WRITE;
	ret = ppim_mem_alloc_pages(m, ppim_pin_count(a->addr, a->bytes));
	if (!ret)
		ret = ppim_pin_pages(pd, &m->pin, a->addr, a->bytes, FOLL_LONGTERM);
	if (!ret)
		ret = ppim_mem_map(pd, m);
	return ret;
}

int ppim_mem_register(struct ppim_file *file, void *arg)
{
	struct ppim_ioc_mem *a = arg;
	struct ppim_mem *m;
	int ret;

	ret = ppim_mem_check(a);
	if (ret)
		return ret;
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	INIT_LIST_HEAD(&m->node);
	ret = ppim_mem_pin(file->pd, m, a);
	if (!ret && xa_alloc(&file->mems, &a->handle, m,
			     XA_LIMIT(1, PPIM_FILE_MAX_MEMS), GFP_KERNEL_ACCOUNT))
		ret = -ENOMEM;
	if (ret)
		ppim_mem_free(file->pd, m);
	return ret;
}

static struct ppim_mem *ppim_mem_take(struct ppim_file *file, u32 handle)
{
	struct ppim_mem *m;

	xa_lock(&file->mems);
	m = xa_load(&file->mems, handle);
	if (!m)
		m = ERR_PTR(-ENOENT);
	else if (!ppim_use_freeze(&m->users))
		m = ERR_PTR(-EBUSY);
	else
		__xa_erase(&file->mems, handle);
	xa_unlock(&file->mems);
	return m;
}

int ppim_mem_unregister(struct ppim_file *file, void *arg)
{
	const struct ppim_ioc_handle *h = arg;
	struct ppim_mem *m = ppim_mem_take(file, h->handle);

	if (IS_ERR(m))
		return PTR_ERR(m);
	ppim_mem_free(file->pd, m);
	return 0;
}

/* The file is being closed: no call and no work of it is left. */
void ppim_mem_close_all(struct ppim_file *file)
{
	struct ppim_mem *m;
	unsigned long handle;

	xa_for_each(&file->mems, handle, m) {
		WARN_ON_ONCE(atomic_read(&m->users));
		ppim_mem_free(file->pd, m);
		cond_resched();
	}
	xa_destroy(&file->mems);
}

/* The longest run of bus addresses at a position of a pin. */
static u64 ppim_pin_run(const struct ppim_pin *pin, u64 pos, u64 left, dma_addr_t *addr)
{
	u32 i = pos >> PAGE_SHIFT;
	u64 n = PAGE_SIZE - offset_in_page(pos);

	*addr = pin->dma[i] + offset_in_page(pos);
	for (; n < left && n < PPIM_SG_MAX_BYTES; i++, n += PAGE_SIZE)
		if (pin->dma[i + 1] != pin->dma[i] + PAGE_SIZE)
			break;
	return min(n, left);
}

static int ppim_sg_chunk_add(struct ppim_sg_writer *w)
{
	struct ppim_sg_chunk *c = kmalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return -ENOMEM;
	c->entries = dma_pool_alloc(w->pd->sg_pool, GFP_KERNEL, &c->dma);
	if (!c->entries) {
		kfree(c);
		return -ENOMEM;
	}
	list_add_tail(&c->node, w->chunks);
	w->entries = c->entries;
	w->dma = c->dma;
	w->capacity = PPIM_SG_CHUNK_ENTRIES;
	w->used = 0;
	return 0;
}

void ppim_sg_free(struct ppim_device *pd, struct list_head *chunks)
{
	struct ppim_sg_chunk *c, *next;

	list_for_each_entry_safe(c, next, chunks, node) {
		dma_pool_free(pd->sg_pool, c->entries, c->dma);
		kfree(c);
	}
	INIT_LIST_HEAD(chunks);
}

/* A list that is being written: the chain entry that leads to the present
 * array learns the array's length when it is known.
 */
struct ppim_sg_list {
	struct ppim_hw_sg *chain;
	u32 start;			/* in the present array */
	u32 n;
};

static void ppim_sg_close_array(struct ppim_sg_writer *w, struct ppim_sg_list *l)
{
	if (l->chain)
		l->chain->bytes = cpu_to_le32((w->used - l->start) * sizeof(*l->chain));
}

/* The last entry of an array is kept for the chain. */
static int ppim_sg_room(struct ppim_sg_writer *w, struct ppim_sg_list *l)
{
	struct ppim_hw_sg *chain = &w->entries[w->used];
	int ret;

	if (w->used + 1 < w->capacity)
		return 0;
	w->used++;
	l->n++;
	ppim_sg_close_array(w, l);
	ret = ppim_sg_chunk_add(w);
	if (ret)
		return ret;
	*chain = (struct ppim_hw_sg) {
		.addr = cpu_to_le64(w->dma),
		.flags = cpu_to_le32(PPIM_SG_CHAIN),
	};
	l->chain = chain;
	l->start = 0;
	return 0;
}

static int ppim_sg_add(struct ppim_sg_writer *w, struct ppim_sg_list *l, dma_addr_t addr, u64 n)
{
	int ret;

	ret = ppim_sg_room(w, l);
	if (ret)
		return ret;
	if (l->n >= w->pd->limits.max_sg)
		return -E2BIG;
	w->entries[w->used++] = (struct ppim_hw_sg) {
		.addr = cpu_to_le64(addr),
		.bytes = cpu_to_le32(n),
	};
	l->n++;
	return 0;
}

/**
 * ppim_sg_write - describe part of a mapped pin to the device
 * @w: where scatter entries go
 * @pin: mapped pages
 * @offset: in the pin
 * @bytes: length; 0 describes an empty buffer
 * @out: the description
 *
 * Return: 0, -E2BIG (more entries than the device takes), -ENOMEM.
 */
int ppim_sg_write(struct ppim_sg_writer *w, const struct ppim_pin *pin, u64 offset, u64 bytes,
		  struct ppim_hw_buf *out)
{
	struct ppim_sg_list l = { };
	u64 pos = pin->first + offset, n;
	dma_addr_t addr;
	int ret;

	*out = (struct ppim_hw_buf) { .bytes = cpu_to_le64(bytes) };
	if (!bytes)
		return 0;
	n = ppim_pin_run(pin, pos, bytes, &addr);
	if (n == bytes) {
		out->addr = cpu_to_le64(addr);
		return 0;
	}
	if (w->used + 2 >= w->capacity) {
		ret = ppim_sg_chunk_add(w);
		if (ret)
			return ret;
	}
	l.start = w->used;
	out->addr = cpu_to_le64(w->dma + w->used * sizeof(*w->entries));
	for (;; n = ppim_pin_run(pin, pos, bytes, &addr)) {
		ret = ppim_sg_add(w, &l, addr, n);
		if (ret)
			return ret;
		pos += n;
		bytes -= n;
		if (!bytes)
			break;
	}
	ppim_sg_close_array(w, &l);
	out->n_sg = cpu_to_le32(l.n);
	return 0;
}
