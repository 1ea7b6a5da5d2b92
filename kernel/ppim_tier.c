// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tier allocators: one for each slice (bank group), one for the DIMM. First
 * fit: the lowest offset with room, so that the same calls in the same order
 * give the same places. Blocks, holes included, are kept by offset; freeing
 * needs no memory.
 */
#include <linux/slab.h>

#include "ppim_drv.h"

static struct ppim_space *ppim_space_of(struct ppim_device *pd, const struct ppim_extent *e)
{
	return &pd->spaces[e->tier == PPIM_TIER_HBM ? e->slice : pd->limits.slices];
}

static int ppim_space_init(struct ppim_space *s, u64 bytes)
{
	struct ppim_block *b;

	INIT_LIST_HEAD(&s->blocks);
	INIT_LIST_HEAD(&s->holes);
	s->bytes = bytes;
	s->free = bytes;
	if (!bytes)
		return 0;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->bytes = bytes;
	list_add(&b->node, &s->blocks);
	list_add(&b->hole, &s->holes);
	return 0;
}

int ppim_tier_init(struct ppim_device *pd)
{
	u64 align = pd->limits.align;
	u32 i, n = pd->limits.slices;
	int ret = 0;

	pd->spaces = kvcalloc(n + 1, sizeof(*pd->spaces), GFP_KERNEL);
	if (!pd->spaces)
		return -ENOMEM;
	for (i = 0; !ret && i < n; i++)
		ret = ppim_space_init(&pd->spaces[i], round_down(pd->limits.slice_bytes, align));
	pd->n_spaces = i;
	if (ret)
		return ret;
	pd->n_spaces++;
	return ppim_space_init(&pd->spaces[n], round_down(pd->limits.dimm_bytes, align));
}

/* All files are closed: what is left are holes. */
void ppim_tier_fini(struct ppim_device *pd)
{
	struct ppim_block *b, *next;
	u32 i;

	for (i = 0; i < pd->n_spaces; i++) {
		WARN_ON_ONCE(pd->spaces[i].free != pd->spaces[i].bytes);
		list_for_each_entry_safe(b, next, &pd->spaces[i].blocks, node)
			kfree(b);
	}
	kvfree(pd->spaces);
}

/* Whether memory of this tier and slice can be dealt out at all. */
int ppim_tier_check(struct ppim_device *pd, u32 tier, u32 slice)
{
	switch (tier) {
	case PPIM_TIER_HBM:
		return slice < pd->limits.slices ? 0 : -EINVAL;
	case PPIM_TIER_DIMM:
		if (slice)
			return -EINVAL;
		return pd->window[PPIM_TIER_DIMM] ? 0 : -EOPNOTSUPP;
	case PPIM_TIER_CXL:
	case PPIM_TIER_HOST:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static bool ppim_hole_holds(const struct ppim_block *b, u64 offset, u64 bytes)
{
	return offset >= b->offset && offset - b->offset <= b->bytes &&
	       bytes <= b->bytes - (offset - b->offset);
}

static struct ppim_block *ppim_hole_find(struct ppim_space *s, u64 bytes, const u64 *offset)
{
	struct ppim_block *b;

	list_for_each_entry(b, &s->holes, hole)
		if (ppim_hole_holds(b, offset ? *offset : b->offset, bytes))
			return b;
	return NULL;
}

/* Cuts a hole at @at; @rest becomes the hole behind the cut. */
static struct ppim_block *ppim_hole_cut(struct ppim_block *b, u64 at, struct ppim_block *rest)
{
	rest->offset = b->offset + at;
	rest->bytes = b->bytes - at;
	b->bytes = at;
	list_add(&rest->node, &b->node);
	list_add(&rest->hole, &b->hole);
	return rest;
}

/* Takes [offset, offset + bytes) out of @b, which holds it. Uses up to two
 * spare blocks and leaves NULL where it used one.
 */
static struct ppim_block *ppim_hole_take(struct ppim_space *s, struct ppim_block *b, u64 offset,
					 u64 bytes, struct ppim_block *spare[2])
{
	if (offset > b->offset) {
		b = ppim_hole_cut(b, offset - b->offset, spare[0]);
		spare[0] = NULL;
	}
	if (bytes < b->bytes) {
		ppim_hole_cut(b, bytes, spare[1]);
		spare[1] = NULL;
	}
	list_del(&b->hole);
	b->used = true;
	s->free -= bytes;
	return b;
}

static void ppim_tier_count(struct ppim_device *pd, u32 tier, s64 bytes)
{
	lockdep_assert_held(&pd->tier_mutex);
	if (tier == PPIM_TIER_HBM)
		pd->hbm_used += bytes;
	else
		pd->dimm_used += bytes;
}

/**
 * ppim_tier_alloc - take memory for an extent
 * @pd: device
 * @e: tier and slice in, @e->offset in (@fixed) or out, @e->block out
 * @bytes: not zero; rounded up to the alignment
 * @fixed: at @e->offset, nowhere else
 *
 * Return: 0; -EINVAL: a fixed offset that no memory has; -ENOSPC; -ENOMEM.
 */
int ppim_tier_alloc(struct ppim_device *pd, struct ppim_extent *e, u64 bytes, bool fixed)
{
	struct ppim_space *s = ppim_space_of(pd, e);
	struct ppim_block *b, *spare[2];
	int ret = -ENOMEM;

	if (fixed && (!IS_ALIGNED(e->offset, pd->limits.align) || e->offset >= s->bytes))
		return -EINVAL;
	if (bytes > s->bytes)
		return -ENOSPC;
	bytes = ALIGN(bytes, (u64)pd->limits.align);
	spare[0] = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	spare[1] = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!spare[0] || !spare[1])
		goto out;
	mutex_lock(&pd->tier_mutex);
	ret = -ENOSPC;
	b = ppim_hole_find(s, bytes, fixed ? &e->offset : NULL);
	if (b) {
		ret = 0;
		e->block = ppim_hole_take(s, b, fixed ? e->offset : b->offset, bytes, spare);
		e->offset = e->block->offset;
		ppim_tier_count(pd, e->tier, bytes);
	}
	mutex_unlock(&pd->tier_mutex);
out:
	kfree(spare[0]);
	kfree(spare[1]);
	return ret;
}

/* @b swallows the hole behind it. */
static void ppim_hole_merge(struct ppim_block *b, struct ppim_block *next)
{
	b->bytes += next->bytes;
	list_del(&next->node);
	list_del(&next->hole);
	kfree(next);
}

static void ppim_hole_insert(struct ppim_space *s, struct ppim_block *b)
{
	struct list_head *at = &s->holes;
	struct ppim_block *before = b;

	list_for_each_entry_continue_reverse(before, &s->blocks, node) {
		if (!before->used) {
			at = &before->hole;
			break;
		}
	}
	b->used = false;
	list_add(&b->hole, at);
}

void ppim_tier_free(struct ppim_device *pd, struct ppim_extent *e)
{
	struct ppim_space *s = ppim_space_of(pd, e);
	struct ppim_block *b = e->block;

	if (!b)
		return;
	mutex_lock(&pd->tier_mutex);
	s->free += b->bytes;
	ppim_tier_count(pd, e->tier, -(s64)b->bytes);
	ppim_hole_insert(s, b);
	if (!list_is_last(&b->node, &s->blocks) && !list_next_entry(b, node)->used)
		ppim_hole_merge(b, list_next_entry(b, node));
	if (!list_is_first(&b->node, &s->blocks) && !list_prev_entry(b, node)->used)
		ppim_hole_merge(list_prev_entry(b, node), b);
	mutex_unlock(&pd->tier_mutex);
	e->block = NULL;
}

/* Where an extent's byte is in the window. Gate. */
void *ppim_tier_at(struct ppim_device *pd, const struct ppim_extent *e, u64 offset)
{
	u64 at = e->offset + offset;

	if (e->tier == PPIM_TIER_HBM)
		at += e->slice * pd->limits.slice_bytes;
	return pd->window[e->tier] + at;
}

void ppim_tier_free_bytes(struct ppim_device *pd, u64 *hbm, u64 *dimm)
{
	mutex_lock(&pd->tier_mutex);
	*hbm = pd->limits.hbm_bytes - pd->hbm_used;
	*dimm = pd->limits.dimm_bytes - pd->dimm_used;
	mutex_unlock(&pd->tier_mutex);
}
