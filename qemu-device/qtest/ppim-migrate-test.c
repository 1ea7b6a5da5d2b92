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

/* Batches in flight, each with an output of its own. */
struct load {
	struct ppim_test_table *table;
	struct ppim_test_job job;
	struct ppim_test_batch *batch[BATCHES];
};

static void load_init(struct ppim_dev *d, struct load *l)
{
	struct ppim_shape shape = ppim_shape_qr(900, 32, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);
	uint32_t i;

	l->table = ppim_table_new(d, &shape, 17, PPIM_LAYOUT_MAPPED,
				  PPIM_LAYOUT_COPIES);
	ppim_job_random(&l->job, l->table, 8, 80, 18);
	for (i = 0; i < BATCHES; i++)
		l->batch[i] = ppim_batch_new(d, &l->job, 1,
					     PPIM_ARCH_PROACTIVE);
}

static void load_launch(struct ppim_dev *d, struct load *l)
{
	uint32_t i;

	for (i = 0; i < BATCHES; i++)
		ppim_push(d, &d->io, &l->batch[i]->sqe);
	ppim_ring_doorbell(d, &d->io);
}

/* Every one is answered, once and rightly. */
static void load_collect(struct ppim_dev *d, struct load *l)
{
	struct ppim_hw_cqe cqe;
	uint32_t i;

	for (i = 0; i < BATCHES; i++) {
		if (!ppim_wait(d, &d->io, &cqe))
			return;
		ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
		g_assert_cmpuint(cqe.cid, ==, l->batch[i]->sqe.cid);
		g_assert_cmpuint(cqe.generation, ==,
				 l->batch[i]->sqe.generation);
		ppim_batch_verify(d, l->batch[i]);
	}
	g_assert_true(ppim_stays_quiet(d, &d->io));
}

static void load_free(struct load *l)
{
	uint32_t i;

	for (i = 0; i < BATCHES; i++)
		ppim_batch_free(l->batch[i]);
	ppim_job_free(&l->job);
	ppim_table_free(l->table);
}

static void outputs_fill(struct ppim_dev *d, const struct load *l)
{
	const struct ppim_hw_sg *sg;
	uint32_t i;

	for (i = 0; i < BATCHES; i++) {
		sg = &g_array_index(l->batch[i]->output_segs[0],
				    struct ppim_hw_sg, 0);
		ppim_fill(d, sg->addr, sg->bytes);
		ppim_fill(d, l->batch[i]->annotation_addr, 256);
	}
}

/* The annotations of the load on a device that stays where it is. */
static void notes_expect(struct ppim_annotation *notes, uint32_t times,
			 const char *props)
{
	struct ppim_dev *d = ppim_dev_spawn("", props);
	struct load l;
	uint32_t i;

	ppim_dev_start(d);
	load_init(d, &l);
	for (; times; times--) {
		load_launch(d, &l);
		load_collect(d, &l);
		for (i = 0; i < BATCHES; i++)
			*notes++ = ppim_batch_annotation(d, l.batch[i]);
	}
	load_free(&l);
	ppim_dev_quit(d);
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
	g_autofree struct ppim_annotation *want =
		g_new(struct ppim_annotation, 2 * BATCHES);
	struct ppim_dev *d = ppim_dev_spawn("", props);
	struct ppim_hw_cqe cqe;
	struct load l;

	g_test_set_nonfatal_assertions();
	notes_expect(want, 2, props);
	ppim_dev_start(d);
	load_init(d, &l);
	load_launch(d, &l);
	migrate(d, props);
	if (strcmp(props, "timing=off"))
		g_assert_true(ppim_batch_untouched(d, l.batch[BATCHES - 1]));
	load_collect(d, &l);
	notes_compare(d, &l, want);
	outputs_fill(d, &l);
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
};

static const struct misfit misfits[] = {
	{ "queues", "queues=3" }, { "timing", "timing=off" },
	{ "timebase", "timebase=guest" }, { "spec", "hbm-spec=HBM3_6400" },
	{ "params", "params=sram_bytes=4096" },
};

/* What is another device is refused, and the guest stays where it is. */
static void test_misfit(const void *arg)
{
	const struct misfit *m = arg;
	struct ppim_dev *d = ppim_dev_spawn("", "");
	g_autofree char *path = g_strdup_printf("%s/ppim-misfit-%d.sock",
						g_get_tmp_dir(), getpid());
	g_autofree char *uri = g_strdup_printf("unix:%s", path);
	g_autofree char *args = g_strdup_printf("-incoming %s 2>/dev/null",
						uri);
	QTestState *to = ppim_qemu_start(args, m->props);
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	load_launch(d, &l);
	qtest_set_expected_status(to, 1);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'migrate',"
				 " 'arguments': { 'uri': %s } }", uri);
	qtest_wait_qemu(to);
	qtest_qmp_eventwait(d->qts, "STOP");
	qtest_quit(to);
	g_unlink(path);
	qtest_qmp_assert_success(d->qts, "{ 'execute': 'cont' }");
	load_collect(d, &l);
	load_free(&l);
	ppim_dev_quit(d);
}

static void test_migrations_under_load(void)
{
	int64_t n = rounds("PPIM_QTEST_MIGRATIONS", 2), i;
	struct ppim_dev *d = ppim_dev_spawn("", "");
	struct load l;

	g_test_set_nonfatal_assertions();
	ppim_dev_start(d);
	load_init(d, &l);
	for (i = 0; i < n; i++) {
		outputs_fill(d, &l);
		load_launch(d, &l);
		ppim_step(d, 1000 * i);
		migrate(d, "");
		load_collect(d, &l);
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

static void hmp_quietly(struct ppim_dev *d, const char *command)
{
	g_autofree char *said = qtest_hmp(d->qts, "%s", command);

	g_assert_cmpstr(said, ==, "");
}

/* Saved with work in flight, worked on, and set back: what was done after the
 * snapshot is undone, and what was in flight is answered as the first time. */
static void test_snapshots_under_load(void)
{
	int64_t n = rounds("PPIM_QTEST_SNAPSHOTS", 5), i;
	struct ppim_dev *d = ppim_dev_spawn("", "");
	g_autofree char *path = NULL;
	struct ppim_annotation want[BATCHES];
	struct ppim_dev saved;
	struct load l;
	uint32_t k;

	g_test_set_nonfatal_assertions();
	path = snapshot_disk(d->qts);
	ppim_dev_start(d);
	load_init(d, &l);
	for (i = 0; i < n; i++) {
		outputs_fill(d, &l);
		load_launch(d, &l);
		hmp_quietly(d, "savevm one");
		saved = *d;
		load_collect(d, &l);
		for (k = 0; k < BATCHES; k++)
			want[k] = ppim_batch_annotation(d, l.batch[k]);
		if (i % 3 == 1)
			ppim_dev_disable(d);
		else if (i % 3 == 2)
			ppim_run(d, &d->io, l.batch[0]->sqe);
		hmp_quietly(d, "loadvm one");
		*d = saved;
		g_assert_true(ppim_batch_untouched(d, l.batch[BATCHES - 1]));
		load_collect(d, &l);
		notes_compare(d, &l, want);
	}
	g_test_message("%" PRId64 " snapshots saved and restored", n);
	load_free(&l);
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
	qtest_add_func("ppim/migrate/under-load", test_migrations_under_load);
	qtest_add_func("ppim/snapshot/under-load", test_snapshots_under_load);
}

libqos_init(register_tests);
