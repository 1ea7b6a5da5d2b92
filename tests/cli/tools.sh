#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim-bench and ppimctl as a user meets them, on the CPU path: reports that fit
# a terminal, progress on a terminal alone, JSON for programs, and for each
# mistake one line that says what and where.

. "$(dirname "$0")/../tap.sh"

json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$tmp/out" "$1"; }
widest() { awk '{ n = length($0); if (n > most) most = n } END { print most }' "$1"; }

# ---- reports --------------------------------------------------------------------

run ppim-bench --cpu-only
is "the main job runs without a device" "$status $err" "0 "
matches "and says that it checked" "$out" '^checked +every vector: bit for bit'
is "lines fit 90 columns" "$(($(widest "$tmp/out") <= 90))" 1
first=$out
run ppim-bench --cpu-only
is "two runs print the same bytes" "$out" "$first"

# The same report of eight presets: below each other, all compared with all.
run ppim-sim gnr --algo qr --arch cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all
is "eight presets fit 90 columns" "$status $(($(widest "$tmp/out") <= 90))" "0 1"
is "each of them once" "$(grep -E '^ +(cpu|bgpim) ' <<<"$out" | wc -w)" 8
is "compared with each other" "$(grep -c '^  speedup vs ' <<<"$out")" 16
is "and each with itself is 1" "$(grep '^  speedup vs ' <<<"$out" | grep -oE '\b1\.00\b' | wc -l | awk '{ print ($1 >= 8) }')" 1

run ppim-bench --cpu-only --json --samples 3 --algo tt
is "JSON: every vector was compared" "$(json 'd["verified"], d["results"][0]["vectors"]')" "(True, $((3 * 26 * 4)))"
run ppimctl --device cpu: --json info
is "JSON of info" "$(json 'd["archs"], d["slices"], d["libppim"]')" \
	"(['cpu'], 32, '$(sed -n 's/^VERSION := //p' "$top/runtime/Makefile")')"
run ppimctl --device cpu: info
matches "info for people" "$out" '^io_uring +no: no device$'
run ppimctl --device cpu: tables
is "no tables are said to be none" "$status $out" "0 no tables"
run ppimctl --device cpu: --json tables
is "and are an empty list in JSON" "$status $out" "0 []"
run ppimctl --device cpu: stats
is "statistics are one a line" "$(awk 'NF != 2 || $2 !~ /^[0-9]+$/' "$tmp/out")" ""
run ppimctl explain --device cpu: --table C3 --row 12345 --algo qr
matches "explain says where and why" "$out" '^C3\.Q row 3086 is in the DIMM at [0-9]+: .*\(95\.24 % wanted\)$'

# ---- progress -------------------------------------------------------------------

run ppim-bench --cpu-only --algo qr --samples 3
is "no progress where there is no terminal" "$err" ""
clear=$'\r\e[K'
script -qec 'ppim-bench --cpu-only --algo qr --samples 3 >/dev/null' /dev/null >"$tmp/screen" </dev/null
matches "progress on a terminal" "$(cat "$tmp/screen")" 'qr: rows of table C1, 1 of 26'
is "which is gone at the end" "$(tail -c 4 "$tmp/screen")" "$clear"
script -qec 'ppim-bench --cpu-only --algo qr --corrupt >/dev/null' /dev/null >"$tmp/screen" </dev/null
is "an error has a line of its own" "$(grep -cF "${clear}ppim-bench: mismatch: qr on cpu" "$tmp/screen")" 1

# ---- mistakes ------------------------------------------------------------------

# refused STATUS NAME REGEX COMMAND...: one line, the status, nothing on stdout.
refused() {
	local want=$1 name=$2 regex=$3
	shift 3
	run "$@"
	is "$name: exit status, one line" "$status $(wc -l <"$tmp/err") $(wc -c <"$tmp/out")" "$want 1 0"
	matches "$name: what and where" "$err" "^${1##*/}( explain)?: $regex"
}

bench() {
	local want=$1 name=$2 regex=$3
	shift 3
	refused "$want" "$name" "$regex" ppim-bench --cpu-only "$@"
}

touch "$tmp/file"
mkdir "$tmp/folder"
refused 1 "no device" "no device: /no/such does not exist$" ppim-bench --device /no/such
refused 1 "no device, for ppimctl" "no device: '' does not exist$" ppimctl --device= info
refused 1 "a file is no device" "$tmp/file is no ppim device$" ppimctl --device "$tmp/file" info
refused 1 "nor is a folder" "$tmp/folder is no ppim device$" ppim-bench --device "$tmp/folder"
refused 1 "nor is another device" "/dev/null is no ppim device$" ppimctl --device /dev/null stats
refused 1 "a preset that the device has not" "--arch: the device has no preset bgpim, it has cpu$" ppim-bench --device cpu:
refused 2 "no command" "expected a command: info, tables, stats, reset or explain" ppimctl
refused 2 "unknown command" "'look' is no command: expected info, " ppimctl look
refused 2 "one word too many" "unexpected argument 'now'" ppimctl --device cpu: info now
refused 2 "unknown option" "unrecognized option '--nonsense'" ppimctl --nonsense
refused 2 "option without a value" "option '--device' requires an argument" ppimctl --device
refused 2 "no such table" "--table: expected C1 to C26, got 'C27'" ppimctl --device cpu: explain --table C27
refused 2 "no such row" "--row: table C1 has rows 0 to 1459" ppimctl --device cpu: explain --row 1460
bench 2 "a device and none" "--cpu-only takes no --device" --device /dev/ppim
bench 2 "other presets on the CPU" "--cpu-only has no --arch but cpu" --arch bgpim
bench 1 "io_uring on the CPU" "--uring: no device" --uring
bench 2 "both ways to submit" "--uring and --ioctl exclude each other" --uring --ioctl
bench 2 "speed that is verified" "--perf measures speed: --verify cannot be" --perf --verify
bench 2 "corrupted and not checked" "--corrupt without --verify shows nothing" --corrupt --no-verify
bench 2 "annotations without JSON" "--annotations needs --json" --annotations
bench 2 "fill of something" "--fill: expected touched or all, got 'some'" --fill some
bench 2 "depth of none" "--queue-depth: expected a whole number from 1 to 4096, got '0'" --queue-depth 0
bench 2 "halves of an odd vector" "concat halves a vector between Q and R: 4 bytes" --combine concat --vec 4 --algo qr
bench 2 "too many indices" "1099511627776 indices of a table in one batch" --batch 1048576 --pooling 1048576
bench 2 "a folder of input" "$tmp/folder: Is a directory" --criteo "$tmp/folder"
bench 2 "an empty input" "$tmp/file has 0 samples, the run needs 4" --criteo "$tmp/file"

for tool in "ppim-bench --cpu-only --algo qr" "ppimctl --device cpu: info"; do
	run sh -c "$tool >/dev/full"
	is "${tool%% *} notices that its report cannot be written" "$status $err" \
		"1 ${tool%% *}: standard output: No space left on device"
	run sh -c "$tool | true"
	is "${tool%% *} says nothing to a reader that left" "$err" ""
done

for tool in ppim-bench ppimctl "ppimctl explain"; do
	read -ra words <<<"$tool"
	run "${words[@]}" --help
	is "$tool --help is for standard output" "$status $err" "0 "
	is "and fits 80 columns" "$(($(widest "$tmp/out") <= 80))" 1
done

done_testing
