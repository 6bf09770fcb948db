/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: one thread sends 200 batches, another receives them at the other end: nobody sends on
 *     what it received.
 * says: sendmmsg: every message given was sent.
 * says: BY THREAD
 * never: sends what it received
 * never: who sends what it received
 * never: all calls were made by one thread
 */
#include <pthread.h>
#include <sys/socket.h>

#include "t.h"

#define MANY 64

static struct mmsghdr msgs[MANY];
static struct iovec iov[MANY];
static char bytes[MANY][8];

static void fill(void)
{
	for (int i = 0; i < MANY; i++) {
		iov[i] = (struct iovec){bytes[i], 8};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
}

static int s[2];
static char answer[8];

static void *collect(void *arg)
{
	static struct mmsghdr got[MANY];
	static struct iovec in[MANY];
	static char data[MANY][8];

	for (int i = 0; i < MANY; i++) {
		in[i] = (struct iovec){data[i], 8};
		got[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
	}
	for (int i = 0; i < 200; i++) {
		CHECK(recvmmsg(s[1], got, 7, 0, NULL) == 7);
		CHECK(write(s[1], answer, 1) == 1);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	fill();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(pthread_create(&t, NULL, collect, NULL) == 0);
	for (int i = 0; i < 200; i++) {
		CHECK(sendmmsg(s[0], msgs, 7, 0) == 7);
		CHECK(read(s[0], answer, 1) == 1);
	}
	CHECK(pthread_join(t, NULL) == 0);
	return 0;
}
