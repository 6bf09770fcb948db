/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 waits for a lock that changed hands before, and one that ends by its time limit. No
 *     descriptor is in it.
 * says: | futex | EAGAIN | 100 | ... | normal | the lock changed hands before the thread slept
 * says: | futex | ETIMEDOUT | 1 | ... | normal | a wait with a time limit ended
 * never: nothing there yet
 * never: not an open fd
 * never: no such control
 * never: no memory, or a range
 * never: futex failed with
 * never: not an open fd, or not for that
 */
#include <linux/futex.h>
#include <time.h>

#include "t.h"

int main(void)
{
	struct timespec limit = {0, 1000};
	int word = 1;

	for (int i = 0; i < 100; i++)
		CHECK(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0) == -1 &&
			errno == EAGAIN);
	CHECK(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &limit, NULL, 0) == -1 &&
		errno == ETIMEDOUT);
	return 0;
}
