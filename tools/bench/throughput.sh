#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Speed of the whole stack, by the clock on the wall: batches of 26 tables with
# 1024 lookups each go from a guest through runtime, driver and device, timing
# on. Beside it the same batches on the engine alone, so that it is seen what
# the stack costs; and what of it leaves the guest.
#
# usage: throughput.sh [--runs N] [--samples N] [--json]
#   --runs N     each of guest and engine, by turns; the best counts (default 3)
#   --samples N  batches of a run (default 512)

set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${PPIM_BUILD:-$top/build}
runs=3 samples=512 json=0
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=${2:?--runs wants a number}; shift ;;
	--samples) samples=${2:?--samples wants a number}; shift ;;
	--json) json=1 ;;
	*) sed -n 's/^# usage/usage/p; s/^#   --/  --/p' "$0" >&2; exit 2 ;;
	esac
	shift
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ppim-throughput.XXXXXX")
trap 'exec 3>&-; rm -rf "$tmp"' EXIT

rate() { sed -n 's/.*"lookups_per_s": *\([0-9]*\).*/\1/p'; }
most() { if [ "$1" -gt "$2" ]; then echo "$1"; else echo "$2"; fi; }

# The device's counters are asked for by QMP while the guest works; a driver
# that goes resets them, so the largest answer is what stays.
watch_device() {
	echo '{ "execute": "qmp_capabilities" }' >&3
	while sleep 0.1; do
		echo '{ "execute": "qom-get", "arguments": {
			"path": "/machine/peripheral/ppim0", "property": "stats" } }' >&3
	done
}

# guest ALGO: leaves `out`.
guest() {
	local watcher
	rm -f "$tmp/qmp.in" "$tmp/qmp.out"
	mkfifo "$tmp/qmp.in" "$tmp/qmp.out"
	exec 3<>"$tmp/qmp.in"
	cat "$tmp/qmp.out" >"$tmp/stats" &
	watch_device &
	watcher=$!
	out=$("$top/tools/ppim-vm" -q --qemu-arg -chardev --qemu-arg "pipe,id=stats,path=$tmp/qmp" \
		--qemu-arg -mon --qemu-arg chardev=stats,mode=control \
		-- ppim-bench --perf --json --algo "$1" --samples "$samples" | rate)
	kill "$watcher"
	wait
	[ -n "$out" ]
}

counter() { grep -oE "\"$1\": [0-9]+" "$tmp/stats" | grep -oE '[0-9]+$' | sort -n | tail -n 1; }

engine() {
	out=$("$build/bin/ppim-sim" gnr --perf --json --algo "$1" --samples "$samples" | rate)
	[ -n "$out" ]
}

# measure ALGO: leaves `in_guest`, `alone`, and the counters of the last run.
measure() {
	local i
	in_guest=0 alone=0 visit=0
	for ((i = 0; i < runs; i++)); do
		guest "$1"
		in_guest=$(most "$in_guest" "$out")
		engine "$1"
		alone=$(most "$alone" "$out")
	done
	batches=$(counter completed) sq=$(counter sq-doorbells) cq=$(counter cq-doorbells)
	visit=$(counter main-loop-max-ns)
}

# Time that the stack adds to the engine's, in percent of the latter.
overhead() { echo $(((alone - in_guest) * 100 / in_guest)); }
per_batch() { awk -v n="$1" -v of="$batches" 'BEGIN { printf "%.2f", of ? n / of : 0 }'; }

line_text() {
	printf '  %-9s %12d lookups/s %14d lookups/s %8d %% %12s %10s %10d us\n' \
		"$1" "$in_guest" "$alone" "$(overhead)" "$(per_batch "$sq")" "$(per_batch "$cq")" $((visit / 1000))
}

line_json() {
	printf '{ "algo": "%s", "guest_lookups_per_s": %d, "engine_lookups_per_s": %d, "overhead_percent": %d, "sq_doorbells_per_batch": %s, "cq_doorbells_per_batch": %s, "main_loop_max_ns": %d }\n' \
		"$1" "$in_guest" "$alone" "$(overhead)" "$(per_batch "$sq")" "$(per_batch "$cq")" "$visit"
}

if [ $json = 0 ]; then
	echo "throughput: best of $runs runs, $samples batches of 26 tables x 1024 lookups, 128 B, preset proactive"
	printf '  %-9s %22s %24s %10s %12s %10s %13s\n' '' guest 'engine alone' overhead 'SQ doorbells' 'CQ' 'longest visit'
fi
for algo in qr tt; do
	measure $algo
	if [ $json = 1 ]; then line_json $algo; else line_text $algo; fi
done
[ $json = 1 ] || echo "  (doorbell writes per batch: each leaves the guest; nothing else does. Visit: of the device, keeping the main loop)"
