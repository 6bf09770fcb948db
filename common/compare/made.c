/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/made.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/view/view_parts.h"

#define WINDOWS_ALIKE 0.05
/* Of fewer one more or less is more than a change that counts (STATS_EFFECT_LEAST). */
#define SAMPLES_MIN 20

/* What a result says of how it was made. */
struct made {
	const struct res_environment *env;
	const struct res_strs *command;
	const struct res_strs *traced, *paths;
	const char *load; /* its command; NULL: there was none */
	const char *unit; /* of its work; NULL: not known */
	const struct res_window *window;
	double chosen_ns; /* the window's length where a clock, or who asked, ended it; else 0 */
	const char *mode, *version; /* of tracer or valgrind */
	int times;                  /* a clock was read around calls: that costs time */
	int attached;               /* to what ran: its start and its end are not in the figures */
	int slowed;
	uint64_t samples; /* U64_NONE: it has none */
	int heap; /* under such a profiler: its time is no time, but figures are the same each run
		   */
};

static int same_text(const char *a, const char *b)
{
	return !a || !b ? a == b : strcmp(a, b) == 0;
}

static double known(uint64_t ns)
{
	return ns == U64_NONE ? 0 : (double)ns;
}

/* It was over when --duration said, whatever the load still did. */
static int clock_ended(const struct res_window *w)
{
	return known(w->duration_ns) > 0 && known(w->wall_ns) >= known(w->duration_ns);
}

/* Neither a load nor the target's end has ended it, so its length says nothing of the program. What
 * was asked for is that length; when the clock is read is chance. */
static double chosen_window(
	const struct res_window *w, const struct res_load *load, int target_lived_on)
{
	if (!w)
		return 0;
	return clock_ended(w)             ? known(w->duration_ns)
	       : !load && target_lived_on ? known(w->wall_ns)
					  : 0;
}

static int lived_on(const struct res_result *r)
{
	const struct res_phase *last = r->phases.len ? &r->phases.at[r->phases.len - 1] : NULL;

	return !r->exit || (last && known(last->wall_ns) > 0);
}

static struct made made_of(const struct side_part *p, size_t at)
{
	const struct result_head head = result_head(p->runs.at[at]);
	struct made m = {.env = head.environment,
		.command = head.command,
		.load = head.load ? head.load->command : NULL,
		.unit = head.work ? head.work->unit : NULL,
		.attached = head.attached != NULL,
		.samples = U64_NONE,
		.times = 1};

	if (p->kind->schema == &schema_result) {
		const struct res_result *r = p->runs.at[at];
		const struct res_tracer *t = r->tracer;

		m.window = r->window;
		m.chosen_ns = chosen_window(r->window, r->load, lived_on(r));
		if (!t)
			return m;
		m.mode = t->mode;
		m.version = t->version;
		m.times = result_has_times(r);
		m.traced = &t->traced_set;
		m.paths = &t->traced_paths;
		m.slowed = same_text(t->mode, "ptrace") ||
			   (t->overhead && t->overhead->estimated_share > SLOWED_SHARE);
	} else if (p->kind->schema == &schema_cpu) {
		const struct res_cpu *r = p->runs.at[at];

		m.window = r->window;
		m.chosen_ns = chosen_window(r->window, r->load, !r->exit);
		m.samples = r->sampling ? r->sampling->samples : U64_NONE;
	} else if (p->kind->schema == &schema_memory) {
		const struct res_memory *r = p->runs.at[at];

		m.heap = 1;
		m.version = r->massif      ? r->massif->version
			    : r->tools.len ? r->tools.at[0].version
					   : NULL;
	}
	return m;
}

static int same_list(const struct res_strs *a, const struct res_strs *b, size_t from)
{
	if (!a || !b)
		return a == b;
	if (a->len != b->len)
		return 0;
	for (size_t i = from; i < a->len; i++)
		if (!same_text(a->at[i], b->at[i]))
			return 0;
	return 1;
}

static char *differ(const char *what, const char *a, const char *b)
{
	return mem_printf("%s differs: %s and %s", what, a ? a : "unknown", b ? b : "unknown");
}

/* What of the environment must be the same; NULL: all of it. */
struct fact {
	const char *what;
	size_t offset;
};
#define FACT(what, member)                                                                         \
	{                                                                                          \
		what, offsetof(struct res_environment, member)                                     \
	}
static const struct fact of_counts[] = {FACT("machine", machine), FACT("libc", libc), {NULL, 0}};
static const struct fact of_times[] = {FACT("CPU", cpu), FACT("kernel", kernel),
	FACT("governor", governor), FACT("virtualization", virtualization), {NULL, 0}};

static const char *fact_of(const struct res_environment *e, const struct fact *f)
{
	const char *text;

	memcpy(&text, (const char *)e + f->offset, sizeof(text));
	return text;
}

static char *facts_differ(
	const struct res_environment *a, const struct res_environment *b, const struct fact *facts)
{
	for (; a && b && facts->what; facts++)
		if (!same_text(fact_of(a, facts), fact_of(b, facts)))
			return differ(facts->what, fact_of(a, facts), fact_of(b, facts));
	return NULL;
}

/* Of results of earlier versions it is not known. */
static int skips_differ(const struct res_window *a, const struct res_window *b)
{
	return a && b && a->skip_ns != b->skip_ns && a->skip_ns != U64_NONE &&
	       b->skip_ns != U64_NONE;
}

/* Counts of one are not those of the other, however alike the programs are. */
static char *windows_differ(const struct made *a, const struct made *b)
{
	const double x = a->chosen_ns, y = b->chosen_ns;

	if (!a->window != !b->window)
		return mem_strdup("one side has a window, the other is of whole runs");
	if (skips_differ(a->window, b->window))
		return mem_strdup("the windows do not begin at the same time (--skip)");
	return fabs(x - y) > WINDOWS_ALIKE * fmax(x, y)
		       ? mem_strdup("the windows are not of the same length (--duration)")
		       : NULL;
}

static char *no_counts(const struct made *a, const struct made *b)
{
	char *windows;

	if (!same_list(a->command, b->command, 1))
		return mem_strdup("the arguments differ");
	if (!same_text(a->load, b->load))
		return mem_strdup("the loads differ");
	if (!a->unit != !b->unit)
		return mem_strdup("the work of one side is not known (--work)");
	if (!same_text(a->unit, b->unit))
		return mem_strdup("the units of work differ (--work)");
	if (a->attached != b->attached)
		return mem_strdup("one side was attached, the other started");
	if (!same_text(a->mode, b->mode))
		return differ("mode", a->mode, b->mode);
	if (!same_list(a->traced, b->traced, 0) || !same_list(a->paths, b->paths, 0))
		return mem_strdup("not the same calls were traced");
	if (!same_text(a->version, b->version))
		return differ(a->heap ? "the heap profiler's version" : "the tracer's version",
			a->version, b->version);
	if (!a->env != !b->env)
		return mem_strdup("of one side it is not known where it was run");
	windows = windows_differ(a, b);
	return windows ? windows : facts_differ(a->env, b->env, of_counts);
}

static char *no_batches(const struct made *m)
{
	return m->load && m->slowed ? mem_strdup("batches of a loaded server, slowed by stops")
				    : NULL;
}

/* Not overridden by force: these times are not the program's. */
static char *no_times(const struct made *m)
{
	if (m->heap)
		return mem_strdup("time under a heap profiler");
	return m->slowed ? mem_strdup("time slowed by stops") : NULL;
}

static char *other_times(const struct made *a, const struct made *b)
{
	if (a->env && b->env && a->env->cores != b->env->cores)
		return mem_strdup("the number of cores differs");
	if (a->times != b->times)
		return mem_strdup("calls of one side have no times (--no-times)");
	return facts_differ(a->env, b->env, of_times);
}

/* The first reason stays. */
static void reason(char **first, char *why)
{
	if (*first)
		free(why);
	else
		*first = why;
}

static void add_side(
	struct judge_rules *r, const struct made *first, const struct side_part *side, int force)
{
	for (size_t i = 0; i < side->runs.len; i++) {
		struct made m = made_of(side, i);

		reason(&r->times, no_times(&m));
		reason(&r->batches, no_batches(&m));
		if (force)
			continue;
		reason(&r->counts, no_counts(first, &m));
		reason(&r->times, other_times(first, &m));
	}
}

/* Not overridden by force either: so few are no measure of anything. */
static char *no_samples(const struct side_part *base, const struct side_part *new)
{
	const struct side_part *const sides[] = {base, new};

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sides[i]->runs.len; k++)
			if (made_of(sides[i], k).samples >= SAMPLES_MIN)
				return NULL;
	return mem_printf("no run has %d samples (--sampling-rate)", SAMPLES_MIN);
}

struct judge_rules made_rules(const struct side_part *base, const struct side_part *new, int force)
{
	struct made first = made_of(base, 0);
	struct judge_rules r = {0};

	add_side(&r, &first, base, force);
	add_side(&r, &first, new, force);
	if (!r.times && r.counts)
		r.times = mem_strdup(r.counts);
	r.samples = no_samples(base, new);
	return r;
}

struct judge_rules made_rules_alone(const struct side_part *side)
{
	struct made first = made_of(side, 0);
	struct judge_rules r = {0};

	add_side(&r, &first, side, 1);
	return r;
}

void made_release(struct judge_rules *r)
{
	free(r->counts);
	free(r->batches);
	free(r->times);
	free(r->samples);
}

char *made_program(const struct side_part *p)
{
	struct made m = made_of(p, 0);
	const struct res_environment *e = m.env;
	const char *path = e && e->target_path                             ? e->target_path
			   : m.command && m.command->len && *m.command->at ? *m.command->at
									   : "unknown program";

	if (e && e->target_build_id)
		return mem_printf("%s (build-id %.12s)", path, e->target_build_id);
	return mem_printf("%s%s%.12s%s", path, e && e->target_sha256 ? " (sha256 " : "",
		e && e->target_sha256 ? e->target_sha256 : "", e && e->target_sha256 ? ")" : "");
}
