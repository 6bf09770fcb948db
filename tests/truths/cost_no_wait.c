/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: one to eight messages are received by one call that has MSG_DONTWAIT, and some are
 *     always there: no call can wait, and none fails.
 * says: recvmmsg is limited by arrivals, not by its limit of 64: 0 of 400 calls were full.
 * never: it never failed with EAGAIN, so its time may be waiting for arrivals
 */
#include "msgs.h"

#define ROUNDS 400

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int n = 1 + i % 8;

		CHECK(sendmmsg(s[0], m.at, (unsigned int)n, 0) == n);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_DONTWAIT, NULL) == n);
	}
	return 0;
}
