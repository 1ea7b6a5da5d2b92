#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The device's specification page says what the headers say: every constant,
# every register with its width and access, every structure to the byte, and
# nothing else. Prints TAP.
#
# usage: spec-header.sh [SPEC]
#   SPEC  another page to compare (default: qemu-device/docs/spec.md)
#
# Without SPEC the check also proves that it can fail: copies of the page with
# one cell changed have to be noticed.

set -euo pipefail
shopt -s lastpipe

top=$(cd "$(dirname "$0")/../.." && pwd)
spec=${1:-$top/qemu-device/docs/spec.md}
include=$top/kernel/include
headers=("$include/uapi/linux/ppim_defs.h" "$include/uapi/linux/ppim_shape.h" "$include/ppim_hw.h")
structs=(ppim_hw_buf ppim_hw_sg ppim_hw_extent ppim_hw_subtable ppim_hw_table ppim_hw_job
	ppim_hw_sqe ppim_hw_cqe ppim_hw_stats ppim_annotation)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

tests=0 failures=0

# result NAME: not ok if standard input has a line; the lines say why.
result() {
	local why
	why=$(cat)
	tests=$((tests + 1))
	if [ -z "$why" ]; then
		echo "ok $tests - $1"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $1"
	while IFS= read -r line; do
		echo "# $line"
	done <<<"$why"
}

# --- what the headers define -------------------------------------------------

preprocess() { gcc -E -P -x c -I "$include" -I "$include/uapi" -include ppim_hw.h \
	-include linux/ppim_shape.h /dev/null; }

# Constants: enumerators, and the macros that our own headers define; macros
# with an argument are named with it.
header_names() {
	preprocess | awk '
		/enum [a-z_]+ *\{/ { inside = 1; sub(/^.*\{/, "") }
		inside { gsub(/=[^,}]*/, ""); n = split($0, w, /[ \t,;{}]+/)
			for (i = 1; i <= n; i++) if (w[i] ~ /^PPIM_/) print w[i] }
		/\}/ { inside = 0 }'
	sed -n 's/^#define[ \t]\{1,\}\(PPIM_[A-Z0-9_]*\)\((q)\)\{0,1\}[ \t]\{1,\}.*/\1\2/p' "${headers[@]}" |
		grep -vxE 'PPIM_HW_H|PPIM_STATIC_ASSERT|PPIM_(ARCH|BOUND)_NAMES'
}

# "NAME WIDTH ACCESS" of each register, from the comment behind it.
header_registers() {
	sed -n 's/^#define[ \t]*\(PPIM_REG_[A-Z_]*\)[ \t].*\/\* \(R[OW]\) \([48]\).*/\1 \3 \2/p' "$include/ppim_hw.h"
}

# "STRUCT FIELD" of every leaf; members of a named inner structure carry its name.
header_fields() {
	preprocess | tr '\n' ' ' | sed 's/[{};]/ & /g' | tr -s ' \t' '\n' | awk '
		$0 == "struct" || $0 == "union" { kind = $0; pending = 1; name = ""; word = ""; next }
		pending && $0 == "{" { depth++; title[depth] = name; count[depth] = 0; pending = 0; word = ""; next }
		pending { if (name == "") name = $0; else { pending = 0; word = $0 }; next }
		$0 == "}" && depth { closing = 1; word = ""; next }
		$0 == ";" && closing { finish(word); closing = 0; word = ""; next }
		$0 == ";" && depth { sub(/\[.*/, "", word); sub(/^\*/, "", word); field[depth, ++count[depth]] = word; word = ""; next }
		$0 == "{" || $0 == "}" || $0 == ";" { word = ""; next }
		{ if ($0 !~ /^\[/) word = $0 }
		function finish(member,    i, to, prefix) {
			to = depth - 1
			prefix = member == "" ? "" : member "."
			for (i = 1; i <= count[depth]; i++)
				if (to == 0)
					print title[depth], field[depth, i]
				else
					field[to, ++count[to]] = prefix field[depth, i]
			depth--
		}'
}

# --- what the page says ------------------------------------------------------

# A table's rows, cells joined by tabs, of the tables whose first heading is $1.
page_rows() {
	awk -v want="$1" '
		!/^\|/ { if (/^### struct /) title = $3; table = 0; next }
		{ line = $0; gsub(/\\\|/, "\001", line); n = split(line, c, /\|/)
		  for (i = 2; i < n; i++) gsub(/^ +| +$/, "", c[i]) }
		!table { table = 1; on = c[2] == want && (want != "Offset" || c[4] != "Field"); fields = c[4] == "Field"; next }
		/^\|-/ { next }
		want == "Fields" && fields { sub(/,$/, "", title); gsub(/`/, "", c[4]); print title "\t" c[4] "\t" c[2] "\t" c[3] }
		on { out = c[2]; for (i = 3; i < n; i++) out = out "\t" c[i]; gsub(/`/, "", out); print out }' "$2"
}

# --- comparing ---------------------------------------------------------------

# Compiles one program that prints "KEY VALUE" for expressions read as "KEY EXPRESSION".
evaluate() {
	{
		printf '#include <stdio.h>\n#include <stddef.h>\n#include "ppim_hw.h"\n#include <linux/ppim_shape.h>\nint main(void)\n{\n'
		while read -r key expression; do
			printf 'printf("%%s %%llu\\n", "%s", (unsigned long long)(%s));\n' "$key" "$expression"
		done
		printf 'return 0;\n}\n'
	} >"$tmp/eval.c"
	gcc -I "$include" -I "$include/uapi" -o "$tmp/eval" "$tmp/eval.c" && "$tmp/eval"
}

# compare WHAT: "KEY VALUE" lines of $tmp/page against $tmp/header.
compare() {
	awk -v what="$1" '
		function number(s) { return s ~ /^0x/ ? sprintf("%.0f", hex(substr(s, 3))) : s }
		function hex(s,    i, v) { for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", tolower(substr(s, i, 1))) - 1; return v }
		NR == FNR { header[$1] = $2; next }
		!($1 in header) { print what " " $1 " is on the page, not in the header"; next }
		number($2) != header[$1] { print what " " $1 " is " header[$1] " in the header, " $2 " on the page" }
		{ seen[$1] = 1 }
		END { for (k in header) if (!(k in seen)) print what " " k " is in the header, not on the page" }' \
		"$tmp/header" "$tmp/page" | sort
}

# The name by which a group of constants is reported.
group_of() {
	sed -nE 's/^(PPIM_(PCI|BAR|CAP|CTRL|STS|HWERR|TIMEBASE|ADM|OP|SG|JOBF|SUBF|IN|INJECT|ST|ARCH|BOUND|TIER|ALGO|DTYPE|COMBINE|QR|MODE|SUB|MAX|REG|DB))_.*/\1/p' <<<"$1"
}

check_constants() {
	local name group
	header_names | sort -u | while read -r name; do
		case $name in
		*'(q)') for q in 0 3; do printf '%s %s\n' "${name/q/$q}" "${name/q/$q}"; done ;;
		*) printf '%s %s\n' "$name" "$name" ;;
		esac
	done | evaluate >"$tmp/constants"
	{
		page_rows Name "$1" | awk -F'\t' '{ print $1, $2 }'
		page_rows Offset "$1" | awk -F'\t' '{ print $2, $1 }'
	} >"$tmp/said"
	awk '{ print $1 }' "$tmp/constants" "$tmp/said" | sort -u | while read -r name; do
		group=$(group_of "$name")
		printf '%s %s\n' "${group:-PPIM}" "$name"
	done >"$tmp/groups"
	awk '{ print $1 }' "$tmp/groups" | sort -u >"$tmp/group-names"
	while read -r group; do
		awk -v g="$group" 'NR == FNR { if ($1 == g) want[$2] = 1; next } $1 in want' "$tmp/groups" "$tmp/constants" >"$tmp/header"
		awk -v g="$group" 'NR == FNR { if ($1 == g) want[$2] = 1; next } $1 in want' "$tmp/groups" "$tmp/said" >"$tmp/page"
		compare constant | result "constants ${group}_*: $(wc -l <"$tmp/header")"
	done <"$tmp/group-names"
	awk '{ print $1 }' "$tmp/said" | sort | uniq -d | sed 's/$/ stands on the page twice/' |
		result "no constant stands on the page twice"
}

check_registers() {
	header_registers | awk '{ print $1, $2 ":" $3 }' >"$tmp/header"
	page_rows Offset "$1" | awk -F'\t' '{ print $2, $3 ":" $4 }' >"$tmp/page"
	compare "width and access of" | result "width and access of $(wc -l <"$tmp/header") registers"
}

check_structs() {
	local s
	header_fields >"$tmp/fields"
	page_rows Fields "$1" >"$tmp/rows"
	for s in "${structs[@]}"; do
		check_struct "$s" "$1" | result "struct $s: offsets and sizes of $(grep -c "^$s " "$tmp/fields") fields"
	done
	cut -f 1 "$tmp/rows" | sort -u | { grep -vxF "$(printf '%s\n' "${structs[@]}")" || :; } |
		sed 's/$/ is on the page and not compared/' | result "every structure on the page is compared"
}

check_struct() {
	local s=$1 field
	awk -v s="$s" '$1 == s { print $2 }' "$tmp/fields" | while read -r field; do
		printf '%s offsetof(struct %s,%s)\n' "$field" "$s" "$field"
		printf '%s:size sizeof(((struct %s*)0)->%s)\n' "$field" "$s" "$field"
	done | { cat; printf 'struct:size sizeof(struct %s)\n' "$s"; } | evaluate >"$tmp/header"
	{
		awk -F'\t' -v s="$s" '$1 == s { print $2, $3; print $2 ":size", $4 }' "$tmp/rows"
		sed -n "s/^### struct $s, \([0-9]*\) bytes\$/struct:size \1/p" "$2"
	} >"$tmp/page"
	compare "$s:"
}

check_page() {
	check_constants "$1"
	check_registers "$1"
	check_structs "$1"
}

# changed NAME SED-SCRIPT: a page with this change must be noticed.
changed() {
	sed "$2" "$spec" >"$tmp/changed.md"
	{
		! cmp -s "$spec" "$tmp/changed.md" || echo "the page has nothing to change there"
		! "$0" "$tmp/changed.md" >"$tmp/changed.out" || echo "the check did not notice"
	} | result "a page with $1 is noticed"
}

# shellcheck disable=SC2016 # backquotes are the page's
negative_controls() {
	changed "a wrong value" 's/`PPIM_ST_NO_HINT` | 8 /`PPIM_ST_NO_HINT` | 9 /'
	changed "a register missing" '/`PPIM_REG_ALIGN` | 4/d'
	changed "a wrong access" 's/`PPIM_REG_CTRL` | 4 | RW/`PPIM_REG_CTRL` | 4 | RO/'
	changed "a wrong offset" 's/^| 16 | 4 | `gnr.n_jobs`/| 20 | 4 | `gnr.n_jobs`/'
	changed "a field missing" '/`create.vector`/d'
	changed "an unknown name" 's/`PPIM_OP_NOP`/`PPIM_OP_NOTHING`/'
	changed "a wrong size" 's/^### struct ppim_hw_job, 128/### struct ppim_hw_job, 120/'
}

[ -r "$spec" ] || { echo "Bail out! no $spec"; exit 1; }
check_page "$spec"
[ $# -gt 0 ] || negative_controls
echo "1..$tests"
[ $failures = 0 ]
