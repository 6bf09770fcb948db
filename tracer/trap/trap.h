/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRAP_TRAP_H
#define TRACER_TRAP_TRAP_H

#include "tracer/tracee.h"

struct ptrace_syscall_info;

/*
 * The trap for targets that get no filter of ours, as they run already (-p) or by --trap=dispatch:
 * Syscall User Dispatch, set from outside, thread by thread. While it is set a call is made without
 *a stop where the stub makes it (arch_stub_range), and is a signal-delivery stop for SIGSYS
 *everywhere else: nothing of it is done yet, as at a filter's stop, but that it would have to be
 *made again.
 *
 *	a stop at a call's entry -> the recorder leads it to the stub (recorder/enter.c): trap_set
 *	a SIGSYS stop            -> trap_call: likewise; or, for a call that is not recorded,
 *	                            trap_lift, the thread is before it, and stops at its entry and
 *	                            exit as ever
 *	its exit                 -> trap_set
 *	a signal                 -> trap_lift, before its handler runs: it may block SIGSYS
 *
 * The kernel forces that SIGSYS: where it is blocked it would unblock it, and forget a handler. So
 * while the trap is set SIGSYS is not blocked; what the program wants is kept in the tracee and
 * put back before it can be looked at, which it can by calls only that stop. Clone, fork and exec
 * clear the trap.
 */

/* Why the trap cannot be used for a stopped thread: static text, trap_unknown if it is so for all
 * of them; NULL: it can. */
const char *trap_refused(const struct tracee *t);
extern const char trap_unknown[], trap_is_the_programs[];
/* Of a stopped thread that has it lifted, outside a call; else nothing is done. */
void trap_set(struct tracee *t);
/* Of one that has it set; else nothing is done. */
void trap_lift(struct tracee *t);
/* Of one that may have it set though we do not know of it. */
void trap_clear(const struct tracee *t);
/* 1 if it is set, or was lifted in a call with a mask of its own, and SIGSYS is not blocked yet. */
int trap_is_to_settle(const struct tracee *t);
/*
 * The same before a signal is delivered. Where a call has set a mask of its own until its end
 * (sigsuspend), that must not be touched, and the one that is put back after it lacks SIGSYS. 1:
 * the thread is to go on for one step, to the begin of the handler, if there is one, and there its
 * frame is to be mended.
 */
int trap_lift_for_signal(struct tracee *t);
void trap_mend_frame(struct tracee *t);
/*
 * Of a thread that is about to end a signal's handler, at that call's entry or trapped before it:
 * the trap is set for what follows. 0: it cannot, the mask that is put back has SIGSYS in it.
 */
int trap_return(struct tracee *t);
/* At the entry of a call, or when the thread is left: the mask is the program's, if it could not be
 * before. */
void trap_settle(struct tracee *t);
/* For calls that the thread makes for us meanwhile (recorder/remote.c), with all signals blocked.
 */
void trap_pause(const struct tracee *t);
void trap_go_on(const struct tracee *t);

/* 1 if the signal stop is of a call that was trapped. *ret is then as at a filter's stop. */
int trap_call(const struct tracee *t, struct ptrace_syscall_info *ret);
/* 1 if a signal waits for the stopped thread that the kernel has sent it for what it did just now:
 * a call that was trapped, or a fault, which may be in code of ours. It is the thread's next stop,
 * and about where it is now. */
int trap_is_pending(const struct tracee *t);

#endif
