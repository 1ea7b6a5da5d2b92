// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables: their parameters, the context that the device reads, listings.
 * A context is ordinary kernel memory, mapped for the device as long as the
 * table lives and charged to the creator's cgroup.
 */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ppim_drv.h"
#include "ppim_trace.h"

struct ppim_table *ppim_table_use(struct ppim_file *file, u32 handle)
{
	struct ppim_table *t;

	xa_lock(&file->tables);
	t = xa_load(&file->tables, handle);
	if (!t)
		t = ERR_PTR(-ENOENT);
	else if (!ppim_use_get(&t->users))
		t = ERR_PTR(-EBUSY);
	xa_unlock(&file->tables);
	return t;
}

/* For the caller alone, until ppim_use_thaw. */
struct ppim_table *ppim_table_freeze(struct ppim_file *file, u32 handle)
{
	struct ppim_table *t;

	xa_lock(&file->tables);
	t = xa_load(&file->tables, handle);
	if (!t)
		t = ERR_PTR(-ENOENT);
	else if (!ppim_use_freeze(&t->users))
		t = ERR_PTR(-EBUSY);
	xa_unlock(&file->tables);
	return t;
}

static void ppim_shape_of(const struct ppim_ioc_table_create *c, struct ppim_shape *s)
{
	*s = (struct ppim_shape) {
		.rows = c->rows,
		.dim = c->dim,
		.collisions = c->collisions,
		.algo = c->algo,
		.dtype = c->dtype,
		.combine = c->combine,
		.qr_order = c->qr_order,
	};
	memcpy(s->tt_p, c->tt_p, sizeof(s->tt_p));
	memcpy(s->tt_q, c->tt_q, sizeof(s->tt_q));
	memcpy(s->tt_r, c->tt_r, sizeof(s->tt_r));
}

/* Legal, but does this device have it? */
static int ppim_shape_served(const struct ppim_limits *l, const struct ppim_shape *s)
{
	if (!(l->algos & BIT(s->algo)) || !(l->dtypes & BIT(s->dtype)))
		return -EOPNOTSUPP;
	if (s->algo != PPIM_ALGO_QR)
		return 0;
	if (!(l->combines & BIT(s->combine)))
		return -EOPNOTSUPP;
	if (s->qr_order == PPIM_QR_POOLED && !(l->caps & PPIM_CAP_QR_POOLED))
		return -EOPNOTSUPP;
	return 0;
}

/* Names end up in logs: printable, terminated. */
static bool ppim_name_valid(const char *name, size_t size)
{
	size_t i, n = strnlen(name, size);

	for (i = 0; i < n; i++)
		if (!isascii(name[i]) || !isprint(name[i]))
			return false;
	return n < size;
}

static int ppim_create_check(struct ppim_device *pd, const struct ppim_ioc_table_create *c,
			     struct ppim_shape *shape)
{
	if (c->flags || memchr_inv(c->reserved, 0, sizeof(c->reserved)))
		return -EINVAL;
	if (!ppim_name_valid(c->name, sizeof(c->name)))
		return -EINVAL;
	ppim_shape_of(c, shape);
	if (!ppim_shape_valid(shape))
		return -EINVAL;
	return ppim_shape_served(&pd->limits, shape);
}

static void ppim_context_fill(struct ppim_table *t)
{
	struct ppim_hw_table *hw = t->hw;
	u32 k;

	hw->algo = t->shape.algo;
	hw->dtype = t->shape.dtype;
	hw->combine = t->shape.combine;
	hw->qr_order = t->shape.qr_order;
	hw->rows = cpu_to_le64(t->shape.rows);
	hw->dim = cpu_to_le32(t->shape.dim);
	hw->collisions = cpu_to_le32(t->shape.collisions);
	for (k = 0; k < 3; k++) {
		hw->tt_p[k] = cpu_to_le32(t->shape.tt_p[k]);
		hw->tt_q[k] = cpu_to_le32(t->shape.tt_q[k]);
	}
	for (k = 0; k < 2; k++)
		hw->tt_r[k] = cpu_to_le32(t->shape.tt_r[k]);
	hw->n_subtables = cpu_to_le32(t->n_subs);
	for (k = 0; k < t->n_subs; k++) {
		hw->sub[k].rows = cpu_to_le64(t->sub[k].rows);
		hw->sub[k].row_bytes = cpu_to_le32(t->sub[k].row_bytes);
	}
}

static struct ppim_table *ppim_table_alloc(struct ppim_file *file,
					   const struct ppim_ioc_table_create *c,
					   const struct ppim_shape *shape)
{
	struct ppim_table *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	u32 k;

	if (!t)
		return NULL;
	t->hw = kzalloc(sizeof(*t->hw), GFP_KERNEL_ACCOUNT);
	if (!t->hw) {
		kfree(t);
		return NULL;
	}
	t->file = file;
	t->pid = get_pid(task_tgid(current));
	t->create = *c;
	t->shape = *shape;
	mutex_init(&t->lock);
	/* Frozen until it is complete and can be found. */
	atomic_set(&t->users, PPIM_FROZEN);
	t->n_subs = ppim_shape_subtables(shape);
	for (k = 0; k < t->n_subs; k++) {
		t->sub[k].rows = ppim_shape_rows(shape, k);
		t->sub[k].row_bytes = ppim_shape_row_bytes(shape, k);
	}
	ppim_context_fill(t);
	return t;
}

/* Gate, list_mutex */
static int ppim_table_map(struct ppim_device *pd, struct ppim_table *t)
{
	struct device *dev = &pd->pdev->dev;

	t->hw_dma = dma_map_single(dev, t->hw, sizeof(*t->hw), DMA_TO_DEVICE);
	if (dma_mapping_error(dev, t->hw_dma))
		return -ENOMEM;
	t->mapped = true;
	return 0;
}

/* list_mutex */
static void ppim_table_unmap(struct ppim_device *pd, struct ppim_table *t)
{
	struct device *dev = &pd->pdev->dev;
	struct ppim_sub *s;

	lockdep_assert_held(&pd->list_mutex);
	if (!t->mapped)
		return;
	dma_unmap_single(dev, t->hw_dma, sizeof(*t->hw), DMA_TO_DEVICE);
	for (s = t->sub; s < t->sub + t->n_subs; s++)
		if (s->hw)
			dma_unmap_single(dev, s->hw_dma, s->n_extents * sizeof(*s->hw),
					 DMA_TO_DEVICE);
	t->mapped = false;
}

/* The device goes: its mappings go with it, the tables wait for their files. */
void ppim_table_unmap_all(struct ppim_device *pd)
{
	struct ppim_table *t;
	unsigned long id;

	mutex_lock(&pd->list_mutex);
	xa_for_each(&pd->tables, id, t)
		ppim_table_unmap(pd, t);
	mutex_unlock(&pd->list_mutex);
}

/* Gives it an id, a mapping and a place in the device's list. */
static int ppim_table_list(struct ppim_device *pd, struct ppim_table *t)
{
	int ret;

	ret = ppim_gate_enter(pd);
	if (ret)
		return ret;
	mutex_lock(&pd->list_mutex);
	t->id = pd->last_table_id + 1;
	t->hw->id = cpu_to_le64(t->id);
	ret = ppim_table_map(pd, t);
	if (ret)
		goto out;
	ret = xa_insert(&pd->tables, t->id, t, GFP_KERNEL);
	if (ret)
		ppim_table_unmap(pd, t);
	else
		pd->last_table_id = t->id;
out:
	mutex_unlock(&pd->list_mutex);
	ppim_gate_exit(pd);
	return ret;
}

/* Nobody uses it and nobody can find it any more. */
static void ppim_table_free(struct ppim_table *t)
{
	struct ppim_device *pd = t->file->pd;
	u32 k;

	mutex_lock(&pd->list_mutex);
	if (t->id)
		xa_erase(&pd->tables, t->id);
	ppim_table_unmap(pd, t);
	mutex_unlock(&pd->list_mutex);
	for (k = 0; k < t->n_subs; k++)
		ppim_sub_release(pd, &t->sub[k]);
	put_pid(t->pid);
	kfree(t->hw);
	kfree(t);
}

int ppim_table_create(struct ppim_file *file, void *arg)
{
	struct ppim_ioc_table_create *c = arg;
	struct ppim_shape shape;
	struct ppim_table *t;
	int ret;

	ret = ppim_create_check(file->pd, c, &shape);
	if (ret)
		return ret;
	t = ppim_table_alloc(file, c, &shape);
	if (!t)
		return -ENOMEM;
	ret = ppim_table_list(file->pd, t);
	if (ret)
		goto free;
	ret = xa_alloc(&file->tables, &t->handle, t,
		       XA_LIMIT(1, PPIM_FILE_MAX_TABLES), GFP_KERNEL_ACCOUNT);
	if (ret) {
		ret = -ENOMEM;
		goto free;
	}
	c->handle = t->handle;
	c->id = t->id;
	ppim_use_thaw(&t->users);
	return 0;
free:
	ppim_table_free(t);
	return ret;
}

int ppim_table_destroy(struct ppim_file *file, void *arg)
{
	const struct ppim_ioc_handle *h = arg;
	struct ppim_table *t = ppim_table_freeze(file, h->handle);

	if (IS_ERR(t))
		return PTR_ERR(t);
	xa_erase(&file->tables, h->handle);
	ppim_table_free(t);
	return 0;
}

/* The file is being closed: no call and no work of it is left. */
void ppim_table_close_all(struct ppim_file *file)
{
	struct ppim_table *t;
	unsigned long handle;

	xa_for_each(&file->tables, handle, t) {
		WARN_ON_ONCE(atomic_read(&t->users));
		ppim_table_free(t);
		cond_resched();
	}
	xa_destroy(&file->tables);
}

/* Gate */
static void ppim_context_sync(struct ppim_device *pd, struct ppim_table *t)
{
	dma_sync_single_for_device(&pd->pdev->dev, t->hw_dma, sizeof(*t->hw), DMA_TO_DEVICE);
}

/* A new epoch: contents or places are not what they were. Gate; the table is
 * frozen or its lock held. A batch takes the epoch that it was admitted under.
 */
void ppim_table_changed(struct ppim_table *t)
{
	WRITE_ONCE(t->hw->epoch, cpu_to_le32(le32_to_cpu(t->hw->epoch) + 1));
	ppim_context_sync(t->file->pd, t);
}

static int ppim_hint_set(struct ppim_table *t, u32 sub, bool enable)
{
	struct ppim_sub *s = &t->sub[sub];
	int ret;

	if (!(s->flags & PPIM_SUBF_DUPLICATED))
		return -ENODATA;
	ret = ppim_gate_enter(t->file->pd);
	if (ret)
		return ret;
	s->flags &= ~PPIM_SUBF_PREFETCH;
	s->flags |= enable ? PPIM_SUBF_PREFETCH : 0;
	WRITE_ONCE(t->hw->sub[sub].flags, cpu_to_le32(s->flags));
	ppim_context_sync(t->file->pd, t);
	ppim_gate_exit(t->file->pd);
	trace_ppim_prefetch(t->file->pd, t->id, sub, enable);
	return 0;
}

int ppim_table_prefetch(struct ppim_file *file, void *arg)
{
	const struct ppim_ioc_prefetch *p = arg;
	struct ppim_table *t;
	int ret;

	if (p->flags || p->reserved || p->enable > 1)
		return -EINVAL;
	t = ppim_table_use(file, p->table);
	if (IS_ERR(t))
		return PTR_ERR(t);
	ret = -EINVAL;
	if (p->subtable >= t->n_subs)
		goto put;
	ret = mutex_lock_killable(&t->lock);
	if (ret)
		goto put;
	ret = ppim_hint_set(t, p->subtable, p->enable);
	mutex_unlock(&t->lock);
put:
	ppim_use_put(&t->users);
	return ret;
}

static void ppim_bytes_add(const struct ppim_extent *e, u64 *hbm, u64 *dimm)
{
	if (!e->block)
		return;
	if (e->tier == PPIM_TIER_HBM)
		*hbm += e->block->bytes;
	else
		*dimm += e->block->bytes;
}

/* list_mutex keeps the placement as it is. */
void ppim_table_describe(const struct ppim_table *t, struct ppim_ioc_table_info *info)
{
	u32 k, i;

	info->id = t->id;
	info->pid = pid_vnr(t->pid);
	info->create = t->create;
	info->create.id = t->id;
	info->create.handle = info->handle;
	memset(info->sub, 0, sizeof(info->sub));
	for (k = 0; k < t->n_subs; k++) {
		const struct ppim_sub *s = &t->sub[k];
		u64 hbm = 0, dimm = 0;

		for (i = 0; i < s->n_extents; i++)
			ppim_bytes_add(&s->extents[i], &hbm, &dimm);
		ppim_bytes_add(&s->map, &hbm, &dimm);
		info->sub[k].rows = s->rows;
		info->sub[k].row_bytes = s->row_bytes;
		info->sub[k].row_stride = s->row_stride;
		info->sub[k].n_extents = s->n_extents;
		info->sub[k].flags = s->flags;
		info->sub[k].hbm_bytes = hbm;
		info->sub[k].dimm_bytes = dimm;
	}
}

/* list_mutex */
static struct ppim_table *ppim_table_next(struct ppim_file *file, u64 id)
{
	bool all = capable(CAP_SYS_ADMIN);
	unsigned long index = id;
	struct ppim_table *t;

	do {
		t = xa_find_after(&file->pd->tables, &index, ULONG_MAX, XA_PRESENT);
	} while (t && !all && t->file != file);
	return t;
}

int ppim_table_info(struct ppim_file *file, void *arg)
{
	struct ppim_ioc_table_info *info = arg;
	struct ppim_device *pd = file->pd;
	struct ppim_table *t;
	int ret = -ENOENT;

	if (info->flags & ~PPIM_TABLE_INFO_NEXT)
		return -EINVAL;
	mutex_lock(&pd->list_mutex);
	if (info->flags & PPIM_TABLE_INFO_NEXT)
		t = ppim_table_next(file, info->id);
	else
		t = xa_load(&file->tables, info->handle);
	if (t) {
		info->handle = t->file == file ? t->handle : 0;
		ppim_table_describe(t, info);
		ret = 0;
	}
	mutex_unlock(&pd->list_mutex);
	return ret;
}
