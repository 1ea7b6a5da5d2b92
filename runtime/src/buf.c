// SPDX-License-Identifier: MIT
/* Staging buffers: on the device's NUMA node, registered with the driver. */
#include <errno.h>
#include <limits.h>
#include <numaif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ppim_int.h"

struct buf {
	struct buf *next;
	char *ptr;
	size_t bytes;
	uint32_t handle; /* 0: not registered */
};

#define NODES_MAX 1024
#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

/* A wish, not a demand: a node without memory must not fail the allocation. */
static void buf_bind(void *ptr, size_t bytes, int node)
{
	unsigned long mask[NODES_MAX / WORD_BITS] = { 0 };

	if (node < 0 || node >= NODES_MAX - 1)
		return;
	mask[node / WORD_BITS] = 1ul << node % WORD_BITS;
	mbind(ptr, bytes, MPOL_PREFERRED, mask, NODES_MAX, 0);
}

static int buf_register(struct ppim_dev *dev, struct buf *b)
{
	struct ppim_ioc_mem mem = {
		.size = sizeof(mem),
		.flags = PPIM_MEM_WRITE,
		.addr = (uintptr_t)b->ptr,
		.bytes = b->bytes,
	};
	int ret;

	if (!(dev->driver_caps & PPIM_DRVCAP_MEM))
		return 0;
	ret = dev_call(dev, PPIM_IOC_MEM_REGISTER, &mem);
	if (!ret)
		b->handle = mem.handle;
	return ret;
}

static int buf_unregister(struct ppim_dev *dev, const struct buf *b)
{
	struct ppim_ioc_handle h = { sizeof(h), b->handle };

	return b->handle ? dev_call(dev, PPIM_IOC_MEM_UNREGISTER, &h) : 0;
}

static int buf_map(struct buf *b, size_t bytes, int node)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!bytes || bytes > SIZE_MAX - page)
		return -EINVAL;
	b->bytes = (bytes + page - 1) & ~(page - 1);
	b->ptr = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->ptr == MAP_FAILED)
		return -ENOMEM;
	buf_bind(b->ptr, b->bytes, node);
	return 0;
}

int ppim_buf_alloc(struct ppim_dev *dev, size_t bytes, void **ptr)
{
	struct buf *b = calloc(1, sizeof(*b));
	int ret;

	if (!b)
		return -ENOMEM;
	ret = buf_map(b, bytes, dev->numa_node);
	if (ret)
		goto free;
	ret = buf_register(dev, b);
	if (ret)
		goto unmap;
	pthread_rwlock_wrlock(&dev->buf_lock);
	b->next = dev->bufs;
	dev->bufs = b;
	pthread_rwlock_unlock(&dev->buf_lock);
	*ptr = b->ptr;
	return 0;
unmap:
	munmap(b->ptr, b->bytes);
free:
	free(b);
	return ret;
}

static int buf_remove(struct ppim_dev *dev, const void *ptr, struct buf **out)
{
	struct buf **at, *b;
	int ret;

	for (at = &dev->bufs; *at; at = &(*at)->next)
		if ((*at)->ptr == ptr)
			break;
	b = *at;
	if (!b)
		return -EINVAL;
	ret = buf_unregister(dev, b);
	/* after an unplug the registration is gone already */
	if (ret && ret != -ENODEV)
		return ret;
	*at = b->next;
	*out = b;
	return 0;
}

int ppim_buf_free(struct ppim_dev *dev, void *ptr)
{
	struct buf *b;
	int ret;

	if (!ptr)
		return 0;
	pthread_rwlock_wrlock(&dev->buf_lock);
	ret = buf_remove(dev, ptr, &b);
	pthread_rwlock_unlock(&dev->buf_lock);
	if (ret)
		return ret;
	munmap(b->ptr, b->bytes);
	free(b);
	return 0;
}

void bufs_free(struct ppim_dev *dev)
{
	struct buf *b;

	while ((b = dev->bufs)) {
		dev->bufs = b->next;
		buf_unregister(dev, b);
		munmap(b->ptr, b->bytes);
		free(b);
	}
}

void buf_name(struct ppim_dev *dev, const void *ptr, uint64_t bytes,
	      struct ppim_ioc_buf *out)
{
	const char *p = ptr;
	struct buf *b;

	*out = (struct ppim_ioc_buf){ .addr = (uintptr_t)ptr, .bytes = bytes };
	if (!bytes)
		return;
	pthread_rwlock_rdlock(&dev->buf_lock);
	for (b = dev->bufs; b; b = b->next)
		if (b->handle && p >= b->ptr && p < b->ptr + b->bytes)
			break;
	if (b && bytes <= (uint64_t)(b->ptr + b->bytes - p)) {
		out->addr = (uint64_t)(p - b->ptr);
		out->mem = b->handle;
	}
	pthread_rwlock_unlock(&dev->buf_lock);
}
