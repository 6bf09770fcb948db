/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/attach.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "tracer/dispositions.h"
#include "tracer/session.h"

#define CS_64BIT 0x33

static int seize_error(pid_t pid, int e, struct err *err)
{
	pid_t tracer = disposition_tracer(pid);

	if (e == ESRCH)
		return err_set(err, -ESRCH, "no process %d", pid);
	if (tracer > 0)
		return err_set(
			err, -EBUSY, "process %d is already traced by process %d", pid, tracer);
	return err_set(err, -e,
		"cannot attach to process %d: %s (run as its user or as root; "
		"/proc/sys/kernel/yama/ptrace_scope must be 0 for processes that are not children; "
		"a container needs --cap-add=SYS_PTRACE)",
		pid, strerror(e));
}

/* Seizes one thread. 1: new, 0: had or gone, or a negative errno. */
static int seize_thread(struct session *s, pid_t pid, pid_t tid, struct tracee *leader)
{
	struct tracee *t;

	if (tracees_get(&s->tracees, tid))
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)(long)SESSION_PTRACE_OPTIONS) < 0) {
		/* Made meanwhile by a thread that we have: its parent's event announces it. */
		if (leader && (errno == ESRCH || disposition_tracer(tid) == getpid()))
			return 0;
		return -errno;
	}
	t = tracees_add(&s->tracees, pid, tid,
		leader ? files_ref(leader->files) : files_new(identity_registry(s->identity)),
		leader ? space_ref(leader->space) : space_new(&s->tracees));
	t->state = TRACEE_ATTACH;
	t->mode = MODE_SYSCALL;
	tracees_read_comm(&s->tracees, t);
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return 1;
}

/* One pass over the threads: how many were new, or a negative errno. */
static int scan(struct session *s, pid_t pid)
{
	char path[64];
	DIR *dir;
	struct dirent *e;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while ((e = readdir(dir))) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
		int rc = tid > 0 && tid != pid
				 ? seize_thread(s, pid, tid, tracees_get(&s->tracees, pid))
				 : 0;

		found += rc > 0;
	}
	closedir(dir);
	return found;
}

int attach_process(struct session *s, pid_t pid, struct err *err)
{
	int rc = seize_thread(s, pid, pid, NULL);

	if (rc < 0)
		return seize_error(pid, -rc, err);
	s->first_pid = pid;
	s->attached = 1;
	/* Threads that are made while we look are found by the next look. */
	while (scan(s, pid) > 0)
		;
	return 0;
}

static int waits_forever(const struct user_regs_struct *regs)
{
	switch (regs->orig_rax) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int)regs->r10 < 0;
	case SYS_epoll_pwait2:
		return regs->r10 == 0;
	default:
		return 0;
	}
}

void attach_mend_interrupted(const struct tracee *t)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	if ((long)regs.rax != -EINTR || regs.cs != CS_64BIT || !waits_forever(&regs) ||
		disposition_pending(t->tid))
		return;
	regs.rax = regs.orig_rax;
	regs.rip -= 2; /* the syscall instruction */
	ptrace(PTRACE_SETREGS, t->tid, NULL, &regs);
}
