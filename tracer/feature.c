/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/feature.h"

#include <linux/prctl.h>
#include <string.h>

#include "tracer/recorder/patch.h"
#include "tracer/session.h"

const char feature_no_tsc[] = "the thread may not read the time stamp counter (PR_SET_TSC)";

enum feature feature_of(const struct sys_event *ev)
{
	if (strcmp(ev->def->name, "prctl") != 0)
		return FEATURE_NONE;
	switch ((int)ev->args[0]) {
	case PR_SET_TSC:
		return (int)ev->args[1] == PR_TSC_SIGSEGV ? FEATURE_NO_TSC : FEATURE_NONE;
	case PR_SET_SYSCALL_USER_DISPATCH:
		return ev->args[1] == PR_SYS_DISPATCH_OFF ? FEATURE_DISPATCH_OFF : FEATURE_DISPATCH;
	default:
		return FEATURE_NONE;
	}
}

/* Its ranges are of the program's own addresses, so every call must come from its site again: for
 * the other threads too, as the code is theirs. */
static void dispatch_on(struct session *s, struct tracee *t)
{
	t->dispatch = 1;
	recorder_off(&s->recorder, t->mm,
		"the program dispatches its own calls (PR_SET_SYSCALL_USER_DISPATCH)");
	if (t->mm->recorder)
		patch_take_back(t);
}

void feature_set(struct session *s, struct tracee *t)
{
	switch (feature_of(&t->ev)) {
	case FEATURE_NO_TSC:
		s->seen.no_tsc = 1;
		recorder_thread_off(&s->recorder, t, feature_no_tsc);
		break;
	case FEATURE_DISPATCH:
		dispatch_on(s, t);
		break;
	case FEATURE_DISPATCH_OFF:
		t->dispatch = 0;
		break;
	case FEATURE_NONE:
		break;
	}
}
