#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Lays the ppim device into a QEMU tree.
#
# usage: apply.sh SOURCE TREE
#   SOURCE  a QEMU source as it was released; it is only read
#   TREE    a copy of it that may be changed; its hooked files are made from
#           SOURCE's, so laying the overlay twice gives the same tree
#
# Files are written only when their content differs: ninja then rebuilds what
# follows from a change and nothing else.

set -euo pipefail

source=${1:?usage: apply.sh SOURCE TREE}
tree=${2:?usage: apply.sh SOURCE TREE}
top=$(cd "$(dirname "$0")/../.." && pwd)

die() { printf 'overlay: %s\n' "$*" >&2; exit 1; }

# put FILE: standard input becomes TREE/FILE.
put() {
	mkdir -p "$(dirname "$tree/$1")"
	cat >"$tree/$1.new"
	if cmp -s "$tree/$1.new" "$tree/$1"; then
		rm "$tree/$1.new"
		return
	fi
	[ -e "$tree/$1" ] || files_changed=1
	case $1 in *.sh) chmod 755 "$tree/$1.new" ;; esac
	mv "$tree/$1.new" "$tree/$1"
}

# hook FILE LINE NEW: the line NEW after LINE, which must be there once.
hook() {
	[ "$(grep -cxF -- "$2" "$source/$1")" = 1 ] ||
		die "$source/$1 has no line \"$2\" to hook in after: not a QEMU that this overlay knows"
	awk -v line="$2" -v new="$3" '{ print } $0 == line { print new }' "$source/$1" | put "$1"
}

# mend FILE LINE NEW: NEW instead of LINE, a mistake of QEMU's own without which
# tests could not reach what they test; a QEMU that has not that line has not
# the mistake either.
mend() {
	[ "$(grep -cxF -- "$2" "$source/$1")" -le 1 ] ||
		die "$source/$1 has the line \"$2\" more than once: not a QEMU that this overlay knows"
	awk -v line="$2" -v new="$3" '{ print $0 == line ? new : $0 }' "$source/$1" | put "$1"
}

# mirror FROM TO: our sources of FROM, and nothing else, in TREE/TO.
# Folders below TO that are mirrored on their own are named after it.
mirror() {
	local from=$1 to=$2 file
	shift 2
	while read -r file; do
		put "$to/$file" <"$from/$file"
	done < <(sources "$from")
	mkdir -p "$tree/$to"
	while read -r file; do
		[ -e "$from/$file" ] && continue
		rm "$tree/$to/$file"
		files_changed=1
	done < <(sources "$tree/$to" "$@")
}

# sources DIR [SKIP...]: relative names of what belongs into a QEMU tree.
sources() {
	local dir=$1 skip=()
	shift
	while [ $# -gt 0 ]; do
		skip+=(-path "./$1" -prune -o)
		shift
	done
	(cd "$dir" && find . "${skip[@]}" -type f \( -name '*.[ch]' -o -name '*.sh' \
		-o -name '*.ini' -o -name meson.build -o -name Kconfig -o -name trace-events \) -print | sort)
}

files_changed=0
mirror "$top/qemu-device/hw" hw/misc/ppim engine configs include
mirror "$top/qemu-device/engine" hw/misc/ppim/engine
mirror "$top/qemu-device/configs" hw/misc/ppim/configs
mirror "$top/kernel/include" hw/misc/ppim/include
# hw/meson.build reads it, so that meson notices a file that comes or goes
(cd "$top/qemu-device" && printf '%s\n' engine/*.c configs/*.ini) | put hw/misc/ppim/files.txt
mirror "$top/qemu-device/qtest" tests/qtest/ppim
put hw/misc/ppim/uninstrumented.txt <"$top/qemu-device/overlay/uninstrumented.txt"

hook meson.build "    'hw/misc'," "    'hw/misc/ppim',"
hook hw/misc/meson.build "# HPPA devices" "subdir('ppim')"
hook hw/misc/Kconfig "source macio/Kconfig" "source ppim/Kconfig"
hook tests/qtest/meson.build "tpmemu_files = ['tpm-emu.c', 'tpm-util.c', 'tpm-tests.c']" "subdir('ppim')"
hook tests/qtest/fuzz/generic_fuzz_configs.h "const generic_fuzz_config predefined_configs[] = {" \
	'#include "tests/qtest/ppim/ppim-fuzz.h"'

# A mask was tested with an "or": the log of faults was always full, and none
# was reported.
mend hw/i386/amd_iommu.c "    return amdvi_readq(s, addr) | val;" "    return amdvi_readq(s, addr) & val;"

# Meson looks for files when it is configured: a new one has to be announced.
[ $files_changed = 0 ] || touch "$tree/hw/misc/ppim/meson.build"
