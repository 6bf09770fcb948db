/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: eight messages are given to each of 60 calls, where there is room for three: 300 are
 *     left.
 * says: sendmmsg: 300 of 480 messages were not sent by the call that was given them (60 calls
 *     partial).
 * says: sendmmsg: partial calls, asked->got: 8->3 (60).
 * never: every message given was sent
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	while (send(s[0], m.bytes[0], 8, MSG_DONTWAIT) == 8)
		continue;
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(read(s[1], m.bytes[0], 8) == 8);
		CHECK(sendmmsg(s[0], m.at, 8, MSG_DONTWAIT) == 3);
	}
	return 0;
}
