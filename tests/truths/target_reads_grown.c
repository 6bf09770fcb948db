/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: two files grow by 64 bytes 5,000 times and are read as they do, one by who writes it, one
 *     when a pipe says that more is there: no larger buffer would bring more.
 * modes: auto
 * says: Optimization targets
 * never: (larger-reads)
 * never: calls on files would not be made
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

enum { TIMES = 5000, BYTES = 64 };

static char block[BYTES];

static int file(int *ret_reader)
{
	char path[] = "/tmp/truth-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	*ret_reader = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(*ret_reader >= 0 && unlink(path) == 0);
	return fd;
}

static void grow(int fd)
{
	CHECK(write(fd, block, BYTES) == BYTES);
}

static void read_more(int fd)
{
	CHECK(read(fd, block, BYTES) == BYTES);
}

/* A byte of a pipe. */
static void tell(int *ends)
{
	CHECK(write(ends[1], block, 1) == 1);
}

static void hear(int *ends)
{
	CHECK(read(ends[0], block, 1) == 1);
}

int main(void)
{
	int reader, fd = file(&reader), more[2], seen[2], status;
	pid_t pid;

	for (int i = 0; i < TIMES; i++) {
		grow(fd);
		read_more(reader);
	}
	fd = file(&reader);
	CHECK(pipe(more) == 0 && pipe(seen) == 0);
	pid = fork();
	CHECK(pid >= 0);
	for (int i = 0; i < TIMES && !pid; i++) {
		grow(fd);
		tell(more);
		hear(seen);
	}
	if (!pid)
		_exit(0);
	for (int i = 0; i < TIMES; i++) {
		hear(more);
		read_more(reader);
		tell(seen);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}
