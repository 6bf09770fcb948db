/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: recvmmsg waits for each of 60 messages; what its time is says nothing of how it works.
 * never: none of it in calls that only wait
 * says: (mostly waiting for arrivals)
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "msgs.h"

static struct messages m;

/* When the last one is taken. */
static void send_later(int fd)
{
	int queued = 1;

	while (queued) {
		CHECK(ioctl(fd, TIOCOUTQ, &queued) == 0);
		poll(NULL, 0, 1);
	}
	CHECK(write(fd, m.bytes[0], 8) == 8);
}

int main(void)
{
	int s[2];
	pid_t child;

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	child = fork();
	if (!child) {
		for (int i = 0; i < 60; i++)
			send_later(s[0]);
		_exit(0);
	}
	for (int i = 0; i < 60; i++)
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_WAITFORONE, NULL) == 1);
	CHECK(waitpid(child, NULL, 0) == child);
	return 0;
}
