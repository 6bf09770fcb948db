// SPDX-License-Identifier: GPL-3.0-only
/* The calls that wait: epoll (events got of those asked), poll and select. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "t.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* Raw: libc's select is a pselect6. */
#ifdef SYS__newselect
#define SYS_OLD_SELECT SYS__newselect
#else
#define SYS_OLD_SELECT SYS_select
#endif

static struct epoll_event events[64];

/* An epoll of n pipes that can all be written. */
static int ready(int n)
{
	int ep = epoll_create1(0), p[2];
	struct epoll_event ev = {.events = EPOLLOUT};

	CHECK(ep >= 0);
	for (int i = 0; i < n; i++) {
		CHECK(pipe2(p, 0) == 0);
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev) == 0);
	}
	return ep;
}

static void epoll_family(char **args)
{
	int ep = ready(5), none = ready(0);
	struct {
		int64_t s, ns;
	} zero = {0, 0};

	(void)args;
	CHECK(epoll_wait(ep, events, 16, -1) == 5);
	CHECK(epoll_wait(ep, events, 3, -1) == 3);
	CHECK(epoll_wait(none, events, 16, 0) == 0);
	CHECK(epoll_wait(ep, events, 0, 0) == -1 && errno == EINVAL);
	CHECK(epoll_pwait(ep, events, 8, -1, NULL) == 5);
	CHECK(epoll_pwait(none, events, 8, 20, NULL) == 0);
	CHECK(syscall(SYS_epoll_pwait2, ep, events, 5, &zero, NULL, 8L) == 5);
}

static void poll_family(char **args)
{
	int p[2];
	struct timespec zero = {0, 0};
	struct timeval tv = {0, 0};
	fd_set set;
	struct pollfd fds[2];

	(void)args;
	CHECK(pipe(p) == 0);
	fds[0] = (struct pollfd){.fd = p[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = p[1], .events = POLLOUT};
	CHECK(poll(fds, 2, 0) == 1);
	CHECK(poll(fds, 1, 10) == 0);
	CHECK(ppoll(fds, 2, &zero, NULL) == 1);
	FD_ZERO(&set);
	FD_SET(p[1], &set);
	CHECK(syscall(SYS_OLD_SELECT, p[1] + 1, NULL, &set, NULL, &tv) == 1);
	CHECK(pselect(p[1] + 1, NULL, &set, NULL, &zero, NULL) == 1);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"epoll", epoll_family}, {"poll", poll_family}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}
