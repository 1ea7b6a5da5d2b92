// SPDX-License-Identifier: MIT
/* Opening a device, and what can be asked of one. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "ppim_int.h"

#ifndef PPIM_VERSION
#error "PPIM_VERSION is the makefile's to say"
#endif

const char *ppim_version(void)
{
	return PPIM_VERSION;
}

static int kernel_call(struct ppim_dev *dev, unsigned long request, void *arg)
{
	return ioctl(dev->fd, request, arg) < 0 ? -errno : 0;
}

/* A ring that can be set up, and a kernel that knows the operation. */
static int uring_probe(void)
{
	struct io_uring_probe *probe;
	struct io_uring ring;
	int ret;

	ret = io_uring_queue_init(2, &ring, 0);
	if (ret)
		return ret;
	probe = io_uring_get_probe_ring(&ring);
	ret = probe && io_uring_opcode_supported(probe, IORING_OP_URING_CMD) ?
		      0 : -EOPNOTSUPP;
	io_uring_free_probe(probe);
	io_uring_queue_exit(&ring);
	return ret;
}

static void uring_decide(struct ppim_dev *dev)
{
	int ret;

	if (!(dev->driver_caps & PPIM_DRVCAP_URING)) {
		snprintf(dev->uring_reason, sizeof(dev->uring_reason), "%s",
			 dev->host ? "no device" : "the driver has none");
		return;
	}
	ret = uring_probe();
	dev->uring = !ret;
	if (ret)
		snprintf(dev->uring_reason, sizeof(dev->uring_reason),
			 "io_uring: %s", strerror(-ret));
}

static int info_read(struct ppim_dev *dev, struct ppim_ioc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return dev_call(dev, PPIM_IOC_INFO, info);
}

static int dev_attach(struct ppim_dev *dev, const char *path)
{
	struct ppim_ioc_info info;
	int ret;

	dev->fd = -1;
	if (!strcmp(path, PPIM_DEV_CPU)) {
		ret = host_open(dev);
	} else {
		dev->call = kernel_call;
		dev->fd = open(path, O_RDWR | O_CLOEXEC);
		ret = dev->fd < 0 ? -errno : 0;
	}
	if (!ret)
		ret = info_read(dev, &info);
	if (ret)
		return ret;
	dev->driver_caps = info.driver_caps;
	dev->numa_node = info.numa_node;
	uring_decide(dev);
	return 0;
}

static void dev_detach(struct ppim_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->host)
		host_close(dev->host);
	pthread_rwlock_destroy(&dev->buf_lock);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

int ppim_open(const char *path, struct ppim_dev **out)
{
	struct ppim_dev *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return -ENOMEM;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_rwlock_init(&dev->buf_lock, NULL);
	ret = dev_attach(dev, path ? path : PPIM_DEV_DEFAULT);
	if (ret)
		dev_detach(dev);
	else
		*out = dev;
	return ret;
}

/* The driver frees its side of tables and registrations with the file. */
void ppim_close(struct ppim_dev *dev)
{
	struct ppim_tbl *t;

	if (!dev)
		return;
	while ((t = dev->tables)) {
		dev->tables = t->next;
		free(t);
	}
	bufs_free(dev);
	dev_detach(dev);
}

int ppim_fd(const struct ppim_dev *dev)
{
	return dev->fd;
}

int ppim_info(struct ppim_dev *dev, struct ppim_info *info)
{
	memset(info, 0, sizeof(*info));
	info->is_cpu = !!dev->host;
	info->uring = dev->uring;
	memcpy(info->uring_reason, dev->uring_reason,
	       sizeof(info->uring_reason));
	snprintf(info->isa, sizeof(info->isa), "%s", cpu_isa());
	info->threads = cpu_threads();
	return info_read(dev, &info->dev);
}

int ppim_stats(struct ppim_dev *dev, struct ppim_ioc_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	return dev_call(dev, PPIM_IOC_STATS, stats);
}

int ppim_reset(struct ppim_dev *dev)
{
	struct ppim_ioc_reset reset = { .size = sizeof(reset) };

	return dev_call(dev, PPIM_IOC_RESET, &reset);
}
