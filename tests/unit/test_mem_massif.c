/* SPDX-License-Identifier: GPL-3.0-only */
/* The parser of massif's files: recorded ones, written ones, hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "mem/folded.h"
#include "mem/massif.h"

#define NONE UINT64_MAX

static char *data_path(const char *name)
{
	const char *slash = strrchr(__FILE__, '/');
	int dir = slash ? (int)(slash - __FILE__) : 0;

	return mem_printf("%.*s%sdata/massif-%s.out", dir, __FILE__, dir ? "/" : "", name);
}

static int is_text(struct massif_text t, const char *want)
{
	return t.at && t.len == strlen(want) && !memcmp(t.at, want, t.len);
}

/* ---- recorded files ---- */

static const struct file_case {
	const char *name, *unit;
	size_t snapshots;
	double peak_time;
	uint64_t peak_heap, peak_extra, peak_stacks, end_heap;
	size_t nodes; /* 0: no tree */
	uint64_t tree_heap;
	const char *first_site; /* function of the first row below the root */
	uint64_t unknown, bad;
	int short_tree;
} files[] = {
	/* 3.19, heap.c's case peak */
	{"default", "i", 7, 2537738, 1350000, 24, NONE, 50000, 13, 1350000, "heap_block", 0, 0, 0},
	{"threshold0", "i", 7, 2537738, 1350000, 24, NONE, 50000, 13, 1350000, "heap_block", 0, 0,
		0},
	{"depth", "i", 7, 2537738, 1350000, 24, NONE, 50000, 9, 1350000, "heap_block", 0, 0, 0},
	/* case steps 12 5000, every snapshot detailed */
	{"detailed1", "B", 13, 60192, 60000, 192, NONE, 60000, 5, 60000, "heap_block", 0, 0, 0},
	{"ms", "ms", 4, 248, 3000, 48, NONE, 3000, 0, 0, NULL, 0, 0, 0},
	{"pages", "i", 36, 2528542, 5550080, NONE, NONE, 4542464, 0, 0, NULL, 0, 0, 0},
	{"stacks", "i", 75, 1336996, 1350000, 24, 480, 50000, 0, 1350000, "heap_block", 0, 0, 0},
	{"cxx", "i", 11, 2032960, 368776, 96, NONE, 96072, 0, 368776, "allocate", 0, 0, 0},
	/* header at the end, seconds with a fraction, a tree that does not add up */
	{"heaptrack", "s", 2, 0, 50000, NONE, NONE, 50000, 2, 50000,
		"in 2 places, all below massif's threshold (1)", 0, 0, 0},
	/* of old versions, by hand */
	{"3.2", "ms", 3, 12, 40000, 64, NONE, 10000, 5, 40000, "g", 1, 0, 0},
	{"crlf", "ms", 3, 12, 40000, 64, NONE, 10000, 5, 40000, "g", 1, 0, 0},
	/* hardly anything that massif writes */
	{"bare", NULL, 2, 1.5, 300, NONE, NONE, 300, 2, 300, "main;x::y", 2, 0, 0},
};

static void recorded(void **state)
{
	const struct file_case *c = *state;
	char *path = data_path(c->name);
	struct err err = {0};
	struct massif m;

	assert_int_equal(massif_read(path, &m, &err), 0);
	const struct massif_snapshot *peak = &m.snapshots.at[m.peak];
	const struct massif_snapshot *last = &m.snapshots.at[m.snapshots.len - 1];

	if (c->unit)
		assert_true(is_text(m.time_unit, c->unit));
	else
		assert_null(m.time_unit.at);
	if (c->snapshots)
		assert_int_equal(m.snapshots.len, c->snapshots);
	if (c->peak_time > 0)
		assert_true(peak->time == c->peak_time);
	if (c->peak_heap)
		assert_int_equal(peak->heap_bytes, c->peak_heap);
	assert_true(peak->extra_bytes == c->peak_extra);
	assert_true(peak->stacks_bytes == c->peak_stacks);
	if (c->end_heap)
		assert_int_equal(last->heap_bytes, c->end_heap);
	if (c->nodes)
		assert_int_equal(m.nodes.len, c->nodes);
	if (c->tree_heap)
		assert_int_equal(m.nodes.at[0].bytes, c->tree_heap);
	if (c->first_site) {
		assert_true(m.nodes.len > 1);
		assert_true(is_text(m.nodes.at[1].function, c->first_site));
	}
	assert_int_equal(m.unknown_lines, c->unknown);
	assert_int_equal(m.bad_lines, c->bad);
	assert_int_equal(m.tree_short, c->short_tree);
	assert_int_equal(m.cut, 0);
	massif_release(&m);
	free(path);
}

/* ---- labels of the tree ---- */

#define HEAD "snapshot=0\ntime=1\nmem_heap_B=100\nheap_tree=peak\n"

static const struct label_case {
	const char *label, *function, *place;
	uint64_t address;
	enum massif_kind kind;
} labels[] = {
	{"0x109168: main (a.c:2)", "main", "a.c:2", 0x109168, MASSIF_PLACE},
	{"0xFFFFFFFFFFFFFFFF: f (x.c:1)", "f", "x.c:1", UINT64_MAX, MASSIF_PLACE},
	{"0x1: (below main) (libc-start.c:332)", "(below main)", "libc-start.c:332", 1,
		MASSIF_PLACE},
	{"0x1: (below main)", "(below main)", NULL, 1, MASSIF_PLACE},
	{"0x1: ??? (in /usr/bin/sleep)", "???", "in /usr/bin/sleep", 1, MASSIF_PLACE},
	{"0x1: ???", "???", NULL, 1, MASSIF_PLACE},
	{"0x1: f(int) (in /opt/my app (2)/lib (x).so)", "f(int)", "in /opt/my app (2)/lib (x).so",
		1, MASSIF_PLACE},
	{"0x1: n::box<void ()>::operator()(int) const (b.h:7)",
		"n::box<void ()>::operator()(int) const", "b.h:7", 1, MASSIF_PLACE},
	{"0x1: f (\xc3\xa9 \xff.c:1)", "f", "\xc3\xa9 \xff.c:1", 1, MASSIF_PLACE},
	{"0x1: a;b <&\"> (q.c:1)", "a;b <&\">", "q.c:1", 1, MASSIF_PLACE},
	{"0x: x", "0x: x", NULL, 0, MASSIF_PLACE},
	{"0x12345678901234567: x", "0x12345678901234567: x", NULL, 0, MASSIF_PLACE},
	{"0x1", "0x1", NULL, 0, MASSIF_PLACE},
	{"", "", NULL, 0, MASSIF_PLACE},
	{"()", "()", NULL, 0, MASSIF_PLACE},
	{"in 1 place, below massif's threshold (1.00%)",
		"in 1 place, below massif's threshold (1.00%)", NULL, 0, MASSIF_BELOW},
	{"in 12 places, all below massif's threshold (01.00%)",
		"in 12 places, all below massif's threshold (01.00%)", NULL, 0, MASSIF_BELOW},
	{"in place (x.c:1)", "in place", "x.c:1", 0, MASSIF_PLACE},
};

static void label(void **state)
{
	const struct label_case *c = *state;
	char *text = mem_printf(HEAD "n1: 100 root\n n0: 100 %s\n", c->label);
	struct massif m;

	assert_int_equal(massif_parse(&m, text, strlen(text), NULL), 0);
	assert_int_equal(m.nodes.len, 2);
	assert_int_equal(m.nodes.at[1].kind, c->kind);
	assert_true(m.nodes.at[1].address == c->address);
	assert_true(is_text(m.nodes.at[1].function, c->function));
	if (c->place)
		assert_true(is_text(m.nodes.at[1].place, c->place));
	else
		assert_null(m.nodes.at[1].place.at);
	massif_release(&m);
	free(text);
}

/* ---- what is not as it should be ---- */

static const struct text_case {
	const char *name, *text;
	int fails;
	size_t snapshots, nodes;
	int cut, tree_short;
	uint64_t bad, unknown;
} texts[] = {
	{"nothing", "", 1, 0, 0, 0, 0, 0, 0},
	{"words", "hello\nworld\n", 1, 0, 0, 0, 0, 0, 0},
	{"header only", "desc: x\ncmd: y\ntime_unit: i\n", 1, 0, 0, 0, 0, 0, 0},
	{"cut in a number",
		"snapshot=0\ntime=1\nmem_heap_B=10\nheap_tree=empty\nsnapshot=1\ntime=2\nmem_heap_"
		"B=10",
		0, 1, 0, 1, 0, 0, 0},
	{"cut before the tree is told",
		"snapshot=0\ntime=1\nmem_heap_B=10\nheap_tree=empty\nsnapshot=1\ntime=2\n"
		"mem_heap_B=10\n",
		0, 2, 0, 1, 0, 0, 0},
	{"cut after snapshot=", "snapshot=0\ntime=1\nmem_heap_B=10\nheap_tree=empty\nsnapshot=1\n",
		0, 1, 0, 1, 0, 0, 0},
	{"cut in the tree", HEAD "n2: 100 root\n n0: 60 0x1: a (x.c:1)\n n0: 4", 0, 1, 3, 1, 0, 0,
		0},
	{"tree lacks a line", HEAD "n2: 100 root\n n0: 60 0x1: a (x.c:1)\n", 0, 1, 2, 0, 1, 0, 0},
	{"tree has too many lines", HEAD "n0: 100 root\n n0: 60 0x1: a (x.c:1)\n", 0, 1, 2, 0, 1, 0,
		0},
	{"tree without a root", HEAD "  n0: 100 0x1: a (x.c:1)\n", 0, 1, 0, 0, 1, 0, 0},
	{"a depth is missing", HEAD "n1: 100 root\n   n0: 100 0x1: a (x.c:1)\n", 0, 1, 1, 0, 1, 0,
		0},
	{"a second root", HEAD "n0: 100 root\nn0: 50 root\n", 0, 1, 1, 0, 1, 0, 0},
	{"no tree though told", HEAD, 0, 1, 0, 0, 0, 0, 0},
	{"bytes of a node are none", HEAD "n1: 100 root\n n0: x 0x1: a\n", 0, 1, 1, 0, 1, 0, 0},
	{"bytes above int64",
		"snapshot=0\ntime=1\nmem_heap_B=9223372036854775808\n"
		"snapshot=1\ntime=1\nmem_heap_B=9223372036854775807\nmem_heap_extra_B="
		"9223372036854775807\n"
		"mem_stacks_B=9223372036854775807\n",
		0, 1, 0, 0, 0, 2, 0},
	{"negative bytes", "snapshot=0\ntime=1\nmem_heap_B=-5\nsnapshot=1\ntime=2\nmem_heap_B=5\n",
		0, 1, 0, 0, 0, 2, 0},
	{"times that are none",
		"snapshot=0\ntime=nan\nmem_heap_B=1\nsnapshot=1\ntime=1e999\nmem_heap_B=1\n"
		"snapshot=2\ntime=-1\nmem_heap_B=1\nsnapshot=3\ntime=1x\nmem_heap_B=1\n"
		"snapshot=4\ntime=2e3\nmem_heap_B=1\n",
		0, 1, 0, 0, 0, 8, 0},
	{"an unknown kind of tree", "snapshot=0\ntime=1\nmem_heap_B=1\nheap_tree=new\n", 0, 1, 0, 0,
		0, 1, 0},
	{"unknown lines", "mem_heap_B=5\nsnapshot=0\ntime=1\nmem_heap_B=1\nmem_gpu_B=9\nfoo\n", 0,
		1, 0, 0, 0, 0, 3},
};

static void text(void **state)
{
	const struct text_case *c = *state;
	struct err err = {0};
	struct massif m;
	int rc = massif_parse(&m, c->text, strlen(c->text), &err);

	if (c->fails) {
		assert_true(rc < 0);
		assert_non_null(strstr(err.text, "no file of massif"));
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(m.snapshots.len, c->snapshots);
	assert_int_equal(m.nodes.len, c->nodes);
	assert_int_equal(m.cut, c->cut);
	assert_int_equal(m.tree_short, c->tree_short);
	assert_int_equal(m.bad_lines, c->bad);
	assert_int_equal(m.unknown_lines, c->unknown);
	assert_true(massif_total(&m.snapshots.at[m.peak]) <= INT64_MAX);
	massif_release(&m);
}

/* Every start of every recorded file, and each with a byte changed, is read or refused. */
static void starts_and_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = data_path(files[i].name), *all;
		size_t len;

		assert_int_equal(file_read(path, 1 << 20, &all, &len, NULL), 0);
		for (size_t n = 0; n < len; n += 1 + len / 400) {
			/* A copy of its own, so that a sanitizer sees a read behind its end. */
			char *part = malloc(n ? n : 1);
			struct massif m;

			assert_non_null(part);
			memcpy(part, all, n);
			if (massif_parse(&m, part, n, NULL) == 0)
				massif_release(&m);
			if (n > 0) {
				part[n * 7919 % n] = (char)(n * 31);
				if (massif_parse(&m, part, n, NULL) == 0)
					massif_release(&m);
			}
			free(part);
		}
		free(all);
		free(path);
	}
}

static void garbage(void **state)
{
	uint64_t random = 88172645463325252ULL;
	char buf[4096];

	(void)state;
	for (int round = 0; round < 200; round++) {
		static const char *const bits[] = {"snapshot=", "time=", "mem_heap_B=",
			"heap_tree=peak", "n1: 5 x", " n0: 3 0x1: f (", "\n", "\n", "\n", "\r",
			"9999999999", "0", "", "\xff", "  "};
		size_t len = 0;

		while (len < sizeof(buf) - 32) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			const char *bit = bits[random % (sizeof(bits) / sizeof(bits[0]))];

			memcpy(buf + len, bit, strlen(bit));
			len += strlen(bit);
			if (!*bit)
				buf[len++] = '\0';
		}
		struct massif m;

		if (massif_parse(&m, buf, len, NULL) == 0)
			massif_release(&m);
	}
}

static void files_that_are_none(void **state)
{
	struct err err = {0};
	struct massif m;

	(void)state;
	assert_int_equal(massif_read("/nonexistent/x", &m, &err), -2);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	err = (struct err){0};
	assert_true(massif_read("/", &m, &err) < 0);
	assert_non_null(strstr(err.text, "plain file"));
	err = (struct err){0};
	assert_true(massif_read("/dev/zero", &m, &err) < 0);
	char *path = data_path("empty");

	err = (struct err){0};
	assert_true(massif_read(path, &m, &err) < 0);
	assert_non_null(strstr(err.text, "empty"));
	free(path);
}

/* ---- which snapshot is the peak, which tree is taken ---- */

static void peak_and_tree(void **state)
{
	static const char some[] =
		"desc: --threshold=2.5 --stacks=yes\n"
		"snapshot=0\ntime=1\nmem_heap_B=10\nmem_stacks_B=0\nheap_tree=detailed\nn0: 10 a\n"
		"snapshot=1\ntime=2\nmem_heap_B=99\nmem_stacks_B=0\nheap_tree=peak\nn0: 99 b\n"
		"snapshot=2\ntime=3\nmem_heap_B=90\nmem_stacks_B=10\nheap_tree=detailed\nn0: 90 "
		"c\n";
	struct massif m;

	(void)state;
	assert_int_equal(massif_parse(&m, some, strlen(some), NULL), 0);
	assert_int_equal(m.peak, 2); /* with the stacks */
	assert_int_equal(m.tree, 1); /* what massif calls the peak */
	assert_true(is_text(m.nodes.at[0].function, "b"));
	assert_true(massif_has_option(&m, "--stacks=yes"));
	assert_false(massif_has_option(&m, "--stacks"));
	assert_true(massif_option(&m, "--threshold=", 1) == 2.5);
	assert_true(massif_option(&m, "--depth=", 30) == 30);
	assert_int_equal(m.snapshots.at[0].stacks_bytes, 0); /* asked, so 0 is a measure */
	massif_release(&m);
}

static void huge_depth(void **state)
{
	enum { DEPTH = 3000 };
	struct massif m;
	struct out o, folded;
	uint64_t left_out;

	(void)state;
	out_init_mem(&o);
	out_str(&o, HEAD);
	for (int i = 0; i < DEPTH; i++)
		out_printf(&o, "%*sn%d: 100 0x1: f%d (x.c:1)\n", i, "", i + 1 < DEPTH, i);
	assert_int_equal(massif_parse(&m, out_text(&o), o.len, NULL), 0);
	assert_int_equal(m.nodes.len, DEPTH);
	assert_int_equal(m.tree_short, 0);
	out_init_mem(&folded);
	folded_write(&m, &folded, &left_out);
	assert_int_equal(left_out, 0);
	assert_true(!strncmp(out_text(&folded), "f2999;f2998;", 12));
	out_release(&folded);
	massif_release(&m);
	out_release(&o);
}

/* ---- folded stacks ---- */

static const struct folded_case {
	const char *name, *tree, *want;
} foldeds[] = {
	{"callers first", "n1: 9 root\n n1: 9 0x1: a (x.c:1)\n  n0: 9 0x2: main (x.c:2)\n",
		"main;a 9\n"},
	{"same stack merged", "n2: 9 root\n n0: 5 0x1: a (x.c:1)\n n0: 4 0x2: a (x.c:2)\n",
		"a 9\n"},
	{"sorted", "n2: 9 root\n n0: 5 0x1: b (x.c:1)\n n0: 4 0x2: a (x.c:2)\n", "a 4\nb 5\n"},
	{"below the threshold",
		"n2: 9 root\n n1: 5 0x1: b (x.c:1)\n  n0: 5 in 2 places, below massif's threshold "
		"(1.00%)\n"
		" n0: 4 in 3 places, below massif's threshold (1.00%)\n",
		"[below threshold] 4\n[below threshold];b 5\n"},
	{"remainder", "n1: 9 root\n n1: 6 0x1: b (x.c:1)\n  n0: 4 0x2: a (x.c:2)\n",
		"[not told by the profile] 3\na;b 4\nb 2\n"},
	{"no symbol", "n2: 9 root\n n0: 5 0x1: ??? (in /usr/lib/libx.so.1)\n n0: 4 0x2: ???\n",
		"[libx.so.1] 5\n[unknown] 4\n"},
	{"separators in names", "n1: 9 root\n n0: 9 0x1: a;b\tc d (x.c:1)\n", "a:b c d 9\n"},
	{"children larger than the parent", "n1: 5 root\n n0: 9 0x1: a (x.c:1)\n", "a 9\n"},
	{"nothing held", "n1: 0 root\n n0: 0 0x1: a (x.c:1)\n", ""},
};

static void folded(void **state)
{
	const struct folded_case *c = *state;
	char *all = mem_printf(HEAD "%s", c->tree);
	uint64_t left_out;
	struct massif m;
	struct out o;

	assert_int_equal(massif_parse(&m, all, strlen(all), NULL), 0);
	out_init_mem(&o);
	folded_write(&m, &o, &left_out);
	assert_string_equal(out_text(&o), c->want);
	assert_int_equal(left_out, 0);
	out_release(&o);
	massif_release(&m);
	free(all);
}

/* A file can make stacks that are much longer than itself. */
static void folded_is_bounded(void **state)
{
	enum { DEPTH = 60, NAME = 4000, LEAVES = 3000 };
	struct out o, f;
	struct massif m;
	uint64_t left_out;
	char name[NAME + 1];

	(void)state;
	memset(name, 'x', NAME);
	name[NAME] = '\0';
	out_init_mem(&o);
	out_str(&o, HEAD "n1: 3000 root\n");
	for (int i = 1; i < DEPTH; i++)
		out_printf(&o, "%*sn%d: 3000 0x1: %s (x.c:1)\n", i, "", i + 1 < DEPTH ? 1 : LEAVES,
			name);
	for (int i = 0; i < LEAVES; i++)
		out_printf(&o, "%*sn0: 1 0x1: leaf%d (x.c:1)\n", DEPTH, "", i);
	assert_int_equal(massif_parse(&m, out_text(&o), o.len, NULL), 0);
	assert_int_equal(m.tree_short, 0);
	out_init_mem(&f);
	folded_write(&m, &f, &left_out);
	assert_true(f.total_bytes < FOLDED_MAX_BYTES + (1 << 20));
	assert_true(left_out > 0 && left_out < LEAVES);
	out_release(&f);
	massif_release(&m);
	out_release(&o);
}

/* ---- */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(starts_and_changes),
		cmocka_unit_test(garbage),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(peak_and_tree),
		cmocka_unit_test(huge_depth),
		cmocka_unit_test(folded_is_bounded),
	};
	struct CMUnitTest
		tests[COUNT(files) + COUNT(labels) + COUNT(texts) + COUNT(foldeds) + COUNT(single)];
	size_t n = 0;

#define ADD(table, fn, member)                                                                     \
	for (size_t i = 0; i < COUNT(table); i++)                                                  \
	tests[n++] = (struct CMUnitTest){(table)[i].member, fn, NULL, NULL, (void *)&(table)[i]}
	ADD(files, recorded, name);
	ADD(labels, label, label);
	ADD(texts, text, name);
	ADD(foldeds, folded, name);
	for (size_t i = 0; i < COUNT(single); i++)
		tests[n++] = single[i];
	return cmocka_run_group_tests_name("mem massif", tests, NULL, NULL);
}
