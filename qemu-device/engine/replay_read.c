// SPDX-License-Identifier: MIT
/* Dumps of placements, batches and copies: reading. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include "engine_state.h"
#include "replay.h"

/* A dump is input: what it may ask for is bounded. */
#define REPLAY_MAX_TABLES  (1u << 20)
#define REPLAY_MAX_INDICES (1u << 28)
#define REPLAY_MAX_JOBS	   (1u << 16)

struct reader_table {
	struct ppim_table_desc desc;
	uint32_t *map[PPIM_MAX_SUBTABLES];
	struct ppim_extent *extents[PPIM_MAX_SUBTABLES];
};

struct reader_job {
	struct ppim_job job;
	int64_t *indices, *offsets;
	float *weights;
};

struct ppim_replay {
	char name[128];
	gzFile file;
	uint32_t line_no;
	char line[REPLAY_LINE];
	char *words; /* rest of the line */

	struct ppim_spec hbm, dimm;
	uint64_t hbm_hash, dimm_hash;
	struct ppim_engine_config config;
	uint64_t *state;
	size_t n_state, room_state;

	struct reader_table **tables;
	uint32_t n_tables;
	struct reader_job *jobs;
	uint32_t n_jobs;
	struct ppim_job *batch_jobs;
};

/* ---- lines and words ---------------------------------------------------- */

static int reader_fail(const struct ppim_replay *r, struct ppim_diag *diag,
		       const char *expected)
{
	return engine_fail(diag, -EINVAL, "%s:%u: expected %s", r->name,
			   r->line_no, expected);
}

/* 1: a line is there, its first word cut off; 0: end of the file. */
static int reader_line(struct ppim_replay *r, char **first,
		       struct ppim_diag *diag)
{
	size_t len;

	if (!gzgets(r->file, r->line, sizeof(r->line))) {
		int err = Z_OK;

		gzerror(r->file, &err);
		r->line_no++;
		return err == Z_OK || err == Z_STREAM_END
			       ? 0
			       : reader_fail(r, diag,
					     "a whole file, not a damaged one");
	}
	r->line_no++;
	len = strlen(r->line);
	if (!len || r->line[len - 1] != '\n')
		return reader_fail(r, diag, "a shorter, ended line");
	r->line[len - 1] = '\0';
	r->words = r->line;
	*first = strsep(&r->words, " ");
	return 1;
}

static const char *reader_word(struct ppim_replay *r)
{
	const char *w = r->words ? strsep(&r->words, " ") : NULL;

	return w ? w : "";
}

/* A number of at most `max`. */
static int reader_u64(struct ppim_replay *r, int base, uint64_t max,
		      uint64_t *out)
{
	const char *w = reader_word(r);
	char *end;

	if (!*w || *w == '-' || *w == '+' || *w == ' ')
		return -EINVAL;
	errno = 0;
	*out = strtoull(w, &end, base);
	return errno || *end || *out > max ? -EINVAL : 0;
}

static int reader_u32(struct ppim_replay *r, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (reader_u64(r, 10, max, &v))
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

static int reader_u8(struct ppim_replay *r, uint8_t *out)
{
	uint64_t v;

	if (reader_u64(r, 10, UINT8_MAX, &v))
		return -EINVAL;
	*out = (uint8_t)v;
	return 0;
}

static int reader_i64(const char *w, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(w, &end, 10);
	return !*w || errno || *end ? -EINVAL : 0;
}

/* ---- head --------------------------------------------------------------- */

static int reader_memory(struct ppim_replay *r, struct ppim_spec *spec,
			 uint64_t *hash, uint64_t *bytes,
			 struct ppim_diag *diag)
{
	if (reader_u64(r, 16, UINT64_MAX, hash) ||
	    reader_u64(r, 10, 1ull << 60, bytes))
		return reader_fail(r, diag, "fingerprint, bytes and name");
	snprintf(spec->name, sizeof(spec->name), "%s",
		 r->words ? r->words : "");
	return 0;
}

static int reader_spec(struct ppim_replay *r, struct ppim_diag *diag)
{
	const char *what = reader_word(r), *name = reader_word(r);
	struct ppim_spec *spec = !strcmp(what, "hbm")	 ? &r->hbm
				 : !strcmp(what, "dimm") ? &r->dimm
							 : NULL;

	if (!spec || replay_spec_parse(spec, name, reader_word(r)))
		return reader_fail(r, diag,
				   "'spec hbm|dimm field value' with a value "
				   "that the field can have");
	return 0;
}

static int reader_check_spec(const struct ppim_replay *r, const char *what,
			     const struct ppim_spec *spec, uint64_t hash,
			     struct ppim_diag *diag)
{
	if (replay_spec_whole(spec) && engine_spec_hash(spec) == hash)
		return 0;
	return engine_fail(diag, -EINVAL,
			   "%s:%u: the fields of %s are not those that its "
			   "fingerprint was made of",
			   r->name, r->line_no, what);
}

static int reader_check_head(const struct ppim_replay *r,
			     struct ppim_diag *diag)
{
	int err;

	if (!r->config.hbm_bytes)
		return reader_fail(r, diag, "an 'hbm' line before this");
	err = reader_check_spec(r, "hbm", &r->hbm, r->hbm_hash, diag);
	if (!err && r->config.dimm_bytes)
		err = reader_check_spec(r, "dimm", &r->dimm, r->dimm_hash,
					diag);
	return err;
}

static int reader_param(struct ppim_replay *r, struct ppim_diag *diag)
{
	const char *name = reader_word(r), *value = reader_word(r);
	struct ppim_diag why;
	uint64_t link;

	/* as a number: a name would set the link's other parameters too */
	if (!strcmp(name, "link")) {
		link = strtoull(value, NULL, 10);
		r->config.params.link = link;
		return 0;
	}
	if (!ppim_params_set(&r->config.params, name, value, &why))
		return 0;
	return engine_fail(diag, -EINVAL, "%s:%u: %.160s", r->name, r->line_no,
			   why.msg);
}

static int reader_state_room(struct ppim_replay *r, uint64_t more)
{
	uint64_t *bigger;
	size_t room = r->room_state;

	if (more > (1u << 28) - r->n_state)
		return -ENOMEM;
	while (room < r->n_state + more)
		room = room ? 2 * room : 1024;
	if (room == r->room_state)
		return 0;
	bigger = realloc(r->state, room * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->state = bigger;
	r->room_state = room;
	return 0;
}

static int reader_state(struct ppim_replay *r, struct ppim_diag *diag)
{
	uint64_t v, count;
	const char *w;
	char *end;

	for (w = reader_word(r); *w; w = reader_word(r)) {
		errno = 0;
		v = strtoull(w, &end, 16);
		count = *end == '*' ? strtoull(end + 1, &end, 10) : 1;
		if (errno || *end || !count)
			return reader_fail(r, diag, "state words in hex");
		if (reader_state_room(r, count))
			return engine_fail(diag, -ENOMEM,
					   "%s:%u: state too large", r->name,
					   r->line_no);
		while (count--)
			r->state[r->n_state++] = v;
	}
	return 0;
}

static int reader_head_line(struct ppim_replay *r, const char *first,
			    struct ppim_diag *diag)
{
	if (!strcmp(first, "hbm"))
		return reader_memory(r, &r->hbm, &r->hbm_hash,
				     &r->config.hbm_bytes, diag);
	if (!strcmp(first, "dimm"))
		return reader_memory(r, &r->dimm, &r->dimm_hash,
				     &r->config.dimm_bytes, diag);
	if (!strcmp(first, "spec"))
		return reader_spec(r, diag);
	if (!strcmp(first, "param"))
		return reader_param(r, diag);
	if (!strcmp(first, "state"))
		return reader_state(r, diag);
	return reader_fail(r, diag, "hbm, dimm, spec, param, state or begin");
}

static int reader_head(struct ppim_replay *r, struct ppim_diag *diag)
{
	uint64_t version = 0;
	char *first;
	int ret;

	ret = reader_line(r, &first, diag);
	if (ret < 0)
		return ret;
	if (!ret || strcmp(first, REPLAY_MAGIC) ||
	    reader_u64(r, 10, UINT32_MAX, &version) ||
	    version != REPLAY_VERSION)
		return reader_fail(r, diag, "'" REPLAY_MAGIC " 1'");
	while ((ret = reader_line(r, &first, diag)) > 0) {
		if (!strcmp(first, "begin"))
			return reader_check_head(r, diag);
		ret = reader_head_line(r, first, diag);
		if (ret)
			return ret;
	}
	return ret ? ret : reader_fail(r, diag, "'begin'");
}

int ppim_replay_open(const char *path, struct ppim_replay **replay,
		     struct ppim_diag *diag)
{
	struct ppim_replay *r = calloc(1, sizeof(*r));
	bool standard = !strcmp(path, "-");
	int err;

	if (!r)
		return engine_fail(diag, -ENOMEM, "no memory for %s", path);
	snprintf(r->name, sizeof(r->name), "%s",
		 standard ? "standard input" : path);
	r->file = standard ? gzdopen(dup(STDIN_FILENO), "rb")
			   : gzopen(path, "rb");
	if (!r->file) {
		err = errno ? -errno : -ENOMEM;
		free(r);
		return engine_fail(diag, err, "%s: %s", path, strerror(-err));
	}
	ppim_params_default(&r->config.params);
	r->config.hbm = &r->hbm;
	r->config.dimm = &r->dimm;
	err = reader_head(r, diag);
	if (err) {
		ppim_replay_close(r);
		return err;
	}
	*replay = r;
	return 0;
}

const struct ppim_engine_config *
ppim_replay_config(const struct ppim_replay *replay)
{
	return &replay->config;
}

int ppim_replay_start(struct ppim_replay *r, struct ppim_engine *engine,
		      struct ppim_diag *diag)
{
	return ppim_engine_load(engine, r->state,
				r->n_state * sizeof(*r->state), diag);
}

/* ---- tables ------------------------------------------------------------- */

static void reader_free_table(struct reader_table *t)
{
	int k;

	for (k = 0; t && k < PPIM_MAX_SUBTABLES; k++) {
		free(t->map[k]);
		free(t->extents[k]);
	}
	free(t);
}

static struct reader_table *reader_new_table(struct ppim_replay *r)
{
	struct reader_table **bigger, *t;

	bigger = realloc(r->tables, (r->n_tables + 1) * sizeof(*bigger));
	if (!bigger)
		return NULL;
	r->tables = bigger;
	t = calloc(1, sizeof(*t));
	if (t)
		r->tables[r->n_tables++] = t;
	return t;
}

static int reader_shape(struct ppim_replay *r, struct ppim_shape *s)
{
	uint64_t rows = 0;
	int err = 0, k;

	err |= reader_u8(r, &s->algo);
	err |= reader_u8(r, &s->dtype);
	err |= reader_u8(r, &s->combine);
	err |= reader_u8(r, &s->qr_order);
	err |= reader_u64(r, 10, PPIM_MAX_ROWS, &rows);
	s->rows = rows;
	err |= reader_u32(r, UINT32_MAX, &s->dim);
	err |= reader_u32(r, UINT32_MAX, &s->collisions);
	for (k = 0; k < 3; k++)
		err |= reader_u32(r, UINT32_MAX, &s->tt_p[k]);
	for (k = 0; k < 3; k++)
		err |= reader_u32(r, UINT32_MAX, &s->tt_q[k]);
	for (k = 0; k < 2; k++)
		err |= reader_u32(r, UINT32_MAX, &s->tt_r[k]);
	return err || !ppim_shape_valid(s) ? -EINVAL : 0;
}

static int reader_table(struct ppim_replay *r, struct ppim_diag *diag)
{
	struct reader_table *t;
	uint32_t at;

	if (reader_u32(r, REPLAY_MAX_TABLES, &at) || at != r->n_tables)
		return reader_fail(r, diag, "the next table's number");
	t = reader_new_table(r);
	if (!t)
		return engine_fail(diag, -ENOMEM, "no memory for a table");
	if (reader_u64(r, 10, UINT64_MAX, &t->desc.id) ||
	    reader_u32(r, UINT32_MAX, &t->desc.epoch) ||
	    reader_shape(r, &t->desc.shape))
		return reader_fail(r, diag, "a table's id, epoch and shape");
	return 0;
}

static int reader_extent(struct ppim_replay *r, struct ppim_extent *x,
			 struct ppim_diag *diag)
{
	uint64_t slice = 0;
	char *first;
	int ret;

	ret = reader_line(r, &first, diag);
	if (ret < 0)
		return ret;
	if (!ret || strcmp(first, "x") || reader_u8(r, &x->tier) ||
	    reader_u64(r, 10, UINT16_MAX, &slice) ||
	    reader_u64(r, 10, UINT64_MAX, &x->offset) ||
	    reader_u64(r, 10, UINT64_MAX, &x->rows))
		return reader_fail(r, diag, "'x tier slice offset rows'");
	x->slice = (uint16_t)slice;
	return 0;
}

/* Table and subtable that a line is about; NULL if there are none. */
static struct reader_table *reader_which(struct ppim_replay *r, uint32_t *k)
{
	uint32_t at;

	if (reader_u32(r, UINT32_MAX, &at) || at >= r->n_tables ||
	    reader_u32(r, PPIM_MAX_SUBTABLES - 1, k))
		return NULL;
	return r->tables[at];
}

static int reader_sub(struct ppim_replay *r, struct ppim_diag *diag)
{
	struct ppim_placed *p;
	struct reader_table *t;
	uint32_t k, e;
	int err;

	t = reader_which(r, &k);
	if (!t || t->extents[k])
		return reader_fail(r, diag, "a table's next subtable");
	p = &t->desc.sub[k];
	if (reader_u64(r, 10, PPIM_MAX_ROWS, &p->rows) ||
	    reader_u32(r, UINT32_MAX, &p->row_bytes) ||
	    reader_u32(r, UINT32_MAX, &p->row_stride) ||
	    reader_u32(r, UINT32_MAX, &p->flags) ||
	    reader_u32(r, ENGINE_MAX_EXTENTS, &p->n_extents) ||
	    reader_u32(r, 31, &p->map_bits) || !p->n_extents)
		return reader_fail(r, diag,
				   "a subtable's rows, row bytes, "
				   "stride, flags, extents and map bits");
	t->extents[k] = calloc(p->n_extents, sizeof(*t->extents[k]));
	p->extents = t->extents[k];
	if (p->flags & PPIM_SUBF_MAPPED) {
		t->map[k] = calloc(p->rows ? p->rows : 1, sizeof(uint32_t));
		p->map = t->map[k];
	}
	if (!p->extents || (p->flags & PPIM_SUBF_MAPPED && !p->map))
		return engine_fail(diag, -ENOMEM,
				   "%s:%u: no memory for %llu rows", r->name,
				   r->line_no, (unsigned long long)p->rows);
	for (e = 0; e < p->n_extents; e++) {
		err = reader_extent(r, &t->extents[k][e], diag);
		if (err)
			return err;
	}
	return 0;
}

static int reader_map(struct ppim_replay *r, struct ppim_diag *diag)
{
	struct reader_table *t;
	const char *w;
	uint64_t row, v;
	uint32_t k;
	char *end;

	t = reader_which(r, &k);
	if (!t || !t->map[k])
		return reader_fail(r, diag, "a mapped subtable");
	for (w = reader_word(r); *w; w = reader_word(r)) {
		errno = 0;
		row = strtoull(w, &end, 10);
		if (errno || *end != ':' || row >= t->desc.sub[k].rows)
			return reader_fail(r, diag, "'row:entry'");
		v = strtoull(end + 1, &end, 10);
		if (errno || *end || v > UINT32_MAX)
			return reader_fail(r, diag, "'row:entry'");
		t->map[k][row] = htole32((uint32_t)v);
	}
	return 0;
}

/* ---- batches ------------------------------------------------------------ */

static void reader_free_jobs(struct ppim_replay *r)
{
	uint32_t j;

	for (j = 0; j < r->n_jobs; j++) {
		free(r->jobs[j].indices);
		free(r->jobs[j].offsets);
		free(r->jobs[j].weights);
	}
	free(r->jobs);
	free(r->batch_jobs);
	r->jobs = NULL;
	r->batch_jobs = NULL;
	r->n_jobs = 0;
}

/* n numbers in lines that begin with `head`. */
static int reader_list(struct ppim_replay *r, const char *head, int64_t *out,
		       uint32_t n, struct ppim_diag *diag)
{
	uint32_t i = 0;
	const char *w;
	char *first;
	int ret;

	while (i < n) {
		ret = reader_line(r, &first, diag);
		if (ret < 0)
			return ret;
		if (!ret || strcmp(first, head))
			return reader_fail(r, diag, "more of a list");
		for (w = reader_word(r); *w; w = reader_word(r)) {
			if (i == n || reader_i64(w, &out[i++]))
				return reader_fail(r, diag,
						   "numbers, as many as said");
		}
	}
	return 0;
}

static int reader_job_head(struct ppim_replay *r, struct ppim_job *job,
			   bool *weights)
{
	const char *padding;
	uint32_t at, weighted;

	if (reader_u32(r, UINT32_MAX, &at) || at >= r->n_tables ||
	    reader_u8(r, &job->mode) ||
	    reader_u32(r, REPLAY_MAX_INDICES, &job->n_indices) ||
	    reader_u32(r, REPLAY_MAX_INDICES, &job->n_bags) ||
	    reader_u32(r, 1, &weighted))
		return -EINVAL;
	job->table = &r->tables[at]->desc;
	*weights = weighted;
	padding = reader_word(r);
	job->has_padding = strcmp(padding, "-") != 0;
	return job->has_padding ? reader_i64(padding, &job->padding_index) : 0;
}

static int reader_job(struct ppim_replay *r, struct reader_job *j,
		      struct ppim_diag *diag)
{
	struct ppim_job *job = &j->job;
	bool weights;
	char *first;
	int ret;

	ret = reader_line(r, &first, diag);
	if (ret < 0)
		return ret;
	if (!ret || strcmp(first, "job") || reader_job_head(r, job, &weights))
		return reader_fail(r, diag,
				   "'job table mode indices bags "
				   "weights padding'");
	j->indices = calloc(job->n_indices + 1ull, sizeof(*j->indices));
	j->offsets = calloc(job->n_bags + 1ull, sizeof(*j->offsets));
	j->weights =
		weights ? calloc(job->n_indices + 1ull, sizeof(*j->weights))
			: NULL;
	if (!j->indices || !j->offsets || (weights && !j->weights))
		return engine_fail(diag, -ENOMEM, "%s:%u: no memory for a job",
				   r->name, r->line_no);
	job->indices = j->indices;
	job->offsets = j->offsets;
	job->weights = j->weights;
	ret = reader_list(r, "i", j->indices, job->n_indices, diag);
	return ret ? ret : reader_list(r, "o", j->offsets, job->n_bags, diag);
}

static int reader_jobs(struct ppim_replay *r, uint32_t n,
		       struct ppim_diag *diag)
{
	char *first;
	uint32_t j;
	int ret;

	r->jobs = calloc(n + 1ull, sizeof(*r->jobs));
	r->batch_jobs = calloc(n + 1ull, sizeof(*r->batch_jobs));
	if (!r->jobs || !r->batch_jobs)
		return engine_fail(diag, -ENOMEM, "no memory for a batch");
	for (j = 0; j < n; j++) {
		r->n_jobs = j + 1;
		ret = reader_job(r, &r->jobs[j], diag);
		if (ret)
			return ret;
		r->batch_jobs[j] = r->jobs[j].job;
	}
	ret = reader_line(r, &first, diag);
	if (ret < 0)
		return ret;
	return ret && !strcmp(first, "end") ? 0 : reader_fail(r, diag, "'end'");
}

static int reader_batch(struct ppim_replay *r,
			struct ppim_replay_record *record,
			struct ppim_diag *diag)
{
	struct ppim_batch *batch = &record->batch;
	uint32_t n;
	int arch, err;

	record->kind = PPIM_REPLAY_BATCH;
	if (reader_u64(r, 10, UINT64_MAX, &record->arrival_ps) ||
	    reader_u32(r, UINT32_MAX, &batch->queue) ||
	    (arch = ppim_engine_arch_find(reader_word(r))) <= 0 ||
	    reader_u32(r, REPLAY_MAX_JOBS, &n))
		return reader_fail(r, diag,
				   "'batch arrival_ps queue preset jobs'");
	err = reader_jobs(r, n, diag);
	if (err)
		return err;
	batch->arch = (uint32_t)arch;
	batch->n_jobs = n;
	batch->jobs = r->batch_jobs;
	return 1;
}

/* ---- copies ------------------------------------------------------------- */

static bool reader_copy_fits(const struct ppim_replay *r,
			     const struct ppim_replay_copy *copy)
{
	uint64_t size = copy->tier == PPIM_TIER_HBM    ? r->config.hbm_bytes
			: copy->tier == PPIM_TIER_DIMM ? r->config.dimm_bytes
						       : 0;

	return copy->bytes <= size && copy->addr <= size - copy->bytes;
}

static int reader_copy(struct ppim_replay *r, struct ppim_replay_record *record,
		       struct ppim_diag *diag)
{
	struct ppim_replay_copy *copy = &record->copy;

	record->kind = PPIM_REPLAY_COPY;
	if (reader_u64(r, 10, UINT64_MAX, &record->arrival_ps) ||
	    reader_u32(r, UINT32_MAX, &copy->queue) ||
	    reader_u8(r, &copy->write) || copy->write > 1 ||
	    reader_u8(r, &copy->tier) ||
	    reader_u64(r, 10, UINT64_MAX, &copy->addr) ||
	    reader_u64(r, 10, UINT64_MAX, &copy->bytes) ||
	    !reader_copy_fits(r, copy))
		return reader_fail(r, diag,
				   "'copy arrival_ps queue write tier addr "
				   "bytes' inside the tier");
	return 1;
}

/* ---- records ------------------------------------------------------------ */

int ppim_replay_next(struct ppim_replay *r, struct ppim_replay_record *record,
		     struct ppim_diag *diag)
{
	char *first;
	int ret;

	reader_free_jobs(r);
	while ((ret = reader_line(r, &first, diag)) > 0) {
		if (!strcmp(first, "batch"))
			return reader_batch(r, record, diag);
		if (!strcmp(first, "copy"))
			return reader_copy(r, record, diag);
		if (!strcmp(first, "table"))
			ret = reader_table(r, diag);
		else if (!strcmp(first, "sub"))
			ret = reader_sub(r, diag);
		else if (!strcmp(first, "map"))
			ret = reader_map(r, diag);
		else
			ret = reader_fail(r, diag,
					  "table, sub, map, batch or copy");
		if (ret)
			return ret;
	}
	return ret;
}

void ppim_replay_close(struct ppim_replay *r)
{
	uint32_t i;

	if (!r)
		return;
	reader_free_jobs(r);
	for (i = 0; i < r->n_tables; i++)
		reader_free_table(r->tables[i]);
	free(r->tables);
	free(r->state);
	gzclose(r->file);
	free(r);
}
