/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: half-way a process that the new program has started crashes: it makes fewer writes, and
 *     the program ends as it did.
 * says: new: exit status 0 after a process that it started crashed in 3 of 3 runs; base: exit
 *     status 0 in 3 of 3 runs
 * says: a regression
 * never: no regression
 * never: better
 */
#include <sys/resource.h>

#include "sides.h"

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	int fd = t_null(), status, crashes = is_new(argv);
	pid_t pid = fork();

	(void)argc;
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(setrlimit(RLIMIT_CORE, &no_core) == 0);
		for (int i = 0; i < 100; i++) {
			if (crashes && i == 50)
				__builtin_trap();
			CHECK(write(fd, "x", 1) == 1);
		}
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return 0;
}
