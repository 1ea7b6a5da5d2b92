/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the reset vector to 64-bit C: the processor starts in the last 16 bytes
 * of the image, goes to protected mode, copies the program to RAM (the image
 * is ROM), maps the first 4 GiB one to one and calls guest_main().
 *
 * After a system reset the same happens again: the program is copied anew,
 * GUEST_STATE (guest.h) is left as it was.
 */

#include "layout.h"

	.section .boot, "ax"
	.code32
start32:
	mov	$16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	cld
	mov	$GUEST_ROM, %esi
	mov	$GUEST_BASE, %edi
	mov	$(GUEST_IMAGE / 4), %ecx
	rep movsl
	xor	%eax, %eax
	mov	$(GUEST_ZERO / 4), %ecx
	rep stosl

	/* PML4 -> PDPT -> four page directories of 2 MiB pages */
	movl	$(GUEST_TABLES + 0x1000 + 3), GUEST_TABLES
	mov	$(GUEST_TABLES + 0x1000), %edi
	mov	$(GUEST_TABLES + 0x2000 + 3), %eax
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	1b
	mov	$(GUEST_TABLES + 0x2000), %edi
	mov	$0x83, %eax		/* present, writable, large */
	mov	$2048, %ecx
2:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	2b

	mov	$GUEST_TABLES, %eax
	mov	%eax, %cr3
	mov	$0x40620, %eax		/* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx	/* EFER: LME */
	mov	$0x100, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80000011, %eax	/* PG, ET, PE: no EM, no TS */
	mov	%eax, %cr0
	ljmp	$24, $start64_ram

	.align	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 8: code, 32 bit */
	.quad	0x00cf93000000ffff	/* 16: data */
	.quad	0x00af9b000000ffff	/* 24: code, 64 bit */
gdt_end:
gdt_ptr:
	.word	gdt_end - gdt - 1
	.long	gdt

	.code16
start16:
	cli
	lgdtl	%cs:(gdt_ptr - 0xffff0000)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$8, $start32

	.section .reset, "ax"
	.code16
	.byte	0xe9			/* jmp near, within the last 64 KiB */
	.word	start16 - (. + 2)
	.fill	16 - 3, 1, 0

	.section .text.first, "ax"
	.code64
	.globl	start64_ram
start64_ram:
	mov	$16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$GUEST_STACK, %rsp
	xor	%ecx, %ecx		/* XCR0: x87, SSE, AVX, for FMA */
	mov	$7, %eax
	xor	%edx, %edx
	xsetbv
	call	guest_main
3:	hlt
	jmp	3b

	/* An exception ends the test: what the handler has is its number. */
	.globl	exception_entries
exception_entries:
	.set	i, 0
	.rept	32
	.align	16
	.if	(i != 8) && (i < 10 || i > 14) && (i != 17)
	push	$0
	.endif
	push	$i
	jmp	exception_common
	.set	i, i + 1
	.endr
exception_common:
	pop	%rdi			/* number */
	pop	%rsi			/* error code */
	pop	%rdx			/* where */
	mov	%cr2, %rcx
	call	guest_exception		/* does not return */

	.section .note.GNU-stack, "", @progbits
