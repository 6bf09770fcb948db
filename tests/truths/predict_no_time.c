/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: the more parts, the less there is to write: 256 KiB in one part, 192 KiB in two, 64 KiB
 *     in four. Eight would take less than no time.
 * says: cannot predict: a line comes to no time at all there
 * says: pwritev, batch-limit: no prediction, because a line comes to no time at all at twice the
 *     batch.
 * never: the cost model says
 * never: (batch-limit)
 * never: no gain
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

/* So little that few calls lose their CPU meanwhile, and more than a call costs. */
#define PART (64L << 10)

static char bytes[4 * PART];

static void put(int fd, int parts, long len)
{
	struct iovec v[4];

	for (int i = 0; i < parts; i++)
		v[i] = (struct iovec){bytes, (size_t)(len / parts)};
	CHECK(pwritev(fd, v, parts, 0) == len);
}

int main(void)
{
	int fd = memfd_create("truth", 0);

	memset(bytes, 1, sizeof(bytes));
	for (int i = 0; i < 200; i++) {
		put(fd, 1, 4 * PART);
		put(fd, 2, 3 * PART);
		for (int k = 0; k < 4; k++)
			put(fd, 4, PART);
	}
	return 0;
}
