/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/backend.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/runner/layout.h"
#include "common/model/json.h"
#include "common/model/walk.h"
#include "common/runner/load.h"

static const struct backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "common/runner/backends.def"
#undef BACKEND
};

struct drive backend_drive(const struct backend_run *in)
{
	return (struct drive){
		.sc = in->sc,
		.signals = in->signals,
		.null_stdin = in->null_stdin,
		.insist = SIGKILL,
		.limit_ns = in->sc->timeout_ns,
		.target_log = in->target_log,
		.load_log = in->load_log,
		.watcher = in->watcher,
	};
}

int backend_trouble_status(const struct backend_run *in, const struct drive_result *d)
{
	if (d->trouble == DRIVE_FINE)
		return 0;
	return d->trouble == DRIVE_TIMED_OUT && !in->sc->load ? BACKEND_TIME_LIMIT
							      : BACKEND_TROUBLE;
}

int backend_not_attached(const struct backend_run *in, const struct drive_result *d,
	struct backend_result *ret, struct err *err)
{
	if (!in->attach || d->tool_started)
		return 0;
	ret->status = backend_trouble_status(in, d);
	if (d->interrupted)
		ret->status = BACKEND_INTERRUPTED;
	else if (!ret->status)
		ret->status = BACKEND_TROUBLE;
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

struct res_load *backend_describe_load(
	void *doc, const struct scenario *sc, const struct drive_result *d)
{
	struct res_load *to;

	if (!d->load_started)
		return NULL;
	cleanup_free char *command = load_text(sc->load);

	to = RES_OBJ(doc, load);
	to->command = arena_strdup(result_arena(doc), command);
	to->status = (uint64_t)d->load_status;
	to->wall_ns = d->load_wall_ns;
	to->latency_ns = d->latency_ns;
	return to;
}

struct res_work *backend_describe_work(
	void *doc, const struct scenario *sc, const struct drive_result *d)
{
	struct res_work *to;

	if (!d->load_started || d->work_count == UINT64_MAX)
		return NULL;
	to = RES_OBJ(doc, work);
	to->unit = arena_strdup(result_arena(doc), sc->work_unit);
	to->count = d->work_count;
	return to;
}

struct res_exit *backend_describe_exit(
	void *doc, const struct drive_result *d, int is_known, int signal, int status)
{
	struct res_exit *e = RES_OBJ(doc, exit);

	e->timed_out = d->trouble == DRIVE_TIMED_OUT;
	if (d->stopped)
		e->status = 0;
	else if (is_known && signal)
		e->signal = (uint64_t)signal;
	else if (is_known)
		e->status = (uint64_t)status;
	return e;
}

const char *backend_describe_time(void *doc, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / NS_PER_SEC);
	struct tm tm;
	char day[40] = "";

	if (gmtime_r(&seconds, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(
		result_arena(doc), "%s.%03dZ", day, (int)(real_ns % NS_PER_SEC / NS_PER_MS));
}

/* ---- several runs ---- */

int backend_note_runs(const struct backend *b, const char *dir, const char *name,
	const struct backend_runs *runs, struct err *err)
{
	cleanup_free char *path = mem_printf("%s/%s%s", dir, name, backend_json_suffix(b));
	const struct shape *shape = b->schema->shape;
	void *doc;
	int rc = json_read_struct(path, b->schema, &doc, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < shape->len; i++)
		if (shape->fields[i].shape == &shape_runs)
			walk_set_obj(doc, &shape->fields[i], backend_describe_runs(doc, runs));
	rc = file_write_with(path, json_write_doc, doc, err);
	result_free(doc);
	return rc;
}

const struct backend *backend_at(size_t i)
{
	return i < LEN(backends) ? backends[i] : NULL;
}

const struct backend *backend_by_id(const char *id)
{
	for (size_t i = 0; backend_at(i); i++)
		if (!strcmp(backend_at(i)->id, id))
			return backend_at(i);
	return NULL;
}

struct backend_figure *backend_figure(
	struct backend_result *r, const char *unit, double value, const char *fmt, ...)
{
	va_list ap;

	if (r->figures_len == BACKEND_FIGURES_MAX)
		return NULL;
	struct backend_figure *f = &r->figures[r->figures_len++];

	f->unit = unit;
	f->value = value;
	f->of = NAN;
	va_start(ap, fmt);
	vsnprintf(f->name, sizeof(f->name), fmt, ap);
	va_end(ap);
	return f;
}

static const char *value_words(char *buf, const char *unit, double v)
{
	if (!strcmp(unit, "bytes"))
		return units_bytes(buf, (uint64_t)v);
	if (!strcmp(unit, "ns"))
		return units_duration(buf, (uint64_t)v);
	if (v == floor(v) && fabs(v) < 1e18)
		return units_thousands(buf, (uint64_t)v);
	snprintf(buf, UNITS_BUF, "%.2f", v);
	return buf;
}

const char *backend_figure_words(
	char *buf, size_t size, const char *name, const char *unit, const double value_of[2])
{
	char value[UNITS_BUF], of[UNITS_BUF];
	size_t len = strlen(name), stem = text_stem_len(name, " per call");

	value_words(value, unit ? unit : "", value_of[0]);
	if (!strcmp(name, "calls") || !strcmp(name, "samples"))
		snprintf(buf, size, "%s %.*s", value, (int)len - (value_of[0] == 1), name);
	else if (!strncmp(name, "calls per ", strlen("calls per ")))
		snprintf(buf, size, "%s %s", value, name);
	else if (stem && !isnan(value_of[1]))
		snprintf(buf, size, "%.*s %s of %s a call", (int)stem, name, value,
			value_words(of, "", value_of[1]));
	else
		snprintf(buf, size, "%s %s", name, value);
	return buf;
}

const char *backend_json_suffix(const struct backend *b)
{
	const char *const *last = b->suffixes;

	while (last[1])
		last++;
	return *last;
}

const char *const *backend_results(struct arena *a, const struct backend *b, const char *out_dir)
{
	const char *dir = arena_printf(a, "%s/%s", out_dir, b->folder);
	const char *const *names = file_names(a, dir, backend_json_suffix(b), 0);
	size_t len = text_list_len(names), n = 0;
	const char **ok = arena_alloc(a, len + 1, sizeof(*ok));

	for (size_t i = 0; i < len; i++)
		if (layout_name_ok(names[i]))
			ok[n++] = names[i];
	return ok;
}
