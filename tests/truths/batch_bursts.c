/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of 14 calls 4 are full, and bring 32 of the 42 messages that come.
 * says: 80 of 280 calls were full and brought 76.2% of the messages
 * never: and more was there after
 */
#include "msgs.h"

enum { BATCH = 8, FULL = 4, SINGLE = 10 };

static int s[2];

static void send_some(int n)
{
	for (int i = 0; i < n; i++)
		CHECK(send(s[0], "message", 8, 0) == 8);
}

int main(void)
{
	static struct messages m;

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int round = 0; round < 20; round++) {
		for (int k = 0; k < FULL; k++) {
			send_some(BATCH);
			CHECK(recvmmsg(s[1], m.at, BATCH, MSG_DONTWAIT, NULL) == BATCH);
		}
		for (int k = 0; k < SINGLE; k++) {
			send_some(1);
			CHECK(recvmmsg(s[1], m.at, BATCH, MSG_DONTWAIT, NULL) == 1);
		}
	}
	return 0;
}
