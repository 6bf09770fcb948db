/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_REGS_H
#define TRACER_ARCH_REGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "tracer/arch/abi.h"

/*
 * What ptrace needs of an architecture: the registers of a stopped thread, and what of a call is in
 * them. Functions with a tid return 0 or a negative errno (-ESRCH: killed since). What the recorder
 * needs beyond that is in arch.h.
 */

int regs_get(pid_t tid, struct user_regs_struct *ret);
int regs_set(pid_t tid, const struct user_regs_struct *regs);

uint64_t regs_ip(const struct user_regs_struct *regs);
void regs_set_ip(struct user_regs_struct *regs, uint64_t ip);
uint64_t regs_sp(const struct user_regs_struct *regs);
/* 1 if the thread runs code of the machine's own ABI, 0 of another one. */
int regs_is_native(const struct user_regs_struct *regs);
/* At the first instruction of a signal's handler: where its frame has the mask that is put back. */
uint64_t regs_frame_mask(const struct user_regs_struct *regs);
/* Before the call that ends the handler: likewise. */
uint64_t regs_return_mask(const struct user_regs_struct *regs);
/* Below the stack pointer so much is the program's. */
#define REGS_RED_ZONE_BYTES 128

/* ---- at the entry of a call, and until its exit is over ---- */
uint64_t regs_nr(const struct user_regs_struct *regs);
/* Arguments count from 1. */
uint64_t regs_arg(const struct user_regs_struct *regs, enum abi abi, int arg);
void regs_set_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value);
/* The call is not made: that is its result. */
int regs_answer(pid_t tid, int64_t result);
/* The call is not made: the thread stands before it, and will make it again. */
int regs_before_call(pid_t tid);

/* ---- behind a call ---- */
int64_t regs_result(const struct user_regs_struct *regs);
void regs_set_result(struct user_regs_struct *regs, int64_t result);
/* An argument that was changed at the entry is what it was, if its register is not the result's. */
void regs_restore_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value);
/* 1 if the thread stopped between the end of a call and user space, where the kernel looks at its
 * result once more: has the call to be made again? 0 where an architecture does not tell. */
int regs_in_call(const struct user_regs_struct *regs);

/* 1 if calls there are emulated by the kernel, and none to a tracer: no exit follows. */
int regs_is_emulated(uint64_t ip);

/* In the order of DWARF's numbering, from 0 on. Returns how many. */
#define REGS_DWARF_MAX 32
size_t regs_dwarf(const struct user_regs_struct *regs, uint64_t ret[REGS_DWARF_MAX]);

#endif
