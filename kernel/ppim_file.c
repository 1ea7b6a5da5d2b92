// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files of /dev/ppim*: they own tables, registrations and batches, and
 * the last close ends them all.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "ppim_drv.h"

static struct ppim_file *ppim_file_alloc(struct ppim_device *pd)
{
	struct ppim_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return NULL;
	file->pd = pd;
	xa_init_flags(&file->tables, XA_FLAGS_ALLOC1);
	xa_init_flags(&file->mems, XA_FLAGS_ALLOC1);
	xa_init(&file->tickets);
	spin_lock_init(&file->lock);
	INIT_LIST_HEAD(&file->inflight);
	INIT_LIST_HEAD(&file->done);
	init_waitqueue_head(&file->wait);
	return file;
}

static int ppim_open(struct inode *inode, struct file *filp)
{
	struct ppim_device *pd = container_of(inode->i_cdev, struct ppim_device, cdev);
	struct ppim_file *file;
	int ret;

	file = ppim_file_alloc(pd);
	if (!file)
		return -ENOMEM;
	ret = ppim_gate_enter(pd);
	if (ret) {
		kfree(file);
		return ret;
	}
	get_device(&pd->dev);
	mutex_lock(&pd->list_mutex);
	list_add_tail(&file->node, &pd->files);
	mutex_unlock(&pd->list_mutex);
	ppim_gate_exit(pd);
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

static int ppim_release(struct inode *inode, struct file *filp)
{
	struct ppim_file *file = filp->private_data;
	struct ppim_device *pd = file->pd;

	ppim_job_close_all(file);
	ppim_table_close_all(file);
	ppim_mem_close_all(file);
	mutex_lock(&pd->list_mutex);
	list_del(&file->node);
	mutex_unlock(&pd->list_mutex);
	kfree(file);
	put_device(&pd->dev);
	return 0;
}

/* Readable while a result waits to be taken. */
static __poll_t ppim_poll(struct file *filp, struct poll_table_struct *wait)
{
	struct ppim_file *file = filp->private_data;
	__poll_t mask = 0;

	poll_wait(filp, &file->wait, wait);
	if (!list_empty_careful(&file->done))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(file->pd->dead))
		mask |= EPOLLERR | EPOLLHUP;
	return mask;
}

/* The device is dead: who sleeps in poll looks again. */
void ppim_file_wake_all(struct ppim_device *pd)
{
	struct ppim_file *file;

	mutex_lock(&pd->list_mutex);
	list_for_each_entry(file, &pd->files, node)
		wake_up_all(&file->wait);
	mutex_unlock(&pd->list_mutex);
}

const struct file_operations ppim_fops = {
	.owner = THIS_MODULE,
	.open = ppim_open,
	.release = ppim_release,
	.poll = ppim_poll,
	.unlocked_ioctl = ppim_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = ppim_uring_cmd,
};
