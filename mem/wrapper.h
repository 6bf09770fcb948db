/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_WRAPPER_H
#define MEM_WRAPPER_H

#include "mem/massif.h"

/*
 * Whether code only passes on what its caller asked for: the allocators and containers of the
 * standard libraries of C++ (libstdc++, libc++) and Rust. Pure, by the names as valgrind prints
 * them: demangled in full, of inlined functions only the last part with its template arguments, and
 * the file without its directory.
 */
int wrapper_is(struct massif_text function, struct massif_text place);

#endif
