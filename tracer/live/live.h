/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_LIVE_H
#define TRACER_LIVE_LIVE_H

#include "common/base/err.h"

struct options;
struct session;
struct live;

/*
 * --interval and --live: a thread that prints what the tracing thread has counted. It takes
 * snapshots and never keeps the tracing thread waiting: one that it could not print yet is
 * replaced by the next, whose interval is then longer.
 *
 *	live_new (opens the terminal), live_start, live_put ..., live_finish, live_free
 */

/* *ret NULL: neither was asked for. -ENOTTY: there is no terminal for the screen. */
int live_new(struct live **ret, const struct options *opt, struct err *err);
/* What a terminal sends is blocked, in this thread and those that it starts from now on. */
void live_block_signals(struct live *l);
int live_start(struct live *l, struct err *err);
/* Readable when the processes are to be left (q); -1: never. */
int live_quit_fd(const struct live *l);
/* By the tracing thread, after a sweep: all that is counted now. last: no more will come. */
void live_put(struct live *l, struct session *s, int last);
/* Prints what was put, and gives the terminal back. 0, or what kept lines from being written to
 * standard output, in which case nothing more may be. All take NULL. */
int live_finish(struct live *l);
void live_free(struct live *l);

#endif
