/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_CALLS_H
#define TRACER_CALLS_H

struct ptrace_syscall_info;
struct session;
struct stop;
struct tracee;

/* Entry and exit of a call: read from the stopped thread, decoded, booked when it is over. */

void call_entry(struct session *s, struct tracee *t);
/* A call that was trapped (trap.h), info as at a filter's stop. */
void call_trapped(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info);
/* PTRACE_EVENT_SECCOMP: an entry, unless that was seen by its own stop. */
void call_filtered(struct session *s, struct tracee *t);
void call_exit(struct session *s, struct tracee *t, const struct stop *stop);
/* Puts back an argument that was changed at the entry of owner's call, in t (owner itself or its
 * child). */
void call_restore_arg(struct session *s, const struct tracee *owner, const struct tracee *t);
/* The thread dies, or goes on as another program, inside the call. stopped: in a stop of its own,
 * its registers can be read. */
void call_no_return(struct session *s, struct tracee *t, int stopped);

#endif
