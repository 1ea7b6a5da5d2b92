#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every source file names its licence in its first lines, the one that LICENSE
# gives to its folder.

. "$(dirname "$0")/../tap.sh"

cd "$top" || exit

licence_of() {
	head -n 3 "$1" | sed -nE 's#.*SPDX-License-Identifier: *([^*]*[^* ]).*#\1#p' | head -n 1
}

expected_of() {
	case $1 in
	kernel/include/uapi/*) echo "(GPL-2.0-only WITH Linux-syscall-note) OR MIT" ;;
	kernel/include/ppim_hw.h) echo "GPL-2.0-only OR MIT" ;;
	kernel/* | qemu-device/hw/* | qemu-device/qtest/* | qemu-device/overlay/* | tests/kselftest/*) echo "GPL-2.0-only" ;;
	*) echo "MIT" ;;
	esac
}

while read -r file; do
	[ -f "$file" ] || continue
	is "licence of $file" "$(licence_of "$file")" "$(expected_of "$file")"
done < <(git ls-files -co --exclude-standard | grep -E '\.(c|h|sh|awk|mk|py)$|(^|/)(Makefile|Kbuild|Kconfig|meson\.build)$')

done_testing
