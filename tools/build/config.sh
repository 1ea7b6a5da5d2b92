#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Turns Kconfig and .config into what make and shell scripts read.
#
# usage: config.sh OUT
#   OUT/.config    every option: .config's where it has one, else the default
#   OUT/config.mk  the same for make (no quotes), OUT/config.sh for the shell

. "$(dirname "$0")/lib.sh"

out=${1:?usage: config.sh OUT}
mkdir -p "$out"
new=$out/.config.new

how=--alldefconfig
if [ -f "$top/.config" ]; then
	cp "$top/.config" "$new"
	how=--olddefconfig
fi
(cd "$top" && KCONFIG_CONFIG=$new CONFIG_=CONFIG_ run_logged "$out/config.log" kconfig-conf "$how" Kconfig)
rm -f "$new.old"
mv "$new" "$out/.config"
sed -nE 's/^(CONFIG_[A-Z0-9_]+)="?([^"]*)"?$/\1 := \2/p' "$out/.config" >"$out/config.mk.new"
sed -n '/^CONFIG_/p' "$out/.config" >"$out/config.sh"
if cmp -s "$out/config.mk.new" "$out/config.mk"; then
	rm "$out/config.mk.new"
else
	mv "$out/config.mk.new" "$out/config.mk"
fi
