/* SPDX-License-Identifier: GPL-3.0-only */
/* Work to measure tracers with. Each case prints "ns N": of one call, measured in here. */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void report(uint64_t begin_ns, long calls)
{
	printf("ns %.1f\n", (double)(now_ns() - begin_ns) / (double)calls);
	CHECK(fflush(stdout) == 0);
}

/* N writes of one byte to /dev/null. */
static void writes(char **args)
{
	long n = t_num(args, 0, 1000000);
	int fd = t_null();
	uint64_t begin = now_ns();

	for (long i = 0; i < n; i++)
		CHECK(write(fd, "x", 1) == 1);
	report(begin, n);
}

#define BATCH 32

struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	char bytes[BATCH][64];
};

static void fill(struct batch *b)
{
	for (int i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){b->bytes[i], sizeof(b->bytes[i])};
		b->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
	}
}

/* N sendmmsg of 32 datagrams to a socket that is read in between. */
static void batches(char **args)
{
	long n = t_num(args, 0, 10000);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(to);
	static struct batch out, in;
	int from = socket(AF_INET, SOCK_DGRAM, 0), at = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t begin;

	CHECK(bind(at, (void *)&to, sizeof(to)) == 0);
	CHECK(getsockname(at, (void *)&to, &len) == 0);
	CHECK(connect(from, (void *)&to, len) == 0);
	fill(&out);
	fill(&in);
	begin = now_ns();
	for (long i = 0; i < n; i++) {
		CHECK(sendmmsg(from, out.msgs, BATCH, 0) == BATCH);
		CHECK(recvmmsg(at, in.msgs, BATCH, MSG_DONTWAIT, NULL) == BATCH);
	}
	report(begin, n);
}

static void *mix(void *arg)
{
	long n = (long)(intptr_t)arg;
	static char data[65536];
	int null = t_null(), ends[2];
	char buf[65536];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	for (long i = 0; i < n; i++) {
		char *p = mmap(
			NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		memset(p, 1, 65536);
		CHECK(munmap(p, 65536) == 0);
		for (int k = 0; k < 4; k++) {
			CHECK(write(ends[0], data, 16384) == 16384);
			CHECK(read(ends[1], buf, sizeof(buf)) == 16384);
		}
		CHECK(write(null, "x", 1) == 1);
	}
	return NULL;
}

/* 4 threads that map, unmap, write and read, N rounds each. */
static void mixed(char **args)
{
	long n = t_num(args, 0, 5000);
	uint64_t begin = now_ns();
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, mix, (void *)(intptr_t)n) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	report(begin, 4 * n);
}

/* N times open, read and close of one file: of the three. */
static void files(char **args)
{
	long n = t_num(args, 0, 20000);
	char c;
	uint64_t begin = now_ns();

	for (long i = 0; i < n; i++) {
		int fd = open("/proc/self/exe", O_RDONLY);

		CHECK(fd >= 0 && read(fd, &c, 1) == 1 && close(fd) == 0);
	}
	report(begin, n);
}

/* N ports of the loopback where nobody listens: socket, connect and close, of the three. */
static void scan(char **args)
{
	long n = t_num(args, 0, 20000);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	uint64_t begin = now_ns();

	for (long i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		to.sin_port = htons((uint16_t)(1 + i % 19));
		CHECK(fd >= 0);
		CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && close(fd) == 0);
	}
	report(begin, n);
}

/* N children, one after the other, of K writes each: of a child. */
static void forks(char **args)
{
	long n = t_num(args, 0, 200), writes_each = t_num(args, 1, 50);
	int fd = t_null();
	uint64_t begin;

	for (int i = 0; i < 100; i++) /* the parent is recorded */
		CHECK(write(fd, "x", 1) == 1);
	begin = now_ns();
	for (long i = 0; i < n; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (long k = 0; k < writes_each; k++)
				if (write(fd, "x", 1) != 1)
					_exit(1);
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	}
	report(begin, n);
}

static const struct tcase cases[] = {{"writes", writes}, {"batches", batches}, {"mixed", mixed},
	{"files", files}, {"scan", scan}, {"forks", forks}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
