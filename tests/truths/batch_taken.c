/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of 16 messages one process takes 8, then another the rest: when the first one comes again
 *     nothing is left, though more was there than it had asked for.
 * says: recvmmsg is limited by something that is not known: nothing that was seen tells why
 * never: limited by arrivals
 * never: arrivals in
 */
#include <sys/wait.h>

#include "msgs.h"
#include "udp.h"

#define ROUNDS 200
#define HALF   8

static struct messages m;
static struct udp u;

/* The other process: takes the rest when it is told to. */
static void take_rest(int from, int to)
{
	char byte;

	while (read(from, &byte, 1) == 1) {
		for (int i = 0; i < HALF; i++)
			CHECK(recv(u.rx, &byte, 1, MSG_DONTWAIT) == 1);
		CHECK(write(to, &byte, 1) == 1);
	}
}

int main(void)
{
	int go[2], done[2];
	char byte = 0;
	pid_t child;

	msgs_fill(&m);
	u = udp_open();
	CHECK(pipe(go) == 0 && pipe(done) == 0);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		close(go[1]);
		take_rest(go[0], done[1]);
		_exit(0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(sendmmsg(u.tx, m.at, 2 * HALF, 0) == 2 * HALF);
		CHECK(recvmmsg(u.rx, m.at, HALF, MSG_DONTWAIT, NULL) == HALF);
		CHECK(write(go[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1);
		CHECK(recvmmsg(u.rx, m.at, HALF, MSG_DONTWAIT, NULL) == -1 && errno == EAGAIN);
	}
	close(go[1]);
	CHECK(waitpid(child, NULL, 0) == child);
	return 0;
}
