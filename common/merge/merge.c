/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/merge/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/merge/add.h"
#include "common/merge/odd.h"

/* Fewer calls of a host say little of its times and batches. */
#define CALLS_MIN 100
/* What is closer to the median is not odd, however close the others are. */
#define EFFECT_MIN 0.1

struct host {
	struct res_merge_host row;
	size_t cap;
};

struct merge {
	struct res_merge *doc;
	struct {
		struct res_syscall *at;
		size_t len, cap;
	} calls;
	struct {
		uint8_t *at; /* by call: 1: in one of the results it has no times */
		size_t len, cap;
	} timeless;
	struct {
		struct host *at;
		size_t len, cap;
	} hosts;
	char *spec, *mode; /* of the first result */
	int specs_differ, modes_differ;
	uint64_t without_times; /* results */
	uint64_t with_window;
	int again;       /* a run is in it more than once */
	struct map seen; /* by when and how long */
};

struct merge *merge_new(void)
{
	struct merge *m = mem_calloc(1, sizeof(*m));

	m->doc = result_make(&schema_merge);
	m->doc->results = m->doc->lost = m->doc->window_ns = m->doc->cpu_ns = 0;
	m->doc->complete = 1;
	return m;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->calls.len; i++)
		add_release(&m->calls.at[i], &shape_syscall);
	for (size_t i = 0; i < m->hosts.len; i++)
		free(m->hosts.at[i].row.syscalls.at);
	free(m->calls.at);
	free(m->timeless.at);
	map_release(&m->seen);
	free(m->hosts.at);
	free(m->spec);
	free(m->mode);
	result_free(m->doc);
	free(m);
}

static const char *kept(struct merge *m, const char *text)
{
	return arena_strdup(result_arena(m->doc), text);
}

/* ---- calls ---- */

static struct res_syscall *call_of(struct merge *m, const char *name, int *ret_is_new)
{
	for (size_t i = 0; i < m->calls.len; i++)
		if (!strcmp(m->calls.at[i].name, name)) {
			*ret_is_new = 0;
			return &m->calls.at[i];
		}
	*ret_is_new = 1;
	*VEC_PUSH(&m->calls) = (struct res_syscall){0};
	*VEC_PUSH(&m->timeless) = 0;
	return &m->calls.at[m->calls.len - 1];
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b; /* not measured is the greatest */
}

static uint64_t most(uint64_t a, uint64_t b)
{
	if (a == U64_NONE || b == U64_NONE)
		return a == U64_NONE ? b : a;
	return a > b ? a : b;
}

static void add_call(struct merge *m, const struct res_syscall *s)
{
	uint64_t min = U64_NONE, max = U64_NONE;
	int is_new;
	struct res_syscall *into = call_of(m, s->name, &is_new);

	if (!is_new && into->wall_ns) {
		min = into->wall_ns->min;
		max = into->wall_ns->max;
	}
	add_struct(into, s, &shape_syscall, is_new);
	if (!s->wall_ns)
		m->timeless.at[into - m->calls.at] = 1;
	if (into->wall_ns && s->wall_ns) {
		into->wall_ns->min = least(min, s->wall_ns->min);
		into->wall_ns->max = most(max, s->wall_ns->max);
	} else if (into->wall_ns) {
		into->wall_ns->min = min;
		into->wall_ns->max = max;
	}
}

/* ---- hosts ---- */

static struct host *host_of(struct merge *m, const char *name)
{
	struct host *h;

	for (size_t i = 0; i < m->hosts.len; i++)
		if (!strcmp(m->hosts.at[i].row.host, name))
			return &m->hosts.at[i];
	h = VEC_PUSH(&m->hosts);
	*h = (struct host){.row = {.host = kept(m, name), .complete = 1}};
	return h;
}

static struct res_part *part_of(struct merge *m, struct host *h, const char *name)
{
	struct res_merge_host *row = &h->row;
	const char *same;
	int is_new;

	for (size_t i = 0; i < row->syscalls.len; i++)
		if (!strcmp(row->syscalls.at[i].name, name))
			return &row->syscalls.at[i];
	same = call_of(m, name, &is_new)->name; /* it is there already */
	mem_vec_grow((void **)&row->syscalls.at, &h->cap, row->syscalls.len + 1,
		sizeof(*row->syscalls.at));
	row->syscalls.at[row->syscalls.len] =
		(struct res_part){.name = same, .larger_reads = U64_NONE};
	return &row->syscalls.at[row->syscalls.len++];
}

static void add_to(uint64_t *sum, uint64_t v)
{
	if (*sum == U64_NONE || v == U64_NONE || __builtin_add_overflow(*sum, v, sum))
		*sum = U64_NONE;
}

static void add_part(struct res_part *p, const struct res_syscall *s)
{
	add_to(&p->calls, s->calls);
	add_to(&p->errors, s->errors);
	add_to(&p->wall_ns, s->wall_ns ? s->wall_ns->total : U64_NONE);
	add_to(&p->bytes, s->bytes ? s->bytes->transferred : U64_NONE);
	add_to(&p->batch_asked, s->batch ? s->batch->asked : U64_NONE);
	add_to(&p->batch_transferred, s->batch ? s->batch->transferred : U64_NONE);
}

static void note_made(char **first, int *differ, const char *text)
{
	if (!*first)
		*first = mem_strdup(text ? text : "");
	else if (strcmp(*first, text ? text : "") != 0)
		*differ = 1;
}

/* 1 if that run has been added: a copy under another name. Two runs do not begin in the same
 * microsecond and last as many nanoseconds. */
static int is_again(struct merge *m, const struct res_result *r)
{
	uint64_t key = r->started_us ^ (r->wall_ns << 20);
	int there;

	if (r->started_us == U64_NONE || r->wall_ns == U64_NONE)
		return 0;
	there = map_get(&m->seen, key) != NULL;
	map_set(&m->seen, key, m);
	return there;
}

void merge_add(struct merge *m, const char *host, const struct res_result *r)
{
	uint64_t window_ns = r->window ? r->window->wall_ns : r->wall_ns;
	struct host *h = host_of(m, host);

	m->doc->results++;
	h->row.results++;
	add_to(&m->doc->window_ns, window_ns);
	add_to(&h->row.window_ns, window_ns);
	add_to(&m->doc->cpu_ns, result_cpu_ns(r));
	add_to(&h->row.cpu_ns, result_cpu_ns(r));
	add_to(&m->doc->lost, r->tracer ? r->tracer->lost : U64_NONE);
	if (r->complete != 1)
		m->doc->complete = h->row.complete = 0;
	m->without_times += !result_has_times(r);
	m->with_window += r->window != NULL;
	m->again |= is_again(m, r);
	note_made(&m->spec, &m->specs_differ, r->tracer ? r->tracer->traced_spec : NULL);
	note_made(&m->mode, &m->modes_differ, r->tracer ? r->tracer->mode : NULL);
	for (size_t i = 0; i < r->syscalls.len; i++) {
		if (!r->syscalls.at[i].name)
			continue;
		add_call(m, &r->syscalls.at[i]);
		add_part(part_of(m, h, r->syscalls.at[i].name), &r->syscalls.at[i]);
	}
}

/* ---- what does not add up ---- */

static uint64_t percentile(const struct res_syscall *s, uint64_t calls, double p)
{
	uint64_t need = (uint64_t)ceil(p * (double)calls), sum = 0;

	for (size_t i = 0; i < s->latency_histogram.len && calls; i++) {
		sum += s->latency_histogram.at[i].count;
		if (sum >= need)
			return least(s->latency_histogram.at[i].le_ns, s->wall_ns->max);
	}
	return U64_NONE;
}

static void finish_times(struct res_syscall *s)
{
	struct res_times *t = s->wall_ns;
	uint64_t calls = 0;

	if (!t)
		return;
	for (size_t i = 0; i < s->latency_histogram.len; i++)
		add_to(&calls, s->latency_histogram.at[i].count);
	if (calls == U64_NONE)
		calls = 0;
	t->mean = calls && t->total != U64_NONE ? t->total / calls : U64_NONE;
	t->p50 = percentile(s, calls, 0.5);
	t->p90 = percentile(s, calls, 0.9);
	t->p99 = percentile(s, calls, 0.99);
	t->p999 = percentile(s, calls, 0.999);
}

/* Of calls that asked for something: their number, and what they asked for and got. */
struct batches {
	uint64_t calls, asked, got;
};

static struct batches batches_of(const struct res_batch *b)
{
	struct batches sum = {0};

	for (size_t i = 0; i < b->asked_to_transferred.len; i++) {
		const struct res_count *c = &b->asked_to_transferred.at[i];
		char *arrow;
		uint64_t asked = strtoull(c->key, &arrow, 10);

		if (!asked || strncmp(arrow, "->", 2) != 0)
			continue;
		sum.calls += c->count;
		sum.asked += asked * c->count;
		sum.got += strtoull(arrow + 2, NULL, 10) * c->count;
	}
	return sum;
}

/* The percentiles of units need those calls apart, which the histogram by units has not. */
static void finish_batch(struct res_batch *b)
{
	struct batches sum = batches_of(b);
	int known = b->histogram_overflow == 0 && sum.calls;

	b->fill = known && sum.asked ? (double)sum.got / (double)sum.asked : NAN;
	if (b->per_call)
		*b->per_call = (struct res_per_call){
			.mean = known ? (double)sum.got / (double)sum.calls : NAN,
			.p50 = U64_NONE,
			.p90 = U64_NONE,
			.max = U64_NONE};
	for (size_t i = 0; i < b->by_transferred.len; i++) {
		b->by_transferred.at[i].usual_calls = b->by_transferred.at[i].usual_ns = U64_NONE;
		b->by_transferred.at[i].usual_sq_ns = NAN;
	}
}

/* A sum with a part that was not measured is none. */
static void drop_times(struct res_syscall *s)
{
	struct res_syscall times = {.wall_ns = s->wall_ns};

	times.latency_histogram.at = s->latency_histogram.at;
	times.latency_histogram.len = s->latency_histogram.len;
	add_release(&times, &shape_syscall);
	s->wall_ns = NULL;
	s->latency_histogram.at = NULL;
	s->latency_histogram.len = 0;
}

static void finish_call(struct res_syscall *s, int timeless)
{
	if (timeless)
		drop_times(s);
	finish_times(s);
	if (s->batch)
		finish_batch(s->batch);
	if (s->small_calls)
		s->small_calls->p10_ns = s->small_calls->p50_ns = U64_NONE;
}

/* ---- odd hosts ---- */

static double ratio(uint64_t a, uint64_t b)
{
	return a == U64_NONE || b == U64_NONE || !b ? NAN : (double)a / (double)b;
}

static double rate(const struct res_merge_host *h, const struct res_part *p)
{
	return ratio(p ? p->calls : 0, h->window_ns) * 1e9;
}

static double per_call(const struct res_part *p, uint64_t v)
{
	return p->calls == U64_NONE || p->calls < CALLS_MIN ? NAN : ratio(v, p->calls);
}

enum figure { RATE, TIME, UNITS, ERRORS, FIGURES };
static const char *const figure_names[FIGURES] = {
	"calls_per_s", "time_per_call", "units_per_call", "errors_per_call"};

static double figure_of(const struct res_merge_host *h, const char *call, enum figure f)
{
	const struct res_part *p = NULL;

	for (size_t i = 0; i < h->syscalls.len && !p; i++)
		if (h->syscalls.at[i].name == call)
			p = &h->syscalls.at[i];
	if (f == RATE)
		return rate(h, p);
	if (!p)
		return NAN;
	return per_call(p, f == TIME ? p->wall_ns : f == UNITS ? p->batch_transferred : p->errors);
}

struct odd_list {
	struct res_merge_odd *at;
	size_t len, cap;
};

static void find_odd(struct merge *m, const char *call, enum figure f, struct odd_list *odd)
{
	size_t n = m->hosts.len;
	double *values = mem_calloc(2 * n + 1, sizeof(*values)), *scores = values + n;
	double median, threshold;
	size_t known = 0;

	for (size_t i = 0; i < n; i++) {
		values[i] = figure_of(&m->hosts.at[i].row, call, f);
		known += isnan(values[i]) ? 0 : 1;
	}
	median = odd_scores(values, n, scores);
	threshold = odd_threshold(n * m->calls.len * FIGURES, known);
	for (size_t i = 0; i < n && !isnan(median); i++)
		if (fabs(scores[i]) > threshold &&
			fabs(values[i] - median) > EFFECT_MIN * fabs(median))
			*VEC_PUSH(odd) = (struct res_merge_odd){m->hosts.at[i].row.host, call,
				figure_names[f], values[i], median, scores[i], known};
	free(values);
}

static int farthest(const void *a, const void *b)
{
	const struct res_merge_odd *x = a, *y = b;

	if (fabs(x->score) != fabs(y->score))
		return fabs(x->score) > fabs(y->score) ? -1 : 1;
	return strcmp(x->host, y->host);
}

static void find_all_odd(struct merge *m)
{
	struct odd_list odd = {0};
	struct res_merge *d = m->doc;

	if (m->hosts.len < ODD_HOSTS_MIN)
		return;
	d->odd_threshold = odd_threshold(m->hosts.len * m->calls.len * FIGURES, m->hosts.len);
	for (size_t i = 0; i < m->calls.len; i++)
		for (enum figure f = RATE; f < FIGURES; f++)
			find_odd(m, m->calls.at[i].name, f, &odd);
	if (odd.len) {
		qsort(odd.at, odd.len, sizeof(*odd.at), farthest);
		RES_LIST(d, &d->odd, odd.len, merge_odd);
		memcpy(d->odd.at, odd.at, odd.len * sizeof(*odd.at));
	}
	free(odd.at);
}

/* ---- the whole ---- */

static int by_time(const void *a, const void *b)
{
	const struct res_syscall *x = a, *y = b;
	uint64_t s = x->wall_ns ? x->wall_ns->total : 0, t = y->wall_ns ? y->wall_ns->total : 0;

	if (s != t)
		return s > t ? -1 : 1;
	if (!s && x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_host(const void *a, const void *b)
{
	return strcmp(((const struct host *)a)->row.host, ((const struct host *)b)->row.host);
}

static void add_notes(struct merge *m)
{
	const char *notes[7];
	size_t n = 0;
	struct res_merge *d = m->doc;

	if (m->specs_differ)
		notes[n++] = "Not all results are of the same set of calls: a call that is not in "
			     "a result was maybe not traced.";
	if (m->modes_differ)
		notes[n++] = "Some results are by stops and some are not: their times, and the "
			     "batches of loaded servers, are not of one kind.";
	if (m->without_times)
		notes[n++] =
			m->without_times == d->results
				? "Calls have no times (--no-times)."
				: "In some results calls have no times (--no-times): what rests on "
				  "them is null for each call that is in one.";
	if (m->with_window && m->with_window < d->results)
		notes[n++] = "Some results are of a window and some of whole runs.";
	if (m->again)
		notes[n++] = "A run is in it more than once, as results that begin and end at the "
			     "same time: it is added each time.";
	if (d->complete != 1)
		notes[n++] = "Not all results are complete: the sums are too small.";
	if (m->hosts.len > 1 && m->hosts.len < ODD_HOSTS_MIN)
		notes[n++] = "Fewer than 10 hosts: none is called odd.";
	d->notes.at = arena_alloc(result_arena(d), n + 1, sizeof(char *));
	d->notes.len = n;
	memcpy(d->notes.at, notes, n * sizeof(char *));
}

const struct res_merge *merge_finish(struct merge *m)
{
	struct res_merge *d = m->doc;

	for (size_t i = 0; i < m->calls.len; i++)
		finish_call(&m->calls.at[i], m->timeless.at[i]);
	if (m->calls.len)
		qsort(m->calls.at, m->calls.len, sizeof(*m->calls.at), by_time);
	if (m->hosts.len)
		qsort(m->hosts.at, m->hosts.len, sizeof(*m->hosts.at), by_host);
	d->syscalls.at = m->calls.at;
	d->syscalls.len = m->calls.len;
	RES_LIST(d, &d->hosts, m->hosts.len, merge_host);
	for (size_t i = 0; i < m->hosts.len; i++)
		d->hosts.at[i] = m->hosts.at[i].row;
	find_all_odd(m);
	add_notes(m);
	return d;
}
