/* SPDX-License-Identifier: GPL-3.0-only */
/* The head of the summary: what ran, what is counted, how it was seen, and whether to trust it. */
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/view/view_parts.h"

#define REASONS_MAX 3

static void head_line(struct doc *d, const struct res_result *r)
{
	const char *version = r->tracer && r->tracer->version ? r->tracer->version : "?";
	const char *mode = r->tracer && r->tracer->mode ? r->tracer->mode : "?";
	const char *trap = r->tracer ? r->tracer->trap : NULL;
	cleanup_free char *right = mem_printf("iotrace %s, mode %s%s%s", version, mode,
		trap && strcmp(trap, "dispatch") == 0 ? " by dispatch" : "",
		result_has_times(r) ? "" : ", no times");
	struct out left;

	out_init_mem(&left);
	for (size_t i = 0; i < r->command.len; i++) {
		if (i)
			out_char(&left, ' ');
		text_put_word(&left, view_name(r->command.at[i]));
	}
	doc_head(d, left.len ? out_text(&left) : "(no command)", right);
	out_release(&left);
}

static const char *signal_name(struct doc *d, uint64_t number)
{
	const char *name = number <= 64 ? sigabbrev_np((int)number) : NULL;

	return name ? arena_printf(&d->arena, "SIG%s", name)
		    : arena_printf(&d->arena, "signal %s", view_count(d, number));
}

static const char *ending(struct doc *d, const struct res_result *r)
{
	const struct res_exit *e = r->exit;
	const char *how;

	if (!e)
		return "iotrace let go of it before its end";
	if (e->signal != U64_NONE && e->signal)
		how = arena_printf(&d->arena, "ended by %s", signal_name(d, e->signal));
	else if (e->status != U64_NONE)
		how = arena_printf(&d->arena, "exit status %s", view_count(d, e->status));
	else
		how = "how it ended is not known";
	return e->timed_out == 1 ? arena_printf(&d->arena, "%s at the time limit", how) : how;
}

static const char *population(struct doc *d, const struct res_result *r)
{
	if (r->processes == U64_NONE || r->threads_total == U64_NONE)
		return "";
	return arena_printf(&d->arena, "; %s, %s", view_plural(d, r->processes, "process"),
		view_plural(d, r->threads_total, "thread"));
}

static void run_line(struct doc *d, const struct res_result *r)
{
	if (r->wall_ns == U64_NONE)
		return;
	doc_pair(d, "run", "%s, %s%s%s%s", view_time(d, r->wall_ns), ending(d, r), population(d, r),
		r->started_at ? "; started " : "", r->started_at ? r->started_at : "");
}

#define PROGRAMS_SHOWN 12

/* Whether an earlier row has the same maker. */
static int is_maker_known(const struct res_result *r, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(view_name(r->programs.at[i].started_by),
			    view_name(r->programs.at[at].started_by)))
			return 1;
	return 0;
}

/* "sh; by sh: 3 ls, 3 cat": what the processes are called, by who started them. */
static void programs_line(struct doc *d, const struct res_result *r)
{
	const char *text = "", *by;
	size_t shown = 0, left = 0;

	if (view_zero(r->processes) < 2 || !r->programs.len)
		return;
	for (size_t m = 0; m < r->programs.len && shown < PROGRAMS_SHOWN; m++) {
		if (is_maker_known(r, m))
			continue;
		by = r->programs.at[m].started_by;
		text = arena_printf(&d->arena, "%s%s%s%s%s", text, m ? "; " : "", by ? "by " : "",
			by ? view_name(by) : "", by ? ": " : "");
		for (size_t i = m, n = 0; i < r->programs.len && shown < PROGRAMS_SHOWN; i++) {
			const struct res_program *p = &r->programs.at[i];

			if (!p->processes || strcmp(view_name(p->started_by), view_name(by)) != 0)
				continue;
			text = arena_printf(&d->arena, "%s%s%s%s%s", text, n++ ? ", " : "",
				p->processes == 1 ? "" : view_count(d, p->processes),
				p->processes == 1 ? "" : " ",
				p->name ? view_name(p->name) : "not known");
			shown++;
		}
	}
	for (size_t i = 0; i < r->programs.len; i++)
		left += r->programs.at[i].processes != 0;
	left -= shown;
	if (left)
		text = arena_printf(
			&d->arena, "%s; and %zu other%s", text, left, left == 1 ? "" : "s");
	doc_pair(d, "programs", "%s", text);
}

/* ", 0.81 CPUs on average"; "" where that cannot be said. */
static const char *cpus(struct doc *d, uint64_t cpu_ns, uint64_t wall_ns)
{
	if (wall_ns == U64_NONE || !wall_ns)
		return "";
	return arena_printf(&d->arena, ", %.2f CPUs on average", (double)cpu_ns / (double)wall_ns);
}

static void cpu_line(struct doc *d, const struct res_result *r)
{
	uint64_t counted = result_cpu_ns(r);

	if (counted == U64_NONE)
		return;
	if (r->window)
		doc_pair(d, "cpu", "%s in the window%s; %s in the whole run", view_time(d, counted),
			cpus(d, counted, r->window->wall_ns), view_time(d, r->cpu_ns));
	else
		doc_pair(d, "cpu", "%s%s", view_time(d, counted), cpus(d, counted, r->wall_ns));
}

static void scenario_line(struct doc *d, const struct res_result *r)
{
	const struct res_runs *runs = r->runs;

	if (runs && runs->count != U64_NONE && runs->count > 1)
		doc_pair(d, "scenario", "%s: run %s of %s, the one of median time (%s to %s)",
			view_name(r->scenario), view_count(d, runs->chosen),
			view_count(d, runs->count), view_time(d, runs->min_ns),
			view_time(d, runs->max_ns));
	else if (r->scenario)
		doc_pair(d, "scenario", "%s", r->scenario);
}

static void attached_line(struct doc *d, const struct res_result *r)
{
	const struct res_attached *a = r->attached;

	if (a)
		doc_pair(d, "attached", "to process %s%s, %s",
			a->pid == U64_NONE
				? "?"
				: arena_printf(&d->arena, "%llu", (unsigned long long)a->pid),
			a->processes == U64_NONE || a->processes < 2
				? ""
				: arena_printf(&d->arena, " and %s more",
					  view_count(d, a->processes - 1)),
			a->started == 1 ? "started free of the tracer" : "which ran already");
}

static void load_line(struct doc *d, const struct res_result *r)
{
	const struct res_load *load = r->load;
	const struct res_work *work = r->work;
	const char *done = "", *rate = "";

	if (!load)
		return;
	if (work && work->count != U64_NONE) {
		done = arena_printf(&d->arena, ", %s",
			view_plural(d, work->count, work->unit ? work->unit : "unit"));
		if (load->wall_ns != U64_NONE && load->wall_ns) {
			double each_s = (double)work->count * 1e9 / (double)load->wall_ns;

			rate = arena_printf(&d->arena, ", %s/s",
				view_count(d, each_s < 1e18 ? (uint64_t)(each_s + 0.5) : U64_NONE));
		}
	}
	doc_pair(d, "load", "%s   exit %s%s%s", view_name(load->command),
		view_count(d, load->status), done, rate);
}

/* ", 4.9% more" than the first; "" where that cannot be said. */
static const char *change(struct doc *d, double from, double to)
{
	char share[DOC_PERCENT_BUF];

	if (!(from > 0) || !isfinite(to))
		return "";
	doc_percent(share, fabs(to - from) / from);
	return arena_printf(&d->arena, " (%s%s)", to < from ? "-" : "+", share);
}

/* Units of work a second, NAN where that is not known. */
static double work_rate(const struct res_control_run *run)
{
	if (run->work_count == U64_NONE || run->load_wall_ns == U64_NONE || !run->load_wall_ns)
		return NAN;
	return (double)run->work_count * 1e9 / (double)run->load_wall_ns;
}

static const char *control_run(struct doc *d, const struct res_result *r,
	const struct res_control_run *run, const struct res_control_run *base)
{
	double rate = work_rate(run);
	const char *text = "";

	if (isfinite(rate))
		text = arena_printf(&d->arena, "%s/s%s, ",
			view_plural(d, sat_u64(rate + 0.5),
				r->work && r->work->unit ? r->work->unit : "unit"),
			base ? change(d, work_rate(base), rate) : "");
	if (run->latency_ns != U64_NONE)
		text = arena_printf(&d->arena, "%slatency %s%s, ", text,
			view_time(d, run->latency_ns),
			base && base->latency_ns != U64_NONE
				? change(d, (double)base->latency_ns, (double)run->latency_ns)
				: "");
	if (run->cpu_ns == U64_NONE) /* of a process that ran already */
		return arena_printf(&d->arena, "%s%s long", text, view_time(d, run->wall_ns));
	return arena_printf(&d->arena, "%sCPU %s%s of %s", text, view_time(d, run->cpu_ns),
		base && base->cpu_ns != U64_NONE
			? change(d, (double)base->cpu_ns, (double)run->cpu_ns)
			: "",
		view_time(d, run->wall_ns));
}

/* What observing cost, beside a run without a tool. */
static void control_line(struct doc *d, const struct res_result *r)
{
	const struct res_control *c = r->control;

	if (c && c->native && c->observed)
		doc_pair(d, "control", "untraced: %s; this run, with the tracer: %s",
			control_run(d, r, c->native, NULL),
			control_run(d, r, c->observed, c->native));
}

static int is_outside(const struct res_phase *p)
{
	return p->name && (!strcmp(p->name, "start-up") || !strcmp(p->name, "shutdown"));
}

static void window_line(struct doc *d, const struct res_result *r)
{
	const struct res_window *w = r->window;
	const char *outside = "";

	if (!w) {
		if (r->wall_ns != U64_NONE)
			doc_pair(d, "window", "none: the whole run is counted");
		return;
	}
	for (size_t i = 0; i < r->phases.len; i++) {
		if (is_outside(&r->phases.at[i]))
			outside = arena_printf(&d->arena, "%s%s%s %s", outside,
				*outside ? ", " : "", r->phases.at[i].name,
				*outside ? view_count(d, r->phases.at[i].calls)
					 : view_plural(d, r->phases.at[i].calls, "call"));
	}
	if (r->load)
		doc_pair(d, "window", "the load only, %s.  Outside, not counted below: %s",
			view_time(d, w->wall_ns),
			*outside ? outside : "what came before and after");
	else
		doc_pair(d, "window",
			"%s, from %s to %s of the run.  Outside, not counted below: %s",
			view_time(d, w->wall_ns), view_time(d, w->begin_ns),
			view_time(d, w->end_ns), *outside ? outside : "what came before and after");
}

static void seen_line(struct doc *d, const struct res_tracer *t)
{
	uint64_t recorded = view_zero(t->calls_recorded_in_process);
	uint64_t one_stop = view_zero(t->calls_redirected), two_stops = view_zero(t->calls_stopped);
	uint64_t stopped = sat_add(one_stop, two_stops), all = sat_add(recorded, stopped);
	const char *split = "";

	if (t->calls_recorded_in_process == U64_NONE && t->calls_stopped == U64_NONE)
		return;
	if (one_stop)
		split = arena_printf(&d->arena, " (%s with one stop, %s with two)",
			view_count(d, one_stop), view_count(d, two_stops));
	doc_pair(d, "seen", "%s of %s recorded in process, %s by stopping the target%s, %s lost",
		view_count(d, recorded), view_plural(d, all, "call"), view_count(d, stopped), split,
		t->lost == U64_NONE ? "unknown" : view_count(d, t->lost));
}

/* Why calls were seen by stops although the recorder was there. */
static void sites_line(struct doc *d, const struct res_tracer *t)
{
	const char *list = "";
	size_t n = t->unpatched_sites.len, shown = n > REASONS_MAX ? REASONS_MAX : n;

	for (size_t i = 0; i < shown; i++) {
		const struct res_unpatched *u = &t->unpatched_sites.at[i];

		list = arena_printf(&d->arena, "%s%s%s (%s, %s calls)", list, i ? "; " : "",
			view_name(u->reason), view_plural(d, u->sites, "site"),
			view_count(d, u->calls));
	}
	if (n > shown)
		list = arena_printf(&d->arena, "%s; and %zu more reasons", list, n - shown);
	if (n)
		doc_pair(d, "stopped", "because: %s", list);
}

static const char *stops_in_words(struct doc *d, const struct res_overhead *o)
{
	if (o->stops == U64_NONE || o->per_stop_ns == U64_NONE || !o->stops)
		return "";
	return arena_printf(&d->arena, " (%s of the target, %s each)",
		view_plural(d, o->stops, "stop"), view_time(d, o->per_stop_ns));
}

/* 1 if so few calls stopped that they do not change what the others find. */
static int is_recorded(const struct res_tracer *t)
{
	uint64_t stopped = view_zero(t->calls_stopped) + view_zero(t->calls_redirected);

	return view_zero(t->calls_recorded_in_process) / 20 >= stopped;
}

/* The first call with messages beside which its two stops are long, or may be: it finds more
 * waiting when it comes back. NULL: none. */
static const char *batches_at_risk(const struct res_result *r)
{
	const struct res_overhead *o = r->tracer->overhead;

	if (is_recorded(r->tracer) || o->per_stop_ns == U64_NONE)
		return NULL;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (!view_has_messages(s) || (!s->wall_ns && result_has_times(r)))
			continue;
		if (!s->wall_ns ||
			(s->wall_ns->p50 != U64_NONE && 2 * o->per_stop_ns > s->wall_ns->p50 / 10))
			return view_name(s->name);
	}
	return NULL;
}

static void tracing_line(struct doc *d, const struct res_result *r)
{
	const struct res_overhead *o = r->tracer->overhead;
	const char *whole = r->window ? "window" : "run";
	char share[DOC_PERCENT_BUF];

	if (!o || !isfinite(o->estimated_share)) {
		doc_pair(d, "tracing",
			"its cost is not known, so neither is whether the figures below hold for "
			"the untraced program");
		return;
	}
	doc_percent(share, o->estimated_share);
	if (view_slowed(r))
		doc_pair(d, "tracing",
			"SLOWED THE PROGRAM: about %s = %s of the %s%s. Batch sizes%s "
			"below are those of a slowed program, not of the untraced one.",
			view_time(d, o->estimated_ns), share, whole, stops_in_words(d, o),
			result_has_times(r) ? " and times" : "");
	else if (batches_at_risk(r))
		doc_pair(d, "tracing",
			"about %s = %s of the %s%s. Counts and bytes hold for the untraced "
			"program; a stop %s long beside a %s, so batches of a loaded program can "
			"be larger here than untraced.",
			view_time(d, o->estimated_ns), share, whole, stops_in_words(d, o),
			result_has_times(r) ? "is" : "may be", batches_at_risk(r));
	else
		doc_pair(d, "tracing",
			"about %s = %s of the %s%s: figures below hold for the untraced program",
			view_time(d, o->estimated_ns), share, whole, stops_in_words(d, o));
}

static void times_line(struct doc *d, const struct res_result *r)
{
	if (!result_has_times(r))
		doc_pair(d, "times",
			"none of calls (--no-times), so not measured: latency, whether more was "
			"there than was taken, what gathering saves safely, the run over time");
}

static void tracer_lines(struct doc *d, const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;

	if (!t)
		return;
	seen_line(d, t);
	sites_line(d, t);
	times_line(d, r);
	tracing_line(d, r);
	if (view_zero(t->ignored_signal_interruptions))
		doc_pair(d, "signals",
			"%s interrupted by a signal that the target ignores; untraced this would "
			"not have happened",
			t->ignored_signal_interruptions == 1
				? "1 call was"
				: arena_printf(&d->arena, "%s calls were",
					  view_count(d, t->ignored_signal_interruptions)));
	if (view_zero(t->detail_lines_left_out))
		doc_pair(d, "detail",
			"%s lines are in the detail file, %s were left out (limit or full disk); "
			"the figures below count all calls",
			view_count(d, t->detail_lines), view_count(d, t->detail_lines_left_out));
}

/* Warnings that the lines of the head say in their own words. */
static int said_above(const char *code)
{
	static const char *const codes[] = {"slowed", "ignored_signals", "detail_limit", "lost"};

	for (size_t i = 0; code && i < LEN(codes); i++)
		if (!strcmp(code, codes[i]))
			return 1;
	return 0;
}

static void warning_lines(struct doc *d, const struct res_result *r)
{
	if (r->tracer && view_zero(r->tracer->lost))
		doc_pair(d, "WARNING", "%s known to have been missed: counts below are too low",
			r->tracer->lost == 1 ? "1 call is"
					     : arena_printf(&d->arena, "%s calls are",
						       view_count(d, r->tracer->lost)));
	if (r->complete == 0)
		doc_pair(d, "WARNING", "this result is incomplete%s",
			r->warnings.len ? ", for the reasons that follow"
					: "; what is missing is not known");
	for (size_t i = 0; i < r->warnings.len; i++) {
		const struct res_warning *w = &r->warnings.at[i];

		if (said_above(w->code))
			continue;
		doc_pair(d, "WARNING", "%s (%s)", view_name(w->text), view_name(w->code));
	}
}

static void machine_line(struct doc *d, const struct res_result *r)
{
	const struct res_environment *e = r->environment;

	if (!e || !e->kernel)
		return;
	doc_pair(d, "machine", "Linux %s %s%s%s%s%s%s", e->kernel, view_name(e->machine),
		e->cores != U64_NONE ? ", " : "",
		e->cores != U64_NONE ? view_plural(d, e->cores, "core") : "", e->cpu ? ", " : "",
		e->cpu ? e->cpu : "",
		e->virtualization ? arena_printf(&d->arena, " (%s)", e->virtualization) : "");
}

void view_head(struct doc *d, const struct res_result *r)
{
	head_line(d, r);
	scenario_line(d, r);
	attached_line(d, r);
	load_line(d, r);
	run_line(d, r);
	programs_line(d, r);
	cpu_line(d, r);
	control_line(d, r);
	window_line(d, r);
	machine_line(d, r);
	view_set(d, r);
	tracer_lines(d, r);
	warning_lines(d, r);
}
