/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 60 calls send four messages each, 20 are refused whole as there is no room. None is cut.
 * says: sendmmsg: every message given was sent by the calls that succeeded; 20 did not.
 * says: 20 of 80 calls moved nothing (they returned 0 or EAGAIN).
 * never: brought nothing
 * says: sendmmsg failed with EAGAIN in 20 calls: the send buffer was full
 * never: by the call that was given them
 * never: sendmmsg: every message given was sent.
 * never: partial calls, asked->got
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 60; i++) {
		CHECK(sendmmsg(s[0], m.at, 4, MSG_DONTWAIT) == 4);
		for (int k = 0; k < 4; k++)
			CHECK(read(s[1], m.bytes[0], 8) == 8);
	}
	while (send(s[0], m.bytes[0], 8, MSG_DONTWAIT) == 8)
		continue;
	for (int i = 0; i < 20; i++)
		CHECK(sendmmsg(s[0], m.at, 4, MSG_DONTWAIT) == -1);
	return 0;
}
