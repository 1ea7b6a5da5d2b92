// SPDX-License-Identifier: MIT
/* What ppim_engine_check() and ppim_engine_create() refuse, and what they call
 * it; rows of every kind of placement. */
#include <endian.h>
#include "pim_fixture.h"

static const struct fx_options mapped = { .algo = PPIM_ALGO_QR,
					  .bags = 3,
					  .pooling = 5,
					  .n_tables = 2,
					  .cold_percent = 50 };

struct world {
	struct fx_setup s;
	struct ppim_engine *e;
	struct fx_batch b;
};

static void world_init(struct world *w, const struct fx_options *o)
{
	fx_setup_init(&w->s);
	w->e = fx_engine(&w->s);
	fx_batch_init(&w->b, o);
	w->b.batch.arch = PPIM_ARCH_PROACTIVE;
}

static void world_free(struct world *w)
{
	fx_batch_free(&w->b);
	ppim_engine_free(w->e);
}

static void refused(struct world *w, uint32_t status, uint32_t job,
		    uint32_t bag, uint64_t detail)
{
	struct ppim_fault f = { 0 };

	assert_int_equal(ppim_engine_check(w->e, &w->b.batch, &f), -1);
	assert_int_equal(f.status, status);
	assert_int_equal(f.job, job);
	assert_int_equal(f.bag, bag);
	assert_int_equal(f.detail, detail);
	/* a caller may not want to know */
	assert_int_equal(ppim_engine_check(w->e, &w->b.batch, NULL), -1);
}

static void accepted(struct world *w)
{
	struct ppim_fault f;

	if (ppim_engine_check(w->e, &w->b.batch, &f))
		fail_msg("status %u, job %u, detail %llx", f.status, f.job,
			 (unsigned long long)f.detail);
}

static void indices_outside_the_table(void **state)
{
	const struct fx_options o = {
		.algo = PPIM_ALGO_QR, .bags = 3, .pooling = 5, .n_tables = 2
	};
	struct world w;

	(void)state;
	world_init(&w, &o);
	accepted(&w);
	w.b.indices[1][7] = 583; /* the second table's rows */
	refused(&w, PPIM_ST_BAD_INDEX, 1, 1, 583);
	w.b.indices[1][7] = -1;
	refused(&w, PPIM_ST_BAD_INDEX, 1, 1, UINT64_MAX);
	w.b.indices[1][7] = INT64_MIN;
	refused(&w, PPIM_ST_BAD_INDEX, 1, 1, 1ull << 63);
	w.b.job[1].has_padding = 1;
	w.b.job[1].padding_index = INT64_MIN;
	accepted(&w);
	w.b.job[1].has_padding = 0;
	w.b.indices[1][7] = 582;
	accepted(&w);
	w.b.indices[0][14] = INT64_MAX;
	refused(&w, PPIM_ST_BAD_INDEX, 0, 2, INT64_MAX);
	world_free(&w);
}

static void offsets_out_of_order(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, &mapped);
	w.b.offsets[0] = 1;
	refused(&w, PPIM_ST_BAD_OFFSETS, 0, 0, 0);
	w.b.offsets[0] = 0;
	w.b.offsets[2] = 4;
	refused(&w, PPIM_ST_BAD_OFFSETS, 0, 2, 2);
	w.b.offsets[2] = 16;
	refused(&w, PPIM_ST_BAD_OFFSETS, 0, 2, 2);
	w.b.offsets[2] = 15;
	accepted(&w);
	w.b.offsets[1] = -1;
	refused(&w, PPIM_ST_BAD_OFFSETS, 0, 1, 1);
	w.b.offsets[1] = 0;
	accepted(&w);
	w.b.job[1].n_bags = 0;
	refused(&w, PPIM_ST_BAD_OFFSETS, 1, 0, 0);
	w.b.job[1].n_indices = 0;
	accepted(&w);
	world_free(&w);
}

static void fields_that_make_no_sense(void **state)
{
	static float weight[16];
	struct world w;

	(void)state;
	world_init(&w, &mapped);
	w.b.job[0].mode = PPIM_MODE_MAX + 1;
	refused(&w, PPIM_ST_BAD_FIELD, 0, 0, 0);
	w.b.job[0].mode = PPIM_MODE_MEAN;
	accepted(&w);
	w.b.job[0].weights = weight;
	refused(&w, PPIM_ST_BAD_FIELD, 0, 0, 0);
	w.b.job[0].mode = PPIM_MODE_SUM;
	accepted(&w);
	w.b.table[1].shape.dim = 0;
	refused(&w, PPIM_ST_BAD_FIELD, 1, 0, 0);
	w.b.table[1].shape.dim = 32;
	w.b.table[1].shape.tt_p[0] = 1;
	refused(&w, PPIM_ST_BAD_FIELD, 1, 0, 0);
	world_free(&w);
}

#define PLACE(sub, extent) ((uint64_t)(sub) << 32 | (extent))

static void subtables_that_do_not_fit_the_shape(void **state)
{
	struct ppim_placed *r, keep;
	struct world w;

	(void)state;
	world_init(&w, &mapped);
	r = &w.b.table[1].sub[PPIM_SUB_R];
	keep = *r;
#define TRY(field, value)                                                      \
	do {                                                                   \
		r->field = (value);                                            \
		refused(&w, PPIM_ST_BAD_PLACEMENT, 1, 0,                       \
			PLACE(PPIM_SUB_R, 0));                                 \
		*r = keep;                                                     \
		accepted(&w);                                                  \
	} while (0)
	TRY(rows, 5);
	TRY(rows, 0);
	TRY(row_bytes, 127);
	TRY(row_bytes, 0);
	TRY(row_stride, 64);
	TRY(row_stride, 129);
	TRY(row_stride, 0);
	TRY(flags, 8);
	TRY(flags, PPIM_SUBF_DUPLICATED | PPIM_SUBF_MAPPED);
	TRY(flags, PPIM_SUBF_MAPPED); /* without a map */
	TRY(n_extents, 0);
	TRY(n_extents, UINT32_MAX);
	TRY(extents, NULL);
#undef TRY
	world_free(&w);
}

static void extents_outside_their_memory(void **state)
{
	struct ppim_extent *x, keep;
	struct world w;

	(void)state;
	world_init(&w, &mapped);
	x = &w.b.extents[0][PPIM_SUB_R][9];
	keep = *x;
#define TRY(status, field, value)                                              \
	do {                                                                   \
		x->field = (value);                                            \
		refused(&w, status, 0, 0, PLACE(PPIM_SUB_R, 9));               \
		*x = keep;                                                     \
		accepted(&w);                                                  \
	} while (0)
	TRY(PPIM_ST_BAD_PLACEMENT, slice, 32);
	TRY(PPIM_ST_BAD_PLACEMENT, slice, UINT16_MAX);
	TRY(PPIM_ST_BAD_PLACEMENT, offset, 1);
	TRY(PPIM_ST_BAD_PLACEMENT, offset, 128ull << 20);
	TRY(PPIM_ST_BAD_PLACEMENT, offset, (128ull << 20) - 64);
	TRY(PPIM_ST_BAD_PLACEMENT, offset, UINT64_MAX - 63);
	TRY(PPIM_ST_BAD_PLACEMENT, rows, 3);
	TRY(PPIM_ST_BAD_PLACEMENT, rows, UINT64_MAX);
	TRY(PPIM_ST_BAD_PLACEMENT, rows, 1ull << 57);
	TRY(PPIM_ST_BAD_PLACEMENT, rows, 1ull << 20);
	TRY(PPIM_ST_UNSUPPORTED, tier, PPIM_TIER_CXL);
	TRY(PPIM_ST_UNSUPPORTED, tier, PPIM_TIER_HOST);
	TRY(PPIM_ST_BAD_PLACEMENT, tier, 17);
#undef TRY
	/* the DIMM's end */
	x = &w.b.extents[0][PPIM_SUB_Q][32];
	x->offset = (32ull << 30) - 64;
	refused(&w, PPIM_ST_BAD_PLACEMENT, 0, 0, PLACE(PPIM_SUB_Q, 32));
	world_free(&w);
}

static void map_faults_say_where(void **state)
{
	struct ppim_fault f;
	struct world w;
	uint32_t i, row;

	(void)state;
	world_init(&w, &mapped);
	for (i = 0; i < 15; i++)
		w.b.indices[1][i] = 4 * i;
	accepted(&w);
	row = 12;
	w.b.map[1][row] = 40u << 25 | 1;
	assert_int_equal(ppim_engine_check(w.e, &w.b.batch, &f), -1);
	assert_int_equal(f.status, PPIM_ST_BAD_PLACEMENT);
	assert_int_equal(f.job, 1);
	assert_int_equal(f.bag, 2); /* position 12, bags of 5 */
	assert_int_equal(f.detail, PLACE(PPIM_SUB_Q, 40));
	/* a row beyond its extent */
	w.b.map[1][row] = 3u << 25 | 0x1ffffff;
	assert_int_equal(ppim_engine_check(w.e, &w.b.batch, &f), -1);
	assert_int_equal(f.detail, PLACE(PPIM_SUB_Q, 3));
	/* rows that no lookup uses may say anything */
	w.b.indices[1][12] = 0;
	accepted(&w);
	world_free(&w);
}

/* A guest may write the map after the check: the charge has to survive. */
static void a_map_that_changes_after_the_check_is_survived(void **state)
{
	struct ppim_annotation a;
	struct world w;
	uint64_t i;

	(void)state;
	world_init(&w, &mapped);
	accepted(&w);
	for (i = 0; i < w.b.table[0].sub[PPIM_SUB_Q].rows; i++)
		w.b.map[0][i] = UINT32_MAX;
	assert_int_equal(ppim_engine_charge(w.e, &w.b.batch, 0, &a), 0);
	assert_int_equal(a.lookups, 30);
	world_free(&w);
}

static void change_shape(struct ppim_shape *s, uint32_t k, uint64_t h,
			 uint64_t v)
{
	uint8_t *const bytes[] = { &s->algo, &s->dtype, &s->combine,
				   &s->qr_order };
	uint32_t *const words[] = { &s->dim, &s->collisions, &s->tt_p[k],
				    &s->tt_q[k], &s->tt_r[k % 2] };

	if (h % 3 == 0)
		s->rows = v;
	else if (h % 3 == 1)
		*bytes[h / 3 % 4] = (uint8_t)v;
	else
		*words[h / 3 % 5] = (uint32_t)v;
}

static void change_place(struct ppim_placed *p, struct ppim_extent *x,
			 uint64_t h, uint64_t v)
{
	uint32_t *const words[] = { &p->row_bytes, &p->row_stride,
				    &p->map_bits };

	switch (h % 8) {
	case 0:
		p->rows = v;
		break;
	case 1:
		*words[h / 8 % 3] = (uint32_t)v;
		break;
	case 2:
		p->flags = (uint32_t)(h / 8 & 7);
		break;
	case 3:
		p->n_extents = (uint32_t)v % (p->n_extents + 1);
		break;
	case 4:
		x->tier = (uint8_t)v;
		break;
	case 5:
		x->slice = (uint16_t)v;
		break;
	case 6:
		x->offset = v & ~(h / 8 & 63);
		break;
	default:
		x->rows = v;
		break;
	}
}

static void change_job(struct fx_batch *b, uint64_t h, uint64_t v)
{
	switch (h % 4) {
	case 0:
		b->indices[0][h / 4 & 7] = (int64_t)v;
		break;
	case 1:
		b->offsets[h / 4 & 1] = (int64_t)v;
		break;
	case 2:
		b->job[0].mode = (uint8_t)v;
		break;
	default:
		b->table[0].id = v;
		b->table[0].epoch = (uint32_t)v;
		break;
	}
}

static void change_something(struct fx_batch *b, uint64_t h)
{
	static const uint64_t odd[] = {
		0,	    1,		2,	    3,
		63,	    64,		65,	    255,
		4096,	    65535,	1ull << 31, UINT32_MAX,
		1ull << 32, 1ull << 40, INT64_MAX,  UINT64_MAX,
	};
	struct ppim_table_desc *t = &b->table[0];
	uint32_t k = (uint32_t)(h >> 20) % ppim_shape_subtables(&t->shape);
	uint64_t v = odd[h >> 32 & 15];

	if (h & 1)
		change_place(&t->sub[k], &b->extents[0][k][h >> 50 & 31],
			     h >> 4, v);
	else if (h & 2)
		change_shape(&t->shape, k, h >> 4, v);
	else
		change_job(b, h >> 4, v);
}

/* Any field of a batch set to anything: judged by the check, and what passes is
 * charged without harm. */
static void random_batches_are_judged_or_survived(void **state)
{
	struct fx_options o = { .bags = 3, .pooling = 4, .n_tables = 1 };
	struct ppim_annotation a;
	uint32_t i, passed = 0;
	struct world w;

	(void)state;
	fx_setup_init(&w.s);
	w.e = fx_engine(&w.s);
	for (i = 0; i < 6000; i++) {
		o.algo = (uint8_t)(i % 3);
		o.cold_percent = i & 8 ? 40 : 0;
		o.no_copies = (i & 16) != 0;
		fx_batch_init(&w.b, &o);
		w.b.batch.arch = 1 + (uint32_t)(fx_hash(i) >> 40) % 8;
		change_something(&w.b, fx_hash(~(uint64_t)i));
		ppim_engine_bound_ps(w.e, &w.b.batch, i);
		if (!ppim_engine_check(w.e, &w.b.batch, NULL)) {
			passed++;
			assert_int_equal(
				ppim_engine_charge(w.e, &w.b.batch, 0, &a), 0);
		}
		fx_batch_free(&w.b);
	}
	assert_in_range(passed, 300, 5000);
	ppim_engine_free(w.e);
}

static void rows_are_found_by_the_rule_of_their_placement(void **state)
{
	struct ppim_extent x[3] = {
		{ .slice = 5, .offset = 4096, .rows = 4 },
		{ .slice = 6, .offset = 0, .rows = 4 },
		{ .tier = PPIM_TIER_DIMM, .offset = 64, .rows = 4 },
	};
	uint32_t map[4] = { htole32(2u << 8 | 3), htole32(1), htole32(3u << 8),
			    htole32(1u << 8 | 4) };
	struct ppim_placed p = { .rows = 4,
				 .row_bytes = 100,
				 .row_stride = 128,
				 .n_extents = 3,
				 .extents = x };
	struct ppim_row_loc loc;

	(void)state;
	/* striped: row i / n of extent i % n */
	assert_int_equal(ppim_row_locate(&p, 10, 0, &loc), 0);
	assert_int_equal(loc.slice, 6);
	assert_int_equal(loc.offset, 3 * 128);
	assert_int_equal(ppim_row_locate(&p, 11, 0, &loc), 0);
	assert_int_equal(loc.tier, PPIM_TIER_DIMM);
	assert_int_equal(loc.offset, 64 + 3 * 128);
	assert_int_equal(ppim_row_locate(&p, 12, 0, &loc), -1);
	/* copies */
	p.flags = PPIM_SUBF_DUPLICATED;
	assert_int_equal(ppim_row_locate(&p, 2, 0, &loc), 0);
	assert_int_equal(loc.offset, 4096 + 2 * 128);
	assert_int_equal(ppim_row_locate(&p, 2, 1, &loc), 0);
	assert_int_equal(loc.slice, 6);
	assert_int_equal(ppim_row_locate(&p, 2, 3, &loc), -1);
	assert_int_equal(ppim_row_locate(&p, 4, 0, &loc), -1);
	/* mapped */
	p.flags = PPIM_SUBF_MAPPED;
	p.map = map;
	p.map_bits = 8;
	assert_int_equal(ppim_row_locate(&p, 0, 0, &loc), 0);
	assert_int_equal(loc.tier, PPIM_TIER_DIMM);
	assert_int_equal(loc.offset, 64 + 3 * 128);
	assert_int_equal(ppim_row_locate(&p, 1, 0, &loc), 0);
	assert_int_equal(loc.offset, 4096 + 128);
	assert_int_equal(ppim_row_locate(&p, 2, 0, &loc), -1);
	assert_int_equal(ppim_row_locate(&p, 3, 0, &loc), -1);
}

/* ---- geometry and creation ---------------------------------------------- */

static void geometry_is_the_specifications(void **state)
{
	struct ppim_geometry g;
	struct ppim_engine *e;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	ppim_engine_geometry(e, &g);
	assert_int_equal(g.channels, 8);
	assert_int_equal(g.slices, 32);
	assert_int_equal(g.slice_bytes, 128 << 20);
	assert_int_equal(g.row_bytes, 2048);
	assert_int_equal(g.sram_bytes, 40960);
	/* 4 x 256 / (4 x 256 + 51.2) */
	assert_int_equal(g.hot_ppm, 952380);
	assert_int_equal(g.archs, 0x1fe);
	ppim_engine_free(e);
	s.config.dimm_bytes = 0;
	fx_param(&s, "hot_ppm", "0");
	e = fx_engine(&s);
	ppim_engine_geometry(e, &g);
	assert_int_equal(g.hot_ppm, 1000000);
	ppim_engine_free(e);
}

static void small_memories_work(void **state)
{
	struct fx_options o = {
		.algo = PPIM_ALGO_QR, .bags = 2, .pooling = 4, .n_tables = 2
	};
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_batch b;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	s.config.hbm_bytes = 64ull << 20;
	s.config.dimm_bytes = 1 << 20;
	e = fx_engine(&s);
	fx_batch_init(&b, &o);
	fx_charge(e, &b, PPIM_ARCH_TRIM, 0, &a);
	assert_int_equal(a.lookups, 16);
	fx_batch_free(&b);
	ppim_engine_free(e);
}

static void create_fails(struct fx_setup *s, const char *word)
{
	struct ppim_engine *e = NULL;
	struct ppim_diag diag = { "" };

	assert_int_equal(ppim_engine_create(&s->config, &e, &diag), -EINVAL);
	assert_null(e);
	if (!strstr(diag.msg, word))
		fail_msg("'%s' in: %s", word, diag.msg);
	assert_null(strchr(diag.msg, '\n'));
}

static void impossible_configurations_are_refused_by_name(void **state)
{
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	s.config.hbm_bytes = 3ull << 30;
	create_fails(&s, "hbm_bytes");
	s.config.hbm_bytes = 0;
	create_fails(&s, "hbm_bytes");
	s.config.hbm_bytes = 1024;
	create_fails(&s, "hbm_bytes");
	fx_setup_init(&s);
	s.hbm.t.trefi = 260;
	create_fails(&s, "tREFI");
	fx_setup_init(&s);
	s.config.params.bg_macs = 0;
	create_fails(&s, "bg_macs");
	fx_setup_init(&s);
	s.config.params.link = PPIM_LINK_PCIE;
	create_fails(&s, "link_mbps");
	fx_setup_init(&s);
	s.config.params.dimm_channels = 3;
	create_fails(&s, "channels");
}

static void parameters_are_set_by_name(void **state)
{
	struct ppim_params p;
	struct ppim_diag diag;
	size_t i;

	(void)state;
	ppim_params_default(&p);
	assert_int_equal(ppim_params_check(&p, &diag), 0);
	assert_int_equal(ppim_params_set(&p, "sram_bytes", "64K", &diag), 0);
	assert_int_equal(p.sram_bytes, 65536);
	assert_int_equal(ppim_params_set(&p, "bg_macs", "0x20", &diag), 0);
	assert_int_equal(p.bg_macs, 32);
	assert_int_equal(ppim_params_set(&p, "link", "cxl", &diag), 0);
	assert_int_equal(p.link, PPIM_LINK_CXL);
	assert_int_equal(p.link_ns, 75);
	assert_int_equal(ppim_params_set(&p, "nosuch", "1", &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "nosuch"));
	assert_int_equal(ppim_params_set(&p, "bg_macs", "0", &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "from 1 to 65536"));
	assert_int_equal(ppim_params_set(&p, "bg_macs", "-1", NULL), -EINVAL);
	assert_int_equal(ppim_params_set(&p, "bg_macs", "", NULL), -EINVAL);
	assert_int_equal(ppim_params_set(&p, "bg_macs", "5X", NULL), -EINVAL);
	assert_int_equal(ppim_params_set(&p, "bg_macs", "5KK", NULL), -EINVAL);
	assert_int_equal(
		ppim_params_set(&p, "llc_bytes", "18014398509481984K", NULL),
		-EINVAL);
	assert_int_equal(ppim_params_set(&p, "link", "usb", &diag), -EINVAL);
	assert_int_equal(p.bg_macs, 32);
	for (i = 0; ppim_params_info(i); i++) {
		assert_true(ppim_params_info(i)->text[0]);
		assert_true(ppim_params_info(i)->source[0]);
		assert_true(ppim_params_info(i)->def >=
			    ppim_params_info(i)->min);
		assert_true(ppim_params_info(i)->def <=
			    ppim_params_info(i)->max);
	}
}

static void a_pim_section_sets_parameters(void **state)
{
	struct ppim_params p;
	struct ppim_diag diag;
	struct fx_setup s;

	(void)state;
	fx_setup_init(&s);
	s.hbm.n_pim = 1;
	strcpy(s.hbm.pim[0].key, "sram_bytes");
	strcpy(s.hbm.pim[0].value, "8K");
	s.hbm.pim[0].line = 77;
	ppim_params_default(&p);
	assert_int_equal(ppim_params_apply(&p, &s.hbm, &diag), 0);
	assert_int_equal(p.sram_bytes, 8192);
	strcpy(s.hbm.pim[0].key, "sram_bites");
	assert_int_equal(ppim_params_apply(&p, &s.hbm, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "HBM2_4Gb_x128:77"));
	assert_non_null(strstr(diag.msg, "sram_bites"));
}

/* The document's table of parameters is the program's. */
static void the_document_lists_every_parameter(void **state)
{
	const struct ppim_param_info *p;
	char *text = calloc(1, 1 << 20), row[400];
	size_t i, len;
	FILE *f;

	(void)state;
	assert_non_null(text);
	f = fopen(PPIM_TOP "/qemu-device/docs/engine-pim.md", "r");
	assert_non_null(f);
	len = fread(text, 1, (1 << 20) - 1, f);
	assert_true(len > 0);
	fclose(f);
	for (i = 0; (p = ppim_params_info(i)); i++) {
		snprintf(row, sizeof(row),
			 "| `%s` | %llu%s%s | %llu to %llu | %s | %s |\n",
			 p->name, (unsigned long long)p->def,
			 *p->unit ? " " : "", p->unit,
			 (unsigned long long)p->min, (unsigned long long)p->max,
			 p->source, p->text);
		if (!strstr(text, row))
			fail_msg("engine-pim.md lacks: %s", row);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indices_outside_the_table),
		cmocka_unit_test(offsets_out_of_order),
		cmocka_unit_test(fields_that_make_no_sense),
		cmocka_unit_test(subtables_that_do_not_fit_the_shape),
		cmocka_unit_test(extents_outside_their_memory),
		cmocka_unit_test(map_faults_say_where),
		cmocka_unit_test(
			a_map_that_changes_after_the_check_is_survived),
		cmocka_unit_test(random_batches_are_judged_or_survived),
		cmocka_unit_test(rows_are_found_by_the_rule_of_their_placement),
		cmocka_unit_test(geometry_is_the_specifications),
		cmocka_unit_test(small_memories_work),
		cmocka_unit_test(impossible_configurations_are_refused_by_name),
		cmocka_unit_test(parameters_are_set_by_name),
		cmocka_unit_test(a_pim_section_sets_parameters),
		cmocka_unit_test(the_document_lists_every_parameter),
	};

	return cmocka_run_group_tests_name("engine_check", tests, NULL, NULL);
}
