/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_MEDIAN_H
#define RUNNER_MEDIAN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Which of several runs stands for them all: the one of median window time (of an even number the
 * lower of the two), among those that are complete if any is. Returns its index; len >= 1.
 */
struct median_time {
	uint64_t window_ns;
	int incomplete;
};
size_t median_run(const struct median_time *times, size_t len);

#endif
