/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program makes no fdatasync any more.
 * says: not called any more: fdatasync
 * never: the base never calls it
 * never: FAIL
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_file(1);

	(void)argc;
	for (int i = 0; i < 5 * !is_new(argv); i++)
		CHECK(fdatasync(fd) == 0);
	return 0;
}
