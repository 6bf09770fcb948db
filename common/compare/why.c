/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/why.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/base/units.h"

#define FUNCTIONS_SHOWN 5
#define SITES_SHOWN     5
#define Z_MIN           4.0   /* p of 6e-5: tested are the 50 functions of a profile */
#define SHARE_MIN       0.005 /* of all samples */
#define PORT_CHOSEN     32768 /* /proc/sys/net/ipv4/ip_local_port_range, as it is mostly */

void sentence(struct sentences *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*VEC_PUSH(&s->lines) = arena_vprintf(result_arena(s->doc), fmt, ap);
	va_end(ap);
}

void sentences_into(struct sentences *s, struct res_strs *list)
{
	list->len = s->lines.len;
	list->at = arena_alloc(result_arena(s->doc), s->lines.len + 1, sizeof(*list->at));
	if (s->lines.len)
		memcpy(list->at, s->lines.at, s->lines.len * sizeof(*list->at));
	free(s->lines.at);
	s->lines.at = NULL;
	s->lines.len = s->lines.cap = 0;
}

/* ---- names of places ---- */

/* Whether path is OUT/logs/SCENARIO-RUN-WHO.log, or OUT/compare/SCENARIO/.. : files of our own,
 * which each run and each side has under a name of its own. */
static const char *own_file(const char *path, const char *scenario)
{
	static const struct {
		const char *end, *name;
	} logs[] = {{"-target.log", "the target's output"}, {"-load.log", "the load's output"},
		{"-helper.log", "a helper's output"}};
	cleanup_free char *log = mem_printf("/logs/%s-", scenario);
	cleanup_free char *turn = mem_printf("/compare/%s/log", scenario);

	for (size_t i = 0; i < LEN(logs) && strstr(path, log); i++)
		if (text_stem_len(path, logs[i].end))
			return logs[i].name;
	return text_stem_len(path, turn) ? "the target's output" : NULL;
}

#define DIGITS "0123456789"

/* Whether the number at `at` is another in each run: a port that the kernel chose, by its usual
 * range, or a process in /proc. Else 0. */
static size_t chosen_len(const char *target, const char *at)
{
	size_t len = strspn(at, DIGITS);

	if (!len)
		return 0;
	if (*target == '/')
		return at == target + 6 && strncmp(target, "/proc/", 6) == 0 ? len : 0;
	return at > target && at[-1] == ':' && (!at[len] || at[len] == ' ') &&
			       strtoul(at, NULL, 10) >= PORT_CHOSEN
		       ? len
		       : 0;
}

/* With * for these. */
static const char *without_chosen(struct arena *a, const char *target)
{
	const char *name = "", *from = target;

	for (const char *at = target; *at; at++) {
		size_t len = chosen_len(target, at);

		if (len) {
			name = arena_printf(a, "%s%.*s*", name, (int)(at - from), from);
			from = at + len;
			at = from - 1;
		}
	}
	return from == target ? target : arena_printf(a, "%s%s", name, from);
}

/* Without what is another in each run: our own files, the numbers of pipes and sockets. */
static const char *place_name(struct arena *a, const char *target, const char *scenario)
{
	const char *own = own_file(target, scenario), *bracket = strstr(target, ":[");

	if (own)
		return own;
	if (bracket && strspn(bracket + 2, DIGITS) == strlen(bracket + 2) - 1)
		return arena_printf(a, "%.*s", (int)(bracket - target), target);
	return without_chosen(a, target);
}

/* ---- places of a call ---- */

/* Calls at one fd's target or in threads of one name. */
struct place {
	const char *name;
	uint64_t base, new;
};

struct places {
	struct place *at;
	size_t len, cap;
	struct arena arena;
};

static void add_place(struct places *p, const char *name, uint64_t calls, int is_new)
{
	struct place *to = NULL;

	for (size_t i = 0; i < p->len && !to; i++)
		if (strcmp(p->at[i].name, name) == 0)
			to = &p->at[i];
	if (!to) {
		to = VEC_PUSH(p);
		*to = (struct place){.name = name};
	}
	*(is_new ? &to->new : &to->base) += calls;
}

static uint64_t calls_of(const struct res_part *parts, size_t len, const char *call)
{
	for (size_t i = 0; i < len; i++)
		if (parts[i].name && strcmp(parts[i].name, call) == 0)
			return parts[i].calls;
	return 0;
}

static void add_fds(struct places *p, const struct side_part *part, const char *call, int is_new)
{
	const struct res_result *r = part->runs.at[0];

	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *f = &r->fds.at[i];
		uint64_t calls = calls_of(f->syscalls.at, f->syscalls.len, call);

		if (calls)
			add_place(p,
				f->target ? place_name(&p->arena, f->target, part->scenario)
					  : "an fd of unknown target",
				calls, is_new);
	}
}

/* target: as in cause.c, what those that have the target's own name are called. */
static void add_threads(struct places *p, const struct res_result *r, const char *target,
	const char *call, int is_new)
{
	const char *own = result_target_name(r);

	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *t = &r->threads.at[i];
		uint64_t calls = calls_of(t->syscalls.at, t->syscalls.len, call);

		if (calls)
			add_place(p,
				!t->comm                    ? "?"
				: strcmp(t->comm, own) == 0 ? target
							    : t->comm,
				calls, is_new);
	}
}

static uint64_t moved(const struct place *p)
{
	return p->base > p->new ? p->base - p->new : p->new - p->base;
}

/* The only place of one side, of those that the other side does not have. NULL: none, or several.
 */
static struct place *only_of(struct places *p, int is_new)
{
	struct place *found = NULL;

	for (size_t i = 0; i < p->len; i++) {
		struct place *at = &p->at[i];

		if (is_new ? at->base || !at->new : at->new || !at->base)
			continue;
		if (found)
			return NULL;
		found = at;
	}
	return found;
}

/* How much of a name says where it is: a folder, the address before the port. */
static size_t where_len(const char *name)
{
	size_t len = strlen(name);

	while (len && name[len - 1] != '/' && name[len - 1] != ':')
		len--;
	return len;
}

/* A file or socket that has another name in each run: what is in one place on one side, and beside
 * it on the other. */
static void pair_places(struct places *p)
{
	struct place *was = only_of(p, 0), *is = only_of(p, 1);
	size_t len = was ? where_len(was->name) : 0;

	if (!len || !is || where_len(is->name) != len || strncmp(was->name, is->name, len) != 0)
		return;
	is->name = arena_printf(&p->arena, "%s (base: %s)", is->name, was->name);
	is->base = was->base;
	*was = (struct place){.name = was->name};
}

/* The place where most has changed; nothing if it is the only one or none has. */
static void say_place(struct sentences *s, const char *call, const char *what, struct places *p)
{
	const struct place *most = NULL;
	char base[UNITS_BUF], new[UNITS_BUF];

	for (size_t i = 0; i < p->len; i++)
		if (!most || moved(&p->at[i]) > moved(most))
			most = &p->at[i];
	if (most && moved(most))
		sentence(s, "%s, %s %s: %s -> %s calls", call, what, most->name,
			units_thousands(base, most->base), units_thousands(new, most->new));
	free(p->at);
	arena_release(&p->arena);
}

/* ---- batches ---- */

/* The size asked most often, and its share of the calls. */
static const char *usual(const struct res_counts *h, double *ret_share)
{
	uint64_t all = 0, most = 0;
	const char *key = NULL;

	for (size_t i = 0; i < h->len; i++) {
		all = sat_add(all, h->at[i].count);
		if (h->at[i].count > most) {
			most = h->at[i].count;
			key = h->at[i].key;
		}
	}
	*ret_share = all ? (double)most / (double)all : 0;
	return key;
}

/* "asked for" or "moved": nothing where it is the same on both sides. */
static void say_sizes(struct sentences *s, const char *call, const char *did,
	const struct res_counts *base, const struct res_counts *new)
{
	double base_share, new_share;
	const char *was = usual(base, &base_share), *is = usual(new, &new_share);

	if (!was || !is || (strcmp(was, is) == 0 && fabs(base_share - new_share) < 0.005))
		return;
	sentence(s, "%s %s %s in %.0f%% of calls (base: %s in %.0f%%)", call, did, is,
		100 * new_share, was, 100 * base_share);
}

static void say_batch(struct sentences *s, const char *call, const struct res_batch *base,
	const struct res_batch *new)
{
	say_sizes(s, call, "asked for", &base->asked_histogram, &new->asked_histogram);
	say_sizes(s, call, "moved", &base->transferred_histogram, &new->transferred_histogram);
}

void why_call(struct sentences *s, const struct side_part *base, const struct side_part *new,
	const char *call)
{
	const struct res_result *b = base->runs.at[0], *n = new->runs.at[0];
	const struct res_syscall *was = result_syscall(b, call), *is = result_syscall(n, call);
	struct places fds = {0}, threads = {0};

	add_fds(&fds, base, call, 0);
	add_fds(&fds, new, call, 1);
	pair_places(&fds);
	say_place(s, call, "on", &fds);
	if (b->threads.len > 1 || n->threads.len > 1) {
		const char *target = result_target_name(n);

		add_threads(&threads, b, target, call, 0);
		add_threads(&threads, n, target, call, 1);
		say_place(s, call, "in threads named", &threads);
	}
	if (was && is && was->batch && is->batch)
		say_batch(s, call, was->batch, is->batch);
}

/* ---- what no count shows ---- */

/* Most of each side have one value, and not the same. */
static int is_another(const char *was, double base_share, const char *is, double new_share)
{
	return was && is && base_share > 0.5 && new_share > 0.5 && strcmp(was, is) != 0;
}

static void say_quiet(
	struct sentences *s, const struct res_syscall *base, const struct res_syscall *new)
{
	double base_share = 0, new_share = 0;
	const char *was = usual(&base->errnos, &base_share);
	const char *is = usual(&new->errnos, &new_share);

	if (is_another(was, base_share, is, new_share))
		sentence(s, "%s failed with %s in %.0f%% of its errors (base: %s in %.0f%%)",
			new->name, is, 100 * new_share, was, 100 * base_share);
	if (!base->batch || !new->batch)
		return;
	was = usual(&base->batch->asked_histogram, &base_share);
	is = usual(&new->batch->asked_histogram, &new_share);
	if (is_another(was, base_share, is, new_share))
		say_sizes(s, new->name, "asked for", &base->batch->asked_histogram,
			&new->batch->asked_histogram);
}

static int is_told(const char *const *told, size_t len, const char *call)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(told[i], call) == 0)
			return 1;
	return 0;
}

void why_quiet(struct sentences *s, const struct side_part *base, const struct side_part *new,
	const char *const *told, size_t told_len)
{
	const struct res_result *n = new->runs.at[0];

	for (size_t i = 0; i < n->syscalls.len; i++) {
		const struct res_syscall *is = &n->syscalls.at[i], *was;

		if (!is->name || is_told(told, told_len, is->name))
			continue;
		was = result_syscall(base->runs.at[0], is->name);
		if (was)
			say_quiet(s, was, is);
	}
}

/* ---- functions ---- */

struct function {
	const char *name;
	double base, new; /* samples */
};

struct functions {
	struct function *at;
	size_t len, cap;
	double base, new; /* samples in all */
};

/* Interrupts are the machine's: where they are told apart they are charged to what they came upon.
 */
static int has_charged(const struct side_part *part)
{
	for (size_t run = 0; run < part->runs.len; run++) {
		const struct res_cpu *c = part->runs.at[run];

		for (size_t i = 0; i < c->functions_by_self.len; i++)
			if (c->functions_by_self.at[i].charged == U64_NONE)
				return 0;
	}
	return 1;
}

static struct function *function_of(struct functions *f, const char *name)
{
	for (size_t i = 0; i < f->len; i++)
		if (strcmp(f->at[i].name, name) == 0)
			return &f->at[i];
	*VEC_PUSH(f) = (struct function){.name = name};
	return &f->at[f->len - 1];
}

static void add_functions(
	struct functions *f, const struct side_part *part, int charged, int is_new)
{
	for (size_t run = 0; run < part->runs.len; run++) {
		const struct res_cpu *c = part->runs.at[run];

		if (c->sampling && c->sampling->samples != U64_NONE)
			*(is_new ? &f->new : &f->base) += (double)c->sampling->samples;
		for (size_t i = 0; i < c->functions_by_self.len; i++) {
			const struct res_cpu_function *fn = &c->functions_by_self.at[i];
			uint64_t samples = charged ? fn->charged : fn->self;
			struct function *to;

			if (!fn->name || samples == U64_NONE)
				continue;
			to = function_of(f, fn->name);
			*(is_new ? &to->new : &to->base) += (double)samples;
		}
	}
}

static double share_moved(const struct functions *all, const struct function *f)
{
	return f->new / all->new - f->base / all->base;
}

/* Of the two-proportion test; samples of one thread are not quite independent: Z_MIN is high. */
static double z_of(const struct functions *all, const struct function *f)
{
	double pooled = (f->base + f->new) / (all->base + all->new);
	double error = sqrt(pooled * (1 - pooled) * (1 / all->base + 1 / all->new));

	return error > 0 ? share_moved(all, f) / error : 0;
}

static int is_significant(const struct functions *all, const struct function *f)
{
	return fabs(z_of(all, f)) >= Z_MIN && fabs(share_moved(all, f)) >= SHARE_MIN;
}

void why_cpu(struct sentences *s, const struct side_part *base, const struct side_part *new)
{
	struct functions all = {0};
	const int charged = has_charged(base) && has_charged(new);

	add_functions(&all, base, charged, 0);
	add_functions(&all, new, charged, 1);
	for (int shown = 0; shown < FUNCTIONS_SHOWN && all.base > 0 && all.new > 0; shown++) {
		struct function *most = NULL;

		for (size_t i = 0; i < all.len; i++)
			if (is_significant(&all, &all.at[i]) &&
				(!most || fabs(share_moved(&all, &all.at[i])) >
						  fabs(share_moved(&all, most))))
				most = &all.at[i];
		if (!most)
			break;
		sentence(s, "%s: %.1f%% -> %.1f%% of the samples", most->name,
			100 * most->base / all.base, 100 * most->new / all.new);
		*most = (struct function){.name = most->name}; /* told */
	}
	free(all.at);
}

/* ---- places of the heap ---- */

static const struct res_memory_site *site_like(
	const struct res_memory *r, const struct res_memory_site *site)
{
	for (size_t i = 0; i < r->sites.len; i++) {
		const struct res_memory_site *s = &r->sites.at[i];

		if (s->function && site->function && strcmp(s->function, site->function) == 0)
			return s;
	}
	return NULL;
}

static void say_site(
	struct sentences *s, const struct res_memory_site *base, const struct res_memory_site *new)
{
	const struct res_memory_site *any = new ? new : base;
	char was[UNITS_BUF], is[UNITS_BUF];

	assert(any);
	if (base && new && base->bytes == new->bytes)
		return;
	sentence(s, "%s (%s): %s -> %s at the peak", any->function ? any->function : "?",
		any->place ? any->place : "unknown place",
		base ? units_bytes(was, base->bytes) : "below 10%",
		new ? units_bytes(is, new->bytes) : "below 10%");
}

void why_heap(struct sentences *s, const struct side_part *base, const struct side_part *new)
{
	const struct res_memory *b = base->runs.at[0], *n = new->runs.at[0];

	for (size_t i = 0; i < n->sites.len && i < SITES_SHOWN; i++)
		say_site(s, site_like(b, &n->sites.at[i]), &n->sites.at[i]);
	for (size_t i = 0; i < b->sites.len && i < SITES_SHOWN; i++)
		if (!site_like(n, &b->sites.at[i]))
			say_site(s, &b->sites.at[i], NULL);
}
