/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRAP_OWN_FILTER_H
#define TRACER_TRAP_OWN_FILTER_H

#include "tracer/trap/control.h"
#include "tracer/decode/decode.h"

/*
 * A seccomp filter that the target installs itself. Its ERRNO, TRAP, USER_NOTIF and KILL win over
 * our TRACE, so those calls would go unseen. Where its program can answer that for a call we watch,
 * the thread goes on with a stop at every call; where it can only say ALLOW, nothing changes.
 */
enum own_filter {
	OWN_FILTER_NONE,       /* not an installation */
	OWN_FILTER_HARMLESS,   /* only ALLOW for our calls */
	OWN_FILTER_INTERFERES, /* with one at least */
};

/* At the entry of seccomp() or prctl(): reads the program that is about to be installed. */
enum own_filter own_filter_entry(
	const struct sys_event *ev, const struct mem_reader *mem, const struct control_map *map);

/* 1 if it is for all threads of the process (TSYNC), of a call that is an installation. */
int own_filter_for_all(const struct sys_event *ev);

#endif
