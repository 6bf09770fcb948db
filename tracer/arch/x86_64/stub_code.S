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
#include <sys/syscall.h>

#include "tracer/arch/x86_64/orphan.h"
#include "tracer/recorder/layout.h"

#define GUARD_0 BLOCK_GUARDS
#define GUARD_1 (BLOCK_GUARDS + 16)

	.intel_syntax noprefix
	.hidden	__start_stub_code
	.section stub_code, "ax", @progbits

	.macro	BORDER name
	.globl	\name
	.hidden	\name
\name:
	.endm

	/*
	 * SIGSYS's handler while the target's calls are dispatched (trap.h). With a tracer it
	 * never runs. When the tracer was killed it ends the dispatch of its thread, and has the
	 * stub let all calls of all threads pass; calls that are under way in it return as ever.
	 * Then the thread makes its call, or goes on where the tracer has just put it. A SIGSYS
	 * that is not about dispatch does what it does by default.
	 */
	.balign 64
BORDER stub_orphan
	cmp	dword ptr [rsi + ORPHAN_SI_CODE], ORPHAN_SYS_USER_DISPATCH
	jne	.Lforeign
	mov	rax, [rsi + ORPHAN_SI_CALL_ADDR]
	cmp	rax, [rdx + ORPHAN_UC_RIP]
	jne	1f
	sub	qword ptr [rdx + ORPHAN_UC_RIP], 2
1:	mov	edi, ORPHAN_SET_DISPATCH
	xor	esi, esi
	xor	edx, edx
	xor	r10d, r10d
	xor	r8d, r8d
	mov	eax, SYS_prctl
	syscall
BORDER stub_orphan_after
	lea	rdi, [rip + __start_stub_code + ALIVE_OFFSET]
	mov	esi, ALIVE_BYTES
	mov	edx, ORPHAN_PROT_RW
	mov	eax, SYS_mprotect
	syscall
	test	eax, eax
	jnz	1f
	mov	dword ptr [rip + __start_stub_code + ALIVE_OFFSET], 0
1:	ret
.Lforeign:
	mov	edi, ORPHAN_SIGSYS
	lea	rsi, [rip + .Ldefault]
	xor	edx, edx
	mov	r10d, 8
	mov	eax, SYS_rt_sigaction
	syscall
	mov	eax, SYS_getpid
	syscall
	mov	ebx, eax
	mov	eax, SYS_gettid
	syscall
	mov	edi, ebx
	mov	esi, eax
	mov	edx, ORPHAN_SIGSYS
	mov	eax, SYS_tgkill
	syscall
	ret
BORDER stub_orphan_return
	mov	eax, SYS_rt_sigreturn
	syscall
BORDER stub_orphan_returned
	.balign 8
.Ldefault:
	.fill	ORPHAN_ACTION_BYTES / 8, 8, 0

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
	cmp	dword ptr [rip + __start_stub_code + ALIVE_OFFSET], 0
	je	stub_pass
	rdgsbase rax
	shr	rax, REGION_SHIFT
	cmp	eax, REGION_ADDR >> REGION_SHIFT
	jne	stub_pass
	/*
	 * Without a tracer a handler may run while the thread has a call in here: its calls pass
	 * from where the block is used. Until the record is there, it is of no call.
	 */
	mov	rax, gs:[BLOCK_INFLIGHT]
	cmp	rax, gs:[BLOCK_HEAD]
	ja	stub_pass
	mov	qword ptr gs:[BLOCK_INFLIGHT], -1
	mov	gs:[BLOCK_NRFLAGS], r11
	mov	gs:[BLOCK_DESC], rcx
BORDER stub_saved
	mov	eax, r11d
	cmp	eax, BLOCK_KINDS_LEN
	jae	.Lpass
	movzx	r11d, byte ptr gs:[BLOCK_KINDS + rax]
	mov	gs:[BLOCK_KIND], r11
	cmp	r11d, KIND_PLAIN
	ja	.Lother
	test	r11d, r11d
	jz	.Lpass

.Lreserve:
	mov	r11, gs:[BLOCK_HEAD]
	mov	rax, r11
	sub	rax, gs:[BLOCK_TAIL]
	cmp	rax, gs:[BLOCK_LIMIT]
	jae	.Lpass
	mov	rax, r11
	and	rax, gs:[BLOCK_MASK]
	shl	rax, RECORD_SHIFT
	add	rax, gs:[BLOCK_BASE]
	mov	dword ptr [rax + RECORD_EXTRA], 0
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
	mov	qword ptr [rax + RECORD_T0], 0
	mov	qword ptr [rax + RECORD_T1], 0
	mov	gs:[BLOCK_RECORD], rax
	inc	r11
	mov	gs:[BLOCK_INFLIGHT], r11
BORDER stub_reserved
	mov	r11, rax
	cmp	ecx, KIND_PEER
	je	.Lmeasure_before
.Lstamp:				/* r11 = record */
	/* The next record's lines are in the tracer's cache: they come while the kernel works. */
	prefetchw [r11 + RECORD_BYTES]
	prefetchw [r11 + RECORD_BYTES + 64]
	mov	ecx, gs:[BLOCK_NRFLAGS]
	cmp	byte ptr gs:[BLOCK_CLOCKS + rcx], CLOCK_READ
	jne	.Lother_clock_before
.Lread_before:
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[r11 + RECORD_T0], rax
	mov	rdx, [r11 + RECORD_ARGS + 16]
.Lmake:
	mov	eax, gs:[BLOCK_NRFLAGS]
	syscall
BORDER stub_after
	mov	r11, gs:[BLOCK_RECORD]
	mov	[r11 + RECORD_RET], rax
BORDER stub_ret_saved
	mov	ecx, gs:[BLOCK_NRFLAGS]
	cmp	byte ptr gs:[BLOCK_CLOCKS + rcx], CLOCK_READ
	jne	.Lother_clock_after
	rdtsc
	shl	rdx, 32
	or	rax, rdx
.Lstamped:
	mov	[r11 + RECORD_T1], rax
	mov	edx, gs:[BLOCK_KIND]
	cmp	edx, gs:[BLOCK_MEASURED]
	jae	.Lmeasure_after
	/* rcx = where it goes on, its flags, its result; r11 = record. */
	.macro GIVE_BACK
	mov	rcx, gs:[BLOCK_DESC]
	mov	rcx, [rcx + DESC_RETURN]
	mov	rax, gs:[BLOCK_NRFLAGS]
	shr	rax, 32
	add	al, 0x7f		/* the overflow flag */
	sahf
	mov	rax, [r11 + RECORD_RET]
	.endm

	/*
	 * What follows the commit may be a handler's call, which has the block for itself: nobody
	 * keeps it out of here when the tracer was killed. So all is in registers before.
	 */
.Lcommit:				/* r11 = record */
	mov	eax, [r11 + RECORD_EXTRA]
	add	rax, gs:[BLOCK_HEAD]
	inc	rax
	mov	gs:[BLOCK_KIND], rax	/* the kind was needed last before */
	mov	rdx, [r11 + RECORD_ARGS + 16]
	GIVE_BACK
	mov	r11, gs:[BLOCK_KIND]
	mov	gs:[BLOCK_HEAD], r11
BORDER stub_committed
	jmp	rcx

	/* The record at the head was for who looks meanwhile: the next call has it again. */
BORDER stub_tally
.Ltally:
	mov	eax, gs:[BLOCK_NRFLAGS]
	inc	dword ptr gs:[BLOCK_TALLIES + rax * 4]
BORDER stub_tallied
	inc	qword ptr gs:[BLOCK_TALLIED]
	GIVE_BACK
	mov	qword ptr gs:[BLOCK_INFLIGHT], 0
	jmp	rcx

BORDER stub_leaving			/* the call goes by a stop */
.Lpass:
	mov	rcx, gs:[BLOCK_DESC]
	mov	r11, gs:[BLOCK_NRFLAGS]
	mov	qword ptr gs:[BLOCK_INFLIGHT], 0
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
	cmp	r11d, KIND_FIRST_SAID
	jb	1f
	mov	rax, gs:[BLOCK_HEAD]	/* room for the most that it could say */
	sub	rax, gs:[BLOCK_TAIL]
	add	rax, SAID_RECORDS_MAX
	cmp	rax, gs:[BLOCK_LIMIT]
	jae	.Lpass
1:	cmp	r11d, KIND_FIRST_MEASURED
	jae	.Lreserve
	cmp	r11d, KIND_MMAP
	jne	.Lrange
	test	r10d, 0x100010		/* MAP_FIXED, MAP_FIXED_NOREPLACE */
	jz	.Lreserve
	jmp	.Lguard
.Lrange:
	cmp	r11d, KIND_IOCTL
	jne	1f
	cmp	esi, IOCTL_REGISTER
	jne	.Lreserve
	jmp	.Lpass
1:	cmp	r11d, KIND_MREMAP
	jne	.Lguard
	test	r10b, 6			/* MREMAP_FIXED, MREMAP_DONTUNMAP: it may be code */
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
	jbe	.Lreserve
	movabs	rax, REGION_ADDR + REGION_BYTES
	cmp	rdi, rax
	jb	.Lpass
	jmp	.Lreserve

BORDER stub_clock_before		/* r11 = record, rcx = number */
.Lother_clock_before:
	cmp	byte ptr gs:[BLOCK_CLOCKS + rcx], CLOCK_TAKE
	jb	.Lread_before
	mov	rdx, [r11 + RECORD_ARGS + 16]	/* KIND_PEER was measured */
	ja	.Lmake
	mov	rcx, gs:[BLOCK_COARSE]
	mov	rax, [rcx]
	mov	[r11 + RECORD_T0], rax
	jmp	.Lmake

	/* The measuring code is C (measure.c): on the block's stack, with all registers kept. */
	.macro	MEASURE function
	mov	gs:[BLOCK_SAVED], rsp
	mov	gs:[BLOCK_SAVED + 8], rbx
	mov	gs:[BLOCK_SAVED + 16], rbp
	mov	gs:[BLOCK_SAVED + 24], r12
	mov	gs:[BLOCK_SAVED + 32], r13
	mov	gs:[BLOCK_SAVED + 40], r14
	mov	gs:[BLOCK_SAVED + 48], r15
	BORDER	stub_in_\function
	rdgsbase rsp
	lea	rsp, [rsp + BLOCK_STACK_END]
	mov	rdi, r11
	rdgsbase rsi
	call	\function
	mov	rsp, gs:[BLOCK_SAVED]
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
.Lother_clock_after:			/* r11 = record, rcx = number */
	cmp	byte ptr gs:[BLOCK_CLOCKS + rcx], CLOCK_TAKE
	ja	.Ltally
	mov	rcx, gs:[BLOCK_COARSE]
	jb	1f
	mov	rax, [rcx]
	jmp	.Lstamped
	/* Later than all that the coarse clock has said; what it says then is later still. */
1:	rdtsc
	shl	rdx, 32
	or	rdx, rax
2:	mov	rax, [rcx]
	lea	r11, [rax + CLOCK_STEP]
	cmp	rdx, r11
	cmovb	rdx, r11
	lea	r11, [rdx + CLOCK_STEP]
	lock cmpxchg [rcx], r11
	jne	2b
	mov	r11, gs:[BLOCK_RECORD]
	mov	rax, rdx
	jmp	.Lstamped

.Lmeasure_after:
	MEASURE	measure_after
	test	eax, eax
	jz	.Lcommit
	/* A call that the filter stops (recorder_asked), and the tracer does not let be made: it
	 * takes the thread out of here, or the stack of the call before. */
	neg	eax
	movsxd	rdi, eax
	mov	eax, gs:[BLOCK_NRFLAGS]
	syscall
BORDER stub_asked
	mov	r11, gs:[BLOCK_RECORD]
	mov	rdi, [r11 + RECORD_ARGS]
	jmp	.Lcommit

BORDER stub_asm_end
	.section .note.GNU-stack, "", @progbits
