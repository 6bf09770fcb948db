/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SESSION_H
#define TRACER_SESSION_H

#include <linux/filter.h>
#include <stdint.h>

#include "common/base/err.h"
#include "tracer/book.h"
#include "tracer/colocate.h"
#include "tracer/decode/decode.h"
#include "tracer/recorder/cost.h"
#include "tracer/recorder/recorder.h"
#include "tracer/control.h"
#include "tracer/identity.h"
#include "tracer/memory.h"
#include "tracer/options.h"
#include "tracer/orders.h"
#include "tracer/stacks/stacks.h"
#include "tracer/stops.h"
#include "tracer/tracee.h"

/*
 * One run of the tracer. The tracing thread owns everything here but `orders`:
 *
 *	next stop (loop.c) -> what kind (loop.c) -> call entry and exit (calls.c)
 *	                                         -> clone, exec, exit (lifecycle.c)
 *	finished call -> book (book.c)
 */
struct session {
	const struct options *opt;
	struct control_map map;
	struct sock_fprog filter;
	struct tracees tracees;
	struct identity *identity;
	struct book book;
	struct recorder recorder;
	struct stacks *stacks; /* NULL: not wanted */
	struct orders orders;
	struct memory reads; /* what `memory` reads */
	struct mem_reader memory;

	pid_t first_pid;  /* the started target, or -p's first PID */
	int first_status; /* wait status of it; -1 while it lives */
	int status_fd;    /* of --status, -1: none */
	int attached;     /* -p */
	struct {
		struct root {
			pid_t pid;
			int status; /* wait status; -1 while it lives */
		} * at;
		size_t len, cap;
	} roots;           /* of -p */
	uint64_t left_out; /* their descendants that are not traced */
	struct map epochs; /* CPU -> uint64_t (heap): CLOCK_MONOTONIC at 0 of its clock; mend.c */
	int detached;      /* the supervisor asked for it */
	int leaving;       /* -p is over: who is let go on makes no more stops at calls */

	struct colocate colocate;
	uint64_t record_ns;                 /* cost of a record; 0: not measured */
	uint64_t near_stop_ns, far_stop_ns; /* cost of a stop, with the target on our CPU and not */
	uint64_t lost;                      /* calls known to have been missed */
	uint64_t calls_stopped;
	uint64_t ignored_signal_interruptions;
	struct {
		unsigned int sqpoll : 1, packet_tx : 1, packet_rx : 1, xdp : 1, io_uring : 1;
		unsigned int untraced_clones : 1, own_filter : 1, no_tsc : 1;
	} seen;
	char unprivileged[16]; /* the first program that lost privileges by being traced; "" */
	struct launch {
		const char *path; /* the target's file: its execve(path) is the first call that
				     counts */
		char **environ;   /* the target's; made before the fork, as the child is traced */
		struct launch_shared *shared;
		struct recorder_cost cost;
	} launch;
	struct stops stops; /* taken from wait4, not yet handled */
};

/* trace is the parsed --trace set. On failure nothing is left to release. */
int session_init(struct session *s, const struct options *opt, struct err *err);
void session_release(struct session *s);

/* The last act of the tracing thread: what is still in a call never returned to us. */
void session_end(struct session *s);

/* ---- loop.c ---- */
/* Runs until the last tracee is gone or the supervisor detaches. 0 or a negative errno. */
int session_loop(struct session *s, struct err *err);
/* Handles the next stop or death, without waiting for one: 1, 0 (none), -ECHILD (nobody is left).
 */
int session_poll(struct session *s);

/* ---- calls.c ---- */
/* 1 if that execve is the target's own, the first call that counts (launch.c). */
int launch_is_target(const struct session *s, long nr, uint64_t path_addr);
void call_entry(struct session *s, struct tracee *t, const struct stop *stop);
/* PTRACE_EVENT_SECCOMP: an entry, unless that was seen by its own stop. */
void call_filtered(struct session *s, struct tracee *t, const struct stop *stop);
void call_exit(struct session *s, struct tracee *t, const struct stop *stop);
/* Puts back an argument that clone_entry changed in owner, in t (owner itself or its child). */
void call_restore_arg(struct session *s, const struct tracee *owner, const struct tracee *t);
/* The thread dies, or goes on as another program, inside the call. stopped: in a stop of its own,
 * its registers can be read. */
void call_no_return(struct session *s, struct tracee *t, int stopped);

/* ---- lifecycle.c ---- */
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
/* wait4 said that tid is gone. */
void lifecycle_gone(struct session *s, pid_t tid, int status);

#define SESSION_PTRACE_OPTIONS                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |  \
		PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

#endif
