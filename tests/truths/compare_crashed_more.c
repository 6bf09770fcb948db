/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: of ten processes that the program starts one crashes half-way, of those of the new one all
 *     do: it makes fewer writes, and each side ends as the other.
 * says: FAIL crashed 1 10
 * says: : 1 -> 10 of its processes crashed
 * says: a regression
 * never: no regression
 * never: better
 */
#include <sys/resource.h>

#include "sides.h"

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	int fd = t_null(), status, crashing = is_new(argv) ? 10 : 1;

	(void)argc;
	CHECK(setrlimit(RLIMIT_CORE, &no_core) == 0);
	for (int child = 0; child < 10; child++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			for (int i = 0; i < 100; i++) {
				if (child < crashing && i == 50)
					raise(SIGSEGV);
				CHECK(write(fd, "x", 1) == 1);
			}
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	return 0;
}
