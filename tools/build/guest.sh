#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the guest's initramfs: busybox, the stock modules that the launcher's
# options need, ppim.ko, our tools and the libraries that they are linked to.
#
# usage: guest.sh BUILD SERIES PROGRAM...
#   BUILD/guest/initramfs.cpio   the result; the launcher appends what is new
#                                for each run

. "$(dirname "$0")/lib.sh"

build=${1:?usage: guest.sh BUILD SERIES PROGRAM...}
series=${2:?usage: guest.sh BUILD SERIES PROGRAM...}
shift 2
programs=("$@")

# Stock modules by name; what they depend on comes along. Linux 6.1 has not all.
stock_modules=(virtio_pci virtio_console 9p 9pnet_virtio cxl_acpi cxl_pci cxl_mem cxl_port device_dax kmem)
later_modules=(dax_cxl)

fetch_busybox() {
	local dir=$PPIM_CACHE/busybox tmp
	cache_lock busybox
	if [ ! -d "$dir" ]; then
		scratch tmp "$PPIM_CACHE"
		apt_unpack "$tmp" busybox-static/bookworm
		mv "$tmp" "$dir"
	fi
	busybox=$dir/bin/busybox
}

install_busybox() {
	local applet
	install -D "$busybox" "$root/bin/busybox"
	"$busybox" --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
}

# module_closure DIR NAME...: files in load order's set, by the kernel's own index.
module_closure() {
	local dir=$1 name
	shift
	for name in "$@" "${later_modules[@]}"; do
		modprobe --dirname "$dir" --set-version "$release" --show-depends "$name" 2>/dev/null ||
			[[ " ${later_modules[*]} " == *" $name "* ]] ||
			die "Linux $release has no module '$name'"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u
}

# The image's modules are compressed one by one; unpacking them here is
# cheaper than unpacking them in an emulated guest.
install_modules() {
	local stock dest file
	stock=$(readlink -f "$build/linux/$series/modules")
	release=$(basename "$stock")
	dest=$root/lib/modules/$release
	mkdir -p "$dest"
	module_closure "${stock%/lib/modules/*}" "${stock_modules[@]}" | while read -r file; do
		case $file in
		*.xz) xz -dc "$file" >"$dest/$(basename "$file" .xz)" ;;
		*) cp -L "$file" "$dest/" ;;
		esac
	done
	strip -g -o "$dest/ppim.ko" "$build/kernel/$series/ppim.ko"
	cp "$stock"/modules.{order,builtin,builtin.modinfo} "$dest/"
	depmod -b "$root" "$release"
}

libraries_of() {
	ldd "$@" | sed -nE 's#^[[:space:]]*([^ ]+ => )?(/[^ ]+) \(0x.*#\2#p' | sort -u
}

install_programs() {
	local file
	install -D --strip -t "$root/usr/bin" "${programs[@]}" "$(command -v bash)"
	LD_LIBRARY_PATH=$build/lib libraries_of "${programs[@]}" "$(command -v bash)" | while read -r file; do
		case $file in
		"$build"/lib/*) install -D "$file" "$root/usr/lib/$(basename "$file")" ;;
		*) install -D "$file" "$root/$file" ;;
		esac
	done
}

install_files() {
	install -D -m 755 "$top/tools/vm/init" "$root/init"
	mkdir -p "$root"/{dev,proc,sys,tmp,root,run,mnt/share,input,etc,usr/share/ppim,var/tmp}
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	cp -r "$top/qemu-device/configs" "$root/usr/share/ppim/"
}

pack() {
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . -mindepth 1 | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible) >"$build/guest/initramfs.new"
	mv "$build/guest/initramfs.new" "$build/guest/initramfs.cpio"
}

root=
scratch root "$build/guest"
fetch_busybox
install_busybox
install_modules
install_programs
install_files
pack
