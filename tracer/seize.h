/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SEIZE_H
#define TRACER_SEIZE_H

#include <sys/types.h>

/*
 * PTRACE_SEIZE of one thread, with our options. 0, -EINTR or another negative errno.
 *
 * A thread that executes a program ends the others first, and is not done before those of ours have
 * been waited for; meanwhile the kernel lets nobody seize one of its process (cred_guard_mutex): it
 * would wait for us, and we for it. So who waits there is interrupted, handles the stops that there
 * are (-EINTR), and tries again.
 */
int seize(pid_t tid);

/* 1 while it waits, perhaps for long: then it is to be sent a signal whose handler calls
 * seize_interrupted(). */
int seize_is_waiting(void);
void seize_interrupted(void);

#endif
