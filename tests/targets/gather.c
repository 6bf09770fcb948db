// SPDX-License-Identifier: GPL-3.0-only
/*
 * Sends of known kinds: which of them could be held back and sent together, and which could not, as
 * something that another side has to answer comes between. Each case makes N (1000) sends, or what
 * its comment says.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "udp.h"

static long count(char **args)
{
	return t_num(args, 0, 1000);
}

static void put(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

static int take(int fd)
{
	char c;

	return (int)read(fd, &c, 1);
}

/* A child answers each byte of `in` with one on `out`, until the end of file. */
static pid_t answerer(int in, int out, int close_a, int close_b)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	close(close_a);
	if (close_b >= 0)
		close(close_b);
	while (take(in) == 1)
		put(out);
	_exit(0);
}

static void ended(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Question and answer on one socket: 0 safely. */
static void ping(char **args)
{
	int s[2];
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	pid = answerer(s[1], s[1], s[0], -1);
	close(s[1]);
	for (long i = count(args); i > 0; i--) {
		put(s[0]);
		CHECK(take(s[0]) == 1);
	}
	close(s[0]);
	ended(pid);
}

/* The question on one pipe, the answer on another: 0 safely. */
static void pipes(char **args)
{
	int q[2], a[2];
	pid_t pid;

	CHECK(pipe(q) == 0 && pipe(a) == 0);
	pid = answerer(q[0], a[1], q[1], a[0]);
	close(q[0]);
	close(a[1]);
	for (long i = count(args); i > 0; i--) {
		put(q[1]);
		CHECK(take(a[0]) == 1);
	}
	close(q[1]);
	ended(pid);
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

/* What of the answers is there. */
static long answered(const char *how, int file)
{
	struct stat st;
	int n = 0;

	if (!strcmp(how, "place")) {
		CHECK(pread(file, &n, sizeof(n), 0) >= 0);
	} else if (!strcmp(how, "size")) {
		CHECK(fstat(file, &st) == 0);
		n = (int)st.st_size;
	} else if (!strcmp(how, "end")) {
		n = (int)lseek(file, 0, SEEK_END);
	} else {
		n = signals;
	}
	return n;
}

/* The question on a pipe; the answer, which is looked for again and again, is what args[1] names: a
 * number in a file ("place"), its size ("size", "end"), a signal. 0 safely. */
static void asks(char **args)
{
	const char *how = args[0] && args[1] ? args[1] : "signal";
	int q[2], file = t_file(0);
	pid_t me = getpid(), pid;

	CHECK(pipe(q) == 0 && signal(SIGUSR1, on_signal) != SIG_ERR);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(q[1]);
		for (int i = 1; take(q[0]) == 1; i++) {
			if (!strcmp(how, "place"))
				CHECK(pwrite(file, &i, sizeof(i), 0) == sizeof(i));
			else if (!strcmp(how, "signal"))
				CHECK(kill(me, SIGUSR1) == 0);
			else
				CHECK(ftruncate(file, i) == 0);
		}
		_exit(0);
	}
	close(q[0]);
	for (long i = 1, n = count(args); i <= n; i++) {
		put(q[1]);
		/* twice at least, however soon the answer was there */
		do
			answered(how, file);
		while (answered(how, file) < i);
	}
	close(q[1]);
	ended(pid);
}

/* After every tenth write to a pipe, which a child reads, something is told by what args[1] names:
 * epoll_ctl setsockopt utimensat timer place. */
static void tells(char **args)
{
	const char *what = args[0] && args[1] ? args[1] : "epoll_ctl";
	struct epoll_event ev = {.events = EPOLLIN};
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	struct itimerspec its = {0};
	int p[2], e = epoll_create1(0), s = socket(AF_INET, SOCK_DGRAM, 0), file = t_file(0),
		  on = 1;
	timer_t timer;
	pid_t pid;

	CHECK(pipe(p) == 0 && e >= 0 && s >= 0 && epoll_ctl(e, EPOLL_CTL_ADD, s, &ev) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &none, &timer) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(p[1]);
		while (take(p[0]) == 1)
			;
		_exit(0);
	}
	close(p[0]);
	for (long i = 1, n = count(args); i <= n; i++) {
		put(p[1]);
		if (i % 10)
			continue;
		if (!strcmp(what, "epoll_ctl"))
			CHECK(epoll_ctl(e, EPOLL_CTL_MOD, s, &ev) == 0);
		else if (!strcmp(what, "setsockopt"))
			CHECK(setsockopt(s, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0);
		else if (!strcmp(what, "utimensat"))
			CHECK(futimens(file, NULL) == 0);
		else if (!strcmp(what, "timer"))
			CHECK(timer_settime(timer, 0, &its, NULL) == 0);
		else
			CHECK(pwrite(file, "x", 1, 0) == 1);
	}
	close(p[1]);
	ended(pid);
}

/* epoll_wait on another descriptor between: 0 safely, though nothing is ever received here. */
static void waits(char **args)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int e = epoll_create1(0), p[2], null = t_null();

	CHECK(e >= 0 && pipe(p) == 0);
	put(p[1]);
	CHECK(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev) == 0);
	for (long i = count(args); i > 0; i--) {
		put(null);
		CHECK(epoll_wait(e, &ev, 1, -1) == 1);
	}
}

/* A relay of datagrams, as a DNS proxy is: each question goes on by one socket, each answer back by
 * the other, each waited for by poll. client -> in, out -> server; 0 safely. */
static void relay(char **args)
{
	struct udp client = udp_open(), server = udp_open();
	struct sockaddr_in from;
	struct pollfd p;
	char b[64];
	socklen_t len;

	for (long i = count(args); i > 0; i--) {
		CHECK(send(client.tx, b, 20, 0) == 20);
		p = (struct pollfd){client.rx, POLLIN, 0};
		CHECK(poll(&p, 1, -1) == 1);
		len = sizeof(from);
		CHECK(recvfrom(client.rx, b, 64, 0, (struct sockaddr *)&from, &len) == 20);
		CHECK(send(server.tx, b, 20, 0) == 20);
		len = sizeof(from);
		CHECK(recvfrom(server.rx, b, 64, 0, (struct sockaddr *)&from, &len) == 20);
		CHECK(sendto(server.rx, b, 30, 0, (struct sockaddr *)&from, len) == 30);
		p = (struct pollfd){server.tx, POLLIN, 0};
		CHECK(poll(&p, 1, -1) == 1);
		CHECK(recv(server.tx, b, 64, 0) == 30);
	}
}

/* A log that nobody asks about: all but the first of each group. */
static void lines(char **args)
{
	int fd = t_file(0);

	for (long i = count(args); i > 0; i--)
		put(fd);
}

/* Pages of a file: eight in a row, then back to the first. */
static void pages(char **args)
{
	static char page[512];
	int fd = t_file(0);

	for (long i = 0, n = count(args); i < n; i++)
		CHECK(pwrite(fd, page, sizeof(page), i % 8 * 512) == sizeof(page));
}

/* Datagrams to a receiver that is never asked. */
static void sends(char **args)
{
	struct udp u = udp_open();

	for (long i = count(args); i > 0; i--)
		CHECK(send(u.tx, "x", 1, 0) == 1);
}

/* Parts of a stream that a child reads. */
static void parts(char **args)
{
	char buf[4096];
	pid_t pid;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(close(s[0]) == 0);
		while (recv(s[1], buf, sizeof(buf), 0) > 0)
			;
		_exit(0);
	}
	CHECK(close(s[1]) == 0);
	for (long i = count(args); i > 0; i--)
		CHECK(send(s[0], "x", 1, 0) == 1);
	CHECK(close(s[0]) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* What a server does with a file: a part of it is read, and goes out as a part of a stream, which a
 * child reads. args[1]: "log" writes a line of a log between, too, "read" reads by a call that
 * could be on a pipe, too. */
static void served(char **args)
{
	const char *what = args[0] && args[1] ? args[1] : "";
	int file = t_file(64), log = t_file(0), s[2];
	char c;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(s[0]);
		while (take(s[1]) == 1)
			;
		_exit(0);
	}
	close(s[1]);
	for (long i = 0, n = count(args); i < n; i++) {
		if (strcmp(what, "read") == 0) {
			CHECK(lseek(file, 0, SEEK_SET) == 0 && take(file) == 1);
		} else {
			CHECK(pread(file, &c, 1, i % 64) == 1);
		}
		if (strcmp(what, "log") == 0)
			CHECK(pwrite(log, "x", 1, i) == 1);
		put(s[0]);
	}
	close(s[0]);
	ended(pid);
}

/* Each byte is read from where it was just written, by another descriptor of the file: 0 safely. */
static void reread(char **args)
{
	int fd = t_file(0), again;
	char path[64], c;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	CHECK(again >= 0);
	for (long i = 0, n = count(args); i < n; i++) {
		put(fd);
		CHECK(pread(again, &c, 1, i) == 1);
	}
}

/* read BYTES HOW FILE: a file of so many bytes (65536) is read in parts of so many (1024). HOW:
 * "on" to its end, "place" by place, "back" by place from its end, "seek" with a seek after each,
 * "copy" with a write to another file after each, "pipe" through a pipe. */
static void reads(char **args)
{
	size_t part = (size_t)t_num(args, 0, 1024),
	       size = args[0] && args[1] ? (size_t)t_num(args, 2, 65536) : 65536;
	const char *how = args[0] && args[1] ? args[1] : "on";
	int fd = t_file((off_t)size), other = t_file(0), p[2];
	char *block = calloc(1, part);
	ssize_t n = 1;

	CHECK(block && pipe(p) == 0);
	if (!strcmp(how, "pipe")) {
		for (size_t i = 0; i < 4096; i++)
			put(p[1]);
		CHECK(close(p[1]) == 0);
		fd = p[0];
	}
	for (size_t at = 0; n > 0; at += part) {
		if (!strcmp(how, "place"))
			n = pread(fd, block, part, (off_t)at);
		else if (!strcmp(how, "back"))
			n = at < size ? pread(fd, block, part, (off_t)(size - at - part)) : 0;
		else
			n = read(fd, block, part);
		CHECK(n >= 0);
		if (!strcmp(how, "seek"))
			CHECK(lseek(fd, 0, SEEK_CUR) >= 0);
		if (!strcmp(how, "copy"))
			CHECK(write(other, block, (size_t)n) == n);
	}
	free(block);
}

/* After every tenth write what args[1] names: fsync dup fork lseek close other. */
static void between(char **args)
{
	const char *what = args[0] && args[1] ? args[1] : "fsync";
	int fd = t_file(0), other = t_file(0);

	for (long i = 1, n = count(args); i <= n; i++) {
		put(fd);
		if (i % 10)
			continue;
		if (!strcmp(what, "fsync"))
			CHECK(fsync(fd) == 0);
		else if (!strcmp(what, "dup"))
			CHECK(close(dup(fd)) == 0);
		else if (!strcmp(what, "lseek"))
			CHECK(lseek(fd, 0, SEEK_CUR) == i);
		else if (!strcmp(what, "other"))
			put(other);
		else if (!strcmp(what, "close"))
			CHECK(dup2(other, fd) == fd);
		else if (!strcmp(what, "fork")) {
			pid_t pid = fork();

			if (!pid)
				_exit(0);
			ended(pid);
		}
	}
}

struct half {
	int fd;
	long n;
};

static int last_answer; /* that the other thread has received */

static void *answers(void *arg)
{
	struct half *h = arg;

	for (long i = 0; i < h->n; i++) {
		CHECK(take(h->fd) == 1);
		__atomic_store_n(&last_answer, (int)i + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Two threads on one socket: one asks, the other receives the answer and says so in memory: 0
 * safely, though no call of the first one waits. */
static void threads(char **args)
{
	struct half h = {.n = count(args)};
	pthread_t t;
	pid_t pid;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	pid = answerer(s[1], s[1], s[0], -1);
	close(s[1]);
	h.fd = s[0];
	CHECK(pthread_create(&t, NULL, answers, &h) == 0);
	for (int i = 0; i < h.n; i++) {
		put(s[0]);
		while (__atomic_load_n(&last_answer, __ATOMIC_ACQUIRE) <= i)
			; /* no call, not even sched_yield, says that it waits */
	}
	CHECK(pthread_join(t, NULL) == 0);
	close(s[0]);
	ended(pid);
}

/* N rounds of a write to each of `fds` (64) files. */
static void many(char **args)
{
	static int fd[8192];
	long files = t_num(args, 1, 64);
	struct rlimit limit;

	CHECK(files <= 8192 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < (rlim_t)files + 16)
		t_skip("so many descriptors");
	for (long i = 0; i < files; i++)
		fd[i] = t_null();
	for (long n = count(args); n > 0; n--)
		for (long i = 0; i < files; i++)
			put(fd[i]);
}

/* bulk N BYTES M: N writes of so many bytes over the same place, then M of one byte each to a file
 * of their own. */
static void bulk(char **args)
{
	size_t bytes = (size_t)t_num(args, 1, 65536);
	int fd = t_file(0), other = t_file(0);
	char *block = calloc(1, bytes);

	CHECK(block);
	for (long i = count(args); i > 0; i--) {
		CHECK(write(fd, block, bytes) == (ssize_t)bytes);
		CHECK(i % 64 || lseek(fd, 0, SEEK_SET) == 0);
	}
	for (long i = t_num(args, 2, 0); i > 0; i--)
		CHECK(write(other, block, 1) == 1);
	free(block);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"ping", ping},
		{"pipes", pipes},
		{"asks", asks},
		{"tells", tells},
		{"waits", waits},
		{"relay", relay},
		{"lines", lines},
		{"pages", pages},
		{"sends", sends},
		{"parts", parts},
		{"served", served},
		{"reread", reread},
		{"reads", reads},
		{"between", between},
		{"threads", threads},
		{"many", many},
		{"bulk", bulk},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
