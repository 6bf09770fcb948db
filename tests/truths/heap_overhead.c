/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: 1,000 blocks of one byte, freed before the end: what the allocator adds is most of the
 *     peak, of which the shares are.
 * says: heap ... KiB at the peak
 * says: , of which the program asked for
 * never: heap 1000 B
 */
#include "t.h"

static char *volatile kept[1000];

static void hold(int i)
{
	kept[i] = malloc(1);
	CHECK(kept[i]);
	kept[i][0] = 1;
}

int main(void)
{
	for (int i = 0; i < 1000; i++)
		hold(i);
	for (volatile int i = 0; i < 300000; i++)
		;
	for (int i = 0; i < 1000; i++)
		free(kept[i]);
	return 0;
}
