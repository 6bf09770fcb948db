/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_PATHS_H
#define TRACER_PATHS_H

#include <stddef.h>
#include <sys/types.h>

#include "tracer/decode/decode.h"

/*
 * -P: is a call about one of some paths? As strace(1) has it: it names the path, as it was given
 * or as it is without links, or has a descriptor that is open there, as /proc says.
 */
struct paths {
	char **at; /* heap, both */
	size_t len, cap;
};

/* Adds the path and, where it is another, what it is without links. */
void paths_add(struct paths *p, const char *path);
void paths_release(struct paths *p);
/* Of a thread that stands at the entry of the call. */
int paths_match(
	const struct paths *p, pid_t tid, const struct sys_event *ev, const struct mem_reader *mem);

#endif
