/* SPDX-License-Identifier: MIT */
/*
 * Reader of DRAMsim3's trace lines, '0xADDR READ|WRITE CYCLE', from a file,
 * plain or gzip'd, or from standard input. Memory does not grow with the
 * trace.
 */
#ifndef PPIM_SIM_TRACE_H
#define PPIM_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include "ppim-engine/dram.h"

struct trace;

/* "-" is standard input. NULL with errno. */
struct trace *trace_open(const char *path);
void trace_close(struct trace *t);

/*
 * Up to n requests; 0 at the end. -1: *why says what is wrong, as
 * "FILE:LINE: expected ..., got '...'".
 */
int64_t trace_read(struct trace *t, struct ppim_dram_req *reqs, size_t n,
		   char *why, size_t why_size);

#endif
