// SPDX-License-Identifier: GPL-2.0-only
/* Batches: jobs with their buffers, sent, answered, compared. */

#include "qemu/osdep.h"
#include "ppim-qtest.h"

#define SG_ARRAY	4	/* entries of one array, the chain entry included */
#define SG_PIECE	52	/* bytes of a data entry: no multiple of anything */
#define GUARD		64	/* bytes behind each output that must stay */

/* ---- jobs --------------------------------------------------------------- */

void ppim_job_random(struct ppim_test_job *job, struct ppim_test_table *table,
		     uint32_t n_bags, uint32_t pooling, uint64_t seed)
{
	uint32_t b, i;

	*job = (struct ppim_test_job){ .table = table, .n_bags = n_bags,
				       .index_bytes = 8, .padding = -1 };
	job->offsets = g_new(int64_t, n_bags);
	job->indices = g_new(int64_t, n_bags * pooling);
	job->weights = g_new(float, n_bags * pooling);
	for (b = 0; b < n_bags; b++) {
		job->offsets[b] = job->n_indices;
		job->n_indices += ppim_random(seed, b) % (pooling + 1);
	}
	for (i = 0; i < job->n_indices; i++) {
		job->indices[i] = ppim_random(seed + 1, i) % table->shape.rows;
		job->weights[i] = (int32_t)ppim_random(seed + 2, i) * 0x1p-30f;
	}
}

void ppim_job_free(struct ppim_test_job *job)
{
	g_free(job->offsets);
	g_free(job->indices);
	g_free(job->weights);
}

/* ---- buffers ------------------------------------------------------------ */

/* Arrays of SG_ARRAY entries, each but the last closed by a chain entry. */
static uint64_t sg_send(struct ppim_dev *d, GArray *segs, uint32_t *n_sg)
{
	uint32_t n = segs->len, i = 0, k;
	struct ppim_hw_sg array[SG_ARRAY];
	uint64_t first = 0, at, next;

	*n_sg = 0;
	for (at = first = ppim_alloc(d, sizeof(array)); i < n; at = next) {
		memset(array, 0, sizeof(array));
		next = 0;
		for (k = 0; k < SG_ARRAY && i < n; k++) {
			if (k == SG_ARRAY - 1 && n - i > 1) {
				next = ppim_alloc(d, sizeof(array));
				array[k].addr = cpu_to_le64(next);
				array[k].bytes = cpu_to_le32(sizeof(array));
				array[k].flags = cpu_to_le32(PPIM_SG_CHAIN);
			} else {
				array[k] = g_array_index(segs,
							 struct ppim_hw_sg, i);
				i++;
			}
			(*n_sg)++;
		}
		ppim_put(d, at, array, sizeof(array));
	}
	return first;
}

/* Pieces of guest memory, a guard behind each. */
static GArray *segs_new(struct ppim_dev *d, uint64_t bytes, uint64_t piece)
{
	GArray *segs = g_array_new(false, true, sizeof(struct ppim_hw_sg));
	struct ppim_hw_sg sg = { 0 };
	uint64_t at, n;

	for (at = 0; at < bytes; at += n) {
		n = MIN(piece, bytes - at);
		sg.addr = cpu_to_le64(guest_alloc(d->alloc, n + GUARD));
		sg.bytes = cpu_to_le32(n);
		ppim_fill(d, le64_to_cpu(sg.addr), n + GUARD);
		g_array_append_val(segs, sg);
	}
	return segs;
}

static void buf_describe(struct ppim_dev *d, struct ppim_hw_buf *hw,
			 GArray *segs, uint64_t bytes, bool scattered)
{
	uint32_t n_sg = 0;

	hw->bytes = cpu_to_le64(bytes);
	if (!segs->len)
		return;
	if (scattered)
		hw->addr = cpu_to_le64(sg_send(d, segs, &n_sg));
	else
		hw->addr = g_array_index(segs, struct ppim_hw_sg, 0).addr;
	hw->n_sg = cpu_to_le32(n_sg);
}

static void segs_put(struct ppim_dev *d, GArray *segs, const uint8_t *data)
{
	const struct ppim_hw_sg *sg;
	uint32_t i;

	for (i = 0; i < segs->len; i++) {
		sg = &g_array_index(segs, struct ppim_hw_sg, i);
		ppim_put(d, le64_to_cpu(sg->addr), data,
			 le32_to_cpu(sg->bytes));
		data += le32_to_cpu(sg->bytes);
	}
}

static void input_send(struct ppim_dev *d, struct ppim_hw_buf *hw,
		       const void *data, uint64_t bytes, bool scattered)
{
	GArray *segs = segs_new(d, bytes, scattered ? SG_PIECE : bytes);

	segs_put(d, segs, data);
	buf_describe(d, hw, segs, bytes, scattered);
	g_array_free(segs, true);
}

static void numbers_send(struct ppim_dev *d, struct ppim_hw_buf *hw,
			 const int64_t *v, uint32_t n,
			 const struct ppim_test_job *job)
{
	g_autofree int32_t *narrow = g_new(int32_t, n + 1);
	uint32_t i;

	for (i = 0; i < n; i++)
		narrow[i] = (int32_t)v[i];
	input_send(d, hw, job->index_bytes == 4 ? (const void *)narrow : v,
		   (uint64_t)n * job->index_bytes, job->scattered);
}

/* ---- batches ------------------------------------------------------------ */

static uint64_t output_bytes(const struct ppim_test_job *job)
{
	return (uint64_t)job->n_bags * job->table->shape.dim * sizeof(float);
}

static void job_describe(struct ppim_dev *d, struct ppim_test_batch *b,
			 uint32_t i)
{
	const struct ppim_test_job *job = &b->job[i];
	struct ppim_hw_job *hw = &b->hw[i];

	hw->table = cpu_to_le64(job->table->addr);
	hw->n_indices = cpu_to_le32(job->n_indices);
	hw->n_bags = cpu_to_le32(job->n_bags);
	hw->mode = job->mode;
	hw->index_bytes = job->index_bytes;
	hw->flags = job->flags;
	if (job->flags & PPIM_JOBF_PADDING)
		hw->padding_index = cpu_to_le64(job->padding);
	numbers_send(d, &hw->indices, job->indices, job->n_indices, job);
	numbers_send(d, &hw->offsets, job->offsets, job->n_bags, job);
	if (job->flags & PPIM_JOBF_WEIGHTS)
		input_send(d, &hw->weights, job->weights,
			   job->n_indices * sizeof(float), job->scattered);
	b->output_segs[i] = segs_new(d, output_bytes(job), job->scattered ?
				     SG_PIECE : output_bytes(job));
	buf_describe(d, &hw->output, b->output_segs[i], output_bytes(job),
		     job->scattered);
}

struct ppim_test_batch *ppim_batch_new(struct ppim_dev *d,
				       const struct ppim_test_job *jobs,
				       uint32_t n_jobs, enum ppim_arch arch)
{
	struct ppim_test_batch *b = g_new0(struct ppim_test_batch, 1);
	uint32_t i;

	g_assert_cmpuint(n_jobs, <=, PPIM_TEST_JOBS);
	b->n_jobs = n_jobs;
	for (i = 0; i < n_jobs; i++) {
		b->job[i] = jobs[i];
		job_describe(d, b, i);
	}
	b->jobs_addr = ppim_alloc(d, sizeof(b->hw));
	b->annotation_addr = ppim_alloc(d, sizeof(struct ppim_annotation));
	ppim_fill(d, b->annotation_addr, sizeof(struct ppim_annotation));
	b->sqe.opcode = PPIM_OP_GNR;
	b->sqe.gnr.jobs = cpu_to_le64(b->jobs_addr);
	b->sqe.gnr.n_jobs = cpu_to_le32(n_jobs);
	b->sqe.gnr.arch = arch;
	b->sqe.gnr.annotation = cpu_to_le64(b->annotation_addr);
	ppim_batch_send(d, b);
	return b;
}

void ppim_batch_send(struct ppim_dev *d, struct ppim_test_batch *b)
{
	ppim_put(d, b->jobs_addr, b->hw, b->n_jobs * sizeof(b->hw[0]));
}

void ppim_batch_free(struct ppim_test_batch *b)
{
	uint32_t i;

	for (i = 0; i < b->n_jobs; i++)
		g_array_free(b->output_segs[i], true);
	g_free(b);
}

/* The pieces of an output put together; false if a guard was written. */
static bool output_get(struct ppim_dev *d, const struct ppim_test_batch *b,
		       uint32_t i, uint8_t *out)
{
	GArray *segs = b->output_segs[i];
	const struct ppim_hw_sg *sg;
	bool guarded = true;
	uint64_t addr;
	uint32_t k, n;

	for (k = 0; k < segs->len; k++) {
		sg = &g_array_index(segs, struct ppim_hw_sg, k);
		addr = le64_to_cpu(sg->addr);
		n = le32_to_cpu(sg->bytes);
		ppim_get(d, addr, out, n);
		guarded &= ppim_untouched(d, addr + n, GUARD);
		out += n;
	}
	return guarded;
}

/* First element whose bits differ, or n. */
static size_t first_difference(const float *a, const float *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memcmp(&a[i], &b[i], sizeof(a[i])))
			break;
	return i;
}

/* Is output i that of plain C, to the bit? Says where it is not. */
static bool output_matches(struct ppim_dev *d, const struct ppim_test_batch *b,
			   uint32_t i)
{
	size_t n = output_bytes(&b->job[i]) / sizeof(float), e;
	uint32_t dim = b->job[i].table->shape.dim;
	g_autofree float *want = g_new(float, n);
	g_autofree float *got = g_new(float, n);

	ppim_reference(&b->job[i], want);
	if (!output_get(d, b, i, (uint8_t *)got)) {
		g_test_message("job %u: written behind the output's end", i);
		return false;
	}
	e = first_difference(want, got, n);
	if (e == n)
		return true;
	g_test_message("job %u, bag %zu, element %zu: %a, want %a", i, e / dim,
		       e % dim, got[e], want[e]);
	return false;
}

bool ppim_batch_matches(struct ppim_dev *d, const struct ppim_test_batch *b)
{
	bool all = true;
	uint32_t i;

	for (i = 0; i < b->n_jobs; i++)
		all &= output_matches(d, b, i);
	return all;
}

void ppim_batch_verify(struct ppim_dev *d, const struct ppim_test_batch *b)
{
	g_assert_true(ppim_batch_matches(d, b));
}

bool ppim_batch_untouched(struct ppim_dev *d, const struct ppim_test_batch *b)
{
	const struct ppim_hw_sg *sg;
	uint32_t i, k;

	for (i = 0; i < b->n_jobs; i++) {
		for (k = 0; k < b->output_segs[i]->len; k++) {
			sg = &g_array_index(b->output_segs[i],
					    struct ppim_hw_sg, k);
			if (!ppim_untouched(d, le64_to_cpu(sg->addr),
					    le32_to_cpu(sg->bytes) + GUARD))
				return false;
		}
	}
	return ppim_untouched(d, b->annotation_addr,
			      sizeof(struct ppim_annotation));
}

struct ppim_annotation ppim_batch_annotation(struct ppim_dev *d,
					     const struct ppim_test_batch *b)
{
	struct ppim_annotation note;

	ppim_get(d, b->annotation_addr, &note, sizeof(note));
	return note;
}

struct ppim_annotation ppim_batch_check(struct ppim_dev *d,
					struct ppim_test_batch *b)
{
	struct ppim_hw_cqe cqe = ppim_run(d, &d->io, b->sqe);

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	g_assert_cmpuint(cqe.table, ==, 0);
	g_assert_cmpuint(cqe.bag, ==, 0);
	ppim_batch_verify(d, b);
	return ppim_batch_annotation(d, b);
}

void ppim_assert_works(struct ppim_dev *d)
{
	struct ppim_shape shape = ppim_shape_qr(100, 16, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 4711,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_COPIES);
	struct ppim_test_job job;
	struct ppim_test_batch *b;

	ppim_job_random(&job, t, 4, 10, 99);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_DEFAULT);
	ppim_batch_check(d, b);
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}
