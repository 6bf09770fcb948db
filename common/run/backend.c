/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "common/run/backends.def"
#undef BACKEND
};

const struct backend *backend_at(size_t i)
{
	return i < sizeof(backends) / sizeof(backends[0]) ? backends[i] : NULL;
}

const struct backend *backend_by_id(const char *id)
{
	for (size_t i = 0; backend_at(i); i++)
		if (!strcmp(backend_at(i)->id, id))
			return backend_at(i);
	return NULL;
}

void backend_figure(struct backend_result *r, const char *unit, double value, const char *fmt, ...)
{
	va_list ap;

	if (r->figures_len == BACKEND_FIGURES_MAX)
		return;
	struct backend_figure *f = &r->figures[r->figures_len++];

	f->unit = unit;
	f->value = value;
	va_start(ap, fmt);
	vsnprintf(f->name, sizeof(f->name), fmt, ap);
	va_end(ap);
}
