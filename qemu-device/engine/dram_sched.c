// SPDX-License-Identifier: MIT
/* The scheduler for any processor. */
#include <stddef.h>

#include "dram_queue.h"

#define DRAM_SCHED	dram_sched_plain
#define DRAM_SCHED_NAME "plain"

static bool sched_usable(void)
{
	return true;
}

#include "dram_sched_template.h"
