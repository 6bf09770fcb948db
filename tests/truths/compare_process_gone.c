/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the base starts a helper that the new program does not start any more.
 * says: helper, not started any more: its ... calls
 * never: started by
 * never: FAIL
 * never: fewer of them started
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
	if (!is_new(argv))
		start("helper");
	return 0;
}
