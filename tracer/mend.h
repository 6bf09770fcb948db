/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_MEND_H
#define TRACER_MEND_H

struct session;
struct tracee;

/*
 * A thread that is asked to stop (PTRACE_INTERRUPT) leaves the call in which it waits. The kernel
 * takes most calls up again by itself, but some return EINTR to the program (signal(7),
 * "Interruption of system calls ... by stop signals"), and others begin their limit anew. Here they
 * are taken up again, with what is left of their limit:
 *
 *	before the request, mend_note:   since when does the thread wait?
 *	at the stop, mend_stopped:       the kernel is told to make the call again, unless a signal
 *	                                 with a handler is there: it decides, so nothing is missed;
 *	                                 where a sleep has said what is left, it has not
 *	at the call's entry, mend_entry: what is left becomes its limit
 *	at its exit, mend_exit:          the argument is what it was
 */
void mend_note(struct session *s, struct tracee *t);
void mend_stopped(struct session *s, struct tracee *t);
/* 1: it has let t go on. */
int mend_entry(struct session *s, struct tracee *t);
void mend_exit(struct tracee *t);
/* A signal is delivered: its handler, if there is one, ends the call. */
void mend_signal(struct tracee *t, int signal);

/* The stop of t is at the entry of a call while we leave (leave.h). Where it was asked to stop too,
 * the call would be made with that pending: it is taken back, and made when t goes on. 1 if so. */
int mend_take_back(struct tracee *t);

#endif
