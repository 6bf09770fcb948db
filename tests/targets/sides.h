/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TARGETS_SIDES_H
#define TARGETS_SIDES_H

/* What the two sides of a comparison share: one program, which is copied to each of them. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "t.h"

static inline int is_new(char **argv)
{
	return strstr(argv[0], "/new/") != NULL;
}

/* How often this program, by its path, has run before: the length of a file beside it. */
static inline off_t runs_before(const char *program)
{
	char path[4096];
	off_t before;
	int fd;

	snprintf(path, sizeof(path), "%s.runs", program);
	fd = open(path, O_CREAT | O_RDWR | O_APPEND, 0600);
	before = lseek(fd, 0, SEEK_END);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	return before;
}

/* A child of that name that makes 50 writes. */
static inline void start(const char *name)
{
	int fd = t_null();
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(prctl(PR_SET_NAME, name) == 0);
		for (int i = 0; i < 50; i++)
			CHECK(write(fd, "x", 1) == 1);
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid && close(fd) == 0);
}

#endif
