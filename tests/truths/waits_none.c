/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes and no call that waits for anything.
 * says: none of it in calls that only wait
 * never: interrupted by signals or stops
 * never: of it in calls that only wait:
 */
#include "t.h"

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
