#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A guest that does at random what no driver does: the device survives, and
# afterwards gives right answers. The short form of the device group's.

. "$(dirname "$0")/../tap.sh"
. "$top/tests/device/random.sh"

qemu=$build/${PPIM_QEMU:-qemu}

random_all "$qemu" "${PPIM_RANDOM_OPERATIONS:-100000}"

# In virtual time nothing depends on the host: all that the device said.
digest() {
	random_guest "$qemu" 7 10000 "$1" -icount shift=0,sleep=off 2>/dev/null |
		sed -n 's/.* digest //p' | tail -n 1
}
first=$(digest ,threads=1)
matches "a run in virtual time has a digest" "$first" '^[0-9a-f]+$'
is "two runs in virtual time say the same" "$(digest ,threads=1)" "$first"
is "so does one with other workers" "$(digest ,threads=5)" "$first"

done_testing
