/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * runs: 5
 * tries: 3
 * truth: a file is written in calls of one to eight parts of a byte, mostly of eight. A call costs
 *     many times what a part costs.
 * says: limited by the batch that the caller makes: ... were given 8
 * says: Time of a call = a + b x units, by least squares
 * says: What larger batches would save:
 * says: writev: predicted from 5 of 5 runs.
 * says: A prediction is of the time in the call alone
 * says: A fixed cost has up to ... of the recorder in it
 * says: larger than any size measured, so wider
 * says: of its time at twice the batch (a new run, 95%: ... to ..., from 5 runs; larger than any
 *     size measured, so wider)
 * never: cannot predict from ... runs; at least 5 are needed
 * never: cannot predict
 * never: at twice the batch. ... comes to no time
 * never: from 5 runs; at least
 * never: tracing slowed the program, so times and batches are those of a slowed one
 * never: no gain: b dominates
 * never: can be used. Runs differ by more
 * never: how far another run may be off cannot be said
 * never: batch-limit: no gain
 * never: Build with another batch and compare
 * never: No call's times can be described as a + b x units
 * never: writev: no model
 * never: its times are no line
 * never: so what a call and what a unit costs cannot be told apart
 * never: pieces of one message
 * never: Nothing that would pay
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	static const int sizes[] = {8, 1, 8, 2, 8, 4, 8};
	int fd = memfd_create("file", 0);
	struct iovec v[8];

	CHECK(fd >= 0);
	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){"x", 1};
	for (int i = 0; i < 7000; i++)
		CHECK(writev(fd, v, sizes[i % 7]) == sizes[i % 7]);
	return 0;
}
