/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/baseline/baseline_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/baseline/baseline_manifest.h"

static const struct {
	enum metadata_field field;
	const char *label;
	const char *differ; /* what to say where results don't agree on it; NULL: they may */
} fields[] = {
	{META_COMMIT, "Commit", "commits"}, {META_KERNEL, "Kernel", "kernels"},
	{META_OS, "System", NULL}, {META_CPU, "CPU", "CPUs"},
	{META_CORES, "Cores", "numbers of cores"}, {META_MEMORY, "Memory", "sizes of memory"},
	{META_GOVERNOR, "CPU governor", "CPU governors"}, {META_CLOCKSOURCE, "Clock source", NULL},
	{META_VIRTUALIZATION, "Virtualization", NULL}, {META_LIBC, "C library", NULL},
	{META_TARGET, "Target", NULL}, /* see add_target_doubts() */
};

/* ---- Markdown ---- */

/*
 * Text in a table or list. Command lines, symbols and warnings are the target's: nothing of it may
 * be taken for markup, end the table's row or drive a terminal.
 */
static void put_text(struct out *o, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (text_is_control(*p)) {
			out_char(o, ' ');
			continue;
		}
		if (strchr("\\`*_[]<>|#~", *p))
			out_char(o, '\\');
		out_char(o, *p);
	}
}

static void put_row(struct out *o, const char *label, const char *text)
{
	out_printf(o, "| %s | ", label);
	put_text(o, text);
	out_str(o, " |\n");
}

static void put_item(struct out *o, const struct metadata_result *r, const char *text)
{
	out_str(o, "- ");
	if (r) {
		put_text(o, r->type);
		out_char(o, ' ');
		put_text(o, r->name);
		out_str(o, ": ");
	}
	put_text(o, text);
	out_char(o, '\n');
}

/* ---- values of all results ---- */

static int add_once(struct metadata_lines *lines, const char *text)
{
	if (!text)
		return 0;
	for (size_t i = 0; i < lines->len; i++)
		if (!strcmp(lines->at[i], text))
			return 0;
	*VEC_PUSH(lines) = text;
	return 1;
}

static struct metadata_lines values_of(const struct metadata *m, enum metadata_field field)
{
	struct metadata_lines lines = {0};

	for (size_t i = 0; i < m->results.len; i++)
		add_once(&lines, m->results.at[i].fields[field]);
	return lines;
}

/* The lines between commas, in a new arena's string. */
static char *join(const struct metadata_lines *lines)
{
	char *text = mem_strdup(lines->len ? lines->at[0] : "unknown");

	for (size_t i = 1; i < lines->len; i++)
		text_append(&text, "; ", lines->at[i]);
	return text;
}

/* ---- doubts ---- */

static void add_result_doubts(struct metadata *m, struct metadata_lines *ret)
{
	for (size_t i = 0; i < m->results.len; i++) {
		const struct metadata_result *r = &m->results.at[i];

		if (r->error)
			*VEC_PUSH(ret) = arena_printf(
				&m->arena, "%s %s cannot be read: %s", r->type, r->name, r->error);
		else if (!r->complete)
			*VEC_PUSH(ret) = arena_printf(&m->arena, "%s %s is marked incomplete%s%s",
				r->type, r->name, r->warnings.len ? ": " : "",
				r->warnings.len ? r->warnings.at[0] : "");
	}
}

static size_t path_len(const char *target)
{
	const char *hash = strstr(target, ", sha256 ");

	return hash ? (size_t)(hash - target) : strlen(target);
}

/* Different targets are fine, different builds of one are not. */
static void add_target_doubts(struct metadata *m, struct metadata_lines *ret)
{
	struct metadata_lines targets = values_of(m, META_TARGET);

	for (size_t i = 0; i < targets.len; i++)
		for (size_t k = 0; k < i; k++) {
			size_t len = path_len(targets.at[i]);

			if (len != path_len(targets.at[k]) ||
				strncmp(targets.at[i], targets.at[k], len) != 0)
				continue;
			add_once(ret, arena_printf(&m->arena,
					      "the results are of different builds of %.*s",
					      (int)len, targets.at[i]));
			break;
		}
	free(targets.at);
}

void metadata_doubts(struct metadata *m, struct metadata_lines *ret)
{
	add_result_doubts(m, ret);
	for (size_t i = 0; i < LEN(fields); i++) {
		struct metadata_lines values = values_of(m, fields[i].field);

		if (values.len > 1 && fields[i].differ)
			*VEC_PUSH(ret) = arena_printf(
				&m->arena, "the results are of different %s", fields[i].differ);
		free(values.at);
	}
	add_target_doubts(m, ret);
}

/* ---- the file ---- */

static void write_environment(const struct metadata *m, struct out *o)
{
	struct metadata_lines tools = {0};

	put_row(o, "Date", m->date);
	put_row(o, "Version", m->version);
	for (size_t i = 0; i < LEN(fields); i++) {
		struct metadata_lines values = values_of(m, fields[i].field);
		char *text = join(&values);

		put_row(o, fields[i].label, text);
		free(text);
		free(values.at);
	}
	add_once(&tools, "profile-scenario " IOTRACE_VERSION);
	for (size_t i = 0; i < m->results.len; i++)
		for (size_t k = 0; k < m->results.at[i].tools.len; k++)
			add_once(&tools, m->results.at[i].tools.at[k]);
	char *text = join(&tools);

	put_row(o, "Tools", text);
	free(text);
	free(tools.at);
}

static void write_scenario(const struct metadata_result *r, struct out *o)
{
	char wall[UNITS_BUF], runs[UNITS_BUF];

	out_str(o, "| ");
	put_text(o, r->name);
	out_printf(o, " | %s | ", r->type);
	put_text(o, r->command ? r->command : "unknown");
	out_str(o, " | ");
	put_text(o, r->started_at ? r->started_at : "unknown");
	out_printf(o, " | %s | %s | ", r->runs == UINT64_MAX ? "-" : units_thousands(runs, r->runs),
		r->wall_ns == UINT64_MAX ? "-" : units_duration(wall, r->wall_ns));
	for (size_t i = 0; i < r->figures.len; i++) {
		out_str(o, i ? "; " : "");
		put_text(o, r->figures.at[i]);
	}
	if (r->error || !r->complete)
		out_printf(o, "%s**%s**", r->figures.len ? "; " : "",
			r->error ? "cannot be read" : "incomplete");
	out_str(o, " |\n");
}

static void write_warnings(struct metadata *m, struct out *o)
{
	struct metadata_lines doubts = {0};
	size_t shown = 0;

	metadata_doubts(m, &doubts);
	out_str(o, "\n## Warnings\n\n");
	for (size_t i = 0; i < doubts.len; i++, shown++)
		put_item(o, NULL, doubts.at[i]);
	for (size_t i = 0; i < m->results.len; i++)
		for (size_t k = 0; k < m->results.at[i].warnings.len; k++, shown++)
			put_item(o, &m->results.at[i], m->results.at[i].warnings.at[k]);
	if (!shown)
		out_str(o, "None.\n");
	free(doubts.at);
}

static void write_findings(const struct metadata *m, struct out *o)
{
	size_t shown = 0;

	out_printf(o,
		"\n## Key findings\n\nNothing is concluded from fewer than %d calls or %d "
		"samples.\n\n",
		JUDGE_CALLS_MIN, JUDGE_SAMPLES_MIN);
	for (size_t i = 0; i < m->results.len; i++)
		for (size_t k = 0; k < m->results.at[i].findings.len; k++, shown++)
			put_item(o, &m->results.at[i], m->results.at[i].findings.at[k]);
	if (!shown)
		out_str(o, "None: the results hold no such figures, or too few.\n");
}

void metadata_write(struct metadata *m, struct out *o)
{
	out_printf(o, "# Baseline %s\n\n| | |\n|---|---|\n", m->version);
	write_environment(m, o);
	out_str(o, "\nHow the results say that they were made. `sha256sum -c " BASELINE_MANIFEST
		   "` or `profile-scenario baseline\nverify` checks the files.\n");
	out_str(o, "\n## Scenarios\n\n| Scenario | Type | Command | Started | Runs | Time | Key "
		   "figures |\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < m->results.len; i++)
		write_scenario(&m->results.at[i], o);
	write_findings(m, o);
	write_warnings(m, o);
}

const char *metadata_date(struct arena *a, const char *text)
{
	static const char label[] = "\n| Date | ";
	const char *date = strstr(text, label);
	size_t len;

	if (!date)
		return NULL;
	date += strlen(label);
	len = strspn(date, "0123456789-:TZ+.");
	return len ? arena_printf(a, "%.*s", (int)len, date) : NULL;
}
