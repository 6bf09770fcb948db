/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/attach.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tracer/dispositions.h"
#include "tracer/front.h"
#include "tracer/launch.h"
#include "tracer/lifecycle.h"
#include "tracer/loop.h"
#include "tracer/mend.h"
#include "tracer/seize.h"
#include "tracer/serial.h"
#include "tracer/session.h"

/* Stops that are handled for each thread that is seized: its first, and the call that goes on. */
#define STOPS_A_THREAD 4
/* So often a process may execute a program while it is attached to; what it is looked at again for
 * after this time. */
#define EXECS_MAX 20
#define AGAIN_US  1000

/* Calls fn for each number that names an entry of a directory in /proc; -ESRCH: it is not there. */
static int each_number(const char *path, int (*fn)(void *ctx, pid_t id), void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int found = 0;

	if (!dir)
		return -ESRCH;
	while ((e = readdir(dir))) {
		pid_t id = (pid_t)strtol(e->d_name, NULL, 10);

		found += id > 0 && fn(ctx, id) > 0;
	}
	closedir(dir);
	return found;
}

/* ---- what cannot be attached to ---- */

static int is_living(void *ctx, pid_t tid)
{
	char state = disposition_state(tid);

	(void)ctx;
	return state && state != 'Z' && state != 'X';
}

/* 1 if a thread of the process lives, be it without its first one. */
static int lives(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return each_number(path, is_living, NULL) > 0;
}

static int seize_error(pid_t pid, int e, struct err *err)
{
	pid_t tracer = disposition_tracer(pid);

	if (e == ESRCH)
		return err_set(err, -ESRCH, "no process %d", pid);
	if (tracer > 0)
		return err_set(err, -EBUSY, "process %d is already traced by process %d", pid,
			disposition_number(tracer, "Tgid")); /* it is a thread's number */
	return err_set(err, -e,
		"cannot attach to process %d: %s (run as its user or as root; "
		"/proc/sys/kernel/yama/ptrace_scope must be 0 for processes that are not children; "
		"a container needs --cap-add=SYS_PTRACE)",
		pid, strerror(e));
}

/* What the kernel would refuse without saying why. */
static int check_process(pid_t pid, struct err *err)
{
	pid_t tracer = disposition_tracer(pid);

	if (front_is_us(pid))
		return err_set(
			err, -EPERM, "process %d is this iotrace: it cannot trace itself", pid);
	if (disposition_is_kernel_thread(pid))
		return err_set(err, -EPERM,
			"process %d is a kernel thread: it makes no system calls", pid);
	if (!lives(pid))
		return err_set(err, -ESRCH,
			"process %d has ended: it is a zombie that its parent has not waited for",
			pid);
	if (tracer > 0)
		return seize_error(pid, EPERM, err);
	return 0;
}

/* ---- threads ---- */

/* A thread of the process that we have, or NULL. */
static struct tracee *member(struct session *s, pid_t pid)
{
	struct tracee *t = tracees_get(&s->tracees, pid);
	struct map_iter it = {0};

	while (!t && map_get(&s->tracees.processes, (uint64_t)pid) &&
		map_next(&s->tracees.by_tid, &it)) {
		t = it.value;
		if (t->process->pid != pid)
			t = NULL;
	}
	return t;
}

/* So that nobody stays stopped until all are seized. Only a few: those that are busy stop again and
 * again. */
static void handle_stops(struct session *s)
{
	for (int left = STOPS_A_THREAD; left; left--)
		if (loop_poll(s) <= 0)
			return;
}

/* Seizes one thread. 1: new, 0: had or gone, or a negative errno. */
static int seize_thread(struct session *s, pid_t pid, pid_t tid)
{
	struct tracee *t, *other;
	int rc = -EINTR;

	while (rc == -EINTR) {
		if (tracees_get(&s->tracees, tid) || stops_is_held(&s->stops, tid))
			return 0;
		rc = seize(tid);
		if (rc == -EINTR)
			handle_stops(s);
	}
	other = member(s, pid);
	/* Made meanwhile by a thread that we have: its parent's event announces it. */
	if (rc < 0 && other && (rc == -ESRCH || disposition_tracer(tid) == gettid()))
		return 0;
	if (rc < 0)
		return rc;
	t = tracees_add(&s->tracees, pid, tid,
		other ? files_ref(other->files) : files_new(identity_registry(s->identity)),
		other ? mm_ref(other->mm) : mm_new(&s->tracees));
	t->state = TRACEE_ATTACH;
	if (!other)
		cputime_begin(&s->cputime, t->process);
	t->mode = MODE_SYSCALL;
	tracees_unseen(t, 1);
	if (s->recorder.on && !t->mm->recorder) {
		t->mm->recorder = recorder_mm_new(&s->recorder);
		t->mm->recorder->at_once = 1;
	}
	tracees_read_comm(&s->tracees, t);
	mend_note(s, t);
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	handle_stops(s);
	return 1;
}

struct scan {
	struct session *s;
	pid_t pid;
};

static int scan_thread(void *ctx, pid_t tid)
{
	const struct scan *scan = ctx;

	return tid == scan->pid ? 0 : seize_thread(scan->s, scan->pid, tid);
}

/* It had a ring of io_uring before. */
static void note_ring(struct session *s, pid_t pid)
{
	const struct tracee *t = member(s, pid);

	if (!t)
		return;
	s->seen.io_uring = 1;
	recorder_files_uncertain(&s->recorder, t->files);
}

/*
 * 1 if the first thread is nobody's. If it was seized, or could not be, then because another one
 * has executed a program meanwhile: that ends all others, of the first one's end nobody is told,
 * and the number is that thread's since.
 */
static int is_left(struct session *s, pid_t pid)
{
	if (!is_living(NULL, pid) || disposition_tracer(pid) != 0)
		return 0;
	lifecycle_overtaken(s, pid);
	usleep(AGAIN_US);
	return 1;
}

static int attach_process(struct session *s, pid_t pid, struct err *err)
{
	struct scan scan = {s, pid};
	/* It may have very many numbers: looked at before its threads wait for us. */
	int rc = -EPERM, left = 1, has_ring = s->map.fds && identity_has_ring(pid);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	for (int i = 0; left && i < EXECS_MAX; i++) {
		rc = seize_thread(s, pid, pid);
		/* One that has ended before the others cannot be seized. Threads that are made
		 * while we look are found by the next look. */
		while ((rc >= 0 || disposition_state(pid) == 'Z') &&
			each_number(path, scan_thread, &scan) > 0)
			;
		left = is_left(s, pid);
	}
	if (has_ring)
		note_ring(s, pid);
	return member(s, pid) || rc >= 0 ? 0 : seize_error(pid, -rc, err);
}

/* ---- descendants ---- */

/* All processes at one time, so that one whose parent ends meanwhile still belongs to its tree. */
struct snapshot {
	struct session *s;
	struct map parents;     /* pid -> (void *)ppid */
	struct map of_a_traced; /* pid -> itself */
};

static int note_parent(void *ctx, pid_t pid)
{
	struct snapshot *snap = ctx;
	pid_t parent = disposition_number(pid, "PPid");

	if (parent > 0)
		map_set(&snap->parents, (uint64_t)pid, (void *)(intptr_t)parent);
	return 0;
}

static int is_traced(const struct session *s, uint64_t pid)
{
	return map_get(&s->tracees.processes, pid) != NULL;
}

/* Fills of_a_traced: the descendants of traced processes that are not traced. */
static void snapshot_take(struct snapshot *snap)
{
	int more = 1;

	each_number("/proc", note_parent, snap);
	while (more) {
		struct map_iter it = {0};

		more = 0;
		while (map_next(&snap->parents, &it)) {
			uint64_t parent = (uint64_t)(intptr_t)it.value;

			if (is_traced(snap->s, it.key) || map_get(&snap->of_a_traced, it.key) ||
				(!is_traced(snap->s, parent) &&
					!map_get(&snap->of_a_traced, parent)))
				continue;
			map_set(&snap->of_a_traced, it.key, (void *)(intptr_t)it.key);
			more = 1;
		}
	}
}

static void snapshot_release(struct snapshot *snap)
{
	map_release(&snap->parents);
	map_release(&snap->of_a_traced);
}

/* 1 if the process lives, and is not ours by an announcement that is still to come. */
static int is_left_out(pid_t pid)
{
	return lives(pid) && disposition_tracer(pid) != gettid();
}

/* One look: attaches to the descendants that are not traced. How many were new. */
static int attach_descendants(struct session *s, struct map *refused)
{
	struct snapshot snap = {.s = s};
	struct map_iter it = {0};
	int found = 0;

	snapshot_take(&snap);
	while (map_next(&snap.of_a_traced, &it)) {
		pid_t pid = (pid_t)it.key;
		struct err err = {0};

		/* We ourselves may be a descendant: of the shell that is traced. */
		if (front_is_us(pid) || is_traced(s, it.key) || map_get(refused, it.key) ||
			!is_left_out(pid))
			continue;
		if (attach_process(s, pid, &err) == 0)
			found++;
		else if (is_left_out(pid))
			map_set(refused, it.key, s);
	}
	snapshot_release(&snap);
	return found;
}

static void attach_tree(struct session *s)
{
	struct map refused = {0};

	/* What is made while we look, by one that was not seized yet, is found by the next look. */
	while (attach_descendants(s, &refused) > 0)
		;
	s->left_out = refused.len;
	map_release(&refused);
}

/* Of those that were there. */
static void note_makers(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.processes, &it)) {
		struct process *p = it.value;
		pid_t parent = p->maker ? 0 : disposition_number(p->pid, "PPid");
		struct process *maker =
			parent > 0 ? map_get(&s->tracees.processes, (uint64_t)parent) : NULL;

		if (maker)
			tracees_child(&s->tracees, maker, p);
	}
}

static void count_descendants(struct session *s)
{
	struct snapshot snap = {.s = s};
	struct map_iter it = {0};

	snapshot_take(&snap);
	while (map_next(&snap.of_a_traced, &it))
		s->left_out += !front_is_us((pid_t)it.key) && is_left_out((pid_t)it.key);
	snapshot_release(&snap);
}

int attach_left_out(const struct session *s, char *text, size_t n)
{
	if (!s->left_out)
		return 0;
	snprintf(text, n, "descendants of the attached processes that are not traced: %llu (%s)",
		(unsigned long long)s->left_out,
		s->opt->tree ? "they cannot be attached to" : "--tree takes them too");
	return 1;
}

/* ---- all of -p ---- */

static int add_root(struct session *s, pid_t id, struct err *err)
{
	/* The number of any of its threads will do. */
	pid_t pid = disposition_number(id, "Tgid");
	int rc;

	if (pid <= 0)
		return seize_error(id, ESRCH, err);
	for (size_t i = 0; i < s->roots.len; i++)
		if (s->roots.at[i].pid == pid)
			return 0;
	rc = check_process(pid, err);
	if (rc == 0)
		*VEC_PUSH(&s->roots) = (struct root){pid, -1};
	return rc;
}

int attach_processes(struct session *s, struct err *err)
{
	int rc = 0;

	/* All are looked at before the first is touched. */
	for (size_t i = 0; i < s->opt->pids.len && rc == 0; i++)
		rc = add_root(s, s->opt->pids.at[i], err);
	if (rc < 0)
		return rc;
	s->first_pid = s->roots.at[0].pid;
	s->attached = s->unfiltered = 1;
	s->recorder.waiting = 1;
	s->stops.careful = 1;
	for (size_t i = 0; i < s->roots.len && rc == 0; i++)
		rc = attach_process(s, s->roots.at[i].pid, err);
	if (rc < 0)
		return rc;
	if (s->opt->tree)
		attach_tree(s);
	else
		count_descendants(s);
	note_makers(s);
	s->attached_processes = s->tracees.processes_total;
	s->recorder.waiting = 0;
	return 0;
}

int attach_probe(struct session *s, const struct launch_setup *setup, struct err *err)
{
	int rc = launch_target(s, setup, err);

	if (rc == 0)
		rc = loop_run(s, err);
	launch_finish_probes(s); /* of a child that executes nothing */
	serial_end(s);
	s->first_status = -1;
	tracees_begin(&s->tracees);
	s->book.stops[PHASE_STARTUP] = s->book.stops[PHASE_WINDOW] = (struct book_stops){0};
	return rc;
}
