// SPDX-License-Identifier: MIT
/* The scheduler for processors with AVX-512 of 16-bit lanes, and BMI. */
#ifdef __x86_64__

#define DRAM_AVX2
#define DRAM_AVX512
#include <immintrin.h>
#include <stddef.h>

#ifdef __clang__
#pragma clang attribute push(                                            \
	__attribute__((target("avx2,bmi,bmi2,avx512bw,avx512vl"))), \
	apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,avx512bw,avx512vl")
#endif

#include "dram_queue.h"

#define DRAM_SCHED	dram_sched_avx512
#define DRAM_SCHED_NAME "avx512"

static bool sched_usable(void)
{
	return __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

#include "dram_sched_template.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
