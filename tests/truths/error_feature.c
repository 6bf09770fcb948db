/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: the kernel is asked 200 times for a feature that it has not.
 * says: prctl failed with EINVAL in 200 calls: most of these calls fail: the answer could be
 *     remembered.
 * never: or inotify tell when it changes
 */
#include <sys/prctl.h>

#include "t.h"

int main(void)
{
	for (int i = 0; i < 200; i++)
		CHECK(prctl(0x7fffffff, 0, 0, 0, 0) == -1 && errno == EINVAL);
	return 0;
}
