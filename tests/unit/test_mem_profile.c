/* SPDX-License-Identifier: GPL-3.0-only */
/* From massif's file to the profile, the plot, the command line; the files of several processes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/report/plot.h"
#include "common/model/json.h"
#include "mem/command.h"
#include "mem/files.h"
#include "mem/profile.h"
#include "mem/unseen.h"
#include "mem/wrapper.h"

static struct res_memory *profile(const char *text)
{
	struct res_memory *r = result_make(&schema_memory);
	struct massif m;

	assert_int_equal(massif_parse(&m, text, strlen(text), NULL), 0);
	r->complete = 1;
	profile_fill(r, &m);
	massif_release(&m);
	return r;
}

/* ---- the profile ---- */

static const char two_sites[] =
	"desc: --time-unit=i --threshold=0.5\ncmd: ./x\ntime_unit: i\n"
	"snapshot=0\ntime=0\nmem_heap_B=0\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=empty\n"
	"snapshot=1\ntime=10\nmem_heap_B=900\nmem_heap_extra_B=100\nmem_stacks_B=0\nheap_tree="
	"peak\n"
	"n5: 900 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n"
	" n2: 400 0x1: wide (a.c:1)\n"
	"  n0: 100 0x2: low (a.c:2)\n"
	"  n1: 300 0x3: high (a.c:3)\n"
	"   n0: 300 0x4: main (a.c:4)\n"
	" n0: 99 0x5: small (a.c:5)\n"
	" n0: 101 0x6: edge (a.c:6)\n"
	" n0: 150 0x7: twice (a.c:7)\n"
	" n0: 150 0x8: twice (a.c:7)\n"
	"snapshot=2\ntime=20\nmem_heap_B=7\nmem_heap_extra_B=1\nmem_stacks_B=0\nheap_tree=empty\n";

static void sites_and_points(void **state)
{
	struct res_memory *r = profile(two_sites);

	(void)state;
	assert_int_equal(r->complete, 1);
	assert_int_equal(r->warnings.len, 0);
	assert_int_equal(r->peak->total_bytes, 1000);
	assert_true(r->peak->stacks_bytes == U64_NONE);
	/* The last snapshot is not the end. */
	assert_null(r->held_at_end);
	assert_string_equal(r->peak_tree->moment, "peak");
	/* 10% of the total: 101 is one, 99 is not, 150 twice is one of 300. */
	assert_int_equal(r->sites.len, 3);
	assert_string_equal(r->sites.at[0].function, "wide");
	assert_string_equal(r->sites.at[0].place, "a.c:1");
	assert_true(r->sites.at[0].share == 0.4);
	assert_int_equal(r->sites.at[0].callers.len, 2);
	assert_string_equal(r->sites.at[0].callers.at[0], "high (a.c:3)");
	assert_string_equal(r->sites.at[0].callers.at[1], "main (a.c:4)");
	assert_string_equal(r->sites.at[1].function, "twice");
	assert_int_equal(r->sites.at[1].bytes, 300);
	assert_string_equal(r->sites.at[2].function, "edge");
	assert_int_equal(r->peak_tree->nodes.len, 9);
	assert_int_equal(r->peak_tree->nodes.at[3].depth, 2);
	assert_true(r->massif->threshold_percent == 0.5);
	assert_true(r->massif->peak_inaccuracy_percent == 1);
	assert_int_equal(r->massif->stacks, 0);
	result_free(r);
}

static int warned(const struct res_memory *r, const char *code)
{
	for (size_t i = 0; i < r->warnings.len; i++)
		if (!strcmp(r->warnings.at[i].code, code))
			return 1;
	return 0;
}

static void warnings(void **state)
{
	struct res_memory *r =
		profile("snapshot=0\ntime=0\nmem_heap_B=5\nheap_tree=empty\nx\nsnapshot=1\ntime=");

	(void)state;
	assert_int_equal(r->complete, 0);
	assert_true(warned(r, "massif_file_cut"));
	assert_true(warned(r, "massif_file_unknown"));
	assert_true(warned(r, "no_tree"));
	assert_null(r->peak_tree);
	assert_int_equal(r->sites.len, 0);
	/* Defaults of massif are not known to hold for others. */
	assert_true(isnan(r->massif->threshold_percent));
	result_free(r);
}

static void many_snapshots(void **state)
{
	enum { COUNT = 3 * PROFILE_SNAPSHOTS_MAX + 17 };
	struct out o;
	int peak_seen = 0;

	(void)state;
	out_init_mem(&o);
	for (int i = 0; i < COUNT; i++)
		out_printf(&o, "snapshot=%d\ntime=%d\nmem_heap_B=%d\nheap_tree=%s\n", i, i,
			i == 5001 ? 1000000 : i % 100, "empty");
	struct res_memory *r = profile(out_text(&o));

	assert_true(r->snapshots.len <= PROFILE_SNAPSHOTS_MAX);
	assert_int_equal(r->snapshots.len + r->snapshots_left_out, COUNT);
	for (size_t i = 0; i < r->snapshots.len; i++)
		peak_seen |= r->snapshots.at[i].snapshot == 5001;
	assert_true(peak_seen);
	result_free(r);
	out_release(&o);
}

static void json_round_trip(void **state)
{
	struct res_memory *r = profile(two_sites), *back;
	char dir[] = "/tmp/test-mem-XXXXXX", path[64];
	struct err err = {0};
	struct out o, again;
	void *doc;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.json", dir);
	out_init_mem(&o);
	json_write_doc(r, &o);
	assert_int_equal(file_write(path, out_text(&o), o.len, &err), 0);
	assert_int_equal(json_read_struct(path, &schema_memory, &doc, &err), 0);
	back = doc;
	out_init_mem(&again);
	json_write_doc(back, &again);
	assert_string_equal(out_text(&o), out_text(&again));
	out_release(&o);
	out_release(&again);
	result_free(back);
	result_free(r);
	unlink(path);
	rmdir(dir);
}

/* ---- the end, and the moment of the tree ---- */

#define SNAPSHOT(heap, tree)                                                                       \
	"desc: --time-unit=i --alloc-fn=mine(int)\ncmd: ./x\ntime_unit: i\nsnapshot=0\ntime=0\n"   \
	"mem_heap_B=" heap "\nmem_heap_extra_B=8\nmem_stacks_B=0\nheap_tree=" tree "\n"
#define TREE                                                                                       \
	"n1: 100 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n n0: 100 0x1: "  \
	"a (a.c:1)\n"
#define END(bytes)                                                                                 \
	"desc: xtree.produce_report\ncmd: ./x\ntime_unit: "                                        \
	"ms\nsnapshot=0\ntime=5\nmem_heap_B=" bytes                                                \
	"\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\nn1: " bytes                     \
	" curB : x\n n1: " bytes " 0x1: mine(int) (b.c:1)\n  n0: " bytes                           \
	" 0x2: b (b.c:2)\nsnapshot=1\ntime=5\nmem_heap_B=9\n"                                      \
	"mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=detailed\nn0: 9 curBk : y\n"

static void the_end(void **state)
{
	static const struct {
		const char *text, *end;    /* end NULL: there is no such file */
		uint64_t peak, held;       /* heap bytes; U64_NONE: null */
		const char *moment, *site; /* NULL: there is none */
		int warned;
	} rows[] = {
		{SNAPSHOT("100", "peak") TREE, END("0"), 100, 0, "peak", "a", 0},
		{SNAPSHOT("100", "peak") TREE, END("100"), 100, 100, "peak", "a", 0},
		{SNAPSHOT("100", "peak") TREE, END("500"), 500, 500, "end", "b", 0},
		{SNAPSHOT("500", "empty"), END("500"), 500, 500, "end", "b", 0},
		/* Within the 1% by which massif looks for a new peak. */
		{SNAPSHOT("505", "empty"), END("500"), 505, 500, "near", "b", 0},
		{SNAPSHOT("900", "empty"), END("500"), 900, 500, "other", "b", 1},
		{SNAPSHOT("100", "peak") TREE, NULL, 100, U64_NONE, "peak", "a", 0},
		{SNAPSHOT("900", "empty"), NULL, 900, U64_NONE, NULL, NULL, 0},
		{SNAPSHOT("0", "empty"), END("0"), 0, 0, NULL, NULL, 0},
	};
	char dir[] = "/tmp/test-mem-XXXXXX";
	char *path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/end.1.ms", dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct res_memory *r = result_make(&schema_memory);
		struct massif m;

		assert_int_equal(massif_parse(&m, rows[i].text, strlen(rows[i].text), NULL), 0);
		if (rows[i].end) {
			assert_int_equal(
				file_write(path, rows[i].end, strlen(rows[i].end), NULL), 0);
			assert_int_equal(massif_read_end(path, &m, NULL), 0);
		}
		profile_fill(r, &m);
		assert_int_equal(r->peak->heap_bytes, rows[i].peak);
		assert_int_equal(
			r->held_at_end ? r->held_at_end->heap_bytes : U64_NONE, rows[i].held);
		assert_int_equal(r->peak_tree != NULL, rows[i].moment != NULL);
		if (rows[i].moment) {
			assert_string_equal(r->peak_tree->moment, rows[i].moment);
			assert_string_equal(r->sites.at[0].function, rows[i].site);
		}
		assert_int_equal(warned(r, "tree_not_of_peak"), rows[i].warned);
		massif_release(&m);
		result_free(r);
	}
	assert_int_equal(massif_read_end("/nonexistent", &(struct massif){0}, NULL), -2);
	unlink(path);
	free(path);
	rmdir(dir);
}

static void wrappers(void **state)
{
	static const struct {
		const char *function, *place;
		int is;
	} rows[] = {
		{"operator new(unsigned long)", "in /usr/libexec/valgrind/x.so", 1},
		{"std::__new_allocator<long>::allocate(unsigned long, void const*)",
			"new_allocator.h:137", 1},
		{"void std::vector<long, std::allocator<long> >::_M_realloc_insert<long>(long&&)",
			"vector.tcc:440", 1},
		{"std::__detail::_MakeUniq<big>::__single_object std::make_unique<big>()",
			"unique_ptr.h:1065", 1},
		{"push_back", "stl_vector.h:1294", 1},
		{"alloc::raw_vec::RawVec<T,A>::grow_one", "library/alloc/src/raw_vec/mod.rs:188",
			1},
		{"<alloc::alloc::Global as core::alloc::Allocator>::allocate", "alloc.rs:429", 1},
		{"<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem", "", 1},
		{"grow", "library/alloc/src/alloc.rs:454", 1},
		{"__rust_alloc", "", 1},
		{"push<u64, alloc::alloc::Global>", "x.rs:9", 1},
		{"main", "a.c:1", 0},
		{"xmalloc", "xmalloc.c:44", 0},
		{"in_vector(int)", "w.cpp:10", 0},
		{"std::vector<int, std::allocator<int> > make<int>(std::vector<int, "
		 "std::allocator<int> > const&)",
			"w.cpp:11", 0},
		{"mine::push(std::string const&)", "w.cpp:12", 0},
		{"<app::Frame as core::clone::Clone>::clone", "src/mod.rs:3", 0},
		{"app::load", "src/string.rs:3", 0},
		{"???", "", 0},
		{"", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct massif_text function = {rows[i].function, strlen(rows[i].function)};
		struct massif_text place = {rows[i].place, strlen(rows[i].place)};

		if (wrapper_is(function, place) != rows[i].is)
			fail_msg("%s", rows[i].function);
	}
}

static void what_is_not_seen(void **state)
{
	static const struct doctor_target plain = {.is_elf = 1, .calls_malloc = 1},
					  fixed = {.is_elf = 1, .is_static = 1},
					  go = {.is_elf = 1, .is_go = 1},
					  maps = {.is_elf = 1, .calls_mmap = 1},
					  both = {.is_elf = 1, .calls_mmap = 1, .calls_malloc = 1},
					  own = {.is_elf = 1,
						  .calls_malloc = 1,
						  .allocator = "je_malloc"},
					  named = {.is_elf = 1,
						  .allocator = "tc_malloc",
						  .has_malloc = 1};
	enum { MIB = 1 << 20 };
	static const struct {
		const struct doctor_target *program;
		int replaced;
		uint64_t allocations, seen, accounted, resident;
		int said, all;
		uint64_t bytes;
	} rows[] = {
		{&plain, 1, 5, MIB, 40 * MIB, 50 * MIB, 0, 0, 0},
		{&plain, 1, 0, 0, 40 * MIB, 50 * MIB, 0, 0, 0},
		{&plain, 1, 5, MIB, 40 * MIB, 140 * MIB, 1, 1, 100 * MIB},
		{&plain, 1, 5, 20 * MIB, 40 * MIB, 140 * MIB, 1, 0, 100 * MIB},
		{&plain, 1, 5, MIB, FILES_UNKNOWN, 140 * MIB, 0, 0, 0},
		{&plain, 1, 5, MIB, 40 * MIB, 0, 0, 0, 0},
		{&plain, 0, 0, 0, 40 * MIB, 50 * MIB, 1, 1, 0},
		{&fixed, 0, 0, 0, 40 * MIB, 50 * MIB, 1, 1, 0},
		{&go, 1, 5, MIB, 40 * MIB, 50 * MIB, 1, 1, 0},
		{&maps, 1, 0, 0, 40 * MIB, 50 * MIB, 1, 1, 0},
		{&maps, 1, 1, 1024, 40 * MIB, 50 * MIB, 0, 0, 0},
		{&both, 1, 1, 1024, 40 * MIB, 50 * MIB, 0, 0, 0},
		{&own, 1, 1, 1024, 40 * MIB, 50 * MIB, 0, 0, 0},
		{&own, 1, 0, 0, 40 * MIB, 50 * MIB, 1, 1, 0},
		{&named, 1, 1, 1024, 40 * MIB, 50 * MIB, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct files_process p = {.program = (char *)"/x",
			.replaced = rows[i].replaced,
			.allocations = rows[i].allocations,
			.accounted_bytes = rows[i].accounted};
		struct unseen u = unseen_judge(&(struct unseen_facts){
			&p, rows[i].program, rows[i].seen, rows[i].resident});

		if ((u.why != NULL) != rows[i].said || u.all != rows[i].all ||
			u.bytes != rows[i].bytes)
			fail_msg("row %zu: %s, %d, %llu", i, u.why ? u.why : "-", u.all,
				(unsigned long long)u.bytes);
	}
}

/* ---- the plot ---- */

/* Enough to notice a broken document: tags closed, no control characters, no numbers that are none.
 */
static void check_svg(const char *svg)
{
	int depth = 0;

	assert_int_equal(strncmp(svg, "<svg ", 5), 0);
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	assert_null(strstr(svg, "<script"));
	for (const char *c = svg; *c; c++) {
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
		if (*c != '<')
			continue;
		const char *end = strchr(c, '>');

		assert_non_null(end);
		if (c[1] == '/')
			depth--;
		else if (end[-1] != '/')
			depth++;
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
}

static char *plot_of(const struct res_memory *r)
{
	struct out o;

	out_init_mem(&o);
	plot_write(r, 1, &o);
	char *svg = mem_strdup(out_text(&o));

	out_release(&o);
	check_svg(svg);
	return svg;
}

static void plot_says_what_it_shows(void **state)
{
	struct res_memory *r = profile(two_sites);

	(void)state;
	r->scenario = "name";
	r->held_at_end = RES_OBJ(r, memory_point);
	r->held_at_end->total_bytes = 8;
	char *svg = plot_of(r);

	assert_non_null(strstr(svg, "Heap memory of name"));
	assert_non_null(strstr(svg, "peak 1000 B at 10 instructions"));
	assert_non_null(strstr(svg, "instructions executed"));
	assert_non_null(strstr(svg, "held when the program ended: 8 B"));
	assert_null(strstr(svg, "class=\"window\""));
	assert_null(strstr(svg, ">stacks<"));
	free(svg);

	r->peak->time = NAN;
	svg = plot_of(r);
	assert_non_null(strstr(svg, "peak 1000 B at the program's end"));
	free(svg);
	r->window = RES_OBJ(r, memory_window);
	r->window->begin = RES_OBJ(r, memory_point);
	r->window->begin->time = 12;
	svg = plot_of(r);
	assert_non_null(strstr(svg, "<rect class=\"window\" x=\"596.0\" y=\"96\" width=\"336.0\""));
	free(svg);
	result_free(r);
}

static void plot_of_hostile_figures(void **state)
{
	static const char *const texts[] = {
		"snapshot=0\ntime=0\nmem_heap_B=0\n",
		"snapshot=0\ntime=5\nmem_heap_B=5\n",
		"snapshot=0\ntime=1e300\nmem_heap_B=9223372036854775807\nsnapshot=1\ntime=0\nmem_"
		"heap_B=1\n",
		"snapshot=0\ntime=1e18\nmem_heap_B=1\nsnapshot=1\ntime=1000000000000000001\nmem_"
		"heap_B=2\n",
		"time_unit: "
		"B\nsnapshot=0\ntime=1e300\nmem_heap_B=1\nsnapshot=1\ntime=0\nmem_heap_B=1\n",
		"time_unit: "
		"<&\nsnapshot=0\ntime=0.0001\nmem_heap_B=1\nsnapshot=1\ntime=0.0002\nmem_heap_B="
		"1\n",
	};
	static const char *command[] = {
		"./x\033[31m\n</text><script>alert(1)</script>", "\xff\xfe", "&quot;"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct res_memory *r = profile(texts[i]);

		r->scenario = "<b>";
		r->command = (struct res_strs){command, 3};
		free(plot_of(r));
		result_free(r);
	}
	struct res_memory *none = result_make(&schema_memory);
	char *svg = plot_of(none);

	assert_non_null(strstr(svg, "there is no heap profile of this run"));
	free(svg);
	result_free(none);
}

/* ---- the command line ---- */

static void command(void **state)
{
	static const char *argv[] = {"./t", "-x", NULL};
	struct scenario sc = {.argv = argv};
	struct arena a = {0};
	struct out o;

	(void)state;
	sc.memory = (struct memory_options){.detailed_freq = 1,
		.depth = 200,
		.threshold = "0.1",
		.time_unit = "ms",
		.alloc_fn = "a::b(int, char);;c",
		.ignore_fn = "d",
		.stacks = 1};
	const char *const *words = command_line(&a, &sc, "valgrind", "/r/100%p", 1);

	out_init_mem(&o);
	for (size_t i = 0; words[i]; i++)
		out_printf(&o, "%s\n", words[i]);
	assert_string_equal(out_text(&o),
		"valgrind\n--command-line-only=yes\n--tool=massif\n"
		"--trace-children=yes\n"
		"--log-file=/r/100%%p/valgrind.%p.log\n"
		"--massif-out-file=/r/100%%p/massif.%p.out\n"
		"--xtree-memory=allocs\n--xtree-memory-file=/r/100%%p/end.%p.ms\n"
		"--run-libc-freeres=no\n--run-cxx-freeres=no\n-v\n--stats=yes\n"
		"--vgdb=yes\n--vgdb-prefix=/r/100%%p/vgdb\n"
		"--time-unit=ms\n--detailed-freq=1\n--depth=200\n"
		"--threshold=0.1\n--stacks=yes\n"
		"--alloc-fn=a::b(int, char)\n--alloc-fn=c\n--ignore-fn=d\n"
		"./t\n-x\n");
	out_release(&o);
	arena_release(&a);
}

static void command_refuses(void **state)
{
	static const struct {
		struct memory_options options;
		const char *words; /* NULL: fine */
	} cases[] = {
		{{0}, NULL},
		{{.time_unit = "B", .threshold = "0"}, NULL},
		{{.threshold = "100", .pages_as_heap = 1}, NULL},
		{{.time_unit = "s"}, "--time-unit"},
		{{.time_unit = ""}, "--time-unit"},
		{{.threshold = "-1"}, "--threshold"},
		{{.threshold = "100.1"}, "--threshold"},
		{{.threshold = "nan"}, "--threshold"},
		{{.threshold = "1%"}, "--threshold"},
		{{.threshold = ""}, "--threshold"},
		{{.pages_as_heap = 1, .stacks = 1}, "--stacks"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int rc = command_check(&cases[i].options, &err);

		if (cases[i].words) {
			assert_int_equal(rc, -22);
			assert_non_null(strstr(err.text, cases[i].words));
		} else {
			assert_int_equal(rc, 0);
		}
	}
}

/* ---- files of several processes ---- */

static void put(const char *dir, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);

	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
	free(path);
}

static void drop(const char *dir, const char *const *names)
{
	for (; *names; names++) {
		char *path = mem_printf("%s/%s", dir, *names);

		assert_int_equal(unlink(path), 0);
		free(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void processes(void **state)
{
	static const char *const names[] = {"massif.12.out", "valgrind.12.log", "massif.7.out",
		"valgrind.9.log", "massif.x.out", "massif.0.out", "massif.99999999999.out",
		"massif.5.out.core", NULL};
	char dir[] = "/tmp/test-mem-XXXXXX", words[64];
	struct files f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (const char *const *n = names; *n; n++)
		put(dir, *n, "");
	put(dir, "massif.5.out.core", "12345");
	char *log = mem_printf(
		"==12== Massif, a heap profiler\n==12== Using Valgrind-3.19.0 and LibVEX; rerun\n"
		"==12== Parent PID: 555\n==12== \n"
		"--12-- Reading syms from /opt/a b/x\n--12--    (no symbols)\n"
		"--12-- Reading syms from /nowhere/vgpreload_massif-amd64-linux.so\n"
		"==12== Process terminating with default action of signal 15 (SIGTERM)\n"
		"==12==    at 0x4925503: x\t(y.c:1)\n==12== \n"
		"--12-- Massif: heap allocs:           1,234\n"
		"--12-- core    :     4,194,304/    4,194,304 max/curr mmap'd, 0/0 unsplit\n"
		"--12-- client  :     1,000,000/      900,000 max/curr mmap'd, 0/0 unsplit\n"
		"--12--  transtab: new        833 (19,983 -> 176,419; ratio 8.8) [0 scs]\n"
		"--12-- Reading syms from %s/massif.5.out.core\n",
		dir);

	put(dir, "valgrind.12.log", log);
	free(log);
	put(dir, "valgrind.9.log", "==9== Parent PID: 12\nvalgrind: the 'impossible' happened:\n");
	files_find(&f, dir, 555);
	assert_int_equal(f.len, 3);
	assert_int_equal(f.at[0].pid, 12);
	assert_int_equal(f.at[0].is_main, 1);
	assert_int_equal(f.at[0].signal, 15);
	assert_string_equal(f.version, "3.19.0");
	assert_string_equal(f.at[0].program, "/opt/a b/x");
	assert_int_equal(f.at[0].replaced, 1);
	assert_int_equal(f.at[0].allocations, 1234);
	/* With the 5 bytes of the file that is there. */
	assert_int_equal(f.at[0].accounted_bytes, 4194304 + 1000000 + 176419 + 5);
	assert_int_equal(f.at[0].unknown_instruction, 0);
	assert_null(f.at[1].program);
	assert_true(f.at[1].allocations == FILES_UNKNOWN);
	assert_true(f.at[2].accounted_bytes == FILES_UNKNOWN);
	assert_int_equal(f.at[1].pid, 7);
	assert_null(f.at[1].log);
	assert_int_equal(f.at[1].parent, 0);
	assert_int_equal(f.at[2].pid, 9);
	assert_null(f.at[2].massif);
	assert_int_equal(f.at[2].parent, 12);
	files_last_words(f.at[0].log, words, sizeof(words));
	assert_string_equal(words, "   at 0x4925503: x (y.c:1)");
	files_last_words(f.at[2].log, words, 20);
	assert_string_equal(words, "valgrind: the 'impo");
	files_last_words(NULL, words, sizeof(words));
	assert_string_equal(words, "");
	files_release(&f);

	/* Nobody says whose child it is: the lowest pid. */
	files_find(&f, dir, 556);
	assert_int_equal(f.at[0].pid, 7);
	assert_int_equal(f.at[0].is_main, 1);
	files_release(&f);
	drop(dir, names);

	files_find(&f, "/nonexistent", 1);
	assert_int_equal(f.len, 0);
	files_release(&f);
}

/* 0: the filesystem does not say. */
static int64_t made(const char *dir, const char *name)
{
	char *path = mem_printf("%s/%s", dir, name);
	struct statx s;

	assert_int_equal(statx(AT_FDCWD, path, 0, STATX_BTIME, &s), 0);
	free(path);
	return s.stx_mask & STATX_BTIME ? s.stx_btime.tv_sec * 1000000000 + s.stx_btime.tv_nsec : 0;
}

/* The processes of a tree are in the order of their start, which their numbers need not be. */
static void numbers_that_began_anew(void **state)
{
	static const char *const names[] = {"valgrind.30000.log", "valgrind.400.log",
		"valgrind.300.log", "valgrind.200.log", NULL};
	char dir[] = "/tmp/test-mem-XXXXXX";
	struct files f;
	int known = 1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (const char *const *n = names; *n && known; n++) {
		/* Until its time is not the one before. */
		do
			put(dir, *n,
				n == names ? "== Parent PID: 555\n" : "== Parent PID: 30000\n");
		while (n > names && made(dir, *n) && made(dir, *n) == made(dir, n[-1]));
		known = made(dir, *n) != 0;
	}
	if (known) {
		files_find(&f, dir, 555);
		assert_int_equal(f.len, 4);
		assert_int_equal(f.at[0].pid, 30000);
		assert_int_equal(f.at[1].pid, 400);
		assert_int_equal(f.at[2].pid, 300);
		assert_int_equal(f.at[3].pid, 200);
		files_release(&f);
		drop(dir, names);
	} else {
		drop(dir, (const char *const[]){names[0], NULL});
		skip();
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_and_points),
		cmocka_unit_test(warnings),
		cmocka_unit_test(many_snapshots),
		cmocka_unit_test(json_round_trip),
		cmocka_unit_test(the_end),
		cmocka_unit_test(wrappers),
		cmocka_unit_test(what_is_not_seen),
		cmocka_unit_test(plot_says_what_it_shows),
		cmocka_unit_test(plot_of_hostile_figures),
		cmocka_unit_test(command),
		cmocka_unit_test(command_refuses),
		cmocka_unit_test(processes),
		cmocka_unit_test(numbers_that_began_anew),
	};

	return cmocka_run_group_tests_name("mem profile", tests, NULL, NULL);
}
