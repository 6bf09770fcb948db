/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Signals at any moment of a call: nothing may differ from a run without a tracer. Each case ends
 * with a line "name=calls ..." on stdout, of the calls that returned to the program; that line's
 * own write is among them.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

static atomic_long writes, reads, waits;
static int null_fd, zero_fd, ends[2];
static volatile sig_atomic_t handled;

static void report(void)
{
	char line[200];
	int n = snprintf(line, sizeof(line), "write=%ld read=%ld epoll_wait=%ld\n",
		atomic_load(&writes) + 1, atomic_load(&reads), atomic_load(&waits));

	CHECK(write(1, line, (size_t)n) == n);
}

static void one_write(void)
{
	CHECK(write(null_fd, "x", 1) == 1);
	atomic_fetch_add(&writes, 1);
}

static void one_read(void)
{
	char c = 1;

	CHECK(read(zero_fd, &c, 1) == 1 && c == 0);
	atomic_fetch_add(&reads, 1);
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	one_write();
	handled++;
	errno = saved;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void timer_us(long us)
{
	struct itimerval it = {{0, us}, {0, us}};

	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

/* A timer that leaves the program time for calls of its own, however long a signal takes here:
 * where there were HANDLED_MAX handlers since the last one it is to fire half as often. */
#define HANDLED_MAX 8
static void timer_eased(long *us)
{
	static sig_atomic_t seen;
	sig_atomic_t now = handled;

	if (now - seen > HANDLED_MAX)
		timer_us(*us *= 2);
	seen = now;
}

static void begin(void)
{
	null_fd = t_null();
	zero_fd = open("/dev/zero", O_RDONLY);
	CHECK(zero_fd >= 0 && pipe(ends) == 0);
}

/* A timer at any moment of short calls; the handler makes calls too. Arguments: calls, restart. */
static void storm(char **args)
{
	long n = t_num(args, 0, 20000), us = 150;

	begin();
	handle(SIGALRM, on_signal, t_num(args, 1, 0) ? SA_RESTART : 0);
	timer_us(us);
	for (long i = 0; i < n; i++) {
		one_write();
		one_read();
		timer_eased(&us);
	}
	timer_us(0);
	report();
}

/* Calls that block are interrupted, or go on where they are to be restarted. */
static void blocked(char **args)
{
	long n = t_num(args, 0, 200);
	int restart = t_num(args, 1, 0) != 0;
	pid_t feeder;

	begin();
	feeder = fork();
	CHECK(feeder >= 0);
	if (feeder == 0) {
		for (long i = 0; i < n; i++) {
			usleep(500); /* slower than its reader: most reads block */
			CHECK(write(ends[1], "x", 1) == 1);
		}
		_exit(0);
	}
	close(ends[1]);
	handle(SIGALRM, on_signal, restart ? SA_RESTART : 0);
	timer_us(300);
	for (long got = 0; got < n;) {
		char c;
		ssize_t k = read(ends[0], &c, 1);

		atomic_fetch_add(&reads, 1);
		CHECK(k == 1 || (!restart && k < 0 && errno == EINTR));
		got += k == 1;
	}
	timer_us(0);
	CHECK(waitpid(feeder, NULL, 0) == feeder);
	atomic_fetch_add(&writes, n); /* the feeder's */
	report();
}

static sigjmp_buf back;

static void jump_out(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* Handlers that never return, out of busy and of blocking calls. */
static void jump(char **args)
{
	volatile long n = t_num(args, 0, 300);
	volatile long jumps = 0;

	begin();
	handle(SIGALRM, jump_out, 0);
	while (jumps < n) {
		char c;

		if (sigsetjmp(back, 1)) {
			jumps++;
			continue;
		}
		timer_us(1000 + jumps % 7 * 30);
		if (jumps % 3 == 0)
			CHECK(read(ends[0], &c, 1) < 0);
		for (;;)
			CHECK(write(null_fd, "x", 1) == 1);
	}
	timer_us(0);
	report();
}

static void *cancelled_read(void *arg)
{
	char c;

	for (;;)
		if (read(ends[0], &c, 1) == 1)
			CHECK(write(null_fd, "x", 1) == 1);
	return arg;
}

static void *cancelled_busy(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		syscall(SYS_write, null_fd, "x", 1);
	return arg;
}

/* Threads are cancelled in a blocking read, and anywhere in a busy loop. */
static void cancel(char **args)
{
	begin();
	for (long i = t_num(args, 0, 50); i > 0; i--) {
		pthread_t a, b;
		void *result;

		CHECK(pthread_create(&a, NULL, cancelled_read, NULL) == 0);
		CHECK(pthread_create(&b, NULL, cancelled_busy, NULL) == 0);
		usleep(300); /* anywhere in their loops */
		CHECK(pthread_cancel(a) == 0 && pthread_cancel(b) == 0);
		CHECK(pthread_join(a, &result) == 0 && result == PTHREAD_CANCELED);
		CHECK(pthread_join(b, &result) == 0 && result == PTHREAD_CANCELED);
	}
	report();
}

static pthread_t main_thread;
static atomic_int over;

static void *send_signals(void *arg)
{
	while (!atomic_load(&over)) {
		pthread_kill(main_thread, SIGUSR1);
		for (volatile int i = 0; i < 2000; i++)
			;
	}
	return arg;
}

/* Another thread's signals, as fast as they are taken. */
static void flood(char **args)
{
	int ep = epoll_create1(0);
	pthread_t sender;

	begin();
	main_thread = pthread_self();
	handle(SIGUSR1, on_signal, 0);
	CHECK(ep >= 0 && pthread_create(&sender, NULL, send_signals, NULL) == 0);
	for (long i = t_num(args, 0, 3000); i > 0; i--) {
		struct epoll_event ev;
		int rc = epoll_wait(ep, &ev, 1, 0);

		atomic_fetch_add(&waits, 1);
		CHECK(rc == 0 || (rc < 0 && errno == EINTR));
		one_write();
		one_read();
	}
	atomic_store(&over, 1);
	CHECK(pthread_join(sender, NULL) == 0);
	report();
}

/* Handlers on a small stack of their own, which make calls. */
static void altstack(char **args)
{
	size_t bytes = (size_t)MINSIGSTKSZ + 2048;
	long us = 150;
	stack_t ss = {.ss_sp = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		.ss_size = bytes};

	begin();
	CHECK(ss.ss_sp != MAP_FAILED && sigaltstack(&ss, NULL) == 0);
	handle(SIGALRM, on_signal, SA_ONSTACK | SA_RESTART);
	timer_us(us);
	for (long i = t_num(args, 0, 20000); i > 0; i--) {
		one_write();
		timer_eased(&us);
	}
	timer_us(0);
	report();
}

/* A child is stopped and goes on, in the middle of sleeping, reading and busy calls. */
static void stopped(char **args)
{
	long n = t_num(args, 0, 50);
	int status;
	pid_t pid;

	begin();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct timespec ts = {0, 100000};
		char c;

		close(ends[1]);
		while (read(ends[0], &c, 1) == 1) {
			one_write();
			CHECK(nanosleep(&ts, NULL) == 0);
		}
		_exit(0);
	}
	close(ends[0]);
	for (long i = 0; i < n; i++) {
		CHECK(kill(pid, SIGSTOP) == 0);
		CHECK(write(ends[1], "x", 1) == 1);
		usleep(100); /* the moments of stop and continue vary, nothing else */
		CHECK(kill(pid, SIGCONT) == 0);
		usleep((useconds_t)(i % 5) * 50);
	}
	close(ends[1]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	atomic_store(&writes, 2 * n);
	atomic_store(&reads, n + 1);
	report();
}

static atomic_long waited;

static void on_pending(int sig)
{
	(void)sig;
	atomic_fetch_add(&waited, 1);
}

/* A signal that waits is handled in a call that has a mask of its own: before it ends. */
static int wait_with(int kind, const sigset_t *mask)
{
	const struct timespec limit = {10, 0};
	struct epoll_event event;
	int set, rc;

	switch (kind) {
	case 0:
		set = epoll_create1(EPOLL_CLOEXEC);
		rc = epoll_pwait(set, &event, 1, 10000, mask);
		CHECK(set >= 0 && close(set) == 0);
		return rc;
	case 1:
		return ppoll(NULL, 0, &limit, mask);
	case 2:
		return pselect(0, NULL, NULL, NULL, &limit, mask);
	default:
		return sigsuspend(mask);
	}
}

/* All that can be; *ret_but: that without SIGUSR1, which is handled. */
static void block_all(sigset_t *ret_all, sigset_t *ret_but)
{
	handle(SIGUSR1, on_pending, 0);
	sigfillset(ret_all);
	CHECK(sigprocmask(SIG_SETMASK, ret_all, NULL) == 0);
	CHECK(sigprocmask(SIG_SETMASK, NULL, ret_all) == 0);
	*ret_but = *ret_all;
	sigdelset(ret_but, SIGUSR1);
}

static void check_blocked(const sigset_t *all)
{
	sigset_t now;

	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	CHECK(memcmp(&now, all, 8) == 0);
}

/* All signals are blocked otherwise. */
static void masked(char **args)
{
	sigset_t all, but;

	begin();
	block_all(&all, &but);
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		CHECK(raise(SIGUSR1) == 0 && atomic_load(&waited) == i);
		CHECK(wait_with((int)(i % 4), &but) == -1 && errno == EINTR);
		CHECK(atomic_load(&waited) == i + 1);
		check_blocked(&all);
		CHECK(write(ends[1], "x", 1) == 1);
		atomic_fetch_add(&writes, 1);
	}
	report();
}

/* Stops the process when that waits, and sends a signal before it goes on. */
static void halt(pid_t pid)
{
	while (t_state(pid, pid) != 'S')
		usleep(200);
	CHECK(kill(pid, SIGSTOP) == 0);
	while (t_state(pid, pid) != 'T' && t_state(pid, pid) != 't')
		usleep(200);
	CHECK(kill(pid, SIGUSR1) == 0 && kill(pid, SIGCONT) == 0);
	_exit(0);
}

/* As masked(), in a process that is stopped in such a call. */
static void halted(char **args)
{
	sigset_t all, but;

	begin();
	block_all(&all, &but);
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		pid_t me = getpid(), pid = fork();
		int kind = (int)(i % 4);

		CHECK(pid >= 0);
		if (pid == 0)
			halt(me);
		while (atomic_load(&waited) == i)
			CHECK(wait_with(kind, &but) == -1 && errno == EINTR);
		check_blocked(&all);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	report();
}

static const struct tcase cases[] = {{"storm", storm}, {"blocked", blocked}, {"jump", jump},
	{"cancel", cancel}, {"flood", flood}, {"altstack", altstack}, {"stopped", stopped},
	{"masked", masked}, {"halted", halted}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
