/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a megabyte is written to a file through a mapping: no call says so.
 * options:
 * never: none found, but mmap was not traced
 * never: none found: but for reading files that are mapped
 * says: mapped files: what is written through a mapping that is shared (MAP_SHARED) makes no
 *     system call
 * never: none found
 */
#include <sys/mman.h>

#include "t.h"

int main(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char *at;

	if (fd < 0)
		t_skip("O_TMPFILE");
	CHECK(ftruncate(fd, 1 << 20) == 0);
	at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	memset(at, 1, 1 << 20);
	return 0;
}
