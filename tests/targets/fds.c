// SPDX-License-Identifier: GPL-3.0-only
/*
 * The same number for different files: every case uses FD for several, with another number of
 * 1-byte pwrite64 calls on each, so that mixing them up shows.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "udp.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FD 100

static void put(long calls)
{
	while (calls-- > 0)
		CHECK(pwrite(FD, "x", 1, 0) == 1);
}

/* A new file at FD, in place of what is there. */
static void at_fd(int flags)
{
	int fd = t_file(1);

	CHECK(dup3(fd, FD, flags) == FD);
	close(fd);
}

/* Closed and used again: 3, 5, 2. */
static void reuse(char **args)
{
	(void)args;
	at_fd(0);
	put(3);
	close(FD);
	at_fd(0);
	put(5);
	close(FD);
	at_fd(0);
	put(2);
}

static atomic_long turn;

/* Until it is the turn of that number, without a call. */
static void await_turn(long n)
{
	while (atomic_load(&turn) != n)
		;
}

static void *put_in_turns(void *arg)
{
	for (long i = 0, n = *(long *)arg; i < n; i++) {
		await_turn(2 * i + 1);
		put(1 + i % 7);
		atomic_store(&turn, 2 * i + 2);
	}
	return arg;
}

static void *open_in_turns(void *arg)
{
	int file = t_file(1);

	for (long i = 0, n = *(long *)arg; i < n; i++) {
		CHECK(dup3(file, FD, 0) == FD); /* the last call before it is another's turn */
		atomic_store(&turn, 2 * i + 1);
		await_turn(2 * i + 2);
		put(1);
		close(FD);
	}
	return arg;
}

/*
 * turns N [1 | 2]: N times one file at one number; another thread makes 1, 2 .. 7, 1 .. calls on
 * each, its maker one more. 1: the calls of the maker stop, as it uses gs itself. 2: the maker is
 * the younger thread.
 */
static void turns(char **args)
{
	static long word;
	long n = t_num(args, 0, 40), how = t_num(args, 1, 0);
	pthread_t t;

	CHECK(pthread_create(&t, NULL, how == 2 ? open_in_turns : put_in_turns, &n) == 0);
	if (how == 1 && syscall(SYS_arch_prctl, ARCH_SET_GS, &word) < 0)
		t_skip("arch_prctl");
	if (how == 2)
		put_in_turns(&n);
	else
		open_in_turns(&n);
	CHECK(pthread_join(t, NULL) == 0);
}

/* dup2 over what is open: 2, 4. */
static void over(char **args)
{
	(void)args;
	at_fd(0);
	put(2);
	at_fd(0);
	put(4);
}

/* close_range takes it: 2, 1. */
static void range(char **args)
{
	(void)args;
	at_fd(0);
	put(2);
	if (syscall(SYS_close_range, FD - 10, ~0U, 0))
		t_skip("close_range");
	at_fd(0);
	put(1);
}

/* A child has a table of its own: parent 2 before and 3 after, child 7 on its own file there. */
static void forked(char **args)
{
	int st;
	pid_t pid;

	(void)args;
	at_fd(0);
	put(2);
	pid = fork();
	if (pid == 0) {
		at_fd(0);
		put(7);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	put(3);
}

/* exec closes it: 2, then 3 in the new program. With "keep" it stays open: 2 and 3 on one file. */
static void exec_closes(char **args)
{
	char *argv[] = {"fds", "after", NULL};

	at_fd(args[0] ? 0 : O_CLOEXEC);
	put(2);
	if (args[0])
		argv[1] = "kept";
	execv("/proc/self/exe", argv);
	CHECK(0 && "execv returned");
}

static void after(char **args)
{
	(void)args;
	at_fd(0);
	put(3);
}

static void kept(char **args)
{
	(void)args;
	put(3);
}

/* A UDP socket with both addresses: prints its port; 4 sendto of 10 bytes. */
static void socket_target(char **args)
{
	struct udp u = udp_open();

	(void)args;
	CHECK(dup2(u.tx, FD) == FD);
	printf("%u\n", u.port);
	for (int i = 0; i < 4; i++)
		CHECK(sendto(FD, "0123456789", 10, 0, NULL, 0) == 10);
}

/* Passed from another process: 6 calls on what came. */
static void passed(char **args)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = ""};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr h = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
	int s[2], fd = t_file(1);

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	CHECK(sendmsg(s[0], &h, 0) == 1);
	CHECK(recvmsg(s[1], &h, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
	for (int i = 0; i < 6; i++)
		CHECK(pwrite(fd, "x", 1, 0) == 1);
}

/* Calls that were to close it and fail: 2 and 3 on the same file, then 4 on another. */
static void failed(char **args)
{
	int other = t_file(1);

	(void)args;
	at_fd(0);
	put(2);
	CHECK(pwrite(other, "x", 1, 0) == 1);
	CHECK(dup3(other, FD, ~O_CLOEXEC) < 0 && errno == EINVAL);
	CHECK(dup2(FD + 1, FD) < 0 && errno == EBADF);
	put(3);
	close(FD);
	CHECK(close(FD) < 0 && errno == EBADF);
	CHECK(close(FD) < 0 && errno == EBADF);
	at_fd(0);
	put(4);
}

static void udp_at_fd(int segment)
{
	struct udp u = udp_open();

	CHECK(dup2(u.tx, FD) == FD);
	if (segment &&
		setsockopt(FD, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof(segment)))
		t_skip("UDP_SEGMENT");
	close(u.tx); /* the receiver stays, or the next call is refused */
}

static void send_1000(long calls)
{
	static char buf[1000];

	while (calls-- > 0)
		sendto(FD, buf, sizeof(buf), 0, NULL, 0);
}

/* Each socket has options of its own: one that cuts what it sends is never taken for the next. Its
 * option comes before its first call, after it, and to a number that is known of another one. */
static void options(char **args)
{
	int segment = 100;

	(void)args;
	udp_at_fd(segment);
	close(FD);
	udp_at_fd(0);
	send_1000(2);
	close(FD);
	udp_at_fd(segment);
	send_1000(3);
	close(FD);
	udp_at_fd(0);
	send_1000(5);
	close(FD);
	udp_at_fd(0);
	CHECK(setsockopt(FD, IPPROTO_UDP, 103, &segment, sizeof(segment)) == 0);
	send_1000(4);
}

static void *in_own_table(void *arg)
{
	if (arg)
		CHECK(syscall(SYS_close_range, ~0U - 1, ~0U, 2 /* CLOSE_RANGE_UNSHARE */) == 0);
	else if (unshare(CLONE_FILES))
		t_skip("unshare");
	put(3);
	close(FD);
	at_fd(0);
	put(4);
	return NULL;
}

/* Threads that leave the files table, one after the other: each uses the number for the file that
 * was there, 3 times, and for one of its own, 4 times. The others: 2 before, 1 between, 5 after. */
static void tables(char **args)
{
	pthread_t t;

	(void)args;
	at_fd(0);
	put(2);
	CHECK(pthread_create(&t, NULL, in_own_table, NULL) == 0 && pthread_join(t, NULL) == 0);
	put(1);
	CHECK(pthread_create(&t, NULL, in_own_table, args) == 0 && pthread_join(t, NULL) == 0);
	put(5);
	close(FD);
	at_fd(0);
	put(6);
}

static void use(int fd)
{
	char c;

	CHECK(fd < 0 || (read(fd, &c, 1) <= 0 && close(fd) == 0));
}

/* The same number, from call to call: each makes another file, as far as it may. */
static void made(char **args)
{
	for (long i = t_num(args, 0, 2); i > 0; i--) {
		use((int)syscall(SYS_userfaultfd, O_NONBLOCK));
		use((int)syscall(SYS_memfd_create, "made", 0));
		use((int)syscall(447 /* memfd_secret */, 0));
		use((int)syscall(430 /* fsopen */, "tmpfs", 0));
	}
}

/* A table that nobody shares stays what it is: 2, 3 and 1 on one file, then 4 on another. */
static void alone(char **args)
{
	(void)args;
	at_fd(0);
	put(2);
	if (unshare(CLONE_FILES))
		t_skip("unshare");
	put(3);
	if (syscall(SYS_close_range, FD + 1, ~0U, 2 /* CLOSE_RANGE_UNSHARE */))
		t_skip("close_range");
	put(1);
	close(FD);
	at_fd(0);
	put(4);
}

/* An option that is set by one number of a socket holds for the others, and for a child's: 3 and 2
 * sendto of 1000 bytes, 50 datagrams. */
static void twins(char **args)
{
	struct udp u = udp_open();
	int segment = 100, st;
	pid_t pid;

	(void)args;
	CHECK(dup2(u.tx, FD) == FD);
	if (setsockopt(u.tx, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof(segment)))
		t_skip("UDP_SEGMENT");
	send_1000(3);
	pid = fork();
	if (pid == 0) {
		send_1000(2);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

static atomic_int blocked;

static void *receive_one(void *arg)
{
	char c;

	atomic_store(&blocked, (int)syscall(SYS_gettid));
	CHECK(recvfrom(FD, &c, 1, 0, NULL, NULL) == 1);
	return arg;
}

/* A thread receives 1 datagram at a number that is another socket's meanwhile: that one joins what
 * it receives (UDP_GRO). 1: the first one does. */
static void swapped(char **args)
{
	struct udp u = udp_open(), other = udp_open();
	int on = 1;
	pthread_t t;

	if (setsockopt(t_num(args, 0, 0) ? u.rx : other.rx, IPPROTO_UDP, 104 /* UDP_GRO */, &on,
		    sizeof(on)))
		t_skip("UDP_GRO");
	CHECK(dup2(u.rx, FD) == FD && close(u.rx) == 0);
	CHECK(pthread_create(&t, NULL, receive_one, NULL) == 0);
	while (!atomic_load(&blocked))
		sched_yield();
	t_await_state(getpid(), atomic_load(&blocked), 'S');
	CHECK(dup2(other.rx, FD) == FD);
	CHECK(sendto(u.tx, "x", 1, 0, NULL, 0) == 1);
	CHECK(pthread_join(t, NULL) == 0);
}

/* ---- a socket of another process ---- */

#define RIGHTS_BYTES CMSG_SPACE(sizeof(int))

/* How many datagrams are waiting: read() says so without being one of the calls that are counted.
 */
static int waiting(int rx)
{
	char buf[2000];
	int n = 0;

	CHECK(fcntl(rx, F_SETFL, O_NONBLOCK) == 0);
	while (read(rx, buf, sizeof(buf)) > 0)
		n++;
	return n;
}

/* In every other round a socket that cuts what it sends into 100 bytes. */
static struct udp round_udp(long i)
{
	struct udp u = udp_open();
	int segment = 100;

	if (i % 2 == 0 &&
		setsockopt(u.tx, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof(segment)))
		t_skip("UDP_SEGMENT");
	return u;
}

/* 3 sendto of 1000 bytes, sendmmsg of 2 of 500, sendmsg of 300: 43 datagrams, or 6. */
static void send_all(int fd)
{
	static char buf[1000];
	struct iovec iov = {buf, 500}, last = {buf, 300};
	struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};
	struct msghdr one = {.msg_iov = &last, .msg_iovlen = 1};

	for (int i = 0; i < 3; i++)
		CHECK(sendto(fd, buf, sizeof(buf), 0, NULL, 0) == (ssize_t)sizeof(buf));
	CHECK(syscall(SYS_sendmmsg, fd, two, 2, 0) == 2);
	CHECK(sendmsg(fd, &one, 0) == 300);
	close(fd);
}

static struct msghdr rights_header(struct iovec *iov, char *control)
{
	return (struct msghdr){.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = RIGHTS_BYTES};
}

static void pass(int to, int fd)
{
	_Alignas(struct cmsghdr) char control[RIGHTS_BYTES] = {0};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr h = rights_header(&iov, control);
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	CHECK(sendmsg(to, &h, 0) == 1);
}

static int receive(int from, int many)
{
	_Alignas(struct cmsghdr) char control[RIGHTS_BYTES];
	char c;
	struct iovec iov = {&c, 1};
	struct mmsghdr m = {.msg_hdr = rights_header(&iov, control)};
	int fd;

	if (many)
		CHECK(syscall(SYS_recvmmsg, from, &m, 1, 0, NULL) == 1);
	else
		CHECK(recvmsg(from, &m.msg_hdr, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.msg_hdr)), sizeof(fd));
	return fd;
}

/* The child sends on sockets that its parent has made, as soon as it has them. */
static void rights(char **args)
{
	long rounds = t_num(args, 0, 10), datagrams = 0;
	int s[2], st;
	char c = 'x';
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	pid = fork();
	for (long i = 0; pid == 0 && i < rounds; i++) {
		send_all(receive(s[1], i % 4 > 1));
		CHECK(write(s[1], &c, 1) == 1);
	}
	if (pid == 0)
		_exit(0);
	for (long i = 0; i < rounds; i++) {
		struct udp u = round_udp(i);

		pass(s[0], u.tx);
		close(u.tx);
		CHECK(read(s[0], &c, 1) == 1);
		datagrams += waiting(u.rx);
		close(u.rx);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(datagrams == (rounds + 1) / 2 * 43 + rounds / 2 * 6);
}

/* The parent takes sockets of its child, and sends at once. */
static void stolen(char **args)
{
	long rounds = t_num(args, 0, 10), datagrams = 0;
	int s[2], st, pidfd;
	struct udp u;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	pid = fork();
	for (long i = 0; pid == 0 && i < rounds; i++) {
		u = round_udp(i);
		CHECK(write(s[1], &u, sizeof(u)) == sizeof(u) && read(s[1], &st, 1) == 1);
		st = waiting(u.rx);
		CHECK(write(s[1], &st, sizeof(st)) == sizeof(st));
		close(u.rx);
		close(u.tx);
	}
	if (pid == 0)
		_exit(0);
	pidfd = (int)syscall(434 /* pidfd_open */, pid, 0);
	for (long i = 0; i < rounds; i++) {
		int fd;

		CHECK(read(s[0], &u, sizeof(u)) == sizeof(u));
		fd = (int)syscall(438 /* pidfd_getfd */, pidfd, u.tx, 0);
		if (fd < 0)
			t_skip("pidfd_getfd");
		send_all(fd);
		CHECK(write(s[0], "x", 1) == 1 && read(s[0], &st, sizeof(st)) == sizeof(st));
		datagrams += st;
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(datagrams == (rounds + 1) / 2 * 43 + rounds / 2 * 6);
}

/* Sends on FD, which whoever started it has left open. */
static void given(char **args)
{
	(void)args;
	send_all(FD);
}

/* 30 accepts with room for 6 bytes of the peer's address, a read of each socket. */
static void cut_off(char **args)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	(void)args;
	CHECK(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	for (int i = 0; i < 30; i++) {
		int out = socket(AF_INET, SOCK_STREAM, 0), in;
		char peer[16] = "";
		socklen_t room = 6;

		CHECK(connect(out, (struct sockaddr *)&at, sizeof(at)) == 0);
		in = accept(listener, (struct sockaddr *)peer, &room);
		CHECK(in >= 0 && room == sizeof(at) && !peer[6]);
		CHECK(write(out, "x", 1) == 1 && read(in, peer, 1) == 1);
		CHECK(close(in) == 0 && close(out) == 0);
	}
}

static void *receive_on(void *arg)
{
	char control[CMSG_SPACE(sizeof(int))], byte;

	for (;;) {
		struct iovec iov = {&byte, 1};
		struct msghdr h = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};

		if (recvmsg(*(const int *)arg, &h, 0) == 1)
			close(*(int *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&h)));
	}
	return NULL;
}

/* N processes, which end in the middle of two threads' receiving fds. */
static void received_last(char **args)
{
	for (long n = t_num(args, 0, 60); n > 0; n--) {
		int s[2], status;
		pid_t pid = fork();

		if (pid == 0) {
			char control[CMSG_SPACE(sizeof(int))] = "";
			struct iovec iov = {"x", 1};
			struct msghdr h = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
			pthread_t t[2];

			*CMSG_FIRSTHDR(&h) =
				(struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
			CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
			for (int i = 0; i < 2; i++)
				CHECK(pthread_create(&t[i], NULL, receive_on, &s[1]) == 0);
			for (long i = 0; i < 30 + n; i++)
				CHECK(sendmsg(s[0], &h, 0) == 1);
			_exit(3);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
	}
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"reuse", reuse},
		{"turns", turns},
		{"over", over},
		{"range", range},
		{"forked", forked},
		{"exec", exec_closes},
		{"after", after},
		{"kept", kept},
		{"socket", socket_target},
		{"passed", passed},
		{"failed", failed},
		{"options", options},
		{"tables", tables},
		{"alone", alone},
		{"made", made},
		{"twins", twins},
		{"swapped", swapped},
		{"rights", rights},
		{"stolen", stolen},
		{"given", given},
		{"cut_off", cut_off},
		{"received_last", received_last},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
