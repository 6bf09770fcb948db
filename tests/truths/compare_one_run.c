/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * runs: 1
 * truth: one run of each side, with one write more: too few to judge by.
 * says: counts are described, not judged: 1 and 1 runs, exact counts need 3 a side
 * says: cannot tell
 * never: FAIL
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_null();

	(void)argc;
	for (int i = 0; i < 100 + is_new(argv); i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
