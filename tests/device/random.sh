# shellcheck shell=bash
# shellcheck disable=SC2154 # build, tmp, top are those of tap.sh
# SPDX-License-Identifier: MIT
# Runs the random guest (qemu-device/qtest/guest) in a QEMU. A script sources
# this after tap.sh.
#
#   PPIM_RANDOM_SEED        the first seed (default 1): each run takes the next
#   PPIM_RANDOM_OPERATIONS  operations of all runs together

# Sanitizers find memory where they expect it only without randomised
# addresses.
fixed=()
! setarch -R true 2>/dev/null || fixed=(setarch -R)

# What the memory of a QEMU may reach, in KiB: a sanitizer's bookkeeping included.
peak_most=$((3 << 20))
measured=()

# random_guest QEMU SEED OPERATIONS PROPERTIES [ARGUMENT...]: the guest's words
# on standard output, QEMU's on standard error.
random_guest() {
	local qemu=$1 seed=$2 operations=$3 properties=$4
	shift 4
	"${measured[@]}" "${fixed[@]}" "$qemu/qemu-system-x86_64" -L "$qemu/firmware" -M q35,graphics=off -nodefaults \
		-display none -m 512M -cpu max -bios "$build/device/random-guest.bin" \
		-debugcon stdio -device isa-debug-exit,iobase=0xf4,iosize=1 \
		-fw_cfg "name=opt/ppim/seed,string=$seed" \
		-fw_cfg "name=opt/ppim/operations,string=$operations" \
		-object memory-backend-ram,id=hbm0,size=64M \
		-object memory-backend-ram,id=dimm0,size=64M \
		-device pcie-root-port,id=rp0,bus=pcie.0,addr=4.0,chassis=1,slot=1 \
		-device "ppim,id=ppim0,bus=rp0,hbm-memdev=hbm0,dimm-memdev=dimm0$properties" "$@"
}

# What it runs on: "NAME PROPERTIES|ARGUMENTS". Behind the remapping unit the
# mappings go wrong under what the commands point to.
random_machines=(
	"default |"
	"guest-time ,timebase=guest|"
	"one-thread ,threads=1|"
	"many-threads ,threads=8|"
	"untimed ,timing=off|"
	"remapped |-device intel-iommu -fw_cfg name=opt/ppim/iommu,string=1"
	"remapped-guest-time ,timebase=guest,threads=4|-device intel-iommu -fw_cfg name=opt/ppim/iommu,string=1"
	"virtual-time |-icount shift=0,sleep=off"
)

# random_start QEMU MACHINE SEED OPERATIONS: in the background, its words in
# $tmp/NAME.out, NAME.err, its status in NAME.status, the most memory that it had
# in NAME.peak.
random_start() {
	local name=${2%% *} rest=${2#* } args status
	local measured=(env time -q -f %M -o "$tmp/${2%% *}.peak")
	read -ra args <<<"${rest#*|}"
	{
		status=0
		random_guest "$1" "$3" "$4" "${rest%%|*}" "${args[@]}" \
			>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null || status=$?
		echo "$status" >"$tmp/$name.status"
	} &
}

# random_judge NAME SEED: the guest passed, and nobody reported anything.
random_judge() {
	local name=$1 counts status reports peak ok=0
	counts=$(grep ' operations ' "$tmp/$name.out" | tail -n 1)
	status=$(cat "$tmp/$name.status" 2>/dev/null)
	peak=$(cat "$tmp/$name.peak" 2>/dev/null)
	reports=$(grep -cE 'Sanitizer|runtime error:' "$tmp/$name.err")
	[ "$status" = 5 ] && [ "$reports" = 0 ] || ok=1
	result $ok "random guest, $name: right answers, no report (seed $2)" \
		"QEMU ended with status $status (5 is right), $reports reports" \
		"$(tail -n 3 "$tmp/$name.out")" "$(grep -vE '^qemu.*(vtd_|fault)' "$tmp/$name.err" | head -n 60)"
	result $((${peak:-$peak_most} >= peak_most)) "random guest, $name: memory stays below 3 GiB" \
		"peak: $peak KiB"
	echo "# $name: $counts"
	echo "# counts: $name: ${counts%% reads *}, $((${peak:-0} >> 10)) MiB at most"
}

# random_all QEMU OPERATIONS: on every machine its share of them, as many at
# once as there are jobs.
random_all() {
	local share=$(($2 / ${#random_machines[@]})) seed=${PPIM_RANDOM_SEED:-1}
	local machine running=0 done=0 n
	for machine in "${random_machines[@]}"; do
		[ $running -lt "${PPIM_JOBS:-$(nproc)}" ] || { wait -n; running=$((running - 1)); }
		random_start "$1" "$machine" "$seed" "$share"
		running=$((running + 1)) seed=$((seed + 1))
	done
	wait
	seed=${PPIM_RANDOM_SEED:-1}
	for machine in "${random_machines[@]}"; do
		random_judge "${machine%% *}" "$seed"
		n=$(sed -n 's/.* operations \([0-9]*\) .*/\1/p' "$tmp/${machine%% *}.out" | tail -n 1)
		done=$((done + ${n:-0})) seed=$((seed + 1))
	done
	is "all operations were done" "$((done >= share * ${#random_machines[@]}))" 1
	echo "# counts: all machines: $done operations"
}
