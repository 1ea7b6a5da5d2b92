// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "dram_stream.h"

#define STREAM_SEED    0x70696d2d6472616dull
#define ZIPF_ROWS_LOG2 22
/* Scatters ranks over the table; odd, so that it is a permutation. */
#define ZIPF_SCATTER 0x9e3779b1ull
#define STRIDE_BYTES 4352
#define HOT_BURSTS   1024
#define SMALL_BYTES  (1u << 20)
#define PACE_GAP     40 /* clocks between vectors, on average half of it */

static const struct {
	const char *name;
	uint32_t vec;
} kinds[DRAM_STREAM_COUNT] = {
	[DRAM_STREAM_RANDOM64] = { "random64", 64 },
	[DRAM_STREAM_SEQUENTIAL] = { "sequential", 64 },
	[DRAM_STREAM_VEC128] = { "vec128", 128 },
	[DRAM_STREAM_VEC512] = { "vec512", 512 },
	[DRAM_STREAM_ZIPF] = { "zipf", 128 },
	[DRAM_STREAM_STRIDE] = { "stride", 64 },
	[DRAM_STREAM_CONFLICT] = { "conflict", 64 },
	[DRAM_STREAM_HOT] = { "hot", 64 },
	[DRAM_STREAM_PACED] = { "paced", 256 },
	[DRAM_STREAM_SMALL] = { "small", 64 },
};

/* splitmix64 */
static uint64_t stream_rng(struct dram_stream *s)
{
	uint64_t z = s->rng += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

const char *dram_stream_name(enum dram_stream_kind kind)
{
	return kinds[kind].name;
}

enum dram_stream_kind dram_stream_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < DRAM_STREAM_COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			break;
	return i;
}

void dram_stream_init(struct dram_stream *s, enum dram_stream_kind kind,
		      bool writes, uint64_t seed, const struct ppim_spec *spec)
{
	*s = (struct dram_stream){
		.kind = kind,
		.writes = writes,
		.map = spec->map,
		.burst_bytes = spec->burst_bytes,
		.mem_bytes = spec->bytes,
		.rng = STREAM_SEED + ((seed - 1) << 32) + (uint64_t)kind,
		.vec = kinds[kind].vec,
	};
	if (s->vec < spec->burst_bytes)
		s->vec = spec->burst_bytes;
}

/*
 * Zipf with exponent 1: the logarithm of the rank is uniform. Writes go to a
 * table of their own in the upper half of the memory: DRAMsim3 never ends when
 * a write waits for a read of the same burst that has not left the read queue
 * and the write queue is full, and hot rows bring that about within a few
 * hundred requests.
 */
static uint64_t stream_zipf_row(struct dram_stream *s)
{
	double u = (double)(stream_rng(s) >> 11) * 0x1p-53;
	uint64_t rank = (uint64_t)exp2(u * ZIPF_ROWS_LOG2) - 1;

	return (rank * ZIPF_SCATTER) & ((1ull << ZIPF_ROWS_LOG2) - 1);
}

/* Two rows of one bank, then two of another. */
static uint64_t stream_conflict(const struct dram_stream *s)
{
	struct ppim_loc loc = { { 0 } };
	uint64_t n = s->vectors;

	loc.f[PPIM_RO] = (uint32_t)(n % 2 * 64 + n / 256 % 64);
	loc.f[PPIM_CO] = (uint32_t)(n / 2 & ((1u << s->map.width[PPIM_CO]) - 1));
	loc.f[PPIM_BG] = (uint32_t)(n / 16 & ((1u << s->map.width[PPIM_BG]) - 1));
	return ppim_addr_encode(&s->map, &loc);
}

static uint64_t stream_vector(struct dram_stream *s)
{
	switch (s->kind) {
	case DRAM_STREAM_SEQUENTIAL:
		return s->vectors * s->vec;
	case DRAM_STREAM_ZIPF:
		return stream_zipf_row(s) * s->vec;
	case DRAM_STREAM_STRIDE:
		return s->vectors * STRIDE_BYTES;
	case DRAM_STREAM_CONFLICT:
		return stream_conflict(s);
	case DRAM_STREAM_HOT:
		return stream_rng(s) % HOT_BURSTS * s->burst_bytes;
	case DRAM_STREAM_SMALL:
		return stream_rng(s) % SMALL_BYTES & ~(uint64_t)(s->vec - 1);
	default:
		return stream_rng(s) & ~(uint64_t)(s->vec - 1);
	}
}

static void stream_begin(struct dram_stream *s)
{
	s->base = stream_vector(s) & (s->mem_bytes - 1);
	s->left = s->vec;
	s->vectors++;
	s->write = s->writes && stream_rng(s) % 3 == 0;
	if (s->write &&
	    (s->kind == DRAM_STREAM_ZIPF || s->kind == DRAM_STREAM_HOT))
		s->base ^= s->mem_bytes / 2;
	if (s->kind == DRAM_STREAM_PACED)
		s->cycle += stream_rng(s) % PACE_GAP;
}

void dram_stream_next(struct dram_stream *s, struct ppim_dram_req *req)
{
	if (!s->left)
		stream_begin(s);
	req->addr = s->base + (s->vec - s->left);
	req->cycle = s->cycle & INT64_MAX;
	req->write = s->write;
	s->left -= s->burst_bytes;
}
