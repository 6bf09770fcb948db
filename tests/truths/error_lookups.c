/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 times the same file is opened, which is not there.
 * says: openat failed with ENOENT in ... calls: most of these calls fail: where they ask for the
 *     same, the answer could be remembered, or inotify tell when it changes.
 * says: | openat | ENOENT | ... | worth a look |
 * never: No error that the table of errors calls worth a look.
 */
#include "t.h"

int main(void)
{
	for (int i = 0; i < 200; i++)
		CHECK(open("/nowhere/at/all", O_RDONLY) == -1);
	return 0;
}
