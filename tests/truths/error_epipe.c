/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 writes to a pipe whose reader has gone.
 * says: write failed with EPIPE in 100 calls: the reader was gone.
 * never: No error that the table of errors calls worth a look.
 * never: No traced call failed
 */
#include <signal.h>

#include "t.h"

int main(void)
{
	int ends[2];

	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 100; i++)
		CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	return 0;
}
