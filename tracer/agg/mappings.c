/* SPDX-License-Identifier: GPL-3.0-only */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "tracer/agg/agg.h"
#include "tracer/agg/churn.h"
#include "tracer/agg/regions.h"

/*
 * What is counted where:
 * - A fixed mapping over known regions unmaps them first. Over anything else it counts as a mapping
 * only: that range is most often free.
 * - munmap succeeds on any range. Bytes of it that no traced call mapped count as unmapped `other`,
 * for they are most often what exec or a time before the trace mapped there.
 * - mremap that grows maps the difference, one that shrinks unmaps it, one that moves changes
 * nothing; one that leaves the old region (MREMAP_DONTUNMAP, old length 0) is a new mapping.
 * - A break that grows is a mapping of `other`.
 * - Regions end with their address space without counting as unmapped.
 * - A munmap that begins where a mapping does and leaves nothing of it has ended one (churn.h).
 *
 * Calls of several threads come here in the order in which they were seen to return, which need not
 * be the kernel's: a munmap may come after the mmap of another thread that was given the same
 * addresses. An mmap that was not asked to replace anything but meets a known region tells of such
 * a munmap on its way: the region is kept aside as "overtaken", and that munmap takes it, not the
 * new region.
 */
#define PAGE_BYTES         4096ULL
#define ADDRESS_END        (1ULL << 57) /* above every user address, five-level page tables too */
#define OVERTAKEN_MAX      64
#define HUGE_SHIFT_DEFAULT 21 /* MAP_HUGETLB without a size */

struct range {
	uint64_t start, end;
};

struct mm_regions {
	uint64_t brk; /* 0: unknown */
	uint64_t mapped_bytes;
	struct regions regions;
	struct region_list overtaken; /* oldest first */
	struct churn churn;
	uint64_t spare[REGION_KINDS]; /* bytes of mappings that ended, and of none since */
};

struct mappings {
	struct map mms; /* mm_id -> struct mm_regions */
	struct {
		struct {
			uint64_t maps, mapped, unmapped, maps_ns, unmaps, unmaps_ns, again;
		} kinds[REGION_KINDS];
		uint64_t peak_bytes;
	} phases[MAPPINGS_PHASES];
	unsigned int phase, begun; /* counted now; the last one that has begun */
	uint64_t now_bytes;
	struct region_list cut; /* for reuse */
};

struct mappings *mappings_new(void)
{
	return mem_calloc(1, sizeof(struct mappings));
}

static void regions_drop(struct mm_regions *s)
{
	regions_release(&s->regions);
	churn_release(&s->churn);
	free(s->overtaken.at);
	free(s);
}

void mappings_free(struct mappings *m)
{
	struct map_iter it = {0};

	if (!m)
		return;
	while (map_next(&m->mms, &it))
		regions_drop(it.value);
	map_release(&m->mms);
	free(m->cut.at);
	free(m);
}

static struct mm_regions *regions_of(struct mappings *m, uint32_t mm)
{
	struct mm_regions *s = map_get(&m->mms, mm);

	if (!s) {
		s = mem_calloc(1, sizeof(*s));
		map_set(&m->mms, mm, s);
	}
	return s;
}

/* ---- arithmetic: lengths may be anything ---- */

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
	if (bytes > ADDRESS_END)
		return ADDRESS_END;
	return (bytes + unit - 1) & ~(unit - 1);
}

static struct range range_of(uint64_t start, uint64_t rounded_bytes)
{
	if (start > ADDRESS_END)
		start = ADDRESS_END;
	if (rounded_bytes > ADDRESS_END - start)
		rounded_bytes = ADDRESS_END - start;
	return (struct range){start, start + rounded_bytes};
}

static uint64_t size_of(struct range r)
{
	return r.end - r.start;
}

static uint64_t map_unit(uint64_t flags)
{
	uint64_t shift = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	if (!(flags & MAP_HUGETLB) || !(flags & MAP_ANONYMOUS))
		return PAGE_BYTES;
	if (shift < 12 || shift > 40)
		shift = HUGE_SHIFT_DEFAULT;
	return 1ULL << shift;
}

static enum region_kind kind_of(uint64_t flags)
{
	if (flags & (MAP_STACK | MAP_GROWSDOWN))
		return REGION_STACK;
	return flags & MAP_ANONYMOUS ? REGION_ANONYMOUS : REGION_FILE;
}

/* ---- regions, with the sums that depend on them ---- */

static void place(struct mappings *m, struct mm_regions *s, struct range at, enum region_kind kind)
{
	regions_add(&s->regions, (struct region){at.start, at.end, kind});
	s->mapped_bytes += size_of(at);
	m->now_bytes += size_of(at);
}

/* Takes known regions out, without counting; appends them to cut and returns their bytes. */
static uint64_t take(
	struct mappings *m, struct mm_regions *s, struct range at, struct region_list *cut)
{
	size_t before = cut->len;
	uint64_t bytes = 0;

	regions_cut(&s->regions, at.start, at.end, cut);
	for (size_t i = before; i < cut->len; i++)
		bytes += cut->at[i].end - cut->at[i].start;
	s->mapped_bytes -= bytes;
	m->now_bytes -= bytes;
	return bytes;
}

static void count_unmapped(struct mappings *m, enum region_kind kind, uint64_t bytes)
{
	m->phases[m->phase].kinds[kind].unmapped =
		sat_add(m->phases[m->phase].kinds[kind].unmapped, bytes);
}

/* Unmaps known regions and returns their bytes. */
static uint64_t unmap_known(struct mappings *m, struct mm_regions *s, struct range at)
{
	uint64_t bytes;

	m->cut.len = 0;
	bytes = take(m, s, at, &m->cut);
	for (size_t i = 0; i < m->cut.len; i++)
		count_unmapped(m, m->cut.at[i].kind, m->cut.at[i].end - m->cut.at[i].start);
	return bytes;
}

/* ---- overtaken regions ---- */

static struct region overtaken_remove(struct mm_regions *s, size_t i)
{
	struct region *at = &s->overtaken.at[i];
	struct region removed = *at;

	s->overtaken.len--;
	memmove(at, at + 1, (s->overtaken.len - i) * sizeof(*at));
	return removed;
}

static void overtaken_add(struct mappings *m, struct mm_regions *s, struct region r)
{
	struct region old;

	if (r.start >= r.end)
		return;
	if (s->overtaken.len == OVERTAKEN_MAX) {
		/* Its munmap was missed, but something did unmap it. */
		old = overtaken_remove(s, 0);
		count_unmapped(m, old.kind, old.end - old.start);
	}
	*VEC_PUSH(&s->overtaken) = r;
}

static void overtake(struct mappings *m, struct mm_regions *s, struct range at)
{
	m->cut.len = 0;
	take(m, s, at, &m->cut);
	for (size_t i = 0; i < m->cut.len; i++)
		overtaken_add(m, s, m->cut.at[i]);
}

/* The overtaken region that begins first in `at` (or reaches into it), or overtaken.len. */
static size_t overtaken_first(const struct mm_regions *s, struct range at)
{
	size_t found = s->overtaken.len;
	uint64_t best = at.end;

	for (size_t i = 0; i < s->overtaken.len; i++) {
		const struct region *r = &s->overtaken.at[i];
		uint64_t start = r->start > at.start ? r->start : at.start;

		if (r->end > at.start && start < best) {
			best = start;
			found = i;
		}
	}
	return found;
}

/* Counts the part of overtaken region i that `at` covers as unmapped; returns where that ends. */
static uint64_t overtaken_unmap(struct mappings *m, struct mm_regions *s, size_t i, struct range at)
{
	struct region r = overtaken_remove(s, i);
	uint64_t end = r.end < at.end ? r.end : at.end;

	count_unmapped(m, r.kind, end - at.start);
	overtaken_add(m, s, (struct region){r.start, at.start, r.kind});
	overtaken_add(m, s, (struct region){end, r.end, r.kind});
	return end;
}

/* ---- what calls do ---- */

static void unmap(struct mappings *m, struct mm_regions *s, struct range at)
{
	while (at.start < at.end) {
		size_t i = overtaken_first(s, at);
		int late = i < s->overtaken.len;
		struct range live = at;

		if (late && s->overtaken.at[i].start > at.start)
			live.end = s->overtaken.at[i].start;
		else if (late)
			live.end = at.start;
		count_unmapped(m, REGION_OTHER, size_of(live) - unmap_known(m, s, live));
		at.start = live.end;
		if (late)
			at.start = overtaken_unmap(m, s, i, at);
	}
}

/* Frees the range of a mapping to be made. */
static void make_way(struct mappings *m, struct mm_regions *s, struct range at, int fixed)
{
	if (fixed)
		unmap_known(m, s, at);
	else
		overtake(m, s, at);
}

static uint64_t took_ns(const struct sys_event *ev)
{
	return ev->exit_ns > ev->entry_ns ? ev->exit_ns - ev->entry_ns : 0;
}

/* A call that mapped a region. */
static void count_map(struct mappings *m, enum region_kind kind, const struct sys_event *ev)
{
	m->phases[m->phase].kinds[kind].maps++;
	m->phases[m->phase].kinds[kind].maps_ns =
		sat_add(m->phases[m->phase].kinds[kind].maps_ns, took_ns(ev));
}

/* Maps a range that is free. */
static void map(struct mappings *m, struct mm_regions *s, struct range at, enum region_kind kind)
{
	if (at.start >= at.end)
		return;
	place(m, s, at, kind);
	m->phases[m->phase].kinds[kind].mapped =
		sat_add(m->phases[m->phase].kinds[kind].mapped, size_of(at));
	if (m->now_bytes > m->phases[m->phase].peak_bytes)
		m->phases[m->phase].peak_bytes = m->now_bytes;
}

/* What was unmapped before, and kept, would have done. */
static void map_again(
	struct mappings *m, struct mm_regions *s, struct range at, enum region_kind kind)
{
	if (size_of(at) > s->spare[kind])
		return;
	s->spare[kind] -= size_of(at);
	m->phases[m->phase].kinds[kind].again++;
}

static void add_mmap(struct mappings *m, struct mm_regions *s, const struct sys_event *ev)
{
	uint64_t flags = ev->args[3];
	struct range at = range_of((uint64_t)ev->ret, round_up(ev->args[1], map_unit(flags)));
	int fixed = (flags & MAP_FIXED) != 0;
	int known = regions_kind(&s->regions, at.start, REGION_KINDS) != REGION_KINDS;

	make_way(m, s, at, fixed);
	count_map(m, kind_of(flags), ev);
	map(m, s, at, kind_of(flags));
	if (!fixed)
		map_again(m, s, at, kind_of(flags));
	churn_map(&s->churn, &(struct region){at.start, at.end, kind_of(flags)}, known && !fixed);
}

static void add_munmap(struct mappings *m, struct mm_regions *s, const struct sys_event *ev)
{
	struct range at = range_of(ev->args[0], round_up(ev->args[1], PAGE_BYTES));
	enum region_kind ended;

	unmap(m, s, at);
	ended = churn_unmap(&s->churn, &s->regions, at.start, at.end);
	if (ended == REGION_KINDS)
		return;
	s->spare[ended] += size_of(at);
	m->phases[m->phase].kinds[ended].unmaps++;
	m->phases[m->phase].kinds[ended].unmaps_ns =
		sat_add(m->phases[m->phase].kinds[ended].unmaps_ns, took_ns(ev));
}

/* Moves known regions; what is not known stays so at its new place. */
static void move(struct mappings *m, struct mm_regions *s, struct range from, struct range to)
{
	struct region_list moved = {0};

	take(m, s, from, &moved);
	for (size_t i = 0; i < moved.len; i++) {
		struct region r = moved.at[i];
		struct range at = range_of(to.start + (r.start - from.start), r.end - r.start);

		if (at.start < at.end)
			place(m, s, at, r.kind);
	}
	free(moved.at);
}

static void add_mremap(struct mappings *m, struct mm_regions *s, const struct sys_event *ev)
{
	struct range from = range_of(ev->args[0], round_up(ev->args[1], PAGE_BYTES));
	struct range to = range_of((uint64_t)ev->ret, round_up(ev->args[2], PAGE_BYTES));
	int fixed = (ev->args[3] & MREMAP_FIXED) != 0;
	uint64_t kept = size_of(from) < size_of(to) ? size_of(from) : size_of(to);
	enum region_kind kind;

	if (size_of(from) == 0 || ev->args[3] & MREMAP_DONTUNMAP) {
		kind = regions_kind(&s->regions, from.start, REGION_OTHER);
		make_way(m, s, to, fixed);
		count_map(m, kind, ev);
		map(m, s, to, kind);
		churn_map(&s->churn, &(struct region){to.start, to.end, kind}, 0);
		return;
	}
	kind = regions_kind(&s->regions, from.end - 1, REGION_OTHER);
	unmap(m, s, (struct range){from.start + kept, from.end});
	from.end = from.start + kept;
	if (to.start == from.start) {
		make_way(m, s, (struct range){from.end, to.end}, fixed);
	} else {
		make_way(m, s, to, fixed);
		move(m, s, from, to);
	}
	map(m, s, (struct range){to.start + kept, to.end}, kind);
	churn_move(&s->churn, from.start, &(struct region){to.start, to.end, kind});
}

static void add_brk(struct mappings *m, struct mm_regions *s, const struct sys_event *ev)
{
	uint64_t old = s->brk, at = (uint64_t)ev->ret;
	struct range change = {round_up(old, PAGE_BYTES), round_up(at, PAGE_BYTES)};

	s->brk = at;
	if (old == 0)
		return;
	if (change.start > change.end) {
		unmap(m, s, (struct range){change.end, change.start});
	} else if (change.start < change.end) {
		make_way(m, s, change, 0);
		count_map(m, REGION_OTHER, ev);
		map(m, s, change, REGION_OTHER);
	}
}

void mappings_add(struct mappings *m, const struct sys_event *ev)
{
	static const struct {
		const char *name;
		void (*add)(struct mappings *m, struct mm_regions *s, const struct sys_event *ev);
	} calls[] = {{"mmap", add_mmap}, {"munmap", add_munmap}, {"mremap", add_mremap},
		{"brk", add_brk}};

	if (ev->def->class != CLASS_MEMORY || !sys_ok(ev))
		return;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(ev->def->name, calls[i].name) == 0)
			calls[i].add(m, regions_of(m, ev->mm_id), ev);
}

void mappings_fork(struct mappings *m, uint32_t parent_mm, uint32_t child_mm)
{
	const struct mm_regions *parent = map_get(&m->mms, parent_mm);
	struct mm_regions *child;

	if (parent_mm == child_mm)
		return;
	mappings_drop(m, child_mm);
	if (!parent)
		return;
	child = regions_of(m, child_mm);
	child->brk = parent->brk;
	child->mapped_bytes = parent->mapped_bytes;
	regions_copy(&child->regions, &parent->regions);
	m->now_bytes += child->mapped_bytes;
	if (m->now_bytes > m->phases[m->phase].peak_bytes)
		m->phases[m->phase].peak_bytes = m->now_bytes;
}

void mappings_drop(struct mappings *m, uint32_t mm)
{
	struct mm_regions *s = map_del(&m->mms, mm);

	if (!s)
		return;
	m->now_bytes -= s->mapped_bytes;
	regions_drop(s);
}

uint64_t mappings_brk(const struct mappings *m, uint32_t mm)
{
	const struct mm_regions *s = map_get(&m->mms, mm);

	return s ? s->brk : 0;
}

void mappings_phase(struct mappings *m, unsigned int phase)
{
	assert(phase < MAPPINGS_PHASES);
	while (m->begun < phase)
		m->phases[++m->begun].peak_bytes = m->now_bytes;
	m->phase = phase;
}

void mappings_restart(struct mappings *m)
{
	memset(m->phases[m->phase].kinds, 0, sizeof(m->phases[m->phase].kinds));
	m->phases[m->phase].peak_bytes = m->now_bytes;
}

static struct res_mapping_kind *kind_result(
	const struct mappings *m, enum region_kind kind, struct res_result *r)
{
	struct res_mapping_kind *to = RES_OBJ(r, mapping_kind);

	to->maps = m->phases[m->phase].kinds[kind].maps;
	to->mapped = m->phases[m->phase].kinds[kind].mapped;
	to->unmapped = m->phases[m->phase].kinds[kind].unmapped;
	to->maps_ns = m->phases[m->phase].kinds[kind].maps_ns;
	to->unmaps = m->phases[m->phase].kinds[kind].unmaps;
	to->unmaps_ns = m->phases[m->phase].kinds[kind].unmaps_ns;
	to->again = m->phases[m->phase].kinds[kind].again;
	return to;
}

void mappings_result(const struct mappings *m, struct res_result *r)
{
	r->mappings = RES_OBJ(r, mappings);
	r->mappings->anonymous = kind_result(m, REGION_ANONYMOUS, r);
	r->mappings->file = kind_result(m, REGION_FILE, r);
	r->mappings->stack = kind_result(m, REGION_STACK, r);
	r->mappings->other = kind_result(m, REGION_OTHER, r);
	r->mappings->peak_mapped = m->phases[m->phase].peak_bytes;
}
