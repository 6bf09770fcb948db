/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program starts a helper that the base has not.
 * says: helper, started by compare_process: its ... calls
 * never: not started any more
 * never: one more of
 * never: more of them
 * never: none of ... calls counted
 */
#include "sides.h"

int main(int argc, char **argv)
{
	(void)argc;
	if (is_new(argv))
		start("helper");
	return 0;
}
