/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STATUS_H
#define TRACER_STATUS_H

#include "tracer/book.h"

/*
 * The line of --status, for who watches a run:
 *	SECONDS CALLS [NAME CALLS MESSAGES]
 * seconds since the start, calls so far (of the window, once it has begun), and of the call with
 *the most messages how many calls moved how many. Written over the last one.
 */
void status_write(int fd, const struct book *b, uint64_t now_ns);

#endif
