/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/resume.h"

#include <sys/ptrace.h>

#include "tracer/session.h"

void resume(const struct session *s, struct tracee *t, int signal)
{
	int calls = (!s->leaving || t->mend.deadline_ns) && (t->in_call || t->mode == MODE_SYSCALL);
	enum __ptrace_request request = calls ? PTRACE_SYSCALL : PTRACE_CONT;

	if (t->overtaken)
		return;
	t->quiet = !calls;
	t->listening = 0;
	/* ESRCH: killed since its stop; its death is the next event. */
	if (ptrace(request, t->tid, NULL, (void *)(long)signal) < 0)
		return;
}
