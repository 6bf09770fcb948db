/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/leave.h"

#include <sys/ptrace.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/trap/dispatch.h"
#include "tracer/dispositions.h"
#include "tracer/loop.h"
#include "tracer/mend.h"
#include "tracer/session.h"

#define LOOK_EVERY_US 50
/* A thread that cannot stop (a vfork's parent, a disk that hangs) is not about to enter a call. */
#define ASLEEP_NS     (20 * NS_PER_MS)
#define LIMIT_NS      (5 * NS_PER_SEC)
#define STOPS_AT_ONCE 64

/* 1 if there is something of ours that the thread is in, or may come to. */
static int is_in_ours(const struct tracee *t)
{
	return recorder_is_in(t) && !dispatch_is_out(t);
}

/* 1 if the thread can stop at the entry of a call, has still to be mended after our attach, or has
 * to get out of ours. In a call that stopped at its entry, its exit comes first, which does no
 * harm. */
static int is_unsettled(const struct tracee *t)
{
	if (t->asked || is_in_ours(t))
		return 1;
	return !t->quiet && !t->listening && !t->in_call && t->state != TRACEE_NEW;
}

/* Stops that are there, handled; not without end, for signals may come faster than they are passed
 * on. 0: none is left, 1: there may be more; -ECHILD: nobody is left. */
static int drain(struct session *s)
{
	int rc = 1;

	for (int i = 0; i < STOPS_AT_ONCE && rc > 0; i++)
		rc = loop_poll(s);
	return rc;
}

/* The call in which it waits, or may, goes on afterwards (mend.h). */
static void ask_thread(struct session *s, struct tracee *t)
{
	t->asked = 1;
	if (!t->mend.deadline_ns)
		mend_note(s, t);
	ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
}

static void ask(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		/* Those that were asked already, and those whose call comes by itself. */
		if (!is_unsettled(t) || t->state == TRACEE_ATTACH || t->state == TRACEE_NEW ||
			(t->mend.deadline_ns && !is_in_ours(t)))
			continue;
		ask_thread(s, t);
	}
}

/* Those that were in a call of their own, and are no longer. */
static void ask_missed(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		if (is_in_ours(t) && !t->asked && t->state == TRACEE_RUNNING)
			ask_thread(s, t);
	}
}

/* One thread is needed that makes the calls by which our pages are unmapped. */
static int has_asked(struct session *s, const struct mm *mm)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *t = it.value;

		if (t->mm == mm && (t->asked || t->state == TRACEE_NEW))
			return 1;
	}
	return 0;
}

/* 1 if somebody was asked. */
static int ask_in_waiting(struct session *s)
{
	struct map_iter it = {0};
	int asked = 0;

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		if (!recorder_is_in(t) || t->departed || disposition_state(t->tid) == 'D' ||
			has_asked(s, t->mm))
			continue;
		ask_thread(s, t);
		asked = 1;
	}
	return asked;
}

/* From now on nobody enters our code but those that are on their way. */
static void take_back(struct session *s)
{
	struct map_iter it = {0};

	s->recorder.departing = 1;
	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		if (recorder_is_in(t) && !t->mm->copied)
			recorder_take_back(t);
	}
}

/* In processes with a thread that did not stop something of ours stays, and does nothing. */
static void count_kept(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *t = it.value;

		if (t->tid == t->process->pid && recorder_is_in(t) && !s->kept++)
			s->kept_pid = t->tid;
	}
}

/* 1 if there is somebody to wait for. late: not for those that cannot stop. */
static int unsettled(struct session *s, int late)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *t = it.value;

		if (is_unsettled(t) && (!late || disposition_state(t->tid) != 'D'))
			return 1;
	}
	return 0;
}

/* Stops that were taken: a signal among them that nobody passes on would be lost. */
static void finish(struct session *s)
{
	while (stops_count(&s->stops) && loop_poll(s) > 0)
		;
}

void leave_attached(struct session *s)
{
	uint64_t start;

	s->leaving = 1;
	take_back(s);
	if (drain(s) < 0)
		return;
	ask(s);
	start = clock_mono_ns();
	for (;;) {
		uint64_t waited = clock_mono_ns() - start;
		int more = drain(s);

		if (more < 0)
			return;
		ask_missed(s);
		if (waited > LIMIT_NS)
			break;
		if (!unsettled(s, waited > ASLEEP_NS) && !ask_in_waiting(s))
			break;
		if (!more)
			usleep(LOOK_EVERY_US);
	}
	finish(s);
	count_kept(s);
}
