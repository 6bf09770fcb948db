/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The event loop: takes stops from wait4, stamps them at once, says what kind each is and hands it
 * on. Kernel behaviour it relies on is in ptrace(2), "Stopped states".
 */
#include "tracer/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/arch/regs.h"
#include "tracer/calls.h"
#include "tracer/trap/dispatch.h"
#include "tracer/dispositions.h"
#include "tracer/lifecycle.h"
#include "tracer/live/live.h"
#include "tracer/mend.h"
#include "tracer/resume.h"
#include "tracer/serial.h"
#include "tracer/session.h"
#include "tracer/status.h"
#include "tracer/trap/trap.h"

#define SYSCALL_STOP  (SIGTRAP | 0x80)
#define STOPS_AT_ONCE 256
#define UNLOOKED_MAX  7

/* ---- kinds of stops ---- */

/* The stop that was asked for when the thread was seized, or another one that came before it: any
 * ends the request (kernel/signal.c, ptrace_stop). One in a fork is behind the copy by then. */
static void attached(struct session *s, struct tracee *t)
{
	t->state = TRACEE_RUNNING;
	if (!t->unseen)
		return;
	tracees_unseen(t, 0);
	dispatch_begin(s, t);
}

/* Out of the stub at a stop that is none of a signal. 1: not yet, one that is about where the
 * thread is comes next. */
static int leave_ours(struct session *s, struct tracee *t)
{
	if (s->recorder.dispatch && trap_is_pending(t))
		return 1;
	recorder_leave(&s->recorder, t, 0);
	return 0;
}

static void group_stop(struct session *s, struct tracee *t, const struct stop *stop)
{
	int signal = WSTOPSIG(stop->status), later;

	if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
		t->call_is_ours = (uint8_t)leave_ours(s, t);
		dispatch_lift_for_signal(s, t); /* its call may have a mask of its own */
		if (s->leaving)
			dispatch_depart(s, t);
		/* Stays stopped, as it would without us, until SIGCONT. */
		t->listening = 1;
		ptrace(PTRACE_LISTEN, t->tid, NULL, NULL);
		return;
	}
	if (t->state == TRACEE_NEW) {
		lifecycle_first_stop(s, t);
		return;
	}
	later = leave_ours(s, t);
	t->asked = 0;
	/* After a group stop the call is interrupted as it would be without us. */
	if (!t->listening)
		mend_stopped(s, t);
	if (s->leaving)
		dispatch_depart(s, t);
	resume(s, t, 0);
	t->asked = (uint8_t)later; /* at its next stop; before it nothing may come in between */
}

/* The kernel queues even ignored signals for a traced thread, and that interrupts its call. */
static void note_ignored_signal(struct session *s, struct tracee *t, int signal)
{
	struct user_regs_struct regs;
	long result;

	if (regs_get(t->tid, &regs) < 0 || !regs_in_call(&regs))
		return;
	result = regs_result(&regs);
	if (result != -EINTR && (result > -512 || result < -516))
		return;
	if (disposition_ignores(t->tid, signal))
		s->ignored_signal_interruptions++;
}

/* 1 if the signal is no signal but a call. */
static int trapped(struct session *s, struct tracee *t)
{
	struct ptrace_syscall_info info;

	if (!trap_call(t, &info))
		return 0;
	call_trapped(s, t, &info);
	resume(s, t, 0);
	return 1;
}

/* It waits for the thread as it came, but for what the kernel lets nobody say of another process:
 * that is put in when it comes. */
static void send_again(struct tracee *t, siginfo_t *info)
{
	pid_t pid = t->process->pid;

	if (info->si_code < 0 && info->si_code != SI_TKILL &&
		syscall(SYS_rt_tgsigqueueinfo, pid, t->tid, info->si_signo, info) == 0)
		return;
	t->again = *info;
	tgkill(pid, t->tid, info->si_signo);
}

/* info: of the signal that comes, and then what it was. */
static void came_again(struct tracee *t, siginfo_t *info)
{
	if (t->again.si_signo != info->si_signo)
		return;
	/* 0: in a pid namespace of its own it does not see us. */
	if (info->si_code == SI_TKILL && (info->si_pid == getpid() || !info->si_pid)) {
		*info = t->again;
		ptrace(PTRACE_SETSIGINFO, t->tid, NULL, info);
	}
	t->again.si_signo = 0;
}

/*
 * A SIGSYS that is none of ours, where the program blocks it (and got it because we do not), or
 * where our handler is in the place of what it wants for it. It comes again when both are as the
 * program wants them. 1: so it is.
 */
static int comes_again(struct session *s, struct tracee *t, siginfo_t *info)
{
	int blocked = t->trap == TRAP_SET && t->sigsys_blocked;

	if (!(blocked || t->process->guarded))
		return 0;
	if (!blocked && t->process->was[0] == (uint64_t)(uintptr_t)SIG_IGN)
		return 1; /* for good */
	dispatch_lift(s, t);
	if (blocked)
		t->trap = TRAP_NONE; /* for good: it would come each time */
	else
		recorder_unguard(&s->recorder, t);
	send_again(t, info);
	return 1;
}

/* 1 if the stop is that of dispatch_lift_for_signal(). */
static int stepped(struct session *s, struct tracee *t, int signal)
{
	int was = t->stepping;

	t->stepping = 0;
	if (!was || signal != SIGTRAP)
		return 0;
	disposition_block_trap(t->tid); /* no handler: it has gone a step */
	trap_mend_frame(t);
	resume(s, t, 0);
	return 1;
}

/*
 * 1 if the thread is not in that stop any more: its number may be that of another thread of its
 * process by now, which has killed it by execve and is in the stop that tells of it. The signal
 * must not come to the new program. Else *ret_info is the signal's.
 */
static int is_over(const struct tracee *t, int signal, siginfo_t *ret_info)
{
	return ptrace(PTRACE_GETSIGINFO, t->tid, NULL, ret_info) < 0 ||
	       ret_info->si_signo != signal;
}

static void signal_stop(struct session *s, struct tracee *t, int signal)
{
	siginfo_t info;

	if (signal == SIGSYS && trapped(s, t))
		return;
	if (is_over(t, signal, &info))
		return;
	came_again(t, &info);
	if (stepped(s, t, signal))
		return;
	note_ignored_signal(s, t, signal);
	mend_signal(t, signal);
	signal = recorder_leave(&s->recorder, t, signal);
	if (signal == SIGSYS && !is_over(t, signal, &info) && comes_again(s, t, &info))
		signal = 0;
	/* Its handler may block SIGSYS, and see what mask there was. */
	if (signal && dispatch_lift_for_signal(s, t)) {
		t->stepping = 1;
		resume_step(s, t, signal);
		return;
	}
	dispatch_ask_next(s, t);
	resume(s, t, signal);
}

static void syscall_stop(struct session *s, struct tracee *t, const struct stop *stop)
{
	int gone_on = 0;

	if (t->in_call) {
		call_exit(s, t, stop);
		mend_exit(t);
		/* One that was interrupted may have another mask until it is taken up again, or the
		 * handler runs by which it ends. */
		if (!t->in_call && t->ev.outcome == SYS_RETURNED && t->ev.ret != -EINTR)
			dispatch_again(s, t);
		dispatch_ask_next(s, t);
	} else if (!s->leaving) {
		call_entry(s, t);
		gone_on = mend_entry(s, t);
	} else {
		dispatch_ask_next(s, t);
		if (!mend_take_back(t))
			gone_on = mend_entry(s, t);
	}
	if (!gone_on)
		resume(s, t, 0);
}

static void event_stop(struct session *s, struct tracee *t, const struct stop *stop, int event)
{
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		call_filtered(s, t);
		break;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		lifecycle_child(s, t);
		break;
	case PTRACE_EVENT_EXIT:
		tracees_read_comm(&s->tracees, t);
		/* Who ends last is known when it was the last one. */
		t->process->ending |= t->tid == t->process->pid;
		if (!s->attached && t->process->pid == s->first_pid && t->process->ending)
			outside_end(&s->outside, s->first_pid);
		call_no_return(s, t, 1);
		/* What it made before it was killed, it will not announce. */
		tracees_cloning(&s->tracees, t, CLONING_NOT);
		lifecycle_adopt_orphans(s);
		break;
	case PTRACE_EVENT_STOP:
		group_stop(s, t, stop);
		return;
	default:
		break;
	}
	resume(s, t, 0);
}

static void dispatch(struct session *s, const struct stop *stop)
{
	int event = stop->status >> 16;
	struct tracee *t;

	if (!WIFSTOPPED(stop->status)) {
		lifecycle_gone(s, stop);
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		t = lifecycle_exec(s, stop->tid);
	else
		t = tracees_get(&s->tracees, stop->tid);
	/* Those of our own child, which measures what a stop costs, slow no program. */
	if (!t || t->state != TRACEE_LAUNCH)
		book_stop(&s->book, stop->at_ns, s->colocate.active);
	if (!t) {
		lifecycle_unannounced(s, stop);
		return;
	}
	serial_stop(s, t, stop->at_ns);
	t->overtaken = 0;
	if (t->state == TRACEE_ATTACH)
		attached(s, t);
	if (event)
		event_stop(s, t, stop, event);
	else if (WSTOPSIG(stop->status) == SYSCALL_STOP)
		syscall_stop(s, t, stop);
	else
		signal_stop(s, t, WSTOPSIG(stop->status));
}

/* ---- taking stops ---- */

/*
 * All that wait are taken at once, so that their stamps are not those of the queue and none starves
 * behind a busy one. Where nobody else waited it is not looked each time: at the next stop but one,
 * but three, and so on.
 */
static void take_others(struct session *s)
{
	struct stops *q = &s->stops;
	size_t before = stops_count(q);

	if (tracees_count(&s->tracees) < 2)
		return;
	if (q->unlooked < q->alone) {
		q->unlooked++;
		return;
	}
	q->unlooked = 0;
	while (stops_count(q) < STOPS_AT_ONCE && stops_wait(q, WNOHANG) > 0)
		;
	q->alone = stops_count(q) > before ? 0 : q->alone * 2 + 1;
	if (q->alone > UNLOOKED_MAX)
		q->alone = UNLOOKED_MAX;
}

/*
 * Waits for a stop; 1 when there is one, 0 when not (an order, a stop that is over), -ECHILD when
 * nobody is left.
 */
static int next_stop(struct session *s, struct stop *ret)
{
	if (!stops_count(&s->stops)) {
		int rc = stops_wait(&s->stops, recorder_is_busy(&s->recorder) ? WNOHANG : 0);

		if (rc <= 0)
			return rc == -EINTR ? 0 : rc;
		take_others(s);
	}
	return stops_take(&s->stops, ret);
}

int loop_poll(struct session *s)
{
	struct stop stop;

	while (!stops_take(&s->stops, &stop)) {
		int rc = stops_wait(&s->stops, WNOHANG);

		if (rc <= 0)
			return rc;
	}
	dispatch(s, &stop);
	return 1;
}

/* ---- orders ---- */

static void signal_all(struct session *s, int signal)
{
	struct map_iter it = {0};

	if (signal == SIGKILL)
		s->stops.wary = UINT_MAX; /* for good */
	while (map_next(&s->tracees.processes, &it))
		kill((pid_t)it.key, signal);
}

static void obey(struct session *s, struct order *order)
{
	order->at_ns = recorder_turn(&s->recorder, order->at_ns);
	switch (order->kind) {
	case ORDER_BEGIN:
		book_begin(&s->book, order->at_ns);
		cputime_window_begins(&s->cputime, &s->tracees, &s->stops);
		break;
	case ORDER_END:
		book_end(&s->book, order->at_ns);
		cputime_window_ends(&s->cputime, &s->tracees, &s->stops);
		break;
	case ORDER_MARK:
		book_mark(&s->book, order->name, order->at_ns);
		free(order->name);
		break;
	case ORDER_SIGNAL:
		signal_all(s, order->signal);
		break;
	case ORDER_STATUS:
		status_write(s->status_fd, &s->book, order->at_ns);
		break;
	case ORDER_TICK:
		live_put(s->live, s, 0);
		break;
	case ORDER_DETACH:
		s->detached = 1;
		break;
	}
}

int loop_run(struct session *s, struct err *err)
{
	/* Until -ECHILD: a child can be there whose maker died before it could announce it. */
	while (!s->detached) {
		struct order order;
		struct stop stop;
		int rc = next_stop(s, &stop);

		while (orders_pending(&s->orders) && orders_take(&s->orders, &order))
			obey(s, &order);
		recorder_tick(&s->recorder);
		if (rc == 0) {
			serial_awake(s);
			continue;
		}
		if (rc == -ECHILD) {
			lifecycle_vanished(s);
			return 0;
		}
		if (rc < 0)
			return err_set(err, rc, "wait4: %s (%zu threads were still under control)",
				strerror(-rc), tracees_count(&s->tracees));
		dispatch(s, &stop);
	}
	return 0;
}

void loop_end(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		tracees_read_comm(&s->tracees, t);
		call_no_return(s, t, 0);
		if (t->mm->recorder)
			recorder_mm_account(&s->recorder, t->mm->recorder);
	}
	recorder_sweep(&s->recorder);
	cputime_count(&s->cputime, &s->tracees, &s->stops);
	book_close(&s->book, clock_mono_ns());
}
