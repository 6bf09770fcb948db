/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/arch/regs.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <ucontext.h>

#include "tracer/arch/arch.h"

#define VSYSCALL_ADDR 0xffffffffff600000ULL

int regs_get(pid_t tid, struct user_regs_struct *ret)
{
	return ptrace(PTRACE_GETREGS, tid, NULL, ret) < 0 ? -errno : 0;
}

int regs_set(pid_t tid, const struct user_regs_struct *regs)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, regs) < 0 ? -errno : 0;
}

uint64_t regs_ip(const struct user_regs_struct *regs)
{
	return regs->rip;
}

void regs_set_ip(struct user_regs_struct *regs, uint64_t ip)
{
	regs->rip = ip;
}

uint64_t regs_sp(const struct user_regs_struct *regs)
{
	return regs->rsp;
}

uint64_t regs_nr(const struct user_regs_struct *regs)
{
	return regs->orig_rax;
}

#define CODE_SEGMENT_64 0x33

int regs_is_native(const struct user_regs_struct *regs)
{
	return regs->cs == CODE_SEGMENT_64;
}

/* struct rt_sigframe: a return address, then the context. */
uint64_t regs_frame_mask(const struct user_regs_struct *regs)
{
	return regs->rsp + sizeof(uint64_t) + offsetof(ucontext_t, uc_sigmask);
}

/* The handler's return has taken the address. */
uint64_t regs_return_mask(const struct user_regs_struct *regs)
{
	return regs->rsp + offsetof(ucontext_t, uc_sigmask);
}

/* Where in the registers that argument is. */
static size_t arg_offset(enum abi abi, int arg)
{
#define AT(reg) offsetof(struct user_regs_struct, reg)
	static const size_t native[] = {AT(rdi), AT(rsi), AT(rdx), AT(r10), AT(r8), AT(r9)};
	static const size_t i386[] = {AT(rbx), AT(rcx), AT(rdx), AT(rsi), AT(rdi), AT(rbp)};
#undef AT

	return abi == ABI_I386 ? i386[arg - 1] : native[arg - 1];
}

uint64_t regs_arg(const struct user_regs_struct *regs, enum abi abi, int arg)
{
	uint64_t value;

	memcpy(&value, (const char *)regs + arg_offset(abi, arg), sizeof(value));
	return value;
}

void regs_set_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value)
{
	memcpy((char *)regs + arg_offset(abi, arg), &value, sizeof(value));
}

void regs_restore_arg(struct user_regs_struct *regs, enum abi abi, int arg, uint64_t value)
{
	regs_set_arg(regs, abi, arg, value);
}

int64_t regs_result(const struct user_regs_struct *regs)
{
	return (int64_t)regs->rax;
}

void regs_set_result(struct user_regs_struct *regs, int64_t result)
{
	regs->rax = (unsigned long long)result;
}

int regs_in_call(const struct user_regs_struct *regs)
{
	return (long)regs->orig_rax >= 0;
}

int regs_answer(pid_t tid, int64_t result)
{
	struct user_regs_struct regs;
	int rc = regs_get(tid, &regs);

	if (rc < 0)
		return rc;
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)result;
	return regs_set(tid, &regs);
}

int regs_before_call(pid_t tid)
{
	struct user_regs_struct regs;
	int rc = regs_get(tid, &regs);

	if (rc < 0)
		return rc;
	arch_take_back(&regs);
	regs.rip -= ARCH_CALL_BYTES;
	return regs_set(tid, &regs);
}

int regs_is_emulated(uint64_t ip)
{
	return ip >> 12 == VSYSCALL_ADDR >> 12;
}

size_t regs_dwarf(const struct user_regs_struct *r, uint64_t ret[REGS_DWARF_MAX])
{
	const uint64_t words[] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip};

	memcpy(ret, words, sizeof(words));
	return sizeof(words) / sizeof(*words);
}
