/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_CPUTIME_H
#define TRACER_CPUTIME_H

#include <stdint.h>
#include <sys/types.h>

#include "tracer/book.h"

struct process;
struct res_result;
struct stops;
struct tracees;

/*
 * The CPU time of the traced processes, user and system, by the phases of the book. The kernel has
 *a clock of each process (clock_process_ns()), with all its threads, those that have ended too; it
 *is read at the begin and end of the window, when the process has died and is not taken yet, and
 *where it is left. A clock that could not be read at death makes the time of that phase unknown.
 *
 *	begin -- window begins -- window ends -- end | count
 *
 * The time of a thread that runs is as of the scheduler's last tick: at the window's edges each
 * running thread may be 1 to 10 ms behind (CONFIG_HZ), never at a process's end.
 */
struct cputime {
	enum book_phase phase; /* in which what is read next was used */
	struct cputime_phase {
		uint64_t ns;
		uint64_t unread; /* processes whose clock could not be read */
	} phases[PHASE_COUNT];
	pid_t unread_pid; /* the first of them */
};

/* struct process.cpu_ns: of one that does not count. */
#define CPUTIME_NOT_COUNTED UINT64_MAX

void cputime_init(struct cputime *c, int wants_window);
/* What the process has used before is not counted: it is attached to, or executes the target. One
 * that is born under control needs no begin. */
void cputime_begin(struct cputime *c, struct process *p);
/* It is dead; cpu_end_ns has what was read then. */
void cputime_end(struct cputime *c, struct process *p);
void cputime_window_begins(
	struct cputime *c, const struct tracees *tracees, const struct stops *stops);
void cputime_window_ends(
	struct cputime *c, const struct tracees *tracees, const struct stops *stops);
/* Those that live, up to now, and those whose death is queued, so that it counts in this phase; of
 * one that cannot be read the time is not known. */
void cputime_count(struct cputime *c, const struct tracees *tracees, const struct stops *stops);
/* Fills cpu_ns of the run and its phases, whose rows are there, and warns of what could not be
 * read. */
void cputime_result(const struct cputime *c, struct res_result *r);

#endif
