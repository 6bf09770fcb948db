/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRAP_DISPATCH_H
#define TRACER_TRAP_DISPATCH_H

struct session;
struct tracee;
struct ptrace_syscall_info;

/*
 * When the trap (trap.h) is set and lifted, with -p and --trap=dispatch. It is set only on a thread
 * that has its block, in a process whose SIGSYS is handled in our pages, and the block is taken
 * away when it is lifted: whatever becomes of the tracer, no thread goes through the stub that is
 * not guarded, and no new thread has another one's block.
 */

/* At the first stop of a thread: may it be used? If not its process says why. */
void dispatch_begin(struct session *s, struct tracee *t);
/* The same at its exec. What was done since to the thread that had its number, and was killed, came
 * to it. */
void dispatch_exec(struct session *s, struct tracee *t);
/* At a stop outside our code and outside a call: sets it, if the thread has a block. */
void dispatch_again(struct session *s, struct tracee *t);
void dispatch_lift(struct session *s, struct tracee *t);
/* The same before a signal is delivered; 1: one step is to follow (trap.h). */
int dispatch_lift_for_signal(struct session *s, struct tracee *t);

/*
 * At a call that ends a signal's handler: the trap is set for what follows, so that there need be
 * no stop at its exit. 1: it is; 0: it is not that call, or it has to be seen whole.
 */
int dispatch_return(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info);

/* ---- leaving ---- */
/* 1 if the thread is in nothing of ours, and comes to nothing of ours, where it is now. */
int dispatch_is_out(const struct tracee *t);
/* Before a thread goes on while we leave: it is asked to stop before it makes another call, which
 * could see what is ours. */
void dispatch_ask_next(const struct session *s, struct tracee *t);
/* At a PTRACE_EVENT_STOP while we leave: nothing of ours is left in the thread, and in its process
 * if it is the last of it. */
void dispatch_depart(struct session *s, struct tracee *t);

#endif
