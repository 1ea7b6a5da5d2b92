#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The main job through every layer: verified answers, the figures that the model
# gives without a guest, real input, negative controls, bad input.

. "$(dirname "$0")/../tap.sh"

share=$tmp/share
mkdir "$share"

# job NAME COMMAND...: to be run in the guest; leaves NAME.{out,err,status}.
job() {
	local name=$1
	shift
	printf '%q ' "$@" >>"$share/jobs"
	printf '>%s.out 2>%s.err </dev/null; echo $? >%s.status\n' "$name" "$name" "$name" >>"$share/jobs"
}

# fresh NAME OPTION...: ppim-bench on a device whose timeline begins anew, so that
# figures do not depend on what ran before.
fresh() {
	local name=$1
	shift
	# shellcheck disable=SC2016 # for the guest's shell
	job "$name" sh -c 'ppimctl reset && exec ppim-bench --json --annotations "$@"' sh "$@"
}

# guest [LAUNCHER OPTION...]: runs the jobs in one machine.
guest() {
	ppim-vm -q --share "$share" "$@" -- sh -c 'cd /mnt/share && . ./jobs'
	local status=$?
	rm "$share/jobs"
	result $status "the guest runs the jobs ($*)"
}

out() { cat "$share/$1.out" 2>/dev/null; }
err() { cat "$share/$1.err" 2>/dev/null; }
status() { cat "$share/$1.status" 2>/dev/null; }

# succeeds NAME JOB
succeeds() { is "$1" "$(status "$2") $(err "$2")" "0 "; }

# fails NAME JOB STATUS REGEX: with one line and nothing else.
fails() {
	is "$1: exit status, one line" "$(status "$2") $(wc -l <"$share/$2.err") $(wc -c <"$share/$2.out")" "$3 1 0"
	matches "$1: what and where" "$(err "$2")" "$4"
}

# query JOB PYTHON: an expression over r[algo, arch] and d, the job's JSON.
query() {
	python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
r = {(x["algo"], x["arch"]): x for x in (d["results"] if isinstance(d, dict) else d)}
print(eval(sys.argv[2]))' "$share/$1.out" "$2"
}

# The model's own figures on the host, to be compared with the guest's.
sim() {
	local name=$1
	shift
	ppim-sim gnr --json --annotations "$@" >"$share/$name.out"
}

# same_figures NAME JOB JOB: every number of every batch's annotation but its
# place on the timeline.
same_figures() {
	local differ
	differ=$(python3 -c '
import json, sys
def batches(name):
    d = json.load(open(name))
    return {(r["algo"], r["arch"], i, k): v
            for r in (d["results"] if isinstance(d, dict) else d)
            for i, a in enumerate(r["annotations"])
            for k, v in a.items() if k not in ("start_ps", "end_ps")}
a, b = batches(sys.argv[1]), batches(sys.argv[2])
if not a or a.keys() != b.keys():
    print("other batches:", len(a), len(b))
for k in sorted(a.keys() & b.keys()):
    if a[k] != b[k]:
        print(*k, a[k], b[k])' "$share/$2.out" "$share/$3.out" 2>&1 | head -n 5)
	is "$1" "$differ" ""
}

# ---- one machine for most ---------------------------------------------------

awk -v n=200 -f "$top/tests/cli/criteo.awk" >"$share/day.tsv"
head -n 7 "$share/day.tsv" | head -c -100 >"$share/cut.tsv"
awk -F '\t' -v OFS='\t' 'NR == 150 { $20 = "xyz" } 1' "$share/day.tsv" >"$share/bad.tsv"
echo 1099511627776 >"$share/huge"

job default ppim-bench
fresh json --samples 3
fresh all --arch cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all
fresh tsv --criteo day.tsv --samples 10 --arch proactive
fresh vec512 --vec 512 --arch bgpim,proactive --algo qr
fresh ioctl --samples 3 --ioctl
fresh uring --samples 3 --uring --queue-depth 2
job add ppim-bench --json --algo qr --combine add --arch proactive
job concat ppim-bench --json --algo qr --combine concat --arch proactive
job corrupt-qr ppim-bench --corrupt --algo qr
job corrupt-tt ppim-bench --corrupt --algo tt
job nodup ppim-bench --json --no-dup --arch bgpim
job nodup-proactive ppim-bench --no-dup --arch proactive
job nohint-proactive ppim-bench --no-prefetch --arch proactive
job option ppim-bench --nonsense
job geometry ppim-bench --vec 96
job huge ppim-bench --tables huge --algo qr
job cut ppim-bench --criteo cut.tsv
job bad ppim-bench --criteo bad.tsv
fresh after --samples 3
job info ppimctl --json info
job tables ppimctl --json tables
job stats ppimctl --json stats
job explain ppimctl explain --table C3 --row 12345
job reset ppimctl reset
job gone rmmod ppim
job nodevice ppim-bench
job nodevice-ctl ppimctl info
guest

succeeds "the main job runs and every vector is right" default
for word in 'QR-trick, c = 4, mult' 'TT-Rec, rank 16' 'ns per lookup' 'HBM reads' 'DIMM reads' 'HBM activations' \
	'SRAM hits' 'moves' 'largest relative error' 'speedup vs bgpim' 'Zipf with exponent 1.05'; do
	matches "its report says: $word" "$(out default)" "$word"
done
succeeds "the same as JSON" json
is "all presets of the comparison are there" "$(query json 'sorted(r)')" \
	"$(printf "[('qr', 'bgpim'), ('qr', 'bgpim+dup'), ('qr', 'proactive'), ('tt', 'bgpim'), ('tt', 'bgpim+dup'), ('tt', 'proactive')]")"
is "every vector was compared" "$(query json 'all(x["vectors"] == 3 * 26 * 4 and x["max_relative_error"] <= 1e-5 for x in r.values())')" True
is "lookups are batches x tables x bags x pooling" "$(query json 'all(x["lookups"] == 3 * 26 * 4 * 80 for x in r.values())')" True
is "the DIMM is read on every preset" "$(query json 'all(x["reads_dimm"] > 0 for x in r.values())')" True
is "the HBM serves about 95.2 % of the accesses" \
	"$(query json 'all(0.94 < p["run_accesses_hbm"] / p["run_accesses"] < 0.99 for p in d["placements"])')" True
for algo in qr tt; do
	is "$algo: copies take moves away" "$(query json "r['$algo', 'bgpim']['moves'] > r['$algo', 'bgpim+dup']['moves']")" True
	is "$algo: prefetched entries are found in SRAM" "$(query json "r['$algo', 'proactive']['sram_hits'] > 0")" True
	is "$algo: each step of the ablation is faster" \
		"$(query json "r['$algo', 'bgpim']['ns_per_lookup'] > r['$algo', 'bgpim+dup']['ns_per_lookup'] > r['$algo', 'proactive']['ns_per_lookup']")" True
done

sim sim-json --samples 3
same_figures "ppim-sim gnr says what the guest says, batch by batch" sim-json json
sim sim-all --arch cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all
succeeds "every preset runs" all
same_figures "ppim-sim gnr says the same of every preset" sim-all all
sim sim-tsv --criteo "$share/day.tsv" --samples 10 --arch proactive
succeeds "a Criteo file runs" tsv
same_figures "ppim-sim gnr says the same of a Criteo file" sim-tsv tsv
sim sim-512 --vec 512 --arch bgpim,proactive --algo qr
succeeds "vectors of 512 B run: Q is larger than the HBM" vec512
same_figures "ppim-sim gnr says the same of them" sim-512 vec512
is "their Q rows are in both tiers" "$(query vec512 'd["placements"][0]["dimm_bytes"] > 0 and d["placements"][0]["hbm_bytes"] > 0')" True

holds "by ioctl: the same report" cmp "$share/ioctl.out" "$share/json.out"
holds "by io_uring, two in flight: the same report" cmp "$share/uring.out" "$share/json.out"
succeeds "QR by addition" add
succeeds "QR by concatenation" concat

# ---- negative controls ------------------------------------------------------

for algo in qr tt; do
	is "$algo: a corrupted row fails" "$(status corrupt-$algo)" 1
	matches "$algo: and table and bag are named" "$(err corrupt-$algo)" \
		"mismatch: $algo on bgpim, batch 0: table C14, bag [0-3]: element [0-9]+ is .*, expected "
done
succeeds "bgpim runs without copies" nodup
fails "proactive without copies" nodup-proactive 1 "proactive, batch 0: table C1.*(copy|copies)"
fails "proactive without a hint" nohint-proactive 1 "proactive, batch 0: table C1.*hint"

# ---- bad input --------------------------------------------------------------

fails "unknown option" option 2 "unrecognized option '--nonsense'"
fails "impossible geometry" geometry 2 "TT has column factors for vectors of 64, 128, 256 and 512 bytes, not of 96"
fails "a table larger than the device" huge 1 "placement: "
fails "a truncated Criteo file" cut 2 "cut.tsv:7: expected 40 fields"
fails "a malformed Criteo file" bad 2 "bad.tsv:150: field 20: expected 8 hexadecimal digits"
same_figures "nothing else was disturbed by all this" after json

# ---- ppimctl ----------------------------------------------------------------

succeeds "ppimctl info" info
is "it names the HBM's bank groups" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["slices"] * d["slice_bytes"] == d["hbm_bytes"] and "proactive" in d["archs"])' "$share/info.out")" True
succeeds "ppimctl tables" tables
is "no table is left of processes that have ended" "$(out tables)" "[]"
succeeds "ppimctl stats" stats
is "all that was submitted has completed" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["submitted"] == d["completed"] > 0)' "$share/stats.out")" True
succeeds "ppimctl explain" explain
matches "it says where each row is" "$(out explain)" "Q|G2"
succeeds "ppimctl reset" reset
is "the module can be unloaded" "$(status gone)" 0
fails "no device" nodevice 1 "no device: /dev/ppim does not exist"
fails "no device, ppimctl" nodevice-ctl 1 "no device: /dev/ppim does not exist"

# ---- figures move with the memory's parameters ------------------------------

# probe NAME OPTION...: no bag has hot rows and all rows are in the HBM, so that
# activations are what binds.
probe() {
	local name=$1
	shift
	job "$name" ppim-bench --algo qr --multi-hot uniform --hot-share 100 --no-verify --json "$@"
}

sed 's/^tFAW *=.*/tFAW = 60/' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >"$tmp/slow.ini"
probe base --arch proactive
probe copies --arch bgpim,bgpim+dup
guest
probe tfaw --arch proactive
guest --device "hbm-spec=$tmp/slow.ini"
probe sram --arch proactive
guest --device sram=256
is "a longer tFAW takes more cycles" \
	"$(($(query tfaw "r['qr', 'proactive']['cycles']") > $(query base "r['qr', 'proactive']['cycles']")))" 1
is "a smaller SRAM has fewer hits" \
	"$(($(query sram "r['qr', 'proactive']['sram_hits']") < $(query base "r['qr', 'proactive']['sram_hits']")))" 1
is "without copies operands are moved, and it takes longer" \
	"$(query copies "r['qr', 'bgpim']['moves'] > r['qr', 'bgpim+dup']['moves'] and r['qr', 'bgpim']['cycles'] > r['qr', 'bgpim+dup']['cycles']")" True

done_testing
