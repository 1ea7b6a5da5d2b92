// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers, and the values that go wrong more often than random ones. */

#include "guest.h"

/* SplitMix64. */
uint64_t random_next(void)
{
	uint64_t z = STATE->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void digest(const void *words, uint32_t bytes)
{
	const uint64_t *p = words;
	uint64_t z = STATE->digest;

	for (; bytes; bytes -= 8, p++)
		z = (z ^ *p ^ z >> 29) * 0xbf58476d1ce4e5b9ull;
	STATE->digest = z;
}

uint64_t random_below(uint64_t n)
{
	return random_next() % n;
}

bool random_once_in(uint64_t n)
{
	return !random_below(n);
}

/* Any address that does no harm to the program: see layout.h. */
uint64_t random_address(void)
{
	static const uint64_t others[] = {
		GUEST_REGS, GUEST_REGS + PPIM_DB_BASE, GUEST_MSIX, GUEST_HBM,
		GUEST_DIMM, GUEST_ECAM, GUEST_ROM, 0xfee00000, 0xfec00000,
		0xfed00000, GUEST_RAM - 64, GUEST_RAM - 8, GUEST_RAM, 0,
		0xa0000, 0xfffffff8, 1ull << 32, 1ull << 39, 1ull << 52,
		~0ull, ~0ull - 63, 1ull << 63,
	};

	if (random_below(4))
		return GUEST_ARENA + random_below(GUEST_ARENA_BYTES);
	return others[random_below(ARRAY_SIZE(others))] +
	       (random_once_in(2) ? 0 : random_below(256));
}

uint64_t random_value(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256,
		0x7fff, 0x8000, 0xffff, 0x10000, 1 << 20, 0x7fffffff,
		0x80000000, 0xffffffff, 1ull << 32, 1ull << 40,
		(1ull << 40) + 1, 0x7fffffffffffffff, 1ull << 63, ~0ull,
		~0ull - 7, ~0ull - 63,
	};

	switch (random_below(5)) {
	case 0:
		return random_next();
	case 1:
		return random_address();
	case 2:
		return random_below(64);
	default:
		return edges[random_below(ARRAY_SIZE(edges))];
	}
}
