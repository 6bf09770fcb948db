/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/environment.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/runner/tool.h"

#define TEXT_MAX_BYTES  ((size_t)16 << 20) /* /proc/cpuinfo of the largest machines is 1 MB */
#define READ_BYTES      ((size_t)64 << 10)
#define GIT_WAIT_MS     2000
#define GIT_MAX_SYMREFS 5
#define BUILD_ID_MAX    64

/* All of a small file, or NULL; the caller frees. */
static char *slurp(const char *path)
{
	char *text;

	return file_read(path, TEXT_MAX_BYTES, &text, NULL, NULL) < 0 ? NULL : text;
}

/* The first line of a file without its end, or NULL; the caller frees. */
static char *first_line(const char *path)
{
	char *text = slurp(path);

	if (text)
		text[strcspn(text, "\r\n")] = '\0';
	return text;
}

static const char *hex(struct arena *a, const unsigned char *p, size_t n)
{
	char *text = arena_alloc(a, 2 * n + 1, 1);

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}

/* ---- the target's file ---- */

/* Only regular files: opening a pipe or a device would wait, or do something. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

int sha256_file(const char *path, char buf[65])
{
	cleanup_close int fd = open_regular(path);

	return fd < 0 ? fd : sha256_fd(fd, buf);
}

int sha256_fd(int fd, char buf[65])
{
	cleanup_free char *block = mem_calloc(1, READ_BYTES);
	SHA2_CTX ctx;
	ssize_t n;

	SHA256Init(&ctx);
	while ((n = read(fd, block, READ_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		SHA256Update(&ctx, (const uint8_t *)block, (size_t)n);
	}
	SHA256End(&ctx, buf);
	return 0;
}

const char *environment_build_id(void *doc, const char *path)
{
	cleanup_close int fd = open_regular(path);
	const char *text = NULL;
	const void *id;
	ssize_t n = 0;
	Elf *elf;

	if (fd < 0)
		return NULL;
	elf_version(EV_CURRENT);
	/* Not mapped: a file that is cut short meanwhile would kill us. */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		n = dwelf_elf_gnu_build_id(elf, &id);
	if (n > 0 && n <= BUILD_ID_MAX)
		text = hex(result_arena(doc), id, (size_t)n);
	elf_end(elf);
	return text;
}

static void capture_target(void *doc, struct res_environment *e, const char *path, const char *file)
{
	char sha256[65];

	if (!path)
		return;
	e->target_path = arena_strdup(result_arena(doc), path);
	if (sha256_file(file, sha256) == 0)
		e->target_sha256 = arena_strdup(result_arena(doc), sha256);
	e->target_build_id = environment_build_id(doc, file);
}

void environment_running(void *doc, struct res_environment *e, const char *path, int fd)
{
	char file[64];

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	capture_target(doc, e, path, file);
}

/* ---- git ---- */

/* path, seen from dir; the caller frees. */
static char *seen_from(const char *dir, const char *path)
{
	return *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", dir, path);
}

/* The directory that a worktree's or submodule's .git file names, or NULL; the caller frees. */
static char *named_git_dir(const char *dir, const char *dot_git)
{
	static const char label[] = "gitdir: ";
	cleanup_free char *line = first_line(dot_git);

	if (!line || strncmp(line, label, strlen(label)) != 0)
		return NULL;
	return seen_from(dir, line + strlen(label));
}

/* The git directory of the repository that start is in, or NULL; the caller frees. */
static char *find_git_dir(const char *start)
{
	cleanup_free char *dir = mem_strdup(start);

	for (;;) {
		char *dot_git = mem_printf("%s/.git", dir), *slash;
		struct stat st;

		if (stat(dot_git, &st) == 0) {
			char *named;

			if (S_ISDIR(st.st_mode))
				return dot_git;
			named = named_git_dir(dir, dot_git);
			free(dot_git);
			return named;
		}
		free(dot_git);
		slash = strrchr(dir, '/');
		if (!slash)
			return NULL;
		*slash = '\0';
	}
}

static int is_object_id(const char *s, size_t len)
{
	return (len == 40 || len == 64) && strspn(s, "0123456789abcdef") >= len;
}

/* The object id of a ref in common_dir/packed-refs ("ID NAME" lines), or NULL; the caller frees. */
static char *packed_ref(const char *common_dir, const char *ref)
{
	cleanup_free char *path = mem_printf("%s/packed-refs", common_dir);
	cleanup_free char *text = slurp(path);
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *space = strchr(line, ' ');

		if (space && !strcmp(space + 1, ref) && is_object_id(line, (size_t)(space - line)))
			return mem_strndup(line, (size_t)(space - line));
	}
	return NULL;
}

/* The contents of a ref: a line from its file, a worktree's own first, or an id from packed-refs.
 * NULL if there is none; the caller frees. */
static char *read_ref(const char *git_dir, const char *common_dir, const char *ref)
{
	cleanup_free char *own = mem_printf("%s/%s", git_dir, ref);
	cleanup_free char *common = mem_printf("%s/%s", common_dir, ref);
	char *line = first_line(own);

	if (!line)
		line = first_line(common);
	return line ? line : packed_ref(common_dir, ref);
}

/* The directory that a worktree shares with the others; the caller frees. */
static char *common_dir_of(const char *git_dir)
{
	cleanup_free char *path = mem_printf("%s/commondir", git_dir);
	cleanup_free char *line = first_line(path);

	return line ? seen_from(git_dir, line) : mem_strdup(git_dir);
}

static const char *git_commit(struct arena *a, const char *git_dir)
{
	static const char symbolic[] = "ref: ";
	cleanup_free char *common_dir = common_dir_of(git_dir);
	cleanup_free char *ref = mem_strdup("HEAD");

	for (int i = 0; i < GIT_MAX_SYMREFS; i++) {
		cleanup_free char *value = read_ref(git_dir, common_dir, ref);

		if (!value)
			return NULL;
		if (is_object_id(value, strlen(value)))
			return arena_strdup(a, value);
		if (strncmp(value, symbolic, strlen(symbolic)) != 0)
			return NULL;
		free(ref);
		ref = mem_strdup(value + strlen(symbolic));
		/* Nothing outside of the git directory. */
		if (strncmp(ref, "refs/", 5) != 0 || strstr(ref, "/../"))
			return NULL;
	}
	return NULL;
}

static void saw_output(void *ctx, const char *p, size_t n)
{
	(void)p;
	*(int *)ctx |= n > 0;
}

/*
 * 1, 0, or -1 where git cannot tell. Untracked files don't count, as in `git describe --dirty`: the
 * outputs of this run may be among them. Nothing is changed there: without optional locks git does
 * not write its index back, and without fsmonitor it starts nothing.
 */
static int git_dirty(void)
{
	static const char *const argv[] = {"env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u",
		"GIT_INDEX_FILE", "git", "--no-optional-locks", "-c", "core.fsmonitor=false",
		"status", "--porcelain", "--untracked-files=no", NULL};
	int dirty = 0;
	/* No output is an answer only from a git that did not fail. */
	int rc = tool_run(&(struct tool){.argv = argv,
				  .stdin_fd = -1,
				  .take = saw_output,
				  .ctx = &dirty,
				  .limit_ns = GIT_WAIT_MS * NS_PER_MS},
		NULL);

	return dirty || rc == 0 ? dirty : -1;
}

static void capture_git(struct arena *a, struct res_environment *e)
{
	cleanup_free char *git_dir = e->cwd ? find_git_dir(e->cwd) : NULL;

	if (!git_dir)
		return;
	e->git_commit = git_commit(a, git_dir);
	e->git_dirty = git_dirty();
}

/* ---- the machine ---- */

/* The value of the first line "name : value" of text, in a; NULL if there is none. */
static const char *cpuinfo_value(struct arena *a, const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *value;

		end = line + strcspn(line, "\n");
		if (strncmp(line, name, len) != 0)
			continue;
		value = line + len + strspn(line + len, " \t");
		if (*value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		return value < end ? arena_printf(a, "%.*s", (int)(end - value), value) : NULL;
	}
	return NULL;
}

static int has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += len) {
		if ((p == words || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return 1;
	}
	return 0;
}

static void capture_cpu(struct arena *a, struct res_environment *e)
{
	cleanup_free char *text = slurp("/proc/cpuinfo");
	const char *flags = text ? cpuinfo_value(a, text, "flags") : NULL;
	int hypervisor = flags && has_word(flags, "hypervisor");
	int container = access("/run/.containerenv", F_OK) == 0 || access("/.dockerenv", F_OK) == 0;

	if (text)
		e->cpu = cpuinfo_value(a, text, "model name");
	if (hypervisor && container)
		e->virtualization = "hypervisor, container";
	else if (hypervisor)
		e->virtualization = "hypervisor";
	else if (container)
		e->virtualization = "container";
}

static void capture_sizes(struct res_environment *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

	if (cores > 0)
		e->cores = (uint64_t)cores;
	if (pages > 0 && page_bytes > 0)
		e->memory_bytes = (uint64_t)pages * (uint64_t)page_bytes;
}

static const char *line_of(struct arena *a, const char *path)
{
	cleanup_free char *line = first_line(path);

	return arena_strdup(a, line);
}

/* The value of PRETTY_NAME, a shell assignment: quotes around it and backslashes in it go away. */
static const char *os_name(struct arena *a)
{
	static const char name[] = "PRETTY_NAME=";
	cleanup_free char *etc = slurp("/etc/os-release");
	cleanup_free char *text = etc ? mem_strdup(etc) : slurp("/usr/lib/os-release");
	char *rest = text, *line, *to;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		to = line;
		for (const char *p = line + strlen(name); *p; p++) {
			if (*p == '\\' && p[1])
				*to++ = *++p;
			else if (*p != '"' && *p != '\'')
				*to++ = *p;
		}
		*to = '\0';
		return arena_strdup(a, line);
	}
	return NULL;
}

static void capture_machine(struct arena *a, struct res_environment *e)
{
	struct utsname u;

	if (uname(&u) == 0) {
		e->kernel = arena_strdup(a, u.release);
		e->machine = arena_strdup(a, u.machine);
	}
	capture_cpu(a, e);
	capture_sizes(e);
	e->governor = line_of(a, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	e->clocksource =
		line_of(a, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	e->os = os_name(a);
#ifdef __GLIBC__
	e->libc = arena_printf(a, "glibc %s", gnu_get_libc_version());
#endif
	e->uid = getuid();
}

void environment_machine(struct res_result *r)
{
	if (!r->environment)
		r->environment = RES_OBJ(r, environment);
	capture_machine(result_arena(r), r->environment);
}

static void capture(void *doc, struct res_environment *e, const char *target_path)
{
	cleanup_free char *cwd = getcwd(NULL, 0);
	struct arena *a = result_arena(doc);

	capture_machine(a, e);
	e->cwd = arena_strdup(a, cwd);
	capture_target(doc, e, target_path, target_path);
	capture_git(a, e);
}

void environment_capture(struct res_result *r, const char *target_path)
{
	if (!r->environment)
		r->environment = RES_OBJ(r, environment);
	capture(r, r->environment, target_path);
}

struct res_environment *environment_describe(void *doc, const char *target_path)
{
	struct res_environment *e = RES_OBJ(doc, environment);

	capture(doc, e, target_path);
	return e;
}
