// SPDX-License-Identifier: GPL-2.0-only
/* What is known about a device that failed, for /sys/class/devcoredump. */
#include <linux/ktime.h>
#include <linux/vmalloc.h>

#include "ppim_compat.h"
#include "ppim_drv.h"

#define PPIM_DUMP_BYTES	(64u << 10)

struct ppim_text {
	char *at;
	size_t used;
};

static __printf(2, 3) void ppim_text_add(struct ppim_text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->used += vscnprintf(t->at + t->used, PPIM_DUMP_BYTES - t->used, fmt, args);
	va_end(args);
}

static void ppim_dump_regs(struct ppim_device *pd, struct ppim_text *t)
{
	u32 reg;

	for (reg = 0; reg < PPIM_REG_END; reg += sizeof(u32))
		ppim_text_add(t, "reg %#05x %#010x\n", reg, readl(pd->regs + reg));
}

static void ppim_dump_queue(struct ppim_queue *q, struct ppim_text *t)
{
	u32 i;

	spin_lock(&q->lock);
	ppim_text_add(t, "queue %u entries %u sq_tail %u cq_head %u phase %u free %u\n",
		      q->qid, q->entries, q->sq_tail, q->cq_head, q->phase, q->n_free);
	for (i = 0; i < q->n_slots; i++)
		if (q->slots[i].job)
			ppim_text_add(t, "queue %u cid %u generation %u age_ms %u abort %d\n",
				      q->qid, i, q->slots[i].generation,
				      jiffies_to_msecs(jiffies - q->slots[i].submitted),
				      q->slots[i].abort_sent);
	spin_unlock(&q->lock);
}

void ppim_dump(struct ppim_device *pd, const char *why)
{
	struct ppim_text t = { .at = vzalloc(PPIM_DUMP_BYTES) };
	u32 i;

	if (!t.at)
		return;
	ppim_text_add(&t, "ppim device %s\nreason %s\nuptime_ms %llu\n",
		      pci_name(pd->pdev), why, ktime_to_ms(ktime_get()));
	if (!ppim_gate_enter(pd)) {
		ppim_dump_regs(pd, &t);
		ppim_gate_exit(pd);
	}
	for (i = 0; i <= pd->n_queues; i++)
		ppim_dump_queue(&pd->queues[i], &t);
	/* Owns the memory from here on. */
	dev_coredumpv(&pd->pdev->dev, t.at, t.used, GFP_KERNEL);
}
