/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: at the peak one function holds nine tenths; all but that is freed before the end, and
 *     that stays.
 * says: Memory: ... at the peak, ... still held at the end (not a leak by itself).
 * says: Who held it, by the tree of the peak
 * says: held by
 * says: at the peak; most is held by hold
 * says: None: there is no result of type io.
 * never: None: the figures of the I/O give evidence
 * never: No place holds 10% of it or more
 * never: massif does not see what the program allocates
 * never: beside the heap that massif sees
 * never: no snapshot says who held the memory
 * never: what was held at the end is not known
 * never: other processes left no profile
 * never: could not be loaded into
 * never: there is no heap profile
 * never: is incomplete
 * never: massif wrote no tree of the peak
 * never: Who held it is not known: there is no tree in the result
 * never: the program's end
 * never: not of the peak
 * never: see processes and the file of the children
 * never: valgrind ended the program at an instruction that it does not know: the heap is measured
 * never: no report of ms_print
 * never: what it says up to there is here
 * never: lines of massif's file are unknown and were left out (the first is line
 * never: it maps memory or files itself, or has an allocator that does
 */
#include "t.h"

/* Written to, or the compiler leaves the block out. */
static void *hold(size_t size)
{
	char *p = malloc(size);

	CHECK(p);
	p[0] = 1;
	return p;
}

/* Massif takes its snapshots by the clock of instructions. */
static void spend(void)
{
	for (volatile int i = 0; i < 300000; i++)
		;
}

int main(void)
{
	void *volatile most = hold(9000000), *volatile rest;

	spend();
	rest = malloc(1000000);
	CHECK(rest);
	spend();
	free(rest);
	spend();
	return !most;
}
