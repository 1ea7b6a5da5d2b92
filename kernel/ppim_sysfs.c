// SPDX-License-Identifier: GPL-2.0-only
/* Attributes of /sys/class/ppim/ppim*; described in docs/abi-sysfs-class-ppim. */
#include <linux/sysfs.h>

#include "ppim_drv.h"

#define PPIM_SYSFS_LIMIT(_name, _fmt)						\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct ppim_device *pd = dev_get_drvdata(dev);				\
										\
	return sysfs_emit(buf, _fmt "\n", pd->limits._name);			\
}										\
static DEVICE_ATTR_RO(_name)

PPIM_SYSFS_LIMIT(caps, "%#llx");
PPIM_SYSFS_LIMIT(hbm_bytes, "%llu");
PPIM_SYSFS_LIMIT(dimm_bytes, "%llu");
PPIM_SYSFS_LIMIT(slice_bytes, "%llu");
PPIM_SYSFS_LIMIT(slices, "%u");
PPIM_SYSFS_LIMIT(channels, "%u");
PPIM_SYSFS_LIMIT(sram_bytes, "%u");
PPIM_SYSFS_LIMIT(archs, "%#x");
PPIM_SYSFS_LIMIT(arch_default, "%u");
PPIM_SYSFS_LIMIT(timebase, "%u");

#define PPIM_SYSFS_COUNTER(_name)						\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct ppim_device *pd = dev_get_drvdata(dev);				\
										\
	return sysfs_emit(buf, "%lld\n", atomic64_read(&pd->counters._name));	\
}										\
static DEVICE_ATTR_RO(_name)

PPIM_SYSFS_COUNTER(resets);
PPIM_SYSFS_COUNTER(timeouts);
PPIM_SYSFS_COUNTER(stray_completions);

static ssize_t pinned_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ppim_device *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%lld\n", atomic64_read(&pd->counters.pinned_pages) << PAGE_SHIFT);
}
static DEVICE_ATTR_RO(pinned_bytes);

static ssize_t hbm_free_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 hbm, dimm;

	ppim_tier_free_bytes(dev_get_drvdata(dev), &hbm, &dimm);
	return sysfs_emit(buf, "%llu\n", hbm);
}
static DEVICE_ATTR_RO(hbm_free);

static ssize_t dimm_free_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 hbm, dimm;

	ppim_tier_free_bytes(dev_get_drvdata(dev), &hbm, &dimm);
	return sysfs_emit(buf, "%llu\n", dimm);
}
static DEVICE_ATTR_RO(dimm_free);

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ppim_device *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u.%u\n", pd->limits.version >> 16, pd->limits.version & 0xffff);
}
static DEVICE_ATTR_RO(version);

static ssize_t queues_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ppim_device *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", pd->n_queues);
}
static DEVICE_ATTR_RO(queues);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const names[] = {
		[PPIM_QUIESCED] = "quiesced",
		[PPIM_LIVE] = "live",
		[PPIM_BROKEN] = "broken",
	};
	struct ppim_device *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", names[READ_ONCE(pd->state)]);
}
static DEVICE_ATTR_RO(state);

static struct attribute *ppim_attrs[] = {
	&dev_attr_version.attr,
	&dev_attr_state.attr,
	&dev_attr_caps.attr,
	&dev_attr_hbm_bytes.attr,
	&dev_attr_hbm_free.attr,
	&dev_attr_dimm_bytes.attr,
	&dev_attr_dimm_free.attr,
	&dev_attr_slices.attr,
	&dev_attr_slice_bytes.attr,
	&dev_attr_channels.attr,
	&dev_attr_sram_bytes.attr,
	&dev_attr_archs.attr,
	&dev_attr_arch_default.attr,
	&dev_attr_timebase.attr,
	&dev_attr_queues.attr,
	&dev_attr_resets.attr,
	&dev_attr_timeouts.attr,
	&dev_attr_stray_completions.attr,
	&dev_attr_pinned_bytes.attr,
	NULL
};
ATTRIBUTE_GROUPS(ppim);

const struct attribute_group **ppim_sysfs_groups = ppim_groups;
