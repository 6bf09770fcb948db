/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes to a file that is open for reading, 100 reads of a number that is not open.
 * says: not an open fd, or not for that
 * says: write failed with EBADF in 100 calls: a descriptor that is not open, or not for that: a
 *     fault of the program
 * says: read failed with EBADF in 100 calls
 * never: No error that the table of errors calls worth a look.
 */
#include "t.h"

int main(void)
{
	int fd = open("/dev/null", O_RDONLY);
	char byte;

	for (int i = 0; i < 100; i++) {
		CHECK(write(fd, "x", 1) == -1 && errno == EBADF);
		CHECK(read(1000, &byte, 1) == -1 && errno == EBADF);
	}
	return 0;
}
