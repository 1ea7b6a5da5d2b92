# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What test scripts share. A script sources this, runs its checks, and ends
# with `done_testing`. Each check is one TAP result; what went wrong follows it
# as comments, behind a bar, since it may itself look like results.

set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${PPIM_BUILD:-$top/build}
PATH=$build/bin:$top/tools:$PATH
export LC_ALL=C.UTF-8

tap_count=0 tap_failed=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ppim-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
echo "TAP version 13"

# result STATUS NAME [COMMENT...]: 0 is a pass.
result() {
	local status=$1 name=$2 comment
	shift 2
	tap_count=$((tap_count + 1))
	if [ "$status" = 0 ]; then
		echo "ok $tap_count - $name"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $name"
	for comment in "$@"; do
		echo "#   | ${comment//$'\n'/$'\n'#   | }"
	done
	return 1
}

# is NAME GOT EXPECTED
is() {
	local status=0
	[ "$2" = "$3" ] || status=1
	result $status "$1" "got:      $2" "expected: $3"
}

# matches NAME TEXT REGEX (extended)
matches() {
	local status=0
	grep -qE -- "$3" <<<"$2" || status=1
	result $status "$1" "got:      $2" "expected: /$3/"
}

# holds NAME COMMAND...: the command's status decides.
holds() {
	local name=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	result $status "$name" "$* ended with status $status" "$out"
}

# run COMMAND...: leaves `out`, `err` and `status`.
# shellcheck disable=SC2034 # for the scripts that source this
run() {
	status=0
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	out=$(cat "$tmp/out") err=$(cat "$tmp/err")
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

done_testing() {
	echo "1..$tap_count"
	[ $tap_failed = 0 ]
}
