/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_MEMORY_H
#define TRACER_MEMORY_H

#include <sys/types.h>

#include "tracer/decode/decode.h"

struct filler;

/* A stopped thread's memory. */
struct memory {
	pid_t tid;             /* may be changed, to read another thread's */
	struct filler *filler; /* NULL: no traced thread fills pages for another one */
};

/* A reader of it: process_vm_readv, and PTRACE_PEEKDATA where that is not permitted. m must stay
 * valid. */
struct mem_reader memory_reader(struct memory *m);

/* Writes to it, read-only pages too (PTRACE_POKEDATA). 0 or -errno. */
int memory_poke_u64(const struct memory *m, uint64_t addr, uint64_t value);

/* The same for n bytes of a thread that may run, of memory that it can write. */
int memory_write(pid_t tid, uint64_t addr, const void *p, size_t n);

#endif
