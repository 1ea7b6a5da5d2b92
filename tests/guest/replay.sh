#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a device dumps is what it did: its batches and its commands, run again on
# the host, cost what the guest was told, to the picosecond.

. "$(dirname "$0")/../tap.sh"

share=$tmp/share
mkdir "$share"
presets=cpu,recnmp,space,trim,bgpim,bgpim+dup,proactive,proactive-all

# A memory that no file has, so that the dump alone can say which one it is; the
# trace says nothing of it.
dumps="replay-dump=$share/replay,trace-dump=$share/trace"
sed 's/^tFAW *=.*/tFAW = 40/' "$top/qemu-device/configs/HBM2_4Gb_x128.ini" >"$tmp/memory.ini"

# Every preset on both algorithms; then three processes at once, each on a queue
# pair of its own. The order in which their batches meet is not known before.
cat >"$share/job" <<END
set -e
bench='ppim-bench --json --annotations --no-verify'
\$bench --batch 2 --pooling 10 --samples 2 --arch $presets >all.json
\$bench --samples 20 --pooling 5 --queue 0 --algo qr --arch proactive >0.json &
\$bench --samples 10 --pooling 5 --queue 1 --algo tt --arch bgpim,proactive-all >1.json &
\$bench --samples 10 --pooling 10 --queue 2 --algo qr --arch cpu,trim --seed 7 >2.json &
wait
END
run ppim-vm -q --smp 3 --share "$share" --hbm 4G --dimm 32G --device "$dumps,params=hbm.tFAW=40:link=pcie" \
	-- sh -c 'cd /mnt/share && . ./job'
is "the guest runs" "$status $err" "0 "

run ppim-sim gnr --json --annotations --replay "$share/replay"
is "the dump is read" "$status $err" "0 "
cp "$tmp/out" "$share/gnr"
run ppim-sim pim --json --batches --spec "$tmp/memory.ini" --dimm 32G --param link=pcie "$share/trace"
is "the trace is read" "$status $err" "0 "
cp "$tmp/out" "$share/pim"

# query EXPRESSION: over `guest`, `gnr` and `pim`, annotations in the order of the
# device's timeline, and what is beside them here.
query() {
	(cd "$share" && python3 -c '
import glob, json, sys

def notes(results):
    return [dict(a, arch=r["arch"]) for r in results for a in r["annotations"]]

def timeline(notes):
    return sorted(notes, key=lambda a: (a["start_ps"], a["end_ps"], a["cycles"]))

def difference(a, b):
    """Of two timelines the first batch that is not the same, by what both say."""
    if len(a) != len(b):
        return "%d and %d batches" % (len(a), len(b))
    for i, (x, y) in enumerate(zip(a, b)):
        d = {k: (x[k], y[k]) for k in x.keys() & y.keys() if x[k] != y[k]}
        if d:
            return i, d

guest = timeline(a for f in glob.glob("*.json") for a in notes(json.load(open(f))["results"]))
gnr = timeline(notes(json.load(open("gnr"))))
ran = json.load(open("pim"))["annotations"]
# A trace knows nothing of what planners count: lookups, hits of caches and SRAM,
# whose reads its energy lacks.
pim = timeline({k: v for k, v in a.items() if k != "energy_pj"} for a in ran)
shared = set(guest[0]) & set(pim[0])
queues = [len([a for a in ran if a["queue"] == q]) for q in sorted({a["queue"] for a in ran})]
print(eval(sys.argv[1]))' "$1" 2>&1)
}

is "the guest reports all batches" "$(query 'len(guest)')" $((2 * 8 * 2 + 20 + 2 * 10 + 2 * 10))
is "the dump replays to its annotations" "$(query 'difference(guest, gnr)')" None
is "in every field" "$(query 'set(guest[0]) ^ set(gnr[0])')" "set()"
is "the trace replays to the same cycles" "$(query 'difference(guest, pim)')" None
is "and the same counts" \
	"$(query '{"cycles", "reads_hbm", "reads_dimm", "activations_hbm", "row_hits_hbm", "moves", "commands", "bound_by"} - shared')" \
	"set()"
is "every queue pair was used" "$(query 'queues')" "[52, 20, 20]"

done_testing
