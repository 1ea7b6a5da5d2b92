// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps of what the device was asked and of what it did, for ppim-sim. Only
 * the workers' gate is here, so the records stand in the order of the charges;
 * a batch is in the file before its completion can be seen.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "ppim.h"
#include "ppim-engine/replay.h"

struct ppim_dump {
	struct ppim_engine *engine;
	struct ppim_config *settings;
	struct ppim_replay_writer *writer;
	FILE *file[PPIM_DUMPS];
	bool stale;	/* of a run that a reset has ended */
};

static void line_write(void *opaque, const char *line)
{
	FILE *file = opaque;

	fputs(line, file);
	putc('\n', file);
}

static void dump_end(struct ppim_dump *d, enum ppim_dump_kind kind)
{
	if (!d->file[kind])
		return;
	if (kind == PPIM_DUMP_TRACE) {
		ppim_engine_trace(d->engine, NULL, NULL);
	} else {
		ppim_replay_writer_free(d->writer);
		d->writer = NULL;
	}
	if (fclose(d->file[kind]))
		warn_report("ppim: dump: %s", strerror(errno));
	d->file[kind] = NULL;
}

static void replay_begin(struct ppim_dump *d)
{
	if (ppim_replay_writer_create(&d->settings->engine, d->engine,
				      line_write, d->file[PPIM_DUMP_REPLAY],
				      &d->writer)) {
		warn_report("ppim: replay-dump: no memory");
		dump_end(d, PPIM_DUMP_REPLAY);
	}
}

void ppim_dump_set(struct ppim_dump *d, const struct ppim_dump_file *to)
{
	dump_end(d, to->kind);
	d->file[to->kind] = to->file;
	if (!to->file)
		return;
	if (to->kind == PPIM_DUMP_REPLAY)
		replay_begin(d);
	else
		ppim_engine_trace(d->engine, line_write, to->file);
}

/*
 * A dump tells of one run from its beginning: what is charged first after a
 * reset begins the files anew. Until then the last run's stay, for a guest
 * resets the device when it shuts down.
 */
void ppim_dump_reset(struct ppim_dump *d)
{
	d->stale = true;
}

static void dump_renew(struct ppim_dump *d)
{
	int kind;

	if (!d->stale)
		return;
	d->stale = false;
	for (kind = 0; kind < PPIM_DUMPS; kind++)
		if (d->file[kind] && (fflush(d->file[kind]) ||
				      ftruncate(fileno(d->file[kind]), 0)))
			warn_report("ppim: dump: %s", strerror(errno));
		else if (d->file[kind])
			rewind(d->file[kind]);
	if (!d->writer)
		return;
	ppim_replay_writer_free(d->writer);
	d->writer = NULL;
	replay_begin(d);
}

/* Before its charge. */
void ppim_dump_batch(struct ppim_dump *d, const struct ppim_batch *batch,
		     uint64_t arrival_ps)
{
	dump_renew(d);
	if (d->writer && ppim_replay_write(d->writer, batch, arrival_ps)) {
		warn_report("ppim: replay-dump ends: no memory");
		dump_end(d, PPIM_DUMP_REPLAY);
	}
}

void ppim_dump_copy(struct ppim_dump *d, const struct ppim_cmd *cmd)
{
	const struct ppim_replay_copy copy = {
		.tier = cmd->copy_tier,
		.write = cmd->kind == PPIM_CMD_WRITE,
		.queue = cmd->qid,
		.addr = cmd->copy_offset,
		.bytes = cmd->copy_bytes,
	};

	dump_renew(d);
	if (d->writer)
		ppim_replay_write_copy(d->writer, &copy, cmd->arrival_ps);
}

/* After its charge: a full disk ends a dump, nothing else. */
void ppim_dump_flush(struct ppim_dump *d)
{
	int kind;

	for (kind = 0; kind < PPIM_DUMPS; kind++)
		if (d->file[kind] && fflush(d->file[kind])) {
			warn_report("ppim: dump ends: %s", strerror(errno));
			dump_end(d, kind);
		}
}

struct ppim_dump *ppim_dump_new(struct ppim_engine *engine,
				struct ppim_config *settings)
{
	struct ppim_dump *d = g_new0(struct ppim_dump, 1);

	d->engine = engine;
	d->settings = settings;
	return d;
}

void ppim_dump_free(struct ppim_dump *d)
{
	int kind;

	for (kind = 0; kind < PPIM_DUMPS; kind++)
		dump_end(d, kind);
	g_free(d->settings);
	g_free(d);
}
