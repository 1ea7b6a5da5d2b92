#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The launcher's promises: streams, exit status, files in and out, time limit,
# several machines at once, nothing left behind.
# shellcheck disable=SC2016 # what stands in single quotes is for the guest

. "$(dirname "$0")/../tap.sh"

export TMPDIR=$tmp/vm
mkdir "$TMPDIR"
left_behind() { find "$TMPDIR" -mindepth 1 | wc -l; }

run ppim-vm -- sh -c 'echo to-out; echo to-err >&2; exit 7'
is "standard output comes through alone" "$out" "to-out"
is "standard error comes through" "$(grep -v '^ppim-vm: accelerator' <<<"$err")" "to-err"
is "the command's exit status is the launcher's" "$status" 7
is "one line says which accelerator is used and why" \
	"$(grep -cE '^ppim-vm: accelerator (kvm|tcg) \(.+\)$' <<<"$err")" 1

head -c 300000 /dev/urandom >"$tmp/random bytes"
ppim-vm -q --input "$tmp/random bytes" -- cat "/input/random bytes" >"$tmp/back"
holds "bytes pass unchanged, both ways" cmp "$tmp/random bytes" "$tmp/back"

run ppim-vm -q -- printf '%s|' "a b" "it's" '$HOME' '' $'two\nlines'
is "arguments reach the command as they were given" "$out" "a b|it's|\$HOME||two
lines|"

mkdir "$tmp/share"
echo from-host >"$tmp/share/in"
run ppim-vm -q --share "$tmp/share" --env "WORD=x  y" -- sh -c 'cat /mnt/share/in; echo "$WORD" >/mnt/share/out'
is "a shared folder can be read in the guest" "$out" "from-host"
is "a shared folder can be written, --env sets a variable" "$(cat "$tmp/share/out")" "x  y"

run ppim-vm -q -- sh -c 'kill -SEGV $$'
is "a command killed by a signal gives 128 + its number" "$status" 139

run ppim-vm -q -- /no/such/program
is "a command that is not there gives 127" "$status" 127

run ppim-vm -q -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
is "a guest that panics gives 125" "$status" 125
matches "and the end of its console" "$err" 'Kernel panic - not syncing: sysrq triggered crash'

run ppim-vm -q --timeout 15 -- sleep 1000
is "a guest that hangs is ended: 124" "$status" 124
matches "and it is said which limit that was" "$err" 'after 15 s'

ppim-vm -q -- echo one >"$tmp/one" &
first=$!
ppim-vm -q -- echo two >"$tmp/two"
wait $first
is "two machines run at once" "$(cat "$tmp/one" "$tmp/two")" "one
two"

# A reader that leaves ends the machine instead of blocking it.
timeout 60 ppim-vm -q --timeout 50 -- yes | head -n 1 >"$tmp/yes"
is "a reader that stops reading ends the machine" "${PIPESTATUS[0]}$(cat "$tmp/yes")" "141y"

ppim-vm -q -- sleep 1000 &
vm=$!
sleep 4
kill -TERM $vm
wait $vm
is "SIGTERM ends the launcher with 143" "$?" 143
is "no file is left behind, whatever the end was" "$(left_behind)" 0

run ppim-vm -q --icount -- sh -c 'grep -c ^processor /proc/cpuinfo; date +%Y'
is "--icount: one CPU, a fixed date" "$out" "1
2025"

run ppim-vm --hbm 4X -- true
is "a size that is none is refused" "$status: $err" "125: ppim-vm: --hbm '4X' is not a size (512M, 4G, ...)"
run ppim-vm --dimm 3G -- true
is "a size that no PCI window has is refused" "$status: $err" \
	"125: ppim-vm: --dimm '3G' is not a power of two: a PCI window cannot have that size"
run ppim-vm --nonsense -- true
is "an unknown option is refused" "$status: $err" "125: ppim-vm: unknown option '--nonsense' (ppim-vm --help)"
run ppim-vm --icount --smp 4 -- true
is "--icount with more CPUs is refused" "$status: $err" \
	"125: ppim-vm: --icount counts one CPU's instructions: --smp 4 cannot be"
run ppim-vm --input /no/such -- true
is "an input that is not there is refused" "$status: $err" \
	"125: ppim-vm: --input '/no/such' is not a file"
run ppim-vm
is "no command is refused" "$status: $err" "125: ppim-vm: no COMMAND after -- (ppim-vm --help)"

run ppim-vm --dry-run --smp 3 --mem 1G --hbm 1G --dimm 2G --arch bgpim --devices 2 -- true
matches "--dry-run shows --smp" "$out" '-smp 3 '
matches "--dry-run shows --hbm" "$out" 'id=hbm1\\?,size=1073741824\\?,'
matches "--dry-run shows --arch on every device" "$out" 'id=ppim1.*arch=bgpim'

# Other options than the build's own, with the build's programs.
mkdir "$tmp/build"
ln -s "$build"/{qemu,linux,guest} "$tmp/build/"
sed 's/^CONFIG_HBM_SIZE=.*/CONFIG_HBM_SIZE="1G"/; s/^CONFIG_VM_SMP=.*/CONFIG_VM_SMP=5/' \
	"$build/config.sh" >"$tmp/build/config.sh"
PPIM_BUILD=$tmp/build run ppim-vm --dry-run -- true
matches "the HBM tier's default is the configured one" "$out" 'id=hbm0\\?,size=1073741824\\?,'
matches "the CPUs' default is the configured one" "$out" '-smp 5 '

done_testing
