/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LEAVE_H
#define TRACER_LEAVE_H

struct session;

/*
 * Leaving attached processes so that they lose nothing. What detaches is the end of the tracing
 * thread, which stops nobody. What the kernel does to each thread then (kernel/ptrace.c and
 * kernel/signal.c, __ptrace_unlink and ptrace_stop):
 *
 * - One that runs or sleeps does so.
 * - One in a stop by a signal that wait4 has not taken gets the signal; if wait4 has, the signal is
 *   gone.
 * - One in a stop at the entry of a call makes the call, but as if a signal were pending: what
 * waits and is never restarted (epoll_wait) returns EINTR.
 * - One in any other stop goes on.
 *
 * So before the end no stop may be left that was taken, none may be taken any more, and no thread
 * may be able to stop at an entry.
 */
void leave_attached(struct session *s);

#endif
