/* SPDX-License-Identifier: GPL-3.0-only */
/* What compare reads: result files to sides (side.c), sides to figures (metric.c, metrics.def). */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/compare/metric.h"
#include "common/compare/side.h"

static const struct result_kind kinds[] = {
	{"io", "iotrace", "-iotrace.json", &schema_result},
	{"cpu", "flamegraphs", "-cpu.json", &schema_cpu},
	{"memory", "massif", "-memory.json", &schema_memory},
	{NULL, NULL, NULL, NULL},
};

/* ---- files in a folder of the test's own ---- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-metric-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	cleanup_free char *command = mem_printf("rm -rf %s", folder);

	(void)state;
	return system(command);
}

/* Writes folder/path, with the directories above it. */
static void put(const char *path, const char *text)
{
	cleanup_free char *full = mem_printf("%s/%s", folder, path);
	FILE *f;

	for (char *p = full + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(full, 0777) == 0 || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct side read_side(const char *path)
{
	cleanup_free char *full = mem_printf("%s/%s", folder, path);
	struct side s = {0};
	struct err err = {0};

	if (side_read(&s, full, kinds, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	return s;
}

/* ---- figures ---- */

struct figure {
	const char *name;
	double value;
	const char *unit;
	enum metric_kind kind;
	enum metric_worse worse;
};

/* The part's figures in run `run` are these, all of them. */
static void assert_figures(
	const struct side_part *part, size_t run, const struct figure *f, size_t n)
{
	struct metrics m;

	metrics_read(part, &m);
	for (size_t i = 0; i < n; i++) {
		const struct metric *is = metrics_find(&m, f[i].name);

		if (!is)
			fail_msg("%s is missing", f[i].name);
		else if (!(fabs(is->values[run] - f[i].value) <= 1e-12 * fabs(f[i].value)) ||
			 strcmp(is->unit, f[i].unit) != 0 || is->kind != f[i].kind ||
			 is->worse != f[i].worse)
			fail_msg("%s is %g '%s', kind %d, worse %d", f[i].name, is->values[run],
				is->unit, is->kind, is->worse);
	}
	for (size_t i = 0; i < m.len; i++) {
		size_t k = 0;

		while (k < n && strcmp(f[k].name, m.at[i].name) != 0)
			k++;
		if (k == n && !isnan(m.at[i].values[run]))
			fail_msg("%s should not be there", m.at[i].name);
	}
	metrics_release(&m);
}

static const char whole[] =
	"{\"schema\": \"iotrace.result/1\", \"scenario\": \"s\", \"wall_ns\": 9000000000,"
	" \"window\": {\"wall_ns\": 2000000000}, \"work\": {\"count\": 500},"
	" \"load\": {\"latency_ns\": 1234}, \"processes\": 2, \"threads_total\": 5,"
	" \"cpu_ns\": 5000000000, \"programs\": [{\"name\": \"a\", \"crashed\": 2}, {\"name\": "
	"\"b\", \"crashed\": 1}], \"mappings\": {\"peak_mapped\": 8192}, \"syscalls\": ["
	"{\"name\": \"sendmmsg\", \"calls\": 1000, \"errors\": 3, \"bytes\": {\"transferred\": "
	"4000},"
	" \"wall_ns\": {\"total\": 50000, \"p50\": 40, \"p99\": 90},"
	" \"batch\": {\"unit\": \"messages\", \"transferred\": 7000, \"fill\": 0.5, \"single\": 5,"
	" \"partial\": 6, \"empty\": 8, \"per_call\": {\"mean\": 7, \"p50\": 9, \"max\": 11}}},"
	"{\"name\": \"read\", \"calls\": 20, \"errors\": 0,"
	" \"wall_ns\": {\"total\": 2000, \"p50\": 100, \"p99\": 200}},"
	"{\"name\": \"few\", \"calls\": 19, \"wall_ns\": {\"total\": 20, \"p50\": 1, \"p99\": 2}}],"
	" \"phases\": ["
	"{\"name\": \"start-up\", \"syscalls\": [{\"name\": \"mmap\", \"calls\": 12}]},"
	"{\"name\": \"window\", \"cpu_ns\": 1000000000, \"syscalls\": [{\"name\": \"mmap\", "
	"\"calls\": 4}]},"
	"{\"name\": \"shutdown\", \"syscalls\": [{\"name\": \"mmap\", \"calls\": 3}]}]}";

/* Times of the window, percentiles only of enough calls, phases but for the window. */
static void figures_of_a_run(void **state)
{
	static const struct figure figures[] = {
		{"sendmmsg.calls", 1000, "", METRIC_COUNT, WORSE_UP},
		{"sendmmsg.errors", 3, "", METRIC_COUNT, WORSE_UP},
		{"sendmmsg.bytes", 4000, "bytes", METRIC_COUNT, WORSE_UP},
		{"sendmmsg.per_work", 2, "", METRIC_WORK, WORSE_UP},
		{"sendmmsg.errors_per_work", 3.0 / 500, "", METRIC_WORK, WORSE_UP},
		{"sendmmsg.bytes_per_work", 8, "bytes", METRIC_WORK, WORSE_UP},
		{"read.per_work", 20.0 / 500, "", METRIC_WORK, WORSE_UP},
		{"read.errors_per_work", 0, "", METRIC_WORK, WORSE_UP},
		{"few.per_work", 19.0 / 500, "", METRIC_WORK, WORSE_UP},
		{"sendmmsg.messages", 7000, "", METRIC_COUNT, WORSE_NEITHER},
		{"sendmmsg.per_call", 7, "", METRIC_BATCH, WORSE_DOWN},
		{"sendmmsg.fill", 0.5, "ratio", METRIC_BATCH, WORSE_NEITHER},
		{"sendmmsg.batch_p50", 9, "", METRIC_BATCH, WORSE_NEITHER},
		{"sendmmsg.batch_max", 11, "", METRIC_BATCH, WORSE_NEITHER},
		{"sendmmsg.single", 5, "", METRIC_BATCHES, WORSE_UP},
		{"sendmmsg.partial", 6, "", METRIC_BATCHES, WORSE_UP},
		{"sendmmsg.empty", 8, "", METRIC_BATCHES, WORSE_UP},
		{"sendmmsg.time", 50000, "ns", METRIC_TIME, WORSE_UP},
		{"sendmmsg.p50", 40, "ns", METRIC_TIME, WORSE_UP},
		{"sendmmsg.p99", 90, "ns", METRIC_TIME, WORSE_UP},
		{"read.calls", 20, "", METRIC_COUNT, WORSE_UP},
		{"read.errors", 0, "", METRIC_COUNT, WORSE_UP},
		{"read.time", 2000, "ns", METRIC_TIME, WORSE_UP},
		{"read.p50", 100, "ns", METRIC_TIME, WORSE_UP},
		{"few.calls", 19, "", METRIC_COUNT, WORSE_UP},
		{"mmap.calls@start-up", 12, "", METRIC_SIZE, WORSE_UP},
		{"mmap.calls@shutdown", 3, "", METRIC_SIZE, WORSE_UP},
		{"wall_time", 2e9, "ns", METRIC_TIME, WORSE_UP},
		{"cpu_time", 1e9, "ns", METRIC_TIME, WORSE_UP},
		{"cpu_per_work", 2e6, "ns", METRIC_TIME, WORSE_UP},
		{"throughput", 250, "per s", METRIC_TIME, WORSE_DOWN},
		{"latency", 1234, "ns", METRIC_TIME, WORSE_UP},
		{"calls", 1039, "", METRIC_COUNT, WORSE_UP},
		{"calls_per_work", 1039.0 / 500, "", METRIC_WORK, WORSE_UP},
		{"peak_mapped", 8192, "bytes", METRIC_SIZE, WORSE_UP},
		{"processes", 2, "", METRIC_SIZE, WORSE_UP},
		{"threads", 5, "", METRIC_SIZE, WORSE_UP},
		{"crashed", 3, "", METRIC_SIZE, WORSE_UP},
	};
	struct side s;

	(void)state;
	put("whole.json", whole);
	s = read_side("whole.json");
	assert_int_equal(s.parts.len, 1);
	assert_figures(&s.parts.at[0], 0, figures, LEN(figures));
	side_release(&s);
}

/* Without a window the whole run counts; what was not measured is no figure, not 0. */
static void figures_that_are_not_there(void **state)
{
	static const struct figure no_window[] = {
		{"wall_time", 9e9, "ns", METRIC_TIME, WORSE_UP},
		{"throughput", 0, "per s", METRIC_TIME, WORSE_DOWN},
	};
	static const struct figure no_time[] = {
		{"wall_time", 0, "ns", METRIC_TIME, WORSE_UP},
		{"calls", 0, "", METRIC_COUNT, WORSE_UP},
		{"calls_per_work", 0, "", METRIC_WORK, WORSE_UP},
	};
	struct side s;

	(void)state;
	put("no-window.json",
		"{\"schema\": \"iotrace.result/1\", \"wall_ns\": 9000000000, \"work\": {\"count\": "
		"0}, \"syscalls\": [{\"name\": \"odd\", \"wall_ns\": {\"total\": 1, \"p50\": 1, "
		"\"p99\": 1}}], \"phases\": [{\"name\": \"start-up\", \"syscalls\": [{\"name\": "
		"\"mmap\", \"calls\": 12}]}]}");
	s = read_side("no-window.json");
	assert_string_equal(s.parts.at[0].scenario, "result");
	assert_figures(&s.parts.at[0], 0, no_window, LEN(no_window));
	side_release(&s);

	put("no-time.json",
		"{\"schema\": \"iotrace.result/1\", \"scenario\": \"s\", \"wall_ns\": 0, "
		"\"work\": {\"count\": 5}}");
	s = read_side("no-time.json");
	assert_figures(&s.parts.at[0], 0, no_time, LEN(no_time));
	side_release(&s);
}

/* A call that a run did not make was made 0 times there; the rest of it was not measured. */
static void calls_that_only_one_run_makes(void **state)
{
	static const struct {
		const char *name;
		double second;
		int is_count;
	} rows[] = {
		{"read.calls", 0, 1},
		{"read.errors", 0, 1},
		{"read.messages", 0, 1},
		{"read.bytes", NAN, 0},
		{"read.per_call", NAN, 0},
		{"processes", NAN, 0},
		{"wall_time", 2, 0},
	};
	cleanup_free char *first = mem_printf("%s/a.json", folder);
	cleanup_free char *second = mem_printf("%s/b.json", folder);
	struct side s = {0};
	struct metrics m;

	(void)state;
	put("a.json",
		"{\"schema\": \"iotrace.result/1\", \"scenario\": \"s\", \"wall_ns\": 1, "
		"\"processes\": 1, \"syscalls\": [{\"name\": \"read\", \"calls\": 4, \"errors\": "
		"1, "
		"\"bytes\": {\"transferred\": 7}, \"batch\": {\"transferred\": 4, \"per_call\": "
		"{\"mean\": 2}}}]}");
	put("b.json", "{\"schema\": \"iotrace.result/1\", \"scenario\": \"s\", \"wall_ns\": 2}");
	assert_int_equal(side_read(&s, first, kinds, NULL), 0);
	assert_int_equal(side_read(&s, second, kinds, NULL), 0);
	assert_int_equal(s.parts.len, 1);
	assert_int_equal(s.runs, 2);
	metrics_read(&s.parts.at[0], &m);
	assert_int_equal(m.runs, 2);
	assert_true(m.zeros[0] == 0 && m.zeros[1] == 0);
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct metric *is = metrics_find(&m, rows[i].name);

		assert_non_null(is);
		assert_true(!isnan(is->values[0]));
		if (isnan(rows[i].second) ? !isnan(is->values[1]) : is->values[1] != rows[i].second)
			fail_msg("%s: %g in the second run", rows[i].name, is->values[1]);
		assert_true(metrics_never_called(&m, is) == (rows[i].is_count ? m.zeros : NULL));
	}
	assert_null(metrics_find(&m, "read"));
	metrics_release(&m);
	side_release(&s);
}

static void figures_of_other_profiles(void **state)
{
	static const struct figure cpu[] = {
		{"wall_time", 2e9, "ns", METRIC_TIME, WORSE_UP},
		{"throughput", 50, "per s", METRIC_TIME, WORSE_DOWN},
		{"latency", 7, "ns", METRIC_TIME, WORSE_UP},
		{"cpu_time", 77e6, "ns", METRIC_TIME, WORSE_UP},
		{"cpu_per_work", 77e4, "ns", METRIC_TIME, WORSE_UP},
		{"samples", 77, "", METRIC_TIME, WORSE_UP},
	};
	static const struct figure heap[] = {
		{"peak_heap", 5, "bytes", METRIC_SIZE, WORSE_UP},
		{"peak_total", 6, "bytes", METRIC_SIZE, WORSE_UP},
		{"held_at_end", 2, "bytes", METRIC_SIZE, WORSE_UP},
	};
	struct side s;

	(void)state;
	put("c.json", "{\"schema\": \"profile.cpu/1\", \"wall_ns\": 9000000000, \"window\": "
		      "{\"wall_ns\": "
		      "2000000000}, \"work\": {\"count\": 100}, \"load\": {\"latency_ns\": 7}, "
		      "\"sampling\": {\"samples\": 77, \"rate_hz\": 1000}}");
	s = read_side("c.json");
	assert_figures(&s.parts.at[0], 0, cpu, LEN(cpu));
	side_release(&s);
	put("m.json",
		"{\"schema\": \"profile.memory/1\", \"peak\": {\"heap_bytes\": 5, \"total_bytes\": "
		"6}, \"held_at_end\": {\"heap_bytes\": 2}}");
	s = read_side("m.json");
	assert_figures(&s.parts.at[0], 0, heap, LEN(heap));
	side_release(&s);
}

/* ---- sides ---- */

#define IO(ns)     "{\"schema\": \"iotrace.result/1\", \"wall_ns\": " #ns "}"
#define MEMORY(ns) "{\"schema\": \"profile.memory/1\", \"wall_ns\": " #ns "}"

static void assert_walls(const struct side *s, const char *scenario, const uint64_t *ns, size_t n)
{
	const struct side_part *p = side_find(s, scenario, &kinds[0]);

	assert_non_null(p);
	assert_int_equal(p->runs.len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(((const struct res_result *)p->runs.at[i])->wall_ns, ns[i]);
}

/* All runs where there were several, in the order in which they ran; else the one. */
static void sides_of_folders(void **state)
{
	static const uint64_t several[] = {1, 2, 10}, one[] = {7}, base[] = {8};
	struct side s;

	(void)state;
	put("out/iotrace/a-iotrace.json", IO(2));
	put("out/iotrace/a.runs/10.json", IO(10));
	put("out/iotrace/a.runs/1.json", IO(1));
	put("out/iotrace/a.runs/2.json", IO(2));
	put("out/iotrace/a.runs/.3.json", IO(3));
	put("out/iotrace/a.runs/4.txt", IO(4));
	put("out/iotrace/b-iotrace.json", IO(7));
	put("out/iotrace/.c-iotrace.json", IO(9));
	put("out/iotrace/d-other.json", IO(9));
	put("out/massif/a-memory.json", MEMORY(5));
	s = read_side("out");
	assert_int_equal(s.parts.len, 3);
	assert_int_equal(s.runs, 5);
	assert_walls(&s, "a", several, LEN(several));
	assert_walls(&s, "b", one, LEN(one));
	assert_int_equal(side_find(&s, "a", &kinds[2])->runs.len, 1);
	assert_null(side_find(&s, "b", &kinds[2]));
	assert_null(side_find(&s, "c", &kinds[0]));
	side_release(&s);

	put("base/io/a-iotrace.json", IO(8));
	s = read_side("base");
	assert_walls(&s, "a", base, LEN(base));
	side_release(&s);
}

static void one_scenario_of_a_folder(void **state)
{
	static const uint64_t a[] = {7};
	cleanup_free char *dir = mem_printf("%s/some", folder);
	struct side s = {0};

	(void)state;
	put("some/iotrace/a-iotrace.json", IO(7));
	put("some/iotrace/b-iotrace.json", IO(8));
	assert_int_equal(side_read_one(&s, dir, "c", &kinds[0], NULL), 0);
	assert_int_equal(side_read_one(&s, dir, "a", &kinds[1], NULL), 0);
	assert_int_equal(s.runs, 0);
	assert_int_equal(side_read_one(&s, dir, "a", &kinds[0], NULL), 0);
	assert_int_equal(s.runs, 1);
	assert_walls(&s, "a", a, LEN(a));
	side_release(&s);
}

static void what_is_no_side(void **state)
{
	static const char *const rows[] = {"nothing", "none.json", "foreign.json", "cut.json"};

	(void)state;
	put("nothing/iotrace/readme.txt", "");
	put("foreign.json", "{\"schema\": \"other/1\"}");
	put("cut.json", "{\"schema\": ");
	for (size_t i = 0; i < LEN(rows); i++) {
		cleanup_free char *path = mem_printf("%s/%s", folder, rows[i]);
		struct side s = {0};
		struct err err = {0};

		assert_true(side_read(&s, path, kinds, &err) < 0);
		assert_non_null(strstr(err.text, rows[i]));
		side_release(&s);
	}
}

/* ---- names ---- */

static void names_that_are_known(void **state)
{
	static const char *const rows[] = {"write.calls", "sendmmsg.per_call", "wall_time",
		"cpu_time", "cpu_per_work", "calls", "calls_per_work", "peak_heap", "samples",
		"mmap.calls@start-up", "mmap.calls@shutdown", "write.bytes_per_work", "read.p99",
		/* of 32-bit programs, by number, and of a newer kernel */
		"waitpid.calls", "syscall_999.calls", "brandnewcall.calls"};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct err err = {0};

		if (metric_check_name(rows[i], &err) < 0)
			fail_msg("%s: %s", rows[i], err.text);
	}
}

static void names_that_are_meant_otherwise(void **state)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
		{"write.cals", "no figure of a call is called 'cals'; did you mean 'write.calls'?"},
		{"wirte.calls", "no system call is called 'wirte'; did you mean 'write.calls'?"},
		{"sendmmssg.per_call", "did you mean 'sendmmsg.per_call'?"},
		{"sendmmsg.percall", "did you mean 'sendmmsg.per_call'?"},
		{"cpu-time", "no figure is called 'cpu-time'; did you mean 'cpu_time'?"},
		{"walltime", "no figure is called 'walltime'; did you mean 'wall_time'?"},
		{"peak-heap", "did you mean 'peak_heap'?"},
		{"mmap.calls@startup", "no phase is called 'startup'; did you mean 'start-up'?"},
		{"mmap.calls@nowhere-near", "there are start-up and shutdown"},
		{"mmap.bytes@start-up", "did you mean 'mmap.calls@start-up'?"},
		{"write.zzzzzzzzzz", "no figure of a call is called 'zzzzzzzzzz'"},
		{"", "no figure is called ''"},
		{"write.", "no figure of a call is called ''"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct err err = {0};

		assert_int_equal(metric_check_name(rows[i].name, &err), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].name, err.text);
	}
}

static void which_results_have_it(void **state)
{
	static const struct {
		const char *name;
		int io, cpu, memory;
	} rows[] = {{"write.calls", 1, 0, 0}, {"wall_time", 1, 1, 0}, {"peak_heap", 0, 0, 1},
		{"samples", 0, 1, 0}, {"calls", 1, 0, 0}, {"nothing", 0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		assert_int_equal(metric_is_of(rows[i].name, &schema_result), rows[i].io);
		assert_int_equal(metric_is_of(rows[i].name, &schema_cpu), rows[i].cpu);
		assert_int_equal(metric_is_of(rows[i].name, &schema_memory), rows[i].memory);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_a_run),
		cmocka_unit_test(figures_that_are_not_there),
		cmocka_unit_test(calls_that_only_one_run_makes),
		cmocka_unit_test(figures_of_other_profiles),
		cmocka_unit_test(sides_of_folders),
		cmocka_unit_test(one_scenario_of_a_folder),
		cmocka_unit_test(what_is_no_side),
		cmocka_unit_test(names_that_are_known),
		cmocka_unit_test(names_that_are_meant_otherwise),
		cmocka_unit_test(which_results_have_it),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
