/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a FIFO with a name: 2,000 lines are written to it, each when the one before was read and
 *     answered, and each is read by a buffer that it fills. No larger buffer would bring more, and
 *     no line could be held back. A file of /proc is read in pieces, which the kernel makes.
 * modes: auto
 * says: Optimization targets
 * never: (larger-reads)
 * never: calls on files would not be made
 * never: calls to files that are not synced
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

enum { LINES = 2000, BYTES = 7 };

static char line[BYTES + 1] = "a line\n";

static void write_lines(const char *path, int answers)
{
	int fd = open(path, O_WRONLY);
	char byte;

	CHECK(fd >= 0);
	for (int i = 0; i < LINES; i++)
		CHECK(write(fd, line, BYTES) == BYTES && read(answers, &byte, 1) == 1);
}

static void read_proc(void)
{
	char piece[32];
	int fd;

	for (int i = 0; i < 40; i++) {
		fd = open("/proc/self/maps", O_RDONLY);
		CHECK(fd >= 0);
		while (read(fd, piece, sizeof(piece)) == sizeof(piece))
			;
		CHECK(close(fd) == 0);
	}
}

int main(void)
{
	char folder[] = "/tmp/truth-XXXXXX", path[64];
	int s[2], fd, status;
	pid_t pid;

	CHECK(mkdtemp(folder) && pipe(s) == 0);
	snprintf(path, sizeof(path), "%s/fifo", folder);
	CHECK(mkfifo(path, 0600) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		write_lines(path, s[0]);
		_exit(0);
	}
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	for (int i = 0; i < LINES; i++)
		CHECK(read(fd, line, BYTES) == BYTES && write(s[1], line, 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0);
	read_proc();
	return 0;
}
