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
#include "msgs.h"

static struct messages m;

static int s[2];
static char answer[8];

static void *collect(void *arg)
{
	static struct messages got;

	msgs_fill(&got);
	for (int i = 0; i < 200; i++) {
		CHECK(recvmmsg(s[1], got.at, 7, 0, NULL) == 7);
		CHECK(write(s[1], answer, 1) == 1);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(pthread_create(&t, NULL, collect, NULL) == 0);
	for (int i = 0; i < 200; i++) {
		CHECK(sendmmsg(s[0], m.at, 7, 0) == 7);
		CHECK(read(s[0], answer, 1) == 1);
	}
	CHECK(pthread_join(t, NULL) == 0);
	return 0;
}
