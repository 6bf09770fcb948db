/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/mend.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "tracer/arch/abi.h"
#include "tracer/arch/regs.h"
#include "tracer/call_env.h"
#include "tracer/dispositions.h"
#include "tracer/memory.h"
#include "tracer/resume.h"
#include "tracer/session.h"

/* The kernel's own: made again, unless a handler is run (then EINTR). */
#define ERESTARTNOHAND    514
#define I386_FIRST_TIME64 403 /* clock_gettime64 */
#define PROC_MAX_BYTES    (1 << 14)
#define CALIBRATIONS      8
#define SETTLE_LIMIT_NS   (20 * NS_PER_MS)

enum limit {
	LIMIT_NONE,     /* it has none, or one that is not looked after */
	LIMIT_MS,       /* a number of ms, negative: none */
	LIMIT_TIMESPEC, /* a pointer, NULL: none */
	LIMIT_RECEIVE,  /* SO_RCVTIMEO of the socket */
	LIMIT_SEND,     /* SO_SNDTIMEO */
};

/* Calls that return EINTR after a stop, and have then done nothing; arg counts from 1. */
static const struct row {
	const char *name;
	enum limit limit;
	int arg;
} rows[] = {
	{"epoll_wait", LIMIT_MS, 4},
	{"epoll_pwait", LIMIT_MS, 4},
	{"epoll_pwait2", LIMIT_TIMESPEC, 4},
	{"rt_sigtimedwait", LIMIT_TIMESPEC, 3},
	{"semop", LIMIT_NONE, 0},
	{"semtimedop", LIMIT_TIMESPEC, 4},
	{"io_getevents", LIMIT_TIMESPEC, 5},
	{"io_pgetevents", LIMIT_TIMESPEC, 5}, /* the kernel makes it again, with all of its limit */
	{"io_uring_enter", LIMIT_NONE, 0},
	{"accept", LIMIT_RECEIVE, 1},
	{"accept4", LIMIT_RECEIVE, 1},
	{"read", LIMIT_RECEIVE, 1},
	{"readv", LIMIT_RECEIVE, 1},
	{"recvfrom", LIMIT_RECEIVE, 1},
	{"recvmsg", LIMIT_RECEIVE, 1},
	{"recvmmsg", LIMIT_RECEIVE, 1},
	{"connect", LIMIT_SEND, 1},
	{"write", LIMIT_SEND, 1},
	{"writev", LIMIT_SEND, 1},
	{"sendto", LIMIT_SEND, 1},
	{"sendmsg", LIMIT_SEND, 1},
	{"sendmmsg", LIMIT_SEND, 1},
	{"ipc", LIMIT_NONE, 0},
	{"socketcall", LIMIT_NONE, 0},
};

static const struct row *row_of(int abi, uint64_t nr)
{
	const char *name = sys_by_number(abi, (uint32_t)nr)->name;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* ---- since when ---- */

/* "name : 123.456789" of /proc/TID/sched (CONFIG_SCHED_DEBUG) in its smallest unit; 0: not there.
 */
static uint64_t sched_value(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	char *end;
	uint64_t v;

	at = at ? strchr(at, ':') : NULL;
	if (!at)
		return 0;
	v = strtoull(at + 1, &end, 10);
	return *end == '.' ? v * NS_PER_MS + strtoull(end + 1, NULL, 10) : v;
}

/* When the thread ran last, by the clock of the CPU on which it did, and how often it has gone to
 * sleep. 0: unknown. */
static void read_sched(pid_t tid, uint64_t *ret_ran_ns, uint64_t *ret_sleeps)
{
	cleanup_free char *text = NULL;
	char path[64];

	*ret_ran_ns = *ret_sleeps = 0;
	snprintf(path, sizeof(path), "/proc/%d/sched", tid);
	if (file_read(path, PROC_MAX_BYTES, &text, NULL, NULL) < 0)
		return;
	*ret_ran_ns = sched_value(text, "se.exec_start");
	*ret_sleeps = sched_value(text, "nr_voluntary_switches");
}

/*
 * CLOCK_MONOTONIC at 0 of the clock that the scheduler keeps on this CPU. A thread that comes back
 * from sleep, or from waiting for the CPU, is charged from then on: our clock, read after that, is
 * later by little, and the smallest of a few differences by the least. UINT64_MAX: unknown.
 */
static uint64_t measure_epoch_ns(void)
{
	const struct timespec brief = {0, 1000};
	uint64_t epoch = UINT64_MAX;

	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t ran_ns, sleeps, now;

		nanosleep(&brief, NULL);
		read_sched(gettid(), &ran_ns, &sleeps);
		now = clock_mono_ns();
		if (ran_ns && now - ran_ns < epoch)
			epoch = now - ran_ns;
	}
	return epoch;
}

/* Each CPU's clock leaves out the time that interrupts and the hypervisor took there, so they
 * differ: measured on that CPU, once. 0: cannot be. */
static uint64_t epoch_ns(struct session *s, int cpu)
{
	uint64_t *known = map_get(&s->epochs, (uint64_t)cpu), epoch = 0;
	cpu_set_t ours, there;

	if (known)
		return *known;
	CPU_ZERO(&there);
	if (cpu < CPU_SETSIZE)
		CPU_SET((size_t)cpu, &there);
	if (sched_getaffinity(0, sizeof(ours), &ours) == 0 &&
		sched_setaffinity(0, sizeof(there), &there) == 0) {
		epoch = measure_epoch_ns();
		sched_setaffinity(0, sizeof(ours), &ours);
	}
	known = mem_calloc(1, sizeof(*known));
	*known = epoch == UINT64_MAX ? 0 : epoch;
	map_set(&s->epochs, (uint64_t)cpu, known);
	return *known;
}

void mend_note(struct session *s, struct tracee *t)
{
	cleanup_free char *text = NULL;
	unsigned long nr;
	char path[64];
	uint64_t ran_ns, epoch;
	int cpu;

	t->mend = (struct mend){0};
	snprintf(path, sizeof(path), "/proc/%d/syscall", t->tid);
	if (file_read(path, PROC_MAX_BYTES, &text, NULL, NULL) < 0 || *text < '0' || *text > '9')
		return; /* "running", or sleeps in a page fault */
	nr = strtoul(text, NULL, 10);
	if (!row_of(ABI_NATIVE, nr) && !row_of(ABI_COMPAT, nr)) /* its stop will say which */
		return;
	read_sched(t->tid, &ran_ns, &t->mend.sleeps);
	cpu = disposition_cpu(t->tid);
	epoch = ran_ns && cpu >= 0 ? epoch_ns(s, cpu) : 0;
	if (epoch)
		t->mend.began_ns = ran_ns + epoch;
}

/* 1 if t was in the same call when it was looked at: since then it has slept only to stop. */
static int is_same_call(const struct tracee *t)
{
	uint64_t ran_ns, sleeps;

	read_sched(t->tid, &ran_ns, &sleeps);
	return sleeps == t->mend.sleeps + 1;
}

/* ---- arguments ---- */

/* A struct timespec as the call takes it. 32-bit programs have two: of longs, and the one of the
 * calls that came with it (y2038). */
struct span {
	uint64_t bytes[2];
	size_t len;
};

static size_t span_len(int abi, uint64_t nr)
{
	return abi == ABI_I386 && nr < I386_FIRST_TIME64 ? 2 * sizeof(uint32_t)
							 : 2 * sizeof(uint64_t);
}

static struct span span_of(int abi, uint64_t nr, uint64_t ns)
{
	struct span span = {{ns / NS_PER_SEC, ns % NS_PER_SEC}, span_len(abi, nr)};

	if (span.len == sizeof(uint64_t))
		span.bytes[0] |= span.bytes[1] << 32;
	return span;
}

static uint64_t span_ns(const struct span *span)
{
	uint64_t s = span->bytes[0], ns = span->bytes[1];

	if (span->len == sizeof(uint64_t)) {
		ns = s >> 32;
		s = (uint32_t)s;
	}
	return sat_add(sat_mul(s, NS_PER_SEC), ns);
}

/* Our copy of the target's socket, -1: none. */
static int copy_fd(const struct tracee *t, int fd)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, t->process->pid, 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static int option_of(const struct row *row)
{
	return row->limit == LIMIT_SEND ? SO_SNDTIMEO : SO_RCVTIMEO;
}

static uint64_t socket_limit_ns(const struct tracee *t, const struct row *row, uint64_t fd)
{
	cleanup_close int copy = copy_fd(t, (int)fd);
	struct timeval tv = {0};
	socklen_t len = sizeof(tv);

	if (copy < 0 || getsockopt(copy, SOL_SOCKET, option_of(row), &tv, &len) < 0)
		return 0;
	return (uint64_t)tv.tv_sec * NS_PER_SEC + (uint64_t)tv.tv_usec * 1000;
}

/* The limit of the call as it was made; 0: none. */
static uint64_t limit_ns(struct session *s, const struct tracee *t, const struct row *row,
	struct user_regs_struct *regs)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	struct span span = {.len = span_len(t->mend.abi, t->mend.nr)};
	uint64_t arg;

	if (row->limit == LIMIT_NONE)
		return 0;
	arg = regs_arg(regs, t->mend.abi, row->arg);
	switch (row->limit) {
	case LIMIT_MS:
		return (int)arg > 0 ? (uint32_t)arg * (uint64_t)NS_PER_MS : 0;
	case LIMIT_TIMESPEC:
		if (!arg || mem->read(mem->ctx, arg, span.bytes, span.len) != (ssize_t)span.len)
			return 0;
		return span_ns(&span);
	default:
		return socket_limit_ns(t, row, arg);
	}
}

/* ---- at the stop ---- */

void mend_stopped(struct session *s, struct tracee *t)
{
	struct ptrace_syscall_info info;
	struct user_regs_struct regs;
	const struct row *row;
	uint64_t began_ns, limit;

	/* Outside a call one that is to be made again is still to come. */
	if (regs_get(t->tid, &regs) < 0 || !regs_in_call(&regs))
		return;
	t->mend.deadline_ns = 0;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, (void *)sizeof(info), &info) <= 0)
		return;
	if ((int)regs_result(&regs) != -EINTR && (int)regs_result(&regs) != -ERESTARTNOHAND)
		return;
	t->mend.abi = (uint8_t)abi_of(info.arch, regs_nr(&regs));
	t->mend.nr = regs_nr(&regs);
	row = row_of(t->mend.abi, t->mend.nr);
	if (!row)
		return;
	regs_set_result(&regs, -ERESTARTNOHAND);
	if (regs_set(t->tid, &regs) < 0)
		return;
	began_ns = is_same_call(t) ? t->mend.began_ns : 0;
	t->mend.began_ns = 0;
	limit = began_ns ? limit_ns(s, t, row, &regs) : 0;
	if (limit)
		t->mend.deadline_ns = sat_add(began_ns, limit);
}

void mend_signal(struct tracee *t, int signal)
{
	if (t->mend.deadline_ns && !disposition_ignores(t->tid, signal))
		t->mend.deadline_ns = 0;
}

/* ---- at the entry ---- */

/* The kernel reads the limit when the call begins: it has when the thread sleeps, or is through. */
static void settle(pid_t tid)
{
	uint64_t start = clock_mono_ns();

	while (disposition_state(tid) == 'R' && clock_mono_ns() - start < SETTLE_LIMIT_NS)
		sched_yield();
}

static int change_argument(struct tracee *t, int arg, uint64_t value, struct user_regs_struct *regs)
{
	int rc;

	t->mend.saved = regs_arg(regs, t->mend.abi, arg);
	regs_set_arg(regs, t->mend.abi, arg, value);
	rc = regs_set(t->tid, regs);
	if (rc < 0)
		return rc;
	t->mend.changed = (uint8_t)arg;
	return 0;
}

/* Below the red zone nothing of the program lives while it is in a call. */
static void go_on_with_timespec(struct session *s, struct tracee *t, const struct row *row,
	struct user_regs_struct *regs, uint64_t left_ns)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	uint64_t at = (regs_sp(regs) - REGS_RED_ZONE_BYTES - sizeof(struct span)) & ~15ULL;
	struct span left = span_of(t->mend.abi, t->mend.nr, left_ns), was;

	if (mem->read(mem->ctx, at, was.bytes, left.len) != (ssize_t)left.len ||
		memory_write(t->tid, at, left.bytes, left.len) < 0 ||
		change_argument(t, row->arg, at, regs) < 0) {
		resume(s, t, 0);
		return;
	}
	resume(s, t, 0);
	settle(t->tid);
	memory_write(t->tid, at, was.bytes, left.len);
}

static void go_on_with_socket(struct session *s, struct tracee *t, const struct row *row,
	struct user_regs_struct *regs, uint64_t left_ns)
{
	cleanup_close int copy = copy_fd(t, (int)regs_arg(regs, t->mend.abi, row->arg));
	struct timeval was,
		left = {(time_t)(left_ns / NS_PER_SEC), (suseconds_t)(left_ns % NS_PER_SEC / 1000)};
	socklen_t len = sizeof(was);

	if (!left.tv_sec && !left.tv_usec)
		left.tv_usec = 1; /* 0 is for ever */
	if (copy < 0 || getsockopt(copy, SOL_SOCKET, option_of(row), &was, &len) < 0 ||
		setsockopt(copy, SOL_SOCKET, option_of(row), &left, sizeof(left)) < 0) {
		resume(s, t, 0);
		return;
	}
	resume(s, t, 0);
	settle(t->tid);
	setsockopt(copy, SOL_SOCKET, option_of(row), &was, sizeof(was));
}

int mend_entry(struct session *s, struct tracee *t)
{
	uint64_t deadline = t->mend.deadline_ns, now, left_ns;
	struct user_regs_struct regs;
	const struct row *row;

	if (!deadline)
		return 0;
	t->mend.deadline_ns = 0;
	if (regs_get(t->tid, &regs) < 0 || regs_nr(&regs) != t->mend.nr)
		return 0;
	row = row_of(t->mend.abi, t->mend.nr);
	now = clock_mono_ns();
	left_ns = deadline > now ? deadline - now : 0;
	switch (row->limit) {
	case LIMIT_NONE:
		return 0;
	case LIMIT_MS:
		change_argument(t, row->arg, (left_ns + NS_PER_MS - 1) / NS_PER_MS, &regs);
		return 0;
	case LIMIT_TIMESPEC:
		go_on_with_timespec(s, t, row, &regs, left_ns);
		return 1;
	default:
		go_on_with_socket(s, t, row, &regs, left_ns);
		return 1;
	}
}

void mend_exit(struct tracee *t)
{
	struct user_regs_struct regs;

	if (!t->mend.changed || regs_get(t->tid, &regs) < 0)
		return;
	regs_restore_arg(&regs, t->mend.abi, t->mend.changed, t->mend.saved);
	t->mend.changed = 0;
	regs_set(t->tid, &regs);
}

/* ---- while we leave ---- */

int mend_take_back(struct tracee *t)
{
	struct ptrace_syscall_info info;

	/* A filter of the target's would be asked about the call that is none. */
	if (!t->asked || disposition_seccomp(t->tid) != 0)
		return 0;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, (void *)sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return 0;
	return regs_before_call(t->tid) == 0;
}
