#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The device's tests in QEMU's framework, with the address and undefined-
# behaviour sanitizers.

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/device/sanitizers.sh"
export PPIM_QEMU=qemu-asan
exec "$top/tests/qtest/qos.sh"
