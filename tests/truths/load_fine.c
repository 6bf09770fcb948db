/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * runs: 1
 * options: --load "echo 40 done" --work "thing=([0-9]+) done" --skip 0
 * truth: a server that does nothing is there until its load is over, which did 40 things.
 * says: the load only
 * never: the load failed:
 * never: the load failed with status
 * never: no line of the load's output matches
 * never: the target ended before it was ready
 * never: the target was not ready within
 * never: its port is held by another process
 * never: no process of it has
 * never: the ready command has not ended
 * never: the load ended before the time to skip was over
 * never: the target ended during the load
 * never: the time limit ended the run
 */
#include "t.h"

int main(void)
{
	for (;;)
		pause();
}
