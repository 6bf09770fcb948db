/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The stub: makes the target's call in its place and records it. It is copied to REGION_ADDR, runs
 * in the target's threads on the target's registers, and uses none of the target's stack.
 *
 * A trampoline comes here with rcx = the site's descriptor, everything else as at the call. A call
 * instruction destroys rcx and r11, so these are free; rax and rdx are put back, the flags too. gs
 * points to the thread's block; where it does not, the call is left to a stop ("pass"): the
 * descriptor holds a call instruction that our filter stops.
 *
 * The labels are borders that stub.c knows: a thread that a signal reaches in between is put back
 * to where the program would be.
 */
#include "tracer/fast/layout.h"

#define GUARD_0 BLOCK_GUARDS
#define GUARD_1 (BLOCK_GUARDS + 16)

	.intel_syntax noprefix
	.section stub_code, "ax", @progbits

	.macro	BORDER name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.balign 64
BORDER stub_entry
	mov	r11d, eax
	lahf
	seto	al
	movzx	eax, ax
BORDER stub_flags_taken
	shl	rax, 32
BORDER stub_flags_shifted
	or	r11, rax		/* r11 = flags, number */
BORDER stub_flags_packed
	rdgsbase rax
	shr	rax, REGION_SHIFT
	cmp	eax, REGION_ADDR >> REGION_SHIFT
	jne	stub_pass
	mov	gs:[BLOCK_NRFLAGS], r11
	mov	gs:[BLOCK_DESC], rcx
BORDER stub_saved
	dec	qword ptr gs:[BLOCK_SAMPLE]
	jz	.Lpass
	mov	eax, r11d
	cmp	eax, BLOCK_KINDS_LEN
	jae	.Lpass
	movzx	r11d, byte ptr gs:[BLOCK_KINDS + rax]
	mov	gs:[BLOCK_KIND], r11
	xor	ecx, ecx
	cmp	r11d, KIND_PLAIN
	je	.Lreserve
	jb	.Lpass
	cmp	r11d, KIND_FD
	jne	.Lother
.Lfd:	mov	eax, edi
.Lfd_of_eax:
	cmp	eax, FDMAP_FDS
	jae	.Lpass
	mov	r11, gs:[BLOCK_FDMAP]
	mov	ecx, [r11 + rax * 4]
	test	ecx, ecx
	jle	.Lpass

.Lreserve:				/* ecx = fd id */
	mov	r11, gs:[BLOCK_HEAD]
	mov	rax, r11
	sub	rax, gs:[BLOCK_TAIL]
	cmp	rax, gs:[BLOCK_LIMIT]
	jae	.Lpass
	mov	rax, r11
	and	rax, gs:[BLOCK_MASK]
	shl	rax, RECORD_SHIFT
	add	rax, gs:[BLOCK_BASE]
	mov	[rax + RECORD_FD_ID], ecx
	mov	rcx, gs:[BLOCK_DESC]
	mov	[rax + RECORD_DESC], rcx
	mov	[rax + RECORD_ARGS], rdi
	mov	[rax + RECORD_ARGS + 8], rsi
	mov	[rax + RECORD_ARGS + 16], rdx
	mov	[rax + RECORD_ARGS + 24], r10
	mov	[rax + RECORD_ARGS + 32], r8
	mov	[rax + RECORD_ARGS + 40], r9
	mov	rcx, gs:[BLOCK_NRFLAGS]
	mov	[rax + RECORD_NR], ecx
	mov	ecx, gs:[BLOCK_KIND]
	mov	[rax + RECORD_KIND], ecx
	mov	qword ptr [rax + RECORD_T1], 0
	mov	gs:[BLOCK_RECORD], rax
	inc	r11
	mov	gs:[BLOCK_INFLIGHT], r11
BORDER stub_reserved
	mov	r11, rax
	cmp	ecx, KIND_FD
	ja	.Lspecial_before
.Lstamp:				/* r11 = record */
	/* The next record's lines are in the tracer's cache: they come while the kernel works. */
	prefetchw [r11 + RECORD_BYTES]
	prefetchw [r11 + RECORD_BYTES + 64]
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[r11 + RECORD_T0], rax
	mov	rdx, [r11 + RECORD_ARGS + 16]
	mov	eax, gs:[BLOCK_NRFLAGS]
	syscall
BORDER stub_after
	mov	r11, gs:[BLOCK_RECORD]
	mov	[r11 + RECORD_RET], rax
BORDER stub_ret_saved
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[r11 + RECORD_T1], rax
	mov	eax, gs:[BLOCK_KIND]
	cmp	eax, KIND_FD
	ja	.Lspecial_after
.Lcommit:				/* r11 = record */
	inc	qword ptr gs:[BLOCK_HEAD]
BORDER stub_committed
	mov	rdx, [r11 + RECORD_ARGS + 16]
	mov	rcx, gs:[BLOCK_DESC]
	mov	rcx, [rcx + DESC_RETURN]
	mov	rax, gs:[BLOCK_NRFLAGS]
	shr	rax, 32
	add	al, 0x7f		/* the overflow flag */
	sahf
	mov	rax, [r11 + RECORD_RET]
	jmp	rcx

BORDER stub_leaving			/* the call goes by a stop */
.Lpass:
	mov	rcx, gs:[BLOCK_DESC]
	mov	r11, gs:[BLOCK_NRFLAGS]
BORDER stub_pass			/* rcx = descriptor, r11 = flags, number */
	mov	rax, r11
	shr	rax, 32
	add	al, 0x7f
	sahf
	mov	eax, r11d
	lea	rcx, [rcx + DESC_PASS]
BORDER stub_pass_jump
	jmp	rcx

	/* ---- what only some kinds need before the call ---- */
BORDER stub_before
.Lother:
	cmp	r11d, KIND_FIRST_MEASURED
	jae	.Lfd
	cmp	r11d, KIND_CLOSE_ANY
	ja	.Ldup
	mov	eax, edi
	cmp	eax, FDMAP_FDS
	jae	.Lpass
	mov	rcx, gs:[BLOCK_FDMAP]
	lea	rcx, [rcx + rax * 4]
	mov	gs:[BLOCK_FD], rcx
	mov	ecx, [rcx]
	cmp	r11d, KIND_CLOSE_ANY
	je	.Lreserve
	test	ecx, ecx
	jg	.Lreserve
	jmp	.Lpass
.Ldup:	cmp	r11d, KIND_DUP
	jne	.Lmemory
	cmp	edi, esi
	je	.Lpass			/* closes nothing */
	mov	eax, esi
	cmp	eax, FDMAP_FDS
	jae	.Lpass
	mov	rcx, gs:[BLOCK_FDMAP]
	lea	rax, [rcx + rax * 4]
	mov	gs:[BLOCK_FD], rax
	mov	eax, edi
	jmp	.Lfd_of_eax
.Lmemory:
	cmp	r11d, KIND_MMAP
	jne	.Lrange
	test	r10d, 0x100010		/* MAP_FIXED, MAP_FIXED_NOREPLACE */
	jz	.Lmap_fd
	jmp	.Lguard
.Lrange:
	cmp	r11d, KIND_MREMAP
	jne	.Lguard
	test	r10b, 2			/* MREMAP_FIXED */
	jnz	.Lpass
.Lguard:				/* rdi, rsi: a range; none of ours may be in it */
	mov	rcx, rdi
	add	rcx, rsi
	jc	.Lpass
	mov	rax, gs:[GUARD_0]
	cmp	rcx, rax
	jbe	1f
	cmp	rdi, gs:[GUARD_0 + 8]
	jb	.Lpass
1:	mov	rax, gs:[GUARD_1]
	cmp	rcx, rax
	jbe	1f
	cmp	rdi, gs:[GUARD_1 + 8]
	jb	.Lpass
1:	movabs	rax, REGION_ADDR
	cmp	rcx, rax
	jbe	1f
	movabs	rax, REGION_ADDR + REGION_BYTES
	cmp	rdi, rax
	jb	.Lpass
1:	xor	ecx, ecx
	cmp	r11d, KIND_MMAP
	jne	.Lreserve
.Lmap_fd:
	mov	eax, r8d
	test	eax, eax
	js	.Lreserve
	jmp	.Lfd_of_eax

.Lspecial_before:
	cmp	ecx, KIND_FIRST_MEASURED
	jae	.Lmeasure_before
	cmp	ecx, KIND_DUP
	ja	.Lstamp
	/* An fd that is closed is forgotten before, so that nothing counts for it when the number
	 * is new, and after, for a stop that made it known in between. What it was is kept: a dup2
	 * that fails has closed nothing. */
	mov	rax, gs:[BLOCK_FD]
	xor	ecx, ecx
	xchg	[rax], ecx
	mov	[r11 + RECORD_UNITS], rcx
	jmp	.Lstamp

	/* The measuring code is C (measure.c): on the block's stack, with all registers kept. */
	.macro	MEASURE function
	mov	gs:[BLOCK_RSP], rsp
	mov	gs:[BLOCK_RBX], rbx
	mov	gs:[BLOCK_RBP], rbp
	mov	gs:[BLOCK_R12], r12
	mov	gs:[BLOCK_R13], r13
	mov	gs:[BLOCK_R14], r14
	mov	gs:[BLOCK_R15], r15
	BORDER	stub_in_\function
	rdgsbase rsp
	lea	rsp, [rsp + BLOCK_STACK_END]
	mov	rdi, r11
	call	\function
	mov	rsp, gs:[BLOCK_RSP]
	mov	r11, gs:[BLOCK_RECORD]
	mov	rdi, [r11 + RECORD_ARGS]
	mov	rsi, [r11 + RECORD_ARGS + 8]
	mov	r10, [r11 + RECORD_ARGS + 24]
	mov	r8, [r11 + RECORD_ARGS + 32]
	mov	r9, [r11 + RECORD_ARGS + 40]
	.endm

.Lmeasure_before:
	MEASURE	measure_before
	jmp	.Lstamp

	/* ---- and after it ---- */
BORDER stub_special_after
.Lspecial_after:
	cmp	eax, KIND_FIRST_MEASURED
	jae	.Lmeasure_after
	cmp	eax, KIND_DUP
	ja	.Lcommit
	mov	rcx, gs:[BLOCK_FD]
	cmp	eax, KIND_DUP
	jne	.Lforget
	cmp	qword ptr [r11 + RECORD_RET], 0
	js	.Lremember
.Lforget:
	mov	dword ptr [rcx], 0
	jmp	.Lcommit
.Lremember:
	mov	rdx, [r11 + RECORD_UNITS]
	xor	eax, eax
	lock cmpxchg [rcx], edx
	jmp	.Lcommit
.Lmeasure_after:
	MEASURE	measure_after
	jmp	.Lcommit

BORDER stub_asm_end
	.section .note.GNU-stack, "", @progbits
