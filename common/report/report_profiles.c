/* SPDX-License-Identifier: GPL-3.0-only */
/* CPU and heap profiles in words and tables. */

#include "common/base/units.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define ROWS_MAX    100
#define CALLERS_MAX 6

static const char *count(struct doc *d, uint64_t v)
{
	char buf[UNITS_BUF];

	return v == U64_NONE ? "-" : arena_strdup(&d->arena, units_thousands(buf, v));
}

static void run_pairs(struct doc *d, const struct result_head *h)
{
	char buf[UNITS_BUF];

	doc_pair(d, "command", "%s",
		h->command->len ? view_joined(&d->arena, h->command, " ") : "(no command)");
	if (h->wall_ns != U64_NONE)
		doc_pair(d, "run", "%s%s%s", units_duration(buf, h->wall_ns),
			h->started_at ? "; started " : "", h->started_at ? h->started_at : "");
}

static void warning_pairs(struct doc *d, const struct result_head *h)
{
	if (h->complete == 0)
		doc_pair(d, "WARNING", "this profile is incomplete%s",
			h->warnings_len ? ", for the reasons that follow"
					: "; what is missing is not known");
	for (size_t i = 0; i < h->warnings_len; i++)
		doc_pair(d, "WARNING", "%s (%s)", view_name(h->warnings[i].text),
			view_name(h->warnings[i].code));
}

static void rows_left_out(struct doc *d, size_t all)
{
	if (all > ROWS_MAX)
		doc_note(d, "%s are left out; the JSON has all that it kept.",
			report_plural(&d->arena, all - ROWS_MAX, "further row"));
}

/* ---- CPU ---- */

static int enough(const struct res_cpu *c)
{
	return c->sampling && c->sampling->samples != U64_NONE &&
	       c->sampling->samples >= JUDGE_SAMPLES_MIN;
}

double report_cpu_share(const struct res_cpu *c, double share)
{
	return enough(c) ? share : NAN;
}

void report_cpu_head(struct doc *d, const struct res_cpu *c)
{
	const struct result_head head = result_head(c);
	const struct res_cpu_sampling *s = c->sampling;
	char share[DOC_PERCENT_BUF];

	run_pairs(d, &head);
	if (s) {
		doc_pair(d, "samples", "%s of %s at %s Hz, stacks by %s; %s lost",
			count(d, s->samples),
			view_name(s->event_used ? s->event_used : s->event_asked),
			count(d, s->rate_hz), view_name(s->call_graph), count(d, s->lost));
		if (isfinite(report_cpu_share(c, s->unknown_share)))
			doc_pair(d, "symbols", "%s of the frames have none",
				doc_percent(share, s->unknown_share));
	}
	warning_pairs(d, &head);
	if (!enough(c))
		doc_note(d,
			"Fewer than %d samples: nothing is concluded from them, no share is shown.",
			JUDGE_SAMPLES_MIN);
}

static const struct doc_column function_columns[] = {
	{"function", "function", "symbol; [FILE] for code without one", 1, 0},
	{"module", "file", "that holds it", 1, 0},
	{"self", "self", "samples in it", 0, 0},
	{"self_share", "self share", "of all samples", 0, 0},
	{"total", "total", "samples in it or in what it called", 0, 0},
	{"total_share", "total share", "of all samples", 0, 0},
};

static const struct doc_column cpu_thread_columns[] = {
	{"pid", "process", "", 0, 0},
	{"tid", "thread", "", 0, 0},
	{"comm", "name", "when last sampled", 1, 0},
	{"samples", "samples", "", 0, 0},
	{"share", "share", "of all samples", 0, 0},
};

static void functions(struct doc *d, const char *id, const struct res_cpu *c,
	const struct res_cpu_function *at, size_t n)
{
	struct doc_table *t = doc_table(d, id, function_columns, LEN(function_columns));

	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		doc_cell_text(d, t, "%s", view_name(at[i].name));
		doc_cell_text(d, t, "%s", at[i].module ? at[i].module : "-");
		doc_cell(t, CELL_COUNT, at[i].self);
		doc_cell_real(t, CELL_RATIO, report_cpu_share(c, at[i].self_share));
		doc_cell(t, CELL_COUNT, at[i].total);
		doc_cell_real(t, CELL_RATIO, report_cpu_share(c, at[i].total_share));
	}
	rows_left_out(d, n);
}

static void cpu_threads(struct doc *d, const struct res_cpu *c)
{
	struct doc_table *t =
		doc_table(d, "cpu-threads", cpu_thread_columns, LEN(cpu_thread_columns));

	for (size_t i = 0; i < c->threads.len && i < ROWS_MAX; i++) {
		const struct res_cpu_thread *th = &c->threads.at[i];

		doc_cell_text(d, t, "%llu", (unsigned long long)th->pid);
		doc_cell_text(d, t, "%llu", (unsigned long long)th->tid);
		doc_cell_text(d, t, "%s", view_name(th->comm));
		doc_cell(t, CELL_COUNT, th->samples);
		doc_cell_real(t, CELL_RATIO, report_cpu_share(c, th->share));
	}
	rows_left_out(d, c->threads.len);
}

void report_cpu_tables(struct doc *d, const struct res_cpu *c)
{
	if (c->functions_by_self.len) {
		doc_section(d, "Functions by their own samples");
		functions(
			d, "functions-self", c, c->functions_by_self.at, c->functions_by_self.len);
	}
	if (c->functions_by_total.len) {
		doc_section(d, "Functions with what they called");
		functions(d, "functions-total", c, c->functions_by_total.at,
			c->functions_by_total.len);
	}
	if (c->threads.len) {
		doc_section(d, "Threads");
		cpu_threads(d, c);
	}
}

/* ---- heap ---- */

static void point(struct doc *d, const char *key, const struct res_memory_point *at)
{
	char total[UNITS_BUF], heap[UNITS_BUF];

	if (!at || at->total_bytes == U64_NONE)
		return;
	if (at->heap_bytes != U64_NONE && at->heap_bytes != at->total_bytes)
		doc_pair(d, key, "%s, of which the program asked for %s",
			units_bytes(total, at->total_bytes), units_bytes(heap, at->heap_bytes));
	else
		doc_pair(d, key, "%s", units_bytes(total, at->total_bytes));
}

void report_memory_head(struct doc *d, const struct res_memory *m)
{
	const struct result_head head = result_head(m);
	const struct res_memory_massif *massif = m->massif;

	run_pairs(d, &head);
	point(d, "peak", m->peak);
	point(d, "at end", m->held_at_end);
	if (massif && isfinite(massif->peak_inaccuracy_percent))
		doc_pair(d, "accuracy", "the true peak may be %.1f%% above the one found",
			massif->peak_inaccuracy_percent);
	if (massif)
		doc_pair(d, "measured",
			"by massif of valgrind %s%s; times under valgrind are not the program's",
			massif->version ? massif->version : "(version unknown)",
			massif->pages_as_heap == 1 ? ", every mapped page as heap" : "");
	warning_pairs(d, &head);
}

static const struct doc_column site_columns[] = {
	{"function", "allocated by", "function", 1, 0},
	{"place", "place", "FILE:LINE, or in LIBRARY", 1, 0},
	{"bytes", "bytes", "held through it", 0, 0},
	{"share", "share", "of all that was held", 0, 0},
	{"callers", "called by", "each time the caller that holds most", 1, 0},
};

static const struct doc_column memory_process_columns[] = {
	{"pid", "process", "", 0, 0},
	{"command", "command", "its command line", 1, 0},
	{"peak", "peak", "its largest snapshot", 0, 0},
	{"end", "at the end", "what it held when it ended", 0, 0},
};

static const char *callers_of(struct doc *d, const struct res_memory_site *s)
{
	const char *text = "";

	for (size_t i = 0; i < s->callers.len && i < CALLERS_MAX; i++)
		text = arena_printf(
			&d->arena, "%s%s%s", text, i ? " < " : "", view_name(s->callers.at[i]));
	return text;
}

static void sites(struct doc *d, const struct res_memory *m)
{
	struct doc_table *t = doc_table(d, "sites", site_columns, LEN(site_columns));

	for (size_t i = 0; i < m->sites.len && i < ROWS_MAX; i++) {
		const struct res_memory_site *s = &m->sites.at[i];

		doc_cell_text(d, t, "%s", view_name(s->function));
		doc_cell_text(d, t, "%s", s->place ? s->place : "-");
		doc_cell(t, CELL_BYTES, s->bytes);
		doc_cell_real(t, CELL_RATIO, s->share);
		doc_cell_text(d, t, "%s", callers_of(d, s));
	}
	rows_left_out(d, m->sites.len);
}

static void memory_processes(struct doc *d, const struct res_memory *m)
{
	struct doc_table *t = doc_table(
		d, "memory-processes", memory_process_columns, LEN(memory_process_columns));

	for (size_t i = 0; i < m->processes.len && i < ROWS_MAX; i++) {
		const struct res_memory_process *p = &m->processes.at[i];

		doc_cell_text(d, t, "%llu", (unsigned long long)p->pid);
		doc_cell_text(d, t, "%s", p->command ? p->command : "-");
		doc_cell(t, CELL_BYTES, p->peak ? p->peak->total_bytes : U64_NONE);
		doc_cell(t, CELL_BYTES, p->end ? p->end->total_bytes : U64_NONE);
	}
	rows_left_out(d, m->processes.len);
}

void report_memory_tables(struct doc *d, const struct res_memory *m)
{
	if (m->sites.len) {
		doc_section(d, arena_printf(&d->arena, "Code that allocated most of %s",
				       view_tree_moment(d, m)));
		sites(d, m);
	}
	if (m->processes.len > 1) {
		doc_section(d, "Processes");
		memory_processes(d, m);
	}
}
