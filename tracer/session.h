/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SESSION_H
#define TRACER_SESSION_H

#include <linux/filter.h>
#include <stdint.h>

#include "common/base/err.h"
#include "tracer/book.h"
#include "tracer/colocate.h"
#include "tracer/decode/decode.h"
#include "tracer/recorder/recorder.h"
#include "tracer/trap/control.h"
#include "tracer/cputime.h"
#include "tracer/fd/identity.h"
#include "tracer/memory.h"
#include "tracer/options.h"
#include "tracer/orders.h"
#include "tracer/outside.h"
#include "tracer/stacks/stacks.h"
#include "tracer/stops.h"
#include "tracer/tracee.h"

/*
 * One run of the tracer. The tracing thread owns everything here but `orders`:
 *
 *	next stop (loop.c) -> what kind (loop.c) -> call entry and exit (calls.c)
 *	                                         -> clone, exec, exit (lifecycle.c)
 *	finished call -> what it was about and moved (booking.c) -> book (book.c)
 */
struct session {
	const struct options *opt;
	struct control_map map;
	struct sock_fprog filter;
	struct tracees tracees;
	struct identity *identity;
	struct outside outside;
	struct book book;
	struct cputime cputime;
	struct recorder recorder;
	struct {
		struct touched {
			const struct files *files;
			uint32_t first, last;
		} * at;
		size_t len, cap;
	} touched; /* numbers that calls which are not booked yet may have closed: booking.c */
	struct stacks *stacks; /* NULL: not wanted */
	struct live *live;     /* of --live and --interval, main's; NULL: neither */
	struct orders orders;
	struct memory reads; /* what `memory` reads */
	struct mem_reader memory;

	pid_t first_pid;  /* the started target, or -p's first PID */
	int first_status; /* wait status of it; -1 while it lives */
	int status_fd;    /* of --status, -1: none */
	int attached;     /* -p */
	int unfiltered; /* no filter of ours: each call stops, but where the trap (trap.h) is set */
	uint64_t attached_processes; /* that were there */
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
	uint64_t crashed;  /* processes that crashed, but for those whose end is the run's */
	int crash;         /* the signal that the first of them was killed by */
	uint32_t crash_id; /* thread_id of its first thread */
	uint64_t kept;     /* processes in which something of ours stays */
	pid_t kept_pid;    /* the first of them */
	int leaving;       /* -p is over: who is let go on makes no more stops at calls */

	struct colocate colocate;
	struct serial serial;
	uint64_t record_ns;                 /* cost of a record; 0: not measured */
	uint64_t plain_call_ns;             /* of a call that fails at once; 0: not measured */
	uint64_t near_stop_ns, far_stop_ns; /* cost of a stop, with the target on our CPU and not */
	uint64_t lost; /* calls known to have been missed, beside the recorder's */
	uint64_t calls_stopped;
	uint64_t ignored_signal_interruptions;
	struct {
		unsigned int sqpoll : 1, packet_tx : 1, packet_rx : 1, xdp : 1, io_uring : 1;
		unsigned int mapped_file : 1; /* one that can be written by memory */
		unsigned int untraced_clones : 1, own_filter : 1, no_tsc : 1;
	} seen;
	char unprivileged[16]; /* the first program that lost privileges by being traced; "" */
	struct launch {
		const char *path; /* the target's file: its execve(path) is the first call that
				     counts */
		char **environ;   /* the target's; made before the fork, as the child is traced */
		struct launch_shared *shared; /* with the child: launch.c */
	} launch;
	struct filler *filler; /* NULL: no traced process provides what others read */
	struct stops stops;    /* taken from wait4, not yet handled */
};

/* opt stays the caller's. sink takes what the recorder gives (booking.h), and may have s as its
 * ctx. On failure nothing is left to release. */
int session_init(struct session *s, const struct options *opt, const struct recorder_sink *sink,
	struct err *err);
/* From now on a traced process may provide files or memory first: filler.h. */
void session_beware(struct session *s);
void session_release(struct session *s);
/* The threads and fds by their ids, for as long as s. */
struct agg_names session_names(const struct session *s);
/* Calls known to have been missed so far. */
uint64_t session_lost(const struct session *s);

#endif
