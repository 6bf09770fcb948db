/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/marks.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "mem/files.h"

/* So long the load waits for a target that is running to answer, or for vgdb to have asked. */
#define ASK_NS (20 * NS_PER_MS)

void marks_init(
	struct marks *m, const struct scenario *sc, const struct signals *signals, const char *dir)
{
	*m = (struct marks){
		.sc = sc,
		.signals = signals,
		.dir = dir,
		.begin = {mem_printf("%s/window-begin.out", dir), PROGRAM_NONE, 0},
		.end = {mem_printf("%s/window-end.out", dir), PROGRAM_NONE, 0},
	};
}

static pid_t main_pid(const char *dir)
{
	struct files files;
	pid_t pid = 0;

	files_find(&files, dir, getpid());
	if (files.len && files.at[0].is_main)
		pid = files.at[0].pid;
	files_release(&files);
	return pid;
}

static int start_vgdb(struct marks *m, struct mark *mark, pid_t pid)
{
	cleanup_free char *prefix = mem_printf("--vgdb-prefix=%s/vgdb", m->dir);
	cleanup_free char *target = mem_printf("--pid=%d", (int)pid);
	/* Without the time limit of 0 vgdb would attach to a target that waits, by ptrace, and its
	 * call would be interrupted. */
	const char *const argv[] = {
		"vgdb", prefix, target, "--max-invoke-ms=0", "snapshot", mark->file, NULL};

	return program_start(&(struct program_spec){.argv = argv,
				     .env = m->sc->env,
				     .streams = {PROGRAM_NULL, PROGRAM_NULL, PROGRAM_NULL},
				     .own_group = 1,
				     .mask = &m->signals->old},
		&mark->vgdb, NULL);
}

static void ask(struct marks *m, struct mark *mark)
{
	/* A command of vgdb is one line of words. */
	pid_t pid = strpbrk(mark->file, " \t\n") ? 0 : main_pid(m->dir);
	static const struct timespec limit = {.tv_nsec = ASK_NS};

	if (!pid || start_vgdb(m, mark, pid) < 0)
		return;
	ppoll(&(struct pollfd){.fd = mark->vgdb.pidfd, .events = POLLIN}, 1, &limit, NULL);
	program_reap(&mark->vgdb);
}

void marks_mark(void *ctx, enum drive_mark which, int tool_pidfd)
{
	struct marks *m = ctx;
	struct mark *mark = which == DRIVE_BEGIN ? &m->begin : &m->end;

	(void)tool_pidfd;
	/* The load is running when the window ends, not yet when it begins. */
	if (which == DRIVE_END)
		mark->at_ns = clock_mono_ns();
	ask(m, mark);
	if (which == DRIVE_BEGIN)
		mark->at_ns = clock_mono_ns();
}

void marks_end(struct marks *m)
{
	program_release(&m->begin.vgdb);
	program_release(&m->end.vgdb);
}

void marks_release(struct marks *m)
{
	marks_end(m);
	free(m->begin.file);
	free(m->end.file);
}
