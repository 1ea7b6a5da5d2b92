// SPDX-License-Identifier: GPL-2.0-only
/*
 * ppim: PCI front end and the life of a device.
 *
 * Everything that touches the device runs inside the gate (a read-write
 * semaphore) and finds there whether it is alive; a removal, a reset or a
 * suspend takes the gate for writing, changes the state, and from then on
 * knows that nobody is at the device. Nothing is done to user memory inside
 * the gate, so that no process can hold a reset up.
 */
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "ppim_compat.h"
#include "ppim_drv.h"

#define PPIM_MINORS		64
#define PPIM_READY_MS		5000	/* of enable and disable */
#define PPIM_DRAIN_MS		2000	/* before a suspend cancels */
#define PPIM_MAX_ALIGN		SZ_1M
#define PPIM_MAX_EXTENTS	65536u	/* their array is one allocation */

unsigned int ppim_timeout_ms = 30000;
module_param_named(timeout_ms, ppim_timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "time that a batch may take before it is aborted (default 30000)");

static unsigned int ppim_max_queues = 16;
module_param_named(queues, ppim_max_queues, uint, 0444);
MODULE_PARM_DESC(queues, "I/O queue pairs at most; one per CPU are used (default 16)");

static struct class *ppim_class;
static dev_t ppim_devt;
static DEFINE_IDA(ppim_minors);

int ppim_gate_enter(struct ppim_device *pd)
{
	down_read(&pd->gate);
	if (!pd->dead)
		return 0;
	up_read(&pd->gate);
	return -ENODEV;
}

void ppim_gate_exit(struct ppim_device *pd)
{
	up_read(&pd->gate);
}

/* Enter when the device takes commands; waits for the end of a reset. */
int ppim_gate_enter_live(struct ppim_device *pd, bool nonblock)
{
	enum ppim_state state;
	int ret;

	for (;;) {
		ret = ppim_gate_enter(pd);
		if (ret)
			return ret;
		state = pd->state;
		if (state == PPIM_LIVE)
			return 0;
		ppim_gate_exit(pd);
		if (state == PPIM_BROKEN)
			return -EIO;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_killable(pd->state_wait,
					READ_ONCE(pd->dead) ||
					READ_ONCE(pd->state) != PPIM_QUIESCED))
			return -EINTR;
	}
}

static void ppim_state_set(struct ppim_device *pd, enum ppim_state state)
{
	down_write(&pd->gate);
	WRITE_ONCE(pd->state, state);
	up_write(&pd->gate);
	wake_up_all(&pd->state_wait);
}

/* All ones is what a function answers that is not there any more. */
static bool ppim_ready_is(struct ppim_device *pd, bool ready)
{
	u32 status = readl(pd->regs + PPIM_REG_STATUS);

	if (status == U32_MAX)
		return !ready;
	return !!(status & PPIM_STS_READY) == ready;
}

static int ppim_ready_wait(struct ppim_device *pd, bool ready)
{
	unsigned long end = jiffies + msecs_to_jiffies(PPIM_READY_MS);

	while (!ppim_ready_is(pd, ready)) {
		if (time_after(jiffies, end))
			return ppim_ready_is(pd, ready) ? 0 : -ETIMEDOUT;
		usleep_range(50, 200);
	}
	return 0;
}

/*
 * After this the device neither reads nor writes memory. One that does not
 * answer is cut off from the bus.
 */
static void ppim_device_disable(struct ppim_device *pd)
{
	writel(0, pd->regs + PPIM_REG_CTRL);
	if (!ppim_ready_wait(pd, false))
		return;
	dev_err(&pd->pdev->dev, "the device does not stop; bus mastering is taken away\n");
	pci_clear_master(pd->pdev);
}

static int ppim_device_enable(struct ppim_device *pd)
{
	struct ppim_queue *aq = &pd->queues[0];
	int ret;

	pci_set_master(pd->pdev);
	writel(aq->entries, pd->regs + PPIM_REG_AQ_ENTRIES);
	lo_hi_writeq(aq->sq_dma, pd->regs + PPIM_REG_ASQ);
	lo_hi_writeq(aq->cq_dma, pd->regs + PPIM_REG_ACQ);
	writel(PPIM_CTRL_ENABLE, pd->regs + PPIM_REG_CTRL);
	ret = ppim_ready_wait(pd, true);
	if (ret)
		dev_err(&pd->pdev->dev,
			"the device does not become ready: status %#x, error %u\n",
			readl(pd->regs + PPIM_REG_STATUS),
			readl(pd->regs + PPIM_REG_ERROR));
	return ret;
}

/* reset_mutex. Work in flight ends with @status. */
static void ppim_device_stop(struct ppim_device *pd, enum ppim_status status)
{
	ppim_state_set(pd, PPIM_QUIESCED);
	ppim_device_disable(pd);
	ppim_admin_cancel(pd);
	ppim_queues_cancel(pd, status);
}

/* reset_mutex; the device is stopped. */
static int ppim_device_start(struct ppim_device *pd)
{
	int ret;

	ppim_queues_rewind(pd);
	ret = ppim_device_enable(pd);
	if (!ret)
		ret = ppim_queues_start(pd);
	if (!ret) {
		ppim_state_set(pd, PPIM_LIVE);
		return 0;
	}
	ppim_device_disable(pd);
	pci_clear_master(pd->pdev);
	ppim_state_set(pd, PPIM_BROKEN);
	return ret;
}

int ppim_device_reset(struct ppim_device *pd, const char *why)
{
	int ret = -ENODEV;

	mutex_lock(&pd->reset_mutex);
	if (pd->dead)
		goto out;
	/* Suspended, or PCI error recovery has it. */
	ret = -EBUSY;
	if (pd->state == PPIM_QUIESCED)
		goto out;
	dev_warn(&pd->pdev->dev, "reset: %s\n", why);
	atomic64_inc(&pd->counters.resets);
	ppim_device_stop(pd, PPIM_ST_RESET);
	ret = ppim_device_start(pd);
	if (ret)
		dev_err(&pd->pdev->dev, "failed to start after a reset: %pe\n", ERR_PTR(ret));
out:
	mutex_unlock(&pd->reset_mutex);
	return ret;
}

static void ppim_limits_read(struct ppim_device *pd)
{
	struct ppim_limits *l = &pd->limits;
	void __iomem *r = pd->regs;

	l->version = readl(r + PPIM_REG_VERSION);
	l->caps = lo_hi_readq(r + PPIM_REG_CAP);
	l->hbm_bytes = lo_hi_readq(r + PPIM_REG_HBM_BYTES);
	l->dimm_bytes = lo_hi_readq(r + PPIM_REG_DIMM_BYTES);
	l->slice_bytes = lo_hi_readq(r + PPIM_REG_SLICE_BYTES);
	l->slices = readl(r + PPIM_REG_SLICES);
	l->channels = readl(r + PPIM_REG_CHANNELS);
	l->sram_bytes = readl(r + PPIM_REG_SRAM_BYTES);
	l->align = readl(r + PPIM_REG_ALIGN);
	l->hbm_row_bytes = readl(r + PPIM_REG_HBM_ROW_BYTES);
	l->max_queues = readl(r + PPIM_REG_MAX_QUEUES);
	l->max_entries = readl(r + PPIM_REG_MAX_ENTRIES);
	l->max_tables = readl(r + PPIM_REG_MAX_TABLES);
	l->max_indices = readl(r + PPIM_REG_MAX_INDICES);
	l->max_extents = min(readl(r + PPIM_REG_MAX_EXTENTS), PPIM_MAX_EXTENTS);
	l->max_sg = readl(r + PPIM_REG_MAX_SG);
	l->max_output = readl(r + PPIM_REG_MAX_OUTPUT);
	l->archs = readl(r + PPIM_REG_ARCHS);
	l->arch_default = readl(r + PPIM_REG_ARCH_DEFAULT);
	l->algos = readl(r + PPIM_REG_ALGOS);
	l->dtypes = readl(r + PPIM_REG_DTYPES);
	l->combines = readl(r + PPIM_REG_COMBINES);
	l->modes = readl(r + PPIM_REG_MODES);
	l->timebase = readl(r + PPIM_REG_TIMEBASE);
	l->hot_ppm = readl(r + PPIM_REG_HOT_PPM);
}

/* Registers that the driver computes with must not lead it astray. */
static int ppim_limits_check(struct ppim_device *pd)
{
	const struct ppim_limits *l = &pd->limits;
	struct pci_dev *pdev = pd->pdev;
	u64 hbm;

	if (l->version >> 16 != PPIM_VERSION_MAJOR)
		return dev_err_probe(&pdev->dev, -ENODEV, "version %u.%u is not %u.x\n",
				     l->version >> 16, l->version & 0xffff,
				     PPIM_VERSION_MAJOR);
	if (!is_power_of_2(l->align) || l->align < sizeof(u32) || l->align > PPIM_MAX_ALIGN)
		return dev_err_probe(&pdev->dev, -ENODEV, "alignment %u\n", l->align);
	if (!l->slices || l->slices > U16_MAX + 1u || !l->slice_bytes ||
	    check_mul_overflow(l->slice_bytes, (u64)l->slices, &hbm) ||
	    hbm != l->hbm_bytes || hbm > pci_resource_len(pdev, PPIM_BAR_HBM))
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "%u slices of %llu bytes do not fit %llu bytes of HBM\n",
				     l->slices, l->slice_bytes, l->hbm_bytes);
	if ((l->caps & PPIM_CAP_DIMM_WINDOW) &&
	    l->dimm_bytes > pci_resource_len(pdev, PPIM_BAR_DIMM))
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "%llu bytes of DIMM do not fit the window\n", l->dimm_bytes);
	if (!l->max_queues || l->max_entries < 2 || !l->max_tables ||
	    !l->max_indices || !l->max_extents || !l->max_sg || !l->max_output)
		return dev_err_probe(&pdev->dev, -ENODEV, "a limit is zero\n");
	return 0;
}

static int ppim_window_map(struct ppim_device *pd, int bar, u32 tier, u64 bytes)
{
	struct pci_dev *pdev = pd->pdev;
	void *at;
	int ret;

	ret = pci_request_region(pdev, bar, PPIM_NAME);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "BAR %d is taken\n", bar);
	/* Prefetchable memory: no side effects, stores may be combined. */
	at = devm_memremap(&pdev->dev, pci_resource_start(pdev, bar), bytes, MEMREMAP_WC);
	if (IS_ERR(at))
		return dev_err_probe(&pdev->dev, PTR_ERR(at), "cannot map BAR %d\n", bar);
	pd->window[tier] = at;
	return 0;
}

static int ppim_pci_setup(struct ppim_device *pd)
{
	struct pci_dev *pdev = pd->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot enable the function\n");
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no 64-bit DMA\n");
	if (pci_resource_len(pdev, PPIM_BAR_REGS) < PPIM_REGS_BYTES)
		return dev_err_probe(&pdev->dev, -ENODEV, "BAR 0 is too small\n");
	ret = pcim_iomap_regions(pdev, BIT(PPIM_BAR_REGS), PPIM_NAME);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot map BAR 0\n");
	pd->regs = pcim_iomap_table(pdev)[PPIM_BAR_REGS];
	if (readl(pd->regs + PPIM_REG_MAGIC) != PPIM_MAGIC)
		return dev_err_probe(&pdev->dev, -ENODEV, "magic number %#x\n",
				     readl(pd->regs + PPIM_REG_MAGIC));
	ppim_limits_read(pd);
	ret = ppim_limits_check(pd);
	if (ret)
		return ret;
	ret = ppim_window_map(pd, PPIM_BAR_HBM, PPIM_TIER_HBM, pd->limits.hbm_bytes);
	if (ret || !(pd->limits.caps & PPIM_CAP_DIMM_WINDOW) || !pd->limits.dimm_bytes)
		return ret;
	return ppim_window_map(pd, PPIM_BAR_DIMM, PPIM_TIER_DIMM, pd->limits.dimm_bytes);
}

static void ppim_minor_free(struct ppim_device *pd)
{
	if (pd->minor >= 0)
		ida_free(&ppim_minors, pd->minor);
	pd->minor = -1;
}

/* The last reference is gone: probe's, and those of open files. */
static void ppim_device_release(struct device *dev)
{
	struct ppim_device *pd = container_of(dev, struct ppim_device, dev);

	ppim_tier_fini(pd);
	ppim_queues_free(pd);
	xa_destroy(&pd->tables);
	ppim_minor_free(pd);
	kfree(pd);
}

static struct ppim_device *ppim_device_alloc(struct pci_dev *pdev)
{
	struct ppim_device *pd = kzalloc(sizeof(*pd), GFP_KERNEL);

	if (!pd)
		return NULL;
	pd->pdev = pdev;
	pd->minor = -1;
	pd->numa_node = dev_to_node(&pdev->dev);
	init_rwsem(&pd->gate);
	init_waitqueue_head(&pd->state_wait);
	mutex_init(&pd->reset_mutex);
	mutex_init(&pd->admin_mutex);
	mutex_init(&pd->tier_mutex);
	mutex_init(&pd->list_mutex);
	INIT_LIST_HEAD(&pd->files);
	INIT_LIST_HEAD(&pd->mems);
	INIT_DELAYED_WORK(&pd->watchdog, ppim_watchdog);
	init_completion(&pd->admin.done);
	xa_init(&pd->tables);
	device_initialize(&pd->dev);
	pd->dev.class = ppim_class;
	pd->dev.parent = &pdev->dev;
	pd->dev.release = ppim_device_release;
	pd->dev.groups = ppim_sysfs_groups;
	dev_set_drvdata(&pd->dev, pd);
	return pd;
}

static int ppim_device_name(struct ppim_device *pd)
{
	pd->minor = ida_alloc_max(&ppim_minors, PPIM_MINORS - 1, GFP_KERNEL);
	if (pd->minor < 0)
		return dev_err_probe(&pd->pdev->dev, pd->minor, "more than %d devices\n",
				     PPIM_MINORS);
	pd->dev.devt = MKDEV(MAJOR(ppim_devt), pd->minor);
	cdev_init(&pd->cdev, &ppim_fops);
	pd->cdev.owner = THIS_MODULE;
	if (!pd->minor)
		return dev_set_name(&pd->dev, PPIM_NAME);
	return dev_set_name(&pd->dev, PPIM_NAME "%d", pd->minor);
}

/* No file is open and none can be any more, or all calls find it dead. */
static void ppim_device_teardown(struct ppim_device *pd)
{
	mutex_lock(&pd->reset_mutex);
	ppim_device_stop(pd, PPIM_ST_RESET);
	mutex_unlock(&pd->reset_mutex);
	cancel_delayed_work_sync(&pd->watchdog);
	ppim_file_wake_all(pd);
	ppim_table_unmap_all(pd);
	ppim_mem_unmap_all(pd);
	ppim_queues_destroy(pd);
	pci_clear_master(pd->pdev);
}

static void ppim_device_kill(struct ppim_device *pd)
{
	down_write(&pd->gate);
	WRITE_ONCE(pd->dead, true);
	up_write(&pd->gate);
	wake_up_all(&pd->state_wait);
	ppim_queues_wake(pd);
}

static int ppim_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ppim_device *pd;
	int ret;

	pd = ppim_device_alloc(pdev);
	if (!pd)
		return -ENOMEM;
	ret = ppim_pci_setup(pd);
	if (ret)
		goto put;
	ret = ppim_device_name(pd);
	if (ret)
		goto put;
	ret = ppim_tier_init(pd);
	if (ret)
		goto put;
	/* A kernel before this one may have left it running. */
	ppim_device_disable(pd);
	ret = ppim_queues_create(pd, ppim_max_queues);
	if (ret)
		goto put;
	mutex_lock(&pd->reset_mutex);
	ret = ppim_device_start(pd);
	mutex_unlock(&pd->reset_mutex);
	if (ret)
		goto teardown;
	pci_set_drvdata(pdev, pd);
	pci_save_state(pdev);
	ppim_debugfs_add(pd);
	ret = cdev_device_add(&pd->cdev, &pd->dev);
	if (ret)
		goto debugfs;
	dev_info(&pdev->dev, "%s: %llu MiB HBM in %u slices, %llu MiB DIMM, %u queues\n",
		 dev_name(&pd->dev), pd->limits.hbm_bytes >> 20, pd->limits.slices,
		 pd->limits.dimm_bytes >> 20, pd->n_queues);
	return 0;

debugfs:
	ppim_debugfs_remove(pd);
teardown:
	ppim_device_kill(pd);
	ppim_device_teardown(pd);
put:
	put_device(&pd->dev);
	return ret;
}

static void ppim_remove(struct pci_dev *pdev)
{
	struct ppim_device *pd = pci_get_drvdata(pdev);

	ppim_device_kill(pd);
	cdev_device_del(&pd->cdev, &pd->dev);
	/* Open files keep the device, not its name: bound again it is the same. */
	ppim_minor_free(pd);
	ppim_debugfs_remove(pd);
	ppim_device_teardown(pd);
	put_device(&pd->dev);
}

static void ppim_shutdown(struct pci_dev *pdev)
{
	struct ppim_device *pd = pci_get_drvdata(pdev);

	mutex_lock(&pd->reset_mutex);
	ppim_device_stop(pd, PPIM_ST_RESET);
	mutex_unlock(&pd->reset_mutex);
}

static void ppim_pci_stop(struct pci_dev *pdev)
{
	struct ppim_device *pd = pci_get_drvdata(pdev);

	mutex_lock(&pd->reset_mutex);
	ppim_device_stop(pd, PPIM_ST_RESET);
	mutex_unlock(&pd->reset_mutex);
}

static int ppim_pci_start(struct pci_dev *pdev)
{
	struct ppim_device *pd = pci_get_drvdata(pdev);
	int ret;

	mutex_lock(&pd->reset_mutex);
	atomic64_inc(&pd->counters.resets);
	ret = ppim_device_start(pd);
	mutex_unlock(&pd->reset_mutex);
	if (ret)
		dev_err(&pdev->dev, "failed to start again: %pe\n", ERR_PTR(ret));
	return ret;
}

static void ppim_reset_prepare(struct pci_dev *pdev)
{
	ppim_pci_stop(pdev);
}

static void ppim_reset_done(struct pci_dev *pdev)
{
	ppim_pci_start(pdev);
}

static pci_ers_result_t ppim_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct ppim_device *pd = pci_get_drvdata(pdev);

	dev_warn(&pdev->dev, "PCI error, channel state %d\n", state);
	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	ppim_dump(pd, "PCI error");
	ppim_pci_stop(pdev);
	if (state == pci_channel_io_frozen)
		return PCI_ERS_RESULT_NEED_RESET;
	ppim_state_set(pd, PPIM_BROKEN);
	return PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t ppim_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	pci_save_state(pdev);
	return ppim_pci_start(pdev) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void ppim_resume_io(struct pci_dev *pdev)
{
	dev_info(&pdev->dev, "recovered from a PCI error\n");
}

static const struct pci_error_handlers ppim_error_handlers = {
	.error_detected = ppim_error_detected,
	.slot_reset = ppim_slot_reset,
	.resume = ppim_resume_io,
	.reset_prepare = ppim_reset_prepare,
	.reset_done = ppim_reset_done,
};

static int ppim_suspend(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct ppim_device *pd = pci_get_drvdata(pdev);

	ppim_state_set(pd, PPIM_QUIESCED);
	ppim_queues_drain(pd, PPIM_DRAIN_MS);
	ppim_pci_stop(pdev);
	return 0;
}

static int ppim_resume(struct device *dev)
{
	return ppim_pci_start(to_pci_dev(dev));
}

static DEFINE_SIMPLE_DEV_PM_OPS(ppim_pm_ops, ppim_suspend, ppim_resume);

static const struct pci_device_id ppim_ids[] = {
	{ PCI_DEVICE(PPIM_PCI_VENDOR, PPIM_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ppim_ids);

static struct pci_driver ppim_driver = {
	.name = PPIM_NAME,
	.id_table = ppim_ids,
	.probe = ppim_probe,
	.remove = ppim_remove,
	.shutdown = ppim_shutdown,
	.err_handler = &ppim_error_handlers,
	.driver.pm = pm_sleep_ptr(&ppim_pm_ops),
};

static int __init ppim_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&ppim_devt, 0, PPIM_MINORS, PPIM_NAME);
	if (ret)
		return ret;
	ppim_class = ppim_class_create(PPIM_NAME);
	if (IS_ERR(ppim_class)) {
		ret = PTR_ERR(ppim_class);
		goto region;
	}
	ppim_debugfs_init();
	ret = pci_register_driver(&ppim_driver);
	if (!ret)
		return 0;
	ppim_debugfs_exit();
	class_destroy(ppim_class);
region:
	unregister_chrdev_region(ppim_devt, PPIM_MINORS);
	return ret;
}
module_init(ppim_init);

static void __exit ppim_exit(void)
{
	pci_unregister_driver(&ppim_driver);
	ppim_debugfs_exit();
	class_destroy(ppim_class);
	unregister_chrdev_region(ppim_devt, PPIM_MINORS);
}
module_exit(ppim_exit);

MODULE_DESCRIPTION("ProactivePIM memory: HBM with processing units, and DIMM");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
