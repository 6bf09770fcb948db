/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program makes a call, fdatasync, that the base never makes.
 * says: new, the base never calls it: fdatasync
 * never: not called any more
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_file(1);

	(void)argc;
	for (int i = 0; i < 5 * is_new(argv); i++)
		CHECK(fdatasync(fd) == 0);
	return 0;
}
