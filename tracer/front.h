/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FRONT_H
#define TRACER_FRONT_H

#include <sys/types.h>

#include "common/base/err.h"

/*
 * With -p two processes: the one that was started, which passes signals on and ends as the other
 * does, and its child, which traces. Who kills the one that was started (kill -9 of a pid, of a
 * job, a runner's limit) does not kill the tracer, which is told (SIGTERM) and leaves in order: the
 * end of a ptracing process disturbs threads that are stopped, or make calls for it.
 *
 * Returns 0 in the child, 1 in the parent when the child has ended, with the status to exit with,
 * or a negative errno. one_group: both are in the process group of the caller, for a screen that
 * reads keys; else the child has one of its own. No other thread runs yet.
 */
int front_split(int one_group, int *ret_status, struct err *err);
/* 1 if the process is one of the two. */
int front_is_us(pid_t pid);

#endif
