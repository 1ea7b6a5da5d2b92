// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is seen and done from outside, by QMP or HMP (qom-get, qom-set):
 *   stats         counters: device, tiers, bank groups, queues
 *   inject        "KIND:COUNT[:hbm:SLICE:OFFSET | :dimm:OFFSET]"
 *   replay-dump   file that batches go to, "" for none
 *   trace-dump    file that DRAM and PIM commands go to, "" for none
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "ppim.h"

/* ---- stats --------------------------------------------------------------- */

struct counter {
	const char *name;
	uint64_t value;
};

static bool counters_visit(Visitor *v, const struct counter *c, size_t n,
			   Error **errp)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t value = c[i].value;

		if (!visit_type_uint64(v, c[i].name, &value, errp))
			return false;
	}
	return true;
}

static bool struct_visit(Visitor *v, const char *name, const struct counter *c,
			 size_t n, Error **errp)
{
	bool ok;

	if (!visit_start_struct(v, name, NULL, 0, errp))
		return false;
	ok = counters_visit(v, c, n, errp);
	visit_end_struct(v, NULL);
	return ok;
}

static bool device_visit(PPIMState *s, Visitor *v, Error **errp)
{
	const struct ppim_hw_stats *st = &s->stats;
	const struct counter c[] = {
		{ "submitted", st->submitted },
		{ "completed", st->completed },
		{ "errors", st->errors },
		{ "aborted", st->aborted },
		{ "in-flight", s->n_inflight },
		{ "lookups", st->lookups },
		{ "bags", st->bags },
		{ "sram-hits", st->sram_hits },
		{ "sram-misses", st->sram_misses },
		{ "moves", st->moves },
		{ "transfers", st->transfers },
		{ "energy-pj", st->energy_pj },
		{ "busy-ps", st->busy_ps },
		{ "now-ps", ppim_time_now_ps(s) },
		{ "late-count", st->late_count },
		{ "late-sum-ns", st->late_sum_ns },
		{ "late-max-ns", st->late_max_ns },
		{ "injected", st->injected },
		{ "corrected", st->corrected },
		{ "main-loop-max-ns", s->visit.max_ns },
		{ "main-loop-max-bytes", s->visit.max_bytes },
		{ "sq-doorbells", s->doorbells.sq },
		{ "cq-doorbells", s->doorbells.cq },
	};

	return counters_visit(v, c, ARRAY_SIZE(c), errp);
}

static bool tiers_visit(PPIMState *s, Visitor *v, const uint64_t *lookups,
			Error **errp)
{
	const struct ppim_hw_stats *st = &s->stats;
	struct counter hbm[] = {
		{ "bytes", s->mem.hbm_bytes },
		{ "reads", st->reads_hbm },
		{ "activations", st->activations_hbm },
		{ "lookups", 0 },
	};
	const struct counter dimm[] = {
		{ "bytes", s->mem.dimm_bytes },
		{ "reads", st->reads_dimm },
		{ "activations", st->activations_dimm },
		{ "lookups", lookups[s->geo.slices] },
	};
	uint32_t i;

	for (i = 0; i < s->geo.slices; i++)
		hbm[3].value += lookups[i];
	return struct_visit(v, "hbm", hbm, ARRAY_SIZE(hbm), errp) &&
	       struct_visit(v, "dimm", dimm, ARRAY_SIZE(dimm), errp);
}

static bool bank_groups_visit(PPIMState *s, Visitor *v,
			      const uint64_t *lookups, Error **errp)
{
	bool ok = true;
	uint32_t i;

	if (!visit_start_list(v, "bank-groups", NULL, 0, errp))
		return false;
	for (i = 0; ok && i < s->geo.slices; i++) {
		const struct counter c[] = {
			{ "slice", i },
			{ "channel", i / (s->geo.slices / s->geo.channels) },
			{ "lookups", lookups[i] },
		};

		ok = struct_visit(v, NULL, c, ARRAY_SIZE(c), errp);
	}
	visit_end_list(v, NULL);
	return ok;
}

static bool queues_visit(PPIMState *s, Visitor *v, Error **errp)
{
	bool ok = true;
	uint16_t qid;

	if (!visit_start_list(v, "queues", NULL, 0, errp))
		return false;
	for (qid = 1; ok && qid <= s->n_queues; qid++) {
		const struct ppim_queue *q = &s->queue[qid];
		const struct counter c[] = {
			{ "queue", qid },
			{ "submitted", q->submitted },
			{ "completed", q->completed },
			{ "errors", q->errors },
			{ "lookups", q->lookups },
			{ "busy-ps", q->busy_ps },
		};

		if (q->live)
			ok = struct_visit(v, NULL, c, ARRAY_SIZE(c), errp);
	}
	visit_end_list(v, NULL);
	return ok;
}

static void stats_get(Object *obj, Visitor *v, const char *name, void *opaque,
		      Error **errp)
{
	PPIMState *s = PPIM(obj);
	g_autofree uint64_t *lookups = g_new0(uint64_t, s->geo.slices + 1);

	if (!s->pool) {
		error_setg(errp, "the device is not realized");
		return;
	}
	ppim_pool_lookups(s->pool, lookups);
	if (!visit_start_struct(v, name, NULL, 0, errp))
		return;
	if (device_visit(s, v, errp) && tiers_visit(s, v, lookups, errp) &&
	    bank_groups_visit(s, v, lookups, errp))
		queues_visit(s, v, errp);
	visit_end_struct(v, NULL);
}

/* ---- inject -------------------------------------------------------------- */

static const char *const inject_names[] = {
	[PPIM_INJECT_CORRECTABLE] = "correctable",
	[PPIM_INJECT_UNCORRECTABLE] = "uncorrectable",
	[PPIM_INJECT_HANG] = "hang",
	[PPIM_INJECT_DROP] = "drop",
	[PPIM_INJECT_DOUBLE] = "double",
	[PPIM_INJECT_LINK] = "link",
};

static uint32_t inject_find(const char *name)
{
	uint32_t i;

	for (i = 1; i < ARRAY_SIZE(inject_names); i++)
		if (!strcmp(inject_names[i], name))
			return i;
	return 0;
}

static bool word_u64(char **words, guint n, guint i, uint64_t *value)
{
	return i < n && !qemu_strtou64(words[i], NULL, 0, value);
}

static bool place_parse(char **words, guint n, struct ppim_inject *in)
{
	uint64_t slice;

	if (n == 4 && !strcmp(words[2], "dimm")) {
		in->tier = PPIM_TIER_DIMM;
		return word_u64(words, n, 3, &in->offset);
	}
	if (n != 5 || strcmp(words[2], "hbm") ||
	    !word_u64(words, n, 3, &slice) || slice > UINT16_MAX)
		return false;
	in->slice = slice;
	return word_u64(words, n, 4, &in->offset);
}

static bool inject_parse(const char *text, struct ppim_inject *in)
{
	g_auto(GStrv) words = g_strsplit(text, ":", -1);
	guint n = g_strv_length(words);
	uint64_t count;

	memset(in, 0, sizeof(*in));
	if (!n)
		return false;
	in->what = inject_find(words[0]);
	if (!in->what || !word_u64(words, n, 1, &count) || count > UINT32_MAX)
		return false;
	in->count = count;
	return n == 2 || place_parse(words, n, in);
}

static void inject_set(Object *obj, const char *text, Error **errp)
{
	PPIMState *s = PPIM(obj);
	struct ppim_cmd verdict = { 0 };
	struct ppim_inject in;

	if (!s->pool || !ppim_running(s)) {
		error_setg(errp, "inject: the device is not enabled");
		return;
	}
	if (!inject_parse(text, &in) || ppim_inject_check(s, &verdict, &in)) {
		error_setg(errp, "inject: '%s' is not KIND:COUNT, of kind hang, "
			   "drop, double or link (count 1), nor "
			   "correctable or uncorrectable:COUNT with "
			   ":hbm:SLICE:OFFSET or :dimm:OFFSET inside the tier",
			   text);
		return;
	}
	ppim_inject_do(s, &in);
	ppim_inject_late(s);
}

/* ---- dumps --------------------------------------------------------------- */

static bool dump_begin(PPIMState *s, enum ppim_dump_kind kind, Error **errp)
{
	const char *path = s->dump_path[kind];
	struct ppim_cmd *cmd;
	FILE *file = NULL;

	if (path && *path) {
		file = fopen(path, "w");
		if (!file) {
			error_setg_errno(errp, errno, "property '%s': '%s'",
					 kind == PPIM_DUMP_REPLAY ?
					 "replay-dump" : "trace-dump", path);
			return false;
		}
	}
	cmd = ppim_cmd_new(PPIM_CMD_DUMP, 0, NULL);
	cmd->orphan = true;
	cmd->dump = (struct ppim_dump_file){ kind, file };
	ppim_pool_submit(s->pool, cmd);
	return true;
}

static void dump_set(Object *obj, enum ppim_dump_kind kind, const char *path,
		     Error **errp)
{
	PPIMState *s = PPIM(obj);

	g_free(s->dump_path[kind]);
	s->dump_path[kind] = g_strdup(path);
	if (s->pool && !dump_begin(s, kind, errp)) {
		g_free(s->dump_path[kind]);
		s->dump_path[kind] = NULL;
	}
}

static void replay_dump_set(Object *obj, const char *path, Error **errp)
{
	dump_set(obj, PPIM_DUMP_REPLAY, path, errp);
}

static void trace_dump_set(Object *obj, const char *path, Error **errp)
{
	dump_set(obj, PPIM_DUMP_TRACE, path, errp);
}

static char *replay_dump_get(Object *obj, Error **errp)
{
	return g_strdup(PPIM(obj)->dump_path[PPIM_DUMP_REPLAY] ?: "");
}

static char *trace_dump_get(Object *obj, Error **errp)
{
	return g_strdup(PPIM(obj)->dump_path[PPIM_DUMP_TRACE] ?: "");
}

bool ppim_qom_realize(PPIMState *s, Error **errp)
{
	int kind;

	for (kind = 0; kind < PPIM_DUMPS; kind++)
		if (s->dump_path[kind] && !dump_begin(s, kind, errp))
			return false;
	return true;
}

void ppim_qom_init(ObjectClass *oc)
{
	object_class_property_add(oc, "stats", "PPIMStats", stats_get, NULL,
				  NULL, NULL);
	object_class_property_set_description(oc, "stats",
		"counters of the device, its tiers, bank groups and queues");
	object_class_property_add_str(oc, "inject", NULL, inject_set);
	object_class_property_set_description(oc, "inject",
		"plants a fault: KIND:COUNT[:hbm:SLICE:OFFSET|:dimm:OFFSET]");
	object_class_property_add_str(oc, "replay-dump", replay_dump_get,
				      replay_dump_set);
	object_class_property_set_description(oc, "replay-dump",
		"file for ppim-sim gnr --replay; empty: none");
	object_class_property_add_str(oc, "trace-dump", trace_dump_get,
				      trace_dump_set);
	object_class_property_set_description(oc, "trace-dump",
		"file for ppim-sim pim; empty: none");
}
