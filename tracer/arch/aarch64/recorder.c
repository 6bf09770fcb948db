/* SPDX-License-Identifier: GPL-3.0-only */
/* There is no recorder here, so nothing else of arch.h is ever called: none.S. */
#include "tracer/arch/arch.h"

const char *arch_unsupported(void)
{
	return "the recorder is for x86-64 only";
}

uint64_t arch_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}
