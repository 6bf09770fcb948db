/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: cpu
 * options: --sampling-rate 999
 * truth: the program computes for a hundredth of a second: ten samples.
 * says: samples are few, and nothing is concluded from them; for ... use --sampling-rate
 * says: Too few samples to say where the time goes
 * says: too few samples to say where its time goes
 * never: of the samples are in
 * never: No samples were taken
 */
#include "t.h"

int main(void)
{
	volatile unsigned long sum = 0;

	for (unsigned long i = 0; i < 15000000; i++)
		sum += i;
	return sum == 1;
}
