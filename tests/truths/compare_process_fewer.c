/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the base starts three helpers, the new program two: there are helpers still.
 * says: helper, fewer of them started (3 -> 2): its ... calls
 * never: not started any more
 */
#include "sides.h"

int main(int argc, char **argv)
{
	(void)argc;
	for (int i = 0; i < 3 - is_new(argv); i++)
		start("helper");
	return 0;
}
