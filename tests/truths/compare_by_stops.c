/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * options: --mode ptrace
 * truth: 2,000 short writes, all of which stop: the times are those of the stops.
 * says: times are not compared: time slowed by stops
 * says: no regression
 * never: batch sizes are not compared
 * never: counts and times are not compared
 */
#include "sides.h"

int main(int argc, char **argv)
{
	int fd = t_null();

	(void)argc, (void)is_new(argv);
	for (int i = 0; i < 2000; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
