// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, one way in and out.
 *
 * The number selects the call whatever size its encoding carries; the size
 * that counts is the structure's first field, so a caller that knows a longer
 * or a shorter structure is served alike.
 */
#include <linux/capability.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "ppim_drv.h"

struct ppim_ioctl_desc {
	u32 bytes;			/* of the structure; of its first version, too */
	bool out;			/* written back */
	int (*call)(struct ppim_file *file, void *arg);
};

union ppim_ioctl_arg {
	struct ppim_ioc_info info;
	struct ppim_ioc_table_create table_create;
	struct ppim_ioc_handle handle;
	struct ppim_ioc_place place;
	struct ppim_ioc_prefetch prefetch;
	struct ppim_ioc_copy copy;
	struct ppim_ioc_gnr gnr;
	struct ppim_ioc_wait wait;
	struct ppim_ioc_table_info table_info;
	struct ppim_ioc_stats stats;
	struct ppim_ioc_reset reset;
	struct ppim_ioc_mem mem;
};

static void ppim_info_limits(const struct ppim_limits *l, struct ppim_ioc_info *i)
{
	i->caps = l->caps;
	i->hbm_bytes = l->hbm_bytes;
	i->dimm_bytes = l->dimm_bytes;
	i->slice_bytes = l->slice_bytes;
	i->slices = l->slices;
	i->channels = l->channels;
	i->sram_bytes = l->sram_bytes;
	i->align = l->align;
	i->hbm_row_bytes = l->hbm_row_bytes;
	i->max_tables = l->max_tables;
	i->max_indices = l->max_indices;
	i->max_extents = l->max_extents;
	i->archs = l->archs;
	i->arch_default = l->arch_default;
	i->algos = l->algos;
	i->dtypes = l->dtypes;
	i->combines = l->combines;
	i->modes = l->modes;
	i->timebase = l->timebase;
	i->hot_ppm = l->hot_ppm;
}

static int ppim_info(struct ppim_file *file, void *arg)
{
	struct ppim_device *pd = file->pd;
	struct ppim_ioc_info *i = arg;

	if (i->flags || memchr_inv(i->reserved, 0, sizeof(i->reserved)))
		return -EINVAL;
	ppim_info_limits(&pd->limits, i);
	ppim_tier_free_bytes(pd, &i->hbm_free, &i->dimm_free);
	i->driver_caps = PPIM_DRVCAP_MEM | (IS_ENABLED(CONFIG_IO_URING) ? PPIM_DRVCAP_URING : 0);
	i->queues = pd->n_queues;
	i->queue_entries = pd->queues[1].entries;
	i->numa_node = pd->numa_node;
	return 0;
}

static int ppim_stats(struct ppim_file *file, void *arg)
{
	struct ppim_device *pd = file->pd;
	struct ppim_ioc_stats *s = arg;
	struct ppim_hw_stats hw;
	const __le64 *from = (const __le64 *)&hw;
	u64 *to = &s->submitted;
	int i, ret;

	/* Same counters in the same order, the one little endian. */
	static_assert(offsetof(struct ppim_hw_stats, reserved) ==
		      offsetof(struct ppim_ioc_stats, resets) -
		      offsetof(struct ppim_ioc_stats, submitted));
	if (s->flags || memchr_inv(s->reserved, 0, sizeof(s->reserved)))
		return -EINVAL;
	ret = ppim_admin_stats(pd, &hw);
	if (ret)
		return ret;
	for (i = 0; i < offsetof(struct ppim_hw_stats, reserved) / sizeof(u64); i++)
		to[i] = le64_to_cpu(from[i]);
	s->resets = atomic64_read(&pd->counters.resets);
	s->stray_completions = atomic64_read(&pd->counters.stray_completions);
	s->timeouts = atomic64_read(&pd->counters.timeouts);
	s->pinned_bytes = atomic64_read(&pd->counters.pinned_pages) << PAGE_SHIFT;
	return 0;
}

static int ppim_reset(struct ppim_file *file, void *arg)
{
	const struct ppim_ioc_reset *r = arg;

	if (r->flags)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return ppim_device_reset(file->pd, "asked for by a user");
}

#define PPIM_IN(_type, _call)		{ sizeof(struct _type), false, _call }
#define PPIM_INOUT(_type, _call)	{ sizeof(struct _type), true, _call }

static const struct ppim_ioctl_desc ppim_ioctls[] = {
	[_IOC_NR(PPIM_IOC_INFO)] = PPIM_INOUT(ppim_ioc_info, ppim_info),
	[_IOC_NR(PPIM_IOC_TABLE_CREATE)] = PPIM_INOUT(ppim_ioc_table_create, ppim_table_create),
	[_IOC_NR(PPIM_IOC_TABLE_DESTROY)] = PPIM_IN(ppim_ioc_handle, ppim_table_destroy),
	[_IOC_NR(PPIM_IOC_PLACE)] = PPIM_INOUT(ppim_ioc_place, ppim_place),
	[_IOC_NR(PPIM_IOC_DUPLICATE)] = PPIM_INOUT(ppim_ioc_place, ppim_duplicate),
	[_IOC_NR(PPIM_IOC_PREFETCH)] = PPIM_IN(ppim_ioc_prefetch, ppim_table_prefetch),
	[_IOC_NR(PPIM_IOC_UPLOAD)] = PPIM_IN(ppim_ioc_copy, ppim_copy_upload),
	[_IOC_NR(PPIM_IOC_DOWNLOAD)] = PPIM_IN(ppim_ioc_copy, ppim_copy_download),
	[_IOC_NR(PPIM_IOC_GNR)] = PPIM_INOUT(ppim_ioc_gnr, ppim_job_gnr),
	[_IOC_NR(PPIM_IOC_WAIT)] = PPIM_INOUT(ppim_ioc_wait, ppim_job_wait),
	[_IOC_NR(PPIM_IOC_TABLE_INFO)] = PPIM_INOUT(ppim_ioc_table_info, ppim_table_info),
	[_IOC_NR(PPIM_IOC_STATS)] = PPIM_INOUT(ppim_ioc_stats, ppim_stats),
	[_IOC_NR(PPIM_IOC_RESET)] = PPIM_IN(ppim_ioc_reset, ppim_reset),
	[_IOC_NR(PPIM_IOC_MEM_REGISTER)] = PPIM_INOUT(ppim_ioc_mem, ppim_mem_register),
	[_IOC_NR(PPIM_IOC_MEM_UNREGISTER)] = PPIM_IN(ppim_ioc_handle, ppim_mem_unregister),
};

/**
 * ppim_ioctl_copy_in - an argument structure from its user
 * @to: the structure as this kernel knows it
 * @bytes: its size, which is also the least that a user may know
 * @user: user pointer; the structure there begins with its size
 * @user_bytes: out: that size
 */
int ppim_ioctl_copy_in(void *to, size_t bytes, u64 user, u32 *user_bytes)
{
	void __user *from = u64_to_user_ptr(user);
	int ret;

	if (get_user(*user_bytes, (u32 __user *)from))
		return -EFAULT;
	if (*user_bytes < bytes)
		return -EINVAL;
	/* Nobody means this, and the tail has to be read through. */
	if (*user_bytes > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(to, bytes, from, *user_bytes);
	if (ret)
		return ret;
	/* It was read twice; what was checked is what counts. */
	*(u32 *)to = *user_bytes;
	return 0;
}

static const struct ppim_ioctl_desc *ppim_ioctl_find(unsigned int cmd)
{
	if (_IOC_TYPE(cmd) != PPIM_IOC_MAGIC || _IOC_NR(cmd) >= ARRAY_SIZE(ppim_ioctls))
		return NULL;
	return &ppim_ioctls[array_index_nospec(_IOC_NR(cmd), ARRAY_SIZE(ppim_ioctls))];
}

long ppim_ioctl(struct file *filp, unsigned int cmd, unsigned long user)
{
	const struct ppim_ioctl_desc *d = ppim_ioctl_find(cmd);
	struct ppim_file *file = filp->private_data;
	void __user *argp = (void __user *)user;
	union ppim_ioctl_arg arg;
	u32 bytes;
	int ret;

	if (!d)
		return -ENOTTY;
	if (READ_ONCE(file->pd->dead))
		return -ENODEV;
	ret = ppim_ioctl_copy_in(&arg, d->bytes, user, &bytes);
	if (ret || !d->out)
		return ret ?: d->call(file, &arg);
	bytes = min(bytes, d->bytes);
	/* What goes out must have a place: found out before anything is done. */
	if (copy_to_user(argp, &arg, bytes))
		return -EFAULT;
	ret = d->call(file, &arg);
	if (!ret && copy_to_user(argp, &arg, bytes))
		return -EFAULT;
	return ret;
}
