/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: an epoll watches 8 pipes, of which each call tells, always: a larger limit would bring no
 *     more.
 * says: epoll_wait is limited by arrivals: 500 of 500 calls took as many as they asked for, 8, and
 *     no more was there, or waited until they had come.
 * never: limited by its limit
 * never: Build with another batch
 */
#include <sys/epoll.h>

#include "t.h"

#define PIPES 8
#define CALLS 500

int main(void)
{
	static char bytes[CALLS];
	struct epoll_event e[PIPES];
	int ep = epoll_create1(0), ends[2];

	for (int i = 0; i < PIPES; i++) {
		CHECK(pipe(ends) == 0 && write(ends[1], bytes, CALLS) == CALLS);
		e[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = ends[0]};
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], e) == 0);
	}
	for (int i = 0; i < CALLS; i++) {
		CHECK(epoll_wait(ep, e, PIPES, -1) == PIPES);
		for (int k = 0; k < PIPES; k++)
			CHECK(read(e[k].data.fd, bytes, 1) == 1);
	}
	return 0;
}
