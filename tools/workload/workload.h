/* SPDX-License-Identifier: MIT */
/*
 * The benchmark's input, the same on every machine: table cardinalities, bags
 * of indices, table values. Everything but a Criteo file's categories comes
 * from counter-based hashes (hash.h), so any part can be had without the rest
 * and nothing large is stored. No index depends on libm: zipf.c has its own
 * logarithm and exponential out of IEEE additions and multiplications, because
 * a C library may choose another code path on another processor.
 */
#ifndef PPIM_WORKLOAD_H
#define PPIM_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ppim_defs.h>
#include <linux/ppim_shape.h>

/* Why a call failed: one line, without newline. */
struct wl_diag {
	char msg[512];
};

/* Fills diag (may be NULL) and returns err. */
int wl_fail(struct wl_diag *diag, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- tables ---- */

#define WL_MAX_TABLES 1024

struct wl_tables {
	char label[64];		/* "kaggle", "terabyte", or the file's name */
	uint32_t n;
	uint64_t rows[WL_MAX_TABLES];
};

/* `name`: "kaggle", "terabyte", or a file with one cardinality a line (blank
 * lines and # comments are skipped). */
int wl_tables_load(const char *name, struct wl_tables *out,
		   struct wl_diag *diag);

/* "C1" for table 0: Criteo's own numbering of its categorical columns. */
void wl_table_name(uint32_t table, char *buf, size_t bytes);

/* ---- shapes ---- */

struct wl_shape_config {
	uint32_t vec_bytes;	/* of an fp32 output vector */
	uint32_t collisions;	/* QR: c */
	uint32_t rank;		/* TT: R1 = R2 */
	enum ppim_combine combine; /* QR */
};

/* Smallest p with p * p * p >= n; n is at most PPIM_MAX_ROWS. */
uint32_t wl_cuberoot(uint64_t n);

/* -EINVAL: the geometry is impossible; the message names option and range. */
int wl_shape_make(enum ppim_algo algo, uint64_t rows,
		  const struct wl_shape_config *cfg, struct ppim_shape *out,
		  struct wl_diag *diag);

/* ---- table values ---- */

/*
 * One row of a subtable, fp32. QR: magnitude uniform in [0.5, 1.5) with a
 * random sign, so products stay benign. TT: uniform in [-1, 1), G2 divided by
 * R1, so a row's elements are of order one whatever the rank.
 */
void wl_row_fill(uint64_t seed, uint32_t table, uint32_t sub,
		 const struct ppim_shape *shape, uint64_t row, float *out);

/* One element of it. */
float wl_value(uint64_t seed, uint32_t table, uint32_t sub,
	       const struct ppim_shape *shape, uint64_t row, uint32_t col);

/* Rows of subtables that index i of a table refers to. */
void wl_split(const struct ppim_shape *shape, uint64_t index,
	      uint64_t row[PPIM_MAX_SUBTABLES]);

/* ---- Zipf ---- */

/* Rank k (0 is the hottest) of n has a probability proportional to
 * 1 / (k + 1)^s: rejection-inversion, Hoermann and Derflinger 1996. */
struct wl_zipf {
	uint64_t n;
	double s;
	double h_lo, h_hi, squeeze;
};

#define WL_ZIPF_MAX_EXPONENT 10.0

void wl_zipf_init(struct wl_zipf *z, uint64_t n, double s);
uint64_t wl_zipf_rank(const struct wl_zipf *z, uint64_t key);

double wl_log(double x);	/* x > 0, normal */
double wl_exp(double x);

/* A permutation of 0 .. n - 1: hot ranks are not neighbours in the table. */
uint64_t wl_permute(uint64_t n, uint64_t key, uint64_t i);

/* ---- bags ---- */

enum wl_expand { WL_EXPAND_PARETO, WL_EXPAND_UNIFORM };

struct wl_source_config {
	const struct wl_tables *tables;
	uint64_t seed;
	double zipf;		/* exponent of the first index */
	enum wl_expand expand;	/* of the others */
	uint32_t pooling;	/* indices of a bag */
	const char *criteo;	/* TSV file with the first indices, or NULL */
	uint64_t samples;	/* to read from it: at least `needed` */
	uint64_t needed;
};

struct wl_source;

/* Reads min(samples, rows of the file) samples of a Criteo file; -EINVAL if it
 * is malformed or has less than `needed`. */
int wl_source_open(const struct wl_source_config *cfg, struct wl_source **out,
		   struct wl_diag *diag);
void wl_source_close(struct wl_source *src);

/* Samples there are: UINT64_MAX for the generator. */
uint64_t wl_source_samples(const struct wl_source *src);

uint64_t wl_source_first(const struct wl_source *src, uint64_t sample,
			 uint32_t table);

/* Index at `pos` of the one bag that belongs to this first index. */
uint64_t wl_bag_index(const struct wl_source *src, uint32_t table,
		      uint64_t first, uint32_t pos);

/* The first n indices of the bag of a sample. */
void wl_bag_fill(const struct wl_source *src, uint64_t sample, uint32_t table,
		 uint32_t n, int64_t *out);

/* ---- Criteo TSV ---- */

#define WL_CRITEO_INTEGERS	13
#define WL_CRITEO_CATEGORIES	26
#define WL_CRITEO_EMPTY		(1ull << 32)	/* a category of its own */

struct wl_criteo;

/* Plain or gzip'd; "-" is standard input. `path` is kept, not copied. */
int wl_criteo_open(const char *path, struct wl_criteo **out,
		   struct wl_diag *diag);
/* Next sample's categories: 1, 0 at the end of the file, or -EINVAL. */
int wl_criteo_next(struct wl_criteo *tsv,
		   uint64_t category[WL_CRITEO_CATEGORIES],
		   struct wl_diag *diag);
void wl_criteo_close(struct wl_criteo *tsv);

/* ---- how often each row is used ---- */

struct wl_count {
	uint64_t row;
	uint64_t count;
};

struct wl_counts;

struct wl_counts *wl_counts_new(void);
void wl_counts_free(struct wl_counts *c);
int wl_counts_add(struct wl_counts *c, uint64_t row, uint64_t times);
uint64_t wl_counts_get(const struct wl_counts *c, uint64_t row);
size_t wl_counts_size(const struct wl_counts *c);
/* Entries in row order, valid until the next add. */
const struct wl_count *wl_counts_sorted(struct wl_counts *c);

#endif
