/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/leave.h"

#include <sys/ptrace.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/arch/regs.h"
#include "tracer/dispositions.h"
#include "tracer/loop.h"
#include "tracer/session.h"

#define LOOK_EVERY_US 50
/* A thread that cannot stop (a vfork's parent, a disk that hangs) is not about to enter a call. */
#define ASLEEP_NS (20 * NS_PER_MS)
#define LIMIT_NS  NS_PER_SEC

/* 1 if the thread can stop at the entry of a call, or has still to be mended after our attach. In a
 * call that stopped at its entry, its exit comes first, which does no harm. */
static int is_unsettled(const struct tracee *t)
{
	return !t->quiet && !t->listening && !t->in_call && t->state != TRACEE_NEW;
}

/* Every stop that is there, handled. -ECHILD: nobody is left. */
static int drain(struct session *s)
{
	int rc;

	while ((rc = loop_poll(s)) > 0)
		;
	return rc;
}

static void ask(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		/* Those that were asked already, and those whose call comes by itself. */
		if (!is_unsettled(t) || t->state == TRACEE_ATTACH || t->mend.deadline_ns)
			continue;
		t->asked = 1;
		ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
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

void leave_attached(struct session *s)
{
	uint64_t start;

	s->leaving = 1;
	if (drain(s) < 0)
		return;
	ask(s);
	start = clock_mono_ns();
	for (;;) {
		uint64_t waited = clock_mono_ns() - start;

		if (drain(s) < 0 || waited > LIMIT_NS || !unsettled(s, waited > ASLEEP_NS))
			return;
		usleep(LOOK_EVERY_US);
	}
}
