#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libppim on /dev/ppim: tests/unit/test_device there, by io_uring and without it,
# and the example as it stands.

. "$(dirname "$0")/../tap.sh"

share=$tmp/share
mkdir -p "$share/lib"
holds "the tests are built" env -u MAKEFLAGS -u MAKELEVEL make -s -C "$top/tests/unit" O="$build" \
	"$build/tests/unit/test_device"
holds "the example is built" "${CC:-gcc}" -I"$top/runtime/include" -I"$top/kernel/include/uapi" -o "$share/gnr" \
	"$top/runtime/examples/gnr.c" "$build/lib/libppim.a" -luring -lnuma -lm -lpthread
cp "$build/tests/unit/test_device" "$share"
# What the guest has no copy of comes along.
ldd "$share/test_device" | awk '$3 ~ /^\// { print $3 }' | xargs -I{} cp {} "$share/lib"

cat >"$share/run" <<'END'
cd /mnt/share
export LD_LIBRARY_PATH=/mnt/share/lib CMOCKA_MESSAGE_OUTPUT=TAP PPIM_TEST_DEVICE=/dev/ppim
./gnr >gnr.out 2>&1
echo $? >>gnr.out
./test_device >uring.out 2>&1
echo 2 >/proc/sys/kernel/io_uring_disabled
PPIM_TEST_URING=0 ./test_device >ioctl.out 2>&1
ppimctl --json tables >tables.out 2>&1
END
holds "the guest runs them" ppim-vm -q --smp 2 --hbm 512M --dimm 512M --share "$share" -- sh /mnt/share/run

is "the example's sums" "$(sed -n '1p;$p' "$share/gnr.out")" "rows 4 + 8: 12, row 996: 996
0"
matches "and what they cost" "$(cat "$share/gnr.out")" '^3 lookups on preset proactive, [1-9][0-9]* ps$'

# Each test of the program is one here.
for way in uring ioctl; do
	matches "by $way: all tests ran" "$(cat "$share/$way.out")" '^1\.\.11$'
	while read -r line; do
		status=0
		[[ $line != not* ]] || status=1
		result $status "by $way: ${line#* - }" "$(grep -v '^ok' "$share/$way.out")"
	done < <(grep -E '^(not )?ok ' "$share/$way.out")
done
is "nothing is left on the device" "$(cat "$share/tables.out")" "[]"

done_testing
