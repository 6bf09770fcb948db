/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/habits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/out.h"

static const struct habit rows[] = {
#define HABIT(letter, name, qualifiers, value, kind, sentence)                                     \
	{letter, name, qualifiers, HABIT_##value, HABIT_##kind, sentence},
#include "tracer/habits.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

size_t habits_count(void)
{
	return ROWS;
}

const struct habit *habits_at(size_t index)
{
	return &rows[index];
}

const struct habit *habits_by_letter(int letter)
{
	for (size_t i = 0; i < ROWS; i++)
		if (letter && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* ---- -e x=... ---- */

/* 1 if the list "a|b" has the word. */
static int lists(const char *list, const char *word, size_t len)
{
	for (const char *p = list; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strcspn(p, "|") == len && strncmp(p, word, len) == 0)
			return 1;
	}
	return 0;
}

static int unknown_qualifier(const char *expr, size_t len, struct err *err)
{
	char word[32];
	struct nearest n;

	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)), expr);
	n = nearest_to(word, 1 + strlen(word) / 3);
	nearest_try(&n, "trace");
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].qualifiers && rows[i].name)
			nearest_try(&n, rows[i].name);
	if (!n.name)
		return err_set(err, -EINVAL, "'%s=' is no expression of -e", word);
	return err_set(
		err, -EINVAL, "'%s=' is no expression of -e; did you mean '%s='?", word, n.name);
}

int habits_by_expression(const char *expr, const struct habit **ret, struct err *err)
{
	size_t len = strcspn(expr, "=,/");

	*ret = NULL;
	if (expr[len] != '=' || lists("trace|t", expr, len))
		return 0;
	for (size_t i = 0; i < ROWS && !*ret; i++)
		if (lists(rows[i].qualifiers, expr, len))
			*ret = &rows[i];
	return *ret ? 0 : unknown_qualifier(expr, len, err);
}

/* ---- those that were given ---- */

int habits_take(struct habits *h, const struct habit *habit, const char *prefix, const char *name,
	struct err *err)
{
	struct habit_use use = {.habit = habit};

	snprintf(use.as, sizeof(use.as), "%s%s", prefix, name);
	if (habit->kind == HABIT_MISSING)
		return err_set(err, -EINVAL, "%s is not there: %s", use.as, habit->sentence);
	for (size_t i = 0; i < h->len; i++)
		if (!strcmp(h->at[i].as, use.as))
			return 0;
	*VEC_PUSH(h) = use;
	return 0;
}

const char *habits_on_times(const struct habits *h)
{
	for (size_t i = 0; i < h->len; i++) {
		const struct habit *k = h->at[i].habit;

		if ((k->letter && strchr("tTrw", k->letter)) ||
			(k->name && !strcmp(k->name, "timestamps")))
			return h->at[i].as;
	}
	return NULL;
}

char *habits_text(const struct habits *h)
{
	const char *before = "";
	struct out o;
	char *text;

	if (!h->len)
		return NULL;
	out_init_mem(&o);
	for (size_t i = 0; i < h->len; i++)
		if (h->at[i].habit->kind == HABIT_ALWAYS) {
			out_printf(&o, "%s%s", before, h->at[i].as);
			before = " ";
		}
	if (*before) {
		out_str(&o, ": always so");
		before = "; ";
	}
	for (size_t i = 0; i < h->len; i++)
		if (h->at[i].habit->kind == HABIT_NOTHING) {
			out_printf(&o, "%s%s: %s", before, h->at[i].as, h->at[i].habit->sentence);
			before = "; ";
		}
	text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}

void habits_release(struct habits *h)
{
	free(h->at);
	*h = (struct habits){0};
}
