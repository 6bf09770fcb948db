/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS  1000000ULL
#define NS_PER_US  1000ULL

/* CLOCK_MONOTONIC in ns: every stamp of a trace. */
static inline uint64_t clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/* CLOCK_REALTIME in ns: only for what a person reads (dates, the detail's epoch). */
static inline uint64_t clock_real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/*
 * CPU time that a process has used, user and system, with its threads that have ended; UINT64_MAX:
 * it cannot be read: it has been waited for, or pid is no process. The clock is that of
 * clock_getcpuclockid(3), which would first ask the kernel whether there is one.
 * tests/e2e/cputime.py has what it shows of zombies and after an execve.
 */
static inline uint64_t clock_process_ns(pid_t pid)
{
	struct timespec t;

	/* CPUCLOCK_SCHED of the kernel's linux/posix-timers.h */
	if (clock_gettime((clockid_t)(~(unsigned int)pid << 3 | 2), &t) < 0)
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

#endif
