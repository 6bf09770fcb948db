/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_FLAMEGRAPH_H
#define RUNNER_FLAMEGRAPH_H

#include "common/base/err.h"
#include "common/runner/signals.h"

/*
 * Draws folded stacks ("a;b;c 12" a line; "a;b;c 10 12" for a difference) as a flame graph with the
 * renderer that is there: inferno-flamegraph or flamegraph.pl from PATH, else the one of
 * libdevel-nytprof-perl. Without one as the page does.
 */
struct flamegraph {
	const char *title;
	const char *count_name; /* unit of the numbers: samples, bytes */
	const char *colors;     /* NULL: the renderer's; mem is known to each of them */
	const char *folded_path, *svg_path;
	int is_difference;
	const struct signals *signals; /* may be NULL */
};

/* The renderer's file, the caller's; NULL: there is none. */
char *flamegraph_renderer(void);

/* svg_path appears whole or not at all. -EINTR: a signal came; else what went wrong with it. */
int flamegraph_render(const struct flamegraph *g, struct err *err);

#endif
