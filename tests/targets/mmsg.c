// SPDX-License-Identifier: GPL-3.0-only
/* sendmmsg and recvmmsg: batches of known sizes, and every odd thing the kernel does with them. */
#include <pthread.h>
#include <time.h>

#include "udp.h"

#define VLEN_MAX 1500

static struct mmsghdr msgs[VLEN_MAX];
static struct iovec iovs[VLEN_MAX];
static char bytes[VLEN_MAX][64];

static void fill(size_t n, size_t len)
{
	memset(msgs, 0, sizeof(msgs));
	for (size_t i = 0; i < n; i++) {
		iovs[i] = (struct iovec){bytes[i], len};
		msgs[i].msg_hdr.msg_iov = &iovs[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Raw, because musl's sendmmsg is a loop of sendmsg. */
static long send_mm(int fd, unsigned int vlen)
{
	return syscall(SYS_sendmmsg, fd, msgs, vlen, 0);
}

static long recv_mm(int fd, unsigned int vlen, int flags)
{
	return syscall(SYS_recvmmsg, fd, msgs, vlen, flags, NULL);
}

/* N batches of K messages of 10 bytes, each received whole by a call that asks for 64; then EAGAIN.
 */
static void batches(char **args)
{
	struct udp u = udp_open();
	long n = t_num(args, 0, 10), k = t_num(args, 1, 32);

	for (long i = 0; i < n; i++) {
		fill((size_t)k, 10);
		CHECK(send_mm(u.tx, (unsigned int)k) == k);
		fill(64, 64);
		CHECK(recv_mm(u.rx, 64, MSG_DONTWAIT) == k);
	}
	CHECK(recv_mm(u.rx, 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

/* The kernel sends at most 1024 (UIO_MAXIOV) of 1500. */
static void cap(char **args)
{
	struct udp u = udp_open();

	(void)args;
	fill(1500, 1);
	CHECK(send_mm(u.tx, 1500) == 1024);
}

/* The third message is bad: 2 are sent and its errno is lost. Then the first is: -1. */
static void bad(char **args)
{
	struct udp u = udp_open();

	(void)args;
	fill(5, 8);
	iovs[2].iov_base = (void *)8;
	CHECK(send_mm(u.tx, 5) == 2);
	iovs[0].iov_base = (void *)8;
	CHECK(send_mm(u.tx, 5) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_sendmmsg, u.tx, (void *)8, 3, 0) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_sendmmsg, -1, msgs, 3, 0) == -1 && errno == EBADF);
}

static void zero(char **args)
{
	struct udp u = udp_open();

	(void)args;
	CHECK(send_mm(u.tx, 0) == 0);
	CHECK(recv_mm(u.rx, 0, MSG_DONTWAIT) == 0);
}

static void *send_1500(void *fd)
{
	for (int i = 0; i < VLEN_MAX; i++)
		CHECK(send(*(int *)fd, "x", 1, 0) == 1);
	return NULL;
}

/* recvmmsg has no cap: one call brings 1500. A unix socket, because it loses nothing. */
static void recv1500(char **args)
{
	int s[2];
	pthread_t t;

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	fill(1500, 64);
	CHECK(pthread_create(&t, NULL, send_1500, &s[0]) == 0);
	CHECK(recv_mm(s[1], 1500, 0) == 1500);
	pthread_join(t, NULL);
}

/* Returns all that is queued: 5 of the 10 asked. */
static void waitforone(char **args)
{
	struct udp u = udp_open();

	(void)args;
	fill(10, 10);
	CHECK(send_mm(u.tx, 5) == 5);
	CHECK(recv_mm(u.rx, 10, MSG_WAITFORONE) == 5);
}

/* 2 bytes of room for a datagram of 3: msg_len is 2, or 3 when the caller asks with MSG_TRUNC. */
static void trunc_msg(char **args)
{
	struct udp u = udp_open();

	(void)args;
	fill(2, 3);
	CHECK(send_mm(u.tx, 2) == 2);
	fill(1, 2);
	CHECK(recv_mm(u.rx, 1, 0) == 1 && msgs[0].msg_len == 2);
	CHECK(recv_mm(u.rx, 1, MSG_TRUNC) == 1 && msgs[0].msg_len == 3);
}

static void *send_late(void *fd)
{
	t_await_state(getpid(), getpid(), 'S'); /* the first thread receives */
	t_sleep_ms(300);
	CHECK(send(*(int *)fd, "x", 1, 0) == 1);
	return NULL;
}

/* The timeout is looked at only after a datagram has come: 100 ms last 300. */
static void timeout(char **args)
{
	struct udp u = udp_open();
	struct timespec limit = {.tv_nsec = 100000000}, t0, t1;
	pthread_t t;

	(void)args;
	fill(2, 8);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	CHECK(pthread_create(&t, NULL, send_late, &u.tx) == 0);
	CHECK(syscall(SYS_recvmmsg, u.rx, msgs, 2, 0, &limit) == 1);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 >= 250);
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"batches", batches},
		{"cap", cap},
		{"bad", bad},
		{"zero", zero},
		{"recv1500", recv1500},
		{"waitforone", waitforone},
		{"trunc", trunc_msg},
		{"timeout", timeout},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
