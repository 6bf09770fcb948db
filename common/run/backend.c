/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/backend.h"

#include <errno.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/model/result.h"

static const struct backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "common/run/backends.def"
#undef BACKEND
};

int backend_not_attached(const struct drive_result *d, struct backend_result *ret, struct err *err)
{
	enum { STATUS_TROUBLE = 2, STATUS_INTERRUPTED = 130 };

	if (d->tool_started)
		return 0;
	ret->status = d->interrupted ? STATUS_INTERRUPTED : STATUS_TROUBLE;
	return err_set(err, d->interrupted ? -EINTR : -ECHILD, "%s", d->text);
}

struct res_attached *backend_describe_attached(void *doc, const struct attach *a)
{
	struct res_attached *to;

	if (!a)
		return NULL;
	to = RES_OBJ(doc, attached);
	to->pid = (uint64_t)a->roots.at[0];
	to->processes = a->all.len;
	to->started = a->started;
	return to;
}

struct res_runs *backend_describe_runs(void *doc, const struct backend_runs *runs)
{
	struct res_runs *to = RES_OBJ(doc, runs);

	to->count = runs->count;
	to->chosen = runs->chosen;
	to->min_ns = runs->min_ns;
	to->max_ns = runs->max_ns;
	return to;
}

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

const char *backend_json_suffix(const struct backend *b)
{
	const char *const *last = b->suffixes;

	while (last[1])
		last++;
	return *last;
}
