#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ten million random operations with the address and undefined-behaviour
# sanitizers.

. "$(dirname "$0")/../tap.sh"
. "$top/tests/device/sanitizers.sh"
. "$top/tests/device/random.sh"

random_all "$build/qemu-asan" "${PPIM_RANDOM_OPERATIONS:-10000000}"

done_testing
