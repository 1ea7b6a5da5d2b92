#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Snapshots and migrations under load: every answer is right, and the memory's
# figures are those of a machine that was left alone. Prints TAP.
#
#   PPIM_SNAPSHOTS   rounds of saving and going back (default 200)
#   PPIM_MIGRATIONS  moves from one QEMU to another (default 20)
#
# Twice: the device alone in QEMU's test framework, to the last bit of every
# annotation; and a whole machine, whose kernel, driver and ppim-bench notice
# nothing.

. "$(dirname "$0")/../tap.sh"

snapshots=${PPIM_SNAPSHOTS:-200} migrations=${PPIM_MIGRATIONS:-20}
qemu=$build/${PPIM_QEMU:-qemu}
images=()
trap 'kill "${images[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT

# --- the device alone -------------------------------------------------------

# qtest NAME VARIABLE COUNT REPORT
qtest() {
	local out status=0
	out=$(cd "$qemu" && env "$2=$3" "QTEST_QEMU_BINARY=$qemu/qemu-system-x86_64" \
		"PPIM_QTEST_FIRMWARE=$qemu/firmware" \
		./qos-test --tap -k -p "/x86_64/ppim/$1/under-load" 2>&1) || status=$?
	grep -q "^# $3 $4" <<<"$out" || status=1
	result $status "$3 $4, the device alone" "$(grep -v '^# starting' <<<"$out")" &&
		echo "# counts: $3 $4, the device alone"
}

# --- a machine --------------------------------------------------------------

# The memory is slowed down until batches take about as long as the guest's
# check of them. With the module loaded anew, time and the numbers of tables begin
# again, so every run ends with the same figures.
machine=(--mem 384M --hbm 64M --dimm 64M --device params=hbm.tCK=1000:hbm.tCCD_L=64:dimm.tCK=1000)
bench='ppim-bench --json --annotations --algo both --arch proactive,trim,recnmp
	--queue-depth 8 --tables /input/tables --batch 4 --samples 8'
once="rmmod ppim && modprobe ppim && ${bench//$'\n'/ } >/tmp/json && sha256sum </tmp/json"

undisturbed_run() {
	printf '%s\n' 300 20000 4000 997 12000 50 >"$tmp/tables"
	run ppim-vm -q "${machine[@]}" --input "$tmp/tables" -- sh -c "$once"
	expected=$out
	result "$status" "the load on a machine that is left alone" "$err"
}

# What ppim-vm puts beside the guest's own files.
initramfs() {
	local root=$tmp/root
	mkdir -p "$root/run/ppim" "$root/input"
	cp "$tmp/tables" "$root/input/"
	printf 'share=0 module=1 shell=0 modules=\n' >"$root/run/ppim/vm"
	printf 'while %s; do :; done; exit 1\n' "$once" >"$root/run/ppim/command"
	(cd "$root" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) |
		cat "$build/guest/initramfs.cpio" - >"$tmp/initramfs"
}

# The launcher's machine as an array, its files in our folder and never cut.
machine_command() {
	local text
	text=$(ppim-vm -q --dry-run "${machine[@]}" -- true) || return 1
	text=${text//\/nowhere/$tmp}
	eval "command=($text)"
	for i in "${!command[@]}"; do
		[[ ${command[i]} != file,id=* ]] || command[i]+=,append=on
	done
}

# start ARGUMENT...: a QEMU whose QMP is on descriptors `to` and `from`.
start() {
	local n=${#images[@]}
	mkfifo "$tmp/to$n" "$tmp/from$n"
	"${command[@]}" -qmp stdio "$@" <"$tmp/to$n" >"$tmp/from$n" 2>>"$tmp/qemu.err" &
	images+=($!)
	exec {to}>"$tmp/to$n" {from}<"$tmp/from$n"
	qmp qmp_capabilities
}

# qmp COMMAND [ARGUMENTS]: `reply` is what it returned; false for an error.
qmp() {
	echo "{ \"execute\": \"$1\"${2:+, \"arguments\": $2} }" >&"$to"
	while read -r -t 120 -u "$from" reply; do
		case $reply in
		'{"return"'*) return 0 ;;
		'{"error"'*) echo "$1: $reply" >>"$tmp/qemu.err"; return 1 ;;
		esac
	done
	echo "$1: no reply" >>"$tmp/qemu.err"
	return 1
}

# hmp TEXT: snapshots say nothing when all is well.
hmp() {
	qmp human-monitor-command "{ \"command-line\": \"$1\" }" || return 1
	[[ $reply == '{"return": ""}'* ]] || { echo "$1: $reply" >>"$tmp/qemu.err"; return 1; }
}

# A job of the block layer: started, waited for, dismissed.
block_job() {
	qmp blockdev-create "{ \"job-id\": \"j\", \"options\": $1 }" || return 1
	until qmp query-jobs && [[ $reply == *'"concluded"'* ]]; do sleep 0.05; done
	[[ $reply != *'"error"'* ]] && qmp job-dismiss '{ "id": "j" }'
}

snapshot_disk() {
	local file="{ \"driver\": \"file\", \"filename\": \"$tmp/snapshots\""
	block_job "$file, \"size\": 0 }" &&
		qmp blockdev-add "$file, \"node-name\": \"file\" }" &&
		block_job '{ "driver": "qcow2", "file": "file", "size": 1048576 }' &&
		qmp blockdev-add '{ "driver": "qcow2", "node-name": "disk", "file": "file" }'
}

at_work() {
	qmp qom-get '{ "path": "/machine/peripheral/ppim0", "property": "stats" }' &&
		[[ $reply =~ \"in-flight\":\ *[1-9] ]]
}

# Waits for it a while, as ppim-bench also does other things.
await_work() {
	local tries=0
	until at_work || [ $((tries += 1)) = 2000 ]; do sleep 0.005; done
}

in_flight=0
count_in_flight() { ! at_work || in_flight=$((in_flight + 1)); }

# Saved, gone on from, and gone back to.
snapshot_round() {
	await_work
	qmp stop && count_in_flight && hmp 'savevm s' && qmp cont && sleep 0.02 &&
		qmp stop && hmp 'loadvm s' && qmp cont && sleep 0.03
}

moved() {
	until qmp query-migrate && [[ $reply == *'"status": "completed"'* ]]; do
		[[ $reply != *'"status": "failed"'* ]] || return 1
		sleep 0.05
	done
}

# Live: the guest goes on while its memory is copied.
migration_round() {
	local old_to=$to old_from=$from old=${images[-1]} uri="unix:$tmp/socket" there
	start -incoming "$uri" || return 1
	there="$to $from"
	to=$old_to from=$old_from
	await_work
	qmp migrate-set-parameters '{ "max-bandwidth": 0, "downtime-limit": 2000 }' &&
		count_in_flight && qmp migrate "{ \"uri\": \"$uri\" }" && moved && qmp quit || return 1
	wait "$old"
	exec {to}>&- {from}<&-
	read -r to from <<<"$there"
	rm -f "$tmp/socket"
	until qmp query-status && [[ $reply == *'"status": "running"'* ]]; do sleep 0.02; done
	sleep 0.05
}

# times COUNT FUNCTION: `done_rounds` says how far it came.
times() {
	done_rounds=0
	while [ $done_rounds -lt "$1" ] && "$2"; do
		done_rounds=$((done_rounds + 1))
	done
}

# rounds COUNT FUNCTION WHAT
rounds() {
	in_flight=0
	times "$1" "$2"
	is "$1 $3 of a machine at work" "$done_rounds" "$1" ||
		sed 's/^/#   /' "$tmp/qemu.err"
	result $((in_flight == 0)) "work was in flight in $in_flight of them"
	echo "# counts: $done_rounds $3, work in flight in $in_flight"
}

# sums COUNT: waits until the guest has said so many.
sums() {
	local tries=0
	until [ "$(wc -l <"$tmp/out")" -ge "$1" ]; do
		tries=$((tries + 1))
		[ ! -s "$tmp/status" ] && [ $tries -lt 1200 ] || return 1
		sleep 0.2
	done
}

# A run of ppim-bench is over, of which no part was left alone, and one more.
runs_end() { sums $(($(wc -l <"$tmp/out") + 2)); }

machine_under_load() {
	initramfs
	machine_command || return
	start
	holds "the machine comes to its work" sums 1
	holds "a disk for snapshots" snapshot_disk
	rounds "$snapshots" snapshot_round snapshots
	qmp blockdev-del '{ "node-name": "disk" }' && qmp blockdev-del '{ "node-name": "file" }'
	rounds "$migrations" migration_round migrations
	holds "ppim-bench goes on, and finds every vector right" runs_end ||
		sed 's/^/#   /' "$tmp/err" "$tmp/qemu.err"
	is "all runs have the figures of the machine that was left alone" \
		"$(sort -u "$tmp/out")" "$expected"
	qmp quit
	wait "${images[-1]}"
	echo "# counts: $(wc -l <"$tmp/out") runs of ppim-bench"
}

qtest snapshot PPIM_QTEST_SNAPSHOTS "$snapshots" "snapshots saved and restored"
qtest migrate PPIM_QTEST_MIGRATIONS "$migrations" "migrations"
undisturbed_run && machine_under_load
done_testing
