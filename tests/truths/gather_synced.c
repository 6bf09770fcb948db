/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 300 lines go to a file that was opened with O_DSYNC: each is on the disk when its call is
 *     over.
 * says: | write -> writev | 300 | 32 units | 290 | ... | 0 | 0 |
 * never: calls would not be made
 * never: to files that are not synced
 */
#include <fcntl.h>
#include <unistd.h>

#include "t.h"

int main(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/truth-%d", getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0600);
	if (fd < 0)
		t_skip("/dev/shm");
	CHECK(unlink(path) == 0);
	for (int i = 0; i < 300; i++)
		CHECK(write(fd, "a line\n", 7) == 7);
	return 0;
}
