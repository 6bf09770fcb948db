/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * runs: 8
 * truth: the new program makes fdatasync in each run, the base in one of eight: seldom, and not
 *     never.
 * says: FAIL fdatasync.calls
 * never: the base never calls it
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
	int fd = t_file(1);
	off_t before = runs_before(argv[0]);

	(void)argc;
	for (int i = 0; i < 5 * (is_new(argv) || before == 3); i++)
		CHECK(fdatasync(fd) == 0);
	return 0;
}
