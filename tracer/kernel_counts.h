/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_KERNEL_COUNTS_H
#define TRACER_KERNEL_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * The kernel's own count of system calls, by its tracepoint raw_syscalls:sys_enter: an oracle that
 * shares nothing with the tracer. Needs root, or CAP_PERFMON and a readable tracefs.
 */

/* One counter a call number. */
struct kernel_count {
	uint32_t nr; /* of a native call */
	uint64_t calls;
};

/* Runs the command natively (stdin, stdout and stderr are /dev/null) and counts those calls of it
 * and of all its children, from the first execve on (which is not counted: it has begun already).
 * 0 or a negative errno: -EACCES and -ENOENT where it is not permitted or not there. */
int kernel_counts(char *const *command, struct kernel_count *counts, size_t n, struct err *err);

#endif
