/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: calls of two parts write 1,000 times what those of one and of three do.
 * says: pwritev: no model: its times are no line: the sizes' mean times lie ... off it, at most 20%
 *     are allowed
 * says: No call's times can be described as a + b x units:
 * never: Time of a call = a + b x units
 * never: What larger batches would save
 * never: A prediction is of the time in the call alone
 * never: A fixed cost has up to
 * never: can be used. Runs differ
 * never: predicted from
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "t.h"

#define MIB (1L << 20)

static char bytes[MIB];

static void put(int fd, int parts, long each)
{
	struct iovec v[3];

	for (int i = 0; i < parts; i++)
		v[i] = (struct iovec){bytes, (size_t)each};
	CHECK(pwritev(fd, v, parts, 0) == parts * each);
}

int main(void)
{
	int fd = memfd_create("truth", 0);

	memset(bytes, 1, sizeof(bytes));
	for (int i = 0; i < 200; i++) {
		put(fd, 1, MIB / 1024);
		put(fd, 2, MIB);
		put(fd, 3, MIB / 1024);
	}
	return 0;
}
