// SPDX-License-Identifier: MIT
/* Dumps of placements, batches and copies: writing. */
#include <errno.h>
#include <stdlib.h>
#include "engine_state.h"
#include "replay.h"

struct writer_table {
	uint64_t id;
	uint64_t hash; /* of all that its records say */
};

struct ppim_replay_writer {
	ppim_trace_fn fn;
	void *opaque;
	struct writer_table *tables;
	uint32_t n_tables, room;
	/* a line that is put together */
	char line[REPLAY_LINE];
	size_t len;
	uint32_t words;
};

/* ---- lines -------------------------------------------------------------- */

static __attribute__((format(printf, 2, 3))) void
writer_line(struct ppim_replay_writer *w, const char *fmt, ...)
{
	char line[REPLAY_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	w->fn(w->opaque, line);
}

static void writer_flush(struct ppim_replay_writer *w)
{
	if (w->words)
		w->fn(w->opaque, w->line);
	w->words = 0;
}

/* Adds a word to a line of REPLAY_WORDS that begins with `head`. */
static __attribute__((format(printf, 3, 4))) void
writer_word(struct ppim_replay_writer *w, const char *head, const char *fmt,
	    ...)
{
	va_list ap;

	if (!w->words)
		w->len = (size_t)snprintf(w->line, sizeof(w->line), "%s", head);
	va_start(ap, fmt);
	w->len += (size_t)vsnprintf(w->line + w->len, sizeof(w->line) - w->len,
				    fmt, ap);
	va_end(ap);
	if (++w->words == REPLAY_WORDS)
		writer_flush(w);
}

/* ---- head --------------------------------------------------------------- */

static void writer_memory(struct ppim_replay_writer *w, const char *what,
			  const struct ppim_spec *spec, uint64_t bytes)
{
	char field[64];
	size_t i;

	if (!bytes) {
		writer_line(w, "%s 0 0", what);
		return;
	}
	writer_line(w, "%s %llx %llu %s", what,
		    (unsigned long long)engine_spec_hash(spec),
		    (unsigned long long)bytes, spec->name);
	for (i = 0; replay_spec_format(spec, i, field, sizeof(field)); i++)
		writer_line(w, "spec %s %s", what, field);
}

/* Words of a saved state, equal ones in a row as word*count. */
static void writer_state(struct ppim_replay_writer *w, const uint64_t *word,
			 size_t n)
{
	size_t i, same;

	for (i = 0; i < n; i += same) {
		for (same = 1; i + same < n && word[i + same] == word[i];
		     same++)
			;
		if (same > 1)
			writer_word(w, "state", " %llx*%zu",
				    (unsigned long long)word[i], same);
		else
			writer_word(w, "state", " %llx",
				    (unsigned long long)word[i]);
	}
	writer_flush(w);
}

static int writer_head(struct ppim_replay_writer *w,
		       const struct ppim_engine_config *config,
		       const struct ppim_engine *engine)
{
	size_t bytes = ppim_engine_save(engine, NULL, 0), i;
	uint64_t *state = malloc(bytes);

	if (!state)
		return -ENOMEM;
	ppim_engine_save(engine, state, bytes);
	writer_line(w, REPLAY_MAGIC " %d", REPLAY_VERSION);
	writer_memory(w, "hbm", config->hbm, config->hbm_bytes);
	writer_memory(w, "dimm", config->dimm, config->dimm_bytes);
	for (i = 0; ppim_params_info(i); i++)
		writer_line(w, "param %s %llu", ppim_params_info(i)->name,
			    (unsigned long long)ppim_params_get(&config->params,
								i));
	writer_state(w, state, bytes / sizeof(*state));
	writer_line(w, "begin");
	free(state);
	return 0;
}

int ppim_replay_writer_create(const struct ppim_engine_config *config,
			      const struct ppim_engine *engine,
			      ppim_trace_fn fn, void *opaque,
			      struct ppim_replay_writer **writer)
{
	struct ppim_replay_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->opaque = opaque;
	if (writer_head(w, config, engine)) {
		free(w);
		return -ENOMEM;
	}
	*writer = w;
	return 0;
}

void ppim_replay_writer_free(struct ppim_replay_writer *w)
{
	if (w)
		free(w->tables);
	free(w);
}

/* ---- tables ------------------------------------------------------------- */

static uint64_t hash_word(uint64_t h, uint64_t v)
{
	return pim_cache_mix(h * 0x9e3779b97f4a7c15ull + v);
}

static uint64_t hash_shape(const struct ppim_shape *s)
{
	uint64_t h = hash_word(s->rows, s->dim);
	int k;

	h = hash_word(h, s->collisions);
	for (k = 0; k < 3; k++)
		h = hash_word(h, (uint64_t)s->tt_p[k] << 32 | s->tt_q[k]);
	h = hash_word(h, (uint64_t)s->tt_r[0] << 32 | s->tt_r[1]);
	return hash_word(h, (uint64_t)s->algo << 24 | s->dtype << 16 |
				    s->combine << 8 | s->qr_order);
}

static uint64_t hash_table(const struct ppim_table_desc *t)
{
	uint64_t h = hash_word(hash_shape(&t->shape), t->epoch);
	uint32_t k, e;

	for (k = 0; k < ppim_shape_subtables(&t->shape); k++) {
		const struct ppim_placed *p = &t->sub[k];

		h = hash_word(h, p->rows);
		h = hash_word(h, (uint64_t)p->row_bytes << 32 | p->row_stride);
		h = hash_word(h, (uint64_t)p->flags << 32 | p->map_bits);
		for (e = 0; e < p->n_extents; e++) {
			const struct ppim_extent *x = &p->extents[e];

			h = hash_word(h, (uint64_t)x->tier << 16 | x->slice);
			h = hash_word(h, x->offset);
			h = hash_word(h, x->rows);
		}
	}
	return h;
}

static void writer_shape(struct ppim_replay_writer *w, uint32_t at,
			 const struct ppim_table_desc *t)
{
	const struct ppim_shape *s = &t->shape;

	writer_line(w,
		    "table %u %llu %u %u %u %u %u %llu %u %u %u %u %u %u "
		    "%u %u %u %u",
		    at, (unsigned long long)t->id, t->epoch, s->algo, s->dtype,
		    s->combine, s->qr_order, (unsigned long long)s->rows,
		    s->dim, s->collisions, s->tt_p[0], s->tt_p[1], s->tt_p[2],
		    s->tt_q[0], s->tt_q[1], s->tt_q[2], s->tt_r[0], s->tt_r[1]);
}

static void writer_subtable(struct ppim_replay_writer *w, uint32_t at,
			    uint32_t k, const struct ppim_placed *p)
{
	uint32_t e;

	writer_line(w, "sub %u %u %llu %u %u %u %u %u", at, k,
		    (unsigned long long)p->rows, p->row_bytes, p->row_stride,
		    p->flags, p->n_extents, p->map_bits);
	for (e = 0; e < p->n_extents; e++)
		writer_line(w, "x %u %u %llu %llu", p->extents[e].tier,
			    p->extents[e].slice,
			    (unsigned long long)p->extents[e].offset,
			    (unsigned long long)p->extents[e].rows);
}

static int64_t writer_find(const struct ppim_replay_writer *w, uint64_t id,
			   uint64_t hash)
{
	uint32_t i;

	for (i = 0; i < w->n_tables; i++)
		if (w->tables[i].id == id && w->tables[i].hash == hash)
			return i;
	return -1;
}

static int writer_reserve(struct ppim_replay_writer *w, uint32_t more)
{
	uint64_t need = (uint64_t)w->n_tables + more;
	struct writer_table *bigger;

	if (need <= w->room)
		return 0;
	if (need > UINT32_MAX / 2)
		return -ENOMEM;
	bigger = realloc(w->tables, 2 * need * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	w->tables = bigger;
	w->room = (uint32_t)(2 * need);
	return 0;
}

/* Number of the table, as it is now, in the dump; its records first, if they
 * are new. */
static uint32_t writer_table(struct ppim_replay_writer *w,
			     const struct ppim_table_desc *t)
{
	uint64_t hash = hash_table(t);
	int64_t known = writer_find(w, t->id, hash);
	uint32_t k, at;

	if (known >= 0)
		return (uint32_t)known;
	at = w->n_tables++;
	w->tables[at] = (struct writer_table){ t->id, hash };
	writer_shape(w, at, t);
	for (k = 0; k < ppim_shape_subtables(&t->shape); k++)
		writer_subtable(w, at, k, &t->sub[k]);
	return at;
}

/* ---- batches ------------------------------------------------------------ */

/* Map entries of the rows that a job uses, as they are now. */
static void writer_map(struct ppim_replay_writer *w, uint32_t at, uint32_t k,
		       const struct ppim_job *job)
{
	const struct ppim_placed *p = &job->table->sub[k];
	char head[48];
	uint64_t row;
	uint32_t i;

	if (!(p->flags & PPIM_SUBF_MAPPED))
		return;
	snprintf(head, sizeof(head), "map %u %u", at, k);
	for (i = 0; i < job->n_indices; i++) {
		if (!engine_is_lookup(job, job->indices[i]) ||
		    (uint64_t)job->indices[i] >= job->table->shape.rows)
			continue;
		row = engine_row_of(&job->table->shape, k,
				    (uint64_t)job->indices[i]);
		writer_word(w, head, " %llu:%u", (unsigned long long)row,
			    engine_map_entry(p->map, row));
	}
	writer_flush(w);
}

static void writer_job(struct ppim_replay_writer *w, uint32_t at,
		       const struct ppim_job *job)
{
	uint32_t i;

	if (job->has_padding)
		writer_line(w, "job %u %u %u %u %d %lld", at, job->mode,
			    job->n_indices, job->n_bags, job->weights != NULL,
			    (long long)job->padding_index);
	else
		writer_line(w, "job %u %u %u %u %d -", at, job->mode,
			    job->n_indices, job->n_bags, job->weights != NULL);
	for (i = 0; i < job->n_indices; i++)
		writer_word(w, "i", " %lld", (long long)job->indices[i]);
	writer_flush(w);
	for (i = 0; i < job->n_bags; i++)
		writer_word(w, "o", " %lld", (long long)job->offsets[i]);
	writer_flush(w);
}

int ppim_replay_write(struct ppim_replay_writer *w,
		      const struct ppim_batch *batch, uint64_t arrival_ps)
{
	uint32_t j, k, at;

	if (writer_reserve(w, batch->n_jobs))
		return -ENOMEM;
	for (j = 0; j < batch->n_jobs; j++) {
		at = writer_table(w, batch->jobs[j].table);
		for (k = 0;
		     k < ppim_shape_subtables(&batch->jobs[j].table->shape);
		     k++)
			writer_map(w, at, k, &batch->jobs[j]);
	}
	writer_line(w, "batch %llu %u %s %u", (unsigned long long)arrival_ps,
		    batch->queue, ppim_engine_arch_name(batch->arch),
		    batch->n_jobs);
	for (j = 0; j < batch->n_jobs; j++)
		writer_job(w, writer_table(w, batch->jobs[j].table),
			   &batch->jobs[j]);
	writer_line(w, "end");
	return 0;
}

void ppim_replay_write_copy(struct ppim_replay_writer *w,
			    const struct ppim_replay_copy *copy,
			    uint64_t arrival_ps)
{
	writer_line(w, "copy %llu %u %u %u %llu %llu",
		    (unsigned long long)arrival_ps, copy->queue, copy->write,
		    copy->tier, (unsigned long long)copy->addr,
		    (unsigned long long)copy->bytes);
}
