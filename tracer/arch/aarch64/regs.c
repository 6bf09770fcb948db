/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Compiled by a cross compiler, and never run yet: docs/ARCHITECTURE.md. What the kernel does here
 * is from arch/arm64/kernel/ptrace.c, signal.c and syscall.c.
 */
#include "tracer/arch/regs.h"

#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <signal.h>
#include <stddef.h>
#include <sys/uio.h>
#include <ucontext.h>

#define CALL_BYTES 4
#define NUMBER     8  /* the register of a call's number; arguments are in 0 to 5 */
#define DWARF_SP   31 /* behind the general registers */
#define NOT_A_CALL (-1)
#define RESULT     0 /* its register is that of the first argument too */

int regs_get(pid_t tid, struct user_regs_struct *ret)
{
	struct iovec iov = {ret, sizeof(*ret)};

	return ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

int regs_set(pid_t tid, const struct user_regs_struct *regs)
{
	struct iovec iov = {(void *)regs, sizeof(*regs)};

	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

uint64_t regs_ip(const struct user_regs_struct *regs)
{
	return regs->pc;
}

void regs_set_ip(struct user_regs_struct *regs, uint64_t ip)
{
	regs->pc = ip;
}

/* struct rt_sigframe: what the signal is about, then the context. */
uint64_t regs_frame_mask(const struct user_regs_struct *regs)
{
	return regs->sp + sizeof(siginfo_t) + offsetof(ucontext_t, uc_sigmask);
}

uint64_t regs_return_mask(const struct user_regs_struct *regs)
{
	return regs_frame_mask(regs);
}

int regs_is_native(const struct user_regs_struct *regs)
{
	(void)regs;
	return 1;
}

uint64_t regs_sp(const struct user_regs_struct *regs)
{
	return regs->sp;
}

uint64_t regs_nr(const struct user_regs_struct *regs)
{
	return regs->regs[NUMBER];
}

uint64_t regs_arg(const struct user_regs_struct *regs, enum abi abi, int arg)
{
	(void)abi;
	return regs->regs[arg - 1];
}

void regs_set_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value)
{
	(void)abi;
	regs->regs[arg - 1] = value;
}

void regs_restore_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value)
{
	if (arg - 1 != RESULT)
		regs_set_arg(regs, abi, arg, value);
}

int64_t regs_result(const struct user_regs_struct *regs)
{
	return (int64_t)regs->regs[RESULT];
}

void regs_set_result(struct user_regs_struct *regs, int64_t result)
{
	regs->regs[RESULT] = (uint64_t)result;
}

/* The kernel has decided before it stops for a signal: the registers are those of afterwards. */
int regs_in_call(const struct user_regs_struct *regs)
{
	(void)regs;
	return 0;
}

/* The number that the kernel goes by is apart from the registers: they keep what the program had.
 */
static int make_no_call(pid_t tid, struct user_regs_struct *ret_regs)
{
	int nr = NOT_A_CALL, rc = regs_get(tid, ret_regs);
	struct iovec iov = {&nr, sizeof(nr)};

	if (rc < 0)
		return rc;
	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_ARM_SYSTEM_CALL, &iov) < 0 ? -errno : 0;
}

int regs_answer(pid_t tid, int64_t result)
{
	struct user_regs_struct regs;
	int rc = make_no_call(tid, &regs);

	if (rc < 0)
		return rc;
	regs_set_result(&regs, result);
	return regs_set(tid, &regs);
}

int regs_before_call(pid_t tid)
{
	struct user_regs_struct regs;
	int rc = make_no_call(tid, &regs);

	if (rc < 0)
		return rc;
	regs.pc -= CALL_BYTES;
	return regs_set(tid, &regs);
}

int regs_is_emulated(uint64_t ip)
{
	(void)ip;
	return 0;
}

size_t regs_dwarf(const struct user_regs_struct *regs, uint64_t ret[REGS_DWARF_MAX])
{
	for (size_t i = 0; i < DWARF_SP; i++)
		ret[i] = regs->regs[i];
	ret[DWARF_SP] = regs->sp;
	return DWARF_SP + 1;
}
