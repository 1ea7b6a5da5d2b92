#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is chosen by `make menuconfig` is what make, the tests and (guest/launcher.sh) the
# launcher read.

. "$(dirname "$0")/../tap.sh"

# A copy, so that the user's .config stays as it is.
mkdir -p "$tmp/tree"
cp -r "$top/tools" "$top/Kconfig" "$top/Makefile" "$tmp/tree/"
config() { run "$tmp/tree/tools/build/config.sh" "$tmp/build"; }
value() { sed -n "s/^CONFIG_$1 := //p" "$tmp/build/config.mk"; }

config
is "defaults are written without a .config" "$status" 0
is "a default HBM tier" "$(value HBM_SIZE)" 4G
is "every group is tested by default, but the sanitized device" \
	"$(comm -23 <(sed -n 's/^config TEST_//p' "$top/Kconfig" | sort) \
		<(sed -n 's/^CONFIG_TEST_\(.*\) := y$/\1/p' "$tmp/build/config.mk" | sort))" DEVICE

printf 'CONFIG_HBM_SIZE="1G"\n# CONFIG_TEST_LINT is not set\nCONFIG_VM_SMP=3\n' >"$tmp/tree/.config"
config
is "a chosen value is used" "$(value HBM_SIZE)" 1G
is "what is not chosen keeps its default" "$(value DIMM_SIZE)" 32G
is "a group can be left out" "$(value TEST_LINT)" ""

# By make: what has changed is noticed, and nothing else is touched.
by_make() { run env -u MAKEFLAGS -u MAKELEVEL make -C "$tmp/tree" O="$tmp/build" deps-build; }
stamp() { stat -c %y "$tmp/build/config.mk"; }
by_make
before=$(stamp)
by_make
is "make leaves the options alone while they are the same" "$status: $(stamp)" "0: $before"
rm "$tmp/tree/.config"
by_make
is "without the .config make has the defaults again" "$status: $(value HBM_SIZE)" "0: 4G"

done_testing
