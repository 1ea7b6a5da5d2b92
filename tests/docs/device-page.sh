#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The device's user page says what the device says: properties with defaults
# and ranges, counters, trace events, limits; and its command lines start.

# shellcheck disable=SC2016 # the backquotes are the page's own

. "$(dirname "$0")/../tap.sh"

page=$top/qemu-device/docs/device.md
hw=$top/qemu-device/hw
qemu=$build/qemu/qemu-system-x86_64
bare=(-display none -nodefaults -L "$build/qemu/firmware" -S -qmp stdio)

sorted() { sort -u | tr '\n' ' '; }

# column N TABLE PAGE: cells of the table whose first heading is TABLE.
column() {
	awk -v want="$2" -v n="$1" -F' *[|] *' '
		!/^\|/ { on = 0; inside = 0; next }
		!inside { inside = 1; on = $2 == want; next }
		/^\|-/ { next }
		on { gsub(/`/, ""); print $(n + 1) }' "$3"
}

# --- what the device says ----------------------------------------------------

# Properties that other PCI functions do not have.
help_of() { "$qemu" -device "$1",help | sed -nE 's/^  ([a-z0-9_-]+)=.*/\1/p' | sort; }
properties() { comm -23 <(help_of ppim) <(help_of pvpanic-pci; help_of qemu-xhci) | sorted; }

session() {
	local device=$1
	shift
	{ echo '{ "execute": "qmp_capabilities" }'; printf '%s\n' "$@" '{ "execute": "quit" }'; } |
		"$qemu" -M q35 "${bare[@]}" -object memory-backend-ram,id=h,size=64M \
			-object memory-backend-ram,id=d,size=64M \
			-device pcie-root-port,id=rp,chassis=1 \
			-device "ppim,id=ppim0,bus=rp,hbm-memdev=h,dimm-memdev=d$device" 2>&1 | tr -d '\r'
}

get() { echo "{ \"execute\": \"qom-get\", \"arguments\": { \"path\": \"/machine/peripheral/ppim0\", \"property\": \"$1\" } }"; }

# "NAME DEFAULT" of what has one: text is asked for, the rest is in the help.
defaults() {
	local name
	for name in hbm-spec dimm-spec arch timebase; do
		echo "$name $(session '' "$(get $name)" | sed -nE 's/.*"return": "(.*)".*/\1/p')"
	done
	"$qemu" -device ppim,help | grep -E '^  [a-z]' |
		sed -nE 's/^  ([a-z-]+)=.*\(default: (.*)\)$/\1 \2/p' | sed 's/18446744073709551615/unset/'
}
defaults_of_page() {
	paste -d' ' <(column 1 Property "$1") <(column 2 Property "$1") |
		grep -vE ' (none|required|write-only|read-only)$'
}

counters() { session '' "$(get stats)" | sed -n 's/.*"return": {\(".*\)}}.*/\1/p; s/.*"return": {\(".*\)}$/\1/p' |
	sed 's/\[[^]]*\]/0/g; s/{[^}]*}/0/g' | grep -oE '"[a-z-]+":' | tr -d '":' | grep -vxE 'hbm|dimm|bank-groups|queues' | sorted; }

events() { sed -nE 's/^(ppim_[a-z_]+)\(.*/\1/p' "$hw/trace-events" | sorted; }

limits_of_page() { paste -d' ' <(column 3 Limit "$1") <(column 2 Limit "$1") | sorted; }
limits() {
	column 3 Limit "$page" | while read -r name; do
		echo "$name $(sed -nE "s/^#define ${name}[[:space:]]+([^/]*).*/\1/p" "$hw/ppim.h")"
	done | while read -r name value; do echo "$name $((${value//u/}))"; done | sorted
}

presets() { column 3 Property "$1" | grep -x 'cpu, .*' | tr -d ' ' | tr , '\n'; }

# --- what can be tried -------------------------------------------------------

# accepts DEVICE-PROPERTIES
accepts() { session "$1" | grep -q '"return": {}'; }
refuses() { [[ $(session "$2") == *"property '$1'"* ]]; }

check_ranges() {
	local name range low high step
	while IFS=$'\t' read -r name range; do
		[[ $range =~ ^([0-9]+)\ to\ ([0-9]+)$ ]] || continue
		low=${BASH_REMATCH[1]} high=${BASH_REMATCH[2]} step=1
		[ "$name" != queue-entries ] || step=$low
		holds "$name=$low is taken" accepts ",$name=$low"
		holds "$name=$high is taken" accepts ",$name=$high"
		[ "$low" = 0 ] || holds "$name=$((low - 1)) is refused by name" refuses "$name" ",$name=$((low - 1))"
		holds "$name=$((high + step)) is refused by name" refuses "$name" ",$name=$((high + step))"
	done < <(paste <(column 1 Property "$page") <(column 3 Property "$page"))
}

check_presets() {
	local preset
	while read -r preset; do
		holds "arch=$preset is taken" accepts ",arch=$preset"
	done < <(presets "$page")
	refuses arch ,arch=proactive+
	result $? "arch=proactive+ is refused by name"
}

# Command lines: each starts a machine.
command_lines() { sed -n 's/^    //p' "$page" | sed -e ':a' -e '/\\$/N; s/ *\\\n */ /; ta' | grep '^qemu-system'; }
starts() {
	local words
	read -ra words <<<"$1"
	{ echo '{ "execute": "qmp_capabilities" }'; echo '{ "execute": "quit" }'; } |
		"$qemu" "${words[@]:1}" "${bare[@]}" 2>&1 | grep '"return": {}'
}
check_command_lines() {
	local line n=0
	while read -r line; do
		n=$((n + 1))
		holds "command line $n starts" starts "$line"
	done < <(command_lines)
	result $((n < 5)) "$n command lines"
}

# QMP: what cannot be done to a device that no driver has enabled says so.
check_qmp() {
	local line said n=0
	while read -r line; do
		n=$((n + 1))
		said=$(cd "$tmp" && session '' "$line" | grep -vE '"QMP"|"return": \{\}\}?$|SHUTDOWN')
		[[ $line != *'"inject"'* ]] || said=${said/*inject: the device is not enabled*/}
		[[ $line != *qom-get* ]] || said=${said/*\"submitted\"*/}
		is "QMP command $n: ${line:0:60}..." "$said" ""
	done < <(grep -E '^    \{ "execute"' "$page" | sed 's/^ *//')
	result $((n < 6)) "$n QMP commands"
}

is "properties" "$(column 1 Property "$page" | sorted)" "$(properties)"
is "defaults that the page lacks" "$(comm -13 <(defaults_of_page "$page" | sort) <(defaults | grep -E "^($(properties | sed 's/ $//; s/ /|/g')) " | sort))" ""
is "defaults that the device lacks" "$(comm -23 <(defaults_of_page "$page" | sort) <(defaults | sort))" ""
is "counters" "$(column 1 Counter "$page" | sorted)" "$(counters)"
is "trace events" "$(column 1 Event "$page" | sorted)" "$(events)"
is "limits" "$(limits_of_page "$page")" "$(limits)"
check_ranges
check_presets
check_command_lines
check_qmp

# The comparisons can fail.
sed 's/`sram`/`sramm`/; s/| proactive | cpu/| bgpim | cpu/; s/`sram-hits`/`sram-hit`/; s/`ppim_fault`/`ppim_faults`/; s/| 4096 | `PPIM_EX/| 4095 | `PPIM_EX/' "$page" >"$tmp/page"
differs() { [ "$2" != "$3" ]; result $? "$1"; }
differs "a wrong property is noticed" "$(column 1 Property "$tmp/page" | sorted)" "$(properties)"
differs "a wrong default is noticed" "$(comm -23 <(defaults_of_page "$tmp/page" | sort) <(defaults | sort))" ""
differs "a wrong counter is noticed" "$(column 1 Counter "$tmp/page" | sorted)" "$(counters)"
differs "a wrong event is noticed" "$(column 1 Event "$tmp/page" | sorted)" "$(events)"
differs "a wrong limit is noticed" "$(limits_of_page "$tmp/page")" "$(limits)"
done_testing
