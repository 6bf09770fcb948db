/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_UNWIND_H
#define TRACER_STACKS_UNWIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/stacks/elf_open.h"

/*
 * The user stack of a stopped thread, by elfutils: .eh_frame or .debug_frame, else frame pointers.
 * One unwinder an address space; programs of the machine's own ABI only.
 */
struct unwinder;

/* What all unwinders have in common. Zeroed. */
struct unwind_common {
	struct map by_code; /* names that were found, by build-id: most processes have the same
			       libraries */
	struct arena text;
	struct elf_open files;
};
void unwind_common_release(struct unwind_common *c);

/* common outlives it. NULL: the process is gone. */
struct unwinder *unwinder_new(pid_t pid, struct unwind_common *common);
void unwinder_free(struct unwinder *u); /* takes NULL */
/* The program counters, innermost first, those of callers inside the call instruction. regs are the
 * thread's as the program would have them. Returns how many, at most max; 0: not even one. */
size_t unwind(struct unwinder *u, pid_t tid, const struct user_regs_struct *regs, uint64_t *ret_pcs,
	size_t max);
/* "function", or "[file]" without a symbol; "[unknown]" for code that is of no file. Holds until
 * the names end. */
const char *unwind_symbol(struct unwinder *u, uint64_t pc);

#endif
