// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "device.h"

struct ppim_dev *device_open(const char *path)
{
	const char *name = path ? path : PPIM_DEV_DEFAULT;
	struct ppim_dev *dev;
	int ret = ppim_open(path, &dev);

	if (ret == -ENOENT)
		cli_die(CLI_FAILED, "no device: %s does not exist",
			*name ? name : "''");
	if (ret == -ENOTTY || ret == -EISDIR)
		cli_die(CLI_FAILED, "%s is no ppim device", name);
	if (ret)
		cli_die(CLI_FAILED, "%s: %s", name, strerror(-ret));
	return dev;
}

const char *device_archs(uint32_t mask, char *list, size_t n)
{
	size_t at = 0;
	uint32_t i;

	*list = '\0';
	for (i = 0; i < PPIM_ARCH_COUNT && at < n; i++)
		if (mask & 1u << i)
			at += (size_t)snprintf(list + at, n - at, "%s%s",
					       at ? " " : "",
					       ppim_arch_name(i));
	return list;
}
