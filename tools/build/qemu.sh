#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds QEMU with the ppim device and puts the result below OUT.
#
# usage: qemu.sh OUT [release|asan|tsan]
#   QEMU_SERIES  upstream series taken from the archive (default 10.0)
#   QEMU_SRC     any other QEMU tree; it is read, never written
#
# Where things are, and why: compiled objects know absolute paths, so a tree
# that is built once and serves every checkout has to stay in one place. The
# cache therefore holds one work tree per QEMU source and its object folders,
# one per variant. A checkout lays its overlay into the work tree (files are
# copied only when their content differs), lets ninja build what follows from
# the difference, and takes a copy of the programs. All of that happens under
# one lock, so checkouts that share the cache take turns and each gets exactly
# its own device.

. "$(dirname "$0")/lib.sh"

out=${1:?usage: qemu.sh OUT [release|asan|tsan]}
variant=${2:-release}
series=${QEMU_SERIES:-10.0}

# Objects of another compiler or another glib are not reused.
config_key() {
	{
		printf '%s\n' "${configure_args[@]}"
		gcc -dumpfullversion
		[ "$variant" = release ] || clang -dumpversion
		pkg-config --modversion glib-2.0
	} | sha256sum | cut -c1-12
}

# Sets `base` (the work tree's folder) and `pristine` (the source).
locate_source() {
	mkdir -p "$PPIM_CACHE/qemu"
	if [ -n "${QEMU_SRC:-}" ]; then
		[ -x "$QEMU_SRC/configure" ] || die "QEMU_SRC='$QEMU_SRC' is not a QEMU source tree"
		pristine=$(cd "$QEMU_SRC" && pwd)
		base=$PPIM_CACHE/qemu/src-$(printf '%s' "$pristine" | sha256sum | cut -c1-12)
		mkdir -p "$base"
		return
	fi
	base=$(find "$PPIM_CACHE/qemu" -maxdepth 1 -type d -name "$series.*" | sort -V | tail -n 1)
	[ -n "$base" ] || fetch_source
	pristine=$base/src
}

fetch_source() {
	local version upstream tmp
	apt_index
	version=$(papt source --print-uris qemu 2>/dev/null |
		sed -n 's/.* qemu_\([^ ]*\)\.dsc .*/\1/p' | head -n 1)
	upstream=${version%%[+-]*}
	case $upstream in
	"$series".*) ;;
	*) die "the archive offers QEMU '$version', wanted is $series.x (QEMU_SRC= takes another tree)" ;;
	esac
	say "fetching the source of QEMU $upstream"
	scratch tmp "$PPIM_CACHE"
	(cd "$tmp" && run_logged "$PPIM_CACHE/apt/source.log" papt source --download-only qemu)
	# apt has checked the archive's signature and with it the .dsc's digest;
	# the maintainer's own key on top is not in Debian 12's keyrings.
	(cd "$tmp" && run_logged "$PPIM_CACHE/apt/unpack.log" \
		dpkg-source --no-check -x ./*.dsc src && rm -f qemu_*)
	base=$PPIM_CACHE/qemu/$upstream
	mv "$tmp" "$base"
}

# Debian 12's meson is too old for QEMU 10; the newer one is plain Python.
meson_path() {
	local dir=$PPIM_CACHE/meson tmp
	if [ ! -d "$dir" ]; then
		scratch tmp "$PPIM_CACHE"
		apt_unpack "$tmp" meson/trixie
		mv "$tmp" "$dir"
	fi
	export PYTHONPATH=$dir/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
}

# Firmware of QEMU's own series: what the guest executes first is the same on
# every host.
firmware() {
	local dir=$PPIM_CACHE/firmware tmp
	[ -d "$dir" ] && return
	scratch tmp "$PPIM_CACHE"
	apt_unpack "$tmp" seabios/trixie qemu-system-data/trixie
	mv "$tmp" "$dir"
}

# The work tree: links to the source's files, which stay as they are; hooked
# files become copies of their own. Another's tree may have got new files.
work_tree() {
	if [ -n "${QEMU_SRC:-}" ] || [ ! -e "$base/tree.complete" ]; then
		say "laying out the work tree $base/tree"
		mkdir -p "$base/tree"
		cp -as --no-clobber "$pristine"/* "$base/tree/"
		: >"$base/tree.complete"
	fi
	"$top/qemu-device/overlay/apply.sh" "$pristine" "$base/tree"
}

configure_arguments() {
	# Clang's for the fuzzer's sake; stacks by frame pointers, which cost least.
	# Fortified calls are not what sanitizers intercept: ThreadSanitizer loses
	# the stack at each longjmp().
	local sanitized=(--cc=clang --enable-debug-info --extra-cflags=-fno-omit-frame-pointer
		--extra-cflags=-D_FORTIFY_SOURCE=0
		"--extra-cflags=-fsanitize-ignorelist=$base/tree/hw/misc/ppim/uninstrumented.txt")

	configure_args=(--python=/usr/bin/python3 --target-list=x86_64-softmmu
		--without-default-features --enable-tcg --enable-kvm --enable-virtfs
		--enable-attr --enable-avx2 --disable-docs --disable-tools --disable-download
		--disable-install-blobs)
	case $variant in
	release) configure_args+=(--disable-debug-info) ;;
	asan) configure_args+=("${sanitized[@]}" --enable-asan --enable-ubsan --enable-fuzzing) ;;
	tsan) configure_args+=("${sanitized[@]}" --enable-tsan) ;;
	*) die "unknown QEMU variant '$variant' (release, asan or tsan)" ;;
	esac
}

configure_once() {
	obj=$base/obj-$variant-$(config_key)
	[ -f "$obj/build.ninja" ] && return
	say "configuring QEMU ($variant)"
	rm -rf "$obj"
	mkdir -p "$obj"
	(cd "$obj" && run_logged "$base/configure-$variant.log" "$base/tree/configure" "${configure_args[@]}")
}

# The tests' side of qtest is the release's for all of them.
programs=(qemu-system-x86_64)
case $variant in
release) programs+=(tests/qtest/qos-test) ;;
asan) programs+=(qemu-fuzz-x86_64) ;;
esac

compile() {
	[ -f "$obj/qemu-system-x86_64" ] ||
		say "compiling QEMU ($variant): about 4 minutes on 2 cores, once; later only what changes"
	run_logged "$base/ninja-$variant.log" ninja -C "$obj" -j "$jobs" "${programs[@]}"
}

install_file() {
	cmp -s "$1" "$2" && { touch "$2"; return; }
	cp "$1" "$2.new" && mv "$2.new" "$2"
}

publish() {
	local p f
	mkdir -p "$out/firmware"
	for p in "${programs[@]}"; do
		install_file "$obj/$p" "$out/$(basename "$p")"
	done
	for f in bios-256k.bin pvh.bin kvmvapic.bin; do
		install_file "$(find -L "$PPIM_CACHE/firmware" -name "$f" -print -quit)" "$out/firmware/$f"
	done
}

cache_lock qemu
meson_path
firmware
locate_source
work_tree
configure_arguments
configure_once
compile
publish
