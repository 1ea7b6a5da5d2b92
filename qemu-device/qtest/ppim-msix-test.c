// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts: a vector for each queue, masked and pending. A message is a
 * write to memory, so the tests point vectors at words of RAM.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

static const struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };

/* Where the messages go: one word for each vector. */
struct messages {
	uint64_t addr;
	uint32_t n;
};

static uint64_t vector_entry(uint32_t vector)
{
	return PPIM_TEST_MSIX + vector * PCI_MSIX_ENTRY_SIZE;
}

static uint32_t vector_data(uint32_t vector)
{
	return 0xabc0 + vector;
}

static void vector_mask(struct ppim_dev *d, uint32_t vector, bool masked)
{
	qtest_writel(d->qts, vector_entry(vector) + PCI_MSIX_ENTRY_VECTOR_CTRL,
		     masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

static void flags_write(struct ppim_dev *d, uint16_t set, uint16_t clear)
{
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);
	uint16_t flags = qpci_config_readw(&d->pci, cap + PCI_MSIX_FLAGS);

	qpci_config_writew(&d->pci, cap + PCI_MSIX_FLAGS,
			   (flags & ~clear) | set);
}

static struct messages messages_new(struct ppim_dev *d)
{
	struct messages m = { .n = qpci_msix_table_size(&d->pci) };
	uint32_t v;

	m.addr = ppim_alloc(d, 4 * m.n);
	for (v = 0; v < m.n; v++) {
		qtest_writel(d->qts, vector_entry(v), m.addr + 4 * v);
		qtest_writel(d->qts, vector_entry(v) + 4, 0);
		qtest_writel(d->qts, vector_entry(v) + PCI_MSIX_ENTRY_DATA,
			     vector_data(v));
		vector_mask(d, v, false);
	}
	flags_write(d, PCI_MSIX_FLAGS_ENABLE, PCI_MSIX_FLAGS_MASKALL);
	/* completions of the start, when there was no vector yet */
	qtest_memset(d->qts, m.addr, 0, 4 * m.n);
	return m;
}

/* The vector's message since the last call? Any other is an error. */
static bool message_take(struct ppim_dev *d, const struct messages *m,
			 uint32_t vector)
{
	uint32_t v, word;
	bool came = false;

	for (v = 0; v < m->n; v++) {
		word = qtest_readl(d->qts, m->addr + 4 * v);
		if (!word)
			continue;
		g_assert_cmpuint(v, ==, vector);
		g_assert_cmphex(word, ==, vector_data(v));
		qtest_writel(d->qts, m->addr + 4 * v, 0);
		came = true;
	}
	return came;
}

static bool pending(struct ppim_dev *d, uint32_t vector)
{
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);
	uint32_t pba = qpci_config_readl(&d->pci, cap + PCI_MSIX_PBA);

	return qtest_readl(d->qts, PPIM_TEST_MSIX +
				   (pba & ~PCI_MSIX_PBA_BIR) +
				   vector / 32 * 4) >> (vector % 32) & 1;
}

static struct ppim_ring ring_new(struct ppim_dev *d, uint16_t qid,
				 uint16_t vector)
{
	struct ppim_ring r;

	ppim_ring_init(d, &r, qid, 8);
	r.vector = vector;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	return r;
}

static void test_vector_per_queue(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	struct ppim_ring ring[4];
	uint32_t i;

	for (i = 0; i < 4; i++) {
		ring[i] = ring_new(d, i + 2, 5 - i);
		g_assert_true(message_take(d, &m, 0));
	}
	for (i = 0; i < 12; i++) {
		ppim_run(d, &ring[i % 4], nop);
		g_assert_true(message_take(d, &m, 5 - i % 4));
	}
}

static void test_shared_vector(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	struct ppim_ring a = ring_new(d, 2, 0), b = ring_new(d, 3, 0);

	g_assert_true(message_take(d, &m, 0));
	ppim_run(d, &a, nop);
	g_assert_true(message_take(d, &m, 0));
	ppim_run(d, &b, nop);
	g_assert_true(message_take(d, &m, 0));
}

static void test_mask(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	struct ppim_ring r = ring_new(d, 2, 3);

	g_assert_true(message_take(d, &m, 0));
	vector_mask(d, 3, true);
	ppim_run(d, &r, nop);
	ppim_run(d, &r, nop);
	g_assert_false(message_take(d, &m, 3));
	g_assert_true(pending(d, 3));
	g_assert_false(pending(d, 2));
	vector_mask(d, 3, false);
	g_assert_true(message_take(d, &m, 3));
	g_assert_false(pending(d, 3));
	ppim_run(d, &r, nop);
	g_assert_true(message_take(d, &m, 3));
}

static void test_function_mask(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	struct ppim_ring r = ring_new(d, 2, 3);

	g_assert_true(message_take(d, &m, 0));
	flags_write(d, PCI_MSIX_FLAGS_MASKALL, 0);
	ppim_run(d, &r, nop);
	g_assert_false(message_take(d, &m, 3));
	g_assert_true(pending(d, 3));
	flags_write(d, 0, PCI_MSIX_FLAGS_MASKALL);
	g_assert_true(message_take(d, &m, 3));
	g_assert_false(pending(d, 3));
}

/* Without MSI-X a driver polls, and no message goes anywhere. */
static void test_disabled(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);

	flags_write(d, 0, PCI_MSIX_FLAGS_ENABLE);
	ppim_run(d, &d->io, nop);
	g_assert_false(message_take(d, &m, 0));
	ppim_assert_works(d);
	g_assert_false(message_take(d, &m, 0));
}

/* The message is for a completion that can be seen. */
static void test_after_its_time(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(300, 64);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 1,
						   PPIM_LAYOUT_STRIPED,
						   PPIM_LAYOUT_ONE);
	struct messages m = messages_new(d);
	struct ppim_ring r = ring_new(d, 2, 2);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;

	g_assert_true(message_take(d, &m, 0));
	ppim_job_random(&job, t, 4, 50, 2);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_push(d, &r, &b->sqe);
	ppim_ring_doorbell(d, &r);
	g_assert_true(ppim_stays_quiet(d, &r));
	g_assert_false(message_take(d, &m, 2));
	g_assert_true(ppim_wait(d, &r, &cqe));
	g_assert_true(message_take(d, &m, 2));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* The message of a hostile guest that points at the device itself: whatever
 * it does, QEMU and the next driver live. */
static void test_message_to_self(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);

	qtest_writel(d->qts, vector_entry(0),
		     PPIM_TEST_REGS + PPIM_DB_SQ_TAIL(1));
	qtest_writel(d->qts, vector_entry(0) + PCI_MSIX_ENTRY_DATA, 1);
	ppim_run(d, &d->admin, (struct ppim_hw_sqe){ .opcode = 0 });
	ppim_step(d, PPIM_TEST_SECOND);
	qtest_writel(d->qts, vector_entry(0), PPIM_TEST_MSIX);
	ppim_writel(d, PPIM_DB_SQ_TAIL(0), d->admin.tail);
	ppim_dev_flr(d);
	ppim_dev_restart(d);
	ppim_assert_works(d);
	g_assert_false(message_take(d, &m, 0));
}

/* Function-level reset takes the driver's set-up away. */
static void test_flr(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);
	uint16_t flags;

	ppim_dev_flr(d);
	flags = qpci_config_readw(&d->pci, cap + PCI_MSIX_FLAGS);
	g_assert_cmphex(flags & PCI_MSIX_FLAGS_ENABLE, ==, 0);
	ppim_dev_restart(d);
	ppim_assert_works(d);
	g_assert_false(message_take(d, &m, 0));
}

static void test_bad_vector(struct ppim_dev *d, const void *arg)
{
	struct messages m = messages_new(d);
	struct ppim_ring r;

	ppim_ring_init(d, &r, 2, 8);
	r.vector = m.n;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_BAD_FIELD);
	r.vector = 0xffff;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_BAD_FIELD);
	r.vector = m.n - 1;
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	g_assert_true(message_take(d, &m, 0));
	ppim_run(d, &r, nop);
	g_assert_true(message_take(d, &m, m.n - 1));
}

static void register_tests(void)
{
	ppim_add_test("msix/vector-per-queue", test_vector_per_queue, NULL);
	ppim_add_test("msix/shared-vector", test_shared_vector, NULL);
	ppim_add_test("msix/mask", test_mask, NULL);
	ppim_add_test("msix/function-mask", test_function_mask, NULL);
	ppim_add_test("msix/disabled", test_disabled, NULL);
	ppim_add_test("msix/after-its-time", test_after_its_time, NULL);
	ppim_add_test("msix/message-to-self", test_message_to_self, NULL);
	ppim_add_test("msix/flr", test_flr, NULL);
	ppim_add_test("msix/bad-vector", test_bad_vector, NULL);
}

libqos_init(register_tests);
