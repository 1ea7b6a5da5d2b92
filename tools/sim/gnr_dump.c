// SPDX-License-Identifier: MIT
/* Dumps of what ppim-sim gnr charges, in the device's formats. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "ppim-engine/replay.h"
#include "sim_gnr.h"

struct gnr_dump {
	FILE *replay, *trace;
	struct ppim_replay_writer *writer;
};

static void line_write(void *opaque, const char *line)
{
	fprintf(opaque, "%s\n", line);
}

static FILE *file_create(const char *path)
{
	FILE *f = path ? fopen(path, "w") : NULL;

	if (path && !f)
		cli_die(CLI_USAGE, "%s: %s", path, strerror(errno));
	return f;
}

static void file_close(FILE *f)
{
	if (f && (fflush(f) || ferror(f) || fclose(f)))
		cli_die(CLI_FAILED, "dump: %s", strerror(errno));
}

void gnr_dump_open(const struct gnr_config *c, struct gnr_model *m)
{
	struct gnr_dump *d = calloc(1, sizeof(*d));

	if (!d)
		cli_die(CLI_FAILED, "no memory for a dump");
	d->replay = file_create(c->replay_dump);
	d->trace = file_create(c->trace_dump);
	if (d->replay &&
	    ppim_replay_writer_create(&m->config, m->engine, line_write,
				      d->replay, &d->writer))
		cli_die(CLI_FAILED, "no memory for a dump");
	if (d->trace)
		ppim_engine_trace(m->engine, line_write, d->trace);
	m->dump = d;
}

void gnr_dump_batch(const struct gnr_model *m, const struct ppim_batch *batch,
		    uint64_t arrival_ps)
{
	if (m->dump && m->dump->writer &&
	    ppim_replay_write(m->dump->writer, batch, arrival_ps))
		cli_die(CLI_FAILED, "no memory for a dump");
}

void gnr_dump_close(struct gnr_model *m)
{
	struct gnr_dump *d = m->dump;

	if (!d)
		return;
	ppim_engine_trace(m->engine, NULL, NULL);
	ppim_replay_writer_free(d->writer);
	file_close(d->replay);
	file_close(d->trace);
	free(d);
	m->dump = NULL;
}
