/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/doctor/doctor.h"
#include "common/doctor/doctor_parts.h"

/* A machine and a target with nothing to complain about. */
static struct doctor_facts healthy(void)
{
	struct doctor_tool tool = {.path = "/usr/bin/tool", .version = "tool " IOTRACE_VERSION};

	return (struct doctor_facts){
		.kernel = "6.1.0",
		.machine = "x86_64",
		.ptrace_scope = 0,
		.perf_event_paranoid = 1,
		.iotrace = tool,
		.perf = tool,
		.valgrind = tool,
		.ms_print = tool,
		.renderer = {.path = "/usr/bin/flamegraph.pl"},
		.governor = "performance",
		.boost = 0,
		.load = 0.1,
		.cores = 4,
		.clocksource = "tsc",
		.clock_read_ns = 20,
		.output_dir = "results",
		.output_free_bytes = UINT64_C(50) << 30,
		.target_path = "/bin/app",
		.target = {.is_elf = 1,
			.functions = 10,
			.has_debug_info = 1,
			.has_unwind_info = 1,
			.units = {.all = 2, .optimized = 2, .with_fp = 2}},
	};
}

/* The line of a check, or NULL. */
static const struct doctor_line *line_of(const struct doctor_report *r, const char *id)
{
	for (size_t i = 0; i < r->len; i++)
		if (!strcmp(r->at[i].id, id))
			return &r->at[i];
	return NULL;
}

static void all_is_well(void **state)
{
	struct doctor_facts f = healthy();
	struct doctor_report r = {0};
	size_t checks = 0;

	(void)state;
#define CHECK(function, id, about) checks++;
#include "common/doctor/doctor.def"
#undef CHECK
	doctor_judge(&f, &r);
	for (size_t i = 0; i < r.len; i++)
		if (r.at[i].level != DOCTOR_OK || r.at[i].fix)
			fail_msg("%s: %s (fix: %s)", r.at[i].id, r.at[i].text,
				r.at[i].fix ? r.at[i].fix : "none");
	assert_int_equal(r.len, checks);
	assert_int_equal(doctor_worst(&r), DOCTOR_OK);
	doctor_report_release(&r);
}

/* In which words; none of the complaints below is in them. */
static void healthy_is_said(void **state)
{
	static const struct {
		const char *id, *text;
	} rows[] = {
		{"container", "no container, and no seccomp filter on this process"},
		{"ptrace", "a child can be traced and its calls be read"},
		{"ptrace-scope", "0: processes of the same user can be traced"},
		{"seccomp-filter", "a filter can be installed"},
		{"massif", "a heap profile of true was made"},
		{"perf-event", "events of a process of one's own can be counted"},
		{"hardware-counters", "CPU cycles can be counted"},
		{"perf-event-paranoid", "1: the program and what the kernel does for it"},
		{"capabilities", "none, and none is needed for programs of one's own"},
		{"cpu-boost", "off"},
		{"load", "load average 0.10 on 4 cores"},
		{"clocksource", "tsc, 20 ns a reading"},
		{"catalogue", "none here; --config FILE names one"},
		{"target-symbols", "debug information, 10 functions"},
		{"target-optimization", "2 of 2 compile units with optimization"},
		{"target-frame-pointers", "built with frame pointers"},
		{"target-linking", "dynamic: massif can replace malloc"},
		{"target-privileges", "none beyond those of its user"},
	};
	struct doctor_facts f = healthy();
	struct doctor_report r = {0};

	(void)state;
	doctor_judge(&f, &r);
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct doctor_line *line = line_of(&r, rows[i].id);

		if (!line || strcmp(line->text, rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].id, line ? line->text : "no line");
	}
	doctor_report_release(&r);
}

/* ---- one thing wrong at a time ---- */

/* What a case changes; no more than it says. */
#define CHANGE(name, ...)                                                                          \
	static void name(struct doctor_facts *f)                                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
CHANGE(no_ptrace, f->ptrace = (struct doctor_trial){-EPERM, 0, "PTRACE_SEIZE"};)
CHANGE(ptrace_scope_3, f->ptrace_scope = 3; no_ptrace(f);)
CHANGE(ptrace_scope_2, f->ptrace_scope = 2; no_ptrace(f);)
CHANGE(ptrace_scope_2_with_cap, f->ptrace_scope = 2; f->cap_sys_ptrace = 1;)
CHANGE(ptrace_scope_1, f->ptrace_scope = 1;)
CHANGE(attach_scope_1, f->attach_io = (struct doctor_trial){-EPERM, 0, "PTRACE_SEIZE"};
	f->ptrace_scope = 1;)
CHANGE(attach_in_docker, f->attach_io.code = f->attach_cpu.code = -EPERM; f->container = "docker";)
CHANGE(attach_by_perf, f->attach_cpu = (struct doctor_trial){-EACCES, 0, "perf_event_open"};
	f->perf_event_paranoid = 4;)
CHANGE(ptrace_hangs, f->ptrace.code = -ETIMEDOUT;)
CHANGE(old_kernel, f->ptrace = (struct doctor_trial){-EIO, 0, "PTRACE_GET_SYSCALL_INFO"};)
CHANGE(ptrace_in_docker, no_ptrace(f); f->container = "docker";)
CHANGE(seccomp_kills, f->seccomp = (struct doctor_trial){-ECANCELED, 31, ""};)
CHANGE(no_seccomp, f->seccomp = (struct doctor_trial){-ENOSYS, 0, "seccomp"};)
CHANGE(no_cycles, f->cycles = (struct doctor_trial){-ENOENT, 0, "perf_event_open"};)
CHANGE(no_perf_event, no_cycles(f); f->cpu_clock.code = -EACCES;)
CHANGE(paranoid_4, no_perf_event(f); f->perf_event_paranoid = 4;)
CHANGE(paranoid_2, f->perf_event_paranoid = 2;)
CHANGE(paranoid_2_with_cap, f->perf_event_paranoid = 2; f->cap_perfmon = 1;)
CHANGE(perf_missing, f->perf.path = NULL;)
CHANGE(perf_broken, f->perf.broken = 1; f->perf.said = "WARNING: perf not found";)
CHANGE(no_renderer, f->renderer.path = NULL;)
CHANGE(no_valgrind, f->valgrind.path = NULL;)
CHANGE(massif_fails, f->massif.code = -EIO; f->massif_said = "Fatal error at startup";)
CHANGE(no_ms_print, f->ms_print.path = NULL;)
CHANGE(other_iotrace, f->iotrace.version = "iotrace 0.0.1";)
CHANGE(powersave, f->governor = "powersave";)
CHANGE(no_scaling, f->governor = NULL;)
CHANGE(turbo, f->boost = 1; f->is_intel_pstate = 1;)
CHANGE(boost, f->boost = 1;)
CHANGE(busy, f->load = 3.5;)
CHANGE(hpet, f->clocksource = "hpet"; f->clock_read_ns = 900;)
CHANGE(kvm_clock, f->clocksource = "kvm-clock"; f->clock_read_ns = 40;)
CHANGE(little_room, f->output_free_bytes = 1 << 30;)
CHANGE(no_room, f->output_free_bytes = 1 << 20;)
CHANGE(no_writing, f->output_code = -EACCES;)
CHANGE(bad_catalogue, f->catalogue = "c.json"; f->catalogue_error = "c.json: line 1 column 2";)
CHANGE(no_target, f->target.code = -ENOENT;)
CHANGE(unbuilt_target, f->target.code = -ENOENT; f->target_build = "make app";)
CHANGE(not_executable, f->target.code = -EACCES;)
CHANGE(unreadable, f->target.code = -EPERM;)
CHANGE(script, f->target.is_elf = 0; f->target.is_script = 1;)
CHANGE(text_file, f->target.is_elf = 0;)
CHANGE(foreign, f->target.foreign = 1;)
CHANGE(stripped, f->target.has_debug_info = 0; f->target.functions = 0;)
CHANGE(names_only, f->target.has_debug_info = 0;)
CHANGE(separate, f->target.has_debug_info = 0; f->target.has_separate_debug_info = 1;)
CHANGE(unoptimized, f->target.units.unoptimized = 1; f->target.units.all = 3;)
CHANGE(rust_debug, f->target.units = (struct doctor_units){.all = 4};
	f->target_path = "target/debug/app";)
CHANGE(no_fp, f->target.units.without_fp = 1;)
CHANGE(asan, f->target.has_asan = 1;)
CHANGE(lsan, f->target.has_lsan = 1;)
CHANGE(tsan, f->target.has_other_sanitizer = 1;)
CHANGE(is_static, f->target.is_static = 1;)
CHANGE(is_setuid, f->target.is_setuid = 1;)
CHANGE(setuid_by_root, f->target.is_setuid = 1; f->is_root = 1;)

static const struct {
	void (*change)(struct doctor_facts *f);
	const char *id;
	enum doctor_level level;
	const char *text, *fix; /* are in the line; fix NULL: there is none */
} cases[] = {
	{no_ptrace, "ptrace", DOCTOR_FAIL, "PTRACE_SEIZE: Operation not permitted", "root"},
	{attach_scope_1, "attach", DOCTOR_WARN, "type io cannot attach", "ptrace_scope=0"},
	{attach_in_docker, "attach", DOCTOR_WARN, "io (and cpu)", "--cap-add SYS_PTRACE"},
	{attach_by_perf, "attach", DOCTOR_WARN, "type cpu cannot attach", "event_paranoid=1"},
	{ptrace_hangs, "ptrace", DOCTOR_FAIL, "in time", "root"},
	{old_kernel, "ptrace", DOCTOR_FAIL, "PTRACE_GET_SYSCALL_INFO", "Linux 5.3"},
	{ptrace_in_docker, "ptrace", DOCTOR_FAIL, "type io", "--cap-add SYS_PTRACE"},
	{ptrace_in_docker, "container", DOCTOR_WARN,
		"docker: what fails below is probably forbidden by it", "seccomp=unconfined"},
	{ptrace_scope_2, "ptrace", DOCTOR_FAIL, "type io", "sysctl kernel.yama.ptrace_scope=1"},
	{ptrace_scope_2, "capabilities", DOCTOR_WARN,
		"not effective here, but needed with these settings: CAP_SYS_PTRACE",
		"ptrace_scope=1"},
	{ptrace_scope_3, "ptrace-scope", DOCTOR_FAIL, "nothing can be traced until the next boot",
		"sudo reboot"},
	{ptrace_scope_2_with_cap, "ptrace-scope", DOCTOR_OK, "CAP_SYS_PTRACE", NULL},
	{ptrace_scope_1, "ptrace-scope", DOCTOR_WARN, "-p", "ptrace_scope=0"},
	{seccomp_kills, "seccomp-filter", DOCTOR_FAIL, "signal 31", "docker run"},
	{no_seccomp, "seccomp-filter", DOCTOR_FAIL, "Function not", "CONFIG_SECCOMP_FILTER"},
	{no_cycles, "hardware-counters", DOCTOR_WARN, "cpu-clock", "pmu"},
	{no_cycles, "perf-event", DOCTOR_OK, "can be counted", NULL},
	{no_perf_event, "perf-event", DOCTOR_FAIL, "Permission denied", "--cap-add PERFMON"},
	{paranoid_4, "perf-event", DOCTOR_FAIL, "type cpu", "perf_event_paranoid=1"},
	{paranoid_4, "perf-event-paranoid", DOCTOR_FAIL, "4", "perf_event_paranoid=1"},
	{paranoid_4, "capabilities", DOCTOR_WARN, "CAP_PERFMON", "setcap"},
	{paranoid_2, "perf-event-paranoid", DOCTOR_WARN, "kernel", "perf_event_paranoid=1"},
	{paranoid_2_with_cap, "perf-event-paranoid", DOCTOR_OK, "CAP_PERFMON", NULL},
	{perf_missing, "perf", DOCTOR_FAIL, "not in PATH", "apt-get install linux-perf"},
	{perf_broken, "perf", DOCTOR_FAIL, "perf not found", "linux-tools-"},
	{no_renderer, "flamegraph-renderer", DOCTOR_WARN, "inferno", "libdevel-nytprof-perl"},
	{no_valgrind, "valgrind", DOCTOR_FAIL, "not in PATH", "apt-get install valgrind"},
	{massif_fails, "massif", DOCTOR_FAIL, "Fatal error at startup", "libc6-dbg"},
	{no_ms_print, "ms-print", DOCTOR_FAIL, "not in PATH", "valgrind"},
	{other_iotrace, "iotrace", DOCTOR_WARN, "0.0.1, and this is profile-scenario", "make"},
	{powersave, "cpu-governor", DOCTOR_WARN, "powersave", "performance | sudo tee"},
	{no_scaling, "cpu-governor", DOCTOR_OK, "does not scale", NULL},
	{turbo, "cpu-boost", DOCTOR_WARN, "on", "no_turbo"},
	{boost, "cpu-boost", DOCTOR_WARN, "on", "cpufreq/boost"},
	{busy, "load", DOCTOR_WARN, "3.50 on 4 cores", "top"},
	{hpet, "clocksource", DOCTOR_WARN, "hpet", "tsc | sudo tee"},
	{kvm_clock, "clocksource", DOCTOR_OK, "kvm-clock", NULL},
	{little_room, "disk", DOCTOR_WARN, "1.0 GiB", "--output-dir"},
	{no_room, "disk", DOCTOR_FAIL, "1.0 MiB", "--output-dir"},
	{no_writing, "disk", DOCTOR_FAIL, "Permission denied", "--output-dir"},
	{bad_catalogue, "catalogue", DOCTOR_FAIL, "line 1",
		"correct c.json; keys: man profile-scenario"},
	{no_target, "target", DOCTOR_FAIL, "/bin/app is not there", "--binary"},
	{unbuilt_target, "target", DOCTOR_WARN, "/bin/app", "make app"},
	{not_executable, "target", DOCTOR_FAIL, "not an executable", "chmod +x /bin/app"},
	{unreadable, "target", DOCTOR_WARN, "not read", "chmod +r /bin/app"},
	{script, "target", DOCTOR_WARN, "interpreter", "--binary"},
	{text_file, "target", DOCTOR_FAIL, "neither", "--binary"},
	{foreign, "target", DOCTOR_FAIL, "another kind of CPU", "x86_64"},
	{stripped, "target-symbols", DOCTOR_WARN, "stripped", "-g"},
	{names_only, "target-symbols", DOCTOR_WARN, "no debug information", "-g"},
	{separate, "target-symbols", DOCTOR_OK, "separate", NULL},
	{unoptimized, "target-optimization", DOCTOR_WARN,
		"1 of 3 compile units built without optimization", "-O2"},
	{rust_debug, "target-optimization", DOCTOR_WARN, "target/debug", "cargo build --release"},
	{no_fp, "target-frame-pointers", DOCTOR_WARN, "--call-graph dwarf",
		"-fno-omit-frame-pointer"},
	{asan, "target-sanitizer", DOCTOR_WARN, "AddressSanitizer", "detect_leaks=0"},
	{lsan, "target-sanitizer", DOCTOR_WARN, "LeakSanitizer", "detect_leaks=0"},
	{tsan, "target-sanitizer", DOCTOR_WARN, "sanitizer", "-fsanitize"},
	{is_static, "target-linking", DOCTOR_WARN, "massif", "--pages-as-heap"},
	{is_setuid, "target-privileges", DOCTOR_WARN,
		"set-user-ID or set-group-ID: a traced program does not get them, and fails or "
		"behaves differently",
		"sudo"},
	{setuid_by_root, "target-privileges", DOCTOR_OK, "root", NULL},
};

static void one_thing_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct doctor_facts f = healthy();
		struct doctor_report r = {0};
		const struct doctor_line *line;

		cases[i].change(&f);
		doctor_judge(&f, &r);
		line = line_of(&r, cases[i].id);
		if (!line)
			fail_msg("case %zu: no line %s", i, cases[i].id);
		if (line->level != cases[i].level || !strstr(line->text, cases[i].text) ||
			!line->fix != !cases[i].fix ||
			(line->fix && !strstr(line->fix, cases[i].fix)))
			fail_msg("case %zu: %s is %d: %s (fix: %s)", i, line->id, line->level,
				line->text, line->fix ? line->fix : "none");
		doctor_report_release(&r);
	}
}

/* Whatever is not OK comes with a fix. */
static void every_complaint_has_a_fix(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct doctor_facts f = healthy();
		struct doctor_report r = {0};

		cases[i].change(&f);
		doctor_judge(&f, &r);
		for (size_t k = 0; k < r.len; k++)
			if ((r.at[k].level == DOCTOR_OK) != !r.at[k].fix)
				fail_msg("case %zu: %s: %s", i, r.at[k].id, r.at[k].text);
		doctor_report_release(&r);
	}
}

static void without_a_target(void **state)
{
	struct doctor_facts f = healthy();
	struct doctor_report r = {0};

	(void)state;
	f.target_path = NULL;
	doctor_judge(&f, &r);
	for (size_t i = 0; i < r.len; i++)
		assert_int_not_equal(strncmp(r.at[i].id, "target", 6), 0);
	doctor_add(&r, &(struct doctor_line){"type-x", DOCTOR_FAIL, "no", "yes"});
	assert_int_equal(doctor_worst(&r), DOCTOR_FAIL);
	doctor_report_release(&r);
}

/* ---- compilers ---- */

static void producers(void **state)
{
	static const struct {
		const char *producer;
		enum doctor_yes optimized, frame_pointers;
	} rows[] = {
		{"GNU C17 12.2.0 -mtune=generic -march=x86-64 -g -O2 -fasynchronous-unwind-tables",
			DOCTOR_YES, DOCTOR_NO},
		{"GNU C17 12.2.0 -mtune=generic -march=x86-64 -g", DOCTOR_NO, DOCTOR_YES},
		{"GNU C17 12.2.0 -O2 -g -O0", DOCTOR_NO, DOCTOR_YES},
		{"GNU C++17 13.2.1 -g -Og", DOCTOR_YES, DOCTOR_NO},
		{"GNU C17 12.2.0 -O2 -fno-omit-frame-pointer", DOCTOR_YES, DOCTOR_YES},
		{"GNU C17 12.2.0 -O2 -fno-omit-frame-pointer -fomit-frame-pointer", DOCTOR_YES,
			DOCTOR_NO},
		{"GNU GIMPLE 12.2.0 -O3 -flto", DOCTOR_YES, DOCTOR_NO},
		{"Debian clang version 14.0.6", DOCTOR_UNKNOWN, DOCTOR_UNKNOWN},
		{"clang version 16 /usr/bin/clang -O0 -g a.c", DOCTOR_NO, DOCTOR_UNKNOWN},
		{"clang LLVM (rustc version 1.63.0)", DOCTOR_UNKNOWN, DOCTOR_UNKNOWN},
		{"Go cmd/compile go1.20.4; regabi", DOCTOR_YES, DOCTOR_YES},
		{"Go cmd/compile go1.20.4; -N -l; regabi", DOCTOR_NO, DOCTOR_YES},
		{"", DOCTOR_UNKNOWN, DOCTOR_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		if (doctor_producer_optimized(rows[i].producer) != rows[i].optimized ||
			doctor_producer_frame_pointers(rows[i].producer) != rows[i].frame_pointers)
			fail_msg("%s: optimized %d, frame pointers %d", rows[i].producer,
				doctor_producer_optimized(rows[i].producer),
				doctor_producer_frame_pointers(rows[i].producer));
		assert_false(doctor_producer_is_assembler(rows[i].producer));
	}
	assert_true(doctor_producer_is_assembler("GNU AS 2.40"));
}

/* ---- children ---- */

static void ends(const void *arg, void *result)
{
	*(int *)result = *(const int *)arg;
}

static void dies(const void *arg, void *result)
{
	*(int *)result = *(const int *)arg;
	raise(SIGKILL);
}

static void a_child_tells_what_it_saw(void **state)
{
	int arg = 7, result = 0;

	(void)state;
	assert_int_equal(doctor_in_child(ends, &arg, &result, sizeof(result)), 0);
	assert_int_equal(result, 7);
	arg = 8;
	assert_int_equal(doctor_in_child(dies, &arg, &result, sizeof(result)), SIGKILL);
	assert_int_equal(result, 8);
}

static void programs_are_run(void **state)
{
	static const struct {
		const char *command;
		int limit_ms, status;
		const char *line; /* NULL: none */
	} rows[] = {
		{"echo; echo ' one'; echo two", 5000, 0, "one"},
		{"echo bad >&2; exit 3", 5000, -EIO, "bad"},
		{"printf 'a\\033[31mb'", 5000, 0, "a [31mb"},
		{"true", 5000, 0, NULL},
		{"echo early; sleep 20", 3000, -ETIMEDOUT, "early"},
		{"exec >&- 2>&-; sleep 20", 200, -ETIMEDOUT, NULL},
		{"echo one; sleep 20 & exit 0", 5000, 0, "one"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *argv[] = {"sh", "-c", rows[i].command, NULL};
		struct arena a = {0};
		const char *line;

		assert_int_equal(doctor_run(&a, argv, rows[i].limit_ms, &line), rows[i].status);
		if (rows[i].line)
			assert_string_equal(line, rows[i].line);
		else
			assert_null(line);
		arena_release(&a);
	}
}

static void targets_are_looked_at(void **state)
{
	static const char header[64] = "\177ELF\2\1\1";
	struct doctor_target t;
	char path[] = "/tmp/test_run_doctor.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	doctor_look_at_target("/proc/self/exe", &t);
	assert_int_equal(t.code, 0);
	assert_true(t.is_elf && !t.is_static && t.functions > 0 && t.has_unwind_info);
	doctor_look_at_target(path, &t);
	assert_int_equal(t.code, -EACCES);
	assert_int_equal(fchmod(fd, 0755), 0);
	/* An ELF header and nothing after it. */
	assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
	doctor_look_at_target(path, &t);
	assert_int_equal(t.code, 0);
	unlink(path);
	close(fd);
	doctor_look_at_target(path, &t);
	assert_int_equal(t.code, -ENOENT);
	doctor_look_at_target("/tmp", &t);
	assert_int_equal(t.code == 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(healthy_is_said),
		cmocka_unit_test(one_thing_wrong),
		cmocka_unit_test(every_complaint_has_a_fix),
		cmocka_unit_test(without_a_target),
		cmocka_unit_test(producers),
		cmocka_unit_test(a_child_tells_what_it_saw),
		cmocka_unit_test(programs_are_run),
		cmocka_unit_test(targets_are_looked_at),
	};

	return cmocka_run_group_tests_name("run_doctor", tests, NULL, NULL);
}
