/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/limit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Units that a limit's number may have; the first that fits a rewritten one is the one it had. */
static const struct {
	const char *name;
	double scale;
} units[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"ns", 1},
	{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"%", 0.01}};

static const struct {
	const char *sign;
	enum limit_op op;
} signs[] = {{">=", LIMIT_AT_LEAST}, {"<=", LIMIT_AT_MOST}, {"==", LIMIT_EQUAL}, {">", LIMIT_ABOVE},
	{"<", LIMIT_BELOW}, {"+", LIMIT_WORSE}};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static int bad(const char *text, struct err *err)
{
	return err_set(err, -EINVAL,
		"limit '%.60s': understood are >= <= == > < with a number (and B, KiB, MiB, GiB, "
		"ns, "
		"us, ms, s or %%), and +10 or +2%%: how much worse than the base",
		text);
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " ");
}

/* The index in units, or -1. */
static int unit_at(const char *p)
{
	for (size_t i = 0; i < LEN(units); i++)
		if (strcmp(p, units[i].name) == 0)
			return (int)i;
	return -1;
}

/* Where the sign ends; NULL: there is none. */
static const char *take_sign(const char *p, enum limit_op *ret)
{
	for (size_t i = 0; i < LEN(signs); i++) {
		size_t len = strlen(signs[i].sign);

		if (strncmp(p, signs[i].sign, len) == 0) {
			*ret = signs[i].op;
			return p + len;
		}
	}
	return NULL;
}

int limit_parse(const char *text, struct limit *ret, struct err *err)
{
	enum limit_op op;
	const char *p = take_sign(skip_blanks(text), &op);
	char *end;
	double v;
	int unit;

	if (!p)
		return bad(text, err);
	p = skip_blanks(p);
	/* strtod takes more than numbers: hexadecimal, inf, nan. */
	v = strtod(p, &end);
	if (end == p || strspn(p, "0123456789.") != (size_t)(end - p))
		return bad(text, err);
	unit = unit_at(skip_blanks(end));
	if (unit < 0)
		return bad(text, err);
	*ret = (struct limit){
		op, v * units[unit].scale, op == LIMIT_WORSE && strcmp(units[unit].name, "%") == 0};
	return 0;
}

int limit_met(const struct limit *l, double v)
{
	switch (l->op) {
	case LIMIT_AT_LEAST:
		return v >= l->value;
	case LIMIT_AT_MOST:
		return v <= l->value;
	case LIMIT_EQUAL:
		return v == l->value;
	case LIMIT_ABOVE:
		return v > l->value;
	case LIMIT_BELOW:
		return v < l->value;
	default:
		return 0;
	}
}

double limit_tolerance(const struct limit *l, double base)
{
	return l->is_share ? l->value * fabs(base) : l->value;
}

/* Rounded to four digits away from v in the direction that allows it. */
static double rounded(double v, enum limit_op op)
{
	double step = v != 0 ? pow(10, floor(log10(fabs(v))) - 3) : 1;

	if (v == floor(v) && fabs(v) < 1e15)
		return v;
	return op == LIMIT_AT_LEAST || op == LIMIT_ABOVE ? floor(v / step) * step
							 : ceil(v / step) * step;
}

char *limit_rewrite(const char *text, double v)
{
	struct limit l = {0};
	enum limit_op sign; /* limit_parse() has it already */
	const char *p = skip_blanks(text), *number = take_sign(p, &sign), *unit;
	double scale;

	if (limit_parse(text, &l, NULL) < 0 || l.op == LIMIT_WORSE || isnan(v))
		return NULL;
	unit = skip_blanks(number);
	unit += strspn(unit, "0123456789.");
	unit = skip_blanks(unit);
	scale = units[unit_at(unit)].scale;
	/* What is strictly above or below allows the value itself from now on. */
	if (l.op == LIMIT_ABOVE || l.op == LIMIT_BELOW)
		return mem_printf("%s= %.10g%s", l.op == LIMIT_ABOVE ? ">" : "<",
			rounded(v / scale, l.op), unit);
	return mem_printf("%.2s %.10g%s", p,
		l.op == LIMIT_EQUAL ? v / scale : rounded(v / scale, l.op), unit);
}
