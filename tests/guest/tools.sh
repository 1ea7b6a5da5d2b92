#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tools on a device that others use, that is full, forbidden, or goes away:
# what they say, and that a run that is killed leaves nothing behind.
# shellcheck disable=SC2016 # what stands in single quotes is for the guest

. "$(dirname "$0")/../tap.sh"

share=$tmp/share
mkdir "$share"

printf '%s\n' 1000 20000 300 >"$share/small"
cat >"$share/run" <<'END'
cd /mnt/share
say() { "$@" >"$name.out" 2>"$name.err"; echo $? >"$name.status"; }
job() { name=$1; shift; say "$@"; }
as_nobody() { su -s /bin/sh nobody -c "$*"; }
echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >/etc/passwd
free_bytes() { ppimctl --json info | grep -E '"(hbm|dimm)_free"'; }

# A run that never ends, from its first completion on.
busy() {
	ppim-bench --perf --samples 1000000000 --tables small "$@" >busy.out 2>busy.err &
	pid=$!
	while [ -e /proc/$pid ] && ! ppimctl stats | grep -qE '^completed +[1-9]'; do sleep 0.1; done
}

free_bytes >free.before
job reset ppimctl reset
busy --algo qr
job tables ppimctl tables
job json ppimctl --json tables
chmod 666 /dev/ppim
job others as_nobody ppimctl tables
job forbidden as_nobody ppimctl reset
job locked as_nobody "ulimit -l 8; exec ppim-bench --tables /mnt/share/small"
chmod 600 /dev/ppim
job closed as_nobody ppimctl info
job closed-bench as_nobody ppim-bench
kill -KILL $pid
wait $pid
free_bytes >free.killed
job none ppimctl tables
job reset2 ppimctl reset
busy --algo tt
kill -TERM $pid
wait $pid
echo $? >ended.status
free_bytes >free.ended

# Kaggle's tables have 1 GiB of Q rows, this device 512 MiB in all.
job full ppim-bench --algo qr --hot-share 100
free_bytes >free.full
job after ppim-bench --tables small

# The device goes while a run is on it.
job reset3 ppimctl reset
busy --algo tt
pci=$(basename /sys/bus/pci/drivers/ppim/0*)
echo "$pci" >/sys/bus/pci/drivers/ppim/unbind
wait $pid
echo $? >gone.status
mv busy.out gone.out
mv busy.err gone.err
job nodevice ppimctl info
END
holds "the guest runs the jobs" ppim-vm -q --smp 2 --hbm 256M --dimm 256M --share "$share" -- sh /mnt/share/run

of() { cat "$share/$1" 2>/dev/null; }
# fails NAME JOB STATUS REGEX: one line, nothing on stdout.
fails() {
	is "$1: exit status, one line" "$(of "$2.status") $(wc -l <"$share/$2.err") $(wc -c <"$share/$2.out")" "$3 1 0"
	matches "$1: what and where" "$(of "$2.err")" "$4"
}

is "reset says nothing" "$(of reset.status) $(of reset.out)$(of reset.err)" "0 "
is "root sees another process' tables" "$(grep -cE '^[0-9]+  C[0-9]+  process [0-9]+, qr fp32, ' "$share/tables.out")" 3
matches "with their placement" "$(of tables.out)" '^    R   4 rows of 128 B: HBM [0-9]+ B, DIMM 0 B, 32 copies, prefetched$'
is "in JSON too" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(len(d), d[1]["name"], d[1]["rows"], [s["name"] for s in d[1]["subtables"]], len({t["pid"] for t in d}))' "$share/json.out")" \
	"3 C2 20000 ['Q', 'R'] 1"
is "others do not" "$(of others.status) $(of others.out)" "0 no tables"
fails "a reset that is not allowed" forbidden 1 '^ppimctl: reset: needs CAP_SYS_ADMIN$'
fails "buffers of more than may be locked" locked 1 \
	'^ppim-bench: buffer of [0-9]+ bytes: no memory, or more than may be locked \(ulimit -l\)$'
fails "a device that may not be opened" closed 1 '^ppimctl: /dev/ppim: Permission denied$'
fails "nor by ppim-bench" closed-bench 1 '^ppim-bench: /dev/ppim: Permission denied$'
is "a run that was killed leaves no table" "$(of none.out)" "no tables"
is "and no byte" "$(of free.killed)" "$(of free.before)"
is "nor does one that was ended" "$(of ended.status) $(of free.ended)" "143 $(of free.before)"
fails "tables larger than the device" full 1 '^ppim-bench: placement: .*(do not fit|bytes of each bank group)'
is "which then is as it was" "$(of free.full)" "$(of free.before)"
is "and serves the next run" "$(of after.status) $(of after.err)" "0 "
fails "a device that goes during a run" gone 1 '^ppim-bench: proactive, batch [0-9]+: .*(No such device|lost in a reset)'
fails "and then is not there" nodevice 1 '^ppimctl: no device: /dev/ppim does not exist$'

# Progress comes through to the terminal that the launcher was started on.
script -qec 'ppim-vm -q --devices 0 -- ppim-bench --cpu-only --algo qr >/dev/null' /dev/null >"$tmp/screen" </dev/null
matches "progress of a run in the guest is seen" "$(cat "$tmp/screen")" 'qr: rows of table C1, 1 of 26'
run ppim-vm -q --devices 0 -- ppim-bench --cpu-only --algo qr
is "and none where there is no terminal" "$status $err" "0 "

done_testing
