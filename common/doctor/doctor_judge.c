/* SPDX-License-Identifier: GPL-3.0-only */
/* What the facts of this machine mean, and what to do about them. Pure. */
#include "common/doctor/doctor.h"
#include "common/doctor/doctor_parts.h"

#include <errno.h>
#include <string.h>

#include "common/base/units.h"

#define FREE_WANTED_BYTES ((uint64_t)2 << 30) /* massif's files can be 1 GB */
#define FREE_NEEDED_BYTES ((uint64_t)16 << 20)
enum { CLOCK_SLOW_NS = 200, LOAD_PERCENT_MAX = 25 };

#define DOCKER_FLAGS "--cap-add SYS_PTRACE --cap-add PERFMON --security-opt seccomp=unconfined"

/* "PTRACE_SEIZE: Operation not permitted", in the verdict's arena. */
static const char *why(struct doctor_verdict *v, const struct doctor_trial *t)
{
	if (t->signal)
		return arena_printf(
			v->arena, "the child that tried was killed by signal %d", t->signal);
	if (t->code == -ETIMEDOUT)
		return "it did not end in time";
	return arena_printf(v->arena, "%s%s%s", t->step, *t->step ? ": " : "",
		strerror(t->code < 0 ? -t->code : EIO));
}

void judge_platform(const struct doctor_facts *f, struct doctor_verdict *v)
{
	doctor_say(v, DOCTOR_OK, "Linux %s on %s%s", f->kernel ? f->kernel : "(unknown)",
		f->machine ? f->machine : "an unknown machine", f->is_wsl ? ", WSL" : "");
}

void judge_container(const struct doctor_facts *f, struct doctor_verdict *v)
{
	int denied = f->ptrace.code || f->seccomp.code || f->cpu_clock.code;
	const char *where = f->container ? f->container : "a sandbox";

	if (!f->container && !f->is_filtered) {
		doctor_say(v, DOCTOR_OK, "no container, and no seccomp filter on this process");
	} else if (!denied) {
		doctor_say(v, DOCTOR_OK, "in %s, which lets tracing and sampling through", where);
	} else {
		doctor_say(v, DOCTOR_WARN, "in %s%s: what fails below is probably forbidden by it",
			where, f->is_filtered ? " with a seccomp filter" : "");
		doctor_fix(v, "docker run " DOCKER_FLAGS " ... (podman takes the same flags)");
	}
}

void judge_ptrace(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->ptrace.code) {
		doctor_say(v, DOCTOR_OK, "a child can be traced and its calls be read");
		return;
	}
	doctor_say(v, DOCTOR_FAIL, "a child cannot be traced (%s): type io cannot run",
		why(v, &f->ptrace));
	if (f->container || f->is_filtered)
		doctor_fix(
			v, "docker run --cap-add SYS_PTRACE --security-opt seccomp=unconfined ...");
	else if (f->ptrace_scope >= 2)
		doctor_fix(v, "sudo sysctl kernel.yama.ptrace_scope=1");
	else if (f->ptrace.code == -EIO || f->ptrace.code == -EINVAL)
		doctor_fix(v, "use Linux 5.3 or later (PTRACE_GET_SYSCALL_INFO)");
	else
		doctor_fix(v, "run as root, or outside of the sandbox that forbids ptrace");
}

void judge_ptrace_scope(const struct doctor_facts *f, struct doctor_verdict *v)
{
	int scope = f->ptrace_scope;

	if (scope == DOCTOR_ABSENT)
		doctor_say(v, DOCTOR_OK, "no Yama: processes of the same user can be traced");
	else if (scope <= 0)
		doctor_say(v, DOCTOR_OK, "0: processes of the same user can be traced");
	else if (scope < 3 && f->cap_sys_ptrace)
		doctor_say(v, DOCTOR_OK, "%d, but CAP_SYS_PTRACE is there", scope);
	else if (scope == 1)
		doctor_say(v, DOCTOR_WARN,
			"1: programs that iotrace starts can be traced; running ones (-p) cannot");
	else
		doctor_say(v, DOCTOR_FAIL, "%d: nothing can be traced%s", scope,
			scope == 2 ? " without CAP_SYS_PTRACE" : " until the next boot");
	if (v->level == DOCTOR_OK)
		return;
	if (scope >= 3)
		doctor_fix(v, "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d, then: sudo reboot");
	else
		doctor_fix(v, "sudo sysctl kernel.yama.ptrace_scope=%d", scope == 1 ? 0 : 1);
}

void judge_attach(const struct doctor_facts *f, struct doctor_verdict *v)
{
	int io = f->attach_io.code, cpu = f->attach_cpu.code;

	if (!io && !cpu) {
		doctor_say(v, DOCTOR_OK,
			"a running process of the same user can be traced and sampled");
		return;
	}
	if (io)
		doctor_say(v, DOCTOR_WARN, "type %s cannot attach to a running process (%s)",
			cpu ? "io (and cpu)" : "io", why(v, &f->attach_io));
	else
		doctor_say(v, DOCTOR_WARN, "type cpu cannot attach to a running process (%s)",
			why(v, &f->attach_cpu));
	if (io && f->ptrace_scope > 0)
		doctor_fix(v, "sudo sysctl kernel.yama.ptrace_scope=0");
	else if (!io && f->perf_event_paranoid > 2)
		doctor_fix(v, "sudo sysctl kernel.perf_event_paranoid=1");
	else if (f->container || f->is_filtered)
		doctor_fix(v, "docker run " DOCKER_FLAGS " ...");
	else
		doctor_fix(v, "run as root, or outside of the sandbox that forbids it");
}

void judge_seccomp(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->seccomp.code) {
		doctor_say(v, DOCTOR_OK, "a filter can be installed");
		return;
	}
	doctor_say(v, DOCTOR_FAIL, "a filter cannot be installed (%s): type io cannot run",
		why(v, &f->seccomp));
	if (f->seccomp.code == -ENOSYS || f->seccomp.code == -EINVAL)
		doctor_fix(v, "use a kernel with CONFIG_SECCOMP_FILTER=y");
	else
		doctor_fix(v, "docker run --security-opt seccomp=unconfined ...");
}

/* ---- tools ---- */

/* Says that a tool is missing or fails; 1 if it is fine. */
static int tool_is_fine(
	const struct doctor_tool *t, const char *name, const char *fix, struct doctor_verdict *v)
{
	if (!t->path) {
		doctor_say(v, DOCTOR_FAIL, "%s is not in PATH", name);
		doctor_fix(v, "%s", fix);
		return 0;
	}
	if (t->broken) {
		doctor_say(v, DOCTOR_FAIL, "%s --version fails%s%s", t->path, t->said ? ": " : "",
			t->said ? t->said : "");
		doctor_fix(v, "%s", fix);
		return 0;
	}
	doctor_say(v, DOCTOR_OK, "%s%s%s", t->version ? t->version : "", t->version ? ", " : "",
		t->path);
	return 1;
}

void judge_iotrace(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_tool *t = &f->iotrace;

	if (!tool_is_fine(t, "iotrace", "make && sudo make install", v) || !t->version)
		return;
	if (strstr(t->version, IOTRACE_VERSION))
		return;
	doctor_say(v, DOCTOR_WARN, "%s is %s, and this is profile-scenario " IOTRACE_VERSION,
		t->path, t->version);
	doctor_fix(v, "make && sudo make install");
}

void judge_perf(const struct doctor_facts *f, struct doctor_verdict *v)
{
	tool_is_fine(&f->perf, "perf",
		"sudo apt-get install linux-perf (Ubuntu: linux-tools-$(uname -r))", v);
}

void judge_valgrind(const struct doctor_facts *f, struct doctor_verdict *v)
{
	tool_is_fine(&f->valgrind, "valgrind", "sudo apt-get install valgrind", v);
}

void judge_ms_print(const struct doctor_facts *f, struct doctor_verdict *v)
{
	tool_is_fine(&f->ms_print, "ms_print", "sudo apt-get install valgrind perl", v);
}

void judge_renderer(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (f->renderer.path) {
		tool_is_fine(&f->renderer, "inferno-flamegraph", "cargo install inferno", v);
		return;
	}
	doctor_say(v, DOCTOR_WARN,
		"neither inferno-flamegraph nor flamegraph.pl is in PATH or comes from Debian: "
		"flame graphs have no search and zoom");
	doctor_fix(v, "sudo apt-get install libdevel-nytprof-perl (or: cargo install inferno)");
}

void judge_massif(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->valgrind.path)
		return; /* said above */
	if (!f->massif.code) {
		doctor_say(v, DOCTOR_OK, "a heap profile of true was made");
		return;
	}
	doctor_say(v, DOCTOR_FAIL, "valgrind --tool=massif true failed: %s",
		f->massif.code == -EIO && f->massif_said ? f->massif_said : why(v, &f->massif));
	doctor_fix(v, "sudo apt-get install --reinstall valgrind libc6-dbg");
}

/* ---- perf ---- */

static int may_use_perf(const struct doctor_facts *f)
{
	return f->cap_perfmon || f->cap_sys_admin;
}

void judge_perf_event(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->cpu_clock.code || !f->cycles.code) {
		doctor_say(v, DOCTOR_OK, "events of a process of one's own can be counted");
		return;
	}
	doctor_say(v, DOCTOR_FAIL, "no event can be opened (%s): type cpu cannot run",
		why(v, &f->cpu_clock));
	if (f->perf_event_paranoid > 2 && !may_use_perf(f))
		doctor_fix(v, "sudo sysctl kernel.perf_event_paranoid=1");
	else if (f->perf_event_paranoid == DOCTOR_ABSENT)
		doctor_fix(v, "use a kernel with CONFIG_PERF_EVENTS=y");
	else
		doctor_fix(v, "docker run --cap-add PERFMON --security-opt seccomp=unconfined ...");
}

void judge_counters(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (f->cpu_clock.code && f->cycles.code)
		return; /* said above */
	if (!f->cycles.code) {
		doctor_say(v, DOCTOR_OK, "CPU cycles can be counted");
		return;
	}
	doctor_say(v, DOCTOR_WARN,
		"no CPU cycles (%s): samples come by timer (cpu-clock), which is coarser",
		why(v, &f->cycles));
	doctor_fix(v, "run on the machine itself, or give the virtual one a PMU "
		      "(libvirt: <pmu state='on'/>, QEMU: -cpu host,pmu=on)");
}

void judge_paranoid(const struct doctor_facts *f, struct doctor_verdict *v)
{
	int paranoid = f->perf_event_paranoid;

	if (paranoid == DOCTOR_ABSENT)
		return; /* then no event could be opened */
	if (paranoid <= 1)
		doctor_say(
			v, DOCTOR_OK, "%d: the program and what the kernel does for it", paranoid);
	else if (may_use_perf(f))
		doctor_say(v, DOCTOR_OK, "%d, but CAP_PERFMON or CAP_SYS_ADMIN is there", paranoid);
	else if (paranoid == 2)
		doctor_say(
			v, DOCTOR_WARN, "2: the program only; time in the kernel is not sampled");
	else
		doctor_say(v, f->cpu_clock.code ? DOCTOR_FAIL : DOCTOR_WARN,
			"%d: perf is for root and CAP_PERFMON only", paranoid);
	if (v->level != DOCTOR_OK)
		doctor_fix(v, "sudo sysctl kernel.perf_event_paranoid=1");
}

void judge_capabilities(const struct doctor_facts *f, struct doctor_verdict *v)
{
	int need_ptrace = f->ptrace_scope == 2 && !f->cap_sys_ptrace;
	int need_perf = f->perf_event_paranoid > 2 && !may_use_perf(f);

	if (!need_ptrace && !need_perf) {
		doctor_say(v, DOCTOR_OK, "%s%s%s", f->cap_sys_ptrace ? "CAP_SYS_PTRACE " : "",
			may_use_perf(f) ? "CAP_PERFMON " : "",
			f->cap_sys_ptrace || may_use_perf(f)
				? "effective"
				: "none, and none is needed for programs of one's own");
		return;
	}
	doctor_say(v, DOCTOR_WARN, "not effective here, but needed with these settings:%s%s",
		need_ptrace ? " CAP_SYS_PTRACE" : "", need_perf ? " CAP_PERFMON" : "");
	if (need_ptrace)
		doctor_fix(v, "sudo sysctl kernel.yama.ptrace_scope=1");
	else
		doctor_fix(v, "sudo setcap cap_perfmon,cap_sys_ptrace=ep %s",
			f->perf.path ? f->perf.path : "$(command -v perf)");
}

/* ---- a steady machine ---- */

void judge_governor(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->governor) {
		doctor_say(v, DOCTOR_OK, "this kernel does not scale the frequency");
	} else if (!strcmp(f->governor, "performance")) {
		doctor_say(v, DOCTOR_OK, "performance");
	} else {
		doctor_say(v, DOCTOR_WARN, "%s: the frequency follows the load, times vary",
			f->governor);
		doctor_fix(v, "echo performance | sudo tee "
			      "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
	}
}

void judge_boost(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (f->boost == DOCTOR_ABSENT) {
		doctor_say(v, DOCTOR_OK, "no boost that could be switched");
	} else if (!f->boost) {
		doctor_say(v, DOCTOR_OK, "off");
	} else {
		doctor_say(v, DOCTOR_WARN,
			"on: the frequency depends on temperature and on other cores, times vary");
		doctor_fix(v,
			f->is_intel_pstate
				? "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
				: "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost");
	}
}

void judge_load(const struct doctor_facts *f, struct doctor_verdict *v)
{
	enum doctor_level level =
		f->load * 100 > (double)(f->cores * LOAD_PERCENT_MAX) ? DOCTOR_WARN : DOCTOR_OK;

	doctor_say(v, level, "load average %.2f on %llu cores%s", f->load,
		(unsigned long long)f->cores,
		level == DOCTOR_OK ? "" : ": other programs take time from the target");
	if (level != DOCTOR_OK)
		doctor_fix(v, "see what runs, and end it: top -b -n 1 -o %%CPU | head -15");
}

void judge_clocksource(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const char *name = f->clocksource ? f->clocksource : "unknown";
	unsigned long long ns = f->clock_read_ns;

	if (!strcmp(name, "tsc")) {
		doctor_say(v, DOCTOR_OK, "tsc, %llu ns a reading", ns);
	} else if (ns < CLOCK_SLOW_NS) {
		doctor_say(v, DOCTOR_OK, "%s, not tsc; %llu ns a reading is fast enough", name, ns);
	} else {
		doctor_say(v, DOCTOR_WARN, "%s, not tsc; %llu ns a reading: each time stamp costs",
			name, ns);
		doctor_fix(v, "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/"
			      "current_clocksource");
	}
}

void judge_disk(const struct doctor_facts *f, struct doctor_verdict *v)
{
	char buf[UNITS_BUF];
	const char *room = units_bytes(buf, f->output_free_bytes);

	if (f->output_code) {
		doctor_say(v, DOCTOR_FAIL, "cannot write to %s: %s", f->output_dir,
			strerror(-f->output_code));
		doctor_fix(v, "give a directory that you can write to: --output-dir DIR");
		return;
	}
	if (f->output_free_bytes >= FREE_WANTED_BYTES) {
		doctor_say(v, DOCTOR_OK, "%s free for %s", room, f->output_dir);
		return;
	}
	doctor_say(v, f->output_free_bytes < FREE_NEEDED_BYTES ? DOCTOR_FAIL : DOCTOR_WARN,
		"only %s free for %s; massif's files can be 1 GB", room, f->output_dir);
	doctor_fix(v, "free some space, or give another place: --output-dir DIR");
}

void judge_catalogue(const struct doctor_facts *f, struct doctor_verdict *v)
{
	if (!f->catalogue) {
		doctor_say(v, DOCTOR_OK, "none here; --config FILE names one");
	} else if (!f->catalogue_error) {
		doctor_say(v, DOCTOR_OK, "%s can be read", f->catalogue);
	} else {
		doctor_say(v, DOCTOR_FAIL, "%s", f->catalogue_error);
		doctor_fix(v, "correct %s; keys: man profile-scenario", f->catalogue);
	}
}
