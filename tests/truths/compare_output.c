/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program writes 21 lines to its output where the base writes 20, and as many as
 *     before to a file.
 * says: FAIL write.calls
 * says: write, on the target's output: 20 -> 21 calls
 * says: a regression
 * never: no regression
 * never: write, on /dev/null
 * never: an fd of unknown target
 * never: in threads named
 * never: all runs within
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_null();

	(void)argc;
	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	for (int i = 0; i < 20 + is_new(argv); i++)
		CHECK(write(1, "line\n", 5) == 5);
	return 0;
}
