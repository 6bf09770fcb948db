/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/doctor/doctor_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/runner/flamegraph.h"
#include "common/runner/layout.h"
#include "common/runner/program.h"
#include "common/runner/tool.h"

enum { VERSION_LIMIT_MS = 5000, MASSIF_LIMIT_MS = 20000, SAID_MAX = 240, ARGS_MAX = 8 };

/* The first part of what a program wrote. */
struct capture {
	char text[4096];
	size_t len;
};

static void take(void *ctx, const char *p, size_t n)
{
	struct capture *c = ctx;
	size_t room = sizeof(c->text) - 1 - c->len;

	memcpy(c->text + c->len, p, n < room ? n : room);
	c->len += n < room ? n : room;
}

/* Its first line that is not empty, without control characters; NULL if there is none. */
static const char *first_line(struct arena *a, struct capture *c)
{
	char *line = c->text, *out;

	c->text[c->len] = '\0';
	line += strspn(line, "\r\n \t");
	if (!*line)
		return NULL;
	out = text_one_line(arena_printf(a, "%.*s", (int)strcspn(line, "\r\n"), line));
	if (strlen(out) > SAID_MAX)
		out[SAID_MAX] = '\0';
	return out;
}

int doctor_run(struct arena *a, const char *const *argv, int limit_ms, const char **ret_line)
{
	/* The first line counts, wherever it was written to. */
	const char *merged[ARGS_MAX + 5] = {"sh", "-c", "exec \"$@\" 2>&1", "sh"};
	struct capture c = {.len = 0};
	int rc;

	for (size_t i = 0; i < ARGS_MAX && argv[i]; i++)
		merged[i + 4] = argv[i];
	rc = tool_run(&(struct tool){.argv = merged,
			      .stdin_fd = -1,
			      .take = take,
			      .ctx = &c,
			      .limit_ns = (unsigned int)limit_ms * NS_PER_MS},
		NULL);
	*ret_line = first_line(a, &c);
	return rc;
}

/* ---- the tools ---- */

/* Some end with a status of their own after --version (ms_print: 1). A wrapper for a program that
 * is not there (Ubuntu's perf) does not begin with the name. */
static int is_version(const char *line, const char *path)
{
	const char *name = basename(path);

	return line && !strncmp(line, name, strlen(name));
}

/* path is the caller's, NULL: not found. */
static void ask_version(struct arena *a, const char *path, struct doctor_tool *tool)
{
	const char *argv[] = {path, "--version", NULL};
	const char *line;

	*tool = (struct doctor_tool){0};
	if (!path)
		return;
	tool->path = arena_strdup(a, path);
	tool->broken = doctor_run(a, argv, VERSION_LIMIT_MS, &line) != 0 && !is_version(line, path);
	*(tool->broken ? &tool->said : &tool->version) = line;
}

static void find_tool(struct arena *a, const char *name, struct doctor_tool *tool)
{
	cleanup_free char *path = program_find(name);

	ask_version(a, path, tool);
}

/* flamegraph.pl has no --version: it would read its input instead. */
static void find_renderer(struct arena *a, struct doctor_tool *tool)
{
	cleanup_free char *path = flamegraph_renderer();

	if (path && strstr(path, "inferno"))
		ask_version(a, path, tool);
	else
		*tool = (struct doctor_tool){.path = arena_strdup(a, path)};
}

/* A heap profile of true, in a directory of its own. */
static void try_massif(struct doctor_facts *f)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *dir = mem_printf("%s/doctor.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	cleanup_free char *program = program_find("true");
	int rc;

	if (!f->valgrind.path || !program)
		return;
	if (!mkdtemp(dir)) {
		f->massif.code = -errno;
		strncpy(f->massif.step, "mkdtemp", sizeof(f->massif.step) - 1);
		return;
	}
	cleanup_free char *file = mem_printf("%s/massif.out", dir);
	cleanup_free char *option = mem_printf("--massif-out-file=%s", file);
	const char *argv[] = {f->valgrind.path, "-q", "--tool=massif", option, program, NULL};

	rc = doctor_run(&f->arena, argv, MASSIF_LIMIT_MS, &f->massif_said);
	if (rc < 0)
		f->massif.code = rc;
	else if (access(file, R_OK) < 0)
		f->massif.code = -ENODATA;
	layout_remove_dir(dir);
}

void doctor_find_tools(struct doctor_facts *f)
{
	struct arena *a = &f->arena;

	cleanup_free char *iotrace = program_find_beside("iotrace");

	ask_version(a, iotrace, &f->iotrace);
	find_tool(a, "perf", &f->perf);
	find_tool(a, "valgrind", &f->valgrind);
	find_tool(a, "ms_print", &f->ms_print);
	find_renderer(a, &f->renderer);
	try_massif(f);
}
