/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/runner_parts.h"

#include <stdarg.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

/* Of several scenarios each says which it is. */
static char *named(const struct runner *r, const char *text)
{
	return r->scenario ? mem_printf("%s: %s", r->scenario, text) : mem_strdup(text);
}

void runner_trouble(struct runner *r, struct res_strs *list, const char *text)
{
	cleanup_free char *said = named(r, text);

	result_append(r->report, list, text);
	r->ui->trouble(r->ui->ctx, said);
}

void runner_note(struct runner *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	cleanup_free char *said = named(r, text);

	r->ui->note(r->ui->ctx, said);
}

void runner_progress(struct runner *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	r->ui->progress(r->ui->ctx, text);
}
