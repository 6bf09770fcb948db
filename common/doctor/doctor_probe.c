/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/doctor/doctor.h"
#include "common/doctor/doctor_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/runner/config.h"
#include "common/runner/program.h"

#define SMALL_FILE_BYTES ((size_t)1 << 20)
enum { CLOCK_ROUNDS = 1000 };

/* All of a small file in the facts' arena, without newlines at its end; NULL if it cannot be read.
 */
static const char *slurp(struct doctor_facts *f, const char *path)
{
	cleanup_free char *text = NULL;

	if (file_read(path, SMALL_FILE_BYTES, &text, NULL, NULL) < 0)
		return NULL;
	return arena_strdup(&f->arena, text_chomp(text));
}

static int read_number(struct doctor_facts *f, const char *path)
{
	const char *text = slurp(f, path);
	char *end;
	long value = text ? strtol(text, &end, 10) : 0;

	if (!text || end == text || value <= INT_MIN || value > INT_MAX)
		return DOCTOR_ABSENT;
	return (int)value;
}

/* ---- where we are ---- */

/* What the control groups of a process in a container are called. */
static const char *container_of(const char *cgroups)
{
	static const struct {
		const char *word, *name;
	} words[] = {
		{"kubepods", "Kubernetes"},
		{"docker", "docker"},
		{"libpod", "podman"},
		{"containerd", "containerd"},
		{"lxc", "LXC"},
	};

	for (size_t i = 0; cgroups && i < LEN(words); i++)
		if (strstr(cgroups, words[i].word))
			return words[i].name;
	return NULL;
}

static void look_at_container(struct doctor_facts *f)
{
	if (getenv("KUBERNETES_SERVICE_HOST"))
		f->container = "Kubernetes";
	else if (access("/.dockerenv", F_OK) == 0)
		f->container = "docker";
	else if (access("/run/.containerenv", F_OK) == 0)
		f->container = "podman";
	else
		f->container = container_of(slurp(f, "/proc/1/cgroup"));
}

/* The number after "NAME:" in /proc/self/status. */
static uint64_t status_value(const char *status, const char *name, int base)
{
	const char *line = status ? strstr(status, name) : NULL;

	return line ? strtoull(line + strlen(name), NULL, base) : 0;
}

static void look_at_process(struct doctor_facts *f)
{
	const char *status = slurp(f, "/proc/self/status");
	uint64_t effective = status_value(status, "\nCapEff:", 16);

	f->is_filtered = status_value(status, "\nSeccomp:", 10) == 2;
	f->cap_sys_ptrace = effective >> CAP_SYS_PTRACE & 1;
	f->cap_perfmon = effective >> CAP_PERFMON & 1;
	f->cap_sys_admin = effective >> CAP_SYS_ADMIN & 1;
	f->is_root = geteuid() == 0;
}

static void look_at_system(struct doctor_facts *f)
{
	const char *version = slurp(f, "/proc/version");
	struct utsname u;

	if (uname(&u) == 0) {
		f->kernel = arena_strdup(&f->arena, u.release);
		f->machine = arena_strdup(&f->arena, u.machine);
	}
	f->is_wsl = version && (strstr(version, "microsoft") || strstr(version, "Microsoft"));
	f->ptrace_scope = read_number(f, "/proc/sys/kernel/yama/ptrace_scope");
	f->perf_event_paranoid = read_number(f, "/proc/sys/kernel/perf_event_paranoid");
	look_at_container(f);
	look_at_process(f);
}

/* ---- how steady the machine is ---- */

static uint64_t measure_clock(void)
{
	uint64_t begin = clock_mono_ns();

	for (int i = 1; i < CLOCK_ROUNDS; i++)
		clock_mono_ns();
	return (clock_mono_ns() - begin) / CLOCK_ROUNDS;
}

static void look_at_speed(struct doctor_facts *f)
{
	static const char pstate[] = "/sys/devices/system/cpu/intel_pstate/no_turbo";
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int no_turbo = read_number(f, pstate);

	f->governor = slurp(f, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	f->is_intel_pstate = no_turbo != DOCTOR_ABSENT;
	f->boost = f->is_intel_pstate ? !no_turbo
				      : read_number(f, "/sys/devices/system/cpu/cpufreq/boost");
	f->cores = cores > 0 ? (uint64_t)cores : 1;
	if (getloadavg(&f->load, 1) != 1)
		f->load = 0;
	f->clocksource =
		slurp(f, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	f->clock_read_ns = measure_clock();
}

/* ---- results ---- */

/* path itself, or the directory above it that is there. */
static char *existing_part(const char *path)
{
	char *part = mem_strdup(path), *slash;

	while (access(part, F_OK) < 0) {
		slash = strrchr(part, '/');
		if (!slash) {
			free(part);
			return mem_strdup(".");
		}
		slash[slash == part] = '\0';
		if (slash == part)
			break;
	}
	return part;
}

static int try_to_make_a_file(const char *dir)
{
	cleanup_free char *path = mem_printf("%s/.doctor.XXXXXX", dir);
	cleanup_close int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	unlink(path);
	return 0;
}

/* Makes a file without a name there. */
static int try_to_write(const char *dir)
{
	cleanup_close int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		return 0;
	/* Not every file system has such files. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return try_to_make_a_file(dir);
	return -errno;
}

static void look_at_output(struct doctor_facts *f, const char *dir)
{
	cleanup_free char *there = existing_part(dir);
	struct statvfs st;

	f->output_dir = arena_strdup(&f->arena, dir);
	f->output_code = try_to_write(there);
	if (statvfs(there, &st) == 0)
		f->output_free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
}

/* ---- the target ---- */

static struct config *read_catalogue(struct doctor_facts *f, const struct doctor_ask *ask)
{
	const char *path = ask->config;
	struct config *c = NULL;
	struct err err = {0};

	if (!path && access(CONFIG_DEFAULT_FILE, F_OK) == 0)
		path = CONFIG_DEFAULT_FILE;
	f->catalogue = arena_strdup(&f->arena, path);
	if (path && ask->read_catalogue(path, &c, &err) < 0)
		f->catalogue_error = arena_strdup(&f->arena, err.text);
	return c;
}

static void look_for_target(struct doctor_facts *f, const struct doctor_ask *ask)
{
	struct config *c = read_catalogue(f, ask);
	const char *name = ask->binary ? ask->binary : ask->env_binary;
	cleanup_free char *found = NULL;

	if (!name && c) {
		name = c->binary;
		f->target_build = arena_strdup(&f->arena, c->build);
	}
	f->target_path = arena_strdup(&f->arena, name);
	config_free(c);
	if (!f->target_path)
		return;
	found = program_find_here(f->target_path);
	doctor_look_at_target(found ? found : f->target_path, &f->target);
}

void doctor_probe(struct doctor_facts *f, const struct doctor_ask *ask)
{
	/* The load first: what comes next adds to it. */
	look_at_speed(f);
	look_at_system(f);
	doctor_try_ptrace(&f->ptrace);
	doctor_try_attach(0, &f->attach_io);
	doctor_try_attach(1, &f->attach_cpu);
	doctor_try_seccomp(&f->seccomp);
	doctor_try_perf_event(1, &f->cycles);
	doctor_try_perf_event(0, &f->cpu_clock);
	doctor_find_tools(f);
	look_at_output(f, ask->output_dir);
	look_for_target(f, ask);
}

void doctor_facts_release(struct doctor_facts *f)
{
	arena_release(&f->arena);
}
