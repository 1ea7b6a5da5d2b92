// SPDX-License-Identifier: GPL-2.0-only
/*
 * From properties to an engine: specifications, overrides, parameters. Every
 * error names the property, what it said, and what it may say.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "ppim.h"

/* ---- specifications ------------------------------------------------------ */

/* The ini text that a name or a path stands for. */
static char *spec_text(const char *property, const char *name, Error **errp)
{
	const char *builtin = ppim_spec_builtin(name);
	g_autoptr(GError) err = NULL;
	char *text;

	if (builtin)
		return g_strdup(builtin);
	if (g_file_get_contents(name, &text, NULL, &err))
		return text;
	error_setg(errp, "property '%s': no specification '%s': %s", property,
		   name, err->message);
	for (size_t i = 0; ppim_spec_builtin_name(i); i++)
		error_append_hint(errp, "%s'%s'", i ? ", " : "shipped are ",
				  ppim_spec_builtin_name(i));
	error_append_hint(errp, "; else the path of an ini file\n");
	return NULL;
}

static bool line_has_key(const char *line, const char *key)
{
	size_t n = strlen(key);

	line += strspn(line, " \t");
	if (g_ascii_strncasecmp(line, key, n))
		return false;
	line += n;
	return line[strspn(line, " \t")] == '=';
}

/* The text with `key` set: its line is replaced, or one put behind the head of
 * the timing section. */
static char *spec_override(const char *text, const char *key,
			   const char *value)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool found = false;
	int i;

	for (i = 0; lines[i]; i++)
		if (line_has_key(lines[i], key)) {
			g_free(lines[i]);
			lines[i] = g_strdup_printf("%s = %s", key, value);
			found = true;
		}
	for (i = 0; lines[i] && !found; i++)
		if (g_str_has_prefix(lines[i], "[timing]")) {
			g_free(lines[i]);
			lines[i] = g_strdup_printf("[timing]\n%s = %s", key,
						   value);
			found = true;
		}
	return g_strjoinv("\n", lines);
}

/* One "KEY=VALUE" of the params property, cut in two; false if it is none. */
static bool pair_split(const char *pair, char **key, char **value)
{
	const char *eq = strchr(pair, '=');

	if (!eq || eq == pair || !eq[1])
		return false;
	*key = g_strstrip(g_strndup(pair, eq - pair));
	*value = g_strstrip(g_strdup(eq + 1));
	return true;
}

/* Applies the pairs that begin with "hbm." or "dimm.". */
static char *spec_override_all(char *text, const char *prefix, char **pairs)
{
	size_t n = strlen(prefix);

	for (; pairs && *pairs; pairs++) {
		g_autofree char *key = NULL, *value = NULL;
		char *next;

		if (!pair_split(*pairs, &key, &value) ||
		    !g_str_has_prefix(key, prefix))
			continue;
		next = spec_override(text, key + n, value);
		g_free(text);
		text = next;
	}
	return text;
}

static bool spec_load(const char *property, const char *name,
		      const char *prefix, char **pairs,
		      struct ppim_spec *spec, Error **errp)
{
	g_autofree char *text = spec_text(property, name, errp);
	struct ppim_diag diag;

	if (!text)
		return false;
	text = spec_override_all(g_steal_pointer(&text), prefix, pairs);
	if (!ppim_spec_load_buf(name, text, strlen(text), spec, &diag))
		return true;
	error_setg(errp, "property '%s': %s", property, diag.msg);
	return false;
}

/* ---- parameters ---------------------------------------------------------- */

static bool params_set(struct ppim_params *params, char **pairs, Error **errp)
{
	struct ppim_diag diag;

	for (; pairs && *pairs; pairs++) {
		g_autofree char *key = NULL, *value = NULL;

		if (!**pairs)
			continue;
		if (!pair_split(*pairs, &key, &value)) {
			error_setg(errp, "property 'params': '%s' is not "
				   "NAME=VALUE", *pairs);
			return false;
		}
		if (g_str_has_prefix(key, "hbm.") ||
		    g_str_has_prefix(key, "dimm."))
			continue;
		if (ppim_params_set(params, key, value, &diag)) {
			error_setg(errp, "property 'params': %s", diag.msg);
			return false;
		}
	}
	return true;
}

static bool params_from_spec(struct ppim_params *params, const char *property,
			     const struct ppim_spec *spec, Error **errp)
{
	struct ppim_diag diag;

	if (!ppim_params_apply(params, spec, &diag))
		return true;
	error_setg(errp, "property '%s': %s", property, diag.msg);
	return false;
}

static bool params_sram(PPIMState *s, struct ppim_params *params, Error **errp)
{
	g_autofree char *value = NULL;
	struct ppim_diag diag;

	if (s->sram == PPIM_SRAM_DEFAULT)
		return true;
	value = g_strdup_printf("%" PRIu64, s->sram);
	if (!ppim_params_set(params, "sram_bytes", value, &diag))
		return true;
	error_setg(errp, "property 'sram': %s", diag.msg);
	return false;
}

/* ---- the engine ---------------------------------------------------------- */

static uint64_t memdev_bytes(HostMemoryBackend *memdev)
{
	return memdev ? memory_region_size(
				host_memory_backend_get_memory(memdev)) : 0;
}

bool ppim_config_load(PPIMState *s, struct ppim_config *c, Error **errp)
{
	g_auto(GStrv) pairs = NULL;

	if (s->params_text)
		pairs = g_strsplit(s->params_text, ":", -1);
	if (!spec_load("hbm-spec", s->hbm_spec, "hbm.", pairs, &c->hbm, errp) ||
	    !spec_load("dimm-spec", s->dimm_spec, "dimm.", pairs, &c->dimm,
		       errp))
		return false;
	c->engine = (struct ppim_engine_config){
		.hbm = &c->hbm, .dimm = &c->dimm,
		.hbm_bytes = memdev_bytes(s->hbm_memdev),
		.dimm_bytes = memdev_bytes(s->dimm_memdev),
	};
	ppim_params_default(&c->engine.params);
	return params_from_spec(&c->engine.params, "hbm-spec", &c->hbm, errp) &&
	       params_from_spec(&c->engine.params, "dimm-spec", &c->dimm,
				errp) &&
	       params_set(&c->engine.params, pairs, errp) &&
	       params_sram(s, &c->engine.params, errp);
}

/* What could be saved and never loaded is no device. */
static bool engine_travels(const struct ppim_engine *engine, Error **errp)
{
	size_t bytes = ppim_engine_save(engine, NULL, 0);

	if (bytes <= PPIM_STATE_MAX)
		return true;
	error_setg(errp, "property 'params': the model's state takes %zu bytes "
		   "of a snapshot, more than %u: fewer lines of the caches "
		   "(llc_bytes, llc_line, recnmp_cache_bytes, trim_hot_bytes) "
		   "take less", bytes, PPIM_STATE_MAX);
	return false;
}

struct ppim_engine *ppim_config_engine(const struct ppim_config *c,
				       Error **errp)
{
	struct ppim_engine *engine;
	struct ppim_diag diag;

	if (ppim_engine_create(&c->engine, &engine, &diag)) {
		error_setg(errp, "property 'hbm-memdev' or 'params': %s",
			   diag.msg);
		return NULL;
	}
	if (engine_travels(engine, errp))
		return engine;
	ppim_engine_free(engine);
	return NULL;
}

/* ---- other properties ---------------------------------------------------- */

bool ppim_config_arch(const char *name, uint32_t *arch, Error **errp)
{
#define ARCH_NAME(value, text) [value] = text,
	static const char *const names[] = { PPIM_ARCH_NAMES(ARCH_NAME) };
	uint32_t i;

	for (i = PPIM_ARCH_DEFAULT + 1; i < PPIM_ARCH_COUNT; i++)
		if (!strcmp(names[i], name)) {
			*arch = i;
			return true;
		}
	error_setg(errp, "property 'arch': no preset '%s'", name);
	for (i = PPIM_ARCH_DEFAULT + 1; i < PPIM_ARCH_COUNT; i++)
		error_append_hint(errp, "%s%s", i > 1 ? ", " : "one of ",
				  names[i]);
	error_append_hint(errp, "\n");
	return false;
}

static bool in_range(const char *property, uint64_t value, uint64_t min,
		     uint64_t max, Error **errp)
{
	if (value >= min && value <= max)
		return true;
	error_setg(errp, "property '%s': %" PRIu64 " is not within %" PRIu64
		   " to %" PRIu64, property, value, min, max);
	return false;
}

bool ppim_config_check(PPIMState *s, Error **errp)
{
	if (!in_range("queues", s->n_queues, 1, PPIM_QUEUES_MAX, errp) ||
	    !in_range("queue-entries", s->max_entries, 2, PPIM_ENTRIES_MAX,
		      errp) ||
	    !in_range("threads", s->n_threads, 0, PPIM_THREADS_MAX, errp))
		return false;
	if (!is_power_of_2(s->max_entries)) {
		error_setg(errp, "property 'queue-entries': %u is not a power "
			   "of two", s->max_entries);
		return false;
	}
	if (strcmp(s->timebase_name, "device") &&
	    strcmp(s->timebase_name, "guest")) {
		error_setg(errp, "property 'timebase': '%s' is neither "
			   "'device' nor 'guest'", s->timebase_name);
		return false;
	}
	if (!s->hbm_memdev) {
		error_setg(errp, "property 'hbm-memdev' is required: the id of "
			   "a memory backend");
		return false;
	}
	return true;
}
