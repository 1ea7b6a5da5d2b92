/* SPDX-License-Identifier: MIT */
/* Engines, tables and batches for the tests of the PIM engine. */
#ifndef PPIM_TESTS_PIM_FIXTURE_H
#define PPIM_TESTS_PIM_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ppim-engine/pim.h"

#define FX_TABLES 26

struct fx_setup {
	struct ppim_spec hbm, dimm;
	struct ppim_engine_config config;
};

/* HBM2 and DDR4 as shipped; 4 GiB and 32 GiB. */
void fx_setup_init(struct fx_setup *s);
/* Sets a parameter by name. */
void fx_param(struct fx_setup *s, const char *name, const char *value);
struct ppim_engine *fx_engine(const struct fx_setup *s);

/* ---- commands as text --------------------------------------------------- */

/* Runs trace lines ('\n' between them) as batches; the last one's annotation
 * stays in *out. */
void fx_run(struct ppim_engine *e, uint32_t arch, const char *lines,
	    struct ppim_annotation *out);
/* The same on an engine of its own: cycles. */
uint64_t fx_cycles(const struct fx_setup *s, uint32_t arch, const char *lines);

/* A growing text. */
struct fx_text {
	char *buf;
	size_t len, room;
};

void fx_text_add(struct fx_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void fx_text_free(struct fx_text *t);
/* ppim_trace_fn that adds lines to a struct fx_text. */
void fx_text_trace(void *opaque, const char *line);

/* ---- tables and batches ------------------------------------------------- */

struct fx_options {
	uint8_t algo;
	uint8_t qr_order, combine, dtype;
	uint32_t dim; /* 32: vectors of 128 B */
	uint32_t bags, pooling;
	uint32_t rank; /* TT */
	bool no_copies; /* shared subtables striped */
	bool no_hint;
	bool uniform; /* indices; else half of them hot */
	bool weights;
	uint32_t cold_percent; /* of the main subtable's rows in the DIMM */
	uint32_t n_tables; /* 0: all */
	uint32_t seed;
};

/* 26 tables of Criteo Kaggle's sizes and one batch over them. */
struct fx_batch {
	struct ppim_table_desc table[FX_TABLES];
	struct ppim_extent *extents[FX_TABLES][PPIM_MAX_SUBTABLES];
	uint32_t *map[FX_TABLES];
	int64_t *indices[FX_TABLES];
	int64_t *offsets;
	float *weights;
	struct ppim_job job[FX_TABLES];
	struct ppim_batch batch;
};

void fx_batch_init(struct fx_batch *b, const struct fx_options *o);
void fx_batch_free(struct fx_batch *b);
/* Other indices, the same tables. */
void fx_batch_next(struct fx_batch *b, const struct fx_options *o,
		   uint32_t seed);
/* Checks and charges it. */
void fx_charge(struct ppim_engine *e, struct fx_batch *b, uint32_t arch,
	       uint64_t arrival_ps, struct ppim_annotation *out);

uint64_t fx_hash(uint64_t x);

#endif
