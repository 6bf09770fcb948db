/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_PROBE_H
#define TRACER_PROBE_H

#include <stdint.h>

#include "tracer/recorder/cost.h"

struct colocate;

/* What tracing costs here, measured in our own child, before it becomes the target, in memory that
 * it shares with us. */
#define PROBE_NEAR 7
#define PROBE_FAR  5
struct probe {
	struct recorder_cost cost;
	uint64_t near_ns[PROBE_NEAR], far_ns[PROBE_FAR]; /* of a call that always stops */
	uint64_t record_ns;
};

/* Before the fork. */
void probe_prepare(struct probe *p, const struct recorder *f);
/* In the child: before the filter is installed, and after. Async-signal-safe. */
void probe_before(struct probe *p);
void probe_after(struct probe *p, struct colocate *c);

/* When the child is through. 0: not measured. */
uint64_t probe_record_ns(const struct probe *p);
uint64_t probe_plain_ns(const struct probe *p); /* of a call that fails at once, untraced */
/* Of a stop, with the target on our CPU and not. */
uint64_t probe_near_stop_ns(const struct probe *p);
uint64_t probe_far_stop_ns(const struct probe *p);

/* Measures it, in half a millisecond: how much less a message takes in a batch than by sendto and
 * by sendmsg, ns. UINT64_MAX: that cannot be measured. */
void probe_gathered(uint64_t *ret_sendto, uint64_t *ret_sendmsg);

#endif
