/* SPDX-License-Identifier: MIT */
/*
 * Walking the engine's state. One function per structure names each of its
 * words once; the mode decides whether that measures, saves, checks, loads or
 * shifts them. Checking goes before loading, so that a state which is refused
 * changes nothing. Words are 64 bits, little endian, without padding.
 */
#ifndef PPIM_PIM_IO_H
#define PPIM_PIM_IO_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No time in a state is later: sums of it with any duration fit 64 bits. */
#define PIM_TIME_MAX (1ull << 61)

enum pim_io_mode {
	PIM_IO_SAVE, /* writes what fits, counts all */
	PIM_IO_CHECK,
	PIM_IO_LOAD,
	PIM_IO_SHIFT, /* times move by `shift` towards zero */
};

struct pim_io {
	enum pim_io_mode mode;
	uint8_t *out;
	const uint8_t *in;
	size_t bytes; /* of out or in */
	size_t pos;
	uint64_t shift;
	bool bad;
};

static inline void pim_io_save(struct pim_io *io, uint64_t v)
{
	v = htole64(v);
	if (io->out && io->pos + sizeof(v) <= io->bytes)
		memcpy(io->out + io->pos, &v, sizeof(v));
	io->pos += sizeof(v);
}

/* Next word of the input; it must be at most `max`. */
static inline uint64_t pim_io_next(struct pim_io *io, uint64_t max)
{
	uint64_t v = 0;

	if (io->pos + sizeof(v) > io->bytes) {
		io->bad = true;
		return 0;
	}
	memcpy(&v, io->in + io->pos, sizeof(v));
	io->pos += sizeof(v);
	v = le64toh(v);
	if (v > max)
		io->bad = true;
	return v;
}

/* A number of at most `max`. */
static inline void pim_io_u64(struct pim_io *io, uint64_t *v, uint64_t max)
{
	uint64_t in;

	if (io->mode == PIM_IO_SHIFT)
		return;
	if (io->mode == PIM_IO_SAVE) {
		pim_io_save(io, *v);
		return;
	}
	in = pim_io_next(io, max);
	if (io->mode == PIM_IO_LOAD)
		*v = in;
}

static inline void pim_io_u32(struct pim_io *io, uint32_t *v, uint32_t max)
{
	uint64_t wide = *v;

	pim_io_u64(io, &wide, max);
	*v = (uint32_t)wide;
}

/* A time in ticks. */
static inline void pim_io_time(struct pim_io *io, uint64_t *v)
{
	if (io->mode == PIM_IO_SHIFT)
		*v = *v > io->shift ? *v - io->shift : 0;
	else
		pim_io_u64(io, v, PIM_TIME_MAX - 1);
}

#endif
