/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIFECYCLE_H
#define TRACER_LIFECYCLE_H

#include <sys/types.h>

struct session;
struct stop;
struct tracee;

/* Births, execs and deaths of tracees. */

/* PTRACE_EVENT_CLONE, FORK, VFORK in t: puts the child under control as the flags say. */
void lifecycle_child(struct session *s, struct tracee *t);
/* A stop of a thread that nobody has announced yet: it stays stopped until then. */
void lifecycle_unannounced(struct session *s, const struct stop *stop);
/* Lets go on those of them whom nobody will announce any more. */
void lifecycle_adopt_orphans(struct session *s);
/* The stop with which every thread's life under control begins. */
void lifecycle_first_stop(struct session *s, struct tracee *t);
/* PTRACE_EVENT_EXEC, reported for the leader's tid. Returns the tracee that goes on. */
struct tracee *lifecycle_exec(struct session *s, pid_t tid);
/* wait4 has nobody left, so those that we still know ended without a word (exec, SIGKILL). */
void lifecycle_vanished(struct session *s);
/* Another thread, which is not traced, has executed a program, and has the process's number. */
void lifecycle_overtaken(struct session *s, pid_t pid);
/* wait4 said that a thread is gone. */
void lifecycle_gone(struct session *s, const struct stop *stop);

#endif
