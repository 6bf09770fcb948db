/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes and no call that waits for anything.
 * says: none of it in calls that only wait
 * says: none: the whole run is counted
 * says: at most ... mapped at one time by traced calls.
 * says: Most that was mapped at one time by traced calls
 * never: Not measured: mmap
 * never: None was seen
 * never: Outside, not counted below
 * never: its cost is not known
 * never: at the time limit
 * never: lines are in the detail file
 * never: known to have been missed
 * never: this result is incomplete
 * never: This result is incomplete
 * never: none were made or given back
 * never: wrote into the recorder's memory
 * never: The recorder cannot work here
 * never: Not all is seen
 * never: The time limit ended the run
 * never: The target installed a seccomp filter
 * never: The target asked for children that cannot
 * never: ran without the privileges
 * never: lines on the control descriptor
 * never: The detail holds the first
 * never: could not be written to its end
 * never: could not be read in some calls
 * never: did not end within the grace
 * never: failed with
 * never: interrupted by signals or stops
 * never: of it in calls that only wait:
 */
#include "t.h"

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
