/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/weights.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/agg/call.h"

/* A stack's part of a cell. */
struct part {
	struct part *next;
	uint32_t stack_id;
	uint64_t first[STACKS_WEIGHTS]; /* exact */
	double rest[STACKS_WEIGHTS];    /* estimated; only how they compare is used */
};

/* A call at a site. */
struct cell {
	struct cell *next; /* another call at the same site */
	const struct sys_def *def;
	uint32_t id;
	unsigned int first_taken;
	struct part *parts, **last;
	uint64_t rest[STACKS_WEIGHTS]; /* of all calls but the first ones, exact */
};

struct space {
	struct map by_site; /* -> struct cell */
};

struct weights {
	struct map spaces;  /* mm id -> struct space */
	struct map by_part; /* cell and stack id -> struct part */
	uint32_t cells;     /* ever */
	struct {
		uint32_t mm_id;
		uint64_t site;
		struct cell *cell;
	} last; /* looked for */
};

struct weights *weights_new(void)
{
	return mem_calloc(1, sizeof(struct weights));
}

static uint64_t part_key(const struct cell *c, uint32_t stack_id)
{
	return (uint64_t)c->id << 32 | stack_id;
}

static void free_cell(struct weights *w, struct cell *c)
{
	while (c->parts) {
		struct part *p = c->parts;

		c->parts = p->next;
		map_del(&w->by_part, part_key(c, p->stack_id));
		free(p);
	}
	free(c);
}

static void free_space(struct weights *w, struct space *s)
{
	struct map_iter it = {0};

	while (map_next(&s->by_site, &it))
		for (struct cell *c = it.value, *next; c; c = next) {
			next = c->next;
			free_cell(w, c);
		}
	map_release(&s->by_site);
	free(s);
	w->last.cell = NULL;
}

void weights_free(struct weights *w)
{
	struct map_iter it = {0};

	if (!w)
		return;
	while (map_next(&w->spaces, &it))
		free_space(w, it.value);
	map_release(&w->spaces);
	map_release(&w->by_part);
	free(w);
}

/* ---- calls come in ---- */

static struct cell *find(struct weights *w, const struct sys_event *ev)
{
	struct space *s = map_get(&w->spaces, ev->mm_id);
	struct cell *first, *c;

	if (!s) {
		s = mem_calloc(1, sizeof(*s));
		map_set(&w->spaces, ev->mm_id, s);
	}
	first = map_get(&s->by_site, ev->site);
	for (c = first; c; c = c->next)
		if (c->def == ev->def)
			return c;
	c = mem_calloc(1, sizeof(*c));
	c->def = ev->def;
	c->id = w->cells++;
	c->last = &c->parts;
	if (first) {
		c->next = first->next;
		first->next = c;
	} else {
		map_set(&s->by_site, ev->site, c);
	}
	return c;
}

static struct cell *cell_of(struct weights *w, const struct sys_event *ev)
{
	if (!w->last.cell || w->last.mm_id != ev->mm_id || w->last.site != ev->site ||
		w->last.cell->def != ev->def) {
		w->last.cell = find(w, ev);
		w->last.mm_id = ev->mm_id;
		w->last.site = ev->site;
	}
	return w->last.cell;
}

static struct part *part_of(struct weights *w, struct cell *c, uint32_t stack_id)
{
	struct part *p = map_get(&w->by_part, part_key(c, stack_id));

	if (p)
		return p;
	p = mem_calloc(1, sizeof(*p));
	p->stack_id = stack_id;
	*c->last = p;
	c->last = &p->next;
	map_set(&w->by_part, part_key(c, stack_id), p);
	return p;
}

int weights_is_first(struct weights *w, const struct sys_event *ev, unsigned int first)
{
	struct cell *c = cell_of(w, ev);

	return c->first_taken < first && ++c->first_taken;
}

void weights_add(struct weights *w, const struct sys_event *ev, double chance)
{
	struct call call = call_of(ev);
	struct cell *c = cell_of(w, ev);
	struct part *p = ev->stack_id ? part_of(w, c, ev->stack_id) : NULL;
	uint64_t v[STACKS_WEIGHTS] = {[STACKS_TIME] = call.wall_ns, [STACKS_CALLS] = 1};

	if (ev->def->class != CLASS_MEMORY) /* what is mapped is not moved */
		call_sum(&v[STACKS_BYTES], call.bytes_moved);
	if (ev->def->unit == BATCH_MESSAGES)
		call_sum(&v[STACKS_MESSAGES], call.batch_moved);
	for (size_t i = 0; i < STACKS_WEIGHTS; i++) {
		if (p && ev->stack_first) {
			p->first[i] = sat_add(p->first[i], v[i]);
			continue;
		}
		c->rest[i] = sat_add(c->rest[i], v[i]);
		if (p)
			p->rest[i] += (double)v[i] / chance;
	}
}

/* ---- and are shared out ---- */

/* What says how the rest is shared: what was taken by chance, else the first ones, else nothing. */
static double share_of(const struct part *p, size_t i, int by_first)
{
	return by_first ? (double)p->first[i] : p->rest[i];
}

static double sum_of(const struct cell *c, size_t i, int by_first)
{
	double sum = 0;

	for (const struct part *p = c->parts; p; p = p->next)
		sum += share_of(p, i, by_first);
	return sum;
}

/* How the rest of one weight is shared out, so that the parts sum up to it exactly. */
struct sharing {
	int by_first;
	double sum, until;
	uint64_t total, given;
};

static uint64_t next_share(struct sharing *s, const struct part *p, size_t i)
{
	uint64_t until, v;

	s->until += share_of(p, i, s->by_first);
	if (!(s->sum > 0))
		return 0;
	until = s->until >= s->sum ? s->total
				   : (uint64_t)((double)s->total * (s->until / s->sum) + 0.5);
	v = until > s->given ? until - s->given : 0;
	s->given += v;
	return v;
}

static void give_cell(const struct cell *c, weights_give *give, void *ctx)
{
	struct sharing sharing[STACKS_WEIGHTS];
	uint64_t left[STACKS_WEIGHTS], any = 0;

	for (size_t i = 0; i < STACKS_WEIGHTS; i++) {
		sharing[i] = (struct sharing){.sum = sum_of(c, i, 0), .total = c->rest[i]};
		if (!(sharing[i].sum > 0)) {
			sharing[i].by_first = 1;
			sharing[i].sum = sum_of(c, i, 1);
		}
	}
	for (const struct part *p = c->parts; p; p = p->next) {
		uint64_t v[STACKS_WEIGHTS];

		for (size_t i = 0; i < STACKS_WEIGHTS; i++)
			v[i] = sat_add(p->first[i], next_share(&sharing[i], p, i));
		give(ctx, p->stack_id, c->def, v);
	}
	for (size_t i = 0; i < STACKS_WEIGHTS; i++)
		any |= left[i] = sharing[i].total - sharing[i].given;
	if (any)
		give(ctx, 0, c->def, left);
}

static void give_space(const struct space *s, weights_give *give, void *ctx)
{
	struct map_iter it = {0};

	while (map_next(&s->by_site, &it))
		for (const struct cell *c = it.value; c; c = c->next)
			give_cell(c, give, ctx);
}

void weights_fold(struct weights *w, uint32_t mm_id, weights_give *give, void *ctx)
{
	struct space *s = map_del(&w->spaces, mm_id);

	if (!s)
		return;
	give_space(s, give, ctx);
	free_space(w, s);
}

void weights_all(struct weights *w, weights_give *give, void *ctx)
{
	struct map_iter it = {0};

	while (map_next(&w->spaces, &it)) {
		give_space(it.value, give, ctx);
		free_space(w, it.value);
	}
	map_release(&w->spaces);
	w->spaces = (struct map){0};
}

uint64_t weights_sites(const struct weights *w)
{
	return w->cells;
}
