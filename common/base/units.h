/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#include "common/base/err.h"

/* Text forms for people. buf is the caller's, returned; UNITS_BUF bytes are enough for each. */
#define UNITS_BUF 40
const char *units_thousands(char *buf, uint64_t v); /* 29,686 */
const char *units_duration(
	char *buf, uint64_t ns);              /* 850 ns, 3.9 us, 12.5 ms, 1.334 s, 3 min 12 s */
const char *units_us(char *buf, uint64_t ns); /* microseconds, 3 digits: 3.9, 41, 1,204 */
const char *units_bytes(char *buf, uint64_t bytes);                  /* 812 B, 12.4 KiB, 3.1 MiB */
const char *units_percent(char *buf, uint64_t part, uint64_t whole); /* 12.3%, "-" if whole is 0 */
/* A figure of compare; unit: ns, bytes, else none. "-" where it was not measured. */
const char *units_figure(char *buf, const char *unit, double v);

/* "256M", "1G", "64K", "4096" -> bytes (powers of 1024). -EINVAL names the text. */
int units_parse_bytes(const char *s, uint64_t *ret_bytes, struct err *err);
/* "1.5", "30" (seconds), also "200ms" -> ns. Negative, NaN and more than 1e9 s are refused. */
int units_parse_seconds(const char *s, uint64_t *ret_ns, struct err *err);
/* Whole decimal number in [min, max]. */
int units_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);

/* Sums that stop at INT64_MAX, the largest integer that JSON carries here. */
static inline uint64_t sat_add(uint64_t a, uint64_t b)
{
	uint64_t s;

	if (__builtin_add_overflow(a, b, &s) || s > INT64_MAX)
		return INT64_MAX;
	return s;
}

static inline uint64_t sat_mul(uint64_t a, uint64_t b)
{
	uint64_t p;

	if (__builtin_mul_overflow(a, b, &p) || p > INT64_MAX)
		return INT64_MAX;
	return p;
}

/* A real as such an integer, cut; what is negative or no number is 0. A plain cast of what is out
 * of range is undefined. */
static inline uint64_t sat_u64(double v)
{
	return !(v > 0) ? 0 : v < 0x1p63 ? (uint64_t)v : INT64_MAX;
}

#endif
