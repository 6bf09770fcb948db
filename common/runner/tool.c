/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/out.h"
#include "common/base/text.h"
#include "common/runner/program.h"

#define LIMIT_NS (120 * NS_PER_SEC)

enum { COMPLAINT_MAX = 200 };

static uint64_t limit_of(const struct tool *t)
{
	return t->limit_ns ? t->limit_ns : LIMIT_NS;
}

/* Passes on what is there; 0 at the end of the output. */
static int pump(const struct tool *t, int fd)
{
	char buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		t->take(t->ctx, buf, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Until the program has ended and its output is read. What it leaves running in the background is
 * not waited for. */
static int watch(const struct tool *t, struct program *p, int out_fd)
{
	uint64_t end_ns = clock_mono_ns() + limit_of(t);
	struct pollfd fds[] = {
		{.fd = out_fd, .events = POLLIN},
		{.fd = p->pidfd, .events = POLLIN},
		{.fd = t->signals ? t->signals->fd : -1, .events = POLLIN},
	};

	for (;;) {
		uint64_t now = clock_mono_ns();

		if (now >= end_ns)
			return -ETIMEDOUT;
		struct timespec left = {
			(time_t)((end_ns - now) / NS_PER_SEC), (long)((end_ns - now) % NS_PER_SEC)};
		int n = ppoll(fds, 3, &left, NULL);

		if (n <= 0)
			continue;
		if (fds[2].revents)
			return -EINTR;
		if (fds[0].revents && pump(t, out_fd))
			end_ns = now + limit_of(t);
		else if (fds[0].revents)
			fds[0].fd = -1;
		else if (fds[1].revents && !fds[0].revents && program_reap(p))
			return 0;
	}
}

/* The last line of what it wrote to stderr, without control characters. */
static void last_line(int fd, char *buf, size_t size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t begin = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
	ssize_t n = pread(fd, buf, size - 1, begin);

	buf[n > 0 ? n : 0] = '\0';
	for (char *c = buf + strlen(buf); c > buf && (unsigned char)c[-1] <= ' '; c--)
		c[-1] = '\0';
	const char *line = strrchr(buf, '\n');

	if (line)
		memmove(buf, line + 1, strlen(line));
	text_one_line(buf);
}

static int judge(
	const struct tool *t, const struct program *p, int watched, int err_fd, struct err *err)
{
	char complaint[COMPLAINT_MAX];

	if (watched == -ETIMEDOUT)
		return err_set(err, watched, "%s gave no output for %.3g s and was killed",
			t->argv[0], (double)limit_of(t) / (double)NS_PER_SEC);
	if (watched == -EINTR)
		return err_set(err, watched, "%s was ended by a signal to us", t->argv[0]);
	if (program_status(p) == 0)
		return 0;
	last_line(err_fd, complaint, sizeof(complaint));
	return err_set(err, -EIO, "%s failed with status %d%s%s", t->argv[0], program_status(p),
		*complaint ? ": " : "", complaint);
}

int tool_run(const struct tool *t, struct err *err)
{
	int std_in = t->stdin_fd >= 0 ? t->stdin_fd : PROGRAM_NULL;
	cleanup_close int err_fd = memfd_create("stderr", MFD_CLOEXEC);
	struct program p = PROGRAM_NONE;
	int ends[2];

	if (err_fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot run %s: %s", t->argv[0], strerror(errno));
	int rc = program_start(&(struct program_spec){.argv = t->argv,
				       .streams = {std_in, ends[1], err_fd},
				       .own_group = 1,
				       .mask = t->signals ? &t->signals->old : NULL},
		&p, err);

	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (rc == 0) {
		int watched = watch(t, &p, ends[0]);

		/* KILL to its whole group if it still runs. */
		if (watched < 0 && program_running(&p)) {
			program_signal(&p, SIGKILL);
			program_wait(&p);
		}
		rc = judge(t, &p, watched, err_fd, err);
	}
	program_release(&p);
	close(ends[0]);
	return rc;
}

void tool_to_out(void *ctx, const char *p, size_t n)
{
	out_bytes(ctx, p, n);
}
