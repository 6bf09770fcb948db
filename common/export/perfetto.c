/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Trace events in JSON, which Perfetto and Chrome's viewer read: calls of the detail file as slices
 * by thread, the timeline as counters, the phases beside them. Line by line: memory does not grow
 * with the file. Times are microseconds since 1970, as the detail has them.
 */
#include "common/export/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/model/json.h"

#define US_PER_SEC 1000000ULL

struct trace {
	const struct res_result *r;
	struct out *o;
	struct map threads; /* tid + 1 -> struct res_thread */
	uint64_t pid;       /* whose the counters and phases are */
	uint64_t events, calls, left_out;
};

static void begin_event(struct trace *t, const char *ph, uint64_t pid, uint64_t tid)
{
	out_str(t->o, t->events++ ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
	out_str(t->o, ph);
	out_str(t->o, "\",\"pid\":");
	out_u64(t->o, pid);
	out_str(t->o, ",\"tid\":");
	out_u64(t->o, tid);
}

static void put_text(struct trace *t, const char *key, const char *value)
{
	out_printf(t->o, ",\"%s\":", key);
	json_write_string(t->o, value);
}

static void put_number(struct trace *t, const char *key, uint64_t v)
{
	out_printf(t->o, ",\"%s\":%" PRIu64, key, v);
}

/* ---- who ---- */

static void write_name(struct trace *t, const char *what, const struct res_thread *h)
{
	begin_event(t, "M", h->pid, h->tid);
	put_text(t, "name", what);
	out_str(t->o, ",\"args\":{\"name\":");
	json_write_string(t->o, h->comm ? h->comm : "");
	out_str(t->o, "}}");
}

/* A process is called as its first thread. */
static void write_names(struct trace *t)
{
	for (size_t i = 0; i < t->r->threads.len; i++) {
		const struct res_thread *h = &t->r->threads.at[i];

		if (h->tid == U64_NONE || h->pid == U64_NONE)
			continue;
		map_set(&t->threads, h->tid + 1, (void *)(uintptr_t)h);
		if (h->tid == h->pid)
			write_name(t, "process_name", h);
		write_name(t, "thread_name", h);
	}
}

/* ---- how much, over time ---- */

static void write_counter(struct trace *t, const char *name, uint64_t ts_us, double v)
{
	begin_event(t, "C", t->pid, t->pid);
	put_number(t, "ts", ts_us);
	put_text(t, "name", name);
	out_printf(t->o, ",\"args\":{\"value\":%.10g}}", v);
}

static double per_call(const struct res_timeline_row *w)
{
	return w->batch_calls && w->batch_calls != U64_NONE
		       ? (double)w->messages / (double)w->batch_calls
		       : 0;
}

static uint64_t moved(const struct res_timeline_row *w)
{
	uint64_t mapped = w->mapped == U64_NONE ? 0 : w->mapped;

	return w->bytes == U64_NONE || w->bytes < mapped ? 0 : w->bytes - mapped;
}

static void write_row(struct trace *t, const struct res_timeline_row *w, uint64_t ts_us)
{
	write_counter(t, "calls", ts_us, (double)w->calls);
	write_counter(t, "bytes", ts_us, (double)moved(w));
	write_counter(t, "messages per call", ts_us, per_call(w));
}

/* Buckets without a call have no row: there it is 0. */
static void write_counters(struct trace *t)
{
	static const struct res_timeline_row none = {0};
	const struct res_timeline *l = t->r->timeline;

	for (size_t i = 0; l && i < l->rows.len; i++) {
		const struct res_timeline_row *w = &l->rows.at[i];
		uint64_t end_ns = w->t_ns + l->bucket_ns;

		write_row(t, w, t->r->started_us + w->t_ns / NS_PER_US);
		if (i + 1 == l->rows.len || l->rows.at[i + 1].t_ns > end_ns)
			write_row(t, &none, t->r->started_us + end_ns / NS_PER_US);
	}
}

/* ---- when ---- */

static void write_phase(struct trace *t, const char *name, uint64_t from_ns, uint64_t to_ns)
{
	static const char *const ends[] = {"b", "e"};
	const uint64_t at_ns[] = {from_ns, to_ns};

	for (int i = 0; i < 2 && from_ns < to_ns; i++) {
		begin_event(t, ends[i], t->pid, t->pid);
		put_number(t, "ts", t->r->started_us + at_ns[i] / NS_PER_US);
		put_text(t, "cat", "phase");
		put_number(t, "id", 1);
		put_text(t, "name", name);
		out_char(t->o, '}');
	}
}

static void write_phases(struct trace *t)
{
	const struct res_window *w = t->r->window;

	if (!w) {
		write_phase(t, "run", 0, t->r->wall_ns);
		return;
	}
	write_phase(t, "start-up", 0, w->begin_ns);
	write_phase(t, "window", w->begin_ns, w->end_ns);
	write_phase(t, "shutdown", w->end_ns, t->r->wall_ns);
}

/* ---- what ---- */

/* "1700000000.000042", "0.000013": microseconds. NULL: it is none. */
static const char *take_us(const char *p, uint64_t *ret)
{
	char *dot, *end;
	uint64_t s, us;

	if (*p < '0' || *p > '9')
		return NULL;
	s = strtoull(p, &dot, 10);
	if (*dot != '.' || strspn(dot + 1, "0123456789") != 6 || s > UINT32_MAX)
		return NULL;
	us = strtoull(dot + 1, &end, 10);
	*ret = s * US_PER_SEC + us;
	return end;
}

struct call {
	uint64_t tid, ts_us, dur_us;
	int has_dur;
	char *name, *args, *result; /* in the line */
};

/* The last ") = ". */
static char *find_result(char *p)
{
	char *found = NULL;

	while ((p = strstr(p, ") = "))) {
		found = p;
		p++;
	}
	return found;
}

/* "TID SECONDS NAME(ARGS) = RESULT <DURATION>", as the detail has it; the duration may be missing.
 */
static int parse_call(char *line, struct call *ret)
{
	char *end, *open, *close, *dur;
	const char *p;

	*ret = (struct call){0};
	if (*line < '0' || *line > '9')
		return -EINVAL;
	ret->tid = strtoull(line, &end, 10);
	if (*end != ' ' || ret->tid > INT32_MAX || !(p = take_us(end + 1, &ret->ts_us)) ||
		*p != ' ')
		return -EINVAL;
	ret->name = line + (p + 1 - line);
	open = strchr(ret->name, '(');
	close = open ? find_result(open) : NULL;
	if (!close || open == ret->name)
		return -EINVAL;
	*open = *close = '\0';
	ret->args = open + 1;
	ret->result = close + strlen(") = ");
	dur = strrchr(ret->result, '<');
	if (dur && (p = take_us(dur + 1, &ret->dur_us)) && *p == '>') {
		ret->has_dur = 1;
		dur[dur > ret->result && dur[-1] == ' ' ? -1 : 0] = '\0';
	}
	return 0;
}

/* One that never came back has no end: it is an instant. */
static void write_call(struct trace *t, const struct call *c)
{
	const struct res_thread *h = map_get(&t->threads, c->tid + 1);
	size_t digits = strspn(c->result, "0123456789");

	begin_event(t, c->has_dur ? "X" : "i", h ? h->pid : c->tid, c->tid);
	put_number(t, "ts", c->ts_us);
	if (c->has_dur)
		put_number(t, "dur", c->dur_us);
	else
		put_text(t, "s", "t");
	put_text(t, "cat", "syscall");
	put_text(t, "name", c->name);
	out_str(t->o, ",\"args\":{\"arguments\":");
	json_write_string(t->o, c->args);
	out_str(t->o, ",\"result\":");
	if (digits && digits < 16 && !c->result[digits])
		out_str(t->o, c->result);
	else
		json_write_string(t->o, c->result);
	out_str(t->o, "}}");
}

static int add_line(struct trace *t, char *line, uint64_t calls_max)
{
	struct call c;
	int rc = parse_call(line, &c);

	if (rc < 0)
		return rc;
	if (t->calls < calls_max) {
		t->calls++;
		write_call(t, &c);
	} else {
		t->left_out++;
	}
	return 0;
}

static int write_calls(struct trace *t, FILE *f, const char *path, uint64_t max, struct err *err)
{
	char *line = NULL;
	size_t cap = 0, n = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && !t->o->error && (len = getline(&line, &cap, f)) >= 0) {
		n++;
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		rc = add_line(t, line, max);
	}
	if (rc < 0)
		err_set(err, rc, "%s: line %zu is not a line of iotrace's detail", path, n);
	else if (ferror(f))
		rc = err_set(err, -EIO, "cannot read %s", path);
	free(line);
	return rc;
}

/* No detail is no error where nobody has named one. */
static int open_detail(const struct export_source *s, char **ret_path, FILE **ret, struct err *err)
{
	cleanup_free char *base = export_base(s);

	*ret_path = s->detail ? mem_strdup(s->detail) : mem_printf("%s-detail.txt", base);
	*ret = fopen(*ret_path, "re");
	if (!*ret && (s->detail || errno != ENOENT))
		return err_set(err, -errno, "cannot read %s: %s", *ret_path, strerror(errno));
	return 0;
}

static void write_around(struct trace *t, struct out *notes)
{
	write_names(t);
	if (t->r->started_us > INT64_MAX / 2) { /* U64_NONE too */
		out_str(notes, "profile-scenario: the result does not say when it began: no "
			       "counters, no phases\n");
		return;
	}
	write_phases(t);
	write_counters(t);
}

static uint64_t lines_left_out(const struct res_result *r)
{
	uint64_t n = r->tracer ? r->tracer->detail_lines_left_out : U64_NONE;

	return n == U64_NONE ? 0 : n;
}

static int perfetto_write(
	const struct export_source *s, struct out *o, struct out *notes, struct err *err)
{
	struct trace t = {.r = s->doc, .o = o};
	cleanup_free char *path = NULL;
	FILE *f = NULL;
	int rc = result_has_times(s->doc) ? open_detail(s, &path, &f, err) : 0;
	uint64_t no_line = f ? lines_left_out(t.r) : 0;

	if (rc < 0)
		return rc;
	t.pid = t.r->threads.len && t.r->threads.at[0].pid != U64_NONE ? t.r->threads.at[0].pid : 0;
	out_str(o, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	write_around(&t, notes);
	if (f)
		rc = write_calls(&t, f, path, s->calls_max, err);
	else if (!path)
		export_timeless(notes, "no single calls, no counters");
	else
		out_printf(
			notes, "profile-scenario: there is no detail %s: no single calls\n", path);
	out_printf(o, "\n],\"otherData\":{\"calls\":%" PRIu64 ",\"calls_left_out\":%" PRIu64 "}}\n",
		t.calls, t.left_out + no_line);
	if (no_line)
		out_printf(notes,
			"profile-scenario: %" PRIu64
			" calls are left out, as the detail has no line of them (iotrace "
			"--detail-limit)\n",
			no_line);
	if (t.left_out)
		out_printf(notes,
			"profile-scenario: %" PRIu64 " calls are left out; --calls N takes more\n",
			t.left_out);
	if (f)
		fclose(f);
	map_release(&t.threads);
	return rc;
}

static const struct schema *const schemas_of[] = {&schema_result, NULL};

const struct export_format export_perfetto = {
	.id = "perfetto",
	.meaning = "trace events: calls by thread, counters, phases, for Perfetto",
	.schemas = schemas_of,
	.write = perfetto_write,
};
