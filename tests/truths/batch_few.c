/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: five batches go, and 30 are made on a number that is not open: too few to say anything
 *     of them.
 * says: sendmmsg: too few calls succeeded to judge (5, at least ... are needed).
 * says: recvmmsg: too few calls to judge (5, at least ... are needed).
 * says: No call batches, or too few were made to say how.
 * says: no call batches, or too few were made to say how
 * never: sendmmsg is
 * never: every message given
 * never: sends what it received
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(sendmmsg(s[0], m.at, 4, 0) == 4);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_DONTWAIT, NULL) == 4);
	}
	for (int i = 0; i < 30; i++)
		CHECK(sendmmsg(-1, m.at, 4, MSG_DONTWAIT) == -1);
	return 0;
}
