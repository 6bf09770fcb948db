/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_TSC_H
#define TRACER_RECORDER_TSC_H

#include <stdint.h>

/*
 * The stub stamps with the CPU's counter; here its ticks become CLOCK_MONOTONIC. Two points far
 * apart give the rate, the newest one the offset: so what is recorded since the last tsc_sync() is
 * off by no more than the reading of the two clocks.
 */
struct tsc {
	uint64_t first_ticks, first_ns;
	uint64_t ticks, ns;
	double ns_per_tick;
};

uint64_t tsc_now(void);
/* Takes the first point. */
void tsc_init(struct tsc *t);
/* Takes a new point; waits until it is a millisecond from the first one. */
void tsc_sync(struct tsc *t);
uint64_t tsc_to_ns(const struct tsc *t, uint64_t ticks);

#endif
