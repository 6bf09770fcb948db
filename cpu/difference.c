/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/difference.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/runner/flamegraph.h"
#include "cpu/diff.h"

char *difference_find(const char *place, const char *scenario)
{
	static const char *const forms[] = {
		"%s/flamegraphs/%s.folded", "%s/cpu/%s.folded", "%s/%s.folded"};
	struct stat st;

	if (stat(place, &st) == 0 && !S_ISDIR(st.st_mode))
		return mem_strdup(place);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *path = mem_printf(forms[i], place, scenario);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static void write_folded(const void *diff, struct out *o)
{
	diff_write(diff, o);
}

static int draw(const struct diff *d, const char *scenario, const char *prefix, struct err *err)
{
	cleanup_free char *folded = mem_printf("%s-diff.folded", prefix);
	cleanup_free char *svg = mem_printf("%s-diff-flamegraph.svg", prefix);
	cleanup_free char *title = mem_printf("%s: difference", scenario);
	int rc = file_write_with(folded, write_folded, d, err);

	if (rc == 0)
		rc = flamegraph_render(&(struct flamegraph){.title = title,
					       .count_name = "samples",
					       .folded_path = folded,
					       .svg_path = svg,
					       .is_difference = 1},
			err);
	return rc < 0 ? rc : 1;
}

/* 1: all are in d, 0: one has no stacks. */
static int read_side(struct diff *d, enum diff_side side, const char *const *places,
	const char *scenario, struct err *err)
{
	for (; *places; places++) {
		cleanup_free char *path = difference_find(*places, scenario);
		int rc;

		/* A result file has none beside it that could be told by its name. */
		if (!path || strstr(path, ".json"))
			return 0;
		rc = diff_read(d, side, path, err);
		if (rc < 0)
			return rc;
	}
	return 1;
}

int difference_draw(const char *const *const places[2], const char *scenario, const char *prefix,
	struct err *err)
{
	struct diff d = {0};
	int rc = read_side(&d, DIFF_BASE, places[0], scenario, err);

	if (rc > 0)
		rc = read_side(&d, DIFF_NOW, places[1], scenario, err);
	if (rc > 0)
		rc = draw(&d, scenario, prefix, err);
	diff_release(&d);
	return rc;
}
