/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/runner/as_user.h"

/* What the child could not do, told through a pipe that a successful exec closes. */
struct child_error {
	int code;
	char what[16];
};

static void child_fail(int report_fd, const char *what)
{
	struct child_error e = {.code = errno};

	strncpy(e.what, what, sizeof(e.what) - 1);
	(void)!write(report_fd, &e, sizeof(e));
	_exit(127);
}

static void child_stream(int report_fd, int from, int to)
{
	int fd = from == PROGRAM_NULL ? open("/dev/null", O_RDWR | O_CLOEXEC) : from;

	if (from != PROGRAM_OURS && from != to && dup2(fd, to) < 0)
		child_fail(report_fd, from == PROGRAM_NULL ? "/dev/null" : "dup2");
}

/* In the child, which has one thread: setenv() and malloc() are fine. */
static __attribute__((noreturn)) void child_exec(
	const struct program_spec *spec, const sigset_t *mask, int report_fd, pid_t maker)
{
	/* Kept over the exec: the tools are no set-user-ID programs. */
	if (spec->ends_with_us && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != maker))
		child_fail(report_fd, "prctl");
	if (spec->own_group && setpgid(0, 0) < 0)
		child_fail(report_fd, "setpgid");
	if (spec->caller)
		as_user_give_back(spec->caller);
	/* Wholly whom our maker acts for: no id is left to go back to another with. */
	if (setresgid(getegid(), getegid(), getegid()) < 0 ||
		setresuid(geteuid(), geteuid(), geteuid()) < 0)
		child_fail(report_fd, "identity");
	for (int to = 0; to < 3; to++)
		child_stream(report_fd, spec->streams[to], to);
	if (spec->keep_fd > 0 && fcntl(spec->keep_fd, F_SETFD, 0) < 0)
		child_fail(report_fd, "fcntl");
	if (spec->cwd && chdir(spec->cwd) < 0)
		child_fail(report_fd, "chdir");
	for (const char *const *e = spec->env; e && *e; e++) {
		int failed = strchr(*e, '=') ? putenv((char *)*e) : unsetenv(*e);

		if (failed)
			child_fail(report_fd, "environment");
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(spec->argv[0], (char *const *)spec->argv);
	child_fail(report_fd, "exec");
	_exit(127);
}

static int start_error(
	const struct program_spec *spec, const struct child_error *e, struct err *err)
{
	if (!strcmp(e->what, "chdir"))
		return err_set(err, -e->code, "cannot change to directory %s: %s", spec->cwd,
			strerror(e->code));
	if (!strcmp(e->what, "exec"))
		return err_set(
			err, -e->code, "cannot execute %s: %s", spec->argv[0], strerror(e->code));
	return err_set(err, -e->code, "cannot start %s: %s: %s", spec->argv[0], e->what,
		strerror(e->code));
}

int program_start(const struct program_spec *spec, struct program *ret, struct err *err)
{
	struct child_error failed = {0};
	struct program p = PROGRAM_NONE;
	sigset_t all, old;
	int report[2];

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	/* No signal may come between fork and the child's own mask. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	p.own_group = spec->own_group;
	p.start_ns = clock_mono_ns();
	pid_t maker = getpid();
	p.pid = fork();
	if (p.pid == 0)
		child_exec(spec, spec->mask ? spec->mask : &old, report[1], maker);
	int fork_errno = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(report[1]);
	if (p.pid < 0) {
		close(report[0]);
		return err_set(err, -fork_errno, "cannot fork: %s", strerror(fork_errno));
	}

	ssize_t n;
	do
		n = read(report[0], &failed, sizeof(failed));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n == (ssize_t)sizeof(failed)) {
		program_wait(&p);
		return start_error(spec, &failed, err);
	}
	p.pidfd = pidfd_open(p.pid, 0);
	if (p.pidfd < 0) {
		int code = -errno;

		program_release(&p);
		return err_set(err, code, "cannot watch %s (pidfd_open): %s", spec->argv[0],
			strerror(-code));
	}
	*ret = p;
	return 0;
}

int program_running(const struct program *p)
{
	return p->pid > 0 && !p->ended;
}

static uint64_t timeval_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * NS_PER_SEC + (uint64_t)t->tv_usec * NS_PER_US;
}

static int reap(struct program *p, int flags)
{
	struct rusage usage = {0};
	pid_t pid;

	if (!program_running(p))
		return p->ended;
	do
		pid = wait4(p->pid, &p->wait_status, flags, &usage);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return 0;
	p->ended = 1;
	p->end_ns = clock_mono_ns();
	p->cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
	p->most_resident_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return 1;
}

int program_reap(struct program *p)
{
	return reap(p, WNOHANG);
}

void program_wait(struct program *p)
{
	reap(p, 0);
}

void program_signal(const struct program *p, int signal)
{
	if (program_running(p))
		kill(p->own_group ? -p->pid : p->pid, signal);
}

void program_signal_word(const struct program *p, int signal, uint64_t word)
{
	const union sigval value = {.sival_ptr = (void *)(uintptr_t)word}; /* NOLINT */

	if (program_running(p))
		sigqueue(p->pid, signal, value);
}

void program_release(struct program *p)
{
	if (program_running(p)) {
		program_signal(p, SIGKILL);
		program_wait(p);
	}
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = PROGRAM_NONE;
}

int program_status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int program_status(const struct program *p)
{
	return program_status_of(p->wait_status);
}

int program_end_of(int pidfd, int *ret_status)
{
	/* struct pidfd_info of linux/pidfd.h, its first version. */
	struct {
		uint64_t mask, cgroup;
		uint32_t ids[11];
		int32_t exit_code;
	} told = {.mask = 1 << 3 /* PIDFD_INFO_EXIT */};
	siginfo_t child = {0};

	if (waitid(P_PIDFD, (id_t)pidfd, &child, WEXITED | WNOHANG | WNOWAIT) == 0) {
		*ret_status = child.si_code == CLD_EXITED ? W_EXITCODE(child.si_status, 0)
							  : W_EXITCODE(0, child.si_status);
		return child.si_pid != 0;
	}
	if (ioctl(pidfd, _IOWR(0xFF, 11, told), &told) < 0 || !(told.mask & 1 << 3))
		return 0;
	*ret_status = told.exit_code;
	return 1;
}

static int is_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return 0;
	}
	return euidaccess(path, X_OK) == 0;
}

char *program_find(const char *name)
{
	const char *path = getenv("PATH");
	int seen = ENOENT;

	if (strchr(name, '/')) {
		if (is_executable(name))
			return mem_strdup(name);
		if (errno == EACCES && access(name, F_OK) < 0)
			errno = ENOENT;
		return NULL;
	}
	for (const char *p = path ? path : "/usr/bin:/bin"; *name; p++) {
		size_t len = strcspn(p, ":");
		char *full = mem_printf("%.*s/%s", len ? (int)len : 1, len ? p : ".", name);

		if (is_executable(full))
			return full;
		/* A directory of PATH that may not be searched says nothing of the program. */
		if (errno == EACCES && access(full, F_OK) == 0)
			seen = EACCES;
		free(full);
		p += len;
		if (!*p)
			break;
	}
	errno = seen;
	return NULL;
}

char *program_find_beside(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		char *beside = mem_printf("%.*s/%s", (int)(strrchr(self, '/') - self), self, name);

		if (access(beside, X_OK) == 0)
			return beside;
		free(beside);
	}
	return program_find(name);
}

char *program_find_here(const char *name)
{
	char *found = program_find(name);
	int code = errno;

	if (found || strchr(name, '/'))
		return found;
	cleanup_free char *beside = mem_printf("./%s", name);

	found = program_find(beside);
	errno = code;
	return found;
}
