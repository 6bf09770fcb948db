/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_RANGES_H
#define TRACER_ARCH_X86_64_RANGES_H

#include <libelf.h>

#include "tracer/arch/x86_64/segments.h"

/*
 * Where functions are told in other ways than by symbols and an index of unwind ranges. What makes
 * no sense is left out.
 */

/* A range that is proven to be one function (or a part of one). */
struct function {
	uint64_t start, end;
};

struct ranges {
	struct function *at;
	size_t len, cap;
};

/* Appends the ranges of .eh_frame itself: static programs of glibc have no index of it. */
void ranges_of_unwind(Elf *elf, struct ranges *ret);
/* Appends those of the table that Go's runtime has of its functions, which stays when symbols are
 * stripped (runtime/symtab.go: from Go 1.18 on). s gives the code. */
void ranges_of_go(Elf *elf, const struct segments *s, struct ranges *ret);

#endif
