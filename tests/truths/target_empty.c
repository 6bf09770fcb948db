/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: a pipe is asked 50,000 times, and there never is anything.
 * says: First target: read, call only when something is there: priority
 * says: of ... calls brought nothing, where the one before on the descriptor had not either and no
 *     epoll, poll or select had told of more; at least the call's shortest time each
 * never: Nothing that would pay
 * never: were seen; below
 * never: so no gain can be computed
 */
#include "t.h"

int main(void)
{
	char byte;
	int p[2];

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	for (int i = 0; i < 50000; i++)
		CHECK(read(p[0], &byte, 1) == -1 && errno == EAGAIN);
	return 0;
}
