/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

#define MAX_SECONDS 1000000000ULL

const char *units_thousands(char *buf, uint64_t v)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, v);
	char *to = buf;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buf;
}

/* v / unit in tenths, rounded to nearest. */
static uint64_t tenths(uint64_t v, uint64_t unit)
{
	return (uint64_t)(((unsigned __int128)v * 10 + unit / 2) / unit);
}

static const char *print_tenths(char *buf, uint64_t t, const char *unit)
{
	snprintf(buf, UNITS_BUF, "%" PRIu64 ".%" PRIu64 "%s", t / 10, t % 10, unit);
	return buf;
}

const char *units_duration(char *buf, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS + (ns % NS_PER_MS >= NS_PER_MS / 2);
	uint64_t s = ns / NS_PER_SEC + (ns % NS_PER_SEC >= NS_PER_SEC / 2);

	if (ns < NS_PER_US)
		snprintf(buf, UNITS_BUF, "%" PRIu64 " ns", ns);
	else if (tenths(ns, NS_PER_US) < 10000)
		print_tenths(buf, tenths(ns, NS_PER_US), " us");
	else if (tenths(ns, NS_PER_MS) < 10000)
		print_tenths(buf, tenths(ns, NS_PER_MS), " ms");
	else if (ms < 60000)
		snprintf(buf, UNITS_BUF, "%" PRIu64 ".%03" PRIu64 " s", ms / 1000, ms % 1000);
	else if (s < 3600)
		snprintf(buf, UNITS_BUF, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else
		snprintf(buf, UNITS_BUF, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
	return buf;
}

const char *units_us(char *buf, uint64_t ns)
{
	uint64_t t = tenths(ns, NS_PER_US);

	if (t < 100)
		return print_tenths(buf, t, "");
	return units_thousands(buf, ns / NS_PER_US + (ns % NS_PER_US >= NS_PER_US / 2));
}

const char *units_bytes(char *buf, uint64_t bytes)
{
	static const char *const names[] = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
	const size_t last = LEN(names) - 1;

	if (bytes < 1024) {
		snprintf(buf, UNITS_BUF, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (size_t i = 0;; i++) {
		uint64_t t = tenths(bytes, 1ULL << (10 * (i + 1)));

		if (t < 10240 || i == last)
			return print_tenths(buf, t, names[i]);
	}
}

const char *units_percent(char *buf, uint64_t part, uint64_t whole)
{
	unsigned __int128 t;

	if (!whole) {
		snprintf(buf, UNITS_BUF, "-");
		return buf;
	}
	t = ((unsigned __int128)part * 1000 + whole / 2) / whole;
	return print_tenths(buf, t > UINT64_MAX ? UINT64_MAX : (uint64_t)t, "%");
}

const char *units_figure(char *buf, const char *unit, double v)
{
	if (isnan(v))
		snprintf(buf, UNITS_BUF, "-");
	else if (unit && !strcmp(unit, "ns"))
		units_duration(buf, sat_u64(v));
	else if (unit && !strcmp(unit, "bytes"))
		units_bytes(buf, sat_u64(v));
	else if (v == floor(v) && v >= 0 && v < 1e15)
		units_thousands(buf, (uint64_t)v);
	else
		snprintf(buf, UNITS_BUF, "%.4g", v);
	return buf;
}

/* Decimal digits at *s into *v, *s behind them: how many, or -1 if they don't fit. */
static int take_digits(const char **s, uint64_t *v)
{
	const char *p = *s;
	int len;

	for (*v = 0; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(*v, 10, v) ||
			__builtin_add_overflow(*v, (uint64_t)(*p - '0'), v))
			return -1;
	}
	len = (int)(p - *s);
	*s = p;
	return len;
}

/* 1, 1024, ... for "", K, M, G, T; 0 for anything else. */
static uint64_t bytes_factor(const char *suffix)
{
	static const char names[] = "kKmMgGtT";
	const char *at;

	if (!*suffix)
		return 1;
	at = strchr(names, *suffix);
	return at && !suffix[1] ? 1ULL << (10 * ((at - names) / 2 + 1)) : 0;
}

int units_parse_bytes(const char *s, uint64_t *ret_bytes, struct err *err)
{
	const char *p = s;
	uint64_t v, factor;

	if (take_digits(&p, &v) <= 0)
		return err_set(err, -EINVAL,
			"'%s' is not a size: expected a number such as 4096, 64K, "
			"256M or 1G",
			s);
	factor = bytes_factor(p);
	if (!factor)
		return err_set(
			err, -EINVAL, "'%s' is not a size: '%s' is not one of K, M, G, T", s, p);
	if (__builtin_mul_overflow(v, factor, &v) || v > INT64_MAX)
		return err_set(err, -EINVAL, "'%s' is too large a size", s);
	*ret_bytes = v;
	return 0;
}

/* The digits behind a point as a share of 1e9; what is below 1e-9 is dropped. */
static uint64_t take_fraction(const char **s, int *ret_len)
{
	uint64_t v = 0, weight = 100000000;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v += (uint64_t)(*p - '0') * weight;
		weight /= 10;
	}
	*ret_len = (int)(p - *s);
	*s = p;
	return v;
}

int units_parse_seconds(const char *s, uint64_t *ret_ns, struct err *err)
{
	uint64_t whole, billionths = 0, unit_ns;
	const char *p = s;
	int len = take_digits(&p, &whole), fraction_len = 0;

	if (len < 0)
		goto too_large;
	if (*p == '.') {
		p++;
		billionths = take_fraction(&p, &fraction_len);
	}
	if (!*p || !strcmp(p, "s"))
		unit_ns = NS_PER_SEC;
	else if (!strcmp(p, "ms"))
		unit_ns = NS_PER_MS;
	else
		unit_ns = 0;
	if (!unit_ns || len + fraction_len == 0)
		return err_set(err, -EINVAL,
			"'%s' is not a time: expected seconds such as 30, 1.5 or "
			"200ms",
			s);
	if (whole > MAX_SECONDS * (NS_PER_SEC / unit_ns))
		goto too_large;
	whole = whole * unit_ns + billionths * unit_ns / NS_PER_SEC;
	if (whole > MAX_SECONDS * NS_PER_SEC)
		goto too_large;
	*ret_ns = whole;
	return 0;

too_large:
	return err_set(err, -EINVAL, "'%s' is too long a time", s);
}

int units_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	const char *p = s;
	uint64_t v;

	if (take_digits(&p, &v) <= 0 || *p || v < min || v > max)
		return err_set(err, -EINVAL,
			"'%s' is not a whole number from %" PRIu64 " to %" PRIu64, s, min, max);
	*ret = v;
	return 0;
}
