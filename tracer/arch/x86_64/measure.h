/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_MEASURE_H
#define TRACER_ARCH_X86_64_MEASURE_H

#include "tracer/recorder/layout.h"

/*
 * The stub's measuring code, called by stub_code.S. Sums what the call was asked to move, and what
 * it moved when it succeeded, into the record; copies what it said into the places behind it.
 *
 * Memory is read when the call is over, and only what the kernel has just read or written itself:
 * what it could not read would be a SIGSEGV here, and where the program has that blocked or ignored
 * the kernel resets both. Not 0: ask the tracer, to take over (whether the kernel has read it is
 * not known, or the call has received fds, which are to be looked at before they are used), or to
 * take the stack.
 */
#define STUB_FUNCTION __attribute__((section("stub_code"), visibility("hidden")))

STUB_FUNCTION void measure_before(struct record *r, const struct block *b);
STUB_FUNCTION int measure_after(struct record *r, struct block *b);

#endif
