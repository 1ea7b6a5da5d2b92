#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every shell script passes shellcheck.

. "$(dirname "$0")/../tap.sh"

cd "$top" || exit
while read -r script; do
	holds "shellcheck: $script" shellcheck "$script"
done < <(git ls-files -co --exclude-standard | while read -r f; do
	[ -f "$f" ] || continue
	case $f in
	*.sh) echo "$f" ;;
	*) head -c 64 "$f" | head -n 1 | grep -aqE '^#! ?/(usr/)?bin/(env )?(ba)?sh' && echo "$f" ;;
	esac
done)

done_testing
