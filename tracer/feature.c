/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/feature.h"

#include <linux/prctl.h>
#include <string.h>

#include "tracer/event.h"

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
