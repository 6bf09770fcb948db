/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: 120 lookups fail, in a program that computes for nearly all of its time.
 * says: openat, failed-lookup: what it is known to save is about ... of the run, less than 0.5%.
 * says: None: the figures give evidence for no change that pays.
 * never: (failed-lookup)
 * never: calls found nothing (ENOENT), at the call's median time each
 * never: of what the calls of openat take at their median
 * never: calls to files that are not synced
 * never: about 0.5% of the run
 * never: ask less often for what is not there: keep the answer
 */
#include "t.h"

int main(void)
{
	volatile unsigned long n = 0;

	for (int i = 0; i < 120; i++)
		CHECK(open("/nowhere/at/all", O_RDONLY) == -1);
	for (long i = 0; i < 800000000; i++)
		n++;
	return 0;
}
