/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/metric.h"

#include <errno.h>
#include <math.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/nearest.h"

/* ---- values ---- */

static double count(uint64_t v)
{
	return v == U64_NONE ? NAN : (double)v;
}

static double window_ns(const struct res_window *w, uint64_t wall_ns)
{
	return count(w ? w->wall_ns : wall_ns);
}

static double per_second(const struct res_work *w, double ns)
{
	return w && ns > 0 ? count(w->count) / (ns / 1e9) : NAN;
}

/* A percentile of a few calls is chance. */
static int enough(const struct res_syscall *s, uint64_t calls)
{
	return s->calls != U64_NONE && s->calls >= calls;
}

static double all_calls(const struct res_result *r)
{
	double sum = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		sum += count(r->syscalls.at[i].calls);
	return sum;
}

/* Processes, but for the one whose end is the run's. */
static double crashed(const struct res_result *r)
{
	double sum = r->programs.len ? 0 : NAN;

	for (size_t i = 0; i < r->programs.len; i++)
		sum += count(r->programs.at[i].crashed);
	return sum;
}

static double work_of(const struct res_work *w)
{
	return w ? count(w->count) : NAN;
}

/* What the samples stand for. */
static double sampled_ns(const struct res_cpu_sampling *s)
{
	return s && s->rate_hz && s->rate_hz != U64_NONE
		       ? count(s->samples) * 1e9 / (double)s->rate_hz
		       : NAN;
}

static double per(double v, double work)
{
	return work > 0 ? v / work : NAN;
}

/* ---- the list ---- */

const struct metric *metrics_find(const struct metrics *m, const char *name)
{
	for (uint64_t h = map_text_key(name);; h++) {
		size_t at = (size_t)(uintptr_t)map_get(&m->by_name, h);

		if (!at || strcmp(m->at[at - 1].name, name) == 0)
			return at ? &m->at[at - 1] : NULL;
	}
}

const double *metrics_never_called(const struct metrics *m, const struct metric *like)
{
	if (!like->call || *like->unit)
		return NULL;
	if (like->kind == METRIC_WORK)
		return m->zeros_per_work;
	return like->kind == METRIC_COUNT || like->kind == METRIC_SIZE ? m->zeros : NULL;
}

static struct metric *metric_of(struct metrics *m, const struct metric *like)
{
	struct metric *there = (struct metric *)metrics_find(m, like->name);
	uint64_t h = map_text_key(like->name);
	const double *never = metrics_never_called(m, like);

	if (there)
		return there;
	mem_vec_grow((void **)&m->at, &m->cap, m->len + 1, sizeof(*m->at));
	there = &m->at[m->len++];
	*there = *like;
	there->name = arena_strdup(&m->arena, like->name);
	there->call = arena_strdup(&m->arena, like->call);
	there->values = arena_alloc(&m->arena, m->runs, sizeof(double));
	for (size_t i = 0; i < m->runs; i++)
		there->values[i] = never ? never[i] : NAN;
	while (map_get(&m->by_name, h))
		h++;
	map_set(&m->by_name, h, (void *)(uintptr_t)m->len);
	return there;
}

/* Calls and errors, of a call that was made: what is not known of them is not 0. */
static int is_made(const struct metric *like)
{
	return like->call && like->kind == METRIC_COUNT && like->worse == WORSE_UP && !*like->unit;
}

/* like->name is the figure alone; where: the phase, or NULL. */
static void put(
	struct metrics *m, size_t run, const char *where, const struct metric *like, double v)
{
	struct metric full = *like;
	char *name = mem_printf("%s%s%s%s%s", like->call ? like->call : "", like->call ? "." : "",
		like->name, where ? "@" : "", where ? where : "");

	full.name = name;
	if (!isnan(v) || is_made(like))
		metric_of(m, &full)->values[run] = v;
	free(name);
}

#define PUT(m, run, c, id, unit, kind, worse, v)                                                   \
	put(m, run, NULL, &(struct metric){#id, c, unit, METRIC_##kind, WORSE_##worse, NULL}, v)

/* ---- a run of each kind ---- */

static void read_call(struct metrics *m, size_t run, const struct res_syscall *s)
{
	const double w = m->work[run];

#define CALL(id, unit, kind, worse, value) PUT(m, run, s->name, id, unit, kind, worse, value);
#define RUN(id, unit, kind, worse, value)
#define CPU(id, unit, kind, worse, value)
#define HEAP(id, unit, kind, worse, value)
#include "common/compare/metrics.def"
#undef CALL
#undef RUN
#undef CPU
#undef HEAP
}

/* Start-up and shutdown; the window is what the tables are about. */
static void read_phases(struct metrics *m, size_t run, const struct res_result *r)
{
	for (size_t i = 0; i < r->phases.len && r->window; i++) {
		const struct res_phase *p = &r->phases.at[i];

		if (!p->name || !strcmp(p->name, "window"))
			continue;
		for (size_t k = 0; k < p->syscalls.len; k++) {
			const struct res_phase_call *c = &p->syscalls.at[k];

			put(m, run, p->name,
				&(struct metric){"calls", c->name, "", METRIC_SIZE, WORSE_UP, NULL},
				count(c->calls));
		}
	}
}

static void read_io(struct metrics *m, size_t run, const struct res_result *r)
{
#define CALL(id, unit, kind, worse, value)
#define RUN(id, unit, kind, worse, value) PUT(m, run, NULL, id, unit, kind, worse, value);
#define CPU(id, unit, kind, worse, value)
#define HEAP(id, unit, kind, worse, value)
#include "common/compare/metrics.def"
#undef RUN
#undef CPU
#undef HEAP
	for (size_t i = 0; i < r->syscalls.len; i++)
		if (r->syscalls.at[i].name)
			read_call(m, run, &r->syscalls.at[i]);
	read_phases(m, run, r);
}

static void read_cpu(struct metrics *m, size_t run, const struct res_cpu *r)
{
#define RUN(id, unit, kind, worse, value)
#define CPU(id, unit, kind, worse, value) PUT(m, run, NULL, id, unit, kind, worse, value);
#define HEAP(id, unit, kind, worse, value)
#include "common/compare/metrics.def"
#undef CPU
#undef HEAP
}

static void read_heap(struct metrics *m, size_t run, const struct res_memory *r)
{
#define CPU(id, unit, kind, worse, value)
#define HEAP(id, unit, kind, worse, value) PUT(m, run, NULL, id, unit, kind, worse, value);
#include "common/compare/metrics.def"
#undef CALL
#undef RUN
#undef CPU
#undef HEAP
}

/* Before any figure is put: what was not called is 0 per unit of work only where there is work. */
static void read_work(const struct side_part *part, struct metrics *ret)
{
	ret->zeros = arena_alloc(&ret->arena, ret->runs, sizeof(double));
	ret->zeros_per_work = arena_alloc(&ret->arena, ret->runs, sizeof(double));
	ret->work = arena_alloc(&ret->arena, ret->runs, sizeof(double));
	for (size_t i = 0; i < ret->runs; i++) {
		ret->work[i] = work_of(result_head(part->runs.at[i]).work);
		ret->zeros_per_work[i] = per(0, ret->work[i]);
	}
}

void metrics_read(const struct side_part *part, struct metrics *ret)
{
	*ret = (struct metrics){.runs = part->runs.len};
	read_work(part, ret);
	for (size_t i = 0; i < part->runs.len; i++) {
		if (part->kind->schema == &schema_result)
			read_io(ret, i, part->runs.at[i]);
		else if (part->kind->schema == &schema_cpu)
			read_cpu(ret, i, part->runs.at[i]);
		else
			read_heap(ret, i, part->runs.at[i]);
	}
}

void metrics_release(struct metrics *m)
{
	map_release(&m->by_name);
	free(m->at);
	arena_release(&m->arena);
}

/* ---- names ---- */

enum { OF_CALL, OF_RUN, OF_CPU, OF_HEAP };

static const struct known {
	const char *name, *unit;
	int of;
	enum metric_kind kind;
	enum metric_worse worse;
} known[] = {
#define CALL(id, unit, kind, worse, value) {#id, unit, OF_CALL, METRIC_##kind, WORSE_##worse},
#define RUN(id, unit, kind, worse, value)  {#id, unit, OF_RUN, METRIC_##kind, WORSE_##worse},
#define CPU(id, unit, kind, worse, value)  {#id, unit, OF_CPU, METRIC_##kind, WORSE_##worse},
#define HEAP(id, unit, kind, worse, value) {#id, unit, OF_HEAP, METRIC_##kind, WORSE_##worse},
#include "common/compare/metrics.def"
#undef CALL
#undef RUN
#undef CPU
#undef HEAP
};

int metric_is_of(const char *name, const struct schema *schema)
{
	int of = schema == &schema_cpu ? OF_CPU : schema == &schema_memory ? OF_HEAP : OF_RUN;

	if (strchr(name, '.'))
		return of == OF_RUN;
	for (size_t i = 0; i < LEN(known); i++)
		if (known[i].of == of && strcmp(known[i].name, name) == 0)
			return 1;
	return 0;
}

int metric_is_cost(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *figure = dot ? dot + 1 : name;
	size_t len = strcspn(figure, "@");

	for (size_t i = 0; i < LEN(known); i++)
		if ((known[i].of == OF_CALL) == (dot != NULL) && known[i].worse == WORSE_UP &&
			strlen(known[i].name) == len && !memcmp(known[i].name, figure, len))
			return 1;
	return 0;
}

int metric_is_of_call_times(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < LEN(known); i++)
		if (known[i].of == OF_CALL && !strcmp(known[i].name, dot + 1))
			return known[i].kind == METRIC_TIME;
	return 0;
}

int metric_counts_calls(const char *figure)
{
	for (size_t i = 0; i < LEN(known); i++)
		if (known[i].of == OF_CALL && !strcmp(known[i].name, figure))
			return known[i].kind == METRIC_COUNT && !*known[i].unit;
	return 0;
}

int metric_call_is_traced(const struct res_result *r, const char *call)
{
	const struct res_strs *set = r->tracer ? &r->tracer->traced_set : NULL;
	const int all = set && set->len && !strcmp(set->at[0], "all"); /* but for "!names" */

	for (size_t i = 0; set && i < set->len; i++)
		if (!strcmp(set->at[i] + (all && *set->at[i] == '!'), call))
			return !all;
	/* Other machines' names stand for others here, and of newer ones nothing is known. */
	return all && seccomp_syscall_resolve_name(call) >= 0;
}

int metric_call_was_made(const struct res_result *r, const char *call)
{
	for (size_t i = 0; i < r->syscalls.len; i++)
		if (r->syscalls.at[i].name && !strcmp(r->syscalls.at[i].name, call))
			return 1;
	return 0;
}

int metric_is_none(const struct res_result *r, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot)
		return 0;
	cleanup_free char *call = mem_strndup(name, (size_t)(dot - name));

	if (!metric_call_is_traced(r, call))
		return 0;
	return strchr(dot, '@') ? r->window != NULL
				: !metric_call_was_made(r, call) && metric_counts_calls(dot + 1);
}

/* 0 if there is such a figure of a call, or of a whole run; else n has the nearest. */
static int find_known(const char *name, int of_call, struct nearest *n)
{
	*n = nearest_to(name, 2 + strlen(name) / 4);
	for (size_t i = 0; i < LEN(known); i++) {
		if ((known[i].of == OF_CALL) != of_call)
			continue;
		if (strcmp(known[i].name, name) == 0)
			return 0;
		nearest_try(n, known[i].name);
	}
	return -EINVAL;
}

/* Kernels have some 450 calls on x86-64; libseccomp says which. */
#define CALLS_MAX 1024

int metric_is_call(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

static int check_call(const char *call, const char *rest, struct err *err)
{
	struct nearest n = nearest_to(call, strlen(call) > 4 ? 2 : 1);
	char *names[CALLS_MAX] = {0};
	int rc = 0;

	if (metric_is_call(call))
		return 0;
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		names[nr] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		if (names[nr])
			nearest_try(&n, names[nr]);
	}
	if (n.name)
		rc = err_set(err, -EINVAL, "no system call is called '%.60s'; did you mean '%s%s'?",
			call, n.name, rest);
	for (int nr = 0; nr < CALLS_MAX; nr++)
		free(names[nr]);
	return rc;
}

static int check_phase(const char *call, const char *figure, const char *at, struct err *err)
{
	struct nearest n = nearest_to(at + 1, 4);

	if (strcmp(figure, "calls") != 0)
		return err_set(err, -EINVAL,
			"of a phase only calls are known; did you mean '%.60s.calls%.60s'?", call,
			at);
	nearest_try(&n, "start-up");
	nearest_try(&n, "shutdown");
	if (!n.distance)
		return 0;
	cleanup_free char *hint = nearest_hint(&n);

	return err_set(err, -EINVAL, "no phase is called '%.60s'%s", at + 1,
		n.name ? hint : "; there are start-up and shutdown");
}

static int check_figure(const char *call, const char *figure, struct err *err)
{
	struct nearest n;

	if (find_known(figure, 1, &n) == 0)
		return 0;
	if (metric_is_call(figure) && find_known(call, 1, &(struct nearest){0}) == 0)
		return err_set(err, -EINVAL,
			"the call comes first, then its figure; did you mean '%.60s.%.60s'?",
			figure, call);
	return err_set(err, -EINVAL, "no figure of a call is called '%.60s'%s%.60s%s%s%s", figure,
		n.name ? "; did you mean '" : "", n.name ? call : "", n.name ? "." : "",
		n.name ? n.name : "", n.name ? "'?" : "");
}

int metric_check_name(const char *name, struct err *err)
{
	const char *dot = strrchr(name, '.'), *at = dot ? strchr(dot, '@') : NULL;
	struct nearest n;
	int rc;

	if (!dot) {
		if (find_known(name, 0, &n) == 0)
			return 0;
		if (metric_is_call(name))
			return err_set(err, -EINVAL,
				"%.60s is a call, not a figure of one; did you mean '%.60s.calls'?",
				name, name);
		cleanup_free char *hint = nearest_hint(&n);

		return err_set(err, -EINVAL, "no figure is called '%.60s'%s", name, hint);
	}
	cleanup_free char *call = mem_strndup(name, (size_t)(dot - name));
	cleanup_free char *figure =
		at ? mem_strndup(dot + 1, (size_t)(at - dot - 1)) : mem_strdup(dot + 1);

	rc = at ? check_phase(call, figure, at, err) : check_figure(call, figure, err);
	return rc < 0 ? rc : check_call(call, dot, err);
}

/* ---- limits ---- */

static const char *unit_of(const char *name)
{
	const char *dot = strrchr(name, '.'), *figure = dot ? dot + 1 : name;

	/* "calls@start-up" is none of the table, and a count, too */
	for (size_t i = 0; i < LEN(known); i++)
		if ((known[i].of == OF_CALL) == (dot != NULL) && !strcmp(known[i].name, figure))
			return known[i].unit;
	return "";
}

int metric_parse_limit(const char *name, const char *text, struct limit *ret, struct err *err)
{
	static const char *const said[][2] = {{"bytes", "is in bytes (B, KiB, MiB, GiB)"},
		{"ns", "is a time (ns, us, ms, s)"}, {"ratio", "is a share (%)"},
		{"per s", "is per second, and has no unit"}, {"", "is a count, and has no unit"}};
	const char *unit = unit_of(name);
	size_t i = 0;
	int rc = limit_parse(text, ret, err);

	if (rc < 0 || !*ret->unit || strcmp(ret->unit, unit) == 0)
		return rc;
	while (strcmp(said[i][0], unit) != 0)
		i++;
	return err_set(err, -EINVAL, "limit '%.60s': %.60s %s", text, name, said[i][1]);
}
