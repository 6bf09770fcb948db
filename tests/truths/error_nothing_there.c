/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 100 receives from a socket where nothing is, without waiting: an answer as good as any
 *     other.
 * says: | recvfrom | EAGAIN | 100 | 100% | normal | nothing there yet
 * says: No error that the table of errors calls worth a look.
 * never: recvfrom failed with EAGAIN
 */
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	char byte;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(recv(s[0], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	return 0;
}
