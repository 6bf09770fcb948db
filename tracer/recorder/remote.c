/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <linux/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/arch/regs.h"
#include "tracer/dispositions.h"
#include "tracer/filler.h"
#include "tracer/sigmask.h"
#include "tracer/trap/trap.h"

#define LOOK_EVERY_US 1000
#define LATE_NS       (5 * NS_PER_SEC)
#define LATE_MAX      3  /* then code of ours, or what was, is run no more */
#define STOPS_MAX     64 /* of one call: entry, filter, exit; a few SIGSTOPs */

static int begin(struct remote *r, struct recorder *f, struct tracee *t)
{
	*r = (struct remote){.f = f, .t = t};
	if (regs_get(t->tid, &r->saved) < 0 || sigmask_get(t->tid, &r->mask) < 0 ||
		sigmask_set(t->tid, ~0ULL) < 0)
		return -errno;
	r->regs = r->saved;
	trap_pause(t);
	return 0;
}

static int is_in_call(pid_t tid)
{
	struct ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) > 0 &&
	       info.op != PTRACE_SYSCALL_INFO_NONE;
}

int remote_begin(struct remote *r, struct recorder *f, struct tracee *t)
{
	int rc = begin(r, f, t);

	if (rc < 0)
		return rc;
	r->begun = !is_in_call(t->tid);
	/* Before the call: the number is back in its register, and it counts as not yet made. */
	arch_take_back(&r->saved);
	regs_set_ip(&r->saved, regs_ip(&r->saved) - ARCH_CALL_BYTES);
	return 0;
}

/*
 * In a section that is begun anew when something came between (rseq(2)) the kernel would find the
 * thread outside of it, and nothing to do: it goes on where that section says, as after any stop.
 */
static void leave_section(struct remote *r)
{
	struct ptrace_rseq_configuration conf;
	struct rseq_cs cs;
	uint64_t at;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, r->t->tid, (void *)sizeof(conf), &conf) !=
			sizeof(conf) ||
		!conf.rseq_abi_pointer ||
		remote_read(r->t, conf.rseq_abi_pointer + offsetof(struct rseq, rseq_cs), &at,
			sizeof(at)) < 0 ||
		!at || remote_read(r->t, at, &cs, sizeof(cs)) < 0)
		return;
	if (regs_ip(&r->saved) - cs.start_ip < cs.post_commit_offset)
		regs_set_ip(&r->saved, cs.abort_ip);
}

int remote_begin_anywhere(struct remote *r, struct recorder *f, struct tracee *t)
{
	int rc = begin(r, f, t);

	r->begun = 1;
	if (rc == 0)
		leave_section(r);
	return rc;
}

/* It was killed in its stop. Nothing is done to it any more: its number may be another thread's,
 * who has executed another program, and is in the stop that tells of it. */
static int gone(struct remote *r)
{
	r->gone = 1;
	r->t->overtaken = 1;
	return -ESRCH;
}

static int is_exit_stop(struct remote *r)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, r->t->tid, (void *)sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_EXIT)
		return 0;
	r->result = info.exit.rval;
	return 1;
}

/* No call of ours makes another thread or process: the stop is for those who expect it. */
static int is_foreign(int status)
{
	int event = status >> 16;

	return !WIFSTOPPED(status) || event == PTRACE_EVENT_EXIT || event == PTRACE_EVENT_EXEC ||
	       event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	       event == PTRACE_EVENT_CLONE;
}

static int is_at(struct remote *r, uint64_t end)
{
	return regs_get(r->t->tid, &r->regs) == 0 && regs_ip(&r->regs) == end;
}

/*
 * 1 where it is to go: at the call's exit, or at the filter's stop before `end`. 0: let it go on,
 * delivering *ret_signal. SIGSTOP cannot be blocked. It takes effect, but our thread goes on all
 * the same until its calls are made; sent again afterwards it would stop a process for good that
 * was continued meanwhile. Any other signal that is not blocked is of a fault.
 */
static int take_stop(struct remote *r, int status, uint64_t end, int *ret_signal)
{
	pid_t tid = r->t->tid;
	int event = status >> 16;

	if (is_foreign(status)) {
		r->f->sink.came(r->f->sink.ctx, tid, status);
		return gone(r);
	}
	if (event == PTRACE_EVENT_STOP && r->late)
		return -ETIME;
	if (event == PTRACE_EVENT_SECCOMP)
		return end && is_at(r, end);
	if (event == 0 && WSTOPSIG(status) == (SIGTRAP | 0x80))
		return end ? is_at(r, end) && !is_exit_stop(r) : is_exit_stop(r);
	*ret_signal = event == 0 && WSTOPSIG(status) == SIGSTOP ? SIGSTOP : 0;
	r->stop |= *ret_signal || event == PTRACE_EVENT_STOP;
	return event == 0 && !*ret_signal ? -EFAULT : 0;
}

/* The code that it runs is in its memory, and may be anything: it is not waited for without end. */
static void look_if_late(struct remote *r, uint64_t since_ns)
{
	if (r->late || clock_mono_ns() - since_ns < LATE_NS)
		return;
	r->late = 1;
	r->f->late++;
	ptrace(PTRACE_INTERRUPT, r->t->tid, NULL, NULL);
}

/*
 * One that is killed (by another thread's execve, say) stops once more, at its end. If that was
 * before we let it go on, it went on from there, and the end of a process's first thread is told of
 * only when the others have ended, whose stops wait for us: so it is looked for, too.
 */
static int wait_stop(struct remote *r, int *ret_status)
{
	pid_t tid = r->t->tid;
	int alone = r->t->mm->refs == 1, wakes = recorder_wakes(r->f);
	uint64_t since_ns = clock_mono_ns();

	for (;;) {
		pid_t got = waitpid(tid, ret_status, __WALL | (wakes ? 0 : WNOHANG));

		if (got > 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!alone && disposition_is_ending(tid))
			return gone(r);
		look_if_late(r, since_ns);
		if (!wakes)
			usleep(LOOK_EVERY_US);
	}
}

/* end: 0, the exit of a call. */
static int run_to(struct remote *r, uint64_t end)
{
	pid_t tid = r->t->tid;
	int signal = 0;

	/* With a filter only the call at the end stops. */
	enum __ptrace_request go = end && r->t->mode == MODE_FILTER ? PTRACE_CONT : PTRACE_SYSCALL;

	for (int i = 0; i < STOPS_MAX; i++) {
		int status, rc;

		if (ptrace(go, tid, NULL, (void *)(long)signal) < 0 && errno == ESRCH)
			return gone(r);
		rc = wait_stop(r, &status);
		if (rc == 0)
			rc = take_stop(r, status, end, &signal);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return -ELOOP;
}

/* A word at a time. */
static int peek(pid_t tid, uint64_t addr, uint8_t *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t skip = (size_t)((addr + done) & 7), n = 8 - skip;
		long word;

		n = n > len - done ? len - done : n;
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, (void *)((addr + done) & ~7ULL), NULL);
		if (errno)
			return -errno;
		memcpy(buf + done, (char *)&word + skip, n);
		done += n;
	}
	return 0;
}

/* What is there is the process's, too. Where the thread stands there is one, also in a process that
 * we may not look into. */
static int is_call_at(const struct remote *r, uint64_t addr)
{
	uint8_t code[ARCH_CALL_BYTES];

	return addr == regs_ip(&r->saved) ||
	       (peek(r->t->tid, addr, code, sizeof(code)) == 0 && arch_is_call(code));
}

int64_t remote_call(struct remote *r, uint64_t call_at, long nr, const uint64_t args[6])
{
	int rc;

	if (r->gone)
		return -ESRCH;
	if (r->begun && (r->f->late >= LATE_MAX || !is_call_at(r, call_at)))
		return -EFAULT;
	arch_make_call(&r->regs, r->begun ? call_at : 0, nr, args);
	r->begun = 1;
	if (regs_set(r->t->tid, &r->regs) < 0)
		return gone(r);
	rc = run_to(r, 0);
	if (rc < 0)
		return rc;
	return r->result;
}

int remote_run(struct remote *r, uint64_t end)
{
	int rc;

	if (r->gone)
		return -ESRCH;
	if (r->f->late >= LATE_MAX)
		return -EFAULT;
	if (regs_set(r->t->tid, &r->regs) < 0)
		return gone(r);
	rc = run_to(r, end);
	r->begun = rc < 0;
	return rc;
}

int remote_end(struct remote *r)
{
	pid_t tid = r->t->tid;

	if (r->gone || sigmask_set(r->t->tid, r->mask) < 0)
		return -ESRCH;
	trap_go_on(r->t);
	/* It stops before its next instruction, and stays so if its process is stopped then. */
	if (r->stop)
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return regs_set(tid, &r->saved) < 0 ? -ESRCH : 0;
}

int remote_end_anywhere(struct remote *r, int *ret_status)
{
	pid_t tid = r->t->tid;

	if (r->gone)
		return -ESRCH;
	for (int i = 0; i < STOPS_MAX; i++) {
		int signal;

		if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ||
			ptrace(PTRACE_CONT, tid, NULL, NULL) < 0)
			return gone(r);
		if (wait_stop(r, ret_status) < 0 || take_stop(r, *ret_status, 0, &signal) == -ESRCH)
			return -ESRCH;
		if (*ret_status >> 16 != PTRACE_EVENT_STOP)
			continue;
		trap_go_on(r->t);
		return sigmask_set(r->t->tid, r->mask) < 0 || regs_set(tid, &r->saved) < 0 ? gone(r)
											   : 0;
	}
	return -ELOOP;
}

/* ---- memory ---- */

/* A word at a time: works where /proc/TID/mem may not be opened. */
static int poke(pid_t tid, uint64_t addr, const uint8_t *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		uint64_t word_addr = (addr + done) & ~7ULL;
		size_t skip = (size_t)((addr + done) & 7), n = 8 - skip;
		long word;

		n = n > len - done ? len - done : n;
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, (void *)word_addr, NULL);
		if (errno)
			return -errno;
		memcpy((char *)&word + skip, buf + done, n);
		if (ptrace(PTRACE_POKEDATA, tid, (void *)word_addr, (void *)word) < 0)
			return -errno;
		done += n;
	}
	return 0;
}

/* Kept open: an mm is written to some dozen times. */
static int mem_of(const struct tracee *t)
{
	struct recorder_mm *rm = t->mm->recorder;
	char path[64];

	if (rm->mem_fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", t->tid);
		rm->mem_fd = open(path, O_RDWR | O_CLOEXEC);
	}
	return rm->mem_fd;
}

/* Read or written by us or, where a page may have to be provided first, by the filler's thread. */
struct access {
	int fd, write;
	uint64_t addr;
	size_t len;
	ssize_t done;
	char bytes[];
};

static void access_make(void *arg)
{
	struct access *a = arg;

	a->done = a->write ? pwrite(a->fd, a->bytes, a->len, (off_t)a->addr)
			   : pread(a->fd, a->bytes, a->len, (off_t)a->addr);
}

static void access_drop(void *arg)
{
	struct access *a = arg;

	close(a->fd);
	free(a);
}

/* The thread may come back when the mm is gone, so it has a number of its own. */
static struct access *access_new(int fd, int write, uint64_t addr, size_t len)
{
	struct access *a = mem_calloc(1, sizeof(*a) + len);

	a->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	a->write = write;
	a->addr = addr;
	a->len = len;
	return a;
}

static int by_filler(struct filler *filler, struct access *a, void *ret)
{
	int rc;

	if (filler_run(filler, access_make, access_drop, a) < 0)
		return -EFAULT;
	rc = a->done == (ssize_t)a->len ? 0 : -EFAULT;
	if (rc == 0 && ret)
		memcpy(ret, a->bytes, a->len);
	access_drop(a);
	return rc;
}

static struct filler *filler_of(const struct tracee *t)
{
	const struct recorder *f = t->mm->recorder->recorder;

	return f ? f->filler : NULL;
}

static int write_now(const struct tracee *t, uint64_t addr, const void *buf, size_t len)
{
	struct filler *filler = filler_of(t);
	int fd = mem_of(t);

	if (filler && fd >= 0) {
		struct access *a = access_new(fd, 1, addr, len);

		memcpy(a->bytes, buf, len);
		return by_filler(filler, a, NULL);
	}
	if (fd >= 0 && pwrite(fd, buf, len, (off_t)addr) == (ssize_t)len)
		return 0;
	return poke(t->tid, addr, buf, len);
}

static int read_now(const struct tracee *t, uint64_t addr, void *buf, size_t len)
{
	struct filler *filler = filler_of(t);
	int fd = mem_of(t);

	if (filler && fd >= 0)
		return by_filler(filler, access_new(fd, 0, addr, len), buf);
	return fd >= 0 && pread(fd, buf, len, (off_t)addr) == (ssize_t)len ? 0 : -EFAULT;
}

/* ---- held pages ---- */

#define PAGE     4096ULL
#define HELD_MAX 16

struct remote_held {
	size_t len;
	struct held_page {
		uint64_t addr;
		size_t from, until; /* what of it was changed */
		uint8_t bytes[PAGE];
	} at[HELD_MAX];
};

void remote_hold(const struct tracee *t)
{
	struct recorder_mm *rm = t->mm->recorder;

	if (t->mm->refs > 1 || rm->held)
		return;
	rm->held = mem_realloc(NULL, 1, sizeof(*rm->held));
	rm->held->len = 0;
}

int remote_flush(const struct tracee *t)
{
	struct remote_held *held = t->mm->recorder->held;
	int rc = 0;

	t->mm->recorder->held = NULL;
	for (size_t i = 0; held && i < held->len && rc == 0; i++) {
		const struct held_page *page = &held->at[i];

		if (page->from < page->until)
			rc = write_now(t, page->addr + page->from, page->bytes + page->from,
				page->until - page->from);
	}
	free(held);
	return rc;
}

/* The page of that address, or NULL: it is not held. */
static struct held_page *held_page(const struct tracee *t, uint64_t addr)
{
	struct remote_held *held = t->mm->recorder->held;
	struct held_page *page;

	addr &= ~(PAGE - 1);
	for (size_t i = 0; held && i < held->len; i++)
		if (held->at[i].addr == addr)
			return &held->at[i];
	if (!held || held->len == HELD_MAX)
		return NULL;
	page = &held->at[held->len];
	if (read_now(t, addr, page->bytes, PAGE) < 0)
		return NULL;
	page->addr = addr;
	page->from = PAGE;
	page->until = 0;
	held->len++;
	return page;
}

static size_t in_page(uint64_t addr, size_t len)
{
	size_t room = (size_t)(PAGE - (addr & (PAGE - 1)));

	return len < room ? len : room;
}

static int write_piece(const struct tracee *t, uint64_t addr, const void *buf, size_t len)
{
	struct held_page *page = held_page(t, addr);
	size_t at = (size_t)(addr & (PAGE - 1));

	if (!page)
		return write_now(t, addr, buf, len);
	memcpy(page->bytes + at, buf, len);
	page->from = at < page->from ? at : page->from;
	page->until = at + len > page->until ? at + len : page->until;
	return 0;
}

static int read_piece(const struct tracee *t, uint64_t addr, void *buf, size_t len)
{
	const struct held_page *page = held_page(t, addr);

	if (!page)
		return read_now(t, addr, buf, len);
	memcpy(buf, page->bytes + (addr & (PAGE - 1)), len);
	return 0;
}

int remote_write(const struct tracee *t, uint64_t addr, const void *buf, size_t len)
{
	int rc = 0;

	if (!t->mm->recorder->held)
		return write_now(t, addr, buf, len);
	for (size_t done = 0, n; rc == 0 && done < len; done += n) {
		n = in_page(addr + done, len - done);
		rc = write_piece(t, addr + done, (const char *)buf + done, n);
	}
	return rc;
}

int remote_read(const struct tracee *t, uint64_t addr, void *buf, size_t len)
{
	int rc = 0;

	if (!t->mm->recorder->held)
		return read_now(t, addr, buf, len);
	for (size_t done = 0, n; rc == 0 && done < len; done += n) {
		n = in_page(addr + done, len - done);
		rc = read_piece(t, addr + done, (char *)buf + done, n);
	}
	return rc;
}

int remote_holds(const struct tracee *t, uint64_t addr, const uint8_t *bytes, size_t len)
{
	uint8_t there[8];

	return len <= sizeof(there) && remote_read(t, addr, there, len) == 0 &&
	       memcmp(there, bytes, len) == 0;
}
