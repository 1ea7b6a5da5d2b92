#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Laying the device into a QEMU tree: few lines, repeatable, the source untouched.

. "$(dirname "$0")/../tap.sh"

apply=$top/qemu-device/overlay/apply.sh

# A tree with no more than what the overlay hooks into.
make_tree() {
	mkdir -p "$1"/{hw/misc,hw/i386,tests/qtest/fuzz}
	printf "trace_events_subdirs += [\n    'hw/misc',\n]\n" >"$1/meson.build"
	printf '# first\n\n# HPPA devices\nlast\n' >"$1/hw/misc/meson.build"
	printf 'config A\n\nsource macio/Kconfig\n' >"$1/hw/misc/Kconfig"
	printf 'const generic_fuzz_config predefined_configs[] = {\n};\n' \
		>"$1/tests/qtest/fuzz/generic_fuzz_configs.h"
	printf '{\n    return amdvi_readq(s, addr) | val;\n}\n' >"$1/hw/i386/amd_iommu.c"
	printf "qos_test_ss = 1\ntpmemu_files = ['tpm-emu.c', 'tpm-util.c', 'tpm-tests.c']\n" >"$1/tests/qtest/meson.build"
}

make_tree "$tmp/source"
cp -r "$tmp/source" "$tmp/before"
cp -r "$tmp/source" "$tmp/tree"
run "$apply" "$tmp/source" "$tmp/tree"
is "the overlay can be laid" "$status: $err" "0: "
is "five lines are hooked into QEMU's files" \
	"$(diff -r -x amd_iommu.c "$tmp/source" "$tmp/tree" | grep -c '^[<>]')" 5
is "and one is mended" "$(diff -r "$tmp/source/hw/i386" "$tmp/tree/hw/i386" | grep '^[<>]')" \
	"<     return amdvi_readq(s, addr) | val;
>     return amdvi_readq(s, addr) & val;"
holds "the source is not written" diff -r "$tmp/before" "$tmp/source"
holds "the device is there" test -f "$tmp/tree/hw/misc/ppim/meson.build"
holds "the engine is there" test -f "$tmp/tree/hw/misc/ppim/engine/include/ppim-engine/engine.h"
holds "the device's tests are there" test -f "$tmp/tree/tests/qtest/ppim/meson.build"

find "$tmp/tree" -type f -exec touch -d @1000 {} +
: >"$tmp/tree/hw/misc/ppim/engine/removed.c"
touch -d @1000 "$tmp/tree/hw/misc/ppim/engine/removed.c"
run "$apply" "$tmp/source" "$tmp/tree"
holds "a file that is ours no more goes" test ! -e "$tmp/tree/hw/misc/ppim/engine/removed.c"
is "and meson, nothing else, is told" "$(find "$tmp/tree" -type f -newermt @2000 -printf '%P ')" \
	"hw/misc/ppim/meson.build "
touch -d @1000 "$tmp/tree/hw/misc/ppim/meson.build"
run "$apply" "$tmp/source" "$tmp/tree"
is "laying it again writes nothing" "$(find "$tmp/tree" -type f -newermt @2000 -printf '%P ')" ""

sed -i 's/|/\&/' "$tmp/source/hw/i386/amd_iommu.c"
run "$apply" "$tmp/source" "$tmp/tree"
is "a QEMU that has not the mistake stays as it is" "$status: $(diff -r "$tmp/source/hw/i386" "$tmp/tree/hw/i386")" "0: "

sed -i '/macio/d' "$tmp/source/hw/misc/Kconfig"
run "$apply" "$tmp/source" "$tmp/tree"
is "a QEMU without the place to hook in is refused by name" "$status: $err" \
	"1: overlay: $tmp/source/hw/misc/Kconfig has no line \"source macio/Kconfig\" to hook in after: not a QEMU that this overlay knows"

done_testing
