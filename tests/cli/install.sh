#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make install` as a user of libppim meets it: pkg-config's flags compile and
# link a program, in C and in C++, against the shared and the static library;
# nothing but the interface is exported; `make uninstall` leaves nothing.

. "$(dirname "$0")/../tap.sh"

dest=$tmp/dest
prefix=/opt/ppim
root=$dest$prefix

in_tree() { env -u MAKEFLAGS -u MAKELEVEL make -s -C "$top" "$@" O="$build" DESTDIR="$dest" PREFIX=$prefix; }
symbols() { sed -nE 's/^\t(ppim_[a-z0-9_]+);$/\1/p' "$top/runtime/libppim.map" | sort -u; }

holds "make install" in_tree install
for f in bin/ppimctl bin/ppim-bench bin/ppim-sim lib/libppim.so lib/libppim.a include/ppim.h include/ppim/plan.h \
	include/linux/ppim.h share/man/man1/ppimctl.1 share/man/man3/ppim_gnr.3 share/doc/ppim/gnr.c; do
	holds "$f is installed" test -s "$root/$f"
done
is "modes are for everybody" "$(find "$dest" -type f ! -perm -444)" ""

export PKG_CONFIG_PATH=$root/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest
is "pkg-config's version is the library's" "$(pkg-config --modversion ppim)" \
	"$(sed -n 's/^VERSION := //p' "$top/runtime/Makefile")"
read -ra cflags <<<"$(pkg-config --cflags ppim)"
read -ra libs <<<"$(pkg-config --libs ppim)"
read -ra static_libs <<<"$(pkg-config --static --libs ppim)"

# ---- a program ---------------------------------------------------------------

example=$root/share/doc/ppim/gnr.c
strict=(-Wall -Wextra -Werror -pedantic)
expected='rows 4 + 8: 12, row 996: 996'

# answers NAME PROGRAM
answers() {
	LD_LIBRARY_PATH=$root/lib run "$2" cpu:
	is "$1" "$status $err $(head -n 1 <<<"$out")" "0  $expected"
}

holds "the example compiles" "${CC:-cc}" "$example" -o "$tmp/shared" "${cflags[@]}" "${libs[@]}"
answers "and runs with the shared library" "$tmp/shared"
holds "it needs libppim.so.0" sh -c "readelf -d '$tmp/shared' | grep -q 'NEEDED.*libppim.so.0'"
holds "and so under -std=c11 -pedantic" "${CC:-cc}" -std=c11 "${strict[@]}" "$example" -o "$tmp/c11" "${cflags[@]}" "${libs[@]}"

mkdir "$tmp/static"
ln -s "$root/lib/libppim.a" "$tmp/static"
holds "and with the static library alone" "${CC:-cc}" "$example" -o "$tmp/archive" "${cflags[@]}" -L"$tmp/static" \
	"${static_libs[@]/-L*/-L$tmp/static}"
LD_LIBRARY_PATH='' run "$tmp/archive" cpu:
is "which runs by itself" "$status $(head -n 1 <<<"$out")" "0 $expected"

cat >"$tmp/both.cc" <<'END'
#include <ppim.h>
#include <ppim/plan.h>
#include <cstdio>

int main()
{
	struct ppim_shape shape = {};
	struct ppim_dev *dev = nullptr;
	struct ppim_tbl *tbl = nullptr;
	struct ppim_plan *plan = nullptr;

	shape.rows = 10;
	shape.dim = 4;
	if (ppim_open(PPIM_DEV_CPU, &dev) || ppim_table_create(dev, &shape, "t", &tbl) ||
	    ppim_place_auto(dev, &tbl, 1, nullptr, nullptr, &plan, nullptr))
		return 1;
	std::printf("%u %llu\n", ppim_plan_tables(plan),
		    static_cast<unsigned long long>(ppim_shape_row_bytes(&shape, PPIM_SUB_W)));
	ppim_plan_free(plan);
	ppim_close(dev);
	return 0;
}
END
for std in c++11 c++20; do
	holds "the headers are C++'s too ($std)" "${CXX:-g++}" -std=$std "${strict[@]}" "$tmp/both.cc" -o "$tmp/cc" \
		"${cflags[@]}" "${libs[@]}"
done
LD_LIBRARY_PATH=$root/lib run "$tmp/cc"
is "and a program in C++ runs" "$status $out" "0 1 16"
for h in ppim.h ppim/plan.h linux/ppim.h linux/ppim_defs.h linux/ppim_shape.h; do
	echo "#include <$h>" >"$tmp/alone.c"
	holds "<$h> stands alone" "${CC:-cc}" -std=c11 "${strict[@]}" -fsyntax-only "${cflags[@]}" "$tmp/alone.c"
done

# ---- the lines that README and header show --------------------------------------

given='#include <ppim.h>
void ten_lines(struct ppim_dev *dev, struct ppim_tbl *users, const void *q_rows, const void *r_rows, const int64_t *idx,
	       const int64_t *off, uint32_t n, uint32_t b, float *out);
void ten_lines(struct ppim_dev *dev, struct ppim_tbl *users, const void *q_rows, const void *r_rows, const int64_t *idx,
	       const int64_t *off, uint32_t n, uint32_t b, float *out)
{
	struct ppim_ioc_result result;'
lines_of_readme() { awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md"; }
lines_of_header() { sed -n '/Ten lines of use:/,/\*\//{s/^ \*\t//p}' "$root/include/ppim.h"; }
for where in readme header; do
	{ echo "$given"; "lines_of_$where"; echo '}'; } >"$tmp/$where.c"
	matches "the $where's lines run a batch" "$(cat "$tmp/$where.c")" 'ppim_gnr\(dev'
	holds "they compile" "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -fsyntax-only "${cflags[@]}" "$tmp/$where.c"
done

# ---- symbols ----------------------------------------------------------------------

is "the shared library exports the map's symbols and no other" \
	"$(nm -D --defined-only "$root/lib/libppim.so" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort)" "$(symbols)"
is "so does the static one" "$(nm -g --defined-only "$root/lib/libppim.a" | awk 'NF == 3 { print $3 }' | sort)" "$(symbols)"
is "the header declares them all, and no other" \
	"$(cat "$root/include/ppim.h" "$root/include/ppim/plan.h" | "${CC:-cc}" -fpreprocessed -E -P - | grep -oE '\bppim_[a-z0-9_]+\(' | tr -d '(' | sort -u)" \
	"$(symbols)"
is "every symbol has the version of its release" \
	"$(nm -D --defined-only "$root/lib/libppim.so" | grep -c '@@PPIM_0')" "$(symbols | wc -l)"

# ---- uninstall -----------------------------------------------------------------------

touch "$root/lib/other.so"
holds "make uninstall" in_tree uninstall
is "leaves what is others', and nothing else" "$(cd "$root" && find . -type f -o -type l -o -name '*ppim*')" ./lib/other.so
holds "and may be repeated" in_tree uninstall

done_testing
