// SPDX-License-Identifier: GPL-2.0-only
/* What a guest can make the device hold, whatever a command looks like. */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

#define SEGMENTS	1024	/* of 8 bytes: the indices of a job */
#define JOBS_MOST	64

/* A job whose indices lie in as many pieces as there are. */
static void job_in_pieces(struct ppim_dev *d, struct ppim_test_table *t,
			  struct ppim_hw_job *hw)
{
	g_autofree struct ppim_hw_sg *sg = g_new0(struct ppim_hw_sg, SEGMENTS);
	uint64_t list = ppim_alloc(d, SEGMENTS * sizeof(*sg));
	uint64_t data = ppim_alloc(d, SEGMENTS * 8);
	uint32_t i;

	for (i = 0; i < SEGMENTS; i++) {
		sg[i].addr = cpu_to_le64(data + 8 * i);
		sg[i].bytes = cpu_to_le32(8);
	}
	ppim_put(d, list, sg, SEGMENTS * sizeof(*sg));
	*hw = (struct ppim_hw_job){
		.table = cpu_to_le64(t->addr), .index_bytes = 8,
		.n_indices = cpu_to_le32(SEGMENTS), .n_bags = cpu_to_le32(1),
		.indices.addr = cpu_to_le64(list),
		.indices.bytes = cpu_to_le64(SEGMENTS * 8),
		.indices.n_sg = cpu_to_le32(SEGMENTS),
		.offsets.addr = cpu_to_le64(ppim_alloc(d, 8)),
		.offsets.bytes = cpu_to_le64(8),
		.output.addr = cpu_to_le64(ppim_alloc(d, 64)),
		.output.bytes = cpu_to_le64(64),
	};
}

static struct ppim_hw_cqe pieces_run(struct ppim_dev *d, uint64_t jobs,
				     uint32_t n)
{
	return ppim_run(d, &d->io, (struct ppim_hw_sqe){
		.opcode = PPIM_OP_GNR,
		.gnr.jobs = cpu_to_le64(jobs),
		.gnr.n_jobs = cpu_to_le32(n),
		.gnr.arch = PPIM_ARCH_BGPIM,
	});
}

/* Pieces count for more than their bytes: finding each costs time. */
static void test_segments(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(50, 16);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 12,
						   PPIM_LAYOUT_ONE,
						   PPIM_LAYOUT_ONE);
	g_autofree struct ppim_hw_job *hw = g_new(struct ppim_hw_job,
						  JOBS_MOST);
	uint64_t jobs = ppim_alloc(d, JOBS_MOST * sizeof(*hw));
	uint64_t limit = ppim_readl(d, PPIM_REG_MAX_INPUT);
	struct ppim_hw_cqe cqe;
	uint32_t i;

	job_in_pieces(d, t, &hw[0]);
	for (i = 1; i < JOBS_MOST; i++)
		hw[i] = hw[0];
	ppim_put(d, jobs, hw, JOBS_MOST * sizeof(*hw));
	cqe = pieces_run(d, jobs, limit / (2 * SEGMENTS * KiB));
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	cqe = pieces_run(d, jobs, JOBS_MOST);
	ppim_assert_cqe(&cqe, PPIM_ST_TOO_LARGE, limit);
	g_assert_cmpuint(le32_to_cpu(cqe.table), <, limit / (SEGMENTS * KiB));
	ppim_table_free(t);
	ppim_assert_works(d);
}

/* One doorbell for a long admin queue: not all at once, and all in the end. A
 * stopped machine shows what the doorbell itself did. */
static void test_admin_visits(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "queue-entries=4096");
	struct ppim_hw_sqe sqe = { .opcode = 0xff };
	struct ppim_ring *r = &d->admin;
	struct ppim_hw_cqe cqe;
	uint32_t i;

	ppim_ring_init(d, r, 0, 4096);
	ppim_writel(d, PPIM_REG_AQ_ENTRIES, r->entries);
	ppim_writeq(d, PPIM_REG_ASQ, r->sq);
	ppim_writeq(d, PPIM_REG_ACQ, r->cq);
	ppim_writel(d, PPIM_REG_CTRL, PPIM_CTRL_ENABLE);
	for (i = 0; i < r->entries - 1; i++)
		ppim_push(d, r, &sqe);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	ppim_ring_doorbell(d, r);
	ppim_get(d, r->cq, &cqe, sizeof(cqe));
	g_assert_cmpuint(le32_to_cpu(cqe.phase), ==, 1);
	ppim_get(d, r->cq + (r->entries - 2) * sizeof(cqe), &cqe, sizeof(cqe));
	g_assert_cmpuint(le32_to_cpu(cqe.phase), ==, 0);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	for (i = 0; i < r->entries - 1; i++) {
		g_assert_true(ppim_wait(d, r, &cqe));
		ppim_assert_cqe(&cqe, PPIM_ST_BAD_OPCODE, 0xff);
	}
	ppim_dev_quit(d);
}

static bool posted(struct ppim_dev *d, const struct ppim_ring *r, uint32_t i)
{
	struct ppim_hw_cqe cqe;

	ppim_get(d, r->cq + i * sizeof(cqe), &cqe, sizeof(cqe));
	return le32_to_cpu(cqe.phase);
}

/* An access that is refused counts as one: with the entry and its completion
 * four for each of these commands, of the 4096 of a visit. */
static void test_refused_visits(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "queue-entries=2048");
	struct ppim_hw_sqe sqe = {
		.opcode = PPIM_OP_WRITE,
		.copy.data.addr = cpu_to_le64(PPIM_TEST_UNMAPPED),
		.copy.data.bytes = cpu_to_le64(64),
		.copy.tier = PPIM_TIER_DIMM,
	};
	struct ppim_ring r;
	uint32_t i;

	ppim_dev_start(d);
	ppim_ring_init(d, &r, 2, 2048);
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	for (i = 0; i < r.entries - 1; i++)
		ppim_push(d, &r, &sqe);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	ppim_ring_doorbell(d, &r);
	g_assert_true(posted(d, &r, 1023));
	g_assert_false(posted(d, &r, 1024));
	ppim_dev_quit(d);
}

/* ---- memory -------------------------------------------------------------- */

#define INDICES		(1u << 20)
#define ROUNDS		150
#define HELD_MOST_MIB	1200	/* RAM, tiers, and what is in flight at most */

static uint64_t held_mib(struct ppim_dev *d)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status",
						(int)qtest_pid(d->qts));
	g_autofree char *text = NULL;
	const char *line;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	line = strstr(text, "VmHWM:");
	g_assert_nonnull(line);
	return g_ascii_strtoull(line + 6, NULL, 10) / KiB;
}

static void job_large(struct ppim_dev *d, struct ppim_test_table *t,
		      struct ppim_hw_job *hw)
{
	uint64_t data = ppim_alloc(d, INDICES * 8ull);

	*hw = (struct ppim_hw_job){
		.table = cpu_to_le64(t->addr), .index_bytes = 8,
		.flags = PPIM_JOBF_WEIGHTS,
		.n_indices = cpu_to_le32(INDICES), .n_bags = cpu_to_le32(1),
		.indices.addr = cpu_to_le64(data),
		.indices.bytes = cpu_to_le64(INDICES * 8ull),
		.weights.addr = cpu_to_le64(data),
		.weights.bytes = cpu_to_le64(INDICES * 4ull),
		.offsets.addr = cpu_to_le64(data),
		.offsets.bytes = cpu_to_le64(8),
		.output.addr = cpu_to_le64(ppim_alloc(d, 64)),
		.output.bytes = cpu_to_le64(64),
	};
}

static void submit_and_abort(struct ppim_dev *d, struct ppim_ring *r,
			     struct ppim_hw_sqe *sqe)
{
	struct ppim_hw_cqe cqe;

	ppim_push(d, r, sqe);
	ppim_ring_doorbell(d, r);
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT, .abort.qid = cpu_to_le16(r->qid),
		.abort.cid = sqe->cid, .abort.generation = sqe->generation,
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, PPIM_ANY);
}

/* What is aborted is still worked at: it counts as held until it is not. A
 * reset does not wait for it. */
static void test_aborted_memory(struct ppim_dev *plain, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "threads=1");
	struct ppim_shape shape = ppim_shape_dense(50, 16);
	struct ppim_hw_sqe sqe = { .opcode = PPIM_OP_GNR };
	struct ppim_test_table *t;
	struct ppim_hw_job hw;
	struct ppim_ring r;
	uint32_t i;

	ppim_dev_start(d);
	t = ppim_table_new(d, &shape, 12, PPIM_LAYOUT_ONE, PPIM_LAYOUT_ONE);
	job_large(d, t, &hw);
	sqe.gnr.jobs = cpu_to_le64(ppim_alloc(d, sizeof(hw)));
	sqe.gnr.n_jobs = cpu_to_le32(1);
	sqe.gnr.arch = PPIM_ARCH_BGPIM;
	ppim_put(d, le64_to_cpu(sqe.gnr.jobs), &hw, sizeof(hw));
	ppim_ring_init(d, &r, 2, 256);
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	for (i = 0; i < ROUNDS; i++)
		submit_and_abort(d, &r, &sqe);
	g_test_message("%" PRIu64 " MiB held at most", held_mib(d));
	g_assert_cmpuint(held_mib(d), <, HELD_MOST_MIB);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_table_free(t);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

static void register_tests(void)
{
	ppim_add_test("limit/segments", test_segments, NULL);
	ppim_add_test("limit/admin-visits", test_admin_visits, NULL);
	ppim_add_test("limit/refused-visits", test_refused_visits, NULL);
	ppim_add_test("limit/aborted-memory", test_aborted_memory, NULL);
}

libqos_init(register_tests);
