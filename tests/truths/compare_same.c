/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: two copies of one program.
 * says: no regression
 * never: FAIL
 * never: asked for
 * never: the base never calls it
 * never: not called any more
 * never: a new process
 * never: not started any more
 * never: counts are described, not judged
 * never: not compared: the
 * never: did not do the same work
 */
#include "t.h"

static int is_new(char **argv)
{
	return strstr(argv[0], "/new/") != NULL;
}

int main(int argc, char **argv)
{
	int fd = t_null();

	(void)argc, (void)is_new(argv);
	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
