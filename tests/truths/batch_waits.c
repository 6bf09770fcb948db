/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: an event loop waits once before each batch that it receives.
 * says: about one epoll_wait for each recvmmsg.
 * auto says: epoll_wait: no model: its time is waiting.
 * auto says: recvmmsg: no model: it never failed with EAGAIN, so its time may be waiting for
 *     arrivals.
 * never: sends what it received
 * never: (batch-limit)
 * never: (mostly waiting for arrivals)
 */
#include <sys/epoll.h>
#include "msgs.h"

static struct messages m;

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0), s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, s[1], &event) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK(write(s[0], m.bytes[0], 8) == 8 && write(s[0], m.bytes[0], 8) == 8);
		CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_WAITFORONE, NULL) == 2);
	}
	return 0;
}
