// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placement and duplication: extents of a subtable get memory of the tiers,
 * all of them or none. The table is frozen meanwhile; the new placement is
 * built beside the old one and takes its place at the end.
 */
#include <linux/slab.h>

#include "ppim_drv.h"
#include "ppim_trace.h"

/* A placement that is being made. */
struct ppim_placing {
	struct ppim_device *pd;
	struct ppim_table *t;
	const struct ppim_ioc_place *p;
	struct ppim_ioc_extent *user;	/* as the caller gave them */
	struct ppim_sub sub;		/* the subtable as it will be */
	u32 n_old;			/* copies that are there already */
	bool duplicate;
};

static void ppim_extents_free(struct ppim_device *pd, struct ppim_extent *e, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		ppim_tier_free(pd, &e[i]);
}

void ppim_sub_release(struct ppim_device *pd, struct ppim_sub *s)
{
	if (!s->extents)
		return;
	ppim_extents_free(pd, s->extents, s->n_extents);
	ppim_tier_free(pd, &s->map);
	kvfree(s->extents);
	kfree(s->hw);
	s->extents = NULL;
}

static int ppim_place_check_map(const struct ppim_placing *w)
{
	const struct ppim_ioc_place *p = w->p;

	if (!p->map)
		return p->map_bits || p->map_tier || p->map_slice ? -EINVAL : 0;
	if (w->duplicate || p->map_bits < 1 || p->map_bits > 31)
		return -EINVAL;
	if (!(w->pd->limits.caps & PPIM_CAP_ROW_MAP))
		return -EOPNOTSUPP;
	return ppim_tier_check(w->pd, p->map_tier, p->map_slice);
}

static int ppim_place_check_stride(struct ppim_placing *w)
{
	u32 least = ALIGN(w->sub.row_bytes, w->pd->limits.align);
	u32 stride = w->p->row_stride ?: least;

	if (stride < least || !IS_ALIGNED(stride, w->pd->limits.align))
		return -EINVAL;
	if (w->n_old && w->p->row_stride && stride != w->sub.row_stride)
		return -EINVAL;
	if (!w->n_old)
		w->sub.row_stride = stride;
	return 0;
}

/* What the subtable's present state allows. */
static int ppim_place_check_state(struct ppim_placing *w)
{
	if (!w->sub.extents)
		return 0;
	if (!w->duplicate || !(w->sub.flags & PPIM_SUBF_DUPLICATED))
		return -EBUSY;
	w->n_old = w->sub.n_extents;
	return 0;
}

static int ppim_place_check(struct ppim_placing *w)
{
	const struct ppim_ioc_place *p = w->p;
	u32 max = w->pd->limits.max_extents;
	int ret;

	if (!p->n_extents)
		return -EINVAL;
	if (p->n_extents > max)
		return -E2BIG;
	ret = ppim_place_check_map(w);
	if (!ret)
		ret = ppim_place_check_state(w);
	if (!ret)
		ret = ppim_place_check_stride(w);
	if (!ret && p->n_extents > max - w->n_old)
		ret = -E2BIG;
	return ret;
}

/* Rows that extent i has to hold at least. */
static u64 ppim_extent_least(const struct ppim_placing *w, u32 i)
{
	if (w->p->map || i >= w->sub.rows)
		return 1;
	return DIV_ROUND_UP_ULL(w->sub.rows - i, w->p->n_extents);
}

static int ppim_extent_check(const struct ppim_placing *w, u32 i, u64 *bytes)
{
	const struct ppim_ioc_extent *e = &w->user[i];
	int ret;

	ret = ppim_tier_check(w->pd, e->tier, e->slice);
	if (ret)
		return ret;
	if (w->duplicate ? e->rows != w->sub.rows : e->rows < ppim_extent_least(w, i))
		return -EINVAL;
	if (check_mul_overflow(e->rows, (u64)w->sub.row_stride, bytes))
		return -ENOSPC;
	return 0;
}

static int ppim_extents_alloc(struct ppim_placing *w)
{
	u64 bytes;
	u32 i;
	int ret = 0;

	for (i = 0; !ret && i < w->p->n_extents; i++) {
		struct ppim_extent *e = &w->sub.extents[w->n_old + i];

		ret = ppim_extent_check(w, i, &bytes);
		if (ret)
			break;
		e->tier = w->user[i].tier;
		e->slice = w->user[i].slice;
		e->rows = w->user[i].rows;
		e->offset = w->user[i].offset;
		ret = ppim_tier_alloc(w->pd, e, bytes, w->p->flags & PPIM_PLACE_FIXED);
		w->user[i].offset = e->offset;
	}
	return ret;
}

/* What another process had there must not be read: new memory is cleared, or
 * gets the first copy's contents.
 */
static int ppim_extents_fill(struct ppim_placing *w)
{
	struct ppim_extent *e = &w->sub.extents[w->n_old];
	struct ppim_extent *end = e + w->p->n_extents;
	int ret = 0;

	for (; !ret && e < end; e++) {
		u64 bytes = e->rows * w->sub.row_stride;

		if (w->n_old)
			ret = ppim_copy_extent(w->pd, e, &w->sub.extents[0], bytes);
		else
			ret = ppim_copy_clear(w->pd, e, bytes);
	}
	return ret;
}

static int ppim_map_place(struct ppim_placing *w)
{
	const struct ppim_ioc_place *p = w->p;
	struct ppim_sub *s = &w->sub;
	int ret;

	if (!p->map)
		return 0;
	s->flags |= PPIM_SUBF_MAPPED;
	s->map_bits = p->map_bits;
	s->map.tier = p->map_tier;
	s->map.slice = p->map_slice;
	s->map.rows = s->rows;
	/* rows is at most 2^40 */
	ret = ppim_tier_alloc(w->pd, &s->map, s->rows * sizeof(__le32), false);
	if (ret)
		return ret;
	return ppim_copy_map(w->pd, s, p->map);
}

static void ppim_extents_describe(struct ppim_sub *s)
{
	u32 i;

	for (i = 0; i < s->n_extents; i++) {
		s->hw[i].tier = s->extents[i].tier;
		s->hw[i].slice = cpu_to_le16(s->extents[i].slice);
		s->hw[i].offset = cpu_to_le64(s->extents[i].offset);
		s->hw[i].rows = cpu_to_le64(s->extents[i].rows);
	}
}

static void ppim_sub_describe(const struct ppim_sub *s, struct ppim_hw_subtable *hw)
{
	hw->row_stride = cpu_to_le32(s->row_stride);
	hw->flags = cpu_to_le32(s->flags);
	hw->n_extents = cpu_to_le32(s->n_extents);
	hw->extents = cpu_to_le64(s->hw_dma);
	hw->map_tier = s->map.tier;
	hw->map_bits = s->map_bits;
	hw->map_slice = cpu_to_le16(s->map.slice);
	hw->map_offset = cpu_to_le64(s->map.offset);
}

/* Gate, list_mutex */
static int ppim_sub_swap(struct ppim_placing *w)
{
	struct ppim_sub *s = &w->t->sub[w->p->subtable];
	struct device *dev = &w->pd->pdev->dev;
	struct ppim_sub old = *s;

	w->sub.hw_dma = dma_map_single(dev, w->sub.hw, w->sub.n_extents * sizeof(*w->sub.hw),
				       DMA_TO_DEVICE);
	if (dma_mapping_error(dev, w->sub.hw_dma))
		return -ENOMEM;
	*s = w->sub;
	ppim_sub_describe(s, &w->t->hw->sub[w->p->subtable]);
	ppim_table_changed(w->t);
	if (old.hw)
		dma_unmap_single(dev, old.hw_dma, old.n_extents * sizeof(*old.hw), DMA_TO_DEVICE);
	kfree(old.hw);
	kvfree(old.extents);
	return 0;
}

static int ppim_sub_publish(struct ppim_placing *w)
{
	int ret;

	ppim_extents_describe(&w->sub);
	ret = ppim_gate_enter(w->pd);
	if (ret)
		return ret;
	mutex_lock(&w->pd->list_mutex);
	ret = ppim_sub_swap(w);
	mutex_unlock(&w->pd->list_mutex);
	ppim_gate_exit(w->pd);
	return ret;
}

static int ppim_extents_copy_out(const struct ppim_placing *w)
{
	struct ppim_ioc_extent __user *to = u64_to_user_ptr(w->p->extents);

	return copy_to_user(to, w->user, w->p->n_extents * sizeof(*to)) ? -EFAULT : 0;
}

static int ppim_placing_run(struct ppim_placing *w)
{
	int ret;

	w->sub.flags |= w->duplicate ? PPIM_SUBF_DUPLICATED : 0;
	ret = ppim_extents_alloc(w);
	if (!ret)
		ret = ppim_map_place(w);
	if (!ret)
		ret = ppim_extents_fill(w);
	if (!ret)
		ret = ppim_extents_copy_out(w);
	if (!ret)
		ret = ppim_sub_publish(w);
	if (!ret)
		return 0;
	ppim_extents_free(w->pd, w->sub.extents + w->n_old, w->p->n_extents);
	if (!w->n_old)
		ppim_tier_free(w->pd, &w->sub.map);
	return ret;
}

/* Arrays that hold the old extents and the new ones. */
static int ppim_placing_alloc(struct ppim_placing *w)
{
	u32 n = w->n_old + w->p->n_extents;
	struct ppim_extent *old = w->sub.extents;

	w->user = kvmalloc_array(w->p->n_extents, sizeof(*w->user), GFP_KERNEL_ACCOUNT);
	w->sub.extents = kvcalloc(n, sizeof(*w->sub.extents), GFP_KERNEL_ACCOUNT);
	w->sub.hw = kcalloc(n, sizeof(*w->sub.hw), GFP_KERNEL_ACCOUNT);
	w->sub.n_extents = n;
	if (!w->user || !w->sub.extents || !w->sub.hw)
		return -ENOMEM;
	if (w->n_old)
		memcpy(w->sub.extents, old, w->n_old * sizeof(*old));
	if (copy_from_user(w->user, u64_to_user_ptr(w->p->extents),
			   w->p->n_extents * sizeof(*w->user)))
		return -EFAULT;
	return 0;
}

static void ppim_place_trace(const struct ppim_placing *w)
{
	if (w->duplicate)
		trace_ppim_duplicate(w->pd, w->t->id, w->p->subtable, w->p->n_extents,
				     w->sub.rows, w->sub.row_stride);
	else
		trace_ppim_place(w->pd, w->t->id, w->p->subtable, w->p->n_extents,
				 w->sub.rows, w->sub.row_stride);
}

static int ppim_place_frozen(struct ppim_placing *w)
{
	int ret;

	if (w->p->subtable >= w->t->n_subs)
		return -EINVAL;
	w->sub = w->t->sub[w->p->subtable];
	ret = ppim_place_check(w);
	if (ret)
		return ret;
	ret = ppim_placing_alloc(w);
	if (!ret)
		ret = ppim_placing_run(w);
	kvfree(w->user);
	if (!ret) {
		ppim_place_trace(w);
		return 0;
	}
	kvfree(w->sub.extents);
	kfree(w->sub.hw);
	return ret;
}

static int ppim_place_any(struct ppim_file *file, const struct ppim_ioc_place *p, bool duplicate)
{
	struct ppim_placing w = { .pd = file->pd, .p = p, .duplicate = duplicate };
	int ret;

	if (p->flags & ~PPIM_PLACE_FIXED || memchr_inv(p->reserved, 0, sizeof(p->reserved)))
		return -EINVAL;
	w.t = ppim_table_freeze(file, p->table);
	if (IS_ERR(w.t))
		return PTR_ERR(w.t);
	ret = ppim_place_frozen(&w);
	ppim_use_thaw(&w.t->users);
	return ret;
}

int ppim_place(struct ppim_file *file, void *arg)
{
	return ppim_place_any(file, arg, false);
}

int ppim_duplicate(struct ppim_file *file, void *arg)
{
	return ppim_place_any(file, arg, true);
}
