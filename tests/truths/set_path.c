/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 2,000 writes to /dev/null, a message to itself by sendmsg after each, and one sendmmsg.
 * options: -P /dev/null
 * modes: ptrace
 * says: all calls; only those about /dev/null
 * says: not traced: calls about other paths
 * never: sendmmsg and recvmmsg were traced and not called
 * never: sendmmsg was not called
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2], fd = t_null();
	char byte;

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 2000; i++) {
		CHECK(write(fd, "x", 1) == 1);
		CHECK(send(s[0], "y", 1, 0) == 1);
		CHECK(recv(s[1], &byte, 1, 0) == 1);
	}
	CHECK(sendmmsg(s[0], m.at, 2, 0) == 2);
	return 0;
}
