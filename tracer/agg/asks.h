/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_ASKS_H
#define AGG_ASKS_H

#include "tracer/agg/rows.h"
#include "tracer/event.h"

/*
 * Receipts that need not be made: one finds nothing (EAGAIN), without waiting, and the last of its
 * thread on that descriptor had found nothing, too, since when no epoll, poll or select has told
 * the thread of anything. One such call after others that brought something is how one learns that
 * nothing is left, as an edge-triggered epoll asks for. Zeroed storage has seen nothing.
 */
struct asks {
	uint64_t told[AGG_ROWS_MAX + 1]; /* by thread_id: how often it was told of something */
	struct {
		uint64_t told;   /* then */
		uint32_t thread; /* of the last receipt, if it brought nothing; else 0 */
	} fds[AGG_ROWS_MAX + 1]; /* by fd_id */
};

/* 1 if the call is one of those that this is about. */
int asks_receives(const struct sys_def *def);
/* Every call, in the order of their ends. 1 if it need not have been made. */
int asks_add(struct asks *a, const struct sys_event *ev);

#endif
