#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim.ko against every kernel series that has been fetched: no warning at W=1,
# none from sparse, none from checkpatch --strict.

. "$(dirname "$0")/../tap.sh"

# From scratch, in a folder of its own, beside the fetched packages.
mkdir "$tmp/build"
ln -s "$build/linux" "$tmp/build/linux"
series=()
for kdir in "$build"/linux/*/build; do
	series+=("$(basename "$(dirname "$kdir")")")
done

module() { run make -C "$top/kernel" O="$tmp/build" "$@"; }
complaints() { grep -hE 'warning:|WARNING|error:|ERROR|CHECK:' "$tmp/out" "$tmp/err" | head -n 20; }

for version in "${series[@]}"; do
	module KVERS="$version" all
	is "ppim.ko builds against Linux $version" "$status" 0
	is "without a warning at W=1 (Linux $version)" "$(complaints)" ""
	is "and is for that kernel (Linux $version)" \
		"$(modinfo -F vermagic "$tmp/build/kernel/$version/ppim.ko" | grep -oE "^${version//./\\.}\\.")" "$version."
done
module KVERS="${series[*]}" check
is "sparse and checkpatch --strict have nothing to say" "$status: $(complaints)" "0: "

done_testing
