/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/runner/load.h"
#include "common/runner/ready_probe.h"

/* Until a pidfd or a signal for us is readable, or that time has come. */
static void wait_until(int pidfd, int other_fd, int signal_fd, uint64_t when_ns)
{
	uint64_t now = clock_mono_ns(), wait_ns = when_ns > now ? when_ns - now : 0;
	struct timespec limit = {(time_t)(wait_ns / NS_PER_SEC), (long)(wait_ns % NS_PER_SEC)};
	struct pollfd fds[] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = other_fd, .events = POLLIN},
		{.fd = signal_fd, .events = POLLIN},
	};

	ppoll(fds, LEN(fds), &limit, NULL);
}

static int has_signal(int signal_fd)
{
	struct pollfd fd = {.fd = signal_fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

static int start(const struct helpers *h, size_t i, const struct signals *signals, const char *log,
	struct err *err)
{
	cleanup_close int log_fd = -1;

	if (log) {
		log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (log_fd < 0)
			return err_set(err, -errno, "cannot write %s: %s", log, strerror(errno));
	}
	/* Standard output is the target's. */
	int out = log ? log_fd : STDERR_FILENO;

	return program_start(&(struct program_spec){.argv = h->sc->helpers[i].argv,
				     .cwd = h->sc->cwd,
				     .streams = {PROGRAM_NULL, out, out},
				     .own_group = 1,
				     .caller = h->sc->user,
				     .mask = &signals->old},
		&h->at[i], err);
}

/* 1: it is, 0: not yet, or an error. */
static int is_ready(
	struct program *p, struct ready_probe *probe, uint64_t limit_ns, struct err *err)
{
	uint64_t now = clock_mono_ns();

	if (program_reap(p)) {
		if (program_status(p) == 0)
			return 1;
		return err_set(err, -ECHILD, "it ended with status %d before it was ready",
			program_status(p));
	}
	if (now >= limit_ns)
		return err_set(err, -ETIMEDOUT, "it was not ready in time%s",
			probe->foreign ? ": its port is held by another process" : "");
	return ready_probe_step(probe, p->pid, now, err);
}

static int wait_ready(
	const struct helpers *h, size_t i, const struct signals *signals, struct err *err)
{
	const struct scenario_helper *helper = &h->sc->helpers[i];
	uint64_t limit_ns = sat_add(clock_mono_ns(), h->sc->ready_timeout_ns);
	struct ready_probe probe;
	int rc;

	ready_probe_init(&probe, helper->has_ready ? &helper->ready : NULL, h->sc, &signals->old);
	while ((rc = is_ready(&h->at[i], &probe, limit_ns, err)) == 0) {
		if (has_signal(signals->fd)) {
			rc = err_set(err, -EINTR, "interrupted while it got ready");
			break;
		}
		wait_until(h->at[i].pidfd,
			program_running(&probe.command) ? probe.command.pidfd : -1, signals->fd,
			probe.next_ns < limit_ns ? probe.next_ns : limit_ns);
	}
	ready_probe_release(&probe);
	return rc < 0 ? rc : 0;
}

int helpers_start(struct helpers *h, const struct scenario *sc, const struct signals *signals,
	const char *log, struct err *err)
{
	int rc = 0;

	*h = (struct helpers){.sc = sc, .at = mem_calloc(sc->helpers_len + 1, sizeof(*h->at))};
	for (size_t i = 0; i < sc->helpers_len && rc == 0; i++) {
		h->at[i] = PROGRAM_NONE;
		rc = start(h, i, signals, log, err);
		h->len += rc == 0;
		if (rc == 0)
			rc = wait_ready(h, i, signals, err);
		if (rc < 0) {
			cleanup_free char *command = load_text(sc->helpers[i].argv);

			err_wrap(err, "helper '%.200s'", command);
		}
	}
	if (rc < 0)
		helpers_stop(h, NULL);
	return rc;
}

static void end(struct program *p, uint64_t grace_ns)
{
	uint64_t limit_ns = sat_add(clock_mono_ns(), grace_ns);

	program_signal(p, SIGTERM);
	/* A stopped program cannot take its leave. */
	program_signal(p, SIGCONT);
	while (!program_reap(p) && clock_mono_ns() < limit_ns)
		wait_until(p->pidfd, -1, -1, limit_ns);
}

int helpers_stop(struct helpers *h, struct err *err)
{
	int rc = 0;

	for (size_t i = h->len; i-- > 0;) {
		if (program_reap(&h->at[i]) && program_status(&h->at[i]) != 0) {
			cleanup_free char *command = load_text(h->sc->helpers[i].argv);

			rc = err_set(err, -ECHILD,
				"helper '%.200s' ended with status %d during the run", command,
				program_status(&h->at[i]));
		}
		if (program_running(&h->at[i]))
			end(&h->at[i], h->sc->grace_ns);
		program_release(&h->at[i]);
	}
	free(h->at);
	*h = (struct helpers){0};
	return rc;
}
