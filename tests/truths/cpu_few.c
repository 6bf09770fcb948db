/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: cpu
 * truth: the program computes for a hundredth of a second: at 999 samples a second that is ten.
 * says: few
 * says: Too few samples to say where the time goes
 * says: too few samples to say where its time goes
 * never: of the samples are in
 * never: No samples were taken
 */
#include "t.h"

int main(void)
{
	volatile unsigned long sum = 0;

	for (unsigned long i = 0; i < 6000000; i++)
		sum += i;
	return sum == 1;
}
