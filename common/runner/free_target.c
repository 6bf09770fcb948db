/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/free_target.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/runner/streams.h"
#include "common/runner/tree.h"

int free_target_start(const struct backend_run *in, struct program *ret, struct err *err)
{
	const struct scenario *sc = in->sc;
	cleanup_close int log = -1;
	cleanup_close int std_in = streams_stdin(sc, in->null_stdin, err);

	if (std_in < -1)
		return std_in;
	if (in->target_log) {
		log = streams_log(in->target_log, err);
		if (log < 0)
			return log;
	}
	return program_start(&(struct program_spec){.argv = sc->argv,
				     .env = sc->env,
				     .cwd = sc->cwd,
				     .streams = {std_in, log, log},
				     .mask = &in->signals->old},
		ret, err);
}

/* The target and its descendants, as pidfds: a number may be another process's by the time. */
struct family {
	struct pollfd *at;
	size_t len;
};

static void family_find(struct family *f, const struct program *p)
{
	struct tree t = {0};

	tree_find(&t, p->pid);
	f->at = mem_calloc(t.len + 1, sizeof(*f->at));
	f->at[f->len++] = (struct pollfd){.fd = p->pidfd, .events = POLLIN};
	for (size_t i = 0; i < t.len; i++) {
		int fd = pidfd_open(t.at[i], 0);
		pid_t parent = fd < 0 ? 0 : tree_parent(t.at[i]);

		/* As it was found, with the pidfd opened meanwhile. */
		if (parent == p->pid || (parent > 0 && tree_has(&t, parent)))
			f->at[f->len++] = (struct pollfd){.fd = fd, .events = POLLIN};
		else if (fd >= 0)
			close(fd);
	}
	tree_release(&t);
}

static void family_release(struct family *f)
{
	for (size_t i = 1; i < f->len; i++) /* the first is the program's */
		close(f->at[i].fd);
	free(f->at);
}

/* Those that have ended are not looked at again: how many are left. */
static size_t family_signal(struct family *f, int signal)
{
	size_t left = 0;

	for (size_t i = 0; i < f->len; i++)
		left += pidfd_send_signal(f->at[i].fd, signal, NULL, 0) == 0;
	return left;
}

/* 1 if all have ended. */
static int family_wait(struct family *f, uint64_t limit_ns)
{
	for (;;) {
		uint64_t now = clock_mono_ns();
		int live = 0;

		poll(f->at, f->len, 0);
		for (size_t i = 0; i < f->len; i++)
			live += !f->at[i].revents;
		if (!live || now >= limit_ns)
			return !live;
		/* One that lives; the others are asked again when it has ended. */
		for (size_t i = 0; i < f->len; i++) {
			struct pollfd one = f->at[i];

			if (one.revents)
				continue;
			poll(&one, 1, (int)((limit_ns - now) / NS_PER_MS) + 1);
			break;
		}
	}
}

int free_target_end(struct program *p, uint64_t grace_ns)
{
	struct family f = {0};
	int killed = 0;

	if (program_running(p) && !program_reap(p)) {
		family_find(&f, p);
		family_signal(&f, SIGTERM);
		family_signal(&f, SIGCONT); /* a stopped program cannot take its leave */
		if (!family_wait(&f, sat_add(clock_mono_ns(), grace_ns)))
			killed = family_signal(&f, SIGKILL) > 0;
		program_wait(p);
		family_release(&f);
	}
	program_release(p);
	return killed;
}
