/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 300 lines go to a file, and after each another one is renamed, by which others learn that
 *     the line is there.
 * says: | write -> writev | 300 | 32 units | 290 | ... | 0 | 0 |
 * never: calls would not be made
 */
#include <fcntl.h>
#include <unistd.h>

#include "t.h"

int main(void)
{
	char folder[] = "/tmp/truth-XXXXXX";
	int fd;

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	fd = open("journal", O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && symlink("x", "a") == 0);
	for (int i = 0; i < 300; i++) {
		CHECK(write(fd, "a line\n", 7) == 7);
		CHECK(rename(i % 2 ? "b" : "a", i % 2 ? "a" : "b") == 0);
	}
	CHECK(unlink("a") == 0 && unlink("journal") == 0 && rmdir(folder) == 0);
	return 0;
}
