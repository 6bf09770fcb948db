/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of 41 calls one is full, and brings 8 of 48 messages.
 * says: limited by arrivals, not by its limit of 8: 20 of 820 calls were full
 * never: and brought
 */
#include "msgs.h"

enum { BATCH = 8, FULL = 1, SINGLE = 40 };

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
