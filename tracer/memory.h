/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_MEMORY_H
#define TRACER_MEMORY_H

#include <sys/types.h>

#include "tracer/decode/decode.h"

/* A reader of a stopped thread's memory: process_vm_readv, and PTRACE_PEEKDATA where that is not
 * permitted. *tid must stay valid; change it to read another thread. */
struct mem_reader memory_reader(pid_t *tid);

/* Writes to a stopped thread's memory, read-only pages too (PTRACE_POKEDATA). 0 or -errno. */
int memory_poke_u64(pid_t tid, uint64_t addr, uint64_t value);

/* The same for n bytes of a thread that may run, of memory that it can write. */
int memory_write(pid_t tid, uint64_t addr, const void *p, size_t n);

#endif
