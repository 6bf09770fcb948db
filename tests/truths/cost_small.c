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
#include "msgs.h"

static struct messages m;

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int at = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
	volatile unsigned long n = 0;
	socklen_t len = sizeof(to);

	msgs_fill(&m);
	CHECK(bind(at, (void *)&to, len) == 0 && getsockname(at, (void *)&to, &len) == 0);
	CHECK(connect(from, (void *)&to, len) == 0);
	for (int i = 0; i < 1000; i++)
		CHECK(sendmmsg(from, m.at, 2, 0) == 2);
	for (long i = 0; i < 800000000; i++)
		n++;
	return 0;
}
