/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tracer/agg/agg.h"
#include "tracer/agg/churn.h"

#define PAGE  4096ULL
#define BASE  0x100000000ULL
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define FILE_ (MAP_PRIVATE)

static const struct sys_def mmap_def = {.name = "mmap", .class = CLASS_MEMORY};
static const struct sys_def munmap_def = {.name = "munmap", .class = CLASS_MEMORY};
static const struct sys_def mremap_def = {.name = "mremap", .class = CLASS_MEMORY};
static const struct sys_def brk_def = {.name = "brk", .class = CLASS_MEMORY};
static const struct sys_def other_def = {.name = "madvise", .class = CLASS_MEMORY};

static void do_mmap(struct mappings *m, uint32_t mm, uint64_t at, uint64_t len, uint64_t flags)
{
	struct sys_event ev = {.def = &mmap_def,
		.args = {0, len, 3, flags, flags & MAP_ANONYMOUS ? UINT64_MAX : 3, 0},
		.ret = (int64_t)at,
		.mm_id = mm};

	mappings_add(m, &ev);
}

static void do_munmap(struct mappings *m, uint32_t mm, uint64_t at, uint64_t len)
{
	struct sys_event ev = {.def = &munmap_def, .args = {at, len}, .mm_id = mm};

	mappings_add(m, &ev);
}

struct remap {
	uint64_t from, old_len, to, new_len, flags;
};

static void do_mremap(struct mappings *m, uint32_t mm, struct remap r)
{
	struct sys_event ev = {.def = &mremap_def,
		.args = {r.from, r.old_len, r.new_len, r.flags, r.to},
		.ret = (int64_t)r.to,
		.mm_id = mm};

	mappings_add(m, &ev);
}

static void do_brk(struct mappings *m, uint32_t mm, uint64_t result)
{
	struct sys_event ev = {
		.def = &brk_def, .args = {result}, .ret = (int64_t)result, .mm_id = mm};

	mappings_add(m, &ev);
}

/* ---- the result as numbers, in pages ---- */

enum { A, F, S, O, KINDS };

struct sums {
	struct {
		uint64_t maps, mapped, unmapped;
	} of[KINDS];
	uint64_t peak;
};

static struct sums sums_of(const struct mappings *m)
{
	struct res_result *r = result_new();
	struct sums s = {0};

	mappings_result(m, r);
	for (int k = 0; k < KINDS; k++) {
		const struct res_mapping_kind *kinds[KINDS] = {r->mappings->anonymous,
			r->mappings->file, r->mappings->stack, r->mappings->other};

		s.of[k].maps = kinds[k]->maps;
		s.of[k].mapped = kinds[k]->mapped / PAGE;
		s.of[k].unmapped = kinds[k]->unmapped / PAGE;
	}
	s.peak = r->mappings->peak_mapped / PAGE;
	result_free(r);
	return s;
}

static int check(const char *what, const struct mappings *m, const struct sums *expect)
{
	struct sums got = sums_of(m);

	if (memcmp(&got, expect, sizeof(got)) == 0)
		return 0;
	print_message("# %s\n", what);
	for (int k = 0; k < KINDS; k++)
		print_message("#   %c got %lu maps +%lu -%lu, not %lu maps +%lu -%lu\n", "AFSO"[k],
			(unsigned long)got.of[k].maps, (unsigned long)got.of[k].mapped,
			(unsigned long)got.of[k].unmapped, (unsigned long)expect->of[k].maps,
			(unsigned long)expect->of[k].mapped, (unsigned long)expect->of[k].unmapped);
	print_message("#   peak got %lu, not %lu\n", (unsigned long)got.peak,
		(unsigned long)expect->peak);
	return 1;
}

/* ---- single rules ---- */

struct step {
	enum { NONE, MMAP, MUNMAP, MREMAP, BRK, FORK, DROP, RESTART } op;
	uint64_t at, len; /* in pages from BASE; of MREMAP: where to, and the new length */
	uint64_t flags;
	uint64_t old_at, old_len; /* of MREMAP */
	uint32_t mm;
};

static const struct {
	const char *what;
	struct step steps[5];
	struct sums expect;
} rules[] = {
	{"anonymous and unmapped", {{MMAP, 0, 4, ANON, 0, 0, 0}, {MUNMAP, 0, 4, 0, 0, 0, 0}},
		{.of = {[A] = {1, 4, 4}}, .peak = 4}},
	{"a file", {{MMAP, 0, 4, FILE_, 0, 0, 0}}, {.of = {[F] = {1, 4, 0}}, .peak = 4}},
	{"a stack", {{MMAP, 0, 4, ANON | MAP_STACK, 0, 0, 0}},
		{.of = {[S] = {1, 4, 0}}, .peak = 4}},
	{"one that grows down", {{MMAP, 0, 4, ANON | MAP_GROWSDOWN, 0, 0, 0}},
		{.of = {[S] = {1, 4, 0}}, .peak = 4}},
	{"huge pages round up to their size",
		{{MMAP, 0, 1, ANON | MAP_HUGETLB, 0, 0, 0},
			{MMAP, 1 << 20, 1, ANON | MAP_HUGETLB | 30U << MAP_HUGE_SHIFT, 0, 0, 0}},
		{.of = {[A] = {2, 512 + 262144, 0}}, .peak = 512 + 262144}},
	{"a hole splits",
		{{MMAP, 0, 9, ANON, 0, 0, 0}, {MUNMAP, 3, 2, 0, 0, 0, 0},
			{MUNMAP, 0, 9, 0, 0, 0, 0}},
		{.of = {[A] = {1, 9, 9}, [O] = {0, 0, 2}}, .peak = 9}},
	{"a fixed mapping unmaps what it covers",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 2, 4, FILE_ | MAP_FIXED, 0, 0, 0}},
		{.of = {[A] = {1, 4, 2}, [F] = {1, 4, 0}}, .peak = 6}},
	{"a fixed mapping over the unknown is only a mapping",
		{{MMAP, 2, 4, FILE_ | MAP_FIXED, 0, 0, 0}}, {.of = {[F] = {1, 4, 0}}, .peak = 4}},
	{"munmap of the unknown counts as other", {{MUNMAP, 0, 5, 0, 0, 0, 0}},
		{.of = {[O] = {0, 0, 5}}}},
	{"munmap over several kinds and gaps",
		{{MMAP, 1, 2, ANON, 0, 0, 0}, {MMAP, 3, 2, FILE_, 0, 0, 0},
			{MMAP, 7, 2, ANON | MAP_STACK, 0, 0, 0}, {MUNMAP, 0, 8, 0, 0, 0, 0}},
		{.of = {[A] = {1, 2, 2}, [F] = {1, 2, 2}, [S] = {1, 2, 1}, [O] = {0, 0, 3}},
			.peak = 6}},
	{"mremap grows in place", {{MMAP, 0, 2, FILE_, 0, 0, 0}, {MREMAP, 0, 5, 0, 0, 2, 0}},
		{.of = {[F] = {1, 5, 0}}, .peak = 5}},
	{"mremap shrinks", {{MMAP, 0, 5, FILE_, 0, 0, 0}, {MREMAP, 0, 2, 0, 0, 5, 0}},
		{.of = {[F] = {1, 5, 3}}, .peak = 5}},
	{"mremap moves without mapping",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MREMAP, 20, 4, MREMAP_MAYMOVE, 0, 4, 0},
			{MUNMAP, 20, 4, 0, 0, 0, 0}},
		{.of = {[A] = {1, 4, 4}}, .peak = 4}},
	{"mremap moves, grows, over a fixed place",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 20, 8, FILE_, 0, 0, 0},
			{MREMAP, 22, 5, MREMAP_MAYMOVE | MREMAP_FIXED, 0, 4, 0}},
		{.of = {[A] = {1, 5, 0}, [F] = {1, 8, 5}}, .peak = 12}},
	{"mremap moves and shrinks",
		{{MMAP, 0, 4, ANON, 0, 0, 0},
			{MREMAP, 22, 1, MREMAP_MAYMOVE | MREMAP_FIXED, 0, 4, 0}},
		{.of = {[A] = {1, 4, 3}}, .peak = 4}},
	{"mremap that leaves the old region maps a new one",
		{{MMAP, 0, 4, ANON, 0, 0, 0},
			{MREMAP, 22, 4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0, 4, 0}},
		{.of = {[A] = {2, 8, 0}}, .peak = 8}},
	{"mremap of length 0 maps again",
		{{MMAP, 0, 4, FILE_, 0, 0, 0}, {MREMAP, 22, 3, MREMAP_MAYMOVE, 0, 0, 0}},
		{.of = {[F] = {2, 7, 0}}, .peak = 7}},
	{"mremap of the unknown: what grows is other, the rest stays unknown",
		{{MREMAP, 22, 6, MREMAP_MAYMOVE, 0, 4, 0}, {MUNMAP, 22, 6, 0, 0, 0, 0}},
		{.of = {[O] = {0, 2, 6}}, .peak = 2}},
	{"the first break is where it begins", {{BRK, 10, 0, 0, 0, 0, 0}, {BRK, 10, 0, 0, 0, 0, 0}},
		{.peak = 0}},
	{"a break grows and shrinks, also below what was known",
		{{BRK, 10, 0, 0, 0, 0, 0}, {BRK, 14, 0, 0, 0, 0, 0}, {BRK, 9, 0, 0, 0, 0, 0}},
		{.of = {[O] = {1, 4, 5}}, .peak = 4}},
	{"a break within its page maps nothing",
		{{BRK, 10, 5, 0, 0, 0, 0}, {BRK, 10, 4096, 0, 0, 0, 0}, {BRK, 10, 1, 0, 0, 0, 0},
			{BRK, 11, 1, 0, 0, 0, 0}},
		{.of = {[O] = {1, 1, 0}}, .peak = 1}},
	{"address spaces are apart", {{MMAP, 0, 4, ANON, 0, 0, 1}, {MUNMAP, 0, 4, 0, 0, 0, 2}},
		{.of = {[A] = {1, 4, 0}, [O] = {0, 0, 4}}, .peak = 4}},
	{"fork copies: the peak is over all, each unmaps its own",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {FORK, 0, 0, 0, 0, 0, 0}, {MUNMAP, 0, 3, 0, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 1}},
		{.of = {[A] = {1, 4, 7}}, .peak = 8}},
	{"a fork has its parent's break",
		{{BRK, 10, 0, 0, 0, 0, 0}, {FORK, 0, 0, 0, 0, 0, 0}, {BRK, 12, 0, 0, 0, 0, 1}},
		{.of = {[O] = {1, 2, 0}}, .peak = 2}},
	{"the end of an address space is no munmap",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {DROP, 0, 0, 0, 0, 0, 0},
			{MMAP, 0, 3, ANON, 0, 0, 0}},
		{.of = {[A] = {2, 7, 0}}, .peak = 4}},
	{"a restart forgets the counts, not the regions",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MUNMAP, 0, 1, 0, 0, 0, 0},
			{RESTART, 0, 0, 0, 0, 0, 0}, {MUNMAP, 1, 1, 0, 0, 0, 0}},
		{.of = {[A] = {0, 0, 1}}, .peak = 3}},
	{"a munmap seen late leaves the new region alone",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 1, 2, FILE_, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}, {MUNMAP, 1, 2, 0, 0, 0, 0}},
		{.of = {[A] = {1, 4, 4}, [F] = {1, 2, 2}}, .peak = 4}},
	{"two munmaps of one region, both seen late",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 0, 4, FILE_, 0, 0, 0},
			{MUNMAP, 3, 1, 0, 0, 0, 0}, {MUNMAP, 0, 3, 0, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}},
		{.of = {[A] = {1, 4, 4}, [F] = {1, 4, 4}}, .peak = 4}},
};

static void take_step(struct mappings *m, const struct step *s)
{
	uint64_t at = BASE + s->at * PAGE;

	switch (s->op) {
	case NONE:
		break;
	case MMAP: /* lengths are rounded up */
		do_mmap(m, s->mm, at, s->len * PAGE - 1, s->flags);
		break;
	case MUNMAP:
		do_munmap(m, s->mm, at, s->len * PAGE - PAGE + 1);
		break;
	case MREMAP:
		do_mremap(m, s->mm,
			(struct remap){BASE + s->old_at * PAGE, s->old_len * PAGE, at,
				s->len * PAGE, s->flags});
		break;
	case BRK:
		do_brk(m, s->mm, at + s->len);
		break;
	case FORK:
		mappings_fork(m, s->mm, s->mm + 1);
		break;
	case DROP:
		mappings_drop(m, s->mm);
		break;
	case RESTART:
		mappings_restart(m);
		break;
	}
}

static void each_rule(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct mappings *m = mappings_new();

		for (size_t k = 0; k < 5; k++)
			take_step(m, &rules[i].steps[k]);
		failed += check(rules[i].what, m, &rules[i].expect);
		mappings_free(m);
	}
	assert_int_equal(failed, 0);
}

/* ---- which munmap took the last of a mapping ---- */

static const struct {
	const char *what;
	struct step steps[6];
	uint64_t anonymous, file;
} ends[] = {
	{"one and another",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 9, 4, FILE_, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}, {MUNMAP, 9, 4, 0, 0, 0, 0}},
		1, 1},
	{"a file is mapped and unmapped, what is anonymous stays",
		{{MMAP, 0, 1, FILE_, 0, 0, 0}, {MUNMAP, 0, 1, 0, 0, 0, 0},
			{MMAP, 0, 1, ANON, 0, 0, 0}, {MMAP, 1, 1, FILE_, 0, 0, 0},
			{MUNMAP, 1, 1, 0, 0, 0, 0}, {MMAP, 1, 1, ANON, 0, 0, 0}},
		0, 2},
	{"neighbours are one region and two mappings",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 4, 4, ANON, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}, {MUNMAP, 4, 4, 0, 0, 0, 0}},
		2, 0},
	{"one call takes both",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 4, 4, ANON, 0, 0, 0},
			{MUNMAP, 0, 8, 0, 0, 0, 0}},
		1, 0},
	{"both ends are trimmed: it stays",
		{{MMAP, 0, 8, ANON, 0, 0, 0}, {MUNMAP, 0, 2, 0, 0, 0, 0},
			{MUNMAP, 6, 2, 0, 0, 0, 0}},
		0, 0},
	{"both ends are trimmed, then it goes",
		{{MMAP, 0, 8, ANON, 0, 0, 0}, {MUNMAP, 0, 2, 0, 0, 0, 0},
			{MUNMAP, 6, 2, 0, 0, 0, 0}, {MUNMAP, 2, 4, 0, 0, 0, 0}},
		1, 0},
	{"the end is trimmed, another comes there, the first goes, then the other",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MUNMAP, 3, 1, 0, 0, 0, 0},
			{MMAP, 3, 1, ANON, 0, 0, 0}, {MUNMAP, 0, 3, 0, 0, 0, 0},
			{MUNMAP, 3, 1, 0, 0, 0, 0}},
		2, 0},
	{"page by page is one",
		{{MMAP, 0, 3, ANON, 0, 0, 0}, {MUNMAP, 0, 1, 0, 0, 0, 0},
			{MUNMAP, 1, 1, 0, 0, 0, 0}, {MUNMAP, 2, 1, 0, 0, 0, 0}},
		1, 0},
	{"a fixed mapping over it is no munmap",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 0, 4, FILE_ | MAP_FIXED, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}},
		0, 1},
	{"moved, and unmapped there",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MREMAP, 20, 6, MREMAP_MAYMOVE, 0, 4, 0},
			{MUNMAP, 20, 6, 0, 0, 0, 0}},
		1, 0},
	{"moved: where it was there is nothing",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MREMAP, 20, 4, MREMAP_MAYMOVE, 0, 4, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}},
		0, 0},
	{"grown, then unmapped in two",
		{{MMAP, 0, 2, ANON, 0, 0, 0}, {MREMAP, 0, 4, 0, 0, 2, 0},
			{MUNMAP, 0, 2, 0, 0, 0, 0}, {MUNMAP, 2, 2, 0, 0, 0, 0}},
		1, 0},
	{"shrunk, then unmapped",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MREMAP, 0, 2, 0, 0, 4, 0},
			{MUNMAP, 0, 2, 0, 0, 0, 0}},
		1, 0},
	{"two munmaps seen after the mapping that followed",
		{{MMAP, 0, 4, ANON, 0, 0, 0}, {MMAP, 0, 4, ANON, 0, 0, 0},
			{MUNMAP, 0, 4, 0, 0, 0, 0}, {MUNMAP, 0, 4, 0, 0, 0, 0}},
		2, 0},
	{"of another address space", {{MMAP, 0, 4, ANON, 0, 0, 0}, {MUNMAP, 0, 4, 0, 0, 0, 1}}, 0,
		0},
	{"what no traced call mapped", {{MUNMAP, 0, 4, 0, 0, 0, 0}}, 0, 0},
};

static void each_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct mappings *m = mappings_new();
		struct res_result *r = result_new();

		for (size_t k = 0; k < 6; k++)
			take_step(m, &ends[i].steps[k]);
		mappings_result(m, r);
		if (r->mappings->anonymous->unmaps != ends[i].anonymous ||
			r->mappings->file->unmaps != ends[i].file)
			fail_msg("%s: %llu and %llu of files", ends[i].what,
				(unsigned long long)r->mappings->anonymous->unmaps,
				(unsigned long long)r->mappings->file->unmaps);
		result_free(r);
		mappings_free(m);
	}
}

/* What lives longer than CHURN_MAX mappings is forgotten, and memory is bounded by that. */
static void the_oldest_is_forgotten(void **state)
{
	struct mappings *m = mappings_new();
	struct res_result *r = result_new();

	(void)state;
	for (uint64_t i = 0; i <= CHURN_MAX; i++)
		do_mmap(m, 0, BASE + 2 * i * PAGE, PAGE, ANON);
	for (uint64_t i = 0; i <= CHURN_MAX; i++)
		do_munmap(m, 0, BASE + 2 * i * PAGE, PAGE);
	mappings_result(m, r);
	assert_int_equal(r->mappings->anonymous->unmaps, CHURN_MAX);
	result_free(r);
	mappings_free(m);
}

static void what_is_ignored(void **state)
{
	struct mappings *m = mappings_new();
	struct sys_event ev = {.def = &mmap_def, .args = {0, PAGE, 3, ANON}, .ret = -12};
	struct sums nothing = {0};

	(void)state;
	mappings_add(m, &ev);
	ev.ret = -4095;
	mappings_add(m, &ev);
	ev.ret = (int64_t)BASE;
	ev.outcome = SYS_NO_RETURN;
	mappings_add(m, &ev);
	ev.outcome = SYS_INTERRUPTED;
	mappings_add(m, &ev);
	ev.outcome = SYS_RETURNED;
	ev.def = &other_def;
	mappings_add(m, &ev);
	mappings_drop(m, 77);
	mappings_fork(m, 77, 78);
	assert_int_equal(check("ignored", m, &nothing), 0);
	assert_int_equal(mappings_brk(m, 0), 0);
	mappings_free(m);
	mappings_free(NULL);
}

static void the_last_break(void **state)
{
	struct mappings *m = mappings_new();

	(void)state;
	do_brk(m, 1, BASE + 5);
	assert_int_equal(mappings_brk(m, 1), BASE + 5);
	assert_int_equal(mappings_brk(m, 2), 0);
	mappings_fork(m, 1, 2);
	assert_int_equal(mappings_brk(m, 2), BASE + 5);
	mappings_drop(m, 1);
	assert_int_equal(mappings_brk(m, 1), 0);
	mappings_fork(m, 2, 2);
	assert_int_equal(mappings_brk(m, 2), BASE + 5);
	mappings_free(m);
}

/* Every combination of odd addresses and lengths in every argument: it ends, and nothing breaks. */
static void hostile_arguments(void **state)
{
	static const uint64_t odd[] = {0, 1, PAGE, BASE, BASE + 1, 1ULL << 47, (1ULL << 57) - PAGE,
		1ULL << 57, INT64_MAX, 1ULL << 63, UINT64_MAX - PAGE, UINT64_MAX};
	enum { N = sizeof(odd) / sizeof(odd[0]) };
	struct mappings *m = mappings_new();
	struct res_result *r = result_new();

	(void)state;
	for (size_t i = 0; i < (size_t)N * N * N; i++) {
		uint64_t a = odd[i % N], b = odd[i / N % N], c = odd[i / N / N];

		do_mmap(m, 0, a, b, ANON | (i % 2 ? MAP_FIXED : 0) | (c << MAP_HUGE_SHIFT));
		do_mremap(m, 0, (struct remap){a, b, c, b, i % 8});
		do_mremap(m, 0, (struct remap){a, b, c, a, i % 8});
		do_munmap(m, 0, c, b);
		do_brk(m, 0, a);
	}
	mappings_fork(m, 0, 1);
	mappings_drop(m, 0);
	mappings_drop(m, 1);
	mappings_result(m, r);
	assert_true(r->mappings->anonymous->mapped <= INT64_MAX);
	assert_true(r->mappings->other->unmapped <= INT64_MAX);
	mappings_restart(m);
	mappings_result(m, r);
	assert_int_equal(r->mappings->peak_mapped, 0); /* all that was mapped is gone */
	mappings_free(m);
	result_free(r);
}

/* More regions than the kernel allows, taken away in another order. Quadratic work would show as
 * minutes. */
static void many_regions(void **state)
{
	enum { REGIONS = 1 << 17 };
	struct mappings *m = mappings_new();
	struct sums expect = {
		.of = {[A] = {REGIONS + 1, REGIONS + 10, REGIONS + 10}}, .peak = REGIONS + 10};

	(void)state;
	for (uint64_t i = 0; i < REGIONS; i++)
		do_mmap(m, 0, BASE + i * 2 * PAGE, PAGE, ANON);
	do_mmap(m, 0, BASE - 10 * PAGE, 10 * PAGE, ANON);
	for (uint64_t i = 0; i < REGIONS; i++)
		do_munmap(m, 0, BASE + (i * 48271 % REGIONS) * 2 * PAGE, PAGE);
	do_munmap(m, 0, BASE - 10 * PAGE, 10 * PAGE);
	assert_int_equal(check("many regions", m, &expect), 0);
	mappings_free(m);
}

/* More overtaken regions than are remembered: the sums are right all the same. */
static void many_late_munmaps(void **state)
{
	enum { REGIONS = 500 };
	struct mappings *m = mappings_new();
	struct sums sums;

	(void)state;
	for (uint64_t i = 0; i < REGIONS; i++) {
		do_mmap(m, 0, BASE + i * 2 * PAGE, PAGE, ANON);
		do_mmap(m, 0, BASE + i * 2 * PAGE, PAGE, FILE_);
	}
	for (uint64_t i = REGIONS - 64; i < REGIONS; i++)
		do_munmap(m, 0, BASE + i * 2 * PAGE, PAGE);
	sums = sums_of(m);
	assert_int_equal(sums.of[A].unmapped, REGIONS);
	assert_int_equal(sums.of[F].unmapped, 0);
	assert_int_equal(sums.peak, REGIONS);
	mappings_free(m);
}

/* ---- against a map of single pages ---- */

enum { PAGES = 128, SPACES = 3 };

struct model {
	uint8_t page[SPACES][PAGES]; /* 0: not known; else kind + 1 */
	uint64_t brk[SPACES];        /* in pages; 0: unknown */
	uint64_t now;
	struct sums sums;
};

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static int is_free(const struct model *o, uint32_t mm, uint64_t at, uint64_t len)
{
	if (at + len > PAGES)
		return 0;
	for (uint64_t i = at; i < at + len; i++)
		if (o->page[mm][i])
			return 0;
	return 1;
}

static void model_unmap(struct model *o, uint32_t mm, uint64_t i, int unknown_too)
{
	if (o->page[mm][i]) {
		o->sums.of[o->page[mm][i] - 1].unmapped++;
		o->now--;
	} else if (unknown_too) {
		o->sums.of[O].unmapped++;
	}
	o->page[mm][i] = 0;
}

static void model_map(struct model *o, uint32_t mm, uint64_t i, int kind)
{
	o->page[mm][i] = (uint8_t)(kind + 1);
	o->sums.of[kind].mapped++;
	o->now++;
}

static void random_mmap(struct model *o, struct mappings *m, uint32_t mm, uint64_t *rng)
{
	static const uint64_t flags[] = {ANON, FILE_, ANON | MAP_STACK};
	uint64_t at = random_next(rng) % PAGES, len = 1 + random_next(rng) % 20;
	int kind = (int)(random_next(rng) % 3), fixed = random_next(rng) % 3 == 0;

	if (at + len > PAGES || (!fixed && !is_free(o, mm, at, len)))
		return;
	for (uint64_t i = at; i < at + len; i++) {
		model_unmap(o, mm, i, 0);
		model_map(o, mm, i, kind);
	}
	o->sums.of[kind].maps++;
	do_mmap(m, mm, BASE + at * PAGE, len * PAGE - random_next(rng) % PAGE,
		flags[kind] | (fixed ? MAP_FIXED : 0));
}

static void random_munmap(struct model *o, struct mappings *m, uint32_t mm, uint64_t *rng)
{
	uint64_t at = random_next(rng) % PAGES, len = 1 + random_next(rng) % 20;

	if (at + len > PAGES)
		return;
	for (uint64_t i = at; i < at + len; i++)
		model_unmap(o, mm, i, 1);
	do_munmap(m, mm, BASE + at * PAGE, len * PAGE);
}

static void random_brk(struct model *o, struct mappings *m, uint32_t mm, uint64_t *rng)
{
	uint64_t at = 1 + random_next(rng) % (PAGES - 1), old = o->brk[mm];

	if (old && at > old && !is_free(o, mm, old, at - old))
		return;
	for (uint64_t i = at; i < old; i++)
		model_unmap(o, mm, i, 1);
	for (uint64_t i = old; old && i < at; i++)
		model_map(o, mm, i, O);
	o->sums.of[O].maps += old && at > old;
	o->brk[mm] = at;
	do_brk(m, mm, BASE + at * PAGE);
}

/* What mremap does, page by page. `to` is free or to be replaced. */
static void model_mremap(struct model *o, uint32_t mm, struct remap r)
{
	int kind = o->page[mm][r.from + (r.old_len ? r.old_len - 1 : 0)];
	int copy = r.old_len == 0 || r.flags & MREMAP_DONTUNMAP;
	uint8_t moved[PAGES] = {0};

	if (copy)
		kind = o->page[mm][r.from];
	kind = kind ? kind - 1 : O;
	for (uint64_t i = r.new_len; i < r.old_len && !copy; i++)
		model_unmap(o, mm, r.from + i, 1);
	for (uint64_t i = 0; i < r.old_len && i < r.new_len && !copy; i++) {
		moved[i] = o->page[mm][r.from + i];
		o->page[mm][r.from + i] = 0;
	}
	for (uint64_t i = 0; i < r.new_len; i++) {
		model_unmap(o, mm, r.to + i, 0);
		if (copy || i >= r.old_len)
			model_map(o, mm, r.to + i, kind);
		else
			o->page[mm][r.to + i] = moved[i];
	}
	o->sums.of[kind].maps += copy != 0;
}

static void random_mremap(struct model *o, struct mappings *m, uint32_t mm, uint64_t *rng)
{
	struct remap r = {random_next(rng) % PAGES, random_next(rng) % 12, random_next(rng) % PAGES,
		1 + random_next(rng) % 12, MREMAP_MAYMOVE};
	uint64_t variant = random_next(rng) % 4,
		 span = r.old_len > r.new_len ? r.old_len : r.new_len;

	if (variant == 0)
		r.to = r.from;
	if (variant == 1)
		r.flags |= MREMAP_FIXED;
	if (variant == 2) {
		r.flags |= MREMAP_DONTUNMAP;
		r.old_len = r.new_len;
	}
	if (r.from + span > PAGES || r.to + span > PAGES)
		return;
	if (variant == 0 &&
		(r.old_len == 0 || (r.new_len > r.old_len && !is_free(o, mm, r.from + r.old_len,
								     r.new_len - r.old_len))))
		return;
	if (variant != 0 && r.to < r.from + span && r.from < r.to + span)
		return;
	if (variant >= 2 && !is_free(o, mm, r.to, r.new_len))
		return;
	model_mremap(o, mm, r);
	r.from = BASE + r.from * PAGE;
	r.to = BASE + r.to * PAGE;
	r.old_len *= PAGE;
	r.new_len *= PAGE;
	do_mremap(m, mm, r);
}

static void drop_space(struct model *o, uint32_t mm)
{
	for (uint64_t i = 0; i < PAGES; i++)
		o->now -= o->page[mm][i] != 0;
	memset(o->page[mm], 0, sizeof(o->page[mm]));
	o->brk[mm] = 0;
}

static void random_life(struct model *o, struct mappings *m, uint32_t mm, uint64_t *rng)
{
	uint32_t child = (mm + 1) % SPACES;

	switch (random_next(rng) % 3) {
	case 0:
		drop_space(o, child);
		memcpy(o->page[child], o->page[mm], sizeof(o->page[mm]));
		o->brk[child] = o->brk[mm];
		for (uint64_t i = 0; i < PAGES; i++)
			o->now += o->page[mm][i] != 0;
		mappings_fork(m, mm, child);
		break;
	case 1:
		drop_space(o, mm);
		mappings_drop(m, mm);
		break;
	default:
		o->sums = (struct sums){.peak = o->now};
		mappings_restart(m);
	}
}

static void random_calls_agree_with_pages(void **state)
{
	static void (*const ops[])(
		struct model * o, struct mappings * m, uint32_t mm, uint64_t * rng) = {
		random_mmap, random_mmap, random_munmap, random_mremap, random_mremap, random_brk};
	struct mappings *m = mappings_new();
	struct model *o = calloc(1, sizeof(*o));
	uint64_t rng = 7;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		uint32_t mm = (uint32_t)(random_next(&rng) % SPACES);
		uint64_t op = random_next(&rng) % 200;

		if (op == 199)
			random_life(o, m, mm, &rng);
		else
			ops[op % 6](o, m, mm, &rng);
		if (o->now > o->sums.peak)
			o->sums.peak = o->now;
		if (check("against pages", m, &o->sums))
			fail_msg("after %d calls", i);
	}
	mappings_free(m);
	free(o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule),
		cmocka_unit_test(each_end),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(what_is_ignored),
		cmocka_unit_test(the_last_break),
		cmocka_unit_test(hostile_arguments),
		cmocka_unit_test(many_regions),
		cmocka_unit_test(many_late_munmaps),
		cmocka_unit_test(random_calls_agree_with_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
