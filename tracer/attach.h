/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ATTACH_H
#define TRACER_ATTACH_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"

struct launch_setup;
struct session;

/*
 * Seizes the processes of -p with all their threads, and with --tree their descendants, and asks
 * each thread to stop once, so that its calls can be seen. They get no filter and no EXITKILL:
 * nothing of ours may outlive us in them. On failure some may be seized: leave_attached lets them
 * go.
 */
int attach_processes(struct session *s, struct err *err);

/* Before that, and before a target without a filter of ours is launched (session.launch.path NULL):
 * a child that has one and measures, to its end. */
int attach_probe(struct session *s, const struct launch_setup *setup, struct err *err);

/* One sentence about descendants that are not traced into text of n bytes; 0: there are none. */
int attach_left_out(const struct session *s, char *text, size_t n);

#endif
