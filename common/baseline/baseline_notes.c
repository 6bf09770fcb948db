/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/baseline/baseline_notes.h"

#include <stdarg.h>
#include <stdlib.h>

void baseline_note(struct baseline_notes *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*VEC_PUSH(&n->lines) = arena_vprintf(&n->arena, fmt, ap);
	va_end(ap);
}

void baseline_notes_release(struct baseline_notes *n)
{
	free(n->lines.at);
	arena_release(&n->arena);
	*n = (struct baseline_notes){0};
}
