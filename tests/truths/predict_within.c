/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * tries: 3
 * truth: a file is written in calls of one part mostly, a few of two and of eight: three times
 *     the mean was measured.
 * says: writev: 1 of 1 run can be used. Runs differ by more than the calls of one do
 * says: What larger batches would save:
 * never: larger than any size measured
 * never: Build with another batch
 * never: (batch-limit)
 * never: pieces of one message
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	int fd = memfd_create("file", 0);
	struct iovec v[8];

	CHECK(fd >= 0);
	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){"x", 1};
	for (int i = 0; i < 3000; i++) {
		int size = i % 20 == 0 ? 8 : i % 20 == 1 ? 2 : 1;

		CHECK(writev(fd, v, size) == size);
	}
	return 0;
}
