// SPDX-License-Identifier: GPL-3.0-only
/*
 * A program that runs already: it does what the lines of its stdin say, "CASE N", and answers each
 * with "done NAME=CALLS ...", the calls that it has made for it. argv[1] is what it has set up
 * before: what speaks against the recorder, or what it must not disturb. "check" has it look at
 * itself: is all as it was set up?
 */
#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "t.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

#define POOL 4

extern char **environ;

static const char *self;
static int blocked; /* SIGSYS is blocked by all */
static int null_fd;
static siginfo_t handled_info; /* of the last one */
static atomic_int handled, pool_round, pool_ready, pool_done;
static long pool_n;
#ifdef __x86_64__
static long gs_words[4];
#endif

/* ---- what it made ---- */

static void ppid(long n)
{
	for (long i = 0; i < n; i++)
		CHECK(syscall(SYS_getppid) > 0);
}

static void check_mask(const sigset_t *set)
{
	CHECK(sigismember(set, SIGSYS) == blocked);
}

static void check_self(void)
{
	struct sigaction sa;
	sigset_t set;

	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	check_mask(&set);
	CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
}

static void handler(int sig, siginfo_t *info, void *ctx)
{
	const ucontext_t *uc = ctx;

	check_mask(&uc->uc_sigmask);
	handled_info = *info;
	if (sig == SIGUSR1)
		ppid(1);
	handled++;
}

static void handle(int sig, int all)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	if (all)
		sigfillset(&sa.sa_mask);
	CHECK(sigaction(sig, &sa, NULL) == 0);
}

/* ---- cases ---- */

static void plain(long n)
{
	for (long i = 0; i < n; i++)
		CHECK(pwrite(null_fd, "x", 1, 0) == 1);
	printf("done pwrite64=%ld\n", n);
}

static void *some(void *arg)
{
	ppid((long)arg);
	check_self();
	return NULL;
}

static void threads(long n)
{
	pthread_t t[8];

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 8; i++)
			CHECK(pthread_create(&t[i], NULL, some, (void *)n) == 0);
		for (int i = 0; i < 8; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
	}
	printf("done getppid=%ld\n", 32 * n);
}

static void *pool_thread(void *arg)
{
	int round = 0;

	(void)arg;
	for (;;) {
		pool_ready++;
		while (pool_round == round)
			usleep(200);
		round = pool_round;
		ppid(pool_n);
		check_self();
		pool_done++;
	}
	return NULL;
}

static void pool(long n)
{
	pool_n = n;
	pool_done = 0;
	pool_round++;
	while (pool_done < POOL)
		usleep(200);
	printf("done getppid=%ld\n", POOL * n);
}

static void await(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void forks(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			ppid(30);
			check_self();
			_exit(0);
		}
		await(pid);
	}
	printf("done getppid=%ld wait4=%ld\n", 30 * n, n);
}

static void spawns(long n)
{
	char number[] = "40", *argv[] = {(char *)self, "child", number, NULL};

	for (long i = 0; i < n; i++) {
		pid_t pid;

		CHECK(posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0);
		await(pid);
	}
	printf("done getppid=%ld execve=%ld\n", 40 * n, n);
}

static pid_t one_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		for (int k = 0; k < 5; k++)
			syscall(SYS_getppid);
		execl(self, self, "child", "7", NULL);
		_exit(1);
	}
	return pid;
}

static void vforks(long n)
{
	for (long i = 0; i < n; i++)
		await(one_vfork());
	printf("done getppid=%ld execve=%ld\n", 12 * n, n);
}

static void execs(long n)
{
	char number[32];

	snprintf(number, sizeof(number), "%ld", n);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			ppid(n);
			execl(self, self, "child", number, NULL);
			_exit(1);
		}
		await(pid);
	}
	printf("done getppid=%ld execve=3\n", 6 * n);
}

/* Handlers that make a call and that make none, with all signals blocked in them and with one. */
static void signals(long n)
{
	int before = handled;

	for (int kind = 0; kind < 4; kind++) {
		int sig = kind & 1 ? SIGUSR1 : SIGHUP;

		handle(sig, kind & 2);
		for (long i = 0; i < n; i++) {
			CHECK(syscall(SYS_tgkill, getpid(), gettid(), sig) == 0);
			check_self();
		}
		signal(sig, SIG_DFL);
	}
	CHECK(handled == before + 4 * n);
	printf("done tgkill=%ld rt_sigreturn=%ld getppid=%ld\n", 4 * n, 4 * n, 2 * n);
}

/* Signals that only a call with a mask of its own lets through. */
static void suspended(long n)
{
	const struct timespec limit = {5, 0};
	int before = handled;
	sigset_t set, old, open;

	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	open = old;
	sigdelset(&open, SIGUSR1);
	for (long i = 0; i < n; i++) {
		CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) == 0);
		CHECK(handled == before + 2 * i);
		CHECK(sigsuspend(&open) == -1 && errno == EINTR);
		check_self();
		CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) == 0);
		CHECK(ppoll(NULL, 0, &limit, &open) == -1 && errno == EINTR);
		check_self();
	}
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	signal(SIGUSR1, SIG_DFL);
	CHECK(handled == before + 2 * n);
	printf("done tgkill=%ld rt_sigsuspend=%ld ppoll=%ld getppid=%ld\n", 2 * n, n, n, 2 * n);
}

static void masks(long n)
{
	sigset_t all, old, now;

	sigfillset(&all);
	for (long i = 0; i < n; i++) {
		CHECK(sigprocmask(SIG_BLOCK, &all, &old) == 0);
		check_mask(&old);
		ppid(3);
		CHECK(sigprocmask(SIG_SETMASK, &old, &now) == 0);
		CHECK(sigismember(&now, SIGSYS) == 1);
		ppid(3);
	}
	printf("done getppid=%ld rt_sigprocmask=%ld\n", 6 * n, 2 * n);
}

/* It changes its mind about SIGSYS. */
static void handles(long n)
{
	struct sigaction sa = {.sa_handler = SIG_IGN}, was;

	ppid(n);
	CHECK(sigaction(SIGSYS, &sa, &was) == 0 && was.sa_handler == SIG_DFL);
	ppid(n);
	CHECK(sigaction(SIGSYS, &was, &sa) == 0 && sa.sa_handler == SIG_IGN);
	ppid(n);
	printf("done getppid=%ld\n", 3 * n);
}

/* One that is sent with a value has it, and who sent it. */
static void check_sent(const siginfo_t *got, int value)
{
	CHECK(got->si_signo == SIGSYS && got->si_code == SI_QUEUE && got->si_pid == getpid() &&
		got->si_uid == getuid() && got->si_value.sival_int == value);
}

static void queue_sigsys(int value)
{
	siginfo_t info = {.si_signo = SIGSYS, .si_code = SI_QUEUE};

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGSYS, &info) == 0);
}

/* SIGSYS as any other program may send it. */
static void sigsys(long n)
{
	const struct timespec limit = {5, 0};
	struct sigaction sa;
	int before = handled;
	siginfo_t info;
	sigset_t set;

	ppid(n);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	CHECK(sigaction(SIGSYS, NULL, &sa) == 0 && (blocked || sa.sa_handler != SIG_DFL));
	for (int i = 0; i < 6; i++) {
		/* The first one is what a tracer takes and sends again. */
		int queued = (i + blocked) % 2;

		if (queued)
			queue_sigsys(i);
		else
			CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGSYS) == 0);
		if (blocked)
			CHECK(sigtimedwait(&set, &info, &limit) == SIGSYS);
		else
			info = handled_info;
		if (queued && (blocked || sa.sa_handler != SIG_IGN))
			check_sent(&info, i);
		else if (!blocked && sa.sa_handler != SIG_IGN)
			CHECK(info.si_code == SI_TKILL && info.si_pid == getpid());
	}
	CHECK(handled - before == (!blocked && sa.sa_handler != SIG_IGN ? 6 : 0));
	ppid(n);
	printf("done getppid=%ld tgkill=3 rt_tgsigqueueinfo=3\n", 2 * n);
}

static void filters(long n)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog prog = {1, allow};

	ppid(n);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	ppid(n);
	printf("done getppid=%ld prctl=2\n", 2 * n);
}

static void check_setup(long n)
{
	struct sigaction sa;

	(void)n;
	check_self();
#ifdef __x86_64__
	if (gs_words[0]) {
		unsigned long base;
		long word;

		CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
		CHECK(base == (unsigned long)gs_words);
		__asm__ volatile("movq %%gs:0, %0" : "=r"(word));
		CHECK(word == gs_words[0]);
	}
#endif
	CHECK(sigaction(SIGSYS, NULL, &sa) == 0);
	printf("done sigsys=%s\n", sa.sa_handler == SIG_DFL   ? "default"
				   : sa.sa_handler == SIG_IGN ? "ignored"
							      : "handled");
}

/* ---- what is set up ---- */

static void set_up(const char *what)
{
	static char selector;

	null_fd = t_null();
	if (strcmp(what, "blocked") == 0 || strcmp(what, "all-blocked") == 0) {
		sigset_t set;

		sigfillset(&set);
		sigdelset(&set, SIGUSR1);
		sigdelset(&set, SIGHUP);
		blocked = 1;
		CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	} else if (strcmp(what, "ignored") == 0) {
		signal(SIGSYS, SIG_IGN);
	} else if (strcmp(what, "handled") == 0) {
		handle(SIGSYS, 0);
	} else if (strcmp(what, "gs") == 0) {
#ifdef __x86_64__
		gs_words[0] = 0x1234567;
		CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, gs_words) == 0);
#else
		t_skip("no gs");
#endif
	} else if (strcmp(what, "dispatch") == 0) {
		if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector) < 0)
			t_skip("PR_SET_SYSCALL_USER_DISPATCH");
	} else if (strcmp(what, "filter") == 0) {
		struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
		struct sock_fprog prog = {1, allow};

		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	}
}

static int read_line(char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(0, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = '\0';
	return n > 0;
}

static void obey(char **args)
{
	static const struct {
		const char *name;
		void (*run)(long n);
	} orders[] = {{"plain", plain}, {"threads", threads}, {"pool", pool}, {"forks", forks},
		{"spawns", spawns}, {"vforks", vforks}, {"execs", execs}, {"signals", signals},
		{"suspended", suspended}, {"masks", masks}, {"handles", handles},
		{"sigsys", sigsys}, {"filters", filters}, {"check", check_setup}};
	char line[128], name[64];
	pthread_t t;

	int pool_wanted = args[0] && args[1];

	set_up(args[0] ? args[0] : "");
	for (int i = 0; pool_wanted && i < POOL; i++)
		CHECK(pthread_create(&t, NULL, pool_thread, NULL) == 0);
	while (pool_wanted && pool_ready < POOL)
		usleep(200);
	printf("ready\n");
	fflush(stdout);
	while (read_line(line, sizeof(line))) {
		long n = 0;
		int known = 0;

		CHECK(sscanf(line, "%63s %ld", name, &n) >= 1);
		for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
			if (strcmp(orders[i].name, name) == 0) {
				orders[i].run(n);
				known = 1;
			}
		CHECK(known);
		fflush(stdout);
	}
	_exit(0);
}

static void child(char **args)
{
	ppid(t_num(args, 0, 1));
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"obey", obey}, {"child", child}, {NULL, NULL}};

	self = argv[0];
	return t_main(argc, argv, cases);
}
