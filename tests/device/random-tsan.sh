#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One million random operations with the thread sanitizer.

. "$(dirname "$0")/../tap.sh"
. "$top/tests/device/sanitizers.sh"
. "$top/tests/device/random.sh"

random_all "$build/qemu-tsan" "${PPIM_RANDOM_OPERATIONS:-1000000}"

done_testing
