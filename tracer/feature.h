/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FEATURE_H
#define TRACER_FEATURE_H

struct sys_event;

/*
 * Features of the kernel that a program switches on for a thread by prctl(), and that the recorder
 * must leave alone: from then on that thread's calls stop.
 */
enum feature {
	FEATURE_NONE,
	FEATURE_NO_TSC,       /* PR_SET_TSC: a read of the time stamp counter is a SIGSEGV */
	FEATURE_DISPATCH,     /* Syscall User Dispatch: calls from elsewhere are a SIGSYS */
	FEATURE_DISPATCH_OFF, /* and no longer */
};

/* The reason for FEATURE_NO_TSC, which threads inherit and keep over an exec. */
extern const char feature_no_tsc[];

/* What the call would switch; FEATURE_NONE for all that is no such prctl(). */
enum feature feature_of(const struct sys_event *ev);

#endif
