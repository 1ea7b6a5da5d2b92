// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers: every shape in every place against plain C, to the bit; section 9
 * of the specification.
 */

#include "qemu/osdep.h"
#include <math.h>
#include "qemu/module.h"
#include "ppim-qtest.h"

#define N(x)	ARRAY_SIZE(x)

/* What a case of the matrix is made of. Shapes are built at run time. */
struct shape_case {
	const char *name;
	enum ppim_algo algo;
	enum ppim_dtype dtype;
	uint64_t rows;
	uint32_t dim, c;
	enum ppim_combine combine;
	enum ppim_qr_order order;
	uint32_t p[3], q[3], r[2];
};

static const struct shape_case shapes[] = {
	{ "dense", PPIM_ALGO_DENSE, PPIM_DTYPE_FP32, 200, 32 },
	{ "dense-odd", PPIM_ALGO_DENSE, PPIM_DTYPE_FP32, 61, 13 },
	{ "dense-one", PPIM_ALGO_DENSE, PPIM_DTYPE_FP32, 1, 1 },
	{ "dense-wide", PPIM_ALGO_DENSE, PPIM_DTYPE_FP32, 20, 1000 },
	{ "dense-fp16", PPIM_ALGO_DENSE, PPIM_DTYPE_FP16, 90, 33 },
	{ "dense-bf16", PPIM_ALGO_DENSE, PPIM_DTYPE_BF16, 90, 31 },
	{ "qr-mult", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 199, 32, 4,
	  PPIM_COMBINE_MULT },
	{ "qr-add", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 200, 24, 8,
	  PPIM_COMBINE_ADD },
	{ "qr-concat", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 101, 34, 3,
	  PPIM_COMBINE_CONCAT },
	{ "qr-mult-pooled", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 199, 32, 4,
	  PPIM_COMBINE_MULT, PPIM_QR_POOLED },
	{ "qr-add-pooled", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 64, 7, 16,
	  PPIM_COMBINE_ADD, PPIM_QR_POOLED },
	{ "qr-concat-pooled", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 50, 16, 5,
	  PPIM_COMBINE_CONCAT, PPIM_QR_POOLED },
	{ "qr-c-1", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 40, 16, 1,
	  PPIM_COMBINE_MULT },
	{ "qr-c-above-n", PPIM_ALGO_QR, PPIM_DTYPE_FP32, 10, 16, 64,
	  PPIM_COMBINE_MULT },
	{ "qr-fp16", PPIM_ALGO_QR, PPIM_DTYPE_FP16, 100, 20, 4,
	  PPIM_COMBINE_MULT },
	{ "tt", PPIM_ALGO_TT, PPIM_DTYPE_FP32, 200, .p = { 6, 6, 6 },
	  .q = { 2, 4, 4 }, .r = { 16, 16 } },
	{ "tt-odd", PPIM_ALGO_TT, PPIM_DTYPE_FP32, 210, .p = { 5, 6, 7 },
	  .q = { 3, 2, 5 }, .r = { 3, 7 } },
	{ "tt-rank-1", PPIM_ALGO_TT, PPIM_DTYPE_FP32, 8, .p = { 2, 2, 2 },
	  .q = { 1, 1, 1 }, .r = { 1, 1 } },
	{ "tt-bf16", PPIM_ALGO_TT, PPIM_DTYPE_BF16, 60, .p = { 4, 4, 4 },
	  .q = { 2, 2, 4 }, .r = { 8, 4 } },
};

static const struct {
	const char *name;
	enum ppim_layout main, shared;
} layouts[] = {
	{ "one", PPIM_LAYOUT_ONE, PPIM_LAYOUT_ONE },
	{ "dimm", PPIM_LAYOUT_DIMM, PPIM_LAYOUT_DIMM },
	{ "striped", PPIM_LAYOUT_STRIPED, PPIM_LAYOUT_STRIPED },
	{ "mapped", PPIM_LAYOUT_MAPPED, PPIM_LAYOUT_MAPPED },
	{ "copies", PPIM_LAYOUT_STRIPED, PPIM_LAYOUT_COPIES },
	{ "mapped-copies", PPIM_LAYOUT_MAPPED, PPIM_LAYOUT_COPIES },
};

struct answer_case {
	const struct shape_case *shape;
	enum ppim_layout main, shared;
};

static struct ppim_shape shape_make(const struct shape_case *c)
{
	struct ppim_shape s;

	if (c->algo == PPIM_ALGO_TT)
		s = ppim_shape_tt(c->rows, c->p, c->q, c->r);
	else if (c->algo == PPIM_ALGO_QR)
		s = ppim_shape_qr(c->rows, c->dim, c->c, c->combine, c->order);
	else
		s = ppim_shape_dense(c->rows, c->dim);
	s.dtype = c->dtype;
	return s;
}

/* The ways in which a job can be asked: sum, weighted, mean, max; both index
 * widths; with and without a padding index; plain and scattered buffers. */
static void job_vary(struct ppim_test_job *job, uint32_t way)
{
	static const uint8_t modes[] = { PPIM_MODE_SUM, PPIM_MODE_SUM,
					 PPIM_MODE_MEAN, PPIM_MODE_MAX };

	job->mode = modes[way % 4];
	job->flags = way % 4 == 1 ? PPIM_JOBF_WEIGHTS : 0;
	job->index_bytes = way & 4 ? 4 : 8;
	job->scattered = way & 8;
	if ((way & 2) && job->n_indices) {
		job->flags |= PPIM_JOBF_PADDING;
		job->padding = job->indices[0];
	}
}

/* All ways of asking a table, four jobs in a batch. */
static void table_ask(struct ppim_dev *d, struct ppim_test_table *t,
		      uint32_t arch)
{
	struct ppim_test_job job[PPIM_TEST_JOBS];
	struct ppim_annotation note;
	struct ppim_test_batch *b;
	uint32_t way, k;

	for (way = 0; way < 16; way += PPIM_TEST_JOBS) {
		for (k = 0; k < PPIM_TEST_JOBS; k++) {
			ppim_job_random(&job[k], t, 5, 9, 50 + way + k);
			job_vary(&job[k], way + k);
		}
		b = ppim_batch_new(d, job, PPIM_TEST_JOBS, arch);
		note = ppim_batch_check(d, b);
		g_assert_cmpuint(note.arch, ==, arch);
		ppim_batch_free(b);
		for (k = 0; k < PPIM_TEST_JOBS; k++)
			ppim_job_free(&job[k]);
	}
}

static void test_answers(struct ppim_dev *d, const void *arg)
{
	const struct answer_case *c = arg;
	struct ppim_shape shape = shape_make(c->shape);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 7, c->main,
						   c->shared);

	table_ask(d, t, PPIM_ARCH_BGPIM);
	ppim_table_free(t);
}

/* The answer does not depend on the preset. */
static void test_presets(struct ppim_dev *d, const void *arg)
{
	const struct shape_case *c = arg;
	struct ppim_shape shape = shape_make(c);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 8,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_COPIES);
	uint32_t arch, archs = ppim_readl(d, PPIM_REG_ARCHS);

	for (arch = 1; arch < PPIM_ARCH_COUNT; arch++)
		if (archs & 1u << arch)
			table_ask(d, t, arch);
	ppim_table_free(t);
}

/* Every device variant gives the same answers. */
static void test_variant(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = shape_make(arg);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 9,
						   PPIM_LAYOUT_MAPPED,
						   PPIM_LAYOUT_COPIES);

	table_ask(d, t, PPIM_ARCH_PROACTIVE);
	ppim_table_free(t);
}

/* ---- special bags ------------------------------------------------------- */

static void bags_check(struct ppim_dev *d, struct ppim_test_job *job)
{
	struct ppim_test_batch *b;
	uint32_t way;

	for (way = 0; way < 8; way++) {
		job->mode = way % 3;
		job->index_bytes = way & 4 ? 4 : 8;
		b = ppim_batch_new(d, job, 1, PPIM_ARCH_BGPIM);
		ppim_batch_check(d, b);
		ppim_batch_free(b);
	}
}

static struct ppim_test_table *small_table(struct ppim_dev *d)
{
	struct ppim_shape shape = ppim_shape_dense(40, 20);

	return ppim_table_new(d, &shape, 3, PPIM_LAYOUT_STRIPED,
			      PPIM_LAYOUT_ONE);
}

/* Neither an index nor a buffer for them. */
static void test_all_bags_empty(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_job job;

	ppim_job_random(&job, t, 7, 0, 1);
	g_assert_cmpuint(job.n_indices, ==, 0);
	bags_check(d, &job);
	ppim_job_free(&job);
	ppim_table_free(t);
}

static void test_all_padding(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_job job;
	uint32_t i;

	ppim_job_random(&job, t, 5, 6, 2);
	for (i = 0; i < job.n_indices; i++)
		job.indices[i] = 11;
	job.flags = PPIM_JOBF_PADDING;
	job.padding = 11;
	bags_check(d, &job);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* The padding index counts for nothing, in range or not. */
static void test_padding_out_of_range(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_job job;

	ppim_job_random(&job, t, 5, 9, 3);
	job.flags = PPIM_JOBF_PADDING;
	job.padding = -7;
	job.indices[0] = job.indices[3] = -7;
	bags_check(d, &job);
	ppim_job_free(&job);
	ppim_table_free(t);
}

static void test_one_large_bag(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_job job;

	ppim_job_random(&job, t, 1, 20000, 4);
	bags_check(d, &job);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* MAX of negative rows is negative: it does not start at zero. */
static void test_max_of_negatives(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	float *v = (float *)t->sub[0].bytes;
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	uint64_t row, e;

	for (row = 0; row < 40; row++) {
		for (e = 0; e < 20; e++)
			v[row * 20 + e] = -fabsf(v[row * 20 + e]) - 1;
		ppim_put(d, ppim_table_row_addr(d, t, 0, row), v + row * 20,
			 80);
	}
	ppim_job_random(&job, t, 6, 9, 5);
	job.mode = PPIM_MODE_MAX;
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_batch_check(d, b);
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* The comparison notices one bit of one row: a sign. */
static void test_corrupted_row(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	uint64_t addr;
	uint8_t byte;

	ppim_job_random(&job, t, 5, 9, 3);
	addr = ppim_table_row_addr(d, t, 0, job.indices[4]) + 3;
	byte = qtest_readb(d->qts, addr) ^ 0x80;
	qtest_writeb(d->qts, addr, byte);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_run(d, &d->io, b->sqe);
	g_assert_false(ppim_batch_matches(d, b));
	qtest_writeb(d->qts, addr, byte ^ 0x80);
	ppim_run(d, &d->io, b->sqe);
	g_assert_true(ppim_batch_matches(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* Batches of many tables, all that the device takes. */
static void test_most_tables(struct ppim_dev *d, const void *arg)
{
	uint32_t most = ppim_readl(d, PPIM_REG_MAX_TABLES), i;
	struct ppim_test_table *t = small_table(d);
	struct ppim_test_batch *one;
	struct ppim_hw_job *hw = g_new0(struct ppim_hw_job, most + 1);
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;
	struct ppim_hw_sqe sqe;
	uint64_t at = ppim_alloc(d, (most + 1) * sizeof(*hw));

	ppim_job_random(&job, t, 2, 5, 6);
	one = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	for (i = 0; i <= most; i++)
		hw[i] = one->hw[0];
	ppim_put(d, at, hw, (most + 1) * sizeof(*hw));
	sqe = one->sqe;
	sqe.gnr.jobs = cpu_to_le64(at);
	sqe.gnr.n_jobs = cpu_to_le32(most + 1);
	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_TOO_LARGE, most);
	g_assert_true(ppim_batch_untouched(d, one));
	sqe.gnr.n_jobs = cpu_to_le32(most);
	cqe = ppim_run(d, &d->io, sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_verify(d, one);
	g_assert_cmpuint(ppim_batch_annotation(d, one).lookups, ==,
			 (uint64_t)most * job.n_indices);
	ppim_batch_free(one);
	ppim_job_free(&job);
	ppim_table_free(t);
	g_free(hw);
}

/* A table that is changed between batches, its epoch with it. */
static void test_new_epoch(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_qr(100, 16, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 1,
						   PPIM_LAYOUT_ONE,
						   PPIM_LAYOUT_ONE);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	float *q = (float *)t->sub[PPIM_SUB_Q].bytes;
	uint32_t round, i;

	ppim_job_random(&job, t, 4, 20, 2);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 16 * 25; i++)
			q[i] += 1;
		for (i = 0; i < 25; i++)
			ppim_put(d, ppim_table_row_addr(d, t, PPIM_SUB_Q, i),
				 q + 16 * i, 64);
		t->hw.epoch = cpu_to_le32(round + 2);
		ppim_table_send(d, t);
		b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
		ppim_batch_check(d, b);
		ppim_batch_free(b);
	}
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* ---- WRITE and READ ----------------------------------------------------- */

struct copy_case {
	const char *name;
	uint8_t tier;
	uint32_t bytes;
	bool scattered;
};

static const struct copy_case copies[] = {
	{ "hbm", PPIM_TIER_HBM, 5000, false },
	{ "dimm", PPIM_TIER_DIMM, 70001, false },
	{ "hbm-scattered", PPIM_TIER_HBM, 400, true },
	{ "one-byte", PPIM_TIER_DIMM, 1, false },
};

static struct ppim_hw_sqe copy_sqe(uint8_t opcode, const struct copy_case *c,
				   uint64_t addr, uint32_t n_sg)
{
	return (struct ppim_hw_sqe){
		.opcode = opcode,
		.copy.data.addr = cpu_to_le64(addr),
		.copy.data.bytes = cpu_to_le64(c->bytes),
		.copy.data.n_sg = cpu_to_le32(n_sg),
		.copy.tier = c->tier,
		.copy.slice = cpu_to_le16(c->tier == PPIM_TIER_HBM ? 3 : 0),
		.copy.offset = cpu_to_le64(4099),
	};
}

/* Two entries for the halves of a buffer, in the order of addresses. */
static uint64_t halves_sg(struct ppim_dev *d, uint64_t addr, uint32_t bytes)
{
	struct ppim_hw_sg sg[2] = {
		{ cpu_to_le64(addr), cpu_to_le32(bytes / 2), 0 },
		{ cpu_to_le64(addr + bytes / 2),
		  cpu_to_le32(bytes - bytes / 2), 0 },
	};
	uint64_t at = ppim_alloc(d, sizeof(sg));

	ppim_put(d, at, sg, sizeof(sg));
	return at;
}

static void test_copy(struct ppim_dev *d, const void *arg)
{
	const struct copy_case *c = arg;
	uint64_t tier = c->tier == PPIM_TIER_DIMM ? PPIM_TEST_DIMM :
			PPIM_TEST_HBM + 3 * d->slice_bytes;
	uint64_t from = ppim_alloc(d, c->bytes), to = ppim_alloc(d, c->bytes);
	g_autofree uint8_t *data = g_malloc(c->bytes);
	g_autofree uint8_t *got = g_malloc(c->bytes);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < c->bytes; i++)
		data[i] = ppim_random(77, i);
	ppim_put(d, from, data, c->bytes);
	cqe = ppim_run(d, &d->io,
		       copy_sqe(PPIM_OP_WRITE, c, c->scattered ?
				halves_sg(d, from, c->bytes) : from,
				c->scattered ? 2 : 0));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_get(d, tier + 4099, got, c->bytes);
	g_assert_cmpmem(got, c->bytes, data, c->bytes);
	cqe = ppim_run(d, &d->io,
		       copy_sqe(PPIM_OP_READ, c, c->scattered ?
				halves_sg(d, to, c->bytes) : to,
				c->scattered ? 2 : 0));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_get(d, to, got, c->bytes);
	g_assert_cmpmem(got, c->bytes, data, c->bytes);
}

/* ---- registration ------------------------------------------------------- */

static void matrix_register(void)
{
	static struct answer_case cases[N(shapes)][N(layouts)];
	g_autofree char *name = NULL;
	uint32_t s, l;

	for (s = 0; s < N(shapes); s++) {
		for (l = 0; l < N(layouts); l++) {
			cases[s][l] = (struct answer_case){
				&shapes[s], layouts[l].main, layouts[l].shared
			};
			g_free(name);
			name = g_strdup_printf("answers-%s/%s", layouts[l].name,
					       shapes[s].name);
			ppim_add_test(name, test_answers, &cases[s][l]);
		}
		g_free(name);
		name = g_strdup_printf("answers-presets/%s", shapes[s].name);
		ppim_add_test(name, test_presets, &shapes[s]);
		g_free(name);
		name = g_strdup_printf("answers/%s", shapes[s].name);
		ppim_add_variant_test(name, test_variant, &shapes[s]);
	}
}

static void register_tests(void)
{
	g_autofree char *name = NULL;
	uint32_t i;

	matrix_register();
	for (i = 0; i < N(copies); i++) {
		g_free(name);
		name = g_strdup_printf("copy/%s", copies[i].name);
		ppim_add_test(name, test_copy, &copies[i]);
	}
	ppim_add_test("bags/all-empty", test_all_bags_empty, NULL);
	ppim_add_test("bags/all-padding", test_all_padding, NULL);
	ppim_add_test("bags/padding-out-of-range", test_padding_out_of_range,
		      NULL);
	ppim_add_test("bags/one-large", test_one_large_bag, NULL);
	ppim_add_test("bags/max-of-negatives", test_max_of_negatives, NULL);
	ppim_add_test("bags/corrupted-row-is-noticed", test_corrupted_row,
		      NULL);
	ppim_add_test("batch/most-tables", test_most_tables, NULL);
	ppim_add_test("batch/new-epoch", test_new_epoch, NULL);
}

libqos_init(register_tests);
