/* SPDX-License-Identifier: GPL-3.0-only */
/* Work to measure tracers with. Each case prints "ns N": of one call, measured in here. */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
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

static atomic_int over;
static useconds_t nap_us;

/* The longest that it overslept. */
static void *nap(void *arg)
{
	uint64_t *worst = arg;

	usleep((useconds_t)((uintptr_t)arg / sizeof(*worst) * 7919 % nap_us)); /* not all at once */
	while (!over) {
		uint64_t begin = now_ns(), took;

		usleep(nap_us);
		took = now_ns() - begin;
		if (took > nap_us * 1000 + *worst)
			*worst = took - nap_us * 1000;
	}
	return NULL;
}

/* N threads that sleep US again and again until stdin ends: the longest that one overslept. */
static void naps(char **args)
{
	long n = t_num(args, 0, 1000);
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	uint64_t *worst = calloc((size_t)n, sizeof(*worst)), most = 0;
	char c;

	CHECK(t && worst);
	nap_us = (useconds_t)t_num(args, 1, 20000);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&t[i], NULL, nap, &worst[i]) == 0);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	over = 1;
	for (long i = 0; i < n; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		most = worst[i] > most ? worst[i] : most;
	}
	printf("ns %llu\n", (unsigned long long)most);
}

/* N times /bin/true, one after the other. */
static void runs(char **args)
{
	long n = t_num(args, 0, 200);

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();
		int status;

		CHECK(pid >= 0);
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

static void *same(void *arg)
{
	return arg;
}

/* N threads that do nothing, one after the other. */
static void joins(char **args)
{
	long n = t_num(args, 0, 1000);

	for (long i = 0; i < n; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, same, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
}

static const struct tcase cases[] = {{"writes", writes}, {"batches", batches}, {"mixed", mixed},
	{"files", files}, {"scan", scan}, {"forks", forks}, {"naps", naps}, {"runs", runs},
	{"joins", joins}, {NULL, NULL}};

/* "await CASE ..": is there, and begins with a line on stdin, for who attaches first. */
int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "await") == 0) {
		printf("ready\n");
		fflush(stdout);
		CHECK(getchar() != EOF);
		argc--;
		argv++;
	}
	return t_main(argc, argv, cases);
}
