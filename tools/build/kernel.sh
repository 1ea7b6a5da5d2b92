#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's kernel packages, unpacked into the cache and linked below OUT:
# nothing is installed on the host.
#
# usage: kernel.sh OUT SERIES [image|headers|source]
#   OUT/SERIES/build      what an out-of-tree module build takes as KDIR
#   OUT/SERIES/vmlinux    the kernel that boots        (image)
#   OUT/SERIES/modules    its modules                  (image)
#   OUT/SERIES/source     kselftest harness, checkpatch (source)

. "$(dirname "$0")/lib.sh"

out=${1:?usage: kernel.sh OUT SERIES [image|headers|source]}
series=${2:?usage: kernel.sh OUT SERIES [image|headers|source]}
part=${3:-headers}

# The newest Debian 12 kernel of the series: 6.1.0-NN or 6.12.NNN+deb12.
newest_release() {
	local re="${series//./\\.}\\.[0-9]+(\\+deb12|-[0-9]+)"
	apt_index
	papt_cache pkgnames linux-headers- |
		sed -nE "s/^linux-headers-($re)-amd64\$/\\1/p" | sort -V | tail -n 1
}

# The headers' makefiles name /usr/src and /usr/lib; here they live elsewhere.
relocate_headers() {
	local root=$1 final=$2 f
	grep -rlE '/usr/(src|lib)/linux-' --include=Makefile --include=.kernelvariables \
		"$root"/usr/src | while read -r f; do
		sed -i -E "s#(^|[^[:alnum:]])/usr/(src|lib)/linux-#\\1$final/usr/\\2/linux-#g" "$f"
	done
}

fetch_headers() {
	local dir=$1 r=$2
	apt_index
	apt_unpack "$dir" "linux-headers-$r-amd64" "linux-headers-$r-common" \
		"$(papt_cache depends "linux-headers-$r-amd64" | sed -n 's/.*Depends: \(linux-kbuild-.*\)/\1/p')"
	relocate_headers "$dir" "$base/headers"
}

fetch_image() {
	apt_unpack "$1" "linux-image-$2-amd64"
	depmod -b "$1" "$2-amd64"
}

# number FILE OFFSET BYTES: little-endian.
number() { od -An -v -tu"$3" -j "$2" -N "$3" --endian=little "$1" | tr -d ' '; }

# The kernel as an ELF file, which QEMU starts by its PVH entry: under emulation
# a guest takes long to unpack itself. Where the payload is says the header
# (Documentation/arch/x86/boot.rst); four bytes behind it are its length.
fetch_vmlinux() {
	local image=$base/image/boot/vmlinuz-$2-amd64 at length unpack
	at=$((($(number "$image" 497 1) + 1) * 512 + $(number "$image" 584 4)))
	length=$(($(number "$image" 588 4) - 4))
	case $(od -An -tx1 -j "$at" -N 4 "$image" | tr -d ' ') in
	28b52ffd) unpack=zstd ;;
	fd377a58) unpack=xz ;;
	1f8b*) unpack=gzip ;;
	*) die "$image: unknown compression" ;;
	esac
	dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$at" count="$length" status=none |
		$unpack -dc >"$1/vmlinux"
}

# Only what the tests use; the whole source would be 1.5 GB.
fetch_source() {
	local dir=$1 deb
	scratch deb "$PPIM_CACHE"
	apt_unpack "$deb" "linux-source-$series/bookworm-security"
	mkdir -p "$dir"
	tar -C "$dir" -xJf "$deb/usr/src/linux-source-$series.tar.xz" --strip-components=1 \
		--wildcards --no-wildcards-match-slash \
		'*/tools/testing/selftests/*.h' '*/tools/testing/selftests/lib.mk' \
		'*/tools/testing/selftests/kselftest' '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' \
		'*/Documentation/dev-tools/checkpatch.rst'
}

# cached NAME RELEASE: fills $base/NAME once, atomically.
cached() {
	local tmp
	[ -d "$base/$1" ] && return
	say "fetching Linux $2: $1"
	scratch tmp "$PPIM_CACHE"
	"fetch_$1" "$tmp" "$2"
	mv "$tmp" "$base/$1"
}

# A release that the cache has is kept (its image and its headers belong
# together); the index is asked only when there is none.
cache_lock kernel
mkdir -p "$PPIM_CACHE/kernel"
base=$(find "$PPIM_CACHE/kernel" -maxdepth 1 -type d -name "$series.*" | sort -V | tail -n 1)
if [ -z "$base" ]; then
	release=$(newest_release)
	[ -n "$release" ] || die "the archive has no Linux $series for Debian 12"
	base=$PPIM_CACHE/kernel/$release
	mkdir "$base"
fi
release=$(basename "$base")

mkdir -p "$out/$series"
case $part in
image)
	cached image "$release"
	cached vmlinux "$release"
	ln -sfn "$base/vmlinux/vmlinux" "$out/$series/vmlinux"
	ln -sfn "$base/image/lib/modules/$release-amd64" "$out/$series/modules"
	;&
headers)
	cached headers "$release"
	ln -sfn "$base/headers/usr/src/linux-headers-$release-amd64" "$out/$series/build"
	;;
source)
	cached source "$release"
	ln -sfn "$base/source" "$out/$series/source"
	;;
*) die "unknown part '$part' (image, headers or source)" ;;
esac
