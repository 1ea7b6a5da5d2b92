// SPDX-License-Identifier: MIT
/* Results in words, and the names that users type and read. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "plan.h"
#include "ppim_int.h"

int result_fail(struct ppim_ioc_result *r, uint32_t status, int error,
		uint32_t bag, uint64_t detail)
{
	if (r) {
		r->status = status;
		r->error = (uint32_t)error;
		r->bag = bag;
		r->detail = detail;
	}
	return -error;
}

#define NAME(value, text) [value] = text,
static const char *const arch_names[] = { PPIM_ARCH_NAMES(NAME) };
static const char *const bound_names[] = { PPIM_BOUND_NAMES(NAME) };
#undef NAME

const char *ppim_arch_name(uint32_t arch)
{
	return arch < ARRAY_SIZE(arch_names) ? arch_names[arch] : NULL;
}

int ppim_arch_parse(const char *name, uint32_t *arch)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(arch_names); i++) {
		if (strcmp(arch_names[i], name))
			continue;
		*arch = i;
		return 0;
	}
	return -EINVAL;
}

const char *ppim_bound_name(uint32_t bound)
{
	return bound < ARRAY_SIZE(bound_names) ? bound_names[bound] : NULL;
}

/* ---- one line ---------------------------------------------------------------- */

struct line {
	char *buf;
	size_t n;
	int len;
};

static void say(struct line *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct line *l, const char *fmt, ...)
{
	size_t at = (size_t)l->len < l->n ? (size_t)l->len : l->n;
	va_list ap;

	va_start(ap, fmt);
	l->len += vsnprintf(l->n ? l->buf + at : NULL, l->n - at, fmt, ap);
	va_end(ap);
}

static const char *sub_name(const struct ppim_tbl *t, uint64_t sub)
{
	const char *name = NULL;

	if (t && sub < PPIM_MAX_SUBTABLES)
		name = ppim_plan_sub_name(t->shape.algo, (uint32_t)sub);
	return name ? name : "?";
}

static void say_table(struct line *l, const struct ppim_tbl *t, uint32_t job)
{
	if (t && t->name[0])
		say(l, "table %s", t->name);
	else
		say(l, "table %u of the batch", job);
}

static void say_index(struct line *l, const struct ppim_tbl *t,
		      const struct ppim_ioc_result *r)
{
	say_table(l, t, r->job);
	say(l, " bag %u: index %" PRId64 " is outside ", r->bag,
	    (int64_t)r->detail);
	if (t)
		say(l, "0..%" PRIu64, (uint64_t)t->shape.rows - 1);
	else
		say(l, "the table");
}

static void say_offsets(struct line *l, const struct ppim_tbl *t,
			const struct ppim_bags *b,
			const struct ppim_ioc_result *r)
{
	say_table(l, t, r->job);
	if (b && b->flags & PPIM_BAGS_LAST_OFFSET && r->detail == b->n_bags)
		say(l, ": the last offset is not the number of indices, %u",
		    b->n_indices);
	else if (!r->detail)
		say(l, ": the offset of bag 0 is not 0");
	else
		say(l, ": the offset of bag %" PRIu64
		       " is below that of the bag before it, or above the number of indices",
		    (uint64_t)r->detail);
}

static void say_media(struct line *l, uint64_t detail)
{
	if (detail >> 56 == PPIM_TIER_DIMM)
		say(l, "uncorrectable memory error in the DIMM at %llu",
		    (unsigned long long)(detail & 0xffffffffffull));
	else
		say(l, "uncorrectable memory error in the HBM, bank group %u at %llu",
		    (unsigned)(detail >> 40 & 0xffff),
		    (unsigned long long)(detail & 0xffffffffffull));
}

static void say_preset(struct line *l, const struct ppim_gnr *gnr,
		       const struct ppim_ioc_result *r)
{
	uint32_t arch = r->annotation.arch ? r->annotation.arch :
			gnr ? gnr->arch : 0;
	const char *name = ppim_arch_name(arch);

	if (arch && name)
		say(l, "preset %s", name);
	else
		say(l, "the preset");
}

/* Of the batch: gnr_fault() or what the device does not have. */
static void say_batch(struct line *l, const struct ppim_gnr *gnr,
		      const struct ppim_ioc_result *r)
{
	const char *fault = gnr ? gnr_fault(gnr) : NULL;

	if (r->error == EINVAL && fault) {
		say(l, "the batch: %s", fault);
	} else if (r->error == EOPNOTSUPP && gnr && gnr->arch) {
		say_preset(l, gnr, r);
		say(l, " is not one of the device's");
	} else {
		say(l, "%s", r->error ? strerror((int)r->error) : "ok");
	}
}

static void say_field(struct line *l, const struct ppim_bags *b,
		      const struct ppim_ioc_result *r)
{
	const char *fault = b ? bags_fault(b) : NULL;

	if (r->error == EINVAL && fault)
		say(l, "%s", fault);
	else if (r->error == EINVAL && b && !b->n_bags)
		say(l, "there are no bags");
	else if (b && !b->table)
		say(l, "table is NULL");
	else
		say(l, "%s", strerror((int)r->error));
}

static void say_status(struct line *l, const struct ppim_gnr *gnr,
		       const struct ppim_bags *b, const struct ppim_tbl *t,
		       const struct ppim_ioc_result *r)
{
	say_table(l, t, r->job);
	say(l, ": ");
	switch (r->status) {
	case PPIM_ST_BAD_FIELD:
		say_field(l, b, r);
		break;
	case PPIM_ST_BAD_PLACEMENT:
		if (r->error == ENODATA)
			say(l, "a subtable is not placed");
		else
			say(l, "a row of %s is not where extent %u of its placement says",
			    sub_name(t, r->detail >> 32), (uint32_t)r->detail);
		break;
	case PPIM_ST_NO_COPY:
		say_preset(l, gnr, r);
		say(l, " needs a copy of %s in every bank group that it uses",
		    sub_name(t, r->detail));
		break;
	case PPIM_ST_NO_HINT:
		say_preset(l, gnr, r);
		say(l, " needs the prefetch hint for %s",
		    sub_name(t, r->detail));
		break;
	case PPIM_ST_BAD_ADDRESS:
		say(l, "indices, offsets, weights or output cannot be reached");
		break;
	case PPIM_ST_TOO_LARGE:
		say(l, "the batch is above the limit of %" PRIu64,
		    (uint64_t)r->detail);
		break;
	default:
		say(l, "%s", strerror((int)r->error));
	}
}

static void say_result(struct line *l, const struct ppim_gnr *gnr,
		       const struct ppim_bags *b, const struct ppim_tbl *t,
		       const struct ppim_ioc_result *r)
{
	switch (r->status) {
	case PPIM_ST_BAD_INDEX:
		say_index(l, t, r);
		break;
	case PPIM_ST_BAD_OFFSETS:
		say_offsets(l, t, b, r);
		break;
	case PPIM_ST_MEDIA_ERROR:
		say_media(l, r->detail);
		break;
	case PPIM_ST_ABORTED:
		say(l, "the batch was aborted");
		break;
	case PPIM_ST_RESET:
		say(l, "the batch was lost in a reset of the device");
		break;
	case PPIM_ST_OK:
		say_batch(l, gnr, r);
		break;
	default:
		say_status(l, gnr, b, t, r);
	}
}

int ppim_strerror_result(const struct ppim_gnr *gnr,
			 const struct ppim_ioc_result *r, char *buf, size_t n)
{
	const struct ppim_bags *b = NULL;
	struct line l = { buf, n, 0 };

	if (gnr && gnr->bags && r->job < gnr->n_tables)
		b = &gnr->bags[r->job];
	if (gnr && r->status == PPIM_ST_BAD_FIELD && gnr_fault(gnr))
		say_batch(&l, gnr, r);
	else
		say_result(&l, gnr, b, b ? b->table : NULL, r);
	return l.len;
}
