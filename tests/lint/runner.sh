#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The test runner itself: what it counts, and that nothing broken counts as good.

. "$(dirname "$0")/../tap.sh"

# counts NAME STATUS TEXT EXPECTED: tap.awk's figures and failures on one line.
counts() {
	is "$1" "$(printf '%b' "$3" | awk -v status="$2" -v limit=9 -f "$top/tests/tap.awk" | paste -sd' ')" "$4"
}

counts "passes, failures and skips are told apart" 1 \
	'1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no device\n' "1 1 1 2 - b"
counts "a missing result fails" 0 '1..3\nok 1\nok 2\n' "2 1 0 planned 3 tests, ran 2"
counts "an exit status without a failed result fails" 3 '1..1\nok 1\n' "1 1 0 exit status 3 without a failed test"
counts "output without a result fails" 0 'hello\n' "0 1 0 no test in its output"
counts "a time limit fails" 124 '1..1\nok 1\n' "1 1 0 ended after 9 s"
counts "bailing out fails" 0 '1..1\nok 1\nBail out! no memory\n' "1 1 0 Bail out! no memory"
counts "a skipped program counts as one skip" 0 '1..0 # SKIP no KVM\n' "0 0 1"
counts "the kernel runner's nesting: leaves count, not their sum" 1 \
	'TAP version 13\n1..2\n# TAP version 13\n# 1..2\n# ok 1 x\n# not ok 2 y\n# # Totals: pass:1\nnot ok 1 a # exit=1\n# 1..1\n# ok 1 z\nok 2 b\n' \
	"2 1 0 2 y"
counts "KTAP's indentation nests" 0 \
	'KTAP version 1\n1..1\n  1..2\n    1..1\n    # text\n    ok 1 t\n  ok 1 s\n  ok 2 u\nok 1 e\n' "2 0 0"
counts "a program that died in a nested list fails" 1 '1..1\n# 1..2\n# ok 1 x\nnot ok 1 a # exit=139\n' \
	"1 2 0 planned 2 tests, ran 1 1 a # exit=139"
counts "several lists in one output add up" 0 '1..1\nok 1\n1..2\nok 1\nok 2\n' "3 0 0"

counts "as many in the second as in the first" 0 '1..1\nok 1\n1..1\nok 1\n' "2 0 0"
counts "and one that misses a result fails" 0 '1..2\nok 1\nok 2\n1..2\nok 1\n' "3 1 0 planned 2 tests, ran 1"
counts "a plan after each result grows" 0 'ok 1 a\n1..1\nok 2 b\n1..2\nok 3 c\n1..3\n' "3 0 0"
counts "and fails when the last is too large" 0 'ok 1 a\n1..1\nok 2 b\n1..3\n' \
	"2 2 0 planned 1 tests, ran 2 planned 3 tests, ran 0"

counts "what a failed check quotes is not counted" 1 \
	"$(tap_count=0 tap_failed=0 is outer $'1..9\nnot ok 1 - inner' x)\n1..1\n" "0 1 0 1 - outer"

PPIM_BUILD=$tmp/empty run "$top/tests/run" unit
is "a group without a test fails" "$status: $(tail -n 1 <<<"$out")" "1: 0 passed, 1 failed"
run "$top/tests/run" nonsense
is "an unknown group is refused" "$status: $err" "2: tests/run: no group 'nonsense'"

done_testing
