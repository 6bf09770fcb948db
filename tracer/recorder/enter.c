/* SPDX-License-Identifier: GPL-3.0-only */
/* From a stop at a call into the stub. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/arch/abi.h"
#include "tracer/arch/regs.h"
#include "tracer/recorder/block.h"
#include "tracer/recorder/inject.h"
#include "tracer/recorder/patch.h"
#include "tracer/recorder/remote.h"
#include "tracer/stacks/stacks.h"

/* A process that makes fewer calls than this is not worth the recorder's set-up: with the plan of
 * the first site it costs what some forty stops do. */
#define STOPS_BEFORE_RECORDER 20
#define STOPS_WITH_EXPERIENCE 2 /* where it is known which sites to patch at once */
/* A site is worth a change from its second call on. */
#define HITS_BEFORE_PATCH 2

/* ---- blocks ---- */

static struct recorder_thread *thread_begin(struct recorder *f, struct tracee *t)
{
	struct recorder_thread *rt = mem_calloc(1, sizeof(*rt));

	if (ring_init(&rt->ring, &t->mm->recorder->region) < 0) {
		free(rt);
		return NULL;
	}
	rt->tracee = t;
	rt->ring.ended = recorder_earliest(f);
	rt->tallied_ns = clock_mono_ns();
	if (f->stacks) {
		rt->ring.block->sample = stacks_gap(f->stacks);
		rt->ring.block->wait = recorder_stack_wait(f);
		rt->ring.block->measured = 0; /* all calls: for how long they took */
	}
	memcpy(rt->ring.block->clocks, f->clocks, sizeof(f->clocks));
	rt->ring.block->coarse = t->mm->recorder->coarse;
	*VEC_PUSH(&f->threads) = rt;
	t->recorder = rt;
	f->sink.began(f->sink.ctx, t);
	block_set(f, rt);
	return rt;
}

void recorder_files_uncertain(struct recorder *f, struct files *files)
{
	recorder_sweep(f);
	files_state(files)->uncertain = 1;
	files_state(files)->recorded = 0;
	block_set_all(f, NULL);
}

void recorder_segments_seen(struct recorder *f)
{
	if (f->segments)
		return;
	f->segments = 1;
	for (size_t i = 0; i < BLOCK_KINDS_LEN; i++)
		if (f->kinds[i] == KIND_MMSG_SEND)
			f->kinds[i] = KIND_PASS;
	block_set_all(f, NULL);
}

/* Gives the thread a block, in regs. 0: it cannot have one. */
static int ready_thread(struct recorder *f, struct tracee *t, struct user_regs_struct *regs)
{
	struct recorder_thread *rt = t->recorder;

	if (rt && rt->off) {
		if (!rt->corrupt)
			recorder_reason(f, arch_block_taken)->calls++;
		return 0;
	}
	if (arch_block(regs) && (!rt || arch_block(regs) != rt->ring.block_addr)) {
		if (!rt)
			rt = thread_begin(f, t);
		if (rt)
			rt->off = 1; /* the program uses the register */
		recorder_reason(f, arch_block_taken)->calls++;
		return 0;
	}
	if (!rt && !(rt = thread_begin(f, t)))
		return 0;
	arch_set_block(regs, rt->ring.block_addr);
	return 1;
}

/* 1 if there is no room for what the call may say. */
static int is_full(const struct recorder_thread *rt, uint8_t kind)
{
	uint64_t head, needs = kind >= KIND_FIRST_SAID ? SAID_RECORDS_MAX : 0;

	return ring_head(&rt->ring, &head) < 0 || head - rt->ring.tail + needs >= rt->ring.records;
}

/* A ring that was full so soon is worth a large one, but for calls that stop first: then it is the
 * stops that cost. */
static int wants_large(struct recorder_thread *rt)
{
	if (rt->ring.records == LARGE_RING_RECORDS || rt->off)
		return 0;
	if (rt->led <= SMALL_RING_RECORDS / 2)
		return 1;
	rt->led = 0;
	return 0;
}

/* A full ring is emptied. */
static void ready_ring(struct recorder *f, struct recorder_thread *rt, uint8_t kind)
{
	uint64_t head;

	if (!is_full(rt, kind))
		return;
	recorder_sweep_all_of(f, rt->tracee);
	f->due_ns = 0;
	if (ring_head(&rt->ring, &head) < 0 || head != rt->ring.tail || !wants_large(rt) ||
		ring_enlarge(&rt->ring, &rt->tracee->mm->recorder->region) < 0)
		return;
	/* From now on it is worth more to take records out while the target runs. */
	f->sink.busy(f->sink.ctx, rt->tracee);
}

/* Lets the arena grow, where what the thread is going to need has no room. */
static int ready_room(struct recorder *f, struct tracee *t, uint8_t kind, int *ret_moved)
{
	struct recorder_thread *rt = t->recorder;
	struct region *r = &t->mm->recorder->region;
	uint32_t needs = rt ? (is_full(rt, kind) && wants_large(rt) ? LARGE_RING_UNITS : 0) : 1;

	if (!needs || region_has_room(r, needs))
		return 1;
	return !*ret_moved && inject_grow(f, t, needs, ret_moved) == 0;
}

/* ---- the call ---- */

/* Lets the thread make its call in the stub: it is before the call, regs are its registers. */
static int lead(struct recorder *f, struct tracee *t, struct user_regs_struct *regs,
	const struct site *site, uint8_t kind)
{
	struct recorder_thread *rt = t->recorder;
	uint64_t head, made;

	if (rt->refuse) {
		rt->refuse = 0;
		return 0;
	}
	if (ring_head(&rt->ring, &head) < 0) {
		recorder_corrupt(f, rt, 1);
		return 0;
	}
	/* A second time for the same call: the stub does not want it. */
	made = ring_made(&rt->ring, head);
	if (rt->led_after == made + 1 && rt->led_site == site->addr) {
		rt->led_after = 0;
		recorder_mark_stopped(rt, head, 0);
		recorder_drop_stacks(rt, head);
		return 0;
	}
	regs_set_ip(regs, site->tramp + site->moved_len);
	if (regs_set(t->tid, regs) < 0)
		return 1; /* killed since */
	rt->led_after = made + 1;
	rt->led_site = site->addr;
	rt->led++;
	/* Of a call that is only counted no record comes to be there. */
	recorder_mark_stopped(rt, head, kind != KIND_TALLY);
	return 1;
}

static uint64_t stops_before_recorder(const struct recorder *f)
{
	if (f->at_once)
		return 1;
	return f->knows_sites ? STOPS_WITH_EXPERIENCE : STOPS_BEFORE_RECORDER;
}

/*
 * 1 if nobody takes the number away that the set-up's memory has for a moment, or puts another file
 * there. Of those who share the table each call that could stops first, but where it is recorded:
 * so it is enough that none has been let go on, and is under way.
 */
static int number_is_ours(const struct recorder *f, const struct tracee *t)
{
	if (!files_is_shared(t->files))
		return 1;
	for (size_t i = 0; i < f->threads.len; i++)
		if (f->threads.at[i]->tracee->files == t->files)
			return 0;
	return !files_state(t->files)->busy;
}

/* Puts the process under the recorder; 1 if it is. A call that is not recorded is no occasion:
 * after it there may be another program. */
static int ready_space(struct recorder *f, struct tracee *t, uint8_t kind, int *ret_moved)
{
	struct recorder_mm *rm = t->mm->recorder;

	if (rm->state == RECORDER_UNTRIED &&
		(++rm->stops >= stops_before_recorder(f) || rm->at_once) && kind != KIND_PASS &&
		!t->mm->copied && number_is_ours(f, t)) {
		rm->reason = inject(f, t, ret_moved);
		rm->state = rm->reason ? RECORDER_OFF : RECORDER_ON;
	}
	/* One that shares the memory of another that was guarded meanwhile. */
	return rm->state == RECORDER_ON && (t->trap == TRAP_NONE || t->process->guarded);
}

/*
 * 1 if the site, seen at a call, is not to be changed yet: its calls still stop for their stacks. A
 * site of one call that is not traced (it opens or closes an fd, say) need not: a short process has
 * many of them.
 */
static int waits_for_stacks(
	const struct recorder *f, const struct tracee *t, struct site *site, uint32_t nr)
{
	uint8_t before[ARCH_NUMBER_BYTES];

	if (!f->stacks || site->hits > STACKS_FIRST)
		return 0;
	site->no_stacks =
		!f->traced[nr] &&
		remote_read(t, site->addr - sizeof(before), before, sizeof(before)) == 0 &&
		arch_sets_number(before, nr);
	return !site->no_stacks;
}

/* The site of the call, with a trampoline, patched if that is worth it; NULL: not (yet). */
static struct site *ready_site(struct recorder *f, struct tracee *t,
	const struct ptrace_syscall_info *info, int *ret_moved)
{
	struct sites *sites = &t->mm->recorder->sites;
	uint64_t offset, addr = info->instruction_pointer - ARCH_CALL_BYTES;
	struct site *site = sites_at_tramp(sites, addr, &offset);

	if (site)
		return offset == TRAMP_DESC + DESC_PASS ? site : NULL;
	if (t->mm->copied) {
		/* A copy that is being made must hold what we believe it holds. */
		site = map_get(&sites->by_addr, addr);
		return site && site->tramp ? site : NULL;
	}
	site = sites_get(sites, addr);
	if (!site) {
		recorder_reason(f, "more than 65,536 call sites in one process")->calls++;
		return NULL;
	}
	if (!patch_may_look(t))
		return site->tramp ? site : NULL;
	if (!site->hits) {
		patch_known(f, t, addr);
		site->hits = patch_was_called(f, t, addr) != 0;
	}
	if (site->state == SITE_PATCHED && !patch_is_there(t, site))
		sites_renew(sites, site);
	/* With stacks its first calls stop anyway: once each, by a trampoline. */
	if (++site->hits < HITS_BEFORE_PATCH && site->state == SITE_NEW && !f->at_once &&
		!f->stacks)
		return NULL;
	if (patch_tramp(f, t, site, ret_moved) <= 0)
		return NULL;
	if (site->state == SITE_NEW && (site->hits >= HITS_BEFORE_PATCH || f->at_once) &&
		!waits_for_stacks(f, t, site, (uint32_t)info->entry.nr))
		patch_site(f, t, site);
	return t->mm->recorder->state == RECORDER_ON ? site : NULL;
}

/* Takes the stack of a call that stopped, and is recorded all the same, if it is a first one. */
static void sample(struct recorder *f, struct tracee *t, const struct user_regs_struct *regs,
	const struct site *site, uint32_t nr)
{
	struct recorder_thread *rt = t->recorder;
	struct user_regs_struct there = *regs;
	uint64_t head;

	if (!recorder_is_first(f, t, site, nr) || ring_head(&rt->ring, &head) < 0)
		return;
	regs_set_ip(&there, site->addr);
	recorder_drop_stacks(rt, head);
	*VEC_PUSH(&rt->stacks) =
		(struct recorder_stack){head, stacks_take(f->stacks, t, &there), 1};
	if (!t->mm->recorder->inherited)
		return;             /* what is changed has had its first calls */
	rt->ring.block->sample = 2; /* the next one; it counts itself */
	rt->probing = 1;
}

int recorder_is_first(
	struct recorder *f, const struct tracee *t, const struct site *site, uint32_t nr)
{
	return f->traced[nr] &&
	       stacks_is_first(f->stacks, &(struct sys_event){.mm_id = t->mm->id,
						  .site = site->addr,
						  .def = sys_by_number(ABI_NATIVE, nr)});
}

uint64_t recorder_stack_wait(struct recorder *f)
{
	double ticks = f->tsc.ns_per_tick > 0 ? 1 / f->tsc.ns_per_tick : 1, wait;

	if (!f->stacks)
		return 0;
	wait = (double)stacks_gap_ns(f->stacks) * ticks;
	return wait < (double)INT64_MAX ? 1 + (uint64_t)wait : INT64_MAX;
}

void recorder_place(const struct tracee *t, struct user_regs_struct *regs)
{
	const struct recorder_mm *rm = t->mm->recorder;
	uint64_t offset, ip = regs_ip(regs) - ARCH_CALL_BYTES;
	const struct site *site = rm ? sites_at_tramp(&rm->sites, ip, &offset) : NULL;

	regs_set_ip(regs, site ? site->addr : ip);
}

static int is_native(const struct ptrace_syscall_info *info)
{
	return info->arch == AUDIT_ARCH_NATIVE && info->entry.nr < BLOCK_KINDS_LEN;
}

/*
 * After calls of ours the thread stands before its own call, no longer at its entry: then the only
 * ways on are the stub or the call instruction, which stops again.
 */
static int enter(struct recorder *f, struct tracee *t, const struct ptrace_syscall_info *info,
	int *ret_moved)
{
	uint8_t kind = block_kinds(f, t)[info->entry.nr];
	struct user_regs_struct regs;
	struct site *site;
	int was_moved;

	if (!ready_space(f, t, kind, ret_moved) || kind == KIND_PASS)
		return 0;
	was_moved = *ret_moved;
	if (regs_get(t->tid, &regs) < 0 || arch_steps(&regs))
		return 0; /* it would see each of our instructions */
	site = ready_site(f, t, info, ret_moved);
	if (!site || !ready_room(f, t, kind, ret_moved))
		return 0;
	if (*ret_moved != was_moved && regs_get(t->tid, &regs) < 0)
		return 0;
	if (!*ret_moved)
		arch_take_back(&regs);
	if (!ready_thread(f, t, &regs))
		return 0;
	ready_ring(f, t->recorder, kind);
	if (f->stacks)
		sample(f, t, &regs, site, (uint32_t)info->entry.nr);
	if (site->state != SITE_PATCHED)
		site->calls++;
	return lead(f, t, &regs, site, kind);
}

int recorder_enter(struct recorder *f, struct tracee *t, const struct ptrace_syscall_info *info)
{
	int moved = 0, entered;

	if (!f->on || f->waiting || t->state != TRACEE_RUNNING || !t->mm->recorder)
		return 0;
	if (t->no_record) {
		recorder_reason(f, t->no_record)->calls++;
		return 0;
	}
	if (t->mm->recorder->state == RECORDER_OFF || !is_native(info) ||
		(t->mode != MODE_FILTER && t->trap == TRAP_NONE)) {
		t->mm->recorder->stops++;
		return 0;
	}
	if (t->mm->recorder->state == RECORDER_UNTRIED && f->only_ours[info->entry.nr] &&
		!f->dispatch)
		return 0; /* no call that it would record */
	entered = enter(f, t, info, &moved);
	t->mm->recorder->code_is_new = 0;
	return entered || moved;
}

int recorder_is_stub_call(const struct recorder *f, const struct ptrace_syscall_info *info)
{
	/* Only what it may make: another call there is the program's own. */
	return f->on && info->arch == AUDIT_ARCH_NATIVE &&
	       info->instruction_pointer == arch_stub_after() && info->entry.nr < BLOCK_KINDS_LEN &&
	       (f->calls[info->entry.nr].kind != KIND_PASS ||
		       info->entry.nr == SYS_restart_syscall);
}

int recorder_take_up(const struct recorder *f, struct tracee *t)
{
	const struct recorder_thread *rt = t->recorder;
	uint64_t block;

	if (!f->on || f->departing || !rt || rt->off || t->no_record || !t->process->guarded ||
		t->mm->recorder->state != RECORDER_ON || arch_peek_block(t->tid, &block) < 0)
		return 0;
	if (block == rt->ring.block_addr)
		return 1;
	return !block && arch_poke_block(t->tid, rt->ring.block_addr) == 0;
}

void recorder_put_down(const struct recorder *f, const struct tracee *t)
{
	uint64_t block;

	if (f->on && arch_peek_block(t->tid, &block) == 0 && region_is_block(block))
		arch_poke_block(t->tid, 0);
}

/* 1 if the thread, which has no block, may get one before its first call: it has its maker's now,
 * and so its program leaves the register alone. That of another process will hardly be used: it is
 * mostly made to execute another program. */
static int is_worth_a_block(const struct recorder *f, const struct tracee *t)
{
	const struct recorder_mm *rm = t->mm->recorder;

	return rm && rm->state == RECORDER_ON && t->mode == MODE_FILTER && t->trap == TRAP_NONE &&
	       t->process->threads > 1 && !t->no_record && !f->departing &&
	       region_has_room(&rm->region, 1);
}

void recorder_first_stop(struct recorder *f, struct tracee *t)
{
	const struct recorder_thread *rt = NULL;
	uint64_t block;

	if (!f->on || arch_peek_block(t->tid, &block) < 0 || !region_is_block(block))
		return;
	if (is_worth_a_block(f, t))
		rt = thread_begin(f, t);
	arch_poke_block(t->tid, rt ? rt->ring.block_addr : 0);
}

void recorder_off(struct recorder *f, struct mm *mm, const char *reason)
{
	if (!f->on || !mm->recorder || mm->recorder->state == RECORDER_OFF)
		return;
	mm->recorder->state = RECORDER_OFF;
	mm->recorder->reason = reason;
	for (size_t i = 0; i < f->threads.len; i++) {
		struct recorder_thread *rt = f->threads.at[i];

		if (rt->tracee->mm == mm)
			ring_off(&rt->ring);
	}
}

void recorder_thread_off(struct recorder *f, struct tracee *t, const char *reason)
{
	if (!f->on || t->no_record)
		return;
	t->no_record = reason;
	if (t->recorder)
		ring_off(&t->recorder->ring);
}
