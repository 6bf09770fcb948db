/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: cpu
 * options: --sampling-rate 2000
 * truth: nearly all of a second and a half of CPU, on whatever machine, goes into one function.
 * says: of the samples are in hot itself
 * never: too few samples to say where its time goes
 * never: Too few samples to say where the time goes
 * never: of the frames have no symbol
 * never: perf took no samples, though
 * never: no samples: the target used too little
 * never: is incomplete
 * never: perf did not confirm in time that it began or ended to sample: the samples may be from m
 * never: and nothing is concluded from them
 * never: use --sampling-rate
 * never: do not reach the start of their thread
 * never: lines of perf script were not understood and are left out
 * never: the target did not end within the grace after TERM and was killed
 */
#include <time.h>

#include "t.h"

__attribute__((noinline)) static unsigned long hot(unsigned long n)
{
	volatile unsigned long sum = 0;

	for (unsigned long i = 0; i < n; i++)
		sum += i;
	return sum;
}

static long cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

int main(void)
{
	unsigned long sum = 0;

	while (cpu_ms() < 1500)
		sum += hot(10000000);
	return sum == 1;
}
