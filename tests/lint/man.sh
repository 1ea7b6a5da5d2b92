#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A tool's manual page names every long option that its --help names, and no
# other.

. "$(dirname "$0")/../tap.sh"

man1=$top/tools/man1

# Long options at the beginning of --help's lines, as both argp and ppim-vm
# print them.
help_options() {
	"$@" --help | grep -oE '^ +(-[a-zA-Z?], )?--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z0-9-]+' | sort -u
}

# Options that the page's OPTIONS show in bold; "\-" is roff's hyphen.
page_options() {
	awk '/^\.SH/ { on = /OPTIONS/ } on' "$man1/$1.1" | sed 's/\\-/-/g' | grep -E '^\.(B|BI|BR|TP)\b' | grep -oE -- '(^|[ "])--[a-z][a-z0-9-]*' |
		grep -oE -- '--[a-z0-9-]+' | sort -u
}

# page NAME COMMAND...: one command a word of COMMAND, blanks in it by "_".
page() {
	local name=$1 command words
	shift
	for command in "$@"; do
		read -ra words <<<"${command//_/ }"
		help_options "${words[@]}"
	done | sort -u >"$tmp/help"
	page_options "$name" >"$tmp/page"
	holds "$name --help names options" test -s "$tmp/help"
	is "every option of $name --help is in $name(1)" "$(comm -23 "$tmp/help" "$tmp/page")" ""
	is "every option in $name(1) is in $name --help" "$(comm -13 "$tmp/help" "$tmp/page")" ""
}

page ppim-bench ppim-bench
page ppimctl ppimctl ppimctl_explain
page ppim-sim ppim-sim_gnr ppim-sim_dram ppim-sim_pim
page ppim-vm ppim-vm

for p in "$man1"/*.1; do
	name=$(basename "$p" .1)
	is "$name(1) says what the exit status means" "$(grep -c '^.SH EXIT STATUS' "$p")" 1
	is "$name(1) is formatted without a warning" "$(groff -man -Tutf8 -ww -z "$p" 2>&1)" ""
	is "$name(1): mandoc finds nothing" "$(mandoc -T lint -W warning "$p" 2>&1 | grep -v 'missing date')" ""
done

done_testing
