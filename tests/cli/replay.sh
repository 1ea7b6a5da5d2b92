#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Dumps in the device's formats: what they replay to, on what they do not depend,
# and what is refused of them.
# shellcheck disable=SC2016 # dollars are awk's

. "$(dirname "$0")/../tap.sh"

cd "$tmp" || exit 1
presets=cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all

# notes FILE: the annotations of every (algorithm, preset), without the sums that
# a report puts beside them.
notes() {
	python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
for r in (d["annotations"] if isinstance(d, dict) else d):
    for a in r.get("annotations", [r]):
        print(r["arch"], *(a[k] for k in ("start_ps", "end_ps", "cycles", "reads_hbm", "activations_hbm", "moves", "bound_by")))' \
		"$1" | sort -n -k 2
}

# dump NAME OPTION...: leaves NAME.{json,replay,trace}.
dump() {
	local name=$1
	shift
	run ppim-sim gnr --json --annotations --replay-dump "$name.replay" --trace-dump "$name.trace" "$@"
	is "$name: is dumped" "$status $err" "0 "
	cp out "$name.json"
}

# ---- the same again ---------------------------------------------------------

dump small --arch $presets --batch 2 --pooling 5 --samples 3
run ppim-sim gnr --json --annotations --replay small.replay
is "a dump replays" "$status $err" "0 "
cp out replayed.json
holds "to the same bytes" cmp small.json replayed.json
is "JSON has the keys that are documented" "$(python3 -c '
import json, sys
keys = "arch cycles ns_per_lookup speedup_vs activations reads sram_hits sram_misses moves bound_by energy_pj intra_gnr_reuse"
print([k for r in json.load(open("replayed.json")) for k in keys.split() if k not in r])')" "[]"
run ppim-sim pim --json --batches small.trace
is "a trace replays" "$status $err" "0 "
cp out trace.json
is "to the same annotations" "$(notes trace.json)" "$(notes small.json)"
is "of all batches" "$(notes trace.json | wc -l)" $((2 * 8 * 3))

# A memory with parameters of its own: the dump says which.
sed 's/^tFAW *=.*/tFAW = 40/' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >memory.ini
dump other --spec memory.ini --hbm 2G --dimm 8G --param link=cxl --param sram_bytes=1K --samples 2 --algo qr
rm memory.ini
run ppim-sim gnr --json --annotations --replay other.replay
cp out replayed.json
holds "the memory is in the dump" cmp other.json replayed.json

gzip -k small.replay
ppim-sim gnr --json --annotations --replay small.replay.gz >gz.json
holds "gzip is read as it is" cmp small.json gz.json
ppim-sim gnr --json --annotations --replay - <small.replay >stdin.json
holds "so is standard input" cmp small.json stdin.json
run ppim-sim gnr --replay small.replay
matches "without --json tables" "$out" "ns per lookup"
is "nothing but results on a pipe" "$err" ""

# Threads that compute change no figure: those are the charges'.
perf() { ppim-sim gnr --perf --samples 4 --json --annotations --algo "$1" --threads "$2" | sed '/"seconds"/d; /"lookups_per_s"/d'; }
for algo in qr tt; do
	is "$algo: one thread or four: the same annotations" "$(perf $algo 4 | cksum)" "$(perf $algo 1 | cksum)"
done

# Both streams are a terminal's, but results go nowhere.
on_terminal() { script -qec "$1 >/dev/null" /dev/null </dev/null; }
matches "progress is shown on a terminal" "$(on_terminal 'ppim-sim gnr --algo qr --arch bgpim --samples 2')" \
	"qr on bgpim: [12] of 2 batches"
matches "of a replay as well" "$(on_terminal 'ppim-sim gnr --replay small.replay')" "[0-9]+ batches and copies"

# ---- copies -----------------------------------------------------------------

# What a device writes where its driver copies by DMA: it takes banks and bus.
awk '/^batch/ && !n++ { print "copy 0 0 1 0 4096 65536"; print "copy 0 0 0 1 64 65536" } { print }' small.replay >copies.replay
run ppim-sim gnr --json --annotations --replay copies.replay
is "copies are charged" "$status $err" "0 "
is "before the batch that waits for them" "$(python3 -c '
import json
a, b = (json.load(open(f))[0]["annotations"][0] for f in ("small.json", "out"))
print(b["start_ps"] > a["start_ps"], a["reads_hbm"] == b["reads_hbm"])')" "True True"

# ---- what is refused --------------------------------------------------------

# refused NAME REGEX AWK: of the dump as AWK changes it.
refused() {
	awk "$3" small.replay >bad.replay
	run ppim-sim gnr --json --replay bad.replay
	is "$1: exit status, one line" "$status $(wc -l <err) $(wc -c <out)" "2 1 0"
	matches "$1: what and where" "$err" "$2"
}

lines=$(wc -l <small.replay)
batch=$(grep -n -m 1 '^batch' small.replay | cut -d : -f 1)
refused "another file" "bad.replay:1: expected 'ppim-replay 1'" 'NR == 1 { print "<html>"; next } 1'
refused "another version" "bad.replay:1: expected 'ppim-replay 1'" 'NR == 1 { $2 = 9 } 1'
refused "no memory" "bad.replay:[0-9]+: expected an 'hbm' line" '!/^hbm/'
refused "another specification" "bad.replay:[0-9]+: the fields of hbm are not" '/^spec hbm tfaw/ { $4 = 31 } 1'
refused "a field that is missing" "bad.replay:[0-9]+: the fields of dimm are not" '!/^spec dimm tck_fs/'
refused "an impossible field" "bad.replay:[0-9]+: expected 'spec hbm" '/^spec hbm burst_bytes/ { $4 = 0 } 1'
refused "an unknown parameter" "bad.replay:[0-9]+: speed: no such parameter" '/^param sram_bytes/ { $2 = "speed" } 1'
refused "a parameter out of range" "bad.replay:[0-9]+: bg_macs: " '/^param bg_macs/ { $3 = 0 } 1'
refused "a state of another memory" "state: " '!/^state/'
refused "an unknown record" "bad.replay:$batch: expected table, sub, map, batch or copy" "NR == $batch { print \"nonsense\" } 1"
refused "an unknown preset" "bad.replay:$batch: expected 'batch" "NR == $batch { \$4 = \"fast\" } 1"
refused "a table that is not there" "bad.replay:$((batch + 1)): expected 'job table" "NR == $batch + 1 { \$2 = 99 } 1"
refused "indices that are missing" "bad.replay:$((batch + 2)): expected more of a list" "NR != $batch + 2"
refused "a copy outside the memory" "bad.replay:$batch: expected 'copy .* inside the tier" \
	"NR == $batch { print \"copy 0 0 1 0 4294967295 64\" } 1"
refused "a dump that is cut off" "bad.replay:$lines: expected" "NR < $lines"
awk '/^i / && !n++ { $2 = "999999999999" } 1' small.replay >bad.replay
run ppim-sim gnr --json --replay bad.replay
is "an index outside its table: exit status, one line" "$status $(wc -l <err) $(wc -c <out)" "1 1 0"
matches "an index outside its table: what and where" "$err" "table 0: bag 0: index 999999999999 is outside the table"
head -c $(($(wc -c <small.replay.gz) / 2)) small.replay.gz >cut.gz
run ppim-sim gnr --replay cut.gz
is "gzip that is cut off: exit status, one line" "$status $(wc -l <err)" "2 1"
matches "gzip that is cut off: what and where" "$err" "cut.gz:[0-9]+: expected"
run ppim-sim gnr --replay none
is "no such file: exit status" "$status" 2
run ppim-sim gnr --replay small.replay --hbm 8G
matches "a memory beside the dump" "$status $err" "2 .*--replay: the dump says which memory"
run ppim-sim gnr --replay small.replay --replay-dump again
matches "a dump of a dump" "$status $err" "2 .*--replay is not dumped again"
run ppim-sim gnr --trace-dump none/trace
matches "a place that is not there" "$status $err" "2 .*none/trace: No such file"

done_testing
