/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a process must do for the recorder once, in a row: calls that its own thread makes, with one
 * stop at their end in place of two for each. Beside the stub in the target; it uses no stack, and
 * registers that setup.c gives and reads:
 *
 *	ebx  flags for memfd_create           ->  its result
 *	r12  page for trampolines, 0: none    ->  mmap's result
 *	                                          r13: mmap's of the arena
 *	                                          r14, rbp: madvise's, of the word and of the arena
 *
 * A call that fails is seen by its result; those after it then do no harm. The filter lets pass
 * what is made at setup_after. The last one it always stops; should nobody be there to be told, it
 * fails.
 */
#include <sys/syscall.h>

#include "tracer/arch/x86_64/setup.h"
#include "tracer/recorder/layout.h"

	.intel_syntax noprefix
	.hidden	__start_stub_code
	.section stub_code, "ax", @progbits

	.macro	BORDER name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.macro	CALL number
	mov	eax, \number
	lea	r15, [rip + 9f]
	jmp	.Lcall
9:
	.endm

	.balign 16
BORDER setup_entry
	lea	rdi, [rip + __start_stub_code + ALIVE_OFFSET]
	mov	esi, ALIVE_BYTES
	mov	edx, SETUP_MADV_WIPEONFORK
	CALL	SYS_madvise
	mov	r14, rax

	lea	rdi, [rip + .Lname]
	mov	esi, ebx
	CALL	SYS_memfd_create
	mov	rbx, rax

	/* Nothing is in it yet: the tracer gives it its size, and then looks for it here. */
	lea	rdi, [rip + __start_stub_code + ARENA_OFFSET]
	mov	esi, ARENA_FIRST_BYTES
	mov	edx, SETUP_PROT_RW
	mov	r10d, SETUP_MAP_SHARED
	mov	r8, rbx
	xor	r9d, r9d
	CALL	SYS_mmap
	mov	r13, rax

	lea	rdi, [rip + __start_stub_code + ARENA_OFFSET]
	mov	esi, ARENA_FIRST_BYTES
	mov	edx, SETUP_MADV_DONTFORK
	CALL	SYS_madvise
	mov	rbp, rax

	/* No core has it; should that fail, one is larger. */
	lea	rdi, [rip + __start_stub_code + ARENA_OFFSET]
	mov	esi, ARENA_FIRST_BYTES
	mov	edx, SETUP_MADV_DONTDUMP
	CALL	SYS_madvise

	test	r12, r12
	jz	1f
	mov	rdi, r12
	mov	esi, 4096
	mov	edx, SETUP_PROT_RX
	mov	r10d, SETUP_MAP_OWN
	mov	r8, -1
	xor	r9d, r9d
	CALL	SYS_mmap
	mov	r12, rax
1:
	xor	edi, edi
	xor	esi, esi
	xor	edx, edx
	mov	eax, SYS_execve
	syscall
BORDER setup_end
	ud2

.Lcall:
	syscall
BORDER setup_after
	jmp	r15

.Lname:
	.asciz	"iotrace"
	.section .note.GNU-stack, "", @progbits
