// SPDX-License-Identifier: GPL-3.0-only
/*
 * Processes and threads in every way that Linux makes them. The work that is counted is a number of
 * 1-byte pwrite64 calls: the loader and libc make none.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "t.h"

extern char **environ;

#define THREADS_MAX 1024

static int file = -1;
static long each;

static void work(long n)
{
	if (file < 0)
		file = t_file(1);
	while (n-- > 0)
		CHECK(pwrite(file, "x", 1, 0) == 1);
}

static void wait_ok(pid_t pid)
{
	int st;

	CHECK(pid > 0 && waitpid(pid, &st, __WALL) == pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

static void *worker(void *arg)
{
	work(each);
	return arg;
}

/* N threads, M calls each. */
static void threads(char **args)
{
	static pthread_t t[THREADS_MAX];
	pthread_attr_t attr;
	long n = t_num(args, 0, 8);

	CHECK(n <= THREADS_MAX);
	each = t_num(args, 1, 100);
	work(0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&t[i], &attr, worker, NULL) == 0);
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static void *sleeper(void *arg)
{
	for (long i = 0; i < each; i++)
		t_sleep_ms(1);
	return arg;
}

/* N threads that sleep 1 ms, M times. */
static void sleepers(char **args)
{
	static pthread_t t[THREADS_MAX];
	long n = t_num(args, 0, 400);

	each = t_num(args, 1, 5);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&t[i], NULL, sleeper, NULL) == 0);
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

/* The first thread ends; another one works on and ends the process. */
static void *after_leader(void *arg)
{
	t_sleep_ms(50);
	work(10);
	_exit(0);
	return arg;
}

static void leader_exit(char **args)
{
	pthread_t t;

	(void)args;
	work(5);
	CHECK(pthread_create(&t, NULL, after_leader, NULL) == 0);
	syscall(SYS_exit, 0);
}

static void forks(char **args)
{
	work(1);
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		pid_t pid = fork();

		if (pid == 0) {
			work(10);
			_exit(0);
		}
		wait_ok(pid);
	}
}

/* Children of children: N deep, all alive at once. */
static void chain(char **args)
{
	work(1);
	for (long i = t_num(args, 0, 10); i > 0; i--) {
		pid_t pid = fork();

		if (pid) {
			wait_ok(pid);
			_exit(0);
		}
		work(1);
	}
}

/* N children at once, each with two threads. */
static void many(char **args)
{
	static pid_t pids[THREADS_MAX];
	long n = t_num(args, 0, 30);
	char *two[] = {"2", "5", NULL};

	for (long i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			threads(two);
			_exit(0);
		}
	}
	for (long i = 0; i < n; i++)
		wait_ok(pids[i]);
}

static void vforks(char **args)
{
	work(1);
	for (long i = t_num(args, 0, 10); i > 0; i--) {
		pid_t pid = vfork();

		if (pid == 0) {
			syscall(SYS_pwrite64, file, "x", 1, 0L, 0L);
			_exit(0);
		}
		wait_ok(pid);
	}
}

static int clone_child(void *arg)
{
	work(*(long *)arg);
	return 0;
}

/* Shares the memory but is a process of its own; N times. */
static void clone_vm(char **args)
{
	static char stack[65536] __attribute__((aligned(16)));
	static long count = 10;

	work(1);
	for (long i = t_num(args, 0, 5); i > 0; i--)
		wait_ok(clone(clone_child, stack + sizeof(stack), CLONE_VM | SIGCHLD, &count));
}

/* clone3 as fork; and a child without an exit signal. */
static void clone_3(char **args)
{
	struct clone_args a = {.exit_signal = SIGCHLD};

	work(1);
	for (long i = t_num(args, 0, 6); i > 0; i--) {
		long pid = syscall(SYS_clone3, &a, sizeof(a));

		if (pid < 0)
			t_skip("clone3");
		if (pid == 0) {
			work(10);
			_exit(0);
		}
		wait_ok((pid_t)pid);
		a.exit_signal ^= SIGCHLD;
	}
}

/* Escapes a tracer that does not clear the flag; its traced calls must work all the same. */
static void untraced(char **args)
{
	long pid;

	(void)args;
	work(1);
	pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0) {
		work(10);
		_exit(0);
	}
	wait_ok((pid_t)pid);
}

static void spawn(char **args)
{
	char *argv[] = {"proc", "work", "7", NULL};

	for (long i = t_num(args, 0, 5); i > 0; i--) {
		pid_t pid;

		CHECK(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0);
		wait_ok(pid);
	}
}

static void only_work(char **args)
{
	work(t_num(args, 0, 1));
}

static int never[2];

/* Blocked for ever in a call that is not a restart of anything. */
static void *blocked(void *arg)
{
	char c;

	(void)!recv(never[0], &c, 1, 0);
	return arg;
}

static void block_threads(long n)
{
	pthread_t t;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, never) == 0);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&t, NULL, blocked, NULL) == 0);
	t_sleep_ms(50);
}

static void *exec_self(void *count)
{
	char left[24], *argv[] = {"proc", "execthread", left, NULL};

	work(3);
	snprintf(left, sizeof(left), "%ld", *(long *)count - 1);
	execv("/proc/self/exe", argv);
	CHECK(0 && "execv returned");
	return NULL;
}

/* N times in a row: a thread that is not the leader executes the program anew while the leader and
 * two more are blocked. The last one works 5 times. */
static void exec_thread(char **args)
{
	static long n;
	pthread_t t;

	n = t_num(args, 0, 3);
	if (n == 0) {
		work(5);
		return;
	}
	block_threads(2);
	CHECK(pthread_create(&t, NULL, exec_self, &n) == 0);
	pthread_join(t, NULL);
}

/* Ends at once; its orphan does the work. */
static void orphan(char **args)
{
	(void)args;
	work(1);
	if (fork())
		_exit(0);
	t_sleep_ms(150);
	work(20);
}

/* Threads blocked, 5 calls made, then the process kills itself. */
static void kill_self(char **args)
{
	block_threads(t_num(args, 0, 4));
	work(5);
	kill(getpid(), SIGKILL);
	CHECK(0 && "alive");
}

/* The same, killed by its parent. */
static void killed(char **args)
{
	int st, p[2];
	char c;
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		block_threads(t_num(args, 0, 4));
		work(5);
		CHECK(pwrite(file, "x", 1, 0) == 1);
		CHECK(write(p[1], "r", 1) == 1);
		blocked(NULL);
	}
	CHECK(read(p[0], &c, 1) == 1);
	t_sleep_ms(50);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

/* exit_group while N other threads work as fast as they can. */
static void exit_busy(char **args)
{
	pthread_t t;

	each = INT32_MAX;
	work(0);
	for (long i = t_num(args, 0, 4); i > 0; i--)
		CHECK(pthread_create(&t, NULL, worker, NULL) == 0);
	t_sleep_ms(50);
	_exit(0);
}

/* Ends with status N, or by signal M. */
static void end(char **args)
{
	long sig = t_num(args, 1, 0);

	if (sig) {
		signal((int)sig, SIG_DFL);
		kill(getpid(), (int)sig);
		t_sleep_ms(1000);
	}
	_exit((int)t_num(args, 0, 0));
}

/* Threads and their own children without end: for attaching. Every 10 ms a call by each of N
 * threads. */
static void *steady_thread(void *arg)
{
	for (;;) {
		work(1);
		t_sleep_ms(10);
	}
	return arg;
}

static void steady(char **args)
{
	pthread_t t;

	work(0);
	for (long i = t_num(args, 0, 4); i > 1; i--)
		CHECK(pthread_create(&t, NULL, steady_thread, NULL) == 0);
	if (write(1, "ready\n", 6) != 6)
		_exit(1);
	steady_thread(NULL);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"threads", threads},
		{"sleepers", sleepers},
		{"leader_exit", leader_exit},
		{"fork", forks},
		{"chain", chain},
		{"many", many},
		{"vfork", vforks},
		{"clone_vm", clone_vm},
		{"clone3", clone_3},
		{"untraced", untraced},
		{"spawn", spawn},
		{"work", only_work},
		{"execthread", exec_thread},
		{"orphan", orphan},
		{"kill_self", kill_self},
		{"killed", killed},
		{"exit_busy", exit_busy},
		{"end", end},
		{"steady", steady},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
