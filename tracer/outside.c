/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"

void outside_init(struct outside *o)
{
	*o = (struct outside){.len = sys_count(), .system_ns = U64_NONE};
	o->calls = mem_calloc(o->len, sizeof(*o->calls));
}

void outside_release(struct outside *o)
{
	free(o->calls);
	*o = (struct outside){0};
}

void outside_calls(struct outside *o, const struct sys_def *def, uint64_t n)
{
	/* Rows of numbers without a name come later. */
	if (def->index < o->len)
		o->calls[def->index] += n;
}

/* The n-th word behind text, the first is 1, as a number; U64_NONE: it is none. */
static uint64_t word(const char *text, int n)
{
	unsigned long long value;
	char *end;

	for (int i = 1; i < n; i++) {
		text += strspn(text, " ");
		text += strcspn(text, " ");
	}
	value = strtoull(text, &end, 10);
	return end > text ? value : U64_NONE;
}

void outside_end(struct outside *o, pid_t pid)
{
	uint64_t self, children;
	char path[64], *text = NULL;
	const char *fields;
	long ticks = sysconf(_SC_CLK_TCK);

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (ticks <= 0 || file_read(path, 4096, &text, NULL, NULL) < 0)
		return;
	/* proc(5): the name may have blanks and brackets; behind it is the third field, stime is
	 * the 15th, cstime the 17th. */
	fields = strrchr(text, ')');
	fields = fields ? fields + 1 : "";
	self = word(fields, 15 - 2);
	children = word(fields, 17 - 2);
	if (self != U64_NONE && children != U64_NONE)
		o->system_ns = (self + children) * (NS_PER_SEC / (uint64_t)ticks);
	free(text);
}

static int by_calls(const void *a, const void *b)
{
	const struct res_untraced *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return strcmp(x->name, y->name);
}

void outside_result(const struct outside *o, struct res_result *r)
{
	struct res_tracer *t = r->tracer;
	size_t n = 0;

	t->system_ns = o->system_ns;
	for (size_t i = 0; i < o->len; i++)
		n += o->calls[i] != 0;
	RES_LIST(r, &t->untraced, n, untraced);
	n = 0;
	for (size_t i = 0; i < o->len; i++)
		if (o->calls[i])
			t->untraced.at[n++] =
				(struct res_untraced){sys_by_index(i)->name, o->calls[i]};
	if (n)
		qsort(t->untraced.at, n, sizeof(*t->untraced.at), by_calls);
}
