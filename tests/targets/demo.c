// SPDX-License-Identifier: GPL-3.0-only
/*
 * The program of `make demo`: two pairs of threads on 127.0.0.1. One batches well: a call carries
 *64 messages. The other uses the same calls and moves one message with each. The counts are the
 *same in every run:
 *
 *	batcher    100 sendmmsg of 64      collector    100 recvmmsg get 64 of 64
 *	dripper   1600 sendmmsg of 1       sipper      1600 recvmmsg get 1 of 64
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "udp.h"

#define VLEN 64

struct way {
	const char *sender, *receiver;
	long batch;
	long calls;
	struct udp udp;
	pthread_barrier_t turn; /* the receiver empties the socket before the next batch: no loss */
};

static void fill(struct mmsghdr *mm, struct iovec *iov, char *text)
{
	memset(mm, 0, VLEN * sizeof(*mm));
	for (int i = 0; i < VLEN; i++) {
		iov[i] = (struct iovec){text + 48 * i, 48};
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
}

static void *sender(void *arg)
{
	struct way *w = arg;
	struct mmsghdr mm[VLEN];
	struct iovec iov[VLEN];
	static char text[VLEN * 48];

	prctl(PR_SET_NAME, w->sender);
	fill(mm, iov, text);
	for (long i = 0; i < w->calls; i++) {
		CHECK(syscall(SYS_sendmmsg, w->udp.tx, mm, (unsigned int)w->batch, 0) == w->batch);
		pthread_barrier_wait(&w->turn);
		pthread_barrier_wait(&w->turn);
	}
	return NULL;
}

static void *receiver(void *arg)
{
	struct way *w = arg;
	struct mmsghdr mm[VLEN];
	struct iovec iov[VLEN];
	char text[VLEN * 48];

	prctl(PR_SET_NAME, w->receiver);
	fill(mm, iov, text);
	for (long i = 0; i < w->calls; i++) {
		pthread_barrier_wait(&w->turn);
		CHECK(syscall(SYS_recvmmsg, w->udp.rx, mm, VLEN, MSG_WAITFORONE, NULL) == w->batch);
		pthread_barrier_wait(&w->turn);
	}
	return NULL;
}

int main(void)
{
	static struct way ways[] = {
		{.sender = "batcher", .receiver = "collector", .batch = 64, .calls = 100},
		{.sender = "dripper", .receiver = "sipper", .batch = 1, .calls = 1600},
	};
	pthread_t t[4];

	for (int i = 0; i < 2; i++) {
		ways[i].udp = udp_open();
		CHECK(pthread_barrier_init(&ways[i].turn, NULL, 2) == 0);
		CHECK(pthread_create(&t[2 * i], NULL, sender, &ways[i]) == 0);
		CHECK(pthread_create(&t[2 * i + 1], NULL, receiver, &ways[i]) == 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("sent 6400 messages in 100 calls, and 1600 in 1600\n");
	return 0;
}
