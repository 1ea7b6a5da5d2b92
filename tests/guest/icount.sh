#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under --icount the main job's report depends on its options alone: two runs
# print the same bytes, one of them while every core of the host is busy.

. "$(dirname "$0")/../tap.sh"

busy=()
load_start() {
	local i
	for ((i = 0; i < $(nproc); i++)); do
		while :; do :; done &
		busy+=($!)
	done
}
load_stop() {
	kill "${busy[@]}"
	wait "${busy[@]}" 2>/dev/null
}

# report NAME: text and JSON of one machine.
report() {
	ppim-vm -q --icount -- sh -c 'ppim-bench && ppim-bench --json --annotations --samples 2 && ppimctl stats' \
		>"$tmp/$1" 2>"$tmp/$1.err"
	result $? "the main job runs under --icount ($1)" "$(cat "$tmp/$1.err")"
}

report idle
load_start
report loaded
load_stop

holds "the report has figures in it" grep -q 'speedup vs bgpim' "$tmp/idle"
holds "two runs print the same bytes, one of them on a busy host" cmp "$tmp/idle" "$tmp/loaded"
is "no completion is late under --icount" "$(awk '$1 == "late_count" { print $2 }' "$tmp/idle")" 0

done_testing
