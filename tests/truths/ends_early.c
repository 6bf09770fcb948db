/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: the program would run for an hour, and is ended at its time limit.
 * options: --timeout 0.2 --grace 1 -e all
 * status: 124
 * says: The time limit ended the run.
 * says: at the time limit
 * never: exit status 0
 * never: The limit of CPU time that iotrace is under
 */
#include "t.h"

int main(void)
{
	CHECK(pause() == -1);
	return 0;
}
