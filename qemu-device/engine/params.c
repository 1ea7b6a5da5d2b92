// SPDX-License-Identifier: MIT
/* Parameters by name: defaults, ranges, setting, listing. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ppim-engine/params.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct ppim_param_info infos[] = {
#define INFO(field, def_, min_, max_, unit_, source_, text_)                   \
	{ .name = #field,                                                      \
	  .def = def_,                                                         \
	  .min = min_,                                                         \
	  .max = max_,                                                         \
	  .unit = unit_,                                                       \
	  .source = source_,                                                   \
	  .text = text_ },
	PPIM_PARAMS(INFO)
#undef INFO
};

static const char *const links[PPIM_LINK_COUNT] = { "none", "pcie", "cxl" };

_Static_assert(sizeof(struct ppim_params) ==
		       ARRAY_SIZE(infos) * sizeof(uint64_t),
	       "every parameter is a uint64_t that the table lists");

static __attribute__((format(printf, 3, 4))) int
params_fail(struct ppim_diag *diag, int err, const char *fmt, ...)
{
	va_list ap;

	if (diag) {
		va_start(ap, fmt);
		vsnprintf(diag->msg, sizeof(diag->msg), fmt, ap);
		va_end(ap);
	}
	return err;
}

static uint64_t *params_field(struct ppim_params *params, size_t i)
{
	return (uint64_t *)((char *)params + i * sizeof(uint64_t));
}

const struct ppim_param_info *ppim_params_info(size_t i)
{
	return i < ARRAY_SIZE(infos) ? &infos[i] : NULL;
}

uint64_t ppim_params_get(const struct ppim_params *params, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)params + i * sizeof(v), sizeof(v));
	return v;
}

const char *ppim_link_name(uint64_t link)
{
	return link < PPIM_LINK_COUNT ? links[link] : "?";
}

void ppim_params_default(struct ppim_params *params)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(infos); i++)
		*params_field(params, i) = infos[i].def;
}

static int params_out_of_range(const struct ppim_param_info *info,
			       const char *value, struct ppim_diag *diag)
{
	return params_fail(diag, -EINVAL,
			   "%s: '%s' is not a number from %llu to %llu%s%s",
			   info->name, value, (unsigned long long)info->min,
			   (unsigned long long)info->max,
			   *info->unit ? " " : "", info->unit);
}

/* 0, or -EINVAL if the text is not a number that fits 64 bits. */
static int params_number(const char *text, uint64_t *out)
{
	static const char suffixes[] = "KMG";
	const char *s;
	char *end;
	unsigned int shift;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno)
		return -EINVAL;
	if (!*end)
		return 0;
	s = strchr(suffixes, *end);
	if (!s || end[1])
		return -EINVAL;
	shift = 10 * (unsigned int)(s - suffixes + 1);
	if (*out >> (64 - shift))
		return -EINVAL;
	*out <<= shift;
	return 0;
}

static int params_set_link(struct ppim_params *params, const char *value,
			   struct ppim_diag *diag)
{
	static const uint64_t ns[PPIM_LINK_COUNT] = { 0, 250, 75 };
	static const uint64_t mbps[PPIM_LINK_COUNT] = { 0, 63015, 63015 };
	size_t i;

	for (i = 0; i < PPIM_LINK_COUNT; i++) {
		if (strcmp(value, links[i]))
			continue;
		params->link = i;
		params->link_ns = ns[i];
		params->link_mbps = mbps[i];
		return 0;
	}
	return params_fail(diag, -EINVAL, "link: '%s' is not none, pcie or cxl",
			   value);
}

int ppim_params_set(struct ppim_params *params, const char *name,
		    const char *value, struct ppim_diag *diag)
{
	uint64_t v;
	size_t i;

	if (!strcmp(name, "link"))
		return params_set_link(params, value, diag);
	for (i = 0; i < ARRAY_SIZE(infos); i++) {
		if (strcmp(name, infos[i].name))
			continue;
		if (params_number(value, &v) || v < infos[i].min ||
		    v > infos[i].max)
			return params_out_of_range(&infos[i], value, diag);
		*params_field(params, i) = v;
		return 0;
	}
	return params_fail(diag, -ENOENT, "%s: no such parameter", name);
}

int ppim_params_apply(struct ppim_params *params, const struct ppim_spec *spec,
		      struct ppim_diag *diag)
{
	struct ppim_diag why;
	uint32_t i;
	int err;

	for (i = 0; i < spec->n_pim && i < PPIM_SPEC_EXT; i++) {
		err = ppim_params_set(params, spec->pim[i].key,
				      spec->pim[i].value, &why);
		if (err)
			return params_fail(diag, err, "%s:%u: [pim] %.180s",
					   spec->name, spec->pim[i].line,
					   why.msg);
	}
	return 0;
}

int ppim_params_check(const struct ppim_params *params, struct ppim_diag *diag)
{
	char text[24];
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(infos); i++) {
		v = ppim_params_get(params, i);
		if (v >= infos[i].min && v <= infos[i].max)
			continue;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
		return params_out_of_range(&infos[i], text, diag);
	}
	if (params->link != PPIM_LINK_NONE && !params->link_mbps)
		return params_fail(
			diag, -EINVAL,
			"link_mbps: a %s link needs more than 0 MB/s",
			ppim_link_name(params->link));
	return 0;
}
