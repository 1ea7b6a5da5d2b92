/* SPDX-License-Identifier: MIT */
/*
 * The counter-based hash of the workload: splitmix64 (Steele, Lea, Flood 2014;
 * finalizer by Stafford, "mix 13"). A key is built by absorbing one word after
 * the other; outputs of a key are the splitmix64 stream that begins there.
 */
#ifndef PPIM_WORKLOAD_HASH_H
#define PPIM_WORKLOAD_HASH_H

#include <stdint.h>

#define WL_GAMMA 0x9e3779b97f4a7c15ull

/* What a key is for: two uses never share a stream. */
enum wl_domain {
	WL_DOMAIN_VALUE = 1,
	WL_DOMAIN_FIRST = 2,
	WL_DOMAIN_PERMUTE = 3,
	WL_DOMAIN_OTHER = 4,
	WL_DOMAIN_CATEGORY = 5,
};

static inline uint64_t wl_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Output n of the stream of a key. */
static inline uint64_t wl_stream(uint64_t key, uint64_t n)
{
	return wl_mix(key + (n + 1) * WL_GAMMA);
}

/* Key that depends on `key` and on one more word. */
static inline uint64_t wl_absorb(uint64_t key, uint64_t word)
{
	return wl_mix(wl_stream(key, 0) ^ wl_mix(word + WL_GAMMA));
}

static inline uint64_t wl_key(uint64_t seed, enum wl_domain domain,
			      uint64_t table)
{
	return wl_absorb(wl_absorb(seed, domain), table);
}

/* Uniform in 0 .. n - 1 from 64 random bits, without a division. */
static inline uint64_t wl_below(uint64_t bits, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)bits * n) >> 64);
}

/* Uniform in (0, 1], a multiple of 2^-53. */
static inline double wl_unit(uint64_t bits)
{
	return (double)((bits >> 11) + 1) * 0x1p-53;
}

#endif
