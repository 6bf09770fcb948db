/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Out of the stub, before a signal, a stop or the end: the thread is put where the program would be
 * without us, and a call that it is in is over as far as the recorder is concerned.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/user.h>

#include "common/base/clock.h"
#include "tracer/arch/abi.h"
#include "tracer/arch/regs.h"
#include "tracer/dispositions.h"
#include "tracer/recorder/patch.h"
#include "tracer/stacks/stacks.h"

#define RESTART_FIRST (-516)
#define RESTART_LAST  (-512)

#define BY_FILTER 1 /* si_code: SYS_SECCOMP of asm-generic/siginfo.h */

#ifndef TRAP_PERF
#define TRAP_PERF 6 /* an event of the program's own, at some time */
#endif

static void cancel(struct recorder_thread *rt)
{
	uint64_t head;

	ring_cancel(&rt->ring);
	rt->led_after = 0;
	if (ring_head(&rt->ring, &head) < 0)
		return;
	recorder_drop_stacks(rt, head);
	recorder_mark_stopped(rt, head, 0);
}

/* Gives the call in flight to the sink, with what is known of it now. */
static void take_over(struct recorder *f, struct tracee *t, const struct record *r,
	enum outcome outcome, int64_t ret)
{
	struct sys_event ev;
	struct record copy = *r;
	uint64_t now = tsc_now(), head, site;

	if (!copy.t1)
		copy.t1 = now;
	if (copy.kind == KIND_TALLY)
		copy.t0 = copy.t1; /* not taken: nobody asks for it */
	copy.ret = ret;
	if (copy.kind < KIND_FIRST_SAID) { /* not measured by the thread, or not to the end */
		copy.flags = MEASURED_NOT_ASKED;
		copy.bytes = copy.units = copy.dgrams = copy.dgrams_asked = 0;
	}
	tsc_sync(&f->tsc);
	if (ring_head(&t->recorder->ring, &head) < 0 ||
		!recorder_is_possible(f, t->recorder, &copy, now)) {
		recorder_corrupt(f, t->recorder, 1);
		return;
	}
	site = t->recorder->site;
	recorder_sweep_all_of(f, t); /* what is before it says how it is measured */
	if (t->recorder->corrupt)
		return;
	recorder_event(f, t->recorder, &copy, &ev);
	ev.site = site;
	recorder_take_stack(t->recorder, head, &ev);
	ev.outcome = outcome;
	ev.seen = SEEN_ONE_STOP;
	if (outcome == SYS_NO_RETURN)
		ev.exit_ns = 0;
	if (outcome == SYS_INTERRUPTED) {
		t->interrupted.def = ev.def;
		memcpy(t->interrupted.args, ev.args, sizeof(ev.args));
	}
	cancel(t->recorder);
	f->sink.taken_over(f->sink.ctx, t, &ev);
}

/* ---- signals ---- */

static int is_restart(int64_t raw)
{
	return raw >= RESTART_FIRST && raw <= RESTART_LAST;
}

/* Of a call that was under way. When we leave it is still: the stop by which we do so is not the
 * program's, and it is taken up again (mend.h). */
static enum outcome outcome_of(const struct recorder *f, int64_t raw)
{
	if (f->departing && (is_restart(raw) || raw == -EINTR))
		return SYS_NO_RETURN;
	return is_restart(raw) ? SYS_INTERRUPTED : SYS_RETURNED;
}

/* ---- stacks ---- */

/* 1 if it is the turn of the call at the head, which has asked or was interrupted, by the number of
 * calls or by the time in them; says when it is the next time. */
static int is_due(struct recorder *f, struct recorder_thread *rt, int first)
{
	struct block *b = rt->ring.block;
	uint64_t gap = stacks_gap(f->stacks);
	int due = !b->wait || (!b->sample && (!rt->probing || gap == 1));

	if (!b->wait)
		b->wait = recorder_stack_wait(f);
	if (!b->sample) {
		b->sample = first ? 1 : gap;
		rt->probing = first;
	}
	return due;
}

/*
 * Takes the stack of that call: of a first one of its site, or of one whose turn it is. After a
 * first one the next call asks too: where the code is changed already, as in a fork's child, it may
 * be another. regs and st are in the stub.
 */
static void sample(struct recorder *f, struct tracee *t, const struct user_regs_struct *regs,
	const struct stub_state *st, const struct site *site)
{
	struct recorder_thread *rt = t->recorder;
	struct user_regs_struct there = *regs;
	uint32_t nr = st->record.nr % BLOCK_KINDS_LEN;
	uint64_t head;
	int first, due, there_is;

	if (ring_head(&rt->ring, &head) < 0)
		return;
	there_is = rt->stacks.len && rt->stacks.at[rt->stacks.len - 1].position == head;
	first = !there_is && recorder_is_first(f, t, site, nr);
	due = is_due(f, rt, first) && f->traced[nr];
	if (there_is || (!first && !due))
		return;
	arch_stub_finish(&there, st, 0);
	regs_set_ip(&there, site->addr);
	*VEC_PUSH(&rt->stacks) =
		(struct recorder_stack){head, stacks_take(f->stacks, t, &there), (uint8_t)first};
}

/* It was interrupted before the stub could see how long it took. */
static void sample_interrupted(struct recorder *f, struct tracee *t,
	const struct user_regs_struct *regs, const struct stub_state *st, const struct site *site)
{
	struct block *b = t->recorder->ring.block;
	uint64_t ticks = tsc_now() - st->record.t0;

	if (!f->stacks || st->record.kind == KIND_TALLY)
		return;
	b->wait = ticks < b->wait ? b->wait - ticks : 0;
	if (!b->wait)
		sample(f, t, regs, st, site);
}

/* ---- */

/* From the stub: changes regs, and says where the program goes on. */
static uint64_t leave_stub(struct recorder *f, struct tracee *t, struct user_regs_struct *regs,
	const struct stub_state *st, const struct site *site)
{
	struct recorder_thread *rt = t->recorder;
	struct record r;
	int in_flight = ring_in_flight(&rt->ring, &r);
	int64_t result = regs_result(regs);

	switch (arch_stub_phase(regs, st)) {
	case STUB_BEFORE:
		arch_stub_undo(regs, st);
		cancel(rt);
		return site->addr;
	case STUB_IN_CALL:
		if (in_flight)
			sample_interrupted(f, t, regs, st, site);
		if (in_flight)
			take_over(f, t, &r, outcome_of(f, result), result);
		break;
	case STUB_AFTER:
		result = st->record.ret;
		if (in_flight)
			take_over(f, t, &r, SYS_RETURNED, r.ret);
		break;
	case STUB_DONE:
		result = st->record.ret;
		cancel(rt); /* one that was tallied */
		break;
	}
	arch_stub_finish(regs, st, result);
	arch_as_returned(regs, site->addr + ARCH_CALL_BYTES);
	return site->addr + ARCH_CALL_BYTES;
}

/* From a trampoline, or the padding that leads to it: only the place changes, and what the kernel
 * wrote for a place of ours. 0: it is in none. */
static uint64_t leave_tramp(const struct tracee *t, struct user_regs_struct *regs)
{
	const struct sites *sites = &t->mm->recorder->sites;
	const struct site *site = map_get(&sites->springboards, regs_ip(regs));
	uint64_t offset = 0;

	if (site)
		return patch_hop_is_there(t, site) ? site->addr : 0;
	site = sites_at_tramp(sites, regs_ip(regs), &offset);
	if (!site)
		return 0;
	if (regs_ip(regs) == site->tramp) /* what was moved is not executed yet */
		return site->addr - site->moved_len;
	if (offset <= TRAMP_DESC + DESC_PASS)
		return site->addr;
	arch_as_returned(regs, site->addr + ARCH_CALL_BYTES);
	return regs_ip(regs);
}

/* A signal of the kernel's for what the thread did at ip: its code, and all that it says; else 0.
 */
static int fault_code(const struct tracee *t, int signal, siginfo_t *ret_info)
{
	if ((signal != SIGTRAP && signal != SIGSEGV && signal != SIGBUS && signal != SIGILL) ||
		ptrace(PTRACE_GETSIGINFO, t->tid, NULL, ret_info) < 0 || ret_info->si_code < 0)
		return 0;
	return ret_info->si_code;
}

/* A thread that ran a copy of changed code: from there our jump leads to where nothing is, or, if
 * it was copied in part, to what fills the space behind the copy. */
static int leave_copy(
	struct tracee *t, struct user_regs_struct *regs, int signal, const siginfo_t *fault)
{
	uint64_t ip = regs_ip(regs) - (signal == SIGTRAP);
	uint64_t to = copies_take_back(
		t, ip, signal == SIGSEGV && (uint64_t)(uintptr_t)fault->si_addr == ip);

	if (!to)
		return 0;
	regs_set_ip(regs, to);
	return regs_set(t->tid, regs) == 0;
}

/* The measuring code met memory that cannot be read: whether that is an error is the kernel's to
 * say, so the call is made, and stopped for. */
static int leave_fault(struct recorder *f, struct tracee *t, struct user_regs_struct *regs,
	const struct stub_state *st, const struct site *site)
{
	enum stub_phase phase = arch_stub_phase(regs, st);
	uint64_t to = leave_stub(f, t, regs, st, site);

	if (phase == STUB_BEFORE) {
		to = site->tramp + TRAMP_DESC + DESC_PASS;
		t->recorder->refuse = 1;
	}
	regs_set_ip(regs, to);
	return regs_set(t->tid, regs) == 0;
}

/* A thread that ran into a change of its code while it was being made. */
static int leave_trap(struct tracee *t, struct user_regs_struct *regs)
{
	const struct sites *sites = &t->mm->recorder->sites;
	uint64_t at = regs_ip(regs) - 1;
	uint8_t there = ARCH_TRAP;

	/* A trap that is there still is the program's own. */
	if ((!sites_changed_at(sites, at) && !copies_put_back_at(sites, at)) ||
		remote_read(t, at, &there, 1) < 0 || there == ARCH_TRAP)
		return 0;
	regs_set_ip(regs, at);
	disposition_block_trap(t->tid);
	return regs_set(t->tid, regs) == 0;
}

/*
 * What happened in our code is about us: an instruction stepped over that the program does not
 * have, or one that may not be executed. It would happen at the next call again.
 */
static void leave_for_good(struct recorder *f, struct tracee *t, int signal)
{
	recorder_off(f, t->mm,
		signal == SIGTRAP ? "the program has itself interrupted at each instruction"
				  : "the recorder could not do its work in the process");
	patch_take_back(t);
}

/* A filter of the program's own says where the call was that it traps. */
static void move_call(const struct tracee *t, int signal, uint64_t to)
{
	siginfo_t info;

	if (signal != SIGSYS || ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) < 0 ||
		info.si_code != BY_FILTER)
		return;
	info.si_call_addr = (void *)(uintptr_t)to;
	ptrace(PTRACE_SETSIGINFO, t->tid, NULL, &info);
}

int recorder_leave(struct recorder *f, struct tracee *t, int signal)
{
	const struct recorder_mm *rm = t->mm ? t->mm->recorder : NULL;
	struct user_regs_struct regs;
	struct stub_state st = {0};
	const struct site *site;
	siginfo_t fault;
	uint64_t to;
	int code;

	if (!rm || !rm->sites.pages.len || regs_get(t->tid, &regs) < 0)
		return signal;
	code = fault_code(t, signal, &fault);
	if (signal == SIGTRAP && code == SI_KERNEL && leave_trap(t, &regs))
		return 0;
	if (!arch_in_stub(regs_ip(&regs))) {
		to = leave_tramp(t, &regs);
		if (!to && code && leave_copy(t, &regs, signal, &fault))
			return 0;
	} else if (arch_return_site(&regs)) {
		to = arch_return_site(&regs);
	} else {
		if (t->recorder) /* a thread without a block is on its way to the pass */
			ring_state(&t->recorder->ring, &st);
		site = sites_of_desc(&rm->sites, arch_stub_desc(&regs, &st));
		if (!site)
			return signal;
		if (arch_in_measure(regs_ip(&regs)) && (signal == SIGSEGV || signal == SIGBUS) &&
			code && t->recorder && leave_fault(f, t, &regs, &st, site))
			return 0;
		if (t->recorder) {
			to = leave_stub(f, t, &regs, &st, site);
		} else {
			arch_stub_undo(&regs, &st);
			to = site->addr;
		}
	}
	if (!to)
		return signal;
	regs_set_ip(&regs, to);
	if (code)
		leave_for_good(f, t, signal);
	move_call(t, signal, to);
	regs_set(t->tid, &regs);
	return code && code != TRAP_PERF ? 0 : signal; /* that one is the program's */
}

void recorder_return(const struct tracee *t)
{
	struct user_regs_struct regs;

	if (regs_get(t->tid, &regs) < 0)
		return; /* killed since */
	recorder_place(t, &regs);
	arch_return_begin(&regs, regs_ip(&regs));
	regs_set(t->tid, &regs);
}

/* 1: the thread goes on in the stub. */
static int asked_stack(struct recorder *f, struct tracee *t)
{
	struct user_regs_struct regs;
	struct stub_state st;
	const struct site *site;

	if (!f->stacks || !t->recorder || regs_get(t->tid, &regs) < 0)
		return 0;
	ring_state(&t->recorder->ring, &st);
	site = sites_of_desc(&t->mm->recorder->sites, st.block.desc);
	if (site)
		sample(f, t, &regs, &st, site);
	return site != NULL;
}

int recorder_asked(struct recorder *f, struct tracee *t, const struct ptrace_syscall_info *info)
{
	if (!f->on || info->arch != AUDIT_ARCH_NATIVE ||
		info->instruction_pointer != arch_stub_asked())
		return 0;
	regs_answer(t->tid, -ENOSYS); /* that call is not made */
	if (info->entry.args[0] != (uint64_t)-ASK_STACK || !asked_stack(f, t))
		recorder_leave(f, t, 0);
	return 1;
}

/* ---- the end ---- */

/* The thread has left user space for the last time: what of the call in flight? */
static void end_in_flight(struct recorder *f, struct tracee *t, const struct record *r, int stopped)
{
	struct user_regs_struct regs;
	struct stub_state st;
	enum stub_phase phase = r->t1 ? STUB_AFTER : r->t0 ? STUB_IN_CALL : STUB_BEFORE;

	ring_state(&t->recorder->ring, &st);
	if (stopped && regs_get(t->tid, &regs) == 0 && arch_in_stub(regs_ip(&regs)))
		phase = arch_stub_phase(&regs, &st);
	/* Without a stop its memory is gone, in which it would be seen what the call moved. */
	if (phase == STUB_AFTER && !stopped && r->kind >= KIND_FIRST_MEASURED &&
		r->kind < KIND_FIRST_SAID)
		phase = STUB_IN_CALL;
	if (phase == STUB_IN_CALL)
		take_over(f, t, r, SYS_NO_RETURN, 0);
	else if (phase == STUB_AFTER)
		take_over(f, t, r, SYS_RETURNED, r->ret);
}

void recorder_end(struct recorder *f, struct tracee *t, int stopped)
{
	struct recorder_thread *rt = t->recorder;
	struct record r;

	if (!rt)
		return;
	if (!rt->corrupt && ring_in_flight(&rt->ring, &r))
		end_in_flight(f, t, &r, stopped);
	recorder_sweep_all_of(f, t);
	for (size_t i = 0; i < f->threads.len; i++)
		if (f->threads.at[i] == rt)
			f->threads.at[i--] = f->threads.at[--f->threads.len];
	/* The last of its mm: all of it is about to go. */
	if (t->mm->refs > 1 || f->departing)
		ring_release(&rt->ring, &t->mm->recorder->region);
	t->recorder = NULL;
	free(rt->stacks.at);
	free(rt);
}
