/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STOPS_H
#define TRACER_STOPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/map.h"

/* A stop or death, as wait4 told of it. */
struct stop {
	pid_t tid;
	int status;
	uint64_t at_ns;  /* CLOCK_MONOTONIC, when it was taken */
	uint64_t cpu_ns; /* of a process's death: CPU time that it has used; UINT64_MAX: not read */
};

/*
 * Stops that were taken from wait4 and are not handled yet: those whose turn comes, oldest first,
 * and those of threads that nobody has announced, which wait until somebody does. Zeroed storage
 * is an empty one.
 */
struct stops {
	struct stop *at;
	size_t len, cap, head; /* those before head have been taken */
	struct stop in_hand;   /* the one that was taken last */
	/* Stops since it was looked whether others wait, and how many that may be: loop.c. */
	unsigned int unlooked, alone;
	struct map held; /* tid -> struct stop (heap) */
	/*
	 * A signal whose stop was taken from wait4 is lost if the tracer is killed then: the thread
	 * goes on without it, behind a call that was trapped (trap.h) too. careful: such a stop is
	 * only looked at, and over when the thread goes on; until then no other one is waited for.
	 */
	int careful;
	pid_t looked_at;       /* whose stop is queued so; 0: none */
	unsigned int in_a_row; /* looks at which somebody waited already */
	/*
	 * A process has a clock until its death is taken, so deaths are looked at first. That costs
	 * a call, so it is done only while there are threads that have stopped at their end
	 * (PTRACE_EVENT_EXIT) and are not dead yet, and where a death may come without that: who is
	 * killed in another stop goes from that into its last one, and on when we let go of the
	 * former.
	 */
	struct map ending; /* tid -> itself */
	unsigned int wary; /* so many looks more */
};

void stops_release(struct stops *q);

/* Queues a stop that was taken from wait4 elsewhere, and stamps it. */
void stops_push(struct stops *q, pid_t tid, int status);
/* Queues the next stop of anybody. flags: of wait4. 1, 0 (WNOHANG: there is none) or a negative
 * errno, -ECHILD: nobody is left. */
int stops_wait(struct stops *q, int flags);
/* The oldest one; 0: there is none. */
int stops_take(struct stops *q, struct stop *ret);
size_t stops_count(const struct stops *q);
/* CPU time that a process had used, whose death was taken last or is queued; UINT64_MAX: none is,
 * or its clock was not read. */
uint64_t stops_death_ns(const struct stops *q, pid_t pid);

/* Keeps a stop, the thread's only one, until stops_unhold or stops_forget. */
void stops_hold(struct stops *q, const struct stop *stop);
int stops_is_held(const struct stops *q, pid_t tid);
/* It is handled next, before all that are queued, if the thread has not left it meanwhile. */
void stops_unhold(struct stops *q, pid_t tid);
void stops_forget(struct stops *q, pid_t tid);

#endif
