// SPDX-License-Identifier: MIT
/*
 * libppim on the device that PPIM_TEST_DEVICE names, or on the CPU path: the
 * same tests on both, against the answers of ppim_cpu_gnr(). tests/guest runs
 * them on /dev/ppim, where contexts go by io_uring or (PPIM_TEST_URING=0) not,
 * with some that only a device can fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <numaif.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "plan.h"
#include "ppim.h"

#define ROWS 500
#define DIM 32
#define N_BAGS 7
#define N_INDICES 300

static const char *path = PPIM_DEV_CPU;

struct fixture {
	struct ppim_dev *dev;
	struct ppim_info info;
};

static int fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || ppim_open(path, &f->dev))
		return -1;
	return ppim_info(f->dev, &f->info);
}

/* Whatever a test did, nothing is left on the device. */
static int fixture_close(void **state)
{
	struct fixture *f = *state;
	struct ppim_info now;
	struct ppim_dev *dev;
	int left;

	ppim_close(f->dev);
	if (ppim_open(path, &dev))
		return -1;
	left = ppim_info(dev, &now) ||
	       now.dev.hbm_free != f->info.dev.hbm_free ||
	       now.dev.dimm_free != f->info.dev.dimm_free;
	ppim_close(dev);
	free(f);
	return left;
}

/* ---- tables with contents ---- */

static uint32_t draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

struct table {
	struct ppim_shape shape;
	struct ppim_tbl *tbl;
	void *sub[PPIM_MAX_SUBTABLES];
	struct ppim_rows rows;
};

static void sub_fill(struct table *t, uint32_t s)
{
	uint64_t elems = ppim_shape_elems(&t->shape, s), i, e;
	uint64_t bytes = ppim_shape_row_bytes(&t->shape, s);
	uint64_t n = ppim_shape_rows(&t->shape, s);
	uint32_t seed = s + 1;
	float *row = malloc(elems * sizeof(*row));

	t->sub[s] = malloc(n * bytes);
	assert_true(row && t->sub[s]);
	for (i = 0; i < n; i++) {
		for (e = 0; e < elems; e++)
			row[e] = (float)draw(&seed) / (1 << 23) - 1;
		ppim_row_encode(t->shape.dtype, row, elems,
				(char *)t->sub[s] + i * bytes);
	}
	free(row);
	t->rows.base[s] = t->sub[s];
}

static void table_make(struct fixture *f, const struct ppim_shape *shape,
		       struct table *t)
{
	uint32_t s;

	*t = (struct table){ .shape = *shape };
	assert_int_equal(ppim_table_create(f->dev, shape, "users", &t->tbl), 0);
	assert_int_equal(ppim_place_auto(f->dev, &t->tbl, 1, NULL, NULL, NULL,
					 NULL), 0);
	for (s = 0; s < ppim_shape_subtables(shape); s++) {
		sub_fill(t, s);
		assert_int_equal(ppim_upload(t->tbl, s, 0,
					     ppim_shape_rows(shape, s),
					     t->sub[s]), 0);
	}
}

static void table_free(struct table *t)
{
	uint32_t s;

	assert_int_equal(ppim_table_destroy(t->tbl), 0);
	for (s = 0; s < PPIM_MAX_SUBTABLES; s++)
		free(t->sub[s]);
}

static const struct ppim_shape shapes[] = {
	{ .rows = ROWS, .dim = DIM },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_QR, .collisions = 4 },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_QR, .collisions = 7,
	  .combine = PPIM_COMBINE_ADD },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .combine = PPIM_COMBINE_CONCAT },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .qr_order = PPIM_QR_POOLED },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_QR, .collisions = 4,
	  .combine = PPIM_COMBINE_ADD, .qr_order = PPIM_QR_POOLED },
	{ .rows = ROWS, .dim = DIM, .algo = PPIM_ALGO_TT, .tt_p = { 8, 8, 8 },
	  .tt_q = { 2, 4, 4 }, .tt_r = { 4, 8 } },
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* ---- bags ---- */

/* Empty ones at both ends and in the middle. */
static const int starts[N_BAGS + 1] = { 0, 0, 1, 81, 81, 160, N_INDICES,
					N_INDICES };

struct batch {
	union {
		int32_t narrow[N_INDICES];
		int64_t wide[N_INDICES];
	} index;
	union {
		int32_t narrow[N_BAGS + 1];
		int64_t wide[N_BAGS + 1];
	} offset;
	float weight[N_INDICES];
	float out[N_BAGS * DIM];
	struct ppim_bags bags;
	struct ppim_gnr gnr;
};

static void batch_make(struct batch *b, struct ppim_tbl *t, uint8_t width,
		       uint32_t seed)
{
	int i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < N_INDICES; i++) {
		b->weight[i] = (float)draw(&seed) / (1 << 24) - 0.5f;
		if (width == 4)
			b->index.narrow[i] = (int32_t)(draw(&seed) % ROWS);
		else
			b->index.wide[i] = (int64_t)(draw(&seed) % ROWS);
	}
	for (i = 0; i <= N_BAGS; i++) {
		if (width == 4)
			b->offset.narrow[i] = starts[i];
		else
			b->offset.wide[i] = starts[i];
	}
	b->bags = (struct ppim_bags){ .table = t, .indices = &b->index,
				      .offsets = &b->offset, .output = b->out,
				      .n_indices = N_INDICES, .n_bags = N_BAGS,
				      .index_bytes = width };
	b->gnr = (struct ppim_gnr){ .bags = &b->bags, .n_tables = 1 };
}

static void cpu_answer(const struct table *t, const struct batch *b, float *out)
{
	struct ppim_bags bags = b->bags;

	bags.output = out;
	assert_int_equal(ppim_cpu_gnr(&t->shape, &t->rows, &bags, 1, NULL), 0);
}

static void batch_check(const struct table *t, const struct batch *b)
{
	float want[N_BAGS * DIM];

	cpu_answer(t, b, want);
	assert_memory_equal(b->out, want, sizeof(want));
}

static void batch_run(struct fixture *f, const struct table *t, struct batch *b)
{
	struct ppim_ioc_result r;
	char line[256] = "";
	int ret;

	memset(b->out, 0x55, sizeof(b->out));
	ret = ppim_gnr(f->dev, &b->gnr, &r);
	if (ret) {
		ppim_strerror_result(&b->gnr, &r, line, sizeof(line));
		fail_msg("%s: %s", strerror(-ret), line);
	}
	batch_check(t, b);
}

/* All modes, with and without weights, padding and the last offset. */
static void variants_run(struct fixture *f, const struct table *t,
			 uint8_t width)
{
	struct batch b;
	int mode, weighted, padded;

	batch_make(&b, t->tbl, width, t->shape.algo + width);
	for (mode = PPIM_MODE_SUM; mode <= PPIM_MODE_MAX; mode++)
		for (weighted = 0; weighted <= !mode; weighted++)
			for (padded = 0; padded < 2; padded++) {
				b.bags.mode = (uint8_t)mode;
				b.bags.weights = weighted ? b.weight : NULL;
				b.bags.flags = padded ? PPIM_BAGS_PADDING :
							PPIM_BAGS_LAST_OFFSET;
				b.bags.padding_index = width == 4 ?
					b.index.narrow[2] : b.index.wide[2];
				batch_run(f, t, &b);
			}
}

static void bags_of_every_kind_are_the_cpu_paths_to_the_bit(void **state)
{
	struct fixture *f = *state;
	struct ppim_shape shape;
	struct table t;
	size_t i;
	uint8_t dtype;

	for (i = 0; i < N_SHAPES; i++)
		for (dtype = 0; dtype <= PPIM_DTYPE_INT8; dtype++) {
			if (!(f->info.dev.dtypes & 1u << dtype))
				continue;
			shape = shapes[i];
			shape.dtype = dtype;
			table_make(f, &shape, &t);
			variants_run(f, &t, 4);
			variants_run(f, &t, 8);
			table_free(&t);
		}
}

static void presets_give_the_same_bits(void **state)
{
	struct fixture *f = *state;
	uint32_t arch, seen = 0;
	struct table t;
	struct batch b;
	size_t i;

	for (i = 0; i < N_SHAPES; i++) {
		table_make(f, &shapes[i], &t);
		batch_make(&b, t.tbl, 8, 3);
		for (arch = 1; arch < PPIM_ARCH_COUNT; arch++) {
			if (!(f->info.dev.archs & 1u << arch))
				continue;
			b.gnr.arch = arch;
			batch_run(f, &t, &b);
			seen++;
		}
		table_free(&t);
	}
	assert_true(seen >= N_SHAPES);
}

/* ---- errors ---- */

static void fails(struct fixture *f, struct batch *b, int want,
		  const char *line)
{
	struct ppim_ioc_result r;
	float before[N_BAGS * DIM];
	char buf[256];

	memset(b->out, 0x55, sizeof(b->out));
	memcpy(before, b->out, sizeof(before));
	assert_int_equal(ppim_gnr(f->dev, &b->gnr, &r), want);
	ppim_strerror_result(&b->gnr, &r, buf, sizeof(buf));
	assert_string_equal(buf, line);
	assert_memory_equal(b->out, before, sizeof(before));
}

static void errors_have_the_same_words_everywhere(void **state)
{
	struct fixture *f = *state;
	struct ppim_tbl *bare;
	struct table t;
	struct batch b;

	table_make(f, &shapes[1], &t);
	batch_make(&b, t.tbl, 8, 1);
	b.index.wide[100] = ROWS;
	fails(f, &b, -ERANGE, "table users bag 4: index 500 is outside 0..499");
	b.index.wide[100] = INT64_MIN;
	fails(f, &b, -ERANGE,
	      "table users bag 4: index -9223372036854775808 is outside 0..499");
	batch_make(&b, t.tbl, 4, 1);
	b.index.narrow[0] = -1;
	fails(f, &b, -ERANGE, "table users bag 1: index -1 is outside 0..499");
	batch_make(&b, t.tbl, 4, 1);
	b.offset.narrow[2] = 82;
	fails(f, &b, -ERANGE,
	      "table users: the offset of bag 3 is below that of the bag before it, or above the number of indices");
	batch_make(&b, t.tbl, 4, 1);
	b.offset.narrow[0] = 1;
	fails(f, &b, -ERANGE, "table users: the offset of bag 0 is not 0");
	batch_make(&b, t.tbl, 4, 1);
	b.bags.flags = PPIM_BAGS_LAST_OFFSET;
	b.offset.narrow[N_BAGS]--;
	fails(f, &b, -ERANGE,
	      "table users: the last offset is not the number of indices, 300");
	batch_make(&b, t.tbl, 4, 1);
	b.bags.n_bags = 0;
	fails(f, &b, -EINVAL, "table users: there are no bags");
	batch_make(&b, t.tbl, 4, 1);
	b.gnr.arch = PPIM_ARCH_PROACTIVE_PLUS;
	fails(f, &b, -EOPNOTSUPP,
	      "preset proactive+ is not one of the device's");
	assert_int_equal(ppim_table_create(f->dev, &shapes[1], "bare", &bare),
			 0);
	batch_make(&b, bare, 4, 1);
	fails(f, &b, -ENODATA, "table bare: a subtable is not placed");
	assert_int_equal(ppim_table_destroy(bare), 0);
	batch_make(&b, t.tbl, 4, 1);
	batch_run(f, &t, &b);
	table_free(&t);
}

/* Two tables of two thirds of all memory each. */
static void a_full_device_says_so_and_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	const struct ppim_ioc_info *dev = &f->info.dev;
	struct ppim_shape shape = { .dim = PPIM_MAX_DIM };
	struct ppim_plan_error err = { "" };
	struct ppim_tbl *first, *second;
	struct ppim_info before, after;

	shape.rows = (dev->hbm_free + dev->dimm_free) / 3 * 2 /
		     (PPIM_MAX_DIM * 4);
	assert_int_equal(ppim_table_create(f->dev, &shape, "first", &first), 0);
	assert_int_equal(ppim_table_create(f->dev, &shape, "second", &second),
			 0);
	assert_int_equal(ppim_place_auto(f->dev, &first, 1, NULL, NULL, NULL,
					 &err), 0);
	ppim_info(f->dev, &before);
	assert_int_equal(ppim_place_auto(f->dev, &second, 1, NULL, NULL, NULL,
					 &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "do not fit"));
	ppim_info(f->dev, &after);
	assert_int_equal(after.dev.hbm_free, before.dev.hbm_free);
	assert_int_equal(after.dev.dimm_free, before.dev.dimm_free);
	assert_int_equal(ppim_table_destroy(first), 0);
	assert_int_equal(ppim_place_auto(f->dev, &second, 1, NULL, NULL, NULL,
					 &err), 0);
	assert_int_equal(ppim_table_destroy(second), 0);
}

/* ---- in flight ---- */

#define IN_FLIGHT 16

static void take(struct ppim_ctx *ctx, const struct table *t,
		 struct batch **slot, unsigned int *left)
{
	struct ppim_completion c[IN_FLIGHT];
	int i, n = ppim_wait(ctx, c, IN_FLIGHT, -1);

	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(c[i].res, 0);
		assert_int_equal(c[i].result.annotation.lookups, N_INDICES);
		batch_check(t, slot[c[i].user_data]);
		memset(slot[c[i].user_data]->out, 0x55, sizeof(slot[0]->out));
		*left &= ~(1u << c[i].user_data);
	}
}

/* Half of the batches lie in staging buffers, half in plain memory. */
static void many_batches_are_in_flight(void **state)
{
	struct batch *slot[IN_FLIGHT], plain[IN_FLIGHT / 2];
	struct fixture *f = *state;
	struct ppim_ctx *ctx;
	unsigned int busy = 0, k, i;
	struct table t;
	void *p;

	table_make(f, &shapes[6], &t);
	for (i = 0; i < IN_FLIGHT; i++) {
		if (i % 2) {
			slot[i] = &plain[i / 2];
			continue;
		}
		assert_int_equal(ppim_buf_alloc(f->dev, sizeof(**slot), &p), 0);
		slot[i] = p;
	}
	assert_int_equal(ppim_ctx_create(f->dev, IN_FLIGHT, &ctx), 0);
	for (k = 0; k < 100; k++) {
		while (busy == (1u << IN_FLIGHT) - 1)
			take(ctx, &t, slot, &busy);
		i = (unsigned int)__builtin_ctz(~busy);
		batch_make(slot[i], t.tbl, k & 1 ? 4 : 8, k);
		assert_int_equal((k % 3 ? ppim_submit_more : ppim_submit)(
				ctx, &slot[i]->gnr, i), 0);
		busy |= 1u << i;
	}
	while (busy)
		take(ctx, &t, slot, &busy);
	assert_int_equal(ppim_inflight(ctx), 0);
	ppim_ctx_free(ctx);
	for (i = 0; i < IN_FLIGHT; i += 2)
		assert_int_equal(ppim_buf_free(f->dev, slot[i]), 0);
	table_free(&t);
}

/* Batches of several threads in one context, taken by another. */
#define SUBMITTERS 3
#define EACH 20

struct submitter {
	struct ppim_ctx *ctx;
	struct batch *batch;
	pthread_barrier_t *end;
	unsigned int number;
	int ret;
};

static void *submitter_run(void *arg)
{
	struct submitter *s = arg;
	unsigned int i;

	for (i = 0; !s->ret && i < EACH; i++)
		s->ret = ppim_submit(s->ctx, &s->batch[i].gnr,
				     s->number * EACH + i);
	/* io_uring cancels what a thread that ends has in flight */
	pthread_barrier_wait(s->end);
	return NULL;
}

static void threads_submit_and_another_takes(void **state)
{
	struct fixture *f = *state;
	struct batch *batch = calloc(SUBMITTERS * EACH, sizeof(*batch));
	struct submitter s[SUBMITTERS];
	pthread_t thread[SUBMITTERS];
	struct ppim_completion c;
	pthread_barrier_t end;
	struct ppim_ctx *ctx;
	struct table t;
	int i, ret, n = 0;

	assert_non_null(batch);
	table_make(f, &shapes[1], &t);
	for (i = 0; i < SUBMITTERS * EACH; i++)
		batch_make(&batch[i], t.tbl, 8, (uint32_t)i);
	assert_int_equal(ppim_ctx_create(f->dev, SUBMITTERS * EACH, &ctx), 0);
	pthread_barrier_init(&end, NULL, SUBMITTERS + 1);
	for (i = 0; i < SUBMITTERS; i++) {
		s[i] = (struct submitter){ ctx, batch + i * EACH, &end,
					   (unsigned int)i, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, submitter_run,
						&s[i]), 0);
	}
	while (n < SUBMITTERS * EACH) {
		ret = ppim_wait(ctx, &c, 1, 1000000000);
		if (ret == -ENOENT)
			continue; /* nobody has begun */
		assert_int_equal(ret, 1);
		assert_int_equal(c.res, 0);
		batch_check(&t, &batch[c.user_data]);
		n++;
	}
	pthread_barrier_wait(&end);
	for (i = 0; i < SUBMITTERS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(s[i].ret, 0);
	}
	pthread_barrier_destroy(&end);
	ppim_ctx_free(ctx);
	table_free(&t);
	free(batch);
}

static void a_context_ends_with_work_in_flight(void **state)
{
	struct fixture *f = *state;
	struct batch b[8];
	struct ppim_ctx *ctx;
	struct table t;
	int i;

	table_make(f, &shapes[1], &t);
	assert_int_equal(ppim_ctx_create(f->dev, 8, &ctx), 0);
	for (i = 0; i < 8; i++) {
		batch_make(&b[i], t.tbl, 8, (uint32_t)i);
		assert_int_equal(ppim_submit_more(ctx, &b[i].gnr, 0), 0);
	}
	ppim_ctx_free(ctx);
	for (i = 0; i < 8; i++)
		batch_check(&t, &b[i]);
	table_free(&t);
}

/* ---- of a device alone ---- */

static void contexts_go_the_way_that_is_asked_for(void **state)
{
	struct fixture *f = *state;
	const char *uring = getenv("PPIM_TEST_URING");

	assert_false(f->info.is_cpu);
	assert_int_equal(f->info.uring, !uring || strcmp(uring, "0"));
	assert_int_equal(!*f->info.uring_reason, f->info.uring);
}

#define NODE_PAGES 512

static void staging_buffers_lie_on_the_devices_node(void **state)
{
	struct fixture *f = *state;
	long bytes = sysconf(_SC_PAGESIZE), i;
	int status[NODE_PAGES];
	void *page[NODE_PAGES], *p;

	assert_int_equal(f->info.dev.numa_node, 1);
	assert_int_equal(ppim_buf_alloc(f->dev, (size_t)(NODE_PAGES * bytes),
					&p), 0);
	for (i = 0; i < NODE_PAGES; i++)
		page[i] = (char *)p + i * bytes;
	assert_int_equal(move_pages(0, NODE_PAGES, page, NULL, status, 0), 0);
	for (i = 0; i < NODE_PAGES; i++)
		assert_int_equal(status[i], 1);
	assert_int_equal(ppim_buf_free(f->dev, p), 0);
}

/* Batches in flight for ever, in a process of its own. */
static void busy_process(int ready)
{
	struct ppim_completion c;
	struct fixture *f;
	struct ppim_ctx *ctx;
	struct batch b[8];
	struct table t;
	void *state;
	int i;

	if (fixture_open(&state))
		_exit(1);
	f = state;
	table_make(f, &shapes[6], &t);
	if (ppim_ctx_create(f->dev, 8, &ctx))
		_exit(2);
	for (i = 0;; i++) {
		if (i >= 8 && ppim_wait(ctx, &c, 1, -1) != 1)
			_exit(3);
		batch_make(&b[i % 8], t.tbl, 8, 1);
		if (ppim_submit(ctx, &b[i % 8].gnr, 0))
			_exit(4);
		if (i == 8 && write(ready, "x", 1) != 1)
			_exit(5);
	}
}

static void a_killed_process_leaves_nothing(void **state)
{
	struct ppim_ioc_table_info info;
	struct fixture *f = *state;
	struct ppim_info now;
	int ready[2], status, ms, ring_ms = f->info.uring ? 30000 : 0;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid)
		busy_process(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(ppim_table_next(f->dev, 0, &info), 0);
	assert_int_equal(info.pid, pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	/*
	 * At once, but by io_uring: a ring holds the device file, and the
	 * kernel takes it down in a worker of its own, after the process.
	 */
	for (ms = 0; ms < ring_ms && !ppim_table_next(f->dev, 0, &info); ms++)
		usleep(1000);
	assert_int_equal(ppim_table_next(f->dev, 0, &info), -ENOENT);
	ppim_info(f->dev, &now);
	assert_int_equal(now.dev.hbm_free, f->info.dev.hbm_free);
	assert_int_equal(now.dev.dimm_free, f->info.dev.dimm_free);
	close(ready[0]);
	close(ready[1]);
}

static void *submit_and_end(void *arg)
{
	struct submitter *s = arg;

	s->ret = ppim_submit(s->ctx, &s->batch->gnr, 7);
	return NULL;
}

/* Completed or cancelled with their thread, batches come back. */
static void batches_of_a_thread_that_ended_come_back(void **state)
{
	struct fixture *f = *state;
	struct ppim_completion c;
	struct submitter s;
	struct batch b;
	pthread_t thread;
	struct table t;
	int i;

	table_make(f, &shapes[1], &t);
	batch_make(&b, t.tbl, 8, 1);
	s = (struct submitter){ .batch = &b };
	assert_int_equal(ppim_ctx_create(f->dev, 2, &s.ctx), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(pthread_create(&thread, NULL, submit_and_end,
						&s), 0);
		pthread_join(thread, NULL);
		assert_int_equal(s.ret, 0);
		assert_int_equal(ppim_wait(s.ctx, &c, 1, 10000000000), 1);
		assert_int_equal(c.user_data, 7);
		if (c.res)
			assert_int_equal(c.res, -ECANCELED);
		else
			batch_check(&t, &b);
	}
	ppim_ctx_free(s.ctx);
	table_free(&t);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		test(bags_of_every_kind_are_the_cpu_paths_to_the_bit),
		test(presets_give_the_same_bits),
		test(errors_have_the_same_words_everywhere),
		test(a_full_device_says_so_and_stays_as_it_was),
		test(many_batches_are_in_flight),
		test(threads_submit_and_another_takes),
		test(a_context_ends_with_work_in_flight),
		test(batches_of_a_thread_that_ended_come_back),
		/* the CPU path has none of these */
		test(contexts_go_the_way_that_is_asked_for),
		test(staging_buffers_lie_on_the_devices_node),
		test(a_killed_process_leaves_nothing),
	};
	size_t n = sizeof(tests) / sizeof(tests[0]);

	if (getenv("PPIM_TEST_DEVICE"))
		path = getenv("PPIM_TEST_DEVICE");
	if (!strcmp(path, PPIM_DEV_CPU))
		n -= 3;
	return _cmocka_run_group_tests("device", tests, n, NULL, NULL);
}
