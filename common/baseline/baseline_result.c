/* SPDX-License-Identifier: GPL-3.0-only */
/* What METADATA.md says of a result. */
#include "common/baseline/baseline_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/model/json.h"
#include "common/runner/load.h"

#define SITE_SHARE_MIN     0.10 /* of the peak: memory */
#define FUNCTION_SHARE_MIN 0.01 /* of the samples: cpu */
enum { FUNCTIONS_SHOWN = 3, CALLS_SHOWN = 3 };

__attribute__((format(printf, 3, 4))) static void add(
	struct metadata *m, struct metadata_lines *lines, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*VEC_PUSH(lines) = arena_vprintf(&m->arena, fmt, ap);
	va_end(ap);
}

/* 0 for what is not known: for sums. */
static uint64_t count(uint64_t v)
{
	return v == U64_NONE ? 0 : v;
}

static uint64_t total_ns(const struct res_syscall *s)
{
	return s->wall_ns ? count(s->wall_ns->total) : 0;
}

/* ---- type io ---- */

static void io_totals(struct metadata *m, struct metadata_result *r, const struct res_result *of)
{
	uint64_t calls = 0, errors = 0, units = of->work ? count(of->work->count) : 0;
	char a[UNITS_BUF], b[UNITS_BUF];

	for (size_t i = 0; i < of->syscalls.len; i++) {
		calls = sat_add(calls, count(of->syscalls.at[i].calls));
		errors = sat_add(errors, count(of->syscalls.at[i].errors));
	}
	add(m, &r->figures, "%s calls, %s errors", units_thousands(a, calls),
		units_thousands(b, errors));
	if (units)
		add(m, &r->figures, "%.2f calls per %s (%s)", (double)calls / (double)units,
			of->work->unit ? of->work->unit : "unit of work",
			units_thousands(a, units));
}

static void io_batch(struct metadata *m, struct metadata_result *r, const struct res_syscall *s)
{
	const struct res_batch *batch = s->batch;
	const struct res_per_call *per_call = batch ? batch->per_call : NULL;
	int enough = count(s->calls) >= JUDGE_CALLS_MIN;
	char a[UNITS_BUF], b[UNITS_BUF];

	if (!s->name || !per_call || !batch->unit || !(per_call->mean >= 0))
		return;
	add(m, &r->figures, "%s: %.2f %s per call (max %s) in %s calls%s", s->name, per_call->mean,
		batch->unit, units_thousands(a, count(per_call->max)),
		units_thousands(b, count(s->calls)),
		enough && batch->fill >= 0
			? arena_printf(&m->arena, ", %.0f%% of what was asked", batch->fill * 100)
			: "");
	if (!strcmp(batch->unit, "messages") && per_call->mean < 2 && enough)
		add(m, &r->findings, "%s moves %.2f messages per call", s->name, per_call->mean);
}

/* Of the calls by time: its share, and its errors. */
static void io_finding(
	struct metadata *m, struct metadata_result *r, const struct res_syscall *s, uint64_t all)
{
	uint64_t calls = count(s->calls), errors = count(s->errors);
	char a[UNITS_BUF], b[UNITS_BUF];

	if (!s->name || !total_ns(s) || calls < JUDGE_CALLS_MIN)
		return;
	add(m, &r->findings, "%s: %s of the time in calls (%s calls%s)", s->name,
		units_percent(a, total_ns(s), all), units_thousands(b, calls),
		errors ? arena_printf(&m->arena, ", %.1f%% errors",
				 100.0 * (double)errors / (double)calls)
		       : "");
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = total_ns(*(const struct res_syscall *const *)a);
	uint64_t y = total_ns(*(const struct res_syscall *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void read_io(struct metadata *m, struct metadata_result *r, const struct res_result *of)
{
	size_t len = of->syscalls.len;
	cleanup_free const struct res_syscall **order = mem_calloc(len + 1, sizeof(*order));
	uint64_t all = 0;

	if (of->tracer && of->tracer->version)
		add(m, &r->tools, "iotrace %s", of->tracer->version);
	io_totals(m, r, of);
	for (size_t i = 0; i < len; i++) {
		order[i] = &of->syscalls.at[i];
		all = sat_add(all, total_ns(order[i]));
		io_batch(m, r, order[i]);
	}
	qsort(order, len, sizeof(*order), by_time);
	for (size_t i = 0; i < len && i < CALLS_SHOWN; i++)
		io_finding(m, r, order[i], all);
}

/* ---- type cpu ---- */

static void add_tools(
	struct metadata *m, struct metadata_result *r, const struct res_cpu_tool *tools, size_t n)
{
	for (; n; n--, tools++)
		if (tools->version)
			add(m, &r->tools, "%s", tools->version);
		else if (tools->name)
			add(m, &r->tools, "%s (version not known)", tools->name);
}

static void read_cpu(struct metadata *m, struct metadata_result *r, const struct res_cpu *of)
{
	const struct res_cpu_sampling *s = of->sampling;
	char a[UNITS_BUF], b[UNITS_BUF];

	add_tools(m, r, of->tools.at, of->tools.len);
	if (!s || s->samples == U64_NONE)
		return;
	add(m, &r->figures, "%s samples%s%s, %s lost", units_thousands(a, s->samples),
		s->event_used ? " of " : "", s->event_used ? s->event_used : "",
		units_thousands(b, count(s->lost)));
	if (s->samples < JUDGE_SAMPLES_MIN)
		return;
	if (s->unknown_share >= 0)
		add(m, &r->figures, "%.1f%% of the frames without a symbol",
			s->unknown_share * 100);
	for (size_t i = 0; i < of->functions_by_self.len && i < FUNCTIONS_SHOWN; i++) {
		const struct res_cpu_function *f = &of->functions_by_self.at[i];

		if (f->name && f->self_share >= FUNCTION_SHARE_MIN)
			add(m, &r->findings, "%s: %.1f%% of the samples are in it", f->name,
				f->self_share * 100);
	}
}

/* ---- type memory ---- */

static void memory_point(struct metadata *m, struct metadata_result *r,
	const struct res_memory_point *p, const char *what)
{
	char a[UNITS_BUF], b[UNITS_BUF];

	if (!p || p->heap_bytes == U64_NONE)
		return;
	add(m, &r->figures, "%s: %s of heap%s", what, units_bytes(a, p->heap_bytes),
		p->extra_bytes == U64_NONE || p->total_bytes == U64_NONE
			? ""
			: arena_printf(&m->arena, " (%s with overhead)",
				  units_bytes(b, p->total_bytes)));
}

static void read_memory(struct metadata *m, struct metadata_result *r, const struct res_memory *of)
{
	const char *moment = of->peak_tree ? of->peak_tree->moment : NULL;
	const char *when = moment && !strcmp(moment, "other") ? "of what was held at another moment"
							      : "of the peak";
	const char *version = of->massif ? of->massif->version : NULL;
	char a[UNITS_BUF];

	if (version)
		add(m, &r->tools, "%s%s", strncmp(version, "valgrind", 8) ? "valgrind " : "",
			version);
	add_tools(m, r, of->tools.at, of->tools.len);
	memory_point(m, r, of->peak, "peak");
	memory_point(m, r, of->held_at_end, "held at the end");
	for (size_t i = 0; i < of->sites.len; i++) {
		const struct res_memory_site *s = &of->sites.at[i];

		if (s->function && s->share >= SITE_SHARE_MIN)
			add(m, &r->findings, "%s%s%s%s: %.1f%% %s (%s)", s->function,
				s->place ? " (" : "", s->place ? s->place : "", s->place ? ")" : "",
				s->share * 100, when, units_bytes(a, count(s->bytes)));
	}
}

/* ---- every type ---- */

static const char *target(struct metadata *m, const struct res_environment *e)
{
	const char *hash = e->target_sha256, *id = e->target_build_id;

	if (!e->target_path)
		return NULL;
	return arena_printf(&m->arena, "%s, sha256 %s, build-id %s", e->target_path,
		hash ? hash : "unknown", id ? id : "none");
}

static void read_environment(
	struct metadata *m, struct metadata_result *r, const struct res_environment *e)
{
	char buf[UNITS_BUF];

	r->fields[META_COMMIT] =
		e->git_commit ? arena_printf(&m->arena, "%s%s", e->git_commit,
					e->git_dirty == 1 ? " with uncommitted changes" : "")
			      : NULL;
	r->fields[META_KERNEL] = arena_strdup(&m->arena, e->kernel);
	r->fields[META_OS] = arena_strdup(&m->arena, e->os);
	r->fields[META_CPU] = arena_strdup(&m->arena, e->cpu);
	if (e->cores != U64_NONE)
		r->fields[META_CORES] = arena_strdup(&m->arena, units_thousands(buf, e->cores));
	if (e->memory_bytes != U64_NONE)
		r->fields[META_MEMORY] = arena_strdup(&m->arena, units_bytes(buf, e->memory_bytes));
	r->fields[META_GOVERNOR] = arena_strdup(&m->arena, e->governor);
	r->fields[META_CLOCKSOURCE] = arena_strdup(&m->arena, e->clocksource);
	r->fields[META_VIRTUALIZATION] = arena_strdup(&m->arena, e->virtualization);
	r->fields[META_LIBC] = arena_strdup(&m->arena, e->libc);
	r->fields[META_TARGET] = target(m, e);
}

static const char *command_line(struct metadata *m, const struct res_strs *words)
{
	cleanup_free const char **argv = mem_calloc(words->len + 1, sizeof(*argv));

	for (size_t i = 0; i < words->len; i++)
		argv[i] = words->at[i] ? words->at[i] : "?";
	cleanup_free char *text = words->len ? load_text(argv) : NULL;

	return arena_strdup(&m->arena, text);
}

static void read_head(struct metadata *m, struct metadata_result *r, const struct result_head *h)
{
	char buf[UNITS_BUF];

	r->complete = h->complete == 1;
	r->command = command_line(m, h->command);
	if (h->attached)
		add(m, &r->figures, "attached to %s process%s%s",
			units_thousands(buf, count(h->attached->processes)),
			h->attached->processes == 1 ? "" : "es",
			h->attached->started == 1 ? "" : " that ran already");
	r->started_at = arena_strdup(&m->arena, h->started_at);
	r->wall_ns = h->wall_ns;
	r->runs = h->runs && h->runs->count != U64_NONE ? h->runs->count : 1;
	if (h->environment)
		read_environment(m, r, h->environment);
	for (size_t i = 0; i < h->warnings_len; i++)
		if (h->warnings[i].text)
			add(m, &r->warnings, "%s", h->warnings[i].text);
}

static void read_result(
	struct metadata *m, struct metadata_result *r, const struct schema *schema, const void *doc)
{
	const struct result_head head = result_head(doc);

	read_head(m, r, &head);
	if (schema == &schema_result)
		read_io(m, r, doc);
	else if (schema == &schema_cpu)
		read_cpu(m, r, doc);
	else
		read_memory(m, r, doc);
}

void metadata_read(struct metadata *m, const char *type, const struct schema *schema,
	const char *name, const char *path)
{
	struct metadata_result *r = VEC_PUSH(&m->results);
	struct err err = {0};
	void *doc = NULL;

	*r = (struct metadata_result){
		.type = arena_strdup(&m->arena, type),
		.name = arena_strdup(&m->arena, name),
		.wall_ns = UINT64_MAX,
		.runs = UINT64_MAX,
	};
	if (json_read_struct(path, schema, &doc, &err) < 0)
		r->error = arena_strdup(&m->arena, err.text);
	else
		read_result(m, r, schema, doc);
	result_free(doc);
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
