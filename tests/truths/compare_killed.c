/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program is killed by a signal in one of three runs.
 * says: new: exit status 0 in 2 of 3 runs, killed by signal 6 (SIGABRT) in 1; base: exit status 0
 *     in 3 of 3 runs
 * says: a regression
 * never: after a process that it started crashed
 * never: no regression
 * never: timed out
 */
#include "sides.h"

int main(int argc, char **argv)
{
	(void)argc;
	if (runs_before(argv[0]) == 1 && is_new(argv))
		abort();
	return 0;
}
