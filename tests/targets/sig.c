// SPDX-License-Identifier: GPL-3.0-only
/* Signals, stops and restarts. What blocks is recvfrom, poll, epoll_wait or clock_nanosleep. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

static atomic_long handled;
static long limit;
static int pair[2];

/* The last signal feeds the reader that is blocked. */
static void handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (atomic_fetch_add(&handled, 1) + 1 == limit)
		(void)!send(pair[1], "x", 1, 0);
	errno = saved;
}

static void every_us(long us)
{
	struct itimerval it = {{0, us}, {0, us}};

	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

static void on_alarm(int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
}

/* recv until it was interrupted N times: every one of them is EINTR to the program. */
static void storm(char **args)
{
	long n = t_num(args, 0, 200), eintr = 0;
	char c;

	on_alarm(0);
	every_us(500);
	while (eintr < n) {
		CHECK(recv(pair[0], &c, 1, 0) == -1 && errno == EINTR);
		eintr++;
	}
	every_us(0);
}

/* One recv to the program, restarted by the kernel until the Nth signal feeds it. */
static void storm_restart(char **args)
{
	char c;

	limit = t_num(args, 0, 200);
	on_alarm(SA_RESTART);
	every_us(500);
	CHECK(recv(pair[0], &c, 1, 0) == 1);
	every_us(0);
	CHECK(handled >= limit);
}

/* epoll_wait is never restarted: its raw result is EINTR, an error. */
static void storm_epoll(char **args)
{
	struct epoll_event ev;
	int ep = epoll_create1(0);

	on_alarm(SA_RESTART);
	every_us(2000);
	for (long n = t_num(args, 0, 50); n > 0; n--)
		CHECK(epoll_wait(ep, &ev, 1, -1) == -1 && errno == EINTR);
	every_us(0);
}

/* N calls while a signal comes every millisecond; every call is complete. */
static void storm_work(char **args)
{
	int fd = t_file(1);

	on_alarm(SA_RESTART);
	every_us(1000);
	for (long n = t_num(args, 0, 20000); n > 0; n--)
		CHECK(pwrite(fd, "x", 1, 0) == 1);
	every_us(0);
}

/* A child inside poll or nanosleep, for so long. */
static pid_t sleeper(int by_poll, int seconds)
{
	pid_t pid = fork();
	struct timespec t = {.tv_sec = seconds};

	CHECK(pid >= 0);
	if (pid) {
		t_await_state(pid, pid, 'S');
		return pid;
	}
	if (by_poll)
		CHECK(poll(NULL, 0, seconds * 1000) == 0);
	else
		CHECK(syscall(SYS_nanosleep, &t, NULL) == 0);
	_exit(0);
}

static void stop_and_continue(pid_t pid)
{
	int st;

	kill(pid, SIGSTOP);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	kill(pid, SIGCONT);
	CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

/* A stop in the middle of poll and of nanosleep: restart_syscall goes on with them. */
static void restart(char **args)
{
	(void)args;
	/* Stopped long before the second is over, or the call ends by itself. */
	stop_and_continue(sleeper(1, 1));
	stop_and_continue(sleeper(0, 1));
}

static struct {
	atomic_long calls;
	atomic_int end;
} * shared;

/* A busy child is stopped N times: it stands still until SIGCONT, and nothing is lost. */
static void group_stop(char **args)
{
	pid_t pid;
	int st, fd = t_file(1);

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		while (!shared->end) {
			CHECK(pwrite(fd, "x", 1, 0) == 1);
			shared->calls++;
		}
		_exit(0);
	}
	setpgid(pid, pid); /* in an orphaned group SIGTSTP would not stop */
	for (long n = t_num(args, 0, 5); n > 0; n--) {
		long seen = shared->calls;

		while (shared->calls == seen)
			sched_yield();
		kill(pid, n % 2 ? SIGSTOP : SIGTSTP);
		CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
		seen = shared->calls;
		t_sleep_ms(50); /* time in which it could move */
		CHECK(shared->calls == seen);
		kill(pid, SIGCONT);
		CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
	}
	shared->end = 1;
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	printf("%ld\n", (long)shared->calls);
}

/* Killed while stopped. */
static void stop_kill(char **args)
{
	pid_t pid = sleeper(1, 60);
	int st;

	(void)args;
	kill(pid, SIGSTOP);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

/* A child ends during an epoll_wait; SIGCHLD is ignored by default, so natively it times out. */
static void ignored(char **args)
{
	struct epoll_event ev;
	int ep = epoll_create1(0), rc;
	pid_t parent = getpid(), pid = fork();

	(void)args;
	if (pid == 0) {
		t_await_state(parent, parent, 'S');
		_exit(0);
	}
	rc = epoll_wait(ep, &ev, 1, 200);
	CHECK(rc == 0 || errno == EINTR);
	CHECK(waitpid(pid, NULL, 0) == pid);
	printf("%s\n", rc == 0 ? "timeout" : "EINTR");
}

/* Handlers get their signals, info and masks as ever; a handled SIGSEGV too. */
static atomic_int faults;
static void *fault_page;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(sig == SIGSEGV && info->si_addr == fault_page && info->si_code == SEGV_ACCERR);
	faults++;
	CHECK(mprotect(fault_page, 4096, PROT_READ | PROT_WRITE) == 0);
}

static void faulting(char **args)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	fault_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(fault_page != MAP_FAILED && sigaction(SIGSEGV, &sa, NULL) == 0);
	for (int n = (int)t_num(args, 0, 100), i = 0; i < n; i++) {
		CHECK(mprotect(fault_page, 4096, PROT_NONE) == 0);
		*(volatile char *)fault_page = 1;
		CHECK(faults == i + 1);
	}
}

/* Ends itself by the signal it gets from outside, but only after saying so: for passing signals on.
 */
static void told(int sig)
{
	char text[] = "got 00\n";

	text[4] = (char)('0' + sig / 10);
	text[5] = (char)('0' + sig % 10);
	(void)!write(1, text, 7);
	if (limit)
		_exit((int)limit);
}

static void listens(char **args)
{
	struct sigaction sa = {.sa_handler = told};

	limit = t_num(args, 0, 0); /* exit status after a signal; 0: stay */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	CHECK(write(1, "ready\n", 6) == 6);
	for (int i = 0; i < 600; i++)
		poll(NULL, 0, 100);
}

static volatile sig_atomic_t asked;

static void on_ask(int signal)
{
	asked = signal;
}

/* Takes its time to end in order: argv 0 is its exit status. */
static void lingers(char **args)
{
	struct sigaction sa = {.sa_handler = on_ask};
	struct timespec t = {.tv_nsec = 500000000};

	sigaction(SIGTERM, &sa, NULL);
	CHECK(write(1, "ready\n", 6) == 6);
	while (!asked)
		poll(NULL, 0, 10);
	while (nanosleep(&t, &t) < 0)
		;
	CHECK(write(1, "clean end\n", 10) == 10);
	exit((int)t_num(args, 0, 0));
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"storm", storm},
		{"storm_restart", storm_restart},
		{"storm_epoll", storm_epoll},
		{"storm_work", storm_work},
		{"restart", restart},
		{"group_stop", group_stop},
		{"stop_kill", stop_kill},
		{"ignored", ignored},
		{"faulting", faulting},
		{"listens", listens},
		{"lingers", lingers},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
