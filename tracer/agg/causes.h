/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_CAUSES_H
#define AGG_CAUSES_H

#include <stddef.h>

#include "common/model/causes.h"
#include "tracer/event.h"

/*
 * Why the batch of a call was not larger: told from its flags and the file's, from its time, and
 * from what its thread did before and after it; docs/ANALYSIS.md has the rules. Calls come as they
 * are booked, in the order of their ends, from all phases of a run: what was received in one is
 * sent in another.
 *
 * A call that was cut short is judged by the thread's next one on the same descriptor. Memory is
 * bounded: threads, descriptors and pairs of them with an id up to AGG_ROWS_MAX; calls of others
 * are judged by themselves.
 */
struct causes;
/* times: 0 if those of events only say which call came before which: what waits in calls, and gaps
 * between them, would tell is CAUSE_UNKNOWN then. */
struct causes *causes_new(int times);
/* The run was not seen from its start: who sent first is not known. */
void causes_attached(struct causes *c);
void causes_free(struct causes *c);

struct caused {
	const struct sys_def *def;
	uint32_t thread_id, fd_id;
	uint8_t phase;
	enum cause cause;
	int64_t n; /* calls; below 0: of so many that was said before, and is taken back */
};
/* Those that are judged now, of this call and the one before it: returns how many. */
size_t causes_add(
	struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2]);
/* No more calls come: what still waits to be judged or is judged otherwise, one by one; 0: no more.
 */
int causes_end(struct causes *c, struct caused *ret);

#endif
