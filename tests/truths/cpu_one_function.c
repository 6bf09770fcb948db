/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: cpu
 * options: --sampling-rate 2000
 * truth: nearly all of the time of half a second goes into one function.
 * says: of the samples are in hot itself
 * never: too few samples to say where its time goes
 * never: Too few samples to say where the time goes
 * never: perf lost
 * never: of the frames have no symbol
 * never: no samples: the target used too little
 * never: is incomplete
 */
#include "t.h"

__attribute__((noinline)) static unsigned long hot(unsigned long n)
{
	volatile unsigned long sum = 0;

	for (unsigned long i = 0; i < n; i++)
		sum += i;
	return sum;
}

int main(void)
{
	return hot(300000000) == 1;
}
