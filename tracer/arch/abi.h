/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_ABI_H
#define TRACER_ARCH_ABI_H

#include <linux/audit.h>
#include <stdint.h>

/*
 * The ABIs of a machine: its own (ABI_NATIVE), and those of 32 bits that its kernel runs too. On
 * aarch64 there is none of these here: a program of 32-bit ARM is not known.
 */

enum abi { ABI_NATIVE, ABI_I386, ABI_X32, ABI_COUNT };

#if defined(__x86_64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_X86_64
#define ABI_X86_64        ABI_NATIVE /* in syscalls.def: numbers of x86-64 alone */
#define ABI_COMPAT        ABI_I386   /* the one with rules of its own in our filter */
#define ABI_GET_BLOCK     0x1004     /* ARCH_GET_GS: arch_prctl tells the block's register */
#elif defined(__aarch64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_AARCH64
#define ABI_X86_64        (-1)
#define ABI_COMPAT        ABI_NATIVE /* there is none */
#define ABI_GET_BLOCK     0          /* nor such a call */
#else
#error "tracer/arch/ has nothing for this architecture"
#endif

/* In the numbers of ABI_X32. */
#define X32_BIT 0x40000000U

/* Of a call as the kernel shows it: AUDIT_ARCH_*, and its number. */
static inline enum abi abi_of(uint32_t audit_arch, uint64_t nr)
{
	if (audit_arch == AUDIT_ARCH_I386)
		return ABI_I386;
	return audit_arch == AUDIT_ARCH_X86_64 && nr & X32_BIT ? ABI_X32 : ABI_NATIVE;
}

/* AUDIT_ARCH_* of its calls. */
static inline uint32_t abi_audit_arch(int abi)
{
	return abi == ABI_I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_NATIVE;
}

#endif
