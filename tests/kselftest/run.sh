#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the kselftests in one guest; small tiers, since they test the driver.
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${PPIM_BUILD:-$top/build}
exec "$top/tools/ppim-vm" --timeout 900 --hbm 256M --dimm 1G --devices 2 \
	--share "$build/tests/kselftest" -- sh /mnt/share/guest.sh
