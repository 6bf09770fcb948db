/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/doctor/doctor_parts.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

enum { TRIAL_LIMIT_MS = 5000, SPIN_ROUNDS = 1000000 };

/* ---- a child that tries ---- */

/* Whether it ended; it is reaped in any case. */
static int end_child(pid_t pid, int *ret_status)
{
	cleanup_close int fd = pidfd_open(pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t limit = clock_mono_ns() + TRIAL_LIMIT_MS * NS_PER_MS, now;
	int ended = 0;

	/* Without pidfd_open (a kernel or sandbox without it) the child is waited for all the same:
	 * its own alarm ends it. */
	while (fd >= 0 && !ended && (now = clock_mono_ns()) < limit)
		ended = poll(&p, 1, (int)((limit - now) / NS_PER_MS) + 1) > 0;
	if (fd >= 0 && !ended)
		kill(-pid, SIGKILL);
	while (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	/* What it started and left behind, while the number is its own. */
	kill(-pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return ended || fd < 0;
}

int doctor_in_child(
	void (*fn)(const void *arg, void *result), const void *arg, void *result, size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, ended;
	pid_t pid;

	if (shared == MAP_FAILED)
		return -errno;
	memcpy(shared, result, size);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		alarm(2 * TRIAL_LIMIT_MS / 1000);
		fn(arg, shared);
		_exit(0);
	}
	if (pid < 0) {
		int code = -errno;

		munmap(shared, size);
		return code;
	}
	setpgid(pid, pid); /* whichever of the two is first */
	ended = end_child(pid, &status);
	memcpy(result, shared, size);
	munmap(shared, size);
	if (!ended)
		return -ETIMEDOUT;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void try_in_child(
	void (*fn)(const void *arg, void *result), const void *arg, struct doctor_trial *ret)
{
	struct doctor_trial trial = {.code = -ECANCELED};
	int ended = doctor_in_child(fn, arg, &trial, sizeof(trial));

	if (ended < 0)
		trial.code = ended;
	trial.signal = ended > 0 ? ended : 0;
	*ret = trial;
}

static int at_step(struct doctor_trial *t, const char *step, long result)
{
	if (result < 0) {
		t->code = -errno;
		strncpy(t->step, step, sizeof(t->step) - 1);
	}
	return result >= 0;
}

/* ---- ptrace ---- */

/* A child that waits for its tracer, then makes calls until it is killed. */
static pid_t start_tracee(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			getppid();
	return pid;
}

/* Follows the child to its next system call and reads which one it is. */
static int see_a_call(pid_t pid, struct doctor_trial *t)
{
	struct __ptrace_syscall_info info = {0};
	int status;

	if (!at_step(t, "PTRACE_SEIZE",
		    ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) ||
		!at_step(t, "PTRACE_INTERRUPT", ptrace(PTRACE_INTERRUPT, pid, 0, 0)) ||
		!at_step(t, "waitpid", waitpid(pid, &status, __WALL)) ||
		!at_step(t, "PTRACE_SYSCALL", ptrace(PTRACE_SYSCALL, pid, 0, 0)) ||
		!at_step(t, "waitpid", waitpid(pid, &status, __WALL)))
		return 0;
	return at_step(t, "PTRACE_GET_SYSCALL_INFO",
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info));
}

static void ptrace_child(const void *arg, void *result)
{
	struct doctor_trial *t = result;
	pid_t pid = start_tracee();

	(void)arg;
	if (at_step(t, "fork", pid) && see_a_call(pid, t))
		t->code = 0;
	if (pid > 0)
		kill(pid, SIGKILL);
}

void doctor_try_ptrace(struct doctor_trial *ret)
{
	try_in_child(ptrace_child, NULL, ret);
}

/* ---- attaching ---- */

struct whom {
	pid_t pid;
	int perf;
};

static long open_cpu_clock(pid_t pid)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void attach_child(const void *arg, void *result)
{
	const struct whom *whom = arg;
	struct doctor_trial *t = result;

	if (whom->perf ? at_step(t, "perf_event_open", open_cpu_clock(whom->pid))
		       : at_step(t, "PTRACE_SEIZE", ptrace(PTRACE_SEIZE, whom->pid, 0, 0)))
		t->code = 0;
}

/* The one who tries is no ancestor of the other: Yama lets those always. */
void doctor_try_attach(int perf, struct doctor_trial *ret)
{
	struct whom whom = {.pid = start_tracee(), .perf = perf};

	if (whom.pid < 0) {
		*ret = (struct doctor_trial){.code = -errno, .step = "fork"};
		return;
	}
	try_in_child(attach_child, &whom, ret);
	kill(whom.pid, SIGKILL);
	while (waitpid(whom.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- seccomp ---- */

/* Installs a filter that fails one call, and makes that call. */
static void seccomp_child(const void *arg, void *result)
{
	enum { CODE = EUCLEAN };
	struct doctor_trial *t = result;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | CODE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {LEN(code), code};

	(void)arg;
	if (!at_step(t, "PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) ||
		!at_step(t, "seccomp", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)))
		return;
	if (syscall(SYS_getppid) < 0 && errno == CODE) {
		t->code = 0;
	} else {
		errno = ENOTSUP;
		at_step(t, "the filter has no effect", -1);
	}
}

void doctor_try_seccomp(struct doctor_trial *ret)
{
	try_in_child(seccomp_child, NULL, ret);
}

/* ---- perf events ---- */

static void spin(void)
{
	for (volatile int i = 0; i < SPIN_ROUNDS; i++)
		;
}

/* Counts an event of this process while it does something. */
static void perf_event_child(const void *arg, void *result)
{
	struct doctor_trial *t = result;
	int cycles = *(const int *)arg;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = cycles ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES
				 : (uint64_t)PERF_COUNT_SW_CPU_CLOCK,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	uint64_t count = 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (!at_step(t, "perf_event_open", fd))
		return;
	spin();
	if (!at_step(t, "read", read(fd, &count, sizeof(count))))
		return;
	if (count) {
		t->code = 0;
	} else {
		errno = ENODATA;
		at_step(t, "the event does not count", -1);
	}
}

void doctor_try_perf_event(int cycles, struct doctor_trial *ret)
{
	try_in_child(perf_event_child, &cycles, ret);
}
