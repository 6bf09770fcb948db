/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * runs: 8
 * truth: the new program makes fdatasync in each run, the base in one of eight: seldom, and not
 *     never.
 * says: FAIL fdatasync.calls
 * never: the base never calls it
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_file(1);
	off_t before = runs_before(argv[0]);

	(void)argc;
	for (int i = 0; i < 5 * (is_new(argv) || before == 3); i++)
		CHECK(fdatasync(fd) == 0);
	return 0;
}
