/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_ORPHAN_H
#define TRACER_ARCH_X86_64_ORPHAN_H

/* For the handler in stub_code.S: an assembler does not take the headers that say it. orphan.c
 * compares. */
#define ORPHAN_SI_CODE           8
#define ORPHAN_SI_CALL_ADDR      16
#define ORPHAN_PROT_RW           3 /* PROT_READ | PROT_WRITE */
#define ORPHAN_SYS_USER_DISPATCH 2
#define ORPHAN_UC_RIP            168
#define ORPHAN_SET_DISPATCH      59 /* PR_SET_SYSCALL_USER_DISPATCH */
#define ORPHAN_SIGSYS            31
#define ORPHAN_ACTION_BYTES      32

#endif
