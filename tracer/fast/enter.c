/* SPDX-License-Identifier: GPL-3.0-only */
/* From a stop at a call into the stub. */
#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
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

#include "common/base/mem.h"
#include "tracer/fast/inject.h"
#include "tracer/fast/patch.h"
#include "tracer/session.h"

/* A process that makes fewer calls than this is not worth the recorder's set-up. */
#define STOPS_BEFORE_RECORDER 8
#define STOPS_WITH_EXPERIENCE 2 /* where it is known which sites to patch at once */
/* A site is worth a change from its second call on. */
#define HITS_BEFORE_PATCH 2

/* ---- blocks ---- */

static struct fast_thread *thread_begin(struct session *s, struct tracee *t)
{
	struct fast_block *b = region_block(&s->fast.region);
	struct fast_thread *ft;

	if (!b)
		return NULL;
	ft = mem_calloc(1, sizeof(*ft));
	*ft = (struct fast_thread){
		.tracee = t, .block = b, .ring = (struct fast_record *)(uintptr_t)b->base};
	memcpy(b->kinds, s->fast.kinds, sizeof(b->kinds));
	b->sample = s->stacks ? stacks_gap(s->stacks) : 0;
	*VEC_PUSH(&s->fast.threads) = ft;
	t->fast = ft;
	return ft;
}

static void release_fdmap(void *ctx, uint32_t *map)
{
	region_fdmap_free(ctx, map);
}

/* The files table may have become another one since (unshare). */
static int set_fdmap(struct session *s, struct tracee *t)
{
	uint32_t *map = files_known_map(t->files);

	if (!map && s->map.fds) {
		map = region_fdmap(&s->fast.region);
		if (!map)
			return -ENOMEM;
		files_publish(t->files,
			&(struct files_known){map, FDMAP_FDS, release_fdmap, &s->fast.region});
	}
	t->fast->block->fdmap = (uint64_t)(uintptr_t)map;
	return 0;
}

static void set_guards(struct fast_block *b, const struct fast_space *fs)
{
	_Static_assert(sizeof(b->guards) == sizeof(fs->sites.guards), "guards");
	memcpy(b->guards, fs->sites.guards, sizeof(b->guards));
}

void fast_guards_changed(struct session *s, const struct space *space)
{
	for (size_t i = 0; i < s->fast.threads.len; i++) {
		struct fast_thread *ft = s->fast.threads.at[i];

		if (ft->tracee->space == space)
			set_guards(ft->block, space->fast);
	}
}

/* Gives the thread a block, in regs. 0: it cannot have one. */
static int ready_thread(struct session *s, struct tracee *t, struct user_regs_struct *regs)
{
	struct fast_thread *ft = t->fast;

	if (ft && ft->off)
		return 0;
	if (regs->gs_base && (!ft || regs->gs_base != (uint64_t)(uintptr_t)ft->block)) {
		if (!ft)
			ft = thread_begin(s, t);
		if (ft)
			ft->off = 1; /* the program uses gs */
		return 0;
	}
	if (!ft && !(ft = thread_begin(s, t)))
		return 0;
	set_guards(ft->block, t->space->fast);
	regs->gs_base = (uint64_t)(uintptr_t)ft->block;
	return set_fdmap(s, t) == 0;
}

/* A full ring is emptied; one that was full so soon is exchanged for a large one. */
static void ready_ring(struct session *s, struct fast_thread *ft)
{
	struct fast_block *b = ft->block;
	struct fast_record *large;

	if (b->head - b->tail < b->limit)
		return;
	fast_sweep(s);
	s->fast.due_ns = 0;
	if (ft->large || ft->off)
		return;
	/* Filled by calls that stop first: it is the stops that cost. */
	if (ft->led > SMALL_RING_RECORDS / 2) {
		ft->led = 0;
		return;
	}
	large = region_ring(&s->fast.region);
	if (!large)
		return;
	/* The thread stands still, and its ring is empty. */
	ft->ring = large;
	ft->large = 1;
	b->base = (uint64_t)(uintptr_t)large;
	b->mask = LARGE_RING_RECORDS - 1;
	b->limit = LARGE_RING_RECORDS;
	/* From now on it is worth more to take records out while the target runs. */
	colocate_end(&s->colocate, ft->tracee->tid);
}

/* ---- fds ---- */

static int64_t fd_needed(uint8_t kind, const uint64_t *args)
{
	switch (kind) {
	case KIND_PLAIN:
	case KIND_RANGE:
	case KIND_MREMAP:
	case KIND_CLOSE_ANY:
		return -1;
	case KIND_MMAP:
		return (int32_t)args[4];
	default:
		return (uint32_t)args[0];
	}
}

int fast_is_closing(const struct fast *f, const struct files *files, uint32_t fd)
{
	for (size_t i = 0; i < f->threads.len; i++) {
		const struct fast_thread *ft = f->threads.at[i];
		const struct fast_block *b = ft->block;
		const struct fast_record *r = &ft->ring[b->head & b->mask];

		if (ft->tracee->files != files || b->inflight != b->head + 1)
			continue;
		if ((r->kind == KIND_CLOSE || r->kind == KIND_CLOSE_ANY) &&
			(uint32_t)r->args[0] == fd)
			return 1;
		if (r->kind == KIND_DUP && (uint32_t)r->args[1] == fd)
			return 1;
	}
	return 0;
}

static int is_id(uint32_t entry)
{
	return entry && entry < FDMAP_WATCHED;
}

/* 1 if the stub will find the fd known. */
static int ready_fd(struct session *s, struct tracee *t, uint8_t kind, const uint64_t *args)
{
	int64_t fd = fd_needed(kind, args);
	uint32_t *map = files_known_map(t->files);

	if (fd < 0)
		return 1;
	if (fd >= FDMAP_FDS || !map)
		return 0;
	if (is_id(map[fd]))
		return 1;
	if (fast_is_closing(&s->fast, t->files, (uint32_t)fd))
		return 0;
	return files_identify(t->files, t->process->pid, t->tid, (uint32_t)fd, 1) && is_id(map[fd]);
}

/* ---- the call ---- */

/* Lets the thread make its call in the stub: it is before the call, regs are its registers. */
static int lead(struct tracee *t, struct user_regs_struct *regs, const struct site *site)
{
	struct fast_thread *ft = t->fast;

	if (ft->refuse) {
		ft->refuse = 0;
		return 0;
	}
	/* A second time for the same call: the stub does not want it. */
	if (ft->led_head == ft->block->head + 1 && ft->led_site == site->addr) {
		ft->led_head = 0;
		fast_mark_stopped(ft, 0);
		return 0;
	}
	regs->rip = site->tramp + site->moved_len;
	if (ptrace(PTRACE_SETREGS, t->tid, NULL, regs) < 0)
		return 1; /* killed since */
	ft->led_head = ft->block->head + 1;
	ft->led_site = site->addr;
	ft->led++;
	fast_mark_stopped(ft, 1);
	return 1;
}

static uint64_t stops_before_recorder(const struct fast *f)
{
	if (f->at_once)
		return 1;
	return f->knows_sites ? STOPS_WITH_EXPERIENCE : STOPS_BEFORE_RECORDER;
}

/* Puts the process under the recorder; 1 if it is. A call that is not recorded is no occasion:
 * after it there may be another program. */
static int ready_space(struct session *s, struct tracee *t, uint8_t kind, int *ret_moved)
{
	struct fast_space *fs = t->space->fast;

	if (fs->state == FAST_UNTRIED && ++fs->stops >= stops_before_recorder(&s->fast) &&
		kind != KIND_PASS && !t->space->copied) {
		fs->reason = inject(s, t, ret_moved);
		fs->state = fs->reason ? FAST_OFF : FAST_ON;
	}
	return fs->state == FAST_ON;
}

/* The site of the call, with a trampoline, patched if that is worth it; NULL: not (yet). */
static struct site *ready_site(struct session *s, struct tracee *t, uint64_t ip, int *ret_moved)
{
	struct sites *sites = &t->space->fast->sites;
	uint64_t offset, addr = ip - ARCH_CALL_BYTES;
	struct site *site = sites_at_tramp(sites, addr, &offset);

	if (site)
		return offset == TRAMP_DESC + DESC_PASS ? site : NULL;
	if (t->space->copied) {
		/* A copy that is being made must hold what we believe it holds. */
		site = map_get(&sites->by_addr, addr);
		return site && site->tramp ? site : NULL;
	}
	site = sites_get(sites, addr);
	if (!site->hits)
		patch_known(s, t, addr);
	if (site->state == SITE_PATCHED && !site->moved_len && patch_is_gone(t, site))
		sites_renew(sites, site);
	if (++site->hits < HITS_BEFORE_PATCH && site->state == SITE_NEW && !s->fast.at_once)
		return NULL;
	if (patch_tramp(s, t, site, ret_moved) <= 0)
		return NULL;
	if (site->state == SITE_NEW)
		patch_site(s, t, site);
	return site;
}

/* The call's turn to have its stack taken: it was left to a stop, and is recorded all the same. */
static void sample(struct session *s, struct tracee *t, const struct user_regs_struct *regs,
	const struct site *site)
{
	struct fast_thread *ft = t->fast;
	struct user_regs_struct there = *regs;

	there.rip = site->addr;
	*VEC_PUSH(&ft->stacks) =
		(struct fast_stack){ft->block->head, stacks_take(s->stacks, t, &there)};
	ft->block->sample = (uint64_t)stacks_gap(s->stacks) + 1; /* it counts itself again */
	ft->led_head = 0;
}

void fast_place(const struct tracee *t, struct user_regs_struct *regs)
{
	const struct fast_space *fs = t->space->fast;
	uint64_t offset;
	const struct site *site =
		fs ? sites_at_tramp(&fs->sites, regs->rip - ARCH_CALL_BYTES, &offset) : NULL;

	regs->rip = site ? site->addr : regs->rip;
}

static int is_native(const struct ptrace_syscall_info *info)
{
	return info->arch == AUDIT_ARCH_X86_64 && info->entry.nr < BLOCK_KINDS_LEN;
}

/*
 * After calls of ours the thread stands before its own call, no longer at its entry: then the only
 * ways on are the stub or the call instruction, which stops again.
 */
static int enter(
	struct session *s, struct tracee *t, const struct ptrace_syscall_info *info, int *ret_moved)
{
	uint8_t kind = s->fast.kinds[info->entry.nr];
	struct user_regs_struct regs;
	uint64_t args[6];
	struct site *site;

	memcpy(args, info->entry.args, sizeof(args));
	if (!ready_space(s, t, kind, ret_moved) || kind == KIND_PASS)
		return 0;
	site = ready_site(s, t, info->instruction_pointer, ret_moved);
	if (!site)
		return 0;
	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return 0;
	if (!*ret_moved) {
		regs.rax = regs.orig_rax;
		regs.orig_rax = (unsigned long long)-1;
	}
	if (!ready_thread(s, t, &regs) || !ready_fd(s, t, kind, args))
		return 0;
	ready_ring(s, t->fast);
	if (s->stacks && !t->fast->block->sample)
		sample(s, t, &regs, site);
	if (site->state != SITE_PATCHED)
		site->calls++;
	return lead(t, &regs, site);
}

int fast_enter(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	int moved = 0;

	if (!s->fast.on || t->state != TRACEE_RUNNING || !t->space->fast)
		return 0;
	if (t->space->fast->state == FAST_OFF || !is_native(info) || t->mode != MODE_FILTER) {
		t->space->fast->stops++;
		return 0;
	}
	return enter(s, t, info, &moved) || moved;
}

int fast_is_stub_call(const struct session *s, const struct ptrace_syscall_info *info)
{
	return s->fast.on && info->arch == AUDIT_ARCH_X86_64 &&
	       info->instruction_pointer == arch_stub_after();
}

void fast_first_stop(struct session *s, struct tracee *t)
{
	long gs;

	if (!s->fast.on)
		return;
	errno = 0;
	gs = ptrace(
		PTRACE_PEEKUSER, t->tid, (void *)offsetof(struct user_regs_struct, gs_base), NULL);
	if (errno == 0 && region_is_block((uint64_t)gs))
		ptrace(PTRACE_POKEUSER, t->tid, (void *)offsetof(struct user_regs_struct, gs_base),
			NULL);
}

void fast_off(struct session *s, struct space *space, const char *reason)
{
	if (!s->fast.on || !space->fast || space->fast->state == FAST_OFF)
		return;
	space->fast->state = FAST_OFF;
	space->fast->reason = reason;
	for (size_t i = 0; i < s->fast.threads.len; i++) {
		struct fast_thread *ft = s->fast.threads.at[i];

		if (ft->tracee->space == space) {
			memset(ft->block->kinds, KIND_PASS, sizeof(ft->block->kinds));
			ft->block->limit = 0;
		}
	}
}
