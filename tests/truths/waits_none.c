/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes and no call that waits for anything.
 * says: none of it in calls that only wait
 * says: none: the whole run is counted
 * says: at most ... mapped at one time by traced calls.
 * says: Most that was mapped at one time by traced calls
 * never: all processes added up
 * never: Not measured: mmap
 * never: None was seen
 * never: Outside, not counted below
 * never: in the whole run
 * never: could not be read, so that of the run is not known
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
 * never: the send buffer was full: the receiver or the network is slower than the sender
 * never: asks whether it is open
 * never: not open: closed twice, or a program that closes every number (close_range does that at
 * never: the lock changed hands before the thread slept: a race that the lock expects; many mean
 * never: removed although it was not there
 * never: made although it was there
 * never: emptied although it was not there
 * never: no terminal of its own (/dev/tty), or a FIFO that nobody reads
 * never: asks for an interface that is not there
 * never: a lock or temporary file was there
 * never: it is no symbolic link: how a path is resolved
 * never: it has no such control; mostly asked whether it is a terminal (TCGETS
 * never: asks whether it can seek: a pipe or socket cannot
 * never: no such local socket, as that of nscd
 * never: nobody listens there
 * never: the peer was gone, or never there
 * never: no child is left
 * never: regular files cannot be waited for: always ready
 * never: added although it was there
 * never: changed although it was not there
 * never: asks for a feature that this kernel has not
 * never: the reader was gone
 * never: an earlier datagram met a closed port
 * never: the peer ended the connection
 * never: a bad address: a fault of the program
 * never: the limit of open descriptors is reached
 */
#include "t.h"

int main(void)
{
	int fd = t_null();

	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "x", 1) == 1);
	return 0;
}
