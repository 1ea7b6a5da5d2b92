// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration and snapshots, with work in flight: no request is lost, no answer
 * and no annotation differs; section 12 of the specification.
 *
 * PPIM_QTEST_MIGRATIONS and PPIM_QTEST_SNAPSHOTS say how many rounds the tests
 * under load run (2 and 5).
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include <glib/gstdio.h>
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "hw/pci/pci_regs.h"
#include "ppim-qtest.h"

#define BATCHES		12

static int64_t rounds(const char *variable, int64_t otherwise)
{
	const char *text = g_getenv(variable);

	return text ? g_ascii_strtoll(text, NULL, 10) : otherwise;
}

/* ---- moving ------------------------------------------------------------- */

static void migrate_to(QTestState *from, QTestState *to, const char *uri)
{
	qtest_qmp_assert_success(from, "{ 'execute': 'migrate',"
				 " 'arguments': { 'uri': %s } }", uri);
	qtest_qmp_eventwait(from, "STOP");
	qtest_qmp_eventwait(to, "RESUME");
}

/* The guest's clock does not travel under qtest: the test carries it over. */
static int64_t clock_now(struct ppim_dev *d)
{
	return qtest_clock_step(d->qts, 1);
}

static void migrate(struct ppim_dev *d, const char *props)
{
	g_autofree char *path = g_strdup_printf("%s/ppim-migrate-%d.sock",
						g_get_tmp_dir(), getpid());
	g_autofree char *uri = g_strdup_printf("unix:%s", path);
	g_autofree char *args = g_strdup_printf("-incoming %s", uri);
	QTestState *to = ppim_qemu_start(args, props);
	int64_t now = clock_now(d);

	migrate_to(d->qts, to, uri);
	ppim_dev_move(d, to);
	qtest_clock_set(d->qts, now);
	g_unlink(path);
}

/* ---- load --------------------------------------------------------------- */

#define COPY_BYTES	8192

/* Work in flight: batches of several algorithms and presets on queue 1, each
 * with an output of its own; on queue 2 a copy into the DIMM and one of the
 * same bytes back, of other bytes in each round. */
struct load {
	struct ppim_test_table *qr, *tt;
	struct ppim_test_job job[2];
	struct ppim_test_batch *batch[BATCHES];
	struct ppim_ring copies;
	struct ppim_hw_sqe write, read;
	uint64_t from, to;
	uint64_t round;
	uint8_t bytes[COPY_BYTES];
};

static void tables_init(struct ppim_dev *d, struct load *l)
{
	static const uint32_t p[] = { 8, 8, 8 }, q[] = { 2, 4, 4 };
	static const uint32_t r[] = { 16, 16 };
	struct ppim_shape qr = ppim_shape_qr(900, 32, 4, PPIM_COMBINE_MULT,
					     PPIM_QR_PER_INDEX);
	struct ppim_shape tt = ppim_shape_tt(500, p, q, r);

	l->qr = ppim_table_new(d, &qr, 17, PPIM_LAYOUT_MAPPED,
			       PPIM_LAYOUT_COPIES);
	l->tt = ppim_table_new(d, &tt, 19, PPIM_LAYOUT_STRIPED,
			       PPIM_LAYOUT_COPIES);
	ppim_job_random(&l->job[0], l->qr, 8, 80, 18);
	ppim_job_random(&l->job[1], l->tt, 4, 20, 20);
}

static struct ppim_hw_sqe copy_sqe(struct ppim_dev *d, uint8_t opcode,
				   uint64_t addr)
{
	return (struct ppim_hw_sqe){
		.opcode = opcode,
		.copy.data.addr = cpu_to_le64(addr),
		.copy.data.bytes = cpu_to_le64(COPY_BYTES),
		.copy.tier = PPIM_TIER_DIMM,
		.copy.offset = cpu_to_le64(d->dimm_bytes - COPY_BYTES),
	};
}

/* Which jobs a batch has, QR, TT or both, and its preset. */
static const struct {
	uint32_t first, n;
	enum ppim_arch arch;
} plans[] = {
	{ 0, 2, PPIM_ARCH_PROACTIVE }, { 0, 1, PPIM_ARCH_TRIM },
	{ 1, 1, PPIM_ARCH_PROACTIVE }, { 0, 2, PPIM_ARCH_CPU },
	{ 0, 1, PPIM_ARCH_PROACTIVE_ALL }, { 1, 1, PPIM_ARCH_RECNMP },
	{ 0, 2, PPIM_ARCH_BGPIM },
};

static void load_init(struct ppim_dev *d, struct load *l)
{
	uint32_t i, k;

	*l = (struct load){ 0 };
	tables_init(d, l);
	for (i = 0; i < BATCHES; i++) {
		k = i % ARRAY_SIZE(plans);
		l->batch[i] = ppim_batch_new(d, &l->job[plans[k].first],
					     plans[k].n, plans[k].arch);
	}
	ppim_ring_init(d, &l->copies, 2, 16);
	g_assert_cmpuint(ppim_ring_create(d, &l->copies), ==, PPIM_ST_OK);
	l->from = ppim_alloc(d, COPY_BYTES);
	l->to = ppim_alloc(d, COPY_BYTES);
	l->write = copy_sqe(d, PPIM_OP_WRITE, l->from);
	l->read = copy_sqe(d, PPIM_OP_READ, l->to);
}

static void copies_push(struct ppim_dev *d, struct load *l)
{
	uint32_t i;

	l->round++;
	for (i = 0; i < COPY_BYTES; i++)
		l->bytes[i] = ppim_random(l->round, i);
	ppim_put(d, l->from, l->bytes, COPY_BYTES);
	ppim_fill(d, l->to, COPY_BYTES);
	ppim_push(d, &l->copies, &l->write);
	ppim_push(d, &l->copies, &l->read);
}

static void outputs_fill(struct ppim_dev *d, const struct load *l)
{
	const struct ppim_hw_sg *sg;
	uint32_t i, k;

	for (i = 0; i < BATCHES; i++) {
		for (k = 0; k < l->batch[i]->n_jobs; k++) {
			sg = &g_array_index(l->batch[i]->output_segs[k],
					    struct ppim_hw_sg, 0);
			ppim_fill(d, sg->addr, sg->bytes);
		}
		ppim_fill(d, l->batch[i]->annotation_addr, 256);
	}
}

static void load_launch(struct ppim_dev *d, struct load *l)
{
	uint32_t i;

	outputs_fill(d, l);
	for (i = 0; i < BATCHES; i++)
		ppim_push(d, &d->io, &l->batch[i]->sqe);
	copies_push(d, l);
	ppim_ring_doorbell(d, &d->io);
	ppim_ring_doorbell(d, &l->copies);
}

static bool answer_take(struct ppim_dev *d, struct ppim_ring *r,
			const struct ppim_hw_sqe *sqe)
{
	struct ppim_hw_cqe cqe;

	if (!ppim_wait(d, r, &cqe))
		return false;
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	g_assert_cmpuint(cqe.cid, ==, sqe->cid);
	g_assert_cmpuint(cqe.generation, ==, sqe->generation);
	return true;
}

/* Every one is answered, once and rightly. */
static void load_collect(struct ppim_dev *d, struct load *l)
{
	uint8_t got[COPY_BYTES];
	uint32_t i;

	for (i = 0; i < BATCHES; i++) {
		if (!answer_take(d, &d->io, &l->batch[i]->sqe))
			return;
		ppim_batch_verify(d, l->batch[i]);
	}
	answer_take(d, &l->copies, &l->write);
	answer_take(d, &l->copies, &l->read);
	ppim_get(d, l->to, got, COPY_BYTES);
	g_assert_cmpmem(got, COPY_BYTES, l->bytes, COPY_BYTES);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_stays_quiet(d, &l->copies));
}

/* Nothing has been answered yet? */
static void load_assert_in_flight(struct ppim_dev *d, const struct load *l)
{
	g_assert_true(ppim_batch_untouched(d, l->batch[BATCHES - 1]));
	g_assert_true(ppim_untouched(d, l->to, COPY_BYTES));
}

static void load_free(struct load *l)
{
	uint32_t i;

	for (i = 0; i < BATCHES; i++)
		ppim_batch_free(l->batch[i]);
	for (i = 0; i < ARRAY_SIZE(l->job); i++)
		ppim_job_free(&l->job[i]);
	ppim_table_free(l->qr);
	ppim_table_free(l->tt);
}

/* The annotations of `times` rounds on a device that stays where it is. */
static struct ppim_annotation *notes_expect(uint32_t times, const char *props)
{
	struct ppim_annotation *notes = g_new(struct ppim_annotation,
					      times * BATCHES);
	struct ppim_dev *d = ppim_dev_spawn("", props);
	struct load l;
	uint32_t k, i;

	ppim_dev_start(d);
	load_init(d, &l);
	for (k = 0; k < times; k++) {
		load_launch(d, &l);
		load_collect(d, &l);
		for (i = 0; i < BATCHES; i++)
			notes[k * BATCHES + i] =
				ppim_batch_annotation(d, l.batch[i]);
	}
	load_free(&l);
	ppim_dev_quit(d);
	return notes;
}

static void notes_compare(struct ppim_dev *d, const struct load *l,
			  const struct ppim_annotation *want)
{
	struct ppim_annotation note;
	uint32_t i;

	for (i = 0; i < BATCHES; i++) {
		note = ppim_batch_annotation(d, l->batch[i]);
		g_assert_cmpmem(&note, sizeof(note), &want[i], sizeof(note));
	}
}

/* ---- migration ---------------------------------------------------------- */

static void test_idle(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");
	uint64_t now;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	ppim_assert_works(d);
	now = ppim_readq(d, PPIM_REG_NOW_PS);
	migrate(d, "");
	ppim_assert_alive(d);
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==, now);
	g_assert_cmphex(ppim_readq(d, PPIM_REG_ASQ), ==, d->admin.sq);
	g_assert_cmpuint(ppim_stats(d).bags, ==, 4);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

/* The device was never enabled; then it is, over there. */
static void test_not_enabled(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");

	g_test_set_nonfatal_assertions();
	ppim_writeq(d, PPIM_REG_ASQ, 0x123440);
	migrate(d, "");
	g_assert_cmphex(ppim_readq(d, PPIM_REG_ASQ), ==, 0x123440);
	g_assert_cmphex(ppim_status(d), ==, 0);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

/* Moved with everything in flight, and once more in the middle; then another
 * round, for which the memory's state has to be as it would have been. */
static void test_in_flight(const void *props)
{
	g_autofree struct ppim_annotation *want = notes_expect(2, props);
	struct ppim_dev *d = ppim_dev_spawn("", props);
	struct ppim_hw_cqe cqe;
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	load_launch(d, &l);
	migrate(d, props);
	if (strcmp(props, "timing=off"))
		load_assert_in_flight(d, &l);
	load_collect(d, &l);
	notes_compare(d, &l, want);
	load_launch(d, &l);
	migrate(d, props);
	load_collect(d, &l);
	notes_compare(d, &l, want + BATCHES);
	cqe = ppim_run(d, &d->io, (struct ppim_hw_sqe){ .opcode = 0x80 });
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	load_free(&l);
	ppim_dev_quit(d);
}

/* Rings in the middle of a round, a CQ without room. */
static void test_cq_full(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };
	struct ppim_hw_cqe cqe;
	struct ppim_ring r;
	uint32_t i;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	ppim_ring_init(d, &r, 2, 4);
	g_assert_cmpuint(ppim_ring_create(d, &r), ==, PPIM_ST_OK);
	for (i = 0; i < 5; i++)
		ppim_run(d, &r, nop);
	for (i = 0; i < 3; i++)
		ppim_push(d, &r, &nop);
	ppim_ring_doorbell(d, &r);
	for (i = 0; i < 3; i++)
		g_assert_true(ppim_peek(d, &r, &cqe));
	for (i = 0; i < 3; i++)
		ppim_push(d, &r, &nop);
	ppim_ring_doorbell(d, &r);
	migrate(d, "");
	g_assert_true(ppim_stays_quiet(d, &r));
	ppim_ack(d, &r);
	for (i = 0; i < 3; i++) {
		g_assert_true(ppim_wait(d, &r, &cqe));
		g_assert_cmpuint(le16_to_cpu(cqe.cid), ==, 208 + i);
	}
	g_assert_true(ppim_stays_quiet(d, &r));
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

static void test_fatal(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	ppim_writel(d, PPIM_DB_SQ_TAIL(1), ~0u);
	migrate(d, "");
	ppim_assert_fatal(d, PPIM_HWERR_DOORBELL);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
}

static void inject(struct ppim_dev *d, uint32_t what, uint32_t count)
{
	struct ppim_hw_cqe cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_INJECT,
		.inject.what = cpu_to_le32(what),
		.inject.count = cpu_to_le32(count),
	});

	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
}

/* A hang goes on over there, until it is aborted; and a fault that was asked
 * for here happens there. */
static void test_faults(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");
	struct ppim_hw_cqe cqe;
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	inject(d, PPIM_INJECT_HANG, 1);
	ppim_push(d, &d->io, &l.batch[0]->sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_step(d, PPIM_TEST_SECOND);
	inject(d, PPIM_INJECT_DOUBLE, 1);
	migrate(d, "");
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	cqe = ppim_admin(d, (struct ppim_hw_sqe){
		.opcode = PPIM_ADM_ABORT,
		.abort.qid = cpu_to_le16(1),
		.abort.cid = l.batch[0]->sqe.cid,
		.abort.generation = l.batch[0]->sqe.generation,
	});
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 1);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	ppim_assert_cqe(&cqe, PPIM_ST_ABORTED, 0);
	ppim_run(d, &d->io, l.batch[1]->sqe);
	g_assert_true(ppim_wait(d, &d->io, &cqe));
	g_assert_cmpuint(ppim_stats(d).injected, ==, 2);
	ppim_batch_verify(d, l.batch[1]);
	load_free(&l);
	ppim_dev_quit(d);
}

/* A vector's message that is pending when the guest moves. */
static void test_pending_message(void)
{
	struct ppim_dev *d = ppim_dev_spawn("", "");
	uint8_t cap = qpci_find_capability(&d->pci, PCI_CAP_ID_MSIX, 0);
	struct ppim_hw_sqe nop = { .opcode = PPIM_OP_NOP };
	uint64_t word;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	word = ppim_alloc(d, 4);
	qtest_writel(d->qts, PPIM_TEST_MSIX, word);
	qtest_writel(d->qts, PPIM_TEST_MSIX + PCI_MSIX_ENTRY_DATA, 0x77);
	qpci_config_writew(&d->pci, cap + PCI_MSIX_FLAGS,
			   PCI_MSIX_FLAGS_ENABLE);
	ppim_run(d, &d->io, nop);
	qtest_writel(d->qts, word, 0);
	migrate(d, "");
	qtest_writel(d->qts, PPIM_TEST_MSIX + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	g_assert_cmphex(qtest_readl(d->qts, word), ==, 0x77);
	ppim_dev_quit(d);
}

struct misfit {
	const char *name, *props;
	const char *says;	/* what the message has in it */
};

static const struct misfit misfits[] = {
	{ "queues", "queues=3", "'queues'" },
	{ "queue-entries", "queue-entries=64", "'queue-entries'" },
	{ "arch", "arch=bgpim", "'arch'" },
	{ "timing", "timing=off", "'timing'" },
	{ "charge-copies", "charge-copies=off", "'charge-copies'" },
	{ "timebase", "timebase=guest", "'timebase'" },
	{ "spec", "hbm-spec=HBM3_6400", "'hbm-spec'" },
	{ "params", "params=sram_bytes=4096", "parameters" },
	{ "params-size", "params=llc_bytes=16M", "'params'" },
};

/* A QEMU that refuses what comes has said why, and ended. */
static void refusal_check(QTestState *to, const char *log, const char *says)
{
	g_autofree char *text = NULL;

	qtest_set_expected_status(to, 1);
	qtest_wait_qemu(to);
	qtest_quit(to);
	g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
	g_test_message("%s", text);
	g_assert_nonnull(strstr(text, says));
	g_unlink(log);
}

/* What is another device is refused, and the guest stays where it is. */
static void test_misfit(const void *arg)
{
	const struct misfit *m = arg;
	struct ppim_dev *d = ppim_dev_spawn("", "");
	g_autofree char *path = g_strdup_printf("%s/ppim-misfit-%d.sock",
						g_get_tmp_dir(), getpid());
	g_autofree char *log = g_strdup_printf("%s.log", path);
	g_autofree char *uri = g_strdup_printf("unix:%s", path);
	g_autofree char *args = g_strdup_printf("-incoming %s 2>%s", uri, log);
	QTestState *to = ppim_qemu_start(args, m->props);
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	load_launch(d, &l);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'migrate',"
				 " 'arguments': { 'uri': %s } }", uri);
	refusal_check(to, log, m->says);
	qtest_qmp_eventwait(d->qts, "STOP");
	g_unlink(path);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	load_collect(d, &l);
	load_free(&l);
	ppim_dev_quit(d);
}

/* ---- forged streams ----------------------------------------------------- */

/* Registers as they stand in a stream, before both admin queues' addresses. */
enum { WORD_CTRL = -4, WORD_STATUS = -3, WORD_ERROR = -2, WORD_ENTRIES = -1 };

static const struct forgery {
	const char *name;
	int word[2];		/* 0: none */
	uint32_t value[2];
	uint16_t vector;	/* of the admin queue; 0: as it is */
} forgeries[] = {
	{ "none" },
	{ "aq-entries", { WORD_ENTRIES }, { 0xfffffeff } },
	{ "aq-entries-other", { WORD_ENTRIES }, { 32 } },
	{ "ctrl-unknown", { WORD_CTRL }, { 3 } },
	{ "ready-not-enabled", { WORD_CTRL }, { 0 } },
	{ "enabled-not-ready", { WORD_STATUS }, { 0 } },
	{ "status-unknown", { WORD_STATUS }, { 5 } },
	{ "fatal-without-error", { WORD_STATUS }, { 3 } },
	{ "error-without-fatal", { WORD_ERROR }, { PPIM_HWERR_DOORBELL } },
	{ "error-unknown", { WORD_ERROR, WORD_STATUS }, { 5, 3 } },
	{ "no-admin-queue", { WORD_CTRL, WORD_STATUS }, { 0, 0 } },
	{ "not-started", { WORD_ERROR, WORD_STATUS },
	  { PPIM_HWERR_AQ_CONFIG, 2 } },
	{ "vector", .vector = 0xffff },
};

static bool forgery_is_none(const struct forgery *f)
{
	return !f->word[0] && !f->vector;
}

/* Where both addresses of the admin queue stand, from `from` on. */
static uint8_t *stream_find(const struct ppim_dev *d, uint8_t *from,
			    uint8_t *end)
{
	uint64_t mark[2];
	uint8_t *at;

	stq_be_p(&mark[0], d->admin.sq);
	stq_be_p(&mark[1], d->admin.cq);
	at = memmem(from, end - from, mark, sizeof(mark));
	g_assert_nonnull(at);
	g_assert_cmpuint(ldl_be_p(at + 4 * WORD_ENTRIES), ==,
			 d->admin.entries);
	return at;
}

/* Registers come first, then queues, whose vector is before the number of
 * entries. */
static void stream_forge(const char *path, const struct ppim_dev *d,
			 const struct forgery *f)
{
	g_autofree char *stream = NULL;
	uint8_t *at, *end;
	gsize size;
	int i;

	g_assert_true(g_file_get_contents(path, &stream, &size, NULL));
	end = (uint8_t *)stream + size;
	at = stream_find(d, (uint8_t *)stream, end);
	for (i = 0; i < 2 && f->word[i]; i++)
		stl_be_p(at + 4 * f->word[i], f->value[i]);
	if (f->vector)
		stw_be_p(stream_find(d, at + 1, end) - 6, f->vector);
	g_assert_true(g_file_set_contents(path, stream, size, NULL));
}

/* Registers and queues that no device can have had are refused. */
static void test_forged(const void *arg)
{
	const struct forgery *f = arg;
	g_autofree char *path = g_strdup_printf("%s/ppim-forged-%d",
						g_get_tmp_dir(), getpid());
	g_autofree char *log = g_strdup_printf("%s.log", path);
	g_autofree char *uri = g_strdup_printf("file:%s", path);
	g_autofree char *args = g_strdup_printf("-incoming %s 2>%s", uri, log);
	struct ppim_dev *d = ppim_dev_spawn("", "");
	QTestState *to;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'migrate',"
				 " 'arguments': { 'uri': %s } }", uri);
	ppim_migration_wait(d->qts);
	stream_forge(path, d, f);
	to = ppim_qemu_start(args, "");
	if (forgery_is_none(f)) {
		qtest_qmp_eventwait(to, "RESUME");
		ppim_dev_move(d, to);
		ppim_assert_works(d);
		g_unlink(log);
	} else {
		refusal_check(to, log, "registers");
	}
	g_unlink(path);
	ppim_dev_quit(d);
}

static void test_migrations_under_load(void)
{
	int64_t n = rounds("PPIM_QTEST_MIGRATIONS", 2), i;
	g_autofree struct ppim_annotation *want = notes_expect(n, "");
	struct ppim_dev *d = ppim_dev_spawn("", "");
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	for (i = 0; i < n; i++) {
		load_launch(d, &l);
		ppim_step(d, 1000 * i);
		migrate(d, "");
		load_collect(d, &l);
		notes_compare(d, &l, want + i * BATCHES);
	}
	g_test_message("%" PRId64 " migrations", n);
	load_free(&l);
	ppim_dev_quit(d);
}

/* ---- snapshots ---------------------------------------------------------- */

static void job_finish(QTestState *qts, const char *id)
{
	const char *status = "";
	QDict *response;

	while (strcmp(status, "concluded")) {
		response = qtest_qmp(qts, "{ 'execute': 'query-jobs' }");
		status = qdict_get_str(qobject_to(QDict,
			qlist_peek(qdict_get_qlist(response, "return"))),
			"status");
		status = strcmp(status, "concluded") ? "" : "concluded";
		qobject_unref(response);
		g_usleep(1000);
	}
	qtest_qmp_assert_success(qts, "{ 'execute': 'job-dismiss',"
				 " 'arguments': { 'id': %s } }", id);
}

/* A qcow2 file that QEMU makes itself, to keep snapshots in. */
static char *snapshot_disk(QTestState *qts)
{
	char *path = g_strdup_printf("%s/ppim-snapshot-%d.qcow2",
				     g_get_tmp_dir(), getpid());

	qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-create',"
		" 'arguments': { 'job-id': 'f', 'options': { 'driver': 'file',"
		" 'filename': %s, 'size': 0 } } }", path);
	job_finish(qts, "f");
	qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-add',"
		" 'arguments': { 'driver': 'file', 'node-name': 'file',"
		" 'filename': %s } }", path);
	qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-create',"
		" 'arguments': { 'job-id': 'q', 'options': { 'driver': 'qcow2',"
		" 'file': 'file', 'size': 1048576 } } }");
	job_finish(qts, "q");
	qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-add',"
		" 'arguments': { 'driver': 'qcow2', 'node-name': 'disk',"
		" 'file': 'file' } }");
	return path;
}

/* The same file in another QEMU. */
static void disk_open(QTestState *qts, const char *path)
{
	qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-add',"
		" 'arguments': { 'driver': 'qcow2', 'node-name': 'disk',"
		" 'file': { 'driver': 'file', 'filename': %s } } }", path);
}

static void hmp_quietly(struct ppim_dev *d, const char *command)
{
	g_autofree char *said = qtest_hmp(d->qts, "%s", command);

	g_assert_cmpstr(said, ==, "");
}

static void repeat_launch(struct ppim_dev *d, const struct load *l)
{
	struct ppim_hw_sqe sqe;
	uint32_t i;

	for (i = 0; i < BATCHES; i++) {
		sqe = l->batch[i]->sqe;
		ppim_push(d, &d->io, &sqe);
	}
	ppim_ring_doorbell(d, &d->io);
}

/* What is done after the snapshot, and undone by going back to it. */
static void snapshot_disturb(struct ppim_dev *d, const struct load *l,
			     int64_t i)
{
	if (i % 4 == 1)
		ppim_dev_disable(d);
	else if (i % 4 == 2)
		ppim_run(d, &d->io, l->batch[0]->sqe);
	else if (i % 4 == 3)
		repeat_launch(d, l);
}

/* Saved with work in flight, worked on, and set back: what was done after the
 * snapshot is undone, and what was in flight is answered as the first time.
 * The guest's clock is the test's, and does not go back. */
static void snapshot_round(struct ppim_dev *d, struct load *l, int64_t i,
			   const struct ppim_annotation *want)
{
	struct ppim_dev saved_dev;
	struct ppim_ring saved_copies;

	load_launch(d, l);
	load_assert_in_flight(d, l);
	hmp_quietly(d, "savevm one");
	saved_dev = *d;
	saved_copies = l->copies;
	load_collect(d, l);
	notes_compare(d, l, want);
	snapshot_disturb(d, l, i);
	hmp_quietly(d, "loadvm one");
	*d = saved_dev;
	l->copies = saved_copies;
	load_collect(d, l);
	notes_compare(d, l, want);
}

static void test_snapshots_under_load(void)
{
	int64_t n = rounds("PPIM_QTEST_SNAPSHOTS", 5), i;
	g_autofree struct ppim_annotation *want = notes_expect(n, "");
	struct ppim_dev *d = ppim_dev_spawn("", "");
	g_autofree char *path = NULL;
	struct load l;

	g_test_set_nonfatal_assertions();
	path = snapshot_disk(d->qts);
	ppim_dev_start(d);
	load_init(d, &l);
	for (i = 0; i < n; i++)
		snapshot_round(d, &l, i, want + i * BATCHES);
	g_test_message("%" PRId64 " snapshots saved and restored", n);
	load_free(&l);
	ppim_dev_quit(d);
	g_unlink(path);
}

/* Another device refuses the snapshot, half of it read or all; then it is as
 * after any reset, or after none but `cont`. */
struct refused_snapshot {
	const char *name, *props;
	bool reset;
};

static const struct refused_snapshot refused_snapshots[] = {
	{ "whole-reset", "params=sram_bytes=4096", true },
	{ "whole-cont", "params=sram_bytes=4096", false },
	{ "half-reset", "params=llc_bytes=16M", true },
	{ "half-cont", "params=llc_bytes=16M", false },
};

static char *load_image(struct ppim_dev *d)
{
	struct load l;
	char *path;

	path = snapshot_disk(d->qts);
	ppim_dev_start(d);
	load_init(d, &l);
	load_launch(d, &l);
	load_assert_in_flight(d, &l);
	hmp_quietly(d, "savevm one");
	load_free(&l);
	return path;
}

static void test_refused_snapshot(const void *arg)
{
	const struct refused_snapshot *r = arg;
	struct ppim_dev *d = ppim_dev_spawn("", "");
	g_autofree char *path = NULL, *said = NULL;

	g_test_set_nonfatal_assertions();
	path = load_image(d);
	ppim_dev_quit(d);
	d = ppim_dev_spawn("2>/dev/null", r->props);
	ppim_dev_start(d);
	disk_open(d->qts, path);
	said = qtest_hmp(d->qts, "loadvm one");
	g_assert_nonnull(strstr(said, "Error"));
	if (r->reset)
		qtest_system_reset(d->qts);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	ppim_dev_map(d);
	g_assert_cmphex(ppim_status(d), ==, 0);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_CTRL), ==, 0);
	g_assert_cmpuint(ppim_counter(d, "in-flight"), ==, 0);
	ppim_dev_start(d);
	ppim_assert_works(d);
	ppim_dev_quit(d);
	g_unlink(path);
}

static void register_tests(void)
{
	uint32_t i;

	qtest_add_func("ppim/migrate/idle", test_idle);
	qtest_add_func("ppim/migrate/not-enabled", test_not_enabled);
	qtest_add_data_func("ppim/migrate/in-flight", "", test_in_flight);
	qtest_add_data_func("ppim/migrate/in-flight-untimed", "timing=off",
			    test_in_flight);
	qtest_add_data_func("ppim/migrate/in-flight-one-thread", "threads=1",
			    test_in_flight);
	qtest_add_func("ppim/migrate/cq-full", test_cq_full);
	qtest_add_func("ppim/migrate/fatal", test_fatal);
	qtest_add_func("ppim/migrate/faults", test_faults);
	qtest_add_func("ppim/migrate/pending-message", test_pending_message);
	for (i = 0; i < ARRAY_SIZE(misfits); i++) {
		g_autofree char *path =
			g_strdup_printf("ppim/migrate-refused/%s",
					misfits[i].name);

		qtest_add_data_func(path, &misfits[i], test_misfit);
	}
	for (i = 0; i < ARRAY_SIZE(forgeries); i++) {
		g_autofree char *path = g_strdup_printf("ppim/forged/%s",
							forgeries[i].name);

		qtest_add_data_func(path, &forgeries[i], test_forged);
	}
	for (i = 0; i < ARRAY_SIZE(refused_snapshots); i++) {
		g_autofree char *path =
			g_strdup_printf("ppim/snapshot-refused/%s",
					refused_snapshots[i].name);

		qtest_add_data_func(path, &refused_snapshots[i],
				    test_refused_snapshot);
	}
	qtest_add_func("ppim/migrate/under-load", test_migrations_under_load);
	qtest_add_func("ppim/snapshot/under-load", test_snapshots_under_load);
}

libqos_init(register_tests);
