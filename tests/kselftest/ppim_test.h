/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver's tests share: calls, tables with known contents, and a
 * reference that computes bags as the specification says, bit for bit.
 */
#ifndef PPIM_TEST_H
#define PPIM_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ppim.h>
#include <linux/ppim_shape.h>

/* Device capabilities: bits of the hardware header, by position. */
#define PPIM_T_CAP_ROW_MAP	(1ull << 3)
#define PPIM_T_CAP_WEIGHTS	(1ull << 4)
#define PPIM_T_CAP_PADDING	(1ull << 5)
#define PPIM_T_CAP_ABORT	(1ull << 6)
#define PPIM_T_CAP_INJECT	(1ull << 7)

#define PPIM_T_DEV "/dev/ppim"
#define PPIM_T_PARAMS "/sys/module/ppim/parameters/"
#define PPIM_T_CLASS "/sys/class/ppim/ppim/"
#define PPIM_T_DEBUG "/sys/kernel/debug/ppim/ppim/"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* 0 or -errno */
static inline int t_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static inline uint64_t t_ptr(const void *p)
{
	return (uintptr_t)p;
}

static inline int t_info(int fd, struct ppim_ioc_info *info)
{
	*info = (struct ppim_ioc_info){ .size = sizeof(*info) };
	return t_call(fd, PPIM_IOC_INFO, info);
}

static inline int t_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static inline int t_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY), n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = 0;
	return 0;
}

static inline long long t_read_number(const char *path)
{
	char text[64];

	return t_read_file(path, text, sizeof(text)) ? -1 : strtoll(text, NULL, 0);
}

static inline int t_inject(const char *line)
{
	return t_write_file(PPIM_T_DEBUG "inject", line);
}

static inline double t_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* A counter-based hash: any value can be told without the others. */
static inline uint64_t t_hash(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static inline float t_value(uint32_t seed, uint32_t sub, uint64_t element)
{
	uint64_t h = t_hash(t_hash((uint64_t)seed << 8 | sub) ^ element);

	return (int32_t)(h >> 40) / (float)(1 << 23) - 1.0f;
}

/* --- tables --------------------------------------------------------------- */

struct t_table {
	struct ppim_shape shape;
	uint32_t handle;
	uint64_t id;
	uint32_t n_subs;
	uint64_t rows[PPIM_MAX_SUBTABLES];
	uint64_t elems[PPIM_MAX_SUBTABLES];
	float *data[PPIM_MAX_SUBTABLES];
};

static inline struct ppim_shape t_qr(uint64_t rows, uint32_t dim, uint32_t c)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim, .collisions = c,
				    .algo = PPIM_ALGO_QR };
}

static inline struct ppim_shape t_dense(uint64_t rows, uint32_t dim)
{
	return (struct ppim_shape){ .rows = rows, .dim = dim };
}

static inline struct ppim_shape t_tt(uint32_t p, uint32_t rank)
{
	return (struct ppim_shape){ .rows = (uint64_t)p * p * p, .dim = 32, .algo = PPIM_ALGO_TT,
				    .tt_p = { p, p, p }, .tt_q = { 2, 4, 4 },
				    .tt_r = { rank, rank } };
}

static inline int t_create(int fd, const struct ppim_shape *s, const char *name,
			   struct ppim_ioc_table_create *c)
{
	*c = (struct ppim_ioc_table_create){
		.size = sizeof(*c), .algo = s->algo, .dtype = s->dtype, .combine = s->combine,
		.qr_order = s->qr_order, .dim = s->dim, .rows = s->rows,
		.collisions = s->collisions,
	};
	memcpy(c->tt_p, s->tt_p, sizeof(c->tt_p));
	memcpy(c->tt_q, s->tt_q, sizeof(c->tt_q));
	memcpy(c->tt_r, s->tt_r, sizeof(c->tt_r));
	snprintf(c->name, sizeof(c->name), "%s", name);
	return t_call(fd, PPIM_IOC_TABLE_CREATE, c);
}

static inline int t_destroy(int fd, uint32_t handle)
{
	struct ppim_ioc_handle h = { .size = sizeof(h), .handle = handle };

	return t_call(fd, PPIM_IOC_TABLE_DESTROY, &h);
}

/* Every slice gets an extent: a share of the rows, or a copy of all. */
static inline int t_place_slices(int fd, const struct ppim_ioc_info *info, uint32_t table,
				 uint32_t sub, uint64_t rows, int duplicate)
{
	struct ppim_ioc_extent *e = calloc(info->slices, sizeof(*e));
	struct ppim_ioc_place p = { .size = sizeof(p), .table = table, .subtable = sub,
				    .n_extents = info->slices, .extents = t_ptr(e) };
	uint32_t i;
	int ret;

	for (i = 0; i < info->slices; i++) {
		e[i].slice = i;
		e[i].rows = duplicate ? rows : (rows + info->slices - 1) / info->slices;
	}
	ret = t_call(fd, duplicate ? PPIM_IOC_DUPLICATE : PPIM_IOC_PLACE, &p);
	free(e);
	return ret;
}

static inline int t_place_one(int fd, uint32_t table, uint32_t sub, struct ppim_ioc_extent *e,
			      uint32_t flags)
{
	struct ppim_ioc_place p = { .size = sizeof(p), .flags = flags, .table = table,
				    .subtable = sub, .n_extents = 1, .extents = t_ptr(e) };

	return t_call(fd, PPIM_IOC_PLACE, &p);
}

static inline int t_prefetch(int fd, uint32_t table, uint32_t sub, uint32_t enable)
{
	struct ppim_ioc_prefetch p = { .size = sizeof(p), .table = table, .subtable = sub,
				       .enable = enable };

	return t_call(fd, PPIM_IOC_PREFETCH, &p);
}

static inline int t_copy(int fd, unsigned long cmd, uint32_t table, uint32_t sub, uint64_t first,
			 uint64_t n, const void *data, const uint64_t *rows, uint32_t copy)
{
	struct ppim_ioc_copy c = { .size = sizeof(c), .table = table, .subtable = sub,
				   .first_row = first, .n_rows = n, .data = t_ptr(data),
				   .rows = t_ptr(rows), .copy = copy };

	return t_call(fd, cmd, &c);
}

#define t_upload(fd, table, sub, first, n, data) \
	t_copy(fd, PPIM_IOC_UPLOAD, table, sub, first, n, data, NULL, 0)
#define t_download(fd, table, sub, first, n, data) \
	t_copy(fd, PPIM_IOC_DOWNLOAD, table, sub, first, n, data, NULL, 0)

static inline void t_contents(struct t_table *t, uint32_t seed)
{
	uint64_t i, n;
	uint32_t k;

	for (k = 0; k < t->n_subs; k++) {
		n = t->rows[k] * t->elems[k];
		for (i = 0; i < n; i++)
			t->data[k][i] = t_value(seed, k, i);
	}
}

static inline int t_upload_all(int fd, const struct t_table *t)
{
	uint32_t k;
	int ret = 0;

	for (k = 0; !ret && k < t->n_subs; k++)
		ret = t_upload(fd, t->handle, k, 0, t->rows[k], t->data[k]);
	return ret;
}

/* The operand that a lookup needs beside its main row: R, G1, G3. */
static inline int t_is_operand(const struct ppim_shape *s, uint32_t sub)
{
	if (s->algo == PPIM_ALGO_QR)
		return sub == PPIM_SUB_R;
	return s->algo == PPIM_ALGO_TT && sub != PPIM_SUB_G2;
}

static inline int t_place_all(int fd, const struct ppim_ioc_info *info, const struct t_table *t)
{
	uint32_t k;
	int ret = 0;

	for (k = 0; !ret && k < t->n_subs; k++)
		ret = t_place_slices(fd, info, t->handle, k, t->rows[k],
				     t_is_operand(&t->shape, k));
	return ret;
}

/* Shapes and memory for the contents, without a device. */
static inline void t_table_init(struct t_table *t, const struct ppim_shape *s, uint32_t seed)
{
	uint32_t k;

	memset(t, 0, sizeof(*t));
	t->shape = *s;
	t->n_subs = ppim_shape_subtables(s);
	for (k = 0; k < t->n_subs; k++) {
		t->rows[k] = ppim_shape_rows(s, k);
		t->elems[k] = ppim_shape_elems(s, k);
		t->data[k] = malloc(t->rows[k] * t->elems[k] * sizeof(float));
	}
	t_contents(t, seed);
}

/* Created, placed, operands duplicated and hinted, contents uploaded. */
static inline int t_table_setup(int fd, const struct ppim_ioc_info *info, struct t_table *t,
				const struct ppim_shape *s, uint32_t seed)
{
	struct ppim_ioc_table_create c;
	int ret;

	t_table_init(t, s, seed);
	ret = t_create(fd, s, "t", &c);
	t->handle = c.handle;
	t->id = c.id;
	if (!ret)
		ret = t_place_all(fd, info, t);
	if (!ret && s->algo != PPIM_ALGO_DENSE)
		ret = t_prefetch(fd, t->handle, s->algo == PPIM_ALGO_QR ? PPIM_SUB_R : PPIM_SUB_G1, 1);
	if (!ret)
		ret = t_upload_all(fd, t);
	return ret;
}

static inline void t_table_free(struct t_table *t)
{
	uint32_t k;

	for (k = 0; k < t->n_subs; k++)
		free(t->data[k]);
}

/* --- reference ------------------------------------------------------------ */

static inline void t_ref_tt(const struct t_table *t, uint64_t i, float *out)
{
	const struct ppim_shape *s = &t->shape;
	const uint32_t *q = s->tt_q, *r = s->tt_r;
	uint64_t l1 = s->tt_p[2], l0 = l1 * s->tt_p[1];
	const float *g1 = t->data[0] + i / l0 * t->elems[0];
	const float *g2 = t->data[1] + i % l0 / l1 * t->elems[1];
	const float *g3 = t->data[2] + i % l1 * t->elems[2];
	uint32_t a, b, k, n12 = q[1] * r[1];
	float mid[PPIM_MAX_DIM];

	for (a = 0; a < q[0]; a++)
		for (b = 0; b < n12; b++) {
			float acc = 0;

			for (k = 0; k < r[0]; k++)
				acc = fmaf(g1[a * r[0] + k], g2[k * n12 + b], acc);
			mid[a * n12 + b] = acc;
		}
	for (a = 0; a < q[0] * q[1]; a++)
		for (b = 0; b < q[2]; b++) {
			float acc = 0;

			for (k = 0; k < r[1]; k++)
				acc = fmaf(mid[a * r[1] + k], g3[k * q[2] + b], acc);
			out[a * q[2] + b] = acc;
		}
}

static inline void t_ref_row(const struct t_table *t, uint64_t i, float *out)
{
	const struct ppim_shape *s = &t->shape;
	const float *q, *r;
	uint32_t d;

	if (s->algo == PPIM_ALGO_TT) {
		t_ref_tt(t, i, out);
		return;
	}
	if (s->algo == PPIM_ALGO_DENSE) {
		memcpy(out, t->data[0] + i * s->dim, s->dim * sizeof(*out));
		return;
	}
	q = t->data[0] + i / s->collisions * t->elems[0];
	r = t->data[1] + i % s->collisions * t->elems[1];
	for (d = 0; d < s->dim; d++) {
		if (s->combine == PPIM_COMBINE_MULT)
			out[d] = q[d] * r[d];
		else if (s->combine == PPIM_COMBINE_ADD)
			out[d] = q[d] + r[d];
		else
			out[d] = d < s->dim / 2 ? q[d] : r[d - s->dim / 2];
	}
}

static inline void t_ref_add(float *acc, float t, uint32_t mode, const float *weight,
			     uint32_t counted)
{
	if (weight)
		*acc = fmaf(*weight, t, *acc);
	else if (mode != PPIM_MODE_MAX)
		*acc += t;
	else if (!counted || t > *acc)
		*acc = t;
}

/* Bag of idx[0 .. n - 1], in that order; padding < 0: no padding index. */
static inline void t_ref_bag(const struct t_table *t, const int64_t *idx, uint32_t n,
			     uint32_t mode, const float *weights, int64_t padding, float *out)
{
	float row[PPIM_MAX_DIM];
	uint32_t i, d, counted = 0;

	memset(out, 0, t->shape.dim * sizeof(*out));
	for (i = 0; i < n; i++) {
		if (padding >= 0 && idx[i] == padding)
			continue;
		t_ref_row(t, idx[i], row);
		for (d = 0; d < t->shape.dim; d++)
			t_ref_add(&out[d], row[d], mode, weights ? &weights[i] : NULL, counted);
		counted++;
	}
	if (mode == PPIM_MODE_MEAN && counted)
		for (d = 0; d < t->shape.dim; d++)
			out[d] /= counted;
}

/* --- batches -------------------------------------------------------------- */

/* One table's share, with its buffers in plain memory. */
struct t_batch {
	const struct t_table *t;
	uint32_t n, bags;
	int64_t *idx, *off;
	float *weights, *out, *ref;
	struct ppim_ioc_job job;
};

static inline struct ppim_ioc_buf t_buf(const void *p, uint64_t bytes)
{
	return (struct ppim_ioc_buf){ .addr = t_ptr(p), .bytes = bytes };
}

static inline void t_batch_init(struct t_batch *b, const struct t_table *t, uint32_t bags,
				uint32_t pooling, uint32_t seed)
{
	uint32_t i;

	*b = (struct t_batch){ .t = t, .n = bags * pooling, .bags = bags };
	b->idx = malloc(b->n * sizeof(*b->idx));
	b->off = malloc(bags * sizeof(*b->off));
	b->weights = malloc(b->n * sizeof(*b->weights));
	b->out = malloc((size_t)bags * t->shape.dim * sizeof(*b->out));
	b->ref = malloc((size_t)bags * t->shape.dim * sizeof(*b->ref));
	for (i = 0; i < b->n; i++) {
		b->idx[i] = t_hash((uint64_t)seed << 32 | i) % t->shape.rows;
		b->weights[i] = t_value(seed, 7, i);
	}
	for (i = 0; i < bags; i++)
		b->off[i] = (int64_t)i * pooling;
	memset(b->out, 0xa5, (size_t)bags * t->shape.dim * sizeof(*b->out));
	b->job = (struct ppim_ioc_job){
		.table = t->handle, .n_indices = b->n, .n_bags = bags, .index_bytes = 8,
		.indices = t_buf(b->idx, b->n * sizeof(*b->idx)),
		.offsets = t_buf(b->off, bags * sizeof(*b->off)),
		.output = t_buf(b->out, (uint64_t)bags * t->shape.dim * sizeof(*b->out)),
	};
}

static inline void t_batch_weigh(struct t_batch *b)
{
	b->job.flags |= PPIM_JOB_WEIGHTS;
	b->job.weights = t_buf(b->weights, b->n * sizeof(*b->weights));
}

static inline void t_batch_free(struct t_batch *b)
{
	free(b->idx);
	free(b->off);
	free(b->weights);
	free(b->out);
	free(b->ref);
}

/* Bytes that differ from the reference: 0 when all is right. */
static inline int t_batch_wrong(struct t_batch *b)
{
	int64_t padding = b->job.flags & PPIM_JOB_PADDING ? b->job.padding_index : -1;
	const float *weights = b->job.flags & PPIM_JOB_WEIGHTS ? b->weights : NULL;
	uint32_t i, d = b->t->shape.dim;

	for (i = 0; i < b->bags; i++) {
		uint64_t first = b->off[i];
		uint64_t end = i + 1 < b->bags ? (uint64_t)b->off[i + 1] : b->n;

		t_ref_bag(b->t, b->idx + first, end - first, b->job.mode,
			  weights ? weights + first : NULL, padding, b->ref + (size_t)i * d);
	}
	return memcmp(b->out, b->ref, (size_t)b->bags * d * sizeof(*b->out)) != 0;
}

static inline struct ppim_ioc_gnr t_gnr(const struct ppim_ioc_job *jobs, uint32_t n,
					struct ppim_ioc_result *result)
{
	return (struct ppim_ioc_gnr){ .size = sizeof(struct ppim_ioc_gnr), .jobs = t_ptr(jobs),
				      .n_jobs = n, .queue = PPIM_QUEUE_ANY,
				      .arch = PPIM_ARCH_BGPIM, .result = t_ptr(result) };
}

static inline int t_run(int fd, const struct ppim_ioc_job *jobs, uint32_t n, uint32_t arch,
			struct ppim_ioc_result *result)
{
	struct ppim_ioc_gnr g = t_gnr(jobs, n, result);

	g.flags = PPIM_GNR_WAIT;
	g.arch = arch;
	memset(result, 0xa5, sizeof(*result));
	return t_call(fd, PPIM_IOC_GNR, &g);
}

static inline int t_submit(int fd, const struct ppim_ioc_job *jobs, uint32_t n, uint64_t *ticket)
{
	struct ppim_ioc_gnr g = t_gnr(jobs, n, NULL);
	int ret = t_call(fd, PPIM_IOC_GNR, &g);

	*ticket = g.ticket;
	return ret;
}

static inline int t_wait(int fd, uint64_t ticket, int64_t timeout_ns,
			 struct ppim_ioc_result *result)
{
	struct ppim_ioc_wait w = { .size = sizeof(w), .ticket = ticket, .timeout_ns = timeout_ns };
	int ret = t_call(fd, PPIM_IOC_WAIT, &w);

	*result = w.result;
	return ret;
}

/* A child that runs fn and exits with its value. */
static inline int t_child(int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
