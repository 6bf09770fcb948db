/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * tries: 3
 * truth: what a call takes is for its parts, of 256 KiB each: entering the kernel is a thousandth.
 * says: pwritev, batch-limit: no gain: || pwritev, batch-limit: cannot tell || pwritev,
 *     batch-limit: no prediction, because its times are no line
 * never: batch-limit: no prediction, because every call moved
 * never: raise the number of units a call asks for
 * never: the cost model says
 * never: (batch-limit)
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

#define PART (256L << 10)

static char bytes[PART];

int main(void)
{
	static const int sizes[] = {8, 1, 8, 2, 8, 4, 8};
	int fd = memfd_create("truth", 0);
	struct iovec v[8];

	memset(bytes, 1, sizeof(bytes));
	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){bytes, PART};
	for (int i = 0; i < 700; i++)
		CHECK(pwritev(fd, v, sizes[i % 7], 0) == sizes[i % 7] * PART);
	return 0;
}
