/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SIGMASK_H
#define TRACER_SIGMASK_H

#include <errno.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* The blocked signals of a stopped thread, bit N-1 for signal N; 0 or -errno. */
static inline int sigmask_get(pid_t tid, uint64_t *ret)
{
	return ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(*ret), ret) < 0 ? -errno : 0;
}

static inline int sigmask_set(pid_t tid, uint64_t mask)
{
	return ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(mask), &mask) < 0 ? -errno : 0;
}

#endif
