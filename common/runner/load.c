/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/load.h"

#include <errno.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"

int work_scan_init(struct work_scan *w, const char *regex, uint64_t scale, struct err *err)
{
	uint32_t groups = 0;
	PCRE2_UCHAR text[128];
	PCRE2_SIZE at;
	int code;

	*w = (struct work_scan){.scale = scale, .count = UINT64_MAX};
	w->regex = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
	if (!w->regex) {
		pcre2_get_error_message(code, text, sizeof(text));
		return err_set(err, -EINVAL, "regex '%s', byte %zu: %s", regex, (size_t)at,
			(const char *)text);
	}
	pcre2_pattern_info(w->regex, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (!groups) {
		work_scan_release(w);
		return err_set(
			err, -EINVAL, "regex '%s' needs a group (...) around the number", regex);
	}
	w->match = pcre2_match_data_create(2, NULL);
	if (!w->match) {
		work_scan_release(w);
		return err_set(err, -ENOMEM, "regex '%s': out of memory", regex);
	}
	return 0;
}

/* The digits before a point, commas left out. Returns their length, or -1: none, or too large. */
static int parse_whole(const char *text, size_t len, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < len && text[i] != '.'; i++) {
		if (text[i] == ',' && i)
			continue;
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(n, 10U, &n) ||
			__builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
			return -1;
	}
	*ret = n;
	return i ? (int)i : -1;
}

/* The number in text[0..len) times scale; what is smaller than 1 is cut. -1: none, or too large. */
static int parse_number(const char *text, size_t len, uint64_t scale, uint64_t *ret)
{
	uint64_t n;
	int whole = parse_whole(text, len, &n);

	if (whole < 0 || __builtin_mul_overflow(n, scale, &n))
		return -1;
	for (size_t i = (size_t)whole + 1; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		scale /= 10;
		if (__builtin_add_overflow(n, scale * (uint64_t)(text[i] - '0'), &n))
			return -1;
	}
	if (n > INT64_MAX)
		return -1;
	*ret = n;
	return 0;
}

static void scan_line(struct work_scan *w)
{
	size_t len = w->len, *group = pcre2_get_ovector_pointer(w->match) + 2;
	int rc = pcre2_match(w->regex, (PCRE2_SPTR)w->line, len, 0, 0, w->match, NULL);

	w->len = 0;
	w->too_hard |= rc < 0 && rc != PCRE2_ERROR_NOMATCH;
	if (rc < 0 || group[0] == PCRE2_UNSET)
		return;
	parse_number(w->line + group[0], group[1] - group[0], w->scale, &w->count);
}

void work_scan_feed(struct work_scan *w, const char *p, size_t n)
{
	for (size_t i = 0; i < n && w->regex; i++) {
		/* Progress lines end with a carriage return. */
		if (p[i] == '\n' || p[i] == '\r')
			scan_line(w);
		else if (w->len < sizeof(w->line) && p[i])
			w->line[w->len++] = p[i];
	}
}

void work_scan_end(struct work_scan *w)
{
	if (w->regex && w->len)
		scan_line(w);
}

void work_scan_release(struct work_scan *w)
{
	pcre2_match_data_free(w->match);
	pcre2_code_free(w->regex);
	w->match = NULL;
	w->regex = NULL;
}

uint64_t load_unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", NS_PER_US}, {"ms", NS_PER_MS}, {"s", NS_PER_SEC}};

	for (size_t i = 0; i < LEN(units); i++)
		if (!strcmp(units[i].name, unit))
			return units[i].ns;
	return 0;
}

int work_split(const char *text, char **ret_unit, char **ret_regex, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || !equals[1])
		return err_set(err, -EINVAL, "'%s' is not UNIT=REGEX", text);
	*ret_unit = mem_strndup(text, (size_t)(equals - text));
	*ret_regex = mem_strdup(equals + 1);
	return 0;
}

char *load_text(const char *const *argv)
{
	if (argv[0] && argv[1] && argv[2] && !argv[3] && !strcmp(argv[0], "sh") &&
		!strcmp(argv[1], "-c"))
		return mem_strdup(argv[2]);
	return text_command(argv);
}
