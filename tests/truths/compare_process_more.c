/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the base starts two helpers, the new program four: two more of a kind that was there
 *     before.
 * says: 2 x helper, more of them (2 -> 4), started by compare_process: their ... calls
 * never: a new process
 * never: not started any more
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "t.h"

static int is_new(char **argv)
{
	return strstr(argv[0], "/new/") != NULL;
}

/* A child of that name that makes 50 writes. */
static void start(const char *name)
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

int main(int argc, char **argv)
{
	(void)argc;
	for (int i = 0; i < 2 + 2 * is_new(argv); i++)
		start("helper");
	return 0;
}
