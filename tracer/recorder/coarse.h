/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_COARSE_H
#define TRACER_RECORDER_COARSE_H

#include <stdint.h>

struct recorder;
struct recorder_mm;

/*
 * --no-times: a call's record says when it was as a coarse clock says it, a word in the memory of
 * the mm which its calls only read. Calls that change what a number or an address means to others
 * (CLOCK_TELL) are stamped with the time, and set it forward to behind that. So each call lies
 * between the right two of them, which is what the order is for; how long it took is not known.
 *
 * The tracer sets it forward where it has seen a call of the mm end, at each sweep, and where a
 * phase begins. Two mms do not hear of each other: where they have a files table in common, calls
 * on fds stop.
 */

/* The mm, which has its region, gets its clock, unless f->timeless is 0. NULL, or why not: static
 * text. */
const char *coarse_begin(const struct recorder *f, struct recorder_mm *rm);
/* The clocks of all mms say at least that (ticks). */
void coarse_tell_all(const struct recorder *f, uint64_t ticks);

#endif
