/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: a child allocates and is killed by SIGKILL, so that massif cannot write what it held.
 * says: 1 of the target's 1 other processes left no profile: they were killed or still run
 * never: ended at an instruction
 * never: did not end within the grace
 */
#include <signal.h>
#include <sys/wait.h>

#include "t.h"

int main(void)
{
	int status, p[2];
	pid_t child;

	CHECK(pipe(p) == 0);
	child = fork();
	if (!child) {
		char *volatile held = malloc(100000);

		CHECK(held && write(p[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(p[0], &status, 1) == 1 && kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	return 0;
}
