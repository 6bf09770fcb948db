/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: what an edge-triggered epoll, and then a level-triggered one, tells of is read until
 *     nothing is left: 20,000 of 40,000 reads bring nothing, as they must.
 * says: None: the figures give evidence for no change that pays.
 * never: (empty-calls)
 * never: call only when something is there
 * never: and no epoll, poll or select had told of more
 * never: were seen; below
 * never: so no gain can be computed
 */
#include <sys/epoll.h>

#include "t.h"

static void drain(uint32_t how, const int p[2])
{
	struct epoll_event e = {.events = EPOLLIN | how}, got;
	int ep = epoll_create1(0);
	char byte;

	CHECK(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e) == 0);
	for (int i = 0; i < 10000; i++) {
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(epoll_wait(ep, &got, 1, -1) == 1);
		CHECK(read(p[0], &byte, 1) == 1);
		CHECK(read(p[0], &byte, 1) == -1 && errno == EAGAIN);
	}
	CHECK(close(ep) == 0);
}

int main(void)
{
	int p[2];

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	drain(EPOLLET, p);
	drain(0, p);
	return 0;
}
