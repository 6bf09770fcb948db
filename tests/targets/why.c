// SPDX-License-Identifier: GPL-3.0-only
/* Batches of which it is known why they are not larger: one case a reason. The peer, if there is
 * one, makes single calls only. */
#include <linux/aio_abi.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "udp.h"

#define VLEN_MAX 2048
#define ROUNDS   200

static struct mmsghdr msgs[VLEN_MAX];
static struct iovec iovs[VLEN_MAX];
static char bytes[64 * 1024 + 1024];

/* n messages of len bytes; all in one buffer, what is in them does not matter. */
static void fill(size_t n, size_t len)
{
	memset(msgs, 0, sizeof(msgs));
	for (size_t i = 0; i < n; i++) {
		iovs[i] = (struct iovec){bytes, len};
		msgs[i].msg_hdr.msg_iov = &iovs[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static long send_mm(int fd, size_t from, unsigned int vlen, int flags)
{
	return syscall(SYS_sendmmsg, fd, msgs + from, vlen, flags);
}

static long recv_mm(int fd, unsigned int vlen, int flags)
{
	fill(vlen, 64);
	return syscall(SYS_recvmmsg, fd, msgs, vlen, flags, NULL);
}

static void send_ones(int fd, long n)
{
	for (long i = 0; i < n; i++)
		CHECK(send(fd, bytes, 10, 0) == 10);
}

static void pair(int type, int s[2])
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void reap(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- receiving ---- */

/* One is there each time. */
static void arrivals(char **args)
{
	int s[2];

	(void)args;
	pair(SOCK_DGRAM, s);
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(s[0], 1);
		CHECK(recv_mm(s[1], 16, MSG_DONTWAIT) == 1);
	}
}

/* The same, by the file's flag. */
static void nonblock(char **args)
{
	int s[2];

	(void)args;
	pair(SOCK_DGRAM | SOCK_NONBLOCK, s);
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(s[0], 1);
		CHECK(recv_mm(s[1], 16, 0) == 1);
	}
}

/* As many are there as it asks for, and then none. */
static void fit(char **args)
{
	int s[2], single = args[0] && !strcmp(args[0], "single");

	pair(SOCK_DGRAM, s);
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(s[0], 8);
		CHECK(recv_mm(s[1], 8, MSG_DONTWAIT) == 8);
		if (single)
			CHECK(recv(s[1], bytes, 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
		else
			CHECK(recv_mm(s[1], 8, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	}
}

/* One is there, but each fifth time 12, of which it asks for 8. */
static void bursts(char **args)
{
	struct udp u = udp_open();

	(void)args;
	for (int i = 0; i < ROUNDS; i++) {
		int burst = i % 5 == 0;

		send_ones(u.tx, burst ? 12 : 1);
		if (burst)
			CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == (burst ? 4 : 1));
	}
}

/* What it takes is what it has sent itself: there never is more. */
static void own(char **args)
{
	struct udp u = udp_open();

	(void)args;
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(u.tx, 8);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
	}
}

/* There is more, which single calls take: nothing is left for the next batch. */
static void rest(char **args)
{
	struct udp u = udp_open();

	(void)args;
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(u.tx, 12);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
		for (int k = 0; k < 4; k++)
			CHECK(recv(u.rx, bytes, 64, MSG_DONTWAIT) == 10);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	}
}

/* That there are no errors says nothing of messages. */
static void error_queue(char **args)
{
	struct udp u = udp_open();

	(void)args;
	for (int i = 0; i < ROUNDS / 8; i++) {
		send_ones(u.tx, 64);
		for (int k = 0; k < 8; k++) {
			CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
			CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT | MSG_ERRQUEUE) == -1);
		}
	}
}

/* The queue has more all the time, the receiver sleeps between its calls: what it finds may as well
 * have come meanwhile. Nothing that it sleeps in was about the socket. */
static void pause_between(char **args)
{
	struct udp u = udp_open();
	struct epoll_event e;
	int ep = epoll_create1(0);

	for (int i = 0; i < ROUNDS / 8; i++) {
		send_ones(u.tx, 64);
		for (int k = 0; k < 8; k++) {
			CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
			if (!strcmp(args[0], "poll"))
				CHECK(poll(NULL, 0, 1) == 0);
			else if (!strcmp(args[0], "epoll"))
				CHECK(epoll_wait(ep, &e, 1, 1) == 0);
			else
				usleep(1000);
		}
	}
}

/* A peer sends 8 when it is told to, and they are taken when it tells that they are there: there
 * never is more, but nobody looks. */
static void lockstep(char **args)
{
	struct udp u = udp_open();
	int go[2], there[2];
	pid_t child;

	(void)args;
	pair(SOCK_STREAM, go);
	pair(SOCK_STREAM, there);
	child = fork();
	if (!child) {
		for (int i = 0; i < ROUNDS; i++) {
			CHECK(read(go[1], bytes, 1) == 1);
			send_ones(u.tx, 8);
			CHECK(write(there[1], bytes, 1) == 1);
		}
		_exit(0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(write(go[0], bytes, 1) == 1 && read(there[0], bytes, 1) == 1);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
	}
	reap(child);
}

/* A queue with more in it is looked at whenever another socket has something. */
static void other_wait(char **args)
{
	struct udp u = udp_open();
	int s[2];
	pid_t child;

	(void)args;
	pair(SOCK_DGRAM, s);
	child = fork();
	if (!child) {
		for (int i = 0; i < ROUNDS; i++) {
			usleep(1000);
			send_ones(s[0], 1);
		}
		_exit(0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd p = {.fd = s[1], .events = POLLIN};

		if (i % 8 == 0)
			send_ones(u.tx, 64);
		CHECK(poll(&p, 1, -1) == 1 && recv(s[1], bytes, 64, MSG_DONTWAIT) == 10);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == 8);
	}
	reap(child);
}

/* The queue has more: 8 of 8 calls full, then one that finds nothing. */
static void limit(char **args)
{
	int flags = args[0] && !strcmp(args[0], "first") ? MSG_WAITFORONE : MSG_DONTWAIT;

	struct udp u = udp_open(); /* it holds more than a local socket */

	for (int i = 0; i < ROUNDS / 8; i++) {
		send_ones(u.tx, 64);
		for (int k = 0; k < 8; k++)
			CHECK(recv_mm(u.rx, 8, flags) == 8);
		CHECK(recv_mm(u.rx, 8, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	}
}

/* It waits for all 8, which come one after the other: the peer sends the next one when it sees that
 * the queue is empty, which is when the call took the last. */
static void all(char **args)
{
	int s[2];
	pid_t child;

	(void)args;
	pair(SOCK_DGRAM, s);
	child = fork();
	if (!child) {
		for (int i = 0; i < 8 * 60; i++) {
			int queued = 1;

			while (queued) {
				CHECK(ioctl(s[0], TIOCOUTQ, &queued) == 0);
				if (queued)
					usleep(50);
			}
			usleep(100);
			send_ones(s[0], 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 60; i++)
		CHECK(recv_mm(s[1], 8, 0) == 8);
	reap(child);
}

/* A time limit that is over when the first is taken: 64 are there, and each call takes one.
 * "empty": one is there each time. */
static void timeout(char **args)
{
	int empty = args[0] && !strcmp(args[0], "empty");
	struct udp u = udp_open();

	for (int i = 0; i < 100; i++) {
		send_ones(u.tx, empty ? 1 : 64);
		for (int k = 0; k < (empty ? 1 : 64); k++) {
			struct timespec none = {0, 0};

			fill(16, 64);
			CHECK(syscall(SYS_recvmmsg, u.rx, msgs, 16, 0, &none) == 1);
		}
		CHECK(recv_mm(u.rx, 16, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	}
}

/* ---- sending ---- */

static void kernel(char **args)
{
	unsigned int n = (unsigned int)t_num(args, 0, 2000);
	struct udp u = udp_open();

	for (int i = 0; i < ROUNDS; i++) {
		fill(n, 1);
		for (size_t from = 0; from < n;) {
			long sent = send_mm(u.tx, from, n - (unsigned int)from, 0);

			CHECK(sent > 0);
			from += (size_t)sent;
		}
	}
}

static void kernel_iovecs(char **args)
{
	int fd = t_null();

	(void)args;
	fill(1024, 1);
	for (int i = 0; i < ROUNDS; i++)
		CHECK(writev(fd, iovs, 1024) == 1024);
}

/* The fourth of eight is too large. It is tried again and then left out, or left out at once. */
static void refused(char **args)
{
	int retry = args[0] && !strcmp(args[0], "retry");
	struct udp u = udp_open();

	for (int i = 0; i < ROUNDS; i++) {
		fill(8, 10);
		iovs[3].iov_len = sizeof(bytes);
		CHECK(send_mm(u.tx, 0, 8, 0) == 3);
		if (retry)
			CHECK(send_mm(u.tx, 3, 5, 0) == -1 && errno == EMSGSIZE);
		CHECK(send_mm(u.tx, 4, 4, 0) == 4);
	}
}

/* Nobody listens: the answer to the first one is an error of the second. */
static void closed_port(char **args)
{
	struct udp u = udp_open();
	const char *how = args[0] ? args[0] : "";
	int flags = strcmp(how, "flag") ? 0 : MSG_DONTWAIT, on = 1;
	long errors = 0;

	if (!strcmp(how, "mode"))
		CHECK(fcntl(u.tx, F_SETFL, O_NONBLOCK) == 0);
	if (!strcmp(how, "ioctl"))
		CHECK(ioctl(u.tx, FIONBIO, &on) == 0);
	close(u.rx);
	for (int i = 0; i < ROUNDS; i++) {
		fill(8, 10);
		for (size_t from = 0; from < 8;) {
			long sent = send_mm(u.tx, from, 8 - (unsigned int)from, flags);

			errors += sent < 0;
			from += sent > 0 ? (size_t)sent : 0;
		}
	}
	CHECK(errors < 16L * ROUNDS);
}

/* The fourth has a port that there is none of; it is left out. */
static void bad_address(char **args)
{
	struct udp u = udp_open();
	struct sockaddr_in good = {.sin_family = AF_INET, .sin_port = htons(u.port)}, bad = good;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)args;
	good.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bad = good;
	bad.sin_port = 0;
	for (int i = 0; i < ROUNDS; i++) {
		fill(8, 10);
		for (int k = 0; k < 8; k++) {
			msgs[k].msg_hdr.msg_name = k == 3 ? &bad : &good;
			msgs[k].msg_hdr.msg_namelen = sizeof(good);
		}
		CHECK(send_mm(fd, 0, 8, 0) == 3);
		CHECK(send_mm(fd, 3, 5, 0) == -1 && errno == EINVAL);
		CHECK(send_mm(fd, 4, 4, 0) == 4);
	}
}

/* A file may not become larger: a part is written, and then nothing. */
static void file_limit(char **args)
{
	struct rlimit most;
	int fd = t_file(0);

	(void)args;
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &most) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct rlimit small = {20000, most.rlim_max};

		CHECK(lseek(fd, 0, SEEK_SET) == 0);
		fill(8, 3000);
		CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
		CHECK(writev(fd, iovs, 8) == 20000);
		fill(2, 3000);
		iovs[0].iov_len = 1000;
		CHECK(writev(fd, iovs, 2) == -1 && errno == EFBIG);
		CHECK(setrlimit(RLIMIT_FSIZE, &most) == 0);
	}
}

/* The peer's queue is full; half of a batch goes when there is room for so much. "late": that it
 * does not wait is set when it has been used; "time": it waits, but not for long. */
static void buffer(char **args)
{
	const char *how = args[0] ? args[0] : "";
	int s[2], flags = strcmp(how, "flag") ? 0 : MSG_DONTWAIT;
	struct timeval ms = {0, 1000};
	size_t from = 0;

	pair(SOCK_DGRAM, s);
	if (!*how)
		CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0);
	while (send(s[0], bytes, 10, MSG_DONTWAIT) == 10)
		;
	if (!strcmp(how, "late"))
		CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0);
	if (!strcmp(how, "time"))
		CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &ms, sizeof(ms)) == 0);
	CHECK(errno == EAGAIN);
	fill(8, 10);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		for (int k = 0; k < 4; k++)
			CHECK(recv(s[1], bytes, 64, 0) == 10);
		CHECK(send_mm(s[0], from, 8 - (unsigned int)from, flags) == 4);
		from = from ? 0 : 4;
	}
}

/* What did not go is given up: the next batch is another one. */
static void dropped(char **args)
{
	int s[2];

	(void)args;
	pair(SOCK_DGRAM, s);
	while (send(s[0], bytes, 10, MSG_DONTWAIT) == 10)
		;
	CHECK(errno == EAGAIN);
	fill(8, 10);
	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(recv(s[1], bytes, 64, 0) == 10);
		CHECK(send_mm(s[0], 0, 8 - (unsigned int)i % 2, MSG_DONTWAIT) == 3);
	}
}

/* A pipe that is nearly full: whole or EAGAIN. */
static void pipe_full(char **args)
{
	int p[2];

	(void)args;
	CHECK(pipe2(p, O_NONBLOCK) == 0);
	fill(4, 1000);
	for (int i = 0; i < 5 * ROUNDS; i++) {
		long n = writev(p[1], iovs, 4);

		CHECK(n == 4000 || (n == -1 && errno == EAGAIN));
		if (i % 2)
			CHECK(read(p[0], bytes, 4000) == 4000);
	}
}

/* A stream that takes a part: the rest goes when the peer has read. */
static void stream_full(char **args)
{
	int s[2], small = 4096;

	(void)args;
	pair(SOCK_STREAM, s);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int at = 0;

		fill(8, 4096);
		while (at < 8) {
			long n = writev(s[0], iovs + at, 8 - at);

			if (n < 0) {
				CHECK(errno == EAGAIN);
				while (recv(s[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
					;
				continue;
			}
			while (n > 0) {
				long part = n < (long)iovs[at].iov_len ? n : (long)iovs[at].iov_len;

				n -= part;
				iovs[at].iov_len -= (size_t)part;
				at += iovs[at].iov_len == 0;
			}
		}
	}
}

/* Batches of one size, and of many. */
static void caller(char **args)
{
	struct udp u = udp_open();
	int varied = args[0] && !strcmp(args[0], "varied");

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int n = varied ? 1 + (unsigned int)i % 7 : 8;

		fill(n, 10);
		CHECK(send_mm(u.tx, 0, n, 0) == (long)n);
	}
}

/* ---- who received first ---- */

/* The peer sends 1 to 8 and waits for as many answers. */
static pid_t asker(int fd, long answers_of_8)
{
	pid_t child = fork();

	if (child)
		return child;
	for (long i = 0; i < ROUNDS; i++) {
		long n = 1 + i % 8, back = n == 8 ? answers_of_8 : n;

		send_ones(fd, n);
		for (long k = 0; k < back; k++)
			CHECK(recv(fd, bytes, 64, 0) == 10);
	}
	_exit(0);
}

/* All that was sent by then: the peer sends n and then waits. */
static long take(int fd, long n)
{
	long got = 0;

	while (got < n) {
		long more = recv_mm(fd, 16, MSG_WAITFORONE);

		CHECK(more > 0);
		got += more;
	}
	return got;
}

/* The same by single calls, each after a look. */
static long take_ones(int fd, long n)
{
	for (long k = 0; k < n; k++) {
		CHECK(recv(fd, bytes, 64, MSG_PEEK) == 10);
		CHECK(recv(fd, bytes, 64, 0) == 10);
	}
	return n;
}

/* A server: it answers what came; "drop": but one of 8; "other": by another socket; "split": in
 * batches of two; "peek": what it has looked at; "announce": it had sent some unasked. */
static void server(char **args)
{
	const char *how = args[0] ? args[0] : "";
	int in[2], out[2], split = !strcmp(how, "split");
	long drop = !strcmp(how, "drop");
	pid_t child;

	if (!strcmp(how, "late")) { /* goes on when somebody has looked at it */
		CHECK(write(1, "ready\n", 6) == 6 && read(0, bytes, 1) == 1);
	}
	pair(SOCK_DGRAM, in);
	pair(SOCK_DGRAM, out);
	if (!strcmp(how, "announce")) {
		send_ones(in[1], 3);
		for (int k = 0; k < 3; k++)
			CHECK(recv(in[0], bytes, 64, 0) == 10);
	}
	child = asker(in[0], 8 - drop);
	for (long i = 0; i < ROUNDS; i++) {
		long n = 1 + i % 8, back = n - (n == 8 ? drop : 0);

		if (!strcmp(how, "peek"))
			take_ones(in[1], n);
		else
			take(in[1], n);
		fill(8, 10);
		if (!strcmp(how, "other")) { /* a proxy: to one behind it, and back */
			CHECK(send_mm(out[0], 0, (unsigned int)n, 0) == n);
			for (long k = 0; k < n; k++)
				CHECK(recv(out[1], bytes, 64, 0) == 10);
			for (long k = 0; k < n; k++)
				CHECK(send(out[1], bytes, 10, 0) == 10);
			take(out[0], n);
			fill(8, 10);
		}
		for (long k = 0; split && k < back; k += 2)
			CHECK(send_mm(in[1], 0, back - k > 1 ? 2 : 1, 0) > 0);
		if (!split)
			CHECK(send_mm(in[1], 0, (unsigned int)back, 0) == back);
	}
	reap(child);
}

/* A client: it asks 8 at a time, and takes the answers. "greeted": 100 came before it asked;
 * "doubled": for every 8 there is one too many. */
static void client(char **args)
{
	int greeted = args[0] && !strcmp(args[0], "greeted");
	int more = args[0] && !strcmp(args[0], "doubled");
	int s[2];
	pid_t child;

	pair(SOCK_DGRAM, s);
	child = fork();
	if (!child) {
		send_ones(s[1], greeted ? 100 : 0);
		for (int i = 0; i < 8 * ROUNDS; i++) {
			CHECK(recv(s[1], bytes, 64, 0) == 10);
			send_ones(s[1], more && i % 8 == 7 ? 2 : 1);
		}
		_exit(0);
	}
	take_ones(s[0], greeted ? 100 : 0);
	for (int i = 0; i < ROUNDS; i++) {
		fill(8, 10);
		CHECK(send_mm(s[0], 0, 8, 0) == 8);
		CHECK(recv_mm(s[0], 8 + (unsigned int)more, 0) == 8 + more);
	}
	reap(child);
}

/* Two threads in turns, on one descriptor: what one has received the other sends. It answers with
 * more in the queue at all times, or, "client", one of them has begun to ask. */
static struct {
	int fd, client, go[2][2], answered[2];
} turns_of;

static void *in_turns(void *arg)
{
	int *me = arg, second = me == turns_of.go[1];
	char c = 0;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(read(me[0], &c, 1) == 1);
		if (turns_of.client && (second || i))
			CHECK(recv_mm(turns_of.fd, 8, 0) == 8);
		fill(8, 10);
		if (turns_of.client || second || i)
			CHECK(send_mm(turns_of.fd, 0, 8, 0) == 8 &&
				read(turns_of.answered[0], &c, 1) == 1);
		if (!turns_of.client)
			CHECK(recv_mm(turns_of.fd, 8, MSG_DONTWAIT) == 8);
		CHECK(write(turns_of.go[!second][1], &c, 1) == 1);
	}
	return NULL;
}

static void turns(char **args)
{
	int s[2];
	char c = 0;
	pthread_t threads[2];
	pid_t child;

	pair(SOCK_DGRAM, s);
	turns_of.fd = s[0];
	turns_of.client = args[0] && !strcmp(args[0], "client");
	send_ones(s[1], turns_of.client ? 0 : 100);
	CHECK(pipe(turns_of.answered) == 0);
	child = fork();
	if (!child) {
		for (int i = 0; i < 2 * ROUNDS - !turns_of.client; i++) {
			for (int k = 0; k < 8; k++)
				CHECK(recv(s[1], bytes, 64, 0) == 10);
			send_ones(s[1], 8);
			CHECK(write(turns_of.answered[1], &c, 1) == 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 2; i++)
		CHECK(pipe(turns_of.go[i]) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, in_turns, turns_of.go[i]) == 0);
	CHECK(write(turns_of.go[0][1], &c, 1) == 1);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	reap(child);
}

/* ---- several, and events ---- */

/* Half of the calls are whole, half are of a batch with a message that is too large. */
static void mixed(char **args)
{
	struct udp u = udp_open();

	(void)args;
	for (int i = 0; i < ROUNDS; i++) {
		fill(8, 10);
		CHECK(send_mm(u.tx, 0, 8, 0) == 8);
		CHECK(send_mm(u.tx, 0, 8, 0) == 8);
		iovs[3].iov_len = sizeof(bytes);
		CHECK(send_mm(u.tx, 0, 8, 0) == 3);
		CHECK(send_mm(u.tx, 4, 4, 0) == 4);
	}
}

/* Half of the full calls leave something, half do not. */
static void half(char **args)
{
	int s[2];

	(void)args;
	pair(SOCK_DGRAM, s);
	for (int i = 0; i < ROUNDS; i++) {
		send_ones(s[0], 8);
		CHECK(recv_mm(s[1], 4, MSG_DONTWAIT) == 4);
		CHECK(recv_mm(s[1], 4, MSG_DONTWAIT) == 4);
		CHECK(recv_mm(s[1], 4, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	}
}

/* So many of 32 counters are ready, 4 are asked for; taken are what it says. */
static void events(char **args)
{
	long ready = t_num(args, 0, 16);
	int ep = epoll_create1(0), fds[32];
	struct epoll_event e[16];
	uint64_t one = 1;

	for (int i = 0; i < 32; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		e[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]};
		CHECK(fds[i] >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], e) == 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		for (long k = 0; k < ready; k++)
			CHECK(write(fds[k], &one, 8) == 8);
		for (long left = ready; left > 0;) {
			int n = epoll_wait(ep, e, 4, 0);

			CHECK(n == (left < 4 ? left : 4));
			for (int k = 0; k < n; k++)
				CHECK(read(e[k].data.fd, &one, 8) == 8);
			left -= n;
		}
	}
}

/* 8 reads are submitted, and waited for. */
static void aio(char **args)
{
	aio_context_t ctx = 0;
	struct iocb cb[8], *list[8];
	struct io_event done[8];
	int fd = t_file(4096);

	(void)args;
	if (syscall(SYS_io_setup, 8, &ctx))
		t_skip("io_setup");
	memset(cb, 0, sizeof(cb));
	for (int i = 0; i < 8; i++) {
		cb[i].aio_lio_opcode = IOCB_CMD_PREAD;
		cb[i].aio_fildes = (uint32_t)fd;
		cb[i].aio_buf = (uint64_t)(uintptr_t)bytes;
		cb[i].aio_nbytes = 16;
		list[i] = &cb[i];
	}
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(syscall(SYS_io_submit, ctx, 8, list) == 8);
		CHECK(syscall(SYS_io_getevents, ctx, 8, 8, done, NULL) == 8);
	}
	CHECK(syscall(SYS_io_destroy, ctx) == 0);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"arrivals", arrivals}, {"fit", fit},
		{"nonblock", nonblock}, {"bursts", bursts}, {"limit", limit}, {"all", all},
		{"timeout", timeout}, {"own", own}, {"rest", rest}, {"error-queue", error_queue},
		{"pause", pause_between}, {"lockstep", lockstep}, {"other-wait", other_wait},
		{"bad-address", bad_address}, {"file-limit", file_limit}, {"kernel", kernel},
		{"kernel-iovecs", kernel_iovecs}, {"refused", refused},
		{"closed-port", closed_port}, {"buffer", buffer}, {"dropped", dropped},
		{"pipe-full", pipe_full}, {"stream-full", stream_full}, {"caller", caller},
		{"server", server}, {"client", client}, {"turns", turns}, {"mixed", mixed},
		{"half", half}, {"events", events}, {"aio", aio}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}
