#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes inputs for QEMU's generic fuzzer that start the device and have it do
# each of its commands: from there the fuzzer goes on.
#
# usage: device-seeds.sh FOLDER
#
# An input is a list of operations with "FUZZ" between them (QEMU's
# tests/qtest/fuzz/generic_fuzz.c). What the device reads from guest memory is
# the next of the patterns that were added before.

set -euo pipefail
folder=${1:?usage: device-seeds.sh FOLDER}
mkdir -p "$folder"

# ---- bytes ----------------------------------------------------------------

# le BYTES VALUE...: little-endian
le() {
	local bytes=$1 value i
	shift
	for value in "$@"; do
		for ((i = 0; i < bytes; i++)); do
			printf '%b' "\\x$(printf %x $(((value >> (8 * i)) & 255)))"
		done
	done
}

zero() { head -c "$1" /dev/zero; }

# ---- the fuzzer's operations ----------------------------------------------

next() { printf FUZZ; }
# write SIZE OFFSET VALUE: to the registers, which are its first region;
# SIZE 2: four bytes, 3: eight
write() { le 1 3 "$1" 0; zero 2; le 4 "$2"; le 8 "$3"; next; }
# read SIZE OFFSET
read_register() { le 1 2 "$1" 0; zero 2; le 4 "$2"; next; }
# config SIZE OFFSET VALUE: SIZE 1: two bytes, 2: four
config() { le 1 5 "$1" 0 "$2" 0; le 4 "$3"; next; }
# pattern: standard input is what the next read of guest memory finds
pattern() { le 1 7 0 0; cat; next; }
forget() { le 1 8; next; }
step() { le 1 9; next; }

# ---- the device's structures (kernel/include/ppim_hw.h) -------------------

entry_head() { le 1 "$1" 0; le 2 "$2"; le 4 "$2"; }
nop() { entry_head 0x80 1; zero 56; }
# gnr JOBS ARCH
gnr() { entry_head 0x81 2; le 8 0x200000; le 4 "$1"; le 1 "$2"; zero 3; le 8 0x400000; zero 32; }
# copy OPCODE TIER SLICE SG-ENTRIES
copy() { entry_head "$1" 3; le 8 0x500000 4096; le 4 "$4" 0; le 1 "$2" 0; le 2 "$3"; le 4 0; le 8 0x10000; zero 16; }
create_queue() { entry_head 1 4; le 8 0x120000 0x130000; le 4 16; le 2 1 1; zero 32; }
delete_queue() { entry_head 2 5; le 2 1; zero 54; }
abort() { entry_head 3 6; le 2 1 2; le 4 2; zero 48; }
stats() { entry_head 4 7; le 8 0x600000; le 4 128; zero 44; }
# inject WHAT OFFSET
inject() { entry_head 5 8; le 4 "$1" 1; zero 4; le 4 0; le 8 "$2"; zero 32; }
# buffer ADDRESS BYTES [SG-ENTRIES]
buffer() { le 8 "$1" "$2"; le 4 "${3:-0}" 0; }
# job INDICES BAGS DIM FLAGS
job() {
	le 8 0x210000
	le 4 "$1" "$2"
	le 1 0 8 "$4" 0
	le 4 0
	le 8 0
	buffer 0x220000 $((8 * $1))
	buffer 0x230000 $((8 * $2))
	if (($4 & 1)); then buffer 0x240000 $((4 * $1)); else zero 24; fi
	buffer 0x250000 $((4 * $2 * $3))
}
# table ALGORITHM ROWS DIM COLLISIONS SUBTABLES; the subtables follow
table() {
	le 8 1
	le 4 1
	le 1 "$1" 0 0 0
	le 8 "$2"
	le 4 "$3" "$4"
	if [ "$1" = 2 ]; then le 4 4 4 4 2 2 4 4 4; else zero 32; fi
	le 4 "$5" 0 0 0
}
# subtable ROWS ROW-BYTES FLAGS EXTENTS
subtable() { le 8 "$1"; le 4 "$2" 128 "$3" "$4"; le 8 0x260000; zero 32; }
# extent SLICE ROWS
extent() { le 1 0 0; le 2 "$1"; le 4 0; le 8 $((0x1000 * (1 + $1))) "$2" 0; }

# ---- inputs ---------------------------------------------------------------

start() {
	write 2 0x1c 16
	write 3 0x20 0x100000
	write 3 0x28 0x110000
	write 2 0x10 1
}
# doorbell QUEUE TAIL
doorbell() { write 2 $((0x1000 + 8 * $1)) "$2"; }
with_queue() {
	start
	create_queue | pattern
	doorbell 0 1
	forget
}
finish() {
	step
	step
	write 2 0x100c 1
	read_register 2 0x14
}

registers() {
	local r
	for ((r = 0; r < 0xa8; r += 4)); do read_register 2 $r; done
	start
	write 2 0x10 0
}
nops() { with_queue; nop | pattern; doorbell 1 5; finish; }
dense() {
	with_queue
	gnr 1 0 | pattern
	job 8 2 16 0 | pattern
	{ table 0 64 16 0 1; subtable 64 64 0 2; zero 128; } | pattern
	{ extent 1 32; extent 2 32; } | pattern
	le 8 0 1 2 3 60 61 62 63 | pattern
	le 8 0 4 | pattern
	doorbell 1 1
	finish
}
weighted_qr() {
	with_queue
	gnr 1 7 | pattern
	job 8 2 16 1 | pattern
	{ table 1 100 16 4 2; subtable 25 64 0 1; subtable 4 64 5 2; zero 64; } | pattern
	extent 1 25 | pattern
	{ extent 1 4; extent 2 4; } | pattern
	le 8 0 1 2 3 60 61 62 99 | pattern
	le 8 0 4 | pattern
	le 4 0x3f800000 0x3f800000 0 0x40000000 1 2 3 4 | pattern
	doorbell 1 1
	finish
}
tensor_train() {
	with_queue
	gnr 1 8 | pattern
	job 4 2 16 0 | pattern
	{ table 2 60 16 0 3; subtable 4 32 5 1; subtable 4 128 0 1; subtable 4 64 5 1; } | pattern
	extent 1 4 | pattern
	extent 1 4 | pattern
	extent 1 4 | pattern
	le 8 0 1 2 59 | pattern
	le 8 0 2 | pattern
	doorbell 1 1
	finish
}
copies() {
	with_queue
	copy 0x82 0 1 0 | pattern
	printf 'sixteen bytes ..' | pattern
	copy 0x83 1 0 0 | pattern
	doorbell 1 1
	doorbell 1 2
	finish
}
scattered() {
	with_queue
	copy 0x82 0 1 4 | pattern
	{ le 8 0x501000; le 4 2000 0; le 8 0x504000; le 4 32 1; zero 32; } | pattern
	{ le 8 0x502000; le 4 96 0; le 8 0x503000; le 4 2000 0; } | pattern
	doorbell 1 1
	finish
}
admin() {
	with_queue
	local command
	for command in stats abort "inject 1 0x1000" "inject 3 0" "inject 6 0" delete_queue; do
		$command | pattern
	done
	doorbell 0 2
	doorbell 0 3
	doorbell 0 4
	doorbell 0 5
	doorbell 0 6
	doorbell 0 7
	finish
}
resets() {
	with_queue
	nop | pattern
	doorbell 1 3
	config 1 0x88 0x8000
	start
	config 1 0x04 2
	doorbell 0 1
	finish
}

for input in registers nops dense weighted_qr tensor_train copies scattered admin resets; do
	$input >"$folder/seed-$input"
done
