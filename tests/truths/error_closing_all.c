/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a daemon starts: it closes every number that could be open, and asks of three whether
 *     they are. No fault.
 * says: close failed with EBADF in 1,000 calls: not open: closed twice, or a program that closes
 *     every number
 * says: | fcntl | EBADF | 3 | 100% | normal | asks whether it is open
 * never: a fault of the program
 */
#include "t.h"

int main(void)
{
	for (int fd = 1000; fd < 2000; fd++)
		CHECK(close(fd) == -1 && errno == EBADF);
	for (int fd = 1000; fd < 1003; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
	return 0;
}
