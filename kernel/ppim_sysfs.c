// SPDX-License-Identifier: GPL-2.0-only
/* Attributes of /sys/class/ppim/ppim*; described in docs/abi-sysfs-class-ppim. */
#include <linux/sysfs.h>

#include "ppim_drv.h"

#define PPIM_SHOW(_name, _fmt, _value)						\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct ppim_device *pd = dev_get_drvdata(dev);				\
										\
	return sysfs_emit(buf, _fmt "\n", _value);				\
}

PPIM_SHOW(caps, "%#llx", pd->limits.caps)
static DEVICE_ATTR_RO(caps);

PPIM_SHOW(hbm_bytes, "%llu", pd->limits.hbm_bytes)
static DEVICE_ATTR_RO(hbm_bytes);

PPIM_SHOW(dimm_bytes, "%llu", pd->limits.dimm_bytes)
static DEVICE_ATTR_RO(dimm_bytes);

PPIM_SHOW(slice_bytes, "%llu", pd->limits.slice_bytes)
static DEVICE_ATTR_RO(slice_bytes);

PPIM_SHOW(slices, "%u", pd->limits.slices)
static DEVICE_ATTR_RO(slices);

PPIM_SHOW(channels, "%u", pd->limits.channels)
static DEVICE_ATTR_RO(channels);

PPIM_SHOW(sram_bytes, "%u", pd->limits.sram_bytes)
static DEVICE_ATTR_RO(sram_bytes);

PPIM_SHOW(archs, "%#x", pd->limits.archs)
static DEVICE_ATTR_RO(archs);

PPIM_SHOW(arch_default, "%u", pd->limits.arch_default)
static DEVICE_ATTR_RO(arch_default);

PPIM_SHOW(timebase, "%u", pd->limits.timebase)
static DEVICE_ATTR_RO(timebase);

PPIM_SHOW(queues, "%u", pd->n_queues)
static DEVICE_ATTR_RO(queues);

PPIM_SHOW(resets, "%lld", atomic64_read(&pd->counters.resets))
static DEVICE_ATTR_RO(resets);

PPIM_SHOW(timeouts, "%lld", atomic64_read(&pd->counters.timeouts))
static DEVICE_ATTR_RO(timeouts);

PPIM_SHOW(stray_completions, "%lld", atomic64_read(&pd->counters.stray_completions))
static DEVICE_ATTR_RO(stray_completions);

PPIM_SHOW(pinned_bytes, "%lld", atomic64_read(&pd->counters.pinned_pages) << PAGE_SHIFT)
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
