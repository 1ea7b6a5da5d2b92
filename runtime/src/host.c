// SPDX-License-Identifier: MIT
/*
 * The CPU path as a device: the uapi's calls over host memory, with the
 * driver's rules and errors, so that a program that runs here runs there.
 * Rows lie back to back in their own order whatever their placement says;
 * copies of a subtable are one, places are kept for their sizes only.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "plan.h"
#include "ppim_int.h"

#define HOST_MAX_TABLES 65536u

/* The geometry of one HBM2 stack of 4 GiB beside 32 GiB of DIMM. */
static const struct ppim_plan_geometry host_geometry = {
	.slices = 32,
	.channels = 8,
	.slice_bytes = 128ull << 20,
	.dimm_bytes = 32ull << 30,
	.sram_bytes = 40960,
	.align = 64,
	.hbm_row_bytes = 2048,
	.hot_ppm = 952380, /* 4 x 256 GB/s, inside the stack, beside 51.2 GB/s */
	.max_extents = 1024,
};

#define HOST_MAX_IN_BATCH 4096u
#define HOST_MAX_INDICES (1u << 30)

struct host_sub {
	void *data; /* NULL: not placed */
	size_t bytes;
	uint64_t rows;
	uint32_t row_bytes;
	uint32_t row_stride;
	uint32_t flags;
	uint32_t n_extents;
	struct ppim_ioc_extent *extents;
	uint64_t map_bytes;
	uint32_t map_tier, map_slice;
	uint64_t map_offset;
};

struct host_table {
	/* read: batches and downloads; write: all that changes something */
	pthread_rwlock_t lock;
	atomic_uint users; /* it is destroyed when there are none */
	uint64_t id;
	uint32_t handle;
	struct ppim_shape shape;
	struct ppim_ioc_table_create create;
	uint32_t n_sub;
	struct host_sub sub[PPIM_MAX_SUBTABLES];
};

struct host {
	pthread_rwlock_t lock; /* table, last_id; users of a table grow */
	struct host_table *table[HOST_MAX_TABLES + 1]; /* by handle */
	uint64_t last_id;
	pthread_mutex_t alloc_lock;
	struct ppim_plan_alloc *alloc;
	pthread_mutex_t stats_lock;
	struct ppim_ioc_stats stats;
};

/* ---- tables ----------------------------------------------------------------- */

static struct host_table *table_find(struct host *h, uint32_t handle)
{
	return handle && handle <= HOST_MAX_TABLES ? h->table[handle] : NULL;
}

static struct host_table *table_use(struct host *h, uint32_t handle)
{
	struct host_table *t;

	pthread_rwlock_rdlock(&h->lock);
	t = table_find(h, handle);
	if (t)
		atomic_fetch_add(&t->users, 1);
	pthread_rwlock_unlock(&h->lock);
	return t;
}

static void table_put(struct host_table *t)
{
	atomic_fetch_sub(&t->users, 1);
}

uint32_t host_hold(struct host *h, const struct ppim_ioc_job *jobs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!table_use(h, jobs[i].table))
			break;
	return i;
}

void host_release(struct host *h, const struct ppim_ioc_job *jobs, uint32_t n)
{
	uint32_t i;

	pthread_rwlock_rdlock(&h->lock);
	for (i = 0; i < n; i++)
		table_put(h->table[jobs[i].table]);
	pthread_rwlock_unlock(&h->lock);
}

static void sub_free(struct host *h, struct host_sub *s)
{
	struct ppim_ioc_extent *e;
	uint32_t i;

	if (!s->data)
		return;
	pthread_mutex_lock(&h->alloc_lock);
	for (i = 0; i < s->n_extents; i++) {
		e = &s->extents[i];
		ppim_plan_alloc_give(h->alloc, e->tier, e->slice, e->offset,
				     e->rows * s->row_stride);
	}
	if (s->map_bytes)
		ppim_plan_alloc_give(h->alloc, s->map_tier, s->map_slice,
				     s->map_offset, s->map_bytes);
	pthread_mutex_unlock(&h->alloc_lock);
	munmap(s->data, s->bytes);
	free(s->extents);
}

static void table_free(struct host *h, struct host_table *t)
{
	uint32_t k;

	for (k = 0; k < t->n_sub; k++)
		sub_free(h, &t->sub[k]);
	pthread_rwlock_destroy(&t->lock);
	free(t);
}

static void shape_of(const struct ppim_ioc_table_create *c,
		     struct ppim_shape *s)
{
	*s = (struct ppim_shape){
		.rows = c->rows,
		.dim = c->dim,
		.collisions = c->collisions,
		.algo = c->algo,
		.dtype = c->dtype,
		.combine = c->combine,
		.qr_order = c->qr_order,
	};
	memcpy(s->tt_p, c->tt_p, sizeof(s->tt_p));
	memcpy(s->tt_q, c->tt_q, sizeof(s->tt_q));
	memcpy(s->tt_r, c->tt_r, sizeof(s->tt_r));
}

static struct host_table *table_new(const struct ppim_ioc_table_create *c)
{
	struct host_table *t = calloc(1, sizeof(*t));
	uint32_t k;

	if (!t)
		return NULL;
	pthread_rwlock_init(&t->lock, NULL);
	t->create = *c;
	shape_of(c, &t->shape);
	t->n_sub = ppim_shape_subtables(&t->shape);
	for (k = 0; k < t->n_sub; k++) {
		t->sub[k].rows = ppim_shape_rows(&t->shape, k);
		t->sub[k].row_bytes =
			(uint32_t)ppim_shape_row_bytes(&t->shape, k);
	}
	return t;
}

static int table_insert(struct host *h, struct host_table *t)
{
	uint32_t i;

	for (i = 1; i <= HOST_MAX_TABLES; i++)
		if (!h->table[i])
			break;
	if (i > HOST_MAX_TABLES)
		return -ENOMEM;
	h->table[i] = t;
	t->handle = i;
	t->id = ++h->last_id;
	return 0;
}

static bool name_valid(const char *name, size_t size)
{
	size_t i, n = strnlen(name, size);

	for (i = 0; i < n; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return n < size;
}

static int host_create(struct host *h, struct ppim_ioc_table_create *c)
{
	struct ppim_shape shape;
	struct host_table *t;
	int ret;

	shape_of(c, &shape);
	if (!ppim_shape_valid(&shape) || !name_valid(c->name, sizeof(c->name)))
		return -EINVAL;
	t = table_new(c);
	if (!t)
		return -ENOMEM;
	pthread_rwlock_wrlock(&h->lock);
	ret = table_insert(h, t);
	pthread_rwlock_unlock(&h->lock);
	if (ret) {
		table_free(h, t);
		return ret;
	}
	c->handle = t->handle;
	c->id = t->id;
	return 0;
}

static int host_destroy(struct host *h, const struct ppim_ioc_handle *arg)
{
	struct host_table *t;
	int ret = 0;

	pthread_rwlock_wrlock(&h->lock);
	t = table_find(h, arg->handle);
	if (!t)
		ret = -ENOENT;
	else if (atomic_load(&t->users))
		ret = -EBUSY;
	else
		h->table[arg->handle] = NULL;
	pthread_rwlock_unlock(&h->lock);
	if (!ret)
		table_free(h, t);
	return ret;
}

static void sub_bytes(const struct host_sub *s, uint64_t *hbm,
		      uint64_t *dimm)
{
	uint32_t i;

	for (i = 0; i < s->n_extents; i++)
		*(s->extents[i].tier == PPIM_TIER_HBM ? hbm : dimm) +=
			s->extents[i].rows * s->row_stride;
	if (s->map_bytes)
		*(s->map_tier == PPIM_TIER_HBM ? hbm : dimm) += s->map_bytes;
}

static void table_describe(struct host_table *t,
			   struct ppim_ioc_table_info *info)
{
	uint64_t hbm, dimm;
	uint32_t k;

	info->id = t->id;
	info->handle = t->handle;
	info->pid = getpid();
	info->create = t->create;
	info->create.handle = t->handle;
	info->create.id = t->id;
	pthread_rwlock_rdlock(&t->lock);
	for (k = 0; k < t->n_sub; k++) {
		hbm = dimm = 0;
		sub_bytes(&t->sub[k], &hbm, &dimm);
		info->sub[k].rows = t->sub[k].rows;
		info->sub[k].row_bytes = t->sub[k].row_bytes;
		info->sub[k].row_stride = t->sub[k].row_stride;
		info->sub[k].n_extents = t->sub[k].n_extents;
		info->sub[k].flags = t->sub[k].flags;
		info->sub[k].hbm_bytes = hbm;
		info->sub[k].dimm_bytes = dimm;
	}
	pthread_rwlock_unlock(&t->lock);
}

static struct host_table *table_after(struct host *h, uint64_t id)
{
	struct host_table *best = NULL, *t;
	uint32_t i;

	for (i = 1; i <= HOST_MAX_TABLES; i++) {
		t = h->table[i];
		if (t && t->id > id && (!best || t->id < best->id))
			best = t;
	}
	return best;
}

static int host_table_info(struct host *h, struct ppim_ioc_table_info *info)
{
	struct host_table *t;

	pthread_rwlock_rdlock(&h->lock);
	t = info->flags & PPIM_TABLE_INFO_NEXT ? table_after(h, info->id) :
						 table_find(h, info->handle);
	if (t)
		table_describe(t, info);
	pthread_rwlock_unlock(&h->lock);
	return t ? 0 : -ENOENT;
}

/* ---- placement ------------------------------------------------------------------ */

static int tier_check(uint32_t tier, uint32_t slice)
{
	if (tier == PPIM_TIER_HBM)
		return slice < host_geometry.slices ? 0 : -EINVAL;
	if (tier == PPIM_TIER_DIMM)
		return slice ? -EINVAL : 0;
	return tier <= PPIM_TIER_HOST ? -EOPNOTSUPP : -EINVAL;
}

static int place_check(const struct host_sub *s, const struct ppim_ioc_place *p,
		       bool dup)
{
	uint32_t align = host_geometry.align;
	static const uint32_t zero[3];

	if (p->flags & ~PPIM_PLACE_FIXED ||
	    memcmp(p->reserved, zero, sizeof(zero)) || !p->n_extents)
		return -EINVAL;
	if (p->n_extents > host_geometry.max_extents)
		return -E2BIG;
	if (p->flags & PPIM_PLACE_FIXED)
		return -EOPNOTSUPP;
	if (s->data && !(dup && s->flags & PPIM_SUBF_DUPLICATED))
		return -EBUSY;
	if (p->row_stride && (p->row_stride % align ||
			      p->row_stride < s->row_bytes))
		return -EINVAL;
	if (p->map ? dup || p->map_bits < 1 || p->map_bits > 31 :
		     p->map_bits || p->map_tier || p->map_slice)
		return -EINVAL;
	return p->map ? tier_check(p->map_tier, p->map_slice) : 0;
}

static int extents_check(const struct host_sub *s,
			 const struct ppim_ioc_place *p,
			 const struct ppim_ioc_extent *e, bool dup)
{
	uint64_t least;
	uint32_t i;
	int ret;

	for (i = 0; i < p->n_extents; i++) {
		ret = tier_check(e[i].tier, e[i].slice);
		if (ret)
			return ret;
		least = p->map || i >= s->rows ? 1 :
			(s->rows - i - 1) / p->n_extents + 1;
		if (dup ? e[i].rows != s->rows : e[i].rows < least)
			return -EINVAL;
		if (e[i].rows > PPIM_MAX_ROWS)
			return -ENOSPC;
	}
	return 0;
}

static int map_check(const struct host_sub *s, const struct ppim_ioc_place *p,
		     const struct ppim_ioc_extent *e)
{
	const uint32_t *map = (const uint32_t *)(uintptr_t)p->map;
	uint64_t i;

	for (i = 0; map && i < s->rows; i++)
		if (map[i] >> p->map_bits >= p->n_extents ||
		    (map[i] & ((1u << p->map_bits) - 1)) >=
			    e[map[i] >> p->map_bits].rows)
			return -ERANGE;
	return 0;
}

/* All or nothing. */
static int places_take(struct host *h, struct host_sub *s,
		       struct ppim_ioc_extent *e, uint32_t n)
{
	uint64_t at;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < n; i++) {
		ret = ppim_plan_alloc_take(h->alloc, e[i].tier, e[i].slice,
					   e[i].rows * s->row_stride, &at);
		if (ret)
			break;
		e[i].offset = at;
	}
	if (!ret && s->map_bytes)
		ret = ppim_plan_alloc_take(h->alloc, s->map_tier, s->map_slice,
					   s->map_bytes, &s->map_offset);
	while (ret && i-- > 0)
		ppim_plan_alloc_give(h->alloc, e[i].tier, e[i].slice,
				     e[i].offset, e[i].rows * s->row_stride);
	return ret;
}

static int sub_map(struct host_sub *s)
{
	void *p;

	s->bytes = s->rows * s->row_bytes;
	p = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	s->data = p;
	return 0;
}

/* `next` is the subtable as it will be; s changes at the end only. */
static int sub_place(struct host *h, struct host_sub *s,
		     const struct ppim_ioc_place *p, bool dup)
{
	struct ppim_ioc_extent *user = (void *)(uintptr_t)p->extents;
	uint32_t old = s->n_extents, n = old + p->n_extents;
	struct host_sub next = *s;
	int ret;

	if (n > host_geometry.max_extents)
		return -E2BIG;
	if (!old) {
		next.row_stride = p->row_stride ? p->row_stride :
			(s->row_bytes + host_geometry.align - 1) &
			~(host_geometry.align - 1);
		next.flags = dup ? PPIM_SUBF_DUPLICATED :
			     p->map ? PPIM_SUBF_MAPPED : 0;
		next.map_bytes = p->map ? s->rows * 4 : 0;
		next.map_tier = p->map_tier;
		next.map_slice = p->map_slice;
	}
	next.extents = malloc(n * sizeof(*next.extents));
	if (!next.extents)
		return -ENOMEM;
	if (old)
		memcpy(next.extents, s->extents, old * sizeof(*user));
	memcpy(next.extents + old, user, p->n_extents * sizeof(*user));
	next.n_extents = n;
	ret = old ? 0 : sub_map(&next);
	if (!ret) {
		pthread_mutex_lock(&h->alloc_lock);
		ret = places_take(h, &next, next.extents + old, p->n_extents);
		pthread_mutex_unlock(&h->alloc_lock);
		if (ret && !old)
			munmap(next.data, next.bytes);
	}
	if (ret) {
		free(next.extents);
		return ret;
	}
	memcpy(user, next.extents + old, p->n_extents * sizeof(*user));
	free(s->extents);
	*s = next;
	return 0;
}

static int table_place(struct host *h, struct host_table *t,
		       const struct ppim_ioc_place *p, bool dup)
{
	const struct ppim_ioc_extent *e = (void *)(uintptr_t)p->extents;
	struct host_sub *s;
	int ret;

	if (p->subtable >= t->n_sub)
		return -EINVAL;
	s = &t->sub[p->subtable];
	ret = place_check(s, p, dup);
	if (!ret && !e)
		ret = -EFAULT;
	if (!ret)
		ret = extents_check(s, p, e, dup);
	if (!ret)
		ret = map_check(s, p, e);
	return ret ? ret : sub_place(h, s, p, dup);
}

static int host_place(struct host *h, struct ppim_ioc_place *p, bool dup)
{
	struct host_table *t;
	int ret = -EBUSY;

	t = table_use(h, p->table);
	if (!t)
		return -ENOENT;
	if (!pthread_rwlock_trywrlock(&t->lock)) {
		ret = table_place(h, t, p, dup);
		pthread_rwlock_unlock(&t->lock);
	}
	table_put(t);
	return ret;
}

static int table_hint(struct host_table *t, const struct ppim_ioc_prefetch *p)
{
	struct host_sub *s;

	if (p->subtable >= t->n_sub || p->enable > 1)
		return -EINVAL;
	s = &t->sub[p->subtable];
	if (!(s->flags & PPIM_SUBF_DUPLICATED))
		return -ENODATA;
	s->flags &= ~PPIM_SUBF_PREFETCH;
	s->flags |= p->enable ? PPIM_SUBF_PREFETCH : 0;
	return 0;
}

static int host_prefetch(struct host *h, const struct ppim_ioc_prefetch *p)
{
	struct host_table *t;
	int ret;

	t = table_use(h, p->table);
	if (!t)
		return -ENOENT;
	pthread_rwlock_wrlock(&t->lock);
	ret = table_hint(t, p);
	pthread_rwlock_unlock(&t->lock);
	table_put(t);
	return ret;
}

/* ---- contents ---------------------------------------------------------------------- */

static int copy_choice(const struct host_sub *s, const struct ppim_ioc_copy *c,
		       bool upload)
{
	if (upload && c->copy & PPIM_COPY_ONE)
		return -EOPNOTSUPP; /* there is one copy only */
	if (upload)
		return c->copy ? -EINVAL : 0;
	if (!(s->flags & PPIM_SUBF_DUPLICATED))
		return c->copy ? -EINVAL : 0;
	return c->copy < s->n_extents ? 0 : -EINVAL;
}

static int copy_check(const struct host_sub *s, const struct ppim_ioc_copy *c,
		      bool upload)
{
	const uint64_t *rows = (const uint64_t *)(uintptr_t)c->rows;
	uint64_t i;

	if (!s->data)
		return -ENODATA;
	if (c->flags || c->reserved || (rows && c->first_row))
		return -EINVAL;
	if (!rows && (c->first_row > s->rows ||
		      c->n_rows > s->rows - c->first_row))
		return -ERANGE;
	for (i = 0; rows && i < c->n_rows; i++)
		if (rows[i] >= s->rows)
			return -ERANGE;
	return copy_choice(s, c, upload);
}

static void copy_run(const struct host_sub *s, const struct ppim_ioc_copy *c,
		     bool upload)
{
	const uint64_t *rows = (const uint64_t *)(uintptr_t)c->rows;
	char *user = (char *)(uintptr_t)c->data, *at;
	uint64_t i, n = rows ? c->n_rows : 1;
	size_t bytes = rows ? s->row_bytes : c->n_rows * s->row_bytes;

	for (i = 0; i < n; i++) {
		at = (char *)s->data +
		     (rows ? rows[i] : c->first_row) * s->row_bytes;
		if (upload)
			memcpy(at, user + i * bytes, bytes);
		else
			memcpy(user + i * bytes, at, bytes);
	}
}

static int table_copy(struct host_table *t, const struct ppim_ioc_copy *c,
		      bool upload)
{
	int ret;

	if (c->subtable >= t->n_sub)
		return -EINVAL;
	ret = copy_check(&t->sub[c->subtable], c, upload);
	if (ret || !c->n_rows)
		return ret;
	if (!c->data)
		return -EFAULT;
	copy_run(&t->sub[c->subtable], c, upload);
	return 0;
}

static int host_copy(struct host *h, const struct ppim_ioc_copy *c, bool upload)
{
	struct host_table *t;
	int ret;

	t = table_use(h, c->table);
	if (!t)
		return -ENOENT;
	if (upload)
		pthread_rwlock_wrlock(&t->lock);
	else
		pthread_rwlock_rdlock(&t->lock);
	ret = table_copy(t, c, upload);
	pthread_rwlock_unlock(&t->lock);
	table_put(t);
	return ret;
}

/* ---- batches ------------------------------------------------------------------------- */

static void job_bags(const struct ppim_ioc_job *j, struct ppim_bags *b)
{
	*b = (struct ppim_bags){
		.indices = (const void *)(uintptr_t)j->indices.addr,
		.offsets = (const void *)(uintptr_t)j->offsets.addr,
		.weights = (const float *)(uintptr_t)j->weights.addr,
		.output = (float *)(uintptr_t)j->output.addr,
		.n_indices = j->n_indices,
		.n_bags = j->n_bags,
		.padding_index = j->padding_index,
		.index_bytes = j->index_bytes,
		.mode = j->mode,
		.flags = j->flags & PPIM_JOB_PADDING ? PPIM_BAGS_PADDING : 0,
	};
}

static int job_check(const struct host_table *t, const struct ppim_bags *b,
		     struct ppim_ioc_result *r)
{
	uint32_t k;

	if (!b->n_bags)
		return result_fail(r, PPIM_ST_BAD_FIELD, EINVAL, 0, 0);
	for (k = 0; k < t->n_sub; k++)
		if (!t->sub[k].data)
			return result_fail(r, PPIM_ST_BAD_PLACEMENT, ENODATA, 0,
					   (uint64_t)k << 32);
	return cpu_check(&t->shape, b, r);
}

static int job_run(const struct host_table *t, const struct ppim_bags *b,
		   uint64_t *lookups)
{
	struct ppim_rows rows = { .read = NULL };
	uint32_t k;

	for (k = 0; k < t->n_sub; k++)
		rows.base[k] = t->sub[k].data;
	return cpu_compute(&t->shape, &rows, b, 0, NULL, lookups);
}

/* The tables of a batch, used and locked for reading. */
struct batch {
	uint32_t n;
	struct host_table **table;
	struct ppim_bags *bags;
};

static int batch_check(struct host *h, const struct ppim_ioc_gnr *g,
		       struct batch *b, struct ppim_ioc_result *r)
{
	const struct ppim_ioc_job *jobs = (const void *)(uintptr_t)g->jobs;
	uint64_t indices = 0;
	int ret;

	for (; b->n < g->n_jobs; b->n++) {
		r->job = b->n;
		indices += jobs[b->n].n_indices;
		if (indices > HOST_MAX_INDICES)
			return result_fail(r, PPIM_ST_TOO_LARGE, E2BIG, 0,
					   HOST_MAX_INDICES);
		b->table[b->n] = table_use(h, jobs[b->n].table);
		if (!b->table[b->n])
			return result_fail(r, PPIM_ST_BAD_FIELD, ENOENT, 0, 0);
		job_bags(&jobs[b->n], &b->bags[b->n]);
		pthread_rwlock_rdlock(&b->table[b->n]->lock);
		ret = job_check(b->table[b->n], &b->bags[b->n], r);
		if (ret) {
			b->n++;
			return ret;
		}
	}
	r->job = 0;
	return 0;
}

static int batch_run(struct host *h, const struct ppim_ioc_gnr *g,
		     struct batch *b, struct ppim_ioc_result *r)
{
	uint64_t lookups = 0;
	uint32_t i;
	int ret;

	ret = batch_check(h, g, b, r);
	for (i = 0; !ret && i < b->n; i++) {
		ret = job_run(b->table[i], &b->bags[i], &lookups);
		if (ret) {
			r->job = i;
			result_fail(r, PPIM_ST_INTERNAL, -ret, 0, 0);
		}
	}
	for (i = 0; i < b->n; i++) {
		pthread_rwlock_unlock(&b->table[i]->lock);
		table_put(b->table[i]);
	}
	r->annotation.lookups = lookups;
	return ret;
}

static void batch_count(struct host *h, const struct batch *b,
			const struct ppim_ioc_result *r)
{
	uint32_t i;

	pthread_mutex_lock(&h->stats_lock);
	h->stats.submitted++;
	h->stats.completed++;
	h->stats.errors += !!r->error;
	h->stats.lookups += r->annotation.lookups;
	for (i = 0; !r->error && i < b->n; i++)
		h->stats.bags += b->bags[i].n_bags;
	pthread_mutex_unlock(&h->stats_lock);
}

static int batch_do(struct host *h, const struct ppim_ioc_gnr *g,
		    struct ppim_ioc_result *r)
{
	struct batch b = { 0 };
	int ret;

	b.table = calloc(g->n_jobs, sizeof(*b.table));
	b.bags = calloc(g->n_jobs, sizeof(*b.bags));
	if (b.table && b.bags) {
		ret = batch_run(h, g, &b, r);
	} else {
		ret = result_fail(r, PPIM_ST_INTERNAL, ENOMEM, 0, 0);
	}
	r->annotation.arch = PPIM_ARCH_CPU;
	batch_count(h, &b, r);
	free(b.table);
	free(b.bags);
	return ret;
}

static int host_gnr(struct host *h, const struct ppim_ioc_gnr *g)
{
	struct ppim_ioc_result *user = (void *)(uintptr_t)g->result;
	struct ppim_ioc_result r = { 0 };
	int ret;

	if (g->flags != PPIM_GNR_WAIT || g->reserved || !g->n_jobs ||
	    g->arch >= PPIM_ARCH_COUNT)
		return -EINVAL;
	if (g->queue && g->queue != PPIM_QUEUE_ANY)
		return -EINVAL;
	if (g->n_jobs > HOST_MAX_IN_BATCH)
		return -E2BIG;
	if (g->arch != PPIM_ARCH_DEFAULT && g->arch != PPIM_ARCH_CPU)
		return -EOPNOTSUPP;
	ret = batch_do(h, g, &r);
	if (user)
		*user = r;
	return ret;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void host_room(struct host *h, struct ppim_ioc_info *i)
{
	uint32_t s;

	pthread_mutex_lock(&h->alloc_lock);
	for (s = 0; s < host_geometry.slices; s++)
		i->hbm_free += ppim_plan_alloc_room(h->alloc, PPIM_TIER_HBM, s);
	i->dimm_free = ppim_plan_alloc_room(h->alloc, PPIM_TIER_DIMM, 0);
	pthread_mutex_unlock(&h->alloc_lock);
}

static int host_info(struct host *h, struct ppim_ioc_info *i)
{
	const struct ppim_plan_geometry *g = &host_geometry;

	i->hbm_bytes = g->slices * g->slice_bytes;
	i->dimm_bytes = g->dimm_bytes;
	i->slice_bytes = g->slice_bytes;
	i->slices = g->slices;
	i->channels = g->channels;
	i->sram_bytes = g->sram_bytes;
	i->align = g->align;
	i->hbm_row_bytes = g->hbm_row_bytes;
	i->max_tables = HOST_MAX_IN_BATCH;
	i->max_indices = HOST_MAX_INDICES;
	i->max_extents = g->max_extents;
	i->queues = 1;
	i->archs = 1u << PPIM_ARCH_CPU;
	i->arch_default = PPIM_ARCH_CPU;
	i->algos = 1u << PPIM_ALGO_DENSE | 1u << PPIM_ALGO_QR |
		   1u << PPIM_ALGO_TT;
	i->dtypes = 1u << PPIM_DTYPE_FP32 | 1u << PPIM_DTYPE_FP16 |
		    1u << PPIM_DTYPE_BF16 | 1u << PPIM_DTYPE_INT8;
	i->combines = 1u << PPIM_COMBINE_MULT | 1u << PPIM_COMBINE_ADD |
		      1u << PPIM_COMBINE_CONCAT;
	i->modes = 1u << PPIM_MODE_SUM | 1u << PPIM_MODE_MEAN |
		   1u << PPIM_MODE_MAX;
	i->numa_node = -1;
	i->hot_ppm = g->hot_ppm;
	host_room(h, i);
	return 0;
}

static int host_stats(struct host *h, struct ppim_ioc_stats *s)
{
	uint32_t size = s->size;

	pthread_mutex_lock(&h->stats_lock);
	*s = h->stats;
	pthread_mutex_unlock(&h->stats_lock);
	s->size = size;
	return 0;
}

static int host_reset(struct host *h)
{
	pthread_mutex_lock(&h->stats_lock);
	h->stats = (struct ppim_ioc_stats){ .resets = h->stats.resets + 1 };
	pthread_mutex_unlock(&h->stats_lock);
	return 0;
}

static int host_call(struct ppim_dev *dev, unsigned long request, void *arg)
{
	struct host *h = dev->host;

	switch (request) {
	case PPIM_IOC_INFO:
		return host_info(h, arg);
	case PPIM_IOC_TABLE_CREATE:
		return host_create(h, arg);
	case PPIM_IOC_TABLE_DESTROY:
		return host_destroy(h, arg);
	case PPIM_IOC_TABLE_INFO:
		return host_table_info(h, arg);
	case PPIM_IOC_PLACE:
		return host_place(h, arg, false);
	case PPIM_IOC_DUPLICATE:
		return host_place(h, arg, true);
	case PPIM_IOC_PREFETCH:
		return host_prefetch(h, arg);
	case PPIM_IOC_UPLOAD:
		return host_copy(h, arg, true);
	case PPIM_IOC_DOWNLOAD:
		return host_copy(h, arg, false);
	case PPIM_IOC_GNR:
		return host_gnr(h, arg);
	case PPIM_IOC_STATS:
		return host_stats(h, arg);
	case PPIM_IOC_RESET:
		return host_reset(h);
	default:
		return -ENOTTY;
	}
}

int host_open(struct ppim_dev *dev)
{
	struct host *h = calloc(1, sizeof(*h));
	int ret;

	if (!h)
		return -ENOMEM;
	ret = ppim_plan_alloc_create(&host_geometry, &h->alloc);
	if (ret) {
		free(h);
		return ret;
	}
	pthread_rwlock_init(&h->lock, NULL);
	pthread_mutex_init(&h->alloc_lock, NULL);
	pthread_mutex_init(&h->stats_lock, NULL);
	dev->host = h;
	dev->call = host_call;
	return 0;
}

void host_close(struct host *h)
{
	uint32_t i;

	for (i = 1; i <= HOST_MAX_TABLES; i++)
		if (h->table[i])
			table_free(h, h->table[i]);
	ppim_plan_alloc_free(h->alloc);
	pthread_rwlock_destroy(&h->lock);
	pthread_mutex_destroy(&h->alloc_lock);
	pthread_mutex_destroy(&h->stats_lock);
	free(h);
}
