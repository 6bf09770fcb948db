/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 1,000 sockets are made, named and closed, which the default set leaves out.
 * options: -e %io
 * auto says: calls were made, and at least 3,0... others that the set leaves out (
 * ptrace says: calls were made, and at least 2,0... others that the set leaves out (
 * says: --trace=all counts all
 * never: the kernel worked
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (int i = 0; i < 1000; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		CHECK(fd >= 0);
		CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0);
		CHECK(close(fd) == 0);
	}
	return 0;
}
