/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the random guest keeps what. Descriptors with a wrong address can make
 * the device write anywhere in RAM: the program stands where no bit flip of an
 * arena's address, and no output behind it, can reach.
 */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define GUEST_RAM	0x20000000	/* -m 512M */
#define GUEST_ARENA	0x02000000	/* what the device is told to read, write */
#define GUEST_ARENA_BYTES 0x01000000
#define GUEST_CLEAN	0x0d000000	/* rings and tables of clean batches */
#define GUEST_CLEAN_BYTES 0x00400000

/* No address that the device is ever given leads here, however far it reads
 * or writes from there. */
#define GUEST_UNTOLD	0x18000000
#define GUEST_UNTOLD_BYTES 0x01000000

#define GUEST_BASE	0x1f000000	/* the program */
#define GUEST_IMAGE	0x0001e000	/* of it in ROM */
#define GUEST_ZERO	0x00040000	/* zeroed behind it */
#define GUEST_STACK	0x1f1f0000
#define GUEST_TABLES	0x1f200000	/* page tables, 6 pages */
#define GUEST_STATE	0x1f300000	/* outlives system resets */
#define GUEST_IOMMU	0x1f400000	/* tables of DMA remapping */

#define GUEST_ROM	0xfffe0000	/* 128 KiB */

/* Where the BARs go: all below 4 GiB, so that one map serves. */
#define GUEST_ECAM	0xb0000000
#define GUEST_HBM	0xc0000000
#define GUEST_DIMM	0xc8000000
#define GUEST_REGS	0xe0000000
#define GUEST_MSIX	0xe0010000

#endif
