/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Batches of BATCH/2 to BATCH units, by chance, N units in all, for `make bench`: what the cost
 * model predicts from these sizes is held against a run with larger ones. udp: sendmmsg to a socket
 * that drops them; iov: writev to /dev/null; same: that with one size only.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "t.h"

#define UNITS_MAX 1024

static unsigned int seed = 1;

static unsigned int next_size(long batch)
{
	long least = batch / 2 ? batch / 2 : 1;

	return (unsigned int)(least + rand_r(&seed) % (batch - least + 1));
}

static void udp(char **args)
{
	static struct mmsghdr m[UNITS_MAX];
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec v = {"0123456789abcdef", 16};
	socklen_t len = sizeof(in);
	int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(bind(to, (struct sockaddr *)&in, len) == 0);
	CHECK(getsockname(to, (struct sockaddr *)&in, &len) == 0);
	CHECK(connect(from, (struct sockaddr *)&in, len) == 0);
	for (int i = 0; i < UNITS_MAX; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
	for (long n = t_num(args, 1, 100000); n > 0;) {
		int sent = sendmmsg(from, m, next_size(t_num(args, 0, 8)), 0);

		CHECK(sent > 0);
		n -= sent;
	}
}

static void iov(char **args)
{
	static struct iovec v[UNITS_MAX];
	int null = t_null();

	for (int i = 0; i < UNITS_MAX; i++)
		v[i] = (struct iovec){"0123456789abcdef", 16};
	for (long n = t_num(args, 1, 100000); n > 0;) {
		unsigned int size = next_size(t_num(args, 0, 8));

		CHECK(writev(null, v, (int)size) == (ssize_t)size * 16);
		n -= (long)size;
	}
}

/* BATCH units in every call. */
static void same(char **args)
{
	static struct iovec v[UNITS_MAX];
	long size = t_num(args, 0, 8);
	int null = t_null();

	for (int i = 0; i < UNITS_MAX; i++)
		v[i] = (struct iovec){"0123456789abcdef", 16};
	for (long n = t_num(args, 1, 100000); n > 0; n -= size)
		CHECK(writev(null, v, (int)size) == (ssize_t)size * 16);
}

static const struct tcase cases[] = {{"udp", udp}, {"iov", iov}, {"same", same}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
