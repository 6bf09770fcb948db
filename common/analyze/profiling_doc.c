/* SPDX-License-Identifier: GPL-3.0-only */
/* PROFILING-ANALYSIS.md: CPU, memory and I/O of every scenario, and what to change first. */
#include <stdlib.h>
#include <string.h>

#include "common/analyze/io_doc.h"
#include "common/base/units.h"
#include "common/write/safe.h"

#define FUNCTION_SHARE  0.01 /* look above 1% of the width */
#define FUNCTIONS_MAX   15
#define UNKNOWN_SHARE   0.1 /* of frames: names may hide the cause */
#define SITES_MAX       10
#define COMMAND_COLUMNS 120

/* ---- what there is ---- */

static const struct doc_column file_columns[] = {
	{"scenario", "scenario", "", 1, 0},
	{"type", "type", "", 1, 0},
	{"started", "started", "", 1, 0},
	{"wall", "whole run", "", 0, 0},
	{"complete", "complete", "", 1, 0},
	{"file", "file", "", 1, 0},
};

static void files(struct doc *d, const struct analyze_scenario *list, size_t n)
{
	struct doc_table *t;

	doc_section(d, "What was profiled");
	t = doc_table(d, "files", file_columns, LEN(file_columns));
	for (size_t i = 0; i < n; i++) {
		const struct analyze_scenario *s = &list[i];
		const struct {
			const char *type, *file;
			const void *doc;
		} rows[] = {{"cpu", s->cpu_file, s->cpu}, {"memory", s->memory_file, s->memory},
			{"io", s->io_file, s->io}};

		for (size_t k = 0; k < LEN(rows); k++) {
			if (!rows[k].doc)
				continue;
			struct result_head h = result_head(rows[k].doc);

			doc_cell_text(d, t, "%s", view_name(s->name));
			doc_cell_text(d, t, "%s", rows[k].type);
			doc_cell_text(d, t, "%s", h.started_at ? h.started_at : "-");
			doc_cell(t, CELL_NS, h.wall_ns);
			doc_cell_text(d, t, "%s",
				h.complete == 1   ? "yes"
				: h.complete == 0 ? "no"
						  : "-");
			doc_cell_text(d, t, "%s", view_name(rows[k].file));
		}
	}
}

/* ---- what to change first, over all scenarios ---- */

static const struct doc_column target_columns[] = {
	{"scenario", "scenario", "", 1, 0},
	{"priority", "Priority", "Impact x Frequency x Ease / 10", 0, 0},
	{"call", "call", "", 1, 0},
	{"change", "change", "", 1, 0},
	{"factors", "Impact x Frequency x Ease", "", 1, 0},
	{"evidence", "evidence", "", 1, 0},
};

struct ranked {
	const char *scenario;
	struct target target;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int c;

	if (x->target.priority != y->target.priority)
		return x->target.priority < y->target.priority ? 1 : -1;
	c = strcmp(view_name(x->scenario), view_name(y->scenario));
	return c ? c : strcmp(x->target.call, y->target.call);
}

static void target_table(struct doc *d, struct ranked *rows, size_t n)
{
	struct doc_table *t = doc_table(d, "targets", target_columns, LEN(target_columns));

	qsort(rows, n, sizeof(*rows), compare_ranked);
	for (size_t i = 0; i < n; i++) {
		const struct target *x = &rows[i].target;

		doc_cell_text(d, t, "%s", view_name(rows[i].scenario));
		doc_cell_real(t, CELL_MEAN, x->priority);
		doc_cell_text(d, t, "%s", x->call);
		doc_cell_text(d, t, "%s", ease_change(x->kind));
		doc_cell_text(d, t, "%u x %u x %u", x->impact, x->frequency, x->ease);
		doc_cell_text(d, t, "%s", x->evidence);
	}
}

static void targets(
	struct doc *d, const struct analyze_scenario *list, size_t n, const struct ease_table *ease)
{
	struct {
		struct ranked *at;
		size_t len, cap;
	} rows = {0};
	int any = 0, timed = 0;

	doc_section(d, "Optimization targets");
	for (size_t i = 0; i < n; i++) {
		struct io_findings f;

		if (!list[i].io)
			continue;
		any = 1;
		timed |= result_has_times(list[i].io);
		f = io_findings(d, &list[i], ease);
		for (size_t j = 0; j < f.targets.len; j++)
			*VEC_PUSH(&rows) = (struct ranked){list[i].name, f.targets.at[j]};
	}
	if (rows.len)
		target_table(d, rows.at, rows.len);
	else if (any && !timed)
		doc_text(d, "What a change would save is not measured: " VIEW_NO_TIMES ".");
	else if (any)
		doc_text(d, "None: the figures of the I/O give evidence for no change that pays.");
	else
		doc_text(d, "None: there is no result of type io.");
	doc_note(d, "Only I/O results have the times that such a rule needs. What CPU and heap "
		    "say stands with each scenario below; IO-ANALYSIS.md has the reasons.");
	free(rows.at);
}

/* ---- CPU ---- */

static const struct doc_column function_columns[] = {
	{"function", "function", "", 1, 0},
	{"module", "module", "", 1, 0},
	{"self", "self", "samples in it", 0, 0},
	{"self_share", "of samples", "", 0, 0},
	{"low", "95% from", "", 0, 0},
	{"high", "to", "", 0, 0},
};

/* Wilson's interval of a share of n samples. */
static void share_interval(double p, double n, double *ret_low, double *ret_high)
{
	const double z = 1.959963984540054;
	double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));

	*ret_low = fmax(middle - half, 0);
	*ret_high = fmin(middle + half, 1);
}

static void functions(struct doc *d, const struct res_cpu *cpu)
{
	struct doc_table *t = doc_table(d, "functions", function_columns, LEN(function_columns));
	double samples = (double)cpu->sampling->samples, low, high;

	for (size_t i = 0; i < cpu->functions_by_self.len && i < FUNCTIONS_MAX; i++) {
		const struct res_cpu_function *f = &cpu->functions_by_self.at[i];

		if (!(f->self_share >= FUNCTION_SHARE && f->self_share <= 1))
			continue;
		share_interval(f->self_share, samples, &low, &high);
		doc_cell_text(d, t, "%s", view_name(f->name));
		doc_cell_text(d, t, "%s", f->module ? f->module : "-");
		doc_cell(t, CELL_COUNT, f->self);
		doc_cell_real(t, CELL_RATIO, f->self_share);
		doc_cell_real(t, CELL_RATIO, low);
		doc_cell_real(t, CELL_RATIO, high);
	}
}

static void cpu_part(struct doc *d, const struct res_cpu *cpu)
{
	const struct res_cpu_sampling *s = cpu->sampling;
	char share[DOC_PERCENT_BUF];

	if (!s || s->samples == U64_NONE) {
		doc_note(d, "CPU: how many samples there are is not known; nothing is concluded.");
		return;
	}
	doc_note(d, "CPU: %s at %s Hz, stacks by %s; %s lost.",
		view_plural(d, s->samples, "sample"), view_count(d, s->rate_hz),
		view_name(s->call_graph), view_count(d, s->lost));
	if (s->samples < JUDGE_SAMPLES_MIN) {
		doc_note(d,
			"Too few samples to say where the time goes: at least %d are needed. Run "
			"longer, or with a higher --sampling-rate.",
			JUDGE_SAMPLES_MIN);
		return;
	}
	if (s->unknown_share > UNKNOWN_SHARE)
		doc_note(d,
			"%s of the frames have no symbol: build with symbols and frame "
			"pointers before believing names.",
			doc_percent(share, s->unknown_share));
	functions(d, cpu);
}

/* ---- memory ---- */

static const struct doc_column site_columns[] = {
	{"function", "function", "", 1, 0},
	{"place", "place", "", 1, 0},
	{"bytes", "held", "", 0, 0},
	{"share", "share", "of all that was held", 0, 0},
	{"caller", "called by", "", 1, 0},
};

static void sites(struct doc *d, const struct res_memory *m)
{
	struct doc_table *t = doc_table(d, "sites", site_columns, LEN(site_columns));

	for (size_t i = 0; i < m->sites.len && i < SITES_MAX; i++) {
		const struct res_memory_site *s = &m->sites.at[i];

		doc_cell_text(d, t, "%s", view_name(s->function));
		doc_cell_text(d, t, "%s", s->place ? s->place : "-");
		doc_cell(t, CELL_BYTES, s->bytes);
		doc_cell_real(t, CELL_RATIO, s->share);
		doc_cell_text(d, t, "%s", s->callers.len ? view_name(s->callers.at[0]) : "-");
	}
}

static void memory_part(struct doc *d, const struct res_memory *m)
{
	char peak[UNITS_BUF], end[UNITS_BUF];

	if (!m->peak || m->peak->total_bytes == U64_NONE) {
		doc_note(d, "Memory: there is no heap profile in the result.");
		return;
	}
	units_bytes(peak, m->peak->total_bytes);
	if (m->held_at_end && m->held_at_end->total_bytes != U64_NONE)
		doc_note(d,
			"Memory: %s at the peak, %s still held at the end (not a leak by itself).",
			peak, units_bytes(end, m->held_at_end->total_bytes));
	else
		doc_note(d, "Memory: %s at the peak.", peak);
	if (!m->peak->total_bytes)
		return; /* by nobody */
	if (!m->sites.len && !m->peak_tree)
		doc_note(d, "Who held it is not known: there is no tree in the result.");
	else if (!m->sites.len)
		doc_note(d, "No place holds 10%% of it or more.");
	else
		doc_note(d, "Who held it, by the tree of %s:", view_tree_moment(d, m));
	sites(d, m);
}

/* ---- I/O ---- */

static void io_part(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	struct io_findings f = io_findings(d, s, ease);
	const struct res_syscall **rows = view_by_time(d, s->io);

	doc_note(d, "I/O: %s%s.", view_plural(d, view_calls(s->io), "call"),
		!view_slowed(s->io) ? ""
		: result_has_times(s->io)
			? "; tracing slowed the program, so times and batches are those of a "
			  "slowed one"
			: "; tracing slowed the program, so batches are those of a slowed one");
	for (size_t i = 0; i < s->io->syscalls.len && i < 3; i++)
		doc_note(d, "%s: %s%s%s%s.", view_name(rows[i]->name),
			view_plural(d, view_zero(rows[i]->calls), "call"),
			result_has_times(s->io) ? ", " : "",
			result_has_times(s->io)
				? view_time(
					  d, rows[i]->wall_ns ? rows[i]->wall_ns->total : U64_NONE)
				: "",
			view_waits(rows[i]) ? ", waiting" : "");
	for (size_t i = 0; i < f.batching_len; i++)
		if (f.batching[i].verdict != BATCHING_FEW && f.batching[i].verdict != BATCHING_NONE)
			doc_note(d, "%s is %s.", view_name(f.batching[i].facts.call->name),
				f.batching[i].words);
}

/* ---- a scenario ---- */

static void command_pair(struct doc *d, const struct res_strs *command)
{
	const char *line = "";
	char *safe;

	for (size_t i = 0; i < command->len && strlen(line) < COMMAND_COLUMNS * 4; i++)
		line = arena_printf(
			&d->arena, "%s%s%s", line, i ? " " : "", view_name(command->at[i]));
	safe = safe_text(&d->arena, line);
	if (*safe)
		doc_pair(d, "command", "%s", safe_cut(&d->arena, safe, COMMAND_COLUMNS));
}

static void environment_pair(struct doc *d, const struct res_environment *e)
{
	char memory[UNITS_BUF] = "unknown";

	if (!e)
		return;
	if (e->memory_bytes != U64_NONE)
		units_bytes(memory, e->memory_bytes);
	doc_pair(d, "machine", "Linux %s %s, %s cores, %s, memory %s, governor %s, %s",
		view_name(e->kernel), view_name(e->machine), view_count(d, e->cores),
		view_name(e->cpu), memory, e->governor ? e->governor : "not measured",
		view_name(e->libc));
}

static void warnings(struct doc *d, const char *type, const void *result)
{
	const struct result_head h = result_head(result);

	for (size_t i = 0; i < h.warnings_len; i++)
		doc_note(d, "Warning of the %s profile: %s (%s)", type,
			view_name(h.warnings[i].text), view_name(h.warnings[i].code));
}

static void scenario(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	const struct result_head h = result_head(s->io    ? (void *)s->io
						 : s->cpu ? (void *)s->cpu
							  : (void *)s->memory);

	doc_section(d, arena_printf(&d->arena, "Scenario %s", view_name(s->name)));
	command_pair(d, h.command);
	environment_pair(d, h.environment);
	if (s->cpu) {
		warnings(d, "cpu", s->cpu);
		cpu_part(d, s->cpu);
	}
	if (s->memory) {
		warnings(d, "memory", s->memory);
		memory_part(d, s->memory);
	}
	if (s->io) {
		warnings(d, "io", s->io);
		io_part(d, s, ease);
	}
}

void analyze_profiling(
	struct doc *d, const struct analyze_scenario *list, size_t n, const struct ease_table *ease)
{
	doc_head(d, "Profiling analysis", "");
	files(d, list, n);
	targets(d, list, n, ease);
	for (size_t i = 0; i < n; i++)
		scenario(d, &list[i], ease);
}
