/* SPDX-License-Identifier: GPL-3.0-only */
/* Births, execs and deaths of tracees. */
#include "tracer/lifecycle.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/calls.h"
#include "tracer/trap/dispatch.h"
#include "tracer/dispositions.h"
#include "tracer/privileges.h"
#include "tracer/feature.h"
#include "tracer/resume.h"
#include "tracer/serial.h"
#include "tracer/session.h"

#define CLONE_CLEARS_HANDLERS 0x100000000ULL /* CLONE_CLEAR_SIGHAND of linux/sched.h */

static void mm_leave(struct session *s, struct tracee *t)
{
	uint32_t id;

	if (t->mm->refs == 1) {
		recorder_sweep(&s->recorder);
		recorder_mm_free(&s->recorder, t->mm->recorder);
		if (s->stacks)
			stacks_forget(s->stacks, t->mm->id);
	}
	if (mm_unref(t->mm, &id))
		mappings_drop(s->book.mappings, id);
	t->mm = NULL;
}

static void drop(struct session *s, struct tracee *t)
{
	call_no_return(s, t, 0);
	tracees_cloning(&s->tracees, t, CLONING_NOT);
	tracees_unseen(t, 0);
	if (t->process->threads == 1)
		cputime_end(&s->cputime, t->process);
	mm_leave(s, t);
	tracees_drop(&s->tracees, t);
}

/* What the kernel says of the event that the thread stopped for. 0: it was killed since, and is, or
 * will be, at its end, of which the message then is. */
static int event_message(pid_t tid, unsigned long *ret)
{
	siginfo_t info;

	return ptrace(PTRACE_GETEVENTMSG, tid, NULL, ret) == 0 &&
	       ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) == 0 &&
	       info.si_code >> 8 != PTRACE_EVENT_EXIT;
}

/* ---- births ---- */

static int shares(const struct tracee *t, pid_t child, int what, int otherwise)
{
	long order = syscall(SYS_kcmp, t->tid, child, what, 0, 0);

	return order < 0 ? otherwise : order == 0;
}

/* What a call that t is in has made, where its entry was not seen: when we attached, and when we
 * leave. -ESRCH: the child is over already, having been taken for an orphan. */
static int flags_by_kernel(const struct tracee *t, pid_t child, uint64_t *ret)
{
	int is_thread = disposition_number(child, "Tgid") == t->process->pid;

	if (disposition_tracer(child) <= 0)
		return -ESRCH;
	*ret = is_thread ? CLONE_THREAD : 0;
	if (is_thread || shares(t, child, KCMP_VM, 0))
		*ret |= CLONE_VM;
	if (shares(t, child, KCMP_FILES, is_thread))
		*ret |= CLONE_FILES;
	if (!disposition_catches(child, SIGSYS)) /* nor ours, which a child would have, too */
		*ret |= CLONE_CLEARS_HANDLERS;
	return 0;
}

static struct tracee *add_child(struct session *s, struct tracee *t, pid_t tid, uint64_t flags)
{
	pid_t pid = flags & CLONE_THREAD ? t->process->pid : tid;
	struct files *files;
	struct mm *mm;
	struct tracee *child;

	if (!(flags & CLONE_VM) || !(flags & CLONE_FILES))
		recorder_sweep_all_of(&s->recorder, t); /* a copy is of what is there now */
	files = flags & CLONE_FILES ? files_ref(t->files) : files_copy(t->files);
	if ((flags & CLONE_FILES) && !(flags & CLONE_VM) && s->recorder.timeless)
		recorder_files_uncertain(&s->recorder, files); /* coarse.h */
	mm = flags & CLONE_VM ? mm_ref(t->mm) : mm_new(&s->tracees);
	child = tracees_add(&s->tracees, pid, tid, files, mm);
	if (!(flags & CLONE_VM)) {
		mappings_fork(s->book.mappings, t->mm->id, mm->id);
		if (t->mm->recorder)
			mm->recorder = recorder_mm_copied(t->mm->recorder, tid);
	}
	child->own_filter = t->own_filter;
	child->mode = t->mode;
	child->trap = t->trap == TRAP_NONE ? TRAP_NONE : TRAP_LIFTED;
	if (!(flags & CLONE_THREAD) && !(flags & CLONE_CLEARS_HANDLERS)) {
		child->process->guarded =
			t->process->guarded || (t->process->was_guarded && recorder_is_in(child));
		memcpy(child->process->was, t->process->was, sizeof(t->process->was));
	}
	child->no_record = t->no_record;
	child->state = TRACEE_NEW;
	serial_born(s, t, child);
	tracees_copy_comm(&s->tracees, t, child);
	return child;
}

void lifecycle_child(struct session *s, struct tracee *t)
{
	uint64_t flags = t->scratch;
	int seen = t->cloning != CLONING_NOT;
	unsigned long message = 0;
	struct tracee *child;
	pid_t tid;

	tracees_cloning(&s->tracees, t, CLONING_NOT);
	if (!event_message(t->tid, &message)) {
		lifecycle_adopt_orphans(s); /* nobody will announce the child */
		return;
	}
	tid = (pid_t)message;
	if (tracees_get(&s->tracees, tid) || (!seen && flags_by_kernel(t, tid, &flags) < 0))
		return;
	child = add_child(s, t, tid, flags);
	if (t->saved == SAVED_REGISTER) {
		child->saved = SAVED_REGISTER;
		child->saved_arg = t->saved_arg;
		child->ev.abi = t->ev.abi; /* which register it is */
	}
	stops_unhold(&s->stops, tid);
	if (!s->tracees.cloning)
		lifecycle_adopt_orphans(s);
}

void lifecycle_first_stop(struct session *s, struct tracee *t)
{
	t->state = TRACEE_RUNNING;
	serial_first_stop(s, t);
	recorder_first_stop(&s->recorder, t);
	if (t->saved) { /* it was born with a register that we changed */
		call_restore_arg(s, t, t);
		t->saved = SAVED_NONE;
	}
	if (s->leaving)
		dispatch_depart(s, t);
	resume(s, t, 0);
}

/* 1 if a thread of process pid is making a thread or child that it has not announced yet. */
static int is_cloning(struct session *s, pid_t pid)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *t = it.value;

		if (t->process->pid == pid && t->cloning)
			return 1;
	}
	return 0;
}

/*
 * Takes in a thread that nobody will announce: what it shares is known from /proc only. It may have
 * inherited a filter of the target's that hides calls from ours.
 */
static void adopt(struct session *s, pid_t tid, pid_t pid)
{
	struct tracee *leader = pid > 0 && pid != tid ? tracees_get(&s->tracees, pid) : NULL;
	struct tracee *t = tracees_add(&s->tracees, pid > 0 ? pid : tid, tid,
		leader ? files_ref(leader->files) : files_new(identity_registry(s->identity)),
		leader ? mm_ref(leader->mm) : mm_new(&s->tracees));

	t->state = TRACEE_NEW;
	serial_born(s, NULL, t);
	if (s->seen.no_tsc)
		t->no_record = feature_no_tsc;
	if (s->unfiltered || s->seen.own_filter)
		t->mode = MODE_SYSCALL;
	if (leader && leader->trap != TRAP_NONE)
		t->trap = TRAP_LIFTED;
	tracees_read_comm(&s->tracees, t);
	stops_unhold(&s->stops, tid);
}

/*
 * A thread whose maker was killed before its event could be read, and one that dies before it is
 * announced, has nothing to wait for. The others wait for the event.
 */
static int is_orphan(struct session *s, const struct stop *stop, pid_t pid)
{
	if (stop->status >> 16 == PTRACE_EVENT_EXIT)
		return 1;
	if (s->leaving)
		return 0; /* no entry is seen */
	return !s->tracees.cloning ||
	       !is_cloning(s, pid == stop->tid ? disposition_number(stop->tid, "PPid") : pid);
}

void lifecycle_adopt_orphans(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->stops.held, &it)) {
		pid_t tid = (pid_t)it.key, pid = disposition_number(tid, "Tgid");

		if (!is_orphan(s, it.value, pid))
			continue;
		adopt(s, tid, pid);
		it = (struct map_iter){0};
	}
}

void lifecycle_unannounced(struct session *s, const struct stop *stop)
{
	stops_hold(&s->stops, stop);
	/* Mostly its maker is about to announce it: no need to look into /proc each time. */
	if (!s->tracees.cloning || stop->status >> 16 == PTRACE_EVENT_EXIT)
		lifecycle_adopt_orphans(s);
}

/* ---- exec ---- */

static void note_privileges(struct session *s, const struct tracee *t)
{
	const struct thread_info *info = tracees_info(&s->tracees, t->thread_id);

	if (*s->unprivileged || !privileges_lost(t->tid, s->filler))
		return;
	snprintf(s->unprivileged, sizeof(s->unprivileged), "%s", info ? info->comm : "?");
}

struct tracee *lifecycle_exec(struct session *s, pid_t tid)
{
	unsigned long former = 0;
	struct tracee *t, *leader;
	struct files *own;

	if (!event_message(tid, &former))
		former = (unsigned long)tid;
	t = tracees_get(&s->tracees, (pid_t)former);
	if (!t)
		return tracees_get(&s->tracees, tid);
	if ((pid_t)former != tid) { /* the thread takes the leader's place and number */
		leader = tracees_get(&s->tracees, tid);
		if (leader) {
			t->thread_id = leader->thread_id;
			drop(s, leader);
		}
		tracees_rename(&s->tracees, t, tid);
	}
	recorder_end(&s->recorder, t, 0);
	t->dispatch = t->departed = 0;
	t->trap = TRAP_NONE;
	t->process->guarded = 0;
	t->process->ending = 0; /* that was the leader whose place t has */
	mm_leave(s, t);
	t->mm = mm_new(&s->tracees);
	if (s->recorder.on)
		t->mm->recorder = recorder_mm_new(&s->recorder);
	dispatch_exec(s, t);
	own = files_copy_exec(t->files, t->process->pid, clock_mono_ns());
	files_unref(t->files);
	t->files = own;
	tracees_exec(&s->tracees, t);
	tracees_read_comm(&s->tracees, t);
	note_privileges(s, t);
	return t;
}

/* ---- deaths ---- */

/* Threads of a dead process whose own end was not reported (an exec or a SIGKILL overtook it). */
static void drop_rest(struct session *s, pid_t pid)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		if (t->process->pid != pid)
			continue;
		drop(s, t);
		it = (struct map_iter){0};
	}
}

/* What the run's status is: of the started target, or of the first process of -p, in the order
 * given, that did not end with 0, once all have ended. */
static void note_status(struct session *s, pid_t pid, int status)
{
	int first = 0;

	if (!s->attached) {
		if (pid == s->first_pid)
			s->first_status = status;
		return;
	}
	for (size_t i = 0; i < s->roots.len; i++)
		if (s->roots.at[i].pid == pid)
			s->roots.at[i].status = status;
	for (size_t i = 0; i < s->roots.len; i++) {
		if (s->roots.at[i].status < 0)
			return;
		if (!first)
			first = s->roots.at[i].status;
	}
	s->first_status = first;
}

/* Others than those whose end note_status() tells. */
static void note_crash(struct session *s, const struct process *p, int status)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	for (size_t i = 0; i < s->roots.len; i++)
		if (s->roots.at[i].pid == p->pid)
			return;
	if (p->pid == s->first_pid)
		return;
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS:
		tracees_crashed(&s->tracees, p);
		if (!s->crashed++) {
			s->crash = signal;
			s->crash_id = p->first_id;
		}
		break;
	default:
		break;
	}
}

void lifecycle_gone(struct session *s, const struct stop *stop)
{
	pid_t tid = stop->tid;
	struct tracee *t = tracees_get(&s->tracees, tid);
	struct process *p = map_get(&s->tracees.processes, (uint64_t)tid);

	stops_forget(&s->stops, tid);
	note_status(s, tid, stop->status);
	if (p) {
		note_crash(s, p, stop->status);
		p->cpu_end_ns = stop->cpu_ns;
	}
	if (t)
		drop(s, t);
	if (map_get(&s->tracees.processes, (uint64_t)tid))
		drop_rest(s, tid); /* a leader's end is reported last */
	lifecycle_adopt_orphans(s);
}

void lifecycle_overtaken(struct session *s, pid_t pid)
{
	if (!map_get(&s->tracees.processes, (uint64_t)pid))
		return;
	drop_rest(s, pid);
	s->tracees.processes_total--; /* it goes on */
}

void lifecycle_vanished(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		drop(s, it.value);
		it = (struct map_iter){0};
	}
}
