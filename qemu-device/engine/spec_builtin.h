/* SPDX-License-Identifier: MIT */
/*
 * The shipped specifications' text. The table is generated at build time by
 * gen-spec-builtin.sh from qemu-device/configs, so that neither a device nor
 * a tool has to find a file at run time.
 */
#ifndef PPIM_ENGINE_SPEC_BUILTIN_H
#define PPIM_ENGINE_SPEC_BUILTIN_H

#include <stddef.h>

struct spec_builtin {
	const char *name;
	const char *text;
};

/* Ends with a NULL name. */
extern const struct spec_builtin spec_builtins[];
extern const size_t spec_builtin_count;

#endif
