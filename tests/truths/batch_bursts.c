/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of 14 calls 4 are full, and bring 32 of the 42 messages that come.
 * says: 80 of 280 calls were full and brought 76.2% of the messages
 * never: and more was there after
 */
#include "msgs.h"

enum { BATCH = 8 };

static int s[2];

static void send_some(int n)
{
	for (int i = 0; i < n; i++)
		CHECK(send(s[0], "message", 8, 0) == 8);
}

/* argv: of each round, the calls that are full, and those that get one message. */
int main(int argc, char **argv)
{
	static struct messages m;
	int full = argc > 2 ? atoi(argv[1]) : 4, single = argc > 2 ? atoi(argv[2]) : 10;

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int round = 0; round < 20; round++) {
		for (int k = 0; k < full; k++) {
			send_some(BATCH);
			CHECK(recvmmsg(s[1], m.at, BATCH, MSG_DONTWAIT, NULL) == BATCH);
		}
		for (int k = 0; k < single; k++) {
			send_some(1);
			CHECK(recvmmsg(s[1], m.at, BATCH, MSG_DONTWAIT, NULL) == 1);
		}
	}
	return 0;
}
