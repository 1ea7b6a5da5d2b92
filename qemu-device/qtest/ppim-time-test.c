// SPDX-License-Identifier: GPL-2.0-only
/*
 * Presets and time: what a preset needs, when completions appear, and that
 * annotations move as the parameter says; sections 9 and 11 of the
 * specification. The qtest clock stands still unless a test steps it.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "ppim-qtest.h"

#define PS_PER_NS 1000

static struct ppim_test_table *qr_table(struct ppim_dev *d,
					enum ppim_layout shared)
{
	struct ppim_shape shape = ppim_shape_qr(2000, 32, 4, PPIM_COMBINE_MULT,
						PPIM_QR_PER_INDEX);

	return ppim_table_new(d, &shape, 31, PPIM_LAYOUT_STRIPED, shared);
}

static struct ppim_test_table *tt_table(struct ppim_dev *d,
					enum ppim_layout shared)
{
	static const uint32_t p[] = { 8, 8, 8 }, q[] = { 2, 4, 4 };
	static const uint32_t r[] = { 16, 16 };
	struct ppim_shape shape = ppim_shape_tt(500, p, q, r);

	return ppim_table_new(d, &shape, 32, PPIM_LAYOUT_STRIPED, shared);
}

/* ---- presets ------------------------------------------------------------ */

static bool arch_is_proactive(uint32_t arch)
{
	return arch == PPIM_ARCH_PROACTIVE || arch == PPIM_ARCH_PROACTIVE_ALL;
}

static bool arch_wants_copies(uint32_t arch)
{
	return arch == PPIM_ARCH_BGPIM_DUP || arch_is_proactive(arch);
}

static void preset_run(struct ppim_dev *d, struct ppim_test_table *t,
		       uint32_t arch, uint16_t status, uint64_t detail)
{
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;

	ppim_job_random(&job, t, 4, 10, 3);
	b = ppim_batch_new(d, &job, 1, arch);
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, status, detail);
	if (status == PPIM_ST_OK)
		ppim_batch_verify(d, b);
	else
		g_assert_true(ppim_batch_untouched(d, b));
	ppim_batch_free(b);
	ppim_job_free(&job);
}

/* All presets that the device serves, one after the other. */
static void presets_run(struct ppim_dev *d, struct ppim_test_table *t,
			bool (*refused)(uint32_t arch), uint16_t status,
			uint64_t detail)
{
	uint32_t archs = ppim_readl(d, PPIM_REG_ARCHS), arch;

	for (arch = 1; arch < PPIM_ARCH_COUNT; arch++) {
		if (!(archs & 1u << arch))
			preset_run(d, t, arch, PPIM_ST_UNSUPPORTED, PPIM_ANY);
		else if (refused(arch))
			preset_run(d, t, arch, status, detail);
		else
			preset_run(d, t, arch, PPIM_ST_OK, 0);
	}
}

static void test_no_copy(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *qr = qr_table(d, PPIM_LAYOUT_ONE);
	struct ppim_test_table *tt = tt_table(d, PPIM_LAYOUT_STRIPED);

	presets_run(d, qr, arch_wants_copies, PPIM_ST_NO_COPY, PPIM_SUB_R);
	presets_run(d, tt, arch_wants_copies, PPIM_ST_NO_COPY, PPIM_SUB_G1);
	ppim_table_free(qr);
	ppim_table_free(tt);
	ppim_assert_works(d);
}

/* G1 has its copies, G3 has one place. */
static void test_no_copy_of_g3(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = tt_table(d, PPIM_LAYOUT_COPIES);

	t->sub[PPIM_SUB_G3].hw.flags = 0;
	t->sub[PPIM_SUB_G3].hw.n_extents = cpu_to_le32(1);
	ppim_table_send(d, t);
	presets_run(d, t, arch_wants_copies, PPIM_ST_NO_COPY, PPIM_SUB_G3);
	ppim_table_free(t);
}

/* One bank group that holds Q rows lacks the copy. */
static void test_one_copy_missing(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = qr_table(d, PPIM_LAYOUT_COPIES);
	struct ppim_test_sub *r = &t->sub[PPIM_SUB_R];
	uint16_t slice = t->sub[PPIM_SUB_Q].extents[1].slice;

	r->extents[le16_to_cpu(slice)].slice =
		cpu_to_le16((le16_to_cpu(slice) + 1) % d->slices);
	ppim_table_send(d, t);
	presets_run(d, t, arch_wants_copies, PPIM_ST_NO_COPY, PPIM_SUB_R);
	ppim_table_free(t);
}

static void test_no_hint(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *qr = qr_table(d, PPIM_LAYOUT_COPIES);
	struct ppim_test_table *tt = tt_table(d, PPIM_LAYOUT_COPIES);

	qr->sub[PPIM_SUB_R].hw.flags = cpu_to_le32(PPIM_SUBF_DUPLICATED);
	tt->sub[PPIM_SUB_G1].hw.flags = cpu_to_le32(PPIM_SUBF_DUPLICATED);
	ppim_table_send(d, qr);
	ppim_table_send(d, tt);
	presets_run(d, qr, arch_is_proactive, PPIM_ST_NO_HINT, PPIM_SUB_R);
	presets_run(d, tt, arch_is_proactive, PPIM_ST_NO_HINT, PPIM_SUB_G1);
	ppim_table_free(qr);
	ppim_table_free(tt);
	ppim_assert_works(d);
}

static void test_default_arch(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = qr_table(d, PPIM_LAYOUT_COPIES);
	struct ppim_annotation note;
	struct ppim_test_batch *b;
	struct ppim_test_job job;

	ppim_job_random(&job, t, 4, 10, 3);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_DEFAULT);
	note = ppim_batch_check(d, b);
	g_assert_cmpuint(note.arch, ==, ppim_readl(d, PPIM_REG_ARCH_DEFAULT));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* ---- annotations -------------------------------------------------------- */

/* The cost of one fixed batch on a device that was just enabled. */
static struct ppim_annotation cost(struct ppim_dev *d, uint32_t arch,
				   enum ppim_layout shared)
{
	struct ppim_test_table *t = qr_table(d, shared);
	struct ppim_annotation note;
	struct ppim_test_batch *b;
	struct ppim_test_job job;

	ppim_job_random(&job, t, 8, 80, 44);
	b = ppim_batch_new(d, &job, 1, arch);
	note = ppim_batch_check(d, b);
	g_assert_cmpuint(note.lookups, ==, job.n_indices);
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
	return note;
}

static void test_annotation_is_whole(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation n = cost(d, PPIM_ARCH_PROACTIVE,
					PPIM_LAYOUT_COPIES);
	uint32_t i;

	g_assert_cmpuint(n.end_ps, >, n.start_ps);
	g_assert_cmpuint(n.busy_ps, >, 0);
	g_assert_cmpuint(n.busy_ps, <=, n.end_ps - n.start_ps);
	g_assert_cmpuint(n.cycles, ==, DIV_ROUND_UP(n.busy_ps, 1000));
	g_assert_cmpuint(n.reads_hbm, >, 0);
	g_assert_cmpuint(n.reads_dimm, >, 0);	/* the fifth extent of Q */
	g_assert_cmpuint(n.activations_hbm, >, 0);
	g_assert_cmpuint(n.activations_dimm, >, 0);
	g_assert_cmpuint(n.prefetches, >, 0);
	g_assert_cmpuint(n.sram_hits, >, 0);
	g_assert_cmpuint(n.transfers, >, 0);
	g_assert_cmpuint(n.activate_pj, >, 0);
	g_assert_cmpuint(n.read_pj, >, 0);
	g_assert_cmpuint(n.standby_pj, >, 0);
	g_assert_cmpuint(n.energy_pj, >, n.activate_pj + n.read_pj +
			 n.write_pj + n.refresh_pj + n.standby_pj);
	g_assert_cmpuint(n.entry_refs, >=, n.entry_reuses);
	g_assert_cmpuint(n.entry_reuses, >, 0);
	g_assert_cmpuint(n.arch, ==, PPIM_ARCH_PROACTIVE);
	g_assert_cmpuint(n.bound_by, <, PPIM_BOUND_COUNT);
	for (i = 0; i < ARRAY_SIZE(n.reserved); i++)
		g_assert_cmpuint(n.reserved[i], ==, 0);
}

/* The same commands after a reset cost the same, to the picosecond. */
static void test_repeats(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation a, b;

	a = cost(d, PPIM_ARCH_PROACTIVE, PPIM_LAYOUT_COPIES);
	ppim_dev_disable(d);
	ppim_dev_start(d);
	d->used_slice = d->used_dimm = d->table_ids = 0;
	b = cost(d, PPIM_ARCH_PROACTIVE, PPIM_LAYOUT_COPIES);
	g_assert_cmpmem(&a, sizeof(a), &b, sizeof(b));
}

/* No annotation wanted: none written, and everything else as usual. */
static void test_no_annotation(struct ppim_dev *d, const void *arg)
{
	struct ppim_test_table *t = qr_table(d, PPIM_LAYOUT_COPIES);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_cqe cqe;

	ppim_job_random(&job, t, 4, 10, 3);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_DEFAULT);
	b->sqe.gnr.annotation = 0;
	cqe = ppim_run(d, &d->io, b->sqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	ppim_batch_verify(d, b);
	g_assert_true(ppim_untouched(d, b->annotation_addr, 256));
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

/* What a mechanism is for shows: without copies operands move, with the SRAM
 * R is not read from the banks. */
static void test_mechanisms(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation moved, copied, fetched;

	moved = cost(d, PPIM_ARCH_BGPIM, PPIM_LAYOUT_ONE);
	copied = cost(d, PPIM_ARCH_BGPIM_DUP, PPIM_LAYOUT_COPIES);
	fetched = cost(d, PPIM_ARCH_PROACTIVE, PPIM_LAYOUT_COPIES);
	g_assert_cmpuint(moved.moves, >, copied.moves);
	g_assert_cmpuint(moved.busy_ps, >, copied.busy_ps);
	g_assert_cmpuint(copied.sram_hits, ==, 0);
	g_assert_cmpuint(fetched.sram_hits, >, 0);
	g_assert_cmpuint(fetched.activations_hbm, <, copied.activations_hbm);
	g_assert_cmpuint(fetched.busy_ps, <, copied.busy_ps);
}

/* Negative controls: a device with one property changed. */
static struct ppim_annotation cost_with(const char *props, uint32_t arch)
{
	struct ppim_dev *d = ppim_dev_spawn("", props);
	struct ppim_annotation note;

	ppim_dev_start(d);
	note = cost(d, arch, PPIM_LAYOUT_COPIES);
	ppim_dev_quit(d);
	return note;
}

static void test_raising_tfaw(struct ppim_dev *d, const void *arg)
{
	uint64_t was = cost(d, PPIM_ARCH_PROACTIVE,
			    PPIM_LAYOUT_COPIES).busy_ps;
	uint64_t is = cost_with("params=hbm.tFAW=300",
				PPIM_ARCH_PROACTIVE).busy_ps;

	g_assert_cmpuint(is, >, was);
}

static void test_taking_sram(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation was = cost(d, PPIM_ARCH_PROACTIVE,
					  PPIM_LAYOUT_COPIES);
	struct ppim_annotation is = cost_with("sram=0", PPIM_ARCH_PROACTIVE);

	g_assert_cmpuint(was.sram_hits, >, 0);
	g_assert_cmpuint(is.sram_hits, ==, 0);
	g_assert_cmpuint(is.sram_misses, >, 0);
	g_assert_cmpuint(is.busy_ps, >, was.busy_ps);
}

/* Whatever the number of workers, the annotation is the same. */
static void test_threads_do_not_matter(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation a = cost_with("threads=1", PPIM_ARCH_PROACTIVE);
	struct ppim_annotation b = cost_with("threads=7", PPIM_ARCH_PROACTIVE);

	g_assert_cmpmem(&a, sizeof(a), &b, sizeof(b));
}

static void test_statistics_add_up(struct ppim_dev *d, const void *arg)
{
	struct ppim_annotation a, b;
	struct ppim_hw_stats s;

	a = cost(d, PPIM_ARCH_PROACTIVE, PPIM_LAYOUT_COPIES);
	b = cost(d, PPIM_ARCH_BGPIM, PPIM_LAYOUT_ONE);
	s = ppim_stats(d);
	g_assert_cmpuint(s.lookups, ==, a.lookups + b.lookups);
	g_assert_cmpuint(s.reads_hbm, ==, a.reads_hbm + b.reads_hbm);
	g_assert_cmpuint(s.reads_dimm, ==, a.reads_dimm + b.reads_dimm);
	g_assert_cmpuint(s.activations_hbm, ==,
			 a.activations_hbm + b.activations_hbm);
	g_assert_cmpuint(s.activations_dimm, ==,
			 a.activations_dimm + b.activations_dimm);
	g_assert_cmpuint(s.sram_hits, ==, a.sram_hits + b.sram_hits);
	g_assert_cmpuint(s.moves, ==, a.moves + b.moves);
	g_assert_cmpuint(s.transfers, ==, a.transfers + b.transfers);
	g_assert_cmpuint(s.energy_pj, ==, a.energy_pj + b.energy_pj);
	g_assert_cmpuint(s.busy_ps, ==, a.busy_ps + b.busy_ps);
	g_assert_cmpuint(s.completed, ==, 2);
}

/* ---- when a completion appears ------------------------------------------ */

struct flight {
	struct ppim_test_table *table;
	struct ppim_test_job job;
	struct ppim_test_batch *batch;
};

static struct flight flight_new(struct ppim_dev *d, uint64_t seed)
{
	struct flight f = { qr_table(d, PPIM_LAYOUT_COPIES) };

	ppim_job_random(&f.job, f.table, 8, 80, seed);
	f.batch = ppim_batch_new(d, &f.job, 1, PPIM_ARCH_PROACTIVE);
	return f;
}

static void flight_free(struct flight *f)
{
	ppim_batch_free(f->batch);
	ppim_job_free(&f->job);
	ppim_table_free(f->table);
}

static void flight_launch(struct ppim_dev *d, struct flight *f)
{
	ppim_push(d, &d->io, &f->batch->sqe);
	ppim_ring_doorbell(d, &d->io);
}

/* A worker needs real time for the answer; the guest's clock stands still. */
static bool appears(struct ppim_dev *d)
{
	int64_t end = g_get_monotonic_time() + PPIM_TEST_WAIT_US;
	struct ppim_hw_cqe cqe;

	while (g_get_monotonic_time() < end) {
		if (ppim_poll(d, &d->io, &cqe))
			return true;
		g_usleep(200);
	}
	return false;
}

/* Its cost is known from a first run; then the same again after a reset. */
static void test_not_before_its_time(struct ppim_dev *d, const void *arg)
{
	struct flight f = flight_new(d, 44);
	uint64_t ns = DIV_ROUND_UP(ppim_batch_check(d, f.batch).busy_ps,
				   PS_PER_NS);

	ppim_dev_disable(d);
	ppim_dev_start(d);
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==, 0);
	flight_launch(d, &f);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	ppim_step(d, ns - 1);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==, 0);
	ppim_step(d, 1);
	g_assert_true(appears(d));
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==,
			 ppim_batch_annotation(d, f.batch).end_ps);
	flight_free(&f);
}

/* Nothing of the output is to be seen early, either. */
static void test_output_is_not_early(struct ppim_dev *d, const void *arg)
{
	struct flight f = flight_new(d, 44);

	flight_launch(d, &f);
	g_assert_true(ppim_stays_quiet(d, &d->io));
	g_assert_true(ppim_batch_untouched(d, f.batch));
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(appears(d));
	ppim_batch_verify(d, f.batch);
	flight_free(&f);
}

/* The second begins where the first ends. */
static void test_one_after_the_other(struct ppim_dev *d, const void *arg)
{
	struct flight a = flight_new(d, 44), b = flight_new(d, 45);
	struct ppim_annotation first, second;

	flight_launch(d, &a);
	flight_launch(d, &b);
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_true(appears(d));
	g_assert_true(appears(d));
	first = ppim_batch_annotation(d, a.batch);
	second = ppim_batch_annotation(d, b.batch);
	g_assert_cmpuint(second.end_ps, >, first.end_ps);
	g_assert_cmpuint(second.start_ps, >=, first.start_ps);
	g_assert_cmpuint(second.end_ps - first.end_ps, <=, second.busy_ps);
	ppim_batch_verify(d, a.batch);
	ppim_batch_verify(d, b.batch);
	flight_free(&a);
	flight_free(&b);
}

static void test_untimed_at_once(struct ppim_dev *unused, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "timing=off");
	struct ppim_annotation note;
	struct flight f;

	ppim_dev_start(d);
	f = flight_new(d, 44);
	flight_launch(d, &f);
	g_assert_true(appears(d));
	ppim_batch_verify(d, f.batch);
	note = ppim_batch_annotation(d, f.batch);
	g_assert_cmpuint(note.busy_ps, >, 0);
	g_assert_cmpuint(note.end_ps, >, note.start_ps);
	flight_free(&f);
	ppim_dev_quit(d);
}

/* With the guest's clock as timeline, idle time is time. */
static void test_guest_timebase(struct ppim_dev *unused, const void *arg)
{
	struct ppim_dev *d = ppim_dev_spawn("", "timebase=guest");
	uint64_t now;
	struct flight f;

	ppim_dev_start(d);
	g_assert_cmpuint(ppim_readl(d, PPIM_REG_TIMEBASE), ==,
			 PPIM_TIMEBASE_GUEST);
	f = flight_new(d, 44);
	now = ppim_readq(d, PPIM_REG_NOW_PS);
	ppim_step(d, 12345);
	now += 12345 * PS_PER_NS;
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==, now);
	ppim_batch_check(d, f.batch);
	g_assert_cmpuint(ppim_batch_annotation(d, f.batch).start_ps, ==, now);
	flight_free(&f);
	ppim_dev_quit(d);
}

/* Idle time is none on the device's own timeline. */
static void test_device_timebase(struct ppim_dev *d, const void *arg)
{
	struct flight f = flight_new(d, 44);
	uint64_t end;

	end = ppim_batch_check(d, f.batch).end_ps;
	ppim_step(d, PPIM_TEST_SECOND);
	g_assert_cmpuint(ppim_readq(d, PPIM_REG_NOW_PS), ==, end);
	ppim_run(d, &d->io, f.batch->sqe);
	g_assert_cmpuint(ppim_batch_annotation(d, f.batch).start_ps, ==, end);
	flight_free(&f);
}

/* A completion that the host was late with is counted. The clock jumps far
 * beyond the end while the workers have had no chance. */
static void test_late_is_counted(struct ppim_dev *d, const void *arg)
{
	struct ppim_shape shape = ppim_shape_dense(50, 1000);
	struct ppim_test_table *t = ppim_table_new(d, &shape, 2,
						   PPIM_LAYOUT_ONE,
						   PPIM_LAYOUT_ONE);
	struct ppim_test_batch *b;
	struct ppim_test_job job;
	struct ppim_hw_stats s;
	struct ppim_hw_cqe cqe;

	ppim_job_random(&job, t, 1, 200000, 3);
	b = ppim_batch_new(d, &job, 1, PPIM_ARCH_BGPIM);
	ppim_push(d, &d->io, &b->sqe);
	ppim_ring_doorbell(d, &d->io);
	ppim_step(d, 100 * PPIM_TEST_SECOND);
	ppim_wait(d, &d->io, &cqe);
	ppim_assert_cqe(&cqe, PPIM_ST_OK, 0);
	s = ppim_stats(d);
	g_assert_cmpuint(s.late_count, ==, 1);
	g_assert_cmpuint(s.late_max_ns, >, PPIM_TEST_SECOND);
	g_assert_cmpuint(s.late_sum_ns, ==, s.late_max_ns);
	ppim_batch_free(b);
	ppim_job_free(&job);
	ppim_table_free(t);
}

static void register_tests(void)
{
	ppim_add_test("preset/no-copy", test_no_copy, NULL);
	ppim_add_test("preset/no-copy-of-g3", test_no_copy_of_g3, NULL);
	ppim_add_test("preset/one-copy-missing", test_one_copy_missing, NULL);
	ppim_add_test("preset/no-hint", test_no_hint, NULL);
	ppim_add_variant_test("preset/default", test_default_arch, NULL);
	ppim_add_test("annotation/is-whole", test_annotation_is_whole, NULL);
	ppim_add_test("annotation/repeats", test_repeats, NULL);
	ppim_add_variant_test("annotation/not-wanted", test_no_annotation,
			      NULL);
	ppim_add_test("annotation/mechanisms", test_mechanisms, NULL);
	ppim_add_test("annotation/raising-tfaw", test_raising_tfaw, NULL);
	ppim_add_test("annotation/taking-sram", test_taking_sram, NULL);
	ppim_add_test("annotation/threads-do-not-matter",
		      test_threads_do_not_matter, NULL);
	ppim_add_test("annotation/statistics-add-up", test_statistics_add_up,
		      NULL);
	ppim_add_test("time/not-before-its-time", test_not_before_its_time,
		      NULL);
	ppim_add_test("time/output-is-not-early", test_output_is_not_early,
		      NULL);
	ppim_add_test("time/one-after-the-other", test_one_after_the_other,
		      NULL);
	ppim_add_test("time/untimed-at-once", test_untimed_at_once, NULL);
	ppim_add_test("time/guest-timebase", test_guest_timebase, NULL);
	ppim_add_test("time/device-timebase", test_device_timebase, NULL);
	ppim_add_test("time/late-is-counted", test_late_is_counted, NULL);
}

libqos_init(register_tests);
