/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the base starts a helper that the new program does not start any more.
 * says: helper, not started any more: its ... calls
 * never: started by
 * never: FAIL
 * never: fewer of them started
 */
#include "sides.h"

int main(int argc, char **argv)
{
	(void)argc;
	if (!is_new(argv))
		start("helper");
	return 0;
}
