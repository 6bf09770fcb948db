/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a file is looked for where it is not, and then in a place where it is: 100 of 1,200 opens
 *     fail.
 * says: | openat | ENOENT | 100 | ... | normal | a search that tries one place after another
 * says: No error that the table of errors calls worth a look.
 * never: the answer could be remembered
 */
#include "t.h"

int main(void)
{
	for (int i = 0; i < 100; i++)
		CHECK(open("/nowhere/at/all", O_RDONLY) == -1);
	for (int i = 0; i < 1100; i++)
		CHECK(close(open("/dev/null", O_RDONLY)) == 0);
	return 0;
}
