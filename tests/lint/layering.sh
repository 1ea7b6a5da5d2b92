#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may know whom: the includes of each layer against the layers it may use.

. "$(dirname "$0")/../tap.sh"

cd "$top" || exit

# includes_of DIR...: "file: header" for every include.
includes_of() {
	find "$@" -name '*.[ch]' -exec grep -HoE '^#[[:space:]]*include[[:space:]]*[<"][^>"]+' {} + |
		sed -E 's/#[[:space:]]*include[[:space:]]*[<"]/ /'
}

# never NAME PATTERN DIR...: no include in DIR matches PATTERN.
never() {
	local name=$1 pattern=$2
	shift 2
	is "$name" "$(includes_of "$@" | grep -E ": ($pattern)" | head -n 5)" ""
}

kernel='linux/(module|pci|slab|kernel)\.h'
qemu='qemu/|hw/|qom/|exec/|system/|qapi/'

never "the engine knows no QEMU, no kernel, no runtime" "$qemu|$kernel|ppim\.h|ppim_hw\.h|linux/ppim\.h" qemu-device/engine
never "the planner is plain C: no system header, no layer above" \
	"$qemu|sys/|unistd\.h|fcntl\.h|ppim\.h|ppim_hw\.h|linux/ppim\.h" runtime/plan
never "the runtime knows the kernel by its uapi alone" "ppim_hw\.h|$qemu|ppim-engine/engine" runtime/src runtime/include
never "the tools know neither the hardware header nor QEMU" "ppim_hw\.h|$qemu" tools
never "the driver knows neither engine, planner nor runtime" "ppim-engine/|plan\.h|$qemu" kernel
never "the device knows neither planner, runtime nor uapi ioctls" "plan\.h|linux/ppim\.h" qemu-device/hw

done_testing
