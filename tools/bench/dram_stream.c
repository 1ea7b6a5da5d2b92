// SPDX-License-Identifier: MIT
#include <math.h>

#include "dram_stream.h"

#define STREAM_SEED 0x70696d2d6472616dull
#define ZIPF_ROWS_LOG2 22
/* Scatters ranks over the table; odd, so that it is a permutation. */
#define ZIPF_SCATTER 0x9e3779b1ull

static const struct {
	const char *name;
	uint32_t vec;
} kinds[DRAM_STREAM_COUNT] = {
	[DRAM_STREAM_RANDOM64] = { "random64", 64 },
	[DRAM_STREAM_SEQUENTIAL] = { "sequential", 64 },
	[DRAM_STREAM_VEC128] = { "vec128", 128 },
	[DRAM_STREAM_VEC512] = { "vec512", 512 },
	[DRAM_STREAM_ZIPF] = { "zipf", 128 },
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

void dram_stream_init(struct dram_stream *s, enum dram_stream_kind kind,
		      bool writes, uint32_t burst_bytes, uint64_t mem_bytes)
{
	*s = (struct dram_stream){
		.kind = kind,
		.writes = writes,
		.burst_bytes = burst_bytes,
		.mem_bytes = mem_bytes,
		.rng = STREAM_SEED + (uint64_t)kind,
		.vec = kinds[kind].vec,
	};
	if (s->vec < burst_bytes)
		s->vec = burst_bytes;
	s->base = -(uint64_t)s->vec; /* sequential streams start at 0 */
}

/*
 * Zipf with exponent 1: the logarithm of the rank is uniform. Writes go to a
 * table of their own in the upper half of the memory (see dram_stream_next):
 * DRAMsim3 never ends when a write waits for a read of the same burst that
 * has not left the read queue and the write queue is full, and hot rows
 * bring that about within a few hundred requests.
 */
static uint64_t stream_zipf_row(struct dram_stream *s)
{
	double u = (double)(stream_rng(s) >> 11) * 0x1p-53;
	uint64_t rank = (uint64_t)exp2(u * ZIPF_ROWS_LOG2) - 1;

	return (rank * ZIPF_SCATTER) & ((1ull << ZIPF_ROWS_LOG2) - 1);
}

static uint64_t stream_vector(struct dram_stream *s)
{
	switch (s->kind) {
	case DRAM_STREAM_SEQUENTIAL:
		return (s->base + s->vec) & (s->mem_bytes - 1);
	case DRAM_STREAM_ZIPF:
		return stream_zipf_row(s) * s->vec & (s->mem_bytes - 1);
	default:
		return stream_rng(s) & (s->mem_bytes - 1) &
		       ~(uint64_t)(s->vec - 1);
	}
}

uint64_t dram_stream_next(struct dram_stream *s, bool *write)
{
	uint64_t addr;

	if (!s->left) {
		s->base = stream_vector(s);
		s->left = s->vec;
		s->write = s->writes && stream_rng(s) % 3 == 0;
		if (s->write && s->kind == DRAM_STREAM_ZIPF)
			s->base ^= s->mem_bytes / 2;
	}
	addr = s->base + (s->vec - s->left);
	s->left -= s->burst_bytes;
	*write = s->write;
	return addr;
}
