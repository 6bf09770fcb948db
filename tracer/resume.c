/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/resume.h"

#include <sys/ptrace.h>

#include "tracer/session.h"

static void let_go(
	const struct session *s, struct tracee *t, enum __ptrace_request request, int signal)
{
	if (t->overtaken)
		return;
	/* Any stop ends the request for one (kernel/signal.c, ptrace_stop). */
	if (s->leaving && t->asked)
		ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
	t->quiet = request == PTRACE_CONT;
	t->listening = 0;
	/* ESRCH: killed since its stop; its death is the next event. */
	(void)ptrace(request, t->tid, NULL, (void *)(long)signal);
}

void resume_step(const struct session *s, struct tracee *t, int signal)
{
	let_go(s, t, PTRACE_SINGLESTEP, signal);
}

void resume(const struct session *s, struct tracee *t, int signal)
{
	/* A call's exit is seen while we leave, too: until then the thread is out of our code. */
	int calls = t->in_call || ((!s->leaving || t->mend.deadline_ns) &&
					  t->mode == MODE_SYSCALL && t->trap != TRAP_SET);

	let_go(s, t, calls ? PTRACE_SYSCALL : PTRACE_CONT, signal);
}
