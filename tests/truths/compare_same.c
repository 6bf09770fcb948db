/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: two copies of one program.
 * says: no regression
 * never: after a process that it started crashed
 * never: of its processes crashed
 * never: base and new are the same runs: run the scenario again
 * never: FAIL
 * never: asked for
 * never: the base never calls it
 * never: not called any more
 * never: a new process
 * never: not started any more
 * never: counts are described, not judged
 * never: nothing of it could be judged
 * never: not compared: the
 * never: did not do the same work
 * never: times are not compared
 * never: neither side has
 * never: the new side does not have
 * never: the base does not have
 * never: has the limit
 * never: the arguments differ
 * never: it is not known where it was run
 * never: the loads differ
 * never: the units of work differ
 * never: the work of one side is not known
 * never: one side has a window
 * never: the windows are not of the same length
 * never: no work done
 * never: less than half of the base's calls
 * never: fewer calls than the base
 * never: whether it did the same work is not known
 * never: no figure of this has a limit
 * never: measured in
 * never: failed with
 * never: not the same calls were traced
 * never: time slowed by stops
 * never: the number of cores differs
 * never: killed by signal
 * never: before the end of the load
 * never: records were lost, in
 * never: incomplete
 * never: of the samples
 * never: at the peak
 * never: needs more than
 * never: of calls (base
 */
#include "sides.h"

int main(int argc, char **argv)
{
	volatile unsigned long n = 0;
	int fd = t_null();

	(void)argc, (void)is_new(argv);
	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	/* Stops are little beside this, so that times can be compared. */
	while (n < 100000000)
		n++;
	return 0;
}
