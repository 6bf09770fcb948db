// SPDX-License-Identifier: GPL-3.0-only
/*
 * Programs that use CPU time, in ways that are easy to lose, and say how much it was as the kernel
 * told whoever waited for them: the case runs in a child, all of whose descendants come to this
 * process (a subreaper), which prints RUSAGE_CHILDREN and its own clock; what nobody waits for says
 * its own time. "serve" does so for each line that it reads, after
 * it has used some itself.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "t.h"

#define UNWAITED_MAX 16
#define SOME_MS      30

extern char **environ;

static const char *self;
/* Shared by all: what those have used whom nobody waits for. */
static struct {
	atomic_int len;
	uint64_t ns[UNWAITED_MAX];
} * unwaited;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* CPU time of the calling thread. */
static void burn(long ms)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)ms * 1000000;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void *burn_thread(void *arg)
{
	burn((long)(intptr_t)arg);
	return NULL;
}

static pthread_t thread(void *(*fn)(void *), long ms)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, (void *)(intptr_t)ms) == 0);
	return t;
}

static pid_t child(void (*fn)(long), long ms)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		fn(ms);
		_exit(0);
	}
	return pid;
}

static void waited(pid_t pid)
{
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void become_burner(long ms)
{
	char number[24];

	snprintf(number, sizeof(number), "%ld", ms);
	execve(self, (char *[]){(char *)self, "burn", number, NULL}, environ);
	CHECK(0); /* execve has failed */
}

/* ---- cases ---- */

static void alone(long ms)
{
	burn(2 * ms);
}

static void threads(long ms)
{
	pthread_t early = thread(burn_thread, ms), a, b;

	CHECK(pthread_join(early, NULL) == 0);
	a = thread(burn_thread, ms);
	b = thread(burn_thread, ms);
	burn(ms);
	CHECK(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
}

static void *last_thread(void *arg)
{
	/* The first thread is a zombie, of a process that goes on. */
	t_await_state(getpid(), getpid(), 'Z');
	burn((long)(intptr_t)arg);
	_exit(0);
}

static void first_ends(long ms)
{
	burn(ms);
	thread(last_thread, 2 * ms);
	pthread_exit(NULL);
}

static void forks(long ms)
{
	pid_t a = child(burn, ms), b = child(threads, ms);

	burn(ms);
	waited(a);
	waited(b);
}

static void many(long ms)
{
	for (int i = 0; i < 30; i++)
		waited(child(burn, ms / 30));
}

static void execs(long ms)
{
	burn(ms);
	become_burner(ms);
}

static void vforks(long ms)
{
	char number[24];
	pid_t pid;

	snprintf(number, sizeof(number), "%ld", ms);
	pid = vfork();
	if (pid == 0) {
		burn(ms);
		execve(self, (char *[]){(char *)self, "burn", number, NULL}, environ);
		_exit(1);
	}
	waited(pid);
}

static void *exec_thread(void *arg)
{
	burn((long)(intptr_t)arg);
	become_burner((long)(intptr_t)arg);
	return NULL;
}

/* The first thread is killed by it, mostly in a stop: it makes calls all the time. */
static void *exit_thread(void *arg)
{
	burn((long)(intptr_t)arg);
	_exit(0);
}

static void thread_exits(long ms)
{
	thread(burn_thread, 1000 * ms);
	thread(exit_thread, ms);
	for (;;)
		CHECK(syscall(SYS_getppid) > 0);
}

/* By another thread than the first, which has the number afterwards. */
static void thread_execs(long ms)
{
	thread(burn_thread, ms);
	thread(exec_thread, ms);
	burn(1000 * ms); /* until that */
}

/* The same, where the first has ended before. */
static void *exec_alone_thread(void *arg)
{
	t_await_state(getpid(), getpid(), 'Z');
	return exec_thread(arg);
}

static void first_ends_and_execs(long ms)
{
	burn(ms);
	thread(exec_alone_thread, ms);
	pthread_exit(NULL);
}

static void orphan(long ms)
{
	pid_t parent = getppid();

	while (getppid() == parent)
		sched_yield();
	burn(2 * ms);
}

static void double_forks(long ms)
{
	child(orphan, ms);
	burn(ms);
}

static void unwaited_burn(long ms)
{
	burn(ms);
	unwaited->ns[atomic_fetch_add(&unwaited->len, 1)] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The kernel reaps them, and adds their time to nobody's. */
static void ignores(long ms)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		child(unwaited_burn, ms);
	burn(ms);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static void burn_on(long ms)
{
	thread(burn_thread, 1000 * ms);
	burn(1000 * ms);
}

static void is_killed(void (*fn)(long), long ms)
{
	pid_t pid = child(fn, ms);
	clockid_t clock;

	CHECK(clock_getcpuclockid(pid, &clock) == 0);
	while (clock_ns(clock) < (uint64_t)ms * 1000000)
		sched_yield();
	kill(pid, SIGKILL);
	kill(pid, SIGKILL);
	waited(pid);
}

static void kills(long ms)
{
	is_killed(alone, 2 * ms);
	is_killed(burn_on, 2 * ms);
}

static const struct {
	const char *name;
	void (*run)(long ms);
} cases_of[] = {
	{"alone", alone},
	{"threads", threads},
	{"first_ends", first_ends},
	{"forks", forks},
	{"many", many},
	{"execs", execs},
	{"vforks", vforks},
	{"thread_exits", thread_exits},
	{"thread_execs", thread_execs},
	{"first_ends_and_execs", first_ends_and_execs},
	{"double_forks", double_forks},
	{"ignores", ignores},
	{"kills", kills},
};

/* ---- what it was ---- */

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static uint64_t used(void)
{
	struct rusage children;
	uint64_t sum = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
	sum += ns_of(children.ru_utime) + ns_of(children.ru_stime);
	for (int i = 0; i < unwaited->len; i++)
		sum += unwaited->ns[i];
	return sum;
}

static void prepare(void)
{
	unwaited = mmap(
		NULL, sizeof(*unwaited), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(unwaited != MAP_FAILED && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

static void run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases_of) / sizeof(*cases_of); i++)
		if (strcmp(cases_of[i].name, name) == 0) {
			child(cases_of[i].run, SOME_MS);
			while (waitpid(-1, NULL, 0) > 0)
				;
			CHECK(errno == ECHILD);
			return;
		}
	CHECK(0); /* no such case */
}

/* Its own start is not counted: a tracer's child has done other things before its execve. */
static void run(char **args)
{
	uint64_t before;

	prepare();
	before = used();
	for (; *args; args++)
		run_case(*args);
	printf("%llu\n", (unsigned long long)(used() - before));
}

static void serve(char **args)
{
	char line[64];

	(void)args;
	prepare();
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		burn(SOME_MS);
		if (*line)
			run_case(line);
		printf("%llu\n", (unsigned long long)used());
		fflush(stdout);
	}
}

static void burn_case(char **args)
{
	burn(t_num(args, 0, SOME_MS));
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"run", run}, {"serve", serve}, {"burn", burn_case}, {NULL, NULL}};

	self = argv[0];
	return t_main(argc, argv, cases);
}
