/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_REMOTE_H
#define TRACER_RECORDER_REMOTE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

/*
 * Calls that a thread makes for us, in the place of the call at whose entry the filter stopped it.
 * Signals wait meanwhile. Nothing of it counts.
 */
struct remote {
	struct recorder *f;
	struct tracee *t;
	struct user_regs_struct saved, regs;
	uint64_t mask;  /* of blocked signals */
	int64_t result; /* of the last call */
	int begun;      /* one has taken the place of the call at whose entry the thread stopped */
	int gone;       /* the thread died: t->overtaken is set too */
	int stop;       /* its process was stopped meanwhile, and may be still */
	int late;       /* it did not come back, and was asked to stop */
};

/* t is in a stop at a call: at its entry, or trapped (trap.h). 0 or a negative errno. */
int remote_begin(struct remote *r, struct recorder *f, struct tracee *t);
/* t is in another stop, PTRACE_EVENT_STOP; r->saved are its registers. */
int remote_begin_anywhere(struct remote *r, struct recorder *f, struct tracee *t);
/* The raw result, or -ESRCH: the thread is gone. The first one runs where the target's call would
 * have run if its entry has begun, the others at the address `call_at`, a call instruction. */
int64_t remote_call(struct remote *r, uint64_t call_at, long nr, const uint64_t args[6]);
/* The thread goes on with r->regs, in code of ours, until the filter stops it at the call before
 * the address `end`; r->regs are then those there, and the next call takes that one's place. 0,
 * -ESRCH: it is gone, or another negative errno: it does not come there. */
int remote_run(struct remote *r, uint64_t end);
/* The thread is again before its own call, as if it had not yet made it: registers are written by
 * the caller, who may change r->saved before. -ESRCH: it is gone. */
int remote_end(struct remote *r);
/* After remote_begin_anywhere(): it is in a PTRACE_EVENT_STOP again, with r->saved, and what the
 * kernel has still to do about a call that was interrupted it does when the thread goes on.
 * *ret_status: as of wait4. */
int remote_end_anywhere(struct remote *r, int *ret_status);

/* Writes into the target's code and read-only data. 0 or a negative errno. */
int remote_write(const struct tracee *t, uint64_t addr, const void *buf, size_t len);
/* 0, or -EFAULT: not all of it could be read. */
int remote_read(const struct tracee *t, uint64_t addr, void *buf, size_t len);
/* 1 if memory holds these bytes, eight at most. */
int remote_holds(const struct tracee *t, uint64_t addr, const uint8_t *bytes, size_t len);
/* Until remote_flush() pages that are read or written are read once, and what is written comes into
 * them then: for many small changes. Nothing is held where another thread of the mm could run. */
void remote_hold(const struct tracee *t);
/* 0, or a negative errno: not all of it could be written. */
int remote_flush(const struct tracee *t);

#endif
