/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/view/view_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/units.h"

#define VALUE_BUF 96

/* The unit in which a value is read, and the others of its row with it. */
struct scale {
	double by;
	const char *name;
	int decimals;
};

static struct scale scale_of(double v, const char *unit)
{
	static const struct scale times[] = {
		{1e9, " s", 3}, {1e6, " ms", 1}, {1e3, " us", 1}, {1, " ns", 0}};
	static const struct scale sizes[] = {
		{1073741824, " GiB", 2}, {1048576, " MiB", 2}, {1024, " KiB", 1}, {1, " B", 0}};
	const struct scale *s = !strcmp(unit, "ns") ? times : sizes;

	if (!strcmp(unit, "ratio"))
		return (struct scale){0.01, "%", 1};
	if (strcmp(unit, "ns") != 0 && strcmp(unit, "bytes") != 0)
		return (struct scale){1, "", 2};
	while (s->by > 1 && v < s->by)
		s++;
	return *s;
}

static const char *value_text(char *buf, double v, const struct scale *s)
{
	char text[UNITS_BUF];

	if (s->by == 1 && v >= 0 && v < 1e18 && v == floor(v))
		snprintf(buf, VALUE_BUF, "%s", units_thousands(text, (uint64_t)v));
	else
		snprintf(buf, VALUE_BUF, "%.*f", s->decimals, v / s->by);
	return buf;
}

void view_figures_cell(struct doc *d, struct doc_table *t, const double v[3], const char *unit)
{
	char median[VALUE_BUF], min[VALUE_BUF], max[VALUE_BUF];
	struct scale s = scale_of(v[0], unit);

	if (isnan(v[0]))
		doc_cell_text(d, t, "-");
	else if (v[1] == v[2])
		doc_cell_text(d, t, "%s%s", value_text(median, v[0], &s), s.name);
	else
		doc_cell_text(d, t, "%s [%s..%s]%s", value_text(median, v[0], &s),
			value_text(min, v[1], &s), value_text(max, v[2], &s), s.name);
}
