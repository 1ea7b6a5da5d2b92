#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim-sim pim: commands as text on the executor; figures by arithmetic from the
# specification (HBM2_4Gb_x128: tRCD 14, CL 14, burst 2, tCCD_L 2, tFAW 30, 1 ns).

. "$(dirname "$0")/../tap.sh"

# key FILE KEY: of a JSON object.
key() {
	python3 -c '
import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

# pim NAME LINES OPTION...: leaves NAME.json.
pim() {
	local name=$1 lines=$2
	shift 2
	printf '%s\n' "$lines" >"$tmp/$name"
	run ppim-sim pim --json "$@" "$tmp/$name"
	is "$name: runs" "$status $err" "0 "
	cp "$tmp/out" "$tmp/$name.json"
}

# costs NAME CYCLES
costs() { is "$1: cycles" "$(key "$tmp/$1.json" cycles)" "$2"; }

# ---- figures ----------------------------------------------------------------

pim read "HBM RD 0x0 4"
costs read $((14 + 3 * 2 + 14 + 2))
is "a read's bursts, activation, row hits" \
	"$(key "$tmp/read.json" reads) $(key "$tmp/read.json" activations) $(key "$tmp/read.json" row_hits_hbm)" "4 1 3"
for k in spec arch commands phases batches cycles ns reads activations prefetches moves transfers macs energy_pj \
	bound_by commands_per_s req_per_s; do
	holds "JSON has $k" key "$tmp/read.json" $k
done

# 16 rows of 16 banks of one channel: four activations in each window
# rows N: one burst of each of N rows, bank group by bank group, bank by bank.
rows() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "HBM RD %d 1\n", i % 4 * 128 * 1048576 + int(i / 4) % 4 * 2048 + int(i / 16) * 8192
	}'
}
pim window "$(rows 16)"
costs window $((3 * 30 + 14 + 14 + 2))
pim window-bound "$(rows 1600)"
is "what bound it is said" "$(key "$tmp/window-bound.json" bound_by)" activation

# a phase waits for the drain of the one before, and 64 adds of the base die
pim phases "HBM RD 0x0 2
HBM TR 0x0 64

HBM RD 0x20000000 2
HBM TR 0x0 64"
costs phases $((2 * (14 + 2 + 14 + 2 + 64 * 2 + 64 * 16 / 256)))
is "phases are counted" "$(key "$tmp/phases.json" phases)" 2

# arrivals: the second batch waits for its own, the third for the work before it
pim arrivals "@ 0 3 bgpim
HBM RD 0x0 1
@ 1000.5 4 trim
HBM RD 0x0 1
@ 5 5
HBM RD 0x8000000 1" --batches --arch space
is "batches: queue, preset, start in ps" "$(python3 -c '
import json, sys
print([(a["queue"], a["arch"], a["start_ps"]) for a in json.load(open(sys.argv[1]))["annotations"]])' \
	"$tmp/arrivals.json")" "[(3, 'bgpim', 0), (4, 'trim', 1001000), (5, 'space', 1017000)]"
is "a row that is still open needs no activation" "$(key "$tmp/arrivals.json" activations)" 2

# the link, the DIMM, an interleaved map
pim dimm "DIMM RD 0x0 2"
is "the DIMM is read" "$(key "$tmp/dimm.json" reads_dimm) $(key "$tmp/dimm.json" activations_dimm)" "2 1"
pim link "LINK DN 0 6400
HBM RD 0x0 1
LINK UP 0 6400" --param link=cxl --param link_ns=100 --param link_mbps=64000
costs link $((100 + 100 + 30 + 100 + 100))
pim map "HBM RD 0x0 1
HBM RD 0x40 1" --map rarobacobgch
costs map 30

# ---- energy -----------------------------------------------------------------

is "energy is the sum of its parts" \
	"$(jq '[([.energy[]] | add) == .energy_pj, .energy_pj > 0, .energy_missing] == [true, true, []]' "$tmp/dimm.json")" true
sed '/^IDD4R/d' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >"$tmp/no-idd4r.ini"
pim no-idd4r "$(cat "$tmp/read")" --spec "$tmp/no-idd4r.ini"
is "a part that lacks a current is left out by name" \
	"$(jq -c '[.energy_missing, .energy.hbm_read, .energy_pj == ([.energy[]] | add)]' "$tmp/no-idd4r.json")" \
	'[["hbm_read"],null,true]'
pim no-currents "$(cat "$tmp/read")" --spec HBM2_samsung --batches
is "without a supply voltage no sum is known" \
	"$(jq -c '[.energy_pj, .annotations[0].energy_pj, .energy.mac, (.energy_missing | length)]' "$tmp/no-currents.json")" \
	"[null,null,$((4 * 8 * 46 / 10)),5]"
run ppim-sim pim --spec HBM2_samsung "$tmp/read"
matches "the table names what is left out" "$out" \
	"energy leaves out, .*: hbm_activate hbm_read hbm_write hbm_refresh hbm_standby$"
holds "and has no sum" test -z "$(grep '^energy pJ' <<<"$out")"

# ---- the same from everywhere -----------------------------------------------

# figures FILE: but for those of the clock on the wall.
figures() { grep -v '_per_s"' "$1"; }

gzip -k "$tmp/phases"
ppim-sim pim --json "$tmp/phases.gz" >"$tmp/gz.json"
is "gzip is read as it is" "$(figures "$tmp/gz.json")" "$(figures "$tmp/phases.json")"
ppim-sim pim --json - <"$tmp/phases" >"$tmp/stdin.json"
is "so is standard input" "$(figures "$tmp/stdin.json")" "$(figures "$tmp/phases.json")"
ppim-sim pim --json - <"$tmp/phases.gz" >"$tmp/stdin-gz.json"
is "and gzip on it" "$(figures "$tmp/stdin-gz.json")" "$(figures "$tmp/phases.json")"
sed 's/$/\r/' "$tmp/phases" >"$tmp/crlf"
ppim-sim pim --json "$tmp/crlf" >"$tmp/crlf.json"
is "and lines that end in CR LF" "$(figures "$tmp/crlf.json")" "$(figures "$tmp/phases.json")"
printf 'HBM RD 0x0 4' >"$tmp/unended"
ppim-sim pim --json "$tmp/unended" >"$tmp/unended.json"
is "and a last line without its end" "$(figures "$tmp/unended.json")" "$(figures "$tmp/read.json")"
run ppim-sim pim "$tmp/read"
matches "without --json a table" "$out" '^cycles +36$'
is "nothing but results on a pipe" "$err" ""

# Both streams are a terminal's, but results go nowhere.
yes '# nothing' | head -n 1100000 >"$tmp/comments"
matches "progress is shown on a terminal" "$(script -qec "ppim-sim pim $tmp/comments >/dev/null" /dev/null </dev/null)" \
	"1048576 lines"

# ---- what is refused --------------------------------------------------------

# refused NAME REGEX TEXT [OPTION...]: exit 2, one line, nothing on stdout.
refused() {
	local name=$1 regex=$2 text=$3
	shift 3
	printf '%b' "$text" >"$tmp/bad"
	run ppim-sim pim "$@" "$tmp/bad"
	is "$name: exit status, one line" "$status $(wc -l <"$tmp/err") $(wc -c <"$tmp/out")" "2 1 0"
	matches "$name: what and where" "$err" "$regex"
}

refused "unknown command" "bad:2: expected 'HBM RD" "HBM RD 0x0 1\nHBM XX 0x0 1\n"
refused "unknown device" "bad:1: expected 'HBM RD" "SSD RD 0x0 1\n"
refused "missing column" "bad:3: expected 'HBM RD" "HBM RD 0x0 1\n\nHBM RD 0x0\n"
refused "no number" "bad:1: expected 'HBM RD" "HBM RD zero 1\n"
refused "no bursts" "bad:1: expected at least one burst" "HBM RD 0x0 0\n"
refused "outside the memory" "bad:2: 0x100000000 .* inside the HBM" "# a comment\nHBM RD 0x100000000 1\n"
refused "PR into the DIMM" "bad:1: " "DIMM PR 0x0 1\n"
refused "PR where no SRAM is" "bad:1: preset bgpim has no SRAM" "HBM PR 0x0 1\n" --arch bgpim
refused "unknown key" "bad:1: 'speed=1': expected bag=" "HBM RD 0x0 1 speed=1\n"
refused "arrival without queue" "bad:1: expected '@ ns queue" "@ 100\n"
refused "arrival of an unknown preset" "bad:1: expected '@ ns queue" "@ 100 0 fast\n"
refused "negative arrival" "bad:1: expected '@ ns queue" "@ -1 0\n"
refused "a line without end" "bad:1: expected" "$(head -c 5000 /dev/zero | tr '\0' x)"
refused "arrival that no time holds" "bad:1: expected '@ ns queue" "@ 18446744073709551.999 0\n"
refused "batch that ends beyond all times" "bad:3: expected batches that end before 2\^63 ps" \
	"@ 9223372036854775.807 0\nHBM RD 0x0 1\n"
refused "more work than time" "bad:2: 281474976710655: expected less than" \
	"LINK DN 0 1\nLINK DN 0 281474976710655\n" --param link=cxl --param link_mbps=1
refused "a NUL" "bad:2: expected text, found a NUL" "HBM RD 0x0 1\nHBM RD 0x0 1\0 2\nHBM RD 0x0 1\n"
refused "a map of another memory" "--map: maps the 4294967296 bytes of HBM2_4Gb_x128" "HBM RD 0xC0000000 1\n" \
	--hbm 2G --map rorabgbachco
head -c 40 "$tmp/phases.gz" >"$tmp/cut.gz"
run ppim-sim pim "$tmp/cut.gz"
is "gzip that is cut off: exit status, one line" "$status $(wc -l <"$tmp/err")" "2 1"
matches "gzip that is cut off: what and where" "$err" "cut.gz:[0-9]+: expected a whole file, this one is cut off"
run ppim-sim pim "$tmp/none"
is "no such file: exit status" "$status" 2
matches "no such file: which" "$err" "none: No such file"
run ppim-sim pim
is "no file: exit status" "$status" 2
run ppim-sim pim --arch fast "$tmp/read"
matches "no such preset" "$status $err" "2 .*--arch: no preset is called 'fast'"
run ppim-sim pim --param speed=1 "$tmp/read"
matches "no such parameter" "$status $err" "2 .*--param: speed: no such parameter"

# full NAME OPTION...: what nobody gets is no success.
full() {
	local name=$1
	shift
	status=0
	err=$(ppim-sim "$@" 2>&1 >/dev/full) || status=$?
	is "$name on a full device" "$status $err" "1 ppim-sim $1: standard output: No space left on device"
}
full "a table" pim "$tmp/read"
full "JSON" pim --json "$tmp/read"
full "the parameters" pim --params
full "the specifications" dram --list
full "results" gnr --algo qr --arch bgpim --samples 1

done_testing
