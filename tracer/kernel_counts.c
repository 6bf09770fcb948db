/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/kernel_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"

static int tracepoint_id(uint64_t *ret, struct err *err)
{
	static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		cleanup_free char *path =
			mem_printf("%s/events/raw_syscalls/sys_enter/id", roots[i]);
		cleanup_free char *text = NULL;

		rc = file_read(path, 64, &text, NULL, NULL);
		if (rc == 0) {
			*ret = strtoull(text, NULL, 10);
			return 0;
		}
		if (rc == -EACCES)
			break;
	}
	return err_set(err, rc, "%s",
		rc == -EACCES ? "the kernel's tracepoints are for root"
			      : "the kernel's tracepoints are not here (is tracefs mounted?)");
}

/* A counter of one call in pid and its children, which begins with its execve. */
static int open_counter(uint64_t tracepoint, pid_t pid, uint32_t nr)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = tracepoint,
		.disabled = 1,
		.inherit = 1,
		.enable_on_exec = 1};
	char filter[32];
	int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(filter, sizeof(filter), "id == %u", nr);
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

_Noreturn static void child(char *const *command, int go)
{
	int null = open("/dev/null", O_RDWR);
	char byte;

	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	execvp(command[0], command);
	_exit(127);
}

static int open_all(uint64_t tracepoint, pid_t pid, const struct kernel_count *counts, int *fds,
	size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		fds[i] = open_counter(tracepoint, pid, counts[i].nr);
		if (fds[i] < 0)
			return err_set(err, fds[i], "perf_event_open: %s", strerror(-fds[i]));
	}
	return 0;
}

static void read_all(struct kernel_count *counts, const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (read(fds[i], &counts[i].calls, sizeof(counts[i].calls)) !=
			(ssize_t)sizeof(counts[i].calls))
			counts[i].calls = UINT64_MAX;
}

int kernel_counts(char *const *command, struct kernel_count *counts, size_t n, struct err *err)
{
	int go[2], *fds, status, rc;
	uint64_t tracepoint = 0;
	pid_t pid;

	rc = tracepoint_id(&tracepoint, err);
	if (rc < 0)
		return rc;
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		child(command, go[0]);
	}
	close(go[0]);
	fds = mem_calloc(n + 1, sizeof(*fds));
	memset(fds, 0xff, n * sizeof(*fds));
	rc = pid < 0 ? err_set(err, -errno, "fork: %s", strerror(errno))
		     : open_all(tracepoint, pid, counts, fds, n, err);
	if (rc < 0 && pid > 0)
		kill(pid, SIGKILL);
	close(go[1]); /* it reads the end, and goes on */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0)
		read_all(counts, fds, n);
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
	return rc;
}
