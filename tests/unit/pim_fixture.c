// SPDX-License-Identifier: MIT
#include "pim_fixture.h"

static const uint64_t kaggle[FX_TABLES] = {
	1460,  583,  10131227, 2202608, 305, 24,     12517,   633,    3,
	93145, 5683, 8351593,  3194,	27,  14992,  5461306, 10,     5652,
	2173,  4,    7046547,  18,	15,  286181, 105,     142572,
};

/* ---- engines ------------------------------------------------------------ */

void fx_setup_init(struct fx_setup *s)
{
	struct ppim_diag diag;

	memset(s, 0, sizeof(*s));
	assert_int_equal(ppim_spec_find("HBM2_4Gb_x128", &s->hbm, &diag), 0);
	assert_int_equal(ppim_spec_find("DDR4_8Gb_x8_3200", &s->dimm, &diag),
			 0);
	s->config.hbm = &s->hbm;
	s->config.dimm = &s->dimm;
	s->config.hbm_bytes = 4ull << 30;
	s->config.dimm_bytes = 32ull << 30;
	ppim_params_default(&s->config.params);
}

void fx_param(struct fx_setup *s, const char *name, const char *value)
{
	struct ppim_diag diag;

	assert_int_equal(ppim_params_set(&s->config.params, name, value, &diag),
			 0);
}

struct ppim_engine *fx_engine(const struct fx_setup *s)
{
	struct ppim_engine *e = NULL;
	struct ppim_diag diag = { "" };

	if (ppim_engine_create(&s->config, &e, &diag))
		fail_msg("%s", diag.msg);
	return e;
}

/* ---- commands ----------------------------------------------------------- */

static void fx_line(struct ppim_engine *e, const char *text, uint32_t arch,
		    bool *open, struct ppim_annotation *out)
{
	struct ppim_pim_line line;
	struct ppim_diag diag = { "" };

	if (ppim_pim_parse(text, &line, &diag))
		fail_msg("%s: %s", text, diag.msg);
	if (line.kind == PPIM_PIM_LINE_BATCH || !*open) {
		if (*open)
			ppim_pim_end(e, out);
		assert_int_equal(ppim_pim_begin(e, line.arch ? line.arch : arch,
						line.arrival_ps, line.queue,
						&diag),
				 0);
		*open = true;
	}
	if (line.kind == PPIM_PIM_LINE_PHASE)
		ppim_pim_phase(e);
	if (line.kind == PPIM_PIM_LINE_COMMAND &&
	    ppim_pim_command(e, &line.cmd, &diag))
		fail_msg("%s: %s", text, diag.msg);
}

void fx_run(struct ppim_engine *e, uint32_t arch, const char *lines,
	    struct ppim_annotation *out)
{
	char text[256];
	bool open = false;
	size_t len;

	while (*lines) {
		len = strcspn(lines, "\n");
		assert_true(len < sizeof(text));
		memcpy(text, lines, len);
		text[len] = '\0';
		fx_line(e, text, arch, &open, out);
		lines += len + (lines[len] == '\n');
	}
	if (open)
		ppim_pim_end(e, out);
}

uint64_t fx_cycles(const struct fx_setup *s, uint32_t arch, const char *lines)
{
	struct ppim_engine *e = fx_engine(s);
	struct ppim_annotation a;

	fx_run(e, arch, lines, &a);
	ppim_engine_free(e);
	return a.cycles;
}

void fx_text_add(struct fx_text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->room < t->len + 512) {
		t->room = 2 * t->room + 4096;
		t->buf = realloc(t->buf, t->room);
		assert_non_null(t->buf);
	}
	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->buf + t->len, 512, fmt, ap);
	va_end(ap);
}

void fx_text_free(struct fx_text *t)
{
	free(t->buf);
	memset(t, 0, sizeof(*t));
}

void fx_text_trace(void *opaque, const char *line)
{
	fx_text_add(opaque, "%s\n", line);
}

/* ---- tables ------------------------------------------------------------- */

#define FX_SLICES   32u
#define FX_CHANNELS 8u

uint64_t fx_hash(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

struct fx_room {
	uint64_t slice[FX_SLICES];
	uint64_t dimm;
};

/* Neighbouring extents are in different channels. */
static uint32_t fx_slice(uint32_t i)
{
	return i % FX_CHANNELS * (FX_SLICES / FX_CHANNELS) + i / FX_CHANNELS;
}

static uint64_t fx_hbm_rows(const struct ppim_placed *p, uint32_t cold_percent)
{
	return p->rows - p->rows * cold_percent / 100;
}

/* The first rows to the HBM, striped; the others to the DIMM, by a map. */
static uint32_t *fx_map(struct ppim_placed *p, struct ppim_extent *x,
			uint64_t hot, struct fx_room *room)
{
	uint32_t *map = calloc(p->rows, sizeof(*map));
	uint64_t i;

	assert_non_null(map);
	x[FX_SLICES] = (struct ppim_extent){ .tier = PPIM_TIER_DIMM,
					     .offset = room->dimm,
					     .rows = p->rows - hot };
	room->dimm += (p->rows - hot) * p->row_stride;
	p->map_bits = 25;
	for (i = 0; i < p->rows; i++)
		map[i] = i < hot ? (uint32_t)(i % FX_SLICES) << 25 |
					   (uint32_t)(i / FX_SLICES)
				 : FX_SLICES << 25 | (uint32_t)(i - hot);
	p->map = map;
	p->flags |= PPIM_SUBF_MAPPED;
	p->n_extents++;
	return map;
}

static struct ppim_extent *fx_place(struct ppim_table_desc *t, uint32_t k,
				    bool copies, uint64_t hbm_rows,
				    struct fx_room *room)
{
	struct ppim_placed *p = &t->sub[k];
	struct ppim_extent *x = calloc(FX_SLICES + 1, sizeof(*x));
	uint32_t i, s;

	assert_non_null(x);
	p->n_extents = FX_SLICES;
	p->extents = x;
	p->flags = copies ? PPIM_SUBF_DUPLICATED : 0;
	for (i = 0; i < FX_SLICES; i++) {
		s = fx_slice(i);
		x[i].slice = (uint16_t)s;
		x[i].offset = room->slice[s];
		x[i].rows = copies ? p->rows
				   : (hbm_rows + FX_SLICES - 1) / FX_SLICES;
		room->slice[s] += x[i].rows * p->row_stride;
	}
	return x;
}

static void fx_shape(struct ppim_shape *s, uint64_t rows,
		     const struct fx_options *o)
{
	uint32_t p = 1, k;

	memset(s, 0, sizeof(*s));
	s->rows = rows;
	s->dim = o->dim ? o->dim : 32;
	s->algo = o->algo;
	s->dtype = o->dtype;
	if (o->algo == PPIM_ALGO_QR) {
		s->collisions = 4;
		s->qr_order = o->qr_order;
		s->combine = o->combine;
	}
	if (o->algo != PPIM_ALGO_TT)
		return;
	while ((uint64_t)p * p * p < rows)
		p++;
	for (k = 0; k < 3; k++) {
		s->tt_p[k] = p;
		s->tt_q[k] = k ? 4 : s->dim / 16;
	}
	s->tt_r[0] = s->tt_r[1] = o->rank ? o->rank : 16;
}

static void fx_table(struct fx_batch *b, uint32_t i, const struct fx_options *o,
		     struct fx_room *room)
{
	struct ppim_table_desc *t = &b->table[i];
	uint32_t main = o->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : 0;
	uint32_t hint = o->algo == PPIM_ALGO_TT ? PPIM_SUB_G1 : PPIM_SUB_R;
	uint64_t hot;
	uint32_t k;

	t->id = i + 1;
	t->epoch = 1;
	fx_shape(&t->shape, kaggle[i], o);
	assert_true(ppim_shape_valid(&t->shape));
	for (k = 0; k < ppim_shape_subtables(&t->shape); k++) {
		struct ppim_placed *p = &t->sub[k];

		p->rows = ppim_shape_rows(&t->shape, k);
		p->row_bytes = (uint32_t)ppim_shape_row_bytes(&t->shape, k);
		p->row_stride = (p->row_bytes + 63) & ~63u;
		hot = k == main ? fx_hbm_rows(p, o->cold_percent) : p->rows;
		b->extents[i][k] =
			fx_place(t, k, k != main && !o->no_copies, hot, room);
		if (k == main && hot < p->rows)
			b->map[i] = fx_map(p, b->extents[i][k], hot, room);
		if (k == hint && k != main && !o->no_hint && !o->no_copies)
			p->flags |= PPIM_SUBF_PREFETCH;
	}
}

/* Half of the indices below 16, the others anywhere. */
static int64_t fx_index(uint64_t rows, const struct fx_options *o, uint64_t key)
{
	uint64_t h = fx_hash(key);

	if (!o->uniform && h & 1)
		return (int64_t)((h >> 8 & 15) % rows);
	return (int64_t)((h >> 8) % rows);
}

void fx_batch_next(struct fx_batch *b, const struct fx_options *o,
		   uint32_t seed)
{
	uint32_t n = o->bags * o->pooling, i, k;

	for (i = 0; i < b->batch.n_jobs; i++)
		for (k = 0; k < n; k++)
			b->indices[i][k] =
				fx_index(kaggle[i], o,
					 ((uint64_t)seed * 64 + i) << 32 | k);
}

void fx_batch_init(struct fx_batch *b, const struct fx_options *o)
{
	uint32_t n = o->bags * o->pooling, i, k;
	struct fx_room room = { .dimm = 0 };

	memset(b, 0, sizeof(*b));
	b->offsets = calloc(o->bags + 1, sizeof(*b->offsets));
	b->weights = calloc(n + 1, sizeof(*b->weights));
	assert_non_null(b->offsets);
	assert_non_null(b->weights);
	for (k = 0; k < o->bags; k++)
		b->offsets[k] = k * o->pooling;
	b->batch.n_jobs = o->n_tables ? o->n_tables : FX_TABLES;
	b->batch.jobs = b->job;
	for (i = 0; i < b->batch.n_jobs; i++) {
		fx_table(b, i, o, &room);
		b->indices[i] = calloc(n + 1, sizeof(**b->indices));
		assert_non_null(b->indices[i]);
		b->job[i] = (struct ppim_job){
			.table = &b->table[i],
			.n_indices = n,
			.n_bags = o->bags,
			.indices = b->indices[i],
			.offsets = b->offsets,
			.weights = o->weights ? b->weights : NULL,
		};
	}
	fx_batch_next(b, o, o->seed);
}

void fx_batch_free(struct fx_batch *b)
{
	uint32_t i, k;

	for (i = 0; i < FX_TABLES; i++) {
		for (k = 0; k < PPIM_MAX_SUBTABLES; k++)
			free(b->extents[i][k]);
		free(b->map[i]);
		free(b->indices[i]);
	}
	free(b->offsets);
	free(b->weights);
}

void fx_charge(struct ppim_engine *e, struct fx_batch *b, uint32_t arch,
	       uint64_t arrival_ps, struct ppim_annotation *out)
{
	struct ppim_fault fault = { 0 };

	b->batch.arch = arch;
	if (ppim_engine_check(e, &b->batch, &fault))
		fail_msg("status %u, job %u, bag %u, detail %llu", fault.status,
			 fault.job, fault.bag,
			 (unsigned long long)fault.detail);
	assert_int_equal(ppim_engine_charge(e, &b->batch, arrival_ps, out), 0);
}
