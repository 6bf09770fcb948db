/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_ARCH_H
#define TRACER_ARCH_ARCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "tracer/recorder/layout.h"

/*
 * What the recorder needs of an architecture: its registers, its stub and its trampolines. One
 * folder each; the plan of a file's sites (tracer/recorder/plan.h) is in there too.
 */

/* NULL, or why there can be no recorder on this machine: static text. */
const char *arch_unsupported(void);
/* The counter that the stub stamps with. */
uint64_t arch_ticks(void);

/* ---- the stub ---- */
const void *arch_stub(size_t *ret_bytes);
/* The address after the stub's call instruction, which the filter lets pass. */
uint64_t arch_stub_after(void);
/* And of the one that it makes to have the tracer take over a call that has returned. */
uint64_t arch_stub_asked(void);
/* The addresses behind call instructions whose calls are not dispatched (trap.h): that of the
 * stub's call and those of the handler below. That of arch_stub_asked() is none of them. */
void arch_stub_range(uint64_t *ret_from, uint64_t *ret_len);
/* What rt_sigaction takes, to have SIGSYS handled in the stub's pages: should the tracer have been
 * killed, the thread's calls are its own again, from the one that was dispatched on. */
struct arch_action {
	uint64_t words[4];
};
void arch_orphan_action(struct arch_action *ret);
/*
 * Back from a signal's handler without a stop: the thread is to make that call, which it was about
 * to make at `site`, in the stub. All its registers are the frame's after it.
 */
void arch_return_begin(struct user_regs_struct *regs, uint64_t site);
/* That site, of a thread that has begun and has not made it; 0: it is not there. */
uint64_t arch_return_site(const struct user_regs_struct *regs);
/* 1 if the address is in the stub. */
int arch_in_stub(uint64_t ip);
/* 1 if it is in the part of it that reads the target's memory. */
int arch_in_measure(uint64_t ip);

/*
 * What the thread has written of its way through the stub: a copy that the tracer made once, so
 * that the target cannot change it meanwhile. It is used to give the thread its own registers back,
 * and for nothing else.
 */
struct stub_state {
	struct block block;   /* up to BLOCK_STATE; the rest is 0 */
	struct record record; /* the one in use, or zeros */
};

enum stub_phase {
	STUB_BEFORE,  /* the call is not made yet: as if the program had not come to the site */
	STUB_IN_CALL, /* the call is made; the register has its raw result */
	STUB_AFTER,   /* it has returned; the record has the result */
	STUB_DONE,    /* and is committed */
};

/* Where a thread is that stopped in the stub. */
enum stub_phase arch_stub_phase(const struct user_regs_struct *regs, const struct stub_state *st);
/* The site's descriptor it came from. */
uint64_t arch_stub_desc(const struct user_regs_struct *regs, const struct stub_state *st);
/*
 * Gives all registers but the instruction pointer back to the program: as before the call, with
 * the number where it belongs (STUB_BEFORE), or as after it with that result.
 */
void arch_stub_undo(struct user_regs_struct *regs, const struct stub_state *st);
void arch_stub_finish(struct user_regs_struct *regs, const struct stub_state *st, int64_t result);

/* As the kernel leaves the registers of a call that returned to `after`. */
void arch_as_returned(struct user_regs_struct *regs, uint64_t after);
/* At the entry of a call: it is not made, and the number is back where the program had it. The
 * instruction pointer stays behind it. */
void arch_take_back(struct user_regs_struct *regs);
/* The call that is made next: at the address call_at, or (0) in the place of the one at whose entry
 * the thread stopped. */
void arch_make_call(
	struct user_regs_struct *regs, uint64_t call_at, long nr, const uint64_t args[6]);
/* 1 if the thread has itself interrupted after each instruction. */
int arch_steps(const struct user_regs_struct *regs);

/* ---- the register that a thread's block is found by ---- */
extern const char arch_block_taken[]; /* the reason for a thread whose program uses it */
uint64_t arch_block(const struct user_regs_struct *regs);
void arch_set_block(struct user_regs_struct *regs, uint64_t addr);
/* Of a stopped thread. 0 or a negative errno. */
int arch_peek_block(pid_t tid, uint64_t *ret_addr);
int arch_poke_block(pid_t tid, uint64_t addr);
/* Our own. 0 or a negative errno; async-signal-safe. */
int arch_use_block(struct block *block);

/* ---- a call of our own, to measure what a record costs ---- */
/* A call instruction and a return: as a function, and what a trampoline returns to. */
const void *arch_call_code(size_t *ret_bytes);
/* Calls that function; its first argument is -1, the next two are 0. */
void arch_call(uint64_t code, long nr);

/* ---- set-up ---- */
/*
 * The routine beside the stub that makes the calls of a process's set-up in a row: the arena's
 * memfd, its first mapping, what a fork does to it and to the word beside the stub, a page for
 * trampolines. It ends at the entry of a call that the filter stops and that does nothing.
 */
struct arch_setup {
	int64_t wiped, fd,
		apart;        /* results: madvise of the word, memfd_create, madvise of the arena */
	uint64_t arena, page; /* of the two mmaps */
};
/* The thread is to begin it. page: where one is to be mapped, 0: nowhere. */
void arch_setup_begin(struct user_regs_struct *regs, uint32_t memfd_flags, uint64_t page);
/* At its end. */
void arch_setup_results(const struct user_regs_struct *regs, struct arch_setup *ret);
/* The addresses after its call instructions: of those that the filter lets pass, and of the last.
 */
uint64_t arch_setup_after(void);
uint64_t arch_setup_end(void);

/* ---- trampolines ---- */
/* Writes one for the call instruction at `site` into buf; at is where it will be. moved: the
 * instruction that is executed first, or NULL. */
void arch_tramp(uint8_t buf[TRAMP_BYTES], uint64_t at, uint64_t site, const uint8_t *moved,
	size_t moved_len);
/* Length of the call instruction. */
#define ARCH_CALL_BYTES 2
int arch_is_call(const uint8_t code[ARCH_CALL_BYTES]);
/* 1 if the code before a call seems to make it the one of that number: a wrapper of its own, not
 * one of any call. */
#define ARCH_NUMBER_BYTES 24
int arch_sets_number(const uint8_t before[ARCH_NUMBER_BYTES], uint32_t nr);
/* A jump as long as the call instruction; -ERANGE if it does not reach. */
int arch_jump_short(uint8_t buf[ARCH_CALL_BYTES], uint64_t at, uint64_t to);
#define ARCH_SHORT_REACH 130 /* it leads no further */
/* A long jump: -ERANGE if it does not reach. */
#define ARCH_JUMP_BYTES 5
int arch_jump_long(uint8_t buf[ARCH_JUMP_BYTES], uint64_t at, uint64_t to);
/* How far from a site a trampoline may be. */
#define ARCH_TRAMP_REACH 0x70000000ULL
/* An instruction that traps, one byte. */
#define ARCH_TRAP 0xcc
/* 1 if there are only bytes that compilers fill gaps between functions with. */
int arch_is_filling(const uint8_t *code, size_t len);
/* The program's addresses end there. */
#define ARCH_ADDRESSES_END (1ULL << 47)

#endif
