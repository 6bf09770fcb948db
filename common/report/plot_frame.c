/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/plot_frame.h"

#include <math.h>

#include "common/write/safe.h"

enum { TITLE_COLUMNS = 100, SUBTITLE_COLUMNS = 120 };

/* Foreign text on at most that many columns. */
static void put_foreign(struct out *o, struct arena *a, const char *s, size_t columns)
{
	safe_put_xml(o, safe_cut(a, safe_text(a, s), columns));
}

void plot_frame_begin(
	struct out *o, struct arena *a, const char *title, const char *subtitle, int is_file)
{
	out_printf(o,
		"<svg %sclass=\"plot\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		"role=\"img\">\n<title>",
		is_file ? "xmlns=\"http://www.w3.org/2000/svg\" " : "", PLOT_WIDTH, PLOT_HEIGHT,
		PLOT_WIDTH, PLOT_HEIGHT);
	put_foreign(o, a, title, TITLE_COLUMNS);
	out_str(o, "</title>\n");
	if (is_file)
		out_str(o, "<style>\n" PLOT_STYLE "</style>\n");
	out_printf(o,
		"<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n"
		"<text class=\"title\" x=\"%d\" y=\"30\">",
		PLOT_WIDTH, PLOT_HEIGHT, 24);
	put_foreign(o, a, title, TITLE_COLUMNS);
	out_str(o, "</text>\n<text class=\"small\" x=\"24\" y=\"50\">");
	put_foreign(o, a, subtitle, SUBTITLE_COLUMNS);
	out_str(o, "</text>\n");
}

void plot_frame_axes(struct out *o)
{
	out_printf(o,
		"<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
		"<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
		PLOT_LEFT, PLOT_BOTTOM, PLOT_RIGHT, PLOT_BOTTOM, PLOT_LEFT, PLOT_TOP, PLOT_LEFT,
		PLOT_BOTTOM);
}

void plot_frame_tick(struct out *o, double y)
{
	out_printf(o,
		"<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
		PLOT_LEFT, y, PLOT_RIGHT, y, PLOT_LEFT - 8, y + 4);
}

double plot_frame_y(double most, double v)
{
	return PLOT_BOTTOM - v / most * (PLOT_BOTTOM - PLOT_TOP);
}

void plot_frame_titles(struct out *o, const char *x, const char *y)
{
	out_printf(o, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
		(PLOT_LEFT + PLOT_RIGHT) / 2, PLOT_BOTTOM + 44);
	safe_put_xml(o, x);
	out_printf(o,
		"</text>\n<text class=\"small\" transform=\"translate(16 %d) rotate(-90)\" "
		"text-anchor=\"middle\">",
		(PLOT_TOP + PLOT_BOTTOM) / 2);
	safe_put_xml(o, y);
	out_str(o, "</text>\n");
}

double plot_frame_step(double v)
{
	static const double steps[] = {1, 2, 5};
	double power = v > 0 ? pow(10, floor(log10(v))) : 1;

	for (size_t i = 0; i < 3; i++)
		if (steps[i] * power >= v)
			return steps[i] * power;
	return 10 * power;
}
