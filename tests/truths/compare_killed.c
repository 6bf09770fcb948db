/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program is killed by a signal in one of three runs.
 * says: new: exit status 0 in 2 of 3 runs, killed by signal 6 (SIGABRT) in 1; base: exit status 0
 *     in 3 of 3 runs
 * says: a regression
 * never: no regression
 * never: timed out
 */
#include "t.h"

static int is_new(char **argv)
{
	return strstr(argv[0], "/new/") != NULL;
}

/* How often this program, by its path, has run before: the length of a file beside it. */
static off_t runs_before(const char *program)
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

int main(int argc, char **argv)
{
	(void)argc;
	if (runs_before(argv[0]) == 1 && is_new(argv))
		abort();
	return 0;
}
