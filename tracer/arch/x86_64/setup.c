/* SPDX-License-Identifier: GPL-3.0-only */
/* The routine of setup_code.S seen from outside. */
#include <sys/mman.h>

#include "tracer/arch/arch.h"
#include "tracer/arch/x86_64/setup.h"

_Static_assert(SETUP_PROT_RX == (PROT_READ | PROT_EXEC), "protection");
_Static_assert(SETUP_PROT_RW == (PROT_READ | PROT_WRITE), "protection");
_Static_assert(SETUP_MAP_SHARED == (MAP_SHARED | MAP_FIXED_NOREPLACE), "flags");
_Static_assert(SETUP_MAP_OWN == (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE), "flags");
_Static_assert(SETUP_MADV_DONTFORK == MADV_DONTFORK, "advice");
_Static_assert(SETUP_MADV_DONTDUMP == MADV_DONTDUMP, "advice");
_Static_assert(SETUP_MADV_WIPEONFORK == MADV_WIPEONFORK, "advice");

#define FLAG_TRAP 0x100ULL

extern const uint8_t __start_stub_code[], setup_entry[], setup_after[], setup_end[];

static uint64_t at(const uint8_t *border)
{
	return REGION_ADDR + (uint64_t)(border - __start_stub_code);
}

uint64_t arch_setup_after(void)
{
	return at(setup_after);
}

uint64_t arch_setup_end(void)
{
	return at(setup_end);
}

void arch_setup_begin(struct user_regs_struct *regs, uint32_t memfd_flags, uint64_t page)
{
	regs->rip = at(setup_entry);
	regs->orig_rax = (unsigned long long)-1; /* the call that is under way is not made */
	regs->rbx = memfd_flags;
	regs->r12 = page;
	regs->eflags &= ~FLAG_TRAP;
}

void arch_setup_results(const struct user_regs_struct *regs, struct arch_setup *ret)
{
	ret->wiped = (int64_t)regs->r14;
	ret->fd = (int64_t)regs->rbx;
	ret->arena = regs->r13;
	ret->apart = (int64_t)regs->rbp;
	ret->page = regs->r12;
}
