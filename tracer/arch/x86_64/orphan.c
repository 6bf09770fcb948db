/* SPDX-License-Identifier: GPL-3.0-only */
/* What of the stub is there for dispatch: the addresses that may make calls, and the handler. */
#include <linux/prctl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tracer/arch/arch.h"
#include "tracer/arch/x86_64/orphan.h"

#define RESTORER 0x04000000UL /* SA_RESTORER: asm/signal.h */

_Static_assert(ORPHAN_SI_CODE == offsetof(siginfo_t, si_code), "siginfo");
_Static_assert(ORPHAN_SI_CALL_ADDR == offsetof(siginfo_t, si_call_addr), "siginfo");
_Static_assert(ORPHAN_PROT_RW == (PROT_READ | PROT_WRITE), "protection");
_Static_assert(ORPHAN_UC_RIP == offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]), "context");
_Static_assert(ORPHAN_SET_DISPATCH == PR_SET_SYSCALL_USER_DISPATCH, "prctl");
_Static_assert(ORPHAN_SIGSYS == SIGSYS, "signal");

extern const uint8_t __start_stub_code[], stub_orphan[], stub_orphan_after[], stub_orphan_return[],
	stub_orphan_returned[];

static uint64_t at(const uint8_t *border)
{
	return REGION_ADDR + (uint64_t)(border - __start_stub_code);
}

void arch_stub_range(uint64_t *ret_from, uint64_t *ret_len)
{
	*ret_from = at(stub_orphan_after);
	*ret_len = arch_stub_after() + 1 - *ret_from;
}

void arch_orphan_action(struct arch_action *ret)
{
	*ret = (struct arch_action){.words = {at(stub_orphan), SA_SIGINFO | SA_ONSTACK | RESTORER,
					    at(stub_orphan_return), ~0ULL}};
	_Static_assert(sizeof(*ret) == ORPHAN_ACTION_BYTES, "action");
}

/* The call has no arguments: in the first one's register the site is kept. */
void arch_return_begin(struct user_regs_struct *regs, uint64_t site)
{
	regs->rip = at(stub_orphan_return);
	regs->rdi = site;
}

uint64_t arch_return_site(const struct user_regs_struct *regs)
{
	return regs->rip >= at(stub_orphan_return) && regs->rip < at(stub_orphan_returned)
		       ? regs->rdi
		       : 0;
}
