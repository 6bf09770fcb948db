/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: a sleep is ended by an alarm; most of the time goes into sleeping.
 * says: 1 call was interrupted by signals or stops: counted as calls, not as errors.
 * says: of it in calls that only wait: clock_nanosleep
 * says: none found: but for reading files that are mapped, no I/O was seen that goes past system
 *     calls
 * options: -e %io,clock_nanosleep
 * never: none of it in calls that only wait
 * never: interrupted by a signal that the target ignores
 * never: clock_nanosleep failed
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "t.h"

static void on_alarm(int number)
{
	(void)number;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval timer = {{0, 20000}, {0, 20000}};
	struct timespec hour = {3600, 0};

	CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) == EINTR);
	return 0;
}
