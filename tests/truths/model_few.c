/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: 200 batches of eight and 100 of four: two sizes make any line. 60 calls of another
 *     kind are too few for one.
 * says: writev: no model: 2 sizes of batch with at least 5 calls, at least 3 are needed
 * says: pwritev: no model: 60 calls that moved something, at least 100 are needed
 * says: writev, batch-limit: no prediction, because 2 sizes of batch with at least 5 calls,
 *     at least 3 are needed. Build with another batch and compare: profile-scenario compare ...
 *     NEW with a batch of 16, say.
 * never: so what a call and what a unit costs cannot be told apart
 * never: its time is waiting
 * never: its time may be waiting
 * never: the cost model says
 * never: (batch-limit)
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	int fd = memfd_create("truth", 0), null = t_null();
	struct iovec v[8];

	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){"x", 1};
	for (int i = 0; i < 300; i++) {
		int size = i % 3 ? 8 : 4;

		CHECK(writev(null, v, size) == size);
	}
	for (int i = 0; i < 60; i++)
		CHECK(pwritev(fd, v, 3, 0) == 3);
	return 0;
}
