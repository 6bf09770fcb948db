/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_CALL_H
#define AGG_CALL_H

#include <stdint.h>
#include <sys/socket.h>

#include "common/base/units.h"
#include "tracer/event.h"

/* How a call counts: calls = the sum of the four. */
enum call_fate { CALL_OK, CALL_ERROR, CALL_INTERRUPTED, CALL_NO_RETURN, CALL_FATES };

/*
 * An event with what every counter asks of it, worked out once. A call that failed moved nothing,
 * whatever its measure says: both moved counts are NOT_MEASURED unless it was ok.
 */
struct call {
	const struct sys_event *ev;
	enum call_fate fate;
	uint64_t wall_ns; /* 0 if it did not come back */
	uint64_t bytes_moved, batch_moved;
};

static inline enum call_fate call_fate(const struct sys_event *ev)
{
	if (ev->outcome == SYS_NO_RETURN)
		return CALL_NO_RETURN;
	/* A row that is always ok has no result: what looks like one may look interrupted too. */
	if (sys_ok(ev) || ev->def->always_ok)
		return CALL_OK;
	return ev->outcome == SYS_INTERRUPTED ? CALL_INTERRUPTED : CALL_ERROR;
}

static inline struct call call_of(const struct sys_event *ev)
{
	struct call c = {.ev = ev,
		.fate = call_fate(ev),
		.bytes_moved = NOT_MEASURED,
		.batch_moved = NOT_MEASURED};

	if (c.fate != CALL_NO_RETURN && ev->exit_ns > ev->entry_ns)
		c.wall_ns = ev->exit_ns - ev->entry_ns;
	if (c.fate == CALL_OK) {
		c.bytes_moved = ev->m.bytes_moved;
		c.batch_moved = ev->m.batch_moved;
	}
	return c;
}

/* 1 if a call with these flags (MSG_*) on its file waits where it must; so if that is not known. */
static inline int call_may_wait(const struct sys_event *ev, uint64_t flags)
{
	return !(flags & MSG_DONTWAIT) && ev->blocking != BLOCKING_NO;
}

/* Adds v to a sum, unless it was not measured. */
static inline void call_sum(uint64_t *sum, uint64_t v)
{
	if (v != NOT_MEASURED)
		*sum = sat_add(*sum, v);
}

#endif
