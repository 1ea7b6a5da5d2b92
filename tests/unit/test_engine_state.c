// SPDX-License-Identifier: MIT
/* State over batches: saving, loading, replaying, time that moves on. */
#include <unistd.h>
#include "pim_fixture.h"
#include "ppim-engine/replay.h"

static const struct fx_options small = { .algo = PPIM_ALGO_QR,
					 .bags = 4,
					 .pooling = 20,
					 .n_tables = 6,
					 .cold_percent = 30 };

/* Batch number i: other indices, another preset, queue and arrival. */
static void step(struct ppim_engine *e, struct fx_batch *b, uint32_t i,
		 struct ppim_annotation *out)
{
	fx_batch_next(b, &small, i);
	b->batch.queue = i % 3;
	fx_charge(e, b, PPIM_ARCH_CPU + i % 8, i * 2000000ull, out);
}

static void same(const struct ppim_annotation *a,
		 const struct ppim_annotation *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void two_runs_are_equal(void **state)
{
	struct ppim_annotation a, b;
	struct ppim_engine *e, *f;
	struct fx_batch batch;
	struct fx_setup s;
	uint32_t i;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	f = fx_engine(&s);
	fx_batch_init(&batch, &small);
	for (i = 0; i < 32; i++) {
		step(e, &batch, i, &a);
		step(f, &batch, i, &b);
		same(&a, &b);
	}
	/* and so is one that was reset */
	ppim_engine_reset(e);
	ppim_engine_reset(f);
	assert_int_equal(ppim_engine_now_ps(e), 0);
	ppim_engine_free(f);
	f = fx_engine(&s);
	for (i = 0; i < 32; i++) {
		step(e, &batch, i, &a);
		step(f, &batch, i, &b);
		same(&a, &b);
	}
	fx_batch_free(&batch);
	ppim_engine_free(e);
	ppim_engine_free(f);
}

static void *saved(const struct ppim_engine *e, size_t *bytes)
{
	void *buf;

	*bytes = ppim_engine_save(e, NULL, 0);
	buf = malloc(*bytes);
	assert_non_null(buf);
	assert_int_equal(ppim_engine_save(e, buf, *bytes), *bytes);
	return buf;
}

static void a_run_that_was_saved_and_loaded_goes_on_the_same(void **state)
{
	struct ppim_annotation a, b;
	struct ppim_engine *e, *f;
	struct ppim_diag diag = { "" };
	struct fx_batch batch;
	struct fx_setup s;
	size_t bytes;
	uint32_t i;
	void *buf;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	fx_batch_init(&batch, &small);
	for (i = 0; i < 48; i++) {
		if (i % 6 == 0) {
			buf = saved(e, &bytes);
			f = fx_engine(&s);
			if (ppim_engine_load(f, buf, bytes, &diag))
				fail_msg("%s", diag.msg);
			ppim_engine_free(e);
			e = f;
			free(buf);
		}
		step(e, &batch, i, &a);
	}
	f = fx_engine(&s);
	for (i = 0; i < 48; i++)
		step(f, &batch, i, &b);
	same(&a, &b);
	assert_int_equal(ppim_engine_now_ps(e), ppim_engine_now_ps(f));
	fx_batch_free(&batch);
	ppim_engine_free(e);
	ppim_engine_free(f);
}

static void a_short_buffer_is_filled_and_not_overrun(void **state)
{
	struct ppim_engine *e;
	struct fx_setup s;
	uint8_t *buf;
	size_t bytes;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	bytes = ppim_engine_save(e, NULL, 0);
	buf = malloc(100); /* a checker of memory sees an overrun */
	assert_non_null(buf);
	assert_int_equal(ppim_engine_save(e, buf, 100), bytes);
	free(buf);
	ppim_engine_free(e);
}

/* Whatever a state says: refused and nothing changed, or taken and survived. */
static void hostile_states_are_survived(void **state)
{
	struct ppim_annotation a, b;
	struct ppim_engine *e, *clean;
	struct ppim_diag diag;
	struct fx_batch batch;
	struct fx_setup s;
	uint32_t i, taken = 0;
	uint64_t *buf, keep;
	size_t bytes, at;

	(void)state;
	fx_setup_init(&s);
	clean = fx_engine(&s);
	e = fx_engine(&s);
	fx_batch_init(&batch, &small);
	for (i = 0; i < 16; i++)
		step(e, &batch, i, &a);
	buf = saved(e, &bytes);
	for (i = 0; i < 3000; i++) {
		at = fx_hash(i) % (i & 1 ? bytes / 8 : 3000);
		keep = buf[at];
		buf[at] = fx_hash(~(uint64_t)i) >> (i % 64);
		diag.msg[0] = '\0';
		if (ppim_engine_load(e, buf, bytes, &diag)) {
			assert_true(diag.msg[0]);
		} else if (taken++ < 300) {
			step(e, &batch, i, &a);
		}
		buf[at] = keep;
	}
	assert_true(taken > 0);
	/* truncated, too long, of another engine */
	assert_int_equal(ppim_engine_load(e, buf, bytes - 8, &diag), -EINVAL);
	assert_int_equal(ppim_engine_load(e, buf, 8, &diag), -EINVAL);
	assert_int_equal(ppim_engine_load(e, buf, 0, &diag), -EINVAL);
	fx_param(&s, "sram_bytes", "1024");
	ppim_engine_free(e);
	e = fx_engine(&s);
	assert_int_equal(ppim_engine_load(e, buf, bytes, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "parameters"));
	ppim_engine_free(e);
	/* a refused state leaves the engine as it was */
	fx_setup_init(&s);
	e = fx_engine(&s);
	buf[4] = UINT64_MAX; /* the end of all work */
	assert_int_equal(ppim_engine_load(e, buf, bytes, &diag), -EINVAL);
	step(e, &batch, 0, &a);
	step(clean, &batch, 0, &b);
	same(&a, &b);
	free(buf);
	fx_batch_free(&batch);
	ppim_engine_free(e);
	ppim_engine_free(clean);
}

/* ---- time --------------------------------------------------------------- */

static void batches_wait_for_each_other_and_never_go_back(void **state)
{
	struct ppim_annotation a, alone;
	uint64_t last = 0, arrival;
	struct ppim_engine *e;
	struct fx_batch batch;
	struct fx_setup s;
	uint32_t i;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	fx_batch_init(&batch, &small);
	fx_charge(e, &batch, PPIM_ARCH_PROACTIVE, 0, &alone);
	last = alone.end_ps;
	for (i = 0; i < 20; i++) {
		arrival = i < 10 ? 0 : last + 1000000;
		fx_charge(e, &batch, PPIM_ARCH_PROACTIVE, arrival, &a);
		assert_true(a.start_ps >= arrival);
		assert_true(a.end_ps > last);
		assert_int_equal(ppim_engine_now_ps(e), a.end_ps);
		last = a.end_ps;
	}
	fx_batch_free(&batch);
	ppim_engine_free(e);
}

static void the_bound_is_never_late(void **state)
{
	struct fx_options o = small;
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_batch batch;
	struct fx_setup s;
	uint64_t bound;
	uint32_t i;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	for (i = 0; i < 96; i++) {
		o.algo = (uint8_t)(i % 3);
		o.uniform = i & 1;
		o.cold_percent = i % 5 * 20;
		o.pooling = 1 + i % 40;
		o.seed = i;
		fx_batch_init(&batch, &o);
		batch.batch.arch = PPIM_ARCH_CPU + i % 8;
		bound = ppim_engine_bound_ps(e, &batch.batch, i * 777777ull);
		fx_charge(e, &batch, PPIM_ARCH_CPU + i % 8, i * 777777ull, &a);
		assert_true(bound >= i * 777777ull);
		assert_true(bound <= a.end_ps);
		fx_batch_free(&batch);
	}
	ppim_engine_free(e);
}

/* A guest that is up for months: times are moved back inside, not outside. */
static void late_arrivals_are_as_good_as_early_ones(void **state)
{
	static const uint64_t arrivals[] = {
		0,	    1000000000ull,
		1ull << 50, 1ull << 58,
		1ull << 60, (1ull << 60) + (1ull << 59),
		1ull << 61, (1ull << 62) + 12345678,
	};
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_batch batch;
	struct fx_setup s;
	uint32_t i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		fx_setup_init(&s);
		if (k) /* a tick of one femtosecond */
			s.dimm.t.tck_fs = 416667;
		e = fx_engine(&s);
		fx_batch_init(&batch, &small);
		for (i = 0; i < (k ? 5 : 8); i++) {
			fx_charge(e, &batch, PPIM_ARCH_BGPIM, arrivals[i], &a);
			assert_true(a.start_ps >= arrivals[i]);
			assert_in_range(a.end_ps - arrivals[i], 1000000,
					100000000);
			assert_in_range(a.cycles, 1000, 100000);
		}
		fx_batch_free(&batch);
		ppim_engine_free(e);
	}
}

/* ---- copies ------------------------------------------------------------- */

static void copies_take_banks_and_bus_like_any_others(void **state)
{
	struct ppim_annotation a, b;
	struct ppim_engine *e;
	struct fx_text t = { 0 };
	struct fx_batch batch;
	struct fx_setup s;
	uint64_t end;

	(void)state;
	fx_setup_init(&s);
	s.hbm.refresh = PPIM_REFRESH_NONE;
	e = fx_engine(&s);
	ppim_engine_trace(e, fx_text_trace, &t);
	/* one bank group's rows, bank by bank: its channel's 32 B/ns */
	ppim_engine_copy(e, PPIM_TIER_HBM, 128 << 20, 1 << 20, 1, 0, 0, &a);
	assert_in_range(a.cycles, 32768, 32768 + 100);
	assert_int_equal(a.activations_hbm, 512);
	assert_int_equal(a.reads_hbm, 0);
	end = a.end_ps;
	/* unaligned: the bursts that it touches */
	ppim_engine_copy(e, PPIM_TIER_DIMM, 100, 60, 0, end, 1, &b);
	assert_int_equal(b.reads_dimm, 2);
	/* a batch that comes meanwhile waits */
	fx_batch_init(&batch, &small);
	fx_charge(e, &batch, PPIM_ARCH_BGPIM_DUP, 0, &a);
	assert_true(a.start_ps >= end);
	ppim_engine_copy(e, PPIM_TIER_HBM, 0, 0, 0, 0, 0, &b);
	assert_int_equal(b.cycles, 0);
	ppim_engine_reset(e);
	ppim_engine_trace(e, NULL, NULL);
	fx_run(e, PPIM_ARCH_BGPIM, t.buf, &b);
	assert_int_equal(ppim_engine_now_ps(e), a.end_ps);
	fx_text_free(&t);
	fx_batch_free(&batch);
	ppim_engine_free(e);
}

/* A receiver knows how large a state will be. */
static void a_states_size_depends_on_the_configuration_alone(void **state)
{
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct fx_batch batch;
	struct fx_setup s;
	size_t fresh;
	uint32_t i;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	fresh = ppim_engine_save(e, NULL, 0);
	fx_batch_init(&batch, &small);
	for (i = 0; i < 8; i++)
		step(e, &batch, i, &a);
	assert_int_equal(ppim_engine_save(e, NULL, 0), fresh);
	fx_batch_free(&batch);
	ppim_engine_free(e);
}

/* ---- cancelled ---------------------------------------------------------- */

struct canceller {
	uint32_t lines, at;
	bool set;
};

static void cancel_at_line(void *opaque, const char *line)
{
	struct canceller *c = opaque;

	(void)line;
	if (++c->lines == c->at)
		__atomic_store_n(&c->set, true, __ATOMIC_RELAXED);
}

/* Not one command more, in any preset; the state can be saved and loaded, and a
 * reset makes it as new. */
static void a_cancelled_batch_is_charged_no_further(void **state)
{
	struct canceller c = { .at = 100 };
	struct fx_options o = small;
	struct ppim_annotation a, b;
	struct ppim_engine *e, *f;
	struct ppim_diag diag;
	struct fx_batch batch;
	struct fx_setup s;
	size_t bytes;
	uint32_t i, j;
	void *buf;

	(void)state;
	fx_setup_init(&s);
	for (i = 0; i < 16; i++) {
		o.algo = i / 8 ? PPIM_ALGO_TT : PPIM_ALGO_QR;
		e = fx_engine(&s);
		f = fx_engine(&s);
		fx_batch_init(&batch, &o);
		c.lines = 0;
		c.set = false;
		for (j = 0; j < batch.batch.n_jobs; j++)
			batch.job[j].cancel = &c.set;
		batch.batch.arch = PPIM_ARCH_CPU + i % 8;
		ppim_engine_trace(e, cancel_at_line, &c);
		assert_int_equal(ppim_engine_charge(e, &batch.batch, 0, &a),
				 -ECANCELED);
		/* and the empty line of the phase that it was in */
		assert_in_range(c.lines, 100, 101);
		ppim_engine_trace(e, NULL, NULL);
		buf = saved(e, &bytes);
		assert_int_equal(ppim_engine_load(f, buf, bytes, &diag), 0);
		free(buf);
		ppim_engine_reset(e);
		ppim_engine_free(f);
		f = fx_engine(&s);
		c.set = false;
		for (j = 0; j < 8; j++) {
			step(e, &batch, j, &a);
			step(f, &batch, j, &b);
			same(&a, &b);
		}
		fx_batch_free(&batch);
		ppim_engine_free(e);
		ppim_engine_free(f);
	}
}

/* ---- replay ------------------------------------------------------------- */

struct dump {
	char path[64];
	FILE *file;
};

static void dump_line(void *opaque, const char *line)
{
	struct dump *d = opaque;

	fprintf(d->file, "%s\n", line);
}

static void dump_open(struct dump *d)
{
	int fd;

	strcpy(d->path, "/tmp/ppim-replay-XXXXXX");
	fd = mkstemp(d->path);
	assert_true(fd >= 0);
	d->file = fdopen(fd, "w");
	assert_non_null(d->file);
}

/* A copy before each third batch, inside either tier, by a queue of its own. */
static const struct ppim_replay_copy *dump_copy(uint32_t i)
{
	static struct ppim_replay_copy copy;

	copy = (struct ppim_replay_copy){
		.tier = i & 1 ? PPIM_TIER_DIMM : PPIM_TIER_HBM,
		.write = i >> 1 & 1,
		.queue = 7,
		.addr = fx_hash(i) % (1ull << 31),
		.bytes = 1 + fx_hash(i) % 9000,
	};
	return i % 3 ? NULL : &copy;
}

static void charge_copy(struct ppim_engine *e, const struct ppim_replay_copy *c,
			uint64_t arrival_ps)
{
	struct ppim_annotation a;

	ppim_engine_copy(e, c->tier, c->addr, c->bytes, c->write, arrival_ps,
			 c->queue, &a);
}

/* Charges 24 batches, of which the last 16 are dumped; a table changes, and
 * copies go between. */
static void dump_run(struct dump *d, const struct fx_setup *s,
		     const struct fx_options *o, struct ppim_annotation *out)
{
	struct ppim_replay_writer *w = NULL;
	struct ppim_engine *e = fx_engine(s);
	struct fx_batch b;
	uint32_t i;

	fx_batch_init(&b, o);
	b.job[1].has_padding = 1;
	b.job[1].padding_index = 3;
	b.job[2].weights = b.weights;
	for (i = 0; i < 24; i++) {
		if (i == 8)
			assert_int_equal(ppim_replay_writer_create(&s->config,
								   e, dump_line,
								   d, &w),
					 0);
		fx_batch_next(&b, o, i);
		b.batch.queue = i % 4;
		if (w && dump_copy(i))
			ppim_replay_write_copy(w, dump_copy(i), i * 1400000ull);
		if (dump_copy(i))
			charge_copy(e, dump_copy(i), i * 1400000ull);
		if (i == 15)
			b.table[0].epoch++;
		if (i == 17)
			b.extents[2][0][5].offset += 4096;
		b.batch.arch = PPIM_ARCH_CPU + i % 8;
		if (w)
			assert_int_equal(
				ppim_replay_write(w, &b.batch, i * 1500000ull),
				0);
		fx_charge(e, &b, b.batch.arch, i * 1500000ull,
			  &out[i < 8 ? 0 : i - 8]);
	}
	ppim_replay_writer_free(w);
	assert_int_equal(fclose(d->file), 0);
	fx_batch_free(&b);
	ppim_engine_free(e);
}

static void dump_replays(const char *path, const struct ppim_annotation *said)
{
	struct ppim_replay *r = NULL;
	struct ppim_annotation a;
	struct ppim_engine *e;
	struct ppim_replay_record rec;
	struct ppim_diag diag = { "" };
	struct ppim_fault f;
	uint32_t i = 0, copies = 0;

	if (ppim_replay_open(path, &r, &diag))
		fail_msg("%s", diag.msg);
	assert_int_equal(ppim_engine_create(ppim_replay_config(r), &e, &diag),
			 0);
	if (ppim_replay_start(r, e, &diag))
		fail_msg("%s", diag.msg);
	while (ppim_replay_next(r, &rec, &diag) > 0) {
		if (rec.kind == PPIM_REPLAY_COPY) {
			charge_copy(e, &rec.copy, rec.arrival_ps);
			copies++;
			continue;
		}
		assert_true(i < 16);
		assert_int_equal(rec.batch.queue, (i + 8) % 4);
		assert_int_equal(ppim_engine_check(e, &rec.batch, &f), 0);
		assert_int_equal(
			ppim_engine_charge(e, &rec.batch, rec.arrival_ps, &a),
			0);
		same(&a, &said[i++]);
	}
	assert_string_equal(diag.msg, "");
	assert_int_equal(i, 16);
	assert_int_equal(copies, 5); /* before batches 9, 12, ... 21 */
	ppim_replay_close(r);
	ppim_engine_free(e);
}

static void a_dump_replays_to_the_same_annotations(void **state)
{
	struct fx_options o = small;
	struct ppim_annotation said[16];
	char command[160];
	struct dump d;
	struct fx_setup s;
	uint32_t algo;

	(void)state;
	for (algo = 0; algo <= PPIM_ALGO_TT; algo++) {
		fx_setup_init(&s);
		fx_param(&s, "link", algo == 1 ? "pcie" : "none");
		s.hbm.t.tfaw += algo; /* no file has it */
		s.hbm.power.vdd += 0.1 * algo;
		o.algo = (uint8_t)algo;
		o.pooling = 11;
		dump_open(&d);
		dump_run(&d, &s, &o, said);
		dump_replays(d.path, said);
		/* compressed as well */
		snprintf(command, sizeof(command), "gzip -f %s", d.path);
		assert_int_equal(system(command), 0);
		strcat(d.path, ".gz");
		dump_replays(d.path, said);
		unlink(d.path);
	}
}

/* Reads all of a text as a dump; 0 or the first error. */
static int read_dump(const char *text, struct ppim_diag *diag)
{
	struct ppim_replay_record rec;
	struct ppim_replay *r = NULL;
	struct dump d;
	int ret;

	dump_open(&d);
	fputs(text, d.file);
	assert_int_equal(fclose(d.file), 0);
	ret = ppim_replay_open(d.path, &r, diag);
	while (!ret && (ret = ppim_replay_next(r, &rec, diag)) > 0)
		ret = 0;
	ppim_replay_close(r);
	unlink(d.path);
	return ret;
}

static void damaged_dumps_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *line;
	} bad[] = {
		{ "", ":1:" },
		{ "ppim-replay 2\n", ":1:" },
		{ "ppim-replay 1\n", ":2:" },
		{ "ppim-replay 1\nbegin\n", ":2:" },
		{ "ppim-replay 1\nhbm 0 x HBM2_4Gb_x128\n", ":2:" },
		{ "ppim-replay 1\nhbm 0 4096 HBM2\nbegin\n", ":3:" },
		{ "ppim-replay 1\nspec hbm nosuch 4\n", ":2:" },
		{ "ppim-replay 1\nspec hbm channels 0\n", ":2:" },
		{ "ppim-replay 1\nspec hbm vdd -1\n", ":2:" },
		{ "ppim-replay 1\nspec hbm vdd nan\n", ":2:" },
		{ "ppim-replay 1\nspec link channels 1\n", ":2:" },
		{ "ppim-replay 1\nparam nosuch 4\n", ":2:" },
		{ "ppim-replay 1\nparam sram_bytes x\n", ":2:" },
		{ "ppim-replay 1\nstate zz\n", ":2:" },
		{ "ppim-replay 1\nstate 1*99999999999\n", ":2:" },
		{ "ppim-replay 1\nnonsense\n", ":2:" },
		{ "ppim-replay 1\nno end of line", ":2:" },
	};
	struct ppim_diag diag;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag.msg[0] = '\0';
		if (read_dump(bad[i].text, &diag) >= 0)
			fail_msg("taken: %s", bad[i].text);
		if (!strstr(diag.msg, bad[i].line))
			fail_msg("%s: %s", bad[i].text, diag.msg);
	}
	assert_int_equal(ppim_replay_open("/nonexistent/x", NULL, &diag),
			 -ENOENT);
}

static void change_spec(struct ppim_spec *s, uint64_t h)
{
	const uint32_t v =
		h >> 16 & 1 ? 1u << (h >> 8 & 15) : (uint32_t)(h >> 20) & 4095;
	uint32_t *const counts[] = { &s->channels,   &s->ranks,
				     &s->bankgroups, &s->banks_per_group,
				     &s->row_bytes,  &s->burst_bytes,
				     &s->bus_width,  &s->devices_per_rank };
	uint32_t *clocks = &s->t.burst;
	size_t n = (sizeof(s->t) - offsetof(struct ppim_timing, burst)) / 4;

	if (h & 1)
		*counts[(h >> 1) % 8] = v;
	else if (h & 2)
		clocks[(h >> 2) % n] = v;
	else if (h & 4)
		s->map.pos[(h >> 3) % PPIM_FIELD_COUNT] = v & 63;
	else
		s->t.tck_fs = v + 1;
}

/* An engine of what a dump says, if it says what can be; it runs. */
static bool dump_runs(const char *path)
{
	struct ppim_engine *e = NULL;
	struct ppim_replay *r = NULL;
	struct ppim_annotation a;
	struct ppim_diag diag;
	bool runs = !ppim_replay_open(path, &r, &diag) &&
		    !ppim_engine_create(ppim_replay_config(r), &e, &diag);

	if (runs)
		fx_run(e, PPIM_ARCH_BGPIM,
		       "HBM RD 0x0 9\nDIMM RD 0x40 9\nHBM DR 0x0 3\n"
		       "HBM RD 0x0 1 to=base\nHBM TR 0x0 2",
		       &a);
	else
		assert_true(diag.msg[0]);
	ppim_engine_free(e);
	ppim_replay_close(r);
	return runs;
}

/* Dumps of specifications that no file could name, with the fingerprint that
 * belongs to them. */
static void specifications_of_any_kind_are_judged(void **state)
{
	struct ppim_replay_writer *w;
	struct ppim_engine *e;
	struct fx_setup s;
	uint32_t i, runs = 0;
	struct dump d;

	(void)state;
	fx_setup_init(&s);
	e = fx_engine(&s);
	for (i = 0; i < 150; i++) {
		fx_setup_init(&s);
		s.config.hbm_bytes = 1ull << 30;
		change_spec(&s.hbm, fx_hash(2 * i));
		change_spec(&s.dimm, fx_hash(2 * i + 1));
		dump_open(&d);
		assert_int_equal(ppim_replay_writer_create(&s.config, e,
							   dump_line, &d, &w),
				 0);
		ppim_replay_writer_free(w);
		assert_int_equal(fclose(d.file), 0);
		runs += dump_runs(d.path);
		unlink(d.path);
	}
	assert_in_range(runs, 15, 135);
	ppim_engine_free(e);
}

/* A good dump with one character changed, or cut: an error or a batch that
 * ppim_engine_check() judges, never anything worse. */
static void changed_dumps_are_survived(void **state)
{
	struct fx_options o = small;
	struct ppim_annotation said[16];
	struct ppim_diag diag;
	struct fx_setup s;
	struct dump d;
	char *text, keep;
	size_t len, at;
	uint32_t i;
	FILE *f;

	(void)state;
	fx_setup_init(&s);
	o.n_tables = 3;
	o.bags = 2;
	o.pooling = 3;
	dump_open(&d);
	dump_run(&d, &s, &o, said);
	f = fopen(d.path, "r");
	assert_non_null(f);
	text = calloc(1, 4 << 20);
	assert_non_null(text);
	len = fread(text, 1, (4 << 20) - 1, f);
	fclose(f);
	unlink(d.path);
	assert_int_equal(read_dump(text, &diag), 0);
	for (i = 0; i < 400; i++) {
		/* the records behind the state are the smaller part */
		at = i & 1 ? fx_hash(i) % len : len - 1 - fx_hash(i) % 20000;
		keep = text[at];
		text[at] = "0919 -x\n"[fx_hash(i * 3) % 8];
		diag.msg[0] = '\0';
		if (read_dump(text, &diag) < 0)
			assert_true(diag.msg[0]);
		text[at] = keep;
	}
	for (i = 0; i < 50; i++) {
		at = len - 1 - fx_hash(i) % 20000;
		keep = text[at];
		text[at] = '\0';
		read_dump(text, &diag);
		text[at] = keep;
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_runs_are_equal),
		cmocka_unit_test(
			a_run_that_was_saved_and_loaded_goes_on_the_same),
		cmocka_unit_test(a_short_buffer_is_filled_and_not_overrun),
		cmocka_unit_test(hostile_states_are_survived),
		cmocka_unit_test(batches_wait_for_each_other_and_never_go_back),
		cmocka_unit_test(the_bound_is_never_late),
		cmocka_unit_test(late_arrivals_are_as_good_as_early_ones),
		cmocka_unit_test(copies_take_banks_and_bus_like_any_others),
		cmocka_unit_test(
			a_states_size_depends_on_the_configuration_alone),
		cmocka_unit_test(a_cancelled_batch_is_charged_no_further),
		cmocka_unit_test(a_dump_replays_to_the_same_annotations),
		cmocka_unit_test(damaged_dumps_are_refused_with_their_line),
		cmocka_unit_test(specifications_of_any_kind_are_judged),
		cmocka_unit_test(changed_dumps_are_survived),
	};

	return cmocka_run_group_tests_name("engine_state", tests, NULL, NULL);
}
