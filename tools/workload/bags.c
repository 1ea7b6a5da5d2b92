// SPDX-License-Identifier: MIT
/*
 * Bags of indices. The first index of a bag is a Criteo sample's category or a
 * Zipf draw. The others are the MLPerf multi-hot expansion: each first index of
 * a table has one fixed bag, whose member at a position is a function of (seed,
 * table, first index, position).
 */
#include <errno.h>
#include <stdlib.h>
#include "workload.h"
#include "hash.h"

struct source_table {
	uint64_t rows;
	uint64_t first_key, permute_key, other_key;
	struct wl_zipf zipf;
};

struct wl_source {
	enum wl_expand expand;
	uint32_t pooling;
	uint32_t n_tables;
	uint64_t samples;
	uint64_t *first; /* of a file: [sample][table] */
	struct source_table table[];
};

static void source_table_init(struct source_table *t,
			      const struct wl_source_config *cfg, uint32_t i)
{
	t->rows = cfg->tables->rows[i];
	t->first_key = wl_key(cfg->seed, WL_DOMAIN_FIRST, i);
	t->permute_key = wl_key(cfg->seed, WL_DOMAIN_PERMUTE, i);
	t->other_key = wl_key(cfg->seed, WL_DOMAIN_OTHER, i);
	wl_zipf_init(&t->zipf, t->rows, cfg->zipf);
}

/* A category's row does not depend on the seed: the file is the input. */
static uint64_t category_row(uint32_t table, uint64_t category, uint64_t rows)
{
	uint64_t key = wl_key(0, WL_DOMAIN_CATEGORY, table);

	return wl_below(wl_absorb(key, category), rows);
}

/* Makes room for sample n: the array grows by doubling up to `samples`. */
static int firsts_reserve(struct wl_source *src, uint64_t *room,
			  uint64_t samples, struct wl_diag *diag)
{
	uint64_t want = *room ? *room * 2 : 1024;
	uint64_t *grown;

	if (src->samples < *room)
		return 0;
	if (want > samples)
		want = samples;
	grown = reallocarray(src->first, want, src->n_tables * sizeof(*grown));
	if (!grown)
		return wl_fail(diag, -ENOMEM, "no memory for %llu samples",
			       (unsigned long long)want);
	src->first = grown;
	*room = want;
	return 0;
}

static int source_read_samples(struct wl_source *src, struct wl_criteo *tsv,
			       uint64_t samples, struct wl_diag *diag)
{
	uint64_t category[WL_CRITEO_CATEGORIES], room = 0;
	uint32_t t;
	int ret;

	while (src->samples < samples) {
		ret = wl_criteo_next(tsv, category, diag);
		if (ret <= 0)
			return ret;
		ret = firsts_reserve(src, &room, samples, diag);
		if (ret)
			return ret;
		for (t = 0; t < src->n_tables; t++)
			src->first[src->samples * src->n_tables + t] =
				category_row(t, category[t],
					     src->table[t].rows);
		src->samples++;
	}
	return 0;
}

static int source_read_criteo(struct wl_source *src,
			      const struct wl_source_config *cfg,
			      struct wl_diag *diag)
{
	struct wl_criteo *tsv;
	int ret;

	if (src->n_tables > WL_CRITEO_CATEGORIES)
		return wl_fail(diag, -EINVAL,
			       "%s has %u categories, %s names %u tables",
			       cfg->criteo, WL_CRITEO_CATEGORIES,
			       cfg->tables->label, src->n_tables);
	ret = wl_criteo_open(cfg->criteo, &tsv, diag);
	if (ret)
		return ret;
	ret = source_read_samples(src, tsv, cfg->samples, diag);
	wl_criteo_close(tsv);
	if (!ret && src->samples < cfg->needed)
		return wl_fail(diag, -EINVAL,
			       "%s has %llu samples, the run needs %llu",
			       cfg->criteo, (unsigned long long)src->samples,
			       (unsigned long long)cfg->needed);
	return ret;
}

int wl_source_open(const struct wl_source_config *cfg, struct wl_source **out,
		   struct wl_diag *diag)
{
	struct wl_source *src;
	uint32_t i;
	int ret;

	src = calloc(1, sizeof(*src) + cfg->tables->n * sizeof(*src->table));
	if (!src)
		return wl_fail(diag, -ENOMEM, "no memory for %u tables",
			       cfg->tables->n);
	src->expand = cfg->expand;
	src->pooling = cfg->pooling;
	src->n_tables = cfg->tables->n;
	for (i = 0; i < src->n_tables; i++)
		source_table_init(&src->table[i], cfg, i);
	if (cfg->criteo) {
		ret = source_read_criteo(src, cfg, diag);
		if (ret) {
			wl_source_close(src);
			return ret;
		}
	} else {
		src->samples = UINT64_MAX;
	}
	*out = src;
	return 0;
}

void wl_source_close(struct wl_source *src)
{
	if (!src)
		return;
	free(src->first);
	free(src);
}

uint64_t wl_source_samples(const struct wl_source *src)
{
	return src->samples;
}

uint64_t wl_source_first(const struct wl_source *src, uint64_t sample,
			 uint32_t table)
{
	const struct source_table *t = &src->table[table];
	uint64_t rank;

	if (src->first)
		return src->first[sample * src->n_tables + table];
	rank = wl_zipf_rank(&t->zipf, wl_absorb(t->first_key, sample));
	return wl_permute(t->rows, t->permute_key, rank);
}

/*
 * int32(Pareto(0.25)) mod N of the public multi-hot expansion: Lomax with shape
 * 1/4 is u^-4 - 1, and a value beyond 32 bits becomes INT32_MIN there (x86's
 * conversion), whose remainder is taken as a non-negative row.
 */
static uint64_t pareto_row(uint64_t bits, uint64_t rows)
{
	double u = wl_unit(bits), x = 1 / ((u * u) * (u * u)) - 1;
	uint64_t low = (1ull << 31) % rows;

	if (x < 0x1p31)
		return (uint64_t)x % rows;
	return low ? rows - low : 0;
}

uint64_t wl_bag_index(const struct wl_source *src, uint32_t table,
		      uint64_t first, uint32_t pos)
{
	const struct source_table *t = &src->table[table];
	uint64_t bits;

	if (!pos)
		return first;
	bits = wl_stream(wl_absorb(t->other_key, first), pos);
	if (src->expand == WL_EXPAND_UNIFORM)
		return wl_below(bits, t->rows);
	return pareto_row(bits, t->rows);
}

void wl_bag_fill(const struct wl_source *src, uint64_t sample, uint32_t table,
		 uint32_t n, int64_t *out)
{
	uint64_t first = wl_source_first(src, sample, table);
	uint32_t i;

	for (i = 0; i < n; i++)
		out[i] = (int64_t)wl_bag_index(src, table, first, i);
}
