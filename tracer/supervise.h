/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SUPERVISE_H
#define TRACER_SUPERVISE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "tracer/orders.h"

/*
 * The main thread's half of a run: signals, time limits and the control pipe, turned into orders
 * for the tracing thread.
 */
struct supervise {
	/* given */
	struct orders *orders;
	int done_fd;            /* eventfd: the tracing thread is through */
	int control_fd;         /* -1: none */
	pid_t command;          /* -p PID -- CMD: its pid, 0: none */
	int attached;           /* -p: limits and signals detach */
	uint64_t timeout_at_ns; /* CLOCK_MONOTONIC, UINT64_MAX: never */
	uint64_t begin_at_ns;   /* the window begins; UINT64_MAX: that is not by the clock */
	uint64_t end_at_ns;     /* it ends; likewise */
	uint64_t detach_at_ns;  /* -p --duration: the window is over; UINT64_MAX: never */
	uint64_t status_at_ns;  /* the next line of --status is due; UINT64_MAX: never */
	uint64_t tick_at_ns;    /* the next ORDER_TICK is due; UINT64_MAX: never */
	uint64_t tick_ns;       /* between two of them */
	int quit_fd;            /* readable: detach; -1: never */
	uint64_t grace_ns;
	/* what happened */
	int timed_out;                /* also by the next */
	int cpu_spent;                /* nearly all of the tracer's own CPU time (SIGXCPU) */
	unsigned int signals;         /* INT, TERM, HUP received */
	unsigned int control_unknown; /* lines of the control pipe that mean nothing */
	int command_status;           /* wait status of CMD */
};

/* When the next tick is due after one that was due at at_ns, and is now: what is late does not make
 * the next one late, and what is missed is left out. */
uint64_t supervise_next_ns(uint64_t at_ns, uint64_t every_ns, uint64_t now_ns);
/* INT, TERM and HUP, the signals that are passed on. */
void supervise_signals(sigset_t *ret);
/* Blocks them, and SIGXCPU, in all threads before any is started. */
void supervise_block_signals(void);
/* Returns when the tracing thread is through. 0 or -errno; -EDEADLK: it is not and never will be,
 * only the end of this process ends it and its tracees. */
int supervise_run(struct supervise *v, struct err *err);
/* From now on results are written, which may wait for others: a pipe's reader, a file's server. Who
 * signals then, and again a second later, or 10 s have passed, ends this process with `status`. */
void supervise_writing(int status);

#endif
