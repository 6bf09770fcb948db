/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Out of programs that go on without us: their code as it was, none of their threads in ours, what
 * they had for SIGSYS, and then nothing of ours mapped.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "tracer/arch/regs.h"
#include "tracer/recorder/ours.h"
#include "tracer/recorder/patch.h"
#include "tracer/trap/trap.h"

int recorder_is_in(const struct tracee *t)
{
	struct ours_range range;

	return ours_next(t->mm, 0, &range);
}

int recorder_is_ours(const struct tracee *t, uint64_t ip)
{
	struct ours_range range;

	return ours_next(t->mm, ip, &range) && range.start <= ip;
}

void recorder_take_back(struct tracee *t)
{
	struct recorder_mm *rm = t->mm->recorder;

	if (!rm || rm->taken_back)
		return;
	patch_take_back(t);
	rm->taken_back = 1;
}

int recorder_depart(struct recorder *f, struct tracee *t)
{
	struct user_regs_struct regs;

	recorder_take_back(t);
	recorder_leave(f, t, 0);
	recorder_put_down(f, t);
	recorder_end(f, t, 1);
	return regs_get(t->tid, &regs) == 0 && !recorder_is_ours(t, regs_ip(&regs));
}

/* ---- what the process has of ours ---- */

static int64_t call(struct remote *r, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = {a, b, c, d};

	return remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, nr, args);
}

static void unguard(struct remote *r)
{
	struct process *p = r->t->process;

	if (!p->guarded ||
		remote_write(r->t, REGION_ADDR + ACTION_OFFSET, p->was, sizeof(p->was)) < 0)
		return;
	if (call(r, SYS_rt_sigaction, SIGSYS, REGION_ADDR + ACTION_OFFSET, 0, 8) != 0)
		return;
	p->guarded = 0;
	p->was_guarded = 1;
}

/* The lowest range of ours but the stub's, from which the calls are made. */
static int next_but_stub(const struct mm *mm, struct ours_range *ret)
{
	if (!ours_next(mm, 0, ret))
		return 0;
	return ret->start != REGION_ADDR || ours_next(mm, ret->end, ret);
}

/* Those that have no call in our code, and were not asked to stop. */
static void end_threads(struct recorder *f, const struct mm *mm)
{
	for (size_t i = f->threads.len; i-- > 0;)
		if (f->threads.at[i]->tracee->mm == mm)
			recorder_end(f, f->threads.at[i]->tracee, 0);
}

static void unmap(struct remote *r)
{
	struct recorder_mm *rm = r->t->mm->recorder;
	struct ours_range ours;

	if (r->f->departing && !rm->before)
		rm->before = recorder_mm_fork(rm);
	end_threads(r->f, r->t->mm);
	patch_clear_padding(r->t);
	while (next_but_stub(r->t->mm, &ours)) {
		if (call(r, SYS_munmap, ours.start, ours.end - ours.start, 0, 0) < 0)
			return;
		if (ours.start == REGION_ADDR + ARENA_OFFSET)
			region_release(&rm->region);
		else
			sites_drop_page(&rm->sites, ours.start);
	}
	sites_forget_places(&rm->sites);
	if (ours_next(r->t->mm, 0, &ours) &&
		call(r, SYS_munmap, ours.start, ours.end - ours.start, 0, 0) == 0)
		rm->has_code = 0;
}

void recorder_clear(struct recorder *f, struct tracee *t, int guard, int pages)
{
	struct recorder_mm *rm = t->mm->recorder;
	struct remote r;
	int status;

	guard = guard && t->process->guarded;
	/* Its filter may refuse the calls, or kill for them. */
	if (t->own_filter || !rm->has_code || !(guard || pages) ||
		remote_begin_anywhere(&r, f, t) < 0)
		return;
	if (guard)
		unguard(&r);
	if (pages && !t->process->guarded)
		unmap(&r);
	remote_end_anywhere(&r, &status);
}

int recorder_unguard(struct recorder *f, struct tracee *t)
{
	struct remote r;
	int status;

	if (remote_begin_anywhere(&r, f, t) < 0)
		return -ESRCH;
	unguard(&r);
	return remote_end_anywhere(&r, &status);
}

int recorder_unguard_at_call(struct recorder *f, struct tracee *t)
{
	struct remote r;

	if (remote_begin(&r, f, t) < 0)
		return 0;
	unguard(&r);
	remote_end(&r);
	return !t->process->guarded;
}

int recorder_clear_at_call(struct recorder *f, struct tracee *t, const char *reason)
{
	struct remote r;

	recorder_off(f, t->mm, reason);
	recorder_take_back(t);
	if (remote_begin(&r, f, t) < 0)
		return 0;
	regs_set_ip(&r.saved, regs_ip(&r.saved) + ARCH_CALL_BYTES);
	recorder_place(t, &r.saved);
	if (t->recorder && arch_block(&r.saved) == t->recorder->ring.block_addr)
		arch_set_block(&r.saved, 0);
	recorder_end(f, t, 0);
	unguard(&r);
	if (!t->process->guarded)
		unmap(&r);
	remote_end(&r);
	return 1;
}
