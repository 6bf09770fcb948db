/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_GATHER_H
#define AGG_GATHER_H

#include "common/model/result.h"
#include "tracer/agg/names.h"
#include "tracer/event.h"

/*
 * What gathering would save: how many calls fewer there were if what one thread sends on one
 * descriptor by one kind of call were held back and sent together. Computed as calls are booked, in
 * the order of their ends; docs/ANALYSIS.md has the rules in words.
 *
 * A group is held until it has so many units, or until so long after its first call. That is
 * counted twice: with nothing else that ends a group, and safely, where what is held goes before
 * its thread
 *
 *	- enters a call that sys_waits(), on any descriptor; other sends are among them. One that
 *	  says where in a file it begins waits for no peer: it ends only what may be on a file, but
 *	  for a write where the last one was,
 *	- asks the same about a file again, with no send between,
 *	- makes any other call on the descriptor (receive, sync, seek, dup, close),
 *	- forks, executes or ends,
 *
 * and when a call on the descriptor that is no send ends in another thread, or one begins that
 * sends bytes (no messages, nor to a place in a file).
 *
 * One phase of a run has one. Memory is bounded: AGG_ROWS_MAX places (thread, descriptor, call),
 * and threads and descriptors of ids up to that.
 */
struct gather;
struct gather *gather_new(void);
void gather_free(struct gather *g); /* takes NULL */
void gather_add(struct gather *g, const struct sys_event *ev);
/* Fills r->gathering, a row for each limit of each place with at least two calls, most calls first;
 * warns of what was left out. */
void gather_result(const struct gather *g, const struct agg_names *names, struct res_result *r);

/* 1 if a call of that row ends what is held, so that it must be traced where saved_safely is to be
 * known. */
int gather_needs(const struct sys_def *def);
/* Not all of them were traced: saved_safely is null in each row, for that reason. */
void gather_unknown(struct res_result *r, const char *reason);

#endif
