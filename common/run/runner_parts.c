/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/runner_parts.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

void runner_add(struct runner *r, struct res_strs *list, const char *text)
{
	struct arena *a = result_arena(r->report);
	const char **longer = arena_alloc(a, list->len + 1, sizeof(*longer));

	if (list->len)
		memcpy(longer, list->at, list->len * sizeof(*longer));
	longer[list->len] = arena_strdup(a, text);
	list->at = longer;
	list->len++;
}

void runner_trouble(struct runner *r, struct res_strs *list, const char *text)
{
	runner_add(r, list, text);
	r->ui->trouble(r->ui->ctx, text);
}

void runner_note(struct runner *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	r->ui->note(r->ui->ctx, text);
}

void runner_progress(struct runner *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	r->ui->progress(r->ui->ctx, text);
}
