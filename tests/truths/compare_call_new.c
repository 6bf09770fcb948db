/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program makes a call, fdatasync, that the base never makes.
 * says: new, the base never calls it: fdatasync
 * never: not called any more
 */
#include "t.h"

static int is_new(char **argv)
{
	return strstr(argv[0], "/new/") != NULL;
}

int main(int argc, char **argv)
{
	int fd = t_file(1);

	(void)argc;
	for (int i = 0; i < 5 * is_new(argv); i++)
		CHECK(fdatasync(fd) == 0);
	return 0;
}
