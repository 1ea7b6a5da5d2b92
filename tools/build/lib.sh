# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the build scripts share: messages, the cache outside the tree, a lock,
# and a package index of our own that leaves the user's apt alone.
# shellcheck disable=SC2034 # variables for the scripts that source this

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PPIM_CACHE=${PPIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ppim}
jobs=${PPIM_JOBS:-$(nproc)}

say() { printf 'ppim: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# scratch VARIABLE PARENT: VARIABLE names a new folder below PARENT that is gone
# when the script ends, however it ends (unless it was renamed by then).
scratch_folders=()
trap 'rm -rf "${scratch_folders[@]}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
scratch() {
	local -n folder=$1
	mkdir -p "$2"
	folder=$(mktemp -d "$2/tmp.XXXXXX")
	chmod 755 "$folder"
	scratch_folders+=("$folder")
}

cache_init() {
	mkdir -p "$PPIM_CACHE" 2>/dev/null ||
		die "cannot create the cache '$PPIM_CACHE' (set PPIM_CACHE to a folder that can be written)"
	PPIM_CACHE=$(cd "$PPIM_CACHE" && pwd)
}

# cache_lock NAME: held until the script ends. Two makes, in one checkout or
# in two, wait for each other instead of writing over each other.
cache_lock() {
	cache_init
	exec 9>"$PPIM_CACHE/$1.lock"
	flock --nonblock 9 && return
	say "waiting for another build that holds $PPIM_CACHE/$1.lock"
	flock 9
}

# run_logged LOG COMMAND...: quiet when all is well, the log's end when not.
run_logged() {
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 25 "$log" >&2
		die "failed: $* (all of its output: $log)"
	fi
}

# The archive is the one that the user's own apt uses, whatever its name:
# the address that serves SUITE there.
apt_uri_of() {
	# shellcheck disable=SC2016 # sed's own quotes
	apt-get update --print-uris | sed -n "s#^'\(.*\)/dists/$1/InRelease' .*#\1#p" | head -n 1
}

apt_first_uri() {
	local suite uri
	for suite in "$@"; do
		uri=$(apt_uri_of "$suite")
		[ -z "$uri" ] || { printf '%s\n' "$uri"; return; }
	done
}

apt_write_sources() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg main security
	[ -r "$key" ] || die "no $key (package debian-archive-keyring)"
	main=$(apt_first_uri bookworm trixie stable)
	security=$(apt_first_uri bookworm-security trixie-security stable-security)
	[ -n "$main" ] || die "apt's sources name no Debian archive (bookworm or trixie): nothing to fetch from"
	{
		echo "deb [signed-by=$key] $main bookworm main"
		echo "deb [signed-by=$key] $main trixie main"
		echo "deb-src [signed-by=$key] $main trixie main"
		[ -z "$security" ] || echo "deb [signed-by=$key] $security bookworm-security main"
	} >"$PPIM_CACHE/apt/sources.list"
}

apt_options() {
	local apt=$PPIM_CACHE/apt
	printf '%s\n' -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o "Dir::State::Lists=$apt/lists" \
		-o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root
}

papt() {
	local options
	mapfile -t options < <(apt_options)
	apt-get -q "${options[@]}" "$@"
}

papt_cache() {
	local options
	mapfile -t options < <(apt_options)
	apt-cache "${options[@]}" "$@"
}

# apt_index: fresh lists once per script, only when something is to be fetched.
apt_index() {
	[ -z "${apt_index_done:-}" ] || return 0
	mkdir -p "$PPIM_CACHE/apt/lists/partial" "$PPIM_CACHE/apt/cache/archives/partial"
	exec 8>"$PPIM_CACHE/apt/lock"
	flock 8
	apt_write_sources
	run_logged "$PPIM_CACHE/apt/update.log" papt update
	exec 8>&-
	apt_index_done=1
}

# apt_unpack DIR PACKAGE[=VERSION]...: signed packages, unpacked, not installed.
apt_unpack() {
	local dir=$1 tmp deb
	shift
	apt_index
	scratch tmp "$PPIM_CACHE"
	(cd "$tmp" && run_logged "$PPIM_CACHE/apt/download.log" papt download "$@")
	mkdir -p "$dir"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
}
