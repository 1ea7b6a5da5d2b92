// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every reset in every state: afterwards nothing of before is to be seen, the
 * tiers' contents are, and the device works; section 4 of the specification.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

#define MARK	0x5eed5eed5eed5eedull

enum reset { BY_CTRL, BY_FLR, BY_BUS, BY_SYSTEM };
enum state {
	IDLE,			/* nothing was ever asked */
	DISABLED,
	FATAL,
	WORKED,			/* a batch has completed */
	IN_FLIGHT,		/* a batch waits for its time */
	MANY_IN_FLIGHT,		/* a full queue of large ones, workers busy */
	CQ_FULL,		/* completions wait for room */
	HUNG,			/* an injected hang */
	LINK_LOST,
};

static const struct {
	const char *name;
	enum reset reset;
} resets[] = {
	{ "ctrl", BY_CTRL }, { "flr", BY_FLR }, { "bus", BY_BUS }, { "system", BY_SYSTEM },
};

static const struct {
	const char *name;
	enum state state;
} states[] = {
	{ "idle", IDLE }, { "disabled", DISABLED }, { "fatal", FATAL },
	{ "worked", WORKED }, { "in-flight", IN_FLIGHT },
	{ "many-in-flight", MANY_IN_FLIGHT }, { "cq-full", CQ_FULL },
	{ "hung", HUNG }, { "link-lost", LINK_LOST },
};

struct reset_case {
	enum reset reset;
	enum state state;
};

/* ---- states ------------------------------------------------------------- */

/* Batches that were sent, so that it can be seen that nobody answers them. */
struct sent {
	struct ppim_test_table *table;
	struct ppim_test_job job;
	struct ppim_test_batch *batch[15];
	uint32_t n;
};

static void sent_launch(struct ppim_dev *d, struct sent *s, uint32_t n,
			uint32_t lookups)
{
	struct ppim_shape shape = ppim_shape_dense(300, 256);
	uint32_t i;

	s->table = ppim_table_new(d, &shape, 71, PPIM_LAYOUT_STRIPED,
				  PPIM_LAYOUT_ONE);
	ppim_job_random(&s->job, s->table, 4, lookups / 4, 72);
	for (s->n = 0; s->n < n; s->n++)
		s->batch[s->n] = ppim_batch_new(d, &s->job, 1,
						PPIM_ARCH_BGPIM);
	for (i = 0; i < n; i++)
		ppim_push(d, &d->io, &s->batch[i]->sqe);
	ppim_ring_doorbell(d, &d->io);
}

static void sent_free(struct ppim_dev *d, struct sent *s)
{
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		g_assert_true(ppim_batch_untouched(d, s->batch[i]));
		ppim_batch_free(s->batch[i]);
	}
	if (!s->table)
		return;
	ppim_job_free(&s->job);
	ppim_table_free(s->table);
}

static void inject(struct ppim_dev *d, uint32_t what)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_INJECT,
		.inject.what = cpu_to_le32(what),
		.inject.count = cpu_to_le32(1),
	});

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
}

static void fill_cq(struct ppim_dev *d)
{
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };
	uint32_t i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < d->io.entries - 1; i++)
			ppim_push(d, &d->io, &nop);
		ppim_ring_doorbell(d, &d->io);
	}
}

static void state_enter(struct ppim_dev *d, enum state state, struct sent *s)
{
	switch (state) {
	case IDLE:
		return;
	case DISABLED:
		return ppim_dev_disable(d);
	case FATAL:
		return ppim_writel(d, PPIM_DB_SQ_TAIL(1), ~0u);
	case WORKED:
		return ppim_assert_works(d);
	case IN_FLIGHT:
		return sent_launch(d, s, 1, 400);
	case MANY_IN_FLIGHT:
		return sent_launch(d, s, 15, 40000);
	case CQ_FULL:
		return fill_cq(d);
	case HUNG:
		inject(d, PPIM_INJECT_HANG);
		sent_launch(d, s, 1, 400);
		return ppim_step(d, PPIM_TEST_SECOND);
	case LINK_LOST:
		inject(d, PPIM_INJECT_LINK);
		return ppim_assert_fatal(d, PPIM_HWERR_LINK);
	}
}

/* ---- resets ------------------------------------------------------------- */

/* Secondary Bus Reset of the root port. */
static void bus_reset(struct ppim_dev *d)
{
	uint16_t control = qpci_config_readw(&d->port, PCI_BRIDGE_CONTROL);

	qpci_config_writew(&d->port, PCI_BRIDGE_CONTROL,
			   control | PCI_BRIDGE_CTL_BUS_RESET);
	qpci_config_writew(&d->port, PCI_BRIDGE_CONTROL, control);
}

static void reset_do(struct ppim_dev *d, enum reset reset)
{
	switch (reset) {
	case BY_CTRL:
		return ppim_dev_disable(d);
	case BY_FLR:
		return ppim_dev_flr(d);
	case BY_BUS:
		return bus_reset(d);
	case BY_SYSTEM:
		return qtest_system_reset(d->qts);
	}
}

/* What a reset leaves of PCI configuration and of the admin registers. */
static void registers_check(struct ppim_dev *d, enum reset reset)
{
	uint16_t command;

	ppim_port_map(d);
	command = qpci_config_readw(&d->pci, PCI_COMMAND);
	if (reset == BY_CTRL) {
		g_assert_cmphex(command & PCI_COMMAND_MASTER, !=, 0);
	} else {
		g_assert_cmphex(command & (PCI_COMMAND_MASTER |
					   PCI_COMMAND_MEMORY), ==, 0);
		ppim_dev_map(d);
		g_assert_cmpuint(ppim_readl(d, PPIM_REG_AQ_ENTRIES), ==, 0);
		g_assert_cmphex(ppim_readq(d, PPIM_REG_ASQ), ==, 0);
		g_assert_cmphex(ppim_readq(d, PPIM_REG_ACQ), ==, 0);
	}
	g_assert_cmphex(ppim_readl(d, PPIM_REG_CTRL), ==, 0);
	g_assert_cmphex(ppim_status(d), ==, 0);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_ERROR), ==, 0);
}

static void test_reset(struct ppim_dev *d, const void *arg)
{
	const struct reset_case *c = arg;
	struct ppim_ring admin, io;
	struct sent sent = { 0 };

	qtest_writeq(d->qts, PPIM_TEST_HBM + d->hbm_bytes - 8, MARK);
	qtest_writeq(d->qts, PPIM_TEST_DIMM + d->dimm_bytes - 8, MARK);
	state_enter(d, c->state, &sent);
	admin = d->admin;
	io = d->io;
	ppim_fill(d, admin.cq, admin.entries * sizeof(struct ppim_hw_cqe));
	ppim_fill(d, io.cq, io.entries * sizeof(struct ppim_hw_cqe));
	reset_do(d, c->reset);
	registers_check(d, c->reset);
	ppim_dev_start(d);
	g_assert_cmpuint(ppim_stats(d).injected, ==, 0);
	ppim_step(d, PPIM_TEST_SECOND);
	g_usleep(20 * 1000);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_untouched(d, admin.cq, admin.entries *
				     sizeof(struct ppim_hw_cqe)));
	g_assert_true(ppim_untouched(d, io.cq, io.entries *
				     sizeof(struct ppim_hw_cqe)));
	sent_free(d, &sent);
	g_assert_cmphex(qtest_readq(d->qts, PPIM_TEST_HBM + d->hbm_bytes - 8),
			==, MARK);
	g_assert_cmphex(qtest_readq(d->qts, PPIM_TEST_DIMM + d->dimm_bytes - 8),
			==, MARK);
	ppim_assert_works(d);
}

/* Again and again, as a test of the driver would. */
static void test_many_resets(struct ppim_dev *d, const void *arg)
{
	uint32_t i;

	for (i = 0; i < 40; i++) {
		struct sent sent = { 0 };

		sent_launch(d, &sent, 3, 4000);
		reset_do(d, (enum reset)(i % 3));
		ppim_dev_restart(d);
		sent_free(d, &sent);
		d->used_slice = d->used_dimm = 0;
	}
	ppim_assert_works(d);
}

/* Disabling must not wait for work that takes the host seconds. */
static void test_reset_is_quick(struct ppim_dev *d, const void *arg)
{
	struct sent sent = { 0 };
	int64_t begin;

	sent_launch(d, &sent, 15, 80000);
	begin = g_get_monotonic_time();
	ppim_dev_disable(d);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, 100 * 1000);
	ppim_dev_start(d);
	sent_free(d, &sent);
	ppim_assert_works(d);
}

static void abort_check(struct ppim_dev *d, const struct ppim_hw_sqe *sqe)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT,
		.abort.qid = cpu_to_le16(d->io.qid),
		.abort.cid = sqe->cid,
		.abort.generation = sqe->generation,
	});

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 1);
}

struct long_case {
	const char *name;
	enum reset reset;
	bool aborted;		/* before the reset */
};

static const struct long_case long_cases[] = {
	{ "ctrl", BY_CTRL }, { "flr", BY_FLR },
	{ "ctrl-aborted", BY_CTRL, true }, { "flr-aborted", BY_FLR, true },
};

/* One bag of large cores would keep the workers, and whoever charges it, for
 * minutes. After a reset nothing waits for it. */
static void test_reset_ends_work(struct ppim_dev *d, const void *arg)
{
	static const uint32_t p[] = { 2, 1, 64 }, q[] = { 16, 16, 1 };
	static const uint32_t r[] = { 256, 256 };
	struct ppim_shape shape = ppim_shape_tt(128, p, q, r);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 5,
						   PPIM_LAYOUT_DIMM,
						   PPIM_LAYOUT_DIMM);
	const struct long_case *c = arg;
	struct ppim_test_batch *b;
	struct ppim_test_job job;

	ppim_job_random(&job, t, 1, 200000, 6);
	g_assert_cmpuint(job.n_indices, >, 50000);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_push(d, &d->io, &b->sqe);
	ppim_ring_doorbell(d, &d->io);
	g_usleep(100 * 1000);
	if (c->aborted)
		abort_check(d, &b->sqe);
	reset_do(d, c->reset);
	ppim_dev_restart(d);
	ppim_assert_works(d);
	g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* A write to a tier that is being made when the device is disabled has ended
 * when it is: what is put in its place afterwards stays. Pages that cannot be
 * given back make clearing take some 100 ms. */
static void test_reset_during_clear(const void *arg)
{
	const uint64_t bytes = 512 << 20, late = PPIM_TEST_DIMM + bytes / 8;
	struct ppim_dev *d = ppim_dev_spawn(
		"-object memory-backend-memfd,id=large,size=512M,share=off",
		"dimm-memdev=large");

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	qtest_writeq(d->qts, PPIM_TEST_DIMM, MARK);
	ppim_push(d, &d->admin, &(struct ppim_hw_sqe){
		.opcode = PPIM_ADM_CLEAR,
		.copy.data.bytes = cpu_to_le64(bytes),
		.copy.tier = PPIM_TIER_DIMM,
	});
	ppim_ring_doorbell(d, &d->admin);
	while (qtest_readq(d->qts, PPIM_TEST_DIMM))
		;
	ppim_dev_disable(d);
	qtest_writeq(d->qts, late, MARK);
	g_usleep(500 * 1000);
	g_assert_cmphex(qtest_readq(d->qts, late), ==, MARK);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

/* A WRITE that was aborted, and still waits for the batches before it, writes
 * nothing once the device has failed. A stopping machine waits for workers. */
static void test_fatal_before_dropped_write(struct ppim_dev *d, const void *arg)
{
	struct ppim_hw_sqe write = {
		.opcode = PPIM_OP_WRITE,
		.copy.data.addr = cpu_to_le64(ppim_alloc(d, 64)),
		.copy.data.bytes = cpu_to_le64(64),
		.copy.tier = PPIM_TIER_DIMM,
		.copy.offset = cpu_to_le64(d->dimm_bytes - 64),
	};
	uint64_t at = PPIM_TEST_DIMM + d->dimm_bytes - 64;
	struct sent sent = { 0 };

	qtest_writeq(d->qts, at, MARK);
	sent_launch(d, &sent, 15, 80000);
	ppim_push(d, &d->io, &write);
	ppim_ring_doorbell(d, &d->io);
	abort_check(d, &write);
	g_assert_cmphex(qtest_readq(d->qts, at), ==, MARK);
	ppim_writel(d, PPIM_DB_SQ_TAIL(1), ~0u);
	ppim_assert_fatal(d, PPIM_HWERR_DOORBELL);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'stop' }");
	g_assert_cmphex(qtest_readq(d->qts, at), ==, MARK);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	ppim_dev_disable(d);
	ppim_dev_start(d);
	sent_free(d, &sent);
	ppim_assert_works(d);
}

/* A driver that is gone in the middle of its DMA: bus mastering off while a
 * batch waits for its end. */
static void test_master_off_in_flight(struct ppim_dev *d, const void *arg)
{
	struct sent sent = { 0 };

	sent_launch(d, &sent, 1, 400);
	qpci_config_writew(&d->pci, PCI_COMMAND, PCI_COMMAND_MEMORY);
	g_usleep(20 * 1000);
	ppim_step(d, PPIM_TEST_SECOND);
	g_usleep(20 * 1000);
	ppim_step(d, PPIM_TEST_SECOND);
	ppim_assert_fatal(d, PPIM_HWERR_QUEUE_DMA);
	qpci_config_writew(&d->pci, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	sent_free(d, &sent);
	ppim_assert_works(d);
}

static void register_tests(void)
{
	static struct reset_case cases[ARRAY_SIZE(resets)][ARRAY_SIZE(states)];
	uint32_t r, s;

	for (r = 0; r < ARRAY_SIZE(resets); r++) {
		for (s = 0; s < ARRAY_SIZE(states); s++) {
			g_autofree char *path =
				g_strdup_printf("reset-%s/%s", resets[r].name,
						states[s].name);

			cases[r][s] = (struct reset_case){ resets[r].reset,
							   states[s].state };
			ppim_add_test(path, test_reset, &cases[r][s]);
		}
	}
	ppim_add_test("reset/many", test_many_resets, NULL);
	ppim_add_test("reset/is-quick", test_reset_is_quick, NULL);
	for (r = 0; r < ARRAY_SIZE(long_cases); r++) {
		g_autofree char *path = g_strdup_printf("reset/ends-work-%s",
							long_cases[r].name);

		ppim_add_test(path, test_reset_ends_work, &long_cases[r]);
	}
	ppim_add_test("reset/master-off-in-flight", test_master_off_in_flight,
		      NULL);
	ppim_add_test("reset/fatal-before-dropped-write",
		      test_fatal_before_dropped_write, NULL);
	qtest_add_data_func("/ppim/reset/during-clear", NULL,
			    test_reset_during_clear);
}

libqos_init(register_tests);
