/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: every second of 100 receives finds nothing.
 * says: recvmmsg: 50 of 100 calls brought nothing (they returned 0 or EAGAIN).
 * never: No traced call failed.
 * never: sends what it received
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(send(s[0], m.bytes[0], 8, 0) == 8);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_DONTWAIT, NULL) == 3);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_DONTWAIT, NULL) == -1);
	}
	return 0;
}
