// SPDX-License-Identifier: MIT
/* Tables of one algorithm: created, planned, placed, filled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan.h"
#include "bench.h"
#include "cli.h"

/* Rows go up in pieces of about this many bytes. */
#define UPLOAD_BYTES (4u << 20)

static void tables_create(struct bench_algo *a)
{
	uint32_t t;
	int ret;

	a->tbl = calloc(a->job.n, sizeof(struct ppim_tbl *));
	if (!a->tbl)
		cli_die(CLI_FAILED, "no memory for %u tables", a->job.n);
	for (t = 0; t < a->job.n; t++) {
		ret = ppim_table_create(a->bench->dev, &a->job.table[t].shape,
					a->job.table[t].name, &a->tbl[t]);
		if (ret)
			cli_die(CLI_FAILED, "table %s: cannot be created: %s",
				a->job.table[t].name, strerror(-ret));
	}
}

static void tables_place(struct bench_algo *a)
{
	const struct ppim_plan_profile **profiles;
	struct ppim_plan_error err = { "" };
	uint32_t t;
	int ret;

	profiles = calloc(a->job.n, sizeof(*profiles));
	if (!profiles)
		cli_die(CLI_FAILED, "no memory for %u profiles", a->job.n);
	for (t = 0; t < a->job.n; t++)
		profiles[t] = a->job.table[t].profile;
	ret = ppim_place_auto(a->bench->dev, a->tbl, a->job.n, profiles,
			      &a->job.options, &a->plan, &err);
	if (ret)
		cli_die(CLI_FAILED, "placement: %s",
			*err.msg ? err.msg : strerror(-ret));
	free(profiles);
}

void bench_algo_open(struct bench *b, enum ppim_algo algo, struct bench_algo *a)
{
	struct wl_diag diag;
	int ret;

	memset(a, 0, sizeof(*a));
	a->bench = b;
	ret = job_algo_open(&b->job, algo, &a->job, &diag);
	if (ret)
		cli_die(ret == -EINVAL ? CLI_USAGE : CLI_FAILED, "%s",
			diag.msg);
	tables_create(a);
	tables_place(a);
	if (job_placement_read(&b->job, &a->job, a->plan, &a->placement))
		cli_die(CLI_FAILED, "no memory for a batch of %u indices",
			b->job.n_indices);
	if (b->cfg.verify)
		a->verify = verify_open(a);
}

void bench_algo_close(struct bench_algo *a)
{
	uint32_t t;

	verify_close(a->verify);
	for (t = 0; t < a->job.n; t++)
		ppim_table_destroy(a->tbl[t]);
	free(a->tbl);
	ppim_plan_free(a->plan);
	job_algo_close(&a->job);
}

/* ---- contents ---- */

struct piece {
	uint64_t *rows;
	float *data;
	uint64_t n, room;
};

static void piece_alloc(struct piece *p, uint64_t row_bytes)
{
	p->n = 0;
	p->room = row_bytes < UPLOAD_BYTES ? UPLOAD_BYTES / row_bytes : 1;
	p->rows = calloc(p->room, sizeof(*p->rows));
	p->data = malloc(p->room * row_bytes);
	if (!p->rows || !p->data)
		cli_die(CLI_FAILED, "no memory for rows of %llu bytes",
			(unsigned long long)row_bytes);
}

static void piece_free(struct piece *p)
{
	free(p->rows);
	free(p->data);
}

static void piece_send(struct bench_algo *a, uint32_t t, uint32_t sub,
		       struct piece *p)
{
	int ret;

	if (!p->n)
		return;
	ret = ppim_upload_rows(a->tbl[t], sub, p->rows, p->n, p->data);
	if (ret < 0)
		cli_die(CLI_FAILED, "table %s: upload of %s: %s",
			a->job.table[t].name,
			ppim_plan_sub_name(a->job.algo, sub), strerror(-ret));
	p->n = 0;
}

static void piece_add(struct bench_algo *a, uint32_t t, uint32_t sub,
		      uint64_t row, struct piece *p)
{
	const struct ppim_shape *shape = &a->job.table[t].shape;
	uint64_t elems = ppim_shape_elems(shape, sub);

	wl_row_fill(a->bench->cfg.job.seed, t, sub, shape, row,
		    p->data + p->n * elems);
	p->rows[p->n++] = row;
	if (p->n == p->room)
		piece_send(a, t, sub, p);
}

static void upload_all(struct bench_algo *a, uint32_t t, uint32_t sub)
{
	const struct ppim_shape *shape = &a->job.table[t].shape;
	uint64_t rows = ppim_shape_rows(shape, sub), row;
	struct piece p;

	piece_alloc(&p, ppim_shape_row_bytes(shape, sub));
	for (row = 0; row < rows; row++)
		piece_add(a, t, sub, row, &p);
	piece_send(a, t, sub, &p);
	piece_free(&p);
}

static void upload_counted(struct bench_algo *a, uint32_t t, uint32_t sub,
			   struct wl_counts *touched)
{
	const struct wl_count *list = wl_counts_sorted(touched);
	struct piece p;
	size_t i;

	if (!list)
		cli_die(CLI_FAILED, "no memory for a list of rows");
	piece_alloc(&p, ppim_shape_row_bytes(&a->job.table[t].shape, sub));
	for (i = 0; i < wl_counts_size(touched); i++)
		piece_add(a, t, sub, list[i].row, &p);
	piece_send(a, t, sub, &p);
	piece_free(&p);
}

static void upload_touched(struct bench_algo *a, uint32_t t)
{
	const struct ppim_shape *shape = &a->job.table[t].shape;
	struct job_touched touched;
	uint32_t s;

	if (job_touched_read(&a->bench->job, shape, t, &touched))
		cli_die(CLI_FAILED, "no memory for the rows in use");
	for (s = 0; s < ppim_shape_subtables(shape); s++)
		upload_counted(a, t, s, touched.sub[s]);
	job_touched_free(&touched);
}

void bench_upload(struct bench_algo *a)
{
	uint32_t t, s;

	for (t = 0; t < a->job.n; t++) {
		cli_progress("%s: rows of table %s, %u of %u",
			     job_algo_name(a->job.algo), a->job.table[t].name,
			     t + 1, a->job.n);
		if (!a->bench->cfg.fill_all) {
			upload_touched(a, t);
			continue;
		}
		for (s = 0; s < ppim_shape_subtables(&a->job.table[t].shape);
		     s++)
			upload_all(a, t, s);
	}
}

void bench_corrupt(struct bench_algo *a)
{
	uint32_t t = a->job.n / 2;
	uint32_t sub = a->job.algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : PPIM_SUB_Q;
	const struct ppim_shape *shape = &a->job.table[t].shape;
	uint64_t row[PPIM_MAX_SUBTABLES];
	struct piece p;

	wl_split(shape, wl_source_first(a->bench->job.source, 0, t), row);
	piece_alloc(&p, ppim_shape_row_bytes(shape, sub));
	wl_row_fill(a->bench->cfg.job.seed, t, sub, shape, row[sub], p.data);
	p.data[0] = -p.data[0];
	p.rows[p.n++] = row[sub];
	piece_send(a, t, sub, &p);
	piece_free(&p);
	cli_progress(NULL);
	fprintf(stderr,
		"ppim-bench: corrupted on purpose: table %s, subtable %s, row %llu, element 0\n",
		a->job.table[t].name, ppim_plan_sub_name(a->job.algo, sub),
		(unsigned long long)row[sub]);
}
