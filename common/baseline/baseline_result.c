/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What METADATA.md says of a result, read from its JSON. By the names of members and not by the
 * structs of common/model: an archive may hold results of other versions of the schema.
 */
#include "common/baseline/baseline_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/model/json.h"
#include "common/runner/load.h"

#define SITE_SHARE_MIN     0.10 /* of the peak: memory */
#define FUNCTION_SHARE_MIN 0.01 /* of the samples: cpu */
enum { FUNCTIONS_SHOWN = 3, CALLS_SHOWN = 3 };

typedef const struct json_value *value;

__attribute__((format(printf, 3, 4))) static void add(
	struct metadata *m, struct metadata_lines *lines, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*VEC_PUSH(lines) = arena_vprintf(&m->arena, fmt, ap);
	va_end(ap);
}

static uint64_t number(value object, const char *key)
{
	int64_t v = json_int(json_get(object, key), -1);

	return v < 0 ? UINT64_MAX : (uint64_t)v;
}

/* As number(), 0 for what is not known: for sums. */
static uint64_t count(value object, const char *key)
{
	uint64_t v = number(object, key);

	return v == UINT64_MAX ? 0 : v;
}

static const char *text_of(struct metadata *m, value object, const char *key)
{
	return arena_strdup(&m->arena, json_text(json_get(object, key)));
}

/* ---- type io ---- */

static void io_totals(struct metadata *m, struct metadata_result *r, value root)
{
	value syscalls = json_get(root, "syscalls"), work = json_get(root, "work");
	uint64_t calls = 0, errors = 0, units = count(work, "count");
	char a[UNITS_BUF], b[UNITS_BUF];

	for (size_t i = 0; i < json_len(syscalls); i++) {
		calls = sat_add(calls, count(json_at(syscalls, i), "calls"));
		errors = sat_add(errors, count(json_at(syscalls, i), "errors"));
	}
	add(m, &r->figures, "%s calls, %s errors", units_thousands(a, calls),
		units_thousands(b, errors));
	if (units)
		add(m, &r->figures, "%.2f calls per %s (%s)", (double)calls / (double)units,
			json_text(json_get(work, "unit")) ? json_text(json_get(work, "unit"))
							  : "unit of work",
			units_thousands(a, units));
}

static void io_batch(struct metadata *m, struct metadata_result *r, value syscall)
{
	value batch = json_get(syscall, "batch"), per_call = json_get(batch, "per_call");
	const char *name = json_text(json_get(syscall, "name"));
	const char *unit = json_text(json_get(batch, "unit"));
	double mean = json_number(json_get(per_call, "mean"), -1);
	double fill = json_number(json_get(batch, "fill"), -1);
	char a[UNITS_BUF], b[UNITS_BUF];

	if (!name || !unit || mean < 0)
		return;
	if (count(syscall, "calls") < JUDGE_CALLS_MIN)
		fill = -1;
	add(m, &r->figures, "%s: %.2f %s per call (max %s) in %s calls%s", name, mean, unit,
		units_thousands(a, count(per_call, "max")),
		units_thousands(b, count(syscall, "calls")),
		fill < 0 ? "" : arena_printf(&m->arena, ", %.0f%% of what was asked", fill * 100));
	if (!strcmp(unit, "messages") && mean < 2 && count(syscall, "calls") >= JUDGE_CALLS_MIN)
		add(m, &r->findings, "%s moves %.2f messages per call", name, mean);
}

/* Of the calls by time: its share, and its errors. */
static void io_finding(struct metadata *m, struct metadata_result *r, value syscall, uint64_t all)
{
	const char *name = json_text(json_get(syscall, "name"));
	uint64_t calls = count(syscall, "calls"), errors = count(syscall, "errors");
	uint64_t total = count(json_get(syscall, "wall_ns"), "total");
	char a[UNITS_BUF], b[UNITS_BUF];

	if (!name || !total || calls < JUDGE_CALLS_MIN)
		return;
	add(m, &r->findings, "%s: %s of the time in calls (%s calls%s)", name,
		units_percent(a, total, all), units_thousands(b, calls),
		errors ? arena_printf(&m->arena, ", %.1f%% errors",
				 100.0 * (double)errors / (double)calls)
		       : "");
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = count(json_get(*(const value *)a, "wall_ns"), "total");
	uint64_t y = count(json_get(*(const value *)b, "wall_ns"), "total");

	return x < y ? 1 : x > y ? -1 : 0;
}

static void read_io(struct metadata *m, struct metadata_result *r, value root)
{
	value syscalls = json_get(root, "syscalls");
	size_t len = json_len(syscalls);
	value *order = mem_calloc(len + 1, sizeof(*order));
	const char *version = json_text(json_get(json_get(root, "tracer"), "version"));
	uint64_t all = 0;

	if (version)
		add(m, &r->tools, "iotrace %s", version);
	io_totals(m, r, root);
	for (size_t i = 0; i < len; i++) {
		order[i] = json_at(syscalls, i);
		all = sat_add(all, count(json_get(order[i], "wall_ns"), "total"));
		io_batch(m, r, order[i]);
	}
	qsort(order, len, sizeof(*order), by_time);
	for (size_t i = 0; i < len && i < CALLS_SHOWN; i++)
		io_finding(m, r, order[i], all);
	free(order);
}

/* ---- type cpu ---- */

static void read_cpu(struct metadata *m, struct metadata_result *r, value root)
{
	value sampling = json_get(root, "sampling"), tools = json_get(root, "tools");
	value functions = json_get(root, "functions_by_self");
	const char *event = json_text(json_get(sampling, "event_used"));
	double unknown = json_number(json_get(sampling, "unknown_share"), -1);
	char a[UNITS_BUF], b[UNITS_BUF];

	for (size_t i = 0; i < json_len(tools); i++) {
		const char *name = json_text(json_get(json_at(tools, i), "name"));
		const char *version = json_text(json_get(json_at(tools, i), "version"));

		if (version)
			add(m, &r->tools, "%s", version);
		else if (name)
			add(m, &r->tools, "%s (version not known)", name);
	}
	if (number(sampling, "samples") != UINT64_MAX)
		add(m, &r->figures, "%s samples%s%s, %s lost",
			units_thousands(a, count(sampling, "samples")), event ? " of " : "",
			event ? event : "", units_thousands(b, count(sampling, "lost")));
	if (unknown >= 0 && count(sampling, "samples") >= JUDGE_SAMPLES_MIN)
		add(m, &r->figures, "%.1f%% of the frames without a symbol", unknown * 100);
	if (count(sampling, "samples") < JUDGE_SAMPLES_MIN)
		return;
	for (size_t i = 0; i < json_len(functions) && i < FUNCTIONS_SHOWN; i++) {
		const char *name = json_text(json_get(json_at(functions, i), "name"));
		double share = json_number(json_get(json_at(functions, i), "self_share"), 0);

		if (name && share >= FUNCTION_SHARE_MIN)
			add(m, &r->findings, "%s: %.1f%% of the samples are in it", name,
				share * 100);
	}
}

/* ---- type memory ---- */

static void memory_point(
	struct metadata *m, struct metadata_result *r, value point, const char *what)
{
	char a[UNITS_BUF], b[UNITS_BUF];
	uint64_t heap = number(point, "heap_bytes"), total = number(point, "total_bytes");

	if (heap == UINT64_MAX)
		return;
	add(m, &r->figures, "%s: %s of heap%s", what, units_bytes(a, heap),
		total == UINT64_MAX
			? ""
			: arena_printf(&m->arena, " (%s with overhead)", units_bytes(b, total)));
}

static void read_memory(struct metadata *m, struct metadata_result *r, value root)
{
	value sites = json_get(root, "sites"), tree = json_get(root, "peak_tree");
	const char *moment = json_text(json_get(tree, "moment"));
	const char *of = moment && !strcmp(moment, "other") ? "of what was held at another moment"
							    : "of the peak";
	const char *version = json_text(json_get(json_get(root, "massif"), "version"));
	char a[UNITS_BUF];

	if (version)
		add(m, &r->tools, "%s%s", strncmp(version, "valgrind", 8) ? "valgrind " : "",
			version);
	memory_point(m, r, json_get(root, "peak"), "peak");
	memory_point(m, r, json_get(root, "held_at_end"), "held at the end");
	for (size_t i = 0; i < json_len(sites); i++) {
		const char *name = json_text(json_get(json_at(sites, i), "function"));
		const char *place = json_text(json_get(json_at(sites, i), "place"));
		double share = json_number(json_get(json_at(sites, i), "share"), 0);

		if (name && share >= SITE_SHARE_MIN)
			add(m, &r->findings, "%s%s%s%s: %.1f%% %s (%s)", name, place ? " (" : "",
				place ? place : "", place ? ")" : "", share * 100, of,
				units_bytes(a, count(json_at(sites, i), "bytes")));
	}
}

/* ---- every type ---- */

static const char *commit(struct metadata *m, value environment)
{
	const char *id = json_text(json_get(environment, "git_commit"));

	if (!id)
		return NULL;
	return arena_printf(&m->arena, "%s%s", id,
		json_bool(json_get(environment, "git_dirty"), 0) ? " with uncommitted changes"
								 : "");
}

static const char *target(struct metadata *m, value environment)
{
	const char *path = json_text(json_get(environment, "target_path"));
	const char *hash = json_text(json_get(environment, "target_sha256"));
	const char *id = json_text(json_get(environment, "target_build_id"));

	if (!path)
		return NULL;
	return arena_printf(&m->arena, "%s, sha256 %s, build-id %s", path, hash ? hash : "unknown",
		id ? id : "none");
}

static void read_environment(struct metadata *m, struct metadata_result *r, value e)
{
	uint64_t cores = number(e, "cores"), memory = number(e, "memory_bytes");
	char buf[UNITS_BUF];

	r->fields[META_COMMIT] = commit(m, e);
	r->fields[META_KERNEL] = text_of(m, e, "kernel");
	r->fields[META_OS] = text_of(m, e, "os");
	r->fields[META_CPU] = text_of(m, e, "cpu");
	if (cores != UINT64_MAX)
		r->fields[META_CORES] = arena_strdup(&m->arena, units_thousands(buf, cores));
	if (memory != UINT64_MAX)
		r->fields[META_MEMORY] = arena_strdup(&m->arena, units_bytes(buf, memory));
	r->fields[META_GOVERNOR] = text_of(m, e, "governor");
	r->fields[META_CLOCKSOURCE] = text_of(m, e, "clocksource");
	r->fields[META_VIRTUALIZATION] = text_of(m, e, "virtualization");
	r->fields[META_LIBC] = text_of(m, e, "libc");
	r->fields[META_TARGET] = target(m, e);
}

static const char *command_line(struct metadata *m, value words)
{
	size_t len = json_len(words);
	const char **argv = mem_calloc(len + 1, sizeof(*argv));
	const char *line = NULL;

	for (size_t i = 0; i < len; i++)
		argv[i] = json_text(json_at(words, i)) ? json_text(json_at(words, i)) : "?";
	if (len) {
		char *text = load_text(argv);

		line = arena_strdup(&m->arena, text);
		free(text);
	}
	free(argv);
	return line;
}

static void read_result(struct metadata *m, struct metadata_result *r, value root)
{
	static const struct {
		const char *type;
		void (*read)(struct metadata *m, struct metadata_result *r, value root);
	} types[] = {{"io", read_io}, {"cpu", read_cpu}, {"memory", read_memory}};
	char processes[UNITS_BUF];
	value warnings = json_get(root, "warnings"), attached = json_get(root, "attached");

	r->complete = json_bool(json_get(root, "complete"), 0);
	r->command = command_line(m, json_get(root, "command"));
	if (json_kind_of(attached) == JSON_KIND_OBJECT)
		add(m, &r->figures, "attached to %s process%s%s",
			units_thousands(processes, count(attached, "processes")),
			count(attached, "processes") == 1 ? "" : "es",
			json_bool(json_get(attached, "started"), 0) ? "" : " that ran already");
	r->started_at = text_of(m, root, "started_at");
	r->wall_ns = number(root, "wall_ns");
	r->runs = number(json_get(root, "runs"), "count");
	if (r->runs == UINT64_MAX)
		r->runs = 1;
	read_environment(m, r, json_get(root, "environment"));
	for (size_t i = 0; i < json_len(warnings); i++) {
		const char *text = json_text(json_get(json_at(warnings, i), "text"));

		if (text)
			add(m, &r->warnings, "%s", text);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].type, r->type))
			types[i].read(m, r, root);
}

void metadata_read(struct metadata *m, const char *type, const char *name, const char *path)
{
	struct metadata_result *r = VEC_PUSH(&m->results);
	struct json_doc *doc = NULL;
	struct err err = {0};

	*r = (struct metadata_result){
		.type = arena_strdup(&m->arena, type),
		.name = arena_strdup(&m->arena, name),
		.wall_ns = UINT64_MAX,
		.runs = UINT64_MAX,
	};
	if (json_doc_read(path, &doc, &err) < 0)
		r->error = arena_strdup(&m->arena, err.text);
	else if (json_kind_of(json_doc_root(doc)) != JSON_KIND_OBJECT ||
		 !json_text(json_get(json_doc_root(doc), "schema")))
		r->error = "not a result: it names no schema";
	else
		read_result(m, r, json_doc_root(doc));
	json_doc_free(doc);
}

static void release_lines(struct metadata_lines *lines)
{
	free(lines->at);
}

void metadata_release(struct metadata *m)
{
	for (size_t i = 0; i < m->results.len; i++) {
		struct metadata_result *r = &m->results.at[i];

		release_lines(&r->warnings);
		release_lines(&r->tools);
		release_lines(&r->figures);
		release_lines(&r->findings);
	}
	free(m->results.at);
	arena_release(&m->arena);
	*m = (struct metadata){0};
}
