// SPDX-License-Identifier: GPL-3.0-only
/*
 * Calls that wait, each in a thread of its own, all at once: "all LIMIT" gives each a time limit of
 * LIMIT ms; with 0 none, where it can do without, and what waits comes true when stdin ends. For
 * each a line: name, result, errno, ms it took, and whether its argument registers and the limit in
 * memory were as before ("same") or not. "late LIMIT": the threads make calls from the same place,
 * until stdin has a byte. "alone NAME LIMIT": only that one, in the first thread, and another
 * thread that makes calls and ends when stdin does.
 */
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "t.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* The kernel's, for the calls that take a long each. */
struct span {
	long s, ns;
};

struct span64 {
	int64_t s, ns;
};

struct waiter {
	const char *name;
	void (*run)(struct waiter *w);
	void (*end)(struct waiter *w); /* makes what waits come true */
	pthread_t thread;
	int fd[2];
	int32_t word;
	long ret;
	int error, changed;
	struct span limit, limit_before;
	struct span64 limit64, limit64_before;
	double ms;
};

static long limit_ms;
static char byte[1];
static pthread_barrier_t ready;
static atomic_int early = 1; /* the calls that wait are not to be made yet */
static int no_ring;          /* where there is one all calls with an fd stop */

__attribute__((noinline)) static void call(struct waiter *w, long nr, const long a[6])
{
#ifdef __x86_64__
	long di = a[0], si = a[1], dx = a[2];
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(w->ret), "+D"(di), "+S"(si), "+d"(dx), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(nr)
			 : "rcx", "r11", "memory");
	w->changed =
		di != a[0] || si != a[1] || dx != a[2] || r10 != a[3] || r8 != a[4] || r9 != a[5];
	w->error = w->ret < 0 ? (int)-w->ret : 0;
#else
	w->ret = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	w->error = w->ret < 0 ? errno : 0;
#endif
}

/* Makes the call; its time, result and whether it left its arguments alone. */
static void make(struct waiter *w, long nr, const long a[6])
{
	const struct timespec pause = {0, 1000000};
	struct timespec from, to;

	while (early) {
		call(w, SYS_getppid, (const long[6]){0});
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	pthread_barrier_wait(&ready);
	clock_gettime(CLOCK_MONOTONIC, &from);
	call(w, nr, a);
	clock_gettime(CLOCK_MONOTONIC, &to);
	w->ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

#define MAKE(w, nr, ...) make(w, nr, (const long[6]){__VA_ARGS__})

static void *thread(void *arg)
{
	struct waiter *w = arg;

	w->limit = (struct span){limit_ms / 1000, limit_ms % 1000 * 1000000};
	w->limit64 = (struct span64){limit_ms / 1000, limit_ms % 1000 * 1000000};
	w->limit_before = w->limit;
	w->limit64_before = w->limit64;
	w->run(w);
	return NULL;
}

static long span(struct waiter *w)
{
	return limit_ms ? (long)&w->limit : 0;
}

static long ms(void)
{
	return limit_ms ? limit_ms : -1;
}

/* ---- epoll ---- */

static struct epoll_event event_in = {.events = EPOLLIN};

static int epoll_of(struct waiter *w)
{
	int ep = epoll_create1(0);

	w->fd[0] = eventfd(0, 0);
	CHECK(ep >= 0 && w->fd[0] >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, w->fd[0], &event_in) == 0);
	return ep;
}

static void signal_event(struct waiter *w)
{
	uint64_t one = 1;

	CHECK(write(w->fd[0], &one, sizeof(one)) == sizeof(one));
}

static void run_epoll_wait(struct waiter *w)
{
	struct epoll_event got;

	MAKE(w, SYS_epoll_wait, epoll_of(w), (long)&got, 1, ms());
}

static void run_epoll_pwait(struct waiter *w)
{
	struct epoll_event got;
	uint64_t mask = 0;

	MAKE(w, SYS_epoll_pwait, epoll_of(w), (long)&got, 1, ms(), (long)&mask, 8);
}

static void run_epoll_pwait2(struct waiter *w)
{
	struct epoll_event got;

	MAKE(w, SYS_epoll_pwait2, epoll_of(w), (long)&got, 1, limit_ms ? (long)&w->limit64 : 0);
}

static void run_poll(struct waiter *w)
{
	struct pollfd p;

	w->fd[0] = eventfd(0, 0);
	p = (struct pollfd){.fd = w->fd[0], .events = POLLIN};
	MAKE(w, SYS_poll, (long)&p, 1, ms());
}

/* ---- signals ---- */

static void run_sigtimedwait(struct waiter *w)
{
	uint64_t set = 1ULL << (SIGUSR2 - 1);

	MAKE(w, SYS_rt_sigtimedwait, (long)&set, 0, span(w), 8);
}

static void send_signal(struct waiter *w)
{
	pthread_kill(w->thread, SIGUSR2);
}

/* ---- sockets, whose limit is an option of theirs ---- */

static void socket_limit(int fd, int option)
{
	struct timeval tv = {limit_ms / 1000, limit_ms % 1000 * 1000};

	CHECK(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)) == 0);
}

static void pair(struct waiter *w, int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, w->fd) == 0);
	socket_limit(w->fd[0], SO_RCVTIMEO);
	socket_limit(w->fd[0], SO_SNDTIMEO);
}

static void send_byte(struct waiter *w)
{
	CHECK(write(w->fd[1], "x", 1) == 1);
}

static void run_recvfrom(struct waiter *w)
{
	pair(w, SOCK_DGRAM);
	MAKE(w, SYS_recvfrom, w->fd[0], (long)byte, 1);
}

static void run_recvmsg(struct waiter *w)
{
	struct iovec iov = {byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	pair(w, SOCK_STREAM);
	MAKE(w, SYS_recvmsg, w->fd[0], (long)&m);
}

static void run_recvmmsg(struct waiter *w)
{
	struct iovec iov = {byte, 1};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};

	pair(w, SOCK_DGRAM);
	MAKE(w, SYS_recvmmsg, w->fd[0], (long)&m, 1);
}

static void run_read(struct waiter *w)
{
	pair(w, SOCK_STREAM);
	MAKE(w, SYS_read, w->fd[0], (long)byte, 1);
}

static void full(struct waiter *w)
{
	static const char text[4096];

	pair(w, SOCK_STREAM);
	while (send(w->fd[0], text, sizeof(text), MSG_DONTWAIT) > 0)
		;
	while (send(w->fd[0], text, 1, MSG_DONTWAIT) > 0)
		;
}

static void empty_it(struct waiter *w)
{
	char text[4096];

	while (recv(w->fd[1], text, sizeof(text), MSG_DONTWAIT) > 0)
		;
}

static void run_sendto(struct waiter *w)
{
	full(w);
	MAKE(w, SYS_sendto, w->fd[0], (long)byte, 1);
}

static void run_write(struct waiter *w)
{
	full(w);
	MAKE(w, SYS_write, w->fd[0], (long)byte, 1);
}

static int listener(struct waiter *w, struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "limit-%d-%s", getpid(), w->name);
	CHECK(bind(fd, (struct sockaddr *)a, sizeof(*a)) == 0 && listen(fd, 0) == 0);
	return fd;
}

static void run_accept(struct waiter *w)
{
	struct sockaddr_un a;
	int fd = listener(w, &a);

	socket_limit(fd, SO_RCVTIMEO);
	MAKE(w, SYS_accept4, fd);
}

static void connect_to(struct waiter *w)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "limit-%d-%s", getpid(), w->name);
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
}

static void run_connect(struct waiter *w)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	w->fd[0] = listener(w, &a);
	connect_to(w); /* the only place in its queue */
	socket_limit(fd, SO_SNDTIMEO);
	MAKE(w, SYS_connect, fd, (long)&a, sizeof(a));
}

static void accept_one(struct waiter *w)
{
	CHECK(accept(w->fd[0], NULL, NULL) >= 0);
}

/* ---- what is of one kind of machine only ---- */

#ifdef __x86_64__
static void run_semop(struct waiter *w)
{
	struct sembuf op = {0, -1, 0};

	w->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	MAKE(w, SYS_semop, w->fd[0], (long)&op, 1);
	CHECK(semctl(w->fd[0], 0, IPC_RMID) == 0); /* nobody else does */
}

static void run_semtimedop(struct waiter *w)
{
	struct sembuf op = {0, -1, 0};

	w->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	MAKE(w, SYS_semtimedop, w->fd[0], (long)&op, 1, span(w));
	CHECK(semctl(w->fd[0], 0, IPC_RMID) == 0);
}

static void raise_sem(struct waiter *w)
{
	struct sembuf op = {0, 1, 0};

	CHECK(semop(w->fd[0], &op, 1) == 0);
}

static aio_context_t aio_context(void)
{
	aio_context_t ctx = 0;

	CHECK(syscall(SYS_io_setup, 1, &ctx) == 0);
	return ctx;
}

/* Something that is over when the eventfd is written to. */
static void poll_later(struct waiter *w, aio_context_t ctx)
{
	struct iocb cb = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN}, *list = &cb;

	w->fd[0] = eventfd(0, 0);
	cb.aio_fildes = (uint32_t)w->fd[0];
	CHECK(syscall(SYS_io_submit, ctx, 1, &list) == 1);
}

static void run_io_getevents(struct waiter *w)
{
	aio_context_t ctx = aio_context();
	struct io_event got;

	poll_later(w, ctx);
	MAKE(w, SYS_io_getevents, (long)ctx, 1, 1, (long)&got, span(w));
}

static void run_io_pgetevents(struct waiter *w)
{
	aio_context_t ctx = aio_context();
	struct io_event got;

	poll_later(w, ctx);
	MAKE(w, SYS_io_pgetevents, (long)ctx, 1, 1, (long)&got, span(w));
}

static void run_futex(struct waiter *w)
{
	MAKE(w, SYS_futex, (long)&w->word, FUTEX_WAIT, 0, span(w));
}

static void wake_futex(struct waiter *w)
{
	syscall(SYS_futex, &w->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void run_select(struct waiter *w)
{
	fd_set set;
	struct timeval tv = {limit_ms / 1000, limit_ms % 1000 * 1000};

	w->fd[0] = eventfd(0, 0);
	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	MAKE(w, SYS_select, w->fd[0] + 1, (long)&set, 0, 0, limit_ms ? (long)&tv : 0);
}

/* In a page that the kernel cannot write to: it cannot say there what is left. */
static long constant(const void *p, size_t n)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	memcpy(page, p, n);
	CHECK(mprotect(page, 4096, PROT_READ) == 0);
	return (long)page;
}

static long constant_span(struct waiter *w)
{
	return limit_ms ? constant(&w->limit, sizeof(w->limit)) : 0;
}

static void run_ppoll(struct waiter *w)
{
	struct pollfd p;

	w->fd[0] = eventfd(0, 0);
	p = (struct pollfd){.fd = w->fd[0], .events = POLLIN};
	MAKE(w, SYS_ppoll, (long)&p, 1, constant_span(w));
}

static void run_pselect(struct waiter *w)
{
	fd_set set;

	w->fd[0] = eventfd(0, 0);
	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	MAKE(w, SYS_pselect6, w->fd[0] + 1, (long)&set, 0, 0, constant_span(w));
}

static void run_select_constant(struct waiter *w)
{
	struct timeval tv = {limit_ms / 1000, limit_ms % 1000 * 1000};
	fd_set set;

	w->fd[0] = eventfd(0, 0);
	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	MAKE(w, SYS_select, w->fd[0] + 1, (long)&set, 0, 0,
		limit_ms ? constant(&tv, sizeof(tv)) : 0);
}

static void run_nanosleep(struct waiter *w)
{
	if (limit_ms)
		MAKE(w, SYS_nanosleep, (long)&w->limit);
	else
		run_ppoll(w);
}

static void *send_two(void *arg)
{
	struct waiter *w = arg;

	t_sleep_ms(limit_ms + limit_ms / 5);
	send_byte(w);
	t_sleep_ms(limit_ms);
	send_byte(w);
	return NULL;
}

/* Its own limit is looked at when a message has come: with one that comes behind it it is over. */
static void run_recvmmsg_limit(struct waiter *w)
{
	struct iovec iov = {byte, 1};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};
	pthread_t sender;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, w->fd) == 0);
	while (early)
		t_sleep_ms(1);
	if (limit_ms)
		CHECK(pthread_create(&sender, NULL, send_two, w) == 0);
	MAKE(w, SYS_recvmmsg, w->fd[0], (long)m, limit_ms ? 2 : 1, 0, span(w));
	w->limit = w->limit_before; /* says what is left */
}

static void run_preadv2(struct waiter *w)
{
	struct iovec iov = {byte, 1};

	pair(w, SOCK_STREAM);
	MAKE(w, SYS_preadv2, w->fd[0], (long)&iov, 1, -1, -1, 0);
}

static void run_pwritev2(struct waiter *w)
{
	struct iovec iov = {byte, 1};

	full(w);
	MAKE(w, SYS_pwritev2, w->fd[0], (long)&iov, 1, -1, -1, 0);
}

static void run_sendfile(struct waiter *w)
{
	full(w);
	MAKE(w, SYS_sendfile, w->fd[0], t_file(1), 0, 1);
}

static void run_splice_from(struct waiter *w)
{
	int p[2];

	pair(w, SOCK_STREAM);
	CHECK(pipe(p) == 0);
	MAKE(w, SYS_splice, w->fd[0], 0, p[1], 0, 1, 0);
}

static void run_splice_to(struct waiter *w)
{
	int p[2];

	full(w);
	CHECK(pipe(p) == 0 && write(p[1], "x", 1) == 1);
	MAKE(w, SYS_splice, p[0], 0, w->fd[0], 0, 1, 0);
}

static void run_msgrcv(struct waiter *w)
{
	struct {
		long type;
		char text[1];
	} m;

	w->fd[0] = msgget(IPC_PRIVATE, 0600);
	MAKE(w, SYS_msgrcv, w->fd[0], (long)&m, 1);
	CHECK(msgctl(w->fd[0], IPC_RMID, NULL) == 0);
}

static void send_message(struct waiter *w)
{
	struct {
		long type;
		char text[1];
	} m = {1, {'x'}};

	CHECK(msgsnd(w->fd[0], &m, 1, 0) == 0);
}

static void run_read_pipe(struct waiter *w)
{
	CHECK(pipe(w->fd) == 0);
	MAKE(w, SYS_read, w->fd[0], (long)byte, 1);
}

static void run_read_eventfd(struct waiter *w)
{
	static uint64_t value;

	w->fd[0] = eventfd(0, 0);
	MAKE(w, SYS_read, w->fd[0], (long)&value, 8);
}

static void run_flock(struct waiter *w)
{
	char path[64];

	w->fd[0] = t_file(1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd[0]);
	w->fd[1] = open(path, O_RDWR);
	CHECK(flock(w->fd[0], LOCK_EX) == 0);
	MAKE(w, SYS_flock, w->fd[1], LOCK_EX);
}

static void unlock(struct waiter *w)
{
	CHECK(flock(w->fd[0], LOCK_UN) == 0);
}

static void run_ofd_lock(struct waiter *w)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
	char path[64];

	w->fd[0] = t_file(1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd[0]);
	w->fd[1] = open(path, O_RDWR);
	CHECK(fcntl(w->fd[0], F_OFD_SETLK, &lock) == 0);
	MAKE(w, SYS_fcntl, w->fd[1], F_OFD_SETLKW, (long)&lock);
}

static void ofd_unlock(struct waiter *w)
{
	struct flock lock = {.l_type = F_UNLCK, .l_len = 1};

	CHECK(fcntl(w->fd[0], F_OFD_SETLK, &lock) == 0);
}

/* A child that ends when the other end of its socket is closed. */
static void run_waitid(struct waiter *w)
{
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->fd) == 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(w->fd[1]);
		_exit((int)read(w->fd[0], byte, 1));
	}
	MAKE(w, SYS_waitid, P_PID, child, 0, WEXITED);
}

static void close_other(struct waiter *w)
{
	shutdown(w->fd[1], SHUT_RDWR);
}

static char folder[] = "/tmp/limit-XXXXXX";

static void run_inotify(struct waiter *w)
{
	static char got[4096];

	w->fd[0] = inotify_init1(0);
	CHECK(mkdtemp(folder) && inotify_add_watch(w->fd[0], folder, IN_DELETE_SELF) >= 0);
	MAKE(w, SYS_read, w->fd[0], (long)got, sizeof(got));
}

static void touch(struct waiter *w)
{
	(void)w;
	CHECK(rmdir(folder) == 0);
}

static void run_tty(struct waiter *w)
{
	static char line[16];
	int number, zero = 0;
	char path[64];

	w->fd[1] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	CHECK(w->fd[1] >= 0 && ioctl(w->fd[1], TIOCSPTLCK, &zero) == 0 &&
		ioctl(w->fd[1], TIOCGPTN, &number) == 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	w->fd[0] = open(path, O_RDWR | O_NOCTTY);
	CHECK(w->fd[0] >= 0);
	MAKE(w, SYS_read, w->fd[0], (long)line, sizeof(line));
}

static void type_line(struct waiter *w)
{
	CHECK(write(w->fd[1], "ab\n", 3) == 3);
}

static void handler(int signal)
{
	(void)signal;
}

static void handle(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
}

static void run_pause(struct waiter *w)
{
	handle();
	MAKE(w, SYS_pause, 0);
}

static void run_sigsuspend(struct waiter *w)
{
	uint64_t none = 0;

	handle();
	MAKE(w, SYS_rt_sigsuspend, (long)&none, 8);
}

static void send_handled(struct waiter *w)
{
	pthread_kill(w->thread, SIGUSR1);
}

#ifdef SYS_io_uring_setup
static void run_io_uring(struct waiter *w)
{
	struct io_uring_params p = {0};
	int fd = no_ring ? -1 : (int)syscall(SYS_io_uring_setup, 4, &p);
	char *ring;
	struct io_uring_sqe *sqe;

	w->fd[0] = eventfd(0, 0);
	if (fd < 0) { /* not allowed, or not wanted, here: another call in its place */
		run_poll(w);
		return;
	}
	ring = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		IORING_OFF_SQES);
	CHECK(ring != MAP_FAILED && sqe != MAP_FAILED);
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_POLL_ADD, .fd = w->fd[0], .poll_events = POLLIN};
	((uint32_t *)(ring + p.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(ring + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0) == 1);
	if (limit_ms) {
		struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&w->limit64};

		MAKE(w, SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
			(long)&arg, sizeof(arg));
	} else {
		MAKE(w, SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS);
	}
}
#endif
#endif

/* ---- all of them ---- */

static struct waiter limited[] = {
	{.name = "epoll_wait", .run = run_epoll_wait, .end = signal_event},
	{.name = "epoll_pwait", .run = run_epoll_pwait, .end = signal_event},
	{.name = "epoll_pwait2", .run = run_epoll_pwait2, .end = signal_event},
	{.name = "poll", .run = run_poll, .end = signal_event},
	{.name = "rt_sigtimedwait", .run = run_sigtimedwait, .end = send_signal},
	{.name = "recvfrom", .run = run_recvfrom, .end = send_byte},
	{.name = "recvmsg", .run = run_recvmsg, .end = send_byte},
	{.name = "recvmmsg", .run = run_recvmmsg, .end = send_byte},
	{.name = "read_socket", .run = run_read, .end = send_byte},
	{.name = "sendto", .run = run_sendto, .end = empty_it},
	{.name = "write_socket", .run = run_write, .end = empty_it},
	{.name = "accept4", .run = run_accept, .end = connect_to},
	{.name = "connect", .run = run_connect, .end = accept_one},
#ifdef __x86_64__
	{.name = "semtimedop", .run = run_semtimedop, .end = raise_sem},
	{.name = "io_getevents", .run = run_io_getevents, .end = signal_event},
	{.name = "io_pgetevents", .run = run_io_pgetevents, .end = signal_event},
	{.name = "futex", .run = run_futex, .end = wake_futex},
	{.name = "select", .run = run_select, .end = signal_event},
	{.name = "ppoll_constant", .run = run_ppoll, .end = signal_event},
	{.name = "pselect6_constant", .run = run_pselect, .end = signal_event},
	{.name = "select_constant", .run = run_select_constant, .end = signal_event},
	{.name = "nanosleep", .run = run_nanosleep, .end = signal_event},
	{.name = "recvmmsg_limit", .run = run_recvmmsg_limit, .end = send_byte},
	{.name = "preadv2", .run = run_preadv2, .end = send_byte},
	{.name = "pwritev2", .run = run_pwritev2, .end = empty_it},
	{.name = "sendfile", .run = run_sendfile, .end = empty_it},
	{.name = "splice_from", .run = run_splice_from, .end = send_byte},
	{.name = "splice_to", .run = run_splice_to, .end = empty_it},
#ifdef SYS_io_uring_setup
	{.name = "io_uring_enter", .run = run_io_uring, .end = signal_event},
#endif
#endif
};

/* Without a limit in any case. */
static struct waiter endless[] = {
	{.name = "unused", .run = NULL, .end = NULL},
#ifdef __x86_64__
	{.name = "semop", .run = run_semop, .end = raise_sem},
	{.name = "msgrcv", .run = run_msgrcv, .end = send_message},
	{.name = "read_pipe", .run = run_read_pipe, .end = send_byte},
	{.name = "read_eventfd", .run = run_read_eventfd, .end = signal_event},
	{.name = "flock", .run = run_flock, .end = unlock},
	{.name = "ofd_lock", .run = run_ofd_lock, .end = ofd_unlock},
	{.name = "waitid", .run = run_waitid, .end = close_other},
	{.name = "read_inotify", .run = run_inotify, .end = touch},
	{.name = "read_tty", .run = run_tty, .end = type_line},
	{.name = "pause", .run = run_pause, .end = send_handled},
	{.name = "rt_sigsuspend", .run = run_sigsuspend, .end = send_handled},
#endif
};

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static void tell(struct waiter *w)
{
	w->changed |= memcmp(&w->limit, &w->limit_before, sizeof(w->limit)) != 0 ||
		      memcmp(&w->limit64, &w->limit64_before, sizeof(w->limit64)) != 0;
	printf("%s %ld %d %.3f %s\n", w->name, w->ret, w->error, w->ms,
		w->changed ? "changed" : "same");
}

static void finish(struct waiter *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		tell(&w[i]);
	}
}

static void start(struct waiter *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(pthread_create(&w[i].thread, NULL, thread, &w[i]) == 0);
}

static void until(int late)
{
	if (late) {
		printf("early\n");
		fflush(stdout);
		CHECK(read(0, byte, 1) == 1);
	}
	early = 0;
	pthread_barrier_wait(&ready);
	printf("ready\n");
	fflush(stdout);
}

static void wait_all(char **args, int late)
{
	size_t more;
	sigset_t set;

	no_ring = late;
	limit_ms = t_num(args, 0, 0);
	more = limit_ms ? 0 : LEN(endless) - 1;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_barrier_init(&ready, NULL, (unsigned int)(LEN(limited) + more + 1));
	start(limited, LEN(limited));
	start(endless + 1, more);
	until(late);
	if (!limit_ms)
		CHECK(read(0, byte, 1) == 0);
	for (size_t i = 0; !limit_ms && i < LEN(limited); i++)
		limited[i].end(&limited[i]);
	for (size_t i = 1; i <= more; i++)
		endless[i].end(&endless[i]);
	finish(limited, LEN(limited));
	finish(endless + 1, more);
}

static void all(char **args)
{
	wait_all(args, 0);
}

static void late(char **args)
{
	wait_all(args, 1);
}

static void *call_until_stdin_ends(void *arg)
{
	CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
	while (read(0, byte, 1) < 0)
		CHECK(syscall(SYS_getppid) > 0);
	return arg;
}

static void alone(char **args)
{
	struct waiter *w = limited;
	pthread_t other;
	sigset_t set;

	limit_ms = t_num(args, 1, 0);
	for (; args[0] && strcmp(w->name, args[0]) != 0; w++)
		CHECK(w + 1 < limited + LEN(limited));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_barrier_init(&ready, NULL, 1);
	early = 0;
	CHECK(pthread_create(&other, NULL, call_until_stdin_ends, NULL) == 0);
	printf("ready\n");
	fflush(stdout);
	thread(w);
	tell(w);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"all", all}, {"late", late}, {"alone", alone}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}
