/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LEAVE_H
#define TRACER_LEAVE_H

struct session;
struct tracee;

/*
 * Leaving attached processes so that they lose nothing. What detaches is the end of the tracing
 * thread, which stops nobody. What the kernel does to each thread then (kernel/ptrace.c and
 * kernel/signal.c, __ptrace_unlink and ptrace_stop):
 *
 *	runs or sleeps            nothing
 *	a stop that wait4 has not taken
 *	    by a signal           the signal is delivered
 *	    at a call's entry     the call is made, but as if a signal were pending: what waits and
 *is never restarted (epoll_wait) returns EINTR any other             goes on a stop that wait4 has
 *taken by a signal           the signal is gone
 *
 * So before the end no stop may be left that was taken, none may be taken any more, and no thread
 * may be able to stop at an entry.
 */
void leave_attached(struct session *s);

/* The stop of t is at the entry of a call while we leave. Where it was asked to stop too, the call
 * would be made with that pending: it is taken back, and made when t goes on. 1 if so. */
int leave_entry(struct tracee *t);

#endif
