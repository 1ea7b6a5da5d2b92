// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/ppim/<device>/: registers, queues, tables, blocks of the
 * tiers, and, where the device can, fault injection for tests.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ppim_drv.h"

#define PPIM_INJECT_LINE	64

static struct dentry *ppim_debugfs_root;

static int ppim_regs_show(struct seq_file *m, void *unused)
{
	struct ppim_device *pd = m->private;
	u32 reg;
	int ret;

	ret = ppim_gate_enter(pd);
	if (ret)
		return ret;
	for (reg = 0; reg < PPIM_REG_END; reg += sizeof(u32))
		seq_printf(m, "%#05x %#010x\n", reg, readl(pd->regs + reg));
	ppim_gate_exit(pd);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ppim_regs);

static int ppim_queues_show(struct seq_file *m, void *unused)
{
	struct ppim_device *pd = m->private;
	struct ppim_queue *q;
	u32 i;

	for (i = 0; i <= pd->n_queues; i++) {
		q = &pd->queues[i];
		spin_lock(&q->lock);
		seq_printf(m, "queue %u vector %u entries %u sq_tail %u cq_head %u phase %u in_flight %u\n",
			   q->qid, q->vector, q->entries, q->sq_tail, q->cq_head, q->phase,
			   q->n_slots - q->n_free);
		spin_unlock(&q->lock);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ppim_queues);

static int ppim_tables_show(struct seq_file *m, void *unused)
{
	struct ppim_device *pd = m->private;
	struct ppim_ioc_table_info *info;
	struct ppim_table *t;
	unsigned long id;
	u32 k;

	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	mutex_lock(&pd->list_mutex);
	xa_for_each(&pd->tables, id, t) {
		ppim_table_describe(t, info);
		seq_printf(m, "table %llu pid %d users %d algo %u dim %u rows %llu epoch %u name \"%s\"\n",
			   t->id, info->pid, atomic_read(&t->users), t->shape.algo,
			   t->shape.dim, t->shape.rows, le32_to_cpu(t->hw->epoch),
			   info->create.name);
		for (k = 0; k < t->n_subs; k++)
			seq_printf(m, "  subtable %u rows %llu row_bytes %u stride %u extents %u flags %#x hbm %llu dimm %llu\n",
				   k, info->sub[k].rows, info->sub[k].row_bytes,
				   info->sub[k].row_stride, info->sub[k].n_extents,
				   info->sub[k].flags, info->sub[k].hbm_bytes,
				   info->sub[k].dimm_bytes);
	}
	mutex_unlock(&pd->list_mutex);
	kfree(info);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ppim_tables);

static int ppim_blocks_show(struct seq_file *m, void *unused)
{
	struct ppim_device *pd = m->private;
	struct ppim_block *b;
	u32 i;

	mutex_lock(&pd->tier_mutex);
	for (i = 0; i < pd->n_spaces; i++)
		list_for_each_entry(b, &pd->spaces[i].blocks, node)
			seq_printf(m, "%s %u %#llx %#llx %s\n",
				   i < pd->limits.slices ? "hbm" : "dimm",
				   i < pd->limits.slices ? i : 0, b->offset, b->bytes,
				   b->used ? "used" : "free");
	mutex_unlock(&pd->tier_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ppim_blocks);

static const char * const ppim_injects[] = {
	[PPIM_INJECT_CORRECTABLE] = "correctable",
	[PPIM_INJECT_UNCORRECTABLE] = "uncorrectable",
	[PPIM_INJECT_HANG] = "hang",
	[PPIM_INJECT_DROP] = "drop",
	[PPIM_INJECT_DOUBLE] = "double",
	[PPIM_INJECT_LINK] = "link",
};

/* "what count [tier slice offset]" */
static int ppim_inject_parse(const char *line, struct ppim_hw_sqe *sqe)
{
	unsigned int count = 0, tier = 0, slice = 0, what;
	u64 offset = 0;
	char name[16];

	if (sscanf(line, "%15s %u %u %u %llu", name, &count, &tier, &slice, &offset) < 1)
		return -EINVAL;
	for (what = 1; what < ARRAY_SIZE(ppim_injects); what++)
		if (!strcmp(name, ppim_injects[what]))
			break;
	if (what == ARRAY_SIZE(ppim_injects) || tier > U8_MAX || slice > U16_MAX)
		return -EINVAL;
	sqe->opcode = PPIM_ADM_INJECT;
	sqe->inject.what = cpu_to_le32(what);
	sqe->inject.count = cpu_to_le32(count);
	sqe->inject.tier = tier;
	sqe->inject.slice = cpu_to_le16(slice);
	sqe->inject.offset = cpu_to_le64(offset);
	return 0;
}

static ssize_t ppim_inject_write(struct file *filp, const char __user *user, size_t bytes,
				 loff_t *pos)
{
	struct ppim_device *pd = filp->private_data;
	struct ppim_hw_sqe sqe = { };
	char line[PPIM_INJECT_LINE];
	int ret;

	if (bytes >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, user, bytes))
		return -EFAULT;
	line[bytes] = 0;
	ret = ppim_inject_parse(line, &sqe);
	if (!ret)
		ret = ppim_admin_do(pd, &sqe, NULL, false);
	return ret ?: bytes;
}

static const struct file_operations ppim_inject_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = ppim_inject_write,
};

/* Files are drained by debugfs before a removal goes on. */
void ppim_debugfs_add(struct ppim_device *pd)
{
	struct dentry *dir = debugfs_create_dir(dev_name(&pd->dev), ppim_debugfs_root);

	pd->debugfs = dir;
	debugfs_create_file("regs", 0400, dir, pd, &ppim_regs_fops);
	debugfs_create_file("queues", 0400, dir, pd, &ppim_queues_fops);
	debugfs_create_file("tables", 0400, dir, pd, &ppim_tables_fops);
	debugfs_create_file("blocks", 0400, dir, pd, &ppim_blocks_fops);
	if (pd->limits.caps & PPIM_CAP_INJECT)
		debugfs_create_file("inject", 0200, dir, pd, &ppim_inject_fops);
}

void ppim_debugfs_remove(struct ppim_device *pd)
{
	debugfs_remove_recursive(pd->debugfs);
}

void ppim_debugfs_init(void)
{
	ppim_debugfs_root = debugfs_create_dir(PPIM_NAME, NULL);
}

void ppim_debugfs_exit(void)
{
	debugfs_remove_recursive(ppim_debugfs_root);
}
