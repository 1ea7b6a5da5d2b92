// SPDX-License-Identifier: MIT
/* Tables and what is in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ppim_int.h"

static void create_fill(struct ppim_ioc_table_create *c,
			const struct ppim_shape *s, const char *name)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	c->algo = s->algo;
	c->dtype = s->dtype;
	c->combine = s->combine;
	c->qr_order = s->qr_order;
	c->dim = s->dim;
	c->rows = s->rows;
	c->collisions = s->collisions;
	memcpy(c->tt_p, s->tt_p, sizeof(c->tt_p));
	memcpy(c->tt_q, s->tt_q, sizeof(c->tt_q));
	memcpy(c->tt_r, s->tt_r, sizeof(c->tt_r));
	snprintf(c->name, sizeof(c->name), "%s", name ? name : "");
}

static void table_link(struct ppim_dev *dev, struct ppim_tbl *t)
{
	pthread_mutex_lock(&dev->lock);
	t->next = dev->tables;
	t->prev = &dev->tables;
	if (t->next)
		t->next->prev = &t->next;
	dev->tables = t;
	pthread_mutex_unlock(&dev->lock);
}

static void table_unlink(struct ppim_tbl *t)
{
	pthread_mutex_lock(&t->dev->lock);
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	pthread_mutex_unlock(&t->dev->lock);
}

int ppim_table_create(struct ppim_dev *dev, const struct ppim_shape *shape,
		      const char *name, struct ppim_tbl **tbl)
{
	struct ppim_ioc_table_create c;
	struct ppim_tbl *t;
	int ret;

	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	create_fill(&c, shape, name);
	ret = dev_call(dev, PPIM_IOC_TABLE_CREATE, &c);
	if (ret) {
		free(t);
		return ret;
	}
	t->dev = dev;
	t->shape = *shape;
	t->handle = c.handle;
	t->id = c.id;
	memcpy(t->name, c.name, sizeof(t->name));
	table_link(dev, t);
	*tbl = t;
	return 0;
}

int ppim_table_destroy(struct ppim_tbl *t)
{
	struct ppim_ioc_handle h = { sizeof(h), t->handle };
	int ret = dev_call(t->dev, PPIM_IOC_TABLE_DESTROY, &h);

	/* after an unplug the driver's side is gone already */
	if (ret && ret != -ENODEV)
		return ret;
	table_unlink(t);
	free(t);
	return 0;
}

const struct ppim_shape *ppim_table_shape(const struct ppim_tbl *t)
{
	return &t->shape;
}

const char *ppim_table_name(const struct ppim_tbl *t)
{
	return t->name;
}

int ppim_table_info(struct ppim_tbl *t, struct ppim_ioc_table_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->handle = t->handle;
	return dev_call(t->dev, PPIM_IOC_TABLE_INFO, info);
}

int ppim_table_next(struct ppim_dev *dev, uint64_t after,
		    struct ppim_ioc_table_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = PPIM_TABLE_INFO_NEXT;
	info->id = after;
	return dev_call(dev, PPIM_IOC_TABLE_INFO, info);
}

/* ---- contents ------------------------------------------------------------- */

static int table_copy(struct ppim_tbl *t, unsigned long request, uint32_t sub,
		      const uint64_t *rows, uint64_t first, uint64_t n,
		      const void *data, uint32_t copy)
{
	struct ppim_ioc_copy c = {
		.size = sizeof(c),
		.table = t->handle,
		.subtable = sub,
		.first_row = first,
		.n_rows = n,
		.data = (uintptr_t)data,
		.rows = (uintptr_t)rows,
		.copy = copy,
	};

	return dev_call(t->dev, request, &c);
}

int ppim_upload(struct ppim_tbl *t, uint32_t sub, uint64_t first, uint64_t n,
		const void *data)
{
	return table_copy(t, PPIM_IOC_UPLOAD, sub, NULL, first, n, data, 0);
}

int ppim_upload_rows(struct ppim_tbl *t, uint32_t sub, const uint64_t *rows,
		     uint64_t n, const void *data)
{
	if (!rows)
		return -EINVAL;
	return table_copy(t, PPIM_IOC_UPLOAD, sub, rows, 0, n, data, 0);
}

int ppim_upload_copy(struct ppim_tbl *t, uint32_t sub, uint64_t first,
		     uint64_t n, const void *data, uint32_t copy)
{
	if (copy & PPIM_COPY_ONE)
		return -EINVAL;
	return table_copy(t, PPIM_IOC_UPLOAD, sub, NULL, first, n, data,
			  PPIM_COPY_ONE | copy);
}

int ppim_download(struct ppim_tbl *t, uint32_t sub, uint64_t first, uint64_t n,
		  void *data, uint32_t copy)
{
	return table_copy(t, PPIM_IOC_DOWNLOAD, sub, NULL, first, n, data,
			  copy);
}

int ppim_download_rows(struct ppim_tbl *t, uint32_t sub, const uint64_t *rows,
		       uint64_t n, void *data, uint32_t copy)
{
	if (!rows)
		return -EINVAL;
	return table_copy(t, PPIM_IOC_DOWNLOAD, sub, rows, 0, n, data, copy);
}
