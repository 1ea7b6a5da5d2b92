#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The DRAM model's page says what the source says: specifications, keys, energy
# classes, figures.

# shellcheck disable=SC2016 # the backquotes are the page's own

. "$(dirname "$0")/../tap.sh"

page=$top/qemu-device/docs/engine-dram.md
engine=$top/qemu-device/engine

# quoted N HEADING: what stands in backquotes in cells N of the table whose
# first heading that is.
quoted() {
	awk -v want="$2" -v n="$1" -F' *[|] *' '
		!/^\|/ { inside = 0; next }
		!inside { inside = 1; on = $2 == want; next }
		on && !/^\|-/ { print $(n + 1) }' "$page" | grep -oE '`[^`]+`' | tr -d '`'
}

is "shipped specifications are listed" "$(quoted 1 name | sort)" \
	"$(find "$top/qemu-device/configs" -name '*.ini' -printf '%f\n' | sed 's/\.ini$//' | sort)"

while read -r key; do
	holds "key $key is read" grep -q "\"$key\"" "$engine/spec_ini.c"
done < <(quoted 2 section | sed 's/ =.*//')

is "classes of energy" "$(quoted 1 class | sort)" \
	"$(sed -nE 's/.*= \{ "([a-z_]+)", (I|$).*/\1/p' "$engine/energy.c" | sort)"

# The table of clocks, as lines of the data file without requests.
page_cycles() {
	awk -F' *[|] *' '
		/^\| stream \|/ { for (i = 3; i <= 10; i++) head[i] = $i; on = 1; next }
		!/^\|/ { on = 0 }
		on && !/^\|-/ { for (i = 3; i <= 10; i++) if ($i != "-") print head[i], $2, $i }' "$page" |
		sed -E 's/^HBM2 (\S+) (\S+) (\S+)/HBM2_4Gb_x128 \3 \1 \2/; s/^DDR4 (\S+) (\S+) (\S+)/DDR4_8Gb_x8_3200 \3 \1 \2/'
}

is "clocks are those that are tested" "$(page_cycles | sort)" \
	"$(grep -v '^#' "$top/tests/cli/dramsim3-cycles.txt" | awk '{ print $1, $2, $3, $4, $6 }' | sort)"
is "and as many as it says" "$(grep -oE '[0-9]+ runs; ' "$page")" "$(page_cycles | wc -l) runs; "

done_testing
