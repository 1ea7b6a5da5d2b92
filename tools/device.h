/* SPDX-License-Identifier: MIT */
/* The tools' way to a device. */
#ifndef PPIM_TOOLS_DEVICE_H
#define PPIM_TOOLS_DEVICE_H

#include <ppim.h>

/* path NULL: the default. Ends the program with a line if it cannot be used. */
struct ppim_dev *device_open(const char *path);

/* The presets of a mask by name, one blank between them, in `list`. */
const char *device_archs(uint32_t mask, char *list, size_t n);

#endif
