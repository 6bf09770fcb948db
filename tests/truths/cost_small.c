/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * needs: unslowed
 * truth: a program that computes for most of its time makes 1,000 short batches: the tracer's stops
 *     are a small part of the time,
 *     but each is long beside a batch.
 * ptrace says: Counts and bytes hold for the untraced program; a stop is long beside a sendmmsg,
 *     so batches of a loaded
 *     program can be larger here than untraced.
 * auto says: figures below hold for the untraced program
 * ptrace never: figures below hold for the untraced program
 * never: SLOWED THE PROGRAM
 * never: untraced, these sizes can be others
 * never: The stops took about
 * never: Tracing slowed the program
 * says: There was no window, so start-up
 */
#include <netinet/in.h>
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

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int at = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
	volatile unsigned long n = 0;
	socklen_t len = sizeof(to);

	fill();
	CHECK(bind(at, (void *)&to, len) == 0 && getsockname(at, (void *)&to, &len) == 0);
	CHECK(connect(from, (void *)&to, len) == 0);
	for (int i = 0; i < 1000; i++)
		CHECK(sendmmsg(from, msgs, 2, 0) == 2);
	for (long i = 0; i < 800000000; i++)
		n++;
	return 0;
}
