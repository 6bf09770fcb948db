/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/outside.h"

#include <inttypes.h>
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

void outside_call(struct outside *o, const struct sys_def *def)
{
	/* Rows of numbers without a name come later. */
	if (def->index < o->len)
		o->calls[def->index]++;
}

void outside_end(struct outside *o, pid_t pid)
{
	uint64_t self, children;
	char path[64], *text = NULL;
	const char *fields;
	size_t len;
	long ticks = sysconf(_SC_CLK_TCK);

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (ticks <= 0 || file_read(path, 4096, &text, &len, NULL) < 0)
		return;
	/* proc(5): the name may have blanks and brackets; stime is the 15th field, cstime the 17th.
	 */
	fields = strrchr(text, ')');
	if (fields &&
		sscanf(fields + 1,
			" %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %*s %" SCNu64,
			&self, &children) == 2)
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
