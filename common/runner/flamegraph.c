/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/flamegraph.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/report/report.h"
#include "common/runner/program.h"
#include "common/runner/tool.h"

/* Where Debian and others have it; the rest of perl's path is asked of perl. */
#define NYTPROF_DIR    "/usr/share/perl5"
#define NYTPROF_SCRIPT "Devel/NYTProf/flamegraph.pl"

enum { ARGS_MAX = 10 };

/* In one of the directories in which perl looks for modules. */
static char *find_in_perl_path(void)
{
	static const char *const argv[] = {"perl", "-e", "print join \"\\n\", @INC", NULL};
	struct out dirs;
	char *found = NULL, *text, *rest, *dir;

	out_init_mem(&dirs);
	if (tool_run(
		    &(struct tool){.argv = argv, .stdin_fd = -1, .take = tool_to_out, .ctx = &dirs},
		    NULL) == 0) {
		rest = text = mem_strdup(out_text(&dirs));
		while (!found && (dir = strsep(&rest, "\n"))) {
			found = mem_printf("%s/" NYTPROF_SCRIPT, dir);
			if (access(found, R_OK) == 0)
				break;
			free(found);
			found = NULL;
		}
		free(text);
	}
	out_release(&dirs);
	return found;
}

char *flamegraph_renderer(void)
{
	static const char *const names[] = {"inferno-flamegraph", "flamegraph.pl"};
	cleanup_free char *perl = NULL;
	char *found;

	for (size_t i = 0; i < LEN(names); i++) {
		found = program_find(names[i]);
		if (found)
			return found;
	}
	perl = program_find("perl");
	if (!perl)
		return NULL;
	if (access(NYTPROF_DIR "/" NYTPROF_SCRIPT, R_OK) == 0)
		return mem_strdup(NYTPROF_DIR "/" NYTPROF_SCRIPT);
	return find_in_perl_path();
}

static int starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* What a renderer that crashed or is another program leaves does not pass. */
static int is_svg(const char *text, size_t len)
{
	static const char end[] = "</svg>";

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return (starts_with(text, "<?xml") || starts_with(text, "<svg")) && len >= strlen(end) &&
	       !memcmp(text + len - strlen(end), end, strlen(end));
}

static int render(const struct flamegraph *g, const char *renderer, int folded, struct out *svg,
	struct err *err)
{
	cleanup_free char *title = mem_printf("--title=%s", g->title);
	cleanup_free char *count = mem_printf("--countname=%s", g->count_name);
	cleanup_free char *colors = mem_printf("--colors=%s", g->colors ? g->colors : "");
	const char *argv[ARGS_MAX] = {NULL};
	size_t len = 0;

	/* A script of a package need not be executable. */
	if (access(renderer, X_OK) < 0)
		argv[len++] = "perl";
	argv[len++] = renderer;
	argv[len++] = "--hash"; /* a function has the same colour in every picture */
	argv[len++] = title;
	argv[len++] = count;
	if (g->colors)
		argv[len++] = colors;
	return tool_run(&(struct tool){.argv = argv,
				.stdin_fd = folded,
				.take = tool_to_out,
				.ctx = svg,
				.signals = g->signals},
		err);
}

#define FOLDED_MAX ((size_t)1 << 30)

/* Without a renderer. */
static int draw_ourselves(const struct flamegraph *g, struct err *err)
{
	cleanup_free char *folded = NULL;
	struct out svg;
	size_t len;
	int rc;

	rc = file_read(g->folded_path, FOLDED_MAX, &folded, &len, err);
	if (rc < 0)
		return rc;
	out_init_mem(&svg);
	report_flame_file(
		g->title, &(struct flame_text){folded, len, g->count_name, g->is_difference}, &svg);
	rc = file_write(g->svg_path, out_text(&svg), svg.len, err);
	out_release(&svg);
	return rc;
}

int flamegraph_render(const struct flamegraph *g, struct err *err)
{
	cleanup_free char *renderer = flamegraph_renderer();
	cleanup_close int folded = -1;
	struct out svg;
	int rc;

	if (!renderer)
		return draw_ourselves(g, err);
	folded = open(g->folded_path, O_RDONLY | O_CLOEXEC);
	if (folded < 0)
		return err_set(err, -errno, "cannot read %s: %s", g->folded_path, strerror(errno));
	out_init_mem(&svg);
	rc = render(g, renderer, folded, &svg, err);
	if (rc == 0 && !is_svg(out_text(&svg), svg.len))
		rc = err_set(err, -EIO, "it did not write a whole SVG");
	if (rc == 0)
		rc = file_write(g->svg_path, out_text(&svg), svg.len, err);
	else
		rc = err_wrap(err, "no flame graph by %s", renderer);
	out_release(&svg);
	return rc;
}
