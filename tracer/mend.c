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

/* The kernel's own: made again, unless a handler is run (then EINTR), or one without SA_RESTART. */
#define ERESTARTNOHAND    514
#define ERESTARTSYS       512
#define ERESTART_BLOCK    516 /* goes on by restart_syscall */
#define I386_FIRST_TIME64 403 /* clock_gettime64 */
#define PROC_MAX_BYTES    (1 << 14)
#define CALIBRATIONS      8
#define SETTLE_LIMIT_NS   (20 * NS_PER_MS)

enum limit {
	LIMIT_NONE,     /* it has none, or one that is not looked after */
	LIMIT_MS,       /* a number of ms, negative: none */
	LIMIT_TIMESPEC, /* a pointer, NULL: none */
	LIMIT_TIMEVAL,
	LIMIT_OWN,     /* a struct timespec that the call writes to */
	LIMIT_RING,    /* io_uring's */
	LIMIT_RECEIVE, /* SO_RCVTIMEO of the socket */
	LIMIT_SEND,    /* SO_SNDTIMEO */
	LIMIT_REST,    /* the kernel keeps it, but has written what is left to a struct timespec */
};

/*
 * Calls that have this result after a stop, and have then done nothing; arg counts from 1. With
 * another one than EINTR the kernel makes it again itself, but with all of its limit. Of several
 * rows of a call that one holds which knows a limit.
 */
static const struct mend_row {
	const char *name;
	int error;
	enum limit limit;
	int arg;
} rows[] = {
	{"epoll_wait", EINTR, LIMIT_MS, 4},
	{"epoll_pwait", EINTR, LIMIT_MS, 4},
	{"epoll_pwait2", EINTR, LIMIT_TIMESPEC, 4},
	/* These three where what is left cannot be written to the limit's memory. */
	{"ppoll", EINTR, LIMIT_TIMESPEC, 3},
	{"pselect6", EINTR, LIMIT_TIMESPEC, 5},
	{"select", EINTR, LIMIT_TIMEVAL, 5},
	{"rt_sigtimedwait", EINTR, LIMIT_TIMESPEC, 3},
	{"semop", EINTR, LIMIT_NONE, 0},
	{"semtimedop", EINTR, LIMIT_TIMESPEC, 4},
	{"io_getevents", EINTR, LIMIT_TIMESPEC, 5},
	{"io_pgetevents", ERESTARTNOHAND, LIMIT_TIMESPEC, 5},
	{"io_uring_enter", EINTR, LIMIT_RING, 5},
	{"accept", EINTR, LIMIT_RECEIVE, 1},
	{"accept4", EINTR, LIMIT_RECEIVE, 1},
	{"read", EINTR, LIMIT_RECEIVE, 1},
	{"readv", EINTR, LIMIT_RECEIVE, 1},
	{"preadv2", EINTR, LIMIT_RECEIVE, 1},
	{"recvfrom", EINTR, LIMIT_RECEIVE, 1},
	{"recvmsg", EINTR, LIMIT_RECEIVE, 1},
	{"recvmmsg", EINTR, LIMIT_RECEIVE, 1},
	{"recvmmsg", ERESTARTSYS, LIMIT_OWN, 5},
	{"connect", EINTR, LIMIT_SEND, 1},
	{"write", EINTR, LIMIT_SEND, 1},
	{"writev", EINTR, LIMIT_SEND, 1},
	{"pwritev2", EINTR, LIMIT_SEND, 1},
	{"sendto", EINTR, LIMIT_SEND, 1},
	{"sendmsg", EINTR, LIMIT_SEND, 1},
	{"sendmmsg", EINTR, LIMIT_SEND, 1},
	{"sendfile", EINTR, LIMIT_SEND, 1},
	{"splice", EINTR, LIMIT_RECEIVE, 1},
	{"splice", EINTR, LIMIT_SEND, 3},
	{"nanosleep", ERESTART_BLOCK, LIMIT_REST, 2},
	{"clock_nanosleep", ERESTART_BLOCK, LIMIT_REST, 4},
	{"restart_syscall", ERESTART_BLOCK, LIMIT_REST, 0},
	{"ipc", EINTR, LIMIT_NONE, 0},
	{"socketcall", EINTR, LIMIT_NONE, 0},
};

#define ROWS_END (rows + sizeof(rows) / sizeof(*rows))

/* The next row of the call behind `row`, NULL: from the first on; or NULL. */
static const struct mend_row *next_row(int abi, uint64_t nr, const struct mend_row *row)
{
	const char *name = sys_by_number(abi, (uint32_t)nr)->name;

	for (row = row ? row + 1 : rows; row < ROWS_END; row++)
		if (strcmp(row->name, name) == 0)
			return row;
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

/* The argument with which a sleep says what is left; of one that goes on, as before. 0: it is none.
 */
static int rest_arg(const struct tracee *t, int abi, uint64_t nr)
{
	const struct mend_row *row = next_row(abi, nr, NULL);

	if (!row || row->limit != LIMIT_REST)
		return 0;
	return row->arg ? row->arg : t->mend.rest_arg;
}

/* What is in memory there; call: its number and arguments as text. 1 if it is a sleep. */
static int note_rest(struct session *s, struct tracee *t, const char *call, uint64_t nr)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	/* Numbers mean others there: 0 is read, and i386's restart_syscall. */
	int abi = next_row(ABI_NATIVE, nr, NULL) ? ABI_NATIVE : ABI_COMPAT;

	t->mend.rest_arg = (uint8_t)rest_arg(t, abi, nr);
	if (!t->mend.rest_arg)
		return 0;
	for (int i = 0; i < t->mend.rest_arg && call; i++)
		call = strchr(call + 1, ' ');
	t->mend.rest_at = call ? strtoull(call, NULL, 16) : 0;
	if (mem->read(mem->ctx, t->mend.rest_at, t->mend.rest, sizeof(t->mend.rest)) !=
		sizeof(t->mend.rest))
		t->mend.rest_at = 0;
	return 1;
}

void mend_note(struct session *s, struct tracee *t)
{
	cleanup_free char *text = NULL;
	unsigned long nr;
	char path[64];
	uint64_t ran_ns, epoch;
	int cpu;

	t->mend.began_ns = t->mend.deadline_ns = 0;
	if (!t->in_call)
		t->mend.until_ns = 0; /* its exit was not seen */
	snprintf(path, sizeof(path), "/proc/%d/syscall", t->tid);
	if (file_read(path, PROC_MAX_BYTES, &text, NULL, NULL) < 0 || *text < '0' || *text > '9')
		return; /* "running", or sleeps in a page fault */
	nr = strtoul(text, NULL, 10);
	if (!next_row(ABI_NATIVE, nr, NULL) && !next_row(ABI_COMPAT, nr, NULL)) /* the stop tells */
		return;
	read_sched(t->tid, &ran_ns, &t->mend.sleeps);
	if (note_rest(s, t, text, nr))
		return;
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

/* Of its second number, in ns. */
static uint64_t unit_of(const struct mend_row *row)
{
	return row->limit == LIMIT_TIMEVAL ? 1000 : 1;
}

static size_t span_len(int abi, uint64_t nr)
{
	return abi == ABI_I386 && nr < I386_FIRST_TIME64 ? 2 * sizeof(uint32_t)
							 : 2 * sizeof(uint64_t);
}

static struct span span_of(int abi, uint64_t nr, uint64_t ns, uint64_t unit)
{
	struct span span = {.len = span_len(abi, nr)};

	ns = sat_add(ns, unit - 1);
	span.bytes[0] = ns / NS_PER_SEC;
	span.bytes[1] = ns % NS_PER_SEC / unit;
	if (span.len == sizeof(uint64_t))
		span.bytes[0] |= span.bytes[1] << 32;
	return span;
}

static uint64_t span_ns(const struct span *span, uint64_t unit)
{
	uint64_t s = span->bytes[0], rest = span->bytes[1];

	if (span->len == sizeof(uint64_t)) {
		rest = s >> 32;
		s = (uint32_t)s;
	}
	return sat_add(sat_mul(s, NS_PER_SEC), sat_mul(rest, unit));
}

/* A struct io_uring_getevents_arg; its limit is a pointer, 0: none. */
struct ring_arg {
	uint64_t mask, mask_len, limit;
};

/* Flags of io_uring_enter; linux/io_uring.h of older kernels does not know them. */
#define RING_EXT_ARG   (1U << 3)
#define RING_ABS_TIMER (1U << 5)
#define RING_REG_WAIT  (1U << 6)

/* 1 if the call has a limit in such a struct, and from its begin on. */
static int ring_arg(const struct mem_reader *mem, const struct tracee *t,
	const struct user_regs_struct *regs, struct ring_arg *ret)
{
	const uint64_t flags = regs_arg(regs, t->mend.abi, 4);

	return (flags & (RING_EXT_ARG | RING_ABS_TIMER | RING_REG_WAIT)) == RING_EXT_ARG &&
	       mem->read(mem->ctx, regs_arg(regs, t->mend.abi, 5), ret, sizeof(*ret)) ==
		       sizeof(*ret) &&
	       ret->limit;
}

/* Our copy of the target's socket, -1: none. */
static int copy_fd(const struct tracee *t, int fd)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, t->process->pid, 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static int option_of(const struct mend_row *row)
{
	return row->limit == LIMIT_SEND ? SO_SNDTIMEO : SO_RCVTIMEO;
}

static uint64_t socket_limit_ns(const struct tracee *t, const struct mend_row *row, uint64_t fd)
{
	cleanup_close int copy = copy_fd(t, (int)fd);
	struct timeval tv = {0};
	socklen_t len = sizeof(tv);

	if (copy < 0 || getsockopt(copy, SOL_SOCKET, option_of(row), &tv, &len) < 0)
		return 0;
	return (uint64_t)tv.tv_sec * NS_PER_SEC + (uint64_t)tv.tv_usec * 1000;
}

/* The limit of the call as it was made; 0: none. */
static uint64_t limit_ns(struct session *s, const struct tracee *t, const struct mend_row *row,
	const struct user_regs_struct *regs)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	struct span span = {.len = span_len(t->mend.abi, t->mend.nr)};
	struct ring_arg ring;
	uint64_t arg;

	if (row->limit == LIMIT_NONE)
		return 0;
	arg = regs_arg(regs, t->mend.abi, row->arg);
	switch (row->limit) {
	case LIMIT_MS:
		return (int)arg > 0 ? (uint32_t)arg * (uint64_t)NS_PER_MS : 0;
	case LIMIT_RECEIVE:
	case LIMIT_SEND:
		return socket_limit_ns(t, row, arg);
	case LIMIT_RING:
		arg = ring_arg(mem, t, regs, &ring) ? ring.limit : 0;
		break;
	case LIMIT_TIMEVAL:
		arg = t->mend.abi == ABI_NATIVE ? arg : 0; /* i386 has two selects */
		break;
	default:
		break;
	}
	if (!arg || mem->read(mem->ctx, arg, span.bytes, span.len) != (ssize_t)span.len)
		return 0;
	return span_ns(&span, unit_of(row));
}

/* ---- at the stop ---- */

/* The sleep goes on, and nobody is to be told how long. */
static void put_rest(struct tracee *t, const struct user_regs_struct *regs)
{
	int arg = rest_arg(t, t->mend.abi, t->mend.nr);

	if (arg && t->mend.rest_at && t->mend.rest_at == regs_arg(regs, t->mend.abi, arg))
		memory_write(
			t->tid, t->mend.rest_at, t->mend.rest, span_len(t->mend.abi, t->mend.nr));
}

/* When the limit of the call is over that has ended with `error`; 0: it has none, or unknown. */
static uint64_t deadline_ns(struct session *s, struct tracee *t,
	const struct user_regs_struct *regs, const struct mend_row *row, int error)
{
	uint64_t began_ns, limit = 0;

	if (t->mend.until_ns)
		return t->mend.until_ns;
	began_ns = is_same_call(t) ? t->mend.began_ns : 0;
	for (; began_ns && row && !limit; row = next_row(t->mend.abi, t->mend.nr, row)) {
		if (row->error == error)
			limit = limit_ns(s, t, row, regs);
		t->mend.row = row;
	}
	return limit ? sat_add(began_ns, limit) : 0;
}

void mend_stopped(struct session *s, struct tracee *t)
{
	struct ptrace_syscall_info info;
	struct user_regs_struct regs;
	const struct mend_row *row;
	int error;

	/* Outside a call one that is to be made again is still to come. */
	if (regs_get(t->tid, &regs) < 0 || !regs_in_call(&regs))
		return;
	t->mend.deadline_ns = 0;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, (void *)sizeof(info), &info) <= 0)
		return;
	t->mend.abi = (uint8_t)abi_of(info.arch, regs_nr(&regs));
	t->mend.nr = regs_nr(&regs);
	error = -(int)regs_result(&regs);
	row = next_row(t->mend.abi, t->mend.nr, NULL);
	while (row && row->error != error)
		row = next_row(t->mend.abi, t->mend.nr, row);
	if (!row)
		return;
	regs_set_result(&regs, error == EINTR ? -ERESTARTNOHAND : -error);
	if (regs_set(t->tid, &regs) < 0)
		return;
	put_rest(t, &regs);
	t->mend.deadline_ns = deadline_ns(s, t, &regs, row, error);
	t->mend.began_ns = 0;
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

static void change_argument(
	struct tracee *t, int arg, uint64_t value, struct user_regs_struct *regs)
{
	t->mend.saved = regs_arg(regs, t->mend.abi, arg);
	regs_set_arg(regs, t->mend.abi, arg, value);
	if (regs_set(t->tid, regs) == 0)
		t->mend.changed = (uint8_t)arg;
}

/*
 * Below the red zone nothing of the program lives while it is in a call. What is put there stays:
 * the argument leads to it until the call is over, also when we have left, and another one comes
 * who has it made again.
 */
static void put_below_stack(
	struct session *s, struct tracee *t, struct user_regs_struct *regs, uint64_t left_ns)
{
	const struct mend_row *row = t->mend.row;
	const struct mem_reader *mem = call_env_memory(s, t);
	struct span left = span_of(t->mend.abi, t->mend.nr, left_ns, unit_of(row));
	struct ring_arg ring;
	uint64_t at = (regs_sp(regs) - REGS_RED_ZONE_BYTES - sizeof(left.bytes)) & ~15ULL;

	if (memory_write(t->tid, at, left.bytes, left.len) < 0)
		return;
	if (row->limit == LIMIT_RING) {
		if (!ring_arg(mem, t, regs, &ring))
			return;
		ring.limit = at;
		at -= sizeof(ring);
		if (memory_write(t->tid, at, &ring, sizeof(ring)) < 0)
			return;
	}
	change_argument(t, row->arg, at, regs);
}

/* The call writes there too, when it is over. */
static void go_on_with_own(
	struct session *s, struct tracee *t, const struct user_regs_struct *regs, uint64_t left_ns)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	struct span left = span_of(t->mend.abi, t->mend.nr, left_ns, 1), was;
	uint64_t at = regs_arg(regs, t->mend.abi, t->mend.row->arg);
	int put = mem->read(mem->ctx, at, was.bytes, left.len) == (ssize_t)left.len &&
		  memory_write(t->tid, at, left.bytes, left.len) == 0;

	resume(s, t, 0);
	if (!put)
		return;
	settle(t->tid);
	memory_write(t->tid, at, was.bytes, left.len);
}

static void go_on_with_socket(
	struct session *s, struct tracee *t, const struct user_regs_struct *regs, uint64_t left_ns)
{
	const struct mend_row *row = t->mend.row;
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

	if (!deadline)
		return 0;
	t->mend.deadline_ns = 0;
	if (regs_get(t->tid, &regs) < 0 || regs_nr(&regs) != t->mend.nr)
		return 0;
	t->mend.until_ns = deadline;
	now = clock_mono_ns();
	left_ns = deadline > now ? deadline - now : 0;
	switch (t->mend.row->limit) {
	case LIMIT_MS:
		change_argument(t, t->mend.row->arg, (left_ns + NS_PER_MS - 1) / NS_PER_MS, &regs);
		return 0;
	case LIMIT_OWN:
		go_on_with_own(s, t, &regs, left_ns);
		return 1;
	case LIMIT_RECEIVE:
	case LIMIT_SEND:
		go_on_with_socket(s, t, &regs, left_ns);
		return 1;
	default:
		put_below_stack(s, t, &regs, left_ns);
		return 0;
	}
}

void mend_exit(struct tracee *t)
{
	struct user_regs_struct regs;

	/* Our stop has ended it, which is still to come: this one was one more. */
	if (t->asked && t->ev.outcome == SYS_NO_RETURN)
		t->mend.sleeps++;
	else
		t->mend.until_ns = 0;
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
