/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PLOT_FRAME_H
#define REPORT_PLOT_FRAME_H

#include "common/base/mem.h"
#include "common/base/out.h"

/* What the pictures of this folder have in common. Places: they meet doubles, which enumerators
 * should not. */
#define PLOT_WIDTH  960
#define PLOT_HEIGHT 440
#define PLOT_LEFT   92
#define PLOT_RIGHT  (PLOT_WIDTH - 28)
#define PLOT_TOP    96
#define PLOT_BOTTOM (PLOT_HEIGHT - 62)
#define PLOT_TICKS  6

/* Opens the picture; title and subtitle are foreign text. is_file: with a style of its own. */
void plot_frame_begin(
	struct out *o, struct arena *a, const char *title, const char *subtitle, int is_file);
/* The two lines. */
void plot_frame_axes(struct out *o);
/* A line across the picture at y, and where its label begins: the text and </text> are to follow.
 */
void plot_frame_tick(struct out *o, double y);
/* Where v stands, most being at the top. */
double plot_frame_y(double most, double v);
/* Below the one axis, beside the other. */
void plot_frame_titles(struct out *o, const char *x, const char *y);
/* The least of 1, 2, 5, 10, 20, .. that is at least v. */
double plot_frame_step(double v);

#define PLOT_STYLE                                                                                 \
	".plot text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', "            \
	"sans-serif; fill: #1f2328; }\n"                                                           \
	".plot .title { font-size: 18px; font-weight: 600; }\n"                                    \
	".plot .small { font-size: 12px; fill: #59636e; }\n"                                       \
	".plot .page { fill: #ffffff; }\n"                                                         \
	".plot .grid { stroke: #d1d9e0; stroke-width: 1; }\n"                                      \
	".plot .axis { stroke: #59636e; stroke-width: 1; }\n"                                      \
	".plot .heap { fill: #4c8bf5; }\n"                                                         \
	".plot .extra { fill: #f0a33b; }\n"                                                        \
	".plot .stacks { fill: #5fb663; }\n"                                                       \
	".plot .curve { stroke: #4c8bf5; stroke-width: 2; fill: none; }\n"                         \
	".plot .spread { stroke: #1f2328; stroke-width: 1.5; }\n"                                  \
	".plot .window { fill: #8250df; fill-opacity: 0.13; }\n"                                   \
	".plot .edge { stroke: #8250df; stroke-width: 1; stroke-dasharray: 4 3; }\n"               \
	".plot .peak { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 3; fill: none; }\n" \
	".plot .dot { fill: #cf222e; }\n"                                                          \
	".plot .end { fill: #ffffff; stroke: #1f2328; stroke-width: 1.5; }\n"                      \
	".plot .tip { fill: #000000; fill-opacity: 0; }\n"                                         \
	"@media screen and (prefers-color-scheme: dark) {\n"                                       \
	".plot text { fill: #e6edf3; }\n"                                                          \
	".plot .small { fill: #9198a1; }\n"                                                        \
	".plot .page { fill: #0d1117; }\n"                                                         \
	".plot .grid { stroke: #30363d; }\n"                                                       \
	".plot .axis { stroke: #9198a1; }\n"                                                       \
	".plot .spread { stroke: #e6edf3; }\n"                                                     \
	".plot .heap { fill: #3b76d9; }\n"                                                         \
	".plot .window { fill: #ab7df8; fill-opacity: 0.2; }\n"                                    \
	".plot .edge { stroke: #ab7df8; }\n"                                                       \
	".plot .peak { stroke: #ff7b72; }\n"                                                       \
	".plot .dot { fill: #ff7b72; }\n"                                                          \
	".plot .end { fill: #0d1117; stroke: #e6edf3; }\n"                                         \
	"}\n"

#endif
