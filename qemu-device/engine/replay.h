/* SPDX-License-Identifier: MIT */
/* What writer and reader of a dump agree on. */
#ifndef PPIM_REPLAY_INT_H
#define PPIM_REPLAY_INT_H

#include "ppim-engine/pim.h"
#include "ppim-engine/replay.h"

#define REPLAY_MAGIC   "ppim-replay"
#define REPLAY_VERSION 1
#define REPLAY_LINE    2048
#define REPLAY_WORDS   32 /* words of a list in one line */

#endif
