/* SPDX-License-Identifier: MIT */
/* What the files of the PIM timing engine share. */
#ifndef PPIM_ENGINE_INT_H
#define PPIM_ENGINE_INT_H

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "ppim-engine/engine.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* REG_ALIGN of the device: extents and row strides are multiples of it. */
#define ENGINE_ALIGN 64u

/* More extents than this are more than a device can name. */
#define ENGINE_MAX_EXTENTS (1u << 20)

static inline __attribute__((format(printf, 3, 4))) int
engine_fail(struct ppim_diag *diag, int err, const char *fmt, ...)
{
	va_list ap;

	if (!diag)
		return err;
	va_start(ap, fmt);
	vsnprintf(diag->msg, sizeof(diag->msg), fmt, ap);
	va_end(ap);
	return err;
}

/* ---- division by a constant of the job ---------------------------------- */

/*
 * Quotient by one multiplication: with m = floor((2^64 - 1) / d) + 1 the error
 * e = m * d - 2^64 is at most d, and floor(n / d) == (n * m) >> 64 as long as
 * n * e < 2^64, so at least for n <= (2^64 - 1) / d.
 */
struct engine_div {
	uint64_t m;
	uint64_t d;
	uint64_t limit; /* greatest n for which the multiplication is exact */
};

static inline struct engine_div engine_div_by(uint64_t d)
{
	struct engine_div div = { .d = d };

	if (d <= 1)
		return div;
	div.m = UINT64_MAX / d + 1;
	div.limit = UINT64_MAX / d;
	return div;
}

static inline uint64_t engine_divide(const struct engine_div *div, uint64_t n)
{
	if (div->d <= 1)
		return n;
	if (n > div->limit)
		return n / div->d;
	return (uint64_t)(((unsigned __int128)n * div->m) >> 64);
}

/* ---- rows --------------------------------------------------------------- */

static inline uint32_t engine_map_entry(const uint32_t *map, uint64_t row)
{
	return le32toh(*(const volatile uint32_t *)&map[row]);
}

/* ppim_row_locate() with the stripe's division prepared. */
static inline int engine_locate(const struct ppim_placed *p,
				const struct engine_div *stripe, uint64_t row,
				uint32_t copy, struct ppim_row_loc *loc)
{
	uint64_t in;
	uint32_t v;

	if (p->flags & PPIM_SUBF_DUPLICATED) {
		loc->extent = copy;
		in = row;
	} else if (p->flags & PPIM_SUBF_MAPPED) {
		v = engine_map_entry(p->map, row);
		loc->extent = v >> p->map_bits;
		in = v & ((1u << p->map_bits) - 1);
	} else {
		in = engine_divide(stripe, row);
		loc->extent = (uint32_t)(row - in * p->n_extents);
	}
	if (loc->extent >= p->n_extents || in >= p->extents[loc->extent].rows)
		return -1;
	loc->tier = p->extents[loc->extent].tier;
	loc->slice = p->extents[loc->extent].slice;
	loc->offset = p->extents[loc->extent].offset + in * p->row_stride;
	return 0;
}

/* Does this position count as a lookup? */
static inline int engine_is_lookup(const struct ppim_job *job, int64_t index)
{
	return !job->has_padding || index != job->padding_index;
}

/* Does nobody want the job's result any more? */
static inline bool engine_cancelled(const struct ppim_job *job)
{
	return job->cancel && __atomic_load_n(job->cancel, __ATOMIC_RELAXED);
}

/* First position past bag b. */
static inline uint32_t engine_bag_end(const struct ppim_job *job, uint32_t b)
{
	return b + 1 < job->n_bags ? (uint32_t)job->offsets[b + 1]
				   : job->n_indices;
}

/* Row of subtable `sub` that index i refers to. */
static inline uint64_t engine_row_of(const struct ppim_shape *s, uint32_t sub,
				     uint64_t i)
{
	uint64_t p3 = s->tt_p[2], p23 = p3 * s->tt_p[1];

	if (s->algo == PPIM_ALGO_QR)
		return sub == PPIM_SUB_Q ? i / s->collisions
					 : i % s->collisions;
	if (s->algo != PPIM_ALGO_TT)
		return i;
	if (sub == PPIM_SUB_G1)
		return i / p23;
	return sub == PPIM_SUB_G2 ? i % p23 / p3 : i % p3;
}

/* Bits of a preset's needs: enum ppim_arch -> 1u << arch. */
#define ENGINE_ARCHS                                                           \
	(1u << PPIM_ARCH_CPU | 1u << PPIM_ARCH_RECNMP |                        \
	 1u << PPIM_ARCH_SPACE | 1u << PPIM_ARCH_TRIM |                        \
	 1u << PPIM_ARCH_BGPIM | 1u << PPIM_ARCH_BGPIM_DUP |                   \
	 1u << PPIM_ARCH_PROACTIVE | 1u << PPIM_ARCH_PROACTIVE_ALL)
/* Presets that need copies of the shared subtables, and of them a hint. */
#define ENGINE_ARCHS_COPY                                                      \
	(1u << PPIM_ARCH_BGPIM_DUP | 1u << PPIM_ARCH_PROACTIVE |               \
	 1u << PPIM_ARCH_PROACTIVE_ALL)
#define ENGINE_ARCHS_HINT                                                      \
	(1u << PPIM_ARCH_PROACTIVE | 1u << PPIM_ARCH_PROACTIVE_ALL)

#endif
