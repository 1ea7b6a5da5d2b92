#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim.ko against every kernel series that has been fetched: no warning at W=1,
# none from sparse, none from checkpatch --strict.

. "$(dirname "$0")/../tap.sh"

# clean_build SERIES NAME ARGUMENT...: from scratch, in a folder of its own.
clean_build() {
	local series=$1 name=$2
	shift 2
	run make -C "$top/kernel" O="$tmp/$series-$RANDOM" SERIES="$series" \
		KDIR="$build/linux/$series/build" "$@"
	is "Linux $series: $name: builds" "$status" 0
	is "Linux $series: $name: no warning" \
		"$(grep -hE 'warning:|error:' "$tmp/out" "$tmp/err" | head -n 10)" ""
}

for kdir in "$build"/linux/*/build; do
	clean_build "$(basename "$(dirname "$kdir")")" "W=1" W=1
done
for kdir in "$build"/linux/*/source; do
	clean_build "$(basename "$(dirname "$kdir")")" "sparse" C=2
	mapfile -t sources < <(find "$top/kernel" -name '*.[ch]')
	run "$kdir/scripts/checkpatch.pl" --no-tree --strict --terse --no-summary --file "${sources[@]}"
	is "checkpatch --strict has nothing to say" "$(head -n 20 <<<"$out")" ""
done

done_testing
