// SPDX-License-Identifier: GPL-3.0-only
/*
 * Programs that are attached to and left again while they run, until their stdin ends. Natively
 * none of them loses a signal or sees an EINTR that no handler explains: status 1 if it did.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

#if defined(__x86_64__) && defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
#define HAS_RSEQ
#include <sys/rseq.h>
#endif

#define THREADS_MAX 512

static atomic_int over, rest;
static atomic_long handled, interrupted, calls;
static pthread_t threads[THREADS_MAX];
static int events[THREADS_MAX];

static void *until_stdin_ends(void *arg)
{
	char c;

	(void)arg;
	while (read(0, &c, 1) > 0)
		;
	over = 1;
	return NULL;
}

static void begin(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, until_stdin_ends, NULL) == 0);
	printf("ready\n");
	fflush(stdout);
}

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void on_signal(int sig)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void *nap(void *arg)
{
	(void)arg;
	while (!rest)
		usleep(500);
	return NULL;
}

/* N threads; each is sent queued signals all the time. */
static void signals(char **args)
{
	long n = t_num(args, 0, 32), sent = 0;

	on_signal(SIGRTMIN);
	begin();
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, nap, NULL) == 0);
	while (!over) {
		for (long i = 0; i < n; i++)
			sent += pthread_kill(threads[i], SIGRTMIN) == 0;
		usleep(1000);
	}
	for (int i = 0; i < 500 && handled < sent; i++)
		usleep(10000);
	printf("sent %ld handled %ld\n", sent, (long)handled);
	fflush(stdout);
	CHECK(handled == sent);
	rest = 1; /* not before: what a thread has not taken at its end is lost */
}

static void *wait_for_events(void *arg)
{
	int fd = events[(long)arg], ep = epoll_create1(0);
	struct epoll_event in = {.events = EPOLLIN}, out;
	uint64_t v;

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &in) == 0);
	while (!over) {
		calls++;
		if (epoll_wait(ep, &out, 1, -1) < 0)
			interrupted += errno == EINTR;
		else
			CHECK(read(fd, &v, sizeof(v)) == sizeof(v));
	}
	return NULL;
}

/* N threads in epoll_wait that get events all the time, and no signals. */
static void epolls(char **args)
{
	long n = t_num(args, 0, 16);
	uint64_t one = 1;

	for (long i = 0; i < n; i++) {
		events[i] = eventfd(0, 0);
		CHECK(pthread_create(&threads[i], NULL, wait_for_events, (void *)i) == 0);
	}
	begin();
	for (int last = 0; !last; usleep(500)) {
		last = over; /* everyone is woken once more */
		for (long i = 0; i < n; i++)
			CHECK(write(events[i], &one, sizeof(one)) == sizeof(one));
	}
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("calls %ld EINTR %ld\n", (long)calls, (long)interrupted);
	CHECK(interrupted == 0);
}

static volatile sig_atomic_t last, disordered;

static void in_order(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	disordered += info->si_code != SI_QUEUE || info->si_value.sival_int != last + 1;
	last = info->si_value.sival_int;
}

/* Queues numbers to its parent until stdin ends, and says how many. */
static void queue_numbers(int to)
{
	int n = 0;
	char c;

	CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
	while (read(0, &c, 1) != 0) {
		for (int i = 0; i < 20; i++) {
			union sigval value = {.sival_int = n + 1};

			n += sigqueue(getppid(), SIGRTMIN, value) == 0;
		}
		usleep(3000);
	}
	CHECK(write(to, &n, sizeof(n)) == sizeof(n));
	_exit(0);
}

/* One thread that waits while it gets queued signals: each, and in their order. */
static void ordered(char **args)
{
	struct sigaction sa = {.sa_sigaction = in_order, .sa_flags = SA_SIGINFO | SA_RESTART};
	int fds[2], sent;
	pid_t child;

	(void)args;
	CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0 && pipe(fds) == 0);
	child = fork();
	if (child == 0)
		queue_numbers(fds[1]);
	printf("ready\n");
	fflush(stdout);
	CHECK(read(fds[0], &sent, sizeof(sent)) == sizeof(sent));
	while (last < sent)
		usleep(10000);
	CHECK(waitpid(child, NULL, 0) == child);
	printf("sent %d disordered %d\n", sent, (int)disordered);
	CHECK(last == sent && disordered == 0);
}

static atomic_long told[CLD_CONTINUED + 1];

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told[info->si_code]++;
}

static void *wait_and_call(void *arg)
{
	int ep = epoll_create1(0);
	struct epoll_event out;

	for (;;) {
		syscall(SYS_getppid);
		epoll_wait(ep, &out, 1, 2);
	}
	return arg;
}

static void await_child(pid_t child, int options, int code)
{
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)child, &info, options) < 0)
		CHECK(errno == EINTR);
	CHECK(info.si_code == code);
}

/* Stops and continues a child, which is attached to, all the time: each is told once. */
static void stopping(char **args)
{
	struct sigaction sa = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
	pid_t child = fork();
	siginfo_t info = {0};
	long n = 0;

	(void)args;
	for (int i = 0; child == 0 && i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_and_call, NULL) == 0);
	if (child == 0)
		wait_and_call(NULL);
	CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
	begin();
	printf("%d\n", (int)child);
	fflush(stdout);
	for (; !over; n++) {
		CHECK(kill(child, SIGSTOP) == 0);
		await_child(child, WSTOPPED, CLD_STOPPED);
		usleep((useconds_t)(n % 7) * 1000);
		CHECK(kill(child, SIGCONT) == 0);
		await_child(child, WCONTINUED, CLD_CONTINUED);
		usleep((useconds_t)(n % 5) * 1000);
	}
	CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED | WCONTINUED | WEXITED | WNOHANG) == 0);
	CHECK(info.si_pid == 0);
	/* One that waits already takes the place of a later one. */
	CHECK(told[CLD_STOPPED] <= n && told[CLD_CONTINUED] <= n);
	CHECK(told[CLD_STOPPED] + told[CLD_CONTINUED] >= n && !told[CLD_TRAPPED]);
	kill(child, SIGKILL);
	printf("stops %ld\n", n);
}

static atomic_long eintr_of[THREADS_MAX];

static void *wait_for_signals(void *arg)
{
	int ep = epoll_create1(0);
	struct epoll_event out;
	sigset_t none;

	sigemptyset(&none);
	for (;;) { /* to the end of the process */
		CHECK(epoll_pwait(ep, &out, 1, -1, &none) == -1 && errno == EINTR);
		eintr_of[(long)arg]++;
	}
	return NULL;
}

/* Signals that come to N threads in epoll_pwait only: each is one EINTR, no more and no less. */
static void explained(char **args)
{
	long n = t_num(args, 0, 16), sent = 0;
	sigset_t set;

	on_signal(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_for_signals, (void *)i) == 0);
	begin();
	while (!over) {
		sent++;
		for (long i = 0; i < n; i++)
			pthread_kill(threads[i], SIGUSR1);
		for (long i = 0; i < n; i++) {
			while (eintr_of[i] < sent)
				usleep(50);
			CHECK(eintr_of[i] == sent);
		}
		CHECK(handled == n * sent);
	}
	printf("sent %ld\n", sent);
}

static void *call_and_compute(void *arg)
{
	pid_t parent = getppid();

	(void)arg;
	while (!over) {
		for (volatile int i = 0; i < 1000; i++)
			;
		CHECK(syscall(SYS_getppid) == parent);
		calls++;
	}
	return NULL;
}

/* N threads that are at work in user space and in calls by turns. */
static void busy(char **args)
{
	long n = t_num(args, 0, 6);

	begin();
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, call_and_compute, NULL) == 0);
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("calls %ld\n", (long)calls);
}

/* Its first thread ends; the other one goes on. */
static void *go_on(void *arg)
{
	while (!over)
		usleep(500);
	return arg;
}

static void leaderless(char **args)
{
	(void)args;
	CHECK(pthread_create(&threads[0], NULL, go_on, NULL) == 0);
	begin();
	pthread_exit(NULL);
}

/* Makes children all the time, each of which makes one of its own, and has N that stay. */
static void family(char **args)
{
	long n = t_num(args, 0, 2);

	begin();
	for (long i = 0; i < n; i++) {
		if (fork() == 0) {
			while (getppid() != 1)
				usleep(1000);
			_exit(0);
		}
	}
	while (!over) {
		pid_t pid = fork();

		if (pid == 0) {
			pid = fork();
			usleep(2000);
			if (pid > 0)
				waitpid(pid, NULL, 0);
			_exit(0);
		}
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	_exit(0);
}

static void *call_once(void *arg)
{
	CHECK(syscall(SYS_getppid) > 0);
	return arg;
}

static void *make_threads(void *arg)
{
	pthread_t t;
	void *got;

	while (!over) {
		CHECK(pthread_create(&t, NULL, call_once, &over) == 0);
		CHECK(pthread_join(t, &got) == 0 && got == &over);
	}
	return arg;
}

/* N threads that make others all the time, which are over at once. */
static void makers(char **args)
{
	long n = t_num(args, 0, 3);

	begin();
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, make_threads, NULL) == 0);
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/* One thread asks all the time what SIGSYS has. */
static void asking(char **args)
{
	struct sigaction sa;

	(void)args;
	printf("ready\n");
	fflush(stdout);
	CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
	for (char c; read(0, &c, 1) < 0;) {
		CHECK(syscall(SYS_getppid) > 0);
		CHECK(sigaction(SIGSYS, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	}
}

/* Sleeps that end by themselves say nothing of what is left, which would make the next one shorter:
 * one for each byte. */
static void naps(char **args)
{
	struct timespec ts = {0, 700000000};
	char c;

	(void)args;
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) == 1) {
		if (c == 'n')
			CHECK(syscall(SYS_nanosleep, &ts, &ts) == 0);
		else
			CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, &ts) == 0);
		CHECK(ts.tv_sec == 0 && ts.tv_nsec == 700000000);
		printf("slept\n");
		fflush(stdout);
	}
}

/* A thread that is not the first, beside others, executes this program anew, which counts it. */
static void *execute(void *arg)
{
	char number[24], file[] = "/proc/self/exe", name[] = "execs";
	char *const args[] = {name, name, number, NULL};

	usleep(3000);
	snprintf(number, sizeof(number), "%ld", (long)(intptr_t)arg + 1);
	execv(file, args);
	CHECK(0); /* it was executed */
	return arg;
}

static void execs(char **args)
{
	long n = t_num(args, 0, 0);
	char c;

	CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
	if (n == 0) {
		printf("ready\n");
		fflush(stdout);
	}
	if (read(0, &c, 1) == 0) {
		printf("execs %ld\n", n);
		return;
	}
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(
			      &threads[i], NULL, i == 2 ? execute : nap, (void *)(intptr_t)n) == 0);
	nap(NULL);
}

static int gate[2]; /* children wait until its other end is closed */

/* Nothing of another is in its memory, and it has the handlers that it was born with. */
static void stay(void)
{
	static char maps[1 << 16];
	struct sigaction sa;
	ssize_t n, len = 0;
	int fd;
	char c;

	close(gate[1]);
	for (int i = 0; i < 30; i++)
		CHECK(syscall(SYS_getppid) > 0);
	CHECK(read(gate[0], &c, 1) == 0);
	CHECK(sigaction(SIGSYS, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	fd = open("/proc/self/maps", O_RDONLY);
	while ((n = read(fd, maps + len, sizeof(maps) - 1 - (size_t)len)) > 0)
		len += n;
	CHECK(fd >= 0 && len > 0 && !strstr(maps, "\n5510"));
	_exit(0);
}

static void *make_children(void *arg)
{
	for (int i = 0; i < 150 && !over; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			stay();
		usleep(500);
	}
	return arg;
}

/* N threads that make children, and one that is at work. */
static void staying(char **args)
{
	long n = t_num(args, 0, 2);
	int status;

	CHECK(pipe(gate) == 0);
	begin();
	CHECK(pthread_create(&threads[n], NULL, call_and_compute, NULL) == 0);
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, make_children, NULL) == 0);
	for (long i = 0; i <= n; i++)
		pthread_join(threads[i], NULL);
	close(gate[1]);
	while (wait(&status) > 0)
		CHECK(status == 0);
}

#ifdef HAS_RSEQ

static volatile long sum;

/* 1 if one was added, in a section that is begun anew when something comes between. */
static int add_one(struct rseq *area)
{
	int added = 1;

	__asm__ volatile(".pushsection __rseq_cs, \"aw\"\n.balign 32\n"
			 "9: .long 0, 0\n.quad 1f, 3f - 1f, 4f\n.popsection\n"
			 "lea 9b(%%rip), %%rax\nmov %%rax, %[section]\n"
			 "1: mov %[sum], %%rax\nmov $3000, %%ecx\n2: dec %%ecx\njnz 2b\n"
			 "inc %%rax\nmov %%rax, %[sum]\n3: jmp 5f\n"
			 ".long %c[sig]\n4: xor %[added], %[added]\n5:\n"
			 : [added] "+r"(added), [section] "=m"(area->rseq_cs), [sum] "+m"(sum)
			 : [sig] "i"(RSEQ_SIG)
			 : "rax", "rcx", "cc", "memory");
	return added;
}

static void *add_up(void *arg)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	long added = 0;

	for (long i = 0; !over; i++) {
		added += add_one(area);
		if (i % 10000 == 0)
			CHECK(syscall(SYS_getppid) > 0);
	}
	calls += added;
	return arg;
}

/* Threads that add to one number, on one CPU. */
static void restartable(char **args)
{
	long n = t_num(args, 0, 2);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (__rseq_size == 0)
		t_skip("the C library has no rseq");
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	begin();
	for (long i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, add_up, NULL) == 0);
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	CHECK(sum == calls);
}

#else

static void restartable(char **args)
{
	(void)args;
	t_skip("no rseq");
}

#endif

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"signals", signals}, {"epolls", epolls},
		{"explained", explained}, {"busy", busy}, {"leaderless", leaderless},
		{"family", family}, {"makers", makers}, {"asking", asking}, {"execs", execs},
		{"naps", naps}, {"ordered", ordered}, {"stopping", stopping}, {"staying", staying},
		{"restartable", restartable}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}
