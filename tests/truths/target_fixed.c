/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a file is written in calls of one to eight parts of a byte. A call costs many times what a
 *     part costs, so what a call costs by itself follows from the sizes.
 * modes: auto
 * says: gathered for up to 1 ms, ... of 7,000 calls would not be made; at least ... ns each,
 *     the low end of its fixed cost
 * never: that moved few bytes took no longer
 * never: what a call that does nothing took here
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
