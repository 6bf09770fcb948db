/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the base starts two helpers, the new program four: two more of a kind that was there
 *     before.
 * says: 2 x helper, more of them (2 -> 4), started by compare_process: their ... calls
 * never: a new process
 * never: not started any more
 */
#include "sides.h"

int main(int argc, char **argv)
{
	(void)argc;
	for (int i = 0; i < 2 + 2 * is_new(argv); i++)
		start("helper");
	return 0;
}
