/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/asks.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int asks_receives(const struct sys_def *def)
{
	return (def->reads && !def->offset) ||
	       (def->class == CLASS_NETWORK && strncmp(def->name, "recv", 4) == 0);
}

static int tells(const struct sys_event *ev)
{
	return ev->def->class == CLASS_WAIT && (ev->def->sets & SET_IO) && sys_ok(ev) &&
	       ev->ret > 0;
}

/* EAGAIN of a call that waits is the end of its time limit (SO_RCVTIMEO). */
static int is_empty(const struct sys_event *ev)
{
	return ev->outcome == SYS_RETURNED && ev->ret == -EAGAIN &&
	       (ev->blocking != BLOCKING_YES || (sys_flags(ev) & MSG_DONTWAIT));
}

int asks_add(struct asks *a, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id), fd = rows_id(ev->fd_id);
	int empty, again;

	if (tells(ev))
		a->told[thread]++;
	if (!fd || !asks_receives(ev->def))
		return 0;
	empty = is_empty(ev);
	again = thread && empty && a->fds[fd].thread == thread &&
		a->fds[fd].told == a->told[thread];
	a->fds[fd].thread = empty ? thread : 0;
	a->fds[fd].told = a->told[thread];
	return again;
}
