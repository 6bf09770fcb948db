/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_TSC_H
#define TRACER_RECORDER_TSC_H

#include <stdint.h>

/*
 * The stub stamps with the CPU's counter; here its ticks become CLOCK_MONOTONIC. Two points far
 * apart give the rate, the newest one the offset: so what is recorded since the last tsc_sync() is
 * off by no more than the reading of the two clocks.
 *
 * While the machine sleeps the clock stands still, and the counter goes on, or begins anew. Between
 * two points it has then jumped: what was stamped before goes by the point before, what was stamped
 * after it by the point after, and the rate by neither.
 */
struct tsc_point {
	uint64_t ticks, ns;
	uint64_t width; /* ticks, within which both were read */
};

#define TSC_JUMPS_MAX 8 /* older ones are forgotten */

struct tsc {
	struct tsc_point first; /* its ticks are what they had been without jumps */
	struct tsc_point now;   /* the newest */
	double ns_per_tick;
	struct tsc_jump {
		struct tsc_point from, to;
	} jumps[TSC_JUMPS_MAX]; /* the latest first */
	unsigned int jumps_len;
};

uint64_t tsc_now(void);
/* Takes the first point. */
void tsc_init(struct tsc *t);
/* Takes a new point; waits until it is a millisecond from the first one. */
void tsc_sync(struct tsc *t);
/* The same with that point, later than the one before. */
void tsc_take(struct tsc *t, const struct tsc_point *p);
/* After a jump not every number is a time: it is one between the first point and the last, or after
 * it, but of two of them the later one may be the smaller. */
uint64_t tsc_to_ns(const struct tsc *t, uint64_t ticks);

#endif
