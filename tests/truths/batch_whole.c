/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 200 times seven messages are sent by one call and received by one, by the same thread.
 * says: sendmmsg is given 7 messages in every call.
 * says: sendmmsg: every message given was sent.
 * says: sendmmsg is limited by the batch that the caller makes: 200 of 200 calls were given 7,
 *     the most of all, and moved it whole.
 * says: recvmmsg is limited by arrivals, not by its limit of 64: 0 of 200 calls were full.
 * auto says: sendmmsg: no model: every call moved 7, so what a call and what a unit costs cannot
 *     be told apart.
 * auto says: sendmmsg, batch-limit: no prediction, because every call moved 7, ... Build with
 *     another batch and compare: profile-scenario compare
 * ptrace says: sendmmsg: no model: ... of the calls were seen by stops, whose times are in theirs.
 * ptrace never: Build with another batch
 * auto never: of the calls were seen by stops
 * never: its time is waiting
 * never: its time may be waiting for the buffer
 * never: that moved something, at least ... are needed
 * never: sizes of batch with at least
 * never: None of the traced calls batches
 * never: asks for one a call
 * never: partial calls, asked->got
 * never: was not traced, so nothing is known of it
 * never: sends what it received
 * never: these a larger limit would make fewer
 * says: all calls were made by one thread
 * never: by the call that was given them
 * never: by the calls that succeeded; ... did not
 * never: brought nothing
 * never: too few calls to judge
 * never: only: no more was there
 * never: iovecs had nothing to hold
 * never: is given one message a call: it does not batch
 * never: datagrams a call, as one message
 * never: calls brought nothing (they returned 0 or EAGAIN)
 * never: was not called
 * never: different batch sizes, or pairs of sizes
 * never: about one
 * never: were traced and not called
 * never: one message can carry several datagrams
 * never: No call batches, or too few were made to say how
 * never: no call batches, or too few were made to say how
 */
#include "msgs.h"

static struct messages m;

int main(void)
{
	int s[2];

	msgs_fill(&m);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 200; i++) {
		CHECK(sendmmsg(s[0], m.at, 7, 0) == 7);
		CHECK(recvmmsg(s[1], m.at, MANY, MSG_DONTWAIT, NULL) == 7);
	}
	return 0;
}
