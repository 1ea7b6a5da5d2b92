#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The device's tests in QEMU's own framework; QEMU's tests of other devices are
# not ours to run.
#
#   PPIM_QEMU  folder in build/ of the QEMU that is tested (default: qemu)

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${PPIM_BUILD:-$top/build}
tests=$build/qemu
qemu=$build/${PPIM_QEMU:-qemu}
export QTEST_QEMU_BINARY=$qemu/qemu-system-x86_64
export PPIM_QTEST_FIRMWARE=$qemu/firmware

mapfile -t paths < <("$tests/qos-test" -l | grep '/ppim/')
arguments=()
for path in "${paths[@]}"; do
	arguments+=(-p "$path")
done
if [ ${#arguments[@]} = 0 ]; then
	echo "Bail out! qos-test lists no test of the ppim device"
	exit 1
fi
cd "$tests"
exec ./qos-test --tap -k "${arguments[@]}"
