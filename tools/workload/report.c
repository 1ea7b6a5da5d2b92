// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

void job_result_init(struct job_result *r, enum ppim_algo algo, uint32_t arch,
		     bool keep)
{
	*r = (struct job_result){ .algo = algo, .arch = arch, .keep = keep };
}

void job_result_free(struct job_result *r)
{
	free(r->note);
	r->note = NULL;
}

/* Room doubles at every power of two. */
static int note_keep(struct job_result *r, const struct ppim_annotation *a)
{
	struct ppim_annotation *grown;

	if (!(r->batches & (r->batches - 1))) {
		grown = reallocarray(r->note, r->batches ? 2 * r->batches : 1,
				     sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		r->note = grown;
	}
	r->note[r->batches] = *a;
	return 0;
}

int job_result_add(struct job_result *r, const struct ppim_annotation *a)
{
	struct ppim_annotation *s = &r->sum;

	if (r->keep && note_keep(r, a))
		return -ENOMEM;
	s->busy_ps += a->busy_ps;
	s->cycles += a->cycles;
	s->lookups += a->lookups;
	s->reads_hbm += a->reads_hbm;
	s->reads_dimm += a->reads_dimm;
	s->activations_hbm += a->activations_hbm;
	s->activations_dimm += a->activations_dimm;
	s->row_hits_hbm += a->row_hits_hbm;
	s->row_hits_dimm += a->row_hits_dimm;
	s->sram_hits += a->sram_hits;
	s->sram_misses += a->sram_misses;
	s->prefetches += a->prefetches;
	s->moves += a->moves;
	s->transfers += a->transfers;
	s->cache_hits += a->cache_hits;
	s->cache_misses += a->cache_misses;
	s->link_bytes += a->link_bytes;
	s->macs += a->macs;
	s->commands += a->commands;
	s->entry_refs += a->entry_refs;
	s->entry_reuses += a->entry_reuses;
	s->energy_pj += a->energy_pj;
	if (a->bound_by < PPIM_BOUND_COUNT)
		r->bound_ps[a->bound_by] += a->busy_ps;
	r->batches++;
	return 0;
}

/* What bound the batches that took most of the time. */
uint32_t job_result_bound(const struct job_result *r)
{
	uint32_t best = 0, i;

	for (i = 1; i < PPIM_BOUND_COUNT; i++)
		if (r->bound_ps[i] > r->bound_ps[best])
			best = i;
	return best;
}

static double ratio(double a, double b)
{
	return b ? a / b : 0;
}

double job_result_ns_per_lookup(const struct job_result *r)
{
	return ratio((double)r->sum.busy_ps / 1000, (double)r->sum.lookups);
}

static double speedup(const struct job_result *r, const struct job_result *vs)
{
	return ratio((double)vs->sum.busy_ps, (double)r->sum.busy_ps);
}

static double reuse(const struct job_result *r)
{
	return ratio((double)r->sum.entry_reuses, (double)r->sum.entry_refs);
}

/* ---- placement ---- */

static int placement_add_table(const struct job *job, const struct job_algo *a,
			       const struct ppim_plan *plan, uint32_t t,
			       const struct job_batch *b,
			       struct job_placement *out)
{
	uint32_t main_sub = a->algo == PPIM_ALGO_TT ? PPIM_SUB_G2 : PPIM_SUB_Q;
	const struct ppim_plan_sub *sub = ppim_plan_sub(plan, t, main_sub);
	const int64_t *index = job_batch_indices(job, b, t);
	uint64_t row[PPIM_MAX_SUBTABLES];
	struct ppim_plan_loc loc;
	uint32_t i;

	for (i = 0; i < job->n_indices; i++) {
		wl_split(&a->table[t].shape, (uint64_t)index[i], row);
		if (ppim_plan_locate(sub, row[main_sub], 0, &loc))
			return -ERANGE;
		out->run_accesses++;
		out->run_accesses_hbm += loc.tier == PPIM_TIER_HBM;
	}
	return 0;
}

int job_placement_read(const struct job *job, const struct job_algo *a,
		       const struct ppim_plan *plan, struct job_placement *out)
{
	struct job_batch b;
	uint64_t k;
	uint32_t t;
	int ret;

	memset(out, 0, sizeof(*out));
	ppim_plan_summary(plan, &out->plan);
	ret = job_batch_alloc(job, &b);
	if (ret)
		return ret;
	for (k = 0; !ret && k < job->n_batches; k++) {
		job_batch_fill(job, k, &b);
		for (t = 0; !ret && t < a->n; t++)
			ret = placement_add_table(job, a, plan, t, &b, out);
	}
	job_batch_free(&b);
	return ret;
}

/* ---- text ---- */

static uint64_t rows_sum(const struct job *job)
{
	uint64_t sum = 0;
	uint32_t t;

	for (t = 0; t < job->tables.n; t++)
		sum += job->tables.rows[t];
	return sum;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *expand_name(const struct job *job)
{
	return job->cfg.expand == WL_EXPAND_UNIFORM ? "uniform" : "pareto";
}

void report_input(FILE *f, const struct job *job)
{
	const struct job_config *c = &job->cfg;

	fprintf(f, "tables     %s: %u tables, %llu rows, %u B fp32 vectors\n",
		job->tables.label, job->tables.n,
		(unsigned long long)rows_sum(job), c->shape.vec_bytes);
	fprintf(f,
		"batches    %llu of %u bags per table, pooling %u, %llu lookups each\n",
		(unsigned long long)c->samples, job->n_bags, c->pooling,
		(unsigned long long)job->n_indices * job->tables.n);
	if (c->criteo)
		fprintf(f, "indices    first: categories of %s\n",
			base_name(c->criteo));
	else
		fprintf(f, "indices    first: Zipf with exponent %g\n",
			c->zipf);
	fprintf(f, "           others: %s, a fixed bag per first index; seed %llu\n",
		c->expand == WL_EXPAND_UNIFORM ? "uniform"
					       : "Pareto(0.25) mod N",
		(unsigned long long)c->seed);
	fprintf(f, "profile    the first %llu samples of the input; %llu run\n",
		(unsigned long long)job_profile_samples(job),
		(unsigned long long)(job->n_batches * job->n_bags));
}

static void size_print(FILE *f, uint64_t bytes)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	unsigned int i = 0;

	while (v >= 1024 && i < 4) {
		v /= 1024;
		i++;
	}
	fprintf(f, "%.*f %s", i ? 2 : 0, v, unit[i]);
}

static uint64_t algo_bytes(const struct job_algo *a, uint32_t sub)
{
	uint64_t sum = 0;
	uint32_t t;

	for (t = 0; t < a->n; t++)
		sum += ppim_shape_rows(&a->table[t].shape, sub) *
		       ppim_shape_row_bytes(&a->table[t].shape, sub);
	return sum;
}

static void subtables_print(FILE *f, const struct job_algo *a)
{
	uint32_t n = ppim_shape_subtables(&a->table[0].shape), i;

	fputs("  subtables  ", f);
	for (i = 0; i < n; i++) {
		fprintf(f, "%s%s ", i ? ", " : "",
			ppim_plan_sub_name(a->algo, i));
		size_print(f, algo_bytes(a, i));
	}
	fputc('\n', f);
}

static double percent(uint64_t part, uint64_t whole)
{
	return 100 * ratio((double)part, (double)whole);
}

void report_algo(FILE *f, const struct job *job, const struct job_algo *a,
		 const struct job_placement *p)
{
	static const char *const combine[] = { "mult", "add", "concat" };
	const struct wl_shape_config *c = &job->cfg.shape;

	if (a->algo == PPIM_ALGO_TT)
		fprintf(f, "\nTT-Rec, rank %u\n", c->rank);
	else
		fprintf(f, "\nQR-trick, c = %u, %s\n", c->collisions,
			combine[c->combine]);
	subtables_print(f, a);
	fputs("  placement  HBM ", f);
	size_print(f, p->plan.hbm_bytes);
	fputs(", DIMM ", f);
	size_print(f, p->plan.dimm_bytes);
	fprintf(f,
		"\n             %u subtables duplicated, %u prefetched, %u split over both tiers\n",
		p->plan.duplicated, p->plan.prefetched, p->plan.mapped);
	fprintf(f,
		"             HBM serves %.2f %% of the profile's accesses, %.2f %% of the run's\n",
		percent(p->plan.accesses_hbm, p->plan.accesses),
		percent(p->run_accesses_hbm, p->run_accesses));
}

#define LABEL_WIDTH  24
#define COLUMN_WIDTH 15
/* Presets side by side: more of them go below, so that lines stay below 90
 * columns. */
#define COLUMNS 4

static void row_u64(FILE *f, const char *label, const struct job_result *r,
		    uint32_t n, size_t offset)
{
	uint64_t v;
	uint32_t i;

	fprintf(f, "  %-*s", LABEL_WIDTH, label);
	for (i = 0; i < n; i++) {
		memcpy(&v, (const char *)&r[i].sum + offset, sizeof(v));
		fprintf(f, "%*llu", COLUMN_WIDTH, (unsigned long long)v);
	}
	fputc('\n', f);
}

static void row_double(FILE *f, const char *label, const struct job_result *r,
		       uint32_t n, const char *format,
		       double (*get)(const struct job_result *))
{
	char cell[32];
	uint32_t i;

	fprintf(f, "  %-*s", LABEL_WIDTH, label);
	for (i = 0; i < n; i++) {
		snprintf(cell, sizeof(cell), format, get(&r[i]));
		fprintf(f, "%*s", COLUMN_WIDTH, cell);
	}
	fputc('\n', f);
}

static void row_text(FILE *f, const char *label, const struct job_result *r,
		     uint32_t n, const char *(*get)(const struct job_result *))
{
	uint32_t i;

	fprintf(f, "  %-*s", LABEL_WIDTH, label);
	for (i = 0; i < n; i++)
		fprintf(f, "%*s", COLUMN_WIDTH, get(&r[i]));
	fputc('\n', f);
}

static const char *get_arch(const struct job_result *r)
{
	return job_arch_name(r->arch);
}

static const char *get_bound(const struct job_result *r)
{
	return job_bound_name(job_result_bound(r));
}

static double get_error(const struct job_result *r)
{
	return r->max_rel_err;
}

static double get_energy(const struct job_result *r)
{
	return ratio((double)r->sum.energy_pj, (double)r->sum.lookups);
}

static const struct {
	const char *label;
	const char *key;
	size_t offset;
} counters[] = {
#define COUNTER(label, field)                                                  \
	{                                                                      \
		label, #field, offsetof(struct ppim_annotation, field)         \
	}
	COUNTER("cycles", cycles),
	COUNTER("HBM reads", reads_hbm),
	COUNTER("DIMM reads", reads_dimm),
	COUNTER("HBM activations", activations_hbm),
	COUNTER("DIMM activations", activations_dimm),
	COUNTER("SRAM hits", sram_hits),
	COUNTER("SRAM misses", sram_misses),
	COUNTER("prefetches", prefetches),
	COUNTER("moves", moves),
	COUNTER("transfers", transfers),
#undef COUNTER
};

/* Of n presets from r on, over each of `all`. */
static void speedups_print(FILE *f, const struct job_result *r, uint32_t n,
			   const struct job_result *all, uint32_t n_all)
{
	char label[LABEL_WIDTH + 8];
	uint32_t i, vs;

	for (vs = 0; vs < n_all && n_all > 1; vs++) {
		snprintf(label, sizeof(label), "speedup vs %s",
			 job_arch_name(all[vs].arch));
		fprintf(f, "  %-*s", LABEL_WIDTH, label);
		for (i = 0; i < n; i++)
			fprintf(f, "%*.2f", COLUMN_WIDTH,
				speedup(&r[i], &all[vs]));
		fputc('\n', f);
	}
}

static void model_print(FILE *f, const struct job_result *r, uint32_t n)
{
	size_t i;

	row_double(f, "simulated ns per lookup", r, n, "%.4f",
		   job_result_ns_per_lookup);
	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		row_u64(f, counters[i].label, r, n, counters[i].offset);
	row_double(f, "intra-GnR reuse", r, n, "%.4f", reuse);
	row_double(f, "energy per lookup, pJ", r, n, "%.1f", get_energy);
	row_text(f, "bound by", r, n, get_bound);
}

/* The CPU path has answers, but no times. */
static bool has_times(const struct job_result *r, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (r[i].sum.busy_ps)
			return true;
	return false;
}

static void block_print(FILE *f, const struct job_result *r, uint32_t n,
			const struct job_result *all, uint32_t n_all)
{
	fputc('\n', f);
	row_text(f, "", r, n, get_arch);
	row_u64(f, "lookups", r, n, offsetof(struct ppim_annotation, lookups));
	if (has_times(all, n_all)) {
		model_print(f, r, n);
		speedups_print(f, r, n, all, n_all);
	}
	if (r->vectors)
		row_double(f, "largest relative error", r, n, "%.2e",
			   get_error);
}

void report_results(FILE *f, const struct job_result *r, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i += COLUMNS)
		block_print(f, r + i, n - i < COLUMNS ? n - i : COLUMNS, r, n);
}

/* ---- JSON ---- */

static json_t *json_u64(uint64_t v)
{
	return json_integer((json_int_t)v);
}

json_t *report_json_input(const struct job *job)
{
	const struct job_config *c = &job->cfg;
	json_t *o = json_object();

	json_object_set_new(o, "tables", json_string(job->tables.label));
	json_object_set_new(o, "n_tables", json_u64(job->tables.n));
	json_object_set_new(o, "rows", json_u64(rows_sum(job)));
	json_object_set_new(o, "vec", json_u64(c->shape.vec_bytes));
	json_object_set_new(o, "collisions", json_u64(c->shape.collisions));
	json_object_set_new(o, "rank", json_u64(c->shape.rank));
	json_object_set_new(o, "batch", json_u64(job->n_bags));
	json_object_set_new(o, "pooling", json_u64(c->pooling));
	json_object_set_new(o, "samples", json_u64(c->samples));
	json_object_set_new(o, "seed", json_u64(c->seed));
	if (c->criteo)
		json_object_set_new(o, "criteo",
				    json_string(base_name(c->criteo)));
	else
		json_object_set_new(o, "zipf", json_real(c->zipf));
	json_object_set_new(o, "multi_hot", json_string(expand_name(job)));
	json_object_set_new(o, "profile_samples",
			    json_u64(job_profile_samples(job)));
	return o;
}

json_t *report_json_placement(const struct job_algo *a,
			      const struct job_placement *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "algo", json_string(job_algo_name(a->algo)));
	json_object_set_new(o, "hbm_bytes", json_u64(p->plan.hbm_bytes));
	json_object_set_new(o, "dimm_bytes", json_u64(p->plan.dimm_bytes));
	json_object_set_new(o, "duplicated", json_u64(p->plan.duplicated));
	json_object_set_new(o, "prefetched", json_u64(p->plan.prefetched));
	json_object_set_new(o, "split", json_u64(p->plan.mapped));
	json_object_set_new(o, "profile_accesses", json_u64(p->plan.accesses));
	json_object_set_new(o, "profile_accesses_hbm",
			    json_u64(p->plan.accesses_hbm));
	json_object_set_new(o, "run_accesses", json_u64(p->run_accesses));
	json_object_set_new(o, "run_accesses_hbm",
			    json_u64(p->run_accesses_hbm));
	return o;
}

static json_t *json_speedups(const struct job_result *r,
			     const struct job_result *all, uint32_t n)
{
	json_t *o = json_object();
	uint32_t i;

	for (i = 0; i < n; i++)
		json_object_set_new(o, job_arch_name(all[i].arch),
				    json_real(speedup(r, &all[i])));
	return o;
}

static void json_counters(json_t *o, const struct job_result *r)
{
	const struct ppim_annotation *s = &r->sum;
	uint64_t v;
	size_t i;

	json_object_set_new(o, "lookups", json_u64(s->lookups));
	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		memcpy(&v, (const char *)s + counters[i].offset, sizeof(v));
		json_object_set_new(o, counters[i].key, json_u64(v));
	}
	json_object_set_new(o, "reads", json_u64(s->reads_hbm + s->reads_dimm));
	json_object_set_new(o, "activations",
			    json_u64(s->activations_hbm + s->activations_dimm));
	json_object_set_new(o, "row_hits",
			    json_u64(s->row_hits_hbm + s->row_hits_dimm));
	json_object_set_new(o, "cache_hits", json_u64(s->cache_hits));
	json_object_set_new(o, "cache_misses", json_u64(s->cache_misses));
	json_object_set_new(o, "link_bytes", json_u64(s->link_bytes));
	json_object_set_new(o, "macs", json_u64(s->macs));
	json_object_set_new(o, "commands", json_u64(s->commands));
	json_object_set_new(o, "energy_pj", json_u64(s->energy_pj));
	json_object_set_new(o, "busy_ps", json_u64(s->busy_ps));
}

static const struct {
	const char *key;
	size_t offset;
} note_fields[] = {
#define FIELD(field)                                                           \
	{                                                                      \
#field, offsetof(struct ppim_annotation, field)                \
	}
	FIELD(start_ps),
	FIELD(end_ps),
	FIELD(busy_ps),
	FIELD(cycles),
	FIELD(lookups),
	FIELD(reads_hbm),
	FIELD(reads_dimm),
	FIELD(activations_hbm),
	FIELD(activations_dimm),
	FIELD(row_hits_hbm),
	FIELD(row_hits_dimm),
	FIELD(sram_hits),
	FIELD(sram_misses),
	FIELD(prefetches),
	FIELD(moves),
	FIELD(transfers),
	FIELD(cache_hits),
	FIELD(cache_misses),
	FIELD(link_bytes),
	FIELD(macs),
	FIELD(commands),
	FIELD(entry_refs),
	FIELD(entry_reuses),
	FIELD(energy_pj),
	FIELD(activate_pj),
	FIELD(read_pj),
	FIELD(write_pj),
	FIELD(refresh_pj),
	FIELD(standby_pj),
#undef FIELD
};

static json_t *json_annotation(const struct ppim_annotation *a)
{
	json_t *o = json_object();
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(note_fields) / sizeof(*note_fields); i++) {
		memcpy(&v, (const char *)a + note_fields[i].offset, sizeof(v));
		json_object_set_new(o, note_fields[i].key, json_u64(v));
	}
	json_object_set_new(o, "bound_by",
			    json_string(job_bound_name(a->bound_by)));
	return o;
}

static json_t *json_annotations(const struct job_result *r)
{
	json_t *array = json_array();
	uint64_t k;

	for (k = 0; k < r->batches; k++)
		json_array_append_new(array, json_annotation(&r->note[k]));
	return array;
}

static json_t *json_result(const struct job_result *r,
			   const struct job_result *all, uint32_t n)
{
	json_t *o = json_object();

	json_object_set_new(o, "algo", json_string(job_algo_name(r->algo)));
	json_object_set_new(o, "arch", json_string(job_arch_name(r->arch)));
	json_object_set_new(o, "batches", json_u64(r->batches));
	json_object_set_new(o, "ns_per_lookup",
			    json_real(job_result_ns_per_lookup(r)));
	json_object_set_new(o, "speedup_vs", json_speedups(r, all, n));
	json_counters(o, r);
	json_object_set_new(o, "bound_by",
			    json_string(job_bound_name(job_result_bound(r))));
	json_object_set_new(o, "intra_gnr_reuse", json_real(reuse(r)));
	if (r->vectors) {
		json_object_set_new(o, "vectors", json_u64(r->vectors));
		json_object_set_new(o, "max_relative_error",
				    json_real(r->max_rel_err));
	}
	if (r->keep)
		json_object_set_new(o, "annotations", json_annotations(r));
	return o;
}

json_t *report_json_results(const struct job_result *r, uint32_t n)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, json_result(&r[i], r, n));
	return array;
}
