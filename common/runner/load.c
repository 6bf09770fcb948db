/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/out.h"

/* POSIX has no \d: it becomes [0-9], within brackets 0-9. An escaped backslash stays what it is. */
static char *translate(const char *regex)
{
	char *to = mem_calloc(strlen(regex) * 3 + 1, 1), *t = to;
	int bracket = 0;

	for (const char *p = regex; *p; p++) {
		if (p[0] == '\\' && p[1] == 'd') {
			t = stpcpy(t, bracket ? "0-9" : "[0-9]");
			p++;
		} else if (p[0] == '\\' && p[1] && !bracket) {
			*t++ = *p++;
			*t++ = *p;
		} else {
			if (*p == '[' && !bracket) {
				bracket = 1;
				/* A ] that comes first in brackets is an ordinary character. */
				for (int lead = 0; lead < 2 && p[1] == "^]"[lead]; lead++)
					*t++ = *p++;
			} else if (*p == ']') {
				bracket = 0;
			}
			*t++ = *p;
		}
	}
	return to;
}

#define SIZE_MAX_ATOMS 20000
#define DEPTH_MAX      32

/* How often the repetition at *p has its atom copied; *p then is at its last character. */
static uint64_t copies(const char **p)
{
	uint64_t most = 1;

	if (**p == '+')
		return 2;
	if (**p != '{')
		return 1;
	for (; (*p)[1] && **p != '}'; ++*p)
		if ((*p)[1] >= '0' && (*p)[1] <= '9') {
			uint64_t n = strtoull(*p + 1, NULL, 10);

			most = n > most ? n : most;
		}
	return most < SIZE_MAX_ATOMS ? most : SIZE_MAX_ATOMS;
}

/* The end of a bracket expression. */
static const char *bracket_end(const char *p)
{
	p += p[1] == '^';
	p += p[1] == ']';
	for (p++; *p && *p != ']'; p++)
		;
	return *p ? p : p - 1;
}

/*
 * Atoms that regcomp() makes of it: the C library copies what is repeated, so that a few characters
 * ("a+++++", "((a{99}){99}){99}") can take all memory. SIZE_MAX_ATOMS: so many or more.
 */
static uint64_t compiled_size(const char *regex)
{
	uint64_t sum[DEPTH_MAX] = {0}, last[DEPTH_MAX] = {0};
	unsigned int depth = 0;

	for (const char *p = regex; *p; p++) {
		uint64_t atom = 1;

		if (strchr("*?+{", *p)) {
			last[depth] *= copies(&p);
			if (last[depth] >= SIZE_MAX_ATOMS)
				return SIZE_MAX_ATOMS;
			continue;
		}
		if (*p == '(') {
			if (++depth == DEPTH_MAX)
				return SIZE_MAX_ATOMS;
			sum[depth] = last[depth] = 0;
			continue;
		}
		if (*p == ')' && depth) {
			atom = sum[depth] + last[depth] + 1;
			depth--;
		} else if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '[') {
			p = bracket_end(p);
		}
		sum[depth] += last[depth];
		last[depth] = atom;
		if (sum[depth] >= SIZE_MAX_ATOMS)
			return SIZE_MAX_ATOMS;
	}
	return sum[0] + last[0];
}

int work_scan_init(struct work_scan *w, const char *regex, uint64_t scale, struct err *err)
{
	cleanup_free char *posix = translate(regex);
	char text[128];
	int code;

	if (compiled_size(posix) >= SIZE_MAX_ATOMS)
		return err_set(err, -EINVAL, "regex '%s' repeats repetitions too often", regex);
	code = regcomp(&w->regex, posix, REG_EXTENDED);
	if (code) {
		regerror(code, &w->regex, text, sizeof(text));
		return err_set(err, -EINVAL, "regex '%s': %s", regex, text);
	}
	if (w->regex.re_nsub < 1) {
		regfree(&w->regex);
		return err_set(
			err, -EINVAL, "regex '%s' needs a group (...) around the number", regex);
	}
	w->active = 1;
	w->len = 0;
	w->scale = scale;
	w->count = UINT64_MAX;
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
	regmatch_t match[2];

	w->line[w->len] = '\0';
	w->len = 0;
	if (regexec(&w->regex, w->line, 2, match, 0) != 0 || match[1].rm_so < 0)
		return;
	parse_number(w->line + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so), w->scale,
		&w->count);
}

void work_scan_feed(struct work_scan *w, const char *p, size_t n)
{
	for (size_t i = 0; i < n && w->active; i++) {
		/* Progress lines end with a carriage return. */
		if (p[i] == '\n' || p[i] == '\r')
			scan_line(w);
		else if (w->len < sizeof(w->line) - 1 && p[i])
			w->line[w->len++] = p[i];
	}
}

void work_scan_end(struct work_scan *w)
{
	if (w->active && w->len)
		scan_line(w);
}

void work_scan_release(struct work_scan *w)
{
	if (w->active)
		regfree(&w->regex);
	w->active = 0;
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

static int needs_quotes(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./:=,+@%^";

	return !*word || word[strspn(word, plain)];
}

static void quote(const char *word, struct out *o)
{
	if (!needs_quotes(word)) {
		out_str(o, word);
		return;
	}
	out_char(o, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			out_str(o, "'\\''");
		else
			out_char(o, *word);
	}
	out_char(o, '\'');
}

char *load_command(const char *const *argv)
{
	struct out o;

	out_init_mem(&o);
	for (const char *const *word = argv; *word; word++) {
		if (word != argv)
			out_char(&o, ' ');
		quote(*word, &o);
	}
	char *text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}

char *load_text(const char *const *argv)
{
	if (argv[0] && argv[1] && argv[2] && !argv[3] && !strcmp(argv[0], "sh") &&
		!strcmp(argv[1], "-c"))
		return mem_strdup(argv[2]);
	return load_command(argv);
}
