/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SYSCALLS_H
#define TRACER_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/arch/abi.h"

struct decoder; /* tracer/decode/decode.h */
struct nearest; /* common/base/nearest.h */

enum sys_class {
	CLASS_OTHER,
	CLASS_NETWORK,
	CLASS_FILE,
	CLASS_DESC,
	CLASS_MEMORY,
	CLASS_PROCESS,
	CLASS_WAIT,
	CLASS_SIGNAL,
	CLASS_TIME
};

/* Sets that --trace knows, as bits. */
enum {
	SET_IO = 1,
	SET_NETWORK = 2,
	SET_FILE = 4,
	SET_DESC = 8,
	SET_MEMORY = 16,
	SET_PROCESS = 32,
	SET_SIGNAL = 64,
	SET_IPC = 128,
	SET_CLOCK = 256,
	SET_CREDS = 512,
	SET_PURE = 1024, /* no arguments, and never fails */
	SET_STAT = 2048,
	SET_LSTAT = 4096,
	SET_FSTAT = 8192,
	SET_STATFS = 16384,
	SET_FSTATFS = 32768,
	SET_USTAT = 65536 /* in %%statfs only */
};

enum batch_unit { BATCH_NONE, BATCH_MESSAGES, BATCH_IOVECS, BATCH_EVENTS, BATCH_SUBMISSIONS };

/*
 * One row of syscalls.def. Argument positions count from 1, 0 = there is none.
 */
struct sys_def {
	const char *name; /* canonical: the 64-bit name */
	const char *args; /* one letter an argument for the detail line, see syscalls.def */
	/* Where the arguments and the result do not say it all, or NULL. */
	const struct decoder *decoder;
	/* What several of its calls could be gathered into, or NULL. */
	const char *gather;
	enum sys_class class;
	uint32_t sets;
	enum batch_unit unit;
	uint16_t index;        /* dense: 0..sys_count()-1 */
	uint8_t fd;            /* the argument that is the fd the call works on */
	uint8_t batch;         /* the argument that says how many units are asked */
	uint8_t bytes;         /* the argument that says how many bytes are asked */
	uint8_t bytes_decoded; /* the decoder sums the bytes moved */
	uint8_t bytes_ret;     /* the result is the number of bytes moved */
	uint8_t waits;         /* see sys_waits() */
	uint8_t flags;         /* the argument that are flags of this one call */
	uint8_t offset;        /* the argument that says where in the file */
	uint8_t reads;         /* it reads bytes of a file */
	uint8_t always_ok; /* the result is no result: rt_sigreturn's is the program's register */
};

/*
 * 1 if what its thread holds back must go before the call: it can wait for others or receive, it
 * tells others something, or it starts, replaces or ends a process. Measured calls that are not
 * about memory can wait all, as a pipe may be behind any descriptor.
 */
static inline int sys_waits(const struct sys_def *def)
{
	return def->waits || def->class == CLASS_WAIT ||
	       ((def->sets & SET_IO) && def->class != CLASS_MEMORY);
}

/* Above every number that has a name, without the x32 bit. */
#define SYS_NUMBERS_MAX 600

/* All rows. Rows for numbers without a name are added when first seen. */
size_t sys_count(void);
const struct sys_def *sys_by_index(size_t index);
const struct sys_def *sys_by_name(const char *name); /* canonical or alias; NULL: unknown */
/* abi: enum abi. Never NULL: an unknown number gets a row "syscall_N". */
const struct sys_def *sys_by_number(int abi, uint32_t nr);
/* The same without making rows: NULL where the number has no name. */
const struct sys_def *sys_find(int abi, uint32_t nr);
/* Kernel number of that row in that ABI, or -1. */
long sys_number(int abi, const struct sys_def *def);

/* Offers every name, aliases too. */
void sys_try_names(struct nearest *n);
const char *sys_class_name(enum sys_class class);
const char *batch_unit_name(enum batch_unit unit);

#endif
