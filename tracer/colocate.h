/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_COLOCATE_H
#define TRACER_COLOCATE_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Tracer and target on one CPU, as long as the target is a single thread: they never run at the
 * same time, and a stop then costs no wake-up of another CPU (a fifth of the price, measured).
 *
 * The target inherits the tracing thread's affinity and gets its own back before it could notice or
 * pass it on: at its first clone, fork, vfork, sched_getaffinity or sched_setaffinity.
 */
struct colocate {
	cpu_set_t original; /* as iotrace was started */
	cpu_set_t one;      /* the CPU they share */
	int active;
	uint64_t checked_ns, waited_ns; /* of the last colocate_check */
};

/* The calling thread stays on the CPU where it is; children inherit that. */
void colocate_begin(struct colocate *c);
/* Both may run where iotrace was allowed to. A mask that somebody else has set stays. */
void colocate_end(struct colocate *c, pid_t target);
/* At a stop: parts them when the target spends its time waiting for the CPU, because something else
 * that cannot move runs there. Looks every 50 ms at most. */
void colocate_check(struct colocate *c, pid_t target, uint64_t now_ns);
/* In the child: apart from the tracer, and back, to measure both. Nothing if not active. */
void colocate_leave(const struct colocate *c);
void colocate_return(const struct colocate *c);

#endif
