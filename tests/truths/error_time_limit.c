/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: five receives and a send wait on blocking sockets until their time limit (SO_RCVTIMEO,
 *     SO_SNDTIMEO).
 * says: not now, try again
 * says: | recvfrom | EAGAIN | 5 | 100% | normal | nothing there yet, without waiting or until its
 *     time limit |
 * says: sendto failed with EAGAIN in 1 call: the send buffer was full
 * never: on a non-blocking descriptor
 * never: (non-blocking)
 */
#include <sys/socket.h>
#include <sys/time.h>

#include "t.h"

int main(void)
{
	struct timeval limit = {0, 1000};
	char byte = 0;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(recv(s[0], &byte, 1, 0) == -1 && errno == EAGAIN);
	while (send(s[0], &byte, 1, 0) == 1)
		continue;
	CHECK(errno == EAGAIN);
	return 0;
}
