/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 bytes are sent by a stream with the sender's credentials at each, and 200 as urgent
 *     ones by another: what is at one byte is not at all that one call sends.
 * says: sendmsg
 * never: calls would not be made
 * never: could be saved
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"

#define BYTES 200 /* there is room for, unread */

static void send_named(int fd)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct ucred self = {getpid(), getuid(), getgid()};

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(self));
	memcpy(CMSG_DATA(c), &self, sizeof(self));
	for (int i = 0; i < BYTES; i++)
		CHECK(sendmsg(fd, &msg, 0) == 1);
}

static void send_urgent(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(l, (struct sockaddr *)&a, n) == 0 && listen(l, 1) == 0);
	CHECK(getsockname(l, (struct sockaddr *)&a, &n) == 0);
	CHECK(connect(fd, (struct sockaddr *)&a, n) == 0);
	for (int i = 0; i < BYTES; i++)
		CHECK(send(fd, "x", 1, MSG_OOB) == 1);
}

int main(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	send_named(s[0]);
	send_urgent();
	return 0;
}
