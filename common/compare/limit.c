/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/limit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Units that a limit's number may have; the first that fits a rewritten one is the one it had. */
static const struct {
	const char *name, *of;
	long double scale;
} units[] = {{"", "", 1}, {"B", "bytes", 1}, {"KiB", "bytes", 1024}, {"MiB", "bytes", 1048576},
	{"GiB", "bytes", 1073741824}, {"ns", "ns", 1}, {"us", "ns", 1e3}, {"ms", "ns", 1e6},
	{"s", "ns", 1e9}, {"%", "ratio", 0.01L}};

static const struct {
	const char *sign;
	enum limit_op op;
} signs[] = {{">=", LIMIT_AT_LEAST}, {"<=", LIMIT_AT_MOST}, {"==", LIMIT_EQUAL}, {">", LIMIT_ABOVE},
	{"<", LIMIT_BELOW}, {"+", LIMIT_WORSE}};

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
	long double v; /* 29% is to be the double 0.29, which 29 * 0.01 is not */
	int unit;

	if (!p)
		return bad(text, err);
	p = skip_blanks(p);
	/* strtold takes more than numbers: hexadecimal, inf, nan. */
	v = strtold(p, &end);
	if (end == p || strspn(p, "0123456789.") != (size_t)(end - p))
		return bad(text, err);
	unit = unit_at(skip_blanks(end));
	if (unit < 0)
		return bad(text, err);
	*ret = (struct limit){.op = op,
		.value = (double)(v * units[unit].scale),
		.is_share = op == LIMIT_WORSE && strcmp(units[unit].name, "%") == 0};
	ret->unit = ret->is_share ? "" : units[unit].of;
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
	/* 0.29 * 100 is a little less than 29, which is allowed. */
	return l->is_share ? l->value * fabs(base) * (1 + 1e-12) : l->value;
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

/* x in the digits that limit_parse reads, which has no exponents; `digits` of them count. */
static char *number_text(double x, int digits)
{
	int whole = x != 0 ? (int)floor(log10(fabs(x))) + 1 : 1;

	char *text = mem_printf("%.*f", digits > whole ? digits - whole : 0, x);

	if (strchr(text, '.')) {
		size_t len = strlen(text);

		while (text[len - 1] == '0')
			len--;
		text[len - (text[len - 1] == '.')] = '\0';
	}
	return text;
}

static char *limit_text(const char *sign, double x, int digits, const char *unit)
{
	char *number = number_text(x, digits);
	char *text = mem_printf("%s %s%s", sign, number, unit);

	free(number);
	return text;
}

/* As few digits as let v meet the limit; ten hide what the arithmetic adds. Without the unit where
 * in that there is no number for v. */
static char *rewritten(const char *sign, double x, const char *unit, double v)
{
	for (int digits = 10; digits <= 17; digits++) {
		char *text = limit_text(sign, x, digits, unit);
		struct limit l = {0};

		if (limit_parse(text, &l, NULL) == 0 && limit_met(&l, v))
			return text;
		free(text);
	}
	return limit_text(sign, v, 17, "");
}

char *limit_rewrite(const char *text, double v)
{
	/* What is strictly above or below allows the value itself from now on. */
	static const char *const allows[] = {[LIMIT_AT_LEAST] = ">=",
		[LIMIT_AT_MOST] = "<=",
		[LIMIT_EQUAL] = "==",
		[LIMIT_ABOVE] = ">=",
		[LIMIT_BELOW] = "<="};
	struct limit l = {0};
	enum limit_op op = LIMIT_EQUAL;
	const char *number = take_sign(skip_blanks(text), &op), *unit;
	double x;

	if (limit_parse(text, &l, NULL) < 0 || l.op == LIMIT_WORSE || !isfinite(v))
		return NULL;
	unit = skip_blanks(number);
	unit += strspn(unit, "0123456789.");
	unit = skip_blanks(unit);
	x = (double)(v / units[unit_at(unit)].scale);
	return rewritten(allows[op], op == LIMIT_EQUAL ? x : rounded(x, op), unit, v);
}
