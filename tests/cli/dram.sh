#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim-sim dram end to end: traces as they come, what it says, what it refuses;
# and the clocks that DRAMsim3 takes on the same streams.

. "$(dirname "$0")/../tap.sh"

here=$top/tests/cli
trace=$tmp/trace
stream() { ppim-bench-dram --spec HBM2_4Gb_x128 --requests 5000 "$@"; }
dram() { run ppim-sim dram "$@"; }
# Of the JSON in $out.
key() { jq -r ".$1" <<<"$out"; }
# What depends on the clock on the wall is left out.
timeless() { jq -S 'del(.req_per_s)'; }

stream --trace vec128 --mix >"$trace"

# --- the report -------------------------------------------------------------

dram --spec HBM2_4Gb_x128 --json "$trace"
is "a trace is run" "$status: $err" "0: "
is "requests are counted" "$(key requests)" 5000
is "reads and writes are the requests" "$(jq '.reads + .writes' <<<"$out")" 5000
is "a clock of 1 ns" "$(jq '.ns == .cycles' <<<"$out")" true
is "every key is there" "$(jq -r '[has("requests", "cycles", "ns", "row_hits", "activations", "energy_pj", "req_per_s", "read_latency", "gb_per_s", "commands", "energy", "notes")] | all' <<<"$out")" true
is "figures are numbers above nothing" \
	"$(jq '[.cycles, .ns, .row_hits, .activations, .energy_pj, .req_per_s] | all(type == "number" and . > 0)' <<<"$out")" true
is "the energy is the sum of its classes" \
	"$(jq '([.energy[]] | add) as $sum | (.energy_pj - $sum) / $sum | fabs < 1e-9' <<<"$out")" true
is "activations and column commands add up" \
	"$(jq '.row_hits + .activations >= .commands.read + .commands.write' <<<"$out")" true
is "what was taken for granted is listed" "$(jq -r '.notes[] | select(.key == "tRTP") | .kind + " " + .text' <<<"$out")" "default 5"
json=$out

dram --spec HBM2_4Gb_x128 "$trace"
matches "a table without --json" "$out" "^cycles +$(jq .cycles <<<"$json")$"
matches "the table names the default, too" "$out" '^default +tRTP +5$'

dram --spec HBM2_samsung --json "$trace"
is "no currents, no energy" "$(key energy_pj)" null
is "what is missing is named" "$(key energy_missing.read)" "VDD IDD4R IDD3N"
dram --spec HBM2_samsung "$trace"
matches "in the table as well" "$out" 'read +not known: the specification misses one of VDD IDD4R IDD3N'

# --- where a trace comes from -------------------------------------------------

expected=$(timeless <<<"$json")
gzip -k "$trace"
dram --spec HBM2_4Gb_x128 --json "$trace.gz"
is "gzip'd, the same" "$(timeless <<<"$out")" "$expected"
is "from standard input, the same" "$(ppim-sim dram --spec HBM2_4Gb_x128 --json - <"$trace" | timeless)" "$expected"
is "gzip'd on standard input, the same" "$(ppim-sim dram --spec HBM2_4Gb_x128 --json - <"$trace.gz" | timeless)" "$expected"
is "from a pipe, the same" "$(sed p -n "$trace" | ppim-sim dram --spec HBM2_4Gb_x128 --json - | timeless)" "$expected"
is "again, the same bytes" "$(ppim-sim dram --spec HBM2_4Gb_x128 --json "$trace" | timeless)" "$expected"
is "the specification as a file, the same" \
	"$(ppim-sim dram --spec "$top/qemu-device/configs/HBM2_4Gb_x128.ini" --json "$trace" | timeless)" "$expected"
sed 's/READ/read/; s/WRITE/write/; s/$/\r/; s/ /\t  /g' "$trace" >"$tmp/dressed"
is "small letters, blanks, CRLF: the same" \
	"$(ppim-sim dram --spec HBM2_4Gb_x128 --json "$tmp/dressed" | timeless)" "$expected"
printf '\n  \n%s\n\n' "$(cat "$trace")" >"$tmp/empty-lines"
is "empty lines are none" "$(ppim-sim dram --spec HBM2_4Gb_x128 --json "$tmp/empty-lines" | timeless)" "$expected"
# Each is looked at once: quadratic, these would take most of an hour.
{ head -c 8000000 /dev/zero | tr '\0' '\n'; cat "$trace"; } >"$tmp/many-empty-lines"
is "eight million of them as well" \
	"$(timeout 60 ppim-sim dram --spec HBM2_4Gb_x128 --json "$tmp/many-empty-lines" | timeless)" "$expected"
printf '%s' "$(cat "$trace")" >"$tmp/no-newline"
is "a last line without newline counts" \
	"$(ppim-sim dram --spec HBM2_4Gb_x128 --json "$tmp/no-newline" | timeless)" "$expected"
dram --spec HBM2_4Gb_x128 --json -
is "no line, no request" "$status $(key requests) $(key cycles)" "0 0 0"

# --- admission, maps, time ------------------------------------------------------

printf '0x0 READ 0\n0x100000000 READ 0\n' >"$tmp/two"
dram --spec HBM2_4Gb_x128 --json "$tmp/two"
is "addresses beyond the memory are counted" "$(key beyond_memory)" 1

printf '0x%x READ 0\n' $(seq 0 2048 14336) >"$tmp/eight"
dram --spec HBM2_4Gb_x128 --json --inject 1 "$tmp/eight"
is "one a clock" "$(key cycles)" $((7 + 2 + 14 + 14 + 2))
dram --spec HBM2_4Gb_x128 --json --inject 4 "$tmp/eight"
is "four a clock" "$(key cycles)" $((1 + 2 + 14 + 14 + 2))
dram --spec HBM2_4Gb_x128 --json --inject 0 "$tmp/eight"
is "all at once, a channel each" "$(key cycles)" $((2 + 14 + 14 + 2))
dram --spec HBM2_4Gb_x128 --json "$tmp/eight"
is "one a clock is the default" "$(key inject) $(key cycles)" "1 39"
dram --spec HBM2_4Gb_x128 --json --inject 0 --map chrarobgbaco "$tmp/eight"
is "another map, one channel, other banks" "$(key map) $(key activations) $(jq '.cycles > 39' <<<"$out")" "chrarobgbaco 8 true"
printf '0x0 READ 1000000\n0x40 READ 10\n' >"$tmp/late"
dram --spec HBM2_4Gb_x128 --json "$tmp/late"
is "a request is not admitted before its cycle, nor before the one ahead" "$(jq '.cycles >= 1000032 and .cycles < 1000040' <<<"$out")" true
printf '0x0 READ 0\n0x40 READ 999999999999999999\n' >"$tmp/idle"
dram --spec HBM2_4Gb_x128 --json "$tmp/idle"
is "thirty years of idling take no time" "$status $(key requests)" "0 2"

dram --list
is "shipped specifications are listed" "$(wc -l <<<"$out") $(head -n 1 <<<"$out")" \
	"$(find "$top/qemu-device/configs" -name '*.ini' | wc -l) DDR4_8Gb_x8_3200"

# --- what is refused ------------------------------------------------------------

refused() {
	local name=$1 why=$2
	shift 2
	dram "$@"
	is "$name: exit status" "$status" 2
	matches "$name: why" "$err" "$why"
	is "$name: one line on stderr, none on stdout" "$(wc -l <<<"$err") '$out'" "1 ''"
}

# malformed LINE...: refused by its number, with what was expected.
malformed() {
	{ head -n 3 "$trace"; printf '%s\n' "$1"; } >"$tmp/bad"
	dram --spec HBM2_4Gb_x128 --json "$tmp/bad"
	is "malformed '$1'" "$status: $err" \
		"2: ppim-sim dram: $tmp/bad:4: expected '0xADDR READ|WRITE CYCLE', got '${2-$1}'"
}

malformed "hello"
malformed "0x40"
malformed "0x40 READ"
malformed "0x40 READ x"
malformed "0x40 READ 1 2"
malformed "0x40 READ -1"
malformed "0x40 READS 1"
malformed "0x40 FETCH 1"
malformed "READ 0x40 1"
malformed "0xg0 READ 1"
malformed "0x READ 1"
malformed "0x12345678123456789 READ 1"
malformed "0x40 READ 1234567890123456789"
malformed "0x40,READ,1"
malformed "$(printf '0x40 READ \1')" "0x40 READ ?"
malformed "$(printf '%0200d' 0)" "$(printf '%060d' 0)"

{ head -n 3 "$trace"; head -c 100000 /dev/zero | tr '\0' 9; } >"$tmp/long"
refused "a line without end" "$tmp/long:4: expected '0xADDR" --spec HBM2_4Gb_x128 "$tmp/long"
head -c 2000 "$trace.gz" >"$tmp/cut.gz"
refused "a gzip file that was cut off" "$tmp/cut.gz:[0-9]+: expected a whole file" --spec HBM2_4Gb_x128 "$tmp/cut.gz"
refused "a missing trace" "$tmp/none: No such file" --spec HBM2_4Gb_x128 "$tmp/none"
refused "a folder for a trace" "$tmp" --spec HBM2_4Gb_x128 "$tmp"
refused "no trace" "expected a trace" --spec HBM2_4Gb_x128
refused "two traces" "$tmp/two" --spec HBM2_4Gb_x128 "$trace" "$tmp/two"
refused "no specification" "expected --spec" "$trace"
refused "an unknown specification" "HBM9: no shipped specification has this name, and no file" --spec HBM9 "$trace"
refused "an unknown option" "unrecognized option '--fast'" --spec HBM2_4Gb_x128 --fast "$trace"
refused "a wrong number" "inject" --spec HBM2_4Gb_x128 --inject -1 "$trace"
refused "a map that misses a field" "map: HBM2_4Gb_x128: address_mapping: 'rorabgbach' misses field 'co'" \
	--spec HBM2_4Gb_x128 --map rorabgbach "$trace"
sed 's/^tCK = .*/tCK = 0/' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >"$tmp/zero.ini"
refused "a clock of nothing" "$tmp/zero.ini: line [0-9]+: tCK: '0'" --spec "$tmp/zero.ini" "$trace"

# --- memory does not grow with the trace ------------------------------------------

peak() { stream --trace random64 --requests "$1" | /usr/bin/env time -f %M ppim-sim dram --spec HBM2_4Gb_x128 - 2>&1 >/dev/null | tail -n 1; }
small=$(peak 200000) large=$(peak 2000000)
holds "ten times the trace, the same memory ($small KB, $large KB)" test "$large" -lt $((small + 1024))

# --- progress ----------------------------------------------------------------------

# Both streams are a terminal's, but results go nowhere.
stream --trace sequential --requests 1100000 >"$tmp/million"
matches "progress is shown on a terminal" \
	"$(script -qec "ppim-sim dram --spec HBM2_4Gb_x128 $tmp/million >/dev/null" /dev/null </dev/null)" \
	"[0-9]+ requests, [0-9.]+ million/s"
dram --spec HBM2_4Gb_x128 "$tmp/million"
is "and nowhere else" "$status $err" "0 "

# --- DRAMsim3 ----------------------------------------------------------------------

# make_stream SPEC NAME reads|mix REQUESTS: into $tmp/stream, unless it is there.
last=
make_stream() {
	local options=()
	[ "$*" != "$last" ] || return 0
	[ "$3" = reads ] || options=(--mix)
	ppim-bench-dram --spec "$1" --trace "$2" --requests "$4" "${options[@]}" >"$tmp/stream"
	last=$*
}

while read -r spec name mix inject requests cycles; do
	make_stream "$spec" "$name" "$mix" "$requests"
	dram --spec "$spec" --inject "$inject" --json "$tmp/stream"
	is "DRAMsim3's clocks: $spec, $name, $mix, inject $inject" "$(key cycles)" "$cycles"
done < <(grep -v '^#' "$here/dramsim3-cycles.txt")

# --- Ramulator 2: HBM3 and DDR5, which DRAMsim3 does not have ------------------------

while read -r spec name mix requests cycles theirs; do
	make_stream "$spec" "$name" "$mix" "$requests"
	dram --spec "$spec" --inject 0 --json "$tmp/stream"
	is "clocks beside Ramulator 2's: $spec, $name, $mix" "$(key cycles)" "$cycles"
	holds "no more than 3 % from Ramulator 2's" test $((100 * (cycles > theirs ? cycles - theirs : theirs - cycles))) -le $((3 * theirs))
done < <(grep -v '^#' "$here/ramulator2-cycles.txt")

done_testing
