#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ppim-sim gnr on the host: what it prints, how figures move with parameters,
# and what it refuses.

. "$(dirname "$0")/../tap.sh"

gnr() { ppim-sim gnr "$@"; }

# field FILE ARCH KEY: of a JSON array of one algorithm.
field() {
	python3 -c '
import json, sys
for r in json.load(open(sys.argv[1])):
    if r["arch"] == sys.argv[2]:
        print(r[sys.argv[3]])' "$@"
}

# more NAME A B: A > B, both numbers.
more() {
	local status=0
	awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > b) }' || status=1
	result $status "$1" "expected $2 > $3"
}

all_presets=cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all
for algo in qr tt; do
	json=$tmp/$algo.json
	gnr --algo $algo --arch $all_presets --json >"$json"
	is "$algo: every preset runs" "$(python3 -c '
import json, sys
print(",".join(r["arch"] for r in json.load(open(sys.argv[1]))))' "$json")" $all_presets
	gnr --algo $algo --arch $all_presets --json >"$tmp/again.json"
	holds "$algo: two runs print the same bytes" cmp "$json" "$tmp/again.json"
	is "$algo: lookups are tables x bags x pooling" "$(field "$json" proactive lookups)" $((26 * 4 * 80))
	more "$algo: the DIMM is read" "$(field "$json" proactive reads_dimm)" 0
	more "$algo: bgpim moves operands" "$(field "$json" bgpim moves)" 0
	more "$algo: copies take moves away" "$(field "$json" bgpim moves)" "$(field "$json" bgpim+dup moves)"
	more "$algo: proactive finds entries in SRAM" "$(field "$json" proactive sram_hits)" 0
	more "$algo: copies are faster" "$(field "$json" bgpim ns_per_lookup)" "$(field "$json" bgpim+dup ns_per_lookup)"
	more "$algo: prefetch is faster still" "$(field "$json" bgpim+dup ns_per_lookup)" \
		"$(field "$json" proactive ns_per_lookup)"
done

# One parameter at a time, without hot rows and with all rows in the HBM, so that
# activations bind.
hbm() { gnr --algo qr --multi-hot uniform --hot-share 100 --arch proactive --json "$@"; }
hbm >"$tmp/base.json"
sed 's/^tFAW *=.*/tFAW = 60/' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >"$tmp/slow.ini"
hbm --spec "$tmp/slow.ini" >"$tmp/tfaw.json"
more "a longer tFAW takes longer" "$(field "$tmp/tfaw.json" proactive cycles)" "$(field "$tmp/base.json" proactive cycles)"
hbm --param sram_bytes=256 >"$tmp/sram.json"
more "a smaller SRAM has fewer hits" "$(field "$tmp/base.json" proactive sram_hits)" \
	"$(field "$tmp/sram.json" proactive sram_hits)"
more "and more misses" "$(field "$tmp/sram.json" proactive sram_misses)" "$(field "$tmp/base.json" proactive sram_misses)"

# Random rows of one large table: four activations in 30 ns on each of 8 channels.
# The fullest channel, rows of one bank after each other, refresh and drains take
# some more; without copies an operand's row is a second activation.
echo 8000000 >"$tmp/big"
gnr --tables "$tmp/big" --algo qr --multi-hot uniform --zipf 0 --hot-share 100 --samples 4 --batch 32 \
	--arch bgpim,proactive --json >"$tmp/big.json"
ns=$(field "$tmp/big.json" proactive busy_ps | awk '{ print $1 / 1000 }')
window=$(field "$tmp/big.json" proactive activations | awk '{ print $1 * 30 / 4 / 8 }')
is "random rows: activations bind" "$(field "$tmp/big.json" proactive bound_by)" activation
more "no faster than the activation window" "$ns" "$window"
more "and near it" "$(awk -v w="$window" 'BEGIN { print 1.4 * w }')" "$ns"
more "twice as fast as with moves, or more" "$(field "$tmp/big.json" bgpim ns_per_lookup)" \
	"$(awk -v t="$(field "$tmp/big.json" proactive ns_per_lookup)" 'BEGIN { print 2 * t }')"

# What a specification does not say of energy is no zero.
is "energy is the sum of its parts" \
	"$(jq '.[] | (.energy_pj > 0) and .energy_pj == ([.energy[]] | add) and .energy_missing == []' "$tmp/qr.json" | uniq)" true
gnr --algo qr --arch bgpim --samples 1 --spec HBM3_6400 --json --annotations >"$tmp/no-currents.json"
is "without currents it is not known, and says of what" \
	"$(jq -c '.[0] | [.energy_pj, .annotations[0].energy_pj, .annotations[0].read_pj, (.energy_missing | length), .energy.mac > 0]' "$tmp/no-currents.json")" \
	"[null,null,null,5,true]"
matches "in the table as well" "$(gnr --algo qr --arch bgpim --samples 1 --spec HBM3_6400)" "energy leaves out, .*: hbm_activate "

gnr --vec 512 --algo qr --arch proactive --json >"$tmp/512.json"
more "512 B vectors run" "$(field "$tmp/512.json" proactive lookups)" 0

# Input from a file, plain and gzip'd, is the same input.
awk -v n=200 -f "$top/tests/cli/criteo.awk" >"$tmp/day.tsv"
gzip -k "$tmp/day.tsv"
gnr --criteo "$tmp/day.tsv" --samples 50 --json --annotations >"$tmp/plain.json"
gnr --criteo "$tmp/day.tsv.gz" --samples 50 --json --annotations >"$tmp/gz.json"
holds "a gzip'd Criteo file is read as it is" cmp "$tmp/plain.json" "$tmp/gz.json"
gnr --criteo - --samples 50 --json --annotations <"$tmp/day.tsv" >"$tmp/stdin.json"
holds "so is standard input" cmp "$tmp/plain.json" "$tmp/stdin.json"
sed 's/$/\r/' "$tmp/day.tsv" >"$tmp/crlf.tsv"
gnr --criteo "$tmp/crlf.tsv" --samples 50 --json --annotations >"$tmp/crlf.json"
holds "so are lines that end in CR LF" cmp "$tmp/plain.json" "$tmp/crlf.json"
is "--annotations has one for every batch" "$(python3 -c '
import json, sys
print(len(json.load(open(sys.argv[1]))[0]["annotations"]))' "$tmp/plain.json")" 50

# refused STATUS NAME REGEX OPTION...: one line, the status, nothing on stdout.
refused() {
	local want=$1 name=$2 regex=$3
	shift 3
	run ppim-sim gnr "$@"
	is "$name: exit status, one line" "$status $(wc -l <"$tmp/err") $(wc -c <"$tmp/out")" "$want 1 0"
	matches "$name: what and where" "$err" "$regex"
}

refused 2 "unknown option" "unrecognized option '--nonsense'" --nonsense
refused 2 "argument" "unexpected argument 'x'" x
refused 2 "no number" "--batch: expected a whole number from 1 to 1048576, got 'x'" --batch x
refused 2 "out of range" "--pooling: expected .* got '0'" --pooling 0
refused 2 "negative" "--seed: expected .* got '-1'" --seed -1
refused 2 "no preset" "--arch: expected one of .*, got 'fast'" --arch fast
refused 2 "preset twice" "--arch: bgpim is named twice" --arch bgpim,bgpim
refused 1 "preset that is not built" "--arch: the model has no preset proactive\+" --arch proactive+
refused 2 "no algorithm" "--algo: expected one of qr, tt, both, got 'dense'" --algo dense
refused 2 "impossible geometry" "TT has column factors for vectors of 64, 128, 256 and 512 bytes, not of 96" --vec 96
refused 2 "vector of half an element" "vector of 130 bytes" --vec 130
refused 2 "no such tables" "/no/such: No such file" --tables /no/such
refused 2 "no such specification" "/no/such.ini" --spec /no/such.ini
refused 2 "no such parameter" "--param speed=1: .*speed" --param speed=1
refused 2 "parameter out of range" "--param phase_sets=7: .*phase_sets" --param phase_sets=7
refused 2 "HBM that is no power of two" "hbm_bytes" --hbm 3G
refused 1 "copies are missing" "proactive.* table C1.* copy of R" --no-dup --arch proactive --algo qr
refused 1 "hints are missing" "proactive.* table C1.* hint for G1" --no-prefetch --arch proactive --algo tt
refused 2 "--replay of nothing" "/no/such" --replay /no/such
refused 2 "--replay with a memory" "--replay: the dump says" --replay x --hbm 4G

echo 1099511627776 >"$tmp/huge"
refused 1 "a table larger than the device" "table C1|do not fit" --tables "$tmp/huge" --algo qr
echo 1000 >"$tmp/thousand"
gnr --tables "$tmp/thousand" --algo qr --arch bgpim --json >"$tmp/file.json"
gnr --tables - --algo qr --arch bgpim --json <"$tmp/thousand" >"$tmp/stdin.json"
holds "cardinalities from standard input" cmp "$tmp/file.json" "$tmp/stdin.json"
printf '5\n7\0\n' >"$tmp/cards"
refused 2 "cardinality with a NUL" "cards:2: expected one cardinality .* got '7' and a NUL" --tables "$tmp/cards"
printf '5\nseven\n' >"$tmp/cards"
refused 2 "malformed cardinality" "cards:2: expected one cardinality" --tables "$tmp/cards"

# bad_tsv NAME REGEX: standard input is the file.
bad_tsv() {
	cat >"$tmp/bad.tsv"
	refused 2 "$1" "$2" --criteo "$tmp/bad.tsv"
}
bad_tsv "Criteo file cut in a line" "bad.tsv:7: expected 40 fields" < <(head -n 7 "$tmp/day.tsv" | head -c -100)
bad_tsv "Criteo line without a field" "bad.tsv:3: expected 40 fields separated by tabs, got 39" \
	< <(awk -F '\t' -v OFS='\t' 'NR == 3 { NF = 39 } 1' "$tmp/day.tsv")
bad_tsv "Criteo category that is none" "bad.tsv:150: field 20: expected 8 hexadecimal digits" \
	< <(awk -F '\t' -v OFS='\t' 'NR == 150 { $20 = "xyz" } 1' "$tmp/day.tsv")
bad_tsv "Criteo integer that is none" "bad.tsv:2: field 3: expected an integer" \
	< <(awk -F '\t' -v OFS='\t' 'NR == 2 { $3 = "1.5" } 1' "$tmp/day.tsv")
bad_tsv "empty Criteo file" "has 0 samples, the run needs 4" </dev/null
head -c 2000 "$tmp/day.tsv.gz" >"$tmp/cut.gz"
refused 2 "gzip'd Criteo file that is cut" "cut.gz: after line [0-9]+: gzip" --criteo "$tmp/cut.gz"
refused 2 "Criteo file that is too short" "has 200 samples, the run needs 204" --criteo "$tmp/day.tsv" --samples 51

done_testing
