#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# QEMU's generic fuzzer on the device, with sanitizers: every input of the
# corpus, and then some that are new.
#
#   PPIM_FUZZ_RUNS  new inputs (default 100000)
#   PPIM_FUZZ_SEED  of their choice (default 1)

. "$(dirname "$0")/../tap.sh"
. "$top/tests/device/sanitizers.sh"
. "$top/tests/device/random.sh"

# The fuzzer's own rounds do not give everything back.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
export PPIM_QTEST_FIRMWARE=$build/qemu-asan/firmware
corpus=$top/tests/fuzz/device
runs=${PPIM_FUZZ_RUNS:-100000}
# What the device logs goes nowhere, its reports stay.
fuzz() {
	"${fixed[@]}" "$build/qemu-asan/qemu-fuzz-x86_64" --fuzz-target=generic-fuzz-ppim \
		-artifact_prefix="$tmp/" "$@"
}

# ended NAME: the fuzzer's last words, with an input that it did not survive.
ended() {
	local input
	[ "$status" = 0 ] || input=$(find "$tmp" -maxdepth 1 -name 'crash-*' -o -name 'timeout-*' | head -n 1)
	result "$status" "$1" "status $status" "$(grep -v '^#' <<<"$err" | tail -n 60)" \
		"${input:+the input, to be decoded with base64 -d: $(base64 -w 0 "$input")}"
}

run fuzz -runs=0 "$corpus"
ended "every input of the corpus is survived"
files=$(find "$corpus" -type f | wc -l)
inited=$(sed -n 's/.*INITED.* cov: \([0-9]*\) .*/\1/p' <<<"$err")
matches "the corpus reaches the device" "$inited" '^[0-9]{3,}$'
echo "# counts: corpus: $files inputs, coverage $inited"

mkdir "$tmp/new"
run fuzz -runs="$runs" -seed="${PPIM_FUZZ_SEED:-1}" "$tmp/new" "$corpus"
ended "$runs new inputs are survived (seed ${PPIM_FUZZ_SEED:-1})"
echo "# counts: new: $(grep -oE 'Done [0-9]+ runs' <<<"$err"), coverage $(
	grep -oE 'cov: [0-9]+' <<<"$err" | tail -n 1), $(find "$tmp/new" -type f | wc -l) inputs found anew"

done_testing
