#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are missing, and nothing when none is.
#
# usage: deps.sh config|tools|build|check|device

. "$(dirname "$0")/lib.sh"

# Each set holds the ones before it.
config=(kconfig-frontends)
tools=(gcc libc6-dev make pkg-config zlib1g-dev libinih-dev libjansson-dev libnuma-dev
	liburing-dev)
# QEMU; Linux's packages and the module (dwarves: BTF, kmod: depmod); the guest.
build=(debian-archive-keyring dpkg-dev ninja-build python3 python3-venv flex bison
	libglib2.0-dev libattr1-dev xz-utils zstd gcc-12 dwarves kmod cpio)
# groff-base, mandoc: the pages; g++: the headers in C++.
check=(libcmocka-dev shellcheck sparse groff-base mandoc g++ jq time)
# QEMU with sanitizers and the fuzzer; llvm: readable stacks.
device=(clang libclang-rt-dev llvm)

wanted=("${config[@]}")
case ${1:-} in
config) ;;
tools) wanted+=("${tools[@]}") ;;
build) wanted+=("${tools[@]}" "${build[@]}") ;;
check) wanted+=("${tools[@]}" "${build[@]}" "${check[@]}") ;;
device) wanted+=("${tools[@]}" "${build[@]}" "${check[@]}" "${device[@]}") ;;
*) die "usage: deps.sh config|tools|build|check|device" ;;
esac

missing() {
	local p
	for p in "${wanted[@]}"; do
		dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || echo "$p"
	done
	# Older than Debian 13, the keyring cannot check Debian 13's archive.
	compgen -G '/usr/share/keyrings/debian-archive-trixie-*' >/dev/null || echo debian-archive-keyring
}

mapfile -t packages < <(missing | sort -u)
[ ${#packages[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || die "missing packages, and neither root nor sudo to install them: ${packages[*]}"
	as_root=(sudo)
fi
cache_init
say "installing missing packages: ${packages[*]}"
run_logged "$PPIM_CACHE/deps-update.log" "${as_root[@]}" apt-get -q update
run_logged "$PPIM_CACHE/deps.log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -q install -y --no-install-recommends "${packages[@]}"
