/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 64 messages are there, and each recvmmsg takes one: its timeout is over then, which is
 *     looked at when a message was taken.
 * says: recvmmsg is limited by its time limit, which is looked at when a message was taken: ...
 *     calls ended at it with fewer than they asked for, and the next one found more;
 *     MSG_WAITFORONE in its place takes what is there.
 * says: recvmmsg: 1,280 of 1,280 calls brought one message only.
 * never: only: no more was there
 * never: limited by arrivals
 * never: limited by its limit of
 */
#include "msgs.h"
#include "udp.h"

int main(void)
{
	static struct messages m;
	struct udp u = udp_open();

	msgs_fill(&m);
	for (int i = 0; i < 20; i++) {
		CHECK(sendmmsg(u.tx, m.at, MANY, 0) == MANY);
		for (int k = 0; k < MANY; k++) {
			struct timespec none = {0, 0};

			CHECK(recvmmsg(u.rx, m.at, 16, 0, &none) == 1);
		}
	}
	return 0;
}
