#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libppim's pages say what its header and its symbol map say: a page for every
# symbol and none for another, prototypes that the compiler accepts beside the
# header's, examples that compile, the same sections in the same order.

. "$(dirname "$0")/../tap.sh"

man3=$top/runtime/man3
order='NAME SYNOPSIS DESCRIPTION RETURN_VALUE ERRORS NOTES EXAMPLE SEE_ALSO'
needed='NAME SYNOPSIS DESCRIPTION RETURN_VALUE SEE_ALSO'

symbols() { sed -nE 's/^\t(ppim_[a-z0-9_]+);$/\1/p' "$top/runtime/libppim.map" | sort -u; }

# Pages with text, not the links of functions to them.
texts() { grep -L '^\.so ' "$man3"/*.3; }

# names PAGE: the functions that a page is about.
names() { sed -n '/^\.SH NAME/{n;s/ \\- .*//;s/, /\n/g;p;}' "$1"; }

sections() { sed -n 's/^\.SH //p' "$1" | tr ' ' _; }

# section PAGE NAME
section() { awk -v name="$2" '/^\.SH/ { on = $0 == ".SH " name; next } on' "$1"; }

# code: the lines between .EX and .EE, of the first such part or of all; roff's
# escapes undone.
code() {
	awk -v all="$1" '/^\.EX/ { on = 1; next } /^\.EE/ { on = 0; if (!all) exit } on' | sed 's/\\-/-/g; s/\\e/\\/g'
}

# The prototypes of a SYNOPSIS: what stands within quotes keeps its blanks.
prototypes() {
	section "$1" SYNOPSIS | sed -nE '/#include|\$\(/d; s/^\.B //p; s/^\.BI //p' | awk '
		!/"/ { print; next }
		{
			line = ""
			for (n = split($0, part, "\""); n > 0; n--) {
				if (n % 2)
					gsub(/ /, "", part[n])
				line = part[n] line
			}
			print line
		}'
}

# structs: a page's structures under another name, and a check of every field's
# place against the header's.
structs() {
	section "$1" SYNOPSIS | code all | sed 's#/\*.*\*/##' | awk '
		/^struct / { name = $2; sub(name " ", name "_page "); n = 0 }
		{ print }
		/^};/ {
			printf "_Static_assert(sizeof(struct %s_page) == sizeof(struct %s), \"size\");\n", name, name
			for (i = 0; i < n; i++)
				printf "_Static_assert(offsetof(struct %s_page, %s) == offsetof(struct %s, %s), \"%s\");\n",
					name, field[i], name, field[i], field[i]
		}
		/^ .*;/ {
			match($0, /[a-z_0-9]+(\[[^;]*)?(\)\([^;]*)?;/)
			field[n] = substr($0, RSTART, RLENGTH)
			sub(/[^a-z_0-9].*/, "", field[n++])
		}'
}

pages_of() { find "$man3" -name '*.3' -printf '%f\n' | sed 's/\.3$//' | sort; }

# Every function that a text names with "()", "(3)" or a "(" behind it.
named() { sed -E 's/\\f.//g; s/^\.BR ([a-z_]+) \((3)?\).*/\1(/' "$1" | grep -oE '\bppim_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u; }

# Our pages that a page refers to, as file names.
references() { sed -nE 's/^\.BR (ppim[a-z0-9_-]*) \(([13])\).*/\1.\2/p' "$1" | sort -u; }

is "every symbol has a page" "$(comm -23 <(symbols) <(pages_of))" ""
is "every page is a symbol's, or the overview" "$(comm -13 <(symbols) <(pages_of))" ppim

inline() { grep -ohE '\bppim_shape_[a-z_]+\(' "$top/kernel/include/uapi/linux/ppim_shape.h" | tr -d '(' | sort -u; }
for p in "$man3"/*.3; do
	name=$(basename "$p" .3)
	target=$(sed -n 's#^\.so man3/##p' "$p")
	if [ -n "$target" ]; then
		is "$name(3) leads to a page that describes it" "$(names "$man3/$target" | grep -cx "$name")" 1
		continue
	fi
	matches "$name(3) is about $name" "$(names "$p")" "^$name\$"
	is "$name(3) has the sections" "$(comm -13 <(sections "$p" | sort) <(tr ' ' '\n' <<<"$needed" | sort))" ""
	is "$name(3) has them in order" "$(sections "$p")" "$(tr ' ' '\n' <<<"$order" | grep -xFf <(sections "$p"))"
	is "$name(3) names no function that there is not" \
		"$(comm -23 <(named "$p") <({ symbols; inline; } | sort -u))" ""
	is "$name(3) refers to pages that there are" \
		"$(comm -23 <(references "$p") <(find "$man3" "$top/tools/man1" -type f -printf '%f\n' | sort))" ""
	is "$name(3): mandoc finds nothing" \
		"$(mandoc -T lint -W warning "$p" 2>&1 | grep -v 'missing date')" ""
	is "$name(3) is formatted without a warning" "$(groff -man -Tutf8 -ww -z "$p" 2>&1)" ""
done

# ---- what the compiler says -------------------------------------------------

compile() {
	holds "$1" "${CC:-gcc}" -std=gnu11 -Wall -Wextra -Werror -Wno-unused -fsyntax-only \
		-I"$top/runtime/include" -I"$tmp/include" -I"$top/kernel/include/uapi" "$2"
}
mkdir -p "$tmp/include"
ln -s "$top/runtime/plan" "$tmp/include/ppim"

headers='#include <ppim.h>
#include <ppim/plan.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>'

{
	echo "$headers"
	echo '#include <stddef.h>'
	while read -r p; do prototypes "$p"; done < <(texts)
	while read -r p; do structs "$p"; done < <(texts)
} >"$tmp/prototypes.c"
compile "prototypes and structures agree with the header" "$tmp/prototypes.c"
while read -r p; do prototypes "$p"; done < <(texts) | grep -oE '\bppim_[a-z0-9_]+\(' | tr -d '(' | sort >"$tmp/declared"
is "every function's prototype stands on one page" "$(cat "$tmp/declared")" "$(symbols)"

# What examples take for granted.
given='	struct ppim_dev *dev;
	struct ppim_tbl *tbl, *users, *items;
	struct ppim_ctx *ctx;
	struct ppim_info info;
	struct ppim_plan *plan;
	struct ppim_plan_profile *profile;
	struct ppim_plan_geometry geo;
	struct ppim_plan_alloc *alloc;
	struct ppim_ioc_result result;
	uint64_t offset;
	uint32_t s;
	int64_t n_indices;
	int ret, i, n;'
arrays='static struct ppim_shape shape;
static struct ppim_bags bags;
static struct ppim_gnr gnr, batches[16];
static int64_t indices[4], offsets[4], u_idx[320], i_idx[320];
static float q_rows[250 * 32], r_rows[4 * 32], values[32], u_weights[320], u_out[4 * 32], i_out[4 * 32];'
while read -r p; do
	section "$p" EXAMPLE | code "" >"$tmp/example"
	[ -s "$tmp/example" ] || continue
	name=$(basename "$p" .3)
	{
		printf '%s\n%s\nvoid example(void)\n{\n%s\n{\n' "$headers" "$arrays" "$given"
		cat "$tmp/example"
		printf '}\n}\n'
	} >"$tmp/example.c"
	compile "$name(3)'s example compiles" "$tmp/example.c"
done < <(texts)

done_testing
