/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "common/base/out.h"
#include "common/model/result.h"

/* Memory over time as an SVG: heap, what the allocator adds, stacks; the peak marked, the load's
 * window shaded. No scripts; light and dark by the reader's preference. A profile without snapshots
 * gives a picture that says so. is_file: a file of its own; else a part of a page whose style has
 * PLOT_STYLE. */
void plot_write(const struct res_memory *r, int is_file, struct out *o);

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
	".plot .heap { fill: #3b76d9; }\n"                                                         \
	".plot .window { fill: #ab7df8; fill-opacity: 0.2; }\n"                                    \
	".plot .edge { stroke: #ab7df8; }\n"                                                       \
	".plot .peak { stroke: #ff7b72; }\n"                                                       \
	".plot .dot { fill: #ff7b72; }\n"                                                          \
	".plot .end { fill: #0d1117; stroke: #e6edf3; }\n"                                         \
	"}\n"

#endif
