/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/ours.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "tracer/arch/regs.h"
#include "tracer/filler.h"
#include "tracer/recorder/patch.h"

#define PAGE                4096ULL
#define COLLAPSE            25 /* MADV_COLLAPSE */
#define POPULATE_READ       22 /* MADV_POPULATE_ */
#define POPULATE_WRITE      23
#define MREMAP_FLAGS        7ULL
#define FIXED_NOREPLACE_BIT 0x100000ULL

_Static_assert(UFFDIO_REGISTER == IOCTL_REGISTER, "the stub's");

/* ---- what is ours ---- */

/* The first of two that ends behind `from`. */
static void nearer(struct ours_range *best, uint64_t from, uint64_t start, uint64_t bytes)
{
	if (bytes && start + bytes > from && (!best->end || start < best->start))
		*best = (struct ours_range){start, start + bytes};
}

int ours_next(const struct mm *mm, uint64_t from, struct ours_range *ret)
{
	const struct recorder_mm *rm = mm->recorder;

	*ret = (struct ours_range){0, 0};
	if (!rm)
		return 0;
	nearer(ret, from, REGION_ADDR, rm->has_code ? ALIVE_OFFSET + ALIVE_BYTES : 0);
	nearer(ret, from, REGION_ADDR + ARENA_OFFSET,
		(uint64_t)rm->region.units * ARENA_UNIT_BYTES);
	for (size_t i = 0; i < rm->sites.pages.len; i++)
		nearer(ret, from, rm->sites.pages.at[i].addr, PAGE);
	return ret->end != 0;
}

static int overlaps(const struct mm *mm, uint64_t start, uint64_t end)
{
	struct ours_range r;

	return ours_next(mm, start, &r) && r.start < end;
}

/* ---- which calls, and what a hole is to them ---- */

enum hole {
	HOLE_IGNORED, /* nothing to do there */
	HOLE_PASSED,  /* all else is done, then ENOMEM */
	HOLE_ENDS,    /* what is before it is done, then ENOMEM */
	HOLE_REFUSED, /* nothing is done */
	HOLE_PLACE,   /* where something new goes */
};

static const struct rule {
	const char *name;
	enum hole hole;
	int error;   /* HOLE_REFUSED */
	int rounded; /* the address need not begin a page */
} rules[] = {
	{"munmap", HOLE_IGNORED, 0, 0},
	{"madvise", HOLE_PASSED, 0, 0},
	{"msync", HOLE_PASSED, 0, 0},
	{"mprotect", HOLE_ENDS, 0, 0},
	{"pkey_mprotect", HOLE_ENDS, 0, 0},
	{"mincore", HOLE_ENDS, 0, 0},
	{"mlock", HOLE_ENDS, 0, 1},
	{"mlock2", HOLE_ENDS, 0, 1},
	{"munlock", HOLE_ENDS, 0, 1},
	{"mseal", HOLE_REFUSED, ENOMEM, 0},
	{"remap_file_pages", HOLE_REFUSED, EINVAL, 0},
	{"mremap", HOLE_PLACE, EFAULT, 0},
	{"mmap", HOLE_PLACE, 0, 0},
	{"shmat", HOLE_PLACE, 0, 0},
	{"process_madvise", HOLE_PASSED, 0, 0},
	/* To the kernel it is memory that could be had; as that of the vDSO, it is not. */
	{"ioctl", HOLE_REFUSED, EINVAL, 0},
	{"arch_prctl", HOLE_REFUSED, 0, 0},
};

static const struct rule *rule_of(const struct sys_event *ev)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (strcmp(rules[i].name, ev->def->name) == 0)
			return &rules[i];
	return NULL;
}

/* 0: none, or not one that the kernel would look at. */
static int range_of(const struct rule *rule, uint64_t start, uint64_t len, struct ours_range *ret)
{
	uint64_t from = rule->rounded ? start & ~(PAGE - 1) : start, end;

	if (from & (PAGE - 1) || !len || __builtin_add_overflow(start, len, &end) ||
		end > UINT64_MAX - PAGE)
		return 0;
	*ret = (struct ours_range){from, (end + PAGE - 1) & ~(PAGE - 1)};
	return 1;
}

/* Where the call puts something, whatever is there. */
static int place_of(const struct rule *rule, const struct sys_event *ev, struct ours_range *ret)
{
	const uint64_t *a = ev->args;
	struct shmid_ds shm = {0};

	if (strcmp(rule->name, "mmap") == 0)
		return (a[3] & (MAP_FIXED | FIXED_NOREPLACE_BIT)) &&
		       range_of(rule, a[0], a[1], ret);
	if (strcmp(rule->name, "mremap") == 0)
		return (a[3] & MREMAP_FIXED) && range_of(rule, a[4], a[2], ret);
	return a[1] && shmctl((int)a[0], IPC_STAT, &shm) == 0 &&
	       range_of(rule, a[1] & ~(PAGE - 1), shm.shm_segsz, ret);
}

/* ---- answers ---- */

/* The call is not made: that is its result. */
static enum ours answer(const struct tracee *t, int64_t result)
{
	regs_answer(t->tid, result);
	return OURS_NOT;
}

static int64_t make_call(struct remote *r, long nr, const uint64_t args[6])
{
	/* A thread that dispatches may make calls where it just made one. */
	uint64_t call_at =
		r->t->dispatch ? regs_ip(&r->saved) : arch_stub_after() - ARCH_CALL_BYTES;

	return remote_call(r, call_at, nr, args);
}

/* Makes the call for one piece. */
static int64_t call_piece(struct remote *r, long nr, uint64_t start, uint64_t end)
{
	const struct tracee *t = r->t;
	uint64_t args[6];

	memcpy(args, t->ev.args, sizeof(args));
	args[0] = start;
	args[1] = end - start;
	if (strcmp(t->ev.def->name, "process_madvise") == 0)
		args[2] = t->ev.args[3]; /* madvise(2) */
	return make_call(r, nr, args);
}

/* Makes the call for what of the range is the program's. */
static int64_t call_pieces(
	struct remote *r, const struct rule *rule, long nr, struct ours_range all)
{
	int64_t result = rule->hole == HOLE_IGNORED ? 0 : -ENOMEM, got;
	uint64_t from = all.start;
	struct ours_range hole;

	while (from < all.end) {
		if (!ours_next(r->t->mm, from, &hole) || hole.start > all.end)
			hole = (struct ours_range){all.end, all.end};
		got = hole.start > from ? call_piece(r, nr, from, hole.start) : 0;
		if (got == -ENOMEM && rule->hole == HOLE_PASSED)
			got = 0; /* a hole that is the program's own */
		if (got < 0 || rule->hole == HOLE_ENDS)
			return got < 0 ? got : result;
		from = hole.end;
	}
	return result;
}

/* The thread goes on behind its call, with the result in its event. */
static enum ours behind(struct remote *r)
{
	arch_as_returned(&r->saved, regs_ip(&r->saved) + ARCH_CALL_BYTES);
	regs_set_result(&r->saved, r->t->ev.ret);
	return remote_end(r) < 0 ? OURS_AGAIN : OURS_OVER;
}

static enum ours call_around(
	struct recorder *f, struct tracee *t, const struct rule *rule, struct ours_range range)
{
	struct remote r;

	if (remote_begin(&r, f, t) < 0)
		return OURS_AGAIN;
	t->ev.ret = call_pieces(&r, rule, (long)t->ev.nr, range);
	return behind(&r);
}

/* ---- where it maps itself ---- */

static enum ours make_place(struct recorder *f, struct tracee *t, const struct rule *rule)
{
	if (t->mm->refs == 1 && recorder_may_call(f, t, SYS_munmap)) {
		recorder_clear_at_call(
			f, t, "the program maps memory of its own where the recorder's was");
		return OURS_AGAIN;
	}
	/* docs/LIMITS.md: other threads may be on their way through our code. */
	if (strcmp(rule->name, "mmap") == 0 && (t->ev.args[3] & FIXED_NOREPLACE_BIT))
		return answer(t, -EEXIST);
	return answer(t, -ENOMEM);
}

/* The range that it cuts off is unmapped, and what is left is as it is. */
static enum ours shrink(struct recorder *f, struct tracee *t)
{
	static const struct rule unmap = {"munmap", HOLE_IGNORED, 0, 0};
	const uint64_t *a = t->ev.args;
	struct ours_range tail;
	struct remote r;

	if (!recorder_may_call(f, t, SYS_munmap))
		return answer(t, -EFAULT);
	if (!range_of(&unmap, a[0], a[2], &tail) || remote_begin(&r, f, t) < 0)
		return OURS_NOT;
	tail = (struct ours_range){tail.end, (a[0] + a[1] + PAGE - 1) & ~(PAGE - 1)};
	t->ev.ret = call_pieces(&r, &unmap, SYS_munmap, tail);
	if (t->ev.ret == 0)
		t->ev.ret = call_piece(&r, SYS_mremap, a[0], a[0] + a[2]);
	return behind(&r);
}

/* Where it begins in memory of the program's the kernel finds the end of that by itself. */
static enum ours entry_mremap(struct recorder *f, struct tracee *t, const struct rule *rule)
{
	const uint64_t *a = t->ev.args;
	struct ours_range old;

	if (a[3] & ~MREMAP_FLAGS || !a[2] || !range_of(rule, a[0], a[1] + !a[1], &old))
		return OURS_NOT;
	if (a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) /* our jumps lead from where they are */
		patch_take_back_in(t, old.start, old.end);
	if (!overlaps(t->mm, old.start, old.end))
		return OURS_NOT;
	if (a[3] & MREMAP_FIXED) /* moves all that is there */
		return make_place(f, t, rule);
	if (overlaps(t->mm, old.start, old.start + PAGE))
		return answer(t, -EFAULT);
	return a[2] < a[1] && !(a[3] & MREMAP_DONTUNMAP) ? shrink(f, t) : OURS_NOT;
}

/* ---- ranges that are in its memory ---- */

#define VECTOR_MAX 1024 /* IOV_MAX */

/* What it may do to ours, and to another process's memory: nothing is lost by it. */
static int keeps_content(uint64_t advice)
{
	static const int kept[] = {
		MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, POPULATE_READ, POPULATE_WRITE, COLLAPSE};

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if ((int)advice == kept[i])
			return 1;
	return 0;
}

/* The first of the vector that reaches into ours; *ret_before: bytes of those before it. */
static int first_of_ours(const struct tracee *t, const struct rule *rule, size_t *ret_first,
	struct ours_range *ret, uint64_t *ret_before)
{
	const uint64_t *a = t->ev.args;
	struct iovec v[VECTOR_MAX];

	*ret_before = 0;
	if (a[2] > VECTOR_MAX || remote_read(t, a[1], v, a[2] * sizeof(*v)) < 0)
		return 0;
	for (*ret_first = 0; *ret_first < a[2]; ++*ret_first) {
		const struct iovec *one = &v[*ret_first];

		if (range_of(rule, (uint64_t)(uintptr_t)one->iov_base, one->iov_len, ret) &&
			overlaps(t->mm, ret->start, ret->end))
			return 1;
		*ret_before += one->iov_len;
	}
	return 0;
}

/*
 * What is before the range that reaches into ours is advised as asked, which also tells whether the
 * call is one that the kernel takes: of its own memory only, as the content is not kept. The range
 * itself has a hole, at which the call ends.
 */
static enum ours entry_advise(struct recorder *f, struct tracee *t, const struct rule *rule)
{
	uint64_t args[6], before;
	struct ours_range range;
	struct remote r;
	size_t first;

	if (keeps_content(t->ev.args[3]) || !first_of_ours(t, rule, &first, &range, &before))
		return OURS_NOT;
	if (remote_begin(&r, f, t) < 0)
		return OURS_AGAIN;
	memcpy(args, t->ev.args, sizeof(args));
	args[2] = first;
	t->ev.ret = make_call(&r, SYS_process_madvise, args);
	if (t->ev.ret >= 0 && (uint64_t)t->ev.ret == before) {
		int64_t got = recorder_may_call(f, t, SYS_madvise)
				      ? call_pieces(&r, rule, SYS_madvise, range)
				      : -ENOMEM;

		t->ev.ret = before ? t->ev.ret : got;
	}
	return behind(&r);
}

static enum ours entry_ioctl(struct tracee *t, const struct rule *rule)
{
	struct uffdio_register reg;
	struct ours_range range;

	if ((uint32_t)t->ev.args[1] != IOCTL_REGISTER ||
		remote_read(t, t->ev.args[2], &reg, sizeof(reg)) < 0 ||
		!range_of(rule, reg.range.start, reg.range.len, &range) ||
		!overlaps(t->mm, range.start, range.end))
		return OURS_NOT;
	return answer(t, -rule->error);
}

/* Asked for the register that holds a block, it says what the program left there: nothing. Where
 * that would have to wait (filler.h) the kernel is to. */
static enum ours entry_get_block(const struct recorder *f, const struct tracee *t)
{
	uint64_t none = 0, block;
	ssize_t n;

	if ((uint32_t)t->ev.args[0] != ABI_GET_BLOCK || arch_peek_block(t->tid, &block) < 0 ||
		block - REGION_ADDR >= REGION_BYTES)
		return OURS_NOT;
	n = filler_write(f->filler, t->tid, t->ev.args[1], &none, sizeof(none));
	if (n == -ETIMEDOUT)
		return OURS_NOT;
	return answer(t, n == sizeof(none) ? 0 : -EFAULT);
}

enum ours ours_entry(struct recorder *f, struct tracee *t)
{
	const struct rule *rule = rule_of(&t->ev);
	const uint64_t *a = t->ev.args;
	struct ours_range range, ours;
	enum hole hole;

	if (!rule || t->ev.abi != ABI_NATIVE || !ours_next(t->mm, 0, &ours))
		return OURS_NOT;
	if (place_of(rule, &t->ev, &range) && overlaps(t->mm, range.start, range.end))
		return make_place(f, t, rule);
	if (rule->error == EFAULT)
		return entry_mremap(f, t, rule);
	if (strcmp(rule->name, "process_madvise") == 0)
		return entry_advise(f, t, rule);
	if (strcmp(rule->name, "arch_prctl") == 0)
		return entry_get_block(f, t);
	if (strcmp(rule->name, "ioctl") == 0)
		return entry_ioctl(t, rule);
	if (rule->hole == HOLE_PLACE || !range_of(rule, a[0], a[1], &range) ||
		!ours_next(t->mm, range.start, &ours) || ours.start >= range.end)
		return OURS_NOT;
	hole = rule->hole;
	if (hole == HOLE_REFUSED)
		return answer(t, -rule->error);
	if (ours.start <= range.start && (hole == HOLE_ENDS || ours.end >= range.end))
		return answer(t, hole == HOLE_IGNORED ? 0 : -ENOMEM);
	return call_around(f, t, rule, range);
}
