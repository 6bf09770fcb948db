/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/trap/trap.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer/arch/arch.h"
#include "tracer/arch/regs.h"
#include "tracer/dispositions.h"
#include "tracer/sigmask.h"

/* Linux 6.4; linux/ptrace.h of older ones does not know them. */
#define SET_CONFIG 0x4210
#define GET_CONFIG 0x4211

#define DISPATCHED 2 /* si_code: SYS_USER_DISPATCH of asm-generic/siginfo.h */

struct config {
	uint64_t mode, selector, offset, len;
};

static void configure(pid_t tid, int on)
{
	struct config config = {0};

	if (on) {
		config.mode = 1;
		arch_stub_range(&config.offset, &config.len);
	}
	/* ESRCH: killed since its stop. */
	(void)ptrace(SET_CONFIG, tid, (void *)sizeof(config), &config);
}

/* ---- can it be used ---- */

const char trap_unknown[] = "the kernel does not let calls be dispatched from outside (Linux 6.4)";
const char trap_is_the_programs[] =
	"the program dispatches its own calls (PR_SET_SYSCALL_USER_DISPATCH)";

static int shares_memory_with_parent(pid_t pid)
{
	pid_t parent = disposition_number(pid, "PPid");

	return parent > 0 && syscall(SYS_kcmp, pid, parent, KCMP_VM, 0, 0) == 0;
}

const char *trap_refused(const struct tracee *t)
{
	struct user_regs_struct regs;
	struct config config;

	if (ptrace(GET_CONFIG, t->tid, (void *)sizeof(config), &config) < 0)
		return trap_unknown;
	if (config.mode)
		return trap_is_the_programs;
	if (regs_get(t->tid, &regs) < 0 || !regs_is_native(&regs))
		return "a program of 32 bits, whose calls are not dispatched";
	if (disposition_seccomp(t->tid) != 0)
		return "a seccomp filter of the program's own";
	/* That one is not stopped while its code is changed. */
	if (shares_memory_with_parent(t->process->pid))
		return "another process, which is not traced, may run in the same memory";
	return NULL;
}

/* ---- SIGSYS must not be blocked ---- */

#define SIGSYS_BIT (1ULL << (SIGSYS - 1))

static void unblock(struct tracee *t)
{
	uint64_t mask;

	if (sigmask_get(t->tid, &mask) < 0 || !(mask & SIGSYS_BIT))
		return;
	t->sigsys_blocked = 1;
	sigmask_set(t->tid, mask & ~SIGSYS_BIT);
}

static void block_again(struct tracee *t)
{
	uint64_t mask;

	if (t->sigsys_blocked && sigmask_get(t->tid, &mask) == 0)
		sigmask_set(t->tid, mask | SIGSYS_BIT);
	t->sigsys_blocked = 0;
}

/* ---- */

void trap_set(struct tracee *t)
{
	if (t->trap != TRAP_LIFTED)
		return;
	unblock(t);
	configure(t->tid, 1);
	t->trap = TRAP_SET;
}

void trap_clear(const struct tracee *t)
{
	configure(t->tid, 0);
}

void trap_lift(struct tracee *t)
{
	if (t->trap != TRAP_SET)
		return;
	configure(t->tid, 0);
	block_again(t);
	t->trap = TRAP_LIFTED;
}

int trap_is_to_settle(const struct tracee *t)
{
	return t->trap == TRAP_SET || (t->trap == TRAP_LIFTED && t->sigsys_blocked);
}

int trap_lift_for_signal(struct tracee *t)
{
	uint64_t mask, now;

	if (!trap_is_to_settle(t))
		return 0;
	if (!t->sigsys_blocked || sigmask_get(t->tid, &mask) < 0 ||
		disposition_mask(t->tid, &now) < 0 || ((mask ^ now) & ~SIGSYS_BIT) == 0) {
		trap_lift(t);
		trap_settle(t);
		return 0;
	}
	configure(t->tid, 0);
	t->trap = TRAP_LIFTED;
	t->mask = mask;
	return 1;
}

void trap_mend_frame(struct tracee *t)
{
	struct user_regs_struct regs;
	uint64_t mask;

	if (regs_get(t->tid, &regs) < 0)
		return;
	errno = 0;
	mask = (uint64_t)ptrace(PTRACE_PEEKDATA, t->tid, (void *)regs_frame_mask(&regs), NULL);
	if (errno || mask != t->mask)
		return; /* no frame */
	mask |= SIGSYS_BIT;
	(void)ptrace(PTRACE_POKEDATA, t->tid, (void *)regs_frame_mask(&regs), (void *)mask);
	t->sigsys_blocked = 0; /* the handler's mask is what the call's makes of it */
}

int trap_return(struct tracee *t)
{
	struct user_regs_struct regs;
	uint64_t mask;

	if (t->trap == TRAP_NONE || t->sigsys_blocked || regs_get(t->tid, &regs) < 0)
		return 0;
	errno = 0;
	mask = (uint64_t)ptrace(PTRACE_PEEKDATA, t->tid, (void *)regs_return_mask(&regs), NULL);
	if (errno || (mask & SIGSYS_BIT))
		return 0;
	if (t->trap == TRAP_LIFTED)
		configure(t->tid, 1); /* the handler's own mask is gone with it */
	t->trap = TRAP_SET;
	return 1;
}

void trap_settle(struct tracee *t)
{
	if (t->trap == TRAP_LIFTED)
		block_again(t);
}

void trap_pause(const struct tracee *t)
{
	if (t->trap == TRAP_SET)
		configure(t->tid, 0);
}

void trap_go_on(const struct tracee *t)
{
	if (t->trap == TRAP_SET)
		configure(t->tid, 1);
}

static int is_dispatch(const siginfo_t *info)
{
	return info->si_signo == SIGSYS && info->si_code == DISPATCHED;
}

static int is_fault(const siginfo_t *info)
{
	int signal = info->si_signo;

	return info->si_code > 0 && (signal == SIGTRAP || signal == SIGSEGV || signal == SIGBUS);
}

int trap_call(const struct tracee *t, struct ptrace_syscall_info *ret)
{
	struct user_regs_struct regs;
	siginfo_t info;

	if (t->trap == TRAP_NONE || ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) < 0 ||
		!is_dispatch(&info) || regs_get(t->tid, &regs) < 0)
		return 0;
	*ret = (struct ptrace_syscall_info){.op = PTRACE_SYSCALL_INFO_SECCOMP,
		.arch = info.si_arch,
		.instruction_pointer = regs_ip(&regs),
		.stack_pointer = regs_sp(&regs)};
	ret->seccomp.nr = (uint32_t)info.si_syscall;
	for (int i = 0; i < 6; i++)
		ret->seccomp.args[i] = regs_arg(&regs, ABI_NATIVE, i + 1);
	return 1;
}

int trap_is_pending(const struct tracee *t)
{
	struct __ptrace_peeksiginfo_args args = {.nr = 16};
	siginfo_t pending[16];
	long n;

	while ((n = ptrace(PTRACE_PEEKSIGINFO, t->tid, &args, pending)) > 0) {
		for (long i = 0; i < n; i++)
			if (is_dispatch(&pending[i]) || is_fault(&pending[i]))
				return 1;
		args.off += (uint64_t)n;
	}
	return 0;
}
